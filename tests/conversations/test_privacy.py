"""A note leaves through no surface: a marked word is looked for everywhere it could have got to."""

from __future__ import annotations

import json
from dataclasses import replace

import aiohttp
import pytest

from bot.sandbox import Limits
from bot.telemetry import LINES
from core.incident import Actor, Person
from core.subscribing import Subscribing, Wanted
from tests.builders import an_actor
from tests.clock import Clock
from tests.conversations.conftest import environment_for, running, settled, without_ids
from tests.standin import a_standin, announced

CANARY = "xylophonecanary"


@pytest.fixture
def mode():
    return "http"


async def subscribe(slack, app, clock):
    """Everybody in #random reads what is public, and nothing else."""
    publisher = an_actor(workspace=slack.workspace.team_id)
    wanted = Wanted(channel=slack.workspace.channel("#random").id, broadcast=True)
    await Subscribing(app.store, clock=clock).subscribe(publisher, wanted)


async def run_an_incident(slack, settle, private_words):
    """One whole incident with ``private_words`` as every private text; public ones are fixed."""
    mia, bo = slack.person("mia"), slack.person("bo")
    words = private_words
    say = "#payments"
    await mia.command(say, "/incident declare Checkout is down severity:high")
    await mia.command(say, f"/incident note 1 {words}")
    await bo.command(say, "/incident ack 1")
    await mia.command(say, f"/incident status 1 identified {words}")
    await mia.command(say, "/incident update 1 We are looking into it.")
    await settle()
    card = next(m for m in slack.workspace.channel(say).messages if m.by_app)
    await mia.press(card, "Update…")
    await slack.until(lambda: mia.has_view and mia.view.callback_id == "update")
    await mia.fill("Private note", words)
    await mia.fill("Public update", "A fix is rolling out.")
    await announced(slack, mia)
    await mia.submit()
    await mia.command(say, "/incident promise 1 30m")
    await mia.command(say, f"/incident promise 1 none {words}")
    await mia.command(say, f"/incident next 1 {words}")
    await bo.command(say, f"/incident status 1 identified {words}")
    await bo.command(say, f"/incident note ticket 9 {words}")
    await bo.command(say, f"/incident update 1 note: {words}")
    await bo.command(say, f"/incident {words}")
    await bo.command(say, f"/incident resolve 1 {words}")
    await bo.command(say, f"/incident note 1 {words}")
    await bo.command(say, "/incident catchup 1")
    await bo.command(say, "/incident catchup")
    await settle()
    await walk_to_the_end(slack, words)
    await settle()
    await write_reports(slack, words)
    await settle()
    await make_private(slack, settle, words)
    await settle()
    await hand_over(slack, settle, words)


async def hand_over(slack, settle, words):
    """Bo does not take it, so that Mia is told; both messages are about an incident with notes."""
    mia, bo = slack.person("mia"), slack.person("bo")
    await (await mia.command("#payments", "/incident declare Login is slow")).answer()
    await (await mia.command("#payments", "/incident assign 4 @bo")).answer()
    await (await mia.command("#payments", f"/incident note 4 {words}")).answer()
    await settle()
    asked = slack.workspace.direct(bo.user).messages[-1]
    await (await bo.press(asked, "Not me")).answer()
    await settle()
    told = [slack.workspace.direct(one.user).messages[-1].words() for one in (mia, bo)]
    assert all("did not take INC-4" in one for one in told)
    assert CANARY not in repr(told)


async def owner_leaves(slack, app, clock, words):
    """Bo is deactivated while he owns an incident with notes: the channel is told of that."""
    mia, bo = slack.person("mia"), slack.person("bo").user
    await (await mia.command("#payments", "/incident declare Chat is slow")).answer()
    await (await mia.command("#payments", "/incident assign 5 @bo")).answer()
    await (await mia.command("#payments", f"/incident note 5 {words}")).answer()
    await settled(app, clock)
    slack.workspace.users[bo.id] = replace(bo, deleted=True)
    clock.advance(minutes=6)
    await app.owners.look()
    await settled(app, clock)
    shown = [one.words() for one in slack.workspace.channel("#payments").messages]
    assert any("is deactivated; nobody leads INC-5" in one for one in shown)


async def walk_to_the_end(slack, words):
    mia, say = slack.person("mia"), "#payments"
    await mia.command(say, "/incident declare Search is slow")
    refused = await (await mia.command(say, f"/incident resolve 2 {words}")).answer()
    opened = await mia.press(refused, "Resolve: 3 steps…")
    await slack.until(lambda: mia.has_view and mia.view.callback_id == "walk")
    await mia.fill("Private reason", words)
    await mia.fill("Public update", "Search is fast again.")
    await mia.submit()
    await mia.choose(await opened.answer(), "ended", "False alarm")


async def make_private(slack, settle, words):
    """A title that an incident has only while it is private is a private text, too."""
    mia, say = slack.person("mia"), "#payments"
    await mia.command(say, "/incident declare Mail is late")
    await mia.command(say, "/incident update 3 Mail is late by an hour.")
    await settle()
    asked = await (await mia.command(say, "/incident private 3")).answer()
    await (await mia.press(asked, "Make it private")).answer()
    await mia.command(say, f"/incident title 3 {words[:200]}")
    await mia.command(say, "/incident invite 3 @bo")
    await mia.command(say, f"/incident note 3 {words}")


async def write_reports(slack, words):
    """Sections of reports, which are private for good, and the file that has everything."""
    mia, say = slack.person("mia"), "#payments"
    for number in (1, 2):
        report = await (await mia.command(say, f"/incident report {number}")).answer()
        written = await mia.press(report, "Write…")
        await slack.until(lambda: mia.has_view and mia.view.callback_id == "report")
        for section in ("Summary", "Impact", "Cause", "What helped", "Follow-ups"):
            await mia.fill(section, words)
        await mia.submit()
        await written.answer()
        if number == 1:  # one message a second, says Slack
            await (await mia.press(report, "Send me the file")).answer()
        await (await mia.command(say, f"/incident withdraw {number} impact")).answer()
    await (await mia.command(say, "/incident stats")).answer()


async def what_everybody_sees(slack, app):
    """The public channels, and the public reports."""
    reader = Actor(workspace=slack.workspace.team_id, person=Person("U0MIA", "mia"))
    reports = [await app.incidents.public_report(reader, number) for number in (1, 2)]
    names = ("general", "payments", "status", "random")
    return [*(slack.channel_view(f"#{name}") for name in names), *reports]


async def describe(slack, settle, words):
    """A description in every place where one is typed, refused, corrected and withdrawn."""
    mia, say = slack.person("mia"), "#payments"
    await (await mia.command(say, "/incident declare Checkout is down")).answer()
    await settle()
    card = next(m for m in slack.workspace.channel(say).messages if m.by_app)
    await (await mia.command(say, f"/incident description 1 {words}")).answer()
    await (await mia.command(say, "/incident update 1 We are looking into it.")).answer()
    await settle()
    await mia.command(say, "/incident description 1")
    await slack.until(lambda: mia.has_view and mia.view.callback_id == "description")
    await mia.fill("Description", f"{words} {words}")
    await mia.submit()
    await (await mia.command(say, f"/incident description 99 {words}")).answer()
    await (await mia.command(say, f"/incident description {words}")).answer()
    await settle()
    assert words[:10] in card.words()
    for asked in ("show 1", "timeline 1", "report 1"):
        await (await mia.command(say, f"/incident {asked}")).answer()
    await mia.command(say, "/incident declare")
    await slack.until(lambda: mia.has_view and mia.view.callback_id == "declare")
    await mia.fill("Title", "Search is slow")
    await mia.fill("Description", words)
    await mia.submit()
    await settle()


async def beyond_the_card(slack, app):
    """Everything that people see who do not look into the channel of the declaration."""
    reader = Actor(workspace=slack.workspace.team_id, person=Person("U0BO", "bo"))
    reports = [await app.incidents.public_report(reader, number) for number in (1, 2)]
    return [slack.channel_view("#general"), slack.channel_view("#status"), *reports]


async def test_a_description_is_in_no_public_place_log_or_metric(slack, ratchet, settle, capfd):
    await describe(slack, settle, CANARY)
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"{ratchet.http.address}/metrics") as answer,
    ):
        metrics = await answer.text()
    LINES.finish()
    logs = capfd.readouterr()

    assert CANARY not in repr(await beyond_the_card(slack, ratchet))
    assert CANARY not in metrics + logs.err + logs.out


async def test_a_withdrawn_description_leaves_the_card(slack, ratchet, settle):
    await describe(slack, settle, CANARY)
    for number in (1, 2):
        asked = f"/incident withdraw {number} description"
        await (await slack.person("mia").command("#payments", asked)).answer()
    await settle()

    assert CANARY not in repr(slack.channel_view("#payments"))


async def test_public_output_does_not_depend_on_descriptions(a_database, mode):
    runs = []
    for words in ("a description", f"{CANARY} <!channel> *b* " * 40):
        clock = Clock()
        with a_database("sqlite") as url:
            async with (
                a_standin(clock=clock.seconds, limits=Limits(burst=1)) as slack,
                running(environment_for(slack, url, mode), slack, clock) as app,
            ):
                await describe(slack, lambda: settled(app, clock), words)  # noqa: B023 - awaited within the round
                runs.append(without_ids(await beyond_the_card(slack, app)))

    assert "We are looking into it." in runs[0]
    assert runs[0] == runs[1]


async def test_a_note_is_in_no_channel_log_metric_or_error(slack, ratchet, settle, clock, capfd):
    await subscribe(slack, ratchet, clock)
    await run_an_incident(slack, settle, CANARY)
    await owner_leaves(slack, ratchet, clock, CANARY)
    assert "A fix is rolling out." in repr(slack.channel_view("#random"))
    async with aiohttp.ClientSession() as session:
        pages = []
        for path in ("/metrics", "/readyz", "/healthz", "/openapi.json", "/nothing"):
            async with session.get(ratchet.http.address + path) as answer:
                pages.append(await answer.text())
    LINES.finish()
    logs = capfd.readouterr()

    assert CANARY not in repr(await what_everybody_sees(slack, ratchet))
    assert CANARY not in "".join(pages)
    assert CANARY not in logs.err + logs.out
    channel_calls = [
        call.arguments
        for call in slack.calls
        if call.method in {"chat.postMessage", "chat.update"}
        and call.arguments["channel"].startswith("C")
    ]
    assert channel_calls
    assert CANARY not in json.dumps(channel_calls, default=str)


SECRET = "Xylophonecanary"
ASKED = (
    "components",
    "list",
    "declare Logins fail components:Xylophonecanari",
    "components 1 Xylophonecanari",
    "components 1 Xylophonecanar, API",
    "subscribe components:none",
    "subscribe components:Xylophonecanari",
    "subscriptions",
    "stats",
)


async def test_a_component_of_a_private_incident_is_named_to_nobody_else(slack, ratchet, settle):
    mia, bo, say = slack.person("mia"), slack.person("bo"), "#payments"
    for text in (
        "declare Checkout is down components:+API",
        f"declare Mergers are late private components:+{SECRET}",
    ):
        await (await mia.command(say, f"/incident {text}")).answer()
    await settle()

    told = []
    for text in ASKED:
        asked = await bo.command(say, f"/incident {text}")
        told.append(str((await asked.answer()).blocks))
    assert SECRET not in repr(told)
    assert "API" in told[0]
    await mia.command(say, "/incident components")
    await slack.until(lambda: mia.has_view and SECRET in mia.view.words())
    tagged = await bo.command(say, f"/incident components 1 {SECRET}")
    assert SECRET in (await tagged.answer()).words()


async def test_responders_find_the_note_where_it_belongs(slack, ratchet, settle):
    await run_an_incident(slack, settle, CANARY)

    asked = await slack.person("bo").command("#payments", "/incident timeline 1")

    assert (await asked.answer()).words().count(CANARY) >= 4
    direct = slack.workspace.direct(slack.person("mia").user)
    (first, *_) = [file for message in direct.messages for file in message.files]
    assert first["content"].count(CANARY) >= 8


async def test_public_output_does_not_depend_on_the_notes(a_database, mode):
    runs = []
    for words in ("a", f"{CANARY} <!channel> *b* " * 40):
        clock = Clock()
        with a_database("sqlite") as url:
            async with (
                a_standin(clock=clock.seconds, limits=Limits(burst=1)) as slack,
                running(environment_for(slack, url, mode), slack, clock) as app,
            ):
                await subscribe(slack, app, clock)
                await run_an_incident(slack, lambda: settled(app, clock), words)  # noqa: B023 - awaited within the round
                subscribed = slack.channel_view("#random")
                assert subscribed == slack.channel_view("#status")
                await owner_leaves(slack, app, clock, words)
                runs.append(without_ids(await what_everybody_sees(slack, app)))

    assert "A fix is rolling out." in runs[0]
    assert "Search is fast again." in runs[0]
    assert "INC-3 is no longer public." in runs[0]
    assert "# INC-1 Checkout is down" in runs[0]
    assert "Mail" not in runs[0]
    assert runs[0] == runs[1]
