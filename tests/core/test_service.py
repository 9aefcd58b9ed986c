"""The one way in: found, decided, judged, kept, in one transaction, on the real store."""

from dataclasses import replace
from datetime import timedelta

import pytest

from core.boards import BoardFilter, Scope
from core.commands import (
    Acknowledge,
    NameResolution,
    Redact,
    SetPrivacy,
    TakeNextStep,
)
from core.denials import Denied, Permission
from core.errors import InvalidField, UserError
from core.incident import (
    DeclaredText,
    Kind,
    Membership,
    Place,
    Resolution,
    Resolved,
    Severity,
    Visibility,
)
from core.lifecycle import RESPONSE
from core.missing import NoSuchEntry, NotFound, UnknownComponent
from core.refusals import (
    ComponentExists,
    IncidentResolved,
    InvalidDuplicate,
    NoPublicSurface,
    RedactionNotPermitted,
    StaleStatus,
    TooSoon,
    TransitionNotAllowed,
)
from core.service import Incidents
from tests.builders import (
    ADA,
    CI,
    GRACE,
    INCIDENTS_CHANNEL,
    LINUS,
    NINE,
    STATUS_CHANNEL,
    WORKSPACE,
    a_change,
    a_declaration,
    a_workspace,
    an_actor,
    set_status_channel,
)

ADMIN = an_actor(LINUS, admin=True)
API = an_actor(CI, channel=None, sees_private=True)


@pytest.fixture
def woken():
    """How often the worker was told to look, as a list that grows."""
    return []


@pytest.fixture
def defaults():
    return None


@pytest.fixture
def incidents(store, clock, woken):
    return Incidents(store, clock=clock, wake=lambda: woken.append(clock.now))


@pytest.fixture
async def with_status_channel(store):
    await store.write(lambda tx: set_status_channel(tx, WORKSPACE, STATUS_CHANNEL))


async def timeline(incidents, number=42, actor=ADMIN):
    _, page = await incidents.timeline(actor, number)
    return [(update.entry, update.kind, update.body) for update in page.items]


# --- commands --------------------------------------------------------------------------------


async def test_a_declared_incident_can_be_found_by_number_by_id_and_by_its_channel(
    incidents, declare
):
    declared = await declare()

    for ref in (1, declared.id, None):
        card = await incidents.card(an_actor(GRACE), ref)
        assert card.incident == declared


async def test_an_outcome_has_the_incident_before_and_after(incidents, declare, clock):
    declared = await declare()
    clock.advance(minutes=5)

    outcome = await incidents.execute(a_change(ref=1, to="identified", note="db-3 lost quorum"))

    (update,) = outcome.updates
    assert outcome.changed
    assert outcome.before == declared
    assert outcome.incident == (await incidents.card(an_actor(), 1)).incident
    assert (outcome.incident.status, outcome.incident.version) == ("identified", 2)
    assert (update.at, update.by) == (NINE + timedelta(minutes=5), ADA)
    assert outcome.workspace == a_workspace(status_channel=None)


async def test_the_timeline_has_every_change_in_order(incidents, declare, with_status_channel):
    await declare()

    await incidents.execute(a_change(ref=1, to="identified", public="We found it.", note="db-3"))
    await incidents.execute(TakeNextStep(actor=an_actor(), ref=1))
    await incidents.execute(a_change(ref=1, owner=GRACE))

    assert await timeline(incidents, 1) == [
        (1, Kind.DECLARED, None),
        (2, Kind.MOVED, "We found it."),
        (3, Kind.WROTE, "db-3"),
        (4, Kind.MOVED, None),
        (5, Kind.ASSIGNED, None),
    ]


async def test_a_fact_that_is_true_already_writes_nothing(incidents, declare, woken):
    declared = await declare()
    woken.clear()

    outcome = await incidents.execute(a_change(ref=1, title=declared.title))

    assert not outcome.changed
    assert outcome.incident == outcome.before == declared
    assert woken == []


async def test_acknowledging_twice_keeps_the_first_and_says_when_that_was(
    incidents, declare, clock
):
    await declare()
    clock.advance(minutes=2)
    await incidents.execute(Acknowledge(actor=an_actor(GRACE), ref=1))
    clock.advance(minutes=5)

    outcome = await incidents.execute(Acknowledge(actor=an_actor(LINUS), ref=1))

    assert not outcome.changed
    assert outcome.acknowledged_at == NINE + timedelta(minutes=2)
    assert outcome.incident.acknowledged_by == outcome.incident.owner == GRACE


async def test_components_are_made_once_and_found_again(incidents, declare):
    first = await declare(components=("Checkout API", "web"))
    second = await declare(components=("checkout api",))
    outcome = await incidents.execute(a_change(ref=1, components=("web",)))

    assert second.components == first.components[:1]
    assert outcome.incident.components == first.components[1:]
    with pytest.raises(UnknownComponent) as refused:
        await incidents.execute(a_change(ref=1, components=("chekout api",)))
    assert refused.value.suggestion == "Checkout API"


async def test_the_lifecycle_that_an_incident_was_declared_with_stays_with_it(incidents, declare):
    await declare(lifecycle=RESPONSE)

    outcome = await incidents.execute(Acknowledge(actor=an_actor(GRACE), ref=1))

    assert outcome.incident.lifecycle == RESPONSE
    assert outcome.incident.status == "acknowledged"


# --- the worker is woken ---------------------------------------------------------------------


async def test_the_worker_is_woken_after_a_change_that_is_shown_and_not_after_a_note(
    incidents, declare, woken
):
    await declare()
    assert len(woken) == 1

    await incidents.execute(a_change(ref=1, note="db-3 lost quorum"))
    assert len(woken) == 1

    await incidents.execute(a_change(ref=1, to="identified"))
    assert len(woken) == 2


# --- refusals --------------------------------------------------------------------------------

REFUSALS = [
    pytest.param(a_change(ref=1, to="resolved"), TransitionNotAllowed, id="a skip"),
    pytest.param(a_change(ref=1, note=" "), InvalidField, id="white space"),
    pytest.param(a_change(ref=1, public="Soon."), NoPublicSurface, id="no surface"),
    pytest.param(
        a_change(ref=1, to="identified", expected_status="monitoring"), StaleStatus, id="stale"
    ),
    pytest.param(
        a_change(ref=1, to="identified", actor=an_actor(responder=False)), Denied, id="denied"
    ),
    pytest.param(a_change(ref=9, to="identified"), NotFound, id="not found"),
    pytest.param(Redact(actor=an_actor(), ref=1, entry=9), NoSuchEntry, id="no such entry"),
]


@pytest.mark.parametrize(("command", "refusal"), REFUSALS)
async def test_a_refusal_writes_nothing_and_wakes_nobody(
    incidents, declare, woken, command, refusal
):
    declared = await declare()
    woken.clear()

    with pytest.raises(refusal):
        await incidents.execute(command)

    assert (await incidents.card(an_actor(), 1)).incident == declared
    assert await timeline(incidents, 1) == [(1, Kind.DECLARED, None)]
    assert woken == []


@pytest.mark.parametrize(
    "refused",
    [{"title": " "}, {"actor": an_actor(responder=False)}],
    ids=["no title", "no responder"],
)
async def test_a_declaration_that_is_refused_takes_no_number(incidents, declare, refused):
    with pytest.raises(UserError):
        await declare(**refused)

    assert (await declare()).number == 1


async def test_a_late_click_is_told_the_name_of_the_faster_person(incidents, declare, clock):
    await declare()
    clock.advance(seconds=30)
    await incidents.execute(
        a_change(ref=1, actor=an_actor(GRACE), to="identified", expected_status="investigating")
    )
    clock.advance(seconds=4)

    with pytest.raises(StaleStatus) as refused:
        await incidents.execute(
            a_change(ref=1, to="identified", expected_status="investigating", note="db-3")
        )

    moved = refused.value.moved
    assert (moved.by, moved.by.name) == (GRACE, "Grace")
    assert moved.at == NINE + timedelta(seconds=30)
    assert moved.new == "identified"


# --- permissions -----------------------------------------------------------------------------


@pytest.mark.parametrize("membership", [s for s in Membership if s is not Membership.MEMBER])
@pytest.mark.parametrize(
    "ask",
    [
        lambda incidents, actor: incidents.execute(a_declaration(actor=actor)),
        lambda incidents, actor: incidents.execute(a_change(actor=actor, ref=1, note="n")),
        lambda incidents, actor: incidents.execute(Redact(actor=actor, ref=1, entry=1)),
        lambda incidents, actor: incidents.execute(a_change(actor=actor, ref=9, note="n")),
        lambda incidents, actor: incidents.card(actor, 1),
        lambda incidents, actor: incidents.card(actor, 9),
        lambda incidents, actor: incidents.find(actor, 1),
        lambda incidents, actor: incidents.timeline(actor, 1),
        lambda incidents, actor: incidents.oldest_entries(actor, 1, limit=5, then=list),
        lambda incidents, actor: incidents.newest_entries(
            actor, 1, limit=5, wanted=bool, then=list
        ),
        lambda incidents, actor: incidents.history(actor, 1),
        lambda incidents, actor: incidents.unmoved(actor, 1, "investigating"),
        lambda incidents, actor: incidents.components(actor),
        lambda incidents, actor: incidents.make_component(
            actor, name="api", description=None, group=None, then=lambda _, described: described
        ),
        lambda incidents, actor: incidents.board(actor, BoardFilter()),
        lambda incidents, actor: incidents.open_here(actor),
        lambda incidents, actor: incidents.workspace(actor),
        lambda incidents, actor: incidents.to_hide(actor, 1),
    ],
    ids=[
        "declare",
        "change",
        "redact",
        "change what is not there",
        "card",
        "card of what is not there",
        "incident",
        "timeline",
        "oldest entries",
        "newest entries",
        "history",
        "unmoved",
        "components",
        "make a component",
        "board",
        "open here",
        "workspace",
        "to hide",
    ],
)
async def test_an_outsider_may_do_nothing_and_learns_nothing(incidents, declare, membership, ask):
    await declare()

    with pytest.raises(Denied) as refused:
        await ask(incidents, an_actor(GRACE, membership=membership, admin=True, sees_private=True))

    assert refused.value.permission is Permission.JOIN
    assert refused.value.incident is None


async def test_permission_is_judged_after_the_refusals_that_everybody_gets(incidents, declare):
    await declare(owner=GRACE)
    watcher = an_actor(LINUS, responder=False, publisher=False)

    for asked, refusal in [
        ({"note": " "}, InvalidField),
        ({"to": "resolved"}, TransitionNotAllowed),
        ({"public": "Soon."}, NoPublicSurface),
        ({"to": "identified"}, Denied),
    ]:
        with pytest.raises(refusal):
            await incidents.execute(a_change(actor=watcher, ref=1, **asked))


async def test_the_places_that_a_private_incident_leaves_are_those_that_show_it(
    incidents, declare, with_status_channel
):
    await declare()

    _, workspace, places = await incidents.to_hide(an_actor(), 1)
    hidden = await incidents.execute(SetPrivacy(actor=an_actor(), ref=1, private=True))
    repeated = await incidents.execute(SetPrivacy(actor=an_actor(), ref=1, private=True))

    assert workspace.status_channel == STATUS_CHANNEL
    assert (places, hidden.places, repeated.places) == ((STATUS_CHANNEL,), (STATUS_CHANNEL,), ())
    assert (await incidents.to_hide(an_actor(), 1))[2] == ()


async def test_a_denial_names_the_owner(incidents, declare):
    await declare(owner=GRACE)

    with pytest.raises(Denied, match=r"Ask Grace \(owner\)"):
        await incidents.execute(
            a_change(actor=an_actor(LINUS, responder=False), ref=1, to="identified")
        )


async def test_only_publishers_post_public_updates(incidents, declare, with_status_channel):
    await declare()

    with pytest.raises(Denied) as refused:
        await incidents.execute(
            a_change(actor=an_actor(publisher=False), ref=1, to="identified", public="We found it.")
        )

    assert refused.value.permission is Permission.PUBLISH


async def test_only_a_publisher_reads_the_texts_that_would_become_public(
    incidents, declare, with_status_channel
):
    await declare()
    await incidents.execute(a_change(ref=1, public="We found it."))
    await incidents.execute(SetPrivacy(actor=an_actor(), ref=1, private=True))

    incident, texts = await incidents.to_publish(an_actor(), 1)
    with pytest.raises(Denied) as refused:
        await incidents.to_publish(an_actor(publisher=False), 1)

    assert (incident.private, [one.body for one in texts]) == (True, ["We found it."])
    assert refused.value.permission is Permission.PUBLISH


async def test_a_duplicate_of_an_incident_that_the_actor_may_not_see_is_refused(incidents, declare):
    await declare(private=True, place=Place("C0WARROOM", private=True))
    await declare()
    for step in ("identified", "monitoring", "resolved"):
        await incidents.execute(a_change(ref=2, to=step))

    def duplicate(actor):
        return NameResolution(actor=actor, ref=2, how=Resolution.DUPLICATE, duplicate_of=1)

    with pytest.raises(InvalidDuplicate):
        await incidents.execute(duplicate(an_actor(GRACE)))
    outcome = await incidents.execute(duplicate(ADMIN))

    assert outcome.incident.resolution == Resolved(how=Resolution.DUPLICATE, duplicate_of=1)


@pytest.mark.parametrize("membership", Membership)
def test_an_outsider_is_shown_no_dialog(incidents, membership):
    actor = an_actor(membership=membership)
    if membership is Membership.MEMBER:
        incidents.admit(actor)
    else:
        with pytest.raises(Denied):
            incidents.admit(actor)


# --- reading ---------------------------------------------------------------------------------


async def test_a_board_is_narrowed_and_paged(incidents, declare):
    for severity in (Severity.HIGH, Severity.LOW, Severity.HIGH):
        await declare(severity=severity)
    await incidents.execute(a_change(ref=3, owner=GRACE))

    async def numbers(narrowed=None, actor=None, **page):
        board = await incidents.board(actor or an_actor(), narrowed or BoardFilter(), **page)
        return [incident.number for incident in board.items]

    assert await numbers() == [3, 2, 1]
    assert await numbers(BoardFilter(severity=Severity.LOW)) == [2]
    assert await numbers(BoardFilter(scope=Scope.MINE), an_actor(GRACE)) == [3]
    assert await numbers(limit=2) == [3, 2]
    assert await numbers(limit=2, before=2) == [1]
    assert await numbers(limit=1, after=1) == [2]


async def test_a_page_holds_ten_incidents_or_twenty_updates_unless_more_are_asked_for(
    incidents, declare
):
    for _ in range(11):
        await declare()
    for number in range(20):
        await incidents.execute(a_change(ref=1, note=f"note {number}"))

    board = await incidents.board(an_actor(), BoardFilter())
    _, page = await incidents.timeline(an_actor(), 1)

    assert len(board.items) == 10
    assert len(page.items) == 20
    assert len((await incidents.board(an_actor(), BoardFilter(), limit=100)).items) == 11


async def test_an_incident_can_be_read_without_its_card(incidents, declare):
    declared = await declare()

    assert await incidents.find(an_actor(GRACE), declared.id) == declared
    with pytest.raises(NotFound):
        await incidents.find(an_actor(GRACE), 9)


async def test_an_incident_that_a_dialog_was_drawn_for_is_told_from_one_that_moved(
    incidents, declare
):
    declared = await declare()
    ada = an_actor()

    assert await incidents.unmoved(ada, declared.id, "investigating") == declared
    await incidents.execute(a_change(ref=1, to="identified"))
    with pytest.raises(StaleStatus) as refused:
        await incidents.unmoved(ada, declared.id, "investigating")
    assert refused.value.moved.new == "identified"


# --- components that are made on purpose -----------------------------------------------------


async def test_a_component_can_be_made_on_purpose_and_is_then_found(incidents, declare):
    await declare()
    made = await incidents.make_component(
        an_actor(),
        name="Checkout API",
        description="Takes the money",
        group="Shop",
        then=lambda _, described: described,
    )
    by_name = await declare(components=("checkout api",))
    by_id = await declare(components=(made.component.id,))

    assert (made.description, made.group, made.new_group) == ("Takes the money", "Shop", "Shop")
    assert await incidents.components(an_actor(GRACE)) == (replace(made, new_group=None),)
    assert by_name.components == by_id.components == (made.component,)


async def test_a_component_needs_a_free_name_and_a_responder(incidents, declare):
    await declare(components=("Checkout API",))

    async def make(name, actor):
        await incidents.make_component(
            actor, name=name, description=None, group=None, then=lambda _, described: described
        )

    with pytest.raises(ComponentExists):
        await make("checkout API", an_actor(responder=False))
    with pytest.raises(Denied) as refused:
        await make("Search", an_actor(responder=False))
    assert refused.value.permission is Permission.RESPOND
    assert [c.component.name for c in await incidents.components(ADMIN)] == ["Checkout API"]


# --- answered in the same transaction --------------------------------------------------------


async def test_work_on_an_outcome_sees_the_change_and_can_undo_it(incidents, declare, woken):
    await declare()
    woken.clear()

    def look(tx, outcome):
        return tx.incident(outcome.incident.workspace, 1).status, outcome.incident.status

    def fail(tx, outcome):
        raise NotFound(outcome.incident.number)

    with pytest.raises(NotFound):
        await incidents.perform(a_change(ref=1, to="identified"), fail)
    assert (await incidents.find(an_actor(), 1)).status == "investigating"
    assert woken == []

    seen = await incidents.perform(a_change(ref=1, to="identified"), look)
    assert seen == ("identified", "identified")
    assert len(woken) == 1


# --- redaction -------------------------------------------------------------------------------


async def test_a_text_that_was_withdrawn_is_gone(incidents, declare, clock):
    await declare()
    await incidents.execute(a_change(ref=1, to="identified", note="db-3 lost quorum"))
    clock.advance(seconds=300)

    outcome = await incidents.execute(Redact(actor=an_actor(), ref=1, entry=2))

    _, page = await incidents.timeline(an_actor(), 1)
    assert outcome.changed
    assert page.items[1] == outcome.redacted
    assert (page.items[1].body, page.items[1].new) == (None, "identified")
    assert (page.items[1].redacted_by, page.items[1].redacted_at) == (ADA, clock.now)
    assert not (await incidents.execute(Redact(actor=an_actor(), ref=1, entry=2))).changed


async def test_after_five_minutes_only_an_admin_may_withdraw_even_after_the_end(
    incidents, declare, clock
):
    await declare()
    await incidents.execute(a_change(ref=1, note="db-3 lost quorum"))
    for to in ("identified", "monitoring", "resolved"):
        await incidents.execute(a_change(ref=1, to=to))
    clock.advance(seconds=300, milliseconds=1)

    with pytest.raises(RedactionNotPermitted):
        await incidents.execute(Redact(actor=an_actor(), ref=1, entry=2))
    with pytest.raises(IncidentResolved):
        await incidents.execute(a_change(ref=1, actor=ADMIN, note="one more thing"))

    outcome = await incidents.execute(Redact(actor=ADMIN, ref=1, entry=2))
    assert outcome.redacted.body is None
    assert outcome.redacted.visibility is Visibility.INTERNAL


async def test_a_withdrawal_names_the_texts_of_the_declaration_that_it_withdrew_or_found_withdrawn(
    incidents, declare
):
    await declare(description="ACME called.")

    async def withdrawn(entry):
        outcome = await incidents.execute(Redact(actor=ADMIN, ref=1, entry=entry))
        return outcome.withdrawn_name, outcome.withdrawn_of_declaration

    description, title = DeclaredText.DESCRIPTION, DeclaredText.TITLE
    assert await withdrawn(1) == (None, (description,))
    await incidents.execute(a_change(ref=1, title="Cards fail"))
    assert await withdrawn(1) == (None, (title,))
    assert await withdrawn(1) == (None, (description, title))
    assert await withdrawn(title) == (title, (description, title))
    await incidents.execute(a_change(ref=1, note="db-3"))
    assert await withdrawn(3) == (None, ())


@pytest.fixture
def held_back(incidents, clock):
    """The incidents, with public texts held back for ten seconds."""
    return Incidents(
        incidents._store,  # noqa: SLF001 - the same database
        clock=clock,
        wake=lambda: None,
        publish_delay=timedelta(seconds=10),
    )


async def test_a_public_text_is_held_back_for_as_long_as_was_set(
    held_back, declare, with_status_channel, clock
):
    await declare()

    outcome = await held_back.execute(a_change(ref=1, public="We look."))
    assert outcome.updates[0].public_at == clock.now + timedelta(seconds=10)

    taken_back = await held_back.execute(Redact(actor=an_actor(), ref=1, entry=2))
    again = await held_back.execute(Redact(actor=an_actor(), ref=1, entry=2))
    assert taken_back.changed
    assert not again.changed
    assert again.redacted == taken_back.redacted
    assert again.redacted.taken_back


async def test_the_newest_text_that_is_held_back_is_its_authors_until_it_is_out(
    held_back, declare, with_status_channel, clock
):
    await declare()

    async def held(by=ADA):
        found = await held_back.held_back(an_actor(by), 1)
        return found and found[1].entry

    clock.advance(seconds=11)
    nothing = await held()
    await held_back.execute(a_change(ref=1, public="We look."))
    text = await held()
    await held_back.execute(a_change(ref=1, title="Cards fail"))
    title, others = await held(), await held(by=GRACE)
    clock.advance(seconds=11)

    assert (nothing, text, title, others, await held()) == (None, 2, 3, None, None)


# --- repeated deliveries ---------------------------------------------------------------------


async def test_a_repeated_request_changes_nothing_and_gets_the_present_facts(incidents, declare):
    await declare()
    move = a_change(ref=1, to="identified")
    await incidents.execute(move, request="envelope 1")

    again = await incidents.execute(move, request="envelope 1")

    assert again.incident.status == "identified"
    assert again.updates == ()


async def test_a_request_that_changed_nothing_undoes_nothing_when_it_comes_again(
    incidents, declare
):
    await declare()
    same = a_change(ref=1, severity=Severity.HIGH)

    first = await incidents.execute(same, request="envelope 1")
    await incidents.execute(a_change(ref=1, severity=Severity.LOW), request="envelope 2")
    again = await incidents.execute(same, request="envelope 1")

    assert first.changed is again.changed is False
    assert again.incident.severity is Severity.LOW


async def test_a_refused_request_is_refused_again(incidents, declare):
    await declare()

    for _ in range(2):
        with pytest.raises(TransitionNotAllowed):
            await incidents.execute(a_change(ref=1, to="resolved"), request="envelope 1")


class Meanwhile:
    """A transaction that misses a concurrent commit of the request at its first look."""

    def __init__(self, tx):
        self._tx = tx
        self._looks = 0

    def __getattr__(self, name):
        return getattr(self._tx, name)

    def handled(self, workspace, request):
        self._looks += 1
        return None if self._looks == 1 else self._tx.handled(workspace, request)


class SlowStore:
    """The store of a process that is slower than another one."""

    def __init__(self, store):
        self._store = store

    def read(self, work):
        return self._store.read(work)

    def read_public(self, work):
        return self._store.read_public(work)

    def write(self, work):
        return self._store.write(lambda tx: work(Meanwhile(tx)))


async def test_a_refusal_caused_by_the_same_request_elsewhere_is_no_refusal(
    incidents, declare, clock
):
    await declare()
    move = a_change(ref=1, to="identified")
    await incidents.execute(move, request="envelope 1")
    slower = Incidents(SlowStore(incidents._store), clock=clock, wake=lambda: None)  # noqa: SLF001 - the same database

    outcome = await slower.execute(move, request="envelope 1")

    assert outcome.incident.status == "identified"


async def test_a_done_request_can_be_asked_for_its_present_facts(incidents, declare):
    await declare()
    await incidents.execute(a_change(ref=1, to="identified"), request="envelope 1")

    done = await incidents.repeated(an_actor(), "envelope 1")

    assert done is not None
    assert (done.incident.status, done.changed) == ("identified", False)
    assert await incidents.repeated(an_actor(), "envelope 2") is None


async def test_a_message_that_shows_no_incident_is_known_as_such(incidents, declare):
    await declare()

    assert await incidents.shown_by(an_actor(), [(INCIDENTS_CHANNEL, "1.0")]) == [None]


# --- reads of lists --------------------------------------------------------------------------


async def test_lists_are_newest_first_with_times_and_rankings_worst_first(
    incidents, declare, clock
):
    low, high = await declare(severity=Severity.LOW), await declare(severity=Severity.HIGH)
    clock.advance(minutes=1)
    new = await declare(severity=Severity.MEDIUM)

    listed = await incidents.listed(an_actor(), BoardFilter(), limit=2)
    ranking = await incidents.ranking(an_actor(), BoardFilter())

    assert [card.incident for card in listed.items] == [new, high]
    assert listed.older
    assert list(ranking.items) == [high, new, low]


@pytest.mark.usefixtures("with_status_channel")
async def test_the_settings_in_force_are_read_before_anybody_is_known(incidents):
    settings = (await incidents.workspace_of(ADMIN.workspace)).settings

    assert settings.status_channel == STATUS_CHANNEL
    assert await incidents.workspace(an_actor()) == a_workspace(version=1)


async def test_only_a_click_can_be_hasty(incidents, declare):
    await declare()
    await incidents.execute(a_change(ref=1, to="identified"))
    step = a_change(ref=1, to="monitoring", expected_status="identified")

    with pytest.raises(TooSoon):
        await incidents.perform(step, lambda _, outcome: outcome, clicked_at=NINE)

    assert (await incidents.execute(step)).incident.status == "monitoring"
