"""One act of each kind in Slack, and a way to undo it in the database."""

from __future__ import annotations

import asyncio
import json

from tests import tables
from tests.standin import announced, opened


async def command(slack, mia, shown):
    return await mia.command("#payments", "/incident update 1 status:identified Found it.")


async def button(slack, mia, shown):
    return await mia.press(shown, "Move to Identified")


async def menu(slack, mia, shown):
    listed = await (await mia.command("#payments", "/incident list")).answer()
    return await mia.choose(listed, "menu", "Move to Identified")


async def acknowledgement(slack, mia, shown):
    return await mia.press(shown, "Acknowledge")


async def opening(slack, mia, shown):
    return await mia.press(shown, "update")


async def preview(slack, mia, shown):
    await mia.press(shown, "update")
    await opened(slack, mia, "update")
    return await mia.fill("Next step", "Identified")


async def update_form(slack, mia, shown):
    await mia.press(shown, "update")
    await opened(slack, mia, "update")
    await mia.fill("Public update", "Cards are refused.")
    await mia.fill("Private note", "db-3 lost quorum")
    await announced(slack, mia)
    return await mia.submit()


async def assign_form(slack, mia, shown):
    await mia.choose(shown, "menu", "Assign…")
    await opened(slack, mia, "assign")
    await mia.fill("Owner", "bo")
    return await mia.submit()


async def severity_form(slack, mia, shown):
    await mia.choose(shown, "menu", "Severity…")
    await opened(slack, mia, "severity")
    await mia.fill("Severity", "Critical")
    return await mia.submit()


async def redact_form(slack, mia, shown):
    await mia.choose(shown, "menu", "Withdraw…")
    await opened(slack, mia, "redact")
    await mia.fill("entry", "2")
    return await mia.submit()


async def report_form(slack, mia, shown):
    report = await (await mia.command("#payments", "/incident report 1")).answer()
    await mia.press(report, "Write…")
    await opened(slack, mia, "report")
    await mia.fill("Cause", "db-3 lost quorum")
    return await mia.submit()


async def declare_form(slack, mia, shown):
    await mia.shortcut("declare_incident")
    await opened(slack, mia, "declare")
    await mia.fill("Title", "Search is slow")
    await mia.fill("Affected components", "api, web")
    await mia.fill("Description", "since the release")
    await mia.fill("Channel", "#payments")
    return await mia.submit()


async def note_form(slack, mia, shown):
    message = await mia.say("#general", "db-3 looks slow")
    await mia.message_shortcut(message, "add_to_timeline")
    await opened(slack, mia, "note")
    return await mia.submit()


async def global_shortcut(slack, mia, shown):
    return await mia.shortcut("declare_incident")


async def message_shortcut(slack, mia, shown):
    return await mia.message_shortcut(await mia.say("#general", "slow"), "declare_from_message")


async def shortcut_to_a_timeline(slack, mia, shown):
    return await mia.message_shortcut(await mia.say("#general", "slow"), "add_to_timeline")


WAYS = [
    command,
    button,
    menu,
    acknowledgement,
    opening,
    preview,
    update_form,
    assign_form,
    severity_form,
    redact_form,
    report_form,
    declare_form,
    note_form,
    global_shortcut,
    message_shortcut,
    shortcut_to_a_timeline,
]


TABLES = ("workspace", "incident", "incident_update", "component", "incident_component", "outbox")


class Kept:
    """The rows of the database, and a way to restore them."""

    def __init__(self, app):
        self._store = app.store

    def now(self):
        return tables.contents(self._store, TABLES)

    def back_to(self, rows):
        tables.replace(self._store, rows)


async def idle(app):
    """Waits for the work that continues after an acknowledgement."""
    while working := app.slack._working:  # noqa: SLF001 - nobody is told when a click is done
        await asyncio.wait(set(working))


def fresh(slack, person, payload):
    """The payload with a new trigger and a new response_url, and the interaction of the latter."""
    interaction = slack.acts.begin("act", person.user, "once more")
    url = slack.acts.response_url("app", interaction, slack.workspace.channel("#payments"))
    metadata = json.loads((payload.get("view") or {}).get("private_metadata") or "{}")
    told = json.dumps(payload)
    for old in (payload.get("response_url"), metadata.get("response_url")):
        told = told.replace(old or "nothing at all", url)
    trigger = payload.get("trigger_id", "nothing at all")
    told = told.replace(trigger, slack.workspace.new_trigger(person.id))
    return json.loads(told), interaction
