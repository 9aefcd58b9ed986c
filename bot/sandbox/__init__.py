"""A local, strict stand-in for Slack: the server of the end-to-end tests and of the demo.

An independent judge: it imports nothing else of this project. ``server.Sandbox`` is the way in.
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
