"""The card of an incident, in its channel and for one person. Pure.

Like every view, each function takes values and returns the keyword arguments of a Slack call:
``text`` tells the whole story by itself, ``blocks`` only arrange it. ``at`` is the present moment.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime

from bot.slack import channels
from bot.slack.blocks import Json, context, message, paragraphs, title_blocks
from bot.slack.buttons import controls
from bot.slack.descriptions import SHOWN_MAX, first_lines, whole_description
from bot.slack.markup import ago, mention, moment
from bot.slack.verbs import COMMAND
from bot.slack.words import (
    PRIVATE,
    component_lines,
    deed,
    done_at,
    dot,
    in_words,
    insiders,
    next_update,
    owned_by,
    readers_see,
    status_name,
    status_word,
    titled,
    way_to_card,
)
from core.boards import Card
from core.incident import Incident
from core.times import duration


def working_card(card: Card, *, at: datetime) -> Json:
    """The card in the channel of the declaration. It never holds a note."""
    return message(list(_card_story(card, at=at)), _card_blocks(card, at=at))


def gone(name: str) -> Json:
    """A card in a direct message to somebody who may not see the incident any more."""
    told = f"{name} is not shown here any more."
    return message([told], paragraphs([told]))


def owner_card(card: Card, *, at: datetime, responds: bool = True) -> Json:
    """The card as a direct message to one person; a private one names its readers.

    ``responds``: the person is a responder, whom its buttons serve.
    """
    told = remarks(card.incident)
    shown = _served(_card_blocks(card, at=at), responds=responds)
    return message(
        [*_card_story(card, at=at), *told], [*shown, *_remarks_under(card.incident, told)]
    )


def _served(blocks: Iterable[Json], *, responds: bool) -> list[Json]:
    return [block for block in blocks if responds or block["type"] != "actions"]


def card_for_you(
    card: Card,
    *,
    at: datetime,
    reader: str | None = None,
    named: bool = False,
    responds: bool = True,
) -> Json:
    """The card for one person, with everything; a private one names its readers.

    ``reader`` is the person's id. ``named``: a sentence before it says that it is private.
    ``responds``: the person is a responder, whom its buttons serve.
    """
    told = remarks(card.incident, reader=reader, named=named)
    shown = _served(_card_blocks(card, at=at, whole=True), responds=responds)
    blocks = [*shown, *_remarks_under(card.incident, told)]
    return message([*_card_story(card, at=at), *told], blocks)


def remarks(incident: Incident, *, reader: str | None = None, named: bool = False) -> list[str]:
    """The sentence about the readers of a private incident; nothing about a public one."""
    if incident.private and named:
        return [f"{readers_see(incident, reader=reader)} it."]
    return [insiders(incident, reader=reader)] if incident.private else []


def _remarks_under(incident: Incident, told: Iterable[str]) -> list[Json]:
    """The remarks below a card that is elsewhere than its channel, and the way to that one."""
    return [context(one) for one in (*told, *way_to_card(incident))]


def _card_story(card: Card, *, at: datetime) -> Iterator[str]:
    incident, last = card.incident, card.last
    now = f"now {status_word(incident.status)}"
    if card.resolved_at:
        now += f" after {duration(card.resolved_at - incident.started_at)}"
    by = f", by {mention(last.by)}" if last else ""
    yield f"{titled(incident)}: {now} ({incident.severity}){by}."
    yield from (f"{told}." for told in _promised(card, at=at, seen_from=incident.created_at))
    if not incident.terminal:
        yield f"Next: {in_words(incident.next_steps)}."


def _promised(card: Card, *, at: datetime, seen_from: datetime) -> Iterator[str]:
    if promise := card.promise(at):
        yield next_update(promise.due_at, seen_from=seen_from, overdue=promise.due_at < at)


def _card_blocks(card: Card, *, at: datetime, whole: bool = False) -> list[Json]:
    incident, last = card.incident, card.last
    # Slack shows a card in a channel under the date of its posting, an answer under today's.
    seen_from = at if whole else incident.created_at
    pointer = "the API names them" if whole else f"`{COMMAND} show {incident.number}` names them"
    components = component_lines(incident.components, most=6_000 if whole else 300, more=pointer)
    first = " · ".join([f"Owner: {owned_by(incident)}", *components[:1]])
    shown_as = dot(incident.severity, incident.public_word)
    blocks = [
        *title_blocks(f"{shown_as} {incident.name}  ", incident.title),
        *paragraphs(
            [
                standing(card, at=at, seen_from=seen_from),
                first,
                *components[1:],
                *channels.line(incident),
                *(f"*{told}*" for told in _promised(card, at=at, seen_from=seen_from)),
            ],
            between="\n",
        ),
    ]
    told = f"Last: {deed(last)} {moment(done_at(last), seen_from=seen_from)}" if last else ""
    if incident.description:
        room = SHOWN_MAX - len(told) - sum(len(block["text"]["text"]) for block in blocks)
        blocks += whole_description(incident, room) if whole else first_lines(incident)
    blocks += controls(incident, offers_channel=card.offers_channel)
    return [*blocks, context(told)] if told else blocks


def standing(card: Card, *, at: datetime, seen_from: datetime) -> str:
    """``*Investigating* · high · since 03:12 (12 min)``."""
    incident = card.incident
    since = moment(incident.started_at, seen_from=seen_from)
    parts = [f"*{status_name(incident.status)}*", incident.severity.value]
    if card.resolved_at:
        parts[0] += f" after {duration(card.resolved_at - incident.started_at)}"
        parts.append(f"started {since}")
    else:
        parts.append(f"since {since} ({ago(incident.started_at, at=at)})")
    if incident.private:
        parts.append(f"{PRIVATE} private")
    return " · ".join(parts)


def outdated_button(card: Card, *, at: datetime) -> Json:
    """The answer to a button that an earlier version drew: the card as it is now."""
    told = "That button was drawn by an earlier version, and your click changed nothing."
    fresh = card_for_you(card, at=at)
    return message([told, fresh["text"]], [*paragraphs([told]), *fresh["blocks"]])
