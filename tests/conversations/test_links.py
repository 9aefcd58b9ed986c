"""Everything that names an incident leads to its working card, for people who may see it."""

from __future__ import annotations

import pytest


@pytest.fixture
def mode():
    return "http"


def link_of(slack, channel, number=1):
    """The link of a working card, as Slack makes it."""
    (card,) = [
        one
        for one in slack.workspace.channel(channel).messages
        if one.metadata and "working_card" in repr(one.metadata) and f"INC-{number} " in one.words()
    ]
    ts = card.ts.replace(".", "")
    channel_id = slack.workspace.channel(channel).id
    return f"<https://{slack.workspace.domain}.slack.com/archives/{channel_id}/p{ts}|INC-{number}>"


async def typed(slack, line, *, by="mia", channel="#payments"):
    return await (await slack.person(by).command(channel, line)).answer()


@pytest.mark.parametrize(
    "line",
    [
        "/incident",
        "/incident list",
        "/incident 1",
        "/incident timeline 1",
        "/incident next 1",
        "/incident note 1 db-3 is slow",
        "/incident status 1 resolved",
    ],
)
async def test_an_answer_leads_to_the_card(slack, settle, line):
    await typed(slack, "/incident declare Checkout is down")
    await settle()

    answer = await typed(slack, line, channel="#general")

    assert link_of(slack, "#payments") in repr(answer.blocks)


async def test_the_home_tab_leads_to_the_card(slack, settle):
    await typed(slack, "/incident declare Checkout is down")
    await settle()

    bo = slack.person("bo")
    await bo.open_home()
    await slack.until(lambda: bo.id in slack.workspace.homes)

    assert link_of(slack, "#payments") in repr(bo.home.blocks)


async def test_a_direct_message_leads_to_the_card(slack, settle):
    await typed(slack, "/incident declare Checkout is down")
    await settle()
    await typed(slack, "/incident assign 1 @bo")
    await settle()

    asked = slack.workspace.direct(slack.person("bo").user).messages[-1]

    assert link_of(slack, "#payments") in repr(asked.blocks)


async def test_what_everybody_reads_leads_nowhere(slack, settle):
    await typed(slack, "/incident declare Checkout is down")
    await settle()
    await typed(slack, "/incident update 1 We are on it")
    await settle()

    shown = repr([one.blocks for one in slack.workspace.channel("#status").messages])

    assert "archives" not in shown
    assert "archives" not in repr(
        [one.blocks for one in slack.workspace.channel("#payments").messages]
    )
