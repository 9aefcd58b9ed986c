"""The transport to webhooks: one signed request for each try.

It knows public values alone. The request has the message's id in every try, so a receiver that got
it already, though we lost the answer, knows it again.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TypeAlias

from bot.delivery.failures import Failure, FailureKind
from bot.delivery.worker import Worker
from bot.page.hooks import HookSubject, component_body, incident_body
from bot.webhooks.outward import CallFailed, HookAnswer, Outward
from bot.webhooks.signing import signature_headers
from core.incident import Component
from core.page import ComponentStatus, PageSettings, StatusPage
from core.projection import page_incident, project
from core.webhooks import HookEvent, admits
from storage.hook_queue import HookFacts, HookMessage, HookTold

# After these the receiver may have it: the answer was lost.
LOST = {"timeout", "cut_off"}
NOTHING = HookTold(nothing=True)

WebhookWorker: TypeAlias = Worker[HookMessage, HookFacts, HookTold]


class WebhookTransport:
    """Sends through ``client``. ``address`` gives the address of a page that is published."""

    def __init__(self, client: Outward, *, address: Callable[[PageSettings, bool], str]) -> None:
        self._client = client
        self._address = address

    async def deliver(
        self, message: HookMessage, facts: HookFacts, *, at: datetime
    ) -> HookTold | Failure:
        """Sends ``message`` once; its body is what ``facts`` say."""
        if message.event is None or facts.page is None or facts.secrets is None:
            return NOTHING
        page = project(facts.page, max(at, message.due_at))
        subject = HookSubject(
            event=message.event,
            at=message.due_at,
            incident=message.incident,
            entry=message.entry,
            kept=facts.kept,
        )
        told = HookTold()
        if message.event is HookEvent.COMPONENT:
            made = _component(message, facts, page, subject)
            if made is None:
                return NOTHING
            body, told = made
        else:
            address = self._address(page.settings, facts.alone) if page.settings.slug else None
            shown = None if facts.incident is None else page_incident(facts.incident)
            body = incident_body(subject, page, shown, address=address)
        headers = signature_headers(message.uid, at, body, facts.secrets.at(at))
        try:
            answer = await self._client.post(facts.url, body, headers, at=at)
        except CallFailed as error:
            kind = FailureKind.UNKNOWN if error.code in LOST else FailureKind.PASSING
            return Failure(kind, error.code)
        return told if answer.took_it else failure_of(answer)


def failure_of(answer: HookAnswer) -> Failure:
    """An answer that is no success: 410 is the end of the endpoint, a redirect is a failure."""
    code = f"http_{answer.status}"
    if answer.status == 410:
        return Failure(FailureKind.PERMANENT, code)
    if answer.retry_after_seconds:
        pause = timedelta(seconds=answer.retry_after_seconds)
        return Failure(FailureKind.RATE_LIMITED, code, retry_after=pause)
    return Failure(FailureKind.PASSING, code)


def _component(
    message: HookMessage, facts: HookFacts, page: StatusPage, subject: HookSubject
) -> tuple[bytes, HookTold] | None:
    """The body about a component; None if the endpoint knows all of it, or is not told of it.

    One that is hidden counts as operational, so that no receiver keeps an outage of it.
    """
    named = message.component
    if named is None or facts.known is None:
        return None
    shown = next((one for one in page.components if one.component.id == named), None)
    status = ComponentStatus.OPERATIONAL if shown is None else shown.status
    renamed = message.renamed and shown is not None
    if status is facts.known and not renamed:
        return None
    if not admits(facts.filter, Component(named, ""), old=facts.known, new=status):
        return None
    body = component_body(subject, page, named, shown, old=facts.known)
    return body, HookTold(status=status)
