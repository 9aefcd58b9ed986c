"""Buttons: their values, written and read back, and the rows of them under a message. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import TypeVar
from uuid import UUID

from bot.slack.blocks import (
    Json,
    actions,
    button,
    confirmation,
    context,
    message,
    option,
    overflow,
    paragraphs,
    select,
)
from bot.slack.requests import (
    NUMBER_MAX,
    AskPrivate,
    AssignTo,
    FromDraft,
    InviteUser,
    OpenDeclare,
    OpenDescription,
    OpenInvite,
    OpenPromise,
    OpenPublic,
    OpenWalk,
    Request,
    SendReport,
    SetStatusChannel,
    ShowBoard,
    ShowCard,
    ShowHelp,
    ShowReport,
    ShowStats,
    ShowTimeline,
    ShowTray,
    UsageError,
    WriteAnew,
    follow_up,
)
from bot.slack.verbs import COMMAND, VERBS_BY_WORD
from bot.slack.words import in_words, status_name, status_word, walk_label, way_to_card
from core.boards import BoardFilter, Scope
from core.commands import (
    Acknowledge,
    AnswerHandOver,
    Change,
    NameResolution,
    Redact,
    Ref,
    SetPrivacy,
    SetPromise,
)
from core.incident import Actor, Incident, Kind, Resolution, Severity, Update
from core.lifecycle import ACKNOWLEDGED, NAME, PublicWord
from core.promise import NextUpdate
from core.ranking import Rank
from core.stats import PERIOD_DAYS_MAX

Word = TypeVar("Word", bound=StrEnum)

STEP_BUTTONS = 3
# A click moves a promise by so much.
LATER = timedelta(minutes=15)


class Dialog(StrEnum):
    """The dialogs about one incident, by the callback_id of their view."""

    UPDATE = "update"
    ASSIGN = "assign"
    SEVERITY = "severity"
    DESCRIPTION = "description"
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
    ask before the end by itself, so the answer asks.
    """

    change: Change
    sure: bool = False
    asks: bool = False


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
    "choose",  # choose:<place>: an answer to a question
    "channel",  # channel:<move or keep>: the answer to the question about the status channel
    "declare",
    "board",
    "help",
    "older",
    "newer",
    "preview",  # the choice of a step in the update dialog; it has no value of its own
)
ACTION_ID = re.compile(rf"^(?:{'|'.join(ACTIONS)})(?::.*)?$")


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
        case ["ack", id_, expected] if not _is_number(id_):
            return Acknowledge(actor=actor, ref=_id(id_), expected_status=_status(expected))
        case [
            Dialog.UPDATE | Dialog.ASSIGN | Dialog.SEVERITY | Dialog.REDACT as name,
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
        case [Dialog.DESCRIPTION, id_]:
            return OpenDescription(ref=_id(id_))
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
        case ["follow_up", number, "private" | "public" as readers] if _is_number(number):
            return follow_up(f"INC-{_number(number)}", private=readers == "private")
        case ["declare"]:
            return OpenDeclare()
        case ["help"] | ["help", ""]:
            return ShowHelp()
        case ["help", "all"]:
            return ShowHelp(whole=True)
        case ["help", verb] if verb in VERBS_BY_WORD:
            return ShowHelp(verb=VERBS_BY_WORD[verb].name)
    raise _unreadable()


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


def _rank(word: str) -> Rank | None:
    """A key of a list. One of an earlier version was a number: it leads to the first page."""
    severity, dash, number = word.partition("-")
    if not word or (not dash and _number(severity)):
        return None
    return Rank(_among(Severity, severity), _number(number))


def _key(rank: Rank | None) -> str | None:
    return rank and f"{rank.severity}-{rank.number}"


def _status(word: str) -> str:
    if not NAME.fullmatch(word):
        raise _unreadable()
    return word


def _among(words: type[Word], word: str) -> Word:
    try:
        return words(word)
    except ValueError:
        raise _unreadable() from None


def every_step(incident: Incident) -> list[Json]:
    """A button for each valid next step, three at most, and a select for the others."""
    buttons = first_steps(incident)
    if more := incident.next_steps[STEP_BUTTONS:]:
        options = [option(move(step), step_value(incident, step)) for step in more]
        asked = [asks for step in more if (asks := confirm_end(incident, step))]
        extra = {"confirm": asked[0]} if asked else {}
        buttons.append(select(options, action_id="steps", placeholder="More next steps", **extra))
    return buttons


def first_steps(incident: Incident) -> list[Json]:
    """A button for each valid next step, three at most."""
    return [step_button(incident, step) for step in incident.next_steps[:STEP_BUTTONS]]


def step_button(incident: Incident, to: str) -> Json:
    """The button that moves the incident. One that ends it asks once more."""
    made = button(
        move(to),
        action_id=f"step:{to}",
        value=step_value(incident, to),
        spoken=f"{move(to)}: {incident.name}",  # the visible words first, for people who speak them
    )
    asks = confirm_end(incident, to)
    return {**made, "confirm": asks} if asks else made


def sure_button(incident: Incident, to: str) -> Json:
    """The button that answers a question about the step, and so asks nothing more."""
    made = step_button(incident, to)
    made.pop("confirm", None)
    return {**made, "value": encode("sure", incident.id, incident.status, to)}


def end_of(incident: Incident, to: str) -> str | None:
    """The sentence before a step to the end, or to a status that people read as the end."""
    lifecycle = incident.lifecycle
    if to not in lifecycle:
        return None
    resolves = lifecycle.public_word(to) is PublicWord.RESOLVED
    if not lifecycle.is_terminal(to) and not resolves:
        return None
    told = f"{incident.name} will be {status_word(to)}."
    if not lifecycle.path(to, incident.status):
        told += " Incidents only move forward: it cannot be reopened."
    return told


def confirm_end(incident: Incident, to: str) -> Json | None:
    """The question that Slack asks before a step to the end; None for any other step."""
    told = end_of(incident, to)
    return confirmation(f"End {incident.name}?", told, yes=move(to)) if told else None


def move(to: str) -> str:
    """The label of a button or an option that moves an incident."""
    return f"Move to {status_name(to)}"


def step_value(incident: Incident, to: str) -> str:
    """The value of a button or an option that moves the incident."""
    return encode("step", incident.id, incident.status, to)


def menu_step_value(incident: Incident, to: str) -> str:
    """The value of an option in a menu that moves the incident; for a step to the end, asks."""
    kind = "ask" if confirm_end(incident, to) else "step"
    return encode(kind, incident.id, incident.status, to)


def _about(incident: Incident, act: str, label: str, *words: object, spoken: str) -> Json:
    """A button that asks for ``act`` on ``incident``; its value has ``words`` behind the id."""
    return button(label, action_id=act, value=encode(act, incident.id, *words), spoken=spoken)


def ack_button(incident: Incident) -> Json:
    return _about(
        incident,
        "ack",
        "Acknowledge",
        incident.status,
        spoken=f"Acknowledge {incident.name}: you become its owner",
    )


def update_button(incident: Incident) -> Json:
    return _about(incident, "update", "Update…", incident.status, spoken=f"Update {incident.name}")


def timeline_button(incident: Incident) -> Json:
    return _about(incident, "timeline", "Timeline", None, spoken=f"Timeline of {incident.name}")


def report_button(incident: Incident, page: int = 1, label: str = "Report") -> Json:
    """The button that shows one page of the report."""
    return button(
        label,
        action_id=f"report:{page}",
        value=encode("report", incident.id, page),
        spoken=f"{label}: report of {incident.name}",
    )


def write_report_button(incident: Incident) -> Json:
    return _about(incident, "write_report", "Write…", spoken=f"Write the report of {incident.name}")


def send_report_button(incident: Incident) -> Json:
    return _about(
        incident,
        "send_report",
        "Send me the file",
        spoken=f"Send me the file: report of {incident.name}",
    )


def take_back_button(incident: Incident, held_back: Update) -> Json:
    text = "new title" if held_back.kind is Kind.TITLE else "public update"
    return _about(
        incident,
        "take_back",
        "Take back",
        held_back.entry,
        spoken=f"Take back your {text} of {incident.name}",
    )


def walk_button(incident: Incident, path: Sequence[str]) -> Json:
    """The button that opens the dialog for all steps of ``path``, without the present status."""
    label = walk_label(path)
    return button(
        label,
        action_id=f"walk:{path[-1]}",
        value=encode("walk", incident.id, path[-1]),
        spoken=f"{label} {incident.name}",
    )


def withdraw_button(incident: Incident, entry: Update) -> Json:
    """The button that withdraws a text that is public."""
    return _about(
        incident,
        "withdraw",
        "Withdraw it",
        entry.entry,
        spoken=f"Withdraw it: entry {entry.entry} of {incident.name}",
    )


def private_button(incident: Incident) -> Json:
    """The button that makes an incident private while nothing of it is public yet."""
    return _about(
        incident, "private", "Make it private", spoken=f"Make it private: {incident.name}"
    )


def sure_private_button(incident: Incident) -> Json:
    """The button that answers the question whether it should become private."""
    value = encode("sure_private", incident.id)
    return {**private_button(incident), "value": value}


def ask_private_button(incident: Incident) -> Json:
    """The button that asks whether an incident that is public should become private."""
    return button(
        "Make it private…",
        action_id="private",
        value=encode("ask_private", incident.id),
        spoken=f"Make it private… {incident.name}",
    )


def public_button(incident: Incident) -> Json:
    return _about(incident, "public", "Make it public…", spoken=f"Make it public… {incident.name}")


def promise_button(incident: Incident) -> Json:
    return _about(
        incident,
        "promise",
        "Change…",
        spoken=f"Change… the promise of the next update of {incident.name}",
    )


def no_promise_button(incident: Incident, entry: int) -> Json:
    """The button that releases the promise that ``entry`` made."""
    return _about(
        incident,
        "no_promise",
        "No promise",
        entry,
        spoken=f"No promise of a next update of {incident.name}",
    )


def later_button(incident: Incident, entry: int) -> Json:
    """The button that moves the promise of ``entry`` by `LATER`."""
    minutes = int(LATER.total_seconds()) // 60
    return _about(
        incident,
        "later",
        f"+{minutes} min",
        entry,
        spoken=f"+{minutes} min for the next update of {incident.name}",
    )


def release_button(incident: Incident) -> Json:
    return _about(
        incident, "release", "Release…", spoken=f"Release… the promise of {incident.name}"
    )


def take_button(incident: Incident, entry: int) -> Json:
    """The button of a new owner whom ``entry`` made one."""
    return _about(incident, "take", "Got it", entry, spoken=f"Got it: you own {incident.name}")


def decline_button(incident: Incident, entry: int) -> Json:
    return _about(incident, "decline", "Not me", entry, spoken=f"Not me: give {incident.name} back")


def assign_button(incident: Incident) -> Json:
    return _about(incident, "assign", "Assign…", incident.status, spoken=f"Assign… {incident.name}")


def resolution_select(incident: Incident) -> Json:
    """The ways in which the incident can have ended; private, and never asked twice."""
    options = [
        option(
            "Duplicate of…" if how is Resolution.DUPLICATE else status_name(how),
            encode("ended", incident.id, how),
        )
        for how in Resolution
    ]
    return select(options, action_id="ended", placeholder="How did it end? (private)")


def write_anew_button(incident: Incident, held_back: Update) -> Json:
    return _about(
        incident,
        "write_anew",
        "Take back and edit",
        held_back.entry,
        spoken=f"Take back and edit: your public update of {incident.name}",
    )


def channel_buttons(now: str, asked: str) -> list[Json]:
    """The answers to the question whether the status channel becomes ``asked`` instead of ``now``.

    The names of channels are Slack's, so the labels do without.
    """
    answers = {"move": ("Move it there", asked), "keep": ("Keep it as it is", now)}
    return [
        button(label, action_id=f"channel:{act}", value=encode("channel", channel, now))
        for act, (label, channel) in answers.items()
    ]


def declare_button(label: str = "Declare an incident") -> Json:
    return button(label, action_id="declare", value=encode("declare"))


def follow_up_button(incident: Incident) -> Json:
    """The declaration of an incident that follows ``incident``, private if that is."""
    readers = "private" if incident.private else "public"
    value = encode("follow_up", incident.number, readers)
    return button("Declare a follow-up…", action_id="declare", value=value)


def board_button(label: str = "All open") -> Json:
    return button(label, action_id="board", value=board_value(ShowBoard()))


def help_button() -> Json:
    return button("Help", action_id="help", value=encode("help"))


def all_help_button() -> Json:
    return button("All commands", action_id="help:all", value=encode("help", "all"))


def board_value(asked: ShowBoard) -> str:
    """The value of a button that shows a board."""
    narrowed = asked.narrowed
    return encode(
        "board",
        narrowed.scope,
        narrowed.severity,
        narrowed.status,
        _key(asked.before),
        _key(asked.after),
    )


def _menu(incident: Incident) -> Json:
    id_, status = incident.id, incident.status
    acknowledge = option("Acknowledge", encode("ack", id_, status))
    rest = [
        option("Assign…", encode(Dialog.ASSIGN, id_, status)),
        option("Severity…", encode(Dialog.SEVERITY, id_, status)),
        option("Timeline", encode("timeline", id_, None)),
        option("Withdraw…", encode(Dialog.REDACT, id_, status)),
    ]
    # A lifecycle with a status for it has the step as a button; of one without an owner, the card
    # has a button, too. Slack takes five options.
    mark = ACKNOWLEDGED not in incident.lifecycle and not incident.ownerless
    describe = option("Description…", encode(Dialog.DESCRIPTION, id_))
    offered = [acknowledge, *rest] if mark and incident.acknowledgeable else [*rest, describe]
    return overflow(offered, action_id="menu")


def controls(incident: Incident) -> list[Json]:
    """The buttons of a card; at the end of the lifecycle, only the timeline.

    While nobody owns it, "I am on it" is one click, before the next steps.
    """
    if incident.terminal:
        return actions([timeline_button(incident)])
    own = [ack_button(incident)] if incident.ownerless else []
    return actions([*own, *every_step(incident), update_button(incident), _menu(incident)])


def offer(told: Sequence[str], incident: Incident, further: Sequence[Json] = ()) -> Json:
    """The sentences ``told``, then the next steps: words in the text, buttons in the blocks.

    ``further`` are buttons about the change that was just made.
    """
    if incident.terminal:
        told = [*told, "That is the end of its lifecycle."]
        buttons = [timeline_button(incident), *further]
        return message(told, [*paragraphs(told), *actions(buttons), *_to_card(incident)])
    buttons = [*every_step(incident), update_button(incident), *further]
    return choice(told, "Next", incident, buttons)


def choice(told: Sequence[str], asked: str, incident: Incident, buttons: Sequence[Json]) -> Json:
    """The sentences ``told``, then the next steps after the word ``asked``."""
    return message(
        [*told, f"{asked}: {in_words(incident.next_steps)}."],
        [*paragraphs([*told, f"\n{asked}:"]), *actions(buttons), *_to_card(incident)],
    )


def _to_card(incident: Incident) -> list[Json]:
    return [context(line) for line in way_to_card(incident)]
