"""An owner is deactivated: the channel hears of it, and somebody takes over with a click."""

from __future__ import annotations

import dataclasses

import pytest

from tests.standin import labels


@pytest.fixture
def mode():
    return "http"


def notices(slack, channel="#payments"):
    return [
        one
        for one in slack.workspace.channel(channel).messages
        if one.metadata and "owner_left" in repr(one.metadata)
    ]


@pytest.fixture
async def left(slack, ratchet, settle, clock):
    """Bo owns an incident, and is deactivated."""
    for line in ("/incident declare Checkout is down severity:high", "/incident assign 1 @bo"):
        await (await slack.person("mia").command("#payments", line)).answer()
    await settle()
    bo = slack.person("bo").user
    slack.workspace.users[bo.id] = dataclasses.replace(bo, deleted=True)
    clock.advance(minutes=6)
    await ratchet.owners.look()
    await settle()


async def test_the_channel_is_told_once_and_somebody_takes_over(slack, ratchet, settle, left):
    await ratchet.owners.look()
    await settle()
    (notice,) = notices(slack)
    assert "The owner <@U0BO> is deactivated; nobody leads INC-1" in notice.words()
    assert "Checkout is down" not in notice.words()
    (card,) = [m for m in slack.workspace.channel("#payments").messages if "Owner:" in m.words()]
    assert "Owner: <@U0BO> (deactivated)" in card.words()

    pressed = await slack.person("mia").press(notice, "Acknowledge")

    assert "It is now owned by <@U0MIA> (was bo)" in (await pressed.answer()).words()
    await settle()
    assert "Owner: <@U0MIA>" in card.words()
    assert len(notices(slack)) == 1
    told = "The owner of INC-1 (*Investigating*, high) was deactivated; <@U0MIA> leads it now."
    assert told in notice.words()
    assert labels(notice) == []
    assert (await ratchet.readiness()).dead_messages == 0


async def assigned(slack, ratchet, clock):
    await (await slack.person("mia").command("#payments", "/incident assign 1 @sam")).answer()


async def ended(slack, ratchet, clock):
    for status in ("identified", "monitoring", "resolved"):
        line = f"/incident status 1 {status}"
        await (await slack.person("mia").command("#payments", line)).answer()


async def back(slack, ratchet, clock):
    bo = slack.person("bo").user
    slack.workspace.users[bo.id] = dataclasses.replace(bo, deleted=False)
    clock.advance(minutes=6)
    await ratchet.owners.look()


WAYS = [
    (assigned, "INC-1 (*Investigating*, high) was deactivated; <@U0SAM> leads it now."),
    (ended, "INC-1 (*Resolved*, high) was deactivated; nobody has to lead it now."),
    (back, "INC-1 (*Investigating*, high) was deactivated; <@U0BO> leads it now."),
]


@pytest.mark.parametrize(("way", "told"), WAYS, ids=["assigned", "ended", "back"])
async def test_the_notice_ends_however_somebody_leads_again(
    way, told, slack, ratchet, settle, clock, left
):
    await way(slack, ratchet, clock)
    await settle()

    (notice,) = notices(slack)
    assert told in notice.words()
    assert labels(notice) == []


async def test_the_status_channel_hears_nothing_of_it(slack, settle, left):
    assert "deactivated" not in repr(
        [m.words() for m in slack.workspace.channel("#status").messages]
    )


async def test_updates_and_promises_go_on_without_the_owner(slack, ratchet, settle, clock, left):
    said = await slack.person("mia").command("#payments", "/incident update 1 We are on it")
    assert "It promises the next one by" in (await said.answer()).words()
    await settle()
    clock.advance(minutes=56)
    await ratchet.nudges.look()
    await settle()

    shown = [m.words() for m in slack.workspace.channel("#payments").messages]
    assert any("the next public update is promised by" in words for words in shown)
    assert (await ratchet.readiness()).dead_messages == 0
