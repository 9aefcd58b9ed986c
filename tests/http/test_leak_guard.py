"""The leak guard over HTTP: for keys that ask for it, after 403, and never with the words."""

from __future__ import annotations

import json

import pytest
from prometheus_client import generate_latest

from storage import keys
from storage.keys import KeyScope
from tests.builders import WORKSPACE

NOTE = "vermilion_canary-3 lost its quorum"
TEXT = "  The host vermilion_canary-3 is down.  "
LEAK = {"visibility": "public", "body": TEXT}


@pytest.fixture
def guarded(store, clock, client):
    """A client with a key that was made with ``--leak-guard``."""

    def guarded(scope="publish"):
        made = store.write_now(
            lambda tx: keys.create(
                tx,
                workspace=WORKSPACE,
                name="bot",
                scope=KeyScope(scope),
                at=clock(),
                leak_guard=True,
            )
        )
        return client(made[1])

    return guarded


@pytest.fixture
async def incident(ci, declared):
    """The address of the updates of an incident with a private note."""
    address = f"/v1/incidents/{await declared()}/updates"
    await ci.post(address, json={"visibility": "internal", "body": NOTE})
    return address


async def test_a_possible_leak_is_a_conflict_with_its_places(guarded, incident, ci):
    before = (await ci.get(incident)).content

    answer = await guarded().post(incident, json=LEAK)

    assert answer.status_code == 409
    told = answer.json()
    assert (told["code"], told["type"]) == ("possible_leak", "invalid_request_error")
    (found,) = told["findings"]
    end = found["start"] + found["length"]
    assert (found["kind"], TEXT.strip()[found["start"] : end]) == ("note", "vermilion_canary-3")
    assert "canary" not in answer.text
    assert (await ci.get(incident)).content == before


@pytest.mark.parametrize("step", [None, "identified"])
async def test_a_confirmed_text_is_published_with_and_without_a_step(guarded, incident, step):
    body = {**LEAK, **({"statusChange": step} if step else {})}
    by = guarded()
    assert (await by.post(incident, json=body)).status_code == 409

    answer = await by.post(incident, json={**body, "confirmPublic": True})

    assert answer.status_code == 201
    assert answer.json()["data"]["body"] == TEXT.strip()


@pytest.mark.parametrize("confirm", [{}, {"confirmPublic": False}])
async def test_a_key_without_a_guard_is_not_asked(ci, incident, confirm):
    assert (await ci.post(incident, json={**LEAK, **confirm})).status_code == 201


async def test_a_harmless_text_is_taken(guarded, incident):
    body = {"visibility": "public", "body": "We are looking into it."}

    assert (await guarded().post(incident, json=body)).status_code == 201


async def test_a_key_that_may_not_publish_learns_only_that(guarded, incident):
    answer = await guarded("write").post(incident, json=LEAK)

    assert (answer.status_code, answer.json()["code"]) == (403, "insufficient_scope")


async def test_a_note_cannot_be_confirmed(guarded, incident):
    body = {"visibility": "internal", "body": NOTE, "confirmPublic": True}

    assert (await guarded().post(incident, json=body)).status_code == 422


async def test_no_word_is_logged_kept_or_counted(guarded, incident, ci, metrics, capsys, store):
    headers = {"Idempotency-Key": "once"}
    first = await guarded().post(incident, json=LEAK, headers=headers)

    assert first.status_code == 409
    assert "canary" not in generate_latest(metrics.registry).decode()
    logged = capsys.readouterr()
    assert "canary" not in logged.out + logged.err
    assert "canary" not in json.dumps(first.json())


HOST_TITLE = "vermilion_canary-3 is down"
DECLARATIONS = {
    "/v1": ("confirmPublic", {"title": "Ask ops@canary.example", "severity": "high"}),
    "/api": ("confirm_public", {"title": "Ask ops@canary.example", "severity": "critical"}),
}


@pytest.mark.parametrize("dialect", DECLARATIONS)
async def test_the_title_of_a_declaration_is_looked_at(guarded, ci, dialect):
    confirms, body = DECLARATIONS[dialect]
    address = f"{dialect}/incidents"

    answer = await guarded().post(address, json=body)

    assert answer.status_code == 409
    assert f"`{confirms}: true` confirms it." in answer.text
    assert "canary" not in answer.text
    assert (await ci.get("/v1/incidents")).json()["data"]["incidents"] == []
    confirmed = await guarded().post(address, json={**body, confirms: True})
    assert confirmed.status_code == 201
    assert (await ci.post(address, json=body)).status_code == 201


async def test_a_new_title_is_looked_at(guarded, incident, ci):
    address = incident.removesuffix("/updates")

    stopped = await guarded().patch(address, json={"title": HOST_TITLE})

    assert (stopped.status_code, stopped.json()["code"]) == (409, "possible_leak")
    assert [one["kind"] for one in stopped.json()["findings"]] == ["note"]
    confirmed = await guarded().patch(address, json={"title": HOST_TITLE, "confirmPublic": True})
    assert confirmed.json()["data"]["title"] == HOST_TITLE
    assert (await ci.patch(address, json={"title": f"{HOST_TITLE} again"})).status_code == 200
