"""Words at either end of a text that may be an option of its command: "severity high". Pure.

They lack the sign of an option, or stand behind the text. A sentence may end with the same words,
so they count only where they are set off from it, or fit into no sentence.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Container, Iterator, Sequence
from dataclasses import dataclass, replace

from bot.slack.audience_words import (
    PRIVATE,
    PUBLIC,
    binds,
    called_at_start,
    published_at_end,
    readers_at_end,
    readers_at_start,
    readers_within,
)
from bot.slack.heads import AUDIENCES, Head, HeadKind, head_of, opened_within
from bot.slack.likeness import near
from bot.slack.option_words import Said, asks_for_severity, is_key_first, options_said, spread
from bot.slack.owner_words import owners_said, people_at_end, people_at_start
from bot.slack.promise_words import (
    COMPACT_TIME,
    ENDED,
    promise_at_end,
    promise_at_start,
    promised_by,
)
from bot.slack.references import WORD, plain_word
from bot.slack.typed import Typed, unquoted
from bot.slack.verbs import VERBS_BY_WORD
from core.incident import Severity

# The value of an option that names a person.
OWNER = "owner"
# No option in plain words is longer, with a word before it.
_WINDOW = 9
_ASIDES_MAX = 4
_BRACKETED = re.compile(r"[(\[{].*[)\]}][.,;:!?]*", re.DOTALL)
_DASH = re.compile("[-–—|]+")
_ARROW = re.compile("[-=]+>|[\u2190-\u21ff\u2794-\u27be\u27f0-\u27ff]")
_SIGN = re.compile(r"[:=]|^--?\w|^[–—]\w|[-=]>|[\u2190-\u21ff\u2794-\u27be\u27f0-\u27ff]")
# Options that no text has: "Cards fail components:api".
_NO_OPTION = re.compile(r"\W*(?:components?|lifecycle)\s*[:=]\s*\S+", re.IGNORECASE)
_OTHER_OPTIONS = frozenset({"lifecycle", "since", "components"})
_BRACKETS = (("(", ")"), ("[", "]"), ("{", "}"))
_PAIRS = (*_BRACKETS, ("*", "*"), ("_", "_"), ("~", "~"), ("`", "`"))


@dataclass(frozen=True, slots=True)
class Asides:
    """The options that words at the ends of a text may be, and the ``rest`` of the text.

    ``words`` are those words as they were typed.
    """

    found: tuple[Head, ...]
    words: tuple[str, ...]
    rest: str


def asides_of(
    text: str, typed: Typed, kinds: Container[HeadKind], *, public: bool, bare: bool = True
) -> Asides:
    """The asides of ``kinds`` in ``text``, each kind at most once.

    ``public``: everybody will read the text, and words about private readers count. Otherwise it is
    a note, and words about everybody count. ``bare``: a public text may begin with a bare status.
    """
    found: list[Head] = []
    words: list[str] = []
    whole = unquoted(text)
    rest = apart = spread(whole, typed.known.statuses)
    while len(found) < _ASIDES_MAX and rest:
        # Behind an option a status begins with a small letter: "severity high monitoring We look".
        status = not found or (apart.endswith(rest) and rest[0].islower())
        aside = _first(rest, typed, kinds, public=public, words=public and bare and status)
        if aside is None and (aside := _beside_another(rest, typed, kinds, public=public)) is None:
            break
        again = aside.kind in {one.kind for one in found}
        if not again:
            found.append(aside)
            words.append(_plainly(aside.words or _words(rest, aside.rest)))
        if again or aside.rest == rest:
            # It stays in the text, and words about readers may stand behind it.
            beside = _readers_beside(rest, typed, found, public=public, kinds=kinds)
            found += beside
            words += [one.words for one in beside]
            break
        rest = _without_dash(rest, aside.rest)
    return Asides(tuple(found), tuple(filter(None, words)), whole if rest == apart else rest)


def _beside_another(
    text: str, typed: Typed, kinds: Container[HeadKind], *, public: bool
) -> Head | None:
    """An aside that only another one connects with the text: "… internal only high".

    It is found as soon as a sign stands between the two.
    """
    tokens = list(WORD.finditer(text))
    for count in range(1, min(_WINDOW, len(tokens))):
        cut = tokens[-count].start()
        # Only the last words matter.
        left, right = text[tokens[-2 * _WINDOW :][0].start() : cut].rstrip(), text[cut:]
        other = _first(left, typed, kinds, public=public, words=False)
        if other and other.rest != left and left.startswith(other.rest):
            found = _first(f"{left}, {right}", typed, kinds, public=public, words=False)
            if found and found.rest == left:
                return replace(found, rest=text[:cut].rstrip(), words=right)
    for count in range(1, min(_WINDOW, len(tokens))):
        cut = tokens[count - 1].end()
        left, right = text[:cut], text[cut : tokens[: 2 * _WINDOW][-1].end()].lstrip()
        other = _first(right, typed, kinds, public=public, words=False)
        if other and other.rest != right and right.endswith(other.rest):
            found = _first(f"{left}: {right}", typed, kinds, public=public, words=False)
            if found and found.rest == right:
                return replace(found, rest=text[cut:].lstrip(), words=left)
    return None


def _without_dash(text: str, rest: str) -> str:
    """``rest`` without the dash that sets it off in its line; that of a list of lines stays."""
    before = text[: len(text) - len(rest)] if text.endswith(rest) else "\n"
    return rest if "\n" in before else re.sub(r"^[-–—|]\s+", "", rest)


def _readers_beside(
    text: str, typed: Typed, found: Sequence[Head], *, public: bool, kinds: Container[HeadKind]
) -> list[Head]:
    """The words about readers in ``text``, behind options that stay in it, unless they are found.

    They stay in the text, too.
    """
    asked = frozenset({HeadKind.AUDIENCE})
    if HeadKind.AUDIENCE not in kinds or any(one.kind in asked for one in found):
        return []
    tokens = list(WORD.finditer(text))
    inner = range(min(_WINDOW, len(tokens)))
    parts = [text[tokens[count].start() :] for count in inner]
    parts += [text[: tokens[-count].start()] for count in inner if count]
    for part in parts:
        aside = _first(part, typed, asked, public=public, words=False)
        if aside:
            said = _plainly(aside.words or _words(part, aside.rest))
            return [replace(aside, rest=text, words=said)]
    return []


def _words(text: str, rest: str) -> str:
    """What ``text`` has beside ``rest``; empty if that cannot be told."""
    if not rest:
        return text.strip()
    if text == rest or rest not in text:
        return ""
    start = text.index(rest) if text.endswith(rest) and not text.startswith(rest) else 0
    return text[:start] if start else text[len(rest) :]


def _plainly(words: str) -> str:
    """``words`` without the signs that set them off, and without half a pair of brackets."""
    plain = re.sub(r"^[-–—|,;]\s|[\s,;|–—-]+$", "", words.strip()).strip()
    for opening, closing in _BRACKETS:
        if plain.count(opening) != plain.count(closing):
            plain = plain.replace(opening, "").replace(closing, "")
    return plain


def _first(
    text: str, typed: Typed, kinds: Container[HeadKind], *, public: bool, words: bool
) -> Head | None:
    statuses = typed.known.statuses
    head = head_of(text, statuses=statuses, words=words, note=not public)
    of = _Text(text, list(WORD.finditer(text)), typed, public=public)
    if head and head.kind is HeadKind.PROMISE and not promised_by(head.value, typed):
        # "Next: a restart" is a sentence; "next:30mm" is a slip that may become public.
        slip = public and (":" in text.split(maxsplit=1)[0][:-1] or head.value[:1].isdigit())
        head = head if slip else None
    if head and _is_meant(head, text, public=public) and head.kind in kinds:
        # "internal only: …" is more than its first word.
        more = {HeadKind.AUDIENCE: _readers, HeadKind.PROMISE: _promise}.get(head.kind)
        longer = next(more(of), None) if more else None
        return longer if longer and len(longer.rest) < len(head.rest) else head
    for reader in _READERS:
        for aside in reader(of):
            if aside.kind in kinds:
                return aside
    return None


def _is_meant(head: Head, text: str, *, public: bool) -> bool:
    """Whether ``head`` counts before this text: a note may begin with "Monitoring: all is well"."""
    if public:
        return True
    if head.kind is HeadKind.AUDIENCE:
        return head.value == PUBLIC
    if head.kind is HeadKind.STATUS:
        token = text.split(maxsplit=1)[0]
        if _BRACKETED.fullmatch(token):
            return True
        first = plain_word(token)
        return not near(re.split(r"[:=]", first)[0], {head.value}) and first != "to"
    return True


@dataclass(frozen=True, slots=True)
class _Text:
    """A text with its words, and their places in it."""

    text: str
    tokens: Sequence[re.Match[str]]
    typed: Typed
    public: bool

    def head(self) -> list[str]:
        """The first words."""
        return [one[0] for one in self.tokens[:_WINDOW]]

    def tail(self) -> list[str]:
        """The last words."""
        return [one[0] for one in self.tokens[-_WINDOW:]]

    def first(self, kind: HeadKind, value: str, count: int) -> Head:
        """The first ``count`` words, and the text without them and what sets them off."""
        end = self.tokens[count - 1].end()
        rest = _paired(self.text[end:].lstrip(" \t\n,;:|–—-"), self.text[:end], at_end=False)
        return Head(kind, value, rest, words=self.text[:end])

    def last(self, kind: HeadKind, value: str, count: int) -> Head:
        """The last ``count`` words, and the text without them and what sets them off."""
        start = self.tokens[-count].start()
        kept = re.sub(r"(?:\s+[/|–—-]+|[,;:|–—-]+)+$", "", self.text[:start].rstrip())
        rest = _paired(kept, self.text[start:], at_end=True)
        return Head(kind, value, rest, words=self.text[start:])


def _paired(rest: str, cut: str, *, at_end: bool) -> str:
    """``rest`` with the bracket or the mark of a pair whose other half went with ``cut``.

    A pair that nothing is left in goes as well.
    """
    for opening, closing in _PAIRS:
        if opening == closing:
            halved = rest.count(opening) % 2 and cut.count(opening) % 2
        else:
            left = rest.count(opening) - rest.count(closing)
            gone = cut.count(opening) - cut.count(closing)
            halved = left > 0 > gone if at_end else left < 0 < gone
        if halved:
            rest = f"{rest}{closing}" if at_end else f"{opening}{rest}"
        emptied = re.escape(opening) + r"\s*" + re.escape(closing)
        if halved:
            rest = re.sub(rf"\s*{emptied}$" if at_end else rf"^{emptied}\s*", "", rest)
    return rest


def _severity(of: _Text) -> Iterator[Head]:
    head, tail = of.head(), of.tail()
    said = _severity_in(head, of, end=0)
    if said and not said.start and (said.end == len(of.tokens) or _opens(head, said)):
        yield of.first(HeadKind.SEVERITY, said.value, said.end)
    said = _severity_in(tail, of, end=-1)
    if said and said.end == len(tail) and said.start and _closes(tail, said):
        yield of.last(HeadKind.SEVERITY, said.value, len(tail) - said.start)


def _severity_in(tokens: list[str], of: _Text, *, end: int) -> Said | None:
    """The severity that ``tokens`` name at the ``end`` of the text: 0 its first word, -1 its last.

    Without a sign it counts in a public text alone: there a word too much is read by everybody.
    """
    bare = frozenset(Severity) if of.public else frozenset()
    found = options_said(tokens, known=of.typed.known, taken=_OTHER_OPTIONS, bare=bare, ends=(end,))
    return found[0] if found else None


def _opens(tokens: list[str], said: Said) -> bool:
    """Whether the severity before a text is no part of it: "P1 tickets wait" begins with none."""
    words = tokens[said.start : said.end]
    after = tokens[said.end]
    if ENDED.search(words[-1]) or not any(map(str.isalnum, after)):
        return True
    if len(words) == 1:
        return after[0].isupper() or plain_word(words[0]) in {*Severity}
    return asks_for_severity(words) or (len(words) == 2 and is_key_first(words))


def _closes(tokens: list[str], said: Said) -> bool:
    """Whether the severity behind a text is no part of it: "It is of high severity" is one."""
    words, before = tokens[said.start : said.end], tokens[: said.start]
    if _BRACKETED.fullmatch(" ".join(words)) or ENDED.search(before[-1]):
        return True
    direct = len(words) == 1 or (len(words) == 2 and is_key_first(words))
    return direct and not binds(before)


def _status(of: _Text) -> Iterator[Head]:
    """A status behind the text, with a sign: "(monitoring)", "-> monitoring"."""
    tail, statuses = of.tail(), of.typed.known.statuses
    if len(tail) < 2:
        return
    status = near(plain_word(tail[-1]), statuses, most=1)
    if status is None:
        return
    if _BRACKETED.fullmatch(tail[-1]) and plain_word(tail[-1]) == status:
        yield of.last(HeadKind.STATUS, status, 1)
    count = 2
    if _DASH.fullmatch(tail[-2]) and tail[-1][-1].isalnum():
        # "Rolled back - monitoring"; with a full stop it rather ends a sentence.
        yield of.last(HeadKind.STATUS, status, count)
    if _ARROW.fullmatch(tail[-2]):
        if len(tail) > 2 and plain_word(tail[-3]) in {"status", "to", *statuses}:
            count = 3
        yield of.last(HeadKind.STATUS, status, count)
    elif (
        plain_word(tail[-2]) in {"status", "state"}
        and len(tail) > 2
        and (ENDED.search(tail[-3]) or _BRACKETED.fullmatch(" ".join(tail[-2:])))
    ):
        yield of.last(HeadKind.STATUS, status, count)


def _signed(of: _Text) -> Iterator[Head]:
    """An option with its sign behind the text: "severity:high", "--next 30m"."""
    tail = of.tail()
    for count in range(min(3, len(tail) - 1), 0, -1):
        words = tail[-count:]
        if not _SIGN.search(words[0]) and not (count > 1 and _SIGN.search(words[1])):
            continue
        if of.public and _NO_OPTION.fullmatch(" ".join(words)):
            yield of.last(HeadKind.OPTION, "", count)
        statuses = of.typed.known.statuses
        head = head_of(" ".join(words), statuses=statuses, words=False, note=True)
        if head is None or head.rest or _ARROW.search(words[0]):
            continue
        if head.kind is HeadKind.PROMISE and not promised_by(head.value, of.typed):
            continue
        if head.kind is HeadKind.OPTION or not _is_meant(head, words[0], public=of.public):
            continue
        yield of.last(head.kind, head.value, count)


def _readers(of: _Text) -> Iterator[Head]:
    """Words about readers that differ from those of the command."""
    head, tail = of.head(), of.tail()
    other = PRIVATE if of.public else PUBLIC
    said = readers_at_start(head)
    if said and said.asks and (of.public or said.name == other):
        yield of.first(HeadKind.AUDIENCE, said.name, said.end)
    if (said := called_at_start(head)) and (said.name == other) and said.end < len(of.tokens):
        yield of.first(HeadKind.AUDIENCE, said.name, said.end)
    if not of.public and (count := published_at_end(tail)):
        yield of.last(HeadKind.AUDIENCE, PUBLIC, count)
    if (said := readers_at_end(tail)) and said.start and (of.public or said.name == other):
        words = " ".join(tail[said.start : said.end])
        marked = bool(_BRACKETED.fullmatch(words)) or words.startswith("-")
        set_off = ENDED.search(tail[said.start - 1]) is not None
        bare = said.bare and not binds(tail[: said.start])
        if said.asks or marked or (said.name == other and (bare or set_off)):
            yield of.last(HeadKind.AUDIENCE, said.name, len(tail) - said.start)


def _readers_inside(of: _Text) -> Iterator[Head]:
    """Words about private readers anywhere in a public text. They stay in it."""
    if not of.public:
        return
    every = [one[0] for one in of.tokens]
    if within := readers_within(every):
        said_so = " ".join(every[within.start : within.end])
        yield Head(HeadKind.AUDIENCE, PRIVATE, of.text, words=said_so)
    if opened := opened_within(of.text, AUDIENCES):
        yield Head(HeadKind.AUDIENCE, PRIVATE, of.text, words=f"{opened[1]}{opened[2]}")


def _promise(of: _Text) -> Iterator[Head]:
    """A time of the next update: "next 30m", "promise 30m", "Next update in 30 min."."""
    head, tail = of.head(), of.tail()
    signs = next((place for place, one in enumerate(head) if any(map(str.isalnum, one))), 0)
    if found := promise_at_start(head[signs:], of.typed):
        yield of.first(HeadKind.PROMISE, found[1], found[0] + signs)
    for start in range(1, len(tail) - 1):
        if time := promise_at_end(tail[:start], tail[start:], of.typed):
            yield of.last(HeadKind.PROMISE, time, len(tail) - start)


def _command(of: _Text) -> Iterator[Head]:
    """A verb or a time alone in the place of a public text: "update 42 ack"."""
    if len(of.tokens) != 1 or not of.public:
        return
    word = plain_word(of.text)
    if word in VERBS_BY_WORD:
        yield Head(HeadKind.OPTION, "", of.text)
    elif COMPACT_TIME.fullmatch(word) and promised_by(word, of.typed):
        yield Head(HeadKind.PROMISE, word, "")


def _owner(of: _Text) -> Iterator[Head]:
    """A person as the owner: "owner @bo", "@bo owns it", "Cards leak @bo"."""
    head, tail = of.head(), of.tail()
    for start, end in owners_said(head):
        if not start:
            yield of.first(HeadKind.OPTION, OWNER, end)
    for start, end in owners_said(tail):
        named = tail[start].startswith("@")  # "and @bo owns it"
        if not start or end < len(tail):
            continue
        if named or ENDED.search(tail[start - 1]) or not binds(tail[:start]):
            yield of.last(HeadKind.OPTION, OWNER, end - start)
    if count := people_at_end(tail):
        yield of.last(HeadKind.OPTION, OWNER, count)
    if count := people_at_start(head):
        yield of.first(HeadKind.OPTION, OWNER, count)


_READERS: tuple[Callable[[_Text], Iterator[Head]], ...] = (
    _readers,
    _signed,
    _severity,
    _status,
    _promise,
    _owner,
    _command,
    # What stands at the ends is found first.
    _readers_inside,
)
