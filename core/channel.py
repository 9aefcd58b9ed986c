"""Channels of their own: the name of one, when it is archived, and when one is opened. Pure.

Such a channel belongs to one incident. An incident has at most one public and one private channel,
because its readers may change.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NewType

# Slack takes lower-case letters, digits, hyphens and underscores.
# Source: https://docs.slack.dev/reference/methods/conversations.create#naming
NAME_MAX = 80
# Letters of a title that have no counterpart in ASCII are left out. Longer titles are cut anyway.
TITLE_READ = 400

ARCHIVE_AFTER = timedelta(days=3)
ANNOUNCE_BEFORE = timedelta(days=1)

# The id of a private channel. Only `OwnChannel.for_notes` makes one, so that mypy refuses to send
# a note anywhere else.
PrivateChannelId = NewType("PrivateChannelId", str)


class ChannelStage(StrEnum):
    """The newest stage of a channel's end; each is done once, in this order."""

    OPEN = "open"
    ANNOUNCED = "announced"  # its members were told that it will be archived
    ARCHIVED = "archived"  # Slack was told to archive it


class ChannelAct(StrEnum):
    """The acts on a channel that people ask for."""

    OPEN = "open"
    KEEP = "keep"  # it is not archived


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnChannel:
    """A channel of one incident. ``entry`` is the update that asked for it.

    ``id`` is Slack's, None until it is made. ``error`` is the reason for which Slack did not make
    it. ``over_at`` is the moment at which the incident ended, None while it is open;
    ``announced_at`` the moment at which the end of the channel was announced. ``kept``: a person
    wants it not to be archived. Its name is kept nowhere: it holds words of a title, which may be
    withdrawn.
    """

    private: bool
    entry: int
    id: str | None = None
    error: str | None = None
    over_at: datetime | None = None
    announced_at: datetime | None = None
    stage: ChannelStage = ChannelStage.OPEN
    kept: bool = False

    @property
    def live(self) -> str | None:
        """Its id, if it is there and takes messages."""
        return None if self.stage is ChannelStage.ARCHIVED else self.id

    @property
    def for_notes(self) -> PrivateChannelId | None:
        """Its id, if notes may be posted there: its members are the readers of the incident."""
        here = self.live
        return PrivateChannelId(here) if here is not None and self.private else None

    @property
    def look_at(self) -> datetime | None:
        """The moment of its next stage; None if none is left."""
        if self.id is None or self.over_at is None or self.kept:
            return None
        due = self.over_at + ARCHIVE_AFTER
        match self.stage:
            case ChannelStage.OPEN:
                return due - ANNOUNCE_BEFORE
            case ChannelStage.ANNOUNCED:
                return self.archive_at
            case _:
                return None

    @property
    def archive_at(self) -> datetime | None:
        """The moment at which it is archived; None if it is not over, or not announced."""
        if self.over_at is None or self.announced_at is None:
            return None
        # An announcement that comes late leaves its members as much time.
        return max(self.over_at + ARCHIVE_AFTER, self.announced_at + ANNOUNCE_BEFORE)

    def followed(self, *, over: bool, at: datetime) -> OwnChannel:
        """The channel after a change of its incident, which is ``over`` now or not.

        A reopened incident keeps its channel: its end begins anew with the next end.
        """
        if over:
            return self if self.over_at else replace(self, over_at=at)
        if self.over_at is None:
            return self
        return replace(self, over_at=None, announced_at=None, stage=ChannelStage.OPEN)


def passed(channel: OwnChannel, at: datetime) -> OwnChannel:
    """``channel`` after the stage that is due at the moment ``at``; unchanged if none is."""
    due = channel.look_at
    if due is None or due > at:
        return channel
    if channel.stage is ChannelStage.OPEN:
        return replace(channel, stage=ChannelStage.ANNOUNCED, announced_at=at)
    return replace(channel, stage=ChannelStage.ARCHIVED)


def channel_name(number: int, title: str | None, *, taken: int = 0) -> str:
    """The name of a channel of INC-``number``, such as ``inc-42-checkout-is-down``.

    ``title`` is the one that the readers of the channel's name may read, None if there is none.
    ``taken`` counts the names of this incident that other channels have. Names of two incidents
    differ in any case: the number stands before everything else, and ends at a hyphen.
    """
    start = f"inc-{number}"
    end = f"-{taken + 1}" if taken else ""
    words = _words(title or "")
    room = NAME_MAX - len(start) - len(end) - 1
    cut = words[:room]
    if len(words) > room and "-" in cut:
        # A word is not cut in two, unless it is the only one.
        cut = cut if words[room] == "-" else cut.rpartition("-")[0]
    return "-".join(filter(None, [start, cut.strip("-")])) + end


def is_name_of(name: str, number: int) -> bool:
    """Whether a channel of that ``name`` may belong to INC-``number``."""
    return re.match(rf"inc-{number}(?![0-9])", name) is not None


def _words(title: str) -> str:
    plain = unicodedata.normalize("NFKD", title[:TITLE_READ]).casefold()
    ascii_only = "".join(one for one in plain if one.isascii() or not unicodedata.combining(one))
    return re.sub(r"[^a-z0-9]+", "-", ascii_only).strip("-")
