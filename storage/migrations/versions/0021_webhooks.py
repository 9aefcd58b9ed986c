"""Webhooks."""

import sqlalchemy as sa
from alembic import op

revision = '0021'
down_revision = '0020'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('workspace', sa.Column('has_webhooks', sa.Boolean(), nullable=True))
    op.create_table('webhook',
    sa.Column('workspace_id', sa.String(), nullable=False),
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('url', sa.String(), nullable=False),
    sa.Column('secret', sa.String(), nullable=False),
    sa.Column('old_secret', sa.String(), nullable=True),
    sa.Column('rotating_until', sa.DateTime(timezone=True), nullable=True),
    sa.Column('severity', sa.String(), nullable=True),
    sa.Column('components', sa.String(), nullable=True),
    sa.Column('state', sa.String(), nullable=False),
    sa.Column('added_by_id', sa.String(), nullable=False),
    sa.Column('added_by_name', sa.String(), nullable=False),
    sa.Column('added_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('starts_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('last_success_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('failing_since', sa.DateTime(timezone=True), nullable=True),
    sa.Column('off_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('held_until', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['workspace_id'], ['workspace.id'], name=op.f('fk_webhook_workspace')),
    sa.PrimaryKeyConstraint('workspace_id', 'id', name=op.f('pk_webhook'))
    )
    op.create_table('webhook_message',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('uid', sa.Uuid(), nullable=False),
    sa.Column('workspace_id', sa.String(), nullable=False),
    sa.Column('webhook_id', sa.Uuid(), nullable=False),
    sa.Column('event', sa.String(), nullable=False),
    sa.Column('incident_id', sa.Uuid(), nullable=True),
    sa.Column('entry', sa.Integer(), nullable=True),
    sa.Column('component_id', sa.Uuid(), nullable=True),
    sa.Column('lane', sa.String(), nullable=False),
    sa.Column('state', sa.String(), nullable=False),
    sa.Column('attempts', sa.Integer(), nullable=False),
    sa.Column('due_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('try_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('claimed_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('claimed_by', sa.String(), nullable=True),
    sa.Column('error', sa.String(), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('done_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['workspace_id', 'incident_id'], ['incident.workspace_id', 'incident.id'], name=op.f('fk_webhook_message_incident')),
    sa.ForeignKeyConstraint(['workspace_id', 'webhook_id'], ['webhook.workspace_id', 'webhook.id'], name=op.f('fk_webhook_message_webhook')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_webhook_message'))
    )
    is_waiting = sa.text("state IN ('available')")
    is_kept = sa.text("state IN ('available', 'running', 'dead')")
    op.create_index('ix_webhook_message_available', 'webhook_message', ['workspace_id', 'webhook_id', 'id'], unique=False, sqlite_where=is_waiting, postgresql_where=is_waiting)
    op.create_index('ix_webhook_message_lane', 'webhook_message', ['lane', 'id'], unique=False, sqlite_where=is_kept, postgresql_where=is_kept)
    op.create_index(op.f('ix_webhook_message_webhook_id_id'), 'webhook_message', ['webhook_id', 'id'], unique=False)
    op.create_index(op.f('ix_webhook_message_done_at'), 'webhook_message', ['done_at'], unique=False)
    op.create_table('webhook_told',
    sa.Column('workspace_id', sa.String(), nullable=False),
    sa.Column('webhook_id', sa.Uuid(), nullable=False),
    sa.Column('incident_id', sa.Uuid(), nullable=False),
    sa.ForeignKeyConstraint(['workspace_id', 'incident_id'], ['incident.workspace_id', 'incident.id'], name=op.f('fk_webhook_told_incident')),
    sa.ForeignKeyConstraint(['workspace_id', 'webhook_id'], ['webhook.workspace_id', 'webhook.id'], name=op.f('fk_webhook_told_webhook')),
    sa.PrimaryKeyConstraint('workspace_id', 'webhook_id', 'incident_id', name=op.f('pk_webhook_told'))
    )
    op.create_table('webhook_component',
    sa.Column('workspace_id', sa.String(), nullable=False),
    sa.Column('webhook_id', sa.Uuid(), nullable=False),
    sa.Column('component_id', sa.Uuid(), nullable=False),
    sa.Column('status', sa.String(), nullable=False),
    sa.ForeignKeyConstraint(['workspace_id', 'webhook_id'], ['webhook.workspace_id', 'webhook.id'], name=op.f('fk_webhook_component_webhook')),
    sa.PrimaryKeyConstraint('workspace_id', 'webhook_id', 'component_id', name=op.f('pk_webhook_component'))
    )
