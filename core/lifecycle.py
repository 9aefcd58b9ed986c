"""Lifecycles as data: the table of statuses and transitions, its TOML reader and its checker.

There is one table. The engine's check, the buttons, the help, the diagrams and the refusals of both
APIs are made from it.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from core.errors import (
    FileProblem,
    InvalidFile,
    UnknownLifecycle,
    closest,
)
from core.team_toml import document

NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
NAME_RULE = "a name is 1 to 40 of a-z, 0-9 and _, and begins with a letter"
STATUSES_MAX = 20
# In a lifecycle that has this status, acknowledging is the transition to it.
ACKNOWLEDGED = "acknowledged"


class PublicWord(StrEnum):
    """The statuses of status pages.

    Source: the incident statuses of Atlassian Statuspage's public API.
    """

    INVESTIGATING = "investigating"
    IDENTIFIED = "identified"
    MONITORING = "monitoring"
    RESOLVED = "resolved"


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """One row of the table. ``next_steps`` are in the order of the buttons.

    ``reopen`` allows next steps that lead back to an earlier status.
    """

    name: str
    next_steps: tuple[str, ...]
    public_word: PublicWord
    initial: bool = False
    terminal: bool = False
    reopen: bool = False


@dataclass(frozen=True, slots=True)
class Lifecycle:
    """A named set of statuses and the transitions between them. `read` makes and checks it.

    ``statuses`` in the order of the file.
    """

    name: str
    statuses: tuple[Status, ...]
    _by_name: Mapping[str, Status] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        by_name = MappingProxyType({status.name: status for status in self.statuses})
        object.__setattr__(self, "_by_name", by_name)

    def __contains__(self, status: str) -> bool:
        return status in self._by_name

    @property
    def initial(self) -> str:
        """The status of a new incident."""
        return next(status.name for status in self.statuses if status.initial)

    def next_steps(self, status: str) -> tuple[str, ...]:
        """The statuses that are valid after ``status``; empty for a terminal one."""
        return self._by_name[status].next_steps

    def is_terminal(self, status: str) -> bool:
        """Whether ``status`` has no next steps."""
        return self._by_name[status].terminal

    def public_word(self, status: str) -> PublicWord:
        """The word for ``status`` on status pages."""
        return self._by_name[status].public_word

    def path(self, start: str, to: str) -> tuple[str, ...]:
        """The shortest legal path from ``start`` to ``to``, without ``start``; empty if none."""
        came_from = {start: start}
        ahead = deque([start])
        while ahead:
            here = ahead.popleft()
            for step in self.next_steps(here):
                if step == to:
                    return (*self._way_back(came_from, here), step)
                if step not in came_from:
                    came_from[step] = here
                    ahead.append(step)
        return ()

    @staticmethod
    def _way_back(came_from: Mapping[str, str], here: str) -> tuple[str, ...]:
        way = []
        while came_from[here] != here:
            way.append(here)
            here = came_from[here]
        return tuple(reversed(way))

    def as_toml(self) -> str:
        """The lifecycle in the format of `read`. The store keeps this text."""
        return "\n".join(line for status in self.statuses for line in self._lines(status))

    def _lines(self, status: Status) -> Iterator[str]:
        yield f"[{self.name}.{status.name}]"
        yield from (f"{flag} = true" for flag in FLAGS if getattr(status, flag))
        if status.next_steps:
            steps = ", ".join(f'"{step}"' for step in status.next_steps)
            yield f"next = [{steps}]"
        yield f'public = "{status.public_word}"'
        yield ""

    def draw(self) -> str:
        """A Mermaid state diagram of the table."""
        arrows = [f"    [*] --> {self.initial}"]
        for status in self.statuses:
            arrows += [f"    {status.name} --> {step}" for step in status.next_steps]
            arrows += [f"    {status.name} --> [*]"] if status.terminal else []
        return "\n".join(["stateDiagram-v2", "    direction LR", *arrows])


FLAGS = ("initial", "terminal", "reopen")
KEYS = frozenset({*FLAGS, "next", "public"})


class Catalogue:
    """The lifecycles that are available to new incidents, by name."""

    def __init__(self, lifecycles: Iterable[Lifecycle], *, default: str) -> None:
        self._by_name = {lifecycle.name: lifecycle for lifecycle in lifecycles}
        self.default = self.find(default)

    def __iter__(self) -> Iterator[Lifecycle]:
        return iter(self._by_name.values())

    @property
    def statuses(self) -> tuple[str, ...]:
        """The names of the statuses of all lifecycles, each once."""
        return tuple(dict.fromkeys(one.name for each in self for one in each.statuses))

    def with_default(self, name: str | None) -> Catalogue:
        """The same lifecycles for a workspace that chose ``name`` as its default.

        One that has left the file is no reason to refuse an incident: the default stays.
        """
        if name is None or name not in self._by_name:
            return self
        return Catalogue(self, default=name)

    def find(self, name: str) -> Lifecycle:
        """The lifecycle of that name.

        Raises:
            UnknownLifecycle: there is none; it carries the valid names.
        """
        try:
            return self._by_name[name]
        except KeyError:
            raise UnknownLifecycle(name, tuple(self._by_name)) from None


def read(text: str, *, taken: frozenset[str] = frozenset()) -> tuple[Lifecycle, ...]:
    """The lifecycles of a TOML file, in its order. ``taken`` are reserved names.

    Raises:
        InvalidFile: with every problem of the file, each with its place.
    """
    tables = document(text)
    problems = (
        []
        if tables
        else [FileProblem("the file", "holds no lifecycle: write [name.status] tables")]
    )
    lifecycles = []
    for name, table in tables.items():
        found = list(_problems(name, table, taken))
        problems += found
        if not found:
            lifecycles.append(_build(name, table))
    if problems:
        raise InvalidFile(problems)
    return tuple(lifecycles)


def _build(name: str, table: Mapping[str, Mapping[str, Any]]) -> Lifecycle:
    return Lifecycle(
        name,
        tuple(
            Status(
                name=status,
                next_steps=tuple(row.get("next", ())),
                public_word=PublicWord(row["public"]),
                **{flag: row.get(flag, False) for flag in FLAGS},
            )
            for status, row in table.items()
        ),
    )


def _problems(name: str, table: object, taken: frozenset[str]) -> Iterator[FileProblem]:
    if not NAME.fullmatch(name):
        yield FileProblem(name, f"is no name for a lifecycle: {NAME_RULE}")
    if name in taken:
        yield FileProblem(name, "is the name of another lifecycle: choose a new one")
    if not isinstance(table, dict) or not table:
        yield FileProblem(name, f"has no statuses: write [{name}.status] tables")
        return
    if len(table) > STATUSES_MAX:
        yield FileProblem(name, f"has {len(table)} statuses: at most {STATUSES_MAX} are allowed")
    shape = [
        problem
        for status, row in table.items()
        for problem in _row_problems(name, status, row, table)
    ]
    yield from shape
    if not shape:  # The graph can be walked only if every row is well-formed.
        yield from _graph_problems(name, table)


def _row_problems(
    name: str, status: str, row: object, table: Mapping[str, object]
) -> Iterator[FileProblem]:
    place = f"{name}.{status}"
    if not NAME.fullmatch(status):
        yield FileProblem(place, f"is no name for a status: {NAME_RULE}")
    if not isinstance(row, dict):
        yield FileProblem(place, f"is not a table: write [{place}]")
        return
    for key in row:
        if key not in KEYS:
            yield FileProblem(f"{place}.{key}", f"is not known{closest(key, KEYS)}")
    for flag in FLAGS:
        if not isinstance(row.get(flag, False), bool):
            yield FileProblem(f"{place}.{flag}", "must be true or false")
    yield from _step_problems(place, row.get("next", []), table)
    if row.get("terminal") is True and row.get("next"):
        yield FileProblem(f"{place}.next", "must be left out: a terminal status has no next steps")
    words = tuple(PublicWord)
    if "public" not in row:
        yield FileProblem(place, f"has no public word: write public = one of {', '.join(words)}")
    elif row["public"] not in words:
        yield FileProblem(f"{place}.public", f"must be one of {', '.join(words)}")


def _step_problems(place: str, steps: object, table: Mapping[str, object]) -> Iterator[FileProblem]:
    if not isinstance(steps, list) or not all(isinstance(step, str) for step in steps):
        yield FileProblem(f"{place}.next", 'must be a list of statuses, such as ["resolved"]')
        return
    for step in dict.fromkeys(steps):
        if step not in table:
            yield FileProblem(
                f"{place}.next", f'names an unknown status "{step}"{closest(step, table)}'
            )
        if steps.count(step) > 1:
            yield FileProblem(f"{place}.next", f'names "{step}" more than once')


def _graph_problems(name: str, table: Mapping[str, Mapping[str, Any]]) -> Iterator[FileProblem]:
    steps = {status: tuple(row.get("next", ())) for status, row in table.items()}
    initial = [status for status, row in table.items() if row.get("initial")]
    terminal = {status for status, row in table.items() if row.get("terminal")}
    if not initial:
        yield FileProblem(name, "has no initial status: write initial = true in one")
    if len(initial) > 1:
        yield FileProblem(
            name, f"has {len(initial)} initial statuses ({', '.join(initial)}): keep one"
        )
    if not terminal:
        yield FileProblem(name, "has no terminal status: write terminal = true in one")
    reached = _reachable(steps, initial)
    back = {status: tuple(s for s in steps if status in steps[s]) for status in steps}
    ends = _reachable(back, terminal)
    for status in steps:
        if initial and status not in reached:
            yield FileProblem(f"{name}.{status}", f"cannot be reached from {initial[0]}")
        if terminal and status not in ends:
            yield FileProblem(
                f"{name}.{status}", "leads to no terminal status: an incident would never end"
            )
    forward = {s: () if table[s].get("reopen") else steps[s] for s in steps}
    for status in steps:
        if status in _reachable(forward, forward[status]):
            yield FileProblem(
                f"{name}.{status}", "leads back to itself: write reopen = true where that is meant"
            )


def _reachable(steps: Mapping[str, tuple[str, ...]], start: Iterable[str]) -> set[str]:
    reached: set[str] = set()
    ahead = list(start)
    while ahead:
        here = ahead.pop()
        if here not in reached:
            reached.add(here)
            ahead += steps[here]
    return reached


PRESETS_TOML = """\
[statuspage.investigating]
initial = true
next = ["identified"]
public = "investigating"

[statuspage.identified]
next = ["monitoring"]
public = "identified"

[statuspage.monitoring]
next = ["resolved"]
public = "monitoring"

[statuspage.resolved]
terminal = true
public = "resolved"

[response.open]
initial = true
next = ["acknowledged", "resolved"]
public = "investigating"

[response.acknowledged]
next = ["resolved", "closed"]
public = "identified"

[response.resolved]
next = ["closed"]
public = "resolved"

[response.closed]
terminal = true
public = "resolved"
"""

PRESETS = read(PRESETS_TOML)
STATUSPAGE, RESPONSE = PRESETS
