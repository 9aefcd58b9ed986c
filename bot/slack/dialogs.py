"""Dialogs that people fill in; `bot.slack.forms` reads them back. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta, tzinfo
from typing import Any

from bot.slack.blocks import (
    Json,
    input_block,
    modal,
    option,
    plain,
    section,
    select,
    text_box,
)
from bot.slack.forms import DECLARE, NOTE, SHORTEN, STAY
from bot.slack.inputs import Kept, Origin, metadata
from bot.slack.markup import TEXT_MAX, clipped, escape, mention
from bot.slack.pressed import Dialog
from bot.slack.requests import OpenDeclare
from bot.slack.verbs import COMMAND
from bot.slack.words import (
    DESCRIPTION,
    NOTES,
    TITLE,
    declaration_hint,
    fact_hint,
    next_update,
    note_hint,
    status_name,
)
from core.commands import SetPromise
from core.incident import (
    BODY_MAX,
    TITLE_MAX,
    Incident,
    Person,
    Severity,
    Update,
)
from core.lifecycle import Catalogue, Lifecycle
from core.promise import Promise
from core.ranking import counted
from core.times import clock_time, duration
from core.workspace import Workspace

BOX_MAX = 3_000  # of any text box in a dialog
PART_MAX = 2_900  # of a text that is spread over several boxes: the rest is room to type
OPTIONS_MAX = 100
SINCE_MAX = 60
SINCE = (
    "Empty: now. Otherwise 25m, 02:50 or yesterday 23:10 in your own time zone. "
    "It is as public as the title."
)
# The promises that a dialog offers, in minutes, beside the default of the severity.
PROMISED_MINUTES = (15, 30, 60, 120, 240)
NO_PROMISE = "none"


def loading(told: str = "One moment…") -> Json:
    """The dialog that is shown until the store has answered."""
    return modal("loading", "Ratchet", [section(told)], close="Close")


def message_dialog(message: Json) -> Json:
    """A dialog that shows ``message``, laid out and with its buttons."""
    return modal("message", "Ratchet", message["blocks"], close="Close")


def _told(message: Json) -> list[Json]:
    """``message`` above the inputs of a dialog: its text, which names the buttons left out."""
    if len(message["text"]) <= TEXT_MAX:
        return [section(message["text"])]
    return [block for block in message["blocks"] if block["type"] in {"section", "context"}]


# The name of an input's initial value, by the name of the value in its state.
INITIAL = {
    "selected_conversation": "initial_conversation",
    "value": "initial_value",
    "selected_option": "initial_option",
    "selected_options": "initial_options",
    "selected_user": "initial_user",
}


def refilled(view: Mapping[str, Any], message: Json) -> Json:
    """``view`` with everything that was typed into it, under the text of ``message``."""
    told = _told(message)
    # The text of an earlier message above the inputs is replaced.
    first = next((i for i, block in enumerate(view["blocks"]) if block["type"] == "input"), 0)
    blocks = [_refilled(block, view) for block in view["blocks"][first:]]
    kept = ("type", "callback_id", "title", "submit", "close", "private_metadata")
    return {**{key: view[key] for key in kept if view.get(key)}, "blocks": [*told, *blocks]}


def _refilled(block: Mapping[str, Any], view: Mapping[str, Any]) -> Json:
    if block["type"] != "input":
        return dict(block)
    element = {k: v for k, v in block["element"].items() if k not in INITIAL.values()}
    typed = view["state"]["values"][block["block_id"]][element["action_id"]]
    starts = {name: typed[key] for key, name in INITIAL.items() if typed.get(key)}
    return {**block, "element": {**element, **starts}}


CHANNEL = input_block(
    "channel",
    "Channel",
    {
        "type": "conversations_select",
        "action_id": "channel",
        "default_to_current_conversation": True,
        "response_url_enabled": True,
        "filter": {"include": ["public", "private"], "exclude_external_shared_channels": False},
    },
    hint="The incident's card is posted there.",
    optional=True,
)


def boxes(name: str, label: str, text: str, *, hint: str | None, optional: bool) -> list[Json]:
    """As many boxes as the whole of ``text`` needs, since Slack limits each; `forms` joins them."""
    parts = [text[start : start + PART_MAX] for start in range(0, len(text), PART_MAX)] or [""]
    return [
        input_block(
            name if place == 1 else f"{name}_{place}",
            label if len(parts) == 1 else f"{label}, part {place}",
            text_box(name, most=BOX_MAX, initial=part, multiline=True),
            hint=hint,
            optional=optional or place > 1,
        )
        for place, part in enumerate(parts, start=1)
    ]


def shorten_dialog(
    text: str, *, most: int = BODY_MAX, label: str, hint: str, origin: Origin, kept: Kept
) -> Json:
    """The dialog that holds a text to be edited and sent; ``most``: it is too long if longer."""
    long = len(text) > most
    told = [section(f"It has {len(text):,} characters, which are too many.")] if long else []
    parts = boxes("text", label, text, hint=hint, optional=False)
    return modal(
        SHORTEN,
        "Shorten it" if long else "Edit it",
        [*told, *parts],
        submit="Send",
        private_metadata=metadata(origin, kept=kept),
    )


def declare_dialog(
    catalogue: Catalogue,
    *,
    by: Person,
    origin: Origin,
    draft: OpenDeclare | None = None,
    kept: Kept | None = None,
    secluded: bool = False,
    workspace: Workspace | None = None,
    severity: Severity = Severity.MEDIUM,
) -> Json:
    """The dialog in which ``by`` declares an incident, filled in with ``draft``.

    ``severity`` is the workspace's default, and ``catalogue`` has its default lifecycle.
    ``secluded``: it is opened where a declaration is private by default. ``workspace`` None: it
    could not be read.
    """
    draft = draft or OpenDeclare()
    severities = [option(severity.value.capitalize(), severity) for severity in Severity]
    lifecycles = {
        lifecycle.name: {
            **option(status_name(lifecycle.name), lifecycle.name),
            "description": plain(clipped(_way(lifecycle), 75)),
        }
        for lifecycle in catalogue
    }
    private = option("Private", "private")
    checkboxes: Json = {"type": "checkboxes", "action_id": "private", "options": [private]}
    if draft.private:
        checkboxes["initial_options"] = [private]
    # A shortcut knows no channel. Slack preselects the channel that the person looks at.
    channel: list[Json] = [] if origin.place else [CHANNEL]
    blocks = [
        *channel,
        input_block(
            "title",
            "Title",
            text_box("title", most=TITLE_MAX, initial=clipped(draft.title, TITLE_MAX)),
            hint=TITLE,
        ),
        input_block(
            "severity",
            "Severity",
            select(
                severities,
                action_id="severity",
                placeholder="How bad is it?",
                initial_option=severities[list(Severity).index(draft.severity or severity)],
            ),
        ),
        input_block(
            "lifecycle",
            "Lifecycle",
            select(
                list(lifecycles.values()),
                action_id="lifecycle",
                placeholder="Which steps does it take?",
                initial_option=lifecycles.get(
                    draft.lifecycle or catalogue.default.name,
                    # It may have left the file.
                    lifecycles[catalogue.default.name],
                ),
            ),
        ),
        input_block(
            "components",
            "Affected components",
            text_box("components", most=BOX_MAX, initial=", ".join(draft.components)[:BOX_MAX]),
            hint="Names with commas between them. A new name makes a new component.",
            optional=True,
        ),
        input_block(
            "private",
            "Who sees it",
            checkboxes,
            hint=declaration_hint(by, origin.place, workspace, secluded=secluded and draft.private),
            optional=True,
        ),
        input_block(
            "since",
            "Started",
            text_box("since", most=SINCE_MAX, initial=clipped(draft.since, SINCE_MAX)),
            hint=SINCE,
            optional=True,
        ),
        *boxes("description", "Description", draft.description, hint=DESCRIPTION, optional=True),
    ]
    return modal(
        DECLARE,
        "Declare an incident",
        blocks,
        submit="Declare",
        private_metadata=metadata(origin, kept=kept),
    )


def _way(lifecycle: Lifecycle) -> str:
    return " → ".join(status_name(status.name) for status in lifecycle.statuses)


def promise_input(
    chosen: timedelta | None, *, others: Sequence[Json], proposed: timedelta | None = None
) -> Json:
    """The choice of a promise, with ``chosen`` in it; None: the first of the ``others``.

    The block_id says what is ``proposed``, so that a choice of the person is told from it.
    """
    minutes, own = _minutes(chosen), _minutes(proposed)
    offered = sorted({*PROMISED_MINUTES, *filter(None, [minutes, own])})
    spans = {one: option(f"In {duration(timedelta(minutes=one))}", str(one)) for one in offered}
    choice = select(
        [*others, *spans.values()],
        action_id="preview:next_update",
        placeholder="When?",
        initial_option=spans[minutes] if minutes else others[0],
    )
    return input_block(
        f"next_update:{own or NO_PROMISE}",
        "Next public update",
        choice,
        hint="Counts from the moment it is public; with a public update only.",
        dispatch=True,
    )


def _minutes(span: timedelta | None) -> int | None:
    return None if span is None else int(span.total_seconds()) // 60


def promise_dialog(
    incident: Incident,
    present: Promise | None,
    workspace: Workspace,
    *,
    origin: Origin,
    at: datetime,
    zone: tzinfo,
    release: bool = False,
    form: SetPromise | None = None,
) -> Json:
    """The dialog that promises the next update, or releases the promise with a reason.

    ``present`` is the promise in force, which it names: another one is neither released nor moved
    by it. The first choice leaves everything as it is. ``release``: it does nothing but release.
    ``form`` could not be saved because the promise had changed: what was typed stays. ``zone`` is
    the reader's.
    """
    releases = release and present is not None and form is None
    told = ["Its promise has changed meanwhile. Nothing is saved yet."] if form else []
    choice = (
        []
        if releases
        else [_promise_choice(incident, present, workspace, form=form, at=at, zone=zone)]
    )
    blocks = [
        section(escape(incident.title)),
        section(" ".join([*told, _in_force(present, at=at, release=releases)])),
        *choice,
        box("reason", "Reason", form.reason if form else None, note_hint(incident)),
    ]
    drawn_for = str(present.entry) if present else ""
    return modal(
        Dialog.PROMISE,
        f"Promise of {incident.name}",
        blocks,
        submit="Release" if releases else "Save",
        private_metadata=metadata(origin, incident, promise=drawn_for),
    )


def _promise_choice(
    incident: Incident,
    present: Promise | None,
    workspace: Workspace,
    *,
    form: SetPromise | None,
    at: datetime,
    zone: tzinfo,
) -> Json:
    none = option("No promise", NO_PROMISE if present else STAY)
    others = [none]
    if present:
        when = clock_time(present.due_at, at=at, zone=zone)
        due = f"was due {when}" if present.due_at < at else f"by {when}"
        others.insert(0, option(f"Leave it as it is: {due}", STAY))
    if form and form.next_update is None:
        others.sort(key=lambda one: one is not none)
    chosen = form.next_update.within if form and form.next_update else None
    choice = promise_input(chosen, others=others)
    # It has no preview, so nothing needs to be sent while it is filled in.
    still = {name: value for name, value in choice.items() if name != "dispatch_action"}
    hint = plain(fact_hint(incident, workspace))
    return {**still, "hint": hint, "label": plain("Next update")}


def _in_force(present: Promise | None, *, at: datetime, release: bool) -> str:
    if present is None:
        return "No promise is in force."
    told = next_update(present.due_at, seen_from=at, overdue=present.due_at < at)
    return f"This releases the promise: *{told}*." if release else f"In force: *{told}*."


def box(
    block_id: str,
    label: str,
    initial: str | None,
    hint: str,
    *,
    optional: bool = True,
    action_id: str = "text",
) -> Json:
    """A box for the body of an update, with its readers in ``hint``.

    With another ``action_id`` it is sent while somebody types, for a preview.
    """
    typed = clipped(initial or "", BODY_MAX)
    element = text_box(action_id, most=BODY_MAX, initial=typed, multiline=True)
    dispatch = action_id != "text"
    if dispatch:
        element["dispatch_action_config"] = {"trigger_actions_on": ["on_character_entered"]}
    return input_block(block_id, label, element, hint=hint, optional=optional, dispatch=dispatch)


def moved_meanwhile(incident: Incident, moved: Update, at: datetime) -> Json:
    """The sentence of a dialog whose incident was moved at ``moved``, before it was sent."""
    return section(
        f"{mention(moved.by)} moved it to *{status_name(incident.status)}* "
        f"{duration(at - moved.at)} ago. Nothing is saved yet, and your texts are still here."
    )


def assign_dialog(incident: Incident, *, origin: Origin) -> Json:
    """The dialog that hands an incident over.

    The present owner is chosen already, so that it changes nothing if it is saved untouched. Nobody
    is, where nobody leads it, or an owner whom Slack's list does not have.
    """
    people: Json = {
        "type": "users_select",
        "action_id": "person",
        "placeholder": plain("Choose a person"),
        "focus_on_load": True,
    }
    owner = incident.owner
    if owner and owner.in_slack and not incident.owner_left:
        people["initial_user"] = owner.id
    return modal(
        Dialog.ASSIGN,
        f"Assign {incident.name}",
        [
            section(escape(incident.title)),
            input_block("person", "Owner", people, hint="The one person who leads the incident."),
        ],
        submit="Assign",
        private_metadata=metadata(origin, incident),
    )


def severity_choice(chosen: Severity, *, action_id: str = "severity", focus: bool = True) -> Json:
    """The four severities in sight, so that one click chooses."""
    severities = [option(severity.value.capitalize(), severity) for severity in Severity]
    return {
        "type": "radio_buttons",
        "action_id": action_id,
        "options": severities,
        "initial_option": severities[list(Severity).index(chosen)],
        **({"focus_on_load": True} if focus else {}),
    }


def severity_dialog(incident: Incident, workspace: Workspace, *, origin: Origin) -> Json:
    """The dialog that corrects the severity."""
    choice = severity_choice(incident.severity)
    hint = fact_hint(incident, workspace)
    return modal(
        Dialog.SEVERITY,
        f"Severity of {incident.name}",
        [section(escape(incident.title)), input_block("severity", "Severity", choice, hint=hint)],
        submit="Save",
        private_metadata=metadata(origin, incident),
    )


def note_dialog(
    incidents: Sequence[Incident],
    text: str,
    *,
    total: int,
    origin: Origin,
    kept: Kept | None = None,
) -> Json:
    """The dialog that keeps ``text``, a message of Slack's, as a private note of an incident.

    ``incidents`` are those that can be chosen, of ``total`` open ones.
    """
    if not incidents:
        told = section(f"Nothing is open. `{COMMAND} declare` declares an incident.")
        return modal("message", "Add to a timeline", [told], close="Close")
    options = [
        option(f"{incident.name} {incident.title}", str(incident.id)) for incident in incidents
    ]
    # Among several incidents nobody but the person knows which one is meant.
    chosen = {"initial_option": options[0]} if len(options) == 1 else {}
    menu = select(options, action_id="incident", placeholder="Which incident?", **chosen)
    place = f"{len(options)} of {counted(total)} open incidents"
    left_out = f"{place}, the worst first. {COMMAND} note <n> takes any of them."
    hint = left_out if total > len(options) else None
    blocks = [
        input_block("incident", "Incident", menu, hint=hint),
        *boxes("note", "Private note", text, hint=NOTES, optional=True),
    ]
    return modal(
        NOTE,
        "Add to a timeline",
        blocks,
        submit="Add",
        private_metadata=metadata(origin, kept=kept),
    )
