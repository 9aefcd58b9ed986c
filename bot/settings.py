"""What the operator sets: read once, checked whole, every fault named with its cure."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from bot.telemetry import one_line
from core.engine import REDACTION_WINDOW
from core.errors import InvalidLifecycles, UnknownLifecycle
from core.lifecycle import FILE_MAX_BYTES, PRESETS, Catalogue, Lifecycle, read

SLACK_API = "https://slack.com/api/"
LOG_LEVELS = ("debug", "info", "warning", "error")
LOG_FORMATS = ("console", "json")
# What is longer may be a secret that went into the wrong line, whatever it looks like.
QUOTED_MAX = 24


@dataclass(frozen=True, slots=True)
class SettingFault:
    """One wrong setting. ``problem`` never quotes a secret; ``cure`` says what to set."""

    variable: str
    problem: str
    cure: str

    def __str__(self) -> str:
        return one_line(f"{self.variable} {self.problem}: {self.cure}")


class WrongSettings(Exception):
    """The settings cannot be used. ``faults`` are all of them, one line each."""

    def __init__(self, faults: list[SettingFault]) -> None:
        self.faults = tuple(faults)
        super().__init__("\n".join(map(str, faults)))


class UnreadableFile(Exception):
    """A file cannot be read as text; ``why`` ends a sentence about it."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


def read_lifecycles(path: Path) -> tuple[Lifecycle, ...]:
    """The lifecycles of a team's own file; the names of those that are built in are taken.

    Raises:
        UnreadableFile: there is no such file, or it is no text.
        InvalidLifecycles: with every fault of the file.
    """
    try:
        with path.open("rb") as file:
            # A little more than is allowed: enough to be refused, even of a file without an end.
            content = file.read(FILE_MAX_BYTES + 16)
        # Editors on Windows put a mark before the first line. A character may have been cut in two.
        text = content.decode("utf-8-sig", "ignore" if len(content) > FILE_MAX_BYTES else "strict")
    except OSError as error:
        raise UnreadableFile(f"cannot be read ({error.strerror})") from None
    except UnicodeDecodeError:
        raise UnreadableFile("is not UTF-8") from None
    except ValueError:
        raise UnreadableFile("is no name of a file") from None
    return read(text, taken=frozenset(lifecycle.name for lifecycle in PRESETS))


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The settings of `docs/operations.md`, by their names in lower case.

    ``publish_delay`` is in seconds, at most as many as an author may withdraw a text within.
    Secrets are left out of ``repr``: a settings object can be printed anywhere.
    """

    slack_bot_token: str = field(repr=False)
    slack_app_token: str | None = field(default=None, repr=False)
    slack_signing_secret: str | None = field(default=None, repr=False)
    slack_api_url: str = SLACK_API
    status_channel: str | None = None
    database_url: str = field(default="sqlite:///ratchet.db", repr=False)
    host: str = "127.0.0.1"
    port: int = 3000
    public_url: str | None = None
    lifecycles: Catalogue
    heartbeat_url: str | None = field(default=None, repr=False)
    responders_group: str | None = None
    publishers_group: str | None = None
    publish_delay: int = 10
    api_rate_limit: int = 50
    log_format: str = "json"
    log_level: str = "info"

    @classmethod
    def from_env(cls, environment: Mapping[str, str]) -> Settings:
        """The settings that ``environment`` holds. An empty variable counts as one that is not set.

        Raises:
            WrongSettings: with every fault there is.
        """
        reader = _Reader(environment)
        chosen: dict[str, Any] = {
            "slack_bot_token": reader.token("SLACK_BOT_TOKEN", "xoxb-", needed=True),
            "slack_app_token": reader.token("SLACK_APP_TOKEN", "xapp-"),
            "slack_signing_secret": reader.text("SLACK_SIGNING_SECRET"),
            "slack_api_url": reader.slack_api_url(),
            "status_channel": reader.slack_id("STATUS_CHANNEL", "CG", "a channel"),
            "host": reader.text("HOST") or "127.0.0.1",
            "port": reader.number("PORT", 3000, least=0, most=65_535),
            "public_url": reader.url("PUBLIC_URL"),
            "heartbeat_url": reader.url("HEARTBEAT_URL"),
            "lifecycles": reader.lifecycles(),
            "responders_group": reader.slack_id("RESPONDERS_GROUP", "S", "a user group"),
            "publishers_group": reader.slack_id("PUBLISHERS_GROUP", "S", "a user group"),
            "publish_delay": reader.number(
                "PUBLISH_DELAY", 10, least=0, most=int(REDACTION_WINDOW.total_seconds())
            ),
            "api_rate_limit": reader.number("API_RATE_LIMIT", 50, least=0, most=1_000_000),
            **reader.storage(),
            **reader.logs(),
        }
        if not (chosen["slack_app_token"] or chosen["slack_signing_secret"]):
            reader.fault(
                "SLACK_APP_TOKEN",
                "is not set, and neither is SLACK_SIGNING_SECRET",
                "set the xapp-… token (Socket Mode) or the signing secret (HTTP mode)",
            )
        if reader.faults:
            raise WrongSettings(reader.faults)
        return cls(**chosen)


@dataclass(frozen=True, slots=True, kw_only=True)
class StorageSettings:
    """The part of the settings that commands without Slack need: `migrate`, `lifecycles`."""

    database_url: str = field(repr=False)
    log_format: str
    log_level: str

    @classmethod
    def from_env(cls, environment: Mapping[str, str]) -> StorageSettings:
        """As `Settings.from_env`, for these settings alone."""
        reader = _Reader(environment)
        chosen = {**reader.storage(), **reader.logs()}
        if reader.faults:
            raise WrongSettings(reader.faults)
        return cls(**chosen)


class _Reader:
    """Reads one variable after another and remembers what is wrong with them."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment
        self.faults: list[SettingFault] = []

    def fault(self, variable: str, problem: str, cure: str) -> None:
        self.faults.append(SettingFault(variable, problem, cure))

    def wrong(self, variable: str, value: str, cure: str) -> None:
        """A fault that quotes ``value``, where that can be no secret from another line."""
        harmless = len(value) <= QUOTED_MAX and value.isprintable() and one_line(value) == value
        self.fault(variable, f'is "{value}"' if harmless else "is something else", cure)

    def text(self, variable: str) -> str | None:
        return self._environment.get(variable, "").strip() or None

    def token(self, variable: str, prefix: str, *, needed: bool = False) -> str | None:
        value = self.text(variable)
        if value is None and needed:
            self.fault(variable, "is not set", f"set the {prefix}… token of the Slack app")
        if value is not None and not re.fullmatch(re.escape(prefix) + r"[A-Za-z0-9_.-]+", value):
            self.fault(
                variable, f"is no {prefix}… token", "copy it again from the Slack app's page"
            )
        return value

    def slack_id(self, variable: str, letters: str, what: str) -> str | None:
        value = self.text(variable)
        if value is not None and not re.fullmatch(f"[{letters}][A-Z0-9]+", value):
            self.wrong(variable, value, f"set the id of {what}, such as {letters[0]}0123ABCD")
        return value

    def number(self, variable: str, default: int, *, least: int, most: int) -> int:
        value = self.text(variable)
        if value is None:
            return default
        # int() takes the digits of every script, signs and underscores, and chokes on thousands.
        if re.fullmatch("[0-9]{1,9}", value) and least <= int(value) <= most:
            return int(value)
        self.wrong(variable, value, f"set a whole number from {least} to {most}")
        return default

    def choice(self, variable: str, choices: tuple[str, ...], default: str) -> str:
        value = (self.text(variable) or default).lower()
        if value not in choices:
            self.wrong(variable, value, f"set one of {', '.join(choices)}")
        return value

    def url(self, variable: str) -> str | None:
        value = self.text(variable)
        if value is not None and not _is_http(value):
            self.fault(variable, "is no address", "set one that begins with https:// or http://")
        return value and value.rstrip("/")

    def slack_api_url(self) -> str:
        value = self.text("SLACK_API_URL") or SLACK_API
        if not _is_http(value) or (urlsplit(value).scheme == "http" and not is_loopback(value)):
            # The bot token goes there with every call.
            self.fault(
                "SLACK_API_URL",
                "is no https:// address (http:// is for this machine alone)",
                f"leave it out for {SLACK_API}",
            )
        return value.rstrip("/") + "/"

    def storage(self) -> dict[str, str]:
        value = self.text("DATABASE_URL") or "sqlite:///ratchet.db"
        # A database in memory would be another one for each connection, and empty after a stop.
        if not re.match(r"sqlite:///(?!:memory:).|postgres(ql)?://.", value):
            self.fault(
                "DATABASE_URL",
                "names no database that Ratchet knows",
                "set sqlite:///<file> or postgresql://<host>/<name>",
            )
        return {"database_url": value}

    def logs(self) -> dict[str, str]:
        return {
            "log_format": self.choice(
                "LOG_FORMAT", LOG_FORMATS, "console" if sys.stderr.isatty() else "json"
            ),
            "log_level": self.choice("LOG_LEVEL", LOG_LEVELS, "info"),
        }

    def lifecycles(self) -> Catalogue | None:
        own: tuple[Lifecycle, ...] = ()
        if path := self.text("LIFECYCLES_FILE"):
            try:
                own = read_lifecycles(Path(path))
            except UnreadableFile as error:
                self.fault("LIFECYCLES_FILE", error.why, "set the path of a TOML file")
                return None
            except InvalidLifecycles as error:
                for fault in error.problems:
                    self.fault("LIFECYCLES_FILE", f"is wrong, {fault}", "mend the file")
                return None
        try:
            default = self.text("DEFAULT_LIFECYCLE") or PRESETS[0].name
            return Catalogue((*PRESETS, *own), default=default)
        except UnknownLifecycle as error:
            self.wrong("DEFAULT_LIFECYCLE", error.asked, f"set one of {', '.join(error.known)}")
            return None


def _is_http(value: str) -> bool:
    """Whether ``value`` is an address to which a path can be added, with no password in it."""
    # urlsplit() leaves out line breaks, which would then break whatever line shows the address.
    if re.search(r"[\s\\?#@]", value) or not value.isprintable():
        return False
    try:
        parts = urlsplit(value)
        return parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def is_loopback(url: str) -> bool:
    """Whether ``url`` can only mean this machine."""
    host = urlsplit(url).hostname or ""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False
