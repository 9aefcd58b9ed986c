"""The request that proves an address: whoever answers it expects our webhooks."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from uuid import UUID, uuid4

from bot.webhooks.outward import CallFailed, HookAnswer, Outward
from bot.webhooks.signing import signature_headers
from core.errors import InvalidField

VERIFICATION = "webhook.verification"


async def call(
    outward: Outward, url: str, *, endpoint: UUID, secrets: tuple[str, ...], at: datetime
) -> HookAnswer:
    """Sends a verification, signed like any other request; it says nothing of any incident.

    Raises:
        CallFailed: no answer came, or the address may not be called.
    """
    moment = at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    body = json.dumps(
        {"type": VERIFICATION, "timestamp": moment, "meta": {"webhook": str(endpoint)}}
    ).encode()
    return await outward.post(url, body, signature_headers(uuid4(), at, body, secrets), at=at)


async def verify(outward: Outward, url: str, *, endpoint: UUID, secret: str, at: datetime) -> None:
    """Sends a verification to an address that is to be kept.

    Raises:
        InvalidField: ``url``; it did not answer with a 2xx, or it may not be called.
    """
    try:
        answer = await call(outward, url, endpoint=endpoint, secrets=(secret,), at=at)
    except CallFailed as failure:
        raise InvalidField("url", failure.reason) from None
    if not answer.took_it:
        raise InvalidField(
            "url",
            f"answered the verification request with {answer.status}: any 2xx is needed, and "
            "redirects are not followed",
        )
