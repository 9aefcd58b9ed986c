"""The rules of the status page and its components: their names, and the changes of them."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from core.components import folded, unknown
from core.errors import InvalidField
from core.incident import COMPONENT_DESCRIPTION_MAX, Incident
from core.lifecycle import PublicWord
from core.missing import NoSuchComponent
from core.page import (
    STATUSES,
    ComponentGroup,
    ComponentStatus,
    FormerPage,
    PageSettings,
    ShownComponent,
    worst,
)
from core.texts import component_name_of, name_of, one_line, optional_of

SLUG = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?")
LANGUAGE = re.compile(r"[a-z]{2,3}(?:-[A-Za-z0-9]{2,8})*")
# The languages of ISO 639-1, and a few more that browsers write dates in.
# Source: https://www.loc.gov/standards/iso639-2/php/code_list.php
_LANGUAGES = """
aa ab ae af ak am an ar as av ay az ba be bg bi bm bn bo br bs ca ce ch co cr cs cu cv cy da de
dv dz ee el en eo es et eu fa ff fi fj fo fr fy ga gd gl gn gu gv ha he hi ho hr ht hu hy hz ia
id ie ig ii ik io is it iu ja jv ka kg ki kj kk kl km kn ko kr ks ku kv kw ky la lb lg li ln lo
lt lu lv mg mh mi mk ml mn mr ms mt my na nb nd ne ng nl nn no nr nv ny oc oj om or os pa pi pl
ps pt qu rm rn ro ru rw sa sc sd se sg si sk sl sm sn so sq sr ss st su sv sw ta te tg th ti tk
tl tn to tr ts tt tw ty ug uk ur uz ve vi vo wa wo xh yi yo za zh zu fil gsw haw yue
"""
LANGUAGES = tuple(_LANGUAGES.split())
TITLE_MAX = 100
POSITION_MAX = 9_999
# The days on which the record of a component can begin.
EARLIEST, YEAR = date(2000, 1, 1), timedelta(days=366)


@dataclass(frozen=True, slots=True, kw_only=True)
class ComponentChange:
    """New values of a component; None: as before. ``cleared`` names fields that get no value."""

    name: str | None = None
    description: str | None = None
    group: str | None = None
    position: int | None = None
    shown: bool | None = None
    showcase: bool | None = None
    only_if_degraded: bool | None = None
    start_date: date | None = None
    cleared: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Arranged:
    """A component after an act.

    ``changed`` are the fields of `ComponentChange` with another value than before. ``new_group``
    is the name of the group that was made for it.
    """

    component: ShownComponent
    changed: tuple[str, ...] = ()
    new_group: str | None = None


FACTS = (
    *("name", "description", "group", "position", "shown", "showcase", "only_if_degraded"),
    "start_date",
)
CLEARABLE = frozenset({"description", "group", "start_date"})


def slug_of(text: str) -> str:
    """A slug: 1 to 40 small letters, digits and hyphens, with a letter or digit at both ends.

    Raises:
        InvalidField: ``slug``.
    """
    if not SLUG.fullmatch(text):
        raise InvalidField(
            "slug", "needs 1 to 40 small letters, digits and hyphens, and no hyphen at its ends"
        )
    return text


def language_of(tag: str) -> str:
    """``tag``, if it is one of a language that is known, such as ``en`` or ``de-CH``.

    Raises:
        InvalidField: ``language``.
    """
    if not LANGUAGE.fullmatch(tag):
        raise InvalidField("language", 'is no language tag: write one such as "en" or "de-CH"')
    if tag.partition("-")[0] not in LANGUAGES:
        known = ", ".join(LANGUAGES)
        raise InvalidField("language", f"is unknown: it begins with one of {known}")
    return tag


def start_date_of(day: date, *, at: datetime) -> date:
    """``day``, if a component's record can begin on it: from 2000 until a year from ``at``.

    Raises:
        InvalidField: ``start_date``.
    """
    if not EARLIEST <= day <= at.date() + YEAR:
        raise InvalidField("start_date", f"is a day from {EARLIEST} until a year from now")
    return day


def slug_from(title: str) -> str:
    """A slug made of the letters and digits of ``title``; ``status`` if it has none."""
    plain = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode().lower()
    words = "-".join(re.findall("[a-z0-9]+", plain))
    return words[:40].strip("-") or "status"


def page_settings(
    workspace: str,
    before: PageSettings | FormerPage | None,
    *,
    title: str | None,
    slug: str | None,
    language: str | None,
    noindex: bool | None,
    at: datetime,
) -> PageSettings:
    """The settings of a page that is published; None keeps a value, or takes the default.

    ``before`` is the page that is published, or the one that was taken off.

    Raises:
        InvalidField: ``title``, ``slug`` or ``language``.
    """
    named = one_line(title) if title is not None else before.title if before else "Status"
    if not 1 <= len(named) <= TITLE_MAX or not optional_of("title", named, TITLE_MAX):
        raise InvalidField("title", f"needs 1 to {TITLE_MAX} visible characters")
    spoken = language or (before.language if before else "en")
    if language is not None:
        language_of(spoken)
    chosen = slug_of(slug) if slug is not None else before.slug if before else slug_from(named)
    hidden = before.noindex if before else True
    return PageSettings(
        workspace=workspace,
        slug=chosen,
        title=named,
        language=spoken,
        noindex=hidden if noindex is None else noindex,
        published_at=before.published_at if isinstance(before, PageSettings) else at,
    )


def changed(before: ShownComponent, change: ComponentChange, *, at: datetime) -> ShownComponent:
    """``before`` with the new values, without those of its group.

    Raises:
        InvalidField: a value is not possible.
    """
    if change.position is not None and not 0 <= change.position <= POSITION_MAX:
        raise InvalidField("position", f"is a number from 0 to {POSITION_MAX}")
    unknown = change.cleared - CLEARABLE
    if unknown:
        raise InvalidField(min(unknown), "cannot be cleared")
    if change.start_date is not None and change.start_date != before.start_date:
        start_date_of(change.start_date, at=at)
    values: dict[str, Any] = {
        "name": None if change.name is None else component_name_of(change.name),
        "description": optional_of("description", change.description, COMPONENT_DESCRIPTION_MAX),
        "position": change.position,
        "shown": change.shown,
        "showcase": change.showcase,
        "only_if_degraded": change.only_if_degraded,
        "start_date": change.start_date,
    }
    given = {name: value for name, value in values.items() if value is not None}
    given |= dict.fromkeys(change.cleared - {"group"}, None)
    after = replace(before, **given)
    return before if after == before else replace(after, updated_at=at)


def differing(before: ShownComponent, after: ShownComponent) -> tuple[str, ...]:
    """The `FACTS` in which the two differ."""
    return tuple(one for one in FACTS if getattr(before, one) != getattr(after, one))


def component_named(components: tuple[ShownComponent, ...], ref: str | UUID) -> ShownComponent:
    """The component with that id, or with that name in any case.

    Raises:
        NoSuchComponent, InvalidField: there is none; a near name is named.
    """
    for one in components:
        if one.id == ref or (isinstance(ref, str) and one.name.casefold() == folded(ref)):
            return one
    if isinstance(ref, UUID):
        raise NoSuchComponent
    known = {one.name.casefold(): one.name for one in components}
    raise InvalidField("component", unknown(ref, known))


def status_of(
    component: ShownComponent, incidents: Iterable[Incident], *, at: datetime
) -> ComponentStatus:
    """Its status by hand, else the worst that the open public ones of ``incidents`` make of it."""
    by_hand = component.by_hand(at)
    if by_hand is not None and by_hand.status is not None:
        return by_hand.status
    made = (
        STATUSES[one.severity]
        for one in incidents
        if not one.private
        and one.public_word is not PublicWord.RESOLVED
        and (one.title_public_at is None or one.title_public_at <= at)
        and any(tagged.id == component.id for tagged in one.components)
    )
    return worst(made, best=ComponentStatus.OPERATIONAL)


def group_named(groups: tuple[ComponentGroup, ...], ref: str | UUID) -> ComponentGroup:
    """The group with that id, or with that name in any case.

    Raises:
        InvalidField: there is none; a near name is named.
    """
    by_name = {one.name.casefold(): one for one in groups}
    by_id = {one.id: one for one in groups}
    found = by_id.get(ref) if isinstance(ref, UUID) else by_name.get(folded(ref))
    if found is None:
        known = {key: one.name for key, one in by_name.items()}
        raise InvalidField("group", unknown(str(ref), known))
    return found


def changed_group(
    groups: tuple[ComponentGroup, ...],
    ref: str | UUID,
    *,
    rename: str | None,
    position: int | None,
    description: str | None,
    at: datetime,
) -> ComponentGroup:
    """The group with that id or name with the new values; None: as before.

    Raises:
        InvalidField: there is no such group, or a value is not possible.
    """
    by_name = {one.name.casefold(): one for one in groups}
    before = group_named(groups, ref)
    if position is not None and not 0 <= position <= POSITION_MAX:
        raise InvalidField("position", f"is a number from 0 to {POSITION_MAX}")
    named = before.name if rename is None else name_of(rename)
    if by_name.get(named.casefold(), before).id != before.id:
        raise InvalidField("name", "is that of another group")
    told = before.description
    if description is not None:
        told = optional_of("description", description, COMPONENT_DESCRIPTION_MAX)
    return replace(
        before,
        name=named,
        position=before.position if position is None else position,
        description=told,
        updated_at=at,
    )
