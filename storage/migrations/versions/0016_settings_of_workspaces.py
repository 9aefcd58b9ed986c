"""The settings that a workspace saves itself, with their authors, and their version."""

import sqlalchemy as sa
from alembic import op

revision = '0016'
down_revision = '0015'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('setting',
    sa.Column('workspace_id', sa.String(), nullable=False),
    sa.Column('name', sa.String(), nullable=False),
    sa.Column('value', sa.String(), nullable=False),
    sa.Column('by_id', sa.String(), nullable=True),
    sa.Column('by_name', sa.String(), nullable=True),
    sa.Column('at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['workspace_id'], ['workspace.id'], name=op.f('fk_setting_workspace')),
    sa.PrimaryKeyConstraint('workspace_id', 'name', name=op.f('pk_setting'))
    )
    op.add_column('workspace', sa.Column('settings_version', sa.Integer(), nullable=True))
