"""The owner of an open incident who was deactivated."""

import sqlalchemy as sa
from alembic import op

revision = '0017'
down_revision = '0016'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('incident', sa.Column('left_owner', sa.String(), nullable=True))
