"""Signatures of webhooks, in the forms of four providers: what they signed just now is believed, and nothing else."""

from __future__ import annotations

import base64
import copy
import hashlib
import hmac
import pickle
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from victor_ext import AuthenticationError, ConfigurationError, HmacSignature, InvalidRequest

NOW = 1_700_000_000
BODY = b'{"type": "payment.paid", "a": 1.5}'
TEXT = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
KEY = base64.b64decode(TEXT.removeprefix("whsec_"))


def mac(message: str | bytes, key: str | bytes = TEXT, algorithm: str = "sha256") -> bytes:
    message, key = (each.encode() if isinstance(each, str) else each for each in (message, key))
    return hmac.new(key, message, algorithm).digest()


def stripe(at: Any = NOW, body: bytes = BODY, key: str = TEXT) -> dict[str, str]:
    signature = mac(f"{at}.".encode() + body, key).hex()
    return {"Stripe-Signature": f"t={at},v1={'0' * 64},v1={signature},v0=6ffbb59b"}


def svix(at: Any = NOW, number: str = "msg_1", body: bytes = BODY) -> dict[str, str]:
    signature = base64.b64encode(mac(f"{number}.{at}.".encode() + body, KEY)).decode()
    return {"webhook-id": number, "webhook-timestamp": str(at), "webhook-signature": f"v1a,AAAA v1,{signature}"}


BASE64 = {"secret_encoding": "base64"}
DATE = "Tue, 14 Nov 2023 22:13:20 GMT"


def url_text(digest: bytes) -> str:
    """In base64 for URLs, without padding."""
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


FORMS: dict[str, tuple[dict[str, Any], dict[str, str]]] = {
    "Stripe": ({"header": "Stripe-Signature", "secret": TEXT, "signed": "{timestamp}.{body}"}, stripe()),
    "Stripe's own name": ({"header": "stripe-signature", "secret": TEXT, "signed": "{t}.{body}"}, stripe()),
    "GitHub": (
        {"header": "X-Hub-Signature-256", "secret": TEXT},
        {"X-Hub-Signature-256": f"sha256={mac(BODY).hex().upper()}"},
    ),
    "Standard Webhooks": (
        {"header": "webhook-signature", "signed": "{id}.{timestamp}.{body}", "secret": TEXT, **BASE64},
        svix(),
    ),
    "Standard Webhooks by whole names": (
        {"header": "webhook-signature", "secret": KEY, "signed": "{webhook-id}.{webhook-timestamp}.{body}"},
        svix(),
    ),
    "Adyen": (
        {"header": "hmacsignature", "secret": KEY.hex(), "secret_encoding": "hex"},
        {"HmacSignature": base64.b64encode(mac(BODY, KEY)).decode()},
    ),
    "Slack, with bare hex and another algorithm": (
        {"header": "X-Sig", "secret": TEXT, "signed": "v0:{x-sent-timestamp}:{body}", "algorithm": "sha512"},
        {"X-Sig": mac(f"v0:{NOW}000:".encode() + BODY, algorithm="sha512").hex(), "X-Sent-Timestamp": f"{NOW}000"},
    ),
    "a date, and base64 for URLs": (
        {"header": "X-Sig", "secret": TEXT, "signed": "{x-date}\n{body}", "algorithm": "sha1"},
        {"X-Sig": url_text(mac(f"{DATE}\n".encode() + BODY, TEXT, "sha1")), "X-Date": DATE},
    ),
    "a time of ISO 8601 in quotes": (
        {"header": "X-Sig", "secret": TEXT, "signed": "{ts}{body}"},
        {"X-Sig": f'ts="2023-11-14T22:13:20+00:00"; s="{mac(b"2023-11-14T22:13:20+00:00" + BODY).hex()}"'},
    ),
}  # fmt: skip


def signature(at: float = NOW, **options: Any) -> HmacSignature:
    return HmacSignature(**{**FORMS["Stripe"][0], "now": lambda: at, **options})


@pytest.mark.parametrize("form", FORMS)
def test_what_the_provider_signed_is_believed_in_any_kind_of_headers(form: str) -> None:
    options, headers = FORMS[form]
    verify = signature(**{"signed": "{body}", **options})
    raw = [(name.upper().encode(), value.encode()) for name, value in headers.items()]
    for each in (headers, httpx.Headers(headers), [*headers.items()], raw, {**headers, "X-Élan": "é\udcff"}):
        verify(each, BODY)
    for name in headers:
        with pytest.raises(AuthenticationError):
            verify({**headers, name: headers[name].replace("1", "2").replace("a", "b").replace("A", "B")}, BODY)
    for body in (b"", BODY + b" ", BODY.replace(b"1.5", b"9.5")):
        with pytest.raises(AuthenticationError, match="does not match"):
            verify(headers, body)
    is_timed = "t" in options.get("signed", "").replace("{body}", "")
    for seconds in (-301, 301):
        late = signature(NOW + seconds, **{"signed": "{body}", **options})
        if is_timed:
            with pytest.raises(AuthenticationError, match=r"301 s (old|ahead), and 300 s are allowed"):
                late(headers, BODY)
        else:
            late(headers, BODY)


def test_the_window_is_the_callers() -> None:
    signature(NOW + 599, tolerance=600)(stripe(), BODY)
    with pytest.raises(AuthenticationError, match="2 s old, and 1 s are allowed"):
        signature(NOW + 2, tolerance=1)(stripe(), BODY)


def test_several_secrets_while_one_replaces_another() -> None:
    verify = signature(secret=["old", b"new"])
    for key in ("old", "new"):
        verify(stripe(key=key), BODY)
    with pytest.raises(AuthenticationError):
        verify(stripe(key="third"), BODY)


@pytest.mark.parametrize(
    ("headers", "said"),
    [
        ({}, "no header stripe-signature"),
        ({"Stripe-Signature": ""}, "no header stripe-signature"),
        ({"Stripe-Signature": f"v1={mac(BODY).hex()}"}, "no timestamp in stripe-signature"),
        ({"Stripe-Signature": f"t={NOW}"}, "does not match"),
        ({"Stripe-Signature": f"t={NOW},v1={'é' * 64}"}, "does not match"),
        ({"Stripe-Signature": f"t={NOW},v1="}, "does not match"),
        (stripe("today"), "neither seconds since the epoch nor a date"),
        (stripe("2023-11-14T22:13:20"), "neither seconds since the epoch nor a date"),
        (stripe(f"{NOW}.5"), "timestamp holds '.'"),
        (stripe(str(NOW).translate({ord("0") + each: 0x660 + each for each in range(10)})), "neither seconds"),
    ],
)
def test_what_is_lacking_is_named(headers: dict[str, str], said: str) -> None:
    with pytest.raises(AuthenticationError, match=said) as caught:
        signature()(headers, BODY)
    assert TEXT not in repr(caught.value)


def test_a_part_cannot_pass_for_two() -> None:
    shifted = svix(number="msg_1.1700000000", at='{"a"')
    with pytest.raises(AuthenticationError, match=r"id holds '\.'"):
        signature(**FORMS["Standard Webhooks"][0])(shifted, BODY)


def test_each_signature_is_compared_with_each_secret_in_constant_time(monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[int] = []
    real = hmac.compare_digest

    def compare(a: bytes, b: bytes) -> bool:
        compared.append(len(a))
        return real(a, b)

    monkeypatch.setattr("victor_ext.runtime.client.webhooks.hmac.compare_digest", compare)
    signature(secret=[TEXT, "old"])(stripe(), BODY)
    assert compared == [32] * 8  # four parts of the header, and two secrets


@pytest.mark.parametrize(
    ("options", "said"),
    [
        *(({"header": each}, "header=") for each in ("", "X Sig", "é", None)),
        *(({"secret": each}, "secret") for each in ("", " ", b"", [], ["a", ""], None, 5)),
        *(({"secret": each, "secret_encoding": "hex"}, "secret is empty, or is not hex") for each in ("xy", "abc")),
        ({"secret": "no base64", "secret_encoding": "base64"}, "secret is empty, or is not base64"),
        *(({"algorithm": each}, "algorithm=") for each in ("md5", "SHA-256", None)),
        ({"secret_encoding": "utf-8"}, "secret_encoding="),
        *(({"tolerance": each}, "tolerance=") for each in (0, -1, float("inf"), float("nan"), True, None)),
        *(({"signed": each}, "signed=") for each in ("", "{t}", "{body}{body}", "{}{body}", "{body", "{body!r}", None)),
    ],
)  # fmt: skip
def test_arguments_that_cannot_work_are_named(options: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigurationError, match=said) as caught:
        signature(**options)
    assert "no base64" not in str(caught.value)


def test_a_secret_is_shown_nowhere() -> None:
    verify = signature(secret=[TEXT, KEY])
    assert repr(verify) == "HmacSignature(header='stripe-signature', secret=[hidden])"
    assert copy.deepcopy(verify) is verify
    with pytest.raises(TypeError, match="is not pickled"):
        pickle.dumps(verify)


@given(st.dictionaries(st.sampled_from(["Stripe-Signature", "t"]), st.text() | st.none() | st.binary(max_size=9)))
def test_odd_headers_are_refused_and_nothing_else(headers: dict[str, Any]) -> None:
    with pytest.raises(AuthenticationError):
        signature()(headers, BODY)


@pytest.mark.parametrize("headers", [None, 5, "text", [("a", "b", "c")]])
def test_what_are_no_headers(headers: Any) -> None:
    with pytest.raises(InvalidRequest, match="headers must be a mapping"):
        signature()(headers, BODY)


def test_the_hash_is_that_of_the_algorithm() -> None:
    for algorithm in ("sha1", "sha256", "sha384", "sha512"):
        header = {"X-Sig": hmac.new(TEXT.encode(), BODY, getattr(hashlib, algorithm)).hexdigest()}
        HmacSignature(header="X-Sig", secret=TEXT, algorithm=algorithm)(header, BODY.decode())
