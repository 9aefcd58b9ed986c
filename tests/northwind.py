"""A status page in the shape of Statuspage v2: what its addresses answered before a move."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

from bot.importing.reading import read
from core.importing import Imports
from storage.store import SqlStore
from tests.builders import an_actor

Json = dict[str, Any]

PAGE = {
    "id": "kq0z1x9p7m2d",
    "name": "Northwind Status",
    "url": "https://status.northwind.example",
    "time_zone": "Etc/UTC",
    "updated_at": "2026-02-20T09:00:00.900Z",
}


def component(id_: str, name: str, position: int, **more: Any) -> Json:
    return {
        "id": id_,
        "name": name,
        "status": "operational",
        "created_at": "2024-01-10T08:00:00.123Z",
        "updated_at": "2026-02-21T10:00:00.456Z",
        "position": position,
        "description": None,
        "showcase": False,
        "start_date": None,
        "group_id": None,
        "page_id": PAGE["id"],
        "group": False,
        "only_show_if_degraded": False,
    } | more


EUROPE, AMERICA = "grp1grp1grp1", "grp2grp2grp2"
API, WEB, SHOP, MAIL = "eu1api0000aa", "eu1web0000aa", "us1shop000aa", "mailmail0000"
COMPONENTS = [
    component(EUROPE, "Europe", 1, group=True, components=[API, WEB]),
    component(
        API,
        "API",
        1,
        group_id=EUROPE,
        description="What apps call.",
        showcase=True,
        start_date="2024-01-10",
    ),
    component(WEB, "Website", 2, group_id=EUROPE),
    component(AMERICA, "America", 2, group=True, components=[SHOP]),
    component(SHOP, "Shop", 1, group_id=AMERICA),
    component(MAIL, "E-mail", 3, only_show_if_degraded=True),
]
NAMES = {one["id"]: one["name"] for one in COMPONENTS}


def affected(*told: tuple[str, str, str]) -> list[Json]:
    return [
        {"code": code, "name": NAMES[code], "old_status": old, "new_status": new}
        for code, old, new in told
    ]


def update(id_: str, status: str, body: str, at: str, **more: Any) -> Json:
    return {
        "id": id_,
        "status": status,
        "body": body,
        "created_at": at,
        "updated_at": at,
        "display_at": at,
        "affected_components": None,
        "deliver_notifications": True,
        "custom_tweet": None,
        "tweet_id": None,
    } | more


def incident(id_: str, name: str, status: str, updates: list[Json], **more: Any) -> Json:
    """An incident there; ``updates`` are newest first, ``tags`` are ids of its components."""
    tags = more.pop("tags", ())
    first = updates[-1]["display_at"] if updates else more["created_at"]
    return {
        "id": id_,
        "name": name,
        "status": status,
        "created_at": first,
        "updated_at": updates[0]["updated_at"] if updates else first,
        "monitoring_at": None,
        "resolved_at": None,
        "impact": "minor",
        "shortlink": f"https://stspg.example/{id_}",
        "started_at": first,
        "page_id": PAGE["id"],
        "incident_updates": [one | {"incident_id": id_} for one in updates],
        "components": [one for one in COMPONENTS if one["id"] in tags],
    } | more


MAIL_IS_LATE = incident(
    "inc0000000c3",
    "Mail is late",
    "resolved",
    [
        update(
            "updc30000002",
            "resolved",
            "All mail has been delivered.",
            "2026-02-20T09:00:00.800Z",
            affected_components=affected((MAIL, "degraded_performance", "operational")),
        ),
        update(
            "updc30000001",
            "investigating",
            "Mail arrives up to 30 minutes late.",
            "2026-02-20T07:00:00.200Z",
            affected_components=affected((MAIL, "operational", "degraded_performance")),
        ),
    ],
    created_at="2026-02-20T07:00:00.100Z",
    updated_at="2026-02-20T09:00:00.900Z",
    started_at="2026-02-20T06:59:59.900Z",
    resolved_at="2026-02-20T09:00:00.800Z",
    tags=(MAIL,),
)
# It went back a step, its second text was edited, and it ends with a postmortem.
CHECKOUT_FAILS = incident(
    "inc0000000b2",
    "Checkout fails",
    "postmortem",
    [
        update(
            "updb20000006",
            "postmortem",
            "A cache was full.\n\nIt has limits now.",
            "2026-01-18T12:00:00.400Z",
        ),
        update("updb20000005", "resolved", "Fixed.", "2026-01-15T14:00:00.000Z"),
        update("updb20000004", "monitoring", "A fix is out.", "2026-01-15T13:00:00.000Z"),
        update("updb20000003", "investigating", "It is back.", "2026-01-15T12:40:00.000Z"),
        update(
            "updb20000002",
            "identified",
            "A cache is full.",
            "2026-01-15T12:20:00.000Z",
            updated_at="2026-01-15T12:25:00.000Z",
        ),
        update(
            "updb20000001",
            "investigating",
            "Payments over 5 < 10 fail, see https://help.northwind.example.",
            "2026-01-15T12:00:00.000Z",
            affected_components=affected(
                (API, "operational", "major_outage"), (SHOP, "operational", "partial_outage")
            ),
        ),
    ],
    impact="critical",
    updated_at="2026-01-18T12:00:00.500Z",
    started_at="2026-01-15T11:50:00.000Z",
    monitoring_at="2026-01-15T13:00:00.000Z",
    resolved_at="2026-01-15T14:00:00.000Z",
    tags=(API, SHOP),
)
# It was told of only once it was over, two hours later.
SLOW_PAGES = incident(
    "inc0000000a1",
    "Slow pages",
    "resolved",
    [
        update(
            "upda10000001",
            "resolved",
            "Pages were slow for a while.",
            "2025-12-01T11:00:00.000Z",
            created_at="2025-12-01T13:00:00.000Z",
            updated_at="2025-12-01T13:00:00.000Z",
        )
    ],
    impact="none",
    created_at="2025-12-01T13:00:00.000Z",
    updated_at="2025-12-01T13:00:00.100Z",
    started_at="2025-12-01T10:00:00.000Z",
    resolved_at="2025-12-01T11:00:00.000Z",
    tags=(WEB,),
)
LOGINS_FAIL = incident(
    "inc0000000d4",
    "Logins fail",
    "identified",
    [
        update("updd40000002", "identified", "A certificate is over.", "2026-03-02T08:30:00.000Z"),
        update("updd40000001", "investigating", "Logins fail.", "2026-03-02T08:00:00.000Z"),
    ],
    impact="major",
    tags=(WEB,),
)
PAST = [MAIL_IS_LATE, CHECKOUT_FAILS, SLOW_PAGES]


def summary(*unresolved: Json) -> Json:
    return {
        "page": PAGE,
        "components": COMPONENTS,
        "incidents": list(unresolved),
        "scheduled_maintenances": [],
        "status": {"indicator": "none", "description": "All Systems Operational"},
    }


def incidents(*listed: Json) -> Json:
    return {"page": PAGE, "incidents": list(listed) or PAST}


FEED = """<?xml version="1.0" encoding="UTF-8"?>
<feed xml:lang="en-US" xmlns="http://www.w3.org/2005/Atom">
  <id>tag:status.northwind.example,2005:/history</id>
  <title>Northwind Status - Incident History</title>
  <entry>
    <id>tag:status.northwind.example,2005:Incident/4711</id>
    <published>2026-02-20T09:00:00Z</published>
    <updated>2026-02-20T09:00:00Z</updated>
    <link rel="alternate" type="text/html"
      href="https://status.northwind.example/incidents/inc0000000c3"/>
    <title>Mail is late</title>
    <content type="html">&lt;p&gt;…&lt;/p&gt;</content>
  </entry>
</feed>
"""


async def import_northwind(
    store: SqlStore, clock: Callable[[], datetime], folder: Path, *unresolved: Json
) -> None:
    """Imports the past of the page from files in ``folder``, and ``unresolved`` incidents."""
    names = []
    for name, document in (("summary", summary(*unresolved)), ("incidents", incidents())):
        names.append(folder / f"{name}.json")
        names[-1].write_text(json.dumps(document))
    page, _ = read([str(name) for name in names])
    open_too = True if unresolved else None
    await Imports(store, clock=clock).run(an_actor(admin=True), page, open_too=open_too)
