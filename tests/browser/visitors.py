"""People at browsers of their own."""

from __future__ import annotations

from contextlib import asynccontextmanager

from playwright.async_api import expect

# No sandbox of Chromium's own: tests run as root in containers. The rest keeps it from asking
# anything of any machine.
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
PATIENCE_MILLISECONDS = 10_000

expect.set_options(timeout=PATIENCE_MILLISECONDS)


@asynccontextmanager
async def visitors(slack, chromium, now=None):
    """Gives what opens the page as a person, each in a browser of their own:
    ``await at("mia", "#payments")``. ``now()`` is the time that their browsers show.

    A script error, a file that is not there, or a request to another machine is a fault in the end.
    """
    contexts, faults = [], []

    async def at(person, place="#payments", *, path=None, **looks):
        settings = {"viewport": WIDE, "locale": "en-GB", "timezone_id": "Asia/Kathmandu", **looks}
        context = await chromium.new_context(**settings)
        contexts.append(context)
        page = await context.new_page()
        if now is not None:
            await page.clock.set_fixed_time(now())
        page.set_default_timeout(PATIENCE_MILLISECONDS)
        page.on("pageerror", lambda error: faults.append(f"script: {error}"))
        page.on("console", lambda line: faults.extend(_complaints(line)))
        page.on("request", lambda asked: faults.extend(_elsewhere(asked.url, slack.url)))
        await page.goto(slack.url + (path or f"/?as={person}&at={place.removeprefix('#')}"))
        await page.locator("html[data-ready]").wait_for()
        return page

    yield at
    for context in contexts:
        await context.close()
    assert faults == []


def _complaints(line):
    # The sandbox answers so when the person cannot do what they try; the page then says why.
    expected = line.type != "error" or "409 (Conflict)" in line.text
    return [] if expected else [line.text]


def _elsewhere(url, home):
    return [] if url.startswith((home, "data:")) else [f"asked {url}"]
