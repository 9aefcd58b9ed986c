"""The demo: its first sight, its stories with true times, its settings and no others."""

import asyncio
import contextlib
import re
import shutil
import socket
import stat
import time
from asyncio.subprocess import PIPE, STDOUT

import aiohttp
import pytest

from bot.sandbox.story import STORIES, NotInTheScript, story
from bot.stand_in import is_kept, manifest
from tests.command import a_command, a_demo, a_whole_demo
from tests.patience import PATIENCE_SECONDS, until
from tests.ports import two_free_ports
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


async def seen(begun, person, channel):
    """The messages that a person sees in a channel of the demo."""
    address = f"{begun.page}/front/messages?as={person}&channel={channel}"
    async with aiohttp.ClientSession() as http, http.get(address) as answer:
        return (await answer.json())["messages"]


async def test_the_first_sight_is_a_living_incident_with_true_times(tmp_path):
    async with a_whole_demo(folder=tmp_path) as begun:
        messages = await seen(begun, "mia", "C0PAYMENTS")
        async with aiohttp.ClientSession(begun.page) as http:
            async with http.get("/front/state") as answer:
                state = await answer.json()
            async with http.get("/beside/Statistics") as answer:
                figures = await answer.text()
            async with http.get("/beside/Webhooks") as answer:
                webhooks = await answer.text()
            async with http.get(f"{begun.api}/status/acme.md") as answer:
                status_page = await answer.text()
        key = (tmp_path / ".ratchet-demo/api-key").read_text().strip()

    (card,) = [one for one in messages if "Move to Resolved" in str(one["blocks"])]
    assert card["text"].startswith("INC-8 Checkout is down: now monitoring (high)")
    # The times are those of the story; it ended now.
    assert round((sent_at(messages[-1]) - sent_at(card)) / 60) == 20
    assert 14 * 60 <= time.time() - sent_at(messages[-1]) <= 14 * 60 + PATIENCE_SECONDS
    assert [one for one in messages if one["only_you"]] == []
    assert state["welcome"].startswith("One step is left.")
    assert state["beside"] == ["Statistics", "Status page", "Webhooks"]
    assert state["elsewhere"].keys() == {"Status page", "Webhooks"}
    assert state["elsewhere"]["Status page"] == f"{begun.api}/status/acme"
    assert "webhook.verification" in webhooks
    assert "signature holds" in webhooks
    assert "**Partial System Outage**" in status_page
    assert "- Checkout API: Partial outage" in status_page
    assert "- Search: Operational" in status_page
    assert "<svg" in figures
    assert f"Open {begun.page}/?as=mia&at=payments\n{state['welcome']}\n" in begun.told
    assert f"API: {begun.api}, with the key {key} " in begun.told
    log = (tmp_path / ".ratchet-demo/ratchet.log").read_text()
    assert key not in log
    assert [line for line in log.splitlines() if '"level": "error"' in line] == []
    modes = {stat.S_IMODE(file.stat().st_mode) for file in (tmp_path / ".ratchet-demo").iterdir()}
    assert modes == {0o600}
    assert stat.S_IMODE((tmp_path / ".ratchet-demo").stat().st_mode) == 0o700


async def test_the_command_line_and_the_templates_work_beside_the_demo(tmp_path):
    async with a_whole_demo(folder=tmp_path) as begun:
        database = "sqlite:///.ratchet-demo/ratchet.db"
        told = f"Command line: DATABASE_URL={database} .venv/bin/ratchet stats\n"
        assert told in begun.told
        async with a_command(
            "report", "8", folder=tmp_path, stdout=PIPE, DATABASE_URL=database
        ) as process:
            report = (await process.stdout.read()).decode()
        (card,) = [
            one
            for one in await seen(begun, "mia", "C0PAYMENTS")
            if "Move to Resolved" in str(one["blocks"])
        ]
        async with aiohttp.ClientSession(begun.page, headers={"Origin": begun.page}) as http:
            target = {"channel": "C0PAYMENTS", "ts": card["ts"]}
            act = {"as": "mia", "act": "press", "target": target, "control": "update"}
            async with http.post("/front/act", json=act) as answer:
                assert answer.status == 200

            async def dialog():
                async with http.get("/front/views?as=mia") as answer:
                    return str((await answer.json())["stack"])

            async with asyncio.timeout(PATIENCE_SECONDS):
                while "We are looking into it" not in await dialog():
                    pass

    assert "Checkout is down" in report
    assert (
        (tmp_path / ".ratchet-demo/templates.toml")
        .read_text()
        .startswith("# Templates of public updates: TEMPLATES_FILE=templates.toml\n")
    )


async def test_the_receiver_of_the_demo_shows_what_becomes_public_once_for_each_run(tmp_path):
    for run in ("--clean", "--http"):
        async with a_whole_demo(run, folder=tmp_path) as begun:
            key = (tmp_path / ".ratchet-demo/api-key").read_text().strip()
            headers = {"Authorization": f"Bearer {key}"}
            async with aiohttp.ClientSession(headers=headers) as http:
                async with http.post(f"{begun.api}/v1/components", json={"name": run}) as answer:
                    made = (await answer.json())["data"]["id"]
                override = f"{begun.api}/v1/components/{made}/override"
                await (await http.put(override, json={"status": "partial_outage"})).release()
                async with http.get(f"{begun.api}/v1/webhooks") as answer:
                    known = (await answer.json())["data"]["webhooks"]
                shown = ""
                async with asyncio.timeout(PATIENCE_SECONDS):
                    while "component.updated" not in shown:
                        async with http.get(f"{begun.page}/beside/Webhooks") as answer:
                            shown = await answer.text()

            assert len(known) == 1
            assert f"{run}: partial_outage" in shown
            assert shown.count(">signature holds<") == 2
            assert "does not hold" not in shown


def sent_at(message):
    """The seconds since 1970 at which a message was posted."""
    return float(message["ts"])


async def test_a_story_is_played_whatever_was_before_it(tmp_path):
    async with a_whole_demo("--clean", folder=tmp_path) as begun:
        assert await seen(begun, "mia", "C0WARROOM") == []
        first = (tmp_path / ".ratchet-demo/api-key").read_text()
        assert "Playing" not in begun.told
    async with a_whole_demo(folder=tmp_path) as begun:
        assert "This goes on where the last run ended." in begun.told
        assert first.strip() in begun.told
    async with a_whole_demo("--story", "secret", folder=tmp_path) as begun:
        assert story("secret").about in begun.told
        assert story("secret").hint in begun.told
        (card,) = await seen(begun, "mia", "C0WARROOM")
        assert "INC-2 Strange logins" in card["text"]
        assert first.strip() not in begun.told


async def refused(*arguments, folder):
    """The only line of a demo that does not start."""
    async with a_command("demo", *arguments, folder=folder, stdout=PIPE, stderr=STDOUT) as process:
        async with asyncio.timeout(PATIENCE_SECONDS):
            out, _ = await process.communicate()
    assert process.returncode == 2
    first, told = out.decode().splitlines()
    assert first.startswith("Ratchet and a stand-in")
    return told


async def test_a_second_demo_in_the_folder_of_one_that_runs_changes_nothing(tmp_path):
    folder = tmp_path / ".ratchet-demo"
    async with a_whole_demo("--clean", folder=tmp_path):
        before = {file: file.stat().st_ino for file in folder.iterdir()}
        for arguments in (["--clean"], ["--story", "secret"], []):
            told = await refused(*arguments, "--port", str(two_free_ports()), folder=tmp_path)

            assert told == (
                "A demo runs in this folder already, and nothing was changed: end it first, with "
                "Ctrl-C."
            )
            assert {file: file.stat().st_ino for file in folder.iterdir()} == before


@pytest.mark.parametrize("taken", [0, 1])
async def test_a_taken_port_is_said_before_anything_is_deleted(tmp_path, taken):
    port = two_free_ports()
    (tmp_path / "old").mkdir()
    folder = tmp_path / "old/.ratchet-demo"
    folder.mkdir()
    (folder / "slack.json").write_text("{}")
    with socket.create_server(("127.0.0.1", port + taken)):
        for where in (tmp_path, tmp_path / "old"):
            told = await refused("--clean", "--port", str(port), folder=where)
            assert (
                told == f"Another program uses port {port + taken}: name another one with --port."
            )

    assert [file.name for file in folder.iterdir()] == ["slack.json"]
    assert not (tmp_path / ".ratchet-demo").exists()


async def test_a_file_in_the_place_of_the_folder_is_said(tmp_path):
    (tmp_path / ".ratchet-demo").write_text("mine")

    told = await refused(folder=tmp_path)

    assert told == ".ratchet-demo cannot be used (File exists): run the demo in another folder."
    assert (tmp_path / ".ratchet-demo").read_text() == "mine"


async def test_a_setting_of_the_shell_that_the_demo_does_not_use_is_named(tmp_path):
    (tmp_path / ".ratchet-demo").write_text("mine")
    options = {"folder": tmp_path, "stdout": PIPE, "stderr": STDOUT, "PUBLISH_DIR": "site"}
    async with a_command("demo", **options) as process, asyncio.timeout(PATIENCE_SECONDS):
        out, _ = await process.communicate()

    told = "The demo has settings of its own, and does not use PUBLISH_DIR."
    assert told in out.decode().splitlines()


# Each process that this demo begins fails at once.
FAILS = "import sys; from bot.__main__ import main; sys.executable = {!r}; sys.exit(main())"


async def test_a_story_that_fails_leaves_only_the_log(tmp_path):
    process = a_command(
        *("demo", "--port", str(two_free_ports())),
        folder=tmp_path,
        program=("-c", FAILS.format(shutil.which("false"))),
        stdout=PIPE,
        stderr=STDOUT,
    )
    async with process as failed, asyncio.timeout(PATIENCE_SECONDS):
        out, _ = await failed.communicate()

    assert failed.returncode == 1
    assert out.decode().splitlines()[-1] == (
        "The story could not be played; .ratchet-demo/ratchet.log says why."
    )
    assert [file.name for file in (tmp_path / ".ratchet-demo").iterdir()] == ["ratchet.log"]


# As by `kill -9` of the bot, once the demo has told everything.
KILLS = """
import typer
from bot.__main__ import main
from bot.demo import kill_all

said = typer.echo

def told(*line, **how):
    said(*line, **how)
    if str(line[0]).startswith("Ctrl-C"):
        kill_all()

typer.echo = told
main()
"""


async def test_a_bot_that_dies_ends_the_demo_and_leaves_its_state(tmp_path):
    process = a_command(
        *("demo", "--clean", "--port", str(two_free_ports())),
        folder=tmp_path,
        program=("-c", KILLS),
        stdout=PIPE,
        stderr=STDOUT,
    )
    async with process as orphaned, asyncio.timeout(PATIENCE_SECONDS):
        out, _ = await orphaned.communicate()

    assert orphaned.returncode == 1
    assert out.decode().splitlines()[-1] == (
        "The bot has ended; .ratchet-demo/ratchet.log may say why. "
        "The next `ratchet demo` goes on from there."
    )
    assert is_kept(tmp_path / ".ratchet-demo")


async def declared(begun, title, *, folder):
    """Declares an incident over HTTP, and returns once its card is kept."""
    headers = {"Authorization": f"Bearer {(folder / 'api-key').read_text().strip()}"}
    incident = {"title": title, "severity": "high"}
    async with aiohttp.ClientSession(begun.api, headers=headers) as http:
        await (await http.post("/v1/incidents", json=incident)).release()
    await until(lambda: title in (folder / "slack.json").read_text())


async def test_a_demo_that_is_killed_ends_with_its_bot_and_comes_back(tmp_path):
    folder = tmp_path / ".ratchet-demo"
    async with a_whole_demo("--clean", folder=tmp_path, killed=True) as begun:
        await declared(begun, "Search is slow", folder=folder)
    async with a_whole_demo(folder=tmp_path) as begun:
        assert "This goes on where the last run ended." in begun.told
        await declared(begun, "Search is slow again", folder=folder)
        messages = await seen(begun, "mia", "C0PAYMENTS")

    cards = [one["text"].split(":")[0] for one in messages]
    assert cards == ["INC-1 Search is slow", "INC-2 Search is slow again"]


async def test_a_story_that_is_killed_is_played_again(tmp_path):
    folder = tmp_path / ".ratchet-demo"
    process = a_command(
        *("demo", "--port", str(two_free_ports())), folder=tmp_path, stdout=PIPE, stderr=STDOUT
    )
    async with process as killed:
        await until((folder / "ratchet.db").is_file)
        killed.kill()
        await killed.wait()
    async with a_whole_demo(folder=tmp_path) as begun:
        assert "Playing the story outage" in begun.told
        assert len(await seen(begun, "mia", "C0PAYMENTS")) > 1


async def test_a_state_without_its_database_is_not_taken_up(tmp_path):
    folder = tmp_path / ".ratchet-demo"
    folder.mkdir()
    (folder / "slack.json").write_text("{}")
    async with a_whole_demo(folder=tmp_path) as begun:
        assert "Playing the story outage" in begun.told


async def test_what_an_ended_start_left_is_in_nobodys_way(tmp_path):
    folder = tmp_path / ".ratchet-demo"
    folder.mkdir()
    (folder / "ratchet.db").write_text("half")
    async with a_whole_demo("--story", "on-call", folder=tmp_path) as begun:
        assert len(await seen(begun, "sam", "C0PAYMENTS")) == 1


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
