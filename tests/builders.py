"""Values for tests. Each builder gives a whole value; a test names only the fields it is about.

Nothing here opens a database or a socket: that is the work of fixtures.
"""

from __future__ import annotations

from dataclasses import fields
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid5

from core import decision, engine
from core.commands import (
    AnswerHandOver,
    Change,
    Command,
    Declare,
    NameResolution,
    Redact,
    SetChannel,
    SetInvitation,
    SetPrivacy,
    WriteReport,
)
from core.decision import Decision
from core.incident import (
    Actor,
    Component,
    Incident,
    Kind,
    Person,
    Place,
    PublicText,
    Severity,
    Update,
    Visibility,
    update_id,
)
from core.lifecycle import STATUSPAGE, PublicWord
from core.public_side import PublicIncident
from core.settings import Setting
from core.store import Transaction
from core.workspace import Workspace, WorkspaceSettings

NINE = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)

WORKSPACE = "T0RATCHET"
INCIDENTS_CHANNEL = "C0INCIDENTS"
STATUS_CHANNEL = "C0STATUS"

ADA = Person("U0ADA", "Ada")
GRACE = Person("U0GRACE", "Grace")
LINUS = Person("U0LINUS", "Linus")
CI = Person("key:ci", "ci")

IDS = UUID("5f2d1c3e-9a40-4d5b-8a53-0c7f3b1e6d21")


def an_id(name: object) -> UUID:
    """A deterministic id for ``name`` (UUIDv5)."""
    return uuid5(IDS, str(name))


def the_settings(**changes: Any) -> WorkspaceSettings:
    """The settings of a workspace with a status channel, and nothing else."""
    fields: dict[str, Any] = {"status_channel": STATUS_CHANNEL}
    return WorkspaceSettings(**fields | changes)


def a_workspace(*, id: str = WORKSPACE, version: int = 0, **changes: Any) -> Workspace:  # noqa: A002 - the name of the field
    """A workspace with a status channel; ``changes`` are of its settings."""
    return Workspace(id=id, settings=the_settings(**changes), version=version)


def set_status_channel(tx: Transaction, workspace: str, channel: str | None) -> Workspace:
    """Sets the status channel, as an admin does; None: as the default."""
    changes = {Setting.STATUS_CHANNEL: channel}
    changed = tx.save_settings(workspace, changes, seen=None, by=ADA, at=NINE)
    assert changed
    return changed


def an_actor(person: Person = ADA, **changes: Any) -> Actor:
    """Ada, a full member: responder and publisher, no admin, speaking in the incidents' channel."""
    fields: dict[str, Any] = {
        "workspace": WORKSPACE,
        "person": person,
        "channel": INCIDENTS_CHANNEL,
    }
    return Actor(**fields | changes)


def a_component(name: str = "api", **changes: Any) -> Component:
    """A component of that name."""
    fields: dict[str, Any] = {"id": an_id(f"component {name}"), "name": name}
    return Component(**fields | changes)


def an_incident(**changes: Any) -> Incident:
    """INC-42, which Ada has just declared: high, public, no owner, in its initial status."""
    number = changes.get("number", 42)
    lifecycle = changes.get("lifecycle", STATUSPAGE)
    began = changes.get("created_at", changes.get("started_at", NINE))
    fields: dict[str, Any] = {
        "id": an_id(f"incident {number}"),
        "workspace": WORKSPACE,
        "number": number,
        "title": "Checkout is down",
        "severity": Severity.HIGH,
        "lifecycle": lifecycle,
        "status": lifecycle.initial,
        "private": False,
        "declared_by": ADA,
        "place": Place(INCIDENTS_CHANNEL),
        "started_at": began,
        "created_at": began,
        "updated_at": began,
    }
    return Incident(**fields | changes)


def an_update(incident: Incident | None = None, **changes: Any) -> Update:
    """A note that Ada wrote at nine, as the second entry of ``incident`` (otherwise of INC-42)."""
    incident = incident or an_incident()
    entry = changes.get("entry", 2)
    fields: dict[str, Any] = {
        "id": update_id(incident.id, entry),
        "incident": incident.id,
        "entry": entry,
        "kind": Kind.WROTE,
        "visibility": Visibility.INTERNAL,
        "by": ADA,
        "at": NINE,
        "body": "db-3 lost quorum",
    }
    return Update(**fields | changes)


def a_public_incident(**changes: Any) -> PublicIncident:
    """The public side of an identified incident, five minutes old."""
    fields: dict[str, Any] = {
        "id": an_id("incident 42"),
        "workspace": WORKSPACE,
        "number": 42,
        "title": PublicText("Checkout is down"),
        "severity": Severity.HIGH,
        "status": "identified",
        "word": PublicWord.IDENTIFIED,
        "terminal": False,
        "previous_status": "investigating",
        "components": (),
        "declared_at": NINE,
        "started_at": NINE,
        "updated_at": NINE + timedelta(minutes=5),
        "resolved_at": None,
    }
    return PublicIncident(**fields | changes)


def a_declaration(**changes: Any) -> Declare:
    """Ada declares "Checkout is down" in the incidents' channel."""
    fields: dict[str, Any] = {
        "actor": an_actor(),
        "id": an_id("incident 42"),
        "title": "Checkout is down",
        "lifecycle": STATUSPAGE,
        "severity": Severity.HIGH,
        "place": Place(INCIDENTS_CHANNEL),
    }
    return Declare(**fields | changes)


def a_change(**changes: Any) -> Change:
    """A change of INC-42 by Ada; a test adds its fields."""
    fields: dict[str, Any] = {"actor": an_actor(), "ref": 42}
    return Change(**fields | changes)


def known(**changes: Any) -> dict[str, Any]:
    """The facts beside the incident: a workspace with a status channel, nothing else."""
    return {"workspace": a_workspace(), "number": 42} | changes


def decide(
    incident: Incident | None, command: Command, facts: dict[str, Any], *, at: datetime
) -> Decision:
    """`engine.decide` with those of the ``facts`` that belong to the kind of ``command``."""
    context: type[decision.Context]
    match command:
        case Declare():
            context = decision.ForDeclaration
        case Redact():
            context = decision.ForRedaction
        case WriteReport():
            context = decision.ForReport
        case SetPrivacy() | SetInvitation() | NameResolution() | AnswerHandOver() | SetChannel():
            context = decision.ForAccess
        case _:
            context = decision.ForChange
    names = {field.name for field in fields(context)}
    chosen = {name: value for name, value in facts.items() if name in names}
    return engine.decide(incident, command, context(**chosen), at=at)
