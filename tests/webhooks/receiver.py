"""A receiver of webhooks: a server of this machine that keeps what it gets."""

from __future__ import annotations

import contextlib
import socket
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from aiohttp import web
from aiohttp.abc import AbstractResolver


@dataclass
class Receiver:
    """``got`` has path, headers and body of each request. ``status`` is free for ``answer``."""

    port: int = 0
    status: int = 200
    got: list[tuple[str, dict, bytes]] = field(default_factory=list)

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}/hooks"


@contextlib.asynccontextmanager
async def a_receiver(answer=None):
    """Serves as long as the block lasts. ``answer`` makes its response from a request."""
    receiver = Receiver()

    async def take(request):
        receiver.got.append((request.path_qs, dict(request.headers), await request.read()))
        return await answer(request) if answer else web.Response()

    application = web.Application()
    application.router.add_route("*", "/{path:.*}", take)
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    receiver.port = runner.addresses[0][1]
    try:
        yield receiver
    finally:
        await runner.cleanup()


class Names(AbstractResolver):
    """Resolves each name to the addresses that a test gave it, one list for each look-up."""

    def __init__(self, **answers):
        self.answers = {name.replace("_", "."): list(each) for name, each in answers.items()}
        self.asked = []

    async def resolve(self, host, port=0, family=socket.AF_INET):  # noqa: ARG002 - its signature
        self.asked.append(host)
        if host not in self.answers:
            raise OSError(None, "no such name")
        known = self.answers[host]
        found = known.pop(0) if len(known) > 1 else known[0]
        return [
            {
                "hostname": host,
                "host": each,
                "port": port,
                "family": socket.AF_INET6 if ":" in each else socket.AF_INET,
                "proto": 0,
                "flags": 0,
            }
            for each in found
        ]

    async def close(self):
        """Nothing is open."""


@contextlib.contextmanager
def a_receiver_beside():
    """One in a thread of its own, for commands that run a loop themselves; ``status`` is free."""

    class Beside(ThreadingHTTPServer):
        def __init__(self):
            super().__init__(("127.0.0.1", 0), Taking)
            self.got = []
            self.status = 200
            self.url = f"http://127.0.0.1:{self.server_port}/hooks?token=tok3n"

    class Taking(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            server.got.append((self.path, dict(self.headers.items()), body))
            self.send_response(server.status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_):
            """Nothing."""

    with Beside() as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
