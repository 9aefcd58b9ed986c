"""A typed command, read from the left: its words, names of incidents and options. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from uuid import UUID

from bot.slack.requests import NUMBER_MAX, UsageError
from bot.slack.verbs import Verb
from core.errors import nearest
from core.incident import Actor, Note, Place, Ref, Severity
from core.lifecycle import Catalogue

_WORD = re.compile(r"\S*")
_REF = re.compile(r"(?:#|inc-)?([0-9]+)[:,]?", re.IGNORECASE)
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_MEANT_AS_REF = re.compile(r"inc-.*|#\S*|[0-9a-f]{8}-[0-9a-f-]{8,}", re.IGNORECASE | re.DOTALL)
_ENTRY = re.compile(r"#?([0-9]+)")

_QUOTES = '"“”„«»'
_TOKEN = re.compile(rf"(?:[A-Za-z]+:)?[{_QUOTES}][^{_QUOTES}]*[{_QUOTES}](?=\s|$)|\S+")
_QUOTED = re.compile(rf"[{_QUOTES}]([^{_QUOTES}]*)[{_QUOTES}]")
_OPTION = re.compile(r"([A-Za-z]+):(.*)", re.DOTALL)


class Typed:
    """One typed command: its author, its verb, and in ``rest`` the text that is not read yet.

    A method that returns a part of the text removes that part from ``rest``, and raises
    `UsageError` if the part is missing or cannot be read. ``new_id`` and ``place`` are for an
    incident that is declared.
    """

    def __init__(
        self,
        text: str,
        *,
        verb: Verb,
        actor: Actor,
        catalogue: Catalogue,
        new_id: UUID,
        place: Place | None,
    ) -> None:
        self.rest = text.strip()
        self.verb = verb
        self.actor = actor
        self.catalogue = catalogue
        self.new_id = new_id
        self.place = place

    def wrong(
        self, problem: str, *, suggestion: str | None = None, hint: str | None = None
    ) -> UsageError:
        """The refusal of this command, with the verb's usage line."""
        return UsageError(problem, usage=self.verb.usage, suggestion=suggestion, hint=hint)

    def peek(self) -> str:
        """The next word, which stays in ``rest``; empty at the end."""
        match = _WORD.match(self.rest)
        return match[0] if match else ""

    def word(self) -> str:
        """The next word; empty at the end."""
        word = self.peek()
        self.rest = self.rest[len(word) :].lstrip()
        return word

    def tokens(self) -> list[str]:
        """All words, a quoted text counted as one."""
        tokens: list[str] = _TOKEN.findall(self.rest)
        self.rest = ""
        return tokens

    def end(self) -> None:
        """Refuses anything that is left."""
        if self.rest:
            raise self.wrong(f"`{self.verb.name}` doesn't take {quoted(self.peek())}.")

    def text(self, name: str) -> str:
        """The whole rest, which must not be empty; ``name`` begins the sentence that says so."""
        if not self.rest:
            raise self.wrong(f"{name} is missing.")
        text, self.rest = self.rest, ""
        return text

    def note(self) -> Note | None:
        """The whole rest as a private note; None at the end."""
        text, self.rest = self.rest, ""
        return Note(text) if text else None

    def ref(self, *, before_text: bool = False) -> Ref:
        """The incident that the next word names; None for a word that names none.

        ``before_text``: free text follows, and may itself begin with ``#``.
        """
        word = self.peek()
        if _UUID.fullmatch(word):
            return UUID(self.word())
        if match := _REF.fullmatch(word):
            number = _number(match[1])
            if number is None:
                raise self.wrong(f"{quoted(word)} is no number of an incident.")
            self.word()
            return number
        if _MEANT_AS_REF.fullmatch(word) and not (before_text and word.startswith("#")):
            raise self._no_ref(word)
        return None

    def only_ref(self) -> Ref:
        """The incident that the whole rest names; None at the end."""
        ref = self.ref()
        if ref is None and self.rest:
            raise self._no_ref(self.peek())
        self.end()
        return ref

    def _no_ref(self, word: str) -> UsageError:
        return self.wrong(f"{quoted(word)} names no incident: write 42, #42, INC-42 or its id.")

    def entry(self) -> int | UUID:
        """The entry of a timeline that the next word names, by its number or its id."""
        word = self.word()
        if not word:
            raise self.wrong("The number of the entry is missing.")
        match = _ENTRY.fullmatch(word)
        entry = UUID(word) if _UUID.fullmatch(word) else _number(match[1]) if match else None
        if entry is None:
            raise self.wrong(f"{quoted(word)} is no entry: the timeline shows their numbers.")
        return entry

    def status(self) -> str:
        """The next word in lower case. Only the incident's lifecycle knows its statuses."""
        word = self.word()
        if not word:
            raise self.wrong("The status is missing.")
        return word.casefold()

    def severity(self, word: str) -> Severity:
        """The severity that ``word`` names."""
        known = [severity.value for severity in Severity]
        hint = f"Severities: {', '.join(known)}."
        return Severity(self.one_of(known, word, name="severity", hint=hint))

    def one_of(self, known: Iterable[str], word: str, *, name: str, hint: str | None = None) -> str:
        """``word`` in lower case, which must be one of ``known``, the words for a ``name``."""
        known = tuple(known)
        if word.casefold() in known:
            return word.casefold()
        raise self.wrong(
            f"There is no {name} {quoted(word)}.", suggestion=nearest(word, known), hint=hint
        )


def looks_like_ref(word: str) -> bool:
    """Whether ``word`` is written as the number of an incident."""
    return _REF.fullmatch(word) is not None


def quoted(word: str) -> str:
    """``word`` between quotation marks, for a sentence; at most 40 characters of it."""
    return f'"{word}"' if len(word) <= 40 else f'"{word[:39]}…"'


def unquoted(token: str) -> str:
    """``token`` without the quotation marks around it."""
    match = _QUOTED.fullmatch(token)
    return match[1].strip() if match else token


def option(token: str) -> tuple[str, str]:
    """Key and value of ``key:value``; an empty key for any other token, such as an address."""
    match = _OPTION.fullmatch(token)
    if not match or match[2].startswith("//"):
        return "", ""
    return match[1].casefold(), unquoted(match[2])


def _number(digits: str) -> int | None:
    # Python refuses to convert thousands of digits, so the length is checked first.
    digits = digits.lstrip("0")
    if not digits or len(digits) > len(str(NUMBER_MAX)):
        return None
    return number if (number := int(digits)) <= NUMBER_MAX else None
