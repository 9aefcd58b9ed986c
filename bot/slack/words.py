"""Words that several views share, for statuses, updates, owners and components. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import assert_never

from bot.slack.markup import (
    TEXT_MAX,
    escape,
    mention,
    shown,
)
from core.incident import (
    Component,
    Incident,
    Kind,
    Update,
    Visibility,
)
from core.lifecycle import PublicWord

# Shown beside the status, never instead of it: how far along an incident is.
EMOJI = {
    PublicWord.INVESTIGATING: "🔴",
    PublicWord.IDENTIFIED: "🟠",
    PublicWord.MONITORING: "🟡",
    PublicWord.RESOLVED: "🟢",
}
PRIVATE, PUBLIC = "🔒", "📣"
EVERYONE = "Everyone in the status channel will read this."
RESPONDERS = "Responders only. Never leaves this workspace."
WITHDRAWN = "This update was withdrawn."


def status_word(status: str) -> str:
    """``in_progress`` as people read it in a sentence: ``in progress``."""
    return status.replace("_", " ")


def status_name(status: str) -> str:
    """``in_progress`` as a label: ``In progress``."""
    return status_word(status).capitalize()


def in_words(words: Sequence[str]) -> str:
    """The statuses ``words``, listed in a sentence."""
    return ", ".join(status_word(word) for word in words)


def titled(incident: Incident) -> str:
    """``INC-42 Checkout is down``, escaped: at most 1,290 characters."""
    return f"{incident.name} {escape(incident.title)}"


def about(sentence: str, incident: Incident) -> str:
    """``sentence``, without its full stop, and then the title.

    A title is a sentence that people wrote, so it is never the subject of one of ours.
    """
    end = "" if incident.title.endswith((".", "!", "?", "…")) else "."
    return f"{sentence}: {escape(incident.title)}{end}"


def component_lines(
    components: Sequence[Component], label: str = "Components: ", *, most: int, more: str = ""
) -> list[str]:
    """``Components: A, B``, in lines that fit into a section; no line without any.

    Names beyond ``most`` characters are counted, and ``more`` says where they are named.
    """
    lines: list[str] = []
    room = most
    for index, component in enumerate(components):
        name = escape(component.name)
        room -= len(name) + 2
        if room < 0 and index:
            lines[-1] += f" and {len(components) - index} more" + (f" ({more})" if more else "")
            break
        if lines and len(lines[-1]) + len(name) < TEXT_MAX - 200:
            lines[-1] += f", {name}"
        else:
            lines.append(name if lines else f"{label}{name}")
    return lines


def deed(update: Update) -> str:  # noqa: C901, PLR0911 - one case for each kind
    """An update as a sentence about its author: ``@mia acknowledged``."""
    author = mention(update.by)
    old, new = update.old or "", update.new or ""
    match update.kind:
        case Kind.DECLARED:
            return f"{author} declared it"
        case Kind.MOVED:
            return f"{author} moved it: ~{status_name(old)}~ → {status_name(new)}"
        case Kind.ACKNOWLEDGED if new:
            return f"{author} acknowledged: ~{status_name(old)}~ → {status_name(new)}"
        case Kind.ACKNOWLEDGED:
            return f"{author} acknowledged"
        case Kind.WROTE if update.visibility is Visibility.PUBLIC:
            return f"{author} posted a public update"
        case Kind.WROTE:
            return f"{author} wrote a note"
        case Kind.ASSIGNED:
            return f"{author} handed it to {shown(new, 300)}"
        case Kind.SEVERITY:
            return f"{author} changed the severity: ~{old}~ → {new}"
        case Kind.TITLE:
            return f"{author} changed the title"
        case Kind.COMPONENTS:
            return f"{author} changed the components"
        case _:
            assert_never(update.kind)


def owned_by(incident: Incident) -> str:
    """The owner, mentioned; ``nobody`` without one."""
    return mention(incident.owner) if incident.owner else "nobody"


def readers_of(update: Update) -> str:
    """The readers of the update's text, as a label."""
    public = update.visibility is Visibility.PUBLIC
    return f"{PUBLIC} public" if public else f"{PRIVATE} private"
