"""A workspace as JSON, from one run of the demo to the next.

Saved are people, channels, messages and Home tabs. Triggers, response_urls and open dialogs expire
within minutes and are left out.
"""

from dataclasses import asdict

from bot.sandbox.blocks import Json
from bot.sandbox.model import Channel, Message, User, UserGroup
from bot.sandbox.workspace import Workspace


def saved(workspace: Workspace) -> Json:
    """The workspace as JSON, for ``restore``."""
    return {
        "users": [asdict(user) for user in workspace.users.values()],
        "groups": [asdict(group) for group in workspace.groups.values()],
        "channels": [_saved_channel(channel) for channel in workspace.channels.values()],
        "hidden_messages": [asdict(message) for message in workspace.hidden_messages],
        "homes": {user: view.given for user, view in workspace.homes.items()},
        **workspace.mint.saved(),
    }


def restore(workspace: Workspace, kept: Json) -> None:
    """Replace everything in ``workspace`` by ``kept``, which ``saved`` made."""
    workspace.users = {user["id"]: User(**user) for user in kept["users"]}
    workspace.groups = {group["id"]: UserGroup(**group) for group in kept["groups"]}
    workspace.channels = {each["id"]: _restored_channel(each) for each in kept["channels"]}
    workspace.hidden_messages = [_restored_message(each) for each in kept["hidden_messages"]]
    workspace.mint.restore(
        next_number=kept["next_number"], last_microsecond=kept["last_microsecond"]
    )
    workspace.stacks.clear()
    workspace.homes.clear()
    for user, given in kept["homes"].items():
        workspace.publish_home(user, given)
    workspace.changed("restored")


def _saved_channel(channel: Channel) -> Json:
    kept = {name: getattr(channel, name) for name in Channel.__slots__ if name != "by_ts"}
    return {**kept, "messages": [asdict(message) for message in channel.messages]}


def _restored_channel(kept: Json) -> Channel:
    channel = Channel(**{**kept, "messages": []})
    channel.messages = [_restored_message(each) for each in kept["messages"]]
    for message in channel.messages:
        channel.by_ts |= {each.ts: each for each in (message, *message.replies)}
    return channel


def _restored_message(kept: Json) -> Message:
    return Message(**{**kept, "replies": [_restored_message(each) for each in kept["replies"]]})
