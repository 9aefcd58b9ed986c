"""Conversations as data: transcripts, played by the demo and checked by the tests.

The first line of a story says what it shows. Comments at its top name the place at which to look at
it (``# open: mia in #payments``), an act to begin with (``# try: …``), and another story that is
played before it (``# after: weeks``).

A line is an act of a person, or an expectation about the screen::

    # a comment
    mia in #payments: /incident declare Checkout is down severity:high
      mia sees: INC-1 is declared
    bo presses Move to Identified in #payments
      #status shows: Identified
    mia presses Update… in the answer
    mia fills Private note: db-3 lost quorum
    mia submits
    mia sees at Private note: …         (an error at a field)
    bo chooses Timeline in #payments
    10 minutes pass

"In #channel" is the newest message of the app there with this button; "in the answer" is the
newest message that only this person sees. An expectation is a fragment of the words on the screen.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from bot.sandbox.acts import Interaction
from bot.sandbox.controls import CannotDo
from bot.sandbox.model import Message
from bot.sandbox.people import Person
from bot.sandbox.server import Sandbox

STORIES = Path(__file__).with_name("stories")

# By kind of line. The first match in this order decides.
SHAPES = {
    "wait": r"(?P<count>\d+) (?P<unit>second|minute|hour|day)s? pass(es)?",
    "sees_at": r"(?P<person>\w+) sees at (?P<field>[^:]+): (?P<words>.+)",
    "sees": r"(?P<person>\w+) sees: (?P<words>.+)",
    "misses": r"(?P<person>\w+) does not see: (?P<words>.+)",
    "shows": r"(?P<channel>#[\w-]+) shows: (?P<words>.+)",
    "hides": r"(?P<channel>#[\w-]+) does not show: (?P<words>.+)",
    "types": r"(?P<person>\w+) in (?P<channel>#[\w-]+): (?P<text>.+)",
    "presses": r"(?P<person>\w+) presses (?P<control>.+?) in (?P<target>#[\w-]+|the answer)",
    "chooses": r"(?P<person>\w+) chooses (?P<control>.+?) in (?P<target>#[\w-]+|the answer)",
    "fills": r"(?P<person>\w+) fills (?P<field>[^:]+): (?P<text>.+)",
    "submits": r"(?P<person>\w+) submits",
    "closes": r"(?P<person>\w+) closes the dialog",
}
SECONDS = {"second": 1, "minute": 60, "hour": 3600, "day": 86400}


class NotInTheScript(Exception):
    """A malformed line of a story, or an expectation that failed. The text names the line."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a story. ``kind`` is a key of `SHAPES`; ``parts`` are its named groups."""

    number: int
    text: str
    kind: str
    parts: dict[str, str]

    @property
    def expects(self) -> bool:
        """Whether the line is an expectation."""
        return self.kind in {"sees", "sees_at", "misses", "shows", "hides"}

    @property
    def seconds(self) -> int:
        """The time that passes with this line."""
        if self.kind != "wait":
            return 0
        return int(self.parts["count"]) * SECONDS[self.parts["unit"]]


@dataclass(frozen=True, slots=True)
class Story:
    """A story as the demo offers it. ``person`` at ``channel`` sees its end; ``hint`` comes next.

    ``lines`` include those of the story that comes before it.
    """

    about: str
    person: str
    channel: str
    hint: str
    lines: tuple[Line, ...]

    @property
    def seconds(self) -> int:
        """The time that passes in it."""
        return sum(line.seconds for line in self.lines)


def story(name: str, *, folder: Path = STORIES) -> Story:
    """The story ``name``, from its file in ``folder``.

    Raises:
        NotInTheScript: its top lacks a part, or a line has none of the shapes.
    """
    text = (folder / f"{name}.txt").read_text(encoding="utf-8")
    about, *others = (line[2:] for line in text.splitlines() if line.startswith("# "))
    top = dict(other.split(": ", 1) for other in others if ": " in other)
    place = re.fullmatch(r"(\w+) in (#[\w-]+)", top.get("open", ""))
    if place is None or "try" not in top:
        raise NotInTheScript(f"{name}: its top has no line with open: or with try:")
    before = story(top["after"], folder=folder).lines if "after" in top else ()
    return Story(about, place[1], place[2], top["try"], (*before, *read(text)))


def read(text: str) -> Iterator[Line]:
    """The lines of a story, comments and blank lines left out.

    Raises:
        NotInTheScript: a line has none of the shapes.
    """
    for number, raw in enumerate(text.splitlines(), start=1):
        line = raw.strip()
        if not line or line.startswith("# "):
            continue
        for kind, shape in SHAPES.items():
            if match := re.fullmatch(shape, line):
                parts = {
                    name: value.replace("\\n", "\n")
                    for name, value in match.groupdict().items()
                    if value
                }
                yield Line(number, line, kind, parts)
                break
        else:
            raise NotInTheScript(f"line {number}: {line!r} is no line of a story")


class Stage:
    """Plays stories on a stand-in for Slack.

    ``settle`` is awaited before a look at a channel; ``wait`` lets some seconds pass.
    """

    def __init__(
        self,
        slack: Sandbox,
        *,
        settle: Callable[[], Awaitable[None]],
        wait: Callable[[float], Awaitable[None]],
    ) -> None:
        self._slack = slack
        self._settle = settle
        self._wait = wait
        self._last: dict[str, Interaction] = {}
        self._submitted: dict[str, Interaction] = {}

    async def play(self, line: Line) -> None:
        """Carry ``line`` out: an act, or the check of an expectation.

        Raises:
            NotInTheScript: the expectation failed; the text quotes the screen.
        """
        parts = line.parts
        person = self._slack.person(parts["person"]) if "person" in parts else None
        match line.kind:
            case "wait":
                await self._wait(line.seconds)
            case "shows" | "hides":
                await self._look_at_channel(line)
            case _ if person is not None:
                await self._act_or_see(line, person)

    async def _act_or_see(self, line: Line, person: Person) -> None:
        parts, name = line.parts, line.parts["person"]
        match line.kind:
            case "types" if parts["text"].startswith("/"):
                self._last[name] = await person.command(parts["channel"], parts["text"])
            case "types":
                await person.say(parts["channel"], parts["text"])
            case "presses":
                target = await self._target(person, parts["target"], parts["control"])
                self._last[name] = await person.press(target, parts["control"])
            case "chooses":
                target = await self._target(person, parts["target"], parts["control"])
                menu = _menu_with(target, parts["control"])
                self._last[name] = await person.choose(target, menu, parts["control"])
            case "fills":
                await self._slack.until(lambda: person.has_view and _has(person, parts["field"]))
                await self._fill(person, parts["field"], parts["text"])
            case "submits":
                # The answer comes where the dialog was opened.
                await self._slack.until(
                    lambda: person.has_view and bool(person.view.given.get("submit"))
                )
                self._submitted[name] = await person.submit()
            case "closes":
                await person.close()
            case "sees_at":
                errors = " ".join(self._submitted[name].field_errors.values())
                _expect(line, true=parts["words"] in errors, seen=errors)
            case "sees" | "misses":
                await self._look_at_answer(line, person)

    async def _fill(self, person: Person, field: str, text: str) -> None:
        """Fills an input in. If the app is told of it, a person looks at the answer first."""
        view, drawn = person.view, person.view.versions
        if await person.fill(field, text):
            await self._slack.until(lambda: view.versions > drawn)

    async def _target(self, person: Person, target: str, control: str) -> Message:
        if target == "the answer":
            return await self._last[person.user.name].answer()
        await self._settle()
        for message in reversed(person.reads(target)):
            if message.by_app and not message.only_for and control in str(message.blocks):
                return message
        raise CannotDo(f"no message of the app in {target} has {control!r}")

    async def _look_at_answer(self, line: Line, person: Person) -> None:
        words = line.parts["words"]
        wanted = line.kind == "sees"
        interaction = self._last[person.user.name]

        def seen() -> str:
            dialog = person.view.words() if person.has_view else ""
            told = "\n".join(message.words() for message in interaction.ephemerals)
            return _without_marks("\n".join([told, dialog, interaction.error_seen or ""]))

        try:
            await self._slack.until(lambda: (words in seen()) == wanted)
        except TimeoutError:
            _expect(line, true=False, seen=seen())

    async def _look_at_channel(self, line: Line) -> None:
        await self._settle()
        posts = self._slack.channel_view(line.parts["channel"])
        words = _without_marks("\n".join(str(post) for post in posts))
        _expect(line, true=(line.parts["words"] in words) == (line.kind == "shows"), seen=words)


def _without_marks(words: str) -> str:
    """The words on the screen, in which bold text has no stars."""
    return words.replace("*", "")


def _menu_with(message: Message, option: str) -> str:
    """The action_id of the menu in ``message`` that has ``option``."""
    for block in message.blocks:
        for element in block.get("elements", ()):
            texts = [one["text"]["text"] for one in element.get("options", ())]
            if option in texts:
                return str(element["action_id"])
    raise CannotDo(f"no menu has {option!r}")


def _has(person: Person, field: str) -> bool:
    return field in str(person.view.blocks)


def _expect(line: Line, *, true: bool, seen: str) -> None:
    if not true:
        raise NotInTheScript(f"line {line.number}: {line.text}\nbut the screen shows:\n{seen}")
