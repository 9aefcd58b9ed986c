"""Invitations, holds of titles, steps of a walk, and how an incident ended."""

import sqlalchemy as sa
from alembic import op

revision = '0007'
down_revision = '0006'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('incident_invited',
    sa.Column('workspace_id', sa.String(), nullable=False),
    sa.Column('incident_id', sa.Uuid(), nullable=False),
    sa.Column('position', sa.Integer(), nullable=False),
    sa.Column('person_id', sa.String(), nullable=False),
    sa.Column('person_name', sa.String(), nullable=False),
    sa.ForeignKeyConstraint(['workspace_id', 'incident_id'], ['incident.workspace_id', 'incident.id'], name=op.f('fk_incident_invited_incident')),
    sa.PrimaryKeyConstraint('workspace_id', 'incident_id', 'position', name=op.f('pk_incident_invited'))
    )
    op.add_column('incident', sa.Column('invited_count', sa.Integer(), nullable=True))
    op.add_column('incident', sa.Column('title_public_at', sa.DateTime(timezone=True), nullable=True))
    op.add_column('incident', sa.Column('title_before', sa.String(), nullable=True))
    op.add_column('incident', sa.Column('resolution', sa.String(), nullable=True))
    op.add_column('incident', sa.Column('duplicate_of', sa.Integer(), nullable=True))
    op.add_column('incident_update', sa.Column('passed', sa.Boolean(), nullable=True))
