"""Finding the button, menu or input that a person means, among those that are drawn."""

from collections.abc import Callable, Sequence
from typing import Any

from bot.sandbox.blocks import Json, interactive, options_of

BUTTONS = ("button", "workflow_button", "icon_button", "feedback_buttons")


class CannotDo(LookupError):
    """Slack's client would prevent this act: no such button is drawn, or no such input."""


def find(
    blocks: Sequence[Json], what: str, *, block_id: str | None, fits: Callable[[str], bool]
) -> tuple[Json, Json]:
    """The block and the element that ``what`` names: an action_id, a label, a text or a value.

    ``fits`` gets the type of an element. Ids are tried before words.

    Raises:
        CannotDo: there is none, or more than one.
    """
    candidates = [
        (block, element)
        for block, element in interactive(blocks)
        if fits(str(element["type"])) and block_id in (None, block["block_id"])
    ]
    for names in (_ids, _labels):
        found = [(block, element) for block, element in candidates if what in names(block, element)]
        if len(found) == 1:
            return found[0]
        if found:
            raise CannotDo(
                f"{what!r} is there {len(found)} times; name it by its action_id or value"
            )
    offered = ", ".join(
        f"{label(element)!r} ({element['action_id']})" for _block, element in candidates
    )
    raise CannotDo(f"there is no {what!r}; there is {offered or 'nothing'}")


def option(element: Json, wanted: Any) -> Json:
    """The option of ``element`` with this value or text.

    Raises:
        CannotDo: there is none, or more than one.
    """
    found = [
        offered
        for offered in options_of(element)
        if wanted in (offered.get("value"), offered["text"]["text"])
    ]
    if len(found) != 1:
        texts = ", ".join(repr(offered["text"]["text"]) for offered in options_of(element))
        raise CannotDo(f"there is no one option {wanted!r}; there is {texts or 'nothing'}")
    return found[0]


def label(element: Json) -> str:
    """The words on an element, or its action_id."""
    text = element.get("text") or element.get("placeholder") or {}
    return str(text.get("text") or element["action_id"])


def _ids(block: Json, element: Json) -> tuple[object, ...]:
    of_block = (block["block_id"],) if block["type"] == "input" else ()
    return (element["action_id"], *of_block)


def _labels(block: Json, element: Json) -> tuple[object, ...]:
    of_block = block["label"]["text"] if block["type"] == "input" else None
    placeholder = element.get("placeholder", {}).get("text")
    text = element.get("text")
    return (
        of_block,
        placeholder,
        text["text"] if isinstance(text, dict) else None,
        element.get("value"),
    )
