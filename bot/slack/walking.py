"""The dialog of a walk: several legal steps to a status, taken in one act. Pure."""

from __future__ import annotations

from bot.slack.blocks import Json, context, modal, section
from bot.slack.dialogs import box
from bot.slack.inputs import Kept, Origin, metadata
from bot.slack.markup import escape
from bot.slack.pressed import Dialog
from bot.slack.refusals import denied
from bot.slack.requests import OpenWalk
from bot.slack.words import note_hint, public_hint, status_name
from core.denials import Denied
from core.incident import Incident
from core.lifecycle import PublicWord
from core.workspace import Workspace


def walk_dialog(
    incident: Incident,
    workspace: Workspace,
    asked: OpenWalk,
    *,
    origin: Origin,
    kept: Kept | None = None,
    moved: Json | None = None,
    barred: Denied | None = None,
) -> Json:
    """The dialog for all steps to a status: they are listed, and the reason is required.

    If no way leads there any more, it says where the incident is now. ``kept`` is the draft that
    its texts come from. ``moved`` tells of a transition since it was drawn first. ``barred`` is the
    denial to somebody who may publish no text.
    """
    to = asked.to
    now = section(f"{escape(incident.title)} · now *{status_name(incident.status)}*")
    title = f"Update {incident.name}"
    path = incident.lifecycle.path(incident.status, to) if to in incident.lifecycle else ()
    if not path or to == incident.status:
        told = section(f"{status_name(to)} cannot be reached from there. Nothing was changed.")
        return modal("message", title, [now, told], close="Close")
    way = " → ".join(status_name(status) for status in (incident.status, *path))
    several = len(path) > 1
    count = f"{len(path)} steps" if several else "1 step"
    listed = section(f"{count} in one: {way}" if several else f"{count}: {way}")
    steps = [now, *([moved] if moved else []), listed]
    public = public_hint(incident, workspace)
    # A text that would have no public reader is kept as a note, rather than lost.
    both = [text for text in (asked.note, asked.public) if text]
    note = asked.note if public and not barred else "\n\n".join(both)
    texts = [box("note", "Private reason", note, note_hint(incident), optional=False)]
    if public and barred:
        texts = [context(" ".join(denied(barred))), *texts]
    elif public:
        texts.append(box("public", "Public update", asked.public, public))
    over = incident.lifecycle.is_terminal(to)
    resolves = incident.lifecycle.public_word(to) is PublicWord.RESOLVED
    remarks = ["The timeline keeps every step; in public it is one."] if public else []
    if over or resolves:
        remarks.append("It cannot be reopened.")
    return modal(
        Dialog.WALK,
        title,
        [*steps, *texts, *map(context, remarks)],
        submit=f"Take {count}",
        private_metadata=metadata(origin, incident, kept=kept, to=to),
    )
