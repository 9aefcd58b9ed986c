"""Open questions to new owners after a restore: their answers since the backup are unknown."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import and_, null, select, true, update

from core.decision import Envelope, Surface
from storage.enqueue import enqueue_of
from storage.models import hand_over, is_open
from storage.models import incident as _incident
from storage.snapshot import Snapshot, connection_of

# An answer may have come after the backup, so nobody is told of silence.
_SPARE = (
    update(hand_over).where(hand_over.c.look_at.is_not(None)).values(looked=true(), look_at=null())
)
_OPEN = (
    select(hand_over.c.workspace_id, hand_over.c.incident_id, hand_over.c.entry, hand_over.c.to_id)
    .join(
        _incident,
        and_(
            _incident.c.workspace_id == hand_over.c.workspace_id,
            _incident.c.id == hand_over.c.incident_id,
        ),
    )
    .where(hand_over.c.answer.is_(None), is_open, _incident.c.owner_id == hand_over.c.to_id)
    .order_by(_incident.c.workspace_id, _incident.c.number, hand_over.c.entry)
)


def ask_again(tx: Snapshot, *, at: datetime) -> int:
    """Shows each question that is open here as open in Slack, too, and returns their count."""
    connection = connection_of(tx)
    connection.execute(_SPARE)
    asked = connection.execute(_OPEN).all()
    for workspace, incident, entry, to in asked:
        question = Envelope(surface=Surface.HAND_OVER, channel=to, entry=entry)
        enqueue_of(connection, workspace, incident, [question], at=at)
    return len(asked)
