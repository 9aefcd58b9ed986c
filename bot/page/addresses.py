"""The addresses of a page and of its parts, under the page's own address.

A page that is served names whole addresses. A file of a static copy names other files beside it,
so that people can go on reading wherever the copy lies, also while the bot is down.
"""

from __future__ import annotations

import posixpath
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
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
    """``root`` is the absolute address of the page, without a slash at its end.

    ``file`` is the file of a static copy whose links these are; it lies among ``files``. None: the
    links are whole addresses.
    """

    root: str
    file: str | None = None
    files: AbstractSet[str] = frozenset()

    def within(self, files: AbstractSet[str], file: str) -> Addresses:
        """The addresses in ``file`` of a copy that holds ``files``."""
        return replace(self, file=file, files=files)

    @property
    def page(self) -> str:
        """The page itself."""
        if self.file is not None:
            return self.of("")
        return f"{self.root}/" if self.root.count("/") == 2 else self.root

    def whole(self, path: str) -> str:
        """The address of ``path`` for readers who have nothing but this address."""
        return f"{self.root}/{path}"

    def of(self, path: str) -> str:
        """The address of ``path`` under the page, such as ``history.atom``, for a link."""
        if self.file is None:
            return self.whole(path)
        return posixpath.relpath(file_of(path), posixpath.dirname(self.file) or ".")

    def has(self, path: str) -> bool:
        """Whether a link to ``path`` leads anywhere: a copy does not hold all of the past."""
        return self.file is None or file_of(path) in self.files

    def incident(self, incident: PublicIncident) -> str:
        """The page of an incident; its number never changes."""
        return self.of(incident_path(incident))

    def day(self, day: date) -> str:
        """The page of one day."""
        return self.of(day_path(day))


def incident_path(incident: PublicIncident) -> str:
    """The path of an incident's page; its number never changes."""
    return f"incidents/{incident.number}"


def month_path(first: date) -> str:
    """The path of the history of the month that begins with ``first``."""
    return f"history/{first:%Y-%m}"


def day_path(day: date) -> str:
    """The path of the page of one day."""
    return f"days/{day:%Y-%m-%d}"


def file_of(path: str) -> str:
    """The name of the file that a file server gives for ``path``."""
    if path.rpartition(".")[2] in {"md", "json", "svg", "atom", "rss"}:
        return path
    return f"{path}/index.html".removeprefix("/")
