"""Words that several views share, for statuses, updates, owners and components. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import assert_never

from bot.slack.markup import (
    TEXT_MAX,
    channel_link,
    escape,
    mention,
    moment,
    shown,
)
from core.audience import (
    Audience,
    ReaderGroup,
    audience,
    audience_of_declaration,
    note_audience,
)
from core.incident import (
    OPENED,
    Component,
    Incident,
    Kind,
    Person,
    Place,
    Section,
    Severity,
    Update,
    Visibility,
)
from core.lifecycle import PublicWord
from core.texts import listed, one_line
from core.workspace import Workspace

# Shown beside the words, never instead of them.
_DOTS = {
    Severity.CRITICAL: "🔴",
    Severity.HIGH: "🟠",
    Severity.MEDIUM: "🟡",
    Severity.LOW: "🔵",
}
_RESOLVED_DOT = "🟢"
PRIVATE, PUBLIC = "🔒", "📣"
# So many channels are named as readers.
PLACES_MAX = 5
_PAGE = "the status page"
RESPONDERS = "Responders only. Never leaves this workspace."
NOTES = "Responders only; of a private incident, those who see it. Never leaves this workspace."
NEVER_PUBLIC = "It is never public."
DESCRIPTION = f"Everyone who sees the incident reads this. {NEVER_PUBLIC}"
TITLE = "This is public, unless the incident is private."
WITHDRAWN = "This update was withdrawn."
# What everybody reads of an incident that nobody has written a public update about.
PUBLIC_SIDE = "its title, severity, status, components and times"


def dot(severity: Severity, word: PublicWord) -> str:
    """The coloured dot of an incident: its severity, and green once it is resolved."""
    return _RESOLVED_DOT if word is PublicWord.RESOLVED else _DOTS[severity]


def status_word(status: str) -> str:
    """``in_progress`` as people read it in a sentence: ``in progress``."""
    return status.replace("_", " ")


def status_name(status: str) -> str:
    """``in_progress`` as a label: ``In progress``."""
    return status_word(status).capitalize()


# The verb for a status, on the button of a walk to it; other statuses are named.
WALKS = {"resolved": "Resolve", "closed": "Close"}


def walk_label(path: Sequence[str]) -> str:
    """The label of a button for all steps of ``path``."""
    to = path[-1]
    return f"{WALKS.get(to, f'Move to {status_name(to)}')}: {len(path)} steps…"


def in_words(words: Sequence[str]) -> str:
    """The statuses ``words``, listed in a sentence."""
    return ", ".join(status_word(word) for word in words)


def titled(incident: Incident) -> str:
    """``INC-42 Checkout is down``, escaped: at most 1,290 characters."""
    return f"{incident.name} {escape(incident.title)}"


def untitled(incident: Incident) -> str:
    """``INC-42 (*Identified*, high)``: the incident in a message that is never edited.

    It names no title: the incident may become private, or its title be withdrawn, after the post.
    """
    return f"{incident.name} (*{status_name(incident.status)}*, {incident.severity})"


def named(incident: Incident) -> str:
    """``INC-42``, as a link to its working card once Slack has that."""
    address = incident.card_link
    return f"<{escape(address)}|{incident.name}>" if address else incident.name


def way_to_card(incident: Incident) -> list[str]:
    """``Card: INC-42 in #ops``, the line that leads to the working card; no line without one."""
    if incident.card_link is None or incident.card_channel is None:
        return []
    return [f"Card: {named(incident)} in {channel_link(incident.card_channel)}"]


def about(sentence: str, incident: Incident) -> str:
    """``sentence``, without its full stop, and then the title.

    A title is a sentence that people wrote, so it is never the subject of one of ours.
    """
    end = "" if incident.title.endswith((".", "!", "?", "…")) else "."
    return f"{sentence}: {escape(incident.title)}{end}"


def component_lines(
    components: Sequence[Component], label: str = "Components: ", *, most: int, more: str = ""
) -> list[str]:
    """``Components: A, B``, in lines that fit into a section; no line without any.

    Names beyond ``most`` characters are counted, and ``more`` says where they are named.
    """
    lines: list[str] = []
    room = most
    for index, component in enumerate(components):
        name = escape(component.name)
        room -= len(name) + 2
        if room < 0 and index:
            lines[-1] += f" and {len(components) - index} more" + (f" ({more})" if more else "")
            break
        if lines and len(lines[-1]) + len(name) < TEXT_MAX - 200:
            lines[-1] += f", {name}"
        else:
            lines.append(name if lines else f"{label}{name}")
    return lines


def deed(  # noqa: C901, PLR0911, PLR0912 - one case for each kind
    update: Update,
) -> str:
    """An update as a sentence about its author: ``@mia acknowledged``."""
    author = mention(update.by)
    old, new = update.old or "", update.new or ""
    match update.kind:
        case Kind.DECLARED:
            return f"{author} declared it"
        case Kind.MOVED:
            return f"{author} moved it: ~{status_name(old)}~ → {status_name(new)}"
        case Kind.ACKNOWLEDGED if new:
            return f"{author} acknowledged: ~{status_name(old)}~ → {status_name(new)}"
        case Kind.ACKNOWLEDGED:
            return f"{author} acknowledged"
        case Kind.WROTE | Kind.CORRECTED | Kind.TITLE if update.taken_back:
            text = "new title" if update.kind is Kind.TITLE else "public update"
            return f"{mention(update.redacted_by or update.by)} took a {text} back"
        case Kind.WROTE if update.visibility is Visibility.PUBLIC:
            # While it is held back, it is written and not posted.
            since = ", withdrawn since" if update.redacted else ""
            return f"{author} wrote a public update{since}"
        case Kind.WROTE:
            return f"{author} wrote a note"
        case Kind.ASSIGNED if new:
            was = f" (was {shown(old, 300)})" if old else ""
            return f"{author} made {shown(new, 300)} the owner{was}"
        case Kind.ASSIGNED:
            return f"{author} left it without an owner (was {shown(old, 300)})"
        case Kind.TOOK_OVER:
            return f"{author} took it"
        case Kind.DECLINED:
            return f"{author} did not take it: {shown(new or 'nobody', 300)} owns it now"
        case Kind.SEVERITY:
            return f"{author} changed the severity: ~{old}~ → {new}"
        case Kind.TITLE:
            return f"{author} changed the title"
        case Kind.DESCRIPTION:
            return f"{author} changed the description"
        case Kind.COMPONENTS:
            return f"{author} changed the components"
        case Kind.PRIVACY:
            return f"{author} made it {new}"
        case Kind.INVITED:
            return f"{author} invited {shown(new, 300)}"
        case Kind.UNINVITED:
            return f"{author} took the invitation of {shown(old, 300)} back"
        case Kind.CORRECTED:
            since = ", withdrawn since" if update.redacted else ""
            return f"{author} replaced a withdrawn public update{since}"
        case Kind.RESOLUTION:
            return f"{author} named how it ended"
        case Kind.REPORTED:
            wrote = "wrote" if update.body is not None or update.redacted else "emptied"
            return f"{author} {wrote} the section {Section(new).words} of the report"
        case Kind.PROMISED if update.next_update_by:
            by = moment(update.next_update_by, seen_from=update.at)
            return f"{author} promised the next update by {by}"
        case Kind.PROMISED:
            return f"{author} released the promise of the next update"
        case Kind.CHANNEL:
            return f"{author} {'opened a' if new == OPENED else 'kept its'} channel"
        case _:
            assert_never(update.kind)


def done_at(update: Update) -> datetime:
    """The moment of the `deed`: that of taking a text back, not of writing it."""
    return update.redacted_at if update.taken_back and update.redacted_at else update.at


def next_update(due_at: datetime, *, seen_from: datetime, overdue: bool) -> str:
    """The sentence about a promise, without its full stop: ``Next update by 15:40``."""
    when = moment(due_at, seen_from=seen_from)
    return f"Next update was due {when}" if overdue else f"Next update by {when}"


def still_held(held_back: Update) -> str:
    """The sentence about an earlier text that its author can still take back: it names which."""
    if held_back.kind is Kind.DECLARED:
        return "You can still make it private before anybody reads it."
    name, text = "public update", held_back.body
    if held_back.kind is Kind.TITLE:
        name, text = "new title", held_back.new
    quoted = shown(one_line(text or ""), 80)
    return f'You can still take back your {name} "{quoted}" before anybody reads it.'


def owned_by(incident: Incident) -> str:
    """The owner, mentioned; ``nobody`` without one."""
    left = " (deactivated)" if incident.owner_left else ""
    return f"{mention(incident.owner)}{left}" if incident.owner else "nobody"


def severities(lowest: Severity | None, *, last: str = "and") -> str:
    """The severities from ``lowest`` up, in words: ``critical and high``; None: all of them."""
    if lowest in {None, Severity.LOW}:
        return "every severity"
    known = [one.value for one in Severity]
    return listed(known[: known.index(lowest) + 1], last=last)


def who_sees(incident: Incident, *, reader: str | None = None) -> str:
    """The people for whom ``incident`` exists, for a sentence; ``reader`` is called "you".

    It is made from `core.audience`, by which the policy decides.
    """
    readers = audience(incident)
    places = [channel_link(channel) for channel in readers.channels]
    here = f"people in {' or '.join(places)}" if places else ""
    return _listed(readers, reader=reader, named=mention, here=here)


def _listed(
    readers: Audience, *, reader: str | None, named: Callable[[Person], str], here: str
) -> str:
    """``readers`` for a sentence; ``here`` stands for the members of the private channel."""
    if ReaderGroup.EVERYONE in readers.groups:
        return "everyone in this workspace"
    known: dict[str, str] = {}
    for group in readers.groups:
        for person in readers.people.get(group, ()):
            name = "you" if person.id == reader else named(person)
            is_owner = group is ReaderGroup.OWNER and name != "you"
            known.setdefault(person.id, f"its owner {name}" if is_owner else name)
    words = sorted(known.values(), key=lambda word: word != "you")
    if ReaderGroup.CHANNEL in readers.groups:
        words.append(here)
    if ReaderGroup.OWNER in readers.groups and not readers.people[ReaderGroup.OWNER]:
        words.append("its owner")
    if ReaderGroup.ADMINS in readers.groups:
        words.append("workspace admins")
    if ReaderGroup.INVITED in readers.groups:
        words.append("whoever you invite")
    return f"{', '.join(words[:-1])} and {words[-1]}"


def insiders(incident: Incident, *, reader: str | None = None) -> str:
    """The sentence about the readers of a private incident, which names it."""
    return f"{readers_see(incident, reader=reader)} this: {incident.name} is private."


def readers_see(incident: Incident, *, reader: str | None = None) -> str:
    """The beginning of a sentence about the readers: ``You and workspace admins see``."""
    people = who_sees(incident, reader=reader)
    everyone = ReaderGroup.EVERYONE in audience(incident).groups
    return f"{people[0].upper()}{people[1:]} {'sees' if everyone else 'see'}"


def readers_in_public(workspace: Workspace, channels: Sequence[str] | None = None) -> str | None:
    """The readers of what is public: ``everyone in <#C0STATUS> and on the status page``.

    ``channels`` are those that show an incident; None: the filters of subscribed channels decide.
    The result is None if nobody could read it.
    """
    places = [f"{where} {place}" for where, place in _places(workspace, channels)]
    return f"everyone {listed(places)}" if places else None


def places_in_public(workspace: Workspace) -> str | None:
    """The places where something public is shown: ``<#C0STATUS> and the status page``."""
    places = [place for _, place in _places(workspace)]
    return listed(places) if places else None


def places_left(workspace: Workspace, channels: Sequence[str] | None) -> str | None:
    """The places that an incident leaves as it becomes private; None: it was in none.

    ``channels`` are those that showed it; None: that was not looked up.
    """
    places: list[str] = []
    for _, place in _places(workspace, channels):
        places += [place, "its feeds"] if place == _PAGE else [place]
    return listed(places) if places else None


def _places(
    workspace: Workspace, channels: Sequence[str] | None = None
) -> Iterator[tuple[str, str]]:
    """Each with the word before it."""
    status = workspace.status_channel
    known = channels if channels is not None else [status] if status else []
    more = len(known) - PLACES_MAX
    yield from (("in", channel_link(channel)) for channel in known[:PLACES_MAX])
    if more > 0:
        yield "in", f"{more} more channels"
    if workspace.subscriptions and channels is None:
        yield "in", "subscribed channels whose filter it passes"
    if workspace.page:
        yield "on", _PAGE
    if workspace.webhooks:
        yield "behind", "webhooks"


def public_hint(incident: Incident, workspace: Workspace) -> str | None:
    """The readers of a public text of ``incident``, in plain text; None if there are none."""
    if ReaderGroup.EVERYONE not in audience(incident).groups:
        return None
    places = _plain_places(workspace)
    return f"Everyone {places} will read this." if places else None


def _plain_places(workspace: Workspace) -> str | None:
    """The places where something public is shown, without Slack's markup; None if there are none.

    Such as ``in the status channel and on the status page``.
    """
    named = [
        (where, "the status channel" if place.startswith("<#") else place)
        for where, place in _places(workspace)
    ]
    return listed([f"{where} {place}" for where, place in named]) if named else None


def capitalized(words: str) -> str:
    """``words`` as the beginning of a sentence."""
    return words[:1].upper() + words[1:]


def fact_hint(incident: Incident, workspace: Workspace) -> str:
    """The readers of a title, a severity or a promise of ``incident``, in plain text.

    Where nothing is shown in public, these are the people who see the incident.
    """
    return public_hint(incident, workspace) or f"Read by {_plainly(audience(incident))}."


def description_hint(incident: Incident) -> str:
    """The readers of the description of ``incident``, in plain text."""
    return f"Read by {_plainly(audience(incident))}. {NEVER_PUBLIC}"


def note_hint(incident: Incident) -> str:
    """The readers of a note of ``incident``, in plain text."""
    readers = note_audience(incident)
    if ReaderGroup.EVERYONE in readers.groups:
        return RESPONDERS
    first, rest = RESPONDERS.split(".", 1)
    # A person who is named may be no responder: they see the incident, and no note.
    return (
        f"{first}, and of them only those who may see {incident.name}: {_plainly(readers)}.{rest}"
    )


def _plainly(readers: Audience, *, reader: str | None = None, here: str = "") -> str:
    """``readers`` without Slack's markup, for a hint in a dialog."""
    several = "s" if len(readers.channels) > 1 else ""
    here = here or f"people in the private channel{several} of its card"
    return _listed(readers, reader=reader, named=lambda person: person.name, here=here)


def declaration_hint(
    declarer: Person, place: Place | None, workspace: Workspace | None, *, secluded: bool
) -> str:
    """The readers of an incident, by the box ``Private`` of the dialog in which it is declared.

    Without a ``place`` its channel is chosen in the dialog, and may be a private one. ``workspace``
    None: nobody can say where it shows incidents in public.
    ``secluded``: the box is ticked already, because of the conversation.
    """
    private = audience_of_declaration(declarer, place, private=True)
    public = audience_of_declaration(declarer, place, private=False)
    insiders = _plainly(private, reader=declarer.id, here="people in this channel")
    if place is None:
        insiders += ", and people in the channel if it is a private one,"
    because = "It is ticked because this conversation is private. " if secluded else ""
    shown = _plain_places(workspace) if workspace else "where incidents are public"
    facts = f"; everyone {shown} will read {PUBLIC_SIDE}" if shown else ""
    return f"{because}Ticked: {insiders} see it. Not ticked: {_plainly(public)}{facts}."


def readers_of(update: Update) -> str:
    """The readers of the update's text, as a label."""
    public = update.visibility is Visibility.PUBLIC
    return f"{PUBLIC} public" if public else f"{PRIVATE} private"


def page_of(total: str, above: int, count: int) -> str:
    """The place of ``count`` rows below ``above`` others, ``11`` to ``20 of 31``, with a dash.

    ``3`` if these are all, ``31 of 31`` for a single row.
    """
    if f"{count}" == total:
        return total
    rows = f"{above + 1}\N{EN DASH}{above + count}" if count > 1 else f"{above + 1}"
    return f"{rows} of {total}"
