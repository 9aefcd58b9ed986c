"""Each kind of block, element and text looks on the page as it does in Slack."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import expect
from slack_sdk.web.async_client import AsyncWebClient

from bot.sandbox import Limits
from tests.browser.visitors import visitors
from tests.patience import PATIENCE_SECONDS
from tests.sandbox.blocks import mrkdwn, plain
from tests.sandbox.connections import MANIFEST
from tests.standin import a_standin

pytestmark = [pytest.mark.world, pytest.mark.asyncio(loop_scope="session")]

MARCH_SECOND_NOON_UTC = 1_772_452_800
PIXEL = "data:image/gif;base64,R0lGODlhAQABAIAAAAAAAP///ywAAAAAAQABAAACAUwAOw=="


def options(*words):
    return [{"text": plain(word), "value": word.lower()} for word in words]


def rich(*elements):
    return {"type": "rich_text", "elements": list(elements)}


def rich_section(*elements):
    return {"type": "rich_text_section", "elements": list(elements)}


async def _posted(page, client, text, blocks, more):
    """Posts a message; returns its node on the page."""
    said = {"channel": "C0PAYMENTS", "text": text, "blocks": list(blocks), **more}
    posted = await client.chat_postMessage(**said)
    message = page.locator(f'[data-key="{posted["ts"]}"]')
    await expect(message).to_be_visible()
    return message


@pytest_asyncio.fixture(loop_scope="session", scope="module")
async def gallery(chromium):
    """One page for all tests that do not act on it."""
    async with (
        a_standin(MANIFEST, limits=Limits(posting=False)) as slack,
        visitors(slack, chromium) as at,
    ):
        slack.workspace.add_group("responders", members=["bo"])
        yield (
            await at("mia", "#payments"),
            AsyncWebClient(slack.bot_token, base_url=slack.api_url, retry_handlers=[]),
        )


@pytest.fixture
def drawn(gallery):
    """Posts a message and returns its node on the page: ``await drawn(text, *blocks)``."""
    page, client = gallery

    async def draw(text="words", *blocks, **more):
        return await _posted(page, client, text, blocks, more)

    with_page: Any = draw
    with_page.page = page
    return with_page


@pytest_asyncio.fixture(loop_scope="session")
async def living(at, client, app):
    """Like `drawn`, on a page of the test's own and with a connected app."""
    page = await at("mia", "#payments")

    async def draw(text="words", *blocks, **more):
        return await _posted(page, client, text, blocks, more)

    with_page: Any = draw
    with_page.page = page
    return with_page


@pytest.mark.parametrize(
    ("text", "nodes"),
    [
        ("*bold* _it_", "<strong>bold</strong> <em>it</em>"),
        ("~gone~ `code`", "<del>gone</del> <code>code</code>"),
        ("*_both_*", "<strong><em>both</em></strong>"),
        ("2*3*4 snake_case_name a~b~c", "2*3*4 snake_case_name a~b~c"),
        ("* not bold * and **stars**", "* not bold * and **stars**"),
        ("*one\ntwo*", "*one<br>two*"),
        ("one\ntwo", "one<br>two"),
        ("```\na *b*\n  c\n```", "<pre>a *b*\n  c</pre>"),
        ("before\n```x```\nafter", "before<pre>x</pre>after"),
        ("three ``` backticks", "three ``` backticks"),
        ("> quoted\n> more\nnot", "<blockquote>quoted<br>more</blockquote>not"),
        ("&gt; quoted", "<blockquote>quoted</blockquote>"),
        (">>> all\nof it", "<blockquote>all<br>of it</blockquote>"),
        ("a &lt;b&gt; &amp; c &amp;lt; d", "a &lt;b&gt; &amp; c &amp;lt; d"),
        ("`a &lt; b`", "<code>a &lt; b</code>"),
        (":white_check_mark: :no_such_code: 12:30:45", "✅ :no_such_code: 12:30:45"),
        ("🔴 stays", "🔴 stays"),
        ("<@U0BO> <#C0GENERAL> <!here>", "@bo #general @here"),
        ("<!subteam^S0RESPONDERS> <!subteam^S0GONE|@them>", "@responders @them"),
        ("<@U0NOBODY> <#C0NOWHERE>", "@U0NOBODY private channel"),
        ("<https://example.com/a?b=1&amp;c=2|the page>", "the page"),
        ("<javascript:alert(1)|click>", "click"),
    ],
)
async def test_mrkdwn(drawn, text, nodes):
    message = await drawn("fallback", {"type": "section", "text": mrkdwn(text)})

    html = await message.locator(".b-text").inner_html()

    # Mentions, emoji and links have their own tests; this one compares their words only.
    for tag in ("span", "button", "a"):
        html = _unwrapped(html, tag)
    assert html == nodes


def _unwrapped(html, tag):
    while f"<{tag}" in html:
        start = html.index(f"<{tag}")
        html = html[:start] + html[html.index(">", start) + 1 :]
    return html.replace(f"</{tag}>", "")


async def test_a_link_opens_in_a_new_tab_and_a_script_address_is_plain_text(drawn):
    message = await drawn("<https://example.com/x|good> <javascript:alert(1)|bad>")

    link = message.get_by_role("link")

    await expect(link).to_have_count(1)
    await expect(link).to_have_attribute("href", "https://example.com/x")
    await expect(link).to_have_attribute("rel", "noopener noreferrer")
    await expect(message).to_contain_text("bad")


async def test_a_bare_address_is_a_link_unless_the_text_is_verbatim(drawn):
    said = "see https://example.com/graph, now"
    free = await drawn("x", {"type": "section", "text": mrkdwn(said)})
    bound = await drawn("x", {"type": "section", "text": mrkdwn(said) | {"verbatim": True}})

    await expect(free.get_by_role("link")).to_have_text("https://example.com/graph")
    await expect(bound.get_by_role("link")).to_have_count(0)


@pytest.mark.parametrize(
    "text",
    [
        "<img src=x onerror=alert(1)>",
        "&lt;script&gt;alert(1)&lt;/script&gt;",
        "<b>not bold</b>",
        '"><svg onload=alert(1)>',
    ],
)
async def test_text_of_people_is_never_parsed_as_html(drawn, text):
    message = await drawn(
        text,
        {"type": "header", "text": plain(text)},
        {"type": "section", "text": mrkdwn(text), "fields": [mrkdwn(text), plain(text)]},
        {"type": "context", "elements": [mrkdwn(text)]},
        {"type": "markdown", "text": text},
        rich(rich_section({"type": "text", "text": text})),
        {
            "type": "actions",
            "elements": [{"type": "button", "action_id": "b", "text": plain(text), "value": text}],
        },
    )

    unknown = message.locator("img, script, b, svg[onload], [onerror], [onload]")

    await expect(message.get_by_role("button").first).to_be_attached()
    await expect(unknown).to_have_count(0)


@pytest.mark.parametrize(
    ("token", "shown"),
    [
        ("{time}", "17:45"),
        ("{time_secs}", "17:45:00"),
        ("{date_num} at {time}", "2026-03-02 at 17:45"),
        ("{date}", "March 2nd, 2026"),
        ("{date_short}", "Mar 2, 2026"),
        ("{date_long}", "Monday, March 2nd, 2026"),
        ("{date_pretty}", "today"),
        ("{ago}", "12 minutes ago"),
    ],
)
async def test_a_date_is_shown_in_the_readers_zone(drawn, token, shown):
    await drawn.page.clock.set_fixed_time(datetime(2026, 3, 2, 12, 12, tzinfo=UTC))
    at_noon = f"<!date^{MARCH_SECOND_NOON_UTC}^{token}|12:00 UTC>"

    message = await drawn("x", {"type": "section", "text": mrkdwn(f"since {at_noon}.")})

    await expect(message.locator(".b-text")).to_have_text(f"since {shown}.")
    noon = "2026-03-02T12:00:00.000Z"
    await expect(message.locator(".b-text time")).to_have_attribute("datetime", noon)


async def test_an_invalid_date_shows_its_fallback(drawn):
    message = await drawn("at <!date^soon^{time}|about noon>")

    await expect(message.locator(".b-text")).to_have_text("at about noon")


async def test_plain_text_has_emoji_and_no_marks(drawn):
    header = {"type": "header", "text": plain(":fire: *INC-1* &amp; <@U0BO>")}

    message = await drawn("x", header)

    await expect(message.get_by_role("heading")).to_have_text("🔥 *INC-1* & <@U0BO>")


async def test_a_mention_of_the_reader_is_highlighted_and_a_channel_name_is_a_link(living):
    message = await living("<@U0MIA> and <@U0BO> in <#C0STATUS>")

    await expect(message.locator(".mention.is-mine")).to_have_text("@mia")
    await message.get_by_role("button", name="#status").click()
    await expect(living.page.get_by_role("heading", level=1)).to_have_text("status")


async def test_a_section_has_its_fields_beside_and_its_accessory_at_the_side(drawn):
    section = {
        "type": "section",
        "text": mrkdwn("*Checkout*"),
        "fields": [mrkdwn("*Severity*\nhigh"), plain("Owner")],
        "accessory": {"type": "button", "action_id": "b", "text": plain("Open")},
    }

    message = await drawn("x", section)

    await expect(message.locator(".b-fields .b-text")).to_have_text(["Severityhigh", "Owner"])
    await expect(message.locator(".b-accessory").get_by_role("button")).to_have_text("Open")


async def test_a_local_picture_is_shown_and_a_remote_one_is_named(drawn):
    own = {"type": "image", "image_url": PIXEL, "alt_text": "a graph", "title": plain("Errors")}
    other = {"type": "image", "image_url": "https://example.com/x.png", "alt_text": "a cat"}

    message = await drawn("x", own, other, {"type": "context", "elements": [other, plain("said")]})

    await expect(message.get_by_role("img", name="a graph")).to_be_visible()
    await expect(message.locator("figcaption")).to_have_text("Errors")
    await expect(message.get_by_text("a cat (picture)")).to_have_count(2)


async def test_rich_text(drawn):
    text = {"type": "text", "text": "first"}
    bold = {"type": "text", "text": "loud", "style": {"bold": True, "italic": True}}
    blocks = rich(
        rich_section(
            bold,
            {"type": "user", "user_id": "U0BO"},
            {"type": "channel", "channel_id": "C0STATUS"},
            {"type": "broadcast", "range": "here"},
            {"type": "emoji", "name": "fire"},
            {"type": "link", "url": "https://example.com", "text": "there"},
            {"type": "date", "timestamp": MARCH_SECOND_NOON_UTC, "format": "{date_num}"},
        ),
        {"type": "rich_text_list", "style": "ordered", "elements": [rich_section(text)]},
        {"type": "rich_text_quote", "elements": [text]},
        {"type": "rich_text_preformatted", "elements": [text]},
    )

    body = (await drawn("x", blocks)).locator(".b-rich")

    await expect(body.locator("strong em")).to_have_text("loud")
    await expect(body.locator(".mention")).to_have_text(["@bo", "#status", "@here"])
    await expect(body.get_by_role("link")).to_have_text("there")
    await expect(body.get_by_role("img", name="fire")).to_have_text("🔥")
    await expect(body.locator("time")).to_have_text("2026-03-02")
    await expect(body.locator("ol li")).to_have_text("first")
    await expect(body.locator("blockquote")).to_have_text("first")
    await expect(body.locator("pre")).to_have_text("first")


async def test_markdown(drawn):
    text = """# Post-mortem
It was **db-3**, _not_ the [gateway](https://example.com).

1. lost quorum
   - twice
2. came back

- [x] restart
> quoted

```
select *
```

| when | what |
| ---- | ---- |
| 03:10 | `503` |
"""

    body = (await drawn("x", {"type": "markdown", "text": text})).locator(".b-markdown")

    await expect(body.locator(".md-heading")).to_have_text("Post-mortem")
    await expect(body.locator("p > strong").nth(1)).to_have_text("db-3")
    await expect(body.locator("em")).to_have_text("not")
    await expect(body.get_by_role("link")).to_have_text("gateway")
    await expect(body.locator("ol > li")).to_have_count(2)
    await expect(body.locator("ol > li > ul > li")).to_have_text("twice")
    await expect(body.get_by_text("☑ restart")).to_be_visible()
    await expect(body.locator("blockquote")).to_have_text("quoted")
    await expect(body.locator("pre")).to_have_text("select *")
    await expect(body.get_by_role("columnheader")).to_have_text(["when", "what"])
    await expect(body.get_by_role("cell")).to_have_text(["03:10", "503"])


async def test_a_table(drawn):
    cell = {"type": "raw_text", "text": "INC-1"}
    rows = [[{"type": "raw_text", "text": "Number"}], [cell]]

    message = await drawn("x", {"type": "table", "rows": rows})

    await expect(message.get_by_role("columnheader")).to_have_text("Number")
    await expect(message.get_by_role("cell")).to_have_text("INC-1")


async def test_the_newer_blocks(drawn):
    task = {"type": "task_card", "task_id": "1", "title": "Roll back", "status": "in_progress"}
    card = {
        "type": "card",
        "title": mrkdwn("A card"),
        "body": mrkdwn("Its *body*"),
        "actions": [{"type": "button", "action_id": "b", "text": plain("Go")}],
    }
    message = await drawn(
        "x",
        {"type": "divider"},
        card,
        {"type": "carousel", "elements": [card]},
        {
            "type": "container",
            "title": plain("More"),
            "is_collapsible": True,
            "default_collapsed": True,
            "child_blocks": [{"type": "section", "text": plain("inside")}],
        },
        {"type": "plan", "title": "The plan", "tasks": [task]},
        {
            "type": "video",
            "title": plain("A film"),
            "alt_text": "how to",
            "thumbnail_url": "https://example.com/t.png",
            "video_url": "https://example.com/v",
        },
    )

    await expect(message.locator("hr")).to_have_count(1)
    await expect(message.get_by_role("button", name="Go")).to_have_count(2)
    await expect(message.get_by_text("inside")).to_be_hidden()
    await message.get_by_text("More", exact=True).click()
    await expect(message.get_by_text("inside")).to_be_visible()
    await expect(message.get_by_text("Roll back Under way")).to_be_visible()
    await expect(message.get_by_role("link", name="Video: how to")).to_be_visible()


async def test_an_attachment(drawn):
    message = await drawn("x", attachments=[{"text": "*old* way", "color": "#ff0000"}])

    await expect(message.locator(".b-attachment strong")).to_have_text("old")


ACTIONS = {
    "type": "actions",
    "block_id": "row",
    "elements": [
        {"type": "button", "action_id": "go", "text": plain("Go :rocket:"), "value": "1"},
        {
            "type": "button",
            "action_id": "read",
            "text": plain("Read"),
            "accessibility_label": "Read INC-1",
        },
        {
            "type": "static_select",
            "action_id": "severity",
            "placeholder": plain("Severity"),
            "options": options("High", "Low"),
        },
        {"type": "overflow", "action_id": "more", "options": options("Timeline", "Redact…")},
        {"type": "users_select", "action_id": "person", "placeholder": plain("Somebody")},
        {"type": "channels_select", "action_id": "channel", "placeholder": plain("Where")},
        {"type": "conversations_select", "action_id": "room", "placeholder": plain("Room")},
        {"type": "datepicker", "action_id": "day", "placeholder": plain("Day")},
        {"type": "timepicker", "action_id": "hour", "placeholder": plain("Hour")},
        {"type": "datetimepicker", "action_id": "moment"},
        {"type": "checkboxes", "action_id": "boxes", "options": options("One", "Two")},
        {"type": "radio_buttons", "action_id": "radio", "options": options("Red", "Blue")},
    ],
}


async def test_each_element_sends_its_value_to_the_app(app, living):
    heard = {}
    arrived = asyncio.Event()

    @app.action({"block_id": "row"})
    async def on_action(ack, action):
        await ack()
        heard[action["action_id"]] = action
        arrived.set()

    row = await living("x", ACTIONS)
    page = living.page

    async def told(action_id):
        while action_id not in heard:
            arrived.clear()
            async with asyncio.timeout(PATIENCE_SECONDS):
                await arrived.wait()
        return heard[action_id]

    await row.get_by_role("button", name="Go 🚀").click()
    assert (await told("go"))["value"] == "1"

    await row.get_by_role("button", name="Read INC-1").click()
    await told("read")

    await row.get_by_role("button", name="Severity").click()
    await page.get_by_role("option", name="Low").click()
    assert (await told("severity"))["selected_option"]["value"] == "low"

    await row.get_by_role("button", name="More actions", exact=True).click()
    await page.get_by_role("menuitem", name="Redact…").click()
    assert (await told("more"))["selected_option"]["value"] == "redact…"

    await row.get_by_role("button", name="Somebody").click()
    await page.get_by_role("option", name="@bo").click()
    assert (await told("person"))["selected_user"] == "U0BO"

    await row.get_by_role("button", name="Where").click()
    await page.get_by_role("option", name="#status").click()
    assert (await told("channel"))["selected_channel"] == "C0STATUS"

    await row.get_by_role("button", name="Room").click()
    await page.get_by_role("option", name="#war-room").click()
    assert (await told("room"))["selected_conversation"] == "C0WARROOM"

    await row.get_by_label("Day").fill("2026-03-02")
    await row.get_by_label("Hour").fill("09:30")
    await row.get_by_label("moment").fill("2026-03-02T17:45")
    await row.get_by_label("moment").blur()
    assert (await told("day"))["selected_date"] == "2026-03-02"
    assert (await told("hour"))["selected_time"] == "09:30"
    assert (await told("moment"))["selected_date_time"] == MARCH_SECOND_NOON_UTC

    await row.get_by_label("Two").check()
    assert [option["value"] for option in (await told("boxes"))["selected_options"]] == ["two"]

    await row.get_by_label("Blue").check()
    assert (await told("radio"))["selected_option"]["value"] == "blue"


async def test_a_confirm_dialog_comes_before_the_request(app, slack, living):
    @app.action("danger")
    async def on_action(ack):
        await ack()

    confirm = {
        "title": plain("Withdraw it?"),
        "text": mrkdwn("*Nobody* can read it afterwards."),
        "confirm": plain("Withdraw"),
        "deny": plain("Keep"),
        "style": "danger",
    }
    button = {"type": "button", "action_id": "danger", "text": plain("Redact"), "confirm": confirm}
    message = await living("x", {"type": "actions", "elements": [button]})
    asked = living.page.get_by_role("dialog", name="Withdraw it?")

    await message.get_by_role("button", name="Redact").click()
    await expect(asked).to_contain_text("Nobody can read it afterwards.")
    await asked.get_by_role("button", name="Keep").click()
    await expect(asked).to_have_count(0)
    assert slack.interactions == []

    await message.get_by_role("button", name="Redact").click()
    await asked.get_by_role("button", name="Withdraw").click()
    await slack.until(lambda: len(slack.interactions) == 1)
    await expect(message.get_by_role("button", name="Redact")).to_be_focused()
