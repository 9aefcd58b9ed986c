"""How far people have read timelines."""

import sqlalchemy as sa
from alembic import op

revision = '0018'
down_revision = '0017'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('catch_up',
    sa.Column('workspace_id', sa.String(), nullable=False),
    sa.Column('person', sa.String(), nullable=False),
    sa.Column('incident_id', sa.Uuid(), nullable=False),
    sa.Column('entry', sa.Integer(), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['workspace_id', 'incident_id'], ['incident.workspace_id', 'incident.id'], name=op.f('fk_catch_up_incident')),
    sa.PrimaryKeyConstraint('workspace_id', 'person', 'incident_id', name=op.f('pk_catch_up'))
    )
