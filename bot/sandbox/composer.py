"""Text from Slack's own composer, as Slack stores it and as a command's payload carries it."""

import html
import re

from bot.sandbox.blocks import Json
from bot.sandbox.workspace import Workspace


def message_text(workspace: Workspace, typed: str) -> str:
    """The ``text`` of a message that somebody typed."""
    return _linked(workspace, html.escape(typed, quote=False), named=False)


def command_text(workspace: Workspace, typed: str, *, should_escape: bool) -> str:
    """The ``text`` of a slash command; ``should_escape`` is the manifest's setting."""
    escaped = html.escape(typed, quote=False)
    return _linked(workspace, escaped, named=True) if should_escape else escaped


def rich_text(typed: str) -> Json:
    """The block that the composer makes of plain words."""
    words = [{"type": "text", "text": typed}]
    return {"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": words}]}


def _linked(workspace: Workspace, text: str, *, named: bool) -> str:
    """``text`` with ids for names, and links; ``named`` keeps each name beside its id."""

    def person(found: re.Match[str]) -> str:
        if found[1] in ("here", "channel", "everyone"):
            return f"<!{found[1]}>"
        for user in workspace.users.values():
            if user.name == found[1]:
                return f"<@{user.id}|{user.name}>" if named else f"<@{user.id}>"
        for group in workspace.groups.values():
            if group.handle == found[1]:
                label = f"|@{group.handle}" if named else ""
                return f"<!subteam^{group.id}{label}>"
        return found[0]

    def place(found: re.Match[str]) -> str:
        for channel in workspace.channels.values():
            if channel.name == found[1] and channel.kind != "im":
                return f"<#{channel.id}|{channel.name}>"
        return found[0]

    text = re.sub(r"(?<![\w<|])https?://[^\s<>|]+", lambda found: f"<{found[0]}>", text)
    text = re.sub(r"(?<![\w<|@])@([a-z0-9][\w.-]*\w|\w)", person, text)
    return re.sub(r"(?<![\w<|#&])#([a-z0-9][\w-]*)", place, text)
