"""`ratchet restore` as an operator uses it: files, refusals, exit codes."""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
import stat
from contextlib import closing

import pytest

from storage.restore import restoring
from storage.store import SqlStore
from tests.builders import NINE, WORKSPACE
from tests.cli import invoke

DONE = "Start the bot, then run `ratchet doctor --deep`."


@pytest.fixture
def folder(ready, tmp_path):
    """The working directory of the commands: ``ratchet.db`` knows 3 numbers, ``copy.db`` 1."""
    ready(tmp_path)
    with closing(SqlStore(f"sqlite:///{tmp_path}/ratchet.db")) as store:
        store.write_now(lambda tx: tx.next_number(WORKSPACE))
    shutil.copy(tmp_path / "ratchet.db", tmp_path / "copy.db")
    with closing(SqlStore(f"sqlite:///{tmp_path}/ratchet.db")) as store:
        store.write_now(lambda tx: [tx.next_number(WORKSPACE) for _ in range(2)])
    return tmp_path


@pytest.fixture
def ratchet(folder, logging_as_before):
    """Runs ``ratchet``: exit code, standard output, lines of standard error."""

    def ratchet(*arguments, **environment):
        with contextlib.chdir(folder):
            result = invoke(arguments, env=environment)
        return result.exit_code, result.stdout.splitlines(), result.stderr.splitlines()

    return ratchet


def files(folder):
    """The files with their bytes; the lock stays where a server was."""
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.suffix != ".lock"}


def counted(file):
    with closing(sqlite3.connect(file)) as connection:
        return connection.execute("SELECT last_number FROM workspace").fetchall()


def kept(folder):
    (file,) = folder.glob("ratchet.db.replaced-*Z")
    return file


# --- done --------------------------------------------------------------------------------------


def test_the_backup_takes_the_place_and_the_replaced_database_is_kept(ratchet, folder):
    (folder / "ratchet.db").chmod(0o640)
    before = (folder / "copy.db").read_bytes()

    code, out, err = ratchet("restore", "copy.db")

    assert (code, err) == (0, [])
    assert out[-1] == f"copy.db is in the place of the database. {DONE}"
    assert f"{WORKSPACE}: INC-2 to INC-3 are in use since the backup, and skipped." in out
    assert f"The replaced database is kept: {kept(folder)}" in out
    assert (
        "Slack was not asked which numbers are in use since the backup, because SLACK_BOT_TOKEN is "
        "not set: set it, stop the bot, and run `ratchet restore --marks-only`."
    ) in out
    assert counted(folder / "ratchet.db") == counted(kept(folder)) == [(3,)]
    assert (folder / "copy.db").read_bytes() == before
    assert {path.name for path in folder.iterdir()} == {
        "copy.db",
        "ratchet.db",
        "ratchet.db.lock",
        kept(folder).name,
    }
    for name in ("ratchet.db", kept(folder).name):
        assert stat.S_IMODE((folder / name).stat().st_mode) == 0o600


def test_the_log_of_the_replaced_database_is_kept_in_it(ratchet, folder):
    with closing(sqlite3.connect(folder / "ratchet.db")) as left:
        left.execute("PRAGMA wal_autocheckpoint = 0")
        left.execute("UPDATE workspace SET last_number = 7")
        left.commit()
        # A process that is killed leaves its log behind.
        for suffix in ("", "-wal"):
            shutil.copy(folder / f"ratchet.db{suffix}", folder / f"killed{suffix}")
    for suffix in ("", "-wal"):
        (folder / f"killed{suffix}").rename(folder / f"ratchet.db{suffix}")

    assert ratchet("restore", "copy.db")[0] == 0

    assert counted(kept(folder)) == [(7,)]
    assert not (folder / "ratchet.db-wal").exists()
    assert counted(folder / "ratchet.db") == [(7,)]


def test_a_backup_that_was_copied_with_its_log_is_whole(ratchet, folder):
    with closing(sqlite3.connect(folder / "ratchet.db")) as left:
        left.execute("PRAGMA wal_autocheckpoint = 0")
        left.execute("UPDATE workspace SET last_number = 9")
        left.commit()
        for suffix in ("", "-wal"):
            shutil.copy(folder / f"ratchet.db{suffix}", folder / f"by-hand.db{suffix}")

    assert ratchet("restore", "by-hand.db")[0] == 0
    assert counted(folder / "ratchet.db") == [(9,)]


def test_a_missing_database_is_no_hindrance(ratchet, folder):
    (folder / "ratchet.db").unlink()

    code, out, _ = ratchet("restore", "copy.db")

    assert code == 0
    assert counted(folder / "ratchet.db") == [(1,)]
    assert not any("kept" in line for line in out)


def test_a_damaged_database_is_kept_with_its_log(ratchet, folder):
    (folder / "ratchet.db").write_bytes(b"nothing that SQLite knows" * 400)
    (folder / "ratchet.db-wal").write_bytes(b"its log")

    code, out, _ = ratchet("restore", "copy.db")

    assert code == 0
    assert any(line.startswith("It could not be read: texts that were withdrawn") for line in out)
    old = next(path for path in folder.glob("ratchet.db.replaced-*Z"))
    assert old.read_bytes().startswith(b"nothing")
    assert old.with_name(f"{old.name}-wal").read_bytes() == b"its log"
    assert counted(folder / "ratchet.db") == [(1,)]


def test_two_restores_in_one_second_keep_both(folder):
    for _ in range(2):
        with restoring(f"sqlite:///{folder}/ratchet.db", folder / "copy.db", at=NINE):
            pass

    assert [counted(file) for file in sorted(folder.glob("ratchet.db.replaced-*"))] == [
        [(3,)],
        [(1,)],
    ]


def test_an_error_on_the_way_leaves_everything_as_it_was(folder):
    was = files(folder)

    def fail():
        with restoring(f"sqlite:///{folder}/ratchet.db", folder / "copy.db", at=NINE) as under_way:
            under_way.store.write_now(lambda tx: tx.next_number(WORKSPACE))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()

    assert files(folder).keys() == was.keys()
    assert counted(folder / "ratchet.db") == [(3,)]
    assert counted(folder / "copy.db") == [(1,)]


def test_a_replaced_database_can_be_restored_in_turn(ratchet, folder):
    assert ratchet("restore", "copy.db")[0] == 0
    assert ratchet("restore", kept(folder).name)[0] == 0
    assert counted(folder / "ratchet.db") == [(3,)]


# --- refused -----------------------------------------------------------------------------------


def nothing(folder, name):
    """The file does not exist."""


def a_folder(folder, name):
    (folder / name).mkdir()


def no_database(folder, name):
    (folder / name).write_bytes(b"GIF89a" * 2_000)


def an_empty_file(folder, name):
    (folder / name).touch()


def other_tables(folder, name):
    with closing(sqlite3.connect(folder / name)) as made:
        made.execute("CREATE TABLE song (title)")


def newer(folder, name):
    shutil.copy(folder / "copy.db", folder / name)
    with closing(sqlite3.connect(folder / name)) as made:
        made.execute("UPDATE alembic_version SET version_num = '9999'")
        made.execute("UPDATE compatibility SET oldest = '9998'")
        made.commit()


def cut_off(folder, name):
    whole = (folder / "copy.db").read_bytes()
    (folder / name).write_bytes(whole[: len(whole) // 2])


def another_name(folder, name):
    os.link(folder / "ratchet.db", folder / name)


REFUSED = {
    nothing: "is no file.",
    a_folder: "is no file.",
    no_database: "is no backup of Ratchet, or is damaged",
    an_empty_file: "is no backup of Ratchet: it has other tables.",
    other_tables: "is no backup of Ratchet: it has other tables.",
    newer: "The database was migrated by a newer Ratchet (to 9999",
    cut_off: "damaged",
    another_name: "belongs to the database itself: name a backup.",
}


@pytest.mark.parametrize("make", REFUSED, ids=lambda make: make.__name__)
def test_a_file_that_cannot_be_restored_is_refused_and_nothing_changes(ratchet, folder, make):
    make(folder, "given")
    was = None if (folder / "given").is_dir() else files(folder)

    code, out, err = ratchet("restore", "given")

    assert (code, out) == (1, [])
    assert len(err) == 1
    assert REFUSED[make] in err[0]
    if was is not None:
        assert files(folder) == was
    assert counted(folder / "ratchet.db") == [(3,)]
    assert not (folder / "ratchet.db.lock").exists()


def test_the_lock_of_a_bot_that_served_stays_after_a_refusal(ratchet, folder):
    (folder / "ratchet.db.lock").touch()
    (folder / "given").touch()

    assert ratchet("restore", "given")[0] == 1

    assert (folder / "ratchet.db.lock").exists()


@pytest.mark.parametrize("arguments", [("copy.db",), ("--marks-only",)])
def test_a_running_bot_is_left_alone(ratchet, folder, arguments):
    with closing(SqlStore(f"sqlite:///{folder}/ratchet.db")) as served:
        served.open_for_serving()

        code, out, err = ratchet("restore", *arguments)

        assert (code, out, len(err)) == (1, [], 1)
        assert "Stop the other" in err[0] or "stop it first" in err[0]
    assert counted(folder / "ratchet.db") == [(3,)]
    assert list(folder.glob("*.replaced-*")) == []


def test_a_database_that_another_program_reads_is_left_alone(ratchet, folder):
    with closing(sqlite3.connect(folder / "ratchet.db")) as reading:
        reading.execute("BEGIN")
        reading.execute("SELECT * FROM workspace").fetchall()

        code, _, err = ratchet("restore", "copy.db")

    assert code == 1
    assert err[0].endswith("open: end it first.")
    assert list(folder.glob("*.replaced-*")) == list(folder.glob("*.part")) == []


def test_postgresql_has_a_way_of_its_own(ratchet):
    code, _, err = ratchet("restore", "copy.db", DATABASE_URL="postgresql://u@127.0.0.1:1/r")

    assert code == 1
    assert "`ratchet restore --marks-only`" in err[0]


@pytest.mark.parametrize("arguments", [(), ("copy.db", "--marks-only")])
def test_a_file_or_marks_alone_and_not_both(ratchet, arguments):
    assert ratchet("restore", *arguments) == (
        2,
        [],
        ["Name a backup, or give --marks-only: one of the two."],
    )


def test_a_folder_that_takes_no_file_is_a_sentence(ratchet, folder):
    code, _, err = ratchet("restore", "copy.db", DATABASE_URL="sqlite:////nowhere/ratchet.db")

    assert (code, len(err)) == (1, 1)
    assert "/nowhere/ratchet.db" in err[0]


def test_marks_make_no_database(ratchet, folder):
    (folder / "ratchet.db").unlink()

    code, out, err = ratchet("restore", "--marks-only")

    assert (code, out, len(err)) == (1, [], 1)
    assert list(folder.glob("ratchet.db*")) == []


def test_marks_alone_say_what_they_did(ratchet):
    code, out, err = ratchet("restore", "--marks-only")

    assert (code, err) == (0, [])
    assert out[-1] == f"The database is marked. {DONE}"
