"""The sentences about texts that are withdrawn. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from bot.slack.markup import escape, mention, moment
from bot.slack.verbs import COMMAND
from core.decision import Outcome
from core.incident import (
    TITLE_WITHDRAWN,
    DeclaredText,
    Incident,
    Kind,
    Section,
    Update,
    Visibility,
)
from core.texts import listed


def now(outcome: Outcome, reader: str | None) -> Iterator[str]:
    """The sentences to ``reader``, who has just withdrawn a text; none if they have not."""
    incident, redacted = outcome.incident, outcome.redacted
    if redacted is None:
        return
    yield f"{_texts(redacted, outcome, reader)} {_how(redacted)}."
    if redacted.kind in {Kind.REPORTED, Kind.DESCRIPTION} and outcome.withdrawn_too:
        more = outcome.withdrawn_too
        yield f"So {'is 1 earlier version' if more == 1 else f'are {more} earlier versions'}."
    yield from _never_published(redacted)
    if redacted.visibility is Visibility.PUBLIC and not redacted.taken_back:
        yield "Its copies in Slack are being replaced."
    if due_at := promise_left(redacted, incident):
        by = moment(due_at, seen_from=incident.updated_at)
        yield f"Its promise of the next update by {by} was public, and stands."
    was = outcome.before.title if outcome.before else incident.title
    if was != incident.title and incident.title == TITLE_WITHDRAWN:
        yield f'It is called "{TITLE_WITHDRAWN}" now.'
    elif redacted.kind is Kind.TITLE and redacted.taken_back and was != incident.title:
        yield f'It is called "{escape(incident.title)}" again.'
    replaceable = outcome.correctable
    if replaceable and replaceable.entry == redacted.entry and _is_by(redacted, reader):
        yield "For five minutes you can put one text in its place:"
        yield f"`{COMMAND} update {incident.number} …`."


def already(outcome: Outcome, reader: str | None) -> Iterator[str]:
    """The sentences to ``reader``, who asked for a withdrawal that was done before."""
    if redacted := outcome.redacted:
        yield f"{_texts(redacted, outcome, reader)} {_how(redacted)} already."
        yield from _never_published(redacted)


def _never_published(redacted: Update) -> Iterator[str]:
    if redacted.taken_back:
        yield "It was never published."


def taken_back_to_edit(outcome: Outcome) -> str:
    """The sentence beside the dialog that holds a text that was taken back."""
    never = " ".join(_never_published(outcome.redacted)) if outcome.redacted else ""
    return f"Your public update on {outcome.incident.name} is taken back. {never}".strip()


def _how(redacted: Update) -> str:
    """The verb: an author takes a text back, and somebody else withdraws it."""
    own = redacted.redacted_by is not None and redacted.redacted_by.id == redacted.by.id
    return "taken back" if own and redacted.taken_back else "withdrawn"


def _texts(redacted: Update, outcome: Outcome, reader: str | None) -> str:
    """The beginning of a sentence about texts that are withdrawn, up to its verb."""
    name, entry = outcome.incident.name, redacted.entry
    if outcome.withdrawn_name:
        return _by_name(outcome.withdrawn_name, outcome)
    if redacted.kind in {Kind.TITLE, Kind.DESCRIPTION}:
        return f"The {redacted.kind} in entry {entry} of {name} is"
    if redacted.kind is Kind.REPORTED:
        words = Section(str(redacted.new)).words
        return f'The section "{words}" of the report of {name} (entry {entry}) is'
    if names := outcome.withdrawn_of_declaration:
        verb = "is" if len(names) == 1 else "are"
        return f"{listed(names).capitalize()} of the declaration of {name} {verb}"
    text = "public update" if redacted.visibility is Visibility.PUBLIC else "note"
    if redacted.by.id == reader:
        return f"Your {text} on {name} (entry {entry}) is"
    return f"The {text} by {mention(redacted.by)} on {name} (entry {entry}) is"


def _by_name(text: DeclaredText, outcome: Outcome) -> str:
    incident, more = outcome.incident, outcome.withdrawn_too
    name = incident.name
    if text is not DeclaredText.TITLE:
        return f"The {text} of {name} is"
    if incident.title == TITLE_WITHDRAWN and not more:
        return f"The title of {name} is"
    if not outcome.changed:
        return f"Every earlier title of {name} is"
    return f"{more + 1} earlier titles of {name} are" if more else f"The earlier title of {name} is"


def promise_left(redacted: Update, incident: Incident) -> datetime | None:
    """The due moment of the promise in force, if the text that was withdrawn has made it."""
    made = redacted.next_update_by
    return made if made == incident.next_update_by and not redacted.taken_back else None


def _is_by(update: Update, reader: str | None) -> bool:
    """Whether the reader wrote the text that they have just withdrawn."""
    withdrawn_by = update.redacted_by and update.redacted_by.id
    return update.by.id == reader == withdrawn_by
