"""The dialog that withdraws one text of an incident. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from bot.slack.blocks import Json, context, input_block, modal, option, section, select
from bot.slack.dialogs import OPTIONS_MAX
from bot.slack.inputs import Origin, metadata
from bot.slack.markup import escape
from bot.slack.pressed import Dialog
from bot.slack.verbs import COMMAND
from bot.slack.words import PRIVATE, WITHDRAWN, readers_of
from core.incident import TITLE_WITHDRAWN, DeclaredText, Incident, Kind, Update
from core.texts import one_line


def redact_dialog(incident: Incident, updates: Sequence[Update], *, origin: Origin) -> Json:
    """The dialog that withdraws the text of one of ``updates``, which come oldest first.

    Description, category and earlier titles are withdrawn by their names; after the end, so is a
    title that was never changed.
    """
    title = f"Withdraw from {incident.name}"
    texts = [*_entries(incident, updates), *_names(incident, updates)]
    if not texts:
        none = section(
            "None of its newest entries has a text to withdraw. "
            f"`{COMMAND} timeline {incident.number}` shows all of them."
        )
        return modal("message", title, [section(escape(incident.title)), none], close="Close")
    choice = select(texts[:OPTIONS_MAX], action_id="entry", placeholder="Choose an entry")
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


def _entries(incident: Incident, updates: Sequence[Update]) -> Iterator[Json]:
    """The entries with a text of their own, newest first."""
    for update in reversed(updates):
        number = update.entry
        match update.kind:
            case Kind.TITLE if update.new and (incident.terminal or update.new != incident.title):
                yield option(f"{number} · title: {update.new}", str(number))
            case Kind.DESCRIPTION if update.body not in {None, incident.description}:
                text = one_line(update.body or "")
                yield option(f"{number} · {PRIVATE} description: {text}", str(number))
            case Kind.TITLE | Kind.DESCRIPTION:
                # The present title stays; the present description is withdrawn by its name.
                continue
            case _ if update.body is not None:
                text = one_line(update.body)
                yield option(f"{number} · {readers_of(update)}: {text}", str(number))


def _names(incident: Incident, updates: Sequence[Update]) -> Iterator[Json]:
    """The texts that are withdrawn by their names."""
    if incident.description is not None:
        text = f"{PRIVATE} description, with earlier ones: {one_line(incident.description)}"
        yield option(text, DeclaredText.DESCRIPTION)
    if incident.category is not None:
        yield option(f"{PRIVATE} category: {incident.category}", DeclaredText.CATEGORY)
    if any(update.kind is Kind.TITLE for update in updates):
        yield option("Earlier titles", DeclaredText.TITLE)
    elif _has_one_title(incident, updates):
        yield option(f"title: {incident.title}", DeclaredText.TITLE)


def _has_one_title(incident: Incident, updates: Sequence[Update]) -> bool:
    """Whether its only title can be withdrawn: before the end it gets another one first."""
    whole = any(one.kind is Kind.DECLARED for one in updates)
    return whole and incident.terminal and incident.title != TITLE_WITHDRAWN
