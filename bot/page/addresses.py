"""The addresses of a page and of its parts, under the page's own address."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from core.page import PageSettings
from core.public_side import PublicIncident

# The hosts that serve a page at their root, with its workspace; None: the only published page's.
Hosts = Mapping[str, str | None]


def root_of(page: PageSettings, hosts: Hosts, *, server: str, alone: bool) -> str:
    """The address of a page: its own host, otherwise below ``server``.

    ``alone``: it is the only page that is published.
    """
    for host, workspace in hosts.items():
        if workspace == page.workspace or (workspace is None and alone):
            return f"https://{host}"
    return f"{server}/status/{page.slug}"


@dataclass(frozen=True, slots=True)
class Addresses:
    """``root`` is the absolute address of the page, without a slash at its end."""

    root: str

    @property
    def page(self) -> str:
        """The page itself."""
        return f"{self.root}/" if self.root.count("/") == 2 else self.root

    def of(self, path: str) -> str:
        """The address of ``path`` under the page, such as ``history.atom``."""
        return f"{self.root}/{path}"

    def incident(self, incident: PublicIncident) -> str:
        """The page of an incident; its number never changes."""
        return self.of(f"incidents/{incident.number}")

    def month(self, first: date) -> str:
        """The history of the month that begins with ``first``."""
        return self.of(f"history/{first:%Y-%m}")

    def day(self, day: date) -> str:
        """The page of one day."""
        return self.of(f"days/{day:%Y-%m-%d}")
