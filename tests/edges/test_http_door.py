"""The HTTP server from outside: health, metrics, refused requests, start and stop."""

import asyncio
import hashlib
import hmac
import socket
import time
from typing import Any
from urllib.parse import urlencode

import aiohttp
import pytest
from fastapi import FastAPI
from prometheus_client.parser import text_string_to_metric_families
from starlette.responses import PlainTextResponse

from bot.app import build
from bot.http.server import SLACK_BODY_MAX, AddressTaken, HttpServer
from bot.settings import Settings
from bot.telemetry import Metrics
from core.incident import PublicText
from tests.builders import a_change, a_declaration, an_actor
from tests.conversations.conftest import settled
from tests.patience import until
from tests.ports import listening
from tests.tables import contents

FORM = "application/x-www-form-urlencoded"
SIGNATURE, TIMESTAMP = "X-Slack-Signature", "X-Slack-Request-Timestamp"
UNVERIFIED = {"door": "http", "verb": "unverified", "outcome": "refused"}


@pytest.fixture
async def ratchet(settings, clock):
    app = build(settings, clock=clock)
    await app.start()
    yield app
    await app.stop()


@pytest.fixture
async def http(ratchet):
    async with aiohttp.ClientSession(ratchet.http.address) as http:
        yield http


@pytest.fixture
def metric(http):
    """Reads the value of one line of `/metrics`."""

    async def metric(name, **labels):
        async with http.get("/metrics") as answer:
            families = text_string_to_metric_families(await answer.text())
        samples = [sample for family in families for sample in family.samples]
        return next((s.value for s in samples if (s.name, s.labels) == (name, labels)), None)

    return metric


# --- description -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "servers"), [("https://a.example/", [{"url": "https://a.example"}]), ("", None)]
)
async def test_the_description_names_the_public_address_as_server(environment, clock, url, servers):
    app = build(Settings.from_env(environment | {"PUBLIC_URL": url}), clock=clock)
    await app.start()
    async with (
        aiohttp.ClientSession(app.http.address) as http,
        http.get("/openapi.json") as answer,
    ):
        described = await answer.json()
    await app.stop()

    assert described.get("servers") == servers


# --- health ------------------------------------------------------------------------------------


async def test_a_running_bot_is_alive_and_ready(http):
    async with http.get("/healthz") as alive, http.get("/readyz") as ready:
        assert (alive.status, await alive.text()) == (200, "ok\n")
        assert ready.status == 200
        assert await ready.json() == {
            "ready": True,
            "reason": None,
            "dead_messages": 0,
            "webhooks_off": 0,
        }


async def test_a_silent_database_makes_the_bot_unready(ratchet, http):
    await asyncio.to_thread(ratchet.store.close)

    async with http.get("/healthz") as alive, http.get("/readyz") as ready:
        assert alive.status == 200
        assert ready.status == 503
        assert await ready.json() == {
            "ready": False,
            "reason": "the database does not answer",
            "dead_messages": None,
            "webhooks_off": None,
        }


async def test_metrics_work_while_the_database_does_not_answer(ratchet, http, metric):
    await asyncio.to_thread(ratchet.store.close)

    assert await metric("ratchet_outbox_oldest_due_seconds") == 0


async def test_messages_that_wait_for_five_minutes_make_the_bot_unready(
    slack, ratchet, http, clock, metric
):
    slack.faults.rate_limit("chat.postMessage", retry_after=3_600, times=None)
    await ratchet.incidents.execute(a_declaration(actor=an_actor(channel="C0PAYMENTS")))
    await slack.until(lambda: slack.calls_of("chat.postMessage") != [])

    clock.advance(minutes=5)
    async with http.get("/readyz") as ready:
        assert ready.status == 200
    clock.advance(seconds=1)
    async with http.get("/readyz") as ready:
        assert ready.status == 503
        assert await ready.json() == {
            "ready": False,
            "reason": "messages to Slack have been waiting for more than five minutes",
            "dead_messages": 0,
            "webhooks_off": 0,
        }
    assert await metric("ratchet_outbox_oldest_due_seconds") == 301


@pytest.mark.parametrize("path", ["/", "/docs", "/redoc", "/healthz/", "/slack"])
async def test_other_addresses_do_not_exist(http, path):
    async with http.get(path, allow_redirects=False) as answer:
        assert answer.status in {307, 404}
        if answer.status == 404:
            assert answer.content_type == "text/plain"
            assert (await answer.text()).startswith("There is nothing at this address.")


# --- metrics -----------------------------------------------------------------------------------


async def test_requests_and_deliveries_are_counted(slack, ratchet, metric):
    await slack.connected()
    mia = slack.person("mia")
    await mia.command("#payments", "/incident declare Checkout is down")
    await mia.command("#payments", "/incident status 1 resolved")
    await mia.command("#payments", "/incident nonsense of mine")
    await slack.until(lambda: slack.workspace.channel("#status").messages != [])
    await ratchet.worker.deliver_due()

    requests = "ratchet_requests_total"
    assert await metric(requests, door="command", verb="declare", outcome="done") == 1
    assert await metric(requests, door="command", verb="status", outcome="refused") == 1
    assert await metric(requests, door="command", verb="unknown", outcome="refused") == 1
    for surface in ("working_card", "status_card"):
        delivered = {"surface": surface, "outcome": "delivered"}
        assert await metric("ratchet_deliveries_total", **delivered) == 1
    assert await metric("ratchet_acknowledgement_seconds_count", door="command") == 3


async def test_the_time_to_the_first_public_text_is_counted_once(slack, ratchet, metric, clock):
    await slack.connected()
    mia = slack.person("mia")
    await mia.command("#payments", "/incident declare Checkout is down severity:high")
    await mia.command("#payments", "/incident declare Leaked key severity:high private")
    for text in ("We are looking.", "A fix is out."):
        await mia.command("#payments", f"/incident update 1 {text}")
    await settled(ratchet, clock)

    counted = "ratchet_incident_public_update_seconds_count"
    assert await metric(counted, severity="high") == 1


async def test_dead_messages_are_counted(slack, ratchet, http, metric):
    slack.faults.refuse("chat.postMessage", error="is_archived", times=None)
    team = slack.workspace.team_id
    assert await ratchet.people.serves(team)
    actor = an_actor(workspace=team, channel="C0PAYMENTS")
    await ratchet.incidents.execute(a_declaration(actor=actor))
    await slack.until(lambda: len(slack.calls_of("chat.postMessage")) == 2)
    await ratchet.worker.deliver_due()

    assert await metric("ratchet_outbox_messages", state="dead") == 2
    assert await metric("ratchet_outbox_messages", state="available") == 0
    async with http.get("/readyz") as ready:
        assert (ready.status, (await ready.json())["dead_messages"]) == (200, 2)


async def test_no_metric_holds_a_text_of_a_person(slack, ratchet, http):
    await slack.connected()
    mia = slack.person("mia")
    await mia.command("#payments", "/incident declare Quokka is down")
    await mia.command("#payments", "/incident note 1 the quokka has db-3")
    await mia.command("#payments", "/incident quokka")
    await ratchet.incidents.execute(
        a_change(
            actor=an_actor(workspace=slack.workspace.team_id), ref=1, public=PublicText("Quokka")
        )
    )
    await ratchet.worker.deliver_due()

    async with http.get("/metrics") as answer:
        assert "quokka" not in (await answer.text()).lower()


# --- forged requests ---------------------------------------------------------------------------


BODY = b"command=%2Fincident&text=list"
FORGED = {
    "not signed": lambda _: (BODY, {}),
    "another's signature": lambda signed: (BODY, {**signed(BODY), SIGNATURE: "v0=" + "0" * 64}),
    "another version of the signature": lambda signed: (
        BODY,
        {**signed(BODY), SIGNATURE: "v1=" + "0" * 64},
    ),
    "a malformed signature": lambda signed: (BODY, {**signed(BODY), SIGNATURE: "v0=é"}),
    "another body": lambda signed: (BODY + b"x", signed(BODY)),
    "no timestamp": lambda signed: (BODY, {**signed(BODY), TIMESTAMP: ""}),
    "a malformed timestamp": lambda signed: (BODY, {**signed(BODY), TIMESTAMP: "soon"}),
    "a timestamp in Arabic digits": lambda signed: (BODY, {**signed(BODY), TIMESTAMP: "\u0661"}),
    "too old": lambda signed: (BODY, signed(BODY, age_seconds=302)),
    "from the future": lambda signed: (BODY, signed(BODY, age_seconds=-302)),
    "not UTF-8": lambda signed: (b"\xff\xfe", signed(BODY)),
    "a certificate check": lambda signed: (b"ssl_check=1&token=x", signed(BODY)),
    "a challenge": lambda signed: (b'{"type":"url_verification","challenge":"x"}', signed(BODY)),
    "signed with an empty secret": lambda signed: (
        BODY,
        {**signed(BODY), SIGNATURE: unkeyed(BODY)},
    ),
}


def unkeyed(body):
    """The signature with an empty secret."""
    base = f"v0:{int(time.time())}:".encode() + body
    return "v0=" + hmac.new(b"", base, hashlib.sha256).hexdigest()


@pytest.fixture
def signed(slack):
    """Makes the headers that Slack sends with a body."""

    def signed(body, *, age_seconds=0):
        at = time.time() - age_seconds
        return slack.signed_headers(body, content_type=FORM, at=at)

    return signed


@pytest.mark.parametrize("forge", FORGED.values(), ids=FORGED)
async def test_a_forged_request_gets_401_and_leaves_only_a_count(
    ratchet, http, metric, capsys, forge, signed
):
    before = contents(ratchet.store)
    capsys.readouterr()
    body, headers = forge(signed)

    async with http.post("/slack/events", data=body, headers=headers) as answer:
        assert answer.status == 401

    assert await metric("ratchet_requests_total", **UNVERIFIED) == 1
    assert capsys.readouterr() == ("", "")
    assert contents(ratchet.store) == before


async def test_a_replayed_recording_changes_nothing(slack, ratchet, http, signed):
    slack.request_url = f"{ratchet.http.address}/slack/events"
    asked = await slack.person("mia").command("#payments", "/incident declare Checkout is down")
    recorded = urlencode(asked.request.payload).encode()
    await slack.until(lambda: slack.workspace.channel("#payments").messages)
    await ratchet.worker.deliver_due()
    before = contents(ratchet.store)

    async def played(age_seconds):
        headers = signed(recorded, age_seconds=age_seconds)
        async with http.post("/slack/events", data=recorded, headers=headers) as answer:
            return answer.status

    assert [await played(age) for age in (0, 0, 290, 302, 3_600)] == [200, 200, 200, 401, 401]
    assert contents(ratchet.store) == before


@pytest.mark.parametrize("path", ["/slack/install", "/slack/oauth_redirect", "/slack/x"])
@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"])
async def test_slack_has_one_address(http, signed, method, path):
    async with http.request(method, path, data=BODY, headers=signed(BODY)) as answer:
        assert answer.status == 404
    async with http.request(method, path) as answer:
        assert answer.status == 401


async def test_slack_can_verify_the_address_and_check_its_certificate(slack, ratchet):
    slack.request_url = f"{ratchet.http.address}/slack/events"

    assert await slack.courier.verify_url()
    assert await slack.courier.check_ssl() == 200


async def test_a_body_announced_as_too_large_is_refused_unread(ratchet, signed):
    host, port = ratchet.http.address.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    headers = "".join(f"{name}: {value}\r\n" for name, value in signed(BODY).items())
    announced = f"Host: x\r\nContent-Length: {SLACK_BODY_MAX + 1}\r\n{headers}"
    writer.write(f"POST /slack/events HTTP/1.1\r\n{announced}\r\n".encode())

    assert (await reader.readline()).startswith(b"HTTP/1.1 413")
    writer.close()


@pytest.mark.parametrize("declared", [True, False])
async def test_a_body_larger_than_slacks_largest_is_refused(http, metric, signed, declared):
    async def unknown_length():
        yield body

    body = b"x" * (SLACK_BODY_MAX + 1)
    data = body if declared else unknown_length()
    async with http.post("/slack/events", data=data, headers=signed(body)) as answer:
        assert answer.status == 413

    assert await metric("ratchet_requests_total", **UNVERIFIED) == 1


async def test_a_connection_closed_within_its_body_leaves_no_trace(
    ratchet, http, metric, signed, capsys
):
    capsys.readouterr()
    host, port = ratchet.http.address.removeprefix("http://").split(":")
    _, writer = await asyncio.open_connection(host, int(port))
    headers = "".join(f"{name}: {value}\r\n" for name, value in signed(BODY).items())
    head = f"POST /slack/events HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n{headers}\r\n"
    writer.write(head.encode() + BODY)
    await writer.drain()
    writer.close()
    await writer.wait_closed()
    async with http.get("/healthz") as alive:
        assert alive.status == 200

    assert await metric("ratchet_requests_total", **UNVERIFIED) is None
    assert capsys.readouterr() == ("", "")


async def test_websockets_are_refused(http):
    for path in ("/slack/events", "/healthz"):
        with pytest.raises(aiohttp.WSServerHandshakeError):
            await http.ws_connect(path)


async def test_without_a_signing_secret_slacks_address_does_not_exist(environment, clock):
    del environment["SLACK_SIGNING_SECRET"]
    app = build(Settings.from_env(environment), clock=clock)
    await app.start()
    async with (
        aiohttp.ClientSession(app.http.address) as http,
        http.post("/slack/events", data=b"x") as answer,
    ):
        assert answer.status == 404
    await app.stop()


# --- start and stop ----------------------------------------------------------------------------


def a_server(**changes):
    fields: dict[str, Any] = {
        "host": "127.0.0.1",
        "port": 0,
        "rest": FastAPI(),
        "slack": None,
        "metrics": Metrics(),
    }
    return HttpServer(**fields | changes)


async def test_a_port_in_use_is_reported_with_a_cure():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(AddressTaken) as raised:
            await a_server(port=port).start()

    assert str(raised.value) == (
        f"PORT {port} on HOST 127.0.0.1 cannot be used (Address already in use): "
        "stop the other program, or set another PORT"
    )


async def test_one_of_two_servers_on_a_port_fails_to_start():
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    servers = [a_server(port=port) for _ in range(2)]

    ended = await asyncio.gather(*(server.start() for server in servers), return_exceptions=True)

    assert sorted(type(end).__name__ for end in ended) == ["AddressTaken", "NoneType"]
    await asyncio.gather(*(server.stop() for server in servers))


@pytest.mark.parametrize("host", ["é..x", "a" * 70 + ".example"])
async def test_an_invalid_host_is_reported(host):
    with pytest.raises(AddressTaken, match="HOST"):
        await a_server(host=host).start()


@pytest.mark.parametrize(
    ("host", "address"), [("127.0.0.1", "http://127.0.0.1:"), ("::1", "http://[::1]:")]
)
async def test_the_address_of_a_server_is_reachable(host, address):
    server = a_server(host=host)
    await server.start()
    assert server.address.startswith(address)
    async with aiohttp.ClientSession() as http, http.get(f"{server.address}/nowhere") as answer:
        assert answer.status == 404
    await server.stop()


@pytest.mark.parametrize(
    ("proxies", "seen"),
    [
        (("127.0.0.1/32", "::1/128"), "203.0.113.9"),
        (("127.0.0.0/8",), "203.0.113.9"),
        (("10.0.0.0/8",), "127.0.0.1"),
        ((), "127.0.0.1"),
    ],
    ids=["an address", "a network", "another network", "nobody"],
)
async def test_only_a_trusted_proxy_names_the_client(proxies, seen):
    async def who(scope, receive, send):
        await PlainTextResponse(scope["client"][0])(scope, receive, send)

    server = a_server(rest=who, proxies=proxies)
    await server.start()
    async with (
        aiohttp.ClientSession(headers={"X-Forwarded-For": "203.0.113.9"}) as http,
        http.get(server.address) as answer,
    ):
        assert await answer.text() == seen
    await server.stop()


async def test_a_port_can_be_reused_at_once():
    first = a_server()
    await first.start()
    port = int(first.address.rsplit(":", 1)[1])
    async with aiohttp.ClientSession() as http, http.get(f"{first.address}/x"):
        pass
    await first.stop()
    second = a_server(port=port)
    await second.start()
    await second.stop()


async def test_a_stop_waits_for_no_timer():
    server = a_server()
    await server.start()
    async with aiohttp.ClientSession(server.address) as http, http.get("/nowhere"):
        stopping = asyncio.create_task(server.stop())
        for _ in range(100):  # rounds of the loop, which take far less time than any timer
            await asyncio.sleep(0)
        assert stopping.done()


async def test_a_server_that_never_started_can_be_stopped():
    await a_server().stop()


async def test_a_request_before_the_stop_is_answered(slack, settings, clock):
    app = build(settings, clock=clock)
    await app.start()
    slack.request_url = f"{app.http.address}/slack/events"
    slow = slack.faults.slow("users.info", seconds=60, times=1)
    asking = asyncio.create_task(slack.person("mia").command("#payments", "/incident list"))
    await slack.until(lambda: slow.hits == 1)
    stopping = asyncio.create_task(app.stop())
    port = int(app.http.address.rpartition(":")[2])
    await until(lambda: not listening(port))
    slow.clear()

    asked = await asking
    await stopping
    assert asked.error is None
    assert "Open incidents: none" in (await asked.answer()).words()


async def test_an_app_can_be_stopped_twice(settings, clock):
    app = build(settings, clock=clock)
    await app.start()
    await app.stop()
    await app.stop()
