"""The reads of timelines with their notes, as far as the actor may see."""

from __future__ import annotations

from collections.abc import Callable

from core.boards import Card, Page
from core.commands import Ref
from core.incident import Actor, Update
from core.loading import readable
from core.store import Reader

# Each function raises NotFound or WhichIncident if there is no such incident for the actor, and
# Denied if the actor may not read notes.


def page(
    reader: Reader, actor: Actor, ref: Ref, *, before: int | None, limit: int
) -> tuple[Card, Page[Update]]:
    """The card of one incident, and the last ``limit`` entries below ``before``, oldest first."""
    incident = readable(reader, actor, ref)
    return reader.card(incident), reader.timeline(incident, before=before, limit=limit)


def history(reader: Reader, actor: Actor, ref: Ref) -> tuple[Card, tuple[Update, ...]]:
    """The card of one incident with its transitions and their notes, oldest first."""
    incident = readable(reader, actor, ref)
    return reader.card(incident), reader.moves(incident)


def oldest(reader: Reader, actor: Actor, ref: Ref, *, after: int, limit: int) -> Page[Update]:
    """The first ``limit`` entries above ``after``; ``newer`` is the next ``after``."""
    incident = readable(reader, actor, ref)
    # The entries of a timeline have no gaps.
    last = min(after + limit, incident.last_entry)
    entries = reader.timeline(incident, before=last + 1, limit=max(last - after, 0))
    return Page(items=entries.items, newer=last if last < incident.last_entry else None)


def newest(
    reader: Reader,
    actor: Actor,
    ref: Ref,
    *,
    before: int | None,
    limit: int,
    wanted: Callable[[Update], bool],
) -> Page[Update]:
    """The last ``limit`` ``wanted`` entries below ``before``, newest first.

    ``older`` is the next ``before``.
    """
    incident = readable(reader, actor, ref)
    found: list[Update] = []
    key = before
    while len(found) <= limit:
        entries = reader.timeline(incident, before=key, limit=limit)
        found += filter(wanted, reversed(entries.items))
        key = entries.older
        if key is None:
            break
    items = tuple(found[:limit])
    return Page(items=items, older=items[-1].entry if len(found) > limit else None)
