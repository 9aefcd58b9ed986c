"""Promises of the next public update, from the command to the last message about one."""

from __future__ import annotations

import pytest

from tests.conversations.conftest import responding
from tests.standin import announced, labels

GROUP = "<!subteam^S0RESPONDERS>"
PAYMENTS, STATUS = "#payments", "#status"


@pytest.fixture
def mode():
    return "http"


@pytest.fixture
def environment(environment, slack):
    return responding(environment, slack)


@pytest.fixture
def mia(slack):
    return slack.person("mia")


@pytest.fixture
def bo(slack):
    return slack.person("bo")


@pytest.fixture
def says(mia):
    """The answer to a command of Mia's about the incident."""

    async def says(line):
        asked = await mia.command(PAYMENTS, f"/incident {line}")
        return await asked.answer()

    return says


@pytest.fixture
async def declared(ratchet, says, settle):
    """INC-1, high, which Bo leads."""
    await says("declare Checkout is down severity:high")
    await says("assign 1 @bo")
    await settle()


@pytest.fixture
def passes(ratchet, clock, settle):
    """Lets minutes pass, one after another, with a look at each."""

    async def passes(minutes):
        for _ in range(minutes):
            clock.advance(minutes=1)
            await ratchet.nudges.look()
            await settle()

    return passes


def card(slack):
    """The status card, in one string."""
    return repr(slack.channel_view(STATUS))


def reminders(slack, name="bo"):
    """The direct messages to a person, without the one that asks a new owner."""
    sent = slack.workspace.channel(f"@{name}").messages
    return [message for message in sent if "made you the owner" not in message.text]


def direct(slack, name="bo"):
    """The words of these messages."""
    return [message.words() for message in reminders(slack, name)]


def about_promises(slack):
    """The messages in the working channel beside the card."""
    return [
        m.words() for m in slack.workspace.channel(PAYMENTS).messages if "promised by" in m.text
    ]


async def test_an_update_promises_the_next_one_by_its_severity(slack, declared, says, settle):
    answer = await says("update 1 We are looking into it.")
    await settle()

    assert "It promises the next one by <!date^1772445600^{time}|10:00 UTC>." in answer.text
    assert "Next update by <!date^1772445600^{time}|10:00 UTC>" in card(slack)
    # What was just done has a line of its own, before the next steps.
    assert [b["text"]["text"] for b in answer.blocks[1]["elements"]] == ["Change…", "No promise"]


async def test_no_promise_takes_it_away(slack, declared, mia, says, settle):
    answer = (await says("update 1 We are looking into it.")).snapshot()
    released = await (await mia.press(answer, "No promise")).answer()
    await settle()

    assert "the promise of <!date^1772445600^{time}|10:00 UTC> is released" in released.text
    assert "Next update" not in card(slack)
    again = await (await mia.press(answer, "No promise")).answer()
    assert "That promise of INC-1 is over, and nothing was changed." in again.text


async def test_a_second_press_of_the_same_button_moves_a_promise_no_further(
    slack, declared, bo, says, passes, settle
):
    await says("promise 1 10m")
    await passes(6)
    reminder = reminders(slack)[0].snapshot()
    await (await bo.press(reminder, "+15 min")).answer()
    again = await (await bo.press(reminder, "+15 min")).answer()
    await settle()

    quarter_past = "<!date^1772443500^{time}|09:25 UTC>"
    assert f"The next update of INC-1 is promised by {quarter_past} now" in again.text
    assert "Your click changed nothing." in again.text
    assert labels(again) == ["Change…"]
    assert f"Next update by {quarter_past}" in card(slack)


async def test_a_reminder_shows_a_new_title_and_the_new_status(
    slack, declared, says, passes, settle
):
    await says("promise 1 10m")
    await passes(6)
    await says("title 1 Payments are late")
    await says("next 1")
    await settle()

    (reminder,) = reminders(slack)
    assert "INC-1 (*Identified*, high)" in reminder.text
    assert reminder.text.endswith(": Payments are late.")
    assert "Checkout" not in reminder.words()
    assert labels(reminder) == ["Update…", "+15 min", "Release…"]


async def test_a_reminder_of_a_private_incident_ends_with_the_sight_of_its_reader(
    slack, ratchet, says, passes, settle
):
    await says("declare Key leaked private")
    await says("assign 1 @bo")
    await says("promise 1 10m")
    await passes(6)
    assert any("Key leaked" in m.text and "promised by" in m.text for m in reminders(slack))

    await says("assign 1 @mia")
    await settle()

    assert "Key leaked" not in "".join(direct(slack))


async def test_change_opens_the_dialog(slack, declared, mia, says, settle):
    answer = await says("update 1 We are looking into it.")
    opened = await mia.press(answer, "Change…")
    await slack.until(lambda: mia.has_view and mia.view.callback_id == "promise")
    await mia.fill("Next update", "In 15 min")
    await mia.submit()
    changed = await opened.answer()
    await settle()

    assert "the next update is promised by <!date^1772442900^{time}|09:15 UTC>" in changed.text
    assert "Next update by <!date^1772442900^{time}|09:15 UTC>" in card(slack)


# 09:00 UTC is 10:00 in Berlin, where Mia is.
TYPED = [
    ("30m", "09:30"),
    ("in 1h 30m", "10:30"),
    ("1h30", "10:30"),
    ("1.5h", "10:30"),
    ("90m", "10:30"),
    ("2pm", "13:00"),
    ("15:30", "14:30"),
    ("by 3:30 pm", "14:30"),
    ("\uff19\uff10 Minutes", "10:30"),
]


@pytest.mark.parametrize(("time", "shown"), TYPED)
async def test_a_time_is_read_in_the_zone_of_its_author(slack, declared, says, settle, time, shown):
    answer = await says(f"promise 1 {time}")
    await settle()

    assert f"|{shown} UTC>: Checkout is down." in answer.text
    assert f"|{shown} UTC>" in card(slack)


async def open_dialog(slack, person, message, label):
    pressed = await person.press(message, label)
    await slack.until(lambda: person.has_view and person.view.callback_id == "promise")
    return pressed


async def test_a_dialog_of_a_promise_that_is_saved_untouched_changes_nothing_and_says_so(
    slack, declared, mia, says, settle, passes
):
    answer = await says("promise 1 10m")
    await settle()
    opened = await open_dialog(slack, mia, answer, "Change…")
    # Mia is in Berlin, an hour ahead.
    assert "Leave it as it is: by 10:10" in str(mia.view.blocks)
    await mia.submit()
    told = (await opened.answer()).text
    assert "Nothing was changed. Next update by <!date^1772442600^{time}|09:10 UTC> on" in told
    assert "Next update by <!date^1772442600" in card(slack)

    await passes(13)
    (word,) = [m for m in slack.workspace.channel(PAYMENTS).messages if GROUP in m.text]
    opened = await open_dialog(slack, mia, word, "Change…")
    assert "Leave it as it is: was due 10:10" in str(mia.view.blocks)
    await mia.submit()
    told = (await opened.answer()).text
    assert "Nothing was changed. Next update was due <!date^1772442600" in told
    assert "Next update was due" in card(slack)
    assert "released" not in (await says("timeline 1")).words()


async def test_a_dialog_without_a_promise_makes_none_when_it_is_saved_untouched(
    slack, declared, mia, says
):
    offered = await says("promise 1")
    opened = await open_dialog(slack, mia, offered, "Promise an update of INC-1…")
    await mia.submit()

    told = (await opened.answer()).text
    assert "Nothing was changed. INC-1 has no promise of a next update" in told
    assert "Next update" not in card(slack)


async def test_a_reason_for_no_change_stays_in_the_dialog(slack, declared, mia, says):
    answer = await says("promise 1 10m")
    await open_dialog(slack, mia, answer, "Change…")
    await mia.fill("Reason", "The vendor sleeps.")
    await mia.submit()

    assert "a reason belongs to a change" in str(mia.view.errors)
    assert "The vendor sleeps." in str(mia.view.state)


async def test_words_behind_the_time_are_a_private_reason(slack, declared, says, mia, settle):
    answer = await says("promise 1 30m because db-3 lost quorum")
    await settle()
    assert "the next update is promised by <!date^1772443800" in answer.text
    assert "db-3" not in card(slack)
    assert "because db-3 lost quorum" in (await says("timeline 1")).words()

    asked = await says("promise 1 45m the vendor sleeps")
    assert "Nothing was promised." in asked.text
    pressed = await mia.press(asked, "Promise it on INC-1, with this as the private reason")
    assert "promised by <!date^1772444700" in (await pressed.answer()).text
    assert "the vendor sleeps" in (await says("timeline 1")).words()


async def test_a_time_that_has_passed_today_is_asked_about(slack, declared, mia, says, settle):
    asked = await says("promise 1 9:45")
    assert "Nothing was promised." in asked.text
    assert "Next update" not in card(slack)
    for label in ("Promise it for today 21:45 on INC-1", "Promise an update of INC-1…"):
        assert label in asked.words()

    await (await mia.press(asked, "Promise it for tomorrow 09:45 on INC-1")).answer()
    await settle()

    assert "Next update by <!date^1772527500^{date_short_pretty} {time}" in card(slack)


NO_TIME = "promise &lt;n&gt; &lt;30m|15:30|none [reason]&gt;"
PASSED = "must be from one minute to seven days away"


async def test_what_is_no_time_to_come_promises_nothing(slack, declared, says, settle, case):
    rows = dict.fromkeys(["30", "soon", "25:00", "13 pm", "", "99h99"], NO_TIME)

    for time, told in {**rows, "yesterday 15:30": PASSED, "today 9:00": PASSED}.items():
        with case(time):
            answer = await says(f"promise 1 {time}")
            await settle()

            assert told in answer.words()
            assert "Next update" not in card(slack)


async def test_the_owner_is_reminded_and_moves_it(slack, declared, bo, says, passes, settle):
    await says("update 1 We are looking into it.")
    await passes(54)
    assert direct(slack) == []
    await passes(2)

    (reminder,) = reminders(slack)
    assert "the next public update is promised by <!date^1772445600^{time}" in reminder.text
    # It goes to a person who sees the incident, and so it names the title.
    assert reminder.text.endswith("|10:00 UTC>: Checkout is down.")
    assert "|INC-1> in <#C0PAYMENTS>" in reminder.words()
    assert [b["text"]["text"] for b in reminder.blocks[-2]["elements"]] == [
        "Update…",
        "+15 min",
        "Release…",
    ]
    await (await bo.press(reminder, "+15 min")).answer()
    await settle()
    assert "Next update by <!date^1772446500^{time}|10:15 UTC>" in card(slack)
    await passes(15)
    assert len(direct(slack)) == 2
    assert about_promises(slack) == []


async def test_a_promise_stands_without_its_text_and_can_be_released(
    slack, declared, mia, says, settle
):
    """The public has read it: a withdrawal takes the words, and not what was promised."""
    await says("update 1 We are looking into it.")
    await settle()
    withdrawn = await says("withdraw 1 3")
    await settle()
    assert "Its promise of the next update by <!date^1772445600^{time}" in withdrawn.text
    assert "Next update by" in card(slack)
    assert "looking into it" not in card(slack)

    await (await mia.press(withdrawn, "No promise")).answer()
    await settle()
    assert "Next update" not in card(slack)


async def test_a_release_has_a_private_reason(slack, declared, bo, says, passes, settle):
    await says("promise 1 10m")
    await passes(6)
    (reminder,) = reminders(slack)
    await bo.press(reminder, "Release…")
    await slack.until(lambda: bo.has_view and bo.view.callback_id == "promise")
    await bo.fill("Reason", "the vendor decides")
    await bo.submit()
    await settle()
    await passes(10)

    timeline = await says("timeline 1")
    assert "released the promise of the next update" in timeline.words()
    assert "the vendor decides" in timeline.words()
    assert "vendor" not in card(slack)
    assert about_promises(slack) == []


async def test_a_broken_promise_is_told_once_and_stays_on_the_card(
    slack, declared, says, passes, settle
):
    await says("promise 1 10m")
    await passes(11)
    assert "Next update was due <!date^1772442600^{time}|09:10 UTC>" in card(slack)
    assert about_promises(slack) == []
    await passes(20)

    (told,) = about_promises(slack)
    assert told.startswith(
        f"{GROUP} INC-1 (*Investigating*, high): the public update that was promised by"
    )
    assert "was due" in card(slack)
    await says("update 1 We found the cause.")
    await settle()
    assert "was due" not in card(slack)
    assert len(about_promises(slack)) == 1


async def test_without_an_owner_the_working_channel_is_reminded(slack, ratchet, says, passes):
    await says("declare Search is slow severity:high")
    await says("promise 1 10m")
    await passes(6)

    (told,) = about_promises(slack)
    assert told.startswith("INC-1 (*Investigating*, high): the next public update is promised by")
    assert direct(slack) == []


async def test_the_end_takes_every_reminder_with_it(slack, declared, says, passes, settle):
    await says("update 1 status:identified We found the cause.")
    await says("next 1")
    await says("update 1 status:resolved It works again.")
    await settle()
    await passes(70)

    assert "Next update" not in card(slack)
    assert direct(slack) == about_promises(slack) == []


async def test_a_private_incident_promises_to_its_responders_alone(
    slack, ratchet, says, passes, settle
):
    await says("declare Key leaked private severity:critical")
    answer = await says("promise 1 10m")
    await settle()
    await passes(13)
    # A direct message mentions no group.
    assert "has not come" in direct(slack, "mia")[-1]
    assert GROUP not in repr(direct(slack, "mia"))

    assert "You, its owner, workspace admins and whoever you invite see that" in answer.text
    assert slack.channel_view(STATUS) == slack.channel_view(PAYMENTS) == []
    cards, *nudges = direct(slack, "mia")
    assert "Next update was due" in cards
    assert len(nudges) == 2
    await says("note 1 the key is revoked")
    await settle()
    assert "Next update" not in direct(slack, "mia")[0]


async def test_the_dialog_proposes_the_promise_and_publishes_it(slack, declared, mia, settle):
    working = slack.workspace.channel(PAYMENTS).messages[-1]
    await mia.press(working, "Update…")
    await slack.until(lambda: mia.has_view and mia.view.callback_id == "update")
    assert "'initial_option': {'text': {'type': 'plain_text', 'text': 'In 1 h'" in str(
        mia.view.blocks
    )
    await mia.fill("Next public update", "In 30 min")
    await mia.fill("Public update", "We found the cause.")
    await announced(slack, mia)
    await mia.submit()
    await settle()

    assert "Next update by <!date^1772443800^{time}|09:30 UTC>" in card(slack)


async def test_a_dialog_without_a_public_text_promises_nothing(slack, declared, mia, settle):
    working = slack.workspace.channel(PAYMENTS).messages[-1]
    await mia.press(working, "Update…")
    await slack.until(lambda: mia.has_view and mia.view.callback_id == "update")
    await mia.fill("Private note", "db-3 lost quorum")
    await mia.submit()
    await settle()

    assert "Next update" not in card(slack)


async def test_the_dialog_of_a_release_names_the_promise(slack, declared, says, passes, bo, settle):
    await says("promise 1 10m")
    await passes(6)
    (reminder,) = reminders(slack)

    await bo.press(reminder, "Release…")
    await slack.until(lambda: bo.has_view and bo.view.callback_id == "promise")
    shown = str(bo.view.blocks)
    assert (
        "This releases the promise: *Next update by <!date^1772442600^{time}|09:10 UTC>*." in shown
    )
    await bo.fill("Reason", "The vendor decides.")
    await bo.submit()
    await settle()

    assert "Next update" not in card(slack)
    assert "The vendor decides." in (await says("timeline 1")).words()


async def test_a_dialog_releases_only_the_promise_that_it_names(slack, declared, says, mia, settle):
    answer = await says("promise 1 10m")
    pressed = await mia.press(answer, "Change…")
    await slack.until(lambda: mia.has_view and mia.view.callback_id == "promise")
    await mia.fill("Next update", "No promise")
    await mia.fill("Reason", "The vendor decides.")
    await says("promise 1 45m")

    await mia.submit()

    shown = str(mia.view.blocks)
    assert "Its promise has changed meanwhile. Nothing is saved yet." in shown
    assert "In force: *Next update by <!date^1772444700^{time}|09:45 UTC>*." in shown
    assert "The vendor decides." in shown
    await mia.submit()
    assert "is released" in (await pressed.answer()).text


async def test_a_reason_without_a_promise_is_offered_as_a_note(slack, declared, says, mia):
    await says("promise 1 none")

    answer = await says("promise 1 none we forgot to make one")

    assert "There is nothing to release: INC-1 has no promise in force." in answer.words()
    assert "we forgot to make one" in answer.words()
    kept = await (await mia.press(answer, "Private note on INC-1")).answer()
    assert "Your note is kept private." in kept.text
    assert "we forgot to make one" in (await says("timeline 1")).words()


async def test_the_reason_of_a_dialog_without_a_promise_is_offered_as_a_note(
    slack, declared, says, mia
):
    answer = await says("promise 1 10m")
    await mia.press(answer, "Change…")
    await slack.until(lambda: mia.has_view and mia.view.callback_id == "promise")
    await mia.close()
    await says("promise 1 none")
    await mia.press(answer, "Change…")
    await slack.until(lambda: mia.has_view and mia.view.callback_id == "promise")
    assert "No promise is in force." in str(mia.view.blocks)
    await mia.fill("Next update", "No promise")
    await mia.fill("Reason", "we forgot to make one")

    await mia.submit()

    assert "There is nothing to release" in str(mia.view.blocks)
    await mia.press(mia.view, "Private note on INC-1")
    await slack.until(lambda: "kept private" in str(mia.view.blocks))
    assert "we forgot to make one" in (await says("timeline 1")).words()


@pytest.fixture
async def reminded(slack, declared, says, passes):
    """Bo was reminded of the promise of INC-1."""
    await says("promise 1 10m")
    await passes(6)
    (reminder,) = reminders(slack)
    assert labels(reminder) == ["Update…", "+15 min", "Release…"]


ENDS = [
    (["update 1 We found the cause."], "that was promised by {} has come."),
    (
        ["promise 1 none the vendor decides"],
        "nobody waits for the public update by {} any more, because the promise was released.",
    ),
    (["promise 1 30m"], "that was promised by {} is promised by <!date^1772444160^{{time}}|"),
    (
        ["private 1"],
        "nobody waits for the public update by {} any more, because its readers changed.",
    ),
    (
        ["status 1 identified", "status 1 monitoring", "status 1 resolved"],
        "nobody waits for the public update by {} any more, because the incident has ended.",
    ),
]


@pytest.mark.parametrize(("lines", "told"), ENDS, ids=[lines[0] for lines, _ in ENDS])
async def test_a_reminder_shows_what_came_of_its_promise(
    lines, told, slack, reminded, says, mia, settle
):
    for line in lines:
        answer = await says(line)
        if line.startswith("private"):
            await (await mia.press(answer, "Make it private")).answer()
    await settle()

    (reminder,) = reminders(slack)[:1]
    ten_past = "<!date^1772442600^{time}|09:10 UTC>"
    assert told.format(ten_past) in reminder.words()
    assert labels(reminder) == []


async def test_the_word_that_a_promise_is_broken_shows_how_late_it_came(
    slack, declared, says, passes, settle
):
    await says("promise 1 10m")
    await passes(13)
    (told,) = about_promises(slack)
    assert "has not come" in told

    await says("update 1 We found the cause.")
    await settle()

    (told,) = about_promises(slack)
    assert "came 3 min late." in told
    assert GROUP not in told


@pytest.mark.parametrize(
    ("line", "then"),
    [
        ("promise 1 30m", "has not come, and is promised by"),
        ("promise 1 none", "has not come, and nobody waits for it any more, because the promise"),
    ],
)
async def test_the_word_that_a_promise_is_broken_stays_true_when_it_is_moved_or_released(
    slack, declared, says, passes, settle, line, then
):
    await says("promise 1 10m")
    await passes(13)
    await says(line)
    await settle()

    (told,) = about_promises(slack)
    assert then in told


async def test_a_reader_who_sees_it_no_more_keeps_no_word_of_a_promise(
    slack, ratchet, says, passes, mia, settle
):
    """Without an owner the working channel is reminded, which everybody reads."""
    await says("declare Search is slow severity:high")
    await says("promise 1 10m")
    await passes(6)
    assert len(about_promises(slack)) == 1

    await (await mia.press(await says("private 1"), "Make it private")).answer()
    await settle()

    assert about_promises(slack) == []
    assert "Investigating" not in repr(slack.channel_view(PAYMENTS))
