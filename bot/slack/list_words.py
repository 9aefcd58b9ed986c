"""The words of ``/incident list``: a scope, a severity, a status. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from bot.slack.likeness import near
from bot.slack.references import plain_word
from bot.slack.requests import Choice, Question, ShowBoard
from bot.slack.typed import Typed, option, other_school, quoted
from bot.slack.verbs import COMMAND
from core.boards import BoardFilter, Scope
from core.errors import nearest
from core.incident import Severity
from core.lifecycle import NAME

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


# Other words for the options. They only lead to suggestions, too.
_OTHER_KEYS = {
    "sev": "severity",
    "priority": "severity",
    "prio": "severity",
    "state": "status",
}


def read_list(typed: Typed) -> ShowBoard:
    """The list that is asked for.

    Raises:
        Question: a word is none of a list; the button has the list that was probably meant.
    """
    asked: dict[str, str] = {}
    unknown: list[str] = []
    meant: list[str] = []
    while token := typed.word():
        key, value = _option(token, typed)
        if not key:
            unknown.append(token)
            key, value = _meant(token, typed)
            if not key or key in asked:
                continue
            meant.append(value if key == "scope" else f"{key}:{value}")
        if key in asked:
            raise typed.wrong(f"The {key} is named twice.")
        asked[key] = value
    board = _board(asked, typed)
    if unknown:
        problem = f"I can't list {quoted(' '.join(unknown))}. {_hint(unknown, meant)}"
        raise Question(problem, [Choice(board)], usage=typed.verb.usage)
    return board


def _hint(unknown: Sequence[str], meant: Sequence[str]) -> str:
    if meant:
        return f"Did you mean `{COMMAND} list {' '.join(meant)}`?"
    if any(word.isdigit() or near(word, ("page",)) for word in map(plain_word, unknown)):
        return "A list has pages of ten, with Previous and Next under them."
    return "Try open, all or mine."


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


def _board(asked: Mapping[str, str], typed: Typed) -> ShowBoard:
    status = _status_filter(asked["status"], typed) if "status" in asked else None
    # No open incident has a status that ends it.
    scope = Scope.ALL if status in typed.known.ends else Scope.OPEN
    return ShowBoard(
        narrowed=BoardFilter(
            scope=Scope(asked.get("scope", scope)),
            severity=typed.severity(asked["severity"]) if "severity" in asked else None,
            status=status,
        )
    )


def _status_filter(word: str, typed: Typed) -> str:
    known = typed.known.statuses
    # Incidents keep a lifecycle that has left the catalogue, so an unknown status may still exist;
    # one that is close to a known status is a slip.
    if word.casefold() in known or (NAME.fullmatch(word.casefold()) and not nearest(word, known)):
        return word.casefold()
    return typed.one_of(known, word, name="status")
