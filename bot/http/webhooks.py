"""Dialect 1's operations on webhooks, for keys with the scope admin. It has no rule."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Path, Query, Response

from bot.http import v1
from bot.http.call import CurrentCall, answered
from bot.http.shapes import EMPTY_BODY, EmptyBody
from bot.http.v1 import component_id, wrapped
from bot.http.v1_shapes import DataEnvelope
from bot.http.webhook_shapes import (
    FIELDS,
    HookFilter,
    HookLog,
    LogQuery,
    NewWebhook,
    ResendBody,
    Resent,
    SendingBody,
    SwitchBody,
    TrialBody,
    WebhookBody,
    WebhookList,
    WebhookWithSecret,
)
from bot.webhooks.verifying import Trial
from core.errors import InvalidField
from core.store import Transaction
from core.webhooks import Endpoint

operations = v1.operations
FORBIDDEN = 403
WithSecret = tuple[Endpoint, str]


async def _webhook_id(
    webhook: Annotated[str, Path(alias="webhookId", json_schema_extra={"format": "uuid"})],
) -> UUID:
    return UUID(webhook)


# The gate has found it before the operation runs.
WebhookId = Annotated[UUID, Depends(_webhook_id)]


def _show(_: Transaction, made: Endpoint) -> str:
    return wrapped(WebhookBody.of(made))


def _show_secret(_: Transaction, made: WithSecret) -> str:
    return wrapped(WebhookWithSecret.with_secret(*made))


def _show_no_secret(_: Transaction, made: WithSecret) -> str:
    """The answer to a repetition, which lies in the store until then."""
    return wrapped(WebhookWithSecret.without_secret(made[0]))


@operations.reads(
    "/webhooks", "List webhooks", answer=DataEnvelope[WebhookList], refused=(FORBIDDEN,)
)
async def list_webhooks(call: CurrentCall) -> Response:
    found = await call.proving.webhooks.endpoints(call.actor)
    return answered(200, wrapped(WebhookList(webhooks=[WebhookBody.of(one) for one in found])))


@operations.changes(
    "POST",
    "/webhooks",
    "Add a webhook; its address must answer now",
    answer=DataEnvelope[WebhookWithSecret],
    status=201,
)
async def add_webhook(call: CurrentCall, asked: NewWebhook) -> Response:
    components = tuple(map(component_id, asked.component_ids))
    return await call.arrange(
        lambda then: call.proving.add(
            call.actor,
            asked.url,
            severity=asked.severity,
            components=components,
            then=lambda tx, kept, secret: then(tx, (kept, secret)),
        ),
        _show_secret,
        fields=FIELDS,
        status=201,
        repeat=_show_no_secret,
    )


@operations.reads(
    "/webhooks/{webhookId}",
    "Get a webhook",
    answer=DataEnvelope[WebhookBody],
    refused=(FORBIDDEN,),
)
async def get_webhook(call: CurrentCall, webhook_id: WebhookId) -> Response:
    found = await call.proving.webhooks.find(call.actor, webhook_id)
    return answered(200, wrapped(WebhookBody.of(found)))


@operations.changes(
    "DELETE",
    "/webhooks/{webhookId}",
    "Remove a webhook, with its secrets and its log",
    answer=DataEnvelope[WebhookBody],
    refused=(),
)
async def remove_webhook(call: CurrentCall, webhook_id: WebhookId) -> Response:
    return await call.arrange(
        lambda then: call.proving.webhooks.remove(call.actor, webhook_id, then=then), _show
    )


@operations.changes(
    "PUT",
    "/webhooks/{webhookId}/filter",
    "Tell a webhook of other incidents from now on",
    answer=DataEnvelope[WebhookBody],
)
async def filter_webhook(call: CurrentCall, webhook_id: WebhookId, asked: HookFilter) -> Response:
    components = tuple(map(component_id, asked.component_ids))
    return await call.arrange(
        lambda then: call.proving.webhooks.refilter(
            call.actor, webhook_id, severity=asked.severity, components=components, then=then
        ),
        _show,
        fields=FIELDS,
    )


@operations.changes(
    "PUT",
    "/webhooks/{webhookId}/switch",
    "Switch a webhook off, or on again",
    answer=DataEnvelope[WebhookBody],
    refused=(),
)
async def switch_webhook(call: CurrentCall, webhook_id: WebhookId, asked: SwitchBody) -> Response:
    return await call.arrange(
        lambda then: call.proving.webhooks.switch(call.actor, webhook_id, on=asked.on, then=then),
        _show,
    )


@operations.changes(
    "POST",
    "/webhooks/{webhookId}/rotate",
    "Make a new secret; the old one signs as well for a day",
    answer=DataEnvelope[WebhookWithSecret],
    refused=(),
)
async def rotate_secret(
    call: CurrentCall, webhook_id: WebhookId, _: EmptyBody = EMPTY_BODY
) -> Response:
    return await call.arrange(
        lambda then: call.proving.rotate(
            call.actor, webhook_id, then=lambda tx, made, secret: then(tx, (made, secret))
        ),
        lambda _, made: wrapped(WebhookWithSecret.rotated(*made)),
        repeat=lambda tx, made: _show_no_secret(tx, (made[0].endpoint, made[1])),
    )


@operations.changes(
    "POST",
    "/webhooks/{webhookId}/test",
    "Send a signed request now, of type webhook.verification",
    answer=DataEnvelope[TrialBody],
    refused=(),
)
async def try_webhook(
    call: CurrentCall, webhook_id: WebhookId, _: EmptyBody = EMPTY_BODY
) -> Response:
    def show(_tx: Transaction, trial: Trial) -> str:
        return wrapped(TrialBody.of(trial))

    return await call.arrange(
        lambda then: call.proving.test(call.actor, webhook_id, then=then), show
    )


@operations.reads(
    "/webhooks/{webhookId}/log",
    "List the newest events of a webhook, and what became of each",
    answer=DataEnvelope[HookLog],
    refused=(FORBIDDEN, v1.INVALID),
)
async def read_log(
    call: CurrentCall, webhook_id: WebhookId, asked: Annotated[LogQuery, Query()]
) -> Response:
    found = await call.proving.webhooks.log(call.actor, webhook_id, limit=asked.limit)
    return answered(200, wrapped(HookLog(events=[SendingBody.of(one) for one in found])))


@operations.changes(
    "POST",
    "/webhooks/{webhookId}/resend",
    "Send an event once more, with the same id",
    answer=DataEnvelope[Resent],
    refused=(),
)
async def resend(call: CurrentCall, webhook_id: WebhookId, asked: ResendBody) -> Response:
    def show(_: Transaction, found: bool) -> str:  # noqa: FBT001 - a callback
        if not found:
            raise InvalidField(
                "eventId", "names no event of its log that was sent or given up since its start"
            )
        return wrapped(Resent(event_id=asked.event_id))

    return await call.arrange(
        lambda then: call.proving.webhooks.resend(
            call.actor, webhook_id, asked.event_id, then=then
        ),
        show,
    )
