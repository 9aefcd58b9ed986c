"""Prints what statuscheck reads at an address. Runs in an environment of its own."""

from __future__ import annotations

import json
import sys

import attr  # type: ignore[import-not-found, unused-ignore]
from statuscheck.services.bases._statuspageio import BaseStatusPageAPI  # type: ignore[import-not-found]


class Page(BaseStatusPageAPI):
    """A page at an address of ours; each service of statuscheck is such a class."""

    name = "Acme"

    def _get_base_url(self):
        return f"{sys.argv[1]}/api/v2/"


read = Page().get_summary()
sys.stdout.write(
    json.dumps(
        {
            "status": attr.asdict(read.status),
            "components": {one.name: one.status for one in read.components},
            "incidents": {
                one.name: [one.status, [each.name for each in one.components]]
                for one in read.incidents
            },
        }
    )
)
