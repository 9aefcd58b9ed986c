"""Channels of their own: their topic, the notes in a private one, the word before the end. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID

from bot.slack.blocks import Json, actions, context, message, paragraphs
from bot.slack.buttons import keep_button
from bot.slack.markup import channel_link, cut, escape, mention, moment, pieces
from bot.slack.verbs import COMMAND
from core.channel import ChannelStage, OwnChannel
from core.incident import Incident, Note, Update

TOPIC_MAX = 250
# The people who are invited to a private channel, as `core.opening.people_of` names them.
PRIVATE_PEOPLE = "its owner, its declarer and everybody who was invited to the incident"


def topic(name: str, title: str | None, *, current: bool) -> str:
    """The topic of the channel of ``name``, at most 250 characters.

    ``title`` is the one that its readers may read, ``current``: they are the incident's readers.
    """
    if not current:
        return f"{name} is not discussed here any more."
    told = f"{name} {escape(cut(title, 150))}" if title else name
    topic = f"{told} · here `{COMMAND} …` needs no number"
    return topic if len(topic) <= TOPIC_MAX else f"{name} · here `{COMMAND} …` needs no number"


def note(update: Update, body: Note) -> Json:
    """A note as a message in the private channel of its incident."""
    told = f"Note by {mention(update.by)} (entry {update.entry}), only for this channel"
    return message([f"{told}:", escape(body)], [*paragraphs(pieces(body)), context(told)])


def withdrawn_note(update: Update) -> Json:
    """The same message once the note was withdrawn."""
    told = f"The note by {mention(update.by)} (entry {update.entry}) was withdrawn."
    return message([told], paragraphs([told]))


def other_readers(name: str, channel: OwnChannel, *, current: bool) -> Json:
    """The word that the incident of ``name`` has other readers; the readers of a public channel
    learn no more than that it is not public.

    ``current``: the readers of ``channel`` are its readers.
    """
    match channel.private, current:
        case True, True:
            told = f"{name} is private again. Its notes are posted here from now on."
        case True, False:
            told = f"{name} is public now. Its notes are posted here no more."
        case False, True:
            told = f"{name} is public again. It can be worked on here."
        case _:
            told = f"{name} is no longer public. Write nothing about it here."
    return message([told], paragraphs([told]))


def closing(name: str, incident: UUID, channel: OwnChannel) -> Json | None:
    """The word that the channel of ``incident`` will be archived; None if it will not."""
    due = channel.archive_at
    if channel.stage is not ChannelStage.ANNOUNCED or channel.kept or due is None:
        return None
    when = moment(due, seen_from=channel.announced_at or due)
    told = [
        f"{name} is over, and this channel will be archived {when}.",
        "Nothing in it is lost: an archived channel can be read, and opened again in Slack.",
    ]
    return message(told, [*paragraphs(told), *actions([keep_button(name, incident)])])


def refused(name: str, error: str) -> Json:
    """The word to the person who asked for a channel that Slack does not make."""
    told = [f"{name} gets no channel: Slack does not make one (`{error}`).", _cure(error)]
    return message(told, paragraphs(told))


def line(incident: Incident) -> Iterator[str]:
    """The line of a card about the channel; nothing if nobody asked for one."""
    own = incident.own_channel
    if own is None:
        return
    if own.error:
        yield f"Channel: Slack does not make one (`{own.error}`). {_cure(own.error)}"
    elif own.id is None:
        yield "Channel: being opened"
    else:
        yield f"Channel: {channel_link(own.id)}"


def _cure(error: str) -> str:
    if error == "missing_scope":
        return "A workspace admin must give the app its optional scopes; then open it once more."
    if error == "restricted_action":
        return "A workspace admin must let apps make channels; then open it once more."
    return "An operator finds the reason with `ratchet doctor`."


def link(incident: Incident) -> str | None:
    """The link to the channel of ``incident``; None if there is none that takes messages."""
    own = incident.own_channel
    return channel_link(own.live) if own and own.live else None
