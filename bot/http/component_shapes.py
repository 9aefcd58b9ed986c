"""The bodies of dialect 1 about components, their groups and the status page. It has no rule."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Annotated, Self, TypeVar
from uuid import UUID

from pydantic import (
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    StringConstraints,
    model_validator,
)

from bot.http.shapes import DayInput, Moment, MomentInput, RequestBody, without_fraction
from bot.http.v1_shapes import AffectedComponent, AnswerPart, CamelCase
from core.arranging import LANGUAGE, POSITION_MAX, SLUG, TITLE_MAX
from core.incident import BODY_MAX, COMPONENT_DESCRIPTION_MAX, COMPONENT_NAME_MAX
from core.page import (
    ComponentGroup,
    ComponentStatus,
    FormerPage,
    Override,
    PageSettings,
    ShownComponent,
)

ComponentName = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=COMPONENT_NAME_MAX)
]
Described = Annotated[
    str, StringConstraints(strip_whitespace=True, max_length=COMPONENT_DESCRIPTION_MAX)
]
Position = Annotated[
    int,
    Field(ge=0, le=POSITION_MAX, description="Its place; equal ones are in the order of names."),
    BeforeValidator(without_fraction),
]
Body = TypeVar("Body", bound=RequestBody)
Day = Annotated[date, PlainSerializer(date.isoformat)]
# The fields of core by their names here, for refusals.
FIELDS: Mapping[str, str] = {
    "group": "groupLabel",
    "only_if_degraded": "onlyIfDegraded",
    "start_date": "startDate",
}


# --- requests --------------------------------------------------------------------------------


class NewComponent(RequestBody, CamelCase):
    """`name` is unique in the workspace; upper and lower case count as the same.

    A group that is not there is made; if it is called almost like another, write `+` before it.
    """

    name: ComponentName
    description: Described | None = None
    group_label: ComponentName | None = None


class ComponentFacts(RequestBody, CamelCase):
    """The facts of a component on the page. A field that is left out stays as it is.

    null removes a description, a group or a start date. A group that is not there is made;
    if it is called almost like another, write `+` before it.
    """

    model_config = ConfigDict(json_schema_extra={"minProperties": 1})

    name: ComponentName | None = None
    description: Described | None = None
    group_label: ComponentName | None = None
    position: Position | None = None
    shown: bool | None = Field(default=None, description="Whether the page shows it.")
    showcase: bool | None = Field(default=None, description="Whether clients feature it.")
    only_if_degraded: bool | None = Field(
        default=None, description="Shown only while it is not operational."
    )
    start_date: DayInput | None = Field(
        default=None, description="The first day (UTC) of its record."
    )

    @model_validator(mode="after")
    def _asks_for_something(self) -> Self:
        return _asking(self)


class GroupFacts(RequestBody, CamelCase):
    """The facts of a group. A field that is left out stays; null removes a description."""

    model_config = ConfigDict(json_schema_extra={"minProperties": 1})

    name: ComponentName | None = None
    position: Position | None = None
    description: Described | None = None

    @model_validator(mode="after")
    def _asks_for_something(self) -> Self:
        return _asking(self)


def _asking(body: Body) -> Body:
    """``body``, which must name a field."""
    if not body.model_fields_set:
        raise ValueError("must name a field to change")
    return body


class OverrideBody(RequestBody, CamelCase):
    """A status by hand, which wins over the incidents of the component; null ends it."""

    status: Annotated[ComponentStatus, Field(strict=False)] | None
    until: MomentInput | None = Field(
        default=None, description="Its end; without one, until the next."
    )
    reason: Annotated[str, StringConstraints(strip_whitespace=True, max_length=BODY_MAX)] | None = (
        Field(default=None, description="PRIVATE: why. No answer and no page repeats it.")
    )


class PageFacts(RequestBody, CamelCase):
    """The settings of the page. One that is null or left out stays, or gets its default."""

    title: (
        Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=TITLE_MAX)]
        | None
    ) = None
    slug: Annotated[str, StringConstraints(pattern=f"^{SLUG.pattern}$")] | None = Field(
        default=None, description="Its name in addresses, made of the title at first."
    )
    language: Annotated[str, StringConstraints(pattern=f"^{LANGUAGE.pattern}$")] | None = Field(
        default=None, description="The language of dates.", examples=["en"]
    )
    noindex: bool | None = Field(
        default=None, description="Keeps search engines away; true at the first publication."
    )


# --- answers ---------------------------------------------------------------------------------


class OverrideInForce(AnswerPart):
    """A status by hand. Its reason is private."""

    status: ComponentStatus
    since: Moment
    until: Moment | None

    @classmethod
    def of(cls, override: Override | None) -> OverrideInForce | None:
        if override is None or override.status is None:
            return None
        return cls(status=override.status, since=override.at, until=override.until)


class ComponentBody(AffectedComponent):
    """A component as the page has it. One that was made by tagging an incident is hidden."""

    description: str | None
    group_label: str | None
    position: int
    shown: bool
    showcase: bool
    only_if_degraded: bool
    start_date: Day | None
    override: Annotated[
        OverrideInForce | None, Field(description="The status by hand that is in force now.")
    ]
    created_at: Moment
    updated_at: Moment

    @classmethod
    def of(
        cls, component: ShownComponent, groups: tuple[ComponentGroup, ...], *, at: datetime
    ) -> ComponentBody:
        names = {group.id: group.name for group in groups}
        return cls(
            id=component.id,
            name=component.name,
            description=component.description,
            group_label=names.get(component.group) if component.group else None,
            position=component.position,
            shown=component.shown,
            showcase=component.showcase,
            only_if_degraded=component.only_if_degraded,
            start_date=component.start_date,
            override=OverrideInForce.of(component.by_hand(at)),
            created_at=component.created_at,
            updated_at=component.updated_at,
        )


class ArrangedComponent(ComponentBody):
    """A component after a request that may have made a group for it."""

    new_group: Annotated[
        str | None,
        Field(
            description="The name of the group that this request made, because there was none of "
            "that name; null if it made none."
        ),
    ]


class ComponentList(AnswerPart):
    """All components of the workspace, by name."""

    components: list[ComponentBody]


class GroupBody(AnswerPart):
    """A heading over components."""

    id: UUID
    name: str
    position: int
    description: str | None
    created_at: Moment
    updated_at: Moment

    @classmethod
    def of(cls, group: ComponentGroup) -> GroupBody:
        return cls(
            id=group.id,
            name=group.name,
            position=group.position,
            description=group.description,
            created_at=group.created_at,
            updated_at=group.updated_at,
        )


class GroupList(AnswerPart):
    """All groups of the workspace, in their order."""

    groups: list[GroupBody]


class PageBody(AnswerPart):
    """The status page. One that was taken off keeps all but its moment; without one all is null."""

    published: bool
    title: str | None = None
    slug: str | None = None
    language: str | None = None
    noindex: bool | None = None
    published_at: Moment | None = None

    @classmethod
    def of(cls, settings: PageSettings | FormerPage | None) -> PageBody:
        if settings is None:
            return cls(published=False)
        if isinstance(settings, FormerPage):
            return cls(
                published=False,
                title=settings.title,
                slug=settings.slug,
                language=settings.language,
                noindex=settings.noindex,
            )
        return cls(
            published=True,
            title=settings.title,
            slug=settings.slug,
            language=settings.language,
            noindex=settings.noindex,
            published_at=settings.published_at,
        )
