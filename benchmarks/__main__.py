"""``python -m benchmarks``: measures Ratchet against the parts below it and prints one table."""

from __future__ import annotations

import contextlib
import os
import platform
import sqlite3
import statistics
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Annotated

import typer
import uvloop
from rich.console import Console
from rich.table import Table

from benchmarks import databases, measures
from benchmarks.measures import QUICK, WHOLE, Comparison, Effort

FSYNCS = 200


def main(
    *,
    quick: Annotated[bool, typer.Option(help="Only check that each measure runs.")] = False,
) -> None:
    """Print the cost of our code against raw SQL, a bare server and a Bolt that does nothing.

    Compare the ratios: both sides of each were measured in turn, in the same moments.
    """
    # Ratchet runs on uvloop as well.
    uvloop.run(_print(QUICK if quick else WHOLE))


async def _print(effort: Effort) -> None:
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
        async for line in _lines(folder, effort):
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


async def _lines(folder: Path, effort: Effort) -> AsyncIterator[Comparison]:
    def sqlite(name: str) -> databases.Database:
        return databases.sqlite(folder, name)

    async for line in measures.transitions(
        sqlite, effort, measure="transition, SQLite", targets={1: 3.0, 16: 1.5}
    ):
        yield line
    with databases.postgresql(folder / "postgresql") as postgresql:
        async for line in measures.transitions(
            postgresql, effort, measure="transition, PostgreSQL", targets={1: 1.5, 16: 2.0}
        ):
            yield line
    async for line in measures.commands(folder, effort):
        yield line
    async for line in measures.growth(folder, effort):
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
