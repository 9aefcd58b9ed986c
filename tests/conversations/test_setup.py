"""`/incident setup`: every setting of a workspace in one dialog, in force at once."""

from __future__ import annotations

import pytest

from core.settings import Setting


@pytest.fixture
def mode():
    return "http"


@pytest.fixture
def opened(slack, ratchet):
    """Opens the dialog as ``name`` (mia is a workspace admin), and returns the person."""

    async def opened(name="mia"):
        person = slack.person(name)
        await person.command("#payments", "/incident setup")
        await slack.until(lambda: person.has_view and person.view.callback_id == "setup")
        return person

    return opened


@pytest.fixture
def typed(slack, ratchet):
    """Types a command and returns the text of its answer."""

    async def typed(text, name="mia"):
        asked = await slack.person(name).command("#payments", f"/incident {text}")
        return (await asked.answer()).text

    return typed


@pytest.fixture
def in_force(slack, ratchet):
    """The settings of the workspace, as a transaction reads them."""

    async def in_force():
        team = slack.workspace.team_id
        return await ratchet.store.read(lambda reader: reader.workspace(team).settings)

    return in_force


async def answered(slack, person, words):
    await slack.until(lambda: any(words in told.words() for told in person.ephemerals))


def hints(view):
    return {
        block["block_id"].split(":")[0]: block.get("hint", {}).get("text", "")
        for block in view.blocks
        if block["type"] == "input"
    }


async def test_every_setting_is_shown_as_a_default_at_first(opened):
    mia = await opened()

    shown = hints(mia.view)
    assert {*Setting} <= {*shown, "promise_defaults"}
    assert all(
        "This is the default." in shown.get(one, shown["promise_defaults_critical"])
        for one in Setting
    )
    assert "defaults" not in shown


async def test_a_saved_setting_is_in_force_at_once(slack, opened, typed, in_force):
    mia = await opened()
    await mia.fill("Severity of a new incident", "High")
    await mia.fill("Lifecycle of a new incident", "Response")
    await mia.fill("Next public update, low", "In 4 h")

    await mia.submit()

    await answered(slack, mia, "Severity of a new incident: high")
    settings = await in_force()
    assert (settings.default_severity, settings.default_lifecycle) == ("high", "response")
    assert settings.promise_defaults["low"].total_seconds() == 240 * 60
    await typed("declare Checkout is down")
    assert "now open (high)" in await typed("show 1")


async def test_only_what_was_changed_is_written_with_its_author(slack, ratchet, opened):
    mia = await opened()
    await mia.fill("Severity of a new incident", "Low")
    await mia.submit()
    await answered(slack, mia, "are saved")

    team = slack.workspace.team_id
    saved = await ratchet.store.read(lambda reader: reader.saved_settings(team))
    assert [(one.setting, one.text, one.by.name) for one in saved] == [
        ("default_severity", "low", "mia")
    ]
    again = await opened()
    assert "Saved by mia. The default is: medium." in hints(again.view)["default_severity"]


async def test_the_default_is_used_again(slack, opened, in_force):
    mia = await opened()
    await mia.fill("Severity of a new incident", "Low")
    await mia.submit()
    await answered(slack, mia, "are saved")
    again = await opened()
    await again.fill("Use the default again for", ["Severity of a new incident"])

    await again.submit()

    await answered(slack, mia, "Severity of a new incident: medium (the default)")
    assert (await in_force()).default_severity == "medium"


async def test_an_emptied_channel_is_none_whatever_the_default(slack, opened, in_force):
    mia = await opened()
    assert "Empty: Slack shows no public update." in hints(mia.view)["status_channel"]
    await mia.fill("Status channel", None)
    await mia.submit()

    await answered(slack, mia, "Status channel: none")
    assert (await in_force()).status_channel is None


async def test_a_dialog_without_a_change_saves_nothing(slack, ratchet, opened):
    mia = await opened()
    await mia.submit()

    await answered(slack, mia, "Nothing was changed: every setting is as before.")
    team = slack.workspace.team_id
    assert await ratchet.store.read(lambda reader: reader.workspace(team).version) == 0


async def test_the_status_channel_is_tried_before_it_is_saved(slack, opened, in_force):
    mia = await opened()
    await mia.fill("Status channel", "#random")

    await mia.submit()

    await answered(slack, mia, "Status channel: <#C0RANDOM>")
    assert (await in_force()).status_channel == "C0RANDOM"
    again = await opened()
    assert "Saved by mia. The default is: #status." in hints(again.view)["status_channel"]
    channel = slack.workspace.channel("#random")
    assert len(slack.calls_of("chat.postMessage")) == len(slack.calls_of("chat.delete")) == 1
    assert [one for one in channel.messages if "Ratchet tries" in one.text] == []


@pytest.mark.parametrize(
    ("flags", "told"),
    [
        ({"archived": True}, "The status channel is archived: unarchive it, or choose another."),
        (
            {"private": True, "bot": False},
            (
                "The status channel is private and without me: type /invite @Ratchet there, then "
                "try again."
            ),
        ),
    ],
)
async def test_a_channel_that_takes_no_post_is_refused_at_its_field(
    slack, opened, in_force, flags, told
):
    slack.workspace.add_channel("closed", members=["mia"], **flags)
    mia = await opened()
    await mia.fill("Status channel", "#closed")
    await mia.fill("Severity of a new incident", "Low")

    submitted = await mia.submit()

    assert submitted.field_errors == {"status_channel:0": told}
    assert (await in_force()).default_severity == "medium"


async def test_a_stale_dialog_is_redrawn_and_keeps_what_was_chosen(slack, opened, in_force):
    slack.workspace.user("bo").is_admin = True
    mia, root = await opened(), await opened("bo")
    await mia.fill("Severity of a new incident", "Low")
    await mia.submit()
    await answered(slack, mia, "are saved")
    await root.fill("Lifecycle of a new incident", "Response")

    await root.submit()

    await slack.until(lambda: "changed the settings meanwhile" in str(root.view.blocks))
    await root.submit()
    await answered(slack, root, "Lifecycle of a new incident: Response")
    settings = await in_force()
    assert (settings.default_severity, settings.default_lifecycle) == ("low", "response")


async def test_somebody_who_is_no_admin_is_told_who_can_help(slack, ratchet):
    bo = slack.person("bo")
    await bo.command("#payments", "/incident setup")

    await slack.until(lambda: bo.has_view and "Only workspace admins" in str(bo.view.blocks))


async def test_a_group_decides_who_may_act(slack, opened, typed):
    slack.workspace.add_group("oncall", members=["mia"])
    mia = await opened()
    await mia.fill("Responders", "@oncall")
    await mia.submit()
    await answered(slack, mia, "Responders: @oncall")

    assert "Only <!subteam^" in await typed("declare Checkout is down", "bo")
    assert "INC-1" in await typed("declare Checkout is down")


async def test_a_group_that_is_deleted_leaves_the_admins(slack, opened, typed, clock):
    slack.workspace.add_group("support", members=["bo"])
    group = slack.workspace.add_group("oncall", members=["bo"])
    mia = await opened()
    await mia.fill("Responders", "@oncall")
    await mia.submit()
    await answered(slack, mia, "Responders: @oncall")
    del slack.workspace.groups[group.id]

    told = await typed("declare Checkout is down", "bo")

    assert "their user group is deleted in Slack" in told
    assert "`/incident setup`" in told
    assert "INC-1" in await typed("declare Checkout is down")
    clock.advance(minutes=6)
    again = await opened()
    assert "choose another" in hints(again.view)["responders_group"]


async def test_channels_of_their_own_follow_the_setting_of_the_workspace(
    slack, opened, typed, settle
):
    def offers():
        return [
            post
            for post in slack.workspace.channel("#payments").messages
            if "Open a channel" in repr(post.blocks)
        ]

    await typed("declare Checkout is down")
    await settle()
    assert offers() == []
    mia = await opened()
    await mia.fill("Channels of their own", "Open one by itself at critical")
    await mia.submit()
    await answered(slack, mia, "Channels of their own: critical")

    await typed("declare Search is down severity:low")
    await typed("declare Payments are down severity:critical")
    await settle()

    assert len(offers()) == 1
    bot = slack.workspace.app.bot_user
    made = [one.name for one in slack.workspace.channels.values() if one.creator == bot]
    assert made == ["inc-3-payments-are-down"]
