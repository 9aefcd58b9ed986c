"""Words to whoever subscribed a channel that takes no posts, or has ended; their buttons. Pure."""

from __future__ import annotations

from datetime import datetime

from bot.slack.blocks import Json, actions, button, message, paragraphs
from bot.slack.buttons import subscriptions_button
from bot.slack.markup import channel_link, escape, moment
from bot.slack.pressed import encode
from core.subscription import PostingFault, Subscription

# What keeps Slack from posting in a subscribed channel, and what to do; by Slack's error.
_FAULTS = {
    "is_archived": ("it is archived", "Unarchive it, and invite me if I am not in it."),
    "channel_not_found": ("it is private and without me, or deleted", "Invite me there."),
    "not_in_channel": ("I am not in it", "Invite me there."),
    "restricted_action": ("few people only may post there", "Let me post there."),
}


def _why(code: str) -> str:
    return escape(_FAULTS[code][0] if code in _FAULTS else f"Slack says {code}")


def cure_of(fault: PostingFault) -> str:
    """The sentence that says what to do."""
    _, cure = _FAULTS.get(fault.code, ("", "A workspace admin can look into it."))
    return cure


def faulty_since(fault: PostingFault, *, at: datetime) -> str:
    """``takes no posts since 12:03: it is archived``, seen from the moment ``at``."""
    return f"takes no posts since {moment(fault.at, seen_from=at)}: {_why(fault.code)}"


def takes_no_posts(one: Subscription) -> Json:
    """The word to whoever made the subscription ``one`` that its channel takes no posts."""
    fault = one.fault or PostingFault("unknown", one.at)
    told = [
        f"{channel_link(one.channel)} takes no posts of mine any more: {_why(fault.code)}.",
        "It is subscribed, and misses what becomes public.",
        f"{cure_of(fault)} What was given up then follows by itself, or with *Try again*.",
    ]
    return message(told, [*paragraphs(told), *actions(_cures(one.channel))])


def ended_by_operator(one: Subscription) -> Json:
    """The word to whoever made the subscription ``one`` that its channel is the status channel."""
    told = [
        f"{channel_link(one.channel)} is the status channel now: whoever runs me has set it.",
        "Your subscription of it has ended: the status channel shows all that is public.",
        "It does not come back by itself if the status channel moves.",
    ]
    return message(told, [*paragraphs(told), *actions([subscriptions_button()])])


def takes_posts(channel: str) -> Json:
    """The answer to **Try again** about a channel that takes posts."""
    told = [f"{channel_link(channel)} takes posts. What was given up there follows now."]
    return message(told, [*paragraphs(told), *actions([subscriptions_button()])])


def still_takes_no_posts(channel: str, problem: str) -> Json:
    """The answer to **Try again** about one that does not; ``problem`` ends a sentence."""
    told = [f"{channel_link(channel)} {escape(or_the_end(problem))}."]
    return message(told, [*paragraphs(told), *actions(_cures(channel))])


def or_the_end(problem: str) -> str:
    """``problem``, the end of a sentence about any channel, for one that is subscribed."""
    return problem.replace("choose another", "end the subscription")


def try_button(channel: str) -> Json:
    """Tries whether ``channel`` takes posts again."""
    return button("Try again", action_id="subscribe:try", value=encode("try_channel", channel))


def end_button(channel: str, page: int | None = None) -> Json:
    """Ends the subscription of ``channel``. ``page`` is that of the list, if that comes back."""
    end = encode("unsubscribe", channel, page)
    return button("End the subscription", action_id="unsubscribe", value=end)


def _cures(channel: str) -> list[Json]:
    return [try_button(channel), end_button(channel)]
