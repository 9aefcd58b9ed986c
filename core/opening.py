"""Channels of their own in decisions: opened, kept, named, filled with people and notes. Pure.

Slack does all of it later, as deliveries: nothing here waits for it. `core.channel` has the rules
of names and of the end.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime

from core.audience import audience
from core.channel import ChannelAct, ChannelStage, OwnChannel, PrivateChannelId
from core.commands import SetChannel
from core.decision import NEW_CHANNEL, Decision, Envelope, ForAccess, Surface
from core.incident import KEPT, OPENED, Incident, Kind, Person, Severity, Update, Visibility
from core.pen import Pen, responders_cards
from core.promising import is_over
from core.refusals import ChannelArchived, IncidentResolved, NoChannels
from core.workspace import Workspace


def raises(incident: Incident, severity: Severity | None, at: frozenset[Severity]) -> bool:
    """Whether ``severity`` is one of ``at``, and the present one is not."""
    return severity in at and incident.severity not in at


def set_channel(
    incident: Incident, command: SetChannel, known: ForAccess, *, at: datetime
) -> Decision:
    """The decision to open a channel for the present readers, or to keep the channels there are.

    A second channel for the same readers is opened only if Slack did not make the first.
    """
    pen = Pen(incident, command.actor, at, known.publish_delay)
    if command.act is ChannelAct.KEEP:
        left = [one for one in incident.channels if one.live]
        if not left:
            raise ChannelArchived(incident)
        if all(one.kept for one in left):
            return Decision(incident=incident)
        kept = tuple(replace(one, kept=True) if one.live else one for one in incident.channels)
        entry = pen.update(Kind.CHANNEL, new=KEPT)
        return pen.decision(replace(incident, channels=kept), (entry,), known)
    if not known.workspace.settings.incident_channels.offered:
        raise NoChannels(incident)
    if (own := incident.own_channel) and not own.error:
        return Decision(incident=incident)
    if incident.terminal:
        raise IncidentResolved(incident, None)
    entry = pen.update(Kind.CHANNEL, new=OPENED)
    changed = _with_channel(incident, entry.entry)
    decision = pen.decision(changed, (entry,), known)
    return replace(decision, envelopes=(*decision.envelopes, _opening(changed)))


def with_channels(
    decision: Decision, before: Incident | None, workspace: Workspace, *, at: datetime
) -> Decision:
    """``decision`` with its consequences for the channels of the incident.

    One that is declared at, or raised to, a severity of the setting gets a channel by itself.
    """
    if not decision.changes_anything:
        return decision
    after = decision.incident
    envelopes = list(decision.envelopes)
    if _opens_by_itself(before, after, workspace):
        # The entry that caused it: a new severity, or the declaration.
        entry = next(
            one.entry for one in decision.updates if one.kind in {Kind.SEVERITY, Kind.DECLARED}
        )
        after = _with_channel(after, entry)
        envelopes.append(_opening(after))
    if not after.channels:
        return decision
    over = is_over(after)
    channels = tuple(
        # A public channel of a private incident tells nothing of it, and so not of its end.
        one.followed(over=over and one.private >= after.private, at=at)
        for one in after.channels
    )
    after = replace(after, channels=channels)
    if before:
        envelopes += _following(before, after, decision)
    return replace(decision, incident=after, envelopes=tuple(envelopes))


def _opens_by_itself(before: Incident | None, after: Incident, workspace: Workspace) -> bool:
    severities = workspace.settings.incident_channels.at
    if after.own_channel or is_over(after):
        return False
    if before is None:
        return after.severity in severities
    return raises(before, after.severity, severities)


def _with_channel(incident: Incident, entry: int) -> Incident:
    others = [one for one in incident.channels if one.private != incident.private]
    opened = OwnChannel(private=incident.private, entry=entry)
    return replace(incident, channels=(*others, opened))


def _opening(incident: Incident) -> Envelope:
    """The message that makes the channel for the present readers.

    The name of a public one holds words of the title, so it waits for the end of its hold.
    """
    channel = NEW_CHANNEL[incident.private]
    return Envelope(surface=Surface.CHANNEL, channel=channel, not_before=incident.title_public_at)


def _following(before: Incident, after: Incident, decision: Decision) -> Iterator[Envelope]:
    """The messages that bring the channels up to date with the change."""
    other_readers = before.private != after.private
    retitled = other_readers or (before.title, before.title_before) != (
        after.title,
        after.title_before,
    )
    other_people = other_readers or people_of(before) != people_of(after)
    for one in after.channels:
        if other_readers and one.id is None and one.private == after.private:
            # Its message came while the incident had other readers, and made nothing.
            yield _opening(after)
        here = one.live
        if here is None:
            continue
        if after.private > before.private and not one.private and here not in before.card_channels:
            # It is archived, and still says in public what is private now. If Slack refuses, the
            # operator is told.
            yield Envelope(surface=Surface.WORKING_CARD, channel=here)
        if retitled:
            yield _naming(here, after, one)
        if other_people and one.private == after.private:
            yield Envelope(surface=Surface.CHANNEL_PEOPLE, channel=here)
        # An archived one takes no message.
        if other_readers and any(here == was.live for was in before.channels):
            yield _readers(here, after)
        if one.for_notes and after.private:
            yield from _notes(one.for_notes, decision.updates)
    yield from _withdrawn_notes(after, decision)


def _naming(here: str, incident: Incident, channel: OwnChannel) -> Envelope:
    held = None if channel.private else incident.title_public_at
    return Envelope(surface=Surface.CHANNEL_NAME, channel=here, not_before=held)


def _readers(here: str, incident: Incident) -> Envelope:
    """The word in a channel that its incident has other readers; nobody reads it before them."""
    held = None if incident.private else incident.title_public_at
    return Envelope(
        surface=Surface.CHANNEL_READERS, channel=here, entry=incident.last_entry, not_before=held
    )


def is_note(update: Update) -> bool:
    """Whether ``update`` holds a note for a private channel. A report is read elsewhere."""
    written = update.visibility is Visibility.INTERNAL and update.body is not None
    return written and update.kind is not Kind.REPORTED


def _notes(channel: PrivateChannelId, updates: Iterable[Update]) -> Iterator[Envelope]:
    for update in updates:
        if is_note(update):
            yield note_in(channel, update.entry)


def note_in(channel: PrivateChannelId, entry: int) -> Envelope:
    """The note of ``entry`` as a message in a private channel; no other place can be named."""
    return Envelope(surface=Surface.CHANNEL_NOTE, channel=channel, entry=entry)


def _withdrawn_notes(incident: Incident, decision: Decision) -> Iterator[Envelope]:
    """Edits of notes that were withdrawn, in every private channel that there has been."""
    for redacted in filter(None, (decision.redacted, *decision.redacted_too)):
        elsewhere = redacted.kind in {Kind.DECLARED, Kind.TITLE, Kind.REPORTED}
        if redacted.visibility is Visibility.INTERNAL and not elsewhere:
            for one in incident.channels:
                if one.private and one.id:
                    yield note_in(PrivateChannelId(one.id), redacted.entry)


def people_of(incident: Incident) -> frozenset[str]:
    """The ids of the people who belong into the channel for the present readers.

    Into a private one belongs nobody who may not see the incident. Responders are invited to a
    public one beside them.
    """
    people: list[Person | None] = [incident.declared_by, incident.owner]
    if incident.private:
        people = [one for group in audience(incident).people.values() for one in group]
    return frozenset(one.id for one in people if one and one.in_slack)


def opened(incident: Incident, channel: OwnChannel, notes: Iterable[int]) -> tuple[Envelope, ...]:
    """The messages that follow once Slack has made ``channel``.

    ``notes`` are the entries with a note that were written since it was asked for.
    """
    here = channel.id
    if here is None:
        return ()
    cards = tuple(responders_cards(None, incident))
    if channel.private != incident.private:
        # The readers changed meanwhile. The channel has no members but the bot.
        return (*cards, _naming(here, incident, channel))
    private = channel.for_notes
    return (
        *cards,
        _naming(here, incident, channel),
        Envelope(surface=Surface.CHANNEL_PEOPLE, channel=here),
        *(note_in(private, entry) for entry in notes if private),
    )


def closing(incident: Incident, channel: OwnChannel) -> tuple[Envelope, ...]:
    """The messages of the stage that ``channel`` has just reached."""
    here = channel.id
    if here is None or channel.stage is ChannelStage.OPEN:
        return ()
    if channel.stage is ChannelStage.ANNOUNCED:
        told = Envelope(surface=Surface.CHANNEL_CLOSING, channel=here, entry=incident.last_entry)
        return (told,)
    return (Envelope(surface=Surface.CHANNEL_ARCHIVE, channel=here),)
