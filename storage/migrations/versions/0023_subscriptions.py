"""Subscriptions: channels that show public incidents which pass a filter."""

import sqlalchemy as sa
from alembic import op

revision = '0023'
down_revision = '0022'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('workspace', sa.Column('subscriptions', sa.Integer(), nullable=True))
    op.create_table('subscription',
    sa.Column('workspace_id', sa.String(), nullable=False),
    sa.Column('channel', sa.String(), nullable=False),
    sa.Column('severity', sa.String(), nullable=True),
    sa.Column('components', sa.String(), nullable=True),
    sa.Column('broadcast', sa.Boolean(), nullable=False),
    sa.Column('by_id', sa.String(), nullable=False),
    sa.Column('by_name', sa.String(), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('starts_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('ended_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['workspace_id'], ['workspace.id'], name=op.f('fk_subscription_workspace')),
    sa.PrimaryKeyConstraint('workspace_id', 'channel', name=op.f('pk_subscription'))
    )
