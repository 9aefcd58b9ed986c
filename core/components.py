"""Components: which ones a command names, and which of them are new."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Protocol, TypeVar
from uuid import UUID, uuid5

from core.errors import InvalidField, nearest
from core.incident import (
    COMPONENT_DESCRIPTION_MAX,
    COMPONENT_NAME_MAX,
    COMPONENTS_MAX,
    Component,
    DescribedComponent,
)
from core.missing import NoSuchComponent, UnknownComponent
from core.refusals import ComponentExists, NotAComponent, RepeatedComponent
from core.texts import (
    COMMAS,
    component_name_of,
    listed,
    one_line,
    optional_line_of,
    optional_of,
    tagged_name_of,
)
from core.workspace import Workspace

COMPONENTS_NAMESPACE = UUID("8d7a7a3e-6a0e-5d0b-9f0e-2c1f6f1a4b52")


class Named(Protocol):
    """A component, in any of its forms."""

    @property
    def id(self) -> UUID:
        """Its id."""


Any_ = TypeVar("Any_", bound=Named)


def nameable(components: Iterable[Any_], unnamed: Collection[UUID]) -> tuple[Any_, ...]:
    """Those of ``components`` that may be named to a reader; ``unnamed`` is `Reader.unnamed`.

    A name may be known from a private incident alone. So a reader is told of a component only if
    the page shows it, or if an incident that exists for them is tagged with it.
    """
    return tuple(one for one in components if one.id not in unnamed)


def names_in(text: str) -> tuple[str, ...]:
    """The names in a list, which has commas of any script between them."""
    return tuple(name for part in COMMAS.split(text) if (name := part.strip()))


def tagged(
    names: tuple[str | UUID, ...],
    existing: tuple[Component, ...],
    workspace: Workspace,
    unnamed: Collection[UUID] = (),
) -> tuple[tuple[Component, ...], tuple[Component, ...]]:
    """The named components, each once, and the subset that does not exist yet.

    One of ``unnamed`` is taken by its whole name, and then counts as new: nothing tells the reader
    that it was there.
    """
    if len(names) > COMPONENTS_MAX:
        raise _too_many(names)
    by_id = {component.id: component for component in existing}
    by_name = {component.name.casefold(): component for component in existing}
    spellings = tuple(one.name.casefold() for one in nameable(existing, unnamed))
    named: dict[UUID, Component] = {}
    made = []
    for name in names:
        if isinstance(name, UUID):
            if name not in by_id:
                raise NoSuchComponent
            if name in named:
                raise RepeatedComponent(by_id[name])
            named[name] = by_id[name]
            continue
        wanted = tagged_name_of(name.removeprefix("+"))
        component = by_name.get(wanted.casefold())
        if component is None:
            close = nearest(wanted, spellings)
            if close and not name.startswith("+"):
                raise UnknownComponent(wanted, by_name[close].name)
            component = Component(component_id(workspace, wanted, by_id), wanted)
            by_name[wanted.casefold()] = component
            made.append(component)
        elif component.id in unnamed:
            made.append(component)
        named[component.id] = component
    return tuple(named.values()), tuple(made)


def known_components(
    names: tuple[str | UUID, ...],
    existing: tuple[Component, ...],
    unnamed: Collection[UUID] = (),
) -> tuple[Component, ...]:
    """The named components, each once; none is made. The names of ``unnamed`` are unknown.

    Raises:
        InvalidField: more than `COMPONENTS_MAX` are named.
        NotAComponent: a name is unknown; a near one is named.
        NoSuchComponent: an id is unknown.
    """
    if len(names) > COMPONENTS_MAX:
        raise _too_many(names)
    by_id = {component.id: component for component in existing}
    by_name = {one.name.casefold(): one for one in nameable(existing, unnamed)}
    named: dict[UUID, Component] = {}
    for name in names:
        found = by_id.get(name) if isinstance(name, UUID) else by_name.get(folded(name))
        if found is None and isinstance(name, UUID):
            raise NoSuchComponent
        if found is None:
            raise _not_a_component(str(name), by_name)
        named[found.id] = found
    return tuple(named.values())


def _not_a_component(name: str, by_name: Mapping[str, Component]) -> NotAComponent:
    known = {key: one.name for key, one in by_name.items()}
    near = nearest(one_line(name), known)
    return NotAComponent(
        f"include one that {unknown(name, known)}",
        asked=name,
        suggestion=known[near] if near else None,
        known=tuple(known.values()),
    )


def folded(name: str) -> str:
    """The form in which two names are one: on one line, in any case."""
    return one_line(name).casefold()


def unknown(name: str, known: Mapping[str, str]) -> str:
    """``is unknown``, with the near name of ``known`` or with all; they are by their folded form.

    The words have no full stop at their end.
    """
    near = nearest(one_line(name), known)
    if near:
        return f'is unknown: the nearest name is "{known[near]}"'
    if not known:
        return "is unknown: there are none yet"
    quoted = [f'"{one}"' for one in sorted(known.values(), key=str.casefold)]
    return f"is unknown: choose from {listed(quoted, most=10)}"


def _too_many(names: tuple[str | UUID, ...]) -> InvalidField:
    return InvalidField("components", f"are {len(names)}: at most {COMPONENTS_MAX} can be named")


def group_asked(group: str | None, groups: Iterable[str]) -> str | None:
    """The group that ``group`` means: one of ``groups``, in any case, or a new one.

    ``+`` before a name makes a new group of it although one of ``groups`` is called almost so.

    Raises:
        InvalidField: the name is too long, or may be a slip of one of ``groups``.
    """
    asked = optional_line_of("group", group, COMPONENT_NAME_MAX)
    known = {folded(one): one for one in groups}
    if asked is None:
        return None
    if folded(asked) in known:
        return known[folded(asked)]
    wanted = one_line(asked.removeprefix("+")) or asked
    near = nearest(wanted, known)
    if near and wanted == asked:
        raise InvalidField(
            "group",
            f'"{wanted}" is unknown: did you mean "{known[near]}"? To make a new one of that name, '
            f'write "+{wanted}"',
        )
    return known.get(folded(wanted), wanted)


def describe_component(
    workspace: Workspace,
    existing: tuple[Component, ...],
    *,
    name: str,
    description: str | None,
    group: str | None,
    groups: Collection[str],
    shown: bool = True,
) -> DescribedComponent:
    """A component that is added on purpose: a name close to another's is not a slip here.

    ``groups`` are the names of all groups, as `group_asked` has them.

    Raises:
        InvalidField: ``name``, ``description`` or ``group``.
        ComponentExists: one of ``existing`` has the name.
    """
    wanted = component_name_of(name)
    for component in existing:
        if component.name.casefold() == wanted.casefold():
            raise ComponentExists(component)
    made = component_id(workspace, wanted, [component.id for component in existing])
    heading = group_asked(group, groups)
    return DescribedComponent(
        component=Component(made, wanted),
        description=optional_of("description", description, COMPONENT_DESCRIPTION_MAX),
        group=heading,
        shown=shown,
        new_group=new_group_of(heading, groups),
    )


def new_group_of(group: str | None, groups: Iterable[str]) -> str | None:
    """``group``, if it is none of ``groups``."""
    return None if group is None or folded(group) in map(folded, groups) else group


def component_id(workspace: Workspace, name: str, taken: Collection[UUID]) -> UUID:
    """Derived from the name: two people who add the same component at once make one row.

    ``taken`` are the ids of all components: one that is renamed keeps the id of its first name.
    """
    return _free_id(f"{workspace.id} {name.casefold()}", taken)


def group_id(workspace: str, name: str, taken: Collection[UUID]) -> UUID:
    """Derived from the name: two people who add the same group at once make one row.

    ``taken`` are the ids of all groups: one that is renamed keeps the id of its first name.
    """
    return _free_id(f"group {workspace} {name.casefold()}", taken)


def _free_id(name: str, taken: Collection[UUID]) -> UUID:
    # No name holds a line break, so no two names have an id in common.
    names = (name, *(f"{name}\n{number}" for number in range(2, len(taken) + 2)))
    ids = (uuid5(COMPONENTS_NAMESPACE, one) for one in names)
    return next(one for one in ids if one not in taken)
