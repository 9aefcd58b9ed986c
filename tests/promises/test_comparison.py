"""Slack, compared with the store: each difference is reported, and nothing else."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import pytest
from slack_sdk.web.async_client import AsyncWebClient

from bot.doctor.comparison import Compared, compare
from bot.doctor.reader import gist
from bot.sandbox import Limits, Sandbox
from core.incident import Severity
from core.subscribing import Subscribing, Wanted
from storage import audit
from tests import tables
from tests.builders import an_actor
from tests.patience import PATIENCE_SECONDS
from tests.promises.conftest import move_status_channel, serving, settle, tell
from tests.standin import MANIFEST, a_standin

CANARY = "vermilion-canary"
POST = "chat.postMessage"


@dataclass
class Look:
    """The comparison of ``doctor --deep``. ``waited`` are its pauses in seconds."""

    app: Any
    slack: Sandbox
    clock: Callable[[], datetime]
    waited: list[float] = field(default_factory=list)
    meanwhile: Callable[[], Awaitable[object]] | None = None

    async def __call__(self, **limits):
        client = AsyncWebClient(
            token=self.slack.bot_token,
            base_url=self.slack.api_url,
            retry_handlers=[],
            timeout=int(PATIENCE_SECONDS),
        )
        team = self.slack.workspace.team_id
        return await compare(
            self.app.store, client, team, at=self.clock(), pause=self._pause, **limits
        )

    async def _pause(self, seconds):
        self.waited.append(seconds)
        if self.meanwhile:
            ask, self.meanwhile = self.meanwhile, None
            await ask()


@pytest.fixture
def look(ratchet, slack, clock):
    return Look(ratchet, slack, clock)


def differences(compared):
    return [line for one in compared for line in one.differences]


@pytest.fixture
async def busy(ratchet, slack, clock, mia):
    """INC-1 with four public updates, the last but one withdrawn; INC-2 bare; INC-3 private."""
    await tell(
        mia,
        "declare Checkout <is> & down severity:high",
        f"update 1 {CANARY} one",
        f"update 1 status:identified {CANARY} two, see https://example.com/?a=1&b=2 :tada:",
        "title 1 Payments are down 🎉",
        f"update 1 {CANARY} three",
        f"note 1 {CANARY} nobody may know",
        "ack 1",
    )
    await settle(ratchet, clock)
    await tell(mia, "redact 1 5", f"update 1 {CANARY} four", "declare Search is slow", "next 2")
    await tell(mia, "declare A key leaked private", channel="#war-room")
    await settle(ratchet, clock)


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
async def test_a_busy_workspace_in_order_has_no_differences(busy, look):
    assert await look() == [
        Compared("2 incidents compared with #status"),
        Compared("2 incidents compared with #payments"),
        Compared("1 incident compared with #war-room"),
    ]
    assert look.waited == []


async def test_the_comparison_only_reads(busy, look, slack):
    before = len(slack.calls)

    await look()

    assert {call.method for call in slack.calls[before:]} == {
        "conversations.info",
        "conversations.history",
        "conversations.replies",
    }


async def test_a_waiting_change_is_no_difference(busy, look, slack, mia, ratchet):
    await tell(mia, "title 1 Everything is down", "update 2 Nobody knows this yet", "next 2")

    assert differences(await look()) == []


async def test_a_text_held_back_or_taken_back_is_no_difference(start, slack, clock, mia):
    async with start(PUBLISH_DELAY="10") as app:
        look = Look(app, slack, clock)

        async def everything():
            inside = await app.store.read(lambda reader: list(audit.findings(reader)))
            return [*inside, *differences(await look())]

        await tell(mia, "declare Checkout is down")
        await settle(app, clock)
        await tell(mia, f"update 1 status:identified {CANARY} one")
        await app.worker.deliver_due()
        assert CANARY not in str(slack.channel_view("#status"))
        assert await everything() == []

        await tell(mia, "redact 1 2")
        await settle(app, clock)
        assert CANARY not in str(slack.channel_view("#status"))
        assert await everything() == []

        await tell(mia, f"update 1 {CANARY} two", "title 1 Payments are down")
        await settle(app, clock)
        assert CANARY in str(slack.channel_view("#status"))
        assert await everything() == []


# --- damage in Slack ------------------------------------------------------------------------------


@dataclass
class Channels:
    """Messages of the bot in Slack, found by their kind, and ways to damage them."""

    slack: Sandbox

    def card(self, number, channel="#status"):
        messages = self.slack.workspace.channel(channel).messages
        return next(m for m in messages if m.text.startswith(f"INC-{number} "))

    def reply(self, index, number=1):
        return self.card(number).replies[index]

    def delete(self, message):
        self.slack.workspace.delete(message)

    def edit(self, message, text):
        self.slack.workspace.edit(message, text=text, blocks=[])

    def duplicate(self, message, text=None):
        """Post the same message once more, as after a lost response."""
        copy = replace(message, ts=self.slack.workspace.mint.ts(), text=text or message.text)
        copy.replies = []
        self.slack.workspace.post(copy)


@pytest.fixture
def channels(slack):
    return Channels(slack)


DELETE = "delete the message of * in Slack, and report it"
POSTED = "the incident's next change posts a new one"
REDRAWN = "the incident's next change redraws it; report it"
WRITE_AGAIN = "if it still matters, write it again"
DAMAGES = {
    "a card is gone": (
        lambda c: c.delete(c.card(3, "#war-room")),
        f"INC-3: its card is gone from #war-room: {POSTED}",
    ),
    "a card is gone, and its thread is left": (
        lambda c: c.delete(c.card(1)),
        f"INC-1: its card is gone from #status: {POSTED}",
    ),
    "a card is out of date": (
        lambda c: c.edit(c.card(2), "INC-2 Search is slow: now resolved (medium)."),
        f"INC-2: its card in #status is out of date: {REDRAWN}",
    ),
    "a working card is out of date": (
        lambda c: c.edit(c.card(1, "#payments"), f"{CANARY}"),
        f"INC-1: its card in #payments is out of date: {REDRAWN}",
    ),
    "an update is gone": (
        lambda c: c.delete(c.reply(0)),
        f"INC-1: entry 2 is gone from #status: {WRITE_AGAIN}",
    ),
    "an update shows another text": (
        lambda c: c.edit(c.reply(1), "INC-1 Checkout is down: all is well"),
        (
            "INC-1: #status shows another text than entry 3: "
            "withdraw it in Slack with `/incident withdraw`, then write it again"
        ),
    ),
    "an update is posted twice": (
        lambda c: c.duplicate(c.reply(0)),
        f"INC-1: entry 2 is twice in #status: {DELETE}",
    ),
    "a broadcast update is posted twice": (
        lambda c: c.duplicate(c.reply(1)),
        f"INC-1: entry 3 is twice in #status: {DELETE}",
    ),
    "a card is posted twice": (
        lambda c: c.duplicate(c.card(2)),
        f"INC-2: its card is twice in #status: {DELETE}",
    ),
    "a working card is posted twice": (
        lambda c: c.duplicate(c.card(2, "#payments")),
        f"INC-2: its card is twice in #payments: {DELETE}",
    ),
    "a withdrawn text is back": (
        lambda c: c.edit(c.reply(2), f"INC-1 Payments are down: {CANARY} three"),
        f"INC-1: entry 5 was withdrawn, but is still in #status: {DELETE}",
    ),
    "a withdrawn text is in a second message": (
        lambda c: c.duplicate(c.reply(2), f"INC-1 Payments are down: {CANARY} three"),
        f"INC-1: entry 5 was withdrawn, but is still in #status: {DELETE}",
    ),
}


@pytest.mark.parametrize(("damage", "expected"), DAMAGES.values(), ids=DAMAGES)
async def test_each_difference_is_reported_once_and_without_a_text(
    busy, look, channels, damage, expected
):
    damage(channels)

    found = differences(await look())

    before, _, after = expected.partition("*")
    assert len(found) == 1
    assert found[0].startswith(before)
    assert found[0].endswith(after)
    assert CANARY not in found[0]


async def test_a_withdrawn_reply_may_be_deleted(busy, look, channels):
    channels.delete(channels.reply(2))

    assert differences(await look()) == []


async def test_replies_in_another_order_are_reported(busy, look, channels, ratchet):
    first, second = channels.reply(0), channels.reply(1)
    first.text, second.text = second.text, first.text
    swapped = f"CASE entry WHEN 2 THEN '{second.ts}' ELSE '{first.ts}' END"
    statement = f"UPDATE posted SET ts = {swapped} WHERE entry IN (2, 3)"
    tables.change(ratchet.store, statement)

    assert differences(await look()) == ["INC-1: entry 2 comes after entry 3 in #status: report it"]


async def test_a_reply_that_an_operator_retried_is_in_order(slack, ratchet, clock, mia, look):
    await tell(mia, "declare Checkout is down")
    await settle(ratchet, clock)
    broken = slack.faults.refuse(POST, error="is_archived", channel="C0STATUS", times=1)
    await tell(mia, "update 1 One")
    await settle(ratchet, clock)
    assert broken.hits == 1
    await tell(mia, "update 1 Two")
    await settle(ratchet, clock)
    await ratchet.outbox.retry_dead(at=clock())
    await settle(ratchet, clock)

    [card] = slack.channel_view("#status")
    assert [reply.text[-3:] for reply in card.replies] == ["Two", "One"]
    assert differences(await look()) == []


async def test_a_text_that_was_not_withdrawn_is_reported(busy, look, slack, mia, ratchet, clock):
    slack.faults.refuse("chat.update", error="edit_window_closed", channel="C0STATUS", times=1)
    await tell(mia, "redact 1 8")
    await settle(ratchet, clock)

    [found] = differences(await look())
    assert found.startswith("INC-1: entry 8 was withdrawn, but is still in #status: delete")


async def test_a_reminder_of_a_withdrawn_text_is_no_difference(slack, ratchet, clock, mia, look):
    await tell(mia, "declare Checkout is down severity:high", "update 1 We look.")
    await settle(ratchet, clock)
    await tell(mia, "redact 1 2")
    for _ in range(13):
        clock.advance(minutes=5)
        await ratchet.nudges.look()
        await settle(ratchet, clock)

    _, reminder, *_ = slack.channel_view("#payments")
    assert "promise" in reminder.text.lower()
    assert "We look." not in reminder.text
    assert differences(await look()) == []


async def test_a_thread_continued_under_a_new_card_is_in_order(
    busy, look, channels, mia, ratchet, clock
):
    channels.delete(channels.card(1))
    await tell(mia, "update 1 It goes on here.", "next 1")
    await settle(ratchet, clock)

    assert differences(await look()) == []


async def test_messages_in_a_former_status_channel_may_be_out_of_date(
    busy, look, slack, mia, ratchet, clock, channels
):
    await move_status_channel(mia, "#general")
    await settle(ratchet, clock)
    await tell(mia, "update 1 status:monitoring It is better.", "declare Another")
    await settle(ratchet, clock)
    assert differences(await look()) == []

    channels.edit(channels.reply(2), f"{CANARY} three")
    [found] = differences(await look())
    assert found.startswith("INC-1: entry 5 was withdrawn, but is still in #status")


@pytest.fixture
async def subscribed(busy, slack, ratchet, clock):
    """INC-1 is in #random as well, with two public updates; the subscription is over by now."""
    publisher = an_actor(workspace=slack.workspace.team_id)
    subscribing = Subscribing(ratchet.store, clock=clock)
    await subscribing.subscribe(publisher, Wanted(channel="C0RANDOM", severity=Severity.HIGH))
    mia = slack.person("mia")
    await tell(mia, f"update 1 {CANARY} five", f"update 1 {CANARY} six", "next 2")
    await settle(ratchet, clock)
    return subscribing


async def test_a_subscribed_channel_is_compared_to_the_end_of_its_incidents(
    subscribed, look, slack, mia, ratchet, clock
):
    note = Compared("1 incident compared with #random")
    assert note in await look()
    assert differences(await look()) == []

    await subscribed.unsubscribe(an_actor(workspace=slack.workspace.team_id), "C0RANDOM")
    await tell(mia, f"update 1 {CANARY} seven")
    await settle(ratchet, clock)
    assert note in await look()
    assert differences(await look()) == []

    [card] = slack.workspace.channel("#random").messages
    card.text = "nothing is down"
    card.replies[0].text = f"{CANARY} of another kind"
    assert sorted(differences(await look())) == [
        (
            "INC-1: #random shows another text than entry 9: withdraw it in Slack with "
            "`/incident withdraw`, then write it again"
        ),
        (
            "INC-1: its card in #random is out of date: the incident's next change redraws it; "
            "report it"
        ),
    ]


@pytest.mark.parametrize("ended", [False, True])
async def test_a_subscribed_channel_that_cannot_be_read_fails_the_check_while_it_is_subscribed(
    subscribed, look, slack, ended
):
    if ended:
        await subscribed.unsubscribe(an_actor(workspace=slack.workspace.team_id), "C0RANDOM")
    slack.faults.refuse(
        "conversations.history", error="channel_not_found", channel="C0RANDOM", times=None
    )

    [unread] = [one for one in await look() if "#random" in one.note]

    assert unread.well is ended
    cure = "; invite Ratchet, or end its subscription with `/incident unsubscribe`"
    assert unread.note.endswith(cure) is not ended


# --- reading --------------------------------------------------------------------------------------


async def test_slacks_own_markup_is_no_difference(busy, look, slack):
    for channel in ("#status", "#payments"):
        for card in slack.workspace.channel(channel).messages:
            for message in (card, *card.replies):
                message.text = (
                    message.text.replace(
                        "https://example.com/?a=1&amp;b=2", "<https://example.com/?a=1&amp;b=2>"
                    )
                    .replace("🎉", ":tada:")
                    .replace("<@U0MIA>", "<@U0MIA|mia>")
                )

    assert differences(await look()) == []


ALIKE = {
    "an address": ("see https://a.example/x", "see <https://a.example/x>"),
    "an address without a scheme": ("see a.example", "see <http://a.example|a.example>"),
    "an address of mail": ("ask a@b.example", "ask <mailto:a@b.example|a@b.example>"),
    "a mention": ("by <@U0MIA>", "by <@U0MIA|mia>"),
    "a channel": ("in <#C0STATUS>", "in <#C0STATUS|>"),
    "an emoji": ("done 🎉.", "done :tada:."),
    "an emoji with a skin": ("ok 👍🏽", "ok :+1::skin-tone-4:"),
    "an emoji in a time": ("at 9:10🎉:30", "at 9:10:tada::30"),
    "a digit in a box": ("step 1️⃣", "step :one:"),
    "a letter that is an emoji": (
        "\N{INFORMATION SOURCE}\N{VARIATION SELECTOR-16} read",
        ":information_source: read",
    ),
    "an accent": ("caf\u00e9", "cafe\u0301"),
    "white space": ("a \n b", "a b "),
}
UNLIKE = {
    "a status": ("now identified (high)", "now monitoring (high)"),
    "an address": ("see https://a.example/x", "see <https://a.example/y>"),
    "another script": ("Кассы не работают", "Кассы работают"),
    "a person": ("by <@U0MIA>", "by <@U0BO|bo>"),
    "nothing": ("This update was withdrawn.", ""),
}


@pytest.mark.parametrize(("ours", "slacks"), ALIKE.values(), ids=ALIKE)
def test_texts_that_differ_in_slacks_markup_are_alike(ours, slacks):
    assert gist(ours) == gist(slacks)


@pytest.mark.parametrize(("ours", "slacks"), UNLIKE.values(), ids=UNLIKE)
def test_texts_that_differ_in_words_are_not_alike(ours, slacks):
    assert gist(ours) != gist(slacks)


async def test_a_long_thread_and_a_busy_channel_are_read_to_the_end(
    ratchet, slack, clock, mia, look, channels
):
    await tell(mia, "declare Checkout is down", *(f"update 1 number {n}" for n in range(3)))
    await settle(ratchet, clock)
    for number in range(450):
        await mia.say("#status", f"{number} of much that people say")
        await mia.say("#status", f"{number} of it in the thread", thread=channels.card(1))
    await tell(mia, "update 1 the last one")
    await settle(ratchet, clock)
    assert differences(await look()) == []

    channels.duplicate(channels.reply(0))
    assert len(differences(await look())) == 1


async def test_an_incident_that_changes_meanwhile_is_compared_again(
    busy, look, slack, mia, ratchet, clock
):
    async def meanwhile():
        await tell(mia, "title 1 Everything is down", "next 1", "next 2")
        await settle(ratchet, clock)

    slack.faults.rate_limit("conversations.replies", retry_after=30, times=1)
    look.meanwhile = meanwhile

    assert differences(await look()) == []
    assert look.waited == [30]


async def test_incidents_that_ended_a_week_ago_are_left_out(busy, look, mia, ratchet, clock):
    await tell(mia, "next 2", "next 2")
    await settle(ratchet, clock)
    clock.advance(seconds=8 * 24 * 3600)

    assert (await look())[1] == Compared("1 incident compared with #payments")


async def test_incidents_above_the_limit_are_counted(busy, look):
    assert [one.note for one in await look(incidents_max=2)] == [
        "of 3 incidents that are open or changed lately, the 2 that changed last are compared",
        "1 incident compared with #status",
        "1 incident compared with #payments",
        "1 incident compared with #war-room",
    ]


async def test_a_long_pause_asked_by_slack_ends_the_comparison(busy, look, slack):
    slack.faults.rate_limit("conversations.history", retry_after=3600)

    assert await look() == [
        Compared(
            "only 0 incidents compared with #status: Slack asks to wait for 3600 s; "
            "run it again then",
            well=False,
        )
    ]


SILENT = {
    "cut": lambda faults: faults.cut("conversations.replies", times=None),
    "down": lambda faults: faults.unavailable("conversations.replies", times=None),
    "failing": lambda faults: faults.server_error("conversations.replies", times=None),
}


@pytest.mark.parametrize("silent", SILENT.values(), ids=SILENT)
async def test_a_silent_slack_ends_the_comparison(busy, look, slack, silent):
    silent(slack.faults)

    [result] = await look()

    assert result.note.endswith(
        "Slack, or the server at SLACK_API_URL, does not answer; check the network"
    )
    assert not result.well
    assert look.waited == [5, 5]


async def test_an_unreadable_channel_is_reported_and_the_others_compared(busy, look, slack):
    bot = slack.workspace.app.bot_user
    slack.workspace.channel("#payments").members.remove(bot)

    assert await look() == [
        Compared("2 incidents compared with #status"),
        Compared(
            "#payments was not compared: Slack says not_in_channel; type /invite @Ratchet there"
        ),
        Compared("1 incident compared with #war-room"),
    ]


async def test_an_unreadable_status_channel_fails_the_check(clock, database_url):
    scopes = MANIFEST["oauth_config"]["scopes"]["bot"]
    granted = [scope for scope in scopes if scope != "channels:history"]
    manifest = {**MANIFEST, "oauth_config": {"scopes": {"bot": granted}}}
    async with AsyncExitStack() as stack:
        slack = await stack.enter_async_context(
            a_standin(manifest, clock=clock.seconds, limits=Limits(posting=False))
        )
        app = await stack.enter_async_context(serving(slack, clock, database_url))
        await tell(slack.person("mia"), "declare Checkout is down")
        await settle(app, clock)

        first, _ = await Look(app, slack, clock)()

    assert first == Compared(
        "#status was not compared: Slack says missing_scope; grant channels:history and "
        "groups:history: paste app_manifest.yml again and reinstall",
        well=False,
    )
