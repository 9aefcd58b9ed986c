"""Take back: the button beside a public update that is not out yet."""

from __future__ import annotations

import asyncio

import pytest

from tests.standin import announced, labels

PRESS = "Take back"
NEVER = "It was never published."


@pytest.fixture
def mode():
    return "http"


@pytest.fixture
def environment(environment):
    """The product's own delay: ten seconds."""
    del environment["PUBLISH_DELAY"]
    return environment


@pytest.fixture
def mia(slack):
    return slack.person("mia")


@pytest.fixture
async def published(ratchet, mia, settle):
    """The answer to a public update that is held back."""
    await mia.command("#payments", "/incident declare Checkout is down")
    await settle()
    asked = await mia.command("#payments", "/incident update 1 Our customer list leaked.")
    return await asked.answer()


def posted(slack, words):
    """The posts and edits in any channel that contain ``words``."""
    posts = [call for call in slack.calls if call.method.startswith("chat.")]
    return [call for call in posts if words in str(call.arguments)]


async def test_four_presses_take_it_back_once(slack, mia, published, settle):
    drawn = published.snapshot()
    presses = await asyncio.gather(*(mia.press(drawn, PRESS) for _ in range(4)))
    answers = [(await press.answer()).text for press in presses]
    await settle()

    assert [NEVER in text for text in answers] == [True] * 4
    assert not posted(slack, "leaked")
    timeline = await (await mia.command("#payments", "/incident timeline 1")).answer()
    assert timeline.words().count("withdrawn by <@U0MIA>, never published") == 1


async def test_a_press_delivered_twice_takes_it_back_once(slack, mia, published, settle):
    await mia.press(published, PRESS)
    await slack.redeliver(copies=2, at_once=True)
    await settle()

    assert not posted(slack, "leaked")
    timeline = await (await mia.command("#payments", "/incident timeline 1")).answer()
    assert timeline.words().count("never published") == 1


async def test_the_answer_takes_the_place_of_the_one_with_the_button(mia, published):
    await (await mia.press(published, PRESS)).answer()

    seen = [message for message in mia.reads("#payments") if message.only_for]
    assert NEVER in seen[-1].text
    assert PRESS not in str([message.blocks for message in seen])


@pytest.mark.parametrize("click", ["No promise", "Move to Identified"])
async def test_another_click_in_the_answer_keeps_the_way_back(slack, mia, published, settle, click):
    await mia.command("#payments", "/incident severity 1 high")
    update = await mia.command("#payments", "/incident update 1 Our supplier list leaked.")
    answer = await (await mia.press(await update.answer(), click)).answer()
    assert 'take back your public update "Our supplier list leaked." before' in answer.text
    assert "Take back and edit" in str(answer.blocks)

    taken = await (await mia.press(answer, PRESS)).answer()
    await settle()
    assert NEVER in taken.text
    assert not posted(slack, "supplier")


async def test_a_click_that_came_too_late_keeps_the_way_back(slack, mia, published, settle):
    await slack.person("bo").command("#payments", "/incident next 1")
    late = await (await mia.press(published, "Move to Identified")).answer()
    assert "Your click changed nothing." in late.text
    assert 'take back your public update "Our customer list leaked." before' in late.text

    taken = await (await mia.press(late, PRESS)).answer()
    await settle()
    assert NEVER in taken.text
    assert not posted(slack, "leaked")


@pytest.mark.parametrize("click", ["Timeline", "Report"])
async def test_a_list_in_the_place_of_the_answer_keeps_the_way_back(mia, published, click):
    for step in ("identified", "monitoring"):
        await mia.command("#payments", f"/incident status 1 {step}")
    asked = await mia.command("#payments", "/incident update 1 status:resolved All is well.")
    shown = await (await mia.press(await asked.answer(), click)).answer()
    assert str(shown.blocks).count("You can still take back your public update") == 1

    taken = await (await mia.press(shown, PRESS)).answer()
    assert NEVER in taken.text


async def test_after_the_hold_a_late_click_offers_no_way_back(mia, slack, published, clock):
    await slack.person("bo").command("#payments", "/incident next 1")
    clock.advance(seconds=11)
    late = await (await mia.press(published, "Move to Identified")).answer()
    assert "Your click changed nothing." in late.text
    assert PRESS not in str(late.blocks)


async def test_a_second_click_at_once_leaves_the_way_back(mia, published):
    answer = await (await mia.press(published, "Move to Identified")).answer()
    await (await mia.press(answer, "Move to Monitoring")).answer()

    taken = await (await mia.press(answer, PRESS)).answer()
    assert NEVER in taken.text
    assert answer.ts in {message.ts for message in mia.reads("#payments")}


async def test_a_click_after_a_declaration_keeps_the_way_to_hide_it(mia, ratchet):
    declared = await mia.command("#payments", "/incident declare Our customer list leaked")
    moved = await (await mia.press(await declared.answer(), "Move to Identified")).answer()
    assert "You can still make it private before anybody reads it." in moved.text

    hidden = await (await mia.press(moved, "Make it private")).answer()
    assert "Nothing of it was published" in hidden.text


async def test_a_new_title_can_be_taken_back_after_another_click(mia, published, settle):
    named = await mia.command("#payments", "/incident title 1 Our customer list leaked")
    moved = await (await mia.press(await named.answer(), "Move to Identified")).answer()
    told = 'take back your new title "Our customer list leaked" before anybody reads it.'
    assert told in moved.text


async def test_a_title_that_returned_is_not_offered_to_be_taken_back_again(
    slack, ratchet, mia, settle
):
    bo = slack.person("bo")
    await (await bo.command("#payments", "/incident declare Zeta is slow")).answer()
    named = await (await mia.command("#payments", "/incident title 1 Zeta is very slow")).answer()
    back = await (await mia.press(named, PRESS)).answer()

    assert 'It is called "Zeta is slow" again.' in back.text
    assert "still" not in back.text
    assert PRESS not in labels(back)
    moved = await (await bo.command("#payments", "/incident next 1")).answer()
    assert PRESS not in labels(moved)
    again = await (await mia.command("#payments", "/incident title 1 Zeta is down")).answer()
    assert PRESS in labels(again)


async def test_a_title_that_was_taken_back_leaves_the_way_back_of_an_earlier_text(
    mia, published, settle
):
    named = await (await mia.command("#payments", "/incident title 1 Payments leak")).answer()
    back = await (await mia.press(named, PRESS)).answer()

    assert 'take back your public update "Our customer list leaked." before' in back.text
    taken = await (await mia.press(back, PRESS)).answer()
    assert NEVER in taken.text
    await settle()


async def test_the_answer_to_a_command_repeats_no_earlier_way_back(mia, published):
    noted = await (await mia.command("#payments", "/incident note 1 It was db-3")).answer()
    assert PRESS not in str(noted.blocks)


async def test_after_an_admins_faster_withdrawal_the_author_learns_that_nobody_read_it(
    slack, ratchet, mia, settle
):
    bo = slack.person("bo")
    await bo.command("#payments", "/incident declare Checkout is down")
    await settle()
    asked = await bo.command("#payments", "/incident update 1 Our customer list leaked.")
    taken_back = await (await mia.command("#payments", "/incident redact 1 2")).answer()
    pressed = await (await bo.press(await asked.answer(), PRESS)).answer()
    await settle()

    assert NEVER in taken_back.text
    assert f"is withdrawn already. {NEVER}" in pressed.text
    assert not posted(slack, "leaked")


async def test_after_the_dialog_it_can_be_taken_back_too(slack, ratchet, mia, settle):
    await mia.command("#payments", "/incident declare Checkout is down")
    await settle()
    card = slack.workspace.channel("#payments").messages[-1]
    opened = await mia.press(card, "Update…")
    await slack.until(lambda: mia.has_view and "submit" in mia.view.given)
    await mia.fill("Next step", "identified")
    await mia.fill("Public update", "Our customer list leaked.")
    await mia.fill("Private note", "Pat knows more.")
    await announced(slack, mia)
    await mia.submit()

    answer = await opened.answer()
    assert (
        "will read your public update in 10 seconds; until then you can take it back."
        in answer.text
    )
    taken_back = await (await mia.press(answer, PRESS)).answer()
    await settle()

    assert NEVER in taken_back.text
    assert "Monitoring" in taken_back.words()
    assert not posted(slack, "leaked")
    [shown] = slack.channel_view("#status")
    assert "Identified" in str(shown)
    assert shown.replies == ()


async def answer_to(person, message, button):
    return await (await person.press(message, button)).answer()


@pytest.mark.parametrize("press", [PRESS, "Take back and edit"])
async def test_a_late_press_withdraws_nothing_that_was_read_until_it_is_asked_to(
    slack, mia, published, settle, press
):
    await settle()
    late = await answer_to(mia, published, press)
    await settle()

    assert "That text of INC-1 has been public since" in late.text
    assert "Nothing was changed." in late.text
    (card,) = slack.channel_view("#status")
    assert "Our customer list leaked." in str(card.replies)

    withdrawn = await answer_to(mia, late, "Withdraw it")
    await settle()
    assert "Your public update on INC-1 (entry 2) is withdrawn." in withdrawn.text
    assert "leaked" not in str(slack.channel_view("#status"))


async def test_a_late_press_makes_nothing_private_until_it_is_asked_to(slack, ratchet, mia, settle):
    declared = await (await mia.command("#payments", "/incident declare Vault 7 leaked")).answer()
    assert "in 10 seconds; until then you can make it private." in declared.text
    await settle()
    late = await answer_to(mia, declared, "Make it private")
    await settle()

    assert "INC-1 has been public since" in late.text
    assert "Vault 7" in str(slack.channel_view("#status"))

    asked = await answer_to(mia, late, "Make it private…")
    assert "Make INC-1 private? Nothing is erased" in asked.text
    assert "INC-1 is private now" in (await answer_to(mia, asked, "Make it private")).text
    await settle()
    assert "Vault 7" not in str(slack.channel_view("#status"))


async def test_a_press_in_time_makes_it_private_at_once(slack, ratchet, mia, settle):
    declared = await (await mia.command("#payments", "/incident declare Vault 7 leaked")).answer()

    assert "Nothing of it was published" in (await answer_to(mia, declared, "Make it private")).text
    await settle()
    assert not posted(slack, "C0STATUS")


async def test_a_button_about_another_text_takes_back_none(slack, mia, published):
    forged = published.snapshot()
    for block in forged.blocks:
        for element in block.get("elements", []):
            if element.get("action_id") == "take_back":
                element["value"] = element["value"].rpartition(":")[0] + ":7"

    answer = await (await mia.press(forged, PRESS)).answer()

    assert "has no entry 7" in answer.text


async def test_the_working_card_never_says_that_a_held_back_text_was_posted(
    slack, ratchet, mia, published, settle
):
    def last():
        card = slack.workspace.channel("#payments").messages[-1]
        return card.blocks[-1]["elements"][0]["text"]

    await ratchet.worker.deliver_due()
    assert "<@U0MIA> wrote a public update" in last()

    await (await mia.press(published, PRESS)).answer()
    await settle()

    assert "<@U0MIA> took a public update back" in last()


async def test_a_reminder_follows_a_text_that_is_held_and_taken_back(
    slack, ratchet, mia, settle, clock
):
    """The reminder of a promise says that its text has come once everybody can read it."""
    await mia.command("#payments", "/incident declare Checkout is down")
    await settle()
    await mia.command("#payments", "/incident promise 1 10m")
    await settle()
    clock.advance(minutes=6)
    await ratchet.nudges.look()
    await settle()

    def reminder():
        (one,) = [
            message.words()
            for message in slack.workspace.channel("#payments").messages
            if "promised by" in message.text
        ]
        return one

    assert "the next public update is promised by" in reminder()
    held = await (await mia.command("#payments", "/incident update 1 We found it.")).answer()
    await ratchet.worker.deliver_due()
    assert "the next public update is promised by" in reminder()
    await (await mia.press(held, PRESS)).answer()
    await settle()
    assert "the next public update is promised by" in reminder()

    await mia.command("#payments", "/incident update 1 We found the cause.")
    await settle()

    assert "has come." in reminder()
    edits = posted(slack, "promised by")
    assert [call.method for call in edits].count("chat.postMessage") == 1


async def test_a_question_after_a_click_keeps_the_way_back(mia, published):
    asked = await (await mia.command("#payments", "/incident assign @gus 1")).answer()

    refused = await (await mia.press(asked, "Assign INC-1")).answer()

    assert "must be a full member" in refused.text
    assert {"Assign INC-1…", PRESS} <= set(labels(refused))


async def test_the_end_ends_the_promise_on_the_card_while_its_text_is_held(
    slack, ratchet, mia, settle
):
    for line in (
        "declare Checkout is down severity:high",
        "status 1 identified",
        "update 1 status:monitoring We are watching it.",
    ):
        await (await mia.command("#payments", f"/incident {line}")).answer()
    await settle()
    assert "Next update by" in repr(slack.channel_view("#status"))

    asked = await mia.command("#payments", "/incident update 1 status:resolved All is well.")
    await asked.answer()
    await ratchet.worker.deliver_due()
    card = repr(slack.channel_view("#status"))
    assert "*Resolved*" in card
    assert "All is well" not in card
    assert "Next update" not in card


async def test_the_working_card_says_a_promise_once_it_is_public(slack, mia, ratchet, clock):
    async def shown(seconds):
        clock.advance(seconds=seconds)
        await ratchet.nudges.look()
        await ratchet.worker.deliver_due()
        [card] = [one for one in slack.channel_view("#payments") if "INC-1" in one.text]
        return "Next update" in repr(card)

    await mia.command("#payments", "/incident declare Cards fail severity:high")
    held = await (await mia.command("#payments", "/incident update 1 We look.")).answer()
    assert [await shown(seconds) for seconds in (1, 8)] == [False, False]
    await (await mia.press(held, PRESS)).answer()
    assert [await shown(seconds) for seconds in (0, 20)] == [False, False]

    await mia.command("#payments", "/incident update 1 We look into it.")
    assert [await shown(seconds) for seconds in (1, 8, 2)] == [False, False, True]
    await mia.command("#payments", "/incident promise 1 20m")
    await mia.command("#payments", "/incident promise 1 none")
    assert not await shown(1)
