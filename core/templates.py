"""Templates of public updates: texts with places that are filled in. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from core.errors import FileProblem, InvalidFile
from core.incident import BODY_MAX, Severity
from core.team_toml import document
from core.texts import COMPONENT, NEXT_UPDATE, PLACES
from core.times import duration

TEMPLATES_MAX = 50
NAME_MAX = 75
KEYS = frozenset({"name", "severity", "text"})
_BRACED = re.compile(r"\{[^{}\s]*\}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """A text that people start a public update with. ``severity`` None: it suits every one."""

    name: str
    text: str
    severity: Severity | None = None

    def suits(self, severity: Severity) -> bool:
        """Whether it is offered for an incident of ``severity``."""
        return self.severity in {None, severity}

    def filled(self, components: Sequence[str], next_update: timedelta | None) -> str:
        """The text with everything that is known in its places; the others stay as they are."""
        text = self.text
        if components:
            *most, last = components
            listed = f"{', '.join(most)} and {last}" if most else last
            text = text.replace(COMPONENT, listed)
        if next_update:
            text = text.replace(NEXT_UPDATE, f"in {duration(next_update)}")
        return text


def read(text: str) -> tuple[Template, ...]:
    """The templates of a TOML file, in its order.

    Raises:
        InvalidFile: with every problem of the file, each with its place.
    """
    found = document(text)
    tables = found.pop("template", [])
    problems = [FileProblem(key, "is no [[template]]") for key in found]
    if not isinstance(tables, list) or not all(isinstance(one, dict) for one in tables):
        tables, problems = [], [*problems, FileProblem("template", "is no list: [[template]]")]
    elif not tables:
        problems.append(FileProblem("the file", "holds no template: write [[template]]"))
    if len(tables) > TEMPLATES_MAX:
        problems.append(FileProblem("the file", f"has more than {TEMPLATES_MAX} templates"))
    names: set[str] = set()
    for place, table in enumerate(tables, start=1):
        problems += _problems(f"template {place}", table, names)
        names.add(str(table.get("name")))
    if problems:
        raise InvalidFile(problems)
    return tuple(_build(table) for table in tables)


def _build(table: Mapping[str, Any]) -> Template:
    severity = table.get("severity")
    return Template(
        name=table["name"].strip(),
        text=table["text"].strip(),
        severity=None if severity is None else Severity(severity),
    )


def _problems(place: str, table: Mapping[str, Any], names: set[str]) -> Iterator[FileProblem]:
    for key in table.keys() - KEYS:
        yield FileProblem(f"{place}, {key}", f"is none of {', '.join(sorted(KEYS))}")
    for key, most in (("name", NAME_MAX), ("text", BODY_MAX)):
        value = table.get(key)
        if not isinstance(value, str) or not value.strip():
            yield FileProblem(f"{place}, {key}", "is missing")
        elif len(value.strip()) > most:
            yield FileProblem(f"{place}, {key}", f"has more than {most} characters")
    if table.get("name") in names:
        yield FileProblem(f"{place}, name", f'is "{table["name"]}" a second time')
    if table.get("severity", Severity.HIGH) not in {*Severity}:
        yield FileProblem(f"{place}, severity", f"is none of {', '.join(Severity)}")
    text = table.get("text")
    for found in _BRACED.findall(text) if isinstance(text, str) else ():
        if found not in PLACES:
            known = " and ".join(PLACES)
            yield FileProblem(f"{place}, text", f"has {found}, but only {known} are filled in")
