"""Does Slack show what it should? Reads channels and threads, and holds them against the store.

Only what is open or was changed within a week is looked at, those that changed last first, and no
more of it than `COMPARED_MAX`: Slack lets nobody read for long. Changes nothing, and says no text.
"""

from __future__ import annotations

import asyncio
import re
import unicodedata
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any
from uuid import UUID

from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from bot.slack import views
from bot.slack.people import UNREACHABLE
from bot.slack.web import code_of
from bot.worker import TryAgain, after_failure
from core.incident import Envelope, PublicText, Surface
from core.service import StoreUnavailable
from storage import audit
from storage.audit import Delivered, Placed, Standing
from storage.outbox import Facts, Outbox
from storage.store import Store

# What has not been touched for so long is over, and nobody reads it any more.
LOOK_BACK = timedelta(days=7)
COMPARED_MAX = 200
# Of one channel or thread: 5,000 messages. What stands behind them is asked for one by one.
PAGES_MAX = 25
PAGE = 200
# How long Slack is waited for in all, where it says when to come back, and how often it is asked
# again where it says nothing.
PATIENCE = timedelta(minutes=5)
TRIES = 3
# An incident that is changed while it is compared is compared again, so often at most.
LOOKS = 3

NOT_THERE = frozenset({"message_not_found", "thread_not_found"})


@dataclass(frozen=True, slots=True)
class Compared:
    """What came of one channel, or of all. ``faults`` are sentences that say what to do.

    ``note`` says what was compared with what, or why it was not.
    """

    note: str
    faults: tuple[str, ...] = ()
    well: bool = True


class BrokenOff(Exception):
    """Slack says nothing any more, or asks to be left alone for long; the text says what to do."""


async def compare(
    store: Store,
    client: AsyncWebClient,
    workspace: str,
    *,
    at: datetime,
    pause: Callable[[float], Awaitable[object]] = asyncio.sleep,
) -> list[Compared]:
    """Each channel with what the store says of it: the status channel first.

    ``pause`` waits for so many seconds, where Slack asks for it.

    Raises:
        StoreUnavailable: the database failed or does not answer.
    """
    comparison = Comparison(store, client, workspace, at=at, pause=pause)
    return [compared async for compared in comparison.run()]


# --- what Slack makes of a text --------------------------------------------------------------

# A link that Slack found in a text, and a mention to which it added a name.
_LINK = re.compile(r"<(?![@#!])([^<>|]*)(?:\|([^<>]*))?>")
_NAMED = re.compile(r"<([@#!][^<>|]*)\|[^<>]*>")
# What an emoji is called in a text that is read back; its skin tone is a name of its own. The few
# names without a letter are said, for a time of day has colons too.
_EMOJI = re.compile(r":(?:\+1|-1|100|1234|[a-z0-9_+'-]*[a-z][a-z0-9_+'-]*):")
# The one emoji that is a letter to Unicode.
INFORMATION = "\N{INFORMATION SOURCE}"
_KEYCAP = re.compile("[0-9#*]\N{VARIATION SELECTOR-16}?\N{COMBINING ENCLOSING KEYCAP}")


def gist(text: str) -> str:
    """``text`` without what Slack changes in it between the post and the reading.

    Addresses come back as links, mentions with names, and emoji by their names; so no emoji is
    compared at all, nor what is neither letter, digit nor ASCII.

    Source: https://docs.slack.dev/messaging/formatting-message-text
    """
    plain = _NAMED.sub(r"<\1>", _LINK.sub(lambda link: link[2] or link[1], text))
    plain = _KEYCAP.sub("", _EMOJI.sub("", plain))
    kept = (
        character
        for character in unicodedata.normalize("NFD", plain)
        if character.isascii() or (character.isalnum() and character != INFORMATION)
    )
    return " ".join("".join(kept).split())


# --- what stands in Slack --------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Seen:
    """A message as Slack tells it. ``uid`` is the outbox message that it carries, if any."""

    ts: str
    text: str
    uid: UUID | None
    has_replies: bool

    @classmethod
    def read(cls, told: Mapping[str, Any]) -> Seen | None:
        """The message, None where it is one that says only that it was deleted."""
        if told.get("subtype") == "tombstone" or not isinstance(told.get("ts"), str):
            return None
        return cls(
            ts=told["ts"],
            text=str(told.get("text") or ""),
            uid=_uid(told.get("metadata")),
            has_replies=bool(told.get("reply_count")),
        )


def _uid(metadata: object) -> UUID | None:
    """What the worker writes into a post's metadata; others write there too, whatever they like."""
    payload = metadata.get("event_payload") if isinstance(metadata, dict) else None
    try:
        return UUID(str(payload.get("id"))) if isinstance(payload, dict) else None
    except ValueError:
        return None


class Slack:
    """The calls, with the waiting that Slack asks for."""

    def __init__(
        self,
        client: AsyncWebClient,
        *,
        at: datetime,
        pause: Callable[[float], Awaitable[object]],
    ) -> None:
        self._client = client
        self._at = at
        self._pause = pause
        self._left = PATIENCE

    async def name(self, conversation: str) -> str:
        """``#status``; the id where Slack does not tell."""
        try:
            answer = await self._ask(lambda: self._client.conversations_info(channel=conversation))
        except SlackApiError:
            return conversation
        return f"#{answer['channel'].get('name') or conversation}"

    async def since(self, conversation: str, moment: datetime) -> AsyncIterator[Seen]:
        """What was said in ``conversation`` since ``moment``, newest first, threads left out."""
        oldest = str(moment.timestamp())
        async for seen in self._pages(
            lambda page: self._client.conversations_history(
                channel=conversation, oldest=oldest, include_all_metadata=True, **page
            )
        ):
            yield seen

    async def thread(self, conversation: str, ts: str, *, only: str = "") -> AsyncIterator[Seen]:
        """The message at ``ts`` with its replies; of those the one at ``only``, if that is given.

        Nothing where there is no such message any more.
        """
        narrowed: dict[str, Any] = {}
        if only:
            narrowed = {"oldest": only, "latest": only, "inclusive": True}
        try:
            async for seen in self._pages(
                lambda page: self._client.conversations_replies(
                    channel=conversation, ts=ts, include_all_metadata=True, **narrowed, **page
                )
            ):
                yield seen
        except SlackApiError as error:
            if code_of(error) not in NOT_THERE:
                raise

    async def _pages(
        self, ask: Callable[[dict[str, Any]], Awaitable[AsyncSlackResponse]]
    ) -> AsyncIterator[Seen]:
        page: dict[str, Any] = {"limit": PAGE}
        for _ in range(PAGES_MAX):
            answer = await self._ask(lambda page=page: ask(page))  # type: ignore[misc]
            for told in answer["messages"]:
                seen = Seen.read(told) if isinstance(told, dict) else None
                if seen:
                    yield seen
            cursor = (answer.get("response_metadata") or {}).get("next_cursor")
            if not cursor:
                return
            page = {"limit": PAGE, "cursor": cursor}

    async def _ask(self, call: Callable[[], Awaitable[AsyncSlackResponse]]) -> AsyncSlackResponse:
        """What ``call`` answers, asked again when Slack says so, or says nothing.

        Raises:
            BrokenOff: there is no use in asking any longer.
            SlackApiError: Slack refuses.
        """
        tries = 0
        while True:
            tries += 1
            try:
                return await call()
            except (SlackApiError, *UNREACHABLE) as error:
                verdict = after_failure(
                    error, attempts=tries, last_error=None, at=self._at, jitter=0
                )
                if not isinstance(verdict, TryAgain):
                    raise
                wait = verdict.at - self._at
                if verdict.whole_channel and wait > self._left:
                    why = f"Slack asks to wait for {wait.total_seconds():.0f} s"
                    raise BrokenOff(f"{why}; run it again then") from None
                if not verdict.whole_channel and tries == TRIES:
                    why = "Slack, or what stands at SLACK_API_URL, does not answer"
                    raise BrokenOff(f"{why}; check the network") from None
            self._left -= wait
            await self._pause(wait.total_seconds())


# --- the one held against the other ----------------------------------------------------------


@dataclass(slots=True)
class _Conversation:
    """A channel as it is read bit by bit."""

    id: str
    name: str = ""
    messages: dict[str, Seen] = field(default_factory=dict)
    compared: int = 0
    passed_over: int = 0
    faults: list[str] = field(default_factory=list)


class Comparison:
    """One look at all channels. ``at`` is the present moment."""

    def __init__(
        self,
        store: Store,
        client: AsyncWebClient,
        workspace: str,
        *,
        at: datetime,
        pause: Callable[[float], Awaitable[object]],
    ) -> None:
        self._store = store
        self._outbox = Outbox(store)
        self._slack = Slack(client, at=at, pause=pause)
        self._workspace = workspace
        self._at = at
        self._delivered: Mapping[UUID, Delivered] = {}
        self._status_channel: str | None = None

    async def run(self) -> AsyncIterator[Compared]:
        """The channels, one after another."""
        since = self._at - LOOK_BACK
        count, chosen = await self._store.read(
            lambda reader: audit.recent(reader, self._workspace, since=since, limit=COMPARED_MAX)
        )
        standings = [one for incident in chosen if (one := await self._standing(incident))]
        self._delivered = await self._store.read(
            lambda reader: audit.delivered(reader, self._workspace, chosen)
        )
        self._status_channel = await self._store.read(
            lambda reader: reader.workspace(self._workspace).status_channel
        )
        if count > len(chosen):
            yield Compared(
                f"of {count} incidents that are open or changed lately, the {len(chosen)} that "
                "changed last are compared"
            )
        found = {placed.conversation for one in standings for placed in _readable(one)}
        for conversation in sorted(found, key=lambda id_: (id_ != self._status_channel, id_)):
            here = _Conversation(conversation, name=conversation)
            try:
                await self._compare(here, standings)
            except BrokenOff as error:
                yield self._broken_off(here, str(error))
                return
            except SlackApiError as error:
                yield self._unreadable(here, code_of(error))
            else:
                yield self._done(here)

    async def _standing(self, incident: UUID) -> Standing | None:
        return await self._store.read(
            lambda reader: audit.standing(reader, self._workspace, incident)
        )

    async def _compare(self, here: _Conversation, standings: Sequence[Standing]) -> None:
        here.name = await self._slack.name(here.id)
        async for seen in self._slack.since(here.id, self._at - LOOK_BACK):
            here.messages[seen.ts] = seen
        for standing in standings:
            placed = [one for one in _readable(standing) if one.conversation == here.id]
            if placed:
                await self._compare_one(here, standing, placed)

    async def _compare_one(
        self, here: _Conversation, standing: Standing, placed: Sequence[Placed]
    ) -> None:
        """Compares one incident with what is known of ``here``, and reads what is missing.

        What differs counts only where the incident has not changed in between.
        """
        for _ in range(LOOKS):
            await self._read(here, placed)
            faults = [fault async for fault in self._differences(here, standing, placed)]
            again = await self._standing(standing.incident) if faults else standing
            if again == standing:
                here.compared += 1
                here.faults += [f"{standing.name}: {fault}" for fault in faults]
                return
            if again is None:
                return
            standing = again
            placed = [one for one in _readable(standing) if one.conversation == here.id]
            for one in placed:
                here.messages.pop(one.ts, None)
        here.passed_over += 1

    async def _read(self, here: _Conversation, placed: Sequence[Placed]) -> None:
        """Reads the threads of the cards, and whatever is still to be looked for after that."""
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
    async def _remember(here: _Conversation, messages: AsyncIterator[Seen]) -> None:
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
                if self._is_kept_up(standing, one.envelope) and not withdrawn:
                    yield _gone(here, one.envelope)
            elif fault := await self._shown(here, standing, one, here.messages[one.ts]):
                yield fault
        for fault in self._twins(here, standing, placed):
            yield fault
        for fault in self._disorder(here, standing, placed):
            yield fault

    def _is_kept_up(self, standing: Standing, envelope: Envelope) -> bool:
        """Whether what stands in the place of ``envelope`` is to show what is true now.

        What was posted to a channel that was the status channel once is edited no more, but for
        texts that are withdrawn; nor is a card, while the status channel is another.
        """
        if envelope.surface not in audit.PUBLIC_SURFACES:
            return True
        is_card = envelope.surface is Surface.STATUS_CARD
        cards = [one for one in standing.placed if one.envelope.surface is Surface.STATUS_CARD]
        return envelope.channel == self._status_channel and not (is_card and len(cards) > 1)

    async def _shown(
        self, here: _Conversation, standing: Standing, one: Placed, seen: Seen
    ) -> str | None:
        """What is wrong with what stands where ``one`` should."""
        entry = one.envelope.entry
        withdrawn = entry in standing.withdrawn
        if not withdrawn and not self._is_kept_up(standing, one.envelope):
            return None
        try:
            facts = await self._outbox.facts(one.message)
            texts = [gist(text) for text in drawn(facts, one.envelope, standing, at=self._at)]
        except StoreUnavailable:
            raise
        except Exception:  # noqa: BLE001 - rows that were changed by hand may hold anything
            return "what it should show cannot be drawn: see what the audit says"
        if gist(seen.text) in texts:
            return None
        if withdrawn:
            return f"entry {entry} was withdrawn, and still stands in {here.name}: {_delete(seen)}"
        if one.envelope.surface is Surface.PUBLIC_UPDATE:
            cure = f"`/incident redact` takes entry {entry} away, then write it anew"
            return f"{here.name} does not show what entry {entry} says: {cure}"
        return f"its card in {here.name} does not show what is true: {REDRAWN}"

    def _twins(
        self, here: _Conversation, standing: Standing, placed: Sequence[Placed]
    ) -> Iterator[str]:
        """Messages of ours that stand where the store does not know them."""
        places = {_key(one.envelope): one.ts for one in placed}
        for ts, seen in sorted(here.messages.items()):
            message = self._delivered.get(seen.uid) if seen.uid else None
            if message is None or message.incident != standing.incident:
                continue
            key = _key(message.envelope)
            if ts in places.values() or standing.is_busy(message.envelope):
                continue
            _, entry = key
            what = f"entry {entry}" if entry else "its card"
            if entry in standing.withdrawn:
                if gist(seen.text) != gist(views.withdrawn()["text"]):
                    told = f"{what} was withdrawn, and still stands in {here.name}"
                    yield f"{told}: {_delete(seen)}"
            elif key in places:
                yield f"{what} stands twice in {here.name}: {_delete(seen)}"

    def _disorder(
        self, here: _Conversation, standing: Standing, placed: Sequence[Placed]
    ) -> Iterator[str]:
        """Replies that stand in another order than the one in which they were due.

        Only as far back as the outbox remembers: what an operator sent again stands where it does.
        """
        due = {
            message.envelope.entry: message.order
            for message in self._delivered.values()
            if message.incident == standing.incident
            and message.envelope.surface is Surface.PUBLIC_UPDATE
        }
        replies = [
            one
            for one in placed
            if one.envelope.surface is Surface.PUBLIC_UPDATE
            and one.envelope.entry in due
            and one.ts in here.messages
        ]
        replies.sort(key=lambda one: due[one.envelope.entry])
        for before, after in pairwise(replies):
            if float(before.ts) > float(after.ts):
                stands = f"entry {before.envelope.entry} stands after entry {after.envelope.entry}"
                yield f"{stands} in {here.name}: report it"

    # --- what is said of it ---

    def _done(self, here: _Conversation) -> Compared:
        note = f"{_incidents(here.compared)} compared with {here.name}"
        if here.passed_over:
            note += f"; {here.passed_over} changed too often meanwhile"
        return Compared(note, tuple(here.faults))

    def _broken_off(self, here: _Conversation, why: str) -> Compared:
        done = f"only {_incidents(here.compared)} compared with {here.name}"
        return Compared(f"{done}: {why}", tuple(here.faults), well=False)

    def _unreadable(self, here: _Conversation, code: str) -> Compared:
        """Slack need not let us read every channel, but it must the status channel."""
        cure = UNREADABLE.get(code, "")
        note = f"{here.name} was not compared: Slack says {code}{cure}"
        return Compared(note, tuple(here.faults), well=here.id != self._status_channel)


REDRAWN = "its next change draws it anew; report it"
UNREADABLE = {
    "missing_scope": "; grant channels:history and groups:history: paste app_manifest.yml again "
    "and reinstall",
    "not_in_channel": "; type /invite @Ratchet there",
    "channel_not_found": "; set another status channel, or invite Ratchet if it is private",
}


def drawn(facts: Facts, envelope: Envelope, standing: Standing, *, at: datetime) -> Iterator[str]:
    """The texts any of which the place of ``envelope`` may show."""
    match envelope.surface:
        case Surface.WORKING_CARD if facts.card:
            yield views.working_card(facts.card, at=at)["text"]
        case Surface.STATUS_CARD if facts.incident:
            yield views.status_card(facts.incident)["text"]
        case Surface.PUBLIC_UPDATE if facts.incident and facts.update:
            if facts.update.withdrawn:
                yield views.withdrawn()["text"]
                return
            for title in standing.titles:
                # It names the incident as it was called then, and is not edited when that changes.
                then = replace(facts.incident, title=PublicText(title))
                yield views.public_update(then, facts.update)["text"]
        case _:
            pass


def _readable(standing: Standing) -> Iterator[Placed]:
    """What can be looked at: a direct message cannot, without two scopes more."""
    return (one for one in standing.placed if one.envelope.surface is not Surface.OWNER_CARD)


def _gone(here: _Conversation, envelope: Envelope) -> str:
    if envelope.surface is Surface.PUBLIC_UPDATE:
        what, cure = f"entry {envelope.entry}", "if it still matters, write it anew"
    else:
        what, cure = "its card", "its next change posts it anew"
    return f"{what} is gone from {here.name}: {cure}"


def _key(envelope: Envelope) -> tuple[Surface, int]:
    """What stands in a place, whether as it was posted or as it was edited since."""
    if envelope.surface in audit.ABOUT_ENTRIES:
        return Surface.PUBLIC_UPDATE, envelope.entry or 0
    return envelope.surface, 0


def _delete(seen: Seen) -> str:
    return f"delete the message of {seen.ts} in Slack, and report it"


def _incidents(count: int) -> str:
    return "1 incident" if count == 1 else f"{count} incidents"
