"""Text to request: one reader for each verb of the table. Pure.

The text after ``/incident`` becomes a `Request`. Slack's escaping is undone here, before anything
is kept.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import partial
from uuid import UUID

from bot.slack import verbs
from bot.slack.declaring import component_names, read_declare
from bot.slack.markup import plain_text
from bot.slack.requests import (
    AssignTo,
    Request,
    SetStatusChannel,
    ShowBoard,
    ShowCard,
    ShowHelp,
    ShowTimeline,
    ShowTray,
    UsageError,
)
from bot.slack.typed import Typed, looks_like_ref, option, quoted, unquoted
from bot.slack.verbs import COMMAND, Verb
from core.errors import nearest
from core.incident import (
    Acknowledge,
    Actor,
    BoardFilter,
    Change,
    Note,
    Place,
    PublicText,
    Redact,
    Scope,
    TakeNextStep,
)
from core.lifecycle import NAME, Catalogue


def parse(
    text: str, *, actor: Actor, catalogue: Catalogue, new_id: UUID, place: Place | None
) -> Request:
    """The request that ``text``, typed after ``/incident``, makes.

    ``new_id`` becomes the id of an incident that is declared, ``place`` its place: the channel of
    the command. Only ``update`` makes a text public; every other text is a note.

    Raises:
        UsageError: a typing error, with the usage line and the closest word.
    """
    first, *others = text.split(maxsplit=1) or [""]
    if not first:
        return ShowTray()
    verb = _verb(plain_text(first))
    rest = "".join(others)
    typed = Typed(
        rest if verb.name in MENTIONING else plain_text(rest),
        verb=verb,
        actor=actor,
        catalogue=catalogue,
        new_id=new_id,
        place=place,
    )
    return READERS[verb.name](typed)


def _verb(word: str) -> Verb:
    if verb := verbs.find(word):
        return verb
    close = "show" if looks_like_ref(word) else nearest(word, verbs.VERBS_BY_WORD)
    problem = f"There is no command {quoted(word)}."
    if close is None:
        raise UsageError(problem, hint=f"`{COMMAND} help` lists all commands.")
    meant = verbs.VERBS_BY_WORD[close]
    raise UsageError(problem, suggestion=meant.name, usage=meant.usage)


# --- one reader for each verb ----------------------------------------------------------------


def _read_list(typed: Typed) -> ShowBoard:
    asked: dict[str, str] = {}
    while token := typed.word():
        key, value = option(token)
        if key:
            hint = "Options: severity:, status:."
            key = typed.one_of(("severity", "status"), key, name="option", hint=hint)
            value = value or typed.word()
            if not value:
                raise typed.wrong(f"The value of `{key}:` is missing.")
        else:
            key = "scope"
            value = _scope(token, typed)
        if key in asked:
            raise typed.wrong(f"The {key} is named twice.")
        asked[key] = value
    return ShowBoard(
        narrowed=BoardFilter(
            scope=Scope(asked.get("scope", Scope.OPEN)),
            severity=typed.severity(asked["severity"]) if "severity" in asked else None,
            status=_status_filter(asked["status"], typed) if "status" in asked else None,
        )
    )


def _scope(word: str, typed: Typed) -> str:
    if word.casefold() in {*Scope}:
        return word.casefold()
    raise typed.wrong(
        f"I can't list {quoted(word)}.",
        suggestion=nearest(word, Scope),
        hint="Try open, all or mine.",
    )


def _status_filter(word: str, typed: Typed) -> str:
    known = _all_statuses(typed.catalogue)
    # Incidents keep a lifecycle that has left the catalogue, so an unknown status may still exist;
    # one that is close to a known status is a slip.
    if word.casefold() in known or (NAME.fullmatch(word.casefold()) and not nearest(word, known)):
        return word.casefold()
    return typed.one_of(known, word, name="status")


def _all_statuses(catalogue: Catalogue) -> tuple[str, ...]:
    return tuple({status.name: None for lifecycle in catalogue for status in lifecycle.statuses})


def _read_show(typed: Typed) -> ShowCard:
    return ShowCard(ref=typed.only_ref())


def _read_status(typed: Typed) -> Change:
    return Change(actor=typed.actor, ref=typed.ref(), to=typed.status(), note=typed.note())


def _read_next(typed: Typed) -> TakeNextStep:
    return TakeNextStep(actor=typed.actor, ref=typed.ref(before_text=True), note=typed.note())


def _read_ack(typed: Typed) -> Acknowledge:
    return Acknowledge(actor=typed.actor, ref=typed.only_ref())


def _read_move(typed: Typed, *, to: str) -> Change:
    return Change(actor=typed.actor, ref=typed.ref(before_text=True), to=to, note=typed.note())


def _read_update(typed: Typed) -> Change:
    ref, to = typed.ref(before_text=True), None
    key, value = option(typed.peek())
    if key == "status" and value:
        typed.word()
        to = value.casefold()
        ref = typed.ref(before_text=True) if ref is None else ref
    elif key == "status":
        _refuse_blank_status(typed)
    public = PublicText(typed.text("The public text"))
    return Change(actor=typed.actor, ref=ref, to=to, public=public)


def _refuse_blank_status(typed: Typed) -> None:
    """Refuses ``status: word``, which may be an option or the beginning of the public text.

    A guess could publish the wrong text.
    """
    word = "".join(typed.rest.split()[1:2])
    if meant := nearest(word, _all_statuses(typed.catalogue)):
        raise typed.wrong(
            f"Nothing was published. To move the incident as well, write `status:{meant}` without "
            "a blank; if it is part of the text, begin with another word."
        )


def _read_note(typed: Typed) -> Change:
    ref = typed.ref(before_text=True)
    return Change(actor=typed.actor, ref=ref, note=Note(typed.text("The text of the note")))


_MENTION = re.compile(r"<@([UW][A-Z0-9]+)(?:\|[^<>]*)?>")
_CHANNEL = re.compile(r"<#([CG][A-Z0-9]+)(?:\|[^<>]*)?>|([CG][A-Z0-9]{8,})")


def _read_assign(typed: Typed) -> Change | AssignTo:
    ref = typed.ref()
    if typed.rest.casefold() in {"", "me"}:
        return Change(actor=typed.actor, ref=ref, owner=typed.actor.person)
    if mention := _MENTION.fullmatch(typed.rest):
        return AssignTo(actor=typed.actor, ref=ref, user=mention[1])
    raise typed.wrong(
        f"{quoted(plain_text(typed.rest))} is nobody that Slack knows: "
        "type @ and pick one person from its list."
    )


def _read_severity(typed: Typed) -> Change:
    ref = typed.ref()
    word = typed.word()
    if not word:
        raise typed.wrong("The severity is missing.")
    severity = typed.severity(word)
    typed.end()
    return Change(actor=typed.actor, ref=ref, severity=severity)


def _read_title(typed: Typed) -> Change:
    ref = typed.ref(before_text=True)
    return Change(actor=typed.actor, ref=ref, title=unquoted(typed.text("The title")))


def _read_components(typed: Typed) -> Change:
    ref = typed.ref(before_text=True)
    names = unquoted(typed.text("The list of components"))
    if names.casefold() == "none":
        return Change(actor=typed.actor, ref=ref, components=())
    components = component_names(names.rstrip(", "), typed)
    if not components:
        raise typed.wrong("The list of components is missing.")
    return Change(actor=typed.actor, ref=ref, components=components)


def _read_timeline(typed: Typed) -> ShowTimeline:
    return ShowTimeline(ref=typed.only_ref())


def _read_redact(typed: Typed) -> Redact:
    # The entry is never left out: a number alone is the entry's.
    ref = typed.ref() if len(typed.rest.split()) > 1 else None
    entry = typed.entry()
    typed.end()
    return Redact(actor=typed.actor, ref=ref, entry=entry)


def _read_setup(typed: Typed) -> SetStatusChannel:
    if match := _CHANNEL.fullmatch(typed.rest):
        return SetStatusChannel(channel=match[1] or match[2])
    if not typed.rest:
        raise typed.wrong("The channel is missing.")
    raise typed.wrong(
        f"{quoted(plain_text(typed.rest))} is no channel that Slack knows: "
        "type # and pick one from its list."
    )


def _read_help(typed: Typed) -> ShowHelp:
    word = typed.word()
    typed.end()
    return ShowHelp(verb=_verb(word).name if word else None)


READERS: Mapping[str, Callable[[Typed], Request]] = {
    "declare": read_declare,
    "list": _read_list,
    "show": _read_show,
    "status": _read_status,
    "next": _read_next,
    "ack": _read_ack,
    "resolve": partial(_read_move, to="resolved"),
    "close": partial(_read_move, to="closed"),
    "update": _read_update,
    "note": _read_note,
    "assign": _read_assign,
    "severity": _read_severity,
    "title": _read_title,
    "components": _read_components,
    "timeline": _read_timeline,
    "redact": _read_redact,
    "setup": _read_setup,
    "help": _read_help,
}
# The argument of these is a mention, so Slack's escaping is left in it.
MENTIONING = frozenset({"assign", "setup"})
