"""What the reader of a message may do: it offers buttons only where they serve.

Groups change in Slack alone, so they are looked up at the time of each delivery.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from typing import Protocol

from bot.delivery.failures import Failure
from bot.slack.people import SlackUnavailable
from core import policy
from core.decision import Surface
from core.denials import Permission
from core.incident import Actor, Groups
from storage.facts import Delivery, Facts
from storage.messages import PEOPLE, OutboxMessage


class NextTransport(Protocol):
    """The transport beside this one."""

    async def deliver(
        self, message: OutboxMessage, facts: Facts, *, at: datetime
    ) -> Delivery | Failure | None: ...


class ActorOf(Protocol):
    """The person of that id, with their part in ``groups``."""

    async def __call__(
        self, workspace: str, user: str, *, channel: str | None, groups: Groups
    ) -> Actor: ...


class RightsTransport:
    """A `bot.delivery.worker.Transport`: ``messages`` delivers, with the rights of the reader.

    While Slack does not tell a group, its members are taken to have the right: a click says more.
    """

    def __init__(self, messages: NextTransport, *, actor_of: ActorOf) -> None:
        self._messages = messages
        self._actor_of = actor_of

    async def deliver(
        self, message: OutboxMessage, facts: Facts, *, at: datetime
    ) -> Delivery | Failure | None:
        with suppress(SlackUnavailable):
            facts = await self._judged(message, facts)
        return await self._messages.deliver(message, facts, at=at)

    async def _judged(self, message: OutboxMessage, facts: Facts) -> Facts:
        groups = facts.settings.groups
        if facts.card is None or not (groups.responders or groups.publishers):
            return facts
        incident = facts.card.incident
        if message.channel.startswith(PEOPLE):
            reader = await self._actor(message, message.channel, groups)
            facts = replace(facts, responds=reader.responder, publishes=reader.publisher)
        owner = incident.leader
        reminds = message.surface is Surface.PROMISE_REMINDER and owner and owner.in_slack
        if owner and reminds and message.channel != owner.id:
            # It is in the place of an owner who may not act.
            leads = await self._actor(message, owner.id, groups)
            right = Permission.RESPOND if incident.private else Permission.PUBLISH
            facts = replace(facts, wanted=not policy.holds(leads, right))
        return facts

    async def _actor(self, message: OutboxMessage, person: str, groups: Groups) -> Actor:
        return await self._actor_of(message.workspace, person, channel=None, groups=groups)
