"""The names of the texts of a declaration that were withdrawn."""

import sqlalchemy as sa
from alembic import op

revision = '0013'
down_revision = '0012'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('incident_update', sa.Column('withdrawn', sa.String(), nullable=True))
