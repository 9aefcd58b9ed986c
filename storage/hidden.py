"""Texts and incidents that people have hidden since a backup, by comparison with the live database.

It reads two SQLite files over one connection: ``main`` is the backup, migrated, and ``live`` the
database that it replaces, perhaps of an earlier version.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import IntEnum
from uuid import UUID

from core.incident import DeclaredText, Person


class HiddenKind(IntEnum):
    """The kinds of hidden things, in the order in which they are hidden again."""

    INCIDENT = 1  # made private
    INVITATION = 2  # taken back from ``person``
    TEXT = 3  # of ``entry``, withdrawn; never the present title
    TITLE = 4  # of ``entry``, withdrawn, taken back or replaced in time, though present here
    SECTION = 5  # withdrawn: no earlier text of it returns


@dataclass(frozen=True, slots=True, kw_only=True)
class Hidden:
    """Something of an incident that ``by`` has hidden since.

    ``at`` is the moment of the withdrawal of a text or a title: it may have been in time.
    """

    workspace: str
    incident: UUID
    number: int
    by: Person
    kind: HiddenKind
    entry: int | None = None
    person: Person | None = None
    section: str | None = None
    names: tuple[DeclaredText, ...] = ()  # of a declaration's texts; empty: all
    at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SeesAgain:
    """The owner of a private incident in the backup, ``owner``, who had lost the sight of it."""

    workspace: str
    number: int
    owner: str


# A row: workspace, incident, its number, the person who hid something and their name, the kind as a
# number, entry, the person who had an invitation and their name, section, names of texts, the
# time of a withdrawal.
_MADE_PRIVATE = """
SELECT theirs.workspace_id, theirs.id, ours.number, entry.by_id, entry.by_name,
  1, NULL, NULL, NULL, NULL, NULL, NULL
FROM main.incident AS ours JOIN live.incident AS theirs
  ON theirs.workspace_id = ours.workspace_id AND theirs.id = ours.id
JOIN live.incident_update AS entry
  ON entry.workspace_id = theirs.workspace_id AND entry.incident_id = theirs.id
  AND entry.entry = (SELECT max(newest.entry) FROM live.incident_update AS newest
    WHERE newest.workspace_id = theirs.workspace_id AND newest.incident_id = theirs.id
    AND newest.kind = 'privacy')
WHERE theirs.private AND NOT ours.private
"""
# The person who makes an incident private counts as invited, here once more.
_UNINVITED = """
SELECT theirs.workspace_id, theirs.id, ours.number, entry.by_id, entry.by_name,
  2, NULL, guest.person_id, guest.person_name, NULL, NULL, NULL
FROM main.incident AS ours JOIN live.incident AS theirs
  ON theirs.workspace_id = ours.workspace_id AND theirs.id = ours.id
JOIN (
  SELECT workspace_id, incident_id, person_id, person_name FROM main.incident_invited
  UNION SELECT workspace_id, incident_id, by_id, by_name FROM live.incident_update
    WHERE kind = 'privacy' AND new = 'private'
) AS guest ON guest.workspace_id = theirs.workspace_id AND guest.incident_id = theirs.id
JOIN live.incident_update AS entry
  ON entry.workspace_id = theirs.workspace_id AND entry.incident_id = theirs.id
  AND entry.entry = (SELECT max(newest.entry) FROM live.incident_update AS newest
    WHERE newest.workspace_id = theirs.workspace_id AND newest.incident_id = theirs.id
    AND newest.kind = 'uninvited' AND newest.entry > ours.last_entry)
WHERE NOT EXISTS (SELECT 1 FROM live.incident_invited AS kept
  WHERE kept.workspace_id = theirs.workspace_id AND kept.incident_id = theirs.id
  AND kept.person_id = guest.person_id)
"""
# A declaration loses its texts one by one, or all. The first change of the title tells whether its
# title is gone; an earlier version named no texts.
_WITHDRAWN = """
SELECT theirs.workspace_id, theirs.incident_id, incident.number,
  theirs.redacted_by_id, theirs.redacted_by_name,
  CASE
    WHEN theirs.kind = 'title' THEN 4
    WHEN theirs.kind = 'declared' AND (SELECT renamed.old IS NULL
      FROM live.incident_update AS renamed
      WHERE renamed.workspace_id = theirs.workspace_id AND renamed.incident_id = theirs.incident_id
      AND renamed.kind = 'title' ORDER BY renamed.entry LIMIT 1) THEN 4
    ELSE 3
  END, theirs.entry, NULL, NULL, NULL, theirs.withdrawn, theirs.redacted_at
FROM main.incident_update AS ours JOIN live.incident_update AS theirs
  ON theirs.workspace_id = ours.workspace_id AND theirs.incident_id = ours.incident_id
  AND theirs.entry = ours.entry
JOIN main.incident AS incident
  ON incident.workspace_id = ours.workspace_id AND incident.id = ours.incident_id
WHERE theirs.redacted_at IS NOT NULL AND theirs.redacted_at IS NOT ours.redacted_at
  AND theirs.at = ours.at
"""
# A title that is replaced while it is held back never becomes public.
_REPLACED_IN_TIME = """
SELECT theirs.workspace_id, theirs.id, ours.number, renamed.by_id, renamed.by_name,
  4, coalesce((SELECT max(held.entry) FROM main.incident_update AS held
    WHERE held.workspace_id = ours.workspace_id AND held.incident_id = ours.id
    AND held.kind = 'title'), 1), NULL, NULL, NULL, 'title', renamed.at
FROM main.incident AS ours JOIN live.incident AS theirs
  ON theirs.workspace_id = ours.workspace_id AND theirs.id = ours.id
JOIN live.incident_update AS renamed
  ON renamed.workspace_id = theirs.workspace_id AND renamed.incident_id = theirs.id
  AND renamed.entry = (SELECT min(one.entry) FROM live.incident_update AS one
    WHERE one.workspace_id = theirs.workspace_id AND one.incident_id = theirs.id
    AND one.kind = 'title' AND one.entry > ours.last_entry)
WHERE renamed.at < ours.title_public_at
"""
_SECTIONS = """
SELECT theirs.workspace_id, theirs.id, ours.number, entry.redacted_by_id, entry.redacted_by_name,
  5, NULL, NULL, NULL, entry.new, NULL, NULL
FROM main.incident AS ours JOIN live.incident AS theirs
  ON theirs.workspace_id = ours.workspace_id AND theirs.id = ours.id
JOIN live.incident_update AS entry
  ON entry.workspace_id = theirs.workspace_id AND entry.incident_id = theirs.id
WHERE entry.kind = 'reported' AND entry.redacted_at IS NOT NULL
  AND entry.entry > ours.last_entry
  AND NOT EXISTS (SELECT 1 FROM live.incident_update AS later
    WHERE later.workspace_id = entry.workspace_id AND later.incident_id = entry.incident_id
    AND later.kind = 'reported' AND later.new = entry.new AND later.entry > entry.entry)
  AND EXISTS (SELECT 1 FROM main.incident_update AS earlier
    WHERE earlier.workspace_id = entry.workspace_id AND earlier.incident_id = entry.incident_id
    AND earlier.kind = 'reported' AND earlier.new = entry.new AND earlier.body IS NOT NULL)
"""
_SEES_AGAIN = """
SELECT ours.workspace_id, ours.number, ours.owner_id
FROM main.incident AS ours JOIN live.incident AS theirs
  ON theirs.workspace_id = ours.workspace_id AND theirs.id = ours.id
WHERE theirs.private AND ours.owner_id <> ours.declared_by_id AND ours.owner_id NOT LIKE 'key:%'
  AND ours.owner_id IS NOT theirs.owner_id
  AND NOT EXISTS (SELECT 1 FROM live.incident_invited AS kept
    WHERE kept.workspace_id = theirs.workspace_id AND kept.incident_id = theirs.id
    AND kept.person_id = ours.owner_id)
ORDER BY 1, 2
"""
_HAS_NAMES = "SELECT 1 FROM pragma_table_info('incident_update', 'live') WHERE name = 'withdrawn'"
_HAS_INVITATIONS = "SELECT 1 FROM live.sqlite_master WHERE name = 'incident_invited'"


def hidden_since(connection: sqlite3.Connection) -> tuple[Hidden, ...]:
    """Everything that was hidden since, in the order in which it is to be hidden again."""
    return tuple(_hidden(connection))


def _hidden(connection: sqlite3.Connection) -> Iterator[Hidden]:
    named = connection.execute(_HAS_NAMES).fetchone()
    withdrawn = _WITHDRAWN.replace("theirs.withdrawn", "theirs.withdrawn" if named else "NULL")
    asked = [_MADE_PRIVATE, withdrawn, _REPLACED_IN_TIME, _SECTIONS]
    if _knows_invitations(connection):
        asked.append(_UNINVITED)
    order = "ORDER BY 1, 3, 6, 7"
    for row in connection.execute(f"{' UNION '.join(asked)} {order}"):
        team, incident, number, by, by_name, kind, entry, person, name, section, names, at = row
        yield Hidden(
            workspace=team,
            incident=UUID(incident),
            number=number,
            by=Person(by, by_name),
            kind=HiddenKind(kind),
            entry=entry,
            person=person and Person(person, name),
            section=section,
            names=tuple(map(DeclaredText, (names or "").split())),
            at=at and datetime.fromisoformat(at).replace(tzinfo=UTC),
        )


def sees_again(connection: sqlite3.Connection) -> tuple[SeesAgain, ...]:
    """The owners of private incidents in the backup who had lost the sight of them since."""
    if not _knows_invitations(connection):
        return ()
    return tuple(
        SeesAgain(workspace=team, number=number, owner=owner)
        for team, number, owner in connection.execute(_SEES_AGAIN)
    )


def _knows_invitations(connection: sqlite3.Connection) -> bool:
    """Whether ``live`` is of a version that has invitations."""
    return connection.execute(_HAS_INVITATIONS).fetchone() is not None
