"""`ratchet restore`: a backup in the place of the database, and the marks that it needs there.

The backup knows nothing of the time after it. Slack may have messages that wait in it, numbers are
in use that it would give again, and people have hidden texts that it still shows.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, assert_never
from uuid import UUID

from slack_sdk.errors import SlackApiError

from bot.doctor.reader import BrokenOff, SlackReader
from bot.settings import KeySettings
from bot.slack.people import UNREACHABLE
from bot.slack.web import a_client, code_of
from core.commands import Redact, SetInvitation, SetPrivacy, WriteReport
from core.errors import UserError
from core.incident import Actor, DeclaredText, Note, Person
from core.refusals import NotPrivate
from core.service import Incidents
from storage import subscribers
from storage.hidden import Hidden, HiddenKind, SeesAgain
from storage.hook_queue import begin_anew
from storage.numbers import Numbers, newest_declaration, skip_to
from storage.outbox import Outbox
from storage.posts import channels
from storage.questions import ask_again
from storage.restore import Replaced, restoring
from storage.store import SqlStore
from storage.transactions import SqlTransaction

TIMEOUT_SECONDS = 10
CLOCKS_APART = timedelta(minutes=10)
# After a restore by hand, bots may have worked on the database before it is marked.
LOOK_BACK = timedelta(days=30)
# Later than the end of any draft's hour.
EVER = datetime.max.replace(tzinfo=UTC)
# Above the number of any entry.
NEWEST = 2**31 - 1
AGAIN = "stop the bot and run `ratchet restore --marks-only` once Slack answers"


@dataclass(slots=True)
class Marker:
    """Marks a restored database. ``pause`` sleeps so many seconds, if Slack asks for it.

    ``lines`` say what was done, for the operator, without a text that anybody wrote.
    """

    settings: KeySettings
    at: datetime
    pause: Callable[[float], Awaitable[object]] = asyncio.sleep
    lines: list[str] = field(default_factory=list)

    def restore(self, file: Path) -> None:
        """Puts the backup ``file`` in the place of the database, marked.

        Raises:
            NotRestored, StoreUnavailable, UnknownSchema: nothing was changed; the text says why.
        """
        with restoring(self.settings.database_url, file, at=self.at) as restoration:
            asyncio.run(self.mark(restoration.store, restoration.replaced))
        if restoration.kept:
            self.lines.append(f"The replaced database is kept: {restoration.kept}")
            if restoration.replaced is None:
                self.lines.append(
                    "It could not be read: texts that were withdrawn since the backup, and API "
                    "keys that were revoked, may be back."
                )

    def mark_only(self, store: SqlStore) -> None:
        """Marks a database that was restored by hand. No bot may serve from it.

        Raises:
            SecondServer, StoreUnavailable, UnknownSchema: nothing was changed.
        """
        # Refuses a missing file, which a migration would make.
        store.is_current()
        store.open_for_serving()
        asyncio.run(self.mark(store, None, look_back=LOOK_BACK))

    async def mark(
        self, store: SqlStore, replaced: Replaced | None, *, look_back: timedelta = timedelta()
    ) -> None:
        """Hides what was hidden since, continues the numbers, and marks the messages."""
        if replaced:
            await self._hide(store, replaced.hidden)
            self.lines += map(_line_of, replaced.sees_again)
            if replaced.revoked:
                self.lines.append(f"API keys revoked again: {', '.join(replaced.revoked)}")
        known = [*await store.read(channels), *(replaced.channels if replaced else ())]
        newest = await store.read(newest_declaration)
        since = min(newest, self.at - look_back) - CLOCKS_APART if newest else None
        numbers = await self._numbers_in_slack(dict.fromkeys(known), since)
        for workspace, number in (replaced.numbers if replaced else {}).items():
            numbers[workspace] = max(number, numbers.get(workspace, 0))

        def write(tx: SqlTransaction) -> dict[str, Numbers | None]:
            tx.forget_drafts(at=EVER)
            return {
                workspace: skip_to(tx, workspace, number, at=self.at)
                for workspace, number in sorted(numbers.items())
            }

        self.lines += _skipped(await store.write(write))
        asked = await store.write(lambda tx: ask_again(tx, at=self.at))
        if asked:
            self.lines.append(
                f"Questions to new owners that are open in the backup: {asked}. Each is shown as "
                "open again, and nobody is told that no answer came."
            )
        if replaced:
            self.lines += [
                f"Opened for an incident since, and unknown now: {channel}. Nothing is posted "
                "there; Open a channel on the incident's card finds it again."
                for channel in replaced.opened
            ]
        self.lines += await self._webhooks(store, replaced.unhooked if replaced else ())
        await self._subscriptions(store, replaced.unsubscribed if replaced else ())
        count = await Outbox(store).look_first(at=self.at)
        if count:
            self.lines.append(
                f"Messages that wait: {count}. Each is looked for in Slack before it is posted."
            )

    async def _webhooks(self, store: SqlStore, unhooked: tuple[tuple[str, UUID], ...]) -> list[str]:
        """Sends nothing of before the restore, and nothing to ``unhooked``."""
        dropped = await store.write(lambda tx: begin_anew(tx, unhooked, at=self.at))
        off = [f"Webhooks switched off again: {id_}" for _, id_ in unhooked]
        waited = [f"Events that waited for webhooks: {dropped}. They are not sent."]
        return [*off, *(waited if dropped else [])]

    async def _subscriptions(
        self, store: SqlStore, unsubscribed: tuple[tuple[str, str], ...]
    ) -> None:
        """Posts nothing of before the restore in subscribed channels, nor in ``unsubscribed``."""
        await store.write(lambda tx: subscribers.begin_anew(tx, unsubscribed, at=self.at))
        self.lines += [f"Channels unsubscribed again: {channel}" for _, channel in unsubscribed]

    async def _hide(self, store: SqlStore, hidden: Iterable[Hidden]) -> None:
        """Hides what somebody has hidden since: incidents, invitations, titles and texts.

        It is done in that person's name. A text that waits in the backup is so never published.
        """
        for one in hidden:
            # A text that was taken back in time was never public, and made and kept no promise.
            incidents = Incidents(store, clock=partial(_moment, one, self.at), wake=lambda: None)
            name, done = _named(one)
            try:
                outcome = await incidents.execute(_command(one))
            except NotPrivate:
                # Everybody sees it again, so nobody needs an invitation.
                continue
            except UserError:
                self.lines.append(f"Hidden since the backup, and shown again: {name}. Hide it.")
            else:
                if outcome.changed:
                    self.lines.append(f"{done} again: {name}")

    async def _numbers_in_slack(
        self, places: Iterable[tuple[str, str]], since: datetime | None
    ) -> dict[str, int]:
        """The highest number by workspace in posts since ``since``, as far as Slack shows them."""
        numbers: dict[str, int] = {}
        if self.settings.slack_bot_token is None:
            self.lines.append(
                "Slack was not asked which numbers are in use since the backup, because "
                "SLACK_BOT_TOKEN is not set: set it, stop the bot, and run "
                "`ratchet restore --marks-only`."
            )
            return numbers
        client = a_client(self.settings, timeout_seconds=TIMEOUT_SECONDS)
        reader = SlackReader(client, at=self.at, pause=self.pause)
        moment = since or datetime.fromtimestamp(0, UTC)
        for workspace, channel in places:
            try:
                async for seen in reader.since(channel, moment):
                    if seen.number:
                        numbers[workspace] = max(seen.number, numbers.get(workspace, 0))
            except SlackApiError as error:
                self.lines.append(
                    f"{channel} could not be read ({code_of(error)}); it may show higher numbers."
                )
            except (BrokenOff, *UNREACHABLE):
                self.lines.append(f"Slack does not show all its numbers now: {AGAIN}.")
                break
        return numbers


def _moment(one: Hidden, at: datetime) -> datetime:
    return one.at or at


def _command(one: Hidden) -> Redact | SetPrivacy | SetInvitation | WriteReport:
    """The command that hides ``one`` again."""
    actor = Actor(workspace=one.workspace, person=one.by, admin=True, sees_private=True)
    ref = one.incident
    match one:
        case Hidden(person=Person() as person):
            return SetInvitation(actor=actor, ref=ref, person=person, invited=False)
        case Hidden(section=str(section)):
            emptied: dict[str, Any] = {section: Note("")}
            return WriteReport(actor=actor, ref=ref, seen=NEWEST, **emptied)
        case Hidden(entry=int(entry)):
            present_too = one.kind is HiddenKind.TITLE
            names = one.names or tuple(DeclaredText)
            return Redact(actor=actor, ref=ref, entry=entry, names=names, present_too=present_too)
        case _:
            return SetPrivacy(actor=actor, ref=ref, private=True)


def _named(one: Hidden) -> tuple[str, str]:
    """The name of ``one`` for the operator, and what is done to it."""
    name = f"INC-{one.number}"
    match one.kind:
        case HiddenKind.INCIDENT:
            return name, "Made private"
        case HiddenKind.INVITATION:
            return f"{name}, {one.person.id if one.person else ''}", "Invitation taken back"
        case HiddenKind.SECTION:
            return f"{name}, section {one.section}", "Withdrawn"
        case HiddenKind.TEXT | HiddenKind.TITLE:
            return f"{name}, entry {one.entry}", "Withdrawn"
        case _:
            assert_never(one.kind)


def _line_of(one: SeesAgain) -> str:
    return (
        f"INC-{one.number} is private, and {one.owner}, its owner in the backup, sees it again: "
        f"`/incident assign {one.number} @person` in Slack makes another its owner."
    )


def _skipped(numbers: dict[str, Numbers | None]) -> Iterator[str]:
    for workspace, found in numbers.items():
        if found:
            first, last = found
            which = f"INC-{first} is" if first == last else f"INC-{first} to INC-{last} are"
            yield f"{workspace}: {which} in use since the backup, and skipped."
