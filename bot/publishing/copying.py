"""Makes the static copy of a page: now, and again whenever a write or time alone changes it.

The pages of incidents that are over are taken from the former copy while their facts are the same.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Protocol, TypeVar

from bot.page import html, site
from bot.page.addresses import Addresses, file_of, root_of
from bot.page.statuspage import DOCUMENTS
from bot.publishing.folder import Copied, CopyFolder, NotPublished
from bot.telemetry import log
from core.page import DAYS, PageIncident, PageSettings, PublicFacts, StatusPage
from core.projection import page_incident, project
from core.public_side import PublicIncident
from core.texts import listed
from storage.public import PublicReader

T = TypeVar("T")
# How often a copy is made without a change, and how long one is good.
ANEW, GOOD = timedelta(minutes=5), timedelta(minutes=10)
# After a failure the next attempt waits.
AGAIN = timedelta(minutes=1)
# The newest incidents that the copy holds, beside all open ones.
NEWEST = 1_000
# Hosts of static files serve this one for every path without a file.
MISSING = "404.html"
# The files for people, which lead to each other.
LINKED = (".html", ".md")


class PublicRows(Protocol):
    """The store, as far as the copy may read it."""

    def read_public_now(self, work: Callable[[PublicReader], T]) -> T:
        """The result of ``work``, from one snapshot of the public side."""


class StaticCopy:
    """The copy in ``folder`` of the page of ``workspace``.

    None: that of the only published one; of several, the one that ``folder`` has already.

    ``address`` gives the address of the page, and is told whether it is the only one.
    """

    def __init__(
        self,
        store: PublicRows,
        folder: Path,
        *,
        clock: Callable[[], datetime],
        address: Callable[[PageSettings, bool], str],
        workspace: str | None = None,
    ) -> None:
        self._store = store
        self._folder = CopyFolder(folder)
        self._clock = clock
        self._address = address
        self._workspace = workspace
        self._made: tuple[tuple[str, int] | None, datetime, datetime] | None = None
        self._not_before: datetime | None = None

    def look(self) -> None:
        """Makes the copy if the page has changed, or the copy is five minutes old.

        A failure is logged, and tried again after a minute.
        """
        at = self._clock()
        if self._not_before is not None and at < self._not_before:
            return
        try:
            if not self._is_current(at):
                self.make()
        except NotPublished as error:
            log.error("page not copied", reason=str(error))
            self._not_before = at + AGAIN

    def _is_current(self, at: datetime) -> bool:
        if self._made is None:
            return False
        seen, began, until = self._made
        return began <= at < until and seen == self._store.read_public_now(self._version)

    def make(self) -> bool:
        """Makes the copy; False: there is no such page, so it is taken away.

        Raises:
            NotPublished: the folder is not ours or cannot be written, or it is not clear which page
                is meant.
        """
        at = self._clock()
        seen, read = self._store.read_public_now(lambda reader: self._read(reader, at))
        if read is None:
            if self._workspace is None or self._folder.owner in {None, self._workspace}:
                self._folder.remove()
            self._made = (seen, at, at + ANEW)
            return False
        facts, incidents, alone = read
        page = project(facts, at)
        addresses = Addresses(self._address(facts.settings, alone))
        self._folder.replace(
            lambda copied: _fill(copied, page, incidents, addresses, at),
            owner=page.settings.workspace,
        )
        self._made = (seen, at, min(at + ANEW, page.until))
        return True

    def _version(self, reader: PublicReader) -> tuple[str, int] | None:
        workspace = self._chosen(reader)
        return reader.page_version(workspace=workspace) if workspace else None

    def _chosen(self, reader: PublicReader) -> str | None:
        if self._workspace is not None:
            return self._workspace
        owners = [page.workspace for page in reader.pages()]
        known = self._folder.owner
        if known is not None and (known in owners or reader.is_off(known)):
            # Another page must not end the copy of this one, or it would keep a withdrawn text; and
            # must not appear in its place once it is off.
            return known
        if len(owners) > 1:
            here, named = self._folder.path, listed(owners, most=10)
            raise NotPublished(
                f"Several pages are published, those of {named}, and a folder has one: run "
                f"`ratchet publish --to {here} --workspace {owners[0]}`, or of another."
            )
        return owners[0] if owners else None

    def _read(
        self, reader: PublicReader, at: datetime
    ) -> tuple[tuple[str, int] | None, tuple[PublicFacts, tuple[PublicIncident, ...], bool] | None]:
        seen = self._version(reader)
        facts = reader.page_facts(seen[0], at=at) if seen else None
        if seen is None or facts is None:
            return seen, None
        return seen, (facts, reader.newest(seen[0], NEWEST, at=at), len(reader.pages()) == 1)


def _fill(
    copied: Copied,
    page: StatusPage,
    newest: Sequence[PublicIncident],
    addresses: Addresses,
    at: datetime,
) -> None:
    known = {one.number: page_incident(one) for one in newest}
    known |= {one.incident.number: one for one in page.open}
    oldest_first = sorted(known.values(), key=lambda one: one.incident.since_declared)
    incidents = oldest_first[::-1]
    good, over = html.Copy(made=at, stale=at + GOOD), html.Copy(made=at)
    paths = list(_paths(page, incidents, whole=len(newest) < NEWEST))
    files = {file_of(path) for path in paths}
    for path in paths:
        asked = site.path_of(path, page)
        if asked is None:
            continue
        file = file_of(path)
        # Programs that read JSON and feeds keep what they read: its addresses are whole.
        at_file = addresses.within(files, file) if file.endswith(LINKED) else addresses
        found = _found(incidents, known, asked.needs)
        ended = isinstance(asked.needs, site.One | site.Former) and not found[0].open
        key = _key(path, found[0], page, addresses) if ended else None

        def content(
            asked: site.SitePath = asked,
            at_file: Addresses = at_file,
            found: Sequence[PageIncident] = found,
            copy: html.Copy = over if ended else good,
        ) -> bytes:
            made = asked.render(page, at_file, found, copy)
            return made.body if made else b""

        copied.write(file, content, key=key)
    # It is served in any folder, where only a whole address leads anywhere.
    copied.write(MISSING, lambda: site.missing(page, addresses, good).body)


class Addressed(Protocol):
    """The settings that say where a page is found."""

    @property
    def public_url(self) -> str | None:
        """The address of the server."""

    @property
    def status_hosts(self) -> Mapping[str, str | None]:
        """The hosts of pages, with their workspaces."""


def copy_of(
    store: PublicRows,
    folder: Path,
    settings: Addressed,
    *,
    clock: Callable[[], datetime],
    workspace: str | None = None,
) -> StaticCopy:
    """The copy in ``folder``, whose pages name the addresses that ``settings`` give them."""
    hosts, server = settings.status_hosts, settings.public_url or ""
    return StaticCopy(
        store,
        folder,
        clock=clock,
        address=lambda page, alone: root_of(page, hosts, server=server, alone=alone),
        workspace=workspace,
    )


def _paths(page: StatusPage, incidents: Sequence[PageIncident], *, whole: bool) -> Iterator[str]:
    """The paths of the site that the copy holds; a month only if all its incidents are there."""
    yield from site.FIXED
    yield from (f"api/v2/{name}.json" for name in DOCUMENTS)
    oldest = min((one.incident.declared_at.date() for one in incidents), default=page.today)
    if not whole:
        oldest = oldest.replace(day=1) + timedelta(days=31)
    names = ["history", *(f"incidents/{one.incident.number}" for one in incidents)]
    names += [f"incidents/{kept}" for kept in map(_kept, incidents) if kept]
    names += [f"history/{month:%Y-%m}" for month in _months(oldest, page.today)]
    names += [f"days/{page.today - timedelta(days=back):%Y-%m-%d}" for back in range(DAYS)]
    for name in names:
        yield from (name, f"{name}.md")


def _kept(one: PageIncident) -> str | None:
    """The id that an imported incident had before, in addresses as well."""
    return one.incident.kept.id if one.incident.kept else None


def _months(first: date, last: date) -> Iterator[date]:
    month = first.replace(day=1)
    while month <= last:
        yield month
        month = (month + timedelta(days=31)).replace(day=1)


def _found(
    incidents: Sequence[PageIncident], known: dict[int, PageIncident], needs: site.Needs
) -> list[PageIncident]:
    if needs is None:
        return []
    if isinstance(needs, site.One):
        return [known[needs.number]]
    if isinstance(needs, site.Former):
        return [one for one in incidents if _kept(one) == needs.id]
    return [one for one in incidents if site.is_within(one, needs)]


def _key(path: str, one: PageIncident, page: StatusPage, addresses: Addresses) -> str:
    """The same as long as the page of an incident says the same."""
    said = (path, one, page.settings, addresses.root, _form())
    return hashlib.sha256(repr(said).encode()).hexdigest()


@cache
def _form() -> str:
    """The form of the pages: another version of Ratchet may write them otherwise."""
    files = sorted(html.TEMPLATES.iterdir())
    return version("ratchet") + hashlib.sha256(b"".join(map(Path.read_bytes, files))).hexdigest()
