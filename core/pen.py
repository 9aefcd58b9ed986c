"""A decision is written here: its updates, numbered in order, and the messages that show it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta

from core.decision import Decision, Envelope, Known, Surface
from core.incident import (
    Actor,
    Component,
    Incident,
    Kind,
    Update,
    Visibility,
    is_end,
    redraws_status_card,
    update_id,
)
from core.promise import Promise


class Pen:
    """Makes the updates of one decision: same incident, actor and moment, consecutive entries."""

    def __init__(
        self, incident: Incident, actor: Actor, at: datetime, publish_delay: timedelta
    ) -> None:
        self._incident = incident
        self._by = actor.person
        self._at = at
        self._publish_delay = publish_delay
        self._entry = incident.last_entry

    def update(
        self,
        kind: Kind,
        *,
        visibility: Visibility = Visibility.INTERNAL,
        body: str | None = None,
        old: str | None = None,
        new: str | None = None,
        public_at: datetime | None = None,
        passed: bool = False,
        next_update_by: datetime | None = None,
    ) -> Update:
        """The next update; ``public_at`` is for a title, a body has its own."""
        self._entry += 1
        if self._publish_delay and visibility is Visibility.PUBLIC:
            public_at = self._at + self._publish_delay
        return Update(
            id=update_id(self._incident.id, self._entry),
            incident=self._incident.id,
            entry=self._entry,
            kind=kind,
            visibility=visibility,
            by=self._by,
            at=self._at,
            body=body,
            old=old,
            new=new,
            public_at=public_at,
            passed=passed,
            next_update_by=next_update_by,
        )

    def decision(
        self,
        changed: Incident,
        updates: tuple[Update, ...],
        known: Known,
        made: tuple[Component, ...] = (),
        *,
        envelopes: tuple[Envelope, ...] | None = None,
        promises: tuple[Promise, ...] = (),
    ) -> Decision:
        """The decision to save ``changed`` with ``updates``; without updates, to write nothing.

        ``envelopes`` None: the messages that the change needs by its kind. ``promises`` are those
        that are new or changed.
        """
        if not updates:
            return Decision(incident=self._incident)
        incident = replace(
            changed,
            version=changed.version + 1,
            last_entry=self._entry,
            updated_at=self._at,
        )
        if envelopes is None:
            promised = self._incident.next_update_by != incident.next_update_by
            envelopes = tuple(
                envelopes_of(self._incident, incident, updates, known, promised=promised)
            )
        return Decision(
            incident=incident,
            updates=updates,
            new_components=made,
            envelopes=envelopes,
            promises=promises,
        )


def retitled(incident: Incident, title: str, *, at: datetime, delay: timedelta) -> Incident:
    """``incident`` with another title, which is held back for ``delay`` if it becomes public.

    A title that is replaced while it is held back never becomes public.
    """
    public = incident.public_title(at)
    if incident.private or not delay or title == public:
        return replace(incident, title=title, title_public_at=None, title_before=None)
    return replace(incident, title=title, title_public_at=at + delay, title_before=public)


def envelopes_of(
    before: Incident | None,
    incident: Incident,
    updates: tuple[Update, ...],
    known: Known,
    *,
    promised: bool = False,
) -> Iterator[Envelope]:
    """The messages that show the change. The status card is first: replies need its thread.

    ``promised``: another promise is in force, which the cards show.
    """
    if promised or any(
        update.kind is not Kind.WROTE or update.visibility is Visibility.PUBLIC
        for update in updates
    ):
        yield from responders_cards(before, incident)
    shown = [one for one in updates if redraws_status_card(one.kind, one.visibility, one.new)]
    if shown:
        yield from public_cards(incident, known, joins_at=min(map(_public_from, shown)))
    end = is_end(incident.lifecycle, before.status if before else None, incident.status)
    for update in updates:
        announces = end and update.status_change == incident.status and not update.passed
        if update.visibility is Visibility.PUBLIC or announces:
            for channel in known.places(incident):
                yield _reply(update, channel)


def public_cards(
    incident: Incident,
    known: Known,
    *,
    not_before: datetime | None = None,
    joins_at: datetime | None = None,
) -> Iterator[Envelope]:
    """The status card in each channel that shows the public side of ``incident``.

    A subscribed channel that has none yet gets it once something is public, at ``joins_at``. It
    gets the texts that are held back as well: they become public while it shows the incident.
    """
    held = known.subscribers.held
    first = joins_at or not_before
    if first is not None:
        first = min([first, *map(_public_from, held)])
    for channel in known.places(incident):
        joins = known.joins(channel)
        yield status_card(incident, channel, not_before=first if joins else not_before)
        if joins:
            yield from (_reply(text, channel) for text in held)


def _public_from(update: Update) -> datetime:
    """The moment from which everybody reads of it: a step is public at once, its text later."""
    has_step = update.status_change is not None
    return update.at if has_step or update.public_at is None else update.public_at


def _reply(update: Update, channel: str) -> Envelope:
    return Envelope(
        surface=Surface.PUBLIC_UPDATE,
        channel=channel,
        entry=update.entry,
        not_before=update.public_at,
    )


def status_card(
    incident: Incident, channel: str, *, not_before: datetime | None = None
) -> Envelope:
    """The status card in ``channel``, which waits for the end of the newest title's hold."""
    held = max(filter(None, (incident.title_public_at, not_before)), default=None)
    return Envelope(surface=Surface.STATUS_CARD, channel=channel, not_before=held)


def responders_cards(
    before: Incident | None, incident: Incident, *, not_before: datetime | None = None
) -> Iterator[Envelope]:
    """The cards for responders: of everybody who has one, or had one before the change."""
    channels = [channel for one in (before, incident) if one for channel in one.card_channels]
    for channel in dict.fromkeys(channels):
        yield Envelope(surface=Surface.WORKING_CARD, channel=channel, not_before=not_before)
    people = [*(before.card_people if before else ()), *incident.card_people]
    for person in dict.fromkeys(person.id for person in people):
        yield Envelope(surface=Surface.OWNER_CARD, channel=person, not_before=not_before)
