"""Every rule of "who may import whom" catches its violation, planted beside the code as it is.

A contract that nothing can break proves nothing: each contract of pyproject.toml has a violation
here, and the violation breaks the contracts that it names. The imports of the code are read once,
and each violation is added to them; the command `lint-imports` itself sees the first one.
"""

import ast
import re
import shutil
import subprocess
import sys
from copy import deepcopy
from pathlib import Path
from typing import Any

import grimp
import pytest
from importlinter.api import read_configuration
from importlinter.contracts.acyclic_siblings import AcyclicSiblingsContract
from importlinter.contracts.forbidden import ForbiddenContract
from importlinter.contracts.independence import IndependenceContract
from importlinter.contracts.layers import LayersContract
from importlinter.contracts.protected import ProtectedContract

ROOT = Path(__file__).parent.parent
PACKAGES = ("benchmarks", "bot", "core", "storage")
RULES = read_configuration(str(ROOT / "pyproject.toml"))
KINDS: dict[str, Any] = {
    "acyclic_siblings": AcyclicSiblingsContract,
    "forbidden": ForbiddenContract,
    "independence": IndependenceContract,
    "layers": LayersContract,
    "protected": ProtectedContract,
}
CONTRACTS = {
    options["name"]: KINDS[options["type"]](options["name"], RULES["session_options"], options)
    for options in RULES["contracts_options"]
}

# Each row: a file, a line that must not be in it, and the contracts that see it. A file that does
# not exist is a new module without a place.
PLANTED = {
    "core uses storage": (
        "core/engine.py",
        "from storage.store import SqlStore",
        {"benchmarks over bot over storage over core", "core is pure"},
    ),
    "storage uses bot": (
        "storage/store.py",
        "from bot.settings import Settings",
        {"benchmarks over bot over storage over core"},
    ),
    "bot uses benchmarks": (
        "bot/app.py",
        "from benchmarks import rounds",
        {"benchmarks over bot over storage over core"},
    ),
    "errors know incidents": (
        "core/errors.py",
        "from core.incident import Incident",
        {"places in core", "no cycles"},
    ),
    "the policy knows the engine": (
        "core/policy.py",
        "from core.engine import decide",
        {"places in core"},
    ),
    "core uses a module that no rule needs": (
        "core/incident.py",
        "import hashlib, json, functools",
        {"core is pure"},
    ),
    "core uses a library": ("core/policy.py", "import structlog", {"core is pure"}),
    "a new module of core": ("core/weather.py", "", {"places in core"}),
    "storage modules out of order": (
        "storage/keys.py",
        "from storage.audit import look",
        {"places in storage"},
    ),
    "a new module of storage": ("storage/weather.py", "", {"places in storage"}),
    "databases know each other": (
        "storage/databases/sqlite.py",
        "from storage.databases import postgresql",
        {"places in storage.databases"},
    ),
    "public reads know responders' reads": (
        "storage/public.py",
        "from storage.queries import SqlReader",
        {"public reads know nothing of responders' reads", "places in storage"},
    ),
    "settings know the composition root": (
        "bot/settings.py",
        "from bot.app import build",
        {"places in bot", "no cycles"},
    ),
    "a new module of bot": ("bot/weather.py", "", {"places in bot"}),
    "commands know each other": (
        "bot/commands/keys.py",
        "from bot.commands import serve",
        {"places in bot.commands"},
    ),
    "the stand-in knows incidents": (
        "bot/sandbox/webapi.py",
        "from core.incident import Incident",
        {"the stand-in for Slack imports nothing else of this project"},
    ),
    "the stand-in knows the worker": (
        "bot/sandbox/webapi.py",
        "from bot.delivery.worker import Worker",
        {"the stand-in for Slack imports nothing else of this project", "places in bot"},
    ),
    "the stand-in's model knows its server": (
        "bot/sandbox/model.py",
        "from bot.sandbox import server",
        {"places in bot.sandbox", "no cycles"},
    ),
    "a new module of the stand-in": ("bot/sandbox/weather.py", "", {"places in bot.sandbox"}),
    "the parser knows the listeners": (
        "bot/slack/parser.py",
        "from bot.slack import listeners",
        {"places in bot.slack", "the parser and the views are pure", "no cycles"},
    ),
    "a new module of the Slack entry point": ("bot/slack/weather.py", "", {"places in bot.slack"}),
    "the Slack entry point reads the store": (
        "bot/slack/actions.py",
        "from storage.queries import SqlReader",
        {"the Slack door knows no storage", "the parts of bot that may use storage"},
    ),
    "a view asks for the time": (
        "bot/slack/views.py",
        "import time",
        {"the parser and the views are pure"},
    ),
    "a restore is known below": (
        "bot/doctor/checks.py",
        "from bot import restoring",
        {"places in bot", "no cycles"},
    ),
    "numbers know the audit": (
        "storage/numbers.py",
        "from storage.audit import look",
        {"places in storage", "no cycles"},
    ),
    "metadata knows the transport": (
        "bot/delivery/metadata.py",
        "from bot.delivery import slack",
        {"places in bot.delivery", "no cycles"},
    ),
    "orphans know the comparison": (
        "bot/doctor/orphans.py",
        "from bot.doctor import comparison",
        {"places in bot.doctor", "no cycles"},
    ),
    "the restore reads the store": (
        "bot/restoring.py",
        "from storage.queries import TO_CHANGE",
        {
            "the parts of bot that may use storage",
            "rows and connections never leave storage",
        },
    ),
    "a dialect knows the server": (
        "bot/http/v1.py",
        "from bot.http import server",
        {"places in bot.http"},
    ),
    "the gate reads the store": (
        "bot/http/gate.py",
        "from storage.queries import SqlReader",
        {"the parts of bot that may use storage"},
    ),
    "HTTP knows Slack": (
        "bot/http/gate.py",
        "from bot.slack import words",
        {"the Slack door and the HTTP door do not know each other"},
    ),
    "the worker knows a transport": (
        "bot/delivery/worker.py",
        "from bot.delivery import slack",
        {"places in bot.delivery", "the worker knows no transport"},
    ),
    "the worker knows Slack's library": (
        "bot/delivery/worker.py",
        "import slack_sdk",
        {"the worker knows no transport"},
    ),
    "a verdict asks for the time": (
        "bot/delivery/failures.py",
        "import time",
        {"what follows from a failure is pure"},
    ),
    "the doctor's reader knows its checks": (
        "bot/doctor/reader.py",
        "from bot.doctor import checks",
        {"places in bot.doctor", "no cycles"},
    ),
    "SQL outside storage": (
        "bot/app.py",
        "import sqlalchemy",
        {"only storage knows SQL"},
    ),
    "rows outside storage": (
        "bot/app.py",
        "from storage.models import State",
        {
            "rows and connections never leave storage",
            "the parts of bot that may use storage",
        },
    ),
    "connections outside storage": (
        "bot/app.py",
        "from storage.snapshot import connection_of",
        {"rows and connections never leave storage"},
    ),
    "a rendering reads the store": (
        "bot/page/html.py",
        "from storage.public import PublicReader",
        {"renderings of the page know no storage", "the parts of bot that may use storage"},
    ),
    "an id knows its page": (
        "bot/page/ids.py",
        "from bot.page import site",
        {"places in bot.page"},
    ),
    "kept bytes know their addresses": (
        "bot/http/status/shelf.py",
        "from bot.http.status import routes",
        {"places in bot.http.status"},
    ),
    "a folder of files knows the page in it": (
        "bot/publishing/folder.py",
        "from bot.publishing import copying",
        {"places in bot.publishing"},
    ),
    "plain text knows its source": (
        "bot/importing/plain.py",
        "from bot.importing import reading",
        {"places in bot.importing"},
    ),
    "a signature knows the way out": (
        "bot/webhooks/signing.py",
        "from bot.webhooks import verifying",
        {"places in bot.webhooks"},
    ),
    "an event has the words of a card": (
        "bot/delivery/webhooks.py",
        "from bot.slack import views",
        {"webhooks know nothing of responders"},
    ),
    "an event reads what responders read": (
        "bot/delivery/webhooks.py",
        "from storage.queries import SqlReader",
        {"webhooks know nothing of responders", "the parts of bot that may use storage"},
    ),
    "a signed request reads a board": (
        "bot/webhooks/outward.py",
        "from core.boards import Card",
        {"webhooks know nothing of responders"},
    ),
    "a way out knows the settings": (
        "bot/webhooks/outward.py",
        "from bot.settings import Settings",
        {"places in bot"},
    ),
    "the body of an event holds a report": (
        "bot/page/hooks.py",
        "from core.report import Report",
        {"webhooks know nothing of responders"},
    ),
    "events know whom to tell of their end": (
        "bot/delivery/webhooks.py",
        "from bot.delivery import notices",
        {"places in bot.delivery"},
    ),
    "the worker knows webhooks": (
        "bot/delivery/worker.py",
        "from bot.delivery import webhooks",
        {"places in bot.delivery", "the worker knows no transport"},
    ),
    "a measure knows the commands": (
        "benchmarks/measures.py",
        "from bot.commands import serve",
        {"benchmarks import only the service, the store and the stand-in"},
    ),
    "a new benchmark": ("benchmarks/weather.py", "", {"places in benchmarks"}),
}


@pytest.fixture
def code(tmp_path):
    """A copy of the code that a test may spoil."""
    for package in PACKAGES:
        left_out = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / package, tmp_path / package, ignore=left_out)
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def broken(code):
    """The contracts that import-linter reports as broken."""
    told = subprocess.run(
        [Path(sys.executable).parent / "lint-imports", "--no-cache", "--no-logo"],
        cwd=code,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "Contracts: " in told.stdout, told.stdout + told.stderr
    return set(re.findall(r"^(.*) BROKEN", told.stdout, re.MULTILINE))


def test_the_code_as_it_is_keeps_every_contract(code):
    assert broken(code) == set()


def test_the_command_sees_a_violation(code):
    file, line, contracts = PLANTED["core uses storage"]
    with (code / file).open("a") as spoilt:
        spoilt.write(f"\n{line}\n")

    assert contracts <= broken(code)


@pytest.fixture(scope="module")
def graph():
    """Who imports whom in the code as it is."""
    return grimp.build_graph(*PACKAGES, include_external_packages=True, cache_dir=None)


def imported(line, graph):
    """The modules that a line of imports names; another package counts as one module."""
    for node in ast.walk(ast.parse(line)):
        match node:
            case ast.Import():
                names = [(alias.name, alias.name) for alias in node.names]
            case ast.ImportFrom():
                names = [(f"{node.module}.{alias.name}", node.module) for alias in node.names]
            case _:
                continue
        for whole, module in names:
            name = whole if whole in graph.modules else module
            yield name if ours(name) else name.partition(".")[0]


def ours(module):
    return module.partition(".")[0] in PACKAGES


@pytest.mark.parametrize(("file", "line", "contracts"), PLANTED.values(), ids=PLANTED)
def test_a_violation_breaks_its_contracts(graph, file, line, contracts):
    spoilt = deepcopy(graph)
    module = file.removesuffix(".py").replace("/", ".")
    spoilt.add_module(module)
    for name in imported(line, graph):
        spoilt.add_module(name, is_squashed=not ours(name))
        spoilt.add_import(importer=module, imported=name)

    checks = {name: CONTRACTS[name].check(deepcopy(spoilt), verbose=False) for name in contracts}
    assert [name for name, check in checks.items() if check.kept] == []


def test_every_contract_has_a_violation_that_breaks_it():
    assert set().union(*(contracts for _, _, contracts in PLANTED.values())) == CONTRACTS.keys()


# Each row: a module that must not pass, and the type checker's word for it.
MISTYPED = {
    "bot/connected.py": (
        (
            "from storage.store import SqlStore\n\n"
            "def connected(store: SqlStore) -> object:\n"
            "    return store.write_now(lambda tx: tx.connection)\n"
        ),
        '"SqlTransaction" has no attribute "connection"',
    ),
    "bot/published.py": (
        (
            "from core.incident import Note, PublicText\n\n"
            "def published(note: Note) -> PublicText:\n"
            "    return note\n"
        ),
        'got "Note", expected "PublicText"',
    ),
    "bot/reported.py": (
        (
            "from core.report import Report, public_markdown\n\n"
            "def told(report: Report) -> str:\n"
            "    return public_markdown(report)\n"
        ),
        'expected "PublicIncident"',
    ),
    "bot/posted.py": (
        (
            "from bot.slack.public import public_update\n"
            "from core.incident import Update\n"
            "from core.public_side import PublicIncident\n\n"
            "def posted(public: PublicIncident, own: Update) -> object:\n"
            "    return public_update(public, own)\n"
        ),
        'Argument 2 to "public_update"',
    ),
    "bot/told.py": (
        (
            "from core.incident import Note, Update\n"
            "from core.public_side import PublicUpdate\n\n"
            "def told(of: Update, note: Note) -> PublicUpdate:\n"
            "    return PublicUpdate(entry=1, body=note, status=None, word=None, at=of.at,\n"
            "                        changed_at=of.at)\n"
        ),
        'Argument "body" to "PublicUpdate"',
    ),
}


def test_the_type_checker_keeps_connections_in_storage_and_notes_private(code):
    for file, (lines, _error) in MISTYPED.items():
        (code / file).write_text(lines)

    told = subprocess.run(
        # What it knows of other packages it keeps between runs, beside what `make check` keeps.
        [sys.executable, "-m", "mypy", "--cache-dir", ROOT / ".mypy_cache", *MISTYPED],
        cwd=code,
        capture_output=True,
        text=True,
        check=False,
    ).stdout

    errors = {line.split(":")[0]: line for line in told.splitlines() if " error: " in line}
    assert {file: error in errors.get(file, "") for file, (_, error) in MISTYPED.items()} == (
        dict.fromkeys(MISTYPED, True)
    ), told


def test_no_import_hides_from_the_contracts():
    hidden = [
        path
        for package in PACKAGES
        for path in sorted((ROOT / package).rglob("*.py"))
        if "TYPE_CHECKING" in path.read_text()
    ]

    assert hidden == []
