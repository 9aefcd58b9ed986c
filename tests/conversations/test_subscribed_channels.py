"""Subscribed channels: a card and a thread there as in the status channel, each with its filter."""

from __future__ import annotations

from dataclasses import replace
from uuid import uuid5

import pytest

from bot.delivery.channels import ChannelTransport
from bot.delivery.slack import SlackTransport
from bot.delivery.subscribed import SubscribedTransport
from bot.doctor.subscribed import subscribed_checks
from bot.slack.blocks import TOLD_AGAIN
from core.commands import Redact, SetPrivacy
from core.configuring import SettingsBook
from core.decision import Surface
from core.incident import Person, Place, PublicText, Severity
from core.refusals import NoPublicSurface
from core.settings import Setting
from core.subscribing import Subscribing, Wanted
from storage import audit
from tests.builders import IDS, a_change, a_declaration, an_actor
from tests.conversations.conftest import differences, running, settled
from tests.standin import announced

CUSTOMERS, API = "#customers", "#api"
FOUND, SOON = PublicText("We have found it."), PublicText("A fix is on its way.")


@pytest.fixture
def mode():
    return "socket"


@pytest.fixture
def publish_delay():
    return "0"


@pytest.fixture
def environment(environment, publish_delay):
    environment["PUBLISH_DELAY"] = publish_delay
    return environment


@pytest.fixture(autouse=True)
def channels(slack):
    for name in (CUSTOMERS, API):
        slack.workspace.add_channel(name.removeprefix("#"), members=["mia"])


@pytest.fixture
def publisher(slack):
    return an_actor(workspace=slack.workspace.team_id)


async def known(slack):
    """A request makes Ratchet know its own workspace, which has the settings of its variables."""
    await (await slack.person("mia").command("#payments", "/incident list")).answer()


@pytest.fixture
async def app(ratchet, slack):
    await known(slack)
    return ratchet


@pytest.fixture
def subscribing(app, clock):
    return Subscribing(app.store, clock=clock)


@pytest.fixture
def subscribe(slack, subscribing, publisher, clock):
    async def subscribe(channel, **wanted):
        clock.advance(seconds=1)
        id_ = slack.workspace.channel(channel).id
        return await subscribing.subscribe(publisher, Wanted(channel=id_, **wanted))

    return subscribe


@pytest.fixture
def unsubscribe(slack, subscribing, publisher, clock):
    async def unsubscribe(channel):
        clock.advance(seconds=1)
        return await subscribing.unsubscribe(publisher, slack.workspace.channel(channel).id)

    return unsubscribe


@pytest.fixture
def act(app, clock, publisher):
    """Executes a command of a publisher, a second after the one before."""

    async def act(command):
        clock.advance(seconds=1)
        return (await app.incidents.execute(replace(command, actor=publisher))).incident

    return act


@pytest.fixture
def declare(act):
    async def declare(title, severity=Severity.HIGH, **more):
        named = uuid5(IDS, title)
        return await act(a_declaration(id=named, title=title, severity=severity, **more))

    return declare


@pytest.fixture
def change(act):
    async def change(incident, **asked):
        return await act(a_change(ref=incident.id, **asked))

    return change


@pytest.fixture
def set_private(act, publisher):
    async def set_private(incident, private):
        return await act(SetPrivacy(actor=publisher, ref=incident.id, private=private))

    return set_private


@pytest.fixture
def shown(slack, settle):
    """The cards of a channel once everything is delivered: the text of each, with its replies."""

    async def shown(channel):
        await settle()
        return [
            (post.text, [reply.text for reply in post.replies])
            for post in slack.channel_view(channel)
        ]

    return shown


def titles(cards):
    return [text.split(":")[0] for text, _ in cards]


async def test_a_channel_shows_the_same_as_the_status_channel(
    slack, subscribe, declare, change, shown
):
    await subscribe(CUSTOMERS)
    one = await declare("Checkout is down")
    await change(one, to="identified", public=FOUND)
    await change(one, public=SOON, note="db-3 lost quorum")
    await change(one, to="monitoring")

    there = await shown("#status")

    assert await shown(CUSTOMERS) == there
    [(_, replies)] = there
    assert len(replies) == 2
    theirs, ours = (
        [reply.blocks for post in slack.channel_view(one) for reply in (post, *post.replies)]
        for one in ("#status", CUSTOMERS)
    )
    assert theirs == ours


async def test_each_channel_has_its_own_filter(subscribe, declare, shown):
    await declare("Search is slow", Severity.LOW, components=("api",))
    await shown("#status")
    await subscribe(CUSTOMERS, severity=Severity.HIGH)
    await subscribe(API, components=("api",))
    await declare("Checkout is down", components=("payments",))
    await declare("Uploads fail", Severity.MEDIUM, components=("api",))
    await declare("Login is down", Severity.CRITICAL, components=("api",))

    assert titles(await shown(CUSTOMERS)) == ["INC-2 Checkout is down", "INC-4 Login is down"]
    assert titles(await shown(API)) == ["INC-3 Uploads fail", "INC-4 Login is down"]
    assert len(await shown("#status")) == 4


async def test_replies_are_shown_in_the_channel_only_if_asked_for(
    slack, subscribe, declare, change, settle
):
    await subscribe(CUSTOMERS)
    await subscribe(API, broadcast=True)
    one = await declare("Checkout is down")
    await change(one, to="identified", public=FOUND)
    await settle()

    broadcast = {}
    for channel in ("#status", CUSTOMERS, API):
        [card] = [post for post in slack.channel_view(channel) if post.replies]
        broadcast[channel] = [reply.broadcast for reply in card.replies]
    assert broadcast == {"#status": [True], CUSTOMERS: [False], API: [True]}


async def test_an_open_incident_comes_with_its_next_public_change(
    subscribe, declare, change, shown
):
    one = await declare("Checkout is down")
    await change(one, to="identified", public=FOUND)
    await shown("#status")
    await subscribe(CUSTOMERS)
    assert await shown(CUSTOMERS) == []

    await change(one, note="db-3 lost quorum")
    assert await shown(CUSTOMERS) == []

    await change(one, to="monitoring", public=SOON)
    [(card, replies)] = await shown(CUSTOMERS)
    assert "now monitoring" in card
    assert [SOON in reply for reply in replies] == [True]


async def test_an_incident_comes_when_its_severity_rises_into_the_filter(
    subscribe, declare, change, shown
):
    await subscribe(CUSTOMERS, severity=Severity.HIGH)
    one = await declare("Checkout is slow", Severity.LOW)
    await change(one, to="identified", public=FOUND)
    assert await shown(CUSTOMERS) == []

    await change(one, severity=Severity.CRITICAL)
    [(card, replies)] = await shown(CUSTOMERS)
    assert "(critical)" in card
    assert replies == []

    await change(one, severity=Severity.LOW)
    await change(one, public=SOON)
    [(card, replies)] = await shown(CUSTOMERS)
    assert "(low)" in card
    assert [SOON in reply for reply in replies] == [True]


async def test_a_component_that_is_tagged_brings_an_incident_in(subscribe, declare, change, shown):
    await declare("Search is slow", components=("api",))
    await subscribe(API, components=("api",))
    one = await declare("Checkout is down", components=("payments",))
    assert await shown(API) == []

    await change(one, components=("payments", "api"))
    assert titles(await shown(API)) == ["INC-2 Checkout is down"]


async def test_a_private_incident_is_in_no_channel(
    slack, subscribe, declare, change, set_private, shown
):
    await subscribe(CUSTOMERS)
    one = await declare("Checkout is down", private=True)
    await change(one, to="identified")
    assert await shown(CUSTOMERS) == []

    await set_private(one, private=False)
    assert await shown(CUSTOMERS) == await shown("#status") != []

    await change(one, public=FOUND)
    assert FOUND in str(await shown(CUSTOMERS))
    await set_private(one, private=True)
    gone = await shown(CUSTOMERS)
    assert gone == await shown("#status")
    assert "INC-1 is no longer public." in str(gone)
    assert FOUND not in str(slack.channel_view(CUSTOMERS))
    assert "Checkout" not in str(slack.channel_view(CUSTOMERS))

    # A channel that joins gets what is public from now on, with the texts that become so.
    await subscribe(API)
    await set_private(one, private=False)
    assert await shown(CUSTOMERS) == await shown("#status")
    [(card, replies)] = await shown(API)
    assert "Checkout is down" in card
    assert replies == []


async def test_a_withdrawn_text_is_gone_from_every_channel(
    slack, subscribe, declare, change, act, publisher, shown
):
    await subscribe(CUSTOMERS)
    one = await declare("Checkout is down")
    await change(one, to="identified", public=FOUND)
    await shown(CUSTOMERS)

    await act(Redact(actor=publisher, ref=one.id, entry=2))
    assert await shown(CUSTOMERS) == await shown("#status")
    assert FOUND not in str(slack.channel_view(CUSTOMERS))


async def test_a_hidden_component_is_on_no_card(subscribe, declare, shown):
    await subscribe(CUSTOMERS)
    await subscribe(API)
    await declare("Checkout is down", components=("payments",))

    assert "payments" not in str(await shown(CUSTOMERS))


async def test_without_a_subscription_a_card_is_followed_to_its_end(
    subscribe, unsubscribe, declare, change, set_private, shown
):
    await subscribe(CUSTOMERS)
    one = await declare("Checkout is down")
    await shown(CUSTOMERS)
    await unsubscribe(CUSTOMERS)
    await declare("Search is slow")
    await change(one, to="identified", public=FOUND)

    [(card, replies)] = await shown(CUSTOMERS)
    assert card.startswith("INC-1")
    assert "now identified" in card
    assert len(replies) == 1
    await set_private(one, private=True)
    assert "no longer public" in str(await shown(CUSTOMERS))


async def test_with_another_filter_a_card_is_followed_to_its_end(subscribe, declare, change, shown):
    await subscribe(CUSTOMERS)
    one = await declare("Checkout is slow", Severity.LOW)
    await shown(CUSTOMERS)
    await subscribe(CUSTOMERS, severity=Severity.HIGH)
    await change(one, to="identified", public=FOUND)
    await declare("Search is slow", Severity.LOW)

    [(card, replies)] = await shown(CUSTOMERS)
    assert "now identified" in card
    assert len(replies) == 1


@pytest.mark.parametrize("after", ["unsubscribed", "another filter", "begun anew"])
async def test_what_waits_from_before_is_not_posted(
    slack, subscribe, unsubscribe, declare, change, shown, after
):
    here = slack.workspace.channel(CUSTOMERS).id
    slack.faults.refuse("chat.postMessage", error="update_failed", channel=here, times=2)
    await subscribe(CUSTOMERS)
    one = await declare("Checkout is down")
    await change(one, public=FOUND)
    if after == "another filter":
        await subscribe(CUSTOMERS, severity=Severity.CRITICAL)
    else:
        await unsubscribe(CUSTOMERS)
    if after == "begun anew":
        await subscribe(CUSTOMERS)

    assert await shown(CUSTOMERS) == []
    assert titles(await shown("#status")) == ["INC-1 Checkout is down"]

    await change(one, to="identified", public=SOON)
    assert [replies for _, replies in await shown(CUSTOMERS)] == (
        [[f"INC-1 Checkout is down: now identified. {SOON}"]] if after == "begun anew" else []
    )


@pytest.mark.parametrize("after", ["unsubscribed", "another filter", "begun anew"])
async def test_a_reply_that_waits_for_a_thread_that_is_there_is_not_lost(
    slack, subscribe, unsubscribe, declare, change, shown, after
):
    await subscribe(CUSTOMERS)
    one = await declare("Checkout is down")
    await shown(CUSTOMERS)
    here = slack.workspace.channel(CUSTOMERS).id
    slack.faults.refuse("chat.postMessage", error="update_failed", channel=here, times=2)
    await change(one, public=FOUND)
    if after == "another filter":
        await subscribe(CUSTOMERS, severity=Severity.CRITICAL)
    else:
        await unsubscribe(CUSTOMERS)
    if after == "begun anew":
        await subscribe(CUSTOMERS)

    assert await shown(CUSTOMERS) == await shown("#status")
    assert FOUND in str(await shown(CUSTOMERS))


@pytest.mark.parametrize("public", [True, False])
async def test_an_operators_retry_brings_nothing_from_before_the_start(
    slack, ratchet, subscribe, unsubscribe, declare, shown, clock, public
):
    here = slack.workspace.channel(CUSTOMERS).id
    broken = slack.faults.refuse("chat.postMessage", error="is_archived", channel=here, times=None)
    await subscribe(CUSTOMERS)
    await declare("Checkout is down")
    assert await shown(CUSTOMERS) == []
    broken.clear()
    if not public:
        await unsubscribe(CUSTOMERS)
        clock.advance(seconds=1)
        await subscribe(CUSTOMERS)
    await ratchet.outbox.retry_dead(at=clock())

    assert len(await shown(CUSTOMERS)) == public


async def test_a_card_that_leaves_the_filter_while_slack_is_down_is_posted(
    slack, subscribe, declare, change, shown
):
    await declare("Search is slow", components=("api",))
    await subscribe(CUSTOMERS, severity=Severity.HIGH)
    await subscribe(API, components=("api",))
    for channel in (CUSTOMERS, API):
        here = slack.workspace.channel(channel).id
        slack.faults.refuse("chat.postMessage", error="update_failed", channel=here, times=2)
    one = await declare("Checkout is down", components=("api",))
    await change(one, severity=Severity.LOW, components=("payments",))

    assert await shown(CUSTOMERS) == await shown(API)
    assert "(low)" in str(await shown(API))


class TestWithoutAStatusChannel:
    @pytest.fixture
    def environment(self, environment):
        del environment["STATUS_CHANNEL"]
        return environment

    async def test_a_subscribed_channel_is_enough_for_a_public_update(
        self, slack, subscribe, declare, change, shown
    ):
        one = await declare("Checkout is down")
        with pytest.raises(NoPublicSurface):
            await change(one, public=FOUND)

        await subscribe(CUSTOMERS)
        await change(one, to="identified", public=FOUND)
        [(card, replies)] = await shown(CUSTOMERS)
        assert "now identified" in card
        assert [FOUND in reply for reply in replies] == [True]
        assert slack.channel_view("#status") == []

    async def test_the_dialog_offers_a_public_update_and_says_who_reads_it(
        self, slack, subscribe, declare, shown
    ):
        await subscribe(CUSTOMERS)
        await declare("Checkout is down", place=Place(slack.workspace.channel("#payments").id))
        await shown(CUSTOMERS)
        mia = slack.person("mia")
        opened = await mia.press(slack.workspace.channel("#payments").messages[-1], "Update…")
        await slack.until(lambda: mia.has_view and "submit" in mia.view.given)
        reads = "Everyone in subscribed channels whose filter it passes will read this."
        assert reads in str(mia.view.given)
        await mia.fill("Public update", FOUND)
        await announced(slack, mia)
        assert "subscribed channels whose filter it passes will show" in str(mia.view.given)
        await mia.submit()

        here = slack.workspace.channel(CUSTOMERS).id
        answer = await opened.answer()
        assert f"Everyone in <#{here}> will read your public update." in answer.text
        [(_, replies)] = await shown(CUSTOMERS)
        assert [FOUND in reply for reply in replies] == [True]

    async def test_a_public_update_that_no_channel_takes_says_so(
        self, slack, subscribe, declare, shown
    ):
        await subscribe(CUSTOMERS, severity=Severity.CRITICAL)
        await declare("Checkout is slow", Severity.LOW)
        asked = await slack.person("mia").command("#payments", f"/incident update 1 {FOUND}")

        told = "No channel shows your public update: the incident passes no filter of theirs."
        assert told in (await asked.answer()).text
        assert await shown(CUSTOMERS) == []


@pytest.mark.parametrize("method", ["chat.postMessage", "chat.update"])
async def test_a_lost_response_leaves_one_card_and_no_text_twice(
    slack, subscribe, declare, change, shown, method
):
    await subscribe(CUSTOMERS)
    here = slack.workspace.channel(CUSTOMERS).id
    lost = slack.faults.lose_answer(method, channel=here, times=2)
    one = await declare("Checkout is down")
    await shown(CUSTOMERS)
    await change(one, to="identified", public=FOUND)
    await change(one, to="monitoring")

    assert await shown(CUSTOMERS) == await shown("#status")
    assert lost.hits


async def test_a_lost_response_before_the_end_of_a_subscription_leaves_a_card_that_is_followed(
    slack, subscribe, unsubscribe, declare, change, shown, ratchet
):
    await subscribe(CUSTOMERS)
    here = slack.workspace.channel(CUSTOMERS).id
    lost = slack.faults.lose_answer("chat.postMessage", channel=here)
    one = await declare("Checkout is down")
    await ratchet.worker.deliver_due()
    assert lost.hits
    await unsubscribe(CUSTOMERS)
    await change(one, to="identified", public=FOUND)

    assert await shown(CUSTOMERS) == await shown("#status")


async def test_a_channel_where_nobody_may_post_delays_no_other(slack, subscribe, declare, shown):
    await subscribe(CUSTOMERS)
    await subscribe(API)
    here = slack.workspace.channel(CUSTOMERS).id
    broken = slack.faults.refuse("chat.postMessage", error="is_archived", channel=here, times=None)
    await declare("Checkout is down")

    assert await shown(API) == await shown("#status")
    assert await shown(CUSTOMERS) == []
    assert broken.hits


class TestHeldBack:
    @pytest.fixture
    def publish_delay(self):
        return "10"

    async def test_what_is_taken_back_in_time_is_in_no_channel(
        self, slack, subscribe, declare, change, act, publisher, shown
    ):
        await subscribe(CUSTOMERS)
        one = await declare("Checkout is down")
        await shown(CUSTOMERS)
        await change(one, public=FOUND)
        await act(Redact(actor=publisher, ref=one.id, entry=2))

        assert await shown(CUSTOMERS) == await shown("#status")
        assert FOUND not in str(slack.calls_of("chat.postMessage"))

    async def test_a_text_that_is_held_back_reaches_a_channel_that_joins_meanwhile(
        self, subscribe, declare, change, shown
    ):
        await subscribe(CUSTOMERS, severity=Severity.HIGH)
        one = await declare("Checkout is slow", Severity.LOW)
        await shown("#status")
        await change(one, public=FOUND)
        await change(one, severity=Severity.HIGH)

        assert await shown(CUSTOMERS) == await shown("#status")
        assert FOUND in str(await shown(CUSTOMERS))

    @pytest.mark.parametrize(
        ("asked", "seconds"),
        [
            ({"public": FOUND}, 10),
            ({"title": "Checkout fails"}, 10),
            ({"public": FOUND, "note": "db-3"}, 10),
            # Something of these is public at once, so the card is there at once.
            ({"public": FOUND, "to": "identified"}, 0),
            ({"public": FOUND, "severity": Severity.LOW}, 0),
            ({"severity": Severity.LOW}, 0),
        ],
        ids=lambda value: " and ".join(value) if isinstance(value, dict) else str(value),
    )
    @pytest.mark.parametrize("taken_back", [False, True], ids=["kept", "taken back"])
    async def test_a_channel_gets_a_card_once_something_is_public(
        self, asked, seconds, taken_back, slack, subscribe, change, act, app, clock, publisher
    ):
        one = await act(a_declaration(title="Checkout is down", severity=Severity.HIGH))
        await settled(app, clock)
        clock.advance(seconds=20)
        await subscribe(CUSTOMERS)
        changed = await change(one, **asked)
        texts = {"public", "title"} & asked.keys()

        async def has_card():
            await app.worker.deliver_due()
            return [post.text for post in slack.channel_view(CUSTOMERS)] != []

        assert await has_card() is (seconds == 0)
        if taken_back and texts:
            entry = changed.last_entry if "title" in asked else one.last_entry + 1
            await act(Redact(actor=publisher, ref=one.id, entry=entry))
        clock.advance(seconds=8)
        assert await has_card() is (seconds == 0)
        clock.advance(seconds=2)
        assert await has_card() is (seconds == 0 or not taken_back)

        await settled(app, clock)
        if await has_card():
            assert slack.channel_view(CUSTOMERS)[0] == replace(
                slack.channel_view("#status")[0],
                replies=slack.channel_view(CUSTOMERS)[0].replies,
            )
        else:
            # The next public change brings the card.
            await change(one, to="identified")
            assert await has_card()

    async def test_a_text_that_is_held_back_over_a_start_comes_with_its_card(
        self, slack, subscribe, declare, change, shown, app, clock
    ):
        here = slack.workspace.channel(CUSTOMERS).id
        await subscribe(CUSTOMERS)
        one = await declare("Checkout is down")
        clock.advance(seconds=10)
        slack.faults.refuse("chat.postMessage", error="update_failed", channel=here, times=1)
        await app.worker.deliver_due()
        await change(one, public=FOUND)
        await subscribe(CUSTOMERS, severity=Severity.HIGH)

        assert await shown(CUSTOMERS) == await shown("#status")
        assert FOUND in str(await shown(CUSTOMERS))

    async def test_an_incident_that_leaves_the_filter_before_it_is_public_is_not_shown(
        self, subscribe, declare, change, shown
    ):
        await subscribe(CUSTOMERS, severity=Severity.HIGH)
        one = await declare("Checkout is down")
        await change(one, severity=Severity.LOW)

        assert await shown(CUSTOMERS) == []
        await change(one, severity=Severity.CRITICAL)
        assert await shown(CUSTOMERS) == await shown("#status")

    async def test_each_text_redraws_each_card_once(self, slack, subscribe, declare, change, shown):
        await subscribe(CUSTOMERS)
        await subscribe(API)
        one = await declare("Checkout is down")
        await shown(API)
        before = len(slack.calls_of("chat.update"))
        await change(one, public=FOUND)

        assert await shown(CUSTOMERS) == await shown(API) == await shown("#status")
        assert FOUND in str(await shown(API))
        # In each of three channels: once for the change, once when its text is public.
        assert len(slack.calls_of("chat.update")) - before == 6


async def test_a_restart_in_the_middle_loses_nothing_and_repeats_nothing(
    slack, environment, clock, publisher
):
    here = slack.workspace.channel(CUSTOMERS).id
    async with running(environment, slack, clock) as first:
        await known(slack)
        subscribing = Subscribing(first.store, clock=clock)
        await subscribing.subscribe(publisher, Wanted(channel=here))
        lost = slack.faults.lose_answer("chat.postMessage", channel=here)
        one = a_declaration(id=uuid5(IDS, "one"), actor=publisher)
        await first.incidents.execute(one)
        await first.worker.deliver_due()
        assert lost.hits
    clock.advance(minutes=1)
    async with running(environment, slack, clock) as second:
        await known(slack)
        told = a_change(ref=one.id, actor=publisher, to="identified", public=FOUND)
        await second.incidents.execute(told)
        await settled(second, clock)
        assert slack.channel_view(CUSTOMERS)
        assert [(one.text, len(one.replies)) for one in slack.channel_view(CUSTOMERS)] == [
            (one.text, len(one.replies)) for one in slack.channel_view("#status")
        ]
        assert await differences(second, slack, clock) == []


@pytest.mark.parametrize(
    ("error", "why"), [("is_archived", "it is archived"), ("restricted_action", "few people only")]
)
async def test_who_subscribed_a_channel_is_told_once_that_it_takes_no_posts(
    slack, declare, change, shown, clock, error, why
):
    here = slack.workspace.channel(CUSTOMERS).id
    mia = slack.person("mia")
    await (await mia.command("#payments", f"/incident subscribe {CUSTOMERS}")).answer()
    clock.advance(seconds=2)
    broken = slack.faults.refuse("chat.postMessage", error=error, channel=here, times=None)
    one = await declare("Checkout is down")
    await declare("Search is slow")
    await change(one, public=FOUND)
    assert await shown(CUSTOMERS) == []
    told = [call for call in slack.calls_of("chat.postMessage") if why in str(call)]
    assert [call.arguments["channel"] for call in told] == [slack.workspace.user("mia").id]
    word = slack.workspace.direct(slack.workspace.user("mia")).messages[-1]
    refused = await (await mia.press(word, "Try again")).answer()
    assert "End the subscription" in str(refused.blocks)
    assert await shown(CUSTOMERS) == []

    broken.clear()
    await change(one, public=SOON)
    assert await shown(CUSTOMERS) != []
    assert FOUND in str(await shown(CUSTOMERS))
    slack.faults.refuse("chat.postMessage", error=error, channel=here, times=None)
    await change(one, to="identified", public=PublicText("We look again."))
    await shown(CUSTOMERS)
    told = [call for call in slack.calls_of("chat.postMessage") if why in str(call)]
    assert len(told) == 2


async def test_try_again_sends_what_was_given_up(slack, declare, shown, clock, app):
    here = slack.workspace.channel(CUSTOMERS).id
    mia = slack.person("mia")
    await (await mia.command("#payments", f"/incident subscribe {CUSTOMERS}")).answer()
    clock.advance(seconds=2)
    broken = slack.faults.refuse(
        "chat.postMessage", error="restricted_action", channel=here, times=None
    )
    await declare("Checkout is down")
    assert await shown(CUSTOMERS) == []
    broken.clear()

    word = slack.workspace.direct(slack.workspace.user("mia")).messages[-1]
    answer = await (await mia.press(word, "Try again")).answer()

    assert "takes posts. What was given up there follows now." in answer.text
    clock.advance(seconds=2)
    assert titles(await shown(CUSTOMERS)) == ["INC-1 Checkout is down"]
    ended = await (await mia.press(word, "End the subscription")).answer()
    assert "is not subscribed any more" in ended.text


NO_POSTS = "takes no posts of mine any more"


def words(slack):
    """The channels of people who were told that a channel takes no posts, once for each word."""
    calls = slack.calls_of("chat.postMessage")
    return [call.arguments["channel"] for call in calls if NO_POSTS in str(call)]


@pytest.mark.parametrize("dies", ["before the fault", "after the fault", "with the word in hand"])
async def test_a_process_that_dies_loses_no_word_about_a_channel_without_posts(
    slack, environment, clock, dies
):
    here, mia = slack.workspace.channel(CUSTOMERS).id, slack.workspace.user("mia")
    publisher = replace(an_actor(workspace=slack.workspace.team_id), person=Person(mia.id, "mia"))
    slack.faults.refuse("chat.postMessage", error="is_archived", channel=here, times=None)
    async with running(environment, slack, clock) as app:
        await known(slack)
        await app.worker.stop()
        await Subscribing(app.store, clock=clock).subscribe(publisher, Wanted(channel=here))
        await app.incidents.execute(a_declaration(id=uuid5(IDS, "one"), actor=publisher))
        posts = ChannelTransport(
            app.client, SlackTransport(app.client), members=app.people.members_of
        )
        transport = SubscribedTransport(app.client, posts, app.outbox, revive=app.revive)
        claimed = await app.outbox.claim("dead", limit=9, at=clock())
        [card] = [one for one in claimed if one.channel == here]
        if dies != "before the fault":
            await transport.deliver(card, await app.outbox.facts(card), at=clock())
        if dies == "with the word in hand":
            [word] = await app.outbox.claim("dead", limit=9, at=clock())
            assert word.surface is Surface.NO_POSTS
    assert words(slack) == []

    clock.advance(minutes=1)
    async with running(environment, slack, clock) as app:
        await settled(app, clock)
        assert words(slack) == [mia.id]
        assert await app.store.read(lambda reader: list(audit.findings(reader))) == []


async def test_a_word_waits_while_slack_is_down_and_is_not_said_once_the_fault_is_over(
    slack, subscribe, declare, act, change, shown, settle, app, clock
):
    here = slack.workspace.channel(CUSTOMERS).id
    await subscribe(CUSTOMERS)
    direct = slack.faults.refuse("chat.postMessage", error="update_failed", times=3)
    broken = slack.faults.refuse("chat.postMessage", error="is_archived", channel=here, times=None)
    await declare("Checkout is down")
    clock.advance(seconds=1)
    await app.worker.deliver_due()
    assert direct.hits
    broken.clear()
    await app.revive(slack.workspace.team_id, here)

    assert titles(await shown(CUSTOMERS)) == ["INC-1 Checkout is down"]
    assert words(slack) == []


async def test_an_edit_that_slack_takes_ends_the_fault_and_sends_what_was_given_up(
    app, slack, subscribe, subscribing, publisher, declare, change, shown
):
    here = slack.workspace.channel(CUSTOMERS).id
    await subscribe(CUSTOMERS)
    one = await declare("Checkout is down")
    await shown(CUSTOMERS)
    broken = slack.faults.refuse("chat.postMessage", error="is_archived", channel=here, times=None)
    await declare("Search is slow")
    await shown(CUSTOMERS)
    [faulty] = await subscribing.subscriptions(publisher)
    assert faulty.fault.code == "is_archived"
    for status_channel, told in ((None, "takes no posts since"), (here, "is the status channel")):
        checks = subscribed_checks(app.client, [faulty], status_channel=status_channel)
        [line] = [check.text async for check in checks]
        assert told in line
    broken.clear()
    await change(one, to="identified")

    assert titles(await shown(CUSTOMERS)) == ["INC-1 Checkout is down", "INC-2 Search is slow"]
    [sound] = await subscribing.subscriptions(publisher)
    assert sound.fault is None


async def test_another_filter_does_not_hide_that_a_channel_takes_no_posts(
    slack, subscribe, subscribing, unsubscribe, publisher, declare, shown
):
    here = slack.workspace.channel(CUSTOMERS).id
    await subscribe(CUSTOMERS)
    slack.faults.refuse("chat.postMessage", error="is_archived", channel=here, times=None)
    await declare("Checkout is down")
    await shown(CUSTOMERS)
    [before] = await subscribing.subscriptions(publisher)
    made = await subscribe(CUSTOMERS, severity=Severity.HIGH)

    [after] = await subscribing.subscriptions(publisher)
    assert before.fault == after.fault == made.subscription.fault != None  # noqa: E711
    await unsubscribe(CUSTOMERS)
    await subscribe(CUSTOMERS)
    [anew] = await subscribing.subscriptions(publisher)
    assert anew.fault is None


async def test_a_refusal_of_the_app_everywhere_is_no_fault_of_a_channel(
    slack, subscribe, subscribing, publisher, declare, shown
):
    here = slack.workspace.channel(CUSTOMERS).id
    await subscribe(CUSTOMERS)
    slack.faults.refuse("chat.postMessage", error="account_inactive", channel=here, times=None)
    await declare("Checkout is down")
    await shown(CUSTOMERS)

    [one] = await subscribing.subscriptions(publisher)
    assert one.fault is None
    assert words(slack) == []


async def test_the_list_shows_the_fault_of_a_channel_with_both_ways_on(slack, declare, shown):
    here = slack.workspace.channel(CUSTOMERS).id
    mia = slack.person("mia")
    await (await mia.command("#payments", f"/incident subscribe {CUSTOMERS}")).answer()
    broken = slack.faults.refuse("chat.postMessage", error="is_archived", channel=here, times=None)
    await declare("Checkout is down")
    await shown(CUSTOMERS)
    again = await (await mia.command("#payments", f"/incident subscribe {CUSTOMERS}")).answer()
    assert "takes no posts since" in again.text
    listed = await (await mia.command("#payments", "/incident subscriptions")).answer()
    assert "takes no posts since" in listed.text

    refused = await (await mia.press(listed, "Try again")).answer()
    assert "is archived" in refused.text
    broken.clear()
    tried = await (await mia.press(again, "Try again")).answer()
    assert "takes posts" in tried.text
    assert titles(await shown(CUSTOMERS)) == ["INC-1 Checkout is down"]
    listed = await (await mia.command("#payments", "/incident subscriptions")).answer()
    assert "takes no posts" not in listed.text

    broken = slack.faults.refuse("chat.postMessage", error="is_archived", channel=here, times=None)
    await declare("Search is slow")
    await shown(CUSTOMERS)
    listed = await (await mia.command("#payments", "/incident subscriptions")).answer()
    ended = await (await mia.press(listed, "End the subscription")).answer()
    assert "is not subscribed any more" in ended.text


async def test_a_subscribed_channel_that_becomes_the_status_channel_at_a_start_has_no_filter(
    slack, environment, clock, publisher
):
    here = slack.workspace.channel(CUSTOMERS).id
    async with running(environment, slack, clock) as first:
        await known(slack)
        asked = Wanted(channel=here, severity=Severity.CRITICAL)
        await Subscribing(first.store, clock=clock).subscribe(publisher, asked)
    clock.advance(minutes=1)
    async with running({**environment, "STATUS_CHANNEL": here}, slack, clock) as second:
        listed = await slack.person("mia").command("#payments", "/incident subscriptions")
        assert "No channel is subscribed." in (await listed.answer()).text
        await second.incidents.execute(a_declaration(id=uuid5(IDS, "one"), actor=publisher))
        await settled(second, clock)
        assert len(slack.channel_view(CUSTOMERS)) == 1
    clock.advance(minutes=1)
    async with running(environment, slack, clock) as third:
        await known(slack)
        found = await Subscribing(third.store, clock=clock).subscriptions(publisher)
        assert found == ()


ENDED = "Your subscription of it has ended"


@pytest.fixture
async def subscriber(slack, environment, clock):
    """The one who subscribed #customers. There is one incident, with all its messages."""
    mia = slack.workspace.user("mia")
    actor = replace(an_actor(workspace=slack.workspace.team_id), person=Person(mia.id, "mia"))
    async with running(environment, slack, clock) as app:
        await known(slack)
        await app.incidents.execute(a_declaration(id=uuid5(IDS, "one"), actor=actor))
        clock.advance(minutes=1)
        await settled(app, clock)
        here = slack.workspace.channel(CUSTOMERS).id
        await Subscribing(app.store, clock=clock).subscribe(actor, Wanted(channel=here))
    return actor


async def test_who_subscribed_the_new_status_channel_is_told_once_that_this_has_ended(
    slack, environment, clock, subscriber
):
    here = slack.workspace.channel(CUSTOMERS).id
    for _ in range(2):
        clock.advance(minutes=1)
        async with running({**environment, "STATUS_CHANNEL": here}, slack, clock) as app:
            await known(slack)
            await app.end_subscriptions()
            await settled(app, clock)
            assert await app.store.read(lambda reader: list(audit.findings(reader))) == []

    told = [call for call in slack.calls_of("chat.postMessage") if ENDED in str(call)]
    assert [call.arguments["channel"] for call in told] == [subscriber.person.id]


async def test_the_end_of_a_subscription_that_is_in_force_again_is_not_told(
    slack, environment, clock, subscriber
):
    here = slack.workspace.channel(CUSTOMERS).id
    away = slack.faults.refuse("chat.postMessage", error="update_failed", times=None)
    async with running({**environment, "STATUS_CHANNEL": here}, slack, clock) as app:
        await known(slack)
        await app.worker.deliver_due()
    assert away.hits
    clock.advance(minutes=1)
    async with running(environment, slack, clock) as app:
        await known(slack)
        await Subscribing(app.store, clock=clock).subscribe(subscriber, Wanted(channel=here))
        away.clear()
        slack.calls.clear()
        await settled(app, clock)

    assert not [call for call in slack.calls_of("chat.postMessage") if ENDED in str(call)]


async def test_a_word_that_slack_may_have_already_says_so_when_it_comes_again(
    slack, declare, shown, clock
):
    here, mia = slack.workspace.channel(CUSTOMERS).id, slack.workspace.user("mia")
    person = slack.person("mia")
    await (await person.command("#payments", f"/incident subscribe {CUSTOMERS}")).answer()
    clock.advance(seconds=2)
    slack.faults.refuse("chat.postMessage", error="is_archived", channel=here, times=None)
    slack.faults.lose_answer("chat.postMessage", channel=mia.id, times=1)
    await declare("Checkout is down")
    await shown(CUSTOMERS)
    clock.advance(minutes=1)
    await shown(CUSTOMERS)

    told = [one.text for one in slack.workspace.direct(mia).messages if NO_POSTS in one.text]
    assert [TOLD_AGAIN in text for text in told] == [False, True]


async def test_a_text_of_a_status_channel_that_was_subscribed_once_is_not_missed_elsewhere(
    slack, declare, change, settle, app, clock
):
    mia = slack.person("mia")

    async def told(line):
        clock.advance(seconds=2)
        await (await mia.command("#payments", f"/incident {line}")).answer()
        await settle()

    one = await declare("Checkout is down")
    await change(one, public=FOUND)
    for line in (f"subscribe {CUSTOMERS}", f"unsubscribe {CUSTOMERS}"):
        await told(line)
    here = slack.workspace.channel(CUSTOMERS).id
    book = SettingsBook(app.store, clock=clock)
    admin = an_actor(workspace=slack.workspace.team_id, admin=True)
    await book.save(admin, {Setting.STATUS_CHANNEL: here}, seen=None)
    await change(one, public=SOON)
    await settle()
    await book.save(admin, {Setting.STATUS_CHANNEL: None}, seen=None)

    assert await app.store.read(lambda reader: list(audit.findings(reader))) == []
    # The card of #status, which stayed as it was, is drawn anew with the next change.
    await change(one, to="identified")
    await settle()
