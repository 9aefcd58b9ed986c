"""Properties of every lifecycle and every sequence of commands, tested by random search."""

import json
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise

from hypothesis import event, given
from hypothesis import strategies as st

from core.commands import (
    Acknowledge,
    Command,
    NameResolution,
    Redact,
    SetInvitation,
    SetPrivacy,
    TakeNextStep,
    Walk,
)
from core.decision import Decision, Surface
from core.errors import InvalidFile, UserError
from core.incident import TITLE_WITHDRAWN, Kind, Resolution, Severity, Visibility
from core.lifecycle import FLAGS, KEYS, PRESETS, PublicWord, read
from core.refusals import IncidentResolved, TransitionNotAllowed
from tests.builders import (
    ADA,
    GRACE,
    LINUS,
    NINE,
    STATUS_CHANNEL,
    a_change,
    a_component,
    a_declaration,
    a_workspace,
    an_actor,
    an_incident,
    decide,
    known,
)

WORDS = [word.value for word in PublicWord]
NAMES = ["open", "acknowledged", "fixing", "watching", "resolved", "closed", "s_7"]
LETTERS = set("abcdefghijklmnopqrstuvwxyz")


# --- lifecycles, and files that may hold some ------------------------------------------------


def written(document):
    """TOML with the tables of ``document`` in its order; keys and texts are quoted as in JSON."""
    return "\n".join(f"{quoted(key)} = {value_of(value)}" for key, value in document.items())


def quoted(text):
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def value_of(value):
    match value:
        case bool():
            return str(value).lower()
        case str():
            return quoted(value)
        case list():
            return f"[{', '.join(map(value_of, value))}]"
        case dict():
            pairs = (f"{quoted(key)} = {value_of(inner)}" for key, inner in value.items())
            return f"{{{', '.join(pairs)}}}"
        case _:
            return str(value)


@st.composite
def tables(draw):
    """A valid lifecycle: forwards along an order, backwards only from statuses that reopen."""
    order = draw(st.permutations(NAMES))[: draw(st.integers(1, len(NAMES)))]
    last = len(order) - 1
    terminal = {last} | draw(st.sets(st.integers(1, last))) if last else {0}
    going = [n for n in range(len(order)) if n not in terminal]
    steps = {n: draw(st.sets(st.integers(n + 1, last), min_size=1)) for n in going}
    for n in range(1, len(order)):
        steps[draw(st.sampled_from([before for before in going if before < n]))].add(n)
    rows = {}
    for n, status in enumerate(order):
        row = {"public": draw(st.sampled_from(WORDS))}
        if n == 0:
            row["initial"] = True
        if n in terminal:
            row["terminal"] = True
        else:
            if draw(st.booleans()):
                row["reopen"] = True
                steps[n] |= draw(st.sets(st.integers(0, n)))
            row["next"] = draw(st.permutations([order[step] for step in sorted(steps[n])]))
        rows[status] = row
    return {status: rows[status] for status in draw(st.permutations(order))}


lifecycles = st.sampled_from(PRESETS) | tables().map(lambda table: read(written({"t": table}))[0])

# Any value, in the place of the right one.
odd = st.booleans() | st.integers() | st.text(max_size=5) | st.lists(st.integers(), max_size=2)

rows = {
    "initial": st.booleans() | odd,
    "terminal": st.booleans() | odd,
    "reopen": st.booleans() | odd,
    "next": st.lists(st.sampled_from([*NAMES, "nowhere"]), max_size=3) | odd,
    "public": st.sampled_from(WORDS) | odd,
    "colour": odd,
}


@st.composite
def changed_graphs(draw):
    """A sound table with up to three flags or steps turned over: every row can still be read."""
    table = draw(tables())
    statuses = st.sampled_from(list(table))
    for _ in range(draw(st.integers(0, 3))):
        row = table[draw(statuses)]
        match draw(st.sampled_from([*FLAGS, "next", "next"])):
            case "next":
                step, steps = draw(statuses), row.get("next", [])
                row["next"] = [s for s in steps if s != step] + [step] * (step not in steps)
            case flag:
                row[flag] = not row.get(flag, False)
    return table


@st.composite
def changed_rows(draw):
    """A sound table with one key of one row left out, or set to an invalid value."""
    table = draw(tables())
    row = table[draw(st.sampled_from(list(table)))]
    key = draw(st.sampled_from(list(rows)))
    row.pop(key, None)
    if draw(st.booleans()):
        row[key] = draw(rows[key])
    return table


names = st.sampled_from([*NAMES, "Open", "", "two words", "1st", "é", "a" * 40, "a" * 41])
documents = st.dictionaries(
    st.sampled_from(["team", "other", "third", "Team", "a.b", ""]),
    tables()
    | changed_graphs()
    | changed_rows()
    | st.dictionaries(names, st.fixed_dictionaries({}, optional=rows) | odd, max_size=3)
    | odd,
    max_size=2,
)


# --- a checker that knows no better than to try everything -----------------------------------


def sound(document):
    return bool(document) and all(
        is_name(name) and isinstance(table, dict) and sound_table(table)
        for name, table in document.items()
    )


def is_name(name):
    rest = LETTERS | set("0123456789_")
    return 1 <= len(name) <= 40 and name[0] in LETTERS and set(name) <= rest


def sound_table(table):
    return (
        0 < len(table) <= 20
        and all(is_name(status) and sound_row(row, table) for status, row in table.items())
        and sound_graph(table)
    )


def sound_row(row, table):
    return (
        isinstance(row, dict)
        and set(row) <= KEYS
        and all(isinstance(row.get(flag, False), bool) for flag in FLAGS)
        and isinstance(row.get("next", []), list)
        and all(step in list(table) for step in row.get("next", []))
        and len(row.get("next", [])) == len(set(row.get("next", [])))
        and not (row.get("terminal") and row.get("next"))
        and row.get("public") in WORDS
    )


def sound_graph(table):
    initial = [status for status in table if table[status].get("initial")]
    terminal = [status for status in table if table[status].get("terminal")]
    steps = {(status, step) for status in table for step in table[status].get("next", [])}
    leads = closure(steps)
    forwards = closure({(a, b) for a, b in steps if not table[a].get("reopen")})
    return (
        len(initial) == 1
        and bool(terminal)
        and all(s in initial or (initial[0], s) in leads for s in table)
        and all(s in terminal or any((s, end) in leads for end in terminal) for s in table)
        and not any((s, s) in forwards for s in table)
    )


def closure(steps):
    """All pairs that are joined by one step or more."""
    joined = set(steps)
    while more := {(a, d) for a, b in joined for c, d in steps if b == c} - joined:
        joined |= more
    return joined


def shortest(lifecycle, start, to):
    """The number of steps from ``start`` to ``to``, at least one; 0 without a path."""
    here = {start}
    for length in range(1, len(lifecycle.statuses) + 1):
        here = {step for status in here for step in lifecycle.next_steps(status)}
        if to in here:
            return length
    return 0


# --- the reader ------------------------------------------------------------------------------


def tried(text):
    """The lifecycles of ``text`` and its problems. Any other error fails the test."""
    try:
        return read(text), ()
    except InvalidFile as error:
        return (), error.problems


@given(documents)
def test_a_file_is_read_exactly_if_exhaustive_search_finds_no_problem(document):
    found, problems = tried(written(document))

    event("refused" if problems else "read")
    assert bool(problems) != sound(document)
    assert [lifecycle.name for lifecycle in found] == ([] if problems else list(document))


@given(changed_graphs())
def test_a_graph_is_accepted_exactly_if_exhaustive_search_finds_no_problem(table):
    _, problems = tried(written({"team": table}))

    event("refused" if problems else "read")
    assert bool(problems) != sound({"team": table})


@given(tables())
def test_a_lifecycle_that_keeps_the_rules_is_read_as_it_was_written(table):
    (lifecycle,) = read(written({"team": table}))

    assert [status.name for status in lifecycle.statuses] == list(table)
    for status in lifecycle.statuses:
        row = table[status.name]
        assert list(status.next_steps) == row.get("next", [])
        assert status.public_word == row["public"]
        assert [getattr(status, flag) for flag in FLAGS] == [row.get(f, False) for f in FLAGS]


@given(lifecycles)
def test_every_lifecycle_written_out_reads_back_as_itself(lifecycle):
    assert read(lifecycle.as_toml()) == (lifecycle,)


@given(lifecycles)
def test_every_arrow_of_the_table_is_drawn_once(lifecycle):
    arrows = [line.strip() for line in lifecycle.draw().splitlines()[2:]]

    assert sorted(arrows) == sorted(
        [f"[*] --> {lifecycle.initial}"]
        + [f"{s.name} --> {step}" for s in lifecycle.statuses for step in s.next_steps]
        + [f"{s.name} --> [*]" for s in lifecycle.statuses if s.terminal]
    )


@given(st.text() | st.text(alphabet="[]{}=\"'.,\\#\n\r abetuflsrnx0123456789-:TZ+_\x00\ud800"))
def test_no_text_brings_the_reader_down(text):
    found, problems = tried(text)

    assert bool(found) != bool(problems)


simple = (
    st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=9)
    | st.datetimes()
    | st.dates()
    | st.times()
)
values = st.recursive(
    simple,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(), inner, max_size=2),
    max_leaves=4,
)


@given(st.dictionaries(st.text(), values, max_size=3))
def test_no_toml_document_brings_the_reader_down(document):
    found, problems = tried(written(document))

    assert (found, bool(problems)) == ((), True)


# --- moves -----------------------------------------------------------------------------------


def decided(incident, command, what, at=NINE):
    """The decision on the command, or its refusal."""
    try:
        return decide(incident, command, what, at=at)
    except UserError as refused:
        return refused


@given(lifecycles)
def test_next_steps_decide_and_path_agree_with_trying_everything(lifecycle):
    statuses = [status.name for status in lifecycle.statuses]

    for start in statuses:
        incident = an_incident(lifecycle=lifecycle, status=start)
        for to in statuses:
            length = shortest(lifecycle, start, to)
            path = lifecycle.path(start, to)

            assert len(path) == length
            assert path[-1:] == ((to,) if length else ())
            assert all(b in lifecycle.next_steps(a) for a, b in pairwise((start, *path)))
            match decided(incident, a_change(to=to), known()):
                case Decision(incident=after):
                    assert (after.status, length) == (to, 1)
                    assert to in incident.next_steps
                case TransitionNotAllowed() as refused:
                    assert length != 1
                    assert not incident.terminal
                    assert (refused.path, refused.next_steps) == (path, incident.next_steps)
                case refused:
                    assert isinstance(refused, IncidentResolved)
                    assert incident.terminal
                    assert length == 0


@given(lifecycles)
def test_from_every_status_there_is_a_way_to_the_end(lifecycle):
    ends = [status.name for status in lifecycle.statuses if status.terminal]

    for status in lifecycle.statuses:
        assert status.terminal or any(lifecycle.path(status.name, end) for end in ends)


# --- sequences of commands -------------------------------------------------------------------

people = st.sampled_from([ADA, GRACE, LINUS])
actors = st.builds(an_actor, people, admin=st.booleans())
bodies = st.sampled_from([None, None, None, "db-3 lost quorum", "We are on it.", " ", "x" * 2_001])


def commands(incident):
    """Commands about ``incident``; about half of them are valid."""
    statuses = [status.name for status in incident.lifecycle.statuses]
    steps = st.sampled_from([None, *incident.next_steps, *incident.next_steps, *statuses, "x"])
    drawn_for = st.sampled_from([None, None, incident.status, *statuses])
    return st.one_of(
        st.builds(a_change, actor=actors, to=steps, note=bodies),
        st.builds(
            a_change,
            actor=actors,
            to=steps,
            public=bodies,
            note=bodies,
            owner=st.none() | people,
            severity=st.none() | st.sampled_from(Severity),
            title=st.sampled_from([None, "Checkout is down", "Search is down", ""]),
            components=st.sampled_from(
                [None, (), ("api",), ("API", "web"), ("+apis", "+APIS"), ("apii",)]
            ),
            expected_status=drawn_for,
        ),
        st.builds(
            TakeNextStep, actor=actors, ref=st.just(42), note=bodies, expected_status=drawn_for
        ),
        st.builds(Acknowledge, actor=actors, ref=st.just(42), expected_status=drawn_for),
        st.builds(
            Walk,
            actor=actors,
            ref=st.just(42),
            to=st.sampled_from([*statuses, "x"]),
            reason=bodies.map(lambda body: body or "over"),
            public=bodies,
            expected_status=drawn_for,
        ),
        st.builds(SetPrivacy, actor=actors, ref=st.just(42), private=st.booleans()),
        st.builds(
            SetInvitation, actor=actors, ref=st.just(42), person=people, invited=st.booleans()
        ),
        st.builds(NameResolution, actor=actors, ref=st.just(42), how=st.sampled_from(Resolution)),
        st.builds(
            Redact,
            actor=actors,
            ref=st.just(42),
            entry=st.integers(1, incident.last_entry + 1),
        ),
    )


class Life:
    """One incident by the rules, without a store, with the rows that a store would keep."""

    def __init__(self, lifecycle, *, private, status_channel, delay_seconds):
        self.delay = timedelta(seconds=delay_seconds)
        self.titles = []  # each public title with the moment of the look
        self.workspace = a_workspace(status_channel=status_channel)
        self.components = (a_component("api"),)
        self.at = NINE
        declaration = a_declaration(
            lifecycle=lifecycle, private=private, description="ACME called", category="acme"
        )
        facts = known(workspace=self.workspace, publish_delay=self.delay)
        declared = decide(None, declaration, facts, at=NINE)
        self.incident, self.timeline = declared.incident, declared.updates

    def known(self, command):
        entry = command.entry if isinstance(command, Redact) else None
        return known(
            workspace=self.workspace,
            publish_delay=self.delay,
            titles=tuple(one for one in self.timeline if one.kind is Kind.TITLE),
            components=self.components,
            entry=next((update for update in self.timeline if update.entry == entry), None),
            moved=[update for update in self.timeline if update.status_change][-1],
        )

    def keep(self, decision):
        self.incident = decision.incident
        self.components += decision.new_components
        erased = {one.id: one for one in (*decision.erased, decision.redacted) if one}
        self.timeline = (*(erased.get(u.id, u) for u in self.timeline), *decision.updates)


@given(
    st.data(),
    st.builds(
        Life,
        lifecycles,
        private=st.booleans(),
        status_channel=st.sampled_from([STATUS_CHANNEL, STATUS_CHANNEL, None]),
        delay_seconds=st.sampled_from([0, 10, 300]),
    ),
    st.lists(st.integers(0, 400), min_size=1, max_size=12),
)
def test_no_sequence_of_commands_leaves_the_table(data, life, pauses_seconds):
    for pause_seconds in pauses_seconds:
        life.at += timedelta(seconds=pause_seconds)
        command = data.draw(commands(life.incident))
        given_in = (life.incident, command, life.known(command))
        as_it_was = repr(given_in)

        decision = decided(*given_in, at=life.at)

        assert repr(given_in) == as_it_was, "what goes in is never changed"
        if isinstance(decision, Decision):
            event(f"{type(command).__name__} {'did' if decision.changes_anything else 'nothing'}")
            check(life, decision)
            life.keep(decision)
        else:
            event(type(decision).__name__)

    moves = [update.status_change for update in life.timeline if update.status_change]
    entries = [update.entry for update in life.timeline]
    folded = [component.name.casefold() for component in life.components]
    assert (moves[0], moves[-1]) == (life.incident.lifecycle.initial, life.incident.status)
    assert all(b in life.incident.lifecycle.next_steps(a) for a, b in pairwise(moves))
    assert entries == list(range(1, life.incident.last_entry + 1))
    assert len({update.id for update in life.timeline}) == len(entries)
    assert len(set(folded)) == len(folded)


def check(life, decision):
    """The properties of every decision."""
    before, after = life.incident, decision.incident
    if not decision.changes_anything:
        assert decision == Decision(incident=before)
        return
    moves = [update.status_change for update in decision.updates if update.status_change]
    seen = [u.status_change for u in decision.updates if u.status_change and not u.passed]
    first = before.last_entry + 1
    assert (after.version, after.updated_at) == (before.version + 1, life.at)
    assert [u.entry for u in decision.updates] == list(range(first, after.last_entry + 1))
    assert seen in ([], [after.status])
    assert moves[-1:] == seen
    assert all(b in before.lifecycle.next_steps(a) for a, b in pairwise([before.status, *moves]))
    assert bool(decision.updates) != bool(decision.redacted)
    if before.terminal:
        assert {update.kind for update in decision.updates} <= LASTING
    if (before.private and after.private) or life.workspace.status_channel is None:
        assert all(update.visibility is Visibility.INTERNAL for update in decision.updates)
        assert all(envelope.channel != STATUS_CHANNEL for envelope in decision.envelopes)
    check_readers(before, after)
    check_hold(life, after, decision)
    if decision.redacted:
        texts = ("title", "title_public_at", "title_before", "description", "category")
        moved = {"version": before.version, "updated_at": before.updated_at}
        assert replace(after, **moved, **{name: getattr(before, name) for name in texts}) == before
        assert decision.redacted.body is None


LASTING = {Kind.PRIVACY, Kind.INVITED, Kind.UNINVITED, Kind.RESOLUTION}


def check_readers(before, after):
    """Everybody who was invited has a card, and nobody who may not see it."""
    if after.private:
        readers = [after.declared_by, after.owner, *after.invited]
        assert {one for one in readers if one} >= set(after.card_people)
        assert set(after.invited) <= set(after.card_people)
    else:
        assert set(after.card_people) <= (set() if after.place else {after.declared_by})
    if after.private and not before.private:
        assert after.public_title(after.updated_at) is None


def check_hold(life, after, decision):
    """What becomes public by a person's words is nowhere before its hold ends."""
    public = after.public_title(life.at)
    if not after.private and public != life.incident.public_title(life.at) and life.delay:
        # Only a withdrawal may change the public title at once.
        assert public is None or public == TITLE_WITHDRAWN or life.incident.private is False
        assert public != after.title or life.incident.title == after.title or decision.redacted
    for envelope in decision.envelopes:
        if envelope.surface is Surface.STATUS_CARD:
            assert envelope.not_before == after.title_public_at
    for update in decision.updates:
        if update.visibility is Visibility.PUBLIC:
            assert update.public_at == (life.at + life.delay if life.delay else None)


@given(
    st.lists(
        st.tuples(st.sampled_from(["Down", "Slow", "ACME is down", None]), st.integers(0, 15)),
        min_size=1,
        max_size=8,
    )
)
def test_a_title_is_public_only_if_it_stood_for_its_whole_hold(changes):
    """None takes the newest title back; the model is the list of titles with their times."""
    life = Life(PRESETS[0], private=False, status_channel=STATUS_CHANNEL, delay_seconds=10)
    stood = [("Checkout is down", life.at)]  # each title that replaced the one before
    for title, seconds in changes:
        life.at += timedelta(seconds=seconds)
        newest = [one for one in life.timeline if one.kind is Kind.TITLE][-1:]
        command: Command
        if title is not None:
            command = a_change(title=title)
        elif newest:
            command = Redact(actor=an_actor(), ref=42, entry=newest[0].entry)
        else:
            continue
        before = life.incident.title
        decision = decided(life.incident, command, life.known(command), at=life.at)
        if isinstance(decision, Decision) and decision.changes_anything:
            life.keep(decision)
        if life.incident.title != before:
            stood.append((life.incident.title, life.at))
        shown = life.incident.public_title(life.at)
        ended = [*(at for _, at in stood[1:]), life.at]
        long_enough = {
            text
            for (text, since), until in zip(stood, ended, strict=True)
            if until - since >= timedelta(seconds=10)
        }
        assert shown is None or shown in long_enough | {TITLE_WITHDRAWN}
