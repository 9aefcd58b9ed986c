"""The stand-in for Slack with the patience of tests instead of Slack's three seconds.

The three seconds themselves are tested in `tests/sandbox` and under `make torture`.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from bot.sandbox import Sandbox
from bot.sandbox.model import Message, View
from bot.sandbox.people import Person
from tests.patience import PATIENCE_SECONDS

MANIFEST = yaml.safe_load((Path(__file__).parents[1] / "app_manifest.yml").read_text("utf-8"))


def a_standin(manifest: Mapping[str, Any] = MANIFEST, **changes: Any) -> Sandbox:
    """A stand-in that waits for acknowledgements, dialogs and answers until only a hang is left."""
    patience = dict.fromkeys(
        ("ack_seconds", "patience_seconds", "trigger_seconds"), PATIENCE_SECONDS
    )
    return Sandbox(manifest, **patience | changes)


async def announced(slack: Sandbox, person: Person) -> None:
    """Waits until the button of the person's dialog says that something will be public."""
    await slack.until(lambda: person.view.given["submit"]["text"] == "Publish")


async def opened(slack: Sandbox, person: Person, callback_id: str) -> View:
    """Waits until the person has a dialog of that kind, and returns it."""
    await slack.until(lambda: person.has_view and person.view.callback_id == callback_id)
    return person.view


def labels(shown: Message | View) -> list[str]:
    """The labels of the buttons, in their order."""
    return [
        element["text"]["text"]
        for block in shown.blocks
        for element in block.get("elements", ())
        if element.get("type") == "button"
    ]
