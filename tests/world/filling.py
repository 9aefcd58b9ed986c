"""A database that the clients of the public page read: one page to compare, and three to look at.

Its moments are relative to the real time, since the servers are processes.
"""

from __future__ import annotations

from datetime import timedelta

from core.arranging import ComponentChange
from core.commands import Redact
from core.curating import Curation
from core.incident import Note, Person, Place, PublicText, Severity
from core.page import DAYS, ComponentStatus
from core.promise import NextUpdate
from core.service import Incidents
from tests.builders import a_change, a_declaration, an_actor, an_id

CANARY = "xyzzy-db-3"
# Before the present.
CHECKOUT_BEGAN = timedelta(hours=3)
OPERATOR = Person("key:operator", "operator")


class Workspace:
    """A workspace at work; ``clock`` is moved on by its acts."""

    def __init__(self, store, clock, team):
        self._clock = clock
        self._team = team
        self._actor = an_actor(OPERATOR, workspace=team, admin=True)
        self._incidents = Incidents(store, clock=clock, wake=lambda: None)
        self.curation = Curation(store, clock=clock)
        self._number = 0

    async def publish(self, title, slug):
        await self.curation.publish(self._actor, title=title, slug=slug)

    async def component(self, name, group=None, description=None, **changes):
        """A component that was there before the first day of its bar."""
        await self._incidents.make_component(
            self._actor,
            name=name,
            description=description,
            group=group,
            then=lambda _tx, _made: None,
        )
        began = self._clock().date() - timedelta(days=2 * DAYS)
        change = ComponentChange(shown=True, start_date=began, **changes)
        await self.curation.change_component(self._actor, name, change)

    async def override(self, name, status, **of):
        await self.curation.override(self._actor, name, status, **of)

    async def declare(self, title, severity, *components, **fields):
        self._number += 1
        await self._incidents.execute(
            a_declaration(
                actor=self._actor,
                id=an_id(f"{self._team} {self._number}"),
                title=title,
                severity=severity,
                components=components,
                **fields,
            )
        )
        return self._number

    async def change(self, number, text=None, *, minutes=5, **fields):
        self._clock.advance(minutes=minutes)
        public = {"public": PublicText(text), "confirmed": True} if text else {}
        await self._incidents.execute(a_change(actor=self._actor, ref=number, **public, **fields))

    async def withdraw(self, number, entry):
        self._clock.advance(minutes=1)
        await self._incidents.execute(Redact(actor=self._actor, ref=number, entry=entry))


async def fill(store, clock):
    """Everything; ``clock`` is the present, and ends there."""
    present = clock.now
    await acme(Workspace(store, clock, "T0ACME"), clock, present)
    clock.now = present - timedelta(days=DAYS)
    await Workspace(store, clock, "T0EMPTY").publish("Quiet Inc.", "empty")
    await one(Workspace(store, clock, "T0ONE"), clock, present)
    await many(Workspace(store, clock, "T0MANY"), clock, present)
    clock.now = present


async def acme(acme, clock, present):
    """The page that clients compare: two open incidents, one that is over, and private text."""
    clock.now = present - timedelta(days=100)
    await acme.publish("Acme <status> & more", "acme")
    await acme.component("Checkout API", "Shop", "Carts & orders")
    await acme.component("Web shop", "Shop")
    await acme.component("Search <beta>")
    await acme.component("Reports")
    clock.now = present - timedelta(days=5)
    over = await acme.declare("Search is slow", Severity.MEDIUM, "Search <beta>")
    await acme.change(over, to="identified")
    await acme.change(over, "We are adding memory.", to="monitoring")
    await acme.change(over, "A cache had run out of memory.\nWe have added more.", to="resolved")
    clock.now = present - CHECKOUT_BEGAN
    await acme.override("Reports", ComponentStatus.UNDER_MAINTENANCE, reason=CANARY)
    await acme.declare(
        f"Breach of {CANARY}",
        Severity.CRITICAL,
        private=True,
        place=Place("C0SECRET", private=True),
    )
    down = await acme.declare(
        "Checkout is <down> & out", Severity.CRITICAL, "Checkout API", "Web shop"
    )
    await acme.change(down, note=Note(f"{CANARY} lost quorum"))
    await acme.change(
        down, "Card payments fail.\nSee https://acme.example/cards?a=1&b=2.", to="identified"
    )
    await acme.change(down, f"This says too much: {CANARY}")
    await acme.withdraw(down, 4)
    await acme.change(
        down,
        "A <fix> is in place.",
        to="monitoring",
        next_update=NextUpdate(within=timedelta(days=2)),
    )
    clock.now = present - timedelta(hours=1)
    await acme.declare("Images load slowly", Severity.MEDIUM, "Web shop")


async def one(one, clock, present):
    clock.now = present - timedelta(days=60)
    await one.publish("Northwind status", "one")
    for name in ("Website", "API", "Background jobs"):
        await one.component(name)
    clock.now = present - timedelta(hours=2)
    number = await one.declare("API requests time out", Severity.HIGH, "API")
    await one.change(number, "One in ten requests takes too long. We are looking for the cause.")
    await one.change(number, "A bad index is the cause. We are building it anew.", to="identified")


AREAS = ("Storefront", "Payments", "Logistics", "Data platform", "Identity", "Mobile")


async def many(many, clock, present):
    """40 incidents, three of them open, and 60 components; ten of these are in no group."""
    clock.now = present - timedelta(days=90)
    await many.publish("Globex service status", "many")
    names = [f"{area} service {place}" for place in range(1, 11) for area in AREAS]
    for place, name in enumerate(names, 1):
        area = next(area for area in AREAS if name.startswith(area))
        await many.component(name, None if area == "Mobile" else area, position=place)
    severities = [Severity.MEDIUM, Severity.HIGH, Severity.LOW, Severity.CRITICAL]
    for turn in range(37):
        clock.now = present - timedelta(days=85 - 2 * turn)
        tagged = names[turn % 60], names[(turn * 7) % 60]
        number = await many.declare(
            f"{tagged[0]} answers slowly for some customers in the north",
            severities[turn % 4],
            *tagged,
        )
        await many.change(number, "We have found the cause and are working on it.", to="identified")
        await many.change(number, to="monitoring", minutes=15)
        await many.change(
            number, "The fix is out. Everything answers again.", to="resolved", minutes=50
        )
    for hours, severity in ((9, Severity.LOW), (4, Severity.HIGH), (1, Severity.MEDIUM)):
        clock.now = present - timedelta(hours=hours)
        number = await many.declare(
            f"Deliveries are late in region {hours}", severity, names[hours]
        )
        await many.change(number, "We know of it and look into it.")
