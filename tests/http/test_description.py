"""The OpenAPI description: complete, true, and readable; a fuzzer finds no answer outside it."""

from __future__ import annotations

import json
from collections import Counter
from html.parser import HTMLParser

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

from core import engine as rules
from core.errors import InvalidField

# A request that the lifecycle, a missing surface or an unknown component refuses is valid all the
# same; and whoever guesses ids and names meets 404 and 409.
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


def sayable(case):
    """Whether a schema can say all that decides about the texts of a request.

    It cannot count what trimming leaves, nor tell a text that nobody can see, nor which cursor
    belongs to which list.
    """
    return not (case.query or {}).get("cursor") and all(map(plain, texts(case.body)))


def plain(text):
    try:
        return text == rules.body_of("text", text) or len(text) > rules.BODY_MAX
    except InvalidField:
        return len(text) > rules.BODY_MAX or not text


@schemathesis.check
def accepts_what_the_description_allows(ctx: CheckContext, response, case) -> None:
    if sayable(case) or response.status_code not in {400, 422}:
        checks.positive_data_acceptance(ctx, response, case)


@schemathesis.check
def refuses_what_the_description_forbids(ctx: CheckContext, response, case) -> None:
    if sayable(case):
        checks.negative_data_rejection(ctx, response, case)


def fuzz(app, key, *, examples, seed):
    """Every case that the fuzzer thinks of, sent; what it found wrong, and how many cases."""
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
    found, cases = [], Counter()
    for event in engine.from_schema(schema).execute():
        match event:
            case events.ScenarioFinished():
                cases[event.phase.name.value] += len(event.recorder.interactions)
                found += failures(event.recorder)
            case events.NonFatalError():
                found.append((event.label, str(event.info)))
            case events.FatalError():
                found.append(("fatal", repr(event.exception)))
    return found, cases


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
def described(app):
    return app.openapi()


def test_a_fuzzer_finds_no_answer_outside_the_description(app, a_key, quiet):
    found, cases = fuzz(app, a_key("admin"), examples=4, seed=1)

    assert found == []
    assert cases.total() >= 300
