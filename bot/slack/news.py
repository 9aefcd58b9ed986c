"""What is new on incidents since a person's last act or catch-up, in eight lines. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from bot.slack.blocks import Json, actions, context, message, paragraphs, section
from bot.slack.buttons import board_button, catch_up_button, every_step, timeline_button
from bot.slack.markup import moment, shown
from bot.slack.words import about, deed, dot, readers_of, status_name
from core.catching import News, OpenNews
from core.incident import Update, Visibility
from core.texts import one_line

LINES_MAX = 8


def caught_up(news: News, *, at: datetime) -> Json:
    """What is new on one incident, newest first, to one person alone."""
    incident = news.incident
    standing = f"{incident.name} is *{status_name(incident.status)}* ({incident.severity})"
    told = [about(standing, incident), _heading(news, at=at)]
    room = LINES_MAX - len(told)
    few = len(news.entries) <= room and news.count == len(news.entries)
    lines = [_line(one, at=at) for one in news.entries[: room if few else room - 1]]
    if left := news.count - len(lines):
        lines.append(f"… and {left} more: the timeline has them all.")
    buttons = [*every_step(incident), timeline_button(incident)]
    return message(
        [*told, *lines],
        [*paragraphs(told, between="\n"), *paragraphs(lines, between="\n"), *actions(buttons)],
    )


def _heading(news: News, *, at: datetime) -> str:
    since = ""
    if news.since:
        last = "last catch-up" if news.caught_up else "last act"
        since = f" since your {last}, {moment(news.since, seen_from=at)}"
    if not news.count:
        return f"Nothing is new{since}."
    return f"New{since}: {_entries(news.count)}."


def _entries(count: int) -> str:
    return "1 entry" if count == 1 else f"{count} entries"


def _line(update: Update, *, at: datetime) -> str:
    line = f"{moment(update.at, seen_from=at)} {deed(update)}"
    if update.redacted and update.visibility is Visibility.INTERNAL:
        return f"{line} · _withdrawn_"
    if update.body is None:
        return line
    return f'{line} · {readers_of(update)}: "{shown(one_line(update.body), 200)}"'


def open_news(found: OpenNews, *, at: datetime) -> Json:
    """The open incidents with something new, a line each, to one person alone."""
    told = list(_summary(found))
    room = LINES_MAX - len(told)
    rows = found.news if len(found.news) <= room else found.news[: room - 1]
    lines = [_row(one, at=at) for one in rows]
    blocks = [
        {**section(line), "accessory": catch_up_button(one.incident)}
        for one, line in zip(rows, lines, strict=True)
    ]
    if left := len(found.news) - len(rows):
        lines.append(f"… and {left} more.")
        blocks.append(context(lines[-1]))
    return message([*told, *lines], [*paragraphs(told), *blocks, *actions([board_button()])])


def _summary(found: OpenNews) -> Iterator[str]:
    count = len(found.news)
    if not count:
        yield "Nothing is new on any open incident."
    else:
        yield f"{count} open incident{' has' if count == 1 else 's have'} something new for you:"
    if found.total > found.looked_at:
        yield f"Only the {found.looked_at} worst of the open ones were looked at."


def _row(news: News, *, at: datetime) -> str:
    incident = news.incident
    parts = [
        f"{dot(incident.severity, incident.public_word)} *{incident.name}*",
        shown(incident.title, 200),
        incident.severity.value,
        status_name(incident.status),
        _entries(news.count),
    ]
    if news.entries:
        newest = news.entries[0]
        parts.append(f"last: {deed(newest)} {moment(newest.at, seen_from=at)}")
    return " · ".join(parts)
