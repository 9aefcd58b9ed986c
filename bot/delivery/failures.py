"""Rules for a delivery that failed: pure, and the same for every transport."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum, auto

MAX_BACKOFF_SECONDS = 300
# After a lost response the receiver may still be working. A search for the post at once would miss
# it, and we would post twice.
LOOK_AFTER = timedelta(seconds=5)
# For a 429 without a Retry-After, and the longest Retry-After that is believed.
RETRY_AFTER_SECONDS = 30
MAX_RETRY_AFTER_SECONDS = 86_400


class FailureKind(Enum):
    """Causes of a failure, told apart as far as the next step depends on them."""

    NOT_DRAWN = auto()  # an error of ours: nothing was sent
    RATE_LIMITED = auto()  # nothing was done: the channel accepts nothing for a while
    PASSING = auto()  # nothing was done: the cause passes by itself
    UNKNOWN = auto()  # the response was lost: the message may have arrived
    GONE = auto()  # the message to edit, or the thread to reply to, does not exist any more
    PERMANENT = auto()  # nothing was done: no retry can cure the cause


# Tries before a message is given up. With the back-off, 200 take some 16 hours: longer than any
# known outage of Slack. An error of ours does not pass by itself: seven tries, some four minutes.
MAX_ATTEMPTS = {
    FailureKind.NOT_DRAWN: 7,
    FailureKind.PASSING: 200,
    FailureKind.UNKNOWN: 200,
    FailureKind.PERMANENT: 1,
}


@dataclass(frozen=True, slots=True)
class Failure:
    """One failed try, as the transport reports it.

    ``code`` is a short word for the operator, such as ``is_archived``; the outbox keeps it.
    ``retry_after`` counts only for `FailureKind.RATE_LIMITED`.
    """

    kind: FailureKind
    code: str
    retry_after: timedelta = timedelta(seconds=RETRY_AFTER_SECONDS)


@dataclass(frozen=True, slots=True)
class TryAgain:
    """At ``at``, not before. ``whole_channel``: everything for the channel waits as long."""

    at: datetime
    error: str
    whole_channel: bool = False


@dataclass(frozen=True, slots=True)
class PostAnew:
    """Post a new message at once: the one to edit or to reply to is gone."""

    error: str


@dataclass(frozen=True, slots=True)
class GiveUp:
    """Keep the message for the operator and say so: no retry can cure it."""

    error: str


Verdict = TryAgain | PostAnew | GiveUp


def after_failure(failure: Failure, *, attempts: int, at: datetime, jitter: float) -> Verdict:
    """Decide the next step of a message whose ``attempts``-th try (from 1) has just failed.

    The receiver's own ``Retry-After`` wins over our back-off of 2, 4, 8 … seconds, at most 300.
    ``jitter`` (0 to 1) takes off up to a quarter, so that messages that failed together do not
    return together. ``MAX_ATTEMPTS`` tries end in `GiveUp`; a rate limit never does.

    Source: https://docs.slack.dev/apis/web-api/rate-limits
    """
    if failure.kind is FailureKind.RATE_LIMITED:
        return TryAgain(at + failure.retry_after, failure.code, whole_channel=True)
    if failure.kind is FailureKind.GONE:
        return PostAnew(failure.code)
    if attempts >= MAX_ATTEMPTS[failure.kind]:
        return GiveUp(failure.code)
    pause = timedelta(seconds=min(MAX_BACKOFF_SECONDS, 2.0 ** min(attempts, 16)))
    least = LOOK_AFTER if failure.kind is FailureKind.UNKNOWN else timedelta()
    return TryAgain(at + max(pause * (1 - jitter / 4), least * (1 + jitter / 4)), failure.code)


# The pauses before each retry to a webhook: ten tries in about three days.
# Source: https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
WEBHOOK_PAUSES = (
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    timedelta(hours=14),
    timedelta(hours=20),
    timedelta(hours=24),
)


def after_webhook_failure(
    failure: Failure, *, attempts: int, at: datetime, jitter: float
) -> Verdict:
    """`after_failure` for a webhook: a schedule of its own, and a pause that it may ask for.

    A pause is for the whole endpoint. ``jitter`` counts for nothing: receivers are many.
    """
    del jitter
    if failure.kind is FailureKind.PERMANENT or attempts > len(WEBHOOK_PAUSES):
        return GiveUp(failure.code)
    pause = WEBHOOK_PAUSES[attempts - 1]
    if failure.kind is FailureKind.RATE_LIMITED:
        longest = timedelta(seconds=MAX_RETRY_AFTER_SECONDS)
        pause = max(pause, min(failure.retry_after, longest))
        return TryAgain(at + pause, failure.code, whole_channel=True)
    return TryAgain(at + pause, failure.code)


def retry_after(headers: Mapping[str, str]) -> timedelta:
    """The pause that a 429 asks for, 1 second to a day; 30 seconds if it gives no number."""
    lowered = {name.lower(): value for name, value in headers.items()}
    try:
        seconds = int(lowered["retry-after"])
    except (KeyError, TypeError, ValueError):
        seconds = RETRY_AFTER_SECONDS
    return timedelta(seconds=min(max(seconds, 1), MAX_RETRY_AFTER_SECONDS))
