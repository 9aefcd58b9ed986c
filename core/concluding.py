"""The outcome of a command, with everything that an answer says beside the changed facts."""

from __future__ import annotations

from datetime import datetime, timedelta

from core.commands import Acknowledge, Command
from core.decision import Context, Decision, ForRedaction, Outcome
from core.incident import Incident
from core.loading import correctable_now, still_held
from core.store import Reader, Transaction
from core.withdrawing import names_withdrawn, withdrawn_name


def concluded(
    tx: Transaction,
    command: Command,
    incident: Incident | None,
    decision: Decision,
    known: Context,
    *,
    publish_delay: timedelta,
    at: datetime,
) -> Outcome:
    """The outcome of a ``decision`` that is saved; ``incident`` is as it was before."""
    entry = known.entry if isinstance(known, ForRedaction) else None
    repeats = not decision.changes_anything
    return Outcome(
        incident=decision.incident,
        before=incident,
        updates=decision.updates,
        redacted=decision.redacted or entry,
        workspace=known.workspace,
        withdrawn_too=len(decision.redacted_too),
        withdrawn_name=withdrawn_name(command),
        withdrawn_of_declaration=names_withdrawn(entry, decision),
        withdrawn_text=entry.body if entry else None,
        correctable=correctable_now(tx, command, decision, known.workspace, at=at),
        acknowledged_at=_acknowledged_at(tx, command, decision.incident) if repeats else None,
        places=known.places(
            incident if incident and decision.incident.private else decision.incident
        ),
        held=still_held(tx, command, incident, decision, publish_delay, at=at),
    )


def handled(
    tx: Transaction, workspace: str, command: Command | None, request: str
) -> Outcome | None:
    """The present facts of the incident of ``request`` if that is done already, otherwise None."""
    changed = tx.handled(workspace, request)
    incident = tx.incident(workspace, changed) if changed else None
    if incident is None:
        return None
    return Outcome(
        incident=incident,
        before=incident,
        updates=(),
        redacted=None,
        workspace=tx.workspace(workspace),
        acknowledged_at=_acknowledged_at(tx, command, incident),
    )


def _acknowledged_at(
    reader: Reader, command: Command | None, incident: Incident
) -> datetime | None:
    """The first acknowledgement, if ``command`` asks for one; otherwise None."""
    asks = isinstance(command, Acknowledge)
    return reader.card(incident).acknowledged_at if asks else None
