"""Channels of their own."""

import sqlalchemy as sa
from alembic import op

revision = '0019'
down_revision = '0018'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('own_channel',
    sa.Column('workspace_id', sa.String(), nullable=False),
    sa.Column('incident_id', sa.Uuid(), nullable=False),
    sa.Column('private', sa.Boolean(), nullable=False),
    sa.Column('entry', sa.Integer(), nullable=False),
    sa.Column('channel', sa.String(), nullable=True),
    sa.Column('error', sa.String(), nullable=True),
    sa.Column('over_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('announced_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('stage', sa.String(), nullable=False),
    sa.Column('kept', sa.Boolean(), nullable=False),
    sa.Column('members', sa.String(), nullable=True),
    sa.Column('look_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['workspace_id', 'incident_id', 'entry'], ['incident_update.workspace_id', 'incident_update.incident_id', 'incident_update.entry'], name=op.f('fk_own_channel_incident_update')),
    sa.PrimaryKeyConstraint('workspace_id', 'incident_id', 'private', name=op.f('pk_own_channel'))
    )
    is_waiting = sa.text('look_at IS NOT NULL')
    op.create_index('ix_own_channel_look_at', 'own_channel', ['look_at'], unique=False, sqlite_where=is_waiting, postgresql_where=is_waiting)
    op.create_index('ix_own_channel_channel', 'own_channel', ['workspace_id', 'channel'], unique=False)
    op.add_column('incident', sa.Column('channel_count', sa.Integer(), nullable=True))
