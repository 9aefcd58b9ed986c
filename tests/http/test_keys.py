"""`ratchet keys`: a key is printed once, listed by its prefix, and revoked at once."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re

import pytest

from storage import keys
from tests.cli import invoke
from tests.standin import a_standin


@pytest.fixture
def ratchet(url, tmp_path, logging_as_before):
    """Runs ``ratchet`` on the test's database: exit code, standard output, standard error."""

    def ratchet(*arguments, **environment):
        with contextlib.chdir(tmp_path):
            result = invoke(arguments, env={"DATABASE_URL": url} | environment)
        return result.exit_code, result.stdout, result.stderr

    return ratchet


@pytest.fixture
async def slack():
    async with a_standin() as slack:
        yield slack


@pytest.fixture
def create(ratchet, slack):
    """Runs ``ratchet keys create`` with a token, in a thread: the stand-in answers meanwhile."""

    async def create(*options):
        return await asyncio.to_thread(
            ratchet,
            *("keys", "create", "--name", "ci", *options),
            SLACK_BOT_TOKEN=slack.bot_token,
            SLACK_API_URL=slack.api_url,
        )

    return create


@pytest.fixture
def made(ratchet):
    def made(*options):
        code, out, _ = ratchet(
            "keys", "create", "--workspace", "T0RATCHET", "--name", "ci", *options
        )
        assert code == 0
        return out.strip()

    return made


async def test_the_printed_key_works_and_is_printed_once(client, made, ratchet):
    key = made("--scope", "publish")

    assert (await client(key).get("/v1/incidents")).status_code == 200
    listed = ratchet("keys", "list")[1]
    assert f"{key[:16]}  T0RATCHET  publish  ci, made " in listed
    assert key not in listed


def test_standard_output_has_only_the_key(ratchet):
    _, out, err = ratchet("keys", "create", "--workspace", "T0RATCHET", "--name", "ci")

    assert keys.SHAPE.fullmatch(out.strip())
    assert err == f"Keep it: only its prefix {out[:16]} can be shown again.\n"


async def test_a_key_is_made_for_the_workspace_of_the_token(create, ratchet):
    code, _, _ = await create()

    assert code == 0
    assert "  T0SANDBOX  read " in ratchet("keys", "list")[1]


async def test_a_key_for_a_workspace_that_is_not_served_is_refused(create, ratchet):
    code, out, err = await create("--workspace", "T0OTHER")

    assert (code, out) == (1, "")
    assert "does not serve T0OTHER: its token is of T0SANDBOX." in err
    assert ratchet("keys", "list")[1] == "There are no API keys.\n"
    assert (await create("--workspace", "T0SANDBOX"))[0] == 0


async def test_the_token_of_an_organization_leaves_the_choice_to_the_operator(create, slack):
    said = {"ok": True, "user": "ratchet", "team_id": "E0ORG", "is_enterprise_install": True}
    slack.faults.garble("auth.test", body=json.dumps(said).encode(), times=None)

    assert (await create())[0] == 1
    assert (await create("--workspace", "T0ANY"))[0] == 0


async def test_an_organizations_workspace_is_one_that_the_database_knows(create, slack, store):
    said = {"ok": True, "user": "ratchet", "team_id": "E0ORG", "is_enterprise_install": True}
    slack.faults.garble("auth.test", body=json.dumps(said).encode(), times=None)
    for team in ("T0BETA", "T0ACME"):
        await store.write(lambda tx, team=team: tx.next_number(team))

    assert (await create("--workspace", "T0ACME"))[0] == 0
    code, _, told = await create("--workspace", "T0ACNE")
    assert (code, "only of T0ACME and T0BETA. If T0ACNE is right, begin there" in told) == (1, True)
    code, _, told = await create()
    assert (code, "with --workspace (T0ACME and T0BETA)." in told) == (1, True)


SILENT = {
    "down": lambda faults: faults.unavailable("auth.test", times=None),
    "cut": lambda faults: faults.cut("auth.test", times=None),
    "revoked": lambda faults: faults.refuse("auth.test", error="token_revoked", times=None),
}


@pytest.mark.parametrize("silent", SILENT.values(), ids=SILENT)
async def test_without_an_answer_of_slack_the_store_decides(create, ratchet, slack, store, silent):
    silent(slack.faults)
    ours = ("--workspace", "T0RATCHET")

    assert [(await create(*ours))[0], (await create())[0]] == [0, 1]
    await store.write(lambda tx: tx.next_number("T0RATCHET"))
    assert [(await create(*ours))[0], (await create())[0]] == [0, 0]
    assert (await create("--workspace", "T0OTHER"))[0] == 1
    await store.write(lambda tx: tx.next_number("T0SECOND"))
    assert [(await create(*ours))[0], (await create())[0]] == [0, 1]
    assert set(re.findall("T0[A-Z]+", ratchet("keys", "list")[1])) == {"T0RATCHET"}


async def test_a_key_without_a_scope_may_only_read(client, made):
    by = client(made())

    answer = await by.post("/v1/incidents", json={"title": "x", "severity": "low"})

    assert answer.json()["code"] == "insufficient_scope"


@pytest.mark.parametrize(
    "named", [slice(16), slice(8, 16), slice(None)], ids=["prefix", "id", "key"]
)
async def test_a_revoked_key_opens_nothing(client, made, ratchet, named):
    key = made()

    code, out, _ = ratchet("keys", "revoke", key[named])

    assert (code, out) == (0, f"{key[:16]} (ci) is revoked.\n")
    assert (await client(key).get("/v1/incidents")).status_code == 401
    assert ", revoked 2" in ratchet("keys", "list")[1]


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (("create", "--workspace", "ratchet", "--name", "ci"), 2, "--workspace is no id"),
        (("create", "--workspace", "T0RATCHET", "--name", " "), 2, "The name is empty"),
        (("create", "--workspace", "T0RATCHET", "--name", "x" * 101), 2, "at most 100 fit"),
        (("create", "--workspace", "T0RATCHET", "--name", "a\x1bb"), 2, "control characters"),
        (
            ("create", "--workspace", "T0RATCHET", "--name", "x", "--scope", "all"),
            2,
            "choose one of read, ",
        ),
        (("create", "--name", "ci"), 1, "Neither Slack nor the database can say"),
        (("create",), 2, "--name"),
        (("revoke", "rk_live_00000000"), 1, "There is no such API key"),
    ],
)
def test_a_wrong_call_reports_its_error(ratchet, arguments, code, told):
    ended, out, err = ratchet("keys", *arguments)

    assert (ended, out) == (code, "")
    assert told in err
    assert ratchet("keys", "list")[1] == "There are no API keys.\n"


def test_a_key_with_a_leak_guard_is_listed_as_one(made, ratchet):
    made("--leak-guard")
    made()

    guards = [", leak guard" in line for line in ratchet("keys", "list")[1].splitlines()]
    assert sorted(guards) == [False, True]
