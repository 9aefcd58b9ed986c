"""The ways to an act: a verb of ``/incident``, a request over HTTP, a command of ``ratchet``.

A reader is told the way of the entry point where they are. If it has none, the way is the one in
Slack, and says so.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from core.advice import Act, Advice


class Ways(NamedTuple):
    """The ways to one act, with the fields of its `Advice` in braces; None: there is no such way.

    ``slack`` is None for what only an operator does.
    """

    slack: str | None
    http: str | None = None
    command: str | None = None


WAYS: Mapping[Act, Ways] = {
    Act.LIST: Ways("/incident list", http="GET /v1/incidents"),
    Act.TIMELINE: Ways("/incident timeline {number}", http="GET /v1/incidents/{id}/updates"),
    Act.REPORT: Ways(
        "/incident report {number}",
        http="GET /v1/incidents/{id}/report.md",
        command="ratchet report {number}",
    ),
    Act.TITLE: Ways("/incident title {number} …", http="PATCH /v1/incidents/{id}"),
    Act.NOTE: Ways("/incident note {number} …", http="POST /v1/incidents/{id}/updates"),
    # The timeline has the id of each entry.
    Act.WITHDRAW: Ways(
        "/incident withdraw {number} {entry}",
        http="POST /v1/incidents/{id}/updates/{{updateId}}/redact",
    ),
    Act.ASSIGN: Ways("/incident assign {number}", http="POST /v1/incidents/{id}/handoff"),
    Act.MAKE_PRIVATE: Ways("/incident private {number}"),
    Act.MAKE_PUBLIC: Ways("/incident public {number}"),
    Act.PROMISE: Ways("/incident promise {number} 30m"),
    Act.SETTINGS: Ways("/incident setup"),
    Act.STATUS_CHANNEL: Ways("/incident setup #channel"),
    Act.SUBSCRIPTIONS: Ways("/incident subscriptions"),
    Act.COMPONENTS: Ways(
        "/incident components", http="GET /v1/components", command="ratchet components list"
    ),
    Act.WEBHOOKS: Ways(None, http="GET /v1/webhooks", command="ratchet webhooks list"),
}


def in_slack(advice: Advice) -> str:
    """The words for a reader in Slack."""
    ways = WAYS[advice.act]
    return _code(ways.slack or ways.command or "", advice)


def over_http(advice: Advice) -> str:
    """The words for a client of the API."""
    return _elsewhere(WAYS[advice.act].http, advice)


def on_command_line(advice: Advice) -> str:
    """The words for an operator at a terminal."""
    return _elsewhere(WAYS[advice.act].command, advice)


def _elsewhere(way: str | None, advice: Advice) -> str:
    return f"{in_slack(advice)} in Slack" if way is None else _code(way, advice)


def _code(way: str, advice: Advice) -> str:
    return f"`{way.format(number=advice.number, id=advice.id, entry=advice.entry)}`"
