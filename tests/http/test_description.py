"""The OpenAPI description: complete and true; a fuzzer finds no answer outside it."""

from __future__ import annotations

import itertools
import random
import re
from collections import Counter
from pathlib import Path

import jsonschema
import pytest
import schemathesis
import structlog
from schemathesis import engine
from schemathesis.checks import CheckContext
from schemathesis.config import SchemathesisConfig
from schemathesis.core.failures import Failure
from schemathesis.engine import events
from schemathesis.specs.openapi import checks

from bot.http.gate import IDEMPOTENCY_KEY_MAX
from core.errors import InvalidField
from core.incident import BODY_MAX, Person
from core.texts import body_of

# A valid request may still be refused: by the lifecycle, a missing status channel, an unknown
# component, or because the fuzzer guesses ids and names (404, 409).
ACCEPTED = ["2xx", 400, 401, 403, 404, 409]


def texts(value):
    match value:
        case str():
            yield value
        case dict():
            for part in value.values():
                yield from texts(part)
        case list():
            for part in value:
                yield from texts(part)


def expressible(case):
    """Whether a schema can express every rule that the request meets.

    It cannot express lengths after trimming, invisible texts, the list that a cursor belongs to,
    the order of two days, or a moment that is still to come.
    """
    query = case.query or {}
    together = query.get("cursor") or ("from" in query and "to" in query)
    body = case.body if isinstance(case.body, dict) else {}
    return not together and not body.get("until") and all(map(plain, texts(case.body)))


def plain(text):
    try:
        return text == body_of("text", text) or len(text) > BODY_MAX
    except InvalidField:
        return len(text) > BODY_MAX or not text


@schemathesis.check
def accepts_what_the_description_allows(ctx: CheckContext, response, case) -> None:
    # No description can say that an address answers, or that a name is near that of a group.
    called = case.operation.label == "POST /v1/webhooks"
    asked = b'"field": "groupLabel"' in response.content and b"did you mean" in response.content
    if (expressible(case) and not called and not asked) or response.status_code not in {400, 422}:
        checks.positive_data_acceptance(ctx, response, case)


@schemathesis.check
def refuses_what_the_description_forbids(ctx: CheckContext, response, case) -> None:
    if expressible(case):
        checks.negative_data_rejection(ctx, response, case)


VALID_KEYS = itertools.count(1)


@schemathesis.hook
def before_call(_context, case, _arguments) -> None:
    """Leaves out seven of eight valid Idempotency-Keys.

    The fuzzer repeats short keys, and a repeated key is a 409 before the operation runs.
    """
    key = case.headers.get("Idempotency-Key", "") if case.headers else ""
    if 1 <= len(key) <= IDEMPOTENCY_KEY_MAX and next(VALID_KEYS) % 8:
        del case.headers["Idempotency-Key"]


def fuzz(app, key, *, examples, seed):
    """Sends the fuzzer's cases. Returns its failures, and the answers by operation and status."""
    config = SchemathesisConfig.from_dict(
        {
            "headers": {"Authorization": f"Bearer {key}"},
            "seed": seed,
            "generation": {"max-examples": examples, "database": "none"},
            "checks": {
                "positive_data_acceptance": {"enabled": False, "expected-statuses": ACCEPTED},
                "negative_data_rejection": {"enabled": False},
            },
        }
    )
    schema = schemathesis.openapi.from_asgi("/openapi.json", app, config=config)
    found, answers = [], Counter()
    for event in engine.from_schema(schema).execute():
        match event:
            case events.ScenarioFinished():
                for exchange in event.recorder.interactions.values():
                    answers[event.recorder.label, exchange.response.status_code] += 1
                found += failures(event.recorder)
            case events.NonFatalError():
                found.append((event.label, str(event.info)))
            case events.FatalError():
                found.append(("fatal", repr(event.exception)))
    return found, answers


def failures(recorder):
    for case, made in recorder.checks.items():
        for check in made:
            if check.failure_info:
                failure: Failure = check.failure_info.failure
                exchange = recorder.interactions[case]
                yield (
                    f"{recorder.label}: {check.name}: {failure.title}: {failure.message}",
                    f"{exchange.request.method} {exchange.request.uri} {exchange.request.body!r}",
                    f"{exchange.response.status_code} {exchange.response.content!r}",
                )


@pytest.fixture
def quiet():
    """No log lines: a failure would print thousands."""
    with structlog.testing.capture_logs():
        yield


@pytest.fixture
def welcoming(serving, store):
    """The application of a workspace in which every user id is a member."""

    async def anybody(_workspace, user):
        return Person(user, user)

    return serving(store, member=anybody)


def test_a_fuzzer_finds_no_answer_outside_the_description(welcoming, a_key, quiet):
    found, answers = fuzz(welcoming, a_key("admin"), examples=4, seed=1)

    assert found == []
    assert answers.total() >= 300
    # The fuzzer reaches the operations: each one succeeds, and few keys are in conflict.
    succeeded = {label for label, status in answers if status < 300}
    # A group is made by a component that names it: no answer leads the fuzzer to its id. No address
    # of the fuzzer's answers, so it has no webhook.
    unreached = {"PATCH /v1/component-groups/{groupId}", "POST /v1/webhooks"}
    asked = {label for label, _ in answers if "{webhookId}" not in label}
    assert succeeded >= asked - unreached
    conflicts = sum(count for (_, status), count in answers.items() if status == 409)
    assert conflicts < answers.total() / 10


@pytest.mark.torture
def test_a_fuzzer_finds_none_in_ten_thousand_cases(welcoming, a_key, quiet):
    seed = random.randrange(2**32)  # A new one each night; a failure shows it.

    found, answers = fuzz(welcoming, a_key("admin"), examples=560, seed=seed)

    assert (seed, found) == (seed, [])
    assert answers.total() >= 10_000


# --- what it says ----------------------------------------------------------------------------


@pytest.fixture
async def described(client):
    return (await client().get("/openapi.json")).json()


def operations(described):
    for path, methods in described["paths"].items():
        for method, operation in methods.items():
            yield path, method, operation


async def test_every_operation_lists_its_answers(described):
    for path, method, operation in operations(described):
        statuses = set(operation["responses"])
        assert {"401", "429", "500", "503"} <= statuses
        assert ("404" in statuses) == ("{" in path)
        if method != "get":
            assert {"403", "409", "413", "415"} <= statuses
        if method not in {"get", "delete"}:
            assert "Idempotency-Key" in {one["name"] for one in operation["parameters"]}
        assert ("422" in statuses) <= path.startswith("/v1")
        assert operation["security"] == [{"bearer": []}, {"apiKey": []}]
        assert operation["summary"]
        for response in operation["responses"].values():
            assert "X-Request-Id" in response["headers"]


async def test_the_description_has_every_limit_and_word(described):
    def told(schema, field):
        part = described["components"]["schemas"][schema]["properties"][field]
        return {key: value for any_ in part.get("anyOf", [part]) for key, value in any_.items()}

    assert described["components"]["schemas"]["Severity"]["enum"] == [
        "critical",
        "high",
        "medium",
        "low",
    ]
    assert described["components"]["schemas"]["SeverityWord"]["enum"] == [
        "critical",
        "major",
        "minor",
        "warning",
    ]
    assert told("NewIncident", "lifecycle")["enum"] == ["statuspage", "response"]
    limits = {
        ("NewIncident", "title"): (1, 100),
        ("NewIncident", "description"): (None, 10_000),
        ("StatusChange", "resolutionNote"): (1, 2_000),
        ("PublicUpdateBody", "body"): (1, 2_000),
        ("NewComponent", "name"): (1, 100),
        ("IncidentReport", "title"): (1, 255),
        ("IncidentReport", "error_message"): (None, 1_000),
        ("StatusUpdate", "note"): (1, 500),
        ("CommentBody", "message"): (1, 1_000),
    }
    for (schema, field), limit in limits.items():
        part = told(schema, field)
        assert (part.get("minLength"), part["maxLength"]) == limit, (schema, field)


async def test_every_example_fits_its_schema(described):
    examples = 0
    for name, schema in described["components"]["schemas"].items():
        whole = {"$ref": f"#/components/schemas/{name}", "components": described["components"]}
        for example in schema.get("examples", []):
            jsonschema.validate(example, whole)
            examples += 1
    assert examples >= 5


async def test_the_description_needs_no_key_and_shows_no_incident(client, declared):
    await declared(title="Secret of ours")

    assert "Secret of ours" not in (await client().get("/openapi.json")).text


async def test_applications_share_their_operations(serving, opened):
    """FastAPI would make each one anew at the first request, and let that wait."""
    one, other = serving(opened()), serving(opened())

    own = [route.path for route in one.routes if not any(route is its for its in other.routes)]
    assert own == ["/openapi.json"]


# --- docs/api.md -----------------------------------------------------------------------------


def fields(described, operation):
    """The fields of a body and the parameters of a query: name, whether required, schema."""
    for one in operation.get("parameters", []):
        if one["in"] == "query":
            yield one["name"], one.get("required", False), one["schema"]
    content = operation.get("requestBody", {}).get("content", {})
    for body in content.values():
        for variant in body["schema"].get("oneOf", [body["schema"]]):
            schema = described["components"]["schemas"][variant["$ref"].rpartition("/")[2]]
            for name, part in schema["properties"].items():
                yield name, name in schema.get("required", []), part


def written(described, operation):
    """The cell of docs/api.md that describes what an operation takes."""
    cells = {}
    for name, required, schema in fields(described, operation):
        limits = {
            key: value for part in schema.get("anyOf", [schema]) for key, value in part.items()
        }
        least = limits.get("minLength", limits.get("minimum"))
        most = limits.get("maxLength", limits.get("maximum", limits.get("maxItems")))
        span = f" ≤ {most:,.0f}" if most is not None else ""
        span = f" {least:,.0f}-{most:,.0f}" if least and most else span
        cells[name] = f"{'**' * required}`{name}`{'**' * required}{span}"
    return " · ".join(cells.values()) or "nothing"


async def test_docs_list_every_operation_with_what_it_takes(described):
    page = (Path(__file__).parents[2] / "docs" / "api.md").read_text()
    rows = re.findall(r"^\| `([A-Z]+) (/\S+)` \| (.*?) \| (\d+)", page, re.MULTILINE)

    assert {(method, path): (takes, int(done)) for method, path, takes, done in rows} == {
        (method.upper(), path): (
            written(described, operation),
            next(int(status) for status in operation["responses"] if status < "300"),
        )
        for path, method, operation in operations(described)
    }
