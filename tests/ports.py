"""Ports for servers that are told theirs before they start."""

from __future__ import annotations

import random
import socket
from contextlib import suppress

# Below those that a system hands out by itself, to servers and to outgoing connections alike: one
# of those may be somebody else's by the time a process has started.
# Source: https://www.kernel.org/doc/html/latest/networking/ip-sysctl.html (ip_local_port_range)
NOT_HANDED_OUT = range(20_000, 32_000)


def a_free_port():
    """A port of this machine's own address at which nothing listens, and nothing will by chance."""
    for port in random.SystemRandom().sample(NOT_HANDED_OUT, k=100):
        with suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port
    raise AssertionError("no port is free")


def two_free_ports():
    """The first of two ports in a row at which nothing listens."""
    while listening((port := a_free_port()) + 1):
        pass
    return port


def listening(port):
    """Whether a server of this machine listens at ``port``."""
    with suppress(OSError), socket.create_connection(("127.0.0.1", port)):
        return True
    return False
