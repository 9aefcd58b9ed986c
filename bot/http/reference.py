"""`/docs`: the OpenAPI description as a page for people, which loads nothing from anywhere."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from jinja2 import Environment, PackageLoader
from markupsafe import Markup, escape

POLICY = "default-src 'none'; style-src 'unsafe-inline'"


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One line of a table: a parameter, or a field of a body."""

    name: str
    required: bool
    kind: str
    limits: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One operation as the page shows it. ``anchor`` is its address within the page."""

    anchor: str
    method: str
    path: str
    summary: str
    parameters: tuple[Field, ...]
    bodies: tuple[tuple[str, str, tuple[Field, ...]], ...]  # name, description and fields
    example: str | None
    done: int
    answer: tuple[Field, ...]
    refusals: tuple[tuple[str, str], ...]  # status and phrase


def page(described: dict[str, Any]) -> str:
    """The page of an OpenAPI description."""
    environment = Environment(
        loader=PackageLoader("bot.http"), autoescape=True, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["marked"] = _marked
    return environment.get_template("docs.html").render(
        info=described["info"], groups=_groups(described)
    )


def _marked(text: str) -> Markup:
    """``text`` with what stands between backticks as code."""
    return Markup(re.sub("`([^`]*)`", r"<code>\1</code>", str(escape(text))))  # noqa: S704 - escaped


def _groups(described: dict[str, Any]) -> dict[str, list[Operation]]:
    groups: dict[str, list[Operation]] = {}
    for path, methods in described["paths"].items():
        for method, operation in methods.items():
            shown = _operation(described, path, method, operation)
            groups.setdefault(operation["tags"][0], []).append(shown)
    return groups


def _operation(
    described: dict[str, Any], path: str, method: str, operation: dict[str, Any]
) -> Operation:
    asked = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
    bodies = list(_variants(described, asked["schema"])) if asked else []
    examples = [example for body in bodies for example in body.get("examples", [])]
    done = next(status for status in operation["responses"] if status.startswith("2"))
    answer = operation["responses"][done]["content"]["application/json"]["schema"]
    return Operation(
        anchor=f"{method}-{path.strip('/').replace('/', '-')}",
        method=method.upper(),
        path=path,
        summary=operation["summary"],
        parameters=tuple(
            _field(described, one["name"], one["schema"] | _told(one), one.get("required", False))
            for one in operation.get("parameters", [])
        ),
        bodies=tuple(
            (body["title"], body.get("description", ""), _fields(described, body))
            for body in bodies
        ),
        example=json.dumps(examples[0], indent=2, ensure_ascii=False) if examples else None,
        done=int(done),
        answer=_answer(described, answer),
        refusals=tuple(
            (status, HTTPStatus(int(status)).phrase)
            for status in sorted(operation["responses"])
            if not status.startswith("2")
        ),
    )


def _told(parameter: dict[str, Any]) -> dict[str, Any]:
    return {"description": parameter["description"]} if "description" in parameter else {}


def _answer(described: dict[str, Any], schema: dict[str, Any]) -> tuple[Field, ...]:
    """The fields of what stands in the envelope's ``data``."""
    envelope = _resolved(described, schema)
    data = _resolved(described, envelope["properties"]["data"])
    return _fields(described, _resolved(described, data.get("items", data)))


def _variants(described: dict[str, Any], schema: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for variant in schema.get("oneOf", [schema]):
        yield _resolved(described, variant)


def _resolved(described: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    reference = schema.get("$ref")
    if reference is None:
        return schema
    found: dict[str, Any] = described["components"]["schemas"][reference.rpartition("/")[2]]
    return found


def _fields(described: dict[str, Any], schema: dict[str, Any]) -> tuple[Field, ...]:
    required = schema.get("required", [])
    return tuple(
        _field(described, name, part, name in required)
        for name, part in schema.get("properties", {}).items()
    )


def _field(
    described: dict[str, Any],
    name: str,
    schema: dict[str, Any],
    required: bool,  # noqa: FBT001 - beside the name that it is about
) -> Field:
    parts = [_resolved(described, part) for part in schema.get("anyOf", [schema])]
    said = {key: value for part in parts for key, value in part.items()} | {
        key: value for key, value in schema.items() if key != "anyOf"
    }
    return Field(
        name=name,
        required=required,
        kind=" or ".join(_kind(described, part) for part in parts),
        limits=", ".join(_limits(said)),
        text=said.get("description", ""),
    )


def _kind(described: dict[str, Any], schema: dict[str, Any]) -> str:
    kind = schema.get("type", "object")
    if kind == "array":
        item = _resolved(described, schema["items"])
        return f"list of {_kind(described, item)}"
    if kind == "object" and "title" in schema:
        return str(schema["title"])
    return str(schema.get("format", kind))


LIMITS = {
    "minLength": "at least {}",
    "maxLength": "at most {:,} characters",
    "maxItems": "at most {}",
    "minimum": "from {}",
    "maximum": "to {}",
    "default": "default {}",
    "const": "“{}”",
}


def _limits(schema: dict[str, Any]) -> Iterator[str]:
    if "enum" in schema:
        yield "one of " + ", ".join(schema["enum"])
    for name, words in LIMITS.items():
        if schema.get(name) not in (None, [], ""):
            yield words.format(schema[name])
