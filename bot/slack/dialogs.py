"""Dialogs: the views that people fill in, and what they say when they are submitted. Pure.

Each view keeps what it is about in ``private_metadata``, because a submission brings nothing else
along. Reading one is total: whatever a payload holds, the answer is a command or a `UserError`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from bot.slack.blocks import (
    TEXT_MAX,
    Json,
    channel_link,
    clipped,
    context,
    duration,
    escape,
    input_block,
    mention,
    modal,
    option,
    plain,
    section,
    select,
    shown,
    text_box,
)
from bot.slack.parser import COMMAND, AssignTo, OpenDeclare, UsageError
from bot.slack.views import PRIVATE, PUBLIC, WITHDRAWN, Dialog, status_name
from core.errors import EmptyUpdate, InvalidField, UnknownLifecycle, UserError
from core.incident import (
    BODY_MAX,
    TITLE_MAX,
    Actor,
    Change,
    Declare,
    Incident,
    Note,
    Place,
    PublicText,
    Redact,
    Severity,
    Update,
    Visibility,
    Workspace,
)
from core.lifecycle import Catalogue, Lifecycle
from core.refusals import Denied, NoPublicSurface, Permission, Refused, UnknownComponent
from core.texts import one_line

BOX_MAX = 3_000  # of any text box in a dialog
OPTIONS_MAX = 100
STAY = "stay"
# The callback_ids of the dialogs that are about no incident yet.
DECLARE, NOTE = "declare", "note"
EVERYONE = "Everyone in the status channel and on the status page will read this."
RESPONDERS = "Responders only. Never leaves this workspace."


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where a dialog was opened. ``response_url``, a secret, is where its answer can be shown."""

    channel: str | None = None
    channel_private: bool = False
    response_url: str | None = None


# --- views -----------------------------------------------------------------------------------


def loading(told: str = "One moment…") -> Json:
    """What is opened at once, before the store has answered."""
    return modal("loading", "Ratchet", [section(told)], close="Close")


def message_dialog(message: Json) -> Json:
    """A dialog that only tells what ``message`` would.

    Its buttons stay behind, because they need a message to answer in; its text names them.
    """
    told = [section(message["text"])]
    if len(message["text"]) > TEXT_MAX:
        told = [block for block in message["blocks"] if block["type"] in {"section", "context"}]
    return modal("message", "Ratchet", told, close="Close")


# What an input element calls the value that it starts with, by what its state calls the value.
INITIAL = {
    "selected_conversation": "initial_conversation",
    "value": "initial_value",
    "selected_option": "initial_option",
    "selected_options": "initial_options",
    "selected_user": "initial_user",
}


def refilled(view: Mapping[str, Any], message: Json) -> Json:
    """``view`` once more, with all that was typed into it, under what ``message`` tells."""
    told = message_dialog(message)["blocks"]
    # A fault that was told before stands above the inputs, and gives way to the new one.
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


def declare_dialog(
    catalogue: Catalogue, *, origin: Origin, draft: OpenDeclare | None = None
) -> Json:
    """The dialog that declares an incident, filled in with ``draft``."""
    draft = draft or OpenDeclare()
    severities = [option(severity.value.capitalize(), severity) for severity in Severity]
    lifecycles = {
        lifecycle.name: {
            **option(status_name(lifecycle.name), lifecycle.name),
            "description": plain(clipped(_way(lifecycle), 75)),
        }
        for lifecycle in catalogue
    }
    private = option("Private: only you, the owner and workspace admins see it", "private")
    checkboxes: Json = {"type": "checkboxes", "action_id": "private", "options": [private]}
    if draft.private:
        checkboxes["initial_options"] = [private]
    # A shortcut knows no channel; the menu begins with the one that the person looks at.
    channel: list[Json] = [] if origin.channel else [CHANNEL]
    blocks = [
        *channel,
        input_block(
            "title",
            "Title",
            text_box("title", most=TITLE_MAX, initial=clipped(draft.title, TITLE_MAX)),
            hint=f"{EVERYONE} Unless the incident is private.",
        ),
        input_block(
            "severity",
            "Severity",
            select(
                severities,
                action_id="severity",
                placeholder="How bad is it?",
                initial_option=severities[list(Severity).index(draft.severity)],
            ),
        ),
        input_block(
            "lifecycle",
            "Lifecycle",
            select(
                list(lifecycles.values()),
                action_id="lifecycle",
                placeholder="Which steps does it take?",
                initial_option=lifecycles[draft.lifecycle or catalogue.default.name],
            ),
        ),
        input_block(
            "components",
            "Affected components",
            text_box("components", most=BOX_MAX, initial=", ".join(draft.components)[:BOX_MAX]),
            hint="Names with commas between them. A new name makes a new component.",
            optional=True,
        ),
        input_block("private", "Who sees it", checkboxes, optional=True),
        input_block(
            "description",
            "Description",
            text_box(
                "description",
                most=BOX_MAX,
                initial=clipped(draft.description, BOX_MAX),
                multiline=True,
            ),
            hint=RESPONDERS,
            optional=True,
        ),
    ]
    return modal(
        DECLARE,
        "Declare an incident",
        blocks,
        submit="Declare",
        private_metadata=_metadata(origin),
    )


def _way(lifecycle: Lifecycle) -> str:
    return " → ".join(status_name(status.name) for status in lifecycle.statuses)


def update_dialog(
    incident: Incident,
    workspace: Workspace,
    *,
    origin: Origin,
    form: UpdateForm | None = None,
    moved: Update | None = None,
    at: datetime | None = None,
) -> Json:
    """The dialog with the two boxes, each of which says who will read it.

    ``form`` is what was filled in so far. ``moved`` is the transition that came in between, at most
    until ``at``: the boxes keep their block_ids and so their text, the choice of steps gets a new
    one, because what was chosen may not be possible any more.
    """
    form = form or UpdateForm(ref=incident.id, expected_status=incident.status)
    now = section(f"{escape(incident.title)} · now *{status_name(incident.status)}*")
    blocks = [now, *([_moved(incident, moved, at)] if moved and at else [])]
    title = f"Update {incident.name}"
    if incident.terminal:
        end = section("That is the end of its lifecycle: it takes no further updates.")
        return modal("message", title, [*blocks, end], close="Close")
    stay = option(f"Stay {status_name(incident.status)}", STAY)
    steps = {step: option(status_name(step), step) for step in incident.next_steps}
    chosen = form.to if form.to in steps else None
    blocks.append(
        input_block(
            f"step:{incident.status}",
            "Next step",
            select(
                [stay, *steps.values()],
                action_id="preview",
                placeholder="Next step",
                initial_option=steps[chosen] if chosen else stay,
            ),
            dispatch=True,
        )
    )
    public = incident.private is False and workspace.status_channel is not None
    if public:
        blocks.append(_box("public", "Public update", form.public, EVERYONE))
    blocks.append(_box("note", "Private note", form.note, RESPONDERS))
    blocks.append(context(_preview(incident, workspace, chosen, form.public if public else None)))
    return modal(
        Dialog.UPDATE,
        title,
        blocks,
        submit="Save",
        private_metadata=_metadata(origin, incident),
    )


def _box(block_id: str, label: str, initial: str | None, hint: str) -> Json:
    box = text_box("text", most=BODY_MAX, initial=clipped(initial or "", BODY_MAX), multiline=True)
    return input_block(block_id, label, box, hint=hint, optional=True)


def _moved(incident: Incident, moved: Update, at: datetime) -> Json:
    return section(
        f"{mention(moved.by)} moved it to *{status_name(incident.status)}* "
        f"{duration(at - moved.at)} ago. Nothing was changed by you; what you typed is still here."
    )


def _preview(
    incident: Incident, workspace: Workspace, to: str | None, public: PublicText | None
) -> str:
    if incident.private:
        return f"{PRIVATE} {incident.name} is private: nothing of it is shown in public."
    if workspace.status_channel is None:
        return (
            "There is no status channel yet, so there is no public update. "
            f"A workspace admin sets one with `{COMMAND} setup #channel`."
        )
    status = status_name(to or incident.status)
    reply = f" · in its thread: {shown(public, 300)}" if public else ""
    return (
        f"Preview: {channel_link(workspace.status_channel)} will show {incident.name} "
        f"{escape(incident.title)} · *{status}* · {incident.severity}{reply}"
    )


def assign_dialog(incident: Incident, *, origin: Origin) -> Json:
    """The dialog that hands an incident over."""
    people: Json = {
        "type": "users_select",
        "action_id": "person",
        "placeholder": plain("Choose a person"),
    }
    if incident.owner and incident.owner.in_slack:
        people["initial_user"] = incident.owner.id
    return modal(
        Dialog.ASSIGN,
        f"Assign {incident.name}",
        [
            section(escape(incident.title)),
            input_block("person", "Owner", people, hint="The one person who leads the incident."),
        ],
        submit="Assign",
        private_metadata=_metadata(origin, incident),
    )


def severity_dialog(incident: Incident, *, origin: Origin) -> Json:
    """The dialog that corrects the severity, which is public."""
    severities = [option(severity.value.capitalize(), severity) for severity in Severity]
    choice = select(
        severities,
        action_id="severity",
        placeholder="How bad is it?",
        initial_option=severities[list(Severity).index(incident.severity)],
    )
    hint = None if incident.private else EVERYONE
    return modal(
        Dialog.SEVERITY,
        f"Severity of {incident.name}",
        [section(escape(incident.title)), input_block("severity", "Severity", choice, hint=hint)],
        submit="Save",
        private_metadata=_metadata(origin, incident),
    )


def note_dialog(incidents: Sequence[Incident], text: str, *, origin: Origin) -> Json:
    """The dialog that keeps ``text``, a message of Slack's, as a private note of an incident."""
    if not incidents:
        told = section(f"Nothing is open. `{COMMAND} declare` declares an incident.")
        return modal("message", "Add to a timeline", [told], close="Close")
    options = [
        option(f"{incident.name} {incident.title}", str(incident.id))
        for incident in incidents[:OPTIONS_MAX]
    ]
    menu = select(
        options, action_id="incident", placeholder="Which incident?", initial_option=options[0]
    )
    blocks = [
        input_block("incident", "Incident", menu),
        _box("note", "Private note", text, RESPONDERS),
    ]
    return modal(
        NOTE, "Add to a timeline", blocks, submit="Add", private_metadata=_metadata(origin)
    )


def note_form(view: Mapping[str, Any], *, actor: Actor) -> Change:
    """The note that was submitted.

    Raises:
        UsageError: there is no such choice (any more).
    """
    try:
        ref = UUID(_chosen(view, "incident"))
    except ValueError:
        raise unreadable() from None
    return Change(actor=actor, ref=ref, note=Note(_typed(view, "note")))


def redact_dialog(incident: Incident, updates: Sequence[Update], *, origin: Origin) -> Json:
    """The dialog that withdraws the text of one of ``updates``, which come oldest first."""
    title = f"Redact {incident.name}"
    written = [update for update in reversed(updates) if update.body is not None]
    if not written:
        none = section(
            "None of its newest entries has a text that could be withdrawn. "
            f"`{COMMAND} timeline {incident.number}` shows all of them."
        )
        return modal("message", title, [section(escape(incident.title)), none], close="Close")
    entries = [option(_entry_label(update), str(update.entry)) for update in written[:OPTIONS_MAX]]
    choice = select(entries, action_id="entry", placeholder="Choose an entry")
    older = f"An older one is withdrawn with {COMMAND} redact {incident.number} <entry>."
    return modal(
        Dialog.REDACT,
        title,
        [
            section(escape(incident.title)),
            input_block("entry", "Whose text is withdrawn", choice, hint=older),
            context(
                "The text is erased for good; who wrote it and when stays in the timeline. "
                f"In the status channel stands then: _{WITHDRAWN}_"
            ),
        ],
        submit="Withdraw",
        private_metadata=_metadata(origin, incident),
    )


def _entry_label(update: Update) -> str:
    public = update.visibility is Visibility.PUBLIC
    readers = f"{PUBLIC} public" if public else f"{PRIVATE} private"
    return f"{update.entry} · {readers}: {one_line(update.body or '')}"


# --- what a view is about ----------------------------------------------------------------------


def _metadata(origin: Origin, incident: Incident | None = None) -> str:
    about = {"incident": str(incident.id), "status": incident.status} if incident else {}
    return json.dumps({**asdict(origin), **about}, separators=(",", ":"))


def _remembered(view: Mapping[str, Any]) -> dict[str, Any]:
    try:
        remembered = json.loads(view.get("private_metadata") or "{}")
    except (TypeError, ValueError, RecursionError):
        return {}
    return remembered if isinstance(remembered, dict) else {}


def origin_of(view: Mapping[str, Any]) -> Origin:
    """Where ``view`` was opened, or the channel that was chosen in it."""
    remembered = _remembered(view)
    channel, url = remembered.get("channel"), remembered.get("response_url")
    # Chosen in the dialog itself, where it was opened from no channel.
    channel = channel or _element(view, "channel").get("selected_conversation")
    return Origin(
        channel=channel if isinstance(channel, str) else None,
        channel_private=remembered.get("channel_private") is True,
        response_url=url if isinstance(url, str) else None,
    )


def _about(view: Mapping[str, Any]) -> tuple[UUID, str]:
    """The incident that ``view`` is about, and the status it was drawn for."""
    remembered = _remembered(view)
    try:
        return UUID(str(remembered["incident"])), str(remembered["status"])
    except (KeyError, ValueError):
        raise unreadable() from None


def unreadable() -> UsageError:
    """The refusal of a form that we did not draw, or not like this."""
    return UsageError(
        "This dialog cannot be read any more, and nothing was changed.",
        hint=f"`{COMMAND}` shows what is open, with buttons that open a new one.",
    )


# --- what was filled in --------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateForm:
    """What the update dialog holds; None for what was left alone."""

    ref: UUID
    expected_status: str
    to: str | None = None
    public: PublicText | None = None
    note: Note | None = None

    def command(self, actor: Actor) -> Change:
        """The one command that a submit is."""
        return Change(
            actor=actor,
            ref=self.ref,
            to=self.to,
            public=self.public,
            note=self.note,
            expected_status=self.expected_status,
        )


def update_form(view: Mapping[str, Any]) -> UpdateForm:
    """What stands in the update dialog, submitted or not.

    Raises:
        UsageError: it is no update dialog.
    """
    incident, status = _about(view)
    step = _chosen(view, "step")
    public, note = _typed(view, "public"), _typed(view, "note")
    return UpdateForm(
        ref=incident,
        expected_status=status,
        to=None if step in {"", STAY} else step,
        # White space alone is a fault at its field and not an empty box: the engine says so.
        public=PublicText(public) if public else None,
        note=Note(note) if note else None,
    )


def declare_form(
    view: Mapping[str, Any], *, actor: Actor, catalogue: Catalogue, new_id: UUID
) -> Declare:
    """The declaration that was submitted.

    Raises:
        UserError: a choice that there is not (any more).
    """
    origin = origin_of(view)
    return Declare(
        actor=actor,
        id=new_id,
        title=_typed(view, "title"),
        lifecycle=catalogue.find(_chosen(view, "lifecycle") or catalogue.default.name),
        severity=_severity(view),
        private=_chosen(view, "private") == "private",
        components=tuple(
            name for part in _typed(view, "components").split(",") if (name := part.strip())
        ),
        description=_typed(view, "description") or None,
        place=Place(origin.channel, private=origin.channel_private) if origin.channel else None,
    )


def assign_form(view: Mapping[str, Any], *, actor: Actor) -> AssignTo:
    """The hand-over that was submitted.

    Raises:
        UsageError: nobody was chosen.
    """
    incident, _ = _about(view)
    if not (user := _chosen(view, "person")):
        raise UsageError("Nobody was chosen.", hint="Choose the person who leads the incident.")
    return AssignTo(actor=actor, ref=incident, user=user)


def severity_form(view: Mapping[str, Any], *, actor: Actor) -> Change:
    """The correction that was submitted.

    Raises:
        UsageError: there is no such severity.
    """
    incident, _ = _about(view)
    return Change(actor=actor, ref=incident, severity=_severity(view))


def redact_form(view: Mapping[str, Any], *, actor: Actor) -> Redact:
    """The redaction that was submitted.

    Raises:
        UsageError: no entry was chosen.
    """
    incident, _ = _about(view)
    entry = _chosen(view, "entry")
    if not (entry.isascii() and entry.isdigit() and len(entry) < 10):
        raise UsageError("No entry was chosen.", hint="Choose the one whose text is withdrawn.")
    return Redact(actor=actor, ref=incident, entry=int(entry))


def _severity(view: Mapping[str, Any]) -> Severity:
    try:
        return Severity(_chosen(view, "severity"))
    except ValueError:
        raise UsageError("No severity was chosen.", hint="Choose one of the four.") from None


def _element(view: Mapping[str, Any], name: str) -> dict[str, Any]:
    """What the input ``name`` holds. Slack sends it as ``values.<block_id>.<action_id>``."""
    state = view.get("state")
    values = state.get("values") if isinstance(state, dict) else None
    for block_id, elements in values.items() if isinstance(values, dict) else ():
        if str(block_id).split(":")[0] == name and isinstance(elements, dict):
            return next((held for held in elements.values() if isinstance(held, dict)), {})
    return {}


def _typed(view: Mapping[str, Any], name: str) -> str:
    value = _element(view, name).get("value")
    return value if isinstance(value, str) else ""


def _chosen(view: Mapping[str, Any], name: str) -> str:
    """The chosen value of a select, a row of checkboxes (its first) or a choice of people."""
    held = _element(view, name)
    chosen, ticked = held.get("selected_option"), held.get("selected_options")
    if isinstance(ticked, list) and ticked:
        chosen = ticked[0]
    value = chosen.get("value") if isinstance(chosen, dict) else held.get("selected_user")
    return value if isinstance(value, str) else ""


# --- faults at their fields ------------------------------------------------------------------


def dialog_errors(error: UserError, view: Mapping[str, Any]) -> dict[str, str]:
    """``error`` by block_id, for ``response_action: errors``: at the fields that it is about.

    An error about none of the view's fields stands at the first one.

    Source: https://docs.slack.dev/surfaces/modals#displaying_errors
    """
    blocks = view.get("blocks") or ()
    inputs = [block["block_id"] for block in blocks if block.get("type") == "input"]
    named = [block for block in inputs if block.split(":")[0] in _fields(error)]
    return dict.fromkeys(named or inputs[:1], error.message)


def _fields(error: UserError) -> tuple[str, ...]:  # noqa: PLR0911 - one for each class of error
    match error:
        case InvalidField(field="public_update"):
            return ("public",)
        case InvalidField(field=field):
            return (field,)
        case EmptyUpdate():
            return ("step", "public", "note")
        case UnknownComponent():
            return ("components",)
        case UnknownLifecycle():
            return ("lifecycle",)
        case NoPublicSurface() | Denied(permission=Permission.PUBLISH):
            return ("public",)
        case Refused():
            return ("step",)
        case _:
            return ()
