"""The one edge where exceptions end: a person always gets an answer, the operator a line."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from bot.slack import views
from bot.telemetry import log
from core.errors import UserError
from core.service import StoreUnavailable

Reply = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Answer:
    """What is said to the person, and how it came to that: ``done``, ``refused`` or ``failed``."""

    reply: Reply | None
    outcome: str
    error: Exception | None = None


async def answer(
    work: Awaitable[Reply | None],
    *,
    at: Callable[[], datetime],
    groups: views.Groups,
    mint: Callable[[], UUID],
) -> Answer:
    """What ``work`` comes to; it never raises.

    A `UserError` becomes its refusal. Anything else is a fault on our side: it is logged under a
    reference that the person is given, without the error's text, which may quote what they wrote.
    """
    try:
        return Answer(await work, "done")
    except UserError as error:
        return Answer(views.refusal(error, at=at(), groups=groups), "refused", error)
    except Exception as error:  # noqa: BLE001 - the edge: nobody behind it would answer
        reference = str(mint())
        log.error("request failed", reference=reference, exc_info=error)
        unsure = isinstance(error, StoreUnavailable) and error.unsure
        return Answer(views.failure(reference, unsure=unsure), "failed", error)
