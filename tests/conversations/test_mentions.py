"""Responders are called to a severe incident, once."""

from __future__ import annotations

import pytest

from tests.conversations.conftest import responding

CALL = "<!subteam^S0RESPONDERS>"


@pytest.fixture
def mode():
    return "http"


@pytest.fixture
def environment(environment, slack):
    return responding(environment, slack)


def texts_sent(slack, method="chat.postMessage"):
    channel = slack.workspace.channel("#payments").id
    calls = [call.arguments for call in slack.calls if call.method == method]
    return [call["text"] for call in calls if call["channel"] == channel]


@pytest.mark.parametrize(
    ("severity", "called"), [("critical", 1), ("high", 1), ("medium", 0), ("low", 0)]
)
async def test_the_first_post_of_a_severe_incident_calls_the_group(
    severity, called, slack, ratchet, settle
):
    mia = slack.person("mia")
    await mia.command("#payments", f"/incident declare Checkout is down severity:{severity}")
    await settle()

    (text,) = texts_sent(slack)
    assert text.count(CALL) == called
    assert "Checkout is down" in text


async def test_no_edit_of_the_card_calls_the_group(slack, ratchet, settle):
    mia = slack.person("mia")
    await mia.command("#payments", "/incident declare Checkout is down severity:critical")
    await settle()
    await mia.command("#payments", "/incident next 1")
    await settle()

    assert CALL not in "".join(texts_sent(slack, "chat.update"))
    assert "".join(texts_sent(slack)).count(CALL) == 1


async def test_an_incident_that_is_raised_calls_the_group_once(slack, ratchet, settle):
    mia = slack.person("mia")
    await mia.command("#payments", "/incident declare Checkout is down severity:low")
    for severity in ("high", "low", "critical"):
        await mia.command("#payments", f"/incident severity 1 {severity}")
        await settle()

    calls = [text for text in texts_sent(slack) if CALL in text]
    (called,) = calls
    assert called.startswith(f"{CALL} INC-1 now has the severity *high*. It is *investigating*")


async def test_a_raise_after_which_it_is_over_calls_nobody(slack, ratchet, settle):
    mia = slack.person("mia")
    await mia.command("#payments", "/incident declare Checkout is down severity:low")
    await settle()
    asked = await mia.command("#payments", "/incident severity 1 high")
    await asked.answer()
    for status in ("identified", "monitoring", "resolved"):
        moved = await mia.command("#payments", f"/incident status 1 {status}")
        await moved.answer()
    await settle()

    assert CALL not in "".join(texts_sent(slack))


async def test_a_raise_that_was_taken_back_before_the_post_calls_nobody(slack, ratchet, settle):
    mia = slack.person("mia")
    await (await mia.command("#payments", "/incident declare Checkout is down")).answer()
    for severity in ("high", "low"):
        await (await mia.command("#payments", f"/incident severity 1 {severity}")).answer()
    await settle()

    assert len(texts_sent(slack)) == 1
    assert CALL not in "".join(texts_sent(slack))


async def test_a_raise_after_which_it_is_private_calls_nobody(slack, ratchet, settle):
    mia = slack.person("mia")
    await (await mia.command("#payments", "/incident declare Checkout is down")).answer()
    await (await mia.command("#payments", "/incident severity 1 high")).answer()
    asked = await (await mia.command("#payments", "/incident private 1")).answer()
    await (await mia.press(asked, "Make it private")).answer()
    await settle()

    assert CALL not in "".join(texts_sent(slack))


async def test_a_call_names_no_title_and_says_nothing_once_it_is_private(slack, ratchet, settle):
    mia = slack.person("mia")
    await mia.command("#payments", "/incident declare Checkout is down severity:low")
    await (await mia.command("#payments", "/incident severity 1 high")).answer()
    await settle()
    called = slack.workspace.channel("#payments").messages[-1]
    assert "INC-1 now has the severity" in called.words()
    assert "Checkout" not in called.words()
    asked = await (await mia.command("#payments", "/incident private 1")).answer()
    await (await mia.press(asked, "Make it private")).answer()
    await settle()

    assert called.text == "INC-1 is no longer public."
    assert "severity" not in str(slack.channel_view("#payments"))
