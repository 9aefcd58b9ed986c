"""What people do in Slack, and what they then see: commands, clicks, forms, shortcuts, and the
errors of each.

A person can do here what Slack's own client would let them do, and nothing else: press what is
drawn, choose what is offered, submit what is filled in. What the client itself would prevent raises
``CannotDo``.

Sources: https://docs.slack.dev/interactivity, https://docs.slack.dev/reference/interaction-payloads
"""

import asyncio
import html
import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from bot.sandbox import blockkit, contents, forms
from bot.sandbox.blockkit import Json
from bot.sandbox.delivery import COMMAND, INTERACTIVE, Acknowledgement, Courier, Request
from bot.sandbox.workspace import Channel, Message, Refused, User, View, Workspace

# Slack still sends it and apps no longer look at it: it proves nothing.
TOKEN = "verification-token"  # noqa: S105 - a value that everybody may know
TROUBLE = "We had some trouble connecting. Try again?"
BUTTONS = ("button", "workflow_button", "icon_button", "feedback_buttons")


class CannotDo(LookupError):
    """Slack's client would not let this person do this: there is nothing to press, or nothing to
    type into.
    """


@dataclass(frozen=True, slots=True)
class Use:
    """One post to the response_url of an interaction, and the error it was refused with, if it
    was.
    """

    at: float
    body: Any
    error: str | None


@dataclass(slots=True, eq=False)
class Interaction:
    """One act of one person: the request it caused, how the app acknowledged it, and what the
    person saw.
    """

    id: str
    kind: str
    user: str
    label: str
    """The act in words, for a log: the command as typed, or what was pressed."""
    at: float
    until: "Until" = field(repr=False)
    """Waits for a claim to hold; see ``Acts.until``."""
    request: Request | None = None
    """None where Slack's client held the act back, as it does with a form that is not filled in."""
    error: str | None = None
    """Slack's name for what went wrong: ``operation_timeout``, ``dispatch_failed``, …"""
    error_seen: str | None = None
    """The sentence the person saw about it."""
    faults: list[str] = field(default_factory=list)
    """Why the app's answer was refused, with the places, as the app's developer would be told."""
    field_errors: dict[str, str] = field(default_factory=dict)
    """By block_id: what the person saw beside the inputs of a form after submitting it."""
    messages: list[Message] = field(default_factory=list)
    """What the app said in answer, by acknowledgement or response_url, oldest first."""
    uses: list[Use] = field(default_factory=list)
    options: list[Json] = field(default_factory=list)
    """What an options request brought."""
    response_url: str | None = None

    @property
    def ack(self) -> Acknowledgement | None:
        return None if self.request is None else self.request.ack

    @property
    def ephemerals(self) -> list[Message]:
        return [message for message in self.messages if message.only_for is not None]

    async def answer(self, *, timeout_seconds: float | None = None) -> Message:
        """The app's last word on this, waited for where it comes by response_url after the
        acknowledgement.
        """
        await self.until(lambda: bool(self.messages) or self.error is not None, timeout_seconds)
        if not self.messages:
            raise LookupError(f"{self.label!r} was answered with an error: {self.error_seen}")
        return self.messages[-1]


Until = Callable[[Callable[[], bool], float | None], Awaitable[None]]


class Acts:
    """The machinery behind every person: makes payloads, sends them, and shows what comes back."""

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
        """Wait until ``claim()`` holds; it is asked again at every change of the workspace.

        Raises:
            TimeoutError: it did not hold within ``timeout_seconds``, by default the stand-in's
                patience.
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
        number = self.workspace.new_id("I")
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

    def fail(self, interaction: Interaction, error: str, faults: Sequence[str] = ()) -> None:
        command = interaction.label.split(" ", 1)[0]
        interaction.error = error
        interaction.error_seen = (
            f'{command} failed with the error "{error}"'
            if interaction.kind == "command"
            else TROUBLE
        )
        interaction.faults += faults
        self.workspace.changed("interaction", interaction=interaction)

    def event(self, event: Json, *, context: str) -> Request | None:
        """Tell the app of an event in the background, if its manifest subscribes to it."""
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
                "event_id": self.workspace.new_id("Ev"),
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

    def announce(self, message: Message) -> None:
        """Tell the app of a new message, as far as it is in that channel and listens."""
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

    # --- what an acknowledgement says ---

    def show_answer(self, interaction: Interaction, channel: Channel) -> None:
        """Show the message that rode on the acknowledgement of a command, if one did."""
        ack = interaction.ack
        if ack is None or ack.error is not None or ack.body in (None, "", {}):
            return
        url = self.workspace.new_response_url(
            "commands", user=interaction.user, channel=channel.id, interaction=interaction.id
        )
        try:
            message = contents.respond(self.workspace, url, ack.body, origin="ack")
        except Refused as refused:
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
        """One post to a response_url: shown to the person, or Refused with Slack's error."""
        url = self.workspace.response_urls.get(path)
        interaction = None if url is None else self._by_id.get(url.interaction)
        error: str | None = None
        message: Message | None = None
        try:
            message = contents.respond(
                self.workspace, self.workspace.spend_response_url(path), body, origin="response_url"
            )
        except Refused as refused:
            error = refused.error
            raise
        finally:
            if interaction is not None:
                interaction.uses.append(Use(self.workspace.clock(), body, error))
                if message is not None:
                    interaction.messages.append(message)
                self.workspace.changed("interaction", interaction=interaction)

    def show_submission(self, interaction: Interaction, view: View) -> None:
        """Do with a modal what the acknowledgement of its submission asks."""
        ack = interaction.ack
        if ack is None or ack.error is not None:
            return
        answer = ack.body or {}
        try:
            self._obey(interaction, view, answer if isinstance(answer, dict) else {"": answer})
        except Refused as refused:
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
                raise Refused("invalid_response_action")

    def _show_field_errors(self, interaction: Interaction, view: View, errors: Any) -> None:
        inputs = {block["block_id"] for block in view.blocks if block["type"] == "input"}
        if (
            not isinstance(errors, dict)
            or not errors
            or not all(isinstance(text, str) for text in errors.values())
        ):
            raise Refused("invalid_response_errors")
        if unknown := set(errors) - inputs:
            raise Refused(
                "invalid_response_errors",
                errors=[f"no input block {block_id}" for block_id in sorted(unknown)],
            )
        view.errors = interaction.field_errors = dict(errors)
        self.workspace.changed("view", user=view.user, view=view.id)


class Person:
    """One person at their own Slack client."""

    def __init__(self, user: User, acts: Acts) -> None:
        self.user = user
        self._acts = acts
        self._workspace = acts.workspace

    @property
    def id(self) -> str:
        return self.user.id

    # --- what they see ---

    def reads(self, channel: str | Channel) -> list[Message]:
        """The messages of a channel as this person sees them, ephemeral ones among them, oldest
        first.
        """
        place = self._place(channel)
        seen = [*place.messages, *self._workspace.ephemerals(self.user, channel=place)]
        return sorted(seen, key=lambda message: message.ts)

    @property
    def ephemerals(self) -> list[Message]:
        return self._workspace.ephemerals(self.user)

    @property
    def view(self) -> View:
        """The modal in front of this person."""
        stack = self._workspace.stacks.get(self.id)
        if not stack:
            raise CannotDo(f"no dialog is open for {self.user.name}")
        return stack[-1]

    @property
    def has_view(self) -> bool:
        return bool(self._workspace.stacks.get(self.id))

    @property
    def home(self) -> View:
        if self.id not in self._workspace.homes:
            raise CannotDo(f"the app has published no Home tab for {self.user.name}")
        return self._workspace.homes[self.id]

    # --- what they do ---

    async def command(self, channel: str | Channel, line: str) -> Interaction:
        """Type a slash command; comes back once it is acknowledged or has failed."""
        place = self._place(channel, writing=True)
        name, _space, text = line.strip().partition(" ")
        known = self._workspace.app.commands.get(name)
        if known is None:
            raise CannotDo(f"{name} is not a valid command")
        interaction = self._acts.begin("command", self.user, line.strip())
        payload: Json = {
            "token": TOKEN,
            "team_id": self._workspace.team_id,
            "team_domain": self._workspace.domain,
            "channel_id": place.id,
            "channel_name": place.name_for_apps,
            "user_id": self.id,
            "user_name": self.user.name,
            "command": name,
            "text": self._escaped(text.strip(), should_escape=known.should_escape),
            "api_app_id": self._workspace.app.id,
            "is_enterprise_install": "false",
            "response_url": self._acts.response_url("commands", interaction, place),
            "trigger_id": self._workspace.new_trigger(self.id),
        }
        await self._acts.send(interaction, COMMAND, payload, accepts_response=True)
        self._acts.show_answer(interaction, place)
        return interaction

    async def say(
        self, channel: str | Channel, text: str, *, thread: Message | None = None
    ) -> Message:
        """Post a message; the app hears of it as an event if it listens."""
        place = self._place(channel, writing=True)
        words = self._linked(html.escape(text, quote=False), named=False)
        message = self._workspace.post(
            Message(
                channel=place.id,
                ts=self._workspace.new_ts(),
                text=words,
                author=self.id,
                blocks_as_sent=[rich_text(text)],
                thread_ts=None if thread is None else thread.thread_ts or thread.ts,
                origin="person",
            )
        )
        self._acts.announce(message)
        return message

    async def press(
        self, where: Message | View, what: str, *, block: str | None = None
    ) -> Interaction:
        """Press the button with this action_id, text or value in a message, a dialog or the Home
        tab.
        """
        holder, element = self._find(where, what, block, lambda kind: kind in BUTTONS)
        action = {"text": element["text"]} if "text" in element else {}
        for key in ("value", "style", "url"):
            if key in element:
                action[key] = element[key]
        return await self._act(where, holder, element, action, f"press {_label(element)}")

    async def choose(
        self,
        where: Message | View,
        what: str,
        choice: Any,
        *,
        block: str | None = None,
        query: str | None = None,
    ) -> Interaction:
        """Choose in the select, menu, picker or set of boxes with this action_id or placeholder.

        ``choice`` is an option's text or value, a list of these where several can be chosen, a
        person, a channel, a date. ``query`` is what is typed to find the option of an external
        select.
        """
        holder, element = self._find(where, what, block, lambda kind: kind not in BUTTONS)
        if element["type"] == "overflow":
            action: Json = {"selected_option": self._option(element, choice)}
        else:
            entry = await self._entry(where, holder, element, choice, query)
            self._state(where)[holder["block_id"]][element["action_id"]] = entry
            action = {key: value for key, value in entry.items() if key != "type"}
        return await self._act(
            where, holder, element, action, f"choose {choice} in {element['action_id']}"
        )

    async def shortcut(self, callback_id: str) -> Interaction:
        """Use a global shortcut."""
        self._known_shortcut("global", callback_id)
        interaction = self._acts.begin("shortcut", self.user, f"shortcut {callback_id}")
        payload = {
            **self._acts.envelope("shortcut", self.user),
            "action_ts": self._action_ts(),
            "callback_id": callback_id,
            "trigger_id": self._workspace.new_trigger(self.id),
        }
        await self._acts.send(interaction, INTERACTIVE, payload, accepts_response=False)
        return interaction

    async def message_shortcut(self, message: Message, callback_id: str) -> Interaction:
        """Use a message shortcut; it works where the bot is no member, too."""
        self._known_shortcut("message", callback_id)
        if message.only_for is not None or message.deleted:
            raise CannotDo("an ephemeral or deleted message has no shortcuts")
        place = self._place(self._workspace.channels[message.channel])
        interaction = self._acts.begin(
            "message_action", self.user, f"message shortcut {callback_id}"
        )
        payload = {
            **self._acts.envelope("message_action", self.user),
            "action_ts": self._action_ts(),
            "callback_id": callback_id,
            "trigger_id": self._workspace.new_trigger(self.id),
            "response_url": self._acts.response_url(
                "app", interaction, place, message if message.by_app else None
            ),
            "message_ts": message.ts,
            "channel": {"id": place.id, "name": place.name_for_apps},
            "message": self._workspace.as_slack(message),
        }
        await self._acts.send(interaction, INTERACTIVE, payload, accepts_response=False)
        return interaction

    async def open_home(self) -> Request | None:
        """Open the app's Home tab; the app hears of it as an event. None when it has no tab or does
        not listen.
        """
        if not self._workspace.app.home_tab:
            raise CannotDo("the app has no Home tab")
        direct = self._workspace.direct(self.user)
        event: Json = {
            "type": "app_home_opened",
            "user": self.id,
            "channel": direct.id,
            "tab": "home",
            "event_ts": self._workspace.new_ts(),
        }
        if self.id in self._workspace.homes:
            event["view"] = self.home.as_slack()
        return self._acts.event(event, context=f"{self._workspace.team_id}-{direct.id}")

    async def fill(
        self, what: str, value: Any, *, block: str | None = None, query: str | None = None
    ) -> Interaction | None:
        """Fill in the dialog's input with this block_id, action_id or label; None empties it.

        Gives an interaction only where the block asks to hear of it at once (``dispatch_action``).
        """
        view = self.view
        holder, element = self._find(view, what, block, lambda kind: kind in blockkit.STATE)
        if holder["type"] != "input":
            return await self.choose(
                view, element["action_id"], value, block=holder["block_id"], query=query
            )
        entry = await self._entry(view, holder, element, value, query)
        view.state[holder["block_id"]][element["action_id"]] = entry
        self._workspace.changed("view", user=self.id, view=view.id)
        if not holder.get("dispatch_action"):
            return None
        action = {key: given for key, given in entry.items() if key != "type"}
        return await self._act(view, holder, element, action, f"fill {what}")

    async def submit(self) -> Interaction:
        """Press the dialog's submit button.

        What Slack's client would hold back is not sent: ``field_errors`` says why.
        """
        view = self.view
        if view.given.get("submit") is None:
            raise CannotDo("this dialog has nothing to submit")
        interaction = self._acts.begin("view_submission", self.user, f"submit {view.title}")
        view.errors = {}
        faults = {
            block["block_id"]: fault
            for block in view.blocks
            if (fault := forms.fault(block, view.state))
        }
        if faults:
            view.errors = interaction.field_errors = faults
            interaction.error, interaction.error_seen = "not_filled_in", next(iter(faults.values()))
            self._workspace.changed("view", user=self.id, view=view.id)
            return interaction
        payload = {
            **self._acts.envelope("view_submission", self.user),
            "trigger_id": self._workspace.new_trigger(self.id),
            "view": view.as_slack(),
            "response_urls": self._response_urls(interaction, view),
        }
        await self._acts.send(interaction, INTERACTIVE, payload, accepts_response=True)
        self._acts.show_submission(interaction, view)
        return interaction

    async def close(self, *, whole_stack: bool = False) -> list[Interaction]:
        """Close the dialog, or with its corner cross the whole stack; the app hears of it where it
        asked to.
        """
        view = self.view
        cleared = whole_stack or bool(view.given.get("clear_on_close"))
        told: list[Interaction] = []
        for closed in self._workspace.close_view(view, whole_stack=cleared):
            if not closed.given.get("notify_on_close"):
                continue
            interaction = self._acts.begin("view_closed", self.user, f"close {closed.title}")
            payload = {
                **self._acts.envelope("view_closed", self.user),
                "view": closed.as_slack(),
                "is_cleared": cleared,
            }
            await self._acts.send(interaction, INTERACTIVE, payload, accepts_response=False)
            told.append(interaction)
        return told

    async def options(
        self, where: Message | View, what: str, query: str = "", *, block: str | None = None
    ) -> Interaction:
        """Type into an external select; what the app then offers is in ``options``."""
        holder, element = self._find(
            where, what, block, lambda kind: kind.endswith("external_select")
        )
        interaction = self._acts.begin(
            "block_suggestion", self.user, f"look for {query!r} in {element['action_id']}"
        )
        if len(query) < element.get("min_query_length", 3):
            return interaction
        payload = {
            **self._acts.envelope("block_suggestion", self.user),
            **self._container(where),
            "action_id": element["action_id"],
            "block_id": holder["block_id"],
            "value": query,
        }
        await self._acts.send(interaction, INTERACTIVE, payload, accepts_response=True)
        if interaction.error is None:
            self._take_options(interaction)
        return interaction

    # --- inside ---

    def _take_options(self, interaction: Interaction) -> None:
        answer = interaction.ack.body if interaction.ack is not None else None
        faults: list[str] = []
        blockkit.OPTIONS_ANSWER(answer, "", faults)
        if faults:
            self._acts.fail(interaction, "invalid_options", faults)
        elif isinstance(answer, dict):
            interaction.options = blockkit.options_of(answer)

    def _place(self, channel: str | Channel, *, writing: bool = False) -> Channel:
        place = self._workspace.channel(channel)
        if place.kind != "public" and self.id not in place.members:
            raise CannotDo(f"{self.user.name} is not in {place.name}")
        if writing and self.id not in place.members:
            raise CannotDo(f"{self.user.name} has to join {place.name} first")
        if writing and place.is_archived:
            raise CannotDo(f"{place.name} is archived")
        if writing and place.kind == "im" and self._workspace.app.messages_read_only:
            raise CannotDo("sending messages to this app has been turned off")
        return place

    def _known_shortcut(self, kind: str, callback_id: str) -> None:
        known = self._workspace.app.shortcuts.get(callback_id)
        if known is None or known.kind != kind:
            raise CannotDo(f"the app has no {kind} shortcut {callback_id}")

    def _escaped(self, text: str, *, should_escape: bool) -> str:
        escaped = html.escape(text, quote=False)
        return self._linked(escaped, named=True) if should_escape else escaped

    def _linked(self, text: str, *, named: bool) -> str:
        """Names and addresses as Slack stores them; commands get the names beside the ids."""

        def person(found: re.Match[str]) -> str:
            if found[1] in ("here", "channel", "everyone"):
                return f"<!{found[1]}>"
            for user in self._workspace.users.values():
                if user.name == found[1]:
                    return f"<@{user.id}|{user.name}>" if named else f"<@{user.id}>"
            for group in self._workspace.groups.values():
                if group.handle == found[1]:
                    label = f"|@{group.handle}" if named else ""
                    return f"<!subteam^{group.id}{label}>"
            return found[0]

        def place(found: re.Match[str]) -> str:
            for channel in self._workspace.channels.values():
                if channel.name == found[1] and channel.kind != "im":
                    return f"<#{channel.id}|{channel.name}>"
            return found[0]

        text = re.sub(r"(?<![\w<|])https?://[^\s<>|]+", lambda found: f"<{found[0]}>", text)
        text = re.sub(r"(?<![\w<|@])@([a-z0-9][\w.-]*\w|\w)", person, text)
        return re.sub(r"(?<![\w<|#&])#([a-z0-9][\w-]*)", place, text)

    def _find(
        self, where: Message | View, what: str, block_id: str | None, fits: Callable[[str], bool]
    ) -> tuple[Json, Json]:
        if isinstance(where, Message) and where.only_for not in (None, self.id):
            raise CannotDo(f"{self.user.name} does not see this message")
        candidates = [
            (block, element)
            for block, element in blockkit.interactive(where.blocks)
            if fits(str(element["type"])) and block_id in (None, block["block_id"])
        ]
        for names in (_ids, _labels):
            found = [
                (block, element) for block, element in candidates if what in names(block, element)
            ]
            if len(found) == 1:
                return found[0]
            if found:
                raise CannotDo(
                    f"{what!r} is there {len(found)} times; name it by its action_id or value"
                )
        offered = ", ".join(
            f"{_label(element)!r} ({element['action_id']})" for _block, element in candidates
        )
        raise CannotDo(f"there is no {what!r}; there is {offered or 'nothing'}")

    def _container(self, where: Message | View) -> Json:
        if isinstance(where, View):
            return {"container": {"type": "view", "view_id": where.id}, "view": where.as_slack()}
        channel = self._workspace.channels[where.channel]
        ephemeral = where.only_for is not None
        told: Json = {
            "container": {
                "type": "message",
                "message_ts": where.ts,
                "channel_id": channel.id,
                "is_ephemeral": ephemeral,
                **({"thread_ts": where.thread_ts} if where.is_reply else {}),
            },
            "channel": {"id": channel.id, "name": channel.name_for_apps},
        }
        # An ephemeral message is not kept by Slack, so no payload carries one.
        return told if ephemeral else {**told, "message": self._workspace.as_slack(where)}

    def _state(self, where: Message | View) -> dict[str, dict[str, Json]]:
        if isinstance(where, View):
            return where.state
        state: dict[str, dict[str, Json]] = {}
        for block, element in blockkit.interactive(where.blocks):
            if (start := blockkit.initial_state(element)) is not None:
                state.setdefault(block["block_id"], {})[element["action_id"]] = start
        return state

    async def _act(
        self, where: Message | View, block: Json, element: Json, action: Json, label: str
    ) -> Interaction:
        interaction = self._acts.begin("block_actions", self.user, label)
        stamped = {
            "type": element["type"],
            "action_id": element["action_id"],
            "block_id": block["block_id"],
            **action,
            "action_ts": self._action_ts(),
        }
        state = self._state(where)
        if isinstance(where, Message) and element["action_id"] in state.get(block["block_id"], {}):
            state[block["block_id"]][element["action_id"]] |= action
        payload = {
            **self._acts.envelope("block_actions", self.user),
            **self._container(where),
            "trigger_id": self._workspace.new_trigger(self.id),
            "state": {"values": state},
            "actions": [stamped],
        }
        if isinstance(where, Message):
            place = self._workspace.channels[where.channel]
            payload["response_url"] = self._acts.response_url(
                "actions", interaction, place, self._original(where)
            )
        if not self._workspace.app.interactive:
            self._acts.fail(interaction, "interactivity_not_configured")
            return interaction
        await self._acts.send(interaction, INTERACTIVE, payload, accepts_response=False)
        return interaction

    def _original(self, shown: Message) -> Message:
        """The living message behind one that may be a snapshot of an earlier form."""
        for message in self._workspace.hidden_messages:
            if message.ts == shown.ts:
                return message
        return self._workspace.channels[shown.channel].by_ts.get(shown.ts, shown)

    def _response_urls(self, interaction: Interaction, view: View) -> list[Json]:
        urls: list[Json] = []
        for block, element in blockkit.interactive(view.blocks):
            if not element.get("response_url_enabled"):
                continue
            entry = view.state[block["block_id"]][element["action_id"]]
            chosen = entry.get("selected_conversation") or entry.get("selected_channel")
            if chosen:
                urls.append(
                    {
                        "block_id": block["block_id"],
                        "action_id": element["action_id"],
                        "channel_id": chosen,
                        "response_url": self._acts.response_url(
                            "app", interaction, self._workspace.channels[chosen]
                        ),
                    }
                )
        return urls

    async def _entry(
        self, where: Message | View, holder: Json, element: Json, value: Any, query: str | None
    ) -> Json:
        """The entry of state.values that ``value`` makes of this element."""
        kind = element["type"]
        if value is None:
            return blockkit.initial_state({"type": kind}) or {}
        if kind.endswith("external_select"):
            sought = await self.options(
                where, element["action_id"], query or str(value), block=holder["block_id"]
            )
            element = {"type": kind, "options": sought.options}
        key = blockkit.STATE[kind][0]
        several = key in forms.SEVERAL
        chosen = [self._one(element, key, each) for each in forms.several(value)]
        return {"type": kind, key: chosen if several else chosen[0]}

    def _one(self, element: Json, key: str, value: Any) -> Any:
        match key:
            case "selected_option" | "selected_options":
                return self._option(element, value)
            case "selected_user" | "selected_users":
                return self._workspace.user(value).id
            case (
                "selected_conversation"
                | "selected_conversations"
                | "selected_channel"
                | "selected_channels"
            ):
                return self._place(value).id
            case "rich_text_value":
                return rich_text(str(value))
            case _:
                return value

    def _option(self, element: Json, wanted: Any) -> Json:
        found = [
            option
            for option in blockkit.options_of(element)
            if wanted in (option.get("value"), option["text"]["text"])
        ]
        if len(found) != 1:
            offered = ", ".join(
                repr(option["text"]["text"]) for option in blockkit.options_of(element)
            )
            raise CannotDo(f"there is no one option {wanted!r}; there is {offered or 'nothing'}")
        return found[0]

    def _action_ts(self) -> str:
        return self._workspace.new_ts()


def rich_text(text: str) -> Json:
    """The block that Slack's own composer makes of plain words."""
    words = [{"type": "text", "text": text}]
    return {"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": words}]}


def _ids(block: Json, element: Json) -> tuple[object, ...]:
    of_block = (block["block_id"],) if block["type"] == "input" else ()
    return (element["action_id"], *of_block)


def _labels(block: Json, element: Json) -> tuple[object, ...]:
    label = block["label"]["text"] if block["type"] == "input" else None
    placeholder = element.get("placeholder", {}).get("text")
    text = element.get("text")
    return (
        label,
        placeholder,
        text["text"] if isinstance(text, dict) else None,
        element.get("value"),
    )


def _label(element: Json) -> str:
    text = element.get("text") or element.get("placeholder") or {}
    return str(text.get("text") or element["action_id"])
