"""Everything that a person can ask for in Slack, as values. Pure.

A request is a command of the core, or one of the small values below.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from core.errors import UserError
from core.incident import (
    Acknowledge,
    Actor,
    BoardFilter,
    Change,
    Declare,
    Person,
    Redact,
    Ref,
    Severity,
    TakeNextStep,
)

# The largest integer of PostgreSQL: no incident has a larger number.
NUMBER_MAX = 2_147_483_647


@dataclass(frozen=True, slots=True)
class ShowTray:
    """The open incidents of this channel, then the others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ShowBoard:
    """A page of incidents. ``before`` and ``after`` are numbers, exclusive: `Reader.board`."""

    narrowed: BoardFilter = field(default_factory=BoardFilter)
    before: int | None = None
    after: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ShowCard:
    """The card of one incident, to the asker alone."""

    ref: Ref


@dataclass(frozen=True, slots=True, kw_only=True)
class ShowTimeline:
    """A page of the timeline. ``before`` is an entry's number, exclusive; None: the newest page."""

    ref: Ref
    before: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ShowHelp:
    """Help for all verbs, or for the one of that name."""

    verb: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenDeclare:
    """The dialog that declares an incident, filled in with these values.

    ``lifecycle`` None: the default.
    """

    title: str = ""
    description: str = ""
    severity: Severity = Severity.MEDIUM
    lifecycle: str | None = None
    components: tuple[str, ...] = ()
    private: bool = False


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
class SetStatusChannel:
    """Makes the channel with that id the workspace's status channel. For workspace admins."""

    channel: str


Request = (
    Declare
    | Change
    | TakeNextStep
    | Acknowledge
    | Redact
    | AssignTo
    | SetStatusChannel
    | OpenDeclare
    | ShowTray
    | ShowBoard
    | ShowCard
    | ShowTimeline
    | ShowHelp
)


class UsageError(UserError):
    """Something was typed wrong, or a button or a form cannot be read. Nothing was changed.

    ``problem`` and ``hint`` are sentences; ``suggestion`` is the word that was probably meant,
    ``usage`` the line to type. All but the first may be None.
    """

    def __init__(
        self,
        problem: str,
        *,
        usage: str | None = None,
        suggestion: str | None = None,
        hint: str | None = None,
    ) -> None:
        meant = f" Did you mean {suggestion}?" if suggestion else ""
        listed = f" {hint}" if hint else ""
        line = f" Usage: `{usage}`" if usage else ""
        super().__init__(f"{problem}{meant}{listed}{line}")
        self.problem = problem
        self.hint = hint
        self.suggestion = suggestion
        self.usage = usage
