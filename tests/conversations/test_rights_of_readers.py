"""Messages to people offer what these may do; where an owner may not act, others are reminded."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.delivery.rights import RightsTransport
from bot.slack.people import SlackUnavailable
from core.boards import Card
from core.decision import Surface
from core.workspace import WorkspaceSettings
from storage.facts import Facts
from storage.messages import OutboxMessage
from storage.models import State
from tests.builders import GRACE, NINE, WORKSPACE, an_id, an_incident
from tests.conversations.conftest import only_mia_publishes
from tests.standin import labels

MESSAGE = OutboxMessage(
    id=1,
    uid=an_id(1),
    workspace=WORKSPACE,
    incident=an_id(2),
    entry=2,
    surface=Surface.HAND_OVER,
    channel=GRACE.id,
    state=State.RUNNING,
    attempts=1,
    due_at=NINE,
    try_at=NINE,
    claimed_by="worker",
    error=None,
    unsure=False,
    created_at=NINE,
)
OTHERS = "You may not give it yourself, so others are reminded as well."
ACTS = ["Update…", "+15 min", "Release…"]


@pytest.fixture
def mode():
    return "http"


@pytest.fixture
def environment(environment, slack):
    return only_mia_publishes(environment, slack)


def direct(slack, name, surface):
    found = slack.workspace.direct(slack.person(name).user).messages
    return [one for one in found if f"'{surface}'" in repr(one.metadata)]


def in_channel(slack):
    found = slack.workspace.channel("#payments").messages
    return [one for one in found if "'promise_reminder'" in repr(one.metadata)]


@pytest.fixture
def reminded(ratchet, told, settle, clock):
    """An incident with a promise that is due in a few minutes."""

    async def reminded(declare, owner):
        await told(declare)
        await told(f"assign 1 @{owner}")
        await told("promise 1 10m")
        await settle()
        clock.advance(minutes=5, seconds=5)
        await ratchet.nudges.look()
        await settle()

    return reminded


OWNERS = [
    ("declare Checkout is down", "mia", True),
    ("declare Checkout is down", "bo", False),
    ("declare Checkout is down", "sam", False),
]


@pytest.mark.parametrize(("declare", "owner", "acts"), OWNERS, ids=[one[1] for one in OWNERS])
async def test_where_the_owner_may_not_act_the_channel_is_reminded_as_well(
    declare, owner, acts, slack, reminded
):
    await reminded(declare, owner)

    (reminder,) = direct(slack, owner, "promise_reminder")
    assert labels(reminder) == (ACTS if acts else [])
    assert (OTHERS in reminder.words()) is not acts
    assert [labels(one) for one in in_channel(slack)] == ([] if acts else [ACTS])


@pytest.mark.parametrize(("owner", "acts"), [("bo", True), ("sam", False)])
async def test_a_responder_may_keep_the_promise_of_a_private_incident(owner, acts, slack, reminded):
    await reminded("declare Payroll leaked private", owner)

    (reminder,) = direct(slack, owner, "promise_reminder")
    assert labels(reminder) == (ACTS if acts else [])
    # No channel may show it: the declarer is reminded.
    assert len(direct(slack, "mia", "promise_reminder")) == (0 if acts else 1)


async def test_a_reminder_beside_the_owners_ends_with_the_promise(slack, reminded, told, settle):
    await reminded("declare Checkout is down", "bo")
    await told("update 1 We are looking into it.")
    await settle()

    told_now = [*direct(slack, "bo", "promise_reminder"), *in_channel(slack)]
    assert ["has come" in one.words() for one in told_now] == [True, True]
    assert [labels(one) for one in told_now] == [[], []]


@pytest.mark.parametrize(
    ("owner", "offered"), [("bo", ["Got it", "Not me", "Update…"]), ("sam", ["Got it", "Not me"])]
)
async def test_a_new_owner_is_offered_an_update_only_as_a_responder(
    owner, offered, slack, told, settle
):
    await told("declare Checkout is down")
    await told(f"assign 1 @{owner}")
    await settle()

    (question,) = direct(slack, owner, "hand_over")
    assert labels(question) == offered


@pytest.mark.parametrize(("invited", "acts"), [("bo", True), ("sam", False)])
async def test_the_card_of_somebody_who_is_invited_has_the_buttons_of_a_responder_only(
    invited, acts, slack, told, settle
):
    await told("declare Payroll leaked private")
    await told(f"invite 1 @{invited}")
    await told("severity 1 low")
    await settle()

    (card,) = direct(slack, invited, "owner_card")
    assert "Payroll leaked" in card.words()
    assert bool(labels(card)) is acts


async def test_while_slack_tells_no_group_the_buttons_stay():
    incident = an_incident(owner=GRACE)
    settings = WorkspaceSettings(responders_group="S0RESPONDERS")
    facts = Facts(card=Card(incident=incident, last=None), settings=settings)
    delivered = []

    class Next:
        async def deliver(self, message, facts, *, at):
            delivered.append((message, facts, at))

    async def actor_of(*_, **__):
        raise SlackUnavailable

    message = replace(MESSAGE, incident=incident.id, channel=GRACE.id)
    await RightsTransport(Next(), actor_of=actor_of).deliver(message, facts, at=NINE)

    assert delivered == [(message, facts, NINE)]
