"""The demo: its first sight, its stories with true times, its settings and no others."""

import contextlib
import re
import stat
import time

import aiohttp
import pytest

from bot.sandbox.story import STORIES, NotInTheScript, story
from bot.stand_in import manifest
from tests.command import a_demo, a_whole_demo
from tests.patience import PATIENCE_SECONDS
from tests.standin import a_standin

ENV = """\
DATABASE_URL=sqlite:///of-another-bot.db
DEFAULT_LIFECYCLE=no such
HOST=192.0.2.1
SLACK_SIGNING_SECRET=of-another-bot
"""


async def test_the_demo_ignores_settings_in_the_working_directory(tmp_path):
    (tmp_path / ".env").write_text(ENV)
    folder = tmp_path / "demo"
    folder.mkdir()
    with contextlib.chdir(tmp_path):
        async with (
            a_standin(manifest()) as slack,
            a_demo(slack, folder=folder, http=False) as address,
            aiohttp.ClientSession(address) as http,
        ):
            async with http.get("/readyz") as answer:
                assert answer.status == 200
            async with http.post("/slack/events") as answer:
                assert answer.status == 404

    assert (folder / "ratchet.db").is_file()
    assert not (tmp_path / "of-another-bot.db").exists()


async def seen(demo, person, channel):
    """The messages that a person sees in a channel of the demo."""
    address = f"{demo.page}/front/messages?as={person}&channel={channel}"
    async with aiohttp.ClientSession() as http, http.get(address) as answer:
        return (await answer.json())["messages"]


async def test_the_first_sight_is_a_living_incident_with_true_times(tmp_path):
    async with a_whole_demo(folder=tmp_path) as demo:
        messages = await seen(demo, "mia", "C0PAYMENTS")
        async with aiohttp.ClientSession(demo.page) as http:
            async with http.get("/front/state") as answer:
                state = await answer.json()
            async with http.get("/beside/Statistics") as answer:
                figures = await answer.text()
        key = (tmp_path / ".ratchet-demo/api-key").read_text().strip()

    (card,) = [one for one in messages if "Move to Resolved" in str(one["blocks"])]
    assert card["text"].startswith("INC-8 Checkout is down: now monitoring (high)")
    # The times are those of the story; it ended now.
    assert round((sent_at(messages[-1]) - sent_at(card)) / 60) == 20
    assert 14 * 60 <= time.time() - sent_at(messages[-1]) <= 14 * 60 + PATIENCE_SECONDS
    assert [one for one in messages if one["only_you"]] == []
    assert state["welcome"].startswith("One step is left.")
    assert state["beside"] == ["Statistics"]
    assert "<svg" in figures
    assert f"Open {demo.page}/?as=mia&at=payments\n{state['welcome']}\n" in demo.told
    assert f"API: {demo.api}, with the key {key} " in demo.told
    log = (tmp_path / ".ratchet-demo/ratchet.log").read_text()
    assert key not in log
    assert [line for line in log.splitlines() if '"level": "error"' in line] == []
    modes = {stat.S_IMODE(file.stat().st_mode) for file in (tmp_path / ".ratchet-demo").iterdir()}
    assert modes == {0o600}
    assert stat.S_IMODE((tmp_path / ".ratchet-demo").stat().st_mode) == 0o700


def sent_at(message):
    """The seconds since 1970 at which a message was posted."""
    return float(message["ts"])


async def test_a_story_is_played_whatever_was_before_it(tmp_path):
    async with a_whole_demo("--clean", folder=tmp_path) as demo:
        assert await seen(demo, "mia", "C0WARROOM") == []
        first = (tmp_path / ".ratchet-demo/api-key").read_text()
        assert "Playing" not in demo.told
    async with a_whole_demo(folder=tmp_path) as demo:
        assert "This goes on where the last run ended." in demo.told
        assert first.strip() in demo.told
    async with a_whole_demo("--story", "secret", folder=tmp_path) as demo:
        assert story("secret").about in demo.told
        assert story("secret").hint in demo.told
        (card,) = await seen(demo, "mia", "C0WARROOM")
        assert "INC-2 Strange logins" in card["text"]
        assert first.strip() not in demo.told


async def test_what_an_ended_start_left_is_in_nobodys_way(tmp_path):
    folder = tmp_path / ".ratchet-demo"
    folder.mkdir()
    (folder / "ratchet.db").write_text("half")
    async with a_whole_demo("--story", "on-call", folder=tmp_path) as demo:
        assert len(await seen(demo, "sam", "C0PAYMENTS")) == 1


@pytest.mark.parametrize("name", [path.stem for path in STORIES.glob("*.txt")])
def test_every_story_says_what_it_shows_and_what_to_try(name):
    told = story(name)

    assert re.fullmatch(r"[A-Z].*\.", told.about)
    assert re.fullmatch(r"[A-Z].*\.", told.hint)
    assert told.person in {"mia", "bo", "sam"}
    assert told.lines


def test_a_story_without_a_place_is_malformed(tmp_path):
    (tmp_path / "bare.txt").write_text("# Nothing to look at.\nbo in #payments: hello\n")

    with pytest.raises(NotInTheScript, match="bare: its top has no line"):
        story("bare", folder=tmp_path)
