"""What people type after the end: nothing is done, nothing is lost, and the report takes it."""

from __future__ import annotations

import pytest

from tests.standin import labels, opened

CAUSE = "The cause was a full disk on db-3."
REPORT = "Write it in the report…"


@pytest.fixture
def mode():
    return "http"


@pytest.fixture
def mia(slack, ratchet):
    return slack.person("mia")


@pytest.fixture
def end(told):
    async def ended(number=1):
        for status in ("identified", "monitoring", "resolved"):
            await told(f"status {number} {status}")

    return ended


@pytest.fixture
async def over(told, end):
    await told("declare Checkout is down")
    await end()


def boxes(view):
    return {
        block["block_id"]: block["element"].get("initial_value", "")
        for block in view.blocks
        if block["type"] == "input"
    }


@pytest.fixture
def write(mia, slack):
    """Opens the report with the button of an answer, and saves it as it is; the new answer."""

    async def written(answer, **texts):
        pressed = await mia.press(answer, REPORT)
        await opened(slack, mia, "report")
        for label, text in texts.items():
            await mia.fill(label.replace("_", " "), text)
        await mia.submit()
        return await pressed.answer()

    return written


LINES = [
    f"note 1 {CAUSE}",
    f"update 1 {CAUSE}",
    f"status 1 monitoring {CAUSE}",
    f"next 1 {CAUSE}",
    f"resolve 1 {CAUSE}",
    f"status 1 monitorng {CAUSE}",
    f"note INC1 {CAUSE}",
    f"1 {CAUSE}",
    f"promise 1 none {CAUSE}",
    f"description 1 {CAUSE}",
]


@pytest.mark.parametrize("line", LINES)
async def test_a_text_after_the_end_is_offered_to_the_report(line, over, told, mia, slack):
    answer = await told(line)

    assert CAUSE in answer.words()
    assert REPORT in labels(answer)
    assert "Declare a follow-up…" in labels(answer)
    assert CAUSE not in (await told("timeline 1")).words()
    pressed = await mia.press(answer, REPORT)
    view = await opened(slack, mia, "report")
    assert CAUSE in boxes(view)["summary"]
    assert "Your text is in *Summary*." in str(view.blocks)
    await mia.submit()
    saved = await pressed.answer()
    assert "The section summary of INC-1 is written" in saved.text
    assert CAUSE in (await told("report 1")).words()


async def test_a_public_text_after_the_end_is_private_in_the_report(
    over, told, write, slack, settle
):
    await write(await told(f"update 1 {CAUSE}"))
    await settle()

    assert CAUSE not in repr([slack.channel_view(f"#{c}") for c in ("payments", "status")])


async def test_the_text_stands_below_the_section_that_is_there(over, told, mia, slack, write):
    await write(await told("note 1 Cards were refused for an hour."))

    await mia.press(await told(f"note 1 {CAUSE}"), REPORT)
    view = await opened(slack, mia, "report")

    assert boxes(view)["summary"] == f"Cards were refused for an hour.\n\n{CAUSE}"


async def test_a_text_without_room_in_one_section_goes_to_the_next(over, told, mia, slack, write):
    await write(await told(f"note 1 {'a' * 1_999}"))

    await mia.press(await told(f"note 1 {CAUSE}"), REPORT)
    view = await opened(slack, mia, "report")

    assert boxes(view)["summary"] == "a" * 1_999
    assert boxes(view)["impact"] == CAUSE
    assert "Your text is in *Impact*." in str(view.blocks)


async def test_a_dialog_whose_incident_ended_offers_its_texts_to_the_report(
    told, end, mia, slack, settle
):
    await told("declare Checkout is down")
    await settle()
    await mia.press(slack.workspace.channel("#payments").messages[0], "Update…")
    await opened(slack, mia, "update")
    await mia.fill("Public update", "All is well.")
    await mia.fill("Private note", CAUSE)
    await slack.until(lambda: mia.view.given["submit"]["text"] == "Publish")
    await end()

    await mia.submit()

    await slack.until(lambda: REPORT in labels(mia.view))
    assert "All is well." in str(mia.view.blocks)
    assert CAUSE in str(mia.view.blocks)
    await mia.press(mia.view, REPORT)
    view = await opened(slack, mia, "report")
    assert boxes(view)["summary"] == f"All is well.\n\n{CAUSE}"
    await mia.submit()
    assert CAUSE in (await told("report 1")).words()


async def test_a_filled_dialog_that_opens_after_the_end_offers_its_text_to_the_report(
    told, end, mia, slack
):
    await told("declare Checkout is down")
    answer = await told(f"resolve 1 {CAUSE}")
    await end()

    await mia.press(answer, "Resolve: 3 steps…")

    await slack.until(lambda: mia.has_view and REPORT in labels(mia.view))
    assert CAUSE in str(mia.view.blocks)
    await mia.press(mia.view, REPORT)
    assert CAUSE in boxes(await opened(slack, mia, "report"))["summary"]


@pytest.mark.parametrize(
    "line", [f"note 1 severity high {CAUSE}", f"update 1 identified {CAUSE}", f"note 1 {CAUSE} P1"]
)
async def test_the_meanings_of_a_command_are_one_text_after_the_end(line, over, told):
    answer = await told(line)

    assert labels(answer) == ["Show INC-1", "Write it in the report…", "Declare a follow-up…"]
    assert line in answer.text


async def test_names_of_components_are_no_text_for_the_report(over, told):
    assert labels(await told("components 1 api, web")) == ["Declare a follow-up…"]


async def test_without_a_text_the_refusal_shows_the_report(over, told):
    answer = await told("severity 1 high")

    assert "Write what you have learned since into its report." in answer.text
    assert labels(answer) == ["Timeline", "Report", "Declare a follow-up…"]


async def test_who_acknowledges_first_after_the_end_is_told_of_it(over, told):
    answer = await told("ack 1")

    assert "Nothing had to change" not in answer.text
    assert labels(answer) == ["Timeline", "Report", "Declare a follow-up…"]


async def test_a_text_for_no_box_is_shown_whole_beside_the_boxes(over, told, mia, slack, write):
    long = " ".join(f"word{place}" for place in range(500))
    labels = ("Summary", "Impact", "Cause", "What helped", "Follow-ups")
    await write(await told(f"note 1 {CAUSE}"), **dict.fromkeys(labels, "b" * 1_000))

    await mia.press(await told(f"note 1 {long[:1_900]}"), REPORT)
    view = await opened(slack, mia, "report")

    assert "fits into none of the boxes" in str(view.blocks)
    assert long[:1_900].split()[-2] in str(view.blocks)
    assert set(boxes(view).values()) == {"b" * 1_000}
