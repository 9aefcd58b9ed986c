"""What holds for every test: an empty environment, an odd time zone, a network that ends here."""

from __future__ import annotations

import ipaddress
import os
import sys
import time
from typing import Any

from hypothesis import settings

# What a process needs to run at all; anything else that a shell carries (tokens, DATABASE_URL,
# PYTHONPATH, …) must not decide whether a test passes.
KEPT = ("CI", "HOME", "PATH", "TMPDIR")
KEPT_PREFIXES = ("COV_", "COVERAGE_", "PYTEST_")

# Nepal's offset, written so that it needs no zone database: whatever reads the machine's own zone
# by mistake is 5:45 off.
ODD_ZONE = "NPT-5:45"


class ConnectionLeftTheMachine(RuntimeError):
    """A test tried to reach another machine. No OSError: clients would catch that and try again."""


def is_local(host: object) -> bool:
    if host in (None, "", b"", "localhost", b"localhost"):
        return True
    name = host.decode() if isinstance(host, bytes) else str(host)
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def keep_to_this_machine(event: str, arguments: tuple[Any, ...]) -> None:
    """Refuse the two ways out: an address connected or sent to, and a name looked up.

    A path or an abstract name (str or bytes) is a unix socket and stays here by nature.
    """
    match event, arguments:
        case ("socket.connect" | "socket.sendto", (_, (host, *_))) if not is_local(host):
            raise ConnectionLeftTheMachine(host)
        case ("socket.getaddrinfo" | "socket.gethostbyname", (host, *_)) if not is_local(host):
            raise ConnectionLeftTheMachine(host)


# An audit hook sees every socket that Python opens, whichever library opens it. (uvloop opens its
# own, in C: servers started inside a test run on asyncio's loop.)
sys.addaudithook(keep_to_this_machine)

for name in list(os.environ):
    if name not in KEPT and not name.startswith(KEPT_PREFIXES):
        del os.environ[name]
os.environ["TZ"] = ODD_ZONE
time.tzset()

# No deadline: a machine that is busy with something else must not fail a property.
settings.register_profile("ratchet", settings(), deadline=None)
settings.load_profile("ratchet")


def pytest_addoption(parser):
    parser.addoption(
        "--update-golden",
        action="store_true",
        help="write the golden files of tests/slack/goldens anew; the diff is the review",
    )
    parser.addoption(
        "--torture-minutes",
        type=float,
        default=30,
        help="how long `make torture` kills servers, for each database",
    )
