"""Random acts about a subscribed channel lose no public update, repeat none, and add none."""

from __future__ import annotations

import asyncio
from contextlib import ExitStack
from functools import partial
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
    run_state_machine_as_test,
)

from core.incident import Severity
from core.subscribing import Subscribing
from storage import audit
from tests import tables
from tests.builders import an_actor
from tests.clock import Clock
from tests.promises.conftest import serving
from tests.promises.processes import waiting
from tests.standin import a_standin

SORRY = "on our side"
HERE = "#random"
SEVERITIES = ("critical", "high", "medium", "low")
WORST_FIRST = {name: place for place, name in enumerate(SEVERITIES)}
# An act is about one of these incidents, and of its texts, by a number that Hypothesis repeats.
ANY = st.integers(0, 59)


class ChannelConversation(RuleBasedStateMachine):
    """People, and Slack, do anything with one channel.

    ``lowest`` is the filter of its subscription, None: it has none. ``regime`` counts the acts that
    begin anew. A text that must be in the channel is in ``there``, one that waits for the channel
    in ``waits``, with its regime, and whether its incident had a card there.
    """

    def __init__(self, kind, a_database):
        super().__init__()
        self.ends = ExitStack()
        self.loop = asyncio.Runner()
        self.url = self.ends.enter_context(a_database(kind))
        self.incidents = []
        self.texts = {}
        self.lowest, self.is_status, self.regime = None, False, 0
        self.there, self.waits, self.either = set(), {}, set()

    @initialize()
    def begin(self):
        self.run(self._begin())

    async def _begin(self):
        self.clock = Clock()
        self.slack = a_standin(clock=self.clock.seconds)
        await self.slack.start()
        self.mia = self.slack.person("mia")
        self.channel = self.slack.workspace.channel(HERE)
        bot = self.slack.workspace.app.bot_user
        self.channel.members = [self.mia.user.id, bot]
        self.serving = serving(self.slack, self.clock, self.url, PUBLISH_DELAY="0")
        self.app = await self.serving.__aenter__()
        self.publisher = an_actor(workspace=self.slack.workspace.team_id)
        self.subscribing = Subscribing(self.app.store, clock=self.clock)

    def run(self, work):
        return self.loop.run(work)

    def say(self, line):
        answer = self.run(self._said(line))
        assert SORRY not in answer.words()
        return answer

    async def _said(self, line):
        self.clock.advance(seconds=2)
        asked = await self.mia.command("#payments", f"/incident {line}")
        assert asked.error is None
        answer = await asked.answer()
        await self._settled()
        return answer

    async def _settled(self):
        for _ in range(300):
            if not waiting(self.app.store):
                return
            self.clock.advance(seconds=1)
            await self.app.worker.deliver_due()
        raise AssertionError(f"still waiting: {waiting(self.app.store)}")

    @property
    def archived(self):
        return self.channel.is_archived

    def cards(self):
        shown = self.slack.channel_view(HERE)
        cards = {int(post.text.split()[0].removeprefix("INC-")): post for post in shown}
        assert len(cards) == len(shown)
        return cards

    def wants(self, number):
        severity = self.incidents[number - 1]
        passes = self.lowest and WORST_FIRST[severity] <= WORST_FIRST[self.lowest]
        return self.is_status or bool(passes)

    def begins_anew(self):
        self.regime += 1

    # --- incidents -----------------------------------------------------------------------------

    @rule(severity=st.sampled_from(SEVERITIES))
    def declare(self, severity):
        if len(self.incidents) < 4:
            self.say(f"declare Outage {len(self.incidents) + 1} severity:{severity}")
            self.incidents.append(severity)

    @precondition(lambda self: self.incidents)
    @rule(which=ANY, to=st.sampled_from(["identified", "monitoring"]))
    def move(self, which, to):
        self.say(f"status {which % len(self.incidents) + 1} {to}")

    @precondition(lambda self: self.incidents)
    @rule(which=ANY)
    def publish(self, which):
        number = which % len(self.incidents) + 1
        text = f"word{len(self.texts) + 1}x"
        has_card = number in self.cards()
        assert "your public update" in self.say(f"update {number} {text}").words()
        self.texts[text] = number
        if not (has_card or self.wants(number)):
            return
        if self.archived:
            self.waits[text] = (self.regime, has_card, self.is_status)
        else:
            self.there.add(text)

    @precondition(lambda self: self.texts)
    @rule(which=ANY)
    def withdraw(self, which):
        text = sorted(self.texts)[which % len(self.texts)]
        found = tables.values(
            self.app.store, f"SELECT entry FROM incident_update WHERE body = '{text}'"
        )
        for entry in found:
            self.say(f"withdraw {self.texts[text]} {entry}")
        self.there.discard(text)
        self.either.discard(text)
        self.waits.pop(text, None)

    # --- the subscription ----------------------------------------------------------------------

    @rule(lowest=st.sampled_from(SEVERITIES))
    def subscribe(self, lowest):
        answer = self.say(f"subscribe severity:{lowest} {HERE}")
        self.agreed(answer, lowest)

    @rule()
    def subscribe_without_a_word_about_the_filter(self):
        answer = self.say(f"subscribe {HERE}")
        if self.lowest in {None, "low"}:
            self.agreed(answer, "low")
        else:
            assert "Nothing was changed" in answer.words()

    def agreed(self, answer, lowest):
        """A channel that is subscribed is not tried; a private one is asked about first."""
        anew = self.lowest is None
        if self.is_status or (anew and self.archived and not self.private):
            assert "Nothing was" in answer.words()
            return
        if anew and self.private:
            assert "Nothing was changed" in answer.words()
            self.run(self._pressed(answer, "Subscribe"))
            if self.archived:
                return
        if lowest != self.lowest:
            self.begins_anew()
        self.lowest = lowest

    async def _pressed(self, answer, label):
        self.clock.advance(seconds=2)
        await (await self.mia.press(answer, label)).answer()
        await self._settled()

    @rule()
    def unsubscribe(self):
        self.say(f"unsubscribe {HERE}")
        if self.lowest:
            self.begins_anew()
        self.lowest = None

    @rule(here=st.booleans())
    def set_the_status_channel(self, here):
        if here and (self.archived or self.private):
            return
        answer = self.say(f"setup {HERE if here else '#status'}")
        if "Move it there" in answer.words():
            self.run(self._pressed(answer, "Move it there"))
        if here != self.is_status:
            self.begins_anew()
        self.is_status = here
        if here:
            self.lowest = None

    # --- the channel ---------------------------------------------------------------------------

    @property
    def private(self):
        return self.channel.kind == "private"

    @rule()
    def turn_private_or_public(self):
        self.channel.kind = "public" if self.private else "private"

    @precondition(lambda self: not self.archived)
    @rule()
    def archive(self):
        self.channel.is_archived = True

    @precondition(lambda self: self.archived)
    @rule()
    def unarchive(self):
        self.run(self._unarchived())

    async def _unarchived(self):
        self.clock.advance(seconds=2)
        self.channel.is_archived = False
        # As the event of Slack's does it.
        await self.app.revive(self.slack.workspace.team_id, self.channel.id)
        await self._settled()
        for text, (regime, had_card, as_status) in self.waits.items():
            if had_card or regime == self.regime:
                self.there.add(text)
            elif as_status or self.is_status:
                self.either.add(text)
        self.waits = {}

    # --- what holds ----------------------------------------------------------------------------

    def check(self):
        known = self.run(self.subscribing.subscriptions(self.publisher))
        found = [one.filter.severity or Severity.LOW for one in known]
        assert found == ([self.lowest] if self.lowest else [])
        replies = [reply.text for card in self.cards().values() for reply in card.replies]
        for text in self.texts:
            count = sum(text in reply for reply in replies)
            if text in self.there:
                assert count == 1, (text, replies)
            elif text in self.either:
                assert count <= 1, (text, replies)
            else:
                assert count == 0, (text, replies)

    async def _findings(self):
        return await self.app.store.read(lambda reader: list(audit.findings(reader)))

    def teardown(self):
        try:
            if hasattr(self, "app"):
                if self.archived:
                    self.unarchive()
                self.check()
                assert self.run(self._findings()) == []
        finally:
            if hasattr(self, "app"):
                self.run(self.serving.__aexit__(None, None, None))
                self.run(self.slack.stop())
            self.loop.close()
            self.ends.close()


# Without shrinking: a failure that took seconds to find would take hours to shrink.
FEW = settings(
    max_examples=5,
    stateful_step_count=20,
    deadline=None,
    phases=[Phase.reuse, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
MANY = settings(FEW, max_examples=100, stateful_step_count=40)


def test_a_subscribed_channel_has_each_public_update_once_in_any_order(a_database):
    machine: Any = partial(ChannelConversation, "sqlite", a_database)

    run_state_machine_as_test(machine, settings=FEW)


@pytest.mark.torture
@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_a_subscribed_channel_has_each_public_update_once_in_many_orders(kind, a_database):
    machine: Any = partial(ChannelConversation, kind, a_database)

    run_state_machine_as_test(machine, settings=MANY)
