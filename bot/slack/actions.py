"""The work that a request asks for: commands, lists and dialogs, each ending in a reply."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, assert_never
from uuid import uuid4

from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.slack import dialogs, forms, lists, messages, parser, places, views
from bot.slack.answers import Answers, Conclusion, error_code
from bot.slack.blocks import Json, with_remark
from bot.slack.buttons import Dialog, OpenDialog, Pressed, decode
from bot.slack.help import help_for
from bot.slack.interaction import Interaction
from bot.slack.people import UNREACHABLE, People
from bot.slack.places import Obstacle
from bot.slack.requests import (
    AssignTo,
    OpenDeclare,
    SetStatusChannel,
    ShowBoard,
    ShowCard,
    ShowHelp,
    ShowTimeline,
    ShowTray,
    UsageError,
)
from bot.slack.timeline import timeline
from bot.slack.verbs import COMMAND
from bot.telemetry import log
from core.incident import (
    Acknowledge,
    Actor,
    BoardFilter,
    Change,
    Command,
    Declare,
    Redact,
    Scope,
    TakeNextStep,
)
from core.lifecycle import Catalogue
from core.refusals import StaleStatus
from core.service import Incidents

# The shortcuts of app_manifest.yml, by their callback_id.
DECLARE_INCIDENT = "declare_incident"
DECLARE_FROM_MESSAGE = "declare_from_message"
ADD_TO_TIMELINE = "add_to_timeline"
SHORTCUTS = frozenset({DECLARE_INCIDENT, DECLARE_FROM_MESSAGE, ADD_TO_TIMELINE})
# How many incidents a message can be added to.
OFFERED = 50

# A request that only shows something.
Shown = ShowTray | ShowBoard | ShowCard | ShowTimeline | ShowHelp


class Actions:
    """Each public method does the work of one interaction.

    It returns the reply, or None if a dialog is the answer, and raises `UserError` to refuse.
    """

    def __init__(
        self,
        incidents: Incidents,
        people: People,
        client: AsyncWebClient,
        answers: Answers,
        *,
        catalogue: Catalogue,
        clock: Callable[[], datetime],
    ) -> None:
        self._incidents = incidents
        self._people = people
        self._client = client
        self._answers = answers
        self._catalogue = catalogue
        self._clock = clock

    async def command(self, interaction: Interaction, text: str) -> Json | None:
        """The command ``text``, without ``/incident``."""
        actor = await self._actor(interaction)
        request = parser.parse(
            text,
            actor=actor,
            catalogue=self._catalogue,
            new_id=uuid4(),
            place=interaction.place,
        )
        return await self._do(interaction, actor, request)

    async def click(self, interaction: Interaction, action: Mapping[str, Any]) -> Json | None:
        """A button, or an option of a menu."""
        value = action.get("value") or (action.get("selected_option") or {}).get("value") or ""
        actor = await self._actor(interaction)
        return await self._do(interaction, actor, decode(value, actor=actor))

    async def form(self, interaction: Interaction, view: Mapping[str, Any]) -> Json | None:
        """A submitted dialog."""
        actor = await self._actor(interaction)
        request = forms.read(view, actor=actor, catalogue=self._catalogue, new_id=uuid4())
        if isinstance(request, Declare) and request.private and request.place:
            # The form does not say whether a channel that was chosen in it is private, and the
            # card of a private incident may be shown in a private channel only.
            private = request.place.private or await self._is_private(request.place.channel)
            request = replace(request, place=replace(request.place, private=private))
        return await self._do(interaction, actor, request)

    async def shortcut(
        self, interaction: Interaction, name: str, message: Mapping[str, Any]
    ) -> None:
        """A shortcut of the manifest; ``message`` is empty for a global one."""
        if name == ADD_TO_TIMELINE:
            work = self._note_dialog(interaction, message)
        elif name in SHORTCUTS:
            work = self._declare_dialog(interaction, message)
        else:
            raise UsageError(
                "There is no such shortcut any more.",
                hint=f"`{COMMAND}` shows what is open and what can be done.",
            )
        await self._answers.open_and_fill(interaction, name, work)

    async def home(self, interaction: Interaction) -> Json:
        """The Home tab."""
        page = await self._incidents.board(await self._actor(interaction), BoardFilter())
        return lists.home(page, at=self._clock())

    async def preview(self, interaction: Interaction, view: Mapping[str, Any]) -> Json:
        """The update dialog ``view`` with a preview of everything that is typed so far."""
        actor = await self._actor(interaction)
        form = forms.update_form(view)
        incident = (await self._incidents.card(actor, form.ref)).incident
        workspace = await self._incidents.workspace(actor)
        return dialogs.update_dialog(incident, workspace, origin=forms.origin_of(view), form=form)

    async def corrected(
        self, interaction: Interaction, view: Mapping[str, Any], ended: Conclusion
    ) -> Json:
        """The dialog ``view`` after a refusal or a failure, with everything that was typed.

        After a transition in the meantime the update dialog offers the steps that are valid now.
        """
        stale = ended.error
        if not isinstance(stale, StaleStatus) or view["callback_id"] != Dialog.UPDATE:
            return dialogs.refilled(view, ended.reply or {})
        return dialogs.update_dialog(
            stale.incident,
            await self._incidents.workspace(await self._actor(interaction)),
            origin=forms.origin_of(view),
            form=forms.update_form(view),
            moved=stale.moved,
            at=self._clock(),
        )

    async def _actor(self, interaction: Interaction) -> Actor:
        return await self._people.actor(
            interaction.workspace,
            interaction.user,
            channel=interaction.place.channel if interaction.place else None,
        )

    async def _is_private(self, channel: str) -> bool:
        try:
            found = await self._client.conversations_info(channel=channel)
        except (*UNREACHABLE, SlackApiError) as error:
            # Unknown counts as public, so the card of a private incident is not shown there.
            log.info("channel not looked up", error=error_code(error))
            return False
        return bool(found["channel"].get("is_private"))

    async def _do(self, interaction: Interaction, actor: Actor, request: Pressed) -> Json | None:
        match request:
            case Declare() | Change() | TakeNextStep() | Acknowledge() | Redact():
                return await self._execute(interaction, request)
            case AssignTo():
                self._incidents.admit(actor)
                owner = await self._people.member(interaction.workspace, request.user)
                return await self._execute(interaction, request.to(owner))
            case SetStatusChannel():
                workspace = await self._incidents.set_status_channel(
                    actor, request.channel, request=interaction.once
                )
                return views.status_channel_set(workspace.status_channel or request.channel)
            case OpenDeclare():
                self._incidents.admit(actor)
                dialog = dialogs.declare_dialog(
                    self._catalogue, origin=interaction.origin, draft=request
                )
                await self._answers.open(interaction.trigger, dialog)
                return None
            case OpenDialog():
                work = self._dialog(interaction, actor, request)
                await self._answers.open_and_fill(interaction, request.dialog, work)
                return None
            case _:
                return await self._show(actor, request)

    async def _execute(self, interaction: Interaction, command: Command) -> Json:
        obstacle = None
        if isinstance(command, Declare):
            obstacle = await self._obstacle(interaction, command)
            if obstacle and obstacle.for_good:
                command = replace(command, place=None)
        outcome = await self._incidents.execute(command, request=interaction.once)
        reply = views.answer(outcome, at=self._clock())
        return with_remark(reply, obstacle.told) if obstacle else reply

    async def _obstacle(self, interaction: Interaction, command: Declare) -> Obstacle | None:
        """The reason why the card cannot be posted. The bot joins public channels by itself.

        A form does not say whether a channel that was chosen in it is public.
        """
        place = command.place
        if place is None or not (place.private or interaction.door == "form"):
            return None
        return await places.obstacle(self._client, place.channel)

    async def _show(self, actor: Actor, request: Shown) -> Json:
        at = self._clock()
        match request:
            case ShowTray():
                here = await self._incidents.open_here(actor)
                everywhere = await self._incidents.board(actor, BoardFilter(scope=Scope.OPEN))
                return lists.tray(here, everywhere, at=at)
            case ShowBoard():
                page = await self._incidents.board(
                    actor, request.narrowed, before=request.before, after=request.after
                )
                return lists.board(page, request, at=at)
            case ShowCard():
                return views.card_for_you(await self._incidents.card(actor, request.ref), at=at)
            case ShowTimeline():
                card, entries = await self._incidents.timeline(
                    actor, request.ref, before=request.before
                )
                return timeline(card, entries, at=at)
            case ShowHelp():
                return help_for(request.verb)
            case _:
                assert_never(request)

    # --- dialogs ---------------------------------------------------------------------------------

    async def _dialog(self, interaction: Interaction, actor: Actor, asked: OpenDialog) -> Json:
        origin = interaction.origin
        if asked.dialog is Dialog.REDACT:
            card, entries = await self._incidents.timeline(actor, asked.ref)
            return dialogs.redact_dialog(card.incident, entries.items, origin=origin)
        incident = (await self._incidents.card(actor, asked.ref)).incident
        match asked.dialog:
            case Dialog.ASSIGN:
                return dialogs.assign_dialog(incident, origin=origin)
            case Dialog.SEVERITY:
                return dialogs.severity_dialog(incident, origin=origin)
            case Dialog.UPDATE:
                workspace = await self._incidents.workspace(actor)
                return dialogs.update_dialog(incident, workspace, origin=origin)
            case _:
                assert_never(asked.dialog)

    async def _declare_dialog(self, interaction: Interaction, message: Mapping[str, Any]) -> Json:
        self._incidents.admit(await self._actor(interaction))
        text = await self._words(interaction, message)
        draft = OpenDeclare(title=text.partition("\n")[0], description=text)
        return dialogs.declare_dialog(self._catalogue, origin=interaction.origin, draft=draft)

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

    async def _note_dialog(self, interaction: Interaction, message: Mapping[str, Any]) -> Json:
        actor = await self._actor(interaction)
        text = await self._words(interaction, message)
        here = await self._incidents.open_here(actor)
        everywhere = await self._incidents.board(actor, BoardFilter(), limit=OFFERED)
        others = [incident for incident in everywhere.items if incident not in here]
        if author := await self._author(interaction, message):
            text = f"{author}: {text}"
        return dialogs.note_dialog([*here, *others], text, origin=interaction.origin)
