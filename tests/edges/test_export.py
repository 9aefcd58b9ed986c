"""`ratchet export` as an operator uses it: the output, and the message when it fails."""

import asyncio
import contextlib
import json
import os
import sqlite3
import stat
from pathlib import Path

import pytest

from tests.cli import invoke
from tests.warm import WARM

ROOT = Path(__file__).parents[2]


@pytest.fixture
def ratchet(tmp_path, logging_as_before):
    """Runs ``ratchet`` to its end: exit code, standard output, lines of standard error."""

    def ratchet(*arguments, **environment):
        with contextlib.chdir(tmp_path):
            result = invoke(arguments, env=environment)
        return result.exit_code, result.stdout, result.stderr.splitlines()

    return ratchet


@pytest.fixture
def empty(ready, tmp_path):
    """A migrated database without an incident."""
    ready(tmp_path)


@pytest.fixture
def large(empty, tmp_path):
    """A database whose archive is larger than the buffers of a pipe."""
    with contextlib.closing(sqlite3.connect(tmp_path / "ratchet.db")) as database:
        rows = ((f"T{number}",) for number in range(5_000))
        database.executemany(
            "INSERT INTO workspace (id, last_number, settings_version) VALUES (?, 0, 0)", rows
        )
        database.commit()


@pytest.fixture
def in_a_shell(tmp_path):
    """Runs a line of a shell, with ``ratchet`` in it: exit code and standard error."""

    async def in_a_shell(line):
        process = await asyncio.create_subprocess_exec(
            *("bash", "-c", line.replace("ratchet", f"{WARM.python} -m bot")),
            cwd=tmp_path,
            env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)},
            stderr=asyncio.subprocess.PIPE,
        )
        _, err = await process.communicate()
        return process.returncode, err.decode()

    return in_a_shell


@pytest.mark.usefixtures("empty")
@pytest.mark.parametrize("file", [(), ("-",)], ids=["no file", "-"])
def test_without_a_file_the_archive_goes_to_standard_output(ratchet, tmp_path, file):
    code, out, err = ratchet("export", *file)

    assert (code, err) == (0, [])
    assert [json.loads(line)["type"] for line in out.splitlines()] == ["archive"]
    assert not (tmp_path / "-").exists()


@pytest.mark.usefixtures("empty")
def test_only_its_owner_may_read_the_file_and_no_other_file_is_left(ratchet, tmp_path):
    before = {path.name for path in tmp_path.iterdir()}
    umask = os.umask(0)
    try:
        said = ratchet("export", "archive.jsonl")
    finally:
        os.umask(umask)

    assert said == (0, "Everything, notes included, is in archive.jsonl.\n", [])
    assert stat.S_IMODE((tmp_path / "archive.jsonl").stat().st_mode) == 0o600
    assert {path.name for path in tmp_path.iterdir()} - before == {"archive.jsonl"}


@pytest.mark.usefixtures("empty")
def test_an_existing_file_is_not_overwritten(ratchet, tmp_path):
    (tmp_path / "archive.jsonl").write_text("the last one")

    told = "archive.jsonl exists and is not overwritten: name another file."
    assert ratchet("export", "archive.jsonl") == (1, "", [told])
    assert (tmp_path / "archive.jsonl").read_text() == "the last one"


@pytest.mark.usefixtures("empty")
def test_a_file_that_cannot_be_written_is_one_line(ratchet):
    told = "nowhere/archive.jsonl could not be written: No such file or directory"

    assert ratchet("export", "nowhere/archive.jsonl") == (1, "", [told])


@pytest.mark.usefixtures("empty")
def test_an_unknown_workspace_is_one_line_and_makes_no_file(ratchet, tmp_path):
    said = ratchet("export", "--workspace", "T0NOBODY", "archive.jsonl")

    assert said == (1, "", ["There is no workspace T0NOBODY in the database."])
    assert not list(tmp_path.glob("archive*"))


@pytest.mark.usefixtures("empty")
@pytest.mark.parametrize(
    ("revision", "told"), [("0001", "is not up to date: run `ratchet migrate`"), ("9999", "newer")]
)
def test_an_older_or_newer_schema_is_one_line(ratchet, tmp_path, revision, told):
    with contextlib.closing(sqlite3.connect(tmp_path / "ratchet.db")) as database:
        database.execute("UPDATE alembic_version SET version_num = ?", (revision,))
        database.execute("UPDATE compatibility SET oldest = ?", (revision,))
        database.commit()

    code, out, err = ratchet("export")

    assert (code, out, len(err)) == (1, "", 1)
    assert told in err[0]


@pytest.mark.usefixtures("large")
async def test_a_reader_that_closes_the_pipe_ends_the_export_quietly(in_a_shell, tmp_path):
    code, err = await in_a_shell("ratchet export | head -n 1 >first; exit ${PIPESTATUS[0]}")

    assert (code, err) == (1, "")
    assert json.loads((tmp_path / "first").read_text())["type"] == "archive"


@pytest.mark.usefixtures("empty")
async def test_a_full_disk_is_one_line(in_a_shell):
    told = "Standard output could not be written: No space left on device\n"

    assert await in_a_shell("ratchet export >/dev/full") == (1, told)


@pytest.mark.usefixtures("large")
async def test_a_file_that_does_not_fit_is_one_line_and_is_removed(in_a_shell, tmp_path):
    told = "archive.jsonl could not be written: File too large\n"

    # A limit of the shell, which fails like a full disk.
    code, err = await in_a_shell("ulimit -f 100; trap '' XFSZ; ratchet export archive.jsonl")

    assert (code, err) == (1, told)
    assert not list(tmp_path.glob("archive*"))


def test_the_help_says_that_the_archive_is_private(ratchet):
    _, out, _ = ratchet("export", "--help")

    assert "PRIVATE: it holds all notes and all private incidents" in " ".join(out.split())
