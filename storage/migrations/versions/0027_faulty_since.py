"""The moment since which a subscribed channel takes no posts."""

import sqlalchemy as sa
from alembic import op

revision = '0027'
down_revision = '0026'
branch_labels = None
depends_on = None


def upgrade() -> None:
    faulty_since = sa.Column('faulty_since', sa.DateTime(timezone=True), nullable=True)
    op.add_column('subscription', faulty_since)
