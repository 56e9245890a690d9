"""Signatures of webhooks."""

import hashlib
import hmac

import pytest

from masking.signing import WINDOW, SignatureRefused, Verifier, new_secret, sign, verify

KEY, OTHER = new_secret(), new_secret()
BODY = b'{"id":"event-a"}'


def refused(header: str, body: bytes = BODY, *, keys: tuple[str, ...] = (KEY,), now: float = 1000.0) -> str:
    with pytest.raises(SignatureRefused) as told:
        verify(header, body, keys, now)
    return told.value.code


def test_a_signature_is_what_the_documentation_says() -> None:
    digest = hmac.new(KEY.encode(), b"1000." + BODY, hashlib.sha256).hexdigest()
    assert sign(BODY, (KEY,), 1000.9) == f"t=1000,v1={digest}"


def test_only_this_body_at_this_time_under_this_key_is_taken() -> None:
    header = sign(BODY, (KEY,), 1000)
    verify(header, BODY, (KEY,), 1000 + WINDOW)
    assert refused(header, BODY + b" ") == "wrong"
    assert refused(header, keys=(OTHER,)) == "wrong"
    assert refused(header.replace("t=1000", "t=1001")) == "wrong"
    assert refused(header, now=1001 + WINDOW) == "stale"
    assert refused(header, now=999 - WINDOW) == "stale"


@pytest.mark.parametrize(
    "header",
    ["", "t=1000", "t=x,v1=" + "0" * 64, "v1=" + "0" * 64, "t=1000,v1=00", "t=1000,v1=é", "t=١,v1=" + "0" * 64],
)
def test_what_is_no_signature_is_refused(header: str) -> None:
    assert refused(header) == "malformed"


def test_while_a_secret_is_changed_receivers_with_either_take_it() -> None:
    header = sign(BODY, (OTHER, KEY), 1000)
    for key in (KEY, OTHER):
        verify(header, BODY, (key,), 1000)


def test_the_same_signature_is_taken_once_and_a_new_one_of_the_same_event_again() -> None:
    now = [1000.0]
    verifier = Verifier((KEY,), lambda: now[0])
    first = sign(BODY, (OTHER, KEY), now[0])
    verifier.check(first, BODY)
    now[0] += 10
    for replay in (first, "t=1000,v1=" + first.rpartition("=")[2]):
        with pytest.raises(SignatureRefused, match="replayed"):
            verifier.check(replay, BODY)
    verifier.check(sign(BODY, (KEY,), now[0]), BODY)
    now[0] += WINDOW
    with pytest.raises(SignatureRefused, match="stale"):
        verifier.check(first, BODY)


def test_secrets_differ() -> None:
    assert len({new_secret() for _ in range(100)}) == 100
