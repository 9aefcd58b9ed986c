"""The rendered bytes of status pages, kept until a write or time alone changes them.

A request costs a look-up. The version of a page is read again at most every `FRESH`, however many
requests come; so a write of another process is seen that much later. Changes by time are seen at
their moment.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Protocol, TypeVar

from bot.page import site
from bot.page.addresses import Addresses
from core.page import PageIncident, PageSettings, StatusPage
from core.projection import Projector, page_incident
from storage.public import PublicReader
from storage.remembered import Remembered

T = TypeVar("T")
FRESH = timedelta(milliseconds=250)
# A page that was just published may miss a change that began before: its facts are read anew.
ANEW = timedelta(minutes=1)
# The rendered paths that are kept for each page; the one that was asked for longest ago goes first.
KEPT = 512


class PublicStore(Protocol):
    """The store, as far as a page may read it."""

    def read_public(self, work: Callable[[PublicReader], T]) -> Awaitable[T]:
        """The result of ``work``, from one snapshot of the public side."""


@dataclass(frozen=True, slots=True)
class KeptBytes:
    """The bytes of a path with their validators. ``etag`` is quoted, and strong."""

    body: bytes
    media_type: str
    etag: str
    changed_at: datetime


@dataclass(slots=True)
class _Page:
    """A page with its rendered paths. Times are the loop's: of the last look, and of its facts."""

    version: int
    checked: float
    read: float
    value: StatusPage
    address: str
    remembered: Remembered
    projector: Projector
    kept: OrderedDict[str, KeptBytes | None] = field(default_factory=OrderedDict)
    # Not among the paths: a request could name it there.
    missing: KeptBytes | None = None


class Shelf:
    """``address`` gives the address of a page; ``fresh`` is the longest delay of a write.

    ``address`` is told, too, whether the page is the only one that is published.
    """

    def __init__(
        self,
        store: PublicStore,
        *,
        clock: Callable[[], datetime],
        address: Callable[[PageSettings, bool], str],
        fresh: timedelta = FRESH,
    ) -> None:
        self._store = store
        self._clock = clock
        self._address = address
        self._fresh = fresh.total_seconds()
        self._pages: dict[str, _Page] = {}
        self._looking = asyncio.Lock()

    async def find(self, workspace: str, path: str) -> KeptBytes | None:
        """The bytes of ``path`` of the workspace's page as they are now; None: there are none."""
        page = await self._page(workspace)
        if page is None:
            return None
        if path in page.kept:
            page.kept.move_to_end(path)
            return page.kept[path]
        made = await self._render(page, path)
        if self._pages.get(workspace) is page and made is not None:
            page.kept[path] = made
            while len(page.kept) > KEPT:
                page.kept.popitem(last=False)
        return made

    async def missing(self, workspace: str) -> KeptBytes | None:
        """The bytes for people who ask for a path that is none; None: there is no page at all.

        They do not depend on the path, so they tell nothing of a private incident.
        """
        page = await self._page(workspace)
        if page is None:
            return None
        if page.missing is None:
            made = site.missing(page.value, Addresses(page.address))
            page.missing = _kept(made, page.value.since)
        return page.missing

    async def settings(self) -> tuple[PageSettings, ...]:
        """All published pages, by slug."""
        return await self._store.read_public(PublicReader.pages)

    async def address_of(self, page: PageSettings) -> str:
        """The address at which a published page is served."""
        return self._address(page, len(await self.settings()) == 1)

    async def _page(self, workspace: str) -> _Page | None:
        known = self._pages.get(workspace)
        if known is not None and self._is_current(known):
            return known
        async with self._looking:
            known = self._pages.get(workspace)
            if known is not None and self._is_current(known):
                return known
            return await self._look(workspace, known)

    def _is_current(self, page: _Page) -> bool:
        looked = asyncio.get_running_loop().time() - page.checked
        return looked < self._fresh and self._holds(page)

    def _holds(self, page: _Page) -> bool:
        """Whether time alone has not changed it; a clock that was set back counts as a change."""
        return page.value.since <= self._clock() < page.value.until

    async def _look(self, workspace: str, known: _Page | None) -> _Page | None:
        checked = asyncio.get_running_loop().time()
        version = await self._store.read_public(
            partial(PublicReader.page_version, workspace=workspace)
        )
        if version is None:
            self._pages.pop(workspace, None)
            return None
        anew = known is None or checked - known.read >= ANEW.total_seconds()
        if known is not None and not anew and known.version == version[1] and self._holds(known):
            known.checked = checked
            return known
        at = self._clock()
        remembered, projector = Remembered(), Projector()
        if known is not None and not anew:
            remembered, projector = known.remembered, known.projector
        facts, pages = await self._store.read_public(
            lambda reader: (
                reader.page_facts(workspace, at=at, remembered=remembered),
                reader.pages(),
            )
        )
        if facts is None:
            self._pages.pop(workspace, None)
            return None
        # The facts may be newer than the version; then the next look reads them once more.
        made = _Page(
            version=version[1],
            checked=checked,
            read=checked if anew or known is None else known.read,
            value=projector.project(facts, at),
            address=self._address(facts.settings, len(pages) == 1),
            remembered=remembered,
            projector=projector,
        )
        self._pages[workspace] = made
        return made

    async def _render(self, page: _Page, path: str) -> KeptBytes | None:
        asked = site.path_of(path, page.value)
        if asked is None:
            return None
        found = await self._found(page.value, asked.needs)
        rendered = asked.render(page.value, Addresses(page.address), found)
        if rendered is None:
            return None
        return _kept(rendered, page.value.since)

    async def _found(self, page: StatusPage, needs: site.Needs) -> list[PageIncident]:
        if needs is None:
            return []
        known = {one.incident.number: one for one in (*page.recent, *page.open)}
        workspace, at = page.settings.workspace, self._clock()
        if isinstance(needs, site.One):
            if needs.number in known:
                return [known[needs.number]]
            incident = await self._store.read_public(
                partial(PublicReader.numbered, workspace=workspace, number=needs.number, at=at)
            )
            return [page_incident(incident)] if incident else []
        if isinstance(needs, site.Former):
            incident = await self._store.read_public(
                partial(PublicReader.known_as, workspace=workspace, kept=needs.id, at=at)
            )
            return [page_incident(incident)] if incident else []
        declared = await self._store.read_public(
            partial(
                PublicReader.history, workspace=workspace, start=needs.start, end=needs.end, at=at
            )
        )
        found = {one.number: page_incident(one) for one in declared}
        if needs.overlapping:
            found |= {number: one for number, one in known.items() if site.is_within(one, needs)}
        return sorted(found.values(), key=lambda one: one.incident.since_declared, reverse=True)


def _kept(made: site.Rendered, since: datetime) -> KeptBytes:
    changed_at = made.changed_at or since
    digest = hashlib.sha256(made.body).hexdigest()[:32]
    return KeptBytes(made.body, made.media_type, f'"{digest}"', changed_at)
