"""The commands of README for a whole incident, against the demo that runs as a process."""

from __future__ import annotations

import asyncio
import json
import os
import re
from asyncio import timeout
from pathlib import Path

import aiohttp
import pytest

from tests.command import a_whole_demo
from tests.patience import GLANCE_SECONDS, PATIENCE_SECONDS

ROOT = Path(__file__).parents[2]


@pytest.fixture
def walk():
    """The shell commands of README that resolve an incident."""
    section = (ROOT / "README.md").read_text().partition("## Over HTTP\n")[2]
    return re.search(r"```bash\n(.*?)```", section, re.DOTALL)[1]


async def pasted(lines, folder):
    """The JSON of each line that the shell prints for ``lines``."""
    process = await asyncio.create_subprocess_exec(
        *("bash", "-euc", lines),
        cwd=folder,
        env={"PATH": os.environ["PATH"]},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    said, complaints = await process.communicate()
    assert process.returncode == 0, complaints.decode()
    return [json.loads(line) for line in said.decode().splitlines()]


async def link_of_the_card(api, folder, incident):
    """The link of the incident's working card, once Slack has the card."""
    key = (folder / ".ratchet-demo/api-key").read_text().strip()
    bearer = {"Authorization": f"Bearer {key}"}
    async with aiohttp.ClientSession(api, headers=bearer) as http, timeout(PATIENCE_SECONDS):
        while True:
            async with http.get(f"/v1/incidents/{incident}") as answer:
                link = (await answer.json())["data"]["links"]["slack"]
            if link:
                return link
            await asyncio.sleep(GLANCE_SECONDS)


async def test_the_commands_of_the_readme_resolve_an_incident(walk, tmp_path):
    assert "http://127.0.0.1:8081/" in walk
    async with a_whole_demo("--clean", folder=tmp_path, cold=True) as demo:
        lines = walk.replace("http://127.0.0.1:8081", demo.api)
        taken, moved, refused, published, resolved, whole, timeline = await pasted(lines, tmp_path)
        async with (
            aiohttp.ClientSession(demo.page) as http,
            http.get("/front/messages?as=mia&channel=C0STATUS") as answer,
        ):
            shown = (await answer.json())["messages"]
        link = await link_of_the_card(demo.api, tmp_path, taken["data"]["id"])

    assert walk.count("\n") == 10
    assert taken["data"]["ownerId"] is None
    assert moved["data"]["status"] == "identified"
    assert (refused["code"], refused["validNext"]) == ("invalid_status_transition", ["monitoring"])
    assert published["data"]["body"] == "Rolling back."
    assert resolved["data"]["validNext"] == []
    history = [entry["status"] for entry in whole["data"]["statusHistory"]]
    assert history == ["investigating", "identified", "monitoring", "resolved"]
    assert {update["postedBy"]["name"] for update in timeline["data"]["updates"]} == {"demo"}
    assert "/archives/C0PAYMENTS/p" in link
    # The texts are held back for ten seconds: nothing of them is out.
    assert "Rolling back." not in repr(shown)
