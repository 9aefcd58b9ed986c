"""The use cases of the status page: it is published, and its components are arranged.

Admins arrange, publishers set a status by hand. Everything here is public, except the reason of an
override.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TypeVar
from uuid import UUID

from core import policy
from core.arranging import (
    Arranged,
    ComponentChange,
    changed,
    changed_group,
    component_named,
    differing,
    group_named,
    page_settings,
    status_of,
)
from core.boards import BoardFilter
from core.components import (
    describe_component,
    group_asked,
    group_id,
    nameable,
    new_group_of,
)
from core.denials import Denied, Permission
from core.errors import InvalidField
from core.incident import BODY_MAX, Actor, Component
from core.page import (
    Arrangement,
    ComponentGroup,
    ComponentStatus,
    FormerPage,
    Override,
    PageSettings,
    ShownComponent,
)
from core.refusals import ComponentExists
from core.service import NO_INCIDENT
from core.store import Reader, Store, Transaction
from core.texts import component_name_of, optional_of

# The open incidents that the statuses of components are read from, worst first.
OPEN_MAX = 500

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    """Everything that can be arranged, and the status of each component by its id."""

    arrangement: Arrangement
    statuses: Mapping[UUID, ComponentStatus]


def nothing(_tx: Transaction, _made: object) -> None:
    """Writes nothing more."""


class Curation:
    """``clock`` gives the moment of each act.

    ``then`` of a method gets what was made, in the transaction of the change: what it writes is
    committed with the change. It is called again if the transaction must run again.

    ``request`` identifies a delivery that Slack may repeat: a repetition changes nothing, and gets
    what is there by now.
    """

    def __init__(self, store: Store, *, clock: Callable[[], datetime]) -> None:
        self._store = store
        self._clock = clock

    async def arrangement(self, actor: Actor) -> Arrangement:
        """Everything that can be arranged."""
        _need(actor, Permission.JOIN)
        return await self._store.read(lambda reader: _known(reader, actor))

    async def overview(self, actor: Actor) -> Overview:
        """Everything that can be arranged, with the statuses of now."""
        _need(actor, Permission.JOIN)

        def work(reader: Reader) -> Overview:
            known, at = _known(reader, actor), self._clock()
            open_ = reader.ranking(actor, BoardFilter(), before=None, after=None, limit=OPEN_MAX)
            statuses = {one.id: status_of(one, open_.items, at=at) for one in known.components}
            return Overview(arrangement=known, statuses=statuses)

        return await self._store.read(work)

    async def _write(
        self,
        actor: Actor,
        request: str | None,
        work: Callable[[Transaction], T],
        found: Callable[[Arrangement], T],
    ) -> T:
        """The result of ``work`` in a transaction; of a repetition, what is ``found`` there."""

        def once(tx: Transaction) -> T:
            if request is not None:
                if tx.handled(actor.workspace, request):
                    return found(_known(tx, actor))
                tx.mark_handled(actor.workspace, request, NO_INCIDENT, at=self._clock())
            return work(tx)

        return await self._store.write(once)

    async def publish(
        self,
        actor: Actor,
        *,
        title: str | None = None,
        slug: str | None = None,
        language: str | None = None,
        noindex: bool | None = None,
        then: Callable[[Transaction, PageSettings], object] = nothing,
        request: str | None = None,
    ) -> PageSettings:
        """Publishes the page of the workspace, or changes its settings.

        Raises:
            Denied: the actor is no workspace admin.
            InvalidField: a setting is not possible, or another workspace has the slug.
        """
        _need(actor, Permission.JOIN)

        def work(tx: Transaction) -> PageSettings:
            at = self._clock()
            known = tx.arrangement(actor.workspace)
            before = known.page or known.former
            settings = page_settings(
                actor.workspace,
                before,
                title=title,
                slug=slug,
                language=language,
                noindex=noindex,
                at=at,
            )
            _need(actor, Permission.ADMINISTER)
            tx.publish_page(settings, at=at)
            then(tx, settings)
            return settings

        def found(known: Arrangement) -> PageSettings:
            # Another admin may have taken it off since.
            return known.page or page_settings(
                actor.workspace,
                known.former,
                title=title,
                slug=slug,
                language=language,
                noindex=noindex,
                at=self._clock(),
            )

        return await self._write(actor, request, work, found)

    async def unpublish(
        self,
        actor: Actor,
        *,
        title: str | None = None,
        slug: str | None = None,
        language: str | None = None,
        noindex: bool | None = None,
        then: Callable[[Transaction, FormerPage | None], object] = nothing,
        request: str | None = None,
    ) -> FormerPage | None:
        """Takes the page off: its addresses lead nowhere from then on.

        Settings that are given are kept for the next time that it is published. The result is what
        the workspace keeps of it, None if it never had a page.

        Raises:
            Denied: the actor is no workspace admin.
            InvalidField: a setting is not possible, or another workspace has the slug.
        """
        _need(actor, Permission.ADMINISTER)

        def work(tx: Transaction) -> FormerPage | None:
            at = self._clock()
            if any(one is not None for one in (title, slug, language, noindex)):
                known = tx.arrangement(actor.workspace)
                before = known.page or known.former
                kept = page_settings(
                    actor.workspace,
                    before,
                    title=title,
                    slug=slug,
                    language=language,
                    noindex=noindex,
                    at=at,
                )
                # Nobody reads it in between: it is one transaction.
                tx.publish_page(kept, at=at)
            tx.unpublish_page(actor.workspace, at=at)
            former = tx.arrangement(actor.workspace).former
            then(tx, former)
            return former

        return await self._write(actor, request, work, lambda known: known.former)

    async def add_component(
        self, actor: Actor, change: ComponentChange, *, request: str | None = None
    ) -> Arranged:
        """Adds a component with these values; without others the page shows it.

        Raises:
            Denied: the actor is no workspace admin.
            ComponentExists, InvalidField: the component is not possible.
        """
        _need(actor, Permission.ADMINISTER)
        name = component_name_of(change.name or "")

        def work(tx: Transaction) -> Arranged:
            at, team = self._clock(), actor.workspace
            groups = [one.name for one in tx.arrangement(team).groups]
            described = describe_component(
                tx.workspace(team),
                tx.components(team),
                name=name,
                description=change.description,
                group=change.group,
                groups=groups,
            )
            # Not for a moment shown, if that is asked for: the page would say that it has changed.
            described = replace(described, shown=change.shown is not False)
            tx.add_component(team, described, at=at)
            made = component_named(tx.arrangement(team).components, described.component.id)
            more = replace(change, name=None, description=None, group=None, cleared=frozenset())
            after = changed(made, more, at=at)
            if after != made:
                tx.arrange(team, after, new_group=None, at=at)
            return Arranged(component=after, new_group=described.new_group)

        def found(known: Arrangement) -> Arranged:
            return Arranged(component=component_named(known.components, name))

        return await self._write(actor, request, work, found)

    async def show_components(
        self, actor: Actor, components: Iterable[UUID], *, request: str | None = None
    ) -> tuple[ShownComponent, ...]:
        """Puts components on the page.

        Raises:
            Denied: the actor is no workspace admin.
            NoSuchComponent: one is gone.
        """
        _need(actor, Permission.ADMINISTER)
        asked = tuple(components)

        def found(known: Arrangement) -> tuple[ShownComponent, ...]:
            return tuple(component_named(known.components, one) for one in asked)

        def work(tx: Transaction) -> tuple[ShownComponent, ...]:
            at, made = self._clock(), []
            for before in found(tx.arrangement(actor.workspace)):
                after = changed(before, ComponentChange(shown=True), at=at)
                if after != before:
                    tx.arrange(actor.workspace, after, new_group=None, at=at)
                made.append(after)
            return tuple(made)

        return await self._write(actor, request, work, found)

    async def change_component(
        self,
        actor: Actor,
        ref: str | UUID,
        change: ComponentChange,
        *,
        then: Callable[[Transaction, Arranged], object] = nothing,
        request: str | None = None,
    ) -> Arranged:
        """Changes what the page says of a component; its name is unique, in any case.

        A group that is not there is made, as `group_asked` has it.

        Raises:
            Denied: the actor is no workspace admin.
            NoSuchComponent, ComponentExists, InvalidField: the change is not possible.
        """
        _need(actor, Permission.JOIN)

        def work(tx: Transaction) -> Arranged:
            at = self._clock()
            known = _known(tx, actor)
            before = component_named(known.components, ref)
            after = changed(before, change, at=at)
            for other in known.components:
                if other.id != after.id and other.name.casefold() == after.name.casefold():
                    raise ComponentExists(Component(other.id, other.name))
            groups = [one.name for one in known.groups]
            group = group_asked(change.group, groups)
            if group or "group" in change.cleared:
                named = {one.name.casefold(): one.id for one in known.groups}
                into = None
                if group:
                    new = group_id(actor.workspace, group, named.values())
                    into = named.get(group.casefold(), new)
                if into != after.group:
                    after = replace(after, group=into, updated_at=at)
            _need(actor, Permission.ADMINISTER)
            if after != before:
                tx.arrange(actor.workspace, after, new_group=group, at=at)
            made = Arranged(
                component=after,
                changed=differing(before, after),
                new_group=new_group_of(group, groups),
            )
            then(tx, made)
            return made

        def found(known: Arrangement) -> Arranged:
            return Arranged(component=component_named(known.components, ref))

        return await self._write(actor, request, work, found)

    async def change_group(
        self,
        actor: Actor,
        ref: str | UUID,
        *,
        rename: str | None = None,
        position: int | None = None,
        description: str | None = None,
        then: Callable[[Transaction, ComponentGroup], object] = nothing,
        request: str | None = None,
    ) -> ComponentGroup:
        """Changes a group, whose components stay in it. A description that is empty is removed.

        Raises:
            Denied: the actor is no workspace admin.
            InvalidField: there is no such group, or a value is not possible.
        """
        _need(actor, Permission.JOIN)

        def work(tx: Transaction) -> ComponentGroup:
            at = self._clock()
            groups = tx.arrangement(actor.workspace).groups
            after = changed_group(
                groups, ref, rename=rename, position=position, description=description, at=at
            )
            _need(actor, Permission.ADMINISTER)
            tx.arrange_group(actor.workspace, after, at=at)
            then(tx, after)
            return after

        return await self._write(actor, request, work, lambda known: group_named(known.groups, ref))

    async def override(
        self,
        actor: Actor,
        ref: str | UUID,
        status: ComponentStatus | None,
        *,
        until: datetime | None = None,
        reason: str | None = None,
        then: Callable[[Transaction, ShownComponent], object] = nothing,
        request: str | None = None,
    ) -> ShownComponent:
        """Gives a component a status by hand; None: its incidents decide again.

        ``reason`` is private.

        Raises:
            Denied: the actor is no publisher.
            NoSuchComponent, InvalidField: the component, the end or the reason is not possible.
        """
        _need(actor, Permission.JOIN)

        def work(tx: Transaction) -> ShownComponent:
            at = self._clock()
            if until is not None and until <= at:
                raise InvalidField("until", "is past: give a moment that is still to come")
            why = optional_of("reason", reason, BODY_MAX)
            before = component_named(_known(tx, actor).components, ref)
            made = Override(at=at, status=status, until=until)
            _need(actor, Permission.PUBLISH)
            tx.override(actor.workspace, before.id, made, reason=why, by=actor.person)
            after = replace(before, overrides=(*before.overrides, made))
            then(tx, after)
            return after

        return await self._write(
            actor, request, work, lambda known: component_named(known.components, ref)
        )


def _known(reader: Reader, actor: Actor) -> Arrangement:
    """Everything that can be arranged, as far as its name may be told to ``actor``."""
    known = reader.arrangement(actor.workspace)
    return replace(known, components=nameable(known.components, reader.unnamed(actor)))


def _need(actor: Actor, permission: Permission) -> None:
    if not policy.holds(actor, Permission.JOIN):
        raise Denied(actor, Permission.JOIN)
    if not policy.holds(actor, permission):
        raise Denied(actor, permission)
