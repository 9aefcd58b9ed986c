"""Who somebody is: what Slack's profile comes to, and what is known while Slack says nothing."""

import asyncio
from datetime import UTC, datetime, timedelta

import aiohttp
import pytest

from bot.slack.people import People, Profile, SlackUnavailable, address_in, profile_of
from bot.slack.web import a_client
from core.errors import InvalidField
from core.incident import Groups, Membership, Person, Place
from tests.patience import PATIENCE_SECONDS

TEAM = "T0RATCHET"


def a_user(**changes):
    """Slack's user object of Mia, a full member."""
    fields = {
        "id": "U0MIA",
        "team_id": TEAM,
        "name": "mia.marsh",
        "deleted": False,
        "real_name": "Mia Marsh",
        "profile": {"display_name": "mia", "real_name": "Mia Marsh"},
        "is_admin": False,
        "is_owner": False,
        "is_restricted": False,
        "is_ultra_restricted": False,
        "is_bot": False,
    }
    return {name: value for name, value in (fields | changes).items() if value is not ...}


MEMBER, GUEST, GONE, STRANGER = (
    Membership.MEMBER,
    Membership.GUEST,
    Membership.DEACTIVATED,
    Membership.STRANGER,
)


@pytest.mark.parametrize(
    ("changes", "membership"),
    [
        ({}, MEMBER),
        ({"is_admin": True}, MEMBER),
        ({"is_owner": True}, MEMBER),
        ({"is_restricted": True}, GUEST),
        ({"is_restricted": True, "is_ultra_restricted": True}, GUEST),
        ({"is_ultra_restricted": True}, GUEST),
        ({"deleted": True}, GONE),
        ({"deleted": True, "is_restricted": True}, GONE),
        ({"deleted": True, "team_id": "T0OTHER"}, GONE),
        ({"is_stranger": True}, STRANGER),
        ({"is_stranger": True, "is_admin": True}, STRANGER),
        ({"team_id": "T0OTHER"}, STRANGER),
        ({"team_id": ...}, STRANGER),
        ({"team_id": "T0OTHER", "is_restricted": True}, STRANGER),
        ({"team_id": "T0HOME", "enterprise_user": {"teams": ["T0HOME", TEAM]}}, MEMBER),
        ({"team_id": "T0HOME", "enterprise_user": {"teams": ["T0HOME"]}}, STRANGER),
        ({"team_id": "T0HOME", "enterprise_user": {}}, STRANGER),
        ({"is_bot": True}, STRANGER),
        ({"id": "USLACKBOT", "name": "slackbot"}, STRANGER),
        ({"is_restricted": ..., "is_ultra_restricted": ..., "is_bot": ..., "deleted": ...}, MEMBER),
    ],
)
def test_only_a_full_member_of_the_workspace_is_a_member(changes, membership):
    assert profile_of(a_user(**changes), workspace=TEAM).membership is membership


@pytest.mark.parametrize(
    ("changes", "admin"),
    [
        ({}, False),
        ({"is_admin": True}, True),
        ({"is_owner": True}, True),
        ({"is_admin": ...}, False),
    ],
)
def test_owners_of_the_workspace_are_admins_too(changes, admin):
    assert profile_of(a_user(**changes), workspace=TEAM).admin is admin


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({}, "mia"),
        ({"profile": {"display_name": "", "real_name": "Mia Marsh"}}, "Mia Marsh"),
        ({"profile": {}}, "Mia Marsh"),
        ({"profile": ..., "real_name": ...}, "mia.marsh"),
        ({"profile": None, "real_name": None, "name": ""}, "U0MIA"),
    ],
)
def test_everybody_has_a_name(changes, name):
    assert profile_of(a_user(**changes), workspace=TEAM).name == name


# --- asked of Slack ----------------------------------------------------------------------------


@pytest.fixture
async def client(settings):
    client = a_client(settings, timeout_seconds=int(PATIENCE_SECONDS))
    async with aiohttp.ClientSession() as client.session:
        yield client


@pytest.fixture
async def silence(slack, client):
    """Makes Slack silent in one of the ways of ``SILENT``."""
    gives_up = aiohttp.ClientTimeout(total=0.2)
    async with aiohttp.ClientSession(timeout=gives_up) as impatient:

        def silence(how):
            match how:
                case "cut":
                    slack.faults.cut(times=None)
                case "slow":
                    slack.faults.slow(seconds=60)
                    client.session = impatient
                case "html":
                    slack.faults.unavailable(times=None)
                case error:
                    slack.faults.refuse(error=error, times=None)

        yield silence


@pytest.fixture
def team(slack):
    return slack.workspace.team_id


@pytest.fixture
def people(client, clock):
    return People(client, clock=clock)


@pytest.fixture
def groups(slack):
    """Groups of people: mia and bo respond, bo and sam publish."""
    responders = slack.workspace.add_group("responders", members=["mia", "bo"])
    publishers = slack.workspace.add_group("publishers", members=["bo", "sam"])
    return Groups(responders=responders.id, publishers=publishers.id)


@pytest.mark.parametrize(
    ("flags", "membership"),
    [
        ({}, MEMBER),
        ({"is_restricted": True}, GUEST),
        ({"is_ultra_restricted": True}, GUEST),
        ({"deleted": True}, GONE),
        ({"is_stranger": True, "team_id": "T0OTHER"}, STRANGER),
        ({"is_bot": True}, STRANGER),
    ],
)
async def test_an_actor_is_what_slack_says(slack, people, team, flags, membership):
    eve = slack.workspace.add_user("eve", **flags)

    actor = await people.actor(team, eve.id, channel="C0PAYMENTS", groups=Groups())

    assert actor.person == Person(eve.id, "eve")
    assert (actor.membership, actor.workspace, actor.channel) == (membership, team, "C0PAYMENTS")
    assert (actor.responder, actor.publisher, actor.admin) == (True, True, False)


async def test_the_address_of_the_workspace_is_known_once_slack_has_said_it(people, team, slack):
    before = people.address(team)
    await people.actor(team, slack.person("mia").id, channel=None, groups=Groups())

    assert (before, people.address("T0OTHER")) == (None, None)
    assert people.address(team) == f"https://{slack.workspace.domain}.slack.com/"


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("https://acme.slack.com/", "https://acme.slack.com/"),
        ("https://acme.slack.com", "https://acme.slack.com/"),
        ("javascript:alert(1)", None),
        (None, None),
    ],
)
def test_only_an_address_is_taken_for_that_of_the_workspace(url, address):
    assert address_in(url) == address


async def test_the_place_of_a_card_is_public_unless_slack_says_otherwise(slack, people):
    secret = slack.workspace.add_channel("secret", private=True, members=["ratchet"])

    assert await people.place(slack.workspace.channel("#payments").id) == Place(
        slack.workspace.channel("#payments").id
    )
    assert await people.place(secret.id) == Place(secret.id, private=True)
    assert await people.place("C0NOWHERE") == Place("C0NOWHERE")


async def test_whom_slack_does_not_know_is_a_stranger(people, team):
    actor = await people.actor(team, "U0NOBODY", channel=None, groups=Groups())

    assert (actor.membership, actor.admin) == (STRANGER, False)


@pytest.mark.parametrize(
    ("user", "responder", "publisher"),
    [
        ("U0MIA", True, False),
        ("U0BO", True, True),
        ("U0SAM", False, True),
        ("U0GUS", False, False),
    ],
)
async def test_groups_say_who_responds_and_who_publishes(
    people, groups, team, user, responder, publisher
):
    actor = await people.actor(team, user, channel=None, groups=groups)

    assert (actor.responder, actor.publisher) == (responder, publisher)


async def test_without_a_group_of_publishers_every_responder_publishes(slack, people, team):
    group = slack.workspace.add_group("responders", members=["mia"])
    groups = Groups(responders=group.id)

    mia, bo = [
        await people.actor(team, user, channel=None, groups=groups) for user in ("U0MIA", "U0BO")
    ]

    assert (mia.responder, mia.publisher) == (True, True)
    assert (bo.responder, bo.publisher) == (False, False)


async def test_an_owner_is_a_full_member(people, team):
    assert await people.member(team, "U0BO") == Person("U0BO", "bo")
    for nobody in ("U0GUS", "U0NOBODY"):
        with pytest.raises(InvalidField, match="full member") as refused:
            await people.member(team, nobody)
        assert refused.value.field == "owner"


async def test_a_name_is_looked_up_where_slack_tells_it(slack, people, team):
    assert await people.name(team, "U0MIA") == "mia"
    slack.faults.refuse("users.info", error="token_revoked")
    assert await people.name(team, "U0BO") == "U0BO"


# --- remembered --------------------------------------------------------------------------------


async def test_slack_is_asked_once_in_five_minutes(slack, people, groups, team, clock):
    for _ in range(4):
        await people.actor(team, "U0MIA", channel=None, groups=groups)
        clock.advance(minutes=2)

    assert len(slack.calls_of("users.info")) == 2
    assert len(slack.calls_of("usergroups.users.list")) == 4


async def test_a_change_in_slack_is_known_five_minutes_later(slack, people, team, clock):
    assert (await people.actor(team, "U0BO", channel=None, groups=Groups())).membership is MEMBER
    slack.workspace.user("bo").deleted = True
    clock.advance(minutes=4, seconds=59)
    assert (await people.actor(team, "U0BO", channel=None, groups=Groups())).membership is MEMBER
    clock.advance(seconds=1)
    assert (await people.actor(team, "U0BO", channel=None, groups=Groups())).membership is GONE


async def test_many_callers_at_once_cause_one_question(slack, people, team):
    actors = await asyncio.gather(
        *(people.actor(team, "U0MIA", channel=None, groups=Groups()) for _ in range(100))
    )

    assert len(slack.calls_of("users.info")) == 1
    assert {actor.person.name for actor in actors} == {"mia"}


async def test_a_caller_that_stops_waiting_takes_the_answer_from_no_other(slack, people, team):
    slow = slack.faults.slow("users.info", seconds=60, times=1)
    impatient, patient = [
        asyncio.create_task(people.actor(team, "U0MIA", channel=None, groups=Groups()))
        for _ in range(2)
    ]
    await slack.until(lambda: slow.hits == 1)

    impatient.cancel()
    await asyncio.wait({impatient})
    slow.clear()

    assert (await patient).person.name == "mia"
    assert len(slack.calls_of("users.info")) == 1


SILENT = ["cut", "slow", "html", "ratelimited", "internal_error", "token_revoked", "missing_scope"]


@pytest.mark.parametrize("how", SILENT)
async def test_an_unknown_person_is_refused_while_slack_is_silent(people, team, silence, how):
    silence(how)

    with pytest.raises(SlackUnavailable, match="Nothing was changed"):
        await people.actor(team, "U0MIA", channel=None, groups=Groups())


@pytest.mark.parametrize("how", SILENT)
async def test_a_known_person_may_act_for_a_day_while_slack_is_silent(
    people, groups, team, clock, silence, how
):
    before = await people.actor(team, "U0MIA", channel=None, groups=groups)
    silence(how)

    clock.advance(hours=23, minutes=59)
    assert await people.actor(team, "U0MIA", channel=None, groups=groups) == before
    clock.advance(minutes=1)
    with pytest.raises(SlackUnavailable):
        await people.actor(team, "U0MIA", channel=None, groups=groups)


async def test_a_slow_slack_is_not_waited_for_where_somebody_is_remembered(
    slack, people, team, clock
):
    await people.actor(team, "U0BO", channel=None, groups=Groups())
    slack.workspace.user("bo").deleted = True
    clock.advance(hours=1)
    slow = slack.faults.slow("users.info", seconds=60, times=1)

    assert (await people.actor(team, "U0BO", channel=None, groups=Groups())).membership is MEMBER
    slow.clear()
    await slack.until(lambda: slack.calls_of("users.info")[-1].status == 200)
    assert (await people.actor(team, "U0BO", channel=None, groups=Groups())).membership is GONE
    assert len(slack.calls_of("users.info")) == 2


async def test_slack_is_asked_again_as_soon_as_it_answers(slack, people, team, silence):
    silence("cut")
    with pytest.raises(SlackUnavailable):
        await people.actor(team, "U0MIA", channel=None, groups=Groups())

    slack.faults.clear()

    assert (await people.actor(team, "U0MIA", channel=None, groups=Groups())).membership is MEMBER


@pytest.mark.parametrize(
    ("changes", "winter", "summer"),
    [
        ({"tz": "Europe/Berlin", "tz_offset": 3_600}, 1, 2),
        ({"tz": "America/New_York", "tz_offset": -18_000}, -5, -4),
        ({"tz": "Europe/Berlin"}, 1, 2),
        # Unknown here: the clock stays as Slack says that it is.
        ({"tz": "Mars/Olympus", "tz_offset": 7_200}, 2, 2),
        ({"tz": "", "tz_offset": 7_200}, 2, 2),
        ({"tz": "../etc/passwd", "tz_offset": 7_200}, 2, 2),
        ({"tz": "Europe", "tz_offset": 7_200}, 2, 2),
        ({"tz": "a\0b", "tz_offset": 7_200}, 2, 2),
        ({"tz": "\ud800", "tz_offset": 7_200}, 2, 2),
        ({"tz": "x" * 5_000, "tz_offset": 7_200}, 2, 2),
        ({"tz": None, "tz_offset": 7_200}, 2, 2),
        ({"tz_offset": 7_200}, 2, 2),
        ({"tz_offset": 86_400}, 0, 0),
        ({"tz_offset": "3600"}, 0, 0),
        ({}, 0, 0),
    ],
)
def test_a_zone_knows_its_clock_changes(changes, winter, summer):
    zone = profile_of(a_user(**changes), workspace=TEAM).zone

    assert datetime(2026, 1, 15, tzinfo=UTC).astimezone(zone).utcoffset() == timedelta(hours=winter)
    assert datetime(2026, 7, 15, tzinfo=UTC).astimezone(zone).utcoffset() == timedelta(hours=summer)


def test_a_profile_is_a_value():
    assert profile_of(a_user(), workspace=TEAM) == Profile("mia", MEMBER, admin=False)
