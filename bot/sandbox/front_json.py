"""The JSON objects of the front API; ``front`` describes their fields."""

from bot.sandbox.acts import Interaction
from bot.sandbox.blocks import Json
from bot.sandbox.faults import Fault
from bot.sandbox.model import App, Channel, Message, User, View
from bot.sandbox.requests import Request
from bot.sandbox.socket_mode import AppConnection
from bot.sandbox.webapi import Call
from bot.sandbox.workspace import Workspace


def workspace_json(workspace: Workspace, me: User | None) -> Json:
    """The team, its people, groups and channels, and the app, as ``me`` may see them."""
    return {
        "team": {"id": workspace.team_id, "name": workspace.name, "domain": workspace.domain},
        "me": None if me is None else me.as_slack(),
        "users": [user.as_slack() for user in workspace.users.values()],
        "groups": [
            {
                "id": group.id,
                "handle": group.handle,
                "name": group.name,
                "members": group.members,
            }
            for group in workspace.groups.values()
        ],
        "channels": [
            _channel_json(channel, workspace.app, me)
            for channel in workspace.channels.values()
            if me is None or channel.kind == "public" or me.id in channel.members
        ],
        "app": _app_json(workspace.app),
    }


def _channel_json(channel: Channel, app: App, me: User | None) -> Json:
    return {
        "id": channel.id,
        "name": channel.name,
        "kind": channel.kind,
        "is_member": me is not None and me.id in channel.members,
        "bot_is_member": app.bot_user in channel.members,
        "is_archived": channel.is_archived,
        "topic": channel.topic,
        "pins": len(channel.pins),
        "with_user": channel.with_user,
        "messages": len(channel.messages),
    }


def _app_json(app: App) -> Json:
    return {
        "id": app.id,
        "name": app.name,
        "bot_id": app.bot_id,
        "bot_user": app.bot_user,
        "home_tab": app.home_tab,
        "messages_read_only": app.messages_read_only,
        "commands": [
            {
                "name": command.name,
                "description": command.description,
                "usage_hint": command.usage_hint,
            }
            for command in app.commands.values()
        ],
        "shortcuts": [
            {
                "kind": shortcut.kind,
                "callback_id": shortcut.callback_id,
                "name": shortcut.name,
                "description": shortcut.description,
            }
            for shortcut in app.shortcuts.values()
        ],
    }


def connection_json(connection: AppConnection) -> Json:
    return {
        "id": connection.id,
        "half_open": connection.half_open,
        "delay_seconds": connection.delay_seconds,
    }


def message_json(message: Message) -> Json:
    return {
        "channel": message.channel,
        "ts": message.ts,
        "author": message.author,
        "by_app": message.by_app,
        "text": message.text,
        "blocks": message.blocks,
        "attachments": message.attachments,
        "files": message.files,
        "thread_ts": message.thread_ts,
        "is_reply": message.is_reply,
        "broadcast": message.broadcast,
        "only_you": message.only_for is not None,
        "edits": message.edits,
        "deleted": message.deleted,
        "metadata": message.metadata,
        "origin": message.origin,
        "interaction": message.interaction,
        "replies": [message_json(reply) for reply in message.replies],
    }


def view_json(view: View) -> Json:
    return {**view.as_slack(), "errors": view.errors}


def fault_json(rule: Fault) -> Json:
    return {
        "id": rule.id,
        "kind": rule.kind,
        "method": rule.method,
        "channel": rule.channel,
        "times": rule.times,
        "seconds": rule.seconds,
        "error": rule.error,
        "hits": rule.hits,
    }


def entry_json(thing: Interaction | Request | Call) -> Json:
    match thing:
        case Interaction():
            return {"kind": "interaction", **_interaction_json(thing)}
        case Request():
            return {"kind": "request", **_request_json(thing)}
        case Call():
            return {"kind": "call", **_call_json(thing)}


def _interaction_json(interaction: Interaction) -> Json:
    return {
        "id": interaction.id,
        "at": interaction.at,
        "act": interaction.kind,
        "user": interaction.user,
        "label": interaction.label,
        "error": interaction.error,
        "error_seen": interaction.error_seen,
        "details": interaction.details,
        "field_errors": interaction.field_errors,
        "request": None if interaction.request is None else interaction.request.id,
        "messages": [message.ts for message in interaction.messages],
        "options": interaction.options,
        "uses": [{"at": use.at, "error": use.error} for use in interaction.uses],
    }


def _request_json(request: Request) -> Json:
    ack = request.ack
    return {
        "id": request.id,
        "at": request.at,
        "type": request.kind,
        "payload": request.payload,
        "mode": request.mode,
        "attempt": request.attempt,
        "redelivered": request.redelivered,
        "connection": request.connection,
        "ack": None
        if ack is None
        else {
            "milliseconds": round(ack.latency_seconds * 1000, 1),
            "error": ack.error,
            "status": ack.status,
            "body": ack.body,
        },
    }


def _call_json(call: Call) -> Json:
    return {
        "id": call.id,
        "at": call.at,
        "method": call.method,
        "arguments": call.arguments,
        "answer": call.answer,
        "status": call.status,
        "fault": call.fault,
        "milliseconds": round(call.seconds * 1000, 1),
    }
