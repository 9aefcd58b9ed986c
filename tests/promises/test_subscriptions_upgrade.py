"""A database of before subscriptions is upgraded, and older servers write into it meanwhile."""

from __future__ import annotations

import pytest

from core.subscribing import Subscribing, Wanted
from storage import audit
from tests.builders import an_actor
from tests.promises.conftest import serving, settle, tell
from tests.promises.test_upgrade import noted_by_code_that
from tests.promises.test_webhooks_upgrade import known_before, moved

BEFORE_SUBSCRIPTIONS = "0022"


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
async def test_an_upgraded_database_gets_subscriptions_and_posts_nothing_of_its_past(
    kind, database_url, empty_url, slack, clock, mia
):
    knows = known_before(empty_url, BEFORE_SUBSCRIPTIONS)
    async with serving(slack, clock, database_url) as app:
        await tell(mia, "declare Checkout is down", "update 1 Cards are refused.")
        await settle(app, clock)
    moved(database_url, empty_url, knows)

    async with serving(slack, clock, empty_url) as app:
        publisher = an_actor(workspace=slack.workspace.team_id)
        here = slack.workspace.channel("#random").id
        clock.advance(minutes=1)
        await Subscribing(app.store, clock=clock).subscribe(publisher, Wanted(channel=here))
        await settle(app, clock)
        assert slack.channel_view("#random") == []
        assert await app.store.read(lambda reader: list(audit.findings(reader))) == []

        clock.advance(minutes=1)
        # An older server knows no subscription: a change through it comes with the next one.
        noted_by_code_that(knows, empty_url, 1)
        await settle(app, clock)
        assert slack.channel_view("#random") == []

        await tell(mia, "update 1 A fix is out.")
        await settle(app, clock)
        [card] = slack.channel_view("#random")
        assert [reply.text.split(": ")[-1] for reply in card.replies] == ["A fix is out."]
        subscribed = await app.store.read(lambda reader: reader.subscriptions(publisher.workspace))
        assert [one.channel for one in subscribed] == [here]
