"""Settings as texts: each is read and written in one form, and bad texts leave the default."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from core.incident import Groups, Severity
from core.settings import DEFAULTS, Setting, read, resolved, write
from core.workspace import IncidentChannels, WorkspaceSettings

CRITICAL, HIGH, MEDIUM, LOW = Severity
HALF_AN_HOUR = timedelta(minutes=30)
OFFERED = IncidentChannels(offered=True)
NAME_OF_100 = "x" * 100

# Setting, typed text, value, and the text as it is written.
READ = [
    ("status_channel", "C0STATUS", "C0STATUS", "C0STATUS"),
    ("status_channel", " G0STATUS ", "G0STATUS", "G0STATUS"),
    ("status_channel", "None", None, "none"),
    ("api_channel", "C0API", "C0API", "C0API"),
    ("responders_group", "S0ONCALL", "S0ONCALL", "S0ONCALL"),
    ("publishers_group", "none", None, "none"),
    ("default_lifecycle", "response", "response", "response"),
    ("default_lifecycle", NAME_OF_100, NAME_OF_100, NAME_OF_100),
    ("default_severity", "HIGH", HIGH, "high"),
    ("mention_at", "low, Critical", frozenset({CRITICAL, LOW}), "critical,low"),
    ("mention_at", "none", frozenset(), "none"),
    ("promise_defaults", "none", {}, "none"),
    (
        "promise_defaults",
        "low=2h, critical = 30 m",
        {CRITICAL: HALF_AN_HOUR, LOW: timedelta(hours=2)},
        "critical=30m,low=120m",
    ),
    ("promise_defaults", "low=1h30", {LOW: timedelta(minutes=90)}, "low=90m"),
    ("private_by_default", "Yes", True, "yes"),
    ("private_by_default", "no", False, "no"),
    ("incident_channels", "Off", IncidentChannels(), "off"),
    ("incident_channels", "offer", OFFERED, "offer"),
    (
        "incident_channels",
        "high,critical",
        replace(OFFERED, at=frozenset({CRITICAL, HIGH})),
        "critical,high",
    ),
]

UNREADABLE = [
    ("status_channel", ""),
    ("status_channel", "#status"),
    ("status_channel", "S0ONCALL"),
    ("status_channel", "C"),
    ("responders_group", "C0STATUS"),
    ("publishers_group", "@oncall"),
    ("default_lifecycle", " "),
    ("default_lifecycle", "x" * 101),
    ("default_severity", "none"),
    ("mention_at", "critical,none"),
    ("mention_at", ""),
    ("promise_defaults", ""),
    ("promise_defaults", "high=0.01h"),
    ("promise_defaults", "critical"),
    ("promise_defaults", "critical=30"),
    ("promise_defaults", "critical=30m,critical=60m"),
    ("promise_defaults", "critical=0m"),
    ("promise_defaults", "low=9999h"),
    ("private_by_default", "true"),
    ("incident_channels", "none"),
    ("incident_channels", "on"),
]


@pytest.mark.parametrize(("name", "typed", "value", "written"), READ)
def test_a_text_is_read_and_written_in_one_form(name, typed, value, written):
    setting = Setting(name)

    assert read(setting, typed) == value
    assert write(setting, replace(DEFAULTS, **{name: value})) == written
    assert read(setting, written) == value


@pytest.mark.parametrize(("name", "typed"), UNREADABLE)
def test_a_text_without_a_value_is_refused_and_leaves_the_default(name, typed):
    with pytest.raises(ValueError):  # noqa: PT011 - the contract says no more
        read(Setting(name), typed)

    assert resolved(DEFAULTS, {name: typed}) == DEFAULTS


@pytest.mark.parametrize("defaults", [DEFAULTS, WorkspaceSettings()])
def test_every_default_can_be_written_and_read(defaults):
    texts = {setting.value: write(setting, defaults) for setting in Setting}
    # A lifecycle that nobody chose has no name yet.
    if defaults.default_lifecycle is None:
        del texts["default_lifecycle"]

    assert resolved(WorkspaceSettings(), texts) == defaults


def test_saved_texts_come_before_the_defaults():
    saved = {"default_severity": "low", "mention_at": "none", "a_later_setting": "5"}

    assert resolved(DEFAULTS, saved) == replace(
        DEFAULTS, default_severity=LOW, mention_at=frozenset()
    )


def test_a_saved_none_comes_before_a_default():
    defaults = replace(DEFAULTS, status_channel="C0STATUS")

    assert resolved(defaults, {"status_channel": "none"}).status_channel is None


def test_every_setting_names_the_variable_of_its_default():
    assert [setting.variable for setting in Setting] == [
        "STATUS_CHANNEL",
        "RESPONDERS_GROUP",
        "PUBLISHERS_GROUP",
        "DEFAULT_LIFECYCLE",
        "DEFAULT_SEVERITY",
        "MENTION_AT",
        "PROMISE_DEFAULTS",
        "PRIVATE_BY_DEFAULT",
        "INCIDENT_CHANNELS",
        "API_CHANNEL",
    ]


def test_permissions_and_mentions_follow_from_the_groups():
    settings = replace(DEFAULTS, publishers_group="S0PUBLISHERS")
    with_group = replace(settings, responders_group="S0ONCALL")

    assert settings.mentions == frozenset()
    assert with_group.mentions == {CRITICAL, HIGH}
    assert with_group.groups == Groups(responders="S0ONCALL", publishers="S0PUBLISHERS")
