"""Numbers that a restore skipped, because incidents after the backup had them."""

import sqlalchemy as sa
from alembic import op

revision = '0008'
down_revision = '0007'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('skipped',
    sa.Column('workspace_id', sa.String(), nullable=False),
    sa.Column('first', sa.Integer(), nullable=False),
    sa.Column('last', sa.Integer(), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['workspace_id'], ['workspace.id'], name=op.f('fk_skipped_workspace')),
    sa.PrimaryKeyConstraint('workspace_id', 'first', name=op.f('pk_skipped'))
    )
