"""Private and public: the question and the dialog before a change, and how an incident ended. Pure.

Everything that would be public is listed before it is.
"""

from __future__ import annotations

from collections.abc import Sequence

from bot.slack.blocks import (
    Json,
    actions,
    context,
    input_block,
    message,
    modal,
    option,
    paragraphs,
    plain,
    section,
    select,
    text_box,
)
from bot.slack.buttons import sure_private_button
from bot.slack.inputs import Origin, metadata
from bot.slack.markup import escape, shown
from bot.slack.pressed import Dialog
from bot.slack.words import component_lines, places_left, readers_in_public, status_name, who_sees
from core.incident import Incident, Update
from core.workspace import Workspace

# A dialog holds a hundred blocks and 250 kB.
TEXTS_MAX = 60
INVITED_MAX = 100  # options of a select


def ask_private(
    incident: Incident,
    as_private: Incident,
    workspace: Workspace,
    channels: Sequence[str],
    *,
    reader: str,
) -> Json:
    """The question before ``incident`` becomes ``as_private``, with its readers then.

    ``channels`` show its public side now.
    """
    if incident.private:
        told = [f"{incident.name} is private already: {who_sees(incident, reader=reader)} see it."]
        return message(told, paragraphs(told))
    left = places_left(workspace, channels)
    told = [
        f"Make {incident.name} private? Nothing is erased, and it can be made public again.",
        f"Only {who_sees(as_private, reader=reader)} will see it.",
        *([f"It will leave {left}."] if left else []),
        "Its card and replies in public channels will say that it is no longer public.",
    ]
    return message(told, [*paragraphs(told), *actions([sure_private_button(incident)])])


def public_dialog(
    incident: Incident, texts: Sequence[Update], workspace: Workspace, *, origin: Origin
) -> Json:
    """The dialog that lists what will be public: the facts, and the ``texts`` that are left."""
    title = f"Make {incident.name} public"
    if not incident.private:
        told = section(f"{incident.name} is public already.")
        return modal("message", title, [told], close="Close")
    facts = [
        f"Title: *{escape(incident.title)}*",
        f"Status: {status_name(incident.status)} · severity: {incident.severity}",
        *component_lines(incident.components, most=2_000),
    ]
    readers = readers_in_public(workspace) or "everyone in this workspace"
    listed = [
        section(f"Public update, entry {one.entry}: {shown(one.body or '', 2_500)}")
        for one in texts[-TEXTS_MAX:]
    ]
    if len(texts) > TEXTS_MAX:
        listed.insert(0, context(f"… and {len(texts) - TEXTS_MAX} earlier public updates"))
    return modal(
        Dialog.PUBLIC,
        title,
        [
            section(f"This will be public, for {readers}:"),
            *paragraphs(facts, between="\n"),
            *listed,
            context(
                "Times and statuses are public, too; notes, names and the description are not."
            ),
        ],
        submit="Make it public",
        private_metadata=metadata(origin, incident, title=incident.title),
    )


def invite_dialog(incident: Incident, *, invited: bool, origin: Origin) -> Json:
    """The dialog that names a person to invite, or one whose invitation ends if not ``invited``."""
    title = f"Invite to {incident.name}" if invited else f"Uninvite from {incident.name}"
    told = section(escape(incident.title))
    if not incident.private:
        why = section(f"{incident.name} is not private: everyone in the workspace can see it.")
        return modal("message", title, [told, why], close="Close")
    if not (invited or incident.invited):
        nobody = section("Nobody is invited to it.")
        return modal("message", title, [told, nobody], close="Close")
    people: Json = {
        "type": "users_select",
        "action_id": "person",
        "placeholder": plain("Choose a person"),
    }
    hint = "They will see the incident, its notes and its timeline."
    if not invited:
        options = [option(one.name, one.id) for one in incident.invited[-INVITED_MAX:]]
        people = select(options, action_id="person", placeholder="Choose a person")
        hint = "Declarer, owner and the people in its private channel see it without an invitation."
    return modal(
        Dialog.INVITE if invited else Dialog.UNINVITE,
        title,
        [told, input_block("invited_person", "Person", people, hint=hint)],
        submit="Invite" if invited else "Uninvite",
        private_metadata=metadata(origin, incident),
    )


def duplicate_dialog(incident: Incident, *, origin: Origin) -> Json:
    """The dialog that asks which incident this one is a duplicate of."""
    box = text_box("text", most=20, initial="")
    return modal(
        Dialog.RESOLUTION,
        f"How {incident.name} ended",
        [
            section(escape(incident.title)),
            input_block(
                "duplicate_of", "Duplicate of", box, hint="The number of the other one: INC-41."
            ),
        ],
        submit="Save",
        private_metadata=metadata(origin, incident),
    )
