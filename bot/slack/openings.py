"""Dialogs as they open: about an incident, filled with a draft, or with a message of Slack's."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from bot.slack import (
    dialogs,
    forms,
    inputs,
    messages,
    privacy,
    reports,
    updating,
    walking,
    withdrawal,
)
from bot.slack.blocks import Json
from bot.slack.box_dialogs import box_dialog
from bot.slack.boxes import Box, OpenBox
from bot.slack.carrying import most_of, ref_of, text_of
from bot.slack.dialogs import OPTIONS_MAX
from bot.slack.forms import UpdateForm
from bot.slack.inputs import Kept, Origin
from bot.slack.interaction import Interaction
from bot.slack.people import People
from bot.slack.pressed import Dialog, OpenDialog
from bot.slack.questions import label_of_text
from bot.slack.requests import (
    OpenAssign,
    OpenDeclare,
    OpenInvite,
    OpenNote,
    OpenPromise,
    OpenPublic,
    OpenReport,
    OpenUpdate,
    OpenWalk,
    OpenWithdrawal,
    Request,
    Shorten,
)
from bot.slack.words import note_hint, public_hint
from core import policy
from core.boards import BoardFilter
from core.commands import Ref, SetPromise
from core.denials import Denied, Permission
from core.drafting import DraftGone
from core.incident import BODY_MAX, Actor, Incident, Update
from core.lifecycle import Catalogue
from core.promise import SHORTEST, NextUpdate
from core.refusals import IncidentResolved
from core.service import Incidents
from core.templates import Template
from core.workspace import Workspace


def barred_from_publishing(actor: Actor, incident: Incident) -> Denied | None:
    """The denial of a public text of ``incident`` by ``actor``; None if they may publish one."""
    may = policy.holds(actor, Permission.PUBLISH)
    return None if may else Denied(actor, Permission.PUBLISH, incident)


class Openings:
    """Draws the dialogs, with the facts that they need from the store."""

    def __init__(
        self,
        incidents: Incidents,
        people: People,
        *,
        catalogue: Catalogue,
        clock: Callable[[], datetime],
        templates: tuple[Template, ...] = (),
    ) -> None:
        self._clock = clock
        self._templates = templates
        self._incidents = incidents
        self._people = people
        self._catalogue = catalogue

    async def dialog(  # noqa: C901, PLR0911, PLR0912 - one for each dialog
        self, interaction: Interaction, actor: Actor, asked: Request | OpenDialog, kept: Kept | None
    ) -> Json:
        """The dialog that ``asked`` opens; ``kept`` is the draft that it is filled with.

        Raises:
            Denied: the actor could not send it. They hear so before they write anything.
        """
        await self._refuse(actor, asked)
        origin = interaction.origin
        match asked:
            case OpenNote(text=text):
                offered, total = await self._incidents_to_offer(actor)
                return dialogs.note_dialog(offered, text, total=total, origin=origin, kept=kept)
            case OpenUpdate(public=str(text), ref=ref) if len(text) > BODY_MAX and kept:
                incident = await self._incidents.find(actor, ref)
                workspace = await self._incidents.workspace(actor)
                hint = public_hint(incident, workspace) or note_hint(incident)
                return dialogs.shorten_dialog(
                    text, label="Public update", hint=hint, origin=origin, kept=kept
                )
            case Shorten() if kept:
                about, ref = ref_of(asked)
                found = await self._incidents.find(actor, ref) if about else None
                workspace = await self._incidents.workspace(actor)
                label, hint = label_of_text(asked.request, found, workspace)
                return dialogs.shorten_dialog(
                    text_of(asked),
                    most=most_of(asked.request),
                    label=label,
                    hint=hint,
                    origin=origin,
                    kept=kept,
                )
            case OpenWithdrawal(ref=ref):
                card, page = await self._incidents.timeline(actor, ref)
                return withdrawal.redact_dialog(card.incident, page.items, origin=origin)
            case OpenDialog(dialog=Dialog.REPORT, ref=ref) | OpenReport(ref=ref):
                incident, entries = await self._incidents.sections(actor, ref)
                added = text_of(asked) if isinstance(asked, OpenReport) else ""
                return reports.report_dialog(
                    incident, entries, origin=origin, added=added, kept=kept
                )
            case OpenInvite(ref=ref, invited=invited):
                found = await self._incidents.find(actor, ref)
                return privacy.invite_dialog(found, invited=invited, origin=origin)
            case OpenBox(ref=ref, box=box, text=text) if box is not Box.SEVERITY:
                found = await self._incidents.find(actor, ref)
                if found.terminal and box is not Box.DESCRIPTION:
                    raise IncidentResolved(found, None)
                workspace = await self._incidents.workspace(actor)
                return box_dialog(
                    box, found, workspace, origin=origin, text=text or None, kept=kept
                )
            case OpenPublic(ref=ref):
                incident, texts = await self._incidents.to_publish(actor, ref)
                workspace = await self._incidents.workspace(actor)
                return privacy.public_dialog(incident, texts, workspace, origin=origin)
            case OpenPromise(ref=ref, release=release):
                return await self.promise(interaction, actor, ref, origin=origin, release=release)
            case (
                OpenDialog(ref=ref)
                | OpenAssign(ref=ref)
                | OpenBox(ref=ref)
                | OpenUpdate(ref=ref)
                | OpenWalk(ref=ref)
            ):
                incident = (await self._incidents.card(actor, ref)).incident
            case _:
                raise DraftGone
        match asked:
            case OpenAssign() | OpenDialog(dialog=Dialog.ASSIGN):
                return dialogs.assign_dialog(incident, origin=origin)
            case OpenBox() | OpenDialog(dialog=Dialog.SEVERITY):
                workspace = await self._incidents.workspace(actor)
                return dialogs.severity_dialog(incident, workspace, origin=origin)
            case OpenDialog(dialog=Dialog.RESOLUTION):
                return privacy.duplicate_dialog(incident, origin=origin)
            case OpenWalk():
                workspace = await self._incidents.workspace(actor)
                barred = barred_from_publishing(actor, incident)
                return walking.walk_dialog(
                    incident, workspace, asked, origin=origin, kept=kept, barred=barred
                )
            case _:
                workspace = await self._incidents.workspace(actor)
                return updating.update_dialog(
                    incident,
                    workspace,
                    origin=origin,
                    at=self._clock(),
                    promise_defaults=workspace.settings.promise_defaults,
                    templates=self._templates,
                    form=_form(asked, incident, at=self._clock()),
                    kept=kept,
                    barred=barred_from_publishing(actor, incident),
                    responds=policy.holds(actor, Permission.RESPOND),
                )

    async def _refuse(self, actor: Actor, asked: Request | OpenDialog) -> None:
        """Refuses a dialog about an incident to whoever may change nothing with it.

        A withdrawal is for the author of a text, whoever they are by now.
        """
        about, ref = ref_of(asked)
        if not about or isinstance(asked, OpenWithdrawal):
            return
        public = isinstance(asked, OpenUpdate | OpenPromise) or (
            isinstance(asked, OpenDialog) and asked.dialog is Dialog.UPDATE
        )
        enough = (Permission.RESPOND, Permission.PUBLISH) if public else (Permission.RESPOND,)
        if not any(policy.holds(actor, permission) for permission in enough):
            raise Denied(actor, Permission.RESPOND, await self._incidents.find(actor, ref))

    async def promise(
        self,
        interaction: Interaction,
        actor: Actor,
        ref: Ref,
        *,
        origin: Origin,
        release: bool = False,
        form: SetPromise | None = None,
    ) -> Json:
        """The dialog of the promise in force; ``form`` was refused, and stays in it."""
        incident, present = await self._incidents.promise(actor, ref)
        needed = Permission.RESPOND if incident.private else Permission.PUBLISH
        if not policy.holds(actor, needed):
            raise Denied(actor, needed, incident)
        return dialogs.promise_dialog(
            incident,
            present,
            await self._incidents.workspace(actor),
            origin=origin,
            at=self._clock(),
            zone=await self._people.zone(interaction.workspace, interaction.user),
            release=release,
            form=form,
        )

    def update(
        self,
        actor: Actor,
        incident: Incident,
        workspace: Workspace,
        view: Mapping[str, Any],
        form: UpdateForm,
        *,
        at: datetime,
        moved: Update | None = None,
        unannounced: bool = False,
    ) -> Json:
        """The update dialog ``view`` as it is now, with everything that is typed into ``form``.

        A template that was chosen is put into the box, behind what was typed.
        """
        form = updating.with_template(
            form, incident, self._templates, workspace.settings.promise_defaults
        )
        return updating.update_dialog(
            incident,
            workspace,
            origin=inputs.origin_of(view),
            at=at,
            promise_defaults=workspace.settings.promise_defaults,
            templates=self._templates,
            form=form,
            moved=moved,
            unannounced=unannounced,
            kept=inputs.kept_of(view),
            barred=barred_from_publishing(actor, incident),
            responds=policy.holds(actor, Permission.RESPOND),
        )

    async def declare(
        self, interaction: Interaction, actor: Actor, message: Mapping[str, Any]
    ) -> Json:
        """The dialog that declares; a message goes into the description, with its link.

        A message may hold anything, and a title is public: the person writes it.
        """
        text = await self._words(interaction, message)
        link = message_link(interaction, message)
        draft = OpenDeclare(
            description="\n\n".join(filter(None, [text, link])), private=interaction.secluded
        )
        return await self.filled(interaction, actor, draft)

    async def filled(
        self,
        interaction: Interaction,
        actor: Actor,
        draft: OpenDeclare,
        kept: Kept | None = None,
    ) -> Json:
        """The dialog that declares, filled with ``draft`` and the defaults of the workspace."""
        self._incidents.admit(actor)
        return dialogs.declare_dialog(
            self._catalogue.with_default(interaction.settings.default_lifecycle),
            by=actor.person,
            origin=interaction.origin,
            draft=draft,
            kept=kept,
            secluded=interaction.secluded,
            workspace=interaction.known,
            severity=interaction.settings.default_severity,
        )

    async def note(
        self, interaction: Interaction, actor: Actor, message: Mapping[str, Any]
    ) -> Json:
        """The dialog that keeps a message as a private note."""
        text = await self._words(interaction, message)
        if author := await self._author(interaction, message):
            text = f"{author}: {text}"
        offered, total = await self._incidents_to_offer(actor)
        return dialogs.note_dialog(offered, text, total=total, origin=interaction.origin)

    async def _words(self, interaction: Interaction, message: Mapping[str, Any]) -> str:
        """The words of ``message``, with names in the place of ids."""
        markup = messages.markup_of(message)
        names = await self._people.names(interaction.workspace, messages.unnamed(markup))
        return messages.named(markup, names)

    async def _author(self, interaction: Interaction, message: Mapping[str, Any]) -> str | None:
        """The name of the person or the bot that wrote ``message``."""
        if isinstance(user := message.get("user"), str) and user:
            return await self._people.name(interaction.workspace, user)
        return messages.bot_name(message)

    async def _incidents_to_offer(self, actor: Actor) -> tuple[list[Incident], int]:
        """The open incidents of the channel, then the worst of the others; the number of all."""
        here = (await self._incidents.open_here(actor)).items
        everywhere = await self._incidents.ranking(actor, BoardFilter(), limit=OPTIONS_MAX)
        others = (incident for incident in everywhere.items if incident not in here)
        return [*here, *others][:OPTIONS_MAX], everywhere.total


def _form(asked: Request | OpenDialog, incident: Incident, *, at: datetime) -> UpdateForm | None:
    """The choices and texts that the update dialog is filled with; None for an empty one."""
    if not isinstance(asked, OpenUpdate):
        return None
    promised, other = asked.next_update, asked.severity
    if promised and promised.by:
        # The dialog counts from the moment at which the text is public.
        promised = NextUpdate(within=max(SHORTEST, promised.by - at))
    return UpdateForm(
        ref=incident.id,
        expected_status=incident.status,
        to=asked.to,
        public=asked.public,
        note=asked.note,
        severity=None if other == incident.severity else other,
        next_update=promised,
        chose_promise=promised is None or not promised.is_default,
        corrects=incident.terminal and asked.public is not None,
    )


_DIALOGS: Mapping[type[Request], str] = {
    OpenNote: forms.NOTE,
    OpenAssign: Dialog.ASSIGN,
    OpenWalk: Dialog.WALK,
    OpenPublic: Dialog.PUBLIC,
    OpenPromise: Dialog.PROMISE,
    OpenReport: Dialog.REPORT,
    OpenWithdrawal: Dialog.REDACT,
    OpenUpdate: Dialog.UPDATE,
    Shorten: forms.SHORTEN,
}


def dialog_name(request: Request | OpenDialog) -> str:
    """The dialog's name for logs and metrics."""
    match request:
        case OpenDialog(dialog=dialog):
            return dialog
        case OpenBox(box=box):
            return box
        case OpenInvite(invited=invited):
            return Dialog.INVITE if invited else Dialog.UNINVITE
        case _:
            return _DIALOGS[type(request)]


def message_link(interaction: Interaction, message: Mapping[str, Any]) -> str:
    """The link of the message that a shortcut was chosen on; empty if it cannot be told."""
    ts = str(message.get("ts") or "").replace(".", "")
    if not (interaction.channel and ts and interaction.domain):
        return ""
    return f"https://{interaction.domain}.slack.com/archives/{interaction.channel}/p{ts}"
