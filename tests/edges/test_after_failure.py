"""Verdicts on failed deliveries: a table of every error of Slack."""

from datetime import timedelta

import aiohttp
import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from bot.delivery.failures import Failure, FailureKind, GiveUp, PostAnew, TryAgain, after_failure
from bot.delivery.slack import OWN_FAULT, failure
from storage.outbox import UNKNOWN_OUTCOME
from tests.builders import NINE


def an_answer(data, *, status=200, headers=None):
    """An answer of Slack, or of a proxy before it, as slack_sdk raises it."""
    response = AsyncSlackResponse(
        client=None,
        http_verb="POST",
        api_url="https://slack.com/api/chat.postMessage",
        req_args={},
        data=data,
        headers=headers or {},
        status_code=status,
    )
    return SlackApiError("The request to the Slack API failed.", response)


def refused(error):
    return an_answer({"ok": False, "error": error})


def decide(error, *, attempts=1, last_error=None, jitter=0.0):
    failed = failure(error, last_error=last_error)
    return after_failure(failed, attempts=attempts, at=NINE, jitter=jitter)


def later(error, *, after_seconds=2.0):
    return TryAgain(NINE + timedelta(seconds=after_seconds), error)


UNKNOWN = later(UNKNOWN_OUTCOME, after_seconds=5.0)
HELD = TryAgain(NINE + timedelta(seconds=30), "rate_limited", whole_channel=True)

# Every error that Slack documents for the two methods and for all methods, by its verdict. For
# `not_in_channel` the transport has joined already.
VERDICTS = {
    UNKNOWN: """
        fatal_error internal_error request_timeout service_unavailable
        """,
    HELD: """
        rate_limited
        """,
    PostAnew("*"): """
        cannot_reply_to_message cant_update_message edit_window_closed message_not_found
        restricted_action_non_threadable_channel restricted_action_thread_locked thread_not_found
        """,
    later("*"): """
        external_channel_migrating message_limit_exceeded streaming_state_conflict
        team_added_to_org update_failed
        """,
    GiveUp("*"): """
        access_denied accesslimited account_inactive app_access_restricted as_user_not_supported
        attachment_payload_limit_exceeded block_mismatch blocked_file_type cant_broadcast_message
        channel_not_found deprecated_endpoint draft_already_deleted draft_already_sent
        draft_has_conflict draft_not_found duplicate_channel_not_found
        duplicate_message_not_found ekm_access_denied enterprise_is_restricted file_deleted
        file_is_deleted file_not_found file_share_limit_reached invalid_arg_name
        invalid_arguments invalid_array_arg invalid_attachments invalid_auth invalid_blocks
        invalid_blocks_format invalid_charset invalid_form_data invalid_metadata_format
        invalid_metadata_schema invalid_post_type is_archived is_inactive markdown_text_conflict
        max_file_sharing_exceeded messages_tab_disabled metadata_must_be_sent_from_app
        metadata_too_large method_deprecated missing_file_data missing_post_type missing_scope
        msg_blocks_too_long msg_too_long no_dual_broadcast_content_update no_permission no_text
        not_allowed_token_type not_authed not_in_channel org_login_required
        posting_to_channel_denied
        restricted_action restricted_action_read_only_channel
        restricted_action_thread_only_channel send_on_behalf_not_allowed
        slack_connect_blocked_file_type slack_connect_canvas_sharing_blocked
        slack_connect_clip_sharing_blocked slack_connect_file_link_sharing_blocked
        slack_connect_file_upload_sharing_blocked slack_connect_lists_sharing_blocked
        team_access_not_granted team_not_found token_expired token_revoked too_many_attachments
        too_many_contact_cards two_factor_setup_required unable_to_share_files
        """,
}
CASES = [(code, verdict) for verdict, codes in VERDICTS.items() for code in codes.split()]


@pytest.mark.parametrize(("code", "verdict"), CASES)
def test_each_error_of_slack_has_its_verdict(code, verdict):
    found = decide(refused(code))

    named = getattr(verdict, "error", None) == "*"
    assert found == (type(verdict)(**{**fields(verdict), "error": code}) if named else verdict)


def fields(verdict):
    return {name: getattr(verdict, name) for name in verdict.__dataclass_fields__}


def test_an_unknown_error_is_given_up():
    assert decide(refused("something_new")) == GiveUp("something_new")


LOST_RESPONSES = {
    "a time-out": TimeoutError(),
    "a reset connection": ConnectionResetError(),
    "a cut connection": aiohttp.ServerDisconnectedError(),
    "half an answer": aiohttp.ClientPayloadError(),
    "no connection": aiohttp.ClientConnectionError(),
    "500": an_answer({"ok": False, "error": "internal_error"}, status=500),
    "502 with a name": an_answer({"ok": False, "error": "is_archived"}, status=502),
    "503 with a page": an_answer({}, status=503),
    "200 with a page": an_answer({}, status=200),
    "404 with a page": an_answer({}, status=404),
    "503 with a text": an_answer("<html>503</html>", status=503),
    "502 with nothing": an_answer(None, status=502),
    "500 with a list": an_answer([], status=500),
    "no name": an_answer({"ok": False}),
    "null for a name": an_answer({"ok": False, "error": None}),
    "an object for a name": an_answer({"ok": False, "error": {"code": 1}}),
    "broken JSON": SlackApiError("Received a response in a non-JSON format", object()),
}


@pytest.mark.parametrize("error", LOST_RESPONSES.values(), ids=LOST_RESPONSES)
def test_a_lost_response_leaves_the_outcome_unknown(error):
    assert decide(error) == UNKNOWN


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry-After": "7"}, 7),
        ({"retry-after": "7"}, 7),
        ({"Retry-After": " 7 "}, 7),
        ({"Retry-After": "0"}, 1),
        ({"Retry-After": "-5"}, 1),
        ({"Retry-After": "7200"}, 7_200),
        ({"Retry-After": "9" * 5_000}, 30),
        ({"Retry-After": "99999999999"}, 86_400),
        ({"Retry-After": "nan"}, 30),
        ({"Retry-After": "Wed, 21 Oct 2026 07:28:00 GMT"}, 30),
        ({}, 30),
    ],
)
@pytest.mark.parametrize("data", [{"ok": False, "error": "ratelimited"}, {}, "", None])
def test_retry_after_holds_the_whole_channel(headers, seconds, data):
    found = decide(an_answer(data, status=429, headers=headers), attempts=9, jitter=1.0)

    until = NINE + timedelta(seconds=seconds)
    assert found == TryAgain(until, "ratelimited", whole_channel=True)


def test_a_rate_limit_is_never_given_up():
    limited = an_answer({}, status=429, headers={"Retry-After": "1"})

    assert isinstance(decide(limited, attempts=100_000), TryAgain)


@pytest.mark.parametrize(
    ("attempts", "seconds"),
    [(1, 2), (2, 4), (3, 8), (4, 16), (8, 256), (9, 300), (17, 300), (199, 300)],
)
def test_the_pause_doubles_up_to_five_minutes(attempts, seconds):
    found = decide(refused("update_failed"), attempts=attempts)

    assert found.at == NINE + timedelta(seconds=seconds)


@pytest.mark.parametrize(
    ("attempts", "jitter", "seconds"), [(1, 0, 5), (2, 0, 5), (2, 1, 6.25), (3, 0, 8), (3, 1, 6.25)]
)
def test_a_lost_response_is_followed_by_at_least_five_seconds(attempts, jitter, seconds):
    found = decide(TimeoutError(), attempts=attempts, jitter=jitter)

    assert found.at == NINE + timedelta(seconds=seconds)


@pytest.mark.parametrize(("jitter", "seconds"), [(0.0, 8), (0.5, 7), (1.0, 6)])
def test_jitter_shortens_the_pause_by_up_to_a_quarter(jitter, seconds):
    found = decide(refused("update_failed"), attempts=3, jitter=jitter)

    assert found.at == NINE + timedelta(seconds=seconds)


@pytest.mark.parametrize("code", ["update_failed", "internal_error"])
def test_the_200th_try_is_the_last(code):
    assert isinstance(decide(refused(code), attempts=199), TryAgain)
    assert isinstance(decide(refused(code), attempts=200), GiveUp)


def test_an_error_of_ours_is_given_up_after_seven_tries():
    ours = Failure(FailureKind.NOT_DRAWN, OWN_FAULT)

    assert isinstance(after_failure(ours, attempts=6, at=NINE, jitter=0), TryAgain)
    assert after_failure(ours, attempts=7, at=NINE, jitter=0) == GiveUp(OWN_FAULT)


@pytest.mark.parametrize("attempts", [1, 2, 50])
@pytest.mark.parametrize("code", ["message_not_found", "thread_not_found"])
def test_a_missing_message_or_thread_is_posted_anew_once(code, attempts):
    assert decide(refused(code), attempts=attempts, last_error="ratelimited") == PostAnew(code)
    assert decide(refused(code), attempts=attempts, last_error=code) == GiveUp(code)
