"""Subscribed channels: their list, the question about readers, the answers, the dialog. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from bot.slack.blocks import (
    Json,
    actions,
    button,
    input_block,
    message,
    modal,
    option,
    overflow,
    paragraphs,
    section,
    select,
    text_box,
)
from bot.slack.buttons import subscriptions_button
from bot.slack.dialogs import BOX_MAX
from bot.slack.forms import SUBSCRIBE
from bot.slack.inputs import Origin, element, metadata
from bot.slack.markup import channel_link, escape, mention, moment, shown
from bot.slack.paged import NumberedPage
from bot.slack.pressed import encode, subscribe_value
from bot.slack.requests import UsageError
from bot.slack.subscription_requests import Readers, Subscribe
from bot.slack.verbs import COMMAND
from bot.slack.words import severities
from core.components import names_in
from core.incident import Severity
from core.subscribing import Subscribed
from core.subscription import Subscription, SubscriptionFilter
from core.texts import listed

# A message holds about 11,000 characters, and the longest row has 700.
ROWS = 15
# The names of a filter in a sentence; more of them are counted.
NAMED_MAX = 5
NOTHING_YET = (
    "No channel is subscribed. "
    f"`{COMMAND} subscribe severity:high+ #channel` shows incidents of the severities critical and "
    "high in it, from then on."
)
EVERY = "every"


def resolved(one: Subscription, *, agreed: str = "") -> Subscribe:
    """The request that makes the subscription ``one``, with its components by id."""
    return Subscribe(
        channel=one.channel,
        severity=one.filter.severity,
        components=tuple(each.id for each in one.filter.components),
        broadcast=one.broadcast,
        agreed=agreed,
    )


def _names(limits: SubscriptionFilter) -> list[str]:
    return [shown(one.name, 100) or "a component that is gone" for one in limits.components]


def _gets(one: Subscription) -> str:
    """Its messages: ``a card for every public incident of severity critical or high``."""
    limits, told = one.filter, "a card for every public incident"
    if limits.severity not in {None, Severity.LOW}:
        told += f" of severity {severities(limits.severity, last='or')}"
    if names := _names(limits):
        several = len(names) > NAMED_MAX
        named = listed(names, most=NAMED_MAX) if several else listed(names, last="or")
        told += f" that affects {'one of ' if several else ''}{named}"
    also = ", and in the channel as well" if one.broadcast else ""
    return f"{told}, with the updates in its thread{also}"


def _facts(one: Subscription) -> str:
    """The filter in a line: ``critical and high · API, Web · broadcast``."""
    facts = [severities(one.filter.severity), *_named(one.filter)]
    return " · ".join([*facts, *(["broadcast"] if one.broadcast else [])])


def _named(limits: SubscriptionFilter) -> list[str]:
    names = _names(limits)
    return [listed(names, most=NAMED_MAX)] if names else []


# --- answers -------------------------------------------------------------------------------------


def subscribed(made: Subscribed, readers: Readers) -> Json:
    """The answer to ``subscribe``."""
    one, before = made.subscription, made.before
    link = channel_link(one.channel)
    if not one.in_force:
        # The request was repeated after the end.
        return unsubscribed(made)
    if not made.changed:
        told = [f"{link} is subscribed. It gets {_gets(one)}.", "Nothing had to change."]
    elif before is None:
        told = [f"{link} is subscribed. From now on it gets {_gets(one)}."]
    else:
        told = [
            f"{link} has another filter now. From now on it gets {_gets(one)}.",
            f"Before: {_facts(before)}.",
        ]
    if made.changed:
        told.append("Nothing that was public before comes: an incident that is open already gets")
        told.append("its card there with its next public change.")
    told += _who(one.channel, readers)
    told.append(f"\nTo end it, type `{COMMAND} unsubscribe` there.")
    end = button(
        "Unsubscribe", action_id="unsubscribe", value=encode("unsubscribe", one.channel, None)
    )
    return message(told, [*paragraphs(told), *actions([end, subscriptions_button()])])


def _who(channel: str, readers: Readers) -> list[str]:
    """The sentences about the readers of a channel; none about those of a public one."""
    link, told = channel_link(channel), []
    if readers.private:
        members = "its members" if readers.members is None else f"its {readers.members} members"
        told.append(f"{link} is private: {members}, me included, read it.")
        told.append("So does whoever is invited later.")
    if readers.shared:
        told.append(
            f"{link} is shared with other organizations (Slack Connect): their people read it, too."
        )
    if readers.offered and not readers.shared:
        told.append(
            f"{link} is offered to another organization (Slack Connect): once that accepts, its "
            "people read it, too."
        )
    return told


def asks_about_readers(proposed: Subscription, readers: Readers) -> Json:
    """The question before a channel is subscribed that not everybody reads, or others read."""
    request = resolved(proposed, agreed="-".join(sorted(readers.kinds)))
    told = [
        *_who(proposed.channel, readers),
        f"It would get {_gets(proposed)}.",
        "Only what is public goes there, and no notes.",
        "Nothing was changed.",
        "\nSubscribe it?",
    ]
    answers = [
        _subscribe_button("Subscribe", request),
        button(
            "Don't",
            action_id="dont_subscribe",
            value=encode("dont_subscribe", proposed.channel),
        ),
    ]
    return message(told, [*paragraphs(told), *actions(answers)])


def _subscribe_button(label: str, request: Subscribe) -> Json:
    value = subscribe_value(request)
    if value is None:
        raise ValueError("a resolved request has its components by id")
    return button(label, action_id="subscribe", value=value)


def left_unsubscribed(channel: str) -> Json:
    """The answer to **Don't**."""
    told = [f"{channel_link(channel)} stays as it is. Nothing was changed."]
    return message(told, paragraphs(told))


def takes_no_post(proposed: Subscription, problem: str, *, agreed: str) -> Json:
    """The answer about a channel in which the bot cannot post; ``problem`` ends a sentence."""
    told = [f"{channel_link(proposed.channel)} {escape(problem)}.", "Nothing was changed."]
    again = _subscribe_button("Try again", resolved(proposed, agreed=agreed))
    return message(told, [*paragraphs(told), *actions([again])])


def unsubscribed(ended: Subscribed) -> Json:
    """The answer to ``unsubscribe``."""
    one = ended.subscription
    if one.in_force:
        # The request was repeated, and the channel is subscribed again since.
        return subscribed(ended, Readers())
    told = [told_of_the_end(ended)]
    again = _subscribe_button("Subscribe it again", resolved(one))
    return message(told, [*paragraphs(told), *actions([again, subscriptions_button()])])


def told_of_the_end(ended: Subscribed) -> str:
    """The sentences about an end."""
    return (
        f"{channel_link(ended.subscription.channel)} is not subscribed any more: no new incident "
        "comes there. Cards that are there already are kept up to date to their end."
    )


# --- the list ------------------------------------------------------------------------------------


def subscription_list(
    known: Sequence[Subscription], *, page: int = 1, told: str = "", at: datetime
) -> Json:
    """A page of the subscribed channels, each with its menu."""
    paged = NumberedPage(known, page, most=ROWS)
    here, page = paged.here, paged.number
    heading = paged.heading("Subscribed channels")
    lines = [f"{_line(one, at=at)}." for one in here] or [NOTHING_YET]
    rows = [{**section(_line(one, at=at)), "accessory": _menu(one, page)} for one in here]
    blocks = [
        *([section(told)] if told else []),
        section(f"*{heading}*"),
        *(rows or [section(NOTHING_YET)]),
    ]
    said = [*([told] if told else []), f"{heading}:", *lines]
    return message(said, [*blocks, *actions(paged.buttons("subscriptions"))])


def _line(one: Subscription, *, at: datetime) -> str:
    """``#support · critical and high · API · since 12:03 by @mia``, at most 1,000 characters."""
    since = f"since {moment(one.starts_at, seen_from=at)} by {mention(one.by)}"
    return f"{channel_link(one.channel)} · {_facts(one)} · {since}"


def _menu(one: Subscription, page: int) -> Json:
    options = [
        option("Change…", encode("subscription", one.channel)),
        option("Unsubscribe", encode("unsubscribe", one.channel, page)),
    ]
    return overflow(options, action_id="menu")


# --- the dialog ----------------------------------------------------------------------------------


def subscription_dialog(filled: Subscribe, names: Sequence[str], *, origin: Origin) -> Json:
    """The dialog of a subscription, filled with ``filled``; ``names`` are those of its components.

    The channel is chosen in it, and is the first input: errors about it stand there.
    """
    chooser: Json = {
        "type": "conversations_select",
        "action_id": "target",
        "filter": {"include": ["public", "private"], "exclude_external_shared_channels": False},
    }
    if filled.channel:
        chooser["initial_conversation"] = filled.channel
    lowest = {EVERY: option("Every severity", EVERY)}
    lowest |= {one: option(_label(one), one) for one in list(Severity)[:-1]}
    severe = filled.severity if filled.severity in lowest else EVERY
    broadcast: Json = {
        "type": "checkboxes",
        "action_id": "broadcast",
        "options": [tick := option("Show replies in the channel as well", "on")],
    }
    if filled.broadcast:
        broadcast["initial_options"] = [tick]
    blocks = [
        input_block(
            "target",
            "Channel",
            chooser,
            hint="Everybody in it reads what becomes public from now on. Notes never go there.",
        ),
        input_block(
            "severity",
            "Severity",
            select(
                list(lowest.values()),
                action_id="severity",
                placeholder="Choose one",
                initial_option=lowest[severe or EVERY],
            ),
        ),
        input_block(
            "components",
            "Only incidents that affect",
            text_box("components", most=BOX_MAX, initial=", ".join(names)[:BOX_MAX]),
            hint="Names of components with commas between them. Empty: every incident.",
            optional=True,
        ),
        input_block("broadcast", "Replies in the threads", broadcast, optional=True),
    ]
    return modal(
        SUBSCRIBE,
        "Subscribe a channel",
        blocks,
        submit="Subscribe",
        private_metadata=metadata(origin),
    )


def _label(lowest: Severity) -> str:
    words = severities(lowest)
    return f"{words[0].upper()}{words[1:]}"


def subscription_form(view: Mapping[str, Any]) -> Subscribe:
    """The subscription that ``view`` was submitted for.

    Raises:
        UsageError: it is no such dialog, or no channel is chosen in it.
    """
    channel = element(view, "target").get("selected_conversation")
    chosen = element(view, "severity").get("selected_option")
    severity = chosen.get("value") if isinstance(chosen, dict) else None
    typed = element(view, "components").get("value")
    known = isinstance(severity, str) and severity in {EVERY, *Severity}
    if not isinstance(channel, str) or not known:
        raise UsageError(
            "This dialog cannot be read any more, and nothing was changed.",
            hint=f"`{COMMAND} subscribe` subscribes a channel as well.",
        )
    return Subscribe(
        channel=channel,
        severity=None if severity == EVERY else Severity(str(severity)),
        components=names_in(typed) if isinstance(typed, str) else (),
        broadcast=bool(element(view, "broadcast").get("selected_options")),
    )
