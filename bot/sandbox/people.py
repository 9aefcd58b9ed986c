"""People at their Slack clients: commands, clicks, forms and shortcuts, and the things they see.

A person has the limits of Slack's own client: only a drawn button can be pressed, only an offered
option chosen, only a complete form submitted. Any other act raises ``CannotDo``.

Source: https://docs.slack.dev/interactivity
"""

from collections.abc import Callable
from typing import Any

from bot.sandbox import composer, controls, forms
from bot.sandbox.acts import TOKEN, Acts, Interaction
from bot.sandbox.blocks import PLURAL, STATE, Json, initial_state, interactive, options_of
from bot.sandbox.controls import BUTTONS, CannotDo
from bot.sandbox.elements import OPTIONS_ANSWER
from bot.sandbox.model import Channel, Message, User, View
from bot.sandbox.requests import COMMAND, INTERACTIVE, Request


class Person:
    """One person at their own Slack client."""

    def __init__(self, user: User, acts: Acts) -> None:
        self.user = user
        self._acts = acts
        self._workspace = acts.workspace

    @property
    def id(self) -> str:
        return self.user.id

    # --- reading ---

    def reads(self, channel: str | Channel) -> list[Message]:
        """The messages of a channel, with this person's ephemeral ones, oldest first."""
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

    # --- acting ---

    async def command(self, channel: str | Channel, line: str) -> Interaction:
        """Type a slash command; returns after the acknowledgement or the failure."""
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
            "text": composer.command_text(
                self._workspace, text.strip(), should_escape=known.should_escape
            ),
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
        """Post a message; a subscribed app gets an event."""
        place = self._place(channel, writing=True)
        message = self._workspace.post(
            Message(
                channel=place.id,
                ts=self._workspace.mint.ts(),
                text=composer.message_text(self._workspace, text),
                author=self.id,
                blocks_as_sent=[composer.rich_text(text)],
                thread_ts=None if thread is None else thread.thread_ts or thread.ts,
                origin="person",
            )
        )
        self._acts.announce(message)
        return message

    async def press(
        self, where: Message | View, what: str, *, block: str | None = None
    ) -> Interaction:
        """Press the button with this action_id, text or value in a message or a view."""
        holder, element = self._find(where, what, block, lambda kind: kind in BUTTONS)
        action = {"text": element["text"]} if "text" in element else {}
        for key in ("value", "style", "url"):
            if key in element:
                action[key] = element[key]
        return await self._act(where, holder, element, action, f"press {controls.label(element)}")

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

        ``choice`` is the text or value of an option, a person, a channel, a date, or a list of
        these for a multi-select. ``query`` is typed into an external select to find the option.
        """
        holder, element = self._find(where, what, block, lambda kind: kind not in BUTTONS)
        if element["type"] == "overflow":
            action: Json = {"selected_option": controls.option(element, choice)}
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
            "action_ts": self._workspace.mint.ts(),
            "callback_id": callback_id,
            "trigger_id": self._workspace.new_trigger(self.id),
        }
        await self._acts.send(interaction, INTERACTIVE, payload, accepts_response=False)
        return interaction

    async def message_shortcut(self, message: Message, callback_id: str) -> Interaction:
        """Use a message shortcut, also in a channel without the bot."""
        self._known_shortcut("message", callback_id)
        if message.only_for is not None or message.deleted:
            raise CannotDo("an ephemeral or deleted message has no shortcuts")
        place = self._place(self._workspace.channels[message.channel])
        interaction = self._acts.begin(
            "message_action", self.user, f"message shortcut {callback_id}"
        )
        payload = {
            **self._acts.envelope("message_action", self.user),
            "action_ts": self._workspace.mint.ts(),
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

    def invite_the_app(self, channel: str | Channel) -> Request | None:
        """Type ``/invite @app`` in a channel; None without an event, as for `open_home`."""
        return self._acts.join(self._workspace.channel(channel), inviter=self.user)

    def unarchive(self, channel: str | Channel) -> Request | None:
        """Unarchive a channel; None without an event, as for `open_home`."""
        return self._acts.unarchive(self._workspace.channel(channel), by=self.user)

    async def open_home(self) -> Request | None:
        """Open the app's Home tab; None without an event, because the app did not subscribe."""
        if not self._workspace.app.home_tab:
            raise CannotDo("the app has no Home tab")
        direct = self._workspace.direct(self.user)
        event: Json = {
            "type": "app_home_opened",
            "user": self.id,
            "channel": direct.id,
            "tab": "home",
            "event_ts": self._workspace.mint.ts(),
        }
        if self.id in self._workspace.homes:
            event["view"] = self.home.as_slack()
        return self._acts.event(event, context=f"{self._workspace.team_id}-{direct.id}")

    async def fill(
        self, what: str, value: Any, *, block: str | None = None, query: str | None = None
    ) -> Interaction | None:
        """Fill in the dialog's input with this block_id, action_id or label; None empties it.

        Returns an interaction only for a block with ``dispatch_action``.
        """
        view = self.view
        holder, element = self._find(view, what, block, lambda kind: kind in STATE)
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

        Slack's client holds an incomplete form back: nothing is sent, ``field_errors`` says why.
        """
        view = self.view
        if view.given.get("submit") is None:
            raise CannotDo("this dialog has nothing to submit")
        interaction = self._acts.begin("view_submission", self.user, f"submit {view.title}")
        view.errors = {}
        errors = {
            block["block_id"]: sentence
            for block in view.blocks
            if (sentence := forms.error(block, view.state))
        }
        if errors:
            view.errors = interaction.field_errors = errors
            interaction.error, interaction.error_seen = "not_filled_in", next(iter(errors.values()))
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
        """Close the dialog, or the whole stack with the cross in its corner.

        Returns one interaction for each closed dialog with ``notify_on_close``.
        """
        view = self.view
        cleared = whole_stack or bool(view.given.get("clear_on_close"))
        notified: list[Interaction] = []
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
            notified.append(interaction)
        return notified

    async def options(
        self, where: Message | View, what: str, query: str = "", *, block: str | None = None
    ) -> Interaction:
        """Type into an external select; the app's offer is in ``options`` of the interaction."""
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

    def _take_options(self, interaction: Interaction) -> None:
        answer = interaction.ack.body if interaction.ack is not None else None
        details: list[str] = []
        OPTIONS_ANSWER(answer, "", details)
        if details:
            self._acts.fail(interaction, "invalid_options", details)
        elif isinstance(answer, dict):
            interaction.options = options_of(answer)

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

    def _find(
        self, where: Message | View, what: str, block_id: str | None, fits: Callable[[str], bool]
    ) -> tuple[Json, Json]:
        if isinstance(where, Message) and where.only_for not in (None, self.id):
            raise CannotDo(f"{self.user.name} does not see this message")
        return controls.find(where.blocks, what, block_id=block_id, fits=fits)

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
        for block, element in interactive(where.blocks):
            if (start := initial_state(element)) is not None:
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
            "action_ts": self._workspace.mint.ts(),
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
        """The current message of ``shown``, which may be a snapshot of an earlier form."""
        for message in self._workspace.hidden_messages:
            if message.ts == shown.ts:
                return message
        return self._workspace.channels[shown.channel].by_ts.get(shown.ts, shown)

    def _response_urls(self, interaction: Interaction, view: View) -> list[Json]:
        urls: list[Json] = []
        for block, element in interactive(view.blocks):
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
        """The entry of state.values for ``element`` with ``value``."""
        kind = element["type"]
        if value is None:
            return initial_state({"type": kind}) or {}
        if kind.endswith("external_select"):
            sought = await self.options(
                where, element["action_id"], query or str(value), block=holder["block_id"]
            )
            element = {"type": kind, "options": sought.options}
        key = STATE[kind][0]
        several = key in PLURAL
        chosen = [self._one(element, key, each) for each in forms.several(value)]
        return {"type": kind, key: chosen if several else chosen[0]}

    def _one(self, element: Json, key: str, value: Any) -> Any:
        match key:
            case "selected_option" | "selected_options":
                return controls.option(element, value)
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
                return composer.rich_text(str(value))
            case _:
                return value
