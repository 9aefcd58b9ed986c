"""The import of another status page: its components, groups and incidents, with their ids.

`Imports` adds missing parts and changes no others: a second run with the same page does nothing.
Everything that it writes was public before, so it causes no message.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence, Sized
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from core import policy
from core.arranging import start_date_of
from core.denials import Denied, Permission
from core.errors import InvalidField
from core.foreign import ForeignComponent, ForeignIncident, ForeignPage, OwnIds
from core.imported import Parts, Past, continued, cut, edited_since, incident_id, parts_of, past_of
from core.incident import Actor
from core.page import ComponentStatus, ShownComponent
from core.refusals import NotImported
from core.store import Reader, Store, Transaction
from core.texts import listed

# Two clocks may differ by so much.
CLOCKS_APART = timedelta(hours=1)
# An incident of this workspace was declared so near to the moment that its JSON names.
NEAR = timedelta(days=1)
# So many unresolved incidents, and components that are gone, are listed by name.
LISTED = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """What became of each thing of a kind that was read.

    ``there``: it is here since before. ``changed``: so it is, and it gets something: a component or
    a group its id there, an incident newer updates. ``left``: it is left out.
    """

    added: int = 0
    there: int = 0
    changed: int = 0
    left: int = 0

    @property
    def read(self) -> int:
        """So many were read."""
        return self.added + self.there + self.changed + self.left


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """The counts of an import. ``notes`` are sentences about omissions and changes.

    ``page``: the workspace keeps the id of that page from now on.
    """

    groups: Tally = Tally()
    components: Tally = Tally()
    incidents: Tally = Tally()
    updates: Tally = Tally()
    page: bool = False
    notes: tuple[str, ...] = ()

    @property
    def read(self) -> int:
        """So many things of all kinds were read."""
        return sum(one.read for one in self._tallies)

    @property
    def nothing(self) -> bool:
        """Whether nothing is added or changed."""
        return not (self.page or any(one.added or one.changed for one in self._tallies))

    @property
    def _tallies(self) -> tuple[Tally, ...]:
        return self.groups, self.components, self.incidents, self.updates


class Imports:
    """``clock`` gives the moment of an import, ``own`` the ids that this page derives."""

    def __init__(
        self, store: Store, *, clock: Callable[[], datetime], own: OwnIds | None = None
    ) -> None:
        self._store = store
        self._clock = clock
        self._own = own or OwnIds()

    async def look(self, actor: Actor, page: ForeignPage, *, open_too: bool | None) -> Imported:
        """The result that `run` would have. Nothing is written.

        Raises:
            Denied, NotImported: as `run`.
        """
        _need_admin(actor)
        at = self._clock()
        return await self._store.read(
            lambda reader: _plan(reader, actor, page, self._own, open_too=open_too, at=at).told
        )

    async def run(self, actor: Actor, page: ForeignPage, *, open_too: bool | None) -> Imported:
        """Adds what is not there yet of ``page``, all or nothing.

        ``open_too``: unresolved incidents, too; False: they are left out; None: they are a refusal.

        Raises:
            Denied: the actor is no workspace admin.
            NotImported: it has unresolved incidents, or the workspace keeps ids of another page.
        """
        _need_admin(actor)

        def work(tx: Transaction) -> Imported:
            at = self._clock()
            plan = _plan(tx, actor, page, self._own, open_too=open_too, at=at)
            if plan.told.nothing:
                return plan.told
            tx.keep_page(actor.workspace, page.id, at=at)
            tx.import_parts(actor.workspace, plan.parts)
            for one in plan.continued:
                tx.incident(actor.workspace, one.decision.incident.id)
                tx.save_imported(one.decision, one.kept, one.texts)
            for there in plan.new:
                number = tx.next_number(actor.workspace)
                one = past_of(there, page, actor.workspace, number=number, known=plan.parts.known)
                tx.save_imported(one.decision, one.kept, one.texts)
            return plan.told

        return await self._store.write(work)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Plan:
    parts: Parts
    new: tuple[ForeignIncident, ...]
    continued: tuple[Past, ...]
    told: Imported


def _plan(
    reader: Reader,
    actor: Actor,
    page: ForeignPage,
    own: OwnIds,
    *,
    open_too: bool | None,
    at: datetime,
) -> _Plan:
    kept_page = reader.kept_page(actor.workspace)
    if kept_page not in {None, page.id}:
        raise NotImported(
            f"This workspace keeps the ids of the page {kept_page}, and this is {page.id}: import "
            "it into a workspace of its own."
        )
    known = reader.arrangement(actor.workspace)
    parts = parts_of(page, actor.workspace, known.groups, known.components, own)
    ids = {incident_id(actor.workspace, one.id): one for one in page.incidents}
    there_already = reader.imported(actor.workspace, list(ids))
    new = [one for id_, one in ids.items() if id_ not in there_already]
    _refuse_odd_times(page, at)
    ours = [one for one in new if _is_ours(reader, actor, one, own)]
    new = [one for one in new if one not in ours]
    opened = [one for one in new if one.open]
    if opened and open_too is None:
        raise NotImported(_unresolved(opened))
    if not open_too:
        new = [one for one in new if not one.open]
    pasts: list[Past] = []
    known_updates = 0
    notes = list(parts.notes)
    befores = [one for id_ in there_already if (one := reader.incident(actor.workspace, id_))]
    for before in befores:
        kept, texts = there_already[before.id]
        written = {own.update(before.id, entry) for entry in range(1, before.last_entry + 1)}
        there = ids[before.id]
        have = written | {one.id for one in texts.values()}
        known_updates += sum(one.id in have for one in there.updates)
        there = replace(there, updates=tuple(u for u in there.updates if u.id not in written))
        past = continued(before, kept, texts.values(), there=there, page=page, known=parts.known)
        if edited := edited_since(texts.values(), ids[before.id]):
            told_of = "1 text was changed there since it was imported, and stays as before here."
            if edited > 1:
                told_of = f"{edited} texts were changed there since they were imported, and stay"
                told_of += " as before here."
            notes.append(f"{before.name}: {told_of}")
        if isinstance(past, str):
            notes.append(past)
        elif past is not None and past.decision.updates:
            pasts.append(past)
    notes += _left(ours)
    gone = _gone(page, parts)
    notes += _lost([page.names.get(one) or one for one in gone])
    if opened and open_too is False:
        notes.append(f"{len(opened)} unresolved there: left out. Run it again once resolved.")
    notes += _long(page.components, known.components)
    new.sort(key=lambda one: (one.in_order[0].shown_at if one.updates else one.created_at, one.id))
    # Its number is of no account here: only the texts are counted.
    told_anew = [past_of(one, page, actor.workspace, number=1, known=parts.known) for one in new]
    added = sum(len(one.texts) for one in (*told_anew, *pasts))
    read = sum(len(one.updates) for one in ids.values())
    told = Imported(
        groups=_parted(page.groups, parts.groups, parts.kept_groups),
        components=replace(
            _parted(page.components, parts.components, parts.kept_components), left=len(gone)
        ),
        incidents=Tally(
            added=len(new),
            there=len(there_already) - len(pasts),
            changed=len(pasts),
            left=len(ids) - len(there_already) - len(new),
        ),
        updates=Tally(added=added, there=known_updates, left=read - added - known_updates),
        page=kept_page is None,
        notes=tuple(notes),
    )
    return _Plan(parts=parts, new=tuple(new), continued=tuple(pasts), told=told)


def _parted(read: Sized, new: Sized, kept: Sized) -> Tally:
    there = len(read) - len(new) - len(kept)
    return Tally(added=len(new), changed=len(kept), there=there)


def _long(components: Sequence[ForeignComponent], known: Sequence[ShownComponent]) -> Iterator[str]:
    """Components that are new, and not operational there: only a publisher says so here."""
    before = {one.kept for one in known}
    for one in components:
        if one.status is not ComponentStatus.OPERATIONAL and one.id not in before:
            yield (
                f'"{cut(one.name, 60)}" is {one.status.value} there: its open incidents decide '
                f"here, or `ratchet components override`."
            )


def _refuse_odd_times(page: ForeignPage, at: datetime) -> None:
    """Refuses what is still to come, and an end before the start: readers would see it for ever."""
    for one in page.incidents:
        shown = [told.shown_at for told in one.updates]
        for what, still in _moments(one):
            if still > at + CLOCKS_APART:
                raise NotImported(
                    f"The incident {one.id} has {what} {still:%Y-%m-%d %H:%M} UTC, which is "
                    "still to come: correct the file, or the clock of this machine."
                )
        begun = one.started_at or min((one.created_at, *shown))
        for name, moment in (
            ("resolved_at", one.resolved_at),
            ("monitoring_at", one.monitoring_at),
        ):
            if moment is not None and moment < begun:
                raise NotImported(
                    f"The incident {one.id} has {name} {moment:%Y-%m-%d %H:%M:%S} UTC, which lies "
                    f"before its start at {begun:%Y-%m-%d %H:%M:%S} UTC: correct the file."
                )
    for part in page.components:
        try:
            if part.start_date is not None:
                start_date_of(part.start_date, at=at)
        except InvalidField as error:
            raise NotImported(
                f"The component {part.id} has the start_date {part.start_date}, which "
                f"{error.problem}: correct the file."
            ) from None


def _left(ours: Sequence[ForeignIncident]) -> Iterator[str]:
    """A sentence about incidents that were read from the page of this workspace itself."""
    if ours:
        many = "incidents are" if len(ours) > 1 else "incident is"
        yield f"{len(ours)} {many} of this workspace itself: left out."


def _gone(page: ForeignPage, parts: Parts) -> list[str]:
    """The components that incidents name, and that neither the page nor this workspace has."""
    there = {*parts.known, *(one.id for one in page.groups)}
    named = (
        code
        for one in page.incidents
        for code in (
            *one.components,
            *(each.component for told in one.updates for each in told.affected),
        )
    )
    return [code for code in dict.fromkeys(named) if code not in there]


def _lost(names: Sequence[str]) -> Iterator[str]:
    """A sentence about components that only the incidents of a page still name."""
    if names:
        shown = listed([f'"{cut(one, 60)}"' for one in names], most=LISTED)
        ends = (
            "are components no more: they are"
            if len(names) > 1
            else "is a component no more: it is"
        )
        yield f"Incidents there name {shown}, which {ends} left out."


def _moments(one: ForeignIncident) -> Iterator[tuple[str, datetime]]:
    """All moments of an incident there, its texts first, each with its name in a sentence."""
    for told in one.updates:
        yield "a text of", told.shown_at
    for told in one.updates:
        yield "a text with created_at", told.created_at
        yield "a text with updated_at", told.updated_at
    named = ("created_at", "started_at", "monitoring_at", "resolved_at", "updated_at")
    for name in named:
        moment = getattr(one, name)
        if moment is not None:
            yield name, moment


def _is_ours(reader: Reader, actor: Actor, there: ForeignIncident, own: OwnIds) -> bool:
    """Whether an incident of this workspace derives the id of ``there``; private ones count."""
    since, until = there.created_at - NEAR, there.created_at + NEAR
    return there.id in map(own.object, reader.declared(actor, since=since, until=until))


def _unresolved(opened: Sequence[ForeignIncident]) -> str:
    named = [f"{one.id} ({one.status}, {cut(one.name, 60)})" for one in opened[:LISTED]]
    more = len(opened) - len(named)
    listed = ", ".join([*named, *([f"and {more} more"] if more else [])])
    return (
        "Nothing was imported, because these incidents are not resolved there. Give "
        "--include-open to import them as open incidents, or --leave-open to leave them out until "
        f"they are resolved: {listed}."
    )


def _need_admin(actor: Actor) -> None:
    for permission in (Permission.JOIN, Permission.ADMINISTER):
        if not policy.holds(actor, permission):
            raise Denied(actor, permission)
