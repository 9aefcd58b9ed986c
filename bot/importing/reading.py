"""Files and addresses of a page in the shape of Statuspage v2, read into one `ForeignPage`.

Everything is read and checked before anything is returned. A fault is a sentence with its place.

Source: https://metastatuspage.com/api
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlsplit
from xml.etree import ElementTree as ET

import aiohttp
from pydantic import ValidationError

from bot.importing.plain import plain, plain_line
from bot.importing.shapes import ComponentShape, Document, IncidentShape, UpdateShape
from bot.variables import is_loopback
from bot.webhooks.outward import REASONS, code_of
from core.foreign import (
    ForeignAffected,
    ForeignComponent,
    ForeignGroup,
    ForeignIncident,
    ForeignPage,
    ForeignUpdate,
)
from core.imported import cut
from core.incident import COMPONENT_DESCRIPTION_MAX, TITLE_MAX
from core.texts import UNSTORABLE

FILE_MAX_BYTES = 10_000_000
INCIDENTS_MAX = 1_000
TIMEOUT_SECONDS = 30
# The end of a request without an answer, by its code.
WHY = {**REASONS, "timeout": f"did not answer within {TIMEOUT_SECONDS} seconds"}
ATOM = "{http://www.w3.org/2005/Atom}"
# The documents of a page; the feed has the ids of its entries, and may be missing.
DOCUMENTS = ("api/v2/summary.json", "api/v2/incidents.json")
FEED = "history.atom"


class UnreadableSource(Exception):
    """A source cannot be read, or is no document of such a page; the text says why."""


def read(sources: Sequence[str]) -> tuple[ForeignPage, tuple[str, ...]]:
    """The page in ``sources``, files and addresses, with sentences about what is left out.

    Raises:
        UnreadableSource: one of them.
    """
    documents: list[tuple[str, Document]] = []
    entries: dict[str, str] = {}
    for name, content in _contents(sources):
        if content.lstrip()[:1] == b"<":
            entries |= _entries(name, content)
        else:
            documents.append((name, _document(name, content)))
    if not documents:
        raise UnreadableSource("No JSON document was given: name summary.json and incidents.json.")
    return _page(documents, entries)


def _contents(sources: Sequence[str]) -> Iterable[tuple[str, bytes]]:
    for source in sources:
        if "://" in source:
            yield from asyncio.run(_fetched(source))
        else:
            yield source, _file(Path(source))


def _file(path: Path) -> bytes:
    try:
        with path.open("rb") as stream:
            content = stream.read(FILE_MAX_BYTES + 1)
    except OSError as error:
        raise UnreadableSource(f"{path} cannot be read: {error.strerror}.") from None
    return _bounded(str(path), content)


def _bounded(name: str, content: bytes) -> bytes:
    if len(content) > FILE_MAX_BYTES:
        raise UnreadableSource(
            f"{name} has more than {FILE_MAX_BYTES:,} bytes: no status page does."
        )
    return content


# --- addresses ---------------------------------------------------------------------------------


async def _fetched(address: str) -> list[tuple[str, bytes]]:
    """The documents of the page at ``address``, or the one document that it names."""
    _refuse_insecure(address)
    timeout = aiohttp.ClientTimeout(total=TIMEOUT_SECONDS)
    async with aiohttp.ClientSession(
        timeout=timeout, trust_env=not is_loopback(address)
    ) as session:
        if urlsplit(address).path.endswith((".json", ".atom")):
            return [(address, await _get(session, address))]
        root = address.rstrip("/")
        found = [(f"{root}/{one}", await _get(session, f"{root}/{one}")) for one in DOCUMENTS]
        feed = f"{root}/{FEED}"
        try:
            found.append((feed, await _get(session, feed)))
        except UnreadableSource:
            return found
        if found[-1][1].lstrip()[:1] != b"<":
            found.pop()
        return found


def _refuse_insecure(address: str) -> None:
    if not address.startswith("https://") and not (
        address.startswith("http://") and is_loopback(address)
    ):
        raise UnreadableSource(f"{address} is no address that is read: give one with https://.")


async def _get(session: aiohttp.ClientSession, address: str) -> bytes:
    """The bytes at ``address``; redirects are followed to https alone."""
    try:
        for _ in range(5):
            async with session.get(address, allow_redirects=False) as answer:
                if answer.status in {301, 302, 303, 307, 308} and "Location" in answer.headers:
                    address = urljoin(address, answer.headers["Location"])
                    _refuse_insecure(address)
                    continue
                if answer.status != 200:
                    raise UnreadableSource(
                        f"{address} answered {answer.status}: is it the address of a status page?"
                    )
                return _bounded(address, await _limited(answer))
    except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as error:
        raise UnreadableSource(
            f"{address} {WHY[code_of(error)]}: check it and try again, or save its documents as "
            "files."
        ) from None
    raise UnreadableSource(f"{address} redirects again and again.")


async def _limited(answer: aiohttp.ClientResponse) -> bytes:
    content = bytearray()
    async for part in answer.content.iter_chunked(65_536):
        content += part
        if len(content) > FILE_MAX_BYTES:
            break
    return bytes(content)


# --- documents ---------------------------------------------------------------------------------


def _document(name: str, content: bytes) -> Document:
    try:
        value = json.loads(content.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        raise UnreadableSource(
            f"{name} is no JSON: save the answer of api/v2/summary.json or api/v2/incidents.json "
            "as it is."
        ) from None
    try:
        return Document.model_validate(value)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        raise UnreadableSource(f"{name}: {_fault(first, value)}") from None


LISTS = {"incidents": "incident", "components": "component"}
# A field of a document that cannot be read, by the kind of the error and then by the field.
PROBLEMS = {
    "missing": "is missing: is it a document of Statuspage's API v2?",
    "list_type": "is no JSON list: save the answer as it is.",
    "string_type": "is no text.",
    "string_too_short": "is empty.",
    "timezone_aware": "has no time zone: write it such as 2026-03-01T09:00:00Z.",
    "value_error": "is no moment of the years 2000 to 2200.",
    "url": "is no address with http:// or https://.",
    "id": "is no id of at most 64 letters, digits, - and _.",
}
KINDS = (
    (("model", "dict"), "must be a JSON object: save the answer as it is."),
    (("datetime",), "is no moment: write one such as 2026-03-01T09:00:00Z."),
    (("date",), "is no day: write one such as 2026-03-01."),
    (("bool",), "is neither true nor false."),
    (("int",), "is no whole number."),
)


def _fault(error: Mapping[str, Any], document: object) -> str:
    """The first fault of a document as a sentence: ``incidents[3].name is missing``."""
    place = ""
    for part in error["loc"]:
        place += f"[{part}]" if isinstance(part, int) else f".{part}" if place else str(part)
    return f"{_whose(error['loc'], document)}{place or 'the document'} {_problem(error)}"


def _whose(place: Sequence[object], document: object) -> str:
    """``the incident inc000000001, `` for a place in one; empty for any other place."""
    match place:
        case [str() as name, int() as number, _, *_] if name in LISTS:
            one = document[name][number] if isinstance(document, dict) else None
            id_ = one.get("id") if isinstance(one, dict) else None
            if isinstance(id_, str):
                shown = cut(UNSTORABLE.sub("", id_), 64)
                return f"the {LISTS[name]} {shown}, "
    return ""


def _problem(error: Mapping[str, Any]) -> str:
    kind, expected = str(error["type"]), error.get("ctx", {})
    if kind in PROBLEMS:
        return PROBLEMS[kind]
    if kind == "string_too_long":
        return f"has more than {expected['max_length']:,} characters."
    if kind == "string_pattern_mismatch":
        return PROBLEMS["url" if error["loc"][-1] == "url" else "id"]
    if "expected" in expected:
        known = str(expected["expected"]).replace("'", "")
        return f"is none of {known}."
    found = (words for beginnings, words in KINDS if kind.startswith(beginnings))
    return next(found, "cannot be read.")


def _entries(name: str, content: bytes) -> dict[str, str]:
    """The ids of a feed's entries, by the addresses of their incidents."""
    if b"<!DOCTYPE" in content or b"<!ENTITY" in content:
        raise UnreadableSource(f"{name} declares entities, which no feed of a status page does.")
    try:
        feed = ET.fromstring(content)  # noqa: S314 - bounded, and without entities
    except ET.ParseError:
        raise UnreadableSource(f"{name} is neither JSON nor a feed: name summary.json.") from None
    if feed.tag != f"{ATOM}feed":
        raise UnreadableSource(f"{name} is no Atom feed: name history.atom, or leave it out.")
    found = {}
    for entry in feed.iter(f"{ATOM}entry"):
        id_, link = entry.findtext(f"{ATOM}id"), entry.find(f"{ATOM}link")
        if id_ and link is not None and (address := link.get("href")):
            found[address.strip()] = plain(id_)
    return found


def _page(
    documents: Sequence[tuple[str, Document]], entries: Mapping[str, str]
) -> tuple[ForeignPage, tuple[str, ...]]:
    first_name, first = documents[0]
    for name, document in documents:
        if document.page.id != first.page.id:
            raise UnreadableSource(
                f"{name} is of the page {document.page.id}, and {first_name} of {first.page.id}: "
                "import one page at a time."
            )
    parts = {one.id: one for _, document in documents for one in document.components or ()}
    incidents: dict[str, IncidentShape] = {}
    for _, document in documents:
        for one in document.incidents or ():
            known = incidents.get(one.id)
            if known is None or known.updated_at < one.updated_at:
                incidents[one.id] = one
    notes = []
    planned = [one for one in incidents.values() if one.is_maintenance]
    if planned or any(document.scheduled_maintenances for _, document in documents):
        notes.append("Scheduled maintenances are left out, and not counted.")
    if not any(document.incidents is not None for _, document in documents):
        notes.append("No document with incidents was given.")
    if len(incidents) > INCIDENTS_MAX:
        raise UnreadableSource(
            f"There are {len(incidents):,} incidents: import {INCIDENTS_MAX:,} at a time."
        )
    page = ForeignPage(
        id=first.page.id,
        name=plain_line(first.page.name),
        address=(first.page.url or "").rstrip("/") or None,
        groups=tuple(_group(one) for one in parts.values() if one.group),
        components=tuple(_component(one) for one in parts.values() if not one.group),
        incidents=tuple(_incident(one) for one in incidents.values() if not one.is_maintenance),
        atom=dict(entries),
        names=dict(_named(incidents.values())),
    )
    return page, tuple(notes)


def _named(incidents: Iterable[IncidentShape]) -> Iterator[tuple[str, str]]:
    """The components that incidents name, each with its name."""
    for incident in incidents:
        for told in incident.incident_updates:
            yield from ((one.code, plain_line(one.name)) for one in told.affected_components or ())
        yield from ((one.id, plain_line(one.name)) for one in incident.components or () if one.name)


def _group(one: ComponentShape) -> ForeignGroup:
    return ForeignGroup(
        id=one.id,
        name=plain_line(one.name),
        position=one.position,
        description=_described(one),
        created_at=one.created_at,
        updated_at=one.updated_at,
    )


def _component(one: ComponentShape) -> ForeignComponent:
    return ForeignComponent(
        id=one.id,
        name=plain_line(one.name),
        status=one.status,
        position=one.position,
        description=_described(one),
        showcase=one.showcase,
        only_if_degraded=one.only_show_if_degraded,
        start_date=one.start_date,
        group=one.group_id,
        created_at=one.created_at,
        updated_at=one.updated_at,
    )


def _described(one: ComponentShape) -> str | None:
    text = plain(one.description or "")
    return _fitting(text, COMPONENT_DESCRIPTION_MAX, f"the component {one.id}, description") or None


def _fitting(text: str, most: int, place: str) -> str:
    """``text``, which is never cut: nobody would know what is missing."""
    if len(text) > most:
        raise UnreadableSource(
            f"{place} has {len(text):,} characters, and at most {most:,} fit: shorten it in a file."
        )
    return text


def _titled(one: IncidentShape) -> str:
    place = f"the incident {one.id}, name"
    if not (title := plain_line(one.name)):
        raise UnreadableSource(f"{place} is empty: write one in a file.")
    return _fitting(title, TITLE_MAX, place)


def _incident(one: IncidentShape) -> ForeignIncident:
    return ForeignIncident(
        id=one.id,
        name=_titled(one),
        status=one.status,
        impact=one.as_impact,
        created_at=one.created_at,
        updated_at=one.updated_at,
        started_at=one.started_at,
        monitoring_at=one.monitoring_at,
        resolved_at=one.resolved_at,
        updates=tuple(map(_update, one.incident_updates)),
        components=tuple(part.id for part in one.components or ()),
    )


def _update(one: UpdateShape) -> ForeignUpdate:
    return ForeignUpdate(
        id=one.id,
        status=one.status,
        body=plain(one.body or ""),
        created_at=one.created_at,
        updated_at=one.updated_at,
        shown_at=one.display_at or one.created_at,
        affected=tuple(
            ForeignAffected(part.code, plain_line(part.name), part.old_status, part.new_status)
            for part in one.affected_components or ()
        ),
    )
