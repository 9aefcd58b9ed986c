"""Who is told that a webhook failed until it was switched off."""

from __future__ import annotations

from datetime import timedelta

import pytest

from core.settings import SavedSetting, Setting
from core.webhooks import told_that_it_is_off
from tests.builders import ADA, CI, GRACE, INCIDENTS_CHANNEL, NINE


def saved(setting, by, at):
    return SavedSetting(setting=setting, text="x", by=by, at=at)


BY_ADA = saved(Setting.STATUS_CHANNEL, ADA, NINE)
BY_GRACE = saved(Setting.MENTION_AT, GRACE, NINE + timedelta(days=1))
BY_A_KEY = saved(Setting.API_CHANNEL, CI, NINE + timedelta(days=2))
OF_BEFORE = saved(Setting.DEFAULT_LIFECYCLE, None, None)
UNDATED = saved(Setting.DEFAULT_SEVERITY, GRACE, None)


@pytest.mark.parametrize(
    ("added_by", "api_channel", "settings", "told"),
    [
        (GRACE, INCIDENTS_CHANNEL, [BY_ADA], GRACE.id),
        (CI, INCIDENTS_CHANNEL, [BY_ADA], INCIDENTS_CHANNEL),
        (CI, None, [BY_GRACE, BY_ADA, BY_A_KEY, OF_BEFORE], GRACE.id),
        (CI, None, [UNDATED, BY_ADA], ADA.id),
        (CI, None, [BY_A_KEY, OF_BEFORE], None),
        (CI, None, [], None),
    ],
    ids=[
        "whoever added it",
        "the channel of the API",
        "the admin who saved last",
        "an admin at an unknown time",
        "no person",
        "nobody",
    ],
)
def test_it_is_told_where_somebody_reads_it(added_by, api_channel, settings, told):
    assert told_that_it_is_off(added_by, api_channel=api_channel, saved=settings) == told
