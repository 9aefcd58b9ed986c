"""The commands of README for a whole incident, against a bot that runs as a process."""

from __future__ import annotations

import asyncio
import json
import os
import re
import sys
from pathlib import Path

import pytest

from tests.command import a_demo
from tests.standin import a_standin

ROOT = Path(__file__).parents[2]


@pytest.fixture
def walk():
    """The shell commands of README that resolve an incident."""
    section = (ROOT / "README.md").read_text().partition("## Over HTTP\n")[2]
    return re.search(r"```bash\n(.*?)```", section, re.DOTALL)[1]


async def test_the_commands_of_the_readme_resolve_an_incident(walk, tmp_path):
    lines = walk.replace(".venv/bin/ratchet", f"{sys.executable} -m bot")
    environment = {
        "PATH": os.environ["PATH"],
        "DATABASE_URL": f"sqlite:///{tmp_path}/ratchet.db",
        "PYTHONPATH": str(ROOT),
    }
    async with a_standin() as slack, a_demo(slack, folder=tmp_path, http=True) as address:
        process = await asyncio.create_subprocess_exec(
            "bash",
            "-euc",
            lines.replace("http://127.0.0.1:3000", address),
            cwd=tmp_path,
            env=environment | {"SLACK_BOT_TOKEN": slack.bot_token, "SLACK_API_URL": slack.api_url},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        said, complaints = await process.communicate()
        assert process.returncode == 0, complaints.decode()
        await slack.until(lambda: "Rolling back." in repr(slack.channel_view("#status")))

    assert walk.count("\n") == 10
    taken, moved, refused, published, resolved, whole, timeline = map(
        json.loads, said.decode().splitlines()
    )
    assert taken["data"]["ownerId"] is None
    assert moved["data"]["status"] == "identified"
    assert (refused["code"], refused["validNext"]) == ("invalid_status_transition", ["monitoring"])
    assert published["data"]["body"] == "Rolling back."
    assert resolved["data"]["validNext"] == []
    history = [entry["status"] for entry in whole["data"]["statusHistory"]]
    assert history == ["investigating", "identified", "monitoring", "resolved"]
    assert {update["postedBy"]["name"] for update in timeline["data"]["updates"]} == {"ci"}
