"""Subscribed channels: their list, the question about readers, the answers, the dialog. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from bot.slack.blocks import (
    Json,
    actions,
    button,
    context,
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
from bot.slack.inputs import Origin, element, metadata, remembered_in
from bot.slack.markup import channel_link, escape, mention, moment, plain_text, shown
from bot.slack.paged import NumberedPage
from bot.slack.posting_faults import (
    cure_of,
    end_button,
    faulty_since,
    or_the_end,
    try_button,
)
from bot.slack.pressed import encode, subscribe_value
from bot.slack.requests import UsageError
from bot.slack.subscription_requests import OPTIONS, Readers, Subscribe, version
from bot.slack.verbs import COMMAND
from bot.slack.words import severities
from core.components import names_in
from core.incident import Severity
from core.subscribing import Subscribed
from core.subscription import Subscription, SubscriptionFilter
from core.texts import listed

# A message holds about 11,000 characters, and the longest row has 800.
ROWS = 13
# The names of a filter in a sentence; more of them are counted.
NAMED_MAX = 5
NOTHING_YET = (
    "No channel is subscribed. "
    f"`{COMMAND} subscribe severity:high+ #channel` shows incidents of the severities critical and "
    "high in it, from then on."
)
NOTHING_OLD = (
    "Nothing that was public before comes: an incident that is open already gets its card there "
    "with its next public change."
)
NOTHING_OLD_ANEW = (
    "It counts for what becomes public from now on. Cards that are there are kept up to date to "
    "their end, and nothing of before comes."
)
UNSAID = "Not shown: {}, as Slack does not say who may see them. Try again in a minute."
READ_THERE = "Everybody in it reads what becomes public from now on."
NO_NOTES = "Notes never go there."
EVERY = "every"


def resolved(one: Subscription, *, agreed: str = "", over: Subscription | None = None) -> Subscribe:
    """The request that makes the subscription ``one``, with its components by id.

    ``over`` is the one that it takes the place of; any other one is asked about.
    """
    return Subscribe(
        channel=one.channel,
        severity=one.filter.severity,
        components=tuple(each.id for each in one.filter.components),
        broadcast=one.broadcast,
        agreed=agreed,
        over=version(over),
    )


def is_unsure(asked: Subscribe, before: Subscription) -> bool:
    """Whether ``asked`` would take something from ``before`` that its author may not know of."""
    if asked.over is not None:
        return asked.over != version(before)
    return any(one in asked.left_out for one in _limits(before))


def _limits(one: Subscription) -> list[str]:
    """The options, of `OPTIONS`, that ``one`` says something about."""
    found = {
        "severity": one.filter.severity not in {None, Severity.LOW},
        "components": bool(one.filter.components),
        "broadcast": one.broadcast,
    }
    return [name for name, there in found.items() if there]


def _with_the_rest(proposed: Subscription, asked: Subscribe, before: Subscription) -> Subscription:
    """``proposed`` with what ``before`` has, where ``asked`` says nothing."""
    kept = set(asked.left_out)
    limits = SubscriptionFilter(
        severity=(before if "severity" in kept else proposed).filter.severity,
        components=(before if "components" in kept else proposed).filter.components,
    )
    broadcast = (before if "broadcast" in kept else proposed).broadcast
    return replace(proposed, filter=limits, broadcast=broadcast)


def _names(limits: SubscriptionFilter) -> list[str]:
    return [
        shown(one.name, 100) or "a component that is gone or private" for one in limits.components
    ]


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


def _facts(one: Subscription, *, sign: str = " · ") -> str:
    """The filter in a line: ``critical and high · API, Web · broadcast``."""
    facts = [severities(one.filter.severity), *_named(one.filter)]
    return sign.join([*facts, *(["broadcast"] if one.broadcast else [])])


def _named(limits: SubscriptionFilter) -> list[str]:
    names = _names(limits)
    return [listed(names, most=NAMED_MAX)] if names else []


def _label_of(one: Subscription) -> str:
    """``Take: critical and high, API``, for a button."""
    return f"Take: {plain_text(_facts(one, sign=', '))}"


# --- answers -------------------------------------------------------------------------------------


def subscribed(made: Subscribed, readers: Readers, *, at: datetime) -> Json:
    """The answer to ``subscribe``."""
    one, before = made.subscription, made.before
    link = channel_link(one.channel)
    if not one.in_force:
        # The request was repeated after the end.
        return unsubscribed(made, at=at)
    if not made.changed:
        told = [f"{link} is subscribed. It gets {_gets(one)}.", "Nothing had to change."]
    elif before is None:
        told = [f"{link} is subscribed. From now on it gets {_gets(one)}."]
    else:
        told = [
            f"{link} has another filter now. From now on it gets {_gets(one)}.",
            f"Before: {_facts(before)}.",
        ]
    controls = [try_button(one.channel)] if one.fault else []
    end = encode("unsubscribe", one.channel, None)
    controls.append(button("Unsubscribe", action_id="unsubscribe", value=end))
    if made.changed:
        told.append(NOTHING_OLD if before is None else NOTHING_OLD_ANEW)
        if (former := before or made.former) and not _is_same(former, one):
            if before is None:
                told.append(f"Until its end it had another filter: {_facts(former)}.")
            request = resolved(former, over=one)
            back = f"Back to: {plain_text(_facts(former, sign=', '))}"
            controls.insert(0, _subscribe_button(back, request))
    if one.fault:
        told.append(f"{link} {faulty_since(one.fault, at=at)}. {cure_of(one.fault)}")
    told += _who(one.channel, readers)
    told.append(f"\nTo end it, type `{COMMAND} unsubscribe` there.")
    return message(told, [*paragraphs(told), *actions([*controls, subscriptions_button()])])


def _is_same(one: Subscription, other: Subscription) -> bool:
    return (one.filter, one.broadcast) == (other.filter, other.broadcast)


def asks_to_replace(proposed: Subscription, asked: Subscribe, before: Subscription) -> Json:
    """The question before a subscription loses what its author may not know of.

    ``proposed`` is what ``asked`` makes of ``before``.
    """
    link = channel_link(before.channel)
    told = [f"{link} is subscribed already. It gets {_gets(before)}.", "Nothing was changed."]
    choices: list[tuple[str, Subscription]] = []
    if asked.over is None and set(asked.left_out) == {*OPTIONS}:
        if {*_limits(before)} == {"broadcast"}:
            choices.append(("Show no replies in the channel", proposed))
        else:
            bare = replace(proposed, broadcast=before.broadcast)
            choices.append(("Take the filter off", bare))
    else:
        kept = _with_the_rest(proposed, asked, before) if asked.over is None else proposed
        choices += [
            (_label_of(one), one)
            for one in dict.fromkeys((kept, proposed))
            if not _is_same(one, before)
        ]
        told.append(f"You asked for something else: {_facts(proposed)}.")
    told.append("\nKeep it as it is, or change it?")
    keep = encode("dont_subscribe", before.channel)
    controls = [button("Keep it as it is", action_id="dont_subscribe", value=keep)]
    controls += [
        _subscribe_button(label, resolved(one, over=before), place=place)
        for place, (label, one) in enumerate(choices)
    ]
    change = encode("subscription", before.channel)
    controls.append(button("Change…", action_id="subscribe:change", value=change))
    return message(told, [*paragraphs(told), *actions(controls)])


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


def _subscribe_button(label: str, request: Subscribe, *, place: int = 0) -> Json:
    value = subscribe_value(request)
    if value is None:
        raise ValueError("a resolved request has its components by id")
    return button(label, action_id=f"subscribe:{place}" if place else "subscribe", value=value)


def left_unsubscribed(channel: str) -> Json:
    """The answer to **Don't**."""
    told = [f"{channel_link(channel)} stays as it is. Nothing was changed."]
    return message(told, paragraphs(told))


def takes_no_post(
    proposed: Subscription, problem: str, *, agreed: str, subscribed: bool = False
) -> Json:
    """The answer about a channel in which the bot cannot post; ``problem`` ends a sentence.

    ``subscribed``: the reader may know that it is, and end that.
    """
    problem = or_the_end(problem) if subscribed else problem
    told = [f"{channel_link(proposed.channel)} {escape(problem)}.", "Nothing was changed."]
    again = _subscribe_button("Try again", resolved(proposed, agreed=agreed))
    end = [end_button(proposed.channel)] if subscribed else []
    return message(told, [*paragraphs(told), *actions([again, *end])])


def unsubscribed(ended: Subscribed, *, at: datetime) -> Json:
    """The answer to ``unsubscribe``."""
    one = ended.subscription
    if one.in_force:
        # The request was repeated, and the channel is subscribed again since.
        return subscribed(ended, Readers(), at=at)
    told = [told_of_the_end(ended)]
    again = _subscribe_button("Subscribe it again", resolved(one))
    return message(told, [*paragraphs(told), *actions([again, subscriptions_button()])])


def told_of_the_end(ended: Subscribed) -> str:
    """The sentences about an end."""
    return (
        f"{channel_link(ended.subscription.channel)} is not subscribed any more: no new incident "
        "comes there. Cards that are there already are kept up to date to their end."
    )


def ended_by_setup(one: Subscription) -> str:
    """The sentences about the subscription ``one`` of a channel that is the status channel now."""
    return (
        f"{channel_link(one.channel)} was subscribed by {mention(one.by)}: {_facts(one)}. "
        "That has ended, as the status channel shows all that is public. It does not come back by "
        "itself if the status channel moves."
    )


# --- the list ------------------------------------------------------------------------------------


def subscription_list(
    known: Sequence[Subscription],
    *,
    page: int = 1,
    told: str = "",
    ended: Subscription | None = None,
    unsaid: int = 0,
    at: datetime,
) -> Json:
    """A page of the subscribed channels that its reader may see, each with its menu.

    ``ended`` is one that the reader has just ended, and may want back. Of ``unsaid`` channels Slack
    does not say who may see them.
    """
    paged = NumberedPage(known, page, most=ROWS)
    here, page = paged.here, paged.number
    heading = paged.heading("Subscribed channels")
    nothing = UNSAID.format(unsaid) if unsaid else NOTHING_YET
    lines = [f"{_line(one, at=at)}." for one in here] or [nothing]
    rows = [block for one in here for block in _row(one, page, at=at)]
    blocks = [
        *([section(told)] if told else []),
        *actions([_subscribe_button("Subscribe it again", resolved(ended))] if ended else []),
        section(f"*{heading}*"),
        *(rows or [section(nothing)]),
        *([context(UNSAID.format(unsaid))] if unsaid and rows else []),
    ]
    said = [*([told] if told else []), f"{heading}:", *lines]
    return message(said, [*blocks, *actions(paged.buttons("subscriptions"))])


def _line(one: Subscription, *, at: datetime) -> str:
    """``#support · critical and high · API · subscribed since 12:03 by @mia``.

    At most 1,000 characters.
    """
    since = f"subscribed since {moment(one.since, seen_from=at)}"
    if one.at > one.since:
        since += f", with this filter since {moment(one.at, seen_from=at)}"
    fault = f" · {faulty_since(one.fault, at=at)}" if one.fault else ""
    return f"{channel_link(one.channel)} · {_facts(one)} · {since} by {mention(one.by)}{fault}"


def _row(one: Subscription, page: int, *, at: datetime) -> list[Json]:
    row = {**section(_line(one, at=at)), "accessory": _menu(one, page)}
    cures = [try_button(one.channel), end_button(one.channel, page)] if one.fault else []
    return [row, *actions(cures)]


def _menu(one: Subscription, page: int) -> Json:
    options = [
        option("Change…", encode("subscription", one.channel)),
        option("Unsubscribe", encode("unsubscribe", one.channel, page)),
    ]
    return overflow(options, action_id="menu")


# --- the dialog ----------------------------------------------------------------------------------


def subscription_dialog(
    filled: Subscribe, names: Sequence[str], *, origin: Origin, fixed: bool = False
) -> Json:
    """The dialog of a subscription, filled with ``filled``; ``names`` are those of its components.

    The channel is chosen in it, and is the first input: errors about it stand there. ``fixed``: it
    changes the subscription of the channel that ``filled`` names, and of no other.
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
    chooses = input_block("target", "Channel", chooser, hint=f"{READ_THERE} {NO_NOTES}")
    told = f"The subscription of {channel_link(filled.channel or '')}. {NOTHING_OLD_ANEW}"
    blocks = [
        section(told) if fixed else chooses,
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
    about = metadata(origin)
    if fixed:
        about = metadata(origin, subscribed=filled.channel or "", over=filled.over or "")
    return modal(
        SUBSCRIBE,
        "Change a subscription" if fixed else "Subscribe a channel",
        blocks,
        submit="Save" if fixed else "Subscribe",
        private_metadata=about,
    )


def _label(lowest: Severity) -> str:
    words = severities(lowest)
    return f"{words[0].upper()}{words[1:]}"


def subscription_form(view: Mapping[str, Any]) -> Subscribe:
    """The subscription that ``view`` was submitted for.

    Raises:
        UsageError: it is no such dialog, or no channel is chosen in it.
    """
    remembered = remembered_in(view)
    fixed, over = remembered.get("subscribed"), remembered.get("over")
    channel = fixed or element(view, "target").get("selected_conversation")
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
        over=over if fixed and isinstance(over, str) else "",
    )
