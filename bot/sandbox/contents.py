"""Checks of messages and views, the same for the Web API, acknowledgements and response_urls.

Each raises ``SlackError`` with Slack's name for the error, and the places in
``response_metadata.messages``.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bot.sandbox import blockkit
from bot.sandbox.blocks import Json, text_length
from bot.sandbox.errors import SlackError
from bot.sandbox.model import Message, ResponseUrl, texts
from bot.sandbox.workspace import Workspace

MOST_ATTACHMENTS = 100
MOST_MARKDOWN = 12_000
# Slack publishes no number for metadata_too_large; this one is on the strict side.
MOST_BYTES_OF_METADATA = 8_000


@dataclass(frozen=True, slots=True)
class Content:
    """The checked content of a message."""

    text: str
    blocks: list[Json]
    attachments: list[Json]
    metadata: Json | None


def content(
    arguments: Mapping[str, Any], *, most_text: int | None = None, most_in_blocks: int | None = None
) -> Content:
    """Check the content of a message.

    A ``text`` longer than ``most_text`` is refused (``msg_too_long``) rather than cut;
    ``most_in_blocks`` limits the texts of all blocks together (``msg_blocks_too_long``). None means
    no limit.
    """
    text = _string(arguments, "text")
    markdown = _string(arguments, "markdown_text")
    blocks = _list_of_objects(arguments, "blocks", "invalid_blocks_format")
    attachments = _list_of_objects(arguments, "attachments", "invalid_attachments")
    if markdown and (text or blocks):
        raise SlackError("markdown_text_conflict")
    if len(markdown) > MOST_MARKDOWN:
        raise SlackError("msg_too_long")
    if not (text or markdown or blocks or attachments):
        raise SlackError("no_text")
    if most_text is not None and len(text) > most_text:
        raise SlackError("msg_too_long")
    if len(attachments) > MOST_ATTACHMENTS:
        raise SlackError("too_many_attachments")
    if errors := blockkit.message_errors(blocks):
        raise SlackError.with_details("invalid_blocks", errors)
    for number, attachment in enumerate(attachments):
        if errors := blockkit.message_errors(attachment.get("blocks", [])):
            raise SlackError.with_details(
                "invalid_blocks", [f"{error} (attachment {number})" for error in errors]
            )
    if most_in_blocks is not None and text_length(blocks) > most_in_blocks:
        raise SlackError("msg_blocks_too_long")
    return Content(
        # Slack announces a message without ``text`` with the words of its blocks.
        text=text or markdown or " ".join(texts(blocks)),
        blocks=blocks or ([{"type": "markdown", "text": markdown}] if markdown else []),
        attachments=[
            {"id": number, **attachment} for number, attachment in enumerate(attachments, 1)
        ],
        metadata=_metadata(arguments.get("metadata")),
    )


def view(given: object, *, kind: str) -> Json:
    """Check a view given as an object or as JSON text; ``kind`` is ``modal`` or ``home``."""
    if isinstance(given, str):
        try:
            given = json.loads(given)
        except ValueError:
            raise SlackError.with_details(
                "invalid_arguments", ["must be valid json [json-pointer:/view]"]
            ) from None
    if errors := blockkit.view_errors(given, kind=kind):
        raise SlackError.with_details("invalid_arguments", errors)
    checked: Json = given  # type: ignore[assignment]  # view_errors() found an object
    if len(json.dumps(checked).encode()) > blockkit.MOST_BYTES_OF_A_VIEW:
        raise SlackError("view_too_large")
    return checked


def respond(workspace: Workspace, url: ResponseUrl, body: object, *, origin: str) -> Message | None:
    """Show, replace or delete a message, as the answer to an interaction asks.

    Returns the message, or None after a deletion. ``body`` is a message or plain text. It is
    ephemeral unless ``response_type`` is ``in_channel``; a replacement keeps the visibility of the
    original.

    Source: https://docs.slack.dev/interactivity/handling-user-interaction#message_responses
    """
    asked: Mapping[str, Any] = body if isinstance(body, dict) else {"text": body}
    original = url.original
    if truthy(asked.get("delete_original")):
        if original is None or original.deleted:
            raise SlackError("message_not_found")
        workspace.delete(original)
        return None
    said = content(asked)
    if truthy(asked.get("replace_original")) and original is not None:
        if original.deleted:
            raise SlackError("message_not_found")
        original.interaction = url.interaction
        workspace.edit(
            original,
            text=said.text,
            blocks=said.blocks,
            attachments=said.attachments,
            metadata=said.metadata,
        )
        return original
    if asked.get("response_type") not in (None, "ephemeral", "in_channel"):
        raise SlackError("invalid_response_type")
    thread_ts = asked.get("thread_ts")
    if thread_ts is not None and thread_ts not in workspace.channels[url.channel].by_ts:
        raise SlackError("thread_not_found")
    return workspace.post(
        Message(
            channel=url.channel,
            ts=workspace.mint.ts(),
            text=said.text,
            author=workspace.app.bot_user,
            by_app=True,
            blocks_as_sent=said.blocks,
            attachments=said.attachments,
            metadata=said.metadata,
            thread_ts=thread_ts,
            only_for=None if asked.get("response_type") == "in_channel" else url.user,
            origin=origin,
            interaction=url.interaction,
        )
    )


def _string(arguments: Mapping[str, Any], name: str) -> str:
    value = arguments.get(name)
    if value is None:
        return ""
    if not isinstance(value, (str, int, float)):
        raise SlackError.with_details(
            "invalid_arguments", [f"must provide a string [json-pointer:/{name}]"]
        )
    return str(value)


def _list_of_objects(arguments: Mapping[str, Any], name: str, error: str) -> list[Json]:
    value = arguments.get(name)
    if isinstance(value, str) and value:
        try:
            value = json.loads(value)
        except ValueError:
            raise SlackError(error) from None
    if value is None or value == "":
        return []
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        raise SlackError(error)
    return value


def _metadata(given: object) -> Json | None:
    if isinstance(given, str) and given:
        try:
            given = json.loads(given)
        except ValueError:
            raise SlackError("invalid_metadata_format") from None
    if given is None or given == "":
        return None
    if not isinstance(given, dict):
        raise SlackError("invalid_metadata_format")
    if not isinstance(given.get("event_type"), str) or not isinstance(
        given.get("event_payload"), dict
    ):
        raise SlackError("invalid_metadata_schema")
    if not given["event_type"] or set(given) - {"event_type", "event_payload", "entities"}:
        raise SlackError("invalid_metadata_schema")
    if len(json.dumps(given).encode()) > MOST_BYTES_OF_METADATA:
        raise SlackError("metadata_too_large")
    return given


def truthy(value: object) -> bool:
    """Whether an argument is true, in any of the spellings of forms and JSON."""
    return value is True or str(value).lower() in ("true", "1")
