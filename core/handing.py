"""The rules of a hand-over: the question to a new owner, their answer, and no answer."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

from core.audience import may_be_told
from core.commands import AnswerHandOver
from core.decision import Decision, Envelope, ForAccess, Surface
from core.handover import Answer, HandOver
from core.incident import Incident, Kind, Person
from core.pen import Pen
from core.refusals import NotAsked


def with_question(decision: Decision, before: Incident | None, by: Person) -> Decision:
    """``decision`` with the question to a new owner, if ``by`` made somebody else the owner.

    The owner before is told, unless it is their own act.
    """
    after = decision.incident
    previous, owner = before.owner if before else None, after.owner
    if owner is None or owner == previous:
        return decision
    left = before.left_owner if before else None
    if previous and previous.in_slack and previous != by and previous.id != left:
        entry = _entry_about_owner(decision)
        lost = Envelope(surface=Surface.HAND_OVER_LOST, channel=previous.id, entry=entry)
        decision = replace(decision, envelopes=(*decision.envelopes, lost))
    if owner == by or not owner.in_slack:
        return decision
    entry = _entry_about_owner(decision)
    asked = HandOver(entry=entry, to=owner, by=by, previous=previous, asked_at=after.updated_at)
    envelopes = (*decision.envelopes, _to_owner(asked))
    return replace(decision, hand_overs=(asked,), envelopes=envelopes)


def _entry_about_owner(decision: Decision) -> int:
    named = {Kind.ASSIGNED, Kind.DECLARED}
    return next(one.entry for one in decision.updates if one.kind in named)


def _to_owner(asked: HandOver) -> Envelope:
    return Envelope(surface=Surface.HAND_OVER, channel=asked.to.id, entry=asked.entry)


def followed(decision: Decision, before: Incident, asked: HandOver | None) -> Decision:
    """``decision`` with its consequences for ``asked``, the open question about ``before``.

    Each change ends the question, or shows in it: it names the title, and offers buttons.
    """
    if asked is None or any(one.entry == asked.entry for one in decision.hand_overs):
        return decision
    after = asked.after(decision.incident, decision.updates)
    if after == asked and _shown(before) == _shown(decision.incident):
        return decision
    envelopes = (*decision.envelopes, _to_owner(asked), *_no_longer_silent(before, decision, after))
    return replace(decision, hand_overs=(*decision.hand_overs, after), envelopes=envelopes)


def _no_longer_silent(before: Incident, decision: Decision, asked: HandOver) -> Iterator[Envelope]:
    """The edits of the word that no answer came, wherever it may be, once nobody waits for one."""
    after = decision.incident
    if asked.looked and (asked.answer is not None or after.terminal):
        people = [asked.by.id] if asked.by.in_slack else []
        for channel in dict.fromkeys([*people, *_channels(before), *_channels(after)]):
            yield Envelope(surface=Surface.HAND_OVER_UNANSWERED, channel=channel, entry=asked.entry)


def _shown(incident: Incident) -> tuple[object, ...]:
    """The facts that the question shows."""
    return (
        incident.title,
        incident.status,
        incident.severity,
        incident.owner,
        incident.private,
        incident.invited,
    )


def answer(
    incident: Incident, command: AnswerHandOver, known: ForAccess, *, at: datetime
) -> Decision:
    """The decision on *Got it* and *Not me*, also after the end.

    An answer that was given already, or comes after somebody else became owner, changes nothing.
    """
    asked = known.hand_over
    if asked is None or asked.to != command.actor.person:
        raise NotAsked(incident)
    if asked.answer is not None or incident.owner != asked.to:
        return Decision(incident=incident)
    pen = Pen(incident, command.actor, at, known.publish_delay)
    if command.takes:
        update = pen.update(Kind.TOOK_OVER)
        made = pen.decision(incident, (update,), known)
        told: tuple[Envelope, ...] = ()
    else:
        heir = _heir(incident, asked)
        update = pen.update(Kind.DECLINED, old=asked.to.name, new=heir.name if heir else None)
        changed = replace(incident, owner=heir)
        made = pen.decision(changed, (update,), known)
        told = tuple(_declined(changed, asked, heir))
    answered = replace(asked, answer=Answer.TAKEN if command.takes else Answer.DECLINED)
    told = (*told, *_no_longer_silent(incident, made, answered))
    envelopes = (*made.envelopes, _to_owner(asked), *told)
    return replace(made, hand_overs=(answered,), envelopes=envelopes)


def _heir(incident: Incident, asked: HandOver) -> Person | None:
    """The owner after *Not me*; nobody if that gave them back a sight of ``incident``."""
    heir = asked.heir(incident)
    ownerless = replace(incident, owner=None)
    blind = heir is not None and heir.in_slack and not may_be_told(ownerless, heir.id)
    return None if blind else heir


def _declined(incident: Incident, asked: HandOver, heir: Person | None) -> Iterator[Envelope]:
    """The word that an owner did not take it: to the new owner, and to the working channel.

    The one who assigned it needs no channel beside them.
    """
    people = [heir.id] if heir and heir.in_slack else []
    channels = [] if heir == asked.by else _channels(incident)
    for channel in dict.fromkeys([*people, *channels]):
        yield Envelope(surface=Surface.HAND_OVER_DECLINED, channel=channel, entry=asked.entry)


def unanswered(incident: Incident, asked: HandOver) -> tuple[Envelope, ...]:
    """The word that no answer came: to the one who assigned it, or else to the working channel."""
    may_hear = asked.by.in_slack and may_be_told(incident, asked.by.id)
    channels = [asked.by.id] if may_hear else _channels(incident)
    return tuple(
        Envelope(surface=Surface.HAND_OVER_UNANSWERED, channel=channel, entry=asked.entry)
        for channel in channels
    )


def _channels(incident: Incident) -> list[str]:
    """The working channel; without one, the declarer, if they are in Slack and have not left."""
    declarer = incident.declared_by
    there = declarer.in_slack and declarer.id != incident.left_owner
    return [incident.card_channel] if incident.card_channel else [declarer.id] if there else []
