"""The words of ``/incident list``: a scope, a severity, a status. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from bot.slack.likeness import near
from bot.slack.references import plain_word
from bot.slack.requests import Choice, Question, ShowBoard, UsageError
from bot.slack.typed import Typed, option, other_school, quoted
from bot.slack.verbs import COMMAND
from core.boards import BoardFilter, Scope
from core.errors import nearest
from core.incident import Severity
from core.lifecycle import NAME
from core.texts import listed

# Other words for the scopes. They only lead to suggestions.
_OTHER_SCOPES = {
    "my": Scope.MINE,
    "me": Scope.MINE,
    "own": Scope.MINE,
    "every": Scope.ALL,
    "everything": Scope.ALL,
    "ended": Scope.ALL,
    "active": Scope.OPEN,
    "current": Scope.OPEN,
    "unresolved": Scope.OPEN,
}


# Between several values of one option.
_SEVERAL = re.compile(r"[,;/|&+]")
# Other words for the options. They only lead to suggestions, too.
_OTHER_KEYS = {
    "sev": "severity",
    "priority": "severity",
    "prio": "severity",
    "state": "status",
}


class _Said:
    """The words of a list as far as they are understood, with everything that is wrong.

    ``values`` has each option with the values that were named, in the order of the words.
    ``unknown`` are words that are none of a list, ``wrong`` sentences about options. ``guessed``:
    a value is what such a word may mean.
    """

    def __init__(self) -> None:
        self.values: dict[str, list[str]] = {}
        self.unknown: list[str] = []
        self.wrong: list[str] = []
        self.guessed = False

    def add(self, key: str, value: str) -> None:
        """Adds ``value``, unless it was named before."""
        named = self.values.setdefault(key, [])
        if value not in named:
            named.append(value)

    @property
    def asks(self) -> bool:
        """Whether anything is unclear in the words themselves."""
        several = any(len(named) > 1 for named in self.values.values())
        return bool(self.unknown or self.wrong or several)


def read_list(typed: Typed) -> ShowBoard:
    """The list that is asked for.

    Raises:
        Question: a word is none of a list, or two words exclude each other. Each button has a list
            that was probably meant, and every word of it that was understood.
        UsageError: a value is a slip of another one.
    """
    said = _Said()
    while token := typed.word():
        try:
            _read_word(token, said, typed)
        except UsageError as wrong:
            if wrong.suggestion:
                raise
            said.wrong.append(" ".join(filter(None, [wrong.problem, wrong.hint])))
    boards = list(dict.fromkeys(_boards(said, typed)))
    if len(boards) == 1 and not said.asks:
        return boards[0]
    choices = [Choice(board) for board in boards]
    raise Question(" ".join(_problems(said, boards, typed)), choices, usage=typed.verb.usage)


def _read_word(token: str, said: _Said, typed: Typed) -> None:
    """Adds ``token``, and the value behind it, to what is ``said``.

    Raises:
        UsageError: the key or the value of an option is none.
    """
    key, value = _option(token, typed)
    if not key:
        said.unknown.append(token)
        key, value = _meant(token, typed)
        said.guessed = said.guessed or bool(key)
        if key:
            said.add(key, value)
        return
    if key == "scope":
        said.add(key, value)
        return
    for one in filter(None, _SEVERAL.split(value)):
        if key == "severity":
            said.add(key, typed.severity(one).value)
        elif plain_word(one) in {*Scope} - {*typed.known.statuses}:
            said.unknown.append(token)
            said.guessed = True
            said.add("scope", plain_word(one))
        else:
            said.add(key, _status_filter(one, typed))


def _problems(said: _Said, boards: Sequence[ShowBoard], typed: Typed) -> Iterator[str]:
    """The sentences of a question."""
    yield from said.wrong
    if said.unknown:
        yield f"I can't list {quoted(' '.join(said.unknown))}."
    for key, named in said.values.items():
        if len(named) > 1:
            yield f"A list has one {key}: {listed(named, last='or')}?"
    if ended := _ended(said, typed):
        yield f"No open incident is {listed(ended, last='or')}."
    if len(boards) > 1:
        return
    if said.guessed:
        yield f"Did you mean `{COMMAND} list {' '.join(_words(said))}`?"
    elif said.unknown:
        yield _hint(said.unknown)


def _words(said: _Said) -> Iterator[str]:
    for key, (value, *_) in said.values.items():
        yield value if key == "scope" else f"{key}:{value}"


def _hint(unknown: Sequence[str]) -> str:
    if any(word.isdigit() or near(word, ("page",)) for word in map(plain_word, unknown)):
        return "A list has pages of ten, with Previous and Next under them."
    return "Try open, all or mine."


def _boards(said: _Said, typed: Typed) -> Iterator[ShowBoard]:
    """A list for each combination of the values, none of which can find nothing by its words."""
    scopes: list[Scope | None] = [Scope(one) for one in said.values.get("scope", ())]
    severities: list[Severity | None] = [Severity(one) for one in said.values.get("severity", ())]
    statuses: list[str | None] = [*said.values.get("status", ())]
    for scope in scopes or [None]:
        for severity in severities or [None]:
            for status in statuses or [None]:
                yield from _of_words(scope, severity, status, said, typed)


def _of_words(
    scope: Scope | None, severity: Severity | None, status: str | None, said: _Said, typed: Typed
) -> Iterator[ShowBoard]:
    ends = status is not None and status in typed.known.ends
    if scope in {None, Scope.ALL} or status is None or not ends:
        # No open incident has a status that ends it.
        yield _board(scope or (Scope.ALL if ends else Scope.OPEN), severity, status)
    elif status in _goes_on(typed) and not said.asks:
        # Of another lifecycle it ends none.
        yield _board(scope, severity, status)
    else:
        if scope is Scope.OPEN:
            yield _board(Scope.ALL, severity, None)
        yield _board(Scope.ALL, severity, status)
        yield _board(scope, severity, None)


def _board(scope: Scope, severity: Severity | None, status: str | None) -> ShowBoard:
    return ShowBoard(narrowed=BoardFilter(scope=scope, severity=severity, status=status))


def _ended(said: _Said, typed: Typed) -> list[str]:
    """The statuses that no incident of the scope has, because each of them ends it."""
    if not {Scope.OPEN, Scope.MINE} & set(said.values.get("scope", ())):
        return []
    ends = typed.known.ends - _goes_on(typed)
    return [status for status in said.values.get("status", ()) if status in ends]


def _goes_on(typed: Typed) -> frozenset[str]:
    """The statuses that do not end an incident of some lifecycle."""
    return frozenset(
        status.name for one in typed.catalogue for status in one.statuses if not status.terminal
    )


def _option(token: str, typed: Typed) -> tuple[str, str]:
    """The option that ``token`` names, and its value; two empty ones if it names none of a list."""
    if (scope := plain_word(token)) in {*Scope}:
        return "scope", scope
    key, value = option(token)
    if not key or key in _OTHER_KEYS:
        return "", ""
    key = typed.one_of(
        ("severity", "status"), key, name="option", hint="Options: severity:, status:."
    )
    value = value or typed.word()
    if not value:
        raise typed.wrong(f"The value of `{key}:` is missing.")
    return key, value


def _meant(token: str, typed: Typed) -> tuple[str, str]:
    """The option that ``token`` may stand for, and its value; two empty ones if none."""
    key, value = option(token)
    word = plain_word(value or typed.word()) if key else plain_word(token)
    only = _OTHER_KEYS.get(key, "")
    severity = near(word, [one.value for one in Severity]) or other_school(word)
    if severity and only != "status":
        return "severity", severity
    status = near(word, typed.known.statuses)
    scope = None if only else _OTHER_SCOPES.get(word) or near(word, Scope)
    if scope and status != word:
        return "scope", scope
    if status and only != "severity":
        return "status", status
    scope = None if only else nearest(word, Scope)
    return ("scope", scope) if scope else ("", "")


def _status_filter(word: str, typed: Typed) -> str:
    known = typed.known.statuses
    # Incidents keep a lifecycle that has left the catalogue, so an unknown status may still exist;
    # one that is close to a known status is a slip.
    if word.casefold() in known or (NAME.fullmatch(word.casefold()) and not nearest(word, known)):
        return word.casefold()
    return typed.one_of(known, word, name="status")
