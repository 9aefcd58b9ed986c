"""One conversation for each verb, as data: what is typed, and a part of each answer."""

from __future__ import annotations

import pytest

from bot.slack.verbs import VERBS

DECLARED = ("declare Checkout is down severity:high", "INC-1 is declared (*Investigating*, high)")
PRIVATE = ("declare Data leak private", "INC-1 is private.")

# By the name of the verb, `tray` and `number` for what is typed without one. Mia says every line in
# #payments; she is an admin. A line without an expectation has one that a line behind it proves.
CONVERSATIONS: dict[str, list[tuple[str, str]]] = {
    "tray": [("", "All quiet. Nothing is open."), DECLARED, ("", "Open here")],
    "number": [DECLARED, ("1", "INC-1 Checkout is down"), ("#1", "INC-1 Checkout is down")],
    "declare": [
        DECLARED,
        ("new Search is slow components:api", "INC-2 is declared (*Investigating*, medium)"),
        ("list", "INC-2 Search is slow"),
    ],
    "list": [
        DECLARED,
        ("declare Search is slow severity:low", "INC-2 is declared"),
        ("list", "Open incidents · 2"),
        ("list severity:low", "Open incidents (low) · 1"),
        ("list mine", "Your open incidents: none."),
        ("list all status:resolved", "All incidents (resolved): none."),
        ("list foo", 'I can\'t list "foo". Try open, all or mine.'),
    ],
    "show": [DECLARED, ("show 1", "*Investigating* · high · since"), ("show 9", "INC-9")],
    "status": [
        DECLARED,
        ("status 1 identified db-3", "INC-1 is now *Identified* (was Investigating)"),
        ("status 1 investigating", "It can't go back to Investigating"),
        ("status 1 monitorin", "Did you mean *monitoring*?"),
    ],
    "next": [
        DECLARED,
        ("next 1 found it", "Your note is kept private."),
        ("next 1", "INC-1 is now *Monitoring* (was Identified)"),
    ],
    "ack": [
        DECLARED,
        ("ack 1", "INC-1 is acknowledged, and stays *Investigating*"),
        ("ack 1", "Nothing had to change."),
    ],
    "resolve": [
        DECLARED,
        ("resolve 1", "Resolved is three steps away"),
        ("next 1", "*Identified*"),
        ("next 1", "*Monitoring*"),
        ("resolve 1 rolled back", "INC-1 is now *Resolved* (was Monitoring)"),
        ("note 1 too late", "That is the end of its lifecycle"),
    ],
    "close": [
        ("declare Checkout is down lifecycle:response", "INC-1 is declared (*Open*, medium)"),
        ("ack 1", "INC-1 is now *Acknowledged* (was Open)"),
        ("close 1 nothing was wrong", "INC-1 is now *Closed* (was Acknowledged)"),
    ],
    "update": [
        DECLARED,
        ("update 1 We are looking at it.", "will read your public update"),
        ("update 1 status:identified We found it.", "INC-1 is now *Identified*"),
        ("update 1 note: only for us", "Nothing was published."),
    ],
    "note": [
        DECLARED,
        ("note 1 db-3 lost quorum", "Your note is kept private."),
        ("timeline 1", "db-3 lost quorum"),
    ],
    "promise": [
        DECLARED,
        ("promise 1 30m", "the next update is promised by"),
        ("show 1", "Next update by"),
        ("promise 1 none the vendor decides", "is released"),
    ],
    "assign": [
        DECLARED,
        ("assign 1", "INC-1 is now owned by <@U0MIA>"),
        ("assign 1 @bo", "INC-1 is now owned by <@U0BO>"),
    ],
    "severity": [
        DECLARED,
        ("severity 1 critical", "INC-1 now has the severity *critical* (was high)"),
        ("severity 1 critcal", "Did you mean critical?"),
    ],
    "title": [DECLARED, ("title 1 Checkout is slow", 'is now called "Checkout is slow"')],
    "components": [
        ("components", "There are no components yet. Add the first one."),
        DECLARED,
        ("components 1 Checkout API, Payments", "now affects Checkout API, Payments"),
        ("components", "Components (2)"),
        ("components 1 none", "now affects no component"),
        ("components 1 Payments, none", 'one is "none", which means no component in lists'),
    ],
    "description": [
        DECLARED,
        ("description 1 Since the deploy of 02:50.", "INC-1"),
        ("show 1", "Since the deploy of 02:50."),
    ],
    "timeline": [DECLARED, ("timeline 1", "declared it"), ("timeline 1", "only you see this")],
    "withdraw": [
        DECLARED,
        ("note 1 a secret", "Your note is kept private."),
        ("withdraw 1 2", "Your note on INC-1 (entry 2) is withdrawn."),
        ("withdraw 1 2", "is withdrawn already."),
    ],
    "catchup": [
        DECLARED,
        ("catchup 1", "Nothing is new since your last act"),
        ("catchup", "Nothing is new on any open incident."),
    ],
    "report": [DECLARED, ("report 1", "To write")],
    "stats": [DECLARED, ("stats 7d", "7 days")],
    "private": [DECLARED, ("private 1", "Make INC-1 private?")],
    "public": [
        ("declare Data leak private", "INC-1 is private."),
        ("public 1", "Data leak"),
    ],
    "invite": [PRIVATE, ("invite 1 @bo", "INC-1 is shown to bo from now on")],
    "uninvite": [
        PRIVATE,
        ("invite 1 @bo", "INC-1 is shown to bo from now on"),
        ("uninvite 1 @bo", "bo is no longer invited to INC-1"),
    ],
    "subscribe": [
        (
            "subscribe severity:high+",
            "of severity critical or high, with the updates",
        ),
        ("subscribe broadcast:on", "is subscribed already."),
        ("subscribe #war-room", "Subscribe it?"),
        ("subscribe severity:hihg+", "Did you mean high?"),
        ("subcribe here", "Did you mean subscribe?"),
    ],
    "unsubscribe": [
        ("subscribe", "is subscribed."),
        ("unsubscribe", "is not subscribed any more"),
        ("unsubscribe", "That channel is not subscribed."),
    ],
    "subscriptions": [
        ("subscriptions", "No channel is subscribed."),
        ("subscribe #general", "<#C0GENERAL> is subscribed."),
        ("subscriptions", "Subscribed channels (1)"),
    ],
    "setup": [
        ("setup #general", "is the status channel now."),
        ("setup page", "The status page is not published: its addresses lead nowhere now."),
    ],
    "help": [
        ("help", "`/incident help all` explains all commands"),
        ("help all", "/incident setup"),
        ("help note", "For example"),
        ("help reopen", "Incidents only move forward"),
        ("hlep", "Did you mean help?"),
    ],
}


@pytest.fixture
def mode():
    return "http"


def test_every_verb_has_a_conversation():
    assert set(CONVERSATIONS) == {verb.name for verb in VERBS} | {"tray", "number"}


@pytest.mark.parametrize("name", CONVERSATIONS)
async def test_a_conversation_about_a_verb_comes_true(name, slack, ratchet):
    slack.workspace.user("mia").is_admin = True
    mia = slack.person("mia")
    for typed, told in CONVERSATIONS[name]:
        asked = await mia.command("#payments", f"/incident {typed}".strip())
        # A dialog is an answer, too.
        await slack.until(lambda: asked.ephemerals or mia.has_view)  # noqa: B023 - awaited here
        await slack.until(lambda: not mia.has_view or mia.view.callback_id != "loading")
        shown = [part for message in asked.ephemerals for part in (message.text, message.words())]
        shown += [mia.view.words()] if mia.has_view else []

        assert told in "\n".join(shown), (typed, shown)
