"""The reads of everybody: only public facts, as core's public values.

No statement here names a column that holds a person or a description. The SQL itself leaves out
private incidents, and selects the body of an update only if the update is public and its time has
come. So no caller can show a private text by mistake: it is never read.

``at`` is the moment for which a text must be public. A text that is held back until later, or was
withdrawn before it was public, leaves a bare change of status, or nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from uuid import UUID

from sqlalchemy import and_, bindparam, case, or_, select, true, union_all

from core.incident import (
    PUBLIC_FACTS,
    TRANSITIONS,
    Component,
    Kind,
    PublicText,
    Severity,
    Visibility,
    is_end,
)
from core.lifecycle import Lifecycle, PublicWord
from core.page import DAYS, LATELY, LATELY_MAX, RECENT, PageSettings, PublicFacts
from core.promise import Promise, PromiseState, promised, shown
from core.public_side import (
    KeptIncident,
    KeptUpdate,
    PublicIncident,
    PublicPromise,
    PublicUpdate,
    ToldPromise,
)
from storage import imports, pages, promises
from storage.models import component, is_not_private, is_open, is_tagged, is_untagged
from storage.models import incident as _incident
from storage.models import update as _update
from storage.remembered import Remembered
from storage.rows import NEWEST, RETAGS_A_SHOWN_ONE, AnyRow, lifecycle_of, shown_tags
from storage.snapshot import Snapshot

# While a title is held back, the one before it is shown; without one, nothing of the incident is.
_title_is_public = or_(
    _incident.c.title_public_at.is_(None), _incident.c.title_public_at <= bindparam("at")
)
_INCIDENTS = select(
    _incident.c.id,
    _incident.c.workspace_id,
    _incident.c.number,
    case(
        (_title_is_public, _incident.c.title),
        else_=_incident.c.title_before,
    ).label("title"),
    _incident.c.severity,
    _incident.c.lifecycle,
    _incident.c.status,
    _incident.c.started_at,
    _incident.c.created_at,
    _incident.c.component_count,
    _incident.c.promise_count,
    _incident.c.imported,
).where(
    _incident.c.workspace_id == bindparam("workspace"),
    is_not_private,
    or_(_title_is_public, _incident.c.title_before.is_not(None)),
)
_ONE = _INCIDENTS.where(_incident.c.id == bindparam("incident"))
_OPEN = _INCIDENTS.where(is_open).order_by(_incident.c.number.desc())
_over_lately = and_(is_tagged, _incident.c.over_at >= bindparam("since"))
_NUMBERED = _INCIDENTS.where(_incident.c.number.in_(bindparam("numbers", expanding=True)))
_RECENT = (
    _INCIDENTS.where(_incident.c.number < bindparam("before"))
    .order_by(_incident.c.number.desc())
    .limit(bindparam("limit"))
)

# Imported incidents have numbers behind those that were declared before the import.
_newest_first = (_incident.c.created_at.desc(), _incident.c.number.desc())
_NEWEST = _INCIDENTS.order_by(*_newest_first).limit(bindparam("limit"))
# The incidents of the page, and the versions of their rows, which nobody is shown.
_OF_PAGE = union_all(
    *(
        narrowed(_INCIDENTS.with_only_columns(_incident.c.number, _incident.c.version))
        for narrowed in (
            lambda seen: seen.where(is_open),
            lambda seen: seen.where(_over_lately),
            # SQLite takes no order within a union.
            lambda seen: select(seen.order_by(*_newest_first).limit(bindparam("limit")).subquery()),
            lambda seen: select(
                seen.where(is_untagged, _incident.c.over_at >= bindparam("ended_since"))
                .order_by(_incident.c.over_at.desc())
                .limit(bindparam("ended"))
                .subquery()
            ),
        )
    )
)
_DECLARED = _INCIDENTS.where(
    _incident.c.created_at >= bindparam("start"), _incident.c.created_at < bindparam("end")
).order_by(*_newest_first)

_is_public = and_(
    _update.c.visibility == Visibility.PUBLIC,
    or_(
        _update.c.public_at.is_(None),
        and_(
            _update.c.public_at <= bindparam("at"),
            or_(_update.c.redacted_at.is_(None), _update.c.redacted_at >= _update.c.public_at),
        ),
    ),
)
# Of a walk, the public sees only the last step.
_is_bare_transition = and_(
    _update.c.kind.in_(TRANSITIONS), _update.c.new.is_not(None), _update.c.passed.is_not(true())
)
# The incident itself shows the new fact; the time of the change moves ``updated_at``.
_is_fact = _update.c.kind.in_(PUBLIC_FACTS)
_is_seen = or_(_update.c.kind != Kind.COMPONENTS, RETAGS_A_SHOWN_ONE)
_is_taken_back = and_(
    _update.c.visibility == Visibility.PUBLIC, _update.c.redacted_at < _update.c.public_at
)
_is_title = _update.c.kind == Kind.TITLE
_is_severity = _update.c.kind == Kind.SEVERITY
_is_timed = or_(_is_public, _is_fact)
_UPDATES = (
    select(
        _update.c.incident_id,
        _update.c.entry,
        _update.c.kind,
        _is_public.label("is_public"),
        _update.c.at,
        case((_is_timed, _update.c.public_at)).label("public_at"),
        case((_is_public, _update.c.body)).label("body"),
        case((_is_bare_transition, _update.c.new)).label("new"),
        case((_is_public, _update.c.redacted_at)).label("withdrawn_at"),
        case((_is_taken_back, _update.c.redacted_at)).label("taken_back_at"),
        or_(_is_taken_back, _update.c.visibility == Visibility.INTERNAL).label("has_no_text"),
        case((_is_title, _update.c.redacted_at)).label("title_withdrawn_at"),
        case((_is_severity, _update.c.old)).label("severity_before"),
        case((_is_severity, _update.c.new)).label("severity"),
    )
    .where(
        _update.c.workspace_id == bindparam("workspace"),
        _update.c.incident_id.in_(bindparam("incidents", expanding=True)),
        or_(_is_public, _is_bare_transition, and_(_is_fact, _is_seen)),
    )
    .order_by(_update.c.incident_id, _update.c.entry.desc())
)
_COMPONENTS = (
    select(component.c.id, component.c.name)
    .where(component.c.workspace_id == bindparam("workspace"), component.c.shown)
    .order_by(component.c.folded)
)


class PublicReader(Snapshot):
    """One snapshot of the public side of the store."""

    def incident(self, workspace: str, incident: UUID, *, at: datetime) -> PublicIncident | None:
        """The public side of one incident, None if it has none."""
        found = self._connection.execute(
            _ONE, {"workspace": workspace, "incident": incident, "at": at}
        )
        return next(iter(self._with_updates(workspace, found.all(), at)), None)

    def open_incidents(self, workspace: str, *, at: datetime) -> tuple[PublicIncident, ...]:
        """The open incidents that have a public side, newest first."""
        found = self._connection.execute(_OPEN, {"workspace": workspace, "at": at})
        return self._with_updates(workspace, found.all(), at)

    def recent_incidents(
        self, workspace: str, *, before: int | None = None, limit: int = 50, at: datetime
    ) -> tuple[PublicIncident, ...]:
        """The newest ``limit`` incidents with a public side and a number below ``before``."""
        key = NEWEST if before is None else before
        found = self._connection.execute(
            _RECENT, {"workspace": workspace, "before": key, "limit": limit, "at": at}
        )
        return self._with_updates(workspace, found.all(), at)

    def pages(self) -> tuple[PageSettings, ...]:
        """All published pages, by slug."""
        return pages.published(self._connection)

    def is_off(self, workspace: str) -> bool:
        """Whether the workspace had a page, which was taken off."""
        return pages.former(self._connection, workspace) is not None

    def page_version(
        self, *, workspace: str | None = None, slug: str | None = None
    ) -> tuple[str, int] | None:
        """The workspace and the version of a published page, found by either; None without one.

        The version rises with each write that the page may show.
        """
        found = pages.found(self._connection, workspace=workspace, slug=slug)
        return found and (found[0].workspace, found[1])

    def page_facts(
        self, workspace: str, *, at: datetime, remembered: Remembered | None = None
    ) -> PublicFacts | None:
        """All public facts of the workspace's page, None if it is not published.

        ``remembered`` are incidents of earlier facts of it, of which only changed ones are read.
        """
        found = pages.found(self._connection, workspace=workspace)
        if found is None:
            return None
        settings, _, changed_at = found
        headings = pages.groups(self._connection, workspace)
        turn = pages.next_turn(self._connection, workspace, at=at)
        return PublicFacts(
            settings=settings,
            groups=headings,
            components=pages.shown(self._connection, workspace, headings),
            incidents=self._of_page(workspace, at, turn, remembered or Remembered()),
            changed_at=changed_at,
            turns=() if turn is None else (turn,),
        )

    def hook_facts(self, workspace: str, *, at: datetime) -> PublicFacts:
        """All public facts of the workspace, whether it has published a page or not.

        Without a page the settings are a stand-in, with an empty slug.
        """
        known = self.page_facts(workspace, at=at)
        if known is not None:
            return known
        headings = pages.groups(self._connection, workspace)
        return PublicFacts(
            settings=PageSettings(
                workspace=workspace,
                slug="",
                title="",
                published_at=at,
                kept=imports.page(self._connection, workspace),
            ),
            groups=headings,
            components=pages.shown(self._connection, workspace, headings),
            incidents=self._of_page(workspace, at, None, Remembered()),
            changed_at=at,
        )

    def hooked(self, workspace: str, incident: UUID, *, at: datetime) -> PublicIncident | None:
        """One incident with the history of its components, None if it has no public side."""
        found = self.incident(workspace, incident, at=at)
        return None if found is None else self._tagged(workspace, (found,))[0]

    def history(
        self, workspace: str, *, start: datetime, end: datetime, at: datetime
    ) -> tuple[PublicIncident, ...]:
        """The incidents that were declared from ``start`` to before ``end``, newest first."""
        named = {"workspace": workspace, "start": start, "end": end, "at": at}
        rows = self._connection.execute(_DECLARED, named).all()
        return self._tagged(workspace, self._with_updates(workspace, rows, at))

    def numbered(self, workspace: str, number: int, *, at: datetime) -> PublicIncident | None:
        """One incident with the history of its components, None if it has no public side."""
        found = self.recent_incidents(workspace, before=number + 1, limit=1, at=at)
        if not found or found[0].number != number:
            return None
        return self._tagged(workspace, found)[0]

    def known_as(self, workspace: str, kept: str, *, at: datetime) -> PublicIncident | None:
        """The imported incident that keeps that id, None if it has no public side."""
        found = imports.keeper(self._connection, workspace, kept)
        return None if found is None else self.hooked(workspace, found, at=at)

    def newest(self, workspace: str, limit: int, *, at: datetime) -> tuple[PublicIncident, ...]:
        """The newest ``limit`` incidents with the history of their components, newest first."""
        named = {"workspace": workspace, "limit": limit, "at": at}
        rows = self._connection.execute(_NEWEST, named).all()
        return self._tagged(workspace, self._with_updates(workspace, rows, at))

    def _of_page(
        self, workspace: str, at: datetime, turn: datetime | None, remembered: Remembered
    ) -> tuple[PublicIncident, ...]:
        named = {
            "workspace": workspace,
            "at": at,
            "since": _day_before(at, timedelta(days=DAYS)),
            "limit": RECENT,
            "ended_since": _day_before(at, LATELY),
            "ended": LATELY_MAX + 1,
        }
        versions = {row.number: row.version for row in self._connection.execute(_OF_PAGE, named)}
        known = remembered.good(versions, self.components(workspace), at=at)
        unknown = [number for number in versions if number not in known]
        rows: Sequence[AnyRow] = ()
        if unknown:
            rows = self._connection.execute(
                _NUMBERED, {"workspace": workspace, "at": at, "numbers": unknown}
            ).all()
        read = self._tagged(workspace, self._with_updates(workspace, rows, at))
        found = known | {one.number: one for one in read}
        remembered.keep(found.values(), versions, turn=turn)
        return tuple(sorted(found.values(), key=lambda one: one.since_declared, reverse=True))

    def _tagged(
        self, workspace: str, incidents: tuple[PublicIncident, ...]
    ) -> tuple[PublicIncident, ...]:
        """``incidents`` with the components that the page shows, and their history."""
        courses = pages.tagged(self._connection, workspace, [one.id for one in incidents])
        return tuple(_with_course(one, courses.get(one.id, ())) for one in incidents)

    def components(self, workspace: str) -> tuple[Component, ...]:
        """The components of the workspace that are shown in public, by name."""
        rows = self._connection.execute(_COMPONENTS, {"workspace": workspace})
        return tuple(Component(id_, name) for id_, name in rows)

    def _with_updates(
        self, workspace: str, rows: Sequence[AnyRow], at: datetime
    ) -> tuple[PublicIncident, ...]:
        if not rows:
            return ()
        facts: dict[UUID, list[AnyRow]] = {row.id: [] for row in rows}
        named = {"workspace": workspace, "incidents": list(facts), "at": at}
        for fact in self._connection.execute(_UPDATES, named):
            facts[fact.incident_id].append(fact)
        tagged = [row.id for row in rows if row.component_count]
        components = shown_tags(self._connection, workspace, tagged)
        promised = [row.id for row in rows if row.promise_count]
        made = promises.promises_of(self._connection, workspace, promised)
        imported = [row.id for row in rows if row.imported]
        kept = imports.kept(self._connection, workspace, imported)
        return tuple(
            _public_incident(
                row,
                facts[row.id],
                components=components.get(row.id, ()),
                made=made.get(row.id, ()),
                kept=kept.get(row.id),
                lifecycle=lifecycle_of(self._connection, row.lifecycle),
                at=at,
            )
            for row in rows
        )


def _public_incident(
    row: AnyRow,
    facts: Sequence[AnyRow],
    *,
    components: tuple[Component, ...],
    made: tuple[Promise, ...],
    kept: tuple[KeptIncident, Mapping[int, KeptUpdate]] | None,
    lifecycle: Lifecycle,
    at: datetime,
) -> PublicIncident:
    past, texts = kept or (None, {})
    word, terminal = lifecycle.public_word(row.status), lifecycle.is_terminal(row.status)
    # The end is public at once. The text that comes with it, and answers the promise, may be held.
    is_over = terminal or word is PublicWord.RESOLVED
    moves = [fact for fact in facts if fact.new is not None]
    ends = frozenset(_ends(facts, lifecycle))
    # Only of public facts: the row's own time moves with a note too, and would betray it.
    said = [*_times(_since(past, facts), at), *_said(made, at)]
    updated_at = max([*said, *([past.updated_at] if past else [])])
    resolved = [fact.at for fact in moves if lifecycle.public_word(fact.new) is PublicWord.RESOLVED]
    return PublicIncident(
        id=row.id,
        workspace=row.workspace_id,
        number=row.number,
        title=PublicText(row.title),
        severity=Severity(row.severity),
        status=row.status,
        word=word,
        terminal=terminal,
        previous_status=moves[1].new if len(moves) > 1 else None,
        components=components,
        declared_at=row.created_at,
        started_at=row.started_at,
        updated_at=updated_at,
        resolved_at=(past and past.resolved_at) or min(resolved, default=None),
        next_update=None if is_over else _next_update(made, at),
        promises=tuple(_told(promise, updated_at) for promise in promised(made, at)),
        severities=_severities(row, facts),
        updates=tuple(
            _public_update(fact, lifecycle, ends=fact.entry in ends, kept=texts.get(fact.entry))
            for fact in facts
            if fact.is_public or fact.new
        ),
        kept=past,
    )


def _since(past: KeptIncident | None, facts: Sequence[AnyRow]) -> Sequence[AnyRow]:
    """Those of ``facts`` that came after an import, or were withdrawn after it."""
    imported = past.entries if past else 0
    return [fact for fact in facts if fact.entry > imported or fact.withdrawn_at]


def _severities(row: AnyRow, facts: Sequence[AnyRow]) -> tuple[tuple[datetime, Severity], ...]:
    """The severity since each of its changes. ``facts`` are newest first."""
    changes = [fact for fact in reversed(facts) if fact.severity is not None]
    first = changes[0].severity_before if changes else row.severity
    return (
        (row.started_at, Severity(first)),
        *((fact.at, Severity(fact.severity)) for fact in changes),
    )


def _with_course(
    incident: PublicIncident, course: tuple[tuple[datetime, tuple[Component, ...]], ...]
) -> PublicIncident:
    """``incident`` with the history of its components.

    Those of the declaration count from its start.
    """
    declared = course[:1] if course and course[0][0] == incident.declared_at else ()
    first = declared[0][1] if declared else ()
    return replace(
        incident,
        components=course[-1][1] if course else (),
        tags=((incident.started_at, first), *course[len(declared) :]),
    )


def _ends(facts: Sequence[AnyRow], lifecycle: Lifecycle) -> Iterator[int]:
    """The entries that end the incident without a text. ``facts`` are newest first.

    A text that was taken back may have another in its place, which then tells the end.
    """
    moves = [fact for fact in facts if fact.new is not None]
    newest_text = max((fact.entry for fact in facts if fact.is_public), default=0)
    for before, fact in zip(moves[1:], moves, strict=False):
        told = not fact.has_no_text or (fact.taken_back_at and newest_text > fact.entry)
        if not told and is_end(lifecycle, before.new, fact.new):
            yield fact.entry


def _day_before(at: datetime, span: timedelta) -> datetime:
    """The beginning of the day (UTC) that was ``span`` before ``at``."""
    return datetime.combine(at.astimezone(UTC) - span, time(), UTC)


def _next_update(made: tuple[Promise, ...], at: datetime) -> PublicPromise | None:
    promise = shown(made, at)
    if promise is None:
        return None
    return PublicPromise(promise.due_at, overdue=promise.due_at < at)


def _told(promise: Promise, at: datetime) -> ToldPromise:
    state = promise.state(at)
    late = promise.lateness if state is PromiseState.LATE else timedelta()
    return ToldPromise(due_at=promise.due_at, state=state, lateness=late)


def _said(made: tuple[Promise, ...], at: datetime) -> Iterator[datetime]:
    """The moments at which the public learnt of a promise, or of its release."""
    for promise in promised(made, at):
        moments = (promise.public_at, promise.released_at)
        yield from (moment for moment in moments if moment is not None and moment <= at)


def _times(facts: Sequence[AnyRow], at: datetime) -> Iterator[datetime]:
    """The moments at which something public changed. ``facts`` are newest first.

    A title that was replaced, or taken back, while it was held back has changed nothing.
    """
    replaced_at: datetime | None = None
    for fact in facts:
        if fact.kind == Kind.TITLE:
            public_at, ended_at = fact.public_at, fact.title_withdrawn_at or replaced_at
            replaced_at = fact.at
            if public_at is not None and (
                public_at > at or (ended_at is not None and ended_at < public_at)
            ):
                continue
        elif fact.kind == Kind.PRIVACY and fact.public_at is not None and fact.public_at > at:
            continue
        yield fact.withdrawn_at or fact.public_at or fact.at


def _public_update(
    fact: AnyRow, lifecycle: Lifecycle, *, ends: bool, kept: KeptUpdate | None
) -> PublicUpdate:
    changed_at = fact.withdrawn_at or (fact.is_public and fact.public_at) or fact.at
    return PublicUpdate(
        entry=fact.entry,
        body=None if fact.body is None else PublicText(fact.body),
        status=fact.new,
        word=None if fact.new is None else lifecycle.public_word(fact.new),
        at=fact.at,
        changed_at=max(changed_at, kept.updated_at) if kept else changed_at,
        withdrawn=fact.withdrawn_at is not None,
        ends=ends,
        held=not (fact.is_public or fact.has_no_text),
        settled_at=fact.public_at if fact.is_public else fact.taken_back_at,
        kept=kept,
    )
