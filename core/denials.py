"""The permissions, and the refusal of an actor who lacks one."""

from __future__ import annotations

from enum import StrEnum

from core.errors import UserError
from core.incident import Actor, Incident


class Permission(StrEnum):
    """The permissions. ``JOIN`` is full membership: without it nothing is allowed."""

    JOIN = "join"
    RESPOND = "respond"
    PUBLISH = "publish"
    ADMINISTER = "administer"


DENIALS = {
    Permission.JOIN: "Only full members of this workspace may use Ratchet. Ask {} of the team.",
    Permission.RESPOND: "Only responders may do that. Ask {} of them.",
    Permission.PUBLISH: "Only publishers may post public updates. Ask {} of them.",
    Permission.ADMINISTER: "Only workspace admins may do that. Ask {} of them.",
}


READING = "Only responders may read notes, reports and figures. Ask {} of them."


# The owner of the incident can help with these. A stranger is told no name.
OWNER_HELPS = frozenset({Permission.RESPOND, Permission.PUBLISH})


class Denied(UserError):
    """``permission`` is missing. ``helper`` is the owner of ``incident``, who is named, or None.

    Nobody is sent to an owner who is deactivated, or to themselves.

    ``reads``: the actor wanted to read what is for responders, and to change nothing.
    """

    def __init__(
        self,
        actor: Actor,
        permission: Permission,
        incident: Incident | None = None,
        *,
        reads: bool = False,
    ) -> None:
        owner = incident.leader if incident and permission in OWNER_HELPS else None
        self.helper = owner if owner != actor.person else None
        helper = f"{self.helper.name} (owner) or anyone" if self.helper else "anyone"
        super().__init__((READING if reads else DENIALS[permission]).format(helper))
        self.reads = reads
        self.actor = actor
        self.permission = permission
        self.incident = incident
