"""Values to Block Kit: every message that Slack shows is made here, and only here. Pure.

Each function takes values and returns the keyword arguments of a Slack call: ``text``, one story
that says everything by itself, and ``blocks``, which only arrange it. ``at`` is the present moment.
The public renderers take public values alone, so that no note can be handed to them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TypeVar, assert_never

from bot.slack.blocks import (
    FALLBACK_MAX,
    HEADER_MAX,
    TEXT_MAX,
    Json,
    actions,
    ago,
    button,
    channel_link,
    clipped,
    context,
    cut,
    duration,
    escape,
    header,
    mention,
    moment,
    option,
    overflow,
    paragraphs,
    pieces,
    plain,
    section,
    select,
    shown,
    story,
)
from bot.slack.parser import (
    COMMAND,
    NUMBER_MAX,
    VERBS,
    OpenDeclare,
    Request,
    ShowBoard,
    ShowCard,
    ShowHelp,
    ShowTimeline,
    ShowTray,
    UsageError,
    Verb,
    find_verb,
    plain_text,
)
from core.errors import UserError
from core.incident import (
    Acknowledge,
    Actor,
    BoardFilter,
    Card,
    Change,
    Component,
    Incident,
    Kind,
    Outcome,
    Page,
    PublicIncident,
    PublicUpdate,
    Redact,
    Ref,
    Scope,
    Severity,
    Update,
    Visibility,
)
from core.lifecycle import ACKNOWLEDGED, NAME, PublicWord
from core.refusals import (
    Denied,
    IncidentResolved,
    NoSuchEntry,
    NotFound,
    NothingToRedact,
    Permission,
    RedactionNotPermitted,
    SeveralNextSteps,
    StaleStatus,
    TransitionNotAllowed,
    UnknownStatus,
    WhichIncident,
)
from core.service import TIMELINE_PAGE

Word = TypeVar("Word", bound=StrEnum)

STEP_BUTTONS = 3
TRAY_ROWS = 10

# Beside the word, never instead of it: how far along an incident is, in the public's four words.
EMOJI = {
    PublicWord.INVESTIGATING: "🔴",
    PublicWord.IDENTIFIED: "🟠",
    PublicWord.MONITORING: "🟡",
    PublicWord.RESOLVED: "🟢",
}
PRIVATE, PUBLIC = "🔒", "📣"
WITHDRAWN = "This update was withdrawn."


def status_word(status: str) -> str:
    """``in_progress`` as people read it in a sentence: ``in progress``."""
    return status.replace("_", " ")


def status_name(status: str) -> str:
    """``in_progress`` as a label: ``In progress``."""
    return status_word(status).capitalize()


def in_words(words: Sequence[str]) -> str:
    """The statuses ``words`` as a list in a sentence."""
    return ", ".join(status_word(word) for word in words)


# --- buttons: what they carry ------------------------------------------------------------------


class Dialog(StrEnum):
    """The dialogs about one incident, by the callback_id of their view."""

    UPDATE = "update"
    ASSIGN = "assign"
    SEVERITY = "severity"
    REDACT = "redact"


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenDialog:
    """A dialog about an incident that stood in ``expected_status`` when its button was drawn."""

    dialog: Dialog
    ref: Ref
    expected_status: str


Pressed = Request | OpenDialog

# Every action_id is one of these, or one of these with ``:`` and what tells it from its neighbours.
# Whatever it is, its value says all: `decode` makes a request of it, as `parse` does of a command.
ACTIONS = (
    "step",  # step:<status>, a next step
    "steps",  # a select of further next steps
    "update",  # Update…
    "menu",  # an overflow menu
    "timeline",
    "take_back",
    "declare",
    "board",
    "help",
    "older",
    "newer",
    "preview",  # the choice of a step inside the update dialog, which has no value of its own
)
ACTION_ID = re.compile(rf"^(?:{'|'.join(ACTIONS)})(?::.*)?$")


def encode(deed: str, *words: object) -> str:
    """The value of a button, at most 150 characters long: ``step:42:investigating:identified``."""
    return ":".join([deed, *("" if word is None else str(word) for word in words)])


def decode(  # noqa: C901, PLR0911 - one case for each thing that a button asks for
    value: str, *, actor: Actor
) -> Pressed:
    """What ``actor`` asks for by pressing what carries ``value``.

    Raises:
        UsageError: `encode` never wrote that.
    """
    match value.split(":"):
        case ["step", number, expected, to]:
            return Change(
                actor=actor, ref=_number(number), to=_status(to), expected_status=_status(expected)
            )
        case ["ack", number, expected]:
            return Acknowledge(actor=actor, ref=_number(number), expected_status=_status(expected))
        case [Dialog.UPDATE | Dialog.ASSIGN | Dialog.SEVERITY | Dialog.REDACT as name, *rest]:
            if len(rest) == 2:
                return OpenDialog(
                    dialog=Dialog(name), ref=_number(rest[0]), expected_status=_status(rest[1])
                )
        case ["take_back", number, entry]:
            return Redact(actor=actor, ref=_number(number), entry=_number(entry))
        case ["timeline", number, before]:
            return ShowTimeline(ref=_number(number), before=_number(before) if before else None)
        case ["show", number]:
            return ShowCard(ref=_number(number))
        case ["board", scope, severity, status, before, after]:
            return ShowBoard(
                narrowed=BoardFilter(
                    scope=_among(Scope, scope),
                    severity=_among(Severity, severity) if severity else None,
                    status=_status(status) if status else None,
                ),
                before=_number(before) if before else None,
                after=_number(after) if after else None,
            )
        case ["tray"]:
            return ShowTray()
        case ["declare"]:
            return OpenDeclare()
        case ["help"]:
            return ShowHelp()
    raise _unreadable()


def _unreadable() -> UsageError:
    return UsageError(
        "That button cannot be read any more, and nothing was changed.",
        hint=f"`{COMMAND}` shows what is open, with new ones.",
    )


def _number(word: str) -> int:
    if not re.fullmatch("[0-9]{1,10}", word) or not 0 < (number := int(word)) <= NUMBER_MAX:
        raise _unreadable()
    return number


def _status(word: str) -> str:
    if not NAME.fullmatch(word):
        raise _unreadable()
    return word


def _among(words: type[Word], word: str) -> Word:
    try:
        return words(word)
    except ValueError:
        raise _unreadable() from None


def _steps(incident: Incident) -> list[Json]:
    """One button for each valid next step, three at most; the others in a select beside them."""
    buttons = _step_buttons(incident)
    if more := incident.next_steps[STEP_BUTTONS:]:
        options = [option(status_name(step), _step(incident, step)) for step in more]
        buttons.append(select(options, action_id="steps", placeholder="More next steps"))
    return buttons


def _step_buttons(incident: Incident) -> list[Json]:
    return [_step_button(incident, step) for step in incident.next_steps[:STEP_BUTTONS]]


def _step_button(incident: Incident, to: str) -> Json:
    return button(
        status_name(to),
        action_id=f"step:{to}",
        value=_step(incident, to),
        spoken=f"Move {incident.name} to {status_word(to)}",
    )


def _step(incident: Incident, to: str) -> str:
    return encode("step", incident.number, incident.status, to)


def _update_button(incident: Incident) -> Json:
    return button(
        "Update…",
        action_id="update",
        value=encode(Dialog.UPDATE, incident.number, incident.status),
        spoken=f"Update {incident.name}",
    )


def _timeline_button(incident: Incident) -> Json:
    return button(
        "Timeline",
        action_id="timeline",
        value=encode("timeline", incident.number, None),
        spoken=f"Timeline of {incident.name}",
    )


def _take_back_button(incident: Incident, held_back: Update) -> Json:
    return button(
        "Take it back",
        action_id="take_back",
        value=encode("take_back", incident.number, held_back.entry),
        spoken=f"Take back your public update of {incident.name}",
    )


def _declare_button(label: str = "Declare an incident") -> Json:
    return button(label, action_id="declare", value=encode("declare"))


def _board_button(label: str = "All open") -> Json:
    return button(label, action_id="board", value=_board_value(ShowBoard()))


def _menu(incident: Incident) -> Json:
    number, status = incident.number, incident.status
    acknowledge = option("Acknowledge", encode("ack", number, status))
    rest = [
        option("Assign…", encode(Dialog.ASSIGN, number, status)),
        option("Severity…", encode(Dialog.SEVERITY, number, status)),
        option("Timeline", encode("timeline", number, None)),
        option("Redact…", encode(Dialog.REDACT, number, status)),
    ]
    offered = [acknowledge, *rest] if _may_be_acknowledged(incident) else rest
    return overflow(offered, action_id="menu")


def _may_be_acknowledged(incident: Incident) -> bool:
    if ACKNOWLEDGED in incident.lifecycle:
        return ACKNOWLEDGED in incident.next_steps
    return incident.acknowledged_by is None


def _controls(incident: Incident) -> list[Json]:
    """All that can be done with an incident; at the end of its lifecycle, reading."""
    if incident.terminal:
        return actions([_timeline_button(incident)])
    return actions([*_steps(incident), _update_button(incident), _menu(incident)])


# --- cards -------------------------------------------------------------------------------------


def working_card(card: Card, *, at: datetime) -> Json:
    """The card in the channel where the incident was declared. It never holds a note."""
    return _message(list(_card_story(card)), _card_blocks(card, at=at))


def owner_card(card: Card, *, at: datetime) -> Json:
    """A private incident's card, as a direct message to its owner."""
    told = f"{card.incident.name} is private: you see its card here because you own it."
    return _message([*_card_story(card), told], [*_card_blocks(card, at=at), context(told)])


def card_for_you(card: Card, *, at: datetime) -> Json:
    """The card to one person alone, with all there is to say; if private, also who else sees it."""
    incident = card.incident
    remarks = []
    if incident.private:
        told = f"Only you and the owner see this: {incident.name} is private."
        if incident.card_channel:
            link = channel_link(incident.card_channel)
            told = f"{incident.name} is private: only people in {link} see it."
        remarks = [told]
    blocks = _card_blocks(card, at=at, whole=True)
    return _message([*_card_story(card), *remarks], [*blocks, *map(context, remarks)])


def _message(told: Sequence[str], blocks: Sequence[Json]) -> Json:
    return {"text": story(told), "blocks": list(blocks)}


def _titled(incident: Incident) -> str:
    """``INC-42 Checkout is down``, escaped: at most 1,290 characters."""
    return f"{incident.name} {escape(incident.title)}"


def _card_story(card: Card) -> Iterator[str]:
    incident, last = card.incident, card.last
    now = f"now {status_word(incident.status)}"
    if card.resolved_at:
        now += f" after {duration(card.resolved_at - incident.started_at)}"
    by = f", by {mention(last.by)}" if last else ""
    yield f"{_titled(incident)}: {now} ({incident.severity}){by}."
    if not incident.terminal:
        yield f"Next: {in_words(incident.next_steps)}."


def _card_blocks(card: Card, *, at: datetime, whole: bool = False) -> list[Json]:
    incident, last = card.incident, card.last
    # A card in a channel stands under the date of its posting, an answer under today's.
    seen_from = at if whole else incident.created_at
    pointer = "the API names them" if whole else f"`{COMMAND} show {incident.number}` names them"
    components = _component_lines(incident.components, most=6_000 if whole else 300, more=pointer)
    first = " · ".join([f"Owner: {_owner(incident)}", *components[:1]])
    blocks = [
        *_title(f"{EMOJI[incident.public_word]} {incident.name}  ", incident.title),
        *paragraphs(
            [_standing(card, at=at, seen_from=seen_from), first, *components[1:]], between="\n"
        ),
    ]
    if whole and incident.description:
        blocks += _description(incident.description)
    blocks += _controls(incident)
    if last:
        told = f"Last: {_deed(last)} {moment(last.at, seen_from=seen_from)}"
        blocks.append(context(told))
    return blocks


def _title(before: str, title: str, after: str = "") -> list[Json]:
    """A header of number and title; where it had to be shortened, the whole title under it."""
    room = HEADER_MAX - len(before) - len(after)
    short = header(f"{before}{clipped(title, room)}{after}")
    whole = {"type": "section", "text": plain(title)}
    return [short] if len(title) <= room else [short, whole]


def _standing(card: Card, *, at: datetime, seen_from: datetime) -> str:
    """``*Investigating* · high · since 03:12 (12 min)``."""
    incident = card.incident
    since = moment(incident.started_at, seen_from=seen_from)
    parts = [f"*{status_name(incident.status)}*", incident.severity.value]
    if card.resolved_at:
        parts[0] += f" after {duration(card.resolved_at - incident.started_at)}"
        parts.append(f"started {since}")
    else:
        parts.append(f"since {since} ({ago(incident.started_at, at=at)})")
    if incident.private:
        parts.append(f"{PRIVATE} private")
    return " · ".join(parts)


def _component_lines(
    components: Sequence[Component], label: str = "Components: ", *, most: int, more: str
) -> list[str]:
    """``Components: A, B``, in lines that fit into a section; none where there are none.

    What is beyond ``most`` characters is counted, and ``more`` says where it can be read.
    """
    lines: list[str] = []
    room = most
    for index, component in enumerate(components):
        name = escape(component.name)
        room -= len(name) + 2
        if room < 0 and index:
            lines[-1] += f" and {len(components) - index} more ({more})"
            break
        if lines and len(lines[-1]) + len(name) < TEXT_MAX - 200:
            lines[-1] += f", {name}"
        else:
            lines.append(name if lines else f"{label}{name}")
    return lines


def _description(text: str) -> list[Json]:
    # Longer than one message can be: what is left out is counted.
    kept = cut(text, 2_900)
    rest = f"… {len(text) - len(kept):,} more characters: the API has the whole description."
    told = paragraphs(pieces(kept))
    return told if kept == text else [*told, context(rest)]


def _deed(update: Update) -> str:  # noqa: C901, PLR0911 - one case for each kind
    """What an update records, in words, with who did it: ``@mia acknowledged``."""
    who = mention(update.by)
    old, new = update.old or "", update.new or ""
    match update.kind:
        case Kind.DECLARED:
            return f"{who} declared it"
        case Kind.MOVED:
            return f"{who} moved it: ~{status_name(old)}~ → {status_name(new)}"
        case Kind.ACKNOWLEDGED if new:
            return f"{who} acknowledged: ~{status_name(old)}~ → {status_name(new)}"
        case Kind.ACKNOWLEDGED:
            return f"{who} acknowledged"
        case Kind.WROTE if update.visibility is Visibility.PUBLIC:
            return f"{who} posted a public update"
        case Kind.WROTE:
            return f"{who} wrote a note"
        case Kind.ASSIGNED:
            return f"{who} handed it to {shown(new, 300)}"
        case Kind.SEVERITY:
            return f"{who} changed the severity: ~{old}~ → {new}"
        case Kind.TITLE:
            return f"{who} changed the title"
        case Kind.COMPONENTS:
            return f"{who} changed the components"
        case _:
            assert_never(update.kind)


# --- what everybody may read ---------------------------------------------------------------------


def status_card(public: PublicIncident) -> Json:
    """The card in the status channel: edited in place, without buttons."""
    latest = _latest(public)
    return _message(list(_public_story(public, latest)), list(_public_blocks(public, latest)))


def _public_story(public: PublicIncident, latest: PublicUpdate | None) -> Iterator[str]:
    after = _public_after(public)
    yield (
        f"{public.name} {escape(public.title)}: "
        f"now {status_word(public.status)}{after} ({public.severity})."
    )
    if latest:
        yield f"Latest: {_public_words(latest, most=2_000)}"


def _public_blocks(public: PublicIncident, latest: PublicUpdate | None) -> Iterator[Json]:
    started = moment(public.started_at, seen_from=public.started_at)
    was = f" (was {status_name(public.previous_status)})" if public.previous_status else ""
    standing = f"*{status_name(public.status)}*{_public_after(public) or was}"
    components = _component_lines(public.components, most=5_500, more="in all")
    yield from _title(f"{EMOJI[public.word]} ", public.title, f"  {public.name}")
    yield from paragraphs(
        [f"{standing} · {public.severity} · started {started}", *components], between="\n"
    )
    if latest:
        when = moment(latest.at, seen_from=public.started_at)
        words = _public_words(latest, most=TEXT_MAX - 200)
        pointer = " (whole in the thread)" if words.endswith("…") else ""
        yield section(f"Latest: {words}{pointer} {when}")


def _public_after(public: PublicIncident) -> str:
    resolved = public.resolved_at
    return f" after {duration(resolved - public.started_at)}" if resolved else ""


def _latest(public: PublicIncident) -> PublicUpdate | None:
    """The newest update that has, or had, something to read."""
    return next((u for u in public.updates if u.body is not None or u.withdrawn), None)


def _public_words(update: PublicUpdate, *, most: int) -> str:
    return WITHDRAWN if update.body is None else shown(update.body, most)


def public_update(public: PublicIncident, update: PublicUpdate) -> Json:
    """A public update as a reply in the status card's thread, for ``chat.postMessage``.

    It is broadcast to the channel when it carries a transition, and never grows previews of links.
    """
    status = update.status
    told = f"{public.name} {escape(public.title)}: " + (
        f"now {status_word(status)}. " if status else ""
    )
    label = f"*{status_name(status)}*: " if status else ""
    reply = withdrawn()
    if update.body is not None:
        first, *rest = pieces(update.body, TEXT_MAX - len(label))
        reply = {
            "text": told + shown(update.body, FALLBACK_MAX - len(told)),
            "blocks": [section(label + first), *map(section, rest)],
        }
    return {
        **reply,
        "reply_broadcast": status is not None and update.body is not None,
        "unfurl_links": False,
        "unfurl_media": False,
    }


def withdrawn() -> Json:
    """What stands in the place of a public update whose text was withdrawn."""
    return _message([WITHDRAWN], [section(f"_{WITHDRAWN}_")])


# --- answers to commands -------------------------------------------------------------------------


def answer(outcome: Outcome, *, at: datetime) -> Json:
    """What is true after a command, and what can be done next."""
    if outcome.before is None:
        return declared(outcome, at=at)
    return changed(outcome) if outcome.changed else unchanged(outcome, at=at)


def declared(outcome: Outcome, *, at: datetime) -> Json:
    """The answer to a declaration: the card itself if it is private and no channel may have it."""
    incident = outcome.incident
    if incident.private and incident.card_channel is None:
        return card_for_you(Card(incident=incident, last=outcome.updates[-1]), at=at)
    status = status_name(incident.status)
    told = [f"{_titled(incident)} is declared: *{status}*, {incident.severity}."]
    if incident.private:
        where = channel_link(incident.place.channel if incident.place else "")
        told.append(f"It is private: only people in {where} see it.")
    elif outcome.workspace.status_channel:
        surface = channel_link(outcome.workspace.status_channel)
        told.append(f"Everyone in {surface} sees its title, status and severity.")
    return _offer(told, incident)


def changed(outcome: Outcome) -> Json:
    """The answer to a change: what is true now, and who reads what was written."""
    incident = outcome.incident
    told = [*_what_is_true(outcome), *_who_reads(outcome)]
    held_back = [update for update in outcome.updates if update.public_at]
    return _offer(told, incident, [_take_back_button(incident, update) for update in held_back])


def unchanged(outcome: Outcome, *, at: datetime) -> Json:
    """The answer to a command that asked for what is true already."""
    incident, redacted = outcome.incident, outcome.redacted
    if redacted:
        gone = f"the text of entry {redacted.entry} of {_titled(incident)} is withdrawn already"
        return _offer([f"Nothing had to change: {gone}.", *_never_published(redacted)], incident)
    owner = _owner(incident)
    facts = f"*{status_name(incident.status)}*, {incident.severity}, and owned by {owner}"
    first, since = incident.acknowledged_by, outcome.acknowledged_at
    if first and since:
        facts += f". {mention(first)} acknowledged it first: {moment(since, seen_from=at)}"
    return _offer([f"Nothing had to change: {_titled(incident)} is {facts}."], incident)


def _never_published(redacted: Update) -> Iterator[str]:
    if redacted.taken_back:
        yield "It was never published."


def status_channel_set(channel: str) -> Json:
    """The answer to ``setup``."""
    link = channel_link(channel)
    told = [
        f"{link} is the status channel now.",
        "Every incident that is not private gets a card there, and public updates in its thread.",
    ]
    return _message(told, paragraphs(told))


def _offer(told: Sequence[str], incident: Incident, further: Sequence[Json] = ()) -> Json:
    """An answer: the sentences ``told``, then the next steps, named and as buttons.

    ``further`` are buttons for what was just done.
    """
    if incident.terminal:
        told = [*told, "That is the end of its lifecycle."]
        buttons = [_timeline_button(incident), *further]
        return _message(told, [*paragraphs(told), *actions(buttons)])
    buttons = [*_steps(incident), _update_button(incident), *further]
    return _choice(told, "Next", incident, buttons)


def _choice(told: Sequence[str], asked: str, incident: Incident, buttons: Sequence[Json]) -> Json:
    """The sentences ``told``, then the next steps: words in the text, buttons in the blocks."""
    return _message(
        [*told, f"{asked}: {in_words(incident.next_steps)}."],
        [*paragraphs([*told, f"\n{asked}:"]), *actions(buttons)],
    )


def _what_is_true(outcome: Outcome) -> Iterator[str]:
    name = _titled(outcome.before or outcome.incident)
    if outcome.redacted:
        yield f"The text of entry {outcome.redacted.entry} of {name} is withdrawn."
        yield from _never_published(outcome.redacted)
        if outcome.redacted.visibility is Visibility.PUBLIC and not outcome.redacted.taken_back:
            yield "Its copies in Slack are being replaced, and status pages follow at once."
    for update in outcome.updates:
        yield from _sentence(update, name if update is outcome.updates[0] else "It", outcome)


def _sentence(update: Update, name: str, outcome: Outcome) -> Iterator[str]:
    """What ``update`` made true, with ``name`` as the sentence's subject."""
    incident = outcome.incident
    if update.status_change:
        now, was = status_name(update.status_change), status_name(update.old or "")
        yield f"{name} is now *{now}* (was {was}){_resolved_after(outcome, update)}."
    match update.kind:
        case Kind.ACKNOWLEDGED if not update.status_change:
            yield f"{name} is acknowledged, and stays *{status_name(incident.status)}*."
        case Kind.WROTE if update is outcome.updates[0]:
            yield f"{name} stays *{status_name(incident.status)}*."
        case Kind.ASSIGNED:
            was = shown(update.old or "nobody", 300)
            yield f"{name} is now owned by {_owner(incident)} (was {was})."
        case Kind.SEVERITY:
            yield f"{name} is now of severity *{update.new}* (was {update.old})."
        case Kind.TITLE:
            yield f'{incident.name} is now called "{escape(incident.title)}"'
            yield f'(was "{escape(update.old or "")}").'
        case Kind.COMPONENTS:
            pointer = f"`{COMMAND} show {incident.number}` names them"
            lines = _component_lines(incident.components, "", most=900, more=pointer)
            yield f"{name} now affects {lines[0] if lines else 'no component'}."
    if update.kind is Kind.ACKNOWLEDGED and outcome.before and outcome.before.owner is None:
        yield f"{_owner(incident)} owns it now."


def _resolved_after(outcome: Outcome, update: Update) -> str:
    incident, before = outcome.incident, outcome.before
    if incident.public_word is not PublicWord.RESOLVED or incident.public_word is (
        before and before.public_word
    ):
        return ""
    return f", after {duration(update.at - incident.started_at)}"


def _owner(incident: Incident) -> str:
    return mention(incident.owner) if incident.owner else "nobody"


def _who_reads(outcome: Outcome) -> Iterator[str]:
    written = {update.visibility: update for update in outcome.updates if update.body is not None}
    channel = outcome.workspace.status_channel
    public = written.get(Visibility.PUBLIC)
    if public and channel:
        told = f"Everyone in {channel_link(channel)} will read your public update"
        if public.public_at:
            seconds = _seconds(public.public_at - public.at)
            told += f" in {seconds}; until then you can take it back"
        yield f"{told}."
    if Visibility.INTERNAL in written:
        yield "Your note is kept private."


def _seconds(span: timedelta) -> str:
    """``10 seconds``: somebody counts them down."""
    seconds = int(span.total_seconds())
    return "1 second" if seconds == 1 else f"{seconds} seconds"


# --- refusals ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Groups:
    """The ids of the Slack user groups that the settings name, None where every full member may."""

    responders: str | None = None
    publishers: str | None = None


def refusal(  # noqa: C901, PLR0911 - one case for each class of error
    error: UserError, *, at: datetime, groups: Groups | None = None
) -> Json:
    """What somebody is told whose command was refused: where things are, and what can be done."""
    match error:
        case TransitionNotAllowed():
            return _not_allowed(error)
        case IncidentResolved(incident=incident):
            told = [
                f"{incident.name} is *{status_name(incident.status)}*.",
                "That is the end of its lifecycle: it takes no further updates.",
                "If it is happening again, declare a new incident.",
            ]
            return _refused(told, [_timeline_button(incident), _declare_button()])
        case StaleStatus():
            return _stale(error, at=at)
        case UnknownStatus():
            return _unknown_status(error)
        case SeveralNextSteps(incident=incident):
            told = [f"{incident.name} is *{status_name(incident.status)}* and can go several ways."]
            return _choice(told, "Choose one", incident, _steps(incident))
        case WhichIncident(open_here=open_here):
            return _which(error, open_here, at=at)
        case NotFound():
            return _refused([escape(error.message)], [_board_button()])
        case NoSuchEntry(incident=incident) | NothingToRedact(incident=incident):
            return _refused([escape(error.message)], [_timeline_button(incident)])
        case RedactionNotPermitted(incident=incident, update=update):
            entry = f"Entry {update.entry} of {incident.name}"
            author = f"by {mention(update.by)} within 5 minutes of writing it"
            told = [
                f"{entry} can be withdrawn {author}, and by a workspace admin at any time.",
                "Ask an admin.",
            ]
            return _refused(told)
        case Denied():
            return _refused(list(_denied(error, groups or Groups())))
        case UsageError():
            return _refused(list(_slip(error)))
        case _:
            # InvalidField, EmptyUpdate, UnknownLifecycle, UnknownComponent and NoPublicSurface need
            # no button: their own words say what to write instead.
            return _refused([escape(error.message)])


def _refused(told: Sequence[str], buttons: Sequence[Json] = ()) -> Json:
    return _message(told, [*paragraphs(told), *actions(buttons)])


NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")


def _not_allowed(error: TransitionNotAllowed) -> Json:
    incident, asked = error.incident, str(error.asked)
    now = f"{incident.name} is *{status_name(incident.status)}*"
    path = [status_name(status) for status in error.path]
    if asked == incident.status:
        told = [f"{now} already."]
    elif path:
        count = NUMBERS[len(path)] if len(path) < len(NUMBERS) else str(len(path))
        told = [f"{now}.", f"{path[-1]} is {count} steps away: {' → '.join(path)}."]
    else:
        told = [f"{now}. No way leads from there to {status_name(asked)}: it only moves forward."]
    one = len(incident.next_steps) == 1
    label = "Take the next one" if one and path else "Next" if one else "Choose the next one"
    return _choice(told, label, incident, _steps(incident))


def _stale(error: StaleStatus, *, at: datetime) -> Json:
    incident, moved = error.incident, error.moved
    deed = f"{mention(moved.by)} moved {incident.name} to *{status_name(incident.status)}*"
    when = f"{duration(at - moved.at)} before you"
    return _offer([f"{deed} {when}.", "Nothing was changed by your click."], incident)


def _unknown_status(error: UnknownStatus) -> Json:
    incident, meant = error.incident, error.suggestion
    asked = f'There is no status "{shown(str(error.asked), 80)}" in this lifecycle.'
    statuses = [status.name for status in incident.lifecycle.statuses]
    listed = ", ".join(f"{s} (now)" if s == incident.status else s for s in statuses)
    told = [asked, *([f"Did you mean *{meant}*?"] if meant else [])]
    told.append(f"\nStatuses of {incident.name}: {listed}.")
    buttons = _steps(incident)
    if meant in incident.next_steps:
        buttons = [_step_button(incident, meant)]
    return _refused(told, buttons)


def _which(error: WhichIncident, open_here: Sequence[Incident], *, at: datetime) -> Json:
    rows = [block for incident in open_here for block in _row(incident, at=at)]
    told = [escape(error.message)]
    return _message(
        told, [*paragraphs(told), *rows, *actions([_board_button(), _declare_button()])]
    )


def _denied(error: Denied, groups: Groups) -> Iterator[str]:
    owner = error.incident.owner if error.incident else None
    if owner == error.actor.person:
        owner = None
    match error.permission:
        case Permission.JOIN:
            yield "Only full members of this workspace may use Ratchet."
            yield "Ask somebody of the team to do it for you."
            return
        case Permission.RESPOND:
            group, who, what = groups.responders, "responders", "may work on incidents"
        case Permission.PUBLISH:
            group = groups.publishers or groups.responders
            who, what = "publishers", "may post public updates"
        case Permission.ADMINISTER:
            yield "Only workspace admins may do that."
            yield "Ask anyone of them."
            return
        case _:
            assert_never(error.permission)
    members = f"members of <!subteam^{group}>" if group else who
    yield f"Only {members} {what}."
    anyone = f"anyone of <!subteam^{group}>" if group else "anyone of them"
    yield f"Ask {mention(owner)} (owner) or {anyone}." if owner else f"Ask {anyone}."


def _slip(error: UsageError) -> Iterator[str]:
    yield escape(error.problem)
    if error.suggestion:
        yield f"Did you mean {escape(error.suggestion)}?"
    if error.hint:
        yield escape(error.hint)
    if error.usage:
        yield f"\nUsage: `{escape(error.usage)}`"


def failure(reference: str, *, unsure: bool = False) -> Json:
    """What somebody is told when the fault is ours. ``reference`` is found in the log.

    ``unsure``: the database was lost while it kept the change, and nobody knows whether it did.
    """
    told = [
        "That did not work on our side, and nothing was changed.",
        f"It is logged as {escape(reference)}; try again in a minute.",
    ]
    if unsure:
        told = [
            "Our database was lost just then, and what you asked for may be done or not.",
            f"It is logged as {escape(reference)}; in a minute, look before you try again.",
        ]
    return _message(told, paragraphs(told))


# --- lists ---------------------------------------------------------------------------------------


def tray(here: Sequence[Incident], everywhere: Page[Incident], *, at: datetime) -> Json:
    """The open incidents: those with their card in this channel, then the newest others."""
    here = here[:TRAY_ROWS]
    known = {incident.id for incident in here}
    others = [incident for incident in everywhere.items if incident.id not in known]
    rows = others[: max(3, TRAY_ROWS - len(here))]
    more = everywhere.older is not None or len(rows) < len(others)
    controls = actions([_declare_button(), _board_button(), _help_button()])
    if not here and not rows:
        return _message(
            ["All quiet.", "Nothing is open."], [section("All quiet. Nothing is open."), *controls]
        )
    count = f"{len(rows)} and more" if more else f"{len(rows)}"
    elsewhere = f"Open elsewhere ({count})" if here else f"Open ({count})"
    told: list[str] = []
    blocks: list[Json] = []
    for heading, incidents in (("Open here", here), (elsewhere, rows)):
        if incidents:
            told += [
                f"{heading}:",
                *(f"{_line(i, at=at)}; next: {in_words(i.next_steps)}." for i in incidents),
            ]
            blocks += [section(f"*{heading}*")]
            blocks += [block for incident in incidents for block in _row(incident, at=at)]
    return _message(told, [*blocks, *controls])


def home(page: Page[Incident], *, at: datetime, told: Json | None = None) -> Json:
    """The Home tab: what is open, with the next steps. ``told`` is what a click there came to."""
    answered = [*told["blocks"], {"type": "divider"}] if told else []
    listed = tray((), page, at=at)["blocks"]
    made = context(f"As of {moment(at, seen_from=at)}")
    return {"type": "home", "blocks": [*answered, *listed, made]}


def _help_button() -> Json:
    return button("Help", action_id="help", value=encode("help"))


def _row(incident: Incident, *, at: datetime) -> list[Json]:
    """One incident in a list, with its buttons; further next steps are in the dialog."""
    controls = [*_step_buttons(incident), _row_menu(incident)]
    return [section(_line(incident, at=at, bold=True)), *actions(controls)]


def _row_menu(incident: Incident) -> Json:
    options = [
        option("Update…", encode(Dialog.UPDATE, incident.number, incident.status)),
        option("Show", encode("show", incident.number)),
        option("Timeline", encode("timeline", incident.number, None)),
    ]
    return overflow(options, action_id="menu")


def _line(incident: Incident, *, at: datetime, bold: bool = False) -> str:
    """``INC-42 Checkout is down · Identified · high · 35 min · @mia``, at most 600 characters.

    A title that is too long for a list is shown whole by ``show``.
    """
    name = f"*{incident.name}*" if bold else incident.name
    age = duration(at - incident.started_at)
    if incident.terminal:
        age = f"started {moment(incident.started_at, seen_from=at)}"
    parts = [
        f"{EMOJI[incident.public_word]} {name} {shown(incident.title, 300)}",
        status_name(incident.status),
        incident.severity.value,
        age,
        _owner(incident),
    ]
    return " · ".join([*parts, f"{PRIVATE} private"] if incident.private else parts)


def board(page: Page[Incident], asked: ShowBoard, *, at: datetime) -> Json:
    """A page of incidents, with Newer and Older where there are more."""
    heading = _board_heading(asked.narrowed)
    if not page.items:
        told = [f"{heading}: none."]
        return _message(told, [section(told[0]), *actions([_declare_button(), _help_button()])])
    rows = [
        {**section(_line(incident, at=at, bold=True)), "accessory": _board_menu(incident)}
        for incident in page.items
    ]
    told = [f"{heading}:", *(f"{_line(incident, at=at)}." for incident in page.items)]
    return _message(told, [section(f"*{heading}*"), *rows, *actions(_board_pages(page, asked))])


def _board_heading(narrowed: BoardFilter) -> str:
    heading = {
        Scope.OPEN: "Open incidents",
        Scope.ALL: "All incidents",
        Scope.MINE: "Your open incidents",
    }[narrowed.scope]
    facts = [narrowed.severity, narrowed.status and status_word(narrowed.status)]
    listed = ", ".join(fact for fact in facts if fact)
    return f"{heading} ({listed})" if listed else heading


def _board_menu(incident: Incident) -> Json:
    number, status = incident.number, incident.status
    steps = [
        option(f"→ {status_name(step)}", _step(incident, step)) for step in incident.next_steps[:2]
    ]
    if not incident.terminal:
        steps.append(option("Update…", encode(Dialog.UPDATE, number, status)))
    reads = [
        option("Show", encode("show", number)),
        option("Timeline", encode("timeline", number, None)),
    ]
    return overflow([*steps, *reads], action_id="menu")


def _board_pages(page: Page[Incident], asked: ShowBoard) -> list[Json]:
    newer = ShowBoard(narrowed=asked.narrowed, after=page.newer)
    older = ShowBoard(narrowed=asked.narrowed, before=page.older)
    buttons = []
    if page.newer is not None:
        buttons.append(button("Newer", action_id="newer", value=_board_value(newer)))
    if page.older is not None:
        buttons.append(button("Older", action_id="older", value=_board_value(older)))
    return buttons


def _board_value(asked: ShowBoard) -> str:
    narrowed = asked.narrowed
    return encode(
        "board", narrowed.scope, narrowed.severity, narrowed.status, asked.before, asked.after
    )


# --- the timeline --------------------------------------------------------------------------------

# Slack refuses a message whose texts are longer than about 12,000 characters together, and has been
# seen to refuse at 11,341. One entry of the longest body, all of it escaped, still fits.
TIMELINE_TEXT_MAX = 10_200


def timeline(card: Card, page: Page[Update], *, at: datetime) -> Json:
    """The timeline with its notes, to one responder alone: the newest of the page that fit.

    The numbers are what ``redact`` takes. Older and Newer lead to the rest.
    """
    incident = card.incident
    entries: list[list[str]] = []
    room = TIMELINE_TEXT_MAX
    for update in reversed(page.items):
        lines = list(_entry(update, incident, page, at=at))
        room -= sum(map(len, lines)) + len(lines)
        if entries and room < 0:
            break
        entries.insert(0, lines)
    first, last = _span(page, len(entries))
    standing = status_name(incident.status)
    if card.resolved_at:
        standing += f" · {duration(card.resolved_at - incident.started_at)}"
    title = shown(incident.title, 400)
    told = [
        f"{incident.name} {title} · {standing}.",
        f"Entries {first} to {last} of {incident.last_entry}.",
    ]
    return _message(
        [*told, *(line for lines in entries for line in lines)],
        [
            section(f"*{incident.name}* {title} · {standing}"),
            *_entry_blocks(entries),
            context(f"Entries {first} to {last} of {incident.last_entry} · only you see this"),
            *actions(_timeline_pages(incident, first, last)),
        ],
    )


def _span(page: Page[Update], shown_entries: int) -> tuple[int, int]:
    """The numbers of the first and the last entry that are shown."""
    numbers = [update.entry for update in page.items[len(page.items) - shown_entries :]]
    return (numbers[0], numbers[-1]) if numbers else (0, 0)


def _entry_blocks(entries: Sequence[Sequence[str]]) -> list[Json]:
    """Entries of one line share a section; a longer one, or one with a code block, has its own."""
    blocks: list[Json] = []
    short: list[str] = []
    for lines in entries:
        if len(lines) == 1 and "```" not in lines[0]:
            short += lines
            continue
        blocks += [*paragraphs(short, between="\n"), *map(section, lines)]
        short = []
    return [*blocks, *paragraphs(short, between="\n")]


def _entry(
    update: Update, incident: Incident, page: Page[Update], *, at: datetime
) -> Iterator[str]:
    """One entry of the timeline, whole, in texts that each fit into a section."""
    when = moment(update.at, seen_from=at)
    line = f"`{update.entry}` {when} {_recorded(update, incident, page)}"
    if update.kind is Kind.TITLE:
        line += f': "{escape(update.old or "")}" → "{escape(update.new or "")}"'
    if update.kind is Kind.COMPONENTS:
        names = shown(update.new or "none", 2_500)
        pointer = f" (`{COMMAND} show {incident.number}` names them)"
        line += f": {names}{pointer if names.endswith('…') else ''}"
    if update.redacted:
        by = f" by {mention(update.redacted_by)}" if update.redacted_by else ""
        never = ", never published" if update.taken_back else ""
        yield f"{line} · {_readers(update)}: _withdrawn{by}{never}_"
    elif update.body is None:
        yield line
    else:
        line += f' · {_readers(update)}: "'
        first, *rest = pieces(update.body, TEXT_MAX - len(line) - 1)
        texts = [line + first, *rest]
        yield from (*texts[:-1], texts[-1] + '"')


def _readers(update: Update) -> str:
    public = update.visibility is Visibility.PUBLIC
    return f"{PUBLIC} public" if public else f"{PRIVATE} private"


def _recorded(update: Update, incident: Incident, page: Page[Update]) -> str:
    match update.kind:
        case Kind.DECLARED:
            severity = _declared_as(incident, page)
            return _deed(update) + (f" ({severity})" if severity else "")
        case Kind.MOVED:
            return f"{mention(update.by)} → {status_name(update.new or '')}"
        case Kind.WROTE:
            return mention(update.by)
        case _:
            return _deed(update)


def _declared_as(incident: Incident, page: Page[Update]) -> str | None:
    """The severity at the beginning, None where the page does not reach far enough to tell."""
    changes = [update.old for update in page.items if update.kind is Kind.SEVERITY]
    if changes:
        return changes[0]
    return incident.severity if page.items[-1].entry == incident.last_entry else None


def _timeline_pages(incident: Incident, first: int, last: int) -> list[Json]:
    buttons = []
    if 0 < last < incident.last_entry:
        newer = encode("timeline", incident.number, last + 1 + TIMELINE_PAGE)
        buttons.append(button("Newer", action_id="newer", value=newer))
    if first > 1:
        older = encode("timeline", incident.number, first)
        buttons.append(button("Older", action_id="older", value=older))
    return buttons


# --- help ----------------------------------------------------------------------------------------

NAMING = (
    "`<n>` is 42, #42, INC-42 or the incident's id. Leave it out where exactly one open incident "
    "has its card in the channel."
)


def help_for(verb: str | None) -> Json:
    """Help for all verbs, or for one, made from the table that the parser reads by."""
    return _help_for_one(find_verb(verb)) if verb else _help_for_all()


def _help_for_one(verb: Verb) -> Json:
    told = [
        f"`{escape(verb.usage)}` {verb.summary}.",
        f"For example: `{COMMAND} {escape(plain_text(verb.example))}`.",
    ]
    if verb.aliases:
        told.append(f"Also: {', '.join(verb.aliases)}.")
    naming = [escape(NAMING)] if "<n>" in verb.usage else []
    return _message([*told, *naming], [*paragraphs(told, between="\n"), *map(context, naming)])


def _help_for_all() -> Json:
    tray_line = f"`{COMMAND}` shows what is open, with buttons for the next steps."
    lines = [tray_line, *(f"`{escape(verb.usage)}` {verb.summary}." for verb in VERBS)]
    return _message(
        [*lines, escape(NAMING)],
        [*paragraphs(lines, between="\n"), context(escape(NAMING)), *actions([_declare_button()])],
    )
