"""The first tables."""

import sqlalchemy as sa
from alembic import op

from storage.models import UtcDateTime

revision = '0001'
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('channel_pace',
    sa.Column('workspace_id', sa.String(), nullable=False),
    sa.Column('channel', sa.String(), nullable=False),
    sa.Column('held_until', sa.DateTime(timezone=True), nullable=False),
    sa.Column('next_post_at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('workspace_id', 'channel', name=op.f('pk_channel_pace'))
    )
    op.create_table('lifecycle',
    sa.Column('digest', sa.String(), nullable=False),
    sa.Column('name', sa.String(), nullable=False),
    sa.Column('definition', sa.String(), nullable=False),
    sa.PrimaryKeyConstraint('digest', name=op.f('pk_lifecycle'))
    )
    op.create_table('workspace',
    sa.Column('id', sa.String(), nullable=False),
    sa.Column('status_channel', sa.String(), nullable=True),
    sa.Column('last_number', sa.Integer(), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_workspace'))
    )
    op.create_table('component',
    sa.Column('workspace_id', sa.String(), nullable=False),
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('name', sa.String(), nullable=False),
    sa.Column('folded', sa.String(), nullable=False),
    sa.ForeignKeyConstraint(['workspace_id'], ['workspace.id'], name=op.f('fk_component_workspace')),
    sa.PrimaryKeyConstraint('workspace_id', 'id', name=op.f('pk_component')),
    sa.UniqueConstraint('workspace_id', 'folded', name=op.f('uq_component_workspace_id_folded'))
    )
    op.create_table('incident',
    sa.Column('workspace_id', sa.String(), nullable=False),
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('number', sa.Integer(), nullable=False),
    sa.Column('title', sa.String(), nullable=False),
    sa.Column('description', sa.String(), nullable=True),
    sa.Column('severity', sa.String(), nullable=False),
    sa.Column('lifecycle', sa.String(), nullable=False),
    sa.Column('status', sa.String(), nullable=False),
    sa.Column('public_word', sa.String(), nullable=False),
    sa.Column('is_open', sa.Boolean(), nullable=False),
    sa.Column('private', sa.Boolean(), nullable=False),
    sa.Column('declared_by_id', sa.String(), nullable=False),
    sa.Column('declared_by_name', sa.String(), nullable=False),
    sa.Column('owner_id', sa.String(), nullable=True),
    sa.Column('owner_name', sa.String(), nullable=True),
    sa.Column('acknowledged_by_id', sa.String(), nullable=True),
    sa.Column('acknowledged_by_name', sa.String(), nullable=True),
    sa.Column('component_count', sa.Integer(), nullable=False),
    sa.Column('channel', sa.String(), nullable=True),
    sa.Column('channel_private', sa.Boolean(), nullable=False),
    sa.Column('started_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('updated_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('last_entry', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['lifecycle'], ['lifecycle.digest'], name=op.f('fk_incident_lifecycle')),
    sa.ForeignKeyConstraint(['workspace_id'], ['workspace.id'], name=op.f('fk_incident_workspace')),
    sa.PrimaryKeyConstraint('workspace_id', 'id', name=op.f('pk_incident')),
    sa.UniqueConstraint('workspace_id', 'number', name=op.f('uq_incident_workspace_id_number'))
    )
    with op.batch_alter_table('incident', schema=None) as batch_op:
        batch_op.create_index('ix_incident_open', ['workspace_id', 'number'], unique=False, sqlite_where=sa.text('is_open = 1'), postgresql_where=sa.text('is_open'))
        batch_op.create_index('ix_incident_open_in_channel', ['workspace_id', 'channel', 'number'], unique=False, sqlite_where=sa.text('is_open = 1'), postgresql_where=sa.text('is_open'))
        batch_op.create_index(batch_op.f('ix_incident_workspace_id_severity_number'), ['workspace_id', 'severity', 'number'], unique=False)
        batch_op.create_index(batch_op.f('ix_incident_workspace_id_status_number'), ['workspace_id', 'status', 'number'], unique=False)

    op.create_table('incident_component',
    sa.Column('workspace_id', sa.String(), nullable=False),
    sa.Column('incident_id', sa.Uuid(), nullable=False),
    sa.Column('position', sa.Integer(), nullable=False),
    sa.Column('component_id', sa.Uuid(), nullable=False),
    sa.ForeignKeyConstraint(['workspace_id', 'component_id'], ['component.workspace_id', 'component.id'], name=op.f('fk_incident_component_component')),
    sa.ForeignKeyConstraint(['workspace_id', 'incident_id'], ['incident.workspace_id', 'incident.id'], name=op.f('fk_incident_component_incident')),
    sa.PrimaryKeyConstraint('workspace_id', 'incident_id', 'position', name=op.f('pk_incident_component'))
    )
    op.create_table('incident_update',
    sa.Column('workspace_id', sa.String(), nullable=False),
    sa.Column('incident_id', sa.Uuid(), nullable=False),
    sa.Column('entry', sa.Integer(), nullable=False),
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('kind', sa.String(), nullable=False),
    sa.Column('visibility', sa.String(), nullable=False),
    sa.Column('by_id', sa.String(), nullable=False),
    sa.Column('by_name', sa.String(), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('body', sa.String(), nullable=True),
    sa.Column('old', sa.String(), nullable=True),
    sa.Column('new', sa.String(), nullable=True),
    sa.Column('redacted_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('redacted_by_id', sa.String(), nullable=True),
    sa.Column('redacted_by_name', sa.String(), nullable=True),
    sa.ForeignKeyConstraint(['workspace_id', 'incident_id'], ['incident.workspace_id', 'incident.id'], name=op.f('fk_incident_update_incident')),
    sa.PrimaryKeyConstraint('workspace_id', 'incident_id', 'entry', name=op.f('pk_incident_update'))
    )
    op.create_table('outbox',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('uid', sa.Uuid(), nullable=False),
    sa.Column('workspace_id', sa.String(), nullable=False),
    sa.Column('incident_id', sa.Uuid(), nullable=False),
    sa.Column('entry', sa.Integer(), nullable=True),
    sa.Column('surface', sa.String(), nullable=False),
    sa.Column('channel', sa.String(), nullable=False),
    sa.Column('lane', sa.String(), nullable=False),
    sa.Column('state', sa.String(), nullable=False),
    sa.Column('attempts', sa.Integer(), nullable=False),
    sa.Column('due_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('try_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('claimed_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('claimed_by', sa.String(), nullable=True),
    sa.Column('error', sa.String(), nullable=True),
    sa.Column('unsure', sa.Boolean(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('done_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['workspace_id', 'incident_id'], ['incident.workspace_id', 'incident.id'], name=op.f('fk_outbox_incident')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_outbox'))
    )
    with op.batch_alter_table('outbox', schema=None) as batch_op:
        batch_op.create_index('ix_outbox_available', ['id'], unique=False, sqlite_where=sa.text("state IN ('available')"), postgresql_where=sa.text("state IN ('available')"))
        batch_op.create_index(batch_op.f('ix_outbox_done_at'), ['done_at'], unique=False)
        batch_op.create_index('ix_outbox_kept', ['state', 'due_at'], unique=False, sqlite_where=sa.text("state IN ('available', 'running', 'dead')"), postgresql_where=sa.text("state IN ('available', 'running', 'dead')"))
        batch_op.create_index('ix_outbox_lane', ['lane', 'id'], unique=False, sqlite_where=sa.text("state IN ('available', 'running', 'dead')"), postgresql_where=sa.text("state IN ('available', 'running', 'dead')"))
        batch_op.create_index('uq_outbox_waiting_card', ['lane', 'surface'], unique=True, sqlite_where=sa.text("state IN ('available') AND surface IN ('working_card', 'owner_card', 'status_card')"), postgresql_where=sa.text("state IN ('available') AND surface IN ('working_card', 'owner_card', 'status_card')"))

    op.create_table('posted',
    sa.Column('workspace_id', sa.String(), nullable=False),
    sa.Column('incident_id', sa.Uuid(), nullable=False),
    sa.Column('surface', sa.String(), nullable=False),
    sa.Column('channel', sa.String(), nullable=False),
    sa.Column('entry', sa.Integer(), nullable=False),
    sa.Column('posted_in', sa.String(), nullable=False),
    sa.Column('ts', sa.String(), nullable=False),
    sa.ForeignKeyConstraint(['workspace_id', 'incident_id'], ['incident.workspace_id', 'incident.id'], name=op.f('fk_posted_incident')),
    sa.PrimaryKeyConstraint('workspace_id', 'incident_id', 'surface', 'channel', 'entry', name=op.f('pk_posted'))
    )
