"""The oldest code that may work on the schema, so that older code can refuse it."""

import sqlalchemy as sa
from alembic import op

revision = '0005'
down_revision = '0004'
branch_labels = None
depends_on = None


def upgrade() -> None:
    compatibility = op.create_table('compatibility',
    sa.Column('oldest', sa.String(), nullable=False),
    sa.PrimaryKeyConstraint('oldest', name=op.f('pk_compatibility'))
    )
    # A later migration that removes something older code needs writes its own revision here.
    op.bulk_insert(compatibility, [{'oldest': '0004'}])
