"""The values of buttons: everything that a click can ask for, written and read back. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import TypeVar
from uuid import UUID

from bot.slack.arranged import (
    OpenComponent,
    OpenGroup,
    OpenOverride,
    OpenPage,
    ShowComponents,
    ShowOnPage,
)
from bot.slack.boxes import Box, OpenBox
from bot.slack.requests import (
    NUMBER_MAX,
    AskPrivate,
    AssignTo,
    CatchUp,
    FromDraft,
    InviteUser,
    OpenDeclare,
    OpenInvite,
    OpenPromise,
    OpenPublic,
    OpenSetup,
    OpenWalk,
    OpenWithdrawal,
    Request,
    SendReport,
    SetStatusChannel,
    ShowBoard,
    ShowCard,
    ShowHelp,
    ShowNews,
    ShowReport,
    ShowStats,
    ShowTimeline,
    ShowTray,
    UsageError,
    WriteAnew,
    following,
)
from bot.slack.subscription_requests import (
    OPTIONS,
    LeaveUnsubscribed,
    OpenSubscription,
    ShowSubscriptions,
    Subscribe,
    TryChannel,
    Unsubscribe,
)
from bot.slack.verbs import COMMAND, VERBS_BY_WORD
from core.boards import BoardFilter, Scope
from core.channel import ChannelAct
from core.commands import (
    Acknowledge,
    AnswerHandOver,
    Change,
    NameResolution,
    Redact,
    Ref,
    SetChannel,
    SetPrivacy,
    SetPromise,
)
from core.incident import Actor, Resolution, Severity
from core.lifecycle import NAME
from core.promise import NextUpdate
from core.ranking import Rank
from core.stats import PERIOD_DAYS_MAX

Word = TypeVar("Word", bound=StrEnum)

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# A click moves a promise by so much.
LATER = timedelta(minutes=15)
# Before the first letters of the options that typed words have left out.
TYPED = "+"
# Before the key of a list's incident that has ended.
_ENDED = "ended-"
# So many ids of components fit into the value of a button.
SHOWN_AT_ONCE = 50


class Dialog(StrEnum):
    """The dialogs about one incident, by the callback_id of their view."""

    UPDATE = "update"
    ASSIGN = "assign"
    NOTE = Box.NOTE.value
    TITLE = Box.TITLE.value
    DESCRIPTION = Box.DESCRIPTION.value
    COMPONENTS = Box.COMPONENTS.value
    SEVERITY = Box.SEVERITY.value
    REDACT = "redact"
    WALK = "walk"
    PUBLIC = "public"
    INVITE = "invite"
    UNINVITE = "uninvite"
    RESOLUTION = "resolution"
    REPORT = "report"
    PROMISE = "promise"


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenDialog:
    """A dialog about an incident, drawn for the status ``expected_status`` (None: any)."""

    dialog: Dialog
    ref: Ref
    expected_status: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A click on a next step.

    ``sure``: it answers a question, so it is done at once. ``asks``: it is in a menu, which cannot
    ask before the end by itself, so the answer asks. ``drawn_at`` is the moment at which the button
    took the place of one that had been clicked; None for all others.
    """

    change: Change
    sure: bool = False
    asks: bool = False
    drawn_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Outdated:
    """A click on a button of an earlier version, which names its incident only by number."""

    number: int


Pressed = Request | OpenDialog | Step | Outdated

# Every action_id is one of these, perhaps with ``:`` and a word that tells it from its neighbours.
# The request is made from nothing but the value: `decode` reads it, as `parse` reads a command.
ACTIONS = (
    "step",  # step:<status>: a next step
    "ack",  # Acknowledge, while nobody owns it
    "steps",  # a select of further next steps
    "update",  # Update…
    "menu",  # an overflow menu
    "timeline",
    "report",  # report:<page>: a page of the report
    "write_report",
    "send_report",
    "stats",
    "catchup",  # catchup:<number>: what is new on one incident
    "news",  # What is new
    "take_back",
    "withdraw",  # Withdraw it: a text that is public already
    "write_anew",
    "walk",  # Resolve: 3 steps…
    "private",  # Make it private, or Make it private…
    "public",  # Make it public…
    "take",  # Got it: the answer of a new owner
    "decline",  # Not me
    "assign",  # Assign…
    "ended",  # a select of the ways in which an incident can end
    "promise",  # Change…: another promise, or none
    "later",  # +15 min
    "release",  # Release…
    "no_promise",  # No promise
    "open_channel",
    "keep_channel",  # Keep it: a channel is not archived
    "choose",  # choose:<place>: an answer to a question
    "channel",  # channel:<move or keep>: the answer to the question about the status channel
    "components",  # components:<page>: a page of the components
    "add_component",
    "show_component",  # Show on the page
    "page",  # Status page…
    "subscribe",
    "dont_subscribe",
    "unsubscribe",
    "subscriptions",  # All subscriptions
    "declare",
    "board",
    "help",
    "older",
    "newer",
    "preview",  # the choice of a step in the update dialog; it has no value of its own
)


def encode(action: str, *words: object) -> str:
    """The value of a button, at most 150 characters long: ``step:<id>:investigating:identified``.

    It names an incident by its id: after a restore, a number may be another incident's.
    """
    return ":".join([action, *("" if word is None else str(word) for word in words)])


def decode(  # noqa: C901, PLR0911, PLR0912 - one case for each thing that a button asks for
    value: str, *, actor: Actor
) -> Pressed:
    """The request that ``actor`` makes by pressing a button with ``value``.

    Raises:
        UsageError: `encode` never wrote such a value.
    """
    match value.split(":"):
        case ["step" | "sure" | "ask" as kind, id_, expected, to] if not _is_number(id_):
            change = Change(
                actor=actor, ref=_id(id_), to=_status(to), expected_status=_status(expected)
            )
            return Step(change=change, sure=kind == "sure", asks=kind == "ask")
        case ["step", id_, expected, to, drawn] if drawn.isdecimal() and len(drawn) <= 13:
            change = Change(
                actor=actor, ref=_id(id_), to=_status(to), expected_status=_status(expected)
            )
            return Step(change=change, drawn_at=EPOCH + timedelta(milliseconds=int(drawn)))
        case ["ack", id_, expected] if not _is_number(id_):
            return Acknowledge(actor=actor, ref=_id(id_), expected_status=_status(expected))
        case [Dialog.REDACT, id_, _] if not _is_number(id_):
            return OpenWithdrawal(ref=_id(id_))
        case [
            Dialog.UPDATE | Dialog.ASSIGN | Dialog.SEVERITY as name,
            id_,
            expected,
        ] if not _is_number(id_):
            return OpenDialog(dialog=Dialog(name), ref=_id(id_), expected_status=_status(expected))
        case ["take_back", id_, entry] if not _is_number(id_):
            return Redact(actor=actor, ref=_id(id_), entry=_number(entry), held_only=True)
        case ["withdraw", id_, entry]:
            return Redact(actor=actor, ref=_id(id_), entry=_number(entry))
        case ["write_anew", id_, entry]:
            return WriteAnew(actor=actor, ref=_id(id_), entry=_number(entry))
        case [
            Dialog.NOTE | Dialog.TITLE | Dialog.DESCRIPTION | Dialog.COMPONENTS as name,
            id_,
        ]:
            return OpenBox(ref=_id(id_), box=Box(name))
        case ["walk", id_, to]:
            return OpenWalk(ref=_id(id_), to=_status(to))
        case ["private", id_]:
            return SetPrivacy(actor=actor, ref=_id(id_), private=True, held_only=True)
        case ["sure_private", id_]:
            return SetPrivacy(actor=actor, ref=_id(id_), private=True)
        case ["ask_private", id_]:
            return AskPrivate(ref=_id(id_))
        case ["public", id_]:
            return OpenPublic(ref=_id(id_))
        case ["promise" | "release" as kind, id_]:
            return OpenPromise(ref=_id(id_), release=kind == "release")
        case ["later" | "no_promise" as kind, id_, entry]:
            moved = NextUpdate(later=LATER) if kind == "later" else None
            return SetPromise(actor=actor, ref=_id(id_), next_update=moved, expected=_number(entry))
        case ["open_channel" | "keep_channel" as kind, id_]:
            act = ChannelAct.OPEN if kind == "open_channel" else ChannelAct.KEEP
            return SetChannel(actor=actor, ref=_id(id_), act=act)
        case ["take" | "decline" as kind, id_, entry]:
            return AnswerHandOver(
                actor=actor, ref=_id(id_), entry=_number(entry), takes=kind == "take"
            )
        case ["invite" | "uninvite" as kind, id_, user] if re.fullmatch("[UW][A-Z0-9]+", user):
            return InviteUser(actor=actor, ref=_id(id_), user=user, invited=kind == "invite")
        case ["invite" | "uninvite" as kind, id_]:
            return OpenInvite(ref=_id(id_), invited=kind == "invite")
        case ["ended", id_, Resolution.DUPLICATE]:
            return OpenDialog(dialog=Dialog.RESOLUTION, ref=_id(id_))
        case ["ended", id_, how]:
            return NameResolution(actor=actor, ref=_id(id_), how=_among(Resolution, how))
        case ["severe", id_, severity]:
            return Change(actor=actor, ref=_id(id_), severity=_among(Severity, severity))
        case ["mine", id_]:
            return Change(actor=actor, ref=_id(id_), owner=actor.person)
        case ["give", id_, user] if re.fullmatch("[UW][A-Z0-9]+", user):
            return AssignTo(actor=actor, ref=_id(id_), user=user)
        case ["choose", draft, place]:
            return FromDraft(draft=_id(draft), index=int(place) if place.isdecimal() else 0)
        case ["timeline", id_, before] if not _is_number(id_):
            return ShowTimeline(ref=_id(id_), before=_number(before) if before else None)
        case ["report", id_, page]:
            return ShowReport(ref=_id(id_), page=_number(page))
        case ["write_report", id_]:
            return OpenDialog(dialog=Dialog.REPORT, ref=_id(id_))
        case ["send_report", id_]:
            return SendReport(ref=_id(id_))
        case ["channel", channel, instead_of] if _is_channel(channel) and _is_channel(instead_of):
            return SetStatusChannel(channel=channel, instead_of=instead_of)
        case ["catchup", id_]:
            return CatchUp(ref=_id(id_))
        case ["news"]:
            return ShowNews()
        case ["stats", days]:
            return ShowStats(days=min(_number(days), PERIOD_DAYS_MAX))
        case ["show", id_] if not _is_number(id_):
            return ShowCard(ref=_id(id_))
        case [
            "step"
            | "ack"
            | Dialog.UPDATE
            | Dialog.ASSIGN
            | Dialog.SEVERITY
            | Dialog.REDACT
            | "take_back"
            | "timeline"
            | "show",
            number,
            *_,
        ] if _is_number(number):
            return Outdated(_number(number))
        case ["board", scope, severity, status, before, after]:
            return ShowBoard(
                narrowed=BoardFilter(
                    scope=_among(Scope, scope),
                    severity=_among(Severity, severity) if severity else None,
                    status=_status(status) if status else None,
                ),
                before=_rank(before),
                after=_rank(after),
            )
        case ["tray"]:
            return ShowTray()
        case ["setup"]:
            return OpenSetup()
        case ["follow_up", number, "private" | "public" as readers, *proposed] if _is_number(
            number
        ):
            return _follow_up(
                following(f"INC-{_number(number)}"), proposed, private=readers == "private"
            )
        case ["declare"]:
            return OpenDeclare()
        case ["help"] | ["help", ""]:
            return ShowHelp()
        case ["help", "all"]:
            return ShowHelp(whole=True)
        case ["help", verb] if verb in VERBS_BY_WORD:
            return ShowHelp(verb=VERBS_BY_WORD[verb].name)
    return _about_subscriptions(value)


def _about_the_page(value: str) -> Pressed:
    match value.split(":"):
        case ["components", page]:
            return ShowComponents(page=_number(page))
        case ["component", id_, page]:
            return OpenComponent(component=_id(id_) if id_ else None, page=_number(page))
        case ["group", id_, page]:
            return OpenGroup(group=_id(id_), page=_number(page))
        case ["override", id_, page]:
            return OpenOverride(component=_id(id_), page=_number(page))
        case ["show_component", *ids] if 0 < len(ids) <= SHOWN_AT_ONCE:
            return ShowOnPage(components=tuple(map(_id, ids)))
        case ["page"]:
            return OpenPage()
    raise _unreadable()


def _about_subscriptions(value: str) -> Pressed:  # noqa: PLR0911 - one case for each button
    match value.split(":"):
        case ["subscribe", channel, severity, broadcast, agreed, ids, *known] if _is_channel(
            channel
        ):
            # A button of an earlier version knows of no subscription.
            over = known[0] if known else ""
            return Subscribe(
                channel=channel,
                severity=_among(Severity, severity) if severity else None,
                components=tuple(map(_id, ids.split(","))) if ids else (),
                broadcast=broadcast == "on",
                agreed=agreed,
                over=None if over.startswith(TYPED) else over,
                left_out=tuple(one for one in OPTIONS if over.startswith(TYPED) and one[0] in over),
            )
        case ["try_channel", channel] if _is_channel(channel):
            return TryChannel(channel=channel)
        case ["dont_subscribe", channel] if _is_channel(channel):
            return LeaveUnsubscribed(channel=channel)
        case ["subscription", channel] if _is_channel(channel):
            return OpenSubscription(filled=Subscribe(channel=channel), present=True)
        case ["unsubscribe", channel, page] if _is_channel(channel):
            return Unsubscribe(channel=channel, page=_number(page) if page else None)
        case ["subscriptions", page]:
            return ShowSubscriptions(page=_number(page))
    return _about_the_page(value)


def subscribe_value(asked: Subscribe) -> str | None:
    """The value of a button that subscribes; None if names in it may not fit."""
    ids = [one for one in asked.components if isinstance(one, UUID)]
    if asked.channel is None or len(ids) < len(asked.components) or len(ids) > SHOWN_AT_ONCE:
        return None
    broadcast = "on" if asked.broadcast else None
    listed = ",".join(one.hex for one in ids)
    known = asked.over
    if known is None:
        known = TYPED + "".join(one[0] for one in asked.left_out)
    return encode(
        "subscribe", asked.channel, asked.severity, broadcast, asked.agreed, listed, known
    )


def _unreadable() -> UsageError:
    return UsageError(
        "That button cannot be read any more, and nothing was changed.",
        hint=f"`{COMMAND}` shows what is open, with new ones.",
    )


def _is_number(word: str) -> bool:
    """Whether a button of an earlier version may have written ``word``."""
    return re.fullmatch("[0-9]{1,10}", word) is not None


def _is_channel(word: str) -> bool:
    return re.fullmatch("[CG][A-Z0-9]+", word) is not None


def _number(word: str) -> int:
    if not re.fullmatch("[0-9]{1,10}", word) or not 0 < (number := int(word)) <= NUMBER_MAX:
        raise _unreadable()
    return number


def _id(word: str) -> UUID:
    try:
        return UUID(word)
    except ValueError:
        raise _unreadable() from None


def _follow_up(draft: OpenDeclare, proposed: Sequence[str], *, private: bool) -> OpenDeclare:
    """``draft`` with what is ``proposed``; a button of an earlier version proposes nothing."""
    match proposed:
        case [severity, lifecycle, *components]:
            names = ":".join(components)
            return replace(
                draft,
                private=private,
                severity=_among(Severity, severity),
                lifecycle=lifecycle,
                components=tuple(names.split(",")) if names else (),
            )
        case _:
            return replace(draft, private=private)


def _rank(word: str) -> Rank | None:
    """A key of a list. One of an earlier version was a number: it leads to the first page."""
    severity, dash, number = word.removeprefix(_ENDED).partition("-")
    if not word or (not dash and _number(severity)):
        return None
    return Rank(_among(Severity, severity), _number(number), word.startswith(_ENDED))


def key_of(rank: Rank | None) -> str | None:
    """``rank`` as a word of a value; `decode` reads it back."""
    return rank and f"{_ENDED if rank.ended else ''}{rank.severity}-{rank.number}"


def _status(word: str) -> str:
    if not NAME.fullmatch(word):
        raise _unreadable()
    return word


def _among(words: type[Word], word: str) -> Word:
    try:
        return words(word)
    except ValueError:
        raise _unreadable() from None
