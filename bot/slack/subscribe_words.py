"""The words after ``subscribe``, ``unsubscribe`` and ``subscriptions``. Pure.

Nothing in them is free text. A word that can be read in no way, or in several, is asked about.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

from bot.slack.likeness import near
from bot.slack.markup import plain_text
from bot.slack.references import NoNumber, at_head, plain_word
from bot.slack.requests import Choice, Question, ShowCard, UsageError
from bot.slack.subscription_requests import (
    OPTIONS,
    OpenSubscription,
    ShowSubscriptions,
    Subscribe,
    Unsubscribe,
)
from bot.slack.typed import Typed, other_school, quoted, unquoted
from core.components import folded, names_in
from core.incident import Severity
from core.texts import COMMAS, listed

# Abbreviations that people type from habit, and that no measure of likeness finds.
HABITS = {"sev": "severity", "comp": "components", "component": "components"}
ON, OFF = ("on", "yes", "true", "1"), ("off", "no", "false", "0")
EVERY = frozenset({"all", "any", "every", "everything", "low"})
HERE = frozenset({"here"})
_KEYED = re.compile(r"[-–—−]{0,2}([A-Za-z]+)[:=：＝](.*)", re.DOTALL)
_AT_LEAST = re.compile(r"^(?:>=|≥)\s*|\s*\+$")
_AROUND = " \t\n.,;:!?()[]{}*_~`'\"“”‘’"
CHANNEL = re.compile(r"<#([CG][A-Z0-9]+)(?:\|[^<>]*)?>|([CG][A-Z0-9]{8,})")
PICK = "type # and pick one from Slack's list"


class StrangeWords(Question):
    """A question about words that may be the name of a channel, or of a component.

    ``words`` are theirs. ``asked`` is the subscription without them; None: one is to be ended.
    ``joined`` are its components if the words belong to the name before them. ``named``: a channel
    was named beside them.
    """

    def __init__(
        self,
        question: Question,
        words: str,
        *,
        asked: Subscribe | None = None,
        joined: tuple[str, ...] = (),
        named: bool = False,
    ) -> None:
        super().__init__(question.problem, question.choices, usage=question.usage)
        self.words = words
        self.asked = asked
        self.joined = joined
        self.named = named


def channel_in(token: str) -> str | None:
    """The id of the channel that ``token``, as Slack sends it, names; None if it names none."""
    match = CHANNEL.fullmatch(token.strip(_AROUND))
    return (match[1] or match[2]) if match else None


def read_subscribe(typed: Typed) -> Subscribe:
    """The subscription that is asked for.

    Raises:
        Question: a word may mean several things, or the channel is missing.
    """
    return _Wishes(typed).request()


class _Wishes:
    """Sorts the words after ``subscribe``: channels, values by option, and strange words."""

    def __init__(self, typed: Typed) -> None:
        self._typed = typed
        self._waiting = typed.tokens()
        # The names of channels by their ids, as they were typed.
        self._channels: dict[str, str] = {}
        self._severities: list[Severity | None] = []
        self._components: list[str] = []
        self._broadcast: list[bool] = []
        self._strange: list[str] = []
        # The names of `components` that stand whole, and the last value, which may go on.
        self._whole: list[str] = []
        self._last = ""
        self._problem: UsageError | None = None
        while self._waiting:
            try:
                self._take(self._waiting.pop(0))
            except UsageError as slip:
                if slip.suggestion:
                    raise
                self._problem = self._problem or slip

    def _take(self, token: str) -> None:
        place = self._typed.known.place
        if channel := channel_in(token):
            self._channels[channel] = plain_text(token)
            return
        word = plain_text(token)
        keyed = _KEYED.fullmatch(word)
        if keyed and not keyed[2].startswith("//") and (key := self._key(keyed[1])):
            value = keyed[2] or (plain_text(self._waiting.pop(0)) if self._waiting else "")
            self._keep(key, unquoted(value))
        elif plain_word(word) in HERE and place:
            self._channels[place.channel] = "this channel"
        elif plain_word(word) not in HERE:
            self._strange.append(word)

    def _key(self, word: str) -> str:
        """The option called ``word``, which may be a slip; empty for any other word."""
        key = HABITS.get(word.casefold(), word.casefold())
        if key in OPTIONS or near(key, OPTIONS):
            return self._typed.one_of(OPTIONS, key, name="option")
        return ""

    def _keep(self, key: str, value: str) -> None:
        if not value:
            raise self._typed.wrong(f"The value of `{key}:` is missing.")
        match key:
            case "severity":
                self._severities.append(self._severity(value))
            case "components":
                while COMMAS.fullmatch(value[-1]) and self._waiting:
                    value += plain_text(self._waiting.pop(0))
                self._whole, self._last = [*self._components], value
                self._components += _names(value)
            case _:
                word = self._typed.one_of((*ON, *OFF), value, name="such choice", hint=CHOICES)
                self._broadcast.append(word in ON)

    def _severity(self, value: str) -> Severity | None:
        """The lowest severity that ``value`` names: ``high`` and ``high+`` are the same."""
        word = self._typed.fixed(_plain_severity(value))
        if word in EVERY:
            return None
        several = COMMAS.split(word)
        if len(several) > 1 and {*several} <= {*Severity}:
            lowest = max(map(Severity, several), key=list(Severity).index)
            raise self._typed.wrong(
                f"A subscription has one lowest severity, and {quoted(value)} are several.",
                suggestion=lowest.value,
                slip=word,
            )
        found = self._typed.severity(word)
        return None if found is Severity.LOW else found

    def request(self) -> Subscribe:
        """The request; a question where the words leave something open."""
        place = self._typed.known.place
        channels = list(self._channels)
        here = place.channel if place and not channels else None
        named = {
            "severity": self._severities,
            "components": self._components,
            "broadcast": self._broadcast,
        }
        asked = Subscribe(
            channel=channels[0] if channels else here,
            name=self._channels[channels[0]] if channels else "",
            over=None,
            left_out=tuple(one for one in OPTIONS if not named[one]),
            severity=self._severities[0] if self._severities else None,
            components=tuple(dict.fromkeys(self._components)),
            broadcast=self._broadcast[0] if self._broadcast else False,
        )
        edit = Choice(OpenSubscription(filled=asked), "Edit first…")
        if self._problem:
            hint = f" {self._problem.hint}" if self._problem.hint else ""
            raise self._question(f"{self._problem.problem}{hint}", [edit])
        if self._strange:
            raise self._about_strange_words(asked)
        if several := self._several(asked):
            raise self._question("One filter has two different values.", [*several, edit])
        if asked.channel is None:
            chooses = Choice(edit.request, "Choose the channel…")
            raise self._question(f"Say which channel: {PICK}.", [chooses])
        return asked

    def _several(self, asked: Subscribe) -> list[Choice]:
        """A choice for each value of what is named several times."""
        choices: list[Choice] = []
        if len(self._channels) > 1:
            for channel, name in self._channels.items():
                one = replace(asked, channel=channel, name=name)
                choices.append(Choice(one, f"Subscribe {name}"))
        if len(severities := dict.fromkeys(self._severities)) > 1:
            choices += [Choice(replace(asked, severity=one)) for one in severities]
        if len(broadcast := dict.fromkeys(self._broadcast)) > 1:
            choices += [Choice(replace(asked, broadcast=one)) for one in broadcast]
        return choices

    def _about_strange_words(self, asked: Subscribe) -> Question:
        words = " ".join(self._strange)
        joined = (*self._whole, *_names(f"{self._last} {words}")) if self._last else ()
        return StrangeWords(
            self._about_words(asked),
            words,
            asked=asked,
            joined=joined,
            named=bool(self._channels),
        )

    def _about_words(self, asked: Subscribe) -> Question:
        words = " ".join(self._strange)
        unnamed = replace(asked, channel=None)
        if words.startswith("#") and len(self._strange) == 1:
            problem = f"{quoted(words)} is no channel that Slack knows: {PICK}."
            # It was to be another channel than this one, unless that is named as well.
            filled = asked if self._channels else unnamed
            choices = [Choice(OpenSubscription(filled=filled), "Choose the channel…")]
            return self._question(problem, choices)
        edit = Choice(OpenSubscription(filled=asked), "Edit first…")
        if asked.channel is None:
            return self._question(f"I can't read {quoted(words)}.", [edit])
        without = Choice(asked, f"Subscribe without {quoted(words)}")
        try:
            ref, rest = at_head(words, self._typed.known.cards)
        except NoNumber:
            ref, rest = None, words
        if ref is not None and not rest:
            problem = "A channel is subscribed to incidents to come, and not to one of them."
            return self._question(problem, [Choice(ShowCard(ref=ref)), without, edit])
        likely = _severity_in(words)
        if likely is not None:
            lowest = None if likely is Severity.LOW else likely
            meant = Choice(replace(_saying(asked, "severity"), severity=lowest))
            return self._question(f"{quoted(words)} may be a severity.", [meant, without, edit])
        meant = of_components(asked, (*asked.components, *_names(words)), words)
        problem = f"{quoted(words)} may be a component, or nothing that I know."
        return self._question(problem, [meant, without, edit])

    def _question(self, problem: str, choices: Sequence[Choice]) -> Question:
        usage = self._typed.verb.usage
        return Question(f"{problem} Nothing was subscribed.", choices, usage=usage)


CHOICES = "Write broadcast:on, or leave it out."


def with_meanings(
    strange: StrangeWords,
    asked: Subscribe,
    channels: Sequence[tuple[str, str]],
    components: Sequence[str],
) -> Question:
    """``strange`` with what its words mean first: near ``channels``, by id and name, and
    ``components``, by name.
    """
    known = {folded(one) for one in components}
    words, choices = strange.words, [*strange.choices]
    one = of_components(asked, (*asked.components, *_names(words)), words)
    joined = of_components(asked, strange.joined, ", ".join(strange.joined))
    meant = [
        Choice(replace(asked, channel=id_, name=f"#{name}"), f"Subscribe #{name}")
        for id_, name in channels
    ]
    problem = strange.problem
    if strange.joined and {folded(name) for name in strange.joined} <= known:
        problem = f"{quoted(', '.join(strange.joined))} has a blank: put it in quotation marks."
        problem += " Nothing was subscribed."
        meant.insert(0, joined)
        choices = [each for each in choices if each.request != one.request]
    elif meant:
        named = listed([f"#{name}" for _, name in channels], last="or")
        problem = f"{quoted(words)} may be the channel {named}. Nothing was subscribed."
        if not {folded(name) for name in _names(words)} <= known:
            choices = [each for each in choices if each.request != one.request]
    return Question(problem, [*meant, *choices], usage=strange.usage)


def of_components(asked: Subscribe, names: tuple[str | UUID, ...], words: str) -> Choice:
    """The choice to limit ``asked`` to components; ``words`` name them in its label."""
    limited = replace(_saying(asked, "components"), components=tuple(dict.fromkeys(names)))
    return Choice(limited, f"Only incidents of {quoted(words)}")


def _saying(asked: Subscribe, option: str) -> Subscribe:
    return replace(asked, left_out=tuple(one for one in asked.left_out if one != option))


def _names(text: str) -> tuple[str, ...]:
    return tuple(name for part in names_in(text) if (name := unquoted(part)))


def _plain_severity(value: str) -> str:
    """``value`` without the signs of "and worse", as `plain_word` gives it."""
    return plain_word(_AT_LEAST.sub("", value.strip()))


def _severity_in(words: str) -> Severity | None:
    word = _plain_severity(words)
    known = [one.value for one in Severity]
    likely = word if word in known else other_school(word) or near(word, known)
    return Severity(likely) if likely else None


def read_unsubscribe(typed: Typed) -> Unsubscribe | ShowSubscriptions:
    """The channel that is to be unsubscribed; the list, where none is named and none is here.

    Raises:
        Question: the words name no channel.
    """
    place = typed.known.place
    tokens = typed.tokens()
    others = [token for token in tokens if plain_word(token) not in HERE]
    here = place.channel if place else None
    if not others:
        told = "Say which channel: each has *Unsubscribe* in its menu."
        return Unsubscribe(channel=here) if here else ShowSubscriptions(told=told)
    channels = {one: plain_text(token) for token in others if (one := channel_in(token))}
    if len(channels) == len(tokens) == 1:
        return Unsubscribe(channel=next(iter(channels)))
    words = plain_text(" ".join(tokens))
    meant = [
        Choice(Unsubscribe(channel=one), f"Unsubscribe {name}") for one, name in channels.items()
    ]
    if not meant and here and not words.startswith("#"):
        meant = [Choice(Unsubscribe(channel=here), "Unsubscribe this channel")]
    question = Question(
        f"{quoted(words)} is no channel that Slack knows: {PICK}. Nothing was unsubscribed.",
        [*meant, Choice(ShowSubscriptions())],
        usage=typed.verb.usage,
    )
    raise StrangeWords(question, words, named=bool(channels))


def read_subscriptions(typed: Typed) -> ShowSubscriptions:
    """The list.

    Raises:
        Question: something follows the verb.
    """
    if typed.rest:
        raise Question(
            f"`subscriptions` doesn't take {quoted(plain_text(typed.rest))}.",
            [Choice(ShowSubscriptions())],
            usage=typed.verb.usage,
        )
    return ShowSubscriptions()
