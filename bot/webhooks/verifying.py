"""The request that proves an address: whoever answers it expects our webhooks."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeAlias
from uuid import UUID, uuid4

from bot.webhooks.outward import CallFailed, Outward
from bot.webhooks.signing import new_secret, signature_headers
from core.endpoints import Webhooks
from core.errors import InvalidField
from core.incident import Actor, Severity
from core.store import Transaction
from core.webhooks import Endpoint, Rotated

VERIFICATION = "webhook.verification"
# Writes an answer in the transaction that keeps the endpoint, or gives it the secret.
ThenWithSecret: TypeAlias = Callable[[Transaction, Endpoint, str], object]
ThenRotated: TypeAlias = Callable[[Transaction, Rotated, str], object]


@dataclass(frozen=True, slots=True)
class Trial:
    """The end of a verification request. ``status`` is that of the answer, None without one.

    ``problem`` ends a sentence about the address; empty if it took the request.
    """

    status: int | None
    problem: str


def third_secret(rotated: Rotated) -> str | None:
    """The sentence about a secret that ended with a rotation; None if none did."""
    if rotated.ended is None:
        return None
    return (
        f"The secret that was replaced at {rotated.ended.astimezone(UTC):%Y-%m-%d %H:%M} UTC does "
        "not sign any more: two secrets sign at a time."
    )


def _nothing(_tx: Transaction, _made: Endpoint | Rotated, _secret: str) -> None:
    """Writes nothing more."""


class Proving:
    """Endpoints with their addresses and secrets: added once they answer, tried, rotated."""

    def __init__(
        self, webhooks: Webhooks, outward: Outward, *, clock: Callable[[], datetime]
    ) -> None:
        self.webhooks = webhooks
        self._outward = outward
        self._clock = clock

    async def add(
        self,
        actor: Actor,
        url: str,
        *,
        severity: Severity | None = None,
        components: tuple[str | UUID, ...] = (),
        then: ThenWithSecret = _nothing,
    ) -> tuple[Endpoint, str]:
        """Keeps an address that answers a verification with a 2xx; with its secret.

        Raises:
            Denied: the actor is no workspace admin.
            InvalidField, NoSuchComponent: the address or the filter is not possible.
        """
        secret = new_secret()
        proposed = await self.webhooks.propose(
            actor, uuid4(), url, severity=severity, components=components
        )
        # Nothing is open in the database while the address is waited for.
        trial = await self._call(proposed, (secret,))
        if trial.problem:
            raise InvalidField("url", trial.problem)
        kept = await self.webhooks.keep(
            actor, proposed, secret, then=lambda tx, one: then(tx, one, secret)
        )
        return kept, secret

    async def rotate(
        self, actor: Actor, endpoint: UUID, *, then: ThenRotated = _nothing
    ) -> tuple[Rotated, str]:
        """Gives an endpoint a new secret; the one before signs as well for a day.

        Raises:
            Denied, NoSuchWebhook: it is not possible.
        """
        secret = new_secret()
        rotated = await self.webhooks.rotate(
            actor, endpoint, secret, then=lambda tx, made: then(tx, made, secret)
        )
        return rotated, secret

    async def test(
        self,
        actor: Actor,
        endpoint: UUID,
        *,
        then: Callable[[Transaction, Trial], object] | None = None,
    ) -> Trial:
        """Sends a verification to an endpoint. ``then`` writes what came of it.

        Raises:
            Denied, NoSuchWebhook: it is not possible.
        """
        trial = await self._call(*await self.webhooks.secrets(actor, endpoint))
        if then is not None:
            write = then
            await self.webhooks.find(actor, endpoint, then=lambda tx, _: write(tx, trial))
        return trial

    async def _call(self, endpoint: Endpoint, secrets: tuple[str, ...]) -> Trial:
        """Sends a request that is signed like any other, and says nothing of any incident."""
        at = self._clock()
        moment = at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        meta = {"webhook": str(endpoint.id)}
        body = json.dumps({"type": VERIFICATION, "timestamp": moment, "meta": meta}).encode()
        try:
            answer = await self._outward.post(
                endpoint.url, body, signature_headers(uuid4(), at, body, secrets), at=at
            )
        except CallFailed as failure:
            return Trial(None, failure.reason)
        if answer.took_it:
            return Trial(answer.status, "")
        return Trial(
            answer.status,
            f"answered the verification request with {answer.status}: any 2xx is needed, and "
            "redirects are not followed",
        )
