"""The description: private, corrected in entries of its own, withdrawn by its name."""

from dataclasses import replace
from datetime import timedelta

import pytest

from core.commands import Redact
from core.decision import Surface
from core.errors import InvalidField
from core.incident import TITLE_WITHDRAWN, DeclaredText, Kind, Visibility
from core.missing import NoSuchEntry, NoSuchText
from core.refusals import (
    AlreadyPublic,
    CurrentTitle,
    FactChanged,
    IncidentResolved,
    NothingToRedact,
    RedactionNotPermitted,
)
from core.sections import mark_of, texts_of
from tests.builders import (
    ADA,
    GRACE,
    LINUS,
    NINE,
    a_change,
    a_declaration,
    an_actor,
    an_incident,
    an_update,
    decide,
    known,
)

MINUTE = timedelta(minutes=1)
AUTHOR, OTHER, ADMIN = an_actor(ADA), an_actor(GRACE), an_actor(LINUS, admin=True)
DESCRIPTION, CATEGORY, TITLE = DeclaredText


class Story:
    """One incident, its entries, and the decisions about it, a minute apart."""

    def __init__(self, **declared):
        decision = decide(None, a_declaration(**declared), known(), at=NINE)
        self.incident, self.at, self.entries = decision.incident, NINE, {}
        self._keep(decision)

    def change(self, by=AUTHOR, **asked):
        self._keep(decide(self.incident, a_change(actor=by, **asked), known(), at=self.at))
        return self

    def withdraw(self, entry, by=AUTHOR):
        facts = known(
            entry=self.entries.get(1 if isinstance(entry, DeclaredText) else entry),
            titles=self._of(Kind.TITLE),
            descriptions=self._of(Kind.DESCRIPTION),
        )
        self._keep(decide(self.incident, Redact(actor=by, ref=42, entry=entry), facts, at=self.at))
        return self

    def later(self, minutes):
        self.at += minutes * MINUTE
        return self

    def _of(self, kind):
        return tuple(one for one in self.entries.values() if one.kind is kind)

    def _keep(self, decision):
        self.last, self.incident = decision, decision.incident
        gone = filter(None, [decision.redacted])
        for one in (*decision.updates, *decision.redacted_too, *decision.erased, *gone):
            self.entries[one.entry] = one
        self.at += MINUTE

    @property
    def everything(self):
        return repr((self.incident, self.entries))


def test_a_correction_is_an_internal_entry_with_the_text_before():
    story = Story(description="ACME called").change(description=" All customers called \r\n")

    (entry,) = story.last.updates
    assert (entry.kind, entry.visibility, entry.by) == (
        Kind.DESCRIPTION,
        Visibility.INTERNAL,
        ADA,
    )
    assert (entry.old, entry.body, entry.new) == ("ACME called", "All customers called", None)
    assert story.incident.description == "All customers called"


def test_a_correction_redraws_the_cards_of_responders_and_nothing_public():
    story = Story().change(description="ACME called")

    assert [one.surface for one in story.last.envelopes] == [Surface.WORKING_CARD]


def test_the_same_description_changes_nothing():
    story = Story(description="ACME called").change(description="ACME called ")

    assert not story.last.changes_anything


@pytest.mark.parametrize("text", ["", " \n", "x" * 10_001, "\x00"])
def test_a_description_has_one_to_ten_thousand_characters(text):
    with pytest.raises(InvalidField) as refused:
        Story().change(description=text)

    assert refused.value.field == "description"


def test_after_the_end_it_is_only_withdrawn():
    story = Story(description="ACME called")
    for step in ("identified", "monitoring", "resolved"):
        story.change(to=step)

    with pytest.raises(IncidentResolved):
        story.change(description="Nobody called")
    assert story.withdraw(DESCRIPTION).incident.description is None


# --- withdrawal by name ------------------------------------------------------------------------


def test_the_description_goes_alone():
    story = Story(title="ACME is down", description="ACME called", category="acme")
    story.withdraw(DESCRIPTION)

    incident = story.incident
    assert (incident.description, incident.category, incident.title) == (
        None,
        "acme",
        "ACME is down",
    )
    assert story.entries[1].withdrawn == (DESCRIPTION,)
    assert [one.surface for one in story.last.envelopes] == [Surface.WORKING_CARD]


def test_the_category_goes_alone_and_no_card_shows_it():
    story = Story(description="Bo called", category="acme").withdraw(CATEGORY)

    assert (story.incident.description, story.incident.category) == ("Bo called", None)
    assert story.last.envelopes == ()


def test_the_first_title_goes_alone():
    story = Story(title="ACME is down", description="Bo called").change(title="Down")
    story.withdraw(TITLE)

    assert "ACME" not in story.everything
    assert story.incident.description == "Bo called"
    assert story.entries[1].withdrawn == (TITLE,)


def test_one_after_the_other_they_all_go():
    story = Story(title="ACME is down", description="ACME called", category="ACME")
    story.change(title="Down")
    for name in (TITLE, CATEGORY, DESCRIPTION):
        story.withdraw(name)

    assert "ACME" not in story.everything
    assert story.entries[1].withdrawn == (DESCRIPTION, CATEGORY, TITLE)


def test_earlier_descriptions_go_with_the_present_one():
    story = Story(description="ACME one").change(description="ACME two")
    story.change(description="ACME three").withdraw(DESCRIPTION)

    assert "ACME" not in story.everything
    assert [one.redacted for one in story.entries.values()] == [True, True, True]


def test_every_earlier_title_goes_and_the_present_one_stays():
    story = Story(title="ACME is down").change(title="ACME is slow").change(title="Down")
    story.withdraw(TITLE)

    assert "ACME" not in story.everything
    assert story.incident.title == "Down"
    assert story.entries[1].withdrawn == (TITLE,)
    assert story.entries[2].redacted
    assert not story.entries[3].redacted


def test_texts_of_others_stay_unless_they_are_the_present_ones():
    story = Story(description="one").change(OTHER, description="two").change(description="three")
    story.withdraw(DESCRIPTION)

    assert story.entries[2].body == "two"
    assert (story.entries[2].old, story.entries[3].body, story.entries[3].old) == (
        None,
        None,
        "two",
    )
    assert story.incident.description is None


def test_the_present_description_of_somebody_else_is_not_withdrawn():
    story = Story(description="one").change(OTHER, description="two")

    with pytest.raises(RedactionNotPermitted):
        story.withdraw(DESCRIPTION)
    assert story.withdraw(DESCRIPTION, ADMIN).incident.description is None


@pytest.mark.parametrize("name", DeclaredText)
def test_an_author_withdraws_within_five_minutes_and_an_admin_at_any_time(name):
    story = Story(title="ACME", description="ACME", category="ACME").change(title="Down").later(5)

    with pytest.raises(RedactionNotPermitted):
        story.withdraw(name)
    assert story.withdraw(name, ADMIN).last.changes_anything


@pytest.mark.parametrize("name", DeclaredText)
def test_a_second_withdrawal_changes_nothing_and_is_no_error(name):
    story = Story(title="ACME", description="ACME", category="ACME").change(title="Down")
    story.withdraw(name)

    assert not story.withdraw(name, OTHER).last.changes_anything


def test_a_description_that_only_an_entry_held_is_withdrawn_once():
    story = Story().change(description="ACME called").withdraw(DESCRIPTION)

    assert not story.withdraw(DESCRIPTION).last.changes_anything
    assert not story.entries[1].redacted


@pytest.mark.parametrize("name", DeclaredText)
def test_a_text_that_never_was_cannot_be_withdrawn(name):
    with pytest.raises(NoSuchText):
        Story().withdraw(name)


def test_an_incident_without_a_declaration_has_nothing_to_withdraw_by_name():
    command = Redact(actor=AUTHOR, ref=42, entry=DESCRIPTION)

    with pytest.raises(NoSuchEntry):
        decide(an_incident(), command, known(entry=None), at=NINE)


def test_an_earlier_version_withdrew_description_and_category_together():
    story = Story(title="ACME is down")
    old = an_update(
        story.incident, entry=1, kind=Kind.DECLARED, body=None, redacted_at=NINE, redacted_by=ADA
    )
    story.entries[1] = old

    assert not story.withdraw(CATEGORY).last.changes_anything
    story.change(title="Down").withdraw(TITLE)
    assert story.entries[1].withdrawn == (DESCRIPTION, CATEGORY, TITLE)


# --- withdrawal by entry -----------------------------------------------------------------------


def test_the_entry_of_a_correction_is_withdrawn_with_its_copies():
    story = Story(description="one").change(description="ACME two").change(description="three")
    story.withdraw(2)

    assert "ACME" not in story.everything
    assert (story.incident.description, story.entries[2].old) == ("three", "one")


def test_a_description_that_is_withdrawn_by_its_entry_has_no_successor():
    story = Story(description="one").change(description="ACME two").withdraw(2)

    assert story.incident.description is None
    assert story.entries[2].old == "one"
    assert story.withdraw(DESCRIPTION).entries[2].old is None


def test_a_declaration_is_withdrawn_whole_by_its_number():
    story = Story(title="ACME is down", description="ACME called", category="ACME")
    story.change(title="Down").change(description="Bo called").withdraw(1)

    assert "ACME" not in story.everything
    assert story.incident.description == "Bo called"
    assert story.entries[1].withdrawn == (DESCRIPTION, CATEGORY, TITLE)


def test_a_part_of_a_declaration_is_withdrawn_by_its_number():
    story = Story(title="Down", description="Bo called", category="ACME")
    facts = known(entry=story.entries[1])
    part = Redact(actor=ADMIN, ref=42, entry=1, names=(CATEGORY,))

    decision = decide(story.incident, part, facts, at=story.at)

    assert (decision.incident.category, decision.incident.description) == (None, "Bo called")
    assert decision.redacted.withdrawn == (CATEGORY,)
    with pytest.raises(CurrentTitle):
        decide(story.incident, replace(part, names=(TITLE,)), facts, at=story.at)


def test_a_correction_whose_text_is_gone_says_so():
    story = Story().change(description="ACME called").withdraw(2)

    assert not story.withdraw(2).last.changes_anything
    with pytest.raises(NothingToRedact):
        story.change(severity="low").withdraw(3)


# --- the title of an ended incident --------------------------------------------------------------


def over(story):
    for step in ("identified", "monitoring", "resolved"):
        story.change(to=step)
    return story


ENDED = {
    "by its entry": (Story(title="ACME is down"), 1),
    "by its name": (Story(title="ACME is down"), TITLE),
    "one that was changed": (Story(title="Down").change(title="ACME is down"), 2),
    "with an earlier one withdrawn": (
        Story(title="ACME is down").change(title="Down").change(title="ACME is down").withdraw(2),
        3,
    ),
    "that was there twice": (
        Story(title="ACME is down").change(title="Down").change(title="ACME is down"),
        1,
    ),
}


@pytest.mark.parametrize(("story", "entry"), ENDED.values(), ids=ENDED.keys())
def test_after_the_end_the_present_title_is_withdrawn(story, entry):
    over(story).later(60)
    with pytest.raises(RedactionNotPermitted):
        story.withdraw(entry)
    story.withdraw(entry, by=ADMIN)

    assert "ACME" not in story.everything
    assert (story.incident.title, story.incident.title_public_at) == (TITLE_WITHDRAWN, None)
    assert {one.surface for one in story.last.envelopes} == {Surface.WORKING_CARD}
    assert not story.withdraw(entry, by=ADMIN).last.changes_anything


def test_its_author_withdraws_it_within_five_minutes_also_after_the_end():
    assert over(Story(title="ACME is down")).withdraw(1).incident.title == TITLE_WITHDRAWN


def test_after_the_end_the_name_means_the_earlier_titles_if_there_are_any():
    story = over(Story(title="ACME is down").change(title="Down")).withdraw(TITLE, by=ADMIN)

    assert story.incident.title == "Down"
    assert not story.withdraw(TITLE, by=ADMIN).last.changes_anything
    assert story.withdraw(2, by=ADMIN).incident.title == TITLE_WITHDRAWN


def test_a_declaration_with_other_texts_loses_these_alone_by_its_number():
    story = over(Story(title="ACME is down", description="one")).withdraw(1, by=ADMIN)

    assert (story.incident.title, story.incident.description) == ("ACME is down", None)
    assert not story.withdraw(1, by=ADMIN).last.changes_anything
    assert story.withdraw(TITLE, by=ADMIN).incident.title == TITLE_WITHDRAWN
    assert story.entries[1].withdrawn == (DESCRIPTION, TITLE)


def test_what_was_to_be_taken_back_unread_is_not_withdrawn_after_it_was_public():
    story = over(Story(title="ACME is down"))
    command = Redact(actor=AUTHOR, ref=42, entry=1, held_only=True)

    with pytest.raises(AlreadyPublic):
        decide(story.incident, command, known(entry=story.entries[1]), at=story.at)
    part = replace(command, names=(DESCRIPTION,))
    with pytest.raises(CurrentTitle):
        decide(story.incident, part, known(entry=story.entries[1]), at=story.at)


def test_an_entry_whose_title_is_gone_with_another_withdraws_no_present_one():
    story = (
        Story(title="A").change(title="ACME is down").change(title="B").change(title="ACME is down")
    )
    over(story.change(title="Down").withdraw(2))

    with pytest.raises(NothingToRedact):
        story.withdraw(4, by=ADMIN)
    assert story.incident.title == "Down"


# --- a fact that somebody else changed meanwhile -------------------------------------------------

READ = {
    "title": ("Down", "Slow", "Bo's", {"title": "Down"}),
    "description": ("one", "two", "three", {"description": "one"}),
    "components": (("API",), ("API", "Web"), ("Web",), {"components": ("API",)}),
}


@pytest.mark.parametrize(("before", "now", "mine", "declared"), READ.values(), ids=READ.keys())
def test_what_was_changed_since_its_author_read_it_is_not_overwritten(before, now, mine, declared):
    [fact] = declared
    story = Story(**declared)
    seen = mark_of(texts_of(story.incident)[fact])
    assert story.change(**{fact: before, "seen": seen}).last.changes_anything is False
    story.change(**{fact: now}, by=OTHER)

    # Left as it was read, or the same as by now: nothing has to change.
    for left in (before, now):
        assert story.change(**{fact: left, "seen": seen}).last.changes_anything is False
    with pytest.raises(FactChanged) as refused:
        story.change(**{fact: mine, "seen": seen})
    assert refused.value.fact == fact
    again = mark_of(texts_of(story.incident)[fact])
    assert story.change(**{fact: mine, "seen": again}).last.changes_anything
    assert story.change(**{fact: now}).last.changes_anything
