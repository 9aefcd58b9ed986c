"""Templates of public updates: the file is checked as a whole, and no place is left unfilled."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from bot.team_files import read_lifecycles, read_templates
from core.errors import InvalidField, InvalidFile
from core.incident import BODY_MAX, PublicText, Severity
from core.team_toml import FILE_MAX_BYTES
from core.templates import Template, read
from tests.builders import NINE, a_change, an_incident, decide, known

DOCS = Path(__file__).parents[2] / "docs"
GOOD = '[[template]]\nname = "Look"\ntext = "We look at {component}, next {next_update}."\n'


def test_a_file_becomes_templates_in_its_order():
    severe = '[[template]]\nname = "All"\nseverity = "critical"\ntext = " Down. "\n'

    assert read(GOOD + severe) == (
        Template(name="Look", text="We look at {component}, next {next_update}."),
        Template(name="All", text="Down.", severity=Severity.CRITICAL),
    )


@pytest.mark.parametrize(
    ("text", "problems"),
    [
        ("x =", ["the file is not TOML: Invalid value (at end of document)"]),
        ("", ["the file holds no template: write [[template]]"]),
        ("template = 3", ["template is no list: [[template]]"]),
        ("other = 3\n" + GOOD, ["other is no [[template]]"]),
        ("#" * (FILE_MAX_BYTES + 1), [f"the file is larger than {FILE_MAX_BYTES} bytes"]),
        ("[[template]]", ["template 1, name is missing", "template 1, text is missing"]),
        (GOOD + GOOD, ['template 2, name is "Look" a second time']),
        (GOOD + "titel = 1", ["template 1, titel is none of name, severity, text"]),
        (
            GOOD + 'severity = "huge"',
            ["template 1, severity is none of critical, high, medium, low"],
        ),
        (
            GOOD.replace("{next_update}", "{owner}"),
            ["template 1, text has {owner}, but only {component} and {next_update} are filled in"],
        ),
        (
            GOOD.replace("We look", "x" * BODY_MAX),
            [f"template 1, text has more than {BODY_MAX} characters"],
        ),
        (GOOD.replace("Look", "x" * 76), ["template 1, name has more than 75 characters"]),
        ("[[template]]\nname = 'x'\ntext = 'y'\n" * 51, None),
    ],
)
def test_every_problem_is_named_with_its_place(text, problems):
    with pytest.raises(InvalidFile) as raised:
        read(text)

    told = [str(problem) for problem in raised.value.problems]
    if problems is None:
        assert told[0] == "the file has more than 50 templates"
    else:
        assert told == problems


@pytest.mark.parametrize(
    ("components", "minutes", "text"),
    [
        ((), None, "We look at {component}, next {next_update}."),
        (("API",), 30, "We look at API, next in 30 min."),
        (("API", "Search", "Web"), None, "We look at API, Search and Web, next {next_update}."),
    ],
)
def test_what_is_known_is_filled_in(components, minutes, text):
    (template,) = read(GOOD)
    span = None if minutes is None else timedelta(minutes=minutes)

    assert template.filled(components, span) == text


@pytest.mark.parametrize("place", ["{component}", "{next_update}"])
def test_a_place_that_was_left_unfilled_is_not_published(place):
    command = a_change(public=PublicText(f"We look at {place}."))

    with pytest.raises(InvalidField, match="write what it stands for") as refused:
        decide(an_incident(), command, known(), at=NINE)
    assert refused.value.field == "public_update"
    note = a_change(note=f"the text said {place}")
    assert decide(an_incident(), note, known(), at=NINE).updates


def test_a_template_suits_its_severity_or_every_one():
    assert Template(name="x", text="y").suits(Severity.LOW)
    assert not Template(name="x", text="y", severity=Severity.HIGH).suits(Severity.LOW)


@pytest.mark.parametrize("file", sorted((DOCS / "templates").glob("*.toml")), ids=str)
def test_the_templates_in_the_docs_are_right(file):
    assert read_templates(file)


def test_the_lifecycles_in_the_docs_are_right():
    files = sorted((DOCS / "lifecycles").glob("*.toml"))
    statuses = {
        one.name for file in files for each in read_lifecycles(file) for one in each.statuses
    }

    assert len(files) >= 3
    assert "dismissed" in statuses
