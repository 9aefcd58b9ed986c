"""The past of the demo: a story, played by the real bot with a clock that is set back.

The clock begins as long ago as the story lasts and moves only with it. So each row and each message
has the time at which it happened in the story, and "35 min" is true. This is a process of its own,
`python -m bot.past STORY` in the folder of the demo. It ends when the story has caught up with the
present, and leaves the database and the state of the stand-in there.
"""

from __future__ import annotations

import asyncio
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bot.app import App, build
from bot.sandbox.server import Sandbox
from bot.sandbox.story import Stage, Story, story
from bot.settings import Settings
from bot.stand_in import DATABASE, PAGE, keep, manifest, settings_for, team
from bot.telemetry import configure_logs
from core.arranging import ComponentChange
from core.curating import Curation
from core.incident import Actor, Person
from core.page import DAYS

# The deliveries after the last line take some seconds of the story's time.
MARGIN = timedelta(seconds=30)
# How often the bot looks for reminders; a long wait has fewer looks.
LOOK_EVERY_SECONDS = 60
LOOKS_MAX = 60
PATIENCE_SECONDS = 60


class StoryClock:
    """A clock that moves only by ``move_to``: for the bot, and in seconds for the stand-in."""

    def __init__(self, start: datetime) -> None:
        self._now = start

    def __call__(self) -> datetime:
        """The present moment of the story."""
        return self._now

    def seconds(self) -> float:
        """Seconds since 1970."""
        return self._now.timestamp()

    def move_to(self, moment: datetime) -> None:
        """Moves to ``moment``, never back."""
        self._now = max(self._now, moment)


class Teller:
    """Plays the lines of a story, and lets the bot work in the time between them."""

    def __init__(self, app: App, slack: Sandbox, clock: StoryClock) -> None:
        self._app = app
        self._clock = clock
        self._until = clock()
        self._stage = Stage(slack, settle=self._settle, wait=self._wait)

    async def tell(self, told: Story) -> None:
        """Plays the acts of ``told``, without checking its expectations."""
        for line in told.lines:
            if not line.expects:
                await self._stage.play(line)
        await self._settle()

    async def _settle(self) -> None:
        """Lets seconds pass until Slack shows everything that was decided."""
        while True:
            await self._app.worker.deliver_due()
            if await self._app.outbox.next_due() is None:
                return
            self._clock.move_to(self._clock() + timedelta(seconds=1))

    async def _wait(self, seconds: float) -> None:
        # The seconds of deliveries are a part of the wait: the story keeps to its own times.
        self._until += timedelta(seconds=seconds)
        await self._settle()
        step = timedelta(seconds=max(LOOK_EVERY_SECONDS, seconds / LOOKS_MAX))
        while self._clock() < self._until:
            self._clock.move_to(min(self._clock() + step, self._until))
            await self._app.nudges.look()
            await self._app.hand_overs.look()
            await self._settle()


async def play(told: Story, *, folder: Path, until: datetime) -> None:
    """Plays ``told`` in ``folder``; it ends at the moment ``until``.

    Nobody's private answers are left: Slack's client forgets them, too.
    """
    clock = StoryClock(until - timedelta(seconds=told.seconds) - MARGIN)
    slack = Sandbox(
        manifest(),
        populate=team,
        clock=clock.seconds,
        ack_seconds=PATIENCE_SECONDS,
        patience_seconds=PATIENCE_SECONDS,
    )
    async with slack:
        variables = {"SLACK_APP_TOKEN": slack.app_token, **settings_for(slack, port=0)}
        settings = Settings.from_env(variables | {"DATABASE_URL": f"sqlite:///{folder / DATABASE}"})
        configure_logs(log_format=settings.log_format, log_level=settings.log_level)
        # Each answer comes with its acknowledgement, so that the next line of the story has it.
        app = build(settings, clock=clock, patience=timedelta(seconds=PATIENCE_SECONDS))
        await app.start()
        try:
            await slack.connected()
            await _publish(app, slack.workspace.team_id, clock)
            await Teller(app, slack, clock).tell(told)
        finally:
            await app.stop()
        slack.workspace.forget_private_answers()
        keep(slack.workspace, folder)


async def _publish(app: App, workspace: str, clock: StoryClock) -> None:
    """Publishes the status page; its components were there long before the story."""
    operator = Actor(
        workspace=workspace,
        person=Person("key:operator", "operator"),
        sees_private=True,
        admin=True,
    )
    curation = Curation(app.store, clock=clock)
    await curation.publish(operator, title=PAGE.title, slug=PAGE.slug)
    for position, name in enumerate(PAGE.components, 1):
        await app.incidents.make_component(
            operator, name=name, description=None, group=None, then=lambda _tx, _made: None
        )
        began = clock().date() - timedelta(days=DAYS)
        change = ComponentChange(shown=True, position=position, start_date=began)
        await curation.change_component(operator, name, change)


if __name__ == "__main__":
    asyncio.run(play(story(sys.argv[1]), folder=Path.cwd(), until=datetime.now(UTC)))
