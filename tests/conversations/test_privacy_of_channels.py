"""A marked word is looked for in everything that channels of their own show."""

from __future__ import annotations

import aiohttp
import pytest

from bot.sandbox import Limits
from bot.telemetry import LINES
from tests.clock import Clock
from tests.conversations.conftest import environment_for, running, settled, without_ids
from tests.standin import a_standin

CANARY = "xylophonecanary"


@pytest.fixture
def mode():
    return "http"


def with_channels(slack, database_url):
    """The settings, with a delay, and a channel for whoever asks."""
    if "S0RESPONDERS" not in slack.workspace.groups:
        slack.workspace.add_group("responders", members=["mia", "bo"])
    return {
        **environment_for(slack, database_url, "http"),
        "RESPONDERS_GROUP": "S0RESPONDERS",
        "MENTION_AT": "none",
        "INCIDENT_CHANNELS": "offer",
        "PUBLISH_DELAY": "10",
    }


@pytest.fixture
def environment(slack, database_url):
    return with_channels(slack, database_url)


async def say(slack, line, by="mia", place="#payments"):
    return await (await slack.person(by).command(place, line)).answer()


async def open_channel(slack, settle, number, place="#payments"):
    """Opens the channel of INC-``number`` with the button of its card, and returns the channel."""
    cards = [m for m in slack.workspace.channel(place).messages if f"INC-{number} " in m.text]
    before = set(slack.workspace.channels)
    await (await slack.person("mia").press(cards[-1], "Open a channel")).answer()
    await settle()
    [made] = set(slack.workspace.channels) - before
    return slack.workspace.channels[made]


def told(slack, kind="public"):
    """All that channels of ``kind`` show now. Slack itself keeps the names of before."""
    return [
        (one.name, one.topic, one.purpose, len(one.pins), slack.channel_view(f"#{one.name}"))
        for one in slack.workspace.channels.values()
        if one.kind == kind
    ]


def shown_alike(slack):
    """All that public channels show, without ids. The stand-in makes those of channels of names."""
    shown = without_ids(told(slack))
    for place, channel in enumerate(slack.workspace.channels):
        shown = shown.replace(channel, f"C{place}")
    return shown


def labels(channel):
    """All that a channel shows outside of its messages."""
    return repr((channel.name, channel.topic, channel.purpose))


async def test_the_word_about_other_readers_goes_with_the_hold_of_their_change(
    slack, ratchet, settle, clock
):
    await say(slack, "/incident declare Card data leaked private")
    await settle()
    channel = await open_channel(slack, settle, 1, place="@mia")
    mia = slack.person("mia")
    asked = await mia.command("#payments", "/incident public 1")
    await slack.until(lambda: mia.has_view and mia.view.given.get("submit") is not None)
    await mia.submit()
    await asked.answer()
    clock.advance(seconds=9)
    await ratchet.worker.deliver_due()
    hidden = await say(slack, "/incident private 1")
    await (await mia.press(hidden, "Make it private")).answer()
    await settle()

    assert "is public now" not in repr(channel.messages)
    assert "INC-1 is private again." in channel.messages[-1].words()


async def replace_a_held_title(slack, settle, app, clock, words):
    """INC-1: a title that is replaced before it is public gets into no name and no topic."""
    await say(slack, "/incident declare Checkout is down")
    await settle()
    channel = await open_channel(slack, settle, 1)
    await say(slack, f"/incident note 1 {words}")
    await say(slack, f"/incident title 1 {words[:150]}")
    await say(slack, "/incident assign 1 @bo")
    clock.advance(seconds=9)
    await app.worker.deliver_due()
    assert CANARY not in labels(channel)
    await say(slack, "/incident title 1 Payments are slow")
    await settle()
    assert channel.name == "inc-1-payments-are-slow"
    assert CANARY not in labels(channel)


async def withdraw_a_title(slack, settle, words):
    """INC-2: a title that is withdrawn leaves the name, the topic and the pinned card."""
    await say(slack, f"/incident declare {words[:150]}")
    await settle()
    channel = await open_channel(slack, settle, 2)
    assert channel.name != "inc-2-search-is-slow"
    await say(slack, "/incident title 2 Search is slow")
    withdrawn = await say(slack, "/incident withdraw 2 title")
    await settle()
    assert "is withdrawn" in withdrawn.words()
    assert channel.name == "inc-2-search-is-slow"
    assert len(channel.pins) == 1


async def make_private(slack, settle, words):
    """INC-3: private once it has a public channel. Its notes go to a private channel alone."""
    await say(slack, "/incident declare Mail is late")
    await settle()
    public = await open_channel(slack, settle, 3)
    asked = await say(slack, "/incident private 3")
    await (await slack.person("mia").press(asked, "Make it private")).answer()
    await say(slack, f"/incident title 3 {words[:150]}")
    await say(slack, "/incident invite 3 @bo")
    await settle()
    private = await open_channel(slack, settle, 3, place="@mia")
    await say(slack, f"/incident note 3 {words}")
    await settle()
    assert public.name == "inc-3"
    assert CANARY in repr(slack.channel_view(f"#{private.name}"))
    return private


async def leave_the_private_channel(slack, settle, private, words):
    """INC-3 goes on without Bo, whom Slack shows the private channel no more."""
    await say(slack, "/incident uninvite 3 @bo")
    await say(slack, f"/incident note 3 again {words}")
    await settle()
    assert slack.person("bo").user.id not in private.members
    assert "again " in repr(slack.channel_view(f"#{private.name}"))


async def open_another(slack, settle):
    """INC-4 is private from the start, with a channel of its own."""
    await say(slack, "/incident declare Login is slow private")
    await settle()
    other = await open_channel(slack, settle, 4, place="@mia")
    assert CANARY not in repr(slack.channel_view(f"#{other.name}"))


async def end_them_all(slack, settle, app, clock, words):
    """Their channels are announced as ending, and archived."""
    for number in (1, 2, 3, 4):
        for _ in range(3):
            await say(slack, f"/incident next {number} {words}")
    await settle()
    for hours in (48, 25):
        clock.advance(hours=hours)
        await app.channels.look()
        await settle()


async def run(slack, settle, app, clock, words):
    """Four incidents with channels; ``words`` are every note and every title that is not public."""
    await replace_a_held_title(slack, settle, app, clock, words)
    await withdraw_a_title(slack, settle, words)
    private = await make_private(slack, settle, words)
    await leave_the_private_channel(slack, settle, private, words)
    await open_another(slack, settle)
    slack.faults.refuse("conversations.rename", error="restricted_action")
    slack.faults.server_error("conversations.setTopic")
    await say(slack, f"/incident title 3 once more {words[:150]}")
    await settle()
    await end_them_all(slack, settle, app, clock, words)


async def test_a_marked_word_is_in_no_public_channel_log_or_metric(
    slack, ratchet, settle, clock, capfd
):
    await run(slack, settle, ratchet, clock, CANARY)
    pages = []
    async with aiohttp.ClientSession() as session:
        for path in ("/metrics", "/readyz", "/healthz"):
            async with session.get(ratchet.http.address + path) as answer:
                pages.append(await answer.text())
    LINES.finish()
    logs = capfd.readouterr()

    assert CANARY not in repr(told(slack))
    assert CANARY in repr(told(slack, "private"))
    assert CANARY not in "".join(pages)
    assert CANARY not in logs.err + logs.out
    errors = [one.error for one in await ratchet.outbox.undelivered()]
    assert errors == ["restricted_action"]
    await ratchet.outbox.retry_dead(at=clock())


async def test_public_channels_do_not_depend_on_what_is_private(a_database):
    runs = []
    for words in (f"b {CANARY}", f"{CANARY} <!channel> *b* " * 40):
        clock = Clock()
        with a_database("sqlite") as url:
            async with (
                a_standin(clock=clock.seconds, limits=Limits(burst=1)) as slack,
                running(with_channels(slack, url), slack, clock) as app,
            ):
                await run(slack, lambda: settled(app, clock), app, clock, words)  # noqa: B023 - awaited within the round
                runs.append(shown_alike(slack))

    assert "Payments are slow" in runs[0]
    assert "INC-3 is no longer public" in runs[0]
    assert "will be archived" in runs[0]
    assert runs[0] == runs[1]


async def test_a_note_waits_until_slack_has_removed_those_who_may_not_read_it(
    slack, ratchet, settle, clock
):
    await say(slack, "/incident declare Login is slow private")
    await say(slack, "/incident invite 1 @bo")
    await settle()
    private = await open_channel(slack, settle, 1, place="@mia")
    bo = slack.person("bo").user.id
    assert bo in private.members

    slack.faults.server_error("conversations.kick", times=3)
    await say(slack, "/incident uninvite 1 @bo")
    await say(slack, f"/incident note 1 {CANARY}")
    for _ in range(4):
        assert bo not in private.members or CANARY not in repr(private.messages)
        await ratchet.worker.deliver_due()
        clock.advance(seconds=1)
    await settle()

    assert bo not in private.members
    assert CANARY in repr(private.messages)


async def test_a_note_is_not_posted_to_people_whom_slack_does_not_remove(
    slack, ratchet, settle, clock
):
    await say(slack, "/incident declare Login is slow private")
    await say(slack, "/incident invite 1 @bo")
    await settle()
    private = await open_channel(slack, settle, 1, place="@mia")
    slack.faults.refuse("conversations.kick", error="restricted_action")
    await say(slack, "/incident uninvite 1 @bo")
    await say(slack, f"/incident note 1 {CANARY}")
    await settle()

    assert CANARY not in repr(private.messages)
    stuck = [(one.surface.value, one.error) for one in await ratchet.outbox.undelivered()]
    assert stuck == [
        ("channel_people", "restricted_action"),
        ("channel_note", "member_not_removed"),
    ]

    await ratchet.outbox.retry_dead(at=clock())
    await settle()

    assert slack.person("bo").user.id not in private.members
    assert CANARY in repr(private.messages)


async def test_an_invitation_whose_response_was_lost_is_taken_back_too(slack, ratchet, settle):
    await say(slack, "/incident declare Login is slow private")
    await settle()
    private = await open_channel(slack, settle, 1, place="@mia")
    slack.faults.lose_answer("conversations.invite")
    await say(slack, "/incident invite 1 @bo")
    await ratchet.worker.deliver_due()
    assert slack.person("bo").user.id in private.members
    await say(slack, "/incident uninvite 1 @bo")
    await settle()

    assert slack.person("bo").user.id not in private.members


def empty(slack):
    slack.workspace.groups["S0RESPONDERS"].members.clear()


def delete(slack):
    del slack.workspace.groups["S0RESPONDERS"]


@pytest.fixture
async def with_bo(slack, ratchet, settle):
    """The private channel of INC-1, with Mia and Bo."""
    await say(slack, "/incident declare Login is slow private")
    await say(slack, "/incident invite 1 @bo")
    await settle()
    return await open_channel(slack, settle, 1, place="@mia")


@pytest.mark.parametrize("change", [empty, delete])
async def test_people_stay_in_a_private_channel_while_nobody_is_known_to_be_a_responder(
    slack, ratchet, settle, clock, capfd, with_bo, change
):
    mia, bo = (slack.person(one).user.id for one in ("mia", "bo"))
    zoe = slack.workspace.add_user("zoe").id
    slack.workspace.groups["S0RESPONDERS"].members.append(zoe)
    clock.advance(minutes=6)
    slack.faults.server_error("conversations.invite", times=None)
    await say(slack, "/incident invite 1 @zoe")
    await ratchet.worker.deliver_due()
    change(slack)
    slack.faults.clear()
    clock.advance(minutes=6)
    await settle()

    LINES.finish()
    assert {mia, bo} <= set(with_bo.members)
    assert zoe not in with_bo.members
    assert "responders not known" in capfd.readouterr().err


async def test_who_loses_an_invitation_leaves_also_while_slack_does_not_tell_the_group(
    slack, ratchet, settle, clock, with_bo
):
    mia, bo = (slack.person(one).user.id for one in ("mia", "bo"))
    slack.faults.server_error("conversations.kick", times=None)
    await say(slack, "/incident uninvite 1 @bo")
    await ratchet.worker.deliver_due()
    slack.faults.clear()
    slack.faults.refuse("usergroups.users.list", error="missing_scope", times=None)
    clock.advance(days=2)
    await ratchet.worker.deliver_due()

    assert bo not in with_bo.members
    assert mia in with_bo.members
    slack.faults.clear()
    await settle()
    assert await ratchet.outbox.undelivered() == ()
