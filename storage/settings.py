"""The settings that workspaces save, read once for each version of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, bindparam, delete, func, select, update

from core.incident import Person
from core.settings import SavedSetting, Setting, resolved
from core.workspace import Workspace, WorkspaceSettings
from storage import models
from storage.statements import KEEP_WORKSPACE, upsert

# The settings of a workspace that has saved none, by its id.
Defaults = Callable[[str], WorkspaceSettings]

_workspace, _setting = models.workspace, models.setting
_SAVED = select(
    _setting.c.name, _setting.c.value, _setting.c.by_id, _setting.c.by_name, _setting.c.at
).where(_setting.c.workspace_id == bindparam("workspace"))
_STATUS_CHANNEL = select(_workspace.c.status_channel).where(
    _workspace.c.id == bindparam("workspace")
)
# Two admins at once: the second one finds another version, and changes nothing.
_version = func.coalesce(_workspace.c.settings_version, 0)
_NEXT_VERSION = (
    update(_workspace)
    .where(_workspace.c.id == bindparam("workspace"))
    .values(settings_version=_version + 1)
    .returning(_workspace.c.settings_version)
)
_NEXT_VERSION_IF_SEEN = _NEXT_VERSION.where(_version == bindparam("seen"))
_SET_STATUS_CHANNEL = (
    update(_workspace)
    .where(_workspace.c.id == bindparam("workspace"))
    .values(status_channel=bindparam("channel"))
)
_KEEP = upsert(
    lambda insert: (
        insert(_setting)
        .values(
            workspace_id=bindparam("workspace"),
            name=bindparam("setting"),
            value=bindparam("text"),
            by_id=bindparam("person"),
            by_name=bindparam("person_name"),
            at=bindparam("moment"),
        )
        .on_conflict_do_update(
            index_elements=[_setting.c.workspace_id, _setting.c.name],
            set_={
                "value": bindparam("text"),
                "by_id": bindparam("person"),
                "by_name": bindparam("person_name"),
                "at": bindparam("moment"),
            },
        )
    )
)
_FORGET = delete(_setting).where(
    _setting.c.workspace_id == bindparam("workspace"), _setting.c.name == bindparam("setting")
)
_NAMES = frozenset(Setting)


def saved(connection: Connection, workspace: str) -> tuple[SavedSetting, ...]:
    """The settings that ``workspace`` has saved, in their order.

    The status channel is in the row of the workspace, where older versions set it, too.
    """
    rows = connection.execute(_SAVED, {"workspace": workspace}).all()
    found = {
        row.name: SavedSetting(
            setting=Setting(row.name),
            text=row.value,
            by=Person(row.by_id, row.by_name) if row.by_id else None,
            at=row.at,
        )
        for row in rows
        if row.name in _NAMES
    }
    channel = connection.execute(_STATUS_CHANNEL, {"workspace": workspace}).scalar()
    known = found.pop(Setting.STATUS_CHANNEL, None)
    if channel is not None and (known is None or known.text != channel):
        known = SavedSetting(setting=Setting.STATUS_CHANNEL, text=channel)
    if channel is not None and known is not None:
        found[Setting.STATUS_CHANNEL] = known
    return tuple(found[setting] for setting in Setting if setting in found)


def save(
    connection: Connection,
    workspace: str,
    changes: Mapping[Setting, str | None],
    *,
    seen: int | None,
    by: Person,
    at: datetime,
) -> int | None:
    """Writes ``changes`` (None restores a default), and returns the new version.

    None, and nothing is written, if ``seen`` is given, and is not the present version.
    """
    connection.execute(KEEP_WORKSPACE[connection.dialect.name], {"id": workspace})
    statement = _NEXT_VERSION if seen is None else _NEXT_VERSION_IF_SEEN
    version: int | None = connection.execute(
        statement, {"workspace": workspace} | ({} if seen is None else {"seen": seen})
    ).scalar()
    if version is None:
        return None
    for setting, text in changes.items():
        if setting is Setting.STATUS_CHANNEL:
            connection.execute(_SET_STATUS_CHANNEL, {"workspace": workspace, "channel": text})
        row = {"workspace": workspace, "setting": setting.value}
        if text is None:
            connection.execute(_FORGET, row)
        else:
            who = {"person": by.id, "person_name": by.name, "moment": at}
            connection.execute(_KEEP[connection.dialect.name], {**row, "text": text, **who})
    return version


@dataclass(frozen=True, slots=True)
class _Known:
    """The settings of a workspace, and the facts that they were resolved from."""

    version: int
    status_channel: str | None
    defaults: WorkspaceSettings
    workspace: Workspace


class SettingsMemory:
    """Resolves the settings of workspaces, for all transactions of a store.

    Each transaction reads the version beside its incident, so a change by any process is in force
    for all of them at once, and a version is read only once.
    """

    def __init__(self, defaults: Defaults) -> None:
        self.defaults = defaults
        self._known: dict[str, _Known] = {}

    def of(
        self, connection: Connection, workspace: str, *, status_channel: str | None, version: int
    ) -> Workspace:
        """The workspace with its settings of ``version``."""
        defaults, known = self.defaults(workspace), self._known.get(workspace)
        facts = (version, status_channel, defaults)
        if known and (known.version, known.status_channel, known.defaults) == facts:
            return known.workspace
        # Older versions set the status channel, too, without a new version.
        texts = saved(connection, workspace) if version or status_channel else ()
        found = self.among(workspace, texts, version=version)
        self._known[workspace] = _Known(*facts, found)
        return found

    def among(self, workspace: str, texts: Iterable[SavedSetting], *, version: int) -> Workspace:
        """The workspace with the settings in ``texts``. Nothing is remembered of it."""
        own = {one.setting.value: one.text for one in texts}
        settings = resolved(self.defaults(workspace), own)
        return Workspace(id=workspace, settings=settings, version=version)
