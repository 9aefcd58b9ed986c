"""The demo's bot starts with the demo's settings alone."""

import contextlib

import aiohttp

from bot.demo import bot, manifest
from tests.ports import a_free_port
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
            bot(slack, folder=folder, port=a_free_port(), http=False) as address,
            aiohttp.ClientSession() as http,
        ):
            async with http.get(f"{address}/readyz") as answer:
                assert answer.status == 200
            async with http.post(f"{address}/slack/events") as answer:
                assert answer.status == 404

    assert (folder / "ratchet.db").is_file()
    assert not (tmp_path / "of-another-bot.db").exists()
