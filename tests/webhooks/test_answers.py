"""What follows from each answer of a receiver; and the secrets that sign each try."""

from __future__ import annotations

import asyncio
import itertools
from datetime import UTC, datetime, timedelta

import pytest
from aiohttp import web
from standardwebhooks import Webhook

from bot.delivery.failures import (
    Failure,
    FailureKind,
    GiveUp,
    TryAgain,
    after_webhook_failure,
)
from bot.webhooks.signing import new_secret
from core.webhooks import EndpointState
from tests.builders import (
    NINE,
    a_change,
    a_declaration,
    an_actor,
    an_id,
)
from tests.patience import until
from tests.webhooks.receiver import a_receiver

ADMIN = an_actor(admin=True)
PAGE = "https://status.acme.example"


async def test_a_try_after_a_lost_answer_has_the_same_id(
    add, incidents, worker, receiver, answers, clock
):
    await add()
    answers.next = ["cut", 500]
    await incidents.execute(a_declaration())
    for seconds in (0, 5, 300):
        clock.advance(seconds=seconds)
        await worker.deliver_due()

    assert len(receiver.got) == 3
    assert len({headers["webhook-id"] for _, headers, _ in receiver.got}) == 1
    assert len({body for _, _, body in receiver.got}) == 1
    moments = [int(headers["webhook-timestamp"]) for _, headers, _ in receiver.got]
    assert [moment - moments[0] for moment in moments] == [0, 5, 305]


async def test_ten_tries_are_made_and_then_no_more(
    add, incidents, worker, receiver, answers, hooks, clock, queue
):
    await add()
    answers.next = [302] * 20
    began = clock()
    await incidents.execute(a_declaration())
    tried = []
    for _ in range(9_200):
        before = len(receiver.got)
        await worker.deliver_due()
        if len(receiver.got) > before:
            tried.append(clock() - began)
        ahead = [one for one in await hooks.log(ADMIN, an_id("hook 1")) if not one.done_at]
        if not ahead:
            break
        clock.now = min(one.try_at for one in ahead)

    pauses = [after - before for before, after in itertools.pairwise(tried)]
    hours, minutes = (lambda n: timedelta(hours=n)), (lambda n: timedelta(minutes=n))
    assert pauses == [
        timedelta(seconds=5),
        minutes(5),
        minutes(30),
        *(hours(n) for n in (2, 5, 10, 14, 20, 24)),
    ]
    assert {path for path, _, _ in receiver.got} == {"/hooks"}
    # By then three days have passed without a success.
    assert [one.state for one in await hooks.endpoints(ADMIN)] == [EndpointState.SILENT]
    assert (await queue.depth()).off == 1


async def test_an_endpoint_that_answers_410_is_switched_off(
    add, incidents, worker, receiver, answers, hooks, clock
):
    await add()
    answers.next = [410]
    await incidents.execute(a_declaration())
    await worker.deliver_due()
    clock.advance(days=1)
    await incidents.execute(a_change(ref=1, to="identified"))
    await worker.deliver_due()

    assert len(receiver.got) == 1
    assert [one.state for one in await hooks.endpoints(ADMIN)] == [EndpointState.GONE]


async def test_a_pause_that_a_receiver_asks_for_is_for_all_its_events(
    add, incidents, worker, receiver, answers, clock
):
    await add()
    answers.next = [(429, 60)]
    await incidents.execute(a_declaration(id=an_id(1)))
    await worker.deliver_due()
    await incidents.execute(a_declaration(id=an_id(2)))
    clock.advance(seconds=59)
    await worker.deliver_due()
    assert len(receiver.got) == 1
    clock.advance(seconds=1)
    await worker.deliver_due()

    assert len(receiver.got) == 3


@pytest.mark.parametrize(
    ("failure", "attempts", "verdict"),
    [
        (FailureKind.PASSING, 1, TryAgain(NINE + timedelta(seconds=5), "x")),
        (FailureKind.UNKNOWN, 9, TryAgain(NINE + timedelta(hours=24), "x")),
        (FailureKind.PASSING, 10, GiveUp("x")),
        (FailureKind.PERMANENT, 1, GiveUp("x")),
    ],
)
def test_a_failure_has_the_next_try_of_the_schedule(failure, attempts, verdict):
    found = after_webhook_failure(Failure(failure, "x"), attempts=attempts, at=NINE, jitter=0.5)

    assert found == verdict


@pytest.mark.parametrize(
    ("asked", "attempts", "waits"),
    [
        (timedelta(minutes=1), 1, timedelta(minutes=1)),
        (timedelta(minutes=1), 2, timedelta(minutes=5)),
        (timedelta(days=40), 1, timedelta(days=1)),
    ],
)
def test_a_pause_is_obeyed_up_to_a_day(asked, attempts, waits):
    failure = Failure(FailureKind.RATE_LIMITED, "http_429", retry_after=asked)
    verdict = after_webhook_failure(failure, attempts=attempts, at=NINE, jitter=0)

    assert verdict == TryAgain(NINE + waits, "http_429", whole_channel=True)


async def test_a_receiver_that_hangs_keeps_no_other_waiting(add, incidents, worker, receiver):
    done = asyncio.Event()

    async def hang(_request):
        await done.wait()
        return web.Response()

    async with a_receiver(hang) as hung:
        await add(hung.url)
        for number in range(6):
            await incidents.execute(a_declaration(id=an_id(number)))
        await add()
        await incidents.execute(a_declaration(id=an_id(6)))
        delivering = asyncio.create_task(worker.deliver_due())
        await until(lambda: receiver.got)
        assert not done.is_set()
        done.set()
        await delivering

    assert len(receiver.got) == 1
    assert len(hung.got) == 7


# --- signatures --------------------------------------------------------------------------------


async def test_each_try_is_signed_with_both_secrets_while_one_is_rotated(
    add, incidents, worker, receiver, hooks, clock
):
    # The library of receivers compares moments with the clock of this machine.
    clock.now = datetime.now(UTC)
    old, new = new_secret(), new_secret()
    made = await add(secret=old)
    await hooks.rotate(ADMIN, made.id, new)
    await incidents.execute(a_declaration())
    await worker.deliver_due()

    ((_, headers, body),) = receiver.got
    for secret in (old, new):
        assert Webhook(secret).verify(body, headers)["type"] == "incident.created"
    assert old not in repr(receiver.got)


async def test_two_secrets_sign_and_after_a_day_one(add, incidents, worker, receiver, hooks, clock):
    secrets = [new_secret() for _ in range(3)]
    made = await add(secret=secrets[0])
    for secret in secrets[1:]:
        await hooks.rotate(ADMIN, made.id, secret)
    await incidents.execute(a_declaration(id=an_id(1)))
    await worker.deliver_due()
    clock.advance(days=1)
    await incidents.execute(a_declaration(id=an_id(2)))
    await worker.deliver_due()

    for (_, headers, body), signing in zip(
        receiver.got, (secrets[:0:-1], secrets[-1:]), strict=True
    ):
        moment = datetime.fromtimestamp(int(headers["webhook-timestamp"]), UTC)
        signed = [
            Webhook(one).sign(headers["webhook-id"], moment, body.decode()) for one in signing
        ]
        assert headers["webhook-signature"].split(" ") == signed
