"""Every story that the demo can tell comes true, word for word, in both of Slack's modes."""

from __future__ import annotations

import pytest

from bot.sandbox.story import STORIES, Stage, read


@pytest.fixture
def environment(environment):
    """The settings of the demo, which holds public updates back."""
    del environment["PUBLISH_DELAY"]
    return environment


TOLD = sorted(STORIES.glob("*.txt"))


@pytest.mark.parametrize("story", TOLD, ids=lambda path: path.stem)
async def test_a_story_comes_true(story, slack, ratchet, settle, clock):
    async def settled() -> None:
        # The cards follow the end of a hold.
        await settle()
        await ratchet.nudges.look()
        await settle()

    async def wait(seconds: float) -> None:
        # Slack shows everything of the time before, so that no channel gets too much at once.
        await settled()
        clock.advance(seconds=seconds)

    stage = Stage(slack, settle=settled, wait=wait)
    for line in read(story.read_text(encoding="utf-8")):
        await stage.play(line)

    assert [call.answer for call in slack.calls if not call.answer.get("ok", True)] == []
