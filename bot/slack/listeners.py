"""Bolt's listeners: they take every request of Slack's and acknowledge it within three seconds.

They are few, because Bolt looks them up one after another; a button's value says what it asks for.
Nothing here posts to a channel: only the worker does.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from time import monotonic
from typing import Any, TypeVar
from uuid import uuid4

from slack_bolt.async_app import AsyncAck, AsyncApp
from slack_bolt.authorization import AuthorizeResult
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_bolt.response import BoltResponse
from slack_sdk.web.async_client import AsyncWebClient

from bot.settings import Settings
from bot.slack import dialogs, verbs
from bot.slack.actions import SHORTCUTS, Actions
from bot.slack.answers import Answers, Conclusion
from bot.slack.blocks import Json
from bot.slack.curating import Arranging, Pages
from bot.slack.door import Door, Headers
from bot.slack.forms import CALLBACK_IDS, PAGE, field_errors
from bot.slack.interaction import Interaction
from bot.slack.people import People
from bot.slack.previews import Previews
from bot.slack.refusals import failure
from bot.slack.sockets import CONNECTIONS, SocketConnection
from bot.slack.subscribing import SubscribedChannels
from bot.slack.updating import PREVIEW
from bot.slack.workspaces import Workspaces
from bot.telemetry import Metrics, log
from core.catching import CatchUps
from core.configuring import SettingsBook
from core.drafting import DraftBook, DraftGone
from core.refusals import TooSoon
from core.service import Incidents
from core.subscribing import Subscribing

Result = TypeVar("Result")
# Retries the messages that could not be posted, by the ids of workspace and channel.
Revive = Callable[[str, str], Coroutine[Any, Any, None]]

# A form is answered only by its acknowledgement, so it may take nearly Slack's three seconds.
FORM_PATIENCE = timedelta(seconds=2)
# Events after which the bot may be able to post in a channel.
CURED = ("member_joined_channel", "channel_unarchive", "group_unarchive")
# The label of a request from an earlier version's button or an older manifest.
UNKNOWN = "unknown"


class SlackListeners:
    """The entry point of Slack. ``asgi`` serves HTTP mode, and is None without a signing secret.

    ``revive`` retries the messages that could not be posted in a channel. A command that takes
    longer than ``patience`` is acknowledged without its answer, which follows by its response_url.
    """

    def __init__(
        self,
        incidents: Incidents,
        people: People,
        client: AsyncWebClient,
        drafts: DraftBook,
        book: SettingsBook,
        *,
        pages: Pages,
        catch_ups: CatchUps,
        subscribing: Subscribing,
        settings: Settings,
        clock: Callable[[], datetime],
        patience: timedelta,
        metrics: Metrics,
        revive: Revive,
    ) -> None:
        self._revive = revive
        self._answers = Answers(client, clock=clock, metrics=metrics)
        arranging = Arranging(pages, self._answers, clock=clock)
        self._actions = Actions(
            incidents,
            people,
            client,
            self._answers,
            drafts,
            catch_ups=catch_ups,
            catalogue=settings.lifecycles,
            templates=settings.templates,
            workspaces=Workspaces(
                incidents,
                book,
                people,
                client,
                catalogue=settings.lifecycles,
                defaults=settings.workspace,
                page_line=arranging.line,
            ),
            arranging=arranging,
            subscribed=SubscribedChannels(
                subscribing, client, self._answers, revive=revive, clock=clock
            ),
            clock=clock,
        )
        self._previews = Previews(self._preview, self._answers)
        self._patience = patience
        self._metrics = metrics
        self._app_token = settings.slack_app_token
        self._working: set[asyncio.Task[Any]] = set()
        self._sockets: tuple[SocketConnection, ...] = ()
        self._bolt = self._listening(settings)
        secret = settings.slack_signing_secret
        self.asgi = Door(self._dispatch, signing_secret=secret) if secret else None

    def _listening(self, settings: Settings) -> AsyncApp:
        token = settings.slack_bot_token

        async def authorize(enterprise_id: str | None, team_id: str | None) -> AuthorizeResult:
            # Without a call to Slack, so that the bot starts and answers while Slack's API is down.
            return AuthorizeResult(enterprise_id=enterprise_id, team_id=team_id, bot_token=token)

        bolt = AsyncApp(
            name="ratchet",
            # A token here would overrule ``authorize``.
            client=AsyncWebClient(base_url=settings.slack_api_url, retry_handlers=[]),
            authorize=authorize,
            # The acknowledgement can carry the answer, and "done" is never said before the commit.
            process_before_response=True,
            # `Door` has verified the request.
            request_verification_enabled=False,
            raise_error_for_unhandled_request=True,
        )
        # A request that means nothing to us is acknowledged as well. Otherwise Slack would show an
        # error, or deliver it once more.
        anything = re.compile("")
        bolt.command(anything)(self._on_command)
        bolt.action(re.compile(f"^{PREVIEW}(:|$)"))(self._on_preview)
        bolt.action(anything)(self._on_click)
        bolt.view_submission(anything)(self._on_form)
        bolt.options(anything)(self._on_options)
        bolt.view_closed(anything)(self._on_nothing)
        bolt.shortcut(anything)(self._on_shortcut)
        bolt.event("app_home_opened")(self._on_home)
        for cured in CURED:
            bolt.event(cured)(self._on_cured)
        bolt.event(anything)(self._on_nothing)
        bolt.error(self._on_error)
        return bolt

    async def start(self) -> None:
        """Connects by Socket Mode if there is an app token; each connection retries by itself."""
        if self._app_token:
            self._sockets = tuple(
                SocketConnection(self._bolt, self._dispatch, self._app_token)
                for _ in range(CONNECTIONS)
            )
            for socket in self._sockets:
                self._begin(socket.open())

    async def stop(self) -> None:
        """Takes no more requests, and finishes the work that was begun."""
        await asyncio.gather(*(socket.close() for socket in self._sockets))
        self._previews.stop()
        await asyncio.gather(*self._working, return_exceptions=True)

    async def _dispatch(self, body: Mapping[str, Any], headers: Headers) -> BoltResponse:
        """The acknowledgement of a request of any shape; it never raises."""
        try:
            # In this mode Bolt takes a parsed body.
            request = AsyncBoltRequest(body=dict(body), headers=dict(headers), mode="socket_mode")
            return await self._bolt.async_dispatch(request)
        except Exception as error:  # noqa: BLE001 - the edge: no caller behind it would answer
            return await self._on_error(error, dict(body))

    async def _on_error(self, error: Exception, body: dict[str, Any]) -> BoltResponse:
        """Answers a body of a shape that we do not know.

        Bolt would answer 500, which Slack shows as a failed command, or delivers once more. An
        empty acknowledgement would close a form as if it had been saved.
        """
        reference = str(uuid4())
        log.error("request not understood", reference=reference, exc_info=error)
        told = failure(reference)
        if "command" in body:
            return BoltResponse(status=200, body={"response_type": "ephemeral", **told})
        if body.get("type") == "view_submission":
            view = dialogs.message_dialog(told)
            return BoltResponse(status=200, body={"response_action": "update", "view": view})
        self._begin(self._answers.say(Interaction.of_any_shape(body), told))
        return BoltResponse(status=200, body="")

    # --- requests ------------------------------------------------------------------------------

    async def _on_command(self, ack: AsyncAck, body: dict[str, Any]) -> None:
        started = monotonic()
        interaction = Interaction.by_command(body)
        text = body.get("text", "")
        task = self._concluding(interaction, _verb(text), self._actions.command(interaction, text))
        if await _ready(task, self._patience):
            reply = task.result().reply
            await (ack(response_type="ephemeral", **reply) if reply else ack())
        else:
            await ack()
            self._begin(self._answer_later(interaction, task))
        self._metrics.acknowledged.labels(interaction.door).observe(monotonic() - started)

    async def _on_click(self, ack: AsyncAck, body: dict[str, Any]) -> None:
        # The acknowledgement of a click cannot carry an answer.
        await ack()
        interaction = Interaction.by_click(body)
        work = self._actions.click(interaction, body["actions"][0])
        task = self._concluding(interaction, "press", work)
        self._begin(self._answer_later(interaction, task))

    async def _on_preview(self, ack: AsyncAck, body: dict[str, Any]) -> None:
        await ack()
        interaction, view = Interaction.by_click(body), body["view"]
        typed_at = _seconds(body["actions"][0].get("action_ts"))
        self._begin(self._previews.typed(interaction, view, typed_at=typed_at))

    async def _on_form(self, ack: AsyncAck, body: dict[str, Any]) -> None:
        view = body["view"]
        interaction = Interaction.by_form(body)
        work = self._actions.form(interaction, view)
        task = self._concluding(interaction, _known(CALLBACK_IDS, view["callback_id"]), work)
        if not await _ready(task, FORM_PATIENCE):
            await ack(response_action="update", view=dialogs.loading("Saving…"))
            self._begin(self._finish_form(interaction, view, task))
            return
        ended = task.result()
        if ended.error is None and view["callback_id"] == PAGE and interaction.view:
            # The dialog below is that of the settings, which keeps what is chosen in it.
            await ack(response_action="update", view=dialogs.message_dialog(ended.reply or {}))
        elif ended.error is None:
            await ack()
            self._begin(self._answer_later(interaction, task))
        elif not ended.offers and (errors := field_errors(ended.error, view)):
            await ack(response_action="errors", errors=errors)
        else:
            dialog = await self._actions.corrected(interaction, view, ended)
            await ack(response_action="update", view=dialog)

    async def _on_shortcut(self, ack: AsyncAck, body: dict[str, Any]) -> None:
        await ack()
        interaction = Interaction.by_click(body, door="shortcut")
        name = _known(SHORTCUTS, body["callback_id"])
        work = self._actions.shortcut(interaction, name, body.get("message") or {})
        task = self._concluding(interaction, name, work)
        self._begin(self._answer_later(interaction, task))

    async def _on_home(self, ack: AsyncAck, body: dict[str, Any]) -> None:
        await ack()
        if body["event"].get("tab") == "home":
            self._begin(self._publish_home(Interaction.by_home(body)))

    async def _on_cured(self, ack: AsyncAck, body: dict[str, Any]) -> None:
        """The bot may post in a channel from now on: what waits for that is sent."""
        await ack()
        event = body["event"]
        bots = {one.get("user_id") for one in body.get("authorizations") or ()}
        if event["type"] != "member_joined_channel" or not bots or event.get("user") in bots:
            self._begin(self._revive(body["team_id"], event["channel"]))

    async def _on_options(self, ack: AsyncAck) -> None:
        await ack(options=[])

    async def _on_nothing(self, ack: AsyncAck) -> None:
        await ack()

    # --- work after the acknowledgement ----------------------------------------------------------

    async def _answer_later(self, interaction: Interaction, task: asyncio.Task[Conclusion]) -> None:
        ended = await task
        if isinstance(ended.error, DraftGone | TooSoon):
            # The message holds the only copy of what was typed, or buttons that are still true: the
            # answer stands beside it.
            interaction = replace(interaction, in_place=False)
        await self._answers.say(interaction, ended.reply)
        if interaction.response_url is None:
            # Clicked on the Home tab, or in a dialog above it.
            await self._publish_home(interaction)

    async def _finish_form(
        self, interaction: Interaction, view: Mapping[str, Any], task: asyncio.Task[Conclusion]
    ) -> None:
        """Ends a form that could not be saved before its acknowledgement."""
        ended = await task
        if ended.error is None:
            dialog = dialogs.message_dialog(ended.reply or {})
        else:
            dialog = await self._actions.corrected(interaction, view, ended)
        if not await self._answers.redraw(view["id"], dialog):
            await self._answers.say(interaction, ended.reply)

    async def _preview(self, interaction: Interaction, view: Mapping[str, Any]) -> Conclusion:
        work = self._actions.preview(interaction, view)
        return await self._answers.conclude(interaction, "preview", work)

    async def _publish_home(self, interaction: Interaction) -> None:
        work = self._actions.home(interaction)
        drawn = await self._answers.conclude(interaction, "home", work)
        await self._answers.publish_home(interaction.user, drawn)

    def _concluding(
        self, interaction: Interaction, verb: str, work: Coroutine[Any, Any, Json | None]
    ) -> asyncio.Task[Conclusion]:
        return self._started(self._answers.conclude(interaction, verb, work))

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        """Starts ``work``. Only a stop waits for its end."""
        self._started(work).add_done_callback(_complain)

    def _started(self, work: Coroutine[Any, Any, Result]) -> asyncio.Task[Result]:
        """Starts ``work``, and keeps the task: asyncio forgets one that nothing refers to."""
        task = asyncio.create_task(work)
        self._working.add(task)
        task.add_done_callback(self._working.discard)
        return task


def _complain(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (error := task.exception()):
        log.error("background work failed", exc_info=error)


async def _ready(task: asyncio.Task[Any], patience: timedelta) -> bool:
    done, _ = await asyncio.wait({task}, timeout=patience.total_seconds())
    return bool(done)


def _seconds(ts: object) -> float:
    """Slack's time of an action, ``1548426417.840180``; 0 if there is none."""
    try:
        return float(str(ts))
    except ValueError:
        return 0.0


def _verb(text: str) -> str:
    """The verb's name for logs and metrics, which never hold a typed word."""
    word = "".join(text.split(maxsplit=1)[:1])
    verb = verbs.find(word)
    return verb.name if verb else UNKNOWN if word else "tray"


def _known(names: frozenset[str], name: object) -> str:
    """``name`` for logs and metrics, if it is one of ``names``."""
    return name if isinstance(name, str) and name in names else UNKNOWN
