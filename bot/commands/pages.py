"""`ratchet page` and `ratchet components`: the status page, and what stands on it."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, TypeVar

import typer

T = TypeVar("T")
# Behind the place of a component that comes and goes, and of one that is hidden.
SOMETIMES = ", but only while it is not operational"
UNSEEN = ": it is on no public surface"
# The values of `core.page.ComponentStatus`; a test compares them. The help shows them without core.
STATUSES = (
    "major_outage",
    "partial_outage",
    "degraded_performance",
    "under_maintenance",
    "operational",
)

page = typer.Typer(
    help="Publish the status page, take it off, or show where it is.", no_args_is_help=True
)
components = typer.Typer(
    help="List and arrange the components of the status page.", no_args_is_help=True
)

Workspace = Annotated[
    str | None,
    typer.Option(help="The id of the Slack team, T…; that of the bot's token if left out."),
]
Position = Annotated[str | None, typer.Option(help="Its place, from 0.", metavar="NUMBER")]
Name = Annotated[str, typer.Argument(help="The name of the component.", metavar="NAME")]


@page.command()
def publish(
    *,
    title: Annotated[str | None, typer.Option(help="Its title, such as: Acme status.")] = None,
    slug: Annotated[
        str | None, typer.Option(help="Its name in addresses; made of the title if left out.")
    ] = None,
    language: Annotated[str | None, typer.Option(help="The language of dates: en, de-CH.")] = None,
    index: Annotated[bool, typer.Option("--index", help="Search engines may list it.")] = False,
    noindex: Annotated[bool, typer.Option("--noindex", help="They are told to stay away.")] = False,
    workspace: Workspace = None,
) -> None:
    """Publish the status page of a workspace, or change its settings."""
    hidden = _either("--noindex", noindex, "--index", index)
    made = _curate(
        lambda curation, operator: curation.publish(
            operator,
            title=title,
            slug=slug,
            language=language,
            noindex=hidden,
        ),
        workspace,
    )
    typer.echo(f'"{made.title}" is published at {_address(made)}.')
    if made.noindex:
        typer.echo(
            "Search engines are told to stay away; launch it with: ratchet page publish --index"
        )
    _copy_anew(needed=False)


@page.command()
def unpublish(workspace: Workspace = None) -> None:
    """Take the status page off: its addresses lead nowhere from then on."""
    former = _curate(lambda curation, operator: curation.unpublish(operator), workspace)
    typer.echo(_not_published(former))
    _copy_anew(needed=True)


def _address(found: Any) -> str:
    """The address of a published page; without STATUS_HOST and PUBLIC_URL its path alone."""
    from bot.commands.setup import public_settings
    from bot.commands.stores import opened_store
    from bot.page.addresses import root_of

    settings = public_settings()
    with opened_store() as store:
        alone = store.read_public_now(lambda reader: len(reader.pages())) == 1
    return root_of(found, settings.status_hosts, server=settings.public_url or "", alone=alone)


def _not_published(former: Any) -> str:
    """The sentence about a page that is not published; ``former`` is what is kept of one."""
    if former is None:
        return "The status page is not published. Publish it with: ratchet page publish"
    return (
        f'The status page is not published. "{former.title}" and its address '
        f"/status/{former.slug} are kept for it: ratchet page publish"
    )


@page.command()
def show(workspace: Workspace = None) -> None:
    """Show the settings of the status page."""
    known = _curate(lambda curation, operator: curation.arrangement(operator), workspace)
    found = known.page
    if found is None:
        typer.echo(_not_published(known.former))
        return
    searched = "no" if found.noindex else "yes"
    typer.echo(f"title: {found.title}\naddress: {_address(found)}\nlanguage: {found.language}")
    typer.echo(f"search engines: {searched}\npublished: {found.published_at:%Y-%m-%d %H:%M} UTC")


@components.command("list")
def list_components(workspace: Workspace = None) -> None:
    """List all components in the order of the page, those without a group last.

    Position, name, group with its position, whether the page shows it, status by hand.
    """
    from bot.clock import now
    from core.page import in_page_order

    known = _curate(lambda curation, operator: curation.arrangement(operator), workspace)
    for heading, one in in_page_order(known.components, known.groups):
        group = f" ({heading.name}, group at {heading.position})" if heading else ""
        flags = [
            "shown" if one.shown else "hidden",
            *(["only if degraded"] if one.only_if_degraded else []),
            *(["showcase"] if one.showcase else []),
            *_by_hand(one, now()),
        ]
        typer.echo(f"{one.position:>4}  {one.name}{group}: {', '.join(flags)}")
    if not known.components:
        typer.echo("There are no components. Add one with: ratchet components add NAME")


@components.command()
def add(
    name: Name,
    *,
    description: Annotated[str | None, typer.Option(help="A sentence for the page.")] = None,
    group: Annotated[
        str | None, typer.Option(help="Its heading; +NAME: new, although like another.")
    ] = None,
    workspace: Workspace = None,
) -> None:
    """Add a component; the page shows it."""
    from core.arranging import ComponentChange

    asked = ComponentChange(name=name, description=description, group=group)

    async def work(curation: Any, operator: Any) -> Any:
        made = await curation.add_component(operator, asked)
        return made, (await curation.arrangement(operator)).page

    made, published = _curate(work, workspace)
    one = made.component
    typer.echo(f"{one.name} is a component, and {_shown(one, published)}.{_made(made)}")


def _by_hand(one: Any, at: datetime) -> list[str]:
    """The status by hand that is in force, with its end in UTC; none if incidents decide."""
    found = one.by_hand(at)
    if found is None:
        return []
    end = f"{found.until.astimezone(UTC):%Y-%m-%d %H:%M} UTC" if found.until else "it is cleared"
    return [f"{found.status.words.lower()} by hand until {end}"]


def _made(made: Any) -> str:
    """A sentence about the group that was made for a component; empty if none was."""
    return f" The group {made.new_group} is made." if made.new_group else ""


def _shown(made: Any, published: Any) -> str:
    """Where a component is seen; ``published`` is the page, None if there is none."""
    if not made.shown:
        return "hidden"
    when = "" if published else " once it is published"
    return f"on the page{when}{SOMETIMES if made.only_if_degraded else ''}"


@components.command()
def change(
    name: Name,
    *,
    rename: Annotated[str | None, typer.Option(help="Its new name.")] = None,
    description: Annotated[
        str | None, typer.Option(help='A sentence for the page; "" for none.')
    ] = None,
    group: Annotated[
        str | None,
        typer.Option(help='Its heading; "" for none; +NAME: new, although like another.'),
    ] = None,
    position: Position = None,
    show: Annotated[bool, typer.Option("--show", help="The page shows it.")] = False,
    hide: Annotated[bool, typer.Option("--hide", help="It is on no public surface.")] = False,
    showcase: Annotated[bool, typer.Option("--showcase", help="Clients feature it.")] = False,
    no_showcase: Annotated[bool, typer.Option("--no-showcase", help="They do not.")] = False,
    only_if_degraded: Annotated[
        bool, typer.Option("--only-if-degraded", help="Show it only while it is not well.")
    ] = False,
    always: Annotated[bool, typer.Option("--always", help="Show it always.")] = False,
    start_date: Annotated[
        str | None, typer.Option(help='The first day of its record, 2026-03-01; "" for none.')
    ] = None,
    workspace: Workspace = None,
) -> None:
    """Change what the page says of a component."""
    from datetime import date

    from bot.commands.setup import wrong
    from core.arranging import ComponentChange

    flags = {
        "shown": _either("--show", show, "--hide", hide),
        "showcase": _either("--showcase", showcase, "--no-showcase", no_showcase),
        "only_if_degraded": _either("--only-if-degraded", only_if_degraded, "--always", always),
    }
    _something(
        [rename, description, group, position, start_date, *flags.values()],
        "--rename, --description, --group, --position, --show, --hide, --showcase, --no-showcase, "
        "--only-if-degraded, --always or --start-date",
    )
    given = {"description": description, "group": group, "start_date": start_date}
    try:
        first = date.fromisoformat(start_date) if start_date else None
    except ValueError:
        wrong(f'--start-date "{start_date}" is no day: write one such as 2026-03-01.')
    asked = ComponentChange(
        name=rename,
        description=description or None,
        group=group or None,
        position=_position(position),
        start_date=first,
        **flags,
        cleared=frozenset(field for field, value in given.items() if value == ""),
    )

    async def work(curation: Any, operator: Any) -> Any:
        made = await curation.change_component(operator, name, asked)
        return made, await curation.arrangement(operator)

    made, known = _curate(work, workspace)
    one, seen = made.component, _shown(made.component, known.page)
    if not made.changed:
        typer.echo(f"Nothing was changed: {one.name} is {seen}.")
        return
    facts = [_fact(field, one, known) for field in made.changed]
    where = f" It is {seen}." if seen not in facts else ""
    told = ", ".join(facts).removesuffix(".")
    typer.echo(f"{one.name} is changed: {told}.{where}{_made(made)}")


def _fact(field: str, one: Any, known: Any) -> str:
    """What a field that was changed is now."""
    match field:
        case "shown":
            return _shown(one, known.page)
        case "showcase":
            return "showcase" if one.showcase else "no showcase"
        case "only_if_degraded":
            return "shown only if degraded" if one.only_if_degraded else "shown always"
        case "group":
            found = next((each.name for each in known.groups if each.id == one.group), None)
            return f"group {found}" if found else "no group"
    value, words = getattr(one, field), field.replace("_", " ")
    return f"no {words}" if value is None else f"{words} {value}"


@components.command("group")
def change_group(
    name: Annotated[str, typer.Argument(help="The name of the group.", metavar="NAME")],
    *,
    rename: Annotated[str | None, typer.Option(help="Its new name.")] = None,
    position: Position = None,
    description: Annotated[
        str | None, typer.Option(help='A sentence for the page; "" for none.')
    ] = None,
    workspace: Workspace = None,
) -> None:
    """Change a group; its components stay in it."""
    _something([rename, position, description], "--rename, --position or --description")
    place = _position(position)
    made = _curate(
        lambda curation, operator: curation.change_group(
            operator, name, rename=rename, position=place, description=description
        ),
        workspace,
    )
    typer.echo(f"The group {made.name} stands at {made.position}.")


@components.command()
def override(
    name: Name,
    status: Annotated[
        str, typer.Argument(help=f"{', '.join(STATUSES)}, or clear.", metavar="STATUS")
    ],
    *,
    until: Annotated[
        str | None, typer.Option(help="Its end in UTC, 2026-03-01T15:00; without: until cleared.")
    ] = None,
    reason: Annotated[str | None, typer.Option(help="PRIVATE: why.")] = None,
    workspace: Workspace = None,
) -> None:
    """Give a component a status by hand, or clear it: then its incidents decide again."""
    from bot.clock import now
    from bot.commands.setup import wrong
    from core.page import ComponentStatus

    if status not in {*STATUSES, "clear"}:
        wrong(f'There is no status "{status}": choose {", ".join(STATUSES)} or clear.')
    try:
        end = datetime.fromisoformat(until) if until else None
    except ValueError:
        wrong(f'--until "{until}" is no moment: write one such as 2026-03-01T15:00.')
    end = end and (end if end.tzinfo else end.replace(tzinfo=UTC))

    async def work(curation: Any, operator: Any) -> Any:
        given = None if status == "clear" else ComponentStatus(status)
        changed = await curation.override(operator, name, given, until=end, reason=reason)
        return changed, (await curation.arrangement(operator)).page

    made, published = _curate(
        work,
        workspace,
    )
    [said] = _by_hand(made, now()) or ["its incidents decide"]
    seen = _shown(made, published)
    where = "" if seen == "on the page" else f" It is {seen}{'' if made.shown else UNSEEN}."
    typer.echo(f"{made.name}: {said}.{where}")


def _either(one: str, is_one: bool, other: str, is_other: bool) -> bool | None:  # noqa: FBT001 - two flags beside their names
    """The choice between two flags, None if neither is given. Ends the program if both are."""
    from bot.commands.setup import wrong

    if is_one and is_other:
        wrong(f"{one} and {other} contradict each other: give one of them.")
    return True if is_one else False if is_other else None


def _position(text: str | None) -> int | None:
    """The number of ``--position``, None if it is not given."""
    from bot.commands.setup import number
    from core.arranging import POSITION_MAX

    return None if text is None else number("--position", text, least=0, most=POSITION_MAX)


def _something(given: Sequence[object], options: str) -> None:
    """Ends the program if no option is given, since nothing would be changed."""
    from bot.commands.setup import wrong

    if all(one is None for one in given):
        wrong(f"Nothing was asked, so nothing was changed: give {options}.")


def _copy_anew(*, needed: bool) -> None:
    """Makes the copy in PUBLISH_DIR anew, or takes it away: no server may be there to do it.

    ``needed``: the program ends with 1 if it cannot.
    """
    from bot.clock import now
    from bot.commands.setup import public_settings, wrong
    from bot.commands.stores import opened_store
    from bot.publishing.copying import copy_of
    from bot.publishing.folder import NotPublished

    settings = public_settings()
    if settings.publish_dir is None:
        return
    with opened_store() as store:
        try:
            made = copy_of(store, settings.publish_dir, settings, clock=now).make()
        except NotPublished as error:
            if needed:
                wrong(error, code=1)
            typer.echo(error, err=True)
            return
    there = "is made anew" if made else "is taken away"
    typer.echo(f"The static copy in {settings.publish_dir} {there}.")


def _curate(ask: Callable[[Any, Any], Coroutine[Any, Any, T]], workspace: str | None) -> T:
    from bot.clock import now
    from bot.commands.operator import arranged
    from core.curating import Curation

    return arranged(lambda store, operator: ask(Curation(store, clock=now), operator), workspace)
