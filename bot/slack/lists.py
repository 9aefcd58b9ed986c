"""Lists of incidents: the tray, the Home tab, the board. Pure."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from functools import partial

from bot.slack import channels
from bot.slack.blocks import (
    Json,
    actions,
    button,
    context,
    message,
    option,
    overflow,
    section,
)
from bot.slack.buttons import (
    board_button,
    board_value,
    declare_button,
    first_steps,
    help_button,
    menu_step_value,
    move,
    news_button,
)
from bot.slack.markup import (
    moment,
    shown,
)
from bot.slack.pressed import Dialog, encode
from bot.slack.questions import board_words
from bot.slack.requests import (
    ShowBoard,
)
from bot.slack.words import (
    PRIVATE,
    dot,
    in_words,
    named,
    owned_by,
    page_of,
    status_name,
    status_word,
)
from core.boards import BoardFilter, Scope
from core.incident import Incident, Severity
from core.ranking import COUNTED_MAX, Ranking, counted
from core.times import duration

TRAY_ROWS = 10
# The others are looked for behind at most so many that stand in front of them.
FIRST_MAX = 40


def beside(first: Ranking) -> int:
    """The incidents to read for a list that has its ``first`` ones in front of the others."""
    return TRAY_ROWS + min(first.total, FIRST_MAX)


def tray(
    here: Ranking,
    everywhere: Ranking,
    *,
    channel: str | None,
    at: datetime,
    responds: bool = True,
) -> Json:
    """The open incidents: those with their card in ``channel``, then the others, worst first."""
    heading, others = "Open here", everywhere.items
    if channel and here.total > len(here.items):
        heading += f" ({_count(len(here.items), here.total)})"
        others = tuple(one for one in others if not one.shows_card_in(channel))
    elsewhere = replace(everywhere, items=others)
    return _open(heading, here, "Open elsewhere", elsewhere, at=at, responds=responds)


def home(
    mine: Ranking,
    everywhere: Ranking,
    *,
    at: datetime,
    page: str | None = None,
    responds: bool = True,
) -> Json:
    """The Home tab: the open incidents with their next steps, the reader's own first.

    ``page`` is the status page as a link, if it is published.
    """
    yours = f"Yours ({_count(len(mine.items), mine.total)})"
    others = everywhere.items
    if mine.total > len(mine.items):
        owners = {incident.owner for incident in mine.items}
        others = tuple(one for one in others if one.owner not in owners)
    everyone = replace(everywhere, items=others)
    listed = _open(yours, mine, "Others", everyone, at=at, responds=responds)["blocks"]
    made = context(f"As of {moment(at, seen_from=at)}", *([f"Status page: {page}"] if page else []))
    return {"type": "home", "blocks": [*listed, made]}


def _open(
    first: str,
    listed: Ranking,
    rest: str,
    others: Ranking,
    *,
    at: datetime,
    responds: bool,
) -> Json:
    """The incidents ``listed`` under the heading ``first``, and those of ``others`` below.

    The total of ``others`` counts those ``listed`` as well.

    ``responds``: the reader may declare incidents and move them.
    """
    chosen, known = listed.items, {incident.id for incident in listed.items}
    rows = [one for one in others.items if one.id not in known][: max(3, TRAY_ROWS - len(chosen))]
    controls = actions([*_declare(responds), board_button(), news_button(), help_button()])
    if not chosen and not rows:
        return message(
            ["All quiet.", "Nothing is open."], [section("All quiet. Nothing is open."), *controls]
        )
    counts = others.total <= COUNTED_MAX
    total = max(others.total - listed.total, len(rows)) if counts else others.total
    count = f"{rest if chosen else 'Open'} ({_count(len(rows), total)})"
    told: list[str] = []
    blocks: list[Json] = []
    for heading, incidents in ((first, chosen), (count, rows)):
        if incidents or (heading == count and total):
            told += [
                f"{heading}:",
                *(f"{_line(i, at=at)}; next: {in_words(i.next_steps)}." for i in incidents),
            ]
            blocks += [section(f"*{heading}*")]
            rows_of = partial(incident_row, at=at, responds=responds)
            blocks += [block for incident in incidents for block in rows_of(incident)]
    return message(told, [*blocks, *controls])


def _declare(responds: bool) -> list[Json]:  # noqa: FBT001 - one private claim
    return [declare_button()] if responds else []


def _count(shown_here: int, total: int) -> str:
    """``3``, if these are all; ``10 of 31``; ``10 of more than 500``."""
    return f"{shown_here}" if shown_here == total else f"{shown_here} of {counted(total)}"


def incident_row(incident: Incident, *, at: datetime, responds: bool = True) -> list[Json]:
    """One incident in a list, with the buttons that its reader may use.

    More than three next steps are in the dialog. ``responds``: the reader is a responder.
    """
    if not responds:
        return [{**section(_line(incident, at=at, bold=True)), "accessory": _show(incident)}]
    controls = [*first_steps(incident), _row_menu(incident)]
    return [section(_line(incident, at=at, bold=True)), *actions(controls)]


def _show(incident: Incident) -> Json:
    return button("Show", action_id="show", value=encode("show", incident.id))


def _row_menu(incident: Incident) -> Json:
    options = [
        option("Update…", encode(Dialog.UPDATE, incident.id, incident.status)),
        option("Show", encode("show", incident.id)),
        option("Timeline", encode("timeline", incident.id, None)),
    ]
    return overflow(options, action_id="menu")


def _line(incident: Incident, *, at: datetime, bold: bool = False) -> str:
    """``INC-42 Checkout is down · high · Identified · 35 min · @mia``, at most 600 characters.

    A title that is too long for a list is shown whole by ``show``.
    """
    name = f"*{named(incident)}*" if bold else incident.name
    age = duration(at - incident.started_at)
    if incident.terminal:
        age = f"started {moment(incident.started_at, seen_from=at)}"
    severe = bold and incident.severity in {Severity.CRITICAL, Severity.HIGH}
    parts = [
        f"{dot(incident.severity, incident.public_word)} {name} {shown(incident.title, 300)}",
        f"*{incident.severity}*" if severe else incident.severity.value,
        status_name(incident.status),
        age,
        owned_by(incident),
    ]
    readers = f"{PRIVATE} private" if incident.private else None
    return " · ".join([*parts, *filter(None, [channels.link(incident), readers])])


def board(page: Ranking, asked: ShowBoard, *, at: datetime, responds: bool = True) -> Json:
    """A page of incidents in the order of `Rank`, with Previous and Next if there are more."""
    heading = _board_heading(asked.narrowed)
    if not page.items:
        told = [f"{heading}: none."]
        offered = [*_wider(asked.narrowed), *_declare(responds), help_button()]
        return message(told, [section(told[0]), *actions(offered)])
    heading += f" · {_place_in(page)}"
    rows = [
        {
            **section(_line(incident, at=at, bold=True)),
            "accessory": _board_menu(incident) if responds else _show(incident),
        }
        for incident in page.items
    ]
    told = [f"{heading}:", *(f"{_line(incident, at=at)}." for incident in page.items)]
    return message(told, [section(f"*{heading}*"), *rows, *actions(_board_pages(page, asked))])


def _wider(narrowed: BoardFilter) -> list[Json]:
    """The button of the same list with the incidents that have ended; none if it has these."""
    if narrowed.scope is Scope.ALL or not (narrowed.severity or narrowed.status):
        return []
    wider = replace(narrowed, scope=Scope.ALL)
    value = board_value(ShowBoard(narrowed=wider))
    return [button(f"List {board_words(wider)}", action_id="board:all", value=value)]


def _place_in(page: Ranking) -> str:
    """`page_of`; without a place, if more stand above the page than are counted."""
    total = counted(page.total)
    if page.above > COUNTED_MAX:
        return f"{len(page.items)} of {total}"
    return page_of(total, page.above, len(page.items))


def _board_heading(narrowed: BoardFilter) -> str:
    heading = {
        Scope.OPEN: "Open incidents",
        Scope.ALL: "All incidents",
        Scope.MINE: "Your open incidents",
    }[narrowed.scope]
    facts = [narrowed.severity, narrowed.status and status_word(narrowed.status)]
    listed = ", ".join(fact for fact in facts if fact)
    return f"{heading} ({listed})" if listed else heading


def _board_menu(incident: Incident) -> Json:
    id_, status = incident.id, incident.status
    steps = [
        option(move(step), menu_step_value(incident, step)) for step in incident.next_steps[:2]
    ]
    if not incident.terminal:
        steps.append(option("Update…", encode(Dialog.UPDATE, id_, status)))
    reads = [
        option("Show", encode("show", id_)),
        option("Timeline", encode("timeline", id_, None)),
    ]
    return overflow([*steps, *reads], action_id="menu")


def _board_pages(page: Ranking, asked: ShowBoard) -> list[Json]:
    newer = ShowBoard(narrowed=asked.narrowed, after=page.newer)
    older = ShowBoard(narrowed=asked.narrowed, before=page.older)
    buttons = []
    if page.newer is not None:
        buttons.append(button("Previous", action_id="newer", value=board_value(newer)))
    if page.older is not None:
        buttons.append(button("Next", action_id="older", value=board_value(older)))
    return buttons
