"""A restored backup: each post stands once, no number is used twice, and nothing hidden is back."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
from contextlib import closing
from dataclasses import replace
from functools import partial
from pathlib import Path
from uuid import uuid4

import pytest

from bot.doctor.checks import examine
from bot.restoring import Marker
from bot.settings import KeySettings, Settings
from core.commands import Redact, WriteReport
from core.incident import Actor, Note, Person, Section
from core.subscribing import Subscribing, Wanted
from core.webhooks import Endpoint
from storage import audit, keys
from storage.backup import back_up
from storage.models import metadata
from storage.store import SqlStore
from tests import tables
from tests.promises.conftest import environment, settle, tell
from tests.promises.processes import no_pause

PARENTS_FIRST = [table.name for table in metadata.sorted_tables if table.name != "compatibility"]
HELD = {"PUBLISH_DELAY": "10"}
A_LONG_TIME = 3600


class Time:
    """A backup is taken, work goes on, and the backup comes back."""

    def __init__(self, slack, clock, url, folder):
        self._slack = slack
        self._clock = clock
        self._url = url
        self._copy = folder / "copy.db"
        self._rows = None

    async def back_up(self, app):
        if self._url.startswith("sqlite"):
            await asyncio.to_thread(back_up, self._url, self._copy)
        else:
            self._rows = tables.contents(app.store, PARENTS_FIRST)

    async def restore(self, **changes):
        """The lines of `ratchet restore FILE`."""
        return await self._marked(lambda marker: marker.restore(self._copy), **changes)

    async def restore_by_hand(self):
        """The lines of `ratchet restore --marks-only`, after the rows are put back by hand."""
        with closing(SqlStore(self._url)) as store:
            if self._rows is None:
                shutil.copyfile(self._copy, self._url.removeprefix("sqlite:///"))
            else:
                tables.empty(store)
                tables.replace(store, self._rows)
        return await self.mark()

    async def mark(self):
        """The lines of `ratchet restore --marks-only`."""

        def mark(marker):
            with closing(SqlStore(self._url)) as store:
                marker.mark_only(store)

        return await self._marked(mark)

    async def _marked(self, work, **changes):
        variables = environment(self._slack, self._url, **changes)
        marker = Marker(KeySettings.from_env(variables), at=self._clock(), pause=no_pause)
        await asyncio.to_thread(work, marker)
        return marker.lines

    async def complaints(self, **changes):
        """The failed checks of `ratchet doctor --deep`."""
        settings = Settings.from_env(environment(self._slack, self._url))
        found = await examine(settings, deep=True, clock=self._clock, pause=no_pause, **changes)
        return [one.text for one in found if not one.well]


@pytest.fixture
def time(slack, clock, database_url, tmp_path):
    return Time(slack, clock, database_url, tmp_path)


def shown(slack, channel="#status"):
    """The cards in ``channel``, each as its name and the texts of its replies."""
    return [
        (post.text.split()[0], [reply.text.split(": ")[-1] for reply in post.replies])
        for post in slack.channel_view(channel)
    ]


async def nothing(app, clock, mia):
    """Nothing was delivered after the backup."""


async def delivered(app, clock, mia):
    await settle(app, clock)


async def delivered_and_more(app, clock, mia):
    await settle(app, clock)
    await tell(mia, "status 1 identified", "title 1 Payments are down", "ack 1")
    await settle(app, clock)


async def delivered_and_withdrawn(app, clock, mia):
    await settle(app, clock)
    await tell(mia, "redact 1 2")
    await settle(app, clock)


@pytest.mark.parametrize("by_hand", [False, True], ids=["restore", "marks-only"])
@pytest.mark.parametrize("card", ["card stands", "card waits"])
@pytest.mark.parametrize("since", [nothing, delivered, delivered_and_more])
async def test_an_update_that_waited_in_the_backup_stands_once(
    start, time, slack, clock, mia, since, card, by_hand
):
    async with start(**HELD) as app:
        await tell(mia, "declare Checkout is down")
        if card == "card stands":
            await settle(app, clock)
        await tell(mia, "update 1 Cards are refused.")
        await time.back_up(app)
        await since(app, clock, mia)

    await (time.restore_by_hand() if by_hand else time.restore())

    async with start(**HELD) as app:
        await settle(app, clock)
        assert shown(slack) == [("INC-1", ["Cards are refused."])]
        assert len(slack.channel_view("#payments")) == 1
        assert await app.store.read(lambda reader: list(audit.findings(reader))) == []
        await tell(mia, "update 1 It continues.")
        await settle(app, clock)
        assert shown(slack) == [("INC-1", ["Cards are refused.", "It continues."])]
    assert await time.complaints() == []


async def test_a_text_that_was_withdrawn_since_is_withdrawn_again(start, time, slack, clock, mia):
    async with start(**HELD) as app:
        await tell(mia, "declare Checkout is down")
        await settle(app, clock)
        await tell(mia, "update 1 Cards are refused.")
        await time.back_up(app)
        await delivered_and_withdrawn(app, clock, mia)

    lines = await time.restore()

    async with start(**HELD) as app:
        await settle(app, clock)
        assert shown(slack) == [("INC-1", ["This update was withdrawn."])]
    assert "Withdrawn again: INC-1, entry 2" in lines
    assert await time.complaints() == []


async def test_the_texts_of_a_declaration_are_withdrawn_again_each_for_itself(
    start, time, slack, clock, mia
):
    async with start(**HELD) as app:
        await tell(mia, "declare ACME is down", "description 1 Bo called", "title 1 Down")
        await settle(app, clock)
        await time.back_up(app)
        await tell(mia, "withdraw 1 title")
        await settle(app, clock)

    lines = await time.restore()

    async with start(**HELD) as app:
        await settle(app, clock)
        assert await app.store.read(lambda reader: list(audit.findings(reader))) == []
    assert "Withdrawn again: INC-1, entry 1" in lines
    assert "ACME" not in repr(slack.channel_view("#payments"))
    assert "Bo called" in repr(slack.channel_view("#payments"))
    assert await time.complaints() == []


async def test_a_text_that_was_taken_back_in_time_is_never_published(
    start, time, slack, clock, mia
):
    async with start(**HELD) as app:
        await tell(mia, "declare Checkout is down")
        await settle(app, clock)
        await tell(mia, "update 1 The customer is hunterberg.")
        await time.back_up(app)
        await tell(mia, "redact 1 2")
        await settle(app, clock)

    await time.restore()

    async with start(**HELD) as app:
        await settle(app, clock)
    assert shown(slack) == [("INC-1", [])]
    assert "hunterberg" not in repr(slack.channel_view("#status"))
    assert await time.complaints() == []


async def test_an_incident_that_was_made_private_since_is_private_again(
    start, time, slack, clock, mia
):
    async with start(**HELD) as app:
        await tell(mia, "declare The key of vault 7 leaked")
        await time.back_up(app)
        asked = await mia.command("#payments", "/incident private 1")
        pressed = await mia.press(await asked.answer(), "Make it private")
        await pressed.answer()
        await settle(app, clock)

    lines = await time.restore()

    async with start(**HELD) as app:
        await settle(app, clock)
    assert "Made private again: INC-1" in lines
    assert "vault" not in repr(slack.channel_view("#status"))
    assert await time.complaints() == []


async def test_a_text_that_was_taken_back_in_time_made_no_promise(start, time, slack, clock, mia):
    async with start(**HELD) as app:
        await tell(mia, "declare Checkout is down severity:critical")
        await settle(app, clock)
        await tell(mia, "update 1 The customer is hunterberg.")
        await time.back_up(app)
        await tell(mia, "redact 1 2")
        await settle(app, clock)

    await time.restore()

    async with start(**HELD) as app:
        await settle(app, clock)
        assert "withdrawn by <@U0MIA>, never published" in await heard(mia, "timeline 1")
        assert await app.store.read(lambda reader: list(audit.findings(reader))) == []
    assert "Next update" not in str(slack.channel_view("#status"))
    assert await time.complaints() == []


async def heard(person, line):
    """The answer to ``/incident`` with ``line``."""
    asked = await person.command("#payments", f"/incident {line}")
    return (await asked.answer()).words()


async def test_a_title_that_was_taken_back_since_does_not_return(start, time, slack, clock, mia):
    async with start(**HELD) as app:
        await tell(mia, "declare Checkout is down")
        await settle(app, clock)
        await tell(mia, "title 1 The customer is hunterberg")
        await time.back_up(app)
        await tell(mia, "redact 1 2")
        await settle(app, clock)

    lines = await time.restore()

    async with start(**HELD) as app:
        await settle(app, clock)
        assert "hunterberg" not in repr(
            [slack.channel_view(f"#{c}") for c in ("status", "payments")]
        )
        assert "Checkout is down" in await heard(mia, "show 1")
        assert await app.store.read(lambda reader: list(audit.findings(reader))) == []
    assert "Withdrawn again: INC-1, entry 2" in lines
    assert shown(slack) == [("INC-1", [])]
    assert await time.complaints() == []


@pytest.mark.parametrize("held", [True, False], ids=["replaced in time", "withdrawn later"])
async def test_a_first_title_that_was_hidden_since_does_not_return(
    start, time, slack, clock, mia, held
):
    """No other title is known of the time before it."""
    async with start(**HELD) as app:
        await tell(mia, "declare The customer is hunterberg")
        if not held:
            await settle(app, clock)
        await time.back_up(app)
        await tell(mia, "title 1 Login is slow")
        if not held:
            await tell(mia, "redact 1 1")
        await settle(app, clock)

    lines = await time.restore()

    async with start(**HELD) as app:
        await settle(app, clock)
        assert "hunterberg" not in repr(
            [slack.channel_view(f"#{c}") for c in ("status", "payments")]
        )
        assert "(title withdrawn)" in await heard(mia, "show 1")
        assert await app.store.read(lambda reader: list(audit.findings(reader))) == []
    assert "Withdrawn again: INC-1, entry 1" in lines


def own_channels(slack):
    bot = slack.workspace.app.bot_user
    return [one for one in slack.workspace.channels.values() if one.creator == bot]


WITH_CHANNELS = {**HELD, "INCIDENT_CHANNELS": "offer"}


@pytest.mark.parametrize("by_hand", [False, True], ids=["restore", "marks-only"])
@pytest.mark.parametrize("asked", ["asked before", "asked since"])
@pytest.mark.parametrize("side", ["", " private"], ids=["public", "private"])
async def test_a_channel_that_was_made_since_is_found_and_not_made_twice(
    start, time, slack, clock, mia, side, asked, by_hand
):
    async with start(**WITH_CHANNELS) as app:
        await tell(mia, f"declare Checkout is down{side}")
        await settle(app, clock)
        if asked == "asked since":
            await time.back_up(app)
        shown = await (await mia.command("#payments", "/incident show 1")).answer()
        # Otherwise the worker could make it before the backup.
        making = slack.faults.slow("conversations.create", seconds=A_LONG_TIME)
        await (await mia.press(shown, "Open a channel")).answer()
        if asked == "asked before":
            await time.back_up(app)
        making.clear()
        await settle(app, clock)
        # Its name is another by now, so that the name alone would not be taken.
        await tell(mia, "title 1 Payments are down")
        await settle(app, clock)
        [made] = own_channels(slack)
        assert made.name == "inc-1-payments-are-down"

    lines = await (time.restore_by_hand() if by_hand else time.restore())
    named = [line for line in lines if line.startswith("Opened for an incident since")]
    assert [made.id in line for line in named] == [True] * (asked == "asked since" and not by_hand)
    assert "could not be read" not in repr(lines)

    async with start(**WITH_CHANNELS) as app:
        await settle(app, clock)
        if asked == "asked since":
            shown = await (await mia.command("#payments", "/incident show 1")).answer()
            await (await mia.press(shown, "Open a channel")).answer()
        await settle(app, clock)
        assert [one.id for one in own_channels(slack)] == [made.id]
        assert made.name == "inc-1-checkout-is-down"
        await tell(mia, "title 1 Search is slow")
        await settle(app, clock)
        assert made.name == "inc-1-search-is-slow"
        assert await app.store.read(lambda reader: list(audit.findings(reader))) == []
        assert f"<#{made.id}>" in await heard(mia, "show 1")
    assert await time.complaints() == []


async def test_a_channel_that_was_made_says_nothing_of_what_is_private_since(
    start, time, slack, clock, mia
):
    async with start(**WITH_CHANNELS) as app:
        await tell(mia, "declare The key of vault 7 leaked")
        await settle(app, clock)
        shown = await (await mia.command("#payments", "/incident show 1")).answer()
        await (await mia.press(shown, "Open a channel")).answer()
        await settle(app, clock)
        [made] = own_channels(slack)
        await time.back_up(app)
        asked = await mia.command("#payments", "/incident private 1")
        await (await mia.press(await asked.answer(), "Make it private")).answer()

    lines = await time.restore()

    async with start(**WITH_CHANNELS) as app:
        await settle(app, clock)
    assert "Made private again: INC-1" in lines
    assert made.name == "inc-1"
    shown = (made.topic, made.purpose, slack.channel_view(f"#{made.name}"))
    assert "vault" not in repr(shown)
    assert await time.complaints() == []


async def test_an_invitation_that_was_taken_back_since_is_taken_back_again(
    start, time, slack, clock, mia
):
    bo = slack.person("bo")
    async with start(**HELD) as app:
        await tell(mia, "declare The key of vault 7 leaked private", "invite 1 @bo")
        await time.back_up(app)
        await tell(mia, "uninvite 1 @bo")
        await settle(app, clock)

    lines = await time.restore()

    async with start(**HELD) as app:
        await settle(app, clock)
        assert "There is no incident INC-1 here." in await heard(bo, "show 1")
    assert "Invitation taken back again: INC-1, U0BO" in lines
    assert "vault" not in repr(slack.workspace.direct(bo.user).messages)


async def test_an_owner_who_sees_a_private_incident_again_is_named(start, time, slack, clock, mia):
    async with start(**HELD) as app:
        await tell(mia, "declare The key of vault 7 leaked private", "assign 1 @bo")
        await time.back_up(app)
        await tell(mia, "assign 1 @mia")
        await settle(app, clock)

    lines = await time.restore()

    assert (
        "INC-1 is private, and U0BO, its owner in the backup, sees it again: "
        "`/incident assign 1 @person` in Slack makes another its owner." in lines
    )


async def test_a_section_that_was_withdrawn_since_shows_no_earlier_text(
    start, time, slack, clock, mia
):
    """Its earlier text, by somebody else, is no part of the report any more."""
    async with start() as app:
        await tell(mia, "declare Checkout is down")
        writes = partial(WriteReport, ref=1, seen=99)
        await app.incidents.execute(writes(actor=actor_of(mia), cause=Note("Pat did it")))
        await time.back_up(app)
        bo = actor_of(slack.person("bo"))
        await app.incidents.execute(writes(actor=bo, cause=Note("Pat did it, said Kim")))
        await app.incidents.execute(Redact(actor=bo, ref=1, entry=Section.CAUSE))

    lines = await time.restore()

    async with start() as app:
        assert (await heard(mia, "report 1")).count("To write.") == 5
    assert "Withdrawn again: INC-1, section cause" in lines


def actor_of(person):
    return Actor(workspace=person.user.team_id, person=Person(person.user.id, person.user.name))


async def test_a_key_that_was_revoked_since_is_revoked_again(start, time, slack, clock):
    async with start() as app:
        team = slack.workspace.team_id
        made, _ = await app.store.write(
            lambda tx: keys.create(
                tx, workspace=team, name="ci", scope=keys.KeyScope.WRITE, at=clock()
            )
        )
        await time.back_up(app)
        await app.store.write(lambda tx: keys.revoke(tx, made.id, at=clock()))

    lines = await time.restore()

    async with start() as app:
        (key,) = await app.store.read(keys.every)
    assert key.revoked_at is not None
    assert f"API keys revoked again: {made.id}" in lines


# --- numbers -----------------------------------------------------------------------------------


async def two_lost_incidents(start, time, slack, clock, mia):
    """INC-1 is in the backup; INC-2 and INC-3 are declared after it."""
    async with start() as app:
        await tell(mia, "declare Checkout is down")
        await settle(app, clock)
        await time.back_up(app)
        await tell(mia, "declare Search is slow", "declare Mail is late")
        await settle(app, clock)


def forget_the_database(url):
    Path(url.removeprefix("sqlite:///")).unlink()


async def test_webhooks_get_nothing_of_before_the_restore(start, time, slack, clock, mia):
    async with start() as app:
        team, by = slack.workspace.team_id, actor_of(mia).person
        kept, removed = (
            Endpoint(
                workspace=team,
                id=uuid4(),
                url=f"https://127.0.0.1:9/{name}",
                added_by=by,
                added_at=clock(),
                starts_at=clock(),
            )
            for name in ("kept", "removed")
        )
        for one in (kept, removed):

            def add(tx, one=one):
                tx.endpoints_to_change(team)
                tx.add_endpoint(one, "whsec_before")

            await app.store.write(add)
        await tell(mia, "declare Checkout is down")
        await time.back_up(app)
        await app.store.write(lambda tx: tx.remove_endpoint(removed))
        await app.store.write(
            lambda tx: tx.rotate_secret(replace(kept, rotating_until=clock()), "whsec_after")
        )

    clock.advance(minutes=1)
    lines = await time.restore()

    async with start() as app:
        found = {one.id: one for one in await app.store.read(lambda reader: reader.endpoints(team))}
        secrets = await app.store.write(lambda tx: tx.secrets_of(found[kept.id]))
    assert found[kept.id].on
    assert found[kept.id].starts_at > kept.starts_at
    assert secrets.new == "whsec_after"
    assert not found[removed.id].on
    assert f"Webhooks switched off again: {removed.id}" in lines
    assert any(line.startswith("Events that waited for webhooks: ") for line in lines)


@pytest.mark.parametrize("since", [nothing, delivered])
async def test_subscribed_channels_get_nothing_of_before_the_restore(
    start, time, slack, clock, mia, since
):
    team, by = slack.workspace.team_id, actor_of(mia)
    here, ended = (slack.workspace.channel(one).id for one in ("#random", "#general"))
    async with start(**HELD) as app:
        subscribing = Subscribing(app.store, clock=clock)
        for channel in (here, ended):
            await subscribing.subscribe(by, Wanted(channel=channel))
        await tell(mia, "declare Checkout is down")
        await settle(app, clock)
        await tell(mia, "update 1 Cards are refused.", "declare Search is slow")
        await time.back_up(app)
        await subscribing.unsubscribe(by, ended)
        await since(app, clock, mia)

    clock.advance(minutes=1)
    lines = await time.restore()
    assert f"Channels unsubscribed again: {ended}" in lines

    async with start(**HELD) as app:
        await settle(app, clock)
        both = [("INC-1", ["Cards are refused."]), ("INC-2", [])]
        assert shown(slack) == both
        # What Slack has since is found and followed; nothing else of before is posted.
        assert shown(slack, "#random") == (both if since is delivered else [("INC-1", [])])
        # INC-2 was declared before the end of that subscription, and was not public by then.
        stands = [("INC-1", ["Cards are refused."] if since is delivered else [])]
        assert shown(slack, "#general") == stands

        await tell(mia, "update 1 It continues.", "update 2 It is found.")
        await settle(app, clock)
        replies = ["Cards are refused."] if since is delivered else []
        assert shown(slack, "#random") == [
            ("INC-1", [*replies, "It continues."]),
            ("INC-2", ["It is found."]),
        ]
        assert shown(slack, "#general") == [("INC-1", [*replies, "It continues."])]
        found = await app.store.read(lambda reader: reader.subscriptions(team))
        assert [one.channel for one in found if one.in_force] == [here]
        assert await app.store.read(lambda reader: list(audit.findings(reader))) == []
    assert await time.complaints() == []


@pytest.mark.parametrize("known_by", ["Slack", "the replaced database"])
async def test_numbers_continue_above_those_in_use(
    start, time, slack, clock, mia, database_url, known_by
):
    await two_lost_incidents(start, time, slack, clock, mia)
    if known_by == "Slack":
        forget_the_database(database_url)
        lines = await time.restore()
    else:
        lines = await time.restore(SLACK_BOT_TOKEN=None)

    team = slack.workspace.team_id
    assert f"{team}: INC-2 to INC-3 are in use since the backup, and skipped." in lines
    async with start() as app:
        await tell(mia, "declare Login is down")
        await settle(app, clock)
        assert [name for name, _ in shown(slack)] == ["INC-1", "INC-2", "INC-3", "INC-4"]
        assert await app.store.read(lambda reader: list(audit.findings(reader))) == []


async def test_without_slack_and_without_a_database_it_says_how_to_go_on(
    start, time, slack, clock, mia, database_url
):
    await two_lost_incidents(start, time, slack, clock, mia)
    forget_the_database(database_url)
    down = slack.faults.unavailable(times=None)

    lines = await time.restore()
    assert any("`ratchet restore --marks-only` once Slack answers" in line for line in lines)

    down.clear()
    async with start() as app:
        clock.advance(days=2)
        await settle(app, clock)
    again = await time.mark()
    assert any("INC-2 to INC-3 are in use" in line for line in again)


async def test_a_channel_that_cannot_be_read_is_named(start, time, slack, clock, mia):
    await two_lost_incidents(start, time, slack, clock, mia)
    slack.faults.refuse("conversations.history", error="missing_scope", times=None)

    lines = await time.restore()

    assert any("could not be read (missing_scope)" in line for line in lines)
    assert any("INC-2 to INC-3 are in use" in line for line in lines)


async def test_a_card_of_before_the_restore_acts_on_no_other_incident(
    start, time, slack, clock, mia
):
    await two_lost_incidents(start, time, slack, clock, mia)
    card = slack.workspace.channel("#payments").messages[1]
    assert card.text.startswith("INC-2 Search is slow")
    await time.restore()
    async with start() as app:
        await tell(mia, "declare Login is down", "declare Pages are blank")
        await settle(app, clock)
        before = tables.contents(app.store, ("incident", "incident_update"))
        for act in (
            mia.press(card, "Move to Identified"),
            mia.press(card, "Acknowledge"),
        ):
            answer = await (await act).answer()
            assert "is not in the store" in answer.text
        assert tables.contents(app.store, ("incident", "incident_update")) == before


# --- cards without an incident -----------------------------------------------------------------


async def test_cards_without_an_incident_are_named_and_marked_on_demand(
    start, time, slack, clock, mia
):
    await two_lost_incidents(start, time, slack, clock, mia)
    await time.restore()

    named = await time.complaints()
    assert [line.split(" (http")[0] for line in named] == [
        "slack: INC-2 has a card in #status",
        "slack: INC-3 has a card in #status",
        "slack: INC-2 has a card in #payments",
        "slack: INC-3 has a card in #payments",
    ]
    assert "Search" not in repr(named)
    assert "Search is slow" in repr(slack.channel_view("#payments"))

    assert len(await time.complaints(mark_gone=True)) == 4
    for channel in ("#status", "#payments"):
        texts = [post.text for post in slack.channel_view(channel)]
        assert texts[1:] == [
            "INC-2 is no longer known to Ratchet.",
            "INC-3 is no longer known to Ratchet.",
        ]
        assert all("button" not in repr(post.blocks) for post in slack.channel_view(channel)[1:])
    assert await time.complaints() == []

    forget = await time.restore()
    assert any("INC-2 to INC-3 are in use" in line for line in forget)


async def test_a_card_that_takes_no_edit_is_named(start, time, slack, clock, mia):
    await two_lost_incidents(start, time, slack, clock, mia)
    await time.restore()
    slack.faults.refuse("chat.update", error="edit_window_closed", times=None)

    found = await time.complaints(mark_gone=True)

    assert found[-1] == "slack: the card of INC-3 was not marked: Slack says edit_window_closed"


async def test_a_card_of_somebody_else_is_left_alone(start, time, slack, clock, mia):
    await two_lost_incidents(start, time, slack, clock, mia)
    for message in slack.workspace.channel("#status").messages[1:]:
        message.by_app = False
    await time.restore()

    assert [line for line in await time.complaints() if "#status" in line] == []


# --- the files ---------------------------------------------------------------------------------


async def test_drafts_of_the_backup_are_erased(start, time, slack, clock, mia, database_url):
    async with start() as app:
        asked = await mia.command("#payments", f"/incident update {'x' * 13_000}")
        await asked.answer()
        assert tables.rows(app.store, "SELECT body FROM draft") != []
        await time.back_up(app)

    await time.restore()

    with closing(sqlite3.connect(database_url.removeprefix("sqlite:///"))) as restored:
        assert restored.execute("SELECT body FROM draft").fetchall() == []


# --- on both databases -------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
async def test_marks_alone_are_enough_after_rows_were_put_back(
    kind, start, time, slack, clock, mia
):
    async with start(**HELD) as app:
        await tell(mia, "declare Checkout is down")
        await settle(app, clock)
        await tell(mia, "update 1 Cards are refused.")
        await time.back_up(app)
        await delivered_and_more(app, clock, mia)
        await tell(mia, "declare Search is slow")
        await settle(app, clock)

    lines = await time.restore_by_hand()

    assert f"{slack.workspace.team_id}: INC-2 is in use since the backup, and skipped." in lines
    async with start(**HELD) as app:
        # Its card shows what came after the backup until a change redraws it.
        await tell(mia, "ack 1", "declare Login is down")
        await settle(app, clock)
        assert shown(slack) == [("INC-1", ["Cards are refused."]), ("INC-2", []), ("INC-3", [])]
        assert await app.store.read(lambda reader: list(audit.findings(reader))) == []
    assert len(await time.complaints(mark_gone=True)) == 2
    assert await time.complaints() == []
