"""The timeline with its notes, in pages. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from bot.slack.blocks import (
    Json,
    actions,
    button,
    context,
    message,
    paragraphs,
    section,
)
from bot.slack.markup import (
    TEXT_MAX,
    cut,
    escape,
    mention,
    moment,
    pieces,
    shown,
)
from bot.slack.pressed import encode
from bot.slack.verbs import COMMAND
from bot.slack.words import PRIVATE, deed, named, readers_of, status_name
from core.boards import Card, Page
from core.incident import Incident, Kind, Update
from core.service import TIMELINE_PAGE
from core.texts import listed
from core.times import duration

# Slack refuses a message with more than about 12,000 characters of text, and has refused one with
# 11,341. One entry of the longest body, every character escaped, still fits.
TIMELINE_TEXT_MAX = 10_200
# So much of a text. The longest note or public update, every character escaped, is whole.
ENTRY_TEXT_MAX = 10_000
# An earlier version withdrew these together.
PRIVATE_TEXTS = "description and category"


def timeline(card: Card, page: Page[Update], *, at: datetime) -> Json:
    """The newest entries of ``page`` that fit, with their notes, for one responder.

    ``withdraw`` takes the numbers. Older and Newer lead to the rest.
    """
    incident = card.incident
    entries: list[list[str]] = []
    room = TIMELINE_TEXT_MAX
    for update in reversed(page.items):
        lines = list(_entry(update, incident, page, at=at))
        room -= sum(map(len, lines)) + len(lines)
        if entries and room < 0:
            break
        entries.insert(0, lines)
    first, last = _span(page, len(entries))
    standing = status_name(incident.status)
    if card.resolved_at:
        standing += f" · {duration(card.resolved_at - incident.started_at)}"
    title = shown(incident.title, 400)
    told = [
        f"{incident.name} {title} · {standing}.",
        f"Entries {first} to {last} of {incident.last_entry}.",
    ]
    return message(
        [*told, *(line for lines in entries for line in lines)],
        [
            section(f"*{named(incident)}* {title} · {standing}"),
            *_entry_blocks(entries),
            context(f"Entries {first} to {last} of {incident.last_entry} · only you see this"),
            *actions(_timeline_pages(incident, first, last)),
        ],
    )


def _span(page: Page[Update], shown_entries: int) -> tuple[int, int]:
    """The numbers of the first and the last entry that are shown."""
    numbers = [update.entry for update in page.items[len(page.items) - shown_entries :]]
    return (numbers[0], numbers[-1]) if numbers else (0, 0)


def _entry_blocks(entries: Sequence[Sequence[str]]) -> list[Json]:
    """Entries of one line share a section; a longer one, or one with a code block, has its own."""
    blocks: list[Json] = []
    short: list[str] = []
    for lines in entries:
        if len(lines) == 1 and "```" not in lines[0]:
            short += lines
            continue
        blocks += [*paragraphs(short, between="\n"), *map(section, lines)]
        short = []
    return [*blocks, *paragraphs(short, between="\n")]


def _entry(
    update: Update, incident: Incident, page: Page[Update], *, at: datetime
) -> Iterator[str]:
    """One entry of the timeline, whole, in texts that each fit into a section."""
    when = moment(update.at, seen_from=at)
    line = f"`{update.entry}` {when} {_recorded(update, incident, page)}"
    if update.kind is Kind.TITLE:
        line += f": {_titled(update.old)} → {_titled(update.new)}"
    if update.kind is Kind.COMPONENTS:
        names = shown(update.new or "none", 2_500)
        pointer = f" (`{COMMAND} show {incident.number}` names them)"
        line += f": {names}{pointer if names.endswith('…') else ''}"
    if update.kind is Kind.DECLARED:
        yield from _declaration(update, line, incident, page, at=at)
        return
    if update.kind is Kind.RESOLUTION:
        line += f": {escape(update.new or '')} · {PRIVATE} private"
    if update.redacted:
        # A title is for everybody who sees the incident: it bears no mark of readers.
        readers = "" if update.kind is Kind.TITLE else f"{readers_of(update)}: "
        never = ", never published" if update.taken_back else ""
        yield f"{line} · {readers}{_withdrawn(update, never, at=at)}"
    elif update.body is None:
        yield line
    else:
        yield from _with_text(f"{line} · {readers_of(update)}", update.body)


def _declaration(
    update: Update, line: str, incident: Incident, page: Page[Update], *, at: datetime
) -> Iterator[str]:
    """The declaration with its description, as far as ``page`` tells which one that was."""
    if update.redacted:
        which = listed(update.withdrawn) if update.withdrawn else PRIVATE_TEXTS
        line += f" · {which}: {_withdrawn(update, at=at)}"
    changes = [one.old for one in page.items if one.kind is Kind.DESCRIPTION]
    if changes or page.items[-1].entry == incident.last_entry:
        text = changes[0] if changes else incident.description
    elif incident.description:
        yield f"{line} · {PRIVATE} its description: `{COMMAND} show {incident.number}`"
        return
    else:
        text = None
    if text is None:
        yield line
    else:
        yield from _with_text(f"{line} · {PRIVATE} private", text)


def _withdrawn(update: Update, never: str = "", *, at: datetime) -> str:
    """The person who withdrew the text, and the time: ``withdrawn by @mia · 09:10``."""
    by = f" by {mention(update.redacted_by)}" if update.redacted_by else ""
    when = f" · {moment(update.redacted_at, seen_from=at)}" if update.redacted_at else ""
    return f"_withdrawn{by}{never}_{when}"


def _with_text(line: str, text: str) -> Iterator[str]:
    """``line`` and the whole of ``text``, in texts that each fit into a section.

    A description may be longer than a message: then the characters left out are counted.
    """
    kept = cut(text, ENTRY_TEXT_MAX)
    left = len(text) - len(kept)
    end = f"… and {left:,} more characters, which the API has" if left else '"'
    line += ': "'
    first, *rest = pieces(kept, TEXT_MAX - len(line) - len(end))
    texts = [line + first, *rest]
    yield from (*texts[:-1], texts[-1] + end)


def _titled(title: str | None) -> str:
    return "_withdrawn_" if title is None else f'"{escape(title)}"'


def _recorded(update: Update, incident: Incident, page: Page[Update]) -> str:
    match update.kind:
        case Kind.DECLARED:
            severity = _declared_as(incident, page)
            return deed(update) + (f" ({severity})" if severity else "")
        case Kind.MOVED:
            return f"{mention(update.by)} → {status_name(update.new or '')}"
        case Kind.WROTE | Kind.CORRECTED:
            return mention(update.by)
        case _:
            return deed(update)


def _declared_as(incident: Incident, page: Page[Update]) -> str | None:
    """The severity at the declaration; None if the page does not reach far enough to tell."""
    changes = [update.old for update in page.items if update.kind is Kind.SEVERITY]
    if changes:
        return changes[0]
    return incident.severity if page.items[-1].entry == incident.last_entry else None


def _timeline_pages(incident: Incident, first: int, last: int) -> list[Json]:
    buttons = []
    if 0 < last < incident.last_entry:
        newer = encode("timeline", incident.id, last + 1 + TIMELINE_PAGE)
        buttons.append(button("Newer", action_id="newer", value=newer))
    if first > 1:
        older = encode("timeline", incident.id, first)
        buttons.append(button("Older", action_id="older", value=older))
    return buttons
