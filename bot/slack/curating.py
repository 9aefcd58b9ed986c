"""The status page and its components in Slack: listed, opened in dialogs, and saved."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Any, assert_never

from bot.slack import component_dialogs, components, forms, page
from bot.slack.answers import Answers
from bot.slack.arranged import (
    OpenComponent,
    OpenGroup,
    OpenOverride,
    OpenPage,
    SaveComponent,
    SaveGroup,
    SaveOverride,
    SavePage,
    ShowComponents,
    ShowOnPage,
)
from bot.slack.blocks import Json
from bot.slack.dialogs import message_dialog
from bot.slack.interaction import Interaction
from core import policy
from core.arranging import ComponentChange, component_named, group_named
from core.commands import Change, Command, Declare
from core.curating import Curation
from core.decision import Outcome
from core.denials import Denied, Permission
from core.incident import Actor
from core.page import PageSettings

Opened = OpenComponent | OpenGroup | OpenOverride | OpenPage
Saved = SaveComponent | SaveGroup | SaveOverride | SavePage | ShowOnPage
NAMES: dict[type[Opened], str] = {
    OpenComponent: forms.COMPONENT,
    OpenGroup: forms.GROUP,
    OpenOverride: forms.OVERRIDE,
    OpenPage: forms.PAGE,
}
# Of a dialog that was sent as it was drawn.
AS_BEFORE = ComponentChange()


def arranging_form(view: Mapping[str, Any], *, at: datetime, zone: tzinfo) -> Saved:
    """What a submitted dialog of this module asks for.

    Raises:
        InvalidField, UsageError: it cannot be read.
    """
    match view.get("callback_id"):
        case forms.COMPONENT:
            return component_dialogs.component_form(view)
        case forms.GROUP:
            return component_dialogs.group_form(view)
        case forms.OVERRIDE:
            return component_dialogs.override_form(view, at=at, zone=zone)
        case _:
            return page.page_form(view)


@dataclass(frozen=True, slots=True)
class Pages:
    """The use cases of status pages, and the address of each by the rule that serves it."""

    curation: Curation
    address: Callable[[PageSettings], Awaitable[str]]


class Arranging:
    """Does what is asked about the status page and its components."""

    def __init__(self, pages: Pages, answers: Answers, *, clock: Callable[[], datetime]) -> None:
        self._curation = pages.curation
        self._answers = answers
        self._address = pages.address
        self._clock = clock

    async def show(
        self, interaction: Interaction, actor: Actor, asked: ShowComponents
    ) -> Json | None:
        """The list of components: in a dialog for an admin, otherwise as the answer."""
        if policy.holds(actor, Permission.ADMINISTER) and interaction.door == "command":
            work = self._dialog_of_list(actor, asked)
            await self._answers.open_and_fill(interaction, "components", work)
            return None
        return await self._listed(actor, asked)

    async def _dialog_of_list(self, actor: Actor, asked: ShowComponents) -> Json:
        return message_dialog(await self._listed(actor, asked))

    async def _listed(self, actor: Actor, asked: ShowComponents) -> Json:
        return components.component_list(
            await self._curation.overview(actor),
            page=asked.page,
            told=asked.told,
            admin=policy.holds(actor, Permission.ADMINISTER),
            publisher=policy.holds(actor, Permission.PUBLISH),
            at=self._clock(),
        )

    async def open(self, interaction: Interaction, actor: Actor, asked: Opened) -> None:
        """Opens a dialog."""
        work = self._drawn(interaction, actor, asked)
        await self._answers.open_and_fill(interaction, NAMES[type(asked)], work)

    async def _drawn(self, interaction: Interaction, actor: Actor, asked: Opened) -> Json:
        publishes = isinstance(asked, OpenOverride)
        needed = Permission.PUBLISH if publishes else Permission.ADMINISTER
        if not policy.holds(actor, needed):
            raise Denied(actor, needed)
        known, origin = await self._curation.arrangement(actor), interaction.origin
        match asked:
            case OpenComponent(component=ref, page=back):
                one = component_named(known.components, ref) if ref else None
                return component_dialogs.component_dialog(known, one, origin=origin, page=back)
            case OpenGroup(group=ref, page=back):
                group = group_named(known.groups, ref)
                return component_dialogs.group_dialog(group, origin=origin, page=back)
            case OpenOverride(component=ref, page=back):
                one, at = component_named(known.components, ref), self._clock()
                return component_dialogs.override_dialog(
                    one, published=known.page is not None, origin=origin, page=back, at=at
                )
            case OpenPage():
                address = await self._address(known.page) if known.page else None
                return page.page_dialog(known.page, address, former=known.former, origin=origin)
            case _:
                assert_never(asked)

    async def save(self, interaction: Interaction, actor: Actor, asked: Saved) -> Json:
        """Saves a dialog, once, however often Slack delivers it."""
        once, at = interaction.once, self._clock()
        match asked:
            case SaveComponent(component=None, change=change):
                arranged = await self._curation.add_component(actor, change, request=once)
                told = components.saved_component(
                    arranged, new=True, published=await self._published(actor)
                )
            case SaveComponent(component=ref, change=change) if ref and change == AS_BEFORE:
                known = await self._curation.arrangement(actor)
                now = component_named(known.components, ref)
                told = components.left_component(now, published=known.page is not None)
            case SaveComponent(component=ref, change=change) if ref:
                arranged = await self._curation.change_component(actor, ref, change, request=once)
                told = components.saved_component(
                    arranged, new=False, published=await self._published(actor)
                )
            case SaveGroup(group=ref, name=None, position=None, description=None):
                group = group_named((await self._curation.arrangement(actor)).groups, ref)
                told = components.left_group(group)
            case SaveGroup():
                group = await self._curation.change_group(
                    actor,
                    asked.group,
                    rename=asked.name,
                    position=asked.position,
                    description=asked.description,
                    request=once,
                )
                told = components.saved_group(group)
            case SaveOverride(component=ref, untouched=True):
                known = await self._curation.arrangement(actor)
                now = component_named(known.components, ref)
                told = f"Nothing was changed. {components.saved_override(now, at=at)}"
            case SaveOverride():
                made = await self._curation.override(
                    actor,
                    asked.component,
                    asked.status,
                    until=asked.until,
                    reason=asked.reason,
                    request=once,
                )
                told = components.saved_override(made, at=at)
            case SavePage():
                return await self._save_page(actor, asked, once)
            case ShowOnPage(components=ids):
                shown = await self._curation.show_components(actor, ids, request=once)
                return components.on_the_page(shown)
            case _:
                raise TypeError(f"{type(asked).__name__} is not saved")
        return await self._listed(actor, ShowComponents(page=asked.page, told=told))

    async def _save_page(self, actor: Actor, asked: SavePage, once: str | None) -> Json:
        if asked.untouched:
            now = (await self._curation.arrangement(actor)).page
            return page.left(now, await self._address(now) if now else None)
        title, slug, language = (text or None for text in (asked.title, asked.slug, asked.language))
        if not asked.published:
            former = await self._curation.unpublish(
                actor,
                title=title,
                slug=slug,
                language=language,
                noindex=asked.noindex,
                request=once,
            )
            return page.unpublished(former)
        made = await self._curation.publish(
            actor, title=title, slug=slug, language=language, noindex=asked.noindex, request=once
        )
        return page.published(made, await self._address(made))

    async def _published(self, actor: Actor) -> bool:
        return (await self._curation.arrangement(actor)).page is not None

    async def link(self, actor: Actor) -> str | None:
        """The page as a link; None if it is not published."""
        found = (await self._curation.arrangement(actor)).page
        return page.page_link(found, await self._address(found)) if found else None

    async def line(self, actor: Actor) -> Json:
        """The line about the page in the dialog with all settings."""
        found = (await self._curation.arrangement(actor)).page
        return page.page_line(found, await self._address(found) if found else None)

    async def with_hidden(
        self, actor: Actor, command: Command, outcome: Outcome, reply: Json
    ) -> Json:
        """``reply`` to ``command``; it names the components that it tagged and nobody sees."""
        incident = outcome.incident
        tags = isinstance(command, Change | Declare) and bool(command.components)
        if not tags or incident.private or not outcome.workspace.has_public_surface:
            return reply
        known = await self._curation.arrangement(actor)
        shown = {one.id for one in known.components if one.shown}
        hidden = tuple(one for one in incident.components if one.id not in shown)
        if not hidden:
            return reply
        admin = policy.holds(actor, Permission.ADMINISTER)
        return components.with_hidden(reply, hidden, admin=admin)
