"""The answers to commands: the new state of the incident, and its next steps. Pure.

Like every view, each function takes values and returns the keyword arguments of a Slack call:
``text`` tells the whole story by itself, ``blocks`` only arrange it. ``at`` is the present moment.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from bot.slack import channels, withdrawn
from bot.slack.blocks import Json, actions, button, message, paragraphs
from bot.slack.buttons import (
    channel_buttons,
    end_of,
    no_promise_button,
    offer,
    private_button,
    promise_button,
    public_button,
    report_button,
    resolution_select,
    sure_button,
    ways_back,
)
from bot.slack.cards import card_for_you, remarks
from bot.slack.markup import channel_link, escape, mention, moment, shown
from bot.slack.pressed import encode
from bot.slack.verbs import COMMAND
from bot.slack.words import (
    about,
    capitalized,
    component_lines,
    in_words,
    next_update,
    owned_by,
    places_left,
    readers_in_public,
    readers_see,
    status_name,
    still_held,
)
from core.boards import Card
from core.decision import Outcome
from core.incident import OPENED, Incident, Kind, Section, Update, Visibility
from core.lifecycle import PublicWord
from core.promise import Promise
from core.times import duration

# A title right after a sentence about one of these would look like a part of it: "INC-1 has a new
# description: Checkout is down." A new title names itself.
NOT_BEFORE_A_TITLE = frozenset(
    {
        Kind.TITLE,
        Kind.DESCRIPTION,
        Kind.REPORTED,
        Kind.RESOLUTION,
    }
)


def answer(
    outcome: Outcome,
    *,
    at: datetime,
    reader: str | None = None,
    secluded: bool = False,
    beside_card: bool = False,
) -> Json:
    """The answer to a command of the person ``reader``: the new state, and the next steps.

    ``secluded``: it was given in a private conversation, where a declaration is private.
    ``beside_card``: it was a click on a card, which has the title and the buttons.
    """
    if outcome.before is None:
        return declared(outcome, at=at, secluded=secluded)
    if beside_card:
        return _beside_card(outcome, reader=reader)
    if outcome.changed:
        return changed(outcome, reader=reader)
    return unchanged(outcome, at=at, reader=reader)


def _beside_card(outcome: Outcome, *, reader: str | None) -> Json:
    """One sentence with the new state and the next steps; then the readers of what was written.

    It has buttons only for what no card offers, such as to take a text back.
    """
    incident = outcome.incident
    if outcome.redacted:
        told = list(
            _new_state(outcome, reader) if outcome.changed else withdrawn.already(outcome, reader)
        )
        told += [f"{capitalized(steps)}." for steps in _next(outcome)]
    else:
        facts = [fact for _, fact in _new_facts(outcome, reader)]
        facts = facts or [f"Nothing had to change: {_status_and_owner(incident)}"]
        told = [f"{_in_one_sentence(incident, [*facts, *_next(outcome)])}."]
    told += _readers(outcome)
    return message(told, [*paragraphs(told), *actions(list(_offered(outcome)))])


def _in_one_sentence(incident: Incident, facts: Sequence[str]) -> str:
    """``facts`` in a row. Only the first, or one with the incident's name, has a capital."""
    first, *others = facts
    named = [one if one.startswith(incident.name) else one[0].lower() + one[1:] for one in others]
    return "; ".join([first, *named])


def _next(outcome: Outcome) -> Iterator[str]:
    """The next steps; where there are none, the end, if this change has reached it."""
    if not outcome.incident.terminal:
        yield f"next: {in_words(outcome.incident.next_steps)}"
    elif _has_moved(outcome):
        yield "that is the end of its lifecycle"


def _has_moved(outcome: Outcome) -> bool:
    return outcome.before is not None and outcome.before.status != outcome.incident.status


def declared(outcome: Outcome, *, at: datetime, secluded: bool = False) -> Json:
    """The answer to a declaration; for a private one that no channel may show, the card."""
    incident = outcome.incident
    told = []
    if incident.private and secluded:
        because = "because it was declared in a private conversation"
        told = [f"{incident.name} is private, {because} (`--public` declares in public)."]
    if incident.card_channel is None and (incident.private or incident.place is None):
        last = Card(incident=incident, last=outcome.updates[-1])
        card = card_for_you(last, at=at, reader=incident.declared_by.id, named=bool(told))
        if not incident.private:
            told = [f"{incident.name} is declared. You get its card as a direct message, too."]
            told += _sees_declaration(outcome)
        told += _began(incident)
        offered = [] if incident.private else [private_button(incident)]
        if incident.private and secluded:
            offered = [public_button(incident)]
        head = [*paragraphs(told), *(actions(offered) if offered else [])]
        return message([*told, card["text"]], [*head, *card["blocks"]])
    status = status_name(incident.status)
    told.append(about(f"{incident.name} is declared (*{status}*, {incident.severity})", incident))
    told += [*_began(incident), *_affects(incident)]
    if incident.private:
        told += remarks(incident, reader=incident.declared_by.id, named=secluded)
        return offer(told, incident, [public_button(incident)] if secluded else [])
    return offer([*told, *_sees_declaration(outcome)], incident, [private_button(incident)])


def _began(incident: Incident) -> Iterator[str]:
    """The start, if somebody named one."""
    if incident.started_at != incident.created_at:
        began = moment(incident.started_at, seen_from=incident.created_at)
        before = duration(incident.created_at - incident.started_at)
        yield f"It started {began}, {before} before you declared it."


def _affects(incident: Incident) -> Iterator[str]:
    """The components that the declaration named."""
    if incident.components:
        yield f"It affects {_component_names(incident)}."


def _component_names(incident: Incident) -> str:
    pointer = f"`{COMMAND} show {incident.number}` names them"
    lines = component_lines(incident.components, "", most=900, more=pointer)
    return lines[0] if lines else "no component"


def _sees_declaration(outcome: Outcome) -> Iterator[str]:
    """The sentence about the public readers of a new incident; none without any."""
    incident, readers = outcome.incident, _readers_in_public(outcome)
    if incident.private or readers is None:
        return
    told = f"{readers} sees its title, status and severity"
    if held := incident.title_public_at:
        wait = _seconds(held - incident.created_at)
        told += f" in {wait}; until then you can make it private"
    yield f"{told}."


def changed(outcome: Outcome, *, reader: str | None = None) -> Json:
    """The answer to a change: the new state, and the readers of each text."""
    incident = outcome.incident
    held = [still_held(outcome.held)] if outcome.held else []
    told = [*_new_state(outcome, reader), *_readers(outcome), *held]
    return offer(told, incident, list(_offered(outcome)), has_moved=_has_moved(outcome))


def _offered(outcome: Outcome) -> Iterator[Json]:
    """Buttons about the change: what is still held back, and how the incident ended."""
    incident, before = outcome.incident, outcome.before
    if outcome.redacted and withdrawn.promise_left(outcome.redacted, incident):
        yield promise_button(incident)
        yield no_promise_button(incident, outcome.redacted.entry)
    for update in outcome.updates:
        if update.next_update_by:
            yield promise_button(incident)
            yield no_promise_button(incident, update.entry)
        if update.kind is Kind.PRIVACY and not incident.private:
            yield private_button(incident)
        elif update.kind is Kind.REPORTED and update is outcome.updates[0]:
            yield report_button(incident)
        elif update.public_at:
            yield from ways_back(incident, update)
    if outcome.held:
        yield from ways_back(incident, outcome.held)
    ended = incident.terminal or incident.public_word is PublicWord.RESOLVED
    if ended and before and before.status != incident.status and incident.resolution is None:
        yield report_button(incident)
        yield resolution_select(incident)


def unchanged(outcome: Outcome, *, at: datetime, reader: str | None = None) -> Json:
    """The answer to a command that changed nothing because its result was true already."""
    incident = outcome.incident
    if outcome.redacted:
        return offer(list(withdrawn.already(outcome, reader)), incident)
    told = ["Nothing had to change.", about(_status_and_owner(incident), incident)]
    first, since = incident.acknowledged_by, outcome.acknowledged_at
    if first and since:
        told.append(f"{mention(first)} acknowledged it first, {moment(since, seen_from=at)}.")
    if outcome.held:
        back = list(ways_back(incident, outcome.held))
        return offer([*told, still_held(outcome.held)], incident, back)
    return offer(told, incident)


def promise_left(incident: Incident, present: Promise | None, *, at: datetime) -> Json:
    """The answer to the dialog of a promise that was sent untouched; ``present`` is in force."""
    promise = f"{incident.name} has no promise of a next update"
    if present is not None:
        told = next_update(present.due_at, seen_from=at, overdue=present.due_at < at)
        promise = f"{told} on {incident.name}"
    return offer(["Nothing was changed.", about(promise, incident)], incident)


def _status_and_owner(incident: Incident) -> str:
    status = f"*{status_name(incident.status)}* ({incident.severity})"
    return f"{incident.name} is {status}, and owned by {owned_by(incident)}"


def asks_before_the_end(incident: Incident, to: str) -> Json:
    """The question after a choice in a menu that would end the incident."""
    told = [
        f"{incident.name} is *{status_name(incident.status)}*.",
        end_of(incident, to) or f"Should it become {status_name(to)}?",
        "Your click changed nothing yet.",
    ]
    return message(told, [*paragraphs(told), *actions([sure_button(incident, to)])])


def asks_to_move_the_channel(now: str, asked: str) -> Json:
    """The question before ``asked`` takes the place of the status channel ``now``."""
    old, new = channel_link(now), channel_link(asked)
    told = [
        f"{old} is the status channel, and open incidents have their cards there.",
        "Nothing was changed.",
        f"\nMove it to {new}? Each open incident then gets a card in {new} with its next change,",
        f"and its public updates follow there. The cards in {old} stay.",
    ]
    return message(told, [*paragraphs(told), *actions(channel_buttons(now, asked))])


def status_channel_refused(now: str | None, asked: str, problem: str) -> Json:
    """The answer to ``setup`` with a channel that takes no post; ``problem`` completes it."""
    stays = f"{channel_link(now)} stays the status channel." if now else "Nothing was changed."
    told = [f"{channel_link(asked)} {problem}.", stays]
    settings = button("All settings…", action_id="setup", value=encode("setup"))
    return message(told, [*paragraphs(told), *actions([settings])])


def status_channel_set(channel: str, *, also: str = "") -> Json:
    """The answer to ``setup``; ``also`` says, in markup, what has changed beside that."""
    link = channel_link(channel)
    told = [
        f"{link} is the status channel now.",
        "Every incident that is not private gets a card there, and public updates in its thread.",
        *([also] if also else []),
    ]
    return message(told, paragraphs(told))


def _new_state(outcome: Outcome, reader: str | None) -> Iterator[str]:
    yield from withdrawn.now(outcome, reader)
    incident = outcome.before or outcome.incident
    facts = list(_new_facts(outcome, reader))
    for place, (update, fact) in enumerate(facts):
        titled = place == 0 and update.kind not in NOT_BEFORE_A_TITLE
        yield about(fact, incident) if titled else f"{fact}."
    if facts and facts[0][0].kind in NOT_BEFORE_A_TITLE - {Kind.TITLE}:
        yield f'{incident.name} is called "{escape(incident.title)}".'


def _new_facts(outcome: Outcome, reader: str | None) -> Iterator[tuple[Update, str]]:
    """Each changed fact as a sentence without its full stop, with its update."""
    updates = [update for update in outcome.updates if not update.passed]
    for update in updates:
        name = outcome.incident.name if update is updates[0] else "It"
        yield from ((update, fact) for fact in _changes(update, name, outcome, reader))


def _changes(  # noqa: C901, PLR0912 - one case for each kind
    update: Update, name: str, outcome: Outcome, reader: str | None
) -> Iterator[str]:
    """The changes that ``update`` records, as sentences without a full stop.

    ``name`` is their subject. The first update has one sentence at least.
    """
    incident = outcome.incident
    if update.status_change:
        before = outcome.before.status if outcome.before else update.old or ""
        now, was = status_name(update.status_change), status_name(before)
        yield f"{name} is now *{now}* (was {was}){_resolved_after(outcome, update)}"
    passed = [status_name(one.new or "") for one in outcome.updates if one.passed]
    if update.status_change and passed:
        yield f"It passed {', '.join(passed)} on the way"
    match update.kind:
        case Kind.PRIVACY | Kind.INVITED | Kind.UNINVITED:
            yield from _new_readers(update, name, outcome, reader)
        case Kind.PROMISED:
            yield from _new_promise(update, name, outcome, reader)
        case Kind.RESOLUTION:
            yield f"The resolution of {name} is *{update.new}*, which only responders read"
        case Kind.REPORTED:
            verb = "is written" if update.body is not None else "is emptied"
            yield f"The section {Section(update.new or '').words} of {incident.name} {verb}"
        case Kind.ACKNOWLEDGED if not update.status_change:
            yield f"{name} is acknowledged, and stays *{status_name(incident.status)}*"
        case Kind.WROTE | Kind.CORRECTED if update is outcome.updates[0]:
            yield f"{name} stays *{status_name(incident.status)}*"
        case Kind.ASSIGNED | Kind.DECLINED:
            was = shown(update.old or "nobody", 300)
            yield f"{name} is now owned by {owned_by(incident)} (was {was})"
        case Kind.TOOK_OVER:
            yield f"{name} is yours"
        case Kind.CHANNEL if update.new == OPENED:
            yield f"{name} gets a channel of its own, and its card will link to it"
            yield from _invited_to_channel(incident)
        case Kind.CHANNEL:
            yield f"The channel of {name} stays, and is not archived"
        case Kind.SEVERITY:
            yield f"{name} now has the severity *{update.new}* (was {update.old})"
        case Kind.TITLE:
            now, was = escape(incident.title), escape(update.old or "")
            yield f'{name} is now called "{now}" (was "{was}")'
        case Kind.DESCRIPTION:
            yield f'{name} now has the description "{shown(incident.description or "", 300)}"'
            yield f"{readers_see(incident, reader=reader)} it; it is never public"
        case Kind.COMPONENTS:
            yield f"{name} now affects {_component_names(incident)}"
    if update.kind is Kind.ACKNOWLEDGED and outcome.before and outcome.before.owner is None:
        yield f"{owned_by(incident)} owns it now"


def _invited_to_channel(incident: Incident) -> Iterator[str]:
    if incident.private:
        yield f"It is private, and so is the channel: {channels.PRIVATE_PEOPLE} are invited"
    else:
        yield "Its owner, its declarer and the responders are invited"


def _new_promise(update: Update, name: str, outcome: Outcome, reader: str | None) -> Iterator[str]:
    incident, before = outcome.incident, outcome.before or outcome.incident
    if due_at := update.next_update_by:
        yield f"{name}: the next update is promised by {moment(due_at, seen_from=update.at)}"
    else:
        was = before.next_update_by
        of = f" of {moment(was, seen_from=update.at)}" if was else ""
        yield f"{name}: the promise{of} is released"
    if incident.private:
        yield f"{readers_see(incident, reader=reader)} that: {name} is private"


def _new_readers(update: Update, name: str, outcome: Outcome, reader: str | None) -> Iterator[str]:
    incident, before = outcome.incident, outcome.before or outcome.incident
    people = readers_see(incident, reader=reader)
    match update.kind:
        case Kind.INVITED:
            yield f"{name} is shown to {escape(update.new or '')} from now on"
        case Kind.UNINVITED:
            yield f"{escape(update.old or '')} is no longer invited to {name}"
            yield f"{people} it"
        case _ if incident.private:
            yield f"{name} is private now"
            yield f"{people} it"
            if before.public_title(update.at) is None:
                yield "Nothing of it was published"
            else:
                if left := places_left(outcome.workspace, outcome.places):
                    yield f"It leaves {left}"
                yield "Its posts in public channels are being replaced"
        case _:
            yield f"{name} is public now" if not update.public_at else f"{name} will be public"
            where = _readers_in_public(outcome) or "Everyone in this workspace"
            wait = update.public_at and _seconds(update.public_at - update.at)
            yield f"{where} sees it" + (
                f" in {wait}; until then you can make it private again" if wait else ""
            )


def _resolved_after(outcome: Outcome, update: Update) -> str:
    incident, before = outcome.incident, outcome.before
    if incident.public_word is not PublicWord.RESOLVED or incident.public_word is (
        before and before.public_word
    ):
        return ""
    return f", after {duration(update.at - incident.started_at)}"


def _readers(outcome: Outcome) -> Iterator[str]:
    texts = [update for update in outcome.updates if update.kind is not Kind.DESCRIPTION]
    written = {update.visibility: update for update in texts if update.body is not None}
    readers = _readers_in_public(outcome)
    public = written.get(Visibility.PUBLIC)
    if public and readers:
        told = f"{readers} will read your public update"
        if public.public_at:
            seconds = _seconds(public.public_at - public.at)
            told += f" in {seconds}; until then you can take it back"
        yield f"{told}."
        yield from _in_place_of(public)
    elif public:
        yield "No channel shows your public update: the incident passes no filter of theirs."
        yield from _in_place_of(public)
    for update in outcome.updates:
        if update.next_update_by and update.kind is not Kind.PROMISED:
            by = moment(update.next_update_by, seen_from=update.at)
            yield f"It promises the next one by {by}."
        if update.kind is Kind.TITLE and update.public_at and readers:
            wait = _seconds(update.public_at - update.at)
            told = f"{readers} will read the new title in {wait}"
            yield f"{told}; until then you can take it back."
    if any(update.kind is Kind.REPORTED for update in outcome.updates):
        yield "The report is kept private."
    elif private := written.get(Visibility.INTERNAL):
        text = "reason" if private.kind is Kind.PROMISED else "note"
        yield f"Your {text} is kept private."


def _in_place_of(public: Update) -> Iterator[str]:
    if public.kind is Kind.CORRECTED:
        replaced = f"your text in entry {public.old}"
        yield f"It stands in place of {replaced}, and is the only one that can."


def _readers_in_public(outcome: Outcome) -> str | None:
    """The readers of what is public, as the beginning of a sentence; None without any."""
    readers = readers_in_public(outcome.workspace, outcome.places)
    return readers and capitalized(readers)


def _seconds(span: timedelta) -> str:
    """``10 seconds``, not ``10 s``: the author counts them down."""
    seconds = int(span.total_seconds())
    return "1 second" if seconds == 1 else f"{seconds} seconds"
