"""The signature of a request to an endpoint, as Standard Webhooks describes it.

Source: https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

from __future__ import annotations

import secrets
from base64 import b64encode
from collections.abc import Iterable
from datetime import UTC, datetime
from uuid import UUID

from standardwebhooks import Webhook

PREFIX = "whsec_"
SECRET_BYTES = 32


def new_secret() -> str:
    """A secret as receivers configure it: ``whsec_`` and 32 random bytes in base64."""
    return PREFIX + b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def signature_headers(
    uid: UUID, at: datetime, body: bytes, secrets: Iterable[str]
) -> dict[str, str]:
    """The headers of one try: its id, its moment in seconds, one signature for each secret.

    ``uid`` is the same for every try, and ``at`` is the moment of this one. Receivers refuse a
    moment that is five minutes away from their own clock.
    """
    moment, text = at.astimezone(UTC), body.decode()
    signatures = (Webhook(secret).sign(str(uid), moment, text) for secret in secrets)
    return {
        "webhook-id": str(uid),
        "webhook-timestamp": str(int(moment.timestamp())),
        "webhook-signature": " ".join(signatures),
    }
