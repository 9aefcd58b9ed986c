"""When an event of a webhook was sent again by an admin, for its log."""

import sqlalchemy as sa
from alembic import op

revision = '0028'
down_revision = '0027'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('webhook_message', sa.Column('resent_at', sa.DateTime(timezone=True), nullable=True))
