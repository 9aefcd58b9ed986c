"""The metadata of posts: which message of the outbox a post shows, also after later edits."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.delivery.metadata import EVENT, PostOrigin, mark, mark_gone, origin
from core.decision import Surface
from core.handover import HandOver
from core.promise import Promise
from core.public_side import PublicUpdate
from storage.facts import Facts
from storage.messages import OutboxMessage
from storage.models import State
from tests.builders import ADA, GRACE, NINE, STATUS_CHANNEL, WORKSPACE, an_id


def a_message(surface=Surface.STATUS_CARD, **changes):
    return OutboxMessage(
        **{
            "id": 1,
            "uid": an_id("message"),
            "workspace": WORKSPACE,
            "incident": an_id("incident"),
            "entry": None if surface is Surface.STATUS_CARD else 2,
            "surface": surface,
            "channel": STATUS_CHANNEL,
            "state": State.RUNNING,
            "attempts": 1,
            "due_at": NINE,
            "try_at": NINE,
            "claimed_by": "worker",
            "error": None,
            "unsure": True,
            "created_at": NINE,
        }
        | changes
    )


def facts_of(message, at=NINE):
    if message.entry is None:
        return Facts(name="INC-42")
    update = PublicUpdate(
        entry=message.entry,
        at=at,
        changed_at=at,
        status=None,
        word=None,
        body=None,
        withdrawn=True,
    )
    return Facts(name="INC-42", update=update)


def posted(message, at=NINE):
    return origin({"metadata": mark(message, facts_of(message, at))})


OTHER = {"uid": an_id("a later edit")}
LATER = NINE + timedelta(minutes=1)


@pytest.mark.parametrize(
    ("post", "at", "sought", "same"),
    [
        (a_message(), NINE, a_message(), True),
        (a_message(**OTHER), NINE, a_message(), True),
        (a_message(**OTHER, incident=an_id("other")), NINE, a_message(), False),
        (a_message(Surface.WORKING_CARD, **OTHER, entry=None), NINE, a_message(), False),
        (a_message(Surface.PUBLIC_UPDATE, **OTHER), NINE, a_message(Surface.PUBLIC_UPDATE), True),
        (a_message(Surface.WITHDRAWAL, **OTHER), NINE, a_message(Surface.PUBLIC_UPDATE), True),
        (a_message(Surface.PUBLIC_UPDATE, **OTHER), LATER, a_message(Surface.PUBLIC_UPDATE), False),
        (
            a_message(Surface.PUBLIC_UPDATE, **OTHER, entry=3),
            NINE,
            a_message(Surface.PUBLIC_UPDATE),
            False,
        ),
        (a_message(**OTHER), NINE, a_message(Surface.PUBLIC_UPDATE), False),
    ],
)
def test_a_post_is_known_by_its_incident_after_later_edits(post, at, sought, same):
    assert posted(post, at).is_of(sought, facts_of(sought)) is same


@pytest.mark.parametrize(
    ("surface", "facts"),
    [
        (
            Surface.HAND_OVER_DECLINED,
            lambda at: Facts(hand_over=HandOver(entry=2, to=GRACE, by=ADA, asked_at=at)),
        ),
        (Surface.MENTION, lambda at: Facts(written=at)),
        (
            Surface.PROMISE_BREACH,
            lambda at: Facts(promise=Promise(entry=2, public_at=NINE, due_at=at)),
        ),
    ],
)
def test_a_nudge_is_told_from_one_about_an_entry_of_before_a_restore(surface, facts):
    post = origin({"metadata": mark(a_message(surface, **OTHER), facts(NINE))})

    assert post.is_of(a_message(surface), facts(NINE))
    assert not post.is_of(a_message(surface), facts(LATER))


def test_a_post_of_an_earlier_version_is_known_by_its_message():
    old = origin(
        {"metadata": {"event_type": EVENT, "event_payload": {"id": str(an_id("message"))}}}
    )

    assert old == PostOrigin(uid=an_id("message"))
    assert old.is_of(a_message(), facts_of(a_message()))
    assert not old.is_of(a_message(**OTHER), facts_of(a_message()))


def test_a_card_that_is_marked_as_gone_is_of_nothing():
    gone = origin({"metadata": mark_gone("INC-42")})

    assert gone == PostOrigin(name="INC-42", gone=True)
    assert not gone.is_of(a_message(), facts_of(a_message()))


@pytest.mark.parametrize(
    "metadata",
    [
        None,
        "metadata",
        {},
        {"event_type": "another_app", "event_payload": {"id": str(an_id("message"))}},
        {"event_type": EVENT},
        {"event_type": EVENT, "event_payload": []},
    ],
)
def test_metadata_of_others_is_no_origin(metadata):
    assert origin({"metadata": metadata}) is None


@pytest.mark.parametrize("value", [None, 7, [], {}, "x" * 99, "INC-1x", "INC-99999999999"])
def test_odd_values_are_none(value):
    names = ("id", "incident", "name", "entry", "written", "surface", "gone")
    odd = origin({"metadata": {"event_type": EVENT, "event_payload": dict.fromkeys(names, value)}})

    assert (odd.uid, odd.incident, odd.name, odd.gone) == (None, None, None, False)
    assert not odd.is_of(a_message(), facts_of(a_message()))
