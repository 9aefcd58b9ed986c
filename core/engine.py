"""The rules. `decide` turns a command into a decision, or refuses it. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import assert_never

from core.access import name_resolution, set_invitation, set_privacy
from core.commands import (
    Acknowledge,
    AnswerHandOver,
    Change,
    Command,
    Declare,
    Move,
    NameResolution,
    Redact,
    SetChannel,
    SetInvitation,
    SetPrivacy,
    SetPromise,
    TakeNextStep,
    Walk,
    WriteReport,
)
from core.components import tagged
from core.decision import (
    Context,
    Decision,
    Envelope,
    ForAccess,
    ForChange,
    ForDeclaration,
    ForRedaction,
    ForReport,
    Surface,
)
from core.errors import EmptyUpdate, InvalidField
from core.handing import answer, with_question
from core.incident import (
    CATEGORY_MAX,
    DESCRIPTION_MAX,
    Actor,
    Component,
    Incident,
    Kind,
    Update,
    Visibility,
    declaration,
)
from core.lifecycle import ACKNOWLEDGED
from core.missing import NotFound
from core.opening import raises, set_channel, with_channels
from core.pen import Pen, envelopes_of, retitled
from core.promising import set_promise, with_promises
from core.refusals import (
    FactChanged,
    IncidentResolved,
    NoPublicSurface,
    SeveralNextSteps,
    StaleStatus,
    TooSoon,
    TransitionNotAllowed,
    UnknownStatus,
)
from core.sections import mark_of, texts_of, write_report
from core.texts import (
    body_of,
    description_of,
    optional_line_of,
    optional_of,
    public_body_of,
    title_of,
)
from core.withdrawing import redact

# A second click within this time is more often impatience than a decision.
IMPATIENCE = timedelta(seconds=3)

# A start before this is a typing error. Far earlier dates differ between the databases.
EARLIEST_START = datetime(1970, 1, 1, tzinfo=UTC)


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
    decision = _decide(incident, command, known, at=at)
    return with_channels(decision, incident, known.workspace, at=at)


def _decide(  # noqa: C901 - one case for each kind of command
    incident: Incident | None, command: Command, known: Context, *, at: datetime
) -> Decision:
    if isinstance(command, Declare):
        if isinstance(known, ForDeclaration):
            return _declare(command, known, at=at)
    elif incident is None:
        raise NotFound(command.ref)
    elif isinstance(command, Redact):
        if isinstance(known, ForRedaction):
            return redact(incident, command, known, at=at)
    elif isinstance(
        command, SetPrivacy | SetInvitation | NameResolution | AnswerHandOver | SetChannel
    ):
        if isinstance(known, ForAccess):
            return _access(incident, command, known, at=at)
    elif isinstance(command, WriteReport):
        if isinstance(known, ForReport):
            return write_report(incident, command, known, at=at)
    elif isinstance(known, ForChange):
        return _move(incident, command, known, at=at)
    raise TypeError(f"{type(known).__name__} is not the context of {type(command).__name__}")


def _access(
    incident: Incident,
    command: SetPrivacy | SetInvitation | NameResolution | AnswerHandOver | SetChannel,
    known: ForAccess,
    *,
    at: datetime,
) -> Decision:
    match command:
        case SetPrivacy():
            return set_privacy(incident, command, known, at=at)
        case SetInvitation():
            return set_invitation(incident, command, known, at=at)
        case NameResolution():
            return name_resolution(incident, command, known, at=at)
        case AnswerHandOver():
            return answer(incident, command, known, at=at)
        case SetChannel():
            return set_channel(incident, command, known, at=at)
        case _:
            assert_never(command)


def is_stale(incident: Incident, command: Move) -> bool:
    """Whether the incident has left the status that ``command`` expects."""
    return command.expected_status not in {None, incident.status}


def refuse_haste(
    incident: Incident, command: Change, moved: Update | None, *, at: datetime
) -> None:
    """Refuses a click on a next step that follows the person's own step at once.

    ``moved`` is the newest transition, ``at`` the moment of the click itself: Slack may deliver it
    again some seconds later. A click that is out of date is refused elsewhere.

    Raises:
        TooSoon: the second click may be impatience.
    """
    if command.to is None or moved is None or is_stale(incident, command):
        return
    own = moved.by == command.actor.person and moved.kind is not Kind.DECLARED
    if own and at - moved.at < IMPATIENCE and command.to in incident.next_steps:
        raise TooSoon(incident, command.to)


def _move(incident: Incident, command: Move, known: ForChange, *, at: datetime) -> Decision:
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
        case Walk():
            return _walk(incident, command, known, at=at)
        case SetPromise():
            return set_promise(incident, command, known, at=at)
        case _:
            assert_never(command)


def _declare(command: Declare, known: ForDeclaration, *, at: datetime) -> Decision:
    started_at = command.started_at or at
    if started_at > at:
        raise InvalidField("started_at", "lies in the future: leave it out, or give an earlier one")
    if started_at < EARLIEST_START:
        raise InvalidField("started_at", "lies before 1970: leave it out, or give a later one")
    named, made = tagged(command.components, known.components, known.workspace, known.unnamed)
    held = bool(known.publish_delay) and not command.private
    incident = Incident(
        id=command.id,
        workspace=command.actor.workspace,
        number=known.number,
        title=title_of(command.title),
        description=optional_of("description", command.description, DESCRIPTION_MAX),
        category=optional_line_of("category", command.category, CATEGORY_MAX),
        severity=command.severity,
        lifecycle=command.lifecycle,
        status=command.lifecycle.initial,
        private=command.private,
        declared_by=command.actor.person,
        owner=command.owner,
        components=named,
        place=command.place,
        title_public_at=at + known.publish_delay if held else None,
        started_at=started_at,
        created_at=at,
        updated_at=at,
    )
    declared = declaration(incident)
    decision = Decision(
        incident=incident,
        updates=(declared,),
        new_components=made,
        envelopes=tuple(envelopes_of(None, incident, (declared,), known)),
    )
    return with_question(decision, None, command.actor.person)


def _only_step(incident: Incident, command: TakeNextStep) -> Change:
    if command.note is not None:
        body_of("note", command.note)
    if len(incident.next_steps) > 1:
        raise SeveralNextSteps(incident)
    if incident.terminal:
        raise IncidentResolved(incident, None)
    (step,) = incident.next_steps
    return Change(
        actor=command.actor,
        ref=command.ref,
        to=step,
        note=command.note,
        severity=command.severity,
    )


def _acknowledge(
    incident: Incident, command: Acknowledge, known: ForChange, *, at: datetime
) -> Decision:
    if ACKNOWLEDGED in incident.lifecycle:
        move = Change(actor=command.actor, ref=command.ref, to=ACKNOWLEDGED)
        return _change(incident, move, known, at=at)
    if incident.terminal and incident.acknowledged_by is None and command.actor.person.in_slack:
        # An API client asks for a result, which nothing contradicts; a person is told of the end.
        raise IncidentResolved(incident, None)
    if not incident.acknowledgeable:
        return Decision(incident=incident)
    changed = _acknowledged(incident, command.actor)
    if changed == incident:
        return Decision(incident=incident)
    pen = Pen(incident, command.actor, at, known.publish_delay)
    updates = (pen.update(Kind.ACKNOWLEDGED), *_replaced(pen, incident, changed))
    return pen.decision(changed, updates, known)


def _acknowledged(incident: Incident, actor: Actor) -> Incident:
    """The first to acknowledge is kept; a person becomes owner if nobody leads.

    An API key never becomes owner: nobody would be told, and nobody would lead.
    """
    person = actor.person
    return replace(
        incident,
        acknowledged_by=incident.acknowledged_by or person,
        owner=incident.leader or (person if person.in_slack else incident.owner),
    )


def _replaced(pen: Pen, before: Incident, after: Incident) -> Iterator[Update]:
    """The entry about an owner in the place of another."""
    if before.owner and after.owner and before.owner != after.owner:
        yield pen.update(Kind.ASSIGNED, old=before.owner.name, new=after.owner.name)


def _change(incident: Incident, command: Change, known: ForChange, *, at: datetime) -> Decision:
    public = None if command.public is None else public_body_of(command.public)
    note = None if command.note is None else body_of("note", command.note)
    title = incident.title if command.title is None else title_of(command.title)
    description = (
        incident.description if command.description is None else description_of(command.description)
    )
    named, made = _retagged(incident, command, known)
    if not command.asks:
        raise EmptyUpdate
    if incident.terminal:
        correctable = public is not None and known.correctable is not None
        if public is not None and correctable and command.asks == {"public"}:
            return _correct(incident, command, public, known, at=at)
        raise IncidentResolved(incident, command.to, correctable=correctable)
    if command.to is not None:
        _refuse_step(incident, command.to)
    if public is not None:
        _refuse_publishing(incident, known)

    changed = replace(
        retitled(incident, title, at=at, delay=known.publish_delay)
        if title != incident.title
        else incident,
        status=command.to or incident.status,
        severity=command.severity or incident.severity,
        owner=command.owner or incident.owner,
        description=description,
        components=named,
    )
    if _overtaken(incident, changed, command):
        return Decision(incident=incident)
    if command.to == ACKNOWLEDGED:
        changed = _acknowledged(changed, command.actor)
    pen = Pen(incident, command.actor, at, known.publish_delay)
    updates = (
        *_words(pen, incident, command.to, public, note),
        *_facts(pen, incident, changed, command),
    )
    done = with_promises(changed, updates, command.next_update, known, at=at)
    decision = pen.decision(done.incident, done.updates, known, made, promises=done.promises)
    return with_question(_with_mention(decision, incident, known), incident, command.actor.person)


def _overtaken(before: Incident, after: Incident, command: Change) -> bool:
    """Whether the author left a fact as they had read it, which is another one by now.

    Raises:
        FactChanged: they wrote another one.
    """
    now, wanted = texts_of(before), texts_of(after)
    for fact in sorted(command.asks & now.keys()):
        if command.seen in {None, mark_of(now[fact])} or now[fact] == wanted[fact]:
            continue
        if mark_of(wanted[fact]) != command.seen:
            raise FactChanged(before, fact)
        return True
    return False


def _with_mention(decision: Decision, before: Incident, known: ForChange) -> Decision:
    """``decision`` with the word to the group of responders, once in an incident's life.

    One that was declared at such a severity mentioned them in the first post of its card.
    """
    after = decision.incident
    if known.mentioned or not raises(before, after.severity, known.workspace.settings.mentions):
        return decision
    entry = next(one.entry for one in decision.updates if one.kind is Kind.SEVERITY)
    channels = [after.card_channel] if after.card_channel else []
    told = (Envelope(surface=Surface.MENTION, channel=channel, entry=entry) for channel in channels)
    return replace(decision, envelopes=(*decision.envelopes, *told))


def _correct(
    incident: Incident, command: Change, public: str, known: ForChange, *, at: datetime
) -> Decision:
    """After the end: one text by its author in the place of a public one that was withdrawn."""
    _refuse_publishing(incident, known)
    pen = Pen(incident, command.actor, at, known.publish_delay)
    replaces = str(known.correctable.entry) if known.correctable else None
    correction = pen.update(Kind.CORRECTED, visibility=Visibility.PUBLIC, body=public, old=replaces)
    return pen.decision(incident, (correction,), known)


def _walk(incident: Incident, command: Walk, known: ForChange, *, at: datetime) -> Decision:
    """Every step on the shortest way, in the timeline; to the public, only the last one."""
    reason = body_of("note", command.reason)
    public = None if command.public is None else public_body_of(command.public)
    to = command.to
    if incident.terminal:
        raise IncidentResolved(incident, to)
    if to not in incident.lifecycle:
        raise UnknownStatus(incident, to)
    path = incident.lifecycle.path(incident.status, to) if to != incident.status else ()
    if not path:
        raise TransitionNotAllowed(incident, to)
    if public is not None:
        _refuse_publishing(incident, known)
    pen = Pen(incident, command.actor, at, known.publish_delay)
    way = (incident.status, *path)
    passed = [
        # To pass through `acknowledged` acknowledges nothing: nobody becomes owner.
        pen.update(Kind.MOVED, old=old, new=new, passed=True)
        for old, new in pairwise(way[:-1])
    ]
    before = replace(incident, status=way[-2])
    changed = replace(incident, status=to)
    if to == ACKNOWLEDGED:
        changed = _acknowledged(changed, command.actor)
    words = tuple(_words(pen, before, to, public, reason))
    updates = (*passed, *words, *_replaced(pen, incident, changed))
    done = with_promises(changed, updates, None, known, at=at)
    return pen.decision(done.incident, done.updates, known, promises=done.promises)


def _refuse_publishing(incident: Incident, known: ForChange) -> None:
    if incident.private or not known.workspace.has_public_surface:
        raise NoPublicSurface(incident)


def _retagged(
    incident: Incident, command: Change, known: ForChange
) -> tuple[tuple[Component, ...], tuple[Component, ...]]:
    if command.components is None:
        return incident.components, ()
    return tagged(command.components, known.components, known.workspace, known.unnamed)


def _refuse_step(incident: Incident, to: str) -> None:
    if to not in incident.lifecycle:
        raise UnknownStatus(incident, to)
    if to not in incident.next_steps:
        raise TransitionNotAllowed(incident, to)


def _words(
    pen: Pen, incident: Incident, to: str | None, public: str | None, note: str | None
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


def _facts(pen: Pen, before: Incident, after: Incident, command: Change) -> Iterator[Update]:
    """One internal update for each fact that changed; an unchanged fact gets none."""
    if command.owner and before.owner is None:
        yield pen.update(Kind.ASSIGNED, new=command.owner.name)
    yield from _replaced(pen, before, after)
    if before.severity != after.severity:
        yield pen.update(Kind.SEVERITY, old=before.severity, new=after.severity)
    if before.title != after.title:
        held = after.title_public_at
        yield pen.update(Kind.TITLE, old=before.title, new=after.title, public_at=held)
    if before.description != after.description:
        yield pen.update(Kind.DESCRIPTION, body=after.description, old=before.description)
    if before.components != after.components:
        old, new = (", ".join(c.name for c in i.components) for i in (before, after))
        yield pen.update(Kind.COMPONENTS, old=old, new=new)
