"""A request that Slack delivers again has no second effect, at any server and at any time."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from datetime import timedelta

import pytest

from bot.slack.verbs import VERBS
from tests import tables
from tests.promises.acts import idle
from tests.promises.conftest import move_status_channel, settle, tell
from tests.standin import announced, opened

# Commands to prepare, and then the command itself: every verb with an effect.
COMMANDS = {
    "declare": ([], "declare Search is slow"),
    "declare, all of it": ([], "declare Search is slow severity:low components:api private"),
    "status": ([], "status 1 identified db-3 lost quorum"),
    "next, of the only one here": ([], "next"),
    "next": ([], "next 1 rolled back"),
    "ack": ([], "ack 1"),
    "ack, as a step": (["declare Search is slow lifecycle:response"], "ack 2"),
    "resolve": (["declare Search is slow lifecycle:response"], "resolve 2 it was the cache"),
    "close": (
        ["declare Search is slow lifecycle:response", "ack 2"],
        "close 2 false alarm",
    ),
    "update": ([], "update 1 Cards are refused."),
    "update, with a step": ([], "update 1 status:identified We found the cause."),
    "note": ([], "note 1 db-3 lost quorum"),
    "assign": ([], "assign 1 @bo"),
    "assign, to oneself": ([], "assign 1"),
    "severity": ([], "severity 1 critical"),
    "promise": ([], "promise 1 30m"),
    "title": ([], "title 1 Checkout is slow"),
    "components": ([], "components 1 api, web"),
    "description": ([], "description 1 Since the deploy of 02:50."),
    "withdraw": (["note 1 db-3 lost quorum"], "withdraw 1 2"),
    "invite": (["declare Key leaked private"], "invite 2 @bo"),
    "uninvite": (["declare Key leaked private", "invite 2 @bo"], "uninvite 2 @bo"),
    "subscribe": ([], "subscribe severity:high+ #general"),
    "subscribe, another filter": (
        ["subscribe #general"],
        "subscribe severity:high+ broadcast:on #general",
    ),
    "unsubscribe": (["subscribe #general"], "unsubscribe #general"),
    "setup": (["next 1", "next 1", "next 1"], "setup #payments"),
}
# The last two ask first: their question and their dialog are pressed and sent below.
SHOWN = {
    *("list", "show", "timeline", "catchup", "report", "stats", "help", "subscriptions"),
    *("private", "public"),
}


def test_every_verb_with_an_effect_is_delivered_twice():
    assert {line.split()[0] for _, line in COMMANDS.values()} | SHOWN == {v.name for v in VERBS}


def by_command(before, line):
    async def way(mia, slack):
        await tell(mia, *before)
        return mia.command("#payments", f"/incident {line}")

    return way


async def card(slack):
    await slack.until(lambda: slack.workspace.channel("#payments").messages)
    return slack.workspace.channel("#payments").messages[0]


async def by_step(mia, slack):
    return mia.press(await card(slack), "Move to Identified")


async def by_step_in_an_answer(mia, slack):
    await tell(mia, "show 1")
    return mia.press(mia.ephemerals[-1], "Move to Identified")


async def by_step_at_home(mia, slack):
    await mia.open_home()
    await slack.until(lambda: mia.id in slack.workspace.homes)
    return mia.press(mia.home, "Move to Identified")


async def by_acknowledgement(mia, slack):
    return mia.press(await card(slack), "Acknowledge")


async def by_opening_a_dialog(mia, slack):
    return mia.press(await card(slack), "update")


async def by_update_form(mia, slack):
    await mia.press(await card(slack), "update")
    await opened(slack, mia, "update")
    await mia.fill("Next step", "Identified")
    await mia.fill("Public update", "Cards are refused.")
    await mia.fill("Private note", "db-3 lost quorum")
    await announced(slack, mia)
    return mia.submit()


async def by_assign_form(mia, slack):
    await mia.choose(await card(slack), "menu", "Assign…")
    await opened(slack, mia, "assign")
    await mia.fill("Owner", "bo")
    return mia.submit()


async def by_severity_form(mia, slack):
    await mia.choose(await card(slack), "menu", "Severity…")
    await opened(slack, mia, "severity")
    await mia.fill("Severity", "Critical")
    return mia.submit()


async def by_private_button(mia, slack):
    asked = await mia.command("#payments", "/incident private 1")
    return mia.press(await asked.answer(), "Make it private")


async def by_public_form(mia, slack):
    await tell(mia, "declare Key leaked private")
    await mia.command("#payments", "/incident public 2")
    await opened(slack, mia, "public")
    return mia.submit()


async def by_walk_form(mia, slack):
    refused = await mia.command("#payments", "/incident resolve 1")
    await mia.press(await refused.answer(), "Resolve: 3 steps…")
    await opened(slack, mia, "walk")
    await mia.fill("Private reason", "it was over")
    return mia.submit()


async def by_resolution(mia, slack):
    await tell(mia, "next 1", "next 1")
    ended = await mia.command("#payments", "/incident next 1")
    return mia.choose(await ended.answer(), "ended", "False alarm")


async def by_subscribe_button(mia, slack):
    asked = await mia.command("#payments", "/incident subscribe #war-room severity:high+")
    return mia.press(await asked.answer(), "Subscribe")


async def by_subscribe_form(mia, slack):
    await tell(mia, "subscribe #general")
    listed = await mia.command("#payments", "/incident subscriptions")
    await mia.choose(await listed.answer(), "menu", "Change…")
    await opened(slack, mia, "subscribe")
    await mia.fill("Severity", "Critical")
    return mia.submit()


async def by_the_list_of_subscriptions(mia, slack):
    await tell(mia, "subscribe #general")
    listed = await mia.command("#payments", "/incident subscriptions")
    return mia.choose(await listed.answer(), "menu", "Unsubscribe")


async def by_redact_form(mia, slack):
    await tell(mia, "note 1 db-3 lost quorum")
    await mia.choose(await card(slack), "menu", "Withdraw…")
    await opened(slack, mia, "redact")
    await mia.fill("entry", "2")
    return mia.submit()


async def by_report_form(mia, slack):
    report = await mia.command("#payments", "/incident report 1")
    await mia.press(await report.answer(), "Write…")
    await opened(slack, mia, "report")
    await mia.fill("Cause", "db-3 lost quorum")
    return mia.submit()


async def by_declare_form(mia, slack):
    await mia.command("#payments", "/incident declare")
    await opened(slack, mia, "declare")
    await mia.fill("Title", "Search is slow")
    await mia.fill("Description", "since the release")
    return mia.submit()


async def by_global_shortcut(mia, slack):
    return mia.shortcut("declare_incident")


async def by_form_of_the_global_shortcut(mia, slack):
    await mia.shortcut("declare_incident")
    await opened(slack, mia, "declare")
    await mia.fill("Title", "Search is slow")
    await mia.fill("Channel", "#payments")
    return mia.submit()


async def by_message_shortcut(mia, slack):
    message = await mia.say("#general", "db-3 looks slow")
    return mia.message_shortcut(message, "declare_from_message")


async def by_shortcut_to_the_timeline(mia, slack):
    message = await mia.say("#general", "db-3 looks slow")
    return mia.message_shortcut(message, "add_to_timeline")


async def by_form_of_a_message(mia, slack):
    message = await mia.say("#general", "db-3 looks slow")
    await mia.message_shortcut(message, "declare_from_message")
    await opened(slack, mia, "declare")
    await mia.fill("Title", "Search is slow")
    return mia.submit()


async def by_form_of_the_timeline(mia, slack):
    message = await mia.say("#general", "db-3 looks slow")
    await mia.message_shortcut(message, "add_to_timeline")
    await opened(slack, mia, "note")
    return mia.submit()


async def by_declare_without_a_title(mia, slack):
    return mia.command("#payments", "/incident declare")


async def listed(mia, slack, *names):
    """The list of components, with these, before Mia, who is an admin."""
    await tell(mia, "setup #status")
    if names:
        await tell(mia, f"components 1 {', '.join(names)}")
    await mia.command("#payments", "/incident components")
    await slack.until(lambda: mia.has_view and "Components (" in mia.view.words())


async def by_component_form(mia, slack):
    await listed(mia, slack)
    await mia.press(mia.view, "Add a component…")
    await opened(slack, mia, "component")
    await mia.fill("Name", "Search")
    await mia.fill("Group", "Core")
    return mia.submit()


async def by_form_of_a_known_component(mia, slack):
    await listed(mia, slack, "Search")
    await mia.choose(mia.view, "menu", "Edit…")
    await opened(slack, mia, "component")
    await mia.fill("Name", "Search API")
    await mia.fill("Group", "Core")
    return mia.submit()


async def by_group_form(mia, slack):
    await (await by_component_form(mia, slack))
    await slack.until(lambda: "Search* is added" in mia.view.words())
    await mia.choose(mia.view, "menu:group", "Edit the group…")
    await opened(slack, mia, "group")
    await mia.fill("Name", "Basics")
    return mia.submit()


async def by_override_form(mia, slack):
    await listed(mia, slack, "Search")
    await mia.choose(mia.view, "menu", "Status by hand…")
    await opened(slack, mia, "override")
    await mia.fill("Status", "Major outage")
    await mia.fill("Private reason", "db-3 lost quorum")
    return mia.submit()


async def by_show_on_the_page(mia, slack):
    tagged = await mia.command("#payments", "/incident components 1 Search")
    return mia.press(await tagged.answer(), "Show on the page")


async def by_page_form(mia, slack):
    await mia.command("#payments", "/incident setup page")
    await opened(slack, mia, "page")
    await mia.fill("Publication", ["Publish the page, for everybody to read"])
    await mia.fill("Title", "Acme status")
    return mia.submit()


async def by_opening_the_list_of_components(mia, slack):
    return mia.command("#payments", "/incident components")


async def by_opening_the_page(mia, slack):
    return mia.command("#payments", "/incident setup page")


CHANGES = {
    **{name: by_command(*lines) for name, lines in COMMANDS.items()},
    **{
        way.__name__: way
        for way in (
            by_step,
            by_step_in_an_answer,
            by_step_at_home,
            by_acknowledgement,
            by_update_form,
            by_assign_form,
            by_severity_form,
            by_subscribe_button,
            by_subscribe_form,
            by_the_list_of_subscriptions,
            by_redact_form,
            by_report_form,
            by_private_button,
            by_public_form,
            by_walk_form,
            by_resolution,
            by_declare_form,
            by_form_of_the_global_shortcut,
            by_form_of_a_message,
            by_form_of_the_timeline,
            by_component_form,
            by_form_of_a_known_component,
            by_group_form,
            by_override_form,
            by_show_on_the_page,
            by_page_form,
        )
    },
}
# These open a dialog and change nothing yet.
OPENINGS = {
    way.__name__: way
    for way in (
        by_opening_a_dialog,
        by_global_shortcut,
        by_message_shortcut,
        by_shortcut_to_the_timeline,
        by_declare_without_a_title,
        by_opening_the_list_of_components,
        by_opening_the_page,
    )
}


@pytest.fixture
def mode():
    """Payloads of both modes reach the same listeners; the tests of both name a mode."""
    return "socket"


@pytest.fixture
def doors(mode, slack):
    return {
        "socket": {"SLACK_APP_TOKEN": slack.app_token, "SLACK_SIGNING_SECRET": None},
        "http": {},
    }[mode] | {"STATUS_CHANNEL": None}


@pytest.fixture
async def ratchet(start, doors, slack, clock, mia):
    async with AsyncExitStack() as stack:
        app = await stack.enter_async_context(start(**doors))
        if "SLACK_APP_TOKEN" in doors:
            await slack.connected()
        await tell(mia, "setup #status", "declare Checkout is down")
        await settle(app, clock)
        yield app


KEPT = (
    *("workspace", "incident", "incident_update", "component", "incident_component", "outbox"),
    *("subscription", "page", "component_group", "component_override"),
)


def kept(app):
    """Every row of the changes that people made, and of the messages about them."""
    return tables.contents(app.store, KEPT)


def entries(app):
    """The lines of the timelines: two that are equal are one act that was done twice."""
    return tables.rows(app.store, "SELECT incident_id, kind, new, body FROM incident_update")


def changes(kept):
    """The numbers of incidents and of updates."""
    return [len(kept[table]) for table in ("incident", "incident_update")]


def seen(slack, mia):
    """The channels, and the dialog that is open before this person."""
    channels = [slack.channel_view(channel) for channel in ("#payments", "#status")]
    return channels, mia.has_view and mia.view.callback_id


# One of each kind of payload.
KINDS = {
    way.__name__: way for way in (by_step, by_update_form, by_acknowledgement, by_form_of_a_message)
} | {"update, with a step": CHANGES["update, with a step"]}


@pytest.mark.parametrize(
    ("mode", "way"),
    [
        *(pytest.param("socket", way, id=f"socket-{name}") for name, way in CHANGES.items()),
        *(pytest.param("http", way, id=f"http-{name}") for name, way in KINDS.items()),
    ],
)
async def test_a_second_delivery_changes_nothing(way, mode, ratchet, slack, clock, mia):
    act = await way(mia, slack)
    untouched = kept(ratchet)
    done = await act
    await idle(ratchet)
    await settle(ratchet, clock)
    assert (done.error, done.field_errors) == (None, {})
    before, shown = kept(ratchet), seen(slack, mia)
    assert before != untouched

    again = await slack.redeliver(done.request)
    again += await slack.redeliver(done.request, copies=3, at_once=True)
    await idle(ratchet)
    await settle(ratchet, clock)

    assert kept(ratchet) == before
    assert seen(slack, mia) == shown
    assert [request.ack.error for request in again] == [None] * 4
    # No later answer contradicts the first.
    assert [request.ack.body for request in again if "response_action" in str(request.ack)] == []
    answered = " ".join(message.words() for message in mia.ephemerals)
    assert "did not work" not in answered
    assert "failed" not in answered


@pytest.mark.parametrize("way", OPENINGS.values(), ids=OPENINGS)
async def test_a_repeated_request_opens_one_dialog_and_shows_no_error(
    way, ratchet, slack, clock, mia
):
    done = await (await way(mia, slack))
    await slack.until(lambda: mia.has_view and mia.view.callback_id != "loading")
    dialog, told = mia.view.id, len(mia.ephemerals)

    again = await slack.redeliver(done.request, copies=3, at_once=True)
    await settle(ratchet, clock)
    await idle(ratchet)

    assert [(request.ack.error, request.ack.body) for request in again] == [(None, None)] * 3
    assert (mia.view.id, len(mia.ephemerals)) == (dialog, told)
    assert len(slack.workspace.stacks[mia.id]) == 1


async def test_a_repeated_event_draws_the_same_home_tab(ratchet, slack, clock, mia):
    request = await mia.open_home()
    await slack.until(lambda: mia.id in slack.workspace.homes)
    drawn, before = mia.home.words(), kept(ratchet)

    again = await slack.redeliver(request, copies=3, at_once=True)
    await slack.until(lambda: len(slack.calls_of("views.publish")) == 4)

    assert [request.ack.error for request in again] == [None, None, None]
    assert mia.home.words() == drawn
    assert kept(ratchet) == before


async def test_repeated_events_of_messages_change_nothing(ratchet, slack, mia):
    before = kept(ratchet)
    payload = {
        "type": "event_callback",
        "team_id": slack.workspace.team_id,
        "event_id": "Ev1",
        "event": {"type": "message", "user": mia.id, "channel": "C0PAYMENTS", "text": "resolved"},
    }
    told = slack.courier.send_event(payload)
    await slack.until(lambda: told.ack is not None)
    again = await slack.redeliver(told, copies=3, at_once=True)

    assert [request.ack.error for request in (told, *again)] == [None] * 4
    assert kept(ratchet) == before


# --- equal requests are no redelivery ----------------------------------------------------------


async def test_two_equal_commands_are_two_changes(ratchet, slack, clock, mia):
    before = changes(kept(ratchet))
    await tell(mia, *["note 1 still the same"] * 3, *["declare Search is slow"] * 2)

    assert changes(kept(ratchet)) == [before[0] + 2, before[1] + 5]


async def test_equal_commands_at_the_same_moment_are_separate_changes(ratchet, slack, mia):
    before = changes(kept(ratchet))
    await asyncio.gather(*(tell(mia, "note 1 still the same") for _ in range(8)))

    assert changes(kept(ratchet)) == [before[0], before[1] + 8]


async def test_two_equal_forms_are_two_changes(ratchet, slack, clock, mia):
    before = changes(kept(ratchet))
    for _ in range(2):
        done = await (await by_declare_form(mia, slack))
        assert (done.error, done.field_errors) == (None, {})

    # The declaration and its description, twice.
    assert changes(kept(ratchet))[0] == before[0] + 2


async def test_a_corrected_form_is_accepted(ratchet, slack, clock, mia):
    await mia.press(await card(slack), "update")
    await opened(slack, mia, "update")
    await mia.fill("Private note", "   ")
    assert (await mia.submit()).field_errors
    await mia.fill("Private note", "db-3 lost quorum")
    assert not (await mia.submit()).field_errors

    assert not mia.has_view


async def test_a_button_pressed_twice_moves_once_and_says_why(ratchet, slack, clock, mia):
    shown = (await card(slack)).snapshot()
    first = await mia.press(shown, "Move to Identified")
    await first.answer()
    await settle(ratchet, clock)
    before = kept(ratchet)
    second = await mia.press(shown, "Move to Identified")

    assert "moved" in (await second.answer()).words()
    assert kept(ratchet) == before


async def test_a_menu_used_twice_opens_two_dialogs(ratchet, slack, clock, mia):
    for _ in range(2):
        pressed = await mia.press(await card(slack), "update")
        await opened(slack, mia, "update")
        assert pressed.error is None
        await mia.close()

    assert len(slack.calls_of("views.open")) == 2


async def test_a_repeated_request_undoes_no_later_change(ratchet, slack, clock, mia):
    bo = slack.person("bo")
    asked = [await mia.command("#payments", "/incident severity 1 high") for _ in range(2)]
    asked.append(await mia.command("#payments", "/incident assign 1 @mia"))
    asked.append(await move_status_channel(mia, "#general"))
    await tell(bo, "severity 1 low", "assign 1 @bo")
    await move_status_channel(mia, "#payments")
    await settle(ratchet, clock)
    before = kept(ratchet)

    for each in asked:
        await slack.redeliver(each.request)

    assert kept(ratchet) == before


# --- after a day, and at several servers -------------------------------------------------------


async def test_handled_requests_are_forgotten_after_a_day(ratchet, clock, mia):
    clock.advance(seconds=timedelta(hours=23).total_seconds())
    await tell(mia, "note 1 still here")
    clock.advance(seconds=timedelta(hours=2).total_seconds())
    await ratchet.forget()

    assert len(tables.rows(ratchet.store, "SELECT request FROM handled")) == 1


NOBODY = "http://127.0.0.1:9/slack/events"


@pytest.mark.parametrize("kind", ["postgresql"])
@pytest.mark.parametrize("way", KINDS.values(), ids=KINDS)
async def test_one_of_several_processes_handles_concurrent_copies(
    way, kind, start, slack, clock, mia
):
    async with start(STATUS_CHANNEL=None) as one, start(STATUS_CHANNEL=None) as other:
        await tell(mia, "setup #status", "declare Checkout is down")
        await settle(one, clock)
        act = await way(mia, slack)
        await settle(one, clock)
        slack.request_url = NOBODY
        request = (await act).request
        before = kept(one)

        urls = [f"{app.http.address}/slack/events" for app in (one, other)]
        copies = await asyncio.gather(
            *(slack.redeliver(request, copies=4, at_once=True, to=url) for url in urls)
        )
        await idle(one)
        await idle(other)
        after = kept(one)

        assert [copy.ack.error for each in copies for copy in each] == [None] * 8
        assert after != before
        assert changes(after)[0] - changes(before)[0] <= 1
        lines = entries(one)
        assert len(lines) == len(set(lines))
        await settle(one, clock)
