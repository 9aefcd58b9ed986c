"""Requests that change something, executed once and answered with what is true now."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from slack_sdk.web.async_client import AsyncWebClient

from bot.slack import handing, places, reports, views
from bot.slack.answers import Answers
from bot.slack.blocks import Json, with_remark
from bot.slack.curating import Arranging
from bot.slack.inputs import Kept
from bot.slack.interaction import Interaction
from bot.slack.people import People, SlackUnavailable
from bot.slack.requests import (
    AssignTo,
    Choice,
    InviteUser,
    OpenAssign,
    OpenInvite,
    Question,
)
from core.commands import AnswerHandOver, Command, Declare, Ref
from core.decision import Outcome
from core.errors import InvalidField
from core.incident import Actor, Person
from core.report import markdown
from core.service import Incidents
from core.store import Transaction


class Executing:
    """Executes commands; looks their people and places up in Slack where that is needed.

    Each public method returns the reply, and raises `UserError` to refuse.
    """

    def __init__(
        self,
        incidents: Incidents,
        people: People,
        client: AsyncWebClient,
        answers: Answers,
        *,
        arranging: Arranging,
        clock: Callable[[], datetime],
    ) -> None:
        self._incidents = incidents
        self._people = people
        self._client = client
        self._answers = answers
        self._arranging = arranging
        self._clock = clock

    async def execute(
        self,
        interaction: Interaction,
        command: Command,
        *,
        kept: Kept | None = None,
        clicked_at: datetime | None = None,
    ) -> Json:
        """Executes ``command``; the draft that it came from is erased in the same transaction.

        ``clicked_at``: it is a click on a next step, as in `Incidents.execute`.
        """
        actor = command.actor

        def erased(tx: Transaction, outcome: Outcome) -> Outcome:
            if kept:
                tx.erase_draft(actor.workspace, actor.person.id, kept.draft)
            return outcome

        obstacle = None
        if isinstance(command, Declare):
            chosen = interaction.door == "form"
            obstacle = await places.obstacle_to(self._client, command, chosen=chosen)
            if obstacle and obstacle.for_good:
                command = replace(command, place=None)
        outcome = await self._incidents.perform(
            command, erased, request=interaction.once, clicked_at=clicked_at
        )
        if isinstance(command, AnswerHandOver) and not command.takes and not outcome.changed:
            incident = outcome.incident
            if incident.owner == actor.person and not incident.terminal:
                return handing.kept(incident)
        reply = views.answer(
            # An answer beside the earlier ones leaves their buttons where they are.
            outcome if interaction.in_place else replace(outcome, held=None),
            at=self._clock(),
            reader=interaction.user,
            secluded=interaction.secluded,
            beside_card=interaction.beside_card,
        )
        reply = await self._arranging.with_hidden(actor, command, outcome, reply)
        return with_remark(reply, obstacle.told) if obstacle else reply

    async def invite(self, interaction: Interaction, asked: InviteUser, kept: Kept | None) -> Json:
        """Invites a person, or takes an invitation back; also from somebody who has left."""
        self._incidents.admit(asked.actor)
        person = Person(asked.user, asked.user)
        if asked.invited:
            another = OpenInvite(ref=asked.ref, invited=True)
            person = await self._member(interaction, asked.user, "invited_person", another)
        return await self.execute(interaction, asked.of(person), kept=kept)

    async def assign(self, interaction: Interaction, asked: AssignTo, kept: Kept | None) -> Json:
        """Hands an incident over to a person, by their id."""
        self._incidents.admit(asked.actor)
        another = OpenAssign(ref=asked.ref)
        owner = await self._member(interaction, asked.user, "owner", another)
        reply = await self.execute(interaction, asked.to(owner), kept=kept)
        return await self._with_part(interaction, asked.actor, owner, reply)

    async def _member(
        self, interaction: Interaction, user: str, role: str, another: OpenAssign | OpenInvite
    ) -> Person:
        """`People.member`; to a command the refusal offers the dialog that chooses ``another``.

        A dialog shows it at its field.
        """
        try:
            return await self._people.member(interaction.workspace, user, role=role)
        except InvalidField as refused:
            if interaction.door == "form":
                raise
            raise Question(str(refused), [Choice(another)]) from None

    async def _with_part(
        self, interaction: Interaction, actor: Actor, owner: Person, reply: Json
    ) -> Json:
        """``reply`` to a hand-over; it says what an ``owner`` who is no responder may do."""
        group = actor.groups.responders
        if group is None or group in actor.groups.gone:
            return reply
        with contextlib.suppress(SlackUnavailable):
            new = await self._people.actor(
                interaction.workspace, owner.id, channel=None, groups=actor.groups
            )
            if not new.responder:
                return with_remark(reply, handing.no_responder(owner, group))
        return reply

    async def send_report(self, interaction: Interaction, actor: Actor, ref: Ref) -> Json:
        """Sends the report as a file to the person alone; once, however often Slack delivers it."""
        incident, made, text = await self._incidents.report(
            actor, ref, lambda incident, made: (incident, made, markdown(made))
        )
        once, refused = interaction.once, None
        if once is None or await self._incidents.begin(actor, once, incident):
            comment = f"The report of {incident.name}, with its private notes:"
            refused = await self._answers.send_file(
                interaction.user, comment, name=f"{incident.name}.md", text=text
            )
        shown = reports.report(incident, made, page=1, at=self._clock(), can_send=True)
        return with_remark(shown, reports.about_the_file(refused))
