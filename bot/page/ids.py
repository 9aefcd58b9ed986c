"""The ids that everybody reads: twelve characters ``[a-z0-9]``, derived from what never changes.

They hold neither slug nor host nor title, so they stay the same when these change.
"""

from __future__ import annotations

import hashlib
from uuid import UUID

LENGTH = 12
_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"


def page_id(workspace: str) -> str:
    """The id of a workspace's page."""
    return _derived("page", workspace)


def object_id(of: UUID) -> str:
    """The id of a component, a group or an incident."""
    return _derived("object", str(of))


def update_id(incident: UUID, entry: int) -> str:
    """The id of an incident's update; ``entry`` is its number in the timeline."""
    return _derived("update", f"{incident} {entry}")


def _derived(kind: str, name: str) -> str:
    number = int.from_bytes(hashlib.sha256(f"{kind} {name}".encode()).digest())
    digits = []
    for _ in range(LENGTH):
        number, digit = divmod(number, len(_DIGITS))
        digits.append(_DIGITS[digit])
    return "".join(digits)
