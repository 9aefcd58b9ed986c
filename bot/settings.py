"""The operator's settings: read once and checked as a whole. Each problem comes with its cure."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bot.telemetry import safe_line
from bot.variables import WORKSPACE_CURES, SettingProblem, Variables
from core.lifecycle import Catalogue
from core.templates import Template
from core.withdrawing import REDACTION_WINDOW
from core.workspace import WorkspaceSettings

VARIABLES = frozenset(
    {
        *WORKSPACE_CURES,
        "API_RATE_LIMIT",
        "DATABASE_URL",
        "DEFAULT_LIFECYCLE",
        "HEARTBEAT_URL",
        "HOST",
        "LIFECYCLES_FILE",
        "LOG_FORMAT",
        "LOG_LEVEL",
        "PORT",
        "PUBLIC_URL",
        "PUBLISH_DELAY",
        "PUBLISH_DIR",
        "SLACK_API_URL",
        "SLACK_APP_TOKEN",
        "SLACK_BOT_TOKEN",
        "SLACK_SIGNING_SECRET",
        "STATUS_HOST",
        "TEMPLATES_FILE",
        "TRUSTED_PROXIES",
        "WEBHOOK_ALLOW_PRIVATE",
    }
)
# A near miss begins like a setting and has this share of its letters. HOSTNAME, which every shell
# may have, is far enough from HOST.
NEAR = 0.8
BEGINNING = 3


@dataclass(frozen=True, slots=True)
class NearMiss:
    """A variable that is no setting, and the setting that was probably meant."""

    variable: str
    meant: str

    def __str__(self) -> str:
        return safe_line(f"{self.variable} is no setting: did you mean {self.meant}?")


def near_misses(names: Iterable[str]) -> Iterator[NearMiss]:
    """The variables among ``names`` that look like a setting and are none, by name."""
    for name in sorted(set(names) - VARIABLES):
        near = difflib.get_close_matches(name.upper(), VARIABLES, n=1, cutoff=NEAR)
        if near and near[0][:BEGINNING] == name.upper()[:BEGINNING]:
            yield NearMiss(name, near[0])


class WrongSettings(Exception):
    """The settings cannot be used. ``problems`` has all of them, one line each."""

    def __init__(self, problems: list[SettingProblem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(map(str, problems)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The settings of `docs/operations.md`, by their names in lower case.

    ``workspace`` are the defaults of what each workspace may set for itself. ``publish_delay`` is
    in seconds, at most `REDACTION_WINDOW`.
    ``repr`` omits secrets, so a settings object can be printed anywhere.
    """

    slack_bot_token: str = field(repr=False)
    slack_app_token: str | None = field(repr=False)
    slack_signing_secret: str | None = field(repr=False)
    slack_api_url: str
    database_url: str = field(repr=False)
    host: str
    port: int
    public_url: str | None
    status_hosts: Mapping[str, str | None]
    trusted_proxies: tuple[str, ...]
    publish_dir: Path | None
    webhook_allow_private: bool
    lifecycles: Catalogue
    templates: tuple[Template, ...]
    heartbeat_url: str | None = field(repr=False)
    workspace: WorkspaceSettings
    publish_delay: int
    api_rate_limit: int
    log_format: str
    log_level: str
    near_misses: tuple[NearMiss, ...]

    @classmethod
    def from_env(cls, environment: Mapping[str, str]) -> Settings:
        """The settings in ``environment``. An empty variable counts as not set.

        Raises:
            WrongSettings: with every problem.
        """
        variables = Variables(environment)
        chosen: dict[str, Any] = {
            "slack_bot_token": variables.token("SLACK_BOT_TOKEN", "xoxb-", needed=True),
            "slack_app_token": variables.token("SLACK_APP_TOKEN", "xapp-"),
            "slack_signing_secret": variables.text("SLACK_SIGNING_SECRET"),
            "slack_api_url": variables.slack_api_url(),
            "workspace": variables.workspace(),
            **variables.public(),
            "publish_dir": variables.path("PUBLISH_DIR"),
            "webhook_allow_private": variables.flag("WEBHOOK_ALLOW_PRIVATE"),
            "heartbeat_url": variables.url("HEARTBEAT_URL"),
            "lifecycles": variables.lifecycles(),
            "templates": variables.templates(),
            "publish_delay": variables.number(
                "PUBLISH_DELAY", 10, least=0, most=int(REDACTION_WINDOW.total_seconds())
            ),
            "api_rate_limit": variables.number("API_RATE_LIMIT", 50, least=0, most=1_000_000),
            **variables.storage(),
            **variables.logs(),
            "near_misses": tuple(near_misses(environment)),
        }
        if chosen["publish_dir"] and not (chosen["public_url"] or chosen["status_hosts"]):
            variables.problem(
                "PUBLISH_DIR",
                "is set, and the address of the page is not known",
                "set STATUS_HOST or PUBLIC_URL",
            )
        if not (chosen["slack_app_token"] or chosen["slack_signing_secret"]):
            variables.problem(
                "SLACK_APP_TOKEN",
                "is not set, and neither is SLACK_SIGNING_SECRET",
                "set the xapp-… token (Socket Mode) or the signing secret (HTTP mode)",
            )
        if variables.problems:
            raise WrongSettings(variables.problems)
        return cls(**chosen)


@dataclass(frozen=True, slots=True, kw_only=True)
class StorageSettings:
    """The settings of commands that need the database and no Slack, such as `migrate`."""

    database_url: str = field(repr=False)
    log_format: str
    log_level: str

    @classmethod
    def from_env(cls, environment: Mapping[str, str]) -> StorageSettings:
        """Like `Settings.from_env`, but only for these settings."""
        variables = Variables(environment)
        chosen = {**variables.storage(), **variables.logs()}
        if variables.problems:
            raise WrongSettings(variables.problems)
        return cls(**chosen)


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicSettings(StorageSettings):
    """`StorageSettings`, and the addresses of pages: for commands that show only public facts."""

    host: str
    port: int
    public_url: str | None
    status_hosts: Mapping[str, str | None]
    trusted_proxies: tuple[str, ...]
    publish_dir: Path | None

    @classmethod
    def from_env(cls, environment: Mapping[str, str]) -> PublicSettings:
        """Like `Settings.from_env`, but only for these settings."""
        variables = Variables(environment)
        chosen: dict[str, Any] = {
            **variables.public(),
            "publish_dir": variables.path("PUBLISH_DIR"),
            **variables.storage(),
            **variables.logs(),
        }
        if variables.problems:
            raise WrongSettings(variables.problems)
        return cls(**chosen)


@dataclass(frozen=True, slots=True, kw_only=True)
class KeySettings(StorageSettings):
    """`StorageSettings`, and the ways out of this machine: for commands about one workspace.

    The token may be absent.
    """

    slack_bot_token: str | None = field(repr=False)
    slack_api_url: str
    webhook_allow_private: bool

    @classmethod
    def from_env(cls, environment: Mapping[str, str]) -> KeySettings:
        """Like `Settings.from_env`, but only for these settings."""
        variables = Variables(environment)
        token = variables.token("SLACK_BOT_TOKEN", "xoxb-")
        chosen: dict[str, Any] = {
            "slack_bot_token": token,
            "slack_api_url": variables.slack_api_url(),
            "webhook_allow_private": variables.flag("WEBHOOK_ALLOW_PRIVATE"),
            **variables.storage(),
            **variables.logs(),
        }
        if variables.problems:
            raise WrongSettings(variables.problems)
        return cls(**chosen)
