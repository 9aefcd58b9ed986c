"""Outbox messages that a change writes, in its own transaction: with the change or not at all."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from operator import itemgetter
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import (
    ColumnElement,
    CompoundSelect,
    Connection,
    Update,
    bindparam,
    case,
    or_,
    select,
    true,
    union,
    update,
)

from core.audience import may_be_told
from core.decision import ABOUT_PROMISES, TELLING, Decision, Envelope, Published, Surface
from core.incident import OWNERS, Incident, Kind, Visibility, is_end
from core.incident import Update as Entry
from core.promise import Stage
from core.withdrawing import CORRECTION_WINDOW
from storage.messages import PEOPLE, PUBLIC_SURFACES, OutboxMessage, lane
from storage.models import (
    State,
    among,
    is_available,
    is_kept,
    is_waiting_card,
    kept,
    outbox,
    posted,
    promise,
)
from storage.models import incident as _incident
from storage.models import update as _update
from storage.statements import Prepared, upsert


def later_of(one: ColumnElement[Any], other: ColumnElement[Any]) -> ColumnElement[Any]:
    """The later of two moments; ``one`` if ``other`` is NULL."""
    return case((other > one, other), else_=one)


def _enqueue(insert: Any) -> Prepared:
    insertion = insert(outbox)
    # A waiting card will show this change as well, because it is rendered when its turn comes.
    # On PostgreSQL the DO UPDATE (rather than DO NOTHING) locks its row until we commit, so that
    # no worker claims and renders it without this change. Replies and withdrawals never conflict:
    # the index covers only cards.
    return Prepared(
        insertion.on_conflict_do_update(
            index_elements=[outbox.c.lane, outbox.c.surface],
            index_where=is_waiting_card,
            # It shows the texts that are public by then, and this change may publish one later.
            set_={"try_at": later_of(outbox.c.try_at, insertion.excluded.try_at)},
        )
    )


_ENQUEUE = upsert(_enqueue)
_IN_CHANNELS, _TO_CHANNELS = (
    select(table.c.channel).where(
        table.c.workspace_id == bindparam("workspace"),
        table.c.incident_id == bindparam("incident"),
        table.c.surface == Surface.PUBLIC_UPDATE,
        table.c.entry == bindparam("entry"),
    )
    for table in (posted, outbox)
)
# Locked until we commit, so that no worker claims a withdrawn update and reads its text.
_ON_THEIR_WAY_TO = _TO_CHANNELS.where(is_kept).with_for_update()


def _posts(surface: Surface, *columns: str) -> CompoundSelect[Any]:
    """The ``columns`` of an incident's posts on ``surface``, delivered or on their way."""
    return union(
        *(
            select(*(table.c[name] for name in columns)).where(
                table.c.workspace_id == bindparam("workspace"),
                table.c.incident_id == bindparam("incident"),
                table.c.surface == surface,
                still,
            )
            for table, still in ((posted, true()), (outbox, is_kept))
        )
    )


_REPLIES = _posts(Surface.PUBLIC_UPDATE, "channel", "entry")
_STATUS_CARD_IN = _posts(Surface.STATUS_CARD, "channel")
# Locked until we commit, so that no worker claims a message and reads what is public no longer.
_ON_THEIR_WAY = (
    select(outbox.c.id)
    .where(
        outbox.c.workspace_id == bindparam("workspace"),
        outbox.c.incident_id == bindparam("incident"),
        is_kept,
    )
    .with_for_update()
)
_MOMENT = bindparam("moment", type_=outbox.c.try_at.type)


def _due(
    moment: Callable[[ColumnElement[Any]], ColumnElement[Any]], *conditions: ColumnElement[bool]
) -> Update:
    """Gives the waiting messages of an incident with these ``conditions`` another ``moment``."""
    return (
        update(outbox)
        .where(
            outbox.c.workspace_id == bindparam("of_workspace"),
            outbox.c.incident_id == bindparam("of_incident"),
            is_available,
            *conditions,
        )
        .values(try_at=moment(outbox.c.try_at), due_at=moment(outbox.c.due_at))
    )


def _then(_: ColumnElement[Any]) -> ColumnElement[Any]:
    return _MOMENT


def _not_before(due: ColumnElement[Any]) -> ColumnElement[Any]:
    return later_of(due, _MOMENT)


_IN_PUBLIC = outbox.c.surface.in_(PUBLIC_SURFACES)
# A private incident shows nothing in public: what waits there is due now, and is drawn without it.
_AT_ONCE = _due(_then, outbox.c.surface.in_(PUBLIC_SURFACES | TELLING), outbox.c.try_at > _MOMENT)
# Replies of an incident without a public title wait for it: they are drawn as of their own time.
_WAIT_FOR_TITLE = _due(_not_before, _IN_PUBLIC)
# The withdrawal waits behind its reply.
_ABOUT_THE_END = outbox.c.surface.in_((Surface.PUBLIC_UPDATE, Surface.WITHDRAWAL))
# What tells an end in public without its text: Slack has it, may have it, or is about to get it.
# Locked until we commit, so that no worker claims it in between.
_END_IN_PUBLIC = (
    select(outbox.c.state, outbox.c.unsure)
    .where(
        outbox.c.workspace_id == bindparam("workspace"),
        outbox.c.incident_id == bindparam("incident"),
        outbox.c.surface == Surface.PUBLIC_UPDATE,
        outbox.c.entry == bindparam("entry"),
    )
    .with_for_update()
)
# The short reply about an end whose text was taken back waits for another text by its author.
_WAIT_FOR_TEXT = _due(_then, _ABOUT_THE_END, outbox.c.entry == bindparam("of_entry"))
# Once there is one, that reply is drawn with it: neither waits for the other, and nothing of the
# end is posted before.
_WAIT_FOR_CORRECTION = _due(
    _then,
    _ABOUT_THE_END,
    outbox.c.entry == bindparam("of_entry"),
    outbox.c.try_at >= bindparam("written", type_=outbox.c.try_at.type),
)
_WAIT_NO_LONGER = _due(
    _then,
    _ABOUT_THE_END,
    outbox.c.entry.in_(
        select(_update.c.entry).where(
            _update.c.workspace_id == bindparam("of_workspace"),
            _update.c.incident_id == bindparam("of_incident"),
            _update.c.redacted_at < _update.c.public_at,
        )
    ),
    outbox.c.try_at > _MOMENT,
)


# The nudges about promises that Slack has, and those that it is about to get.
_NUDGES, _NUDGES_TO_COME = (
    select(table.c.surface, table.c.channel, table.c.entry).where(
        table.c.workspace_id == bindparam("workspace"),
        table.c.incident_id == bindparam("incident"),
        table.c.surface.in_(sorted(ABOUT_PROMISES)),
        table.c.entry.in_(bindparam("entries", expanding=True)),
        still,
    )
    for table, still in ((posted, true()), (outbox, is_kept))
)


# The nudges to people that Slack has, about promises that nothing has answered or ended. They name
# the title and the status.
_OPEN_NUDGES = select(posted.c.surface, posted.c.channel, posted.c.entry).where(
    posted.c.workspace_id == bindparam("workspace"),
    posted.c.incident_id == bindparam("incident"),
    posted.c.surface.in_(sorted(ABOUT_PROMISES)),
    or_(*(posted.c.channel.startswith(letter) for letter in PEOPLE)),
    posted.c.entry.in_(
        select(promise.c.entry).where(
            promise.c.workspace_id == bindparam("workspace"),
            promise.c.incident_id == bindparam("incident"),
            promise.c.answered_at.is_(None),
            promise.c.released_at.is_(None),
        )
    ),
)


def _redraw_nudges(connection: Connection, decision: Decision) -> None:
    """Writes an edit of each nudge about a promise that is over by ``decision``, or is no more.

    One to a person is edited with every other change, too: it names what may have changed.
    Behind one that is still on its way: it may leave before it can see that. One whose promise is
    in force again is edited where it is, and posted nowhere.
    """
    incident = decision.incident
    nudged = {one.entry: one for one in decision.promises if one.stage is not Stage.MADE}
    about = {"workspace": incident.workspace, "incident": incident.id}
    # A note shows nowhere in them, and without a promise in force there is none.
    shows = any(one.kind is not Kind.WROTE for one in (*decision.updates, decision.redacted) if one)
    in_force = shows and incident.next_update_by
    there = set(map(tuple, connection.execute(_OPEN_NUDGES, about))) if in_force else set()
    if not (nudged or there):
        return
    named = {**about, "entries": list(nudged)}
    there |= set(map(tuple, connection.execute(_NUDGES, named)))
    to_come = set(map(tuple, connection.execute(_NUDGES_TO_COME, named)))
    over = {nudge for nudge in to_come if nudged[nudge[2]].over_at}
    edits = [
        Envelope(
            surface=Surface(surface),
            channel=channel,
            entry=entry,
            not_before=nudged[entry].over_at if entry in nudged else None,
        )
        for surface, channel, entry in sorted(there | over)
    ]
    enqueue_all(connection, incident, edits, at=incident.updated_at)


# The messages of an incident that tell of it: those that Slack has, and all of the last days.
_TELLING_THERE, _TELLING_LATELY = (
    select(table.c.surface, table.c.channel, table.c.entry, *columns).where(
        table.c.workspace_id == bindparam("workspace"),
        table.c.incident_id == bindparam("incident"),
        among(table.c.surface, *sorted(TELLING)),
    )
    for table, columns in ((posted, ()), (outbox, (outbox.c.state, outbox.c.created_at)))
)
# What may take an incident from the sight of a person.
_OTHER_READERS = frozenset({Kind.PRIVACY, Kind.UNINVITED, Kind.ACKNOWLEDGED, *OWNERS})


def _redraw_told(connection: Connection, decision: Decision) -> None:
    """Writes an edit of each message that tells others than the present readers of an incident.

    It says no more then than that the incident is not public. Once that is public again, it tells
    of it as before.
    """
    incident = decision.incident
    kinds = {one.kind for one in decision.updates}
    if not kinds & _OTHER_READERS or not (incident.private or Kind.PRIVACY in kinds):
        return
    about = {"workspace": incident.workspace, "incident": incident.id}
    messages: dict[tuple[str, str, int], dict[str, Any]] = {}
    for *place, state, written in (
        connection.execute(_TELLING_LATELY, about) if incident.private else ()
    ):
        # Without a place it is searched for: earlier versions kept the places of few.
        lost = {"unsure": True, "created_at": written} if state == State.DELIVERED else {}
        messages[tuple(place)] = lost
    messages |= {tuple(place): {} for place in connection.execute(_TELLING_THERE, about)}
    held = incident.title_public_at
    rows = []
    for (surface, channel, entry), lost in sorted(messages.items(), key=itemgetter(0)):
        if not (incident.private and may_be_told(incident, channel)):
            edit = Envelope(surface=Surface(surface), channel=channel, entry=entry, not_before=held)
            rows.append(
                {**_row(incident.workspace, incident.id, edit, at=incident.updated_at), **lost}
            )
    if rows:
        _ENQUEUE[connection.dialect.name].run(connection, *rows)


_DECLARER = select(_incident.c.declared_by_id).where(
    _incident.c.workspace_id == bindparam("workspace"), _incident.c.id == bindparam("incident")
)
# Direct messages that link to the card. One that Slack refused stays refused.
_WITH_LINK = union(
    *(
        select(table.c.surface, table.c.channel, table.c.entry).where(
            table.c.workspace_id == bindparam("workspace"),
            table.c.incident_id == bindparam("incident"),
            table.c.surface.in_((Surface.OWNER_CARD, Surface.HAND_OVER)),
            still,
        )
        for table, still in ((posted, true()), (outbox, kept(outbox, State.RUNNING)))
    )
)


def redraw_links(connection: Connection, message: OutboxMessage, *, at: datetime) -> None:
    """Writes edits of the direct messages that were drawn before the card of ``message`` was there.

    They link to it. In Slack nobody hands over an incident before its card is there.
    """
    named = {"workspace": message.workspace, "incident": message.incident}
    if connection.execute(_DECLARER, named).scalar_one().startswith(PEOPLE):
        return
    # A card is about no entry: `posted` has 0, the outbox NULL.
    found = {(row[0], row[1], row[2] or 0) for row in connection.execute(_WITH_LINK, named)}
    edits = [
        Envelope(surface=Surface(surface), channel=channel, entry=entry or None)
        for surface, channel, entry in sorted(found)
    ]
    enqueue_of(connection, message.workspace, message.incident, edits, at=at)


_OWNER_LEFT = _posts(Surface.OWNER_LEFT, "channel", "entry")


def _may_lead(decision: Decision) -> bool:
    """Whether somebody else may lead since ``decision``, or nobody has to."""
    led = {Kind.ACKNOWLEDGED, *OWNERS}
    return decision.incident.terminal or any(one.kind in led for one in decision.updates)


def redraw_owner_left(connection: Connection, incident: Incident, *, at: datetime) -> None:
    """Writes an edit of each word that nobody leads ``incident``: it says who does now."""
    named = {"workspace": incident.workspace, "incident": incident.id}
    edits = [
        Envelope(surface=Surface.OWNER_LEFT, channel=channel, entry=entry)
        for channel, entry in sorted(map(tuple, connection.execute(_OWNER_LEFT, named)))
    ]
    enqueue_all(connection, incident, edits, at=at)


def enqueue(connection: Connection, decision: Decision) -> None:
    """Writes the messages of ``decision``; a card merges into one that waits already."""
    incident = decision.incident
    enqueue_all(connection, incident, decision.envelopes, at=incident.updated_at)
    _redraw_nudges(connection, decision)
    if incident.left_owner and _may_lead(decision):
        redraw_owner_left(connection, incident, at=incident.updated_at)
    _redraw_told(connection, decision)
    named = {"of_workspace": incident.workspace, "of_incident": incident.id}
    if any(one.kind is Kind.PRIVACY and incident.private for one in decision.updates):
        connection.execute(_AT_ONCE, {**named, "moment": incident.updated_at})
    _let_ends_wait(connection, decision, named)
    held_until = incident.title_public_at
    if held_until and held_until > incident.updated_at and incident.title_before is None:
        connection.execute(_WAIT_FOR_TITLE, {**named, "moment": held_until})


def _let_ends_wait(connection: Connection, decision: Decision, named: dict[str, Any]) -> None:
    incident, redacted = decision.incident, decision.redacted
    if (
        redacted
        and redacted.redacted_at
        and redacted.taken_back
        and is_end(incident.lifecycle, redacted.old, redacted.status_change)
    ):
        until = redacted.redacted_at + CORRECTION_WINDOW
        asked = {**named, "of_entry": redacted.entry, "moment": until}
        connection.execute(_WAIT_FOR_TEXT, asked)
    for written in decision.updates:
        until = written.public_at or written.at
        if written.visibility is Visibility.PUBLIC:
            connection.execute(_WAIT_NO_LONGER, {**named, "moment": until})
        if written.kind is Kind.CORRECTED and written.old:
            of = {**named, "of_entry": int(written.old), "written": written.at, "moment": until}
            connection.execute(_WAIT_FOR_CORRECTION, of)


def enqueue_all(
    connection: Connection, incident: Incident, envelopes: Iterable[Envelope], *, at: datetime
) -> None:
    """Writes a message for each of ``envelopes``, as of the moment ``at``."""
    enqueue_of(connection, incident.workspace, incident.id, envelopes, at=at)


def published(connection: Connection, incident: Incident) -> Published:
    """All posts of ``incident`` in public, delivered or on their way."""
    named = {"workspace": incident.workspace, "incident": incident.id}
    connection.execute(_ON_THEIR_WAY, named).all()
    return Published(
        cards=cards_of(connection, incident.workspace, incident.id),
        replies=tuple(
            sorted((channel, entry) for channel, entry in connection.execute(_REPLIES, named))
        ),
    )


def cards_of(connection: Connection, workspace: str, incident: UUID) -> tuple[str, ...]:
    """The channels that have the incident's status card, or will have it."""
    named = {"workspace": workspace, "incident": incident}
    return tuple(sorted(connection.execute(_STATUS_CARD_IN, named).scalars()))


def is_told(connection: Connection, incident: Incident, withdrawn: Entry) -> bool:
    """Whether the short reply that stands for the ``withdrawn`` text has left, or is leaving.

    The lock on its row settles who was first: a worker, or another text by the author.
    """
    if not withdrawn.taken_back or not is_end(
        incident.lifecycle, withdrawn.old, withdrawn.status_change
    ):
        return False
    named = {
        "workspace": incident.workspace,
        "incident": incident.id,
        "entry": withdrawn.entry,
    }
    rows = connection.execute(_END_IN_PUBLIC, named).all()
    left = (State.RUNNING, State.DELIVERED)
    return any(row.state in left or row.unsure for row in rows)


def redraw_status_cards(
    connection: Connection, workspace: str, incident: UUID, *, at: datetime
) -> None:
    """Writes an edit of the incident's status card, in each channel that has or will have one."""
    _redraw(connection, workspace, incident, cards_of(connection, workspace, incident), at=at)


def redraw_beside(connection: Connection, message: OutboxMessage, *, at: datetime) -> None:
    """Writes edits of the status cards that no other message has edited: they show its text now.

    They need not be in its channel: the status channel may be another one by now. Where a reply of
    its own tells the same, that one has the card edited.
    """
    entry = {
        "workspace": message.workspace,
        "incident": message.incident,
        "entry": message.entry,
    }
    replies = {
        channel
        for statement in (_TO_CHANNELS, _IN_CHANNELS)
        for channel in connection.execute(statement, entry).scalars()
    }
    cards = cards_of(connection, message.workspace, message.incident)
    beside = (one for one in cards if one == message.channel or one not in replies)
    _redraw(connection, message.workspace, message.incident, beside, at=at)


def _redraw(
    connection: Connection,
    workspace: str,
    incident: UUID,
    channels: Iterable[str],
    *,
    at: datetime,
) -> None:
    cards = [Envelope(surface=Surface.STATUS_CARD, channel=channel) for channel in channels]
    enqueue_of(connection, workspace, incident, cards, at=at)


def published_in(connection: Connection, incident: Incident, entry: int) -> tuple[str, ...]:
    """The channels that have that public update of ``incident``, or will have it."""
    named = {"workspace": incident.workspace, "incident": incident.id, "entry": entry}
    # In this order: an update that is delivered in between is in the second result.
    on_their_way = connection.execute(_ON_THEIR_WAY_TO, named).scalars().all()
    # A delivered message has its place in ``posted``.
    there = connection.execute(_IN_CHANNELS, named).scalars()
    return tuple(sorted({*on_their_way, *there}))


def enqueue_of(
    connection: Connection,
    workspace: str,
    incident: UUID,
    envelopes: Iterable[Envelope],
    *,
    at: datetime,
) -> None:
    """`enqueue_all`, for the incident with the id ``incident``."""
    rows = [_row(workspace, incident, envelope, at=at) for envelope in envelopes]
    if rows:
        _ENQUEUE[connection.dialect.name].run(connection, *rows)


def _row(workspace: str, incident: UUID, envelope: Envelope, *, at: datetime) -> dict[str, Any]:
    """The row of a message that is written at the moment ``at``."""
    due_at = max(envelope.not_before or at, at)
    return {
        "uid": uuid4(),
        "workspace_id": workspace,
        "incident_id": incident,
        "entry": envelope.entry,
        "surface": envelope.surface.value,
        "channel": envelope.channel,
        "lane": lane(incident, envelope),
        "state": State.AVAILABLE.value,
        "attempts": 0,
        "unsure": False,
        "due_at": due_at,
        "try_at": due_at,
        "created_at": at,
    }
