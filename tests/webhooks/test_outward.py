"""Requests to addresses of other people: real servers of this machine, names in the test's hand."""

from __future__ import annotations

import contextlib
import socket
from datetime import UTC, datetime

import pytest
from aiohttp import web

from bot.webhooks.outward import CallFailed, Outward, is_barred, is_public
from tests.patience import PATIENCE_SECONDS
from tests.ports import a_free_port
from tests.webhooks.receiver import Names, a_receiver

NINE = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)
PUBLIC = "93.184.216.34"


def an_outward(*, allow_private=False, resolver=None, timeout_seconds=PATIENCE_SECONDS):
    return Outward(
        allow_private=allow_private,
        agent="Ratchet",
        resolver=resolver,
        timeout_seconds=timeout_seconds,
    )


async def posted(outward, url, body=b"{}", headers=None):
    async with outward:
        return await outward.post(url, body, headers or {}, at=NINE)


async def refused(outward, url):
    with pytest.raises(CallFailed) as caught:
        await posted(outward, url)
    # Nothing of the address is in the error, or behind it.
    assert str(caught.value) == caught.value.code
    assert caught.value.__cause__ is caught.value.__context__ is None
    return caught.value.code


async def test_it_posts_the_bytes_with_their_headers():
    async with a_receiver() as own:
        url = f"http://127.0.0.1:{own.port}/hooks/a%2Fb?token=c%3Dd"
        answer = await posted(an_outward(allow_private=True), url, b'{"a":1}', {"webhook-id": "x"})

    ((path, headers, body),) = own.got
    assert answer.took_it
    assert (path, body) == ("/hooks/a%2Fb?token=c%3Dd", b'{"a":1}')
    assert (headers["webhook-id"], headers["Content-Type"]) == ("x", "application/json")
    assert headers["User-Agent"] == "Ratchet"


@pytest.mark.parametrize(
    ("status", "took_it"), [(200, True), (204, True), (299, True), (304, False), (410, False)]
)
async def test_any_2xx_is_a_success(status, took_it):
    async def answer(_request):
        return web.Response(status=status)

    async with a_receiver(answer) as own:
        got = await posted(an_outward(allow_private=True), own.url)

    assert (got.status, got.took_it) == (status, took_it)


RETRY_AFTER = [
    ("30", 30),
    ("999999999999", 86_400),
    ("Sun, 01 Mar 2026 09:02:00 GMT", 120),
    ("Sun, 01 Mar 2026 08:00:00 GMT", 0),
    ("soon", 0),
    ("-5", 0),
    ("٣", 0),
]


@pytest.mark.parametrize(("wish", "seconds"), RETRY_AFTER)
async def test_a_pause_is_read_as_a_number_or_as_a_date(wish, seconds):
    async def answer(_request):
        return web.Response(status=503, headers={"Retry-After": wish})

    async with a_receiver(answer) as own:
        got = await posted(an_outward(allow_private=True), own.url)

    assert got.retry_after_seconds == seconds


async def test_a_redirect_is_not_followed():
    async with a_receiver() as inner:

        async def answer(_request):
            return web.Response(status=307, headers={"Location": inner.url})

        async with a_receiver(answer) as own:
            got = await posted(an_outward(allow_private=True), own.url)

    assert (got.status, got.took_it, inner.got) == (307, False, [])


async def test_no_proxy_is_read_from_the_environment(monkeypatch):
    async with a_receiver() as proxy, a_receiver() as own:
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
        await posted(an_outward(allow_private=True), own.url)

    assert (len(own.got), proxy.got) == (1, [])


async def test_an_endless_answer_keeps_nobody():
    async def answer(request):
        response = web.StreamResponse()
        await response.prepare(request)
        with contextlib.suppress(ConnectionError):
            while True:
                await response.write(b"x" * 65_536)
        return response

    async with a_receiver(answer) as own:
        assert (await posted(an_outward(allow_private=True), own.url)).took_it


PRIVATE = {
    "127.0.0.1": "loopback",
    "127.255.0.9": "loopback",
    "0.0.0.0": "this host",  # noqa: S104 - nothing is bound to it
    "10.1.2.3": "private",
    "172.16.0.1": "private",
    "192.168.1.1": "private",
    "100.64.0.1": "shared by a carrier",
    "169.254.169.254": "link-local, metadata of a cloud",
    "192.0.0.1": "reserved for protocols",
    "192.0.2.1": "documentation",
    "198.18.0.1": "benchmarks",
    "224.0.0.1": "multicast",
    "240.0.0.1": "reserved",
    "255.255.255.255": "broadcast",
    "::": "this host",
    "::1": "loopback",
    "fe80::1": "link-local",
    "fe80::1%1": "link-local with a zone",
    "fc00::1": "unique local",
    "fd12:3456::1": "unique local",
    "fec0::1": "site-local",
    "ff02::1": "multicast",
    "2001:db8::1": "documentation",
    "::ffff:127.0.0.1": "mapped",
    "::ffff:a00:1": "mapped",
    "::7f00:1": "compatible",
    "64:ff9b::7f00:1": "translated",
    "64:ff9b:1::1": "translated, local",
    "2002:7f00:1::": "6to4",
    "2001:0:7f00:1::": "Teredo",
}
# No setting allows these.
BARRED = {
    "169.254.169.254": "link-local, metadata of a cloud",
    "169.254.170.2": "link-local, credentials of a container",
    "100.100.100.200": "metadata of a cloud in a carrier's network",
    "168.63.129.16": "metadata of a cloud in a public network",
    "192.0.0.192": "metadata of a cloud among protocols",
    "fd00:ec2::254": "metadata of a cloud in a unique local network",
    "fd20:ce::254": "metadata of a cloud in a unique local network",
    "0.0.0.0": "no address",  # noqa: S104 - nothing is bound to it
    "224.0.0.1": "multicast",
    "239.1.2.3": "multicast",
    "::": "no address",
    "fe80::1": "link-local",
    "fe80::1%1": "link-local with a zone",
    "ff02::1": "multicast",
    "::ffff:169.254.169.254": "mapped",
    "::ffff:0:0": "mapped",
    "::a9fe:a9fe": "compatible",
    "64:ff9b::a9fe:a9fe": "translated",
    "2002:a9fe:a9fe::": "6to4",
}
LOCAL = ["127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "100.64.0.1", "::1", "fd12:3456::1"]
EVERYBODYS = [PUBLIC, "1.1.1.1", "2606:4700::1111", "::ffff:1.1.1.1", "64:ff9b::101:101"]


@pytest.mark.parametrize(
    ("text", "public"),
    [*((text, False) for text in PRIVATE | BARRED), *((text, True) for text in EVERYBODYS)],
)
def test_which_addresses_everybody_can_reach(text, public):
    assert is_public(text) is public


@pytest.mark.parametrize(
    ("text", "barred"),
    [*((text, True) for text in BARRED), *((text, False) for text in (*LOCAL, *EVERYBODYS))],
)
def test_which_addresses_no_setting_allows(text, barred):
    assert is_barred(text) is barred


@pytest.mark.parametrize("allow_private", [False, True])
@pytest.mark.parametrize("address", BARRED)
async def test_no_setting_leads_to_the_metadata_of_a_cloud(address, allow_private):
    names = Names(inside_example=[[address]])
    outward = an_outward(allow_private=allow_private, resolver=names)

    assert await refused(outward, "https://inside.example/") == "barred_address"


@pytest.mark.parametrize("host", ["169.254.169.254", "[fe80::1]", "[::ffff:169.254.169.254]"])
async def test_no_setting_leads_to_a_written_address_of_metadata(host):
    """Without a name there is no look-up; the socket is asked for all the same."""
    assert await refused(an_outward(allow_private=True), f"http://{host}/") == "barred_address"


@pytest.mark.parametrize("text", ["127.1", "2130706433", "0x7f000001", "0177.0.0.1", "localhost"])
def test_only_a_full_notation_is_an_address(text):
    assert not is_public(text)
    assert is_barred(text)


@pytest.mark.parametrize("address", sorted(PRIVATE.keys() - BARRED.keys()))
async def test_a_name_that_leads_to_a_private_network_is_not_called(address):
    names = Names(inside_example=[[address]])

    assert await refused(an_outward(resolver=names), "https://inside.example/") == "private_address"


WRITTEN = [
    "127.0.0.1",
    "2130706433",
    "0x7f000001",
    "0177.0.0.1",
    "127.1",
    "[::1]",
    "[::ffff:127.0.0.1]",
    "[0:0:0:0:0:ffff:7f00:1]",
]


@pytest.mark.parametrize("host", WRITTEN)
async def test_no_notation_of_an_address_reaches_this_machine(host):
    async with a_receiver() as own:
        # A system's resolver takes these notations.
        loopback = {host.strip("[]"): [["127.0.0.1"]]}
        names = Names()
        names.answers = loopback
        code = await refused(an_outward(resolver=names), f"https://{host}:{own.port}/")

    assert code in {"private_address", "bad_address"}
    assert own.got == []


async def test_a_name_that_resolves_anew_to_a_private_network_is_not_called_again():
    names = Names(changing_example=[[PUBLIC], ["127.0.0.1"]])
    url = "https://changing.example/"
    async with an_outward(resolver=names) as outward:
        # The first look-up leads to everybody's address; a test may not connect to it.
        with pytest.raises(RuntimeError, match=PUBLIC):
            await outward.post(url, b"{}", {}, at=NINE)
        with pytest.raises(CallFailed, match="private_address"):
            await outward.post(url, b"{}", {}, at=NINE)

    assert names.asked == ["changing.example"] * 2


async def test_the_private_ones_among_several_addresses_are_not_called():
    async with a_receiver() as own:
        names = Names(several_example=[["127.0.0.1", "::1", "10.0.0.1"]])
        code = await refused(an_outward(resolver=names), f"https://several.example:{own.port}/")

    assert (code, own.got) == ("private_address", [])


WRONG = [
    ("http://example.com/", "not_https"),
    ("ftp://example.com/", "bad_address"),
    ("https:///hooks", "bad_address"),
    ("https://example.com:0/", "bad_address"),
    ("https://example.com:99999/", "bad_address"),
    ("https://[::1/", "bad_address"),
    ("https://user@example.com/", "has_password"),
    ("https://user:secret@example.com/", "has_password"),
    ("https://127.0.0.1@example.com/", "has_password"),
    ("hooks", "bad_address"),
]


@pytest.mark.parametrize(("url", "code"), WRONG)
async def test_an_address_of_a_wrong_form_is_refused_before_anything_is_resolved(url, code):
    names = Names()

    assert await refused(an_outward(resolver=names), url) == code
    assert names.asked == []


async def test_with_the_setting_private_networks_and_http_are_allowed():
    async with a_receiver() as own:
        names = Names(inside_example=[["127.0.0.1"]])
        outward = an_outward(allow_private=True, resolver=names)
        answer = await posted(outward, f"http://inside.example:{own.port}/")

    assert (answer.took_it, len(own.got)) == (True, 1)


async def test_a_silent_receiver_ends_after_the_timeout():
    with socket.create_server(("127.0.0.1", 0)) as silent:
        outward = an_outward(allow_private=True, timeout_seconds=0.05)
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/"

        assert await refused(outward, url) == "timeout"


async def test_each_way_in_which_no_answer_comes_has_its_name():
    async def cut(request):
        request.transport.abort()
        return web.Response()

    async with a_receiver(cut) as own:
        here = f"127.0.0.1:{own.port}"
        cases = {
            f"http://{here}/": "cut_off",
            f"https://{here}/": "no_tls",
            f"http://127.0.0.1:{a_free_port()}/": "no_connection",
            "https://nowhere.example/": "no_such_host",
        }
        found = {
            url: await refused(an_outward(allow_private=True, resolver=Names()), url)
            for url in cases
        }

    assert found == cases
