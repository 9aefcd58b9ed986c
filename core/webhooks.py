"""Webhooks as values: endpoints, and the events that a change is to them. No text is in any.

An event names the incident and the entry that it is about. Its body is rendered from public rows
at the moment of delivery, so a text that was withdrawn meanwhile is in no body.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Protocol
from uuid import UUID

from core.decision import Decision
from core.incident import Component, Incident, Kind, Person, Update, Visibility, is_end
from core.lifecycle import PublicWord
from core.page import STATUSES, ComponentStatus
from core.settings import SavedSetting
from core.subscription import SubscriptionFilter

# For so long the secret before it signs as well.
ROTATION = timedelta(hours=24)
# After so long without a success an endpoint is switched off.
SILENCE_MAX = timedelta(days=3)


class HookEvent(StrEnum):
    """The type of an event, as receivers read it."""

    CREATED = "incident.created"  # an incident has a public side from now on
    UPDATED = "incident.updated"  # a public update, or another public fact
    RESOLVED = "incident.resolved"
    UPDATE_WITHDRAWN = "incident.update_withdrawn"  # a public text is withdrawn
    WITHDRAWN = "incident.withdrawn"  # the incident is private from now on
    COMPONENT = "component.updated"  # the status of a component


class EndpointState(StrEnum):
    """Whether an endpoint gets events, and the reason if it does not."""

    ON = "on"
    OFF = "off"  # an admin switched it off
    GONE = "gone"  # it answered 410
    SILENT = "silent"  # no success for `SILENCE_MAX`


# The code of an event that waited for an endpoint when it was switched off: it is never sent.
SWITCHED_OFF = "switched_off"
# It failed until it was switched off, and somebody is to be told.
FAILED = frozenset({EndpointState.GONE, EndpointState.SILENT})
EVER = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """An address that gets events. ``starts_at``: nothing that was public before it is sent.

    ``failing_since`` is the first failure since the newest success; None: the newest try went well.
    ``rotating_until``: the secret before the present one signs as well until then.
    """

    id: UUID
    workspace: str
    url: str
    filter: SubscriptionFilter = field(default_factory=SubscriptionFilter)
    state: EndpointState = EndpointState.ON
    added_by: Person
    added_at: datetime
    starts_at: datetime
    rotating_until: datetime | None = None
    last_success_at: datetime | None = None
    failing_since: datetime | None = None
    off_at: datetime | None = None

    @property
    def on(self) -> bool:
        """Whether it gets events."""
        return self.state is EndpointState.ON


def told_that_it_is_off(
    added_by: Person, *, api_channel: str | None, saved: Iterable[SavedSetting]
) -> str | None:
    """The id of the person or channel that is told that an endpoint has failed; None: nobody is.

    An API key, which mostly adds endpoints, reads nothing in Slack. Then it is the channel of
    incidents from the API, or the admin who saved settings last.
    """
    if added_by.in_slack:
        return added_by.id
    if api_channel is not None:
        return api_channel
    by_people = [one for one in saved if one.by is not None and one.by.in_slack]
    newest = max(by_people, key=lambda one: one.at or EVER, default=None)
    return newest.by.id if newest and newest.by else None


@dataclass(frozen=True, slots=True)
class Rotated:
    """An endpoint with a new secret.

    ``ended`` is set if a third secret signed until now, and does not any more: the moment at which
    it had been replaced.
    """

    endpoint: Endpoint
    ended: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Secrets:
    """The secrets of an endpoint. ``old`` signs as well until ``old_until``."""

    new: str = field(repr=False)
    old: str | None = field(default=None, repr=False)
    old_until: datetime | None = None

    def at(self, at: datetime) -> tuple[str, ...]:
        """The secrets that sign at the moment ``at``, newest first."""
        if self.old is None or self.old_until is None or self.old_until <= at:
            return (self.new,)
        return (self.new, self.old)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sending:
    """An event on its way to an endpoint, for the log: ``state`` is the message's, as a word.

    ``uid`` is the ``webhook-id``. ``error`` is the code of the last failure, such as ``http_500``,
    or `SWITCHED_OFF`. ``resent_at`` is when an admin had it sent again the last time.
    """

    uid: UUID
    endpoint: UUID
    event: HookEvent
    incident: UUID | None
    component: UUID | None
    state: str
    attempts: int
    due_at: datetime
    try_at: datetime
    done_at: datetime | None
    error: str | None
    resent_at: datetime | None


class Endpoints(Protocol):
    """The endpoints in the store."""

    def endpoints(self, workspace: str) -> tuple[Endpoint, ...]:
        """All endpoints of the workspace, oldest first."""

    def sendings(self, workspace: str, endpoint: UUID, *, limit: int) -> tuple[Sending, ...]:
        """The newest ``limit`` events of an endpoint, newest first."""


class EndpointWriter(Endpoints, Protocol):
    """`Endpoints` that can be written."""

    def endpoints_to_change(self, workspace: str) -> tuple[Endpoint, ...]:
        """`endpoints`, which nobody else changes until the end of the transaction."""

    def secrets_of(self, endpoint: Endpoint) -> Secrets:
        """Its secrets, which sign what is sent to it."""

    def add_endpoint(self, endpoint: Endpoint, secret: str) -> None:
        """Writes a new endpoint with its secret."""

    def refilter_endpoint(self, endpoint: Endpoint) -> None:
        """Writes the filter of an endpoint."""

    def rotate_secret(self, endpoint: Endpoint, secret: str) -> None:
        """Writes a new secret; the old one signs as well until ``endpoint.rotating_until``."""

    def switch_endpoint(self, endpoint: Endpoint) -> None:
        """Writes its state and its start. Waiting events are dropped."""

    def remove_endpoint(self, endpoint: Endpoint) -> None:
        """Deletes it with its secrets and all that waits for it."""

    def resend(self, endpoint: Endpoint, uid: UUID, *, at: datetime) -> bool:
        """Has an event sent once more, with the same id; False if the endpoint has none such.

        It has those that were sent or given up, and became public since its start.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class Happening:
    """One event of a decision, for every endpoint. ``entry`` is the newest that it is about.

    ``due_at`` is the moment at which it becomes public.
    """

    event: HookEvent
    entry: int
    due_at: datetime


def happenings(
    before: Incident | None, decision: Decision, *, hidden: frozenset[UUID] = frozenset()
) -> tuple[Happening, ...]:
    """The events of a decision, in the order in which they become public.

    ``hidden`` are components that are on no public surface: to tag one is no event.
    """
    incident, at = decision.incident, decision.incident.updated_at
    was_public = before is not None and before.public_title(at) is not None
    if incident.private:
        gone = Happening(event=HookEvent.WITHDRAWN, entry=incident.last_entry, due_at=at)
        return (gone,) if was_public else ()
    if before is None or before.private:
        due_at = incident.title_public_at or at
        return (Happening(event=HookEvent.CREATED, entry=incident.last_entry, due_at=due_at),)
    unseen_until = None if was_public else incident.title_public_at
    return (
        *_withdrawals(before, decision, at=at),
        *_news(before, decision, hidden, unseen_until=unseen_until),
    )


def retagged(before: Incident, after: Incident) -> frozenset[UUID]:
    """The components that are tagged or untagged."""
    old, new = ({one.id for one in each.components} for each in (before, after))
    return frozenset(old ^ new)


def _news(
    before: Incident,
    decision: Decision,
    hidden: frozenset[UUID],
    *,
    unseen_until: datetime | None,
) -> Iterator[Happening]:
    """The events of the updates, one for each moment at which some become public.

    ``unseen_until``: nothing of the incident is public before it. The event of the declaration
    waits for that moment, and shows what has changed meanwhile.
    """
    incident = decision.incident
    moved = incident.public_word is not before.public_word
    ends = moved and incident.public_word is PublicWord.RESOLVED
    news: dict[datetime, Happening] = {}
    tags = retagged(before, incident)
    for update in decision.updates:
        if update.kind is Kind.COMPONENTS and tags <= hidden:
            continue
        public_at = _public_at(update, incident, moved=moved)
        if public_at is None:
            continue
        resolves = ends and update.status_change is not None
        unseen = unseen_until is not None and public_at <= unseen_until
        if unseen and not resolves:
            continue
        due_at = unseen_until if unseen and unseen_until else public_at
        known = news.get(due_at)
        resolves |= known is not None and known.event is HookEvent.RESOLVED
        event = HookEvent.RESOLVED if resolves else HookEvent.UPDATED
        news[due_at] = Happening(event=event, entry=update.entry, due_at=due_at)
    yield from (news[due_at] for due_at in sorted(news))


def still_to_come(
    incident: Incident, held: Iterable[Update], *, at: datetime
) -> tuple[Happening, ...]:
    """The events of what is held back at the moment ``at``, for an endpoint that starts then.

    ``held`` are updates of the incident that become public later.
    """
    if incident.private:
        return ()
    news: dict[datetime, Happening] = {}
    unseen_until = incident.title_public_at if incident.public_title(at) is None else None
    if unseen_until:
        news[unseen_until] = Happening(
            event=HookEvent.CREATED, entry=incident.last_entry, due_at=unseen_until
        )
    for update in held:
        due_at = update.public_at
        if due_at is None or due_at <= (unseen_until or at):
            continue
        known = news.get(due_at)
        resolves = is_end(incident.lifecycle, update.old, update.status_change)
        resolves |= known is not None and known.event is HookEvent.RESOLVED
        event = HookEvent.RESOLVED if resolves else HookEvent.UPDATED
        news[due_at] = Happening(event=event, entry=update.entry, due_at=due_at)
    return tuple(news[due_at] for due_at in sorted(news))


def touched(before: Incident | None, decision: Decision) -> tuple[tuple[Component, ...], datetime]:
    """The components whose status a decision may change, and the moment at which that is told.

    It is told with the step that it follows from, which waits for a text that comes with it.
    """
    incident, at = decision.incident, decision.incident.updated_at
    if incident.private and (before is None or before.private):
        return (), at
    if before is None or before.public_title(at) is None:
        return incident.components, incident.title_public_at or at
    after = (incident.severity, incident.public_word, incident.private, incident.components)
    if after == (before.severity, before.public_word, before.private, before.components):
        return (), at
    known = {one.id: one for one in (*before.components, *incident.components)}
    same = (before.severity, incident.public_word, before.private, before.components)
    if after == same:
        # Nothing but the step.
        steps = (one for one in decision.updates if one.status_change is not None)
        at = max([at, *(one.public_at for one in steps if one.public_at is not None)])
    return tuple(known.values()), at


def admits(
    filter_: SubscriptionFilter, component: Component, *, old: ComponentStatus, new: ComponentStatus
) -> bool:
    """Whether an endpoint with that filter is told of a component's status.

    A filter by severity admits what an incident of that severity makes of a component. From then on
    the endpoint is told, until the component is operational.
    """
    if filter_.components and component.id not in {one.id for one in filter_.components}:
        return False
    if filter_.severity is None or old is not ComponentStatus.OPERATIONAL:
        return True
    enough = {made for one, made in STATUSES.items() if filter_.matches(one, filter_.components)}
    return new in enough


def _public_at(update: Update, incident: Incident, *, moved: bool) -> datetime | None:
    """The moment at which an update of a public incident is news to everybody; None: it is none.

    ``moved``: the public word is another one than before.
    """
    if update.passed:
        return None
    if update.visibility is Visibility.PUBLIC or (moved and update.status_change is not None):
        return update.public_at or update.at
    if update.kind is Kind.TITLE:
        return incident.title_public_at or update.at
    return update.at if update.kind in {Kind.SEVERITY, Kind.COMPONENTS} else None


def _withdrawals(before: Incident, decision: Decision, *, at: datetime) -> Iterator[Happening]:
    redacted, incident = decision.redacted, decision.incident
    if redacted is None or redacted.taken_back:
        return
    if redacted.visibility is Visibility.PUBLIC:
        yield Happening(event=HookEvent.UPDATE_WITHDRAWN, entry=redacted.entry, due_at=at)
    elif before.public_title(at) != incident.public_title(at):
        yield Happening(event=HookEvent.UPDATED, entry=incident.last_entry, due_at=at)
