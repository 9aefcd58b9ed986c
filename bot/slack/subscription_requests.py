"""Requests about the subscriptions of channels, as values. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from uuid import UUID

from core.incident import Severity
from core.subscribing import Wanted
from core.subscription import Subscription

# What is typed as ``key:value`` after ``subscribe``.
OPTIONS = ("severity", "components", "broadcast")


def version(one: Subscription | None) -> str:
    """The mark that tells the subscription of a channel from earlier ones; empty for none."""
    return "" if one is None else str(int(one.at.timestamp() * 1000))


@dataclass(frozen=True, slots=True, kw_only=True)
class Readers:
    """The readers of a channel, as Slack tells them.

    ``shared``: people of other organizations are among them (Slack Connect); ``offered``: they will
    be, once an invitation is accepted. ``members`` None: Slack does not count them.
    """

    private: bool = False
    shared: bool = False
    offered: bool = False
    members: int | None = None

    @property
    def kinds(self) -> frozenset[str]:
        """The kinds of readers that a person must agree to before the channel is subscribed."""
        found = {"private": self.private, "shared": self.shared or self.offered}
        return frozenset(kind for kind, there in found.items() if there)


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscribe:
    """Subscribes the channel with the id ``channel``; None: it is still to be named.

    ``name`` is the channel as it was typed, for labels. The others are those of `Wanted`.
    ``agreed`` has the kinds of `Readers` that the author was told of, and agreed to, with ``-``
    between them. ``over`` says what the author knew of the channel's subscription: it is its
    `version`, empty for none. None: the words were typed, and said nothing about ``left_out``,
    which are some of `OPTIONS`.
    """

    channel: str | None = None
    severity: Severity | None = None
    components: tuple[str | UUID, ...] = ()
    broadcast: bool = False
    agreed: str = ""
    over: str | None = None
    # Two readings that ask for the same are one choice.
    left_out: tuple[str, ...] = field(default=(), compare=False)
    name: str = field(default="", compare=False)

    @property
    def agreed_kinds(self) -> frozenset[str]:
        """``agreed`` as `Readers.kinds`."""
        return frozenset(self.agreed.split("-"))

    def of(self, channel: str) -> Wanted:
        """The same as the core takes it, for ``channel``."""
        return Wanted(
            channel=channel,
            severity=self.severity,
            components=self.components,
            broadcast=self.broadcast,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenSubscription:
    """The dialog of a subscription, filled with ``filled``.

    ``present``: with what its channel has now, as far as it has a subscription; it is then about
    that channel alone.
    """

    filled: Subscribe
    present: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class LeaveUnsubscribed:
    """The answer **Don't** to the question whether ``channel`` is subscribed."""

    channel: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TryChannel:
    """Tries whether the subscribed ``channel`` takes posts again, and sends what was given up."""

    channel: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Unsubscribe:
    """Ends the subscription of ``channel``. ``page`` is that of the list, if that comes back."""

    channel: str
    page: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ShowSubscriptions:
    """A page of the subscribed channels, from 1. ``told`` is a sentence above them, in markup."""

    page: int = 1
    told: str = ""


AboutSubscriptions = (
    Subscribe | OpenSubscription | LeaveUnsubscribed | TryChannel | Unsubscribe | ShowSubscriptions
)
