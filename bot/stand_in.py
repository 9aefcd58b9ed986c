"""The stand-in for Slack as the demo needs it: its manifest, the settings of a bot, its state.

A story and the demo are two processes, one after the other; they share this.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from bot.sandbox.saving import restore, saved
from bot.sandbox.server import Sandbox, a_small_team
from bot.sandbox.workspace import Workspace

# Beside the sources in a checkout; inside the package after an installation from a wheel.
MANIFESTS = (
    Path(__file__).parents[1] / "app_manifest.yml",
    Path(__file__).with_name("app_manifest.yml"),
)
EXAMPLES = (
    Path(__file__).parents[1] / "docs" / "templates" / "updates.toml",
    Path(__file__).with_name("updates.toml"),
)
# In the folder of the demo.
STATE = "slack.json"
DATABASE = "ratchet.db"
TEMPLATES = "templates.toml"
# After a state is written, the next one waits this many times as long as that took, and at least
# `REST_SECONDS`: a tenth of the time goes into writing at the most.
REST = 9
REST_SECONDS = 0.05


class DemoPage(NamedTuple):
    """The status page of the demo, with the components that it shows."""

    title: str
    slug: str
    components: tuple[str, ...]


PAGE = DemoPage(
    "Acme status", "acme", ("Checkout API", "Payments", "Refunds", "Invoices", "Search")
)


def manifest() -> dict[str, Any]:
    """The manifest of the Slack app, with the scopes that the stand-in enforces."""
    path = next(path for path in MANIFESTS if path.is_file())
    read_in: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return read_in


def team(workspace: Workspace) -> None:
    """The people and channels of the demo. ``/incident setup`` offers its group to an admin."""
    a_small_team(workspace)
    workspace.add_group("on-call", members=["mia", "bo"], name="On call")


def settings_for(slack: Sandbox, *, port: int) -> dict[str, str]:
    """The variables of a bot for ``slack`` that runs in the folder of the demo; no mode's."""
    return {
        "SLACK_BOT_TOKEN": slack.bot_token,
        "SLACK_API_URL": slack.api_url,
        "STATUS_CHANNEL": slack.workspace.channel("#status").id,
        "API_CHANNEL": slack.workspace.channel("#payments").id,
        "DATABASE_URL": f"sqlite:///{DATABASE}",
        "PORT": str(port),
        # The demo's receiver of webhooks is on this machine.
        "WEBHOOK_ALLOW_PRIVATE": "yes",
        "LOG_FORMAT": "json",
    }


def with_templates(folder: Path) -> dict[str, str]:
    """The variable of a bot that runs in ``folder`` with the templates there.

    They are the examples of the documentation, until somebody changes them.
    """
    file = folder / TEMPLATES
    if not file.is_file():
        example = next(path for path in EXAMPLES if path.is_file())
        # Its first line names another file.
        kept = example.read_text(encoding="utf-8").replace("docs/templates/updates.toml", TEMPLATES)
        file.write_text(kept, encoding="utf-8")
    return {"TEMPLATES_FILE": TEMPLATES}


def keep(workspace: Workspace, folder: Path) -> None:
    """Writes the state of the stand-in into ``folder``, whole or not at all."""
    beside = folder / f"{STATE}.new"
    beside.write_text(json.dumps(saved(workspace)), encoding="utf-8")
    beside.replace(folder / STATE)


async def keep_up(workspace: Workspace, folder: Path) -> None:
    """Keeps the state after each change, until it is cancelled: a demo may be killed.

    A change is written at once, or when the rest after the last one is over. A disk that is full is
    tried again with the next change.
    """
    changed = asyncio.Event()
    unsubscribe = workspace.subscribe(lambda _kind, _facts: changed.set())
    try:
        while True:
            await changed.wait()
            changed.clear()
            began = time.monotonic()
            with suppress(OSError):
                keep(workspace, folder)
            await asyncio.sleep(max(REST_SECONDS, REST * (time.monotonic() - began)))
    finally:
        unsubscribe()


def is_kept(folder: Path) -> bool:
    """Whether an earlier run left a state in ``folder``: that of the stand-in, and the database."""
    return all((folder / name).is_file() for name in (STATE, DATABASE))


def take_up(workspace: Workspace, folder: Path) -> None:
    """Puts the state that an earlier run left in the place of everything in ``workspace``."""
    kept: Mapping[str, Any] = json.loads((folder / STATE).read_text(encoding="utf-8"))
    restore(workspace, dict(kept))
