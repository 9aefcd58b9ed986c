"""The description: on the card, whole in other places, corrected and withdrawn in Slack."""

from __future__ import annotations

import pytest

from tests.standin import labels, opened

FIRST = "Payments time out.\nSince the deploy of 14:10.\nOnly cards of ACME.\nA fourth line."


@pytest.fixture
def mode():
    return "socket"


@pytest.fixture
def mia(slack):
    return slack.person("mia")


@pytest.fixture
def say(mia):
    async def say(text):
        return await (await mia.command("#payments", f"/incident {text}")).answer()

    return say


@pytest.fixture
async def card(slack, ratchet, say, settle):
    """INC-1's working card in #payments, with a description."""
    await say("declare Checkout is down")
    await say(f"description 1 {FIRST}")
    await settle()
    return slack.workspace.channel("#payments").messages[-1]


async def test_the_card_has_the_first_lines_and_show_has_all_of_them(card, say):
    assert "Only cards of ACME." in card.words()
    assert "A fourth line." not in card.words()
    assert "`/incident show 1` shows the whole description" in card.words()

    assert "A fourth line." in (await say("show 1")).words()
    assert "A fourth line." in (await say("report 1")).words()
    assert "A fourth line." in (await say("timeline 1")).words()


@pytest.mark.usefixtures("card")
async def test_the_answer_names_the_readers(say):
    words = (await say("description 1 Nobody can pay.")).words()

    assert 'INC-1 is called "Checkout is down".' in words
    assert "Everyone in this workspace sees it; it is never public." in words


async def test_no_public_surface_shows_it(card, slack, settle):
    await settle()

    assert "Payments time out" not in repr(slack.channel_view("#status"))


async def test_without_a_text_the_dialog_is_filled_with_the_present_one(
    card, slack, mia, say, settle
):
    await mia.command("#payments", "/incident description 1")
    await opened(slack, mia, "description")
    await mia.fill("Description", f"{FIRST}\nA fifth.")
    await mia.submit()
    await settle()

    assert "A fifth." in (await say("show 1")).words()


async def test_a_dialog_of_blanks_shows_the_error_at_its_box(card, slack, mia):
    await mia.command("#payments", "/incident description 1")
    await opened(slack, mia, "description")
    await mia.fill("Description", "  ")

    submitted = await mia.submit()

    assert list(submitted.field_errors) == ["description"]


async def test_a_text_that_is_too_long_is_shortened_in_a_dialog(card, slack, mia, say, settle):
    refused = await say(f"description 1 {'word ' * 2_001}")
    await mia.press(refused, "Shorten it…")
    view = await opened(slack, mia, "shorten")
    assert "Read by everyone in this workspace. It is never public." in repr(view)
    for part in (2, 3, 4):
        await mia.fill(f"Description, part {part}", "")
    await mia.fill("Description, part 1", "Short enough.")
    await mia.submit()
    await settle()

    assert "Short enough." in (await say("show 1")).words()


async def test_the_description_is_withdrawn_by_its_name(card, slack, say, settle):
    words = (await say("withdraw 1 description")).words()
    await settle()

    assert "The description of INC-1 is withdrawn." in words
    assert "Payments" not in slack.workspace.channel("#payments").messages[0].words()
    assert "Payments" not in (await say("timeline 1")).words()
    again = (await say("withdraw 1 description")).words()
    assert "withdrawn already" in again


async def test_the_dialog_of_withdrawals_offers_it_by_name(card, slack, mia, say, settle):
    await mia.choose(card, "menu", "Withdraw…")
    await opened(slack, mia, "redact")
    await mia.fill("Text to withdraw", "description")
    await mia.submit()
    await settle()

    assert "Payments" not in (await say("show 1")).words()


async def test_earlier_titles_are_withdrawn_by_name(card, say):
    assert (
        "no earlier title to withdraw: its title was never changed"
        in (await say("withdraw 1 title")).words()
    )

    await say("title 1 Payments are down")
    words = (await say("withdraw 1 title")).words()

    assert "The earlier title of INC-1 is withdrawn." in words
    assert "Checkout" not in (await say("timeline 1")).words()


async def test_each_answer_to_a_withdrawal_names_what_was_withdrawn(card, say, settle):
    for line in ("title 1 Payments are slow", "title 1 Payments are down", "description 1 Secret."):
        await say(line)
        await settle()

    told = {
        line: (await say(f"withdraw {line}")).words().split(" withdrawn")[0]
        for line in ("1 title", "1 title ", "1 3", "1 description", "1 description ", "1 2", "1 1")
    }

    assert told == {
        "1 title": "2 earlier titles of INC-1 are",
        "1 title ": "Every earlier title of INC-1 is",
        "1 3": "The title in entry 3 of INC-1 is",
        "1 description": "The description of INC-1 is",
        "1 description ": "The description of INC-1 is",
        "1 2": "The description in entry 2 of INC-1 is",
        "1 1": "Title of the declaration of INC-1 is",
    }


MEANWHILE = {
    "description": ("Description", "description 1", "db-3 is slow", "Nobody can pay"),
    "title": ("Title", "title 1", "Payments are slow", "Nobody can pay"),
    "components": ("Components", "components 1", "API", "Website"),
}


@pytest.mark.parametrize(("box", "verb", "bos", "mias"), MEANWHILE.values(), ids=MEANWHILE.keys())
async def test_what_somebody_changed_meanwhile_is_shown_before_it_is_replaced(
    slack, card, say, mia, box, verb, bos, mias
):
    dialog = "affected" if box == "Components" else box.lower()
    pressed = await mia.command("#payments", f"/incident {verb}")
    if box != "Description":
        asked = await pressed.answer()
        pressed = await mia.press(asked, labels(asked)[0])
    await opened(slack, mia, dialog)
    await (await slack.person("bo").command("#payments", f"/incident {verb} {bos}")).answer()

    await mia.fill(box, mias)
    await mia.submit()
    await slack.until(lambda: "meanwhile" in str(mia.view.given))
    told = str(mia.view.given)
    assert f"<@U0BO> changed the {box.lower()} meanwhile. Nothing is saved yet" in told
    assert bos in told
    assert mias in told
    await mia.submit()
    assert mias in (await pressed.answer()).text
    assert mias in (await say("show 1")).words()


@pytest.fixture
async def ended(card, say, settle, clock):
    """INC-1 has ended an hour ago; Mia, an admin, has its timeline."""
    for step in ("identified", "monitoring", "resolved"):
        await say(f"status 1 {step}")
    await settle()
    clock.advance(hours=1)


@pytest.mark.parametrize("typed", ["withdraw 1 title", "withdraw INC-1 1"])
async def test_the_title_of_an_ended_incident_is_withdrawn_everywhere(
    slack, ended, say, settle, typed
):
    told = (await say(typed)).words()
    await settle()

    assert "withdrawn." in told
    assert 'It is called "(title withdrawn)" now.' in told
    for channel in ("#payments", "#status"):
        assert "Checkout" not in str(slack.channel_view(channel))
        assert "(title withdrawn)" in str(slack.channel_view(channel))
    assert "Checkout" not in (await say("timeline 1")).words()
    assert "withdrawn already" in (await say(typed)).words()


async def test_the_dialog_offers_the_only_title_after_the_end(slack, ended, say, mia, settle):
    asked = await say("withdraw 1")
    await mia.press(asked, labels(asked)[0])
    await opened(slack, mia, "redact")
    await mia.fill("Text to withdraw", "title")
    await mia.submit()
    await settle()

    assert "(title withdrawn)" in (await say("show 1")).words()


async def test_a_withdrawal_by_name_that_finds_nothing_shows_what_there_is(card, say):
    told = await say("withdraw 1 category")

    assert "INC-1 has no category to withdraw." in told.words()
    assert "shows the texts that it has." in told.words()
    assert labels(told) == ["Timeline"]


async def test_after_the_end_it_is_only_withdrawn(card, slack, mia, say, settle):
    for step in ("identified", "monitoring", "resolved"):
        await say(f"status 1 {step}")
    assert "takes no further updates" in (await say("description 1 Too late.")).words()
    await mia.command("#payments", "/incident description 1")
    view = await opened(slack, mia, "message")
    assert "stays as it is" in repr(view)

    assert "is withdrawn" in (await say("withdraw 1 description")).words()
