"""The report of an incident: facts made from its timeline, and sections that people wrote. Pure.

There are two, of two types. `Report` is internal and holds notes and names. The public one is made
from `PublicIncident`, which can hold neither. Both are the same bytes for the same timeline: they
name no time of making, and an open incident lasts until its last entry.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import assert_never

from core.incident import OPENED, Component, Incident, Kind, Person, Section, Update, Visibility
from core.markdown import inline, quote
from core.moments import moments_of
from core.promise import Promise, PromiseState, Score, score
from core.public_side import PublicIncident, PublicUpdate, ToldPromise
from core.sections import standing, text_of
from core.texts import listed
from core.times import duration

TO_WRITE = "To write."
WITHDRAWN = "This text was withdrawn."
DESCRIPTION = "Description"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportFact:
    """One line of facts: a moment, a text, or both. Texts are plain and may be typed."""

    label: str
    at: datetime | None = None
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportSection:
    """A section with its text, empty if nobody has written it, and the author of the text."""

    section: Section
    text: str = ""
    by: Person | None = None

    @property
    def heading(self) -> str:
        """``What helped``."""
        return self.section.words.capitalize()


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportLine:
    """One entry of the timeline: a plain sentence, and a text with its readers."""

    at: datetime
    said: str
    text: str | None = None
    public: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """The internal report, for responders alone: it holds notes, names and private facts."""

    name: str
    title: str
    facts: tuple[ReportFact, ...]
    description: str | None
    sections: tuple[ReportSection, ...]
    lines: tuple[ReportLine, ...]


def report_of(
    incident: Incident, timeline: Sequence[Update], promises: Sequence[Promise] = ()
) -> Report:
    """The internal report of ``incident``; ``timeline`` is whole, oldest first."""
    return Report(
        name=incident.name,
        title=incident.title,
        facts=(*_facts(incident, timeline), *_promised(timeline, promises)),
        description=incident.description,
        sections=_sections(timeline),
        lines=tuple(_line(update) for update in timeline),
    )


def _sections(timeline: Sequence[Update]) -> tuple[ReportSection, ...]:
    now = standing(timeline)
    return tuple(
        ReportSection(section=section, text=text, by=now[section].by)
        if (text := text_of(now.get(section)))
        else ReportSection(section=section)
        for section in Section
    )


def _facts(incident: Incident, timeline: Sequence[Update]) -> Iterator[ReportFact]:
    """The facts in their order, without the score of promises."""
    reached = moments_of(incident, timeline)
    yield ReportFact(label="Severity", text=incident.severity)
    yield ReportFact(label="Status", text=_named(incident.status))
    if incident.private:
        yield ReportFact(label="Readers", text="private: it has no public side")
    yield ReportFact(label="Components", text=_listed(incident.components))
    yield ReportFact(label="Started", at=reached.started)
    declared = f"by {incident.declared_by.name}"
    yield ReportFact(label="Declared", at=reached.declared, text=declared)
    if acknowledged := reached.acknowledged:
        after = f"{duration(acknowledged - reached.declared)} after the declaration"
        by = f", by {incident.acknowledged_by.name}" if incident.acknowledged_by else ""
        yield ReportFact(label="Acknowledged", at=acknowledged, text=after + by)
    owner = incident.owner.name if incident.owner else "nobody"
    yield ReportFact(label="Owner", text=owner)
    if first := reached.first_public_text:
        after = f"{duration(first - reached.started)} after the start"
        if first > max(update.at for update in timeline):
            # Whether it is still held, the timeline cannot say: the words are true either way.
            after += ", at the end of its hold"
        yield ReportFact(label="First public update", at=first, text=after)
    last = timeline[-1].at
    if resolved := reached.resolved:
        after = f"after {duration(resolved - reached.started)}"
        yield ReportFact(label="Resolved", at=resolved, text=after)
    else:
        text = f"{duration(last - reached.started)} after the start, and not resolved yet"
        yield ReportFact(label="Last entry", at=last, text=text)
    if incident.resolution:
        yield ReportFact(label="How it ended", text=incident.resolution.words)
    people = dict.fromkeys(update.by.name for update in timeline)
    yield ReportFact(label="Took part", text=", ".join(people))


def _promised(timeline: Sequence[Update], promises: Sequence[Promise]) -> Iterator[ReportFact]:
    """The promises, as they stood when the last entry was public."""
    last = max(update.public_at or update.at for update in timeline)
    waiting = [one for one in promises if one.state(last) is PromiseState.OPEN]
    ended = score(promises, last)
    if promises and (ended != Score() or not waiting):
        yield ReportFact(label="Promises of the next public update", text=ended.words)
    for one in waiting:
        yield ReportFact(label="Next public update, as promised", at=one.due_at)


def _line(update: Update) -> ReportLine:
    public = update.visibility is Visibility.PUBLIC
    text = update.body
    said = f"{update.by.name} {_deed(update)}"
    if update.kind is Kind.REPORTED:
        # The section itself shows the text.
        return ReportLine(at=update.at, said=said)
    if update.kind in {Kind.DECLARED, Kind.DESCRIPTION} and not update.redacted:
        # The present description is shown by itself.
        return ReportLine(at=update.at, said=said)
    if update.redacted:
        never = ", and was never published" if update.taken_back else ""
        which = f"{listed(update.withdrawn)} of it" if update.withdrawn else "the text"
        said += f"; {which} {'were' if len(update.withdrawn) > 1 else 'was'} withdrawn{never}"
    return ReportLine(at=update.at, said=said, text=text, public=public)


def _deed(  # noqa: C901, PLR0911, PLR0912 - one case for each kind
    update: Update,
) -> str:
    old, new = update.old or "", update.new or ""
    match update.kind:
        case Kind.DECLARED:
            return f"declared it: {_named(new)}"
        case Kind.MOVED:
            return f"moved it from {_named(old)} to {_named(new)}"
        case Kind.ACKNOWLEDGED if new:
            return f"acknowledged: from {_named(old)} to {_named(new)}"
        case Kind.ACKNOWLEDGED:
            return "acknowledged"
        case Kind.WROTE if update.visibility is Visibility.PUBLIC:
            return "posted a public update"
        case Kind.WROTE:
            return "wrote a note"
        case Kind.ASSIGNED if new:
            return f"made {new} the owner" + (f" (was {old})" if old else "")
        case Kind.ASSIGNED:
            return f"left it without an owner (was {old})"
        case Kind.TOOK_OVER:
            return "took it"
        case Kind.DECLINED:
            return f"did not take it: {new or 'nobody'} owns it now"
        case Kind.CHANNEL:
            return "opened a channel for it" if new == OPENED else "kept its channel"
        case Kind.SEVERITY:
            return f"changed the severity from {old} to {new}"
        case Kind.TITLE:
            return f"changed the title from {_titled(update.old)} to {_titled(update.new)}"
        case Kind.DESCRIPTION:
            return "changed the description"
        case Kind.COMPONENTS:
            return f"changed the components to {new or 'none'}"
        case Kind.PRIVACY:
            return f"made it {new}"
        case Kind.INVITED:
            return f"invited {new}"
        case Kind.UNINVITED:
            return f"took the invitation of {old} back"
        case Kind.CORRECTED:
            return "replaced a withdrawn public update"
        case Kind.RESOLUTION:
            return f"said how it ended: {new}"
        case Kind.PROMISED if update.next_update_by:
            return f"promised the next update by {when(update.next_update_by)}"
        case Kind.PROMISED:
            return "released the promise of the next update"
        case Kind.REPORTED:
            section = Section(new).words
            if update.redacted:
                return f"wrote the section {section}; the text was withdrawn"
            return f"{'wrote' if update.body else 'emptied'} the section {section}"
        case _:
            assert_never(update.kind)


def _titled(title: str | None) -> str:
    return "one that was withdrawn" if title is None else f'"{title}"'


def _named(status: str) -> str:
    """``in_progress`` as a label: ``In progress``."""
    return status.replace("_", " ").capitalize()


def _listed(components: Sequence[Component]) -> str:
    return ", ".join(component.name for component in components) or "none"


# --- as Markdown -------------------------------------------------------------------------------


def markdown(report: Report) -> str:
    """The internal report as Markdown. No typed text changes its structure."""
    lines = [
        f"# {report.name} {inline(report.title)}",
        "",
        "*Internal: it holds private notes.*",
        "",
        *map(_fact, report.facts),
    ]
    if report.description:
        lines += ["", f"## {DESCRIPTION}", "", *quote(report.description)]
    for one in report.sections:
        text = quote(one.text) if one.text else [f"*{TO_WRITE}*"]
        by = ["", f"By {inline(one.by.name)}."] if one.by else []
        lines += ["", f"## {one.heading}", "", *text, *by]
    lines += ["", "## Timeline", ""]
    for line in report.lines:
        lines.append(f"- **{when(line.at)}** {inline(line.said)}")
        if line.text is not None:
            readers = "public" if line.public else "private"
            lines[-1] += f" ({readers}):"
            lines += ["", *quote(line.text, indent="  "), ""]
    return _whole(lines)


def public_markdown(incident: PublicIncident) -> str:
    """The public report as Markdown: public facts and public texts alone."""
    last = incident.updated_at
    facts = [
        ReportFact(label="Severity", text=incident.severity),
        ReportFact(label="Status", text=_named(incident.status)),
        ReportFact(label="Components", text=_listed(incident.components)),
        ReportFact(label="Started", at=incident.started_at),
    ]
    if ended := incident.resolved_at:
        after = f"after {duration(ended - incident.started_at)}"
        facts.append(ReportFact(label="Resolved", at=ended, text=after))
    else:
        text = f"{duration(last - incident.started_at)} after the start, and not resolved yet"
        facts.append(ReportFact(label="Last change", at=last, text=text))
    lines = [f"# {incident.name} {inline(incident.title)}", "", *map(_fact, facts)]
    lines += ["", "## Updates", ""]
    for update in reversed(incident.updates):
        lines += _published(update)
    if incident.promises:
        lines += ["", "## Promises of the next update", ""]
        lines += [f"- By **{when(one.due_at)}**: {_ended(one)}" for one in incident.promises]
    return _whole(lines)


def _ended(promise: ToldPromise) -> str:
    """``kept``, ``kept late, after 12 min``."""
    if promise.state is PromiseState.LATE:
        return f"kept late, after {duration(promise.lateness)}"
    return promise.state


def _published(update: PublicUpdate) -> list[str]:
    status = f" {_named(update.status)}" if update.status else ""
    line = f"- **{when(update.at)}**{status}"
    if update.withdrawn:
        return [f"{line} *{WITHDRAWN}*"]
    if update.body is None:
        return [line]
    return [line, "", *quote(update.body, indent="  "), ""]


def _fact(fact: ReportFact) -> str:
    said = [when(fact.at)] if fact.at else []
    if fact.text:
        said.append(inline(fact.text))
    return f"- {fact.label}: {', '.join(said)}"


def when(moment: datetime) -> str:
    """``2026-03-02 09:00 UTC``."""
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def _whole(lines: Sequence[str]) -> str:
    """``lines`` as a file: one line feed at its end, and never two empty lines."""
    kept = [line for line, before in zip(lines, ["", *lines], strict=False) if line or before]
    return "\n".join(kept).rstrip("\n") + "\n"
