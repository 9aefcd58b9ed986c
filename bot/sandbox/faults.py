"""Injected faults: rules that a call of the Web API meets on its way in and out.

A rule has a kind, a method, a channel and a count. Several may be active: a call first waits for
every matching delay, then the oldest other matching rule decides. The faults of a socket are in
``socket_mode``.
"""

import asyncio
import contextlib
import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field

# The method name of posts to a response_url.
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
# Slack carries the call out; only the answer is late, lost or wrong.
CARRIED_OUT = frozenset({LATE_ANSWER, LOST_ANSWER, GARBLED})


@dataclass(slots=True, eq=False)
class Fault:
    """One rule; ``clear()`` ends it and releases the calls that it delays."""

    id: int
    kind: str
    method: str = "*"
    """``*`` is every method of the Web API, but not the response_url."""
    channel: str | None = None
    """The id of a channel; None for all channels and for methods without one."""
    times: int | None = 1
    """The number of calls it still affects; None until it is cleared."""
    seconds: float = 0.0
    """The delay of a slow call, the ``Retry-After`` of a rate limit, or the delay until a call with
    a lost answer is carried out."""
    error: str = ""
    """Slack's name for the error of a refusal."""
    body: bytes = b"<html><body><h1>Please log in</h1></body></html>"
    """The body of a garbled answer."""
    content_type: str = "text/html"
    """The content type of a garbled answer."""
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
    """The active rules, oldest first. Each method that adds a rule returns it."""

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
        """Delay calls for ``seconds``, or until the rule is cleared, and then carry them out."""
        return self.add(SLOW, method, channel=channel, times=times, seconds=seconds)

    def late_answer(
        self,
        method: str = "*",
        *,
        seconds: float,
        channel: str | None = None,
        times: int | None = None,
    ) -> Fault:
        """Carry calls out at once; delay the answer for ``seconds`` or until the rule is cleared.

        A client that gives up before the answer has had its effect without knowing.
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
        """Cut the connection and carry the call out: at once, or at the first call that comes
        ``seconds`` later by the workspace's clock.
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
        """Carry calls out, and answer 200 with ``body`` instead of Slack's answer."""
        rule = self.add(GARBLED, method, channel=channel, times=times)
        rule.body, rule.content_type = body, content_type
        return rule

    def cut(self, method: str = "*", *, channel: str | None = None, times: int | None = 1) -> Fault:
        """Cut the connection, and do nothing."""
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
        """Wait for the delays of this call; returns the rule that decides about it, or None."""
        fitting = [rule for rule in self._rules if rule.fits(method, channel)]
        decisive = next((rule for rule in fitting if rule.kind != SLOW), None)
        for rule in fitting:
            if rule.kind == SLOW or rule is decisive:
                rule.happens()
        for rule in fitting:
            if rule.kind == SLOW:
                await rule.hold_up()
        return decisive
