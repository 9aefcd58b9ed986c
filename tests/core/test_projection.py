"""The status page: one fold from public facts and a moment to a value."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from core.incident import Component, PublicText, Severity
from core.lifecycle import RESPONSE, STATUSPAGE, Lifecycle, PublicWord
from core.page import (
    DAYS,
    RECENT,
    ComponentGroup,
    ComponentStatus,
    Impact,
    Override,
    PageSettings,
    PublicFacts,
    ShownComponent,
    StatusPage,
)
from core.projection import Projector, page_incident, project
from core.public_side import PublicIncident, PublicPromise, PublicUpdate
from tests.builders import NINE, WORKSPACE, a_component, an_id

HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)
TICK = timedelta(microseconds=1)
MIDNIGHT = datetime(2026, 3, 3, tzinfo=UTC)
API, WEB = a_component("API"), a_component("Web")
FINE = ComponentStatus.OPERATIONAL
OUT = ComponentStatus.MAJOR_OUTAGE
PARTLY = ComponentStatus.PARTIAL_OUTAGE
SLOW = ComponentStatus.DEGRADED_PERFORMANCE
MAINTAINED = ComponentStatus.UNDER_MAINTENANCE


def shown(of: Component = API, **changes: Any) -> ShownComponent:
    """A component on the page since the first of February."""
    created = datetime(2026, 2, 1, 12, tzinfo=UTC)
    fields: dict[str, Any] = {
        "id": of.id,
        "name": of.name,
        "position": 1,
        "created_at": created,
        "updated_at": created,
    }
    return ShownComponent(**fields | changes)


def moves(*rows: tuple[Any, ...], lifecycle: Lifecycle = STATUSPAGE) -> tuple[PublicUpdate, ...]:
    """Updates, newest first; each row is a moment, a status or None, and a text or None."""
    made = [
        PublicUpdate(
            entry=entry,
            body=None if body is None else PublicText(body),
            status=status,
            word=None if status is None else lifecycle.public_word(status),
            at=at,
            changed_at=at,
        )
        for entry, (at, status, body) in enumerate(rows, 1)
    ]
    return tuple(reversed(made))


def an_incident(
    *rows: tuple[Any, ...],
    number: int = 42,
    severity: Severity = Severity.HIGH,
    tagged: tuple[Component, ...] = (API,),
    lifecycle: Lifecycle = STATUSPAGE,
    **changes: Any,
) -> PublicIncident:
    """INC-42, declared at nine; ``rows`` are its further updates."""
    start = changes.get("started_at", NINE)
    updates = moves((start, lifecycle.initial, None), *rows, lifecycle=lifecycle)
    newest = next(one for one in updates if one.status is not None)
    assert newest.status is not None
    assert newest.word is not None
    fields: dict[str, Any] = {
        "id": an_id(f"incident {number}"),
        "workspace": WORKSPACE,
        "number": number,
        "title": PublicText("Checkout is down"),
        "severity": severity,
        "status": newest.status,
        "word": newest.word,
        "terminal": lifecycle.is_terminal(newest.status),
        "previous_status": None,
        "components": tagged,
        "declared_at": start,
        "started_at": start,
        "updated_at": updates[0].at,
        "resolved_at": None,
        "severities": ((start, severity),),
        "tags": ((start, tagged),),
        "updates": updates,
    }
    return PublicIncident(**fields | changes)


def page(*incidents: PublicIncident, at: datetime = NINE + HOUR, **changes: Any) -> StatusPage:
    """The page at ten, whose facts were written last at nine."""
    return project(facts_of(*incidents, **changes), at)


def facts_of(
    *incidents: PublicIncident,
    components: tuple[ShownComponent, ...] = (shown(),),
    **changes: Any,
) -> PublicFacts:
    settings = PageSettings(
        workspace=WORKSPACE, slug="acme", title="Acme status", published_at=NINE
    )
    fields: dict[str, Any] = {
        "settings": settings,
        "components": components,
        "incidents": incidents,
        "changed_at": NINE,
    }
    return PublicFacts(**fields | changes)


def status_of(made: StatusPage, of: Component = API) -> ComponentStatus:
    return next(one.status for one in made.components if one.component.id == of.id)


def bar(made: StatusPage, days: int) -> list[ComponentStatus | None]:
    """The last ``days`` of the only component, oldest first."""
    [component] = made.components
    return [day.status for day in component.days[-days:]]


RESOLVED = (NINE + 30 * MINUTE, "resolved", None)


class TestComponents:
    @pytest.mark.parametrize(
        ("severity", "status", "indicator"),
        [
            (Severity.CRITICAL, OUT, Impact.CRITICAL),
            (Severity.HIGH, PARTLY, Impact.MAJOR),
            (Severity.MEDIUM, SLOW, Impact.MINOR),
            (Severity.LOW, FINE, Impact.NONE),
        ],
    )
    def test_an_open_incident_gives_its_severity_to_its_components(
        self, severity, status, indicator
    ):
        made = page(an_incident(severity=severity), components=(shown(), shown(WEB)))

        assert (status_of(made), status_of(made, WEB)) == (status, FINE)
        assert made.indicator is indicator

    def test_the_worst_of_several_counts_and_a_resolved_one_does_not(self):
        made = page(
            an_incident(number=3, severity=Severity.MEDIUM),
            an_incident(RESOLVED, number=2, severity=Severity.CRITICAL),
            an_incident(number=1, severity=Severity.LOW),
        )

        assert status_of(made) is SLOW

    def test_a_status_since_the_moment_at_which_it_began(self):
        made = page(an_incident(RESOLVED), components=(shown(), shown(WEB)))

        assert [one.since for one in made.components] == [
            RESOLVED[0],
            datetime(2026, 2, 1, tzinfo=UTC),
        ]

    def test_a_severity_that_changed_counts_from_then_on(self):
        raised = an_incident(
            severity=Severity.CRITICAL,
            severities=((NINE, Severity.MEDIUM), (NINE + HOUR, Severity.CRITICAL)),
        )

        assert status_of(page(raised, at=NINE + 59 * MINUTE)) is SLOW
        assert status_of(page(raised, at=NINE + HOUR)) is OUT

    def test_a_component_that_is_tagged_no_more_is_operational(self):
        moved = an_incident(tags=((NINE, (API,)), (NINE + HOUR, (WEB,))))
        made = page(moved, components=(shown(), shown(WEB)), at=NINE + HOUR)

        assert (status_of(made), status_of(made, WEB)) == (FINE, PARTLY)

    def test_one_without_its_own_incident_keeps_the_page_green_only_if_none_is_open(self):
        made = page(an_incident(severity=Severity.CRITICAL, tagged=()))

        assert (status_of(made), made.indicator) == (FINE, Impact.CRITICAL)
        assert made.description == "Major Service Outage"

    def test_one_that_is_shown_only_if_degraded_is_left_out_while_it_is_fine(self):
        rare = shown(only_if_degraded=True)

        assert [one.shown for one in page(components=(rare,)).components] == [False]
        assert [one.shown for one in page(an_incident(), components=(rare,)).components] == [True]

    def test_one_whose_record_has_not_begun_has_no_data_unless_something_is_wrong(self):
        tomorrow = MIDNIGHT.date()
        made = page(an_incident(), components=(shown(start_date=tomorrow), shown(WEB)))
        quiet = page(components=(shown(start_date=tomorrow),))

        assert [one.words for one in made.components] == ["Partial outage", "Operational"]
        assert quiet.groups[0].words == "No data"
        assert quiet.components[0].words == "No data"
        assert made.groups[0].words == "Partial outage"

    def test_a_status_is_said_in_words(self):
        assert [one.words for one in (OUT, FINE)] == ["Major outage", "Operational"]


class TestOverrides:
    @pytest.mark.parametrize(
        ("overrides", "status"),
        [
            ((Override(at=NINE, status=MAINTAINED),), MAINTAINED),
            ((Override(at=NINE, status=FINE),), FINE),
            ((Override(at=NINE, status=OUT, until=NINE + HOUR),), PARTLY),
            ((Override(at=NINE, status=OUT, until=NINE + HOUR + TICK),), OUT),
            ((Override(at=NINE, status=OUT), Override(at=NINE + MINUTE, status=None)), PARTLY),
            ((Override(at=NINE + 2 * HOUR, status=OUT),), PARTLY),
        ],
    )
    def test_an_override_wins_over_incidents_until_it_ends(self, overrides, status):
        assert status_of(page(an_incident(), components=(shown(overrides=overrides),))) is status

    def test_maintenance_never_raises_the_indicator(self):
        maintained = shown(overrides=(Override(at=NINE, status=MAINTAINED),))
        made = page(components=(maintained,))

        assert (made.indicator, made.description) == (Impact.NONE, "Service Under Maintenance")


class TestDays:
    def test_a_bar_has_ninety_days_and_ends_today(self):
        [component] = page().components

        assert len(component.days) == DAYS
        assert component.days[-1].date == page().today == NINE.date()

    def test_days_before_the_record_have_no_status(self):
        began = shown(start_date=date(2026, 3, 1))

        assert bar(page(components=(began,)), 3) == [None, FINE, FINE]

    def test_a_day_shows_its_worst_moment_and_the_incidents_of_it(self):
        two_days_ago = NINE - 2 * DAY
        old = an_incident(
            (two_days_ago + HOUR, "resolved", None), number=7, started_at=two_days_ago
        )
        made = page(an_incident(severity=Severity.MEDIUM), old)
        [component] = made.components

        assert bar(made, 4) == [FINE, PARTLY, FINE, SLOW]
        assert [day.incidents for day in component.days[-3:]] == [
            (old.id,),
            (),
            (an_id("incident 42"),),
        ]

    def test_an_end_at_midnight_does_not_touch_the_next_day(self):
        late = an_incident((MIDNIGHT, "resolved", None))

        assert bar(page(late, at=MIDNIGHT + HOUR), 2) == [PARTLY, FINE]

    def test_an_incident_that_lasted_no_time_touches_its_day(self):
        short = an_incident((NINE, "resolved", None), updates=moves((NINE, "resolved", None)))

        assert bar(page(short), 1) == [FINE]


class TestIncidents:
    def test_open_ones_are_worst_first_and_recent_ones_newest_first(self):
        made = page(
            an_incident(number=4, severity=Severity.LOW),
            an_incident(RESOLVED, number=3),
            an_incident(number=2, severity=Severity.CRITICAL),
            an_incident(number=1, severity=Severity.CRITICAL),
        )

        assert [one.incident.number for one in made.open] == [2, 1, 4]
        assert [one.incident.number for one in made.recent] == [4, 3, 2, 1]

    def test_only_the_newest_are_recent(self):
        made = page(*(an_incident(RESOLVED, number=n) for n in range(RECENT + 5, 0, -1)))

        assert [one.incident.number for one in made.recent][-1] == 6

    @pytest.mark.parametrize(
        ("moved", "listed"),
        [
            pytest.param([], [], id="open"),
            pytest.param([(-14, "resolved")], [7], id="ended on the first of the days"),
            pytest.param([(-15, "resolved")], [], id="ended before"),
            pytest.param([(-60, "resolved"), (-1, None)], [], id="corrected lately"),
            pytest.param(
                [(-60, "resolved"), (-5, "investigating"), (-4, "resolved")], [7], id="ended again"
            ),
        ],
    )
    def test_one_that_ended_lately_is_listed_by_its_end_alone(self, moved, listed):
        rows = [(NINE + days * DAY, status, "Words.") for days, status in moved]
        one = an_incident(*rows, number=7, started_at=NINE - 90 * DAY, updated_at=NINE)

        assert [each.incident.number for each in page(one).lately] == listed

    def test_all_that_ended_lately_are_listed_the_last_to_end_first(self):
        long_ago = an_incident(RESOLVED, number=1, started_at=NINE - 60 * DAY)
        newer = (
            an_incident((NINE - DAY, "resolved", None), number=n, started_at=NINE - 2 * DAY)
            for n in range(RECENT + 1, 1, -1)
        )

        made = page(*newer, long_ago)

        assert len(made.lately) == RECENT + 1
        assert made.lately[0].incident.number == 1

    def test_a_bare_move_has_a_fixed_sentence(self):
        made = page_incident(an_incident((NINE + MINUTE, "monitoring", None)))

        assert [(one.word, one.words, one.moved) for one in made.updates] == [
            (PublicWord.MONITORING, "Status changed to Monitoring.", True),
            (PublicWord.INVESTIGATING, "Status changed to Investigating.", True),
        ]
        assert made.monitoring_at == NINE + MINUTE
        assert made.impact is Impact.MAJOR

    def test_a_move_that_keeps_the_public_word_is_no_update(self):
        closed = an_incident(
            (NINE + MINUTE, "acknowledged", None),
            (NINE + 2 * MINUTE, "resolved", "It is fixed."),
            (NINE + 3 * MINUTE, "closed", None),
            lifecycle=RESPONSE,
        )
        made = page_incident(closed)

        assert [one.words for one in made.updates] == [
            "It is fixed.",
            "Status changed to Identified.",
            "Status changed to Investigating.",
        ]
        assert not made.open

    def test_a_text_without_a_move_keeps_the_word(self):
        made = page_incident(an_incident((NINE + MINUTE, None, "We look into it.")))

        assert (made.updates[0].word, made.updates[0].moved) == (PublicWord.INVESTIGATING, False)

    def test_a_withdrawn_text_leaves_a_fixed_sentence(self):
        gone = PublicUpdate(
            entry=2,
            body=None,
            status=None,
            word=None,
            at=NINE + MINUTE,
            changed_at=NINE + HOUR,
            withdrawn=True,
        )
        incident = an_incident(updates=(gone, *moves((NINE, "investigating", None))))

        newest = page_incident(incident).updates[0]

        assert (newest.words, newest.withdrawn) == ("This update was withdrawn.", True)
        assert newest.changed_at == NINE + HOUR

    @pytest.mark.parametrize(
        ("body", "withdrawn", "settled_at", "told_at"),
        [
            ("We look into it.", False, NINE + 2 * MINUTE, NINE + 2 * MINUTE),
            (None, True, NINE + 2 * MINUTE, NINE + 2 * MINUTE),
            ("It was never held back.", False, None, NINE + MINUTE),
            # It was taken back then, and left the change of status alone.
            (None, False, NINE + 2 * MINUTE, NINE + MINUTE),
        ],
    )
    def test_an_update_is_told_once_its_text_is_public(self, body, withdrawn, settled_at, told_at):
        (update, first) = moves((NINE, "investigating", None), (NINE + MINUTE, "identified", body))
        written = replace(update, withdrawn=withdrawn, settled_at=settled_at)
        newest = page_incident(an_incident(updates=(written, first))).updates[0]

        assert (newest.told_at, newest.held) == (told_at, False)

    def test_each_update_names_its_components_before_and_after(self):
        made = page_incident(
            an_incident(
                (NINE + MINUTE, "identified", None),
                (NINE + 2 * MINUTE, "resolved", None),
                tags=((NINE, (API,)), (NINE + MINUTE, (API, WEB))),
            )
        )

        assert [
            [(one.name, one.old, one.new) for one in update.affected]
            for update in reversed(made.updates)
        ] == [
            [("API", FINE, PARTLY)],
            [("API", PARTLY, PARTLY), ("Web", FINE, PARTLY)],
            [("API", PARTLY, FINE), ("Web", PARTLY, FINE)],
        ]

    @pytest.mark.parametrize(
        ("rows", "latest"),
        [
            ([(1, "identified", "Found."), (2, "monitoring", "Fixed.")], [3]),
            ([(1, "identified", "Found."), (2, "monitoring", None)], [3, 2]),
            ([(1, None, "Found."), (2, "identified", None), (3, "monitoring", None)], [4, 3, 2]),
            ([(1, "identified", None), (2, "monitoring", None)], [3]),
            ([], [1]),
        ],
    )
    def test_the_latest_updates_reach_back_to_the_newest_text(self, rows, latest):
        one = an_incident(*((NINE + n * MINUTE, *said) for n, *said in rows))

        assert [each.entry for each in page(one).recent[0].latest] == latest


class TestGroups:
    def test_groups_keep_their_order_and_the_rest_comes_last(self):
        def group(name: str, position: int) -> ComponentGroup:
            return ComponentGroup(
                id=an_id(name), name=name, position=position, created_at=NINE, updated_at=NINE
            )

        made = page(
            an_incident(),
            components=(
                shown(Component(an_id("c"), "Search"), position=0),
                shown(WEB, position=2, group=an_id("Shop")),
                shown(API, position=1, group=an_id("Shop")),
                shown(Component(an_id("d"), "Old"), group=an_id("gone")),
            ),
            groups=(group("Empty", 1), group("Shop", 2)),
        )

        assert [
            (one.group and one.group.name, [each.component.name for each in one.components])
            for one in made.groups
        ] == [("Shop", ["API", "Web"]), (None, ["Search", "Old"])]
        assert [one.status for one in made.groups] == [PARTLY, FINE]


class TestTime:
    @pytest.mark.parametrize(
        ("changes", "until"),
        [
            ({}, MIDNIGHT),
            ({"turns": (NINE, NINE + 2 * HOUR)}, NINE + 2 * HOUR),
            (
                {
                    "components": (
                        shown(overrides=(Override(at=NINE, status=OUT, until=NINE + 3 * HOUR),)),
                    )
                },
                NINE + 3 * HOUR,
            ),
        ],
        ids=["midnight", "a held text", "the end of an override"],
    )
    def test_the_page_knows_its_next_change(self, changes, until):
        assert page(**changes).until == until

    def test_a_promise_turns_once_its_moment_has_passed(self):
        due = NINE + 90 * MINUTE
        promised = an_incident(next_update=PublicPromise(due))

        assert page(promised).until == due + TICK
        assert page(promised, at=due + MINUTE).since == due + TICK

    def test_the_page_says_since_when_it_has_been_so(self):
        assert page(changed_at=NINE + MINUTE).since == NINE + MINUTE
        assert page(changed_at=NINE, turns=(NINE + MINUTE,)).since == NINE + MINUTE
        assert page(changed_at=NINE - DAY).since == MIDNIGHT - DAY


def test_a_projector_makes_anew_only_the_incidents_that_changed():
    projector, ten = Projector(), NINE + HOUR
    same, before = an_incident(number=1), an_incident(number=2, severity=Severity.LOW)
    first = projector.project(facts_of(before, same), ten)
    after = an_incident((NINE + MINUTE, "identified", None), number=2)
    second = projector.project(facts_of(after, same), ten)

    assert second == page(after, same)
    kept = {one.incident.number: one for one in first.open}
    assert {one.incident.number: one is kept[one.incident.number] for one in second.open} == {
        1: True,
        2: False,
    }


BY_HAND = Override(
    at=NINE + 2 * MINUTE, status=ComponentStatus.UNDER_MAINTENANCE, until=NINE + HOUR
)
BEFORE, OPEN = an_incident(number=1), an_incident(number=2, severity=Severity.CRITICAL)
OVER = an_incident((NINE + MINUTE, "resolved", None), number=2, severity=Severity.CRITICAL)
COURSE: dict[str, tuple[datetime, dict[str, Any]]] = {
    "one is open": (NINE, {"incidents": (BEFORE,)}),
    "time passes": (NINE + TICK, {"incidents": (BEFORE,)}),
    "a second one": (NINE + MINUTE, {"incidents": (OPEN, BEFORE)}),
    "which is over": (NINE + MINUTE, {"incidents": (OVER, BEFORE)}),
    "a status by hand is to come": (
        NINE + MINUTE,
        {"incidents": (OVER, BEFORE), "components": (shown(overrides=(BY_HAND,)),)},
    ),
    "it is in force": (
        NINE + 2 * MINUTE,
        {"incidents": (OVER, BEFORE), "components": (shown(overrides=(BY_HAND,)),)},
    ),
    "it is over": (
        NINE + HOUR,
        {"incidents": (OVER, BEFORE), "components": (shown(overrides=(BY_HAND,)),)},
    ),
    "another component": (NINE + HOUR, {"components": (shown(), shown(WEB))}),
    "the next day": (MIDNIGHT, {"components": (shown(), shown(WEB))}),
    "a clock that is set back": (NINE, {"components": (shown(), shown(WEB))}),
}


def test_a_projector_says_what_a_new_one_says_at_each_moment():
    projector = Projector()
    for name, (at, said) in COURSE.items():
        rest = {key: value for key, value in said.items() if key != "incidents"}
        facts = facts_of(*said.get("incidents", ()), **rest)
        assert projector.project(facts, at) == project(facts, at), name


def test_a_projector_makes_a_component_anew_only_if_something_of_it_changed():
    projector, components = Projector(), (shown(), shown(WEB))
    first = projector.project(facts_of(BEFORE, components=components), NINE)
    second = projector.project(facts_of(OPEN, BEFORE, components=components), NINE + MINUTE)
    kept = {one.component.name: one for one in first.components}

    assert {one.component.name: one is kept[one.component.name] for one in second.components} == {
        "API": False,
        "Web": True,
    }
