"""The errors that need no incident, and the suggestion for a slip.

`core.refusals` has the others, and draws the tree of them all.

A message says what is true and what to do instead; it may quote what the actor typed as a name
(a status, a component), never a body: bodies may be notes, and messages reach logs and APIs.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The one of ``known`` that ``word`` is most likely a slip of, None where nothing is close."""
    matches = get_close_matches(word.casefold(), tuple(known), n=1, cutoff=0.6)
    return matches[0] if matches else None


def closest(word: str, known: Iterable[str]) -> str:
    """``: did you mean x?`` where one of ``known`` is close, else nothing."""
    match = nearest(word, known)
    return f': did you mean "{match}"?' if match else ""


class UserError(Exception):
    """Something that the person can put right. Never raised itself."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


# What a field is called in a sentence, where its own name makes none.
FIELD_NAMES = {"started_at": "time of the start"}


class InvalidField(UserError):
    """``field`` names what was given, such as ``public_update``; ``problem`` what ails it."""

    def __init__(self, field: str, problem: str) -> None:
        super().__init__(f"The {FIELD_NAMES.get(field, field.replace('_', ' '))} {problem}.")
        self.field = field
        self.problem = problem


class EmptyUpdate(UserError):
    """Raised for a change that names no status, no text and no fact."""

    def __init__(self) -> None:
        super().__init__("Choose a next step, or write a public update or a note.")


class UnknownLifecycle(UserError):
    """``known`` are the names that there are."""

    def __init__(self, asked: str, known: tuple[str, ...]) -> None:
        super().__init__(
            f'There is no lifecycle "{asked}"{closest(asked, known) or "."} '
            f"Lifecycles: {', '.join(known)}."
        )
        self.asked = asked
        self.known = known


@dataclass(frozen=True, slots=True)
class LifecycleProblem:
    """One thing wrong in a lifecycle file. ``place`` is the dotted path of the table or key."""

    place: str
    problem: str

    def __str__(self) -> str:
        return f"{self.place} {self.problem}"


class InvalidLifecycles(Exception):
    """Every problem of a lifecycle file, in its order. For the operator; nothing was loaded."""

    def __init__(self, problems: Iterable[LifecycleProblem]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(map(str, self.problems)))
