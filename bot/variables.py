"""Environment variables, read one by one; each that is wrong becomes a problem with a cure."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

from bot.team_files import UnreadableFile, read_lifecycles, read_templates
from bot.telemetry import safe_line
from core.errors import InvalidFile, UnknownLifecycle
from core.incident import Severity
from core.lifecycle import PRESETS, Catalogue
from core.settings import DEFAULTS, Setting
from core.settings import read as read_setting
from core.templates import Template
from core.workspace import WorkspaceSettings

Part = TypeVar("Part")

SLACK_API = "https://slack.com/api/"
LOG_LEVELS = ("debug", "info", "warning", "error")
LOG_FORMATS = ("console", "json")
# A longer value may be a secret on the wrong line, so it is not quoted.
QUOTED_MAX = 24
# An address of PostgreSQL with one place for a password. SQLAlchemy reads it in the same way.
SERVER = re.compile(r"postgres(?:ql)?://(?:[^:/@]*(?::[^@]*)?@)?[^@]*")
# The variables with the defaults of a workspace, and the cure of each that cannot be read.
_CHANNEL = "set the id of a channel, such as C0123ABCD"
_GROUP = "set the id of a user group, such as S0123ABCD"
_SEVERITIES = f"set some of {', '.join(Severity)} with commas between them"
WORKSPACE_CURES = {
    "STATUS_CHANNEL": _CHANNEL,
    "RESPONDERS_GROUP": _GROUP,
    "PUBLISHERS_GROUP": _GROUP,
    "DEFAULT_SEVERITY": f"set one of {', '.join(Severity)}",
    "MENTION_AT": f"{_SEVERITIES}, or none",
    "PROMISE_DEFAULTS": "set severities, such as critical=30m,high=60m, or none",
    "PRIVATE_BY_DEFAULT": "set one of yes, no",
    "INCIDENT_CHANNELS": f"set off or offer, or {_SEVERITIES.removeprefix('set ')}",
    "API_CHANNEL": _CHANNEL,
}
# A host name, and the id of a Slack team.
HOST_NAME = re.compile(r"(?=.{1,253}$)[a-z0-9-]{1,63}(\.[a-z0-9-]{1,63})*")
TEAM = re.compile(r"[TE][A-Z0-9]{2,20}")


@dataclass(frozen=True, slots=True)
class SettingProblem:
    """One wrong setting. ``problem`` never quotes a secret; ``cure`` says what to set."""

    variable: str
    problem: str
    cure: str

    def __str__(self) -> str:
        return safe_line(f"{self.variable} {self.problem}: {self.cure}")


class Variables:
    """Reads one variable after another, and collects their problems."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment
        self.problems: list[SettingProblem] = []

    def problem(self, variable: str, problem: str, cure: str) -> None:
        self.problems.append(SettingProblem(variable, problem, cure))

    def wrong(self, variable: str, value: str, cure: str) -> None:
        """A problem that quotes ``value``, unless it could be a secret from another line."""
        harmless = len(value) <= QUOTED_MAX and value.isprintable() and safe_line(value) == value
        self.problem(variable, f'is "{value}"' if harmless else "is not valid", cure)

    def text(self, variable: str) -> str | None:
        return self._environment.get(variable, "").strip() or None

    def token(self, variable: str, prefix: str, *, needed: bool = False) -> str | None:
        value = self.text(variable)
        if value is None and needed:
            self.problem(variable, "is not set", f"set the {prefix}… token of the Slack app")
        if value is not None and not re.fullmatch(re.escape(prefix) + r"[A-Za-z0-9_.-]+", value):
            self.problem(
                variable, f"is no {prefix}… token", "copy it again from the Slack app's page"
            )
        return value

    def number(self, variable: str, default: int, *, least: int, most: int) -> int:
        value = self.text(variable)
        if value is None:
            return default
        # int() also accepts signs, underscores and any script's digits, and fails on long numbers.
        if re.fullmatch("[0-9]{1,9}", value) and least <= int(value) <= most:
            return int(value)
        self.wrong(variable, value, f"set a whole number from {least} to {most}")
        return default

    def workspace(self) -> WorkspaceSettings:
        """The defaults of a workspace. The default lifecycle is that of the catalogue."""
        found: dict[str, Any] = {}
        for variable, cure in WORKSPACE_CURES.items():
            if text := self.text(variable):
                setting = Setting(variable.lower())
                try:
                    found[setting] = read_setting(setting, text)
                except ValueError:
                    self.wrong(variable, text, cure)
        return replace(DEFAULTS, **found)

    def choice(self, variable: str, choices: tuple[str, ...], default: str) -> str:
        value = (self.text(variable) or default).lower()
        if value not in choices:
            self.wrong(variable, value, f"set one of {', '.join(choices)}")
        return value

    def flag(self, variable: str) -> bool:
        return self.choice(variable, ("yes", "no"), "no") == "yes"

    def url(self, variable: str) -> str | None:
        value = self.text(variable)
        if value is not None and not _is_http(value):
            self.problem(variable, "is no address", "set one that begins with https:// or http://")
        return value and value.rstrip("/")

    def path(self, variable: str) -> Path | None:
        value = self.text(variable)
        return Path(value) if value else None

    def public(self) -> dict[str, Any]:
        return {
            "host": self.text("HOST") or "127.0.0.1",
            "port": self.number("PORT", 3000, least=0, most=65_535),
            "public_url": self.url("PUBLIC_URL"),
            "status_hosts": self.status_hosts(),
            "trusted_proxies": self.trusted_proxies(),
        }

    def status_hosts(self) -> Mapping[str, str | None]:
        """The hosts of status pages with their workspaces; a single one needs no workspace."""
        found: dict[str, str | None] = {}
        parts = [part.strip() for part in (self.text("STATUS_HOST") or "").split(",")]
        for part in filter(None, parts):
            name, equals, workspace = (text.strip() for text in part.partition("="))
            host = name.lower().removesuffix(".")
            right = HOST_NAME.fullmatch(host) and host not in found
            if not right or not (TEAM.fullmatch(workspace) if equals else len(parts) == 1):
                self.wrong(
                    "STATUS_HOST",
                    part,
                    "set a host name such as status.example.com, or several with their "
                    "workspaces: status.example.com=T0123ABCD,status.example.org=T0456EFGH",
                )
            found[host] = workspace or None
        return found

    def trusted_proxies(self) -> tuple[str, ...]:
        """The addresses and networks whose ``X-Forwarded-For`` names the client."""
        parts = (self.text("TRUSTED_PROXIES") or "127.0.0.1,::1").split(",")
        found = tuple(part.strip() for part in parts)
        for part in found:
            try:
                ip_network(part)
            except ValueError:
                self.wrong(
                    "TRUSTED_PROXIES",
                    part,
                    "set IP addresses or networks, such as 127.0.0.1,10.0.0.0/8",
                )
        return found

    def slack_api_url(self) -> str:
        value = self.text("SLACK_API_URL") or SLACK_API
        if not _is_http(value) or (urlsplit(value).scheme == "http" and not is_loopback(value)):
            # Every call sends the bot token there.
            self.problem(
                "SLACK_API_URL",
                "is no https:// address (http:// is only for this machine)",
                f"leave it out for {SLACK_API}",
            )
        return value.rstrip("/") + "/"

    def storage(self) -> dict[str, str]:
        value = self.text("DATABASE_URL") or "sqlite:///ratchet.db"
        # Each connection would get its own database in memory, and a stop would empty it.
        if not re.match(r"sqlite:///(?!:memory:).|postgres(ql)?://.", value):
            self.problem(
                "DATABASE_URL",
                "names no database that Ratchet knows",
                "set sqlite:///<file> or postgresql://<host>/<name>",
            )
        elif not (value.startswith("sqlite:") or SERVER.fullmatch(value)):
            # A part of the password would be taken for the host or the database, and be shown in
            # the errors of a connection.
            self.problem(
                "DATABASE_URL",
                "has an @ or a / where none may be",
                "write an @ in a name or password as %40, a / as %2F, a % as %25",
            )
        return {"database_url": value}

    def logs(self) -> dict[str, str]:
        return {
            "log_format": self.choice(
                "LOG_FORMAT", LOG_FORMATS, "console" if sys.stderr.isatty() else "json"
            ),
            "log_level": self.choice("LOG_LEVEL", LOG_LEVELS, "info"),
        }

    def templates(self) -> tuple[Template, ...]:
        return self.file("TEMPLATES_FILE", read_templates) or ()

    def file(
        self, variable: str, read: Callable[[Path], tuple[Part, ...]]
    ) -> tuple[Part, ...] | None:
        """The parts of the file that ``variable`` names, none without one; None if it is wrong."""
        path = self.text(variable)
        if path is None:
            return ()
        try:
            return read(Path(path))
        except UnreadableFile as error:
            self.problem(variable, error.why, "set the path of a TOML file")
        except InvalidFile as error:
            for problem in error.problems:
                self.problem(variable, f"is wrong, {problem}", "correct the file")
        return None

    def lifecycles(self) -> Catalogue | None:
        own = self.file("LIFECYCLES_FILE", read_lifecycles)
        if own is None:
            return None
        try:
            default = self.text("DEFAULT_LIFECYCLE") or PRESETS[0].name
            return Catalogue((*PRESETS, *own), default=default)
        except UnknownLifecycle as error:
            self.wrong("DEFAULT_LIFECYCLE", error.asked, f"set one of {', '.join(error.known)}")
            return None


def _is_http(value: str) -> bool:
    """Whether ``value`` is an http(s) address without query, fragment and password."""
    # urlsplit() ignores line breaks; in a log they would break the line that shows the address.
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
