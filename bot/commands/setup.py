"""The settings of a command, from the environment and `.env`; its end when they are wrong."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NoReturn, TypeVar

import typer
from dotenv import dotenv_values

from bot.settings import KeySettings, PublicSettings, Settings, StorageSettings, WrongSettings
from bot.team_files import UnreadableFile, read_lifecycles
from bot.telemetry import configure_logs, safe_line
from bot.variables import SettingProblem, is_loopback
from core.errors import InvalidFile
from core.lifecycle import PRESETS, Lifecycle

Read = TypeVar("Read")
Stored = TypeVar("Stored", bound=StorageSettings)


def environment() -> Mapping[str, str]:
    """The variables of the process; `.env` in the working directory supplies those it lacks.

    `.env` is read and not loaded, and Slack's variables are removed from the process: Bolt reads
    some by itself, and would start an OAuth installation flow, with files, if it found two of them.

    Raises:
        WrongSettings: `.env` exists and cannot be read.
    """
    given = dict(os.environ)
    for name in given:
        if name.startswith("SLACK_"):
            del os.environ[name]
    try:
        # Editors on Windows start a file with a byte order mark. A password may contain ${…}.
        in_file = dotenv_values(".env", encoding="utf-8-sig", interpolate=False)
    except (OSError, UnicodeDecodeError):
        problem = SettingProblem(
            ".env", "cannot be read", "make it a text file in UTF-8, or remove it"
        )
        raise WrongSettings([problem]) from None
    return {**{name: value or "" for name, value in in_file.items()}, **given}


def _right(read: Callable[[Mapping[str, str]], Read]) -> Read:
    """What ``read`` makes of the environment. Ends the program when that is wrong."""
    try:
        return read(environment())
    except WrongSettings as error:
        wrong(*error.problems)


def _logged(settings: Stored) -> Stored:
    """``settings``, which logs follow from now on."""
    configure_logs(log_format=settings.log_format, log_level=settings.log_level)
    return settings


def slack_settings() -> Settings:
    """The settings of a command that calls Slack. Ends the program when they are wrong."""
    settings = _right(Settings.from_env)
    _call_without_proxy(settings.slack_api_url)
    return settings


def key_settings() -> KeySettings:
    """The settings of a command that asks Slack if it can; logs follow them from now on.

    Ends the program when they are wrong.
    """
    settings = _right(KeySettings.from_env)
    _call_without_proxy(settings.slack_api_url)
    return _logged(settings)


def settings_to_check() -> tuple[Settings | StorageSettings | None, tuple[SettingProblem, ...]]:
    """The settings as far as they are right, and every problem.

    With a problem they are those of the database alone, or None if these are wrong as well. Ends
    the program when `.env` cannot be read.
    """
    try:
        given = environment()
    except WrongSettings as error:
        wrong(*error.problems)
    try:
        settings = Settings.from_env(given)
    except WrongSettings as error:
        try:
            return StorageSettings.from_env(given), error.problems
        except WrongSettings:
            return None, error.problems
    _call_without_proxy(settings.slack_api_url)
    return settings, ()


def _call_without_proxy(slack_api_url: str) -> None:
    """Lets calls reach a Slack on this machine.

    slack_sdk sends every call through the proxy, and no proxy leads back to this machine.
    """
    if is_loopback(slack_api_url):
        for name in ("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy"):
            os.environ.pop(name, None)


def storage_settings() -> StorageSettings:
    """The settings of a command that needs only the database; logs follow them from now on.

    Ends the program when they are wrong.
    """
    settings = _right(StorageSettings.from_env)
    return _logged(settings)


def public_settings() -> PublicSettings:
    """The settings of a command that shows only public facts; logs follow them from now on.

    Ends the program when they are wrong.
    """
    settings = _right(PublicSettings.from_env)
    return _logged(settings)


def lifecycles_in(file: Path | None) -> tuple[Lifecycle, ...]:
    """The lifecycles of ``file``; None: the built-in ones. Ends the program when it is wrong."""
    if file is None:
        return PRESETS
    try:
        return read_lifecycles(file)
    except UnreadableFile as error:
        wrong(f"{file} {error.why}")
    except InvalidFile as error:
        wrong(*(f"{file}: {problem}" for problem in error.problems), code=1)


def number(option: str, text: str, *, least: int, most: int) -> int:
    """The number that was given to ``option``, such as ``--port``, from ``least`` to ``most``.

    Ends the program if it is none. All options of the command line are read so: the library's own
    words would name its types.
    """
    if not (re.fullmatch("[0-9]{1,9}", text) and least <= int(text) <= most):
        wrong(
            f'{option} "{text}" is no {option.removeprefix("--")}: name a number from {least} to '
            f"{most}."
        )
    return int(text)


def wrong(*lines: object, code: int = 2) -> NoReturn:
    """Ends the program with exit code ``code``, and one line on standard error per problem."""
    for line in lines:
        typer.echo(safe_line(str(line)), err=True)
    raise typer.Exit(code)
