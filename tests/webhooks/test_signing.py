"""The signature of a request, beside the examples and the library of Standard Webhooks."""

from __future__ import annotations

from base64 import b64decode
from datetime import UTC, datetime, timedelta, timezone
from uuid import UUID

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from bot.webhooks.signing import new_secret, signature_headers

UID = UUID("0192f3a0-0000-7000-8000-000000000001")
BODY = '{"text": "Café is down — again"}'.encode()
OLD, NEW = (new_secret() for _ in range(2))


def moment():
    """The library compares the moment with the clock of this machine."""
    return datetime.now(UTC)


def test_a_receiver_with_the_library_takes_what_is_signed():
    headers = signature_headers(UID, moment(), BODY, [NEW])

    assert Webhook(NEW).verify(BODY, headers) == {"text": "Café is down — again"}
    assert headers["webhook-id"] == str(UID)


def test_the_signature_is_the_one_that_openssl_makes():
    # Made over "<id>.<seconds>.<body>": `openssl dgst -sha256 -mac HMAC -macopt hexkey:<secret>`.
    at = datetime.fromtimestamp(1614265330, UTC)
    secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

    headers = signature_headers(UID, at, b'{"test": 2432232314}', [secret])

    assert headers["webhook-timestamp"] == "1614265330"
    assert headers["webhook-signature"] == "v1,Ry0vwhYpkX/WENFenpZ27/mkBnoZFhDqqlLD+/6qOqA="


@pytest.mark.parametrize("secret", [OLD, NEW], ids=["old", "new"])
def test_while_a_secret_is_rotated_both_hold(secret):
    headers = signature_headers(UID, moment(), BODY, [NEW, OLD])

    assert len(headers["webhook-signature"].split(" ")) == 2
    assert Webhook(secret).verify(BODY, headers)


@pytest.mark.parametrize(
    ("body", "secret", "header", "value"),
    [
        (BODY + b" ", NEW, None, None),
        (BODY, OLD, None, None),
        (BODY, NEW, "webhook-id", "another"),
        (BODY, NEW, "webhook-timestamp", str(int(moment().timestamp()) + 60)),
    ],
    ids=["body", "secret", "id", "moment"],
)
def test_nothing_that_is_signed_can_be_changed(body, secret, header, value):
    headers = signature_headers(UID, moment(), BODY, [NEW])
    if header:
        headers[header] = value

    with pytest.raises(WebhookVerificationError):
        Webhook(secret).verify(body, headers)


def test_the_moment_is_the_same_in_every_zone():
    at = moment()
    elsewhere = at.astimezone(timezone(timedelta(hours=5, minutes=45)))

    assert signature_headers(UID, elsewhere, BODY, [NEW]) == signature_headers(UID, at, BODY, [NEW])


def test_a_secret_is_32_random_bytes_behind_its_prefix():
    assert NEW != OLD
    assert all(one.startswith("whsec_") and len(b64decode(one[6:])) == 32 for one in (NEW, OLD))
