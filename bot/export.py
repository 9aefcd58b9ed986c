"""The archive: incidents as JSON Lines, written to a file or to standard output.

docs/operations.md describes the lines. The first line has the number of the format: additions keep
it, other changes raise it.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from datetime import UTC, date, datetime
from functools import lru_cache
from pathlib import Path
from typing import IO, Any, assert_never
from uuid import UUID

from core.channel import OwnChannel
from core.handover import HandOver
from core.incident import Component, DescribedComponent, Incident, Person, Resolved, Update
from core.lifecycle import Lifecycle
from core.page import ComponentGroup, PageSettings, ShownComponent
from core.promise import Promise
from core.public_side import KeptIncident, KeptUpdate, PublicIncident, PublicUpdate
from core.settings import SavedSetting
from core.subscription import Subscription
from core.texts import listed
from core.workspace import Workspace
from storage import export
from storage.export import PublicRecord, Record
from storage.files import NotWritten, new_file
from storage.migrations import head
from storage.store import SqlStore

FORMAT = 1


class UnknownWorkspace(Exception):
    """The database has no workspace with that id."""

    def __init__(self, workspace: str, known: Sequence[str]) -> None:
        there = f", only {listed(known, most=10)}" if known else ""
        super().__init__(f"There is no workspace {workspace} in the database{there}.")


def archive(
    store: SqlStore, *, public: bool, workspace: str | None, at: datetime
) -> Iterator[bytes]:
    """The lines, each with its line feed, of ``workspace`` (None: of all workspaces).

    ``public``: only public facts.

    Raises:
        UnknownWorkspace, StoreUnavailable: each says why.
    """
    yield _line("archive", {"format": FORMAT, "at": _iso(at), "schema": head(), "public": public})
    known = list(export.workspaces(store))
    for team in known:
        if workspace in (None, team):
            yield from _published(store, team, at=at) if public else _everything(store, team)
    if workspace and workspace not in known:
        raise UnknownWorkspace(workspace, known)


def _everything(store: SqlStore, workspace: str) -> Iterator[bytes]:
    for record in export.everything(store, workspace):
        kind, facts = _private(record)
        yield _line(kind, {"workspace": workspace, **facts})


def _published(store: SqlStore, workspace: str, *, at: datetime) -> Iterator[bytes]:
    yield _line("workspace", {"workspace": workspace})
    for record in export.published(store, workspace, at=at):
        for kind, facts in _public(record):
            yield _line(kind, {"workspace": workspace, **facts})


def _private(  # noqa: C901, PLR0911, PLR0912 - one for each kind of record
    record: Record,
) -> tuple[str, dict[str, Any]]:
    match record:
        case Workspace():
            return "workspace", {"status_channel": record.status_channel}
        case SavedSetting():
            known = {"at": record.at, "by": record.by}
            return "setting", {"name": record.setting, "value": record.text} | known
        case DescribedComponent():
            described = {"description": record.description, "group": record.group}
            return "component", _component(record.component) | described
        case Lifecycle():
            definition = {"digest": _digest(record), "definition": record.as_toml()}
            return "lifecycle", {"name": record.name} | definition
        case Incident():
            return "incident", _incident(record)
        case Update():
            return "update", _update(record)
        case (incident, Promise() as promise):
            return "promise", {"incident": incident.id} | _promise(promise)
        case (incident, HandOver() as asked):
            return "hand_over", {"incident": incident.id} | _hand_over(asked)
        case (incident, KeptIncident() as kept):
            return "imported_incident", {"incident": incident.id} | _kept_incident(kept)
        case (incident, (entry, text)):
            facts = {"incident": incident.id, "entry": entry}
            return "imported_update", facts | _kept_update(text)
        case PageSettings():
            return "page", _page(record)
        case ComponentGroup():
            return "group", _group(record)
        case ShownComponent():
            return "arranged", _arranged(record)
        case Subscription():
            return "subscription", _subscription(record)
        case _:
            assert_never(record)


def _public(record: PublicRecord) -> Iterator[tuple[str, dict[str, Any]]]:
    match record:
        case Component():
            yield "component", _component(record)
        case PublicIncident():
            yield "incident", _public_incident(record)
            for update in reversed(record.updates):
                yield "update", {"incident": record.id} | _public_update(update)
        case _:
            assert_never(record)


def _incident(incident: Incident) -> dict[str, Any]:
    return {
        "id": incident.id,
        "number": incident.number,
        "title": incident.title,
        "description": incident.description,
        "category": incident.category,
        "severity": incident.severity,
        "lifecycle": _digest(incident.lifecycle),
        "status": incident.status,
        "private": incident.private,
        "declared_by": incident.declared_by,
        "owner": incident.owner,
        "acknowledged_by": incident.acknowledged_by,
        "components": incident.components,
        "channel": incident.place.channel if incident.place else None,
        "channel_private": incident.place is not None and incident.place.private,
        "invited": incident.invited,
        "resolution": _resolved(incident.resolution),
        "title_public_at": incident.title_public_at,
        "title_before": incident.title_before,
        "next_update_by": incident.next_update_by,
        "channels": [_own_channel(channel) for channel in incident.channels],
        "started_at": incident.started_at,
        "created_at": incident.created_at,
        "updated_at": incident.updated_at,
        "left_owner": incident.left_owner,
        "version": incident.version,
        "last_entry": incident.last_entry,
    }


def _own_channel(channel: OwnChannel) -> dict[str, Any]:
    return {
        "private": channel.private,
        "entry": channel.entry,
        "id": channel.id,
        "error": channel.error,
        "over_at": channel.over_at,
        "announced_at": channel.announced_at,
        "stage": channel.stage,
        "kept": channel.kept,
    }


def _update(update: Update) -> dict[str, Any]:
    return {
        "incident": update.incident,
        "entry": update.entry,
        "id": update.id,
        "kind": update.kind,
        "visibility": update.visibility,
        "by": update.by,
        "at": update.at,
        "body": update.body,
        "old": update.old,
        "new": update.new,
        "public_at": update.public_at,
        "passed": update.passed,
        "next_update_by": update.next_update_by,
        "redacted_at": update.redacted_at,
        "redacted_by": update.redacted_by,
        "withdrawn": update.withdrawn,
    }


def _promise(promise: Promise) -> dict[str, Any]:
    return {
        "entry": promise.entry,
        "public_at": promise.public_at,
        "due_at": promise.due_at,
        "internal": promise.internal,
        "stage": promise.stage,
        "answered_at": promise.answered_at,
        "answered_by": promise.answered_by,
        "released_at": promise.released_at,
        "release": promise.release,
    }


def _hand_over(asked: HandOver) -> dict[str, Any]:
    return {
        "entry": asked.entry,
        "to": asked.to,
        "by": asked.by,
        "previous": asked.previous,
        "asked_at": asked.asked_at,
        "answer": asked.answer,
        "looked": asked.looked,
    }


def _kept_incident(kept: KeptIncident) -> dict[str, Any]:
    return {
        "id": kept.id,
        "entries": kept.entries,
        "created_at": kept.created_at,
        "updated_at": kept.updated_at,
        "monitoring_at": kept.monitoring_at,
        "resolved_at": kept.resolved_at,
        "address": kept.address,
        "atom": kept.atom,
    }


def _kept_update(kept: KeptUpdate) -> dict[str, Any]:
    return {
        "id": kept.id,
        "status": kept.status,
        "created_at": kept.created_at,
        "updated_at": kept.updated_at,
        "affected": [
            {"component": one.component, "name": one.name, "old": one.old, "new": one.new}
            for one in kept.affected or ()
        ],
    }


def _page(page: PageSettings) -> dict[str, Any]:
    return {
        "slug": page.slug,
        "title": page.title,
        "language": page.language,
        "noindex": page.noindex,
        "published_at": page.published_at,
        "kept": page.kept,
    }


def _group(group: ComponentGroup) -> dict[str, Any]:
    return {
        "id": group.id,
        "name": group.name,
        "position": group.position,
        "description": group.description,
        "created_at": group.created_at,
        "updated_at": group.updated_at,
        "kept": group.kept,
    }


def _subscription(one: Subscription) -> dict[str, Any]:
    return {
        "channel": one.channel,
        "severity": one.filter.severity,
        "components": one.filter.components,
        "broadcast": one.broadcast,
        "by": one.by,
        "at": one.at,
        "since": one.since,
        "starts_at": one.starts_at,
        "ended_at": one.ended_at,
    }


def _arranged(one: ShownComponent) -> dict[str, Any]:
    return {
        "component": one.id,
        "group": one.group,
        "position": one.position,
        "shown": one.shown,
        "showcase": one.showcase,
        "only_if_degraded": one.only_if_degraded,
        "start_date": one.start_date,
        "created_at": one.created_at,
        "updated_at": one.updated_at,
        "overrides": [
            {
                "at": by_hand.at,
                "status": by_hand.status,
                "until": by_hand.until,
            }
            for by_hand in one.overrides
        ],
        "kept": one.kept,
    }


def _public_incident(incident: PublicIncident) -> dict[str, Any]:
    return {
        "id": incident.id,
        "number": incident.number,
        "title": incident.title,
        "severity": incident.severity,
        "status": incident.status,
        "word": incident.word,
        "components": incident.components,
        "started_at": incident.started_at,
        "updated_at": incident.updated_at,
        "resolved_at": incident.resolved_at,
        "next_update_by": incident.next_update and incident.next_update.due_at,
    }


def _public_update(update: PublicUpdate) -> dict[str, Any]:
    return {
        "entry": update.entry,
        "status": update.status,
        "word": update.word,
        "at": update.at,
        "body": update.body,
        "withdrawn": update.withdrawn,
    }


def _resolved(resolution: Resolved | None) -> dict[str, Any] | None:
    if resolution is None:
        return None
    return {"how": resolution.how, "duplicate_of": resolution.duplicate_of}


def _component(component: Component) -> dict[str, Any]:
    return {"id": component.id, "name": component.name}


@lru_cache(maxsize=256)
def _digest(lifecycle: Lifecycle) -> str:
    """The SHA-256 of the definition, in hexadecimal: two lifecycles can have one name."""
    return hashlib.sha256(lifecycle.as_toml().encode()).hexdigest()


def _iso(at: datetime) -> str:
    """``2026-03-02T09:00:00.000000Z``, in the microseconds of the database."""
    return at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def _line(kind: str, facts: dict[str, Any]) -> bytes:
    told = json.dumps({"type": kind} | facts, ensure_ascii=False, default=_plain)
    return f"{told}\n".encode()


def _plain(value: object) -> object:
    """The form in the archive of each value that JSON does not know."""
    match value:
        case Component():
            return _component(value)
        case Person():
            return {"id": value.id, "name": value.name}
        case datetime():
            return _iso(value)
        case date():
            return value.isoformat()
        case UUID():
            return str(value)
        case _:
            raise TypeError(type(value))


def into_file(lines: Iterable[bytes], file: Path) -> None:
    """Writes ``lines`` to the new file ``file``, readable only by its owner; whole or not at all.

    Raises:
        NotWritten: the file exists, or cannot be written.
    """
    with new_file(file) as part, part.open("wb") as stream:
        stream.writelines(lines)


def to_stream(lines: Iterable[bytes], stream: IO[bytes]) -> bool:
    """Writes ``lines`` to ``stream``. False if its reader closed it, as `head` does.

    Raises:
        NotWritten: the stream cannot be written.
    """
    try:
        stream.writelines(lines)
        stream.flush()
    except OSError as error:
        # Python flushes the rest of the buffer when it ends, and would fail again.
        with suppress(OSError), Path(os.devnull).open("wb") as nowhere:
            os.dup2(nowhere.fileno(), stream.fileno())
        if error.errno == errno.EPIPE:
            return False
        raise NotWritten(f"Standard output could not be written: {error.strerror}") from None
    return True
