"""The dialogs with one text about one incident: a note, or one of its facts. Pure."""

from __future__ import annotations

from bot.slack.blocks import Json, input_block, modal, section, text_box
from bot.slack.boxes import INPUTS, Box
from bot.slack.dialogs import BOX_MAX, boxes
from bot.slack.inputs import Kept, Origin, metadata
from bot.slack.markup import clipped, escape, mention, shown
from bot.slack.verbs import COMMAND
from bot.slack.words import description_hint, fact_hint, note_hint
from core.incident import TITLE_MAX, Incident, Update
from core.sections import mark_of, texts_of
from core.workspace import Workspace


def box_dialog(
    box: Box,
    incident: Incident,
    workspace: Workspace,
    *,
    origin: Origin,
    text: str | None = None,
    kept: Kept | None = None,
    changed: Update | None = None,
) -> Json:
    """The dialog of ``box`` about an open incident, filled with ``text`` or its present value.

    ``text`` could not be saved if somebody wrote the entry ``changed`` meanwhile: the present value
    is shown beside it, and saving replaces that.
    A description is told of after the end as well: it stays as it is, and can be withdrawn.
    """
    name, seen = incident.name, texts_of(incident).get(INPUTS[box], "")
    match box:
        case Box.NOTE:
            title, hint = f"Note on {name}", note_hint(incident)
            inputs = boxes("note", "Private note", text or "", hint=hint, optional=False)
        case Box.TITLE:
            title = f"Title of {name}"
            filled = clipped(text or incident.title, TITLE_MAX)
            element = text_box("title", most=TITLE_MAX, initial=filled)
            inputs = [input_block("title", "Title", element, hint=fact_hint(incident, workspace))]
        case Box.COMPONENTS:
            title = f"Components of {name}"
            hint = "Names with commas between them. An empty box clears the list."
            filled = clipped(seen if text is None else text, BOX_MAX)
            element = text_box("components", most=BOX_MAX, initial=filled)
            hint = f"{hint} {fact_hint(incident, workspace)}"
            inputs = [input_block("components", "Components", element, hint=hint, optional=True)]
        case _:
            title, hint = f"Describe {name}", description_hint(incident)
            if incident.terminal:
                return _ended(title, incident)
            filled = text or incident.description or ""
            inputs = boxes("description", "Description", filled, hint=hint, optional=False)
    marked = {} if box is Box.NOTE else {"seen": mark_of(seen)}
    return modal(
        box,
        title,
        [section(escape(incident.title)), *_meanwhile(box, seen, changed), *inputs],
        submit="Add" if box is Box.NOTE else "Save",
        private_metadata=metadata(origin, incident, kept=kept, **marked),
    )


def _meanwhile(box: Box, now: str, changed: Update | None) -> list[Json]:
    if changed is None:
        return []
    withdrawn = changed.redacted_by if changed.body is None and box is Box.DESCRIPTION else None
    verb = "withdrew" if withdrawn else "changed"
    told = f"{mention(withdrawn or changed.by)} {verb} the {INPUTS[box]} meanwhile."
    told += " Nothing is saved yet; your text is below, and"
    if not now:
        return [section(f"{told} there is none now.")]
    return [
        section(f"{told} saving replaces this one:"),
        section(f">>> {shown(now, 2_500)}"),
    ]


def _ended(title: str, incident: Incident) -> Json:
    end = section(
        f"{incident.name} has ended, so its description stays as it is. "
        f"`{COMMAND} withdraw {incident.number} description` withdraws it."
    )
    return modal("message", title, [section(escape(incident.title)), end], close="Close")
