"""The parts of bodies and queries that both dialects share: texts, times, filters of a list."""

from __future__ import annotations

import contextlib
import hashlib
import re
from datetime import UTC, date, datetime, time
from typing import Annotated
from uuid import UUID

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
from bot.http.problems import FieldError
from core.boards import BoardFilter, Scope
from core.incident import BODY_MAX, Severity
from core.lifecycle import NAME

PAGE = 20
PAGE_MAX = 100
TIMELINE_PAGE = 100
TIMELINE_PAGE_MAX = 200

DAY = re.compile("[0-9]{4}-[0-9]{2}-[0-9]{2}")
MOMENT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?([Zz]|[+-][0-9]{2}:[0-9]{2})"
)
NUMBER = re.compile("[0-9]{1,10}")
CHANNEL = re.compile("[CG][A-Z0-9]{2,49}")
CURSOR = "^[0-9a-f]{16}-[0-9]{1,10}$"


def _day(value: object) -> date:
    if isinstance(value, str) and DAY.fullmatch(value):
        with contextlib.suppress(ValueError):  # such as 30 February
            return date.fromisoformat(value)
    raise ValueError("must be a day such as 2026-03-02")


def _moment(value: object) -> datetime:
    if isinstance(value, str) and MOMENT.fullmatch(value):
        with contextlib.suppress(ValueError):
            return datetime.fromisoformat(value)
    raise ValueError("must be a moment such as 2026-03-02T09:00:00Z")


def _channel(value: object) -> str:
    if isinstance(value, str) and CHANNEL.fullmatch(value):
        return value
    raise ValueError("must be the id of a channel, such as C024BE91L")


def whole_number(most: int) -> BeforeValidator:
    """Accepts only digits. Pydantic also takes `1.0`, `+1` and spaces for a number."""

    def limit(value: object) -> int:
        if isinstance(value, int):
            return value
        if isinstance(value, str) and NUMBER.fullmatch(value) and 1 <= int(value) <= most:
            return int(value)
        raise ValueError(f"must be a whole number from 1 to {most}")

    return BeforeValidator(limit)


def without_fraction(value: object) -> object:
    """``60`` for ``60.0``: to JSON Schema they are the same integer."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def iso(at: datetime) -> str:
    """``2026-03-02T09:00:00.000Z``."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


Moment = Annotated[
    datetime,
    PlainSerializer(iso),
    WithJsonSchema(
        {"type": "string", "format": "date-time", "examples": ["2026-03-02T09:00:00.000Z"]}
    ),
]
MomentInput = Annotated[datetime, BeforeValidator(_moment)]
DayInput = Annotated[date, BeforeValidator(_day)]

# The engine refuses an unknown status, because its refusal lists the valid ones.
StatusName = Annotated[
    str,
    StringConstraints(pattern=f"^{NAME.pattern}$"),
    Field(description="A status of the incident's own lifecycle.", examples=["identified"]),
]
# Of any lifecycle: `Call.know_status` refuses one that is unknown, and lists the others.
StatusOfAny = Annotated[
    str,
    Field(
        json_schema_extra={"x-statuses": True},
        description="A status of any lifecycle.",
        examples=["identified"],
    ),
]
LifecycleName = Annotated[
    str, Field(json_schema_extra={"x-lifecycles": True}, description="The name of a lifecycle.")
]
UserId = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=50),
    Field(description="The id of a Slack user.", examples=["U024BE7LH"]),
]
ChannelId = Annotated[
    str,
    BeforeValidator(_channel),
    Field(
        description="The id of a channel in Slack.",
        examples=["C024BE91L"],
        json_schema_extra={"pattern": f"^{CHANNEL.pattern}$"},
    ),
]
UpdateText = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=BODY_MAX),
    Field(description="1 to 2,000 characters after trimming."),
]


class RequestBody(BaseModel):
    """The body of a request: unknown fields are refused by name, and no type is converted."""

    model_config = ConfigDict(extra="forbid", strict=True)


class EmptyBody(RequestBody):
    """The body may be an empty object, or absent."""


EMPTY_BODY = EmptyBody()


class ListQuery(BaseModel):
    """The filters of a list of incidents. Days are in UTC; both ends are included."""

    model_config = ConfigDict(extra="forbid")

    status: StatusOfAny | None = None
    since: DayInput | None = Field(None, alias="from", description="Declared on that day or later.")
    until: DayInput | None = Field(None, alias="to", description="Declared on that day or earlier.")
    limit: Annotated[int, whole_number(PAGE_MAX)] = Field(PAGE, ge=1, le=PAGE_MAX)
    cursor: str | None = Field(
        None, pattern=CURSOR, description="The end of the previous page of the same list."
    )

    @model_validator(mode="after")
    def _in_order(self) -> ListQuery:
        if self.since and self.until and self.since > self.until:
            raise ValueError("from must not be later than to")
        return self

    def filter(self, severity: Severity | None) -> BoardFilter:
        """The same filters for `Incidents.board`."""
        return BoardFilter(
            scope=Scope.ALL,
            severity=severity,
            status=self.status,
            since=datetime.combine(self.since, time.min, UTC) if self.since else None,
            until=datetime.combine(self.until, time.max, UTC) if self.until else None,
        )

    def before(self, filters: BoardFilter) -> int | None:
        """The incident number that the page begins below; None for the first page.

        Raises:
            ApiError: the cursor belongs to a list with other filters.
        """
        return _position(self.cursor, _filters(filters), "is of a list with other filters")


class TimelineQuery(BaseModel):
    """A page of the timeline of one incident."""

    model_config = ConfigDict(extra="forbid")

    limit: Annotated[int, whole_number(TIMELINE_PAGE_MAX)] = Field(
        TIMELINE_PAGE, ge=1, le=TIMELINE_PAGE_MAX
    )
    cursor: str | None = Field(
        None, pattern=CURSOR, description="The end of the previous page of the same timeline."
    )

    def position(self, dialect: str, incident: UUID) -> int | None:
        """The entry at which the page before ended; None for the first page.

        Raises:
            ApiError: the cursor belongs to another timeline, or to the other dialect.
        """
        return _position(self.cursor, (dialect, incident), "is of another timeline")


def cursor(filters: BoardFilter, before: int | None) -> str | None:
    """The cursor of the page that begins below the number ``before``; None after the last page."""
    return None if before is None else f"{_mark(_filters(filters))}-{before}"


def timeline_cursor(dialect: str, incident: UUID, entry: int | None) -> str | None:
    """The cursor of the page behind ``entry``; None after the last page."""
    return None if entry is None else f"{_mark((dialect, incident))}-{entry}"


def _position(cursor: str | None, parts: tuple[object, ...], wrong: str) -> int | None:
    if cursor is None:
        return None
    mark, _, number = cursor.partition("-")
    if mark != _mark(parts):
        raise problems.invalid([FieldError("cursor", f"{wrong}: leave it out and begin anew")])
    return int(number)


def _filters(filters: BoardFilter) -> tuple[object, ...]:
    return (
        filters.severity,
        filters.status,
        filters.since and filters.since.date(),
        filters.until and filters.until.date(),
        *filter(None, (filters.number, filters.scope is Scope.OPEN)),
    )


def _mark(parts: tuple[object, ...]) -> str:
    """Tells lists apart that differ in any of ``parts``: 16 hexadecimal digits."""
    return hashlib.sha256(repr(list(map(str, parts))).encode()).hexdigest()[:16]
