"""Requests about the status page and its components, as values. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from core.arranging import ComponentChange
from core.incident import Note
from core.page import ComponentStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class ShowComponents:
    """A page of the components, from 1. ``told`` is a sentence above them, about what was done."""

    page: int = 1
    told: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenComponent:
    """The dialog of a component; ``component`` None: of a new one. For workspace admins.

    ``page`` is that of the list, which comes back.
    """

    component: UUID | None = None
    page: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenGroup:
    """The dialog of a group of components. For workspace admins."""

    group: UUID
    page: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenOverride:
    """The dialog that gives a component a status by hand, or ends that. For publishers."""

    component: UUID
    page: int = 1


@dataclass(frozen=True, slots=True)
class OpenPage:
    """The dialog of the status page: its address, its title. For workspace admins."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SaveComponent:
    """``change`` to a component; ``component`` None: a new one has these values."""

    component: UUID | None
    change: ComponentChange
    page: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class SaveGroup:
    """New values of a group; None: as before."""

    group: UUID
    name: str | None = None
    position: int | None = None
    description: str | None = None
    page: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class SaveOverride:
    """A status by hand, until ``until`` (None: until it is cleared); None: the incidents decide.

    ``reason`` is private. ``untouched``: the dialog was sent as it was drawn, and changes nothing.
    """

    component: UUID
    status: ComponentStatus | None
    until: datetime | None = None
    reason: Note | None = None
    page: int = 1
    untouched: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SavePage:
    """The settings of the status page; not ``published``: it is taken off.

    ``untouched``: the dialog was sent as it was drawn, and changes nothing.
    """

    published: bool
    title: str = ""
    slug: str = ""
    language: str = ""
    noindex: bool = True
    untouched: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ShowOnPage:
    """Puts components on the page. For workspace admins."""

    components: tuple[UUID, ...]
