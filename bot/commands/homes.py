"""The workspace that a command of an operator is for: that of the bot's token; and its store."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterator
from contextlib import closing, contextmanager, suppress

from bot.commands.setup import wrong
from bot.commands.stores import database_url
from bot.settings import KeySettings
from bot.slack.people import UNREACHABLE, Home, SlackUnavailable, home_of
from bot.slack.web import a_client
from bot.variables import TEAM
from core.texts import listed
from storage.keys import known_workspaces
from storage.store import NoDatabase, SqlStore

TIMEOUT_SECONDS = 5
# So many workspaces are listed by their ids.
LISTED = 10


@contextmanager
def served_store(asked: str | None, settings: KeySettings) -> Iterator[tuple[SqlStore, str]]:
    """The store, migrated, and the workspace that `served` finds for ``asked``.

    A missing database is created once the workspace is known: a refusal leaves no empty one.
    """
    with database_url(settings) as url, closing(SqlStore(url)) as store:
        known: Collection[str] = ()
        with suppress(NoDatabase):
            store.is_current()
            store.migrate()
            known = store.read_now(known_workspaces)
        team = served(asked, settings, known)
        store.migrate()
        yield store, team


def served(asked: str | None, settings: KeySettings, known: Collection[str]) -> str:
    """The workspace ``asked`` for, or that of the token. ``known`` are those of the store.

    Ends the program if this installation does not serve it, or if nobody can say which it serves.
    """
    if asked is not None and not TEAM.fullmatch(asked):
        wrong("--workspace is no id of a Slack team: write one such as T0123ABCD, or leave it out.")
    home = _home(settings)
    if home is None:
        return _as_the_store_knows(asked, known)
    if home.workspace is None:
        return _of_organization(asked, known)
    if asked and not home.is_of(asked):
        wrong(
            f"This installation does not serve {asked}: its token is of {home.workspace}. Leave "
            "--workspace out.",
            code=1,
        )
    return home.workspace


def _of_organization(asked: str | None, known: Collection[str]) -> str:
    if asked and (not known or asked in known):
        return asked
    if asked:
        return wrong(
            f"The database knows nothing of {asked}, only of {named(known)}. If {asked} is right, "
            "begin there in Slack: `/incident setup #channel`.",
            code=1,
        )
    return wrong(
        f"The token is of a whole organization: name the workspace, with --workspace{_which(known)}"
        ".",
        code=1,
    )


def _as_the_store_knows(asked: str | None, known: Collection[str]) -> str:
    if asked and (not known or asked in known):
        return asked
    if len(known) == 1 and not asked:
        return next(iter(known))
    if asked:
        return wrong(
            f"Slack cannot be asked, and the database knows nothing of {asked}, only of "
            f"{named(known)}: set SLACK_BOT_TOKEN, or try again once Slack answers.",
            code=1,
        )
    return wrong(
        "Neither Slack nor the database can say which workspace is meant: set "
        f"SLACK_BOT_TOKEN, or name the workspace with --workspace{_which(known)}.",
        code=1,
    )


def _which(known: Collection[str]) -> str:
    return f" ({named(known)})" if known else ""


def named(known: Collection[str]) -> str:
    """Ids of workspaces in a sentence: ``T0ACME and T0BETA``; the first ten of many."""
    return listed(tuple(known), most=LISTED)


def _home(settings: KeySettings) -> Home | None:
    """The workspace of the token; None without a token, or without an answer of Slack's."""
    if settings.slack_bot_token is None:
        return None
    with suppress(SlackUnavailable, *UNREACHABLE):
        return asyncio.run(home_of(a_client(settings, timeout_seconds=TIMEOUT_SECONDS)))
    return None
