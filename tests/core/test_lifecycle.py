"""Lifecycles: the presets are the product's tables, and each problem of a file is named."""

import pytest

from core.errors import InvalidFile, UnknownLifecycle
from core.lifecycle import (
    NAME_RULE,
    PRESETS,
    PRESETS_TOML,
    RESPONSE,
    STATUSPAGE,
    Catalogue,
    Lifecycle,
    PublicWord,
    Status,
    read,
)

WORDS = "investigating, identified, monitoring, resolved"

# A lifecycle that wants nothing; the cases below spoil a copy of it.
TEAM = """\
[team.open]
initial = true
next = ["done"]
public = "investigating"

[team.done]
terminal = true
public = "resolved"
"""


def problems(text, **taken):
    with pytest.raises(InvalidFile) as caught:
        read(text, **taken)
    assert str(caught.value) == "; ".join(map(str, caught.value.problems))
    return [str(problem) for problem in caught.value.problems]


# --- the presets -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("lifecycle", "name", "table"),
    [
        (
            STATUSPAGE,
            "statuspage",
            {
                "investigating": (("identified",), "investigating"),
                "identified": (("monitoring",), "identified"),
                "monitoring": (("resolved",), "monitoring"),
                "resolved": ((), "resolved"),
            },
        ),
        (
            RESPONSE,
            "response",
            {
                "open": (("acknowledged", "resolved"), "investigating"),
                "acknowledged": (("resolved", "closed"), "identified"),
                "resolved": (("closed",), "resolved"),
                "closed": ((), "resolved"),
            },
        ),
    ],
    ids=["statuspage", "response"],
)
def test_a_preset_is_the_table_that_the_product_promises(lifecycle, name, table):
    statuses = [status.name for status in lifecycle.statuses]

    assert lifecycle.name == name
    assert {s: (lifecycle.next_steps(s), lifecycle.public_word(s)) for s in statuses} == table
    assert lifecycle.initial == statuses[0] == next(iter(table))
    assert [s for s in statuses if lifecycle.is_terminal(s)] == [statuses[-1]]
    assert not any(status.reopen for status in lifecycle.statuses)


def test_the_presets_are_written_in_the_format_of_a_teams_own_file_and_pass_its_check():
    assert read(PRESETS_TOML) == PRESETS == (STATUSPAGE, RESPONSE)


# --- reading ---------------------------------------------------------------------------------


def test_a_file_is_read_in_its_order_with_all_that_it_says():
    text = """
        [b.new]
        initial = true
        next = ["fixing", "ignored"]
        public = "investigating"
        [b.ignored]
        terminal = true
        next = []
        public = "resolved"
        [b.fixing]
        reopen = true
        next = ["new", "ignored"]
        public = "monitoring"
        [a.only]
        initial = true
        terminal = true
        public = "resolved"
    """

    assert read(text) == (
        Lifecycle(
            "b",
            (
                Status(
                    name="new",
                    next_steps=("fixing", "ignored"),
                    public_word=PublicWord.INVESTIGATING,
                    initial=True,
                ),
                Status(
                    name="ignored", next_steps=(), public_word=PublicWord.RESOLVED, terminal=True
                ),
                Status(
                    name="fixing",
                    next_steps=("new", "ignored"),
                    public_word=PublicWord.MONITORING,
                    reopen=True,
                ),
            ),
        ),
        Lifecycle(
            "a",
            (
                Status(
                    name="only",
                    next_steps=(),
                    public_word=PublicWord.RESOLVED,
                    initial=True,
                    terminal=True,
                ),
            ),
        ),
    )


@pytest.mark.parametrize(
    ("lifecycle", "start", "to", "path"),
    [
        (STATUSPAGE, "investigating", "resolved", ("identified", "monitoring", "resolved")),
        (STATUSPAGE, "identified", "monitoring", ("monitoring",)),
        (STATUSPAGE, "monitoring", "investigating", ()),
        (STATUSPAGE, "resolved", "resolved", ()),
        (RESPONSE, "open", "closed", ("acknowledged", "closed")),
        (RESPONSE, "open", "open", ()),
    ],
)
def test_the_path_is_the_shortest_legal_one_or_empty(lifecycle, start, to, path):
    assert lifecycle.path(start, to) == path


def test_the_path_may_lead_back_if_a_status_reopens():
    (lifecycle,) = read(TEAM.replace('next = ["done"]', 'next = ["done", "open"]\nreopen = true'))

    assert lifecycle.path("open", "open") == ("open",)


@pytest.mark.parametrize("lifecycle", PRESETS, ids=lambda lifecycle: lifecycle.name)
def test_a_lifecycle_written_out_reads_back_as_itself(lifecycle):
    assert read(lifecycle.as_toml()) == (lifecycle,)


def test_a_lifecycle_is_written_out_as_a_person_would_write_it():
    (lifecycle,) = read(TEAM)

    assert lifecycle.as_toml() == TEAM


def test_a_lifecycle_is_drawn_as_a_state_diagram():
    assert RESPONSE.draw() == (
        "stateDiagram-v2\n"
        "    direction LR\n"
        "    [*] --> open\n"
        "    open --> acknowledged\n"
        "    open --> resolved\n"
        "    acknowledged --> resolved\n"
        "    acknowledged --> closed\n"
        "    resolved --> closed\n"
        "    closed --> [*]"
    )


# --- problems ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "named"),
    [
        pytest.param("", ["the file holds no lifecycle: write [name.status] tables"], id="empty"),
        pytest.param("team = 1", ["team has no statuses: write [team.status] tables"], id="scalar"),
        pytest.param(
            "[team]", ["team has no statuses: write [team.status] tables"], id="no status"
        ),
        pytest.param(
            TEAM.replace("[team.", "[Team."),
            [f"Team is no name for a lifecycle: {NAME_RULE}"],
            id="name of a lifecycle",
        ),
        pytest.param(
            TEAM.replace("[team.done]", '[team."all done"]').replace('"done"', '"all done"'),
            [f"team.all done is no name for a status: {NAME_RULE}"],
            id="name of a status",
        ),
        pytest.param(
            TEAM.replace("done", "d" * 41),
            [f"team.{'d' * 41} is no name for a status: {NAME_RULE}"],
            id="name too long",
        ),
        pytest.param(
            "[team]\nsoon = 1\n" + TEAM,
            ["team.soon is not a table: write [team.soon]"],
            id="status that is no table",
        ),
        pytest.param(
            TEAM + 'pubic = "resolved"',
            ['team.done.pubic is not known: did you mean "public"?'],
            id="slip of a key",
        ),
        pytest.param(TEAM + "x = 1", ["team.done.x is not known"], id="unknown key"),
        pytest.param(
            TEAM.replace("initial = true", "initial = 1"),
            ["team.open.initial must be true or false"],
            id="flag",
        ),
        pytest.param(
            TEAM.replace('["done"]', '"done"'),
            ['team.open.next must be a list of statuses, such as ["resolved"]'],
            id="next that is no list",
        ),
        pytest.param(
            TEAM.replace('["done"]', '["done", 1]'),
            ['team.open.next must be a list of statuses, such as ["resolved"]'],
            id="next that is no status",
        ),
        pytest.param(
            TEAM.replace('["done"]', '["don"]'),
            ['team.open.next names an unknown status "don": did you mean "done"?'],
            id="slip of a target",
        ),
        pytest.param(
            TEAM.replace('["done"]', '["done", "gone away"]'),
            ['team.open.next names an unknown status "gone away"'],
            id="unknown target",
        ),
        pytest.param(
            TEAM.replace('["done"]', '["done", "done"]'),
            ['team.open.next names "done" more than once'],
            id="target twice",
        ),
        pytest.param(
            TEAM + 'next = ["open"]',
            ["team.done.next must be left out: a terminal status has no next steps"],
            id="terminal with next steps",
        ),
        pytest.param(
            TEAM.replace('public = "resolved"\n', ""),
            [f"team.done has no public word: write public = one of {WORDS}"],
            id="no public word",
        ),
        pytest.param(
            TEAM.replace('"resolved"', '"fixed"'),
            [f"team.done.public must be one of {WORDS}"],
            id="unknown public word",
        ),
        pytest.param(
            TEAM.replace('public = "resolved"', "public = []"),
            [f"team.done.public must be one of {WORDS}"],
            id="public word of another type",
        ),
        pytest.param(
            TEAM.replace("initial = true\n", ""),
            ["team has no initial status: write initial = true in one"],
            id="no initial",
        ),
        pytest.param(
            TEAM + "initial = true",
            ["team has 2 initial statuses (open, done): keep one"],
            id="two initials",
        ),
        pytest.param(
            TEAM.replace("terminal = true\n", ""),
            ["team has no terminal status: write terminal = true in one"],
            id="no terminal",
        ),
        pytest.param(
            TEAM + '[team.lost]\nnext = ["done"]\npublic = "identified"',
            ["team.lost cannot be reached from open"],
            id="cannot be reached",
        ),
        pytest.param(
            TEAM.replace('["done"]', '["done", "stuck"]') + '[team.stuck]\npublic = "identified"',
            ["team.stuck leads to no terminal status: an incident would never end"],
            id="no way to the end",
        ),
        pytest.param(
            TEAM.replace('["done"]', '["done", "back"]')
            + '[team.back]\nnext = ["open"]\npublic = "identified"',
            [
                "team.open leads back to itself: write reopen = true where that is meant",
                "team.back leads back to itself: write reopen = true where that is meant",
            ],
            id="cycle",
        ),
        pytest.param(
            TEAM.replace('["done"]', '["done", "open"]'),
            ["team.open leads back to itself: write reopen = true where that is meant"],
            id="the same status again",
        ),
    ],
)
def test_a_fault_is_named_with_its_place(text, named):
    assert problems(text) == named


def test_all_faults_of_a_file_are_named_at_once_in_its_order():
    text = """
        [One.a]
        initial = "yes"
        colour = "red"
        size = "big"
        next = ["b", "b", "c"]

        [two.open]
        next = ["shut"]
        public = "investigating"

        [two.shut]
        public = "resolved"

        [two.lost]
        public = "resolved"

        [three]
    """

    assert problems(text) == [
        f"One is no name for a lifecycle: {NAME_RULE}",
        "One.a.colour is not known",
        "One.a.size is not known",
        "One.a.initial must be true or false",
        'One.a.next names an unknown status "b"',
        'One.a.next names "b" more than once',
        'One.a.next names an unknown status "c"',
        f"One.a has no public word: write public = one of {WORDS}",
        "two has no initial status: write initial = true in one",
        "two has no terminal status: write terminal = true in one",
        "three has no statuses: write [three.status] tables",
    ]


def test_one_status_may_be_wrong_in_several_ways():
    text = TEAM + '[team.lost]\nnext = ["lost"]\npublic = "identified"'

    assert problems(text) == [
        "team.lost cannot be reached from open",
        "team.lost leads to no terminal status: an incident would never end",
        "team.lost leads back to itself: write reopen = true where that is meant",
    ]


def test_a_cycle_is_fine_if_one_of_its_statuses_reopens():
    back = '[team.back]\nreopen = true\nnext = ["open"]\npublic = "identified"'
    text = TEAM.replace('["done"]', '["done", "back"]') + back

    (lifecycle,) = read(text)

    assert lifecycle.path("open", "open") == ("back", "open")


def test_a_team_cannot_take_the_name_of_a_lifecycle_that_is_built_in():
    assert problems(TEAM, taken=frozenset({"team"})) == [
        "team is the name of another lifecycle: choose a new one"
    ]


def test_a_lifecycle_has_at_most_twenty_statuses():
    def of(count):
        middle = "".join(
            f'[team.s{n}]\nnext = ["done"]\npublic = "identified"\n' for n in range(count - 2)
        )
        ways = ", ".join(["'done'", *(f"'s{n}'" for n in range(count - 2))])
        return TEAM.replace('["done"]', f"[{ways}]", 1) + middle

    (lifecycle,) = read(of(20))

    assert len(lifecycle.statuses) == 20
    assert problems(of(21)) == ["team has 21 statuses: at most 20 are allowed"]


def test_a_file_has_at_most_64_kib():
    padded = TEAM + "#" + "é" * ((65_536 - len(TEAM) - 1) // 2)

    assert len(padded.encode()) in {65_535, 65_536}
    assert len(read(padded)) == 1
    assert problems(padded + "éé") == ["the file is larger than 65536 bytes"]
    assert problems("[" * 65_537) == ["the file is larger than 65536 bytes"]


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("[team.open", id="a bracket that is not closed"),
        pytest.param("x = " + "[" * 30_000, id="nested too deep"),
        pytest.param("x = " + "1" * 5_000, id="an integer of thousands of digits"),
        pytest.param("# \ud800", id="half a surrogate pair"),
        pytest.param("\ufeff" + TEAM, id="a byte order mark"),
        pytest.param("x = 2026-13-45", id="a date that is none"),
    ],
)
def test_invalid_toml_is_a_problem_of_the_file(text):
    (problem,) = problems(text)

    assert problem.startswith("the file is not TOML: ")


# --- the catalogue ---------------------------------------------------------------------------


def test_the_catalogue_finds_a_lifecycle_by_its_name_and_knows_the_default():
    catalogue = Catalogue(PRESETS, default="statuspage")

    assert catalogue.find("response") is RESPONSE
    assert catalogue.default is STATUSPAGE
    assert list(catalogue) == [STATUSPAGE, RESPONSE]


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        (
            "respons",
            (
                'There is no lifecycle "respons": did you mean "response"? '
                "Lifecycles: statuspage, response."
            ),
        ),
        ("zzz", 'There is no lifecycle "zzz". Lifecycles: statuspage, response.'),
    ],
)
def test_an_unknown_lifecycle_is_answered_with_those_that_there_are(asked, message):
    with pytest.raises(UnknownLifecycle) as refused:
        Catalogue(PRESETS, default="statuspage").find(asked)

    assert refused.value.message == message
    assert refused.value.known == ("statuspage", "response")


def test_a_default_that_does_not_exist_is_refused_when_the_catalogue_is_made():
    with pytest.raises(UnknownLifecycle):
        Catalogue(PRESETS, default="nothing")


@pytest.mark.parametrize(
    ("chosen", "default"),
    [("response", RESPONSE), ("statuspage", STATUSPAGE), (None, STATUSPAGE), ("gone", STATUSPAGE)],
)
def test_a_workspace_chooses_its_default_as_long_as_there_is_such_a_lifecycle(chosen, default):
    catalogue = Catalogue(PRESETS, default="statuspage").with_default(chosen)

    assert (catalogue.default, list(catalogue)) == (default, list(PRESETS))


def test_the_statuses_of_all_lifecycles_are_each_once():
    known = Catalogue(PRESETS, default="statuspage").statuses

    assert known[:4] == ("investigating", "identified", "monitoring", "resolved")
    assert set(known) == {one.name for each in PRESETS for one in each.statuses}
    assert len(known) == len(set(known))
