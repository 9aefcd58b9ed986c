"""Withdrawal: every free text of an incident can be erased, and who wrote it when stays."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from collections.abc import Set as AbstractSet
from dataclasses import replace
from datetime import datetime, timedelta

from core.commands import Command, Redact
from core.decision import Decision, Envelope, ForRedaction, Surface
from core.incident import (
    TITLE_WITHDRAWN,
    DeclaredText,
    Incident,
    Kind,
    Person,
    Section,
    Update,
    Visibility,
)
from core.missing import NoSuchEntry, NoSuchSection, NoSuchText
from core.pen import responders_cards, retitled, status_card
from core.promising import without_text
from core.refusals import AlreadyPublic, CurrentTitle, NothingToRedact, RedactionNotPermitted

REDACTION_WINDOW = timedelta(seconds=300)
# After a withdrawal its author may put one text in the place of the old one for so long.
CORRECTION_WINDOW = timedelta(seconds=300)


def redact(incident: Incident, command: Redact, known: ForRedaction, *, at: datetime) -> Decision:
    """The decision to withdraw the texts of one entry, or those of one name, also after the end.

    The declaration holds description, category and the first title; a change of one of them holds
    the new one. The present title is no text of an entry, unless it is still held back: then the
    title before it returns. After the end no other takes its place: it is withdrawn where nothing
    else is meant, and has no successor. Nor has a description that is withdrawn.
    """
    decision = _withdrawn(incident, command, known, at=at)
    return replace(decision, withdrawn_texts=frozenset(_lost(incident, decision, known)))


def _withdrawn(
    incident: Incident, command: Redact, known: ForRedaction, *, at: datetime
) -> Decision:
    entry = known.entry
    if isinstance(command.entry, Section):
        return _withdrawn_section(incident, command, command.entry, known, at=at)
    if entry is None:
        raise NoSuchEntry(incident, command.entry)
    if isinstance(command.entry, DeclaredText):
        return _withdrawn_by_name(incident, command, command.entry, entry, known, at=at)
    return _withdrawn_entry(incident, command, entry, known, at=at)


def without_successor(texts: Iterable[Update], by: Person, *, since: datetime) -> Update | None:
    """The newest of ``texts`` by ``by``, withdrawn ``since``, that no other stands in place of.

    A correction names the text that it replaces. Before the end that text is the next one that its
    author wrote, as with **Take back and edit**. A correction has no successor.
    """
    newest_first = sorted(texts, key=lambda one: one.entry, reverse=True)
    replaced = {one.old for one in newest_first if one.kind is Kind.CORRECTED}
    wrote = [one for one in newest_first if one.by == by and one.kind is not Kind.CORRECTED]
    for one in wrote:
        if one.redacted_at is None or one.redacted_at < since or str(one.entry) in replaced:
            continue
        if not any(one.redacted_at <= later.at for later in wrote if later.entry > one.entry):
            return one
    return None


def withdrawn_name(command: Command) -> DeclaredText | None:
    """The name by which ``command`` withdraws texts; None if it does not."""
    entry = command.entry if isinstance(command, Redact) else None
    return entry if isinstance(entry, DeclaredText) else None


def names_withdrawn(entry: Update | None, decision: Decision) -> tuple[DeclaredText, ...]:
    """The texts of the declaration ``entry`` that ``decision`` withdraws, or that were before it.

    None, if ``entry`` is no declaration.
    """
    if entry is None or entry.kind is not Kind.DECLARED:
        return ()
    before = _withdrawn_of(entry)
    if decision.redacted is None:
        return before
    return tuple(name for name in decision.redacted.withdrawn if name not in before)


def _lost(incident: Incident, decision: Decision, known: ForRedaction) -> Iterator[str]:
    """The texts of ``incident`` and its entries that ``decision`` takes away."""
    gone = filter(None, (decision.redacted, *decision.redacted_too, *decision.erased))
    left = {one.entry: one for one in gone}
    read = filter(None, (known.entry, *known.titles, *known.descriptions, *known.section))
    for one in {one.entry: one for one in read}.values():
        if one.entry in left:
            yield from _words_of(one) - _words_of(left[one.entry])
    yield from _names_of(incident) - _names_of(decision.incident)


def _words_of(entry: Update) -> set[str]:
    # Only titles and descriptions are texts beside a body; others are names of a record's values.
    named = entry.kind in {Kind.TITLE, Kind.DESCRIPTION}
    found = (entry.body, entry.old, entry.new) if named else (entry.body,)
    return {text for text in found if text}


def _names_of(incident: Incident) -> set[str]:
    found = (incident.title, incident.title_before, incident.description, incident.category)
    return {text for text in found if text}


def _withdrawn_entry(
    incident: Incident, command: Redact, entry: Update, known: ForRedaction, *, at: datetime
) -> Decision:
    present_too = command.present_too
    declared = entry.kind is Kind.DECLARED
    found = _declared_texts(incident, known, present_too=present_too) if declared else {}
    named = {name: found[name] for name in command.names if name in found}
    left = (*named.values(), *_texts_of(incident, entry, known, at=at, present_too=present_too))
    if not left and not entry.redacted:
        return _withdrawn_present(incident, command, entry, known, at=at)
    # A repeated redaction succeeds however late, for the author and for the admin who did it.
    repeated = not left and command.actor.person in (entry.by, entry.redacted_by)
    if not (repeated or _may_withdraw(command, entry, at=at)):
        raise RedactionNotPermitted(incident, entry)
    if not left:
        return Decision(incident=incident)
    if command.held_only and _was_public(incident, entry, known.titles, at=at):
        raise AlreadyPublic(incident, entry)
    redacted = _redacted(entry, command, at=at)
    changed = replace(incident, version=incident.version + 1, updated_at=at)
    match entry.kind:
        case Kind.TITLE:
            changed = _without_title(changed, entry, left[0], known, at=at)
            return _withdrawn_texts(changed, (redacted,), known, titles={*left})
        case Kind.DESCRIPTION:
            return _withdrawn_texts(changed, (redacted,), known)
        case Kind.DECLARED:
            marked = _without_names(redacted, entry, tuple(named))
            title = named.get(DeclaredText.TITLE)
            changed = _without_title(changed, entry, title, known, at=at)
            titles = set(filter(None, [title]))
            return _withdrawn_texts(changed, (marked,), known, names=tuple(named), titles=titles)
        case _:
            return _withdrawn_body(changed, redacted, known, at=at)


def _withdrawn_present(
    incident: Incident, command: Redact, entry: Update, known: ForRedaction, *, at: datetime
) -> Decision:
    """The present title of an ended incident goes; ``entry`` gave it. Nothing is held back."""
    if not _holds_title(incident, entry, known.titles):
        raise NothingToRedact(incident, entry)
    meant = entry.kind is Kind.TITLE or DeclaredText.TITLE in command.names
    if not (incident.terminal and meant):
        raise CurrentTitle(incident, entry)
    if not _may_withdraw(command, entry, at=at):
        raise RedactionNotPermitted(incident, entry)
    if command.held_only and _was_public(incident, entry, known.titles, at=at):
        raise AlreadyPublic(incident, entry)
    names = (DeclaredText.TITLE,) if entry.kind is Kind.DECLARED else ()
    redacted = _redacted(entry, command, at=at)
    changed = replace(incident, version=incident.version + 1, updated_at=at)
    return _withdrawn_texts(
        retitled(changed, TITLE_WITHDRAWN, at=at, delay=timedelta()),
        (_without_names(redacted, entry, names) if names else redacted,),
        known,
        names=names,
        titles={incident.title},
    )


def _withdrawn_by_name(
    incident: Incident,
    command: Redact,
    name: DeclaredText,
    declaration: Update,
    known: ForRedaction,
    *,
    at: datetime,
) -> Decision:
    """All texts of ``name`` that the incident has had, as far as the actor may withdraw them.

    If it has one now, and the actor may not withdraw that, nothing is withdrawn.
    """
    givers = _givers(incident, name, declaration, known)
    if not givers:
        changes = {DeclaredText.DESCRIPTION: known.descriptions, DeclaredText.TITLE: known.titles}
        gone_before = any(one.redacted for one in changes.get(name, ()))
        if gone_before or name in _withdrawn_of(declaration):
            return Decision(incident=incident)
        if name is DeclaredText.TITLE and incident.terminal:
            gave = next((one for one in known.titles if one.new == incident.title), declaration)
            return _withdrawn_present(incident, command, gave, known, at=at)
        raise NoSuchText(incident, name)
    allowed = [one for one in givers if _may_withdraw(command, one, at=at)]
    present = name is DeclaredText.DESCRIPTION and incident.description is not None
    if not allowed or (present and givers[-1] not in allowed):
        raise RedactionNotPermitted(incident, givers[-1])
    changed = replace(incident, version=incident.version + 1, updated_at=at)
    gone = tuple(_redacted(one, command, at=at) for one in allowed)
    if declaration in allowed:
        gone = (_without_names(gone[0], declaration, (name,)), *gone[1:])
    titles = set()
    if name is DeclaredText.TITLE:
        titles = {title for one in allowed if (title := _title_of(one, known.titles))}
    names = (name,) if declaration in allowed else ()
    return _withdrawn_texts(changed, gone, known, names=names, titles=titles)


def _givers(
    incident: Incident, name: DeclaredText, declaration: Update, known: ForRedaction
) -> list[Update]:
    """The entries with a text of ``name`` that can be withdrawn, oldest first."""
    found = [declaration] if name in _declared_texts(incident, known) else []
    if name is DeclaredText.DESCRIPTION:
        found += [one for one in known.descriptions if one.body is not None]
    if name is DeclaredText.TITLE:
        found += [one for one in known.titles if one.new not in {None, incident.title}]
    return found


def _declared_texts(
    incident: Incident, known: ForRedaction, *, present_too: bool = False
) -> dict[DeclaredText, str]:
    """The texts of the declaration that can be withdrawn; with ``present_too``, the present title.

    Without it the present title is none of them.
    """
    titles, descriptions = known.titles, known.descriptions
    title = titles[0].old if titles else incident.title
    kept = title == incident.title and not present_too
    found = {
        DeclaredText.DESCRIPTION: descriptions[0].old if descriptions else incident.description,
        DeclaredText.CATEGORY: incident.category,
        DeclaredText.TITLE: None if kept or title == TITLE_WITHDRAWN else title,
    }
    return {name: text for name, text in found.items() if text is not None}


def _withdrawn_of(declaration: Update) -> tuple[DeclaredText, ...]:
    """The texts of the declaration that were withdrawn; an earlier version did not name them."""
    if declaration.redacted and not declaration.withdrawn:
        return (DeclaredText.DESCRIPTION, DeclaredText.CATEGORY)
    return declaration.withdrawn


def _without_names(
    redacted: Update, declaration: Update, names: tuple[DeclaredText, ...]
) -> Update:
    gone = {*_withdrawn_of(declaration), *names}
    return replace(redacted, withdrawn=tuple(name for name in DeclaredText if name in gone))


def _withdrawn_texts(
    incident: Incident,
    gone: tuple[Update, ...],
    known: ForRedaction,
    *,
    names: tuple[DeclaredText, ...] = (),
    titles: AbstractSet[str] = frozenset(),
) -> Decision:
    """The entries ``gone`` lose their texts, and so does every entry that repeats one of them.

    ``names`` are the texts that the declaration loses, ``titles`` the titles that are withdrawn. An
    earlier title that is public, while the present one is held back, is so at once no longer.
    """
    entries = {one.entry for one in gone}
    descriptions = known.descriptions
    if not descriptions and DeclaredText.DESCRIPTION in names:
        incident = replace(incident, description=None)
    if descriptions and descriptions[-1].entry in entries:
        incident = replace(incident, description=None)
    if DeclaredText.CATEGORY in names:
        incident = replace(incident, category=None)
    if incident.title_before in titles:
        incident = replace(incident, title_before=TITLE_WITHDRAWN)
    # A change of the description repeats the one before it, which may be the declaration's.
    repeats = {
        one.entry
        for one, before in zip(descriptions, (None, *descriptions), strict=False)
        if (before is None and DeclaredText.DESCRIPTION in names)
        or (before is not None and before.entry in entries)
    }

    def left(entry: Update) -> Update:
        if entry.kind is Kind.DESCRIPTION and entry.entry in repeats:
            return replace(entry, old=None)
        return _without(entry, titles)

    others = [one for one in (*known.titles, *descriptions) if one.entry not in entries]
    erased = [left(one) for one in others]
    *earlier, newest = [left(one) for one in gone]
    shown = titles or DeclaredText.DESCRIPTION in names or newest.kind is Kind.DESCRIPTION
    envelopes = _redrawn(incident, known) if titles else responders_cards(None, incident)
    return Decision(
        incident=incident,
        redacted=newest,
        redacted_too=tuple(earlier),
        erased=tuple(one for one, was in zip(erased, others, strict=True) if one != was),
        envelopes=tuple(envelopes) if shown else (),
    )


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


def _texts_of(
    incident: Incident, entry: Update, known: ForRedaction, *, at: datetime, present_too: bool
) -> tuple[str, ...]:
    """The texts of ``entry`` that can be withdrawn now; with ``present_too``, the present title.

    Those of a declaration have names.
    """
    found = [entry.body]
    title = entry.new if entry.kind is Kind.TITLE else None
    kept = title == incident.title and not present_too
    if title is not None and (not kept or _is_held(incident, entry, known.titles, at=at)):
        found.append(title)
    return tuple(text for text in found if text is not None)


def _title_of(entry: Update, titles: tuple[Update, ...]) -> str | None:
    """The title that ``entry`` gave to the incident, as far as a change of it still says so."""
    return entry.new if entry.kind is Kind.TITLE else titles[0].old


def _holds_title(incident: Incident, entry: Update, titles: tuple[Update, ...]) -> bool:
    if entry.kind is Kind.DECLARED:
        return not titles or titles[0].old == incident.title
    return entry.kind is Kind.TITLE and entry.new == incident.title


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


def _without_title(
    incident: Incident, entry: Update, title: str | None, known: ForRedaction, *, at: datetime
) -> Incident:
    """``incident`` with another title if ``title``, which ``entry`` gave, is the present one."""
    if title != incident.title:
        return incident
    if _is_held(incident, entry, known.titles, at=at):
        return _taken_back(incident, entry, at=at, delay=known.publish_delay)
    return _without_present(incident, entry, at=at, delay=known.publish_delay)


def _without_present(
    incident: Incident, entry: Update, *, at: datetime, delay: timedelta
) -> Incident:
    """``incident`` without its present title; another returns only if its readers had read it."""
    read_by_all = incident.private or incident.title_public_at is None
    before = entry.old if read_by_all else incident.title_before
    return retitled(incident, before or TITLE_WITHDRAWN, at=at, delay=delay)


def _without(entry: Update, titles: AbstractSet[str]) -> Update:
    """``entry`` without ``titles``, which it may hold as the title before or after."""
    if entry.kind is not Kind.TITLE:
        return entry
    old, new = entry.old, entry.new
    return replace(entry, old=None if old in titles else old, new=None if new in titles else new)


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
