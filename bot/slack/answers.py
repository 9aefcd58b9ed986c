"""The way of an answer: from the end of a request to a message, a dialog or the Home tab.

Exceptions end here: a person always gets an answer, the operator a line in the log.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from dataclasses import dataclass
from datetime import datetime
from time import monotonic
from typing import Any
from uuid import uuid4

from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.web.async_client import AsyncWebClient

from bot.slack import dialogs, refusals, response_url
from bot.slack.blocks import Json
from bot.slack.buttons import in_the_same_place
from bot.slack.interaction import Interaction
from bot.slack.people import UNREACHABLE
from bot.slack.verbs import COMMAND
from bot.slack.web import code_of
from bot.telemetry import Metrics, log
from core.errors import UserError
from core.store import StoreUnavailable

# A trigger opens one dialog. This error says that it has: the request was delivered before.
# Source: https://docs.slack.dev/reference/methods/views.open#errors
TRIGGER_USED = "exchanged_trigger_id"
# Refusals of views.update: the view is closed, or its reader typed on; no retry helps.
# Source: https://docs.slack.dev/reference/methods/views.update#errors
CLOSED = frozenset({"hash_conflict", "not_found"})
FINAL = frozenset({"duplicate_external_id", "invalid_arguments", "view_too_large"})
REDRAW_AFTER_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Conclusion:
    """The end of a request: done, refused or failed (``outcome``), and the reply to the person.

    ``reply`` None: a dialog is the answer. ``error`` is the reason of a refusal or a failure.
    ``offers``: the reply has buttons with everything that was typed.
    """

    reply: Json | None
    outcome: str
    error: Exception | None = None
    offers: bool = False


class DialogNotOpened(UserError):
    """Slack did not open a dialog: its three seconds were over, or it does not answer."""

    def __init__(self) -> None:
        super().__init__(
            "Slack did not open the dialog in time, and nothing was changed. Try once more; "
            f"`{COMMAND} help` shows the commands that do the same."
        )


class Carried(Exception):
    """A refusal, ``cause``, whose answer is drawn already: it offers what was asked for."""

    def __init__(self, cause: UserError, reply: Json) -> None:
        super().__init__()
        self.cause = cause
        self.reply = reply


class Answers:
    """Sends answers with ``client``."""

    def __init__(
        self,
        client: AsyncWebClient,
        *,
        clock: Callable[[], datetime],
        metrics: Metrics,
    ) -> None:
        self._client = client
        self._clock = clock
        self._metrics = metrics

    async def conclude(
        self, interaction: Interaction, verb: str, work: Awaitable[Json | None]
    ) -> Conclusion:
        """The end of ``work``, with one line in the log and one count for it. Never raises."""
        started = monotonic()
        ended = await self._end(interaction, work)
        self._metrics.requests.labels(interaction.door, verb, ended.outcome).inc()
        log.info(
            "request",
            door=interaction.door,
            verb=verb,
            workspace=interaction.workspace,
            outcome=ended.outcome,
            reason=type(ended.error).__name__ if ended.error else None,
            duration_ms=round((monotonic() - started) * 1000, 1),
        )
        return ended

    def refusal(self, interaction: Interaction, error: UserError) -> Json:
        """The answer to ``error``, without what was typed."""
        return refusals.refusal(error, at=self._clock(), reader=interaction.user)

    async def _end(self, interaction: Interaction, work: Awaitable[Json | None]) -> Conclusion:
        try:
            return Conclusion(await work, "done")
        except Carried as carried:
            return Conclusion(carried.reply, "refused", carried.cause, offers=True)
        except UserError as error:
            return Conclusion(self.refusal(interaction, error), "refused", error)
        except Exception as error:  # noqa: BLE001 - the edge: no caller behind it would answer
            # The person gets the reference, and not the error's text, which may quote a note.
            reference = str(uuid4())
            log.error("request failed", reference=reference, exc_info=error)
            unsure = isinstance(error, StoreUnavailable) and error.unsure
            return Conclusion(refusals.failure(reference, unsure=unsure), "failed", error)

    # --- messages --------------------------------------------------------------------------------

    async def say(self, interaction: Interaction, reply: Json | None) -> None:
        """Shows ``reply`` only to the person: as a message, otherwise in a dialog.

        A dialog that is open already is redrawn, so that pages of a list follow in one place.

        A response_url lives for half an hour and takes five posts. A dialog may be sent later.
        """
        if reply is None:
            return
        if interaction.in_place:
            reply = in_the_same_place(reply, at=self._clock())
        if interaction.response_url:
            taken = await response_url.post(
                interaction.response_url,
                reply,
                in_place=interaction.in_place,
                door=interaction.door,
                session=self._client.session,
            )
            if not taken:
                await self._say_without_url(interaction, reply)
        elif interaction.view:
            await self.redraw(interaction.view, dialogs.message_dialog(reply))
        elif interaction.trigger:
            with contextlib.suppress(DialogNotOpened):
                await self.open(interaction, dialogs.message_dialog(reply))

    async def _whispered(self, channel: str, interaction: Interaction, reply: Json) -> bool:
        """Whether the person sees ``reply`` in ``channel``, of which the bot must be a member."""
        try:
            await self._client.chat_postEphemeral(channel=channel, user=interaction.user, **reply)
        except SlackApiError as error:
            log.info("not said in the channel", error=error_code(error))
            return False
        return True

    async def _say_without_url(self, interaction: Interaction, reply: Json) -> None:
        """Shows ``reply`` only to the person, in the channel or as a direct message."""
        if not interaction.user:
            return
        try:
            place = interaction.place
            if place and await self._whispered(place.channel, interaction, reply):
                return
            await self._client.chat_postMessage(channel=interaction.user, **_unlinked(reply))
        except (*UNREACHABLE, SlackApiError) as error:
            log.warning("answer not delivered", door=interaction.door, error=error_code(error))

    async def send_file(self, user: str, comment: str, *, name: str, text: str) -> str | None:
        """Sends ``text`` as a file to the person alone, under the sentence ``comment``.

        None, or the name of the error for which Slack did not take it.
        """
        try:
            # The message opens the direct message; its answer has the id that a file needs.
            told = await self._client.chat_postMessage(channel=user, text=comment)
            await self._client.files_upload_v2(
                channel=str(told["channel"]), filename=name, title=name, content=text
            )
        except (*UNREACHABLE, SlackApiError) as error:
            refused = error_code(error)
        except SlackClientError:
            # An answer to the upload itself. The error quotes it, so it is dropped.
            refused = "upload_refused"
        else:
            return None
        log.warning("file not sent", error=refused)
        return refused

    async def publish_home(self, user: str, drawn: Conclusion) -> None:
        """Shows the Home tab that was drawn, or the reason why it could not be drawn."""
        view = drawn.reply or {}
        if drawn.error is not None:
            view = {"type": "home", "blocks": view["blocks"]}
        try:
            await self._client.views_publish(user_id=user, view=view)
        except (*UNREACHABLE, SlackApiError) as error:
            log.info("home not published", error=error_code(error))

    # --- dialogs ---------------------------------------------------------------------------------

    async def open(self, interaction: Interaction, dialog: Json) -> str | None:
        """Opens ``dialog`` and returns its id; None for a request that has opened one already.

        Above a dialog it is put on top, and the one below comes back when it closes.

        Raises:
            DialogNotOpened: Slack did not open it, for any reason.
        """
        try:
            show = self._client.views_push if interaction.view else self._client.views_open
            opened = await show(trigger_id=interaction.trigger, view=dialog)
        except (*UNREACHABLE, SlackApiError) as error:
            if error_code(error) == TRIGGER_USED:
                return None
            log.warning("dialog not opened", error=error_code(error))
            raise DialogNotOpened from error
        return str(opened["view"]["id"])

    async def open_and_fill(
        self, interaction: Interaction, verb: str, work: Coroutine[Any, Any, Json]
    ) -> None:
        """Opens a dialog at once, and fills it with the view that ``work`` draws.

        A trigger lives for three seconds, which the store might need.

        Raises:
            DialogNotOpened: Slack did not open it, for any reason.
        """
        with contextlib.closing(work):
            view_id = await self.open(interaction, dialogs.loading())
            if view_id is None:
                return
            drawn = await self.conclude(interaction, verb, work)
        dialog = drawn.reply or {}
        if drawn.error is not None:
            dialog = dialogs.message_dialog(dialog)
        if not await self.redraw(view_id, dialog):
            raise DialogNotOpened

    async def redraw(self, view_id: str, dialog: Json) -> bool:
        """Replaces a view by ``dialog``; False if it still shows what it showed.

        Unless Slack's refusal is final, it is tried once more: otherwise a dialog that waits for
        its content would wait for good.
        """
        final = await self._redrawn(view_id, dialog)
        if final is None:
            await asyncio.sleep(REDRAW_AFTER_SECONDS)
            final = await self._redrawn(view_id, dialog)
        return bool(final)

    async def redraw_typed(
        self, view_id: str, dialog: Json, known: Iterable[str | None]
    ) -> str | None:
        """Redraws a dialog in which somebody types; its new hash, or None if it stays as it was.

        ``known`` are the hashes that it may have. If it has another, somebody else drew it.
        """
        for seen in known:
            try:
                updated = await self._client.views_update(view_id=view_id, view=dialog, hash=seen)
            except (*UNREACHABLE, SlackApiError) as error:
                log.info("dialog not redrawn", error=error_code(error))
                continue
            return str(updated["view"]["hash"])
        return None

    async def _redrawn(self, view_id: str, dialog: Json) -> bool | None:
        """Whether the dialog is redrawn, or gone for its reader; None if a retry may help."""
        try:
            await self._client.views_update(view_id=view_id, view=dialog)
        except (*UNREACHABLE, SlackApiError) as error:
            code = error_code(error)
            log.info("dialog not redrawn", error=code)
            # The person closed it, or typed on. The card shows the change all the same.
            return code in CLOSED or (False if code in FINAL else None)
        return True


def _unlinked(reply: Json) -> Json:
    """``reply`` for ``chat.postMessage``, without previews of its links."""
    return {"unfurl_links": False, "unfurl_media": False, **reply}


def error_code(error: Exception) -> str:
    """The name of a failed call's error, for the log."""
    return code_of(error) if isinstance(error, SlackApiError) else "unreachable"
