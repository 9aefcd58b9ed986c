"""Atom and RSS feeds of a page: one entry for each incident, or one for each public update. Pure.

Ids of entries hold neither host nor slug. The bytes follow from public facts alone: a feed does
not change at midnight, as the bars of the page do.

Source: RFC 4287 (Atom) and https://www.rssboard.org/rss-specification
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime
from uuid import UUID, uuid5
from xml.etree import ElementTree as ET

from bot.page.addresses import Addresses
from bot.page.texts import as_html, utc
from core.incident import update_id
from core.page import RECENT, PageUpdate, StatusPage

ATOM = "http://www.w3.org/2005/Atom"
FEEDS_NAMESPACE = UUID("3e0f6c52-6a55-5a3e-8f0f-0d9f9f3b7d11")

ET.register_namespace("atom", ATOM)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One entry of a feed; ``html`` is its content. Atom has ``id``, RSS ``guid``."""

    id: str
    guid: str
    title: str
    address: str
    published_at: datetime
    updated_at: datetime
    html: str


def history(page: StatusPage, addresses: Addresses) -> Iterator[Entry]:
    """One entry for each incident, newest first. It is issued again on each update."""
    for one in page.recent:
        kept, own = one.incident.kept, f"urn:uuid:{one.incident.id}"
        yield Entry(
            id=(kept and kept.atom) or own,
            guid=(kept and kept.address) or own,
            title=one.incident.title,
            address=addresses.incident(one.incident),
            published_at=kept.created_at if kept else one.incident.declared_at,
            updated_at=one.incident.updated_at,
            html="".join(f"<p>{_told(update)}</p>" for update in one.updates),
        )


def updates(page: StatusPage, addresses: Addresses) -> Iterator[Entry]:
    """One entry for each public update, newest first, for readers that show an entry once.

    One whose text is still held back is left out: it comes with its text, or without any once that
    is taken back.
    """
    told = [(one, of) for of in page.recent for one in of.updates if not one.held]
    told.sort(key=lambda pair: (pair[0].told_at, pair[1].incident.number), reverse=True)
    for update, one in told[:RECENT]:
        own = f"urn:uuid:{update_id(one.incident.id, update.entry)}"
        yield Entry(
            id=own,
            guid=own,
            title=f"{one.incident.title}: {update.status.capitalize()}",
            address=addresses.incident(one.incident),
            published_at=update.told_at,
            updated_at=update.changed_at,
            html=f"<p>{_told(update)}</p>",
        )


def _told(update: PageUpdate) -> str:
    return (
        f"<strong>{update.status.capitalize()}</strong> · <small>{utc(update.at)}</small>"
        f"<br>{as_html(update.words)}"
    )


Entries = Callable[[StatusPage, Addresses], Iterator[Entry]]


def atom(entries: Entries, name: str, page: StatusPage, addresses: Addresses) -> bytes:
    """The feed ``name`` (such as ``history``) as Atom."""
    made = list(entries(page, addresses))
    feed = ET.Element("feed", {"xmlns": ATOM})
    _add(feed, "id", f"urn:uuid:{_feed_id(page, name)}")
    _add(feed, "title", _title(page, name))
    _add(feed, "updated", _iso(_updated_at(page, made)))
    _add(feed, "link", rel="self", type="application/atom+xml", href=addresses.of(f"{name}.atom"))
    _add(feed, "link", rel="alternate", type="text/html", href=addresses.page)
    _add(_add(feed, "author"), "name", page.settings.title)
    for one in made:
        entry = _add(feed, "entry")
        _add(entry, "id", one.id)
        _add(entry, "title", one.title)
        _add(entry, "link", rel="alternate", type="text/html", href=one.address)
        _add(entry, "published", _iso(one.published_at))
        _add(entry, "updated", _iso(one.updated_at))
        _add(entry, "content", one.html, type="html")
    return _bytes(feed)


def rss(entries: Entries, name: str, page: StatusPage, addresses: Addresses) -> bytes:
    """The feed ``name`` (such as ``history``) as RSS 2.0."""
    made = list(entries(page, addresses))
    root = ET.Element("rss", {"version": "2.0"})
    channel = _add(root, "channel")
    _add(channel, "title", _title(page, name))
    _add(channel, "link", addresses.page)
    _add(channel, "description", f"{page.settings.title}: incidents and their updates")
    _add(channel, "lastBuildDate", format_datetime(_updated_at(page, made)))
    href = addresses.of(f"{name}.rss")
    _add(channel, f"{{{ATOM}}}link", rel="self", type="application/rss+xml", href=href)
    for one in made:
        item = _add(channel, "item")
        _add(item, "title", one.title)
        _add(item, "link", one.address)
        _add(item, "guid", one.guid, isPermaLink="false")
        _add(item, "pubDate", format_datetime(one.updated_at))
        _add(item, "description", one.html)
    return _bytes(root)


def changed_at(name: str, page: StatusPage) -> datetime:
    """The moment since which the bytes of the feed ``name`` may be what they are.

    `updates` also change once a text is taken back that came with a status.
    """
    moments = [page.since]
    if name.startswith("updates."):
        moments += [one.settled_at for of in page.recent for one in of.updates if one.settled_at]
    return max(moments)


FEEDS: dict[str, Callable[[StatusPage, Addresses], bytes]] = {
    "history.atom": lambda page, addresses: atom(history, "history", page, addresses),
    "history.rss": lambda page, addresses: rss(history, "history", page, addresses),
    "updates.atom": lambda page, addresses: atom(updates, "updates", page, addresses),
    "updates.rss": lambda page, addresses: rss(updates, "updates", page, addresses),
}


def _feed_id(page: StatusPage, name: str) -> UUID:
    return uuid5(FEEDS_NAMESPACE, f"{page.settings.workspace} {name}")


def _title(page: StatusPage, name: str) -> str:
    what = "incidents" if name == "history" else "updates"
    return f"{page.settings.title}: {what}"


def _updated_at(page: StatusPage, made: list[Entry]) -> datetime:
    return max((one.updated_at for one in made), default=page.settings.published_at)


def _iso(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _add(parent: ET.Element, tag: str, text: str | None = None, **attributes: str) -> ET.Element:
    child = ET.SubElement(parent, tag, attributes)
    child.text = text
    return child


def _bytes(root: ET.Element) -> bytes:
    made: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return made
