"""Requests about promises, as people type them and as they are kept and pressed."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from bot.slack import written
from bot.slack.buttons import (
    later_button,
    no_promise_button,
    promise_button,
    release_button,
)
from bot.slack.forms import read, update_form
from bot.slack.parser import parse
from bot.slack.pressed import Dialog, decode
from bot.slack.questions import Offer, label_of, value_of
from bot.slack.requests import Choice, OpenPromise, OpenUpdate, Question
from bot.slack.typed import Circumstances
from core.commands import SetPromise
from core.incident import Note, Place
from core.lifecycle import PRESETS, Catalogue
from core.promise import NextUpdate
from tests.builders import INCIDENTS_CHANNEL, NINE, a_change, an_actor, an_id, an_incident

CATALOGUE = Catalogue(PRESETS, default="statuspage")
BERLIN = timezone(timedelta(hours=1))
MINUTES = timedelta(minutes=1)


def said(text):

    known = Circumstances(
        actor=an_actor(),
        catalogue=CATALOGUE,
        new_id=an_id("new"),
        place=Place(INCIDENTS_CHANNEL),
        at=NINE,
        zone=BERLIN,
    )
    return parse(text, known)


def asks(**changes: Any) -> SetPromise:
    fields: dict[str, Any] = {"actor": an_actor(), "ref": 42}
    return SetPromise(**fields | changes)


def by(day, hour, minute):
    return NextUpdate(by=datetime(2026, 3, day, hour, minute, tzinfo=UTC))


@pytest.mark.parametrize(
    ("typed", "request_"),
    [
        ("promise 42 30m", asks(next_update=NextUpdate(within=30 * MINUTES))),
        ("promise INC-42 in 1h", asks(next_update=NextUpdate(within=60 * MINUTES))),
        ("promise 30m", asks(ref=None, next_update=NextUpdate(within=30 * MINUTES))),
        (
            "promise 42 15:30",
            asks(next_update=NextUpdate(by=datetime(2026, 3, 2, 14, 30, tzinfo=UTC))),
        ),
        (
            "promise 42 tomorrow 10:00",
            asks(next_update=NextUpdate(by=datetime(2026, 3, 3, 9, tzinfo=UTC))),
        ),
        (
            "promise 42 2m because we wait for the vendor",
            asks(
                next_update=NextUpdate(within=2 * MINUTES),
                reason=Note("because we wait for the vendor"),
            ),
        ),
        (
            "promise 42 by tomorrow at 3:30 pm, because it is night there",
            asks(next_update=by(3, 14, 30), reason=Note("because it is night there")),
        ),
        ("promise 42 none", asks()),
        ("promise 42 *None*", asks()),
        ("promise 42 none the vendor decides", asks(reason=Note("the vendor decides"))),
    ],
)
def test_a_promise_is_read(typed, request_):
    assert said(typed) == request_


@pytest.mark.parametrize("typed", ["promise 42 soon", "promise 42 because 30m"])
def test_a_promise_without_a_time_is_refused(typed):
    with pytest.raises(Question, match="is no time"):
        said(typed)


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("promise 42 30", [asks(next_update=NextUpdate(within=30 * MINUTES))]),
        (
            "promise 42 by 9:45",
            [
                asks(next_update=by(2, 20, 45)),
                asks(next_update=by(3, 8, 45)),
                OpenPromise(ref=42),
            ],
        ),
        ("promise 42 9:45am", [asks(next_update=by(3, 8, 45)), OpenPromise(ref=42)]),
        (
            "promise 42 9:45 the vendor sleeps",
            [
                asks(next_update=by(2, 20, 45), reason=Note("the vendor sleeps")),
                asks(next_update=by(3, 8, 45), reason=Note("the vendor sleeps")),
                OpenPromise(ref=42),
            ],
        ),
        (
            "promise 42 30m or so",
            [
                asks(next_update=NextUpdate(within=30 * MINUTES), reason=Note("or so")),
                asks(next_update=NextUpdate(within=30 * MINUTES)),
                OpenPromise(ref=42),
            ],
        ),
    ],
)
def test_a_promise_that_may_mean_another_time_is_asked_about(typed, meant):
    with pytest.raises(Question) as question:
        said(typed)

    assert [one.request for one in question.value.choices] == meant


@pytest.mark.parametrize(
    ("time", "limit"),
    [("30 d", 7 * 24 * 60), ("8 days", 7 * 24 * 60), ("2026-04-30 10:00", 7 * 24 * 60), ("0m", 1)],
)
@pytest.mark.parametrize("reason", ["", "because the vendor sleeps"])
def test_a_promise_that_is_too_near_or_too_far_offers_the_limit_and_the_dialog(time, limit, reason):
    with pytest.raises(Question, match="must be from one minute to seven days away") as question:
        said(f"promise 42 {time} {reason}")

    within = NextUpdate(within=limit * MINUTES)
    nearest = asks(next_update=within, reason=Note(reason) if reason else None)
    assert [one.request for one in question.value.choices] == [nearest, OpenPromise(ref=42)]


@pytest.mark.parametrize("time", ["30s", "0", "soon"])
def test_what_is_no_time_is_told_the_limits_and_no_other_slip(time):
    with pytest.raises(Question, match="from one minute to seven days away, or none") as question:
        said(f"promise 42 {time}")

    assert [one.request for one in question.value.choices] == [OpenPromise(ref=42)]


# --- buttons, drafts, dialogs ------------------------------------------------------------------

INCIDENT = an_incident()


@pytest.mark.parametrize(
    ("button", "request_"),
    [
        (promise_button(INCIDENT), OpenPromise(ref=INCIDENT.id)),
        (release_button(INCIDENT), OpenPromise(ref=INCIDENT.id, release=True)),
        (no_promise_button(INCIDENT, 7), asks(ref=INCIDENT.id, expected=7)),
        (
            later_button(INCIDENT, 7),
            asks(ref=INCIDENT.id, expected=7, next_update=NextUpdate(later=15 * MINUTES)),
        ),
    ],
)
def test_a_button_names_its_incident_and_its_promise(button, request_):
    assert decode(button["value"], actor=an_actor()) == request_


KEPT = [
    asks(next_update=NextUpdate(within=30 * MINUTES)),
    asks(next_update=NextUpdate(later=15 * MINUTES), expected=7),
    asks(next_update=NextUpdate(by=NINE), reason=Note("n")),
    asks(),
    a_change(next_update=NextUpdate()),
    OpenPromise(ref=42, release=True),
    OpenUpdate(ref=42, next_update=None),
]


@pytest.mark.parametrize("request_", KEPT, ids=range(len(KEPT)))
def test_a_promise_is_kept_in_a_draft(request_):
    body = written.written([request_])

    assert written.read(body, actor=an_actor(), catalogue=CATALOGUE) == [request_]


@pytest.mark.parametrize(
    ("request_", "label"),
    [
        (KEPT[0], "Promise an update of INC-42 in 30 min"),
        (KEPT[3], "No promise for INC-42"),
        (KEPT[5], "Promise an update of INC-42…"),
    ],
)
def test_a_button_says_what_it_promises(request_, label):
    assert label_of(Offer(Choice(request_), INCIDENT)) == label


@pytest.mark.parametrize("release", [True, False])
def test_the_dialog_of_a_promise_is_opened_without_a_draft(release):
    offer = Offer(Choice(OpenPromise(ref=INCIDENT.id, release=release)), INCIDENT)

    assert decode(str(value_of(offer)), actor=an_actor()) == offer.request


def a_view(callback, chosen, reason=None):
    values = {"next_update": {"next_update": {"selected_option": {"value": chosen}}}}
    if reason is not None:
        values["reason"] = {"text": {"value": reason}}
    remembered = f'{{"incident": "{INCIDENT.id}", "status": "investigating"}}'
    return {"callback_id": callback, "private_metadata": remembered, "state": {"values": values}}


@pytest.mark.parametrize(
    ("chosen", "reason", "request_"),
    [
        ("30", None, {"next_update": NextUpdate(within=30 * MINUTES)}),
        ("none", None, {}),
        ("none", "  ", {}),
        ("none", "the vendor decides", {"reason": Note("the vendor decides")}),
        ("²", None, {}),
        ("999999", None, {}),
    ],
)
def test_the_dialog_of_a_promise_is_read(chosen, reason, request_):
    view = a_view(Dialog.PROMISE, chosen, reason)
    found = read(view, actor=an_actor(), catalogue=CATALOGUE, new_id=an_id("new"), at=NINE)

    assert found == asks(ref=INCIDENT.id, **request_)


def test_the_update_dialog_carries_a_promise():
    view = a_view(Dialog.UPDATE, "45")
    view["state"]["values"]["public"] = {"preview:public": {"value": "We found it."}}
    form = update_form(view)

    assert form.command(an_actor()).next_update == NextUpdate(within=45 * MINUTES)
