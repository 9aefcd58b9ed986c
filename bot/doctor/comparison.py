"""A comparison of Slack with the store: the differences between messages there and rows here.

It looks only at incidents that are open or were changed within a week, the latest changes first,
and at no more than `COMPARED_MAX`, because Slack limits how much can be read. It changes nothing,
and no line of it quotes a text.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from uuid import UUID

from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.delivery.surfaces import drawn
from bot.doctor.orphans import Orphan, Orphans
from bot.doctor.reader import BrokenOff, SlackMessage, SlackReader, gist
from bot.slack.web import code_of
from bot.slack.words import WITHDRAWN
from core.decision import NUDGES, Envelope, Surface
from core.incident import PublicText
from core.store import StoreUnavailable
from storage import posts
from storage.facts import Facts
from storage.findings import ABOUT_ENTRIES
from storage.messages import PUBLIC_SURFACES
from storage.outbox import Outbox
from storage.posts import Delivered, Placed, Standing
from storage.store import SqlStore

# Incidents without a change for so long are over, and nobody reads them any more.
LOOK_BACK = timedelta(days=7)
# A card that follows the end of a hold is edited within this time.
REDRAWN_WITHIN = timedelta(seconds=10)
COMPARED_MAX = 200
# So many channels are read for cards without an incident, beside those that are compared.
CHANNELS_MAX = 20
# Posts are compared as if no text were held back: the lane of one that is held back is left out.
NOTHING_HELD_BACK = datetime.max.replace(tzinfo=UTC)
# An incident that changes during its comparison is compared again, at most so often.
LOOKS = 3


@dataclass(frozen=True, slots=True)
class Compared:
    """The result for one channel, or for all. ``differences`` are sentences with their cures.

    ``note`` says how much was compared, or why nothing was. ``orphans`` are among the differences.
    """

    note: str
    differences: tuple[str, ...] = ()
    well: bool = True
    orphans: tuple[Orphan, ...] = ()


async def compare(
    store: SqlStore,
    client: AsyncWebClient,
    workspace: str,
    *,
    at: datetime,
    incidents_max: int = COMPARED_MAX,
    app: str | None = None,
    pause: Callable[[float], Awaitable[object]] = asyncio.sleep,
) -> list[Compared]:
    """Compare each channel with the store, the status channel first.

    ``app`` is the id of our bot, as messages have it; None: no card without an incident is named.
    ``pause`` sleeps so many seconds, if Slack asks for it.

    Raises:
        StoreUnavailable: the database failed or does not answer.
    """
    reader = SlackReader(client, at=at, pause=pause)
    orphans = Orphans(reader, client, workspace, app) if app else None
    comparison = Comparison(
        store, reader, workspace, at=at, incidents_max=incidents_max, orphans=orphans
    )
    return [compared async for compared in comparison.run()]


@dataclass(slots=True)
class _Conversation:
    """A channel that is being read, message by message."""

    id: str
    name: str = ""
    messages: dict[str, SlackMessage] = field(default_factory=dict)
    compared: int = 0
    passed_over: int = 0
    differences: list[str] = field(default_factory=list)
    orphans: tuple[Orphan, ...] = ()


class Comparison:
    """One look at all channels. ``at`` is the present moment."""

    def __init__(
        self,
        store: SqlStore,
        slack: SlackReader,
        workspace: str,
        *,
        at: datetime,
        incidents_max: int,
        orphans: Orphans | None = None,
    ) -> None:
        self._store = store
        self._outbox = Outbox(store)
        self._slack = slack
        self._orphans = orphans
        self._workspace = workspace
        self._at = at
        self._incidents_max = incidents_max
        self._delivered: Mapping[UUID, Delivered] = {}
        self._status_channel: str | None = None
        self._subscribed: frozenset[str] = frozenset()
        # Channels that must be readable: everybody is to read what is public there.
        self._in_force: frozenset[str] = frozenset()

    async def run(self) -> AsyncIterator[Compared]:
        """Compare the channels, one after another."""
        since = self._at - LOOK_BACK
        count, chosen = await self._store.read(
            lambda reader: posts.recent(
                reader, self._workspace, since=since, limit=self._incidents_max
            )
        )
        standings = [one for incident in chosen if (one := await self._standing(incident))]
        self._delivered = await self._store.read(
            lambda reader: posts.delivered(reader, self._workspace, chosen)
        )
        self._status_channel = await self._store.read(
            lambda reader: reader.workspace(self._workspace).status_channel
        )
        subscriptions = await self._store.read(lambda reader: reader.subscriptions(self._workspace))
        self._subscribed = frozenset(one.channel for one in subscriptions)
        self._in_force = frozenset(one.channel for one in subscriptions if one.in_force)
        if count > len(chosen):
            yield Compared(
                f"of {count} incidents that are open or changed lately, the {len(chosen)} that "
                "changed last are compared"
            )
        compared = {placed.conversation for one in standings for placed in _readable(one)}
        read = compared | await self._with_posts() if self._orphans else compared
        for conversation in sorted(read, key=lambda id_: (id_ != self._status_channel, id_)):
            here = _Conversation(conversation, name=conversation)
            try:
                await self._compare(here, standings)
            except BrokenOff as error:
                yield self._broken_off(here, str(error))
                return
            except SlackApiError as error:
                if conversation in compared:
                    yield self._unreadable(here, code_of(error))
            else:
                if conversation in compared or here.differences:
                    yield self._done(here)

    async def _with_posts(self) -> set[str]:
        """The channels with the newest posts: they may have cards of incidents that are gone."""
        every = await self._store.read(posts.channels)
        here = [channel for workspace, channel in every if workspace == self._workspace]
        status = [self._status_channel] if self._status_channel else []
        return {*status, *here[:CHANNELS_MAX]}

    async def _standing(self, incident: UUID) -> Standing | None:
        return await self._store.read(
            lambda reader: posts.standing(reader, self._workspace, incident)
        )

    async def _compare(self, here: _Conversation, standings: Sequence[Standing]) -> None:
        here.name = await self._slack.name(here.id)
        async for seen in self._slack.since(here.id, self._at - LOOK_BACK):
            here.messages[seen.ts] = seen
        if self._orphans:
            await self._find_orphans(here, self._orphans)
        for standing in standings:
            placed = [one for one in _readable(standing) if one.conversation == here.id]
            if placed:
                await self._compare_one(here, standing, placed)

    async def _find_orphans(self, here: _Conversation, search: Orphans) -> None:
        here.orphans = await search.among(self._store, here.id, here.messages.values())
        here.differences += [
            f"{one.name} has a card in {here.name} ({one.link}), and is not in the database: "
            "`ratchet doctor --mark-gone` says so on the card"
            for one in here.orphans
        ]

    async def _compare_one(
        self, here: _Conversation, standing: Standing, placed: Sequence[Placed]
    ) -> None:
        """Compare one incident with the messages of ``here``, and read the missing ones.

        A difference counts only if the incident has not changed meanwhile.
        """
        for _ in range(LOOKS):
            await self._read(here, placed)
            found = [line async for line in self._differences(here, standing, placed)]
            again = await self._standing(standing.incident) if found else standing
            if again == standing:
                here.compared += 1
                here.differences += [f"{standing.name}: {line}" for line in found]
                return
            if again is None:
                return
            standing = again
            placed = [one for one in _readable(standing) if one.conversation == here.id]
            for one in placed:
                here.messages.pop(one.ts, None)
        here.passed_over += 1

    async def _read(self, here: _Conversation, placed: Sequence[Placed]) -> None:
        """Read the threads of the cards, then each message that is still missing."""
        for one in placed:
            if one.envelope.surface is Surface.STATUS_CARD:
                card = here.messages.get(one.ts)
                if card is None or card.has_replies:
                    await self._remember(here, self._slack.thread(here.id, one.ts))
        for one in placed:
            if one.ts not in here.messages:
                looked_for = self._slack.thread(here.id, one.ts, only=one.ts)
                await self._remember(here, looked_for)

    @staticmethod
    async def _remember(here: _Conversation, messages: AsyncIterator[SlackMessage]) -> None:
        async for seen in messages:
            here.messages[seen.ts] = seen

    async def _differences(
        self, here: _Conversation, standing: Standing, placed: Sequence[Placed]
    ) -> AsyncIterator[str]:
        for one in placed:
            if standing.is_busy(one.envelope):
                continue
            if one.ts not in here.messages:
                withdrawn = one.envelope.entry in standing.withdrawn
                if self._should_be_current(standing, one.envelope) and not withdrawn:
                    yield _gone(here, one.envelope)
            elif difference := await self._outdated(here, standing, one, here.messages[one.ts]):
                yield difference
        for difference in self._duplicates(here, standing, placed):
            yield difference
        for difference in self._out_of_order(here, standing, placed):
            yield difference

    def _should_be_current(self, standing: Standing, envelope: Envelope) -> bool:
        """Whether the message of ``envelope`` should show the present facts.

        Posts in a former status channel are not edited any more, except to withdraw their texts;
        nor is a card, while the status channel is another. Those in a subscribed channel are
        followed to the end, whatever becomes of the subscription.
        """
        if envelope.surface not in PUBLIC_SURFACES:
            return True
        if envelope.channel != self._status_channel:
            return envelope.channel in self._subscribed
        if envelope.surface is not Surface.STATUS_CARD:
            return True
        former = (
            one.envelope.channel
            for one in standing.placed
            if one.envelope.surface is Surface.STATUS_CARD
            and one.envelope.channel not in {self._status_channel, *self._subscribed}
        )
        return not any(former)

    async def _outdated(
        self, here: _Conversation, standing: Standing, one: Placed, seen: SlackMessage
    ) -> str | None:
        """The difference between ``seen``, the message in the place of ``one``, and the store."""
        entry = one.envelope.entry
        withdrawn = entry in standing.withdrawn
        if not withdrawn and not self._should_be_current(standing, one.envelope):
            return None
        try:
            facts = await self._outbox.facts_of(
                self._workspace, standing.incident, one.envelope, at=NOTHING_HELD_BACK
            )
            texts = {gist(text) for text in _texts(one.envelope.surface, facts, standing, self._at)}
        except StoreUnavailable:
            raise
        except Exception:  # noqa: BLE001 - rows that were changed by hand may hold anything
            return "a message of it cannot be drawn for the comparison: see the audit's lines"
        if gist(seen.text) in texts or _is_archived(one.envelope, facts):
            return None
        if withdrawn:
            return f"entry {entry} was withdrawn, but is still in {here.name}: {_delete(seen)}"
        if one.envelope.surface is Surface.PUBLIC_UPDATE:
            cure = "withdraw it in Slack with `/incident withdraw`, then write it again"
            return f"{here.name} shows another text than entry {entry}: {cure}"
        return f"its card in {here.name} is out of date: {REDRAWN}"

    def _duplicates(
        self, here: _Conversation, standing: Standing, placed: Sequence[Placed]
    ) -> Iterator[str]:
        """Messages of ours in places that the store does not know."""
        places = {_key(one.envelope): one.ts for one in placed}
        for ts, seen in sorted(here.messages.items()):
            message = self._delivered.get(seen.uid) if seen.uid else None
            if message is None or message.incident != standing.incident:
                continue
            if message.envelope.surface in NUDGES:
                continue  # It is about an entry, and never has its text.
            key = _key(message.envelope)
            if ts in places.values() or standing.is_busy(message.envelope):
                continue
            _, entry = key
            name = f"entry {entry}" if entry else "its card"
            if entry in standing.withdrawn:
                if not gist(seen.text).endswith(gist(WITHDRAWN)):
                    yield f"{name} was withdrawn, but is still in {here.name}: {_delete(seen)}"
            elif key in places:
                yield f"{name} is twice in {here.name}: {_delete(seen)}"

    def _out_of_order(
        self, here: _Conversation, standing: Standing, placed: Sequence[Placed]
    ) -> Iterator[str]:
        """Replies in another order than the one in which they were due.

        Only as far back as the outbox remembers. A reply that an operator sent again is in order
        by the time of that retry.
        """
        due = {
            message.envelope: message.order
            for message in self._delivered.values()
            if message.incident == standing.incident
            and message.envelope.surface is Surface.PUBLIC_UPDATE
        }
        replies = [
            one
            for one in placed
            if one.envelope.surface is Surface.PUBLIC_UPDATE
            and one.envelope in due
            and one.ts in here.messages
        ]
        replies.sort(key=lambda one: due[one.envelope])
        for before, after in pairwise(replies):
            if float(before.ts) > float(after.ts):
                order = f"entry {before.envelope.entry} comes after entry {after.envelope.entry}"
                yield f"{order} in {here.name}: report it"

    def _done(self, here: _Conversation) -> Compared:
        note = f"{_incidents(here.compared)} compared with {here.name}"
        if here.passed_over:
            note += f"; {here.passed_over} changed too often meanwhile"
        return Compared(note, tuple(here.differences), orphans=here.orphans)

    def _broken_off(self, here: _Conversation, why: str) -> Compared:
        done = f"only {_incidents(here.compared)} compared with {here.name}"
        return Compared(f"{done}: {why}", tuple(here.differences), well=False)

    def _unreadable(self, here: _Conversation, code: str) -> Compared:
        """Only the status channel, and subscribed ones, must be readable."""
        must = here.id == self._status_channel or here.id in self._in_force
        cure = UNREADABLE.get(code, "")
        if code == UNSEEN and here.id != self._status_channel and must:
            cure = "; invite Ratchet, or end its subscription with `/incident unsubscribe`"
        note = f"{here.name} was not compared: Slack says {code}{cure}"
        return Compared(note, tuple(here.differences), well=not must)


# Slack's refusal to show a private channel without the bot.
UNSEEN = "channel_not_found"
REDRAWN = "the incident's next change redraws it; report it"
UNREADABLE = {
    "missing_scope": "; grant channels:history and groups:history: paste app_manifest.yml again "
    "and reinstall",
    "not_in_channel": "; type /invite @Ratchet there",
    UNSEEN: "; set another status channel, or invite Ratchet if it is private",
}


def _texts(surface: Surface, facts: Facts, standing: Standing, at: datetime) -> Iterator[str]:
    """The texts any of which a message on ``surface`` may show."""
    is_gone = facts.incident is None or (facts.update and facts.update.withdrawn)
    if surface is Surface.PUBLIC_UPDATE and is_gone:
        surface = Surface.WITHDRAWAL
    possible = [facts]
    if surface is Surface.PUBLIC_UPDATE and facts.incident:
        # An update keeps the title that its incident had when it was posted.
        possible = [
            replace(facts, incident=replace(facts.incident, title=PublicText(title)))
            for title in standing.titles
        ]
    for one in possible:
        for then in _moments(one, at):
            if content := drawn(surface, _as_of(one, then), at=then):
                yield content["text"]


def _moments(facts: Facts, at: datetime) -> Iterator[datetime]:
    """The present, and moments at which a promise changes: a card is redrawn a second later."""
    yield at
    if facts.card:
        if promise := facts.card.promise(at):
            yield promise.due_at
        turns = (turn for one in facts.card.promises for turn in (one.public_at, one.over_at))
        if any(turn and at - REDRAWN_WITHIN <= turn <= at for turn in turns):
            yield at - REDRAWN_WITHIN
    if facts.incident and facts.incident.next_update:
        yield facts.incident.next_update.due_at


def _as_of(facts: Facts, at: datetime) -> Facts:
    """``facts`` with the promise as it stands at the moment ``at``."""
    public = facts.incident
    if public is None or public.next_update is None:
        return facts
    promise = replace(public.next_update, overdue=public.next_update.due_at < at)
    return replace(facts, incident=replace(public, next_update=promise))


def _readable(standing: Standing) -> Iterator[Placed]:
    """The messages in channels: a direct message cannot be read without two more scopes."""
    return (one for one in standing.placed if one.envelope.surface not in posts.DIRECT)


def _is_archived(envelope: Envelope, facts: Facts) -> bool:
    """Whether it is a card in a channel of the incident's own that was archived since."""
    card = facts.card if envelope.surface is Surface.WORKING_CARD else None
    return card is not None and envelope.channel not in card.incident.card_channels


def _gone(here: _Conversation, envelope: Envelope) -> str:
    if envelope.surface is Surface.PUBLIC_UPDATE:
        name, cure = f"entry {envelope.entry}", "if it still matters, write it again"
    elif envelope.surface is Surface.CHANNEL_NOTE:
        name, cure = f"the note of entry {envelope.entry}", "the timeline has it"
    else:
        name, cure = "its card", "the incident's next change posts a new one"
    return f"{name} is gone from {here.name}: {cure}"


def _key(envelope: Envelope) -> tuple[Surface, int]:
    """The same key for a message as it was posted and as it was edited since."""
    if envelope.surface in ABOUT_ENTRIES:
        return Surface.PUBLIC_UPDATE, envelope.entry or 0
    return envelope.surface, envelope.entry or 0


def _delete(seen: SlackMessage) -> str:
    return f"delete the message of {seen.ts} in Slack, and report it"


def _incidents(count: int) -> str:
    return "1 incident" if count == 1 else f"{count} incidents"
