"""Rules that no linter checks: sealed tests, a pure core, lock files without machine names."""

import ast
import json
import os
import re
import socket
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

# Calls that the imports of core would still allow: clock, randomness, files, terminal.
IMPURE = {"breakpoint", "input", "now", "open", "print", "today", "utcnow", "uuid1", "uuid4"}


def test_the_environment_of_tests_is_clean():
    kept = {name for name in os.environ if not name.startswith("PYTEST_")}

    assert kept <= {"CI", "HOME", "PATH", "TMPDIR", "TZ"}


@pytest.mark.parametrize("address", [("192.0.2.1", 443), ("2001:db8::1", 443, 0, 0)])
def test_no_test_reaches_another_machine(address):
    family = socket.AF_INET if len(address) == 2 else socket.AF_INET6
    with (
        socket.socket(family, socket.SOCK_DGRAM) as outside,
        pytest.raises(RuntimeError, match=re.escape(address[0])),
    ):
        outside.connect(address)


def test_no_test_resolves_the_name_of_another_machine():
    with pytest.raises(RuntimeError, match=r"slack\.com"):
        socket.getaddrinfo("slack.com", 443)


def test_loopback_is_open():
    with socket.create_server(("127.0.0.1", 0)) as server:
        socket.create_connection(server.getsockname()).close()


@pytest.mark.parametrize("path", sorted(ROOT.glob("core/*.py")), ids=lambda path: path.stem)
def test_core_uses_no_clock_no_randomness_and_no_files(path):
    names = {
        node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call)
    }

    assert names & IMPURE == set()


LOCKS = sorted([*ROOT.glob("*.lock"), *ROOT.glob("tests/*/*.lock")])


@pytest.mark.parametrize("path", LOCKS, ids=lambda path: path.stem)
def test_a_lock_file_holds_only_pins_and_hashes(path):
    pin = re.compile(r"[a-z0-9.-]+==\S+( ; [^\\]+)?( \\\n    --hash=sha256:[0-9a-f]{64})+\n")

    assert pin.sub("", path.read_text()) == ""


def test_the_lock_file_of_npm_holds_hashes_and_no_address():
    locked = json.loads((ROOT / "tests/world/package-lock.json").read_text())["packages"]
    packages = [one for name, one in locked.items() if name]

    assert all(one["integrity"].startswith("sha512-") for one in packages)
    assert not any("resolved" in one for one in packages)


def test_both_lock_files_pin_the_same_runtime_versions():
    runtime, everything = (
        set(re.findall(r"^\S+==\S+", (ROOT / name).read_text(), re.MULTILINE))
        for name in ("requirements.lock", "requirements-dev.lock")
    )

    assert runtime <= everything


# Modules where a person's "public" becomes a type, or where a text is already public.
MAY_PUBLISH = {
    "bot/doctor/comparison.py",
    "bot/http/v1.py",
    "bot/slack/carrying.py",
    "bot/slack/forms.py",
    "bot/slack/rewriting.py",
    "bot/slack/text_readers.py",
    "bot/slack/updating.py",
    "storage/public.py",
}


def calls(tree):
    """The names of all functions that are called in ``tree``."""
    return [
        node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
    ]


def test_a_text_becomes_public_only_in_the_listed_modules():
    publishing = {
        str(path.relative_to(ROOT))
        for package in ("bot", "core", "storage")
        for path in ROOT.joinpath(package).rglob("*.py")
        if "PublicText" in calls(ast.parse(path.read_text()))
    }

    assert publishing == MAY_PUBLISH


def test_no_test_replaces_a_part_of_the_code():
    replacing = [
        f"{path.relative_to(ROOT)}: {name}"
        for path in sorted(ROOT.joinpath("tests").rglob("*.py"))
        for tree in [ast.parse(path.read_text())]
        for name in (
            *(one for one in calls(tree) if one == "setattr"),
            *(
                word
                for node in ast.walk(tree)
                if isinstance(node, ast.Import | ast.ImportFrom)
                for word in (getattr(node, "module", None), *(one.name for one in node.names))
                if word and re.search(r"(^|\.)mock$", word)
            ),
        )
    ]

    assert replacing == []


def test_core_is_tested_in_one_thread():
    """Its coverage is measured: Python 3.11 cannot always trace a thread that starts."""
    elsewhere = {"concurrent", "multiprocessing", "subprocess", "threading"}
    importing = [
        f"{path.relative_to(ROOT)}: {name}"
        for path in sorted(ROOT.joinpath("tests/core").rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in (getattr(node, "module", None), *(one.name for one in node.names))
        if name and (name.split(".")[0] in elsewhere or name in {"storage.store", "SqlStore"})
    ]

    assert importing == []


def test_only_torture_measures_durations():
    measuring = [
        node.name
        for path in sorted(ROOT.joinpath("tests").rglob("test_*.py"))
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.name.startswith("test_")
        and {"monotonic", "perf_counter"} & set(calls(node))
        and not any("torture" in ast.unparse(mark) for mark in node.decorator_list)
    ]

    assert measuring == []
