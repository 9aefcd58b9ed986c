"""Drafts, and cards with buttons that name their incident by its id."""

from datetime import UTC, datetime
from uuid import UUID, uuid4

import sqlalchemy as sa
from alembic import op

revision = '0006'
down_revision = '0005'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('draft',
    sa.Column('workspace_id', sa.String(), nullable=False),
    sa.Column('person', sa.String(), nullable=False),
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('incidents', sa.String(), nullable=False),
    sa.Column('body', sa.String(), nullable=False),
    sa.PrimaryKeyConstraint('workspace_id', 'person', 'id', name=op.f('pk_draft'))
    )
    with op.batch_alter_table('draft', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_draft_at'), ['at'], unique=False)
    with op.batch_alter_table('posted', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_posted_posted_in_ts'), ['posted_in', 'ts'], unique=False)
    _redraw_open_cards()


def _redraw_open_cards() -> None:
    """Writes an edit of each open card in Slack: its buttons carried only a number.

    Cards that were never posted, and those that wait to be edited, are drawn anew by themselves.
    """
    connection = op.get_bind()
    incident, posted, outbox = (
        sa.Table(name, sa.MetaData(), autoload_with=connection)
        for name in ('incident', 'posted', 'outbox')
    )
    waiting = sa.select(outbox.c.lane).where(outbox.c.state == 'available')
    lanes = set(connection.execute(waiting).scalars())
    now = datetime.now(UTC)
    found = connection.execute(
        sa.select(posted.c.workspace_id, posted.c.incident_id, posted.c.surface, posted.c.channel)
        .join(incident, sa.and_(
            incident.c.workspace_id == posted.c.workspace_id,
            incident.c.id == posted.c.incident_id,
        ))
        .where(incident.c.is_open, posted.c.surface.in_(['working_card', 'owner_card']))
    )
    uuid, moment = sa.Uuid(), sa.DateTime(timezone=True)
    table = sa.table('outbox',
    sa.column('uid', uuid), sa.column('workspace_id'), sa.column('incident_id', uuid),
    sa.column('surface'), sa.column('channel'), sa.column('lane'), sa.column('state'),
    sa.column('attempts'), sa.column('unsure', sa.Boolean()), sa.column('due_at', moment),
    sa.column('try_at', moment), sa.column('created_at', moment))
    for workspace, id_, surface, channel in found.all():
        id_ = id_ if isinstance(id_, UUID) else UUID(id_)
        lane = f"{id_}:{surface.split('_')[0]}:{channel}"
        if lane not in lanes:
            connection.execute(table.insert().values(
                uid=uuid4(), workspace_id=workspace, incident_id=id_, surface=surface,
                channel=channel, lane=lane, state='available', attempts=0, unsure=False,
                due_at=now, try_at=now, created_at=now,
            ))
