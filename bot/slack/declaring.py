"""The reader of ``declare``: from its arguments to a command, a dialog or a question. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

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
        if found.doubt:
            raise _about(found.doubt, draft, typed)
        private = [name for name in draft.components if plain_word(name) == "private"]
        if private and not draft.private:
            others = tuple(name for name in draft.components if name not in private)
            doubt = Doubt(private[0], draft.title, components=others)
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

    def meaning(label: str, **changes: object) -> Choice:
        fields = {name: getattr(draft, name) for name in OpenDeclare.__slots__}
        return Choice(_declared(OpenDeclare(**fields | changes), typed), label)

    edited = Choice(draft, "Edit first…")
    if doubt.components is not None:
        problem = f"{quoted(doubt.word)} may say who reads this, or be a component."
        title = meaning("Declare it in public, as typed")
        meant = [meaning("Declare it private", components=doubt.components, private=True)]
    elif doubt.option:
        problem = f"{quoted(doubt.word)} is no option of `declare`."
        title = meaning("It is part of the title")
        meant = [meaning("Declare it without that", title=doubt.without)]
    elif doubt.meant:
        said = " ".join(f"{key}:{value}" for key, value in doubt.meant.items())
        problem = f"{quoted(doubt.word)} may mean {said}."
        title = meaning("It is part of the title" if doubt.without else "It is the title")
        changed = {"title": doubt.without, **_options(doubt.meant, typed)}
        alone = {*doubt.meant} == {"severity"}
        label = doubt.meant["severity"] if alone else f"with {said}"
        meant = [meaning(f"Declare it {label}", **changed)]
        if not doubt.without:
            edited = Choice(replace(draft, **changed), "Edit first…")
    else:
        problem = f"{quoted(doubt.word)} may say who reads this, or be a part of the title."
        if plain_word(doubt.word) == "public":
            meant = [meaning("Declare it private, as typed", private=True)]
            title = meaning("Declare it in public", title=doubt.without, private=False)
        else:
            meant = [meaning("Declare it private", title=doubt.without, private=True)]
            whole = "private" if draft.private else "in public"
            title = meaning(f"Declare it {whole}, as typed")
    return Question(
        f"{problem} Nothing was declared.",
        [choice for choice in (*meant, title, edited) if _has_title(choice)],
        usage=typed.verb.usage,
    )


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


def _has_title(choice: Choice) -> bool:
    return not isinstance(choice.request, Declare) or bool(choice.request.title)
