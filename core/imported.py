"""Another status page as ours: components, groups, incidents with their past. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import pairwise
from uuid import UUID, uuid5

from core.decision import Decision
from core.foreign import WORDS, ForeignIncident, ForeignPage, ForeignUpdate, OwnIds
from core.incident import (
    COMPONENT_NAME_MAX,
    TITLE_MAX,
    Component,
    Incident,
    Kind,
    Person,
    Severity,
    Update,
    Visibility,
    declaration,
    update_id,
)
from core.lifecycle import STATUSPAGE, Lifecycle, PublicWord, read
from core.page import IMPACTS, ComponentGroup, Impact, ShownComponent
from core.public_side import KeptAffected, KeptIncident, KeptUpdate
from core.texts import listable, one_line

NAMESPACE = UUID("0b8f5a0e-0a57-5f0c-8b43-5d0f2f7a9c66")
IMPORTER = Person("key:import", "import")
# For an incident that went back a step there: here, only an imported one can have done so. It was
# over, so it ends in a terminal status.
IMPORTED_TOML = """\
[imported.investigating]
initial = true
reopen = true
next = ["identified", "monitoring", "resolved"]
public = "investigating"

[imported.identified]
reopen = true
next = ["investigating", "monitoring", "resolved"]
public = "identified"

[imported.monitoring]
reopen = true
next = ["investigating", "identified", "resolved"]
public = "monitoring"

[imported.resolved]
reopen = true
next = ["investigating", "identified", "monitoring", "closed"]
public = "resolved"

[imported.closed]
terminal = true
public = "resolved"
"""
(IMPORTED,) = read(IMPORTED_TOML)
CLOSED = "closed"
SEVERITIES: Mapping[Impact, Severity] = {impact: severity for severity, impact in IMPACTS.items()}
ORDER = list(PublicWord)


# --- components and groups ---------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """The components and groups of an import: new ones, and those that get an id to keep.

    ``known`` are all components by their ids there; ``names`` those of all groups.
    """

    groups: tuple[ComponentGroup, ...]
    components: tuple[ShownComponent, ...]
    kept_groups: Mapping[UUID, str]
    kept_components: Mapping[UUID, str]
    known: Mapping[str, Component]
    names: Mapping[UUID, str]
    notes: tuple[str, ...]


def parts_of(
    page: ForeignPage,
    workspace: str,
    groups: Sequence[ComponentGroup],
    components: Sequence[ShownComponent],
    own: OwnIds,
) -> Parts:
    """The parts that ``groups`` and ``components`` lack. A part of the same name is the same.

    One with an id of ``own`` is there already, whatever its name was.
    """
    notes: list[str] = []
    new_groups: list[ComponentGroup] = []
    kept_groups: dict[UUID, str] = {}
    headings = {one.kept or own.object(one.id): one for one in groups}
    free = {one.name.casefold(): one for one in groups if not one.kept}
    taken = {one.name.casefold() for one in groups}
    for there in page.groups:
        if there.id in headings:
            continue
        if same := free.pop(there.name.casefold(), None):
            headings[there.id] = same
            kept_groups[same.id] = there.id
            continue
        name = _free_name(there.name, there.name or "Group", None, taken, notes)
        headings[there.id] = ComponentGroup(
            id=uuid5(NAMESPACE, f"{workspace} group {there.id}"),
            name=name,
            position=there.position,
            description=there.description,
            created_at=there.created_at,
            updated_at=there.updated_at,
            kept=there.id,
        )
        new_groups.append(headings[there.id])
    new_components: list[ShownComponent] = []
    kept_components: dict[UUID, str] = {}
    known = {one.kept or own.object(one.id): Component(one.id, one.name) for one in components}
    open_to = {one.name.casefold(): one for one in components if not one.kept}
    taken = {one.name.casefold() for one in components}
    for one in page.components:
        if one.id in known:
            continue
        if match := open_to.pop(one.name.casefold(), None):
            known[one.id] = Component(match.id, match.name)
            kept_components[match.id] = one.id
            continue
        group = headings.get(one.group or "")
        plain = listable(one.name) or "Component"
        name = _free_name(one.name, plain, group.name if group else None, taken, notes)
        made = ShownComponent(
            id=uuid5(NAMESPACE, f"{workspace} component {one.id}"),
            name=name,
            position=one.position,
            group=group.id if group else None,
            description=one.description,
            showcase=one.showcase,
            only_if_degraded=one.only_if_degraded,
            start_date=one.start_date,
            created_at=one.created_at,
            updated_at=one.updated_at,
            kept=one.id,
        )
        known[one.id] = Component(made.id, made.name)
        new_components.append(made)
    return Parts(
        groups=tuple(new_groups),
        components=tuple(new_components),
        kept_groups=kept_groups,
        kept_components=kept_components,
        known=known,
        names={one.id: one.name for one in (*groups, *new_groups)},
        notes=tuple(notes),
    )


def _free_name(name: str, plain: str, group: str | None, taken: set[str], notes: list[str]) -> str:
    """``plain``, or a name like it that is not in ``taken``, where it is from then on.

    A sentence in ``notes`` tells if it is not ``name``.
    """
    wanted = [cut(plain, COMPONENT_NAME_MAX)]
    if group:
        wanted.append(cut(f"{cut(plain, 60)} ({cut(listable(group), 30)})", COMPONENT_NAME_MAX))
    wanted += [f"{cut(plain, 90)} {number}" for number in range(2, len(taken) + 3)]
    free = next(one for one in wanted if one.casefold() not in taken)
    taken.add(free.casefold())
    if free != name:
        why = "names are unique"
        if plain != name:
            why = "in a list of names the old one would read differently"
        elif len(plain) > COMPONENT_NAME_MAX:
            why = f"names have at most {COMPONENT_NAME_MAX} characters"
        notes.append(f'"{cut(name, 60)}" is called "{free}" here: {why}.')
    return free


def cut(text: str, most: int) -> str:
    """``text`` on one line, shortened to ``most`` characters."""
    text = one_line(text)
    return text if len(text) <= most else f"{text[: most - 1].rstrip()}…"


# --- incidents ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """An incident with its imported past: what is to be saved of it."""

    decision: Decision
    kept: KeptIncident
    texts: Mapping[int, KeptUpdate]


def incident_id(workspace: str, there: str) -> UUID:
    """The id of the incident that is ``there`` in another page."""
    return uuid5(NAMESPACE, f"{workspace} incident {there}")


def past_of(
    there: ForeignIncident,
    page: ForeignPage,
    workspace: str,
    *,
    number: int,
    known: Mapping[str, Component],
) -> Past:
    """The incident ``there``, declared at its first text, with each of its updates."""
    updates = there.in_order
    words = [WORDS[one.status] for one in updates]
    forward = all(ORDER.index(a) <= ORDER.index(b) for a, b in pairwise(words))
    began = updates[0].shown_at if updates else there.created_at
    codes = (*there.components, *(one.component for told in updates for one in told.affected))
    incident = Incident(
        id=incident_id(workspace, there.id),
        workspace=workspace,
        number=number,
        title=cut(there.name, TITLE_MAX) or "Incident",
        severity=SEVERITIES[there.impact],
        lifecycle=STATUSPAGE if forward else IMPORTED,
        status=STATUSPAGE.initial,
        private=False,
        declared_by=IMPORTER,
        components=tuple(dict.fromkeys(known[code] for code in codes if code in known)),
        started_at=there.started_at or there.created_at,
        created_at=began,
        updated_at=began,
    )
    declared = declaration(incident)
    writer = _Writer(incident, known)
    writer.entries.append(declared)
    for told in updates:
        writer.tell(told)
    writer.end(there)
    return writer.past(there, page)


def continued(
    before: Incident,
    kept: KeptIncident,
    texts: Iterable[KeptUpdate],
    *,
    there: ForeignIncident,
    page: ForeignPage,
    known: Mapping[str, Component],
) -> Past | str | None:
    """What is new of an imported incident; a sentence if it cannot be added, None if nothing is."""
    have = {one.id for one in texts}
    new = [one for one in there.in_order if one.id not in have]
    if not new:
        return None
    many = len(new) > 1
    left = f"{len(new)} newer {'updates' if many else 'update'} of it there "
    left += "were left out" if many else "was left out"
    if before.last_entry != kept.entries:
        return f"{before.name} was changed here: {left}."
    if new[0].shown_at < before.updated_at:
        return f"{before.name} has later texts: {left}."
    writer = _Writer(before, known)
    for told in new:
        if not writer.can_tell(told):
            return f"{before.name} went back a step there, and cannot here: {left}."
        writer.tell(told)
    writer.end(there)
    return writer.past(there, page, before=before, atom=kept.atom)


def edited_since(texts: Iterable[KeptUpdate], there: ForeignIncident) -> int:
    """The number of imported texts that were changed ``there`` since."""
    kept = {one.id: one.updated_at for one in texts}
    return sum(one.updated_at > kept.get(one.id, one.updated_at) for one in there.updates)


class _Writer:
    """Writes the entries of an imported timeline, in their order."""

    def __init__(self, incident: Incident, known: Mapping[str, Component]) -> None:
        self._incident = incident
        self._known = known
        self._status = incident.status
        self._at = incident.updated_at
        self._last = incident.last_entry
        self.entries: list[Update] = []
        self._texts: dict[int, KeptUpdate] = {}

    @property
    def _lifecycle(self) -> Lifecycle:
        return self._incident.lifecycle

    def can_tell(self, told: ForeignUpdate) -> bool:
        """Whether the lifecycle has a way to the status of ``told``."""
        return self._leads_to(WORDS[told.status])

    def _leads_to(self, word: PublicWord) -> bool:
        same = self._lifecycle.public_word(self._status) is word
        return same or bool(self._lifecycle.path(self._status, word.value))

    def tell(self, told: ForeignUpdate) -> None:
        """Writes an update with its status; an empty one that changes nothing is left out."""
        entry = self._move(WORDS[told.status], told.shown_at, body=told.body or None)
        if entry is not None:
            self._texts[entry] = KeptUpdate(
                id=told.id,
                status=told.status,
                created_at=told.created_at,
                updated_at=told.updated_at,
                affected=tuple(
                    KeptAffected(self._known[one.component].id, one.name, one.old, one.new)
                    for one in told.affected
                    if one.component in self._known
                )
                or None,
            )

    def end(self, there: ForeignIncident) -> None:
        """Brings the incident to the status that it has there, if its last text leads to it."""
        if not self._leads_to(WORDS[there.status]):
            return
        self._move(WORDS[there.status], max(self._at, there.resolved_at or there.updated_at))
        if not there.open and self._lifecycle is IMPORTED and self._status != CLOSED:
            self._step(CLOSED, self._at, body=None, passed=False)

    def past(
        self,
        there: ForeignIncident,
        page: ForeignPage,
        *,
        before: Incident | None = None,
        atom: str | None = None,
    ) -> Past:
        """The incident with its new entries, and what it keeps."""
        address = page.address and f"{page.address}/incidents/{there.id}"
        version = before.version + len(self.entries) if before else self._last
        incident = replace(
            self._incident,
            status=self._status,
            version=version,
            last_entry=self._last,
            updated_at=self._at,
        )
        return Past(
            decision=Decision(incident=incident, updates=tuple(self.entries)),
            kept=KeptIncident(
                id=there.id,
                entries=self._last,
                created_at=there.created_at,
                updated_at=there.updated_at,
                monitoring_at=there.monitoring_at,
                resolved_at=there.resolved_at,
                address=address,
                atom=atom or page.atom.get(address or ""),
            ),
            texts=self._texts,
        )

    def _move(self, word: PublicWord, at: datetime, body: str | None = None) -> int | None:
        """Writes the steps to ``word``, and ``body``; the number of the last entry, if any."""
        if self._lifecycle.public_word(self._status) is word:
            if body is None:
                return None
            return self._write(Kind.WROTE, at, body=body)
        *passed, last = self._lifecycle.path(self._status, word.value)
        for step in passed:
            self._step(step, at, body=None, passed=True)
        return self._step(last, at, body=body, passed=False)

    def _step(self, to: str, at: datetime, *, body: str | None, passed: bool) -> int:
        old, self._status = self._status, to
        return self._write(Kind.MOVED, at, body=body, old=old, new=to, passed=passed)

    def _write(
        self,
        kind: Kind,
        at: datetime,
        *,
        body: str | None,
        old: str | None = None,
        new: str | None = None,
        passed: bool = False,
    ) -> int:
        self._last += 1
        self._at = at
        self.entries.append(
            Update(
                id=update_id(self._incident.id, self._last),
                incident=self._incident.id,
                entry=self._last,
                kind=kind,
                visibility=Visibility.INTERNAL if body is None else Visibility.PUBLIC,
                by=IMPORTER,
                at=at,
                body=body,
                old=old,
                new=new,
                passed=passed,
            )
        )
        return self._last
