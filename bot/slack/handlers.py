"""The Slack door: takes commands, clicks and forms, and answers each within Slack's three seconds.

Listeners are few, because Bolt looks them up one after another; what a button asks for stands in
its value. Nothing here posts to a channel: that is the worker's alone.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from time import monotonic
from typing import Any, assert_never
from uuid import uuid4

import aiohttp
from slack_bolt.adapter.asgi.async_handler import AsyncSlackRequestHandler
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncAck, AsyncApp
from slack_bolt.authorization import AuthorizeResult
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.webhook.async_client import AsyncWebhookClient

from bot.settings import Settings
from bot.slack import parser, views
from bot.slack.errors import Answer, Reply, answer
from bot.slack.people import UNREACHABLE, People
from bot.telemetry import Metrics, log
from core.errors import InvalidField
from core.incident import (
    Acknowledge,
    Actor,
    BoardFilter,
    Change,
    Declare,
    Redact,
    Scope,
    TakeNextStep,
)
from core.service import Incidents

# A form is answered by its acknowledgement alone, so it is waited for nearly as long as Slack does.
FORM_PATIENCE = timedelta(seconds=2)
ANSWER_TRIES = 3
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
        """Source: https://docs.slack.dev/interactivity/implementing-slash-commands"""
        return cls(
            door="command",
            workspace=body["team_id"],
            user=body["user_id"],
            channel=body["channel_id"],
            channel_private=body.get("channel_name") == PRIVATE_CHANNEL,
            trigger=body["trigger_id"],
            response_url=body["response_url"],
        )

    @classmethod
    def by_click(cls, body: Mapping[str, Any]) -> Visit:
        """Source: https://docs.slack.dev/reference/interaction-payloads/block_actions-payload"""
        channel = body.get("channel") or {}
        return cls(
            door="click",
            workspace=body["team"]["id"],
            user=body["user"]["id"],
            channel=channel.get("id"),
            channel_private=channel.get("name") == PRIVATE_CHANNEL,
            trigger=body["trigger_id"],
            response_url=body.get("response_url"),
            in_place=bool((body.get("container") or {}).get("is_ephemeral")),
        )

    @classmethod
    def by_form(cls, body: Mapping[str, Any]) -> Visit:
        """A submitted view. It knows no channel: that stands in the view's ``private_metadata``."""
        origin = views.context_of(body["view"])
        return cls(
            door="form",
            workspace=body["team"]["id"],
            user=body["user"]["id"],
            channel=origin.channel,
            channel_private=origin.channel_private,
            response_url=origin.response_url,
        )


class Slack:
    """Bolt's listeners over the use cases. ``asgi`` is the door for HTTP mode.

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
        self._operators_channel = settings.status_channel
        self._groups = views.Groups(
            responders=settings.responders_group, publishers=settings.publishers_group
        )
        self._clock = clock
        self._patience = patience
        self._metrics = metrics
        self._app_token = settings.slack_app_token
        self._working: set[asyncio.Task[Any]] = set()
        self._socket: AsyncSocketModeHandler | None = None
        token = settings.slack_bot_token

        async def authorize(enterprise_id: str | None, team_id: str | None) -> AuthorizeResult:
            # Asks Slack nothing: the bot starts and answers while Slack's API does not.
            return AuthorizeResult(enterprise_id=enterprise_id, team_id=team_id, bot_token=token)

        bolt = AsyncApp(
            name="ratchet",
            client=client,
            signing_secret=settings.slack_signing_secret or "",
            authorize=authorize,
            # The acknowledgement can carry the answer, and "done" is never said before the commit.
            process_before_response=True,
        )
        bolt.command(parser.COMMAND)(self._on_command)
        bolt.action(views.ACTION_ID)(self._on_click)
        bolt.view(re.compile(".*"))(self._on_form)
        self._bolt = bolt
        self.asgi = AsyncSlackRequestHandler(bolt, path="/slack/events")

    async def start(self) -> None:
        """Connects by Socket Mode where there is an app token; goes on trying by itself."""
        if self._app_token:
            self._socket = AsyncSocketModeHandler(self._bolt, self._app_token)
            self._begin(self._socket.connect_async())

    async def stop(self) -> None:
        """Takes no more requests, and finishes those that run."""
        if self._socket:
            await self._socket.close_async()
        await asyncio.gather(*self._working, return_exceptions=True)

    # --- the three kinds of requests -----------------------------------------------------------

    async def _on_command(self, ack: AsyncAck, body: dict[str, Any]) -> None:
        visit = Visit.by_command(body)
        started = monotonic()
        task = self._begin(self._answered(visit, self._command(visit, body.get("text", ""))))
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
        work = (
            self._preview(visit, body)
            if action["action_id"] == "preview"
            else self._click(visit, action)
        )
        self._begin(self._send_later(visit, self._begin(self._answered(visit, work))))

    async def _on_form(self, ack: AsyncAck, body: dict[str, Any]) -> None:
        visit = Visit.by_form(body)
        view = body["view"]
        task = self._begin(self._answered(visit, self._form(visit, view)))
        if not await self._ready(task, FORM_PATIENCE):
            await ack(response_action="update", view=views.loading("Saving…"))
            self._begin(self._finish_form(visit, view, task))
            return
        ended = task.result()
        if ended.error is None:
            await ack()
            self._begin(self._send_later(visit, task))
        elif dialog := await self._redrawn(visit, view, ended):
            await ack(response_action="update", view=dialog)
        else:
            await ack(response_action="errors", errors=views.dialog_errors(ended.error, view))

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

    async def _form(self, visit: Visit, view: Mapping[str, Any]) -> Reply | None:
        actor = await self._actor(visit)
        match view["callback_id"]:
            case "declare":
                request = views.declare_form(
                    view, actor=actor, catalogue=self._catalogue, new_id=uuid4()
                )
            case "update":
                request = views.update_form(view).command(actor)
            case "assign":
                request = views.assign_form(view, actor=actor)
            case "severity":
                request = views.severity_form(view, actor=actor)
            case "redact":
                request = views.redact_form(view, actor=actor)
            case _:
                return None
        return await self._do(visit, actor, request)

    async def _do(self, visit: Visit, actor: Actor, request: views.Pressed) -> Reply | None:
        """The answer to ``request``; None where a dialog is the answer."""
        at = self._clock()
        match request:
            case Declare() | Change() | TakeNextStep() | Acknowledge() | Redact():
                return views.answer(await self._incidents.execute(request), at=at)
            case parser.AssignTo():
                owner = await self._people.member(visit.workspace, request.user)
                return views.answer(await self._incidents.execute(request.to(owner)), at=at)
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
            case parser.SetStatusChannel():
                return await self._set_status_channel(actor, request.channel)
            case parser.OpenDeclare():
                dialog = views.declare_dialog(self._catalogue, origin=_origin(visit), draft=request)
                await self._client.views_open(trigger_id=visit.trigger, view=dialog)
                return None
            case views.OpenDialog():
                return await self._open(visit, actor, request)
            case _:
                assert_never(request)

    async def _set_status_channel(self, actor: Actor, channel: str) -> Reply:
        if self._operators_channel:
            raise InvalidField("status_channel", "is set by the operator, in STATUS_CHANNEL")
        await self._incidents.set_status_channel(actor, channel)
        return views.status_channel_set(channel)

    # --- dialogs -------------------------------------------------------------------------------

    async def _open(self, visit: Visit, actor: Actor, asked: views.OpenDialog) -> None:
        """Opens a dialog before the store is asked: a trigger lives for three seconds."""
        opened = await self._client.views_open(trigger_id=visit.trigger, view=views.loading())
        drawn = await answer(
            self._dialog(visit, actor, asked), at=self._clock, groups=self._groups, mint=uuid4
        )
        dialog = drawn.reply if drawn.error is None else views.message_dialog(drawn.reply)
        await self._client.views_update(view_id=opened["view"]["id"], view=dialog)

    async def _dialog(self, visit: Visit, actor: Actor, asked: views.OpenDialog) -> Reply:
        origin = _origin(visit)
        match asked.dialog:
            case views.Dialog.UPDATE:
                incident = (await self._incidents.card(actor, asked.ref)).incident
                return views.update_dialog(incident, origin=origin)
            case views.Dialog.ASSIGN:
                incident = (await self._incidents.card(actor, asked.ref)).incident
                return views.assign_dialog(incident, origin=origin)
            case views.Dialog.SEVERITY:
                incident = (await self._incidents.card(actor, asked.ref)).incident
                return views.severity_dialog(incident, origin=origin)
            case views.Dialog.REDACT:
                card, entries = await self._incidents.timeline(actor, asked.ref)
                return views.redact_dialog(card.incident, entries.items, origin=origin)
            case _:
                assert_never(asked.dialog)
