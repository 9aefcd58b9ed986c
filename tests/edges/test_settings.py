"""Settings: allowed values, a line for every problem, and no secret in any line."""

import re
from pathlib import Path
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import make_url

from bot.settings import Settings, StorageSettings, WrongSettings, near_misses
from core.settings import DEFAULTS, Setting, write
from core.team_toml import FILE_MAX_BYTES

BOT_TOKEN = "xoxb-1234567890-abcdefghij"
APP_TOKEN = "xapp-1-A0RATCHET-1234567890-abcdef"
SECRET = "8f742231b10e8888abcd99yyyzzz85a5"
NEEDED = {"SLACK_BOT_TOKEN": BOT_TOKEN, "SLACK_APP_TOKEN": APP_TOKEN}

VARIABLES = [
    "API_CHANNEL",
    "API_RATE_LIMIT",
    "DATABASE_URL",
    "DEFAULT_LIFECYCLE",
    "DEFAULT_SEVERITY",
    "HEARTBEAT_URL",
    "HOST",
    "INCIDENT_CHANNELS",
    "LIFECYCLES_FILE",
    "LOG_FORMAT",
    "LOG_LEVEL",
    "MENTION_AT",
    "PORT",
    "PRIVATE_BY_DEFAULT",
    "PROMISE_DEFAULTS",
    "PUBLIC_URL",
    "PUBLISHERS_GROUP",
    "PUBLISH_DELAY",
    "PUBLISH_DIR",
    "RESPONDERS_GROUP",
    "SLACK_API_URL",
    "SLACK_APP_TOKEN",
    "SLACK_BOT_TOKEN",
    "SLACK_SIGNING_SECRET",
    "STATUS_CHANNEL",
    "STATUS_HOST",
    "TEMPLATES_FILE",
    "TRUSTED_PROXIES",
    "WEBHOOK_ALLOW_PRIVATE",
]

SEVERITIES = "set severities, such as critical=30m,high=60m, or none"

LIFECYCLE = """\
[security.reported]
initial = true
next = ["closed"]
public = "investigating"

[security.closed]
terminal = true
public = "resolved"
"""


def problems(**environment):
    with pytest.raises(WrongSettings) as raised:
        Settings.from_env({**NEEDED, **environment})
    return [str(problem) for problem in raised.value.problems]


def settings(**environment):
    return Settings.from_env({**NEEDED, **environment})


def test_two_tokens_are_enough():
    chosen = settings()

    assert chosen.database_url == "sqlite:///ratchet.db"
    assert (chosen.host, chosen.port) == ("127.0.0.1", 3000)
    assert chosen.slack_api_url == "https://slack.com/api/"
    assert chosen.lifecycles.default.name == "statuspage"
    assert chosen.workspace == DEFAULTS
    assert (chosen.publish_delay, chosen.api_rate_limit) == (10, 50)
    assert (chosen.log_format, chosen.log_level) == ("json", "info")


def test_a_signing_secret_stands_in_for_the_app_token():
    chosen = Settings.from_env({"SLACK_BOT_TOKEN": BOT_TOKEN, "SLACK_SIGNING_SECRET": SECRET})

    assert (chosen.slack_app_token, chosen.slack_signing_secret) == (None, SECRET)


@pytest.mark.parametrize("empty", ["", "   ", "\t\n"])
@pytest.mark.parametrize("variable", sorted({*VARIABLES} - {*NEEDED}))
def test_an_empty_variable_counts_as_not_set(variable, empty):
    left_out, set_empty = settings(), settings(**{variable: empty})

    for name in ("database_url", "host", "port", "public_url", "slack_api_url", "workspace"):
        assert getattr(set_empty, name) == getattr(left_out, name)
    assert set_empty.lifecycles.default == left_out.lifecycles.default


def test_all_problems_are_named_at_once():
    with pytest.raises(WrongSettings) as raised:
        Settings.from_env({"PORT": "http", "LOG_LEVEL": "loud", "STATUS_CHANNEL": "#status"})

    assert [problem.variable for problem in raised.value.problems] == [
        "SLACK_BOT_TOKEN",
        "STATUS_CHANNEL",
        "PORT",
        "LOG_LEVEL",
        "SLACK_APP_TOKEN",
    ]
    assert str(raised.value).count("\n") == 4


@pytest.mark.parametrize(
    ("variable", "value", "line"),
    [
        (
            "SLACK_BOT_TOKEN",
            "",
            "SLACK_BOT_TOKEN is not set: set the xoxb-… token of the Slack app",
        ),
        (
            "SLACK_BOT_TOKEN",
            "xoxp-1-a",
            "SLACK_BOT_TOKEN is no xoxb-… token: copy it again from the Slack app's page",
        ),
        (
            "SLACK_BOT_TOKEN",
            "xoxb-1 x",
            "SLACK_BOT_TOKEN is no xoxb-… token: copy it again from the Slack app's page",
        ),
        (
            "SLACK_APP_TOKEN",
            "xoxb-1-a",
            "SLACK_APP_TOKEN is no xapp-… token: copy it again from the Slack app's page",
        ),
        (
            "SLACK_APP_TOKEN",
            "xapp-é",
            "SLACK_APP_TOKEN is no xapp-… token: copy it again from the Slack app's page",
        ),
        (
            "STATUS_CHANNEL",
            "#status",
            'STATUS_CHANNEL is "#status": set the id of a channel, such as C0123ABCD',
        ),
        (
            "STATUS_CHANNEL",
            "C0STATUS\nC1",
            "STATUS_CHANNEL is not valid: set the id of a channel, such as C0123ABCD",
        ),
        (
            "RESPONDERS_GROUP",
            "@responders",
            'RESPONDERS_GROUP is "@responders": set the id of a user group, such as S0123ABCD',
        ),
        (
            "PUBLISHERS_GROUP",
            "C0STATUS",
            'PUBLISHERS_GROUP is "C0STATUS": set the id of a user group, such as S0123ABCD',
        ),
        ("PORT", "http", 'PORT is "http": set a whole number from 0 to 65535'),
        ("PORT", "65536", 'PORT is "65536": set a whole number from 0 to 65535'),
        ("PORT", "-1", 'PORT is "-1": set a whole number from 0 to 65535'),
        ("PORT", "3000.0", 'PORT is "3000.0": set a whole number from 0 to 65535'),
        ("PORT", "3_000", 'PORT is "3_000": set a whole number from 0 to 65535'),
        ("PORT", "٣٠٠٠", 'PORT is "٣٠٠٠": set a whole number from 0 to 65535'),
        ("PORT", "0000030000000", 'PORT is "0000030000000": set a whole number from 0 to 65535'),
        ("PORT", "1" * 9_999, "PORT is not valid: set a whole number from 0 to 65535"),
        ("PUBLISH_DELAY", "10s", 'PUBLISH_DELAY is "10s": set a whole number from 0 to 300'),
        ("PUBLISH_DELAY", "301", 'PUBLISH_DELAY is "301": set a whole number from 0 to 300'),
        ("PRIVATE_BY_DEFAULT", "maybe", 'PRIVATE_BY_DEFAULT is "maybe": set one of yes, no'),
        *(
            ("PROMISE_DEFAULTS", value, f'PROMISE_DEFAULTS is "{value}": {SEVERITIES}')
            for value in ("30m", "critical", "critical=0m", "high=8d", "urgent=5m", "high=200h")
        ),
        (
            "PROMISE_DEFAULTS",
            "high=1h,high=2h",
            f'PROMISE_DEFAULTS is "high=1h,high=2h": {SEVERITIES}',
        ),
        (
            "MENTION_AT",
            "critical,urgent",
            (
                'MENTION_AT is "critical,urgent": set some of critical, high, medium, low '
                "with commas between them, or none"
            ),
        ),
        ("LOG_LEVEL", "loud", 'LOG_LEVEL is "loud": set one of debug, info, warning, error'),
        ("LOG_FORMAT", "xml", 'LOG_FORMAT is "xml": set one of console, json'),
        (
            "TRUSTED_PROXIES",
            "10.0.0.0/8,proxy",
            (
                'TRUSTED_PROXIES is "proxy": set IP addresses or networks, '
                "such as 127.0.0.1,10.0.0.0/8"
            ),
        ),
        (
            "PUBLIC_URL",
            "status.example.com",
            "PUBLIC_URL is no address: set one that begins with https:// or http://",
        ),
        (
            "DEFAULT_LIFECYCLE",
            "security",
            'DEFAULT_LIFECYCLE is "security": set one of statuspage, response',
        ),
        (
            "LIFECYCLES_FILE",
            "/nowhere/lifecycles.toml",
            (
                "LIFECYCLES_FILE cannot be read (No such file or directory): "
                "set the path of a TOML file"
            ),
        ),
        (
            "LIFECYCLES_FILE",
            "/",
            "LIFECYCLES_FILE cannot be read (Is a directory): set the path of a TOML file",
        ),
        (
            "LIFECYCLES_FILE",
            "a\0b",
            "LIFECYCLES_FILE is not a file name: set the path of a TOML file",
        ),
        (
            "DATABASE_URL",
            "mysql://root:hunter2@db/ratchet",
            (
                "DATABASE_URL names no database that Ratchet knows: "
                "set sqlite:///<file> or postgresql://<host>/<name>"
            ),
        ),
    ],
)
def test_a_problem_names_the_variable_and_the_cure(variable, value, line):
    assert problems(**{variable: value}) == [line]


def test_neither_socket_mode_nor_http_is_one_problem():
    with pytest.raises(WrongSettings) as raised:
        Settings.from_env({"SLACK_BOT_TOKEN": BOT_TOKEN})

    assert str(raised.value) == (
        "SLACK_APP_TOKEN is not set, and neither is SLACK_SIGNING_SECRET: "
        "set the xapp-… token (Socket Mode) or the signing secret (HTTP mode)"
    )


@pytest.mark.parametrize(
    ("value", "port"), [("0", 0), ("80", 80), (" 3000 ", 3000), ("0080", 80), ("65535", 65_535)]
)
def test_a_port_is_a_whole_number(value, port):
    assert settings(PORT=value).port == port


@pytest.mark.parametrize("value", ["WARNING", "Warning", "warning"])
def test_words_may_be_in_any_case(value):
    assert settings(LOG_LEVEL=value, LOG_FORMAT="Console").log_level == "warning"


@pytest.mark.parametrize(
    "value",
    [
        "sqlite:///ratchet.db",
        "sqlite:////var/lib/ratchet/ratchet.db",
        "postgresql://ratchet@db/ratchet",
        "sqlite:////home/ratchet@work/ratchet.db",
        "postgres://ratchet:p%40ss%2Fword@db:5432/ratchet?sslmode=require",
        "postgresql://ratchet:pass/word@db/ratchet",
        "postgresql://ratchet:p:a?s#s@db/ratchet",
        "postgresql://db",
        "postgresql://ratchet:pass@/ratchet?host=/run/postgresql",
    ],
)
def test_both_databases_can_be_named(value):
    assert settings(DATABASE_URL=value).database_url == value


@pytest.mark.parametrize(
    "address",
    [
        "ratchet:hunter2@hunter3@db/ratchet",
        "ratchet:hunter2@hunter3/hunter4@db/ratchet",
        "ratchet:hunter2/@hunter3@db/ratchet",
        "ratchet:hunter2@hunter3?hunter4@db/ratchet",
        "ratchet:hunter2@hunter3#hunter4@db/ratchet",
        "ratchet:@hunter2@db/ratchet",
        "rat/chet:hunter2@db/ratchet",
        "rat@chet:hunter2@db/ratchet",
    ],
)
@pytest.mark.parametrize("scheme", ["postgresql", "postgres"])
def test_a_password_that_could_be_taken_for_a_host_is_refused_unquoted(scheme, address):
    (line,) = problems(DATABASE_URL=f"{scheme}://{address}")

    assert line == (
        "DATABASE_URL has an @ or a / where none may be: write an @ in a name or password as %40, "
        "a / as %2F, a % as %25"
    )


@given(
    password=st.text(st.sampled_from("ab@/:?#%[]&=+ "), min_size=1, max_size=12),
    query=st.sampled_from(["", "?sslmode=require"]),
)
def test_an_accepted_address_keeps_its_password_out_of_host_and_database(password, query):
    url = f"postgresql://ratchet:{password}@db/ratchet{query}"
    try:
        accepted = settings(DATABASE_URL=url).database_url
    except WrongSettings:
        return

    read = make_url(accepted)
    assert (read.host, read.database) == ("db", "ratchet")
    assert read.password == unquote(password)


@pytest.mark.parametrize(
    ("variable", "meant"),
    [
        ("STATUS_CHANEL", "STATUS_CHANNEL"),
        ("STATUSCHANNEL", "STATUS_CHANNEL"),
        ("status_channel", "STATUS_CHANNEL"),
        ("PUBLISHER_GROUP", "PUBLISHERS_GROUP"),
        ("RESPONDER_GROUP", "RESPONDERS_GROUP"),
        ("SLACK_TOKEN", "SLACK_BOT_TOKEN"),
        ("SLACK_SIGNING_SECRETS", "SLACK_SIGNING_SECRET"),
        ("DATABASE_URI", "DATABASE_URL"),
        ("LIFECYCLE_FILE", "LIFECYCLES_FILE"),
        ("API_RATELIMIT", "API_RATE_LIMIT"),
        ("LOGLEVEL", "LOG_LEVEL"),
    ],
)
def test_a_near_miss_names_the_setting_that_was_meant(variable, meant):
    (miss,) = settings(**{variable: SECRET}).near_misses

    assert str(miss) == f"{variable} is no setting: did you mean {meant}?"


@pytest.mark.parametrize(
    "variable",
    ["HOSTNAME", "HOME", "PATH", "LANG", "LOGNAME", "HTTPS_PROXY", "PUBLIC", "SHELL", *VARIABLES],
)
def test_another_programs_variable_is_no_near_miss(variable):
    assert list(near_misses([variable])) == []


@pytest.mark.parametrize(
    "value", ["sqlite://", "sqlite:///", "sqlite:///:memory:", "ratchet.db", "postgresql://", "x"]
)
def test_a_database_that_would_store_nothing_is_refused(value):
    assert [line.split()[0] for line in problems(DATABASE_URL=value)] == ["DATABASE_URL"]


@pytest.mark.parametrize(
    ("value", "address"),
    [
        ("https://slack.com/api", "https://slack.com/api/"),
        ("https://slack.com/api/", "https://slack.com/api/"),
        ("http://127.0.0.1:8080/api/", "http://127.0.0.1:8080/api/"),
        ("http://localhost:8080/api/", "http://localhost:8080/api/"),
        ("http://[::1]:8080/api/", "http://[::1]:8080/api/"),
    ],
)
def test_tokens_leave_this_machine_only_over_tls(value, address):
    assert settings(SLACK_API_URL=value).slack_api_url == address


@pytest.mark.parametrize(
    "value",
    [
        "http://slack.com/api/",
        "http://127.0.0.1.example.com/api/",
        "http://localhost@example.com/api/",
        "https://slack.com\\@example.com/api/",
        "https://slack.com/\napi/",
        "https://slack.com/api/?token=",
        "https://slack.com/api/#",
        "https://slack.com:99999/api/",
        "https://slack.com:0/api/",
        "https:///api/",
        "https://[slack.com/api/",
        "ftp://slack.com/api/",
        "slack.com/api",
    ],
)
def test_an_address_that_would_leak_the_tokens_is_refused(value):
    assert problems(SLACK_API_URL=value) == [
        (
            "SLACK_API_URL is no https:// address (http:// is only for this machine): "
            "leave it out for https://slack.com/api/"
        )
    ]


def test_the_public_address_has_no_slash_at_its_end():
    assert settings(PUBLIC_URL="https://status.example.com/").public_url == (
        "https://status.example.com"
    )


@pytest.mark.parametrize(
    ("value", "hosts"),
    [
        ("", {}),
        ("Status.Example.COM.", {"status.example.com": None}),
        (
            "status.example.com=T0123ABCD, status.example.org = T0456EFGH",
            {"status.example.com": "T0123ABCD", "status.example.org": "T0456EFGH"},
        ),
    ],
)
def test_hosts_of_status_pages_name_their_workspaces(value, hosts):
    assert settings(STATUS_HOST=value).status_hosts == hosts


@pytest.mark.parametrize(
    "value",
    [
        "https://a.example",
        "a.example:443",
        "a_b.example",
        "a.example=",
        "a.example=acme",
        "a.example,b.example",
        "a.example=T0123,a.example=T0456",
    ],
)
def test_a_wrong_host_of_a_status_page_is_refused(value):
    found = problems(STATUS_HOST=value)

    assert found
    assert all(
        problem.startswith("STATUS_HOST is ") and "set a host name such as" in problem
        for problem in found
    )


def test_a_static_copy_needs_an_address():
    assert problems(PUBLISH_DIR="/srv/status") == [
        (
            "PUBLISH_DIR is set, and the address of the page is not known: "
            "set STATUS_HOST or PUBLIC_URL"
        )
    ]
    chosen = settings(PUBLISH_DIR="/srv/status", STATUS_HOST="status.example.com")
    assert chosen.publish_dir == Path("/srv/status")


@pytest.mark.parametrize(("value", "allowed"), [("", False), ("no", False), ("Yes", True)])
def test_webhooks_reach_private_networks_only_if_that_is_meant(value, allowed):
    assert settings(WEBHOOK_ALLOW_PRIVATE=value).webhook_allow_private is allowed
    assert problems(WEBHOOK_ALLOW_PRIVATE="10.0.0.0/8") == [
        'WEBHOOK_ALLOW_PRIVATE is "10.0.0.0/8": set one of yes, no'
    ]


@pytest.mark.parametrize("mark", ["", "\ufeff"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_a_team_adds_lifecycles_of_its_own(tmp_path, mark, line_end):
    path = tmp_path / "lifecycles.toml"
    path.write_bytes((mark + LIFECYCLE.replace("\n", line_end)).encode())

    chosen = settings(LIFECYCLES_FILE=str(path), DEFAULT_LIFECYCLE="security")

    assert [lifecycle.name for lifecycle in chosen.lifecycles] == [
        "statuspage",
        "response",
        "security",
    ]
    assert chosen.lifecycles.default.name == "security"


def a_file(folder, content):
    path = folder / "lifecycles.toml"
    path.write_bytes(content)
    return str(path)


@pytest.mark.parametrize(
    ("content", "lines"),
    [
        (
            LIFECYCLE.replace('"closed"', '"close"').encode(),
            [
                (
                    "LIFECYCLES_FILE is wrong, security.reported.next names an unknown status "
                    '"close": did you mean "closed"?: correct the file'
                )
            ],
        ),
        (
            LIFECYCLE.replace("security", "response").encode(),
            [
                (
                    "LIFECYCLES_FILE is wrong, response is the name of another lifecycle: "
                    "choose a new one: correct the file"
                )
            ],
        ),
        (
            b"[a.b]\n[c.d]\n",
            [
                (
                    "LIFECYCLES_FILE is wrong, a.b has no public word: write public = one of "
                    "investigating, identified, monitoring, resolved: correct the file"
                ),
                (
                    "LIFECYCLES_FILE is wrong, c.d has no public word: write public = one of "
                    "investigating, identified, monitoring, resolved: correct the file"
                ),
            ],
        ),
        (b"\xff\xfe", ["LIFECYCLES_FILE is not UTF-8: set the path of a TOML file"]),
        (
            b"",
            [
                (
                    "LIFECYCLES_FILE is wrong, the file holds no lifecycle: write [name.status] "
                    "tables: correct the file"
                )
            ],
        ),
        (
            "é".encode() * FILE_MAX_BYTES,
            [
                (
                    f"LIFECYCLES_FILE is wrong, the file is larger than {FILE_MAX_BYTES} bytes: "
                    "correct the file"
                )
            ],
        ),
    ],
)
def test_each_problem_of_a_lifecycles_file_is_a_line(tmp_path, content, lines):
    found = problems(LIFECYCLES_FILE=a_file(tmp_path, content), DEFAULT_LIFECYCLE="security")

    assert found == lines


def test_a_name_in_a_lifecycles_file_cannot_break_its_line(tmp_path):
    path = a_file(tmp_path, b'["a\\nSLACK_BOT_TOKEN is \\u001b[31mfine".b]\npublic = "resolved"\n')

    assert all(line.isprintable() for line in problems(LIFECYCLES_FILE=path))


def test_an_endless_lifecycles_file_is_refused():
    assert len(problems(LIFECYCLES_FILE="/dev/zero")) == 1


def test_migrating_needs_no_slack():
    chosen = StorageSettings.from_env({"DATABASE_URL": "postgresql://db/ratchet"})

    assert chosen.database_url == "postgresql://db/ratchet"
    with pytest.raises(WrongSettings, match=r"^DATABASE_URL .*\nLOG_LEVEL .*$"):
        StorageSettings.from_env({"DATABASE_URL": "x", "LOG_LEVEL": "x"})


def test_a_settings_object_shows_no_secret():
    shown = repr(
        settings(
            SLACK_SIGNING_SECRET=SECRET, DATABASE_URL="postgresql://ratchet:hunter2@db/ratchet"
        )
    )

    for secret in (BOT_TOKEN, APP_TOKEN, SECRET, "hunter2"):
        assert secret not in shown


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("", "critical=30m,high=60m"),
        ("none", "none"),
        ("NONE", "none"),
        ("Low = 2h", "low=120m"),
        ("critical=15m, medium=4h", "critical=15m,medium=240m"),
    ],
)
def test_promises_have_a_default_by_severity(value, written):
    assert write(Setting.PROMISE_DEFAULTS, settings(PROMISE_DEFAULTS=value).workspace) == written


def pieces(secret):
    return {secret[start : start + 6] for start in range(len(secret) - 5)}


@pytest.mark.parametrize(
    "secret",
    [
        BOT_TOKEN,
        APP_TOKEN,
        SECRET,
        "postgresql://ratchet:hunter2hunter2@/",
        "xoxb-1-a\nabcdefgh",
        "xoxb-1-a \x1b[31m",
    ],
)
def test_a_secret_on_the_wrong_line_is_not_shown_even_in_part(secret):
    own_words = "https://slack.com/api/ postgresql://<host>/<name> xoxb-… xapp-…"
    told = pieces(secret) - pieces(own_words)

    def shows_it(variable):
        try:
            Settings.from_env({**NEEDED, variable: secret})
        except WrongSettings as wrong:
            return any(piece in str(problem) for piece in told for problem in wrong.problems)
        return False

    assert [variable for variable in VARIABLES if shows_it(variable)] == []


anything = st.text() | st.sampled_from(
    ["http://", "https://x", "sqlite:///x", "postgres://x", "xoxb-1", "C1", "0", "\ud800", "a\0b"]
)


@given(environment=st.dictionaries(st.sampled_from(VARIABLES), anything))
def test_any_values_make_clean_lines_or_none(environment):
    environment.pop("LIFECYCLES_FILE", None)
    environment.pop("TEMPLATES_FILE", None)
    try:
        Settings.from_env(environment)
    except WrongSettings as wrong:
        for problem in wrong.problems:
            assert re.match(r"[A-Z_]+ (is|names|cannot) \S.*: \S", str(problem))
            assert str(problem).isprintable()


def test_this_table_has_every_variable():
    bot = Path(__file__).parents[2] / "bot"
    source = "".join((bot / name).read_text() for name in ("settings.py", "variables.py"))

    assert sorted(set(re.findall(r'"([A-Z]+(?:_[A-Z]+)*)"', source)) - {"CG", "S"}) == VARIABLES


@pytest.mark.parametrize(
    ("value", "severities", "told"),
    [
        ("", {"critical", "high"}, "critical,high"),
        ("none", set(), "none"),
        (" High , critical ", {"critical", "high"}, "critical,high"),
        ("low", {"low"}, "low"),
    ],
)
def test_the_severities_of_a_mention_are_a_list(value, severities, told):
    chosen = settings(MENTION_AT=value).workspace

    assert (chosen.mention_at, write(Setting.MENTION_AT, chosen)) == (severities, told)
