"""Components, their groups and the status page over dialect 1."""

from __future__ import annotations

from datetime import timedelta

import pytest

NOWHERE = "5b0c1a52-7c3e-4d0a-9a53-0f6a2f0d8c11"


def code(answer):
    return answer.status_code, answer.json()["code"]


def faults(answer):
    return {one["field"]: one["message"] for one in answer.json()["errors"]}


async def data(answer, status=200):
    assert answer.status_code == status, answer.text
    return answer.json()["data"]


@pytest.fixture
def made(admin):
    """Adds a component as an admin; returns its address."""

    async def made(name="API", **more):
        answer = await admin.post("/v1/components", json={"name": name} | more)
        return f"/v1/components/{(await data(answer, 201))['id']}"

    return made


async def test_an_admin_changes_everything_that_the_page_says_of_a_component(admin, made):
    address = await made(description="What apps call.", groupLabel="Shop")

    changed = await data(
        await admin.patch(
            address,
            json={
                "name": "Public API",
                "description": None,
                "groupLabel": "Core",
                "position": 3,
                "shown": False,
                "showcase": True,
                "onlyIfDegraded": True,
                "startDate": "2026-01-31",
            },
        )
    )

    facts = {key: value for key, value in changed.items() if not key.endswith("At")}
    assert facts == {
        "id": address.rpartition("/")[2],
        "name": "Public API",
        "description": None,
        "groupLabel": "Core",
        "position": 3,
        "shown": False,
        "showcase": True,
        "onlyIfDegraded": True,
        "startDate": "2026-01-31",
        "override": None,
        "newGroup": "Core",
    }
    del changed["newGroup"]
    assert await data(await admin.get(address)) == changed
    assert (await data(await admin.get("/v1/components")))["components"] == [changed]


async def test_a_field_that_is_left_out_stays_and_null_removes_one(admin, made):
    address = await made(description="What apps call.", groupLabel="Shop")

    moved = await data(await admin.patch(address, json={"position": 1}))
    bare = await data(await admin.patch(address, json={"groupLabel": None, "position": None}))

    assert (moved["description"], moved["groupLabel"]) == ("What apps call.", "Shop")
    assert (bare["description"], bare["groupLabel"], bare["position"]) == (
        "What apps call.",
        None,
        1,
    )


async def test_a_change_to_the_same_values_leaves_no_trace(admin, made, clock):
    address = await made(groupLabel="Shop")
    before = await data(await admin.get(address))
    clock.advance(minutes=1)

    after = await data(await admin.patch(address, json={"groupLabel": "shop"}))
    assert after == before | {"newGroup": None}


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        ({}, "body"),
        ({"name": " "}, "name"),
        ({"name": "\u200b"}, "name"),
        ({"position": 10_000}, "position"),
        ({"position": "1"}, "position"),
        ({"shown": "yes"}, "shown"),
        ({"startDate": "2026-02-30"}, "startDate"),
        ({"startDate": "9999-12-31"}, "startDate"),
        ({"startDate": "0001-01-01"}, "startDate"),
        ({"name": "API, Web"}, "name"),
        ({"name": "None"}, "name"),
        ({"groupLabel": "\u200b"}, "groupLabel"),
        ({"description": "x" * 1_001}, "description"),
        ({"color": "red"}, "color"),
    ],
)
async def test_an_impossible_change_is_refused_by_field(admin, made, asked, field):
    address = await made()

    answer = await admin.patch(address, json=asked)

    assert code(answer) == (422, "validation_failed")
    assert list(faults(answer)) == [field]


async def test_a_group_like_another_is_made_only_if_a_plus_asks_for_it(admin, made):
    await made("web", groupLabel="Shop")
    address = await made("API")

    for act in (
        admin.patch(address, json={"groupLabel": "Shops"}),
        admin.post("/v1/components", json={"name": "Cart", "groupLabel": "Shops"}),
    ):
        refused = await act
        assert code(refused) == (422, "validation_failed")
        assert 'did you mean "Shop"?' in faults(refused)["groupLabel"]
    groups = (await data(await admin.get("/v1/component-groups")))["groups"]
    assert [one["name"] for one in groups] == ["Shop"]
    moved = await data(await admin.patch(address, json={"groupLabel": "+Shops"}))
    assert moved["groupLabel"] == moved["newGroup"] == "Shops"


async def test_an_answer_names_the_group_that_the_request_made(admin, made):
    async def posted(name, group):
        answer = await admin.post("/v1/components", json={"name": name, "groupLabel": group})
        return (await data(answer, 201))["newGroup"]

    assert [await posted("API", "Shop"), await posted("web", "shop")] == ["Shop", None]
    bare = await made("Cart")
    answers = [
        (await data(await admin.patch(bare, json=asked)))["newGroup"]
        for asked in ({"position": 1}, {"groupLabel": "Core"}, {"groupLabel": "Core"})
    ]
    assert answers == [None, "Core", None]


async def test_a_component_gets_no_name_that_another_has(admin, made):
    await made("web")

    answer = await admin.patch(await made("API"), json={"name": "WEB"})

    assert code(answer) == (409, "name_conflict")


async def test_a_publisher_gives_a_status_by_hand_and_ends_it(ci, made, clock):
    address = f"{await made()}/override"
    until = clock() + timedelta(hours=1)

    given = await data(
        await ci.put(
            address,
            json={
                "status": "under_maintenance",
                "until": until.isoformat(),
                "reason": "db-3 gets new disks",
            },
        )
    )

    assert given["override"]["status"] == "under_maintenance"
    assert given["override"]["until"].startswith(until.isoformat()[:19])
    assert "db-3" not in str(given)
    assert (await data(await ci.put(address, json={"status": None})))["override"] is None


async def test_an_override_ends_by_itself(ci, made, clock):
    address = await made()
    until = clock() + timedelta(hours=1)
    asked = {"status": "major_outage", "until": until.isoformat()}
    await data(await ci.put(f"{address}/override", json=asked))

    clock.advance(hours=1)

    assert (await data(await ci.get(address)))["override"] is None


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        ({}, "status"),
        ({"status": "down"}, "status"),
        ({"status": "operational", "until": "tomorrow"}, "until"),
        ({"status": "operational", "until": "2020-01-01T00:00:00Z"}, "until"),
        ({"status": "operational", "reason": "\u200b"}, "reason"),
    ],
)
async def test_an_impossible_override_is_refused_by_field(ci, made, asked, field):
    answer = await ci.put(f"{await made()}/override", json=asked)

    assert code(answer) == (422, "validation_failed")
    assert list(faults(answer)) == [field]


async def test_a_group_is_renamed_and_keeps_its_components(admin, made):
    component = await made(groupLabel="Shop")
    (group,) = (await data(await admin.get("/v1/component-groups")))["groups"]

    changed = await data(
        await admin.patch(
            f"/v1/component-groups/{group['id']}",
            json={"name": "Store", "position": 2, "description": "What is sold."},
        )
    )
    bare = await data(
        await admin.patch(f"/v1/component-groups/{group['id']}", json={"description": None})
    )

    assert (changed["name"], changed["position"], changed["description"]) == (
        "Store",
        2,
        "What is sold.",
    )
    assert (bare["name"], bare["description"]) == ("Store", None)
    assert (await data(await admin.get(component)))["groupLabel"] == "Store"


async def test_the_page_is_published_changed_and_taken_off(admin):
    unknown = {
        "published": False,
        "title": None,
        "slug": None,
        "language": None,
        "noindex": None,
        "publishedAt": None,
    }
    assert await data(await admin.get("/v1/page")) == unknown

    made = await data(await admin.post("/v1/page/publish", json={"title": "Acme status"}))
    launched = await data(await admin.post("/v1/page/publish", json={"noindex": False}))

    assert (made["published"], made["slug"], made["noindex"]) == (True, "acme-status", True)
    assert launched == made | {"noindex": False}
    assert await data(await admin.get("/v1/page")) == launched
    kept = await data(await admin.post("/v1/page/unpublish"))
    assert (kept["published"], kept["publishedAt"]) == (False, None)
    assert (kept["title"], kept["slug"]) == ("Acme status", "acme-status")
    assert await data(await admin.get("/v1/page")) == kept


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        ({"slug": "Acme"}, "slug"),
        ({"language": "english!"}, "language"),
        ({"title": "\u200b"}, "title"),
        ({"noindex": 1}, "noindex"),
    ],
)
async def test_an_impossible_page_is_refused_by_field(admin, asked, field):
    answer = await admin.post("/v1/page/publish", json=asked)

    assert code(answer) == (422, "validation_failed")
    assert list(faults(answer)) == [field]


async def test_a_slug_belongs_to_one_workspace(admin, stranger):
    await data(await admin.post("/v1/page/publish", json={"slug": "acme"}))

    answer = await stranger.post("/v1/page/publish", json={"slug": "acme"})

    assert faults(answer) == {"slug": "slug is taken by another workspace: choose another one."}


@pytest.mark.parametrize(
    ("method", "path", "body", "scope"),
    [
        ("PATCH", "{component}", {"shown": False}, "admin"),
        ("PATCH", "{group}", {"position": 1}, "admin"),
        ("POST", "/v1/page/publish", {}, "admin"),
        ("POST", "/v1/page/unpublish", {}, "admin"),
        ("PUT", "{component}/override", {"status": None}, "publish"),
    ],
)
async def test_admins_arrange_and_publishers_override(
    admin, client, a_key, made, method, path, body, scope
):
    component = await made(groupLabel="Shop")
    (group,) = (await data(await admin.get("/v1/component-groups")))["groups"]
    path = path.format(component=component, group=f"/v1/component-groups/{group['id']}")
    below = {"admin": "publish", "publish": "write"}[scope]

    refused = await client(a_key(below, name=below)).request(method, path, json=body)
    taken = await client(a_key(scope, name=scope)).request(method, path, json=body)

    assert code(refused) == (403, "insufficient_scope")
    assert f"needs the scope {scope}" in refused.json()["message"]
    assert taken.status_code == 200


async def test_the_page_shows_only_what_an_admin_adds_or_shows(ci, admin, made):
    await made("API")
    added = await data(await ci.post("/v1/components", json={"name": "Tools"}), 201)

    assert added["shown"] is False
    shown = await admin.patch(f"/v1/components/{added['id']}", json={"shown": True})
    assert (await data(shown))["shown"] is True
    assert (await data(await admin.get(await made("Web"))))["shown"] is True


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "/v1/components/{}", None),
        ("PATCH", "/v1/components/{}", {"shown": "nonsense"}),
        ("PUT", "/v1/components/{}/override", {"status": "nonsense"}),
        ("PATCH", "/v1/component-groups/{}", {"position": "nonsense"}),
    ],
)
async def test_malformed_unknown_and_foreign_ids_are_one_404_before_the_body(
    admin, stranger, made, method, path, body
):
    component = (await made(groupLabel="Shop")).rpartition("/")[2]
    (group,) = (await data(await admin.get("/v1/component-groups")))["groups"]
    ours = group["id"] if "groups" in path else component

    answers = [
        await by.request(method, path.format(id_), json=body)
        for by, id_ in ((admin, "nonsense"), (admin, NOWHERE), (stranger, ours))
    ]

    assert {code(answer) for answer in answers} == {(404, "not_found")}
    assert len({answer.json()["message"] for answer in answers}) == 1


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({"slug": "Acme"}, "slug needs 1 to 40 small letters, digits and hyphens"),
        ({"language": "english!"}, "language is no language tag: write one such as"),
    ],
)
async def test_the_refusal_of_a_form_says_what_to_write(admin, asked, told):
    answer = await admin.post("/v1/page/publish", json=asked)

    assert told in answer.json()["message"]
