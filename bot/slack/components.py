"""The components of the status page: their list, and the answers about them. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from bot.slack.blocks import (
    Json,
    actions,
    button,
    context,
    message,
    option,
    overflow,
    paragraphs,
    section,
)
from bot.slack.markup import escape, moment, shown
from bot.slack.paged import NumberedPage
from bot.slack.pressed import SHOWN_AT_ONCE, encode
from bot.slack.verbs import COMMAND
from bot.slack.words import in_words
from core.arranging import Arranged
from core.curating import Overview
from core.incident import (
    Component,
)
from core.page import ComponentGroup, ShownComponent, in_page_order

# A row is a block, and so is the heading of its group: 50 blocks of a message hold 20 rows.
ROWS = 20


# --- the list ------------------------------------------------------------------------------------


def component_list(
    known: Overview,
    *,
    page: int = 1,
    told: str = "",
    admin: bool,
    publisher: bool,
    at: datetime,
) -> Json:
    """A page of all components, in the order of the status page, each with its menu."""
    ordered = in_page_order(known.arrangement.components, known.arrangement.groups)
    paged = NumberedPage(ordered, page, most=ROWS)
    here, page = paged.here, paged.number
    heading = paged.heading("Components")
    lines = [f"{_line(one, known, at=at)}." for _, one in here] or [_nothing(admin=admin)]
    blocks = [*([section(told)] if told else []), section(f"*{heading}*")]
    grouped = any(group for group, _ in ordered)
    for place, (group, one) in enumerate(here):
        if grouped and (place == 0 or group != here[place - 1][0]):
            blocks.append(_heading(group, page, admin=admin))
        blocks.append(_row(one, known, page, at=at, admin=admin, publisher=publisher))
    if not here:
        blocks.append(section(lines[0]))
    if not admin:
        blocks.append(context("Workspace admins arrange them, and show or hide them."))
    controls = paged.buttons("components")
    if admin:
        add = encode("component", None, page)
        controls.append(button("Add a component…", action_id="add_component", value=add))
    said = [*([told] if told else []), f"{heading}:", *lines]
    return message(said, [*blocks, *actions(controls)])


def _nothing(*, admin: bool) -> str:
    if admin:
        return "There are no components yet. Add the first one."
    return "There are no components yet. A workspace admin adds the first one."


def _heading(group: ComponentGroup | None, page: int, *, admin: bool) -> Json:
    if group is None:
        return section("*Other components*")
    made = section(f"*{shown(group.name, 150)}*")
    if not admin:
        return made
    edit = option("Edit the group…", encode("group", group.id, page))
    return {**made, "accessory": overflow([edit], action_id="menu:group")}


def _row(
    one: ShownComponent,
    known: Overview,
    page: int,
    *,
    at: datetime,
    admin: bool,
    publisher: bool,
) -> Json:
    menu = [option("Edit…", encode("component", one.id, page))] if admin else []
    if publisher:
        menu.append(option("Status by hand…", encode("override", one.id, page)))
    made = section(_line(one, known, at=at, bold=True))
    return {**made, "accessory": overflow(menu, action_id="menu")} if menu else made


def _line(one: ShownComponent, known: Overview, *, at: datetime, bold: bool = False) -> str:
    """``Checkout API · Operational · shown``, at most 500 characters."""
    name = shown(one.name, 150)
    facts = [known.statuses[one.id].words, "shown" if one.shown else "hidden"]
    by_hand = one.by_hand(at)
    if by_hand is not None:
        until = f" until {moment(by_hand.until, seen_from=at)}" if by_hand.until else ""
        facts.insert(1, f"by hand{until}")
    if one.only_if_degraded:
        facts.append("only while not operational")
    if one.showcase:
        facts.append("showcase")
    return " · ".join([f"*{name}*" if bold else name, *facts])


# --- the answers ---------------------------------------------------------------------------------


def saved_component(made: Arranged, *, new: bool, published: bool) -> str:
    """The sentences about a component that was added or changed.

    ``published``: the status page is.
    """
    one, act = made.component, "is added" if new else "is saved"
    told = f"*{shown(one.name, 150)}* {act}. {_where(one, 'It', published=published)}"
    if made.new_group is not None:
        told += f" The group *{shown(made.new_group, 200)}* is made."
    return told


def left_component(one: ShownComponent, *, published: bool) -> str:
    """The sentence about a component whose dialog was sent as it was drawn."""
    name = f"*{shown(one.name, 150)}*"
    return f"Nothing was changed. {_where(one, name, published=published)}"


def _where(one: ShownComponent, name: str, *, published: bool) -> str:
    if not one.shown:
        return f"{name} is hidden: it is on no public surface."
    when = "" if published else " once the page is published"
    sometimes = ", but only while it is not operational" if one.only_if_degraded else ""
    return f"The status page shows {'it' if name == 'It' else name}{when}{sometimes}."


def left_group(group: ComponentGroup) -> str:
    """The sentence about a group whose dialog was sent as it was drawn."""
    return f"Nothing was changed. The group *{shown(group.name, 200)}* is as before."


def saved_group(group: ComponentGroup) -> str:
    """The sentence about a group that was changed."""
    return f"The group *{shown(group.name, 200)}* is saved."


def saved_override(one: ShownComponent, *, at: datetime) -> str:
    """The sentence about a status by hand."""
    by_hand = one.by_hand(at)
    name = f"*{shown(one.name, 150)}*"
    unseen = "" if one.shown else f" {_where(one, 'It', published=True)}"
    if by_hand is None or by_hand.status is None:
        return f"{name} has no status by hand any more: its incidents decide.{unseen}"
    until = "until somebody clears it"
    if by_hand.until is not None:
        until = f"until {moment(by_hand.until, seen_from=at)}"
    return f"{name} is *{by_hand.status.words}* by hand, {until}.{unseen}"


def on_the_page(made: tuple[ShownComponent, ...]) -> Json:
    """The answer to **Show on the page**."""
    names = escape(in_words([one.name for one in made]))[:2_000]
    told = [f"{names} {'is' if len(made) == 1 else 'are'} shown in public from now on."]
    return message(told, paragraphs(told))


def with_hidden(reply: Json, hidden: tuple[Component, ...], *, admin: bool) -> Json:
    """``reply`` to a command that tagged ``hidden`` components, which are on no public surface."""
    one = len(hidden) == 1
    names = in_words([shown(each.name, 120) for each in hidden[:5]])
    if (more := len(hidden) - 5) > 0:
        names += f" and {more} more"
    told = f"{names} {'is' if one else 'are'} on no public surface yet."
    if not admin:
        told += f" A workspace admin can show {'it' if one else 'them'}: `{COMMAND} components`."
    rows = list(_offer(hidden)) if admin else []
    return {
        **reply,
        "text": f"{reply['text']} {told}",
        "blocks": [*reply["blocks"], section(told), *actions(rows)],
    }


def _offer(hidden: tuple[Component, ...]) -> Iterator[Json]:
    ids = [one.id for one in hidden[:SHOWN_AT_ONCE]]
    yield button(
        "Show on the page", action_id="show_component", value=encode("show_component", *ids)
    )
