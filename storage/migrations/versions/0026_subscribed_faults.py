"""The fault of a subscribed channel that takes no posts, so that it is told once."""

import sqlalchemy as sa
from alembic import op

revision = '0026'
down_revision = '0025'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('subscription', sa.Column('fault', sa.String(), nullable=True))
