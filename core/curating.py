"""The use cases of the status page: it is published, and its components are arranged.

Admins arrange, publishers set a status by hand. Everything here is public, except the reason of an
override.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any, TypeVar
from uuid import UUID

from core import policy
from core.boards import BoardFilter
from core.components import describe_component, folded, group_id, unknown
from core.errors import InvalidField
from core.incident import (
    BODY_MAX,
    COMPONENT_DESCRIPTION_MAX,
    COMPONENT_NAME_MAX,
    Actor,
    Component,
    Incident,
)
from core.lifecycle import PublicWord
from core.page import (
    STATUSES,
    Arrangement,
    ComponentGroup,
    ComponentStatus,
    FormerPage,
    Override,
    PageSettings,
    ShownComponent,
    worst,
)
from core.refusals import ComponentExists, Denied, NoSuchComponent, Permission
from core.service import NO_INCIDENT
from core.store import Reader, Store, Transaction
from core.texts import component_name_of, name_of, one_line, optional_line_of, optional_of

SLUG = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?")
LANGUAGE = re.compile(r"[a-z]{2,3}(?:-[A-Za-z0-9]{2,8})*")
TITLE_MAX = 100
POSITION_MAX = 9_999
# The days on which the record of a component can begin.
EARLIEST, YEAR = date(2000, 1, 1), timedelta(days=366)
# The open incidents that the statuses of components are read from, worst first.
OPEN_MAX = 500

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    """Everything that can be arranged, and the status of each component by its id."""

    arrangement: Arrangement
    statuses: Mapping[UUID, ComponentStatus]


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
    if not LANGUAGE.fullmatch(spoken):
        raise InvalidField("language", 'is no language tag: write one such as "en" or "de-CH"')
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


def nothing(_tx: Transaction, _made: object) -> None:
    """Writes nothing more."""


class Curation:
    """``clock`` gives the moment of each act.

    ``then`` of a method gets what was made, in the transaction of the change: what it writes is
    committed with the change. It is called again if the transaction must run again.

    ``request`` identifies a delivery that Slack may repeat: a repetition changes nothing, and gets
    what is there by now.
    """

    def __init__(self, store: Store, *, clock: Callable[[], datetime]) -> None:
        self._store = store
        self._clock = clock

    async def arrangement(self, actor: Actor) -> Arrangement:
        """Everything that can be arranged."""
        _need(actor, Permission.JOIN)
        return await self._store.read(lambda reader: reader.arrangement(actor.workspace))

    async def overview(self, actor: Actor) -> Overview:
        """Everything that can be arranged, with the statuses of now."""
        _need(actor, Permission.JOIN)

        def work(reader: Reader) -> Overview:
            known, at = reader.arrangement(actor.workspace), self._clock()
            open_ = reader.ranking(actor, BoardFilter(), before=None, after=None, limit=OPEN_MAX)
            statuses = {one.id: status_of(one, open_.items, at=at) for one in known.components}
            return Overview(arrangement=known, statuses=statuses)

        return await self._store.read(work)

    async def _write(
        self,
        actor: Actor,
        request: str | None,
        work: Callable[[Transaction], T],
        found: Callable[[Arrangement], T],
    ) -> T:
        """The result of ``work`` in a transaction; of a repetition, what is ``found`` there."""

        def once(tx: Transaction) -> T:
            if request is not None:
                if tx.handled(actor.workspace, request):
                    return found(tx.arrangement(actor.workspace))
                tx.mark_handled(actor.workspace, request, NO_INCIDENT, at=self._clock())
            return work(tx)

        return await self._store.write(once)

    async def publish(
        self,
        actor: Actor,
        *,
        title: str | None = None,
        slug: str | None = None,
        language: str | None = None,
        noindex: bool | None = None,
        then: Callable[[Transaction, PageSettings], object] = nothing,
        request: str | None = None,
    ) -> PageSettings:
        """Publishes the page of the workspace, or changes its settings.

        Raises:
            Denied: the actor is no workspace admin.
            InvalidField: a setting is not possible, or another workspace has the slug.
        """
        _need(actor, Permission.JOIN)

        def work(tx: Transaction) -> PageSettings:
            at = self._clock()
            known = tx.arrangement(actor.workspace)
            before = known.page or known.former
            settings = page_settings(
                actor.workspace,
                before,
                title=title,
                slug=slug,
                language=language,
                noindex=noindex,
                at=at,
            )
            _need(actor, Permission.ADMINISTER)
            tx.publish_page(settings, at=at)
            then(tx, settings)
            return settings

        def found(known: Arrangement) -> PageSettings:
            # Another admin may have taken it off since.
            return known.page or page_settings(
                actor.workspace,
                known.former,
                title=title,
                slug=slug,
                language=language,
                noindex=noindex,
                at=self._clock(),
            )

        return await self._write(actor, request, work, found)

    async def unpublish(
        self,
        actor: Actor,
        *,
        then: Callable[[Transaction, FormerPage | None], object] = nothing,
        request: str | None = None,
    ) -> FormerPage | None:
        """Takes the page off: every address of it is unknown from then on.

        The result is what the workspace keeps of it, None if it never had a page.

        Raises:
            Denied: the actor is no workspace admin.
        """
        _need(actor, Permission.ADMINISTER)

        def work(tx: Transaction) -> FormerPage | None:
            tx.unpublish_page(actor.workspace, at=self._clock())
            former = tx.arrangement(actor.workspace).former
            then(tx, former)
            return former

        return await self._write(actor, request, work, lambda known: known.former)

    async def add_component(
        self, actor: Actor, change: ComponentChange, *, request: str | None = None
    ) -> ShownComponent:
        """Adds a component with these values; without others the page shows it.

        Raises:
            Denied: the actor is no workspace admin.
            ComponentExists, InvalidField: the component is not possible.
        """
        _need(actor, Permission.ADMINISTER)
        name = component_name_of(change.name or "")

        def work(tx: Transaction) -> ShownComponent:
            at, team = self._clock(), actor.workspace
            described = describe_component(
                tx.workspace(team),
                tx.components(team),
                name=name,
                description=change.description,
                group=change.group,
            )
            tx.add_component(team, described, at=at)
            made = component_named(tx.arrangement(team).components, described.component.id)
            more = replace(change, name=None, description=None, group=None, cleared=frozenset())
            after = changed(made, more, at=at)
            if after != made:
                tx.arrange(team, after, new_group=None, at=at)
            return after

        return await self._write(
            actor, request, work, lambda known: component_named(known.components, name)
        )

    async def show_components(
        self, actor: Actor, components: Iterable[UUID], *, request: str | None = None
    ) -> tuple[ShownComponent, ...]:
        """Puts components on the page.

        Raises:
            Denied: the actor is no workspace admin.
            NoSuchComponent: one is gone.
        """
        _need(actor, Permission.ADMINISTER)
        asked = tuple(components)

        def found(known: Arrangement) -> tuple[ShownComponent, ...]:
            return tuple(component_named(known.components, one) for one in asked)

        def work(tx: Transaction) -> tuple[ShownComponent, ...]:
            at, made = self._clock(), []
            for before in found(tx.arrangement(actor.workspace)):
                after = changed(before, ComponentChange(shown=True), at=at)
                if after != before:
                    tx.arrange(actor.workspace, after, new_group=None, at=at)
                made.append(after)
            return tuple(made)

        return await self._write(actor, request, work, found)

    async def change_component(
        self,
        actor: Actor,
        ref: str | UUID,
        change: ComponentChange,
        *,
        then: Callable[[Transaction, ShownComponent], object] = nothing,
        request: str | None = None,
    ) -> ShownComponent:
        """Changes what the page says of a component; its name is unique, in any case.

        Raises:
            Denied: the actor is no workspace admin.
            NoSuchComponent, ComponentExists, InvalidField: the change is not possible.
        """
        _need(actor, Permission.JOIN)

        def work(tx: Transaction) -> ShownComponent:
            at = self._clock()
            known = tx.arrangement(actor.workspace)
            before = component_named(known.components, ref)
            after = changed(before, change, at=at)
            for other in known.components:
                if other.id != after.id and other.name.casefold() == after.name.casefold():
                    raise ComponentExists(Component(other.id, other.name))
            group = optional_line_of("group", change.group, COMPONENT_NAME_MAX)
            if group or "group" in change.cleared:
                new = group_id(actor.workspace, group) if group else None
                named = {one.name.casefold(): one.id for one in known.groups}
                into = named.get(group.casefold(), new) if group else None
                if into != after.group:
                    after = replace(after, group=into, updated_at=at)
            _need(actor, Permission.ADMINISTER)
            if after != before:
                tx.arrange(actor.workspace, after, new_group=group, at=at)
            then(tx, after)
            return after

        return await self._write(
            actor, request, work, lambda known: component_named(known.components, ref)
        )

    async def change_group(
        self,
        actor: Actor,
        ref: str | UUID,
        *,
        rename: str | None = None,
        position: int | None = None,
        description: str | None = None,
        then: Callable[[Transaction, ComponentGroup], object] = nothing,
        request: str | None = None,
    ) -> ComponentGroup:
        """Changes a group, whose components stay in it. A description that is empty is removed.

        Raises:
            Denied: the actor is no workspace admin.
            InvalidField: there is no such group, or a value is not possible.
        """
        _need(actor, Permission.JOIN)

        def work(tx: Transaction) -> ComponentGroup:
            at = self._clock()
            groups = tx.arrangement(actor.workspace).groups
            after = changed_group(
                groups, ref, rename=rename, position=position, description=description, at=at
            )
            _need(actor, Permission.ADMINISTER)
            tx.arrange_group(actor.workspace, after, at=at)
            then(tx, after)
            return after

        return await self._write(actor, request, work, lambda known: group_named(known.groups, ref))

    async def override(
        self,
        actor: Actor,
        ref: str | UUID,
        status: ComponentStatus | None,
        *,
        until: datetime | None = None,
        reason: str | None = None,
        then: Callable[[Transaction, ShownComponent], object] = nothing,
        request: str | None = None,
    ) -> ShownComponent:
        """Gives a component a status by hand; None: its incidents decide again.

        ``reason`` is private.

        Raises:
            Denied: the actor is no publisher.
            NoSuchComponent, InvalidField: the component, the end or the reason is not possible.
        """
        _need(actor, Permission.JOIN)

        def work(tx: Transaction) -> ShownComponent:
            at = self._clock()
            if until is not None and until <= at:
                raise InvalidField("until", "is past: give a moment that is still to come")
            why = optional_of("reason", reason, BODY_MAX)
            before = component_named(tx.arrangement(actor.workspace).components, ref)
            made = Override(at=at, status=status, until=until)
            _need(actor, Permission.PUBLISH)
            tx.override(actor.workspace, before.id, made, reason=why, by=actor.person)
            after = replace(before, overrides=(*before.overrides, made))
            then(tx, after)
            return after

        return await self._write(
            actor, request, work, lambda known: component_named(known.components, ref)
        )


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


def _need(actor: Actor, permission: Permission) -> None:
    if not policy.holds(actor, Permission.JOIN):
        raise Denied(actor, Permission.JOIN)
    if not policy.holds(actor, permission):
        raise Denied(actor, permission)
