"""Facts: owner, acknowledgement, severity, title, components."""

from dataclasses import replace
from datetime import timedelta

import pytest

from core.commands import Acknowledge
from core.components import describe_component
from core.decision import Decision
from core.errors import InvalidField
from core.incident import Kind, Person, Severity, Update, Visibility, update_id
from core.lifecycle import PRESETS, RESPONSE, STATUSPAGE, read
from core.missing import NoSuchComponent, UnknownComponent
from core.refusals import (
    ComponentExists,
    IncidentResolved,
    RepeatedComponent,
    TransitionNotAllowed,
)
from tests.builders import (
    ADA,
    GRACE,
    LINUS,
    NINE,
    a_change,
    a_component,
    a_declaration,
    a_workspace,
    an_actor,
    an_id,
    an_incident,
    an_update,
    decide,
    known,
)

API, WEB, CHECKOUT = a_component("api"), a_component("web"), a_component("Checkout API")
LATER = NINE + timedelta(minutes=3)


def written(decision):
    """The updates in short: kind, old and new. All of them are internal and without a body."""
    assert {update.visibility for update in decision.updates} <= {Visibility.INTERNAL}
    assert {update.body for update in decision.updates} <= {None}
    return [(update.kind, update.old, update.new) for update in decision.updates]


# --- facts -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("asked", "field", "value", "update"),
    [
        pytest.param({"owner": GRACE}, "owner", GRACE, (Kind.ASSIGNED, "Ada", "Grace"), id="owner"),
        pytest.param(
            {"severity": Severity.LOW},
            "severity",
            Severity.LOW,
            (Kind.SEVERITY, "high", "low"),
            id="severity",
        ),
        pytest.param(
            {"title": " Search is down "},
            "title",
            "Search is down",
            (Kind.TITLE, "Checkout is down", "Search is down"),
            id="title",
        ),
        pytest.param(
            {"components": ("web", "API")},
            "components",
            (WEB, API),
            (Kind.COMPONENTS, "api", "web, api"),
            id="components",
        ),
        pytest.param(
            {"components": ()}, "components", (), (Kind.COMPONENTS, "api", ""), id="no components"
        ),
    ],
)
def test_a_fact_that_changes_is_recorded_as_an_internal_update(asked, field, value, update):
    incident = an_incident(owner=ADA, components=(API,), last_entry=3, version=3)

    decision = decide(incident, a_change(**asked), known(components=(API, WEB)), at=LATER)

    assert written(decision) == [update]
    assert decision.incident == replace(
        incident, **{field: value}, last_entry=4, version=4, updated_at=LATER
    )


@pytest.mark.parametrize(
    "asked",
    [
        {"owner": ADA},
        {"owner": Person(ADA.id, "Ada Lovelace")},
        {"severity": Severity.HIGH},
        {"title": "Checkout  is down"},
        {"components": ("API",)},
    ],
    ids=["owner", "owner by a new name", "severity", "title", "components"],
)
def test_a_fact_that_is_true_already_writes_nothing(asked):
    incident = an_incident(owner=ADA, components=(API,))

    decision = decide(incident, a_change(**asked), known(components=(API,)), at=LATER)

    assert decision == Decision(incident=incident)
    assert not decision.changes_anything


def test_several_facts_of_one_change_are_an_update_each():
    decision = decide(
        an_incident(),
        a_change(
            to="identified",
            owner=GRACE,
            severity=Severity.CRITICAL,
            title="All is down",
            components=("api",),
        ),
        known(components=(API,)),
        at=LATER,
    )

    assert written(decision) == [
        (Kind.MOVED, "investigating", "identified"),
        (Kind.ASSIGNED, None, "Grace"),
        (Kind.SEVERITY, "high", "critical"),
        (Kind.TITLE, "Checkout is down", "All is down"),
        (Kind.COMPONENTS, "", "api"),
    ]
    assert [update.entry for update in decision.updates] == [2, 3, 4, 5, 6]
    assert decision.incident.version == 2


KEY = Person("key:ci", "ci")


# --- owner and acknowledgement ---------------------------------------------------------------


def test_declaring_makes_nobody_the_owner_unless_one_is_named():
    assert decide(None, a_declaration(), known(), at=NINE).incident.owner is None
    assert decide(None, a_declaration(owner=GRACE), known(), at=NINE).incident.owner == GRACE


def test_handing_over_records_both_names():
    decision = decide(an_incident(owner=GRACE), a_change(owner=LINUS), known(), at=NINE)

    assert written(decision) == [(Kind.ASSIGNED, "Grace", "Linus")]
    assert decision.incident.owner == LINUS


@pytest.mark.parametrize(
    ("owner", "leads"), [(None, GRACE), (LINUS, LINUS)], ids=["nobody leads", "somebody leads"]
)
@pytest.mark.parametrize("lifecycle", PRESETS, ids=lambda lifecycle: lifecycle.name)
def test_the_first_to_acknowledge_becomes_owner_if_there_is_none(lifecycle, owner, leads):
    incident = an_incident(lifecycle=lifecycle, owner=owner)

    decision = decide(incident, Acknowledge(actor=an_actor(GRACE), ref=42), known(), at=LATER)

    assert decision.incident.acknowledged_by == GRACE
    assert decision.incident.owner == leads
    assert decision.updates[0].by == GRACE
    assert decision.updates[0].at == LATER


def test_without_a_status_for_it_acknowledging_leaves_the_status_alone():
    incident = an_incident(status="monitoring")

    decision = decide(incident, Acknowledge(actor=an_actor(GRACE), ref=42), known(), at=LATER)

    assert decision.updates == (
        Update(
            id=update_id(incident.id, 2),
            incident=incident.id,
            entry=2,
            kind=Kind.ACKNOWLEDGED,
            visibility=Visibility.INTERNAL,
            by=GRACE,
            at=LATER,
        ),
    )
    assert decision.updates[0].status_change is None
    assert decision.incident == replace(
        incident, acknowledged_by=GRACE, owner=GRACE, version=2, last_entry=2, updated_at=LATER
    )


def test_there_a_second_acknowledgement_changes_nothing_and_the_first_stays():
    incident = an_incident(acknowledged_by=GRACE, owner=GRACE)

    decision = decide(incident, Acknowledge(actor=an_actor(LINUS), ref=42), known(), at=LATER)

    assert decision == Decision(incident=incident)


@pytest.mark.parametrize("lifecycle", [STATUSPAGE, RESPONSE], ids=lambda each: each.name)
def test_an_api_key_acknowledges_without_becoming_owner(lifecycle):
    incident = an_incident(lifecycle=lifecycle)
    acknowledged = Acknowledge(actor=an_actor(KEY), ref=42)

    decision = decide(incident, acknowledged, known(), at=LATER)

    assert (decision.incident.acknowledged_by, decision.incident.owner) == (KEY, None)
    if lifecycle is STATUSPAGE:
        assert not decide(decision.incident, acknowledged, known(), at=LATER).changes_anything


def test_there_a_person_after_a_key_becomes_owner_and_the_first_stays():
    incident = an_incident(acknowledged_by=KEY)

    decision = decide(incident, Acknowledge(actor=an_actor(LINUS), ref=42), known(), at=LATER)

    assert written(decision) == [(Kind.ACKNOWLEDGED, None, None)]
    assert (decision.incident.acknowledged_by, decision.incident.owner) == (KEY, LINUS)


def test_there_nobody_is_the_first_to_acknowledge_after_the_end():
    incident = an_incident(status="resolved")

    with pytest.raises(IncidentResolved):
        decide(incident, Acknowledge(actor=an_actor(LINUS), ref=42), known(), at=LATER)


@pytest.mark.parametrize(("by", "first"), [(LINUS, GRACE), (KEY, None)])
def test_there_a_second_one_or_one_by_a_key_changes_nothing_after_the_end(by, first):
    incident = an_incident(status="resolved", acknowledged_by=first)

    assert decide(incident, Acknowledge(actor=an_actor(by), ref=42), known(), at=LATER) == Decision(
        incident=incident
    )


def test_with_a_status_for_it_acknowledging_is_that_transition():
    incident = an_incident(lifecycle=RESPONSE)

    decision = decide(incident, Acknowledge(actor=an_actor(GRACE), ref=42), known(), at=LATER)

    assert written(decision) == [(Kind.ACKNOWLEDGED, "open", "acknowledged")]
    assert decision.updates[0].status_change == "acknowledged"
    assert decision.incident.status == "acknowledged"


@pytest.mark.parametrize("status", ["acknowledged", "resolved"])
def test_there_a_second_acknowledgement_is_refused(status):
    incident = an_incident(lifecycle=RESPONSE, status=status, acknowledged_by=GRACE)

    with pytest.raises(TransitionNotAllowed) as refused:
        decide(incident, Acknowledge(actor=an_actor(LINUS), ref=42), known(), at=LATER)

    assert refused.value.asked == "acknowledged"


def test_moving_to_that_status_by_name_is_the_same_as_acknowledging():
    incident = an_incident(lifecycle=RESPONSE)

    assert decide(
        incident, a_change(actor=an_actor(GRACE), to="acknowledged"), known(), at=LATER
    ) == decide(incident, Acknowledge(actor=an_actor(GRACE), ref=42), known(), at=LATER)


def test_an_owner_named_with_it_becomes_owner_instead_of_the_actor():
    decision = decide(
        an_incident(lifecycle=RESPONSE),
        a_change(actor=an_actor(GRACE), to="acknowledged", owner=LINUS),
        known(),
        at=LATER,
    )

    assert (decision.incident.acknowledged_by, decision.incident.owner) == (GRACE, LINUS)
    assert written(decision) == [
        (Kind.ACKNOWLEDGED, "open", "acknowledged"),
        (Kind.ASSIGNED, None, "Linus"),
    ]


def test_the_first_of_two_acknowledgements_is_kept():
    (lifecycle,) = read(
        '[loop.open]\ninitial = true\nnext = ["acknowledged"]\npublic = "investigating"\n'
        '[loop.acknowledged]\nreopen = true\nnext = ["open", "done"]\npublic = "identified"\n'
        '[loop.done]\nterminal = true\npublic = "resolved"\n'
    )
    again = an_incident(lifecycle=lifecycle, acknowledged_by=GRACE, owner=GRACE)

    decision = decide(again, Acknowledge(actor=an_actor(LINUS), ref=42), known(), at=LATER)

    assert decision.incident.status == "acknowledged"
    assert decision.incident.acknowledged_by == GRACE


def test_ownership_does_not_hang_on_the_name_that_a_person_has_today():
    assert Person("U0ADA", "Ada") == Person("U0ADA", "ada.l")
    assert Person("U0ADA", "Ada") != Person("U0GRACE", "Ada")
    assert an_update(by=Person("U0ADA", "ada.l")).by == ADA


# --- components ------------------------------------------------------------------------------


def components(*names, existing=(API, WEB, CHECKOUT), ask=a_change):
    incident = an_incident() if ask is a_change else None
    decision = decide(incident, ask(components=names), known(components=existing), at=NINE)
    return decision.incident.components, decision.new_components


@pytest.mark.parametrize("ask", [a_change, a_declaration])
@pytest.mark.parametrize(
    ("names", "found"),
    [
        pytest.param(("api",), (API,), id="by its name"),
        pytest.param(("API", "checkout api"), (API, CHECKOUT), id="in any case"),
        pytest.param(("  checkout \t API ",), (CHECKOUT,), id="with stray white space"),
        pytest.param(("web", "api"), (WEB, API), id="in the order named"),
        pytest.param(("web", "WEB", "+web"), (WEB,), id="once each"),
        pytest.param(("+api",), (API,), id="with a plus that was not needed"),
    ],
)
def test_a_component_that_exists_is_found(ask, names, found):
    assert components(*names, ask=ask) == (found, ())


@pytest.mark.parametrize("ask", [a_change, a_declaration])
def test_a_name_like_no_other_makes_a_new_component(ask):
    named, made = components("api", "Search", ask=ask)

    (search,) = made
    assert named == (API, search)
    assert search.name == "Search"


@pytest.mark.parametrize("ask", [a_change, a_declaration])
def test_a_name_that_looks_like_a_slip_is_answered_with_the_one_that_exists(ask):
    with pytest.raises(UnknownComponent) as refused:
        components("chekout api", ask=ask)

    assert (refused.value.asked, refused.value.suggestion) == ("chekout api", "Checkout API")


def test_a_plus_says_that_the_new_name_is_meant():
    named, made = components("+Checkout APIs")

    assert [component.name for component in named] == ["Checkout APIs"]
    assert made == named


def test_new_components_are_no_slips_of_each_other():
    named, made = components("shard one", "shard two", existing=())

    assert [component.name for component in named] == ["shard one", "shard two"]
    assert made == named


def test_a_new_component_is_made_once():
    named, made = components("Search", "search", "+SEARCH")

    assert [component.name for component in named] == ["Search"]
    assert made == named


def test_the_same_component_made_twice_at_once_is_one():
    (one,), (other,) = components("Search")[1], components("SEARCH")[1]
    (elsewhere,) = decide(
        None,
        a_declaration(components=("Search",)),
        known(workspace=a_workspace(id="T0OTHER")),
        at=NINE,
    ).new_components

    assert one.id == other.id
    assert one.id != elsewhere.id


@pytest.mark.parametrize(
    "name",
    ["", "+", " \n", "\u200b", "x" * 101, "a\x00b", "a\x1bb", "\ud800"],
    ids=[
        "nothing",
        "only a plus",
        "white space",
        "zero width",
        "101 characters",
        "NUL",
        "escape",
        "half a surrogate pair",
    ],
)
def test_a_component_needs_a_name_that_can_be_read_and_kept(name):
    with pytest.raises(InvalidField) as refused:
        components(name)

    assert refused.value.field == "components"
    assert refused.value.problem == "need names of 1 to 100 visible characters"


def test_a_component_may_have_a_name_of_100_characters():
    ((component,), _) = components("x" * 100)

    assert component.name == "x" * 100


def test_at_most_50_components_can_be_named():
    named, _ = components(*(f"+{n}" for n in range(50)))
    assert len(named) == 50

    with pytest.raises(InvalidField) as refused:
        components(*(f"+{n}" for n in range(51)))
    assert refused.value.message == "The components are 51: at most 50 can be named."


@pytest.mark.parametrize("ask", [a_change, a_declaration])
def test_a_component_can_be_named_by_its_id(ask):
    assert components(WEB.id, "api", ask=ask) == ((WEB, API), ())


def test_an_id_that_no_component_has_is_refused():
    with pytest.raises(NoSuchComponent):
        components(API.id, an_id("elsewhere"))


def test_an_id_that_is_given_twice_is_refused():
    with pytest.raises(RepeatedComponent) as refused:
        components(API.id, WEB.id, API.id)
    assert refused.value.component == API


def describe(name, existing=(API, WEB), **told):
    told = {"description": None, "group": None, "groups": ()} | told
    return describe_component(a_workspace(), existing, name=name, **told)


@pytest.mark.parametrize(
    ("group", "meant"),
    [
        (None, None),
        (" ", None),
        ("shop  FRONT", "Shop front"),
        ("+shop front", "Shop front"),
        ("+Shop fronts", "Shop fronts"),
        ("Tools", "Tools"),
        ("+Tools", "Tools"),
        ("+", "+"),
        ("+alarms", "+Alarms"),
    ],
)
def test_a_group_is_one_that_is_there_or_a_new_one(group, meant):
    groups = ("Shop front", "+Alarms")

    assert describe("Search", group=group, groups=groups).group == meant


def test_a_group_that_may_be_a_slip_is_refused():
    with pytest.raises(InvalidField, match='group "Shp front" is unknown: did you mean "Shop fr'):
        describe("Search", group="Shp front", groups=("Shop front",))


def test_a_component_that_is_made_on_purpose_may_look_like_another():
    described = describe(" Check  out ", description=" Pays.\r\nMore. ", group=" Shop  front ")

    assert described.component.name == "Check out"
    assert (described.description, described.group) == ("Pays.\nMore.", "Shop front")
    assert describe("appi").component.name == "appi"


def test_a_component_has_the_same_id_however_it_was_made():
    _, (made,) = components("Search")

    assert describe("SEARCH").component.id == made.id


def test_a_name_belongs_to_one_component_in_any_case():
    with pytest.raises(ComponentExists) as refused:
        describe("WEB")
    assert refused.value.component == WEB


@pytest.mark.parametrize(
    ("told", "field"),
    [
        ({"name": "  "}, "name"),
        ({"name": "x" * 101}, "name"),
        ({"name": "x", "description": "x" * 1_001}, "description"),
        ({"name": "x", "group": "x" * 101}, "group"),
        ({"name": "x", "group": "\x1b[31m"}, "group"),
    ],
)
def test_an_invalid_field_of_a_component_is_refused_by_name(told, field):
    with pytest.raises(InvalidField) as refused:
        describe(**told)
    assert refused.value.field == field


def test_a_refused_change_makes_no_component():
    with pytest.raises(TransitionNotAllowed):
        decide(an_incident(), a_change(to="resolved", components=("Search",)), known(), at=NINE)


def test_components_that_are_not_mentioned_stay():
    incident = an_incident(components=(API, WEB))

    decision = decide(incident, a_change(to="identified"), known(), at=NINE)

    assert decision.incident.components == (API, WEB)
