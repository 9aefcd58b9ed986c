"""The readers of an incident and its notes: one rule, for the policy and for every sentence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import assert_never

from core.incident import Actor, Incident, Person, Place


class ReaderGroup(StrEnum):
    """A group of people who may read something, in the order in which a sentence names them."""

    EVERYONE = "everyone"  # everybody in the workspace, and in public
    CHANNEL = "channel"  # the members of the private channels that have the card
    DECLARER = "declarer"
    OWNER = "owner"
    INVITED = "invited"
    ADMINS = "admins"


@dataclass(frozen=True, slots=True, kw_only=True)
class Audience:
    """The readers of an incident, or of a text of it: everybody who is in one of ``groups``.

    With ``among_responders`` only responders of these. ``people`` are those of the groups that name
    people, ``channels`` are the private channels of `ReaderGroup.CHANNEL`. API keys read as well;
    they are no people.
    """

    groups: tuple[ReaderGroup, ...]
    people: Mapping[ReaderGroup, tuple[Person, ...]]
    channels: tuple[str, ...] = ()
    among_responders: bool = False


def audience(incident: Incident) -> Audience:
    """The people for whom ``incident`` exists.

    Every sentence that tells a person about readers is made from it. A private incident exists for
    its declarer, its owner, the invited and workspace admins, and for requests from the
    private channel of its declaration or from one of its own (Slack lets only members speak there).
    ``storage.boards`` filters boards by the same rule; a test compares the two.
    """
    if not incident.private:
        return Audience(groups=(ReaderGroup.EVERYONE,), people={})
    owner = (incident.owner,) if incident.owner else ()
    return _insiders(incident.card_channels, incident.declared_by, owner, incident.invited)


def audience_of_declaration(declarer: Person, place: Place | None, *, private: bool) -> Audience:
    """The people for whom an incident would exist that ``declarer`` declared in ``place`` now."""
    if not private:
        return Audience(groups=(ReaderGroup.EVERYONE,), people={})
    here = (place.channel,) if place and place.may_show(private=True) else ()
    return _insiders(here, declarer)


def _insiders(
    channels: tuple[str, ...],
    declarer: Person,
    owner: tuple[Person, ...] = (),
    invited: tuple[Person, ...] = (),
) -> Audience:
    people = {
        ReaderGroup.DECLARER: (declarer,),
        ReaderGroup.OWNER: owner,
        ReaderGroup.INVITED: invited,
    }
    members = (ReaderGroup.CHANNEL,) if channels else ()
    groups = (*members, *people, ReaderGroup.ADMINS)
    return Audience(groups=groups, people=people, channels=channels)


def note_audience(incident: Incident) -> Audience:
    """The people who may read a note of ``incident``: the responders for whom it exists."""
    return replace(audience(incident), among_responders=True)


def reads(actor: Actor, readers: Audience) -> bool:
    """Whether ``actor``, a member of the workspace, is one of ``readers``."""
    if actor.sees_private:
        return True
    if readers.among_responders and not actor.responder:
        return False
    return any(_belongs(actor, group, readers) for group in readers.groups)


def may_be_told(incident: Incident, receiver: str) -> bool:
    """Whether a message about ``incident`` may go to ``receiver``, the id of a person or a channel.

    An admin may look at a private incident, and is sent nothing about it.
    """
    actor = Actor(workspace=incident.workspace, person=Person(receiver, receiver), channel=receiver)
    return reads(actor, audience(incident))


def _belongs(actor: Actor, group: ReaderGroup, readers: Audience) -> bool:
    match group:
        case ReaderGroup.EVERYONE:
            return True
        case ReaderGroup.CHANNEL:
            return actor.channel in readers.channels
        case ReaderGroup.DECLARER | ReaderGroup.OWNER | ReaderGroup.INVITED:
            return actor.person in readers.people[group]
        case ReaderGroup.ADMINS:
            return actor.admin
        case _:
            assert_never(group)
