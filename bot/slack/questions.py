"""Questions and refusals that offer what was asked for: one button for each meaning. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from uuid import UUID

from bot.slack.arranged import OpenPage
from bot.slack.blocks import (
    LABEL_MAX,
    Json,
    actions,
    button,
    confirmation,
    context,
    message,
    option,
    paragraphs,
    section,
    select,
)
from bot.slack.boxes import Box, OpenBox
from bot.slack.buttons import board_value, confirm_end
from bot.slack.carrying import text_of
from bot.slack.markup import TEXT_MAX, clipped, cut, escape, pieces, shown
from bot.slack.pressed import Dialog, encode, subscribe_value
from bot.slack.requests import (
    AskPrivate,
    AssignTo,
    CatchUp,
    Choice,
    InviteUser,
    OpenAssign,
    OpenDeclare,
    OpenInvite,
    OpenNote,
    OpenPromise,
    OpenPublic,
    OpenReport,
    OpenSetup,
    OpenUpdate,
    OpenWalk,
    OpenWithdrawal,
    OtherIncidents,
    Question,
    Request,
    SendReport,
    Shorten,
    ShowBoard,
    ShowCard,
    ShowHelp,
    ShowNews,
    ShowReport,
    ShowStats,
    ShowTimeline,
)
from bot.slack.subscription_requests import (
    OpenSubscription,
    ShowSubscriptions,
    Subscribe,
    Unsubscribe,
)
from bot.slack.words import (
    TITLE,
    description_hint,
    fact_hint,
    note_hint,
    public_hint,
    severities,
    status_name,
    status_word,
)
from core.boards import BoardFilter
from core.commands import Acknowledge, Change, Declare, Redact, SetPromise, TakeNextStep
from core.incident import DeclaredText, Incident, Section
from core.promise import NextUpdate
from core.times import duration
from core.workspace import Workspace

# Slack takes 25 elements in one block of actions.
OFFERED_MAX = 20
# More buttons are a wall at night.
BUTTONS_MAX = 5
MAY_END = confirmation(
    "Do it?", "An end is for good: incidents only move forward.", yes="Yes, do it"
)
# Slack refuses messages with more than about 11,000 characters of text.
QUOTED_MAX = 8_000
QUOTE_MAX = TEXT_MAX - 4  # of one block, beside the sign of a quotation


@dataclass(frozen=True, slots=True)
class Offer:
    """A choice whose incident is known. ``incident`` None: it is about none."""

    choice: Choice
    incident: Incident | None = None

    @property
    def request(self) -> Request:
        """The request that the button makes."""
        return self.choice.request


def asked(told: str, quote: str, offers: Sequence[Offer], draft: UUID | None) -> Json:
    """The sentences ``told``, the whole text ``quote``, and a button for each of ``offers``.

    ``draft`` holds the requests that no button's value can hold; None: there is no draft, and only
    the other buttons are shown.
    """
    buttons = [
        _button(offer, label, place, value)
        for place, (offer, label) in enumerate(zip(offers, labels_of(offers), strict=True))
        if (value := value_of(offer) or (draft and encode("choose", draft, place)))
    ]
    labels = ", ".join(made["text"]["text"] for made in buttons)
    blocks = [*paragraphs([told])]
    sentences = [told]
    if quote:
        whole = cut(quote, QUOTED_MAX)
        blocks += [section("You typed:")]
        blocks += [section(f">>> {piece}") for piece in pieces(whole, QUOTE_MAX)]
        if whole != quote:
            left = len(quote) - len(whole)
            blocks.append(context(f"… and {left:,} more characters, which are kept, too."))
        sentences.append(f'You typed: "{shown(quote, 500)}".')
    if buttons:
        sentences.append(f"Choose: {escape(labels)}.")
    else:
        blocks += [context("Nothing was changed.")]
    return message(sentences, [*blocks, *actions(_in_a_row(buttons))])


def _in_a_row(buttons: Sequence[Json]) -> list[Json]:
    """At most `BUTTONS_MAX` of ``buttons``, and a select with the others."""
    if len(buttons) <= BUTTONS_MAX:
        return list(buttons)
    first, others = buttons[: BUTTONS_MAX - 1], buttons[BUTTONS_MAX - 1 :]
    options = [option(one["text"]["text"], one["value"]) for one in others]
    asked = [one["confirm"] for one in others if "confirm" in one]
    # Slack asks before all options of a select, or before none.
    extra = {"confirm": MAY_END} if asked else {}
    return [*first, select(options, action_id="choose:more", placeholder="Others", **extra)]


def problem_of(question: Question) -> str:
    """The sentences of a question and the line to type, escaped."""
    usage = f"\nUsage: `{escape(question.usage)}`" if question.usage else ""
    return f"{escape(question.problem)}{usage}"


def labels_of(offers: Sequence[Offer]) -> list[str]:
    """The labels of the buttons for ``offers``, all different.

    Labels that are the same get the names of their incidents, then the beginnings or the ends of
    their texts, then numbers.
    """
    labels = [_told_apart(offer, offers) for offer in offers]
    for more in (_with_name, _with_beginning, _with_end):
        shown = [clipped(label, LABEL_MAX) for label in labels]
        if len(set(shown)) == len(shown):
            break
        labels = [
            more(label, offer) if shown.count(one) > 1 else label
            for label, one, offer in zip(labels, shown, offers, strict=True)
        ]
    shown = [clipped(label, LABEL_MAX - 5) for label in labels]
    return [
        f"{one} ({shown[: place + 1].count(one)})" if shown.count(one) > 1 else label
        for place, (one, label) in enumerate(zip(shown, labels, strict=True))
    ]


def _told_apart(offer: Offer, offers: Sequence[Offer]) -> str:
    """The label of ``offer``; with its text if another one does the same with another text.

    So it is if it only publishes what another one has more of.
    """
    label, public = _label(offer), getattr(offer.request, "public", None)
    if len({text_of(one.request) for one in offers if _kind(one) == _kind(offer)}) > 1:
        return _with_beginning(label, offer)
    if offer.incident is None or label != f"Publish on {offer.incident.name}":
        return label
    others = (getattr(other.request, "public", None) for other in offers)
    longer = any(other and public != other and str(public) in other for other in others)
    return _with_beginning(label, offer) if longer else label


def _label(offer: Offer) -> str:
    label = offer.choice.label or label_of(offer)
    if offer.choice.label and offer.incident and not label.endswith("…"):
        act, comma, more = label.partition(",")
        label = f"{act} on {offer.incident.name}{comma}{more}"
    return label


def _kind(offer: Offer) -> str:
    """The readers of the text of ``offer``, or the label that tells it from others of them."""
    match offer.request:
        case _ if offer.choice.label:
            return offer.choice.label
        case Change(public=str()) | OpenWalk(public=str()):
            return "public"
        case Change(title=str()):
            return "title"
        case _:
            return label_of(replace(offer, incident=None))


def _with_name(label: str, offer: Offer) -> str:
    if offer.incident is None or offer.incident.name in label:
        return label
    return f"{label.removesuffix('…')} on {offer.incident.name}…"


def _with_beginning(label: str, offer: Offer) -> str:
    text = text_of(offer.request)
    if not text or ': "' in label:
        return label
    return f'{label}: "{clipped(text, LABEL_MAX - len(label) - 4)}"'


def _with_end(label: str, offer: Offer) -> str:
    """``label`` with the end of the text in the place of its beginning."""
    text, label = text_of(offer.request), label.partition(': "')[0]
    room = LABEL_MAX - len(label) - 4
    end = text if len(text) <= room else f"…{text[1 - room :]}"
    return f'{label}: "{end}"' if text else label


def _button(offer: Offer, label: str, place: int, value: str) -> Json:
    made = button(label, action_id=f"choose:{place}", value=value)
    to = offer.request.to if isinstance(offer.request, Change) else None
    if to and offer.incident and (asks := confirm_end(offer.incident, to)):
        return {**made, "confirm": asks}
    return made


def value_of(  # noqa: C901, PLR0911, PLR0912 - one for each request without a text
    offer: Offer,
) -> str | None:
    """The value of a button that makes the request without a draft; None if it carries a text."""
    request, incident = offer.request, offer.incident
    match request:
        case ShowBoard():
            return board_value(request)
        case ShowHelp(verb=verb, whole=whole):
            return encode("help", "all" if whole else verb)
        case ShowStats(days=days):
            return encode("stats", days)
        case OpenSetup():
            return encode("setup")
        case OpenPage():
            return encode("page")
        case ShowNews():
            return encode("news")
        case OpenDeclare() if request == OpenDeclare():
            return encode("declare")
        case Subscribe():
            return subscribe_value(request)
        case Unsubscribe(channel=channel):
            return encode("unsubscribe", channel, request.page)
        case ShowSubscriptions(page=page, told=""):
            return encode("subscriptions", page)
        case _ if incident is None:
            return None
        case Change(to=str(to)) if request.asks == {"to"}:
            return encode("sure", incident.id, incident.status, to)
        case Change(severity=severity) if request.asks == {"severity"}:
            return encode("severe", incident.id, severity)
        case Change(owner=owner) if request.asks == {"owner"} and owner == request.actor.person:
            return encode("mine", incident.id)
        case AssignTo(user=user):
            return encode("give", incident.id, user)
        case Acknowledge():
            return encode("ack", incident.id, incident.status)
        case Redact(entry=int(entry)):
            return encode("withdraw", incident.id, entry)
        case OpenWithdrawal():
            return encode(Dialog.REDACT, incident.id, incident.status)
        case ShowCard():
            return encode("show", incident.id)
        case ShowTimeline():
            return encode("timeline", incident.id, None)
        case CatchUp():
            return encode("catchup", incident.id)
        case ShowReport():
            return encode("report", incident.id, request.page)
        case SendReport():
            return encode("send_report", incident.id)
        case OpenAssign():
            return encode(Dialog.ASSIGN, incident.id, incident.status)
        case OpenBox(box=Box.SEVERITY):
            return encode(Dialog.SEVERITY, incident.id, incident.status)
        case OpenBox(box=box, text=""):
            return encode(box, incident.id)
        case OpenWalk(note=None, public=None):
            return encode("walk", incident.id, request.to)
        case AskPrivate():
            return encode("ask_private", incident.id)
        case OpenPublic():
            return encode("public", incident.id)
        case OpenInvite(invited=invited):
            return encode(Dialog.INVITE if invited else Dialog.UNINVITE, incident.id)
        case OpenPromise(release=release):
            return encode("release" if release else "promise", incident.id)
        case InviteUser(user=user):
            return encode("invite" if request.invited else "uninvite", incident.id, user)
        case _:
            return None


def label_of(  # noqa: C901, PLR0911, PLR0912, PLR0915 - one for each kind of request
    offer: Offer,
) -> str:
    """The label of a button, which says the act."""
    name = offer.incident.name if offer.incident else ""
    match offer.request:
        case Change(to=str(to), public=public):
            move = f"Move {name} to {status_name(to)}{_severity_of(offer.request)}"
            return f"Publish and {move[0].lower()}{move[1:]}" if public else move
        case Change(public=str(), severity=severity) if severity:
            return f"Publish, and set {name} to {severity}"
        case Change(public=str()):
            return f"Publish on {name}"
        case Change(note=str()):
            return f"Private note on {name}{_severity_of(offer.request)}"
        case Change(title=str()):
            return f"Rename {name}{_severity_of(offer.request)}"
        case Change(description=str()):
            return f"Describe {name} anew{_severity_of(offer.request)}"
        case Change(components=tuple()):
            return f"Set the components of {name}{_severity_of(offer.request)}"
        case Change(severity=severity) if severity:
            return f"Set {name} to {severity}"
        case Change():
            return f"Make me the owner of {name}"
        case TakeNextStep():
            return f"Next step of {name}{_severity_of(offer.request)}"
        case Acknowledge():
            return f"Acknowledge {name}"
        case AssignTo():
            return f"Assign {name}"
        case Redact(entry=Section() as section):
            return f"Withdraw {section.words} of {name}"
        case Redact(entry=DeclaredText.TITLE):
            return f"Withdraw earlier titles of {name}"
        case Redact(entry=DeclaredText() as text):
            return f"Withdraw the {text} of {name}"
        case Redact(entry=entry):
            return f"Withdraw entry {entry} of {name}"
        case OpenWithdrawal():
            return f"Withdraw from {name}…"
        case ShowCard():
            return f"Show {name}"
        case ShowTimeline():
            return f"Timeline of {name}"
        case CatchUp():
            return f"Catch up on {name}"
        case ShowNews():
            return "What is new"
        case ShowReport():
            return f"Report of {name}"
        case SendReport():
            return f"Send the report of {name}"
        case ShowStats():
            return "Show the figures"
        case ShowBoard(narrowed=narrowed):
            return f"List {board_words(narrowed)}"
        case OpenSetup():
            return "All settings…"
        case OpenPage():
            return "Status page…"
        case ShowHelp(verb=verb):
            return f"Help for {verb}" if verb else "Show the help"
        case OpenUpdate(to=str(to), public=str()):
            return f"Publish and move {name} to {status_name(to)}…"
        case OpenUpdate(public=str()):
            return f"Publish on {name}…"
        case OpenUpdate():
            return f"Update {name}…"
        case OpenReport():
            return "Write it in the report…"
        case OpenNote():
            return "Keep it as a note…"
        case OpenAssign():
            return f"Assign {name}…"
        case OpenWalk(to=to, public=str()):
            return f"Publish and move {name} to {status_name(to)}…"
        case OpenBox(box=Box.NOTE):
            return f"Note on {name}…"
        case OpenBox(box=Box.COMPONENTS):
            return f"Components of {name}…"
        case OpenBox(box=box):
            return f"{box.value.capitalize()} of {name}…"
        case OpenWalk(to=to):
            return f"Move {name} to {status_name(to)}…"
        case AskPrivate():
            return f"Make {name} private…"
        case OpenPublic():
            return f"Make {name} public…"
        case OpenInvite(invited=invited):
            return f"Invite to {name}…" if invited else f"Take back an invitation to {name}…"
        case OpenPromise():
            return f"Promise an update of {name}…"
        case SetPromise(next_update=None):
            return f"No promise for {name}"
        case SetPromise(next_update=NextUpdate(within=timedelta() as within)):
            return f"Promise an update of {name} in {duration(within)}"
        case SetPromise():
            return f"Promise an update of {name}"
        case InviteUser(invited=invited):
            return f"Invite to {name}" if invited else f"Take back the invitation to {name}"
        case OpenDeclare():
            return "Declare…"
        case Declare(private=private, severity=severity):
            return f"Declare it ({severity}{', private' if private else ''})"
        case Shorten():
            return "Shorten it…"
        case OtherIncidents(before=before):
            return "More incidents" if before else "The first ones again"
        case about:
            return _label_of_subscription(about)


def _severity_of(request: Change | TakeNextStep) -> str:
    return f", severity {request.severity}" if request.severity else ""


def board_words(narrowed: BoardFilter) -> str:
    """``all, critical``: the words of a list, as they are typed."""
    status = narrowed.status and status_word(narrowed.status)
    return ", ".join(filter(None, [narrowed.scope.value, narrowed.severity, status]))


def _label_of_subscription(asked: Request) -> str:
    """``Subscribe #support: critical and high, API, broadcast``."""
    match asked:
        case Subscribe():
            facts = [severities(asked.severity)]
            facts += [one for one in asked.components if isinstance(one, str)]
            facts += ["broadcast"] if asked.broadcast else []
            return f"{' '.join(filter(None, ['Subscribe', asked.name]))}: {', '.join(facts)}"
        case OpenSubscription():
            return "Subscribe…"
        case Unsubscribe():
            return "Unsubscribe it"
        case ShowSubscriptions():
            return "All subscriptions"
        case _:
            return "Do it"


def label_of_text(
    request: Declare | Change | TakeNextStep, incident: Incident | None, workspace: Workspace
) -> tuple[str, str]:
    """The name of the text that ``request`` carries, and its readers.

    ``incident`` None: it is still to be declared.
    """
    if incident is None:
        return "Title", TITLE
    match request:
        case Change(public=str()):
            return "Public update", public_hint(incident, workspace) or note_hint(incident)
        case Change(title=str()):
            return "Title", fact_hint(incident, workspace)
        case Change(description=str()):
            return "Description", description_hint(incident)
        case _:
            return "Private note", note_hint(incident)
