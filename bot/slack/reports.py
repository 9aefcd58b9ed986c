"""The report of an incident in Slack: its pages, and the dialog that writes its sections. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from bot.slack.blocks import Json, actions, context, message, modal, section
from bot.slack.buttons import (
    report_button,
    resolution_select,
    send_report_button,
    timeline_button,
    write_report_button,
)
from bot.slack.dialogs import box
from bot.slack.inputs import Kept, Origin, metadata
from bot.slack.markup import escape, mention, moment, pieces, shown
from bot.slack.pressed import Dialog
from bot.slack.words import note_hint
from core.commands import WriteReport
from core.incident import BODY_MAX, Incident, Section, Update
from core.lifecycle import PublicWord
from core.report import DESCRIPTION, TO_WRITE, Report, ReportFact
from core.sections import mark_of, rewritten, standing, text_of

# Slack refuses messages with more than about 11,000 characters of text. The longest section, every
# character escaped, still fits.
PAGE_TEXT_MAX = 10_200


def report(incident: Incident, made: Report, *, page: int, at: datetime, can_send: bool) -> Json:
    """One page of the facts and sections, for one responder alone; the timeline has its own pages.

    ``page`` counts from 1; a later one than the last shows the last. ``can_send``: the app may send
    files.
    """
    paged = _pages(made, at=at)
    place = min(page, len(paged)) - 1
    title = f"*Report of {incident.name}* {shown(incident.title, 400)}"
    remark = escape(note_hint(incident))
    if len(paged) > 1:
        remark = f"Page {place + 1} of {len(paged)}. {remark}"
    buttons = [write_report_button(incident), timeline_button(incident)]
    if place > 0:
        buttons.append(report_button(incident, place, "Previous page"))
    if place + 1 < len(paged):
        buttons.append(report_button(incident, place + 2, "Next page"))
    if can_send:
        buttons.append(send_report_button(incident))
    if incident.terminal or incident.public_word is PublicWord.RESOLVED:
        buttons.append(resolution_select(incident))
    return message(
        [f"Report of {incident.name} {shown(incident.title, 400)}.", *paged[place], remark],
        [section(title), *map(section, paged[place]), context(remark), *actions(buttons)],
    )


def _pages(made: Report, *, at: datetime) -> list[list[str]]:
    """The report in texts that each fit into a section, on pages that each fit into a message."""
    paged: list[list[str]] = [[]]
    room = PAGE_TEXT_MAX
    for texts in _parts(made, at=at):
        length = sum(map(len, texts))
        if paged[-1] and length > room:
            paged.append([])
            room = PAGE_TEXT_MAX
        paged[-1] += texts
        room -= length
    return paged


def _parts(made: Report, *, at: datetime) -> Iterator[list[str]]:
    """The facts, then each section: texts that stay on one page."""
    lines = [_fact(fact, at=at) for fact in made.facts]
    yield ["\n".join(lines)]
    if made.description:
        # It may be longer than a message, so each piece may begin a page.
        first, *rest = pieces(made.description, 2_800)
        yield [f"*{DESCRIPTION}*\n{first}"]
        yield from ([piece] for piece in rest)
    for one in made.sections:
        if not one.text:
            yield [f"*{one.heading}*\n_{TO_WRITE}_"]
            continue
        by = f" · {mention(one.by)}" if one.by else ""
        head = f"*{one.heading}*{by}\n"
        first, *rest = pieces(one.text, 2_800)
        yield [head + first, *rest]


def _fact(fact: ReportFact, *, at: datetime) -> str:
    said = [moment(fact.at, seen_from=at)] if fact.at else []
    if fact.text:
        # So that all facts fit into one section. The Markdown has every name.
        said.append(shown(fact.text, 150))
    return f"{fact.label}: {', '.join(said)}"


def about_the_file(refused: str | None) -> str:
    """The sentence after a click on the button for the file; ``refused`` is Slack's error."""
    match refused:
        case None:
            return "The file is in your messages with Ratchet."
        case "missing_scope":
            return (
                "Slack did not take the file: the app lacks the optional scope `files:write`. "
                "`ratchet report` writes the same on the command line."
            )
        case _:
            return "Slack did not take the file just now. Try once more in a minute."


def report_dialog(
    incident: Incident,
    written: Sequence[Update],
    *,
    origin: Origin,
    added: str = "",
    form: WriteReport | None = None,
    changed: Update | None = None,
    kept: Kept | None = None,
) -> Json:
    """The dialog with a box for each section, filled with its present text.

    ``added`` is a text that belongs into the report: it stands below the first section with room
    for it, from where its author moves it. If none has, it is shown whole above the boxes. ``kept``
    is the draft that it comes from.

    ``form`` could not be saved, because the section ``changed`` meanwhile: what somebody typed
    stays in the boxes, and the text that it would replace is shown. A box that they had left keeps
    its mark: Slack may keep its text, too, and it must not be saved as theirs.
    """
    now = standing(written)
    typed = rewritten(form) if form else {}
    read = {one: text_of(now.get(one)) for one in Section}
    marks = {one: mark_of(text) for one, text in read.items()}
    if form:
        left = zip(Section, form.marks, strict=False)
        marks |= {one: mark for one, mark in left if one not in typed}
    texts = read | typed
    told = [section(escape(incident.title))]
    if added and form is None:
        roomy = _with_room(texts, added)
        if roomy:
            texts[roomy] = _below(texts[roomy], added)
        told += _about_added(roomy, added)
    if changed is not None:
        told += _meanwhile(changed)
    hint = note_hint(incident)
    boxes = [box(one.value, one.words.capitalize(), texts[one], hint) for one in Section]
    return modal(
        Dialog.REPORT,
        f"Report of {incident.name}",
        [*told, *boxes],
        submit="Save",
        private_metadata=metadata(
            origin,
            incident,
            seen=str(incident.last_entry),
            marks=".".join(marks[one] for one in Section),
            kept=kept,
        ),
    )


def _below(text: str, added: str) -> str:
    return "\n\n".join(filter(None, [text.rstrip(), added.strip()]))


def _with_room(texts: Mapping[Section, str], added: str) -> Section | None:
    """The first section that can take ``added`` below its text."""
    return next((one for one in Section if len(_below(texts[one], added)) <= BODY_MAX), None)


def _about_added(place: Section | None, added: str) -> list[Json]:
    if place:
        told = f"Your text is in *{place.words.capitalize()}*. Move it where it belongs, and save."
        return [section(told)]
    told = "Your text fits into none of the boxes as it is. Put what matters of it into them:"
    return [section(told), *map(section, pieces(added, 2_800))]


def _meanwhile(changed: Update) -> list[Json]:
    words = Section(str(changed.new)).words
    if changed.redacted_by:
        by = mention(changed.redacted_by)
        return [
            section(
                f"{by} withdrew {words} meanwhile. Nothing is saved yet; your texts are below, and "
                "saving writes that section anew."
            )
        ]
    return [
        section(
            f"{mention(changed.by)} changed {words} meanwhile. "
            "Nothing is saved yet; your texts are below, and saving replaces this one:"
        ),
        section(f">>> {shown(changed.body or '', 2_500) or '_nothing_'}"),
    ]
