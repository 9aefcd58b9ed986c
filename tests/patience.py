"""How long tests wait: until a condition holds, or so long that only a hang takes longer.

No test asserts a duration or depends on one; `make torture` and `make bench` measure time.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

PATIENCE_SECONDS = 180.0
GLANCE_SECONDS = 0.01


async def until(claim: Callable[[], object]) -> None:
    """Wait until ``claim()`` holds, for conditions that nobody announces, as in other processes.

    Raises:
        TimeoutError: it did not hold within ``PATIENCE_SECONDS``.
    """
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not claim():  # noqa: ASYNC110 - another process could set no event of ours
            await asyncio.sleep(GLANCE_SECONDS)
