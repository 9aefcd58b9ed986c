"""The index by which a component finds the incidents that are tagged with it."""

from alembic import op

revision = '0025'
down_revision = '0024'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index('ix_incident_component_component', 'incident_component', ['workspace_id', 'component_id'], unique=False)
