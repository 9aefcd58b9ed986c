"""Permissions and visibility. Pure; only the service asks, so all entry points are judged alike."""

from __future__ import annotations

from typing import assert_never

from core.incident import (
    Acknowledge,
    Actor,
    Change,
    Command,
    Declare,
    Incident,
    Membership,
    Redact,
    TakeNextStep,
)
from core.refusals import Denied, Permission


def allows(actor: Actor, command: Command, incident: Incident | None) -> Denied | None:
    """None if ``actor`` may give ``command``; else the denial, which names a helper."""
    for permission in needed(command):
        if not holds(actor, permission):
            return Denied(actor, permission, incident)
    return None


def needed(command: Command) -> tuple[Permission, ...]:
    """The permissions for ``command``. `engine.decide` judges redactions further."""
    match command:
        case Redact():
            return (Permission.JOIN,)
        case Change() if "public" in command.asks:
            publish = (Permission.JOIN, Permission.PUBLISH)
            return publish if command.asks == {"public"} else (*publish, Permission.RESPOND)
        case Declare() | Change() | TakeNextStep() | Acknowledge():
            return (Permission.JOIN, Permission.RESPOND)
        case _:
            assert_never(command)


def holds(actor: Actor, permission: Permission) -> bool:
    """Whether ``actor`` has ``permission``. Only full members have any."""
    member = actor.membership is Membership.MEMBER
    match permission:
        case Permission.JOIN:
            return member
        case Permission.RESPOND:
            return member and actor.responder
        case Permission.PUBLISH:
            return member and actor.publisher
        case Permission.ADMINISTER:
            return member and actor.admin
        case _:
            assert_never(permission)


def may_read_notes(actor: Actor) -> bool:
    """Whether ``actor`` may read whole timelines: responders, and API keys of any scope."""
    return holds(actor, Permission.JOIN) and (actor.responder or actor.sees_private)


def may_see(actor: Actor, incident: Incident) -> bool:
    """Whether ``incident`` exists for ``actor`` at all.

    A private incident exists for its declarer, its owner, workspace admins and API keys, and for
    requests from the private channel of its declaration (Slack lets only members speak there).
    ``storage.queries`` filters boards by the same rule; a test compares the two.
    """
    if incident.workspace != actor.workspace:
        return False
    return (
        not incident.private
        or actor.admin
        or actor.sees_private
        or actor.person in (incident.declared_by, incident.owner)
        or (
            incident.place is not None
            and incident.place.private
            and incident.place.channel == actor.channel
        )
    )
