"""The files of a team as TOML, before their own readers: lifecycles, templates."""

from __future__ import annotations

import tomllib
from typing import Any

FILE_MAX_BYTES = 65_536


def document(text: str) -> dict[str, Any]:
    """The tables of a TOML file.

    Raises:
        ValueError: its text is the end of a sentence that begins with "the file".
    """
    try:
        if len(text.encode()) <= FILE_MAX_BYTES:
            return tomllib.loads(text)
    # ValueError, not only TOMLDecodeError: half a surrogate pair and an integer of thousands of
    # digits raise other subclasses.
    except (ValueError, RecursionError) as error:
        raise ValueError(f"is not TOML: {error}") from None
    raise ValueError(f"is larger than {FILE_MAX_BYTES} bytes")
