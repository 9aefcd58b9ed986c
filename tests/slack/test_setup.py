"""The dialog with the settings, read back; and templates, which take nothing from notes."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bot.slack.forms import UpdateForm
from bot.slack.inputs import Origin
from bot.slack.requests import UsageError
from bot.slack.setup import saved, setup_dialog, setup_form
from bot.slack.updating import with_template
from core.configuring import Configuration
from core.incident import BODY_MAX, Place, PublicText, Severity
from core.lifecycle import PRESETS, Catalogue
from core.settings import DEFAULTS, SavedSetting, Setting, read, write
from core.templates import Template
from tests.builders import (
    GRACE,
    INCIDENTS_CHANNEL,
    LINUS,
    NINE,
    a_component,
    a_workspace,
    an_incident,
    the_settings,
)

ORIGIN = Origin(place=Place(INCIDENTS_CHANNEL), response_url="https://hooks.slack.com/x")
CATALOGUE = Catalogue(PRESETS, default="statuspage")
GROUPS = {"S0ONCALL": "oncall"}
# A text of each setting that differs from its default.
TEXTS = {
    Setting.STATUS_CHANNEL: "C0RANDOM",
    Setting.RESPONDERS_GROUP: "S0ONCALL",
    Setting.PUBLISHERS_GROUP: "S0ONCALL",
    Setting.DEFAULT_LIFECYCLE: "response",
    Setting.DEFAULT_SEVERITY: "low",
    Setting.MENTION_AT: "critical",
    Setting.PROMISE_DEFAULTS: "low=45m",
    Setting.PRIVATE_BY_DEFAULT: "no",
    Setting.INCIDENT_CHANNELS: "low",
    Setting.API_CHANNEL: "C0GENERAL",
}


def a_configuration(**texts: str) -> Configuration:
    """The settings of a workspace that has saved ``texts``."""
    own = {Setting(name): text for name, text in texts.items()}
    values: dict[str, Any] = {one.value: read(one, text) for one, text in own.items()}
    return Configuration(
        workspace=replace(a_workspace(version=3), settings=the_settings(**values)),
        saved={
            one: SavedSetting(setting=one, text=text, by=GRACE, at=NINE)
            for one, text in own.items()
        },
        defaults=DEFAULTS,
    )


def sent(view: dict[str, Any]) -> dict[str, Any]:
    """The dialog as Slack sends it when nothing in it was touched."""
    values: dict[str, Any] = {}
    for block in (one for one in view["blocks"] if one["type"] == "input"):
        element = block["element"]
        values[block["block_id"]] = {
            element["action_id"]: {
                "selected_conversation": element.get("initial_conversation"),
                "selected_option": element.get("initial_option"),
                "selected_options": element.get("initial_options", []),
            }
        }
    return {
        "callback_id": "setup",
        "private_metadata": view["private_metadata"],
        "state": {"values": values},
        "blocks": view["blocks"],
    }


@pytest.mark.parametrize("texts", [{}, {one.value: text for one, text in TEXTS.items()}])
def test_an_untouched_dialog_changes_nothing(texts):
    view = setup_dialog(a_configuration(**texts), CATALOGUE, GROUPS, origin=ORIGIN)

    asked = setup_form(sent(view))

    assert (asked.changes, asked.chosen, asked.seen) == ({}, {}, 3)


@pytest.mark.parametrize(("setting", "text"), TEXTS.items())
def test_what_was_chosen_stays_in_a_newer_dialog_and_is_read_back(setting, text):
    known = a_configuration()
    view = setup_dialog(known, CATALOGUE, GROUPS, origin=ORIGIN, chosen={setting: text})

    assert setup_form(sent(view)).changes == {setting: text}


def test_a_tick_restores_a_default_whatever_else_was_chosen():
    known = a_configuration(default_severity="low")
    view = setup_dialog(
        known, CATALOGUE, {}, origin=ORIGIN, chosen={Setting.DEFAULT_SEVERITY: "high"}
    )
    submitted = sent(view)
    ticked = {"selected_options": [{"value": "default_severity"}]}
    submitted["state"]["values"]["defaults:3"] = {"defaults": ticked}

    assert setup_form(submitted).changes == {Setting.DEFAULT_SEVERITY: None}


@pytest.mark.parametrize("channel", [Setting.STATUS_CHANNEL, Setting.API_CHANNEL])
def test_an_emptied_channel_is_none_whatever_the_default(channel):
    known = a_configuration(**{channel: TEXTS[channel]})
    submitted = sent(setup_dialog(known, CATALOGUE, {}, origin=ORIGIN))
    emptied = {"selected_conversation": None}
    submitted["state"]["values"][f"{channel}:3"] = {channel: emptied}

    asked = setup_form(submitted)
    assert asked.changes == asked.chosen == {channel: "none"}


JUNK = {one: json.dumps({setting.value: one for setting in Setting}) for one in ("?", 5)}


@pytest.mark.parametrize(
    "remembered",
    [
        {},
        {"seen": 3},
        {"seen": "³"},
        {"seen": "-1"},
        {"seen": "1" * 10},
        {"shown": None},
        {"shown": "[]"},
        {"shown": "{"},
        {"shown": "[" * 100_000},
        {"shown": "{}"},
        {"shown": JUNK[5]},
        {"shown": JUNK["?"]},
    ],
)
def test_a_dialog_that_holds_something_else_is_refused(remembered):
    submitted = sent(setup_dialog(a_configuration(), CATALOGUE, {}, origin=ORIGIN))
    held = json.loads(submitted["private_metadata"]) | remembered if remembered else {}
    submitted["private_metadata"] = json.dumps(held)

    with pytest.raises(UsageError, match="nothing was changed"):
        setup_form(submitted)


def test_a_choice_that_is_no_text_of_its_setting_is_refused():
    submitted = sent(setup_dialog(a_configuration(), CATALOGUE, {}, origin=ORIGIN))
    forged = {"selected_option": {"value": "catastrophic"}}
    submitted["state"]["values"]["default_severity:3"] = {"default_severity": forged}

    with pytest.raises(UsageError, match="nothing was changed"):
        setup_form(submitted)


def test_the_name_of_a_group_mentions_nobody_in_the_answer():
    known = a_configuration(responders_group="S0ONCALL")
    handles = {"S0ONCALL": "<!channel> & <@U0MIA>"}

    answer = saved(known, {Setting.RESPONDERS_GROUP: "S0ONCALL"}, CATALOGUE, handles)

    assert "• Responders: @&lt;!channel&gt; &amp; &lt;@U0MIA&gt;" in answer["text"]


def test_every_setting_has_a_text_that_differs_from_its_default():
    defaults = {one: write(one, the_settings()) for one in Setting}

    assert [one for one in Setting if TEXTS.get(one, defaults[one]) == defaults[one]] == []


# --- templates -----------------------------------------------------------------------------------

TEMPLATES = [
    Template(name="Look", text="We look at {component}, next {next_update}."),
    Template(name="Long", text=f"{{component}}{'x' * (BODY_MAX - 11)}"),
]
PUBLIC = an_incident(components=(a_component("API"),))
PROMISED = {severity: timedelta(minutes=30) for severity in Severity}


def chosen(incident=PUBLIC, template="Look", public=None):
    form = UpdateForm(
        ref=incident.id,
        expected_status=incident.status,
        template=template,
        public=public and PublicText(public),
    )
    return with_template(form, incident, TEMPLATES, PROMISED)


@pytest.mark.parametrize(
    "private",
    [
        {"description": "canary-8d1f"},
        {"category": "canary-8d1f"},
        {"owner": LINUS},
        {"acknowledged_by": LINUS},
        {"invited": (LINUS,)},
        {"last_entry": 9},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_no_byte_of_a_filled_template_depends_on_what_is_private(private):
    assert chosen(replace(PUBLIC, **private)).public == chosen().public


def test_a_filled_template_has_components_and_promise():
    form = chosen()

    assert form.public == "We look at API, next in 30 min."
    assert (form.template, form.templated, form.excess) == (None, 1, 0)


@pytest.mark.parametrize(
    ("incident", "public", "excess"),
    [
        (PUBLIC, None, 0),
        (PUBLIC, "x", 0),
        (PUBLIC, "x" * 7, 1),
        (PUBLIC, "x" * BODY_MAX, BODY_MAX - 6),
        (an_incident(components=(a_component("a component"),)), None, 0),
        (an_incident(components=(a_component("two components"),)), None, 3),
    ],
)
def test_a_text_that_does_not_fit_leaves_what_was_typed(incident, public, excess):
    form = chosen(incident, "Long", public)

    assert (form.excess, form.template, form.templated) == (excess, None, 1)
    if excess:
        assert form.public == public


def test_a_template_that_is_no_more_leaves_the_box_alone():
    form = chosen(template="Gone", public="Sorry.")

    assert (form.public, form.template, form.templated) == ("Sorry.", None, 0)
