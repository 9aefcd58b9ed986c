"""The front API serves everything that the page draws, and acts as any person."""

from typing import Any

import aiohttp
import pytest

from bot.sandbox import Limits
from bot.sandbox.saving import restore, saved
from tests.patience import PATIENCE_SECONDS
from tests.sandbox.connections import MANIFEST, by_socket
from tests.standin import a_standin


@pytest.fixture
async def page(slack):
    """Requests like a browser's: ``await page("GET", "state")`` → status and JSON."""
    async with aiohttp.ClientSession() as session:

        async def ask(method, path, **arguments):
            async with session.request(method, f"{slack.url}/front/{path}", **arguments) as answer:
                return answer.status, await answer.json()

        requests: Any = ask
        requests.session = session
        yield requests


@pytest.fixture
async def connected(slack, bolt):
    @bolt.command("/incident")
    async def on_command(ack):
        await ack(
            text="one open",
            blocks=[
                {
                    "type": "actions",
                    "block_id": "row",
                    "elements": [
                        {
                            "type": "button",
                            "action_id": "open",
                            "text": {"type": "plain_text", "text": "Update…"},
                        }
                    ],
                }
            ],
        )

    @bolt.action("open")
    async def on_click(ack, body, client):
        await ack()
        await client.views_open(
            trigger_id=body["trigger_id"],
            view={
                "type": "modal",
                "callback_id": "update",
                "title": {"type": "plain_text", "text": "Update"},
                "submit": {"type": "plain_text", "text": "Save"},
                "blocks": [
                    {
                        "type": "input",
                        "block_id": "note",
                        "label": {"type": "plain_text", "text": "Note"},
                        "element": {"type": "plain_text_input", "action_id": "text"},
                    }
                ],
            },
        )

    @bolt.view("update")
    async def on_submit(ack):
        await ack(response_action="errors", errors={"note": "Say more."})

    async with by_socket(slack, bolt):
        yield


async def test_the_state_hides_private_channels_from_others(slack, page):
    _status, for_mia = await page("GET", "state?as=U0MIA")
    _status, for_sam = await page("GET", "state?as=U0SAM")

    assert for_mia["me"]["name"] == "mia"
    assert [command["name"] for command in for_mia["app"]["commands"]] == ["/incident", "/plain"]
    names = [{channel["name"] for channel in state["channels"]} for state in (for_mia, for_sam)]
    assert names[0] - names[1] == {"war-room"}
    assert (for_mia["mode"], for_mia["connections"]) == ("socket", [])


async def test_a_page_can_type_press_fill_in_and_submit(slack, page, connected):
    async def act(**asked):
        status, answer = await page("POST", "act", json={"as": "U0MIA", **asked})
        assert status == 200
        return answer["interaction"]

    command = await act(act="command", channel="C0PAYMENTS", text="/incident list")
    _status, seen = await page("GET", "messages?as=U0MIA&channel=C0PAYMENTS")
    _status, by_sam = await page("GET", "messages?as=U0SAM&channel=C0PAYMENTS")
    [message] = seen["messages"]
    target = {"channel": "C0PAYMENTS", "ts": message["ts"]}
    await act(act="press", target=target, control="open", block="row")
    _status, views = await page("GET", "views?as=U0MIA")
    submitted = await act(act="submit", values={"note": "x"})
    _status, afterwards = await page("GET", "views?as=U0MIA")
    await act(act="close")

    assert (command["error"], command["messages"]) == (None, [message["ts"]])
    assert (message["text"], message["only_you"], by_sam["messages"]) == ("one open", True, [])
    assert [view["title"]["text"] for view in views["stack"]] == ["Update"]
    assert submitted["field_errors"] == {"note": "Say more."}
    [view] = afterwards["stack"]
    assert view["errors"] == {"note": "Say more."}
    assert view["state"]["values"]["note"]["text"]["value"] == "x"
    assert (await page("GET", "views?as=U0MIA"))[1]["stack"] == []


async def test_a_page_can_write_and_reply(page):
    async def messages():
        return (await page("GET", "messages?as=U0BO&channel=C0PAYMENTS"))[1]["messages"]

    says = {"as": "U0BO", "act": "say", "channel": "C0PAYMENTS", "text": "hello"}
    await page("POST", "act", json=says)
    [first] = await messages()
    await page("POST", "act", json={**says, "thread_ts": first["ts"]})

    assert [len(message["replies"]) for message in await messages()] == [1]


@pytest.mark.parametrize(
    ("asked", "status", "error"),
    [
        (
            {"as": "U0MIA", "act": "command", "channel": "C0PAYMENTS", "text": "/x"},
            409,
            "cannot_do",
        ),
        ({"as": "U0MIA", "act": "submit"}, 409, "cannot_do"),
        ({"as": "U0NOBODY", "act": "submit"}, 404, "not_found"),
        ({"as": "U0MIA", "act": "dance"}, 400, "bad_request"),
        (
            {"as": "U0MIA", "act": "press", "target": {"view": "V0"}, "control": "x"},
            404,
            "not_found",
        ),
    ],
)
async def test_an_impossible_act_is_answered_with_a_sentence(page, asked, status, error):
    answered, told = await page("POST", "act", json=asked)

    assert (answered, told["error"]) == (status, error)
    assert told["sentence"]


async def test_faults_and_limits_are_set_from_the_page(slack, page, client):
    _status, rule = await page(
        "POST", "faults", json={"kind": "refused", "method": "users.info", "error": "fatal_error"}
    )
    _status, listed = await page("GET", "faults")
    await page("DELETE", f"faults/{rule['id']}")
    _status, limits = await page("POST", "limits", json={"posting": True, "burst": 1})

    assert listed["faults"] == [rule]
    assert (await client.users_info(user="U0MIA"))["ok"]
    assert limits == {"posting": True, "tiers": False, "burst": 1}


async def test_the_page_can_disturb_sockets_and_redeliver_requests(slack, page, connected, mia):
    await mia.command("#payments", "/incident list")
    _status, copies = await page("POST", "redeliver", json={"copies": 2, "at_once": True})
    [connection] = slack.sockets.connections
    await page("POST", "sockets", json={"do": "half_open", "connection": connection.id})

    assert [copy["ack"]["error"] for copy in copies["requests"]] == [None, None]
    assert connection.half_open
    assert (await page("POST", "sockets", json={"do": "dance"}))[0] == 400


async def test_the_log_lists_acts_requests_and_calls_by_their_last_change(
    page, connected, mia, client
):
    await mia.command("#payments", "/incident list")
    _status, log = await page("GET", "log")
    await client.users_info(user="U0MIA")
    _status, later = await page("GET", f"log?after={log['seq']}")

    kinds = [entry["kind"] for entry in log["entries"]]
    assert {"interaction", "request", "call"} == set(kinds)
    assert [entry["seq"] for entry in log["entries"]] == sorted(
        entry["seq"] for entry in log["entries"]
    )
    [request] = [entry for entry in log["entries"] if entry["kind"] == "request"]
    assert request["ack"]["milliseconds"] > 0
    assert [(entry["method"], entry["status"]) for entry in later["entries"]] == [
        ("users.info", 200)
    ]


async def test_every_change_is_sent_to_the_page(slack, page, client):
    async with page.session.ws_connect(f"{slack.url}/front/events") as changes:
        await client.chat_postMessage(channel="C0PAYMENTS", text="x")
        told = [await changes.receive_json(timeout=PATIENCE_SECONDS) for _ in range(3)]

    assert [change["kind"] for change in told] == ["call", "message", "call"]
    assert told[1]["channel"] == "C0PAYMENTS"
    assert told[2]["entry"]["status"] == 200


@pytest.mark.parametrize(
    "headers",
    [{"Origin": "https://elsewhere.example"}, {"Host": "elsewhere.example"}],
    ids=["another site's page", "another name for this machine"],
)
async def test_only_the_own_page_has_access(page, slack, headers):
    status, told = await page("GET", "state", headers=headers)
    form, _told = await page("POST", "act", data={"as": "U0MIA"})

    assert (status, told["error"], form) == (400, "wrong_origin", 400)
    with pytest.raises(aiohttp.WSServerHandshakeError):
        await page.session.ws_connect(f"{slack.url}/front/events", headers=headers)


async def test_a_workspace_survives_a_restart(client, slack, mia):
    first = await client.chat_postMessage(channel="C0PAYMENTS", text="a card")
    await client.chat_postMessage(
        channel="C0PAYMENTS", text="moved", thread_ts=first["ts"], reply_broadcast=True
    )
    await client.chat_postEphemeral(channel="C0PAYMENTS", user=mia.id, text="psst")
    await client.views_publish(user_id=mia.id, view={"type": "home", "blocks": []})
    slack.workspace.add_channel("later", members=[mia.user])
    before = saved(slack.workspace)

    async with a_standin(MANIFEST, limits=Limits(posting=False)) as again:
        restore(again.workspace, before)
        client.base_url = again.api_url
        update = await client.chat_update(channel="C0PAYMENTS", ts=first["ts"], text="edited")

        assert update["ok"]
        assert again.person("mia").home.blocks == []
        assert [message.text for message in again.ephemerals("mia")] == ["psst"]
        [card] = again.channel_view("#payments")
        assert (card.text, [reply.broadcast for reply in card.replies]) == ("edited", [True])
        assert again.workspace.channel("#later").members == ["U0MIA", "U0JUDGE"]
