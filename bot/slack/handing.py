"""Messages about a hand-over: the question to a new owner, and what came of it. Pure.

The open question is edited as the incident changes. Its end is edited no more. The notices are
posted once, and that of silence is edited only when it is over, so they name no title.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from bot.slack.blocks import Json, actions, context, message, paragraphs, with_remark
from bot.slack.buttons import (
    ack_button,
    assign_button,
    decline_button,
    take_button,
    update_button,
)
from bot.slack.cards import standing
from bot.slack.channels import link as own_channel
from bot.slack.markup import channel_link, mention, moment
from bot.slack.words import about, capitalized, insiders, owned_by, untitled, way_to_card
from core.boards import Card
from core.handover import Answer, HandOver
from core.incident import Incident, Person

ASKED_AGAIN = "You may have this question twice, because Slack was unreachable. Answer either one."


def question(
    card: Card,
    asked: HandOver,
    *,
    at: datetime,
    asked_before: bool = False,
    responds: bool = True,
) -> Json | None:
    """The direct message to a new owner; later, their answer in its place.

    ``asked_before``: it was posted already. None if it was not, and there is nothing to ask.
    ``responds``: the new owner is a responder.
    """
    incident = card.incident
    if asked.answer is None and incident.owner == asked.to:
        return _open_question(card, asked, at=at, responds=responds)
    if not asked_before:
        return None
    told = [_end_of(incident, asked, at=at), *_place_of_work(incident)]
    return message(told, paragraphs(told, between="\n"))


def _open_question(card: Card, asked: HandOver, *, at: datetime, responds: bool) -> Json:
    incident = card.incident
    sentence = f"{mention(asked.by)} made you the owner of {incident.name}"
    told = [about(sentence, incident), *_place_of_work(incident)]
    offered = [take_button(incident, asked.entry), decline_button(incident, asked.entry)]
    if responds and not incident.terminal:
        offered.append(update_button(incident))
    blocks = [
        *paragraphs([told[0]]),
        *paragraphs([standing(card, at=at, seen_from=at), *told[1:]], between="\n"),
    ]
    remarks = [insiders(incident, reader=asked.to.id)] if incident.private else []
    below = map(context, [*remarks, *way_to_card(incident)])
    return message([*told, *remarks], [*blocks, *actions(offered), *below])


def asked_again(question: Mapping[str, Any]) -> Json:
    """``question`` after a first one that Slack may have, and that nobody can find there."""
    return with_remark(dict(question), ASKED_AGAIN)


def _end_of(incident: Incident, asked: HandOver, *, at: datetime) -> str:
    since = moment(asked.asked_at, seen_from=at)
    if asked.answer is Answer.TAKEN:
        return f"You took {untitled(incident)}."
    now = f"{owned_by(incident)} owns it now."
    if asked.answer is Answer.DECLINED:
        return f"You did not take {untitled(incident)}, which was given to you {since}: {now}"
    return f"{untitled(incident)} was given to you {since}: {now} No answer is needed any more."


def _place_of_work(incident: Incident) -> Iterator[str]:
    card = incident.card_channel
    if place := own_channel(incident) or (card and channel_link(card)):
        yield f"The work on it is in {place}."


def kept(incident: Incident) -> Json:
    """The answer to *Not me* by an owner who has taken it before."""
    told = [
        f"You took {untitled(incident)} already, and it stays yours.",
        "To hand it over, use *Assign…*.",
    ]
    return message(told, [*paragraphs(told), *_below(incident)])


def no_responder(owner: Person, group: str) -> str:
    """The remark that a new ``owner`` is not in the ``group`` of responders."""
    may = "may only press *Got it* or *Not me*"
    return f"{mention(owner)} is no responder (<!subteam^{group}>), and {may}."


def declined(incident: Incident, asked: HandOver, *, at: datetime, responds: bool = True) -> Json:
    """The word that the new owner did not take it, and who owns it now.

    ``responds``, here and below: the reader is a responder, whom buttons serve.
    """
    told = [
        f"{mention(asked.to)} did not take {untitled(incident)}.",
        f"They were made its owner {moment(asked.asked_at, seen_from=at)}.",
        f"It is owned by {owned_by(incident)} now.",
        *_place_of_work(incident),
    ]
    return message(told, [*paragraphs(told), *_below(incident, responds=responds)])


def lost(
    name: str,
    incident: Incident | None,
    asked: HandOver,
    *,
    at: datetime,
    responds: bool = True,
) -> Json:
    """The word to an owner that another person made somebody else the owner.

    ``incident`` None: they may not see it any more. It is not edited as the incident changes, so it
    names no title.
    """
    if incident is None:
        told = [f"{name} has another owner now, and is not shown here any more."]
        return message(told, paragraphs(told))
    since = moment(asked.asked_at, seen_from=at)
    told = [
        f"You no longer own {untitled(incident)}: {mention(asked.by)} gave it away {since}.",
        f"{capitalized(owned_by(incident))} owns it now.",
    ]
    if asked.by == asked.to:
        told = [
            f"{mention(asked.by)} took over {untitled(incident)} {since}: it is no longer yours."
        ]
    return message(told, [*paragraphs(told), *_below(incident, responds=responds)])


def unanswered(
    incident: Incident,
    asked: HandOver,
    *,
    at: datetime,
    told_before: bool = False,
    responds: bool = True,
) -> Json | None:
    """The word that the new owner has not answered; later, what came of it in its place.

    ``told_before``: it was posted already. None if it was not, and is true no longer.
    """
    since = moment(asked.asked_at, seen_from=at)
    if asked.answer is not None or incident.owner != asked.to or incident.terminal:
        if not told_before:
            return None
        told = [_end_of_silence(incident, asked), f"They were made its owner {since}."]
        return message(told, [*paragraphs(told), *map(context, way_to_card(incident))])
    told = [
        f"{mention(asked.to)} has not answered whether they take {untitled(incident)}.",
        f"They were made its owner {since}.",
        *_place_of_work(incident),
    ]
    return message(told, [*paragraphs(told), *_below(incident, responds=responds)])


def _end_of_silence(incident: Incident, asked: HandOver) -> str:
    to, name = mention(asked.to), untitled(incident)
    if asked.answer is Answer.TAKEN:
        return f"{to} answered late, and took {name}."
    if asked.answer is Answer.DECLINED:
        return f"{to} answered late, and did not take {name}: {owned_by(incident)} owns it now."
    if incident.owner != asked.to:
        return f"{to} need not answer any more: {owned_by(incident)} owns {name} now."
    return f"{to} did not answer whether they take {name}, and no longer has to."


def owner_left(
    incident: Incident, *, told_before: bool = False, responds: bool = True
) -> Json | None:
    """The word that the owner is deactivated; later, who leads in its place.

    ``told_before``: it was posted already. None if it was not, and is true no longer.
    """
    if not told_before and (incident.terminal or not incident.owner_left):
        return None
    name = untitled(incident)
    if incident.terminal or incident.leader:
        leader = incident.leader and not incident.terminal
        end = f"{owned_by(incident)} leads it now" if leader else "nobody has to lead it now"
        told = [f"The owner of {name} was deactivated; {end}."]
        return message(told, [*paragraphs(told), *map(context, way_to_card(incident))])
    gone = incident.owner and f"The owner {mention(incident.owner)} is deactivated; nobody leads"
    told = [f"{gone or 'Nobody leads'} {name}."]
    if not responds:
        return message(told, [*paragraphs(told), *map(context, way_to_card(incident))])
    told.append("Take it over, or name somebody who does.")
    own = [ack_button(incident)] if incident.ownerless else []
    offered = actions([*own, assign_button(incident)])
    return message(told, [*paragraphs(told), *offered, *map(context, way_to_card(incident))])


def _below(incident: Incident, *, responds: bool = True) -> list[Json]:
    offered = [] if incident.terminal or not responds else [assign_button(incident)]
    return [*actions(offered), *map(context, way_to_card(incident))]
