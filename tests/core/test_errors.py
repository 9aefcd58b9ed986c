"""Errors: the tree at the top of the file is complete, and each text says how to go on."""

import inspect

import pytest

from core import denials, errors, missing, refusals
from core.denials import Denied, Permission
from core.errors import (
    EmptyUpdate,
    FileProblem,
    InvalidField,
    InvalidFile,
    UnknownLifecycle,
    UserError,
    closest,
    nearest,
)
from core.incident import DeclaredText, Kind, Section
from core.leaks import Leak, LeakKind
from core.lifecycle import RESPONSE
from core.missing import (
    NoSuchComponent,
    NoSuchEntry,
    NoSuchSection,
    NoSuchText,
    NoSuchWebhook,
    NotFound,
    NotSubscribed,
    UnknownComponent,
    WhichIncident,
)
from core.ranking import COUNTED_MAX
from core.refusals import (
    AlreadyPublic,
    ChannelArchived,
    ComponentExists,
    CurrentTitle,
    FactChanged,
    IncidentResolved,
    InvalidDuplicate,
    NoChannels,
    NoPublicSide,
    NoPublicSurface,
    NotAComponent,
    NotAsked,
    NothingToPromise,
    NothingToRedact,
    NothingToRelease,
    NotImported,
    NotOver,
    NotPrivate,
    PossibleLeak,
    PromiseOver,
    RedactionNotPermitted,
    Refused,
    RepeatedComponent,
    SectionChanged,
    SettingsChanged,
    SeveralNextSteps,
    StaleStatus,
    TitleChanged,
    TooSoon,
    TransitionNotAllowed,
    UnknownStatus,
)
from tests.builders import (
    GRACE,
    LINUS,
    a_component,
    an_actor,
    an_id,
    an_incident,
    an_update,
)

SECRET = "db-3 lost quorum"
NOTE = an_update(body=SECRET)
MOVED = an_update(kind=Kind.MOVED, old="investigating", new="identified", by=GRACE, body=SECRET)
OPEN, OVER = an_incident(), an_incident(status="resolved")
OWNED = an_incident(owner=GRACE)

# One row for each refusal: the error, and its whole text, with the act that it advises.
TOLD = [
    (
        InvalidField("public_update", "is empty: write 1 to 2,000 characters"),
        "The public update is empty: write 1 to 2,000 characters.",
    ),
    (EmptyUpdate(), "Choose a next step, or write a public update or a note."),
    (NotFound(7), "There is no incident INC-7 here. <list incidents> shows the open ones."),
    (
        NotFound(an_id("elsewhere")),
        "There is no incident with that id here. <list incidents> shows the open ones.",
    ),
    (
        WhichIncident(()),
        "No open incident has its card in this channel: say which one, by its number.",
    ),
    (
        WhichIncident((OPEN, an_incident(number=43))),
        "Several incidents are open in this channel (INC-42, INC-43): say which, by its number.",
    ),
    (
        WhichIncident((OPEN, an_incident(number=43)), total=20),
        (
            "20 incidents are open in this channel (the worst 2 are INC-42, INC-43): say which, "
            "by its number."
        ),
    ),
    (
        WhichIncident((OPEN,), total=COUNTED_MAX + 1),
        (
            "More than 500 incidents are open in this channel (the worst 1 are INC-42): say which, "
            "by its number."
        ),
    ),
    (
        NoSuchEntry(OPEN, 99),
        "The timeline of INC-42 has no entry 99. <show the timeline> shows the numbers.",
    ),
    (
        NoSuchEntry(OPEN, an_id("elsewhere")),
        "The timeline of INC-42 has no such entry. <show the timeline> shows the numbers.",
    ),
    (
        UnknownLifecycle("respons", ("statuspage", "response")),
        (
            'There is no lifecycle "respons": did you mean "response"? '
            "Lifecycles: statuspage, response."
        ),
    ),
    (
        UnknownStatus(OPEN, "identifed"),
        (
            'There is no status "identifed" in this lifecycle: did you mean "identified"? '
            "Statuses of INC-42: investigating (now), identified, monitoring, resolved."
        ),
    ),
    (
        UnknownStatus(OPEN, "zzz"),
        (
            'There is no status "zzz" in this lifecycle. '
            "Statuses of INC-42: investigating (now), identified, monitoring, resolved."
        ),
    ),
    (
        UnknownComponent("chekout", "Checkout"),
        (
            'There is no component "chekout": did you mean "Checkout"? '
            'To make a new one of that name, write "+chekout".'
        ),
    ),
    (
        NoSuchComponent(),
        (
            "A component id is not one of this workspace's components. "
            "Take ids from <list components>."
        ),
    ),
    (
        RepeatedComponent(a_component("Checkout")),
        'The component "Checkout" is named twice: name each once.',
    ),
    (
        ComponentExists(a_component("Checkout")),
        'There is a component "Checkout" already: use it, or choose another name.',
    ),
    (
        IncidentResolved(OVER, "identified"),
        (
            "INC-42 is resolved, which is the end of its lifecycle: it cannot become identified, "
            "and takes no further updates. If it is happening again, declare a new incident."
        ),
    ),
    (
        IncidentResolved(OVER, None),
        (
            "INC-42 is resolved, which is the end of its lifecycle: it takes no further updates. "
            "If it is happening again, declare a new incident."
        ),
    ),
    (
        CurrentTitle(OPEN, NOTE),
        (
            "Entry 2 holds the title that INC-42 has now. Give it another one first, with "
            "<change the title>; then withdraw this one."
        ),
    ),
    (
        NotPrivate(OPEN),
        (
            "INC-42 is not private: everyone in the workspace can see it already. "
            "<make it private> makes it private."
        ),
    ),
    (
        TitleChanged(OPEN),
        (
            "INC-42 has another title by now, and nothing was made public. "
            "Look again: <make it public>."
        ),
    ),
    (
        NothingToPromise(an_incident(status="resolved")),
        "INC-42 is resolved: there is no next update to promise.",
    ),
    (
        NothingToRelease(OPEN),
        "There is nothing to release: INC-42 has no promise in force. Nothing was changed.",
    ),
    (
        PromiseOver(OPEN),
        (
            "That promise of INC-42 is over, and nothing was changed. "
            "<promise an update> makes a new one."
        ),
    ),
    (
        NoChannels(OPEN),
        (
            "Incidents get no channels of their own here, and nothing was changed. Work on INC-42 "
            "in any channel. A workspace admin switches them on with <show the settings>."
        ),
    ),
    (
        ChannelArchived(OPEN),
        (
            "INC-42 has no channel that could be kept. Members of an archived channel can "
            "unarchive it in Slack."
        ),
    ),
    (
        AlreadyPublic(OPEN),
        (
            "INC-42 has been public since 09:00 UTC, and nothing was changed. "
            "<make it private> makes it private."
        ),
    ),
    (
        AlreadyPublic(OPEN, an_update(body=SECRET)),
        (
            "Entry 2 of INC-42 has been public since 09:00 UTC, and nothing was changed. "
            "<withdraw a text> withdraws it."
        ),
    ),
    (
        NotAsked(OPEN),
        "Only the new owner of INC-42 is asked that. <become owner> makes you the owner.",
    ),
    (NotOver(OPEN), "INC-42 is investigating: how it ended can be said when it is over."),
    (
        FactChanged(OPEN, "components"),
        (
            "The components of INC-42 have changed meanwhile, and nothing was saved. "
            "<show the timeline> shows by whom."
        ),
    ),
    (
        SettingsChanged(),
        (
            "Another admin changed the settings meanwhile, and nothing was saved. "
            "<show the settings> shows them as they are now."
        ),
    ),
    (
        SectionChanged(OPEN, an_update(by=GRACE, kind=Kind.REPORTED, new="cause", body=SECRET)),
        (
            "Grace changed this section meanwhile, and nothing was saved. "
            "<show the report> shows it as it is now."
        ),
    ),
    (
        NoSuchSection(OPEN, Section.HELPED),
        (
            "Nobody has written the section what helped of INC-42. "
            "<show the report> shows what is written."
        ),
    ),
    (
        NoSuchText(OPEN, DeclaredText.DESCRIPTION),
        "INC-42 has no description to withdraw. <show the timeline> shows the texts that it has.",
    ),
    (
        NoSuchText(OPEN, DeclaredText.CATEGORY),
        "INC-42 has no category to withdraw. <show the timeline> shows the texts that it has.",
    ),
    (
        NoSuchText(OPEN, DeclaredText.TITLE),
        (
            "INC-42 has no earlier title to withdraw: its title was never changed. "
            "To withdraw the present one, give it another one first, with <change the title>."
        ),
    ),
    (
        NoPublicSide(OPEN),
        "INC-42 has no public side now, so there is no public report of it.",
    ),
    (
        NotImported("The page is another one: import that one."),
        "The page is another one: import that one.",
    ),
    (
        NoSuchWebhook(),
        "There is no webhook with that id here. Take ids from <list webhooks>.",
    ),
    (
        NotSubscribed("C0CUSTOMERS"),
        "That channel is not subscribed. <list subscriptions> shows those that are.",
    ),
    (
        NotAComponent("include one that is unknown", asked="ap", suggestion="API", known=("API",)),
        "The components include one that is unknown.",
    ),
    (InvalidDuplicate(), "The other incident must be named by its number, such as INC-41."),
    (
        TransitionNotAllowed(an_incident(lifecycle=RESPONSE), "closed"),
        "INC-42 is open and cannot become closed now. Valid next steps: acknowledged, resolved.",
    ),
    (
        SeveralNextSteps(an_incident(lifecycle=RESPONSE)),
        "INC-42 is open and can go several ways: acknowledged, resolved. Choose one.",
    ),
    (
        StaleStatus(an_incident(status="identified"), "investigating", MOVED),
        (
            "Grace moved INC-42 to identified before you. "
            "Nothing was changed: look where it is now, and choose again."
        ),
    ),
    (
        TooSoon(OPEN, "acknowledged"),
        (
            "INC-42 is investigating. Your click followed another one at once, and changed "
            "nothing: should it become acknowledged as well?"
        ),
    ),
    (
        NoPublicSurface(OPEN),
        (
            "There is no status channel yet, so nobody could read a public update. "
            "A workspace admin sets one with <set the status channel>."
        ),
    ),
    (
        NoPublicSurface(an_incident(private=True)),
        (
            "INC-42 is private: it has no public side, and a public update would have no reader. "
            "Write a note instead: <write a note>."
        ),
    ),
    (
        PossibleLeak(OPEN, (Leak(0, 3, LeakKind.NOTE),), "The words", title=True),
        (
            "Nothing was changed on INC-42: the title, which is public, may hold words of a "
            "private note. Change it, or confirm it."
        ),
    ),
    (
        PossibleLeak(None, (Leak(0, 3, LeakKind.PERSONAL),), "The words", title=True),
        (
            "Nothing was declared: the title, which is public, may hold an e-mail address, or a "
            "telephone or card number. Change it, or confirm it."
        ),
    ),
    (
        PossibleLeak(OPEN, (Leak(4, 4, LeakKind.NOTE), Leak(9, 3, LeakKind.SECRET)), "The words"),
        (
            "Nothing was published on INC-42: the public text may hold words of a private note "
            "and a key, a token or a password. Change it, or confirm it."
        ),
    ),
    (
        NothingToRedact(OPEN, NOTE),
        "Entry 2 of INC-42 has no text to withdraw. <show the timeline> shows which have.",
    ),
    (
        RedactionNotPermitted(OPEN, NOTE),
        (
            "Entry 2 of INC-42 can be withdrawn by Ada within 5 minutes of writing it, "
            "and by a workspace admin at any time. Ask an admin."
        ),
    ),
    (
        Denied(an_actor(LINUS), Permission.JOIN, OWNED),
        "Only full members of this workspace may use Ratchet. Ask anyone of the team.",
    ),
    (
        Denied(an_actor(LINUS), Permission.RESPOND, OWNED),
        "Only responders may do that. Ask Grace (owner) or anyone of them.",
    ),
    (
        Denied(an_actor(LINUS), Permission.RESPOND, OPEN),
        "Only responders may do that. Ask anyone of them.",
    ),
    (
        Denied(an_actor(LINUS), Permission.RESPOND, reads=True),
        "Only responders may read notes, reports and figures. Ask anyone of them.",
    ),
    (
        Denied(an_actor(GRACE), Permission.PUBLISH, OWNED),
        "Only publishers may post public updates. Ask anyone of them.",
    ),
    (
        Denied(an_actor(LINUS), Permission.ADMINISTER, OWNED),
        "Only workspace admins may do that. Ask anyone of them.",
    ),
    (
        Denied(an_actor(LINUS), Permission.RESPOND),
        "Only responders may do that. Ask anyone of them.",
    ),
]


def subclasses(root, depth=0):
    for error in root.__subclasses__():
        # An entry point may have errors of its own; these are the errors that the rules raise.
        if error.__module__ in {module.__name__ for module in (denials, errors, missing, refusals)}:
            yield depth, error.__name__
            yield from subclasses(error, depth + 1)


def test_the_tree_at_the_top_of_the_file_is_the_tree_of_the_classes():
    tree = inspect.getdoc(refusals).split("\n\n")[1].splitlines()
    drawn = [
        ((len(line) - len(line.lstrip(" │├└─"))) // 4 - 1, line.lstrip(" │├└─").split()[0])
        for line in tree
    ]

    assert drawn == [
        (0, "UserError"),
        *subclasses(UserError, 1),
        (0, "InvalidFile"),
    ]


def test_every_line_of_the_tree_says_when_it_happens():
    tree = inspect.getdoc(refusals).split("\n\n")[1].splitlines()

    assert all(len(line.lstrip(" │├└─").split()) > 2 for line in tree)


@pytest.mark.parametrize(("error", "text"), TOLD)
def test_each_error_says_how_things_are_and_how_to_go_on(error, text):
    assert error.message == str(error)
    assert error.told(lambda advice: f"<{advice.act}>") == text


def test_no_error_of_the_tree_goes_untold():
    never_raised = {UserError.__name__, Refused.__name__}

    assert {name for _, name in subclasses(UserError)} - never_raised == {
        type(error).__name__ for error, _ in TOLD
    }


@pytest.mark.parametrize("error", [NothingToRedact, RedactionNotPermitted])
def test_no_error_about_an_update_shows_its_body(error):
    shown = error(OPEN, NOTE)

    assert SECRET not in f"{shown!s} {shown!r} {shown.args}"


def test_the_faster_mover_is_named_without_their_note():
    shown = StaleStatus(an_incident(status="identified"), "investigating", MOVED)

    assert SECRET not in f"{shown!s} {shown!r} {shown.args}"


@pytest.mark.parametrize(
    ("error", "asked", "next_steps"),
    [
        (IncidentResolved(OVER, "identified"), "identified", ()),
        (IncidentResolved(OVER, None), None, ()),
        (TransitionNotAllowed(OPEN, "resolved"), "resolved", ("identified",)),
        (UnknownStatus(OPEN, "solved"), "solved", ("identified",)),
    ],
    ids=["a step at the end", "an update at the end", "a skip", "a status that there is not"],
)
def test_a_refused_move_carries_incident_request_and_next_steps(error, asked, next_steps):
    assert isinstance(error, Refused)
    assert error.incident in (OPEN, OVER)
    assert (error.asked, error.next_steps) == (asked, next_steps)


def test_the_faults_of_a_lifecycle_file_are_one_error_for_the_operator():
    problems = (
        FileProblem("team.open", "has no public word"),
        FileProblem("team", "has no terminal status"),
    )

    error = InvalidFile(iter(problems))

    assert error.problems == problems
    assert str(error) == "team.open has no public word; team has no terminal status"
    assert not isinstance(error, UserError)


@pytest.mark.parametrize(
    ("word", "known", "near"),
    [
        ("staus", ["list", "status", "title"], "status"),
        ("STATUS", ["list", "status"], "status"),
        ("zzz", ["list", "status"], None),
        ("status", [], None),
        ("", ["list"], None),
    ],
    ids=["slip", "case", "nothing close", "nothing known", "nothing asked"],
)
def test_a_slip_is_answered_with_the_one_word_that_is_close(word, known, near):
    assert nearest(word, known) == near
    assert closest(word, iter(known)) == (f': did you mean "{near}"?' if near else "")
