"""The transport for channels of their own: makes, names, fills, pins in and archives them.

Each delivery compares Slack with what should be, and does only what is missing, so it may run any
number of times. Messages go on to the transport beside it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import count, islice
from typing import Any, Protocol, TypeAlias

from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.delivery.failures import Failure, FailureKind
from bot.delivery.slack import CLOCKS_APART, failure
from bot.delivery.worker import Worker
from bot.slack.channels import topic
from bot.slack.people import SlackUnavailable
from bot.slack.web import code_of
from bot.telemetry import log
from core.channel import ChannelStage, channel_name, is_name_of
from core.decision import CHANNEL_EFFECTS, Surface
from core.incident import TITLE_WITHDRAWN
from storage.channel_facts import ChannelFacts
from storage.facts import ChannelMade, Delivery, Facts, Members
from storage.messages import OutboxMessage

SlackWorker: TypeAlias = Worker[OutboxMessage, Facts, Delivery]

NAME_TAKEN = "name_taken"
# So many names of one incident may be taken by other channels.
NAMES_TRIED = 20
# Source: https://docs.slack.dev/reference/methods/conversations.invite
INVITED_AT_ONCE = 100
# Refusals of one person; the others are invited all the same, and nobody is asked twice.
NOT_INVITED = frozenset(
    {
        "already_in_channel",
        "cant_invite",
        "cant_invite_self",
        "org_user_not_in_team",
        "ura_max_channels",
        "user_is_restricted",
        "user_is_ultra_restricted",
        "user_not_found",
    }
)
NOT_REMOVED = frozenset({"cant_kick_self", "not_in_channel", "user_not_found"})
PINNED = frozenset({"already_pinned", "message_not_found", "too_many_pins"})
ARCHIVED = frozenset({"already_archived", "is_archived"})
# The code of a note for a channel with a member who may not read it.
MEMBER_NOT_REMOVED = "member_not_removed"


class Messages(Protocol):
    """The transport beside this one."""

    async def deliver(
        self, message: OutboxMessage, facts: Facts, *, at: datetime
    ) -> Delivery | Failure | None: ...


class ChannelTransport:
    """A `bot.delivery.worker.Transport`. ``messages`` delivers everything that is a message.

    ``members`` gives the ids of the people in a group of Slack's.
    """

    def __init__(
        self,
        client: AsyncWebClient,
        messages: Messages,
        *,
        members: Callable[[str | None], Awaitable[frozenset[str]]],
    ) -> None:
        self._client = client
        self._messages = messages
        self._members_of = members

    async def deliver(
        self, message: OutboxMessage, facts: Facts, *, at: datetime
    ) -> Delivery | Failure | None:
        if message.surface not in CHANNEL_EFFECTS:
            if _has_other_readers(facts):
                return Failure(FailureKind.PERMANENT, MEMBER_NOT_REMOVED)
            return await self._messages.deliver(message, facts, at=at)
        if facts.channel is None:
            return None
        try:
            return await self._carried_out(message, facts, facts.channel)
        except SlackUnavailable:
            return Failure(FailureKind.PASSING, "no_answer")
        except SlackApiError as error:
            return failure(error)

    async def _carried_out(
        self, message: OutboxMessage, facts: Facts, channel: ChannelFacts
    ) -> Delivery | Failure | None:
        match message.surface:
            case Surface.CHANNEL:
                return await self._make(message, channel)
            case Surface.CHANNEL_NAME:
                await self._name(message, channel)
            case Surface.CHANNEL_PEOPLE:
                group = facts.settings.responders_group
                return await self._invite(message, channel, group=group)
            case Surface.CHANNEL_PIN if facts.place:
                place = facts.place
                with_pin = self._client.pins_add(channel=place.channel, timestamp=place.ts)
                await _unless(PINNED, with_pin)
            case Surface.CHANNEL_ARCHIVE if channel.own.stage is ChannelStage.ARCHIVED:
                # A reopened incident has another stage by now.
                archived = self._client.conversations_archive(channel=message.channel)
                await _unless(ARCHIVED, archived)
        return None

    async def _make(self, message: OutboxMessage, known: ChannelFacts) -> Delivery | Failure | None:
        """Make the channel, or find the one that an earlier try has made.

        Its readers may have changed since it was asked for; then nobody needs it.
        """
        private = known.own.private
        if known.own.id is not None or not known.current:
            return None
        # A database that was restored may have forgotten the channel. A declaration has none yet.
        looked = message.unsure or known.own.entry > 1
        if looked and (found := await self._found(message, known)):
            return ChannelMade(found)
        for name in islice(_names(known), NAMES_TRIED):
            try:
                answer = await self._client.conversations_create(name=name, is_private=private)
            except SlackApiError as error:
                if code_of(error) != NAME_TAKEN:
                    raise
                if not looked and (found := await self._found(message, known)):
                    return ChannelMade(found)
                looked = True
                continue
            return ChannelMade(str(answer["channel"]["id"]))
        return Failure(FailureKind.PERMANENT, NAME_TAKEN)

    async def _found(self, message: OutboxMessage, known: ChannelFacts) -> str | None:
        """The id of the channel that this bot has made for the incident; None if there is none.

        Its purpose names the incident. A channel without one was made by a try whose response was
        lost: it is as old as the message, and its number is no other incident's.
        """
        bot = (await self._client.auth_test())["user_id"]
        since = (message.created_at - CLOCKS_APART).timestamp()
        kind = "private_channel" if known.own.private else "public_channel"
        pages = await self._client.conversations_list(types=kind, exclude_archived=True, limit=1000)
        async for page in pages:
            for one in page["channels"]:
                purpose = (one.get("purpose") or {}).get("value") or ""
                fresh = message.unsure and not purpose and one.get("created", 0) >= since
                ours = one.get("creator") == bot and is_name_of(one.get("name", ""), known.number)
                if ours and (fresh or str(known.incident) in purpose):
                    return str(one["id"])
        return None

    async def _name(self, message: OutboxMessage, known: ChannelFacts) -> None:
        here = (await self._client.conversations_info(channel=message.channel))["channel"]
        for name in islice(_names(known), NAMES_TRIED):
            if name == here.get("name"):
                break
            try:
                await self._client.conversations_rename(channel=message.channel, name=name)
            except SlackApiError as error:
                if code_of(error) != NAME_TAKEN:
                    raise
                continue
            break
        title = _title(known)
        told = topic(f"INC-{known.number}", title, current=known.current)
        if _value(here, "topic") != told:
            await self._client.conversations_setTopic(channel=message.channel, topic=told)
        mark = f"Channel of INC-{known.number}, made by Ratchet ({known.incident})"
        if _value(here, "purpose") != mark:
            await self._client.conversations_setPurpose(channel=message.channel, purpose=mark)

    async def _invite(
        self, message: OutboxMessage, known: ChannelFacts, *, group: str | None
    ) -> Members | None:
        """Invite the people who belong there; remove from a private one whoever may not see it.

        A private one holds notes, so of the readers only responders are invited. The others have
        the card as a direct message. Nobody is invited twice: a person may leave a channel. While
        nobody is known to be a responder, nobody is invited, and every reader who is in stays.
        """
        if not known.current:
            return None
        if known.own.private:
            return await self._invite_readers(message, known, group=group)
        wanted = known.people | await self._members_of(group)
        await self._add(message.channel, wanted - known.members)
        return Members(known.members | wanted)

    async def _invite_readers(
        self, message: OutboxMessage, known: ChannelFacts, *, group: str | None
    ) -> Members:
        members = known.members
        if message.unsure:
            # The response to an invitation may be lost, and the invitation taken back since.
            members |= await self._members_in_slack(message.channel)
        # People who may not see the incident leave, also while Slack does not tell the group.
        await self._remove(message.channel, members - known.people)
        wanted = stays = known.people
        if group:
            responders = await self._members_of(group)
            wanted = known.people & responders
            if responders:
                stays = wanted
                await self._remove(message.channel, (members & known.people) - stays)
            else:
                log.warning("responders not known")
        await self._add(message.channel, wanted - known.members)
        return Members((known.members & stays) | wanted)

    async def _remove(self, channel: str, people: frozenset[str]) -> None:
        for person in sorted(people):
            await _unless(
                NOT_REMOVED, self._client.conversations_kick(channel=channel, user=person)
            )

    async def _add(self, channel: str, people: frozenset[str]) -> None:
        for some in _chunks(sorted(people)):
            invited = self._client.conversations_invite(
                channel=channel, users=",".join(some), force=True
            )
            refused = await _unless(NOT_INVITED, invited)
            if refused:
                log.info("people not invited", error=refused, count=len(some))

    async def _members_in_slack(self, channel: str) -> frozenset[str]:
        """The ids of the people in ``channel``, without the bot's own."""
        bot = (await self._client.auth_test())["user_id"]
        pages = await self._client.conversations_members(channel=channel, limit=1000)
        members = [member async for page in pages for member in page["members"]]
        return frozenset(members) - {bot}


def _has_other_readers(facts: Facts) -> bool:
    """Whether ``facts`` have a note, and Slack has not removed all who may not read it.

    The removal comes earlier in the same lane, so it was refused for good.
    """
    known, note = facts.channel, facts.note
    if known is None or note is None or note.body is None or not known.current:
        return False
    return bool(known.members - known.people)


async def _unless(fine: frozenset[str], call: Awaitable[Any]) -> str | None:
    """Wait for ``call``. An error in ``fine`` is returned: there is nothing left to do."""
    try:
        await call
    except SlackApiError as error:
        code = code_of(error)
        if code not in fine:
            raise
        return code
    return None


def _title(known: ChannelFacts) -> str | None:
    return None if known.title == TITLE_WITHDRAWN or not known.current else known.title


def _names(known: ChannelFacts) -> Iterator[str]:
    return (channel_name(known.number, _title(known), taken=taken) for taken in count())


def _value(channel: Mapping[str, Any], field: str) -> str:
    return str((channel.get(field) or {}).get("value") or "")


def _chunks(people: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(people), INVITED_AT_ONCE):
        yield people[start : start + INVITED_AT_ONCE]
