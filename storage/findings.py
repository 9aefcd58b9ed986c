"""The rules of the audit, pure: the errors in the rows of an incident, or of a message.

No rule reads a body or a description: a finding names incidents, entries and places.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from core.decision import NOTICES, Envelope, Surface
from core.incident import (
    OWNERS,
    PRIVATE,
    PUBLIC,
    TRANSITIONS,
    DeclaredText,
    Kind,
    Person,
    Place,
    Visibility,
    update_id,
)
from core.lifecycle import Lifecycle
from core.promise import in_force
from storage.messages import LANES, PUBLIC_SURFACES, lane
from storage.records import (
    DELETE,
    DRAW_ANEW,
    ERASE_BODIES,
    ERASE_CATEGORIES,
    ERASE_DESCRIPTIONS,
    RESTORE,
    Problem,
    Record,
)
from storage.rows import AnyRow
from storage.unsent import missing_cards, unsent

ABOUT_ENTRIES = frozenset({Surface.PUBLIC_UPDATE, Surface.WITHDRAWAL})


def missing(first: int, last: int, skipped: Sequence[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """The numbers from ``first`` to ``last`` that no range of ``skipped`` holds, as ranges.

    ``skipped`` is in order, and its ranges do not overlap.
    """
    for begin, end in skipped:
        if begin > last:
            break
        if begin > first:
            yield first, begin - 1
        first = max(first, end + 1)
    if first <= last:
        yield first, last


def incident_findings(record: Record, publishes_since: datetime | None) -> Iterator[Problem]:
    """The errors of one incident.

    ``publishes_since`` is the moment since which the workspace has a status channel; None if it
    has none, or none is known.
    """
    if record.lifecycle is None:
        yield "its lifecycle cannot be read", RESTORE
    else:
        yield from ((text, RESTORE) for text in _moves(record, record.lifecycle))
    yield from ((text, RESTORE) for text in _entries(record))
    yield from ((text, RESTORE) for text in _facts(record))
    yield from ((text, RESTORE) for text in _people(record))
    yield from ((text, RESTORE) for text in _promises(record))
    yield from ((text, RESTORE) for text in _channels(record))
    yield from ((text, RESTORE) for text in _counts(record))
    yield from ((text, RESTORE) for text in _imports(record))
    yield from _left_texts(record)
    yield from _places(record)
    yield from _missing_cards_of_responders(record)
    yield from missing_cards(record, publishes_since)
    yield from unsent(record, publishes_since)


def _moves(record: Record, lifecycle: Lifecycle) -> Iterator[str]:
    """Errors in the steps of the timeline, which must lead to the incident's status."""
    row = record.row
    status = None
    for entry in record.entries:
        if entry.kind not in TRANSITIONS or entry.new is None:
            continue
        legal = (lifecycle.initial,) if status is None else lifecycle.next_steps(status)
        if entry.new not in legal:
            yield f"entry {entry.entry} moved it from {status} to {entry.new}"
        if entry.old != status:
            yield f"entry {entry.entry} says it was {entry.old}, and it was {status}"
        if entry.new not in lifecycle:
            return
        status = entry.new
    if row.status != status:
        yield f"it is {row.status}, and its timeline leads to {status}"
    elif status is not None:
        if row.is_open == lifecycle.is_terminal(status):
            yield f"it is {status}, and kept as {'open' if row.is_open else 'closed'}"
        if row.public_word != lifecycle.public_word(status):
            yield f"it is {status}, and kept as {row.public_word} for the public"


def _entries(record: Record) -> Iterator[str]:
    """Errors of single entries."""
    row = record.row
    for expected, entry in enumerate(record.entries, 1):
        if entry.entry != expected:
            yield f"entry {expected} is missing"
            return
    if len(record.entries) != row.last_entry:
        yield f"it has {len(record.entries)} entries, and the last one is {row.last_entry}"
    for entry in record.entries:
        number = entry.entry
        if (entry.kind == Kind.DECLARED) is not (number == 1):
            yield f"entry {number} is of kind {entry.kind}"
        if entry.id != update_id(row.id, number):
            yield f"entry {number} has the id of another"
        public = entry.visibility == Visibility.PUBLIC
        if not (public or entry.visibility == Visibility.INTERNAL):
            yield f"entry {number} is neither internal nor public"
        if public and row.private and not record.changed_sides:
            yield f"entry {number} is public, and the incident is private"
        says_something = entry.has_body or entry.redacted_at is not None
        if not says_something and (public or entry.kind == Kind.WROTE):
            yield f"entry {number} says nothing, and was not withdrawn"


def _facts(record: Record) -> Iterator[str]:
    """Facts that differ from the last entry about them, and entries that contradict each other."""
    row = record.row
    named = ", ".join(record.components)
    for kind, name, now in (
        (Kind.SEVERITY, "severity", row.severity),
        (Kind.TITLE, "title", row.title),
        (Kind.COMPONENTS, "list of components", named),
        (Kind.PRIVACY, "privacy", PRIVATE if row.private else PUBLIC),
    ):
        last = None
        for entry in record.entries:
            if entry.kind != kind:
                continue
            if last is not None and _differ(kind, entry.old, _left_by(last)):
                yield f"entries {last.entry} and {entry.entry} disagree about its {name}"
            last = entry
        if last is not None and _differ(kind, _left_by(last), now):
            yield f"its {name} is not the one of entry {last.entry}"
    if row.component_count != len(record.components):
        yield f"it counts {row.component_count} components, and has {len(record.components)}"


def _left_by(entry: AnyRow) -> str | None:
    """The value of a fact after ``entry``: a title that was taken back leaves the one before."""
    taken_back = entry.kind == Kind.TITLE and entry.redacted_at is not None and entry.new is None
    value: str | None = entry.old if taken_back else entry.new
    return value


def _differ(kind: Kind, one: str | None, other: str | None) -> bool:
    """Whether two values of a fact disagree; a title that was withdrawn agrees with any."""
    if kind is Kind.TITLE and None in (one, other):
        return False
    return (one or "") != (other or "")


def _people(record: Record) -> Iterator[str]:
    row = record.row
    acknowledged = next((e for e in record.entries if e.kind == Kind.ACKNOWLEDGED), None)
    if row.acknowledged_by_id != (acknowledged and acknowledged.by_id):
        if acknowledged:
            yield f"its acknowledgement is not the one of entry {acknowledged.entry}"
        else:
            yield "it has an acknowledgement, and no entry for it"
    assigned = next((e for e in reversed(record.entries) if e.kind in OWNERS), None)
    # An API key acknowledges without becoming owner.
    marks = (e for e in record.entries if e.kind == Kind.ACKNOWLEDGED)
    taken = next((mark for mark in marks if Person(mark.by_id, "").in_slack), None)
    made_owner = taken if assigned is None else assigned if assigned.new else None
    if row.owner_id is None and made_owner:
        yield f"entry {made_owner.entry} gave it an owner, and it has none"
    elif assigned and row.owner_name != assigned.new:
        # A step over the API may name the owner too. If that is the owner already, under a new
        # name from Slack, the name changes without an entry.
        moved = any(e.entry > assigned.entry and e.kind in TRANSITIONS for e in record.entries)
        if not moved:
            yield f"its owner is not the one of entry {assigned.entry}"


def _promises(record: Record) -> Iterator[str]:
    """Promises that differ from the entries that made them, or from the incident."""
    row = record.row
    made = {
        entry.entry: entry.next_update_by
        for entry in record.entries
        if entry.next_update_by is not None
    }
    kept = {promise.entry: promise.due_at for promise in record.promises}
    for entry in sorted({*made, *kept}):
        if made.get(entry) != kept.get(entry):
            yield f"entry {entry} made another promise than the one that is kept"
    if (row.promise_count or 0) != len(kept):
        yield f"it counts {row.promise_count or 0} promises, and has {len(kept)}"
    present = in_force(record.promises)
    if row.next_update_by != (present and present.due_at):
        yield "its next update is not the one that is promised"


def _channels(record: Record) -> Iterator[str]:
    counted, found = record.row.channel_count or 0, len(record.channels)
    if counted != found:
        yield f"it counts {counted} channels of its own, and has {found}"


def _counts(record: Record) -> Iterator[str]:
    """Errors of version and times. All rows of one change have the same time."""
    row, entries = record.row, record.entries
    if not entries:
        return
    redacted = [entry.redacted_at for entry in entries if entry.redacted_at is not None]
    moments = len({entry.at for entry in entries})
    # A declaration can lose its three texts one after the other. A section of the report, and a
    # description with those before it, lose all their texts at once.
    most = len(entries) + len(redacted) + 2 * (entries[0].redacted_at is not None)
    if not moments + len(set(redacted)) <= row.version <= most:
        yield f"it is at version {row.version}, which its {len(entries)} entries cannot make"
    if row.created_at != entries[0].at:
        yield "it was not created when entry 1 says"
    if row.updated_at not in {entries[-1].at, *redacted}:
        yield "it was last changed when no entry says so"


def _imports(record: Record) -> Iterator[str]:
    """The contradictions between its facts from another page and its timeline."""
    if record.row.imported and record.kept is None:
        yield "it was imported, and what it kept is missing"
    if record.kept is None:
        return
    kept, texts = record.kept
    if not record.row.imported:
        yield "it keeps what an import wrote, and is not marked as imported"
    if kept.entries > record.row.last_entry:
        yield f"it keeps {kept.entries} imported entries, and has {record.row.last_entry}"
    for entry in sorted(entry for entry in texts if not 1 < entry <= kept.entries):
        yield f"entry {entry} keeps what an import wrote, and was not imported"


def _left_texts(record: Record) -> Iterator[Problem]:
    yield from _left_descriptions(record)
    if DeclaredText.CATEGORY in _withdrawn(record) and record.row.has_category:
        yield "its category was withdrawn, and is still kept", ERASE_CATEGORIES
    for entry in record.entries:
        if entry.redacted_at is not None and entry.has_body:
            yield f"entry {entry.entry} was withdrawn, and its text is still kept", ERASE_BODIES


def _withdrawn(record: Record) -> Sequence[str]:
    """The texts of the declaration that were withdrawn, by their names."""
    declared = record.entries[0] if record.entries else None
    if declared is None or declared.redacted_at is None:
        return ()
    if declared.withdrawn is None:
        return (DeclaredText.DESCRIPTION, DeclaredText.CATEGORY)
    names: str = declared.withdrawn
    return names.split()


def _left_descriptions(record: Record) -> Iterator[Problem]:
    """Descriptions that were withdrawn and are still kept, or were lost without a withdrawal."""
    changes = [entry for entry in record.entries if entry.kind == Kind.DESCRIPTION]
    gone = DeclaredText.DESCRIPTION in _withdrawn(record)
    for entry in changes:
        if gone and entry.has_old:
            text = f"a description was withdrawn, and is still kept in entry {entry.entry}"
            yield text, ERASE_DESCRIPTIONS
        gone = entry.redacted_at is not None
    if gone and record.row.has_description:
        yield "its description was withdrawn, and is still kept", ERASE_DESCRIPTIONS
    if changes and not gone and not record.row.has_description:
        yield f"its description is not the one of entry {changes[-1].entry}", RESTORE


def _places(  # noqa: C901 - one case for each kind of place
    record: Record,
) -> Iterator[Problem]:
    """Posts in places where they must not be."""
    row = record.row
    public = {
        entry.entry
        for entry in record.entries
        if entry.visibility == Visibility.PUBLIC or _is_move(entry)
    }
    # A post of the side that was taken away stays, and says that there is nothing to see.
    changed = record.changed_sides
    messages: set[tuple[str, str]] = set()
    own = record.channels
    for place in record.places:
        where = f"{place.posted_in} at {place.ts}"
        name = str(place.surface).replace("_", " ")
        if (place.posted_in, place.ts) in messages:
            yield f"two posts are recorded in {where}", RESTORE
        messages.add((place.posted_in, place.ts))
        if not changed and row.private and place.surface in PUBLIC_SURFACES:
            yield f"it is private, and its {name} is in {where}", DELETE
        if (
            not changed
            and place.surface == Surface.WORKING_CARD
            and not _may_show(row, place.channel, declared_in=row.channel)
            and not any(one.id == place.channel and one.private >= row.private for one in own)
        ):
            yield f"its {name} is in {where}, and must not be there", DELETE
        if place.surface == Surface.PUBLIC_UPDATE:
            if place.entry not in public:
                yield f"entry {place.entry} is not public, and was posted in {where}", DELETE
        elif place.surface == Surface.CHANNEL_NOTE:
            if not any(one.private and one.id == place.channel for one in own):
                yield f"entry {place.entry} is a note, and was posted in {where}", DELETE
        elif place.surface in NOTICES:
            if not 0 < place.entry <= row.last_entry:
                yield f"its {name} is recorded in {where} as entry {place.entry}", RESTORE
        elif place.entry != 0 or place.surface == Surface.WITHDRAWAL:
            yield f"its {name} is recorded in {where} as entry {place.entry}", RESTORE


def _is_move(entry: AnyRow) -> bool:
    """Whether an entry is a transition: without a public text, a short reply may tell it."""
    return entry.kind in TRANSITIONS and entry.old is not None


def _may_show(row: AnyRow, channel: str, *, declared_in: str | None) -> bool:
    """Whether the working card may be in ``channel``, as `Incident.card_channel` says."""
    place = Place(channel, private=row.channel_private)
    return declared_in == channel and place.may_show(private=row.private)


def _missing_cards_of_responders(record: Record) -> Iterator[Problem]:
    row = record.row
    if row.channel and _may_show(row, row.channel, declared_in=row.channel):
        if (row.channel, 0) not in record.shown_in(Surface.WORKING_CARD):
            yield f"its card was neither posted to {row.channel} nor is it waiting", DRAW_ANEW
        return
    owner = Person(row.owner_id, "") if row.private and row.owner_id else None
    waits = record.shown_in(Surface.OWNER_CARD)
    if owner and owner.in_slack and (owner.id, 0) not in waits:
        yield "its owner's card was neither posted nor is it waiting", DRAW_ANEW


def about(row: AnyRow) -> str:
    """The workspace and the incident of a message's row."""
    return row.workspace_id if row.number is None else f"{row.workspace_id} INC-{row.number}"


def surface_name(row: AnyRow) -> str:
    """The surface of a message's row, in words."""
    name = str(row.surface).replace("_", " ")
    entry = getattr(row, "entry", None)
    return f"the {name}" if entry is None else f"the {name} of entry {entry}"


def message_findings(  # noqa: C901 - one case for each kind of error
    row: AnyRow,
) -> Iterator[Problem]:
    """The errors of one outbox message."""
    if row.number is None:
        yield f"outbox message {row.id} is about an incident that does not exist", RESTORE
        return
    if row.surface not in LANES:
        yield f"outbox message {row.id} is for no surface that there is", RESTORE
        return
    surface = Surface(row.surface)
    to = f"a message for {surface_name(row)} goes to {row.channel}"
    if row.lane != lane(row.incident_id, Envelope(surface=surface, channel=row.channel)):
        yield f"{to}, in the lane of another", RESTORE
    if row.private and surface in PUBLIC_SURFACES and not row.changed_sides:
        yield f"it is private, and {to}", DELETE
    if surface in ABOUT_ENTRIES:
        yield from _reply_findings(row, to)
    elif surface in {*NOTICES, Surface.CHANNEL_NOTE}:
        if row.visibility is None:
            yield f"{to}, and there is no such entry", RESTORE
        elif surface is Surface.CHANNEL_NOTE and not row.in_private_channel:
            yield f"{to}, and notes go to a private channel of their incident only", DELETE
    elif row.entry is not None:
        yield f"{to}, and a card is about no entry", RESTORE
    elif surface is Surface.WORKING_CARD and not (row.changed_sides or _may_get_card(row)):
        yield f"{to}, and must not be there", DELETE


def _may_get_card(row: AnyRow) -> bool:
    """Whether the working card may go to the channel of a message's row."""
    own = row.in_private_channel or (row.in_public_channel and not row.private)
    return own or _may_show(row, row.channel, declared_in=row.declared_in)


def _reply_findings(row: AnyRow, to: str) -> Iterator[Problem]:
    if row.visibility is None:
        yield f"{to}, and there is no such entry", RESTORE
    elif row.visibility != Visibility.PUBLIC and not _is_move(row):
        yield f"{to}, and that entry is not public", DELETE
