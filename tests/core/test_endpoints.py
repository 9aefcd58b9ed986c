"""Webhooks: admins alone have to do with them; what is checked of an address, and its states."""

from __future__ import annotations

from datetime import timedelta

import pytest

from core.denials import Denied, Permission
from core.endpoints import ENDPOINTS_MAX, LOG_MAX, URL_MAX, Webhooks
from core.errors import InvalidField
from core.incident import Membership, Severity
from core.missing import NoSuchWebhook
from core.subscription import SubscriptionFilter
from core.webhooks import EndpointState, HookEvent
from tests.builders import NINE, WORKSPACE, an_actor, an_id

ADMIN = an_actor(admin=True)
STRANGER = an_actor(admin=True, workspace="T0OTHER")
URL = "https://example.com/hooks"
HOOK = an_id("hook")
DAY = timedelta(days=1)


@pytest.fixture
def hooks(store, clock):
    return Webhooks(store, clock=clock)


@pytest.fixture
def add(hooks):
    count = 0

    async def add(**filter_):
        nonlocal count
        count += 1
        proposed = await hooks.propose(ADMIN, an_id(f"hook {count}"), URL, **filter_)
        return await hooks.keep(ADMIN, proposed, "whsec_first")

    return add


# --- an address ------------------------------------------------------------------------------


async def test_an_address_is_kept_only_once_it_has_answered_and_starts_then(hooks, clock):
    proposed = await hooks.propose(ADMIN, HOOK, f" {URL}\n")
    assert await hooks.endpoints(ADMIN) == ()
    clock.advance(seconds=5)

    kept = await hooks.keep(ADMIN, proposed, "whsec_first")

    assert await hooks.endpoints(ADMIN) == (kept,)
    assert (kept.url, kept.workspace, kept.added_by) == (URL, WORKSPACE, ADMIN.person)
    assert kept.added_at == kept.starts_at == NINE + timedelta(seconds=5)


@pytest.mark.parametrize(
    ("address", "problem"),
    [
        ("", "is not whole: write one"),
        ("example.com", "is not whole: write one"),
        ("ftp://example.com", "is not whole: write one"),
        ("https://a b", "is not whole: write one"),
        ("https://exämple.com", "is not whole: write one"),
        (URL.ljust(URL_MAX + 1, "x"), "has 2001 characters: at most 2000 are kept"),
    ],
    ids=["nothing", "no scheme", "another scheme", "a blank", "letters that are not sent", "long"],
)
async def test_an_address_that_cannot_be_called_is_refused(hooks, address, problem):
    with pytest.raises(InvalidField, match=problem) as refused:
        await hooks.propose(ADMIN, HOOK, address)

    assert refused.value.field == "url"


async def test_the_longest_address_is_taken(hooks):
    longest = URL.ljust(URL_MAX, "x")

    assert (await hooks.propose(ADMIN, HOOK, longest)).url == longest


async def test_a_workspace_has_so_many_endpoints_and_no_more(hooks, add):
    proposed = await hooks.propose(ADMIN, HOOK, URL)
    made = [await add() for _ in range(ENDPOINTS_MAX)]

    with pytest.raises(InvalidField, match="is one too many: remove one of 50 first"):
        await add()
    # The others were added while its address was waited for.
    with pytest.raises(InvalidField, match="is one too many"):
        await hooks.keep(ADMIN, proposed, "whsec_x")
    await hooks.remove(ADMIN, made[0].id)
    await add()
    assert len(await hooks.endpoints(ADMIN)) == ENDPOINTS_MAX


# --- its filter, its state, its secrets ------------------------------------------------------


async def test_a_filter_is_replaced_as_a_whole(hooks, add, declare):
    api = (await declare(components=("api",))).components
    made = await add(severity=Severity.HIGH, components=("API",))
    assert made.filter == SubscriptionFilter(severity=Severity.HIGH, components=api)

    changed = await hooks.refilter(ADMIN, made.id, severity=None, components=(api[0].id,))

    assert changed.filter == SubscriptionFilter(components=api)
    assert await hooks.find(ADMIN, made.id) == changed


async def test_an_endpoint_that_is_switched_on_starts_anew(hooks, add, clock):
    made = await add()
    clock.advance(hours=1)
    off = await hooks.switch(ADMIN, made.id, on=False)
    assert (off.state, off.off_at, off.starts_at) == (EndpointState.OFF, clock(), NINE)
    clock.advance(hours=1)

    on = await hooks.switch(ADMIN, made.id, on=True)

    assert (on.state, on.off_at, on.starts_at) == (EndpointState.ON, None, clock())


async def test_a_switch_to_the_same_changes_nothing(hooks, add, clock):
    made = await add()
    clock.advance(minutes=1)
    assert await hooks.switch(ADMIN, made.id, on=True) == made

    off = await hooks.switch(ADMIN, made.id, on=False)
    clock.advance(minutes=1)
    assert await hooks.switch(ADMIN, made.id, on=False) == off
    assert await hooks.endpoints(ADMIN) == (off,)


async def test_both_secrets_sign_for_a_day_while_one_is_rotated(hooks, add, clock):
    made = await add()
    rotated = await hooks.rotate(ADMIN, made.id, "whsec_second")
    after = rotated.endpoint
    assert (after.rotating_until, rotated.ended) == (NINE + DAY, None)

    assert await hooks.secrets(ADMIN, made.id) == (after, ("whsec_second", "whsec_first"))
    clock.advance(days=1)
    assert await hooks.secrets(ADMIN, made.id) == (after, ("whsec_second",))


async def test_a_third_secret_says_which_one_ends(hooks, add, clock):
    made = await add()
    await hooks.rotate(ADMIN, made.id, "whsec_second")
    clock.advance(hours=1)

    third = await hooks.rotate(ADMIN, made.id, "whsec_third")

    assert third.ended == NINE
    clock.advance(days=1)
    assert (await hooks.rotate(ADMIN, made.id, "whsec_fourth")).ended is None


async def test_a_removed_endpoint_is_unknown(hooks, add):
    made = await add()

    assert await hooks.remove(ADMIN, made.id) == made
    assert await hooks.endpoints(ADMIN) == ()
    with pytest.raises(NoSuchWebhook):
        await hooks.find(ADMIN, made.id)


@pytest.mark.parametrize(("limit", "shown"), [(0, 1), (2, 2), (LOG_MAX + 1, 3)])
async def test_the_log_shows_the_newest_events_at_least_one(hooks, add, declare, limit, shown):
    made = await add()
    declared = [(await declare()).id for _ in range(3)]

    log = await hooks.log(ADMIN, made.id, limit=limit)

    assert sorted(one.incident for one in log) == sorted(declared[-shown:])
    assert {one.event for one in log} == {HookEvent.CREATED}


async def test_an_event_that_was_never_sent_cannot_be_resent(hooks, add):
    made = await add()

    assert not await hooks.resend(ADMIN, made.id, an_id("no event"))


async def test_an_endpoint_that_is_off_gets_no_event_again(hooks, add):
    made = await add()
    await hooks.switch(ADMIN, made.id, on=False)

    with pytest.raises(InvalidField, match="The webhook is switched off: switch it on, and it"):
        await hooks.resend(ADMIN, made.id, an_id("event"))


async def test_what_follows_a_change_is_kept_with_it_or_both_are_not(hooks, add):
    made = await add()

    def fails(_tx, _after):
        raise ZeroDivisionError

    for act in (
        hooks.keep(ADMIN, await hooks.propose(ADMIN, HOOK, URL), "whsec_x", then=fails),
        hooks.switch(ADMIN, made.id, on=False, then=fails),
        hooks.remove(ADMIN, made.id, then=fails),
    ):
        with pytest.raises(ZeroDivisionError):
            await act
    assert await hooks.endpoints(ADMIN) == (made,)


# --- who may ---------------------------------------------------------------------------------


def acts(hooks, actor, one):
    """Every act on the endpoint ``one``."""
    return (
        hooks.find(actor, one),
        hooks.refilter(actor, one, severity=None, components=()),
        hooks.rotate(actor, one, "whsec_second"),
        hooks.switch(actor, one, on=False),
        hooks.remove(actor, one),
        hooks.log(actor, one),
        hooks.resend(actor, one, an_id("event")),
        hooks.secrets(actor, one),
    )


@pytest.mark.parametrize(
    ("actor", "permission"),
    [
        (an_actor(), Permission.ADMINISTER),
        (an_actor(admin=True, membership=Membership.GUEST), Permission.JOIN),
    ],
    ids=["a responder", "a guest"],
)
async def test_only_admins_have_to_do_with_endpoints(hooks, add, actor, permission):
    made = await add()
    proposed = await hooks.propose(ADMIN, HOOK, URL)

    for act in (
        hooks.endpoints(actor),
        hooks.propose(actor, HOOK, URL),
        hooks.keep(actor, proposed, "whsec_x"),
        *acts(hooks, actor, made.id),
    ):
        with pytest.raises(Denied) as refused:
            await act
        assert refused.value.permission is permission
    assert await hooks.endpoints(ADMIN) == (made,)


async def test_an_endpoint_of_another_workspace_is_unknown(hooks, add):
    made = await add()

    for act in acts(hooks, STRANGER, made.id):
        with pytest.raises(NoSuchWebhook):
            await act
    assert await hooks.endpoints(STRANGER) == ()
    assert await hooks.endpoints(ADMIN) == (made,)
