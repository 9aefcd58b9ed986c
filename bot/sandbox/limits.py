"""How many calls Slack takes."""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(slots=True)
class Limits:
    """Slack's rate limits: one post a second and channel, with a small burst, and the tiers."""

    posting: bool = True
    tiers: bool = False
    burst: int = 5
    """Posts that a channel accepts at once before the limit of one a second counts."""
    _posts: dict[str, tuple[float, float]] = field(default_factory=dict)
    _calls: dict[str, deque[float]] = field(default_factory=dict)

    def wait(self, method: str, channel: str | None, *, at: float) -> int:
        """Seconds until Slack would accept this call; 0 means accepted and counted."""
        if (
            self.posting
            and method in ("chat.postMessage", "chat.postEphemeral")
            and channel is not None
        ):
            left, since = self._posts.get(channel, (float(self.burst), at))
            left = min(float(self.burst), left + at - since)
            if left < 1:
                self._posts[channel] = (left, at)
                return 1
            self._posts[channel] = (left - 1, at)
        if self.tiers and method in TIERS:
            calls = self._calls.setdefault(method, deque())
            while calls and calls[0] <= at - 60:
                calls.popleft()
            if len(calls) >= TIERS[method]:
                return max(1, round(calls[0] + 60 - at))
            calls.append(at)
        return 0


# Calls a minute. chat.postMessage, auth.test and chat.getPermalink have no tier, but own rules.
TIERS: Mapping[str, int] = {
    "chat.update": 50,
    "chat.delete": 50,
    "chat.postEphemeral": 100,
    "conversations.archive": 20,
    "conversations.create": 20,
    "conversations.kick": 50,
    "conversations.rename": 20,
    "conversations.setPurpose": 20,
    "conversations.setTopic": 20,
    "pins.add": 20,
    "conversations.list": 20,
    "conversations.info": 50,
    "conversations.invite": 50,
    "conversations.join": 50,
    "conversations.open": 50,
    "conversations.history": 50,
    "conversations.replies": 50,
    "conversations.members": 100,
    "users.info": 100,
    "users.list": 20,
    "usergroups.list": 20,
    "usergroups.users.list": 20,
    "views.open": 100,
    "views.push": 100,
    "views.update": 100,
    "views.publish": 100,
    "team.info": 50,
    "bots.info": 50,
    "apps.connections.open": 20,
}
