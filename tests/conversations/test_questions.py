"""Questions and refusals carry the request: each button is pressed, with its result."""

from __future__ import annotations

import json

import pytest

from tests import tables
from tests.standin import announced, labels, opened

CAUSE = "The cause is found, and the cards work again."
LINK = "https://sandbox.slack.com/archives"


@pytest.fixture
def mode():
    return "http"


@pytest.fixture(autouse=True)
def mia(two_open):
    return two_open


async def timeline(told, number):
    return (await told(f"timeline {number}")).words()


def drafts(ratchet):
    return tables.values(ratchet.store, "SELECT body FROM draft")


# --- another incident than the one meant ---------------------------------------------------------

BESIDE_A_NUMBER = [
    ("report public 1", "Report of INC-1"),
    ("timeline newest of incident 1", "Timeline of INC-1"),
    ("show the card INC-1", "Show INC-1"),
    ("repotr public 1", "Report of INC-1"),
]


async def test_the_incident_behind_words_that_are_not_taken_is_offered(told, case):
    for text, label in BESIDE_A_NUMBER:
        with case(text):
            assert labels(await told(text))[0] == label


ELSEWHERE = [
    (
        "resolve over INC-1",
        [
            "Move INC-1 to Resolved…",
            "Private note on INC-1",
            "Show INC-1",
            "Move INC-2 to Resolved…",
            "Private note on INC-2",
            "Show INC-2",
        ],
    ),
    ("status identified 1", ["Move INC-1 to Identified", "Move INC-2 to Identified"]),
    ("identified 1", ["Move INC-1 to Identified"]),
    ("1 identified", ["Move INC-1 to Identified", "Show INC-1"]),
    ("1 investigating", ["Move INC-1 to Identified", "Show INC-1"]),
    ("severity 1-2 high", ["Set INC-1 to high", "Set INC-2 to high"]),
    ("promise 30", ["Promise an update of INC-2 in 30 min"]),
    ("note ticket 1 is a duplicate", ["Private note on INC-1", "Private note on INC-2"]),
    ("assign @bo 1", ["Assign INC-1", "Assign INC-2…"]),
    ("redact 1", ["Withdraw from INC-1…", "Withdraw entry 1 of INC-2"]),
    ("redact 2", ["Withdraw from INC-2…"]),
]


async def test_a_reference_elsewhere_changes_nothing_and_each_meaning_has_a_button(
    told, ratchet, case
):
    before = tables.contents(ratchet.store, ["incident", "incident_update"])

    for text, offered in ELSEWHERE:
        with case(text):
            answer = await told(text)

            assert tables.contents(ratchet.store, ["incident", "incident_update"]) == before
            acts = [label.partition(': "')[0] for label in labels(answer)]
            assert set(acts) <= {*offered, "Keep it as a note…", "Edit first…"}
            assert acts[0] in offered


async def test_the_button_of_a_meaning_does_it(told, mia):
    answer = await told("status identified 1")

    done = await (await mia.press(answer, "Move INC-1 to Identified")).answer()

    assert "INC-1 is now *Identified*" in done.text
    assert "Identified" not in await timeline(told, 2)


async def test_the_link_of_a_card_names_its_incident(slack, told):
    card = slack.workspace.channel("#general").messages[-1]
    link = f"{LINK}/{slack.workspace.channel('#general').id}/p{card.ts.replace('.', '')}"

    assert "INC-1 stays" in (await told(f"note {link} db-3 is slow")).text
    shown = await told(link)
    assert "INC-1 Search is slow" in shown.text


async def test_with_several_incidents_the_text_goes_to_the_one_that_is_pressed(
    told, mia, ratchet, settle
):
    await told("declare Cards are refused")
    answer = await told(f"update {CAUSE}")

    assert labels(answer) == ["Publish on INC-3", "Publish on INC-2"]
    assert CAUSE in answer.words()
    await (await mia.press(answer, "Publish on INC-2")).answer()

    assert CAUSE in await timeline(told, 2)
    assert CAUSE not in await timeline(told, 3)
    assert drafts(ratchet) == []


async def test_a_number_without_an_incident_keeps_the_text(told, mia):
    answer = await told(f"note 9 {CAUSE}")

    acts = [label.partition(CAUSE[:9])[0] for label in labels(answer)]
    assert acts == ['Private note on INC-2: "9 ', 'Private note on INC-2: "']
    await (await mia.press(answer, labels(answer)[1])).answer()

    assert f'"{CAUSE}"' in await timeline(told, 2)


# --- another audience, another act ----------------------------------------------------------------


async def test_a_private_line_given_to_update_is_asked_about(told, mia, slack, settle):
    answer = await told(f"update 2 note: {CAUSE}")
    await settle()

    assert labels(answer) == ["Private note on INC-2", "Publish all of it on INC-2", "Edit first…"]
    assert CAUSE not in repr(slack.channel_view("#status"))
    await (await mia.press(answer, "Private note on INC-2")).answer()
    await settle()
    assert CAUSE not in repr(slack.channel_view("#status"))
    assert CAUSE in await timeline(told, 2)


async def test_a_status_at_the_head_of_a_public_text_is_asked_about(told, mia, slack, settle):
    answer = await told(f"update 2 identified {CAUSE}")

    assert labels(answer)[0] == "Publish and move INC-2 to Identified"
    done = await (await mia.press(answer, "Publish and move INC-2 to Identified")).answer()
    await settle()

    assert "INC-2 is now *Identified*" in done.text
    shown = repr(slack.channel_view("#status"))
    assert CAUSE in shown
    assert "identified The cause" not in shown


@pytest.mark.parametrize(
    ("typed", "button"),
    [
        ("next:45m", "Publish on INC-2, next update in 45 min"),
        ("promise: 45m", "Publish on INC-2, next update in 45 min"),
        ("--next=45m", "Publish on INC-2, next update in 45 min"),
    ],
)
async def test_a_promise_before_the_public_text_is_offered(told, mia, settle, slack, typed, button):
    answer = await told(f"update 2 {typed} {CAUSE}")

    offered = [label for label in labels(answer) if label.startswith(button)]
    assert len(offered) == 1, labels(answer)
    await (await mia.press(answer, offered[0])).answer()
    await settle()
    shown = repr(slack.channel_view("#status"))
    assert CAUSE in shown
    assert "45m" not in shown
    assert "Next update" in shown


async def test_the_dialog_of_a_leaking_text_keeps_the_promise_that_was_chosen(
    told, mia, slack, settle
):
    answer = await told("update 2 next:47m Write to ada@example.com if your card fails.")
    offered = next(label for label in labels(answer) if "next update" in label)
    stopped = await (await mia.press(answer, offered)).answer()
    await mia.press(stopped, "Edit…")
    await slack.until(lambda: mia.has_view and mia.view.callback_id == "update")
    assert "In 47 min" in repr(mia.view.state)
    await mia.fill("Public update", "Some cards fail.")
    await mia.submit()
    await settle()

    assert "Some cards fail." in repr(slack.channel_view("#status"))
    assert "Next update by" in repr(slack.channel_view("#status"))


async def test_a_time_that_is_none_promises_nothing(told):
    answer = await told(f"update 2 next:week {CAUSE}")

    assert not [label for label in labels(answer) if "next update" in label]


async def test_all_of_it_is_published_by_its_own_button(told, mia, slack, settle):
    answer = await told(f"update 2 identified {CAUSE}")
    await (await mia.press(answer, "Publish all of it on INC-2")).answer()
    await settle()

    assert f"identified {CAUSE}" in repr(slack.channel_view("#status"))


async def test_edit_first_opens_the_dialog_with_the_text(told, mia, slack, ratchet, settle):
    answer = await told(f"update 2 foo:bar {CAUSE}")
    await mia.press(answer, "Edit first…")
    view = await opened(slack, mia, "update")
    assert f"foo:bar {CAUSE}" in str(view.blocks)
    await mia.fill("Public update", CAUSE)
    await announced(slack, mia)
    await mia.submit()
    await settle()

    assert CAUSE in repr(slack.channel_view("#status"))
    assert drafts(ratchet) == []


async def test_a_severity_in_plain_words_is_declared_by_its_button(told, mia, slack, settle):
    answer = await told("declare Cards are refused, severity high")
    await settle()
    assert "Cards are refused" not in repr(slack.channel_view("#status"))

    await (await mia.press(answer, "Declare it high")).answer()

    assert "Cards are refused · *high*" in (await told("list")).words()


async def test_readers_and_a_severity_in_plain_words_are_declared_by_one_button(
    told, mia, slack, settle
):
    answer = await told("declare Cards are refused, make it private, severity high")
    await (await mia.press(answer, "Declare it private, high")).answer()
    await settle()

    assert "Cards are refused" not in repr(slack.channel_view("#status"))
    card = (await told("show 3")).words()
    assert "Cards are refused" in card
    assert "make it private" not in card
    assert "high" in card


async def test_a_severity_in_plain_words_of_a_public_text_is_set_by_its_button(
    told, mia, slack, settle
):
    answer = await told(f"update 2 severity high {CAUSE}")
    await settle()
    assert labels(answer) == [
        "Publish, and set INC-2 to high",
        "Publish all of it on INC-2",
        "Edit first…",
    ]
    assert CAUSE not in repr(slack.channel_view("#status"))

    await (await mia.press(answer, "Publish, and set INC-2 to high")).answer()
    await settle()

    shown = repr(slack.channel_view("#status"))
    assert CAUSE in shown
    assert "severity high" not in shown
    assert "· high ·" in (await told("show 2")).words()


@pytest.mark.parametrize(
    ("line", "button", "facts"),
    [
        (f"note 2 {CAUSE}, severity high", "Private note on INC-2, severity high", ["high"]),
        (
            f"next 2 severity high {CAUSE}",
            "Move INC-2 to Identified, severity high",
            ["high", "Identified"],
        ),
        (
            f"status 2 identified {CAUSE} (high)",
            "Move INC-2 to Identified, severity high",
            ["high", "Identified"],
        ),
        (f"severity 2 high {CAUSE}", "Private note on INC-2, severity high", ["high"]),
        ("status 2 high", "Set INC-2 to high", ["high"]),
    ],
)
async def test_a_severity_in_plain_words_of_a_note_is_set_by_its_button(
    line, button, facts, told, mia
):
    answer = await told(line)
    assert labels(answer)[0] == button
    await (await mia.press(answer, button)).answer()

    card = (await told("show 2")).words()
    assert all(fact in card for fact in facts)
    assert (CAUSE in await timeline(told, 2)) == (CAUSE in line)


async def test_a_severity_beside_a_status_several_steps_away_is_not_lost(told, mia):
    answer = await told("status 2 monitoring severity high")
    assert labels(answer)[:2] == ["Move INC-2 to Monitoring…", "Set INC-2 to high"]

    await (await mia.press(answer, "Set INC-2 to high")).answer()

    assert "· high ·" in (await told("show 2")).words()


EDITED = [
    (f"update 2 status:resolved {CAUSE}", "update", {"public": CAUSE}),
    (f"update 2 status:monitorng {CAUSE}", "update", {"public": CAUSE}),
    (
        "declare Slow since:99:99 severity:high components:api",
        "declare",
        {"title": "Slow", "components": "api"},
    ),
    (
        "declare Slow since:99:99 components:api private",
        "declare",
        {"title": "Slow", "components": "api"},
    ),
    ("declare Slow lifecycle:respons components:api", "declare", {"components": "api"}),
    ("declare colour=red Slow components:api", "declare", {"title": "colour=red Slow"}),
]


@pytest.mark.parametrize(("line", "dialog", "entered"), EDITED, ids=[row[0] for row in EDITED])
async def test_edit_first_opens_the_dialog_with_everything(line, dialog, entered, told, mia, slack):
    await mia.press(await told(line), "Edit first…")
    view = await opened(slack, mia, dialog)

    boxes = {
        block["block_id"].partition(":")[0]: block["element"].get("initial_value")
        for block in view.blocks
        if block["type"] == "input"
    }
    assert entered.items() <= boxes.items()
    assert ("'initial_options'" in str(view.blocks)) == line.endswith("private")
    if "severity:high" in line:
        assert "'initial_option': {'text': {'type': 'plain_text', 'text': 'High'" in str(
            view.blocks
        )


async def test_private_in_any_decoration_makes_a_declaration_private(told, slack, settle):
    for words in ("Data leak private!", "Data leak (private)", "private: Data leak"):
        assert "private" in (await told(f"declare {words}")).text
    await settle()

    assert "Data leak" not in repr(slack.channel_view("#status"))


async def test_a_private_that_may_be_a_part_of_the_title_is_asked_about(told, mia, slack, settle):
    answer = await told("declare private key leaked")
    await settle()
    assert labels(answer) == [
        "Declare it private",
        "Declare it in public, as typed",
        "Edit first…",
    ]
    assert "leaked" not in repr(slack.channel_view("#status"))

    done = await (await mia.press(answer, "Declare it in public, as typed")).answer()
    await settle()
    assert "INC-3 is declared" in done.text
    assert "private key leaked" in repr(slack.channel_view("#status"))


async def test_in_a_private_channel_a_declaration_is_private_and_says_so(told, slack, settle):
    asked = await slack.person("mia").command("#war-room", "/incident declare The build is red")
    first = (await asked.answer()).text
    asked = await slack.person("mia").command("#war-room", "/incident declare Red too --public")
    await settle()

    assert first.startswith("INC-3 is private, because it was declared in a private conversation")
    shown = repr(slack.channel_view("#status"))
    assert "The build is red" not in shown
    assert "Red too" in shown


# --- what was typed is not lost -------------------------------------------------------------------


async def test_a_text_for_the_status_that_the_incident_has_needs_no_further_step(told):
    await told("status 2 identified")

    answer = await told(f"update 2 status:identified {CAUSE}")

    assert labels(answer) == [
        "Publish on INC-2",
        "Edit first…",
        "Publish and move INC-2 to Monitoring",
    ]


async def test_a_wrong_spelling_is_corrected_with_the_text(told, mia, slack, settle):
    await told("status 2 identified")
    answer = await told(f"update 2 status:monitorng {CAUSE}")

    assert labels(answer) == [
        "Publish and move INC-2 to Monitoring",
        "Publish on INC-2",
        "Edit first…",
    ]
    await (await mia.press(answer, "Publish and move INC-2 to Monitoring")).answer()
    await settle()
    assert CAUSE in repr(slack.channel_view("#status"))


async def test_a_step_that_is_not_valid_now_offers_the_next_one_with_the_text(told, mia):
    answer = await told(f"resolve 2 {CAUSE}")

    assert "Resolved is three steps away" in answer.text
    assert labels(answer) == [
        "Move INC-2 to Identified",
        "Private note on INC-2",
        "Resolve: 3 steps…",
    ]
    await (await mia.press(answer, "Move INC-2 to Identified")).answer()

    assert CAUSE in await timeline(told, 2)


async def test_the_dialog_of_several_steps_has_the_text_that_was_typed(told, mia, slack):
    answer = await told(f"resolve 2 {CAUSE}")
    await mia.press(answer, "Resolve: 3 steps…")
    await slack.until(lambda: mia.has_view and mia.view.callback_id == "walk")
    await mia.submit()

    shown = await timeline(told, 2)
    assert CAUSE in shown
    assert "→ Resolved" in shown


async def test_the_dialog_of_several_steps_goes_on_after_somebody_else_moved(told, mia, slack):
    answer = await told(f"resolve 2 {CAUSE}")
    await mia.press(answer, "Resolve: 3 steps…")
    await opened(slack, mia, "walk")
    await (await slack.person("bo").command("#payments", "/incident next 2")).answer()

    await mia.submit()

    shown = str(mia.view.blocks)
    assert "<@U0BO> moved it to *Identified*" in shown
    assert "2 steps in one: Identified → Monitoring → Resolved" in shown
    assert CAUSE in shown
    await mia.submit()
    assert not mia.has_view
    assert CAUSE in await timeline(told, 2)


async def test_the_dialog_of_several_steps_keeps_its_text_after_the_end(told, mia, slack):
    answer = await told(f"resolve 2 {CAUSE}")
    await mia.press(answer, "Resolve: 3 steps…")
    await opened(slack, mia, "walk")
    for status in ("identified", "monitoring", "resolved"):
        await told(f"status 2 {status}")

    await mia.submit()

    assert "already moved INC-2 to *Resolved*" in str(mia.view.blocks)
    assert CAUSE in str(mia.view.blocks)


@pytest.mark.parametrize(
    "text", [f"stauts:monitoring {CAUSE}", f"Monitoring: {CAUSE}", f"to monitoring {CAUSE}"]
)
async def test_a_status_several_steps_away_at_the_head_opens_the_dialog(text, told, mia, slack):
    answer = await told(f"update 2 {text}")
    assert labels(answer)[0] == "Publish and move INC-2 to Monitoring…"

    await mia.press(answer, "Publish and move INC-2 to Monitoring…")
    view = await opened(slack, mia, "walk")
    assert CAUSE in str(view.blocks)
    await mia.fill("Private reason", "Build 311 is out.")
    await mia.submit()

    shown = await timeline(told, 2)
    assert CAUSE in shown
    assert "→ Monitoring" in shown


async def test_an_update_without_a_text_opens_its_dialog_with_the_step(told, mia, slack):
    answer = await told("update 2 status:identified")

    assert labels(answer) == ["Update INC-2…", "Move INC-2 to Identified", "Keep it as a note…"]
    await mia.press(answer, "Update INC-2…")
    await opened(slack, mia, "update")
    await mia.fill("Public update", CAUSE)
    await mia.submit()
    assert "→ Identified" in await timeline(told, 2)
    assert CAUSE in await timeline(told, 2)


async def test_the_step_of_an_update_without_a_text_is_taken_alone(told, mia):
    answer = await told("update 2 status:identified")

    done = await (await mia.press(answer, "Move INC-2 to Identified")).answer()
    assert "INC-2 is now *Identified*" in done.text


async def test_a_quoted_title_with_an_audience_at_its_end_is_declared_as_chosen(told, mia):
    answer = await told('declare "Customer data leak private"')

    assert labels(answer)[:2] == ["Declare it private", "Declare it in public, as typed"]
    declared = await (await mia.press(answer, "Declare it private")).answer()
    assert "Customer data leak" in declared.words()
    assert "private" in declared.words()


async def test_an_unknown_option_before_a_title_is_no_title_unasked(told, mia):
    answer = await told("declare --foo Cards are refused")

    assert labels(answer) == ["Declare it without that", "It is part of the title", "Edit first…"]
    declared = await (await mia.press(answer, "Declare it without that")).answer()
    assert "medium): Cards are refused." in declared.words()


@pytest.mark.parametrize("text", ["note 1-2 db-3 is slow", "note to 1: db-3 is slow",
                                  "note \u0406\u041c\u0421-1 db-3 is slow"])  # fmt: skip
async def test_a_doubtful_reference_is_asked_about_and_its_text_kept(text, told):
    answer = await told(text)

    assert labels(answer)[0] == 'Private note on INC-1: "db-3 is slow"'
    assert labels(answer)[1].startswith("Private note on INC-2")
    assert "db-3 is slow" in answer.words()


@pytest.mark.parametrize(
    ("command", "label", "effect"),
    [
        ("invite @bo 2", "Invite to INC-2", "INC-2 is shown to"),
        ("uninvite @bo 2", "Take back the invitation to INC-2", "INC-2"),
    ],
)
async def test_an_invitation_in_another_order_is_asked_about(command, label, effect, told, mia):
    await told("private 2")
    asked = await told("private 2")
    await (await mia.press(asked, "Make it private")).answer()

    answer = await told(command)
    assert label in labels(answer)
    pressed = await (await mia.press(answer, label)).answer()
    assert effect in pressed.words()


async def test_a_name_without_an_at_opens_the_dialog_of_an_invitation(told, mia, slack):
    await (await mia.press(await told("private 2"), "Make it private")).answer()

    answer = await told("invite 2 bo")
    assert labels(answer) == ["Invite to INC-2…"]
    await mia.press(answer, "Invite to INC-2…")
    await opened(slack, mia, "invite")
    await mia.fill("Person", slack.person("bo").id)
    await mia.submit()
    assert "invited bo" in await timeline(told, 2)

    answer = await told("uninvite 2 bo")
    await mia.press(answer, "Take back an invitation to INC-2…")
    await opened(slack, mia, "uninvite")
    await mia.fill("Person", "bo")
    await mia.submit()
    assert "took the invitation of bo back" in await timeline(told, 2)


async def test_the_dialog_of_an_invitation_refuses_a_guest(told, mia, slack):
    await (await mia.press(await told("private 2"), "Make it private")).answer()
    await mia.press(await told("invite 2"), "Invite to INC-2…")
    await opened(slack, mia, "invite")
    await mia.fill("Person", slack.person("gus").id)

    refused = await mia.submit()
    assert "must be a full member" in str(refused)


async def test_a_guest_is_refused_as_invited_and_another_can_be_chosen(told, mia, slack):
    await (await mia.press(await told("private 2"), "Make it private")).answer()
    refused = await told("invite 2 @gus")
    assert "The invited person must be a full member" in refused.text

    await mia.press(refused, "Invite to INC-2…")
    await opened(slack, mia, "invite")
    await mia.fill("Person", "bo")
    await mia.submit()
    assert "invited bo" in await timeline(told, 2)


@pytest.mark.parametrize(
    ("command", "button", "dialog", "field", "done"),
    [
        ("assign @gus 2", "Assign INC-2", "assign", "Owner", "made bo the owner"),
        ("invite @gus 2", "Invite to INC-2", "invite", "Person", "invited bo"),
    ],
)
async def test_a_click_that_names_a_guest_is_refused_and_another_can_be_chosen(
    command, button, dialog, field, done, told, mia, slack
):
    await (await mia.press(await told("private 2"), "Make it private")).answer()
    asked = await told(command)
    assert labels(asked)[0] == button

    refused = await (await mia.press(asked, button)).answer()
    assert "must be a full member" in refused.text
    assert labels(refused) == [f"{button}…"]
    await mia.press(refused, f"{button}…")
    await opened(slack, mia, dialog)
    await mia.fill(field, "bo")
    await mia.submit()
    assert done in await timeline(told, 2)


async def test_a_question_of_a_question_keeps_the_text(told, mia, ratchet):
    answer = await told(f"resolve 2 {CAUSE}")
    bo_moved = await told("status 2 identified")
    assert "is now *Identified*" in bo_moved.text

    again = await (await mia.press(answer, "Move INC-2 to Identified")).answer()

    assert "You already moved INC-2 to *Identified*" in again.text
    assert any(label.startswith("Move INC-2 to Monitoring") for label in labels(again))
    assert len(drafts(ratchet)) == 1
    await (await mia.press(again, "Move INC-2 to Monitoring")).answer()
    assert CAUSE in await timeline(told, 2)
    assert drafts(ratchet) == []


@pytest.mark.parametrize("length", [2_001, 3_100, 6_500])
async def test_a_text_that_is_too_long_opens_in_boxes_that_hold_all_of_it(
    length, told, mia, slack, settle
):
    text = f"{CAUSE} " + "x" * (length - len(CAUSE) - 1)
    answer = await told(f"note 2 {text}")
    assert labels(answer) == ["Shorten it…"]

    await mia.press(answer, "Shorten it…")
    view = await opened(slack, mia, "shorten")
    boxes = [block for block in view.blocks if block["type"] == "input"]
    assert "".join(box["element"]["initial_value"] for box in boxes) == text
    refused = await mia.submit()
    assert "at most 2,000 fit" in str(refused.field_errors)
    await mia.fill(boxes[0]["label"]["text"], CAUSE)
    for box in boxes[1:]:
        await mia.fill(box["label"]["text"], "")
    await mia.submit()

    await slack.until(lambda: not mia.has_view)
    assert CAUSE in await timeline(told, 2)


async def test_a_text_that_is_shortened_for_longer_than_an_hour_is_offered(told, mia, slack, clock):
    await mia.press(await told(f"note 2 {CAUSE} " + "x" * 2_000), "Shorten it…")
    view = await opened(slack, mia, "shorten")
    clock.advance(hours=1)
    await mia.fill(view.blocks[-1]["label"]["text"], CAUSE)
    await mia.submit()

    await slack.until(lambda: "older than an hour" in str(mia.view.blocks))
    await mia.press(mia.view, "Keep it as a note…")
    await slack.until(lambda: mia.view.callback_id == "note")
    assert CAUSE in str(mia.view.blocks)


async def test_a_text_after_the_end_becomes_the_description_of_a_follow_up(told, mia, slack):
    for status in ("identified", "monitoring", "resolved"):
        await told(f"status 2 {status}")
    answer = await told(f"update 2 {CAUSE}")

    await mia.press(answer, "Declare a follow-up…")
    view = await opened(slack, mia, "declare")
    assert CAUSE in str(view.blocks)


async def test_a_follow_up_names_the_first_one_and_is_private_like_it(told, mia, slack):
    for status in ("identified", "monitoring", "resolved"):
        await told(f"status 2 {status}")
    await mia.press(await told("severity 2 high"), "Declare a follow-up…")
    view = await opened(slack, mia, "declare")
    assert "Follow-up of INC-2." in str(view.blocks)
    assert "initial_options" not in str(view.blocks)
    await mia.close()

    await (await mia.press(await told("private 2"), "Make it private")).answer()
    await mia.press(await told(f"note 2 {CAUSE}"), "Declare a follow-up…")
    view = await opened(slack, mia, "declare")
    assert f"Follow-up of INC-2.\n\n{CAUSE}" in [
        block["element"].get("initial_value") for block in view.blocks if block["type"] == "input"
    ]
    assert "initial_options" in str(view.blocks)


@pytest.mark.parametrize("line", ["severity 2 low", f"note 2 {CAUSE}"])
async def test_a_follow_up_proposes_what_the_first_one_had(told, mia, slack, line):
    await told("severity 2 critical")
    await told("components 2 search: eu, web")
    for status in ("identified", "monitoring", "resolved"):
        await told(f"status 2 {status}")
    await mia.press(await told(line), "Declare a follow-up…")
    view = await opened(slack, mia, "declare")

    boxes = {block["block_id"]: block["element"] for block in view.blocks if "element" in block}
    assert boxes["severity"]["initial_option"]["value"] == "critical"
    assert boxes["lifecycle"]["initial_option"]["value"] == "statuspage"
    assert boxes["components"]["initial_value"] == "search: eu, web"


async def test_words_without_a_verb_are_kept(told, mia, slack):
    answer = await told(CAUSE)

    assert CAUSE in answer.words()
    await mia.press(answer, "Keep it as a note…")
    view = await opened(slack, mia, "note")
    assert CAUSE in str(view.blocks)
    assert '"initial_option"' not in json.dumps(view.blocks), "no incident is guessed"


@pytest.mark.parametrize(
    "text", ["list all severity:high,critical", "list all severity:hihg status:open"]
)
async def test_the_filters_of_a_list_are_no_text_to_keep(told, text):
    assert "Keep it as a note…" not in labels(await told(text))


async def test_somebody_who_may_not_act_leaves_no_draft(slack, told, ratchet):
    gus = slack.person("gus")
    asked = await gus.command("#payments", f"/incident note {CAUSE} 1")

    assert "Only full members" in (await asked.answer()).text
    assert drafts(ratchet) == []


async def test_a_button_of_somebody_elses_draft_does_nothing(slack, told, ratchet):
    answer = await told(f"note ticket 1 {CAUSE}")
    bo = slack.person("bo")
    own = await (await bo.command("#payments", f"/incident note ticket 1 {CAUSE}")).answer()
    forged = own.snapshot()
    values = [element["value"] for block in answer.blocks for element in block.get("elements", [])]
    for block in forged.blocks:
        for element, value in zip(block.get("elements", []), values, strict=False):
            element["value"] = value

    done = await (await bo.press(forged, labels(forged)[0])).answer()

    assert "Nothing was changed" in done.text
    assert CAUSE not in await timeline(told, 1)


async def test_a_withdrawal_with_the_entry_first_offers_that_entry(told, mia):
    await told(f"note 2 {CAUSE}")
    asked = await told("withdraw 2 of INC-2")
    assert labels(asked) == ["Withdraw entry 2 of INC-2"]
    asked = await told("withdraw entry 2 of 2")
    assert labels(asked) == ["Withdraw entry 2 of INC-2"]

    done = await (await mia.press(asked, "Withdraw entry 2 of INC-2")).answer()
    assert CAUSE not in await timeline(told, 2)
    assert "entry 2" in done.text


async def test_a_withdrawal_without_an_entry_offers_the_texts_of_the_incident(told, mia, slack):
    await told(f"note 2 {CAUSE}")
    asked = await told("withdraw 2")
    assert "Which text of INC-2, or is 2 an entry? Nothing was done." in asked.text
    assert labels(asked) == ["Withdraw from INC-2…", "Withdraw entry 2 of INC-2"]

    await mia.press(asked, "Withdraw from INC-2…")
    assert CAUSE in str((await opened(slack, mia, "redact")).blocks)


async def test_the_question_of_a_draft_that_is_gone_still_quotes_the_text(slack, told, mia):
    bo = slack.person("bo")
    asked = await (await bo.command("#payments", f"/incident note ticket 1 {CAUSE}")).answer()
    await told(f"update #1 {CAUSE}")
    await told("withdraw 1 2")

    answer = await (await bo.press(asked, labels(asked)[0])).answer()

    assert "words of a text that is withdrawn now" in answer.text
    assert CAUSE in asked.words()


async def test_a_question_is_answered_once_and_for_an_hour(told, mia, clock):
    answer = await told(f"note ticket 1 {CAUSE}")
    drawn, other = answer.snapshot(), labels(answer)[1]
    await (await mia.press(answer, labels(answer)[0])).answer()
    again = await (await mia.press(drawn, other)).answer()
    assert "answered already, is older than an hour" in again.text

    late = await told(f"note ticket 1 {CAUSE}")
    clock.advance(hours=1)
    answer = await (await mia.press(late, other)).answer()

    assert "answered already, is older than an hour" in answer.text
    assert CAUSE not in await timeline(told, 2)


async def test_a_press_that_is_delivered_twice_is_done_once(told, mia, slack):
    answer = await told(f"note ticket 1 {CAUSE}")
    await (await mia.press(answer, labels(answer)[0])).answer()
    await slack.redeliver(copies=2, at_once=True)

    assert (await timeline(told, 1)).count(CAUSE) == 1


# --- the end, and the click -----------------------------------------------------------------------


async def test_a_second_click_at_once_asks_and_the_answer_acts_at_once(mia, told, clock):
    first = await (await mia.press(await told("show 2"), "Move to Identified")).answer()
    clock.advance(seconds=2)

    second = await (await mia.press(first, "Move to Monitoring")).answer()

    assert "Your click followed another one at once, and changed nothing." in second.text
    third = await (await mia.press(second, "Move to Monitoring")).answer()
    assert "INC-2 is now *Monitoring*" in third.text


async def test_a_second_click_after_three_seconds_and_those_of_others_move(mia, slack, told, clock):
    bo = slack.person("bo")
    first = await (await mia.press(await told("show 2"), "Move to Identified")).answer()
    clock.advance(seconds=3)
    second = await (await mia.press(first, "Move to Monitoring")).answer()
    assert "is now *Monitoring*" in second.text

    shown = await (await bo.command("#payments", "/incident show 2")).answer()
    assert "is now *Resolved*" in (await (await bo.press(shown, "Move to Resolved")).answer()).text


async def test_commands_at_once_are_no_impatience(told):
    for status in ("identified", "monitoring", "resolved"):
        assert f"is now *{status.capitalize()}*" in (await told(f"status 2 {status}")).text


def changed_values(message, change):
    drawn = message.snapshot()
    for block in drawn.blocks:
        for element in block.get("elements", []):
            if "value" in element:
                element["value"] = change(element["value"])
    return drawn


async def test_a_button_with_only_a_number_moves_nothing_and_shows_the_card(mia, slack, told):
    card = slack.workspace.channel("#payments").messages[-1]
    old = changed_values(card, lambda _: "step:2:investigating:identified")

    answer = await (await mia.press(old, "Move to Identified")).answer()

    assert "drawn by an earlier version, and your click changed nothing" in answer.text
    assert "INC-2 Checkout is down: now investigating" in answer.text
    assert "Move to Identified" in labels(answer)


async def test_a_card_whose_incident_is_not_in_the_store_moves_nothing(mia, slack, ratchet):
    card = slack.workspace.channel("#payments").messages[-1]
    other = "00000000-0000-4000-8000-000000000000"
    foreign = changed_values(card, lambda _: f"step:{other}:investigating:identified")
    before = tables.contents(ratchet.store, ["incident"])

    answer = await (await mia.press(foreign, "Move to Identified")).answer()

    assert "is not in the store, and your click moved nothing" in answer.text
    assert tables.contents(ratchet.store, ["incident"]) == before


async def test_a_choice_in_a_list_that_would_end_it_asks_first(told, mia):
    for status in ("identified", "monitoring"):
        await told(f"status 2 {status}")
    listed = await told("list status:monitoring")

    asked = await (await mia.choose(listed, "menu", "Move to Resolved")).answer()

    assert "Your click changed nothing yet." in asked.text
    done = await (await mia.press(asked, "Move to Resolved")).answer()
    assert "is now *Resolved*" in done.text


# --- take back and edit ---------------------------------------------------------------------------


class TestTakeBackAndEdit:
    """With the product's own delay."""

    @pytest.fixture
    def environment(self, environment):
        del environment["PUBLISH_DELAY"]
        return environment

    async def test_the_dialog_opens_with_the_text_and_publishes_the_new_one(
        self, told, mia, slack, ratchet, settle
    ):
        answer = await told(f"update 2 {CAUSE}")
        pressed = await mia.press(answer, "Take back and edit")
        view = await opened(slack, mia, "update")
        assert CAUSE in str(view.blocks)
        assert "never published" in (await pressed.answer()).text
        assert [CAUSE in body for body in drafts(ratchet)] == [True]
        assert CAUSE not in repr(tables.contents(ratchet.store, ["incident_update", "incident"]))

        await mia.fill("Public update", "Cards work again.")
        await mia.submit()
        await settle()

        shown = repr(slack.channel_view("#status"))
        assert "Cards work again." in shown
        assert CAUSE not in shown
        assert drafts(ratchet) == []

    async def test_a_title_taken_back_by_another_person_keeps_what_was_typed(
        self, slack, told, mia
    ):
        bo = slack.person("bo")
        asked = await (await bo.command("#payments", f"/incident note ticket 1 {CAUSE}")).answer()
        titled = await told("title #1 X")
        await (await mia.press(titled, "Take back")).answer()

        await (await bo.press(asked, labels(asked)[0])).answer()

        assert CAUSE in await timeline(told, 1)

    async def test_after_a_cancelled_dialog_the_text_is_still_there(self, told, mia, slack):
        answer = await told(f"update 2 {CAUSE}")
        pressed = await mia.press(answer, "Take back and edit")
        await opened(slack, mia, "update")
        await mia.close()
        await mia.press(await pressed.answer(), "Edit it…")

        assert CAUSE in str((await opened(slack, mia, "update")).blocks)

    async def test_the_one_text_after_the_end_is_offered_while_it_can_be_taken(self, told, mia):
        for status in ("identified", "monitoring"):
            await told(f"status 2 {status}")
        answer = await told("update 2 status:resolved Our customer list leaked.")
        taken_back = await (await mia.press(answer, "Take back")).answer()
        assert "For five minutes you can put one text in its place" in taken_back.text

        again = await told(f"update 2 {CAUSE}")
        told_of_it = "in place of your text in entry 4, and is the only one that can."
        assert told_of_it in again.text

        taken_back = await (await mia.press(again, "Take back")).answer()
        assert "never published" in taken_back.text
        assert "you can put one text" not in taken_back.text
        assert labels(await told(f"update 2 {CAUSE}")) == [
            "Write it in the report…",
            "Declare a follow-up…",
        ]

    async def test_a_status_does_not_stop_the_one_text_after_the_end(
        self, told, mia, settle, slack
    ):
        for status in ("identified", "monitoring"):
            await told(f"status 2 {status}")
        answer = await told("update 2 status:resolved Our customer list leaked.")
        await (await mia.press(answer, "Take back")).answer()

        again = await told(f"update 2 status:resolved {CAUSE}")
        label = "Publish it in the place of yours on INC-2"
        assert labels(again) == [label, "Write it in the report…", "Declare a follow-up…"]
        await (await mia.press(again, label)).answer()
        await settle()

        shown = repr(slack.channel_view("#status"))
        assert CAUSE in shown
        assert "leaked" not in shown
        late = await told(f"update 2 status:resolved {CAUSE}")
        assert labels(late) == ["Write it in the report…", "Declare a follow-up…"]

    async def test_only_the_title_that_returns_is_called_so_again(self, told, mia):
        replaced, newest = await told("title 2 One"), await told("title 2 Two")

        assert "again" not in (await (await mia.press(replaced, "Take back")).answer()).text
        back = await (await mia.press(newest, "Take back")).answer()
        assert 'It is called "Checkout is down" again.' in back.text
