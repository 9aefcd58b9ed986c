"""A number before a text: it names an incident, or it belongs to the text. Each has a button."""

from __future__ import annotations

import pytest

from tests import tables
from tests.standin import labels


@pytest.fixture
def mode():
    return "http"


@pytest.fixture(autouse=True)
def mia(two_open):
    return two_open


def written(ratchet):
    return tables.contents(ratchet.store, ["incident", "incident_update"])


async def timeline(told, number):
    return (await told(f"timeline {number}")).words()


def labelled(act, name, text):
    """The label of ``act`` on the incident ``name``, with the ``text``."""
    about = act if "{}" in act else f"{act} {{}}"
    return f'{about.format(name)}: "{text}"'


# --- the number of another incident than that of the channel --------------------------------------

OF_ANOTHER = [
    ("update 1 of 15 replicas is back", "Publish on"),
    ("note 1 of 15 replicas is lost", "Private note on"),
    ("next 1 replica lost", "Move {} to Identified"),
    ("resolve 1 replica is back", "Move {} to Resolved…"),
    ("title 1 replica is lost", "Rename"),
    ("description 1 replica is lost", "Describe {} anew"),
    ("update 1, maybe 2 replicas are lost", "Publish on"),
]


async def test_the_number_of_another_open_incident_may_belong_to_the_text(told, ratchet, case):
    before = written(ratchet)

    for text, act in OF_ANOTHER:
        with case(text):
            whole = text.split(maxsplit=1)[1]
            answer = await told(text)

            assert "1 may name INC-1, or belong to the text" in answer.text
            assert labels(answer) == [
                labelled(act, "INC-1", whole.split(maxsplit=1)[1]),
                labelled(act, "INC-2", whole),
            ]
            assert written(ratchet) == before


async def test_a_word_that_is_no_status_keeps_the_number_before_it(told):
    offered = labels(await told("status 1 of 15 back"))

    assert 'Private note on INC-2: "1 of 15 back"' in offered


async def test_the_text_with_the_number_goes_to_the_incident_of_the_channel(told, mia):
    answer = await told("update 1 of 15 replicas is back")
    await (await mia.press(answer, labels(answer)[1])).answer()

    assert '"1 of 15 replicas is back"' in await timeline(told, 2)
    assert "replicas" not in await timeline(told, 1)


async def test_the_rest_of_the_text_goes_to_the_incident_of_the_number(told, mia):
    answer = await told("note 1 replica is lost")
    await (await mia.press(answer, labels(answer)[0])).answer()

    assert '"replica is lost"' in await timeline(told, 1)
    assert "replica" not in await timeline(told, 2)


# A sign, the number of the channel's own incident, a command without a text, or with an option.
SURE = [
    "update #1 replica is back",
    "update INC-1 replica is back",
    "update 2 replicas are back",
    "note 1 private: a replica is lost",
    "status 1 identified a replica is lost",
    "show 1",
    "timeline 1",
    "ack 1",
    "next 1",
    "severity 1 high",
    "assign 1 @bo",
]


async def test_what_is_surely_a_reference_is_not_asked_about(told, case):
    for text in SURE:
        with case(text):
            assert "may name" not in (await told(text)).text


async def test_the_number_of_an_ended_incident_offers_the_text_on_that_of_the_channel(told):
    for status in ("identified", "monitoring", "resolved"):
        await told(f"status 1 {status}")

    answer = await told("update 1 of 15 replicas is back")

    assert "INC-1 is *Resolved*" in answer.text
    assert any(label.startswith("Publish on INC-2") for label in labels(answer))


# --- a number that no incident has ----------------------------------------------------------------

UNKNOWN = [
    ("update 300 users were affected", "Publish on"),
    ("update #42 is fixed", "Publish on"),
    ("update 500 errors are back to normal", "Publish on"),
    ("note 42 disks are broken", "Private note on"),
    ("note 0 errors since ten", "Private note on"),
    ("note 4000000000 rows are lost", "Private note on"),
    ("note INC-4x is down", "Private note on"),
    ("noet 300 users see it", "Private note on"),
    ("fixed 300 users see it", "Private note on"),
    ("title 300 users cannot log in", "Rename"),
    ("next 300 users see it", "Move {} to Identified"),
    ("resolve 300 users are well", "Move {} to Resolved…"),
]


async def test_a_number_that_no_incident_has_may_belong_to_the_text(told, ratchet, case):
    before = written(ratchet)

    for text, act in UNKNOWN:
        with case(text):
            whole = text.split(maxsplit=1)[1]
            offered = labels(await told(text))

            assert offered[0] == labelled(act, "INC-2", whole)
            assert labelled(act, "INC-2", whole.partition(" ")[2]) in offered
            assert written(ratchet) == before


async def test_the_button_says_which_text_it_publishes(told, mia, slack, settle):
    answer = await told("update 300 users were affected")
    await (await mia.press(answer, 'Publish on INC-2: "300 users were affected"')).answer()
    await settle()

    assert "300 users were affected" in repr(slack.channel_view("#status"))


async def test_a_question_about_the_words_of_a_text_keeps_its_number(told):
    answer = await told("update 300 users, next 30m")

    assert "There is no incident INC-300 here" in answer.text
    assert labels(answer)[0] == 'Publish on INC-2, next update in 30 min: "300 users"'
