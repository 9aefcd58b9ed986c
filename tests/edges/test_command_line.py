"""The command line as an operator uses it: processes, exit codes, one line per problem."""

import asyncio
import contextlib
import inspect
import json
import signal
import socket
import sys
import typing
from asyncio.subprocess import PIPE
from importlib.metadata import version
from pathlib import Path
from typing import get_args

import aiohttp
import pytest
import typer
from typer.testing import CliRunner

from bot.__main__ import Commands, cli
from bot.commands.keys import SCOPES
from core.lifecycle import PRESETS
from storage.keys import KeyScope
from tests.cli import invoke
from tests.command import a_command
from tests.patience import PATIENCE_SECONDS
from tests.ports import a_free_port

ROOT = Path(__file__).parents[2]
TOKENS = {"SLACK_BOT_TOKEN": "xoxb-1-a", "SLACK_APP_TOKEN": "xapp-1-a"}


@pytest.fixture
def folder(tmp_path):
    """The working directory of the commands, and the home of the processes."""
    return tmp_path


@pytest.fixture
def ratchet(folder, logging_as_before):
    """Runs ``ratchet`` to its end: exit code, standard output, lines of standard error."""

    def ratchet(*arguments, **environment):
        with contextlib.chdir(folder):
            result = invoke(arguments, env=environment)
        return result.exit_code, result.stdout, result.stderr.splitlines()

    return ratchet


@pytest.fixture
async def start(folder):
    """Starts ``ratchet`` as a process, with exactly the variables that are given."""
    async with contextlib.AsyncExitStack() as started:

        async def start(*arguments, **options):
            return await started.enter_async_context(
                a_command(*arguments, folder=folder, stdout=PIPE, stderr=PIPE, **options)
            )

        yield start


@pytest.fixture
def process(start):
    """Like `ratchet`, in a process of its own."""

    async def process(*arguments, **options):
        process = await start(*arguments, **options)
        async with asyncio.timeout(PATIENCE_SECONDS):
            out, err = await process.communicate()
        return process.returncode, out.decode(), err.decode().splitlines()

    return process


@pytest.fixture
def serve(slack, start):
    """Starts ``ratchet serve`` against the stand-in, and waits until it is ready."""

    async def serve(**environment):
        port = environment.setdefault("PORT", str(a_free_port()))
        process = await start(
            "serve",
            **{
                "SLACK_BOT_TOKEN": slack.bot_token,
                "SLACK_APP_TOKEN": slack.app_token,
                "SLACK_API_URL": slack.api_url,
                "STATUS_CHANNEL": "C0STATUS",
                "PUBLISH_DELAY": "0",
            }
            | environment,
        )
        process.address = f"http://127.0.0.1:{port}"
        await ready(process)
        return process

    return serve


async def ready(process):
    async with asyncio.timeout(PATIENCE_SECONDS), aiohttp.ClientSession() as http:
        while process.returncode is None:
            with contextlib.suppress(aiohttp.ClientConnectionError):
                async with http.get(f"{process.address}/readyz") as answer:
                    if answer.status == 200:
                        return
            # Nothing tells that a port has begun to listen.
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(process.wait(), 0.05)
    raise AssertionError((await process.stderr.read()).decode())


async def ended(process):
    """Exit code and lines of standard error."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        _, err = await process.communicate()
    return process.returncode, err.decode().splitlines()


# --- help and usage ----------------------------------------------------------------------------


@pytest.mark.parametrize("arguments", [["--help"], ["serve", "--help"], ["lifecycles", "--help"]])
def test_help_ends_with_0(ratchet, arguments):
    code, out, err = ratchet(*arguments)

    assert (code, err) == (0, [])
    assert "Usage" in out


@pytest.mark.parametrize(
    "arguments", [["srve"], ["serve", "--fast"], ["lifecycles", "paint"], ["serve", "now"]]
)
def test_wrong_usage_ends_with_2(ratchet, arguments):
    code, out, err = ratchet(*arguments)

    assert (code, out) == (2, "")
    assert err


def test_an_interrupted_command_says_so_and_ends_with_130():
    commands = typer.Typer(cls=Commands)

    @commands.callback()
    def several():
        """Commands have names of their own."""

    @commands.command()
    def long():
        raise KeyboardInterrupt

    result = CliRunner().invoke(commands, ["long"])

    assert result.exit_code == 130
    assert result.stderr == "Interrupted: the command did not get to its end.\n"


def test_the_version_is_that_of_the_distribution(ratchet):
    assert ratchet("--version") == (0, f"{version('ratchet')}\n", [])


def test_the_scopes_in_the_help_of_keys_are_those_of_storage():
    assert tuple(KeyScope) == SCOPES


# --- imports -----------------------------------------------------------------------------------

# Runs `ratchet`, then prints the modules that it has imported.
IMPORTS = (
    "-c",
    """
import atexit, json, sys
atexit.register(lambda: print(json.dumps(sorted(sys.modules)), file=sys.stderr))
from bot.__main__ import main
main()
""",
)
TYPER = {"annotated_doc", "shellingham", "typer"}
SETTINGS = {"attr", "dotenv", "greenlet", "prometheus_client", "pygments", "rich", "structlog"}
PYDANTIC = {
    "annotated_types",
    "pydantic",
    "pydantic_core",
    "typing_extensions",
    "typing_inspection",
}
SERVER = {
    *("aiohappyeyeballs", "aiohttp", "aiosignal", "anyio", "apscheduler", "click", "fastapi"),
    *("frozenlist", "httptools", "idna", "jinja2", "multidict", "opentelemetry", "propcache"),
    *("slack_bolt", "slack_sdk", "standardwebhooks", "starlette", "tzlocal", "uvicorn"),
    *("uvloop", "yarl"),
}
SLACK_CLIENT = {
    *("aiohappyeyeballs", "aiohttp", "aiosignal", "frozenlist", "idna", "multidict", "propcache"),
    *("slack_sdk", "yarl"),
}
STORAGE = {
    *("alembic", "cython_runtime", "mako", "markupsafe", "psycopg", "psycopg_binary"),
    *("sqlalchemy", "sqlmodel"),
}


def imported(lines):
    """The packages that the last line of standard error names: others', and ours."""
    names = {name for name in json.loads(lines[-1]) if not name.startswith("_")}
    ours = {name for name in names if name.split(".")[0] in {"bot", "core", "storage"}}
    others = {name.split(".")[0] for name in names - ours} - sys.stdlib_module_names
    return others, {".".join(name.split(".")[: 1 + name.startswith("bot.")]) for name in ours}


@pytest.mark.parametrize(
    ("arguments", "others", "ours"),
    [
        (("--version",), TYPER, {"bot", "bot.commands"}),
        (("--help",), TYPER | SETTINGS | {"markdown_it", "mdurl"}, {"bot", "bot.commands"}),
        (
            ("lifecycles", "check"),
            TYPER | SETTINGS | PYDANTIC,
            {
                "bot",
                "bot.commands",
                "bot.log_writer",
                "bot.settings",
                "bot.team_files",
                "bot.telemetry",
                "bot.variables",
                "core",
            },
        ),
        (
            ("keys", "list"),
            TYPER | SETTINGS | PYDANTIC | STORAGE,
            {
                "bot",
                "bot.commands",
                "bot.log_writer",
                "bot.settings",
                "bot.team_files",
                "bot.telemetry",
                "bot.variables",
                "core",
                "storage",
            },
        ),
        (
            ("restore", "--marks-only"),
            TYPER | SETTINGS | PYDANTIC | STORAGE | SLACK_CLIENT,
            {
                "bot",
                "bot.clock",
                "bot.commands",
                "bot.delivery",
                "bot.doctor",
                "bot.log_writer",
                "bot.restoring",
                "bot.settings",
                "bot.slack",
                "bot.team_files",
                "bot.telemetry",
                "bot.variables",
                "core",
                "storage",
            },
        ),
    ],
)
async def test_a_command_imports_no_more_than_it_needs(process, ratchet, arguments, others, ours):
    assert ratchet("migrate")[0] == 0

    code, _, lines = await process(*arguments, program=IMPORTS, cold=True)

    assert code == 0
    assert imported(lines)[0] - others == set()
    assert imported(lines)[1] - {"bot.__main__"} == ours


async def test_the_demo_without_its_extra_is_one_line(process):
    without = (IMPORTS[0], "import sys; sys.modules['yaml'] = None\n" + IMPORTS[1])

    code, out, err = await process("demo", program=without, cold=True)

    assert (code, out, err[:-1]) == (2, "", ['The demo needs PyYAML: install "ratchet[demo]".'])


async def test_the_server_imports_nothing_of_the_demo_and_of_the_other_commands(serve, slack):
    process = await serve(program=IMPORTS, cold=True)
    await slack.connected()
    await slack.person("mia").command("#payments", "/incident declare Checkout is down")
    await slack.until(lambda: slack.workspace.channel("#status").messages != [])
    process.terminate()

    code, lines = await ended(process)

    assert code == 0
    others, ours = imported(lines)
    assert others - (TYPER | SETTINGS | PYDANTIC | STORAGE | SERVER) == set()
    assert ours & {"bot.sandbox", "bot.demo", "bot.doctor", "bot.export", "bot.restoring"} == set()


def test_a_key_that_is_refused_leaves_no_database(ratchet, folder):
    code, out, err = ratchet("keys", "create", "--name", "ci", "--scope", "admin")

    assert (code, out, len(err)) == (1, "", 1)
    assert list(folder.iterdir()) == []


# --- settings ----------------------------------------------------------------------------------


def test_wrong_settings_end_with_2_and_a_line_for_each_problem(ratchet):
    code, out, err = ratchet("serve", PORT="http", LOG_LEVEL="loud", SLACK_BOT_TOKEN="xoxp-7")

    assert (code, out) == (2, "")
    assert [line.split()[0] for line in err] == [
        "SLACK_BOT_TOKEN",
        "PORT",
        "LOG_LEVEL",
        "SLACK_APP_TOKEN",
    ]
    assert "xoxp-7" not in "".join(err)


def test_migrate_needs_no_slack(ratchet, folder):
    assert ratchet("migrate") == (0, "The database is up to date.\n", [])
    assert ratchet("migrate") == (0, "The database is up to date.\n", [])
    assert (folder / "ratchet.db").is_file()


def test_migrate_ends_with_2_on_wrong_settings(ratchet):
    code, _, err = ratchet("migrate", DATABASE_URL="mysql://root:hunter2@db/x")

    assert code == 2
    assert err == [
        (
            "DATABASE_URL names no database that Ratchet knows: "
            "set sqlite:///<file> or postgresql://<host>/<name>"
        )
    ]


MISSING = "There is no database at {}: `ratchet migrate` or `ratchet serve` makes it."
SUMMARY = str(ROOT / "tests/page/goldens/summary.json")
NO_DATABASE = [
    ("keys", "list"),
    ("keys", "revoke", "rk_live_00000000"),
    ("outbox", "list"),
    ("outbox", "retry"),
    ("backup", "copy.db"),
    ("export",),
    ("export", "archive.jsonl"),
    *(
        (*command, "--workspace", "T0ACME")
        for command in (
            ("report", "42"),
            ("stats",),
            ("page", "publish", "--title", "Acme"),
            ("page", "unpublish"),
            ("page", "show"),
            ("components", "list"),
            ("components", "add", "API"),
            ("components", "change", "API", "--hide"),
            ("components", "group", "Shop", "--position", "1"),
            ("components", "override", "API", "clear"),
            ("webhooks", "add", "https://example.com/hooks"),
            ("webhooks", "list"),
            ("webhooks", "test", "0"),
            ("webhooks", "log", "0"),
            ("webhooks", "resend", "0", "00000000-0000-4000-8000-000000000000"),
            ("webhooks", "rotate", "0"),
            ("webhooks", "switch", "0", "off"),
            ("webhooks", "remove", "0"),
            ("import", "statuspage", SUMMARY),
            ("import", "statuspage", SUMMARY, "--dry-run"),
        )
    ),
]


@pytest.mark.parametrize("command", NO_DATABASE, ids=" ".join)
def test_a_command_that_needs_a_database_makes_none(ratchet, folder, command):
    assert ratchet(*command) == (1, "", [MISSING.format(folder / "ratchet.db")])
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize(
    "command", [one for one in NO_DATABASE if one[0] != "backup"], ids=" ".join
)
def test_a_command_that_reads_migrates_nothing(ratchet, folder, command):
    (folder / "ratchet.db").touch()

    code, out, err = ratchet(*command)

    assert (code, out, len(err)) == (1, "", 1)
    assert "run `ratchet migrate`" in err[0]


NOT_OPENED = {
    "a folder": ("held", "it is a folder"),
    "no folder": ("nowhere/ratchet.db", "mkdir -p {0}/nowhere"),
    "in a file": ("letter.txt/ratchet.db", "{0}/letter.txt is no folder"),
    "a name too long": ("x" * 300, "File name too long; name another file"),
    "a loop of links": ("loop", "symbolic links; name another file"),
}


@pytest.mark.parametrize(
    "command", [*NO_DATABASE, ("migrate",), ("keys", "create", "--name", "ci"), ("serve",)]
)
@pytest.mark.parametrize(("path", "cure"), NOT_OPENED.values(), ids=NOT_OPENED)
def test_a_file_that_cannot_be_opened_is_named_with_its_cure(ratchet, folder, command, path, cure):
    (folder / "held").mkdir()
    (folder / "letter.txt").touch()
    (folder / "loop").symlink_to("loop")

    code, out, err = ratchet(
        *command, **TOKENS, DATABASE_URL=f"sqlite:///{path}", LOG_FORMAT="json"
    )

    told = [line for line in err if not line.startswith("{")]
    assert (code, out, len(told)) == (2 if command == ("serve",) else 1, "", 1)
    assert told[0].startswith(f"The database {folder}/{path} cannot be opened: ")
    assert cure.format(folder) in told[0]
    assert told[0].endswith("or set another DATABASE_URL.")
    assert {path.name for path in folder.iterdir()} <= {
        *("held", "held.lock", "letter.txt", "loop", "loop.lock")
    }


@pytest.mark.parametrize(
    ("command", "tokens"),
    [
        (("migrate",), {}),
        (("keys", "create", "--name", "ci", "--workspace", "T0ACME"), {}),
        (("serve",), TOKENS),
    ],
)
def test_a_folder_that_takes_no_file_is_named_with_its_cure(ratchet, command, tokens):
    url = "sqlite:////proc/ratchet.db"

    _, out, err = ratchet(*command, **tokens, DATABASE_URL=url, LOG_FORMAT="json")

    assert out == ""
    assert [line for line in err if not line.startswith("{")] == [
        (
            "The database /proc/ratchet.db cannot be opened: let the user that runs Ratchet read "
            "and write the file and its folder, or set another DATABASE_URL."
        )
    ]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (
            ("keys", "create", "--name", "ci", "--scope", "root"),
            'There is no scope "root": choose one of read, write, publish, admin.',
        ),
        (
            ("demo", "--port", "many"),
            '--port "many" is no port: name a number from 1 to 65534.',
        ),
        (("demo", "--port", "0"), '--port "0" is no port: name a number from 1 to 65534.'),
        (("demo", "--port", "65535"), '--port "65535" is no port: name a number from 1 to 65534.'),
        (
            ("backup", "-"),
            "A backup is an SQLite file and cannot go to standard output: name a new file.",
        ),
    ],
)
def test_a_wrong_value_is_one_sentence(ratchet, folder, arguments, told):
    assert ratchet(*arguments) == (2, "", [told])
    assert list(folder.iterdir()) == []


def commands(group):
    for one in group.commands.values():
        yield from commands(one) if hasattr(one, "commands") else (one,)


def test_no_number_is_read_by_the_library_whose_words_are_not_ours():
    taken = {
        (one.name, name): given
        for one in commands(typer.main.get_command(cli))
        for name, given in typing.get_type_hints(inspect.unwrap(one.callback)).items()
    }

    assert ("change", "position") in taken
    assert [key for key, given in taken.items() if {int, float} & {given, *get_args(given)}] == []


@pytest.mark.parametrize("command", ["migrate", "serve"])
@pytest.mark.parametrize(
    "url",
    [
        "postgresql://ratchet:hunter2@127.0.0.1:1/ratchet",
        "postgresql://ratchet:hunter2@[::1/x",
        "sqlite:////nowhere/at/all/ratchet.db",
        "sqlite:////dev/null",
    ],
)
def test_a_database_that_cannot_be_used_is_one_line(ratchet, command, url):
    code, out, err = ratchet(command, **TOKENS, DATABASE_URL=url, LOG_FORMAT="json")

    assert code == {"migrate": 1, "serve": 2}[command]
    assert out == ""
    told = [line for line in err if not line.startswith("{")]
    assert len(told) == 1
    assert "hunter2" not in "".join(err)


def test_settings_are_read_from_env_in_the_working_directory(ratchet, folder):
    (folder / ".env").write_text("DATABASE_URL=sqlite:///from-file.db\nexport LOG_LEVEL='info'\n")

    assert (ratchet("migrate"))[0] == 0
    assert (folder / "from-file.db").is_file()
    assert (ratchet("migrate", DATABASE_URL="sqlite:///from-outside.db"))[0] == 0
    assert (folder / "from-outside.db").is_file()


@pytest.mark.parametrize("content", [b"\xef\xbb\xbfDATABASE_URL=x\r\n", b'DATABASE_URL="x"'])
def test_an_env_file_of_any_editor_is_read(ratchet, folder, content):
    (folder / ".env").write_bytes(content)

    code, _, err = ratchet("migrate")
    assert (code, [line.split()[0] for line in err]) == (2, ["DATABASE_URL"])


def test_a_dollar_in_a_password_is_a_dollar(ratchet, folder):
    (folder / ".env").write_text("DATABASE_URL=sqlite:///a${HOME}b.db\n")

    assert (ratchet("migrate"))[0] == 0
    assert (folder / "a${HOME}b.db").is_file()


def test_an_env_file_that_cannot_be_read_is_one_line(ratchet, folder):
    (folder / ".env").write_bytes(b"PORT=\xff\xfe")

    assert ratchet("serve", **TOKENS) == (
        2,
        "",
        [".env cannot be read: make it a text file in UTF-8, or remove it"],
    )


# --- lifecycles --------------------------------------------------------------------------------

OWN = """\
[security.reported]
initial = true
next = ["closed"]
public = "investigating"

[security.closed]
terminal = true
public = "resolved"
"""


def test_the_built_in_lifecycles_pass_their_own_check(ratchet):
    assert ratchet("lifecycles", "check") == (
        0,
        (
            "statuspage: investigating, identified, monitoring, resolved\n"
            "response: open, acknowledged, resolved, closed\n"
        ),
        [],
    )


def test_a_file_is_checked(ratchet, folder):
    (folder / "own.toml").write_text(OWN)

    assert ratchet("lifecycles", "check", "own.toml") == (
        0,
        "security: reported, closed\n",
        [],
    )


def test_each_problem_of_a_file_is_a_line_with_its_place(ratchet, folder):
    (folder / "own.toml").write_text(OWN.replace("next", "then") + '[":smile:"."[b]x"]\n')

    code, out, err = ratchet("lifecycles", "check", "own.toml")

    assert (code, out) == (1, "")
    assert err[0].startswith("own.toml: security.reported.then is not known")
    assert len(err) > 2
    assert all(line.startswith("own.toml: ") for line in err)
    assert any(":smile:.[b]x" in line for line in err)


def test_a_file_cannot_forge_a_line(ratchet, folder):
    (folder / "own.toml").write_text(r'["a\nall is well\u001b[31m".b]' "\n")

    code, _, err = ratchet("lifecycles", "check", "own.toml")

    assert code == 1
    assert all(line.startswith("own.toml: ") and line.isprintable() for line in err)


@pytest.mark.parametrize("command", ["check", "draw"])
def test_a_file_that_cannot_be_read_is_wrong_usage(ratchet, folder, command):
    (folder / "picture.toml").write_bytes(b"GIF89a\xff")

    assert ratchet("lifecycles", command, "nowhere.toml") == (
        2,
        "",
        ["nowhere.toml cannot be read (No such file or directory)"],
    )
    assert ratchet("lifecycles", command, "picture.toml") == (
        2,
        "",
        ["picture.toml is not UTF-8"],
    )


def test_lifecycles_are_drawn(ratchet, folder):
    (folder / "own.toml").write_text(OWN)

    _, both, _ = ratchet("lifecycles", "draw")
    assert both == "\n\n".join(lifecycle.draw() for lifecycle in PRESETS) + "\n"
    _, one, _ = ratchet("lifecycles", "draw", "--name", "response")
    assert one == PRESETS[1].draw() + "\n"
    _, own, _ = ratchet("lifecycles", "draw", "own.toml")
    assert own.splitlines()[:3] == [
        "stateDiagram-v2",
        "    direction LR",
        "    [*] --> reported",
    ]
    code, _, err = ratchet("lifecycles", "draw", "--name", "responce")
    assert (code, len(err)) == (2, 1)
    assert 'did you mean "response"?' in err[0]


# --- templates ---------------------------------------------------------------------------------

TEMPLATES = """\
[[template]]
name = "Looking"
text = "We are looking into {component}."

[[template]]
name = "Severe"
severity = "critical"
text = "Everything is down."
"""


def test_a_file_of_templates_is_checked(ratchet, folder):
    (folder / "own.toml").write_text(TEMPLATES)

    assert ratchet("templates", "check", "own.toml") == (
        0,
        "Looking: every severity\nSevere: critical\n",
        [],
    )


def test_each_problem_of_a_file_of_templates_is_a_line_with_its_place(ratchet, folder):
    wrong = TEMPLATES.replace("{component}", "{owner}").replace('"critical"', '"huge"')
    (folder / "own.toml").write_text(wrong)

    assert ratchet("templates", "check", "own.toml") == (
        1,
        "",
        [
            (
                "own.toml: template 1, text has {owner}, but only {component} and {next_update} "
                "are filled in"
            ),
            "own.toml: template 2, severity is none of critical, high, medium, low",
        ],
    )


def test_a_file_of_templates_cannot_forge_a_line(ratchet, folder):
    (folder / "own.toml").write_text(r'"a\nall is well\u001b[31m" = 1' "\n")

    code, _, err = ratchet("templates", "check", "own.toml")

    assert code == 1
    assert all(line.startswith("own.toml: ") and line.isprintable() for line in err)


def test_a_file_of_templates_that_cannot_be_read_is_wrong_usage(ratchet, folder):
    (folder / "picture.toml").write_bytes(b"GIF89a\xff")

    assert ratchet("templates", "check", "nowhere.toml") == (
        2,
        "",
        ["nowhere.toml cannot be read (No such file or directory)"],
    )
    assert ratchet("templates", "check", "picture.toml") == (2, "", ["picture.toml is not UTF-8"])


# --- doctor ------------------------------------------------------------------------------------


def test_the_doctor_checks_the_database_without_tokens(ratchet):
    ratchet("migrate")

    code, out, err = ratchet("doctor", "--deep")

    assert (code, err) == (2, ["Slack was not asked: correct the settings first."])
    assert [line[:40] for line in out.splitlines()] == [
        "FAIL  settings: SLACK_BOT_TOKEN is not set"[:40],
        "FAIL  settings: SLACK_APP_TOKEN is not set"[:40],
        "ok    database: up to date",
        "ok    outbox: everything could be delive",
        "ok    audit: every timeline is legal; in",
    ]


def test_the_doctor_names_every_wrong_setting(ratchet, folder):
    code, out, _ = ratchet(
        "doctor",
        LOG_LEVEL="loud",
        DATABASE_URL="mysql://root:hunter2@db/x",
        SLACK_BOT_TOKEN="xoxp-7",
    )

    assert code == 2
    assert [line.split()[2] for line in out.splitlines()] == [
        "SLACK_BOT_TOKEN",
        "DATABASE_URL",
        "LOG_LEVEL",
        "SLACK_APP_TOKEN",
    ]
    assert "hunter2" not in out
    assert "xoxp-7" not in out
    assert list(folder.iterdir()) == []


async def test_the_doctor_ends_with_1_if_a_check_fails(process, slack):
    code, out, err = await process(
        "doctor",
        SLACK_BOT_TOKEN="xoxb-wrong",
        SLACK_APP_TOKEN=slack.app_token,
        SLACK_API_URL=slack.api_url,
    )

    assert (code, err) == (1, [])
    assert "FAIL  token: Slack says invalid_auth" in out
    assert "xoxb-wrong" not in out


async def test_the_doctor_ends_with_0_and_reaches_this_machines_slack_past_any_proxy(
    process, slack
):
    code, out, err = await process(
        "doctor",
        SLACK_BOT_TOKEN=slack.bot_token,
        SLACK_APP_TOKEN=slack.app_token,
        SLACK_API_URL=slack.api_url,
        HTTPS_PROXY="http://127.0.0.1:1",
        HTTP_PROXY="http://127.0.0.1:1",
    )

    assert (code, err) == (0, [])
    assert {line[:4] for line in out.splitlines()} == {"ok  "}


# --- serve -------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_the_server_works_until_a_signal_stops_it(serve, slack, number):
    process = await serve(LOG_FORMAT="json")
    await slack.connected()
    answer = await slack.person("mia").command("#payments", "/incident declare Checkout is down")
    await slack.until(lambda: slack.workspace.channel("#status").messages != [])
    process.send_signal(number)

    code, lines = await ended(process)

    assert (code, answer.error) == (0, None)
    told = [json.loads(line) for line in lines]
    assert [line["event"] for line in told] == ["listening", "started", "request", "stopped"]
    assert (told[2]["verb"], told[2]["outcome"]) == ("declare", "done")
    assert "Checkout" not in "".join(lines)


async def test_a_stop_finishes_running_work_and_leaves_a_hung_post(serve, slack):
    process = await serve()
    await slack.connected()
    slow = slack.faults.slow("chat.postMessage", seconds=60)
    await slack.person("mia").command("#payments", "/incident declare Checkout is down")
    await slack.until(lambda: slow.hits == 2)
    process.terminate()

    code, _ = await ended(process)
    assert code == 0

    slow.clear()
    await serve()
    await slack.until(lambda: slack.workspace.channel("#status").messages != [])


async def test_the_server_stops_while_slack_is_away(serve, slack):
    slack.faults.cut("*", times=None)
    process = await serve()
    process.terminate()

    code, _ = await ended(process)

    assert code == 0


async def test_a_second_signal_ends_the_server_at_once(serve, slack):
    process = await serve()
    await slack.connected()
    slow = slack.faults.slow("chat.postMessage", seconds=60)
    await slack.person("mia").command("#payments", "/incident declare Checkout is down")
    await slack.until(lambda: slow.hits == 2)
    process.terminate()
    async with aiohttp.ClientSession() as http:
        with contextlib.suppress(aiohttp.ClientError):
            while True:
                await http.get(f"{process.address}/healthz")
    process.terminate()

    code, _ = await ended(process)

    assert code == 1


async def test_a_second_server_on_one_sqlite_file_is_refused(serve, process, slack, folder):
    await serve(DATABASE_URL="sqlite:///one.db")

    code, out, err = await process(
        "serve",
        **TOKENS,
        SLACK_API_URL=slack.api_url,
        DATABASE_URL=f"sqlite:///{folder}/one.db",
        PORT="0",
        LOG_FORMAT="json",
    )

    assert (code, out) == (2, "")
    told = [line for line in err if not line.startswith("{")]
    assert len(told) == 1
    assert "PostgreSQL" in told[0]


async def test_a_port_that_is_taken_ends_it_with_2(process, slack):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        code, out, err = await process(
            "serve", **TOKENS, SLACK_API_URL=slack.api_url, PORT=str(port), LOG_FORMAT="json"
        )

    assert (code, out) == (2, "")
    assert [line for line in err if not line.startswith("{")] == [
        (
            f"PORT {port} on HOST 127.0.0.1 cannot be used (Address already in use): "
            "stop the other program, or set another PORT"
        )
    ]


async def test_a_host_of_another_machine_ends_it_with_2(process, slack):
    code, _, err = await process(
        "serve", **TOKENS, SLACK_API_URL=slack.api_url, HOST="192.0.2.1", LOG_FORMAT="json"
    )

    assert code == 2
    assert err[-1].startswith("PORT 3000 on HOST 192.0.2.1 cannot be used")


async def test_a_slack_of_this_machine_is_reached_past_any_proxy(serve, slack):
    await serve(HTTPS_PROXY="http://127.0.0.1:1", HTTP_PROXY="http://127.0.0.1:1")

    await slack.connected()


async def test_other_variables_of_slack_add_no_path_and_no_file(serve, slack, folder):
    process = await serve(
        SLACK_CLIENT_ID="1.2",
        SLACK_CLIENT_SECRET="abcdef",
        SLACK_SIGNING_SECRET=slack.signing_secret,
        SLACK_VERIFICATION_TOKEN="abcdef",
    )
    await slack.connected()
    async with aiohttp.ClientSession(process.address) as http:
        for path in ("/slack/install", "/slack/oauth_redirect?code=1&state=2"):
            async with http.get(path, headers=slack.signed_headers(b"", content_type="")) as answer:
                assert answer.status == 404
            async with http.get(path) as answer:
                assert answer.status in {401, 404}
    process.terminate()
    await ended(process)

    assert {path.name.split(".")[0] for path in folder.iterdir()} == {"ratchet"}


async def test_a_whole_run_logs_no_secret_and_no_text(serve, slack, folder):
    process = await serve(
        LOG_LEVEL="debug", LOG_FORMAT="json", SLACK_SIGNING_SECRET="s3cr3t-s3cr3t"
    )
    await slack.connected()
    mia = slack.person("mia")
    slack.faults.server_error("chat.postMessage", times=2)
    slack.faults.lose_answer("response_url")
    await mia.command("#payments", "/incident declare Quokka is down")
    await mia.command("#payments", "/incident note 1 the quokka sat on db-3")
    await mia.command("#payments", "/incident quokka 1")
    await mia.command("#payments", "/incident status 1 quokka")
    async with aiohttp.ClientSession(process.address) as http:
        await http.post(
            "/slack/events", data=b"text=quokka", headers={"X-Slack-Signature": "quokka"}
        )
        await http.get("/quokka?quokka=quokka")
    process.terminate()

    _, lines = await ended(process)

    told = "\n".join(lines).lower()
    assert len(lines) > 5
    for secret in ("quokka", slack.bot_token, slack.app_token, "s3cr3t", "/commands/", "hooks."):
        assert secret not in told
    assert all(json.loads(line)["event"] for line in lines)
