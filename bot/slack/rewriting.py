"""A text that is held back: the way back is kept; taken back, it can be written anew."""

from __future__ import annotations

import contextlib
from collections.abc import Awaitable, Callable
from datetime import datetime
from uuid import UUID, uuid5

from bot.slack import views, withdrawn
from bot.slack.answers import Answers, Carried, DialogNotOpened
from bot.slack.asking import DRAFTS, Asking, draft_reply
from bot.slack.blocks import Json
from bot.slack.buttons import with_way_back
from bot.slack.inputs import Kept
from bot.slack.interaction import Interaction
from bot.slack.openings import Openings
from bot.slack.pressed import Pressed, Step
from bot.slack.questions import Offer
from bot.slack.requests import Choice, FromDraft, OpenUpdate, WriteAnew
from bot.slack.written import written
from core.commands import Command, Redact
from core.decision import Outcome
from core.drafting import DraftGone
from core.drafts import Draft
from core.errors import UserError
from core.incident import Actor, PublicText
from core.missing import NotFound
from core.refusals import TooSoon
from core.service import Incidents
from core.store import Transaction


class Rewriting:
    """Withdraws a text for its author, and opens the dialog that holds it."""

    def __init__(
        self,
        incidents: Incidents,
        asking: Asking,
        openings: Openings,
        answers: Answers,
        *,
        clock: Callable[[], datetime],
    ) -> None:
        self._incidents = incidents
        self._asking = asking
        self._openings = openings
        self._answers = answers
        self._clock = clock

    async def with_way_back(
        self, interaction: Interaction, actor: Actor, pressed: Pressed, work: Awaitable[Json | None]
    ) -> Json | None:
        """The reply of ``work`` to a click; in the place of an answer it keeps its **Take back**.

        That answer may be the only one that offers it, however the click ends.
        """
        ref = _incident_of(pressed)
        if not interaction.in_place or ref is None:
            return await work
        try:
            reply = await work
        except (NotFound, TooSoon):  # it is said beside the answer, or there is no incident
            raise
        except (UserError, Carried) as error:
            refused = error if isinstance(error, Carried) else self._drawn(interaction, error)
            if held := await self._incidents.held_back(actor, ref):
                reply = with_way_back(refused.reply, *held)
                raise Carried(refused.cause, reply) from None
            raise
        # The answer to a change has it already, and must not fail for it.
        changes = isinstance(pressed, Command | Step) and not getattr(pressed, "asks", False)
        held = None if changes or not reply else await self._incidents.held_back(actor, ref)
        return with_way_back(reply, *held) if reply and held else reply

    def _drawn(self, interaction: Interaction, error: UserError) -> Carried:
        return Carried(error, self._answers.refusal(interaction, error))

    async def write_anew(self, interaction: Interaction, asked: WriteAnew) -> Json:
        """Withdraws a text and opens the dialog with it; until that is sent, a draft holds it."""
        draft = uuid5(DRAFTS, f"{asked.ref} {asked.entry}")
        actor = asked.actor

        def keep(tx: Transaction, outcome: Outcome) -> Outcome:
            if text := outcome.withdrawn_text:
                again = OpenUpdate(ref=asked.ref, public=PublicText(text))
                tx.keep_draft(
                    Draft(
                        id=draft,
                        workspace=actor.workspace,
                        person=actor.person.id,
                        at=self._clock(),
                        incidents=frozenset({asked.ref}),
                        body=written([again]),
                    )
                )
            return outcome

        command = Redact(actor=actor, ref=asked.ref, entry=asked.entry, held_only=True)
        outcome = await self._incidents.perform(command, keep, request=interaction.once)
        told = views.answer(outcome, at=self._clock(), reader=interaction.user)
        kept = FromDraft(draft=draft, index=0)
        try:
            request = await self._asking.request(actor, kept)
        except DraftGone:
            return told
        with contextlib.suppress(DialogNotOpened):
            work = self._openings.dialog(interaction, actor, request, Kept(draft, 0))
            await self._answers.open_and_fill(interaction, "update", work)
        incident = outcome.incident
        offer = Offer(Choice(request, "Edit it…"), incident)
        return draft_reply(withdrawn.taken_back_to_edit(outcome), offer, draft)


def _incident_of(pressed: Pressed) -> UUID | None:
    """The id of the incident of a button; None for one that is about none."""
    ref = pressed.change.ref if isinstance(pressed, Step) else getattr(pressed, "ref", None)
    return ref if isinstance(ref, UUID) else None
