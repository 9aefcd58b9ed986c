"""The folder for databases of tests: in memory, if that is possible.

A commit waits for the disk, and a PostgreSQL database is a thousand files: on a slow disk both take
longer than the tests.
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

MEMORY = Path("/dev/shm")  # noqa: S108 - every user of it makes a folder of its own
NEEDED_BYTES = 1 << 30


def folder() -> Path:
    """A file system in memory, otherwise the temporary folder."""
    if MEMORY.is_dir() and shutil.disk_usage(MEMORY).free >= NEEDED_BYTES:
        return MEMORY
    return Path(tempfile.gettempdir())
