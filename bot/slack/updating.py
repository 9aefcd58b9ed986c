"""The Update… dialog: everything that one act says and changes, with a preview of its public part.

Pure; `bot.slack.forms` reads it back.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from bot.slack.blocks import (
    Json,
    context,
    input_block,
    modal,
    option,
    section,
    select,
)
from bot.slack.dialogs import NO_PROMISE, box, moved_meanwhile, promise_input, severity_choice
from bot.slack.forms import PUBLISH, SAVE, STAY, UpdateForm
from bot.slack.inputs import Kept, Origin, metadata
from bot.slack.markup import escape, pieces
from bot.slack.pressed import Dialog
from bot.slack.public import reply_blocks
from bot.slack.refusals import denied
from bot.slack.verbs import COMMAND
from bot.slack.words import (
    PRIVATE,
    dot,
    fact_hint,
    note_hint,
    places_in_public,
    public_hint,
    status_name,
)
from core.denials import Denied
from core.incident import (
    BODY_MAX,
    Incident,
    Note,
    PublicText,
    Severity,
    Update,
    is_end,
)
from core.templates import Template
from core.times import duration
from core.workspace import Workspace

# An input with this name, or with a word behind it, is sent while it is filled in.
PREVIEW = "preview"


def update_dialog(
    incident: Incident,
    workspace: Workspace,
    *,
    origin: Origin,
    at: datetime,
    promise_defaults: Mapping[Severity, timedelta],
    form: UpdateForm | None = None,
    moved: Update | None = None,
    unannounced: bool = False,
    templates: Sequence[Template] = (),
    kept: Kept | None = None,
    barred: Denied | None = None,
    responds: bool = True,
) -> Json:
    """The dialog with the next step, both texts, the severity and the next promise.

    ``form`` is filled in so far. ``moved`` is a transition in the meantime. ``unannounced``: it was
    sent by a button that did not say that something would be public. An input keeps its block_id,
    and so its value, until the facts that it was drawn for change: then the choice may be
    impossible, and the block_id is another. ``barred`` is the denial to somebody who may publish
    nothing, ``responds`` is False for somebody who may do nothing else: the boxes are left out.
    """
    form = form or UpdateForm(ref=incident.id, expected_status=incident.status)
    now = section(f"{escape(incident.title)} · now *{status_name(incident.status)}*")
    blocks = [now, *([moved_meanwhile(incident, moved, at)] if moved else [])]
    title = f"Update {incident.name}"
    readers = public_hint(incident, workspace)
    if barred and readers:
        blocks.append(context(" ".join(denied(barred))))
        form, readers = _as_note(form), None
    if incident.terminal and not (form.corrects and readers):
        end = section("That is the end of its lifecycle: it takes no further updates.")
        return modal("message", title, [*blocks, end, *_typed(form)], close="Close")
    if unannounced:
        seen = "This will be public, as the preview shows."
        blocks.append(section(f"{seen} Nothing is saved yet: press *{PUBLISH}*."))
    if responds and not incident.terminal:
        blocks.append(_steps(incident, form))
    if readers:
        blocks += _templates(incident, form, templates)
        blocks.append(
            box(
                f"public:{form.templated}" if form.templated else "public",
                "Public update",
                form.public,
                readers,
                # A text in the place of one that its author has just withdrawn is all there is.
                optional=not incident.terminal,
                action_id=f"{PREVIEW}:public",
            )
        )
    if responds and not incident.terminal:
        # A text that would have no public reader is kept as a note, rather than lost.
        note = form.note if readers else form.note or form.public
        blocks.append(box("note", "Private note", note, note_hint(incident)))
        blocks.append(_severity(incident, workspace, form))
    if readers and not incident.terminal:
        blocks.append(_promise(incident, form, promise_defaults))
    if not responds:
        blocks += _typed(replace(form, public=None))
    blocks += _preview(incident, workspace, form, promise_defaults, at=at)
    return modal(
        Dialog.UPDATE,
        title,
        blocks,
        submit=PUBLISH if publishes(incident, workspace, form) else SAVE,
        private_metadata=metadata(origin, incident, kept=kept),
    )


def _as_note(form: UpdateForm) -> UpdateForm:
    """``form`` with its public text in the box for a note, which may be too long for it."""
    texts = [text for text in (form.note, form.public) if text and text.strip()]
    return replace(form, public=None, note=Note("\n\n".join(texts)) if texts else None)


def _templates(
    incident: Incident, form: UpdateForm, templates: Sequence[Template]
) -> Iterator[Json]:
    """The choice of a template that suits the severity; none where there is none."""
    severity = form.severity or incident.severity
    options = [option(one.name, one.name) for one in templates if one.suits(severity)]
    if options and not incident.terminal:
        choice = select(options, action_id=f"{PREVIEW}:template", placeholder="Choose one")
        yield input_block(
            f"template:{form.templated}",
            "Template",
            choice,
            hint="Its text goes into the box below, behind what is there.",
            optional=True,
            dispatch=True,
        )
        if form.excess:
            cure = "Shorten the text below, and choose it again."
            if not form.public:
                cure = "Choose another: with its places filled in, its own text is too long."
            too_many = f"{form.excess:,} character{'s' * (form.excess > 1)}"
            yield section(
                f"The template is {too_many} too long for the box, so nothing was added. {cure}"
            )


def with_template(
    form: UpdateForm,
    incident: Incident,
    templates: Sequence[Template],
    promise_defaults: Mapping[Severity, timedelta],
) -> UpdateForm:
    """``form`` with the text of the template that is chosen behind what was typed.

    A place for the promise that an earlier template left open is filled in once one is chosen.
    A text that does not fit stays out, because nothing that was typed is cut; the form says so.
    """
    template = next((one for one in templates if one.name == form.template), None)
    promised = _promised(incident, form, promise_defaults)
    if template is None:
        return _with_promise(replace(form, template=None), promised)
    names = [component.name for component in incident.components]
    text = template.filled(names, promised)
    if form.public and form.public.strip():
        text = f"{form.public.rstrip()}\n\n{text}"
    form = replace(form, template=None, templated=form.templated + 1)
    if (excess := len(text) - BODY_MAX) > 0:
        return replace(form, excess=excess)
    return replace(form, public=PublicText(text))


def _with_promise(form: UpdateForm, promised: timedelta | None) -> UpdateForm:
    """``form`` with ``promised`` in the place that a template left open; no longer than fits."""
    if not (form.templated and form.public and promised):
        return form
    text = Template(name="", text=form.public).filled((), promised)
    if text == form.public or len(text) > BODY_MAX:
        return form
    return replace(form, public=PublicText(text), templated=form.templated + 1)


def publishes(incident: Incident, workspace: Workspace, form: UpdateForm) -> bool:
    """Whether ``form`` makes anything public: a text, a status or a severity."""
    return public_hint(incident, workspace) is not None and form.speaks


def _typed(form: UpdateForm) -> Iterator[Json]:
    """The texts that were typed, where no box can hold them any more."""
    for label, text in (("Your public update", form.public), ("Your note", form.note)):
        if text and text.strip():
            yield context(f"{label}, which was not saved:")
            yield from map(section, pieces(text))


def _steps(incident: Incident, form: UpdateForm) -> Json:
    stay = option(f"Stay {status_name(incident.status)}", STAY)
    steps = {step: option(status_name(step), step) for step in incident.next_steps}
    choice = select(
        [stay, *steps.values()],
        action_id=PREVIEW,
        placeholder="Next step",
        initial_option=steps.get(form.to or "", stay),
    )
    return input_block(f"step:{incident.status}", "Next step", choice, dispatch=True)


def _severity(incident: Incident, workspace: Workspace, form: UpdateForm) -> Json:
    choice = severity_choice(
        form.severity or incident.severity, action_id=f"{PREVIEW}:severity", focus=False
    )
    return input_block(
        f"severity:{incident.severity}",
        "Severity",
        choice,
        hint=fact_hint(incident, workspace),
        dispatch=True,
    )


def _promise(
    incident: Incident, form: UpdateForm, promise_defaults: Mapping[Severity, timedelta]
) -> Json:
    """The choice of a promise; the severity proposes one until the person chooses."""
    proposed = promise_defaults.get(form.severity or incident.severity)
    chosen = _promised(incident, form, promise_defaults)
    return promise_input(chosen, proposed=proposed, others=[option("No promise", NO_PROMISE)])


def _promised(
    incident: Incident, form: UpdateForm, promise_defaults: Mapping[Severity, timedelta]
) -> timedelta | None:
    if form.chose_promise:
        return form.next_update.within if form.next_update else None
    return promise_defaults.get(form.severity or incident.severity)


def _preview(
    incident: Incident,
    workspace: Workspace,
    form: UpdateForm,
    promise_defaults: Mapping[Severity, timedelta],
    *,
    at: datetime,
) -> Iterator[Json]:
    """Everything that ``form`` would make public, as channels will show it."""
    if incident.private:
        yield context(f"{PRIVATE} {incident.name} is private: nothing of it is shown in public.")
        return
    places = places_in_public(workspace)
    if places is None:
        yield context(
            "There is no status channel yet, so there is no public update. "
            f"A workspace admin sets one with `{COMMAND} setup #channel`."
        )
        return
    if not publishes(incident, workspace, form):
        yield context(f"Preview: {places} will show nothing new.")
        return
    to = form.to if form.to in incident.next_steps else None
    severity = form.severity or incident.severity
    word = incident.lifecycle.public_word(to or incident.status)
    was = f" (was {status_name(incident.status)})" if to else ""
    status = f"*{status_name(to or incident.status)}*{was}"
    yield context(f"Preview: {places} will show")
    yield section(f"{dot(severity, word)} *{escape(incident.title)}*  {incident.name}")
    yield section(f"{status} · {severity}")
    ends = is_end(incident.lifecycle, incident.status, to)
    if form.public and form.public.strip():
        told = "and in its thread, broadcast to the channel:" if to else "and in its thread:"
        yield context(told)
        yield from reply_blocks(form.public, status=to)
        promised = _promised(incident, form, promise_defaults)
        if promised and not incident.terminal and not (ends or _is_over(incident, to)):
            yield context(f"with the promise of the next update in {duration(promised)}")
    elif ends:
        yield context("and in its thread, broadcast to the channel:")
        after = duration(at - incident.started_at)
        yield section(f"*{status_name(to or incident.status)}* after {after}.")


def _is_over(incident: Incident, to: str | None) -> bool:
    return to is not None and incident.lifecycle.is_terminal(to)
