"""A transaction: everything that the use cases write, each decision whole or not at all."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection, bindparam

from core.channel import OwnChannel
from core.decision import Decision, Envelope, Published
from core.drafts import Draft
from core.errors import InvalidField
from core.handover import HandOver
from core.incident import Component, DescribedComponent, Incident, Person, Severity, Update
from core.page import ComponentGroup, Override, PageSettings, ShownComponent
from core.projection import project
from core.promise import Promise
from core.public_side import KeptIncident, KeptUpdate
from core.settings import Setting
from core.store import CaughtUp, NewParts, Receipt
from core.subscription import Subscription
from core.webhooks import Endpoint, Secrets
from core.workspace import Workspace
from storage import (
    catching,
    components,
    drafts,
    entries,
    handled,
    handovers,
    hook_starts,
    idempotency,
    imports,
    models,
    own_channels,
    owners,
    pages,
    posting_faults,
    promises,
    queries,
    saving,
    settings,
    subscriptions,
    webhooks,
)
from storage.databases.sqlite import ERASED
from storage.enqueue import (
    cards_of,
    enqueue,
    enqueue_all,
    is_told,
    published,
    published_in,
    redraw_owner_left,
    redraw_status_cards,
)
from storage.incidents import Address
from storage.public import PublicReader
from storage.queries import SqlReader
from storage.settings import SettingsMemory
from storage.statements import lock_workspace, upsert

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
            *queries.WORKSPACE,
        )
    )
)


class SqlTransaction(SqlReader):
    """One transaction; implements `core.service.Transaction`."""

    def __init__(
        self, connection: Connection, *, settings: SettingsMemory, address: Address
    ) -> None:
        super().__init__(connection, settings=settings, address=address)
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
            _NEXT_NUMBER[self._connection.dialect.name], {"workspace": workspace}
        ).one()
        self._workspace(workspace, tuple(columns))
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

    def status_cards(self, incident: Incident) -> frozenset[str]:
        """The channels that have the incident's status card, or will have it."""
        return frozenset(cards_of(self._connection, incident.workspace, incident.id))

    def titles(self, incident: Incident) -> tuple[Update, ...]:
        """All changes of the title, oldest first."""
        return entries.titles(self._connection, incident)

    def descriptions(self, incident: Incident) -> tuple[Update, ...]:
        """All changes of the description, oldest first."""
        return entries.descriptions(self._connection, incident)

    def correctable(self, incident: Incident, by: Person, *, since: datetime) -> Update | None:
        """The newest public text by ``by`` that was withdrawn ``since``, with none in its place.

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
        saving.write(self._connection, before, decision)
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
        promises.keep(self._connection, incident, [promise], at=at)
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
        if not incident.owner_left:
            redraw_owner_left(self._connection, incident, at=at)
        enqueue_all(self._connection, incident, envelopes, at=at)

    def keep_caught_up(self, incident: Incident, person: str, mark: CaughtUp) -> None:
        """Writes how far ``person`` has read; the oldest of their marks above a limit go."""
        catching.keep(self._connection, incident, person, mark)

    def handled(self, workspace: str, request: str) -> UUID | None:
        """The incident that ``request`` was about; None if it has not been done yet."""
        return handled.find(self._connection, workspace, request)

    def mark_handled(self, workspace: str, request: str, incident: UUID, *, at: datetime) -> None:
        """Writes that ``request``, which was about ``incident``, is done.

        If a concurrent transaction writes it first, the work runs again and finds it.
        """
        handled.mark(self._connection, workspace, request, incident, at=at)

    def probe(self, *, at: datetime) -> None:
        """Writes a row without a meaning: if that works, the database takes changes."""
        handled.probe(self._connection, at=at)

    def forget_handled(self, *, before: datetime) -> int:
        """Deletes requests that were handled before ``before``, and returns their count."""
        return handled.forget(self._connection, before=before)

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
        named = {"workspace": workspace}
        columns = self._connection.execute(queries.WORKSPACE_TO_CHANGE, named).one()
        before = components.seen_as(self._connection, workspace, component.id)
        after = component.name if component.shown else None
        redrawn = components.redrawn(self._connection, workspace, component)
        components.arrange(self._connection, workspace, component)
        for incident in redrawn:
            redraw_status_cards(self._connection, workspace, incident, at=at)
        pages.bump(self._connection, workspace, at=at, moved=bool(before or after))
        if before != after and self._workspace(workspace, tuple(columns)).webhooks:
            renamed = bool(before and after)
            webhooks.tell_arranged(
                self._connection, workspace, component.id, renamed=renamed, at=at
            )

    def arrange_group(self, workspace: str, group: ComponentGroup, *, at: datetime) -> None:
        """Writes a group. Its components stay in it if it gets another name."""
        components.arrange_group(self._connection, workspace, group)
        groups = pages.groups(self._connection, workspace)
        seen = {one.group for one in pages.shown(self._connection, workspace, groups)}
        pages.bump(self._connection, workspace, at=at, moved=group.id in seen)

    def override(
        self, workspace: str, component: UUID, made: Override, *, reason: str | None, by: Person
    ) -> None:
        """Writes a status that a person gives by hand."""
        named = {"workspace": workspace}
        columns = self._connection.execute(queries.WORKSPACE_TO_CHANGE, named).one()
        components.override(self._connection, workspace, component, made, reason=reason, by=by)
        pages.bump(self._connection, workspace, at=made.at, moved=False)
        if self._workspace(workspace, tuple(columns)).webhooks:
            webhooks.tell_component(self._connection, workspace, component, made)

    def endpoints_to_change(self, workspace: str) -> tuple[Endpoint, ...]:
        """`endpoints`, which nobody else changes until the end of the transaction.

        It waits for all changes that are under way; changes wait for it once it has begun.
        """
        lock_workspace(self._connection, workspace, alone=True)
        return self.endpoints(workspace)

    def add_endpoint(self, endpoint: Endpoint, secret: str) -> None:
        """Writes a new endpoint with its secret; it knows the components as they are now."""
        webhooks.add(self._connection, endpoint, secret)
        self._know_components(endpoint)
        hook_starts.begin(self, endpoint)

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
        """Writes its state and its start. Waiting events are dropped."""
        webhooks.switch(self._connection, endpoint)
        if endpoint.on:
            self._know_components(endpoint)
            hook_starts.begin(self, endpoint)

    def remove_endpoint(self, endpoint: Endpoint) -> None:
        """Deletes it with its secrets and all that waits for it."""
        webhooks.remove(self._connection, endpoint)

    def resend(self, endpoint: Endpoint, uid: UUID, *, at: datetime) -> bool:
        """Has an event sent once more, with the same id; False if the endpoint has none such."""
        return webhooks.resend(self._connection, endpoint, uid, at=at)

    def subscriptions_to_change(self, workspace: str) -> tuple[Subscription, ...]:
        """`subscriptions`, which nobody else changes until the end of the transaction.

        It waits for all changes that are under way; changes wait for it once it has begun.
        """
        lock_workspace(self._connection, workspace, alone=True)
        return self.subscriptions(workspace)

    def keep_subscription(self, subscription: Subscription) -> None:
        """Writes a subscription, in the place of the one that its channel has."""
        subscriptions.keep(self._connection, subscription)

    def tell_the_end(self, ended: Subscription, *, at: datetime) -> None:
        """Writes the word to whoever subscribed the channel that this has ended."""
        posting_faults.tell_the_end(self, ended, at=at)

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
