"""The table of surfaces: which view draws which. Delivery posts it, the doctor compares with it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, assert_never

from bot.slack import public, views
from core.incident import Surface
from storage.outbox import Facts


def drawn(surface: Surface, facts: Facts, *, at: datetime) -> Mapping[str, Any] | None:
    """``surface`` as Slack should show it, as arguments for ``chat.postMessage``.

    None if ``facts`` have nothing to show: an incident without a public side, for example.
    """
    match surface:
        case Surface.WORKING_CARD:
            return views.working_card(facts.card, at=at) if facts.card else None
        case Surface.OWNER_CARD:
            return views.owner_card(facts.card, at=at) if facts.card else None
        case Surface.STATUS_CARD:
            return public.status_card(facts.incident) if facts.incident else None
        case Surface.PUBLIC_UPDATE:
            if facts.incident is None or facts.update is None:
                return None
            return public.public_update(facts.incident, facts.update)
        case Surface.WITHDRAWAL:
            return public.withdrawn()
        case _:
            assert_never(surface)
