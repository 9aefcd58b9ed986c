"""New files, readable only by their owner, that appear whole or not at all."""

from __future__ import annotations

import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ONLY_OWNER = 0o600
OTHERS = 0o077


class NotWritten(Exception):
    """The file could not be written. The text says why, and is for the operator."""


@contextmanager
def new_file(file: Path) -> Iterator[Path]:
    """The path of an empty file beside ``file``. After the block it is renamed to ``file``.

    After an error it is gone, and ``file`` does not appear.

    Raises:
        NotWritten: ``file`` exists already, or cannot be written.
    """
    try:
        if os.path.lexists(file):
            raise _taken(file)
        # Its mode is 0600, whatever the umask.
        handle, name = tempfile.mkstemp(dir=file.parent, prefix=f"{file.name}.", suffix=".part")
        os.close(handle)
        part = Path(name)
        try:
            yield part
            _sync(part)
            _name(part, file)
        finally:
            part.unlink(missing_ok=True)
    except FileExistsError:
        raise _taken(file) from None
    except OSError as error:
        raise NotWritten(f"{file} could not be written: {error.strerror}") from None


def make_private(file: Path) -> None:
    """Creates ``file``, if it does not exist, with a mode that lets only its owner read it.

    An existing file is not opened: closing it would release the locks that SQLite holds on it.
    """
    try:
        os.close(os.open(file, os.O_CREAT | os.O_EXCL | os.O_WRONLY, ONLY_OWNER))
    except OSError:
        return  # It exists, or the next one who opens it says why it cannot.


def close_to_others(file: Path) -> None:
    """Takes from everybody but the owner every right to ``file``, if it is a file of ours.

    Devices are left alone: ``sqlite:////dev/null`` must not close the machine's ``/dev/null``.
    """
    try:
        mode = file.stat().st_mode
        if stat.S_ISREG(mode) and mode & OTHERS:
            file.chmod(mode & 0o700)
    except OSError:
        return


def is_open_to_others(file: Path) -> bool:
    """Whether ``file`` is a file to which others than its owner have any right."""
    try:
        mode = file.stat().st_mode
    except OSError:
        return False
    return stat.S_ISREG(mode) and bool(mode & OTHERS)


def _taken(file: Path) -> NotWritten:
    return NotWritten(f"{file} exists and is not overwritten: name another file.")


def _sync(part: Path) -> None:
    handle = os.open(part, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _name(part: Path, file: Path) -> None:
    try:
        # Unlike a renaming, a link never takes the place of a file that has come meanwhile.
        os.link(part, file)
    except FileExistsError:
        raise
    except OSError:
        # Some file systems, such as that of a memory stick, know no links.
        if os.path.lexists(file):
            raise FileExistsError from None
        part.rename(file)
