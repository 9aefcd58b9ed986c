"""The readers of an incident: private, public, invitations; and how it ended, which is private.

All of it is possible after the end as well.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

from core.commands import NameResolution, SetInvitation, SetPrivacy
from core.decision import Decision, Envelope, ForAccess, Surface
from core.incident import PRIVATE, PUBLIC, Incident, Kind, Person, Resolution, Resolved, Update
from core.lifecycle import PublicWord
from core.pen import Pen, responders_cards, status_card
from core.promising import with_other_readers
from core.refusals import AlreadyPublic, InvalidDuplicate, NotOver, NotPrivate, TitleChanged


def set_privacy(
    incident: Incident, command: SetPrivacy, known: ForAccess, *, at: datetime
) -> Decision:
    """The decision to take the public side away, or to give one.

    Nothing is erased. The actor of the first counts as invited; the second is held back, title and
    earlier texts alike.

    Raises:
        AlreadyPublic: it was to become private only while it is held back.
        TitleChanged: the title is not the one that the actor agreed to.
    """
    if incident.private == command.private:
        return Decision(incident=incident)
    if command.expected_title not in {None, incident.title}:
        raise TitleChanged(incident)
    if command.held_only and incident.public_title(at) is not None:
        raise AlreadyPublic(incident)
    pen = Pen(incident, command.actor, at, known.publish_delay)
    if command.private:
        changed = made_private(incident, command.actor.person)
        entry = pen.update(Kind.PRIVACY, old=PUBLIC, new=PRIVATE)
        gone = tuple(_gone(incident, changed, known))
        done = with_other_readers(changed, known.promises, at=at)
        return pen.decision(done.incident, (entry,), known, envelopes=gone, promises=done.promises)
    delay = known.publish_delay
    changed = replace(
        incident, private=False, title_public_at=at + delay if delay else None, title_before=None
    )
    entry = pen.update(Kind.PRIVACY, old=PRIVATE, new=PUBLIC, public_at=changed.title_public_at)
    shown = tuple(_shown(incident, changed, known))
    done = with_other_readers(changed, known.promises, at=at)
    return pen.decision(done.incident, (entry,), known, envelopes=shown, promises=done.promises)


def made_private(incident: Incident, by: Person) -> Incident:
    """``incident`` as it is after ``by`` made it private: they count as invited."""
    sees = by in (incident.declared_by, incident.owner, *incident.invited) or not by.in_slack
    return replace(
        incident,
        private=True,
        invited=incident.invited if sees else (*incident.invited, by),
        title_public_at=None,
        title_before=None,
    )


def _gone(before: Incident, after: Incident, known: ForAccess) -> Iterator[Envelope]:
    yield from responders_cards(before, after)
    for channel in known.published.cards:
        yield status_card(after, channel)
    for channel, entry in known.published.replies:
        yield Envelope(surface=Surface.WITHDRAWAL, channel=channel, entry=entry)


def _shown(before: Incident, after: Incident, known: ForAccess) -> Iterator[Envelope]:
    hold = after.title_public_at
    yield from responders_cards(before, after, not_before=hold)
    here = known.places(after)
    for channel in dict.fromkeys((*known.published.cards, *here)):
        yield status_card(after, channel)
    for channel, entry in known.published.replies:
        yield Envelope(surface=Surface.WITHDRAWAL, channel=channel, entry=entry, not_before=hold)
    for channel in here:
        for update in _missing(channel, known):
            yield Envelope(
                surface=Surface.PUBLIC_UPDATE,
                channel=channel,
                entry=update.entry,
                not_before=max(filter(None, (hold, update.public_at)), default=None),
            )


def _missing(channel: str, known: ForAccess) -> Iterator[Update]:
    """The texts without a reply in ``channel``.

    Nobody reads one anew in the status channel that is in a former one, or in a subscribed channel
    one that was public before its start.
    """
    subscribed = {one.channel: one.starts_at for one in known.subscribers.subscriptions}
    if channel == known.workspace.status_channel:
        others = subscribed.keys() - {channel}
        posted = {entry for place, entry in known.published.replies if place not in others}
        yield from (one for one in known.texts if one.entry not in posted)
        return
    posted = {entry for place, entry in known.published.replies if place == channel}
    for one in known.texts:
        if one.entry not in posted and (one.public_at or one.at) >= subscribed[channel]:
            yield one


def set_invitation(
    incident: Incident, command: SetInvitation, known: ForAccess, *, at: datetime
) -> Decision:
    """The decision to let one more person see a private incident, or to take that back."""
    if not incident.private:
        raise NotPrivate(incident)
    person = command.person
    if command.invited == (person in incident.invited):
        return Decision(incident=incident)
    pen = Pen(incident, command.actor, at, known.publish_delay)
    if command.invited:
        changed = replace(incident, invited=(*incident.invited, person))
        entry = pen.update(Kind.INVITED, new=person.name)
    else:
        left = tuple(one for one in incident.invited if one != person)
        changed = replace(incident, invited=left)
        name = next(one.name for one in incident.invited if one == person)
        entry = pen.update(Kind.UNINVITED, old=name)
    return pen.decision(changed, (entry,), known)


def name_resolution(
    incident: Incident, command: NameResolution, known: ForAccess, *, at: datetime
) -> Decision:
    """The decision to say how the incident ended, or to correct that. It shows nowhere public."""
    if not incident.terminal and incident.public_word is not PublicWord.RESOLVED:
        raise NotOver(incident)
    if (command.how is Resolution.DUPLICATE) is (command.duplicate_of is None):
        raise InvalidDuplicate
    if command.duplicate_of is not None:
        if known.duplicate_of is None:
            raise InvalidDuplicate(f"is unknown: there is no INC-{command.duplicate_of} here")
        if known.duplicate_of.id == incident.id:
            raise InvalidDuplicate(f"must be another one than {incident.name}")
    resolved = Resolved(how=command.how, duplicate_of=command.duplicate_of)
    before = incident.resolution
    if resolved == before:
        return Decision(incident=incident)
    pen = Pen(incident, command.actor, at, known.publish_delay)
    entry = pen.update(Kind.RESOLUTION, old=before.words if before else None, new=resolved.words)
    changed = replace(incident, resolution=resolved)
    return pen.decision(changed, (entry,), known, envelopes=())
