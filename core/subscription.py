"""Subscriptions: which incidents each is told of, and the channels in Slack that have one."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from core.errors import InvalidField
from core.incident import Component, Person, Severity


@dataclass(frozen=True, slots=True, kw_only=True)
class SubscriptionFilter:
    """``severity`` is the lowest that it is told of; None: every one.

    ``components`` limit it to incidents that tag one of them; empty: to none.
    """

    severity: Severity | None = None
    components: tuple[Component, ...] = ()

    def matches(self, severity: Severity, components: Iterable[Component]) -> bool:
        """Whether an incident of ``severity`` that tags ``components`` passes the filter."""
        order = list(Severity)
        if self.severity is not None and order.index(severity) > order.index(self.severity):
            return False
        wanted = {one.id for one in self.components}
        return not wanted or any(one.id in wanted for one in components)


@dataclass(frozen=True, slots=True)
class PostingFault:
    """Slack has refused to post in a channel since the moment ``at``, with the error ``code``."""

    code: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscription:
    """A channel in Slack that shows public incidents which pass ``filter``.

    Each has a card and a thread there, as in the status channel. ``broadcast``: replies in the
    thread are shown in the channel as well. ``by`` made it, or changed it last, at the moment
    ``at``. ``since`` is the moment from which it is in force without a break, whatever its filter.
    ``starts_at``: nothing that was public before it is sent. ``ended_at`` None: it is in force.
    Cards that are in the channel are kept up to date after its end, too. ``fault`` None: as far as
    is known, the channel takes posts.
    """

    workspace: str
    channel: str
    filter: SubscriptionFilter = field(default_factory=SubscriptionFilter)
    broadcast: bool = False
    by: Person
    at: datetime
    since: datetime
    starts_at: datetime
    ended_at: datetime | None = None
    fault: PostingFault | None = None

    @property
    def in_force(self) -> bool:
        """Whether the channel gets new incidents."""
        return self.ended_at is None


class Subscriptions(Protocol):
    """The subscriptions in the store: at most one of each channel."""

    def subscriptions(self, workspace: str) -> tuple[Subscription, ...]:
        """All subscriptions of the workspace, ended ones as well, in the order of their channels.

        Components of a filter that do not exist any more have an empty name.
        """


class SubscriptionWriter(Subscriptions, Protocol):
    """`Subscriptions` that can be written."""

    def subscriptions_to_change(self, workspace: str) -> tuple[Subscription, ...]:
        """`subscriptions`, which nobody else changes until the end of the transaction."""

    def keep_subscription(self, subscription: Subscription) -> None:
        """Writes a subscription, in the place of the one that its channel has.

        What waits for the channel, and was public before its start or its end, is dropped.
        """

    def tell_the_end(self, ended: Subscription, *, at: datetime) -> None:
        """Writes the word to whoever subscribed the channel that this has ended."""


def lowest_severity(text: str) -> Severity:
    """The severity that ``high`` or ``high+`` names: it and all that are worse.

    Raises:
        InvalidField: ``severity``.
    """
    try:
        return Severity(text.strip().removesuffix("+").casefold())
    except ValueError:
        words = ", ".join(Severity)
        raise InvalidField(
            "severity", f'is one of {words}; "high+" means high and all that is worse'
        ) from None
