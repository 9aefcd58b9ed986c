"""The request that an address must answer before it is kept."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from uuid import UUID

import pytest
from aiohttp import web
from standardwebhooks import Webhook

from bot.webhooks.outward import REASONS, Outward
from bot.webhooks.signing import new_secret
from bot.webhooks.verifying import verify
from core.errors import InvalidField
from tests.webhooks.receiver import a_receiver

ID = UUID("0192f3a0-0000-7000-8000-000000000001")
SECRET = new_secret()


async def verified(url, *, allow_private=True):
    async with Outward(allow_private=allow_private, agent="Ratchet") as outward:
        await verify(outward, url, endpoint=ID, secret=SECRET, at=datetime.now(UTC))


def answering(status):
    async def answer(_request):
        return web.Response(status=status, headers={"Location": "/elsewhere"})

    return answer


@pytest.mark.parametrize("status", [200, 202, 204])
async def test_an_address_that_answers_with_any_2xx_is_taken(status):
    async with a_receiver(answering(status)) as receiver:
        await verified(receiver.url)

    ((_, headers, body),) = receiver.got
    said = Webhook(SECRET).verify(body, headers)
    assert said == json.loads(body)
    assert said["type"] == "webhook.verification"
    assert said["meta"] == {"webhook": str(ID)}
    assert said.keys() == {"type", "timestamp", "meta"}


@pytest.mark.parametrize("status", [302, 400, 410, 500])
async def test_any_other_answer_is_a_refusal_that_names_it(status):
    async with a_receiver(answering(status)) as receiver:
        with pytest.raises(InvalidField) as refused:
            await verified(receiver.url)

    assert refused.value.field == "url"
    assert refused.value.message == (
        f"The url answered the verification request with {status}: any 2xx is needed, and "
        "redirects are not followed."
    )
    assert len(receiver.got) == 1


async def test_an_address_that_may_not_be_called_is_refused_with_the_cure():
    async with a_receiver() as receiver:
        with pytest.raises(InvalidField, match="WEBHOOK_ALLOW_PRIVATE=yes allows http"):
            await verified(receiver.url, allow_private=False)
        with pytest.raises(InvalidField, match="WEBHOOK_ALLOW_PRIVATE=yes allows that"):
            await verified(receiver.url.replace("http", "https"), allow_private=False)

    assert receiver.got == []


def test_each_reason_ends_a_sentence():
    for reason in REASONS.values():
        assert reason[0].islower()
        assert reason[-1] != "."
