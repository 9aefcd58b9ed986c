"""The moment since which a channel is subscribed, whatever its filter."""

import sqlalchemy as sa
from alembic import op

revision = '0024'
down_revision = '0023'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('subscription', sa.Column('since', sa.DateTime(timezone=True), nullable=True))
