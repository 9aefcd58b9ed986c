"""The reads of responders: incidents, boards, cards, timelines, as values of core."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from operator import attrgetter
from uuid import UUID

from sqlalchemy import Connection, bindparam, null, select

from core.boards import BoardFilter, Card, Page
from core.handover import HandOver
from core.incident import Actor, Component, DescribedComponent, Incident, Kind, Update
from core.lifecycle import PublicWord
from core.page import Arrangement
from core.promise import Promise
from core.public_side import KeptIncident, KeptUpdate
from core.ranking import Rank, Ranking, rank_of
from core.settings import SavedSetting
from core.store import CaughtUp, ChannelName, HandOverName, OwnerName, PromiseName
from core.subscription import Subscription
from core.webhooks import Endpoint, Sending
from core.workspace import Workspace, WorkspaceSettings
from storage import (
    boards,
    catching,
    entries,
    handovers,
    imports,
    own_channels,
    owners,
    pages,
    promises,
    settings,
    subscriptions,
    timelines,
    webhooks,
)
from storage.entries import UPDATE_FACTS, of_incident, update_of
from storage.incidents import INCIDENT, Address, incidents_of
from storage.models import (
    component,
    incident,
    is_move,
    is_on_card,
    posted,
    update,
    workspace,
)
from storage.rows import (
    NEWEST,
    AnyRow,
    AnySelect,
)
from storage.settings import SettingsMemory
from storage.snapshot import Snapshot
from storage.statements import SHARED

# The columns of a workspace that decide on its settings, and on its public side.
WORKSPACE = (
    workspace.c.status_channel,
    workspace.c.settings_version,
    workspace.c.page_published,
    workspace.c.has_webhooks,
    workspace.c.subscriptions,
)
WorkspaceColumns = tuple[str | None, int | None, bool | None, bool | None, int | None]

# With the settings of the workspace, which every command needs next.
_ONE = INCIDENT.join(workspace, workspace.c.id == incident.c.workspace_id).add_columns(*WORKSPACE)
_BY_NUMBER = _ONE.where(incident.c.number == bindparam("ref"))
_BY_ID = _ONE.where(incident.c.id == bindparam("ref"))

# By whether ``ref`` is a number. A transaction locks the row of its incident until the end; FOR NO
# KEY UPDATE, so that messages about it can be marked as delivered meanwhile.
TO_READ = {True: _BY_NUMBER, False: _BY_ID}
TO_CHANGE = {
    is_number: one.with_for_update(of=incident, key_share=True).suffix_with(
        SHARED, dialect="postgresql"
    )
    for is_number, one in TO_READ.items()
}

_SHOWN_BY = select(posted.c.incident_id).where(
    posted.c.workspace_id == bindparam("workspace"),
    posted.c.posted_in == bindparam("channel"),
    posted.c.ts == bindparam("ts"),
)
_BODILESS = (
    select(*UPDATE_FACTS, null()).where(of_incident).order_by(update.c.entry.desc()).limit(1)
)

_NUMBERED = (
    INCIDENT.where(incident.c.number > bindparam("after"), incident.c.number <= bindparam("until"))
    .order_by(incident.c.number)
    .limit(bindparam("limit"))
)
_DECLARED = select(incident.c.id, incident.c.number).where(
    incident.c.workspace_id == bindparam("workspace"),
    incident.c.created_at >= bindparam("since"),
    incident.c.created_at < bindparam("until"),
)
_AMONG = INCIDENT.where(incident.c.id.in_(bindparam("incidents", expanding=True)))
_DESCRIBED_COMPONENTS = (
    select(
        component.c.id,
        component.c.name,
        component.c.description,
        component.c.group_label,
        component.c.shown,
    )
    .where(component.c.workspace_id == bindparam("workspace"))
    .order_by(component.c.folded)
)
# The card has a line of its own for a promise.
_CARD_LAST = _BODILESS.where(is_on_card)
# Moves are few, and no text is read.
_CARD_TIMES = select(update.c.incident_id, update.c.kind, update.c.new, update.c.at).where(
    update.c.workspace_id == bindparam("workspace"),
    update.c.incident_id.in_(bindparam("incidents", expanding=True)),
    is_move,
)

_WORKSPACE = select(*WORKSPACE).where(workspace.c.id == bindparam("workspace"))
# For a change of something else than an incident that receivers are told of.
WORKSPACE_TO_CHANGE = _WORKSPACE.suffix_with(SHARED, dialect="postgresql")
_DECLARED_FOR = {True: _DECLARED, False: _DECLARED.where(boards.visible)}


class SqlReader(Snapshot):
    """One snapshot of the store; implements `core.service.Reader`."""

    def __init__(
        self, connection: Connection, *, settings: SettingsMemory, address: Address
    ) -> None:
        super().__init__(connection)
        self._settings = settings
        self._address = address
        self._workspaces: dict[str, Workspace] = {}

    def workspace(self, workspace: str) -> Workspace:
        """The workspace with its settings: its own, and the defaults for the others."""
        known = self._workspaces.get(workspace)
        if known is None:
            found = self._connection.execute(_WORKSPACE, {"workspace": workspace}).first()
            known = self._workspace(workspace, tuple(found or (None,) * len(WORKSPACE)))
        return known

    def _workspace(self, workspace: str, columns: WorkspaceColumns) -> Workspace:
        status_channel, version, page, webhooks, subscribed = columns
        known = self._settings.of(
            self._connection, workspace, status_channel=status_channel, version=version or 0
        )
        if page or webhooks or subscribed is not None:
            known = replace(
                known, page=bool(page), webhooks=bool(webhooks), subscriptions=subscribed
            )
        self._workspaces[workspace] = known
        return known

    def endpoints(self, workspace: str) -> tuple[Endpoint, ...]:
        """All endpoints of the workspace, oldest first."""
        return webhooks.endpoints(self._connection, workspace)

    def subscriptions(self, workspace: str) -> tuple[Subscription, ...]:
        """All subscriptions of the workspace, ended ones as well, by channel."""
        return subscriptions.subscriptions(self._connection, workspace)

    def sendings(self, workspace: str, endpoint: UUID, *, limit: int) -> tuple[Sending, ...]:
        """The newest ``limit`` events of an endpoint, newest first."""
        return webhooks.sendings(self._connection, workspace, endpoint, limit=limit)

    def saved_settings(self, workspace: str) -> tuple[SavedSetting, ...]:
        """The settings that the workspace has saved itself, in their order."""
        return settings.saved(self._connection, workspace)

    def default_settings(self, workspace: str) -> WorkspaceSettings:
        """The settings of a workspace that has saved none."""
        return self._settings.defaults(workspace)

    def incident(self, workspace: str, ref: int | UUID) -> Incident | None:
        """The incident of that number or id."""
        return self._one(TO_READ[isinstance(ref, int)], workspace, ref)

    def _one(self, statement: AnySelect, workspace: str, ref: int | UUID) -> Incident | None:
        if isinstance(ref, int) and not 0 < ref < NEWEST:
            return None  # PostgreSQL refuses to compare the column with a larger number.
        row = self._connection.execute(statement, {"workspace": workspace, "ref": ref}).first()
        if row is None:
            return None
        if workspace not in self._workspaces:
            self._workspace(workspace, tuple(row[-len(WORKSPACE) :]))
        return self._incidents(workspace, (row,))[0]

    def shown_by(self, workspace: str, channel: str, ts: str) -> UUID | None:
        """The id of the incident that the message ``ts`` in ``channel`` shows; None for others."""
        message = {"workspace": workspace, "channel": channel, "ts": ts}
        found: UUID | None = self._connection.execute(_SHOWN_BY, message).scalar()
        return found

    def open_in_channel(self, workspace: str, channel: str) -> Ranking:
        """The open incidents with their card in ``channel``, worst first, at most 10.

        In a channel of its own an incident comes first.
        """
        asked = {"workspace": workspace, "channel": channel}
        rows, total = boards.open_in_channel(self._connection, asked)
        here = self._incidents(workspace, rows)
        its = self.incident_of_channel(workspace, channel)
        own = None if its is None else self._one(TO_READ[False], workspace, its)
        if own is None or own.terminal or channel not in own.card_channels:
            return Ranking(items=here, total=total)
        counted = own.card_channel == channel
        items = (own, *(one for one in here if one.id != own.id))[: boards.OPEN_HERE_MAX]
        return Ranking(items=items, total=total if counted else total + 1)

    def card(self, incident: Incident) -> Card:
        """The card of ``incident``; no body is read for it."""
        of_incident = {"workspace": incident.workspace, "incident": incident.id}
        last = self._connection.execute(_CARD_LAST, of_incident).first()
        (card,) = self.times(incident.workspace, [incident])
        return replace(
            card,
            last=last and update_of(last),
            offers_channel=self._offers_channel(incident),
            promises=self.promises(incident) if incident.promises else (),
        )

    def _offers_channel(self, incident: Incident) -> bool:
        own = incident.own_channel
        missing = own is None or own.error is not None
        offered = self.workspace(incident.workspace).settings.incident_channels.offered
        return missing and offered and not incident.terminal

    def times(self, workspace: str, incidents: Sequence[Incident]) -> tuple[Card, ...]:
        """The cards of ``incidents``, without their newest updates."""
        chosen = {"workspace": workspace, "incidents": [incident.id for incident in incidents]}
        moves: dict[UUID, list[AnyRow]] = {}
        for row in self._connection.execute(_CARD_TIMES, chosen) if incidents else ():
            moves.setdefault(row.incident_id, []).append(row)
        return tuple(_timed(incident, moves.get(incident.id, ())) for incident in incidents)

    def board(
        self,
        actor: Actor,
        narrowed: BoardFilter,
        *,
        before: int | None,
        after: int | None,
        limit: int,
    ) -> Page[Incident]:
        """Incidents that ``actor`` may see, newest first; ``after`` takes precedence."""
        newer = after is not None
        key = after if after is not None else before if before is not None else NEWEST
        key = min(max(key, 0), NEWEST)
        rows = boards.newest(
            self._connection, actor, narrowed, key=key, newer=newer, limit=limit + 1
        )
        goes_on, rows = len(rows) > limit, rows[:limit]
        items = self._incidents(actor.workspace, rows[::-1] if newer else rows)
        if newer:
            older = items[-1].number if items else key + 1
            return Page(items=items, older=older, newer=items[0].number if goes_on else None)
        return Page(
            items=items,
            older=items[-1].number if goes_on else None,
            newer=None if before is None else items[0].number if items else before - 1,
        )

    def ranking(
        self,
        actor: Actor,
        narrowed: BoardFilter,
        *,
        before: Rank | None,
        after: Rank | None,
        limit: int,
    ) -> Ranking:
        """Incidents that ``actor`` may see, as `Rank` orders them; ``after`` takes precedence."""
        worse = after is not None
        rows = boards.worst(
            self._connection, actor, narrowed, key=after or before, worse=worse, limit=limit + 1
        )
        total = boards.total(self._connection, actor, narrowed)
        goes_on, rows = len(rows) > limit, rows[:limit]
        items = self._incidents(actor.workspace, rows[::-1] if worse else rows)
        if after is not None:
            return Ranking(
                items=items,
                older=rank_of(items[-1]) if items else after,
                newer=rank_of(items[0]) if goes_on else None,
                total=total,
                above=self._above(actor, narrowed, items) if goes_on else 0,
            )
        return Ranking(
            items=items,
            older=rank_of(items[-1]) if goes_on else None,
            newer=rank_of(items[0]) if before and items else before,
            total=total,
            above=self._above(actor, narrowed, items) if before else 0,
        )

    def _above(self, actor: Actor, narrowed: BoardFilter, items: Sequence[Incident]) -> int:
        """The number of incidents in the list above the first of ``items``."""
        place = rank_of(items[0]) if items else None
        return boards.total(self._connection, actor, narrowed, above=place)

    def timeline(self, incident: Incident, *, before: int | None, limit: int) -> Page[Update]:
        """The newest ``limit`` updates below ``before``, oldest first; keys are a ``before``."""
        return timelines.page(self._connection, incident, before=before, limit=limit)

    def public_texts(self, incident: Incident) -> tuple[Update, ...]:
        """The entries with a public text, oldest first."""
        return timelines.public_texts(self._connection, incident)

    def caught_up(
        self, workspace: str, person: str, incidents: Sequence[UUID]
    ) -> dict[UUID, CaughtUp]:
        """How far ``person`` has read each of ``incidents`` that they caught up on."""
        return catching.find(self._connection, workspace, person, incidents)

    def moves(self, incident: Incident) -> tuple[Update, ...]:
        """All transitions, oldest first, with the declaration as the first."""
        return timelines.moves(self._connection, incident)

    def numbered(
        self, workspace: str, *, after: int, until: int, limit: int
    ) -> tuple[Incident, ...]:
        """The first ``limit`` incidents, oldest first, with a number above ``after``, to ``until``.

        For the operator's export: nothing is left out.
        """
        rows = self._connection.execute(
            _NUMBERED, {"workspace": workspace, "after": after, "until": until, "limit": limit}
        ).all()
        return self._incidents(workspace, rows)

    def timelines(
        self, workspace: str, incidents: Sequence[UUID], *, after: int = 0, until: int
    ) -> tuple[Update, ...]:
        """The updates of each of ``incidents`` above ``after``, to ``until``, oldest first."""
        return timelines.of_many(self._connection, workspace, incidents, after=after, until=until)

    def sections(self, incident: Incident) -> tuple[Update, ...]:
        """All entries of the report's sections, oldest first."""
        return entries.sections(self._connection, incident)

    def texts(self, incident: Incident) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """All private texts of the incident, earlier descriptions too, and all public ones."""
        return entries.texts(self._connection, incident)

    def declared(self, actor: Actor, *, since: datetime, until: datetime) -> tuple[UUID, ...]:
        """The ids of the incidents for ``actor`` that were declared in that time, oldest first."""
        rows = self._connection.execute(
            _DECLARED_FOR[actor.admin or actor.sees_private],
            {
                "workspace": actor.workspace,
                "person": actor.person.id,
                "spoken_in": actor.channel,
                "since": since,
                "until": until,
            },
        ).all()
        # Sorted here: told to sort by number, SQLite would walk through all incidents.
        return tuple(row.id for row in sorted(rows, key=attrgetter("number")))

    def histories(
        self, workspace: str, incidents: Sequence[UUID]
    ) -> tuple[tuple[Incident, tuple[Update, ...]], ...]:
        """Each of ``incidents`` with its transitions and public updates, without any text."""
        updates = timelines.histories(self._connection, workspace, incidents)
        chosen = {"workspace": workspace, "incidents": incidents}
        found = self._incidents(workspace, self._connection.execute(_AMONG, chosen).all())
        return tuple((one, updates[one.id]) for one in found)

    def promises(self, incident: Incident) -> tuple[Promise, ...]:
        """All promises of the incident, oldest first."""
        found = promises.promises_of(self._connection, incident.workspace, [incident.id])
        return found.get(incident.id, ())

    def promises_of(
        self, workspace: str, incidents: Sequence[Incident]
    ) -> dict[UUID, tuple[Promise, ...]]:
        """The promises of each of ``incidents`` that has any, oldest first."""
        promised = [incident.id for incident in incidents if incident.promises]
        return promises.promises_of(self._connection, workspace, promised)

    def due_promises(self, *, at: datetime, limit: int) -> tuple[PromiseName, ...]:
        """Promises of all workspaces with a stage whose moment has passed at ``at``."""
        return promises.due(self._connection, at=at, limit=limit)

    def hand_over(self, incident: Incident, entry: int) -> HandOver | None:
        """The hand-over that ``entry`` made; None if it made none."""
        return handovers.one(self._connection, incident, entry)

    def owners(self, *, after: OwnerName | None, limit: int) -> tuple[OwnerName, ...]:
        """The first ``limit`` owners of open incidents behind ``after``, in all workspaces."""
        return owners.page(self._connection, after=after, limit=limit)

    def owned(self, owner: OwnerName, *, left: bool) -> tuple[UUID, ...]:
        """The open incidents of ``owner`` whose mark says the contrary of ``left``."""
        return owners.owned(self._connection, owner, left=left)

    def hand_overs_of(
        self, workspace: str, incidents: Sequence[Incident]
    ) -> dict[UUID, tuple[HandOver, ...]]:
        """The hand-overs of each of ``incidents`` that has any, oldest first."""
        named = [incident.id for incident in incidents]
        return handovers.of_many(self._connection, workspace, named)

    def due_hand_overs(self, *, at: datetime, limit: int) -> tuple[HandOverName, ...]:
        """Hand-overs of all workspaces whose time for an answer is over at ``at``."""
        return handovers.due(self._connection, at=at, limit=limit)

    def arrangement(self, workspace: str) -> Arrangement:
        """All components and groups of the workspace, with its page if it is published."""
        headings = pages.groups(self._connection, workspace)
        found = pages.found(self._connection, workspace=workspace)
        return Arrangement(
            components=pages.shown(self._connection, workspace, headings, hidden=True),
            groups=headings,
            page=found and found[0],
            former=None if found else pages.former(self._connection, workspace),
        )

    def unnamed(self, actor: Actor) -> frozenset[UUID]:
        """The components whose names ``actor`` may not know: `core.components.nameable`."""
        return boards.unnamed(self._connection, actor)

    def kept_page(self, workspace: str) -> str | None:
        """The id that the page of the workspace keeps of an imported one; None without one."""
        return imports.page(self._connection, workspace)

    def imported(
        self, workspace: str, incidents: Sequence[UUID]
    ) -> Mapping[UUID, tuple[KeptIncident, Mapping[int, KeptUpdate]]]:
        """The facts of those of ``incidents`` that were imported; their updates by entry."""
        return imports.kept(self._connection, workspace, incidents)

    def due_channels(self, *, at: datetime, limit: int) -> tuple[ChannelName, ...]:
        """Channels of all workspaces with a stage whose moment has passed at ``at``."""
        return own_channels.due(self._connection, at=at, limit=limit)

    def incident_of_channel(self, workspace: str, channel: str) -> UUID | None:
        """The id of the incident whose own channel ``channel`` is; None for others."""
        return own_channels.incident_of(self._connection, workspace, channel)

    def described_components(self, workspace: str) -> tuple[DescribedComponent, ...]:
        """All components of the workspace with their descriptions, by name."""
        rows = self._connection.execute(_DESCRIBED_COMPONENTS, {"workspace": workspace})
        return tuple(
            DescribedComponent(
                component=Component(row.id, row.name),
                description=row.description,
                group=row.group_label,
                shown=bool(row.shown),
            )
            for row in rows
        )

    def _incidents(self, workspace: str, rows: Sequence[AnyRow]) -> tuple[Incident, ...]:
        return incidents_of(self._connection, workspace, rows, address=self._address)


def _timed(incident: Incident, moves: Iterable[AnyRow]) -> Card:
    """The card of ``incident`` with the times that follow from its ``moves``."""
    word_of = incident.lifecycle.public_word
    acknowledged = [move.at for move in moves if move.kind == Kind.ACKNOWLEDGED]
    resolved = [move.at for move in moves if move.new and word_of(move.new) is PublicWord.RESOLVED]
    return Card(
        incident=incident,
        acknowledged_at=min(acknowledged, default=None),
        resolved_at=min(resolved, default=None),
    )
