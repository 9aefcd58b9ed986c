"""The sections of a report: written at any time, never without a trace, withdrawn whole."""

from dataclasses import replace
from datetime import timedelta

import pytest

from core import engine
from core.commands import Redact, WriteReport
from core.decision import ForAccess, ForReport
from core.errors import EmptyUpdate, InvalidField
from core.incident import Kind, Note, Section, Visibility
from core.missing import NoSuchSection, NotFound
from core.refusals import RedactionNotPermitted, SectionChanged
from core.sections import mark_of, rewritten, standing, text_of
from tests.builders import (
    ADA,
    GRACE,
    NINE,
    a_change,
    a_workspace,
    an_actor,
    an_incident,
    an_update,
    decide,
    known,
)

LATER = NINE + timedelta(hours=1)


def a_section(entry, text, *, section=Section.CAUSE, **changes):
    fields = {"kind": Kind.REPORTED, "entry": entry, "body": text, "new": section.value}
    return an_update(**fields | changes)


def write(incident, *, by=ADA, seen=9, written=(), at=NINE, **texts):
    command = WriteReport(actor=an_actor(by), ref=42, seen=seen, **texts)
    return decide(incident, command, known(written=written), at=at)


def withdraw(incident, *section, by=ADA, at=NINE, admin=False, asked=Section.CAUSE):
    command = Redact(actor=an_actor(by, admin=admin), ref=42, entry=asked)
    entry = section[-1] if section else None
    return decide(incident, command, known(entry=entry, section=section), at=at)


@pytest.mark.parametrize("status", ["investigating", "resolved"])
def test_each_section_is_an_internal_entry_that_shows_nowhere_else(status):
    decision = write(
        an_incident(status=status), cause=Note(" db-3 lost quorum "), helped=Note("A restart")
    )

    assert [(one.kind, one.new, one.body) for one in decision.updates] == [
        (Kind.REPORTED, "cause", "db-3 lost quorum"),
        (Kind.REPORTED, "helped", "A restart"),
    ]
    assert {one.visibility for one in decision.updates} == {Visibility.INTERNAL}
    assert decision.incident.version == 2
    assert decision.envelopes == ()


def test_a_section_can_be_emptied_and_the_old_text_stays_in_the_timeline():
    (entry,) = write(an_incident(), cause=Note(" "), written=(a_section(2, "db-3"),)).updates

    assert (entry.new, entry.body) == ("cause", None)


@pytest.mark.parametrize("text", ["db-3", " db-3\n"])
def test_a_text_that_is_there_already_is_not_written_again(text):
    decision = write(an_incident(), cause=Note(text), written=(a_section(2, "db-3"),))

    assert not decision.changes_anything


def test_a_text_that_was_left_as_it_was_seen_does_not_undo_a_later_one():
    written = (a_section(2, "db-3"), a_section(5, "db-4", by=GRACE))

    decision = write(
        an_incident(), seen=3, cause=Note("db-3"), impact=Note("Cards"), written=written
    )

    assert [(one.new, one.body) for one in decision.updates] == [("impact", "Cards")]


def test_a_section_that_was_written_meanwhile_is_not_overwritten():
    written = (a_section(2, "db-3"), a_section(5, "db-4", by=GRACE))

    with pytest.raises(SectionChanged, match="Grace changed this section meanwhile") as refused:
        write(an_incident(), seen=3, cause=Note("db-5"), written=written)

    assert refused.value.entry.entry == 5


def read(**texts):
    """The marks of a dialog that was opened with ``texts``."""
    return tuple(mark_of(texts.get(section.value, "")) for section in Section)


def gone(entry, **changes):
    withdrawn = {"redacted_at": NINE, "redacted_by": GRACE}
    return a_section(entry, None, **withdrawn | changes)


def test_a_text_that_was_withdrawn_after_it_was_read_does_not_come_back():
    """The author left it in its box, and wrote another section."""
    decision = write(
        an_incident(),
        cause=Note(" db-3 "),
        impact=Note("Cards"),
        marks=read(cause="db-3"),
        written=(gone(2),),
    )

    assert [(one.new, one.body) for one in decision.updates] == [("impact", "Cards")]


def test_a_text_that_grew_from_a_withdrawn_one_is_not_written_unasked():
    with pytest.raises(SectionChanged, match="Grace withdrew this section meanwhile"):
        write(an_incident(), cause=Note("db-3, too"), marks=read(cause="db-3"), written=(gone(2),))


def test_a_section_that_was_withdrawn_before_the_dialog_opened_is_written_anew():
    (entry,) = write(
        an_incident(), cause=Note("A full disk"), marks=read(), written=(gone(2),)
    ).updates

    assert entry.body == "A full disk"


def test_only_texts_that_the_author_changed_are_rewritten():
    command = WriteReport(
        actor=an_actor(),
        ref=42,
        seen=9,
        cause=Note("db-3\n"),
        impact=Note("Cards"),
        summary=Note(""),
        marks=read(cause="db-3", impact="Carts"),
    )

    assert rewritten(command) == {Section.IMPACT: "Cards"}
    assert mark_of("db-3") != mark_of("db-4")
    assert "db-3" not in mark_of("db-3")


def test_no_section_at_all_is_refused():
    with pytest.raises(EmptyUpdate):
        write(an_incident())


def test_a_text_is_checked_by_the_name_of_its_section():
    with pytest.raises(InvalidField) as refused:
        write(an_incident(), helped=Note("x" * 2_001))

    assert refused.value.field == "helped"


def test_the_report_of_no_incident_is_not_written():
    with pytest.raises(NotFound):
        write(None, cause=Note("db-3"))


def test_the_context_of_another_command_is_a_mistake():
    command = WriteReport(actor=an_actor(), ref=42, seen=1, cause=Note("db-3"))
    with pytest.raises(TypeError, match="ForAccess is not the context of WriteReport"):
        engine.decide(an_incident(), command, ForAccess(workspace=a_workspace()), at=NINE)
    with pytest.raises(TypeError, match="ForReport is not the context of Change"):
        engine.decide(
            an_incident(), a_change(note=Note("x")), ForReport(workspace=a_workspace()), at=NINE
        )


# --- withdrawal --------------------------------------------------------------------------------


def test_a_section_is_withdrawn_with_all_texts_that_its_author_may_withdraw():
    texts = (a_section(2, "db-3"), a_section(3, "db-4"))

    decision = withdraw(an_incident(), *texts)

    assert decision.redacted == replace(texts[1], body=None, redacted_at=NINE, redacted_by=ADA)
    assert [(one.entry, one.body) for one in decision.redacted_too] == [(2, None)]
    assert decision.incident.version == 2
    assert decision.envelopes == ()


def test_texts_of_others_stay_in_the_timeline_and_do_not_return():
    texts = (a_section(2, "db-3", by=GRACE), a_section(3, "db-4"))

    decision = withdraw(an_incident(), *texts)

    assert decision.redacted.entry == 3
    assert decision.redacted_too == ()
    assert text_of(standing([texts[0], decision.redacted])[Section.CAUSE]) == ""


def test_an_admin_withdraws_all_texts_of_a_section_at_any_time():
    texts = (a_section(2, "db-3", by=GRACE), a_section(3, "db-4"))

    decision = withdraw(an_incident(), *texts, at=LATER, admin=True)

    assert {one.entry for one in (decision.redacted, *decision.redacted_too)} == {2, 3}


def test_after_five_minutes_the_author_may_not():
    with pytest.raises(RedactionNotPermitted):
        withdraw(an_incident(), a_section(2, "db-3"), at=LATER)


def test_a_second_withdrawal_changes_nothing():
    gone = a_section(3, None, redacted_at=NINE, redacted_by=ADA)

    assert not withdraw(an_incident(), gone).changes_anything
    earlier = a_section(2, "db-3", by=GRACE)
    assert not withdraw(an_incident(), earlier, gone).changes_anything


def test_a_text_before_an_emptied_section_is_withdrawn_too():
    emptied = a_section(3, None)

    assert withdraw(an_incident(), a_section(2, "db-3"), emptied).redacted.entry == 2


def test_a_section_that_nobody_wrote_cannot_be_withdrawn():
    with pytest.raises(NoSuchSection, match="Nobody has written the section what helped"):
        withdraw(an_incident(), asked=Section.HELPED)


def test_one_entry_of_a_section_is_withdrawn_by_its_number():
    command = Redact(actor=an_actor(), ref=42, entry=2)
    decision = decide(an_incident(), command, known(entry=a_section(2, "db-3")), at=NINE)

    assert decision.redacted.entry == 2
