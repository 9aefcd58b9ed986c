"""The rows of status pages: settings, groups, overrides, and the version of what a page shows.

Only modules of `storage` use it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, bindparam, case, func, select, union_all, update

from core.decision import Decision
from core.incident import Component, Incident, Kind, Visibility
from core.page import (
    ComponentGroup,
    ComponentStatus,
    FormerPage,
    Override,
    PageSettings,
    ShownComponent,
)
from storage.models import component, component_group, component_override, incident, page, tagging
from storage.models import update as _update
from storage.models import workspace as workspaces
from storage.rows import AnyRow
from storage.statements import KEEP_WORKSPACE, upsert

# The moment of a component that a server of an earlier version has made.
UNKNOWN = datetime(2026, 1, 1, tzinfo=UTC)

_SETTINGS = select(
    page.c.workspace_id,
    page.c.slug,
    page.c.title,
    page.c.language,
    page.c.noindex,
    page.c.published_at,
    page.c.version,
    page.c.changed_at,
    select(workspaces.c.kept_page)
    .where(workspaces.c.id == page.c.workspace_id)
    .scalar_subquery()
    .label("kept"),
).where(page.c.published_at.is_not(None))
_OF_WORKSPACE = _SETTINGS.where(page.c.workspace_id == bindparam("workspace"))
_OF_SLUG = _SETTINGS.where(page.c.slug == bindparam("slug"))
_PUBLISHED = _SETTINGS.order_by(page.c.slug)
_FORMER = select(page.c.slug, page.c.title, page.c.language, page.c.noindex).where(
    page.c.workspace_id == bindparam("workspace"), page.c.published_at.is_(None)
)
_OWNER = select(page.c.workspace_id).where(page.c.slug == bindparam("slug"))
_GROUPS = select(component_group).where(component_group.c.workspace_id == bindparam("workspace"))
# No statement here selects the reason of an override, or a person.
_ALL = (
    select(
        component.c.id,
        component.c.name,
        component.c.description,
        component.c.group_label,
        component.c.position,
        component.c.shown,
        component.c.showcase,
        component.c.only_if_degraded,
        component.c.start_date,
        component.c.created_at,
        component.c.updated_at,
        component.c.kept_id,
    )
    .where(component.c.workspace_id == bindparam("workspace"))
    .order_by(component.c.folded)
)
_SHOWN = _ALL.where(component.c.shown)
_KEPT_ID = select(component.c.kept_id).where(
    component.c.workspace_id == bindparam("workspace"), component.c.id == bindparam("id_")
)
_SHOWN_OF = select(component.c.id).where(
    component.c.workspace_id == bindparam("workspace"),
    component.c.id.in_(bindparam("asked", expanding=True)),
    component.c.shown,
)
_OVERRIDES = (
    select(
        component_override.c.component_id,
        component_override.c.at,
        component_override.c.status,
        component_override.c.until,
    )
    .where(component_override.c.workspace_id == bindparam("workspace"))
    .order_by(component_override.c.component_id, component_override.c.entry)
)
_TAGGED = (
    select(tagging.c.incident_id, _update.c.at, tagging.c.tagged, component.c.id, component.c.name)
    .join(
        _update,
        (_update.c.workspace_id == tagging.c.workspace_id)
        & (_update.c.incident_id == tagging.c.incident_id)
        & (_update.c.entry == tagging.c.entry),
    )
    .join(
        component,
        (component.c.workspace_id == tagging.c.workspace_id)
        & (component.c.id == tagging.c.component_id),
    )
    .where(
        tagging.c.workspace_id == bindparam("workspace"),
        tagging.c.incident_id.in_(bindparam("incidents", expanding=True)),
        component.c.shown,
    )
    .order_by(tagging.c.incident_id, tagging.c.entry, component.c.folded)
)
_NEXT_TURN = union_all(
    select(func.min(_update.c.public_at)).where(
        _update.c.workspace_id == bindparam("workspace"),
        _update.c.public_at.is_not(None),
        _update.c.public_at > bindparam("at"),
    ),
    select(func.min(incident.c.title_public_at)).where(
        incident.c.workspace_id == bindparam("workspace"),
        incident.c.title_public_at.is_not(None),
        incident.c.title_public_at > bindparam("at"),
    ),
)
_CHANGED = (
    update(page)
    .where(page.c.workspace_id == bindparam("workspace"))
    .values(
        version=page.c.version + 1,
        changed_at=case(
            (bindparam("moved"), bindparam("at_last", type_=page.c.changed_at.type)),
            else_=page.c.changed_at,
        ),
    )
)


def _upsert(insert: Any) -> Any:
    kept = insert(page)
    changed = ("slug", "title", "language", "noindex", "changed_at")
    return kept.on_conflict_do_update(
        index_elements=[page.c.workspace_id],
        set_={
            **{name: kept.excluded[name] for name in changed},
            "published_at": func.coalesce(page.c.published_at, kept.excluded.published_at),
            "version": page.c.version + 1,
        },
    )


_KEEP = upsert(_upsert)
_UNPUBLISH = (
    update(page)
    .where(page.c.workspace_id == bindparam("workspace"))
    .values(
        published_at=None,
        version=page.c.version + 1,
        changed_at=bindparam("at_last", type_=page.c.changed_at.type),
    )
)
_MARK = (
    update(workspaces)
    .where(workspaces.c.id == bindparam("workspace"))
    .values(page_published=bindparam("published"))
)


def note_change(connection: Connection, before: Incident | None, decision: Decision) -> None:
    """Raises the version of the page if the decision may change something public.

    A change of the readers leaves no public moment behind, so its own becomes the page's.
    """
    after = decision.incident
    if after.private and (before is None or before.private):
        return
    notes = all(
        one.kind is Kind.WROTE and one.visibility is Visibility.INTERNAL for one in decision.updates
    )
    if notes and not decision.redacted:
        return
    moved = before is not None and before.private != after.private
    bump(connection, after.workspace, at=after.updated_at, moved=moved)


def bump(connection: Connection, workspace: str, *, at: datetime, moved: bool = True) -> None:
    """Raises the version of the workspace's page; ``moved``: ``at`` becomes its moment."""
    connection.execute(_CHANGED, {"workspace": workspace, "moved": moved, "at_last": at})


def keep(connection: Connection, settings: PageSettings, *, at: datetime) -> None:
    """Writes the settings of a page, which is published from then on.

    A page that was published before keeps the moment of its first publication.
    """
    connection.execute(KEEP_WORKSPACE[connection.dialect.name], {"id": settings.workspace})
    connection.execute(
        _KEEP[connection.dialect.name],
        {
            "workspace_id": settings.workspace,
            "slug": settings.slug,
            "title": settings.title,
            "language": settings.language,
            "noindex": settings.noindex,
            "published_at": settings.published_at,
            "version": 1,
            "changed_at": at,
        },
    )
    _mark(connection, settings.workspace, published=True)


def owner(connection: Connection, slug: str) -> str | None:
    """The workspace whose page has ``slug``, published or not; None if it is free."""
    found: str | None = connection.execute(_OWNER, {"slug": slug}).scalar_one_or_none()
    return found


def unpublish(connection: Connection, workspace: str, *, at: datetime) -> None:
    """Takes the page off: every address of it is unknown from then on. Its slug stays taken."""
    connection.execute(_UNPUBLISH, {"workspace": workspace, "at_last": at})
    _mark(connection, workspace, published=False)


def _mark(connection: Connection, workspace: str, *, published: bool) -> None:
    """Notes it at the workspace, which every command reads; it waits for changes that run."""
    connection.execute(_MARK, {"workspace": workspace, "published": published or None})


def published(connection: Connection) -> tuple[PageSettings, ...]:
    """All published pages, by slug."""
    return tuple(_settings(row) for row in connection.execute(_PUBLISHED))


def found(
    connection: Connection, *, workspace: str | None = None, slug: str | None = None
) -> tuple[PageSettings, int, datetime] | None:
    """The published page of a workspace, or of a slug, with its version and its moment."""
    if slug is None:
        row = connection.execute(_OF_WORKSPACE, {"workspace": workspace}).one_or_none()
    else:
        row = connection.execute(_OF_SLUG, {"slug": slug}).one_or_none()
    return None if row is None else (_settings(row), row.version, row.changed_at)


def former(connection: Connection, workspace: str) -> FormerPage | None:
    """The page of the workspace that was taken off; None if it never had one, or has one."""
    row = connection.execute(_FORMER, {"workspace": workspace}).one_or_none()
    if row is None:
        return None
    return FormerPage(
        slug=row.slug, title=row.title, language=row.language, noindex=bool(row.noindex)
    )


def groups(connection: Connection, workspace: str) -> tuple[ComponentGroup, ...]:
    """The groups of the workspace, in no order."""
    return tuple(
        ComponentGroup(
            id=row.id,
            name=row.name,
            position=row.position,
            description=row.description,
            created_at=row.created_at,
            updated_at=row.updated_at,
            kept=row.kept_id,
        )
        for row in connection.execute(_GROUPS, {"workspace": workspace})
    )


def shown(
    connection: Connection,
    workspace: str,
    headings: Sequence[ComponentGroup],
    *,
    hidden: bool = False,
) -> tuple[ShownComponent, ...]:
    """The components that the page shows, with their overrides; ``headings`` are all groups.

    ``hidden``: the others, too.
    """
    named = {group.name.casefold(): group.id for group in headings}
    overrides: dict[UUID, list[Override]] = {}
    for row in connection.execute(_OVERRIDES, {"workspace": workspace}):
        status = None if row.status is None else ComponentStatus(row.status)
        made = Override(at=row.at, status=status, until=row.until)
        overrides.setdefault(row.component_id, []).append(made)
    return tuple(
        ShownComponent(
            id=row.id,
            name=row.name,
            position=row.position or 0,
            group=named.get((row.group_label or "").casefold()),
            description=row.description,
            shown=bool(row.shown),
            showcase=bool(row.showcase),
            only_if_degraded=bool(row.only_if_degraded),
            start_date=row.start_date,
            created_at=row.created_at or UNKNOWN,
            updated_at=row.updated_at or row.created_at or UNKNOWN,
            overrides=tuple(overrides.get(row.id, ())),
            kept=row.kept_id,
        )
        for row in connection.execute(_ALL if hidden else _SHOWN, {"workspace": workspace})
    )


def hidden_of(connection: Connection, workspace: str, ids: Iterable[UUID]) -> frozenset[UUID]:
    """Those of ``ids`` that are on no public surface."""
    asked = frozenset(ids)
    named = {"workspace": workspace, "asked": list(asked)}
    return asked - frozenset(connection.execute(_SHOWN_OF, named).scalars()) if asked else asked


def kept_id(connection: Connection, workspace: str, one: UUID) -> str | None:
    """The id that an imported component had before; None if it is of this workspace."""
    named = {"workspace": workspace, "id_": one}
    kept: str | None = connection.execute(_KEPT_ID, named).scalar_one_or_none()
    return kept


def tagged(
    connection: Connection, workspace: str, incidents: Sequence[UUID]
) -> dict[UUID, tuple[tuple[datetime, tuple[Component, ...]], ...]]:
    """The shown components of each of ``incidents`` since each of their changes, oldest first."""
    courses: dict[UUID, dict[datetime, tuple[Component, ...]]] = {}
    named = {"workspace": workspace, "incidents": incidents}
    for row in connection.execute(_TAGGED, named):
        course = courses.setdefault(row.incident_id, {})
        before = next(reversed(course.values()), ())
        one = Component(row.id, row.name)
        left = tuple(each for each in before if each.id != one.id)
        course[row.at] = (*left, one) if row.tagged else left
    return {incident: tuple(course.items()) for incident, course in courses.items()}


def next_turn(connection: Connection, workspace: str, *, at: datetime) -> datetime | None:
    """The first moment after ``at`` at which a text becomes public, None if none is held back."""
    rows = connection.execute(_NEXT_TURN, {"workspace": workspace, "at": at}).scalars()
    return min(filter(None, rows), default=None)


def _settings(row: AnyRow) -> PageSettings:
    return PageSettings(
        workspace=row.workspace_id,
        slug=row.slug,
        title=row.title,
        language=row.language,
        noindex=row.noindex,
        published_at=row.published_at,
        kept=row.kept,
    )
