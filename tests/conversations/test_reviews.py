"""Report and figures in Slack: written in one dialog, read in pages, withdrawn by name."""

from __future__ import annotations

import pytest

from tests.conversations.conftest import environment_for, running
from tests.promises.acts import idle
from tests.standin import MANIFEST, a_standin, opened


@pytest.fixture
def mode():
    return "socket"


@pytest.fixture
def mia(slack):
    return slack.person("mia")


@pytest.fixture
async def say(slack, ratchet, mia):
    """Types a command as mia in #payments, and returns the answer."""

    async def say(line, person=mia):
        return await (await person.command("#payments", f"/incident {line}")).answer()

    return say


@pytest.fixture
async def over(say, clock):
    """INC-1, which is over."""
    await say("declare Checkout is down severity:high components:api")
    clock.advance(minutes=2)
    await say("ack 1")
    await say("update 1 We look into it.")
    clock.advance(minutes=10)
    for step in ("identified", "monitoring", "resolved"):
        await say(f"status 1 {step}")


async def write(slack, person, answer, **texts):
    """Opens the dialog from the report and saves ``texts`` by the labels of their boxes."""
    pressed = await person.press(answer, "Write…")
    await opened(slack, person, "report")
    for label, text in texts.items():
        await person.fill(label.replace("_", " ").replace("Follow ups", "Follow-ups"), text)
    submitted = await person.submit()
    return pressed, submitted


async def test_sections_are_written_after_the_end_and_read_in_the_report(slack, over, say, mia):
    report = await say("report 1")
    assert "*Report of INC-1* Checkout is down" in report.words()
    assert "Acknowledged: " in report.words()
    assert report.words().count("To write.") == 5

    pressed, _ = await write(
        slack, mia, report, Cause="db-3 lost <quorum> & *more*", Impact="Cards"
    )
    answer = await pressed.answer()

    assert "The section impact of INC-1 is written" in answer.text
    assert "The section cause of INC-1 is written" in answer.text
    assert "The report is kept private." in answer.text
    written = (await say("report 1")).words()
    assert "db-3 lost &lt;quorum&gt; &amp; *more*" in written
    assert written.count("To write.") == 3
    assert "quorum" not in repr([slack.channel_view(f"#{c}") for c in ("payments", "status")])


async def test_a_section_is_withdrawn_by_its_name(slack, over, say, mia):
    await write(slack, mia, await say("report 1"), What_helped="A restart by Pat")
    assert "A restart by Pat" in (await say("report 1")).words()

    withdrawn = await say("withdraw 1 what helped")

    assert "is withdrawn" in withdrawn.text
    assert "Pat" not in (await say("report 1")).words()
    assert "Pat" not in (await say("timeline 1")).words()
    again = await say("withdraw 1 helped")
    assert "is withdrawn already" in again.text
    assert "Nobody has written the section cause" in (await say("withdraw 1 cause")).text


async def test_the_withdrawal_of_a_section_names_it_and_counts_its_earlier_versions(
    slack, over, say, mia
):
    for text in ("Pat broke it.", "Pat broke the cards.", "Pat broke the cards at noon."):
        await write(slack, mia, await say("report 1"), Summary=text)
    await write(slack, mia, await say("report 1"), Cause="db-3")

    summary, cause = await say("withdraw 1 summary"), await say("withdraw 1 cause")

    assert 'The section "summary" of the report of INC-1 (entry ' in summary.text
    assert ") is withdrawn. So are 2 earlier versions." in summary.text
    assert 'The section "cause" of the report of INC-1' in cause.text
    assert "earlier version" not in cause.text


async def test_a_section_that_there_is_not_is_answered_with_the_names_of_all(over, say):
    told = (await say("withdraw 1 conclusion")).text

    assert '"conclusion" is not the number of an entry' in told
    assert "Sections of the report: summary, impact, cause, what helped, follow-ups." in told


async def test_a_section_without_an_incident_is_asked_about(say):
    await say("declare Checkout is down")

    asked = await say("withdraw cause")

    assert "Nothing was done." in asked.text
    assert "Withdraw cause of INC-1" in asked.words()


async def test_a_text_written_meanwhile_is_shown_before_it_is_replaced(slack, over, say, mia):
    bo = slack.person("bo")
    mias = await mia.press(await say("report 1"), "Write…")
    await opened(slack, mia, "report")
    bos, _ = await write(slack, bo, await say("report 1", bo), Cause="db-4 lost quorum")
    await bos.answer()

    await mia.fill("Cause", "db-3 lost quorum")
    await mia.submit()
    await slack.until(lambda: "meanwhile" in str(mia.view.given))

    shown = str(mia.view.given)
    assert "<@U0BO> changed cause meanwhile" in shown
    assert "db-4 lost quorum" in shown
    assert "db-3 lost quorum" in shown
    await mia.submit()
    assert "The section cause of INC-1 is written" in (await mias.answer()).text
    assert "db-3 lost quorum" in (await say("report 1")).words()


async def test_a_section_that_was_withdrawn_meanwhile_does_not_come_back(slack, over, say, mia):
    """Mia's dialog still holds it, in its box and, once she is refused, in none."""
    await write(slack, mia, await say("report 1"), Cause="Pat did it", Impact="Pat's cards")
    mias = await mia.press(await say("report 1"), "Write…")
    await opened(slack, mia, "report")
    for section in ("cause", "impact"):
        await say(f"withdraw 1 {section}")

    await mia.fill("Cause", "Pat did it again")
    await mia.submit()
    await slack.until(lambda: "meanwhile" in str(mia.view.given))
    shown = str(mia.view.given)
    assert "<@U0MIA> withdrew cause meanwhile" in shown
    assert "Pat did it again" in shown
    assert "Pat's cards" not in shown

    await mia.fill("Cause", "A full disk")
    await mia.submit()
    assert "The section cause of INC-1 is written" in (await mias.answer()).text
    written = (await say("report 1")).words()
    assert "A full disk" in written
    assert "Pat" not in written


async def test_a_long_report_is_read_in_pages(slack, over, say, mia):
    texts = {label: f"<{label}> " + "&" * 1_900 for label in ("Summary", "Impact", "Cause")}
    await write(slack, mia, await say("report 1"), **texts)

    page = await say("report 1")
    seen = page.words()
    while "Next page" in str(page.blocks):
        page = await (await mia.press(page, "Next page")).answer()
        seen += page.words()
        assert "Previous page" in str(page.blocks)
    assert "Page 1 of 3. " in seen
    assert "Page 3 of 3. " in seen
    for label in texts:
        assert f"&lt;{label}&gt;" in seen


async def test_how_it_ended_is_corrected_in_the_report(over, say, mia):
    report = await say("report 1")

    await (await mia.choose(report, "ended", "False alarm")).answer()

    assert "How it ended: false alarm" in (await say("report 1")).words()


async def test_each_wrong_number_of_a_duplicate_has_an_answer_of_its_own(
    over, say, mia, slack, case
):
    rows = {
        "999": "The other incident is unknown: there is no INC-999 here.",
        "1": "The other incident must be another one than INC-1.",
        "abc": "The other incident must be named by its number, such as INC-41.",
        "-3": "The other incident must be named by its number, such as INC-41.",
        "2 and 3": "The other incident must be named by its number, such as INC-41.",
    }
    await mia.choose(await say("report 1"), "ended", "Duplicate of…")
    await opened(slack, mia, "resolution")

    for typed, told in rows.items():
        with case(typed):
            await mia.fill("Duplicate of", typed)
            assert told in str(await mia.submit())


@pytest.mark.parametrize("typed", ["2", "#2", "INC-2", "inc 2", "incident 2"])
async def test_the_other_incident_of_a_duplicate_is_read_generously(typed, over, say, mia, slack):
    await say("declare Checkout is slow")
    await mia.choose(await say("report 1"), "ended", "Duplicate of…")
    await opened(slack, mia, "resolution")
    await mia.fill("Duplicate of", typed)
    await mia.submit()

    assert "How it ended: duplicate of INC-2" in (await say("report 1")).words()


async def test_the_figures_stand_beside_those_of_the_period_before(over, say, clock):
    clock.advance(seconds=1)
    told = (await say("stats")).words()

    assert "Figures of the last 30 days" in told
    assert "Incidents: 1 (0)" in told
    assert "To acknowledge: median 2 min, p90 2 min, n 1 (none)" in told
    assert "To resolve: median 12 min, p90 12 min, n 1 (none)" in told
    assert "Longest public silence: 10 min, INC-1 (none)" in told
    assert "*High*" in told
    assert "*api*" in told
    assert "none (none)" not in told
    assert "False alarms and duplicates are counted, and left out of all times." in told


@pytest.mark.parametrize(
    ("asked", "days"), [("7d", 7), ("2 weeks", 14), ("90", 90), ("1w", 7), ("1 day", 1)]
)
async def test_a_period_is_read_generously(say, asked, days):
    assert f"Figures of the last {days} days" in (await say(f"stats {asked}")).words()


@pytest.mark.parametrize("asked", ["0d", "367d", "soon", "-3", "7d please"])
async def test_another_period_is_refused_with_the_limits(say, asked):
    assert f'"{asked}" is no period: write 1d to 366d.' in (await say(f"stats {asked}")).text


async def test_another_period_is_one_click_away(over, say, mia):
    week = await (await mia.press(await say("stats"), "7 days")).answer()

    assert "Figures of the last 7 days" in week.words()


async def test_figures_leave_out_private_incidents_of_others(slack, say, clock):
    await say("declare Payroll leaked private")
    clock.advance(seconds=1)

    assert "Incidents: 1, 1 open (0)" in (await say("stats")).words()
    assert "Incidents: 0 (0)" in (await say("stats", slack.person("bo"))).words()


# --- as a file ---------------------------------------------------------------------------------


def files(slack, person):
    """The files in the direct messages of a person with the bot."""
    direct = slack.workspace.direct(person.user)
    return [file for message in direct.messages for file in message.files]


async def test_the_report_is_sent_as_a_file_to_its_reader_alone(slack, over, say, mia):
    await say("note 1 too late")
    answer = await (await mia.press(await say("report 1"), "Send me the file")).answer()

    assert "The file is in your messages with Ratchet." in answer.words()
    (file,) = files(slack, mia)
    assert file["name"] == "INC-1.md"
    assert file["content"].startswith("# INC-1 Checkout is down\n")
    assert files(slack, slack.person("bo")) == []
    assert not [
        c for c in slack.calls_of("files.completeUploadExternal") if c.answer["ok"] is False
    ]


async def test_a_click_that_is_delivered_twice_sends_one_file(slack, ratchet, over, say, mia):
    pressed = await mia.press(await say("report 1"), "Send me the file")
    await pressed.answer()

    await slack.redeliver(copies=2, at_once=True)
    await idle(ratchet)

    assert len(files(slack, mia)) == 1


async def test_a_file_that_slack_does_not_take_is_told(slack, over, say, mia, clock):
    report = await say("report 1")
    slack.faults.refuse("files.getUploadURLExternal", error="missing_scope")
    unscoped = (await (await mia.press(report, "Send me the file")).answer()).words()
    clock.advance(seconds=2)
    slack.faults.add("unavailable", "files.completeUploadExternal")
    unavailable = (await (await mia.press(report, "Send me the file")).answer()).words()

    assert "the app lacks the optional scope `files:write`" in unscoped
    assert "did not take the file just now" in unavailable
    assert files(slack, mia) == []


async def test_without_the_optional_scope_there_is_no_button(a_database, clock):
    scopes = {**MANIFEST["oauth_config"]["scopes"], "bot_optional": []}
    manifest = {**MANIFEST, "oauth_config": {"scopes": scopes}}
    async with a_standin(manifest, clock=clock.seconds) as slack:
        with a_database("sqlite") as url:
            async with running(environment_for(slack, url, "socket"), slack, clock):
                mia = slack.person("mia")
                await mia.command("#payments", "/incident declare Checkout is down")
                asked = await mia.command("#payments", "/incident report 1")

                assert "Write…" in (await asked.answer()).words()
                assert "Send me the file" not in (await asked.answer()).words()
