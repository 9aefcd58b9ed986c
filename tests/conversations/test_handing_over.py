"""A new owner is asked, and somebody hears of a refusal and of silence."""

from __future__ import annotations

import copy

import pytest

from bot.slack import handing
from core.channel import ChannelStage, OwnChannel
from core.handover import Answer, HandOver
from core.incident import Place
from tests.builders import ADA, GRACE, NINE, an_incident
from tests.conversations.conftest import running, settled
from tests.standin import labels


@pytest.fixture
def mode():
    return "http"


async def hand_over(slack, settle, title="Checkout is down"):
    """Mia declares an incident and hands it to Bo; the question that he gets."""
    for line in (f"/incident declare {title}", "/incident assign 1 @bo"):
        asked = await slack.person("mia").command("#payments", line)
        await asked.answer()
    await settle()
    return questions(slack, "bo")[-1]


@pytest.fixture
async def handed(slack, ratchet, settle):
    return await hand_over(slack, settle)


def questions(slack, name):
    """The direct messages to a person, without the cards of private incidents."""
    found = slack.workspace.direct(slack.person(name).user).messages
    return [one for one in found if "hand_over" in repr(one.metadata)]


def owner(slack):
    (card,) = [m for m in slack.workspace.channel("#payments").messages if "Owner:" in m.words()]
    return card.words().split("Owner: ")[1].split()[0]


async def look(ratchet, settle):
    await ratchet.hand_overs.look()
    await settle()


async def test_a_new_owner_gets_a_direct_message_with_the_place_of_work(slack, handed):
    assert "<@U0MIA> made you the owner of INC-1: Checkout is down." in handed.words()
    assert "The work on it is in <#C0PAYMENTS>." in handed.words()
    assert labels(handed) == ["Got it", "Not me", "Update…"]


async def test_the_question_becomes_the_answer_of_an_owner_who_takes_it(slack, handed, settle):
    pressed = await slack.person("bo").press(handed, "Got it")

    assert "INC-1 is yours" in (await pressed.answer()).words()
    await settle()
    (asked,) = questions(slack, "bo")
    assert "You took INC-1 (*Investigating*, medium)." in asked.words()
    assert labels(asked) == []
    assert owner(slack) == "<@U0BO>"


async def test_not_me_gives_it_back_and_the_one_who_assigned_it_is_told(slack, handed, settle):
    pressed = await slack.person("bo").press(handed, "Not me")

    assert "INC-1 is now owned by <@U0MIA> (was bo)" in (await pressed.answer()).words()
    await settle()
    (told,) = questions(slack, "mia")
    assert "<@U0BO> did not take INC-1 (*Investigating*, medium)." in told.words()
    assert "It is owned by <@U0MIA> now." in told.words()
    assert labels(told) == ["Assign…"]
    assert owner(slack) == "<@U0MIA>"
    (asked,) = questions(slack, "bo")
    nine = "<!date^1772442000^{time}|09:00 UTC>"
    assert f"They were made its owner {nine}." in told.words()
    assert (
        f"You did not take INC-1 (*Investigating*, medium), which was given to you {nine}: "
        "<@U0MIA> owns it now."
    ) in asked.words()


async def test_not_me_after_the_end_is_told_in_the_working_channel(slack, handed, settle):
    for status in ("identified", "monitoring", "resolved"):
        await slack.person("mia").command("#payments", f"/incident status 1 {status}")
    await settle()
    await (await slack.person("bo").press(handed, "Not me")).answer()
    await settle()

    told = slack.workspace.channel("#payments").messages[-1].words()
    assert "<@U0BO> did not take INC-1 (*Resolved*, medium)." in told
    assert "It is owned by nobody now." in told
    assert questions(slack, "mia") == []


LOST = [
    (
        "assign 1",
        "<@U0MIA> took over INC-1 (*Investigating*, medium) {since}: it is no longer yours.",
    ),
    (
        "assign 1 @sam",
        (
            "You no longer own INC-1 (*Investigating*, medium): <@U0MIA> gave it away {since}. "
            "<@U0SAM> owns it now."
        ),
    ),
]


@pytest.mark.parametrize(("line", "words"), LOST, ids=["taken", "given away"])
async def test_an_owner_who_loses_it_to_another_is_told(line, words, slack, handed, settle, told):
    await (await slack.person("bo").press(handed, "Got it")).answer()
    await settle()
    await told(line)
    await settle()

    (lost,) = [one for one in questions(slack, "bo") if "hand_over_lost" in repr(one.metadata)]
    assert words.format(since="<!date^1772442001^{time}|09:00 UTC>") in lost.text
    assert labels(lost) == ["Assign…"]


async def test_who_loses_a_private_incident_from_sight_learns_only_that(
    slack, ratchet, settle, told
):
    await told("declare Payroll leaked private")
    await told("assign 1 @bo")
    await settle()
    await told("assign 1 @sam")
    await settle()

    assert {one.text for one in questions(slack, "bo")} == {
        "INC-1 is not shown here any more.",
        "INC-1 has another owner now, and is not shown here any more.",
    }


async def test_who_hands_it_over_or_declines_is_told_of_no_loss(slack, handed, settle, told):
    await (await slack.person("bo").press(handed, "Not me")).answer()
    await told("assign 1 @sam")
    await settle()

    assert "hand_over_lost" not in repr([one.metadata for one in questions(slack, "bo")])
    assert "hand_over_lost" not in repr([one.metadata for one in questions(slack, "mia")])


async def test_a_second_answer_changes_nothing(slack, handed, settle):
    await (await slack.person("bo").press(handed, "Got it")).answer()
    pressed = await slack.person("bo").press(handed, "Not me")

    told = await pressed.answer()
    assert "You took INC-1 (*Investigating*, medium) already, and it stays yours." in told.words()
    assert "To hand it over, use *Assign…*." in told.words()
    assert labels(told)[0] == "Assign…"
    assert owner(slack) == "<@U0BO>"


async def test_an_answer_after_somebody_else_became_owner_changes_nothing(slack, handed, settle):
    shown = copy.deepcopy(handed)
    await (await slack.person("sam").command("#payments", "/incident assign 1")).answer()
    await settle()
    pressed = await slack.person("bo").press(shown, "Not me")

    assert "owned by <@U0SAM>" in (await pressed.answer()).words()
    await settle()
    assert owner(slack) == "<@U0SAM>"


async def test_a_question_ends_once_somebody_else_is_owner(slack, handed, ratchet, settle, clock):
    await (await slack.person("sam").command("#payments", "/incident assign 1")).answer()
    await settle()
    asked, _ = questions(slack, "bo")
    clock.advance(minutes=20)
    await look(ratchet, settle)

    assert "No answer is needed any more." in asked.words()
    assert "<@U0SAM> owns it now." in asked.words()
    assert labels(asked) == questions(slack, "mia") == []


async def test_a_question_ends_once_its_owner_acknowledges(slack, handed, settle):
    await (await slack.person("bo").command("#payments", "/incident ack 1")).answer()
    await settle()

    (asked,) = questions(slack, "bo")
    assert "You took INC-1" in asked.words()
    assert labels(asked) == []


async def test_an_open_question_shows_the_incident_as_it_is_now(slack, handed, settle):
    mia = slack.person("mia")
    for line in ("title 1 Payments are late", "severity 1 low", "next 1"):
        await (await mia.command("#payments", f"/incident {line}")).answer()
    await settle()
    (asked,) = questions(slack, "bo")

    assert "made you the owner of INC-1: Payments are late." in asked.words()
    assert "Checkout" not in asked.words()
    assert "*Identified* · low" in asked.words()
    assert labels(asked) == ["Got it", "Not me", "Update…"]


async def test_an_open_question_names_the_readers_once_the_incident_is_private(
    slack, handed, settle
):
    mia = slack.person("mia")
    asked = await (await mia.command("#payments", "/incident private 1")).answer()
    await (await mia.press(asked, "Make it private")).answer()
    await settle()

    assert "see this: INC-1 is private." in questions(slack, "bo")[-1].words()


async def test_the_end_takes_the_update_button_from_an_open_question(
    slack, handed, ratchet, settle, clock
):
    for status in ("identified", "monitoring", "resolved"):
        step = f"/incident status 1 {status}"
        await (await slack.person("mia").command("#payments", step)).answer()
    await settle()
    clock.advance(minutes=20)
    await look(ratchet, settle)

    (asked,) = questions(slack, "bo")
    assert labels(asked) == ["Got it", "Not me"]
    assert "*Resolved* after" in asked.words()
    assert questions(slack, "mia") == []


async def test_an_answered_question_names_no_title(slack, handed, settle):
    """It is edited no more, and its reader may lose the sight of the incident."""
    await (await slack.person("bo").press(handed, "Got it")).answer()
    mia = slack.person("mia")
    asked = await (await mia.command("#payments", "/incident private 1")).answer()
    await (await mia.press(asked, "Make it private")).answer()
    await (await mia.command("#payments", "/incident assign 1 @mia")).answer()
    await settle()

    assert "Checkout" not in "".join(one.words() for one in questions(slack, "bo"))


async def test_not_me_gives_nobody_a_sight_back_that_they_had_lost(slack, ratchet, settle):
    """Sam hands it to Bo; it becomes private, and Bo does not take it."""
    mia, sam = slack.person("mia"), slack.person("sam")
    await (await mia.command("#payments", "/incident declare Checkout is down")).answer()
    await (await sam.command("#payments", "/incident assign 1 @bo")).answer()
    await settle()
    asked = await (await mia.command("#payments", "/incident private 1")).answer()
    await (await mia.press(asked, "Make it private")).answer()
    await settle()
    pressed = await slack.person("bo").press(questions(slack, "bo")[-1], "Not me")
    assert "INC-1 is now owned by nobody (was bo)" in (await pressed.answer()).words()
    await settle()

    (told,) = questions(slack, "mia")
    assert "<@U0BO> did not take INC-1" in told.words()
    assert "It is owned by nobody now." in told.words()
    assert questions(slack, "sam") == []
    hidden = await (await sam.command("#payments", "/incident show 1")).answer()
    assert "There is no incident INC-1 here." in hidden.words()


async def test_silence_is_told_once_to_the_one_who_assigned_it(
    slack, handed, ratchet, settle, clock
):
    clock.advance(minutes=14)
    await look(ratchet, settle)
    before = questions(slack, "mia")
    clock.advance(minutes=1)
    await look(ratchet, settle)
    await look(ratchet, settle)

    (told,) = questions(slack, "mia")
    assert before == []
    assert "<@U0BO> has not answered whether they take INC-1 (*Investigating*, medium)." in (
        told.words()
    )
    assert labels(told) == ["Assign…"]


@pytest.mark.parametrize(
    ("who", "act", "told"),
    [
        ("bo", "Got it", "<@U0BO> answered late, and took INC-1 (*Investigating*, medium)."),
        ("bo", "Not me", "<@U0BO> answered late, and did not take INC-1"),
        ("bo", "/incident ack 1", "<@U0BO> answered late, and took INC-1"),
        ("sam", "/incident assign 1", "<@U0BO> need not answer any more: <@U0SAM> owns INC-1"),
    ],
)
async def test_the_word_of_silence_says_afterwards_what_came_of_it(
    who, act, told, slack, handed, ratchet, settle, clock
):
    clock.advance(minutes=15)
    await look(ratchet, settle)
    person = slack.person(who)
    said = person.command("#payments", act) if act[0] == "/" else person.press(handed, act)
    await (await said).answer()
    await settle()

    first = questions(slack, "mia")[0]
    assert told in first.words()
    assert "has not answered" not in first.words()
    assert labels(first) == []


async def test_the_word_of_silence_says_after_the_end_that_nobody_waits(
    slack, handed, ratchet, settle, clock
):
    clock.advance(minutes=15)
    await look(ratchet, settle)
    mia = slack.person("mia")
    for status in ("identified", "monitoring"):
        await (await mia.command("#payments", f"/incident status 1 {status}")).answer()
    await settle()
    (told,) = questions(slack, "mia")
    assert "has not answered" in told.words()
    await (await mia.command("#payments", "/incident status 1 resolved")).answer()
    await settle()

    (told,) = questions(slack, "mia")
    did_not = "did not answer whether they take INC-1 (*Resolved*, medium), and no longer has to."
    assert did_not in told.words()


async def test_silence_is_told_once_over_a_restart(slack, environment, clock):
    async with running(environment, slack, clock) as app:
        await hand_over(slack, lambda: settled(app, clock))
    clock.advance(hours=2)
    for _ in range(2):
        async with running(environment, slack, clock) as app:
            await app.hand_overs.look()
            await settled(app, clock)

    assert len(questions(slack, "mia")) == 1


@pytest.mark.parametrize(
    ("answer", "owner", "status"),
    [(Answer.TAKEN, GRACE, "identified"), (None, ADA, "identified"), (None, GRACE, "resolved")],
    ids=["answered", "another owner", "over"],
)
def test_the_word_of_silence_is_dropped_once_it_is_true_no_longer(answer, owner, status):
    asked = HandOver(entry=2, to=GRACE, by=ADA, asked_at=NINE, answer=answer)
    incident = an_incident(owner=owner, status=status)

    assert handing.unanswered(incident, asked, at=NINE) is None


async def test_the_question_about_a_private_incident_names_its_readers_and_ends_with_its_sight(
    slack, ratchet, settle
):
    asked = await hand_over(slack, settle, "Checkout is down private")
    before = asked.words()
    await (await slack.person("bo").press(asked, "Not me")).answer()
    await settle()

    assert "see this: INC-1 is private." in before
    assert "The work on it" not in before
    assert "INC-1 is not shown here any more." in questions(slack, "bo")[-1].words()
    assert "Checkout" not in questions(slack, "bo")[-1].words()


@pytest.mark.parametrize(
    ("private", "own", "place"),
    [
        (False, {"id": "C0OWN"}, "<#C0OWN>"),
        (True, {"id": "C0OWN"}, "<#C0OWN>"),
        (False, {"error": "missing_scope"}, "<#C0PAYMENTS>"),
        (False, {"id": "C0OWN", "stage": ChannelStage.ARCHIVED}, "<#C0PAYMENTS>"),
    ],
)
def test_the_place_of_work_is_the_incidents_own_channel_where_it_has_one(private, own, place):
    channel = OwnChannel(private=private, entry=2, **own)
    incident = an_incident(
        owner=GRACE, private=private, channels=(channel,), place=Place("C0PAYMENTS")
    )
    asked = HandOver(entry=3, to=GRACE, by=ADA, asked_at=NINE)

    told = handing.unanswered(incident, asked, at=NINE)

    assert f"The work on it is in {place}." in told["text"]


async def test_nobody_else_answers_for_the_new_owner(slack, handed, ratchet):
    slack.workspace.direct(slack.person("bo").user).members.append(slack.person("sam").user.id)
    pressed = await slack.person("sam").press(handed, "Not me")

    assert "Only the new owner of INC-1 is asked that." in (await pressed.answer()).words()


@pytest.fixture
async def asked_twice(slack, ratchet, settle):
    """Bo's two questions about INC-1: Slack's response to the first was lost."""
    mia = slack.person("mia")
    await (await mia.command("#payments", "/incident declare Checkout is down")).answer()
    await settle()
    slack.faults.lose_answer("chat.postMessage", channel=slack.person("bo").id)
    await (await mia.command("#payments", "/incident assign 1 @bo")).answer()
    await settle()
    first, second = questions(slack, "bo")
    return first, second


@pytest.mark.parametrize("answer", ["Got it", "Not me"])
async def test_a_question_that_was_asked_twice_ends_with_the_click_on_it(
    answer, slack, asked_twice, settle
):
    first, second = asked_twice
    assert "You may have this question twice" not in first.words()
    assert "You may have this question twice" in second.words()

    await slack.person("bo").press(first, answer)
    await slack.until(lambda: "Got it" not in labels(questions(slack, "bo")[0]))
    await settle()

    assert [one for one in questions(slack, "bo") if "Not me" in labels(one)] == []
    assert owner(slack) == ("<@U0BO>" if answer == "Got it" else "<@U0MIA>")


async def test_the_first_of_two_questions_ends_also_after_an_answer_to_the_second(
    slack, asked_twice, settle
):
    first, second = asked_twice
    bo = slack.person("bo")
    await (await bo.press(second, "Not me")).answer()
    await settle()

    await bo.press(first, "Got it")
    await slack.until(lambda: "Got it" not in labels(questions(slack, "bo")[0]))
    await settle()

    assert owner(slack) == "<@U0MIA>"


async def test_each_act_of_a_hand_over_has_its_own_words(slack, handed, settle):
    mia, bo = slack.person("mia"), slack.person("bo")
    await (await bo.press(handed, "Got it")).answer()
    await (await bo.command("#payments", "/incident assign 1 @mia")).answer()
    await settle()
    await (await mia.press(questions(slack, "mia")[-1], "Not me")).answer()
    await settle()

    told = (await (await mia.command("#payments", "/incident timeline 1")).answer()).words()
    for words in ("took it", "made mia the owner (was bo)", "did not take it: bo owns it now"):
        assert words in told


async def test_who_declines_a_private_incident_keeps_no_reminder_of_it(
    slack, ratchet, settle, told, clock
):
    await told("declare Payroll leaked private")
    await told("assign 1 @bo")
    await told("promise 1 10m")
    await settle()
    clock.advance(minutes=5, seconds=5)
    await ratchet.nudges.look()
    await settle()
    there = slack.workspace.direct(slack.person("bo").user).messages
    assert [one for one in there if "Payroll" in one.words() and "+15 min" in labels(one)]

    await (await slack.person("bo").press(questions(slack, "bo")[0], "Not me")).answer()
    await settle()

    assert not [one.text for one in there if "Payroll" in one.words()]
