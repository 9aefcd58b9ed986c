"""Cards in Slack whose incident is not in the database, as after a restore of a backup."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.delivery.metadata import REPLIES, mark_gone
from bot.doctor.reader import SlackMessage, SlackReader
from bot.slack.public import unknown
from storage import posts
from storage.store import SqlStore


@dataclass(frozen=True, slots=True)
class Orphan:
    """A card of the incident ``name``, which the database does not know.

    ``link`` leads to it; it is channel and time if Slack gives no link.
    """

    name: str
    conversation: str
    ts: str
    link: str


@dataclass(frozen=True, slots=True)
class Orphans:
    """Finds and marks the cards of ``workspace`` that ``app``, the id of our bot, posted."""

    slack: SlackReader
    client: AsyncWebClient
    workspace: str
    app: str

    async def among(
        self, store: SqlStore, conversation: str, messages: Iterable[SlackMessage]
    ) -> tuple[Orphan, ...]:
        """The cards among ``messages`` of ``conversation`` without an incident in ``store``.

        A card is posted after its incident is committed. So each is looked for in the store now.
        """
        cards = [seen for seen in messages if _is_card(seen, self.app)]
        found = await _unknown(store, self.workspace, cards)
        return tuple(
            [
                Orphan(
                    f"INC-{seen.number}",
                    conversation,
                    seen.ts,
                    await self._link(conversation, seen),
                )
                for seen in sorted(found, key=lambda seen: seen.ts)
            ]
        )

    async def say_gone(self, orphan: Orphan) -> None:
        """Edits the card: it says that the incident is unknown, and has no buttons any more.

        Raises:
            BrokenOff: Slack does not answer now.
            SlackApiError: Slack refuses.
        """
        await self.slack.ask(
            lambda: self.client.chat_update(
                channel=orphan.conversation,
                ts=orphan.ts,
                metadata=mark_gone(orphan.name),
                **unknown(orphan.name),
            )
        )

    async def _link(self, conversation: str, seen: SlackMessage) -> str:
        try:
            answer = await self.slack.ask(
                lambda: self.client.chat_getPermalink(channel=conversation, message_ts=seen.ts)
            )
        except SlackApiError:
            return f"{seen.ts} in {conversation}"
        return str(answer.get("permalink"))


def _is_card(seen: SlackMessage, app: str) -> bool:
    """Whether a message is a card that can be judged: with its incident, or a number at least."""
    origin = seen.origin
    if origin is None or origin.gone or seen.is_reply or seen.number is None:
        return False
    return seen.app == app and origin.surface not in REPLIES


async def _unknown(
    store: SqlStore, workspace: str, cards: Sequence[SlackMessage]
) -> list[SlackMessage]:
    ids = {seen.origin.incident for seen in cards if seen.origin and seen.origin.incident}
    numbers = {seen.number for seen in cards if seen.number}
    known, counted = await store.read(lambda reader: posts.known(reader, workspace, ids, numbers))
    return [
        seen
        for seen in cards
        if seen.origin
        and (
            seen.origin.incident not in known
            if seen.origin.incident
            # A card of an earlier version says only its number.
            else seen.number not in counted
        )
    ]
