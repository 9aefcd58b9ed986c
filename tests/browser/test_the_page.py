"""The page behaves like a small Slack: visibility, dialogs, live changes, keyboard and phone."""

from __future__ import annotations

import asyncio
import re
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import expect

from tests.sandbox.blocks import plain
from tests.sandbox.connections import MANIFEST
from tests.standin import a_standin

pytestmark = [pytest.mark.world, pytest.mark.asyncio(loop_scope="session")]


def section(text):
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}}


def button(action_id, text, **more):
    return {"type": "button", "action_id": action_id, "text": plain(text), **more}


def options(*words):
    return [{"text": plain(word), "value": word.lower()} for word in words]


def actions(*elements):
    return {"type": "actions", "block_id": "steps", "elements": list(elements)}


def text_input(block_id, label, *, optional=False, **more):
    return {
        "type": "input",
        "block_id": block_id,
        "label": plain(label),
        "optional": optional,
        "element": {"type": "plain_text_input", "action_id": block_id, **more},
    }


def modal(*blocks, title="Update", callback_id="update", **more):
    return {
        "type": "modal",
        "callback_id": callback_id,
        "title": plain(title),
        "submit": plain("Save"),
        "blocks": list(blocks),
        **more,
    }


def messages(page):
    return page.get_by_role("list", name="Messages", exact=True).locator("li.message")


def composer(page, place="#payments"):
    return page.get_by_role("textbox", name=f"Message {place}")


async def say(page, text, place="#payments"):
    await composer(page, place).fill(text)
    await composer(page, place).press("Enter")


@pytest_asyncio.fixture(loop_scope="session")
async def card(client):
    """Posts a message with a button; returns a function that edits it."""
    blocks = [section("*Investigating*"), actions(button("go", "Identified"))]
    posted = await client.chat_postMessage(channel="C0PAYMENTS", text="INC-1", blocks=blocks)

    async def edit(text, *more):
        told = {"channel": "C0PAYMENTS", "ts": posted["ts"], "text": text}
        await client.chat_update(**told, blocks=[section(text), *more])

    return edit


# --- visibility ---


async def test_an_ephemeral_answer_is_marked_and_can_be_dismissed(app, at):
    @app.command("/incident")
    async def on_command(ack):
        await ack("All quiet.")

    mia, bo = await at("mia"), await at("bo")
    await say(mia, "/incident")

    answer = messages(mia)
    await expect(answer).to_contain_text("Only visible to you")
    await expect(answer).to_contain_text("All quiet.")
    await expect(messages(bo)).to_have_count(0)
    await answer.get_by_role("button", name="Dismiss message").click()
    await expect(answer).to_have_count(0)
    await mia.reload()
    await expect(mia.get_by_text("the very beginning of #payments")).to_be_visible()


async def test_a_message_appears_at_once_for_others(at):
    mia, bo = await at("mia"), await at("bo")

    await say(mia, "is *checkout* slow for you, @bo?")

    await expect(messages(bo)).to_contain_text("is checkout slow for you, @bo?")
    await expect(messages(bo).locator(".mention.is-mine")).to_have_text("@bo")


async def test_a_channel_with_news_is_marked_until_it_is_read(at, client):
    mia = await at("mia", "#general")
    entry = mia.get_by_role("navigation", name="Channels").get_by_role("button", name="payments")

    await client.chat_postMessage(channel="C0PAYMENTS", text="first")
    await expect(entry).to_have_accessible_name("payments, 1 unread")
    await entry.click()
    await expect(entry).to_have_accessible_name("payments")
    await mia.get_by_role("button", name="general").click()
    await client.chat_postMessage(channel="C0PAYMENTS", text="<@U0MIA> second")
    await expect(entry.locator(".badge")).to_have_attribute("data-count", "1")
    await entry.click()

    await expect(mia.locator(".is-new + .message")).to_contain_text("second")


async def test_a_private_channel_is_hidden_from_others(at):
    sam = await at("sam")
    rooms = sam.get_by_role("navigation", name="Channels")

    await expect(rooms.get_by_role("button", name="payments")).to_be_visible()
    await expect(rooms.get_by_role("button", name="war-room")).to_have_count(0)


async def test_an_archived_channel_can_only_be_read(at):
    page = await at("mia", "#old-news")

    await expect(page.get_by_text("#old-news is archived")).to_be_visible()
    await expect(page.get_by_role("textbox", name="Message #old-news")).to_have_count(0)


async def test_the_page_can_switch_to_another_person(at):
    page = await at("mia")
    await say(page, "I am Mia")

    bo = page.get_by_role("group", name="Act as").get_by_role("link", name="bo")
    await bo.click()
    await expect(bo).to_have_attribute("aria-current", "true")
    await say(page, "and I am Bo")

    await expect(messages(page).locator(".author")).to_have_text(["Mia Marsh", "Bo Lind"])
    await expect(page).to_have_url(re.compile(r"as=bo&at=payments"))


async def test_nothing_is_typed_into_the_box_of_the_person_before(at):
    page = await at("mia")
    loaded = asyncio.Event()

    async def later(route):
        await loaded.wait()
        await route.continue_()

    await page.route(re.compile(r"/front/messages"), later)
    bo = page.get_by_role("group", name="Act as").get_by_role("link", name="bo")
    await bo.click()
    await expect(bo).to_have_attribute("aria-current", "true")
    await expect(composer(page)).to_be_disabled()

    loaded.set()
    await expect(composer(page)).to_be_enabled()
    await say(page, "I am Bo")
    await expect(messages(page).locator(".author")).to_have_text(["Bo Lind"])


# --- live changes ---


async def test_an_edit_appears_without_a_reload_and_is_said_aloud(at, card):
    page = await at("mia")

    await card("*Identified*")

    await expect(messages(page)).to_have_count(1)
    await expect(messages(page).locator(".b-text")).to_have_text("Identified")
    await expect(messages(page)).to_contain_text("(edited)")
    await expect(page.get_by_role("status")).to_contain_text("judge edited: Identified")


async def test_an_edit_keeps_the_focus(at, card):
    page = await at("mia")
    await page.get_by_role("button", name="Identified").focus()

    await card("*Identified*", actions(button("go", "Monitoring"), button("more", "Update…")))
    await expect(page.get_by_role("button", name="Monitoring")).to_be_focused()

    await card("*Resolved*")
    await expect(messages(page)).to_contain_text("Resolved")
    assert await page.evaluate("document.activeElement.closest('.message') !== null")


async def test_a_deleted_message_disappears(at, client):
    page = await at("mia")
    posted = await client.chat_postMessage(channel="C0PAYMENTS", text="a slip")
    await expect(messages(page)).to_have_count(1)

    await client.chat_delete(channel="C0PAYMENTS", ts=posted["ts"])

    await expect(messages(page)).to_have_count(0)


async def test_the_page_catches_up_after_a_restart_of_the_stand_in(chromium, unused_tcp_port):
    async def here():
        return a_standin(MANIFEST, port=unused_tcp_port)

    first, second = await here(), await here()
    await first.start()
    page = await chromium.new_page()
    await page.goto(f"{first.url}/?as=mia&at=payments")
    await expect(page.locator("html[data-ready]")).to_be_attached()
    await expect(page.get_by_role("alert")).to_be_hidden()

    await first.stop()
    await expect(page.get_by_role("alert")).to_contain_text("The stand-in does not answer")
    await second.start()
    await second.person("bo").say("#payments", "and we are back")

    await expect(messages(page)).to_contain_text("and we are back")
    await expect(page.get_by_role("alert")).to_be_hidden()
    await page.close()
    await second.stop()


# --- threads ---


async def test_a_thread_opens_beside_the_channel_and_accepts_replies(at, client):
    root = await client.chat_postMessage(channel="C0PAYMENTS", text="a card")
    reply = {"channel": "C0PAYMENTS", "thread_ts": root["ts"]}
    await client.chat_postMessage(**reply, text="only in the thread")
    await client.chat_postMessage(**reply, text="for everybody", reply_broadcast=True)
    page = await at("mia")

    await expect(messages(page)).to_have_count(2)
    await expect(messages(page).last).to_contain_text("replied to a thread: a card")
    await expect(messages(page).last).to_contain_text("for everybody")

    await page.get_by_role("button", name="2 replies").click()
    thread = page.get_by_role("complementary", name="Thread")
    await expect(thread.locator("li.message")).to_have_count(3)
    await thread.get_by_role("textbox", name="Reply in thread").fill("and I answer")
    await thread.get_by_role("textbox", name="Reply in thread").press("Enter")
    await expect(thread.locator("li.message").last).to_contain_text("and I answer")
    await expect(page.get_by_role("button", name="3 replies")).to_be_visible()

    await thread.get_by_role("button", name="Close thread").click()
    await expect(thread).to_be_hidden()


async def test_a_command_in_a_thread_is_refused_as_in_slack(at, client):
    await client.chat_postMessage(channel="C0PAYMENTS", text="a card")
    page = await at("mia")
    await messages(page).hover()
    await page.get_by_role("button", name="Reply in thread").click()

    box = page.get_by_role("textbox", name="Reply in thread")
    await box.fill("/incident list")
    await box.press("Enter")

    thread = page.get_by_role("complementary", name="Thread")
    await expect(thread).to_contain_text("/incident is not supported in threads. Sorry!")


async def test_a_permalink_leads_to_its_message(at, client):
    root = await client.chat_postMessage(channel="C0STATUS", text="a card")
    thread = {"channel": "C0STATUS", "thread_ts": root["ts"]}
    reply = await client.chat_postMessage(**thread, text="deep in the thread")
    link = (await client.chat_getPermalink(channel="C0STATUS", message_ts=reply["ts"]))["permalink"]

    page = await at("mia", path=link[link.index("/archives") :])

    await expect(page.get_by_role("heading", level=1)).to_have_text("status")
    found = page.get_by_role("complementary", name="Thread").locator(".is-target")
    await expect(found).to_contain_text("deep in the thread")


# --- writing ---


async def test_a_slash_offers_the_commands_with_their_usage(at, manifest):
    page = await at("mia")
    box = composer(page)

    await box.press_sequentially("/i")
    await expect(page.get_by_role("option")).to_have_text(["/incidentIncidents"])
    await box.press("Enter")

    await expect(box).to_have_value("/incident ")
    await expect(page.locator(".usage").first).to_contain_text("/incident")
    await expect(page.get_by_role("option")).to_have_count(0)


async def test_people_and_channels_are_completed(at):
    page = await at("mia")
    box = composer(page)

    await box.press_sequentially("ask @")
    await expect(page.get_by_role("option")).to_contain_text(["@mia", "@bo", "@sam", "@gus"])
    await box.press_sequentially("li")
    await expect(page.get_by_role("option")).to_have_text(["@boBo Lind"])
    await box.press("Tab")
    await box.press_sequentially("in #st")
    await box.press("Enter")

    await expect(box).to_have_value("ask @bo in #status ")
    await box.press("Escape")
    await box.press("Enter")
    await expect(messages(page).locator(".mention")).to_have_text(["@bo", "#status"])


async def test_shift_enter_begins_a_line_and_enter_sends(at):
    page = await at("mia")
    box = composer(page)

    await box.press_sequentially("one")
    await box.press("Shift+Enter")
    await box.press_sequentially("two")
    await box.press("Enter")

    assert await messages(page).locator(".b-text").inner_html() == "one<br>two"
    await expect(box).to_have_value("")


async def test_a_draft_stays_in_its_channel(at):
    page = await at("mia")
    await composer(page).fill("not yet")

    await page.get_by_role("button", name="general").click()
    await expect(composer(page, "#general")).to_have_value("")
    await page.get_by_role("button", name="payments").click()

    await expect(composer(page)).to_have_value("not yet")


async def test_a_command_that_is_not_answered_fails_as_slack_shows_it(app, at, slack):
    slack.courier.ack_seconds = 0.2
    page = await at("mia")

    await say(page, "/incident list")

    failed = '/incident failed with the error "operation_timeout"'
    await expect(messages(page)).to_contain_text(failed)
    await expect(messages(page)).to_contain_text("Only visible to you")


async def test_an_unknown_command_is_named(at):
    page = await at("mia")

    await say(page, "/incidnet list")

    await expect(messages(page)).to_contain_text("/incidnet is not a valid command")


async def test_a_failed_click_shows_an_error_beside_the_button(at, card):
    page = await at("mia")

    await page.get_by_role("button", name="Identified").click()

    alert = messages(page).get_by_role("alert")
    await expect(alert).to_have_text("We had some trouble connecting. Try again?")


# --- dialogs ---


@pytest_asyncio.fixture(loop_scope="session")
async def opening(app):
    """A command that opens a dialog: its view, the answer to a submission, the submitted values."""

    note = text_input("note", "Private note", optional=True)
    opening = SimpleNamespace(
        view=modal(text_input("title", "Title"), note), answer=None, submitted=[]
    )

    @app.command("/incident")
    async def on_command(ack, command, client):
        await ack()
        await client.views_open(trigger_id=command["trigger_id"], view=opening.view)

    @app.view({"type": "view_submission", "callback_id": "update"})
    async def on_submit(ack, view):
        opening.submitted.append(view["state"]["values"])
        await ack(**(opening.answer or {}))

    return opening


async def test_a_dialog_is_filled_in_and_submitted(opening, at):
    page = await at("mia")
    await say(page, "/incident")
    dialog = page.get_by_role("dialog", name="Update")

    await expect(dialog.get_by_label("Title")).to_be_focused()
    await dialog.get_by_label("Title").fill("Checkout is down")
    await dialog.get_by_label("Private note").fill("db-3 lost quorum")
    await dialog.get_by_role("button", name="Save").click()

    await expect(dialog).to_be_hidden()
    [values] = opening.submitted
    assert values["title"]["title"]["value"] == "Checkout is down"
    assert values["note"]["note"]["value"] == "db-3 lost quorum"
    await expect(composer(page)).to_be_focused()


async def test_a_missing_value_is_an_error_at_the_field_without_a_request(opening, at):
    page = await at("mia")
    await say(page, "/incident")

    await page.get_by_role("button", name="Save").click()

    field = page.get_by_role("dialog").get_by_label("Title")
    await expect(field).to_have_accessible_description("Please complete this required field.")
    await expect(field).to_have_attribute("aria-invalid", "true")
    await expect(field).to_be_focused()
    assert opening.submitted == []


async def test_an_error_from_the_app_is_at_the_field_and_the_input_stays(opening, at):
    opening.answer = {"response_action": "errors", "errors": {"note": "Say who found it."}}
    page = await at("mia")
    await say(page, "/incident")
    dialog = page.get_by_role("dialog")
    await dialog.get_by_label("Title").fill("Checkout is down")

    await dialog.get_by_role("button", name="Save").click()

    note = dialog.get_by_label("Private note")
    await expect(note).to_have_accessible_description("Say who found it.")
    await expect(dialog.get_by_label("Title")).to_have_value("Checkout is down")
    opening.answer = None
    await note.fill("Bo")
    await note.press("Enter")
    await expect(dialog).to_be_hidden()


async def test_a_redrawn_dialog_keeps_the_input(opening, at, client, slack):
    page = await at("mia")
    await say(page, "/incident")
    title = page.get_by_role("dialog").get_by_label("Title")
    await title.press_sequentially("Checkout is d")

    changed = modal(section("Bo moved it meanwhile."), *opening.view["blocks"])
    await client.views_update(view_id=slack.person("mia").view.id, view=changed)

    await expect(page.get_by_role("dialog")).to_contain_text("Bo moved it meanwhile.")
    await expect(title).to_be_focused()
    await page.keyboard.type("own")
    await expect(title).to_have_value("Checkout is down")


async def test_a_loading_view_becomes_the_real_one(opening, at, client, slack):
    real, loading = opening.view, modal(section("One moment…"))
    del loading["submit"]
    opening.view = loading
    page = await at("mia")
    await say(page, "/incident")
    await expect(page.get_by_role("dialog")).to_contain_text("One moment…")
    await expect(page.get_by_role("button", name="Save")).to_have_count(0)

    await client.views_update(view_id=slack.person("mia").view.id, view=real)

    await expect(page.get_by_role("dialog").get_by_label("Title")).to_be_visible()


async def test_dialogs_stack_and_one_goes_back(opening, at):
    opening.answer = {"response_action": "push", "view": modal(section("Sure?"), title="Preview")}
    page = await at("mia")
    await say(page, "/incident")
    await page.get_by_label("Title").fill("Checkout is down")
    await page.get_by_role("button", name="Save").click()
    await expect(page.get_by_role("dialog", name="Preview")).to_be_visible()

    await page.get_by_role("button", name="Back").click()
    title = page.get_by_role("dialog", name="Update").get_by_label("Title")
    await expect(title).to_have_value("Checkout is down")
    await page.get_by_role("button", name="Save").click()
    await expect(page.get_by_role("dialog", name="Preview")).to_be_visible()
    await page.get_by_role("dialog").get_by_role("button", name="Close").click()

    await expect(page.get_by_role("dialog")).to_be_hidden()


async def test_a_dialog_keeps_the_focus_inside_and_escape_closes_it(opening, at, slack):
    opening.view = modal(text_input("title", "Title"), notify_on_close=True)
    page = await at("mia")
    await say(page, "/incident")
    await expect(page.get_by_label("Title")).to_be_focused()

    for _ in range(8):
        await page.keyboard.press("Tab")
        # After the last button the focus is on the browser's own controls, for the page its body.
        assert await page.evaluate("document.activeElement.matches('body, dialog *')")
    await page.keyboard.press("Escape")

    await expect(page.get_by_role("dialog")).to_be_hidden()
    await slack.until(lambda: slack.interactions[-1].kind == "view_closed")


async def test_an_unanswered_submission_is_an_error_in_the_dialog(app, at, slack):
    @app.command("/incident")
    async def on_command(ack, command, client):
        await ack()
        view = modal(text_input("title", "Title", optional=True), callback_id="nobody-listens")
        await client.views_open(trigger_id=command["trigger_id"], view=view)

    page = await at("mia")
    await say(page, "/incident")
    await expect(page.get_by_role("dialog")).to_be_visible()
    slack.courier.ack_seconds = 0.2
    await page.get_by_role("button", name="Save").click()

    alert = page.get_by_role("dialog").get_by_role("alert")
    await expect(alert).to_have_text("We had some trouble connecting. Try again?")
    await expect(page.get_by_role("dialog")).to_be_visible()


async def test_every_kind_of_input_can_be_filled_in(opening, app, at):
    @app.options("incident")
    async def on_options(ack, payload):
        found = f"INC-{payload['value']}"
        await ack(options=[{"text": plain(found), "value": found}])

    choices = options("High", "Low")
    elements: dict[str, dict[str, Any]] = {
        "text": {"type": "plain_text_input", "multiline": True, "max_length": 50},
        "mail": {"type": "email_text_input"},
        "url": {"type": "url_text_input"},
        "number": {"type": "number_input", "is_decimal_allowed": False},
        "rich": {"type": "rich_text_input"},
        "one": {"type": "static_select", "options": choices},
        "some": {"type": "multi_static_select", "options": choices},
        "incident": {"type": "external_select", "min_query_length": 1},
        "who": {"type": "users_select"},
        "all": {"type": "multi_users_select"},
        "day": {"type": "datepicker"},
        "hour": {"type": "timepicker"},
        "radio": {"type": "radio_buttons", "options": choices},
        "boxes": {"type": "checkboxes", "options": choices},
    }
    opening.view = modal(
        *(
            {
                "type": "input",
                "block_id": name,
                "label": plain(f"The {name}"),
                "hint": plain("A hint"),
                "element": {"action_id": name, **element},
            }
            for name, element in elements.items()
        )
    )
    page = await at("mia", viewport={"width": 1280, "height": 1100})
    await say(page, "/incident")
    dialog = page.get_by_role("dialog")

    typed = {"text": "words", "mail": "a@b.c", "url": "https://b.c", "number": "4", "rich": "more"}
    for name, words in typed.items():
        await dialog.get_by_label(f"The {name}").fill(words)
    for name, option in {"one": "Low", "who": "@bo"}.items():
        await dialog.get_by_role("button", name=f"The {name}").click()
        await page.get_by_role("option", name=option).click()
    for name, wanted in {"some": ["High", "Low"], "all": ["@mia", "@sam"]}.items():
        await dialog.get_by_role("button", name=f"The {name}").click()
        for option in wanted:
            await page.get_by_role("option", name=option).click()
        await page.keyboard.press("Escape")
    await dialog.get_by_role("button", name="The incident").click()
    await page.get_by_role("combobox", name="Find in The incident").fill("42")
    await page.get_by_role("option", name="INC-42").click()
    await dialog.get_by_label("The day").fill("2026-03-02")
    await dialog.get_by_label("The hour").fill("09:30")
    await dialog.get_by_role("group", name="The radio").get_by_label("Low").check()
    await dialog.get_by_role("group", name="The boxes").get_by_label("High").check()
    await dialog.get_by_role("button", name="Save").click()

    await expect(dialog).to_be_hidden()
    [values] = opening.submitted
    told = {name: values[name][name] for name in elements}
    assert {name: told[name]["value"] for name in ("text", "mail", "url", "number")} == {
        name: typed[name] for name in ("text", "mail", "url", "number")
    }
    assert "more" in str(told["rich"]["rich_text_value"])
    assert told["one"]["selected_option"]["value"] == "low"
    assert [each["value"] for each in told["some"]["selected_options"]] == ["high", "low"]
    assert told["incident"]["selected_option"]["value"] == "INC-42"
    assert told["who"]["selected_user"] == "U0BO"
    assert told["all"]["selected_users"] == ["U0MIA", "U0SAM"]
    assert (told["day"]["selected_date"], told["hour"]["selected_time"]) == ("2026-03-02", "09:30")
    assert told["radio"]["selected_option"]["value"] == "low"
    assert [each["value"] for each in told["boxes"]["selected_options"]] == ["high"]


# --- shortcuts and the Home tab ---


async def test_shortcuts_are_in_the_composer_and_on_each_message(app, at, client, slack):
    heard = []

    @app.shortcut("declare")
    async def on_global(ack, body):
        await ack()
        heard.append(body["type"])

    @app.shortcut("note")
    async def on_message(ack, body):
        await ack()
        heard.append(body["message"]["text"])

    await client.chat_postMessage(channel="C0PAYMENTS", text="503 everywhere")
    page = await at("mia")

    await page.get_by_role("button", name="Shortcuts").click()
    await page.get_by_role("menuitem", name="Declare").click()
    await slack.until(lambda: heard == ["shortcut"])
    await messages(page).hover()
    await page.get_by_role("button", name="More actions on this message").click()
    await page.get_by_role("menuitem", name="Note").click()

    await slack.until(lambda: heard == ["shortcut", "503 everywhere"])


async def test_the_home_tab_is_the_apps_own(app, at):
    @app.event("app_home_opened")
    async def on_home(event, client):
        blocks = [section("*Open here*"), actions(button("go", "Declare"))]
        await client.views_publish(user_id=event["user"], view={"type": "home", "blocks": blocks})

    @app.action("go")
    async def on_go(ack, body, client):
        await ack()
        home = {"type": "home", "blocks": [section("*One is open*")]}
        await client.views_publish(user_id=body["user"]["id"], view=home)

    page = await at("mia")
    apps = page.get_by_role("navigation", name="Channels and apps")
    await apps.get_by_role("button", name="Judge").click()

    await expect(page.get_by_text("Open here")).to_be_visible()
    await page.get_by_role("button", name="Declare").click()
    await expect(page.get_by_text("One is open")).to_be_visible()
    await page.get_by_role("button", name="Messages").click()
    await say(page, "hello", "Judge")
    await expect(messages(page)).to_contain_text("hello")


async def test_a_read_only_messages_tab_has_no_composer(at, slack):
    slack.workspace.app = replace(slack.workspace.app, messages_read_only=True)
    page = await at("mia", "messages")

    closed = page.get_by_text("Sending messages to this app has been turned off.")
    await expect(closed).to_be_visible()
    await expect(page.get_by_role("textbox")).to_have_count(0)


async def test_the_page_shows_the_inside_of_a_message(at, card):
    page = await at("mia")
    await messages(page).hover()
    await page.get_by_role("button", name="More actions on this message").click()

    await page.get_by_role("menuitem", name="Look inside").click()

    inside = page.get_by_role("dialog", name="Inside this message")
    await expect(inside).to_contain_text("A notification and a screen reader say")
    await expect(inside.locator("pre")).to_contain_text('"action_id": "go"')


# --- the inspector ---


async def test_the_inspector_shows_each_request_with_its_answer_and_each_call(app, at):
    @app.command("/incident")
    async def on_command(ack, client):
        await ack("heard")
        await client.chat_postMessage(channel="C0STATUS", text="posted")

    page = await at("mia")
    await page.get_by_role("button", name="Inspector").click()
    rows = page.get_by_role("list", name="Requests and calls").get_by_role("listitem")
    await say(page, "/incident list open")

    request = rows.filter(has_text="/incident list open")
    await expect(request).to_contain_text("mia")
    await expect(request).to_contain_text(re.compile(r"ack \d+ ms"))
    call = rows.filter(has_text="chat.postMessage")
    await expect(call).to_contain_text("#status")
    await expect(call).to_contain_text(re.compile(r"ok · \d+ ms"))
    await request.locator("summary").click()
    await expect(request).to_contain_text('"command": "/incident"')
    await expect(request).to_contain_text('"body": {')


async def test_the_inspector_shows_the_reason_of_a_refused_answer(app, at):
    @app.command("/incident")
    async def on_command(ack):
        await ack(text="x", blocks=[{"type": "header", "text": plain("x" * 151)}])

    page = await at("mia")
    await page.get_by_role("button", name="Inspector").click()
    await say(page, "/incident")

    row = page.locator(".row").filter(has_text="/incident")
    await expect(row).to_contain_text("invalid_command_response")
    await row.locator("summary").click()
    await expect(row).to_contain_text("must be less than 151 characters")


async def test_faults_are_switched_on_and_off(at, client, slack):
    page = await at("mia")
    await page.get_by_role("button", name="Inspector").click()
    await page.get_by_role("button", name="Faults").click()

    await page.get_by_label("Fault", exact=True).select_option("Refusal (ok: false)")
    await page.get_by_label("Method", exact=True).select_option("chat.postMessage")
    await page.get_by_label("Channel", exact=True).select_option("#status")
    await page.get_by_label("How often").select_option("until it is ended")
    await page.get_by_label("Error").fill("is_archived")
    await page.get_by_role("button", name="Add").click()

    active = page.get_by_role("region", name="Active faults")
    await expect(active).to_contain_text("Refusal (ok: false) on chat.postMessage in #status")
    [fault] = slack.faults
    assert (fault.method, fault.channel) == ("chat.postMessage", "C0STATUS")
    assert (fault.times, fault.error) == (None, "is_archived")
    await active.get_by_role("button", name="End").click()
    await expect(active).to_contain_text("No fault is active.")


async def test_connections_can_be_dropped_and_requests_delivered_again(app, at, slack):
    @app.command("/incident")
    async def on_command(ack):
        await ack("heard")

    page = await at("mia")
    await say(page, "/incident")
    await expect(messages(page)).to_have_count(1)
    await page.get_by_role("button", name="Inspector").click()
    await page.get_by_role("button", name="Faults").click()

    await page.get_by_role("button", name="Once", exact=True).click()
    await slack.until(lambda: slack.requests[-1].redelivered)
    [connection] = slack.sockets.connections
    await page.get_by_role("button", name="Drop").click()

    await slack.until(lambda: connection not in slack.sockets.connections)
    await expect(page.get_by_text("The app is not connected.")).to_be_visible()


# --- keyboard, screen reader, looks ---


async def test_the_whole_journey_needs_no_mouse(opening, app, at, client, slack):
    @app.action("go")
    async def on_go(ack, body, client):
        await ack()
        target = {"channel": body["channel"]["id"], "ts": body["message"]["ts"]}
        await client.chat_update(**target, text="moved", blocks=[section("moved")])

    @app.action("more")
    async def on_more(ack):
        await ack()

    more = {"type": "overflow", "action_id": "more", "options": options("Timeline")}
    blocks = [section("a card"), actions(button("go", "Identified"), more)]
    await client.chat_postMessage(channel="C0PAYMENTS", text="a card", blocks=blocks)
    page = await at("mia")

    # Back to the messages, into the card, to its button.
    await expect(composer(page)).to_be_focused()
    await page.keyboard.press("Shift+F6")
    await expect(messages(page)).to_be_focused()
    await page.keyboard.press("Tab")
    await expect(page.get_by_role("button", name="Identified")).to_be_focused()
    await page.keyboard.press("Tab")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("menuitem", name="Timeline")).to_be_focused()
    await page.keyboard.press("Escape")
    await page.keyboard.press("Shift+Tab")
    await page.keyboard.press("Enter")
    await expect(messages(page)).to_contain_text("moved")

    # Back to the composer, a command, its dialog, and the answer.
    await page.keyboard.press("Escape")
    await expect(composer(page)).to_be_focused()
    await page.keyboard.type("/inc")
    await page.keyboard.press("Tab")
    await page.keyboard.press("Enter")
    await expect(page.get_by_label("Title")).to_be_focused()
    await page.keyboard.type("Checkout is down")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("dialog")).to_be_hidden()
    assert opening.submitted[0]["title"]["title"]["value"] == "Checkout is down"


async def test_a_link_skips_to_the_messages_and_one_to_writing(at, card):
    page = await at("mia")
    skip = page.get_by_role("link", name="Skip to messages")

    await skip.focus()
    await expect(skip).to_be_in_viewport()
    await page.keyboard.press("Enter")
    await page.keyboard.press("ArrowDown")
    await expect(messages(page)).to_be_focused()
    await page.get_by_role("link", name="Skip to writing").press("Enter")
    await page.keyboard.press("Tab")
    await expect(composer(page)).to_be_focused()


async def test_a_choice_is_made_with_the_keyboard(opening, at):
    choices = options("Stay", "Monitoring")
    step = {"type": "static_select", "options": choices, "initial_option": choices[0]}
    opening.view = modal(
        {
            "type": "input",
            "block_id": "step",
            "label": plain("Next step"),
            "element": {"action_id": "step", **step},
        }
    )
    page = await at("mia")
    await say(page, "/incident")
    select = page.get_by_role("dialog").get_by_role("button", name="Next step: Stay")

    await expect(select).to_be_focused()
    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("button", name="Next step: Monitoring")).to_be_focused()
    await page.get_by_role("button", name="Save").press("Enter")
    await expect(page.get_by_role("dialog")).to_be_hidden()

    assert opening.submitted[0]["step"]["step"]["selected_option"]["value"] == "monitoring"


async def test_new_messages_are_said_aloud_by_their_text(at, client):
    page = await at("mia")

    said = {"text": "INC-1 is now *identified*", "blocks": [section("*only* for the eye")]}
    await client.chat_postMessage(channel="C0PAYMENTS", **said)

    await expect(page.get_by_role("status")).to_have_text("judge: INC-1 is now identified")


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_the_colours_follow_the_system_by_default(at, scheme):
    page = await at("mia", color_scheme=scheme)
    ground = "getComputedStyle(document.body).backgroundColor"
    light, dark = "rgb(255, 255, 255)", "rgb(26, 29, 33)"

    assert await page.evaluate(ground) == {"light": light, "dark": dark}[scheme]
    await page.get_by_role("button", name="Colours: as the system. Change").click()
    assert await page.evaluate(ground) == light
    await page.get_by_role("button", name="Colours: light. Change").click()
    assert await page.evaluate(ground) == dark
    await page.reload()
    await expect(page.get_by_role("button", name="Colours: dark. Change")).to_be_visible()


PHONE = {"viewport": {"width": 375, "height": 740}, "has_touch": True, "is_mobile": True}


async def test_on_a_phone_everything_is_within_its_width(opening, at, card):
    page = await at("mia", **PHONE)
    wide = "document.documentElement.scrollWidth > innerWidth"

    assert not await page.evaluate(wide)
    await page.get_by_role("button", name="Channels").click()
    await page.get_by_role("button", name="general").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("general")
    await say(page, "/incident", "#general")
    await expect(page.get_by_role("dialog")).to_be_visible()
    assert not await page.evaluate(wide)


async def everything(page, client):
    """A page with most of its parts."""
    root = await client.chat_postMessage(
        channel="C0PAYMENTS",
        text="a card",
        blocks=[
            {"type": "header", "text": plain("🔴 INC-42 Checkout is down")},
            section("*Investigating* · <@U0MIA> <@U0BO> `code` <https://example.com|link>"),
            actions(
                button("go", "Identified", style="primary"),
                button("no", "Redact", style="danger"),
                {"type": "static_select", "action_id": "level", "options": options("High")},
                {"type": "overflow", "action_id": "more", "options": options("Timeline")},
                {"type": "datepicker", "action_id": "day", "placeholder": plain("Day")},
            ),
            {"type": "context", "elements": [{"type": "mrkdwn", "text": "Last: ~Open~"}]},
            {"type": "table", "rows": [[{"type": "raw_text", "text": each}] for each in "ab"]},
        ],
    )
    thread = {"channel": "C0PAYMENTS", "thread_ts": root["ts"]}
    await client.chat_postMessage(**thread, text="*said*", reply_broadcast=True)
    await client.chat_postEphemeral(channel="C0PAYMENTS", user="U0MIA", text="for you")
    await expect(messages(page)).to_have_count(3)


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_axe_finds_nothing_serious(opening, at, client, axe, scheme):
    page = await at("mia", color_scheme=scheme, viewport={"width": 1500, "height": 900})
    await everything(page, client)

    await page.get_by_role("button", name="1 reply").click()
    await page.get_by_role("button", name="Inspector").click()
    assert await axe(page) == []
    await page.get_by_role("button", name="Faults").click()
    await expect(page.get_by_role("button", name="Add")).to_be_visible()
    assert await axe(page) == []
    await page.get_by_role("button", name="More actions", exact=True).first.click()
    assert await axe(page) == []
    await page.keyboard.press("Escape")
    await composer(page).press_sequentially("/")
    await expect(page.get_by_role("listbox", name="Suggestions")).to_be_visible()
    assert await axe(page) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_axe_finds_nothing_serious_in_a_dialog(opening, at, axe, scheme):
    choices = options("Stay", "Monitoring")
    step = {"type": "static_select", "action_id": "step", "options": choices}
    boxes = {"type": "checkboxes", "action_id": "boxes", "options": choices}
    opening.view = modal(
        *opening.view["blocks"],
        {"type": "input", "block_id": "step", "label": plain("Step"), "element": step},
        {"type": "input", "block_id": "boxes", "label": plain("Boxes"), "element": boxes},
        {"type": "alert", "text": plain("Careful"), "level": "warning"},
    )
    page = await at("mia", color_scheme=scheme)
    await say(page, "/incident")
    await page.get_by_role("button", name="Save").click()
    await expect(page.get_by_label("Title")).to_have_attribute("aria-invalid", "true")

    assert await axe(page) == []
    await page.get_by_role("button", name="Step").click()
    assert await axe(page) == []


async def test_axe_finds_nothing_serious_on_a_phone(at, client, axe):
    page = await at("mia", **PHONE)
    await everything(page, client)

    assert await axe(page) == []
    await page.get_by_role("button", name="Channels").click()
    assert await axe(page) == []
