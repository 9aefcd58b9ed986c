"""Edits of a card that are merged into one: the newest facts are drawn anyway, so one is enough.

Only `storage.outbox` uses it.
"""

from __future__ import annotations

from sqlalchemy import ColumnElement, Update, and_, bindparam, exists, func, select, update

from storage import claims
from storage.enqueue import later_of
from storage.models import CARDS, State, among, kept, outbox

# A worker that comes back after a rescue must not move a message that another has claimed since.
is_ours = and_(
    outbox.c.id == bindparam("message"),
    outbox.c.state == State.RUNNING,
    outbox.c.attempts == bindparam("tried"),
)
is_stale = and_(kept(outbox, State.RUNNING), outbox.c.claimed_at < bindparam("claimed_before"))
is_dead = kept(outbox, State.DEAD)


_other = outbox.alias("other")
_ours = outbox.alias("ours")


def _merge(*states: State, into: ColumnElement[bool]) -> Update:
    """Merges edits of a card in ``states`` into the one of the same card for which ``into`` holds.

    Of two waiting edits the older one stays, though both would show the same: if the card is in the
    channel without our knowledge, its metadata has the ``uid`` of the older one.
    """
    return (
        update(outbox)
        .where(
            kept(outbox, *states),
            among(outbox.c.surface, *CARDS),
            exists().where(
                _other.c.lane == outbox.c.lane, _other.c.surface == outbox.c.surface, into
            ),
        )
        .values(state=State.MERGED, done_at=bindparam("at"))
    )


def _postpone(condition: ColumnElement[bool]) -> Update:
    """Lets each card wait as long as the edit that is about to be merged into it, and doubt as it.

    That edit may wait for the end of a title's hold: before it, the title is not public.
    """
    waiting = (
        select(func.max(_other.c.try_at))
        .where(
            _other.c.lane == outbox.c.lane,
            _other.c.surface == outbox.c.surface,
            kept(_other, State.AVAILABLE),
        )
        .scalar_subquery()
    )
    return (
        update(outbox)
        .where(condition, among(outbox.c.surface, *CARDS))
        .values(try_at=later_of(outbox.c.try_at, waiting), unsure=claims.is_in_doubt)
    )


POSTPONE_OURS = _postpone(is_ours)
POSTPONE_STALE = _postpone(is_stale)
POSTPONE_DEAD = _postpone(is_dead)
MERGE_INTO_OURS = _merge(
    State.AVAILABLE,
    into=and_(
        _other.c.id == bindparam("message"),
        _other.c.state == State.RUNNING,
        _other.c.attempts == bindparam("tried"),
    ),
    # Says the lane once more, so that the database searches only that lane.
).where(
    outbox.c.lane
    == select(_ours.c.lane).where(_ours.c.id == bindparam("message")).scalar_subquery()
)
MERGE_INTO_STALE = _merge(
    State.AVAILABLE,
    into=and_(kept(_other, State.RUNNING), _other.c.claimed_at < bindparam("claimed_before")),
)
MERGE_DEAD_INTO_RUNNING = _merge(State.DEAD, into=kept(_other, State.RUNNING))
MERGE_INTO_DEAD = _merge(
    State.AVAILABLE,
    State.DEAD,
    into=and_(
        kept(_other, State.AVAILABLE, State.DEAD),
        _other.c.id < outbox.c.id,
    ),
)
