"""Permissions through the whole of the bot: groups, guests, strangers, admins."""

from __future__ import annotations

import dataclasses
from itertools import product

import pytest

from tests.conversations.conftest import only_mia_publishes
from tests.standin import labels


@pytest.fixture
def mode():
    return "http"


@pytest.fixture
def environment(environment, slack):
    return only_mia_publishes(environment, slack)


@pytest.fixture
async def declared(slack, ratchet, settle):
    await slack.person("mia").command("#payments", "/incident declare Checkout is down")
    await slack.person("mia").command("#payments", "/incident assign 1 @bo")
    await settle()
    return slack.workspace.channel("#payments").messages[0]


ASKED = [
    ("sam", "/incident status 1 identified", "Only <!subteam^S0RESPONDERS>"),
    ("sam", "/incident note 1 hello", "Ask <@U0BO> (owner) or one of them."),
    ("sam", "/incident timeline 1", "Only <!subteam^S0RESPONDERS>"),
    ("sam", "/incident private 1", "Only <!subteam^S0RESPONDERS> may work on incidents."),
    ("sam", "/incident stats", "Only <!subteam^S0RESPONDERS> may read notes, reports and figures."),
    ("sam", "/incident report 1", "may read notes, reports and figures. Ask <@U0BO> (owner)"),
    ("sam", "/incident catchup 1", "may read notes, reports and figures. Ask <@U0BO> (owner)"),
    ("sam", "/incident show 1", "Checkout is down"),
    ("sam", "/incident list", "INC-1"),
    ("bo", "/incident update 1 We are on it.", "Only <!subteam^S0PUBLISHERS>"),
    ("mia", "/incident update 1 We are on it.", "Everyone in <#C0STATUS>"),
    ("gus", "/incident list", "Only full members"),
    ("gus", "/incident help", "Only full members"),
    ("gus", "/incident help all", "Only full members"),
    ("eve", "/incident show 1", "Only full members"),
    ("sam", "/incident help", "Other commands are for responders, publishers or workspace admins."),
    ("bo", "/incident help all", "Other commands are for"),
    ("bo", "/incident setup #random", "Only workspace admins"),
    ("mia", "/incident setup #random", "Move it to <#C0RANDOM>?"),
    ("bo", "/incident status 1 identified", "is now *Identified*"),
]


async def test_each_role_may_do_its_part_and_is_refused_the_rest(slack, declared, case):
    eve = slack.workspace.add_user("eve", is_stranger=True, team_id="T0OTHER")
    slack.workspace.channel("#payments").members.append(eve.id)

    for name, line, answer in ASKED:
        with case(f"{name}: {line}"):
            asked = await slack.person(name).command("#payments", line)

            assert answer in (await asked.answer()).words()


async def test_only_who_may_declare_is_offered_to(slack, declared, case):
    # Bo owns nothing: a list of his is empty.
    await slack.person("mia").command("#payments", "/incident assign 1 @mia")

    for (name, offered), line in product(
        [("bo", True), ("sam", False)], ["", "help", "help all", "list mine"]
    ):
        with case(f"{name}: {line}"):
            asked = await slack.person(name).command("#payments", f"/incident {line}".strip())

            assert ("Declare an incident" in repr((await asked.answer()).blocks)) is offered


async def test_the_home_tab_offers_a_declaration_to_whoever_may_declare(slack, declared, case):
    for name, offered in [("bo", True), ("sam", False), ("gus", False)]:
        with case(name):
            person = slack.person(name)
            await person.open_home()
            await slack.until(lambda: person.id in slack.workspace.homes)  # noqa: B023 - awaited here

            assert ("Declare an incident" in repr(person.home.blocks)) is offered


async def test_lists_and_cards_offer_next_steps_to_responders(slack, declared, case):
    for (name, offered), line in product([("bo", True), ("sam", False)], ["", "list", "show 1"]):
        with case(f"{name}: {line}"):
            asked = await slack.person(name).command("#general", f"/incident {line}".strip())
            answer = await asked.answer()

            assert "INC-1" in answer.words()
            assert ("Move to Identified" in repr(answer.blocks)) is offered


async def test_a_missing_number_offers_no_declaration_to_others(slack, declared):
    asked = await slack.person("sam").command("#general", "/incident show")
    answer = await asked.answer()

    assert "No open incident has its card in this channel" in answer.words()
    assert "Declare an incident" not in repr(answer.blocks)


@pytest.mark.parametrize(("name", "offered"), [("bo", True), ("sam", False)])
async def test_the_home_tab_offers_next_steps_to_responders(name, offered, slack, declared):
    person = slack.person(name)
    await person.open_home()
    await slack.until(lambda: person.id in slack.workspace.homes)

    assert "INC-1" in repr(person.home.blocks)
    assert ("Move to Identified" in repr(person.home.blocks)) is offered


async def test_help_lists_the_verbs_of_the_reader(slack, declared):
    async def read(name):
        asked = await slack.person(name).command("#payments", "/incident help all")
        return (await asked.answer()).words()

    sam, bo, mia = await read("sam"), await read("bo"), await read("mia")

    assert "/incident list" in sam
    assert "/incident declare" not in sam
    assert "/incident declare" in bo
    assert "/incident update" not in bo
    assert "/incident update" in mia
    assert "/incident setup" in mia


async def test_the_answer_to_a_hand_over_says_that_the_new_owner_is_no_responder(
    slack, declared, settle
):
    no_part = "is no responder (<!subteam^S0RESPONDERS>), and may only press *Got it* or *Not me*."
    mia, sam = slack.person("mia"), slack.person("sam")

    answer = await (await mia.command("#payments", "/incident assign 1 @sam")).answer()
    told = answer.words()
    await settle()
    asked = slack.workspace.direct(sam.user).messages[-1]
    tried = (await (await sam.command("#payments", "/incident note 1 hello")).answer()).words()
    await (await sam.press(asked, "Not me")).answer()
    await settle()
    back = (await (await mia.command("#payments", "/incident assign 1 @bo")).answer()).words()

    assert "INC-1 is now owned by <@U0SAM>" in told
    assert f"<@U0SAM> {no_part}" in told
    kinds = [one["type"] for one in answer.blocks]
    assert answer.blocks[kinds.index("actions") - 1]["text"]["text"] == "Next:"
    assert "Only <!subteam^S0RESPONDERS>" in tried
    assert "INC-1 is now owned by <@U0BO> (was mia)" in back
    assert "no responder" not in back


async def test_a_button_judges_the_person_who_presses_it(slack, declared):
    pressed = await slack.person("sam").press(declared, "Move to Identified")

    assert "Only <!subteam^S0RESPONDERS>" in (await pressed.answer()).words()
    shown = await (await slack.person("sam").command("#payments", "/incident show 1")).answer()
    assert "*Investigating*" in shown.words()


async def test_who_may_change_nothing_hears_so_before_they_fill_a_dialog(slack, ratchet, declared):
    sam = slack.person("sam")

    await sam.press(declared, "Update…")

    await slack.until(lambda: sam.has_view and "Only <!subteam" in str(sam.view.blocks))
    assert "may work on incidents. Ask <@U0BO> (owner) or one of them." in str(sam.view.blocks)
    assert sam.view.given.get("submit") is None


GUESTS = {"of several channels": "is_restricted", "of a single channel": "is_ultra_restricted"}


@pytest.fixture(params=[*GUESTS.values()], ids=[*GUESTS])
def guest(request, slack):
    """Makes a member a guest of that kind."""

    def made(name):
        user = slack.workspace.users[slack.person(name).id]
        slack.workspace.users[user.id] = dataclasses.replace(user, **{request.param: True})

    return made


async def test_a_guest_owns_no_incident(slack, ratchet, declared, guest, settle):
    guest("sam")
    mia = slack.person("mia")

    refused = await (await mia.command("#payments", "/incident assign 1 @sam")).answer()

    assert "must be a full member of this workspace: choose another" in refused.text
    assert labels(refused) == ["Assign INC-1…"]
    await mia.press(refused, "Assign INC-1…")
    await slack.until(lambda: mia.has_view and mia.view.callback_id == "assign")
    await mia.fill("Owner", slack.person("sam").id)
    submitted = await mia.submit()
    assert "must be a full member" in str(submitted.field_errors)
    shown = await (await mia.command("#payments", "/incident show 1")).answer()
    assert "Owner: <@U0BO>" in shown.words()
    await settle()
    assert slack.workspace.direct(slack.person("sam").user).messages == []


async def test_an_owner_who_became_a_guest_is_refused_and_their_silence_is_told(
    slack, ratchet, declared, guest, settle, clock
):
    """The question to Bo is open when Bo becomes a guest, who may do nothing any more."""
    bo, mia = slack.person("bo"), slack.person("mia")
    (question,) = slack.workspace.direct(bo.user).messages
    guest("bo")
    clock.advance(minutes=11)

    answer = await (await bo.press(question, "Got it")).answer()

    assert "Only full members of this workspace may use Ratchet." in answer.words()
    clock.advance(minutes=5)
    await ratchet.hand_overs.look()
    await settle()
    told = slack.workspace.direct(mia.user).messages[-1].words()
    assert "<@U0BO> has not answered whether they take INC-1" in told
    await (await mia.command("#payments", "/incident assign 1 @mia")).answer()
    await settle()
    assert "<@U0MIA> owns it now. No answer is needed any more." in question.words()


async def test_who_may_not_promise_hears_so_before_they_write_a_reason(slack, declared):
    bo = slack.person("bo")
    answer = await (await bo.command("#payments", "/incident promise 1")).answer()

    await bo.press(answer, "Promise an update of INC-1…")

    await slack.until(lambda: bo.has_view and "Only <!subteam" in str(bo.view.blocks))
    assert "<!subteam^S0PUBLISHERS> may post public updates." in str(bo.view.blocks)


ONLY_PUBLISHERS = "Only <!subteam^S0PUBLISHERS> may post public updates."


def boxes(view):
    return [one["label"]["text"] for one in view.blocks if one["type"] == "input"]


async def test_who_may_not_publish_is_shown_no_box_for_a_public_text(slack, declared, settle):
    bo = slack.person("bo")
    await bo.press(declared, "Update…")
    await slack.until(lambda: bo.has_view and bo.view.callback_id == "update")

    assert boxes(bo.view) == ["Next step", "Private note", "Severity"]
    assert ONLY_PUBLISHERS in bo.view.words()
    await bo.fill("Private note", "db-3 is back")
    await bo.fill("Next step", "Identified")
    await slack.until(lambda: "will show" in bo.view.words())
    assert boxes(bo.view) == ["Next step", "Private note", "Severity"]
    assert ONLY_PUBLISHERS in bo.view.words()
    await bo.submit()
    await settle()
    assert "*Identified*" in declared.words()


async def test_who_may_not_publish_gives_several_steps_a_reason_alone(slack, declared):
    bo = slack.person("bo")
    refused = await (await bo.command("#payments", "/incident resolve 1 it was db-3")).answer()
    await bo.press(refused, "Resolve: 3 steps…")
    await slack.until(lambda: bo.has_view and bo.view.callback_id == "walk")

    assert boxes(bo.view) == ["Private reason"]
    assert ONLY_PUBLISHERS in bo.view.words()


async def test_who_may_only_publish_is_shown_the_box_for_a_public_text(
    slack, ratchet, declared, clock
):
    clock.advance(minutes=10)
    slack.workspace.groups["S0PUBLISHERS"].members.append(slack.person("sam").id)
    sam = slack.person("sam")
    await sam.press(declared, "Update…")
    await slack.until(lambda: sam.has_view and sam.view.callback_id == "update")

    assert boxes(sam.view) == ["Public update", "Next public update"]
