"""A marked word is looked for in everything that webhooks send, keep and say of themselves."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from subprocess import PIPE

import pytest
from aiohttp import web

from bot.delivery.failures import after_webhook_failure
from bot.delivery.webhooks import WebhookTransport, WebhookWorker
from bot.sandbox import Limits
from bot.telemetry import LINES, Metrics
from bot.webhooks.outward import Outward
from bot.webhooks.verifying import Proving
from core.arranging import ComponentChange
from core.curating import Curation
from core.endpoints import Webhooks
from core.incident import Person
from core.page import ComponentStatus
from core.webhooks import HookEvent
from tests.builders import an_actor
from tests.clock import Clock
from tests.command import a_command
from tests.conversations.conftest import environment_for, running, settled
from tests.conversations.test_privacy import CANARY, owner_leaves, run_an_incident
from tests.standin import a_standin
from tests.tables import contents
from tests.webhooks.receiver import a_receiver

HOOKS = ("webhook", "webhook_message", "webhook_told", "webhook_component")
PAGE = "https://status.acme.example"


@pytest.fixture
def mode():
    return "http"


@pytest.fixture
def environment(slack, database_url, mode):
    return with_webhooks(slack, database_url, mode)


def with_webhooks(slack, database_url, mode="http"):
    """The settings, which let webhooks go to this machine."""
    return environment_for(slack, database_url, mode) | {"WEBHOOK_ALLOW_PRIVATE": "yes"}


def an_admin(slack):
    mia = slack.workspace.user("mia")
    return an_actor(Person(mia.id, "mia"), workspace=slack.workspace.team_id, admin=True)


async def subscribe(app, slack, url, clock):
    """Adds an address as an admin does; the webhook, and its secret."""
    proving = Proving(Webhooks(app.store, clock=clock), app.outward, clock=clock)
    return await proving.add(an_admin(slack), url)


async def run_everything(slack, app, clock, words, deliver):
    """Incidents with ``words`` as every private text, until each kind of event has happened.

    ``deliver`` sends what waits: once an incident is private, its other events are not sent.
    """
    mia, say, admin = slack.person("mia"), "#payments", an_admin(slack)

    async def settle():
        await settled(app, clock)

    await run_an_incident(slack, settle, words)
    await owner_leaves(slack, app, clock, words)
    curation = Curation(app.store, clock=clock)
    await curation.publish(admin, title="Acme status")
    await curation.add_component(admin, ComponentChange(name="Search"))
    for line in (
        "declare Search fails severity:high components:Search",
        f"description 6 {words}",
        f"note 6 {words}",
        "update 6 We look into it.",
        "withdraw 6 4",
        f"promise 6 none {words}",
        "severity 6 critical",
    ):
        await (await mia.command(say, f"/incident {line}")).answer()
        await settle()
    maintained = ComponentStatus.UNDER_MAINTENANCE
    await curation.override(
        admin, "Search", maintained, until=clock() + timedelta(minutes=5), reason=words[:200]
    )
    await deliver()
    asked = await (await mia.command(say, "/incident private 6")).answer()
    await (await mia.press(asked, "Make it private")).answer()
    await settle()
    clock.advance(minutes=6)
    await settle()
    await deliver()


async def test_a_note_is_in_no_request_row_or_log_of_a_webhook(
    slack, ratchet, clock, database_url, tmp_path, capfd
):
    """The first try of each second message is refused: what a retry sends and keeps is seen, too.

    It is decided by the message, because the order in which lanes are sent is not fixed.
    """
    tried: dict[str, int] = {}

    async def answer(request):
        message = request.headers["webhook-id"]
        first = message not in tried
        place = tried.setdefault(message, len(tried))
        return web.Response(status=500 if first and place % 2 else 200, text=CANARY)

    async with a_receiver(answer) as receiver:
        webhook, secret = await subscribe(ratchet, slack, receiver.url, clock)
        hooks, admin = Webhooks(ratchet.store, clock=clock), an_admin(slack)

        async def deliver():
            while any(one.done_at is None for one in await hooks.log(admin, webhook.id)):
                await ratchet.hook_worker.deliver_due()
                clock.advance(minutes=1)

        await run_everything(slack, ratchet, clock, CANARY, deliver)
    rows = contents(ratchet.store, HOOKS)
    LINES.finish()
    logs = capfd.readouterr()
    said = ""
    for command in (("list",), ("log", str(webhook.id), "--limit", "100")):
        process = a_command(
            *("webhooks", *command, "--workspace", slack.workspace.team_id),
            folder=tmp_path,
            stdout=PIPE,
            stderr=PIPE,
            DATABASE_URL=database_url,
            WEBHOOK_ALLOW_PRIVATE="yes",
        )
        async with process as run:
            said += repr(await run.communicate())

    bodies = [json.loads(body) for _, _, body in receiver.got]
    assert {one["type"] for one in bodies} == {*HookEvent, "webhook.verification"}
    assert len({headers["webhook-id"] for _, headers, _ in receiver.got}) < len(bodies)
    assert CANARY not in repr(receiver.got)
    assert len(rows["webhook_message"]) > len(HookEvent)
    assert CANARY not in repr(rows)
    assert "incident.update_withdrawn" in said
    assert " tries" in said
    assert CANARY not in said + logs.out + logs.err
    assert secret not in said + logs.out + logs.err


async def test_what_is_sent_does_not_depend_on_private_words(a_database):
    """It is sent at fixed places of the story, so that both runs send it in the same states."""
    runs = []
    for words in ("a", f"{CANARY} <!channel> *b* " * 40):
        clock = Clock()
        with a_database("sqlite") as url:
            async with (
                a_standin(clock=clock.seconds, limits=Limits(burst=1)) as slack,
                running(with_webhooks(slack, url), slack, clock) as app,
                a_receiver() as receiver,
                Outward(allow_private=True, agent="Ratchet") as outward,
            ):
                await app.hook_worker.stop()
                worker = WebhookWorker(
                    app.hooks,
                    WebhookTransport(outward, address=lambda _page, _alone: PAGE),
                    name="at one time",
                    clock=clock,
                    chance=lambda: 0.0,
                    metrics=Metrics(),
                    verdict=after_webhook_failure,
                )
                await subscribe(app, slack, receiver.url, clock)
                await run_everything(slack, app, clock, words, worker.deliver_due)
            runs.append(lanes(receiver.got))

    told = repr(runs[0])
    assert all(f'"{one}"' in told for one in HookEvent)
    assert "A fix is rolling out." in told
    assert "Search is fast again." in told
    assert runs[0] == runs[1]


def lanes(got):
    """The requests of each incident and component in their order, without ids and moments.

    Lanes do not wait for each other. Ids are chance in every run, and are numbered in a lane.
    """
    found = {}
    for path, headers, body in got:
        told = json.loads(body)
        about = (told.get("incident") or told.get("component") or {"id": ""})["id"]
        fixed = {
            name: text
            for name, text in headers.items()
            if not name.startswith("webhook-") and name != "Host"
        }
        found.setdefault(about, []).append(f"{path} {fixed} {body.decode()}")
    return sorted(numbered("\n".join(one)) for one in found.values())


def numbered(text):
    names = {}

    def name(match):
        return f'"ID {names.setdefault(match[0], len(names))}"'

    without_moments = re.sub(r"\d{4}-\d\d-\d\dT[0-9:.]+Z", "MOMENT", text)
    return re.sub(
        r'(?<=[/"])([a-z0-9]{12}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12})(?=")',
        name,
        without_moments,
    )
