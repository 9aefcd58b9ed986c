"""The incident that a command names, and the facts that decide on it, as the actor may see them."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

from core import policy
from core.commands import (
    AnswerHandOver,
    Change,
    Command,
    Declare,
    NameResolution,
    Redact,
    Ref,
    SetChannel,
    SetInvitation,
    SetPrivacy,
    WriteReport,
)
from core.decision import (
    Context,
    Decision,
    ForAccess,
    ForChange,
    ForDeclaration,
    ForRedaction,
    ForReport,
    Known,
    Published,
    Subscribers,
)
from core.denials import Denied, Permission
from core.engine import is_stale
from core.incident import Actor, Component, DeclaredText, Incident, Kind, Section, Severity, Update
from core.missing import NotFound, WhichIncident
from core.opening import raises
from core.promise import Promise
from core.ranking import Ranking
from core.store import Reader, Transaction
from core.withdrawing import CORRECTION_WINDOW
from core.workspace import Workspace

# The declaration is the first entry of every timeline.
DECLARATION = 1


def found(reader: Reader, actor: Actor, ref: Ref) -> Incident:
    """The incident that ``ref`` names.

    Raises:
        NotFound, WhichIncident: there is none for this actor.
    """
    if ref is None:
        ref = _only_one(reader, actor)
    incident = reader.incident(actor.workspace, ref)
    if incident is None or not policy.may_see(actor, incident):
        raise NotFound(ref)
    return incident


def shown_in(
    tx: Transaction, actor: Actor, ref: Ref, at: datetime
) -> tuple[Incident, Workspace, tuple[str, ...]]:
    """The incident that ``ref`` names, its workspace, and the channels that show its public side.

    Raises:
        NotFound, WhichIncident: there is none for this actor.
    """
    incident, workspace = found(tx, actor, ref), tx.workspace(actor.workspace)
    known = Known(workspace=workspace, subscribers=_subscribers(tx, workspace, incident, at))
    return incident, workspace, known.places(incident)


def _only_one(reader: Reader, actor: Actor) -> UUID:
    """The id of the incident that a request without a reference is about, by its channel.

    In a channel of its own that is its incident, also after the end, unless another one is open
    there.
    """
    here = open_here(reader, actor)
    if not here.items and actor.channel is not None:
        its = reader.incident_of_channel(actor.workspace, actor.channel)
        incident = reader.incident(actor.workspace, its) if its else None
        shown = incident is not None and incident.shows_card_in(actor.channel)
        if incident and shown and policy.may_see(actor, incident):
            return incident.id
    if len(here.items) != 1:
        responds = policy.holds(actor, Permission.RESPOND)
        raise WhichIncident(here.items, total=here.total, responds=responds)
    return here.items[0].id


def readable(reader: Reader, actor: Actor, ref: Ref) -> Incident:
    """`found`, for an actor who may read its notes.

    Raises:
        Denied: the actor may not.
    """
    incident = found(reader, actor, ref)
    if not policy.may_read_notes(actor):
        raise Denied(actor, Permission.RESPOND, incident, reads=True)
    return incident


def open_here(reader: Reader, actor: Actor) -> Ranking:
    """The open incidents that have their card in the actor's channel, and their number."""
    if actor.channel is None:
        return Ranking(items=(), total=0)
    here = reader.open_in_channel(actor.workspace, actor.channel)
    seen = tuple(incident for incident in here.items if policy.may_see(actor, incident))
    return replace(here, items=seen, total=here.total - len(here.items) + len(seen))


def loaded(
    tx: Transaction,
    command: Command,
    publish_delay: timedelta,
    at: datetime,
) -> tuple[Incident | None, Context]:
    """The incident of ``command`` (None for a declaration), and the facts that decide on it."""
    actor = command.actor
    if isinstance(command, Declare):
        number = tx.next_number(actor.workspace)
        workspace = tx.workspace(actor.workspace)
        return None, ForDeclaration(
            workspace=workspace,
            number=number,
            publish_delay=publish_delay,
            subscribers=_subscribers(tx, workspace, None, at),
            components=existing_components(tx, command),
            unnamed=_unnamed(tx, command),
        )
    incident = found(tx, actor, command.ref)
    workspace = tx.workspace(actor.workspace)
    if isinstance(command, Redact):
        return incident, _for_redaction(tx, command, incident, workspace, publish_delay)
    if isinstance(command, WriteReport):
        written = tx.sections(incident)
        return incident, ForReport(
            workspace=workspace, publish_delay=publish_delay, written=written
        )
    if isinstance(
        command, SetPrivacy | SetInvitation | NameResolution | AnswerHandOver | SetChannel
    ):
        changes_side = isinstance(command, SetPrivacy)
        return incident, ForAccess(
            workspace=workspace,
            publish_delay=publish_delay,
            subscribers=_subscribers(tx, workspace, incident, at),
            published=tx.published(incident) if changes_side else Published(),
            texts=tx.public_texts(incident) if changes_side else (),
            duplicate_of=_duplicate(tx, command),
            promises=_promises(tx, incident) if changes_side else (),
            hand_over=tx.hand_over(incident, command.entry)
            if isinstance(command, AnswerHandOver)
            else None,
        )
    return incident, ForChange(
        workspace=workspace,
        publish_delay=publish_delay,
        subscribers=_subscribers(tx, workspace, incident, at),
        components=existing_components(tx, command),
        unnamed=_unnamed(tx, command),
        moved=tx.last_move(incident) if is_stale(incident, command) else None,
        correctable=_correctable(tx, command, incident, at),
        promises=_promises(tx, incident),
        mentioned=_mentioned(tx, command, incident, workspace.settings.mentions),
    )


def _subscribers(
    tx: Transaction, workspace: Workspace, incident: Incident | None, at: datetime
) -> Subscribers:
    """The facts about subscribed channels; most workspaces have none, and need no read."""
    if workspace.subscriptions is None:
        return Subscribers()
    subscriptions = tx.subscriptions(workspace.id)
    if incident is None:
        return Subscribers(subscriptions=subscriptions)
    texts = tx.public_texts(incident)
    return Subscribers(
        subscriptions=subscriptions,
        cards=tx.status_cards(incident),
        held=tuple(one for one in texts if one.public_at is not None and one.public_at > at),
    )


def _mentioned(
    tx: Transaction, command: Command, incident: Incident, mentions: frozenset[Severity]
) -> bool:
    """Whether the incident had a severity of ``mentions``, read only if that matters."""
    severity = command.severity if isinstance(command, Change) else None
    return raises(incident, severity, mentions) and tx.had_severity(incident, mentions)


def _promises(tx: Transaction, incident: Incident) -> tuple[Promise, ...]:
    """All promises of the incident; most have none, and need no read."""
    return tx.promises(incident) if incident.promises else ()


def _for_redaction(
    tx: Transaction,
    command: Redact,
    incident: Incident,
    workspace: Workspace,
    publish_delay: timedelta,
) -> ForRedaction:
    if isinstance(command.entry, Section):
        return _for_section(tx, command.entry, incident, workspace)
    asked = DECLARATION if isinstance(command.entry, DeclaredText) else command.entry
    entry = tx.entry(incident, asked)
    kind = entry.kind if entry else None
    holds_title = kind in {Kind.DECLARED, Kind.TITLE}
    return ForRedaction(
        workspace=workspace,
        publish_delay=publish_delay,
        entry=entry,
        published_in=tx.published_in(incident, entry) if entry else (),
        titles=tx.titles(incident) if holds_title else (),
        descriptions=tx.descriptions(incident) if kind in {Kind.DECLARED, Kind.DESCRIPTION} else (),
        published=tx.published(incident) if holds_title else Published(),
        promises=_promises(tx, incident),
        texts=tx.public_texts(incident) if incident.promises else (),
        moved=tx.last_move(incident) if incident.promises else None,
    )


def _for_section(
    tx: Transaction, section: Section, incident: Incident, workspace: Workspace
) -> ForRedaction:
    entries = tuple(one for one in tx.sections(incident) if one.new == section.value)
    newest = entries[-1] if entries else None
    return ForRedaction(workspace=workspace, entry=newest, section=entries)


def _duplicate(tx: Transaction, command: Command) -> Incident | None:
    """The other incident that a resolution names, if the actor may see it."""
    if not isinstance(command, NameResolution) or command.duplicate_of is None:
        return None
    other = tx.incident(command.actor.workspace, command.duplicate_of)
    return other if other and policy.may_see(command.actor, other) else None


def _correctable(
    tx: Transaction, command: Command, incident: Incident, at: datetime
) -> Update | None:
    """A correction after the end is for people in Slack: an API client has nothing to mend."""
    person = command.actor.person
    if not (isinstance(command, Change) and command.public and incident.terminal):
        return None
    if not person.in_slack:
        return None
    return tx.correctable(incident, person, since=at - CORRECTION_WINDOW)


def correctable_now(
    tx: Transaction, command: Command, decision: Decision, workspace: Workspace, *, at: datetime
) -> Update | None:
    """The text in whose place the actor may put one, right after ``decision`` withdrew some."""
    incident, person = decision.incident, command.actor.person
    if decision.redacted is None or not incident.terminal or not person.in_slack:
        return None
    # Where nothing is public any more, a text is refused, whoever writes it.
    if incident.private or not workspace.has_public_surface:
        return None
    if not policy.holds(command.actor, Permission.PUBLISH):
        return None
    return tx.correctable(incident, person, since=at - CORRECTION_WINDOW)


def still_held(
    tx: Transaction,
    command: Command,
    before: Incident | None,
    decision: Decision,
    publish_delay: timedelta,
    *,
    at: datetime,
) -> Update | None:
    """The newest earlier text of the actor that ``decision`` leaves held back.

    None where it holds one back itself: one answer offers to take back one text.
    """
    if before is None or any(update.public_at is not None for update in decision.updates):
        return None
    if before.updated_at + publish_delay <= at:
        return None
    return _held_of(tx, decision.incident, command.actor, at)


def held_back(
    tx: Transaction, actor: Actor, ref: Ref, publish_delay: timedelta, at: datetime
) -> tuple[Incident, Update] | None:
    """The newest text of ``actor`` on an incident that is held back, with the incident.

    Raises:
        NotFound, WhichIncident: there is none for this actor.
    """
    incident = found(tx, actor, ref)
    # One that nobody changed within the delay has none, and needs no read.
    if incident.updated_at + publish_delay <= at:
        return None
    held = _held_of(tx, incident, actor, at)
    return (incident, held) if held else None


def _held_of(tx: Transaction, incident: Incident, actor: Actor, at: datetime) -> Update | None:
    if incident.private:
        return None
    entries = list(tx.public_texts(incident))
    if incident.title_public_at and incident.title_public_at > at:
        # A title that returned, because a later one was taken back, has no way back of its own.
        titles = tx.titles(incident)
        changed = any(not one.redacted for one in titles)
        entries += titles[-1:] if changed else filter(None, [tx.entry(incident, DECLARATION)])
    own = [one for one in entries if one.by.id == actor.person.id and not one.redacted]
    held = [entry for entry in own if _is_to_come(entry, incident, at)]
    return max(held, key=lambda entry: entry.entry, default=None)


def _is_to_come(entry: Update, incident: Incident, at: datetime) -> bool:
    public_at = incident.title_public_at if entry.kind is Kind.DECLARED else entry.public_at
    return public_at is not None and public_at > at


def existing_components(tx: Transaction, command: Command) -> tuple[Component, ...]:
    """All components of the workspace, if ``command`` names any."""
    names = command.components if isinstance(command, Declare | Change) else None
    return tx.components(command.actor.workspace) if names else ()


def _unnamed(tx: Transaction, command: Command) -> frozenset[UUID]:
    """The components that may not be named to the actor, if ``command`` names any."""
    names = command.components if isinstance(command, Declare | Change) else None
    return tx.unnamed(command.actor) if names else frozenset()
