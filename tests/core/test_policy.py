"""Policy: permissions, and the visibility of incidents."""

from typing import Any

import pytest

from core import policy
from core.commands import (
    Acknowledge,
    AnswerHandOver,
    Command,
    NameResolution,
    Redact,
    SetInvitation,
    SetPrivacy,
    SetPromise,
    TakeNextStep,
    Walk,
)
from core.denials import Permission
from core.incident import Membership, Note, Place, PublicText, Resolution, Severity
from tests.builders import (
    ADA,
    CI,
    GRACE,
    LINUS,
    a_change,
    a_declaration,
    an_actor,
    an_incident,
)

JOIN, RESPOND, PUBLISH = Permission.JOIN, Permission.RESPOND, Permission.PUBLISH

COMMANDS: dict[str, tuple[Command, tuple[Permission, ...]]] = {
    "declare": (a_declaration(), (JOIN, RESPOND)),
    "step": (a_change(to="identified"), (JOIN, RESPOND)),
    "next step": (TakeNextStep(actor=an_actor(), ref=42), (JOIN, RESPOND)),
    "acknowledge": (Acknowledge(actor=an_actor(), ref=42), (JOIN, RESPOND)),
    "note": (a_change(note="n"), (JOIN, RESPOND)),
    "owner": (a_change(owner=GRACE), (JOIN, RESPOND)),
    "nothing": (a_change(), (JOIN, RESPOND)),
    "public update": (a_change(public="p"), (JOIN, PUBLISH)),
    "public update from a dialog": (
        a_change(public="p", expected_status="identified"),
        (JOIN, PUBLISH),
    ),
    "public update and step": (a_change(public="p", to="identified"), (JOIN, PUBLISH, RESPOND)),
    "public update and note": (a_change(public="p", note="n"), (JOIN, PUBLISH, RESPOND)),
    "public update and owner": (a_change(public="p", owner=GRACE), (JOIN, PUBLISH, RESPOND)),
    "public update and severity": (
        a_change(public="p", severity=Severity.LOW),
        (JOIN, PUBLISH, RESPOND),
    ),
    "public update and title": (a_change(public="p", title="t"), (JOIN, PUBLISH, RESPOND)),
    "public update and components": (
        a_change(public="p", components=()),
        (JOIN, PUBLISH, RESPOND),
    ),
    "walk": (Walk(actor=an_actor(), ref=42, to="resolved", reason=Note("r")), (JOIN, RESPOND)),
    "walk with a public text": (
        Walk(actor=an_actor(), ref=42, to="resolved", reason=Note("r"), public=PublicText("p")),
        (JOIN, PUBLISH, RESPOND),
    ),
    "make private": (SetPrivacy(actor=an_actor(), ref=42, private=True), (JOIN, RESPOND)),
    "make public": (
        SetPrivacy(actor=an_actor(), ref=42, private=False),
        (JOIN, PUBLISH, RESPOND),
    ),
    "invite": (
        SetInvitation(actor=an_actor(), ref=42, person=GRACE, invited=True),
        (JOIN, RESPOND),
    ),
    "name the resolution": (
        NameResolution(actor=an_actor(), ref=42, how=Resolution.FIXED),
        (JOIN, RESPOND),
    ),
    "promise": (SetPromise(actor=an_actor(), ref=42), (JOIN, PUBLISH)),
    # Whether this actor may withdraw this update is the engine's to say: it knows the update.
    "redact": (Redact(actor=an_actor(), ref=42, entry=2), (JOIN,)),
    "answer a hand-over": (
        AnswerHandOver(actor=an_actor(), ref=42, entry=2, takes=False),
        (JOIN,),
    ),
}


@pytest.mark.parametrize(("command", "needed"), COMMANDS.values(), ids=COMMANDS)
def test_each_command_needs_its_permissions(command, needed):
    assert policy.needed(command) == needed


@pytest.mark.parametrize("private", [True, False])
def test_the_promise_of_a_private_incident_is_no_public_statement(private):
    command = COMMANDS["promise"][0]
    responder, publisher = (an_actor(**flags) for flags in (RESPONDER, PUBLISHER))
    incident = an_incident(private=private)

    assert (policy.allows(responder, command, incident) is None) is private
    assert (policy.allows(publisher, command, incident) is None) is not private


NO_MEMBERS = [membership for membership in Membership if membership is not Membership.MEMBER]
BOTH: dict[str, Any] = {"responder": True, "publisher": True}
RESPONDER: dict[str, Any] = {"responder": True, "publisher": False}
PUBLISHER: dict[str, Any] = {"responder": False, "publisher": True}
NEITHER: dict[str, Any] = {"responder": False, "publisher": False}


@pytest.mark.parametrize(
    ("flags", "held"),
    [
        (NEITHER, {JOIN}),
        (RESPONDER, {JOIN, RESPOND}),
        (PUBLISHER, {JOIN, PUBLISH}),
        (BOTH | {"admin": True}, set(Permission)),
        (NEITHER | {"admin": True}, {JOIN, Permission.ADMINISTER}),
    ],
)
def test_a_member_holds_the_permissions_of_the_groups(flags, held):
    assert {each for each in Permission if policy.holds(an_actor(**flags), each)} == held


@pytest.mark.parametrize("membership", NO_MEMBERS)
def test_nobody_but_a_full_member_has_any_permission(membership):
    actor = an_actor(membership=membership, **BOTH, admin=True)

    assert [each for each in Permission if policy.holds(actor, each)] == []


DENIED: dict[str, list[tuple[dict[str, Any], Permission | None]]] = {
    "note": [(BOTH, None), (RESPONDER, None), (PUBLISHER, RESPOND), (NEITHER, RESPOND)],
    "public update": [(BOTH, None), (RESPONDER, PUBLISH), (PUBLISHER, None), (NEITHER, PUBLISH)],
    "public update and note": [
        (BOTH, None),
        (RESPONDER, PUBLISH),
        (PUBLISHER, RESPOND),
        (NEITHER, PUBLISH),
    ],
    "redact": [(BOTH, None), (RESPONDER, None), (PUBLISHER, None), (NEITHER, None)],
}


@pytest.mark.parametrize(
    ("name", "flags", "permission"), [(name, *row) for name, rows in DENIED.items() for row in rows]
)
def test_a_command_is_denied_for_the_first_missing_permission(name, flags, permission):
    denied = policy.allows(an_actor(**flags), COMMANDS[name][0], an_incident())

    assert (denied and denied.permission) == permission


@pytest.mark.parametrize("membership", NO_MEMBERS)
@pytest.mark.parametrize("command", [command for command, _ in COMMANDS.values()], ids=COMMANDS)
def test_every_command_is_denied_to_others_than_members(command, membership):
    denied = policy.allows(an_actor(membership=membership), command, an_incident())

    assert denied
    assert denied.permission is JOIN


def test_a_denial_names_the_owner_as_a_helper():
    actor, incident = an_actor(responder=False), an_incident(owner=GRACE)

    denied = policy.allows(actor, a_change(note="n"), incident)

    assert (denied.actor, denied.incident) == (actor, incident)
    assert "Ask Grace (owner)" in denied.message


def test_a_denial_sends_nobody_to_an_owner_who_has_left():
    incident = an_incident(owner=GRACE, left_owner=GRACE.id)

    denied = policy.allows(an_actor(responder=False), a_change(note="n"), incident)

    assert denied.helper is None
    assert "Ask anyone of them." in denied.message


@pytest.mark.parametrize(
    ("actor", "reads"),
    [
        (an_actor(), True),
        (an_actor(responder=False), False),
        (an_actor(CI, responder=False, sees_private=True), True),
        (an_actor(membership=Membership.GUEST), False),
        (an_actor(CI, membership=Membership.STRANGER, sees_private=True), False),
    ],
    ids=["a responder", "no responder", "an API key that only reads", "a guest", "a stranger"],
)
def test_notes_are_read_by_responders_and_by_api_keys(actor, reads):
    assert policy.may_read_notes(actor) is reads


# --- visibility ------------------------------------------------------------------------------

WAR_ROOM = {"place": Place("C0WARROOM", private=True)}


@pytest.mark.parametrize(
    ("actor", "incident", "sees"),
    [
        pytest.param(an_actor(GRACE), {}, True, id="a public one"),
        pytest.param(an_actor(CI, channel=None), {}, True, id="a public one, over the API"),
        pytest.param(an_actor(GRACE), {"private": True}, False, id="a private one of others"),
        pytest.param(an_actor(ADA), {"private": True}, True, id="whoever declared it"),
        pytest.param(an_actor(LINUS), {"private": True, "owner": LINUS}, True, id="the owner"),
        pytest.param(an_actor(GRACE, admin=True), {"private": True}, True, id="an admin"),
        pytest.param(
            an_actor(GRACE), {"private": True, "invited": (LINUS, GRACE)}, True, id="invited"
        ),
        pytest.param(
            an_actor(GRACE), {"private": True, "invited": (LINUS,)}, False, id="others invited"
        ),
        pytest.param(an_actor(CI, sees_private=True), {"private": True}, True, id="an API key"),
        pytest.param(
            an_actor(GRACE, channel="C0WARROOM"),
            WAR_ROOM | {"private": True},
            True,
            id="in the private channel of its card",
        ),
        pytest.param(
            an_actor(GRACE, channel="C0OTHER"),
            WAR_ROOM | {"private": True},
            False,
            id="in another channel",
        ),
        pytest.param(
            an_actor(GRACE, channel="C0INCIDENTS"),
            {"private": True},
            False,
            id="in the public channel where it was declared",
        ),
        pytest.param(
            an_actor(GRACE, channel=None),
            {"private": True, "place": None},
            False,
            id="no channel on either side",
        ),
        pytest.param(
            an_actor(ADA, workspace="T0OTHER", admin=True, sees_private=True),
            {},
            False,
            id="another workspace's",
        ),
        pytest.param(
            an_actor(ADA, workspace="T0OTHER", admin=True, sees_private=True),
            {"private": True, "owner": ADA},
            False,
            id="another workspace's private one, by the same id",
        ),
    ],
)
def test_an_incident_exists_only_for_its_permitted_readers(actor, incident, sees):
    assert policy.may_see(actor, an_incident(**incident)) is sees
