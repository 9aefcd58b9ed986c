"""A refusal names the way of the entry point where its reader is."""

import re

import pytest
import typer

from bot.__main__ import cli
from bot.http.problems import problem_of
from bot.slack.refusals import refusal
from bot.slack.verbs import VERBS_BY_WORD
from bot.ways import WAYS, in_slack, on_command_line, over_http
from core.advice import Act, Advice
from tests.builders import NINE, an_id
from tests.core.test_errors import TOLD

ERRORS = [error for error, _ in TOLD]
# Everything in code font that is a way to do something.
WAY = re.compile(r"`(/incident|ratchet|GET|POST|PUT|PATCH|DELETE)\b[^`]*`( in Slack)?")


def kinds(text):
    """The entry points of the ways that ``text`` names."""
    named = {"/incident": "slack", "ratchet": "command"}
    return {"slack in words" if way[2] else named.get(way[1], "http") for way in WAY.finditer(text)}


@pytest.mark.parametrize("error", ERRORS)
def test_each_entry_point_names_its_own_way_or_the_one_in_slack(error):
    assert kinds(error.told(over_http)) <= {"http", "slack in words"}
    assert kinds(error.told(on_command_line)) <= {"command", "slack in words"}
    assert kinds(error.told(in_slack)) <= {"slack", "command"}


@pytest.mark.parametrize("error", ERRORS)
def test_what_is_sent_names_no_way_of_another_entry_point(error):
    assert kinds(problem_of(error).message) <= {"http", "slack in words"}
    assert kinds(refusal(error, at=NINE)["text"]) <= {"slack", "command"}


def test_each_act_has_its_ways_and_is_advised():
    assert set(WAYS) == set(Act) == {error.advice.act for error in ERRORS if error.advice}


def test_ways_name_the_incident_and_its_entry():
    def said(act, way):
        return way(Advice(act=act, sentence="{}", number=42, id=an_id("one"), entry=2))

    assert said(Act.WITHDRAW, in_slack) == "`/incident withdraw 42 2`"
    assert said(Act.WITHDRAW, over_http) == (
        f"`POST /v1/incidents/{an_id('one')}/updates/{{updateId}}/redact`"
    )
    assert said(Act.REPORT, on_command_line) == "`ratchet report 42`"
    assert said(Act.TITLE, on_command_line) == "`/incident title 42 …` in Slack"
    assert said(Act.WEBHOOKS, in_slack) == "`ratchet webhooks list`"


def test_every_way_in_slack_is_a_verb():
    said = {ways.slack.split()[1] for ways in WAYS.values() if ways.slack}

    assert said - {*VERBS_BY_WORD} == set()


async def test_every_way_over_http_is_an_operation(client):
    paths = (await client().get("/openapi.json")).json()["paths"]
    operations = {f"{method.upper()} {path}" for path, each in paths.items() for method in each}
    said = {ways.http.replace("{{", "{").replace("}}", "}") for ways in WAYS.values() if ways.http}

    assert said - operations == set()


def test_every_way_on_the_command_line_is_a_command():
    known = typer.main.get_command(cli)
    for ways in WAYS.values():
        if ways.command:
            command = known
            for word in ways.command.split()[1:]:
                command = getattr(command, "commands", {}).get(word, command)
            assert not hasattr(command, "commands")
