"""The unmodified bot, with its clock, behind the page of the stand-in."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest
import pytest_asyncio

from bot.demo import beside
from bot.sandbox import Limits
from bot.sandbox.story import Stage, story
from bot.stand_in import PAGE
from core.arranging import ComponentChange
from core.curating import Curation
from core.incident import Actor, Person
from core.page import DAYS
from tests.browser.visitors import visitors
from tests.clock import Clock
from tests.conversations.conftest import environment_for, running, settled
from tests.standin import MANIFEST, a_standin

PICTURES = Path(__file__).parents[3] / "docs/img"
# 03:12 in Berlin, the zone of these people.
HOURS_UNTIL_NIGHT = 17.2
NARROW = {"width": 1180, "height": 760}


@pytest_asyncio.fixture(loop_scope="session")
async def clock():
    clock = Clock()
    clock.advance(seconds=HOURS_UNTIL_NIGHT * 3600)
    return clock


@pytest_asyncio.fixture(loop_scope="session")
async def slack(clock):
    async with a_standin(MANIFEST, clock=clock.seconds, limits=Limits(posting=False)) as slack:
        for name, topic in {
            "general": "What concerns everybody",
            "payments": "Checkout, cards and invoices",
            "status": "Public updates on incidents",
        }.items():
            slack.workspace.channel(name).topic = topic
        yield slack


@pytest_asyncio.fixture(loop_scope="session")
async def ratchet(slack, clock, a_database, request):
    """The bot; a test of the hold sets its seconds as parameter."""
    hold = {"PUBLISH_DELAY": str(getattr(request, "param", 0))}
    with a_database("sqlite") as url:
        async with running(environment_for(slack, url, "socket") | hold, slack, clock) as app:
            yield app


@pytest_asyncio.fixture(loop_scope="session")
async def at(ratchet, slack, chromium, clock, request):
    """Opens the page as a person in Berlin; sharper for pictures."""
    sharp = {"device_scale_factor": 1.5} if request.config.getoption("--pictures", False) else {}
    async with visitors(slack, chromium, now=clock) as open_page:

        async def at(person, place="#payments", **looks):
            return await open_page(
                person,
                place,
                **{"timezone_id": "Europe/Berlin", "viewport": NARROW, **sharp, **looks},
            )

        yield at


@pytest_asyncio.fixture(loop_scope="session")
async def published(ratchet, slack, clock):
    """The status page, shown as in the demo: its address."""
    operator = Actor(
        workspace=slack.workspace.team_id, person=Person("key:operator", "operator"), admin=True
    )
    curation = Curation(ratchet.store, clock=clock)
    await curation.publish(operator, title=PAGE.title, slug=PAGE.slug)
    for position, name in enumerate(PAGE.components, 1):
        await ratchet.incidents.make_component(
            operator, name=name, description=None, group=None, then=lambda _tx, _made: None
        )
        began = clock().date() - timedelta(days=DAYS)
        change = ComponentChange(shown=True, position=position, start_date=began)
        await curation.change_component(operator, name, change)
    address = f"{ratchet.http.address}/status/{PAGE.slug}"
    slack.front.elsewhere["Status page"] = address
    slack.front.beside["Status page"] = partial(beside, address)
    return address


@pytest.fixture
def settle(ratchet, clock):
    """Waits until Slack shows every decision, then lets ``minutes`` pass, with a look at each."""

    async def settle(*pages, minutes=0):
        await settled(ratchet, clock)
        for _ in range(minutes):
            clock.advance(minutes=1)
            await ratchet.nudges.look()
            await ratchet.hand_overs.look()
            await settled(ratchet, clock)
        for page in pages:
            await page.clock.set_fixed_time(clock())

    return settle


@pytest.fixture
def told(ratchet, slack, clock):
    """Plays a story, which ends now; nobody's private answers are left."""

    async def told(name):
        async def settle():
            await settled(ratchet, clock)

        async def wait(seconds):
            await settle()
            clock.advance(seconds=seconds)

        played = story(name)
        stage = Stage(slack, settle=settle, wait=wait)
        for line in played.lines:
            if not line.expects:
                await stage.play(line)
        await settle()
        slack.workspace.forget_private_answers()
        return played

    return told


@pytest.fixture
def picture(request):
    """Draws ``docs/img/<name>-light.png`` and ``-dark.png`` in a run with ``--pictures``."""

    async def picture(page, name):
        if not request.config.getoption("--pictures", False):
            return
        await page.mouse.move(0, 0)
        for scheme in ("light", "dark"):
            await page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
            path = PICTURES / f"{name}-{scheme}.png"
            await page.screenshot(path=path, animations="disabled", caret="hide")
        await page.emulate_media(color_scheme="light")

    return picture
