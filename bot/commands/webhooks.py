"""`ratchet webhooks`: addresses that get what becomes public."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Annotated, Any, TypeVar

import typer

T = TypeVar("T")
# So many characters of an id are shown; as many as tell it from the others are enough.
SHORT = 8

# The states of an endpoint and of its events, for people; `core.webhooks` explains them.
STATES = {
    "gone": "off, because it answered 410",
    "silent": "off, after three days without a success",
}
ENDS = {
    "available": "waits",
    "running": "is being sent",
    "delivered": "taken",
    "merged": "nothing was left to send",
    "dead": "given up",
}

cli = typer.Typer(
    help="Add, list, test and remove webhooks: addresses that get what becomes public.",
    no_args_is_help=True,
)

Workspace = Annotated[
    str | None,
    typer.Option(help="The id of the Slack team, T…; that of the bot's token if left out."),
]
Id = Annotated[
    str, typer.Argument(help="Its id, or the beginning that `list` shows.", metavar="ID")
]


@cli.command()
def add(
    url: Annotated[
        str, typer.Argument(help="https://…; it must answer a request now.", metavar="URL")
    ],
    *,
    severity: Annotated[
        str | None,
        typer.Option(help="The lowest that it is told of: high means high and critical."),
    ] = None,
    components: Annotated[
        str | None, typer.Option(help="Only incidents of these: names with commas between them.")
    ] = None,
    workspace: Workspace = None,
) -> None:
    """Add an address, once it has answered a signed request; print its secret, this once."""
    from bot.commands.setup import wrong
    from core.components import names_in
    from core.subscription import lowest_severity

    names = names_in(components or "")
    if components is not None and not names:
        wrong("--components names no component: leave it out for incidents of all components.")

    async def work(proving: Any, operator: Any) -> Any:
        kept, secret = await proving.add(
            operator,
            url,
            severity=None if severity is None else lowest_severity(severity),
            components=names,
        )
        known = await proving.webhooks.endpoints(operator)
        return kept, secret, [one for one in known if one.url == kept.url and one.id != kept.id]

    kept, secret, same = _asked(work, workspace)
    # Nothing but the secret goes to standard output, so that a script can read it.
    typer.echo(secret)
    typer.echo(
        f"Webhook {_short(kept)} is kept. Give this secret to its receiver: it is not shown again.",
        err=True,
    )
    if same:
        listed = ", ".join(map(_short, same))
        typer.echo(f"The address gets events twice: it is that of {listed}, too.", err=True)


@cli.command("list")
def list_webhooks(workspace: Workspace = None) -> None:
    """List the webhooks: id, address, filter, state, newest success."""
    found = _asked(lambda proving, operator: proving.webhooks.endpoints(operator), workspace)
    for one in found:
        limits = [
            *([f"{one.filter.severity.value}+"] if one.filter.severity else []),
            *(component.name for component in one.filter.components),
        ]
        typer.echo(
            f"{_short(one)}  {one.url}  ({', '.join(limits) or 'everything'}): "
            f"{STATES.get(one.state.value, one.state.value)}, "
            + _since("last success", one.last_success_at, otherwise="no success yet")
            + _since(", failing since", one.failing_since, otherwise="")
        )
    if not found:
        typer.echo("There are no webhooks. Add one with: ratchet webhooks add URL")


@cli.command()
def test(webhook: Id, workspace: Workspace = None) -> None:  # noqa: PT028 - no test of pytest
    """Send a signed request now, of type webhook.verification."""
    from bot.commands.setup import wrong

    async def work(proving: Any, operator: Any) -> Any:
        one = await _found(proving, operator, webhook)
        return await proving.test(operator, one.id)

    trial = _asked(work, workspace)
    if trial.problem:
        wrong(f"The webhook was not taken: its address {trial.problem}.", code=1)
    typer.echo(f"The address took it, and answered with {trial.status}.")


@cli.command()
def log(
    webhook: Id,
    *,
    limit: Annotated[
        str, typer.Option(help="So many of the newest, at most 100.", metavar="NUMBER")
    ] = "20",
    workspace: Workspace = None,
) -> None:
    """Show the newest events of a webhook, and what became of each."""
    from bot.commands.setup import number

    most = number("--limit", limit, least=1, most=100)

    async def work(proving: Any, operator: Any) -> Any:
        one = await _found(proving, operator, webhook)
        return one, await proving.webhooks.log(operator, one.id, limit=most)

    endpoint, found = _asked(work, workspace)
    for one in found:
        moment = f"{one.due_at:%Y-%m-%d %H:%M:%S} UTC"
        typer.echo(f"{one.uid}  {moment}  {one.event:<25}  {_end(one)}")
    if not endpoint.on:
        typer.echo(
            f"It gets nothing now: it is {STATES.get(endpoint.state.value, 'off')}, since "
            f"{endpoint.off_at:%Y-%m-%d %H:%M} UTC. What is new reaches it again after: "
            f"ratchet webhooks switch {_short(endpoint)} on",
            err=True,
        )
    if not found:
        typer.echo("Nothing has been sent to it.")


@cli.command()
def resend(
    webhook: Id,
    event: Annotated[str, typer.Argument(help="The id that `log` shows.", metavar="EVENT")],
    workspace: Workspace = None,
) -> None:
    """Send an event once more, with the same id."""
    from uuid import UUID

    from bot.commands.setup import wrong

    try:
        uid = UUID(event)
    except ValueError:
        wrong("That is no id of an event: take one from `ratchet webhooks log`.")

    async def work(proving: Any, operator: Any) -> Any:
        one = await _found(proving, operator, webhook)
        return await proving.webhooks.resend(operator, one.id, uid)

    if not _asked(work, workspace):
        wrong(
            "It has no such event that was sent or given up since it starts: see "
            "`ratchet webhooks log`. What is older, or still waits, is not sent again.",
            code=1,
        )
    typer.echo(
        "It is sent once more, without what is public no longer: `ratchet webhooks log` shows "
        "what became of it."
    )


@cli.command()
def rotate(webhook: Id, workspace: Workspace = None) -> None:
    """Give a webhook a new secret and print it, this once; the old one signs as well for a day."""
    from bot.webhooks.verifying import third_secret

    async def work(proving: Any, operator: Any) -> Any:
        one = await _found(proving, operator, webhook)
        return await proving.rotate(operator, one.id)

    rotated, secret = _asked(work, workspace)
    typer.echo(secret)
    until = f"{rotated.endpoint.rotating_until:%Y-%m-%d %H:%M} UTC"
    typer.echo(f"The secret before this one signs as well until {until}.", err=True)
    if ended := third_secret(rotated):
        typer.echo(ended, err=True)


@cli.command()
def switch(
    webhook: Id,
    state: Annotated[str, typer.Argument(help="on or off.", metavar="on|off")],
    workspace: Workspace = None,
) -> None:
    """Switch a webhook off, or on again; it gets nothing of the time between."""
    from bot.commands.setup import wrong

    if state not in {"on", "off"}:
        wrong(f'"{state}" is no state: choose on or off.')

    async def work(proving: Any, operator: Any) -> Any:
        one = await _found(proving, operator, webhook)
        return await proving.webhooks.switch(operator, one.id, on=state == "on")

    typer.echo(f"Webhook {_short(_asked(work, workspace))} is {state}.")


@cli.command()
def remove(webhook: Id, workspace: Workspace = None) -> None:
    """Remove a webhook, with its secrets and its log."""

    async def work(proving: Any, operator: Any) -> Any:
        one = await _found(proving, operator, webhook)
        return await proving.webhooks.remove(operator, one.id)

    removed = _asked(work, workspace)
    typer.echo(f"Webhook {_short(removed)} to {removed.url} is removed.")


def _asked(ask: Callable[[Any, Any], Coroutine[Any, Any, T]], workspace: str | None) -> T:
    from importlib.metadata import version

    from bot.clock import now
    from bot.commands.operator import arranged
    from bot.commands.setup import key_settings
    from bot.webhooks.outward import Outward
    from bot.webhooks.verifying import Proving
    from core.endpoints import Webhooks

    allow_private = key_settings().webhook_allow_private

    async def work(store: Any, operator: Any) -> T:
        agent = f"ratchet/{version('ratchet')}"
        async with Outward(allow_private=allow_private, agent=agent) as outward:
            return await ask(Proving(Webhooks(store, clock=now), outward, clock=now), operator)

    return arranged(work, workspace)


async def _found(proving: Any, operator: Any, named: str) -> Any:
    """The endpoint with that id, or the only one whose id begins so."""
    from bot.commands.setup import wrong
    from core.missing import NoSuchWebhook

    known = await proving.webhooks.endpoints(operator)
    begin = named.strip().lower()
    found = [one for one in known if begin and str(one.id).startswith(begin)]
    if not found:
        raise NoSuchWebhook
    if len(found) > 1:
        ids = ", ".join(str(one.id) for one in found)
        wrong(f'The ids of {len(found)} webhooks begin with "{begin}": {ids}. Write more of one.')
    return found[0]


def _end(sending: Any) -> str:
    """What became of an event: ``taken, 2 tries, sent again at …``."""
    from core.webhooks import SWITCHED_OFF

    again = _since(", sent again at", sending.resent_at, otherwise="")
    if sending.error == SWITCHED_OFF:
        return f"not sent: the webhook was switched off{again}"
    tries = "1 try" if sending.attempts == 1 else f"{sending.attempts} tries"
    error = f", {sending.error}" if sending.error else ""
    return f"{ENDS.get(sending.state, sending.state)}, {tries}{error}{again}"


def _short(endpoint: Any) -> str:
    return str(endpoint.id)[:SHORT]


def _since(words: str, at: Any, *, otherwise: str) -> str:
    return f"{words} {at:%Y-%m-%d %H:%M} UTC" if at else otherwise
