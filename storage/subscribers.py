"""The content that a message may show in a subscribed channel, when its turn comes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime

from core.decision import Surface
from core.incident import Component, Severity
from core.public_side import PublicIncident
from core.subscription import Subscription
from storage import subscriptions
from storage.facts import Facts
from storage.messages import OutboxMessage, lane
from storage.queries import SqlReader
from storage.snapshot import connection_of
from storage.transactions import SqlTransaction

EVER = datetime.max.replace(tzinfo=UTC)


def as_subscribed(reader: SqlReader, message: OutboxMessage, facts: Facts) -> Facts:
    """``facts`` of a ``message`` in public, as far as the subscription of its channel lets it pass.

    In the status channel, and in a former one, they stay as they are.
    """
    workspace = reader.workspace(message.workspace)
    if workspace.subscriptions is None or message.channel == workspace.status_channel:
        return facts
    connection = connection_of(reader)
    here = subscriptions.subscription_of(connection, message.workspace, message.channel)
    if here is None:
        return facts
    return replace(
        facts,
        subscribed=True,
        broadcast=here.broadcast,
        faulty=here.fault is not None,
        wanted=_is_wanted(reader, message, facts, here),
    )


def begin_anew(
    tx: SqlTransaction, unsubscribed: Iterable[tuple[str, str]], *, at: datetime
) -> None:
    """Lets every subscription of a restored database start at ``at``, and ends ``unsubscribed``.

    What waits may have been posted since the backup: it is looked for, and is not posted anew.
    """
    connection = connection_of(tx)
    for workspace, channel in unsubscribed:
        if here := subscriptions.subscription_of(connection, workspace, channel):
            subscriptions.keep(connection, replace(here, ended_at=at))
    subscriptions.begin_anew(connection, at=at)


def _is_wanted(reader: SqlReader, message: OutboxMessage, facts: Facts, here: Subscription) -> bool:
    """Whether the channel gets the post of ``message``, if it is not there yet.

    A card that was there before the start keeps its thread to the end, with the replies that wait
    from before it; only what Slack may have already is not sent again. A card that came later has
    nothing of before the start. Another one is posted if something of the incident became public
    since, or is about to, and the incident passes the filter: now, or when it was to be posted. So
    no reply comes without its card.
    """
    card = facts.place if message.surface is Surface.STATUS_CARD else facts.thread
    if message.surface is Surface.WITHDRAWAL or facts.incident is None:
        return True
    newest = message.due_at
    if message.surface is Surface.STATUS_CARD:
        # Not by its own moment: the text that it was to come with may have been taken back.
        waiting = subscriptions.last_due(
            connection_of(reader), lane(message.incident, message.envelope)
        )
        whole = reader.incident(message.workspace, message.incident)
        begun = whole.title_public_at if whole else None
        tagged = None
        if here.filter.components:
            # It asks for a component that the public may not see: to tag that brings the card.
            tagged = subscriptions.last_tagged(
                connection_of(reader), message.workspace, message.incident
            )
        newest = max(filter(None, (waiting, begun, tagged, facts.incident.updated_at)))
    if newest < here.starts_at:
        if card is None or message.surface is Surface.STATUS_CARD:
            return card is not None
        return float(card.ts) < here.starts_at.timestamp() and not message.unsure
    return card is not None or (here.in_force and _passes(reader, message, facts.incident, here))


def _passes(
    reader: SqlReader, message: OutboxMessage, incident: PublicIncident, here: Subscription
) -> bool:
    connection = connection_of(reader)
    then, now = subscriptions.tags_at(
        connection, message.workspace, message.incident, message.due_at, EVER
    )
    return any(
        here.filter.matches(severity, [Component(one, "") for one in tagged])
        for severity, tagged in (
            (_severity_at(incident, message.due_at), then),
            (incident.severity, now),
        )
    )


def _severity_at(incident: PublicIncident, at: datetime) -> Severity:
    since = [severity for moment, severity in incident.severities if moment <= at]
    return since[-1] if since else incident.severity
