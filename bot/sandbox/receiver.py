"""A receiver of webhooks, as another team writes it: it checks signatures, shows what came.

It knows Standard Webhooks, by the library for receivers, and nothing of the sender.
"""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from html import escape
from types import TracebackType
from typing import Any, Self

from aiohttp import web
from standardwebhooks import Webhook, WebhookVerificationError

# So many requests are shown, newest first.
SHOWN = 50
PATH = "/ratchet-demo"
STYLE = """
:root { color-scheme: light dark; --ink: #1d2733; --soft: #5b6875; --good: #1a7f4b; --bad: #b3261e;
  --page: #ffffff; --line: #d9dfe5; --code: #f4f6f8 }
@media (prefers-color-scheme: dark) { :root { --ink: #e7ecf1; --soft: #9fadba; --good: #5cc98d;
  --bad: #ff8a80; --page: #14191f; --line: #2c3640; --code: #1b222a } }
body { font: 15px/1.5 Inter, system-ui, sans-serif; color: var(--ink); background: var(--page);
  max-width: 46rem; margin: 1.5rem auto; padding: 0 1rem }
h1 { font-size: 1.3rem } .soft { color: var(--soft) } .good { color: var(--good) }
.bad { color: var(--bad) } details { border-bottom: 1px solid var(--line); padding: .5rem 0 }
summary { cursor: pointer } pre { background: var(--code); padding: .7rem; overflow-x: auto;
  font-size: 13px; border-radius: 4px }
"""


@dataclass(slots=True)
class Received:
    """One request. ``holds``: its signature; None until the secret is known."""

    at: datetime
    headers: dict[str, str]
    body: str
    holds: bool | None = None


class Receiver:
    """A server of this machine, as an asynchronous context."""

    def __init__(self) -> None:
        self.received: list[Received] = []
        self._secret: str | None = None
        self._runner: web.AppRunner | None = None

    async def __aenter__(self) -> Self:
        application = web.Application()
        application.add_routes([web.post(PATH, self._take), web.get(PATH, self._show)])
        self._runner = web.AppRunner(application, access_log=None)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    @property
    def url(self) -> str:
        """The address for requests. In a browser it shows them."""
        assert self._runner is not None  # noqa: S101 - it is asked while the server runs
        return f"http://127.0.0.1:{self._runner.addresses[0][1]}{PATH}"

    def trust(self, secret: str) -> None:
        """Checks what has come, and what comes, against ``secret``."""
        self._secret = secret
        for one in self.received:
            one.holds = self._holds(one)

    async def _take(self, request: web.Request) -> web.Response:
        one = Received(datetime.now(UTC), dict(request.headers), await request.text())
        one.holds = self._holds(one)
        self.received = [*self.received, one][-SHOWN:]
        return web.Response(status=401 if one.holds is False else 204)

    async def _show(self, _: web.Request) -> web.Response:
        return web.Response(text=await self.page(), content_type="text/html")

    def _holds(self, one: Received) -> bool | None:
        if self._secret is None:
            return None
        try:
            Webhook(self._secret).verify(one.body, one.headers)
        except WebhookVerificationError:
            return False
        return True

    async def page(self) -> str:
        """The requests as HTML, newest first: it runs no script and loads nothing."""
        shown = "".join(map(_drawn, reversed(self.received)))
        return (
            f'<!DOCTYPE html><html lang="en"><meta charset="utf-8"><title>Webhooks</title>'
            f"<style>{STYLE}</style><h1>Webhooks</h1>"
            '<p class="soft">What a receiver got from Ratchet, and whether each signature holds. '
            "Times are in UTC.</p>"
            f"{shown or '<p>Nothing has come yet.</p>'}</html>"
        )


def _drawn(one: Received) -> str:
    verdict = {
        True: '<span class="good">signature holds</span>',
        False: '<span class="bad">signature does not hold</span>',
        None: '<span class="soft">secret not known yet</span>',
    }[one.holds]
    told: Any = None
    with suppress(ValueError):
        told = json.loads(one.body)
    kind = told.get("type", "?") if isinstance(told, dict) else "?"
    text = one.body if told is None else json.dumps(told, indent=2, ensure_ascii=False)
    headers = "\n".join(
        f"{name}: {value}"
        for name, value in one.headers.items()
        if name.lower().startswith("webhook-")
    )
    return (
        f"<details><summary>{one.at:%H:%M:%S} <b>{escape(str(kind))}</b> {escape(_about(told))} "
        f"· {verdict}</summary><pre>{escape(headers)}</pre><pre>{escape(text)}</pre></details>"
    )


def _about(told: Any) -> str:
    """The incident or the component that a body names."""
    named = told if isinstance(told, dict) else {}
    for key in ("incident", "component"):
        about = named.get(key)
        if isinstance(about, dict) and about.get("name"):
            return f"{about['name']}: {about.get('status', '')}"
    return ""
