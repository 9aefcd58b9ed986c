"""What a subscription has is lost by no word, button or dialog whose author did not know of it."""

from __future__ import annotations

import asyncio

import pytest

from bot.app import SLACK_TIMEOUT_SECONDS
from core.subscribing import Subscribing, Wanted
from tests.builders import an_actor

GENERAL, SUPPORT = "C0GENERAL", "C0SUPPORT"
# The subscription of #general before each test, as `known` gives it.
BEFORE = ("high", ["API"], True)


@pytest.fixture
def mode():
    return "http"


@pytest.fixture(autouse=True)
def support(slack):
    return slack.workspace.add_channel("support", members=["mia", "bo"])


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
    """The subscriptions in force, by channel: severity, components, broadcast."""

    async def known():
        publisher = an_actor(workspace=slack.workspace.team_id)
        found = await Subscribing(ratchet.store, clock=clock).subscriptions(publisher)
        return {
            one.channel: (
                one.filter.severity,
                [each.name for each in one.filter.components],
                one.broadcast,
            )
            for one in found
        }

    return known


@pytest.fixture
async def general(told, settle):
    """#general is subscribed, with `BEFORE`."""
    await told("declare Checkout is down components:API,Web")
    await settle()
    await told("subscribe #general severity:high+ components:api broadcast:on")


def labels(message):
    return [
        element["text"]["text"]
        for block in message.blocks
        for element in block.get("elements", ())
        if element["type"] == "button"
    ]


async def answered(slack, person, words):
    await slack.until(lambda: any(words in told.words() for told in person.ephemerals))


async def opened(slack, person):
    await slack.until(lambda: person.has_view and person.view.callback_id == "subscribe")


@pytest.mark.parametrize(
    ("typed", "choices"),
    [
        ("", {"Take the filter off": (None, [], True)}),
        (
            "severity:critical",
            {
                "Take: critical, API, broadcast": ("critical", ["API"], True),
                "Take: critical": ("critical", [], False),
            },
        ),
        ("severity:high", {"Take: critical and high": ("high", [], False)}),
        (
            "components:web broadcast:off",
            {
                "Take: critical and high, Web": ("high", ["Web"], False),
                "Take: every severity, Web": (None, ["Web"], False),
            },
        ),
    ],
)
async def test_what_the_words_leave_out_is_asked_about(
    general, told, pressed, known, typed, choices
):
    asked = await told(f"subscribe #general {typed}")

    assert f"<#{GENERAL}> is subscribed already. It gets a card for every" in asked.words()
    assert labels(asked) == ["Keep it as it is", *choices, "Change…"]
    assert await known() == {GENERAL: BEFORE}
    assert "Nothing was changed." in (await pressed(asked, "Keep it as it is")).words()
    assert await known() == {GENERAL: BEFORE}

    for label, wanted in choices.items():
        changed = await pressed(await told(f"subscribe #general {typed}"), label)
        assert "has another filter now" in changed.words()
        assert await known() == {GENERAL: wanted}
        await pressed(changed, "Back to: critical and high, API, broadcast")
        assert await known() == {GENERAL: BEFORE}


async def test_broadcast_alone_is_asked_about(told, pressed, known):
    await told("subscribe #general broadcast:on")

    asked = await told("subscribe #general")

    assert labels(asked) == ["Keep it as it is", "Show no replies in the channel", "Change…"]
    await pressed(asked, "Show no replies in the channel")
    assert await known() == {GENERAL: (None, [], False)}


async def test_words_that_name_everything_are_no_question(general, told, known):
    changed = await told("subscribe #general severity:critical components:web broadcast:off")

    assert "has another filter now" in changed.words()
    assert "Cards that are there are kept up to date to their end" in changed.words()
    assert await known() == {GENERAL: ("critical", ["Web"], False)}


async def test_a_slip_in_the_words_keeps_what_they_leave_out(general, told, pressed, known):
    asked = await told("subcribe #general severity:critcal")

    asked = await pressed(asked, "Subscribe #general: critical")

    assert "is subscribed already" in asked.words()
    assert await known() == {GENERAL: BEFORE}


async def test_a_former_filter_is_offered_after_the_end(general, told, pressed, known):
    await told("unsubscribe #general")

    made = await told("subscribe #general")

    assert await known() == {GENERAL: (None, [], False)}
    assert "Until its end it had another filter: critical and high · API · broad" in made.words()
    await pressed(made, "Back to: critical and high, API, broadcast")
    assert await known() == {GENERAL: BEFORE}


async def test_a_button_of_before_asks_about_what_was_subscribed_since(
    general, told, pressed, known
):
    ended = await told("unsubscribe #general")
    await told("subscribe #general severity:critical", name="bo")

    asked = await pressed(ended, "Subscribe it again")

    assert "is subscribed already" in asked.words()
    assert await known() == {GENERAL: ("critical", [], False)}
    await pressed(asked, "Take: critical and high, API, broadcast")
    assert await known() == {GENERAL: BEFORE}


async def test_the_question_about_readers_overwrites_nothing(slack, told, pressed, known):
    north = slack.workspace.add_channel("team-north", members=["mia", "bo"], private=True)
    asked = await told("subscribe #team-north")
    await pressed(await told("subscribe #team-north severity:high", name="bo"), "Subscribe", "bo")

    assert "is subscribed already" in (await pressed(asked, "Subscribe")).words()
    assert await known() == {north.id: ("high", [], False)}


async def test_the_dialog_changes_no_other_channel(slack, general, told, known, clock):
    mia = slack.person("mia")
    await told("subscribe #support severity:critical")
    shown = await told("subscriptions")
    row = next(block["block_id"] for block in shown.blocks if GENERAL in str(block))
    await mia.choose(shown, "menu", "Change…", block=row)
    await opened(slack, mia)
    assert "Channel" not in str([block.get("label") for block in mia.view.given["blocks"]])
    assert f"The subscription of <#{GENERAL}>" in str(mia.view.given["blocks"])

    clock.advance(seconds=2)
    await mia.fill("Severity", "Critical")
    await mia.submit()

    await answered(slack, mia, "another filter now")
    assert await known() == {
        GENERAL: ("critical", ["API"], True),
        SUPPORT: ("critical", [], False),
    }


async def test_the_dialog_asks_if_the_filter_was_changed_meanwhile(
    slack, general, told, known, pressed, clock
):
    mia = slack.person("mia")
    await mia.choose(await told("subscriptions"), "menu", "Change…")
    await opened(slack, mia)
    words = "severity:critical components:web broadcast:off"
    await told(f"subscribe #general {words}", name="bo")

    await mia.fill("Severity", "Every severity")
    await mia.submit()

    await answered(slack, mia, "is subscribed already")
    assert await known() == {GENERAL: ("critical", ["Web"], False)}
    await pressed(mia.ephemerals[-1], "Take: every severity, API, broadcast")
    assert await known() == {GENERAL: (None, ["API"], True)}


async def test_a_channel_that_is_chosen_in_a_dialog_keeps_its_filter(slack, general, told, known):
    mia = slack.person("mia")
    await mia.press(await told("subscribe #nowhere severity:critical"), "Choose the channel…")
    await opened(slack, mia)
    await mia.fill("Channel", "#general")
    await mia.submit()

    await answered(slack, mia, "is subscribed already")
    assert await known() == {GENERAL: BEFORE}


async def test_the_list_says_since_when_a_channel_is_subscribed_whatever_its_filter(
    general, told, clock
):
    began = int(clock().timestamp())
    clock.advance(hours=1)
    await told("subscribe #general severity:critical components:api broadcast:on", name="bo")
    changed = int(clock().timestamp())

    listed = (await told("subscriptions")).words()

    assert f"subscribed since <!date^{began}^" in listed
    assert f"with this filter since <!date^{changed}^" in listed


async def test_setup_ends_the_subscription_of_the_new_status_channel(told, known, pressed):
    await told("subscribe #general severity:critical")
    set_up = await told("setup #general")
    if "Move it" in str(labels(set_up)):
        set_up = await pressed(set_up, labels(set_up)[0])

    assert "#general" in set_up.words() or GENERAL in set_up.words()
    assert "was subscribed by <@" in set_up.words()
    assert "That has ended, as the status channel shows all that is public." in set_up.words()
    assert await known() == {}
    await told("setup #status")
    assert await known() == {}


class TestPrivateChannels:
    """A private channel is shown to its members and to admins; mia is one, bo and ed are not."""

    @pytest.fixture
    async def north(self, slack, told, pressed):
        made = slack.workspace.add_channel("team-north", members=["mia", "bo"], private=True)
        await pressed(await told("subscribe #team-north severity:high"), "Subscribe")
        return made

    async def test_the_list_shows_it_to_members_and_admins(self, slack, north, told):
        slack.workspace.channel("#payments").members.append(slack.workspace.add_user("ed").id)
        assert f"<#{north.id}>" in (await told("subscriptions", name="bo")).words()
        other = (await told("subscriptions", name="ed")).words()
        assert "No channel is subscribed." in other
        north.members.remove(slack.workspace.user("mia").id)
        assert f"<#{north.id}>" in (await told("subscriptions", name="mia")).words()

    @pytest.mark.parametrize(
        "typed", ["subscribe {} severity:low", "subscribe {} severity:high", "unsubscribe {}"]
    )
    async def test_others_get_the_same_answer_as_for_an_unknown_one(
        self, slack, north, told, known, typed
    ):
        slack.workspace.channel("#payments").members.append(slack.workspace.add_user("ed").id)
        hidden = await told(typed.format(north.id), name="ed")
        unknown = await told(typed.format("C0NOWHERE99"), name="ed")

        assert hidden.words().replace(north.id, "C0NOWHERE99") == unknown.words()
        assert await known() == {north.id: ("high", [], False)}

    async def test_buttons_of_others_end_nothing(self, slack, north, told, known):
        shown = await told("subscriptions", name="bo")
        north.members.remove(slack.workspace.user("bo").id)

        ended = await (await slack.person("bo").choose(shown, "menu", "Unsubscribe")).answer()

        assert "That channel is not subscribed." in ended.words()
        assert await known() == {north.id: ("high", [], False)}

    async def test_a_silent_slack_hides_it_and_says_so(self, slack, north, told, known):
        slack.faults.refuse("conversations.info", error="internal_error", times=None)

        listed = await told("subscriptions", name="bo")
        refused = await told("unsubscribe #team-north", name="bo")

        assert "Not shown: 1, as Slack does not say who may see them." in listed.words()
        assert labels(refused) == ["Try again", "All subscriptions"]
        assert await known() == {north.id: ("high", [], False)}


class TestNearWords:
    @pytest.mark.parametrize("typed", ["randm", "#randm", "random", "Random"])
    async def test_a_near_channel_is_offered_first(self, told, pressed, known, typed):
        asked = await told(f"subscribe {typed} severity:high")

        assert labels(asked)[0] == "Subscribe #random"
        assert "may be the channel #random" in asked.words()
        assert not any("Only incidents of" in one for one in labels(asked))
        await pressed(asked, "Subscribe #random")
        assert await known() == {"C0RANDOM": ("high", [], False)}

    async def test_no_private_channel_is_offered(self, slack, told):
        slack.workspace.add_channel("team-north", members=["mia"], private=True)

        asked = await told("subscribe team-nort")

        assert "team-north" not in str(asked.blocks)

    async def test_a_near_verb_carries_the_channel(self, told, pressed, known):
        asked = await told("subsribe #random")

        assert labels(asked)[0] == "Subscribe #random: every severity"
        await pressed(asked, "Subscribe #random: every severity")
        assert await known() == {"C0RANDOM": (None, [], False)}

    @pytest.mark.usefixtures("general")
    async def test_a_subscribed_channel_is_found_to_be_ended(self, told, pressed, known):
        asked = await told("unsubscribe #genral")

        assert labels(asked)[0] == "Unsubscribe #general"
        await pressed(asked, "Unsubscribe #general")
        assert await known() == {}
        assert "Unsubscribe" not in str(labels(await told("unsubscribe #randm")))

    async def test_a_component_with_a_blank_needs_no_quotation_marks(
        self, told, pressed, known, settle
    ):
        await told('declare Checkout is down components:"Checkout API, Web"')
        await settle()

        asked = await told("subscribe #general components:Web,Checkout API")

        assert labels(asked)[0] == 'Only incidents of "Web, Checkout API"'
        await pressed(asked, 'Only incidents of "Web, Checkout API"')
        assert await known() == {GENERAL: (None, ["Web", "Checkout API"], False)}


class TestTheLooksOfTheList:
    """Who may see each channel is asked of Slack for all at once, seldom, and not for long."""

    @pytest.fixture
    async def many(self, slack, ratchet, clock):
        """Twenty channels that are subscribed, of which bo may see all but the last."""
        publisher = an_actor(workspace=slack.workspace.team_id)
        subscribing = Subscribing(ratchet.store, clock=clock)
        made = [slack.workspace.add_channel(f"team-{one}", members=["bo"]) for one in range(19)]
        made.append(slack.workspace.add_channel("team-north", members=["mia"], private=True))
        for one in made:
            await subscribing.subscribe(publisher, Wanted(channel=one.id))
        return made

    @staticmethod
    def looks(slack):
        return len(slack.calls_of("conversations.info"))

    async def test_a_channel_that_may_be_seen_is_looked_up_once_in_five_minutes(
        self, slack, many, told, clock
    ):
        assert "of 19)" in (await told("subscriptions", name="bo")).words()
        first = self.looks(slack)
        await told("subscriptions", name="bo")
        # Only the hidden one is looked up again: bo may have joined it.
        assert self.looks(slack) == first + 1
        many[-1].members.append(slack.workspace.user("bo").id)
        assert "of 20)" in (await told("subscriptions", name="bo")).words()

        clock.advance(minutes=6)
        before = self.looks(slack)
        await told("subscriptions", name="bo")
        assert self.looks(slack) == before + 20

    @pytest.mark.usefixtures("many")
    async def test_the_list_waits_for_no_call_that_hangs(self, slack, told, clock):
        hung = slack.faults.slow("conversations.info", seconds=60)
        async with asyncio.timeout(SLACK_TIMEOUT_SECONDS):
            listed = await told("subscriptions", name="bo")
        assert "Not shown: 20, as Slack does not say who may see them." in listed.words()
        assert hung.hits == 20
        hung.clear()

        assert "of 19)" in (await told("subscriptions", name="bo")).words()
        slack.faults.slow("conversations.info", seconds=60)
        clock.advance(minutes=6)
        # What was known yesterday is better than nothing.
        listed = await told("subscriptions", name="bo")
        assert "of 19)" in listed.words()
