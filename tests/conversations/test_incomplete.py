"""Commands whose words are incomplete or wrong: the answer always has a way on, and few buttons."""

from __future__ import annotations

import re
from itertools import product

import pytest

from bot.slack.verbs import VERBS
from tests import tables

# What is typed for a verb; INC-1 and INC-2 are open, INC-1 in #payments.
FORMS = {
    "alone": "{verb}",
    "with an unknown number": "{verb} 99",
    "with a word that is no number": "{verb} INC-x7",
    "misspelt": "{slip} 1",
    "with a number alone": "{verb} 1",
    "with a word that it does not know": "{verb} 1 xyzzy-7",
}
# They are asked about elsewhere: tests/conversations/test_subscribing.py.
OTHERS = {"subscribe", "unsubscribe", "subscriptions"}
# One conversation for all forms; two for `next`, of which the third step ends INC-1.
ASKED = [
    (verb.name, ["#payments", "#random"]) for verb in VERBS if verb.name not in OTHERS | {"next"}
]
ASKED += [("next", ["#payments"]), ("next", ["#random"])]
# A command as a whole: none of its words is a place to fill in.
WHOLE_COMMAND = re.compile(r"`/incident [^`<\[…]+`")
# These ask for nothing more where they are understood.
SAYS_ALL = {"timeline": "Entries 1 to 1 of 1", "public": "INC-1 is public already."}


@pytest.fixture
def mode():
    return "http"


@pytest.fixture
async def mia(slack, ratchet, settle):
    slack.workspace.user("mia").is_admin = True
    mia = slack.person("mia")
    await mia.command("#payments", "/incident declare Checkout is down")
    await mia.command("#general", "/incident declare Search is slow severity:critical")
    await settle()
    return mia


@pytest.fixture
def say(mia, slack):
    async def said(text, channel="#payments"):
        """The answer, or the dialog that opens, as its blocks."""
        asked = await mia.command(channel, f"/incident {text}")
        await slack.until(lambda: asked.ephemerals or mia.has_view)
        await slack.until(lambda: not mia.has_view or mia.view.callback_id != "loading")
        return asked.ephemerals[-1] if asked.ephemerals else mia.view

    return said


def elements(shown):
    return [
        element
        for block in shown.blocks
        for element in [*block.get("elements", []), block.get("accessory"), block.get("element")]
        if element and element["type"] not in {"mrkdwn", "plain_text"}
    ]


def labels(shown):
    return [one["text"]["text"] for one in elements(shown) if one["type"] == "button"]


@pytest.mark.parametrize(("verb", "channels"), ASKED)
async def test_every_answer_has_a_way_on(verb, channels, say, mia, ratchet, case):
    slip = verb[:-2] + verb[-1] + verb[-2]

    for channel, form in product(channels, FORMS):
        assert tables.values(ratchet.store, "SELECT number FROM incident WHERE NOT is_open") == []
        with case(channel=channel, form=form):
            shown = await say(FORMS[form].format(verb=verb, slip=slip), channel)

            done = SAYS_ALL.get(verb, "nothing") in shown.words()
            assert done or elements(shown) or WHOLE_COMMAND.search(shown.words()), shown.words()
        if mia.has_view:
            await mia.close()


OFFERED = [
    ("note 1", ["Note on INC-1…"]),
    ("note", ["Note on INC-1…"]),
    ("title 1", ["Title of INC-1…"]),
    ("components 1", ["Components of INC-1…"]),
    ("severity 1", ["Severity of INC-1…"]),
    ("status 1", ["Move INC-1 to Identified"]),
    ("status 99", ["Move INC-1 to Identified", "All open"]),
    ("note 99", ["Note on INC-1…", "All open"]),
    ("withdraw 99", ["Withdraw from INC-1…", "All open"]),
    ("withdraw", ["Withdraw from INC-1…"]),
    ("withdraw cause", ["Withdraw cause of INC-1"]),
    ("withdraw 2 subject", ["Withdraw from INC-2…"]),
    ("timeline x", ["Timeline of INC-1"]),
    (
        "severity 1 urgent please",
        ["Private note on INC-1, severity critical", "Set it to critical alone on INC-1"],
    ),
    ("list resolved", ["List all, resolved"]),
    ("list critical", ["List open, critical"]),
    ("list page 2", ["List open"]),
    ("setup pge", ["Status page…", "All settings…"]),
    ("stats soon", ["Show the figures"]),
    ("help resolve now", ["Help for resolve"]),
    ("fixed", ["Show INC-1", "Show the help"]),
    ("xyzzy", ["Show the help", "List open"]),
    ("update 1 {component} is slow", ["Edit…"]),
    ("withdraw last", ["Withdraw from INC-1…"]),
    # The number stands behind the status, and the note behind it.
    ("status identified 2 rolled back", ["Move INC-2 to Identified", "Edit first…"]),
]


async def test_the_answer_offers_what_was_probably_meant(say, ratchet, case):
    before = tables.contents(ratchet.store, ["incident", "incident_update"])

    for text, offered in OFFERED:
        with case(text):
            shown = await say(text)

            assert [one for one in labels(shown) if one != "Keep it as a note…"] == offered
            assert tables.contents(ratchet.store, ["incident", "incident_update"]) == before


async def test_where_several_are_open_the_number_that_was_typed_is_the_one_that_is_meant(say, mia):
    await say("declare Cards are refused")

    answer = await say("status identified 1 rolled back")
    assert labels(answer) == ["Move INC-1 to Identified"]

    done = await (await mia.press(answer, "Move INC-1 to Identified")).answer()
    assert "INC-1 is now *Identified*" in done.text
    assert '"rolled back"' in (await say("timeline 1")).words()


async def test_a_question_about_many_incidents_has_few_buttons_and_a_menu(say, mia, slack):
    for number in range(5):
        await say(f"declare Outage {number}", "#general")

    answer = await say("note db-3 is out of the pool", "#general")

    assert labels(answer) == [f"Private note on INC-{n}" for n in (2, 7, 6, 5)]
    (menu,) = [one for one in elements(answer) if one["type"] == "static_select"]
    assert [one["text"]["text"] for one in menu["options"]] == [
        "Private note on INC-4",
        "Private note on INC-3",
    ]
    done = await (await mia.choose(answer, "choose:more", "Private note on INC-3")).answer()
    assert "INC-3 stays *Investigating*" in done.text
    assert "db-3 is out of the pool" in (await say("timeline 3")).words()


async def test_steps_that_are_possible_come_first(say):
    await say("declare Cards are refused", "#payments")
    await say("status 1 identified")

    answer = await say("status monitoring rolled back")

    assert labels(answer) == ["Move INC-1 to Monitoring", "Move INC-3 to Monitoring…"]


@pytest.mark.parametrize(
    ("verb", "box", "text"),
    [
        ("note", "Private note", "db-3 is slow"),
        ("title", "Title", "Checkout is slow"),
        ("components", "Components", "API, Web"),
    ],
)
async def test_the_dialog_of_a_missing_text_takes_it(verb, box, text, say, mia, slack, settle):
    answer = await say(f"{verb} 1")
    await mia.press(answer, labels(answer)[0])
    await slack.until(lambda: mia.has_view and mia.view.callback_id != "loading")
    await mia.fill(box, text)
    await mia.submit()
    await settle()

    assert text in (await say("timeline 1")).words()


async def test_a_text_with_an_open_place_is_edited_in_the_dialog_that_holds_it(say, mia, slack):
    answer = await say("update 1 {component} is slow")

    await mia.press(answer, "Edit…")
    await slack.until(lambda: mia.has_view and mia.view.callback_id == "update")

    assert "{component} is slow" in repr(mia.view.blocks)


async def test_after_the_end_the_answer_says_so(say, case):
    for status in ("identified", "monitoring", "resolved"):
        await say(f"status 1 {status}")

    for text in ("note 1", "title 1", "status 1", "severity 1", "components 1"):
        with case(text):
            answer = await say(text)

            assert "INC-1 is *Resolved*" in answer.words()
            assert labels(answer) == ["Timeline", "Report", "Declare a follow-up…"]


async def test_settings_are_offered_to_admins_alone(mia, slack):
    answer = await (await slack.person("bo").command("#payments", "/incident setup pge")).answer()

    assert "Only workspace admins may do that." in answer.words()
    assert labels(answer) == []


async def test_only_a_text_that_an_incident_has_is_offered_for_withdrawal(mia):
    async def offered(text):
        return labels(await (await mia.command("#random", f"/incident {text}")).answer())

    assert await offered("withdraw title") == []
    assert await offered("withdraw description") == []
    none = await (await mia.command("#random", "/incident withdraw title")).answer()
    assert "No open incident has an earlier title to withdraw." in none.text
    await mia.command("#random", "/incident title 2 Search is very slow")
    await mia.command("#random", "/incident description 1 Since the deploy.")

    assert await offered("withdraw title") == ["Withdraw earlier titles of INC-2"]
    assert await offered("withdraw description") == ["Withdraw the description of INC-1"]


@pytest.mark.parametrize("line", ["timeline INC-1 please", "show INC-1 if you please"])
async def test_the_words_behind_a_read_are_no_text_to_keep(line, mia):
    answer = await (await mia.command("#payments", f"/incident {line}")).answer()

    assert len(labels(answer)) == 1
    assert "INC-1" in labels(answer)[0]
