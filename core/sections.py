"""The sections of a report: texts that people write, also after the end. Each write is an entry.

They are private, and show nowhere but in the report and in the timeline.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from uuid import UUID, uuid5

from core.commands import WriteReport
from core.decision import Decision, ForReport
from core.errors import EmptyUpdate
from core.incident import Incident, Kind, Section, Update
from core.pen import Pen
from core.refusals import SectionChanged
from core.texts import body_of


def standing(written: Sequence[Update]) -> Mapping[Section, Update]:
    """The newest entry of each section that was ever written; ``written`` is oldest first.

    An entry without a body is a section that was emptied or withdrawn: no earlier text returns.
    """
    return {Section(str(one.new)): one for one in written if one.kind is Kind.REPORTED}


def text_of(entry: Update | None) -> str:
    """The text of a section, by its newest entry; empty if nobody has written it."""
    return (entry and entry.body) or ""


def mark_of(text: str) -> str:
    """A mark of ``text`` from which nobody reads it: a dialog keeps it, and not a second copy."""
    return uuid5(UUID(int=0), text).hex[:16] if text else ""


def texts_of(incident: Incident) -> dict[str, str]:
    """The facts of ``incident`` that people write in one box, by the names that `Change` has."""
    return {
        "title": incident.title,
        "description": incident.description or "",
        "components": ", ".join(component.name for component in incident.components),
    }


def rewritten(command: WriteReport) -> dict[Section, str]:
    """The texts of ``command`` that the author did not leave as they had read them."""
    seen = dict(zip(Section, command.marks, strict=False))
    return {
        section: text
        for section, text in command.texts.items()
        if seen.get(section) != mark_of(_checked(section, text))
    }


def write_report(
    incident: Incident, command: WriteReport, known: ForReport, *, at: datetime
) -> Decision:
    """The decision to write sections: one entry for each text that is new. It shows nowhere else.

    A text that the author left as they had seen it changes nothing, whatever it is now.

    Raises:
        EmptyUpdate: no section is named.
        InvalidField: a text, by the name of its section.
        SectionChanged: somebody else wrote the section, or it was withdrawn, since the author saw
            it.
    """
    if not command.texts:
        raise EmptyUpdate
    # All are checked before any is compared.
    checked = {section: _checked(section, text) for section, text in command.texts.items()}
    texts = {section: checked[section] for section in rewritten(command)}
    pen = Pen(incident, command.actor, at, known.publish_delay)
    entries = tuple(
        pen.update(Kind.REPORTED, body=text or None, new=section.value)
        for section, text in _changed(incident, command, known, texts)
    )
    return pen.decision(incident, entries, known, envelopes=())


def _changed(
    incident: Incident, command: WriteReport, known: ForReport, texts: Mapping[Section, str]
) -> Iterator[tuple[Section, str]]:
    now = standing(known.written)
    had_text = {section for section, mark in zip(Section, command.marks, strict=False) if mark}
    seen = standing([one for one in known.written if one.entry <= command.seen])
    for section, text in texts.items():
        newest = now.get(section)
        if text in (text_of(newest), text_of(seen.get(section))):
            continue
        withdrawn = newest is not None and newest.redacted and section in had_text
        if newest is not None and (withdrawn or newest.entry > command.seen):
            raise SectionChanged(incident, newest)
        yield section, text


def _checked(section: Section, text: str) -> str:
    return body_of(section.value, text) if text.strip() else ""
