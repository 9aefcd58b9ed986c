"""The start of an incident, as people type it in a declaration."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from bot.slack import written
from bot.slack.parser import parse
from bot.slack.requests import OpenDeclare, Question
from bot.slack.typed import Circumstances
from core.commands import Declare
from core.incident import Place
from core.lifecycle import PRESETS, Catalogue
from tests.builders import INCIDENTS_CHANNEL, NINE, an_actor, an_id

CATALOGUE = Catalogue(PRESETS, default="statuspage")
BERLIN = timezone(timedelta(hours=1))  # it is ten o'clock there at nine


def at(day, hour, minute):
    return datetime(2026, 3, day, hour, minute, tzinfo=UTC)


def declare(text):
    known = Circumstances(
        actor=an_actor(),
        catalogue=CATALOGUE,
        new_id=an_id("new"),
        place=Place(INCIDENTS_CHANNEL),
        at=NINE,
        zone=BERLIN,
    )
    return parse(f"declare {text}", known)


@pytest.mark.parametrize(
    "text",
    [
        "Checkout is down since:09:50",
        "since:09:50 Checkout is down",
        "Checkout since:09:50 is down",
        "Checkout is down since: 09:50",
        "Checkout is down since=09:50",
        "Checkout is down --since 09:50",
        "Checkout is down since:10m",
        "Checkout is down since:10 min ago",
        "Checkout is down since:10 min",
        'Checkout is down since:"10 min ago"',
        "since:10 min Checkout is down",
        "Checkout is down since:today 09:50 severity:medium",
        "Checkout is down since:2026-03-02 09:50",
    ],
)
def test_every_spelling_of_the_option_is_read(text):
    new = declare(text)

    assert isinstance(new, Declare)
    assert (new.title, new.started_at) == ("Checkout is down", at(2, 8, 50))


def test_since_in_a_sentence_is_asked_about():
    with pytest.raises(Question) as question:
        declare("Checkout is down since 09:50")

    started, whole, _ = [choice.request for choice in question.value.choices]
    assert (started.title, started.started_at) == ("Checkout is down", at(2, 8, 50))
    assert (whole.title, whole.started_at) == ("Checkout is down since 09:50", None)


@pytest.mark.parametrize(
    ("since", "problem", "labels"),
    [
        ("monday", '"monday" is no start', ["Declare it as starting now", "Edit first…"]),
        ("today 10:30", "still to come", ["Declare it as starting now", "Edit first…"]),
        (
            "10:05",
            "still to come today",
            ["Declare it since 2026-03-01 10:05", "Declare it as starting now", "Edit first…"],
        ),
        (
            "9d",
            "9 d ago",
            ["Declare it since 2026-02-21 10:00", "Declare it as starting now", "Edit first…"],
        ),
        (
            '"2019-05-01 09:00"',
            "so early a start may be a slip",
            ["Declare it since 2019-05-01 09:00", "Declare it as starting now", "Edit first…"],
        ),
    ],
)
def test_a_doubtful_start_is_asked_about_with_everything_kept(since, problem, labels):
    with pytest.raises(Question, match=problem) as asked:
        declare(f"Checkout is down severity:high since:{since}")

    assert [choice.label for choice in asked.value.choices] == labels
    for choice in asked.value.choices:
        assert choice.request.title == "Checkout is down"
        assert choice.request.severity == "high"


def test_with_another_doubt_only_the_dialog_is_offered():
    with pytest.raises(Question) as asked:
        declare("Checkout is down sev1 since:monday")

    assert [choice.label for choice in asked.value.choices] == ["Edit first…"]


def test_a_doubt_about_the_title_keeps_the_start():
    with pytest.raises(Question) as asked:
        declare("Checkout is down sev1 since:10m")

    starts = {
        one.request.started_at for one in asked.value.choices if isinstance(one.request, Declare)
    }
    assert starts == {at(2, 8, 50)}


def test_without_a_title_the_dialog_has_the_start_as_a_moment():
    assert declare("since:10m").since == "2026-03-02 09:50"
    assert declare("since:monday").since == "monday"


def test_a_start_is_kept_in_a_draft():
    new = declare("Checkout is down since:10m")
    drafted = written.written([new, OpenDeclare(title="Down", since="25m")])

    assert written.read(drafted, actor=an_actor(), catalogue=CATALOGUE) == [
        new,
        OpenDeclare(title="Down", since="25m"),
    ]
