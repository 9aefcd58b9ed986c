"""An app with all permissions, and its connections to Slack by Bolt in both modes."""

from contextlib import asynccontextmanager

from aiohttp import web
from slack_bolt.adapter.aiohttp import to_aiohttp_response, to_bolt_request
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp
from slack_bolt.authorization import AuthorizeResult

MANIFEST = {
    "display_information": {"name": "Judge"},
    "features": {
        "app_home": {"home_tab_enabled": True, "messages_tab_enabled": True},
        "bot_user": {"display_name": "Judge"},
        "slash_commands": [
            {"command": "/incident", "description": "Incidents", "should_escape": True},
            {"command": "/plain", "description": "The same without escaping"},
        ],
        "shortcuts": [
            {"type": "global", "callback_id": "declare", "name": "Declare", "description": "…"},
            {"type": "message", "callback_id": "note", "name": "Note", "description": "…"},
        ],
    },
    "oauth_config": {
        "scopes": {
            "bot": [
                "commands",
                "chat:write",
                "channels:history",
                "channels:join",
                "channels:manage",
                "channels:read",
                "groups:history",
                "groups:read",
                "groups:write",
                "im:history",
                "im:read",
                "im:write",
                "pins:write",
                "team:read",
                "usergroups:read",
                "users:read",
            ]
        }
    },
    "settings": {
        "event_subscriptions": {
            "bot_events": ["app_home_opened", "app_mention", "message.channels", "message.im"]
        },
        "interactivity": {"is_enabled": True},
        "socket_mode_enabled": True,
    },
}


def bolt_app(slack, client, **settings):
    """An app of Slack's own framework, without listeners and not connected."""

    async def authorize(**_context):
        return AuthorizeResult(
            enterprise_id=None,
            team_id=slack.workspace.team_id,
            bot_token=slack.bot_token,
            bot_id=slack.workspace.app.bot_id,
            bot_user_id=slack.workspace.app.bot_user,
        )

    return AsyncApp(
        client=client,
        authorize=authorize,
        signing_secret=slack.signing_secret,
        **settings,
    )


@asynccontextmanager
async def by_socket(slack, bolt):
    before = len(slack.sockets.connections)
    handler = AsyncSocketModeHandler(bolt, slack.app_token, web_client=bolt.client)
    await handler.connect_async()
    await slack.connected(connections=before + 1)
    try:
        yield handler
    finally:
        await handler.close_async()


@asynccontextmanager
async def by_http(slack, bolt):
    async def events(request):
        answer = await bolt.async_dispatch(await to_bolt_request(request))
        return await to_aiohttp_response(answer)

    app = web.Application()
    app.router.add_post("/slack/events", events)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    slack.request_url = f"http://127.0.0.1:{runner.addresses[0][1]}/slack/events"
    try:
        yield runner
    finally:
        await runner.cleanup()
