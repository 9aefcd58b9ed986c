"""The rules. `decide` turns a command into a decision, or refuses it. Pure."""

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
    redraws_status_card,
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
    TooSoon,
    TransitionNotAllowed,
    UnknownComponent,
    UnknownStatus,
)
from core.texts import body_of, component_name_of, name_of, one_line, optional_of, title_of

REDACTION_WINDOW = timedelta(seconds=300)
# A second click within this time is more often impatience than a decision.
IMPATIENCE = timedelta(seconds=3)

# A start before this is a typing error. Far earlier dates differ between the databases.
EARLIEST_START = datetime(1970, 1, 1, tzinfo=UTC)


# The facts beside the incident, one class for each kind of command. The service loads them in the
# same transaction.


@dataclass(frozen=True, slots=True, kw_only=True)
class ForDeclaration:
    """``number`` becomes the incident's. ``components`` are all of the workspace's.

    ``components`` may stay empty if the command names none.
    """

    workspace: Workspace
    number: int
    components: tuple[Component, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ForChange:
    """``publish_delay`` is the time for which a public text is held back.

    ``components`` are all of the workspace's, and may stay empty if the command names none.
    ``moved`` is the newest transition (the declaration counts as one) if `is_stale`, else None.
    """

    workspace: Workspace
    publish_delay: timedelta = timedelta()
    components: tuple[Component, ...] = ()
    moved: Update | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ForRedaction:
    """``entry`` is the update in question, None if there is none.

    ``published_in`` are the channels that show or will show it.
    """

    workspace: Workspace
    entry: Update | None = None
    published_in: tuple[str, ...] = ()


Context = ForDeclaration | ForChange | ForRedaction


def decide(
    incident: Incident | None, command: Command, known: Context, *, at: datetime
) -> Decision:
    """The decision on ``command`` at the moment ``at``.

    ``incident`` is None for a declaration, and if there is none for this actor.

    Refusals come in this order: not found, out of date, an invalid field, the end of the
    lifecycle, a step that is not valid now, no public surface.

    Raises:
        UserError: one of its subclasses; then nothing may be written.
        TypeError: ``known`` is the context of another kind of command.
    """
    if isinstance(command, Declare):
        if isinstance(known, ForDeclaration):
            return _declare(command, known, at=at)
    elif incident is None:
        raise NotFound(command.ref)
    elif isinstance(command, Redact):
        if isinstance(known, ForRedaction):
            return _redact(incident, command, known, at=at)
    elif isinstance(known, ForChange):
        return _move(incident, command, known, at=at)
    raise TypeError(f"{type(known).__name__} is not the context of {type(command).__name__}")


def is_stale(incident: Incident, command: Change | TakeNextStep | Acknowledge) -> bool:
    """Whether the incident has left the status that ``command`` expects."""
    return command.expected_status not in {None, incident.status}


def refuse_haste(
    incident: Incident, command: Change, moved: Update | None, *, at: datetime
) -> None:
    """Refuses a click on a next step that follows the person's own step at once.

    ``moved`` is the newest transition. A click that is out of date is refused elsewhere.

    Raises:
        TooSoon: the second click may be impatience.
    """
    if command.to is None or moved is None or is_stale(incident, command):
        return
    own = moved.by == command.actor.person and moved.kind is not Kind.DECLARED
    if own and at - moved.at < IMPATIENCE and command.to in incident.next_steps:
        raise TooSoon(incident, command.to)


def _move(
    incident: Incident,
    command: Change | TakeNextStep | Acknowledge,
    known: ForChange,
    *,
    at: datetime,
) -> Decision:
    if is_stale(incident, command):
        if known.moved is None:
            raise TypeError("a stale command is decided with the newest transition")
        raise StaleStatus(incident, str(command.expected_status), known.moved)
    match command:
        case Change():
            return _change(incident, command, known, at=at)
        case TakeNextStep():
            return _change(incident, _only_step(incident, command), known, at=at)
        case Acknowledge():
            return _acknowledge(incident, command, known, at=at)
        case _:
            assert_never(command)


def _declare(command: Declare, known: ForDeclaration, *, at: datetime) -> Decision:
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
    incident: Incident, command: Acknowledge, known: ForChange, *, at: datetime
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
    """The first to acknowledge is kept, and becomes owner if there is none."""
    return replace(
        incident,
        acknowledged_by=incident.acknowledged_by or actor.person,
        owner=incident.owner or actor.person,
    )


def _change(incident: Incident, command: Change, known: ForChange, *, at: datetime) -> Decision:
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
    incident: Incident, command: Change, known: ForChange
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
    """A transition rides on the public update if there is one; a note is then its own update."""
    kind = Kind.WROTE if to is None else Kind.ACKNOWLEDGED if to == ACKNOWLEDGED else Kind.MOVED
    old = incident.status if to else None
    if public is not None:
        yield pen.update(kind, visibility=Visibility.PUBLIC, body=public, old=old, new=to)
        if note is not None:
            yield pen.update(Kind.WROTE, body=note)
    elif to or note is not None:
        yield pen.update(kind, body=note, old=old, new=to)


def _facts(pen: _Pen, before: Incident, after: Incident, command: Change) -> Iterator[Update]:
    """One internal update for each fact that changed; an unchanged fact gets none."""
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


def _redact(incident: Incident, command: Redact, known: ForRedaction, *, at: datetime) -> Decision:
    entry = known.entry
    if entry is None:
        raise NoSuchEntry(incident, command.entry)
    if entry.body is None and not entry.redacted:
        raise NothingToRedact(incident, entry)
    in_time = command.actor.person == entry.by and at - entry.at <= REDACTION_WINDOW
    if not (in_time or command.actor.admin):
        # A repeated redaction succeeds however late, for the author and for the admin who did it.
        if entry.redacted and command.actor.person in (entry.by, entry.redacted_by):
            return Decision(incident=incident)
        raise RedactionNotPermitted(incident, entry)
    if entry.redacted:
        return Decision(incident=incident)
    redacted = replace(entry, body=None, redacted_at=at, redacted_by=command.actor.person)
    changed = replace(incident, version=incident.version + 1, updated_at=at)
    # Includes former status channels: the text may still be readable there.
    envelopes = tuple(
        envelope
        for channel in known.published_in
        for envelope in (
            Envelope(
                surface=Surface.WITHDRAWAL,
                channel=channel,
                entry=entry.entry,
                # A withdrawal edits the reply, so it must not come first.
                not_before=entry.public_at,
            ),
            Envelope(surface=Surface.STATUS_CARD, channel=channel),
        )
    )
    return Decision(incident=changed, redacted=redacted, envelopes=envelopes)


class _Pen:
    """Makes the updates of one decision: same incident, actor and moment, consecutive entries."""

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
        known: ForChange,
        made: tuple[Component, ...] = (),
    ) -> Decision:
        """The decision to save ``changed`` with ``updates``; without updates, to write nothing."""
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
    """The messages that show the change. The status card is first: replies need its thread."""
    if any(
        update.kind is not Kind.WROTE or update.visibility is Visibility.PUBLIC
        for update in updates
    ):
        if incident.card_channel:
            yield Envelope(surface=Surface.WORKING_CARD, channel=incident.card_channel)
        elif incident.private and incident.owner and incident.owner.in_slack:
            yield Envelope(surface=Surface.OWNER_CARD, channel=incident.owner.id)
    if channel := _public_channel(incident, workspace):
        if any(redraws_status_card(one.kind, one.visibility, one.new) for one in updates):
            yield Envelope(surface=Surface.STATUS_CARD, channel=channel)
        for update in updates:
            if update.visibility is Visibility.PUBLIC:
                yield Envelope(
                    surface=Surface.PUBLIC_UPDATE,
                    channel=channel,
                    entry=update.entry,
                    not_before=update.public_at,
                )


def _public_channel(incident: Incident, workspace: Workspace) -> str | None:
    return None if incident.private else workspace.status_channel


def _components(
    names: tuple[str | UUID, ...], known: ForDeclaration | ForChange
) -> tuple[tuple[Component, ...], tuple[Component, ...]]:
    """The named components, each once, and the subset that does not exist yet."""
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
    """A component that is added on purpose: a name close to another's is not a slip here.

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
    """Derived from the name: two people who add the same component at once make one row."""
    return uuid5(COMPONENTS_NAMESPACE, f"{workspace.id} {name.casefold()}")
