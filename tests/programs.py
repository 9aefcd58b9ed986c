"""Programs of other people that tests run beside the product. Tests without theirs are left out.

A fixture of the same name gives a test its program, so a test needs what its fixtures name.
`make test-world` installs what it can; the end of a run names the rest.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
NODE_MODULES = ROOT / ".venv/node/node_modules"


@dataclass(frozen=True, slots=True)
class Program:
    """A program for people, and its places; None: it is not on this machine. It may need others."""

    name: str
    places: tuple[Path | None, ...]

    @property
    def missing(self) -> bool:
        return not all(place and place.exists() for place in self.places)

    @property
    def path(self) -> Path:
        """Its own file, or its package."""
        found = self.places[-1]
        assert found is not None
        return found


def _command(*names: str) -> Path | None:
    return next((Path(found) for found in map(shutil.which, names) if found), None)


NODE = _command("node")
# By the fixture that gives it.
PROGRAMS = {
    "chromium": Program("Chromium", (_command("chromium", "chromium-browser", "google-chrome"),)),
    "axe": Program("axe-core", (NODE_MODULES / "axe-core/axe.min.js",)),
    "status_widget": Program(
        "@statuspage/status-widget", (NODE_MODULES / "@statuspage/status-widget/dist/index.js",)
    ),
    "statuspage_io": Program("statuspage.io", (NODE, NODE_MODULES / "statuspage.io")),
    "svix": Program("svix", (NODE, NODE_MODULES / "svix")),
    "vnu": Program(
        "the Nu checker", (_command("java"), NODE_MODULES / "vnu-jar/build/dist/vnu.jar")
    ),
    "w3m": Program("w3m", (_command("w3m"),)),
    "statuscheck": Program("statuscheck", (ROOT / ".venv/statuscheck/bin/python",)),
}


def missing_for(fixtures: Iterable[str]) -> list[str]:
    """The names of programs that a test with ``fixtures`` needs and this machine does not have."""
    needed = (PROGRAMS[name] for name in fixtures if name in PROGRAMS)
    return [program.name for program in needed if program.missing]
