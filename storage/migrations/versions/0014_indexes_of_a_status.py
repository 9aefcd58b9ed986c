"""The indexes of a status: one of open incidents, one of closed ones."""

import sqlalchemy as sa
from alembic import op

revision = '0014'
down_revision = '0013'
branch_labels = None
depends_on = None

OPEN_SQLITE, OPEN = sa.text('is_open = 1'), sa.text('is_open')
CLOSED_SQLITE, CLOSED = sa.text('is_open = 0'), sa.text('NOT is_open')
COLUMNS = ['workspace_id', 'status', 'severity', 'number']


def upgrade() -> None:
    op.drop_index('ix_incident_status_severity', table_name='incident')
    op.drop_index('ix_incident_workspace_id_status_number', table_name='incident')
    op.create_index('ix_incident_open_status', 'incident', COLUMNS, sqlite_where=OPEN_SQLITE, postgresql_where=OPEN)
    op.create_index('ix_incident_closed_status', 'incident', COLUMNS, sqlite_where=CLOSED_SQLITE, postgresql_where=CLOSED)
