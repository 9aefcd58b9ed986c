"""Ids, timestamps and secrets, each of which a workspace gives out once."""

import itertools
import secrets
from collections.abc import Callable

Clock = Callable[[], float]
"""Seconds since 1970."""


class Mint:
    """Makes what must be unique in one workspace. Everything but a secret is deterministic."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._numbers = itertools.count(1)
        self._last_microsecond = 0

    def ts(self) -> str:
        """A message timestamp: unique in the workspace and later than every one before."""
        self._last_microsecond = max(self._last_microsecond + 1, int(self._clock() * 1_000_000))
        return f"{self._last_microsecond // 1_000_000}.{self._last_microsecond % 1_000_000:06d}"

    def id(self, prefix: str) -> str:
        return f"{prefix}{self.number():010d}"

    def block_id(self) -> str:
        return f"b{self.number():x}"

    def number(self) -> int:
        return next(self._numbers)

    def view_hash(self) -> str:
        return f"{int(self._clock())}.{self.secret()[:8]}"

    def secret(self) -> str:
        # In Slack a response_url and a trigger are bearer secrets: nobody can guess them.
        return secrets.token_hex(12)

    def saved(self) -> dict[str, int]:
        return {"next_number": self.number(), "last_microsecond": self._last_microsecond}

    def restore(self, *, next_number: int, last_microsecond: int) -> None:
        """Continue after the values of ``saved()``."""
        self._numbers = itertools.count(next_number)
        self._last_microsecond = last_microsecond
