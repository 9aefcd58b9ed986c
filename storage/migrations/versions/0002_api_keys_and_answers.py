"""API keys, kept answers of the API, and the columns that the API shows of an incident."""

import sqlalchemy as sa
from alembic import op

revision = '0002'
down_revision = '0001'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('api_key',
    sa.Column('workspace_id', sa.String(), nullable=False),
    sa.Column('id', sa.String(), nullable=False),
    sa.Column('name', sa.String(), nullable=False),
    sa.Column('scope', sa.String(), nullable=False),
    sa.Column('digest', sa.String(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('revoked_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['workspace_id'], ['workspace.id'], name=op.f('fk_api_key_workspace')),
    sa.PrimaryKeyConstraint('workspace_id', 'id', name=op.f('pk_api_key'))
    )
    with op.batch_alter_table('api_key', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_api_key_id'), ['id'], unique=True)

    op.create_table('idempotency',
    sa.Column('workspace_id', sa.String(), nullable=False),
    sa.Column('key_id', sa.String(), nullable=False),
    sa.Column('name', sa.String(), nullable=False),
    sa.Column('digest', sa.String(), nullable=False),
    sa.Column('claim', sa.Uuid(), nullable=False),
    sa.Column('claimed_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('status', sa.Integer(), nullable=True),
    sa.Column('body', sa.String(), nullable=True),
    sa.Column('about', sa.Uuid(), nullable=True),
    sa.ForeignKeyConstraint(['workspace_id', 'key_id'], ['api_key.workspace_id', 'api_key.id'], name=op.f('fk_idempotency_api_key')),
    sa.PrimaryKeyConstraint('workspace_id', 'key_id', 'name', name=op.f('pk_idempotency'))
    )
    with op.batch_alter_table('idempotency', schema=None) as batch_op:
        batch_op.create_index('ix_idempotency_about', ['workspace_id', 'about'], unique=False, sqlite_where=sa.text('about IS NOT NULL'), postgresql_where=sa.text('about IS NOT NULL'))
        batch_op.create_index(batch_op.f('ix_idempotency_claim'), ['claim'], unique=True)
        batch_op.create_index(batch_op.f('ix_idempotency_claimed_at'), ['claimed_at'], unique=False)

    with op.batch_alter_table('component', schema=None) as batch_op:
        batch_op.add_column(sa.Column('description', sa.String(), nullable=True))
        batch_op.add_column(sa.Column('group_label', sa.String(), nullable=True))

    with op.batch_alter_table('incident', schema=None) as batch_op:
        batch_op.add_column(sa.Column('category', sa.String(), nullable=True))
        batch_op.create_index(batch_op.f('ix_incident_workspace_id_created_at'), ['workspace_id', 'created_at'], unique=False)
