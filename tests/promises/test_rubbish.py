"""A request or file of any shape is answered in words and done completely or not at all."""

from __future__ import annotations

import copy
import itertools
import json
import random
from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.sandbox import Limits
from core.errors import InvalidFile
from core.lifecycle import FLAGS, PublicWord, read
from storage import audit
from tests.promises.acts import (
    WAYS,
    Kept,
    assign_form,
    button,
    command,
    declare_form,
    fresh,
    idle,
    menu,
    note_form,
    preview,
    redact_form,
    severity_form,
    update_form,
)
from tests.promises.conftest import settle, tell
from tests.standin import a_standin

MISSING = object()
RUBBISH = [
    MISSING,
    None,
    "",
    "\x00 <!channel> \u202e",
    "x" * 20_000,
    "9" * 5_000,
    0,
    -1,
    3.5,
    True,
    [],
    [None],
    {},
    {"id": {"id": []}, "value": [], "type": "plain_text"},
]
# So many spoilt requests of each kind; `make torture` sends all.
SENT = 15


@pytest.fixture
async def slack(clock):
    async with a_standin(clock=clock.seconds, limits=Limits(posting=False)) as slack:
        yield slack


@pytest.fixture
async def card(ratchet, slack, clock, mia):
    """The card of INC-1, which has a note. The worker is stopped: only requests change anything."""
    await tell(mia, "declare Checkout is down", "note 1 db-3 lost quorum")
    await settle(ratchet, clock)
    await ratchet.worker.stop()
    return slack.workspace.channel("#payments").messages[0]


def places(value: Any, path=()):
    """Every place in a payload, by the keys that lead there."""
    if path:
        yield path
    inner: Iterable[tuple[Any, Any]] = value.items() if isinstance(value, dict) else ()
    inner = enumerate(value) if isinstance(value, list) else inner
    for key, each in inner:
        yield from places(each, (*path, key))


def spoilt(payload, path, rubbish):
    """The payload with something else in one place."""
    payload = copy.deepcopy(payload)
    *way, last = path
    inner = payload
    for key in way:
        inner = inner[key]
    if rubbish is MISSING:
        del inner[last]
    else:
        inner[last] = rubbish
    return payload


ANSWERING = ("views.open", "views.update", "views.publish")
REFUSING = ("did not work", "othing was changed", "'response_action'")
# A slow machine shows this dialog first, and the result by a later call.
SAVING = "'callback_id': 'loading'"


class Spoiler:
    """Sends a request again and again, each time with something wrong in one place."""

    def __init__(self, app, slack, mia, request, kept, before):
        self._app = app
        self._slack = slack
        self._mia = mia
        self._request = request
        self._kept = kept
        self._before = before

    def places(self):
        return list(itertools.product(places(self._request.payload), RUBBISH))

    async def send(self, path, rubbish):
        """The error in its result, None for none; and whether it changed anything."""
        payload, interaction = fresh(self._slack, self._mia, self._request.payload)
        before = len(self._slack.calls)
        spoilt_request = replace(self._request, payload=spoilt(payload, path, rubbish))
        (sent,) = await self._slack.redeliver(spoilt_request)
        await idle(self._app)
        after = self._kept.now()
        done = after != self._before
        calls = [call for call in self._slack.calls[before:] if call.method in ANSWERING]
        shown = [sent.ack.body, *(call.arguments for call in calls)]
        last_words = [str(each) for each in shown if SAVING not in str(each)]
        said = f"{last_words} {[use.body for use in interaction.uses]}"
        wrong = None
        if sent.ack.error:
            wrong = f"{sent.ack.error} {sent.ack.status}"
        elif not (done or sent.ack.body or interaction.uses or calls):
            wrong = "silence"
        elif "Traceback" in said or "Error(" in said:
            wrong = said
        elif done and any(word in said for word in REFUSING):
            wrong = f"done, and told: {said}"
        elif done:
            wrong = await self._app.store.read(lambda reader: list(audit.findings(reader))) or None
        if done:
            self._kept.back_to(self._before)
        self._slack.workspace.stacks.clear()
        return wrong, done


@pytest.fixture
def spoiler(ratchet, slack, mia, card):
    """Makes a request by one of the ways, and undoes it."""

    async def spoiler(way):
        kept = Kept(ratchet)
        before = kept.now()
        asked = await way(slack, mia, card)
        await idle(ratchet)
        kept.back_to(before)
        return Spoiler(ratchet, slack, mia, asked.request, kept, before)

    return spoiler


async def spoil(spoiler, way, sent):
    """Sends ``sent`` spoilt requests, and tells those that were not answered as they should be."""
    spoils = await spoiler(way)
    cases = spoils.places()
    wrong = {}
    for path, rubbish in random.Random(way.__name__).sample(cases, min(sent, len(cases))):
        if why := (await spoils.send(path, rubbish))[0]:
            wrong[".".join(map(str, path)), repr(rubbish)[:40]] = why
    return wrong


# The preview is drawn while somebody types: nobody asked for anything that needs an answer.
ASKING = [way for way in WAYS if way is not preview]


@pytest.mark.parametrize("way", ASKING, ids=lambda way: way.__name__)
async def test_a_request_of_any_shape_is_answered_and_done_whole_or_not_at_all(way, spoiler):
    assert await spoil(spoiler, way, SENT) == {}


@pytest.mark.torture
@pytest.mark.parametrize("way", ASKING, ids=lambda way: way.__name__)
async def test_a_request_with_anything_in_any_place_is_answered(way, spoiler):
    assert await spoil(spoiler, way, 1_000_000) == {}


async def test_a_preview_of_any_shape_is_acknowledged(spoiler, ratchet):
    # Nobody types while a preview rests after its drawing.
    ratchet.slack._previews._pause = timedelta()  # noqa: SLF001 - a second for each is too long

    assert set((await spoil(spoiler, preview, SENT)).values()) <= {"silence"}


# A request needs these places: with anything else in them, nothing may be done.
DECISIVE: dict[Any, list[tuple[str | int, ...]]] = {
    button: [
        ("actions", 0, "value"),
        ("actions", 0),
        ("actions",),
        ("user", "id"),
        ("user",),
        ("team",),
    ],
    menu: [
        ("actions", 0, "selected_option", "value"),
        ("actions", 0, "selected_option"),
    ],
    update_form: [
        ("view", "private_metadata"),
        ("view", "callback_id"),
        ("view", "state"),
        ("view", "state", "values"),
        ("view",),
    ],
    assign_form: [
        ("view", "private_metadata"),
        ("view", "state", "values", "person"),
        ("view", "state", "values", "person", "person", "selected_user"),
    ],
    severity_form: [
        ("view", "private_metadata"),
        ("view", "state", "values", "severity", "severity", "selected_option"),
    ],
    redact_form: [
        ("view", "private_metadata"),
        ("view", "state", "values", "entry", "entry", "selected_option", "value"),
    ],
    declare_form: [
        ("view", "state", "values", "title", "title", "value"),
        ("view", "state", "values", "severity"),
    ],
    note_form: [
        ("view", "state", "values", "incident"),
        ("view", "state", "values", "note"),
    ],
    command: [("user_id",), ("team_id",)],
}


@pytest.mark.parametrize("way", DECISIVE, ids=lambda way: way.__name__)
async def test_rubbish_in_a_decisive_place_is_answered_and_changes_nothing(way, spoiler):
    spoils = await spoiler(way)

    came = {
        path: [await spoils.send(path, rubbish) for rubbish in RUBBISH] for path in DECISIVE[way]
    }

    assert came == {path: [(None, False)] * len(RUBBISH) for path in DECISIVE[way]}


@pytest.mark.parametrize("verb", ["note 1", "update 1", "title 1"])
async def test_a_word_of_the_framework_is_an_ordinary_word(ratchet, slack, mia, verb):
    await tell(mia, "declare Checkout is down")

    asked = await mia.command("#payments", f"/incident {verb} payload=1&command=2 the payload={{}}")

    assert (asked.error, "INC-1" in (await asked.answer()).words()) == (None, True)


# --- lifecycles --------------------------------------------------------------------------------

NAMES = st.sampled_from(["open", "busy", "done", "Done", "9", ""]) | st.text(max_size=5)
VALUES = (
    st.booleans()
    | st.integers(-3, 3)
    | st.sampled_from(PublicWord)
    | st.text(max_size=5)
    | st.lists(NAMES, max_size=4)
)
ROWS = st.dictionaries(st.sampled_from(["next", "public", *FLAGS]) | NAMES, VALUES, max_size=5)
FILES = st.dictionaries(NAMES, st.dictionaries(NAMES, ROWS, max_size=4), max_size=3)


def as_toml(lifecycles):
    """The text of a file, as a team could have written it."""
    lines = []
    for name, table in lifecycles.items():
        for status, row in table.items():
            lines.append(f"[{json.dumps(name)}.{json.dumps(status)}]")
            lines += [f"{json.dumps(key)} = {json.dumps(value)}" for key, value in row.items()]
    return "\n".join(lines)


def faults_of(text):
    try:
        read(text)
    except InvalidFile as error:
        return error.problems
    return ()


@given(text=st.text() | FILES.map(as_toml))
def test_a_lifecycle_file_is_read_or_each_problem_is_named(text):
    faults = faults_of(text)

    assert all(str(fault).strip() for fault in faults)
    for lifecycle in () if faults else read(text):
        assert read(lifecycle.as_toml()) == (lifecycle,)
        assert lifecycle.draw()
