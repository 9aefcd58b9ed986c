"""The use cases of a workspace's settings: admins see them, and save others."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from core import policy
from core.denials import Denied, Permission
from core.incident import Actor
from core.refusals import SettingsChanged
from core.service import NO_INCIDENT
from core.settings import SavedSetting, Setting, write
from core.store import Reader, Store, Transaction
from core.subscribing import ended_by_setup
from core.subscription import Subscription
from core.workspace import Workspace, WorkspaceSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class Configuration:
    """A workspace with its settings in force, those that it saved, and the defaults of all.

    ``ended`` is the subscription that the new status channel had until then.
    """

    workspace: Workspace
    saved: Mapping[Setting, SavedSetting]
    defaults: WorkspaceSettings
    ended: Subscription | None = None

    def text(self, setting: Setting) -> str:
        """The value in force, as `core.settings` writes it."""
        return write(setting, self.workspace.settings)


class SettingsBook:
    """Shows the settings of a workspace to its admins, and saves what they change."""

    def __init__(self, store: Store, *, clock: Callable[[], datetime]) -> None:
        self._store = store
        self._clock = clock

    async def shown(self, actor: Actor) -> Configuration:
        """The settings of the actor's workspace.

        Raises:
            Denied: the actor is no workspace admin.
        """
        _admit(actor)
        return await self._store.read(lambda reader: _configuration(reader, actor))

    async def save(
        self,
        actor: Actor,
        changes: Mapping[Setting, str | None],
        *,
        seen: int | None,
        request: str | None = None,
    ) -> Configuration:
        """Saves ``changes``, each a text as `core.settings` writes it; None restores a default.

        ``seen`` is the version that the actor saw; None: they saw none, and replace what is there.
        ``request`` identifies a delivery that Slack may
        repeat: a repetition changes nothing.

        Raises:
            Denied: the actor is no workspace admin.
            SettingsChanged: somebody saved settings since.
        """
        _admit(actor)

        def work(tx: Transaction) -> Configuration:
            team, at = actor.workspace, self._clock()
            if request is not None:
                if tx.handled(team, request):
                    return _configuration(tx, actor)
                tx.mark_handled(team, request, NO_INCIDENT, at=at)
            moved = Setting.STATUS_CHANNEL in changes
            # The lock that waits for others comes first: two transactions that each hold a row of
            # the other's would be undone, and tried again.
            if moved:
                tx.subscriptions_to_change(team)
            if changes and not tx.save_settings(team, changes, seen=seen, by=actor.person, at=at):
                raise SettingsChanged
            ended = ended_by_setup(tx, team, by=actor.person, at=at) if moved else None
            return replace(_configuration(tx, actor), ended=ended)

        return await self._store.write(work)


def _admit(actor: Actor) -> None:
    for permission in (Permission.JOIN, Permission.ADMINISTER):
        if not policy.holds(actor, permission):
            raise Denied(actor, permission)


def _configuration(reader: Reader, actor: Actor) -> Configuration:
    return Configuration(
        workspace=reader.workspace(actor.workspace),
        saved={one.setting: one for one in reader.saved_settings(actor.workspace)},
        defaults=reader.default_settings(actor.workspace),
    )
