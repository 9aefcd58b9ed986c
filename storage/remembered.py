"""The incidents of a page as they were read last, so that a change costs what changed.

What the public sees of an incident that is over follows from its rows, which no write changes
without the version of the first of them, from the components that are shown, and from moments at
which held texts become public. As long as all three are the same, so is the value.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from core.incident import Component
from core.public_side import PublicIncident


class Remembered:
    """The remembered incidents of one page. Not for several threads at once."""

    def __init__(self) -> None:
        self._incidents: dict[int, tuple[int, PublicIncident]] = {}
        self._components: tuple[Component, ...] = ()
        self._at: datetime | None = None
        self._turn: datetime | None = None

    def good(
        self, versions: Mapping[int, int], components: tuple[Component, ...], *, at: datetime
    ) -> dict[int, PublicIncident]:
        """Those that are still the same at the moment ``at``, by number.

        ``versions`` are those of the rows by number, ``components`` all that are shown.
        """
        is_same = components == self._components and self._at is not None and self._at <= at
        if not is_same or (self._turn is not None and self._turn <= at):
            self._incidents = {}
        self._components, self._at = components, at
        return {
            number: incident
            for number, (version, incident) in self._incidents.items()
            if versions.get(number) == version
        }

    def keep(
        self,
        incidents: Iterable[PublicIncident],
        versions: Mapping[int, int],
        *,
        turn: datetime | None,
    ) -> None:
        """Remembers those of ``incidents`` that are over, and none but them.

        ``turn`` is the first moment after that of `good` at which a held text becomes public.
        """
        self._turn = turn
        self._incidents = {
            one.number: (versions[one.number], one) for one in incidents if _is_settled(one)
        }


def _is_settled(one: PublicIncident) -> bool:
    """Whether nothing of it changes by itself, and each write changes the version of its row.

    A promise falls due by itself. Importing an incident once more may change what it keeps alone.
    """
    return one.terminal and one.next_update is None and one.kept is None
