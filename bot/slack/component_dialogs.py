"""The dialogs of components and of their groups, and the readers of these. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date, datetime, tzinfo
from typing import Any
from uuid import UUID, uuid5

from bot.slack.arranged import SaveComponent, SaveGroup, SaveOverride
from bot.slack.blocks import Json, input_block, modal, option, section, select, text_box
from bot.slack.forms import COMPONENT, GROUP, OVERRIDE
from bot.slack.inputs import Origin, element, metadata, remembered_in
from bot.slack.markup import moment, shown
from bot.slack.requests import UsageError
from bot.slack.verbs import COMMAND
from bot.slack.words import in_words
from core.arranging import ComponentChange
from core.errors import InvalidField
from core.incident import BODY_MAX, COMPONENT_DESCRIPTION_MAX, COMPONENT_NAME_MAX, Note
from core.page import Arrangement, ComponentGroup, ComponentStatus, ShownComponent
from core.times import ENDS, end_of, is_past_today, written_start

BY_INCIDENTS = "incidents"
SHOWN, SHOWCASE, DEGRADED = "shown", "showcase", "degraded"
FLAGS = {
    SHOWN: "The page shows it",
    SHOWCASE: "Clients may feature it (showcase)",
    DEGRADED: "The page shows it only while it is not operational",
}
WHEN = {True: "", False: ", once it is published,"}
POSITION = "A number from 0; smaller ones come first."
_MARKS = UUID("0b8e4f0e-3c5b-5a57-9f0d-0d3a6a6f8a11")


def component_dialog(
    known: Arrangement, one: ShownComponent | None, *, origin: Origin, page: int
) -> Json:
    """The dialog of a component; None: of a new one."""
    values = _values(known, one)
    ticked = [flag for flag in FLAGS if flag in values["flags"].split(",")]
    blocks = [
        input_block("name", "Name", _box("name", COMPONENT_NAME_MAX, values["name"])),
        input_block(
            "description",
            "Description",
            _box("description", COMPONENT_DESCRIPTION_MAX, values["description"], multiline=True),
            hint=f"The page shows it{WHEN[known.page is not None]} under the name, for everybody.",
            optional=True,
        ),
        input_block(
            "group",
            "Group",
            _box("group", COMPONENT_NAME_MAX, values["group"]),
            hint=_groups_hint(known),
            optional=True,
        ),
        input_block(
            "position", "Position", _box("position", 10, values["position"]), hint=POSITION
        ),
        input_block("flags", "On the page", _ticks(ticked), optional=True),
        input_block(
            "start_date",
            "Record begins on",
            _box("start_date", 20, values["start_date"]),
            hint="A day such as 2026-03-01. Empty: the day on which it was added.",
            optional=True,
        ),
    ]
    marks = {name: _mark(value) for name, value in values.items()} if one else {}
    return modal(
        COMPONENT,
        "Edit the component" if one else "Add a component",
        blocks,
        submit="Save" if one else "Add",
        private_metadata=metadata(
            origin,
            about=str(one.id) if one else "",
            page=str(page),
            shown=json.dumps(marks, separators=(",", ":")),
        ),
    )


def _values(known: Arrangement, one: ShownComponent | None) -> dict[str, str]:
    """The texts of the dialog's inputs for a component; None: for a new one."""
    if one is None:
        values = dict.fromkeys(("name", "description", "group", "start_date"), "")
        return {**values, "position": "0", "flags": SHOWN}
    flags = {SHOWN: one.shown, SHOWCASE: one.showcase, DEGRADED: one.only_if_degraded}
    return {
        "name": one.name,
        "description": one.description or "",
        "group": next((each.name for each in known.groups if each.id == one.group), ""),
        "position": str(one.position),
        "flags": ",".join(flag for flag, ticked in flags.items() if ticked),
        "start_date": one.start_date.isoformat() if one.start_date else "",
    }


def _groups_hint(known: Arrangement) -> str:
    named = in_words([one.name for one in sorted(known.groups, key=lambda each: each.name)][:10])
    there = f" There are: {named}." if named else ""
    return (
        f"The heading over it. A new name makes a new group; + before it, one like another.{there}"
    )


def _box(name: str, most: int, initial: str, *, multiline: bool = False) -> Json:
    return text_box(name, most=most, initial=initial, multiline=multiline)


def _ticks(ticked: list[str]) -> Json:
    made = {flag: option(label, flag) for flag, label in FLAGS.items()}
    row: Json = {"type": "checkboxes", "action_id": "flags", "options": list(made.values())}
    return {**row, "initial_options": [made[flag] for flag in ticked]} if ticked else row


def group_dialog(group: ComponentGroup, *, origin: Origin, page: int) -> Json:
    """The dialog of a group."""
    values = _of_group(group)
    blocks = [
        input_block("name", "Name", _box("name", COMPONENT_NAME_MAX, values["name"])),
        input_block(
            "position", "Position", _box("position", 10, values["position"]), hint=POSITION
        ),
        input_block(
            "description",
            "Description",
            _box("description", COMPONENT_DESCRIPTION_MAX, values["description"], multiline=True),
            hint="For everybody to read.",
            optional=True,
        ),
    ]
    marks = {name: _mark(value) for name, value in values.items()}
    return modal(
        GROUP,
        "Edit the group",
        blocks,
        submit="Save",
        private_metadata=metadata(
            origin,
            about=str(group.id),
            page=str(page),
            shown=json.dumps(marks, separators=(",", ":")),
        ),
    )


def _of_group(group: ComponentGroup) -> dict[str, str]:
    return {
        "name": group.name,
        "position": str(group.position),
        "description": group.description or "",
    }


def override_dialog(
    one: ShownComponent, *, published: bool, origin: Origin, page: int, at: datetime
) -> Json:
    """The dialog that gives a component a status by hand, or ends that.

    ``published``: the status page is.
    """
    by_hand = one.by_hand(at)
    now = by_hand.status if by_hand else None
    made = {status.value: option(status.words, status.value) for status in ComponentStatus}
    made[BY_INCIDENTS] = option("Its incidents decide", BY_INCIDENTS)
    choice = select(
        list(made.values()),
        action_id="status",
        placeholder="Choose one",
        initial_option=made[now.value if now else BY_INCIDENTS],
    )
    told = f"*{shown(one.name, 200)}*"
    if not one.shown:
        told += " is hidden, so nobody sees its status yet."
    if by_hand and by_hand.until:
        end = moment(by_hand.until, seen_from=at)
        told += f"\nIts status by hand ends {end}. If you change anything, write the end anew."
    told_to = (
        "Readers of the page, and webhooks," if published else "No page is published: webhooks"
    )
    blocks = [
        section(told),
        input_block("status", "Status", choice, hint=f"{told_to} get it at once."),
        input_block(
            "until",
            "End",
            text_box("until", most=60),
            hint=f"Empty: until somebody clears it. In your own time zone: {ENDS}.",
            optional=True,
        ),
        input_block(
            "reason",
            "Private reason",
            text_box("reason", most=BODY_MAX, multiline=True),
            hint="It stays in the store, and is on no public surface.",
            optional=True,
        ),
    ]
    return modal(
        OVERRIDE,
        "Status by hand",
        blocks,
        submit="Save",
        private_metadata=metadata(
            origin, about=str(one.id), page=str(page), drawn=now.value if now else BY_INCIDENTS
        ),
    )


# --- the readers ---------------------------------------------------------------------------------


def component_form(view: Mapping[str, Any]) -> SaveComponent:
    """The changes of the dialog of a component: the inputs that differ from what it showed.

    Raises:
        InvalidField: a number or a day cannot be read.
        UsageError: it is no such dialog.
    """
    about, page, seen = _about(view)
    typed = {name: _text(view, name) for name in ("name", "description", "group")}
    typed |= {name: _text(view, name) for name in ("position", "start_date")}
    ticked = _flags(view)
    typed["flags"] = ",".join(flag for flag in FLAGS if flag in ticked)
    new = {name: text for name, text in typed.items() if seen.get(name) != _mark(text)}
    day = new.get("start_date", "").strip()
    flags = "flags" in new
    change = ComponentChange(
        name=new.get("name"),
        description=new.get("description", "").strip() or None,
        group=new.get("group", "").strip() or None,
        position=_position(new["position"]) if "position" in new else None,
        shown=SHOWN in ticked if flags else None,
        showcase=SHOWCASE in ticked if flags else None,
        only_if_degraded=DEGRADED in ticked if flags else None,
        start_date=_day(day) if day else None,
        cleared=frozenset(
            name
            for name in ("description", "group", "start_date")
            if about and name in new and not new[name].strip()
        ),
    )
    return SaveComponent(component=about, change=change, page=page)


def group_form(view: Mapping[str, Any]) -> SaveGroup:
    """The changes of the dialog of a group.

    Raises:
        InvalidField: the position is no number.
        UsageError: it is no such dialog.
    """
    about, page, seen = _about(view)
    if about is None:
        raise _unreadable()
    typed = {name: _text(view, name) for name in ("name", "position", "description")}
    new = {name: text for name, text in typed.items() if seen.get(name) != _mark(text)}
    return SaveGroup(
        group=about,
        name=new.get("name"),
        position=_position(new["position"]) if "position" in new else None,
        description=new.get("description"),
        page=page,
    )


def override_form(view: Mapping[str, Any], *, at: datetime, zone: tzinfo) -> SaveOverride:
    """The status that is chosen in the dialog, for a person whose clock is in ``zone``.

    Raises:
        InvalidField: the end names no moment, or there is nothing that ends.
        UsageError: it is no such dialog.
    """
    about, page, _ = _about(view)
    chosen = (element(view, "status").get("selected_option") or {}).get("value")
    if (
        about is None
        or not isinstance(chosen, str)
        or chosen not in {*ComponentStatus, BY_INCIDENTS}
    ):
        raise _unreadable()
    status = None if chosen == BY_INCIDENTS else ComponentStatus(chosen)
    words = _text(view, "until").strip()
    until = end_of(words, at=at, zone=zone) if words else None
    if words and until is None:
        raise InvalidField("until", f"names no moment: {ENDS}")
    if until and is_past_today(words, at=at, zone=zone):
        meant = written_start(until, zone)
        raise InvalidField("until", f"has passed today: write {meant} if you mean tomorrow")
    if until is not None and status is None:
        raise InvalidField("until", "belongs to a status: choose one, or leave it empty")
    reason = _text(view, "reason").strip()
    drawn = remembered_in(view).get("drawn")
    return SaveOverride(
        component=about,
        status=status,
        until=until,
        reason=Note(reason) if reason else None,
        page=page,
        untouched=chosen == drawn and not (words or reason),
    )


def _about(view: Mapping[str, Any]) -> tuple[UUID | None, int, Mapping[str, object]]:
    """The row that a dialog is about, the page of the list, and marks of what it showed."""
    remembered = remembered_in(view)
    try:
        about = UUID(remembered["about"]) if remembered["about"] else None
        page = max(1, int(remembered["page"]))
        seen = json.loads(remembered.get("shown") or "{}")
    except (KeyError, ValueError, TypeError, AttributeError, RecursionError):
        raise _unreadable() from None
    return about, page, seen if isinstance(seen, dict) else {}


def _text(view: Mapping[str, Any], name: str) -> str:
    value = element(view, name).get("value")
    return value if isinstance(value, str) else ""


def _flags(view: Mapping[str, Any]) -> frozenset[str]:
    ticked = element(view, "flags").get("selected_options")
    rows = ticked if isinstance(ticked, list) else []
    return frozenset(str(one.get("value")) for one in rows if isinstance(one, dict))


def _position(text: str) -> int:
    digits = text.strip()
    if not (digits.isascii() and digits.isdigit() and len(digits) < 10):
        raise InvalidField("position", "is a number, such as 0 or 20")
    return int(digits)


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise InvalidField("start_date", "is no day: write one such as 2026-03-01") from None


def _mark(text: str) -> str:
    """Tells whether an input still has its first value, without the value."""
    return uuid5(_MARKS, text.replace("\r\n", "\n").strip()).hex[:12]


def _unreadable() -> UsageError:
    return UsageError(
        "This dialog cannot be read any more, and nothing was changed.",
        hint=f"`{COMMAND} components` opens a new list.",
    )
