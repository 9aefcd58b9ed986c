"""The settings of a workspace in Slack: read for every request, shown to admins, and saved."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from slack_sdk.web.async_client import AsyncWebClient

from bot.slack import inputs, places, setup, views
from bot.slack.answers import Carried
from bot.slack.blocks import Json
from bot.slack.interaction import Interaction
from bot.slack.messages import Names
from bot.slack.people import People
from bot.slack.requests import SaveSettings, SetStatusChannel
from bot.slack.subscriptions import ended_by_setup
from bot.telemetry import log
from core.boards import BoardFilter, Scope
from core.configuring import Configuration, SettingsBook
from core.errors import InvalidField, UnknownLifecycle
from core.incident import Actor
from core.lifecycle import Catalogue
from core.service import Incidents
from core.settings import NONE, Setting
from core.store import StoreUnavailable
from core.workspace import Workspace, WorkspaceSettings

# The wait for the settings of a workspace, when those that were read last would do: a dialog must
# be open within three seconds.
PATIENCE_SECONDS = 0.5


class Workspaces:
    """Reads the settings in force, and does the work of the dialog that changes them.

    ``defaults`` count while nothing was read yet. ``page_line`` draws the line about the status
    page.
    """

    def __init__(
        self,
        incidents: Incidents,
        book: SettingsBook,
        people: People,
        client: AsyncWebClient,
        *,
        catalogue: Catalogue,
        defaults: WorkspaceSettings,
        page_line: Callable[[Actor], Awaitable[Json]],
    ) -> None:
        self._incidents = incidents
        self._book = book
        self._people = people
        self._client = client
        self._catalogue = catalogue
        self._defaults = defaults
        self._page_line = page_line
        self._last: dict[str, Workspace] = {}

    async def entered(self, interaction: Interaction) -> tuple[Interaction, Actor]:
        """The request under the settings of its workspace, and the person who makes it."""
        known = await self._in_force(interaction.workspace)
        actor = await self._people.actor(
            interaction.workspace,
            interaction.user,
            channel=interaction.place.channel if interaction.place else None,
            groups=(known.settings if known else self._defaults).groups,
        )
        return interaction.under(known, self._defaults), actor

    async def _in_force(self, workspace: str) -> Workspace | None:
        """The settings of ``workspace``; while the database hangs, those that were read last.

        Nothing can be done then that the settings decide on, but dialogs open, and help is given.
        """
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                self._last[workspace] = await self._incidents.workspace_of(workspace)
        except (StoreUnavailable, TimeoutError) as error:
            log.warning("settings not read", reason=type(error).__name__)
        return self._last.get(workspace)

    async def dialog(self, interaction: Interaction, actor: Actor) -> Json:
        """The dialog with all settings, for an admin."""
        known, groups = await self._known(actor)
        return setup.setup_dialog(
            known,
            self._catalogue,
            groups,
            channels=await self._channels_of(known, actor),
            origin=interaction.origin,
            page=await self._page_line(actor),
        )

    async def redrawn(self, view: Mapping[str, Any], actor: Actor) -> Json:
        """The dialog ``view`` with the settings as they are now; what was chosen stays."""
        known, groups = await self._known(actor)
        return setup.setup_dialog(
            known,
            self._catalogue,
            groups,
            channels=await self._channels_of(known, actor),
            origin=inputs.origin_of(view),
            chosen=setup.setup_form(view).chosen,
            page=await self._page_line(actor),
        )

    async def _known(self, actor: Actor) -> tuple[Configuration, Mapping[str, str]]:
        return await asyncio.gather(self._book.shown(actor), self._people.groups())

    async def _channels_of(self, known: Configuration, actor: Actor) -> Mapping[str, str]:
        """The names of the channels that are defaults, by their ids."""
        texts = [setup.texts_of(known.defaults, self._catalogue)[one] for one in setup.CHANNELS]
        asked = Names(channels={one: "" for one in texts if one != NONE})
        return (await self._people.names(actor.workspace, asked)).channels

    async def save(self, interaction: Interaction, actor: Actor, asked: SaveSettings) -> Json:
        """Saves what was changed, if this installation can serve it.

        Raises:
            InvalidField: it cannot; the error is of that setting.
            Denied, SettingsChanged: as in `SettingsBook.save`.
        """
        # Slack is asked nothing for somebody who may not save.
        _, groups = await self._known(actor)
        for setting, text in asked.changes.items():
            if text is not None and (problem := await self._problem(setting, text, groups)):
                raise InvalidField(setting, problem)
        known = await self._book.save(
            actor, asked.changes, seen=asked.seen, request=interaction.once
        )
        also = ended_by_setup(known.ended) if known.ended else ""
        return setup.saved(known, asked.changes, self._catalogue, groups, also=also)

    async def set_status_channel(
        self, interaction: Interaction, actor: Actor, asked: SetStatusChannel
    ) -> Json:
        """Makes a channel the status channel; another one than the present must take a post.

        It moves away from the cards of open incidents only after a question.

        Raises:
            Carried: it takes no post; the answer says the cure.
            Denied: the actor is no workspace admin.
        """
        now = (await self._book.shown(actor)).workspace.status_channel
        if now not in {None, asked.channel, asked.instead_of}:
            page = await self._incidents.ranking(actor, BoardFilter(scope=Scope.OPEN))
            if page.older or any(not incident.private for incident in page.items):
                return views.asks_to_move_the_channel(now, asked.channel)
        if asked.channel != now and (
            problem := await places.refused_trial(self._client, asked.channel)
        ):
            refused = InvalidField(Setting.STATUS_CHANNEL, problem)
            raise Carried(refused, views.status_channel_refused(now, asked.channel, problem))
        changes = {Setting.STATUS_CHANNEL: asked.channel}
        saved = await self._book.save(actor, changes, seen=None, request=interaction.once)
        channel = saved.workspace.status_channel or asked.channel
        also = ended_by_setup(saved.ended) if saved.ended else ""
        return views.status_channel_set(channel, also=also)

    async def _problem(self, setting: Setting, text: str, groups: Mapping[str, str]) -> str | None:
        """The reason why ``text`` cannot be served; it ends a sentence about the setting."""
        match setting:
            case Setting.STATUS_CHANNEL | Setting.API_CHANNEL if text != NONE:
                return await places.refused_trial(self._client, text)
            case Setting.RESPONDERS_GROUP | Setting.PUBLISHERS_GROUP:
                if groups and text not in {*groups, NONE}:
                    return "is deleted in Slack: choose another"
            case Setting.DEFAULT_LIFECYCLE:
                try:
                    self._catalogue.find(text)
                except UnknownLifecycle:
                    return "is in no file any more: choose another"
        return None
