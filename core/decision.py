"""The result of a command as values: messages by their address, and all that is to be saved."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from core.handover import HandOver
from core.incident import Component, DeclaredText, Incident, Update
from core.promise import Promise
from core.subscription import Subscription
from core.workspace import Workspace


class Surface(StrEnum):
    """A kind of message in Slack. It is rendered from the rows at the moment of delivery."""

    WORKING_CARD = "working_card"  # the card in the channel of the declaration
    OWNER_CARD = "owner_card"  # the card as a direct message to one person
    STATUS_CARD = "status_card"  # the public card, in the status channel or a subscribed one
    PUBLIC_UPDATE = "public_update"  # a public update, as a reply in the status card's thread
    WITHDRAWAL = "withdrawal"  # the edit of such a reply: it shows what is public of it now
    PROMISE_REMINDER = "promise_reminder"  # to the owner: a promise is due soon
    PROMISE_BREACH = "promise_breach"  # in the working channel: a promise is broken
    HAND_OVER = "hand_over"  # the question to a new owner, and later their answer
    HAND_OVER_DECLINED = "hand_over_declined"  # the new owner did not take it
    HAND_OVER_UNANSWERED = "hand_over_unanswered"  # the new owner has not answered
    HAND_OVER_LOST = "hand_over_lost"  # to an owner: somebody else was made owner by another
    OWNER_LEFT = "owner_left"  # the owner is deactivated, and nobody leads
    MENTION = "mention"  # the word to the group of responders that it has become more severe
    CHANNEL = "channel"  # a channel of its own is made
    CHANNEL_REFUSED = "channel_refused"  # to whoever asked for it: Slack does not make the channel
    CHANNEL_NAME = "channel_name"  # the channel gets its name, topic and purpose
    CHANNEL_PEOPLE = "channel_people"  # people are invited to the channel, or removed from it
    CHANNEL_PIN = "channel_pin"  # the card in the channel is pinned
    CHANNEL_NOTE = "channel_note"  # a note, in a private channel of a private incident
    CHANNEL_READERS = "channel_readers"  # the word that the incident has other readers now
    CHANNEL_CLOSING = "channel_closing"  # the word that the channel will be archived
    CHANNEL_ARCHIVE = "channel_archive"  # the channel is archived
    NO_POSTS = "no_posts"  # to whoever subscribed a channel: Slack takes no posts there
    SUBSCRIPTION_ENDED = "subscription_ended"  # to the same: it is the status channel by now


# Messages about a promise.
ABOUT_PROMISES = frozenset({Surface.PROMISE_REMINDER, Surface.PROMISE_BREACH})
# Messages that are posted at most once: a second one would be one too many.
NUDGES = frozenset(
    {
        *ABOUT_PROMISES,
        Surface.HAND_OVER_UNANSWERED,
        Surface.HAND_OVER_DECLINED,
        Surface.HAND_OVER_LOST,
        Surface.OWNER_LEFT,
        Surface.MENTION,
        Surface.CHANNEL_READERS,
        Surface.CHANNEL_CLOSING,
        Surface.CHANNEL_REFUSED,
    }
)
# Effects in Slack that are no messages.
CHANNEL_EFFECTS = frozenset(
    {
        Surface.CHANNEL,
        Surface.CHANNEL_NAME,
        Surface.CHANNEL_PEOPLE,
        Surface.CHANNEL_PIN,
        Surface.CHANNEL_ARCHIVE,
    }
)
# Deliveries about a channel of its own, messages or not.
ABOUT_CHANNELS = frozenset(
    {
        *CHANNEL_EFFECTS,
        Surface.CHANNEL_NOTE,
        Surface.CHANNEL_READERS,
        Surface.CHANNEL_CLOSING,
        Surface.CHANNEL_REFUSED,
    }
)
# Words to whoever subscribed a channel. They are about no incident.
ABOUT_SUBSCRIPTIONS = frozenset({Surface.NO_POSTS, Surface.SUBSCRIPTION_ENDED})
# Messages about an entry that responders read.
NOTICES = frozenset({Surface.HAND_OVER, *NUDGES})
# Those that say more of an incident than its number: they go once their readers may not see it.
TELLING = NOTICES - {Surface.CHANNEL_READERS, Surface.CHANNEL_REFUSED}


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """The address of a message that is to be sent: its target and subject, never its text.

    ``entry`` is the update of a reply, a withdrawal or a note, or the one that a notice is about.
    ``channel`` is the id of a channel or, for a direct message, of a person; of a channel that is
    to be made, `NEW_CHANNEL`. ``not_before`` None: it is due at once.
    """

    surface: Surface
    channel: str
    entry: int | None = None
    not_before: datetime | None = None


# The places of channels that are still to be made, by whether they are private. Slack limits the
# pace of that in a workspace, as it limits that of posts in a channel.
NEW_CHANNEL = {False: "new:public", True: "new:private"}


# The facts beside the incident, one class for each kind of command. The service loads them in the
# same transaction.


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """The posts of an incident in public, delivered or on their way.

    ``cards`` are the channels with its status card; ``replies`` are channels with the number of the
    entry that a reply there shows.
    """

    cards: tuple[str, ...] = ()
    replies: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscribers:
    """The facts that decide on the subscribed channels of an incident; empty without any.

    ``subscriptions`` are all of the workspace's, ended ones as well. ``cards`` are the channels
    with the incident's status card, delivered or on its way; ``held`` are the entries that hold a
    public text which is held back, oldest first.
    """

    subscriptions: tuple[Subscription, ...] = ()
    cards: frozenset[str] = frozenset()
    held: tuple[Update, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """The facts of any command. ``publish_delay`` is the time for which a text is held back.

    ``subscribers`` may stay empty for a command that shows nothing new in public.
    """

    workspace: Workspace
    publish_delay: timedelta = timedelta()
    subscribers: Subscribers = Subscribers()

    def places(self, incident: Incident) -> tuple[str, ...]:
        """The channels that show the public side of ``incident``, the status channel first.

        A subscribed one shows it if it passes the filter. One that has its card keeps it up to
        date to the end, also with another filter, or without a subscription.
        """
        if incident.private:
            return ()
        status = self.workspace.status_channel
        subscribed = (
            one.channel
            for one in self.subscribers.subscriptions
            if one.channel in self.subscribers.cards
            or (one.in_force and one.filter.matches(incident.severity, incident.components))
        )
        return tuple(dict.fromkeys((*filter(None, [status]), *subscribed)))

    def joins(self, channel: str) -> bool:
        """Whether ``channel`` is a subscribed one, and has no card of the incident yet."""
        is_subscribed = channel != self.workspace.status_channel
        return is_subscribed and channel not in self.subscribers.cards


@dataclass(frozen=True, slots=True, kw_only=True)
class ForDeclaration(Known):
    """``number`` becomes the incident's. ``publish_delay`` is the time for which its title is held.

    ``components`` are all of the workspace's, and may stay empty if the command names none; those
    of ``unnamed`` may not be named to the actor.
    """

    number: int
    components: tuple[Component, ...] = ()
    unnamed: frozenset[UUID] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class ForChange(Known):
    """``components`` are all of the workspace's, and may stay empty if the command names none;
    those of ``unnamed`` may not be named to the actor.
    ``moved`` is the newest transition (the declaration counts as one), given only if `is_stale`.
    ``correctable`` is the public text by the actor that was withdrawn within `CORRECTION_WINDOW`,
    and has no correction yet; it counts only after the end. ``promises`` are all of the incident's.
    ``mentioned``: the incident had a severity before at which the group of responders is mentioned.
    """

    components: tuple[Component, ...] = ()
    unnamed: frozenset[UUID] = frozenset()
    moved: Update | None = None
    correctable: Update | None = None
    promises: tuple[Promise, ...] = ()
    mentioned: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ForRedaction(Known):
    """``entry`` is the update in question, None if there is none.

    ``published_in`` are the channels that show or will show it. ``titles`` are all changes of the
    title, oldest first, and ``published`` all posts in public; both may stay empty if the entry
    holds no title. ``descriptions`` are all changes of the description, oldest first; they may stay
    empty if the entry holds none. For a withdrawal by name ``entry`` is the declaration.
    ``section`` are all entries of a section that is withdrawn, oldest first; empty for any other
    withdrawal. ``promises`` are all of the incident's; ``texts``, the entries that hold a public
    text, and ``moved``, the newest transition, may be absent if there is no promise.
    """

    entry: Update | None = None
    published_in: tuple[str, ...] = ()
    titles: tuple[Update, ...] = ()
    descriptions: tuple[Update, ...] = ()
    published: Published = Published()
    section: tuple[Update, ...] = ()
    promises: tuple[Promise, ...] = ()
    texts: tuple[Update, ...] = ()
    moved: Update | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ForReport(Known):
    """``written`` are all entries of the report's sections, oldest first."""

    written: tuple[Update, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ForAccess(Known):
    """``published`` are all posts in public; ``texts`` the entries that hold a public text.

    ``duplicate_of`` is the other incident that a resolution names, None if there is none for the
    actor. ``promises`` are all of the incident's. ``hand_over`` is the one that is answered, None
    if there is none.
    """

    published: Published = Published()
    texts: tuple[Update, ...] = ()
    duplicate_of: Incident | None = None
    promises: tuple[Promise, ...] = ()
    hand_over: HandOver | None = None


Context = ForDeclaration | ForChange | ForRedaction | ForAccess | ForReport


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """The result of `engine.decide`: saved whole, or not at all.

    If it changes anything, ``incident.version`` is one above the version that was read.
    ``updates`` are new, oldest first. ``redacted`` is the existing update that loses its texts, and
    ``redacted_too`` are earlier texts of the same section, or of the same name.
    ``erased`` are further updates without a text of it that they repeated, such as the title before
    a change. ``withdrawn_texts`` are all texts that go with them.
    ``promises`` are those that are new or changed. ``hand_overs`` are those that are new, or have
    their answer.
    """

    incident: Incident
    updates: tuple[Update, ...] = ()
    redacted: Update | None = None
    redacted_too: tuple[Update, ...] = ()
    erased: tuple[Update, ...] = ()
    withdrawn_texts: frozenset[str] = field(default=frozenset(), repr=False)
    new_components: tuple[Component, ...] = ()
    envelopes: tuple[Envelope, ...] = ()
    promises: tuple[Promise, ...] = ()
    hand_overs: tuple[HandOver, ...] = ()

    @property
    def changes_anything(self) -> bool:
        """False if everything that was asked for is true already; then nothing is written."""
        return bool(self.updates) or self.redacted is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """The facts after a command.

    ``before`` is None for a declaration and equals ``incident`` if nothing changed. ``redacted`` is
    the update without its body after a redaction, including a repeated one. ``places`` are the
    channels that show its public side, or showed it until now if it has become private; None if
    that was not looked up.
    """

    incident: Incident
    before: Incident | None
    updates: tuple[Update, ...]
    redacted: Update | None
    workspace: Workspace
    # The text that this command withdrew, for its author, who may write it anew.
    withdrawn_text: str | None = field(default=None, repr=False)
    # The text in whose place the actor may put one now; only looked up after a withdrawal.
    correctable: Update | None = None
    # The first acknowledgement, if the command asked for another one.
    acknowledged_at: datetime | None = None
    places: tuple[str, ...] | None = None
    # The number of earlier versions of the withdrawn text that went with it.
    withdrawn_too: int = 0
    # The name by which the command withdraws texts, if it does; and those of the declaration that
    # it withdrew, or found withdrawn.
    withdrawn_name: DeclaredText | None = None
    withdrawn_of_declaration: tuple[DeclaredText, ...] = ()
    # The newest earlier text of the actor that the public cannot read yet; the declaration is one.
    held: Update | None = None

    @property
    def changed(self) -> bool:
        """Whether anything was written."""
        return self.incident != self.before
