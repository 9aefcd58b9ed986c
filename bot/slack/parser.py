"""Text to command: the table of verbs, and the help that is made from it. Pure.

What a person types after ``/incident`` becomes a `Request`: a command of the core, or one of the
small values below for what is only shown. Slack's escaping is undone here, before anything is kept.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from difflib import get_close_matches
from uuid import UUID

from core.errors import UserError, nearest
from core.incident import (
    Acknowledge,
    Actor,
    BoardFilter,
    Change,
    Declare,
    Note,
    Person,
    Place,
    PublicText,
    Redact,
    Ref,
    Scope,
    Severity,
    TakeNextStep,
)
from core.lifecycle import NAME, Catalogue

COMMAND = "/incident"

# What PostgreSQL's integer holds; a longer number names nothing that can exist.
NUMBER_MAX = 2_147_483_647


# --- what may be asked for besides the commands of the core -----------------------------------


@dataclass(frozen=True, slots=True)
class ShowTray:
    """The open incidents of this channel, then the others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ShowBoard:
    """A page of incidents. ``before`` and ``after`` are numbers, exclusive: `Reader.board`."""

    narrowed: BoardFilter = field(default_factory=BoardFilter)
    before: int | None = None
    after: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ShowCard:
    """The card of one incident, to the asker alone."""

    ref: Ref


@dataclass(frozen=True, slots=True, kw_only=True)
class ShowTimeline:
    """A page of the timeline. ``before`` is an entry's number, exclusive; None: the newest page."""

    ref: Ref
    before: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ShowHelp:
    """Help for all verbs, or for the one of that name."""

    verb: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenDeclare:
    """The dialog that declares, filled in with what was given. ``lifecycle`` None: the default."""

    title: str = ""
    description: str = ""
    severity: Severity = Severity.MEDIUM
    lifecycle: str | None = None
    components: tuple[str, ...] = ()
    private: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class AssignTo:
    """A hand-over to the Slack user with that id, whose name is still to be looked up."""

    actor: Actor
    ref: Ref
    user: str
    expected_status: str | None = None

    def to(self, person: Person) -> Change:
        """The command, once it is known who ``user`` is."""
        return Change(
            actor=self.actor, ref=self.ref, owner=person, expected_status=self.expected_status
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class SetStatusChannel:
    """Makes the channel with that id the workspace's status channel. For workspace admins."""

    channel: str


Request = (
    Declare
    | Change
    | TakeNextStep
    | Acknowledge
    | Redact
    | AssignTo
    | SetStatusChannel
    | OpenDeclare
    | ShowTray
    | ShowBoard
    | ShowCard
    | ShowTimeline
    | ShowHelp
)


class UsageError(UserError):
    """A typing error. Nothing was done.

    ``problem`` is a sentence, ``hint`` another that lists what there is; ``suggestion`` is the
    word that was probably meant, ``verb`` and ``usage`` are the verb that it is about and the line
    to type: each None where there is none.
    """

    def __init__(
        self,
        problem: str,
        *,
        verb: Verb | None = None,
        suggestion: str | None = None,
        hint: str | None = None,
    ) -> None:
        meant = f" Did you mean {suggestion}?" if suggestion else ""
        listed = f" {hint}" if hint else ""
        line = f" Usage: `{verb.usage}`" if verb else ""
        super().__init__(f"{problem}{meant}{listed}{line}")
        self.problem = problem
        self.hint = hint
        self.suggestion = suggestion
        self.verb = verb.name if verb else None
        self.usage = verb.usage if verb else None


def parse(
    text: str, *, actor: Actor, catalogue: Catalogue, new_id: UUID, channel_private: bool = False
) -> Request:
    """What ``text``, typed after ``/incident``, asks for.

    ``new_id`` becomes the id of an incident that is declared; ``channel_private`` says what the
    actor's channel is. Only ``update`` makes a text public; every other text is a note.

    Raises:
        UsageError: a typing error, with the usage line and the closest word.
    """
    words = _Words(text)
    typed = words.take()
    if not typed:
        return ShowTray()
    verb = find_verb(plain_text(typed))
    rest = words.rest if verb.raw else plain_text(words.rest)
    return verb.read(
        _Words(rest),
        _Asking(
            verb=verb,
            actor=actor,
            catalogue=catalogue,
            new_id=new_id,
            channel_private=channel_private,
        ),
    )


def find_verb(word: str) -> Verb:
    """The verb of that name or alias, in any case.

    Raises:
        UsageError: there is none; it carries the closest one and its usage line.
    """
    known = {name: verb for verb in VERBS for name in (verb.name, *verb.aliases)}
    if verb := known.get(word.casefold()):
        return verb
    close = "show" if _REF.fullmatch(word) else nearest(word, known)
    verb = known[close] if close else None
    raise UsageError(
        f"There is no command {_quoted(word)}.",
        verb=verb,
        suggestion=verb.name if verb else None,
        hint=None if verb else f"`{COMMAND} help` lists all commands.",
    )


# --- undoing Slack's escaping ----------------------------------------------------------------

_CONTROL = re.compile(r"<([@#!]?)([^<>|]+)(?:\|([^<>]*))?>")
_ENTITY = re.compile("&(amp|lt|gt);")
_ENTITIES = {"amp": "&", "lt": "<", "gt": ">"}
_LINK = re.compile(r"(?:https?://|mailto:|tel:)\S+", re.IGNORECASE)


def plain_text(text: str) -> str:
    """``text`` as its writer saw it: ``<@U1|mia>`` is @mia, ``&lt;`` is <, a link label and URL.

    Nothing of it can mention anybody afterwards, because the views escape it again.
    Source: https://docs.slack.dev/messaging/formatting-message-text#escaping
    """
    seen = _CONTROL.sub(_seen, text)
    return _ENTITY.sub(lambda match: _ENTITIES[match[1]], seen)


def _seen(control: re.Match[str]) -> str:
    sign, target, label = control[1], control[2], control[3] or ""
    if sign == "!" and target.startswith(("date^", "subteam^")):
        return label or "@group"
    if sign:
        mark = "#" if sign == "#" else "@"
        return mark + (label or target).removeprefix(mark)
    if not _LINK.fullmatch(target):
        return control[0]
    # Slack makes links of addresses by itself: then the label is the address, and is said once.
    bare = re.sub(r"^(?:https?://|mailto:|tel:)", "", target, flags=re.IGNORECASE).rstrip("/")
    if label in {"", target, bare}:
        return label or (bare if target.startswith(("mailto:", "tel:")) else target)
    return f"{label} ({target})"


# --- reading words ---------------------------------------------------------------------------

_WORD = re.compile(r"\S*")
_REF = re.compile(r"(?:#|inc-)?([0-9]+)[:,]?", re.IGNORECASE)
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_MEANT_AS_REF = re.compile(r"inc-.*|#\S*|[0-9a-f]{8}-[0-9a-f-]{8,}", re.IGNORECASE | re.DOTALL)


class _Words:
    """What is left of a command, read from the left: words first, then the text as it was typed."""

    def __init__(self, text: str) -> None:
        self.rest = text.strip()

    def peek(self) -> str:
        """The next word, empty at the end."""
        match = _WORD.match(self.rest)
        return match[0] if match else ""

    def take(self) -> str:
        """The next word, which is gone then; empty at the end."""
        word = self.peek()
        self.rest = self.rest[len(word) :].lstrip()
        return word


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asking:
    """Who asks, by which verb, and what the answer may be made of."""

    verb: Verb
    actor: Actor
    catalogue: Catalogue
    new_id: UUID
    channel_private: bool

    def wrong(self, problem: str, suggestion: str | None = None) -> UsageError:
        return UsageError(problem, verb=self.verb, suggestion=suggestion)

    def ref(self, words: _Words, *, before_text: bool = False) -> Ref:
        """The incident that the next word names; None where it is no name of an incident.

        Where free text follows (``before_text``), ``#`` may begin the text as well.
        """
        word = words.peek()
        if _UUID.fullmatch(word):
            return UUID(words.take())
        if match := _REF.fullmatch(word):
            number = _number(match[1])
            if number is None:
                raise self.wrong(f"{_quoted(word)} is no number of an incident.")
            words.take()
            return number
        if _MEANT_AS_REF.fullmatch(word) and not (before_text and word.startswith("#")):
            raise self.wrong(f"{_quoted(word)} names no incident: write 42, #42, INC-42 or its id.")
        return None

    def text(self, words: _Words, what: str) -> str:
        """All that is left."""
        if not words.rest:
            raise self.wrong(f"{what} is missing.")
        return words.rest

    def nothing_else(self, words: _Words) -> None:
        if words.rest:
            raise self.wrong(
                f"`{self.verb.name}` takes nothing more: {_quoted(words.peek())} is too much."
            )

    def severity(self, word: str) -> Severity:
        known = [severity.value for severity in Severity]
        return Severity(self.one_of(word, known, "severity", f"Severities: {', '.join(known)}."))

    def one_of(self, word: str, known: Iterable[str], what: str, hint: str | None = None) -> str:
        known = tuple(known)
        if word.casefold() in known:
            return word.casefold()
        raise UsageError(
            f"There is no {what} {_quoted(word)}.",
            verb=self.verb,
            suggestion=nearest(word, known),
            hint=hint,
        )

    def status(self, word: str) -> str:
        """A status as the engine writes it. Which there are, only the incident's lifecycle says."""
        if not word:
            raise self.wrong("The status is missing.")
        return word.casefold()


def _number(digits: str) -> int | None:
    # Measured before it is converted: Python refuses to read numbers of thousands of digits.
    digits = digits.lstrip("0")
    if not digits or len(digits) > len(str(NUMBER_MAX)):
        return None
    return number if (number := int(digits)) <= NUMBER_MAX else None


def _quoted(word: str) -> str:
    return f'"{word}"' if len(word) <= 40 else f'"{word[:39]}…"'


def _note(words: _Words) -> Note | None:
    return Note(words.rest) if words.rest else None


# --- options ---------------------------------------------------------------------------------

_QUOTES = '"“”„«»'
_TOKEN = re.compile(rf"(?:[A-Za-z]+:)?[{_QUOTES}][^{_QUOTES}]*[{_QUOTES}](?=\s|$)|\S+")
_QUOTED = re.compile(rf"[{_QUOTES}]([^{_QUOTES}]*)[{_QUOTES}]")
_OPTION = re.compile(r"([A-Za-z]+):(.*)", re.DOTALL)

DECLARE_KEYS = ("severity", "lifecycle", "components")
# What people write from habit and no measure of likeness finds.
_HABITS = {"sev": "severity", "comp": "components"}


def _unquoted(token: str) -> str:
    match = _QUOTED.fullmatch(token)
    return match[1].strip() if match else token


def _option(token: str) -> tuple[str, str]:
    """Key and value of ``key:value``; an empty key for any other token, such as an address."""
    match = _OPTION.fullmatch(token)
    if not match or match[2].startswith("//"):
        return "", ""
    return match[1].casefold(), _unquoted(match[2])


QUOTES_NEEDED = 'Names with blanks need quotes: components:"Checkout API, Payments".'


class _Declaring:
    """Sorts the tokens after ``declare`` into options and title.

    ``key:value`` is an option wherever it stands; ``key: value``, with a blank, and ``private``
    are so only at the end, or (where it can mean nothing else) at the beginning: elsewhere they
    belong to the title.
    """

    def __init__(self, text: str, ask: _Asking) -> None:
        self._ask = ask
        self._tokens: list[str] = _TOKEN.findall(text)
        self.options: dict[str, str] = {}
        while self._tokens and self._take_last():
            pass
        while len(self._tokens) > 2 and self._take_first_two():
            pass
        self.title = self._title()

    def _keep(self, key: str, value: str) -> None:
        if key in self.options:
            raise self._ask.wrong(f"`{key}` is named twice.")
        self.options[key] = value

    def _take_last(self) -> bool:
        *before, last = self._tokens
        if last.casefold() == "private":
            self._keep("private", "yes")
            self._tokens = before
            return True
        if (key := self._key(last)) and (value := _option(last)[1]):
            self._keep(key, value)
            self._tokens = before
            return True
        if key:
            raise self._ask.wrong(f"The value of `{key}:` is missing.")
        key, value = _option(before[-1]) if before else ("", "")
        if not key or value:
            return False
        if key in DECLARE_KEYS:
            self._keep(key, _unquoted(last))
            self._tokens = before[:-1]
            return True
        if last.casefold() in self._values(meant := _likely(key)):
            raise self._ask.wrong(f"There is no option {_quoted(key + ':')}.", f"{meant}:")
        return False

    def _take_first_two(self) -> bool:
        (key, value), second = _option(self._tokens[0]), self._tokens[1].casefold()
        if value or second not in self._values(key):
            return False
        self._keep(key, second)
        self._tokens = self._tokens[2:]
        return True

    def _values(self, key: str) -> list[str]:
        if key == "severity":
            return [severity.value for severity in Severity]
        return [lifecycle.name for lifecycle in self._ask.catalogue] if key == "lifecycle" else []

    def _title(self) -> str:
        title: list[str] = []
        for place, token in enumerate(self._tokens, start=1):
            key, value = _option(token)
            if value and (key := self._key(token)):
                if key == "components" and title and place < len(self._tokens):
                    # Words on both sides: those after it may belong to a name, or to the title.
                    raise self._ask.wrong(QUOTES_NEEDED)
                self._keep(key, value)
            else:
                title.append(token)
        return _unquoted(title[0]) if len(title) == 1 else " ".join(title)

    def _key(self, token: str) -> str:
        """The option that ``token`` sets; empty for a word of the title that holds a colon."""
        key, value = _option(token)
        if key in DECLARE_KEYS:
            return key
        if key == "private" and value:
            raise self._ask.wrong("Write `private` alone, after the title.")
        if value and (meant := _likely(key)):
            raise self._ask.wrong(f"There is no option {_quoted(key + ':')}.", f"{meant}:")
        return ""


def _likely(key: str) -> str:
    """The option that ``key`` is most likely a slip of, empty for a word like no option."""
    return _HABITS.get(key) or next(iter(get_close_matches(key, DECLARE_KEYS, 1, 0.8)), "")


# --- the verbs, one reader each --------------------------------------------------------------


def _read_declare(words: _Words, ask: _Asking) -> Request:
    declaring = _Declaring(words.rest, ask)
    options = declaring.options
    severity = ask.severity(options.get("severity", Severity.MEDIUM))
    name = ask.one_of(
        options.get("lifecycle", ask.catalogue.default.name),
        [lifecycle.name for lifecycle in ask.catalogue],
        "lifecycle",
        f"Lifecycles: {', '.join(lifecycle.name for lifecycle in ask.catalogue)}.",
    )
    components = _components(options.get("components", ""), ask)
    private = "private" in options
    if not declaring.title:
        return OpenDeclare(
            severity=severity, lifecycle=name, components=components, private=private
        )
    return Declare(
        actor=ask.actor,
        id=ask.new_id,
        title=declaring.title,
        lifecycle=ask.catalogue.find(name),
        severity=severity,
        private=private,
        components=components,
        place=Place(ask.actor.channel, private=ask.channel_private) if ask.actor.channel else None,
    )


def _components(text: str, ask: _Asking) -> tuple[str, ...]:
    if text.endswith(","):
        raise ask.wrong(QUOTES_NEEDED)
    return tuple(name for part in text.split(",") if (name := _unquoted(part.strip())))


def _read_list(words: _Words, ask: _Asking) -> Request:
    asked: dict[str, str] = {}
    while token := words.take():
        key, value = _option(token)
        if key:
            key = ask.one_of(key, ("severity", "status"), "option", "Options: severity:, status:.")
            value = value or words.take()
            if not value:
                raise ask.wrong(f"The value of `{key}:` is missing.")
        else:
            key, value = "scope", ask.one_of(token, [*Scope], "board", "Boards: open, all, mine.")
        if key in asked:
            raise ask.wrong(f"The {key} is named twice.")
        asked[key] = value
    return ShowBoard(
        narrowed=BoardFilter(
            scope=Scope(asked.get("scope", Scope.OPEN)),
            severity=ask.severity(asked["severity"]) if "severity" in asked else None,
            status=_status_filter(asked["status"], ask) if "status" in asked else None,
        )
    )


def _status_filter(word: str, ask: _Asking) -> str:
    known = _all_statuses(ask.catalogue)
    # A lifecycle that is no longer in the catalogue lives on in its incidents, so a status that is
    # like no other is looked for; one that is nearly another's is a slip.
    if word.casefold() in known or (NAME.fullmatch(word.casefold()) and not nearest(word, known)):
        return word.casefold()
    return ask.one_of(word, known, "status")


def _all_statuses(catalogue: Catalogue) -> tuple[str, ...]:
    return tuple({status.name: None for lifecycle in catalogue for status in lifecycle.statuses})


def _read_show(words: _Words, ask: _Asking) -> Request:
    ref = ask.ref(words)
    _only_a_ref(words, ask, ref)
    return ShowCard(ref=ref)


def _only_a_ref(words: _Words, ask: _Asking, ref: Ref) -> None:
    if words.rest and ref is None:
        raise ask.wrong(
            f"{_quoted(words.peek())} names no incident: write 42, #42, INC-42 or its id."
        )
    ask.nothing_else(words)


def _read_status(words: _Words, ask: _Asking) -> Request:
    ref = ask.ref(words)
    to = ask.status(words.take())
    return Change(actor=ask.actor, ref=ref, to=to, note=_note(words))


def _read_next(words: _Words, ask: _Asking) -> Request:
    return TakeNextStep(actor=ask.actor, ref=ask.ref(words, before_text=True), note=_note(words))


def _read_ack(words: _Words, ask: _Asking) -> Request:
    ref = ask.ref(words)
    _only_a_ref(words, ask, ref)
    return Acknowledge(actor=ask.actor, ref=ref)


def _read_move(to: str) -> Callable[[_Words, _Asking], Request]:
    def read(words: _Words, ask: _Asking) -> Request:
        ref = ask.ref(words, before_text=True)
        return Change(actor=ask.actor, ref=ref, to=to, note=_note(words))

    return read


def _read_update(words: _Words, ask: _Asking) -> Request:
    ref = ask.ref(words, before_text=True)
    to = None
    key, value = _option(words.peek())
    if key == "status" and value:
        words.take()
        to = ask.status(value)
        ref = ask.ref(words, before_text=True) if ref is None else ref
    elif key == "status":
        _refuse_blank_status(words, ask)
    return Change(
        actor=ask.actor, ref=ref, to=to, public=PublicText(ask.text(words, "The public text"))
    )


def _refuse_blank_status(words: _Words, ask: _Asking) -> None:
    """A text may begin with "Status: …", and what is public must never be guessed: so ask."""
    rest = _Words(words.rest)
    rest.take()
    word = rest.peek().casefold()
    if meant := nearest(word, _all_statuses(ask.catalogue)):
        raise ask.wrong(
            f"Nothing was published. To move the incident as well, write `status:{meant}` without "
            "a blank; if it is part of the text, begin with another word."
        )


def _read_note(words: _Words, ask: _Asking) -> Request:
    ref = ask.ref(words, before_text=True)
    return Change(actor=ask.actor, ref=ref, note=Note(ask.text(words, "The text of the note")))


_MENTION = re.compile(r"<@([UW][A-Z0-9]+)(?:\|[^<>]*)?>")
_CHANNEL = re.compile(r"<#([CG][A-Z0-9]+)(?:\|[^<>]*)?>|([CG][A-Z0-9]{8,})")


def _read_assign(words: _Words, ask: _Asking) -> Request:
    ref = ask.ref(words)
    if words.rest.casefold() in {"", "me"}:
        return Change(actor=ask.actor, ref=ref, owner=ask.actor.person)
    if mention := _MENTION.fullmatch(words.rest):
        return AssignTo(actor=ask.actor, ref=ref, user=mention[1])
    raise ask.wrong(
        f"{_quoted(plain_text(words.rest))} is nobody that Slack knows: "
        "type @ and pick one person from its list."
    )


def _read_severity(words: _Words, ask: _Asking) -> Request:
    ref = ask.ref(words)
    word = words.take()
    if not word:
        raise ask.wrong("The severity is missing.")
    severity = ask.severity(word)
    ask.nothing_else(words)
    return Change(actor=ask.actor, ref=ref, severity=severity)


def _read_title(words: _Words, ask: _Asking) -> Request:
    ref = ask.ref(words, before_text=True)
    return Change(actor=ask.actor, ref=ref, title=_unquoted(ask.text(words, "The title")))


def _read_components(words: _Words, ask: _Asking) -> Request:
    ref = ask.ref(words, before_text=True)
    names = _unquoted(ask.text(words, "The list of components"))
    if names.casefold() == "none":
        return Change(actor=ask.actor, ref=ref, components=())
    components = _components(names.rstrip(", "), ask)
    if not components:
        raise ask.wrong("The list of components is missing.")
    return Change(actor=ask.actor, ref=ref, components=components)


def _read_timeline(words: _Words, ask: _Asking) -> Request:
    ref = ask.ref(words)
    _only_a_ref(words, ask, ref)
    return ShowTimeline(ref=ref)


_ENTRY = re.compile(r"#?([0-9]+)")


def _read_redact(words: _Words, ask: _Asking) -> Request:
    # An entry is never left out: a number that stands alone is the entry.
    ref = ask.ref(words) if len(words.rest.split()) > 1 else None
    word = words.take()
    if not word:
        raise ask.wrong("The number of the entry is missing.")
    match = _ENTRY.fullmatch(word)
    entry = UUID(word) if _UUID.fullmatch(word) else _number(match[1]) if match else None
    if entry is None:
        raise ask.wrong(f"{_quoted(word)} is no entry: the timeline shows their numbers.")
    ask.nothing_else(words)
    return Redact(actor=ask.actor, ref=ref, entry=entry)


def _read_setup(words: _Words, ask: _Asking) -> Request:
    if match := _CHANNEL.fullmatch(words.rest):
        return SetStatusChannel(channel=match[1] or match[2])
    if not words.rest:
        raise ask.wrong("The channel is missing.")
    raise ask.wrong(
        f"{_quoted(plain_text(words.rest))} is no channel that Slack knows: "
        "type # and pick one from its list."
    )


def _read_help(words: _Words, ask: _Asking) -> Request:
    word = words.take()
    ask.nothing_else(words)
    return ShowHelp(verb=find_verb(word).name if word else None)


# --- the table -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Verb:
    """One row of the table: what parses it, and what help and README say about it.

    ``arguments`` is what follows the name in the usage line; ``example`` a whole command that the
    parser takes. ``raw``: its argument is a mention, read before Slack's escaping is undone.
    """

    name: str
    arguments: str
    summary: str
    example: str
    read: Callable[[_Words, _Asking], Request] = field(repr=False)
    aliases: tuple[str, ...] = ()
    raw: bool = False

    @property
    def usage(self) -> str:
        """The line to type, with its arguments by name."""
        return f"{COMMAND} {self.name} {self.arguments}".rstrip()


VERBS = (
    Verb(
        name="declare",
        arguments="[title] [severity:high] [lifecycle:response] [components:api,web] [private]",
        summary="declares an incident; without a title it opens a dialog",
        example="declare Checkout is down severity:high components:api,web",
        read=_read_declare,
        aliases=("new",),
    ),
    Verb(
        name="list",
        arguments="[open|all|mine] [severity:…] [status:…]",
        summary="shows incidents, ten to a page, newest first",
        example="list mine severity:high",
        read=_read_list,
    ),
    Verb(
        name="show",
        arguments="<n>",
        summary="shows the card, to you alone",
        example="show 42",
        read=_read_show,
    ),
    Verb(
        name="status",
        arguments="<n> <status> [note]",
        summary="changes the status; the note is private",
        example="status 42 identified db-3 lost quorum",
        read=_read_status,
    ),
    Verb(
        name="next",
        arguments="<n> [note]",
        summary="takes the next step if there is only one, else offers them; the note is private",
        example="next 42 rolled back build 311",
        read=_read_next,
    ),
    Verb(
        name="ack",
        arguments="<n>",
        summary="says that you are looking at it; you become the owner where there is none",
        example="ack 42",
        read=_read_ack,
        aliases=("acknowledge",),
    ),
    Verb(
        name="resolve",
        arguments="<n> [note]",
        summary="changes the status to resolved; the note is private",
        example="resolve 42 error rate is back to normal",
        read=_read_move("resolved"),
    ),
    Verb(
        name="close",
        arguments="<n> [note]",
        summary="changes the status to closed; the note is private",
        example="close 42 false alarm",
        read=_read_move("closed"),
    ),
    Verb(
        name="update",
        arguments="<n> [status:<status>] <text>",
        summary="posts a public update, for everyone to read; changes the status if you name one",
        example="update 42 status:monitoring A fix is rolling out.",
        read=_read_update,
    ),
    Verb(
        name="note",
        arguments="<n> <text>",
        summary="keeps a private note in the timeline, for responders alone",
        example="note 42 db-3 is out of the pool",
        read=_read_note,
    ),
    Verb(
        name="assign",
        arguments="<n> [@person]",
        summary="hands the incident over; without a name, to yourself",
        example="assign 42 <@U0MIA|mia>",
        read=_read_assign,
        raw=True,
    ),
    Verb(
        name="severity",
        arguments="<n> <severity>",
        summary="corrects the severity: critical, high, medium or low",
        example="severity 42 critical",
        read=_read_severity,
    ),
    Verb(
        name="title",
        arguments="<n> <title>",
        summary="corrects the title, which is public",
        example="title 42 Checkout is slow",
        read=_read_title,
    ),
    Verb(
        name="components",
        arguments="<n> a,b",
        summary="says which components are affected; `none` clears the list",
        example="components 42 Checkout API, Payments",
        read=_read_components,
    ),
    Verb(
        name="timeline",
        arguments="<n>",
        summary="shows the whole timeline, notes included, to you alone",
        example="timeline 42",
        read=_read_timeline,
    ),
    Verb(
        name="redact",
        arguments="<n> <entry>",
        summary="withdraws the text of one entry of the timeline",
        example="redact 42 3",
        read=_read_redact,
    ),
    Verb(
        name="setup",
        arguments="#channel",
        summary="makes a channel the status channel (workspace admins)",
        example="setup <#C0STATUS|status>",
        read=_read_setup,
        raw=True,
    ),
    Verb(
        name="help",
        arguments="[verb]",
        summary="explains all verbs, or one",
        example="help status",
        read=_read_help,
    ),
)


def markdown_table() -> str:
    """The table of commands as Markdown, for README."""
    rows = [(COMMAND, "shows what is open, with buttons for the next steps")]
    rows += [(verb.usage.replace("|", r"\|"), verb.summary) for verb in VERBS]
    lines = [f"| `{usage}` | {summary} |" for usage, summary in rows]
    return "\n".join(["| command | does |", "|---|---|", *lines])
