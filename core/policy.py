"""Permissions and visibility. Pure; only the service asks, so all entry points are judged alike."""

from __future__ import annotations

from typing import assert_never

from core.audience import audience, reads
from core.commands import (
    Acknowledge,
    AnswerHandOver,
    Change,
    Command,
    Declare,
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
from core.denials import Denied, Permission
from core.incident import Actor, Incident, Membership


def allows(actor: Actor, command: Command, incident: Incident | None) -> Denied | None:
    """None if ``actor`` may give ``command``; otherwise the denial, which names a helper."""
    for permission in needed(command, private=incident is not None and incident.private):
        if not holds(actor, permission):
            return Denied(actor, permission, incident)
    return None


def needed(command: Command, *, private: bool = False) -> tuple[Permission, ...]:
    """The permissions for ``command``. `engine.decide` judges redactions further.

    ``private``: it is about a private incident, whose promises are internal.
    """
    match command:
        case Redact() | AnswerHandOver():
            return (Permission.JOIN,)
        case Change() if "public" in command.asks:
            publish = (Permission.JOIN, Permission.PUBLISH)
            return publish if command.asks == {"public"} else (*publish, Permission.RESPOND)
        case SetPromise():
            return (Permission.JOIN, Permission.RESPOND if private else Permission.PUBLISH)
        case Walk(public=str()) | SetPrivacy(private=False):
            return (Permission.JOIN, Permission.PUBLISH, Permission.RESPOND)
        case (
            Declare()
            | Change()
            | TakeNextStep()
            | Acknowledge()
            | Walk()
            | SetPrivacy()
            | SetInvitation()
            | NameResolution()
            | WriteReport()
            | SetChannel()
        ):
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
    """Whether ``incident`` exists for ``actor`` at all: the rule is `audience`."""
    return incident.workspace == actor.workspace and reads(actor, audience(incident))
