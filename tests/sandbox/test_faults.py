"""Injected faults affect the right calls, as often and as late as they should."""

import asyncio

import aiohttp
import pytest
from slack_sdk.errors import SlackApiError

from tests.sandbox.connections import by_socket

PAYMENTS = "C0PAYMENTS"


def post(client, channel=PAYMENTS):
    return client.chat_postMessage(channel=channel, text="x")


async def outcome(call):
    """The result of a call: ``ok``, Slack's error, a status, or the cut connection."""
    try:
        await call
    except SlackApiError as refused:
        data = refused.response.data if hasattr(refused.response, "data") else None
        return data["error"] if isinstance(data, dict) and "error" in data else "no answer in JSON"
    except aiohttp.ClientError:
        return "connection cut"
    return "ok"


KINDS = [
    ("rate_limit", {"retry_after": 7}, "ratelimited", 429, 0),
    ("server_error", {}, "internal_error", 500, 0),
    ("unavailable", {}, "no answer in JSON", 503, 0),
    ("refuse", {"error": "token_revoked"}, "token_revoked", 200, 0),
    ("cut", {}, "connection cut", None, 0),
    ("lose_answer", {}, "connection cut", None, 1),
    ("garble", {"body": b'{"ok": tr'}, "no answer in JSON", 200, 1),
    ("garble", {"body": b"<p>", "content_type": "text/html"}, "no answer in JSON", 200, 1),
]


@pytest.mark.parametrize(("kind", "settings", "seen", "status", "posts"), KINDS)
async def test_a_fault_affects_one_call(slack, client, kind, settings, seen, status, posts):
    fault = getattr(slack.faults, kind)("chat.postMessage", **settings)

    assert await outcome(post(client)) == seen
    assert len(slack.channel_view(PAYMENTS)) == posts
    assert (slack.calls[-1].status, slack.calls[-1].fault) == (status, fault.kind)
    assert await outcome(post(client)) == "ok"
    assert (fault.hits, list(slack.faults)) == (1, [])


async def test_a_rate_limit_sends_retry_after(slack, client):
    slack.faults.rate_limit("chat.postMessage", retry_after=7)

    with pytest.raises(SlackApiError) as refused:
        await post(client)
    assert refused.value.response.headers["Retry-After"] == "7"


async def test_a_fault_is_limited_to_its_method_and_channel(slack, client):
    fault = slack.faults.refuse(
        "chat.postMessage", error="is_archived", channel=PAYMENTS, times=None
    )

    here = [await outcome(post(client)) for _ in range(3)]
    elsewhere = await outcome(post(client, "C0STATUS"))
    another = await outcome(client.users_info(user="U0MIA"))
    fault.clear()
    afterwards = await outcome(post(client))

    assert here == ["is_archived"] * 3
    assert (elsewhere, another, afterwards) == ("ok", "ok", "ok")


async def test_a_slow_call_continues_when_its_fault_is_cleared(slack, client):
    fault = slack.faults.slow("chat.postMessage", seconds=3600)
    held_up = asyncio.create_task(outcome(post(client)))
    await slack.until(lambda: fault.hits == 1)

    assert slack.channel_view(PAYMENTS) == []
    fault.clear()
    assert await held_up == "ok"


@pytest.mark.parametrize(("kind", "posts"), [("slow", 0), ("late_answer", 1)])
async def test_after_a_client_timeout_a_late_answer_took_effect_and_a_slow_call_did_not(
    slack, client, kind, posts
):
    held_up = getattr(slack.faults, kind)("chat.postMessage", seconds=3600)
    posting = asyncio.create_task(post(client))
    await slack.until(lambda: held_up.hits == 1)

    posting.cancel()
    await asyncio.wait({posting})
    await client.auth_test()
    assert len(slack.channel_view(PAYMENTS)) == posts


async def test_a_call_with_a_lost_answer_can_take_effect_later(client, slack, clock):
    slack.faults.lose_answer("chat.postMessage", seconds=4)

    with pytest.raises(aiohttp.ClientError):
        await post(client)
    clock.advance(seconds=3)
    await client.auth_test()
    assert slack.channel_view(PAYMENTS) == []
    clock.advance(seconds=1)
    await client.auth_test()
    assert len(slack.channel_view(PAYMENTS)) == 1


async def test_the_oldest_fault_decides_first(slack, client):
    slack.faults.server_error("chat.postMessage", times=2)
    slack.faults.rate_limit(times=1)

    outcomes = [await outcome(post(client)) for _ in range(4)]

    assert outcomes == ["internal_error", "internal_error", "ratelimited", "ok"]


async def test_faults_of_response_urls_are_separate(slack, bolt, mia):
    slack.faults.server_error("response_url")
    statuses = []

    @bolt.command("/incident")
    async def on_command(ack, respond):
        await ack()
        statuses.extend([(await respond("x")).status_code, (await respond("y")).status_code])

    async with by_socket(slack, bolt):
        interaction = await mia.command("#payments", "/incident list")
        await slack.until(lambda: len(statuses) == 2)

    assert statuses == [500, 200]
    assert [message.text for message in interaction.messages] == ["y"]


async def test_a_slow_socket_delays_the_acknowledgement(slack, bolt, mia):
    @bolt.command("/incident")
    async def on_command(ack):
        await ack()

    async with by_socket(slack, bolt):
        slack.sockets.slow(0.05)
        late = await mia.command("#payments", "/incident list")
        slack.sockets.slow(3600)
        slack.courier.ack_seconds = 0.2
        never = await mia.command("#payments", "/incident list")

    assert late.error is None
    assert late.ack.latency_seconds >= 0.05
    assert never.error == "operation_timeout"


def test_an_unknown_kind_of_fault_is_refused(slack):
    with pytest.raises(ValueError, match="there are slow"):
        slack.faults.add("earthquake")
