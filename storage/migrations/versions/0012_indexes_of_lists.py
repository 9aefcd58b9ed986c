"""Indexes of lists, worst first, and of cards with a long timeline."""

import sqlalchemy as sa
from alembic import op

revision = '0012'
down_revision = '0011'
branch_labels = None
depends_on = None

OPEN_SQLITE, OPEN = sa.text('is_open = 1'), sa.text('is_open')
MOVE = sa.text("kind IN ('declared', 'moved', 'acknowledged')")
ON_CARD = sa.text("(kind NOT IN ('wrote', 'resolution', 'reported', 'promised')) OR visibility IN ('public')")


def upgrade() -> None:
    op.drop_index('ix_incident_open_in_channel', table_name='incident')
    op.drop_index('ix_incident_workspace_id_created_at', table_name='incident')
    op.create_index('ix_incident_open_severity', 'incident', ['workspace_id', 'severity', 'number'], sqlite_where=OPEN_SQLITE, postgresql_where=OPEN)
    op.create_index('ix_incident_mine', 'incident', ['workspace_id', 'owner_id', 'severity', 'number'], sqlite_where=OPEN_SQLITE, postgresql_where=OPEN)
    op.create_index('ix_incident_open_in_channel', 'incident', ['workspace_id', 'channel', 'severity', 'number'], sqlite_where=OPEN_SQLITE, postgresql_where=OPEN)
    op.create_index('ix_incident_status_severity', 'incident', ['workspace_id', 'status', 'severity', 'number'])
    op.create_index('ix_incident_created', 'incident', ['workspace_id', 'created_at', 'number'])
    op.create_index('ix_incident_update_on_card', 'incident_update', ['workspace_id', 'incident_id', 'entry'], sqlite_where=ON_CARD, postgresql_where=ON_CARD)
    op.create_index('ix_incident_update_move', 'incident_update', ['workspace_id', 'incident_id', 'entry'], sqlite_where=MOVE, postgresql_where=MOVE)
