"""Which incidents a subscription is told of: those that are bad enough, and of its components."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from core.errors import InvalidField
from core.incident import Component, Severity


@dataclass(frozen=True, slots=True, kw_only=True)
class SubscriptionFilter:
    """``severity`` is the lowest that it is told of; None: every one.

    ``components`` limit it to incidents that tag one of them; empty: to none.
    """

    severity: Severity | None = None
    components: tuple[Component, ...] = ()

    def matches(self, severity: Severity, components: Iterable[Component]) -> bool:
        """Whether an incident of ``severity`` that tags ``components`` passes the filter."""
        order = list(Severity)
        if self.severity is not None and order.index(severity) > order.index(self.severity):
            return False
        wanted = {one.id for one in self.components}
        return not wanted or any(one.id in wanted for one in components)


def lowest_severity(text: str) -> Severity:
    """The severity that ``high`` or ``high+`` names: it and all that are worse.

    Raises:
        InvalidField: ``severity``.
    """
    try:
        return Severity(text.strip().removesuffix("+").casefold())
    except ValueError:
        words = ", ".join(Severity)
        raise InvalidField(
            "severity", f'is one of {words}; "high+" means high and all that is worse'
        ) from None
