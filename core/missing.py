"""The refusals of names and ids that lead nowhere, or to several things."""

from __future__ import annotations

from core.advice import Act, Advice, about
from core.errors import UserError
from core.incident import DeclaredText, Incident, Section
from core.ranking import counted


class NotFound(UserError):
    """Unknown ids, ids of other workspaces and invisible private incidents are refused alike."""

    def __init__(self, ref: object) -> None:
        named = f"INC-{ref}" if isinstance(ref, int) else "with that id"
        super().__init__(
            f"There is no incident {named} here.",
            Advice(act=Act.LIST, sentence="{} shows the open ones."),
        )
        self.ref = ref


class WhichIncident(UserError):
    """``open_here`` are the open incidents that have their card in the channel: none or several.

    They are the worst of ``total``. ``responds``: the actor may declare incidents and move them.
    """

    def __init__(
        self, open_here: tuple[Incident, ...], *, total: int = 0, responds: bool = True
    ) -> None:
        many, names = "Several", ", ".join(incident.name for incident in open_here)
        if total > len(open_here):
            many = counted(total).capitalize()
            names = f"the worst {len(open_here)} are {names}"
        super().__init__(
            f"{many} incidents are open in this channel ({names}): say which, by its number."
            if open_here
            else "No open incident has its card in this channel: say which one, by its number."
        )
        self.open_here = open_here
        self.total = max(total, len(open_here))
        self.responds = responds


class NoSuchEntry(UserError):
    """The incident's timeline has no update with that number or id."""

    def __init__(self, incident: Incident, entry: object) -> None:
        named = f"entry {entry}" if isinstance(entry, int) else "such entry"
        super().__init__(
            f"The timeline of {incident.name} has no {named}.",
            about(Act.TIMELINE, "{} shows the numbers.", incident),
        )
        self.incident = incident


class NoSuchSection(NoSuchEntry):
    """Nobody has written that section of the report, so there is nothing to withdraw."""

    def __init__(self, incident: Incident, section: Section) -> None:
        UserError.__init__(
            self,
            f"Nobody has written the section {section.words} of {incident.name}.",
            about(Act.REPORT, "{} shows what is written.", incident),
        )
        self.incident = incident


class NoSuchText(NoSuchEntry):
    """The incident has had no text of that name which could be withdrawn."""

    def __init__(self, incident: Incident, name: DeclaredText) -> None:
        told = {
            DeclaredText.DESCRIPTION: f"{incident.name} has no description to withdraw.",
            DeclaredText.CATEGORY: f"{incident.name} has no category to withdraw.",
            DeclaredText.TITLE: f"{incident.name} has no earlier title to withdraw: its title was "
            "never changed.",
        }
        ways = {
            DeclaredText.TITLE: (
                Act.TITLE,
                "To withdraw the present one, give it another one first, with {}.",
            ),
        }
        way = ways.get(name, (Act.TIMELINE, "{} shows the texts that it has."))
        UserError.__init__(self, told[name], about(*way, incident))
        self.incident = incident


class UnknownComponent(UserError):
    """Raised only if a known name is close; any other name makes a new component."""

    def __init__(self, asked: str, suggestion: str) -> None:
        super().__init__(
            f'There is no component "{asked}": did you mean "{suggestion}"? '
            f'To make a new one of that name, write "+{asked}".'
        )
        self.asked = asked
        self.suggestion = suggestion


class NoSuchComponent(UserError):
    """Unknown ids and ids of other workspaces are refused alike."""

    def __init__(self) -> None:
        super().__init__(
            "A component id is not one of this workspace's components.",
            Advice(act=Act.COMPONENTS, sentence="Take ids from {}."),
        )


class NoSuchWebhook(UserError):
    """Unknown ids and ids of other workspaces are refused alike."""

    def __init__(self) -> None:
        super().__init__(
            "There is no webhook with that id here.",
            Advice(act=Act.WEBHOOKS, sentence="Take ids from {}."),
        )


class NotSubscribed(UserError):
    """``channel`` is the id of the one that was named."""

    def __init__(self, channel: str) -> None:
        super().__init__(
            "That channel is not subscribed.",
            Advice(act=Act.SUBSCRIPTIONS, sentence="{} shows those that are."),
        )
        self.channel = channel
