"""Requests of Slack's that are done, so that a duplicate is recognised."""

import sqlalchemy as sa
from alembic import op

revision = '0003'
down_revision = '0002'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('handled',
    sa.Column('workspace_id', sa.String(), nullable=False),
    sa.Column('request', sa.String(), nullable=False),
    sa.Column('incident_id', sa.Uuid(), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('workspace_id', 'request', name=op.f('pk_handled'))
    )
    with op.batch_alter_table('handled', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_handled_at'), ['at'], unique=False)
