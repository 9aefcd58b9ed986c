"""Buttons, and the rows of them under a message. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
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
    with_remark,
)
from bot.slack.pressed import EPOCH, LATER, Dialog, encode, key_of
from bot.slack.requests import (
    ShowBoard,
)
from bot.slack.words import (
    in_words,
    status_name,
    status_word,
    still_held,
    walk_label,
    way_to_card,
)
from core.incident import Incident, Kind, Resolution, Update
from core.lifecycle import ACKNOWLEDGED, PublicWord

STEP_BUTTONS = 3

# The characters of the proposed components in the value of a button, which takes 2,000.
PROPOSED_MAX = 1_800


def in_the_same_place(reply: Json, *, at: datetime) -> Json:
    """``reply``, which takes the place of a clicked message at the moment ``at``.

    The second half of a double click may hit a step that stands there now, so the steps know since
    when they do. A step that Slack asks about anyway stays as it is.
    """
    drawn = (at - EPOCH) // timedelta(milliseconds=1)

    def aged(element: Json) -> Json:
        value = element.get("value") or ""
        if not value.startswith("step:") or "confirm" in element:
            return element
        return {**element, "value": f"{value}:{drawn}"}

    blocks = [
        {**block, "elements": list(map(aged, block["elements"]))}
        if block["type"] == "actions"
        else block
        for block in reply["blocks"]
    ]
    return {**reply, "blocks": blocks}


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


def ways_back(incident: Incident, held_back: Update) -> Iterator[Json]:
    """The buttons for a text that is held back; for a declaration, the one that hides it."""
    if held_back.kind is Kind.DECLARED:
        yield private_button(incident)
        return
    yield take_back_button(incident, held_back)
    # A correction is not corrected again.
    if held_back.kind not in {Kind.TITLE, Kind.CORRECTED}:
        yield write_anew_button(incident, held_back)


def with_way_back(reply: Json, incident: Incident, held_back: Update) -> Json:
    """``reply``, which takes the place of an answer that offered to take ``held_back`` back."""
    ways = list(ways_back(incident, held_back))
    offered = [one.get("value") for block in reply["blocks"] for one in block.get("elements", ())]
    if ways[0]["value"] in offered:
        return reply
    said = with_remark(reply, still_held(held_back))
    first, told, *rest = said["blocks"]
    return {**said, "blocks": [first, told, *actions(ways), *rest]}


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


def channel_button(incident: Incident) -> Json:
    return _about(
        incident, "open_channel", "Open a channel", spoken=f"Open a channel for {incident.name}"
    )


def keep_button(name: str, incident: UUID) -> Json:
    """The button that keeps the channel of ``name``, whose id is ``incident``."""
    return button(
        "Keep it",
        action_id="keep_channel",
        value=encode("keep_channel", incident),
        spoken=f"Keep it: the channel of {name}",
    )


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
    """The declaration of an incident that follows ``incident``, private if that is.

    Its value is longer than others: it has the proposals for the dialog. Components are proposed
    all or not at all: some of them would look like the whole list.
    """
    readers = "private" if incident.private else "public"
    components = ",".join(component.name for component in incident.components)
    if len(components) > PROPOSED_MAX:
        components = ""
    proposed = (incident.severity, incident.lifecycle.name, components)
    value = encode("follow_up", incident.number, readers, *proposed)
    return button("Declare a follow-up…", action_id="declare", value=value)


def board_button(label: str = "All open") -> Json:
    return button(label, action_id="board", value=board_value(ShowBoard()))


def subscriptions_button() -> Json:
    return button("All subscriptions", action_id="subscriptions", value=encode("subscriptions", 1))


def news_button() -> Json:
    return button("What is new", action_id="news", value=encode("news"))


def catch_up_button(incident: Incident) -> Json:
    """The button that shows what is new on one incident."""
    return button(
        "Catch up",
        action_id=f"catchup:{incident.number}",
        value=encode("catchup", incident.id),
        spoken=f"Catch up: {incident.name}",
    )


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
        key_of(asked.before),
        key_of(asked.after),
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


def controls(incident: Incident, *, offers_channel: bool = False) -> list[Json]:
    """The buttons of a card; at the end of the lifecycle, only the timeline.

    While nobody owns it, "I am on it" is one click, before the next steps.
    """
    if incident.terminal:
        return actions([timeline_button(incident)])
    own = [ack_button(incident)] if incident.ownerless else []
    more = [channel_button(incident)] if offers_channel else []
    return actions([*own, *every_step(incident), update_button(incident), *more, _menu(incident)])


def offer(
    told: Sequence[str],
    incident: Incident,
    further: Sequence[Json] = (),
    *,
    has_moved: bool = False,
) -> Json:
    """The sentences ``told``, then the next steps: words in the text, buttons in the blocks.

    ``further`` are buttons about the change that was just made: a line of their own, before the
    next steps. ``has_moved``: it is told that the incident moved, and so whether that was the end.
    """
    if incident.terminal:
        told = [*told, "That is the end of its lifecycle."] if has_moved else told
        buttons = [timeline_button(incident), *further]
        return message(told, [*paragraphs(told), *actions(buttons), *_to_card(incident)])
    buttons = [*every_step(incident), update_button(incident)]
    return choice(told, "Next", incident, buttons, further)


def choice(
    told: Sequence[str],
    asked: str,
    incident: Incident,
    buttons: Sequence[Json],
    further: Sequence[Json] = (),
) -> Json:
    """The sentences ``told``, then the next steps after the word ``asked``.

    ``further`` are buttons about what was told.
    """
    steps = f"{asked}:"
    sentences = paragraphs([*told, f"\n{steps}"])
    if further:
        sentences = [*paragraphs(told), *actions(list(further)), *paragraphs([steps])]
    return message(
        [*told, f"{asked}: {in_words(incident.next_steps)}."],
        [*sentences, *actions(buttons), *_to_card(incident)],
    )


def _to_card(incident: Incident) -> list[Json]:
    return [context(line) for line in way_to_card(incident)]
