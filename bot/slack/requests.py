"""Everything that a person can ask for in Slack, as values. Pure.

A request is a command of the core, or one of the small values below.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from uuid import UUID

from bot.slack.arranged import (
    OpenComponent,
    OpenGroup,
    OpenOverride,
    OpenPage,
    SaveComponent,
    SaveGroup,
    SaveOverride,
    SavePage,
    ShowComponents,
    ShowOnPage,
)
from bot.slack.boxes import OpenBox
from bot.slack.subscription_requests import AboutSubscriptions
from core.boards import BoardFilter
from core.commands import (
    Acknowledge,
    AnswerHandOver,
    Change,
    Declare,
    NameResolution,
    Redact,
    Ref,
    SetChannel,
    SetInvitation,
    SetPrivacy,
    SetPromise,
    TakeNextStep,
    Walk,
    WriteReport,
)
from core.errors import UserError
from core.incident import Actor, Incident, Note, Person, PublicText, Severity
from core.promise import NextUpdate
from core.ranking import Rank
from core.settings import Setting
from core.stats import PERIOD_DAYS

# The largest integer of PostgreSQL: no incident has a larger number.
NUMBER_MAX = 2_147_483_647
# The promise that the severity proposes.
BY_SEVERITY = NextUpdate()


@dataclass(frozen=True, slots=True)
class ShowTray:
    """The open incidents of this channel, then the others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ShowBoard:
    """A page of incidents. ``before`` and ``after`` are keys, exclusive: `Reader.ranking`."""

    narrowed: BoardFilter = field(default_factory=BoardFilter)
    before: Rank | None = None
    after: Rank | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ShowCard:
    """The card of one incident, shown only to the asker."""

    ref: Ref


@dataclass(frozen=True, slots=True, kw_only=True)
class ShowTimeline:
    """A page of the timeline. ``before`` is an entry's number, exclusive; None: the newest page."""

    ref: Ref
    before: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CatchUp:
    """What is new on one incident since the asker's last act or catch-up."""

    ref: Ref


@dataclass(frozen=True, slots=True)
class ShowNews:
    """The open incidents with something new for the asker."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ShowReport:
    """A page of the report, from 1, to the asker alone."""

    ref: Ref
    page: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class SendReport:
    """The report as a Markdown file, in a direct message to the asker."""

    ref: Ref


@dataclass(frozen=True, slots=True, kw_only=True)
class ShowStats:
    """The figures of the last ``days`` and of as many before."""

    days: int = PERIOD_DAYS


@dataclass(frozen=True, slots=True, kw_only=True)
class ShowHelp:
    """Help for the verbs that matter first, for the one of that name, or for all (``whole``)."""

    verb: str | None = None
    whole: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenDeclare:
    """The dialog that declares an incident, filled in with these values.

    ``severity`` and ``lifecycle`` None: the default of the workspace. ``since`` is the start as it
    was typed; empty: ``started_at``, or now.
    """

    title: str = ""
    description: str = ""
    severity: Severity | None = None
    lifecycle: str | None = None
    components: tuple[str, ...] = ()
    private: bool = False
    since: str = ""
    started_at: datetime | None = None

    @classmethod
    def of(cls, request: Declare) -> OpenDeclare:
        """The dialog that is filled with ``request``, so that it can be changed first."""
        return cls(
            title=request.title,
            description=request.description or "",
            severity=request.severity,
            lifecycle=request.lifecycle.name,
            components=tuple(str(one) for one in request.components),
            private=request.private,
            started_at=request.started_at,
        )


def follow_up(incident: Incident, text: str = "") -> OpenDeclare:
    """The dialog for an incident that follows ``incident``, with ``text`` kept in it.

    Severity, lifecycle and components are proposals: the person can change them.
    """
    return replace(
        following(incident.name, text),
        severity=incident.severity,
        lifecycle=incident.lifecycle.name,
        components=tuple(component.name for component in incident.components),
        private=incident.private,
    )


def following(name: str, text: str = "") -> OpenDeclare:
    """The dialog for an incident that follows the one called ``name``."""
    return OpenDeclare(
        description="\n\n".join([f"Follow-up of {name}.", *([text] if text else [])])
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class AssignTo:
    """A hand-over to the Slack user with the id ``user``. Their name is not known yet."""

    actor: Actor
    ref: Ref
    user: str
    expected_status: str | None = None

    def to(self, person: Person) -> Change:
        """The command, now that ``user`` is known to be ``person``."""
        return Change(
            actor=self.actor, ref=self.ref, owner=person, expected_status=self.expected_status
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class InviteUser:
    """An invitation of the Slack user with the id ``user``, or its end if not ``invited``."""

    actor: Actor
    ref: Ref
    user: str
    invited: bool

    def of(self, person: Person) -> SetInvitation:
        """The command, now that ``user`` is known to be ``person``."""
        return SetInvitation(actor=self.actor, ref=self.ref, person=person, invited=self.invited)


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenWalk:
    """The dialog that takes all steps to the status ``to`` in one act, filled with these texts."""

    ref: Ref
    to: str
    note: Note | None = None
    public: PublicText | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenPromise:
    """The dialog that promises the next update; ``release``: no promise is chosen in it."""

    ref: Ref
    release: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class LeavePromise:
    """The dialog of a promise was sent with no change; ``reason`` was typed all the same."""

    actor: Actor
    ref: UUID
    reason: Note | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AskPrivate:
    """The question before an incident is made private."""

    ref: Ref


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenPublic:
    """The dialog that lists what will be public, before an incident is made public."""

    ref: Ref


@dataclass(frozen=True, slots=True, kw_only=True)
class SetStatusChannel:
    """Makes the channel with that id the workspace's status channel. For workspace admins.

    ``instead_of`` is the channel that the author agreed to replace; None: nobody was asked.
    """

    channel: str
    instead_of: str | None = None


@dataclass(frozen=True, slots=True)
class OpenSetup:
    """The dialog with all settings of the workspace. For workspace admins."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SaveSettings:
    """Other settings of the workspace, as its dialog was submitted. For workspace admins.

    ``chosen`` has every setting as a text of `core.settings`, ``changes`` those that differ from
    what the dialog showed; None restores a default. ``seen`` is the version that it showed.
    """

    chosen: Mapping[Setting, str]
    changes: Mapping[Setting, str | None]
    seen: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenUpdate:
    """The update dialog of one incident, filled in with what was typed.

    ``to`` empty: the next step, if there is only one; None: the status stays. ``next_update`` None:
    no promise is chosen.
    """

    ref: Ref
    to: str | None = None
    public: PublicText | None = None
    note: Note | None = None
    severity: Severity | None = None
    next_update: NextUpdate | None = BY_SEVERITY

    @classmethod
    def of(cls, change: Change, *, ref: Ref | None = None) -> OpenUpdate:
        """The dialog with all that ``change`` would do; ``ref`` None: of the same incident."""
        return cls(
            ref=change.ref if ref is None else ref,
            to=change.to,
            public=change.public,
            note=change.note,
            severity=change.severity,
            next_update=change.next_update,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenNote:
    """The dialog that keeps ``text`` as a private note of an incident that is chosen in it."""

    text: Note


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenReport:
    """The dialog that writes the report of one incident, with ``text`` added to a section.

    ``text`` empty: only the sections as they are.
    """

    ref: Ref
    text: Note | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenWithdrawal:
    """The dialog that withdraws one text of an incident, chosen in it."""

    ref: Ref


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenAssign:
    """The dialog that hands one incident over."""

    ref: Ref


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenInvite:
    """The dialog that names a person to invite, or one whose invitation ends if not ``invited``."""

    ref: Ref
    invited: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Shorten:
    """The dialog that holds the text of ``request``, which is too long."""

    request: Declare | Change | TakeNextStep


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteAnew:
    """Withdraws a text, and opens the dialog with it."""

    actor: Actor
    ref: UUID
    entry: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FromDraft:
    """One of the requests in a draft. ``text`` replaces the text of it; None: it stays."""

    draft: UUID
    index: int
    text: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OtherIncidents:
    """The question for the incident once more, with those below ``before``, of ``channel``."""

    choices: tuple[Choice, ...]
    text: str
    typed: str
    channel: str | None = None
    before: Rank | None = None


Request = (
    Declare
    | Change
    | TakeNextStep
    | Acknowledge
    | Redact
    | Walk
    | SetPrivacy
    | SetInvitation
    | AnswerHandOver
    | SetChannel
    | NameResolution
    | WriteReport
    | SetPromise
    | AssignTo
    | InviteUser
    | AskPrivate
    | OpenPublic
    | OpenPromise
    | LeavePromise
    | OpenWalk
    | SetStatusChannel
    | OpenSetup
    | SaveSettings
    | ShowComponents
    | OpenComponent
    | OpenGroup
    | OpenOverride
    | OpenPage
    | SaveComponent
    | SaveGroup
    | SaveOverride
    | SavePage
    | ShowOnPage
    | OpenDeclare
    | OpenUpdate
    | OpenNote
    | OpenReport
    | OpenWithdrawal
    | OpenBox
    | OpenAssign
    | OpenInvite
    | Shorten
    | WriteAnew
    | FromDraft
    | OtherIncidents
    | ShowTray
    | ShowBoard
    | ShowCard
    | ShowTimeline
    | CatchUp
    | ShowNews
    | ShowReport
    | SendReport
    | ShowStats
    | ShowHelp
    | AboutSubscriptions
)


class UsageError(UserError):
    """Something was typed wrong, or a button or a form cannot be read. Nothing was changed.

    ``problem`` and ``hint`` are sentences; ``suggestion`` is the word that was probably meant,
    ``usage`` the line to type. All but the first may be None. ``slip`` is the typed word that the
    suggestion, or one of the words ``instead``, may replace; empty if none.
    """

    def __init__(
        self,
        problem: str,
        *,
        usage: str | None = None,
        suggestion: str | None = None,
        hint: str | None = None,
        slip: str = "",
        instead: Iterable[str] = (),
    ) -> None:
        meant = f" Did you mean {suggestion}?" if suggestion else ""
        listed = f" {hint}" if hint else ""
        line = f" Usage: `{usage}`" if usage else ""
        super().__init__(f"{problem}{meant}{listed}{line}")
        self.problem = problem
        self.hint = hint
        self.suggestion = suggestion
        self.usage = usage
        self.slip = slip
        self.instead = tuple(instead)


@dataclass(frozen=True, slots=True)
class Choice:
    """One answer to a question: the request that its button makes, and the button's label.

    ``label`` empty: it is made from the request.
    """

    request: Request
    label: str = ""


class Question(UserError):
    """Words that may mean several things. Nothing was changed; each choice is one meaning.

    The texts in ``choices`` may be notes, so only their author sees them.
    """

    def __init__(
        self, problem: str, choices: Iterable[Choice] = (), *, usage: str | None = None
    ) -> None:
        super().__init__(problem)
        self.problem = problem
        self.choices = tuple(choices)
        self.usage = usage
