"""Templates in Update…: a choice fills the box, loses nothing, and publishes no empty place."""

from __future__ import annotations

import pytest

TEMPLATES = """
[[template]]
name = "Looking"
text = "We are looking into {component}. The next update comes {next_update}."

[[template]]
name = "Severe"
severity = "critical"
text = "Everything is down."
"""


@pytest.fixture
def mode():
    return "socket"


@pytest.fixture
def environment(environment, tmp_path):
    file = tmp_path / "templates.toml"
    file.write_text(TEMPLATES)
    return {**environment, "TEMPLATES_FILE": str(file)}


@pytest.fixture
def updating(slack, ratchet):
    """Declares an incident with ``options``, and opens its Update… as mia."""

    async def updating(options):
        mia = slack.person("mia")
        asked = await mia.command("#payments", f"/incident declare Checkout is down {options}")
        await mia.press(await asked.answer(), "Update…")
        await slack.until(lambda: mia.has_view and mia.view.callback_id == "update")
        return mia

    return updating


async def filled(slack, person, text):
    """Waits until the box for the public update holds ``text``."""

    def box():
        values = person.view.state
        return [
            held["value"]
            for block, elements in values.items()
            if block.split(":")[0] == "public"
            for held in elements.values()
        ]

    await slack.until(lambda: box() == [text])


async def test_a_choice_fills_the_box(slack, updating):
    mia = await updating("severity:high components:API,Search")

    await mia.fill("Template", "Looking")

    text = "We are looking into API and Search. The next update comes in 1 h."
    await filled(slack, mia, text)


async def test_what_was_typed_stays_before_the_text(slack, updating):
    mia = await updating("severity:high components:API")
    await mia.fill("Public update", "Sorry.")

    await mia.fill("Template", "Looking")

    text = "We are looking into API. The next update comes in 1 h."
    await filled(slack, mia, f"Sorry.\n\n{text}")


async def test_a_text_that_does_not_fit_stays_out_and_the_field_says_so(slack, updating):
    mia = await updating("severity:high components:API")
    typed = "x" * 1_990
    await mia.fill("Public update", typed)

    await mia.fill("Template", "Looking")

    def told():
        return [
            block["text"]["text"]
            for block in mia.view.blocks
            if block["type"] == "section" and "too long" in block["text"]["text"]
        ]

    await slack.until(told)
    assert told() == [
        (
            "The template is 46 characters too long for the box, so nothing was added. Shorten "
            "the text below, and choose it again."
        )
    ]
    await filled(slack, mia, typed)
    await mia.fill("Public update", "Sorry.")
    await slack.until(lambda: not told())
    await mia.fill("Template", "Looking")
    text = "We are looking into API. The next update comes in 1 h."
    await filled(slack, mia, f"Sorry.\n\n{text}")


async def test_only_templates_of_the_severity_are_offered(updating):
    mia = await updating("severity:high")
    (block,) = [one for one in mia.view.blocks if one.get("block_id", "").startswith("template")]

    labels = [one["text"]["text"] for one in block["element"]["options"]]
    assert labels == ["Looking"]


async def test_a_promise_chosen_after_the_template_fills_its_place(slack, updating):
    mia = await updating("severity:low components:+api")
    await mia.fill("Template", "Looking")
    await filled(slack, mia, "We are looking into api. The next update comes {next_update}.")

    await mia.fill("Next public update", "In 15 min")

    await filled(slack, mia, "We are looking into api. The next update comes in 15 min.")


async def test_an_empty_place_is_refused_at_the_box(slack, updating, settle):
    mia = await updating("severity:low")
    await mia.fill("Template", "Looking")
    text = "We are looking into {component}. The next update comes {next_update}."
    await filled(slack, mia, text)

    submitted = await mia.submit()

    told = "The public update has {component}, which is still to be filled in: write what it "
    told += "stands for."
    assert set(submitted.field_errors.values()) == {told}
    await settle()
    assert "looking into" not in repr(slack.channel_view("#status"))


async def test_an_empty_place_is_refused_in_a_command(slack, ratchet):
    mia = slack.person("mia")
    await mia.command("#payments", "/incident declare Checkout is down")

    asked = await mia.command("#payments", "/incident update 1 We look at {component}.")

    assert "write what it stands for" in (await asked.answer()).text
