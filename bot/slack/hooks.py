"""The word to people that a webhook failed until it was switched off. Pure.

It is posted once, and has no part of the address: that may hold a secret.
"""

from __future__ import annotations

from uuid import UUID

from bot.slack.blocks import Json, message, paragraphs
from core.webhooks import EndpointState

# So many characters of an id are enough for `ratchet webhooks`.
SHORT = 8
REASONS = {
    EndpointState.GONE: "Its receiver answered 410: it takes no more events.",
    EndpointState.SILENT: "For three days no event has been taken.",
}


def switched_off(endpoint: UUID, state: EndpointState) -> Json:
    """The word that ``endpoint`` is off; ``state`` is one of `core.webhooks.FAILED`."""
    short = str(endpoint)[:SHORT]
    cure = (
        f"Once its receiver is well, `ratchet webhooks switch {short} on` starts it anew; events "
        f"of the time between are not sent. `ratchet webhooks remove {short}` deletes it."
    )
    told = [f"The webhook `{short}` is switched off. {REASONS[state]}", cure]
    return message(told, paragraphs(told))
