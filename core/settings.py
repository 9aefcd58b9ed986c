"""The settings of a workspace as texts, and the values in force: its own before the defaults. Pure.

The environment and `/incident setup` write a setting in the same words, so one reader is enough.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from core.incident import Person, Severity
from core.promise import LONGEST, SHORTEST
from core.times import span_of
from core.workspace import IncidentChannels, WorkspaceSettings

NONE = "none"
YES, NO = "yes", "no"
OFF, OFFER = "off", "offer"
_PROMISED = re.compile(rf"({'|'.join(Severity)}) ?= ?(.+)")
_NAME_MAX = 100


class Setting(StrEnum):
    """The settings of a workspace: fields of `WorkspaceSettings`, in the order of the dialog."""

    STATUS_CHANNEL = "status_channel"
    RESPONDERS_GROUP = "responders_group"
    PUBLISHERS_GROUP = "publishers_group"
    DEFAULT_LIFECYCLE = "default_lifecycle"
    DEFAULT_SEVERITY = "default_severity"
    MENTION_AT = "mention_at"
    PROMISE_DEFAULTS = "promise_defaults"
    PRIVATE_BY_DEFAULT = "private_by_default"
    INCIDENT_CHANNELS = "incident_channels"
    API_CHANNEL = "api_channel"

    @property
    def variable(self) -> str:
        """The variable of the environment that has the default."""
        return self.value.upper()


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedSetting:
    """A setting that a workspace saved itself. ``by`` and ``at`` None: an older version saved it.

    ``text`` is as `write` makes it.
    """

    setting: Setting
    text: str
    by: Person | None = None
    at: datetime | None = None


DEFAULTS = WorkspaceSettings(
    mention_at=frozenset({Severity.CRITICAL, Severity.HIGH}),
    promise_defaults={
        Severity.CRITICAL: timedelta(minutes=30),
        Severity.HIGH: timedelta(minutes=60),
    },
)


def resolved(defaults: WorkspaceSettings, saved: Mapping[str, str]) -> WorkspaceSettings:
    """``defaults`` with the texts of ``saved``, by name, in their place.

    A text that this version cannot read leaves the default, so that it breaks nothing.
    """
    found: dict[str, Any] = {}
    for setting in Setting:
        if (text := saved.get(setting)) is None:
            continue
        try:
            found[setting] = read(setting, text)
        except ValueError:
            continue
    return replace(defaults, **found) if found else defaults


def read(setting: Setting, text: str) -> Any:
    """The value of ``text``.

    Raises:
        ValueError: it has none.
    """
    return _READERS[setting](text.strip())


def write(setting: Setting, settings: WorkspaceSettings) -> str:
    """The text of a setting in ``settings``, which `read` takes."""
    value = getattr(settings, setting)
    match value:
        case None:
            return NONE
        case bool():
            return YES if value else NO
        case IncidentChannels():
            return _severities(value.at) if value.at else OFFER if value.offered else OFF
        case frozenset():
            return _severities(value)
        case Mapping():
            return ",".join(f"{of}={_minutes(value[of])}m" for of in value) or NONE
        case _:
            return str(value)


def _severities(of: frozenset[Severity]) -> str:
    """Worst first."""
    return ",".join(one for one in Severity if one in of) or NONE


def _minutes(span: timedelta) -> int:
    return int(span.total_seconds()) // 60


def _id(letters: str) -> Callable[[str], str | None]:
    def read_id(text: str) -> str | None:
        if text.lower() == NONE:
            return None
        if not re.fullmatch(f"[{letters}][A-Z0-9]+", text):
            raise ValueError
        return text

    return read_id


def _read_name(text: str) -> str:
    if not 0 < len(text) <= _NAME_MAX:
        raise ValueError
    return text


def _read_severities(text: str) -> frozenset[Severity]:
    words = [word.strip().lower() for word in text.split(",")]
    return frozenset() if words == [NONE] else frozenset(map(Severity, words))


def _read_channels(text: str) -> IncidentChannels:
    if text.lower() == OFF:
        return IncidentChannels()
    at = frozenset[Severity]() if text.lower() == OFFER else _read_severities(text)
    if not at and text.lower() != OFFER:
        raise ValueError
    return IncidentChannels(offered=True, at=at)


def _read_yes(text: str) -> bool:
    if text.lower() not in {YES, NO}:
        raise ValueError
    return text.lower() == YES


def _read_spans(text: str) -> Mapping[Severity, timedelta]:
    """Severities with whole minutes, and commas between them, worst first."""
    parts: Iterable[str] = () if text.lower() == NONE else text.lower().split(",")
    spans: dict[Severity, timedelta] = {}
    for part in parts:
        match = _PROMISED.fullmatch(part.strip())
        span = span_of(match[2]) if match else None
        if match is None or span is None or match[1] in spans:
            raise ValueError
        if not SHORTEST <= span <= LONGEST or span % SHORTEST:
            raise ValueError
        spans[Severity(match[1])] = span
    return {severity: spans[severity] for severity in Severity if severity in spans}


_READERS: Mapping[Setting, Callable[[str], Any]] = {
    Setting.STATUS_CHANNEL: _id("CG"),
    Setting.RESPONDERS_GROUP: _id("S"),
    Setting.PUBLISHERS_GROUP: _id("S"),
    Setting.DEFAULT_LIFECYCLE: _read_name,
    Setting.DEFAULT_SEVERITY: lambda text: Severity(text.lower()),
    Setting.MENTION_AT: _read_severities,
    Setting.PROMISE_DEFAULTS: _read_spans,
    Setting.PRIVATE_BY_DEFAULT: _read_yes,
    Setting.INCIDENT_CHANNELS: _read_channels,
    Setting.API_CHANNEL: _id("CG"),
}
