"""The act that a refusal advises, as a value; each entry point says it in its own words."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol
from uuid import UUID


class Act(StrEnum):
    """An act that helps after a refusal."""

    LIST = "list incidents"
    TIMELINE = "show the timeline"
    REPORT = "show the report"
    TITLE = "change the title"
    NOTE = "write a note"
    WITHDRAW = "withdraw a text"
    ASSIGN = "become owner"
    MAKE_PRIVATE = "make it private"
    MAKE_PUBLIC = "make it public"
    PROMISE = "promise an update"
    SETTINGS = "show the settings"
    STATUS_CHANNEL = "set the status channel"
    SUBSCRIPTIONS = "list subscriptions"
    COMPONENTS = "list components"
    WEBHOOKS = "list webhooks"


@dataclass(frozen=True, slots=True, kw_only=True)
class Advice:
    """The last sentence of a refusal, with ``{}`` in the place of ``act``.

    ``number`` and ``id`` are those of the incident that the act is about, ``entry`` of its entry.
    """

    act: Act
    sentence: str
    number: int | None = None
    id: UUID | None = None
    entry: int | None = None


class Subject(Protocol):
    """An incident, of which an act needs the number or the id."""

    @property
    def number(self) -> int: ...

    @property
    def id(self) -> UUID: ...


def about(act: Act, sentence: str, subject: Subject, entry: int | None = None) -> Advice:
    """The advice of an act about ``subject``, or about its entry of that number."""
    return Advice(act=act, sentence=sentence, number=subject.number, id=subject.id, entry=entry)


# The words in which an entry point names the act of an advice.
Way = Callable[[Advice], str]
