"""What responders read: incidents, boards, cards, timelines. Rows go in, core's values come out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any, TypeAlias
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    Select,
    and_,
    bindparam,
    func,
    or_,
    select,
)

from core.incident import (
    Actor,
    BoardFilter,
    Card,
    Component,
    DescribedComponent,
    Incident,
    Kind,
    Page,
    Person,
    Place,
    Scope,
    Severity,
    Update,
    Visibility,
    Workspace,
)
from core.lifecycle import Lifecycle, PublicWord, read
from storage import models
from storage.models import component, incident, incident_component, is_open, update, workspace

AnyRow: TypeAlias = Row[*tuple[Any, ...]]
AnySelect: TypeAlias = Select[*tuple[Any, ...]]

OPEN_HERE_MAX = 10

TRANSITIONS = (Kind.DECLARED, Kind.MOVED, Kind.ACKNOWLEDGED)

# The order of the columns is the order in which `SqlReader._incident` and `update_of` unpack them.
_INCIDENT = select(
    incident.c.id,
    incident.c.workspace_id,
    incident.c.number,
    incident.c.title,
    incident.c.severity,
    incident.c.lifecycle,
    incident.c.status,
    incident.c.private,
    incident.c.declared_by_id,
    incident.c.declared_by_name,
    incident.c.owner_id,
    incident.c.owner_name,
    incident.c.acknowledged_by_id,
    incident.c.acknowledged_by_name,
    incident.c.description,
    incident.c.channel,
    incident.c.channel_private,
    incident.c.started_at,
    incident.c.created_at,
    incident.c.updated_at,
    incident.c.version,
    incident.c.last_entry,
    incident.c.component_count,
    incident.c.category,
).where(incident.c.workspace_id == bindparam("workspace"))

# With the workspace's row beside it, which every command needs next.
_ONE = _INCIDENT.join(workspace, workspace.c.id == incident.c.workspace_id).add_columns(
    workspace.c.status_channel
)
_BY_NUMBER = _ONE.where(incident.c.number == bindparam("ref"))
_BY_ID = _ONE.where(incident.c.id == bindparam("ref"))

# By whether it is named by its number. Whoever changes an incident holds its row until the end;
# NO KEY, so that messages about it may be marked as delivered meanwhile.
TO_READ = {True: _BY_NUMBER, False: _BY_ID}
TO_CHANGE = {
    is_number: one.with_for_update(of=incident, key_share=True)
    for is_number, one in TO_READ.items()
}

_OPEN_IN_CHANNEL = (
    _INCIDENT.where(is_open, incident.c.channel == bindparam("channel"))
    # A private incident's card stands in a private channel only.
    .where(or_(~incident.c.private, incident.c.channel_private))
    .order_by(incident.c.number.desc())
    .limit(OPEN_HERE_MAX)
)

_UPDATE_FACTS = (
    update.c.id,
    update.c.incident_id,
    update.c.entry,
    update.c.kind,
    update.c.visibility,
    update.c.by_id,
    update.c.by_name,
    update.c.at,
    update.c.old,
    update.c.new,
    update.c.public_at,
    update.c.redacted_at,
    update.c.redacted_by_id,
    update.c.redacted_by_name,
)
_of_incident = and_(
    update.c.workspace_id == bindparam("workspace"),
    update.c.incident_id == bindparam("incident"),
)
_UPDATE = select(*_UPDATE_FACTS, update.c.body).where(_of_incident)
_BODILESS = select(*_UPDATE_FACTS).where(_of_incident).order_by(update.c.entry.desc()).limit(1)
_is_transition = and_(update.c.kind.in_(TRANSITIONS), update.c.new.is_not(None))

_ENTRY_BY_NUMBER = _UPDATE.where(update.c.entry == bindparam("entry"))
_ENTRY_BY_ID = _UPDATE.where(update.c.id == bindparam("entry"))
_LAST_MOVE = _UPDATE.where(_is_transition).order_by(update.c.entry.desc()).limit(1)
_TIMELINE = (
    _UPDATE.where(update.c.entry < bindparam("before"))
    .order_by(update.c.entry.desc())
    .limit(bindparam("limit"))
)
_MOVES = _UPDATE.where(_is_transition).order_by(update.c.entry)
_NUMBERED = (
    _INCIDENT.where(incident.c.number > bindparam("after"), incident.c.number <= bindparam("until"))
    .order_by(incident.c.number)
    .limit(bindparam("limit"))
)
_TIMELINES = (
    select(*_UPDATE_FACTS, update.c.body)
    .where(
        update.c.workspace_id == bindparam("workspace"),
        update.c.incident_id.in_(bindparam("incidents", expanding=True)),
        update.c.entry > bindparam("after"),
        update.c.entry <= bindparam("until"),
    )
    .order_by(update.c.incident_id, update.c.entry)
)
_DESCRIBED_COMPONENTS = (
    select(component.c.id, component.c.name, component.c.description, component.c.group_label)
    .where(component.c.workspace_id == bindparam("workspace"))
    .order_by(component.c.folded)
)
_CARD_LAST = _BODILESS.where(
    or_(update.c.kind != Kind.WROTE, update.c.visibility == Visibility.PUBLIC)
)
_CARD_TIMES = select(
    func.min(update.c.at).filter(update.c.kind == Kind.ACKNOWLEDGED),
    func.min(update.c.at).filter(
        and_(_is_transition, update.c.new.in_(bindparam("resolved", expanding=True)))
    ),
).where(_of_incident, update.c.kind.in_(TRANSITIONS))

_WORKSPACE = select(workspace.c.status_channel).where(workspace.c.id == bindparam("workspace"))
_LIFECYCLE = select(models.lifecycle.c.definition).where(
    models.lifecycle.c.digest == bindparam("digest")
)
_TAGS = (
    select(incident_component.c.incident_id, component.c.id, component.c.name)
    .join(
        component,
        and_(
            component.c.workspace_id == incident_component.c.workspace_id,
            component.c.id == incident_component.c.component_id,
        ),
    )
    .where(
        incident_component.c.workspace_id == bindparam("workspace"),
        incident_component.c.incident_id.in_(bindparam("incidents", expanding=True)),
    )
    .order_by(incident_component.c.incident_id, incident_component.c.position)
)


@cache
def _board(*, sees_all: bool, scope: Scope, narrowed_by: frozenset[str], newer: bool) -> AnySelect:
    """A page of a board. Its parameters: ``key`` (exclusive), ``limit`` and those in use."""
    number = incident.c.number
    conditions: list[ColumnElement[bool]] = []
    if not sees_all:
        conditions.append(_visible)
    if scope is not Scope.ALL:
        conditions.append(is_open)
    if scope is Scope.MINE:
        conditions.append(incident.c.owner_id == bindparam("person"))
    if "channel" in narrowed_by:
        conditions.append(incident.c.channel == bindparam("narrowed_channel"))
        conditions.append(or_(~incident.c.private, incident.c.channel_private))
    if "since" in narrowed_by:
        conditions.append(incident.c.created_at >= bindparam("narrowed_since"))
    if "until" in narrowed_by:
        conditions.append(incident.c.created_at <= bindparam("narrowed_until"))
    conditions += [
        incident.c[name] == bindparam(f"narrowed_{name}")
        for name in narrowed_by & {"severity", "status"}
    ]
    conditions.append(number > bindparam("key") if newer else number < bindparam("key"))
    return (
        _INCIDENT.where(*conditions)
        .order_by(number.asc() if newer else number.desc())
        .limit(bindparam("limit"))
    )


# `core.policy.may_see`, for those who do not see everything anyway.
_visible = or_(
    ~incident.c.private,
    incident.c.declared_by_id == bindparam("person"),
    incident.c.owner_id == bindparam("person"),
    and_(incident.c.channel_private, incident.c.channel == bindparam("spoken_in")),
)

# Above every number and every entry that there can be, for a page that begins at the newest.
NEWEST = 2**31 - 1


class SqlReader:
    """One consistent view of the store: what `core.service.Reader` asks for."""

    def __init__(self, connection: Connection, *, status_channel: str | None) -> None:
        self.connection = connection
        self._status_channel = status_channel
        self._workspaces: dict[str, Workspace] = {}

    def workspace(self, workspace: str) -> Workspace:
        """The workspace's row; one that was never seen has the status channel of the settings."""
        known = self._workspaces.get(workspace)
        if known is None:
            row = self.connection.execute(_WORKSPACE, {"workspace": workspace}).first()
            known = self._workspace(workspace, row[0] if row else None)
        return known

    def _workspace(self, workspace: str, status_channel: str | None) -> Workspace:
        known = Workspace(id=workspace, status_channel=status_channel or self._status_channel)
        self._workspaces[workspace] = known
        return known

    def incident(self, workspace: str, ref: int | UUID) -> Incident | None:
        """The incident of that number or id."""
        return self._one(TO_READ[isinstance(ref, int)], workspace, ref)

    def _one(self, statement: AnySelect, workspace: str, ref: int | UUID) -> Incident | None:
        if isinstance(ref, int) and not 0 < ref < NEWEST:
            return None  # The column could not even be compared with it.
        row = self.connection.execute(statement, {"workspace": workspace, "ref": ref}).first()
        if row is None:
            return None
        if workspace not in self._workspaces:
            self._workspace(workspace, row[-1])
        return self._incident(row, self._tags(workspace, (row,)))

    def open_in_channel(self, workspace: str, channel: str) -> tuple[Incident, ...]:
        """The open incidents whose card stands in ``channel``, newest first, at most 10."""
        rows = self.connection.execute(
            _OPEN_IN_CHANNEL, {"workspace": workspace, "channel": channel}
        ).all()
        return self._incidents(workspace, rows)

    def card(self, incident: Incident) -> Card:
        """The incident with what its card shows beside it; no body is read for it."""
        of_incident = {"workspace": incident.workspace, "incident": incident.id}
        resolved = [
            status.name
            for status in incident.lifecycle.statuses
            if status.public_word is PublicWord.RESOLVED
        ]
        last = self.connection.execute(_CARD_LAST, of_incident).first()
        acknowledged_at, resolved_at = self.connection.execute(
            _CARD_TIMES, of_incident | {"resolved": resolved}
        ).one()
        return Card(
            incident=incident,
            last=last and _update(last, body=None),
            acknowledged_at=acknowledged_at,
            resolved_at=resolved_at,
        )

    def board(
        self,
        actor: Actor,
        narrowed: BoardFilter,
        *,
        before: int | None,
        after: int | None,
        limit: int,
    ) -> Page[Incident]:
        """Incidents that ``actor`` may see, newest first; of two keys ``after`` wins."""
        narrowed_by = {
            name: value
            for name in ("severity", "status", "channel", "since", "until")
            if (value := getattr(narrowed, name)) is not None
        }
        newer = after is not None
        key = after if after is not None else before if before is not None else NEWEST
        statement = _board(
            sees_all=actor.admin or actor.sees_private,
            scope=narrowed.scope,
            narrowed_by=frozenset(narrowed_by),
            newer=newer,
        )
        rows = self.connection.execute(
            statement,
            {
                "workspace": actor.workspace,
                "person": actor.person.id,
                "spoken_in": actor.channel,
                "key": min(max(key, 0), NEWEST),
                "limit": limit + 1,
                **{f"narrowed_{name}": value for name, value in narrowed_by.items()},
            },
        ).all()
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

    def timeline(self, incident: Incident, *, before: int | None, limit: int) -> Page[Update]:
        """The newest ``limit`` updates below ``before``, oldest first; keys are a ``before``."""
        key = min(max(before, 0), NEWEST) if before is not None else NEWEST
        rows = self.connection.execute(
            _TIMELINE,
            {
                "workspace": incident.workspace,
                "incident": incident.id,
                "before": key,
                "limit": limit + 1,
            },
        ).all()
        return Page(
            items=tuple(_update(row, body=row[-1]) for row in reversed(rows[:limit])),
            older=rows[limit - 1].entry if len(rows) > limit else None,
            newer=min(key + limit, incident.last_entry + 1) if key <= incident.last_entry else None,
        )

    def moves(self, incident: Incident) -> tuple[Update, ...]:
        """All transitions, oldest first, the declaration counted as one."""
        rows = self.connection.execute(
            _MOVES, {"workspace": incident.workspace, "incident": incident.id}
        )
        return tuple(_update(row, body=row[-1]) for row in rows)

    def numbered(
        self, workspace: str, *, after: int, until: int, limit: int
    ) -> tuple[Incident, ...]:
        """The first ``limit`` incidents, oldest first, with a number above ``after``, to ``until``.

        Whoever reads them all may see all: nobody is asked.
        """
        rows = self.connection.execute(
            _NUMBERED, {"workspace": workspace, "after": after, "until": until, "limit": limit}
        ).all()
        return self._incidents(workspace, rows)

    def timelines(
        self, workspace: str, incidents: Sequence[UUID], *, after: int = 0, until: int
    ) -> tuple[Update, ...]:
        """The updates of each of ``incidents`` above ``after``, to ``until``, oldest first."""
        rows = self.connection.execute(
            _TIMELINES,
            {"workspace": workspace, "incidents": incidents, "after": after, "until": until},
        )
        return tuple(_update(row, body=row[-1]) for row in rows)

    def described_components(self, workspace: str) -> tuple[DescribedComponent, ...]:
        """All components of the workspace with their descriptions, by name."""
        rows = self.connection.execute(_DESCRIBED_COMPONENTS, {"workspace": workspace})
        return tuple(
            DescribedComponent(
                component=Component(row.id, row.name),
                description=row.description,
                group=row.group_label,
            )
            for row in rows
        )

    def _incidents(self, workspace: str, rows: Sequence[AnyRow]) -> tuple[Incident, ...]:
        tags = self._tags(workspace, rows)
        return tuple(self._incident(row, tags) for row in rows)

    def _tags(self, workspace: str, rows: Iterable[AnyRow]) -> dict[UUID, tuple[Component, ...]]:
        """The components of those incidents, by incident; asked for only where there are any."""
        tagged = [row.id for row in rows if row.component_count]
        if not tagged:
            return {}
        return tags(self.connection, workspace, tagged)

    def _incident(self, row: AnyRow, tags: dict[UUID, tuple[Component, ...]]) -> Incident:
        return Incident(
            id=row[0],
            workspace=row[1],
            number=row[2],
            title=row[3],
            severity=Severity(row[4]),
            lifecycle=lifecycle_of(self.connection, row[5]),
            status=row[6],
            private=row[7],
            declared_by=Person(row[8], row[9]),
            owner=_person(row[10], row[11]),
            acknowledged_by=_person(row[12], row[13]),
            components=tags.get(row[0], ()),
            description=row[14],
            place=Place(row[15], private=row[16]) if row[15] else None,
            started_at=row[17],
            created_at=row[18],
            updated_at=row[19],
            version=row[20],
            last_entry=row[21],
            category=row[23],
        )


def entry(connection: Connection, incident: Incident, entry: int | UUID) -> Update | None:
    """The update with that number or id in the incident's timeline."""
    if isinstance(entry, int) and not 0 < entry <= incident.last_entry:
        return None
    row = connection.execute(
        _ENTRY_BY_NUMBER if isinstance(entry, int) else _ENTRY_BY_ID,
        {"workspace": incident.workspace, "incident": incident.id, "entry": entry},
    ).first()
    return row and _update(row, body=row[-1])


def last_move(connection: Connection, incident: Incident) -> Update | None:
    """The newest transition, the declaration counted as one."""
    row = connection.execute(
        _LAST_MOVE, {"workspace": incident.workspace, "incident": incident.id}
    ).first()
    return row and _update(row, body=row[-1])


def tags(
    connection: Connection, workspace: str, incidents: Sequence[UUID]
) -> dict[UUID, tuple[Component, ...]]:
    """The components of each of ``incidents``, in the order in which they were named."""
    found: dict[UUID, list[Component]] = {}
    for row in connection.execute(_TAGS, {"workspace": workspace, "incidents": incidents}):
        found.setdefault(row[0], []).append(Component(row[1], row[2]))
    return {incident: tuple(components) for incident, components in found.items()}


# Lifecycles by digest. A digest names its content, so what is kept here can never be wrong.
_parsed: dict[str, Lifecycle] = {}


def lifecycle_of(connection: Connection, digest: str) -> Lifecycle:
    """The lifecycle that was stored under ``digest``; parsed once in a process."""
    lifecycle = _parsed.get(digest)
    if lifecycle is None:
        definition = connection.execute(_LIFECYCLE, {"digest": digest}).scalar_one()
        (lifecycle,) = read(definition)
        _parsed[digest] = lifecycle
    return lifecycle


def _person(id_: str | None, name: str | None) -> Person | None:
    return None if id_ is None else Person(id_, name or id_)


def _update(row: AnyRow, *, body: str | None) -> Update:
    return Update(
        id=row[0],
        incident=row[1],
        entry=row[2],
        kind=Kind(row[3]),
        visibility=Visibility(row[4]),
        by=Person(row[5], row[6]),
        at=row[7],
        body=body,
        old=row[8],
        new=row[9],
        public_at=row[10],
        redacted_at=row[11],
        redacted_by=_person(row[12], row[13]),
    )
