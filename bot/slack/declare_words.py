"""The words after ``declare``: options, the audience and the title, in any order. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from bot.slack.heads import STATUS_KEYS, HeadKind, after_signs, audience_within, head_of
from bot.slack.likeness import near
from bot.slack.option_words import HABITS, START_WORDS, Said, options_said, without_said, words_of
from bot.slack.references import first_word, plain_word
from bot.slack.tokens import joined, unwrapped, without, without_separators
from bot.slack.typed import Circumstances, Typed, option, quoted, unquoted
from core.incident import Severity
from core.times import start_of

KEYS = ("severity", "lifecycle", "components", "since")
AUDIENCES = ("private", "public")

QUOTES_NEEDED = 'Names with blanks need quotes: components:"Checkout API, Payments".'

# Words after which "private" belongs to the sentence: "Data is private", "Only one in private".
_BINDING = re.compile(
    "in|is|are|was|were|been?|being|not|no|its?|them|keep|kept|stays?|remains?|made|makes?|becom.*|"
    "became|went|gone|go|goes|turn|turned|set|marked|an?|the|our|your|more|less|and|or|of|to|from|"
    "for|with|by|on|at|as|via|into|than|that|very|now|still|only|also|should|must|will|can|cannot"
)
# "=" and full-width signs after a key, and the dashes before one.
_SIGN = re.compile(r"([A-Za-z]+)[=:：＝](.*)", re.DOTALL)
_DASHED = re.compile(r"(?:--?|[–—−])([A-Za-z]+)(?:[=:：＝](.*))?", re.DOTALL)
_KEYED = re.compile(r"--?[^\W\d_]\S*|[^\W\d_][\w-]*=(?!=|//)\S*")

_YES = frozenset({"yes", "true", "1", "on"})
# Other words for readers; without a decoration they are a part of the title: "Internal search".
_INSIDERS = frozenset({"internal", "note"})
# "private" inside of a word that is written otherwise: "visibility=private", "(private,".
_PRIVATE_WITHIN = re.compile(r"(?<![^\W_])private(?![^\W_])")
_EMOJI = re.compile(r":[a-z0-9_+'-]+:", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Doubt:
    """A word of a declaration that may be an option or a part of the title.

    ``without`` is the title without it; ``meant`` are the options that it may mean, none if it is
    about the audience. ``components``: the word stands among the components, and these are the
    others. ``option``: it is written like an option that a declaration does not have.
    """

    word: str
    without: str
    meant: Mapping[str, str] = field(default_factory=dict)
    components: tuple[str, ...] | None = field(default=None, kw_only=True)
    option: bool = field(default=False, kw_only=True)


class Arguments:
    """Sorts the words after ``declare`` into ``options`` and ``title``.

    ``key:value`` is an option anywhere. ``key: value``, with a blank, is one at the end, and at the
    beginning if the value can mean nothing else; ``private`` is one at either end. Elsewhere they
    belong to the title. ``doubt`` is a word that may be either.
    """

    def __init__(self, typed: Typed) -> None:
        self._typed = typed
        self.options: dict[str, str] = {}
        self.doubt: Doubt | None = None
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
        if self._tokens and not self.doubt:
            self._take_audience_first()
        self._look_for_audience()
        self._look_into_quotation()
        self._look_for_audience_within()
        self._look_for_options_said()
        self._look_for_option()
        self._look_for_option_within()
        self.title = joined(self._tokens)

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
        if audience := self._audience_in(last):
            others = without(self._tokens, len(before))
            return self._take_audience(audience, last, others, bound=_binds(before))
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
        if plain == "private" or near(plain, ("private",)):
            return "private"
        # In a channel that everybody reads the word is a part of the title.
        return "public" if plain == "public" and self._typed.known.secluded else ""

    def _take_audience(self, audience: str, word: str, rest: list[str], *, bound: bool) -> bool:
        """Takes the audience, or asks about it if it may be a part of the title."""
        exact = re.sub(r"^\W+|\W+$", "", plain_word(word)) == audience == "private"
        if exact and not (bound and rest):
            self._keep("private", "yes")
            self._tokens = without_separators(rest)
            return True
        if not self._typed.literal and "private" not in self.options:
            self.doubt = self.doubt or Doubt(word, joined(without_separators(rest)))
        return False

    def _take_audience_first(self) -> None:
        """Takes the audience from the beginning. Undecorated, it may be an adjective there."""
        first = self._tokens[0]
        if audience := self._audience_in(first):
            decorated = first.casefold() != audience
            others = without(self._tokens, 0)
            self._take_audience(audience, first, others, bound=not decorated)

    def _look_for_audience(self) -> None:
        """Asks about a word beside either end that may say "private": "private please"."""
        private = self._typed.known.secluded and "public" not in self.options
        if self.doubt or private or "private" in self.options:
            return
        words = [place for place, token in enumerate(self._tokens) if self._is_word(token)]
        ends = words[-1:] + words[:1]
        for place in dict.fromkeys([*words[-2:][::-1], *words[:2]]):
            token = self._tokens[place]
            plain = plain_word(token)
            insiders = place in ends and plain in _INSIDERS and token.casefold() != plain
            if not (insiders or _PRIVATE_WITHIN.search(plain)):
                continue
            rest = without(self._tokens, place)
            if re.search(r"[(\[{]", token) and not re.search(r"[)\]}]", token):
                rest = self._tokens
            self.doubt = Doubt(token, joined(without_separators(rest)))
            return

    def _look_into_quotation(self) -> None:
        """Asks about an audience at either end of a title that is quoted as a whole."""
        named = without_said(self._tokens, self._options_said())
        if self.doubt or {"private", "public"} & {*self.options} or len(named) != 1:
            return
        quotation = named[0]
        if (title := joined([quotation])) == quotation:
            return
        words = title.split()
        ends = [place for place, word in enumerate(words) if self._is_word(word)]
        for place in ends[-1:] + ends[:1]:
            plain = plain_word(words[place])
            audience = self._audience_in(words[place])
            insiders = plain in _INSIDERS and words[place].casefold() != plain
            if not (audience or insiders or _PRIVATE_WITHIN.search(plain)):
                continue
            if self._typed.known.secluded and audience != "public":
                continue
            rest = " ".join(without_separators([*words[:place], *words[place + 1 :]]))
            others = [rest if one is quotation else one for one in self._tokens]
            self.doubt = Doubt(words[place], " ".join(filter(None, others)))
            return

    def _look_for_audience_within(self) -> None:
        """Asks about an audience with a sign behind it anywhere: "Leak. Note: of the keys"."""
        private = self._typed.known.secluded and "public" not in self.options
        if self.doubt or private or "private" in self.options:
            return
        if word := audience_within(" ".join(self._tokens)):
            # The word stays in a private title: the words after it may mean nothing without it.
            self.doubt = Doubt(word, joined(self._tokens))

    def _look_for_option(self) -> None:
        """Asks about a first word that is written like an option: ``--key``, ``key=value``."""
        if self.doubt or not self._tokens or joined(self._tokens) != " ".join(self._tokens):
            return
        text = after_signs(" ".join(self._tokens))
        first = first_word(text)
        if first is None:
            return
        if self._is_option(first[0]):
            self.doubt = Doubt(first[0], text[first.end() :].lstrip(), option=True)
            return
        head = head_of(text, statuses=self._typed.known.statuses, words=False)
        if head and head.kind is HeadKind.STATUS:
            word = text[: len(text) - len(head.rest)].strip()
            self.doubt = Doubt(word, head.rest, option=True)

    def _look_for_option_within(self) -> None:
        """Asks about an unknown ``key:value`` among the words of the title."""
        for place, token in enumerate(self._tokens):
            if not self.doubt and option(plain_word(token))[1] and self._is_option(token):
                self.doubt = Doubt(token, joined(without(self._tokens, place)), option=True)

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

    def _look_for_options_said(self) -> None:
        """Asks about words that may mean an option: "severity high", "since 02:50", "sev1"."""
        if self.doubt:
            return
        if said := self._options_said():
            words = words_of(self._tokens, said)
            rest = joined(without_said(self._tokens, said))
            meant = {one.key: one.value for one in said}
            self.doubt = Doubt(words, rest, meant)

    def _options_said(self) -> list[Said]:
        return options_said(self._tokens, known=self._typed.known, taken=self.options)

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


def _binds(words: list[str]) -> bool:
    """Whether the last of ``words`` makes the next one a part of the sentence."""
    return bool(words) and _BINDING.fullmatch(plain_word(words[-1])) is not None


def _likely(key: str) -> str:
    """The option that ``key`` is most likely a slip of, empty for a word like no option."""
    return HABITS.get(key) or near(key, KEYS) or ""
