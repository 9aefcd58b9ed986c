"""The edge cases of the page's renderings."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import timedelta

import pytest

from bot.page import html, markdown
from bot.page.addresses import Addresses
from bot.page.badge import COLOURS, MAINTAINED, badge
from bot.page.bars import alternative, strokes
from bot.page.feeds import FEEDS
from bot.page.ids import LENGTH, object_id, page_id, update_id
from bot.page.statuspage import DOCUMENTS, document
from bot.page.texts import as_html, lasting, utc
from core.incident import PublicText, Severity
from core.page import DAYS, LATELY_MAX, ComponentStatus, Impact, Override
from tests.builders import NINE, WORKSPACE, an_id
from tests.core.test_projection import MINUTE, an_incident, page, shown
from tests.core.test_public_past import IMPORTED
from tests.page.example import AT, COMPONENTS, MOBILE, SHOP, ended, the_page
from tests.page.example import MAINTAINED as BY_HAND


def feed(of):
    return FEEDS["history.atom"](of, AT).decode()


def a_link(address: str) -> str:
    return f'<a href="{address}" rel="nofollow noopener">{address}</a>'


@pytest.mark.parametrize(
    ("text", "made"),
    [
        ("See https://a.example/b.", f"See {a_link('https://a.example/b')}."),
        ("(https://a.example)", f"({a_link('https://a.example')})"),
        ("http://a.example/?q=1&r=2!", f"{a_link('http://a.example/?q=1&amp;r=2')}!"),
        ('https://a.example/"onclick="x', f"{a_link('https://a.example/')}&quot;onclick=&quot;x"),
        ("https://a.example'", f"{a_link('https://a.example')}&#x27;"),
        ("https://a.example<b>", f"{a_link('https://a.example')}&lt;b&gt;"),
        ("https://", "https://"),
        ("javascript:alert(1)", "javascript:alert(1)"),
        ("data:text/html,<b>", "data:text/html,&lt;b&gt;"),
        ("one\ntwo", "one<br>two"),
    ],
)
def test_a_text_becomes_lines_and_links_and_nothing_else(text, made):
    assert as_html(text) == made


@pytest.mark.parametrize(
    ("span", "words"),
    [
        ({"seconds": 59}, "less than a minute"),
        ({"minutes": 12}, "12 min"),
        ({"minutes": 64}, "1 h 04 min"),
        ({"hours": 74}, "3 d 02 h"),
    ],
)
def test_a_duration_is_said_in_words(span, words):
    assert lasting(timedelta(**span)) == words


class TestBadge:
    @pytest.mark.parametrize(
        ("made", "word", "colour"),
        [
            (page(), "operational", COLOURS[Impact.NONE]),
            (page(components=(shown(overrides=BY_HAND),)), "maintenance", MAINTAINED),
            (page(an_incident(severity=Severity.MEDIUM)), "degraded", COLOURS[Impact.MINOR]),
            (page(an_incident()), "partial outage", COLOURS[Impact.MAJOR]),
            (page(an_incident(severity=Severity.CRITICAL)), "major outage", "#b42318"),
        ],
        ids=["none", "maintenance", "minor", "major", "critical"],
    )
    def test_a_badge_is_a_word_and_a_colour(self, made, word, colour):
        assert f">{word}</text>" in badge(made)
        assert f'fill="{colour}"' in badge(made)

    def test_a_title_cannot_leave_its_place(self):
        made = page()
        hostile = replace(made, settings=replace(made.settings, title='"><script>'))

        assert "<script>" not in badge(hostile)


class TestIds:
    def test_ids_have_twelve_letters_and_digits_and_stay(self):
        ids = [page_id(WORKSPACE), object_id(an_id("a")), update_id(an_id("a"), 1)]

        assert all(re.fullmatch(f"[a-z0-9]{{{LENGTH}}}", one) for one in ids)
        assert LENGTH == 12
        assert ids == [page_id(WORKSPACE), object_id(an_id("a")), update_id(an_id("a"), 1)]
        assert len({*ids, update_id(an_id("a"), 2), update_id(an_id("b"), 1)}) == 5

    @pytest.mark.parametrize("name", FEEDS)
    def test_ids_of_entries_outlive_slug_host_and_title(self, name):
        before = the_page()
        after = replace(before, settings=replace(before.settings, slug="new", title="New"))
        moved = replace(AT, root="https://status.new.example")

        def ids(made: bytes) -> list[bytes]:
            return re.findall(rb"urn:uuid:[^<]+", made)

        assert ids(FEEDS[name](before, AT)) == ids(FEEDS[name](after, moved))
        assert ids(FEEDS[name](before, AT))


class TestBars:
    def test_each_day_has_its_place_and_a_bad_one_is_a_stroke_of_its_own(self):
        checkout = the_page().components[0]
        made = strokes(checkout)
        places = []
        for one in made:
            first, *more = re.findall(r"(?:M([0-9.]+) 0|m4-28)v28", one.path)
            places += [float(first) + 4 * place for place in range(1 + len(more))]

        assert places == [day * 4 + 1.5 for day in range(DAYS)]
        assert [one.words for one in made] == [
            "3 December 2025 to 30 January 2026: operational",
            "31 January 2026: major outage",
            "1 February 2026 to 1 March 2026: operational",
            "2 March 2026: partial outage",
        ]

    def test_days_without_data_are_told_apart(self):
        web = the_page().components[1]

        assert strokes(web)[0].status is None
        assert alternative(web).startswith("The last 90 days: data of 52 days; 2 March 2026: ")


class TestPage:
    def test_a_component_without_any_record_is_not_called_operational(self):
        alone = page(components=(shown(MOBILE, start_date=COMPONENTS[3].start_date),))

        assert ">No data</span>" in html.now(alone, AT)
        assert ">Operational</span>" not in html.now(alone, AT)
        assert "- Mobile apps: No data" in markdown.now(alone, AT)

    def test_the_words_of_a_page_are_marked_as_english_whatever_the_language_of_dates(self):
        """A screen reader would read them with another voice; only the script writes such dates."""
        german = replace(the_page(), settings=replace(the_page().settings, language="de-CH"))
        of = html.month(german.today.replace(day=1), german.recent, german)
        for made in (
            html.now(german, AT),
            html.incident(german.recent[0], german, AT),
            html.listed(of, german, AT),
            html.missing(german, AT),
        ):
            assert '<html lang="en" data-dates="de-CH">' in made
            assert made.count("de-CH") == 1

    def test_days_that_were_not_operational_lead_to_their_pages_newest_first(self):
        made = html.now(the_page(), AT)
        listed = made[made.index("Days not fully operational") :]

        assert re.findall(r'days/([0-9-]+)">', listed) == ["2026-03-02", "2026-02-27", "2026-01-31"]

    def test_an_imported_postmortem_has_one_name_everywhere(self):
        made = page(IMPORTED)
        one, names = made.recent[0], ["Postmortem", "Resolved", "Identified"]
        bold = "<strong>(.*?)</strong>"

        assert re.findall(bold, html.incident(one, made, AT)) == names
        assert re.findall(r"\*\*(.*?)\*\*", markdown.incident(one, made, AT)) == names
        assert re.findall(bold.replace("<", "&lt;").replace(">", "&gt;"), feed(made)) == names
        told = document("incidents", made, AT)["incidents"][0]["incident_updates"]
        assert [each["status"].capitalize() for each in told] == names

    def test_a_day_without_an_incident_says_what_a_component_was_by_hand(self):
        """Its bar is red: the page of the day, and both forms of the page, say so as well."""
        by_hand = (
            Override(
                at=NINE - timedelta(days=2),
                status=ComponentStatus.MAJOR_OUTAGE,
                until=NINE - timedelta(days=2) + MINUTE,
            ),
        )
        made = page(components=(shown(overrides=by_hand), shown(MOBILE, only_if_degraded=True)))
        day = made.today - timedelta(days=2)
        of, fine = html.day(day, (), made), html.day(made.today, (), made)

        for whole in (html.now(made, AT), markdown.now(made, AT)):
            assert html.DAYS_HEADING in whole
            assert "API (major outage)" in whole.replace("\\", "")
            assert f"days/{day}" in whole
        assert "<li><bdi>API</bdi>: major outage</li>" in html.listed(of, made, AT)
        assert "\n- API: major outage\n" in markdown.listed(of, made, AT)
        assert of.nothing in html.listed(of, made, AT)
        for whole in (html.listed(fine, made, AT), markdown.listed(fine, made, AT)):
            assert html.WORST_HEADING not in whole

    @pytest.mark.parametrize(("over", "more"), [(10, False), (11, True)])
    def test_a_page_says_that_more_incidents_ended_than_it_shows(self, over, more):
        made = page(*(ended(number, 3, MOBILE) for number in range(over, 0, -1)))
        found = html.now(made, AT), markdown.now(made, AT)

        assert [one.count("Search is slow") for one in found] == [LATELY_MAX] * 2
        assert [html.LATELY_REST in one for one in found] == [more] * 2

    @pytest.mark.parametrize(
        ("said", "open_"),
        [
            ([], ["Investigating"]),
            ([("identified", "A cause is found.")], ["Identified"]),
            (
                [("identified", "A cause is found."), ("monitoring", None)],
                ["Monitoring", "Identified"],
            ),
            (
                [("identified", "A cause is found."), ("monitoring", None), ("resolved", None)],
                ["Resolved", "Monitoring", "Identified"],
            ),
            ([("monitoring", None), ("resolved", "All is well.")], ["Resolved"]),
            ([("monitoring", None), ("resolved", None)], ["Resolved"]),
        ],
    )
    def test_the_last_words_are_read_without_unfolding(self, said, open_):
        rows = [(NINE + n * MINUTE, *one) for n, one in enumerate(said, 1)]
        over = rows[-1][0] if rows and rows[-1][1] == "resolved" else None
        made = html.now(page(an_incident(*rows, resolved_at=over)), AT)
        article = made[made.index("<article") : made.index("</article>")]
        seen, folded, rest = article.partition("<details>")

        assert re.findall("<strong>(.*?)</strong>", seen) == open_
        assert len(re.findall("<strong>", rest)) == len(said) + 1 - len(open_)
        assert bool(folded) == (len(open_) <= len(said))

    def test_a_list_says_since_when_what_it_shows_is_unchanged(self):
        made = the_page()
        two, one, none = made.recent[1:], made.recent[1:2], ()
        of = {incidents: html.day(made.today, incidents, made) for incidents in (two, one, none)}

        assert {
            incidents: re.findall(r"\n(.*) All days are days", markdown.listed(each, made, AT))
            for incidents, each in of.items()
        } == {
            two: [f"These incidents are unchanged since {utc(two[0].since)}."],
            one: [f"This incident is unchanged since {utc(one[0].since)}."],
            none: [f"The status page is unchanged since {utc(made.since)}."],
        }
        assert two[0].since < made.since

    @pytest.mark.parametrize("root", ["https://s.example", "https://x.example/status/acme"])
    def test_the_address_in_json_has_no_slash_at_its_end(self, root):
        at = Addresses(root)
        made = json.dumps([document(name, the_page(), at) for name in DOCUMENTS])

        assert f'"url": "{root}"' in made
        assert "//" not in made.replace("https://", "").replace("http://", "")

    def test_a_page_names_the_ways_to_subscribe(self):
        in_html, in_markdown = html.now(the_page(), AT), markdown.now(the_page(), AT)

        assert '<a href="#subscribe">Subscribe</a>' in in_html
        for feed in FEEDS:
            assert f'href="{AT.of(feed)}"' in in_html
            assert f"({AT.of(feed)})" in in_markdown
        for made in (in_html, in_markdown):
            assert f"/feed subscribe {AT.of('updates.rss')}" in made

    def test_groups_without_trouble_are_folded_on_a_long_page(self):
        more = tuple(
            shown(replace(MOBILE, id=an_id(str(n)), name=f"Shard {n}")) for n in range(html.MANY)
        )
        troubled = the_page(components=(*COMPONENTS, *more))
        calm = page(components=(*COMPONENTS, *more), groups=(SHOP,))

        assert '<details class="card group" open>' in html.now(troubled, AT)
        assert '<details class="card group">' in html.now(calm, AT)

    def test_a_title_and_a_text_are_never_markup(self):
        hostile = an_incident(title=PublicText('<img src=x onerror="1">'))

        assert "<img" not in html.now(page(hostile), AT)

    @pytest.mark.parametrize("word", ["script-src 'sha256-", "style-src 'sha256-"])
    def test_the_policy_runs_only_our_own_style_and_script(self, word):
        assert word in html.policy()
        assert "unsafe" not in html.policy()
