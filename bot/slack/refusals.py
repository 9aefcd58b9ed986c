"""Refusals: the incident's status, and the possible steps as buttons. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import assert_never

from bot.slack.blocks import (
    Json,
    actions,
    message,
    paragraphs,
)
from bot.slack.buttons import (
    ask_private_button,
    board_button,
    choice,
    declare_button,
    end_of,
    every_step,
    follow_up_button,
    offer,
    promise_button,
    report_button,
    step_button,
    subscriptions_button,
    sure_button,
    timeline_button,
    walk_button,
    withdraw_button,
)
from bot.slack.lists import incident_row
from bot.slack.markup import (
    escape,
    mention,
    moment,
    shown,
)
from bot.slack.requests import (
    Question,
    UsageError,
)
from bot.slack.verbs import COMMAND
from bot.slack.words import WALKS, in_words, status_name
from bot.ways import in_slack
from core.denials import Denied, Permission
from core.errors import UserError
from core.incident import (
    Incident,
    Kind,
)
from core.missing import NoSuchEntry, NotFound, NotSubscribed, WhichIncident
from core.refusals import (
    AlreadyPublic,
    ChannelArchived,
    CurrentTitle,
    IncidentResolved,
    NoChannels,
    NotAsked,
    NothingToRedact,
    NotOver,
    PossibleLeak,
    PromiseOver,
    RedactionNotPermitted,
    SeveralNextSteps,
    StaleStatus,
    TooSoon,
    TransitionNotAllowed,
    UnknownStatus,
)
from core.times import duration


def refusal(  # noqa: C901, PLR0911, PLR0912 - one case for each class of error
    error: UserError, *, at: datetime, reader: str = ""
) -> Json:
    """The answer to a refused command: the incident's status, and the possible steps.

    ``reader`` is the id of the person who reads it.
    """
    match error:
        case TransitionNotAllowed():
            return _not_allowed(error)
        case IncidentResolved(incident=incident, asked=asked):
            wanted = f" You asked for {status_name(asked)}." if asked else ""
            told = [
                f"{incident.name} is *{status_name(incident.status)}*.{escape(wanted)}",
                "That is the end of its lifecycle: it takes no further updates.",
                "Write what you have learned since into its report.",
                "If it is happening again, declare a new incident.",
            ]
            offered = [timeline_button(incident), report_button(incident)]
            return _refused(told, [*offered, follow_up_button(incident)])
        case TooSoon(incident=incident, asked=asked):
            told = [
                f"{incident.name} is *{status_name(incident.status)}*.",
                "Your click followed another one at once, and changed nothing.",
                end_of(incident, asked) or f"Should it become {status_name(asked)} as well?",
            ]
            return _refused(told, [sure_button(incident, asked)])
        case StaleStatus():
            return _stale(error, at=at, reader=reader)
        case UnknownStatus():
            return _unknown_status(error)
        case SeveralNextSteps(incident=incident):
            told = [
                f"{incident.name} is *{status_name(incident.status)}* and has several next steps."
            ]
            return choice(told, "Choose one", incident, every_step(incident))
        case WhichIncident(open_here=open_here):
            return _which(error, open_here, at=at)
        case (
            NotOver(incident=incident)
            | NotAsked(incident=incident)
            | NoChannels(incident=incident)
            | ChannelArchived(incident=incident)
        ):
            return offer([escape(error.told(in_slack))], incident)
        case PromiseOver(incident=incident) if incident.next_update_by:
            by = moment(incident.next_update_by, seen_from=at)
            told = [
                f"The next update of {incident.name} is promised by {by} now.",
                "That promise was changed already.",
                "Your click changed nothing.",
            ]
            return _refused(told, [promise_button(incident)])
        case NotSubscribed():
            return _refused([escape(error.told(in_slack))], [subscriptions_button()])
        case NotFound():
            return _refused([escape(error.told(in_slack))], [board_button()])
        case (
            NoSuchEntry(incident=incident)
            | NothingToRedact(incident=incident)
            | CurrentTitle(incident=incident)
        ):
            return _refused([escape(error.told(in_slack))], [timeline_button(incident)])
        case RedactionNotPermitted(incident=incident, update=update):
            entry = f"Entry {update.entry} of {incident.name}"
            author = f"by {mention(update.by)} within 5 minutes of writing it"
            told = [
                f"{entry} can be withdrawn {author}, and by a workspace admin at any time.",
                "Ask an admin.",
            ]
            return _refused(told)
        case AlreadyPublic():
            return _already_public(error, at=at)
        case PossibleLeak():
            return _refused(list(_possible_leak(error)))
        case Denied():
            return _refused(list(denied(error)))
        case UsageError():
            return _refused(list(_slip(error)))
        case Question():
            # Nothing that was meant is possible.
            usage = f"\nUsage: `{escape(error.usage)}`" if error.usage else ""
            return _refused([escape(error.problem) + usage])
        case _:
            # InvalidField, EmptyUpdate, UnknownLifecycle, UnknownComponent and NoPublicSurface need
            # no button: their messages say the text to write instead.
            return _refused([escape(error.told(in_slack))])


def _refused(told: Sequence[str], buttons: Sequence[Json] = ()) -> Json:
    return message(told, [*paragraphs(told), *actions(buttons)])


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
        back = bool(incident.lifecycle.path(asked, incident.status))
        way = "go back to" if back else "become"
        told = [
            f"{now}.",
            f"It can't {way} {status_name(asked)}: incidents only move forward.",
        ]
    one = len(incident.next_steps) == 1
    label = "Take the next one" if one and path else "Next" if one else "Choose the next one"
    walk = [walk_button(incident, error.path)] if len(path) > 1 and asked != incident.status else []
    return choice(told, label, incident, [*every_step(incident), *walk])


def _stale(error: StaleStatus, *, at: datetime, reader: str) -> Json:
    incident, moved = error.incident, error.moved
    to = f"{incident.name} to *{status_name(incident.status)}*"
    span = at - moved.at
    told = f"{mention(moved.by)} moved {to} {duration(span)} before you."
    if moved.by.id == reader:
        ago = duration(span) if span >= timedelta(minutes=1) else "a moment"
        told = f"You already moved {to} {ago} ago."
    return offer([told, "Your click changed nothing."], incident, has_moved=True)


def _unknown_status(error: UnknownStatus) -> Json:
    incident, meant = error.incident, error.suggestion
    asked = f'There is no status "{shown(str(error.asked), 80)}" in this lifecycle.'
    statuses = [status.name for status in incident.lifecycle.statuses]
    listed = ", ".join(f"{s} (now)" if s == incident.status else s for s in statuses)
    ends = [status.name for status in incident.lifecycle.statuses if status.terminal]
    if error.asked in WALKS:
        # A verb that this lifecycle has no status for: its own end is offered instead.
        paths = [incident.lifecycle.path(incident.status, end) for end in ends]
        walks = [walk_button(incident, path) for path in paths if len(path) > 1]
        without = f"{incident.name} has no status *{status_name(str(error.asked))}*"
        told = [f"{without}: its lifecycle ends with {in_words(ends)}."]
        return choice(told, "Next", incident, [*every_step(incident), *walks])
    told = [asked, *([f"Did you mean *{meant}*?"] if meant else [])]
    told.append(f"\nStatuses of {incident.name}: {listed}.")
    buttons = every_step(incident)
    if meant in incident.next_steps:
        buttons = [step_button(incident, meant)]
    return _refused(told, buttons)


def _which(error: WhichIncident, open_here: Sequence[Incident], *, at: datetime) -> Json:
    each = partial(incident_row, at=at, responds=error.responds)
    rows = [block for incident in open_here for block in each(incident)]
    told = [escape(error.told(in_slack))]
    offered = [board_button(), *([declare_button()] if error.responds else [])]
    return message(told, [*paragraphs(told), *rows, *actions(offered)])


def _already_public(error: AlreadyPublic, *, at: datetime) -> Json:
    incident, entry = error.incident, error.entry
    since = moment(error.since, seen_from=at)
    if entry is None:
        told = [f"{incident.name} has been public since {since}.", "Nothing was changed."]
        return _refused(told, [ask_private_button(incident)])
    text = "That title" if entry.kind is Kind.TITLE else "That text"
    told = [f"{text} of {incident.name} has been public since {since}.", "Nothing was changed."]
    return _refused(told, [withdraw_button(incident, entry)])


# More places than these are only counted.
PLACES_SHOWN = 5


def _possible_leak(error: PossibleLeak) -> Iterator[str]:
    yield f"{error.happened}."
    subject = "Your title, which is public," if error.title else "Your text"
    subject = "What becomes public" if error.opening else subject
    yield f"{subject} may hold what is not for the public:"
    for one in error.findings[:PLACES_SHOWN]:
        place = shown(error.text[one.start : one.end], 80)
        yield f'\n• "{place}": {one.kind.words}'
    if (more := len(error.findings) - PLACES_SHOWN) > 0:
        yield f"\n… and {more} more."
    if error.incident is None:
        yield "\nDeclare it as it is, edit it, or declare it private."
    elif error.opening:
        yield "\nPublish it as it is, change it first, or keep the incident private."
    elif error.title:
        yield "\nUse it as it is, edit it, or keep it as a note."
    else:
        yield "\nPublish it as it is, change it, or keep it as a note."


def denied(error: Denied) -> Iterator[str]:
    """The sentences of a denial: who may do it, and who can help."""
    groups, owner = error.actor.groups, error.helper
    match error.permission:
        case Permission.JOIN:
            yield "Only full members of this workspace may use Ratchet."
            yield "Ask somebody of the team to do it for you."
            return
        case Permission.RESPOND:
            group, role = groups.responders, "responders"
            reads = "may read notes, reports and figures"
            act = reads if error.reads else "may work on incidents"
        case Permission.PUBLISH:
            group = groups.publishers or groups.responders
            role, act = "publishers", "may post public updates"
        case Permission.ADMINISTER:
            yield "Only workspace admins may do that."
            yield "Ask one of them."
            return
        case _:
            assert_never(error.permission)
    if group in groups.gone:
        yield f"Only {role} {act}, and their user group is deleted in Slack."
        yield f"A workspace admin chooses another one with `{COMMAND} setup`."
        return
    members = f"<!subteam^{group}>" if group else role
    yield f"Only {members} {act}."
    yield f"Ask {mention(owner)} (owner) or one of them." if owner else "Ask one of them."


def _slip(error: UsageError) -> Iterator[str]:
    yield escape(error.problem)
    if error.suggestion:
        yield f"Did you mean {escape(error.suggestion)}?"
    if error.hint:
        yield escape(error.hint)
    if error.usage:
        yield f"\nUsage: `{escape(error.usage)}`"


def failure(reference: str, *, unsure: bool = False) -> Json:
    """The answer after an error of ours, which the log has under ``reference``.

    ``unsure``: the database was lost during the commit, and may have kept the change.
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
    return message(told, paragraphs(told))
