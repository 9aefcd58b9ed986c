"""The hold of titles: until it ends a title is nowhere in public, and a replaced one never is."""

from dataclasses import replace
from datetime import timedelta

import pytest

from core.commands import Redact
from core.decision import Envelope, Published, Surface
from core.incident import TITLE_WITHDRAWN, Kind
from core.refusals import AlreadyPublic, CurrentTitle, NothingToRedact, RedactionNotPermitted
from tests.builders import (
    ADA,
    GRACE,
    LINUS,
    NINE,
    STATUS_CHANNEL,
    a_change,
    a_declaration,
    an_actor,
    an_incident,
    an_update,
    decide,
    known,
)

SECOND = timedelta(seconds=1)
DELAY = 10 * SECOND
ADMIN = an_actor(LINUS, admin=True)


def entry_one(incident):
    return an_update(incident, entry=1, kind=Kind.DECLARED, body=None, new="investigating")


class Titles:
    """One incident whose title changes; what the public may read, and the entries."""

    def __init__(self, **declared):
        decision = decide(None, a_declaration(**declared), known(publish_delay=DELAY), at=NINE)
        self.incident, self.at = decision.incident, NINE
        self.entries = {1: decision.updates[0]}

    def after(self, seconds):
        self.at = NINE + seconds * SECOND
        return self

    @property
    def public(self):
        return self.incident.public_title(self.at)

    @property
    def titles(self):
        return tuple(one for one in self.entries.values() if one.kind is Kind.TITLE)

    def call(self, title):
        self._keep(
            decide(self.incident, a_change(title=title), known(publish_delay=DELAY), at=self.at)
        )
        return self

    def withdraw(self, entry, by=None, **asked):
        facts = known(publish_delay=DELAY, entry=self.entries[entry], titles=self.titles)
        command = Redact(actor=by or an_actor(), ref=42, entry=entry, **asked)
        self._keep(decide(self.incident, command, facts, at=self.at))
        return self

    def _keep(self, decision):
        self.incident, self.last = decision.incident, decision
        for one in (*decision.updates, *decision.erased, *filter(None, [decision.redacted])):
            self.entries[one.entry] = one


def test_a_declaration_is_public_when_its_hold_ends():
    titles = Titles(title="Down")

    assert titles.after(9).public is None
    assert titles.after(10).public == "Down"


def test_the_status_card_waits_for_the_newest_title():
    titles = Titles(title="Down").after(20).call("Slow").after(21)
    moved = decide(
        titles.incident, a_change(to="identified"), known(publish_delay=DELAY), at=titles.at
    )

    cards = {one.surface: one.not_before for one in moved.envelopes}
    assert cards == {Surface.WORKING_CARD: None, Surface.STATUS_CARD: NINE + 30 * SECOND}


def test_until_then_the_title_before_is_the_public_one():
    titles = Titles(title="Down").after(20).call("Slow")

    assert titles.public == "Down"
    assert titles.after(30).public == "Slow"


def test_a_title_that_is_replaced_while_it_is_held_never_becomes_public():
    titles = Titles(title="Down").after(20).call("ACME is down").after(25).call("Slow")

    assert [titles.after(seconds).public for seconds in (25, 31, 34, 35)] == [
        "Down",
        "Down",
        "Down",
        "Slow",
    ]


def test_a_declared_title_that_is_replaced_in_time_was_never_public():
    titles = Titles(title="ACME is down").after(5).call("Down")

    assert [titles.after(seconds).public for seconds in (5, 11, 15)] == [None, None, "Down"]


def test_to_go_back_to_the_public_title_needs_no_hold():
    titles = Titles(title="Down").after(20).call("Slow").after(21).call("Down")

    assert (titles.public, titles.incident.title_public_at) == ("Down", None)


def test_taking_back_a_title_restores_the_one_before():
    titles = Titles(title="Down").after(20).call("ACME is down").after(25).withdraw(2)

    assert (titles.incident.title, titles.public) == ("Down", "Down")
    assert titles.entries[2].taken_back
    assert "ACME" not in repr((titles.incident, titles.entries))


def test_a_restored_title_that_was_never_public_is_held_anew():
    titles = Titles(title="Down").after(5).call("Slow").after(6).withdraw(2)

    assert titles.incident.title == "Down"
    assert [titles.after(seconds).public for seconds in (6, 15, 16)] == [None, None, "Down"]


def test_a_private_title_is_not_held_for_it_is_never_public():
    titles = Titles(title="Down", private=True).after(5).call("Slow")

    assert titles.incident.title_public_at is None
    assert titles.after(99).public is None


# --- withdrawal of earlier titles, description, category -------------------------------------


def test_an_earlier_title_is_erased_from_every_entry():
    titles = Titles(title="Down").after(20).call("ACME is down").after(40).call("Slow")
    titles.after(60).withdraw(2)

    assert "ACME" not in repr((titles.incident, titles.entries))
    assert (titles.incident.title, titles.entries[3].old, titles.entries[3].new) == (
        "Slow",
        None,
        "Slow",
    )


def test_the_declared_title_is_withdrawn_with_the_declaration():
    titles = Titles(title="ACME is down", description="ACME called", category="ACME")
    titles.after(20).call("Slow").after(40).withdraw(1)

    assert "ACME" not in repr((titles.incident, titles.entries))
    assert titles.entries[1].redacted


def test_the_public_title_of_an_incident_never_stays_a_withdrawn_one():
    titles = Titles(title="ACME is down").after(20).call("Slow").after(21).withdraw(1)

    assert titles.public == TITLE_WITHDRAWN
    assert titles.after(30).public == "Slow"


def test_the_present_title_is_replaced_before_it_is_withdrawn():
    titles = Titles(title="Down").after(20).call("ACME is down").after(40)

    with pytest.raises(CurrentTitle):
        titles.withdraw(2)
    with pytest.raises(CurrentTitle):
        Titles(title="ACME is down").withdraw(1)


@pytest.mark.parametrize(
    ("titles", "entry", "left"),
    [
        (Titles(title="Down").after(20).call("ACME is down").after(40), 2, "Down"),
        (Titles(title="Down").after(20).call("ACME is down").after(21), 2, "Down"),
        (Titles(title="Down").after(5).call("ACME is down").after(40), 2, TITLE_WITHDRAWN),
        (Titles(title="ACME is down").after(40), 1, TITLE_WITHDRAWN),
        (Titles(title="ACME is down", private=True).after(40), 1, TITLE_WITHDRAWN),
        (Titles(title="Down", private=True).after(5).call("ACME is down"), 2, "Down"),
    ],
    ids=["public", "held", "after one that never was", "the first", "a private one", "before"],
)
def test_a_restore_withdraws_the_present_title_for_the_last_that_its_readers_read(
    titles, entry, left
):
    titles.withdraw(entry, present_too=True)

    assert titles.incident.title == left
    assert "ACME" not in repr((titles.incident, titles.entries))
    again = titles.last
    titles.withdraw(entry, present_too=True)
    assert again.changes_anything
    assert not titles.last.changes_anything


@pytest.mark.parametrize(
    ("titles", "entry", "seconds"),
    [
        (Titles(title="Down").after(20).call("ACME is down"), 2, 29),
        (Titles(title="Down").after(20).call("ACME is down").after(25).call("Slow"), 2, 99),
    ],
    ids=["held", "replaced in time"],
)
def test_a_title_that_was_never_public_is_taken_back_however_late(titles, entry, seconds):
    titles.after(seconds).withdraw(entry, held_only=True)

    assert "ACME" not in repr((titles.incident, titles.entries))


def test_a_title_that_was_public_is_not_taken_back_unasked():
    titles = Titles(title="Down").after(20).call("ACME is down").after(40).call("Slow").after(60)

    with pytest.raises(AlreadyPublic) as refused:
        titles.withdraw(2, held_only=True)

    assert refused.value.since == NINE + 30 * SECOND
    assert titles.withdraw(2).last.changes_anything


def test_a_description_goes_and_the_present_title_stays():
    titles = Titles(title="Down", description="ACME called").withdraw(1)

    assert (titles.incident.description, titles.incident.title) == (None, "Down")


def test_a_second_withdrawal_takes_the_texts_that_the_first_could_not_take():
    titles = Titles(title="ACME is down", description="ACME called").withdraw(1)
    titles.after(20).call("Slow").after(40).withdraw(1)

    assert "ACME" not in repr((titles.incident, titles.entries))
    assert not titles.withdraw(1).last.changes_anything


@pytest.mark.parametrize(
    ("by", "seconds", "may"),
    [
        (an_actor(ADA), 300, True),
        (an_actor(ADA), 301, False),
        (an_actor(GRACE), 1, False),
        (ADMIN, 9_999, True),
    ],
    ids=["author in time", "author too late", "somebody else", "an admin"],
)
def test_a_description_is_withdrawn_by_its_author_in_time_and_by_admins(by, seconds, may):
    titles = Titles(title="Down", description="ACME called").after(seconds)

    if may:
        assert titles.withdraw(1, by).incident.description is None
    else:
        with pytest.raises(RedactionNotPermitted):
            titles.withdraw(1, by)


def test_replies_that_name_a_withdrawn_title_are_edited():
    titles = Titles(title="ACME is down").after(20).call("Slow").after(40)
    published = Published(cards=(STATUS_CHANNEL,), replies=((STATUS_CHANNEL, 3),))
    facts = known(entry=titles.entries[1], titles=titles.titles, published=published)

    decision = decide(
        titles.incident, Redact(actor=an_actor(), ref=42, entry=1), facts, at=titles.at
    )

    assert Envelope(surface=Surface.WITHDRAWAL, channel=STATUS_CHANNEL, entry=3) in [
        replace(one, not_before=None) for one in decision.envelopes
    ]


def test_a_change_of_the_severity_has_no_text():
    entry = an_update(kind=Kind.SEVERITY, old="high", new="low", body=None)

    with pytest.raises(NothingToRedact):
        decide(an_incident(), Redact(actor=ADMIN, ref=42, entry=2), known(entry=entry), at=NINE)
