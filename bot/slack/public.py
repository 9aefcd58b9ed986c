"""The status channel's cards and updates, which everybody reads. Pure.

They are made only of public values, so that no note can be handed to them.
"""

from __future__ import annotations

from collections.abc import Iterator

from bot.slack.blocks import (
    Json,
    message,
    paragraphs,
    section,
    title_blocks,
)
from bot.slack.markup import (
    FALLBACK_MAX,
    TEXT_MAX,
    escape,
    linked,
    moment,
    pieces,
    shown,
)
from bot.slack.words import (
    WITHDRAWN,
    component_lines,
    dot,
    next_update,
    status_name,
    status_word,
)
from core.public_side import PublicIncident, PublicUpdate
from core.times import duration


def status_card(public: PublicIncident) -> Json:
    """The card in the status channel: edited in place, without buttons."""
    latest = _latest(public)
    return message(list(_story(public, latest)), list(_blocks(public, latest)))


def _story(public: PublicIncident, latest: PublicUpdate | None) -> Iterator[str]:
    after = _after(public)
    yield (
        f"{public.name} {escape(public.title)}: "
        f"now {status_word(public.status)}{after} ({public.severity})."
    )
    yield from (f"{told}." for told in _promised(public))
    if latest:
        yield f"Latest: {_words(latest, most=2_000)}"


def _blocks(public: PublicIncident, latest: PublicUpdate | None) -> Iterator[Json]:
    started = moment(public.started_at, seen_from=public.started_at)
    was = f" (was {status_name(public.previous_status)})" if public.previous_status else ""
    standing = f"*{status_name(public.status)}*{_after(public) or was}"
    components = component_lines(public.components, most=5_500)
    yield from title_blocks(
        f"{dot(public.severity, public.word)} ", public.title, f"  {public.name}"
    )
    yield from paragraphs(
        [
            f"{standing} · {public.severity} · started {started}",
            *components,
            *(f"*{told}*" for told in _promised(public)),
        ],
        between="\n",
    )
    if latest:
        when = moment(latest.at, seen_from=public.started_at)
        words = _words(latest, most=TEXT_MAX - 200)
        pointer = " (whole in the thread)" if words.endswith("…") else ""
        yield section(f"Latest: {linked(words, TEXT_MAX - 100)}{pointer} {when}")


def _promised(public: PublicIncident) -> Iterator[str]:
    if promise := public.next_update:
        yield next_update(promise.due_at, seen_from=public.started_at, overdue=promise.overdue)


def _after(public: PublicIncident) -> str:
    resolved = public.resolved_at
    return f" after {duration(resolved - public.started_at)}" if resolved else ""


def _latest(public: PublicIncident) -> PublicUpdate | None:
    """The newest update whose text is still valid: one that was withdrawn is left out."""
    return next((one for one in public.updates if one.body is not None), None)


def _words(update: PublicUpdate, *, most: int) -> str:
    return shown(update.body or "", most)


def public_update(public: PublicIncident, update: PublicUpdate, *, broadcast: bool = True) -> Json:
    """A public update as a reply in the status card's thread, for ``chat.postMessage``.

    With ``broadcast`` it is shown in the channel as well if it carries a transition. Its links have
    no previews. The end of an incident is a short reply if nobody wrote a text for it.
    """
    status = update.status
    told = f"{public.name} {escape(public.title)}: " + (
        f"now {status_word(status)}. " if status else ""
    )
    reply = withdrawn(update)
    if update.ends:
        after = f"after {duration(update.at - public.started_at)}."
        ended = status_name(status or "")
        reply = message(
            [f"{public.name} {escape(public.title)}: {ended} {after}"],
            [section(f"*{ended}* {after}")],
        )
    elif update.body is not None:
        reply = {
            "text": told + shown(update.body, FALLBACK_MAX - len(told)),
            "blocks": reply_blocks(update.body, status=status),
        }
    return {
        **reply,
        "reply_broadcast": broadcast
        and status is not None
        and (update.ends or update.body is not None),
        "unfurl_links": False,
        "unfurl_media": False,
    }


def reply_blocks(body: str, *, status: str | None) -> list[Json]:
    """The whole text of a reply, behind the status that it carries."""
    label = f"*{status_name(status)}*: " if status else ""
    first, *rest = pieces(body, TEXT_MAX - len(label))
    return [section(linked(label + first)), *(section(linked(one)) for one in rest)]


def withdrawn(update: PublicUpdate) -> Json:
    """The reply whose text was withdrawn; it keeps the status that it carried."""
    name = status_name(update.status) if update.status else ""
    told, label = (f"{name}: ", f"*{name}*: ") if name else ("", "")
    return message([told + WITHDRAWN], [section(f"{label}_{WITHDRAWN}_")])


def reply_now(public: PublicIncident, update: PublicUpdate) -> Json:
    """A reply that was posted, as it should be edited: with what is public of it now."""
    whole = public_update(public, update)
    return {"text": whole["text"], "blocks": whole["blocks"]}


def gone_reply() -> Json:
    """A reply about an incident that has no public side any more."""
    return message([WITHDRAWN], [section(f"_{WITHDRAWN}_")])


def gone(name: str) -> Json:
    """The card of an incident that was public, or was shown in a public channel, and is private."""
    told = f"{name} is no longer public."
    return message([told], [section(f"_{told}_")])


def unknown(name: str) -> Json:
    """The card of an incident that is not in the database, as after a restore of a backup."""
    told = f"{name} is no longer known to Ratchet."
    return message([told], [section(f"_{told}_")])
