"""The table of surfaces: which view draws which. Delivery posts it, the doctor compares with it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from bot.slack import cards, channels, handing, mentions, nudges, public
from bot.slack.posting_faults import ended_by_operator, takes_no_posts
from core.decision import CHANNEL_EFFECTS, TELLING, Surface
from core.incident import Note
from storage.facts import Facts

# Messages that tell of the incident on its card for responders.
TOLD_BY_CARD = TELLING - {Surface.CHANNEL_CLOSING, Surface.HAND_OVER_LOST}


def drawn(  # noqa: C901, PLR0911 - one for each surface
    surface: Surface, facts: Facts, *, at: datetime
) -> Mapping[str, Any] | None:
    """``surface`` as Slack should show it, as arguments for ``chat.postMessage``.

    None if ``facts`` have nothing to show: an incident without a public side, for example. If it
    had one, the post says that it has no more.
    """
    match surface:
        case Surface.WORKING_CARD | Surface.OWNER_CARD | Surface.STATUS_CARD:
            return _card(surface, facts, at=at) or _farewell(surface, facts)
        case Surface.PUBLIC_UPDATE | Surface.WITHDRAWAL:
            return _reply(surface, facts)
        case _ if surface in TOLD_BY_CARD and facts.card is None:
            return _farewell(surface, facts)
        case Surface.PROMISE_REMINDER | Surface.PROMISE_BREACH:
            return _nudge(surface, facts, at=at)
        case Surface.HAND_OVER | Surface.HAND_OVER_DECLINED | Surface.HAND_OVER_UNANSWERED:
            return _hand_over(surface, facts, at=at)
        case Surface.HAND_OVER_LOST:
            return _lost(facts, at=at)
        case Surface.OWNER_LEFT:
            return _owner_left(facts)
        case Surface.MENTION:
            return _mention(facts)
        case (
            Surface.CHANNEL_NOTE
            | Surface.CHANNEL_READERS
            | Surface.CHANNEL_CLOSING
            | Surface.CHANNEL_REFUSED
        ):
            return _about_channel(surface, facts)
        case Surface.NO_POSTS:
            return takes_no_posts(facts.subscription) if facts.subscription else None
        case Surface.SUBSCRIPTION_ENDED:
            return ended_by_operator(facts.subscription) if facts.subscription else None
        case _ if surface in CHANNEL_EFFECTS:
            return None  # No message: `bot.delivery.channels` carries it out.
    raise TypeError(f"{surface} has no view")


def _lost(facts: Facts, *, at: datetime) -> Mapping[str, Any] | None:
    incident = facts.card.incident if facts.card else None
    if facts.hand_over is None:
        return None
    return handing.lost(facts.name, incident, facts.hand_over, at=at, responds=facts.responds)


def _owner_left(facts: Facts) -> Mapping[str, Any] | None:
    if facts.card is None:
        return None
    return handing.owner_left(
        facts.card.incident, told_before=bool(facts.place), responds=facts.responds
    )


def _mention(facts: Facts) -> Mapping[str, Any] | None:
    group, incident = facts.settings.responders_group, facts.card and facts.card.incident
    told = None
    if group and incident and incident.severity in facts.settings.mentions:
        told = mentions.raised(incident, group)
    # It is edited only once its readers may see the incident again.
    return told or (mentions.again(facts.name) if facts.place else None)


def _about_channel(  # noqa: PLR0911 - one for each surface
    surface: Surface, facts: Facts
) -> Mapping[str, Any] | None:
    channel, note = facts.channel, facts.note
    if channel is None:
        return None
    if surface is Surface.CHANNEL_READERS:
        return channels.other_readers(facts.name, channel.own, current=channel.current)
    if surface is Surface.CHANNEL_CLOSING:
        if channel.own.private or channel.current:
            return channels.closing(facts.name, channel.incident, channel.own)
        return public.gone(facts.name) if facts.place else None
    if surface is Surface.CHANNEL_REFUSED:
        error = channel.own.error
        return channels.refused(facts.name, error) if error else None
    if note is None:
        return None
    if note.body is None:
        return channels.withdrawn_note(note) if facts.place else None
    # An incident that became public keeps the messages that are there, and gets no new ones.
    return channels.note(note, Note(note.body)) if facts.place or channel.current else None


def _reply(surface: Surface, facts: Facts) -> Mapping[str, Any] | None:
    posts = surface is Surface.PUBLIC_UPDATE
    if facts.incident is None or facts.update is None:
        return None if posts else public.gone_reply()
    if posts:
        return public.public_update(facts.incident, facts.update, broadcast=facts.broadcast)
    return public.reply_now(facts.incident, facts.update)


def _nudge(surface: Surface, facts: Facts, *, at: datetime) -> Mapping[str, Any] | None:
    promise = facts.promise
    if promise is None or facts.card is None:
        return None
    incident = facts.card.incident
    if promise.over_at and promise.over_at <= at:
        return nudges.over(incident, promise, at=at)
    acts = facts.responds if incident.private else facts.publishes
    if surface is Surface.PROMISE_REMINDER:
        return nudges.reminder(
            incident,
            promise,
            at=at,
            posted=bool(facts.place),
            direct=facts.direct,
            acts=acts,
        )
    group = facts.settings.responders_group
    return nudges.breach(incident, promise, group=group, at=at, direct=facts.direct, acts=acts)


def _hand_over(surface: Surface, facts: Facts, *, at: datetime) -> Mapping[str, Any] | None:
    if facts.hand_over is None or facts.card is None:
        return None
    if surface is Surface.HAND_OVER_DECLINED:
        return handing.declined(
            facts.card.incident, facts.hand_over, at=at, responds=facts.responds
        )
    if surface is Surface.HAND_OVER_UNANSWERED:
        told_before = bool(facts.place)
        return handing.unanswered(
            facts.card.incident,
            facts.hand_over,
            at=at,
            told_before=told_before,
            responds=facts.responds,
        )
    return handing.question(
        facts.card,
        facts.hand_over,
        at=at,
        asked_before=bool(facts.place),
        responds=facts.responds,
    )


def _card(surface: Surface, facts: Facts, *, at: datetime) -> Mapping[str, Any] | None:
    if surface is Surface.STATUS_CARD:
        return public.status_card(facts.incident) if facts.incident else None
    if facts.card is None:
        return None
    if surface is Surface.WORKING_CARD:
        return cards.working_card(facts.card, at=at)
    return cards.owner_card(facts.card, at=at, responds=facts.responds)


def _farewell(surface: Surface, facts: Facts) -> Mapping[str, Any] | None:
    """The end of a message that was posted, for readers who may see the incident no more."""
    if facts.place is None:
        return None
    direct = surface is Surface.OWNER_CARD or facts.direct
    return cards.gone(facts.name) if direct else public.gone(facts.name)
