"""The words after ``declare``: options, the audience and the title, in any order. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from bot.slack.audience_words import (
    PRIVATE,
    PRIVATE_WITHIN,
    PUBLIC,
    SaidReaders,
    binds,
    readers_at_end,
    readers_at_start,
    readers_within,
)
from bot.slack.heads import STATUS_KEYS, HeadKind, after_signs, audience_within, head_of
from bot.slack.likeness import near
from bot.slack.option_words import (
    HABITS,
    START_WORDS,
    Said,
    options_said,
    spread,
    without_said,
    words_of,
)
from bot.slack.references import first_word, plain_word
from bot.slack.strangers import strangers
from bot.slack.tokens import cut, joined, unwrapped, without, without_separators
from bot.slack.typed import Circumstances, Typed, option, quoted, unquoted
from core.incident import Severity
from core.times import start_of

KEYS = ("severity", "lifecycle", "components", "since")
AUDIENCES = (PRIVATE, PUBLIC)

QUOTES_NEEDED = 'Names with blanks need quotes: components:"Checkout API, Payments".'

# "=" and full-width signs after a key, and the dashes before one.
_SIGN = re.compile(r"([A-Za-z]+)[=:：＝](.*)", re.DOTALL)
_DASHED = re.compile(r"(?:--?|[–—−])([A-Za-z]+)(?:[=:：＝](.*))?", re.DOTALL)
_KEYED = re.compile(r"--?[^\W\d_]\S*|[^\W\d_][\w-]*=(?!=|//)\S*")

_YES = frozenset({"yes", "true", "1", "on"})
# Other words for readers; without a decoration they are a part of the title: "Internal search".
_INSIDERS = frozenset({"internal", "note"})
_EMOJI = re.compile(r":[a-z0-9_+'-]+:", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Doubt:
    """Words of a declaration that may be an option or a part of the title.

    ``without`` is the title without them; ``meant`` are the options that they may mean.
    ``unknown`` is a word that is written like an option that a declaration does not have. With
    neither, the words may name the ``readers``, and two more doubts may be about the options in
    the same declaration: ``within`` the title as it was typed, and ``beside`` the words about
    readers. ``components``: the word stands among the components, and these are the others.
    """

    word: str
    without: str
    meant: Mapping[str, str] = field(default_factory=dict)
    unknown: str = field(default="", kw_only=True)
    readers: str = field(default=PRIVATE, kw_only=True)
    within: Doubt | None = field(default=None, kw_only=True)
    beside: Doubt | None = field(default=None, kw_only=True)
    components: tuple[str, ...] | None = field(default=None, kw_only=True)


@dataclass(frozen=True, slots=True)
class _Asked:
    """Words that may name ``readers``, and the tokens of the title without them."""

    words: str
    rest: list[str]
    readers: str = PRIVATE


class Arguments:
    """Sorts the words after ``declare`` into ``options`` and ``title``.

    ``key:value`` is an option anywhere. ``key: value``, with a blank, is one at the end, and at the
    beginning if the value can mean nothing else; ``private`` is one at either end. Elsewhere they
    belong to the title. ``doubt`` is a word that may be either.
    """

    def __init__(self, typed: Typed) -> None:
        self._typed = typed
        self.options: dict[str, str] = {}
        self._said: dict[tuple[tuple[str, ...], frozenset[str]], list[Said]] = {}
        typed.rest = spread(typed.rest, typed.known.statuses)
        tokens = typed.tokens()
        whole = " ".join(tokens)
        # Apostrophes within a quotation split it: 'Customers can't pay'.
        split = len(tokens) > 1 and unwrapped(whole) != whole
        self._tokens = self._canonical([whole] if split else tokens)
        while self._tokens and self._take_last():
            pass
        while len(self._tokens) > 2 and self._take_first_two():
            pass
        self._take_those_within()
        self._take_readers()
        self.doubt = self._doubt()
        self.title = joined(self._tokens)

    def _doubt(self) -> Doubt | None:
        within = self._about_options(self._tokens)
        asked = self._about_readers()
        if asked is None:
            return within
        beside = self._about_options(asked.rest)
        if beside is None and within is not None and asked.words in within.without:
            # Only the words about readers set the option off from the title.
            others = without_separators(within.without.replace(asked.words, "", 1).split())
            beside = replace(within, without=joined(others))
        return Doubt(
            asked.words, joined(asked.rest), readers=asked.readers, within=within, beside=beside
        )

    def _keep(self, key: str, value: str) -> None:
        if key in self.options:
            raise self._typed.wrong(f"`{key}` is named twice.")
        if {key, *self.options} >= {*AUDIENCES}:
            raise self._typed.wrong("`private` and `public` are both named.")
        self.options[key] = value

    def _canonical(self, tokens: list[str]) -> list[str]:
        """``tokens`` with every spelling of an option as ``key:value`` or ``key: value``."""
        spelled: list[str] = []
        waiting = list(tokens)
        while waiting:
            token = waiting.pop(0)
            if dashed := _DASHED.fullmatch(token):
                key, value = dashed[1].casefold(), dashed[2]
                if key in AUDIENCES or near(key, AUDIENCES):
                    self._audience(near(key, AUDIENCES) or key, value)
                    continue
                if key in KEYS or _likely(key):
                    if not value and waiting:
                        value = waiting.pop(0)
                    spelled.append(f"{key}:{value or ''}")
                    continue
            signed = _SIGN.fullmatch(token)
            key = (signed[1] if signed else token).casefold()
            if key in AUDIENCES and signed and signed[2]:
                self._audience(key, signed[2])
            elif key in AUDIENCES and signed and len(waiting) == 1 and _says_yes(waiting[0]):
                self._audience(key, waiting.pop())
            elif signed and (key in KEYS or _likely(key)) and not signed[2].startswith("//"):
                value = (
                    whole_start(signed[2], waiting, self._typed.known)
                    if key == "since"
                    else signed[2]
                )
                spelled.append(f"{signed[1]}:{value}")
            elif key in KEYS and waiting and waiting[0][0] in ":=：＝":
                # A blank before the sign.
                after = waiting.pop(0)[1:]
                spelled.append(f"{token}:{after}")
            else:
                spelled.append(token)
        return spelled

    def _audience(self, key: str, value: str | None) -> None:
        if not _says_yes(value or "yes"):
            raise self._typed.wrong(f"Write only `{key}`, after the title, or `{key}:yes`.")
        self._keep(key, "yes")

    def _take_last(self) -> bool:
        """Takes an option from the end; whether there was one."""
        *before, last = self._tokens
        if self._audience_in(last):
            return self._take_private(at_end=True)
        if (key := self._key(last)) and (value := option(last)[1]):
            self._keep(key, value)
            self._tokens = without(self._tokens, len(before))
            return True
        if key:
            raise self._typed.wrong(f"The value of `{key}:` is missing.")
        key, value = option(before[-1]) if before else ("", "")
        if not key or value:
            return False
        if (fixed := self._typed.fixed(key)) in KEYS:
            self._keep(fixed, unquoted(last))
            self._tokens = before[:-1]
            return True
        if plain_word(last) in self._values(meant := _likely(key)):
            raise self._no_option(key, meant)
        return False

    def _audience_in(self, token: str) -> str:
        """``private`` or ``public`` if ``token`` says so, decorated or misspelt; or empty."""
        plain = re.sub(r"^\W+|\W+$", "", plain_word(token))
        if plain == PRIVATE or near(plain, (PRIVATE,)):
            return PRIVATE
        # In a channel that everybody reads the word is a part of the title.
        return PUBLIC if plain == PUBLIC and self._typed.known.secluded else ""

    def _take_readers(self) -> None:
        """Takes ``private`` from either end; options in plain words may stand behind it."""
        while self._tokens and self._take_private(at_end=True):
            pass
        if self._tokens and not self._readers_said(at_end=True):
            self._take_private(at_end=False)

    def _take_private(self, *, at_end: bool) -> bool:
        """Takes ``private`` from one end, if it can be no part of the title; whether it did."""
        said = self._readers_said(at_end=at_end)
        if said is None or not said.bare or said.name != PRIVATE:
            return False
        place, places = said.start, self._places()
        token, before = self._tokens[place], self._tokens[:place]
        # Something behind it, such as an emoji, makes it doubtful.
        exact = re.sub(r"^\W+|\W+$", "", plain_word(token)) == PRIVATE
        if not exact or (at_end and place != places[-1]) or (not at_end and place != places[0]):
            return False
        others = without_separators(without(self._tokens, place))
        # Undecorated, it may be an adjective at the beginning.
        bound = binds(before) if at_end and others else not at_end and token.casefold() == PRIVATE
        if bound:
            return False
        self._keep(PRIVATE, "yes")
        self._tokens = others
        return True

    def _readers_said(self, *, at_end: bool) -> SaidReaders | None:
        """The readers that words at one end may name, options in plain words apart."""
        places = self._places()
        words = [self._tokens[place] for place in places]
        said = readers_at_end(words) if at_end else readers_at_start(words)
        if said is None or said.end - said.start != (places[said.end - 1] + 1 - places[said.start]):
            return None
        return replace(said, start=places[said.start], end=places[said.end - 1] + 1)

    def _places(self) -> list[int]:
        """The places of the words that belong to no option in plain words."""
        said = self._said_in(self._tokens, taken=())
        spans = [*((one.start, one.end) for one in said), *strangers(self._tokens, self._typed)]
        taken = {place for start, end in spans for place in range(start, end)}
        if len(self._tokens) > 1 and self._tokens[0].startswith("@"):
            taken.add(0)  # words about readers may stand behind a person
        return [place for place in range(len(self._tokens)) if place not in taken]

    def _about_readers(self) -> _Asked | None:
        """The words that may ask for readers; None if they are clear, or were taken."""
        if PRIVATE in self.options:
            return None
        for at_end in (True, False):
            said = self._readers_said(at_end=at_end)
            if said and self._counts(said):
                return self._without_readers(said)
        return self._in_quotation() or self._inside()

    def _counts(self, said: SaidReaders) -> bool:
        """Whether ``said`` differs from what the conversation makes of a declaration."""
        return said.name == (PUBLIC if self._is_private() else PRIVATE)

    def _is_private(self) -> bool:
        """Whether the declaration is private because of its conversation."""
        return self._typed.known.secluded and PUBLIC not in self.options

    def _without_readers(self, said: SaidReaders) -> _Asked:
        words = " ".join(self._tokens[said.start : said.end])
        rest = cut(self._tokens, said.start, said.end)
        # "Keys are not private" means nothing without its last word.
        rest = self._tokens if binds(self._tokens[: said.start]) and said.start else rest
        return _Asked(words, rest, said.name)

    def _inside(self) -> _Asked | None:
        """A word about readers that is no clear end of the title: "visibility=private"."""
        if self._is_private():
            return None
        places = [place for place in self._places() if self._is_word(self._tokens[place])]
        ends = places[-1:] + places[:1]
        for place in dict.fromkeys([*places[-2:][::-1], *places[:2]]):
            token = self._tokens[place]
            plain = plain_word(token)
            insiders = place in ends and _is_insiders(token)
            if insiders or PRIVATE_WITHIN.search(plain):
                return _Asked(token, cut(self._tokens, place, place + 1))
        if said := readers_within(self._tokens):
            return self._without_readers(said)
        if word := audience_within(" ".join(self._tokens)):
            # The word stays in a private title: the words after it may mean nothing without it.
            return _Asked(word, self._tokens)
        return None

    def _in_quotation(self) -> _Asked | None:
        """An audience at either end of a title that is quoted as a whole."""
        named = [self._tokens[place] for place in self._places()]
        if len(named) != 1 or (title := joined(named)) == named[0]:
            return None
        words = title.split()
        for said in (readers_at_end(words), readers_at_start(words), self._insiders_in(words)):
            if said and self._counts(said):
                rest = " ".join(cut(words, said.start, said.end))
                others = [rest if one is named[0] else one for one in self._tokens]
                asked = " ".join(words[said.start : said.end])
                return _Asked(asked, [one for one in others if one], said.name)
        return None

    def _insiders_in(self, words: list[str]) -> SaidReaders | None:
        """A word at either end of ``words`` that may name readers because of its signs."""
        ends = [place for place, word in enumerate(words) if self._is_word(word)]
        for place in ends[-1:] + ends[:1]:
            if _is_insiders(words[place]) or PRIVATE_WITHIN.search(plain_word(words[place])):
                return SaidReaders(place, place + 1, PRIVATE)
        return None

    def _about_options(self, tokens: list[str]) -> Doubt | None:
        """The options that words of ``tokens`` may mean: "severity high", "since 02:50", "--foo".

        The quotation marks around a whole title make all of it a title.
        """
        if said := self._said_in(tokens):
            words = words_of(tokens, said)
            rest = without_said(tokens, said)
            meant = {one.key: one.value for one in said}
            unknown = self._unknown_first(rest) or self._unknown_within(rest)
            if unknown is None:
                return Doubt(words, joined(rest), meant)
            return Doubt(words, unknown.without, meant, unknown=unknown.unknown)
        unknown = self._unknown_first(tokens) or self._unknown_within(tokens)
        return self._beside(unknown) if unknown and joined(tokens) == " ".join(tokens) else unknown

    def _beside(self, unknown: Doubt) -> Doubt:
        """``unknown`` with the options at the ends of the title without it: "… high owner @bo"."""
        others = unknown.without.split()
        if not others or not (said := self._said_in(others)):
            return unknown
        rest = joined(without_said(others, said))
        meant = {one.key: one.value for one in said}
        return Doubt(words_of(others, said), rest, meant, unknown=unknown.unknown)

    def _unknown_first(self, tokens: list[str]) -> Doubt | None:
        """A first word that is written like an option: ``--key``, ``key=value``."""
        if not tokens or joined(tokens) != " ".join(tokens):
            return None
        text = after_signs(" ".join(tokens))
        first = first_word(text)
        if first is None:
            return None
        word, rest = first[0], text[first.end() :].lstrip()
        if not self._is_option(word):
            head = head_of(text, statuses=self._typed.known.statuses, words=False)
            if head is None or head.kind is not HeadKind.STATUS:
                return None
            word, rest = text[: len(text) - len(head.rest)].strip(), head.rest
        return Doubt(word, rest, unknown=word)

    def _unknown_within(self, tokens: list[str]) -> Doubt | None:
        """An unknown ``key:value`` among the words of the title."""
        for place, token in enumerate(tokens):
            about_readers = audience_within(token) or PRIVATE_WITHIN.search(plain_word(token))
            if option(plain_word(token))[1] and self._is_option(token) and not about_readers:
                return Doubt(token, joined(without(tokens, place)), unknown=token)
        if found := next(strangers(tokens, self._typed), None):
            return self._without_strangers(tokens, found)
        for said in (readers_at_end(tokens), readers_at_start(tokens)):
            if said and said.name == PUBLIC and said.asks and not self._is_private():
                words = " ".join(tokens[said.start : said.end])
                return Doubt(words, joined(cut(tokens, said.start, said.end)), unknown=words)
        return None

    def _without_strangers(self, tokens: list[str], found: tuple[int, int] | None) -> Doubt:
        """The doubt about all words that a declaration has no option for, ``found`` the first."""
        words: list[str] = []
        while found and found != (0, len(tokens)):
            words.append(" ".join(tokens[found[0] : found[1]]))
            tokens = cut(tokens, *found)
            found = next(strangers(tokens, self._typed), None)
        named = " ".join(words) or " ".join(tokens)
        return Doubt(named, joined(tokens) if words else "", unknown=named)

    def _is_option(self, token: str) -> bool:
        """Whether ``token`` is written like an option. ``Error:disk`` and addresses are text."""
        plain = plain_word(token)
        if _KEYED.fullmatch(plain):
            return True
        key, value = option(plain)
        if not key or not value:
            return False
        known = (*KEYS, *STATUS_KEYS, *self._typed.known.statuses)
        # A word that begins with a small letter is a key; one with a capital begins a sentence.
        return bool(_likely(key) or near(key, known)) or re.sub(r"^\W+", "", token).startswith(key)

    @staticmethod
    def _is_word(token: str) -> bool:
        """Whether ``token`` is one word of the title, and no emoji or quotation."""
        if _EMOJI.fullmatch(token) or " " in token:
            return False
        return any(character.isalnum() for character in token)

    def _take_first_two(self) -> bool:
        """Takes ``key: value`` from the beginning; whether it was there."""
        (key, value), second = option(self._tokens[0]), plain_word(self._tokens[1])
        if value or second not in self._values(key):
            return False
        self._keep(key, second)
        self._tokens = self._tokens[2:]
        return True

    def _said_in(self, tokens: list[str], taken: Iterable[str] | None = None) -> list[Said]:
        """The options in plain words among ``tokens``, looked for once in a long text.

        ``taken`` None: those that are set already.
        """
        key = (tuple(tokens), frozenset(self.options if taken is None else taken))
        if key not in self._said:
            # That which the declaration gets anyway may as well be a word of its title.
            bare = frozenset(Severity) - {self._typed.known.default_severity}
            self._said[key] = options_said(tokens, known=self._typed.known, taken=key[1], bare=bare)
        return self._said[key]

    def _values(self, key: str) -> list[str]:
        if key == "severity":
            return [severity.value for severity in Severity]
        return [lifecycle.name for lifecycle in self._typed.catalogue] if key == "lifecycle" else []

    def _take_those_within(self) -> None:
        """Takes the options among the words of the title."""
        title: list[str] = []
        for place, token in enumerate(self._tokens, start=1):
            key, value = option(token)
            if value and (key := self._key(token)):
                if key == "components" and title and place < len(self._tokens):
                    # The words after it may belong to a component's name or to the title.
                    raise self._typed.wrong(QUOTES_NEEDED)
                self._keep(key, value)
            else:
                title.append(token)
        self._tokens = title

    def _key(self, token: str) -> str:
        """The option that ``token`` sets; empty for a word of the title that holds a colon."""
        key, value = option(token)
        key = self._typed.fixed(key)
        if key in KEYS:
            return key
        if value and (meant := _likely(key)):
            raise self._no_option(key, meant)
        return ""

    def _no_option(self, key: str, meant: str) -> Exception:
        return self._typed.wrong(
            f"There is no option {quoted(key + ':')}.", suggestion=f"{meant}:", slip=key
        )


def whole_start(value: str, waiting: list[str], known: Circumstances) -> str:
    """The value of ``since:``, with those of the words ``waiting`` that belong to it."""
    for count in range(min(START_WORDS, len(waiting)), 0, -1):
        whole = " ".join([unquoted(value), *waiting[:count]]).strip()
        if start_of(whole, at=known.at, zone=known.zone):
            del waiting[:count]
            return whole
    return value


def _says_yes(word: str) -> bool:
    return plain_word(word) in _YES


def _likely(key: str) -> str:
    """The option that ``key`` is most likely a slip of, empty for a word like no option."""
    return HABITS.get(key) or near(key, KEYS) or ""


def _is_insiders(token: str) -> bool:
    """Whether ``token`` names readers by its signs: "(internal)", "--internal"."""
    plain = re.sub(r"^\W+", "", plain_word(token))
    return plain in _INSIDERS and token.casefold() != plain
