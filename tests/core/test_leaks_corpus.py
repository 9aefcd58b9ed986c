"""The leak guard over a corpus of public updates, with the aims of the guard as its figures."""

from __future__ import annotations

import tomllib
from pathlib import Path

from core.leaks import leaks

CORPUS = tomllib.loads((Path(__file__).parent / "leaks" / "corpus.toml").read_text("utf-8"))
FOUND_LEAST = 54
FALSE_MOST = 6


def _seen(kind: str) -> list[tuple[str, bool]]:
    """Each update of ``kind``, and whether the guard sees something in it."""
    return [
        (text, bool(leaks(text, incident["notes"], public=incident["public"])))
        for incident in CORPUS["incident"]
        for text in incident[kind]
    ]


def test_most_leaks_are_found_and_few_harmless_updates_are_stopped() -> None:
    leaking, harmless = _seen("leaking"), _seen("harmless")
    missed = [text for text, seen in leaking if not seen]
    false = [text for text, seen in harmless if seen]
    figures = (
        f"found {len(leaking) - len(missed)} of {len(leaking)}, "
        f"{len(false)} of {len(harmless)} false; missed {missed}, false {false}"
    )
    print(figures)  # noqa: T201 - shown by `pytest -s`
    assert (len(leaking), len(harmless)) == (60, 200)
    assert len({text for text, _ in (*leaking, *harmless)}) == 260
    assert len(leaking) - len(missed) >= FOUND_LEAST, figures
    assert len(false) <= FALSE_MOST, figures
