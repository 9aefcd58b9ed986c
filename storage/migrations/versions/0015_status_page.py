"""The status page: its settings, groups, overrides, and the history of tags.

All new columns may be absent, so that a server of the version before works on. A component that was
made on purpose (it has a description or a group) is shown; one that was made by tagging is not.
"""

from datetime import UTC, datetime
from uuid import UUID, uuid5

import sqlalchemy as sa
from alembic import op

revision = '0015'
down_revision = '0014'
branch_labels = None
depends_on = None

OVER_SQLITE, OVER = sa.text('tagged = 1'), sa.text('tagged')
COMPONENTS = UUID('8d7a7a3e-6a0e-5d0b-9f0e-2c1f6f1a4b52')
HELD = sa.text('public_at IS NOT NULL')


def upgrade() -> None:
    op.create_table('page',
    sa.Column('workspace_id', sa.String(), nullable=False),
    sa.Column('slug', sa.String(), nullable=False),
    sa.Column('title', sa.String(), nullable=False),
    sa.Column('language', sa.String(), nullable=False),
    sa.Column('noindex', sa.Boolean(), nullable=False),
    sa.Column('published_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('changed_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['workspace_id'], ['workspace.id'], name=op.f('fk_page_workspace')),
    sa.PrimaryKeyConstraint('workspace_id', name=op.f('pk_page')),
    sa.UniqueConstraint('slug', name=op.f('uq_page_slug'))
    )
    op.create_table('component_group',
    sa.Column('workspace_id', sa.String(), nullable=False),
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('name', sa.String(), nullable=False),
    sa.Column('folded', sa.String(), nullable=False),
    sa.Column('position', sa.Integer(), nullable=False),
    sa.Column('description', sa.String(), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('updated_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['workspace_id'], ['workspace.id'], name=op.f('fk_component_group_workspace')),
    sa.PrimaryKeyConstraint('workspace_id', 'id', name=op.f('pk_component_group')),
    sa.UniqueConstraint('workspace_id', 'folded', name=op.f('uq_component_group_workspace_id_folded'))
    )
    op.create_table('component_override',
    sa.Column('workspace_id', sa.String(), nullable=False),
    sa.Column('component_id', sa.Uuid(), nullable=False),
    sa.Column('entry', sa.Integer(), nullable=False),
    sa.Column('status', sa.String(), nullable=True),
    sa.Column('until', sa.DateTime(timezone=True), nullable=True),
    sa.Column('reason', sa.String(), nullable=True),
    sa.Column('by_id', sa.String(), nullable=False),
    sa.Column('by_name', sa.String(), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['workspace_id', 'component_id'], ['component.workspace_id', 'component.id'], name=op.f('fk_component_override_component')),
    sa.PrimaryKeyConstraint('workspace_id', 'component_id', 'entry', name=op.f('pk_component_override'))
    )
    op.create_table('tagging',
    sa.Column('workspace_id', sa.String(), nullable=False),
    sa.Column('incident_id', sa.Uuid(), nullable=False),
    sa.Column('entry', sa.Integer(), nullable=False),
    sa.Column('component_id', sa.Uuid(), nullable=False),
    sa.Column('tagged', sa.Boolean(), nullable=False),
    sa.ForeignKeyConstraint(['workspace_id', 'component_id'], ['component.workspace_id', 'component.id'], name=op.f('fk_tagging_component')),
    sa.ForeignKeyConstraint(['workspace_id', 'incident_id', 'entry'], ['incident_update.workspace_id', 'incident_update.incident_id', 'incident_update.entry'], name=op.f('fk_tagging_incident_update')),
    sa.PrimaryKeyConstraint('workspace_id', 'incident_id', 'entry', 'component_id', name=op.f('pk_tagging'))
    )
    for column in (
        sa.Column('position', sa.Integer(), nullable=True),
        sa.Column('shown', sa.Boolean(), nullable=True),
        sa.Column('showcase', sa.Boolean(), nullable=True),
        sa.Column('only_if_degraded', sa.Boolean(), nullable=True),
        sa.Column('start_date', sa.Date(), nullable=True),
        sa.Column('created_at', sa.DateTime(timezone=True), nullable=True),
        sa.Column('updated_at', sa.DateTime(timezone=True), nullable=True),
    ):
        op.add_column('component', column)
    op.add_column('workspace', sa.Column('page_published', sa.Boolean(), nullable=True))
    op.add_column('incident', sa.Column('tagged', sa.Boolean(), nullable=True))
    op.add_column('incident', sa.Column('over_at', sa.DateTime(timezone=True), nullable=True))
    op.create_index('ix_incident_over', 'incident', ['workspace_id', 'over_at'], sqlite_where=OVER_SQLITE, postgresql_where=OVER)
    op.create_index('ix_incident_title_public_at', 'incident', ['workspace_id', 'title_public_at'], sqlite_where=sa.text('title_public_at IS NOT NULL'), postgresql_where=sa.text('title_public_at IS NOT NULL'))
    op.create_index('ix_incident_update_public_at', 'incident_update', ['workspace_id', 'public_at'], sqlite_where=HELD, postgresql_where=HELD)
    _fill(op.get_bind())


def _fill(connection: sa.Connection) -> None:
    """Fills the new columns from what is known: names in timelines, and the newest moves."""
    component = sa.table('component', *map(sa.column, ('workspace_id', 'folded', 'description', 'group_label', 'position', 'shown')), sa.column('id', sa.Uuid()), sa.column('created_at', sa.DateTime(timezone=True)))
    incident = sa.table('incident', *map(sa.column, ('workspace_id', 'tagged', 'public_word')), sa.column('id', sa.Uuid()), sa.column('over_at', sa.DateTime(timezone=True)), sa.column('created_at', sa.DateTime(timezone=True)))
    update = sa.table('incident_update', *map(sa.column, ('workspace_id', 'entry', 'kind', 'old', 'new')), sa.column('incident_id', sa.Uuid()), sa.column('at', sa.DateTime(timezone=True)))
    tag = sa.table('incident_component', sa.column('workspace_id'), sa.column('incident_id', sa.Uuid()), sa.column('component_id', sa.Uuid()))
    tagging = sa.table('tagging', sa.column('workspace_id'), sa.column('incident_id', sa.Uuid()), sa.column('entry'), sa.column('component_id', sa.Uuid()), sa.column('tagged', sa.Boolean()))
    of_component = sa.and_(tag.c.workspace_id == component.c.workspace_id, tag.c.component_id == component.c.id)
    of_incident = sa.and_(tag.c.workspace_id == incident.c.workspace_id, tag.c.incident_id == incident.c.id)
    first = sa.select(sa.func.min(incident.c.created_at)).where(of_component, of_incident).scalar_subquery()
    now = sa.literal(datetime.now(UTC), sa.DateTime(timezone=True))
    made = sa.or_(component.c.description.is_not(None), component.c.group_label.is_not(None))
    connection.execute(sa.update(component).values(position=0, shown=made, created_at=sa.func.coalesce(first, now)))

    group = sa.table('component_group', *map(sa.column, ('workspace_id', 'name', 'folded', 'position')), sa.column('id', sa.Uuid()), sa.column('created_at', sa.DateTime(timezone=True)), sa.column('updated_at', sa.DateTime(timezone=True)))
    labels = sa.select(component.c.workspace_id, component.c.group_label).where(component.c.group_label.is_not(None)).distinct()
    named = {(row.workspace_id, row.group_label.casefold()): row.group_label for row in connection.execute(labels)}
    for (workspace, folded), name in named.items():
        moment = datetime.now(UTC)
        connection.execute(sa.insert(group).values(workspace_id=workspace, id=uuid5(COMPONENTS, f'group {workspace} {folded}'), name=name, folded=folded, position=0, created_at=moment, updated_at=moment))

    ids = {(row.workspace_id, row.folded): row.id for row in connection.execute(sa.select(component))}
    before: dict[tuple[str, object], set[object]] = {}
    names = sa.select(update).where(update.c.kind == 'components').order_by(update.c.workspace_id, update.c.incident_id, update.c.entry)
    rows = []
    for row in connection.execute(names):
        key = row.workspace_id, row.incident_id
        old = before.get(key)
        if old is None:
            # Those of the declaration are the ones that the first change had before it.
            old = _named(ids, row.workspace_id, row.old)
            rows += _tagged(key, 1, set(), old)
        before[key] = _named(ids, row.workspace_id, row.new)
        rows += _tagged(key, row.entry, old, before[key])
    never: dict[tuple[str, object], set[object]] = {}
    for row in connection.execute(sa.select(tag)):
        key = row.workspace_id, row.incident_id
        if key not in before:
            never.setdefault(key, set()).add(row.component_id)
    for key, tags in never.items():
        rows += _tagged(key, 1, set(), tags)
    if rows:
        connection.execute(sa.insert(tagging), rows)
    changed = sa.select(tagging.c.incident_id).where(tagging.c.workspace_id == incident.c.workspace_id, tagging.c.incident_id == incident.c.id)
    moved = sa.select(sa.func.max(update.c.at)).where(update.c.workspace_id == incident.c.workspace_id, update.c.incident_id == incident.c.id, update.c.kind.in_(('declared', 'moved', 'acknowledged')))
    connection.execute(sa.update(incident).where(sa.exists(changed)).values(tagged=True))
    connection.execute(sa.update(incident).where(sa.exists(changed), incident.c.public_word == 'resolved').values(over_at=moved.scalar_subquery()))


def _named(ids: dict[tuple[str, str], object], workspace: str, names: str | None) -> set[object]:
    """The components in a list of names; a name that nobody has any more is left out."""
    folded = ((names or '').casefold()).split(', ')
    return {ids[workspace, name] for name in folded if (workspace, name) in ids}


def _tagged(key: tuple[str, object], entry: int, old: set[object], new: set[object]) -> list[dict[str, object]]:
    """The rows of the change from ``old`` to ``new``."""
    of = {'workspace_id': key[0], 'incident_id': key[1], 'entry': entry}
    return [{**of, 'component_id': one, 'tagged': one in new} for one in old ^ new]
