"""The dialog for a declaration that cannot be read, filled in with what can be. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence

from bot.slack.declare_words import AUDIENCES, KEYS, whole_start
from bot.slack.heads import audience_within
from bot.slack.likeness import near
from bot.slack.references import plain_word
from bot.slack.requests import OpenDeclare
from bot.slack.tokens import joined
from bot.slack.typed import Typed, unquoted
from core.components import names_in
from core.incident import Severity
from core.times import start_of, written_start

_KEYED = re.compile(r"[-–—−]*([A-Za-z]+)[=:：＝](.*)", re.DOTALL)


def draft_of(typed: Typed) -> OpenDeclare:
    """The dialog with the readable options of the declaration ``typed``, and the rest as its title.

    A misspelt option has the value that ``typed`` reads in its place.

    It is private wherever the text may ask for that: its author sees the box before it is declared.
    """
    known = typed.known
    title: list[str] = []
    found: dict[str, list[str]] = {}
    waiting = typed.tokens()
    private = known.secluded or bool(audience_within(" ".join(waiting)))
    while waiting:
        token = waiting.pop(0)
        keyed = _KEYED.fullmatch(token)
        key = typed.fixed(keyed[1].casefold()) if keyed else ""
        word = re.sub(r"^\W+|\W+$", "", plain_word(token))
        private = private or "private" in (key, word) or near(word, ("private",)) is not None
        if keyed and key in KEYS:
            value = unquoted(keyed[2] or (waiting.pop(0) if waiting else ""))
            value = whole_start(value, waiting, known) if key == "since" else value
            found.setdefault(key, []).append(value)
        elif key not in AUDIENCES:
            title.append(token)
    while title and title[-1].casefold() == "private":
        title.pop()
    # Two starts are no start: the dialog shows both, and takes neither.
    since = " ".join(found.get("since", []))
    start = start_of(since, at=known.at, zone=known.zone)
    severity = _only(found.get("severity", []), [one.value for one in Severity], typed)
    return OpenDeclare(
        title=joined(title),
        severity=Severity(severity) if severity else None,
        lifecycle=_only(found.get("lifecycle", []), [one.name for one in typed.catalogue], typed),
        components=names_in(",".join(found.get("components", []))),
        private=private,
        since=written_start(start.at, known.zone) if start else since,
    )


def _only(values: Sequence[str], known: Sequence[str], typed: Typed) -> str | None:
    """The one of ``known`` that ``values`` name; None if they name none or several."""
    plain = (typed.fixed(plain_word(value)) for value in values)
    named = {word for word in plain if word in known}
    return named.pop() if len(named) == 1 else None
