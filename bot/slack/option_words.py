"""Options of a declaration as people say them: "severity high", "since 02:50". Pure.

They lack the sign that makes them options, so they may as well be words of the title.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Iterator, Sequence
from dataclasses import dataclass

from bot.slack.audience_words import binds, ends_with_readers, names_readers
from bot.slack.likeness import near
from bot.slack.owner_words import owners_said, people_at_end
from bot.slack.references import plain_word
from bot.slack.tokens import without, without_separators
from bot.slack.typed import Circumstances, other_school, unquoted
from core.incident import Severity
from core.times import clock_time, start_of

# Abbreviations that people type from habit, and that no measure of likeness finds.
HABITS = {"sev": "severity", "comp": "components", "prio": "severity", "priority": "severity"}
# The further words that a start may have.
START_WORDS = 3

_SEVERITIES = tuple(severity.value for severity in Severity)
_BARE_SEVERITY = re.compile(r"(?:sev|p)[ -]?[0-5]", re.IGNORECASE)
_GROUP = r"[(\[{][^()\[\]{}]+[)\]}]"
_GROUPS_FIRST = re.compile(rf"\A\s*(?:{_GROUP})+")
_GROUPS_LAST = re.compile(rf"(?:{_GROUP})+(?=[\s.,;:!]*\Z)")
_JOINING = frozenset({"and", "or", "to", "&", "/", "is", "was", "means"})
_PROMISE = r"(?:next|promise)(?: (?:public )?update)?(?: (?:in|at|by))? [0-9][0-9:]* ?(?:[a-z]+)?"
_IN_BRACKETS = re.compile(r"[(\[{][^()\[\]{}]+[)\]}][.,;:!]?")
_SEPARATED = re.compile(r"[,;:|–—-]$")
_AFTER_KEY = frozenset({"is", "of", "to", "as", "at", "-", "–", "->", "=>", "→"})
_AFTER_SINCE = frozenset({"about", "around", "ca", "approx"})
# They belong to the option: "Cards are refused with severity high".
_BEFORE = frozenset({"with", "and", "at", "as", "ever", "set", "raise", "lower", "change"})
_SEVERITY_KEYS = frozenset({"severity", "sev"})
# Words that ask for the severity behind them: "make it high: …", "…, raise to high".
_ASKING = re.compile(
    r"(?:please )?(?:raise|lower|downgrade|upgrade|escalate|bump|set|make|mark|change)"
    r"(?: it| this| that)?(?: up| down)?(?: to| as)?"
)
_ASKING_MAX = 5
# Words after which a key belongs to the sentence: "Tickets of priority high are lost".
_BINDING = re.compile(
    "an?|the|no|not|of|for|our|your|their|its|his|her|any|each|in|on|from|to|by|or|than"
)
# What "high" and "low" say of a thing. Where one of these words stands behind a severity, or right
# before one at the end, the severity is an adjective: "High load on db-3", "Disk space low".
_MEASURED = re.compile(
    r"loads?|latenc\w+|cpus?|memory|ram|heap|swap|disks?|iops?|rates?|ratios?|usage|use|utili\w+|"
    r"traffic|volumes?|demand|numbers?|counts?|amounts?|levels?|pressure|throughput|bandwidth|times?|"
    r"delays?|lag|ping|jitter|loss|depth|temperatures?|voltage|power|battery|stocks?|space|supply|"
    r"availability|quality|resolution|definition|density|speed|performance|priorit\w+|severit\w+|"
    r"risks?|values?|scores?|season|frequency|costs?|prices?|fees|balances?|confidence|percentages?|"
    r"p[0-9]+|concurrency|consumption|impact|noise|backlog|contention|churn|occupancy|light|budget"
)
# What "critical" says of a thing; "critical payments" may as well be payments, and critical.
_CRITICAL = re.compile(
    r"alerts?|alarms?|errors?|bugs?|issues?|paths?|vulnerabilit\w+|cves?|flaws?|infrastructure|"
    r"systems|services|jobs|functions|functionality|features|parts|components|dependenc\w+|patch\w*|"
    r"fix|fixes|updates?|security|business|mass|sections?|thresholds?|temperatures?|state|condition|"
    r"workloads?|operations|events|messages|warnings?|priorit\w+|severit\w+|level|levels|infra"
)
_SIZED = re.compile(r"siz\w+|instances?|tiers?|plans?|terms?|waves?|priorit\w+|severit\w+|risks?")
_KINDS_OF_THINGS = {"critical": _CRITICAL, "medium": _SIZED, "high": _MEASURED, "low": _MEASURED}
# A noun may stand between: "High checkout latency".
_THINGS_WITHIN = {"critical": 1, "medium": 1, "high": 3, "low": 3}
# Words before a severity at the end that make it a part of the sentence, beside those that `binds`
# knows: "The load looks high", "We treat it as critical", "business critical".
_SPOKEN = re.compile(
    r"too|so|quite|rather|really|get|gets|got|getting|seems?|seemed|looks?|looked|appears?|appeared|"
    r"feels?|felt|runs?|ran|running|remained|remaining|stayed|staying|grows?|grew|rises?|rose|went|"
    r"considered|deemed|rated|ranked|called|how|\w+ly|all-time|record|new|business|mission|safety|"
    r"time|either|even|however|\w+'(?:s|re)|always|never|often|pretty|super|just|about|almost"
)
_JUDGED = re.compile(
    r"(?:consider|deem|find|found|call|rate|keep|kept)\w* (?:it|this|that|them|these)"
)
# Words that say how components are, and name none: "All components down".
_STATE = re.compile(
    "down|broken|slow|dead|offline|unavailable|missing|gone|lost|late|stuck|page|fail.*|[a-z]+ing|"
    "[a-z]{2,}ed|is|are|was|were|do|does|don't|won't|can't|cannot|not|of|for|in|on|to|and|or|again"
)


@dataclass(frozen=True, slots=True)
class Said:
    """The tokens from ``start`` to before ``end`` of a title, which may mean ``key:value``."""

    start: int
    end: int
    key: str
    value: str


def options_said(
    tokens: list[str],
    *,
    known: Circumstances,
    taken: Container[str] = (),
    bare: Container[str] = (),
    ends: Iterable[int] = (-1, 0),
) -> list[Said]:
    """The options that words among ``tokens`` may mean, each at most once, from left to right.

    ``taken`` are the options that are set already. The value of a start is a moment that
    `core.times.start_of` reads. ``bare`` are the severities that count without a sign at an end,
    and ``ends`` has 0 for the first word and -1 for the last, if these are ends of the text.
    """
    found: dict[str, Said] = {}
    free = [True] * len(tokens)
    readers = (
        _severities(tokens),
        _lifecycles(tokens, known),
        _starts(tokens, known),
        _components(tokens, free),
        _severities_at_ends(tokens, free, bare=bare, ends=ends),
    )
    for said in (one for reader in readers for one in reader):
        if said.key in taken or said.key in found:
            continue
        start = said.start
        while start and plain_word(tokens[start - 1]) in _BEFORE:
            start -= 1
        if start and _BINDING.fullmatch(plain_word(tokens[start - 1])):
            continue
        found[said.key] = Said(start, said.end, said.key, said.value)
        free[start : said.end] = [False] * (said.end - start)
    return sorted(found.values(), key=lambda said: said.start)


def words_of(tokens: list[str], options: list[Said]) -> str:
    """The words of ``options`` among ``tokens``, with ``…`` for the words between them."""
    words: list[str] = []
    for before, said in zip([None, *options], options, strict=False):
        words += ["…"] if before and before.end < said.start else []
        words += tokens[said.start : said.end]
    return " ".join(words)


def without_said(tokens: list[str], options: list[Said]) -> list[str]:
    """``tokens`` without those of ``options``, and without the signs that set them off."""
    for said in reversed(options):
        last = said.end == len(tokens)
        for place in reversed(range(said.start, said.end)):
            tokens = without(tokens, place)
        tokens = without_separators(tokens) if last or not said.start else tokens
    return tokens


def is_key_first(words: list[str]) -> bool:
    """Whether ``words`` name a severity as "severity high" does; "priority" is a common word."""
    key = plain_word(words[0])
    return HABITS.get(key, key) == "severity" and key != "priority"


def asks_for_severity(words: Sequence[str]) -> bool:
    """Whether all of ``words`` but the last, a severity, ask for it: "make it high"."""
    return _ASKING.fullmatch(" ".join(map(plain_word, words[:-1]))) is not None


def spread(text: str, statuses: Iterable[str] = ()) -> str:
    """``text`` with the options in brackets at one end apart: ``(high, private)`` as two pairs."""
    named = (*statuses, "private", "public", "internal")

    def is_option(words: Sequence[str]) -> bool:
        plain = [plain_word(word) for word in words]
        if len(plain) == 1 and (_is_severity(plain[0]) or plain[0] in named):
            return True
        if len(plain) == 2 and plain[0] in ("status", "state"):
            return plain[1] in named
        if len(plain) == 2 and HABITS.get(plain[0], plain[0]) == "severity":
            return _is_severity(plain[1])
        if (0, len(words)) in owners_said(words) or people_at_end(words) == len(words):
            return True
        return names_readers(words) or re.fullmatch(_PROMISE, " ".join(plain)) is not None

    def apart(group: re.Match[str]) -> str:
        # Where signs divide it, each part is an option; otherwise each word.
        parts = [one.split() for one in re.split(r"[,;/|+&()\[\]{}]+", group[0]) if one.strip()]
        if len(parts) == 1 and not is_option(parts[0]):
            parts = [[word] for word in parts[0]]
        severities = [one for one in parts if any(_is_severity(plain_word(word)) for word in one)]
        if len(parts) < 2 or len(severities) > 1 or not all(map(is_option, parts)):
            return group[0]
        return " ".join(f"({' '.join(words)})" for words in parts)

    return _GROUPS_LAST.sub(apart, _GROUPS_FIRST.sub(apart, text))


def _is_severity(word: str) -> bool:
    return word in _SEVERITIES or _BARE_SEVERITY.fullmatch(word) is not None


def _keys(tokens: list[str], key: str) -> Iterator[tuple[int, int]]:
    """The places of ``key`` and of the word behind it. ``key:`` with a sign is none of them."""
    for place, token in enumerate(tokens[:-1]):
        word = plain_word(token)
        alike = abs(len(word) - len(key)) <= 1 and near(word, (key,), most=1)
        if not (alike or HABITS.get(word) == key):
            continue
        if token.endswith((":", "=")):
            continue
        behind = place + 1
        if plain_word(tokens[behind]) in _AFTER_KEY and behind + 1 < len(tokens):
            behind += 1
        yield place, behind


def _severities(tokens: list[str]) -> Iterator[Said]:
    for place, behind in _keys(tokens, "severity"):
        key = plain_word(tokens[place])
        value = _severity(tokens, behind, sure=key == "severity", number=key in _SEVERITY_KEYS)
        if value:
            yield Said(place, behind + 1, "severity", value)


def _severity(tokens: list[str], place: int, *, sure: bool, number: bool = False) -> str:
    """The severity that the token at ``place``, behind a key, names.

    ``sure``: a slip counts. ``number``: so does a number in a sentence.
    """
    word = plain_word(tokens[place])
    if word in _SEVERITIES:
        return word
    if re.fullmatch("[0-5]", word):
        # "Priority 1 mails are late" is a sentence.
        set_off = number or place + 1 == len(tokens) or not tokens[place][-1].isalnum()
        return (other_school(f"sev{word}") or "") if set_off else ""
    slip = near(word, _SEVERITIES, most=1) if sure and len(word) > 3 else None
    return other_school(word) or slip or ""


def _lifecycles(tokens: list[str], known: Circumstances) -> Iterator[Said]:
    names = [lifecycle.name for lifecycle in known.catalogue]
    for place, behind in _keys(tokens, "lifecycle"):
        if (name := plain_word(tokens[behind])) in names:
            yield Said(place, behind + 1, "lifecycle", name)


def _starts(tokens: list[str], known: Circumstances) -> Iterator[Said]:
    for place, token in enumerate(tokens[:-1]):
        if plain_word(token) != "since" or token.endswith((":", "=")):
            continue
        first = place + 1
        if plain_word(tokens[first]) in _AFTER_SINCE:
            first += 1
        for count in range(min(START_WORDS + 1, len(tokens) - first), 0, -1):
            words = tokens[first : first + count]
            text = " ".join([*words[:-1], plain_word(words[-1])])
            start = start_of(text, at=known.at, zone=known.zone)
            if start and start.at <= known.at:
                value = clock_time(start.at, at=known.at, zone=known.zone)
                yield Said(place, first + count, "since", value)
                break


def _components(tokens: list[str], free: list[bool]) -> Iterator[Said]:
    """A list of names at the end, or before another option: "components api, web".

    With a sign behind the key, too: one name alone would have been read as an option.
    """
    for place, token in enumerate(tokens[:-1]):
        word = plain_word(token)
        if not (word in ("components", "component", "comp") and place):
            continue
        end = place + 2
        while end < len(tokens) and free[end] and tokens[end - 1].endswith((",", "，")):
            end += 1
        first = plain_word(tokens[place + 1])
        at_end = end == len(tokens) or not free[end]
        if end > place + 2 and near(plain_word(tokens[end - 1]), ("private",)):
            end -= 1  # it says who reads the incident
        if near(first, ("private",)):
            continue
        if at_end and free[place + 1] and first and not _STATE.fullmatch(first):
            names = " ".join(map(unquoted, tokens[place + 1 : end]))
            yield Said(place, end, "components", names.strip("()[]{}.,;，"))


def _severities_at_ends(
    tokens: list[str], free: list[bool], *, bare: Container[str], ends: Iterable[int]
) -> Iterator[Said]:
    """What is rather an option at an end: "sev1", "(high)", and "high severity" behind the title.

    ``high`` alone is one of ``bare`` where it fits into no sentence.
    """
    places = [place for place, one in enumerate(free) if one]
    for place in dict.fromkeys(places[end] for end in ends if places):
        word, token = plain_word(tokens[place]), tokens[place]
        value = other_school(word) if _BARE_SEVERITY.fullmatch(word) else None
        if word in _SEVERITIES and (
            _IN_BRACKETS.fullmatch(token)
            or _is_set_off(tokens, places, place)
            or (word in bare and _fits_nowhere(tokens, places, place))
        ):
            value = word
        if value:
            yield Said(place, place + 1, "severity", value)
    yield from _severities_asked_for(tokens, free, bare=bare, ends=ends)
    if len(places) > 1 and HABITS.get(key := plain_word(tokens[places[-1]]), key) == "severity":
        last = places[-1]
        set_off = last > 1 and _SEPARATED.search(tokens[last - 2])
        value = _severity(tokens, last - 1, sure=False)
        if value and free[last - 1] and (key != "priority" or set_off):
            yield Said(last - 1, last + 1, "severity", value)


def _severities_asked_for(
    tokens: list[str], free: list[bool], *, bare: Container[str], ends: Iterable[int]
) -> Iterator[Said]:
    """A severity behind words that ask for it, at the beginning or behind a sign at the end."""
    words = [plain_word(one) for one in tokens]
    for count in range(1, min(_ASKING_MAX, len(tokens) - 1) + 1):
        last = len(tokens) - 1
        if 0 in ends and words[count] in bare and _ASKING.fullmatch(" ".join(words[:count])):
            things = _KINDS_OF_THINGS[words[count]]
            if count == last or not things.fullmatch(words[count + 1]):
                yield Said(0, count + 1, "severity", words[count])
        if -1 in ends and words[-1] in bare and free[-1] and count < last:
            set_off = not tokens[last - count - 1][-1].isalnum()
            if set_off and _ASKING.fullmatch(" ".join(words[last - count : last])):
                yield Said(last - count, last + 1, "severity", words[-1])


def _fits_nowhere(tokens: list[str], places: list[int], place: int) -> bool:
    """Whether a severity without a sign, the first word or the last, is an adjective of no word.

    Any sentence may begin or end with a severity. To ask about each would annoy: alerts and public
    texts are full of "High load on db-3" and "The error rate is low". So it is a word of the text
    where the words beside it are among those that are high, low or critical, or lead to an
    adjective. All else is asked about: "high search is down", "search is down critical".
    """
    if len(places) < 2:
        return False
    words = [plain_word(tokens[one]) for one in places]
    word = plain_word(tokens[place])
    things, within = _KINDS_OF_THINGS[word], _THINGS_WITHIN[word]
    if place == places[0]:
        following = words[1 : 1 + within]
        return not any(map(things.fullmatch, following)) and words[1] not in _JOINING
    before = tokens[places[-2]]
    if ends_with_readers(tokens[: places[-2] + 1]):
        return True
    return not (
        before.endswith(":")  # "Load on db-3: high"
        or things.fullmatch(words[-2])
        or _SPOKEN.fullmatch(words[-2])
        or _JUDGED.fullmatch(" ".join(words[-3:-1]))
        or binds([before])
    )


def _is_set_off(tokens: list[str], places: list[int], place: int) -> bool:
    """Whether a sign sets the first or the last word off: "high: Slow", "Slow, high"."""
    if len(places) < 2:
        return False
    if place == places[0]:
        following = tokens[places[1]]
        return tokens[place].endswith(":") or not any(map(str.isalnum, following))
    before = tokens[place - 1]
    return before.endswith((",", ";")) or not any(map(str.isalnum, before))
