"""Typed words, the requests that they make, and the questions that they lead to."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from bot.slack.parser import parse
from bot.slack.requests import Question, Request, ShowBoard
from bot.slack.typed import Circumstances
from core.boards import BoardFilter
from core.commands import Change, Declare, Redact
from core.incident import Place
from core.lifecycle import PRESETS, Catalogue
from core.promise import NextUpdate
from tests.builders import INCIDENTS_CHANNEL, a_change, an_actor, an_id

CATALOGUE = Catalogue(PRESETS, default="statuspage")
NEW = an_id("new")
ID = UUID("6093fb51-8bde-564b-814f-91339cda4c00")


PLACE = Place(INCIDENTS_CHANNEL)


def said(text: str, *, place: Place = PLACE, **known: Any) -> Request:
    circumstances = Circumstances(
        actor=an_actor(), catalogue=CATALOGUE, new_id=NEW, place=place, **known
    )
    return parse(text, circumstances)


def a_declaration(title: str, **changes: Any) -> Declare:
    fields: dict[str, Any] = {
        "actor": an_actor(),
        "id": NEW,
        "title": title,
        "lifecycle": CATALOGUE.default,
        "place": PLACE,
    }
    return Declare(**fields | changes)


def asked(text: str, **known: Any) -> Question:
    with pytest.raises(Question) as error:
        said(text, **known)
    return error.value


def meanings(text: str, **known: Any) -> list[Request]:
    return [choice.request for choice in asked(text, **known).choices]


def published(**changes: Any) -> Change:
    """A change with a public text, as it is typed: the severity decides about the promise."""
    return a_change(next_update=NextUpdate(), **changes)


def redact(**changes: Any) -> Redact:
    fields: dict[str, Any] = {"actor": an_actor(), "ref": 42, "entry": 3}
    return Redact(**fields | changes)


def a_board(**narrowed: Any) -> ShowBoard:
    return ShowBoard(narrowed=BoardFilter(**narrowed))
