"""An address is kept once it has answered a signed request, and can be tried at any time."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from aiohttp import web
from standardwebhooks import Webhook

from bot.webhooks.outward import REASONS, Outward
from bot.webhooks.verifying import Proving
from core.denials import Denied
from core.endpoints import Webhooks
from core.errors import InvalidField
from core.missing import NoSuchWebhook
from tests.builders import an_actor
from tests.webhooks.receiver import a_receiver

ADMIN = an_actor(admin=True)


@pytest.fixture
def clock(clock):
    """The library of receivers compares moments with the clock of this machine."""
    clock.advance(seconds=(datetime.now(UTC) - clock()).total_seconds())
    return clock


def answering(status):
    async def answer(_request):
        return web.Response(status=status, headers={"Location": "/elsewhere"})

    return answer


def accepted(secret, request):
    """The body of a request, whose signature holds."""
    _, headers, body = request
    return Webhook(secret).verify(body, headers)


@pytest.mark.parametrize("status", [200, 202, 204])
async def test_an_address_that_answers_with_any_2xx_is_kept(proving, status):
    async with a_receiver(answering(status)) as receiver:
        kept, secret = await proving.add(ADMIN, receiver.url)

    (request,) = receiver.got
    said = accepted(secret, request)
    assert said == json.loads(request[2])
    assert said["type"] == "webhook.verification"
    assert said["meta"] == {"webhook": str(kept.id)}
    assert said.keys() == {"type", "timestamp", "meta"}
    assert await proving.webhooks.endpoints(ADMIN) == (kept,)


@pytest.mark.parametrize("status", [302, 400, 410, 500])
async def test_any_other_answer_is_a_refusal_that_names_it_and_nothing_is_kept(proving, status):
    async with a_receiver(answering(status)) as receiver:
        with pytest.raises(InvalidField) as refused:
            await proving.add(ADMIN, receiver.url)

    assert refused.value.field == "url"
    assert refused.value.message == (
        f"The address answered the verification request with {status}: any 2xx is needed, and "
        "redirects are not followed."
    )
    assert len(receiver.got) == 1
    assert await proving.webhooks.endpoints(ADMIN) == ()


async def test_an_address_that_may_not_be_called_is_refused_with_the_cure(store, clock):
    async with a_receiver() as receiver, Outward(allow_private=False, agent="Ratchet") as outward:
        proving = Proving(Webhooks(store, clock=clock), outward, clock=clock)
        with pytest.raises(InvalidField, match="WEBHOOK_ALLOW_PRIVATE=yes allows http"):
            await proving.add(ADMIN, receiver.url)
        with pytest.raises(InvalidField, match="WEBHOOK_ALLOW_PRIVATE=yes allows that"):
            await proving.add(ADMIN, receiver.url.replace("http", "https"))

    assert receiver.got == []
    assert await proving.webhooks.endpoints(ADMIN) == ()


async def test_whoever_is_no_admin_calls_no_address(proving):
    async with a_receiver() as receiver:
        with pytest.raises(Denied):
            await proving.add(an_actor(), receiver.url)
        kept, _ = await proving.add(ADMIN, receiver.url)
        with pytest.raises(Denied):
            await proving.test(an_actor(), kept.id)
        with pytest.raises(NoSuchWebhook):
            await proving.test(replace(ADMIN, workspace="T0OTHER"), kept.id)

    assert len(receiver.got) == 1


async def test_a_trial_is_signed_with_both_secrets_for_a_day_after_a_rotation(proving, clock):
    async with a_receiver() as receiver:
        kept, old = await proving.add(ADMIN, receiver.url)
        rotated, new = await proving.rotate(ADMIN, kept.id)
        assert rotated.endpoint.rotating_until == clock() + timedelta(days=1)

        trial = await proving.test(ADMIN, kept.id)
        clock.advance(days=1)
        await proving.test(ADMIN, kept.id)

    assert (trial.status, trial.problem) == (200, "")
    _, during, after = receiver.got
    assert accepted(old, during) == accepted(new, during)
    assert (old != new, len(after[1]["webhook-signature"].split())) == (True, 1)


async def test_a_trial_says_why_an_address_does_not_take_it(proving):
    async with a_receiver() as receiver:
        kept, _ = await proving.add(ADMIN, receiver.url)

    assert (await proving.test(ADMIN, kept.id)).problem == REASONS["no_connection"]


def test_each_reason_ends_a_sentence():
    for reason in REASONS.values():
        assert reason[0].islower()
        assert reason[-1] != "."
