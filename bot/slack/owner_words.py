"""People in a text who may be meant as its owner: "owner @bo", "@bo owns it". Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from bot.slack.audience_words import binds
from bot.slack.references import plain_word

_BEFORE = re.compile(r"(?:owner|owned|assignee|assign(?:ed)?)(?: is)?(?: it)?(?: to| by)? @\S+")
_BEHIND = re.compile(
    r"@\S+ (?:"
    r"(?:(?:will |should |to )?(?:owns?|takes?|has|handles?|leads?|drives?)|is taking)"
    r"(?: (?:it|this|that)(?: over)?| over)|owns(?=$)|"
    r"(?:is|as|will be|becomes) (?:(?:the|its|our) )?(?:new )?(?:owner|assignee|lead))(?= |$)"
)
_WORDS_MAX = 6
_CALLS = frozenset({"@", "@here", "@channel", "@everyone", "@group"})
# A mention behind these is a part of the sentence: "Thanks @bo".
_ADDRESSED = re.compile(
    "thanks?|thx|cc|contact|ask(?:ed)?|call(?:ed)?|ping|see|follow|tell|told|dm|email|kudos|"
    "credits?|props|hi|hello|hey|dear|page|joined"
)
_JOINING = frozenset({"and", "or", "&", "+", "/", ",", ""})
_PLEASE = frozenset({"please", "pls", "plz"})
_SET_OFF = re.compile(r"[:,;)\]}]$")


def owners_said(tokens: Sequence[str]) -> Iterator[tuple[int, int]]:
    """The places in ``tokens`` that name a person as the owner: where they start and end."""
    words = [plain_word(one) for one in tokens]
    for place in (place for place, word in enumerate(words) if _is_person(word)):
        if behind := _BEHIND.match(" ".join(words[place : place + _WORDS_MAX])):
            yield place, place + len(behind[0].split())
            continue
        for start in range(max(0, place + 1 - _WORDS_MAX), place):
            if _BEFORE.fullmatch(" ".join(words[start : place + 1])):
                yield start, place + 1
                break


def people_at_end(tokens: Sequence[str]) -> int:
    """The number of last words that are people and no part of a sentence; 0 if none are.

    "Cards leak @bo" ends with one, "Thanks to @bo" does not.
    """
    words = [plain_word(one) for one in tokens]
    end = len(words)
    while end and words[end - 1] in _PLEASE:
        end -= 1
    start = end
    while start and (
        _is_person(words[start - 1]) or (start < end and words[start - 1] in _JOINING)
    ):
        start -= 1
    while start < end and not _is_person(words[start]):
        start += 1
    bound = start and (binds(tokens[:start]) or _ADDRESSED.fullmatch(words[start - 1]))
    return 0 if start == end or bound else len(words) - start


def people_at_start(tokens: Sequence[str]) -> int:
    """1 if a sign sets off a person at the beginning, as in "@bo: cards leak"; 0 otherwise.

    A sentence may begin with a person, too: "@bo looks at it".
    """
    if len(tokens) < 2 or not _is_person(plain_word(tokens[0])):
        return 0
    return int(bool(_SET_OFF.search(tokens[0])) or not any(map(str.isalnum, tokens[1])))


def _is_person(word: str) -> bool:
    return word.startswith("@") and word not in _CALLS
