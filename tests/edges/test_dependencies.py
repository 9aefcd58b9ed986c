"""The packages of pyproject.toml: each import is declared, and each borrowed internal is listed.

An internal is a name that its package does not promise to keep: it begins with an underscore, its
module is undocumented, or a subclass of ours replaces or reads what the package leaves undescribed.
"""

from __future__ import annotations

import ast
import dis
import re
import sys
import tomllib
from collections.abc import Iterator
from functools import cache, lru_cache
from importlib import import_module
from importlib.metadata import packages_distributions
from inspect import isfunction
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from pydantic import BaseModel
from sqlalchemy import TypeDecorator
from structlog.stdlib import ProcessorFormatter

from bot.telemetry import META

ROOT = Path(__file__).parents[2]
OURS = ("bot", "core", "storage")
SOURCES = sorted(path for package in OURS for path in ROOT.joinpath(package).rglob("*.py"))
DISTRIBUTIONS = packages_distributions()
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]

# Distribution, module and name, and the file that uses it.
BORROWED = [
    ("psycopg", "psycopg", "Connection.wait", "storage/databases/postgresql.py"),
    (
        "slack-bolt",
        "slack_bolt.adapter.socket_mode.async_internals",
        "send_async_response",
        "bot/slack/sockets.py",
    ),
    (
        "slack-bolt",
        "slack_bolt.adapter.socket_mode.internals",
        "build_headers",
        "bot/slack/sockets.py",
    ),
    *(
        ("slack-sdk", "slack_sdk.socket_mode.aiohttp", name, "bot/slack/sockets.py")
        for name in (
            "SocketModeClient.aiohttp_client_session",
            "SocketModeClient.connect_operation_lock",
            "SocketModeClient.connect_to_new_endpoint",
            "SocketModeClient.is_connected",
            "SocketModeClient.wss_uri",
        )
    ),
    ("slack-sdk", "slack_sdk.web.async_client", "AsyncWebClient._request", "bot/slack/web.py"),
    ("sqlalchemy", "sqlalchemy.sql.compiler", "SQLCompiler.positional", "storage/statements.py"),
    ("sqlalchemy", "sqlalchemy.sql.compiler", "SQLCompiler.positiontup", "storage/statements.py"),
    ("starlette", "starlette.routing", "compile_path", "bot/http/rest.py"),
    ("uvicorn", "uvicorn", "Server.capture_signals", "bot/http/server.py"),
    *(
        ("uvicorn", "uvicorn", f"Server.{name}", "bot/http/server.py")
        for name in ("main_loop", "server_state", "servers", "should_exit", "shutdown", "startup")
    ),
    ("uvicorn", "uvicorn.loops.auto", "auto_loop_factory", "bot/commands/serve.py"),
    *(
        ("uvicorn", "uvicorn.protocols.http.httptools_impl", name, "bot/http/server.py")
        for name in (
            "HttpToolsProtocol",
            "HttpToolsProtocol.config",
            "HttpToolsProtocol.connection_lost",
            "HttpToolsProtocol.connection_made",
            "HttpToolsProtocol.data_received",
            "HttpToolsProtocol.logger",
            "HttpToolsProtocol.loop",
            "HttpToolsProtocol.on_headers_complete",
            "HttpToolsProtocol.on_message_begin",
            "HttpToolsProtocol.pause_writing",
            "HttpToolsProtocol.resume_writing",
            "HttpToolsProtocol.transport",
        )
    ),
]
# Modules that a package's documentation does not describe, by the form of their names.
INTERNAL = re.compile(r"(^|\.)(_\w+|\w*internals?|\w+_impl|loops)(\.|$)")
# Classes documented as bases, and the documented members that subclasses of others use.
BASES = (BaseException, BaseModel, TypeDecorator)
DOCUMENTED = {
    "APIRoute": {"get_route_handler"},
    "Collector": {"collect"},
    "Connection": {"close"},
    "Request": {"body", "json"},
    "SocketModeClient": {"connect"},
    "TyperGroup": {"invoke"},
}

# Declared for another package's sake: the code never imports them by name.
NEVER_IMPORTED = {
    "tzdata": "the zones of people, where the system has none",
    "httptools": "uvicorn's HTTP parser, of which HttpToolsProtocol is the front",
    "uvloop": "the event loop that auto_loop_factory() chooses",
}


def normalized(distribution: str) -> str:
    return re.sub(r"[-_.]+", "-", distribution).lower()


def declared(requirements: list[str]) -> dict[str, Requirement]:
    parsed = [Requirement(requirement) for requirement in requirements]
    return {normalized(requirement.name): requirement for requirement in parsed}


REQUIRED = declared(PROJECT["dependencies"])
OF_THE_DEMO = declared(PROJECT["optional-dependencies"]["demo"])


@lru_cache(maxsize=1)
def nodes(path: Path) -> tuple[ast.AST, ...]:
    """All that is in the file ``path``, from the top; for several looks at one file in a row."""
    return tuple(ast.walk(ast.parse(path.read_text())))


def imports(path: Path) -> Iterator[tuple[str, str]]:
    """Module and name of each import of others' packages in ``path``; "" for a whole module."""
    for node in nodes(path):
        match node:
            case ast.Import(names=names):
                found = [(alias.name, "") for alias in names]
            case ast.ImportFrom(module=str(module), names=names):
                found = [(module, alias.name) for alias in names]
            case _:
                continue
        for module, name in found:
            if module.split(".")[0] not in {*OURS, *sys.stdlib_module_names}:
                yield module, name


def distribution_of(module: str) -> str:
    (distribution,) = set(DISTRIBUTIONS[module.split(".", maxsplit=1)[0]])
    return normalized(distribution)


# --- declared ----------------------------------------------------------------------------------


def test_every_import_is_declared_and_nothing_else():
    needed = {path: {distribution_of(module) for module, _ in imports(path)} for path in SOURCES}
    demo = needed.pop(ROOT / "bot" / "stand_in.py")
    imported = set().union(*needed.values())

    assert imported | NEVER_IMPORTED.keys() == REQUIRED.keys()
    assert demo - imported == OF_THE_DEMO.keys()


@pytest.mark.parametrize("requirement", [*REQUIRED.values(), *OF_THE_DEMO.values()], ids=str)
def test_every_dependency_has_a_lower_bound(requirement):
    assert ">=" in {bound.operator for bound in requirement.specifier}


# --- borrowed ----------------------------------------------------------------------------------


def has(owner: Any, name: str) -> bool:
    """Whether a class or module has ``name``: as a member, an annotation or set by a method."""
    return hasattr(owner, name) or any(
        name in vars(kind).get("__annotations__", {}) or name in set_by_methods(kind)
        for kind in owner.__mro__
    )


@cache
def set_by_methods(kind: type) -> set[str]:
    return {
        step.argval
        for method in vars(kind).values()
        if isfunction(method)
        for step in dis.get_instructions(method)
        if step.opname == "STORE_ATTR"
    }


@pytest.mark.parametrize(("distribution", "module", "name", "file"), BORROWED)
def test_a_borrowed_internal_exists_and_is_used_where_the_list_says(
    distribution, module, name, file
):
    owner: Any = import_module(module)
    *kinds, member = name.split(".")
    for kind in kinds:
        owner = getattr(owner, kind)
    used = {
        word
        for node in ast.walk(ast.parse((ROOT / file).read_text()))
        for word in (
            getattr(node, "attr", None),
            getattr(node, "name", None),
            getattr(getattr(node, "target", None), "id", None),
        )
    }

    assert distribution_of(module) == distribution
    assert has(owner, member)
    assert member in used


@pytest.mark.parametrize("distribution", sorted({row[0] for row in BORROWED} | {"structlog"}))
def test_a_package_with_borrowed_internals_has_an_upper_bound(distribution):
    assert "<" in {bound.operator for bound in REQUIRED[distribution].specifier}


def test_the_two_keys_that_structlog_adds_to_an_event_are_those_that_the_logs_keep():
    event: dict[str, Any] = dict.fromkeys(META, None) | {"event": "request"}

    assert ProcessorFormatter.remove_processors_meta(None, "", event) == {"event": "request"}


# --- the list is whole -------------------------------------------------------------------------


def imported_internals(path: Path) -> Iterator[str]:
    for module, name in imports(path):
        if INTERNAL.search(module) or name.startswith("_"):
            yield name


def private_attributes(path: Path, ours: set[str]) -> Iterator[str]:
    """The attributes with an underscore that no class of ours defines."""
    for node in nodes(path):
        match node:
            case ast.Attribute(value=ast.Name(id=name)) if name in sys.stdlib_module_names:
                continue
            case ast.Attribute(attr=name) if re.match("_(?!_)", name) and name not in ours:
                yield name


def defined(path: Path) -> Iterator[str]:
    """The names that the classes and functions of ``path`` define, also on ``self``."""
    for node in nodes(path):
        match node:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                yield name
            case ast.Attribute(value=ast.Name(id="self"), attr=name, ctx=ast.Store()):
                yield name
            case ast.Name(id=name, ctx=ast.Store()):
                yield name


def inherited(path: Path) -> Iterator[str]:
    """The undocumented members of others' classes that subclasses in ``path`` replace or read."""
    modules = {name or module: module for module, name in imports(path)}
    for node in nodes(path):
        if isinstance(node, ast.ClassDef):
            for written in (ast.unparse(base).split("[")[0].split(".") for base in node.bases):
                if written[0] in modules:
                    base = getattr(import_module(modules[written[0]]), written[-1])
                    if not issubclass(base, BASES):
                        documented = DOCUMENTED.get(base.__qualname__, set())
                        yield from set(replaced_or_read(node, base)) - documented


def replaced_or_read(node: ast.ClassDef, base: type) -> Iterator[str]:
    """The members of ``base`` that the class ``node`` defines anew, or uses on ``self``."""
    for part in ast.walk(node):
        match part:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                pass
            case ast.Attribute(value=ast.Name(id="self"), attr=name):
                pass
            case ast.Attribute(value=ast.Call(func=ast.Name(id="super")), attr=name):
                pass
            case _:
                continue
        if not name.startswith("__") and has(base, name):
            yield name


def borrowed(path: Path, ours: set[str]) -> set[str]:
    return {*imported_internals(path), *private_attributes(path, ours), *inherited(path)}


def test_every_borrowed_internal_is_listed():
    listed = {(file, name.split(".")[-1]) for *_, name, file in BORROWED}
    ours = {name for path in SOURCES for name in defined(path)}
    found = {
        (str(path.relative_to(ROOT)), name) for path in SOURCES for name in borrowed(path, ours)
    }

    assert found - listed == set()


@pytest.mark.parametrize(
    ("planted", "name"),
    [
        ("from slack_sdk.web import _planted", "_planted"),
        ("from uvicorn.loops import planted", "planted"),
        ("from aiohttp._websocket.reader import planted", "planted"),
        ("def f(client): client._planted()", "_planted"),
        ("from uvicorn import Server\nclass S(Server):\n def on_tick(self): ...", "on_tick"),
        ("import uvicorn\nclass S(uvicorn.Server):\n def f(self): self.config", "config"),
    ],
)
def test_a_planted_internal_is_found(tmp_path, planted, name):
    path = tmp_path / "planted.py"
    path.write_text(planted)

    assert borrowed(path, ours=set()) == {name}
