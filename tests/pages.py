"""The addresses under a page that every published page with an incident has."""

from __future__ import annotations

PATHS = [
    "",
    ".md",
    "/index.md",
    "/incidents/1",
    "/incidents/1.md",
    "/history",
    "/history.md",
    "/history/2026-03",
    "/days/2026-03-02",
    "/days/2026-03-02.md",
    "/history.atom",
    "/history.rss",
    "/updates.atom",
    "/updates.rss",
    "/badge.svg",
    "/api/v2/summary.json",
    "/api/v2/status.json",
    "/api/v2/components.json",
    "/api/v2/incidents.json",
    "/api/v2/incidents/unresolved.json",
    "/api/v2/scheduled-maintenances.json",
    "/api/v2/scheduled-maintenances/upcoming.json",
    "/api/v2/scheduled-maintenances/active.json",
]
