"""Open dialogs that are drawn anew: while somebody types, and after a refusal or a failure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from bot.slack import dialogs, forms, inputs, reports
from bot.slack.answers import Conclusion
from bot.slack.blocks import Json
from bot.slack.box_dialogs import box_dialog
from bot.slack.boxes import Box
from bot.slack.interaction import Interaction
from bot.slack.leaking import with_choice
from bot.slack.openings import Openings, barred_from_publishing
from bot.slack.pressed import Dialog
from bot.slack.walking import walk_dialog
from bot.slack.workspaces import Workspaces
from core.commands import SetPromise
from core.incident import Actor
from core.refusals import (
    FactChanged,
    PossibleLeak,
    PromiseOver,
    SectionChanged,
    SettingsChanged,
    StaleStatus,
)
from core.service import Incidents


class Redrawing:
    """Draws a dialog with the facts of now, and with everything that was typed into it."""

    def __init__(
        self,
        incidents: Incidents,
        workspaces: Workspaces,
        openings: Openings,
        *,
        clock: Callable[[], datetime],
    ) -> None:
        self._incidents = incidents
        self._workspaces = workspaces
        self._openings = openings
        self._clock = clock

    async def preview(self, interaction: Interaction, view: Mapping[str, Any]) -> Json:
        """The update dialog ``view`` with a preview of everything that is typed so far.

        Raises:
            StaleStatus: the incident has moved. The answer to the submission says so.
        """
        _, actor = await self._workspaces.entered(interaction)
        form = forms.update_form(view)
        incident = await self._incidents.unmoved(actor, form.ref, form.expected_status)
        workspace = await self._incidents.workspace(actor)
        return self._openings.update(actor, incident, workspace, view, form, at=self._clock())

    async def corrected(  # noqa: C901, PLR0911 - one for each dialog that is redrawn
        self, interaction: Interaction, view: Mapping[str, Any], ended: Conclusion
    ) -> Json:
        """The dialog ``view`` after a refusal or a failure, with everything that was typed.

        After a transition in the meantime the dialogs of a step and of several steps offer those
        that are valid now. If somebody changed a section of the report, its dialog shows the text
        that it would replace.
        """
        stale, dialog = ended.error, view["callback_id"]
        if ended.offers:
            # Its buttons do what was asked, with what was typed; no box could save it any more.
            return dialogs.message_dialog(ended.reply or {})
        if isinstance(stale, forms.Unannounced):
            _, actor = await self._workspaces.entered(interaction)
            form = forms.update_form(view)
            incident = await self._incidents.find(actor, form.ref)
            workspace = await self._incidents.workspace(actor)
            return self._openings.update(
                actor, incident, workspace, view, form, at=self._clock(), unannounced=True
            )
        if isinstance(stale, PossibleLeak):
            return with_choice(view, stale, ended.reply or {})
        if isinstance(stale, SettingsChanged):
            _, actor = await self._workspaces.entered(interaction)
            return await self._workspaces.redrawn(view, actor)
        if isinstance(stale, PromiseOver) and dialog == Dialog.PROMISE:
            interaction, actor = await self._workspaces.entered(interaction)
            sent = forms.promise_form(view, actor)
            return await self._openings.promise(
                interaction,
                actor,
                stale.incident.id,
                origin=inputs.origin_of(view),
                form=sent if isinstance(sent, SetPromise) else None,
            )
        if isinstance(stale, FactChanged):
            _, actor = await self._workspaces.entered(interaction)
            return await self._overtaken(actor, view, stale)
        if isinstance(stale, SectionChanged):
            _, actor = await self._workspaces.entered(interaction)
            incident, written = await self._incidents.sections(actor, stale.incident.id)
            return reports.report_dialog(
                incident,
                written,
                origin=inputs.origin_of(view),
                form=forms.report_form(view, actor),
                changed=stale.entry,
                kept=inputs.kept_of(view),
            )
        if not isinstance(stale, StaleStatus) or dialog not in {Dialog.UPDATE, Dialog.WALK}:
            return dialogs.refilled(view, ended.reply or {})
        incident, origin, at = stale.incident, inputs.origin_of(view), self._clock()
        _, actor = await self._workspaces.entered(interaction)
        workspace = await self._incidents.workspace(actor)
        if dialog == Dialog.UPDATE:
            form = forms.update_form(view)
            return self._openings.update(
                actor, incident, workspace, view, form, moved=stale.moved, at=at
            )
        asked = forms.walk_form(view)
        if asked.to == incident.status or not incident.lifecycle.path(incident.status, asked.to):
            return dialogs.refilled(view, ended.reply or {})
        moved = dialogs.moved_meanwhile(incident, stale.moved, at)
        kept = inputs.kept_of(view)
        barred = barred_from_publishing(actor, incident)
        return walk_dialog(
            incident, workspace, asked, origin=origin, kept=kept, moved=moved, barred=barred
        )

    async def _overtaken(self, actor: Actor, view: Mapping[str, Any], stale: FactChanged) -> Json:
        """The dialog with one text beside the one that somebody else wrote meanwhile."""
        workspace = await self._incidents.workspace(actor)
        card, page = await self._incidents.timeline(actor, stale.incident.id)
        changes = (one for one in reversed(page.items) if one.kind == stale.fact)
        return box_dialog(
            Box(str(view["callback_id"])),
            card.incident,
            workspace,
            origin=inputs.origin_of(view),
            text=forms.text_in_box(view),
            kept=inputs.kept_of(view),
            changed=next(changes, None),
        )
