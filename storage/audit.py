"""Does the store agree with itself? `look` checks incidents, cards, outbox and kept answers.

It replays every timeline, and changes nothing. No statement here selects a body or a description.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Table,
    and_,
    bindparam,
    case,
    exists,
    func,
    literal,
    null,
    select,
)
from sqlalchemy.exc import NoResultFound

from core.decision import ABOUT_CHANNELS, NOTICES
from core.errors import InvalidFile
from core.incident import Kind
from core.lifecycle import Lifecycle
from storage import imports
from storage.findings import about, incident_findings, message_findings, missing, surface_name
from storage.models import (
    State,
    among,
    handled,
    idempotency,
    is_kept,
    outbox,
    own_channel,
    posted,
    update,
    workspace,
)
from storage.models import incident as _incident
from storage.numbers import skipped_in
from storage.own_channels import channels_of
from storage.promises import promises_of
from storage.queries import SqlReader
from storage.records import ERASE_ANSWERS, REPORT, RESTART, RESTORE, Finding, Record
from storage.rows import AnyRow, lifecycle_of, tags
from storage.snapshot import connection_of
from storage.unsent import published_by

# So many incidents, or messages, are in memory at a time.
PAGE_SIZE = 500
# A claim ends after three minutes, and a job that frees ended claims runs twice a minute. A message
# that runs for so much longer was left by that job.
RUNNING_MAX = timedelta(minutes=10)

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
        _incident.c.promise_count,
        _incident.c.channel_count,
        _incident.c.next_update_by,
        _incident.c.channel,
        _incident.c.channel_private,
        _incident.c.imported,
        _incident.c.created_at,
        _incident.c.updated_at,
        _incident.c.version,
        _incident.c.last_entry,
        _incident.c.description.is_not(None).label("has_description"),
        _incident.c.category.is_not(None).label("has_category"),
    )
    .where(
        _incident.c.workspace_id == bindparam("workspace"),
        _incident.c.number > bindparam("after"),
    )
    .order_by(_incident.c.number)
    .limit(bindparam("limit"))
)


def _on_page(table: Table) -> ColumnElement[bool]:
    """Whether a row is about an incident with a number above ``after``, to ``until``."""
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


# Of a change of the description ``old`` is a description.
_shown_old = case((update.c.kind != Kind.DESCRIPTION, update.c.old), else_=null())
_ENTRIES = (
    select(
        update.c.incident_id,
        update.c.entry,
        update.c.id,
        update.c.kind,
        update.c.visibility,
        update.c.by_id,
        update.c.at,
        update.c.public_at,
        _shown_old.label("old"),
        update.c.old.is_not(None).label("has_old"),
        update.c.new,
        update.c.redacted_at,
        update.c.next_update_by,
        update.c.withdrawn,
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
    .limit(PAGE_SIZE)
)
_changed = update.alias("changed")
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
        update.c.kind,
        update.c.old,
        exists()
        .where(
            _changed.c.workspace_id == outbox.c.workspace_id,
            _changed.c.incident_id == outbox.c.incident_id,
            _changed.c.kind == Kind.PRIVACY,
        )
        .label("changed_sides"),
        *(
            exists()
            .where(
                own_channel.c.workspace_id == outbox.c.workspace_id,
                own_channel.c.incident_id == outbox.c.incident_id,
                own_channel.c.channel == outbox.c.channel,
                own_channel.c.private == literal(private),
            )
            .label(f"in_{'private' if private else 'public'}_channel")
            for private in (True, False)
        ),
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
    """The position of the audit: the incident with the number ``after``, or a message's id.

    ``is_outbox``: the incidents are done, and ``after`` is the id of a message.
    ``publishes_since`` is the first proof of a status channel in the workspace, None before it.
    """

    workspace: str = ""
    after: int = 0
    publishes_since: datetime | None = None
    is_outbox: bool = False


def findings(reader: SqlReader, *, page_size: int = PAGE_SIZE) -> Iterator[Finding]:
    """All findings in one snapshot: incident by incident, then message by message."""
    mark: Bookmark | None = Bookmark()
    while mark:
        found, mark = look(reader, mark, page_size=page_size)
        yield from found


def look(
    reader: SqlReader, mark: Bookmark, *, page_size: int = PAGE_SIZE
) -> tuple[list[Finding], Bookmark | None]:
    """The findings on the page after ``mark``, and the next mark; None at the end.

    Each page may be read in a snapshot of its own: one long snapshot would keep a withdrawn text in
    SQLite's log, and dead rows in PostgreSQL. All rows of an incident are on one page.
    """
    if mark.is_outbox:
        return _look_at_messages(reader, mark, page_size)
    team = mark.workspace
    page = (
        connection_of(reader)
        .execute(_INCIDENTS, {"workspace": team, "after": mark.after, "limit": page_size})
        .all()
    )
    if page:
        records = tuple(_records(reader, team, page, after=mark.after))
        workspace = reader.workspace(team)
        elsewhere = workspace.page or workspace.subscriptions is not None
        proofs = (published_by(record, elsewhere=elsewhere) for record in records)
        known = [mark.publishes_since, *proofs]
        mark = Bookmark(team, page[-1].number, min(filter(None, known), default=None))
        return list(_page_findings(reader, team, records, mark.publishes_since)), mark
    found = []
    counted = connection_of(reader).execute(_LAST_NUMBER, {"workspace": team}).scalar()
    skipped = skipped_in(reader, team)
    if counted is not None and (
        counted < mark.after or any(missing(mark.after + 1, counted, skipped))
    ):
        text = f"{counted} incidents were counted, and the newest is INC-{mark.after}"
        found.append(Finding(team, text, RESTORE))
    following = connection_of(reader).execute(_NEXT_WORKSPACE, {"workspace": team}).scalar()
    return found, Bookmark(is_outbox=True) if following is None else Bookmark(following)


def _page_findings(
    reader: SqlReader, team: str, records: Sequence[Record], publishes_since: datetime | None
) -> Iterator[Finding]:
    if reader.workspace(team).status_channel is None:
        publishes_since = None
    skipped = skipped_in(reader, team)
    for record in records:
        number = record.row.number
        for first, last in missing(record.follows + 1, number - 1, skipped):
            text = "is missing" if first == last else f"to INC-{last} are missing"
            yield Finding(team, f"INC-{first} {text}", RESTORE)
        for text, cure in incident_findings(record, publishes_since):
            yield Finding(f"{team} INC-{number}", text, cure)
    yield from _kept_answers(reader, team, records)


def _records(
    reader: SqlReader, team: str, page: Sequence[AnyRow], *, after: int
) -> Iterator[Record]:
    connection = connection_of(reader)
    here = {"workspace": team, "after": after, "until": page[-1].number}
    entries, places, waiting = (
        _by_incident(connection.execute(statement, here))
        for statement in (_ENTRIES, _PLACES, _WAITING)
    )
    tagged = tags(connection, team, [row.id for row in page])
    promised = promises_of(connection, team, [row.id for row in page])
    channels = channels_of(connection, team, [row.id for row in page])
    kept = imports.kept(connection, team, [row.id for row in page])
    workspace = reader.workspace(team)
    subscriptions = () if workspace.subscriptions is None else reader.subscriptions(team)
    before = [after, *(row.number for row in page)]
    for row, follows in zip(page, before, strict=False):
        yield Record(
            row=row,
            follows=follows,
            lifecycle=_lifecycle(reader, row.lifecycle),
            entries=entries.get(row.id, ()),
            components=tuple(component.name for component in tagged.get(row.id, ())),
            places=places.get(row.id, ()),
            waiting=waiting.get(row.id, ()),
            promises=promised.get(row.id, ()),
            channels=channels.get(row.id, ()),
            kept=kept.get(row.id),
            tagged=tagged.get(row.id, ()),
            subscriptions=subscriptions,
            status_channel=workspace.status_channel,
        )


def _by_incident(rows: Iterable[AnyRow]) -> Mapping[UUID, Sequence[AnyRow]]:
    found: dict[UUID, list[AnyRow]] = {}
    for row in rows:
        found.setdefault(row.incident_id, []).append(row)
    return found


def _lifecycle(reader: SqlReader, digest: str) -> Lifecycle | None:
    try:
        return lifecycle_of(connection_of(reader), digest)
    except (InvalidFile, NoResultFound):
        return None


def _kept_answers(reader: SqlReader, team: str, records: Sequence[Record]) -> Iterator[Finding]:
    """Withdrawn texts that are still in kept answers of the API."""
    withdrawn = {
        entry.id: f"{team} INC-{record.row.number}"
        for record in records
        for entry in record.entries
        if entry.redacted_at is not None
    }
    if not withdrawn:
        return
    sought = {"workspace": team, "withdrawn": list(withdrawn)}
    for answered in connection_of(reader).execute(_ANSWERS, sought).scalars():
        text = "a text was withdrawn, and is still kept in an answer of the API"
        yield Finding(withdrawn[answered], text, ERASE_ANSWERS)


def _look_at_messages(
    reader: SqlReader, mark: Bookmark, page_size: int
) -> tuple[list[Finding], Bookmark | None]:
    asked = {"after": mark.after, "limit": page_size}
    page = connection_of(reader).execute(_MESSAGES, asked).all()
    if not page:
        return [*_lost_places(reader), *_crowded_lanes(reader), *_left_running(reader)], None
    found = [Finding(about(row), *problem) for row in page for problem in message_findings(row)]
    return found, Bookmark(after=page[-1].id, is_outbox=True)


def _lost_places(reader: SqlReader) -> Iterator[Finding]:
    for team, conversation, ts in connection_of(reader).execute(_LOST_PLACES):
        text = f"the post at {ts} in {conversation} is about an incident that does not exist"
        yield Finding(team, text, RESTORE)


def _crowded_lanes(reader: SqlReader) -> Iterator[Finding]:
    for row in connection_of(reader).execute(_TOGETHER):
        # Each delivery about a channel does only what is missing then, so there may be several.
        if row.surface in ABOUT_CHANNELS:
            continue
        # Several dead edits of one card are allowed: they merge when an operator retries them.
        # Running messages are counted by lane below, for all surfaces together. A question to a new
        # owner follows every change, a nudge follows its promise, and their edits do not merge.
        if row.surface in NOTICES:
            continue
        if row.state != State.RUNNING and (row.state != State.DEAD or row.entry is not None):
            text = f"{row.count} messages for {surface_name(row)} in {row.channel} are {row.state}"
            yield Finding(about(row), text, REPORT)
    for row in connection_of(reader).execute(_RUNNING_TOGETHER):
        text = f"{row.count} messages of one lane are being posted at once"
        yield Finding(about(row), text, REPORT)


def _left_running(reader: SqlReader) -> Iterator[Finding]:
    """Messages of dead workers. An old copy is judged by its own newest times, not by the clock."""
    times = [connection_of(reader).execute(last).scalar() for last in (_LAST_DONE, _LAST_HANDLED)]
    seen = [time for time in times if time is not None]
    if not seen:
        return
    before = max(seen) - RUNNING_MAX
    for row in connection_of(reader).execute(_LEFT_RUNNING, {"before": before}):
        since = f"{row.claimed_at:%Y-%m-%d %H:%M} UTC"
        text = f"{surface_name(row)} has been on its way to {row.channel} since {since}"
        yield Finding(about(row), text, RESTART)
