"""The files of a team as TOML, before their own readers: lifecycles, templates."""

from __future__ import annotations

import tomllib
from typing import Any

from core.errors import FileProblem, InvalidFile

FILE_MAX_BYTES = 65_536


def document(text: str) -> dict[str, Any]:
    """The tables of a TOML file.

    Raises:
        InvalidFile: it is no TOML, or too large.
    """
    try:
        if len(text.encode()) <= FILE_MAX_BYTES:
            return tomllib.loads(text)
    # ValueError, not only TOMLDecodeError: half a surrogate pair and an integer of thousands of
    # digits raise other subclasses.
    except (ValueError, RecursionError) as error:
        problem = f"is not TOML: {error}"
    else:
        problem = f"is larger than {FILE_MAX_BYTES} bytes"
    raise InvalidFile([FileProblem("the file", problem)])
