"""Submitted dialogs, read back into requests. Pure.

Reading is total: any payload becomes a request or a `UserError`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any
from uuid import UUID

from bot.slack.boxes import INPUTS, Box
from bot.slack.inputs import (
    about,
    chosen,
    drawn_for,
    has_input,
    kept_of,
    label,
    origin_of,
    remembered_in,
    typed,
    typed_in_parts,
    unreadable,
)
from bot.slack.pressed import Dialog
from bot.slack.references import NoNumber, at_head, plain_word
from bot.slack.requests import (
    AssignTo,
    FromDraft,
    InviteUser,
    LeavePromise,
    OpenWalk,
    Request,
    UsageError,
)
from bot.ways import in_slack
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
from core.denials import Denied, Permission
from core.errors import EmptyUpdate, InvalidField, UnknownLifecycle, UserError
from core.incident import Actor, DeclaredText, Note, PublicText, Resolution, Section, Severity
from core.lifecycle import Catalogue
from core.missing import UnknownComponent
from core.promise import NextUpdate
from core.refusals import (
    FactChanged,
    NoPublicSurface,
    NothingToPromise,
    NothingToRelease,
    PossibleLeak,
    PromiseOver,
    Refused,
    SectionChanged,
    SettingsChanged,
    StaleStatus,
)
from core.times import STARTS, start_of, written_start

# The callback_ids of the dialogs that are not about one incident.
DECLARE, NOTE, SHORTEN, SETUP = "declare", "note", "shorten", "setup"
COMPONENT, GROUP, OVERRIDE, PAGE = "component", "group", "override", "page"
ARRANGING = frozenset({COMPONENT, GROUP, OVERRIDE, PAGE})
SUBSCRIBE = "subscribe"
CALLBACK_IDS = frozenset({DECLARE, NOTE, SHORTEN, SETUP, SUBSCRIBE, *ARRANGING, *Dialog})
STAY = "stay"  # the choice of no next step
# The button of the update dialog says whether anything will be public.
PUBLISH, SAVE = "Publish", "Save"


class Unannounced(UserError):
    """A dialog was sent by `SAVE`, and would make something public. Nothing was changed."""

    def __init__(self) -> None:
        super().__init__("This will be public. Nothing is saved yet.")


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
            if form.speaks and has_input(view, "public") and label(view) == SAVE:
                raise Unannounced
            return form.command(actor)
        case Dialog.ASSIGN:
            return _assign(view, actor)
        case Dialog.SEVERITY:
            incident, _ = about(view)
            return Change(actor=actor, ref=incident, severity=_severity(view))
        case Dialog.NOTE | Dialog.TITLE | Dialog.DESCRIPTION | Dialog.COMPONENTS as name:
            return _box(view, actor, Box(name))
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
            return promise_form(view, actor)
        case str(name) if name == NOTE:
            return _note(view, actor)
        case str(name) if name == DECLARE:
            return _declare(view, actor, catalogue, new_id, _started(view, at, zone))
        case str(name) if name == SHORTEN and (kept := kept_of(view)):
            text = typed_in_parts(view, "text")
            return FromDraft(draft=kept.draft, index=kept.index, text=text)
        case _:
            raise unreadable()


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
    incident, status = about(view)
    step = chosen(view, "step")
    public, note = typed(view, "public"), typed(view, "note")
    severity = chosen(view, "severity")
    return UpdateForm(
        ref=incident,
        expected_status=status,
        to=None if step in {"", STAY} else step,
        # A box of white space is not empty: the engine refuses it, and its field shows the error.
        public=PublicText(public) if public else None,
        note=Note(note) if note else None,
        severity=_severity(view) if severity != drawn_for(view, "severity") else None,
        next_update=_next_update(view),
        chose_promise=chosen(view, "next_update") != drawn_for(view, "next_update"),
        template=chosen(view, "template") or None,
        templated=_count(drawn_for(view, "template")),
        corrects=has_input(view, "public") and not has_input(view, "step"),
    )


def _count(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 6 else 0


def _next_update(view: Mapping[str, Any]) -> NextUpdate | None:
    """The promise that is chosen in ``view``, in minutes; None for none."""
    minutes = chosen(view, "next_update")
    if not (minutes.isascii() and minutes.isdigit() and len(minutes) < 6):
        return None
    return NextUpdate(within=timedelta(minutes=int(minutes)))


def promise_form(view: Mapping[str, Any], actor: Actor) -> SetPromise | LeavePromise:
    """The choice and the reason in the dialog of a promise; it names the promise it was drawn for.

    Raises:
        UsageError: it is no such dialog.
    """
    incident, _ = about(view)
    reason = Note(text) if (text := typed(view, "reason")).strip() else None
    if chosen(view, "next_update") == STAY:
        return LeavePromise(actor=actor, ref=incident, reason=reason)
    return SetPromise(
        actor=actor,
        ref=incident,
        next_update=_next_update(view),
        reason=reason,
        expected=_count(str(remembered_in(view).get("promise") or "")) or None,
    )


def _started(view: Mapping[str, Any], at: datetime, zone: tzinfo) -> datetime | None:
    """The start that is typed in ``view``; None for an empty box.

    Raises:
        InvalidField: ``since``: it is none, lies in the future, or is rather a slip.
    """
    said = typed(view, "since").strip()
    if not said:
        return None
    start = start_of(said, at=at, zone=zone)
    if start is None:
        raise InvalidField("since", f"is no time: {STARTS}, or leave it empty")
    if start.at > at:
        raise InvalidField("since", "lies in the future: leave it empty, or write an earlier one")
    # Written in full, it is the answer to that.
    if start.doubt and (meant := written_start(start.at, zone)) != said:
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
        title=typed(view, "title"),
        lifecycle=catalogue.find(chosen(view, "lifecycle") or catalogue.default.name),
        severity=_severity(view),
        private=chosen(view, "private") == "private",
        components=names_in(typed(view, "components")),
        description=typed_in_parts(view, "description") or None,
        started_at=started_at,
        place=origin_of(view).place,
    )


def _assign(view: Mapping[str, Any], actor: Actor) -> AssignTo:
    incident, _ = about(view)
    if not (user := chosen(view, "person")):
        raise UsageError("Nobody was chosen.", hint="Choose the person who leads the incident.")
    return AssignTo(actor=actor, ref=incident, user=user)


def _invitation(view: Mapping[str, Any], actor: Actor, *, invited: bool) -> InviteUser:
    incident, _ = about(view)
    if not (user := chosen(view, "invited_person")):
        raise UsageError("Nobody was chosen.", hint="Choose one person.")
    return InviteUser(actor=actor, ref=incident, user=user, invited=invited)


def text_in_box(view: Mapping[str, Any]) -> str:
    """What is typed in the dialog ``view`` with one text."""
    return typed_in_parts(view, INPUTS[Box(str(view["callback_id"]))])


def _box(view: Mapping[str, Any], actor: Actor, box: Box) -> Change:
    incident, _ = about(view)
    text, seen = typed_in_parts(view, INPUTS[box]), remembered_in(view).get("seen")
    if box is Box.NOTE:
        return Change(actor=actor, ref=incident, note=Note(text))
    change = Change(actor=actor, ref=incident, seen=seen if isinstance(seen, str) else None)
    match box:
        case Box.TITLE:
            return replace(change, title=text)
        case Box.COMPONENTS:
            clears = plain_word(text) in {"", "none"}
            return replace(change, components=() if clears else names_in(text))
        case _:
            return replace(change, description=text)


def _redact(view: Mapping[str, Any], actor: Actor) -> Redact:
    incident, _ = about(view)
    entry = chosen(view, "entry")
    if entry in {*DeclaredText}:
        return Redact(actor=actor, ref=incident, entry=DeclaredText(entry))
    if not (entry.isascii() and entry.isdigit() and len(entry) < 10):
        raise UsageError("No text was chosen.", hint="Choose the text to withdraw.")
    return Redact(actor=actor, ref=incident, entry=int(entry))


def _walk(view: Mapping[str, Any], actor: Actor) -> Walk:
    incident, status = about(view)
    to, public = remembered_in(view).get("to"), typed(view, "public")
    if not isinstance(to, str):
        raise unreadable()
    return Walk(
        actor=actor,
        ref=incident,
        to=to,
        reason=Note(typed(view, "note")),
        public=PublicText(public) if public else None,
        expected_status=status,
    )


def walk_form(view: Mapping[str, Any]) -> OpenWalk:
    """The walk dialog ``view`` with everything that is typed so far."""
    incident, _ = about(view)
    note, public = typed(view, "note"), typed(view, "public")
    return OpenWalk(
        ref=incident,
        to=str(remembered_in(view).get("to")),
        note=Note(note) if note else None,
        public=PublicText(public) if public else None,
    )


def _public(view: Mapping[str, Any], actor: Actor) -> SetPrivacy:
    incident, _ = about(view)
    title = remembered_in(view).get("title")
    if not isinstance(title, str):
        raise unreadable()
    return SetPrivacy(actor=actor, ref=incident, private=False, expected_title=title)


def _duplicate(view: Mapping[str, Any], actor: Actor) -> NameResolution:
    incident, _ = about(view)
    try:
        number, rest = at_head(typed(view, "duplicate_of").strip(), {})
    except NoNumber:
        number, rest = None, ""
    if rest or not isinstance(number, int):
        number = None
    return NameResolution(actor=actor, ref=incident, how=Resolution.DUPLICATE, duplicate_of=number)


def report_form(view: Mapping[str, Any], actor: Actor) -> WriteReport:
    """The texts in the report's dialog; an empty box empties its section.

    Raises:
        UsageError: it is no such dialog.
    """
    incident, _ = about(view)
    seen = remembered_in(view).get("seen")
    if not (isinstance(seen, str) and seen.isascii() and seen.isdigit() and len(seen) < 10):
        raise unreadable()
    marks = remembered_in(view).get("marks")
    texts = {section: Note(typed(view, section.value)) for section in Section}
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
        ref = UUID(chosen(view, "incident"))
    except ValueError:
        raise unreadable() from None
    return Change(actor=actor, ref=ref, note=Note(typed_in_parts(view, "note")))


def _severity(view: Mapping[str, Any]) -> Severity:
    try:
        return Severity(chosen(view, "severity"))
    except ValueError:
        raise UsageError("No severity was chosen.", hint="Choose one of the four.") from None


# Their dialog is redrawn with the facts of now, and keeps what was typed.
REDRAWN = (
    StaleStatus
    | FactChanged
    | SectionChanged
    | SettingsChanged
    | PossibleLeak
    | PromiseOver
    | Unannounced
)


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
    return dict.fromkeys([*named, *inputs][:1], error.told(in_slack))


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
        case NothingToPromise() | NothingToRelease():
            return ("next_update",)
        case Refused():
            return ("step",)
        case _:
            return ()
