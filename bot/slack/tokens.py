"""The words of a title as tokens: one is cut out, and the others are joined. Pure."""

from __future__ import annotations

import re

from bot.slack.typed import unquoted

# The marks that are set around words, with their other halves.
_HALVES = {"*": "*", "_": "_", "~": "~", "`": "`", "(": ")", "[": "]", "{": "}", "“": "”", "‘": "’"}
_MARKS = "".join([*_HALVES, *_HALVES.values()]) + ".,:;!?-–—"
_SEPARATORS = ",;|/:–—-"


def without(tokens: list[str], place: int) -> list[str]:
    """``tokens`` without the one at ``place``, and without the other half of a pair of marks in it.

    So ``*Leak private*`` without its last word is ``Leak``.
    """
    word, before, after = tokens[place], tokens[:place], tokens[place + 1 :]
    inner = word.strip(_MARKS)
    opening, _, closing = word.partition(inner) if inner else ("", "", "")
    for mark, partner in _HALVES.items():
        if closing.count(partner) > opening.count(mark):
            before = _unmarked(before, re.compile(rf"^(\W*?)(?:{re.escape(mark)})+"), last=True)
        if opening.count(mark) > closing.count(partner):
            after = _unmarked(after, re.compile(rf"(?:{re.escape(partner)})+(\W*)$"), last=False)
    return [*before, *after]


def _unmarked(tokens: list[str], mark: re.Pattern[str], *, last: bool) -> list[str]:
    """``tokens`` without the ``mark`` of the last of them that has it, or of the first."""
    places = [place for place, token in enumerate(tokens) if mark.search(token)]
    if not places:
        return tokens
    place = places[-1 if last else 0]
    kept = mark.sub(r"\1", tokens[place], count=1)
    return [*tokens[:place], *([kept] if kept else []), *tokens[place + 1 :]]


def without_separators(tokens: list[str]) -> list[str]:
    """``tokens`` without the dashes and commas at the ends that an audience was set off by."""
    start, end = 0, len(tokens)
    while start < end and not tokens[start].strip(_SEPARATORS):
        start += 1
    while start < end and not tokens[end - 1].strip(_SEPARATORS):
        end -= 1
    kept = tokens[start:end]
    return [*kept[:-1], kept[-1].rstrip(",;|–—")] if kept and end == len(tokens) else kept


def cut(tokens: list[str], start: int, end: int) -> list[str]:
    """``tokens`` without those from ``start`` to before ``end`` and the signs that set them off."""
    for place in reversed(range(start, end)):
        tokens = without(tokens, place)
    return without_separators(tokens)


def joined(tokens: list[str]) -> str:
    """The title that ``tokens`` make, without quotation marks around all of it."""
    text = " ".join(tokens)
    inner = unquoted(text) if len(tokens) == 1 else text
    return unwrapped(text) if inner == text else inner


_PAIRS = ("''", "‘’", "‚‘", "“”", "„“", '""', "«»", "「」", "『』")


def unwrapped(text: str) -> str:
    """``text`` without one pair of quotation marks around it, such as 'Customers can't pay'."""
    inner = text[1:-1]
    for pair in _PAIRS if inner else ():
        # A mark after a blank begins another quotation; the others are apostrophes.
        if text[0] == pair[0] and text[-1] == pair[1] and not re.search(rf"\s{pair[0]}", inner):
            return inner.strip()
    return text
