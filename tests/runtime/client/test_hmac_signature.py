"""Signatures of webhooks, in the forms of four providers: what they signed just now is believed,
and nothing else.
"""

import copy
import hmac
import itertools
import pickle
from contextlib import nullcontext, suppress

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.cases import cases_beside
from victor_ext import AuthenticationError, ConfigurationError, HmacSignature, InvalidRequest

NOW = 1_700_000_000
BODY = b'{"type": "payment.paid", "a": 1.5}'
FORMS = cases_beside(__file__, "hmac_signatures")
TEXT = FORMS["Stripe"]["options"]["secret"]
UNFIT, TIMELESS = cases_beside(__file__, "hmac_signed").values()


def stripe(at=NOW, key=TEXT):
    mac = hmac.new(key.encode(), f"{at}.".encode() + BODY, "sha256").hexdigest()
    return {"Stripe-Signature": f"t={at},v1={'0' * 64},v1={mac},v0=6ffbb59b"}


def signature(at=NOW, form="Stripe", **options):
    return HmacSignature(**{**FORMS[form]["options"], "now": lambda: at, **options})


each_form = pytest.mark.parametrize("form", FORMS)


@each_form
def test_a_signed_body_is_believed_with_any_kind_of_headers(form):
    verify = signature(form=form)
    headers = FORMS[form]["headers"]
    raw = [(name.upper().encode(), value.encode()) for name, value in headers.items()]
    odd = {**headers, "X-Élan": "é\udcff"}
    for each in (headers, httpx.Headers(headers), [*headers.items()], raw, odd):
        verify(each, BODY)
    for body in (bytearray(BODY), memoryview(BODY), BODY.decode()):
        verify(headers, body)


@each_form
def test_another_value_of_any_header_and_another_body_are_not_believed(form):
    headers = FORMS[form]["headers"]
    for name, value in headers.items():
        other = value.translate(str.maketrans("1aA", "2bB"))
        with pytest.raises(AuthenticationError, match="does not match"):
            signature(form=form)({**headers, name: other}, BODY)
    for other in (b"", BODY + b" ", BODY.replace(b"1.5", b"9.5")):
        with pytest.raises(AuthenticationError, match="does not match"):
            signature(form=form)(headers, other)


@each_form
@pytest.mark.parametrize(("sign", "said"), [(-1, "ahead"), (1, "old")])
def test_a_time_that_is_signed_may_be_five_minutes_off(form, sign, said):
    is_timed = "t" in FORMS[form]["options"].get("signed", "").replace("{body}", "")
    headers = FORMS[form]["headers"]
    signature(NOW + sign * 300, form)(headers, BODY)
    words = f"301 s {said}, and 300 s are allowed"
    with pytest.raises(AuthenticationError, match=words) if is_timed else nullcontext():
        signature(NOW + sign * 301, form)(headers, BODY)
    signature(NOW + sign * 301, form, tolerance=600)(headers, BODY)


def test_each_of_several_secrets_is_believed_while_one_replaces_another():
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
        ({"Stripe-Signature": "v1=00"}, "no timestamp, which is signed: neither in stripe-sig"),
        ({"Stripe-Signature": f"t={NOW}"}, "does not match"),
        ({"Stripe-Signature": f"t={NOW},v1={'é' * 64}"}, "does not match"),
        ({"Stripe-Signature": f"t={NOW},v1="}, "does not match"),
        (stripe("today"), "not seconds or milliseconds"),
        (stripe("2023-11-14T22:13:20"), "not seconds or milliseconds"),
        (stripe(f"{NOW}.5"), "timestamp holds '.'"),
        (
            stripe(str(NOW).translate({ord("0") + each: 0x660 + each for each in range(10)})),
            "not seconds",
        ),
    ],
)
def test_a_refused_signature_is_told_with_the_part_that_is_missing_or_wrong(headers, said):
    with pytest.raises(AuthenticationError, match=said) as caught:
        signature()(headers, BODY)
    assert TEXT not in repr(caught.value)
    with pytest.raises(AuthenticationError, match="has no webhook-id, which is signed"):
        signature(form="Standard Webhooks by whole names")({"webhook-signature": "v1,AAAA"}, BODY)


@given(
    st.sampled_from(["{a}::{b}:{body}", "{a}:{b}::{body}", "x{a}:x{b}:{body}"]),
    st.text("x:", max_size=8),
)
def test_a_signed_text_is_believed_with_at_most_one_division_into_its_parts(signed, message):
    verify = HmacSignature(header="X-Sig", secret=TEXT, signed=signed, tolerance=None)

    def mac_of(text):
        return hmac.new(TEXT.encode(), text.encode(), "sha256").hexdigest()

    plain = {"a": "x", "b": "xx", "body": "xxx"}
    verify({**plain, "x-sig": mac_of(signed.format_map(plain))}, plain["body"])
    mac = mac_of(message)
    texts = {message[a:b] for a, b in itertools.combinations(range(9), 2)}
    names = ["body", "a", "b"][: signed.count("{")]
    believed = []
    for values in itertools.product(texts, repeat=len(names)):
        each = dict(zip(names, values, strict=True))
        if signed.format_map(each) == message:
            with suppress(AuthenticationError):
                verify({**each, "x-sig": mac}, each["body"])
                believed.append(each)
    assert len(believed) <= 1


@pytest.mark.parametrize(
    ("options", "said"),
    [
        *(({"header": each}, "header=") for each in ("", "X Sig", "é", None)),
        *(({"secret": each}, "secret") for each in ("", " ", b"", [], ["a", ""], None, 5)),
        *(
            ({"secret": each, "secret_encoding": "hex"}, "secret is empty, or is not hex")
            for each in ("xy", "abc")
        ),
        ({"secret": "no base64", "secret_encoding": "base64"}, "secret is empty, or is not base64"),
        *(({"algorithm": each}, "algorithm=") for each in ("md5", "SHA-256", None)),
        ({"secret_encoding": "utf-8"}, "secret_encoding="),
        *(
            ({"tolerance": each}, "tolerance=")
            for each in (0, -1, float("inf"), float("nan"), True)
        ),
        *(({"signed": each}, "signed=.* must be text.* of your own") for each in UNFIT),
        *(
            ({"signed": each}, "no name that ends with timestamp.* of your own.*=None")
            for each in TIMELESS
        ),
    ],
)
def test_arguments_of_a_signature_that_cannot_work_are_refused_by_name(options, said):
    with pytest.raises(ConfigurationError, match=said) as caught:
        signature(**options)
    assert "no base64" not in str(caught.value)


def test_a_signature_object_shows_no_secret_and_is_not_pickled():
    verify = signature(secret=[TEXT, TEXT.encode()])
    assert repr(verify) == "HmacSignature(header='stripe-signature', secret=[hidden])"
    assert copy.deepcopy(verify) is verify
    with pytest.raises(TypeError, match="is not pickled"):
        pickle.dumps(verify)


@given(
    st.dictionaries(
        st.sampled_from(["Stripe-Signature", "t"]), st.text() | st.none() | st.binary(max_size=9)
    )
)
def test_odd_headers_raise_authentication_error_and_no_other_error(headers):
    with pytest.raises(AuthenticationError):
        signature()(headers, BODY)


@pytest.mark.parametrize("body", [None, {}, 5, [1], "text".encode])
def test_a_body_that_is_not_the_raw_bytes_is_refused(body):
    with pytest.raises(
        InvalidRequest,
        match="body must be the raw bytes of the request, read before any parser, not ",
    ):
        signature()(stripe(), body)


@pytest.mark.parametrize("headers", [None, 5, "text", [("a", "b", "c")], dict])
def test_headers_that_are_no_mapping_are_refused(headers):
    with pytest.raises(InvalidRequest, match="headers must be a mapping") as caught:
        signature()(headers, BODY)
    assert caught.value.__context__ is None
