"""Requests as JSON, for a draft, and read back. Pure."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import fields
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from bot.slack import arranged, boxes, requests, subscription_requests
from bot.slack.requests import Request
from core import commands
from core.incident import Actor, DeclaredText, Person, Place, Section, Severity
from core.lifecycle import Catalogue, Lifecycle
from core.promise import NextUpdate

# Every request that carries a text, or opens a dialog that may.
_KINDS: dict[str, type[Any]] = {
    kind.__name__: kind
    for kind in (
        commands.Declare,
        commands.Change,
        commands.TakeNextStep,
        commands.Acknowledge,
        commands.Redact,
        commands.SetPrivacy,
        commands.WriteReport,
        commands.SetPromise,
        requests.AssignTo,
        requests.OpenDeclare,
        requests.OpenUpdate,
        requests.OpenNote,
        requests.OpenReport,
        requests.OpenWithdrawal,
        boxes.OpenBox,
        requests.OpenAssign,
        requests.OpenInvite,
        requests.OpenWalk,
        requests.OpenPublic,
        requests.OpenPromise,
        requests.AskPrivate,
        requests.InviteUser,
        requests.Shorten,
        requests.Choice,
        requests.OtherIncidents,
        requests.ShowCard,
        requests.ShowTimeline,
        requests.CatchUp,
        requests.ShowNews,
        requests.ShowReport,
        requests.SendReport,
        requests.ShowStats,
        requests.ShowHelp,
        requests.SetStatusChannel,
        requests.OpenSetup,
        arranged.OpenPage,
        arranged.ShowComponents,
        subscription_requests.Subscribe,
        subscription_requests.OpenSubscription,
        subscription_requests.Unsubscribe,
        subscription_requests.ShowSubscriptions,
    )
}


class Unreadable(Exception):
    """The draft was written by another version, or names a lifecycle that is gone."""


def written(choices: Sequence[Request | None]) -> str:
    """``choices`` as JSON. The author is left out: a draft belongs to one person."""
    return json.dumps([_written(choice) for choice in choices], separators=(",", ":"))


def _written(value: Any) -> Any:  # noqa: C901, PLR0911, PLR0912 - one case for each type
    match value:
        case None | bool() | int():
            return value
        case Severity():
            return {"severity": value.value}
        case Section():
            return {"section": value.value}
        case DeclaredText():
            return {"declared_text": value.value}
        case boxes.Box():
            return {"box": value.value}
        case str():
            return value
        case datetime():
            return {"moment": value.isoformat()}
        case UUID():
            return {"id": str(value)}
        case tuple():
            return [_written(one) for one in value]
        case Person():
            return {"person": [value.id, value.name]}
        case Place():
            return {"place": [value.channel, value.private]}
        case Lifecycle():
            return {"lifecycle": value.name}
        case NextUpdate(within=within, by=by, later=later):
            seconds = [span and span.total_seconds() for span in (within, later)]
            return {"next_update": [*seconds, by and by.isoformat()]}
        case Actor():
            return {"actor": True}
        case _ if type(value).__name__ in _KINDS:
            # A value that is None by default is left out; an incident that is not named has none.
            held = {
                one.name: _written(given)
                for one in fields(value)
                if (given := getattr(value, one.name)) is not None or one.default is not None
            }
            return {"kind": type(value).__name__, "of": held}
        case _:
            raise TypeError(f"{type(value).__name__} is not kept in drafts")


def read(  # noqa: C901 - one case for each type
    body: str, *, actor: Actor, catalogue: Catalogue
) -> list[Request | None]:
    """The requests in ``body``, made by ``actor``.

    Raises:
        Unreadable: it was written by another version, or a lifecycle in it is gone.
    """

    def made(value: Any) -> Any:  # noqa: C901, PLR0911, PLR0912
        match value:
            case {"kind": str(kind), "of": dict(held)}:
                return _KINDS[kind](**{str(name): made(one) for name, one in held.items()})
            case {"severity": word}:
                return Severity(word)
            case {"section": word}:
                return Section(word)
            case {"declared_text": word}:
                return DeclaredText(word)
            case {"box": word}:
                return boxes.Box(word)
            case {"moment": text}:
                return datetime.fromisoformat(text)
            case {"id": text}:
                return UUID(text)
            case {"person": [id_, name]}:
                return Person(id_, name)
            case {"place": [channel, private]}:
                return Place(channel, private=private)
            case {"lifecycle": name}:
                return catalogue.find(name)
            case {"next_update": [within, later, by]}:
                return NextUpdate(
                    within=None if within is None else timedelta(seconds=within),
                    later=None if later is None else timedelta(seconds=later),
                    by=by and datetime.fromisoformat(by),
                )
            case {"actor": _}:
                return actor
            case list():
                return tuple(made(one) for one in value)
            case _:
                return value

    try:
        return [made(one) for one in json.loads(body)]
    except Exception as error:
        raise Unreadable from error
