"""A text browser shows every fact of the page, in the order of the page."""

from __future__ import annotations

import re

import pytest

from tests.world.filling import CANARY, CHECKOUT_BEGAN

pytestmark = pytest.mark.world

MOMENT = r"[0-9]{1,2} [A-Z][a-z]+ [0-9]{4}, [0-9]{2}:[0-9]{2} UTC"
DAY = "[0-9]{1,2} [A-Z][a-z]+ [0-9]{4}"
BAR = "The last 90 days: "
CHECKOUT = [
    r"Checkout is <down> & out",
    f"Monitoring Critical · started {MOMENT} · INC-3",
    "Affects: Checkout API, Web shop",
    f"Next update by {MOMENT}",
    rf"Monitoring {MOMENT} A <fix> is in place\.",
]
EARLIER = [
    rf"Identified {MOMENT} This update was withdrawn\.",
    rf"Identified {MOMENT} Card payments fail\. See https://acme\.example/cards\?a=1&b=2\.",
    rf"Investigating {MOMENT} Status changed to Investigating\.",
]
SEARCH = [
    "Search is slow",
    f"Resolved Medium · started {MOMENT} · lasted 15 min · INC-1",
    "Affects: Search <beta>",
    rf"Resolved {MOMENT} A cache had run out of memory\. We have added more\.",
    "3 earlier updates",
    rf"Monitoring {MOMENT} We are adding memory\.",
    rf"Identified {MOMENT} Status changed to Identified\.",
    rf"Investigating {MOMENT} Status changed to Investigating\.",
]
FACTS = [
    "Acme <status> & more",
    "Major Service Outage",
    f"Unchanged since {MOMENT}",
    "2 open incidents",
    *CHECKOUT,
    "3 earlier updates",
    *EARLIER,
    "Images load slowly",
    f"Investigating Medium · started {MOMENT} · INC-4",
    "Affects: Web shop",
    "Components",
    "Shop Major outage",
    "Checkout API Major outage",
    rf"Carts & orders {BAR}{DAY}: major outage",
    f"Web shop Major outage {BAR}{DAY}: major outage",
    f"Reports Under maintenance {BAR}{DAY}: under maintenance",
    f"Search <beta> Operational {BAR}{DAY}: degraded performance",
    "Days not fully operational",
    rf"{DAY}: Checkout API \(major outage\), Web shop \(major outage\)",
    rf"{DAY}: Search <beta> \(degraded performance\)",
    "Ended in the last 14 days",
    *SEARCH,
    "All incidents by month",
    "Subscribe",
    r"Each incident \(Atom\) · Each incident \(RSS\) · Each update \(Atom\) · Each update \(RSS\)",
    "In a channel of Slack: /feed subscribe http",
    "By e-mail: ",
    "All days are days in UTC",
]


def missing(facts, text):
    """The first of ``facts`` that does not follow the one before it; None: they are all there."""
    place = 0
    for fact in facts:
        found = re.compile(fact).search(text, place)
        if found is None:
            return f"{fact} is not in {text[place:]}"
        place = found.end()
    return None


def test_the_page_has_every_fact_in_order(site, w3m):
    text = w3m(site)

    assert missing(FACTS, text) is None
    assert CANARY not in text


def test_the_page_of_an_incident_has_every_fact_in_order(site, w3m):
    facts = [
        "Acme <status> & more",
        *CHECKOUT,
        *EARLIER,
        f"This incident is unchanged since {MOMENT}",
    ]

    assert missing(facts, w3m(f"{site}/incidents/3")) is None


def test_the_month_of_an_incident_has_it(site, w3m, present):
    month = present - CHECKOUT_BEGAN
    text = w3m(f"{site}/history/{month:%Y-%m}")

    assert missing([f"Incidents in {month:%B %Y}", *CHECKOUT], text) is None
