"""The settings of a workspace: admins alone see and save them, and no save hides another."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from core.configuring import SettingsBook
from core.denials import Denied, Permission
from core.incident import Membership, Severity
from core.refusals import SettingsChanged
from core.settings import DEFAULTS, NONE, Setting
from core.subscribing import Subscribing, Wanted
from tests.builders import GRACE, LINUS, NINE, STATUS_CHANNEL, an_actor

ADMIN = an_actor(LINUS, admin=True)
OTHER_ADMIN = an_actor(GRACE, admin=True)
SEVERITY, LIFECYCLE = Setting.DEFAULT_SEVERITY, Setting.DEFAULT_LIFECYCLE


@pytest.fixture
def defaults():
    return DEFAULTS


@pytest.fixture
def book(store, clock):
    return SettingsBook(store, clock=clock)


def saved(known):
    return [(one.setting, one.text, one.by, one.at) for one in known.saved.values()]


async def test_without_anything_saved_the_defaults_are_in_force(book):
    known = await book.shown(ADMIN)

    assert (known.saved, known.defaults) == ({}, DEFAULTS)
    assert (known.workspace.settings, known.workspace.version) == (DEFAULTS, 0)
    assert known.text(Setting.PROMISE_DEFAULTS) == "critical=30m,high=60m"


async def test_a_change_is_saved_with_its_author_and_moment(book, clock):
    known = await book.save(ADMIN, {SEVERITY: "low"}, seen=0)

    assert saved(known) == [(SEVERITY, "low", LINUS, NINE)]
    assert (known.workspace.version, known.text(SEVERITY)) == (1, "low")
    assert known.defaults.default_severity is Severity.MEDIUM
    clock.advance(minutes=5)
    again = await book.save(OTHER_ADMIN, {SEVERITY: "high", LIFECYCLE: "response"}, seen=1)
    later = NINE + timedelta(minutes=5)
    assert saved(again) == [
        (LIFECYCLE, "response", GRACE, later),
        (SEVERITY, "high", GRACE, later),
    ]
    assert await book.shown(ADMIN) == again


async def test_none_restores_the_default(book):
    await book.save(ADMIN, {SEVERITY: "low", Setting.STATUS_CHANNEL: STATUS_CHANNEL}, seen=0)

    known = await book.save(ADMIN, {SEVERITY: None, Setting.STATUS_CHANNEL: None}, seen=1)

    assert (known.saved, known.workspace.settings) == ({}, DEFAULTS)
    assert known.workspace.version == 2


async def test_a_stale_save_writes_nothing(book):
    before = await book.save(ADMIN, {SEVERITY: "low"}, seen=0)

    with pytest.raises(SettingsChanged):
        await book.save(OTHER_ADMIN, {LIFECYCLE: "response"}, seen=0)

    assert await book.shown(ADMIN) == before


async def test_no_changes_raise_no_version(book):
    assert (await book.save(ADMIN, {}, seen=7)).workspace.version == 0


async def test_a_repeated_request_changes_nothing(book):
    await book.save(ADMIN, {SEVERITY: "low"}, seen=0, request="envelope 1")
    last = await book.save(ADMIN, {SEVERITY: "high"}, seen=1, request="envelope 2")

    assert await book.save(ADMIN, {SEVERITY: "low"}, seen=0, request="envelope 1") == last


async def test_a_save_that_saw_no_version_replaces_what_is_there(book):
    await book.save(ADMIN, {Setting.STATUS_CHANNEL: "C0OLD"}, seen=None, request="envelope 1")
    changes = {Setting.STATUS_CHANNEL: STATUS_CHANNEL}
    last = await book.save(OTHER_ADMIN, changes, seen=None, request="envelope 2")

    again = await book.save(
        ADMIN, {Setting.STATUS_CHANNEL: "C0OLD"}, seen=None, request="envelope 1"
    )

    assert again == last
    assert (again.workspace.status_channel, again.workspace.version) == (STATUS_CHANNEL, 2)


@pytest.mark.parametrize(
    ("actor", "permission"),
    [
        (an_actor(), Permission.ADMINISTER),
        (an_actor(membership=Membership.GUEST), Permission.JOIN),
        (an_actor(membership=Membership.STRANGER, admin=True), Permission.JOIN),
    ],
)
async def test_everybody_else_is_refused(book, actor, permission):
    with pytest.raises(Denied) as shown:
        await book.shown(actor)
    with pytest.raises(Denied) as refused:
        await book.save(actor, {SEVERITY: "low"}, seen=0)

    assert shown.value.permission is refused.value.permission is permission
    assert (await book.shown(ADMIN)).saved == {}


async def test_workspaces_have_settings_of_their_own(book):
    await book.save(ADMIN, {SEVERITY: "low"}, seen=0)

    elsewhere = await book.shown(replace(ADMIN, workspace="T0OTHER"))

    assert (elsewhere.saved, elsewhere.workspace.version) == ({}, 0)


async def test_the_subscription_of_a_new_status_channel_ends(book, store, clock):
    subscribing = Subscribing(store, clock=clock)
    kept = (await subscribing.subscribe(an_actor(), Wanted(channel="C0NEW"))).subscription
    status = Setting.STATUS_CHANNEL
    clock.advance(minutes=1)
    assert (await book.save(ADMIN, {SEVERITY: "low"}, seen=None)).ended is None

    known = await book.save(ADMIN, {status: "C0NEW"}, seen=None)

    assert known.ended == replace(kept, by=LINUS, at=clock(), ended_at=clock())
    for channel in (STATUS_CHANNEL, NONE, "C0NEW", None):
        assert (await book.save(ADMIN, {status: channel}, seen=None)).ended is None
    assert await subscribing.subscriptions(an_actor()) == ()
