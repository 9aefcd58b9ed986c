"""`ratchet webhooks`: each act, and each answer to a slip."""

from __future__ import annotations

import asyncio
import contextlib
import re
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import create_engine, update
from standardwebhooks import Webhook

from bot.commands import webhooks
from core.service import Incidents
from core.webhooks import SWITCHED_OFF, EndpointState
from storage.models import State, webhook_message
from storage.store import SqlStore
from tests.builders import NINE, a_declaration, an_actor, the_settings
from tests.cli import invoke
from tests.edges.conftest import logging_as_before
from tests.webhooks.receiver import a_receiver_beside

__all__ = ["logging_as_before"]

NOWHERE = "5b0c1a52-7c3e-4d0a-9a53-0f6a2f0d8c11"


@pytest.fixture
def ratchet(ready, tmp_path, logging_as_before):
    """Runs ``ratchet webhooks`` in a folder of its own: exit code, output, standard error."""
    ready(tmp_path)

    def ratchet(*arguments, within="webhooks", allow="yes"):
        with contextlib.chdir(tmp_path):
            result = invoke(
                [within, *arguments, "--workspace", "T0ACME"],
                env={"WEBHOOK_ALLOW_PRIVATE": allow},
            )
        return result.exit_code, result.stdout, result.stderr

    return ratchet


@pytest.fixture
def receiver():
    with a_receiver_beside() as receiver:
        yield receiver


@pytest.fixture
def added(ratchet, receiver):
    """Adds the receiver; the beginning of the id, and the secret."""

    def added(*filters):
        code, secret, told = ratchet("add", receiver.url, *filters)
        assert code == 0, told
        return re.search("Webhook ([0-9a-f]{8}) is kept", told)[1], secret.strip()

    return added


@pytest.fixture
def declared(tmp_path, clock):
    """An incident in the database of the command; its event gets the columns that are given."""
    address = f"sqlite:///{tmp_path / 'ratchet.db'}"

    def declared(**columns):
        store = SqlStore(address, defaults=the_settings())
        # Later than the webhook, which the command added by the clock of this machine.
        clock.now = datetime.now(UTC) + timedelta(minutes=1)
        incidents = Incidents(store, clock=clock, wake=lambda: None)
        asyncio.run(incidents.execute(a_declaration(actor=an_actor(workspace="T0ACME"))))
        store.close()
        engine = create_engine(address)
        with engine.begin() as connection:
            connection.execute(update(webhook_message).values(**columns))
        engine.dispose()

    return declared


def test_add_prints_the_secret_alone_and_once(ratchet, receiver, added):
    webhook, secret = added()

    ((_, headers, body),) = receiver.got
    assert Webhook(secret).verify(body, headers)["type"] == "webhook.verification"
    code, told, _ = ratchet("list")
    assert code == 0
    assert told == f"{webhook}  {receiver.url}  (everything): on, no success yet\n"
    assert secret not in told


def test_list_names_the_filter_of_each(ratchet, added):
    ratchet("add", "Checkout API", within="components")
    added("--severity", "high", "--components", "checkout api")

    assert "(high+, Checkout API)" in ratchet("list")[1]


def test_without_webhooks_list_says_how_to_add_one(ratchet):
    assert ratchet("list") == (
        0,
        "There are no webhooks. Add one with: ratchet webhooks add URL\n",
        "",
    )


def test_test_sends_a_signed_request_and_says_the_answer(ratchet, receiver, added):
    webhook, _ = added()

    assert ratchet("test", webhook)[:2] == (0, "The address took it, and answered with 200.\n")
    receiver.status = 503
    code, _, wrong = ratchet("test", webhook)

    assert code == 1
    assert "not taken: its address answered the verification request with 503: any 2xx" in wrong
    assert len(receiver.got) == 3


def test_rotate_prints_a_new_secret_and_the_old_one_holds_for_a_day(ratchet, receiver, added):
    webhook, old = added()

    code, out, told = ratchet("rotate", webhook)
    ratchet("test", webhook)

    assert code == 0
    assert "The secret before this one signs as well until" in told
    assert "does not sign any more" not in told
    _, headers, body = receiver.got[-1]
    assert Webhook(out.strip()).verify(body, headers) == Webhook(old).verify(body, headers)


def test_a_third_secret_within_a_day_says_which_one_ended(ratchet, added):
    webhook, _ = added()
    ratchet("rotate", webhook)

    _, _, told = ratchet("rotate", webhook)

    assert re.search(
        r"The secret that was replaced at \S+ \S+ UTC does not sign any more: two secrets sign",
        told,
    )


@pytest.mark.parametrize(
    ("state", "error", "resent", "told"),
    [
        (State.DELIVERED, None, None, "taken, 2 tries"),
        (State.DEAD, "http_500", None, "given up, 2 tries, http_500"),
        (State.DELIVERED, None, NINE, "taken, 2 tries, sent again at 2026-03-02 09:00 UTC"),
        (State.MERGED, None, None, "nothing was left to send, 2 tries"),
        (State.MERGED, SWITCHED_OFF, None, "not sent: the webhook was switched off"),
    ],
)
def test_the_log_says_what_became_of_an_event(ratchet, added, declared, state, error, resent, told):
    webhook, _ = added()
    declared(state=state, error=error, resent_at=resent, attempts=2)

    (line,) = ratchet("log", webhook)[1].splitlines()

    assert re.search(f"  incident.created +{re.escape(told)}$", line)


def test_the_log_of_a_webhook_that_is_off_says_that_and_the_way_on(ratchet, added):
    webhook, _ = added()
    ratchet("switch", webhook, "off")

    told = ratchet("log", webhook)[2]

    assert told.startswith("It gets nothing now: it is off, since ")
    assert told.endswith(f"reaches it again after: ratchet webhooks switch {webhook} on\n")


def test_a_webhook_is_switched_and_removed(ratchet, added):
    webhook, _ = added()

    assert ratchet("switch", webhook, "off")[1] == f"Webhook {webhook} is off.\n"
    assert "(everything): off, no success yet" in ratchet("list")[1]
    assert ratchet("switch", webhook, "on")[1] == f"Webhook {webhook} is on.\n"
    assert ratchet("log", webhook)[1] == "Nothing has been sent to it.\n"
    assert ratchet("remove", webhook)[1].endswith(" is removed.\n")
    assert "There are no webhooks" in ratchet("list")[1]


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (("add", "hooks"), 1, "The address is not whole: write one"),
        (("add", "http://user:pass@example.com/"), 1, "has a name or a password before the host"),
        (("add", "https://127.0.0.1:1/"), 1, "The address takes no connection"),
        (("add", "https://x.example/", "--severity", "worst"), 1, "The severity is one of"),
        (
            ("add", "https://x.example/", "--components", "web"),
            1,
            "include one that is unknown: there are none yet",
        ),
        (("test", NOWHERE), 1, "There is no webhook with that id here"),
        (("remove", ""), 1, "There is no webhook with that id here"),
        (("switch", NOWHERE, "maybe"), 2, '"maybe" is no state: choose on or off.'),
        (("resend", NOWHERE, "first"), 2, "That is no id of an event"),
        (("resend", NOWHERE, NOWHERE), 1, "There is no webhook with that id here"),
    ],
)
def test_a_slip_is_answered_with_the_cure(ratchet, arguments, code, told):
    found, out, wrong = ratchet(*arguments)

    assert (found, out) == (code, "")
    assert told in wrong


def test_a_private_address_needs_the_setting(ratchet, receiver):
    url = receiver.url.replace("http", "https")
    code, _, wrong = ratchet("add", url, allow="no")

    assert code == 1
    assert "leads to a private network (WEBHOOK_ALLOW_PRIVATE=yes allows that)" in wrong
    assert "tok3n" not in wrong
    assert receiver.got == []


def test_every_state_has_words_for_people():
    assert {*webhooks.STATES, "on", "off"} == {*EndpointState}
    assert set(webhooks.ENDS) == {*State}


def test_an_event_that_was_never_sent_cannot_be_resent(ratchet, added):
    webhook, _ = added()
    code, _, wrong = ratchet("resend", webhook, NOWHERE)

    assert code == 1
    assert "It has no such event" in wrong
    ratchet("switch", webhook, "off")
    code, _, wrong = ratchet("resend", webhook, NOWHERE)
    assert code == 1
    assert "The webhook is switched off: switch it on" in wrong


def test_a_second_webhook_to_an_address_is_named(ratchet, receiver, added):
    webhook, _ = added()
    code, secret, told = ratchet("add", receiver.url)

    assert (code, secret[:6]) == (0, "whsec_")
    assert f"The address gets events twice: it is that of {webhook}, too." in told


def test_a_beginning_of_several_ids_is_asked_about(ratchet, receiver, added):
    """Of seventeen ids two begin alike."""
    ids = [added()[0] for _ in range(17)]
    first = next(one[0] for one in ids if sum(other[0] == one[0] for other in ids) > 1)
    several = [one for one in ids if one[0] == first]

    code, out, wrong = ratchet("remove", first)

    assert (code, out) == (2, "")
    assert f'The ids of {len(several)} webhooks begin with "{first}"' in wrong
    assert all(one in wrong for one in several)
    assert len(ratchet("list")[1].splitlines()) == 17


@pytest.mark.parametrize("limit", ["0", "101", "x"])
def test_a_limit_of_a_log_is_from_1_to_100(ratchet, limit):
    code, _, wrong = ratchet("log", NOWHERE, "--limit", limit)

    told = f'--limit "{limit}" is no limit: name a number from 1 to 100.\n'
    assert (code, wrong) == (2, told)
