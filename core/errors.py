"""The errors that need no incident, and the suggestion for a slip.

`core.refusals` draws the tree of all errors, and says which modules have the others.

A message says what is true and what to do instead; it may quote what the actor typed as a name
(a status, a component), never a body: bodies may be notes, and messages reach logs and APIs.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches

from core.advice import Advice, Way


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The closest match for ``word`` in ``known``, or None."""
    matches = get_close_matches(word.casefold(), tuple(known), n=1, cutoff=0.6)
    return matches[0] if matches else None


def closest(word: str, known: Iterable[str]) -> str:
    """``: did you mean "x"?`` for the closest match in ``known``, otherwise an empty string."""
    match = nearest(word, known)
    return f': did you mean "{match}"?' if match else ""


class UserError(Exception):
    """An error that the person can correct. Only subclasses are raised.

    ``message`` says what is true; ``advice`` is the sentence after it that names an act, if any.
    """

    def __init__(self, message: str, advice: Advice | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.advice = advice

    def told(self, way: Way) -> str:
        """The whole text, with the words of an entry point for the act that it advises."""
        if self.advice is None:
            return self.message
        return f"{self.message} {self.advice.sentence.replace('{}', way(self.advice))}"


# Field names that would read badly in a sentence.
FIELD_NAMES = {
    "started_at": "time of the start",
    "since": "start",
    "until": "end",
    "duplicate_of": "other incident",
    "url": "address",
}


class InvalidField(UserError):
    """``field`` is its name, such as ``public_update``; ``problem`` completes the sentence."""

    def __init__(self, field: str, problem: str) -> None:
        super().__init__(f"The {FIELD_NAMES.get(field, field.replace('_', ' '))} {problem}.")
        self.field = field
        self.problem = problem


class EmptyUpdate(UserError):
    """Raised for a change that names no status, no text and no fact."""

    def __init__(self) -> None:
        super().__init__("Choose a next step, or write a public update or a note.")


class UnknownLifecycle(UserError):
    """``known`` are the valid names."""

    def __init__(self, asked: str, known: tuple[str, ...]) -> None:
        super().__init__(
            f'There is no lifecycle "{asked}"{closest(asked, known) or "."} '
            f"Lifecycles: {', '.join(known)}."
        )
        self.asked = asked
        self.known = known


@dataclass(frozen=True, slots=True)
class FileProblem:
    """One error in a file of a team. ``place`` is the path of the table or key."""

    place: str
    problem: str

    def __str__(self) -> str:
        return f"{self.place} {self.problem}"


class InvalidFile(Exception):
    """All problems of a file of lifecycles or templates, in its order; nothing was loaded."""

    def __init__(self, problems: Iterable[FileProblem]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(map(str, self.problems)))
