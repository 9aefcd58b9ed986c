"""The moment at which a held-back text becomes public."""

import sqlalchemy as sa
from alembic import op

revision = '0004'
down_revision = '0003'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        'incident_update', sa.Column('public_at', sa.DateTime(timezone=True), nullable=True)
    )
