"""Report and figures on the command line: for scripts, terminals, and as a page with pictures."""

from __future__ import annotations

import asyncio
import contextlib
import xml.etree.ElementTree as ET
from contextlib import closing
from datetime import timedelta

import pytest

from bot.clock import now
from bot.figures import page, table
from bot.telemetry import Metrics
from core.commands import WriteReport
from core.incident import Note, PublicText, Severity
from core.service import Incidents
from core.stats import statistics
from storage.store import SqlStore
from tests.builders import (
    NINE,
    a_change,
    a_component,
    a_declaration,
    an_actor,
    an_id,
    the_settings,
)
from tests.cli import invoke
from tests.core.test_stats import a_measure

MINUTE = timedelta(minutes=1)


@pytest.fixture
def ratchet(tmp_path, logging_as_before):
    """Runs ``ratchet`` in a folder of its own: exit code, standard output, standard error."""

    def ratchet(*arguments):
        with contextlib.chdir(tmp_path):
            result = invoke(arguments)
        return result.exit_code, result.stdout, result.stderr

    return ratchet


@pytest.fixture
def filled(ready, tmp_path):
    """A database with one incident that is not over; ``filled(workspace)`` adds one more."""

    async def fill(store, workspace):
        actor = an_actor(workspace=workspace)
        incidents = Incidents(store, clock=now, wake=lambda: None)
        ref = (await incidents.execute(a_declaration(actor=actor, id=an_id(workspace)))).incident.id
        for command in (
            a_change(actor=actor, ref=ref, note=Note("db-3 lost quorum")),
            a_change(actor=actor, ref=ref, public=PublicText("We look into it.")),
            WriteReport(actor=actor, ref=ref, seen=9, cause=Note("A full disk")),
        ):
            await incidents.execute(command)

    def filled(workspace="T0RATCHET"):
        url = f"sqlite:///{tmp_path / 'ratchet.db'}"
        with closing(SqlStore(url, defaults=the_settings())) as store:
            asyncio.run(fill(store, workspace))

    ready(tmp_path)
    filled()
    return filled


def test_the_report_is_markdown_on_standard_output(ratchet, filled):
    code, told, _ = ratchet("report", "1")

    assert code == 0
    assert told.startswith("# INC-1 Checkout is down\n")
    assert "> db-3 lost quorum" in told
    assert "> A full disk" in told


def test_the_public_report_has_public_texts_alone(ratchet, filled):
    code, told, _ = ratchet("report", "1", "--public")

    assert code == 0
    assert "> We look into it." in told
    assert "db-3" not in told
    assert "disk" not in told


def test_an_unknown_incident_is_one_line_of_error(ratchet, filled):
    code, told, wrong = ratchet("report", "7")

    assert (code, told) == (1, "")
    assert "There is no incident INC-7 here." in wrong


@pytest.mark.parametrize("reference", ["INC-1", "#1", "inc 1", "1."])
def test_an_incident_is_named_as_in_slack(ratchet, filled, reference):
    code, told, _ = ratchet("report", reference)

    assert (code, told.splitlines()[0]) == (0, "# INC-1 Checkout is down")


@pytest.mark.parametrize("words", ["0", "checkout", "1 2", ""])
def test_words_that_name_no_incident_are_refused_with_the_forms(ratchet, filled, words):
    code, told, wrong = ratchet("report", words)

    assert (code, told) == (2, "")
    assert f'"{words}" names no incident: write 42, #42, INC-42 or its id.' in wrong


def test_several_workspaces_are_told_apart(ratchet, filled):
    filled("T0OTHER")

    code, _, wrong = ratchet("stats")
    assert (code, "name one, with --workspace (T0OTHER and T0RATCHET)." in wrong) == (2, True)
    assert ratchet("report", "1", "--workspace", "T0OTHER")[0] == 0
    code, _, wrong = ratchet("stats", "--workspace", "T0NOBODY")
    assert (code, "no workspace T0NOBODY in the database, only T0OTHER and" in wrong) == (1, True)


def test_the_figures_are_shown_with_their_definitions(ratchet, filled):
    code, told, _ = ratchet("stats", "2w")

    assert code == 0
    assert told.startswith("Figures of the 14 days before ")
    assert "Incidents: 1, 1 open (0)" in told
    assert "False alarms and duplicates are counted, and left out of all times." in told


def test_a_period_that_is_none_is_refused(ratchet, filled):
    code, _, wrong = ratchet("stats", "0d")

    assert (code, '"0d" is no period: write 1d to 366d.' in wrong) == (2, True)


def test_the_page_of_the_figures_is_one_file(ratchet, filled):
    code, told, _ = ratchet("stats", "--html")

    assert code == 0
    assert told.startswith("<!DOCTYPE html>\n")
    assert told.count("<svg") == 2


# --- the page ----------------------------------------------------------------------------------


def figures(*measured):
    return statistics(measured, since=NINE - timedelta(days=7), until=NINE + timedelta(days=1))


def parsed(html):
    return ET.fromstring(  # noqa: S314 - our own page
        html.removeprefix("<!DOCTYPE html>\n")
        .replace('<meta charset="utf-8">', "")
        .replace('<meta name="viewport" content="width=device-width, initial-scale=1">', "")
    )


def test_a_name_that_people_typed_stays_text_on_the_page():
    name = '<script>alert(1)</script> & "quoted" ' + "x" * 60
    html = page(figures(a_measure(1, 10, components=(a_component(name),))))

    root = parsed(html)

    assert not list(root.iter("script"))
    assert name in "".join(root.itertext())
    assert name in table(figures(a_measure(1, 10, components=(a_component(name),))))


def test_the_page_loads_nothing():
    html = page(figures(a_measure(1, 10)))

    assert not [word for word in ("src", "href", "http", "url(", "@import") if word in html]


def test_a_picture_says_its_numbers_to_a_screen_reader():
    root = parsed(
        page(figures(a_measure(1, 10, severity=Severity.LOW), a_measure(2, 30, silence=MINUTE)))
    )

    first, second = root.iter("svg")
    assert first.get("aria-label") == "High: 1, before 0; Low: 1, before 0"
    assert "To resolve: 20 min, before none" in str(second.get("aria-label"))


def test_every_bar_leaves_room_for_its_number_at_any_width():
    root = parsed(page(figures(*(a_measure(n, 10_000) for n in range(30)))))

    for picture in root.iter("svg"):
        # Nothing is scaled, so words are as large on a phone as anywhere.
        assert "viewBox" not in picture.attrib
        for bar in picture.iter("rect"):
            assert 0 <= float(str(bar.get("width")).removesuffix("%")) <= 70
            assert int(str(bar.get("y"))) + int(str(bar.get("height"))) <= int(
                str(picture.get("height"))
            )


def test_a_bar_is_as_long_as_its_time_beside_the_other_of_its_pair():
    now = a_measure(1, 20, to_acknowledge=MINUTE)
    before = a_measure(2, 10, declared=NINE - timedelta(days=9))

    _, times = parsed(page(figures(now, before))).iter("svg")

    long = [str(bar.get("width")) for bar in times.iter("rect")]
    assert long == ["70.0%", "0.0%", "0.0%", "0.0%", "70.0%", "35.0%"]


def test_a_milestone_has_a_histogram_of_its_own():
    assert set(Metrics().milestones) == {"acknowledge", "public_update", "resolve"}
