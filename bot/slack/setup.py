"""The dialog with the settings of a workspace, and its reader. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

from bot.slack.blocks import (
    Json,
    context,
    input_block,
    message,
    modal,
    option,
    paragraphs,
    plain,
    select,
)
from bot.slack.blocks import section as told_block
from bot.slack.dialogs import NO_PROMISE, PROMISED_MINUTES
from bot.slack.forms import SETUP
from bot.slack.inputs import Origin, element, metadata, remembered_in
from bot.slack.markup import escape
from bot.slack.requests import SaveSettings, UsageError
from bot.slack.verbs import COMMAND
from bot.slack.words import in_words, status_name
from core.configuring import Configuration
from core.incident import Severity
from core.lifecycle import Catalogue
from core.settings import NO, NONE, OFF, OFFER, YES, SavedSetting, Setting, read, write
from core.times import duration
from core.workspace import WorkspaceSettings

LABELS = {
    Setting.STATUS_CHANNEL: "Status channel",
    Setting.RESPONDERS_GROUP: "Responders",
    Setting.PUBLISHERS_GROUP: "Publishers",
    Setting.DEFAULT_LIFECYCLE: "Lifecycle of a new incident",
    Setting.DEFAULT_SEVERITY: "Severity of a new incident",
    Setting.MENTION_AT: "Mention the responders at",
    Setting.PROMISE_DEFAULTS: "Next public update",
    Setting.PRIVATE_BY_DEFAULT: "Private conversations",
    Setting.INCIDENT_CHANNELS: "Channels of their own",
    Setting.API_CHANNEL: "Channel of incidents from the API",
}
MEANINGS = {
    Setting.STATUS_CHANNEL: "Public updates go there, for everyone in it to read. Save proves that "
    "I can post there. Open incidents get a card there with their next change. Empty: Slack shows "
    "no public update.",
    Setting.RESPONDERS_GROUP: "Only they change incidents and read notes.",
    Setting.PUBLISHERS_GROUP: "Only they post public updates.",
    Setting.DEFAULT_LIFECYCLE: "Where a declaration names none.",
    Setting.DEFAULT_SEVERITY: "Where a declaration names none.",
    Setting.MENTION_AT: "Once an incident, where it is worked on; needs a group of responders. "
    "Without a tick: never.",
    Setting.PROMISE_DEFAULTS: "The promise that a public update makes by itself.",
    Setting.PRIVATE_BY_DEFAULT: "Private channels, direct and group messages. Without the tick: "
    "a declaration there is public.",
    Setting.INCIDENT_CHANNELS: "Whether an incident gets a channel for its work.",
    Setting.API_CHANNEL: "Their cards are posted there. Empty: they have none.",
}
CHANGED = "Another admin changed the settings meanwhile. Nothing is saved yet, and what you chose "
CHANGED += "is still here."
CHANNELS = (Setting.STATUS_CHANNEL, Setting.API_CHANNEL)
_GROUPS = (Setting.RESPONDERS_GROUP, Setting.PUBLISHERS_GROUP)
# The row of ticks that restores defaults.
_DEFAULTS = "defaults"


def texts_of(settings: WorkspaceSettings, catalogue: Catalogue) -> dict[Setting, str]:
    """The value of each setting in force, as the dialog shows it and `core.settings` reads it."""
    texts = {setting: write(setting, settings) for setting in Setting}
    # One that has left the file is not in force.
    texts[Setting.DEFAULT_LIFECYCLE] = catalogue.with_default(
        settings.default_lifecycle
    ).default.name
    return texts


def setup_dialog(
    known: Configuration,
    catalogue: Catalogue,
    groups: Mapping[str, str],
    *,
    origin: Origin,
    channels: Mapping[str, str] | None = None,
    chosen: Mapping[Setting, str] | None = None,
    page: Json | None = None,
) -> Json:
    """The dialog with every setting of the workspace.

    ``groups`` are the handles of user groups by their ids, empty if Slack does not tell them.
    ``channels`` are the names of channels by their ids, where Slack tells them; a hint is plain
    text, which shows no link to one. ``chosen`` are choices in a dialog that shows an older
    version; they stay chosen. ``page`` is the line about the status page.
    """
    shown = texts_of(known.workspace.settings, catalogue)
    values = {**shown, **(chosen or {})}
    version = known.workspace.version
    blocks: list[Json] = [told_block(CHANGED)] if chosen is not None else []
    blocks += [page] if page else []
    for setting in Setting:
        hint = f"{MEANINGS[setting]} {_state(setting, known, catalogue, groups, channels or {})}"
        choosers = _choosers(setting, values[setting], catalogue, groups)
        for place, (name, label, chooser) in enumerate(choosers):
            blocks.append(
                input_block(
                    f"{name}:{version}",
                    label,
                    chooser,
                    hint=None if place else hint,
                    optional=chooser["type"] in {"checkboxes", "conversations_select"},
                )
            )
    if known.saved:
        ticks = [option(LABELS[one], one) for one in Setting if one in known.saved]
        blocks.append(
            input_block(
                f"{_DEFAULTS}:{version}",
                "Use the default again for",
                {"type": "checkboxes", "action_id": _DEFAULTS, "options": ticks},
                hint="The default is the one in the settings of the server.",
                optional=True,
            )
        )
    blocks.append(context("What is saved here is in force at once, in every place."))
    remembered = {setting.value: text for setting, text in shown.items()}
    return modal(
        SETUP,
        "Settings",
        blocks,
        submit="Save",
        private_metadata=metadata(origin, seen=str(version), shown=json.dumps(remembered)),
    )


def _state(
    setting: Setting,
    known: Configuration,
    catalogue: Catalogue,
    groups: Mapping[str, str],
    channels: Mapping[str, str],
) -> str:
    """Whether the value is the default; if not, the author and the default."""
    saved = known.saved.get(setting)
    if saved is None:
        return "This is the default."
    default = texts_of(known.defaults, catalogue)[setting]
    name = channels.get(default) if setting in CHANNELS else None
    default = f"#{name}" if name else words_of(setting, default, groups)
    return f"{_author(saved)} The default is: {default}.{_doubt(saved, catalogue, groups)}"


def _author(saved: SavedSetting) -> str:
    return f"Saved by {saved.by.name}." if saved.by else "Saved here."


def _doubt(saved: SavedSetting, catalogue: Catalogue, groups: Mapping[str, str]) -> str:
    """The reason why a saved value cannot be served, with its cure."""
    if saved.setting in _GROUPS and groups and saved.text not in {*groups, NONE}:
        return " The group is deleted in Slack, so nobody is in it: choose another."
    names = {lifecycle.name for lifecycle in catalogue}
    if saved.setting is Setting.DEFAULT_LIFECYCLE and saved.text not in names:
        return f" The saved one, {saved.text}, is in no file any more: choose another."
    return ""


def words_of(setting: Setting, text: str, groups: Mapping[str, str]) -> str:
    """The value of ``text`` in words, for a reader."""
    if setting in _GROUPS:
        everybody = "every responder" if setting is Setting.PUBLISHERS_GROUP else "everybody"
        return everybody if text == NONE else f"@{groups.get(text, text)}"
    if setting is Setting.PROMISE_DEFAULTS:
        spans = read(setting, text).items()
        return in_words([f"{of} in {duration(span)}" for of, span in spans]) or "no promise"
    if setting is Setting.DEFAULT_LIFECYCLE:
        return status_name(text)
    return text.replace(",", ", ")


def _choosers(  # noqa: C901 - one case for each setting
    setting: Setting, text: str, catalogue: Catalogue, groups: Mapping[str, str]
) -> Iterator[tuple[str, str, Json]]:
    """Name, label and element of each input of a setting, with the value ``text`` in it."""
    label = LABELS[setting]
    match setting:
        case Setting.STATUS_CHANNEL | Setting.API_CHANNEL:
            yield setting, label, _channel(setting, text)
        case Setting.RESPONDERS_GROUP | Setting.PUBLISHERS_GROUP:
            everybody = words_of(setting, NONE, groups).capitalize()
            options = {NONE: everybody}
            options |= {one: f"@{handle}" for one, handle in groups.items()}
            options.setdefault(text, f"{text} (not found in Slack)" if groups else text)
            yield setting, label, _choice(setting, options, text)
        case Setting.DEFAULT_LIFECYCLE:
            names = {one.name: status_name(one.name) for one in catalogue}
            yield setting, label, _choice(setting, names, text)
        case Setting.DEFAULT_SEVERITY:
            severities = {one.value: one.value.capitalize() for one in Severity}
            yield setting, label, _choice(setting, severities, text)
        case Setting.MENTION_AT:
            options = {one.value: one.value.capitalize() for one in Severity}
            yield setting, label, _ticks(setting, options, text.split(","))
        case Setting.PROMISE_DEFAULTS:
            spans = read(setting, text)
            for severity in Severity:
                span = spans.get(severity)
                minutes = int(span.total_seconds()) // 60 if span else None
                yield f"{setting}_{severity}", f"{label}, {severity}", _span(minutes)
        case Setting.PRIVATE_BY_DEFAULT:
            ticked = {YES: "An incident that is declared there is private"}
            yield setting, label, _ticks(setting, ticked, [text])
        case Setting.INCIDENT_CHANNELS:
            worst = [one.value for one in Severity]
            options = {OFF: "Off", OFFER: "Offer a button that opens one"}
            for count in range(1, len(worst) + 1):
                at = worst[:count]
                options[",".join(at)] = f"Open one by itself at {in_words(at)}"
            options.setdefault(text, f"Open one by itself at {text.replace(',', ', ')}")
            yield setting, label, _choice(setting, options, text)


def _channel(setting: Setting, text: str) -> Json:
    chooser: Json = {
        "type": "conversations_select",
        "action_id": setting.value,
        "placeholder": plain("No channel"),
        "filter": {"include": ["public", "private"], "exclude_external_shared_channels": False},
    }
    return chooser if text == NONE else {**chooser, "initial_conversation": text}


def _choice(setting: Setting, options: Mapping[str, str], text: str) -> Json:
    made = {value: option(label, value) for value, label in options.items()}
    return select(
        list(made.values()),
        action_id=setting.value,
        placeholder="Choose one",
        initial_option=made[text],
    )


def _ticks(setting: Setting, options: Mapping[str, str], ticked: list[str]) -> Json:
    made = {value: option(label, value) for value, label in options.items()}
    row: Json = {
        "type": "checkboxes",
        "action_id": setting.value,
        "options": list(made.values()),
    }
    initial = [made[value] for value in made if value in ticked]
    return {**row, "initial_options": initial} if initial else row


def _span(minutes: int | None) -> Json:
    """The choice of a promise for one severity; None: none."""
    spans = sorted({*PROMISED_MINUTES, *([minutes] if minutes else [])})
    made = {one: option(f"In {duration(timedelta(minutes=one))}", str(one)) for one in spans}
    none = option("No promise", NO_PROMISE)
    return select(
        [none, *made.values()],
        action_id=Setting.PROMISE_DEFAULTS.value,
        placeholder="When?",
        initial_option=made[minutes] if minutes else none,
    )


# --- the reader ----------------------------------------------------------------------------------


def setup_form(view: Mapping[str, Any]) -> SaveSettings:
    """The settings that are chosen in ``view``.

    Raises:
        UsageError: it is no such dialog.
    """
    remembered = remembered_in(view)
    seen = remembered.get("seen")
    shown = _shown(remembered.get("shown"))
    if not (isinstance(seen, str) and seen.isascii() and seen.isdigit() and len(seen) < 10):
        raise _unreadable()
    chosen, changes = dict[Setting, str](), dict[Setting, str | None]()
    restored = _ticked(view, _DEFAULTS)
    for setting, was in shown.items():
        text = _chosen(view, setting)
        if not isinstance(was, str) or not _is_readable(setting, text or was):
            raise _unreadable()
        if setting in restored:
            changes[setting] = None
        elif text is None and was != NONE:
            changes[setting] = chosen[setting] = NONE  # An emptied choice of a channel.
        elif text is not None and text != was:
            changes[setting] = chosen[setting] = text
    return SaveSettings(chosen=chosen, changes=changes, seen=int(seen))


def _shown(text: object) -> dict[Setting, object]:
    """The values that the dialog showed, by setting; None for settings that it does not name."""
    try:
        shown = json.loads(text) if isinstance(text, str) else {}
    except (ValueError, RecursionError):
        shown = {}
    known = shown if isinstance(shown, dict) else {}
    return {setting: known.get(setting.value) for setting in Setting}


def _is_readable(setting: Setting, text: str) -> bool:
    try:
        read(setting, text)
    except ValueError:
        return False
    return True


def _unreadable() -> UsageError:
    return UsageError(
        "This dialog cannot be read any more, and nothing was changed.",
        hint=f"`{COMMAND} setup` opens a new one.",
    )


def _chosen(view: Mapping[str, Any], setting: Setting) -> str | None:
    """The text of one setting; None where nothing is chosen."""
    match setting:
        case Setting.STATUS_CHANNEL | Setting.API_CHANNEL:
            channel = element(view, setting).get("selected_conversation")
            return channel if isinstance(channel, str) else None
        case Setting.MENTION_AT:
            return ",".join(one for one in Severity if one in _ticked(view, setting)) or NONE
        case Setting.PRIVATE_BY_DEFAULT:
            return YES if YES in _ticked(view, setting) else NO
        case Setting.PROMISE_DEFAULTS:
            spans = ((one, _option(view, f"{setting}_{one}")) for one in Severity)
            return ",".join(f"{of}={text}m" for of, text in spans if text != NO_PROMISE) or NONE
        case _:
            return _option(view, setting)


def _option(view: Mapping[str, Any], name: str) -> str | None:
    chosen = element(view, name).get("selected_option")
    value = chosen.get("value") if isinstance(chosen, dict) else None
    return value if isinstance(value, str) else None


def _ticked(view: Mapping[str, Any], name: str) -> frozenset[str]:
    """The ticked values of a row of checkboxes."""
    ticked = element(view, name).get("selected_options")
    rows = ticked if isinstance(ticked, list) else []
    return frozenset(str(one.get("value")) for one in rows if isinstance(one, dict))


# --- the answer ----------------------------------------------------------------------------------


def saved(
    known: Configuration,
    changes: Mapping[Setting, str | None],
    catalogue: Catalogue,
    groups: Mapping[str, str],
    *,
    also: str = "",
) -> Json:
    """The answer to a dialog that was saved: each changed setting, as it is now.

    ``also`` says, in markup, what has changed beside them.
    """
    if not changes:
        told = ["Nothing was changed: every setting is as before."]
        return message(told, paragraphs(told))
    now = texts_of(known.workspace.settings, catalogue)
    lines = []
    for setting in (one for one in Setting if one in changes):
        text = now[setting]
        value = escape(words_of(setting, text, groups))
        if setting in CHANNELS and text != NONE:
            value = f"<#{text}>"
        default = " (the default)" if changes[setting] is None else ""
        lines.append(f"• {LABELS[setting]}: {value}{default}")
    told = ["The settings are saved, and in force everywhere:", "\n".join(["", *lines])]
    if also:
        told.append(f"\n{also}")
    return message(told, paragraphs(told))
