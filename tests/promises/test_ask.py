"""Ask, never guess: no command of a grammar changes another incident, publishes by a slip, or loses
a text.

The world is the parser, the use cases and a database. Slack's side of it only remembers the dialogs
that were opened.
"""

from __future__ import annotations

import asyncio
import json
import random
from dataclasses import dataclass, field, replace
from datetime import UTC
from itertools import count
from typing import Any

import pytest
from sqlalchemy import text as sql

from bot.http.status.shelf import Shelf
from bot.slack.actions import Actions
from bot.slack.answers import Answers
from bot.slack.curating import Arranging, Pages
from bot.slack.interaction import Interaction
from bot.slack.subscribing import SubscribedChannels
from bot.slack.workspaces import Workspaces
from bot.telemetry import Metrics
from core.boards import BoardFilter, Scope
from core.catching import CatchUps
from core.configuring import SettingsBook
from core.curating import Curation
from core.drafting import DraftBook
from core.incident import Actor, Groups, Place, Visibility
from core.lifecycle import PRESETS, STATUSPAGE, Catalogue
from core.service import Incidents
from core.subscribing import Subscribing
from core.workspace import WorkspaceSettings
from storage.queries import SqlReader
from storage.snapshot import connection_of
from storage.store import SqlStore
from tests.builders import ADA, WORKSPACE, a_declaration, an_actor, an_id
from tests.clock import Clock

CATALOGUE = Catalogue(PRESETS, default="statuspage")
EVERYTHING = BoardFilter(scope=Scope.ALL)
ADMIN = an_actor(admin=True)

# --- the grammar ----------------------------------------------------------------------------------

ACCEPTED = (
    "{n}", "#{n}", "INC-{n}", "inc-{n}", "INC{n}", "INC {n}", "inc #{n}", "incident {n}",
    "Incident-{n}", "({n})", "[INC-{n}]", "`{n}`", "*INC-{n}*", "“{n}”", "{n}:", "{n},", "{n}.",
    "\u200b{n}", "\u2067{n}\u2069", "INC\u2011{n}", "INC\u2013{n}", "INC\u2212{n}", "{wide}",
    "{arabic}", "ＩＮＣ－{wide}", "{id}", "({id})",
)  # fmt: skip
UNCLEAR = (
    "no {n}", "No. {n}", "№ {n}", "№{n}", "nr {n}", "ticket {n}", "ticket-{n}", "issue #{n}",
    "# {n}", "INC - {n}", "{n}:so", "({n})so", "{n},so", "INC_{n}", "INC/{n}", "number {n}",
    "NIC-{n}", "lnc-{n}", "on INC-{n}", "for the incident {n}", "re: #{n}", "{n}/{n}",
    "{n}&7000000", "{n}-7000000", "{n}..7000000", "to {n}:", "І\u039dС-{n}", "ІМС-{n}", "ΙΝС {n}",
)  # fmt: skip
MOVES = ("next", "resolve", "close")
NOTES = ("note",)
STATUSES = [status.name for status in STATUSPAGE.statuses]
AUDIENCE = ("note: ", "note ", "private ", "(private) ", "internal: ", "[internal] ", "--private ",
            "—internal ", "Private: ", "*private* ", "🔒 private: ", ":lock: note ", "!! note: ",
            "@here internal: ", "→ private ", "make it private: ", "visibility private ",
            "internal only: ")  # fmt: skip
PRIVATE_TAILS = (" private", " (private)", ", private", ", make it private", " --private",
                 " visibility private", ", not public", " - internal only")  # fmt: skip
TAILS = (", severity high", " (high)", " sev1", " severity:high", " next 30m", " (monitoring)",
         " -> monitoring", " status:resolved", ", owner @bo")  # fmt: skip
FOR_EVERYONE = ("public: ", "(public) ", "[Public]: ", "*public* ", "--public ", "public ",
                "📣 public: ", "visibility:public ", "@here public: ", "→ public: ")  # fmt: skip
OPTIONS = ("status=monitoring ", "stauts:monitoring ", "status : identified ", "foo:bar ",
           "--status=identified ", "--status identified ", "identified ", "to identified ",
           "Identified: ", "identifed ", "sev:high ", "--severity high ", "key=value ",
           "--dry-run ", "→ identified ", "status=resolved ", "resolved ",
           "[monitoring] ", "status → identified ", "status -> identified ", "severity high ",
           "(high) ", "sev1: ", "next 30m ", "owner @bo ")  # fmt: skip
PRIVATES = ("{} private", "{} private!", "{} (private)", "{} `private`", "{} *private*",
            "{} - private.", "{} --private", "--private {}", "(private) {}", "private: {}",
            "[private] {}", "private {}", "{} privat", "{} is private", "{} private please",
            "{} private 🔒", "{} (private, please)", "{} visibility=private", "{} private: yes",
            "severity:high private {}", "{} components:api,private", "[internal] {}",
            "{} private,severity:high", "{} :lock: private", "{} private since:02:50",
            "{}, make it private",
            "{} visibility private", "{} (private) severity high", "{}, private, sev1",
            "severity high private: {}", "{} severity high, keep it private", "{}, not public",
            "private {} severity high")  # fmt: skip
QUOTED_PRIVATES = ('"{} private"', '"Private: {}"', "'{} private'", "“(private) {}”", '"{} privat"',
                   '"{} private" severity:high', "「{} [internal]」")  # fmt: skip
UNKNOWN = ("--foo ", "--dry-run ", "foo=bar ", "foo:bar ", "status:identified ", "stauts=open ",
           "severity:high --foo ")  # fmt: skip
TRIED = ("fixed", "cancel", "undo", "who", "take", "reopen", "delete", "merge", "private", "staus",
         "udpate", "reslove", "cloze", "nxet", "nots", "identified", "monitoring", "resolved",
         "xyzzy")  # fmt: skip


@dataclass(frozen=True)
class Case:
    """One command, with what may follow from it.

    ``may_change``: the incidents that are named in a form that is accepted (``here`` without any).
    ``may_publish``: whether a text may become public.
    """

    text: str
    typed: str
    may_change: frozenset[str] = frozenset()
    may_publish: bool = False
    may_declare_in_public: bool = False


async def revived(workspace: str, channel: str) -> None:
    """Nothing waits for a channel here."""


def spelled(chance: random.Random, forms: tuple[str, ...], number: int, id_: object) -> str:
    wide = "".join(chr(0xFF10 + int(digit)) for digit in str(number))
    arabic = "".join(chr(0x660 + int(digit)) for digit in str(number))
    return chance.choice(forms).format(n=number, wide=wide, arabic=arabic, id=id_)


def a_case(chance: random.Random, world: World, token: str) -> Case:
    core = f"the index {token} of the shop is being rebuilt"
    kind = chance.choice(("plain", "plain", "elsewhere", "head", "declare", "verbless", "long"))
    if kind == "declare":
        return a_declare(chance, core)
    name = chance.choice(("here", "there"))
    number, id_ = world.named(name)
    sure = chance.random() < 0.7
    ref = spelled(chance, ACCEPTED if sure else UNCLEAR, number, id_)
    verb = chance.choice((*MOVES, *NOTES, "update", "status", "title"))
    text = core if kind != "long" else f"{core} " + "x" * chance.choice((2_000, 3_100, 6_500))
    if kind == "verbless":
        return Case(f"{chance.choice((*TRIED, ref))} {ref} {text}", core)
    if kind == "head" and verb in {"update", "title"}:
        head = chance.choice((*AUDIENCE, *(OPTIONS if verb == "update" else ())))
        text = f"{ref} {head}{text}" if sure else f"{head}{ref} {text}"
        if chance.random() < 0.4:
            tail = chance.choice((*PRIVATE_TAILS, *(TAILS if verb == "update" else ())))
            text = f"{ref} {core}{tail}"
        return Case(f"{verb} {text}", core)
    argument = (
        f"{chance.choice((*STATUSES, 'identifed', 'montoring'))} " if verb == "status" else ""
    )
    if kind == "head":
        # A note for everyone is asked about, whatever step it comes with.
        sure, text = False, f"{chance.choice(FOR_EVERYONE)}{text}"
    elif kind == "elsewhere":
        # With a text glued to it a number at the end is a word like any other.
        ref = ref if ref[-2:] != "so" else f"ticket {number}"
        return Case(f"{verb} {argument}{text} {ref}", core)
    if chance.random() < 0.2:
        return Case(
            f"{verb} {argument}{text}",
            core,
            may_change=frozenset({"here"} if kind != "head" else ()),
            may_publish=verb in {"update", "title"},
        )
    return Case(
        f"{verb} {ref} {argument}{text}",
        core,
        may_change=frozenset({name}) if sure else frozenset(),
        may_publish=verb in {"update", "title"},
    )


def a_declare(chance: random.Random, core: str) -> Case:
    title = core.capitalize()
    if chance.random() < 0.6:
        form = chance.choice((*PRIVATES, *QUOTED_PRIVATES))
        return Case(f"declare {form.format(title)}", core[4:])
    if chance.random() < 0.3:
        return Case(f"declare {chance.choice(UNKNOWN)}{title}", core[4:])
    option = chance.choice(
        (" severity=high", " --severity high", " sev:hihg", " sev high", " sev1", " P1", "")
    )
    quoted = chance.choice(("{}", '"{}"', "'{}'", "‘{}’", "「{}」", "„{}“")).format(title)
    return Case(f"declare {quoted}{option}", core[4:], may_declare_in_public=True)


# --- the world ------------------------------------------------------------------------------------


class Windows:
    """Slack's client as far as it opens dialogs: it remembers them."""

    def __init__(self) -> None:
        self.dialogs: list[Any] = []

    async def views_open(self, *, view: Any, **_: Any) -> Any:
        self.dialogs = [view]
        return {"view": {"id": "V1"}}

    async def views_update(self, *, view: Any, **_: Any) -> None:
        self.dialogs = [view]


class Everybody:
    """Profiles without a call to Slack: everybody is a full member."""

    async def actor(self, workspace: str, _: str, *, channel: str | None, groups: Groups) -> Actor:
        return an_actor(ADA, workspace=workspace, channel=channel, groups=groups)

    async def member(self, *_: str) -> Any:
        return ADA

    async def zone(self, *_: str) -> Any:
        return UTC


@dataclass
class World:
    """Two incidents in two channels, one of them ``here``, where everything is typed."""

    store: SqlStore
    clock: Clock = field(default_factory=Clock)
    numbers: Any = field(default_factory=lambda: count(1))

    def __post_init__(self) -> None:
        self.incidents = Incidents(self.store, clock=self.clock, wake=lambda: None)
        self.windows = Windows()
        metrics = Metrics()
        client: Any = self.windows
        people: Any = Everybody()
        self.answers = Answers(client, clock=self.clock, metrics=metrics)
        shelf = Shelf(
            self.store, clock=self.clock, address=lambda page, _alone: f"/status/{page.slug}"
        )
        pages = Pages(Curation(self.store, clock=self.clock), shelf.address_of)
        arranging = Arranging(pages, self.answers, clock=self.clock)
        workspaces = Workspaces(
            self.incidents,
            SettingsBook(self.store, clock=self.clock),
            people,
            client,
            catalogue=CATALOGUE,
            defaults=WorkspaceSettings(),
            page_line=arranging.line,
        )
        self.actions = Actions(
            self.incidents,
            people,
            client,
            self.answers,
            DraftBook(self.store, clock=self.clock),
            catch_ups=CatchUps(self.store, clock=self.clock),
            catalogue=CATALOGUE,
            workspaces=workspaces,
            arranging=arranging,
            subscribed=SubscribedChannels(
                Subscribing(self.store, clock=self.clock),
                client,
                self.answers,
                revive=revived,
                clock=self.clock,
            ),
            clock=self.clock,
        )

    async def begin(self) -> None:
        """New incidents in new channels: what was open before is elsewhere."""
        self.turn = next(self.numbers)
        self.here, self.there = f"C0HERE{self.turn}", f"C0THERE{self.turn}"
        self.ids = {}
        for name, channel in (("there", self.there), ("here", self.here)):
            command = a_declaration(
                actor=an_actor(),
                id=an_id(f"{name} {self.turn}"),
                title=f"Outage {name}",
                place=Place(channel),
            )
            outcome = await self.incidents.execute(command)
            self.ids[name] = outcome.incident

    def named(self, name: str) -> tuple[int, object]:
        return self.ids[name].number, self.ids[name].id

    def interaction(self, trigger: str) -> Interaction:
        return Interaction(
            door="command",
            workspace=WORKSPACE,
            user=ADA.id,
            place=Place(self.here),
            trigger=trigger,
        )

    async def type(self, text: str, trigger: str) -> Any:
        interaction = self.interaction(trigger)
        self.windows.dialogs = []
        work = self.actions.command(interaction, text)
        return (await self.answers.conclude(interaction, "x", work)).reply

    async def press(self, value: str, trigger: str) -> Any:
        interaction = self.interaction(trigger)
        self.windows.dialogs = []
        work = self.actions.click(interaction, {"value": value})
        return (await self.answers.conclude(interaction, "x", work)).reply

    async def state(self) -> State:
        """What is kept of the two incidents, of the newest one, and in drafts and dialogs."""

        def read(reader: SqlReader) -> State:
            page = reader.board(ADMIN, EVERYTHING, before=None, after=None, limit=1)
            named = {name: reader.incident(WORKSPACE, one.id) for name, one in self.ids.items()}
            seen = [one for one in (*named.values(), *page.items) if one]
            lines = [
                line
                for one in {one.id: one for one in seen}.values()
                for line in reader.timeline(one, before=None, limit=50).items
            ]
            bodies = connection_of(reader).execute(sql("SELECT body FROM draft")).scalars()
            kept = [line.body or "" for line in lines]
            kept += [text for one in seen for text in (one.title, one.description or "")]
            public = [line.body or "" for line in lines if line.visibility is Visibility.PUBLIC]
            public += [one.title for one in seen if not one.private]
            return State(
                versions={name: one.version if one else 0 for name, one in named.items()},
                newest=page.items[0].number,
                kept=[*kept, *(text for body in bodies for text in strings(json.loads(body)))],
                public=public,
            )

        state = await self.store.read(read)
        return replace(state, kept=[*state.kept, *filled(self.windows.dialogs)])


@dataclass(frozen=True)
class State:
    versions: dict[str, int]
    newest: int
    kept: list[str]
    public: list[str]

    def changed(self, later: State) -> set[str]:
        return {name for name in self.versions if self.versions[name] != later.versions[name]}


def strings(value: Any) -> list[str]:
    """Every string in a JSON value."""
    if isinstance(value, str):
        return [value]
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [text for one in inner for text in strings(one)]


def filled(dialogs: list[Any]) -> list[str]:
    """The texts that the boxes of ``dialogs`` hold; boxes of one text are one."""
    return [
        "".join(
            block["element"].get("initial_value", "")
            for block in dialog["blocks"]
            if block["type"] == "input"
        )
        for dialog in dialogs
    ]


def buttons(reply: Any) -> list[tuple[str, str]]:
    """The label and the value of each button in ``reply``."""
    return [
        (element["text"]["text"], element["value"])
        for block in (reply or {}).get("blocks", ())
        for element in block.get("elements", ())
        if element["type"] == "button"
    ]


# Labels of buttons that show a text to everybody.
PUBLISHING = ("Publish", "Declare it", "It is part of the title", "Rename")


async def run(world: World, case: Case, token: str, chance: random.Random, before: State) -> State:
    """Types one command, checks what followed, and presses one of the buttons of its answer."""
    reply = await world.type(case.text, f"{token}.typed")
    after = await world.state()
    assert before.changed(after) <= case.may_change, case
    text_is_public = any(token in text for text in after.public)
    assert not text_is_public or case.may_publish or case.may_declare_in_public, case
    assert any(case.typed in text for text in after.kept), case

    labels = [label for label, _ in buttons(reply)]
    assert len(set(labels)) == len(labels), (case, labels)
    offered = [one for one in buttons(reply) if not one[0].startswith(("Take back", "Timeline"))]
    if not offered or before.changed(after):
        return after
    label, value = chance.choice(offered)
    await world.press(value, f"{token}.pressed")
    pressed = await world.state()
    for name in after.changed(pressed):
        number = world.named(name)[0]
        assert f"INC-{number}" in label or "INC-" not in label, (case, label)
    if any(token in text for text in pressed.public) and not text_is_public:
        assert label.startswith(PUBLISHING), (case, label)
        assert case.text.split()[0] in {"update", "title", "declare"}, (case, label)
    assert any(case.typed in text for text in pressed.kept), (case, label)
    return pressed


def a_token(number: int) -> str:
    """A word of its own for each case: only letters, like no other word."""
    letters = [chr(ord("a") + number // 26**place % 26) for place in range(4)]
    return f"qz{''.join(letters)}xq"


async def play(url: str, seed: int, cases: int) -> None:
    chance = random.Random(seed)
    store = SqlStore(url)
    world = World(store)
    try:
        await world.begin()
        before = await world.state()
        for number in range(cases):
            world.clock.advance(seconds=10)
            case = a_case(chance, world, a_token(number))
            after = await run(world, case, a_token(number), chance, before)
            if before.changed(after) or before.newest != after.newest:
                await world.begin()
                after = await world.state()
            before = after
    finally:
        store.close()


def test_no_command_is_guessed(database_url):
    asyncio.run(play(database_url, seed=0, cases=300))


@pytest.mark.torture
@pytest.mark.parametrize("seed", range(100, 120))
def test_no_command_is_guessed_in_twenty_thousand(seed, database_url):
    asyncio.run(play(database_url, seed, 1_000))
