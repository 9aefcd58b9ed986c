"""Subscribed channels in Slack: publishers subscribe them, change their filter, and end that."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime
from typing import assert_never

from slack_sdk.web.async_client import AsyncWebClient

from bot.slack import forms, places, posting_faults, subscriptions
from bot.slack.answers import Answers
from bot.slack.arranged import ShowComponents
from bot.slack.blocks import Json
from bot.slack.interaction import Interaction
from bot.slack.requests import Choice, Question
from bot.slack.subscribe_words import StrangeWords, with_meanings
from bot.slack.subscription_requests import (
    AboutSubscriptions,
    LeaveUnsubscribed,
    OpenSubscription,
    Readers,
    ShowSubscriptions,
    Subscribe,
    TryChannel,
    Unsubscribe,
)
from bot.slack.typed import quoted
from core.denials import Denied
from core.errors import InvalidField
from core.incident import Actor
from core.missing import NotSubscribed
from core.refusals import NotAComponent
from core.subscribing import Subscribed, Subscribing
from core.subscription import Subscription

# The components that a sentence names; more of them are in their list.
NAMED_MAX = 10


class SubscribedChannels:
    """Does what is asked about the subscriptions of channels."""

    def __init__(
        self,
        subscribing: Subscribing,
        client: AsyncWebClient,
        answers: Answers,
        *,
        revive: Callable[[str, str], Awaitable[None]],
        clock: Callable[[], datetime],
    ) -> None:
        self._subscribing = subscribing
        self._revive = revive
        self._client = client
        self._sights = places.Sights(client, clock=clock)
        self._answers = answers
        self._clock = clock

    async def do(  # noqa: PLR0911 - one case for each request
        self, interaction: Interaction, actor: Actor, asked: AboutSubscriptions
    ) -> Json | None:
        """The answer to ``asked``; None if a dialog is the answer.

        Raises:
            Denied: the actor may not publish.
            InvalidField: the channel cannot be subscribed; a dialog shows it at the field.
            Question: a component is unknown.
            NotSubscribed: there is nothing to end.
        """
        match asked:
            case Subscribe():
                return await self._subscribe(interaction, actor, asked)
            case OpenSubscription():
                work = self._drawn(interaction, actor, asked)
                await self._answers.open_and_fill(interaction, forms.SUBSCRIBE, work)
                return None
            case LeaveUnsubscribed(channel=channel):
                return subscriptions.left_unsubscribed(channel)
            case TryChannel(channel=channel):
                return await self._tried(interaction, actor, asked, channel)
            case Unsubscribe(channel=channel, page=page):
                await self._find(interaction, actor, asked, channel)
                ended = await self._subscribing.unsubscribe(
                    actor, channel, request=interaction.once
                )
                if page is None or ended.subscription.in_force:
                    return subscriptions.unsubscribed(ended, at=self._clock())
                shown = ShowSubscriptions(page=page)
                return await self._listed(interaction, actor, shown, ended)
            case ShowSubscriptions():
                return await self._listed(interaction, actor, asked)
            case _:
                assert_never(asked)

    async def _tried(
        self, interaction: Interaction, actor: Actor, asked: TryChannel, channel: str
    ) -> Json:
        if await self._find(interaction, actor, asked, channel) is None:
            raise NotSubscribed(channel)
        if problem := await places.refused_trial(self._client, channel):
            return posting_faults.still_takes_no_posts(channel, problem)
        await self._revive(interaction.workspace, channel)
        return posting_faults.takes_posts(channel)

    async def about_words(self, actor: Actor, strange: StrangeWords) -> Question:
        """``strange`` with the channels and the components that its words may name."""
        try:
            known = await self._subscribing.components(actor)
        except Denied:
            return strange
        near: tuple[tuple[str, str], ...] = ()
        if not strange.named and len(strange.words.split()) == 1:
            near = await places.near_channels(self._client, strange.words)
        if strange.asked is None:
            ends = [
                Choice(Unsubscribe(channel=one.channel), f"Unsubscribe #{name}")
                for one in await self._subscribing.subscriptions(actor)
                for id_, name in near
                if id_ == one.channel
            ]
            return Question(strange.problem, [*ends, *strange.choices], usage=strange.usage)
        return with_meanings(strange, strange.asked, near, known)

    async def _sees(
        self,
        interaction: Interaction,
        actor: Actor,
        channel: str,
        one: Subscription | None,
        *,
        acts: bool = True,
    ) -> bool | str:
        """Whether the actor may know of ``channel``, and of ``one``, its subscription.

        A private channel is shown to its members and to admins; one without the bot, which Slack
        does not describe, to whoever subscribed it as well. A text, as of `places.Sights`, if
        Slack does not say it.
        """
        here = interaction.place
        if actor.admin or (here and here.channel == channel):
            return True
        found = await self._sights.seen_by(channel, actor.person.id, acts=acts)
        ours = one is not None and one.by.id == actor.person.id
        return True if found == places.UNKNOWN and ours else found

    async def _find(
        self, interaction: Interaction, actor: Actor, asked: AboutSubscriptions, channel: str
    ) -> Subscription | None:
        """The subscription of ``channel`` that is in force.

        Raises:
            NotSubscribed: it is hidden from the actor.
            Question: Slack does not say whether it is.
        """
        known = await self._subscribing.subscriptions(actor)
        one = next((one for one in known if one.channel == channel), None)
        found = await self._sees(interaction, actor, channel, one)
        if found is True:
            return one
        if found in {False, places.UNKNOWN}:
            raise NotSubscribed(channel)
        problem = "Slack does not say who may see that channel. Nothing was changed."
        raise Question(problem, [Choice(asked, "Try again"), Choice(ShowSubscriptions())])

    async def _listed(
        self,
        interaction: Interaction,
        actor: Actor,
        asked: ShowSubscriptions,
        ended: Subscribed | None = None,
    ) -> Json:
        every = await self._subscribing.subscriptions(actor)
        sight = await asyncio.gather(
            *(self._sees(interaction, actor, one.channel, one, acts=False) for one in every)
        )
        known = [one for one, found in zip(every, sight, strict=True) if found is True]
        unsaid = sum(isinstance(one, str) and one != places.UNKNOWN for one in sight)
        return subscriptions.subscription_list(
            known,
            page=asked.page,
            told=subscriptions.told_of_the_end(ended) if ended else asked.told,
            ended=ended.subscription if ended else None,
            unsaid=unsaid,
            at=self._clock(),
        )

    async def _drawn(self, interaction: Interaction, actor: Actor, asked: OpenSubscription) -> Json:
        filled, names = asked.filled, [str(one) for one in asked.filled.components]
        found = None
        if asked.present and filled.channel:
            found = await self._find(interaction, actor, asked, filled.channel)
        else:
            self._subscribing.admit(actor)
        if found:
            filled = subscriptions.resolved(found, over=found)
            names = [one.name for one in found.filter.components if one.name]
        return subscriptions.subscription_dialog(
            filled, names, origin=interaction.origin, fixed=found is not None
        )

    async def _subscribe(self, interaction: Interaction, actor: Actor, asked: Subscribe) -> Json:
        """Subscribes the channel, once the bot can post there and its readers are agreed to."""
        if asked.channel is None:
            raise InvalidField("channel", "is missing: name one, such as #customers")
        proposed = await self._proposed(interaction, actor, asked, asked.channel)
        one, before, readers = proposed.subscription, proposed.before, Readers()
        if (seen := await self._sees(interaction, actor, one.channel, before)) is not True:
            return self._takes_no_post(interaction, proposed, asked, seen or places.UNKNOWN)
        if proposed.changed and before and subscriptions.is_unsure(asked, before):
            return subscriptions.asks_to_replace(one, asked, before)
        if proposed.changed:
            found = await places.readers(self._client, one.channel)
            if isinstance(found, str):
                known = before is not None
                return self._takes_no_post(interaction, proposed, asked, found, subscribed=known)
            readers = found
        if proposed.changed and before is None:
            if not readers.kinds <= asked.agreed_kinds:
                return subscriptions.asks_about_readers(one, readers)
            if problem := await places.refused_trial(self._client, one.channel):
                return self._takes_no_post(interaction, proposed, asked, problem)
        made = await self._subscribing.subscribe(
            actor, subscriptions.resolved(one).of(one.channel), request=interaction.once
        )
        return subscriptions.subscribed(made, readers, at=self._clock())

    def _takes_no_post(
        self,
        interaction: Interaction,
        proposed: Subscribed,
        asked: Subscribe,
        problem: str,
        *,
        subscribed: bool = False,
    ) -> Json:
        if interaction.door == "form":
            raise InvalidField("channel", problem)
        return subscriptions.takes_no_post(
            proposed.subscription, problem, agreed=asked.agreed, subscribed=subscribed
        )

    async def _proposed(
        self, interaction: Interaction, actor: Actor, asked: Subscribe, channel: str
    ) -> Subscribed:
        try:
            return await self._subscribing.proposed(actor, asked.of(channel))
        except NotAComponent as unknown:
            if interaction.door == "form":
                raise
            raise _about_a_component(unknown, asked) from None
        except InvalidField as wrong:
            if interaction.door == "form" or wrong.field != "channel":
                raise
            another = OpenSubscription(filled=replace(asked, channel=None))
            choices = [Choice(another, "Choose another…"), Choice(ShowSubscriptions())]
            raise Question(f"{wrong.message} Nothing was subscribed.", choices) from None


def _about_a_component(unknown: NotAComponent, asked: Subscribe) -> Question:
    """Asks about a name that no component has."""
    name, likely = unknown.asked, unknown.suggestion
    others = tuple(one for one in asked.components if one != name)
    problem = f"There is no component {quoted(name)}."
    choices: list[Choice] = []
    if likely:
        problem += f" Did you mean {likely}?"
        meant = tuple(likely if one == name else one for one in asked.components)
        choices.append(Choice(replace(asked, components=meant), f"Take {likely}"))
    elif unknown.known:
        more = len(unknown.known) - NAMED_MAX
        problem += f" Components: {', '.join(unknown.known[:NAMED_MAX])}"
        problem += f", and {more} more." if more > 0 else "."
    without = f"Subscribe without {quoted(name)}" if others else "Subscribe for all components"
    choices.append(Choice(replace(asked, components=others), without))
    choices.append(Choice(OpenSubscription(filled=asked), "Edit first…"))
    if not likely:
        choices.append(Choice(ShowComponents(), "List the components"))
    return Question(f"{problem} Nothing was subscribed.", choices)
