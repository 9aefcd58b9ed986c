"""Every refusal that carries an incident, an update, a component or an actor, as a typed error.

    UserError                 its text is for the person: show it, log at info, never alert
    ├── InvalidField          a text or a value is not acceptable
    │   ├── NotAComponent         a filter names a component that does not exist
    │   └── InvalidDuplicate      a duplicate of no incident, or of itself
    ├── EmptyUpdate           nothing was asked for
    ├── UnknownLifecycle      no lifecycle has that name
    ├── NotFound              there is no such incident, or not for this actor
    ├── WhichIncident         no incident was named, and the channel does not settle it
    ├── NoSuchEntry           the timeline has no such update
    │   ├── NoSuchSection         nobody has written that section of the report
    │   └── NoSuchText            the incident never had a description, a category or other title
    ├── UnknownComponent      a component that looks like a slip of one that exists
    ├── NoSuchComponent       no component has that id
    ├── NoSuchWebhook         no webhook has that id
    ├── NotSubscribed         the channel has no subscription that could end
    ├── RepeatedComponent     one component was named twice, by its id
    ├── ComponentExists       a component of that name exists already
    ├── NotImported           another status page cannot be imported as it is
    ├── Refused               a transition that the lifecycle does not allow
    │   ├── IncidentResolved      the incident is in a terminal status
    │   ├── UnknownStatus         the incident's lifecycle has no such status
    │   └── TransitionNotAllowed  the step is not valid now
    ├── SeveralNextSteps      "the next step", and there are several
    ├── StaleStatus           the incident has moved since the button was drawn
    ├── TooSoon               a click on a next step within three seconds of another click
    ├── NoPublicSurface       nobody could read a public update
    ├── PossibleLeak          a public text or title may hold what must not leave
    ├── NoPublicSide          a public report of an incident that has no public side
    ├── NothingToRedact       the entry has no text
    ├── CurrentTitle          the entry has no text but the present title
    ├── AlreadyPublic         it was to be taken back while it is held, and is public by now
    ├── NotPrivate            an invitation to an incident that everybody sees
    ├── TitleChanged          the title is not the one that was agreed to become public
    ├── NotOver               a resolution before the end
    ├── SectionChanged        that section of the report was written, or withdrawn, meanwhile
    ├── FactChanged           title, description or components are other ones than were read
    ├── SettingsChanged       somebody else saved settings of the workspace meanwhile
    ├── NothingToPromise      a promise of an update on an incident that is resolved
    ├── PromiseOver           the promise of a button is over, or another one is in force
    ├── NothingToRelease      no promise is in force that could be released
    ├── NotAsked              an answer to a question that another person was asked
    ├── NoChannels            a channel of its own, in a workspace where incidents get none
    ├── ChannelArchived       a channel that is to be kept, and is archived or was never made
    ├── RedactionNotPermitted the author's five minutes are over, and the actor is no admin
    └── Denied                the actor lacks a permission
    InvalidFile                 a file of lifecycles or templates is wrong: all of its problems

`core.errors` has the first four and the last, and says what a message may quote. `core.missing`
has those of names and ids, `core.denials` has the last but one, and this module the others.
"""

from __future__ import annotations

from core.advice import Act, Advice, about
from core.errors import InvalidField, UserError, closest, nearest
from core.incident import Component, Incident, Update
from core.leaks import Leak, LeakKind
from core.texts import listed


class NotAComponent(InvalidField):
    """``suggestion`` is a name close to ``asked``, or None; ``known`` are all names."""

    def __init__(
        self, problem: str, *, asked: str, suggestion: str | None, known: tuple[str, ...]
    ) -> None:
        super().__init__("components", problem)
        self.asked = asked
        self.suggestion = suggestion
        self.known = known


class RepeatedComponent(UserError):
    """Raised only for ids: a name that is typed twice is harmless."""

    def __init__(self, component: Component) -> None:
        super().__init__(f'The component "{component.name}" is named twice: name each once.')
        self.component = component


class ComponentExists(UserError):
    """``component`` has that name already; case does not count."""

    def __init__(self, component: Component) -> None:
        super().__init__(
            f'There is a component "{component.name}" already: use it, or choose another name.'
        )
        self.component = component


class NotImported(UserError):
    """Nothing of another status page was imported; the message says why."""


class Refused(UserError):
    """A transition that the lifecycle does not allow. Only subclasses are raised.

    ``asked`` is None if an update without a transition was refused; ``next_steps`` are the statuses
    that are valid now.
    """

    def __init__(self, incident: Incident, asked: str | None, message: str) -> None:
        super().__init__(message)
        self.incident = incident
        self.asked = asked
        self.next_steps = incident.next_steps


class IncidentResolved(Refused):
    """The incident is in a terminal status and accepts no update at all.

    ``correctable``: it would accept the public text alone, in the place of a withdrawn one.
    """

    def __init__(self, incident: Incident, asked: str | None, *, correctable: bool = False) -> None:
        super().__init__(
            incident,
            asked,
            f"{incident.name} is {incident.status}, which is the end of its lifecycle: "
            + (f"it cannot become {asked}, and " if asked and asked != incident.status else "it ")
            + "takes no further updates. If it is happening again, declare a new incident.",
        )
        self.correctable = correctable


class UnknownStatus(Refused):
    """``suggestion`` is the closest status, or None."""

    def __init__(self, incident: Incident, asked: str) -> None:
        statuses = tuple(status.name for status in incident.lifecycle.statuses)
        listed = ", ".join(f"{s} (now)" if s == incident.status else s for s in statuses)
        super().__init__(
            incident,
            asked,
            f'There is no status "{asked}" in this lifecycle{closest(asked, statuses) or "."} '
            f"Statuses of {incident.name}: {listed}.",
        )
        self.suggestion = nearest(asked, statuses)


class TransitionNotAllowed(Refused):
    """The step is not valid now. ``path`` is the shortest legal path to it, empty if none."""

    def __init__(self, incident: Incident, asked: str) -> None:
        super().__init__(
            incident,
            asked,
            f"{incident.name} is {incident.status} and cannot become {asked} now. "
            f"Valid next steps: {', '.join(incident.next_steps)}.",
        )
        self.path = incident.lifecycle.path(incident.status, asked)


class SeveralNextSteps(UserError):
    """The next step was asked for without a name, and there are several."""

    def __init__(self, incident: Incident) -> None:
        super().__init__(
            f"{incident.name} is {incident.status} and can go several ways: "
            f"{', '.join(incident.next_steps)}. Choose one."
        )
        self.incident = incident


class StaleStatus(UserError):
    """``moved`` is the transition that came first, with its actor, time and status.

    Nothing was changed.
    """

    def __init__(self, incident: Incident, expected: str, moved: Update) -> None:
        super().__init__(
            f"{moved.by.name} moved {incident.name} to {incident.status} before you. "
            "Nothing was changed: look where it is now, and choose again."
        )
        self.incident = incident
        self.expected = expected
        self.moved = moved


class TooSoon(UserError):
    """A click on the next step ``asked``, at once after another click of the same person."""

    def __init__(self, incident: Incident, asked: str) -> None:
        super().__init__(
            f"{incident.name} is {incident.status}. Your click followed another one at once, and "
            f"changed nothing: should it become {asked} as well?"
        )
        self.incident = incident
        self.asked = asked


class NoPublicSurface(UserError):
    """The workspace has no status channel, or the incident is private."""

    def __init__(self, incident: Incident) -> None:
        if incident.private:
            super().__init__(
                f"{incident.name} is private: it has no public side, and a public update would "
                "have no reader.",
                about(Act.NOTE, "Write a note instead: {}.", incident),
            )
        else:
            super().__init__(
                "There is no status channel yet, so nobody could read a public update.",
                Advice(act=Act.STATUS_CHANNEL, sentence="A workspace admin sets one with {}."),
            )
        self.incident = incident


class PossibleLeak(UserError):
    """A public text, or a ``title``, may hold what must not leave. Nothing was changed.

    ``findings`` are its places in ``text``, which only its author may see. ``incident`` None: it is
    the title of a declaration. ``opening``: a private incident was to become public, and ``text``
    holds its title and its public texts, a line for each.
    """

    def __init__(
        self,
        incident: Incident | None,
        findings: tuple[Leak, ...],
        text: str,
        *,
        title: bool = False,
        opening: bool = False,
    ) -> None:
        seen = [kind for kind in LeakKind if any(one.kind is kind for one in findings)]
        subject = "title, which is public," if title else "public text"
        subject = "title, or a text that becomes public," if opening else subject
        self.happened = "Nothing was declared"
        if incident is not None:
            act = "changed" if title else "published"
            self.happened = f"Nothing was {act} on {incident.name}"
            if opening:
                self.happened = f"{incident.name} stays private"
        super().__init__(
            f"{self.happened}: the {subject} may hold "
            f"{listed([kind.words for kind in seen])}. Change it, or confirm it."
        )
        self.incident = incident
        self.findings = findings
        self.text = text
        self.title = title
        self.opening = opening


class NoPublicSide(UserError):
    """Nothing of the incident is public: it is private, or its title is still held back."""

    def __init__(self, incident: Incident) -> None:
        super().__init__(
            f"{incident.name} has no public side now, so there is no public report of it."
        )
        self.incident = incident


class NothingToRedact(UserError):
    """The update has no body: a bare transition, a change of facts."""

    def __init__(self, incident: Incident, update: Update) -> None:
        super().__init__(
            f"Entry {update.entry} of {incident.name} has no text to withdraw.",
            about(Act.TIMELINE, "{} shows which have.", incident),
        )
        self.incident = incident
        self.update = update


class CurrentTitle(UserError):
    """The entry gave the title that the incident has now: the incident needs another one first."""

    def __init__(self, incident: Incident, update: Update) -> None:
        super().__init__(
            f"Entry {update.entry} holds the title that {incident.name} has now.",
            about(
                Act.TITLE, "Give it another one first, with {}; then withdraw this one.", incident
            ),
        )
        self.incident = incident
        self.update = update


class AlreadyPublic(UserError):
    """It was to be hidden while it was held back, and is public since ``since`` already.

    ``entry`` is the text or the title in question, None for the whole incident.
    """

    def __init__(self, incident: Incident, entry: Update | None = None) -> None:
        self.incident = incident
        self.entry = entry
        if entry is None:
            self.since = incident.title_public_at or incident.created_at
            named = incident.name
            advice = about(Act.MAKE_PRIVATE, "{} makes it private.", incident)
        else:
            self.since = entry.public_at or entry.at
            named = f"Entry {entry.entry} of {incident.name}"
            advice = about(Act.WITHDRAW, "{} withdraws it.", incident, entry.entry)
        super().__init__(
            f"{named} has been public since {self.since:%H:%M} UTC, and nothing was changed.",
            advice,
        )


class NotPrivate(UserError):
    """Everybody sees the incident, so nobody can be invited."""

    def __init__(self, incident: Incident) -> None:
        super().__init__(
            f"{incident.name} is not private: everyone in the workspace can see it already.",
            about(Act.MAKE_PRIVATE, "{} makes it private.", incident),
        )
        self.incident = incident


class TitleChanged(UserError):
    """The title was changed after the actor read what would become public. Nothing was changed."""

    def __init__(self, incident: Incident) -> None:
        super().__init__(
            f"{incident.name} has another title by now, and nothing was made public.",
            about(Act.MAKE_PUBLIC, "Look again: {}.", incident),
        )
        self.incident = incident


class NotOver(UserError):
    """A resolution is named when the incident is resolved, not before."""

    def __init__(self, incident: Incident) -> None:
        super().__init__(
            f"{incident.name} is {incident.status}: how it ended can be said when it is over."
        )
        self.incident = incident


class SectionChanged(UserError):
    """``entry`` was written by somebody else, or withdrawn, after the author had read it."""

    def __init__(self, incident: Incident, entry: Update) -> None:
        deed = f"{entry.by.name} changed"
        if entry.redacted_by:
            deed = f"{entry.redacted_by.name} withdrew"
        super().__init__(
            f"{deed} this section meanwhile, and nothing was saved.",
            about(Act.REPORT, "{} shows it as it is now.", incident),
        )
        self.incident = incident
        self.entry = entry


class FactChanged(UserError):
    """``fact`` of the incident, by its name in `Change`, was changed after its author read it."""

    def __init__(self, incident: Incident, fact: str) -> None:
        have = "have" if fact == "components" else "has"
        super().__init__(
            f"The {fact} of {incident.name} {have} changed meanwhile, and nothing was saved.",
            about(Act.TIMELINE, "{} shows by whom.", incident),
        )
        self.incident = incident
        self.fact = fact


class SettingsChanged(UserError):
    """Another admin saved settings of the workspace after this one had read them."""

    def __init__(self) -> None:
        super().__init__(
            "Another admin changed the settings meanwhile, and nothing was saved.",
            Advice(act=Act.SETTINGS, sentence="{} shows them as they are now."),
        )


class NothingToPromise(UserError):
    """The public reads that the incident is resolved, and waits for no further update."""

    def __init__(self, incident: Incident) -> None:
        super().__init__(
            f"{incident.name} is {incident.status}: there is no next update to promise."
        )
        self.incident = incident


class PromiseOver(UserError):
    """The promise was kept, released or moved since the button was drawn. Nothing was changed."""

    def __init__(self, incident: Incident) -> None:
        super().__init__(
            f"That promise of {incident.name} is over, and nothing was changed.",
            about(Act.PROMISE, "{} makes a new one.", incident),
        )
        self.incident = incident


class NothingToRelease(UserError):
    """No promise is in force. Nothing was changed, and no reason was kept."""

    def __init__(self, incident: Incident) -> None:
        super().__init__(
            f"There is nothing to release: {incident.name} has no promise in force. "
            "Nothing was changed."
        )
        self.incident = incident


class InvalidDuplicate(InvalidField):
    """The other incident is not named, is the incident itself, or is none for this actor."""

    def __init__(self, problem: str = "must be named by its number, such as INC-41") -> None:
        super().__init__("duplicate_of", problem)


class NotAsked(UserError):
    """Only the person who was made owner says whether they take the incident."""

    def __init__(self, incident: Incident) -> None:
        super().__init__(
            f"Only the new owner of {incident.name} is asked that.",
            about(Act.ASSIGN, "{} makes you the owner.", incident),
        )
        self.incident = incident


class NoChannels(UserError):
    """The setting ``incident_channels`` is off."""

    def __init__(self, incident: Incident) -> None:
        super().__init__(
            f"Incidents get no channels of their own here, and nothing was changed. Work on "
            f"{incident.name} in any channel.",
            Advice(act=Act.SETTINGS, sentence="A workspace admin switches them on with {}."),
        )
        self.incident = incident


class ChannelArchived(UserError):
    """There is no channel to keep: it is archived, or there never was one."""

    def __init__(self, incident: Incident) -> None:
        super().__init__(
            f"{incident.name} has no channel that could be kept. Members of an archived channel "
            "can unarchive it in Slack."
        )
        self.incident = incident


class RedactionNotPermitted(UserError):
    """The author may within five minutes, a workspace admin at any time."""

    def __init__(self, incident: Incident, update: Update) -> None:
        super().__init__(
            f"Entry {update.entry} of {incident.name} can be withdrawn by {update.by.name} within "
            "5 minutes of writing it, and by a workspace admin at any time. Ask an admin."
        )
        self.incident = incident
        self.update = update
