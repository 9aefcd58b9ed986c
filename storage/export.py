"""All incidents with their timelines, for an archive, read while others go on working.

One snapshot of everything could last for minutes. It would keep SQLite's log, PostgreSQL's
dead rows and a withdrawn text from being erased as long. So the export reads pages, each in a
short snapshot of its own that ends before any of it is written: a slow reader of the lines delays
nobody. An incident and its timeline come from one snapshot, and agree.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from functools import partial
from itertools import accumulate, groupby
from operator import attrgetter
from typing import TypeAlias

from sqlalchemy import bindparam, select

from core.handover import HandOver
from core.incident import Component, DescribedComponent, Incident, Update
from core.lifecycle import Lifecycle
from core.page import ComponentGroup, PageSettings, ShownComponent
from core.promise import Promise
from core.public_side import KeptIncident, KeptUpdate, PublicIncident
from core.settings import SavedSetting
from core.subscription import Subscription
from core.workspace import Workspace
from storage.models import workspace as _workspace
from storage.public import PublicReader
from storage.queries import SqlReader
from storage.snapshot import connection_of
from storage.store import SqlStore

# The most that is read, and held in memory, at once. On SQLite a withdrawn text leaves the log only
# if no reader holds it for 100 ms; a page takes a fifth of that.
INCIDENTS_MAX = 200
UPDATES_MAX = 500
PUBLIC_MAX = 20

# What an entry keeps of the page that it was imported from, with its number.
KeptEntry: TypeAlias = tuple[int, KeptUpdate]
Followed: TypeAlias = Promise | HandOver | KeptIncident | KeptEntry
Record: TypeAlias = (
    SavedSetting
    | Workspace
    | DescribedComponent
    | Lifecycle
    | Incident
    | Update
    | tuple[Incident, Promise | HandOver | KeptIncident | KeptEntry]
    | PageSettings
    | ComponentGroup
    | ShownComponent
    | Subscription
)
PublicRecord: TypeAlias = Component | PublicIncident

_NEXT = (
    select(_workspace.c.id)
    .where(_workspace.c.id > bindparam("after"))
    .order_by(_workspace.c.id)
    .limit(1)
)
_LAST_NUMBER = select(_workspace.c.last_number).where(_workspace.c.id == bindparam("workspace"))


def workspaces(store: SqlStore) -> Iterator[str]:
    """The ids of all workspaces."""
    after = ""
    while (found := store.read_now(partial(_next, after=after))) is not None:
        yield found
        after = found


def everything(store: SqlStore, workspace: str) -> Iterator[Record]:
    """The workspace, its settings, components and subscriptions, and its incidents, oldest first.

    Each incident comes before its updates.

    The promises and the hand-overs of an incident follow its updates, each with the incident, and
    what it keeps of the page that it was imported from.

    A lifecycle comes before the first incident that was declared with it. Incidents that are
    declared meanwhile are left out.
    """
    known, saved, components, until = store.read_now(partial(_workspace_of, workspace=workspace))
    yield known
    yield from saved
    yield from components
    arranged = store.read_now(partial(SqlReader.arrangement, workspace=workspace))
    if arranged.page:
        yield arranged.page
    yield from arranged.groups
    yield from arranged.components
    yield from store.read_now(partial(SqlReader.subscriptions, workspace=workspace))
    lifecycles: set[Lifecycle] = set()
    after = 0
    while page := store.read_now(partial(_page, workspace=workspace, after=after, until=until)):
        for incident, timeline, followed in page:
            if incident.lifecycle not in lifecycles:
                lifecycles.add(incident.lifecycle)
                yield incident.lifecycle
            yield incident
            yield from timeline
            # The rest of a timeline that is too long for one snapshot. Later changes only append to
            # it, or withdraw a text.
            for entry in range(UPDATES_MAX, incident.last_entry, UPDATES_MAX):
                yield from store.read_now(partial(_further, incident=incident, after=entry))
            yield from ((incident, one) for one in followed)
            after = incident.number


def published(store: SqlStore, workspace: str, *, at: datetime) -> Iterator[PublicRecord]:
    """The public side at the moment ``at``: components, then incidents, newest first."""
    yield from store.read_public_now(partial(PublicReader.components, workspace=workspace))
    before: int | None = None
    while page := store.read_public_now(
        partial(
            PublicReader.recent_incidents,
            workspace=workspace,
            before=before,
            limit=PUBLIC_MAX,
            at=at,
        )
    ):
        yield from page
        before = page[-1].number


def _next(reader: SqlReader, *, after: str) -> str | None:
    found: str | None = connection_of(reader).execute(_NEXT, {"after": after}).scalar_one_or_none()
    return found


def _workspace_of(
    reader: SqlReader, *, workspace: str
) -> tuple[Workspace, tuple[SavedSetting, ...], tuple[DescribedComponent, ...], int]:
    last_number = connection_of(reader).execute(_LAST_NUMBER, {"workspace": workspace}).scalar_one()
    return (
        reader.workspace(workspace),
        reader.saved_settings(workspace),
        reader.described_components(workspace),
        last_number,
    )


def _page(
    reader: SqlReader, *, workspace: str, after: int, until: int
) -> list[tuple[Incident, tuple[Update, ...], tuple[Followed, ...]]]:
    """As many incidents as have `UPDATES_MAX` updates together; of a longer one, the first part."""
    found = reader.numbered(workspace, after=after, until=until, limit=INCIDENTS_MAX)
    updates = accumulate(incident.last_entry for incident in found)
    few = [
        incident for incident, count in zip(found, updates, strict=True) if count <= UPDATES_MAX
    ] or found[:1]
    timelines = {
        incident: tuple(timeline)
        for incident, timeline in groupby(
            reader.timelines(workspace, [incident.id for incident in few], until=UPDATES_MAX),
            attrgetter("incident"),
        )
    }
    promises = reader.promises_of(workspace, few)
    hand_overs = reader.hand_overs_of(workspace, few)
    kept = reader.imported(workspace, [incident.id for incident in few])
    return [
        (
            incident,
            timelines.get(incident.id, ()),
            (
                *promises.get(incident.id, ()),
                *hand_overs.get(incident.id, ()),
                *_kept(kept.get(incident.id)),
            ),
        )
        for incident in few
    ]


def _kept(
    kept: tuple[KeptIncident, Mapping[int, KeptUpdate]] | None,
) -> Iterator[KeptIncident | KeptEntry]:
    if kept is not None:
        yield kept[0]
        yield from kept[1].items()


def _further(reader: SqlReader, *, incident: Incident, after: int) -> tuple[Update, ...]:
    until = min(after + UPDATES_MAX, incident.last_entry)
    return reader.timelines(incident.workspace, [incident.id], after=after, until=until)
