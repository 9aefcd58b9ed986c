"""Clients of Atlassian Statuspage, and feed readers, read our page as they read anybody's."""

from __future__ import annotations

import json
import sys
from contextlib import closing
from pathlib import Path

import feedparser
import feedparser_sgmllib
import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.patience import PATIENCE_SECONDS
from tests.world.conftest import a_process
from tests.world.filling import CANARY

# The copy of feedparser in reader imports it by its older name, and reader does not require that.
sys.modules.setdefault("sgmllib", feedparser_sgmllib)

from reader import make_reader  # noqa: E402 - needs the line above

pytestmark = pytest.mark.world

STATUSES = {
    "Shop": "major_outage",
    "Checkout API": "major_outage",
    "Web shop": "major_outage",
    "Search <beta>": "operational",
    "Reports": "under_maintenance",
}
DOWN, SLOW, OVER = "Checkout is <down> & out", "Images load slowly", "Search is slow"
# The updates of each incident as a reader of a feed gets them, newest first.
UPDATES = {
    SLOW: [("Investigating", "Status changed to Investigating.")],
    DOWN: [
        ("Monitoring", "A <fix> is in place."),
        ("Identified", "This update was withdrawn."),
        ("Identified", "Card payments fail.\nSee https://acme.example/cards?a=1&b=2."),
        ("Investigating", "Status changed to Investigating."),
    ],
    OVER: [
        ("Resolved", "A cache had run out of memory.\nWe have added more."),
        ("Monitoring", "We are adding memory."),
        ("Identified", "Status changed to Identified."),
        ("Investigating", "Status changed to Investigating."),
    ],
}


@pytest.fixture
def exporter(tmp_path):
    """Runs statuspage-prometheus-exporter once for addresses, to its end; its metrics."""

    def exporter(**addresses):
        services = {
            name: {"name": name, "url": f"{address}/api/v2/summary.json"}
            for name, address in addresses.items()
        }
        (tmp_path / "services.json").write_text(json.dumps(services))
        program = Path(sys.executable).with_name("statuspage-prometheus-exporter")
        metrics = tmp_path / "metrics.prom"
        once = {"RUN_MODE": "once", "METRICS_TEXTFILE_PATH": str(metrics)}
        with a_process(program, folder=tmp_path, **once) as process:
            assert process.wait(PATIENCE_SECONDS) == 0
        return {
            family.name: [(one.labels, one.value) for one in family.samples]
            for family in text_string_to_metric_families(metrics.read_text())
        }

    return exporter


def test_a_prometheus_exporter_reads_status_components_and_incidents(site, exporter):
    read = exporter(acme=site)

    assert read["statuspage_probe_check"] == [({"service_name": "acme"}, 1)]
    assert read["statuspage_service_status"] == [({"service_name": "acme"}, 0)]
    assert {
        labels["component_name"]: value for labels, value in read["statuspage_component_status"]
    } == {name: int(status == "operational") for name, status in STATUSES.items()}
    assert [
        (labels["incident_name"], labels["impact"], labels["affected_components"])
        for labels, value in read["statuspage_incident_info"]
        if value
    ] == [(SLOW, "minor", "Web shop"), (DOWN, "critical", "Checkout API, Web shop")]


def test_statuscheck_reads_the_summary(site, statuscheck):
    read = json.loads(statuscheck(site))

    assert read["status"] == {
        "code": "critical",
        "name": "Critical incident",
        "description": "Major Service Outage",
        "is_ok": False,
    }
    assert read["components"] == {
        name: status.replace("_", " ").capitalize() for name, status in STATUSES.items()
    }
    assert read["incidents"] == {
        SLOW: ["investigating", ["Web shop"]],
        DOWN: ["monitoring", ["Checkout API", "Web shop"]],
    }


def test_statuspage_io_of_npm_reads_every_document(site, statuspage_io):
    read = json.loads(statuspage_io(site))

    assert read["status"]["status"]["indicator"] == "critical"
    assert {one["name"]: one["status"] for one in read["components"]["components"]} == STATUSES
    assert [one["name"] for one in read["unresolved"]["incidents"]] == [SLOW, DOWN]
    assert read["summary"]["incidents"] == read["unresolved"]["incidents"]
    assert {
        one["name"]: [
            (each["status"].capitalize(), each["body"]) for each in one["incident_updates"]
        ]
        for one in read["incidents"]["incidents"]
    } == UPDATES
    assert [one["scheduled_maintenances"] for one in read["maintenances"]] == [[], [], []]
    assert CANARY not in repr(read)


@pytest.mark.parametrize("feed", ["history.atom", "history.rss"])
def test_feedparser_finds_a_valid_feed_with_an_entry_for_each_incident(site, feed):
    read = feedparser.parse(f"{site}/{feed}")

    assert not read.bozo
    assert read.feed.title == "Acme <status> & more: incidents"
    assert [one.title for one in read.entries] == list(UPDATES)
    assert len({one.id for one in read.entries}) == len(UPDATES)
    assert CANARY not in repr(read)


@pytest.mark.parametrize("feed", ["history.atom", "history.rss", "updates.atom", "updates.rss"])
def test_reader_keeps_each_entry_once(site, feed):
    with closing(make_reader(":memory:")) as reader:
        reader.add_feed(f"{site}/{feed}")
        reader.update_feeds()
        entries = list(reader.get_entries())
        again = reader.update_feed(f"{site}/{feed}")
        assert again is None or (again.new, again.modified) == (0, 0)
        assert [one.id for one in reader.get_entries()] == [one.id for one in entries]

    updates = [one for said in UPDATES.values() for one in said]
    assert len(entries) == len(UPDATES if feed.startswith("history") else updates)
    assert all(one.updated or one.published for one in entries)
    assert CANARY not in repr(entries)
