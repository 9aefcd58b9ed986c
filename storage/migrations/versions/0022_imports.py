"""Ids that a page, its components and its incidents keep of the page that they were imported from."""

import sqlalchemy as sa
from alembic import op

revision = '0022'
down_revision = '0021'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('workspace', sa.Column('kept_page', sa.String(), nullable=True))
    op.add_column('component', sa.Column('kept_id', sa.String(), nullable=True))
    op.add_column('component_group', sa.Column('kept_id', sa.String(), nullable=True))
    op.add_column('incident', sa.Column('imported', sa.Boolean(), nullable=True))
    op.create_table('imported_incident',
    sa.Column('workspace_id', sa.String(), nullable=False),
    sa.Column('incident_id', sa.Uuid(), nullable=False),
    sa.Column('kept_id', sa.String(), nullable=False),
    sa.Column('entries', sa.Integer(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('updated_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('monitoring_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('resolved_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('address', sa.String(), nullable=True),
    sa.Column('atom', sa.String(), nullable=True),
    sa.ForeignKeyConstraint(['workspace_id', 'incident_id'], ['incident.workspace_id', 'incident.id'], name=op.f('fk_imported_incident_incident')),
    sa.PrimaryKeyConstraint('workspace_id', 'incident_id', name=op.f('pk_imported_incident')),
    sa.UniqueConstraint('workspace_id', 'kept_id', name=op.f('uq_imported_incident_workspace_id_kept_id'))
    )
    op.create_table('imported_update',
    sa.Column('workspace_id', sa.String(), nullable=False),
    sa.Column('incident_id', sa.Uuid(), nullable=False),
    sa.Column('entry', sa.Integer(), nullable=False),
    sa.Column('kept_id', sa.String(), nullable=False),
    sa.Column('status', sa.String(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('updated_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('affected', sa.String(), nullable=True),
    sa.ForeignKeyConstraint(['workspace_id', 'incident_id', 'entry'], ['incident_update.workspace_id', 'incident_update.incident_id', 'incident_update.entry'], name=op.f('fk_imported_update_incident_update')),
    sa.PrimaryKeyConstraint('workspace_id', 'incident_id', 'entry', name=op.f('pk_imported_update'))
    )
