"""Whatever people and accidents do, in whatever order: what is kept and shown is what they did."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule
from promises.conftest import MANIFEST, Clock, serving, settle

from bot.sandbox import Limits, Sandbox
from core.lifecycle import STATUSPAGE
from storage import audit

SORRY = "on our side"


class Model:
    """The spec in small: one incident's status, texts, and what the public may read."""

    def __init__(self):
        self.status = STATUSPAGE.initial
        self.notes = []
        self.public = {}

    @property
    def over(self):
        return STATUSPAGE.is_terminal(self.status)


class Bot(RuleBasedStateMachine):
    """Ratchet over one database and one Slack, which outlive it."""

    def __init__(self):
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.loop = asyncio.Runner()
        self.url = f"sqlite:///{Path(self.folder.name) / 'ratchet.db'}"
        self.incidents = []
        self.words = 0

    @initialize()
    def begin(self):
        self.run(self._begin())

    async def _begin(self):
        self.clock = Clock()
        self.slack = Sandbox(
            MANIFEST, clock=self.clock.seconds, limits=Limits(posting=True, burst=1)
        )
        await self.slack.start()
        self.mia = self.slack.person("mia")
        await self._start()

    async def _start(self):
        self.serving = serving(self.slack, self.clock, self.url)
        self.app = await self.serving.__aenter__()

    def run(self, work):
        return self.loop.run(work)

    def say(self, line):
        async def said():
            asked = await self.mia.command("#payments", f"/incident {line}")
            assert asked.error is None
            answer = (await asked.answer()).words()
            assert SORRY not in answer
            return answer

        return self.run(said())

    def word(self):
        self.words += 1
        return f"word{self.words}x"

    @rule()
    def declare(self):
        if len(self.incidents) < 3:
            self.say(f"declare Outage {len(self.incidents) + 1}")
            self.incidents.append(Model())

    @precondition(lambda self: self.incidents)
    @rule(which=st.integers(0, 2), to=st.sampled_from([s.name for s in STATUSPAGE.statuses]))
    def move(self, which, to):
        number, model = self.chosen(which)
        answer = self.say(f"status {number} {to}")
        if to in STATUSPAGE.next_steps(model.status):
            assert "is now" in answer
            model.status = to
        else:
            assert "is now" not in answer

    @precondition(lambda self: self.incidents)
    @rule(which=st.integers(0, 2))
    def write_a_note(self, which):
        number, model = self.chosen(which)
        word = self.word()
        answer = self.say(f"note {number} {word}")
        assert ("kept private" in answer) is not model.over
        if not model.over:
            model.notes.append(word)

    @precondition(lambda self: self.incidents)
    @rule(which=st.integers(0, 2))
    def publish(self, which):
        number, model = self.chosen(which)
        word = self.word()
        answer = self.say(f"update {number} {word}")
        assert ("will read your public update" in answer) is not model.over
        if not model.over:
            model.public[word] = True

    @precondition(lambda self: any(model.public for model in self.incidents))
    @rule(data=st.data())
    def redact(self, data):
        number, model = data.draw(
            st.sampled_from([(n, m) for n, m in enumerate(self.incidents, 1) if m.public])
        )
        word = data.draw(st.sampled_from(sorted(model.public)))
        entry = self.run(self._entry(number, word))
        if entry is not None:
            self.say(f"redact {number} {entry}")
            model.public[word] = False

    async def _entry(self, number, word):
        return await self.app.store.read(
            lambda reader: reader.connection.exec_driver_sql(
                "SELECT entry FROM incident_update u JOIN incident i ON i.id = u.incident_id "
                f"WHERE i.number = {number} AND u.body = '{word}'"
            ).scalar()
        )

    @precondition(lambda self: self.slack.workspace.channel("#payments").messages)
    @rule(data=st.data())
    def click_on_what_may_be_out_of_date(self, data):
        cards = self.slack.workspace.channel("#payments").messages
        card = data.draw(st.sampled_from(cards))
        number = int(card.text.split()[0].removeprefix("INC-"))
        offered = [
            element["action_id"]
            for block in card.blocks
            for element in block.get("elements", [])
            if element.get("action_id", "").startswith("step:")
        ]
        model = self.incidents[number - 1]
        if offered:
            step = data.draw(st.sampled_from(offered))
            before = card.text
            self.run(self._click(card, step))
            if f"now {model.status}" in before:
                model.status = step.removeprefix("step:")

    async def _click(self, card, step):
        await (await self.mia.press(card, step)).answer()

    @precondition(lambda self: self.slack.requests)
    @rule(copies=st.integers(1, 3))
    def redeliver(self, copies):
        self.run(self.slack.redeliver(copies=copies, at_once=True))

    @rule(
        kind=st.sampled_from(["lost_answer", "cut", "server_error", "rate_limited", "unavailable"]),
        method=st.sampled_from(["chat.postMessage", "chat.update"]),
        times=st.integers(1, 4),
    )
    def slack_fails(self, kind, method, times):
        self.slack.faults.add(kind, method, times=times, seconds=3)

    @rule(seconds=st.integers(1, 120))
    def time_passes(self, seconds):
        self.clock.advance(seconds=seconds)
        self.run(self.app.worker.deliver_due())

    @rule()
    def restart(self):
        self.run(self.serving.__aexit__(None, None, None))
        self.run(self._start())

    @rule()
    def crash(self):
        """What a death leaves behind: messages that somebody was just posting."""
        self.run(self.app.outbox.claim("dead", limit=100, at=self.clock()))
        self.restart()

    def chosen(self, which):
        index = which % len(self.incidents)
        return index + 1, self.incidents[index]

    def teardown(self):
        try:
            if hasattr(self, "app"):
                self.run(self._compare())
        finally:
            if hasattr(self, "app"):
                self.run(self.serving.__aexit__(None, None, None))
                self.run(self.slack.stop())
            self.loop.close()
            self.folder.cleanup()

    async def _compare(self):
        self.slack.faults.clear()
        await settle(self.app, self.clock, hours=3)
        assert await self.app.store.read(lambda reader: list(audit.faults(reader))) == []
        rows = await self.app.store.read(
            lambda reader: reader.connection.exec_driver_sql(
                "SELECT i.number, i.status, u.body, u.visibility FROM incident i "
                "JOIN incident_update u ON i.id = u.incident_id ORDER BY i.number, u.entry"
            ).all()
        )
        posts = {
            int(post.text.split()[0].removeprefix("INC-")): post
            for post in self.slack.channel_view("#status")
        }
        assert len(self.slack.channel_view("#status")) == len(self.incidents) == len(posts)
        for number, model in enumerate(self.incidents, 1):
            mine = [row for row in rows if row[0] == number]
            assert {row[1] for row in mine} == {model.status}
            notes = [row[2] for row in mine if row[3] == "internal" and row[2]]
            assert notes == model.notes
            standing = [word for word, stands in model.public.items() if stands]
            shown = [reply.text.split(": ")[-1] for reply in posts[number].replies]
            assert [text for text in shown if text.startswith("word")] == standing


Bot.TestCase.settings = settings(
    max_examples=6,
    stateful_step_count=15,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)


class TestBot(Bot.TestCase):
    """Few examples in the suite; `make torture` runs many."""


@pytest.mark.torture
class TestBotForLong(Bot.TestCase):
    """The same, a hundred times as often."""

    settings = settings(Bot.TestCase.settings, max_examples=150, stateful_step_count=40)
