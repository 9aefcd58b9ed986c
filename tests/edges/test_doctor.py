"""`ratchet doctor` checks each part of a set-up; a failed check names its cure."""

import asyncio
import contextlib
import json

import pytest

from bot.doctor.checks import SCOPES, examine
from bot.settings import Settings
from core.incident import DescribedComponent, Severity
from core.settings import Setting
from core.subscription import Subscription, SubscriptionFilter
from storage import keys
from storage.store import SqlStore
from tests.builders import GRACE, NINE, a_component
from tests.patience import PATIENCE_SECONDS
from tests.standin import a_standin

MISSING = "There is no database at {}: `ratchet migrate` or `ratchet serve` makes it."


@pytest.fixture
def examined(environment):
    """Runs the checks, with ``changes`` to the environment, and gives their lines."""

    async def examined(*, deep=False, **changes):
        settings = Settings.from_env(environment | changes)
        return [(result.well, result.text) for result in await examine(settings, deep=deep)]

    return examined


@pytest.fixture
def database_url(tmp_path):
    """The address of a file that does not exist yet."""
    return f"sqlite:///{tmp_path}/ratchet.db"


@pytest.fixture
def database(environment, ready, tmp_path):
    """The database, migrated."""
    ready(tmp_path)
    store = SqlStore(environment["DATABASE_URL"])
    yield store
    store.close()


def save(database, changes):
    """Saves settings as Grace does with `/incident setup`."""
    database.write_now(
        lambda tx: tx.save_settings("T0SANDBOX", changes, seen=None, by=GRACE, at=NINE)
    )


def without_times(lines):
    return [(well, text.split(", answered in ")[0]) for well, text in lines]


PRIVATE_BY_DEFAULT = (
    True,
    (
        "private conversations: a declaration there is private unless it says otherwise "
        "(PRIVATE_BY_DEFAULT)"
    ),
)


async def test_a_set_up_in_order_passes_every_check(slack, database, examined):
    responders = slack.workspace.add_group("responders", members=["mia", "bo"])
    publishers = slack.workspace.add_group("publishers", members=["mia"])

    lines = await examined(RESPONDERS_GROUP=responders.id, PUBLISHERS_GROUP=publishers.id)

    assert without_times(lines) == [
        (True, "settings: complete"),
        (True, "database: up to date"),
        (True, "outbox: everything could be delivered"),
        (True, "token: ratchet in workspace T0SANDBOX"),
        (True, "scopes: all granted"),
        (True, "socket mode: Slack offers a connection"),
        (True, f"RESPONDERS_GROUP: 2 in {responders.id}"),
        (True, f"PUBLISHERS_GROUP: 1 in {publishers.id}"),
        PRIVATE_BY_DEFAULT,
        (True, "mentions: RESPONDERS_GROUP at critical,high (MENTION_AT)"),
        (True, "status channel: #status"),
        (
            True,
            "promises: critical=30m,high=60m; RESPONDERS_GROUP is mentioned when one is broken",
        ),
    ]


async def test_saved_settings_are_shown_with_their_author(slack, database, examined):
    group = slack.workspace.add_group("oncall", members=["mia"])
    save(
        database,
        {
            Setting.RESPONDERS_GROUP: group.id,
            Setting.STATUS_CHANNEL: "C0RANDOM",
            Setting.DEFAULT_LIFECYCLE: "response",
            Setting.DEFAULT_SEVERITY: "low",
            Setting.MENTION_AT: "critical",
            Setting.PROMISE_DEFAULTS: "low=120m",
            Setting.PRIVATE_BY_DEFAULT: "no",
            Setting.INCIDENT_CHANNELS: "offer",
            Setting.API_CHANNEL: "C0GENERAL",
        },
    )

    lines = await examined(RESPONDERS_GROUP="S0OTHER", MENTION_AT="none")

    by = "(saved by Grace with `/incident setup`)"
    assert without_times(lines)[6:] == [
        (True, f"RESPONDERS_GROUP of `/incident setup`: 1 in {group.id}"),
        (
            True,
            f"private conversations: a declaration there is public unless it says otherwise {by}",
        ),
        (True, f"mentions: RESPONDERS_GROUP at critical {by}"),
        (True, f"status channel: #random {by}"),
        (True, f"default lifecycle: response {by}"),
        (True, f"default severity: low {by}"),
        (True, f"incident channels: offer {by}"),
        (True, f"api channel: C0GENERAL {by}"),
        (True, f"promises: low=120m {by}; RESPONDERS_GROUP is mentioned when one is broken"),
    ]


async def test_saved_settings_that_cannot_be_served_fail_with_the_cure(slack, database, examined):
    slack.workspace.add_channel("closed", archived=True)
    save(
        database,
        {
            Setting.PUBLISHERS_GROUP: "S0GONE",
            Setting.STATUS_CHANNEL: "C0CLOSED",
            Setting.DEFAULT_LIFECYCLE: "gone",
        },
    )

    failed = [text for well, text in await examined() if not well]

    assert failed == [
        (
            "PUBLISHERS_GROUP of `/incident setup`: Slack says no_such_subteam; choose another "
            "with `/incident setup`"
        ),
        "status channel: #closed is archived; choose another with `/incident setup`",
        (
            "default lifecycle: gone (saved by Grace with `/incident setup`) is in no file any "
            "more, so statuspage is taken; choose another with `/incident setup`"
        ),
    ]


async def test_a_near_miss_of_a_setting_fails(examined):
    lines = await examined(STATUS_CHANEL="C0STATUS")

    assert lines[0] == (
        False,
        "settings: STATUS_CHANEL is no setting: did you mean STATUS_CHANNEL?",
    )


async def test_files_that_others_may_read_fail(database, examined, tmp_path):
    (tmp_path / ".env").touch(mode=0o644)
    database.close()
    (tmp_path / "ratchet.db").chmod(0o640)

    with contextlib.chdir(tmp_path):
        lines = await examined()

    assert [text for well, text in lines if not well] == [
        "settings: others on this machine may read or write .env: chmod 600 .env",
        (f"database: others on this machine may read or write {tmp_path}/ratchet.db: chmod 600 it"),
    ]


async def test_keys_and_incidents_of_a_workspace_that_is_not_served_fail(database, examined):
    def foreign(tx):
        key, _ = keys.create(tx, workspace="T0OTHER", name="ci", scope=keys.KeyScope.READ, at=NINE)
        tx.next_number("T0OTHER")
        return key

    key = database.write_now(foreign)

    assert [text for well, text in await examined() if not well] == [
        (
            f"keys: {key.prefix} (ci) is of T0OTHER, which this installation does not serve: "
            f"ratchet keys revoke {key.prefix}"
        ),
        (
            "database: nobody in Slack can find what is kept of T0OTHER, which this installation "
            "does not serve: ratchet export --workspace T0OTHER shows them"
        ),
    ]


async def test_a_status_channel_for_an_organization_fails(slack, examined):
    said = {"ok": True, "user": "ratchet", "team_id": "E0ORG", "is_enterprise_install": True}
    slack.faults.garble("auth.test", body=json.dumps(said).encode())

    assert "STATUS_CHANNEL counts for one workspace" in (await examined())[0][1]


@pytest.mark.parametrize("deep", [False, True])
async def test_settings_left_out_are_not_checked_and_no_database_is_made(
    environment, examined, tmp_path, deep
):
    del environment["SLACK_APP_TOKEN"], environment["STATUS_CHANNEL"]

    assert without_times(await examined(deep=deep)) == [
        (True, "settings: complete"),
        (True, f"database: {MISSING.format(tmp_path / 'ratchet.db')}"),
        (True, "token: ratchet in workspace T0SANDBOX"),
        (True, "scopes: all granted"),
        PRIVATE_BY_DEFAULT,
        (True, "mentions: none, because RESPONDERS_GROUP is not set"),
        (
            True,
            "status channel: none in the settings; `/incident setup #channel` in Slack sets one",
        ),
        (
            True,
            (
                "promises: critical=30m,high=60m; nobody is mentioned when one is broken, because "
                "RESPONDERS_GROUP is not set"
            ),
        ),
    ]
    assert list(tmp_path.iterdir()) == []


async def test_a_database_that_is_not_migrated_yet_passes(examined, tmp_path):
    (tmp_path / "ratchet.db").touch(mode=0o600)

    assert (await examined())[1] == (
        True,
        "database: not migrated yet; `ratchet serve` does it by itself",
    )


async def test_the_default_of_private_conversations_is_named(examined):
    lines = await examined(PRIVATE_BY_DEFAULT="no")

    assert (
        True,
        (
            "private conversations: a declaration there is public unless it says otherwise "
            "(PRIVATE_BY_DEFAULT)"
        ),
    ) in lines


async def test_the_checks_only_read(slack, database, examined):
    await examined()

    assert {call.method for call in slack.calls} == {
        "auth.test",
        "apps.connections.open",
        "conversations.info",
    }


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://ratchet:hunter2@127.0.0.1:1/ratchet",
        "postgresql://ratchet:hunter2@[::1/ratchet",
        "postgresql://ratchet:hunter2@127.0.0.1:none/ratchet",
        "sqlite:////nowhere/at/all/ratchet.db",
    ],
)
async def test_an_unusable_database_fails_without_its_password(slack, examined, url):
    lines = await examined(DATABASE_URL=url)

    assert [text for well, text in lines if not well] == [lines[1][1]]
    assert lines[1][1].startswith("database: ")
    assert "DATABASE_URL" in lines[1][1]
    assert "hunter2" not in repr(lines)


async def test_a_file_that_is_no_database_fails_and_is_unchanged(environment, examined, tmp_path):
    path = tmp_path / "ratchet.db"
    path.write_bytes(b"GIF89a" * 1_000)

    lines = await examined(DATABASE_URL=f"sqlite:///{path}")

    assert [well for well, _ in lines][:3] == [True, False, True]
    assert path.read_bytes() == b"GIF89a" * 1_000


@pytest.mark.parametrize("error", ["invalid_auth", "token_revoked", "account_inactive"])
async def test_a_refused_token_fails_with_slacks_code(slack, examined, error):
    slack.faults.refuse("auth.test", error=error)

    assert (await examined())[2:] == [
        (
            False,
            f"token: Slack says {error}; copy SLACK_BOT_TOKEN again from the app's page",
        )
    ]


SILENT = {
    "cut": lambda faults, method: faults.cut(method, times=None),
    "down": lambda faults, method: faults.unavailable(method),
}


@pytest.mark.parametrize("silent", SILENT.values(), ids=SILENT)
@pytest.mark.parametrize(
    ("method", "subject"),
    [
        ("auth.test", "token"),
        ("apps.connections.open", "socket mode"),
        ("usergroups.users.list", "RESPONDERS_GROUP"),
        ("conversations.info", "status channel"),
    ],
)
async def test_a_silent_slack_fails_the_check_that_asked(slack, examined, method, subject, silent):
    group = slack.workspace.add_group("responders", members=["mia"])
    silent(slack.faults, method)

    lines = await examined(RESPONDERS_GROUP=group.id)

    assert [text for well, text in lines if not well] == [
        f"{subject}: Slack, or the server at SLACK_API_URL, does not answer; check the network"
    ]


async def test_a_hung_slack_fails_after_a_few_seconds(slack, examined):
    slack.faults.slow("auth.test", seconds=60)

    async with asyncio.timeout(PATIENCE_SECONDS):
        assert (await examined())[-1] == (
            False,
            "token: Slack, or the server at SLACK_API_URL, does not answer; check the network",
        )


async def test_each_missing_scope_is_named_with_its_use(examined, manifest):
    granted = [scope for scope in SCOPES if scope not in {"users:read", "channels:join"}]
    manifest["oauth_config"]["scopes"]["bot"] = granted
    async with a_standin(manifest) as slack:
        lines = await examined(SLACK_API_URL=slack.api_url)

    (line,) = [text for well, text in lines if text.startswith("scopes")]
    assert line == (
        "scopes: missing channels:join (joining the public channel where an incident is "
        "declared); users:read (names, and turning guests away). "
        "Paste app_manifest.yml again and reinstall"
    )


async def test_a_refused_app_token_fails_with_its_cure(examined):
    lines = await examined(SLACK_APP_TOKEN="xapp-1-of-another")

    (line,) = [text for well, text in lines if not well]
    assert line == (
        "socket mode: Slack says invalid_auth; "
        "make an app-level token with connections:write and set SLACK_APP_TOKEN"
    )


async def test_without_defaults_nothing_is_promised_by_itself(examined):
    lines = await examined(PROMISE_DEFAULTS="none")

    assert lines[-1] == (True, "promises: none by default; `/incident promise` in Slack makes one")


async def test_a_missing_or_empty_group_fails(slack, examined):
    empty = slack.workspace.add_group("nobody")

    lines = await examined(RESPONDERS_GROUP="S0NOWHERE", PUBLISHERS_GROUP=empty.id)

    assert [text for well, text in lines if not well] == [
        "RESPONDERS_GROUP: Slack says no_such_subteam; set the id of a user group, S…",
        f"PUBLISHERS_GROUP: nobody is in {empty.id}, so nobody may act",
    ]


async def test_an_empty_group_of_responders_keeps_everybody_out_of_private_channels(
    slack, examined
):
    empty = slack.workspace.add_group("nobody")

    lines = await examined(RESPONDERS_GROUP=empty.id)

    assert [text for well, text in lines if not well] == [
        (
            f"RESPONDERS_GROUP: nobody is in {empty.id}, so nobody may act, "
            "and nobody new is invited to private channels"
        ),
    ]


async def test_each_subscribed_channel_is_checked_and_its_cure_names_who_can(
    slack, database, examined
):
    api = DescribedComponent(component=a_component("api"))
    database.write_now(lambda tx: tx.add_component("T0SANDBOX", api, at=NINE))
    slack.workspace.add_channel("closed", archived=True)
    slack.workspace.add_channel("deals", private=True, members=["mia"], bot=False)
    limits = SubscriptionFilter(severity=Severity.HIGH, components=(api.component,))

    def subscribe(tx):
        for channel, filter_, ended_at in (
            ("C0RANDOM", limits, None),
            ("C0GENERAL", SubscriptionFilter(), None),
            ("C0CLOSED", SubscriptionFilter(), None),
            ("C0DEALS", SubscriptionFilter(), None),
            ("C0NOWHERE", SubscriptionFilter(), NINE),
        ):
            made = Subscription(
                workspace="T0SANDBOX",
                channel=channel,
                filter=filter_,
                by=GRACE,
                at=NINE,
                since=NINE,
                starts_at=NINE,
                ended_at=ended_at,
            )
            tx.keep_subscription(made)

    database.write_now(subscribe)

    lines = [line for line in await examined() if "subscription" in line[1]]

    end = "Grace, who subscribed it, or another publisher ends that with `/incident unsubscribe"
    assert lines == [
        (False, f"subscription of #closed: it is archived; unarchive it, or {end} #closed`"),
        (
            False,
            (
                "subscription of C0DEALS: Slack says channel_not_found; invite Ratchet if it is "
                f"private, or {end}`"
            ),
        ),
        (True, "subscription of #general: every public incident, by Grace"),
        (True, "subscription of #random: severity:high+ components:api, by Grace"),
    ]


async def test_a_missing_or_archived_status_channel_fails(slack, examined):
    private = slack.workspace.add_channel("hidden", private=True, bot=False)
    public = slack.workspace.add_channel("open", bot=False)

    async def last(channel):
        return (await examined(STATUS_CHANNEL=channel))[-2]

    cure = "set STATUS_CHANNEL to a channel's id; invite Ratchet if it is private"
    for nowhere in ("C0NOWHERE", private.id):
        assert await last(nowhere) == (
            False,
            f"status channel: Slack says channel_not_found; {cure}",
        )
    assert await last("C0OLDNEWS") == (False, "status channel: #old-news is archived; set another")
    assert await last(public.id) == (True, "status channel: #open")


async def test_mentions_may_be_turned_off(examined):
    assert (True, "mentions: none (MENTION_AT)") in await examined(MENTION_AT="none")
