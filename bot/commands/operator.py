"""A question of the operator to the use cases, for one workspace. The operator sees everything."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from bot.commands.homes import named, served
from bot.commands.setup import key_settings, wrong
from bot.commands.stores import opened_store
from bot.ways import on_command_line
from core.errors import UserError
from core.incident import Actor, Person
from storage.keys import known_workspaces
from storage.store import SqlStore

T = TypeVar("T")
Ask = Callable[[SqlStore, Actor], Coroutine[Any, Any, T]]


def asked(ask: Ask[T], workspace: str | None) -> T:
    """The answer to ``ask`` about a workspace that the database knows.

    Ends the program if there is none, if there are several and ``workspace`` is None, or if the
    answer is a refusal.
    """
    with opened_store() as store:
        known = store.read_now(known_workspaces)
        if workspace is None and len(known) > 1:
            wrong(f"There are several workspaces: name one, with --workspace ({named(known)}).")
        if workspace is not None and workspace not in known:
            there = f", only {named(known)}" if known else ""
            wrong(f"There is no workspace {workspace} in the database{there}.", code=1)
        return _answer(ask, store, workspace or next(iter(known), ""))


def arranged(ask: Ask[T], workspace: str | None) -> T:
    """The answer to ``ask``, which may be the first act in a workspace that is served here."""
    settings = key_settings()
    with opened_store(settings) as store:
        team = served(workspace, settings, store.read_now(known_workspaces))
        return _answer(ask, store, team)


def _answer(ask: Ask[T], store: SqlStore, workspace: str) -> T:
    operator = Actor(
        workspace=workspace,
        person=Person("key:operator", "operator"),
        sees_private=True,
        admin=True,
    )

    async def answer() -> T:
        return await ask(store, operator)

    try:
        return asyncio.run(answer())
    except UserError as error:
        return wrong(error.told(on_command_line), code=1)
