"""Random acts of people, servers, database and Slack leave exactly their effects."""

from __future__ import annotations

import asyncio
from contextlib import ExitStack, contextmanager
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

from bot.sandbox import Limits
from core.engine import IMPATIENCE
from core.incident import Severity
from core.lifecycle import PRESETS
from core.subscribing import Subscribing, Wanted
from core.withdrawing import CORRECTION_WINDOW
from storage import audit
from tests import tables
from tests.builders import an_actor
from tests.clock import Clock
from tests.patience import PATIENCE_SECONDS
from tests.promises.conftest import file_away, serving
from tests.promises.processes import waiting
from tests.standin import a_standin, announced

SORRY = "on our side"
LIFECYCLES = {lifecycle.name: lifecycle for lifecycle in PRESETS}
STATUSES = sorted({status.name for lifecycle in PRESETS for status in lifecycle.statuses})
# On SQLite one process serves from a file.
SERVERS = {"sqlite": 1, "postgresql": 2}


# Slack shows a card when it is delivered, so an act is drawn as a number, and never from the state
# of Slack at that moment: Hypothesis repeats what it drew.
ANY = st.integers(0, 59)


# A channel that is subscribed from the beginning, and one that comes and goes.
ALL, SOME = "C0RANDOM", "C0GENERAL"


def texts(post):
    return [reply.text for reply in post.replies]


def chosen(things, which):
    return things[which % len(things)]


class Model:
    """A model of one incident: its status, its notes and its public texts."""

    def __init__(self, lifecycle):
        self.lifecycle = lifecycle
        self.status = lifecycle.initial
        self.moved_at = None
        self.notes = []
        # By word, whether it is still there.
        self.public = {}
        # Withdrawn words that a correction replaced, and corrections.
        self.corrected = set()

    def move(self, status, at):
        self.status, self.moved_at = status, at

    def hasty(self, at):
        """Whether a click at the moment ``at`` follows a step too soon: then it is asked about."""
        return self.moved_at is not None and at - self.moved_at < IMPATIENCE.total_seconds()

    @property
    def next_steps(self):
        return self.lifecycle.next_steps(self.status)

    @property
    def over(self):
        return self.lifecycle.is_terminal(self.status)


class Bot(RuleBasedStateMachine):
    """Ratchet over one database and one Slack, which outlive it.

    ``a_database`` makes a database; ``away`` takes that of an address away for a while.
    """

    def __init__(self, kind, delay_seconds, a_database, away):
        super().__init__()
        self.delay_seconds = delay_seconds
        self.ends = ExitStack()
        self.loop = asyncio.Runner()
        self.url = self.ends.enter_context(a_database(kind))
        self.away = partial(away, self.url)
        self.servers = range(SERVERS[kind])
        # By word, in seconds: when it was written, and when it was withdrawn.
        self.written_at = {}
        self.withdrawn_at = {}
        self.incidents = []
        self.words = 0
        self.down = None

    @initialize()
    def begin(self):
        self.run(self._begin())

    async def _begin(self):
        self.clock = Clock()
        self.slack = a_standin(
            clock=self.clock.seconds,
            limits=Limits(posting=True, burst=1),
        )
        await self.slack.start()
        self.mia = self.slack.person("mia")
        self.serving = {}
        self.apps = {}
        for server in self.servers:
            await self._start(server)
        self.publisher = an_actor(workspace=self.slack.workspace.team_id)
        await self._subscribed(Wanted(channel=ALL), ends=False)

    async def _start(self, server):
        self.serving[server] = serving(
            self.slack, self.clock, self.url, PUBLISH_DELAY=str(self.delay_seconds)
        )
        self.apps[server] = await self.serving[server].__aenter__()
        # The server remembers her from now on, also while Slack is down.
        await self._said("list")

    async def _stop(self, server):
        await self.serving[server].__aexit__(None, None, None)

    @property
    def app(self):
        return self.apps[0]

    def run(self, work):
        return self.loop.run(work)

    def say(self, line):
        answer = self.run(self._said(line))
        assert SORRY not in answer
        return answer

    async def _said(self, line):
        asked = await self.mia.command("#payments", f"/incident {line}")
        assert asked.error is None
        return (await asked.answer()).words()

    def word(self):
        """A word that is part of no other: each ends in a letter after its number."""
        self.words += 1
        word = f"word{self.words}x"
        self.written_at[word] = self.clock.seconds()
        return word

    @rule(lifecycle=st.sampled_from(sorted(LIFECYCLES)))
    def declare(self, lifecycle):
        if len(self.incidents) < 3:
            self.say(f"declare Outage {len(self.incidents) + 1} lifecycle:{lifecycle}")
            self.incidents.append(Model(LIFECYCLES[lifecycle]))

    @precondition(lambda self: self.incidents)
    @rule(which=st.integers(0, 2), to=st.sampled_from(STATUSES))
    def move(self, which, to):
        number, model = self.chosen(which)
        answer = self.say(f"status {number} {to}")
        assert ("is now" in answer) is (to in model.next_steps)
        if to in model.next_steps:
            model.move(to, self.clock.seconds())

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
        """After the end, only a correction of a text that was withdrawn just now is accepted."""
        number, model = self.chosen(which)
        word, replaced = self.word(), self.correctable(model) if model.over else None
        answer = self.say(f"update {number} {word}")
        accepted = not model.over or replaced is not None
        assert ("will read your public update" in answer) is accepted
        if accepted:
            model.public[word] = True
        if replaced:
            model.corrected |= {replaced, word}

    def correctable(self, model):
        since = self.clock.seconds() - CORRECTION_WINDOW.total_seconds()
        withdrawn = [
            word
            for word in model.public
            if self.withdrawn_at.get(word, 0) >= since and word not in model.corrected
        ]
        return withdrawn[-1] if withdrawn else None

    @rule(which=ANY, one=ANY)
    def redact(self, which, one):
        published = [(n, m) for n, m in enumerate(self.incidents, 1) if m.public]
        if not published:
            return
        number, model = chosen(published, which)
        word = chosen(sorted(model.public), one)
        entry = self._entry(number, word)
        if entry is not None:
            self.withdrawn_at.setdefault(word, self.clock.seconds())
            self.say(f"redact {number} {entry}")
            model.public[word] = False

    def _entry(self, number, word):
        found = tables.values(
            self.app.store,
            "SELECT entry FROM incident_update u JOIN incident i ON i.id = u.incident_id "
            f"WHERE i.number = {number} AND u.body = '{word}'",
        )
        return next(iter(found), None)

    @rule(which=ANY, one=ANY)
    def click_on_what_may_be_out_of_date(self, which, one):
        cards = self.slack.workspace.channel("#payments").messages
        if not cards:
            return
        card = chosen(cards, which)
        model = self.incidents[int(card.text.split()[0].removeprefix("INC-")) - 1]
        hasty = model.hasty(self.clock.seconds())
        before, step = self.run(self._click(card, one))
        if step and f"now {model.status}" in before and not hasty:
            model.move(step.removeprefix("step:"), self.clock.seconds())

    async def _click(self, card, one):
        """The text of the card and the step that was clicked, None if the card offers none.

        It is read here because a delivery may redraw the card before this begins.
        """
        before = card.text
        offered = [
            element["action_id"]
            for block in card.blocks
            for element in block.get("elements", [])
            if element.get("action_id", "").startswith("step:")
        ]
        if not offered:
            return before, None
        step = chosen(offered, one)
        await (await self.mia.press(card, step)).answer()
        return before, step

    @precondition(lambda self: not self.down)
    @rule(which=ANY, one=ANY, noted=st.booleans(), published=st.booleans(), overtaken=st.booleans())
    def fill_in_the_dialog(self, which, one, *, noted, published, overtaken):
        """A move of the incident meanwhile makes the whole form stale, so it is refused."""
        cards = self.open_cards()
        if not cards:
            return
        card, number, model = chosen(cards, which)
        step = chosen([None, *model.next_steps], one)
        note, public = self.word() if noted else None, self.word() if published else None
        filled = {"Next step": step, "Private note": note, "Public update": public}
        if not any(filled.values()):
            return
        pressed = self.run(self._opened(card))
        if pressed is None:
            return
        if overtaken:
            to = model.next_steps[0]
            self.say(f"status {number} {to}")
            model.move(to, self.clock.seconds())
        public_side = "Public update" in str(self.mia.view.blocks)
        shown = public_side and not overtaken and bool(step or public)
        kept = self.run(self._submitted(pressed, filled, announces=shown))
        assert kept is not overtaken
        if kept:
            if step:
                model.move(step, self.clock.seconds())
            model.notes += [note] if note else []
            model.public |= {public: True} if public else {}

    def open_cards(self):
        """Cards that show an incident as going on, and are right about it."""
        shown = [
            (card, int(card.text.split()[0].removeprefix("INC-")))
            for card in self.slack.workspace.channel("#payments").messages
        ]
        return [
            (card, number, self.incidents[number - 1])
            for card, number in shown
            if not self.incidents[number - 1].over and "update" in str(card.blocks)
        ]

    async def _opened(self, card):
        if "update" not in str(card.blocks):
            return None
        pressed = await self.mia.press(card, "update")
        await self.slack.until(lambda: self.mia.has_view and "submit" in self.mia.view.given)
        return pressed

    async def _submitted(self, pressed, filled, *, announces):
        for label, value in filled.items():
            if value:
                await self.mia.fill(label, value)
        if announces:
            await announced(self.slack, self.mia)
        asked = await self.mia.submit()
        assert asked.error is None
        if self.mia.has_view:
            await self.mia.close(whole_stack=True)
            return False
        # The answer belongs to the button.
        await pressed.answer()
        return True

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

    @rule()
    def slack_goes_down_or_comes_back(self):
        if self.down:
            self.down.clear()
        self.down = None if self.down else self.slack.faults.unavailable(times=None)

    @rule(seconds=st.integers(1, 120))
    def time_passes(self, seconds):
        self.clock.advance(seconds=seconds)
        self.run(self._delivered())

    async def _delivered(self):
        """All servers at once."""
        await asyncio.gather(*(app.worker.deliver_due() for app in self.apps.values()))

    @precondition(lambda self: self.incidents)
    @rule(which=st.integers(0, 2))
    def the_database_is_away_for_a_moment(self, which):
        number, _ = self.chosen(which)
        with self.away():
            assert SORRY in self.run(self._said(f"note {number} {self.word()}"))
        # The next redelivery repeats this one; a repeated note could be kept then.
        self.say("list")

    @rule(server=st.integers(0, 1))
    def people_come_to_another_server(self, server):
        app = self.apps[server % len(self.apps)]
        self.slack.request_url = f"{app.http.address}/slack/events"

    @precondition(lambda self: not self.down)
    @rule(server=st.integers(0, 1))
    def restart(self, server):
        self.run(self._stop(server % len(self.apps)))
        self.run(self._start(server % len(self.apps)))

    @precondition(lambda self: not self.down)
    @rule(server=st.integers(0, 1))
    def crash(self, server):
        """A crash leaves messages behind that were being posted."""
        self.run(self.app.outbox.claim("dead", limit=100, at=self.clock()))
        self.restart(server)

    @rule(severity=st.sampled_from([None, Severity.LOW, Severity.HIGH]), ends=st.booleans())
    def subscribe(self, severity, *, ends):
        """A channel of its own comes and goes, in the middle of incidents."""
        self.run(self._subscribed(Wanted(channel=SOME, severity=severity), ends=ends))

    async def _subscribed(self, wanted, *, ends):
        subscribing = Subscribing(self.app.store, clock=self.clock)
        known = await subscribing.subscriptions(self.publisher)
        if ends and SOME in {one.channel for one in known}:
            await subscribing.unsubscribe(self.publisher, SOME)
        elif not ends:
            await subscribing.subscribe(self.publisher, wanted)

    def chosen(self, which):
        index = which % len(self.incidents)
        return index + 1, self.incidents[index]

    def teardown(self):
        try:
            if hasattr(self, "apps"):
                self.run(self._compare())
        finally:
            if hasattr(self, "apps"):
                for server in self.apps:
                    self.run(self._stop(server))
                self.run(self.slack.stop())
            self.loop.close()
            self.ends.close()

    async def _settled(self):
        """Waits until everything is delivered, also the messages of a crashed server."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while waiting(self.app.store):
                self.clock.advance(seconds=150)
                await self.app.worker.rescue()
                await self._delivered()

    async def _compare(self):
        self.slack.faults.clear()
        await self._settled()
        self._compare_times()
        assert await self.app.store.read(lambda reader: list(audit.findings(reader))) == []
        rows = tables.rows(
            self.app.store,
            "SELECT i.number, i.status, u.body, u.visibility FROM incident i "
            "JOIN incident_update u ON i.id = u.incident_id ORDER BY i.number, u.entry",
        )
        posts = self._posts("#status")
        assert len(posts) == len(self.incidents)
        # One subscribed channel has the same, the other a part of it, each from its start on.
        everything = self._posts(ALL)
        assert everything.keys() == posts.keys()
        for number, post in everything.items():
            assert (post.text, post.blocks) == (posts[number].text, posts[number].blocks)
            assert texts(post) == texts(posts[number])
        for number, post in self._posts(SOME).items():
            assert (post.text, post.blocks) == (posts[number].text, posts[number].blocks)
            told = iter(texts(posts[number]))
            assert all(text in told for text in texts(post))
        for number, model in enumerate(self.incidents, 1):
            mine = [row for row in rows if row[0] == number]
            assert {row[1] for row in mine} == {model.status}
            notes = [row[2] for row in mine if row[3] == "internal" and row[2]]
            assert notes == model.notes
            standing = [word for word, stands in model.public.items() if stands]
            shown = [reply.text.split()[-1] for reply in posts[number].replies]
            assert [text for text in shown if text.startswith("word")] == standing

    def _posts(self, channel):
        """The cards in a channel by the number of the incident: one of each."""
        shown = self.slack.channel_view(channel)
        posts = {int(post.text.split()[0].removeprefix("INC-")): post for post in shown}
        assert len(posts) == len(shown)
        return posts

    def _compare_times(self):
        """No text is in Slack before its time, nor after it was withdrawn in time."""
        for call in self.slack.calls:
            arguments = str(call.arguments) if call.method.startswith("chat.") else ""
            for word in {word for model in self.incidents for word in model.public}:
                if word in arguments:
                    public_at = self.written_at[word] + self.delay_seconds
                    assert call.at >= public_at
                    assert self.withdrawn_at.get(word, call.at) >= public_at


@contextmanager
def connections_refused(server, url):
    """PostgreSQL ends every connection to the database, and takes none."""
    name = url.partition("?")[0].rpartition("/")[2]
    server.run(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
    server.run(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'")
    try:
        yield
    finally:
        server.run(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")


@pytest.fixture
def away(kind, request):
    if kind == "sqlite":
        return file_away
    return partial(connections_refused, request.getfixturevalue("postgresql"))


FEW = settings(
    max_examples=4,
    stateful_step_count=15,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
# Without shrinking: a failure that took seconds to find would take hours to shrink.
MANY = settings(FEW, max_examples=100, stateful_step_count=40, phases=[Phase.reuse, Phase.generate])


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_store_and_channels_show_all_acts_in_any_order(kind, a_database, away):
    machine: Any = partial(Bot, kind, 10, a_database, away)

    run_state_machine_as_test(machine, settings=FEW)


@pytest.mark.torture
@pytest.mark.parametrize("delay_seconds", [0, 10])
@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_store_and_channels_show_all_acts_in_many_orders(kind, delay_seconds, a_database, away):
    machine: Any = partial(Bot, kind, delay_seconds, a_database, away)

    run_state_machine_as_test(machine, settings=MANY)
