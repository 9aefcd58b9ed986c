"""Submitted dialogs, read back into requests. Pure.

A submission brings nothing but the view, so a dialog keeps its incident and its origin in
``private_metadata``. Reading is total: any payload becomes a request or a `UserError`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any
from uuid import UUID

from bot.slack.pressed import Dialog
from bot.slack.requests import AssignTo, FromDraft, InviteUser, OpenWalk, Request, UsageError
from bot.slack.verbs import COMMAND
from core.commands import (
    Change,
    Declare,
    NameResolution,
    Redact,
    SetPrivacy,
    SetPromise,
    Walk,
    WriteReport,
)
from core.components import names_in
from core.errors import EmptyUpdate, InvalidField, UnknownLifecycle, UserError
from core.incident import (
    Actor,
    DeclaredText,
    Incident,
    Note,
    Place,
    PublicText,
    Resolution,
    Section,
    Severity,
)
from core.lifecycle import Catalogue
from core.promise import NextUpdate
from core.refusals import (
    Denied,
    NoPublicSurface,
    NothingToPromise,
    Permission,
    PossibleLeak,
    PromiseOver,
    Refused,
    SectionChanged,
    SettingsChanged,
    StaleStatus,
    UnknownComponent,
)
from core.times import STARTS, start_of, written_start

# The callback_ids of the dialogs that are not about one incident.
DECLARE, NOTE, SHORTEN, SETUP = "declare", "note", "shorten", "setup"
COMPONENT, GROUP, OVERRIDE, PAGE = "component", "group", "override", "page"
ARRANGING = frozenset({COMPONENT, GROUP, OVERRIDE, PAGE})
CALLBACK_IDS = frozenset({DECLARE, NOTE, SHORTEN, SETUP, *ARRANGING, *Dialog})
STAY = "stay"  # the choice of no next step
# The button of the update dialog says whether anything will be public.
PUBLISH, SAVE = "Publish", "Save"


class Unannounced(UserError):
    """A dialog was sent by `SAVE`, and would make something public. Nothing was changed."""

    def __init__(self) -> None:
        super().__init__("This will be public. Nothing is saved yet.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """The place of the click that opened a dialog. ``response_url``, a secret, takes the answer.

    ``on_card``: it was opened from a card.
    """

    place: Place | None = None
    response_url: str | None = None
    on_card: bool = False


@dataclass(frozen=True, slots=True)
class Kept:
    """The draft that a dialog was filled with, and the place of its request in it."""

    draft: UUID
    index: int


def metadata(
    origin: Origin, incident: Incident | None = None, *, kept: Kept | None = None, **more: str
) -> str:
    """The ``private_metadata`` of a dialog that was opened at ``origin``, with ``more`` in it."""
    place = origin.place
    remembered = {
        "channel": place.channel if place else None,
        "channel_private": place is not None and place.private,
        "response_url": origin.response_url,
    }
    if origin.on_card:
        more["on_card"] = "yes"
    about = {"incident": str(incident.id), "status": incident.status} if incident else {}
    draft = {"draft": str(kept.draft), "index": kept.index} if kept else {}
    return json.dumps({**remembered, **about, **draft, **more}, separators=(",", ":"))


def kept_of(view: Mapping[str, Any]) -> Kept | None:
    """The draft that ``view`` was filled with, if any."""
    remembered = remembered_in(view)
    try:
        return Kept(UUID(str(remembered["draft"])), int(remembered["index"]))
    except (KeyError, ValueError, TypeError):
        return None


def remembered_in(view: Mapping[str, Any]) -> dict[str, Any]:
    """The ``private_metadata`` of ``view``; empty if it is none of ours."""
    try:
        remembered = json.loads(view.get("private_metadata") or "{}")
    except (TypeError, ValueError, RecursionError):
        return {}
    return remembered if isinstance(remembered, dict) else {}


def origin_of(view: Mapping[str, Any]) -> Origin:
    """The origin of ``view``; its channel may have been chosen in the dialog itself."""
    remembered = remembered_in(view)
    channel, url = remembered.get("channel"), remembered.get("response_url")
    channel = channel or element(view, "channel").get("selected_conversation")
    private = remembered.get("channel_private") is True
    return Origin(
        place=Place(channel, private=private) if isinstance(channel, str) else None,
        response_url=url if isinstance(url, str) else None,
        on_card=remembered.get("on_card") == "yes",
    )


def _about(view: Mapping[str, Any]) -> tuple[UUID, str]:
    """The id of the view's incident, and the status that the view was drawn for."""
    remembered = remembered_in(view)
    try:
        return UUID(str(remembered["incident"])), str(remembered["status"])
    except (KeyError, ValueError):
        raise _unreadable() from None


def _unreadable() -> UsageError:
    return UsageError(
        "This dialog cannot be read any more, and nothing was changed.",
        hint=f"`{COMMAND}` shows what is open, with buttons that open a new one.",
    )


# --- one reader for each dialog --------------------------------------------------------------


def read(  # noqa: C901, PLR0911, PLR0912 - one for each dialog
    view: Mapping[str, Any],
    *,
    actor: Actor,
    catalogue: Catalogue,
    new_id: UUID,
    at: datetime,
    zone: tzinfo = UTC,
) -> Request:
    """The request that ``view`` was submitted for at the moment ``at``; ``zone`` is its author's.

    Raises:
        UserError: a choice is missing, or is no choice any more.
    """
    match view.get("callback_id"):
        case Dialog.UPDATE:
            form = update_form(view)
            # Slack may show a label that is older than the text: nothing is published by `SAVE`.
            if form.template:
                raise Unannounced
            if form.speaks and _has_input(view, "public") and _label(view) == SAVE:
                raise Unannounced
            return form.command(actor)
        case Dialog.ASSIGN:
            return _assign(view, actor)
        case Dialog.SEVERITY:
            incident, _ = _about(view)
            return Change(actor=actor, ref=incident, severity=_severity(view))
        case Dialog.DESCRIPTION:
            return _description(view, actor)
        case Dialog.REDACT:
            return _redact(view, actor)
        case Dialog.WALK:
            return _walk(view, actor)
        case Dialog.PUBLIC:
            return _public(view, actor)
        case Dialog.INVITE | Dialog.UNINVITE as name:
            return _invitation(view, actor, invited=name == Dialog.INVITE)
        case Dialog.RESOLUTION:
            return _duplicate(view, actor)
        case Dialog.REPORT:
            return report_form(view, actor)
        case Dialog.PROMISE:
            return _promise(view, actor)
        case str(name) if name == NOTE:
            return _note(view, actor)
        case str(name) if name == DECLARE:
            return _declare(view, actor, catalogue, new_id, _started(view, at, zone))
        case str(name) if name == SHORTEN and (kept := kept_of(view)):
            text = _typed_in_parts(view, "text")
            return FromDraft(draft=kept.draft, index=kept.index, text=text)
        case _:
            raise _unreadable()


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateForm:
    """The choices and texts in the update dialog; None for an untouched input.

    ``severity`` is another one than the dialog was drawn for. ``chose_promise``: the promise is
    another one than the severity proposes. ``corrects``: it is drawn after the end, for a text in
    the place of one that its author has withdrawn. ``template`` is the name of one that is chosen
    and not in the box yet; ``templated`` counts those that were chosen before. ``excess`` is the
    number of characters by which the last one did not fit.
    """

    ref: UUID
    expected_status: str
    to: str | None = None
    public: PublicText | None = None
    note: Note | None = None
    severity: Severity | None = None
    next_update: NextUpdate | None = None
    chose_promise: bool = False
    corrects: bool = False
    template: str | None = None
    templated: int = 0
    excess: int = 0

    @property
    def speaks(self) -> bool:
        """Whether it changes anything that everybody reads, if the incident has a public side."""
        return bool(self.public or self.to or self.severity)

    def command(self, actor: Actor) -> Change:
        """The one command that a submission makes.

        Raises:
            InvalidField: a promise was chosen, and no public update carries it.
        """
        if self.chose_promise and self.next_update and not self.public:
            raise InvalidField(
                "next_update", 'comes with a public update: write one, or choose "No promise"'
            )
        return Change(
            actor=actor,
            ref=self.ref,
            to=self.to,
            public=self.public,
            note=self.note,
            severity=self.severity,
            expected_status=self.expected_status,
            next_update=self.next_update,
        )


def update_form(view: Mapping[str, Any]) -> UpdateForm:
    """The inputs of an update dialog, submitted or not.

    Raises:
        UsageError: it is no update dialog.
    """
    incident, status = _about(view)
    step = _chosen(view, "step")
    public, note = _typed(view, "public"), _typed(view, "note")
    severity = _chosen(view, "severity")
    return UpdateForm(
        ref=incident,
        expected_status=status,
        to=None if step in {"", STAY} else step,
        # A box of white space is not empty: the engine refuses it, and its field shows the error.
        public=PublicText(public) if public else None,
        note=Note(note) if note else None,
        severity=_severity(view) if severity != _drawn_for(view, "severity") else None,
        next_update=_next_update(view),
        chose_promise=_chosen(view, "next_update") != _drawn_for(view, "next_update"),
        template=_chosen(view, "template") or None,
        templated=_count(_drawn_for(view, "template")),
        corrects=_has_input(view, "public") and not _has_input(view, "step"),
    )


def _count(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 6 else 0


def _next_update(view: Mapping[str, Any]) -> NextUpdate | None:
    """The promise that is chosen in ``view``, in minutes; None for none."""
    minutes = _chosen(view, "next_update")
    if not (minutes.isascii() and minutes.isdigit() and len(minutes) < 6):
        return None
    return NextUpdate(within=timedelta(minutes=int(minutes)))


def _promise(view: Mapping[str, Any], actor: Actor) -> SetPromise:
    incident, _ = _about(view)
    reason = _typed(view, "reason")
    return SetPromise(
        actor=actor,
        ref=incident,
        next_update=_next_update(view),
        reason=Note(reason) if reason.strip() else None,
    )


def _started(view: Mapping[str, Any], at: datetime, zone: tzinfo) -> datetime | None:
    """The start that is typed in ``view``; None for an empty box.

    Raises:
        InvalidField: ``since``: it is none, lies in the future, or is rather a slip.
    """
    said = _typed(view, "since").strip()
    if not said:
        return None
    start = start_of(said, at=at, zone=zone)
    if start is None:
        raise InvalidField("since", f"is no time: {STARTS}, or leave it empty")
    if start.at > at:
        raise InvalidField("since", "lies in the future: leave it empty, or write an earlier one")
    if start.doubt:
        meant = written_start(start.at, zone)
        raise InvalidField("since", f"{start.doubt}: write {meant} if you mean that")
    return start.at


def _declare(
    view: Mapping[str, Any],
    actor: Actor,
    catalogue: Catalogue,
    new_id: UUID,
    started_at: datetime | None,
) -> Declare:
    return Declare(
        actor=actor,
        id=new_id,
        title=_typed(view, "title"),
        lifecycle=catalogue.find(_chosen(view, "lifecycle") or catalogue.default.name),
        severity=_severity(view),
        private=_chosen(view, "private") == "private",
        components=names_in(_typed(view, "components")),
        description=_typed_in_parts(view, "description") or None,
        started_at=started_at,
        place=origin_of(view).place,
    )


def _assign(view: Mapping[str, Any], actor: Actor) -> AssignTo:
    incident, _ = _about(view)
    if not (user := _chosen(view, "person")):
        raise UsageError("Nobody was chosen.", hint="Choose the person who leads the incident.")
    return AssignTo(actor=actor, ref=incident, user=user)


def _invitation(view: Mapping[str, Any], actor: Actor, *, invited: bool) -> InviteUser:
    incident, _ = _about(view)
    if not (user := _chosen(view, "invited_person")):
        raise UsageError("Nobody was chosen.", hint="Choose one person.")
    return InviteUser(actor=actor, ref=incident, user=user, invited=invited)


def _description(view: Mapping[str, Any], actor: Actor) -> Change:
    incident, _ = _about(view)
    return Change(actor=actor, ref=incident, description=_typed_in_parts(view, "description"))


def _redact(view: Mapping[str, Any], actor: Actor) -> Redact:
    incident, _ = _about(view)
    entry = _chosen(view, "entry")
    if entry in {*DeclaredText}:
        return Redact(actor=actor, ref=incident, entry=DeclaredText(entry))
    if not (entry.isascii() and entry.isdigit() and len(entry) < 10):
        raise UsageError("No text was chosen.", hint="Choose the text to withdraw.")
    return Redact(actor=actor, ref=incident, entry=int(entry))


def _walk(view: Mapping[str, Any], actor: Actor) -> Walk:
    incident, status = _about(view)
    to, public = remembered_in(view).get("to"), _typed(view, "public")
    if not isinstance(to, str):
        raise _unreadable()
    return Walk(
        actor=actor,
        ref=incident,
        to=to,
        reason=Note(_typed(view, "note")),
        public=PublicText(public) if public else None,
        expected_status=status,
    )


def walk_form(view: Mapping[str, Any]) -> OpenWalk:
    """The walk dialog ``view`` with everything that is typed so far."""
    incident, _ = _about(view)
    note, public = _typed(view, "note"), _typed(view, "public")
    return OpenWalk(
        ref=incident,
        to=str(remembered_in(view).get("to")),
        note=Note(note) if note else None,
        public=PublicText(public) if public else None,
    )


def _public(view: Mapping[str, Any], actor: Actor) -> SetPrivacy:
    incident, _ = _about(view)
    title = remembered_in(view).get("title")
    if not isinstance(title, str):
        raise _unreadable()
    return SetPrivacy(actor=actor, ref=incident, private=False, expected_title=title)


def _duplicate(view: Mapping[str, Any], actor: Actor) -> NameResolution:
    incident, _ = _about(view)
    word = _typed(view, "duplicate_of").strip().lstrip("#").casefold().removeprefix("inc-")
    number = int(word) if word.isascii() and word.isdigit() and len(word) < 10 else None
    return NameResolution(actor=actor, ref=incident, how=Resolution.DUPLICATE, duplicate_of=number)


def report_form(view: Mapping[str, Any], actor: Actor) -> WriteReport:
    """The texts in the report's dialog; an empty box empties its section.

    Raises:
        UsageError: it is no such dialog.
    """
    incident, _ = _about(view)
    seen = remembered_in(view).get("seen")
    if not (isinstance(seen, str) and seen.isascii() and seen.isdigit() and len(seen) < 10):
        raise _unreadable()
    marks = remembered_in(view).get("marks")
    texts = {section: Note(_typed(view, section.value)) for section in Section}
    return WriteReport(
        actor=actor,
        ref=incident,
        seen=int(seen),
        summary=texts[Section.SUMMARY],
        impact=texts[Section.IMPACT],
        cause=texts[Section.CAUSE],
        helped=texts[Section.HELPED],
        follow_ups=texts[Section.FOLLOW_UPS],
        marks=tuple(marks.split(".")) if isinstance(marks, str) else (),
    )


def _note(view: Mapping[str, Any], actor: Actor) -> Change:
    try:
        ref = UUID(_chosen(view, "incident"))
    except ValueError:
        raise _unreadable() from None
    return Change(actor=actor, ref=ref, note=Note(_typed_in_parts(view, "note")))


# --- one input of a view ---------------------------------------------------------------------


def _severity(view: Mapping[str, Any]) -> Severity:
    try:
        return Severity(_chosen(view, "severity"))
    except ValueError:
        raise UsageError("No severity was chosen.", hint="Choose one of the four.") from None


def element(view: Mapping[str, Any], name: str) -> dict[str, Any]:
    """The state of the input ``name``, which Slack sends as ``values.<block_id>.<action_id>``."""
    state = view.get("state")
    values = state.get("values") if isinstance(state, dict) else None
    for block_id, elements in values.items() if isinstance(values, dict) else ():
        if str(block_id).split(":")[0] == name and isinstance(elements, dict):
            return next((held for held in elements.values() if isinstance(held, dict)), {})
    return {}


def _drawn_for(view: Mapping[str, Any], name: str) -> str:
    """The value that the input ``name`` was drawn for, which its block_id has behind a colon."""
    return next((block.partition(":")[2] for block in _inputs_of(view, name)), "")


def _has_input(view: Mapping[str, Any], name: str) -> bool:
    return any(_inputs_of(view, name))


def _inputs_of(view: Mapping[str, Any], name: str) -> list[str]:
    """The block_ids of the input ``name``."""
    state = view.get("state")
    values = state.get("values") if isinstance(state, dict) else None
    blocks = map(str, values) if isinstance(values, dict) else ()
    return [block for block in blocks if block.split(":")[0] == name]


def _label(view: Mapping[str, Any]) -> object:
    """The words on the button that sent ``view``."""
    submit = view.get("submit")
    return submit.get("text") if isinstance(submit, dict) else None


def _typed(view: Mapping[str, Any], name: str) -> str:
    value = element(view, name).get("value")
    return value if isinstance(value, str) else ""


def _typed_in_parts(view: Mapping[str, Any], name: str) -> str:
    """The text of the boxes ``name``, ``name_2``, …: a long text needs several."""
    parts = [_typed(view, name)]
    while part := _typed(view, f"{name}_{len(parts) + 1}"):
        parts.append(part)
    return "".join(parts)


def _chosen(view: Mapping[str, Any], name: str) -> str:
    """The chosen value of a select, a row of checkboxes (its first) or a choice of people."""
    held = element(view, name)
    chosen, ticked = held.get("selected_option"), held.get("selected_options")
    if isinstance(ticked, list) and ticked:
        chosen = ticked[0]
    value = chosen.get("value") if isinstance(chosen, dict) else held.get("selected_user")
    return value if isinstance(value, str) else ""


# Their dialog is redrawn with the facts of now, and keeps what was typed.
REDRAWN = StaleStatus | SectionChanged | SettingsChanged | PossibleLeak | Unannounced


# --- errors at their inputs ------------------------------------------------------------------


def field_errors(error: Exception | None, view: Mapping[str, Any]) -> dict[str, str]:
    """``error`` by block_id, for ``response_action: errors``: once, at the input that it is about.

    An error about none of the view's inputs is shown at the first one. Empty for an error that no
    other input can cure.

    Source: https://docs.slack.dev/surfaces/modals#displaying_errors
    """
    if not isinstance(error, UserError) or isinstance(error, REDRAWN):
        return {}
    blocks = view.get("blocks") or ()
    inputs = [block["block_id"] for block in blocks if block.get("type") == "input"]
    named = [block for block in inputs if block.split(":")[0] in _inputs(error)]
    return dict.fromkeys([*named, *inputs][:1], error.message)


def _inputs(error: UserError) -> tuple[str, ...]:  # noqa: PLR0911 - one for each class of error
    match error:
        case InvalidField(field="public_update"):
            return ("public", "text")
        case InvalidField(field="started_at"):
            return ("since",)
        case InvalidField(field=field):
            return (field, "text")
        case EmptyUpdate():
            return ("step",)
        case UnknownComponent():
            return ("components",)
        case UnknownLifecycle():
            return ("lifecycle",)
        case NoPublicSurface() | Denied(permission=Permission.PUBLISH):
            return ("public",)
        case NothingToPromise() | PromiseOver():
            return ("next_update",)
        case Refused():
            return ("step",)
        case _:
            return ()
