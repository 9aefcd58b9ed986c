"""``python -m benchmarks``: measures Ratchet against the parts below it and prints one table."""

from __future__ import annotations

import contextlib
import os
import platform
import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import Annotated

import typer
import uvloop
from rich.console import Console
from rich.table import Table

from benchmarks import databases, growth, measures, pages
from benchmarks.measures import QUICK, WHOLE, Comparison, Effort

FSYNCS = 200
# The highest ratios of a transition to the same raw SQL, by the number of clients.
TRANSITIONS = {"SQLite": {1: 3.0, 16: 1.5}, "PostgreSQL": {1: 1.5, 16: 2.0}}


class Part(StrEnum):
    """A part of the table."""

    COMMANDS = "commands"
    TRANSITIONS = "transitions"
    GROWTH = "growth"
    PAGES = "pages"


def main(
    *,
    quick: Annotated[bool, typer.Option(help="Only check that each measure runs.")] = False,
    only: Annotated[
        Part | None, typer.Option(help="Measure only this part.", case_sensitive=False)
    ] = None,
    closed: Annotated[
        int | None, typer.Option(help="The number of closed incidents that must not matter.")
    ] = None,
) -> None:
    """Print the cost of our code against raw SQL, a bare server and a Bolt that does nothing.

    Compare the ratios: both sides of each were measured in turn, in the same moments.
    """
    # Ratchet runs on uvloop as well.
    effort = QUICK if quick else WHOLE
    if closed is not None:
        effort = replace(effort, many_closed=closed)
    uvloop.run(_print(effort, [only] if only else list(Part)))


async def _print(effort: Effort, parts: Sequence[Part]) -> None:
    # A fixed width, because the output may go to a file.
    console = Console(width=120)
    table = Table("measure", "clients", "ours", "against", "theirs", "ratio", "target", "met")
    with _folder() as folder:
        fsync = _fsync_seconds(folder)
        console.print(
            f"Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}, "
            f"{os.cpu_count()} CPUs; an fsync of 4 kB takes {fsync * 1_000:.2f} ms.\n"
            "Times are for one operation: wall time over operations, medians. "
            "A ratio is the median of the rounds' ratios."
        )
        if Part.PAGES in parts:
            console.print(pages.FILLED)
        async for line in _lines(folder, effort, parts):
            # The table comes at the end; a run that is stopped keeps these.
            print(f"{line.measure}: {line.ratio:.2f}", file=sys.stderr, flush=True)
            table.add_row(
                line.measure,
                str(line.clients),
                _time(line.ours),
                line.against,
                _time(line.theirs),
                f"{line.ratio:.2f}",
                *_verdict(line),
            )
    console.print(table)


def _verdict(line: Comparison) -> tuple[str, str]:
    if line.target is None:
        return "", ""
    return f"≤ {line.target:.1f}", "yes" if line.met else "no"


@contextlib.contextmanager
def _folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        # PostgreSQL does not run as root, and its own user must be able to read the folder.
        folder.chmod(0o755)
        yield folder


async def _lines(folder: Path, effort: Effort, parts: Sequence[Part]) -> AsyncIterator[Comparison]:
    with databases.postgresql(folder / "postgresql") as postgresql:
        makers: Mapping[str, Callable[[str], databases.Database]] = {
            "SQLite": partial(databases.sqlite, folder),
            "PostgreSQL": postgresql,
        }
        measured = {
            Part.COMMANDS: [measures.commands(folder, effort)],
            Part.TRANSITIONS: [
                measures.transitions(
                    make, effort, measure=f"transition, {name}", targets=TRANSITIONS[name]
                )
                for name, make in makers.items()
            ],
            Part.GROWTH: [
                growing(make, effort, name=name)
                for name, make in makers.items()
                for growing in (growth.of_incidents, growth.of_entries)
            ],
        }
        measured[Part.PAGES] = [pages.served(folder, effort)]
        for lines in (lines for part in parts for lines in measured[part]):
            async for line in lines:
                yield line


def _time(seconds: float) -> str:
    return f"{seconds * 1_000:.2f} ms ({1 / seconds:,.0f}/s)"


def _fsync_seconds(folder: Path) -> float:
    """Seconds to write 4 kB durably to disk on this machine: the floor of every commit."""
    with (folder / "fsync").open("wb", buffering=0) as file:
        taken = []
        for _ in range(FSYNCS):
            file.write(bytes(4_096))
            began = time.perf_counter()
            os.fsync(file.fileno())
            taken.append(time.perf_counter() - began)
    return statistics.median(taken)


if __name__ == "__main__":
    typer.run(main)
