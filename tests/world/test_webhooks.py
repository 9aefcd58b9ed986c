"""npm's svix, which many receivers of webhooks use, verifies what we sign."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from uuid import uuid4

import pytest

from bot.webhooks.outward import Outward
from bot.webhooks.signing import new_secret, signature_headers
from tests.webhooks.receiver import a_receiver

pytestmark = pytest.mark.world

OLD, NEW = new_secret(), new_secret()
BODY = json.dumps({"type": "incident.updated", "text": "Café 日本 — 😀 \u2028"}, ensure_ascii=False)


@pytest.fixture
def verified(svix):
    """What svix makes of requests, each with the secret that a receiver has."""
    return lambda *requests: json.loads(
        svix("svix_verify.js", stdin=json.dumps(requests, ensure_ascii=False))
    )


async def test_svix_takes_a_request_as_it_arrives_with_either_secret_of_a_rotation(verified):
    body, at = BODY.encode(), datetime.now(UTC)
    headers = signature_headers(uuid4(), at, body, [NEW, OLD])
    async with a_receiver() as receiver, Outward(allow_private=True, agent="Ratchet") as outward:
        await outward.post(receiver.url, body, headers, at=at)

    ((_, arrived, sent),) = receiver.got
    request = {"headers": arrived, "body": sent.decode()}
    assert (
        verified(request | {"secret": NEW}, request | {"secret": OLD})
        == [{"body": json.loads(BODY)}] * 2
    )


def test_svix_refuses_what_was_changed(verified):
    headers = signature_headers(uuid4(), datetime.now(UTC), BODY.encode(), [NEW])
    whole = {"secret": NEW, "headers": headers, "body": BODY}

    told = verified(
        whole,
        whole | {"body": BODY + " "},
        whole | {"secret": OLD},
        whole | {"headers": headers | {"webhook-id": str(uuid4())}},
    )

    assert [set(one) for one in told] == [{"body"}, {"refused"}, {"refused"}, {"refused"}]
