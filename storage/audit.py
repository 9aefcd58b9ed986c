"""Does the store agree with itself, and what should Slack show of it? Reads, and changes nothing.

`look` replays every timeline and holds incidents, cards, outbox and kept answers against it.
`standing` says what is to be found in Slack, for whoever goes and looks.

No statement here selects a body or a description: what is said names incidents, entries and places.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, Table, and_, bindparam, exists, func, or_, select
from sqlalchemy.exc import NoResultFound

from core.engine import PUBLIC_KINDS
from core.errors import InvalidLifecycles
from core.incident import Envelope, Kind, Person, Surface, Visibility, update_id
from core.lifecycle import Lifecycle
from storage.models import (
    KEPT,
    State,
    among,
    handled,
    idempotency,
    is_kept,
    is_open,
    outbox,
    posted,
    update,
    workspace,
)
from storage.models import incident as _incident
from storage.outbox import LANES, OutboxMessage, lane
from storage.queries import TRANSITIONS, AnyRow, SqlReader, lifecycle_of, tags

# So many incidents, or messages, are read at a time: what is in memory stays this small.
PAGE = 500
# The worker is freed of what it claimed three minutes ago, and a look for that comes twice a
# minute: whatever runs so much longer than that was looked at and left.
RUNNING_MAX = timedelta(minutes=10)
# How far Slack's clock and ours may be apart, where one is held against the other.
CLOCKS_APART = timedelta(minutes=10)
_TS = re.compile(r"\d{1,11}\.\d+")

PUBLIC_SURFACES = frozenset({Surface.STATUS_CARD, Surface.PUBLIC_UPDATE, Surface.WITHDRAWAL})
ABOUT_ENTRIES = frozenset({Surface.PUBLIC_UPDATE, Surface.WITHDRAWAL})

RESTORE = "restore a backup, and report it"
REPORT = "report it"
DRAW_ANEW = "its next change posts it; report it"
WRITE_AGAIN = "write it again with `/incident update`, and report it"
DELETE = "delete that message in Slack now, and report it"
ERASE_BODIES = "run `UPDATE incident_update SET body = NULL WHERE redacted_at IS NOT NULL`"
ERASE_ANSWERS = "run `UPDATE idempotency SET body = NULL WHERE about IS NOT NULL`"
RESTART = "stop Ratchet and start it again: what was posted is looked for before it is sent again"


@dataclass(frozen=True, slots=True)
class Finding:
    """What is not as it must be. ``about`` names workspace and incident; never a text of people."""

    about: str
    what: str
    cure: str

    def __str__(self) -> str:
        return f"{self.about}: {self.what}; {self.cure}"


# --- the store against itself ----------------------------------------------------------------

_NEXT_WORKSPACE = (
    select(workspace.c.id)
    .where(workspace.c.id > bindparam("workspace"))
    .order_by(workspace.c.id)
    .limit(1)
)
_LAST_NUMBER = select(workspace.c.last_number).where(workspace.c.id == bindparam("workspace"))
_INCIDENTS = (
    select(
        _incident.c.id,
        _incident.c.number,
        _incident.c.title,
        _incident.c.severity,
        _incident.c.lifecycle,
        _incident.c.status,
        _incident.c.public_word,
        _incident.c.is_open,
        _incident.c.private,
        _incident.c.owner_id,
        _incident.c.owner_name,
        _incident.c.acknowledged_by_id,
        _incident.c.component_count,
        _incident.c.channel,
        _incident.c.channel_private,
        _incident.c.created_at,
        _incident.c.updated_at,
        _incident.c.version,
        _incident.c.last_entry,
    )
    .where(
        _incident.c.workspace_id == bindparam("workspace"),
        _incident.c.number > bindparam("after"),
    )
    .order_by(_incident.c.number)
    .limit(bindparam("limit"))
)


def _on_page(table: Table) -> ColumnElement[bool]:
    """Whether a row is about an incident of the page ``after`` … ``until`` of ``workspace``."""
    return and_(
        table.c.workspace_id == bindparam("workspace"),
        table.c.incident_id.in_(
            select(_incident.c.id).where(
                _incident.c.workspace_id == bindparam("workspace"),
                _incident.c.number > bindparam("after"),
                _incident.c.number <= bindparam("until"),
            )
        ),
    )


_ENTRIES = (
    select(
        update.c.incident_id,
        update.c.entry,
        update.c.id,
        update.c.kind,
        update.c.visibility,
        update.c.by_id,
        update.c.at,
        update.c.old,
        update.c.new,
        update.c.redacted_at,
        update.c.body.is_not(None).label("has_body"),
    )
    .where(_on_page(update))
    .order_by(update.c.incident_id, update.c.entry)
)
_PLACE_COLUMNS = (
    posted.c.incident_id,
    posted.c.surface,
    posted.c.channel,
    posted.c.entry,
    posted.c.posted_in,
    posted.c.ts,
)
_PLACES = select(*_PLACE_COLUMNS).where(_on_page(posted))
_MESSAGE_COLUMNS = (
    outbox.c.incident_id,
    outbox.c.surface,
    outbox.c.channel,
    outbox.c.entry,
    outbox.c.state,
    outbox.c.created_at,
)
_WAITING = select(*_MESSAGE_COLUMNS).where(is_kept, _on_page(outbox))
_ANSWERS = select(idempotency.c.about).where(
    idempotency.c.workspace_id == bindparam("workspace"),
    idempotency.c.about.in_(bindparam("withdrawn", expanding=True)),
    idempotency.c.body.is_not(None),
)
_LOST_PLACES = (
    select(posted.c.workspace_id, posted.c.posted_in, posted.c.ts)
    .where(
        ~exists().where(
            _incident.c.workspace_id == posted.c.workspace_id,
            _incident.c.id == posted.c.incident_id,
        )
    )
    .limit(PAGE)
)
_MESSAGES = (
    select(
        outbox.c.id,
        outbox.c.workspace_id,
        outbox.c.incident_id,
        outbox.c.entry,
        outbox.c.surface,
        outbox.c.channel,
        outbox.c.lane,
        _incident.c.number,
        _incident.c.private,
        _incident.c.channel.label("declared_in"),
        _incident.c.channel_private,
        update.c.visibility,
        update.c.redacted_at,
    )
    .select_from(
        outbox.outerjoin(
            _incident,
            and_(
                _incident.c.workspace_id == outbox.c.workspace_id,
                _incident.c.id == outbox.c.incident_id,
            ),
        ).outerjoin(
            update,
            and_(
                update.c.workspace_id == outbox.c.workspace_id,
                update.c.incident_id == outbox.c.incident_id,
                update.c.entry == outbox.c.entry,
            ),
        )
    )
    .where(outbox.c.id > bindparam("after"))
    .order_by(outbox.c.id)
    .limit(bindparam("limit"))
)
_with_number = outbox.outerjoin(
    _incident,
    and_(
        _incident.c.workspace_id == outbox.c.workspace_id,
        _incident.c.id == outbox.c.incident_id,
    ),
)
_TOGETHER = (
    select(
        outbox.c.workspace_id,
        _incident.c.number,
        outbox.c.surface,
        outbox.c.channel,
        outbox.c.entry,
        outbox.c.state,
        func.count().label("count"),
    )
    .select_from(_with_number)
    .where(is_kept)
    .group_by(
        outbox.c.workspace_id,
        _incident.c.number,
        outbox.c.lane,
        outbox.c.surface,
        outbox.c.channel,
        outbox.c.entry,
        outbox.c.state,
    )
    .having(func.count() > 1)
)
_RUNNING_TOGETHER = (
    select(outbox.c.workspace_id, _incident.c.number, func.count().label("count"))
    .select_from(_with_number)
    .where(is_kept, among(outbox.c.state, State.RUNNING))
    .group_by(outbox.c.workspace_id, _incident.c.number, outbox.c.lane)
    .having(func.count() > 1)
)
_LEFT_RUNNING = (
    select(
        outbox.c.workspace_id,
        _incident.c.number,
        outbox.c.surface,
        outbox.c.channel,
        outbox.c.claimed_at,
    )
    .select_from(_with_number)
    .where(is_kept, among(outbox.c.state, State.RUNNING), outbox.c.claimed_at < bindparam("before"))
)
_LAST_DONE = select(func.max(outbox.c.done_at))
_LAST_HANDLED = select(func.max(handled.c.at))


@dataclass(frozen=True, slots=True)
class Bookmark:
    """How far was read: incidents up to number ``after``, or messages up to the id, if ``sent``.

    ``publishes_since`` is since when the workspace is known to have had a status channel, None
    where nothing has told yet.
    """

    workspace: str = ""
    after: int = 0
    publishes_since: datetime | None = None
    sent: bool = False


def findings(reader: SqlReader) -> Iterator[Finding]:
    """What is not as it must be, incident by incident, then message by message; in one view."""
    mark: Bookmark | None = Bookmark()
    while mark:
        found, mark = look(reader, mark)
        yield from found


def look(reader: SqlReader, mark: Bookmark) -> tuple[list[Finding], Bookmark | None]:
    """The findings on the next page after ``mark``, and where to go on; None at the end.

    Each page may be read in a view of its own: a long one would keep a text that was withdrawn in
    SQLite's log, and old rows in PostgreSQL. An incident is whole on its page.
    """
    if mark.sent:
        return _look_at_messages(reader, mark)
    team = mark.workspace
    page = reader.connection.execute(
        _INCIDENTS, {"workspace": team, "after": mark.after, "limit": PAGE}
    ).all()
    if page:
        records = tuple(_records(reader, team, page, after=mark.after))
        known = [mark.publishes_since, *(_published_by(record) for record in records)]
        mark = Bookmark(team, page[-1].number, min(filter(None, known), default=None))
        return list(_page_findings(reader, team, records, mark.publishes_since)), mark
    found = []
    counted = reader.connection.execute(_LAST_NUMBER, {"workspace": team}).scalar()
    if counted not in {None, mark.after}:
        what = f"{counted} incidents were counted, and the newest is INC-{mark.after}"
        found.append(Finding(team, what, RESTORE))
    following = reader.connection.execute(_NEXT_WORKSPACE, {"workspace": team}).scalar()
    return found, Bookmark(sent=True) if following is None else Bookmark(following)


def _page_findings(
    reader: SqlReader, team: str, records: Sequence[_Record], publishes_since: datetime | None
) -> Iterator[Finding]:
    if reader.workspace(team).status_channel is None:
        publishes_since = None
    for record in records:
        number = record.row.number
        if number > record.follows + 1:
            first, last = record.follows + 1, number - 1
            what = "is missing" if first == last else f"to INC-{last} are missing"
            yield Finding(team, f"INC-{first} {what}", RESTORE)
        for what, cure in _incident_findings(record, publishes_since):
            yield Finding(f"{team} INC-{number}", what, cure)
    yield from _kept_answers(reader, team, records)


@dataclass(frozen=True, slots=True)
class _Record:
    """All that is kept of one incident, as rows: nothing in it has been believed yet.

    ``follows`` is the number of the incident before it. ``lifecycle`` is None where it cannot be
    read; ``entries`` are oldest first; ``waiting`` are the outbox messages that Slack does not have
    yet, or can never have.
    """

    row: AnyRow
    follows: int
    lifecycle: Lifecycle | None
    entries: Sequence[AnyRow]
    components: tuple[str, ...]
    places: Sequence[AnyRow]
    waiting: Sequence[AnyRow]

    def stands_or_waits(self, surface: Surface) -> set[tuple[str, int]]:
        """The channels where ``surface`` is, or will be, each with the entry; 0 for a card."""
        return {
            (row.channel, row.entry or 0)
            for row in (*self.places, *self.waiting)
            if row.surface == surface
        }


_What = tuple[str, str]  # what is wrong, and what to do


def _records(
    reader: SqlReader, team: str, page: Sequence[AnyRow], *, after: int
) -> Iterator[_Record]:
    connection = reader.connection
    here = {"workspace": team, "after": after, "until": page[-1].number}
    entries, places, waiting = (
        _by_incident(connection.execute(statement, here))
        for statement in (_ENTRIES, _PLACES, _WAITING)
    )
    tagged = tags(connection, team, [row.id for row in page])
    before = [after, *(row.number for row in page)]
    for row, follows in zip(page, before, strict=False):
        yield _Record(
            row=row,
            follows=follows,
            lifecycle=_lifecycle(reader, row.lifecycle),
            entries=entries.get(row.id, ()),
            components=tuple(component.name for component in tagged.get(row.id, ())),
            places=places.get(row.id, ()),
            waiting=waiting.get(row.id, ()),
        )


def _by_incident(rows: Iterable[AnyRow]) -> Mapping[UUID, Sequence[AnyRow]]:
    found: dict[UUID, list[AnyRow]] = {}
    for row in rows:
        found.setdefault(row.incident_id, []).append(row)
    return found


def _lifecycle(reader: SqlReader, digest: str) -> Lifecycle | None:
    try:
        return lifecycle_of(reader.connection, digest)
    except (InvalidLifecycles, NoResultFound):
        return None


def _published_by(record: _Record) -> datetime | None:
    """When there was a status channel, as the incident proves; no setting remembers since when."""
    return min(
        (
            *(entry.at for entry in record.entries if entry.visibility == Visibility.PUBLIC),
            *(row.created_at for row in record.waiting if row.surface in PUBLIC_SURFACES),
            *(
                datetime.fromtimestamp(float(row.ts), UTC) + CLOCKS_APART
                for row in record.places
                if row.surface in PUBLIC_SURFACES and _TS.fullmatch(row.ts)
            ),
        ),
        default=None,
    )


def _incident_findings(record: _Record, publishes_since: datetime | None) -> Iterator[_What]:
    if record.lifecycle is None:
        yield "its lifecycle cannot be read", RESTORE
    else:
        yield from ((what, RESTORE) for what in _moves(record, record.lifecycle))
    yield from ((what, RESTORE) for what in _entries(record))
    yield from ((what, RESTORE) for what in _facts(record))
    yield from ((what, RESTORE) for what in _people(record))
    yield from ((what, RESTORE) for what in _counts(record))
    yield from _left_texts(record)
    yield from _places(record)
    yield from _missing_cards(record, publishes_since)
    yield from _unsent(record)


def _moves(record: _Record, lifecycle: Lifecycle) -> Iterator[str]:
    """Where the timeline does not lead by legal steps to the incident as it is."""
    row = record.row
    status = None
    for entry in record.entries:
        if entry.kind not in TRANSITIONS or entry.new is None:
            continue
        legal = (lifecycle.initial,) if status is None else lifecycle.next_steps(status)
        if entry.new not in legal:
            yield f"entry {entry.entry} moved it from {status} to {entry.new}"
        if entry.old != status:
            yield f"entry {entry.entry} says it was {entry.old}, and it was {status}"
        if entry.new not in lifecycle:
            return
        status = entry.new
    if row.status != status:
        yield f"it is {row.status}, and its timeline leads to {status}"
    elif status is not None:
        if row.is_open == lifecycle.is_terminal(status):
            yield f"it is {status}, and kept as {'open' if row.is_open else 'closed'}"
        if row.public_word != lifecycle.public_word(status):
            yield f"it is {status}, and kept as {row.public_word} for the public"


def _entries(record: _Record) -> Iterator[str]:
    """Where an entry is not what entries are, each by itself."""
    row = record.row
    for expected, entry in enumerate(record.entries, 1):
        if entry.entry != expected:
            yield f"entry {expected} is missing"
            return
    if len(record.entries) != row.last_entry:
        yield f"it has {len(record.entries)} entries, and the last one is {row.last_entry}"
    for entry in record.entries:
        number = entry.entry
        if (entry.kind == Kind.DECLARED) is not (number == 1):
            yield f"entry {number} is of kind {entry.kind}"
        if entry.id != update_id(row.id, number):
            yield f"entry {number} has the id of another"
        public = entry.visibility == Visibility.PUBLIC
        if not (public or entry.visibility == Visibility.INTERNAL):
            yield f"entry {number} is neither internal nor public"
        if public and row.private:
            yield f"entry {number} is public, and the incident is private"
        says_something = entry.has_body or entry.redacted_at is not None
        if not says_something and (public or entry.kind == Kind.WROTE):
            yield f"entry {number} says nothing, and was not withdrawn"


def _facts(record: _Record) -> Iterator[str]:
    """Where a fact is not what the timeline's last word on it says, or its words disagree."""
    row = record.row
    named = ", ".join(record.components)
    for kind, what, now in (
        (Kind.SEVERITY, "severity", row.severity),
        (Kind.TITLE, "title", row.title),
        (Kind.COMPONENTS, "list of components", named),
    ):
        last = None
        for entry in record.entries:
            if entry.kind != kind:
                continue
            if last is not None and (entry.old or "") != (last.new or ""):
                yield f"entries {last.entry} and {entry.entry} disagree about its {what}"
            last = entry
        if last is not None and (last.new or "") != now:
            yield f"its {what} is not the one of entry {last.entry}"
    if row.component_count != len(record.components):
        yield f"it counts {row.component_count} components, and has {len(record.components)}"


def _people(record: _Record) -> Iterator[str]:
    row = record.row
    acknowledged = next((e for e in record.entries if e.kind == Kind.ACKNOWLEDGED), None)
    if row.acknowledged_by_id != (acknowledged and acknowledged.by_id):
        by = f"entry {acknowledged.entry}" if acknowledged else "no entry"
        yield f"it was acknowledged by {by}, and says otherwise"
    assigned = next((e for e in reversed(record.entries) if e.kind == Kind.ASSIGNED), None)
    made_owner = assigned or acknowledged
    if row.owner_id is None and made_owner:
        yield f"entry {made_owner.entry} gave it an owner, and it has none"
    elif assigned and row.owner_name != assigned.new:
        # Over the API, whoever moves it may name its owner too: one who owns it already, and has
        # been given another name by Slack since, goes by that name without an entry.
        moved = any(e.entry > assigned.entry and e.kind in TRANSITIONS for e in record.entries)
        if not moved:
            yield f"its owner is not the one of entry {assigned.entry}"


def _counts(record: _Record) -> Iterator[str]:
    """Version and times, as far as the timeline tells: what one change writes has one time."""
    row, entries = record.row, record.entries
    if not entries:
        return
    redacted = [entry.redacted_at for entry in entries if entry.redacted_at is not None]
    moments = len({entry.at for entry in entries})
    if not moments + len(redacted) <= row.version <= len(entries) + len(redacted):
        yield f"it is at version {row.version}, which its {len(entries)} entries cannot make"
    if row.created_at != entries[0].at:
        yield "it was not created when entry 1 says"
    if row.updated_at not in {entries[-1].at, *redacted}:
        yield "it was last changed when no entry says so"


def _left_texts(record: _Record) -> Iterator[_What]:
    for entry in record.entries:
        if entry.redacted_at is not None and entry.has_body:
            yield f"entry {entry.entry} was withdrawn, and its text is still kept", ERASE_BODIES


def _places(record: _Record) -> Iterator[_What]:
    """Where something stands that should not."""
    row = record.row
    public = {e.entry for e in record.entries if e.visibility == Visibility.PUBLIC}
    messages: set[tuple[str, str]] = set()
    for place in record.places:
        where = f"{place.posted_in} at {place.ts}"
        what = str(place.surface).replace("_", " ")
        if (place.posted_in, place.ts) in messages:
            yield f"two things are said to stand in {where}", RESTORE
        messages.add((place.posted_in, place.ts))
        if row.private and place.surface in PUBLIC_SURFACES:
            yield f"it is private, and its {what} stands in {where}", DELETE
        if place.surface == Surface.WORKING_CARD and not _may_show(row, place.channel):
            yield f"its {what} stands in {where}, where it must not", DELETE
        if place.surface == Surface.PUBLIC_UPDATE:
            if place.entry not in public:
                yield f"entry {place.entry} is not public, and stands in {where}", DELETE
        elif place.entry != 0 or place.surface == Surface.WITHDRAWAL:
            yield f"its {what} is said to stand in {where} as entry {place.entry}", RESTORE


def _may_show(row: AnyRow, channel: str) -> bool:
    """Whether the working card may stand in ``channel``; see `Incident.card_channel`."""
    return row.channel == channel and (row.channel_private or not row.private)


def _missing_cards(record: _Record, publishes_since: datetime | None) -> Iterator[_What]:
    """Cards that stand nowhere, and that nobody is going to post.

    The status card is posted with the first change after a status channel was set, and stays where
    it is when the channel changes.
    """
    row = record.row
    yield from _missing_cards_of_responders(record)
    if row.private:
        return
    cards = {channel for channel, _ in record.stands_or_waits(Surface.STATUS_CARD)}
    replies = {channel for channel, _ in record.stands_or_waits(Surface.PUBLIC_UPDATE)}
    for channel in sorted(replies - cards):
        yield f"it has public updates in {channel}, and no card there", DRAW_ANEW
    drawn = [entry.at for entry in record.entries if _is_drawn(entry)]
    if publishes_since and drawn and not (cards or replies) and max(drawn) >= publishes_since:
        yield "its card is not in the status channel, nor is it waiting", DRAW_ANEW


def _missing_cards_of_responders(record: _Record) -> Iterator[_What]:
    row = record.row
    if row.channel and _may_show(row, row.channel):
        if (row.channel, 0) not in record.stands_or_waits(Surface.WORKING_CARD):
            yield f"its card was neither posted to {row.channel} nor is it waiting", DRAW_ANEW
        return
    owner = Person(row.owner_id, "") if row.private and row.owner_id else None
    waits = record.stands_or_waits(Surface.OWNER_CARD)
    if owner and owner.in_slack and (owner.id, 0) not in waits:
        yield "its owner's card was neither posted nor is it waiting", DRAW_ANEW


def _is_drawn(entry: AnyRow) -> bool:
    """Whether the status card was drawn anew for ``entry``, whatever its visibility."""
    return entry.kind in PUBLIC_KINDS or (entry.kind == Kind.ACKNOWLEDGED and bool(entry.new))


def _unsent(record: _Record) -> Iterator[_What]:
    """Public updates that stand nowhere, and that nobody is going to post."""
    known = {entry for _, entry in record.stands_or_waits(Surface.PUBLIC_UPDATE)}
    for entry in record.entries:
        public = entry.visibility == Visibility.PUBLIC and entry.redacted_at is None
        if public and entry.entry not in known:
            what = f"entry {entry.entry} is public, and was neither posted nor is it waiting"
            yield what, WRITE_AGAIN


def _kept_answers(reader: SqlReader, team: str, records: Sequence[_Record]) -> Iterator[Finding]:
    """Texts that were withdrawn and live on in what is answered to a repeated request."""
    withdrawn = {
        entry.id: f"{team} INC-{record.row.number}"
        for record in records
        for entry in record.entries
        if entry.redacted_at is not None
    }
    if not withdrawn:
        return
    sought = {"workspace": team, "withdrawn": list(withdrawn)}
    for about in reader.connection.execute(_ANSWERS, sought).scalars():
        what = "a text was withdrawn, and is still kept in an answer of the API"
        yield Finding(withdrawn[about], what, ERASE_ANSWERS)


def _look_at_messages(reader: SqlReader, mark: Bookmark) -> tuple[list[Finding], Bookmark | None]:
    page = reader.connection.execute(_MESSAGES, {"after": mark.after, "limit": PAGE}).all()
    if not page:
        return [*_lost_places(reader), *_crowded_lanes(reader), *_left_running(reader)], None
    found = [Finding(_about(row), *fault) for row in page for fault in _message_findings(row)]
    return found, Bookmark(after=page[-1].id, sent=True)


def _lost_places(reader: SqlReader) -> Iterator[Finding]:
    for team, conversation, ts in reader.connection.execute(_LOST_PLACES):
        what = f"what stands at {ts} in {conversation} is about an incident that does not exist"
        yield Finding(team, what, RESTORE)


def _crowded_lanes(reader: SqlReader) -> Iterator[Finding]:
    for row in reader.connection.execute(_TOGETHER):
        # A card that can never be delivered may be followed by another such: they merge when an
        # operator sends them again. What runs is counted by the lane, whatever it shows.
        if row.state != State.RUNNING and (row.state != State.DEAD or row.entry is not None):
            what = f"{row.count} messages for {_surface(row)} in {row.channel} are {row.state}"
            yield Finding(_about(row), what, REPORT)
    for row in reader.connection.execute(_RUNNING_TOGETHER):
        what = f"{row.count} messages of one lane are being posted at once"
        yield Finding(_about(row), what, REPORT)


def _left_running(reader: SqlReader) -> Iterator[Finding]:
    """By the store's own times, so that a copy that was taken a month ago is judged as of then."""
    times = [reader.connection.execute(last).scalar() for last in (_LAST_DONE, _LAST_HANDLED)]
    seen = [time for time in times if time is not None]
    if not seen:
        return
    before = max(seen) - RUNNING_MAX
    for row in reader.connection.execute(_LEFT_RUNNING, {"before": before}):
        since = f"{row.claimed_at:%Y-%m-%d %H:%M} UTC"
        what = f"{_surface(row)} has been on its way to {row.channel} since {since}"
        yield Finding(_about(row), what, RESTART)


def _about(row: AnyRow) -> str:
    return row.workspace_id if row.number is None else f"{row.workspace_id} INC-{row.number}"


def _surface(row: AnyRow) -> str:
    name = str(row.surface).replace("_", " ")
    entry = getattr(row, "entry", None)
    return f"the {name}" if entry is None else f"the {name} of entry {entry}"


def _message_findings(row: AnyRow) -> Iterator[_What]:
    if row.number is None:
        yield f"outbox message {row.id} is about an incident that does not exist", RESTORE
        return
    if row.surface not in LANES:
        yield f"outbox message {row.id} is for no surface that there is", RESTORE
        return
    surface = Surface(row.surface)
    to = f"a message for {_surface(row)} goes to {row.channel}"
    if row.lane != lane(row.incident_id, Envelope(surface=surface, channel=row.channel)):
        yield f"{to}, in the lane of another", RESTORE
    if row.private and surface in PUBLIC_SURFACES:
        yield f"it is private, and {to}", DELETE
    if surface in ABOUT_ENTRIES:
        yield from _reply_findings(row, surface, to)
    elif row.entry is not None:
        yield f"{to}, and a card is about no entry", RESTORE
    elif surface is Surface.WORKING_CARD and not (
        row.declared_in == row.channel and (row.channel_private or not row.private)
    ):
        yield f"{to}, where it must not stand", DELETE


def _reply_findings(row: AnyRow, surface: Surface, to: str) -> Iterator[_What]:
    if row.visibility is None:
        yield f"{to}, and there is no such entry", RESTORE
    elif row.visibility != Visibility.PUBLIC:
        yield f"{to}, and that entry is not public", DELETE
    elif surface is Surface.WITHDRAWAL and row.redacted_at is None:
        yield f"{to}, and that entry was not withdrawn", RESTORE


# --- what Slack should show ------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Placed:
    """Something that must stand in Slack, at ``ts`` in ``conversation``.

    ``envelope`` is what it was posted as. ``message`` is an edit of it, for `Outbox.facts` to say
    what it would show if nothing were held back; it is in no outbox.
    """

    envelope: Envelope
    conversation: str
    ts: str
    message: OutboxMessage


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What must stand in Slack of one incident, and what tells that it has changed meanwhile.

    ``titles`` are all that it ever had: a reply keeps the one of its time. ``withdrawn`` are
    entries. ``busy`` holds the envelopes' channels and lanes in which something waits, is being
    posted or can never be delivered: what stands there need not be what is true.
    """

    incident: UUID
    name: str
    version: int
    titles: tuple[str, ...]
    withdrawn: frozenset[int]
    placed: tuple[Placed, ...]
    busy: frozenset[tuple[str, str]]

    def is_busy(self, envelope: Envelope) -> bool:
        """Whether what stands in the place of ``envelope`` is about to be changed."""
        return (LANES[envelope.surface], envelope.channel) in self.busy


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivered:
    """What a message was that Slack has, for as long as the outbox remembers it.

    ``order`` is that in which messages were due: one that an operator sends again comes later.
    """

    incident: UUID
    envelope: Envelope
    order: tuple[datetime, int]


_recent = and_(
    _incident.c.workspace_id == bindparam("workspace"),
    or_(is_open, _incident.c.updated_at >= bindparam("since")),
)
_COUNT_RECENT = select(func.count()).select_from(_incident).where(_recent)
_RECENT = (
    select(_incident.c.id)
    .where(_recent)
    .order_by(_incident.c.updated_at.desc(), _incident.c.number.desc())
    .limit(bindparam("limit"))
)
_of_one = {
    table.name: and_(
        table.c.workspace_id == bindparam("workspace"),
        table.c.incident_id == bindparam("incident"),
    )
    for table in (posted, outbox, update)
}
_ONE = select(_incident.c.number, _incident.c.title, _incident.c.version).where(
    _incident.c.workspace_id == bindparam("workspace"), _incident.c.id == bindparam("incident")
)
_PLACES_OF_ONE = (
    select(*_PLACE_COLUMNS)
    .where(_of_one[posted.name])
    .order_by(posted.c.channel, posted.c.surface, posted.c.entry)
)
_BUSY_OF_ONE = select(outbox.c.surface, outbox.c.channel).where(is_kept, _of_one[outbox.name])
_TITLES_OF_ONE = select(update.c.old, update.c.new).where(
    _of_one[update.name], update.c.kind == Kind.TITLE
)
_WITHDRAWN_OF_ONE = select(update.c.entry).where(
    _of_one[update.name], update.c.redacted_at.is_not(None)
)
_DELIVERED = select(
    outbox.c.uid,
    outbox.c.incident_id,
    outbox.c.surface,
    outbox.c.channel,
    outbox.c.entry,
    outbox.c.due_at,
    outbox.c.id,
).where(
    outbox.c.workspace_id == bindparam("workspace"),
    outbox.c.incident_id.in_(bindparam("incidents", expanding=True)),
    outbox.c.state.not_in(KEPT),
)


def recent(
    reader: SqlReader, workspace: str, *, since: datetime, limit: int
) -> tuple[int, tuple[UUID, ...]]:
    """How many incidents are open or were changed since ``since``, and the last ``limit`` of them.

    Those that changed last come first.
    """
    sought = {"workspace": workspace, "since": since, "limit": limit}
    count = reader.connection.execute(_COUNT_RECENT, sought).scalar_one()
    return count, tuple(reader.connection.execute(_RECENT, sought).scalars())


def delivered(
    reader: SqlReader, workspace: str, incidents: Sequence[UUID]
) -> Mapping[UUID, Delivered]:
    """What Slack has of ``incidents``, by the id in the message's metadata."""
    sought = {"workspace": workspace, "incidents": incidents}
    return {
        row.uid: Delivered(
            incident=row.incident_id,
            envelope=Envelope(surface=Surface(row.surface), channel=row.channel, entry=row.entry),
            order=(row.due_at, row.id),
        )
        for row in reader.connection.execute(_DELIVERED, sought)
        if row.surface in LANES
    }


def standing(reader: SqlReader, workspace: str, incident: UUID) -> Standing | None:
    """What must stand in Slack of ``incident``, None where there is no such incident."""
    named = {"workspace": workspace, "incident": incident}
    row = reader.connection.execute(_ONE, named).first()
    if row is None:
        return None
    former = [title for pair in reader.connection.execute(_TITLES_OF_ONE, named) for title in pair]
    return Standing(
        incident=incident,
        name=f"INC-{row.number}",
        version=row.version,
        titles=tuple(dict.fromkeys([row.title, *filter(None, former)])),
        withdrawn=frozenset(reader.connection.execute(_WITHDRAWN_OF_ONE, named).scalars()),
        placed=tuple(
            _placed(workspace, place)
            for place in reader.connection.execute(_PLACES_OF_ONE, named)
            if place.surface in LANES
        ),
        busy=frozenset(
            (LANES[Surface(surface)], channel)
            for surface, channel in reader.connection.execute(_BUSY_OF_ONE, named)
            if surface in LANES
        ),
    )


def _placed(workspace: str, place: AnyRow) -> Placed:
    surface, entry = Surface(place.surface), place.entry or None
    at_last = datetime.max.replace(tzinfo=UTC)
    message = OutboxMessage(
        id=0,
        uid=UUID(int=0),
        workspace=workspace,
        incident=place.incident_id,
        entry=entry,
        surface=surface,
        channel=place.channel,
        state=State.DELIVERED,
        attempts=0,
        due_at=at_last,
        try_at=at_last,
        claimed_by=None,
        error=None,
        unsure=False,
        created_at=at_last,
    )
    envelope = Envelope(surface=surface, channel=place.channel, entry=entry)
    return Placed(envelope, place.posted_in, place.ts, message)
