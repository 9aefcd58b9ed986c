"""Words that people try, and that are no verbs: one true sentence for each. Pure.

None of them leads to a button that publishes anything or ends an incident.
"""

from __future__ import annotations

from bot.slack.verbs import COMMAND

_MOVE = f"Choose the status yourself: `{COMMAND} status <n> <status>`."
_FORWARD = "Incidents only move forward"
_WITHDRAW = f"a text is withdrawn with `{COMMAND} withdraw <n> <entry>`"
_NOTE = f"A private note is kept with `{COMMAND} note <n> <text>`."
_PUBLISH = f"A public update is written with `{COMMAND} update <n> <text>`."
_ASSIGN = f"An owner is named with `{COMMAND} assign <n> [@person]`."
_SAYS = {
    "fixed done solved finished over end finish complete": _MOVE,
    "mitigate mitigated progress move start begin": _MOVE,
    "reopen revert rollback back": f"{_FORWARD}: a new one is declared with `{COMMAND} declare`.",
    "undo cancel abort": f"{_FORWARD}, and {_WITHDRAW}.",
    "delete remove erase drop": f"Nothing is deleted, but {_WITHDRAW}.",
    "edit change fix correct": f"Texts are not edited, but {_WITHDRAW}.",
    "retract": f"To retract: {_WITHDRAW}.",
    "merge duplicate dup link split": f"Incidents are not merged. {_NOTE}",
    "dismiss false ignore": f"Incidents are not dismissed: they go through their statuses. {_NOTE}",
    "escalate page alert call notify ping": (
        f"Ratchet pages nobody. The severity is raised with `{COMMAND} severity <n> <severity>`."
    ),
    "snooze mute silence pause wait stop quiet": "Nothing can be paused or silenced here.",
    "who owner whose lead commander": (
        f"The owner is on the card, which `{COMMAND} show <n>` shows."
    ),
    "take claim mine own grab": f"{_ASSIGN} Without a person it is you.",
    "handover transfer give reassign": _ASSIGN,
    "hide secret confidential": (
        f"An incident is made private with `{COMMAND} private <n>`, and declared so with "
        f"`{COMMAND} declare <title> private`."
    ),
    "publish announce post say broadcast tell statuspage": _PUBLISH,
    "comment log write remember add": _NOTE,
    "rename": f"A title is corrected with `{COMMAND} title <n> <title>`.",
    "open create raise": f"An incident is declared with `{COMMAND} declare <title>`.",
    "priority sev urgency": f"The severity is set with `{COMMAND} severity <n> <severity>`.",
    "history entries details info view card": (
        f"`{COMMAND} show <n>` shows the card, and `{COMMAND} timeline <n>` its timeline."
    ),
    "find search all": f"`{COMMAND} list all` lists every incident.",
    "settings config configure admin": (
        f"A workspace admin sets the status channel with `{COMMAND} setup #channel`."
    ),
    "follow watch feed": (
        f"A channel gets what becomes public with `{COMMAND} subscribe`, from a publisher."
    ),
    "unfollow unwatch": f"A channel's subscription ends with `{COMMAND} unsubscribe`.",
    "join leave": "There is nothing to join: everybody sees every incident that is not private.",
    "summary postmortem review retro": f"`{COMMAND} report <n>` shows the report, to be written.",
    "figures statistics metrics": f"`{COMMAND} stats [30d]` shows the figures.",
    "yes no ok confirm": "There is no question open that a typed word answers: press its button.",
}
SENTENCES = {word: sentence for words, sentence in _SAYS.items() for word in words.split()}
