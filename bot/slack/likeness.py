"""Slips of the keyboard: the known word that a typed word is a slip of. Pure.

Likeness is not enough: "remove" looks like "resolve". A slip is one letter left out, doubled,
mistaken or swapped with its neighbour; in a long word two.
"""

from __future__ import annotations

from collections.abc import Iterable


def near(word: str, known: Iterable[str], *, most: int = 2) -> str | None:
    """The closest of ``known`` that ``word`` may be a slip of, in at most ``most`` slips.

    Words of less than seven letters allow one slip, words of less than four none.
    """
    return next(iter(nearest_of(word, known, most=most)), None)


def nearest_of(word: str, known: Iterable[str], *, most: int = 2) -> list[str]:
    """All of ``known`` that ``word`` may be a slip of, as of `near`, the closest first."""
    allowed = min(most, 0 if len(word) < 3 else 1 if len(word) < 7 else 2)
    found = [(slips, one) for one in known if (slips := distance(word, one, allowed)) <= allowed]
    return [one for _, one in sorted(found, key=lambda pair: pair[0])]


def distance(one: str, other: str, most: int) -> int:
    """The number of slips between two words; any number above ``most`` if there are more."""
    if abs(len(one) - len(other)) > most:
        return most + 1
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, letter in enumerate(one, start=1):
        above, row, older = row, [i], before
        for j, its in enumerate(other, start=1):
            cost = min(above[j] + 1, row[j - 1] + 1, above[j - 1] + (letter != its))
            if i > 1 and j > 1 and letter == other[j - 2] and one[i - 2] == its:
                cost = min(cost, older[j - 2] + 1)
            row.append(cost)
        # Each number of the rows to come is at least the smallest of these two.
        if min(row) > most and min(above) > most:
            return most + 1
        before = above
    return row[-1]
