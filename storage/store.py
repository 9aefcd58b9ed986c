"""The store: runs work on the database, and writes decisions, each of them whole or not at all."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import TypeVar
from uuid import UUID

from sqlalchemy import Connection, and_, bindparam, delete, literal, select, update

from core.channel import OwnChannel
from core.decision import Decision, Envelope, Published
from core.drafts import Draft
from core.errors import InvalidField
from core.handover import HandOver
from core.incident import (
    Component,
    DescribedComponent,
    Incident,
    Kind,
    Person,
    Severity,
    Update,
    Workspace,
    WorkspaceSettings,
)
from core.page import ComponentGroup, Override, PageSettings, ShownComponent
from core.projection import project
from core.promise import Promise
from core.public_side import KeptIncident, KeptUpdate
from core.settings import Setting
from core.store import CaughtUp, NewParts, Receipt, StoreUnavailable
from core.subscription import Subscription
from core.webhooks import Endpoint, Secrets
from storage import (
    catching,
    components,
    drafts,
    entries,
    handovers,
    idempotency,
    imports,
    migrations,
    models,
    own_channels,
    owners,
    pages,
    promises,
    queries,
    settings,
    subscriptions,
    webhooks,
)
from storage.columns import incident_columns, lifecycle_row, update_row
from storage.databases.failures import Conflict, NoDatabase, SecondServer, translated_errors
from storage.databases.opening import database
from storage.databases.sqlite import ERASED
from storage.enqueue import (
    enqueue,
    enqueue_all,
    is_told,
    published,
    published_in,
    redraw_status_cards,
)
from storage.migrations import UnknownSchema
from storage.public import PublicReader
from storage.queries import Address, SqlReader
from storage.settings import SettingsMemory
from storage.statements import Prepared, upsert

__all__ = ["NoDatabase", "SecondServer", "SqlStore", "SqlTransaction", "UnknownSchema"]

T = TypeVar("T")


_INSERT_INCIDENT = models.incident.insert()
_INSERT_UPDATE = Prepared(models.update.insert())
_INSERT_INVITED = models.incident_invited.insert()
_UNINVITE = delete(models.incident_invited).where(
    models.incident_invited.c.workspace_id == bindparam("workspace"),
    models.incident_invited.c.incident_id == bindparam("incident"),
)
_OF_ENTRY = update(models.update).where(
    models.update.c.workspace_id == bindparam("workspace"),
    models.update.c.incident_id == bindparam("incident"),
    models.update.c.entry == bindparam("number"),
)
_ERASE_REPEATED = _OF_ENTRY.values(old=bindparam("old_left"), new=bindparam("new_left"))
_REDACT = _OF_ENTRY.values(
    body=None,
    redacted_at=bindparam("at_last"),
    redacted_by_id=bindparam("person"),
    redacted_by_name=bindparam("person_name"),
    withdrawn=bindparam("names"),
)
# The row stays locked until the commit, so numbers have no gaps: a rollback frees its number.
_NEXT_NUMBER = upsert(
    lambda insert: (
        insert(models.workspace)
        .values(id=bindparam("workspace"), last_number=1)
        .on_conflict_do_update(
            index_elements=[models.workspace.c.id],
            set_={"last_number": models.workspace.c.last_number + 1},
        )
        .returning(
            models.workspace.c.last_number,
            models.workspace.c.status_channel,
            models.workspace.c.settings_version,
            models.workspace.c.page_published,
            models.workspace.c.has_webhooks,
            models.workspace.c.subscriptions,
        )
    )
)
_KEEP_LIFECYCLE = upsert(lambda insert: insert(models.lifecycle).on_conflict_do_nothing())


_HANDLED = select(models.handled.c.incident_id).where(
    models.handled.c.workspace_id == bindparam("workspace"),
    models.handled.c.request == bindparam("request"),
)
_MARK_HANDLED = Prepared(models.handled.insert())
_FORGET_PROBE = delete(models.handled).where(models.handled.c.workspace_id == literal(""))
_FORGET_HANDLED = delete(models.handled).where(models.handled.c.at < bindparam("before"))


@cache
def _change(columns: frozenset[str]) -> Prepared:
    """The compare-and-set of ``columns``. Indexes of all other columns stay untouched."""
    return Prepared(
        update(models.incident)
        .where(
            and_(
                models.incident.c.workspace_id == bindparam("workspace"),
                models.incident.c.id == bindparam("incident"),
                models.incident.c.version == bindparam("version_read"),
            )
        )
        .values({name: bindparam(f"new_{name}") for name in sorted(columns)})
    )


class SqlTransaction(SqlReader):
    """One transaction; implements `core.service.Transaction`."""

    def __init__(
        self, connection: Connection, *, settings: SettingsMemory, address: Address
    ) -> None:
        super().__init__(connection, settings=settings, address=address)
        self._dialect = connection.dialect.name
        self._read: dict[UUID, Incident] = {}

    def incident(self, workspace: str, ref: int | UUID) -> Incident | None:
        """The incident of that number or id, locked until the end of the transaction."""
        incident = self._one(queries.TO_CHANGE[isinstance(ref, int)], workspace, ref)
        if incident:
            self._read[incident.id] = incident
        return incident

    def next_number(self, workspace: str) -> int:
        """The number of the next incident: unique and without gaps."""
        number, *columns = self._connection.execute(
            _NEXT_NUMBER[self._dialect], {"workspace": workspace}
        ).one()
        status_channel, version, page, webhooks_, subscribed = columns
        self._workspace(workspace, (status_channel, version, page, webhooks_, subscribed))
        return int(number)

    def components(self, workspace: str) -> tuple[Component, ...]:
        """All components of the workspace, by name."""
        return components.all_of(self._connection, workspace)

    def entry(self, incident: Incident, entry: int | UUID) -> Update | None:
        """The update with that number or id in the incident's timeline."""
        return entries.entry(self._connection, incident, entry)

    def published_in(self, incident: Incident, entry: Update) -> tuple[str, ...]:
        """The channels that have the update, or will have it; none for an internal one."""
        return published_in(self._connection, incident, entry.entry)

    def published(self, incident: Incident) -> Published:
        """All posts of the incident in public, delivered or on their way."""
        return published(self._connection, incident)

    def titles(self, incident: Incident) -> tuple[Update, ...]:
        """All changes of the title, oldest first."""
        return entries.titles(self._connection, incident)

    def descriptions(self, incident: Incident) -> tuple[Update, ...]:
        """All changes of the description, oldest first."""
        return entries.descriptions(self._connection, incident)

    def correctable(self, incident: Incident, by: Person, *, since: datetime) -> Update | None:
        """The newest public text by ``by`` that was withdrawn ``since``, without a correction.

        None once the short reply of an end has left in its place.
        """
        found = entries.correctable(self._connection, incident, by, since=since)
        return None if found and is_told(self._connection, incident, found) else found

    def last_move(self, incident: Incident) -> Update | None:
        """The newest transition; the declaration counts as one."""
        return entries.last_move(self._connection, incident)

    def save(self, decision: Decision) -> None:
        """Writes incident, updates and outbox messages.

        The row must still have the version that was read; otherwise the work runs again.
        """
        before = self._write(decision)
        self._show(before, decision)

    def save_imported(
        self, decision: Decision, kept: KeptIncident, texts: Mapping[int, KeptUpdate]
    ) -> None:
        """Writes an incident with its imported past. No message tells of it."""
        before = self._write(decision)
        imports.keep(self._connection, decision.incident, kept, texts)
        pages.note_change(self._connection, before, decision)

    def keep_page(self, workspace: str, kept: str, *, at: datetime) -> None:
        """Writes the id that the page of the workspace keeps of an imported one."""
        imports.keep_page(self._connection, workspace, kept)
        pages.bump(self._connection, workspace, at=at)

    def import_parts(self, workspace: str, parts: NewParts) -> None:
        """Writes imported groups and components, and the ids that others keep."""
        imports.add_parts(self._connection, workspace, parts.groups, parts.components, parts.names)
        imports.keep_ids(self._connection, workspace, parts.kept_groups, parts.kept_components)

    def _write(self, decision: Decision) -> Incident | None:
        """Writes incident and updates; returns the incident as it was read, None if it is new."""
        incident = decision.incident
        before = self._read.get(incident.id)
        components.keep(
            self._connection, incident.workspace, decision.new_components, at=incident.updated_at
        )
        if before is None:
            self._insert(incident)
        else:
            self._change(before, incident)
        if before is None or before.components != incident.components:
            components.tag(self._connection, incident, again=before is not None)
        if (before.invited if before else ()) != incident.invited:
            self._invite(incident)
        if decision.updates:
            rows = [update_row(incident.workspace, update) for update in decision.updates]
            _INSERT_UPDATE.run(self._connection, *rows)
        components.record(self._connection, before, decision)
        for asked in decision.hand_overs:
            handovers.keep(self._connection, incident, asked)
        promises.keep(self._connection, incident, decision.promises)
        if before is None or before.channels != incident.channels:
            own_channels.keep(self._connection, incident, incident.channels)
        for redacted in filter(None, (decision.redacted, *decision.redacted_too)):
            self._redact(incident.workspace, redacted)
        for entry in decision.erased:
            self._erase_repeated(incident.workspace, entry)
        self._read[incident.id] = incident
        return before

    def _show(self, before: Incident | None, decision: Decision) -> None:
        """Notes the change for the page, and writes the messages that show it."""
        workspace = self.workspace(decision.incident.workspace)
        if workspace.page:
            pages.note_change(self._connection, before, decision)
        enqueue(self._connection, decision)
        if workspace.webhooks:
            webhooks.tell(self._connection, before, decision)

    def save_stage(
        self, incident: Incident, promise: Promise, envelopes: Sequence[Envelope], *, at: datetime
    ) -> None:
        """Writes a promise after a stage, and the outbox messages of that."""
        promises.keep(self._connection, incident, [promise])
        self._enqueue(incident, envelopes, at=at)

    def open_hand_over(self, incident: Incident) -> HandOver | None:
        """The newest hand-over without an answer; None if there is none."""
        return handovers.open_one(self._connection, incident)

    def has_acted(self, incident: Incident, person: Person, *, after: int) -> bool:
        """Whether ``person`` wrote an entry behind the one of number ``after``."""
        return handovers.has_acted(self._connection, incident, person, after=after)

    def had_severity(self, incident: Incident, severities: Collection[Severity]) -> bool:
        """Whether the incident had one of ``severities`` before the present one."""
        return entries.had_severity(self._connection, incident, severities)

    def save_look(
        self, incident: Incident, asked: HandOver, envelopes: Sequence[Envelope], *, at: datetime
    ) -> None:
        """Writes a hand-over after a look, and the outbox messages of that."""
        handovers.keep(self._connection, incident, asked)
        self._enqueue(incident, envelopes, at=at)

    def save_channel(
        self,
        incident: Incident,
        channel: OwnChannel,
        envelopes: Sequence[Envelope],
        *,
        at: datetime,
    ) -> None:
        """Writes a channel after a stage, and the outbox messages of that."""
        own_channels.keep(self._connection, incident, [channel])
        self._enqueue(incident, envelopes, at=at)

    def _enqueue(self, incident: Incident, envelopes: Sequence[Envelope], *, at: datetime) -> None:
        enqueue_all(self._connection, incident, envelopes, at=at)

    def save_owner_left(
        self, incident: Incident, envelopes: Sequence[Envelope], *, at: datetime
    ) -> None:
        """Writes whether the owner of ``incident`` left, and the outbox messages of that."""
        owners.mark(self._connection, incident, at=at)
        enqueue_all(self._connection, incident, envelopes, at=at)

    def keep_caught_up(self, incident: Incident, person: str, mark: CaughtUp) -> None:
        """Writes how far ``person`` has read; the oldest of their marks above a limit go."""
        catching.keep(self._connection, incident, person, mark)

    def handled(self, workspace: str, request: str) -> UUID | None:
        """The incident that ``request`` was about; None if it has not been done yet."""
        sought = {"workspace": workspace, "request": request}
        incident: UUID | None = self._connection.execute(_HANDLED, sought).scalar_one_or_none()
        return incident

    def mark_handled(self, workspace: str, request: str, incident: UUID, *, at: datetime) -> None:
        """Writes that ``request``, which was about ``incident``, is done.

        If a concurrent transaction writes it first, the work runs again and finds it.
        """
        row = {"workspace_id": workspace, "request": request, "incident_id": incident, "at": at}
        _MARK_HANDLED.run(self._connection, row)

    def probe(self, *, at: datetime) -> None:
        """Writes a row without a meaning: if that works, the database takes changes."""
        row = {"workspace_id": "", "request": f"probe {at}", "incident_id": UUID(int=0), "at": at}
        self._connection.execute(_FORGET_PROBE)
        _MARK_HANDLED.run(self._connection, row)

    def forget_handled(self, *, before: datetime) -> int:
        """Deletes requests that were handled before ``before``, and returns their count."""
        return self._connection.execute(_FORGET_HANDLED, {"before": before}).rowcount

    def add_component(self, workspace: str, component: DescribedComponent, *, at: datetime) -> None:
        """Writes a new component.

        If a concurrent transaction writes it first, the work runs again and finds it.
        """
        components.add(self._connection, workspace, component, at=at)

    def publish_page(self, settings: PageSettings, *, at: datetime) -> None:
        """Writes the settings of the workspace's page, and publishes it.

        Raises:
            InvalidField: ``slug``, which another workspace has.
        """
        if pages.owner(self._connection, settings.slug) not in {None, settings.workspace}:
            raise InvalidField("slug", "is taken by another workspace: choose another one")
        pages.keep(self._connection, settings, at=at)

    def unpublish_page(self, workspace: str, *, at: datetime) -> None:
        """Takes the workspace's page off."""
        pages.unpublish(self._connection, workspace, at=at)

    def arrange(
        self, workspace: str, component: ShownComponent, *, new_group: str | None, at: datetime
    ) -> None:
        """Writes what the page says of a component; ``new_group`` names its group, if it is new."""
        if new_group is not None:
            components.keep_group(self._connection, workspace, new_group, at=at)
        redrawn = components.redrawn(self._connection, workspace, component)
        components.arrange(self._connection, workspace, component)
        for incident in redrawn:
            redraw_status_cards(self._connection, workspace, incident, at=at)
        pages.bump(self._connection, workspace, at=at)

    def arrange_group(self, workspace: str, group: ComponentGroup, *, at: datetime) -> None:
        """Writes a group. Its components stay in it if it gets another name."""
        components.arrange_group(self._connection, workspace, group)
        pages.bump(self._connection, workspace, at=at)

    def override(
        self, workspace: str, component: UUID, made: Override, *, reason: str | None, by: Person
    ) -> None:
        """Writes a status that a person gives by hand."""
        components.override(self._connection, workspace, component, made, reason=reason, by=by)
        pages.bump(self._connection, workspace, at=made.at, moved=False)
        if self.workspace(workspace).webhooks:
            webhooks.tell_component(self._connection, workspace, component, made)

    def add_endpoint(self, endpoint: Endpoint, secret: str) -> None:
        """Writes a new endpoint with its secret; it knows the components as they are now."""
        webhooks.add(self._connection, endpoint, secret)
        self._know_components(endpoint)

    def secrets_of(self, endpoint: Endpoint) -> Secrets:
        """Its secrets, which sign what is sent to it."""
        return webhooks.secrets_of(self._connection, endpoint)

    def refilter_endpoint(self, endpoint: Endpoint) -> None:
        """Writes the filter of an endpoint."""
        webhooks.refilter(self._connection, endpoint)

    def rotate_secret(self, endpoint: Endpoint, secret: str) -> None:
        """Writes a new secret; the old one signs as well until ``endpoint.rotating_until``."""
        webhooks.rotate(self._connection, endpoint, secret)

    def switch_endpoint(self, endpoint: Endpoint) -> None:
        """Writes its state and its start. What waits for it is dropped."""
        webhooks.switch(self._connection, endpoint)
        if endpoint.on:
            self._know_components(endpoint)

    def remove_endpoint(self, endpoint: Endpoint) -> None:
        """Deletes it with its secrets and all that waits for it."""
        webhooks.remove(self._connection, endpoint)

    def resend(self, endpoint: Endpoint, uid: UUID, *, at: datetime) -> bool:
        """Has an event sent once more, with the same id; False if the endpoint has none such."""
        return webhooks.resend(self._connection, endpoint, uid, at=at)

    def subscriptions_to_change(self, workspace: str) -> tuple[Subscription, ...]:
        """`subscriptions`, which nobody else changes until the end of the transaction."""
        subscriptions.lock(self._connection, workspace)
        return self.subscriptions(workspace)

    def keep_subscription(self, subscription: Subscription) -> None:
        """Writes a subscription, in the place of the one that its channel has."""
        subscriptions.keep(self._connection, subscription)

    def _know_components(self, endpoint: Endpoint) -> None:
        at = endpoint.starts_at
        facts = PublicReader(self._connection).hook_facts(endpoint.workspace, at=at)
        statuses = {one.component.id: one.status for one in project(facts, at).components}
        webhooks.know(self._connection, endpoint.workspace, endpoint.id, statuses)

    def keep(self, receipt: Receipt) -> None:
        """Writes the answer, which every repetition of the request will get.

        Raises:
            ClaimLost: another attempt holds the claim by now.
        """
        idempotency.keep(self._connection, receipt)

    def keep_draft(self, draft: Draft) -> None:
        """Writes it in place of one with the same id; the author's oldest above the limit go."""
        self._erased(drafts.keep(self._connection, draft))

    def draft(self, workspace: str, person: str, draft: UUID, *, at: datetime) -> Draft | None:
        """The person's draft of that id; None if it is used, too old, or somebody else's."""
        return drafts.find(self._connection, workspace, person, draft, at=at)

    def erase_draft(self, workspace: str, person: str, draft: UUID) -> None:
        """Erases the person's draft of that id, if it is there."""
        self._erased(drafts.erase(self._connection, workspace, person, draft))

    def forget_drafts(self, *, at: datetime) -> None:
        """Erases the drafts that are too old."""
        self._erased(drafts.forget(self._connection, at=at))

    def _erased(self, texts: int) -> None:
        """Has the write-ahead log emptied after the commit, if ``texts`` were erased."""
        if texts:
            self._connection.info[ERASED] = True

    def save_settings(
        self,
        workspace: str,
        changes: Mapping[Setting, str | None],
        *,
        seen: int | None,
        by: Person,
        at: datetime,
    ) -> Workspace | None:
        """Writes ``changes``, and returns the workspace. None in it restores a default.

        None, and nothing is written, if another version than ``seen`` is there by now; ``seen``
        None: whichever is there.
        """
        version = settings.save(self._connection, workspace, changes, seen=seen, by=by, at=at)
        if version is None:
            return None
        texts = settings.saved(self._connection, workspace)
        # Not remembered for others: this transaction may still be rolled back.
        changed = self._settings.among(workspace, texts, version=version)
        self._workspaces[workspace] = changed
        return changed

    def _insert(self, incident: Incident) -> None:
        definition = lifecycle_row(incident.lifecycle)
        self._connection.execute(_KEEP_LIFECYCLE[self._dialect], definition)
        self._connection.execute(
            _INSERT_INCIDENT,
            {
                **incident_columns(incident),
                "workspace_id": incident.workspace,
                "id": incident.id,
                "number": incident.number,
                "lifecycle": definition["digest"],
                "declared_by_id": incident.declared_by.id,
                "declared_by_name": incident.declared_by.name,
                "channel": incident.place.channel if incident.place else None,
                "channel_private": incident.place is not None and incident.place.private,
                "started_at": incident.started_at,
                "created_at": incident.created_at,
                "tagged": bool(incident.components) or None,
            },
        )

    def _change(self, before: Incident, incident: Incident) -> None:
        was, is_ = incident_columns(before), incident_columns(incident)
        changed = {name: value for name, value in is_.items() if value != was[name]}
        changed |= components.marks(before, incident)
        count = _change(frozenset(changed)).run(
            self._connection,
            {
                "workspace": incident.workspace,
                "incident": incident.id,
                "version_read": before.version,
                **{f"new_{name}": value for name, value in changed.items()},
            },
        )
        if count != 1:
            raise Conflict

    def _invite(self, incident: Incident) -> None:
        self._connection.execute(
            _UNINVITE, {"workspace": incident.workspace, "incident": incident.id}
        )
        rows = [
            {
                "workspace_id": incident.workspace,
                "incident_id": incident.id,
                "position": position,
                "person_id": person.id,
                "person_name": person.name,
            }
            for position, person in enumerate(incident.invited)
        ]
        if rows:
            self._connection.execute(_INSERT_INVITED, rows)

    def _erase_repeated(self, workspace: str, update: Update) -> None:
        self._connection.execute(
            _ERASE_REPEATED,
            {
                "workspace": workspace,
                "incident": update.incident,
                "number": update.entry,
                "old_left": update.old,
                "new_left": update.new,
            },
        )

    def _redact(self, workspace: str, redacted: Update) -> None:
        by = redacted.redacted_by
        if redacted.kind in {Kind.DECLARED, Kind.TITLE, Kind.DESCRIPTION}:
            # The answers of the API repeat title and description of the incident.
            idempotency.withdraw_all(self._connection, workspace, redacted.incident)
        if redacted.kind in {Kind.TITLE, Kind.DESCRIPTION}:
            self._erase_repeated(workspace, redacted)
        self._connection.execute(
            _REDACT,
            {
                "workspace": workspace,
                "incident": redacted.incident,
                "number": redacted.entry,
                "at_last": redacted.redacted_at,
                "person": by and by.id,
                "person_name": by and by.name,
                "names": " ".join(redacted.withdrawn) or None,
            },
        )
        idempotency.withdraw(self._connection, workspace, redacted.id)
        drafts.withdraw(self._connection, workspace, redacted.incident, redacted.by.id)
        self._connection.info[ERASED] = True


class SqlStore:
    """Runs work on the database at ``url``, in threads that start with the first work.

    ``defaults`` are the settings of workspaces that save none. The channels among them count only
    in workspaces for which ``counts_in`` holds. An error of the database becomes
    `StoreUnavailable`; an error of the work itself is raised unchanged.
    """

    def __init__(
        self,
        url: str,
        *,
        defaults: WorkspaceSettings | None = None,
        counts_in: Callable[[str], bool] = lambda _: True,
        address: Address = lambda _: None,
    ) -> None:
        self._database = database(url)
        at_home = defaults or WorkspaceSettings()
        elsewhere = replace(at_home, status_channel=None, api_channel=None)
        self._settings = SettingsMemory(lambda team: at_home if counts_in(team) else elsewhere)
        self._address = address

    @property
    def kind(self) -> str:
        """``sqlite`` or ``postgresql``."""
        return self._database.kind

    @property
    def file_error(self) -> str | None:
        """Why the SQLite file takes no changes now; None while no error is known."""
        return self._database.file_error

    @property
    def exposed_files(self) -> tuple[Path, ...]:
        """The files of the database to which others than their owner have a right."""
        return self._database.exposed_files

    def write(self, work: Callable[[SqlTransaction], T]) -> asyncio.Future[T]:
        """The result of ``work`` after its commit, or its error after the rollback.

        ``work`` runs again if a concurrent transaction changed the same rows.
        """
        return self._database.writers.submit(self._transaction(work))

    def read(self, work: Callable[[SqlReader], T]) -> asyncio.Future[T]:
        """The result of ``work``, from one snapshot."""
        return self._database.readers.submit(self._view(work))

    def read_public(self, work: Callable[[PublicReader], T]) -> asyncio.Future[T]:
        """The result of ``work``, from one snapshot of the public side."""
        return self._database.readers.submit(_public_view(work))

    def write_now(self, work: Callable[[SqlTransaction], T]) -> T:
        """`write` without an event loop, for the command line."""
        result: T = self._database.writers.run_now(self._transaction(work))
        return result

    def read_now(self, work: Callable[[SqlReader], T]) -> T:
        """`read` without an event loop, for the command line."""
        result: T = self._database.readers.run_now(self._view(work))
        return result

    def read_public_now(self, work: Callable[[PublicReader], T]) -> T:
        """`read_public` without an event loop, for the command line."""
        result: T = self._database.readers.run_now(_public_view(work))
        return result

    def open_for_serving(self) -> None:
        """Refuses a second server on an SQLite file, and migrates.

        Raises:
            SecondServer, UnknownSchema, StoreUnavailable: it cannot serve; the text says why.
        """
        self._database.claim_single_server()
        self.migrate()

    def migrate(self) -> None:
        """Brings the schema up to date under a lock, so any number of processes may call it.

        Raises:
            UnknownSchema: a newer Ratchet migrated the database.
            StoreUnavailable: the database failed or does not answer.
        """
        with translated_errors(self._database.path), self._database.migrating() as connection:
            migrations.upgrade(connection)

    def is_current(self) -> bool:
        """Whether the schema is up to date. It creates no file.

        Raises:
            UnknownSchema: a newer Ratchet migrated the database.
            NoDatabase: there is no file.
            StoreUnavailable: the database failed or does not answer.
        """
        self._database.see_there()
        with (
            translated_errors(self._database.path),
            self._database.engine.connect() as connection,
        ):
            return migrations.is_current(connection)

    def close(self) -> None:
        """Finishes the queued work, refuses new work, and closes the database."""
        self._database.close()

    def _transaction(self, work: Callable[[SqlTransaction], T]) -> Callable[[Connection], T]:
        return lambda connection: work(
            SqlTransaction(connection, settings=self._settings, address=self._address)
        )

    def _view(self, work: Callable[[SqlReader], T]) -> Callable[[Connection], T]:
        return lambda connection: work(
            SqlReader(connection, settings=self._settings, address=self._address)
        )


@contextmanager
def opened(url: str) -> Iterator[SqlStore]:
    """The store at ``url``, which exists and is migrated: nothing creates or changes it here.

    Raises:
        UnknownSchema: a newer Ratchet migrated the database.
        StoreUnavailable: the database is missing, does not answer, or must be migrated first.
    """
    with closing(SqlStore(url)) as store:
        if not store.is_current():
            raise StoreUnavailable(
                "The database is not up to date: run `ratchet migrate`, or start `ratchet serve`, "
                "which does the same by itself."
            )
        yield store


def _public_view(work: Callable[[PublicReader], T]) -> Callable[[Connection], T]:
    return lambda connection: work(PublicReader(connection))
