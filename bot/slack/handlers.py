"""The Slack door: takes commands, clicks and forms, and answers each within Slack's three seconds.

Listeners are few, because Bolt looks them up one after another; what a button asks for stands in
its value. Nothing here posts to a channel: that is the worker's alone.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from time import monotonic
from typing import Any, TypeVar, assert_never
from uuid import uuid4

from slack_bolt.async_app import AsyncAck, AsyncApp
from slack_bolt.authorization import AuthorizeResult
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_bolt.response import BoltResponse
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.webhook.async_client import AsyncWebhookClient

from bot.settings import Settings
from bot.slack import dialogs, parser, views
from bot.slack.door import Door, Headers
from bot.slack.errors import Answer, Reply, answer
from bot.slack.people import UNREACHABLE, People
from bot.slack.sockets import CONNECTIONS, Connection
from bot.slack.web import code_of
from bot.telemetry import Metrics, log
from core.errors import UserError
from core.incident import (
    Acknowledge,
    Actor,
    BoardFilter,
    Change,
    Declare,
    Place,
    Redact,
    Scope,
    TakeNextStep,
)
from core.refusals import StaleStatus
from core.service import Incidents

Result = TypeVar("Result")

# What is only shown, of all that can be asked for.
Shown = parser.ShowTray | parser.ShowBoard | parser.ShowCard | parser.ShowTimeline | parser.ShowHelp

# A form is answered by its acknowledgement alone, so it is waited for nearly as long as Slack does.
FORM_PATIENCE = timedelta(seconds=2)
ANSWER_TRIES = 3

FORMS = frozenset({dialogs.DECLARE, dialogs.NOTE, *views.Dialog})
# The shortcuts of app_manifest.yml, by their callback_id.
DECLARE_INCIDENT = "declare_incident"
DECLARE_FROM_MESSAGE = "declare_from_message"
ADD_TO_TIMELINE = "add_to_timeline"
SHORTCUTS = frozenset({DECLARE_INCIDENT, DECLARE_FROM_MESSAGE, ADD_TO_TIMELINE})
# What an earlier version drew, or an older manifest offers: its name is in no table.
UNKNOWN = "unknown"
OFFERED = 50
# A trigger opens one dialog: where it has, the same request was delivered before.
# Source: https://docs.slack.dev/reference/methods/views.open#errors
TRIGGER_USED = "exchanged_trigger_id"
# Slack's own name for any private channel in the body of a request.
PRIVATE_CHANNEL = "privategroup"


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """One request of one person: who, where, and the ways to answer them.

    ``in_place``: the answer may take the place of the message that was clicked, because that
    message is an answer itself, seen by this person alone.
    """

    door: str
    workspace: str
    user: str
    channel: str | None = None
    channel_private: bool = False
    trigger: str = ""
    response_url: str | None = None
    in_place: bool = False

    @classmethod
    def by_command(cls, body: Mapping[str, Any]) -> Visit:
        """A slash command.

        Source: https://docs.slack.dev/interactivity/implementing-slash-commands
        """
        return cls(
            door="command",
            workspace=body["team_id"],
            user=body["user_id"],
            channel=body["channel_id"],
            channel_private=body.get("channel_name") == PRIVATE_CHANNEL,
            trigger=body.get("trigger_id", ""),
            response_url=body.get("response_url"),
        )

    @classmethod
    def by_click(cls, body: Mapping[str, Any], *, door: str = "click") -> Visit:
        """A button, a choice in a menu, a shortcut; what is not in a channel knows none.

        Source: https://docs.slack.dev/reference/interaction-payloads
        """
        channel = body.get("channel") or {}
        return cls(
            door=door,
            workspace=body["team"]["id"],
            user=body["user"]["id"],
            channel=channel.get("id"),
            channel_private=channel.get("name") == PRIVATE_CHANNEL,
            trigger=body.get("trigger_id", ""),
            response_url=body.get("response_url"),
            in_place=bool((body.get("container") or {}).get("is_ephemeral")),
        )

    @classmethod
    def by_form(cls, body: Mapping[str, Any]) -> Visit:
        """A submitted view. It knows no channel: that stands in the view's ``private_metadata``."""
        origin = dialogs.origin_of(body["view"])
        return cls(
            door="form",
            workspace=body["team"]["id"],
            user=body["user"]["id"],
            channel=origin.channel,
            channel_private=origin.channel_private,
            trigger=body.get("trigger_id", ""),
            response_url=origin.response_url or _chosen_url(body),
        )


def _chosen_url(body: Mapping[str, Any]) -> str | None:
    """The response_url of the channel that was chosen in a form, where it has such a choice."""
    urls = body.get("response_urls") or [{}]
    url = urls[0].get("response_url")
    return url if isinstance(url, str) else None


class Slack:
    """Bolt's listeners over the use cases. ``asgi`` is the door for HTTP mode, None without it.

    ``patience`` is how long an answer may take and still ride on the acknowledgement; after it
    the request is acknowledged at once and answered by its response_url.
    """

    def __init__(
        self,
        incidents: Incidents,
        people: People,
        client: AsyncWebClient,
        *,
        settings: Settings,
        clock: Callable[[], datetime],
        patience: timedelta,
        metrics: Metrics,
    ) -> None:
        self._incidents = incidents
        self._people = people
        self._client = client
        self._catalogue = settings.lifecycles
        self._groups = views.Groups(
            responders=settings.responders_group, publishers=settings.publishers_group
        )
        self._clock = clock
        self._patience = patience
        self._metrics = metrics
        self._app_token = settings.slack_app_token
        self._working: set[asyncio.Task[Any]] = set()
        self._sockets: tuple[Connection, ...] = ()
        token = settings.slack_bot_token

        async def authorize(enterprise_id: str | None, team_id: str | None) -> AuthorizeResult:
            # Asks Slack nothing: the bot starts and answers while Slack's API does not.
            return AuthorizeResult(enterprise_id=enterprise_id, team_id=team_id, bot_token=token)

        bolt = AsyncApp(
            name="ratchet",
            # Without the token: it would overrule ``authorize``.
            client=AsyncWebClient(base_url=settings.slack_api_url, retry_handlers=[]),
            authorize=authorize,
            # The acknowledgement can carry the answer, and "done" is never said before the commit.
            process_before_response=True,
            # The door has verified it.
            request_verification_enabled=False,
            raise_error_for_unhandled_request=True,
        )
        # Everything that Slack sends is taken: what means nothing to us is acknowledged all the
        # same, or Slack would show an error, or send it again.
        anything = re.compile("")
        bolt.command(anything)(self._on_command)
        bolt.action(anything)(self._on_click)
        bolt.view_submission(anything)(self._on_form)
        bolt.options(anything)(self._on_options)
        bolt.view_closed(anything)(self._on_nothing)
        bolt.shortcut(anything)(self._on_shortcut)
        bolt.event("app_home_opened")(self._on_home)
        bolt.event(anything)(self._on_nothing)
        bolt.error(self._on_error)
        self._bolt = bolt
        secret = settings.slack_signing_secret
        self.asgi = Door(self._dispatch, signing_secret=secret) if secret else None

    async def start(self) -> None:
        """Connects by Socket Mode where there is an app token; goes on trying by itself."""
        if self._app_token:
            self._sockets = tuple(
                Connection(self._bolt, self._dispatch, self._app_token) for _ in range(CONNECTIONS)
            )
            for socket in self._sockets:
                self._begin(socket.open())

    async def stop(self) -> None:
        """Takes no more requests, and finishes those that run."""
        await asyncio.gather(*(socket.close() for socket in self._sockets))
        await asyncio.gather(*self._working, return_exceptions=True)

    async def _dispatch(self, body: Mapping[str, Any], headers: Headers) -> BoltResponse:
        """The acknowledgement of a request, whatever shape it has; it never raises."""
        try:
            # By this mode it takes what is parsed already.
            asked = AsyncBoltRequest(body=dict(body), headers=dict(headers), mode="socket_mode")
            return await self._bolt.async_dispatch(asked)
        except Exception as error:  # noqa: BLE001 - the edge: nobody behind it would answer
            return await self._on_error(error, dict(body))

    async def _on_error(self, error: Exception, body: dict[str, Any]) -> BoltResponse:
        """The edge behind the edge: a body of no shape that we know ends here.

        Bolt would answer 500, which Slack shows as a failed command, or sends again. A form that is
        acknowledged with nothing would be closed, as if it had been saved.
        """
        reference = str(uuid4())
        log.error("request not understood", reference=reference, exc_info=error)
        told = views.failure(reference)
        if "command" in body:
            return BoltResponse(status=200, body={"response_type": "ephemeral", **told})
        if body.get("type") == "view_submission":
            view = dialogs.message_dialog(told)
            return BoltResponse(status=200, body={"response_action": "update", "view": view})
        url, trigger = body.get("response_url"), body.get("trigger_id")
        if isinstance(url, str) and url:
            self._begin(self._say(url, told, door="unknown"))
        elif isinstance(trigger, str) and trigger:
            self._begin(self._tell_in_dialog(trigger, told))
        return BoltResponse(status=200, body="")

    # --- the three kinds of requests -----------------------------------------------------------

    async def _on_command(self, ack: AsyncAck, body: dict[str, Any]) -> None:
        visit = Visit.by_command(body)
        started = monotonic()
        text = body.get("text", "")
        work = self._answered(visit, _verb(text), self._command(visit, text))
        task = self._started(work)
        if await self._ready(task, self._patience):
            reply = task.result().reply
            await (ack(response_type="ephemeral", **reply) if reply else ack())
        else:
            await ack()
            self._begin(self._send_later(visit, task))
        self._metrics.acknowledged.labels(visit.door).observe(monotonic() - started)

    async def _on_click(self, ack: AsyncAck, body: dict[str, Any]) -> None:
        # A click has nothing that the acknowledgement could carry.
        await ack()
        visit = Visit.by_click(body)
        action = body["actions"][0]
        if action["action_id"] == "preview":
            self._begin(self._preview(visit, body["view"]))
            return
        task = self._started(self._answered(visit, "press", self._click(visit, action)))
        self._begin(self._send_later(visit, task))

    async def _on_form(self, ack: AsyncAck, body: dict[str, Any]) -> None:
        view = body["view"]
        verb = _among(FORMS, view["callback_id"])
        visit = Visit.by_form(body)
        work = self._answered(visit, verb, self._form(visit, view))
        task = self._started(work)
        if not await self._ready(task, FORM_PATIENCE):
            await ack(response_action="update", view=dialogs.loading("Saving…"))
            self._begin(self._finish_form(visit, view, task))
            return
        ended = task.result()
        if ended.error is None:
            await ack()
            self._begin(self._send_later(visit, task))
        elif isinstance(ended.error, StaleStatus):
            dialog = await self._redrawn(visit, view, ended.error)
            await ack(response_action="update", view=dialog)
        elif isinstance(ended.error, UserError) and (
            errors := dialogs.dialog_errors(ended.error, view)
        ):
            await ack(response_action="errors", errors=errors)
        else:
            told = dialogs.refilled(view, ended.reply or {})
            await ack(response_action="update", view=told)

    async def _on_shortcut(self, ack: AsyncAck, body: dict[str, Any]) -> None:
        await ack()
        visit = Visit.by_click(body, door="shortcut")
        verb = _among(SHORTCUTS, body["callback_id"])
        work = self._shortcut(visit, verb, body.get("message") or {})
        task = self._started(self._answered(visit, verb, work))
        self._begin(self._send_later(visit, task))

    async def _on_home(self, ack: AsyncAck, body: dict[str, Any]) -> None:
        await ack()
        event = body["event"]
        if event.get("tab") == "home":
            visit = Visit(door="home", workspace=body["team_id"], user=event["user"])
            self._begin(self._publish_home(visit))

    async def _on_options(self, ack: AsyncAck) -> None:
        await ack(options=[])

    async def _on_nothing(self, ack: AsyncAck) -> None:
        await ack()

    # --- what they ask for ---------------------------------------------------------------------

    async def _actor(self, visit: Visit) -> Actor:
        return await self._people.actor(visit.workspace, visit.user, channel=visit.channel)

    async def _command(self, visit: Visit, text: str) -> Reply | None:
        actor = await self._actor(visit)
        request = parser.parse(
            text,
            actor=actor,
            catalogue=self._catalogue,
            new_id=uuid4(),
            channel_private=visit.channel_private,
        )
        return await self._do(visit, actor, request)

    async def _click(self, visit: Visit, action: Mapping[str, Any]) -> Reply | None:
        value = action.get("value") or (action.get("selected_option") or {}).get("value") or ""
        actor = await self._actor(visit)
        return await self._do(visit, actor, views.decode(value, actor=actor))

    async def _shortcut(
        self, visit: Visit, callback_id: str, message: Mapping[str, Any]
    ) -> Reply | None:
        if callback_id == UNKNOWN:
            raise parser.UsageError(
                "There is no such shortcut any more.",
                hint=f"`{parser.COMMAND}` shows what is open and what can be done.",
            )
        text = parser.plain_text(message.get("text") or "")
        if callback_id == ADD_TO_TIMELINE:
            await self._fill_later(visit, callback_id, self._note_dialog(visit, message, text))
            return None
        draft = parser.OpenDeclare(title=text.partition("\n")[0], description=text)
        await self._fill_later(visit, callback_id, self._declare_dialog(visit, draft))
        return None

    async def _declare_dialog(self, visit: Visit, draft: parser.OpenDeclare) -> Reply:
        self._incidents.admit(await self._actor(visit))
        return dialogs.declare_dialog(self._catalogue, origin=_origin(visit), draft=draft)

    async def _note_dialog(self, visit: Visit, message: Mapping[str, Any], text: str) -> Reply:
        actor = await self._actor(visit)
        here = await self._incidents.open_here(actor)
        everywhere = await self._incidents.board(actor, BoardFilter(), limit=OFFERED)
        others = [incident for incident in everywhere.items if incident not in here]
        if author := message.get("user"):
            text = f"{await self._people.name(visit.workspace, author)}: {text}"
        return dialogs.note_dialog([*here, *others], text, origin=_origin(visit))

    async def _form(self, visit: Visit, view: Mapping[str, Any]) -> Reply | None:
        actor = await self._actor(visit)
        request = self._submitted(view, actor)
        if isinstance(request, Declare) and request.private and request.place:
            # A form does not say what kind of channel was chosen in it, and a private incident's
            # card may stand in a private one alone.
            channel = request.place.channel
            private = visit.channel_private or await self._is_private(channel)
            request = replace(request, place=Place(channel, private=private))
        return await self._do(visit, actor, request)

    def _submitted(self, view: Mapping[str, Any], actor: Actor) -> parser.Request:
        match view["callback_id"]:
            case views.Dialog.UPDATE:
                return dialogs.update_form(view).command(actor)
            case views.Dialog.ASSIGN:
                return dialogs.assign_form(view, actor=actor)
            case views.Dialog.SEVERITY:
                return dialogs.severity_form(view, actor=actor)
            case views.Dialog.REDACT:
                return dialogs.redact_form(view, actor=actor)
            case dialogs.NOTE:
                return dialogs.note_form(view, actor=actor)
            case dialogs.DECLARE:
                return dialogs.declare_form(
                    view, actor=actor, catalogue=self._catalogue, new_id=uuid4()
                )
            case _:
                raise dialogs.unreadable()

    async def _is_private(self, channel: str) -> bool:
        try:
            found = await self._client.conversations_info(channel=channel)
        except (*UNREACHABLE, SlackApiError) as error:
            # Not known to be private: then no card of a private incident may stand there.
            log.info("channel not looked up", error=_code(error))
            return False
        return bool(found["channel"].get("is_private"))

    async def _do(self, visit: Visit, actor: Actor, request: views.Pressed) -> Reply | None:
        """The answer to ``request``; None where a dialog is the answer."""
        match request:
            case Declare() | Change() | TakeNextStep() | Acknowledge() | Redact():
                outcome = await self._incidents.execute(request, request=visit.trigger or None)
                return views.answer(outcome, at=self._clock())
            case parser.AssignTo():
                self._incidents.admit(actor)
                owner = await self._people.member(visit.workspace, request.user)
                return await self._do(visit, actor, request.to(owner))
            case parser.SetStatusChannel():
                workspace = await self._incidents.set_status_channel(
                    actor, request.channel, request=visit.trigger or None
                )
                return views.status_channel_set(workspace.status_channel or request.channel)
            case parser.OpenDeclare():
                self._incidents.admit(actor)
                dialog = dialogs.declare_dialog(
                    self._catalogue, origin=_origin(visit), draft=request
                )
                await self._open(visit.trigger, dialog)
                return None
            case views.OpenDialog():
                await self._fill_later(visit, request.dialog, self._dialog(visit, actor, request))
                return None
            case _:
                return await self._show(actor, request)

    async def _show(self, actor: Actor, request: Shown) -> Reply:
        at = self._clock()
        match request:
            case parser.ShowTray():
                here = await self._incidents.open_here(actor)
                everywhere = await self._incidents.board(actor, BoardFilter(scope=Scope.OPEN))
                return views.tray(here, everywhere, at=at)
            case parser.ShowBoard():
                page = await self._incidents.board(
                    actor, request.narrowed, before=request.before, after=request.after
                )
                return views.board(page, request, at=at)
            case parser.ShowCard():
                return views.card_for_you(await self._incidents.card(actor, request.ref), at=at)
            case parser.ShowTimeline():
                card, entries = await self._incidents.timeline(
                    actor, request.ref, before=request.before
                )
                return views.timeline(card, entries, at=at)
            case parser.ShowHelp():
                return views.help_for(request.verb)
            case _:
                assert_never(request)

    # --- dialogs -------------------------------------------------------------------------------

    async def _open(self, trigger: str, dialog: Reply) -> str | None:
        """Shows ``dialog`` and returns its id; None where the request has opened one already.

        Raises:
            DialogNotOpened: Slack did not take it, for whatever reason.
        """
        try:
            opened = await self._client.views_open(trigger_id=trigger, view=dialog)
        except (*UNREACHABLE, SlackApiError) as error:
            if _code(error) == TRIGGER_USED:
                return None
            log.warning("dialog not opened", error=_code(error))
            raise DialogNotOpened from error
        return str(opened["view"]["id"])

    async def _fill_later(
        self, visit: Visit, verb: str, work: Coroutine[Any, Any, Reply | None]
    ) -> None:
        """Opens a dialog before the store is asked: a trigger lives for three seconds."""
        try:
            view_id = await self._open(visit.trigger, dialogs.loading())
        except DialogNotOpened:
            work.close()
            raise
        if view_id is None:
            work.close()
            return
        drawn = await self._answered(visit, verb, work)
        dialog = drawn.reply or {}
        if drawn.error is not None:
            dialog = dialogs.message_dialog(dialog)
        await self._redraw(view_id, dialog)

    async def _dialog(self, visit: Visit, actor: Actor, asked: views.OpenDialog) -> Reply:
        origin = _origin(visit)
        if asked.dialog is views.Dialog.REDACT:
            card, entries = await self._incidents.timeline(actor, asked.ref)
            return dialogs.redact_dialog(card.incident, entries.items, origin=origin)
        incident = (await self._incidents.card(actor, asked.ref)).incident
        if asked.dialog is views.Dialog.ASSIGN:
            return dialogs.assign_dialog(incident, origin=origin)
        if asked.dialog is views.Dialog.SEVERITY:
            return dialogs.severity_dialog(incident, origin=origin)
        workspace = await self._incidents.workspace(actor)
        return dialogs.update_dialog(incident, workspace, origin=origin)

    async def _preview(self, visit: Visit, view: Mapping[str, Any]) -> None:
        """Draws the update dialog again, with what is typed so far in its preview line."""

        async def draw() -> Reply:
            actor = await self._actor(visit)
            form = dialogs.update_form(view)
            incident = (await self._incidents.card(actor, form.ref)).incident
            workspace = await self._incidents.workspace(actor)
            return dialogs.update_dialog(
                incident, workspace, origin=dialogs.origin_of(view), form=form
            )

        drawn = await self._answered(visit, "preview", draw())
        if drawn.error is None and drawn.reply:
            await self._redraw(view["id"], drawn.reply, seen=view.get("hash"))

    async def _redrawn(self, visit: Visit, view: Mapping[str, Any], stale: StaleStatus) -> Reply:
        """The dialog for where the incident is now, with everything that was typed."""
        if view["callback_id"] != views.Dialog.UPDATE:
            return dialogs.refilled(view, views.refusal(stale, at=self._clock()))
        return dialogs.update_dialog(
            stale.incident,
            await self._incidents.workspace(await self._actor(visit)),
            origin=dialogs.origin_of(view),
            form=dialogs.update_form(view),
            moved=stale.moved,
            at=self._clock(),
        )

    async def _finish_form(
        self, visit: Visit, view: Mapping[str, Any], task: asyncio.Task[Answer]
    ) -> None:
        """Ends a form whose saving took longer than its acknowledgement could wait."""
        ended = await task
        if ended.error is None:
            await self._redraw(view["id"], dialogs.message_dialog(ended.reply or {}))
        elif isinstance(ended.error, StaleStatus):
            await self._redraw(view["id"], await self._redrawn(visit, view, ended.error))
        else:
            await self._redraw(view["id"], dialogs.refilled(view, ended.reply or {}))

    async def _redraw(self, view_id: str, dialog: Reply, *, seen: str | None = None) -> None:
        """Puts ``dialog`` in the place of a view. ``seen``: only if it is still as it was seen."""
        try:
            await self._client.views_update(view_id=view_id, view=dialog, hash=seen)
        except (*UNREACHABLE, SlackApiError) as error:
            # The person closed it, or typed on: what was decided stands, and its card shows it.
            log.info("dialog not redrawn", error=_code(error))

    # --- answering -----------------------------------------------------------------------------

    async def _answered(
        self, visit: Visit, verb: str, work: Coroutine[Any, Any, Reply | None]
    ) -> Answer:
        """What ``work`` came to, with one line in the log and one count for it."""
        started = monotonic()
        ended = await answer(work, at=self._clock, groups=self._groups, mint=uuid4)
        self._metrics.requests.labels(visit.door, verb, ended.outcome).inc()
        log.info(
            "request",
            door=visit.door,
            verb=verb,
            workspace=visit.workspace,
            outcome=ended.outcome,
            reason=type(ended.error).__name__ if ended.error else None,
            duration_ms=round((monotonic() - started) * 1000, 1),
        )
        return ended

    async def _send_later(self, visit: Visit, task: asyncio.Task[Answer]) -> None:
        """Answers by the response_url: only the person who asked sees it."""
        ended = await task
        reply = ended.reply
        if visit.response_url is None:
            await self._show_in_view(visit, ended)
            return
        if reply is not None:
            await self._say(visit.response_url, reply, in_place=visit.in_place, door=visit.door)

    async def _say(self, url: str, reply: Reply, *, in_place: bool = False, door: str) -> None:
        """Says ``reply`` by a response_url, which is tried three times."""
        webhook = AsyncWebhookClient(url, session=self._client.session, timeout=5)
        for attempt in range(ANSWER_TRIES):
            try:
                said = await webhook.send(
                    response_type="ephemeral", replace_original=in_place, **reply
                )
            except UNREACHABLE:
                await asyncio.sleep(2**attempt)
                continue
            if said.status_code < 500 and said.status_code != 429:
                if said.status_code != 200:
                    log.warning("answer refused", status=said.status_code)
                return
            await asyncio.sleep(2**attempt)
        log.warning("answer not delivered", door=door)

    async def _show_in_view(self, visit: Visit, ended: Answer) -> None:
        """Answers where there is no message to answer to: in a dialog, and on the Home tab."""
        if ended.reply and visit.trigger:
            await self._tell_in_dialog(visit.trigger, ended.reply)
        await self._publish_home(visit)

    async def _tell_in_dialog(self, trigger: str, reply: Reply) -> None:
        with contextlib.suppress(DialogNotOpened):
            await self._open(trigger, dialogs.message_dialog(reply))

    async def _publish_home(self, visit: Visit) -> None:
        async def draw() -> Reply:
            actor = await self._actor(visit)
            page = await self._incidents.board(actor, BoardFilter())
            return views.home(page, at=self._clock())

        drawn = await self._answered(visit, "home", draw())
        view = drawn.reply or {}
        if drawn.error is not None:
            view = {"type": "home", "blocks": view["blocks"]}
        try:
            await self._client.views_publish(user_id=visit.user, view=view)
        except (*UNREACHABLE, SlackApiError) as error:
            log.info("home not published", error=_code(error))

    async def _ready(self, task: asyncio.Task[Answer], patience: timedelta) -> bool:
        done, _ = await asyncio.wait({task}, timeout=patience.total_seconds())
        return bool(done)

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        """Starts ``work``, which nobody waits for but a stop."""
        self._started(work).add_done_callback(_complain)

    def _started(self, work: Coroutine[Any, Any, Result]) -> asyncio.Task[Result]:
        """Starts ``work`` and keeps it, so that it is neither forgotten nor cut off by a stop."""
        task = asyncio.create_task(work)
        self._working.add(task)
        task.add_done_callback(self._working.discard)
        return task


def _complain(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (error := task.exception()):
        log.error("background work failed", exc_info=error)


class DialogNotOpened(UserError):
    """Slack took no dialog: its three seconds were over, or it does not answer."""

    def __init__(self) -> None:
        super().__init__(
            "Slack did not open the dialog in time, and nothing was changed. Try once more; "
            f"`{parser.COMMAND} help` shows the commands that do the same."
        )


def _verb(text: str) -> str:
    """The verb's name for logs and metrics: one of the table's, never what was typed."""
    word = text.split(maxsplit=1)[:1]
    try:
        return parser.find_verb(word[0]).name if word else "tray"
    except parser.UsageError:
        return UNKNOWN


def _among(known: frozenset[str], name: object) -> str:
    """``name`` where it is one that we know: what goes into logs and metrics is never a text."""
    return name if isinstance(name, str) and name in known else UNKNOWN


def _origin(visit: Visit) -> dialogs.Origin:
    return dialogs.Origin(
        channel=visit.channel,
        channel_private=visit.channel_private,
        response_url=visit.response_url,
    )


def _code(error: Exception) -> str:
    return code_of(error) if isinstance(error, SlackApiError) else "unreachable"
