"""Requests to addresses that other people chose. They must not reach what only we can reach.

Each address is checked when a socket is opened for it. So it does not matter how a name was
written, to what it resolved before, or who resolved it. Redirects are not followed, and no proxy is
read from the environment. The body of an answer is not read: a caller could learn from it.
"""

from __future__ import annotations

import socket
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from types import TracebackType
from typing import Self

import aiohttp
from aiohttp.abc import AbstractResolver
from yarl import URL

TIMEOUT_SECONDS = 15
# A longer wait is none that a receiver can mean.
RETRY_AFTER_MAX_SECONDS = 86_400
# The end of a call without an answer, and its reason as the end of a sentence.
REASONS: Mapping[str, str] = {
    "bad_address": "is no address that can be called",
    "has_password": "has a name or a password before the host, and signatures need none",
    "not_https": "is no https:// address (WEBHOOK_ALLOW_PRIVATE=yes allows http://)",
    "private_address": "leads to a private network (WEBHOOK_ALLOW_PRIVATE=yes allows that)",
    "barred_address": "leads to a link-local or multicast address, or to the metadata of a cloud, "
    "and no setting allows that",
    "no_such_host": "has a host name that does not resolve",
    "no_connection": "takes no connection",
    "no_tls": "has no certificate that can be trusted, or speaks no TLS",
    "timeout": f"did not answer within {TIMEOUT_SECONDS} seconds",
    "cut_off": "ended the connection without an answer",
}
# In this order: some of these errors are kinds of others.
_CODES: Mapping[type[Exception], str] = {
    TimeoutError: "timeout",
    aiohttp.ClientConnectorDNSError: "no_such_host",
    aiohttp.ClientSSLError: "no_tls",
    aiohttp.ClientConnectorError: "no_connection",
    aiohttp.InvalidURL: "bad_address",
    UnicodeError: "bad_address",
}
# Networks inside of which an IPv4 address is written, with the bits after it.
_TRANSLATED = {
    ip_network("::/96"): 0,
    ip_network("64:ff9b::/96"): 0,
    ip_network("2002::/16"): 80,
}
# Local by their definition; the first ones are global to older versions of Python.
_LOCAL = tuple(
    map(ip_network, ("64:ff9b:1::/48", "100::/64", "2001::/23", "fec0::/10", "192.88.99.0/24"))
)
# Where clouds keep metadata and credentials of a machine, beside their link-local address.
_METADATA = frozenset(
    map(
        ip_address,
        ("168.63.129.16", "100.100.100.200", "192.0.0.192", "fd00:ec2::254", "fd20:ce::254"),
    )
)


class CallFailed(Exception):
    """No answer came. ``code`` is one of `REASONS`; no part of the address is in it."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code

    @property
    def reason(self) -> str:
        """The end of a sentence about the address."""
        return REASONS[self.code]


class _Unreachable(OSError):
    """One text for all, so that the last of several addresses does not hide it."""

    def __init__(self, code: str) -> None:
        super().__init__("the address may not be called")
        self.code = code


@dataclass(frozen=True, slots=True)
class HookAnswer:
    """The answer of an endpoint. ``retry_after_seconds``: the pause that it asks for, or 0."""

    status: int
    retry_after_seconds: int = 0

    @property
    def took_it(self) -> bool:
        """Whether it answered with any 2xx; a redirect is a failure."""
        return 200 <= self.status < 300


class Outward:
    """A client for such addresses, as an asynchronous context; it opens with the first call.

    ``allow_private`` permits private networks, and ``http://``; never what `is_barred`.
    ``resolver`` None: the machine's own.
    """

    def __init__(
        self,
        *,
        allow_private: bool,
        agent: str,
        resolver: AbstractResolver | None = None,
        timeout_seconds: float = TIMEOUT_SECONDS,
    ) -> None:
        self._allow_private = allow_private
        self._agent = agent
        self._resolver = resolver
        self._timeout_seconds = timeout_seconds
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def post(
        self, address: str, body: bytes, headers: Mapping[str, str], *, at: datetime
    ) -> HookAnswer:
        """Posts JSON once. ``at`` is the moment from which a date in ``Retry-After`` counts.

        Raises:
            CallFailed: no answer came, or the address may not be called.
        """
        url = self._checked(address)
        self._session = self._session or self._opened()
        try:
            async with self._session.post(
                url,
                data=body,
                headers={**headers, "Content-Type": "application/json"},
                allow_redirects=False,
            ) as answer:
                wish = answer.headers.get("Retry-After", "")
                # Closed rather than released: what follows the headers is never read.
                answer.close()
                return HookAnswer(answer.status, _seconds(wish, at))
        except (aiohttp.ClientError, OSError, ValueError) as error:
            # The error quotes the address, so it is dropped.
            code = code_of(error)
        raise CallFailed(code)

    def _opened(self) -> aiohttp.ClientSession:
        return aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                resolver=self._resolver,
                socket_factory=self._socket_for,
                # A kept connection may be closed at the other end: then nobody knows whether the
                # request arrived.
                force_close=True,
                use_dns_cache=False,
                limit=0,
            ),
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(total=self._timeout_seconds),
            auto_decompress=False,
            headers={"User-Agent": self._agent},
            trust_env=False,
        )

    def _checked(self, address: str) -> URL:
        url = _whole(address)
        if url is None:
            raise CallFailed("bad_address")
        if url.scheme == "http" and not self._allow_private:
            raise CallFailed("not_https")
        if url.raw_user is not None or url.raw_password is not None:
            raise CallFailed("has_password")
        return url

    def _socket_for(self, found: aiohttp.AddrInfoType) -> socket.socket:
        """A socket for one address to which a host resolved: the last place before it connects."""
        family, kind, protocol, _, place = found
        if is_barred(str(place[0])):
            raise _Unreachable("barred_address")
        if not self._allow_private and not is_public(str(place[0])):
            raise _Unreachable("private_address")
        return socket.socket(family, kind, protocol)


def is_public(text: str) -> bool:
    """Whether ``text`` is an IP address that everybody can reach.

    Only full notations count: a resolver gives no others, and ``127.1`` or ``0x7f000001`` is a
    trick.
    """
    address = _innermost(text)
    return (
        address is not None
        and address.is_global
        and not (address.is_multicast or address.is_reserved or _bars(address))
        and not any(address in network for network in _LOCAL if network.version == address.version)
    )


def is_barred(text: str) -> bool:
    """Whether no receiver of webhooks can mean the IP address ``text``, whatever is allowed.

    These are link-local and multicast addresses, the metadata of a cloud, and no address at all.
    """
    outer, inner = _parsed(text), _innermost(text)
    return outer is None or inner is None or _bars(outer) or _bars(inner)


def _bars(address: IPv4Address | IPv6Address) -> bool:
    return (
        address.is_link_local
        or address.is_multicast
        or address.is_unspecified
        or address in _METADATA
    )


def _parsed(text: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(text)
    except ValueError:
        return None


def _innermost(text: str) -> IPv4Address | IPv6Address | None:
    """The address at which packets to ``text`` end; None if it is no full notation of one."""
    address = _parsed(text)
    if isinstance(address, IPv6Address):
        return address.ipv4_mapped or _translated(address) or address
    return address


def _translated(address: IPv6Address) -> IPv4Address | None:
    """The IPv4 address that packets to ``address`` end at, if a gateway translates it."""
    for network, shift in _TRANSLATED.items():
        if address in network:
            return IPv4Address(int(address) >> shift & 0xFFFFFFFF)
    return None


def _whole(address: str) -> URL | None:
    with suppress(ValueError):
        url = URL(address)
        if url.scheme in {"https", "http"} and url.host and url.port:
            return url
    return None


def code_of(error: Exception) -> str:
    """The key of `REASONS` for an error of a call."""
    refused = getattr(error, "os_error", None)
    if isinstance(refused, _Unreachable):
        return refused.code
    return next((code for kind, code in _CODES.items() if isinstance(error, kind)), "cut_off")


def _seconds(wish: str, at: datetime) -> int:
    """The seconds of a ``Retry-After``, which is a number or a date; 0 for anything else."""
    if wish.isascii() and wish.isdecimal():
        return min(int(wish[:9]), RETRY_AFTER_MAX_SECONDS)
    try:
        until = parsedate_to_datetime(wish)
    except ValueError:
        return 0
    aware = until if until.tzinfo else until.replace(tzinfo=UTC)
    return max(0, min(int((aware - at).total_seconds()), RETRY_AFTER_MAX_SECONDS))
