"""`/incident subscribe`, `unsubscribe` and `subscriptions`, as publishers type and press them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from core.subscribing import Subscribing
from tests.builders import an_actor

HERE = "C0PAYMENTS"


@pytest.fixture
def mode():
    return "http"


@pytest.fixture
def direct(slack):
    """A direct message of mia to the app, which takes commands once its messages tab is on."""
    slack.workspace.app = replace(slack.workspace.app, messages_read_only=False)
    return slack.workspace.direct(slack.workspace.user("mia"))


@pytest.fixture
def told(slack, ratchet, clock):
    """Types a command, and returns its answer."""

    async def told(text, name="mia", channel="#payments"):
        # Channels take one post a second.
        clock.advance(seconds=2)
        asked = await slack.person(name).command(channel, f"/incident {text}")
        return await asked.answer()

    return told


@pytest.fixture
def pressed(slack, ratchet, clock):
    """Presses a button of an answer, and returns the answer to that."""

    async def pressed(message, label, name="mia"):
        clock.advance(seconds=2)
        asked = await slack.person(name).press(message, label)
        return await asked.answer()

    return pressed


@pytest.fixture
def known(slack, ratchet, clock):
    """The subscriptions in force, by channel."""

    async def known():
        publisher = an_actor(workspace=slack.workspace.team_id)
        found = await Subscribing(ratchet.store, clock=clock).subscriptions(publisher)
        return {one.channel: one for one in found}

    return known


@pytest.fixture
async def components(told, settle):
    """The components API and Web, and a channel that takes the next post."""
    await told("declare Checkout is down components:API,Web")
    await settle()


def labels(message):
    return [
        element["text"]["text"]
        for block in message.blocks
        for element in block.get("elements", ())
        if element["type"] == "button"
    ]


def filter_of(one):
    return one.filter.severity, [each.name for each in one.filter.components], one.broadcast


async def answered(slack, person, words):
    await slack.until(lambda: any(words in told.words() for told in person.ephemerals))


async def opened(slack, person):
    await slack.until(lambda: person.has_view and person.view.callback_id == "subscribe")


async def test_a_channel_is_subscribed_changed_and_unsubscribed(told, known, components, settle):
    made = await told("subscribe severity:high+ components:api,web here")
    assert "<#C0PAYMENTS> is subscribed. From now on it gets a card for every" in made.words()
    assert "of severity critical or high that affects API or Web" in made.words()
    assert "Nothing that was public before comes" in made.words()
    assert "To end it, type `/incident unsubscribe` there." in made.words()
    assert filter_of((await known())[HERE]) == ("high", ["API", "Web"], False)

    for again in ("severity:high components:API, web", "--severity=>=high comp:api component:Web"):
        assert "Nothing had to change." in (await told(f"subscribe {again}")).words()

    changed = await told("subscribe broadcast:on severity:low components:api")
    assert "Before: critical and high · API and Web." in changed.words()
    assert "and in the channel as well" in changed.words()
    assert filter_of((await known())[HERE]) == (None, ["API"], True)

    ended = await told("unsubscribe")
    assert "Cards that are there already are kept up to date to their end." in ended.words()
    assert await known() == {}


async def test_what_was_ended_can_be_subscribed_again_with_its_filter(
    told, pressed, known, components, settle
):
    await told("subscribe #general severity:critical components:web broadcast:yes")
    before = (await known())["C0GENERAL"]
    ended = await told("unsubscribe #general")
    await settle()

    again = await pressed(ended, "Subscribe it again")

    assert "<#C0GENERAL> is subscribed." in again.words()
    assert filter_of((await known())["C0GENERAL"]) == filter_of(before)
    assert "is not subscribed any more" in (await pressed(again, "Unsubscribe")).words()
    assert await known() == {}


@pytest.mark.parametrize(
    ("flags", "told_of"),
    [
        ({"private": True}, "is private: its 2 members, me included, read it."),
        ({"shared": "connected"}, "is shared with other organizations (Slack Connect)"),
        ({"shared": "offered"}, "is offered to another organization (Slack Connect)"),
    ],
)
async def test_a_channel_with_other_readers_is_asked_about(
    slack, told, pressed, known, settle, clock, flags, told_of
):
    channel = slack.workspace.add_channel("team-north", members=["mia"], **flags)
    asked = await told("subscribe severity:high+ #team-north")
    assert told_of in asked.words()
    assert "Only what is public goes there, and no notes." in asked.words()
    assert labels(asked) == ["Subscribe", "Don't"]
    assert (await known(), channel.messages) == ({}, [])

    left = await pressed(asked, "Don't")
    assert "Nothing was changed." in left.words()
    assert await known() == {}

    asked = await told("subscribe severity:high+ #team-north")
    made = await pressed(asked, "Subscribe")
    assert "is subscribed." in made.words()
    assert told_of in made.words()
    assert filter_of((await known())[channel.id]) == ("high", [], False)
    # The trial has left no post, and another filter is no question about readers.
    assert channel.messages == []
    changed = await told("subscribe #team-north severity:critical")
    assert "has another filter now" in changed.words()


async def test_a_channel_that_is_shared_meanwhile_is_asked_about_again(slack, told, pressed, known):
    channel = slack.workspace.add_channel("team-north", members=["mia"], private=True)
    asked = await told("subscribe #team-north")
    channel.shared = "connected"

    again = await pressed(asked, "Subscribe")

    assert "is shared with other organizations" in again.words()
    assert await known() == {}
    assert "is subscribed." in (await pressed(again, "Subscribe")).words()


@pytest.mark.parametrize(
    ("flags", "cure"),
    [
        ({"archived": True}, "is archived: unarchive it, or choose another."),
        (
            {"private": True, "bot": False},
            "is private and without me: type /invite @Ratchet there, then try again.",
        ),
    ],
)
async def test_a_channel_that_takes_no_post_is_tried_again_with_the_whole_request(
    slack, told, pressed, known, components, flags, cure
):
    channel = slack.workspace.add_channel("closed", members=["mia"], **flags)
    refused = await told("subscribe #closed severity:critical components:web broadcast:on")
    assert f"<#{channel.id}> {cure}" in refused.words()
    refused = await pressed(refused, "Try again")
    assert cure in refused.words()
    assert await known() == {}

    channel.is_archived, channel.kind = False, "public"
    made = await pressed(refused, "Try again")

    assert "is subscribed." in made.words()
    assert filter_of((await known())[channel.id]) == ("critical", ["Web"], True)


async def test_a_channel_that_slack_does_not_describe_is_not_subscribed(slack, told, known):
    slack.faults.refuse("conversations.info", error="internal_error")

    refused = await told("subscribe #general")

    assert "takes no post of mine (Slack says internal_error)" in refused.words()
    assert labels(refused) == ["Try again"]
    assert await known() == {}


async def test_an_unknown_component_is_asked_about(told, pressed, known, components):
    asked = await told("subscribe severity:high+ components:wen,ap #general")
    assert 'There is no component "wen". Did you mean Web?' in asked.words()
    asked = await pressed(asked, "Take Web")
    assert 'There is no component "ap". Did you mean API?' in asked.words()
    assert await known() == {}
    await pressed(asked, "Take API")
    assert filter_of((await known())["C0GENERAL"]) == ("high", ["Web", "API"], False)

    asked = await told("subscribe components:billing,web #random")
    assert 'There is no component "billing". Components: API, Web.' in asked.words()
    await pressed(asked, 'Subscribe without "billing"')
    assert filter_of((await known())["C0RANDOM"]) == (None, ["Web"], False)


@pytest.mark.parametrize(
    ("typed", "problem", "button", "kept"),
    [
        ("severity:hihg+", "Did you mean high?", "critical and high", ("high", False)),
        (
            "sevrity:high",
            "Did you mean severity?",
            "Subscribe #general: critical and high",
            ("high", False),
        ),
        ("severity:P1 broadcast:on", "Did you mean critical?", "broadcast", ("critical", True)),
        ("severity:high,critical", "one lowest severity", "critical and high", ("high", False)),
        (
            "broadcast:flase",
            "Did you mean false?",
            "Subscribe #general: every severity",
            (None, False),
        ),
        (
            "high+",
            '"high+" may be a severity',
            "Subscribe #general: critical and high",
            ("high", False),
        ),
        ("please", '"please" may be a component', 'Subscribe without "please"', (None, False)),
        (
            "severity:low severity:high",
            "One filter has two different values.",
            "Subscribe #general: critical and high",
            ("high", False),
        ),
    ],
)
async def test_a_slip_is_asked_about_with_the_whole_request(
    told, slack, known, typed, problem, button, kept
):
    asked = await told(f"subscribe #general {typed}")
    assert problem in asked.words()
    assert await known() == {}

    label = next(one for one in labels(asked) if button in one)
    done = await slack.person("mia").press(asked, label)

    assert "is subscribed." in (await done.answer()).words()
    severity, _, broadcast = filter_of((await known())["C0GENERAL"])
    assert (severity, broadcast) == kept


async def test_a_wrong_verb_carries_the_request(told, pressed, known):
    asked = await told("subcribe #general severity:high+")
    assert "Did you mean subscribe?" in asked.words()

    await pressed(asked, "Subscribe #general: critical and high")

    assert filter_of((await known())["C0GENERAL"]) == ("high", [], False)


async def test_the_status_channel_is_no_other_channel(told, known):
    asked = await told("subscribe #status severity:high+")

    assert "is the status channel, which shows all that is public" in asked.words()
    assert labels(asked) == ["Choose another…", "All subscriptions"]
    assert await known() == {}


async def test_in_a_direct_message_the_channel_is_chosen_in_a_dialog(slack, known, ratchet, direct):
    mia = slack.person("mia")
    asked = await mia.command(direct, "/incident subscribe severity:high+ broadcast:on")
    question = await asked.answer()
    assert "Say which channel" in question.words()

    await mia.press(question, "Choose the channel…")
    await opened(slack, mia)
    await mia.fill("Channel", "#general")
    submitted = await mia.submit()

    assert submitted.field_errors == {}
    await answered(slack, mia, "is subscribed.")
    assert filter_of((await known())["C0GENERAL"]) == ("high", [], True)


async def test_faults_stand_at_the_fields_of_the_dialog(slack, told, known, components):
    mia = slack.person("mia")
    asked = await told("subscribe #nowhere severity:high+ components:api")
    assert '"#nowhere" is no channel that Slack knows' in asked.words()
    assert labels(asked) == ["Choose the channel…"]
    await mia.press(asked, "Choose the channel…")
    await opened(slack, mia)

    for channel, told_of in [
        ("#status", "The channel is the status channel"),
        ("#old-news", "The channel is archived: unarchive it, or choose another."),
    ]:
        await mia.fill("Channel", channel)
        submitted = await mia.submit()
        assert list(submitted.field_errors) == ["target"]
        assert told_of in submitted.field_errors["target"]
    await mia.fill("Channel", "#general")
    await mia.fill("Only incidents that affect", "API, billing")
    submitted = await mia.submit()
    assert list(submitted.field_errors) == ["components"]
    await mia.fill("Only incidents that affect", "API, web")
    await mia.submit()

    await answered(slack, mia, "is subscribed.")
    assert filter_of((await known())["C0GENERAL"]) == ("high", ["API", "Web"], False)


async def test_the_dialog_asks_about_readers_as_the_command_does(slack, told, pressed, known):
    channel = slack.workspace.add_channel("team-north", members=["mia"], private=True)
    mia = slack.person("mia")
    asked = await told("subscribe #nowhere severity:critical")
    await mia.press(asked, "Choose the channel…")
    await opened(slack, mia)
    await mia.fill("Channel", "#team-north")
    await mia.submit()

    await answered(slack, mia, "Subscribe it?")
    assert await known() == {}
    await pressed(mia.ephemerals[-1], "Subscribe")
    assert filter_of((await known())[channel.id]) == ("critical", [], False)


async def test_the_list_changes_and_ends_a_subscription(slack, told, known, components, clock):
    assert "No channel is subscribed." in (await told("subscriptions")).words()
    await told("subscribe #general severity:high+ components:api")
    mia = slack.person("mia")
    shown = await told("subscriptions")
    assert "<#C0GENERAL> · critical and high · API · subscribed since" in shown.words()

    clock.advance(seconds=2)
    await mia.choose(shown, "menu", "Change…")
    await opened(slack, mia)
    await mia.fill("Severity", "Critical")
    await mia.submit()
    await answered(slack, mia, "another filter now")
    assert filter_of((await known())["C0GENERAL"]) == ("critical", ["API"], False)

    shown = await told("subscriptions")
    listed = await (await mia.choose(shown, "menu", "Unsubscribe")).answer()
    assert "<#C0GENERAL> is not subscribed any more" in listed.words()
    assert "Subscribed channels (0)" in listed.words()
    assert await known() == {}

    await (await mia.press(listed, "Subscribe it again")).answer()
    assert filter_of((await known())["C0GENERAL"]) == ("critical", ["API"], False)


async def test_a_long_list_has_pages(slack, told, pressed):
    for place in range(17):
        slack.workspace.add_channel(f"team-{place:02}", members=["mia"])
        await told(f"subscribe #team-{place:02}")

    first = await told("subscriptions")
    assert "Subscribed channels (1\N{EN DASH}13 of 17)" in first.words()
    second = await pressed(first, "Next")
    assert "Subscribed channels (14\N{EN DASH}17 of 17)" in second.words()
    assert "<#C0TEAM00>" in (await pressed(second, "Previous")).words()


@pytest.fixture
def press(slack, environment):
    """Only mia may publish."""
    group = slack.workspace.add_group("press", members=["mia"])
    environment["PUBLISHERS_GROUP"] = group.id
    return group


@pytest.mark.parametrize(
    "typed",
    [
        "subscribe #general severity:high+",
        "subscribe #war-room",
        "subscribe #old-news",
        "unsubscribe",
        "subscriptions",
    ],
)
async def test_only_publishers_may(press, told, slack, typed):
    refused = await told(typed, name="bo")

    assert f"Only <!subteam^{press.id}> may post public updates." in refused.words()
    assert labels(refused) == []
    assert slack.calls_of("conversations.info") == []
    assert "Only" not in (await told("subscriptions")).words()


async def test_an_end_that_names_no_channel_is_answered_with_the_list(slack, told, direct):
    mia = slack.person("mia")
    await told("subscribe #general")

    asked = await mia.command(direct, "/incident unsubscribe")

    told_of = (await asked.answer()).words()
    assert "Say which channel: each has *Unsubscribe* in its menu." in told_of
    assert "<#C0GENERAL>" in told_of


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("unsubscribe all", ["Unsubscribe this channel", "All subscriptions"]),
        ("unsubscribe #nowhere", ["All subscriptions"]),
        ("unsubscribe #general now", ["Unsubscribe #general", "All subscriptions"]),
        ("subscriptions of all", ["All subscriptions"]),
    ],
)
async def test_words_that_name_no_channel_are_asked_about(told, typed, offered, known):
    await told("subscribe #general")
    asked = await told(typed)

    assert labels(asked) == offered
    assert list(await known()) == ["C0GENERAL"]


async def test_a_repeated_request_undoes_no_later_one(slack, told, known):
    mia = slack.person("mia")
    first = await mia.command("#payments", "/incident subscribe #general severity:high+")
    await first.answer()
    second = await mia.command("#payments", "/incident unsubscribe #general")
    await second.answer()

    await slack.redeliver(first.request)
    assert await known() == {}
    await told("subscribe #general")
    await slack.redeliver(second.request)

    assert filter_of((await known())["C0GENERAL"]) == (None, [], False)


async def test_a_lost_answer_of_slack_leaves_the_channel_unsubscribed(slack, told, known):
    slack.faults.lose_answer("conversations.info", times=None)

    refused = await told("subscribe #general")

    assert "could not be tried, because Slack does not answer" in refused.words()
    assert labels(refused) == ["Try again"]
    assert await known() == {}
