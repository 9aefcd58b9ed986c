"""The work that a request asks for: commands, lists and dialogs, each ending in a reply."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from slack_sdk.web.async_client import AsyncWebClient

from bot.slack import cards, forms, inputs, lists, parser, places, privacy, views
from bot.slack.answers import Answers
from bot.slack.arranged import ShowComponents
from bot.slack.asking import Asking
from bot.slack.blocks import Json
from bot.slack.boxes import OpenBox
from bot.slack.carrying import text_of, with_text
from bot.slack.curating import Arranging, Opened, Saved, arranging_form
from bot.slack.executing import Executing
from bot.slack.inputs import Kept
from bot.slack.interaction import Interaction
from bot.slack.leaking import settled
from bot.slack.markup import plain_text
from bot.slack.numbered import number_as_text
from bot.slack.openings import Openings, dialog_name
from bot.slack.people import People
from bot.slack.pressed import OpenDialog, Outdated, Pressed, Step, decode
from bot.slack.redrawing import Redrawing
from bot.slack.references import LINK, message_of
from bot.slack.requests import (
    AskPrivate,
    AssignTo,
    CatchUp,
    FromDraft,
    InviteUser,
    LeavePromise,
    OpenAssign,
    OpenDeclare,
    OpenInvite,
    OpenNote,
    OpenPromise,
    OpenPublic,
    OpenReport,
    OpenSetup,
    OpenUpdate,
    OpenWalk,
    OpenWithdrawal,
    OtherIncidents,
    Request,
    SaveSettings,
    SendReport,
    SetStatusChannel,
    Shorten,
    ShowBoard,
    ShowCard,
    ShowHelp,
    ShowNews,
    ShowReport,
    ShowStats,
    ShowTimeline,
    ShowTray,
    UsageError,
    WriteAnew,
)
from bot.slack.rewriting import Rewriting
from bot.slack.setup import setup_form
from bot.slack.showing import Showing
from bot.slack.subscribe_words import StrangeWords
from bot.slack.subscribing import SubscribedChannels
from bot.slack.subscription_requests import AboutSubscriptions
from bot.slack.subscriptions import subscription_form
from bot.slack.typed import Circumstances
from bot.slack.verbs import COMMAND
from bot.slack.workspaces import Workspaces
from core import policy
from core.access import made_private
from core.boards import BoardFilter, Scope
from core.catching import CatchUps
from core.commands import (
    Acknowledge,
    AnswerHandOver,
    Change,
    Declare,
    NameResolution,
    Redact,
    SetChannel,
    SetInvitation,
    SetPrivacy,
    SetPromise,
    TakeNextStep,
    Walk,
    WriteReport,
)
from core.denials import Denied, Permission
from core.drafting import DraftBook, DraftGone
from core.engine import IMPATIENCE
from core.errors import UserError
from core.incident import Actor
from core.lifecycle import Catalogue
from core.missing import NotFound
from core.refusals import (
    IncidentResolved,
    NothingToRelease,
    PossibleLeak,
    StaleStatus,
    TooSoon,
)
from core.service import Incidents
from core.templates import Template
from core.times import written_start

# The shortcuts of app_manifest.yml, by their callback_id.
DECLARE_INCIDENT = "declare_incident"
DECLARE_FROM_MESSAGE = "declare_from_message"
ADD_TO_TIMELINE = "add_to_timeline"
SHORTCUTS = frozenset({DECLARE_INCIDENT, DECLARE_FROM_MESSAGE, ADD_TO_TIMELINE})
# How many links of messages in one command are looked up.
LINKS_MAX = 5


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
        drafts: DraftBook,
        *,
        catch_ups: CatchUps,
        catalogue: Catalogue,
        workspaces: Workspaces,
        arranging: Arranging,
        subscribed: SubscribedChannels,
        templates: tuple[Template, ...] = (),
        clock: Callable[[], datetime],
    ) -> None:
        self._incidents = incidents
        self._people = people
        self._client = client
        self._answers = answers
        self._catalogue = catalogue
        self._clock = clock
        self._drafts = drafts
        self._workspaces = workspaces
        self._arranging = arranging
        self._subscribed = subscribed
        self._openings = Openings(
            incidents, people, catalogue=catalogue, clock=clock, templates=templates
        )
        self._executing = Executing(
            incidents, people, client, answers, arranging=arranging, clock=clock
        )
        self._asking = Asking(incidents, drafts, answers, catalogue=catalogue)
        self._rewriting = Rewriting(incidents, self._asking, self._openings, answers, clock=clock)
        self._showing = Showing(
            incidents, people, catch_ups=catch_ups, catalogue=catalogue, clock=clock
        )
        self._redrawing = Redrawing(incidents, workspaces, self._openings, clock=clock)
        self.preview = self._redrawing.preview
        self.corrected = self._redrawing.corrected

    async def command(self, interaction: Interaction, text: str) -> Json | None:
        """The command ``text``, without ``/incident``."""
        interaction, actor = await self._workspaces.entered(interaction)
        known = Circumstances(
            actor=actor,
            catalogue=self._catalogue.with_default(interaction.settings.default_lifecycle),
            default_severity=interaction.settings.default_severity,
            new_id=uuid4(),
            place=interaction.place,
            secluded=interaction.secluded,
            cards=await self._cards(actor, text),
            at=self._clock(),
            zone=await self._people.zone(interaction.workspace, interaction.user),
        )
        typed, request = plain_text(text).strip(), None
        numbered = number_as_text(text, known)
        try:
            request = parser.parse(text, known)
            if numbered:
                await self._asking.sure(actor, request, numbered)
            return await self._do(interaction, actor, request)
        except UserError as error:
            self._incidents.admit(actor)
            if isinstance(error, StrangeWords):
                error = await self._subscribed.about_words(actor, error)
            raise await self._asking.carried(
                interaction, actor, error, request, typed=typed, numbered=numbered
            ) from None

    async def click(self, interaction: Interaction, action: Mapping[str, Any]) -> Json | None:
        """A button, or an option of a menu."""
        value = action.get("value") or (action.get("selected_option") or {}).get("value") or ""
        interaction, actor = await self._workspaces.entered(interaction)
        pressed = decode(value, actor=actor)
        if isinstance(pressed, FromDraft):
            return await self._choose(interaction, actor, pressed)
        try:
            work = self._asking.answering(
                interaction, actor, self._press(interaction, actor, pressed)
            )
            return await self._rewriting.with_way_back(interaction, actor, pressed, work)
        except NotFound as error:
            if isinstance(error.ref, UUID):
                raise UsageError(
                    "The incident of this message is not in the store, and your click moved "
                    "nothing.",
                    hint=f"`{COMMAND}` shows what is open.",
                ) from None
            raise

    async def _press(  # noqa: PLR0911 - one case for each kind of button
        self, interaction: Interaction, actor: Actor, pressed: Pressed
    ) -> Json | None:
        match pressed:
            case Outdated(number=number):
                card = await self._incidents.card(actor, number)
                return cards.outdated_button(card, at=self._clock())
            case Step(change=change, asks=True):
                incident = await self._incidents.find(actor, change.ref)
                return views.asks_before_the_end(incident, str(change.to))
            case Step(change=change, drawn_at=datetime() as drawn_at):
                if self._clicked_at(interaction) - drawn_at < IMPATIENCE:
                    incident = await self._incidents.find(actor, change.ref)
                    if incident.status == change.expected_status:
                        raise TooSoon(incident, str(change.to))
                return await self._executing.execute(
                    interaction, change, clicked_at=self._clicked_at(interaction)
                )
            case Step(change=change, sure=sure):
                clicked_at = None if sure else self._clicked_at(interaction)
                return await self._executing.execute(interaction, change, clicked_at=clicked_at)
            case AnswerHandOver():
                reply = await self._executing.execute(interaction, pressed)
                return await self._closed(interaction, actor, reply)
            case WriteAnew():
                return await self._rewriting.write_anew(interaction, pressed)
            case _:
                return await self._do(interaction, actor, pressed)

    async def _closed(self, interaction: Interaction, actor: Actor, reply: Json) -> Json | None:
        """``reply`` to the answer of a new owner; None if it has taken the place of the question.

        One that was asked twice, because Slack's response to the first was lost, is edited where
        the second stands. The first one ends with the click on it.
        """
        clicked = interaction.message
        if clicked is None or any(await self._incidents.shown_by(actor, [clicked])):
            return reply
        await self._answers.say(replace(interaction, in_place=True), reply)
        return None

    def _clicked_at(self, interaction: Interaction) -> datetime:
        """The moment of a click, never later than now: Slack's clock may be ahead of ours."""
        now = self._clock()
        return min(interaction.clicked_at or now, now)

    async def _choose(
        self, interaction: Interaction, actor: Actor, chosen: FromDraft
    ) -> Json | None:
        """The answer to a question: the request that its button stands for."""
        try:
            request = await self._asking.request(actor, chosen)
        except DraftGone:
            # A request that Slack delivered twice finds its draft used.
            once = interaction.once
            outcome = await self._incidents.repeated(actor, once) if once else None
            if outcome is None:
                raise
            return views.answer(outcome, at=self._clock(), reader=interaction.user)
        if isinstance(request, OtherIncidents):
            raise await self._asking.others(interaction, actor, request, chosen.draft)
        kept = Kept(chosen.draft, chosen.index)
        try:
            return await self._do(interaction, actor, request, kept=kept)
        except UserError as error:
            raise await self._asking.carried(
                interaction, actor, error, request, draft=chosen.draft
            ) from None

    async def _cards(self, actor: Actor, text: str) -> dict[str, UUID]:
        """The ids of incidents by the links of their messages in ``text``."""
        links = list(dict.fromkeys(match[0] for match in LINK.finditer(text)))[:LINKS_MAX]
        if not links:
            return {}
        messages = [message_of(link) for link in links]
        found = await self._incidents.shown_by(actor, messages)
        return {link: id_ for link, id_ in zip(links, found, strict=True) if id_}

    async def form(self, interaction: Interaction, view: Mapping[str, Any]) -> Json | None:
        """A submitted dialog."""
        interaction, actor = await self._workspaces.entered(interaction)
        default = interaction.settings.default_lifecycle
        catalogue = self._catalogue.with_default(default)
        try:
            zone = await self._people.zone(interaction.workspace, interaction.user)
            if view.get("callback_id") == forms.SETUP:
                request: Request = setup_form(view)
            elif view.get("callback_id") == forms.SUBSCRIBE:
                request = subscription_form(view)
            elif view.get("callback_id") in forms.ARRANGING:
                request = arranging_form(view, at=self._clock(), zone=zone)
            else:
                request = forms.read(
                    view,
                    actor=actor,
                    catalogue=catalogue,
                    new_id=uuid4(),
                    at=self._clock(),
                    zone=zone,
                )
        except forms.Unannounced:
            form = forms.update_form(view)
            await self._incidents.unmoved(actor, form.ref, form.expected_status)
            raise
        if isinstance(request, FromDraft):
            request = await self._shortened(interaction, actor, request)
        request = settled(view, request)
        if isinstance(request, Declare) and request.private and request.place:
            # The form does not say whether a channel that was chosen in it is private, and the
            # card of a private incident may be shown in a private channel only.
            private = request.place.private or await places.is_private(
                self._client, request.place.channel
            )
            request = replace(request, place=replace(request.place, private=private))
        try:
            return await self._do(interaction, actor, request, kept=inputs.kept_of(view))
        except (IncidentResolved, StaleStatus, NothingToRelease, PossibleLeak) as error:
            if isinstance(error, StaleStatus) and not error.incident.terminal:
                raise
            if isinstance(error, PossibleLeak) and not error.opening:
                raise
            # Nothing here can save the texts any more: they are offered where they can be.
            raise await self._asking.carried(interaction, actor, error, request) from None

    async def _shortened(self, interaction: Interaction, actor: Actor, asked: FromDraft) -> Request:
        """The request of a draft, with the text of the dialog that made it shorter."""
        typed = asked.text or ""
        try:
            kept = await self._asking.request(actor, asked)
        except DraftGone as gone:
            # The dialog is all that holds the new text: it is offered as a note.
            raise await self._asking.carried(interaction, actor, gone, None, typed=typed) from None
        if not isinstance(kept, Shorten):
            raise DraftGone
        return with_text(kept.request, typed)

    async def shortcut(
        self, interaction: Interaction, name: str, message: Mapping[str, Any]
    ) -> None:
        """A shortcut of the manifest; ``message`` is empty for a global one."""
        if name == ADD_TO_TIMELINE:
            work = self._opened(interaction, message, self._openings.note)
        elif name in SHORTCUTS:
            work = self._opened(interaction, message, self._openings.declare)
        else:
            raise UsageError(
                "There is no such shortcut any more.",
                hint=f"`{COMMAND}` shows what is open and what can be done.",
            )
        await self._answers.open_and_fill(interaction, name, work)

    async def _opened(
        self,
        interaction: Interaction,
        message: Mapping[str, Any],
        draw: Callable[[Interaction, Actor, Mapping[str, Any]], Awaitable[Json]],
    ) -> Json:
        """The dialog of a shortcut. The person is looked up once it is open."""
        return await draw(*await self._workspaces.entered(interaction), message)

    async def home(self, interaction: Interaction) -> Json:
        """The Home tab."""
        _, actor = await self._workspaces.entered(interaction)
        mine = await self._incidents.ranking(actor, BoardFilter(scope=Scope.MINE))
        open_ = await self._incidents.ranking(actor, BoardFilter(), limit=lists.beside(mine))
        page = await self._arranging.link(actor)
        return lists.home(
            mine,
            open_,
            at=self._clock(),
            page=page,
            responds=policy.holds(actor, Permission.RESPOND),
        )

    async def _do(  # noqa: C901, PLR0911, PLR0912 - one case for each kind of request
        self, interaction: Interaction, actor: Actor, request: Pressed, *, kept: Kept | None = None
    ) -> Json | None:
        """Does ``request``; a draft that it came from is erased with that."""
        match request:
            case (
                Declare()
                | Change()
                | TakeNextStep()
                | Acknowledge()
                | Walk()
                | Redact()
                | SetPrivacy()
                | SetInvitation()
                | NameResolution()
                | WriteReport()
                | SetPromise()
                | AnswerHandOver()
                | SetChannel()
            ):
                return await self._executing.execute(interaction, request, kept=kept)
            case InviteUser():
                return await self._executing.invite(interaction, request, kept)
            case AskPrivate():
                incident, workspace, channels = await self._incidents.to_hide(actor, request.ref)
                if not policy.holds(actor, Permission.RESPOND):
                    raise Denied(actor, Permission.RESPOND, incident)
                later = made_private(incident, actor.person)
                return privacy.ask_private(
                    incident, later, workspace, channels, reader=actor.person.id
                )
            case SendReport(ref=ref):
                return await self._executing.send_report(interaction, actor, ref)
            case AssignTo():
                return await self._executing.assign(interaction, request, kept)
            case SetStatusChannel():
                return await self._workspaces.set_status_channel(interaction, actor, request)
            case OpenSetup():
                work = self._workspaces.dialog(interaction, actor)
                await self._answers.open_and_fill(interaction, forms.SETUP, work)
                return None
            case SaveSettings():
                return await self._workspaces.save(interaction, actor, request)
            case _ if isinstance(request, AboutSubscriptions):
                return await self._subscribed.do(interaction, actor, request)
            case ShowComponents():
                return await self._arranging.show(interaction, actor, request)
            case _ if isinstance(request, Opened):
                await self._arranging.open(interaction, actor, request)
                return None
            case _ if isinstance(request, Saved):
                return await self._arranging.save(interaction, actor, request)
            case OpenDeclare():
                if request == OpenDeclare() and interaction.secluded:
                    request = OpenDeclare(private=True)
                if request.started_at is not None:
                    zone = await self._people.zone(interaction.workspace, interaction.user)
                    request = replace(request, since=written_start(request.started_at, zone))
                dialog = await self._openings.filled(interaction, actor, request, kept)
                await self._answers.open(interaction, dialog)
                return None
            case (
                OpenDialog()
                | OpenBox()
                | OpenAssign()
                | OpenInvite()
                | OpenUpdate()
                | OpenNote()
                | OpenPublic()
                | OpenPromise()
                | OpenReport()
                | OpenWithdrawal()
                | OpenWalk()
                | Shorten()
            ):
                work = self._dialog(interaction, actor, request, kept)
                await self._answers.open_and_fill(interaction, dialog_name(request), work)
                return None
            case (
                ShowTray()
                | ShowBoard()
                | ShowCard()
                | ShowTimeline()
                | ShowReport()
                | ShowStats()
                | ShowHelp()
                | CatchUp()
                | ShowNews()
                | LeavePromise()
            ):
                return await self._showing.shown(interaction, actor, request)
            case _:
                raise TypeError(f"{type(request).__name__} is not done without its button")

    async def _dialog(
        self, interaction: Interaction, actor: Actor, asked: Request | OpenDialog, kept: Kept | None
    ) -> Json:
        """The dialog that ``asked`` opens; where it could save no text, the places for that."""
        if isinstance(asked, OpenUpdate | OpenWalk | OpenBox) and text_of(asked):
            incident = await self._incidents.find(actor, asked.ref)
            corrects = isinstance(asked, OpenUpdate) and asked.public and not incident.private
            if incident.terminal and not corrects:
                to = None if isinstance(asked, OpenBox) else asked.to
                ended = IncidentResolved(incident, to)
                raise await self._asking.carried(interaction, actor, ended, asked)
        return await self._openings.dialog(interaction, actor, asked, kept)
