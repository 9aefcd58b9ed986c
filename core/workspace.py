"""Workspaces and the settings that are in force in each. Immutable values, without rules."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from core.incident import Groups, Severity


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentChannels:
    """Whether incidents get a channel of their own.

    ``offered``: people may open one. At the severities of ``at`` one is opened by itself.
    """

    offered: bool = False
    at: frozenset[Severity] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkspaceSettings:
    """The settings of one workspace that are in force: `core.settings` resolves them.

    Channels and groups are ids of Slack's; a group that is None allows every full member.
    ``status_channel`` None: there is no public surface yet. ``default_lifecycle`` is a name; None,
    or one that is gone, means the installation's. ``mention_at`` are the severities at which the
    group of responders is mentioned, ``promise_defaults`` the promises of a next public update by
    severity. ``private_by_default``: a declaration in a private channel, a direct or a group
    message is private unless it says otherwise. ``api_channel`` gets the cards of incidents that
    are declared over HTTP.
    """

    status_channel: str | None = None
    responders_group: str | None = None
    publishers_group: str | None = None
    default_lifecycle: str | None = None
    default_severity: Severity = Severity.MEDIUM
    mention_at: frozenset[Severity] = frozenset()
    promise_defaults: Mapping[Severity, timedelta] = field(default_factory=dict)
    private_by_default: bool = True
    incident_channels: IncidentChannels = IncidentChannels()
    api_channel: str | None = None

    @property
    def groups(self) -> Groups:
        """The groups that permissions depend on."""
        return Groups(responders=self.responders_group, publishers=self.publishers_group)

    @property
    def mentions(self) -> frozenset[Severity]:
        """``mention_at``, as far as there is a group to mention."""
        return self.mention_at if self.responders_group else frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Workspace:
    """One Slack team with its settings. ``version`` rises whenever it saves one of them.

    ``page``: its status page is published. ``webhooks``: it has endpoints that get events.
    ``subscriptions`` counts the channels that are subscribed; None: none ever was.
    """

    id: str
    settings: WorkspaceSettings = WorkspaceSettings()
    version: int = 0
    page: bool = False
    webhooks: bool = False
    subscriptions: int | None = None

    @property
    def status_channel(self) -> str | None:
        """The channel of public updates; None: it has none."""
        return self.settings.status_channel

    @property
    def has_public_surface(self) -> bool:
        """Whether anybody could read a public update."""
        in_slack = self.status_channel is not None or bool(self.subscriptions)
        return in_slack or self.page or self.webhooks
