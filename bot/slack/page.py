"""The dialog of the status page, its reader, and its answers. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from uuid import UUID, uuid5

from bot.slack.arranged import SavePage
from bot.slack.blocks import (
    Json,
    button,
    input_block,
    message,
    modal,
    option,
    paragraphs,
    section,
    text_box,
)
from bot.slack.forms import PAGE
from bot.slack.inputs import Origin, element, metadata, remembered_in
from bot.slack.markup import shown
from bot.slack.pressed import encode
from core.arranging import TITLE_MAX
from core.page import FormerPage, PageSettings

_MARKS = UUID("5c1d2b7a-8e7f-5b39-9a55-7a0f4c1f0e21")
PUBLISHED, NOINDEX = "published", "noindex"


def page_link(page: PageSettings, address: str) -> str:
    """The page as a link that shows its title."""
    title = shown(page.title, 200).replace("|", "/")
    return f"<{address}|{title}>"


def page_line(page: PageSettings | None, address: str | None) -> Json:
    """The line about the page in the dialog with all settings, with the button to its own."""
    told = "*Status page*: not published."
    if page is not None and address is not None:
        told = f"*Status page*: {page_link(page, address)} is published at {address}"
    opens = button("Status page…", action_id="page", value=encode("page"))
    return {**section(told), "accessory": opens}


def page_dialog(
    page: PageSettings | None,
    address: str | None,
    *,
    former: FormerPage | None = None,
    origin: Origin,
) -> Json:
    """The dialog of the status page, with its settings, or those of the one that was taken off."""
    before = page or former
    told = "The status page is not published: its addresses lead nowhere now."
    if page is not None and address is not None:
        told = f"The status page is published at {address}"
    blocks = [
        section(told),
        input_block(
            PUBLISHED,
            "Publication",
            _tick(PUBLISHED, "Publish the page, for everybody to read", ticked=page is not None),
            hint="It shows public incidents and the components that are shown. Without the tick "
            "it is taken off.",
            optional=True,
        ),
        input_block(
            "title",
            "Title",
            text_box("title", most=TITLE_MAX, initial=before.title if before else ""),
            hint="Such as: Acme status.",
            optional=True,
        ),
        input_block(
            "slug",
            "Name in the address",
            text_box("slug", most=60, initial=before.slug if before else ""),
            hint="Small letters, digits and hyphens. Empty: "
            f"{'as before' if before else 'made of the title'}.",
            optional=True,
        ),
        input_block(
            "language",
            "Language of dates",
            text_box("language", most=20, initial=before.language if before else "en"),
            hint="Such as en or de-CH.",
            optional=True,
        ),
        input_block(
            NOINDEX,
            "Search engines",
            _tick(
                NOINDEX,
                "Tell them to stay away, until the page is launched",
                ticked=before.noindex if before else True,
            ),
            optional=True,
        ),
    ]
    drawn = SavePage(
        published=page is not None,
        title=before.title if before else "",
        slug=before.slug if before else "",
        language=before.language if before else "en",
        noindex=before.noindex if before else True,
    )
    remembered = metadata(origin, drawn=_mark(drawn))
    return modal(PAGE, "Status page", blocks, submit="Save", private_metadata=remembered)


def _mark(settings: SavePage) -> str:
    """Tells whether the inputs still have their first values, without these."""
    return uuid5(_MARKS, repr(settings)).hex[:12]


def _tick(name: str, label: str, *, ticked: bool) -> Json:
    made = option(label, name)
    row: Json = {"type": "checkboxes", "action_id": name, "options": [made]}
    return {**row, "initial_options": [made]} if ticked else row


def page_form(view: Mapping[str, Any]) -> SavePage:
    """The settings in the dialog."""
    typed = SavePage(
        published=_ticked(view, PUBLISHED),
        title=_text(view, "title"),
        slug=_text(view, "slug"),
        language=_text(view, "language"),
        noindex=_ticked(view, NOINDEX),
    )
    return replace(typed, untouched=remembered_in(view).get("drawn") == _mark(typed))


def _text(view: Mapping[str, Any], name: str) -> str:
    value = element(view, name).get("value")
    return value.strip() if isinstance(value, str) else ""


def _ticked(view: Mapping[str, Any], name: str) -> bool:
    return bool(element(view, name).get("selected_options"))


def left(page: PageSettings | None, address: str | None) -> Json:
    """The answer to the dialog of ``page`` that was sent as it was drawn."""
    now = "The status page is not published."
    if page is not None and address is not None:
        now = f"{page_link(page, address)} is published at {address}"
    told = ["Nothing was changed.", now]
    return message(told, paragraphs(told))


def published(page: PageSettings, address: str) -> Json:
    """The answer to a page that was published, or got other settings."""
    told = [f"{page_link(page, address)} is published at {address}"]
    if page.noindex:
        told.append("\nSearch engines are told to stay away.")
    return message(told, paragraphs(told))


def unpublished(former: FormerPage | None) -> Json:
    """The answer to a page that was taken off, or was not published anyway."""
    told = ["The status page is not published: its addresses lead nowhere now."]
    if former is not None:
        told.append(
            f"\nIts title “{shown(former.title, 200)}”, its name `{former.slug}` in the address "
            "and its other settings are kept for the next time that you publish it."
        )
    return message(told, paragraphs(told))
