"""What goes wrong on purpose: rules that a call of the Web API meets on its way in and out.

A rule says for which method and channel, how often, and what happens. Several may stand at once:
every delay that fits is waited for, then the oldest other rule that fits decides. The socket's own
faults are in ``delivery``.
"""

import asyncio
import contextlib
import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field

# The name under which posts to a response_url meet the rules; methods of the Web API go by their
# own.
RESPONSE_URL = "response_url"

SLOW = "slow"
LATE_ANSWER = "late_answer"
RATE_LIMITED = "rate_limited"
SERVER_ERROR = "server_error"
UNAVAILABLE = "unavailable"
REFUSED = "refused"
LOST_ANSWER = "lost_answer"
GARBLED = "garbled"
CUT = "cut"
KINDS = (
    SLOW,
    LATE_ANSWER,
    RATE_LIMITED,
    SERVER_ERROR,
    UNAVAILABLE,
    REFUSED,
    LOST_ANSWER,
    GARBLED,
    CUT,
)
# Slack has done what was asked; it is the answer that suffers.
DONE_ALL_THE_SAME = frozenset({LATE_ANSWER, LOST_ANSWER, GARBLED})


@dataclass(slots=True, eq=False)
class Fault:
    """One rule; ``clear()`` ends it, and lets go on what it holds up."""

    id: int
    kind: str
    method: str = "*"
    """``*`` is every method of the Web API, and not the response_url."""
    channel: str | None = None
    """The id of the one channel concerned; None for all, and for methods without any."""
    times: int | None = 1
    """How often it still happens; None until it is cleared."""
    seconds: float = 0.0
    """How long a slow call is held up, the ``Retry-After`` of a rate limit, or how late that is
    done of which the answer gets lost."""
    error: str = ""
    """What a refusal is called."""
    body: bytes = b"<html><body><h1>Please log in</h1></body></html>"
    """What is answered instead, where the answer is garbled."""
    content_type: str = "text/html"
    """The type that such an answer claims to be of."""
    hits: int = 0
    ended: asyncio.Event = field(default_factory=asyncio.Event)

    def fits(self, method: str, channel: str | None) -> bool:
        if self.ended.is_set() or self.times == 0:
            return False
        right_method = self.method == method or (self.method == "*" and method != RESPONSE_URL)
        return right_method and self.channel in (None, channel)

    def happens(self) -> None:
        self.hits += 1
        if self.times is not None:
            self.times -= 1

    async def hold_up(self) -> None:
        """Wait for the rule's seconds, or for its end."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self.seconds):
                await self.ended.wait()

    def clear(self) -> None:
        self.times = 0
        self.ended.set()


class Faults:
    """The rules that stand, oldest first. Every way to add one gives it back, to be watched or
    cleared.
    """

    def __init__(self) -> None:
        self._rules: list[Fault] = []
        self._numbers = itertools.count(1)

    def __iter__(self) -> Iterator[Fault]:
        return iter([rule for rule in self._rules if rule.times != 0])

    def slow(
        self,
        method: str = "*",
        *,
        seconds: float,
        channel: str | None = None,
        times: int | None = None,
    ) -> Fault:
        """Hold calls up for ``seconds``, or until the rule is cleared, and then do what they
        ask.
        """
        return self.add(SLOW, method, channel=channel, times=times, seconds=seconds)

    def late_answer(
        self,
        method: str = "*",
        *,
        seconds: float,
        channel: str | None = None,
        times: int | None = None,
    ) -> Fault:
        """Do what is asked at once, and hold the answer up for ``seconds`` or until the rule is
        cleared.

        A client that gives up meanwhile has had its effect without knowing.
        """
        return self.add(LATE_ANSWER, method, channel=channel, times=times, seconds=seconds)

    def rate_limit(
        self,
        method: str = "*",
        *,
        retry_after: int = 1,
        channel: str | None = None,
        times: int | None = 1,
    ) -> Fault:
        """Answer 429 with ``Retry-After: retry_after`` (seconds) and do nothing."""
        return self.add(RATE_LIMITED, method, channel=channel, times=times, seconds=retry_after)

    def server_error(
        self, method: str = "*", *, channel: str | None = None, times: int | None = 1
    ) -> Fault:
        """Answer 500 with Slack's ``internal_error`` and do nothing."""
        return self.add(SERVER_ERROR, method, channel=channel, times=times)

    def unavailable(
        self, method: str = "*", *, channel: str | None = None, times: int | None = 1
    ) -> Fault:
        """Answer 503 with a page of HTML, as a proxy in front of Slack does, and do nothing."""
        return self.add(UNAVAILABLE, method, channel=channel, times=times)

    def refuse(
        self, method: str = "*", *, error: str, channel: str | None = None, times: int | None = 1
    ) -> Fault:
        """Answer ``ok: false`` with ``error``, such as is_archived, token_revoked or fatal_error,
        and do nothing.
        """
        return self.add(REFUSED, method, channel=channel, times=times, error=error)

    def lose_answer(
        self,
        method: str = "*",
        *,
        channel: str | None = None,
        times: int | None = 1,
        seconds: float = 0.0,
    ) -> Fault:
        """Cut the connection, and do what is asked all the same: at once, or ``seconds`` later by
        the workspace's clock, when the next call comes.
        """
        return self.add(LOST_ANSWER, method, channel=channel, times=times, seconds=seconds)

    def garble(
        self,
        method: str = "*",
        *,
        body: bytes,
        content_type: str = "application/json",
        channel: str | None = None,
        times: int | None = 1,
    ) -> Fault:
        """Do what is asked, and answer 200 with ``body`` in place of what Slack would say."""
        rule = self.add(GARBLED, method, channel=channel, times=times)
        rule.body, rule.content_type = body, content_type
        return rule

    def cut(self, method: str = "*", *, channel: str | None = None, times: int | None = 1) -> Fault:
        """Cut the connection before anything is done."""
        return self.add(CUT, method, channel=channel, times=times)

    def add(
        self,
        kind: str,
        method: str = "*",
        *,
        channel: str | None = None,
        times: int | None = 1,
        seconds: float = 0.0,
        error: str = "",
    ) -> Fault:
        if kind not in KINDS:
            raise ValueError(f"{kind!r} is no fault; there are {', '.join(KINDS)}")
        rule = Fault(next(self._numbers), kind, method, channel, times, seconds, error)
        self._rules.append(rule)
        return rule

    def clear(self) -> None:
        """End every rule."""
        for rule in self._rules:
            rule.clear()
        self._rules.clear()

    async def met_by(self, method: str, channel: str | None) -> Fault | None:
        """Wait out the delays that this call meets, and give the rule that decides about it."""
        fitting = [rule for rule in self._rules if rule.fits(method, channel)]
        decisive = next((rule for rule in fitting if rule.kind != SLOW), None)
        for rule in fitting:
            if rule.kind == SLOW or rule is decisive:
                rule.happens()
        for rule in fitting:
            if rule.kind == SLOW:
                await rule.hold_up()
        return decisive
