"""Dialect 1's operations on components, their groups and the status page. It has no rule."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends, Path, Response

from bot.http import v1
from bot.http.call import ApiCall, CurrentCall, answered
from bot.http.component_shapes import (
    FIELDS,
    ArrangedComponent,
    ComponentBody,
    ComponentFacts,
    ComponentList,
    GroupBody,
    GroupFacts,
    GroupList,
    NewComponent,
    OverrideBody,
    PageBody,
    PageFacts,
)
from bot.http.shapes import EMPTY_BODY, EmptyBody
from bot.http.v1 import wrapped
from bot.http.v1_shapes import DataEnvelope
from core.arranging import CLEARABLE, ComponentChange
from core.incident import DescribedComponent
from core.page import Arrangement, ComponentGroup, FormerPage, PageSettings, ShownComponent
from core.store import Transaction

operations = v1.operations
ANY_PAGE = PageFacts()


async def _component_id(
    component: Annotated[str, Path(alias="componentId", json_schema_extra={"format": "uuid"})],
) -> UUID:
    return UUID(component)


async def _group_id(
    group: Annotated[str, Path(alias="groupId", json_schema_extra={"format": "uuid"})],
) -> UUID:
    return UUID(group)


# The gate has found both before the operation runs.
ComponentId = Annotated[UUID, Depends(_component_id)]
GroupId = Annotated[UUID, Depends(_group_id)]


def _body(call: ApiCall, known: Arrangement, component: UUID) -> ComponentBody:
    (found,) = (one for one in known.components if one.id == component)
    return ComponentBody.of(found, known.groups, at=call.clock())


def _shown(call: ApiCall, tx: Transaction, component: UUID) -> str:
    return wrapped(_body(call, tx.arrangement(call.actor.workspace), component))


def _arranged(call: ApiCall, tx: Transaction, component: UUID, new_group: str | None) -> str:
    body = _body(call, tx.arrangement(call.actor.workspace), component)
    return wrapped(ArrangedComponent(**dict(body), new_group=new_group))


@operations.reads("/components", "List components", answer=DataEnvelope[ComponentList])
async def list_components(call: CurrentCall) -> Response:
    known, at = await call.curation.arrangement(call.actor), call.clock()
    components = [ComponentBody.of(one, known.groups, at=at) for one in known.components]
    return answered(200, wrapped(ComponentList(components=components)))


@operations.changes(
    "POST",
    "/components",
    "Make a component",
    answer=DataEnvelope[ArrangedComponent],
    status=201,
    refused=(),
)
async def make_component(call: CurrentCall, asked: NewComponent) -> Response:
    def then(tx: Transaction, made: DescribedComponent) -> str:
        return call.keep(tx, _arranged(call, tx, made.component.id, made.new_group), status=201)

    body = call.incidents.make_component(
        call.actor,
        name=asked.name,
        description=asked.description,
        group=asked.group_label,
        then=then,
    )
    return await call.answer(body, fields=FIELDS, status=201)


@operations.reads(
    "/components/{componentId}", "Get a component", answer=DataEnvelope[ComponentBody]
)
async def get_component(call: CurrentCall, component_id: ComponentId) -> Response:
    known = await call.curation.arrangement(call.actor)
    return answered(200, wrapped(_body(call, known, component_id)))


@operations.changes(
    "PATCH",
    "/components/{componentId}",
    "Change what the page says of a component",
    answer=DataEnvelope[ArrangedComponent],
    refused=(),
)
async def change_component(
    call: CurrentCall, component_id: ComponentId, asked: ComponentFacts
) -> Response:
    given = _given(asked)
    given["group"] = given.pop("group_label", None)
    cleared = CLEARABLE & {
        "group" if name == "group_label" else name
        for name in asked.model_fields_set
        if not getattr(asked, name)
    }
    change = ComponentChange(**given, cleared=cleared)
    return await call.arrange(
        lambda then: call.curation.change_component(call.actor, component_id, change, then=then),
        lambda tx, made: _arranged(call, tx, made.component.id, made.new_group),
        fields=FIELDS,
    )


@operations.changes(
    "PUT",
    "/components/{componentId}/override",
    "Give a component a status by hand, or end it",
    answer=DataEnvelope[ComponentBody],
    refused=(),
)
async def override(call: CurrentCall, component_id: ComponentId, asked: OverrideBody) -> Response:
    def show(tx: Transaction, made: ShownComponent) -> str:
        return _shown(call, tx, made.id)

    return await call.arrange(
        lambda then: call.curation.override(
            call.actor,
            component_id,
            asked.status,
            until=asked.until,
            reason=asked.reason,
            then=then,
        ),
        show,
    )


@operations.reads(
    "/component-groups", "List the groups of components", answer=DataEnvelope[GroupList]
)
async def list_groups(call: CurrentCall) -> Response:
    known = await call.curation.arrangement(call.actor)
    ordered = sorted(known.groups, key=lambda group: (group.position, group.name))
    return answered(200, wrapped(GroupList(groups=[GroupBody.of(one) for one in ordered])))


@operations.changes(
    "PATCH",
    "/component-groups/{groupId}",
    "Change a group; its components stay in it",
    answer=DataEnvelope[GroupBody],
    refused=(),
)
async def change_group(call: CurrentCall, group_id: GroupId, asked: GroupFacts) -> Response:
    given = _given(asked)
    given["rename"] = given.pop("name", None)
    if "description" in asked.model_fields_set:
        given["description"] = asked.description or ""

    def show(_: Transaction, made: ComponentGroup) -> str:
        return wrapped(GroupBody.of(made))

    return await call.arrange(
        lambda then: call.curation.change_group(call.actor, group_id, **given, then=then), show
    )


@operations.reads("/page", "Get the status page's settings", answer=DataEnvelope[PageBody])
async def get_page(call: CurrentCall) -> Response:
    known = await call.curation.arrangement(call.actor)
    return answered(200, wrapped(PageBody.of(known.page or known.former)))


@operations.changes(
    "POST",
    "/page/publish",
    "Publish the status page, or change its settings",
    answer=DataEnvelope[PageBody],
    refused=(),
)
async def publish(call: CurrentCall, asked: PageFacts = ANY_PAGE) -> Response:
    given = _given(asked)

    def show(_: Transaction, made: PageSettings) -> str:
        return wrapped(PageBody.of(made))

    return await call.arrange(
        lambda then: call.curation.publish(call.actor, **given, then=then), show
    )


@operations.changes(
    "POST",
    "/page/unpublish",
    "Take the status page off",
    answer=DataEnvelope[PageBody],
    refused=(),
)
async def unpublish(call: CurrentCall, _: EmptyBody = EMPTY_BODY) -> Response:
    def show(_tx: Transaction, former: FormerPage | None) -> str:
        return wrapped(PageBody.of(former))

    return await call.arrange(lambda then: call.curation.unpublish(call.actor, then=then), show)


def _given(asked: ComponentFacts | GroupFacts | PageFacts) -> dict[str, Any]:
    """The fields of a body that have a value."""
    named = {name: getattr(asked, name) for name in asked.model_fields_set}
    return {name: value for name, value in named.items() if value is not None and value != ""}
