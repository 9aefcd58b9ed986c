"""Questions to new owners, and their answers."""

import sqlalchemy as sa
from alembic import op

revision = '0011'
down_revision = '0009'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('hand_over',
    sa.Column('workspace_id', sa.String(), nullable=False),
    sa.Column('incident_id', sa.Uuid(), nullable=False),
    sa.Column('entry', sa.Integer(), nullable=False),
    sa.Column('to_id', sa.String(), nullable=False),
    sa.Column('to_name', sa.String(), nullable=False),
    sa.Column('by_id', sa.String(), nullable=False),
    sa.Column('by_name', sa.String(), nullable=False),
    sa.Column('previous_id', sa.String(), nullable=True),
    sa.Column('previous_name', sa.String(), nullable=True),
    sa.Column('asked_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('answer', sa.String(), nullable=True),
    sa.Column('looked', sa.Boolean(), nullable=False),
    sa.Column('look_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['workspace_id', 'incident_id', 'entry'], ['incident_update.workspace_id', 'incident_update.incident_id', 'incident_update.entry'], name=op.f('fk_hand_over_incident_update')),
    sa.PrimaryKeyConstraint('workspace_id', 'incident_id', 'entry', name=op.f('pk_hand_over'))
    )
    is_waiting = sa.text('look_at IS NOT NULL')
    op.create_index('ix_hand_over_look_at', 'hand_over', ['look_at'], unique=False, sqlite_where=is_waiting, postgresql_where=is_waiting)
