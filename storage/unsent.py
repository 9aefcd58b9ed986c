"""Public facts that a channel should show and does not: rules of the audit, pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from core.decision import Surface
from core.incident import Severity, Visibility, redraws_status_card
from storage.messages import PUBLIC_SURFACES
from storage.records import DRAW_ANEW, WRITE_AGAIN, Problem, Record
from storage.rows import AnyRow

# The largest difference between Slack's clock and ours, for a comparison of their times.
CLOCKS_APART = timedelta(minutes=10)
_TS = re.compile(r"\d{1,11}\.\d+")


def published_by(record: Record, *, elsewhere: bool) -> datetime | None:
    """The first moment at which the incident proves a status channel; settings have no date.

    ``elsewhere``: the workspace has another place for public texts, so a text proves nothing.
    """
    texts = () if elsewhere else record.own_entries
    others = record.subscribed
    return min(
        (
            *(entry.at for entry in texts if entry.visibility == Visibility.PUBLIC),
            *(
                row.created_at
                for row in record.waiting
                if row.surface in PUBLIC_SURFACES and row.channel not in others
            ),
            *(
                datetime.fromtimestamp(float(row.ts), UTC) + CLOCKS_APART
                for row in record.places
                if row.surface in PUBLIC_SURFACES
                and row.channel not in others
                and _TS.fullmatch(row.ts)
            ),
        ),
        default=None,
    )


def missing_cards(record: Record, publishes_since: datetime | None) -> Iterator[Problem]:
    """Status cards that are neither posted nor waiting.

    The status card is posted with the first change after a status channel was set. If the status
    channel changes later, the card stays in its channel.
    """
    row = record.row
    if row.private:
        return
    cards = {channel for channel, _ in record.shown_in(Surface.STATUS_CARD)}
    replies = {channel for channel, _ in record.shown_in(Surface.PUBLIC_UPDATE)}
    for channel in sorted(replies - cards):
        yield f"it has public updates in {channel}, and no card there", DRAW_ANEW
    drawn = [
        entry.at
        for entry in record.own_entries
        if redraws_status_card(entry.kind, entry.visibility, entry.new)
    ]
    elsewhere = (cards | replies) - record.subscribed
    if publishes_since and drawn and not elsewhere and max(drawn) >= publishes_since:
        yield "its card is not in the status channel, nor is it waiting", DRAW_ANEW
    for one in record.subscriptions:
        shows = one.in_force and one.channel in record.subscribed and drawn
        if (
            shows
            and one.channel not in cards
            and max(drawn) > one.starts_at
            and one.filter.matches(Severity(row.severity), record.tagged)
        ):
            text = f"its card is not in {one.channel}, which is subscribed, nor is it waiting"
            yield text, DRAW_ANEW


def _is_posted_beside(record: Record, entry: AnyRow) -> bool:
    """Whether a channel got ``entry`` outside of its subscription: as the status channel then."""
    posted = {
        channel
        for channel, number in record.shown_in(Surface.PUBLIC_UPDATE)
        if number == entry.entry
    }
    return any(
        one.channel in posted
        and not (one.since <= entry.at and (one.ended_at is None or entry.at < one.ended_at))
        for one in record.subscriptions
    )


def unsent(record: Record, publishes_since: datetime | None) -> Iterator[Problem]:
    """Public updates that are neither posted nor waiting.

    In each channel the replies begin somewhere, and go on from there.
    """
    if record.row.private and record.changed_sides:
        return
    replies = record.shown_in(Surface.PUBLIC_UPDATE)
    elsewhere = {entry for channel, entry in replies if channel not in record.subscribed}
    public = [
        entry
        for entry in record.own_entries
        if entry.visibility == Visibility.PUBLIC and entry.redacted_at is None
    ]
    for entry in public:
        since_then = publishes_since is not None and entry.at >= publishes_since
        goes_on = bool(elsewhere) and entry.entry > min(elsewhere)
        expected = record.status_channel is not None and (since_then or goes_on)
        if expected and entry.entry not in elsewhere and not _is_posted_beside(record, entry):
            text = f"entry {entry.entry} is public, and was neither posted nor is it waiting"
            yield text, WRITE_AGAIN
    for one in record.subscriptions:
        there = {number for channel, number in replies if channel == one.channel}
        for entry in public if there and one.channel in record.subscribed else ():
            is_later = entry.entry > min(there) and (entry.public_at or entry.at) > one.starts_at
            if is_later and entry.entry not in there:
                where = f"posted to {one.channel}, which is subscribed"
                text = f"entry {entry.entry} is public, and was neither {where}, nor is it waiting"
                yield text, WRITE_AGAIN
