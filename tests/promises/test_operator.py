"""The operator sees undeliverable messages with their cure; the others arrive soon."""

from __future__ import annotations

import asyncio
import contextlib
import time
from datetime import UTC, datetime

import pytest

from bot.sandbox import Limits
from tests import tables
from tests.cli import invoke
from tests.clock import Clock
from tests.promises.conftest import environment, serving, settle, tell
from tests.standin import a_standin


@pytest.fixture
def clock():
    """The command line goes by the machine's own clock."""
    return Clock(datetime.now(UTC))


@pytest.fixture
def operate(slack, database_url, tmp_path):
    """Runs ``ratchet`` beside the server; its exit code and output."""

    async def operate(*arguments):
        def run():
            with contextlib.chdir(tmp_path):
                result = invoke(arguments, env=environment(slack, database_url))
            return result.exit_code, result.stdout

        return await asyncio.to_thread(run)

    return operate


async def test_an_undeliverable_message_is_shown_with_its_cure_and_sent_on_retry(
    slack, ratchet, clock, mia, operate
):
    await tell(mia, "declare Checkout is down")
    await settle(ratchet, clock)
    broken = slack.faults.refuse("chat.postMessage", error="is_archived", times=None)
    await tell(mia, "update 1 Cards are refused.")
    await settle(ratchet, clock)

    code, said = await operate("doctor")
    assert code == 1
    assert "1 could never be delivered (is_archived in C0STATUS)" in said
    assert "ratchet outbox retry" in said
    _, said = await operate("outbox", "list")
    assert said.startswith("dead  public_update in C0STATUS")
    assert "Cards are refused" not in said
    assert (await ratchet.readiness()).dead_messages == 1

    broken.clear()
    assert await operate("outbox", "retry") == (0, "1 messages will be tried again.\n")
    clock.advance(seconds=10)
    await settle(ratchet, clock)
    assert "Cards are refused." in str(slack.channel_view("#status"))
    assert "audit: every timeline is legal" in (await operate("doctor", "--deep"))[1]


async def test_an_illegal_history_is_found(ratchet, clock, mia, operate):
    await tell(mia, "declare Checkout is down", "update 1 Cards are refused.")
    await settle(ratchet, clock)
    tables.change(
        ratchet.store,
        "UPDATE incident SET status = 'resolved'",
        "DELETE FROM outbox",
        "DELETE FROM posted",
    )

    code, said = await operate("doctor", "--deep")

    assert code == 1
    assert "INC-1: it is resolved, and its timeline leads to investigating" in said
    assert "INC-1: entry 2 is public, and was neither posted nor is it waiting" in said


async def test_the_doctor_compares_with_slack_on_request(slack, ratchet, clock, mia, operate):
    await tell(mia, "declare Checkout is down", "update 1 Cards are refused.")
    await settle(ratchet, clock)

    assert "slack: " not in (await operate("doctor"))[1]
    code, said = await operate("doctor", "--deep")
    assert code == 0
    assert "ok    slack: 1 incident compared with #status" in said
    assert "ok    slack: 1 incident compared with #payments" in said

    [card] = slack.workspace.channel("#status").messages
    slack.workspace.edit(card.replies[0], text="Cards are fine.", blocks=[])
    code, said = await operate("doctor", "--deep")
    assert code == 1
    assert "FAIL  slack: INC-1: #status shows another text than entry 2: " in said
    assert "Cards" not in said


async def test_without_messages_there_is_nothing_to_compare(ratchet, operate):
    code, said = await operate("doctor", "--deep")

    assert code == 0
    assert "ok    slack: no messages to compare" in said


@pytest.mark.torture
async def test_a_public_update_is_posted_within_two_seconds(a_database, figures):
    def now():
        return datetime.now(UTC)

    taken = []
    with a_database("sqlite") as url:
        async with (
            a_standin(clock=time.time, limits=Limits(posting=True, burst=3)) as slack,
            serving(slack, now, url) as app,
        ):
            mia = slack.person("mia")
            await tell(mia, "declare Checkout is down")
            for number in range(30):
                said = f"This is update number {number}."
                began = time.monotonic()
                await tell(mia, f"update 1 {said}")
                await slack.until(lambda said=said: said in str(slack.channel_view("#status")))
                taken.append(time.monotonic() - began)
            await app.worker.stop()  # A post is counted after it is shown.
            counted = app.metrics.registry.get_sample_value(
                "ratchet_delivery_seconds_count", {"surface": "public_update"}
            )

    figures(f"{counted:.0f} public updates were posted within {max(taken):.2f} s each")
    assert counted >= len(taken) - 1
    assert max(taken) < 2
