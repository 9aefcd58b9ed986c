"""People, each in a separate browser."""

from __future__ import annotations

from contextlib import asynccontextmanager

from playwright.async_api import expect

from tests.patience import PATIENCE_SECONDS

# Tests run as root in containers, where Chromium's own sandbox does not work. The other switches
# keep Chromium from contacting other machines.
SWITCHES = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
WIDE = {"width": 1280, "height": 800}
PATIENCE_MILLISECONDS = PATIENCE_SECONDS * 1_000

expect.set_options(timeout=PATIENCE_MILLISECONDS)


@asynccontextmanager
async def visitors(slack, chromium, now=None):
    """Yields a function that opens the page as a person, each in a separate browser:
    ``await at("mia", "#payments")``. ``now()`` is the time in these browsers.

    At the end there must have been no script error, no missing file and no request to another
    machine.
    """
    contexts, errors = [], []

    async def at(person, place="#payments", *, path=None, **looks):
        settings = {"viewport": WIDE, "locale": "en-GB", "timezone_id": "Asia/Kathmandu", **looks}
        context = await chromium.new_context(**settings)
        contexts.append(context)
        page = await context.new_page()
        if now is not None:
            await page.clock.set_fixed_time(now())
        page.set_default_timeout(PATIENCE_MILLISECONDS)
        page.on("pageerror", lambda error: errors.append(f"script: {error}"))
        page.on("console", lambda line: errors.extend(_complaints(line)))
        page.on("request", lambda asked: errors.extend(_elsewhere(asked.url, slack.url)))
        await page.goto(slack.url + (path or f"/?as={person}&at={place.removeprefix('#')}"))
        await page.locator("html[data-ready]").wait_for()
        return page

    yield at
    for context in contexts:
        await context.close()
    assert errors == []


def _complaints(line):
    # The stand-in answers an impossible act with 409; the page then shows the reason.
    expected = line.type != "error" or "409 (Conflict)" in line.text
    return [] if expected else [line.text]


def _elsewhere(url, home):
    return [] if url.startswith((home, "data:")) else [f"asked {url}"]
