"""`ratchet page` and `ratchet components`: each act, and each answer to a slip."""

from __future__ import annotations

import contextlib

import pytest

from bot.commands import pages
from core.page import ComponentStatus
from tests.cli import invoke
from tests.edges.conftest import logging_as_before

__all__ = ["logging_as_before"]

TEAM = ("--workspace", "T0ACME")


@pytest.fixture
def ratchet(ready, tmp_path, logging_as_before):
    """Runs ``ratchet`` in a folder of its own: exit code, standard output, standard error."""
    ready(tmp_path)

    def ratchet(*arguments):
        with contextlib.chdir(tmp_path):
            result = invoke([*arguments, *TEAM])
        return result.exit_code, result.stdout, result.stderr

    return ratchet


def test_the_statuses_of_the_help_are_those_of_core():
    assert tuple(ComponentStatus) == pages.STATUSES


def test_a_page_is_published_shown_and_taken_off(ratchet):
    assert ratchet("page", "show")[1].startswith("The status page is not published.")
    code, told, _ = ratchet("page", "publish", "--title", "Acme status")
    assert (code, told.splitlines()[0]) == (0, '"Acme status" is published at /status/acme-status.')
    assert "page publish --index" in told
    _, told, _ = ratchet("page", "publish", "--index", "--slug", "acme")
    assert told == '"Acme status" is published at /status/acme.\n'
    assert ratchet("page", "show")[1].startswith("title: Acme status\naddress: /status/acme\n")

    _, taken_off, _ = ratchet("page", "unpublish")
    assert taken_off == (
        'The status page is not published. "Acme status" and its address /status/acme are kept for '
        "it: ratchet page publish\n"
    )
    assert ratchet("page", "show")[1] == taken_off
    assert ratchet("page", "publish")[1] == '"Acme status" is published at /status/acme.\n'


@pytest.mark.parametrize(
    ("variable", "value", "address"),
    [
        ("STATUS_HOST", "status.acme.example", "https://status.acme.example"),
        ("PUBLIC_URL", "https://bot.acme.example", "https://bot.acme.example/status/acme"),
    ],
)
def test_a_page_is_named_by_its_whole_address_where_it_is_known(
    ratchet, monkeypatch, variable, value, address
):
    monkeypatch.setenv(variable, value)
    _, told, _ = ratchet("page", "publish", "--title", "Acme", "--index")

    assert told == f'"Acme" is published at {address}.\n'
    assert f"address: {address}\n" in ratchet("page", "show")[1]


def test_a_page_that_never_was_is_taken_off_without_an_address(ratchet):
    assert ratchet("page", "unpublish")[1] == (
        "The status page is not published. Publish it with: ratchet page publish\n"
    )


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("page", "publish", "--slug", "Acme"), "The slug needs 1 to 40 small letters"),
        (("page", "publish", "--title", " "), "The title needs 1 to 100 visible characters"),
        (
            ("components", "change", "nothing", "--hide"),
            'The component is unknown: choose from "API" and "Checkout".',
        ),
        (
            ("components", "change", "Chekout", "--hide"),
            'The component is unknown: the nearest name is "Checkout".',
        ),
        (
            ("components", "group", "nothing", "--position", "1"),
            'The group is unknown: choose from "Shop".',
        ),
        (("components", "add", "API, Web"), "The name holds a comma, which stands between names"),
        (("components", "change", "api", "--rename", "None."), 'The name is "none", which means'),
        (("components", "change", "api", "--start-date", "9999-12-31"), "is a day from 2000-01-01"),
        (("components", "change", "api", "--start-date", "0001-01-01"), "is a day from 2000-01-01"),
        (("components", "add", "API"), "There is a component"),
    ],
)
def test_a_refusal_says_what_to_do_and_ends_with_one(ratchet, arguments, told):
    ratchet("components", "add", "API")
    ratchet("components", "add", "Checkout", "--group", "Shop")
    code, _, wrong = ratchet(*arguments)

    assert code == 1
    assert told in wrong


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("override", "api", "down"), 'There is no status "down"'),
        (("override", "api", "clear", "--until", "soon"), '--until "soon" is no moment'),
        *(
            ((act, "api", "--position", place), f'--position "{place}" is no position: name a ')
            for act in ("change", "group")
            for place in ("abc", "-1", "1.5", "10000", "٣", "")
        ),
        (("change", "api", "--start-date", "soon"), '--start-date "soon" is no day'),
        (("change", "api"), "Nothing was asked, so nothing was changed: give --rename, "),
        (("group", "shop"), "Nothing was asked, so nothing was changed: give --rename, "),
        (("change", "api", "--show", "--hide"), "--show and --hide contradict each other"),
        (("change", "api", "--always", "--only-if-degraded"), "--always contradict each other"),
        (("change", "api", "--no-showcase", "--showcase"), "--no-showcase contradict each other"),
    ],
)
def test_a_slip_says_what_to_write_and_ends_with_two(ratchet, arguments, told):
    ratchet("components", "add", "API")
    code, _, wrong = ratchet("components", *arguments)

    assert code == 2
    assert told in wrong


def test_the_answer_about_a_component_says_whether_anybody_sees_it(ratchet):
    assert ratchet("components", "add", "API")[1] == (
        "API is a component, and on the page once it is published.\n"
    )
    assert ratchet("components", "change", "api", "--show")[1] == (
        "Nothing was changed: API is on the page once it is published.\n"
    )
    ratchet("page", "publish")
    assert ratchet("components", "add", "Web")[1] == "Web is a component, and on the page.\n"
    assert ratchet("components", "change", "api", "--hide")[1] == "API is changed: hidden.\n"


@pytest.mark.parametrize(
    ("options", "published", "where"),
    [
        (("--show",), True, ""),
        (("--show",), False, " It is on the page once it is published."),
        (("--hide",), True, " It is hidden: it is on no public surface."),
        (
            ("--only-if-degraded",),
            True,
            " It is on the page, but only while it is not operational.",
        ),
    ],
)
def test_the_answer_about_a_status_by_hand_says_whether_anybody_sees_it(
    ratchet, options, published, where
):
    ratchet("components", "add", "Web")
    ratchet("components", "change", "web", *options)
    if published:
        ratchet("page", "publish")

    for status, said in (
        ("major_outage", "major outage by hand until it is cleared"),
        ("clear", "its incidents decide"),
    ):
        assert ratchet("components", "override", "web", status)[1] == f"Web: {said}.{where}\n"


CHANGES = {
    ("--rename", "Public API"): "Public API is changed: name Public API. It is on the page.",
    ("--position", "7", "--group", "SHOP"): (
        "API is changed: group Shop, position 7. It is on the page."
    ),
    ("--group", "Tools"): (
        "API is changed: group Tools. It is on the page. The group Tools is made."
    ),
    ("--group", "+Shops", "--hide"): (
        "API is changed: group Shops, hidden. The group Shops is made."
    ),
    ("--description", "What apps call."): (
        "API is changed: description What apps call. It is on the page."
    ),
    ("--description", "", "--start-date", "", "--group", ""): (
        "Nothing was changed: API is on the page."
    ),
    ("--showcase", "--only-if-degraded", "--start-date", "2026-03-01"): (
        "API is changed: showcase, shown only if degraded, start date 2026-03-01. It is on the "
        "page, but only while it is not operational."
    ),
}


@pytest.mark.parametrize("options", CHANGES, ids=" ".join)
def test_the_answer_names_what_was_changed(ratchet, options):
    ratchet("page", "publish")
    ratchet("components", "add", "Cart", "--group", "Shop")
    ratchet("components", "add", "API")

    assert ratchet("components", "change", "api", *options) == (0, f"{CHANGES[options]}\n", "")


def test_the_answer_names_what_a_component_has_no_more(ratchet):
    facts = ("--group", "Shop", "--description", "What apps call.")
    assert ratchet("components", "add", "API", *facts)[1].endswith(" The group Shop is made.\n")
    ratchet("components", "change", "api", "--showcase", "--only-if-degraded", "--hide")
    gone = ("--group", "", "--description", "", "--no-showcase", "--always", "--show")

    assert ratchet("components", "change", "api", *gone)[1] == (
        "API is changed: no description, no group, on the page once it is published, "
        "no showcase, shown always.\n"
    )


@pytest.mark.parametrize("act", [("add", "Search"), ("change", "api")], ids=" ".join)
def test_a_group_that_may_be_a_slip_is_refused(ratchet, act):
    ratchet("components", "add", "API", "--group", "Shop")

    assert ratchet("components", *act, "--group", "Shpo") == (
        1,
        "",
        (
            'The group "Shpo" is unknown: did you mean "Shop"? To make a new one of that name, '
            'write "+Shpo".\n'
        ),
    )


def test_components_are_arranged(ratchet):
    assert ratchet("components", "list")[1].startswith("There are no components.")
    ratchet("components", "add", "API", "--group", "Shop")
    ratchet("components", "add", "Web")
    ratchet("components", "group", "shop", "--rename", "Store", "--position", "2")
    ratchet("components", "change", "web", "--hide", "--position", "7", "--only-if-degraded")
    ratchet("components", "change", "api", "--start-date", "2026-03-01", "--showcase")

    assert ratchet("components", "list")[1] == (
        "   0  API (Store, group at 2): shown, showcase\n   7  Web: hidden, only if degraded\n"
    )
    ratchet("components", "add", "Mail", "--group", "Office")
    ratchet("components", "change", "web", "--position", "0")
    listed = ratchet("components", "list")[1].splitlines()
    assert [line.partition(":")[0] for line in listed] == [
        "   0  Mail (Office, group at 0)",
        "   0  API (Store, group at 2)",
        "   0  Web",
    ]
    ratchet("components", "change", "api", "--group", "", "--start-date", "")
    assert "\n   0  API: shown, showcase\n" in ratchet("components", "list")[1]


def test_a_status_is_set_by_hand_and_cleared(ratchet):
    ratchet("page", "publish")
    ratchet("components", "add", "API")
    arguments = ("under_maintenance", "--until", "2999-03-01T15:00", "--reason", "a disk")

    assert ratchet("components", "override", "api", *arguments)[1] == (
        "API: under maintenance by hand until 2999-03-01 15:00 UTC.\n"
    )
    assert ratchet("components", "list")[1] == (
        "   0  API: shown, under maintenance by hand until 2999-03-01 15:00 UTC\n"
    )
    assert ratchet("components", "override", "api", "operational")[1] == (
        "API: operational by hand until it is cleared.\n"
    )
    assert ratchet("components", "override", "api", "clear")[1] == "API: its incidents decide.\n"
    assert ratchet("components", "list")[1] == "   0  API: shown\n"


@pytest.mark.parametrize("workspace", ["bogus", "acme.slack.com", "t0acme", "T0 ACME", ""])
def test_a_workspace_that_is_no_id_gets_no_page(ready, tmp_path, logging_as_before, workspace):
    ready(tmp_path)
    with contextlib.chdir(tmp_path):
        arguments = ["page", "publish", "--title", "Acme", "--workspace", workspace]
        result = invoke(arguments)

        assert result.exit_code == 2
        assert "write one such as T0123ABCD" in result.stderr
        shown = invoke(["page", "show", *TEAM])
        assert shown.stdout.startswith("The status page is not published.")


def test_without_any_workspace_the_refusal_says_what_to_name(ready, tmp_path, logging_as_before):
    ready(tmp_path)
    with contextlib.chdir(tmp_path):
        result = invoke(["page", "show"])

    assert result.exit_code == 1
    assert "which workspace is meant" in result.stderr
    assert "name the workspace with --workspace" in result.stderr


ACTS = {
    "a page": ("page", "publish", "--title", "Acme"),
    "a page that was taken off": ("page", "publish", "--title", "Acme"),
    "a component": ("components", "add", "API"),
}


@pytest.mark.parametrize("act", ACTS)
def test_a_workspace_that_is_like_no_known_one_is_refused(ready, tmp_path, logging_as_before, act):
    ready(tmp_path)

    def run(*arguments):
        result = invoke(arguments)
        return result.exit_code, result.stderr

    with contextlib.chdir(tmp_path):
        assert run(*ACTS[act], *TEAM)[0] == 0
        if act == "a page that was taken off":
            assert run("page", "unpublish")[0] == 0
        code, told = run("page", "publish", "--workspace", "T0ACNE")

        assert code == 1
        assert "the database knows nothing of T0ACNE, only of T0ACME" in told
        assert run("page", "show")[0] == 0
        assert run("stats", "--workspace", "T0ACNE") == (
            1,
            "There is no workspace T0ACNE in the database, only T0ACME.\n",
        )


def test_signs_that_nobody_sees_are_in_no_name(ratchet):
    ratchet("page", "publish", "--title", "Acme\u202e status\u200b")
    ratchet("components", "add", "A\u200bPI\u2066", "--description", "Calls\u202e of apps")

    assert ratchet("page", "show")[1].startswith("title: Acme status\n")
    assert ratchet("components", "list")[1] == "   0  API: shown\n"
    assert ratchet("components", "change", "\u200bapi", "--hide")[1] == "API is changed: hidden.\n"
    assert "There is a component" in ratchet("components", "add", "api\ufeff")[2]


def test_a_page_is_not_launched_and_hidden_at_once(ratchet):
    code, _, wrong = ratchet("page", "publish", "--index", "--noindex")

    assert (code, wrong) == (2, "--noindex and --index contradict each other: give one of them.\n")
    assert ratchet("page", "show")[1].startswith("The status page is not published.")
