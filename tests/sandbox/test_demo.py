"""The demo's bot starts with the demo's settings and no others."""

import contextlib

import aiohttp

from bot.demo import manifest
from tests.command import a_demo
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
