"""Reports and statistics on both databases, held against other code that computes the same."""

from __future__ import annotations

import asyncio
import json
import random
import sqlite3
import tomllib
from contextlib import closing
from datetime import UTC, datetime, timedelta
from itertools import count

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.export import archive
from core.commands import (
    Acknowledge,
    NameResolution,
    Redact,
    SetPrivacy,
    SetPromise,
    Walk,
    WriteReport,
)
from core.errors import UserError
from core.incident import Note, PublicText, Resolution, Section, Severity
from core.lifecycle import PRESETS
from core.promise import NextUpdate
from core.service import Incidents
from tests.builders import (
    ADA,
    GRACE,
    WORKSPACE,
    a_change,
    a_declaration,
    an_actor,
    an_id,
)
from tests.clock import Clock

DELAY = timedelta(seconds=10)
PERIOD = timedelta(days=30)


# --- statistics, recounted from the export with plain SQL ---------------------------------------


def an_act(chance, number, actor):
    """A random command about one incident."""
    steps = [status.name for lifecycle in PRESETS for status in lifecycle.statuses]
    text = f"text {chance.random()}"
    acts = [
        Acknowledge(actor=actor, ref=number),
        a_change(actor=actor, ref=number, to=chance.choice(steps)),
        a_change(actor=actor, ref=number, to=chance.choice(steps), public=PublicText(text)),
        a_change(actor=actor, ref=number, public=PublicText(text)),
        a_change(actor=actor, ref=number, note=Note(text)),
        a_change(actor=actor, ref=number, severity=chance.choice(list(Severity))),
        a_change(actor=actor, ref=number, components=chance.sample(["api", "web", "Mail"], 2)),
        Walk(actor=actor, ref=number, to="resolved", reason=Note(text)),
        NameResolution(actor=actor, ref=number, how=chance.choice(list(Resolution)[:3])),
        Redact(actor=actor, ref=number, entry=chance.randint(2, 6)),
    ]
    return chance.choice(acts)


async def months(incidents, clock, chance):
    """Random incidents of three months, some of them private."""
    admin = an_actor(ADA, admin=True)
    for number in range(1, 41):
        clock.advance(hours=chance.randint(1, 100))
        back = timedelta(minutes=chance.choice([0, 0, 30]))
        await incidents.execute(
            a_declaration(
                actor=admin,
                id=an_id(number),
                private=chance.random() < 0.2,
                severity=chance.choice(list(Severity)),
                lifecycle=chance.choice(PRESETS),
                components=tuple(chance.sample(["api", "web", "Mail"], chance.randint(0, 2))),
                started_at=clock() - back,
            )
        )
        for _ in range(8):
            clock.advance(seconds=chance.choice([3, 60, 600, 5_000]))
            try:
                await incidents.execute(an_act(chance, number, admin))
            except UserError:
                continue
    await incidents.execute(SetPrivacy(actor=admin, ref=40, private=True))


def micros(text):
    if text is None:
        return None
    moment = datetime.fromisoformat(text)
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


def loaded(lines):
    """The archive in tables of a database of its own."""
    db = sqlite3.connect(":memory:")
    db.executescript(
        """
        CREATE TABLE word (lifecycle, status, word);
        CREATE TABLE incident (id, number, severity, private, started, created, how, lifecycle);
        CREATE TABLE tag (incident, component);
        CREATE TABLE entry (incident, entry, kind, visibility, at, new, public_at, redacted_at,
                            passed);
        """
    )
    for line in map(json.loads, lines):
        match line["type"]:
            case "lifecycle":
                (table,) = tomllib.loads(line["definition"]).values()
                for status, row in table.items():
                    words = (line["digest"], status, row["public"])
                    db.execute("INSERT INTO word VALUES (?, ?, ?)", words)
            case "incident":
                how = line["resolution"] and line["resolution"]["how"]
                values = ("id", "number", "severity", "private")
                facts = [line[name] for name in values]
                facts += [micros(line[name]) for name in ("started_at", "created_at")]
                facts += [how, line["lifecycle"]]
                db.execute("INSERT INTO incident VALUES (?, ?, ?, ?, ?, ?, ?, ?)", facts)
                for component in line["components"]:
                    db.execute("INSERT INTO tag VALUES (?, ?)", (line["id"], component["name"]))
            case "update":
                facts = [line[name] for name in ("incident", "entry", "kind", "visibility")]
                facts += [micros(line["at"]), line["new"]]
                facts += [micros(line[name]) for name in ("public_at", "redacted_at")]
                facts += [line["passed"]]
                db.execute("INSERT INTO entry VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", facts)
    return db


TIMES = """
WITH move AS (
    SELECT e.incident, e.entry, e.at, w.word,
           LAG(w.word) OVER (PARTITION BY e.incident ORDER BY e.entry) AS before
    FROM entry e JOIN incident i ON i.id = e.incident
    JOIN word w ON w.lifecycle = i.lifecycle AND w.status = e.new
    WHERE e.kind IN ('declared', 'moved', 'acknowledged') AND e.new IS NOT NULL
      AND NOT e.passed
), spoken AS (
    SELECT incident, COALESCE(public_at, at) AS at FROM entry
    WHERE visibility = 'public'
      AND (redacted_at IS NULL OR public_at IS NULL OR redacted_at >= public_at)
), measured AS (
    SELECT i.*,
           (SELECT MIN(at) FROM entry e WHERE e.incident = i.id AND kind = 'acknowledged')
               - created AS to_acknowledge,
           (SELECT MIN(at) FROM move m WHERE m.incident = i.id AND word = 'resolved') AS ended,
           CASE WHEN NOT private THEN
               (SELECT MIN(at) FROM spoken s WHERE s.incident = i.id AND at <= :now) - started
           END AS to_public_text
    FROM incident i WHERE COALESCE(how, '') NOT IN ('false_alarm', 'duplicate')
), point AS (
    SELECT id, created AS at FROM measured WHERE NOT private
    UNION ALL SELECT id, COALESCE(ended, :now) FROM measured WHERE NOT private
    UNION ALL SELECT id, s.at FROM measured JOIN spoken s ON s.incident = id
        WHERE NOT private AND s.at < COALESCE(ended, :now)
    UNION ALL SELECT id, m.at FROM measured JOIN move m ON m.incident = id
        WHERE NOT private AND m.at < COALESCE(ended, :now) AND m.word IS NOT m.before
), gap AS (
    SELECT id, at - LAG(at) OVER (PARTITION BY id ORDER BY at) AS span FROM point
)
SELECT i.id, i.number, m.to_acknowledge, m.to_public_text, m.ended - m.started AS to_resolve,
       (SELECT MAX(span) FROM gap WHERE gap.id = i.id) AS silence
FROM incident i LEFT JOIN measured m ON m.id = i.id
"""
SPREAD = """
WITH sorted AS (
    SELECT {column} AS x, ROW_NUMBER() OVER (ORDER BY {column}) AS n, COUNT(*) OVER () AS total
    FROM time JOIN chosen USING (id) WHERE {column} IS NOT NULL
)
SELECT COUNT(*), AVG(CASE WHEN n IN ((total + 1) / 2, total / 2 + 1) THEN x END),
       MIN(CASE WHEN n * 10 >= total * 9 THEN x END)
FROM sorted
"""
CHOSEN = """
CREATE TEMP TABLE chosen AS SELECT id FROM incident
WHERE created >= :since AND created < :until AND (:sees OR NOT private)
  AND (:severity IS NULL OR severity = :severity)
  AND (:component IS NULL OR id IN (SELECT incident FROM tag WHERE component = :component))
"""


def span(value):
    return None if value is None else timedelta(microseconds=round(value))


def recounted(db, **chosen):
    """The figures of one group in one period."""
    db.execute(CHOSEN, {"severity": None, "component": None, **chosen})
    try:
        (number,) = db.execute("SELECT COUNT(*) FROM chosen").fetchone()
        kinds = dict(
            db.execute("SELECT how, COUNT(*) FROM incident JOIN chosen USING (id) GROUP BY how")
        )
        spreads = []
        for column in ("to_acknowledge", "to_public_text", "to_resolve"):
            counted, median, p90 = db.execute(SPREAD.format(column=column)).fetchone()
            spreads.append((counted, span(median), span(p90)))
        longest = db.execute(
            "SELECT silence, number FROM time JOIN chosen USING (id) WHERE silence IS NOT NULL "
            "ORDER BY silence DESC, number LIMIT 1"
        ).fetchone()
    finally:
        db.execute("DROP TABLE chosen")
    silence = longest and (span(longest[0]), longest[1])
    return number, kinds.get("false_alarm", 0), kinds.get("duplicate", 0), *spreads, silence


def told(figures):
    spreads = (figures.to_acknowledge, figures.to_public_text, figures.to_resolve)
    return (
        figures.incidents,
        figures.false_alarms,
        figures.duplicates,
        *((one.count, one.median, one.p90) for one in spreads),
        figures.silence and (figures.silence.span, figures.silence.number),
    )


def differences(statistics, db, *, sees):
    """The groups whose figures differ from the recount, in either period."""
    groups = [({}, statistics.whole)]
    groups += [({"severity": one.value}, compared) for one, compared in statistics.severities]
    groups += [({"component": one.name}, compared) for one, compared in statistics.components]
    periods = {
        "now": (statistics.since, statistics.until),
        "before": (statistics.before, statistics.since),
    }
    for group, compared in groups:
        for name, (since, until) in periods.items():
            bounds = {
                "since": micros(since.isoformat()),
                "until": micros(until.isoformat()),
                "sees": sees,
            }
            expected = recounted(db, **bounds, **group)
            if told(getattr(compared, name)) != expected:
                yield group, name, told(getattr(compared, name)), expected


@pytest.mark.parametrize("seed", [1, 2])
async def test_statistics_are_those_of_a_recount_of_the_export(store, clock, seed):
    incidents = Incidents(store, clock=clock, wake=lambda: None, publish_delay=DELAY)
    await months(incidents, clock, random.Random(seed))
    clock.advance(seconds=5)

    with closing(loaded(archive(store, public=False, workspace=WORKSPACE, at=clock()))) as db:
        now = {"now": micros(clock().isoformat())}
        db.execute(f"CREATE TEMP TABLE time AS {TIMES.replace(':now', str(now['now']))}")
        for actor, sees in ((an_actor(ADA, admin=True), True), (an_actor(GRACE), False)):
            statistics = await incidents.statistics(actor, period=PERIOD)

            assert list(differences(statistics, db, sees=sees)) == []
            assert statistics.whole.now.to_resolve.count > 3
            assert statistics.whole.before.incidents > 3
            assert statistics.whole.now.silence


# --- the public report ---------------------------------------------------------------------------

words = st.text(min_size=1, max_size=20).map(lambda text: f"{text.encode(errors='ignore')!r}.")
PRIVATE = ["note", "with a step", "section", "ack", "resolution", "withdraw", "owner"]
PUBLIC = ["public", "step", "title", "severity", "promise", "release"]
acts = st.tuples(st.sampled_from([*PRIVATE, *PUBLIC]), words, words)


def commands(  # noqa: C901, PLR0911, PLR0912 - one case for each kind of act
    act, text, actor
):
    """The command of an act; a private one has ``text``, or is left out if that is None."""
    kind, public, _ = act
    here = {"actor": actor, "ref": 1}
    match kind:
        case "public":
            return a_change(**here, public=PublicText(public), confirmed=True)
        case "title":
            return a_change(**here, title=public, confirmed=True)
        case "severity":
            return a_change(**here, severity=list(Severity)[len(public) % 4])
        case "step":
            return a_change(**here, to="identified")
        case "promise":
            within = timedelta(minutes=1 + len(public) % 9)
            return SetPromise(**here, next_update=NextUpdate(within=within))
        case "release":
            return SetPromise(**here, reason=None if text is None else Note(text))
        case "with a step":
            return a_change(**here, to="monitoring", note=None if text is None else Note(text))
        case _ if text is None:
            return None
        case "note":
            return a_change(**here, note=Note(text))
        case "section":
            return WriteReport(**here, seen=99, cause=Note(text))
        case "ack":
            return Acknowledge(**here)
        case "resolution":
            return NameResolution(**here, how=list(Resolution)[len(text) % 3])
        case "withdraw":
            return Redact(**here, entry=Section.CAUSE)
        case _:
            return a_change(**here, owner=GRACE if len(text) % 2 else ADA)


async def public_report(store, workspace, history, private):
    """The public report after ``history``; ``private`` gives each act its private text, or None."""
    clock = Clock()
    incidents = Incidents(store, clock=clock, wake=lambda: None, publish_delay=DELAY)
    actor = an_actor(ADA, workspace=workspace)
    description = private(("", "", "since the release"))
    await incidents.execute(
        a_declaration(actor=actor, id=an_id(workspace), description=description)
    )
    for act in history:
        clock.advance(seconds=97)
        if command := commands(act, private(act), actor):
            try:
                await incidents.execute(command)
            except UserError:
                continue
    clock.advance(hours=1)
    return await incidents.public_report(actor, 1)


def test_the_public_report_is_the_same_for_all_private_texts(store):
    numbers = count(1)

    @settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(st.lists(acts, max_size=8))
    def same(history):
        told = [
            asyncio.run(public_report(store, f"T{next(numbers)}", history, private))
            for private in (
                lambda act: act[2],
                lambda act: f"# {act[2]} <!channel>\n\n- quorum {act[1]}",
                lambda _: None,
            )
        ]

        assert told[0] == told[1] == told[2]

    same()


async def test_the_public_report_says_how_each_promise_ended(store, clock):
    incidents = Incidents(store, clock=clock, wake=lambda: None)
    in_ten_minutes = NextUpdate(within=timedelta(minutes=10))
    promised = SetPromise(actor=an_actor(), ref=1, next_update=in_ten_minutes)
    await incidents.execute(a_declaration())
    await incidents.execute(promised)
    clock.advance(minutes=5)
    await incidents.execute(a_change(ref=1, public=PublicText("We are looking.")))
    await incidents.execute(promised)
    clock.advance(minutes=22)
    await incidents.execute(a_change(ref=1, public=PublicText("A fix is out.")))
    await incidents.execute(promised)
    await incidents.execute(SetPromise(actor=an_actor(), ref=1, reason=Note("db-3 lost quorum")))

    told = await incidents.public_report(an_actor(), 1)

    assert told.partition("## Promises of the next update\n\n")[2] == (
        "- By **2026-03-02 09:10 UTC**: kept\n"
        "- By **2026-03-02 09:15 UTC**: kept late, after 12 min\n"
        "- By **2026-03-02 09:37 UTC**: released\n"
    )


async def test_the_public_report_has_no_promise_that_only_responders_read(store, clock):
    incidents = Incidents(store, clock=clock, wake=lambda: None)
    within = NextUpdate(within=timedelta(minutes=10))
    await incidents.execute(a_declaration(private=True))
    await incidents.execute(SetPromise(actor=an_actor(admin=True), ref=1, next_update=within))
    clock.advance(minutes=30)
    await incidents.execute(SetPrivacy(actor=an_actor(admin=True), ref=1, private=False))

    assert "Promises" not in await incidents.public_report(an_actor(), 1)
