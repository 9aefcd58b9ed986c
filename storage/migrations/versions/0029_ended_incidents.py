"""The index by which the status page finds the last ends of incidents without components."""

from datetime import UTC, datetime, timedelta

import sqlalchemy as sa
from alembic import op

revision = '0029'
down_revision = '0028'
branch_labels = None
depends_on = None

ENDED_SQLITE, ENDED = sa.text('tagged IS NULL AND over_at IS NOT NULL AND private = 0'), sa.text('tagged IS NULL AND over_at IS NOT NULL AND private = false')


def upgrade() -> None:
    # 0015 wrote the moments only of those with components. The page shows those of the last 14 days.
    incident = sa.table('incident', *map(sa.column, ('workspace_id', 'public_word')), sa.column('id', sa.Uuid()), sa.column('over_at', sa.DateTime(timezone=True)), sa.column('updated_at', sa.DateTime(timezone=True)))
    update = sa.table('incident_update', *map(sa.column, ('workspace_id', 'kind')), sa.column('incident_id', sa.Uuid()), sa.column('at', sa.DateTime(timezone=True)))
    moved = sa.select(sa.func.max(update.c.at)).where(update.c.workspace_id == incident.c.workspace_id, update.c.incident_id == incident.c.id, update.c.kind.in_(('declared', 'moved', 'acknowledged')))
    lately = sa.literal(datetime.now(UTC) - timedelta(days=15), sa.DateTime(timezone=True))
    op.get_bind().execute(sa.update(incident).where(incident.c.over_at.is_(None), incident.c.public_word == 'resolved', incident.c.updated_at >= lately).values(over_at=moved.scalar_subquery()))
    op.create_index('ix_incident_ended', 'incident', ['workspace_id', 'over_at'], sqlite_where=ENDED_SQLITE, postgresql_where=ENDED)
