"""What both dialects have in common: texts, times, lists narrowed to what was asked for."""

from __future__ import annotations

import contextlib
import hashlib
import re
from datetime import UTC, date, datetime, time
from typing import Annotated, Any

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    StringConstraints,
    WithJsonSchema,
    model_validator,
)

from bot.http import problems
from bot.http.problems import Fault
from core.incident import BODY_MAX, BoardFilter, Scope, Severity

PAGE = 20
PAGE_MAX = 100

DAY = re.compile("[0-9]{4}-[0-9]{2}-[0-9]{2}")
MOMENT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?([Zz]|[+-][0-9]{2}:[0-9]{2})"
)
NUMBER = re.compile("[0-9]{1,3}")
CURSOR = "^[0-9a-f]{16}-[0-9]{1,10}$"


def _day(value: object) -> date:
    if isinstance(value, str) and DAY.fullmatch(value):
        with contextlib.suppress(ValueError):  # Not every month has as many days.
            return date.fromisoformat(value)
    raise ValueError("must be a day such as 2026-03-02")


def _moment(value: object) -> datetime:
    if isinstance(value, str) and MOMENT.fullmatch(value):
        with contextlib.suppress(ValueError):
            return datetime.fromisoformat(value)
    raise ValueError("must be a moment such as 2026-03-02T09:00:00Z")


def _limit(value: object) -> int:
    """Digits alone: what else pydantic takes for a number is a slip."""
    if isinstance(value, int):
        return value
    if isinstance(value, str) and NUMBER.fullmatch(value) and 1 <= int(value) <= PAGE_MAX:
        return int(value)
    raise ValueError(f"must be a whole number from 1 to {PAGE_MAX}")


def iso(at: datetime) -> str:
    """``2026-03-02T09:00:00.000Z``."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


Moment = Annotated[
    datetime,
    PlainSerializer(iso),
    WithJsonSchema(
        {"type": "string", "format": "date-time", "examples": ["2025-04-07T08:23:11.000Z"]}
    ),
]
AskedMoment = Annotated[datetime, BeforeValidator(_moment)]
AskedDay = Annotated[date, BeforeValidator(_day)]

# An unknown one is the engine's to refuse, with those that are possible.
StatusName = Annotated[
    str,
    StringConstraints(pattern="^[a-z][a-z0-9_]{0,39}$"),
    Field(description="A status of the incident's own lifecycle.", examples=["identified"]),
]
LifecycleName = Annotated[
    str, Field(json_schema_extra={"x-lifecycles": True}, description="The name of a lifecycle.")
]
UserId = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=50),
    Field(description="The id of a Slack user.", examples=["U024BE7LH"]),
]
Body = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=BODY_MAX),
    Field(description="Trimmed; what is left must have 1 to 2,000 characters."),
]


class Asked(BaseModel):
    """The body of a request: unknown fields are refused by name, and nothing is converted."""

    model_config = ConfigDict(extra="forbid", strict=True)


class Nothing(Asked):
    """A request that needs no body may have an empty one."""


NOTHING = Nothing()


class Listing(BaseModel):
    """How a list of incidents is narrowed. Days are in UTC, and both count."""

    model_config = ConfigDict(extra="forbid")

    status: StatusName | None = None
    since: AskedDay | None = Field(None, alias="from", description="Declared on that day or later.")
    until: AskedDay | None = Field(None, alias="to", description="Declared on that day or earlier.")
    limit: Annotated[int, BeforeValidator(_limit)] = Field(PAGE, ge=1, le=PAGE_MAX)
    cursor: str | None = Field(
        None, pattern=CURSOR, description="Where the page before this one, of the same list, ended."
    )

    @model_validator(mode="after")
    def _in_order(self) -> Listing:
        if self.since and self.until and self.since > self.until:
            raise ValueError("from must not be later than to")
        return self

    def narrowed(self, severity: Severity | None) -> BoardFilter:
        """What the use cases know such a list by."""
        return BoardFilter(
            scope=Scope.ALL,
            severity=severity,
            status=self.status,
            since=datetime.combine(self.since, time.min, UTC) if self.since else None,
            until=datetime.combine(self.until, time.max, UTC) if self.until else None,
        )

    def before(self, narrowed: BoardFilter) -> int | None:
        """The number below which the page begins, None for the newest incidents.

        Raises:
            TurnedAway: the cursor is of a list that was narrowed otherwise.
        """
        if self.cursor is None:
            return None
        mark, _, number = self.cursor.partition("-")
        if mark != _mark(narrowed):
            raise problems.invalid(
                [Fault("cursor", "is of a list with other filters: leave it out and begin anew")]
            )
        return int(number)


def cursor(narrowed: BoardFilter, before: int | None) -> str | None:
    """The cursor of the page that begins below ``before``; None where there is none."""
    return None if before is None else f"{_mark(narrowed)}-{before}"


def _mark(narrowed: BoardFilter) -> str:
    """What tells lists with different filters apart."""
    told: tuple[Any, ...] = (
        narrowed.severity,
        narrowed.status,
        narrowed.since and narrowed.since.date(),
        narrowed.until and narrowed.until.date(),
    )
    return hashlib.sha256(repr(list(map(str, told))).encode()).hexdigest()[:16]
