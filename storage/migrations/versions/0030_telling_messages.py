"""The index by which a change finds the messages that tell others of its incident."""

import sqlalchemy as sa
from alembic import op

revision = '0030'
down_revision = '0029'
branch_labels = None
depends_on = None

TELLING = sa.text("surface IN ('channel_closing', 'hand_over', 'hand_over_declined', 'hand_over_lost', 'hand_over_unanswered', 'mention', 'owner_left', 'promise_breach', 'promise_reminder')")


def upgrade() -> None:
    op.create_index('ix_outbox_telling', 'outbox', ['workspace_id', 'incident_id'], sqlite_where=TELLING, postgresql_where=TELLING)
