"""Slow clients delay nobody else, and are cut off after a timeout."""

from __future__ import annotations

import asyncio
import socket
import time
from contextlib import suppress
from datetime import timedelta

import aiohttp
import pytest
from starlette.responses import Response

from bot.http.server import HEAD_MAX, HttpServer
from bot.sandbox import Limits
from bot.telemetry import Metrics
from tests.patience import until
from tests.promises.conftest import tell
from tests.standin import a_standin

SLOW = 200
HEAD = b"POST /v1/incidents HTTP/1.1\r\nHost: x\r\n"
SIGNED = b"X-Slack-Signature: v0=" + b"0" * 64 + b"\r\nX-Slack-Request-Timestamp: 1\r\n"
BODIES = {
    "a head": b"X-Endless: ",
    "a body for the API": b"Authorization: Bearer x\r\nContent-Length: 60000\r\n\r\n",
    "a body for Slack's door": SIGNED + b"Content-Length: 60000\r\n\r\n",
    "a body in pieces": b"Transfer-Encoding: chunked\r\n\r\n5\r\n",
}


@pytest.fixture
async def slack(clock):
    async with a_standin(clock=clock.seconds, limits=Limits(posting=False)) as slack:
        yield slack


def address(server):
    host, port = server.address.removeprefix("http://").split(":")
    return host, int(port)


async def sends_slowly(server, number):
    """Sends one byte after another, as long as it may."""
    kind = list(BODIES)[number % len(BODIES)]
    _, writer = await asyncio.open_connection(*address(server))
    path = b"/slack/events" if "Slack" in kind else b"/v1/incidents"
    writer.write(HEAD.replace(b"/v1/incidents", path) + BODIES[kind])
    with suppress(ConnectionError):
        while True:
            writer.write(b"x")
            await writer.drain()
            await asyncio.sleep(0.05)


async def reads_slowly(server, _number):
    """Asks for the longest answer that there is without a key, and takes it byte by byte."""
    reader, writer = await asyncio.open_connection(*address(server), limit=1)
    writer.write(b"GET /openapi.json HTTP/1.1\r\nHost: x\r\n\r\n")
    with suppress(ConnectionError, asyncio.IncompleteReadError):
        while True:
            await reader.readexactly(1)
            await asyncio.sleep(0.05)


@pytest.mark.torture
@pytest.mark.parametrize("slow", [sends_slowly, reads_slowly], ids=lambda slow: slow.__name__)
async def test_200_slow_clients_delay_nobody_else(slow, ratchet, slack, mia, figures):
    await tell(mia, "declare Checkout is down")
    async with aiohttp.ClientSession(ratchet.http.address) as http:
        async with http.get("/openapi.json") as answer:  # rendered at the first request
            await answer.read()
        clients = [asyncio.create_task(slow(ratchet.http, number)) for number in range(SLOW)]
        await until(lambda: len(ratchet.http.connections) >= SLOW)

        began = time.monotonic()
        for number in range(20):
            await tell(mia, f"note 1 still here {number}", "list")
            async with http.get("/healthz") as answer:
                assert answer.status == 200
        taken = time.monotonic() - began

    for client in clients:
        client.cancel()
    ended = await asyncio.gather(*clients, return_exceptions=True)
    assert [end for end in ended if isinstance(end, Exception)] == []
    figures(f"60 requests beside {SLOW} clients, {slow.__name__}: {taken:.2f} s")
    assert taken < 10


# --- closed after the timeout ------------------------------------------------------------------

LONG = b"x" * 30_000_000


async def the_rest(scope, receive, send):
    """Reads the body that is announced, and answers at length."""
    part = await receive()
    while part.get("more_body"):
        part = await receive()
    body = LONG if scope["path"] == "/long" else part["type"].encode()
    await Response(body)(scope, receive, send)


@pytest.fixture
async def server():
    server = HttpServer(
        host="127.0.0.1",
        port=0,
        rest=the_rest,
        slack=the_rest,
        metrics=Metrics(),
        patience=timedelta(seconds=1),
    )
    await server.start()
    yield server
    await server.stop()


UNFINISHED = {
    "nothing": (b"", b""),
    "half a line": (b"GET / HT", b""),
    "half a head": (b"GET / HTTP/1.1\r\nX-Endless: ", b""),
    "half of the next": (b"GET / HTTP/1.1\r\n\r\nGET / HT", b"HTTP/1.1 200"),
    "a body": (b"POST / HTTP/1.1\r\nContent-Length: 9\r\n\r\nx", b"http.disconnect"),
    "pieces": (
        b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nx",
        b"http.disconnect",
    ),
    "Slack": (
        b"POST /slack/events HTTP/1.1\r\n" + SIGNED + b"Content-Length: 9\r\n\r\nx",
        b"HTTP/1.1 408",
    ),
}


async def test_an_unfinished_request_is_closed_after_the_timeout(server):
    async def answer(sent):
        reader, writer = await asyncio.open_connection(*address(server))
        writer.write(sent)
        answered = b""
        with suppress(ConnectionError):
            answered = await reader.read()
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()
        return answered

    answers = await asyncio.gather(*(answer(sent) for sent, _ in UNFINISHED.values()))

    wanted = zip(UNFINISHED, answers, UNFINISHED.values(), strict=True)
    assert [name for name, answered, (_, expected) in wanted if expected not in answered] == []
    await until(lambda: not server.connections)


async def test_an_endless_head_is_cut_off(server):
    reader, writer = await asyncio.open_connection(*address(server))

    with suppress(ConnectionError):
        writer.write(b"GET / HTTP/1.1\r\nX-Endless: " + b"x" * (2 * HEAD_MAX))
        await writer.drain()
        assert await reader.read() == b""
    await until(lambda: not server.connections)
    writer.close()
    with suppress(ConnectionError):
        await writer.wait_closed()


async def test_an_answer_that_is_not_read_is_cut_off_after_the_timeout(server):
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
    listener.setblocking(False)
    loop = asyncio.get_running_loop()
    await loop.sock_connect(listener, address(server))
    await loop.sock_sendall(listener, b"GET /long HTTP/1.1\r\nHost: x\r\n\r\n")
    assert await loop.sock_recv(listener, 1)

    await until(lambda: not server.connections)
    listener.close()


async def test_bytes_that_are_no_http_leave_no_log_line(server, capfd, caplog):
    reader, writer = await asyncio.open_connection(*address(server))
    writer.write(b"\x16\x03\x01 hello\r\n\r\n")

    assert (await reader.read()).startswith(b"HTTP/1.1 400")
    writer.close()
    assert (caplog.records, capfd.readouterr()) == ([], ("", ""))
