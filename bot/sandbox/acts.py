"""The way of a person's act to the app and back: payloads, events, and the app's answers.

Sources: https://docs.slack.dev/interactivity, https://docs.slack.dev/reference/interaction-payloads
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from bot.sandbox import blockkit, contents
from bot.sandbox.blocks import Json
from bot.sandbox.courier import Courier
from bot.sandbox.errors import SlackError
from bot.sandbox.model import Channel, Message, User, View
from bot.sandbox.requests import Acknowledgement, Request
from bot.sandbox.workspace import Workspace

# Deprecated by Slack and still sent; apps verify the signature instead.
TOKEN = "verification-token"  # noqa: S105 - a public value
TROUBLE = "We had some trouble connecting. Try again?"


@dataclass(frozen=True, slots=True)
class Use:
    """One post to the response_url of an interaction. ``error`` is None for an accepted one."""

    at: float
    body: Any
    error: str | None


@dataclass(slots=True, eq=False)
class Interaction:
    """One act of one person: the request to the app, its acknowledgement, the visible result."""

    id: str
    kind: str
    user: str
    label: str
    """The act in words, for a log: the command as typed, or the name of the button."""
    at: float
    until: "Until" = field(repr=False)
    """``Acts.until``."""
    request: Request | None = None
    """None if Slack's client held the act back, for example an incomplete form."""
    error: str | None = None
    """Slack's name for the error: ``operation_timeout``, ``dispatch_failed``, …"""
    error_seen: str | None = None
    """The sentence that the person saw about it."""
    details: list[str] = field(default_factory=list)
    """Complaints about the app's answer, with their places, for the app's developer."""
    field_errors: dict[str, str] = field(default_factory=dict)
    """By block_id: the sentence beside the input, after the form was submitted."""
    messages: list[Message] = field(default_factory=list)
    """The app's answers, by acknowledgement or response_url, oldest first."""
    uses: list[Use] = field(default_factory=list)
    options: list[Json] = field(default_factory=list)
    """The options from the app, for an external select."""
    response_url: str | None = None

    @property
    def ack(self) -> Acknowledgement | None:
        return None if self.request is None else self.request.ack

    @property
    def ephemerals(self) -> list[Message]:
        return [message for message in self.messages if message.only_for is not None]

    async def answer(self, *, timeout_seconds: float | None = None) -> Message:
        """The app's last answer; waits for one by response_url after the acknowledgement.

        Raises:
            LookupError: the act failed.
            TimeoutError: no answer came in time.
        """
        await self.until(lambda: bool(self.messages) or self.error is not None, timeout_seconds)
        if not self.messages:
            raise LookupError(f"{self.label!r} was answered with an error: {self.error_seen}")
        return self.messages[-1]


Until = Callable[[Callable[[], bool], float | None], Awaitable[None]]


class Acts:
    """Makes the payloads of all people, sends them, and shows the answers in the workspace."""

    def __init__(
        self,
        workspace: Workspace,
        courier: Courier,
        *,
        base_url: Callable[[], str],
        patience_seconds: float,
    ) -> None:
        self.workspace = workspace
        self.courier = courier
        self.patience_seconds = patience_seconds
        self.interactions: list[Interaction] = []
        self._by_id: dict[str, Interaction] = {}
        self._base_url = base_url

    async def until(self, claim: Callable[[], bool], timeout_seconds: float | None = None) -> None:
        """Wait until ``claim()`` is true; it is called again at every change of the workspace.

        Raises:
            TimeoutError: it did not become true within ``timeout_seconds``, by default
                ``patience_seconds``.
        """
        changed = asyncio.Event()
        unsubscribe = self.workspace.subscribe(lambda _kind, _facts: changed.set())
        try:
            async with asyncio.timeout(
                self.patience_seconds if timeout_seconds is None else timeout_seconds
            ):
                while not claim():
                    await changed.wait()
                    changed.clear()
        finally:
            unsubscribe()

    # --- payloads ---

    def begin(self, kind: str, user: User, label: str) -> Interaction:
        number = self.workspace.mint.id("I")
        at = self.workspace.clock()
        interaction = Interaction(number, kind, user.id, label, at, until=self.until)
        self.interactions.append(interaction)
        self._by_id[interaction.id] = interaction
        return interaction

    def envelope(self, kind: str, user: User) -> Json:
        """The fields that every interactive payload has."""
        return {
            "type": kind,
            "token": TOKEN,
            "api_app_id": self.workspace.app.id,
            "team": {"id": self.workspace.team_id, "domain": self.workspace.domain},
            "user": {
                "id": user.id,
                "username": user.name,
                "name": user.name,
                "team_id": user.team_id,
            },
            "enterprise": None,
            "is_enterprise_install": False,
        }

    def response_url(
        self, kind: str, interaction: Interaction, channel: Channel, original: Message | None = None
    ) -> str:
        url = self.workspace.new_response_url(
            kind,
            user=interaction.user,
            channel=channel.id,
            interaction=interaction.id,
            original=original,
        )
        interaction.response_url = self._base_url() + url.path
        return interaction.response_url

    async def send(
        self, interaction: Interaction, kind: str, payload: Json, *, accepts_response: bool
    ) -> None:
        self.workspace.changed("interaction", interaction=interaction)
        interaction.request = await self.courier.send(
            kind, payload, accepts_response=accepts_response
        )
        if interaction.ack is not None and interaction.ack.error is not None:
            self.fail(interaction, interaction.ack.error)
        self.workspace.changed("interaction", interaction=interaction)

    def fail(self, interaction: Interaction, error: str, details: Sequence[str] = ()) -> None:
        command = interaction.label.split(" ", 1)[0]
        interaction.error = error
        interaction.error_seen = (
            f'{command} failed with the error "{error}"'
            if interaction.kind == "command"
            else TROUBLE
        )
        interaction.details += details
        self.workspace.changed("interaction", interaction=interaction)

    def event(self, event: Json, *, context: str) -> Request | None:
        """Send an event to the app in the background, if its manifest subscribes to it."""
        subscribed = event["type"]
        if event["type"] == "message":
            subscribed = {"im": "message.im", "group": "message.groups"}.get(
                event["channel_type"], "message.channels"
            )
        if subscribed not in self.workspace.app.events:
            return None
        return self.courier.send_event(
            {
                "token": TOKEN,
                "team_id": self.workspace.team_id,
                "context_team_id": self.workspace.team_id,
                "context_enterprise_id": None,
                "api_app_id": self.workspace.app.id,
                "event": event,
                "type": "event_callback",
                "event_id": self.workspace.mint.id("Ev"),
                "event_time": int(self.workspace.clock()),
                "authorizations": [
                    {
                        "enterprise_id": None,
                        "team_id": self.workspace.team_id,
                        "user_id": self.workspace.app.bot_user,
                        "is_bot": True,
                        "is_enterprise_install": False,
                    }
                ],
                "is_ext_shared_channel": False,
                "event_context": f"1-{event['type']}-{context}",
            }
        )

    def join(self, channel: Channel, *, inviter: User) -> Request | None:
        """Add the app's bot to a channel, and send the event of that."""
        bot = self.workspace.app.bot_user
        if bot not in channel.members:
            channel.members.append(bot)
            self.workspace.changed("channel", channel=channel.id)
        event = {
            "type": "member_joined_channel",
            "user": bot,
            "channel": channel.id,
            "channel_type": "C" if channel.kind == "public" else "G",
            "team": self.workspace.team_id,
            "inviter": inviter.id,
            "event_ts": self.workspace.mint.ts(),
        }
        return self.event(event, context=f"{self.workspace.team_id}-{channel.id}")

    def unarchive(self, channel: Channel, *, by: User) -> Request | None:
        """Unarchive a channel, and send the event of that."""
        channel.is_archived = False
        self.workspace.changed("channel", channel=channel.id)
        event = {
            "type": "channel_unarchive" if channel.kind == "public" else "group_unarchive",
            "channel": channel.id,
            "user": by.id,
            "event_ts": self.workspace.mint.ts(),
        }
        return self.event(event, context=f"{self.workspace.team_id}-{channel.id}")

    def announce(self, message: Message) -> None:
        """Send the events of a new message, if the app is in its channel and subscribes to them."""
        channel = self.workspace.channels[message.channel]
        if message.only_for is not None or self.workspace.app.bot_user not in channel.members:
            return
        kind = {"public": "channel", "private": "group", "im": "im"}[channel.kind]
        told = {
            **self.workspace.as_slack(message),
            "channel": channel.id,
            "event_ts": message.ts,
            "channel_type": kind,
        }
        self.event(told, context=f"{self.workspace.team_id}-{channel.id}")
        if (
            f"<@{self.workspace.app.bot_user}>" in message.text
            and not message.by_app
            and channel.kind != "im"
        ):
            mention = {key: value for key, value in told.items() if key != "channel_type"}
            self.event(
                {**mention, "type": "app_mention"}, context=f"{self.workspace.team_id}-{channel.id}"
            )

    # --- answers ---

    def show_answer(self, interaction: Interaction, channel: Channel) -> None:
        """Show the message in the acknowledgement of a command, if it has one."""
        ack = interaction.ack
        if ack is None or ack.error is not None or ack.body in (None, "", {}):
            return
        url = self.workspace.new_response_url(
            "commands", user=interaction.user, channel=channel.id, interaction=interaction.id
        )
        try:
            message = contents.respond(self.workspace, url, ack.body, origin="ack")
        except SlackError as refused:
            self.fail(
                interaction,
                "invalid_command_response",
                [refused.error, *refused.extra.get("errors", [])],
            )
            return
        if message is not None:
            interaction.messages.append(message)
            self.workspace.changed("interaction", interaction=interaction)

    def use_response_url(self, path: str, body: Any) -> None:
        """Show the message of one post to a response_url.

        Raises:
            SlackError: the URL is unknown, expired or used up, or Slack refuses the message.
        """
        url = self.workspace.response_urls.get(path)
        interaction = None if url is None else self._by_id.get(url.interaction)
        error: str | None = None
        message: Message | None = None
        try:
            message = contents.respond(
                self.workspace, self.workspace.spend_response_url(path), body, origin="response_url"
            )
        except SlackError as refused:
            error = refused.error
            raise
        finally:
            if interaction is not None:
                interaction.uses.append(Use(self.workspace.clock(), body, error))
                if message is not None:
                    interaction.messages.append(message)
                self.workspace.changed("interaction", interaction=interaction)

    def show_submission(self, interaction: Interaction, view: View) -> None:
        """Close or change a modal as the acknowledgement of its submission asks."""
        ack = interaction.ack
        if ack is None or ack.error is not None:
            return
        answer = ack.body or {}
        try:
            self._obey(interaction, view, answer if isinstance(answer, dict) else {"": answer})
        except SlackError as refused:
            self.fail(interaction, refused.error, refused.extra.get("errors", []))

    def _obey(self, interaction: Interaction, view: View, answer: Json) -> None:
        match answer.get("response_action"):
            case None if not answer:
                if view in self.workspace.stacks.get(view.user, []):
                    self.workspace.close_view(view)
            case "errors":
                self._show_field_errors(interaction, view, answer.get("errors"))
            case "update":
                given = contents.view(answer.get("view"), kind=blockkit.MODAL)
                self.workspace.change_view(view, given)
            case "push":
                given = contents.view(answer.get("view"), kind=blockkit.MODAL)
                self.workspace.show_view(view.user, given, push=True)
            case "clear":
                self.workspace.close_view(view, whole_stack=True)
            case _:
                raise SlackError("invalid_response_action")

    def _show_field_errors(self, interaction: Interaction, view: View, errors: Any) -> None:
        inputs = {block["block_id"] for block in view.blocks if block["type"] == "input"}
        if (
            not isinstance(errors, dict)
            or not errors
            or not all(isinstance(text, str) for text in errors.values())
        ):
            raise SlackError("invalid_response_errors")
        if unknown := set(errors) - inputs:
            raise SlackError(
                "invalid_response_errors",
                errors=[f"no input block {block_id}" for block_id in sorted(unknown)],
            )
        view.errors = interaction.field_errors = dict(errors)
        self.workspace.changed("view", user=view.user, view=view.id)
