"""A local, strict stand-in for Slack: the server of the end-to-end tests and of the demo.

An independent judge: it imports nothing else of this project. ``server.Sandbox`` is the entry
point.

What it leaves out of Slack: OAuth, several workspaces and Enterprise Grid, Slack Connect, files,
reactions, pins, bookmarks, canvases, scheduled messages, link previews, direct messages of several
people, user tokens, workflows, the ``data_visualization`` block, and every method of the Web API
that ``webapi`` does not list (they answer ``unknown_method``). Three numbers that Slack does not
publish are guesses on the strict side: the size of metadata, the length of an ephemeral text and
the burst of posts that a channel takes at once.
"""

from bot.sandbox.faults import Fault
from bot.sandbox.people import CannotDo, Interaction, Person
from bot.sandbox.server import Sandbox, a_small_team
from bot.sandbox.webapi import Call, Limits
from bot.sandbox.workspace import Channel, Message, Post, Refused, User, View, Workspace

__all__ = [
    "Call",
    "CannotDo",
    "Channel",
    "Fault",
    "Interaction",
    "Limits",
    "Message",
    "Person",
    "Post",
    "Refused",
    "Sandbox",
    "User",
    "View",
    "Workspace",
    "a_small_team",
]
