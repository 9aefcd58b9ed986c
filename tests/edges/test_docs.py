"""The documentation, compared with the code; parts of README are generated from the code.

``make docs`` (``--update-golden``) writes the generated parts of README.
"""

import ast
import re
import unicodedata
from collections import defaultdict
from functools import cache
from pathlib import Path

import pytest
from dotenv import dotenv_values
from typer.main import get_command

from bot.__main__ import cli
from bot.doctor.checks import OPTIONAL_SCOPES, SCOPES
from bot.page import site
from bot.page.statuspage import DOCUMENTS
from bot.settings import Settings
from bot.slack import actions
from bot.slack.verbs import COMMAND, VERBS, markdown_table
from bot.telemetry import Metrics
from bot.variables import WORKSPACE_CURES
from core.lifecycle import PRESETS, read
from core.settings import Setting, write
from storage.messages import LANES
from storage.models import State
from tests.page.example import the_page

ROOT = Path(__file__).parents[2]
CODE = ("bot", "core", "storage")
README = ROOT / "README.md"
ARCHITECTURE = ROOT / "docs" / "architecture.md"
OPERATIONS = ROOT / "docs" / "operations.md"
GLOSSARY = ROOT / "docs" / "glossary.md"
TOKENS = {"SLACK_BOT_TOKEN": "xoxb-1-a", "SLACK_APP_TOKEN": "xapp-1-a"}
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")])


def by_name(path):
    return str(path.relative_to(ROOT))


# --- README ------------------------------------------------------------------------------------


def made_parts():
    """The generated parts of README: the closing marker, the opening marker, the text."""
    yield "commands", "commands: made from the table of verbs", markdown_table()
    for lifecycle in PRESETS:
        drawn = f"```mermaid\n{lifecycle.draw()}\n```"
        yield "lifecycle", f"lifecycle: {lifecycle.name}", drawn


def with_made_parts(text):
    for end, begin, content in made_parts():
        marked = re.compile(rf"(<!-- {re.escape(begin)} -->\n).*?(<!-- /{end} -->)", re.DOTALL)
        assert len(marked.findall(text)) == 1, begin
        text = marked.sub(lambda match, made=content: f"{match[1]}{made}\n{match[2]}", text)
    return text


def test_readme_shows_the_tables_of_the_code(pytestconfig):
    expected = with_made_parts(README.read_text())
    if pytestconfig.getoption("--update-golden"):
        README.write_text(expected)

    assert README.read_text() == expected, "run make docs"


def test_readme_names_every_verb_once():
    rows = re.findall(rf"^\| `{COMMAND} ?(\w*)", README.read_text(), re.MULTILINE)

    assert rows == ["", *(verb.name for verb in VERBS)]


# --- settings ----------------------------------------------------------------------------------


class RecordingEnvironment(dict):
    """An environment that records the names that are read."""

    def __init__(self, variables):
        super().__init__(variables)
        self.names = set()

    def get(self, name, default=None):
        self.names.add(name)
        return super().get(name, default)


@pytest.fixture
def variables():
    """The names of all settings."""
    environment = RecordingEnvironment(TOKENS)
    Settings.from_env(environment)
    return environment.names


def table(page, heading):
    """The rows of the tables under a heading, as lists of cells."""
    section = page.read_text().split(f"\n## {heading}\n", 1)[1].split("\n## ", 1)[0]
    rows = re.findall(r"^\| (.*) \|$", section, re.MULTILINE)
    return [re.split(r" ?(?<!\\)\| ?", row) for row in rows[1:]]


def in_code(cell):
    return re.findall("`([^`]+)`", cell)


def test_env_example_lists_every_variable_and_no_other(variables):
    assert set(dotenv_values(ROOT / ".env.example")) == variables


def test_env_example_sets_nothing_but_defaults():
    example = {name: value or "" for name, value in dotenv_values(ROOT / ".env.example").items()}

    written, defaults = Settings.from_env({**example, **TOKENS}), Settings.from_env(TOKENS)

    for name in Settings.__dataclass_fields__:
        if name != "lifecycles":
            assert getattr(written, name) == getattr(defaults, name), name
    assert written.lifecycles.default == defaults.lifecycles.default


def test_operations_lists_every_variable_with_its_default(variables):
    rows = table(OPERATIONS, "Settings")
    defaults = Settings.from_env(TOKENS)
    listed = {}
    for names, default, *_ in rows:
        listed |= dict(zip(in_code(names), in_code(default) or [None] * 9, strict=False))

    assert set(listed) == variables
    assert listed.pop("DEFAULT_LIFECYCLE") == defaults.lifecycles.default.name
    assert listed.pop("LOG_FORMAT") == "console"
    for name, default in listed.items():
        if default is not None:
            if name in WORKSPACE_CURES:
                written = write(Setting(name.lower()), defaults.workspace)
            else:
                value = getattr(defaults, name.lower())
                listing = ",".join(value) if isinstance(value, tuple) else str(value)
                written = {True: "yes", False: "no"}.get(value) or listing
            assert written == default, name


# --- command line, metrics, lifecycles ---------------------------------------------------------


def commands(command, path="ratchet"):
    if hasattr(command, "commands"):
        for name, child in command.commands.items():
            yield from commands(child, f"{path} {name}")
    else:
        yield path


def test_operations_lists_every_command():
    written = {
        " ".join(word for word in command.split()[:3] if re.fullmatch("[a-z]+", word))
        for cell, *_ in table(OPERATIONS, "Command line")
        for command in in_code(cell)
    }

    assert written == set(commands(get_command(cli)))


def test_operations_lists_every_metric():
    families = {family.name: family.type for family in Metrics().registry.collect()}
    metrics = {name + "_total" * (kind == "counter") for name, kind in families.items()}

    written = {name for cell, *_ in table(OPERATIONS, "What to watch") for name in in_code(cell)}

    assert written == metrics


@cache
def texts_of_the_code():
    """Every string of the product on lines of its own, without the placeholders of f-strings."""
    texts = (node.value for node, _ in definitions(ast.Constant))
    return "\n".join(text for text in texts if isinstance(text, str))


def texts_of_the_runbook():
    """The literal texts with which the rows of "What to do when" begin."""
    for first, *_ in table(OPERATIONS, "What to do when"):
        yield from (one or other for one, other in re.findall("``(.+?)``|`([^`]+)`", first))


def test_the_runbook_begins_with_texts_of_the_code():
    known = texts_of_the_code()

    assert [text for text in texts_of_the_runbook() if text not in known] == []


def test_the_runbook_lists_every_warning_and_error_in_the_log():
    listed = set(texts_of_the_runbook())
    logged = {
        call.args[0].value
        for path in ROOT.joinpath("bot").rglob("*.py")
        for call in ast.walk(ast.parse(path.read_text()))
        if isinstance(call, ast.Call)
        and isinstance(call.func, ast.Attribute)
        and isinstance(call.func.value, ast.Name)
        and call.func.value.id == "log"
        and call.func.attr in {"warning", "error", "critical"}
        and isinstance(call.args[0], ast.Constant)
    }

    assert logged - listed == set()


# The exceptions with which a command ends, and the functions that end one, or report a setting.
ENDS = {"wrong", "SettingProblem", "UnreadableFile", "NotWritten", "StoreUnavailable"}
ENDS |= {"AddressTaken", "BotDidNotStart", "BotEnded"}
ENDING_CLASSES = {"NoDatabase", "NotOpened", "SecondServer", "FileDamaged", "UnknownSchema"}
ENDING_CLASSES |= {"UnknownWorkspace"}
# Only a running server meets these, and answers them.
MET_BY_SERVERS = (
    "the store is closed",
    "the database is too busy",
    "the incident was changed by",
    "the system starts no thread",
)


def literal_of(node):
    """The literal parts of a string, without its placeholders."""
    parts = [one.value for one in ast.walk(node) if isinstance(one, ast.Constant)]
    return "".join(part for part in parts if isinstance(part, str))


def texts_that_end_a_command():
    """The literal parts of each text with which a command may end."""
    for node, _ in definitions(ast.ClassDef):
        if node.name in ENDING_CLASSES:
            yield from (literal_of(call) for call in ast.walk(node) if isinstance(call, ast.Call))
    for call, _ in definitions(ast.Call):
        function = call.func
        name = function.id if isinstance(function, ast.Name) else ""
        if name in ENDS or (isinstance(function, ast.Attribute) and function.attr == "problem"):
            yield "".join(literal_of(argument) for argument in call.args)


def test_the_runbook_lists_every_text_with_which_a_command_ends():
    listed = list(texts_of_the_runbook())
    ended = {text for text in texts_that_end_a_command() if " " in text.strip()}

    assert len(ended) > 40
    assert {
        text
        for text in ended
        if not text.startswith(MET_BY_SERVERS) and not any(one in text for one in listed)
    } == set()


def test_every_picture_is_shown_light_and_dark():
    shown = {name for page in PAGES for name in re.findall(r"img/([\w-]+\.png)", page.read_text())}
    there = {picture.name for picture in ROOT.glob("docs/img/*.png")}

    assert shown == there
    assert {name.replace("light", "dark") for name in there} <= there


@pytest.mark.parametrize("page", PAGES, ids=by_name)
def test_every_lifecycle_in_the_docs_is_valid(page):
    for example in re.findall(r"```toml\n(.*?)```", page.read_text(), re.DOTALL):
        assert read(example, taken=frozenset(lifecycle.name for lifecycle in PRESETS))


def test_operations_lists_every_address_of_a_status_page():
    listed = {name for cell, *_ in table(OPERATIONS, "The status page") for name in in_code(cell)}
    paths = listed - {".md"}
    fixed = {path for path in site.FIXED if path} | {f"api/v2/{name}.json" for name in DOCUMENTS}

    assert fixed <= paths
    assert {path for path in paths if site.path_of(path, the_page()) is None} == set()


def test_architecture_names_every_module():
    named = set(in_code(ARCHITECTURE.read_text()))
    named |= {
        by_name(module)
        for folder in ("bot/commands/", "bot/sandbox/", "storage/databases/", "storage/migrations/")
        if folder in named
        for module in (ROOT / folder).rglob("*.py")
    }
    modules = {by_name(path) for folder in CODE for path in ROOT.joinpath(folder).rglob("*.py")}

    assert {path for path in modules - named if not path.endswith("__init__.py")} == set()


def test_architecture_draws_every_state_and_lists_every_lane():
    drawn = ARCHITECTURE.read_text().split("stateDiagram-v2", 1)[1].split("```", 1)[0]
    states = {name for arrow in re.findall(r"(\S+) --> (\S+):", drawn) for name in arrow}
    lanes = {row[0].strip("`") for row in table(ARCHITECTURE, "The outbox")}

    assert states - {"[*]"} == {*State}
    assert lanes == {*LANES.values()}


# --- glossary ----------------------------------------------------------------------------------


def definitions(kind):
    """Every node of a kind, or of several, in the product, at any depth: the node and its file."""
    for path in sorted(file for folder in CODE for file in ROOT.joinpath(folder).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, kind):
                yield node, path


def test_the_glossary_is_in_order_and_defines_each_word_once():
    words = [word.casefold() for word, *_ in table(GLOSSARY, "Words")]

    assert words == sorted(set(words))


def test_every_name_in_the_glossary_exists_in_the_code():
    defined = set()
    for node, _ in definitions((ast.ClassDef, ast.Assign)):
        targets = [node] if isinstance(node, ast.ClassDef) else node.targets
        defined |= {getattr(target, "name", getattr(target, "id", None)) for target in targets}
    texts = texts_of_the_code()
    named = {name for _, meaning, *_ in table(GLOSSARY, "Words") for name in in_code(meaning)}

    assert {name for name in named - defined if name not in texts} == {"bot.sandbox"}


def test_no_two_classes_share_a_name():
    files = defaultdict(list)
    for node, path in definitions(ast.ClassDef):
        if not path.is_relative_to(ROOT / "bot" / "sandbox"):
            files[node.name].append(by_name(path))

    assert {name: paths for name, paths in files.items() if len(paths) > 1} == {}


# --- manifest ----------------------------------------------------------------------------------


@pytest.fixture
def features(manifest):
    return manifest["features"]


def test_the_manifest_and_the_doctor_agree_on_the_scopes(manifest):
    assert manifest["oauth_config"]["scopes"]["bot"] == list(SCOPES)
    assert manifest["oauth_config"]["scopes"]["bot_optional"] == list(OPTIONAL_SCOPES)


def test_the_manifest_has_the_command_and_its_escaping(features):
    (command,) = features["slash_commands"]

    assert command["command"] == COMMAND
    assert command["should_escape"]
    for verb in ("declare", "status", "update", "help"):
        assert verb in command["usage_hint"]


def test_the_manifest_has_the_shortcuts_of_the_listeners(features):
    assert {shortcut["callback_id"] for shortcut in features["shortcuts"]} == actions.SHORTCUTS


def test_every_address_in_the_manifest_receives_events():
    text = (ROOT / "app_manifest.yml").read_text().split("_metadata", 1)[1]

    assert set(re.findall(r"https?://\S+", text)) == {"https://ratchet.example.com/slack/events"}


def test_the_manifest_keeps_within_slacks_lengths(manifest, features):
    about = manifest["display_information"]

    assert len(about["name"]) <= 35
    assert len(about["description"]) <= 140
    assert 175 <= len(about["long_description"]) <= 4_000
    for shortcut in features["shortcuts"]:
        assert len(shortcut["name"]) <= 24
        assert len(shortcut["description"]) <= 150


# --- every page --------------------------------------------------------------------------------

LINK = re.compile(r"(?<!\!)\[[^\]]*\]\(([^)\s]+)\)|!\[[^\]]*\]\(([^)\s]+)\)")


def anchors(text):
    """The anchors that GitHub gives to a page's headings."""
    for heading in re.findall(r"^#+ (.*)$", text, re.MULTILINE):
        plain = re.sub(r"[`*]|\[([^\]]*)\]\([^)]*\)", r"\1", heading)
        kept = "".join(
            c for c in plain.lower() if c in " -_" or unicodedata.category(c)[0] in "LNM"
        )
        yield kept.replace(" ", "-")


@pytest.mark.parametrize("page", PAGES, ids=by_name)
def test_every_link_has_a_target(page):
    text = page.read_text()
    for link in (one or other for one, other in LINK.findall(text)):
        if link.startswith(("https://", "mailto:")):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.is_relative_to(ROOT), link
        assert target.exists(), link
        if anchor:
            assert anchor in anchors(target.read_text()), link


@pytest.mark.parametrize("page", PAGES, ids=by_name)
def test_every_file_and_module_in_the_docs_exists(page):
    text = page.read_text()
    for path in re.findall(r"`((?:core|storage|bot|tests|docs|benchmarks)/[\w./]*)`", text):
        assert (ROOT / path).exists(), path
    for name in re.findall(r"`((?:core|storage|bot)(?:\.[a-z_]+)+)(?:\.[A-Za-z_]+)?`", text):
        parts = ROOT.joinpath(*name.split("."))
        there = [parts, parts.parent, parts.with_suffix(".py"), parts.parent.with_suffix(".py")]
        assert any(place.exists() for place in there), name


@pytest.mark.parametrize("page", PAGES, ids=by_name)
def test_every_make_target_in_the_docs_exists(page):
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)

    for target in re.findall(
        r"`make ([a-z-]+)`|^ {4}make ([a-z-]+)", page.read_text(), re.MULTILINE
    ):
        assert (target[0] or target[1]) in targets


# --- changelog ---------------------------------------------------------------------------------

KINDS = ["Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"]


def test_the_changelog_keeps_its_form():
    lines = (ROOT / "CHANGELOG.md").read_text().splitlines()
    releases = [line for line in lines if line.startswith("## ")]
    kinds = [line.removeprefix("### ") for line in lines if line.startswith("### ")]

    assert lines[0] == "# Changelog"
    assert releases[0] == "## [Unreleased]"
    for release in releases[1:]:
        assert re.fullmatch(r"## \[\d+\.\d+\.\d+\] - \d{4}-\d\d-\d\d", release)
    assert kinds
    assert set(kinds) <= set(KINDS)


def test_each_entry_of_the_changelog_is_whole_sentences():
    text = (ROOT / "CHANGELOG.md").read_text().split("## [Unreleased]", 1)[1]
    entries = re.split(r"\n(?=- |#)", text)

    for entry in entries:
        if entry.startswith("- "):
            assert entry.strip().endswith("."), entry
