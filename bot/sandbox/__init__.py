"""A local, strict stand-in for Slack: the server of the end-to-end tests and of the demo.

An independent judge: it imports nothing else of this project. ``server.Sandbox`` is the entry
point.

It leaves out of Slack: OAuth, several workspaces and Enterprise Grid, Slack Connect, files of
people, reactions, pins, bookmarks, canvases, scheduled messages, link previews, direct messages of
several people, user tokens, workflows, the ``data_visualization`` block, and every method of the
Web API outside ``methods`` (they answer ``unknown_method``). Slack does not publish three numbers,
so they are guesses on the strict side: the size of metadata, the length of an ephemeral text, and
the burst of posts that a channel accepts at once.
"""

from bot.sandbox.controls import CannotDo
from bot.sandbox.limits import Limits
from bot.sandbox.server import Sandbox
from bot.sandbox.workspace import Workspace

__all__ = ["CannotDo", "Limits", "Sandbox", "Workspace"]
