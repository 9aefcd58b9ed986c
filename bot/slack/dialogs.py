"""Dialogs that people fill in; `bot.slack.forms` reads them back. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from bot.slack.blocks import (
    Json,
    context,
    input_block,
    modal,
    option,
    plain,
    section,
    select,
    text_box,
)
from bot.slack.buttons import Dialog
from bot.slack.forms import DECLARE, NOTE, SHORTEN, STAY, Kept, Origin, UpdateForm, metadata
from bot.slack.markup import TEXT_MAX, channel_link, clipped, escape, mention, shown
from bot.slack.requests import OpenDeclare
from bot.slack.verbs import COMMAND
from bot.slack.words import (
    DESCRIPTION,
    NOTES,
    PRIVATE,
    TITLE,
    WITHDRAWN,
    declaration_hint,
    note_hint,
    public_hint,
    readers_of,
    status_name,
)
from core.incident import (
    BODY_MAX,
    TITLE_MAX,
    Incident,
    Kind,
    Person,
    Severity,
    Update,
    Workspace,
)
from core.lifecycle import Catalogue, Lifecycle
from core.promise import NextUpdate
from core.texts import duration, one_line

BOX_MAX = 3_000  # of any text box in a dialog
PART_MAX = 2_900  # of a text that is spread over several boxes: the rest is room to type
OPTIONS_MAX = 100
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


def shorten_dialog(text: str, *, label: str, hint: str, origin: Origin, kept: Kept) -> Json:
    """The dialog that holds a text that is too long, to be shortened and sent."""
    told = section(f"It has {len(text):,} characters, which are too many.")
    parts = boxes("text", label, text, hint=hint, optional=False)
    return modal(
        SHORTEN,
        "Shorten it",
        [told, *parts],
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
) -> Json:
    """The dialog in which ``by`` declares an incident, filled in with ``draft``.

    ``secluded``: it is opened where a declaration is private by default.
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
        input_block(
            "private",
            "Who sees it",
            checkboxes,
            hint=declaration_hint(by, origin.place, secluded=secluded and draft.private),
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


def update_dialog(
    incident: Incident,
    workspace: Workspace,
    *,
    origin: Origin,
    form: UpdateForm | None = None,
    moved: Update | None = None,
    at: datetime | None = None,
    kept: Kept | None = None,
    promised: timedelta | None = None,
) -> Json:
    """The dialog with the two boxes, each with its readers.

    ``promised`` is the promise of the next public update that the severity proposes.

    ``form`` is filled in so far. ``moved`` is a transition in the meantime, seen at ``at``: the
    boxes keep their block_ids and so their texts; the choice of steps gets a new block_id, because
    the chosen step may be impossible now.
    """
    form = form or UpdateForm(
        ref=incident.id,
        expected_status=incident.status,
        next_update=NextUpdate(within=promised) if promised else None,
    )
    now = section(f"{escape(incident.title)} · now *{status_name(incident.status)}*")
    blocks = [now, *([moved_meanwhile(incident, moved, at)] if moved and at else [])]
    title = f"Update {incident.name}"
    readers = public_hint(incident) if workspace.status_channel else None
    if incident.terminal and form.public and readers:
        # A text in the place of one that its author has just withdrawn.
        return modal(
            Dialog.UPDATE,
            title,
            [*blocks, box("public", "Public update", form.public, readers, optional=False)],
            submit="Publish",
            private_metadata=metadata(origin, incident, kept=kept),
        )
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
    if readers:
        blocks.append(box("public", "Public update", form.public, readers))
        blocks.append(promise_input(form.next_update.within if form.next_update else None))
    # A text that would have no public reader is kept as a note, rather than lost.
    note = form.note if readers else form.note or form.public
    blocks.append(box("note", "Private note", note, note_hint(incident)))
    blocks.append(context(_preview(incident, workspace, chosen, form if readers else None)))
    return modal(
        Dialog.UPDATE,
        title,
        blocks,
        submit="Save",
        private_metadata=metadata(origin, incident, kept=kept),
    )


def promise_input(chosen: timedelta | None) -> Json:
    """The choice of a promise, with ``chosen`` in it; None: no promise."""
    minutes = None if chosen is None else int(chosen.total_seconds()) // 60
    offered = sorted({*PROMISED_MINUTES, *([minutes] if minutes else [])})
    none = option("No promise", NO_PROMISE)
    spans = {one: option(f"In {duration(timedelta(minutes=one))}", str(one)) for one in offered}
    choice = select(
        [none, *spans.values()],
        action_id="next_update",
        placeholder="When?",
        initial_option=spans[minutes] if minutes else none,
    )
    hint = "Counts from the moment it is public; with a public update only."
    return input_block("next_update", "Next public update", choice, hint=hint)


def promise_dialog(
    incident: Incident, *, origin: Origin, promised: timedelta | None, release: bool
) -> Json:
    """The dialog that promises the next update, or releases the promise with a reason."""
    choice = promise_input(None if release else promised)
    readers = public_hint(incident) or note_hint(incident)
    blocks = [
        section(escape(incident.title)),
        {**choice, "hint": plain(readers), "label": plain("Next update")},
        box("reason", "Reason", None, note_hint(incident)),
    ]
    return modal(
        Dialog.PROMISE,
        f"Promise of {incident.name}",
        blocks,
        submit="Save",
        private_metadata=metadata(origin, incident),
    )


def box(
    block_id: str, label: str, initial: str | None, hint: str, *, optional: bool = True
) -> Json:
    """A box for the body of an update, with its readers in ``hint``."""
    typed = clipped(initial or "", BODY_MAX)
    element = text_box("text", most=BODY_MAX, initial=typed, multiline=True)
    return input_block(block_id, label, element, hint=hint, optional=optional)


def moved_meanwhile(incident: Incident, moved: Update, at: datetime) -> Json:
    """The sentence of a dialog whose incident was moved at ``moved``, before it was sent."""
    return section(
        f"{mention(moved.by)} moved it to *{status_name(incident.status)}* "
        f"{duration(at - moved.at)} ago. Nothing is saved yet, and your texts are still here."
    )


def _preview(
    incident: Incident, workspace: Workspace, to: str | None, form: UpdateForm | None
) -> str:
    if incident.private:
        return f"{PRIVATE} {incident.name} is private: nothing of it is shown in public."
    if workspace.status_channel is None:
        return (
            "There is no status channel yet, so there is no public update. "
            f"A workspace admin sets one with `{COMMAND} setup #channel`."
        )
    status = status_name(to or incident.status)
    reply = ""
    if form and form.public:
        reply = f" · in its thread: {shown(form.public, 300)}"
        if (asked := form.next_update) and asked.within:
            reply += f" · next update in {duration(asked.within)}"
    return (
        f"Preview: {channel_link(workspace.status_channel)} will show {incident.name} "
        f"{escape(incident.title)} · *{status}* · {incident.severity}{reply}"
    )


def assign_dialog(incident: Incident, *, by: Person, origin: Origin) -> Json:
    """The dialog in which ``by`` takes an incident over, or hands it over.

    Whoever does not own it is chosen already. An owner types a name at once.
    """
    people: Json = {
        "type": "users_select",
        "action_id": "person",
        "placeholder": plain("Choose a person"),
        "focus_on_load": True,
    }
    if incident.owner != by:
        people["initial_user"] = by.id
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


def _severities(chosen: Severity) -> Json:
    """The four severities in sight, so that one click chooses."""
    severities = [option(severity.value.capitalize(), severity) for severity in Severity]
    return {
        "type": "radio_buttons",
        "action_id": "severity",
        "options": severities,
        "initial_option": severities[list(Severity).index(chosen)],
    }


def severity_dialog(incident: Incident, *, origin: Origin) -> Json:
    """The dialog that corrects the severity, which is public."""
    choice = _severities(incident.severity)
    hint = public_hint(incident)
    return modal(
        Dialog.SEVERITY,
        f"Severity of {incident.name}",
        [section(escape(incident.title)), input_block("severity", "Severity", choice, hint=hint)],
        submit="Save",
        private_metadata=metadata(origin, incident),
    )


def note_dialog(
    incidents: Sequence[Incident], text: str, *, origin: Origin, kept: Kept | None = None
) -> Json:
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
        *boxes("note", "Private note", text, hint=NOTES, optional=True),
    ]
    return modal(
        NOTE,
        "Add to a timeline",
        blocks,
        submit="Add",
        private_metadata=metadata(origin, kept=kept),
    )


def redact_dialog(incident: Incident, updates: Sequence[Update], *, origin: Origin) -> Json:
    """The dialog that withdraws the text of one of ``updates``, which come oldest first."""
    title = f"Withdraw from {incident.name}"
    renamed = any(update.kind is Kind.TITLE for update in updates)
    written = [one for one in reversed(updates) if _texts(one, incident, renamed=renamed)]
    if not written:
        none = section(
            "None of its newest entries has a text to withdraw. "
            f"`{COMMAND} timeline {incident.number}` shows all of them."
        )
        return modal("message", title, [section(escape(incident.title)), none], close="Close")
    entries = [
        option(_entry_label(update, incident), str(update.entry))
        for update in written[:OPTIONS_MAX]
    ]
    choice = select(entries, action_id="entry", placeholder="Choose an entry")
    older = f"An older one is withdrawn with {COMMAND} withdraw {incident.number} <entry>."
    return modal(
        Dialog.REDACT,
        title,
        [
            section(escape(incident.title)),
            input_block("entry", "Text to withdraw", choice, hint=older),
            context(
                "The text is erased for good; its author and its time stay in the timeline. "
                f"Where it was public, the status channel will then say: _{WITHDRAWN}_"
            ),
        ],
        submit="Withdraw",
        private_metadata=metadata(origin, incident),
    )


def _texts(update: Update, incident: Incident, *, renamed: bool) -> bool:
    """Whether an entry has a text that can be withdrawn: the present title is none."""
    match update.kind:
        case Kind.DECLARED:
            return renamed or bool(incident.description or incident.category)
        case Kind.TITLE:
            return update.new not in {None, incident.title}
        case _:
            return update.body is not None


def _entry_label(update: Update, incident: Incident) -> str:
    match update.kind:
        case Kind.DECLARED:
            text = incident.description or incident.category or "the first title"
            return f"{update.entry} · {PRIVATE} declaration: {one_line(text)}"
        case Kind.TITLE:
            return f"{update.entry} · title: {update.new}"
        case _:
            return f"{update.entry} · {readers_of(update)}: {one_line(update.body or '')}"
