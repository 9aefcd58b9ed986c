"""The page that the tests of its renderings share: each kind of thing once."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

from bot.page.addresses import Addresses
from core.incident import Component, PublicText, Severity
from core.page import ComponentGroup, ComponentStatus, Override, StatusPage
from core.public_side import PublicPromise
from tests.builders import NINE, a_component, an_id
from tests.core.test_projection import HOUR, MINUTE, an_incident, page, shown

AT = Addresses("https://ratchet.example/status/acme")
CHECKOUT, WEB, SEARCH, MOBILE, REPORTS = map(
    a_component, ("Checkout API", "Web shop", "Search", "Mobile apps", "Reports")
)
SHOP = ComponentGroup(
    id=an_id("Shop"),
    name="Shop",
    position=1,
    description="Everything that customers touch",
    created_at=NINE,
    updated_at=NINE,
)
LONG_AGO, TOMORROW = date(2025, 6, 1), date(2026, 3, 3)
MAINTAINED = (Override(at=NINE, status=ComponentStatus.UNDER_MAINTENANCE),)
COMPONENTS = (
    shown(CHECKOUT, group=SHOP.id, description="Carts and orders", start_date=LONG_AGO),
    shown(WEB, group=SHOP.id, position=2, start_date=date(2026, 1, 10)),
    shown(SEARCH, start_date=LONG_AGO),
    shown(MOBILE, position=2, start_date=TOMORROW),
    shown(REPORTS, position=3, start_date=LONG_AGO, overrides=MAINTAINED),
)
OPEN = an_incident(
    (NINE + 10 * MINUTE, "identified", "Card payments <fail>.\nSee https://acme.example/cards."),
    (NINE + 25 * MINUTE, "monitoring", "A fix is in place. We are watching it."),
    tagged=(CHECKOUT, WEB),
    next_update=PublicPromise(NINE + 80 * MINUTE),
)


def ended(number: int, days_ago: int, *tagged: Component, **changes: Any) -> Any:
    """An incident that began at nine ``days_ago``, and lasted two hours."""
    start: datetime = NINE - timedelta(days=days_ago)
    return an_incident(
        (start + 20 * MINUTE, "identified", None),
        (start + 2 * HOUR, "resolved", "A cache had run out of memory. We have added more."),
        number=number,
        tagged=tagged,
        started_at=start,
        resolved_at=start + 2 * HOUR,
        **{"title": PublicText("Search is slow"), "severity": Severity.MEDIUM} | changes,
    )


PAST = (ended(41, 3, SEARCH), ended(40, 30, CHECKOUT, severity=Severity.CRITICAL))


def the_page(**changes: Any) -> StatusPage:
    """The page at ten, with one open incident, one that ended lately, and an older one."""
    fields: dict[str, Any] = {"components": COMPONENTS, "groups": (SHOP,)}
    return page(OPEN, *PAST, **fields | changes)
