"""Withdrawal: every free text of an incident can be erased, and who wrote it when stays."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta

from core.commands import Redact
from core.decision import Decision, Envelope, ForRedaction, Surface
from core.incident import TITLE_WITHDRAWN, Incident, Kind, Section, Update, Visibility
from core.pen import responders_cards, retitled, status_card
from core.promising import without_text
from core.refusals import (
    AlreadyPublic,
    CurrentTitle,
    NoSuchEntry,
    NoSuchSection,
    NothingToRedact,
    RedactionNotPermitted,
)

REDACTION_WINDOW = timedelta(seconds=300)
# After a withdrawal its author may put one text in the place of the old one for so long.
CORRECTION_WINDOW = timedelta(seconds=300)


def redact(incident: Incident, command: Redact, known: ForRedaction, *, at: datetime) -> Decision:
    """The decision to withdraw the texts of one entry, also after the end.

    The declaration holds description, category and the first title; a change of the title holds
    the new one. The present title is no text of an entry, unless it is still held back: then the
    title before it returns.
    """
    entry = known.entry
    if isinstance(command.entry, Section):
        return _withdrawn_section(incident, command, command.entry, known, at=at)
    if entry is None:
        raise NoSuchEntry(incident, command.entry)
    present_too = command.present_too
    left = texts_of(incident, entry, known.titles, at=at, present_too=present_too)
    if not left and not entry.redacted:
        holds_title = _holds_title(incident, entry, known.titles)
        raise CurrentTitle(incident, entry) if holds_title else NothingToRedact(incident, entry)
    if not _may_withdraw(command, entry, at=at):
        # A repeated redaction succeeds however late, for the author and for the admin who did it.
        if not left and command.actor.person in (entry.by, entry.redacted_by):
            return Decision(incident=incident)
        raise RedactionNotPermitted(incident, entry)
    if not left:
        return Decision(incident=incident)
    if command.held_only and _was_public(incident, entry, known.titles, at=at):
        raise AlreadyPublic(incident, entry)
    redacted = _redacted(entry, command, at=at)
    changed = replace(incident, version=incident.version + 1, updated_at=at)
    if entry.kind is Kind.DECLARED:
        changed = replace(changed, description=None, category=None)
    title = _title_of(incident, entry, known.titles, present_too=present_too)
    if title is not None and title in left:
        return _withdrawn_title(changed, redacted, title, known, at=at)
    return _withdrawn_body(changed, redacted, known, at=at)


def _was_public(
    incident: Incident, entry: Update, titles: tuple[Update, ...], *, at: datetime
) -> bool:
    """Whether the public text or the title of ``entry`` has been public.

    A title that was replaced while it was held back has not. Nothing of a private incident is.
    """
    replaced = min((one.at for one in titles if one.entry > entry.entry), default=at)
    return not incident.private and not (entry.public_at and min(at, replaced) < entry.public_at)


def _withdrawn_section(
    incident: Incident, command: Redact, section: Section, known: ForRedaction, *, at: datetime
) -> Decision:
    """All texts that the section has had go, as far as the actor may withdraw them.

    Texts of others stay in the timeline, and do not return to the report.
    """
    if not known.section:
        raise NoSuchSection(incident, section)
    texts = [one for one in known.section if one.body is not None]
    gone = [_redacted(one, command, at=at) for one in texts if _may_withdraw(command, one, at=at)]
    if not gone:
        if texts and not known.section[-1].redacted:
            raise RedactionNotPermitted(incident, texts[-1])
        return Decision(incident=incident)
    changed = replace(incident, version=incident.version + 1, updated_at=at)
    return Decision(incident=changed, redacted=gone[-1], redacted_too=tuple(gone[:-1]))


def _redacted(entry: Update, command: Redact, *, at: datetime) -> Update:
    return replace(entry, body=None, redacted_at=at, redacted_by=command.actor.person)


def _may_withdraw(command: Redact, entry: Update, *, at: datetime) -> bool:
    in_time = command.actor.person == entry.by and at - entry.at <= REDACTION_WINDOW
    return in_time or command.actor.admin


def _withdrawn_body(
    incident: Incident, redacted: Update, known: ForRedaction, *, at: datetime
) -> Decision:
    """A text that nobody read has kept no promise, and made none."""
    envelopes = tuple(_withdrawals(incident, known))
    if not redacted.taken_back:
        return Decision(incident=incident, redacted=redacted, envelopes=envelopes)
    done = without_text(
        incident, known.promises, known.texts, entry=redacted.entry, moved=known.moved, at=at
    )
    if done.promises:
        envelopes = (*responders_cards(incident, done.incident), *envelopes)
    return Decision(
        incident=done.incident, redacted=redacted, envelopes=envelopes, promises=done.promises
    )


def _withdrawn_title(
    incident: Incident, entry: Update, title: str, known: ForRedaction, *, at: datetime
) -> Decision:
    """``title`` is erased from every entry; the present one is taken back, an earlier one is gone.

    An earlier one that is public, while the present one is held back, is so at once no longer.
    """
    if title == incident.title and not _is_held(incident, entry, known.titles, at=at):
        incident = _without_present(incident, entry, at=at, delay=known.publish_delay)
    elif title == incident.title:
        incident = _taken_back(incident, entry, at=at, delay=known.publish_delay)
    if incident.title_before == title:
        incident = replace(incident, title_before=TITLE_WITHDRAWN)
    erased = [_without(one, title) for one in known.titles if one.entry != entry.entry]
    return Decision(
        incident=incident,
        redacted=_without(entry, title),
        erased=tuple(one for one in erased if one not in known.titles),
        envelopes=tuple(_redrawn(incident, known)),
    )


def texts_of(
    incident: Incident,
    entry: Update,
    titles: tuple[Update, ...],
    *,
    at: datetime,
    present_too: bool = False,
) -> tuple[str, ...]:
    """The texts of ``entry`` that can be withdrawn now; with ``present_too``, the present title."""
    found = [entry.body]
    if entry.kind is Kind.DECLARED:
        found += [incident.description, incident.category]
    title = _title_of(incident, entry, titles, present_too=present_too)
    kept = title == incident.title and not present_too
    if title is not None and (not kept or _is_held(incident, entry, titles, at=at)):
        found.append(title)
    return tuple(text for text in found if text is not None)


def _title_of(
    incident: Incident, entry: Update, titles: tuple[Update, ...], *, present_too: bool
) -> str | None:
    """The title that ``entry`` gave to the incident, as far as a change of it still says so."""
    if entry.kind is Kind.TITLE:
        return entry.new
    if entry.kind is Kind.DECLARED and not titles and present_too:
        return None if incident.title == TITLE_WITHDRAWN else incident.title
    return titles[0].old if entry.kind is Kind.DECLARED and titles else None


def _holds_title(incident: Incident, entry: Update, titles: tuple[Update, ...]) -> bool:
    if entry.kind is Kind.DECLARED:
        return not titles or titles[0].old == incident.title
    return entry.kind is Kind.TITLE


def _is_held(
    incident: Incident, entry: Update, titles: tuple[Update, ...], *, at: datetime
) -> bool:
    """Whether ``entry`` gave the present title, which is held back, and another can return."""
    held = incident.title_public_at is not None and incident.title_public_at > at
    newest = bool(titles) and titles[-1].entry == entry.entry
    return held and newest and (entry.old or incident.title_before) is not None


def _taken_back(incident: Incident, entry: Update, *, at: datetime, delay: timedelta) -> Incident:
    """The title before ``entry`` returns: at once if it is public, otherwise held back anew."""
    return retitled(incident, entry.old or incident.title_before or "", at=at, delay=delay)


def _without_present(
    incident: Incident, entry: Update, *, at: datetime, delay: timedelta
) -> Incident:
    """``incident`` without its present title; another returns only if its readers had read it."""
    read_by_all = incident.private or incident.title_public_at is None
    before = entry.old if read_by_all else incident.title_before
    return retitled(incident, before or TITLE_WITHDRAWN, at=at, delay=delay)


def _without(entry: Update, text: str) -> Update:
    """``entry`` without ``text``, which it may hold as the title before or after."""
    if entry.kind is not Kind.TITLE:
        return entry
    old = None if entry.old == text else entry.old
    return replace(entry, old=old, new=None if entry.new == text else entry.new)


def _withdrawals(incident: Incident, known: ForRedaction) -> Iterator[Envelope]:
    # Includes former status channels: the text may still be readable there.
    if known.entry is None or known.entry.visibility is not Visibility.PUBLIC:
        # The short reply about an end holds nothing of the note beside it.
        return
    if known.entry.public_at and known.entry.public_at > incident.updated_at:
        # The card names what was done last.
        yield from responders_cards(None, incident)
    for channel in known.published_in:
        yield Envelope(
            surface=Surface.WITHDRAWAL,
            channel=channel,
            entry=known.entry.entry,
            # A withdrawal edits the reply, so it must not come first.
            not_before=known.entry.public_at,
        )
        yield status_card(incident, channel)


def _redrawn(incident: Incident, known: ForRedaction) -> Iterator[Envelope]:
    """All posts that show, or name, a title that was withdrawn."""
    yield from responders_cards(None, incident)
    for channel in known.published.cards:
        yield status_card(incident, channel)
    for channel, entry in known.published.replies:
        yield Envelope(surface=Surface.WITHDRAWAL, channel=channel, entry=entry)
