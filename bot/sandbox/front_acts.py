"""The acts of ``POST /front/act``: from the JSON that ``front`` describes to an act of a person."""

from collections.abc import Awaitable, Callable, Mapping

from bot.sandbox.acts import Interaction
from bot.sandbox.blocks import Json
from bot.sandbox.model import Channel, Message, View
from bot.sandbox.people import Person
from bot.sandbox.workspace import Workspace


class FrontActs:
    """Each private method does one act, and returns what the app was asked by it."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._by_name: Mapping[str, Callable[[Person, Json], Awaitable[Interaction | None]]] = {
            "command": self._command,
            "say": self._say,
            "press": self._press,
            "choose": self._choose,
            "options": self._options,
            "shortcut": self._shortcut,
            "message_shortcut": self._message_shortcut,
            "open_home": self._open_home,
            "fill": self._fill,
            "submit": self._submit,
            "close": self._close,
        }

    async def do(self, person: Person, asked: Json) -> Interaction | None:
        """Does the act ``asked``; None if the app is not asked anything by it.

        Raises:
            ValueError: there is no such act.
            KeyError: a field is missing.
            LookupError: it names a channel, a message or a view that is not there.
            CannotDo: Slack's client would prevent it.
        """
        act = self._by_name.get(asked.get("act", ""))
        if act is None:
            known = ", ".join(self._by_name)
            raise ValueError(f"there is no act {asked.get('act')!r}; there are {known}")
        return await act(person, asked)

    async def _command(self, person: Person, asked: Json) -> Interaction | None:
        return await person.command(asked["channel"], asked["text"])

    async def _say(self, person: Person, asked: Json) -> Interaction | None:
        channel = self._workspace.channel(asked["channel"])
        thread = (
            self._message(person, channel, asked["thread_ts"]) if "thread_ts" in asked else None
        )
        await person.say(channel, asked["text"], thread=thread)
        return None

    async def _press(self, person: Person, asked: Json) -> Interaction | None:
        return await person.press(
            self._target(person, asked["target"]), asked["control"], block=asked.get("block")
        )

    async def _choose(self, person: Person, asked: Json) -> Interaction | None:
        target = self._target(person, asked["target"])
        return await person.choose(
            target,
            asked["control"],
            asked["value"],
            block=asked.get("block"),
            query=asked.get("query"),
        )

    async def _options(self, person: Person, asked: Json) -> Interaction | None:
        target = self._target(person, asked["target"])
        return await person.options(
            target, asked["control"], asked["query"], block=asked.get("block")
        )

    async def _shortcut(self, person: Person, asked: Json) -> Interaction | None:
        return await person.shortcut(asked["callback_id"])

    async def _message_shortcut(self, person: Person, asked: Json) -> Interaction | None:
        channel = self._workspace.channel(asked["channel"])
        message = self._message(person, channel, asked["ts"])
        return await person.message_shortcut(message, asked["callback_id"])

    async def _open_home(self, person: Person, _asked: Json) -> Interaction | None:
        await person.open_home()
        return None

    async def _fill(self, person: Person, asked: Json) -> Interaction | None:
        return await person.fill(
            asked["control"], asked["value"], block=asked.get("block"), query=asked.get("query")
        )

    async def _submit(self, person: Person, asked: Json) -> Interaction | None:
        for control, value in asked.get("values", {}).items():
            await person.fill(control, value)
        return await person.submit()

    async def _close(self, person: Person, asked: Json) -> Interaction | None:
        notified = await person.close(whole_stack=bool(asked.get("whole_stack")))
        return notified[0] if notified else None

    def _target(self, person: Person, target: Json) -> Message | View:
        if "view" not in target:
            channel = self._workspace.channel(target["channel"])
            return self._message(person, channel, target["ts"])
        for view in self._workspace.views():
            if view.id == target["view"] and view.user == person.id:
                return view
        raise LookupError(f"there is no view {target['view']} in front of {person.user.name}")

    def _message(self, person: Person, channel: Channel, ts: str) -> Message:
        if ts in channel.by_ts:
            return channel.by_ts[ts]
        for message in person.ephemerals:
            if message.ts == ts:
                return message
        raise LookupError(f"there is no message {ts} in {channel.name}")
