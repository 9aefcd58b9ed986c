"""Files of ours: only their owner may read them, and a new one never takes another's place."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import stat
from contextlib import closing

import pytest

from storage.files import close_to_others, is_open_to_others
from storage.store import SqlStore
from tests.cli import invoke

COMMANDS = [("migrate",), ("backup", "copy.db"), ("export", "archive.jsonl"), ("keys", "list")]


@pytest.fixture(params=[0o022, 0o000, 0o077], ids=oct)
def umask(request):
    before = os.umask(request.param)
    yield request.param
    os.umask(before)


@pytest.fixture
def folder(tmp_path):
    """The working directory of the commands."""
    return tmp_path


@pytest.fixture
def ratchet(folder, logging_as_before):
    """Runs ``ratchet``: exit code, standard output, lines of standard error."""

    def ratchet(*arguments):
        with contextlib.chdir(folder):
            result = invoke(arguments)
        return result.exit_code, result.stdout, result.stderr.splitlines()

    return ratchet


@pytest.fixture
def serving(folder):
    """The store of a bot that serves from ``ratchet.db``, with a change in its log."""
    with closing(SqlStore(f"sqlite:///{folder}/ratchet.db")) as store:
        store.open_for_serving()
        store.write_now(lambda tx: tx.next_number("T0RATCHET"))
        yield store


def modes(folder):
    return {path.name: stat.S_IMODE(path.lstat().st_mode) for path in folder.iterdir()}


def test_only_the_owner_may_read_the_files_of_a_server(umask, serving, folder):
    assert modes(folder) == dict.fromkeys(
        ("ratchet.db", "ratchet.db-wal", "ratchet.db-shm", "ratchet.db.lock"), 0o600
    )


def test_only_the_owner_may_read_what_a_command_writes(umask, ratchet, folder):
    for command in COMMANDS:
        assert ratchet(*command)[0] == 0

    assert {"ratchet.db", "copy.db", "archive.jsonl"} <= modes(folder).keys()
    assert set(modes(folder).values()) == {0o600}


def test_a_server_closes_the_files_of_an_earlier_version(folder, ratchet, umask):
    ratchet("migrate")
    names = ("ratchet.db", "ratchet.db.lock")
    (folder / "ratchet.db.lock").touch()
    for name in names:
        (folder / name).chmod(0o664)

    with closing(SqlStore(f"sqlite:///{folder}/ratchet.db")) as store:
        store.open_for_serving()
        assert {modes(folder)[name] for name in names} == {0o600}


# --- a backup takes no other file's place ------------------------------------------------------


def other_name(make, name):
    def named(folder):
        make(folder / "ratchet.db", folder / name)
        return name

    return named


def existing(folder):
    (folder / "letter.txt").write_text("Dear Mia")
    return "letter.txt"


def dangling(folder):
    (folder / "link").symlink_to(folder / "nowhere")
    return "link"


def loop(folder):
    (folder / "loop").symlink_to(folder / "loop")
    return "loop"


def below_a_loop(folder):
    return f"{loop(folder)}/copy.db"


def by_another_folder(folder):
    (folder / "here").symlink_to(folder)
    return "here/ratchet.db-wal"


LIVE = "belongs to the database itself"
TAKEN = "exists and is not overwritten"
TARGETS = {
    "the live file": (lambda _: "ratchet.db", LIVE),
    "its log": (lambda _: "ratchet.db-wal", LIVE),
    "its index": (lambda _: "ratchet.db-shm", LIVE),
    "its journal": (lambda _: "ratchet.db-journal", LIVE),
    "its lock": (lambda _: "ratchet.db.lock", LIVE),
    "by way of dots": (lambda _: "./../{0}/ratchet.db", LIVE),
    "by another folder": (by_another_folder, LIVE),
    "a symbolic link": (other_name(lambda live, new: new.symlink_to(live), "same.db"), LIVE),
    "a hard link": (other_name(lambda live, new: new.hardlink_to(live), "same.db"), LIVE),
    "another file": (existing, TAKEN),
    "a link to nowhere": (dangling, TAKEN),
    "a link to itself": (loop, "another"),
    "below a link to itself": (below_a_loop, "another"),
    "here": (lambda _: ".", "is a folder"),
    "above": (lambda _: "..", "is a folder"),
    "the root": (lambda _: "/", "is a folder"),
    "nothing": (lambda _: "", "is a folder"),
    "a device": (lambda _: "/dev/null", TAKEN),
    "a folder that is not there": (lambda _: "nowhere/copy.db", "could not be written"),
    "a name too long": (lambda _: "x" * 300, "another"),
    "a name nearly too long": (lambda _: "x" * 250, "could not be written"),
}


@pytest.mark.parametrize("runs", [True, False], ids=["running", "stopped"])
@pytest.mark.parametrize(("target", "told"), TARGETS.values(), ids=TARGETS)
def test_a_backup_is_refused_with_a_sentence_and_changes_nothing(
    target, told, runs, request, ratchet, ready, folder
):
    ready(folder)
    store = request.getfixturevalue("serving") if runs else None
    name = target(folder).format(folder.name)
    before = modes(folder).keys()

    code, out, err = ratchet("backup", name)

    assert (code, out, len(err)) == (1, "", 1)
    assert told in err[0]
    assert modes(folder).keys() == before
    if store:
        assert store.write_now(lambda tx: tx.next_number("T0RATCHET")) == 2
        assert store.file_error is None
    with closing(sqlite3.connect(folder / "ratchet.db")) as live:
        assert live.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


def test_a_second_backup_leaves_the_first_alone(ratchet, folder):
    ratchet("migrate")
    assert ratchet("backup", "copy.db")[0] == 0
    first = (folder / "copy.db").read_bytes()

    code, _, err = ratchet("backup", "copy.db")

    assert code == 1
    assert err == ["copy.db exists and is not overwritten: name another file."]
    assert (folder / "copy.db").read_bytes() == first


def test_a_device_or_pipe_in_the_place_of_a_file_keeps_its_mode(folder):
    os.mkfifo(folder / "pipe")
    (folder / "pipe").chmod(0o666)

    close_to_others(folder / "pipe")

    assert modes(folder) == {"pipe": 0o666}
    assert not is_open_to_others(folder / "pipe")
