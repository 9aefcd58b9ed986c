"""The rules. `decide` turns a command into what it comes to, or refuses it, and touches nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import assert_never
from uuid import UUID, uuid5

from core.errors import EmptyUpdate, InvalidField, nearest
from core.incident import (
    CATEGORY_MAX,
    COMPONENT_DESCRIPTION_MAX,
    COMPONENT_NAME_MAX,
    COMPONENTS_MAX,
    DESCRIPTION_MAX,
    Acknowledge,
    Actor,
    Change,
    Command,
    Component,
    Decision,
    Declare,
    DescribedComponent,
    Envelope,
    Incident,
    Kind,
    Redact,
    Surface,
    TakeNextStep,
    Update,
    Visibility,
    Workspace,
    update_id,
)
from core.lifecycle import ACKNOWLEDGED
from core.refusals import (
    ComponentExists,
    IncidentResolved,
    NoPublicSurface,
    NoSuchComponent,
    NoSuchEntry,
    NotFound,
    NothingToRedact,
    RedactionNotPermitted,
    RepeatedComponent,
    SeveralNextSteps,
    StaleStatus,
    TransitionNotAllowed,
    UnknownComponent,
    UnknownStatus,
)
from core.texts import body_of, component_name_of, name_of, one_line, optional_of, title_of

REDACTION_WINDOW = timedelta(seconds=300)

# Before it no incident began, and long before it the databases' calendars part ways.
EARLIEST_START = datetime(1970, 1, 1, tzinfo=UTC)


PUBLIC_KINDS = frozenset({Kind.DECLARED, Kind.MOVED, Kind.SEVERITY, Kind.TITLE, Kind.COMPONENTS})


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What the store knew, in the same transaction, beside the incident itself.

    Each field is loaded only for the commands that need it: ``number`` for a declaration,
    ``components`` (all of the workspace's) where some are named, ``entry`` for a redaction,
    ``moved`` (the newest transition, the declaration counted as one) where the incident is not
    where the command expected it. ``publish_delay`` is how long a public text is held back.
    """

    workspace: Workspace
    publish_delay: timedelta = timedelta()
    number: int = 0
    components: tuple[Component, ...] = ()
    entry: Update | None = None
    published_in: tuple[str, ...] = ()
    moved: Update | None = None


def decide(incident: Incident | None, command: Command, known: Known, *, at: datetime) -> Decision:
    """What ``command`` comes to at the moment ``at``. ``incident`` None: none for this actor.

    Refusals come in this order: not found, out of date, a field that cannot be taken, the end of
    the lifecycle, a step that is not valid now, no public surface.

    Raises:
        UserError: one of its classes; nothing is to be written then.
    """
    match command:
        case Declare():
            return _declare(command, known, at=at)
        case _ if incident is None:
            raise NotFound(command.ref)
        case Redact():
            return _redact(incident, command, known, at=at)
    _refuse_stale(incident, command, known)
    match command:
        case Change():
            return _change(incident, command, known, at=at)
        case TakeNextStep():
            return _change(incident, _only_step(incident, command), known, at=at)
        case Acknowledge():
            return _acknowledge(incident, command, known, at=at)
        case _:
            assert_never(command)


def _refuse_stale(
    incident: Incident, command: Change | TakeNextStep | Acknowledge, known: Known
) -> None:
    if command.expected_status in {None, incident.status}:
        return
    assert known.moved  # noqa: S101 - tells mypy what Known promises for a stale command
    raise StaleStatus(incident, str(command.expected_status), known.moved)


def _declare(command: Declare, known: Known, *, at: datetime) -> Decision:
    started_at = command.started_at or at
    if started_at > at:
        raise InvalidField("started_at", "lies in the future: leave it out, or give an earlier one")
    if started_at < EARLIEST_START:
        raise InvalidField("started_at", "lies before 1970: leave it out, or give a later one")
    named, made = _components(command.components, known)
    incident = Incident(
        id=command.id,
        workspace=command.actor.workspace,
        number=known.number,
        title=title_of(command.title),
        description=optional_of("description", command.description, DESCRIPTION_MAX),
        category=optional_of("category", one_line(command.category or ""), CATEGORY_MAX),
        severity=command.severity,
        lifecycle=command.lifecycle,
        status=command.lifecycle.initial,
        private=command.private,
        declared_by=command.actor.person,
        owner=command.owner,
        components=named,
        place=command.place,
        started_at=started_at,
        created_at=at,
        updated_at=at,
    )
    declared = Update(
        id=update_id(incident.id, 1),
        incident=incident.id,
        entry=1,
        kind=Kind.DECLARED,
        visibility=Visibility.INTERNAL,
        by=command.actor.person,
        at=at,
        new=incident.status,
    )
    return Decision(
        incident=incident,
        updates=(declared,),
        new_components=made,
        envelopes=tuple(_envelopes(incident, (declared,), known.workspace)),
    )


def _only_step(incident: Incident, command: TakeNextStep) -> Change:
    if command.note is not None:
        body_of("note", command.note)
    if len(incident.next_steps) > 1:
        raise SeveralNextSteps(incident)
    if incident.terminal:
        raise IncidentResolved(incident, None)
    (step,) = incident.next_steps
    return Change(actor=command.actor, ref=command.ref, to=step, note=command.note)


def _acknowledge(
    incident: Incident, command: Acknowledge, known: Known, *, at: datetime
) -> Decision:
    if ACKNOWLEDGED in incident.lifecycle:
        move = Change(actor=command.actor, ref=command.ref, to=ACKNOWLEDGED)
        return _change(incident, move, known, at=at)
    if not incident.acknowledgeable:
        return Decision(incident=incident)
    pen = _Pen(incident, command.actor, at, known.publish_delay)
    changed = _acknowledged(incident, command.actor)
    return pen.decision(changed, (pen.update(Kind.ACKNOWLEDGED),), known)


def _acknowledged(incident: Incident, actor: Actor) -> Incident:
    """The first who acknowledges stays, and leads where nobody does."""
    return replace(
        incident,
        acknowledged_by=incident.acknowledged_by or actor.person,
        owner=incident.owner or actor.person,
    )


def _change(incident: Incident, command: Change, known: Known, *, at: datetime) -> Decision:
    public = None if command.public is None else body_of("public_update", command.public)
    note = None if command.note is None else body_of("note", command.note)
    title = incident.title if command.title is None else title_of(command.title)
    named, made = _retagged(incident, command, known)
    if not command.asks:
        raise EmptyUpdate
    if incident.terminal:
        raise IncidentResolved(incident, command.to)
    if command.to is not None:
        _refuse_step(incident, command.to)
    if public is not None and (known.workspace.status_channel is None or incident.private):
        raise NoPublicSurface(incident)

    changed = replace(
        incident,
        status=command.to or incident.status,
        severity=command.severity or incident.severity,
        owner=command.owner or incident.owner,
        title=title,
        components=named,
    )
    if command.to == ACKNOWLEDGED:
        changed = _acknowledged(changed, command.actor)
    pen = _Pen(incident, command.actor, at, known.publish_delay)
    updates = (
        *_words(pen, incident, command.to, public, note),
        *_facts(pen, incident, changed, command),
    )
    return pen.decision(changed, updates, known, made)


def _retagged(
    incident: Incident, command: Change, known: Known
) -> tuple[tuple[Component, ...], tuple[Component, ...]]:
    if command.components is None:
        return incident.components, ()
    return _components(command.components, known)


def _refuse_step(incident: Incident, to: str) -> None:
    if to not in incident.lifecycle:
        raise UnknownStatus(incident, to)
    if to not in incident.next_steps:
        raise TransitionNotAllowed(incident, to)


def _words(
    pen: _Pen, incident: Incident, to: str | None, public: str | None, note: str | None
) -> Iterator[Update]:
    """The transition rides on the public update if there is one; a note beside it stands alone."""
    kind = Kind.WROTE if to is None else Kind.ACKNOWLEDGED if to == ACKNOWLEDGED else Kind.MOVED
    old = incident.status if to else None
    if public is not None:
        yield pen.update(kind, visibility=Visibility.PUBLIC, body=public, old=old, new=to)
        if note is not None:
            yield pen.update(Kind.WROTE, body=note)
    elif to or note is not None:
        yield pen.update(kind, body=note, old=old, new=to)


def _facts(pen: _Pen, before: Incident, after: Incident, command: Change) -> Iterator[Update]:
    """One internal update for each fact that is not what it was, so none for what is so already."""
    if command.owner and before.owner != after.owner:
        old = before.owner.name if before.owner else None
        yield pen.update(Kind.ASSIGNED, old=old, new=command.owner.name)
    if before.severity != after.severity:
        yield pen.update(Kind.SEVERITY, old=before.severity, new=after.severity)
    if before.title != after.title:
        yield pen.update(Kind.TITLE, old=before.title, new=after.title)
    if before.components != after.components:
        old, new = (", ".join(c.name for c in i.components) for i in (before, after))
        yield pen.update(Kind.COMPONENTS, old=old, new=new)


def _redact(incident: Incident, command: Redact, known: Known, *, at: datetime) -> Decision:
    entry = known.entry
    if entry is None:
        raise NoSuchEntry(incident, command.entry)
    if entry.body is None and not entry.redacted:
        raise NothingToRedact(incident, entry)
    in_time = command.actor.person == entry.by and at - entry.at <= REDACTION_WINDOW
    if not (in_time or command.actor.admin):
        # Somebody whose redaction has been done already is told that it is done, however late.
        if entry.redacted and command.actor.person in (entry.by, entry.redacted_by):
            return Decision(incident=incident)
        raise RedactionNotPermitted(incident, entry)
    if entry.redacted:
        return Decision(incident=incident)
    redacted = replace(entry, body=None, redacted_at=at, redacted_by=command.actor.person)
    changed = replace(incident, version=incident.version + 1, updated_at=at)
    # Also where it was published before the status channel was another one, or none.
    envelopes = tuple(
        envelope
        for channel in known.published_in
        for envelope in (
            Envelope(
                surface=Surface.WITHDRAWAL,
                channel=channel,
                entry=entry.entry,
                # It edits the reply, and waits for it.
                not_before=entry.public_at,
            ),
            Envelope(surface=Surface.STATUS_CARD, channel=channel),
        )
    )
    return Decision(incident=changed, redacted=redacted, envelopes=envelopes)


class _Pen:
    """Writes the updates of one decision: same incident, actor and moment, entries counting up."""

    def __init__(
        self, incident: Incident, actor: Actor, at: datetime, publish_delay: timedelta
    ) -> None:
        self._incident = incident
        self._by = actor.person
        self._at = at
        self._publish_delay = publish_delay
        self._entry = incident.last_entry

    def update(
        self,
        kind: Kind,
        *,
        visibility: Visibility = Visibility.INTERNAL,
        body: str | None = None,
        old: str | None = None,
        new: str | None = None,
    ) -> Update:
        self._entry += 1
        held_back = self._publish_delay and visibility is Visibility.PUBLIC
        return Update(
            id=update_id(self._incident.id, self._entry),
            incident=self._incident.id,
            entry=self._entry,
            kind=kind,
            visibility=visibility,
            by=self._by,
            at=self._at,
            body=body,
            old=old,
            new=new,
            public_at=self._at + self._publish_delay if held_back else None,
        )

    def decision(
        self,
        changed: Incident,
        updates: tuple[Update, ...],
        known: Known,
        made: tuple[Component, ...] = (),
    ) -> Decision:
        """The decision that ``updates`` make of ``changed``; without any, to write nothing."""
        if not updates:
            return Decision(incident=self._incident)
        incident = replace(
            changed,
            version=changed.version + 1,
            last_entry=self._entry,
            updated_at=self._at,
        )
        return Decision(
            incident=incident,
            updates=updates,
            new_components=made,
            envelopes=tuple(_envelopes(incident, updates, known.workspace)),
        )


def _envelopes(
    incident: Incident, updates: tuple[Update, ...], workspace: Workspace
) -> Iterator[Envelope]:
    """Where the change is to be shown. The status card first: the replies stand in its thread."""
    if any(
        update.kind is not Kind.WROTE or update.visibility is Visibility.PUBLIC
        for update in updates
    ):
        if incident.card_channel:
            yield Envelope(surface=Surface.WORKING_CARD, channel=incident.card_channel)
        elif incident.private and incident.owner and incident.owner.in_slack:
            yield Envelope(surface=Surface.OWNER_CARD, channel=incident.owner.id)
    if channel := _public_channel(incident, workspace):
        public = [update for update in updates if update.visibility is Visibility.PUBLIC]
        if public or any(update.kind in PUBLIC_KINDS or update.status_change for update in updates):
            yield Envelope(surface=Surface.STATUS_CARD, channel=channel)
        for update in public:
            yield Envelope(
                surface=Surface.PUBLIC_UPDATE,
                channel=channel,
                entry=update.entry,
                not_before=update.public_at,
            )


def _public_channel(incident: Incident, workspace: Workspace) -> str | None:
    return None if incident.private else workspace.status_channel


def _components(
    names: tuple[str | UUID, ...], known: Known
) -> tuple[tuple[Component, ...], tuple[Component, ...]]:
    """The components of those names or ids, each once, and those among them that are to be made."""
    if len(names) > COMPONENTS_MAX:
        raise InvalidField("components", f"are {len(names)}: at most {COMPONENTS_MAX} can be named")
    by_id = {component.id: component for component in known.components}
    by_name = {component.name.casefold(): component for component in known.components}
    existing = tuple(by_name)
    named: dict[UUID, Component] = {}
    made = []
    for name in names:
        if isinstance(name, UUID):
            if name not in by_id:
                raise NoSuchComponent
            if name in named:
                raise RepeatedComponent(by_id[name])
            named[name] = by_id[name]
            continue
        wanted = component_name_of(name.removeprefix("+"))
        component = by_name.get(wanted.casefold())
        if component is None:
            close = nearest(wanted, existing)
            if close and not name.startswith("+"):
                raise UnknownComponent(wanted, by_name[close].name)
            component = Component(_component_id(known.workspace, wanted), wanted)
            by_name[wanted.casefold()] = component
            made.append(component)
        named[component.id] = component
    return tuple(named.values()), tuple(made)


def describe_component(
    workspace: Workspace,
    existing: tuple[Component, ...],
    *,
    name: str,
    description: str | None,
    group: str | None,
) -> DescribedComponent:
    """A component that is made on purpose, so that a name close to another's is no slip.

    Raises:
        InvalidField: ``name``, ``description`` or ``group``.
        ComponentExists: one of ``existing`` has the name.
    """
    wanted = name_of(name)
    for component in existing:
        if component.name.casefold() == wanted.casefold():
            raise ComponentExists(component)
    return DescribedComponent(
        component=Component(_component_id(workspace, wanted), wanted),
        description=optional_of("description", description, COMPONENT_DESCRIPTION_MAX),
        group=optional_of("group", one_line(group or ""), COMPONENT_NAME_MAX),
    )


COMPONENTS_NAMESPACE = UUID("8d7a7a3e-6a0e-5d0b-9f0e-2c1f6f1a4b52")


def _component_id(workspace: Workspace, name: str) -> UUID:
    """Derived from the name, so that two people who make the same component at once make one."""
    return uuid5(COMPONENTS_NAMESPACE, f"{workspace.id} {name.casefold()}")
