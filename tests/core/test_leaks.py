"""Texts that must not leave: words of private notes, and the shapes of secrets."""

from __future__ import annotations

import pytest

from core.leaks import Leak, LeakKind, leaks

NOTE, SECRET, INTERNAL, PERSONAL, PLACEHOLDER = (
    LeakKind.NOTE,
    LeakKind.SECRET,
    LeakKind.INTERNAL,
    LeakKind.PERSONAL,
    LeakKind.PLACEHOLDER,
)


def found(text, *notes, public=()):
    """The findings in ``text``, as pairs of kind and words."""
    return [(one.kind, text[one.start : one.end]) for one in leaks(text, notes, public=public)]


# Words of the text, in their place. The parts are joined here, so that no scanner of secrets finds
# a key in this file.
SHAPES = [
    (SECRET, "-----BEGIN RSA PRIVATE" + " KEY-----"),
    (SECRET, "xoxb" + "-1234567890-abcdef"),
    (SECRET, "xapp" + "-1-A0APP-12345"),
    (SECRET, "ghp" + "_abcdefghijkl1234"),
    (SECRET, "AKIA" + "ABCDEFGHIJKL"),
    (SECRET, "AIza" + "SyA-1234567890abcdefgh"),
    (SECRET, "eyJ" + "hbGciOiJI.eyJzdWIiOiIx.c2lnbmF0"),
    (SECRET, "password: hunter22"),
    (SECRET, "token is abc123def"),
    (SECRET, "Password is hunter2"),
    (SECRET, "PASSWORD IS HUNTER2"),
    (SECRET, "password for root is hunter2"),
    (SECRET, "Password was changed to hunter2"),
    (SECRET, "password is now Tr0ub4dor&3"),
    (SECRET, 'password is "swordfish"'),
    (SECRET, "passphrase: “correct-horse”"),
    (SECRET, "Passwd = swordfish"),
    (SECRET, "pwd:hunter2"),
    (SECRET, "PIN is 4711"),
    (SECRET, "pin: 1234"),
    (SECRET, "passcode → 8842"),
    (SECRET, "API key: 12ab34cd"),
    (SECRET, "Bearer " + "abcdefghijkl"),
    (SECRET, "postgresql://app:s3cret@db/app"),
    (SECRET, "aB3" + "dE5fG7hI9jK1lM3nO5pQ7rS9tU"),
    (SECRET, "0123456789abcdef" * 2),
    (INTERNAL, "10.1.22.7"),
    (INTERNAL, "192.168.0.14"),
    (INTERNAL, "172.16.0.1"),
    (INTERNAL, "fe80::1ff:fe23"),
    (INTERNAL, "db-3.prod.internal"),
    (INTERNAL, "localhost"),
    (PERSONAL, "mia@example.com"),
    (PERSONAL, "+44 20 7946 0958"),
    (PERSONAL, "(030) 123456"),
    (PERSONAL, "202-555-0147"),
    (PERSONAL, "4111 1111 1111 1111"),
    (PERSONAL, "4111-1111-1111-1111"),
    (PLACEHOLDER, "[component]"),
    (PLACEHOLDER, "{{ next_update }}"),
    (PLACEHOLDER, "{component}"),
    (PLACEHOLDER, "<NAME OF SERVICE>"),
    (PLACEHOLDER, "TBD"),
    (PLACEHOLDER, "XX:XX"),
]


@pytest.mark.parametrize(("kind", "words"), SHAPES, ids=lambda value: str(value)[:16])
def test_a_shape_is_found_at_its_place(kind, words):
    assert found(f"Sorry, {words} , as you know.") == [(kind, words)]


def test_a_plain_word_is_a_secret_behind_a_colon_at_the_end_of_a_line():
    assert found("The new one, secret: swordfish.") == [(SECRET, "secret: swordfish")]
    assert found("Token: refreshing works again.") == []


@pytest.mark.parametrize(
    "text",
    [
        "",
        "We are looking into errors at checkout. The next update comes in 30 min.",
        "Payments failed for 3.5% of requests between 14:05 and 15:20 UTC on 2026-11-29.",
        "The password reset page is slow, and tokens are refreshed late.",
        "The password is wrong for some users. Your PIN is safe.",
        "Password is required for all 12 users, and is reset within 24h.",
        "Tokens are 2x slower. Token is expired. Password: reset.",
        "The token is valid for 30min again; a PIN is 4 digits.",
        "Our public address is 93.184.216.34, and our site is status.example.com.",
        "Version 4.11.1 is out; see [our page](https://status.example.com/incidents/7).",
        "Order 4111 1111 1111 1112 is no card.",
        "Numbers such as 1234567890123456 occur in logs.",
    ],
)
def test_an_ordinary_public_text_has_nothing(text):
    assert found(text) == []


@pytest.mark.parametrize(
    ("text", "note", "words"),
    [
        ("We restart db-3 now.", "db-3 lost quorum", ["db-3"]),
        ("DB-3 is back, and db-3 stays.", "db-3 lost quorum", ["DB-3", "db-3"]),
        ("A fault in PayCore is fixed.", "PayCore leaks memory", ["PayCore"]),
        ("The job sync_orders is stuck.", "sync_orders hangs", ["sync_orders"]),
        (
            "A customer lost quorum of the ring today",
            "we lost quorum of the ring",
            [
                "lost quorum of the ring",
            ],
        ),
        ("lost quorum of the ring", "lost quorum of the", ["lost quorum of the"]),
        ("We lost quorum of it", "we lost quorum of it", ["We lost quorum of it"]),
        ("We lost quorum", "we lost quorum", []),
        ("The cart is slow again.", "the cart was slow", []),
        ("Errors rose to 5xx, 12% at 14:05.", "5xx at 12% since 14:05, INC-4", []),
        ("A roll-back and a follow-up come.", "roll-back first, follow-up later", []),
    ],
)
def test_words_of_a_note_are_found(text, note, words):
    assert found(text, note) == [(NOTE, one) for one in words]


@pytest.mark.parametrize(
    "words",
    [
        "db\u20113",  # a hyphen that does not break
        "db\u20133",
        "db\u22123",
        "db\u200b-3",  # with a space of no width
        "db-\u20603",
        "d\u200db-3\ufe0e",
        "db\u00ad-3",  # with a soft hyphen
        "\uff44\uff42-3",
        "\uff44\uff42\uff0d\uff13",
        "*db*-3",
        "`db`-*3*",
        "~d~b-3",
        "DB3",
        "db_3",
        "db.3",
    ],
)
def test_a_word_of_a_note_is_found_in_other_signs(words):
    assert found(f"We restart {words} now.", "db-3 lost quorum") in (
        [(NOTE, words)],
        # Signs at the edge of it stay outside.
        [(NOTE, words.strip("*`~\ufe0e"))],
        [(NOTE, words.strip("*`~\ufe0e") + "*")],
    )
    assert found("We restart db-3 now.", f"{words} lost quorum") == [(NOTE, "db-3")]
    assert found(f"We restart {words} now.", "db-3 lost quorum", public=("db-3",)) == []


@pytest.mark.parametrize(
    ("text", "note", "words"),
    [
        ("The payment router hangs.", "payment_router leaks", ["payment router"]),
        ("The *payment* router hangs.", "`payment_router` leaks", ["payment* router"]),
        ("All card rate limit keys", "card_rate_limit is off", ["card rate limit"]),
        ("10\u200b.2.3.4 answers again", "", []),
        ("We saw\u2014db-3 is back\u2026", "db-3", ["db-3"]),
        ("A customer lost *quorum* of the\u200b ring", "lost quorum of the ring", None),
        # Numbers keep their signs, and words of a sentence that only look alike are none.
        ("It began at 1052.", "disk 10.5.2", []),
        ("The router of payment hangs.", "payment_router leaks", []),
        ("On mobile, web is fine.", "mobile/web", []),
    ],
)
def test_names_of_several_words_and_numbers(text, note, words):
    if words is None:
        assert found(text, note) == [(NOTE, text.removeprefix("A customer "))]
    else:
        assert [one for one in found(text, note) if one[0] is NOTE] == [(NOTE, w) for w in words]


def test_a_name_that_is_public_as_words_is_no_secret():
    assert found("The payment router hangs.", "payment_router", public=("Payment router",)) == []


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        (INTERNAL, "10\u200b.2.3.4"),
        (INTERNAL, "\uff11\uff10.2.3.4"),
        (PERSONAL, "ops at acme dot com"),
        (PERSONAL, "ops (at) mail.acme [dot] com".replace("mail.", "")),
        (PERSONAL, "mia\u200b@example.com"),
        (PERSONAL, "202\u2011555\u20110147"),
        (PLACEHOLDER, "___"),
        (PLACEHOLDER, "<insert text>"),
        (PLACEHOLDER, "<Insert the ETA, please>"),
        (PLACEHOLDER, "<time of next update>"),
        (PLACEHOLDER, "tbd"),
        (SECRET, "xoxb\u2011" + "1234567890-abcdef"),
    ],
    ids=ascii,
)
def test_a_shape_is_found_in_other_signs(kind, words):
    assert found(f"Sorry, {words} , as you know.") == [(kind, words)]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("todo fix", ["todo"]),
        ("Todo: say when", ["Todo"]),
        ("We look into it. todo", ["todo"]),
        ("Todo lists are slow again.", []),
        ("[Resolved] All is well.", []),
        ("[resolved]: all is well. [SEV1] [high] [P2] [Update 3]", []),
        ("[Status] All is well.", ["[Status]"]),
        ("Latency was a<b and c > d, x <y.", []),
        ("Read <https://status.example.com> for more.", []),
    ],
)
def test_what_is_to_be_filled_in(text, words):
    assert found(text) == [(PLACEHOLDER, one) for one in words]


def test_two_runs_of_a_note_are_two_findings():
    text = "all of our disks are full, said Bo, and then the whole ring went"
    notes = ("all of our disks", "then the whole ring")

    assert found(text, *notes) == [(NOTE, "all of our disks"), (NOTE, "then the whole ring")]


def test_words_that_are_public_already_are_no_secret():
    note = "db-3 lost quorum, so checkout is down for everybody"
    public = ("Checkout is down for everybody", "db-3")

    assert found("db-3: checkout is down for everybody", note, public=public) == []


def test_an_overlap_is_one_finding_and_the_first_and_longest_stays():
    text = "Ask mia@db-3.internal , since db-3.prod.internal is slow."

    assert found(text, "db-3.prod.internal rebuilds db-3.internal") == [
        (PERSONAL, "mia@db-3.internal"),
        (INTERNAL, "db-3.prod.internal"),
    ]


def test_findings_are_in_the_order_of_the_text():
    text = "Call 202-555-0147 about [component] on localhost"

    assert leaks(text) == (
        Leak(5, 12, PERSONAL),
        Leak(24, 11, PLACEHOLDER),
        Leak(39, 9, INTERNAL),
    )


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        (NOTE, "words of a private note"),
        (SECRET, "a key, a token or a password"),
        (INTERNAL, "an internal host name or address"),
        (PERSONAL, "an e-mail address, or a telephone or card number"),
        (PLACEHOLDER, "a part that is not filled in"),
    ],
)
def test_every_kind_has_words_for_people(kind, words):
    assert kind.words == words
