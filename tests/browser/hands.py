"""What a person does and sees on the page, in the words of the tests."""

from __future__ import annotations

from playwright.async_api import expect


def messages(page):
    return page.get_by_role("list", name="Messages", exact=True).locator("li.message")


def card(page, name="INC-1"):
    """The newest message of the app with this incident's own header."""
    return messages(page).filter(has=page.get_by_role("heading", name=name)).last


def answer(page):
    """The last message that only this person sees."""
    return messages(page).filter(has_text="Only visible to you").last


async def say(page, text, place="#payments"):
    box = page.get_by_role("textbox", name=f"Message {place}")
    await box.fill(text)
    await box.press("Enter")


async def declared(page, line="Checkout is down severity:high"):
    await say(page, f"/incident declare {line}")
    await expect(answer(page)).to_contain_text("is declared")
