"""Channels of their own: opened, filled, private, archived."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.sandbox import Limits
from tests.conversations.conftest import differences, environment_for, responding, running, settled
from tests.standin import a_standin, labels

NAME = "inc-1-checkout-is-down"

AGAIN = """
[again.working]
initial = true
next = ["fixed"]
public = "investigating"
[again.fixed]
next = ["working", "done"]
reopen = true
public = "resolved"
[again.done]
terminal = true
public = "resolved"
"""


@pytest.fixture
def mode():
    return "http"


@pytest.fixture
def environment(environment, slack):
    return {
        **responding(environment, slack),
        "MENTION_AT": "none",
        "INCIDENT_CHANNELS": "offer",
    }


async def say(slack, settle, *lines, by="mia", channel="#payments"):
    """The last answer to ``lines``, once everything is delivered."""
    answers = []
    for line in lines:
        asked = await slack.person(by).command(channel, line)
        answers.append(await asked.answer())
    await settle()
    return answers[-1]


def card(slack, channel="#payments", by="mia"):
    shown = [m for m in slack.workspace.channel(channel).messages if "Owner:" in m.words()]
    return shown[-1]


async def open_channel(slack, settle, by="mia", channel="#payments"):
    pressed = await slack.person(by).press(card(slack, channel), "Open a channel")
    answer = await pressed.answer()
    await settle()
    return answer


def own(slack, name=NAME):
    return slack.workspace.channel(f"#{name}")


def owned(slack):
    """The channels that the bot has made."""
    bot = slack.workspace.app.bot_user
    return [one for one in slack.workspace.channels.values() if one.creator == bot]


def members(channel):
    return {member for member in channel.members if "RATCHET" not in member}


@pytest.fixture
async def opened(slack, ratchet, settle):
    await say(slack, settle, "/incident declare Checkout is down", "/incident assign 1 @bo")
    await open_channel(slack, settle)
    return own(slack)


async def test_in_it_the_number_of_another_incident_may_belong_to_the_text(slack, settle, opened):
    await say(slack, settle, *["/incident declare Search is slow"] * 2, channel="#general")
    here = f"#{NAME}"

    for text in ("update 2 of 15 replicas are back", "note 3 orders are lost"):
        whole = text.partition(" ")[2]
        asked = await say(slack, settle, f"/incident {text}", channel=here)
        number, _, rest = whole.partition(" ")

        act = "Publish" if text.startswith("update") else "Private note"
        assert labels(asked) == [
            f'{act} on INC-{number}: "{rest}"',
            f'{act} on INC-1: "{whole}"',
        ]

    sure = await say(slack, settle, "/incident update 1 of 15 replicas is back", channel=here)
    assert sure.text.startswith("INC-1 stays *Investigating*")
    sure = await say(slack, settle, "/incident note #2 db-3 is slow", channel=here)
    assert sure.text.startswith("INC-2 stays *Investigating*")


async def test_a_click_opens_a_channel_with_its_people_topic_and_pinned_card(
    slack, ratchet, settle
):
    await say(slack, settle, "/incident declare Checkout is down", "/incident assign 1 @bo")
    answer = await open_channel(slack, settle)

    assert answer.words().startswith(
        "INC-1 gets a channel of its own, and its card will link to it; "
        "its owner, its declarer and the responders are invited; next: "
    )
    channel = own(slack)
    assert channel.kind == "public"
    assert members(channel) == {"U0MIA", "U0BO"}
    assert channel.topic == "INC-1 Checkout is down · here `/incident …` needs no number"
    assert channel.pins == [card(slack, channel).ts]
    assert f"Channel: <#{channel.id}>" in card(slack).words()
    assert "Open a channel" not in labels(card(slack))


async def test_every_list_links_to_it(slack, opened, settle):
    for line in ("/incident list", "/incident", "/incident show 1"):
        assert f"<#{opened.id}>" in (await say(slack, settle, line, channel="#general")).words()


async def test_a_second_click_opens_no_second_channel(slack, ratchet, settle):
    await say(slack, settle, "/incident declare Checkout is down")
    drawn = card(slack).snapshot()
    await (await slack.person("mia").press(drawn, "Open a channel")).answer()
    await (await slack.person("bo").press(drawn, "Open a channel")).answer()
    await settle()

    assert [one.name for one in owned(slack)] == [NAME]


async def test_in_its_channel_no_number_is_needed_also_after_the_end(slack, opened, settle):
    here = f"#{NAME}"
    moved = await say(slack, settle, "/incident status identified db-3", channel=here)
    assert "INC-1 is now *Identified*" in moved.words()
    await say(slack, settle, "/incident next", "/incident next", channel=here)

    assert "INC-1" in (await say(slack, settle, "/incident timeline", channel=here)).words()
    assert "INC-1" in (await say(slack, settle, "/incident report", channel=here)).words()
    over = await say(slack, settle, "/incident note too late", channel=here)
    assert "INC-1" in over.words()


async def test_two_open_incidents_in_its_channel_are_asked_about(slack, opened, settle):
    await say(slack, settle, "/incident declare Search is slow", channel=f"#{NAME}")
    asked = await say(slack, settle, "/incident next", channel=f"#{NAME}")

    assert "INC-1" in asked.words()
    assert "INC-2" in asked.words()


async def test_an_owner_who_comes_later_is_invited_and_nobody_twice(slack, opened, settle):
    opened.members.remove("U0BO")
    await say(slack, settle, "/incident assign 1 @sam")

    assert members(opened) == {"U0MIA", "U0SAM"}


async def test_the_card_in_it_is_edited_with_the_others(slack, opened, settle):
    await say(slack, settle, "/incident status 1 identified db-3 lost quorum")

    assert "*Identified*" in card(slack, opened).words()
    assert len([m for m in opened.messages if "Owner:" in m.words()]) == 1
    assert "quorum" not in repr(opened.messages)


async def test_another_title_gives_the_channel_another_name_and_topic(slack, opened, settle):
    await say(slack, settle, "/incident title 1 Payments are slow")

    assert opened.name == "inc-1-payments-are-slow"
    assert opened.topic.startswith("INC-1 Payments are slow")
    assert opened.previous_names == [NAME]


@pytest.mark.parametrize("severity", ["critical", "high", "medium"])
async def test_a_severity_of_the_setting_opens_it_without_a_click(
    severity, slack, environment, clock
):
    chosen = {**environment, "INCIDENT_CHANNELS": "critical,high"}
    async with running(chosen, slack, clock) as app:
        await say(
            slack,
            lambda: settled(app, clock),
            f"/incident declare Checkout is down severity:{severity}",
        )
        assert len(owned(slack)) == (severity != "medium")
        await say(slack, lambda: settled(app, clock), "/incident severity 1 critical")
        assert [one.name for one in owned(slack)] == [NAME]


async def test_without_the_setting_nothing_is_offered(slack, environment, clock):
    async with running({**environment, "INCIDENT_CHANNELS": "off"}, slack, clock) as app:
        await say(
            slack,
            lambda: settled(app, clock),
            "/incident declare Checkout is down severity:critical",
        )

        assert "Open a channel" not in labels(card(slack))
        assert owned(slack) == []


async def test_a_card_from_before_the_setting_was_switched_off_opens_nothing(
    slack, environment, clock
):
    async with running(environment, slack, clock) as app:
        await say(slack, lambda: settled(app, clock), "/incident declare Checkout is down")
    async with running({**environment, "INCIDENT_CHANNELS": "off"}, slack, clock) as app:
        answer = await open_channel(slack, lambda: settled(app, clock))

        assert "Incidents get no channels of their own here" in answer.words()
        assert owned(slack) == []


async def test_a_missing_scope_is_said_on_the_card_and_a_later_click_works(
    slack, ratchet, settle, clock
):
    slack.faults.refuse("conversations.create", error="missing_scope")
    await say(slack, settle, "/incident declare Checkout is down")
    await open_channel(slack, settle)

    assert "Channel: Slack does not make one (`missing_scope`)." in card(slack).words()
    assert "A workspace admin must give the app its optional scopes" in card(slack).words()
    told = slack.workspace.direct(slack.person("mia").user).messages[-1].words()
    assert "INC-1 gets no channel: Slack does not make one (`missing_scope`)." in told
    assert "A workspace admin must give the app its optional scopes" in told
    assert owned(slack) == []

    await open_channel(slack, settle)

    assert [one.name for one in owned(slack)] == [NAME]
    assert "missing_scope" not in card(slack).words()
    assert await ratchet.outbox.retry_dead(at=clock()) == 1
    await settle()
    assert [one.name for one in owned(slack)] == [NAME]


async def test_a_name_that_an_old_channel_has_gets_a_number(slack, ratchet, settle):
    slack.workspace.add_channel(NAME, members=["sam"], archived=True)
    slack.workspace.add_channel(f"{NAME}-2", members=["sam"], private=True, bot=False)
    await say(slack, settle, "/incident declare Checkout is down")
    await open_channel(slack, settle)

    assert [one.name for one in owned(slack)] == [f"{NAME}-3"]


async def test_no_free_name_is_said_on_the_card(slack, ratchet, settle):
    slack.faults.refuse("conversations.create", error="name_taken", times=20)
    await say(slack, settle, "/incident declare Checkout is down")
    await open_channel(slack, settle)

    assert "Channel: Slack does not make one (`name_taken`)." in card(slack).words()
    slack.faults.refuse("conversations.create", error="restricted_action")
    await open_channel(slack, settle)
    assert "A workspace admin must let apps make channels" in card(slack).words()
    await open_channel(slack, settle)
    assert len(owned(slack)) == 1


# --- private -------------------------------------------------------------------------------------


@pytest.fixture
async def secluded(slack, ratchet, settle):
    """The private channel of a private incident that Mia has declared and Bo owns.

    Sam, a responder here, is invited to it.
    """
    slack.workspace.groups["S0RESPONDERS"].members.append(slack.workspace.user("sam").id)
    await say(
        slack,
        settle,
        "/incident declare Card data leaked private",
        "/incident assign 1 @bo",
        "/incident invite 1 @sam",
    )
    await open_channel(slack, settle, channel="@mia")
    return own(slack, "inc-1-card-data-leaked")


async def test_a_private_incident_gets_a_private_channel_with_its_readers_alone(slack, secluded):
    assert secluded.kind == "private"
    assert members(secluded) == {"U0MIA", "U0BO", "U0SAM"}
    assert secluded.pins == [card(slack, secluded).ts]


async def test_a_reader_who_is_no_responder_has_the_card_and_no_notes(slack, secluded, settle):
    slack.workspace.add_user("ada")
    await say(slack, settle, "/incident invite 1 @ada", "/incident note 1 the key was in the log")

    assert members(secluded) == {"U0MIA", "U0BO", "U0SAM"}
    assert "Card data leaked" in card(slack, "@ada").words()


async def test_notes_are_posted_there_and_withdrawn_there(slack, secluded, settle):
    await say(slack, settle, "/incident note 1 the key was in the log", "/incident next 1 rotated")

    notes = [m.words() for m in secluded.messages if "Note by" in m.words()]
    assert ["the key was in the log" in notes[0], "rotated" in notes[1]] == [True, True]
    assert "Note by <@U0MIA> (entry 5), only for this channel" in notes[0]

    await say(slack, settle, "/incident withdraw 1 5")

    words = [m.words() for m in secluded.messages]
    assert "The note by <@U0MIA> (entry 5) was withdrawn." in words
    assert "the key" not in repr([m.text for m in secluded.messages])
    others = [one for one in slack.workspace.channels.values() if one is not secluded]
    assert "rotated" not in repr([m.text for one in others for m in one.messages])


async def test_a_note_from_before_the_channel_was_made_is_posted_there(slack, ratchet, settle):
    await say(slack, settle, "/incident declare Card data leaked private", "/incident note 1 early")
    slack.faults.rate_limit("conversations.create", retry_after=30)
    await (await slack.person("mia").press(card(slack, "@mia"), "Open a channel")).answer()
    await ratchet.worker.deliver_due()
    await say(slack, settle, "/incident note 1 meanwhile")

    words = "".join(m.words() for m in own(slack, "inc-1-card-data-leaked").messages)
    assert "meanwhile" in words
    assert "early" not in words


async def test_who_may_see_it_no_more_is_removed(slack, secluded, settle):
    await say(slack, settle, "/incident uninvite 1 @sam")
    assert members(secluded) == {"U0MIA", "U0BO"}

    await say(slack, settle, "/incident assign 1 @mia")
    assert members(secluded) == {"U0MIA"}

    await say(slack, settle, "/incident invite 1 @bo")
    assert members(secluded) == {"U0MIA", "U0BO"}


async def test_members_of_the_channel_see_the_incident(slack, secluded, settle):
    ada = slack.workspace.add_user("ada")
    secluded.members.append(ada.id)
    slack.workspace.channel("#general").members.append(ada.id)
    here = await say(slack, settle, "/incident show", by="ada", channel=f"#{secluded.name}")
    elsewhere = await say(slack, settle, "/incident show 1", by="ada", channel="#general")

    assert "Card data leaked" in here.words()
    assert "Card data leaked" not in elsewhere.words()
    assert f"people in <#{secluded.id}>" in here.words()


def about_readers(channel):
    """The words in a channel that its incident has other readers."""
    return [m.words() for m in channel.messages if "INC-1 is p" in m.text and not m.edits]


async def test_a_private_channel_says_that_its_incident_is_private_again(slack, secluded, settle):
    mia = slack.person("mia")
    await mia.command("#payments", "/incident public 1")
    await slack.until(lambda: mia.has_view and mia.view.given.get("submit") is not None)
    await mia.submit()
    await settle()
    answer = await say(slack, settle, "/incident private 1")
    await (await mia.press(answer, "Make it private")).answer()
    await settle()

    assert about_readers(secluded) == [
        "INC-1 is public now. Its notes are posted here no more.",
        "INC-1 is private again. Its notes are posted here from now on.",
    ]


async def test_a_public_channel_says_nothing_once_the_incident_is_private(slack, opened, settle):
    answer = await say(slack, settle, "/incident private 1")
    await (await slack.person("mia").press(answer, "Make it private")).answer()
    await settle()
    await say(slack, settle, "/incident note 1 the key was in the log")

    assert [m.words() for m in opened.messages] == [
        "_INC-1 is no longer public._",
        "INC-1 is no longer public. Write nothing about it here.",
    ]
    assert opened.name == "inc-1"
    assert opened.topic == "INC-1 is not discussed here any more."
    asked = await say(slack, settle, "/incident next", channel="#inc-1", by="bo")
    assert "No open incident has its card in this channel" in asked.words()

    await open_channel(slack, settle, channel="@mia")

    closed = own(slack, NAME)
    assert closed.kind == "private"
    assert members(closed) == {"U0MIA", "U0BO"}
    assert "the key" not in repr([m.text for m in opened.messages])


async def test_a_private_channel_gets_no_notes_once_the_incident_is_public(slack, secluded, settle):
    mia = slack.person("mia")
    asked = await mia.command("#payments", "/incident public 1")
    await slack.until(lambda: mia.has_view and mia.view.given.get("submit") is not None)
    await mia.submit()
    await asked.answer()
    await say(slack, settle, "/incident note 1 the key was in the log")

    assert not [m for m in secluded.messages if "the key" in m.words()]
    words = ["INC-1 is public now. Its notes are posted here no more."]
    assert about_readers(secluded) == words
    assert "Channel:" not in card(slack).words()
    assert "Open a channel" in labels(card(slack))


# --- Slack's limits, and lost responses ----------------------------------------------------------


async def test_thirty_declarations_in_a_minute_get_their_channels_once(database_url, clock):
    limits = Limits(posting=True, burst=1, tiers=True)
    async with a_standin(clock=clock.seconds, limits=limits) as slack:
        slack.workspace.add_group("responders", members=["mia", "bo"])
        chosen = {
            **environment_for(slack, database_url, "http"),
            "RESPONDERS_GROUP": "S0RESPONDERS",
            "INCIDENT_CHANNELS": "critical",
        }
        async with running(chosen, slack, clock) as app:
            for number in range(30):
                line = f"/incident declare No {number} severity:critical"
                asked = await slack.person("mia").command("#payments", line)
                await asked.answer()
                clock.advance(seconds=2)
            await settled(app, clock)
            made = owned(slack)

            names = sorted(f"inc-{number + 1}-no-{number}" for number in range(30))
            assert sorted(one.name for one in made) == names
            assert all(members(one) == {"U0MIA", "U0BO"} for one in made)
            assert all(one.topic and one.purpose and len(one.pins) == 1 for one in made)


@pytest.mark.parametrize(
    "method",
    [
        "conversations.create",
        "conversations.rename",
        "conversations.setTopic",
        "conversations.setPurpose",
        "conversations.invite",
        "pins.add",
    ],
)
@pytest.mark.parametrize("fault", ["lose_answer", "rate_limit", "server_error", "cut"])
async def test_no_fault_makes_a_second_channel_or_loses_a_step(
    fault, method, slack, ratchet, settle
):
    getattr(slack.faults, fault)(method)
    await say(slack, settle, "/incident declare Checkout is down", "/incident assign 1 @bo")
    await open_channel(slack, settle)
    await say(slack, settle, "/incident title 1 Payments are slow")

    (channel,) = owned(slack)
    assert channel.name == "inc-1-payments-are-slow"
    assert channel.topic.startswith("INC-1 Payments are slow")
    assert members(channel) == {"U0MIA", "U0BO"}
    assert channel.pins == [card(slack, channel).ts]


@pytest.mark.parametrize("method", ["conversations.kick", "conversations.archive"])
@pytest.mark.parametrize("fault", ["lose_answer", "rate_limit", "server_error", "cut"])
async def test_no_fault_keeps_a_person_in_or_a_channel_open(
    fault, method, slack, secluded, ratchet, settle, clock
):
    getattr(slack.faults, fault)(method)
    await say(slack, settle, "/incident uninvite 1 @sam", "/incident note 1 the key was in the log")
    assert members(secluded) == {"U0MIA", "U0BO"}
    assert len([m for m in secluded.messages if "the key" in m.words()]) == 1

    await end(slack, settle)
    for hours in (48, 25):
        clock.advance(hours=hours)
        await look(ratchet, settle)

    assert secluded.is_archived
    assert len(announced(secluded)) == 1
    assert len([call for call in slack.calls if call.method == method]) == 2
    assert await ratchet.outbox.undelivered() == ()


async def test_a_severity_that_asks_for_a_channel_tells_nobody_of_a_refusal(
    slack, environment, clock
):
    chosen = {**environment, "INCIDENT_CHANNELS": "critical"}
    async with running(chosen, slack, clock) as app:
        slack.faults.refuse("conversations.create", error="missing_scope")
        await say(
            slack, lambda: settled(app, clock), "/incident declare Checkout is down", by="mia"
        )
        await say(slack, lambda: settled(app, clock), "/incident severity 1 critical")

        assert "Channel: Slack does not make one (`missing_scope`)." in card(slack).words()
        told = slack.workspace.direct(slack.person("mia").user).messages
        assert "gets no channel" not in repr([one.text for one in told])


async def test_a_channel_whose_response_was_lost_is_found_under_another_title(
    slack, ratchet, settle
):
    slack.faults.lose_answer("conversations.create")
    await say(slack, settle, "/incident declare Checkout is down")
    await (await slack.person("mia").press(card(slack), "Open a channel")).answer()
    await ratchet.worker.deliver_due()
    await say(slack, settle, "/incident title 1 Payments are slow")

    assert [one.name for one in owned(slack)] == ["inc-1-payments-are-slow"]


async def test_a_channel_that_the_database_forgot_is_found_by_its_purpose(
    slack, opened, settle, ratchet
):
    def forget(tx):
        incident = tx.incident("T0SANDBOX", 1)
        (its,) = incident.channels
        tx.save_channel(
            incident, replace(its, id=None, error="forgotten"), (), at=incident.updated_at
        )

    await ratchet.store.write(forget)
    await say(slack, settle, "/incident severity 1 low")
    await open_channel(slack, settle)

    assert [one.id for one in owned(slack)] == [opened.id]


async def test_a_person_whom_slack_refuses_keeps_nobody_else_out(slack, environment, clock):
    people = [slack.workspace.add_user(f"person{number}").id for number in range(150)]
    gone = slack.workspace.add_user("gone", deleted=True).id
    slack.workspace.groups["S0RESPONDERS"].members += [*people, gone]
    async with running(environment, slack, clock) as app:
        await say(slack, lambda: settled(app, clock), "/incident declare Checkout is down")
        await open_channel(slack, lambda: settled(app, clock))

    assert members(own(slack)) == {"U0MIA", "U0BO", *people}


async def test_the_name_waits_for_the_end_of_the_hold(slack, environment, clock):
    held = {**environment, "INCIDENT_CHANNELS": "critical", "PUBLISH_DELAY": "10"}
    async with running(held, slack, clock) as app:
        mia = slack.person("mia")
        declared = await mia.command("#payments", "/incident declare Held title severity:critical")
        await declared.answer()
        clock.advance(seconds=9)
        await app.worker.deliver_due()
        assert owned(slack) == []
        await settled(app, clock)
        assert [one.name for one in owned(slack)] == ["inc-1-held-title"]

        await (await mia.command("#payments", "/incident title 1 Secret second")).answer()
        clock.advance(seconds=9)
        await app.worker.deliver_due()
        assert "second" not in repr(own(slack, "inc-1-held-title").as_slack(bot_user=""))
        await settled(app, clock)
        assert owned(slack)[0].name == "inc-1-secret-second"


# --- the end -------------------------------------------------------------------------------------


async def end(slack, settle):
    await say(slack, settle, *["/incident next 1"] * 3)


async def look(ratchet, settle):
    await ratchet.channels.look()
    await ratchet.channels.look()
    await settle()


def announced(channel):
    return [m for m in channel.messages if "will be archived" in m.words()]


async def test_three_days_after_the_end_it_is_archived_announced_a_day_before(
    slack, opened, ratchet, settle, clock
):
    await end(slack, settle)
    clock.advance(hours=47)
    await look(ratchet, settle)
    assert announced(opened) == []

    clock.advance(hours=1)
    await look(ratchet, settle)
    (told,) = announced(opened)
    assert "INC-1 is over, and this channel will be archived" in told.words()
    assert labels(told) == ["Keep it"]

    clock.advance(hours=23, minutes=30)
    await look(ratchet, settle)
    assert not opened.is_archived
    clock.advance(hours=1)
    await look(ratchet, settle)
    assert opened.is_archived
    assert len(announced(opened)) == 1
    kept = await (await slack.person("mia").press(told, "Keep it")).answer()
    assert "INC-1 has no channel that could be kept." in kept.words()


async def test_one_that_is_kept_is_not_archived(slack, opened, ratchet, settle, clock):
    await end(slack, settle)
    clock.advance(hours=49)
    await look(ratchet, settle)
    (told,) = announced(opened)
    kept = await (await slack.person("bo").press(told, "Keep it")).answer()
    assert "The channel of INC-1 stays, and is not archived" in kept.words()
    again = await (await slack.person("mia").press(told, "Keep it")).answer()
    assert "Nothing had to change." in again.words()

    clock.advance(days=9)
    await look(ratchet, settle)
    assert not opened.is_archived


async def test_the_stages_happen_once_over_restarts(slack, environment, clock):
    async with running(environment, slack, clock) as app:
        await say(slack, lambda: settled(app, clock), "/incident declare Checkout is down")
        await open_channel(slack, lambda: settled(app, clock))
        await end(slack, lambda: settled(app, clock))
    for _ in range(3):
        clock.advance(days=4)
        async with running(environment, slack, clock) as app:
            await look(app, lambda app=app: settled(app, clock))

    archives = [call for call in slack.calls if call.method == "conversations.archive"]
    assert len(announced(own(slack))) == len(archives) == 1


async def test_a_reopened_one_is_not_archived(slack, environment, clock, tmp_path):
    lifecycle = tmp_path / "again.toml"
    lifecycle.write_text(AGAIN)
    chosen = {**environment, "LIFECYCLES_FILE": str(lifecycle), "DEFAULT_LIFECYCLE": "again"}
    async with running(chosen, slack, clock) as app:

        def settle():
            return settled(app, clock)

        await say(slack, settle, "/incident declare Checkout is down")
        await open_channel(slack, settle)
        await say(slack, settle, "/incident status 1 fixed")
        clock.advance(hours=49)
        await look(app, settle)
        assert len(announced(own(slack))) == 1
        await say(slack, settle, "/incident status 1 working")
        clock.advance(days=9)
        await look(app, settle)

        assert not own(slack).is_archived
        assert await differences(app, slack, clock) == []
