"""A backup put in the place of the SQLite database, in one step and with nothing lost.

Everything is prepared in a copy beside the database: it is migrated there, and marked. Until the
copy takes the database's name, an error or a crash leaves the database as it was.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from uuid import UUID

from sqlalchemy import make_url

from storage.databases.failures import SecondServer
from storage.databases.opening import database
from storage.databases.postgresql import PostgreSQL
from storage.databases.sqlite import BESIDE
from storage.files import ONLY_OWNER, close_to_others, make_private
from storage.hidden import Hidden, SeesAgain, hidden_since, sees_again
from storage.posts import DIRECT
from storage.store import SqlStore

# The tables that every version has had.
TABLES = {"alembic_version", "incident", "incident_update", "outbox", "workspace"}
# The files that hold changes beside the database; the lock is not one of them.
LOGS = ("-wal", "-shm", "-journal")
BUSY = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}


class NotRestored(Exception):
    """Nothing was changed. The text says why, and is for the operator."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Replaced:
    """The facts of the database that is replaced.

    ``numbers`` are the highest by workspace. ``channels`` are pairs of workspace and channel that
    have posts. ``hidden`` is what people have hidden since the backup, ``sees_again`` who sees a
    private incident once more, and ``revoked`` are the prefixes of API keys that were revoked
    since. ``unhooked`` are the workspaces and the ids of webhooks that were removed or switched off
    since, ``unsubscribed`` those of channels whose subscription was ended since. ``opened`` are the
    channels that were opened for incidents since.
    """

    numbers: Mapping[str, int] = field(default_factory=dict)
    channels: frozenset[tuple[str, str]] = frozenset()
    hidden: tuple[Hidden, ...] = ()
    sees_again: tuple[SeesAgain, ...] = ()
    revoked: tuple[str, ...] = ()
    unhooked: tuple[tuple[str, UUID], ...] = ()
    unsubscribed: tuple[tuple[str, str], ...] = ()
    opened: tuple[str, ...] = ()


@dataclass(slots=True)
class Restoration:
    """A restore under way. ``store`` is the backup, migrated, before it is put in place.

    ``replaced`` is None if there was no database, or none that can be read. ``kept`` is its file,
    once it is replaced; None if there was none.
    """

    store: SqlStore
    replaced: Replaced | None
    kept: Path | None = None


@contextmanager
def restoring(url: str, file: Path, *, at: datetime) -> Iterator[Restoration]:
    """Puts a copy of the backup ``file`` in the place of the database, after the block.

    The database that was there stays beside it, under a name with the time ``at``. ``file`` is only
    read. After an error, of the block too, nothing is changed.

    Raises:
        NotRestored: the text says why.
        StoreUnavailable, UnknownSchema: the backup cannot be migrated.
    """
    target = database(url)
    if isinstance(target, PostgreSQL):
        raise NotRestored(
            "PostgreSQL is restored by its own `pg_restore`; run `ratchet restore --marks-only` "
            "after it, before a bot is started."
        )
    live = target.path
    _see_a_backup(live, file)
    try:
        target.claim_single_server()
    except SecondServer:
        raise NotRestored(f"A bot serves from {live}: stop it first.") from None
    try:
        with _copy_beside(live, file) as part:
            with closing(SqlStore(_address(url, part))) as store:
                store.migrate()
                replaced = _replaced(live, part) if _fold(live, part) else None
                restoration = Restoration(store, replaced)
                yield restoration
            _seal(part, like=live)
            restoration.kept = _replace(live, part, at=at)
    except BaseException as error:
        target.unmake_lock()
        if isinstance(error, OSError):
            raise NotRestored(f"{live} could not be replaced: {error.strerror}.") from None
        raise
    finally:
        target.close()


def _see_a_backup(live: Path, file: Path) -> None:
    try:
        if not file.is_file():
            raise NotRestored(f"{file} is no file.")
        ours = [live.with_name(f"{live.name}{suffix}") for suffix in ("", *BESIDE)]
        if any(one.exists() and file.samefile(one) for one in ours):
            raise NotRestored(f"{file} belongs to the database itself: name a backup.")
    except (OSError, ValueError):  # such as a name too long
        raise NotRestored(f"{file} cannot be read.") from None


@contextmanager
def _copy_beside(live: Path, file: Path) -> Iterator[Path]:
    """A sound copy of ``file`` in the folder of ``live``, readable only by its owner."""
    handle, name = tempfile.mkstemp(dir=live.parent, prefix=f"{live.name}.", suffix=".part")
    os.close(handle)
    part = Path(name)
    try:
        _copy(file, part)
        with closing(sqlite3.connect(part)) as copy:
            _see_sound(copy, file)
        yield part
    finally:
        for suffix in ("", *LOGS):
            part.with_name(f"{part.name}{suffix}").unlink(missing_ok=True)


def _copy(file: Path, part: Path) -> None:
    # A file that was copied by hand may have its log beside it.
    for suffix in ("", "-wal"):
        source = file.with_name(f"{file.name}{suffix}")
        if not suffix or source.is_file():
            try:
                _copy_file(source, part.with_name(f"{part.name}{suffix}"))
            except OSError as error:
                raise NotRestored(f"{source} cannot be read: {error.strerror}.") from None


def _copy_file(source: Path, copy: Path) -> None:
    make_private(copy)
    shutil.copyfile(source, copy)


def _see_sound(copy: sqlite3.Connection, file: Path) -> None:
    try:
        copy.execute("PRAGMA journal_mode = DELETE").fetchone()
        found = copy.execute("PRAGMA integrity_check").fetchone()[0]
        named = {name for (name,) in copy.execute("SELECT name FROM sqlite_master")}
    except sqlite3.Error as error:
        raise NotRestored(f"{file} is no backup of Ratchet, or is damaged: {error}.") from None
    if found != "ok":
        raise NotRestored(f"{file} is damaged: {found}.")
    if not named >= TABLES:
        raise NotRestored(f"{file} is no backup of Ratchet: it has other tables.")


def _fold(live: Path, part: Path) -> bool:
    """Writes the log of ``live`` into it, and returns whether it can be read."""
    if not live.exists():
        return False
    log, saved = live.with_name(f"{live.name}-wal"), part.with_name(f"{part.name}-old")
    try:
        if log.exists():
            _copy_file(log, saved)
        with closing(sqlite3.connect(live, timeout=1)) as connection:
            # This fails while anybody else has the file open.
            connection.execute("PRAGMA journal_mode = DELETE").fetchone()
    except sqlite3.Error as error:
        if getattr(error, "sqlite_errorcode", 0) & 0xFF in BUSY:
            raise NotRestored(f"Another program has {live} open: end it first.") from None
        if saved.exists() and not log.exists():
            # SQLite deletes the log of a file that it cannot read.
            saved.rename(log)
        return False
    finally:
        saved.unlink(missing_ok=True)
    return True


def _replaced(live: Path, part: Path) -> Replaced | None:
    try:
        with closing(sqlite3.connect(part)) as connection:
            connection.execute("ATTACH ? AS live", (str(live),))
            found = _facts(connection)
            connection.commit()
    except sqlite3.Error:
        return None
    return found


def _facts(connection: sqlite3.Connection) -> Replaced:
    """Compares the database ``live`` with the backup, and carries secrets and revoked keys over."""
    numbers = connection.execute(
        "SELECT w.id, max(w.last_number, coalesce((SELECT max(number) FROM live.incident i "
        "WHERE i.workspace_id = w.id), 0)) FROM live.workspace w"
    )
    # Direct messages show no numbers that a channel does not, and cannot be read.
    marks = ", ".join("?" * len(DIRECT))
    channels = connection.execute(
        "SELECT DISTINCT workspace_id, posted_in FROM live.posted "  # noqa: S608 - only marks
        f"WHERE surface NOT IN ({marks})",
        [surface.value for surface in DIRECT],
    )
    return Replaced(
        numbers=dict(numbers.fetchall()),
        channels=frozenset((team, channel) for team, channel in channels),
        hidden=hidden_since(connection),
        sees_again=sees_again(connection),
        revoked=tuple(
            prefix
            for (prefix,) in connection.execute(
                "UPDATE main.api_key AS ours SET revoked_at = theirs.revoked_at "
                "FROM live.api_key AS theirs WHERE theirs.digest = ours.digest "
                "AND theirs.revoked_at IS NOT NULL AND ours.revoked_at IS NULL RETURNING id"
            ).fetchall()
        ),
        unhooked=_unhooked(connection),
        unsubscribed=_unsubscribed(connection),
        opened=_opened(connection),
    )


def _unhooked(connection: sqlite3.Connection) -> tuple[tuple[str, UUID], ...]:
    """The webhooks that get events in the backup alone. The others get their present secrets."""
    if not connection.execute("SELECT 1 FROM live.sqlite_master WHERE name = 'webhook'").fetchone():
        return ()
    connection.execute(
        "UPDATE main.webhook AS ours SET secret = theirs.secret, old_secret = theirs.old_secret, "
        "rotating_until = theirs.rotating_until FROM live.webhook AS theirs "
        "WHERE theirs.workspace_id = ours.workspace_id AND theirs.id = ours.id"
    )
    found = connection.execute(
        "SELECT workspace_id, id FROM main.webhook AS ours WHERE state = 'on' AND NOT EXISTS ("
        "SELECT 1 FROM live.webhook AS theirs WHERE theirs.workspace_id = ours.workspace_id "
        "AND theirs.id = ours.id AND theirs.state = 'on')"
    )
    return tuple((team, UUID(id_)) for team, id_ in found)


def _opened(connection: sqlite3.Connection) -> tuple[str, ...]:
    """The channels of incidents' own that were asked for since the backup."""
    known = "SELECT count(*) FROM {}.sqlite_master WHERE name = 'own_channel'"
    if not all(connection.execute(known.format(one)).fetchone()[0] for one in ("live", "main")):
        return ()
    found = connection.execute(
        "SELECT channel FROM live.own_channel AS theirs WHERE channel IS NOT NULL AND NOT EXISTS ("
        "SELECT 1 FROM main.own_channel AS ours WHERE ours.workspace_id = theirs.workspace_id "
        "AND ours.incident_id = theirs.incident_id AND ours.private = theirs.private) "
        "ORDER BY channel"
    )
    return tuple(channel for (channel,) in found)


def _unsubscribed(connection: sqlite3.Connection) -> tuple[tuple[str, str], ...]:
    """The channels that are subscribed in the backup alone."""
    known = "SELECT 1 FROM live.sqlite_master WHERE name = 'subscription'"
    if not connection.execute(known).fetchone():
        return ()
    found = connection.execute(
        "SELECT workspace_id, channel FROM main.subscription AS ours WHERE ended_at IS NULL "
        "AND EXISTS (SELECT 1 FROM live.subscription AS theirs "
        "WHERE theirs.workspace_id = ours.workspace_id AND theirs.channel = ours.channel "
        "AND theirs.ended_at IS NOT NULL)"
    )
    return tuple((team, channel) for team, channel in found)


def _seal(part: Path, *, like: Path) -> None:
    """Leaves one whole file, on the disk, which belongs to the owner of the database."""
    with closing(sqlite3.connect(part)) as copy:
        copy.execute("PRAGMA journal_mode = DELETE").fetchone()
    with suppress(FileNotFoundError, PermissionError):
        owner = like.stat()
        os.chown(part, owner.st_uid, owner.st_gid)
    _sync(part)


def _replace(live: Path, part: Path, *, at: datetime) -> Path | None:
    kept = None
    if live.exists():
        kept = _unused(live.with_name(f"{live.name}.replaced-{at:%Y%m%dT%H%M%SZ}"))
        # Logs that could not be folded in belong to the old file, and would damage the new one.
        for suffix in LOGS:
            log = live.with_name(f"{live.name}{suffix}")
            if log.exists():
                log.rename(kept.with_name(f"{kept.name}{suffix}"))
        try:
            # A second name, so that the first one always leads to a database.
            os.link(live, kept)
        except OSError:
            # Some file systems know no links.
            live.rename(kept)
        kept.chmod(ONLY_OWNER)
        for suffix in LOGS:
            close_to_others(kept.with_name(f"{kept.name}{suffix}"))
    part.replace(live)
    _sync(live.parent)
    return kept


def _unused(file: Path) -> Path:
    """``file``, with a number behind its name if a restore in the same second took the name."""
    name, count = file.name, 1
    while os.path.lexists(file):
        count += 1
        file = file.with_name(f"{name}-{count}")
    return file


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _address(url: str, path: Path) -> str:
    return make_url(url).set(database=str(path)).render_as_string(hide_password=False)
