"""The reader of ``declare``: from its arguments to a command, a dialog or a question. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from bot.slack.audience_words import PRIVATE, PUBLIC
from bot.slack.declare_words import QUOTES_NEEDED, Arguments, Doubt
from bot.slack.references import plain_word
from bot.slack.requests import Choice, OpenDeclare, Question
from bot.slack.typed import Typed, quoted, unquoted
from core.commands import Declare
from core.incident import Severity
from core.texts import COMMAS
from core.times import STARTS, Start, start_of, written_start


def read_declare(typed: Typed) -> Declare | OpenDeclare:
    """The declaration; without a title, the dialog with the options filled in.

    Raises:
        Question: the audience or the severity may be meant, or may be a part of the title.
    """
    found = Arguments(typed)
    named = found.options.get("severity")
    severity = None if named is None else typed.severity(named)
    names = [lifecycle.name for lifecycle in typed.catalogue]
    lifecycle = typed.one_of(
        names,
        found.options.get("lifecycle", typed.catalogue.default.name),
        name="lifecycle",
        hint=f"Lifecycles: {', '.join(names)}.",
    )
    draft = OpenDeclare(
        title=found.title,
        severity=severity,
        lifecycle=lifecycle,
        components=component_names(found.options.get("components", ""), typed),
        private="private" in found.options
        or (typed.known.secluded and "public" not in found.options),
        since=found.options.get("since", ""),
    )
    start = _start(draft, typed) if draft.since else None
    if start:
        # A dialog is sent later, and a draft is used later: neither may move the start.
        draft = replace(draft, since=written_start(start.at, typed.known.zone))
    if not draft.title:
        return draft
    if found.options.get("since"):
        _see_start(found.options["since"], start, draft, typed, sure=found.doubt is None)
    if not typed.literal:
        doubt = found.doubt
        private = [name for name in draft.components if plain_word(name) == "private"]
        if private and not draft.private and (doubt is None or doubt.meant or doubt.unknown):
            others = tuple(name for name in draft.components if name not in private)
            doubt = Doubt(private[0], draft.title, components=others, within=doubt, beside=doubt)
        if doubt:
            raise _about(doubt, draft, typed)
    return _declared(draft, typed)


def _start(draft: OpenDeclare, typed: Typed) -> Start | None:
    return start_of(draft.since, at=typed.known.at, zone=typed.known.zone)


def _see_start(
    said: str, start: Start | None, draft: OpenDeclare, typed: Typed, *, sure: bool
) -> None:
    """Asks about a start that is none, lies in the future, or is rather a slip.

    ``sure``: nothing else of the declaration is doubtful.
    """
    edited = Choice(replace(draft, since="" if start is None else draft.since), "Edit first…")
    now = Choice(_declared(replace(draft, since=""), typed), "Declare it as starting now")
    if start is None:
        problem = f"{quoted(said)} is no start: {STARTS}."
        meant = [now]
    elif start.at > typed.known.at:
        problem = f"{quoted(said)} is still to come in your time zone."
        meant = [now]
    elif start.doubt:
        problem = f"{quoted(said)} {start.doubt}."
        meant = [Choice(_declared(draft, typed), f"Declare it since {draft.since}"), now]
    else:
        return
    raise Question(
        f"{problem} Nothing was declared.",
        [*(meant if sure else []), edited],
        usage=typed.verb.usage,
    )


def _declared(draft: OpenDeclare, typed: Typed) -> Declare:
    start = _start(draft, typed) if draft.since else None
    return Declare(
        actor=typed.actor,
        id=typed.known.new_id,
        title=draft.title,
        lifecycle=typed.catalogue.find(draft.lifecycle or typed.catalogue.default.name),
        severity=draft.severity or typed.known.default_severity,
        private=draft.private,
        components=draft.components,
        started_at=start.at if start else None,
        place=typed.known.place,
    )


def component_names(text: str, typed: Typed) -> tuple[str, ...]:
    """The names in ``text``, which has commas between them, of any script."""
    if text and COMMAS.fullmatch(text[-1]):
        raise typed.wrong(QUOTES_NEEDED)
    return tuple(name for part in COMMAS.split(text) if (name := unquoted(part.strip())))


def _about(doubt: Doubt, draft: OpenDeclare, typed: Typed) -> Question:
    """The question, with one declaration for each meaning, and the dialog."""
    if doubt.meant or doubt.unknown:
        problem, taken = _about_options(doubt), _taken(doubt, typed)
        problem += " It is private either way." if draft.private else ""
        whole = "It is part of the title" if doubt.without else "It is the title"
        meant = [(f"Declare it {_as_options(doubt)}", taken), (whole, {})]
    else:
        problem, taken = _about_readers(doubt), {}
        meant = list(_readers_and_options(doubt, draft, typed))
    # Without a title the dialog has what the words may mean.
    edited = draft if doubt.without or doubt.unknown else replace(draft, **meant[0][1])
    if not (doubt.meant or doubt.unknown) and doubt.readers == PRIVATE:
        # Whoever sends the dialog unread must not publish what may be private.
        edited = replace(edited, private=True)
    return Question(
        f"{problem} Nothing was declared.",
        [
            *(
                Choice(_declared(declared, typed), label)
                for label, changes in meant
                if (declared := replace(draft, **changes)).title
            ),
            Choice(edited, "Edit first…"),
        ],
        usage=typed.verb.usage,
    )


def _about_options(doubt: Doubt) -> str:
    if not doubt.meant:
        return f"{quoted(doubt.word)} is no option of `declare`."
    told = f"{quoted(doubt.word.rstrip(',;'))} may mean {_said(doubt)}"
    return (
        f"{told}, and {quoted(doubt.unknown)} is no option of `declare`."
        if doubt.unknown
        else f"{told}."
    )


def _about_readers(doubt: Doubt) -> str:
    other = "a component" if doubt.components is not None else "a part of the title"
    told = f"{quoted(doubt.word)} may say who reads this, or be {other}."
    options = doubt.within or doubt.beside
    return f"{told} {_about_options(options)}" if options else told


def _readers_and_options(
    doubt: Doubt, draft: OpenDeclare, typed: Typed
) -> Iterator[tuple[str, dict[str, Any]]]:
    """A label and the fields for each meaning of words about readers, and of options beside them.

    The words that are taken come first.
    """
    private = "private" if draft.private else "in public"
    if doubt.readers == PUBLIC:
        named, as_typed = "in public", "private"
        said = {"title": doubt.without, "private": False}
        kept = {"private": True}
    elif doubt.components is not None:
        named, as_typed = "private", "in public"
        said, kept = {"components": doubt.components, "private": True}, {}
    else:
        named, as_typed = "private", private
        said, kept = {"title": doubt.without, "private": True}, {}
    if doubt.beside:
        taken = {**said, **_taken(doubt.beside, typed)}
        yield f"Declare it {named}, {_as_options(doubt.beside)}", taken
    if doubt.within:
        taken = {**kept, **_taken(doubt.within, typed)}
        yield f"Declare it {as_typed}, {_as_options(doubt.within)}", taken
    whole = f"Declare it {as_typed}, as typed", kept
    if doubt.readers == PUBLIC:
        yield whole
    yield f"Declare it {named}" + (", the rest as its title" if doubt.beside else ""), said
    if doubt.readers != PUBLIC:
        yield whole


def _said(doubt: Doubt) -> str:
    """``severity:high since:02:50``."""
    return " ".join(f"{key}:{value}" for key, value in doubt.meant.items())


def _as_options(doubt: Doubt) -> str:
    """The options of ``doubt`` behind ``Declare it``: ``high``, ``with since:02:50``."""
    if not doubt.meant:
        return "without that"
    told = doubt.meant["severity"] if {*doubt.meant} == {"severity"} else f"with {_said(doubt)}"
    return f"{told}, without {doubt.unknown}" if doubt.unknown else told


def _taken(doubt: Doubt, typed: Typed) -> dict[str, Any]:
    """The fields of a declaration that takes the words of ``doubt`` as options."""
    return {"title": doubt.without, **_options(doubt.meant, typed)}


def _options(meant: Mapping[str, str], typed: Typed) -> dict[str, Any]:
    """The fields of a dialog that the options ``meant`` fill in."""
    fields: dict[str, Any] = dict(meant)
    if severity := meant.get("severity"):
        fields["severity"] = Severity(severity)
    if components := meant.get("components"):
        fields["components"] = component_names(components, typed)
    if start := start_of(meant.get("since", ""), at=typed.known.at, zone=typed.known.zone):
        fields["since"] = written_start(start.at, typed.known.zone)
    return fields
