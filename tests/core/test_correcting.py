"""After the end one text may be corrected: by its author, once, soon after it was withdrawn."""

from __future__ import annotations

from datetime import timedelta

import pytest

from core.commands import Redact, SetPrivacy
from core.incident import Kind, Severity, Visibility
from core.refusals import IncidentResolved
from core.withdrawing import CORRECTION_WINDOW
from tests.builders import CI, GRACE, a_change, an_actor

MINUTE = timedelta(minutes=1)
API = an_actor(CI, channel=None, sees_private=True)
TICK = timedelta(microseconds=1)


@pytest.fixture
async def withdrawn(incidents, declare):
    """INC-1, which Ada ended with a public text, and then withdrew that."""
    await declare()
    for status in ("identified", "monitoring"):
        await incidents.execute(a_change(ref=1, to=status))
    await incidents.execute(a_change(ref=1, to="resolved", public="It is over since noon."))
    await incidents.execute(Redact(actor=an_actor(), ref=1, entry=4))


def a_correction(**changes):
    return a_change(**{"ref": 1, "public": "It is over since one."} | changes)


@pytest.mark.usefixtures("withdrawn")
async def test_the_author_puts_one_text_in_its_place(incidents):
    outcome = await incidents.execute(a_correction())

    ((entry,), incident) = outcome.updates, outcome.incident
    assert (entry.kind, entry.visibility, entry.old) == (Kind.CORRECTED, Visibility.PUBLIC, "4")
    assert (entry.body, entry.status_change) == ("It is over since one.", None)
    assert (incident.status, incident.terminal) == ("resolved", True)
    with pytest.raises(IncidentResolved):
        await incidents.execute(a_correction(public="And one more."))


@pytest.mark.usefixtures("withdrawn")
@pytest.mark.parametrize(
    ("later", "taken"),
    [(CORRECTION_WINDOW, True), (CORRECTION_WINDOW + TICK, False)],
    ids=["five minutes later", "after that"],
)
async def test_a_correction_comes_within_five_minutes(incidents, clock, later, taken):
    clock.advance(microseconds=later // TICK)

    if taken:
        assert (await incidents.execute(a_correction())).changed
    else:
        with pytest.raises(IncidentResolved):
            await incidents.execute(a_correction())


@pytest.mark.usefixtures("withdrawn")
@pytest.mark.parametrize(
    "change",
    [
        {"actor": an_actor(GRACE)},
        {"actor": API},
        {"note": "db-3 lost quorum"},
        {"severity": Severity.LOW},
        {"public": None, "note": "It is over since one."},
    ],
    ids=["by somebody else", "by a key", "with a note", "with a fact", "a note alone"],
)
async def test_nothing_else_is_accepted_after_the_end(incidents, change):
    with pytest.raises(IncidentResolved):
        await incidents.execute(a_correction(**change))


async def test_without_a_withdrawal_there_is_nothing_to_correct(incidents, declare):
    await declare()
    for status in ("identified", "monitoring", "resolved"):
        await incidents.execute(a_change(ref=1, to=status))

    with pytest.raises(IncidentResolved) as refused:
        await incidents.execute(a_correction())
    assert not refused.value.correctable


# --- what the answer to a withdrawal says --------------------------------------------------------


async def ended(incidents, declare, *, by, private=False):
    """INC-1, which ``by`` ended with a public text."""
    await declare()
    for status in ("identified", "monitoring"):
        await incidents.execute(a_change(ref=1, to=status))
    words = {"to": "resolved", "public": "It is over since noon."}
    await incidents.execute(a_change(actor=by, ref=1, **words))
    if private:
        await incidents.execute(SetPrivacy(actor=an_actor(), ref=1, private=True))


@pytest.mark.parametrize(
    ("by", "private", "taken"),
    [
        (an_actor(), False, True),
        (an_actor(), True, False),
        (API, False, False),
    ],
    ids=["of its author", "of a private incident", "of a key"],
)
async def test_a_withdrawal_names_the_text_in_whose_place_one_is_taken(
    incidents, declare, by, private, taken
):
    await ended(incidents, declare, by=by, private=private)
    entry = 4
    outcome = await incidents.execute(Redact(actor=by, ref=1, entry=entry))

    assert (outcome.correctable and outcome.correctable.entry) == (entry if taken else None)
    again = await incidents.execute(Redact(actor=by, ref=1, entry=entry))
    assert again.correctable is None


async def test_who_may_not_publish_any_more_puts_no_text_in_its_place(incidents, declare):
    await ended(incidents, declare, by=an_actor())
    outcome = await incidents.execute(Redact(actor=an_actor(publisher=False), ref=1, entry=4))

    assert outcome.redacted.redacted
    assert outcome.correctable is None


@pytest.mark.usefixtures("withdrawn")
async def test_the_one_text_itself_has_none_in_its_place(incidents):
    await incidents.execute(a_correction())
    outcome = await incidents.execute(Redact(actor=an_actor(), ref=1, entry=5))

    assert outcome.redacted.redacted
    assert outcome.correctable is None


async def test_before_the_end_no_text_stands_in_place_of_another(incidents, declare):
    await declare()
    await incidents.execute(a_change(ref=1, public="It is slow."))
    outcome = await incidents.execute(Redact(actor=an_actor(), ref=1, entry=2))

    assert outcome.correctable is None


# --- one text in the place of each withdrawn one -------------------------------------------------


@pytest.fixture
def does(incidents, clock):
    """Does one act as Ada a second after the last; the number of an entry withdraws that."""

    async def does(act):
        clock.advance(seconds=1)
        if isinstance(act, int):
            return await incidents.execute(Redact(actor=an_actor(), ref=1, entry=act))
        who, text = act if isinstance(act, tuple) else (an_actor(), act)
        asked = {"to": text} if text in LIFECYCLE else {"public": text}
        return await incidents.execute(a_change(actor=who, ref=1, **asked))

    return does


LIFECYCLE = ("identified", "monitoring", "resolved")


@pytest.mark.parametrize(
    ("acts", "places"),
    [
        (["Slow.", 2, "It is slow.", *LIFECYCLE], []),
        (["Slow.", 2, "It is slow.", 3, "All is slow.", *LIFECYCLE], []),
        (["Slow.", 2, "It is slow.", 3, "All is slow.", *LIFECYCLE, 4], [4]),
        (["Slow.", *LIFECYCLE, 2], [2]),
        (["Slow.", 2, *LIFECYCLE], [2]),
        (["Slow.", 2, (an_actor(GRACE), "It is slow."), *LIFECYCLE], [2]),
        (["Slow.", "Slower.", *LIFECYCLE, 2, 3], [3, 2]),
        (["Slow.", "Slower.", 2, *LIFECYCLE, 3], [3, 2]),
        (["Slow.", 2, "Slower.", *LIFECYCLE, 3], [3]),
    ],
    ids=[
        "edited before the end",
        "edited twice before the end",
        "and withdrawn after the end",
        "withdrawn after the end",
        "withdrawn before the end",
        "and somebody else wrote meanwhile",
        "two that were withdrawn after the end",
        "one before the end, after the other was written",
        "one before the end, which the other followed",
    ],
)
async def test_each_withdrawn_text_has_one_in_its_place(declare, does, acts, places):
    await declare()
    for act in acts:
        await does(act)

    for place in places:
        [taken] = (await does("It was one region.")).updates
        assert taken.old == str(place)
    with pytest.raises(IncidentResolved) as refused:
        await does("It was one region.")
    assert not refused.value.correctable
