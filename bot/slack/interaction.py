"""One request of one person, read from Slack's payloads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from bot.slack.inputs import Origin, origin_of
from core.incident import Place
from core.workspace import Workspace, WorkspaceSettings

# Slack's name for every private channel in the body of a request.
PRIVATE_CHANNEL = "privategroup"


@dataclass(frozen=True, slots=True, kw_only=True)
class Interaction:
    """The person, the place, and the ways to answer.

    ``door`` is the kind of request in logs and metrics: command, click, shortcut, form or home.
    ``in_place``: the answer may replace the clicked message, because that message is itself an
    answer only to this person. ``beside_card``: it was clicked on a card in a conversation, or in a
    dialog that was opened from one; the answer needs no button that the card has. ``secluded``: it
    was typed or clicked in a private channel, a direct or a group message, where a declaration is
    private by default. ``domain`` is the
    workspace's part of addresses, empty if Slack does not say it. ``channel`` is the conversation
    of a click or a shortcut, also where no card can be. ``view`` is the id of the dialog in which
    the click was made, or of the one that comes back when a form closes; the answer is drawn there.
    ``message`` is the message of a click, its channel and its ts.
    ``clicked_at`` is Slack's moment of a click, which a repeated delivery has as well.
    ``known`` is the workspace, once it is read (`under`), and ``settings`` are those in force.
    """

    door: str
    workspace: str
    user: str
    place: Place | None = None
    trigger: str = ""
    response_url: str | None = None
    in_place: bool = False
    beside_card: bool = False
    secluded: bool = False
    domain: str = ""
    channel: str = ""
    view: str | None = None
    message: tuple[str, str] | None = None
    clicked_at: datetime | None = None
    known: Workspace | None = None
    settings: WorkspaceSettings = field(default_factory=WorkspaceSettings)

    @classmethod
    def by_command(cls, body: Mapping[str, Any]) -> Interaction:
        """A slash command.

        Source: https://docs.slack.dev/interactivity/implementing-slash-commands
        """
        return cls(
            door="command",
            workspace=body["team_id"],
            user=body["user_id"],
            place=_place(body["channel_id"], body.get("channel_name")),
            trigger=body.get("trigger_id", ""),
            response_url=body.get("response_url"),
            secluded=_is_secluded(body["channel_id"], body.get("channel_name")),
        )

    @classmethod
    def by_click(cls, body: Mapping[str, Any], *, door: str = "click") -> Interaction:
        """A button, a choice in a menu or a shortcut, in a channel or elsewhere.

        Source: https://docs.slack.dev/reference/interaction-payloads
        """
        channel = body.get("channel") or {}
        return cls(
            door=door,
            workspace=_workspace(body),
            user=body["user"]["id"],
            place=_place(channel.get("id"), channel.get("name")),
            trigger=body.get("trigger_id", ""),
            response_url=body.get("response_url"),
            in_place=_is_ephemeral(body),
            beside_card=not _is_ephemeral(body) and _is_card(body.get("message")),
            secluded=_is_secluded(channel.get("id"), channel.get("name")),
            domain=str((body.get("team") or {}).get("domain") or ""),
            channel=str(channel.get("id") or ""),
            view=_dialog(body.get("view") or {}),
            message=_message(body.get("container")),
            clicked_at=_clicked_at(body),
        )

    @classmethod
    def by_form(cls, body: Mapping[str, Any]) -> Interaction:
        """A submitted view. Its channel is in the view's ``private_metadata``."""
        origin = origin_of(body["view"])
        return cls(
            door="form",
            workspace=_workspace(body),
            user=body["user"]["id"],
            place=origin.place,
            trigger=body.get("trigger_id", ""),
            response_url=origin.response_url or _chosen_url(body),
            beside_card=origin.on_card,
            view=body["view"].get("previous_view_id"),
        )

    @classmethod
    def by_home(cls, body: Mapping[str, Any]) -> Interaction:
        """A visit to the Home tab.

        Source: https://docs.slack.dev/reference/events/app_home_opened
        """
        return cls(door="home", workspace=body["team_id"], user=body["event"]["user"])

    @classmethod
    def of_any_shape(cls, body: Mapping[str, Any]) -> Interaction:
        """The ways to answer a body of an unknown shape, without the person and the place."""
        url, trigger = body.get("response_url"), body.get("trigger_id")
        return cls(
            door="unknown",
            workspace="",
            user="",
            trigger=trigger if isinstance(trigger, str) else "",
            response_url=url if isinstance(url, str) else None,
        )

    def under(self, known: Workspace | None, defaults: WorkspaceSettings) -> Interaction:
        """The same in a workspace that is ``known``, which may have no private conversations.

        ``defaults`` are the settings in force while nothing was read.
        """
        settings = known.settings if known else defaults
        secluded = self.secluded and settings.private_by_default
        return replace(self, known=known, settings=settings, secluded=secluded)

    @property
    def once(self) -> str | None:
        """The name under which a repeated delivery of this request is recognized, if any."""
        return self.trigger or None

    @property
    def origin(self) -> Origin:
        """The place that a dialog remembers."""
        return Origin(place=self.place, response_url=self.response_url, on_card=self.beside_card)


def _clicked_at(body: Mapping[str, Any]) -> datetime | None:
    """The ``action_ts`` of a click, such as ``1548426417.840180``; None if there is none."""
    try:
        return datetime.fromtimestamp(float(body["actions"][0]["action_ts"]), UTC)
    except (LookupError, TypeError, ValueError, OverflowError, OSError):
        return None


def _message(container: object) -> tuple[str, str] | None:
    """The message that is clicked on; None in a dialog and on the Home tab."""
    held = container if isinstance(container, dict) else {}
    channel, ts = held.get("channel_id"), held.get("message_ts")
    return (channel, ts) if isinstance(channel, str) and isinstance(ts, str) else None


def _is_ephemeral(body: Mapping[str, Any]) -> bool:
    return bool((body.get("container") or {}).get("is_ephemeral"))


def _is_card(message: object) -> bool:
    """Whether a message has the menu of a card, which no other message for several people has."""
    blocks = message.get("blocks") if isinstance(message, dict) else None
    rows = [row.get("elements") for row in blocks or () if isinstance(row, dict)]
    return any(
        isinstance(element, dict) and element.get("action_id") == "menu"
        for row in rows
        if isinstance(row, list)
        for element in row
    )


def _place(channel: str | None, name: object) -> Place | None:
    """The channel of a request; None for a direct or a group message, where no card can be.

    The id of a direct message begins with D, the name of a group message with "mpdm-".
    """
    if not channel or channel.startswith("D") or str(name).startswith("mpdm-"):
        return None
    return Place(channel, private=name == PRIVATE_CHANNEL)


def _dialog(view: Mapping[str, Any]) -> str | None:
    """The id of a dialog; None for the Home tab, and without a view."""
    return view.get("id") if view.get("type") == "modal" else None


def _workspace(body: Mapping[str, Any]) -> str:
    """The workspace of a click, a shortcut or a form.

    ``team`` is null where the app is installed for a whole organization: then the person's own
    counts.
    Source: https://docs.slack.dev/enterprise/organization-ready-apps
    """
    whole = body.get("is_enterprise_install") is True and body["team"] is None
    team: str = body["user"]["team_id"] if whole else body["team"]["id"]
    return team


def _is_secluded(channel: object, name: object) -> bool:
    """Whether a conversation is a private channel, a direct or a group message.

    The id of a direct message begins with D; the name of a group message with "mpdm-".
    """
    return str(channel).startswith("D") or (
        isinstance(name, str) and (name == PRIVATE_CHANNEL or name.startswith("mpdm-"))
    )


def _chosen_url(body: Mapping[str, Any]) -> str | None:
    """The response_url of the channel that was chosen in a form; None without such a choice."""
    urls = body.get("response_urls") or [{}]
    url = urls[0].get("response_url")
    return url if isinstance(url, str) else None
