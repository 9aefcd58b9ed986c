"""Readers of rows that both `storage.queries` and `storage.public` need: no row leaves storage."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias, TypeVar
from uuid import UUID

from sqlalchemy import Connection, Row, Select, and_, bindparam, exists, select

from core.incident import Component, Person
from core.lifecycle import Lifecycle, read
from storage import models
from storage.models import component, incident_component, incident_invited, tagging

AnyRow: TypeAlias = Row[*tuple[Any, ...]]
AnySelect: TypeAlias = Select[*tuple[Any, ...]]
Made = TypeVar("Made")

# Above every number and every entry, for a page that begins at the newest.
NEWEST = 2**31 - 1

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
# A component that was made by tagging is hidden until an admin shows it.
_SHOWN_TAGS = _TAGS.where(component.c.shown)
# Of an entry of a timeline: whether it tagged or untagged a component that is shown.
RETAGS_A_SHOWN_ONE = (
    exists()
    .where(
        tagging.c.workspace_id == models.update.c.workspace_id,
        tagging.c.incident_id == models.update.c.incident_id,
        tagging.c.entry == models.update.c.entry,
        component.c.workspace_id == tagging.c.workspace_id,
        component.c.id == tagging.c.component_id,
        component.c.shown,
    )
    .correlate(models.update)
)


def tags(
    connection: Connection, workspace: str, incidents: Sequence[UUID]
) -> dict[UUID, tuple[Component, ...]]:
    """The components of each of ``incidents`` that has any, in the order of their naming."""
    return _by_incident(connection, _TAGS, workspace, incidents, Component)


def shown_tags(
    connection: Connection, workspace: str, incidents: Sequence[UUID]
) -> dict[UUID, tuple[Component, ...]]:
    """`tags`, without the components that are on no public surface."""
    return _by_incident(connection, _SHOWN_TAGS, workspace, incidents, Component)


_INVITED = (
    select(
        incident_invited.c.incident_id, incident_invited.c.person_id, incident_invited.c.person_name
    )
    .where(
        incident_invited.c.workspace_id == bindparam("workspace"),
        incident_invited.c.incident_id.in_(bindparam("incidents", expanding=True)),
    )
    .order_by(incident_invited.c.incident_id, incident_invited.c.position)
)


def invitations(
    connection: Connection, workspace: str, incidents: Sequence[UUID]
) -> dict[UUID, tuple[Person, ...]]:
    """The people invited to each of ``incidents``, first invitation first."""
    return _by_incident(connection, _INVITED, workspace, incidents, Person)


def _by_incident(
    connection: Connection,
    statement: AnySelect,
    workspace: str,
    incidents: Sequence[UUID],
    made: Callable[[Any, str], Made],
) -> dict[UUID, tuple[Made, ...]]:
    """The values that ``made`` makes from an id and a name, by incident, where there are any.

    Most have none: for an empty ``incidents`` no statement is run.
    """
    if not incidents:
        return {}
    found: dict[UUID, list[Made]] = {}
    rows = connection.execute(statement, {"workspace": workspace, "incidents": incidents})
    for incident, id_, name in rows:
        found.setdefault(incident, []).append(made(id_, name))
    return {incident: tuple(things) for incident, things in found.items()}


# Lifecycles by digest. A digest names its content, so no entry here can be out of date.
_parsed: dict[str, Lifecycle] = {}


def lifecycle_of(connection: Connection, digest: str) -> Lifecycle:
    """The lifecycle that was stored under ``digest``; parsed once in a process."""
    lifecycle = _parsed.get(digest)
    if lifecycle is None:
        definition = connection.execute(_LIFECYCLE, {"digest": digest}).scalar_one()
        (lifecycle,) = read(definition)
        _parsed[digest] = lifecycle
    return lifecycle
