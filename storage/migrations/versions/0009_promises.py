"""Promises of the next public update."""

import sqlalchemy as sa
from alembic import op

revision = '0009'
down_revision = '0008'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('promise',
    sa.Column('workspace_id', sa.String(), nullable=False),
    sa.Column('incident_id', sa.Uuid(), nullable=False),
    sa.Column('entry', sa.Integer(), nullable=False),
    sa.Column('public_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('due_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('internal', sa.Boolean(), nullable=False),
    sa.Column('stage', sa.String(), nullable=False),
    sa.Column('answered_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('answered_by', sa.Integer(), nullable=True),
    sa.Column('released_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('release', sa.String(), nullable=True),
    sa.Column('look_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['workspace_id', 'incident_id', 'entry'], ['incident_update.workspace_id', 'incident_update.incident_id', 'incident_update.entry'], name=op.f('fk_promise_incident_update')),
    sa.PrimaryKeyConstraint('workspace_id', 'incident_id', 'entry', name=op.f('pk_promise'))
    )
    is_waiting = sa.text('look_at IS NOT NULL')
    op.create_index('ix_promise_look_at', 'promise', ['look_at'], unique=False, sqlite_where=is_waiting, postgresql_where=is_waiting)
    op.add_column('incident', sa.Column('promise_count', sa.Integer(), nullable=True))
    op.add_column('incident', sa.Column('next_update_by', sa.DateTime(timezone=True), nullable=True))
    op.add_column('incident_update', sa.Column('next_update_by', sa.DateTime(timezone=True), nullable=True))
