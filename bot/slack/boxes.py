"""The dialogs with one input about one incident, as values: a note, or one of its facts. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from core.commands import Ref


class Box(StrEnum):
    """The input of such a dialog, by the callback_id of its view."""

    NOTE = "private_note"
    TITLE = "title"
    DESCRIPTION = "description"
    COMPONENTS = "affected"
    SEVERITY = "severity"


# The names of their inputs, which are those of the fields of `Change`.
INPUTS = {
    Box.NOTE: "note",
    Box.TITLE: "title",
    Box.COMPONENTS: "components",
    Box.DESCRIPTION: "description",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenBox:
    """The dialog with the input ``box``, filled with ``text``; empty: with the present value."""

    ref: Ref
    box: Box
    text: str = ""
