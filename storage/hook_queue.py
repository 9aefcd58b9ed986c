"""The messages to webhooks, from the worker's side: claimed, delivered, retried or given up.

It is to `bot.delivery.worker` what `storage.outbox` is, with turns of its own: each endpoint has a
few places, so that one which hangs keeps no other waiting.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, and_, bindparam, delete, exists, func, or_, select, update

from core.page import ComponentStatus, PublicFacts
from core.projection import as_of
from core.public_side import PublicIncident
from core.stats import Milestone
from core.subscription import SubscriptionFilter
from core.webhooks import FAILED, SILENCE_MAX, Endpoint, EndpointState, HookEvent, Secrets
from storage import imports, pages, webhooks
from storage.enqueue import later_of
from storage.filters import filters_of
from storage.hook_notices import HookNotice, notice_of
from storage.models import KEPT, State, among, webhook, webhook_component, webhook_message
from storage.outbox import UNKNOWN_OUTCOME
from storage.public import PublicReader
from storage.queries import SqlReader
from storage.rows import AnyRow
from storage.snapshot import connection_of
from storage.statements import lock_workspace
from storage.store import SqlStore
from storage.transactions import SqlTransaction

# The code of a failure that ends an endpoint: it answered 410.
GONE = "http_410"
# The messages to one endpoint that are on their way at the same time.
AT_ONCE = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class HookMessage:
    """An event on its way to an endpoint, as it was when it was read.

    ``event`` None: it is the word to people that the endpoint is off, since ``due_at``.
    ``uid`` is the ``webhook-id``. ``attempts`` counts this try as well. ``due_at`` is the moment at
    which it became public: its body shows what was public then.
    """

    id: int
    uid: UUID
    workspace: str
    endpoint: UUID
    event: HookEvent | None
    incident: UUID | None
    entry: int | None
    component: UUID | None
    state: State
    attempts: int
    due_at: datetime
    try_at: datetime
    claimed_at: datetime
    error: str | None

    @property
    def renamed(self) -> bool:
        """Whether a component has another name, so that it is told with the same status, too."""
        return self.event is HookEvent.COMPONENT and self.entry == webhooks.RENAMED

    @property
    def unsure(self) -> bool:
        """Whether the try before this one may have reached the receiver."""
        return self.error == UNKNOWN_OUTCOME

    @property
    def surface(self) -> str:
        """Its kind, for logs and metrics."""
        return f"webhook:{self.event}" if self.event else webhooks.NOTICE

    @property
    def channel(self) -> str:
        """Its receiver, for logs."""
        return str(self.endpoint)


@dataclass(frozen=True, slots=True, kw_only=True)
class HookFacts:
    """The content of a message, from public rows as they are now, and its receiver.

    ``page`` None: nothing is left to be sent. ``known`` is the status of the component as the
    endpoint knows it. ``alone``: no other workspace has published a page. ``notice`` is the content
    of a word to people, None if there is nobody to be told. ``kept`` is the id that readers know an
    imported incident or component by, for an event that has the id alone.
    """

    url: str = ""
    secrets: Secrets | None = field(default=None, repr=False)
    page: PublicFacts | None = None
    incident: PublicIncident | None = None
    known: ComponentStatus | None = None
    filter: SubscriptionFilter = field(default_factory=SubscriptionFilter)
    alone: bool = False
    kept: str | None = None
    notice: HookNotice | None = None

    def reached(self, *, at: datetime) -> Milestone | None:
        """None: the time to the first public text is measured in the status channel."""
        del at
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class HookTold:
    """The result of a delivery: the status of the component that the endpoint now knows.

    ``nothing``: there was nothing to be sent.
    """

    nothing: bool = False
    status: ComponentStatus | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HookDepth:
    """``off`` counts the endpoints that failed until they were switched off.

    ``dead`` counts the messages that were given up, ``waiting`` those that wait or run.
    """

    off: int
    dead: int
    waiting: int


_message = webhook_message.c
_ahead = webhook_message.alias("ahead")
_is_waiting = among(_message.state, State.AVAILABLE)
# A message about a component shows it as it is then, so it may pass one that is not due yet.
_is_head = ~exists().where(
    _ahead.c.lane == _message.lane,
    among(_ahead.c.state, *KEPT),
    or_(
        _ahead.c.state == State.RUNNING,
        and_(
            _ahead.c.state == State.AVAILABLE,
            _ahead.c.id < _message.id,
            or_(_message.component_id.is_(None), _ahead.c.due_at <= bindparam("at")),
        ),
    ),
)
_is_its_endpoint = and_(
    webhook.c.workspace_id == _message.workspace_id, webhook.c.id == _message.webhook_id
)
_WITH_DUE = (
    select(webhook.c.workspace_id, webhook.c.id)
    .where(
        or_(
            webhook.c.state.in_(FAILED),
            and_(
                webhook.c.state == EndpointState.ON,
                or_(webhook.c.held_until.is_(None), webhook.c.held_until <= bindparam("at")),
            ),
        ),
        exists().where(_is_its_endpoint, _is_waiting, _message.try_at <= bindparam("at")),
    )
    .order_by(webhook.c.workspace_id, webhook.c.id)
)
_of_endpoint = and_(
    _message.workspace_id == bindparam("workspace"), _message.webhook_id == bindparam("hook")
)
_RUNNING = (
    select(func.count())
    .select_from(webhook_message)
    .where(_of_endpoint, _message.state == State.RUNNING)
)
_DUE = (
    select(_message.id)
    .where(_of_endpoint, _is_waiting, _message.try_at <= bindparam("at"), _is_head)
    .order_by(_message.id)
    .limit(bindparam("limit"))
    .with_for_update(skip_locked=True)
)
_CLAIM = (
    update(webhook_message)
    .where(_message.id.in_(bindparam("ids", expanding=True)), _is_waiting)
    # A try counts from the claim: a worker that dies while sending must still use up a try.
    .values(
        state=State.RUNNING,
        attempts=_message.attempts + 1,
        claimed_at=bindparam("at"),
        claimed_by=bindparam("worker"),
    )
    .returning(webhook_message)
)
_is_ours = and_(
    _message.id == bindparam("message"),
    _message.state == State.RUNNING,
    _message.attempts == bindparam("tried"),
)
_END = (
    update(webhook_message)
    .where(_is_ours)
    .values(
        state=bindparam("new_state"),
        error=bindparam("code"),
        done_at=bindparam("at"),
        claimed_at=None,
        claimed_by=None,
    )
)
_LATER = (
    update(webhook_message)
    .where(_is_ours)
    .values(
        state=State.AVAILABLE,
        try_at=bindparam("until"),
        error=bindparam("code"),
        claimed_at=None,
        claimed_by=None,
    )
)
_stale = and_(_message.state == State.RUNNING, _message.claimed_at < bindparam("claimed_before"))
_RESCUE = (
    update(webhook_message)
    .where(among(_message.state, *KEPT), _stale)
    .values(
        state=State.AVAILABLE,
        try_at=bindparam("until"),
        error=UNKNOWN_OUTCOME,
        claimed_at=None,
        claimed_by=None,
    )
)
PRUNE_AT_ONCE = 1_000
_PRUNE = delete(webhook_message).where(
    _message.id.in_(
        select(_message.id).where(_message.done_at < bindparam("before")).limit(PRUNE_AT_ONCE)
    )
)
_is_endpoint = and_(
    webhook.c.workspace_id == bindparam("workspace"), webhook.c.id == bindparam("hook")
)
_ENDPOINT = select(webhook).where(_is_endpoint)
_WENT_WELL = (
    update(webhook).where(_is_endpoint).values(last_success_at=bindparam("at"), failing_since=None)
)
_FAILED = (
    update(webhook)
    .where(_is_endpoint)
    .values(failing_since=func.coalesce(webhook.c.failing_since, bindparam("failed_at")))
    .returning(webhook.c.state, webhook.c.failing_since)
)
_UNTIL = bindparam("until", type_=webhook.c.held_until.type)
_HOLD = (
    update(webhook).where(_is_endpoint).values(held_until=later_of(_UNTIL, webhook.c.held_until))
)
_KNOWN = select(webhook_component.c.status).where(
    webhook_component.c.workspace_id == bindparam("workspace"),
    webhook_component.c.webhook_id == bindparam("hook"),
    webhook_component.c.component_id == bindparam("component"),
)
_OFF = select(func.count()).select_from(webhook).where(webhook.c.state.in_(FAILED))
_COUNT = (
    select(_message.state, func.count())
    .where(among(_message.state, *KEPT))
    .group_by(_message.state)
)


class HookQueue:
    """The messages to webhooks in ``store``. ``at`` is the caller's clock."""

    def __init__(self, store: SqlStore) -> None:
        self._store = store

    async def claim(self, worker: str, *, limit: int, at: datetime) -> tuple[HookMessage, ...]:
        """Claims at most ``limit`` messages that may be sent now, a few for each endpoint."""
        return await self._store.write(
            lambda tx: _claim(connection_of(tx), worker, limit=limit, at=at)
        )

    async def facts(self, message: HookMessage) -> HookFacts:
        """The content of ``message``: what was public at its moment, without what is not now."""
        if message.event is None:
            notice = await self._store.read(
                lambda reader: notice_of(
                    reader, message.workspace, message.endpoint, off_at=message.due_at
                )
            )
            return HookFacts(notice=notice)
        receiver = await self._store.read(lambda reader: _receiver(reader, message))
        if not receiver.url:
            return receiver
        at = message.claimed_at
        return await self._store.read_public(
            lambda public: _public_facts(public, message, receiver, at=at)
        )

    async def delivered(
        self, message: HookMessage, *, at: datetime, posted: HookTold | None = None
    ) -> None:
        """The endpoint has it, or nothing was left to be sent."""
        told = posted or HookTold()
        await self._store.write(lambda tx: _delivered(tx, message, told, at=at))

    async def later(
        self, message: HookMessage, *, until: datetime, error: str
    ) -> EndpointState | None:
        """Retries it at ``until``. Returns the state of an endpoint that this switched off."""
        return await self._store.write(
            lambda tx: _failed(tx, message, error, until=until, at=message.claimed_at)
        )

    async def dead(self, message: HookMessage, *, error: str, at: datetime) -> EndpointState | None:
        """Gives it up. Returns the state of an endpoint that this switched off."""
        return await self._store.write(lambda tx: _failed(tx, message, error, until=None, at=at))

    async def pause(self, workspace: str, channel: str, *, until: datetime) -> None:
        """Lets nothing go to the endpoint of the id ``channel`` before ``until``."""
        held = {"workspace": workspace, "hook": UUID(channel), "until": until}
        await self._store.write(lambda tx: connection_of(tx).execute(_HOLD, held).rowcount)

    async def forget_posted(self, message: HookMessage) -> None:
        """Nothing: a message to a webhook is never edited."""

    async def rescue(self, *, claimed_before: datetime, at: datetime, until: datetime) -> int:
        """Frees messages whose worker must have died since, and returns their count.

        They are sent again with the same id.
        """
        stale = {"claimed_before": claimed_before, "until": max(at, until)}
        return await self._store.write(
            lambda tx: connection_of(tx).execute(_RESCUE, stale).rowcount
        )

    async def prune(self, *, before: datetime) -> int:
        """Deletes messages that ended before ``before``, and returns their count."""
        pruned = 0
        while count := await self._store.write(
            lambda tx: connection_of(tx).execute(_PRUNE, {"before": before}).rowcount
        ):
            pruned += count
        return pruned

    async def failed(self) -> tuple[Endpoint, ...]:
        """The endpoints of all workspaces that failed until they were switched off."""
        return await self._store.read(lambda reader: webhooks.failed(connection_of(reader)))

    async def depth(self) -> HookDepth:
        """The figures that an operator should look at."""
        return await self._store.read(_depth)


def begin_anew(tx: SqlTransaction, unhooked: Iterable[tuple[str, UUID]], *, at: datetime) -> int:
    """Lets all endpoints of a restored database start at ``at``, and switches ``unhooked`` off.

    Returns the number of events that waited. They are not sent: they may have been sent since.
    """
    connection = connection_of(tx)
    for workspace, endpoint in unhooked:
        webhooks.switch_off(connection, workspace, endpoint, EndpointState.OFF, at=at)
    return webhooks.begin_anew(connection, at=at)


def _claim(
    connection: Connection, worker: str, *, limit: int, at: datetime
) -> tuple[HookMessage, ...]:
    ids: list[int] = []
    for workspace, hook in connection.execute(_WITH_DUE, {"at": at}).all():
        of = {"workspace": workspace, "hook": hook}
        places = min(AT_ONCE - connection.execute(_RUNNING, of).scalar_one(), limit - len(ids))
        if places > 0:
            due = {**of, "at": at, "limit": places}
            ids += connection.execute(_DUE, due).scalars()
    if not ids:
        return ()
    claimed = connection.execute(_CLAIM, {"ids": ids, "at": at, "worker": worker})
    return tuple(sorted(map(_message_of, claimed), key=lambda message: message.id))


def _message_of(row: AnyRow) -> HookMessage:
    return HookMessage(
        id=row.id,
        uid=row.uid,
        workspace=row.workspace_id,
        endpoint=row.webhook_id,
        event=None if row.event == webhooks.NOTICE else HookEvent(row.event),
        incident=row.incident_id,
        entry=row.entry,
        component=row.component_id,
        state=State(row.state),
        attempts=row.attempts,
        due_at=row.due_at,
        try_at=row.try_at,
        claimed_at=row.claimed_at,
        error=row.error,
    )


def _of(message: HookMessage) -> dict[str, Any]:
    return {"workspace": message.workspace, "hook": message.endpoint}


def _receiver(reader: SqlReader, message: HookMessage) -> HookFacts:
    """The receiver alone; without an address if it is to get nothing of this."""
    connection = connection_of(reader)
    row = connection.execute(_ENDPOINT, _of(message)).one_or_none()
    if row is None or row.state != EndpointState.ON or message.due_at < row.starts_at:
        return HookFacts()
    secrets = Secrets(new=row.secret, old=row.old_secret, old_until=row.rotating_until)
    known = None
    if message.component is not None:
        sought = {**_of(message), "component": message.component}
        found = connection.execute(_KNOWN, sought).scalar_one_or_none()
        known = ComponentStatus(found) if found else ComponentStatus.OPERATIONAL
    (filter_,) = filters_of(connection, message.workspace, [row])
    kept = None
    if message.component is not None:
        kept = pages.kept_id(connection, message.workspace, message.component)
    elif message.event is HookEvent.WITHDRAWN and message.incident is not None:
        kept = imports.id_of(connection, message.workspace, message.incident)
    return HookFacts(url=row.url, secrets=secrets, filter=filter_, known=known, kept=kept)


def _public_facts(
    public: PublicReader, message: HookMessage, receiver: HookFacts, *, at: datetime
) -> HookFacts:
    incident = None
    if message.incident is not None and message.event is not HookEvent.WITHDRAWN:
        found = public.hooked(message.workspace, message.incident, at=message.due_at)
        if found is None:
            return receiver
        incident = as_of(found, at=message.due_at, entry=message.entry)
    # A clock behind the one of the change would leave out what the event is about.
    facts = public.hook_facts(message.workspace, at=max(at, message.due_at))
    alone = len(public.pages()) == 1
    return replace(receiver, page=facts, incident=incident, alone=alone)


def _delivered(tx: SqlTransaction, message: HookMessage, told: HookTold, *, at: datetime) -> None:
    connection = connection_of(tx)
    state = State.MERGED if told.nothing else State.DELIVERED
    _end(connection, message, state, error=None, at=at)
    if told.nothing or message.event is None:
        return
    there = connection.execute(_WENT_WELL, {**_of(message), "at": at}).rowcount
    if there and told.status is not None and message.component is not None:
        known = {message.component: told.status}
        webhooks.know(connection, message.workspace, message.endpoint, known)


def _end(
    connection: Connection, message: HookMessage, state: State, *, error: str | None, at: datetime
) -> None:
    ours = {"message": message.id, "tried": message.attempts}
    connection.execute(_END, {**ours, "new_state": state.value, "code": error, "at": at})


def _failed(
    tx: SqlTransaction, message: HookMessage, error: str, *, until: datetime | None, at: datetime
) -> EndpointState | None:
    """Records a failure; ``until`` None: the message is given up."""
    connection = connection_of(tx)
    # Before any row of the endpoint, as an admin's change of it does.
    lock_workspace(connection, message.workspace)
    if until is None:
        _end(connection, message, State.DEAD, error=error, at=at)
    else:
        ours = {"message": message.id, "tried": message.attempts}
        connection.execute(_LATER, {**ours, "until": until, "code": error})
    if error == UNKNOWN_OUTCOME or message.event is None:
        return None  # We were stopped: the endpoint may be well.
    row = connection.execute(_FAILED, {**_of(message), "failed_at": at}).one_or_none()
    if row is None:
        return None
    state = EndpointState.GONE if error == GONE else EndpointState.SILENT
    if row.state != EndpointState.ON or (
        state is EndpointState.SILENT and at - row.failing_since < SILENCE_MAX
    ):
        if row.state != EndpointState.ON:
            webhooks.drop(connection, message.workspace, message.endpoint, at=at)
        return None
    webhooks.switch_off(connection, message.workspace, message.endpoint, state, at=at)
    return state


def _depth(reader: SqlReader) -> HookDepth:
    connection = connection_of(reader)
    counts: dict[str, int] = {row[0]: row[1] for row in connection.execute(_COUNT)}
    return HookDepth(
        off=connection.execute(_OFF).scalar_one(),
        dead=counts.get(State.DEAD.value, 0),
        waiting=counts.get(State.AVAILABLE.value, 0) + counts.get(State.RUNNING.value, 0),
    )
