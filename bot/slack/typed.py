"""Reads a typed command from left to right: words, references to incidents, options. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from uuid import UUID

from bot.slack import references
from bot.slack.leads import beside_commands
from bot.slack.likeness import near
from bot.slack.references import Found, NoNumber, plain_word
from bot.slack.requests import Choice, UsageError
from bot.slack.verbs import Verb
from core.commands import Ref
from core.errors import nearest
from core.incident import Actor, DeclaredText, Note, Place, Section, Severity
from core.lifecycle import NAME, Catalogue

_WORD = re.compile(r"\S*")
_ENTRY = re.compile(r"#?([0-9]+)")

_QUOTES = '"“”„‟«»‹›「」『』〝〞＂'
# They are apostrophes, too, and count as quotation marks only around a whole text.
_SINGLE = "'‘’‚‛`´＇"
_TOKEN = re.compile(
    rf"(?:[A-Za-z]+[:：=＝])?(?:[{_QUOTES}][^{_QUOTES}]*[{_QUOTES}]|[{_SINGLE}][^{_SINGLE}]*[{_SINGLE}])"
    r"(?=\s|$)|\S+"
)
_QUOTED = re.compile(
    rf"[{_QUOTES}]([^{_QUOTES}]*)[{_QUOTES}]|[{_SINGLE}]([^{_SINGLE}]*)[{_SINGLE}]"
)
_OPTION = re.compile(r"([A-Za-z]+)[:：](.*)", re.DOTALL)

# The sections of a report by the words that people type, without signs between them.
SECTIONS = {
    **{section.words.replace("-", " "): section for section in Section},
    "helped": Section.HELPED,
    "follow up": Section.FOLLOW_UPS,
    "followup": Section.FOLLOW_UPS,
    "followups": Section.FOLLOW_UPS,
}
# The names by which texts are withdrawn.
NAMES_OF_TEXTS: Mapping[str, Section | DeclaredText] = {
    **SECTIONS,
    **{name.value: name for name in DeclaredText},
    "type": DeclaredText.CATEGORY,
    "titles": DeclaredText.TITLE,
    "descriptions": DeclaredText.DESCRIPTION,
}
# Names of severities in other teams. They only lead to suggestions.
OTHER_SCHOOLS = {
    Severity.CRITICAL: "sev[01]|s1|p[01]|blocker|urgent|emergency|fatal|crit",
    Severity.HIGH: "sev2|s2|p2|major|severe|serious|important",
    Severity.MEDIUM: "sev3|s3|p3|moderate|normal|average|med",
    Severity.LOW: "sev[45]|s4|p[45]|minor|trivial|cosmetic",
}


class Elsewhere(Exception):
    """The reference to the incident is missing, and a word in another place looks like one.

    ``readings`` are the arguments of the command with a reference in its usual place: one for each
    incident that the word may name, and none if no incident can have it. ``clear``: the words
    beside it are those of a command, so it is hardly text, or about another incident.
    """

    def __init__(self, *readings: str, clear: bool = False) -> None:
        super().__init__()
        self.readings = readings
        self.clear = clear


@dataclass(frozen=True, slots=True, kw_only=True)
class Circumstances:
    """Everything but the text that decides the meaning of a command.

    ``new_id`` and ``place`` are for an incident that is declared; ``secluded``: the conversation
    is private, so a declaration is private by default. ``cards`` has the id of an incident for each
    link in the text that leads to its card. ``at`` is the moment of the command, and ``zone`` the
    time zone of its author. ``default_severity`` is that of the workspace, and ``catalogue`` has
    its default lifecycle.
    """

    actor: Actor
    catalogue: Catalogue
    new_id: UUID
    place: Place | None
    secluded: bool = False
    cards: Mapping[str, UUID] = field(default_factory=dict)
    at: datetime = datetime(1970, 1, 1, tzinfo=UTC)
    zone: tzinfo = UTC
    default_severity: Severity = Severity.MEDIUM

    @property
    def statuses(self) -> tuple[str, ...]:
        """The statuses of all lifecycles, each once."""
        return tuple({status.name: None for one in self.catalogue for status in one.statuses})

    @property
    def ends(self) -> frozenset[str]:
        """The statuses that end an incident of some lifecycle."""
        return frozenset(
            status.name for one in self.catalogue for status in one.statuses if status.terminal
        )

    @property
    def steps(self) -> tuple[str, ...]:
        """The statuses that some step leads to."""
        every = [(one, status.name) for one in self.catalogue for status in one.statuses]
        return tuple({to: None for one, name in every for to in one.next_steps(name)})


@dataclass(frozen=True, slots=True)
class Numbered:
    """The number before the text of a command, which may be a part of that text.

    ``ref`` None: no incident can have it. ``bare``: it stands without a sign such as ``#``, as the
    number in a sentence does. ``as_text`` makes the requests with it as text; these name no
    incident. Few commands need them, so they are made when they are asked for.
    """

    ref: int | None
    bare: bool
    as_text: Callable[[], Sequence[Choice]]


class Typed:
    """One typed command: its author, its verb, and in ``rest`` the text that is not read yet.

    A method that returns a part of the text removes that part from ``rest``, and raises
    `UsageError` if the part is missing or cannot be read. ``literal``: words that look like a
    reference or an option are read as text, because the author chose that meaning in a question.
    ``numberless``: no word is a reference, not even the first one.
    ``fixes`` maps misspelt words to the words that are read in their place.
    """

    def __init__(
        self,
        text: str,
        *,
        verb: Verb,
        known: Circumstances,
        literal: bool = False,
        numberless: bool = False,
        fixes: Mapping[str, str] | None = None,
    ) -> None:
        self.rest = self._whole = text.strip()
        self.verb = verb
        self.known = known
        self.literal = literal
        self.numberless = numberless
        self._fixes = fixes or {}

    @property
    def actor(self) -> Actor:
        """The author."""
        return self.known.actor

    @property
    def catalogue(self) -> Catalogue:
        """The lifecycles."""
        return self.known.catalogue

    def wrong(
        self,
        problem: str,
        *,
        suggestion: str | None = None,
        hint: str | None = None,
        slip: str = "",
        instead: Iterable[str] = (),
    ) -> UsageError:
        """The refusal of this command, with the verb's usage line."""
        return UsageError(
            problem,
            usage=self.verb.usage,
            suggestion=suggestion,
            hint=hint,
            slip=slip,
            instead=instead,
        )

    def fixed(self, word: str) -> str:
        """``word``, or the word that is read in its place."""
        return self._fixes.get(word, word)

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
        tokens = [match[0] for match in _TOKEN.finditer(self.rest)]
        self.rest = ""
        return tokens

    def end(self) -> None:
        """Refuses anything that is left."""
        if self.rest:
            raise self.wrong(f"`{self.verb.name}` doesn't take {quoted(self.peek())}.")

    def text(self, name: str) -> str:
        """The whole rest, which must not be empty. ``name`` is its name in the refusal."""
        if not self.rest:
            raise self.wrong(f"{name} is missing.")
        text, self.rest = self.rest, ""
        return text

    def note(self) -> Note | None:
        """The whole rest as a private note; None at the end."""
        text, self.rest = self.rest, ""
        return Note(text) if text else None

    def ref(self, *, before_text: bool = False, sure: bool = False) -> Ref:
        """The incident that the next words name; None if they name none.

        ``before_text``: the words may already be free text, which may begin with ``#``. ``sure``:
        a missing reference leads to no question.

        Raises:
            Elsewhere: the reference is missing, and the first or the last word looks like one.
        """
        if self.numberless:
            return None
        word = self.peek()
        try:
            ref, rest = references.at_head(self.rest, self.known.cards)
        except NoNumber:
            raise self.wrong(f"{quoted(word)} is no number of an incident.") from None
        if ref is not None:
            self.rest = rest
            return ref
        if references.is_meant_as_reference(word) and not (before_text and "#" in word[:2]):
            raise self._no_ref(word)
        if sure or self.literal:
            return None
        read = self._whole[: len(self._whole) - len(self.rest)]
        clear = self._beside_commands()
        if found := clear or references.possible(self.rest, self.known.cards):
            refs, rest = found
            raise Elsewhere(*(f"{ref} {read}{rest}" for ref in refs), clear=clear is not None)
        return None

    def _beside_commands(self) -> Found | None:
        if self.verb.name == "withdraw":  # it takes the number of an entry as well
            return None
        return beside_commands(
            self.rest,
            self.known.cards,
            statuses=self.known.statuses,
            timed=self.verb.name == "promise",
        )

    def only_ref(self) -> Ref:
        """The incident that the whole rest names; None at the end."""
        ref = self.ref(sure=True)
        if ref is None and self.rest:
            found = references.possible(self.rest, self.known.cards)
            if found and not found[1] and not self.literal:
                raise Elsewhere(*map(str, found[0]))
            raise self._no_ref(self.peek())
        self.end()
        return ref

    def _no_ref(self, word: str) -> UsageError:
        return self.wrong(f"{quoted(word)} names no incident: write 42, #42, INC-42 or its id.")

    def name_of_texts(self) -> Section | DeclaredText | None:
        """The texts that the whole rest names: a section of a report, or ``description``."""
        said = " ".join(re.sub(r"[\W_]+", " ", self.rest.casefold()).split())
        name = NAMES_OF_TEXTS.get(said)
        if name is not None:
            self.rest = ""
        return name

    def entry(self) -> int | UUID:
        """The entry of a timeline that the next word names, by its number or its id."""
        word = self.word()
        if not word:
            raise self.wrong("The number of the entry is missing.")
        plain = plain_word(word)
        match = _ENTRY.fullmatch(plain)
        entry: int | UUID | None = references.number_of(match[1]) if match else None
        if references.UUID_FORM.fullmatch(plain):
            entry = UUID(plain)
        if entry is None:
            names = ", ".join(section.words for section in Section)
            raise self.wrong(
                f"{quoted(word)} is not the number of an entry: the timeline shows them.",
                hint=f"Sections of the report: {names}.",
            )
        return entry

    def status(self) -> str:
        """The next word in lower case. Only the incident's lifecycle knows its statuses."""
        word = self.word()
        if not word:
            raise self.wrong("The status is missing.")
        return status_of(word)

    def severity(self, word: str) -> Severity:
        """The severity that ``word`` names."""
        known = [severity.value for severity in Severity]
        hint = f"Severities: {', '.join(known)}."
        return Severity(self.one_of(known, word, name="severity", hint=hint))

    def one_of(self, known: Iterable[str], word: str, *, name: str, hint: str | None = None) -> str:
        """``word`` in lower case, which must be one of ``known``, the words for a ``name``."""
        known = tuple(known)
        plain = self.fixed(plain_word(word))
        if plain in known:
            return plain
        # "sev:1" is a severity of another school as well.
        school = f"sev{plain}" if plain.isdigit() else plain
        likely = other_school(school) if name == "severity" else None
        likely = likely or near(plain, known) or nearest(plain, known)
        problem = f"There is no {name} {quoted(word)}."
        raise self.wrong(problem, suggestion=likely, hint=hint, slip=plain, instead=known)


def status_of(word: str) -> str:
    """The status that ``word`` names, without the decoration around it."""
    return word.casefold() if NAME.fullmatch(word.casefold()) else plain_word(word) or word


def other_school(word: str) -> str | None:
    """The severity that another team calls ``word``: sev1, P1, major."""
    plain = re.sub(r"[ _-]", "", word.casefold())
    for severity, words in OTHER_SCHOOLS.items():
        if re.fullmatch(words, plain):
            return severity.value
    return None


def quoted(word: str) -> str:
    """``word`` between quotation marks, for a sentence; at most 40 characters of it."""
    return f'"{word}"' if len(word) <= 40 else f'"{word[:39]}…"'


def unquoted(token: str) -> str:
    """``token`` without the quotation marks around it."""
    match = _QUOTED.fullmatch(token)
    return (match[1] or match[2] or "").strip() if match else token


def option(token: str) -> tuple[str, str]:
    """Key and value of ``key:value``; an empty key for any other token, such as an address."""
    match = _OPTION.fullmatch(token)
    if not match or match[2].startswith(("//", "／／")):
        return "", ""
    return match[1].casefold(), unquoted(match[2])
