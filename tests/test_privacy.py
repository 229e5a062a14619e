"""Secrets that work as what they are, and show nothing; so do their parts."""

import json
from functools import partial

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.pretty import pretty_repr

from tests.cases import cases_beside
from victor_ext._privacy import (
    Secret,
    SecretBuffer,
    SecretBytes,
    concealed,
    concealed_account,
    concealed_within,
    hidden_fields,
    redact_excerpt,
    short_mask,
)
from victor_ext._runtime.loop.idempotency_keys import NoKeys
from victor_ext._runtime.loop.operations import Operations
from victor_ext.providers._connected.problems import read_problems
from victor_ext.providers.eastpay._responses import read_problems as of_eastpay
from victor_ext.providers.flexfactor._problems import read_problems as of_flexfactor
from victor_ext.providers.velo._problems import read_problems as of_velo
from victor_ext.providers.victor._operations import read_problems as of_victor
from victor_ext.providers.victor._values import Payee, Payer

of_connected = partial(read_problems, Operations((), httpx.URL("https://api.example"), NoKeys()))


def test_a_part_of_a_secret_is_a_secret_and_a_byte_of_a_secret_is_a_number():
    text = Secret("visibly-fake")
    assert (text[:7], text[0]) == ("visibly", "v")
    assert repr([text, text[:7], text[0]]) == "['[secret]', '[secret]', '[secret]']"
    for data, shown in (
        (SecretBytes(b"visibly-fake"), "b'[secret]'"),
        (SecretBuffer(b"visibly-fake"), "bytearray(b'[secret]')"),
    ):
        assert (data[:7], data[0], data.decode()) == (b"visibly", ord("v"), "visibly-fake")
        assert repr([data, data[:7], data[0]]) == f"[{shown}, {shown}, 118]"
        assert repr(data.decode()) == "'[secret]'"
        assert f"{data} {data[:7]}" == f"{shown} {shown}"


def test_an_account_given_as_text_shows_its_last_digits_and_as_a_number_or_bytes_none():
    assert repr(concealed_account("043987673645")) == "'********3645'"
    assert repr(concealed_account(43987673645)) == "[hidden]"
    assert repr(concealed_account(b"043987673645")) == "b'[secret]'"


def test_none_and_a_flag_in_the_place_of_an_account_are_left_as_they_are():
    assert concealed(None) is None
    assert concealed_account(True) is True


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        ("12", "AccountNumber"),
        (12, "AccountNumberText"),
        (12.0, "AccountNumberText"),
        (True, "bool"),
        (None, "NoneType"),
    ],
)
def test_an_account_in_a_row_is_hidden_as_the_text_or_number_that_was_given(value, kind):
    hidden = hidden_fields([("payee_account_number", value)])
    assert type(hidden["payee_account_number"]).__name__ == kind


def test_a_name_that_may_be_the_number_of_a_card_hides_itself():
    hidden = concealed_within({"4111111111111111": {"holder": "Ada"}, "line1": "1 Main Street"})
    assert "4111111111111111" not in repr(hidden)
    assert "line1" in repr(hidden)


def test_a_mask_in_short_does_not_tell_the_length():
    assert [short_mask(number) for number in ("043987673645", "43645", "3645")] == [
        "****3645",
        "****3645",
        "****",
    ]


@pytest.mark.parametrize("kind", ["objects", "lists"])
def test_concealing_a_deeply_nested_value_raises_no_error(kind):
    value = "visibly-fake"
    for _ in range(5_000):
        value = {"deeper": value} if kind == "objects" else [value]
    assert concealed_within({"body": value}).keys() == {"body"}


NO = {"success": False}
PARAMETER = {"name": "amount", "message": "No."}
FIELDS = {
    "Victor": (of_victor, lambda code: {"error": {"code": code, "message": "No."}}),
    "Victor, of a field": (of_victor, lambda code: {"allErrors": [{"code": code}]}),
    "Velo": (of_velo, lambda code: {"errors": [{"errorCode": code, "errorMessage": "No."}]}),
    "EastPay": (
        of_eastpay,
        lambda code: {"result": {"code": str(code), "parameterErrors": [PARAMETER]}},
    ),
    "FlexFactor": (of_flexfactor, lambda code: {"errors": [{"item1": "No.", "item3": code}]}),
    "FlexFactor, alone": (of_flexfactor, lambda code: {**NO, "statusCode": code}),
    "FlexFactor, code": (of_flexfactor, lambda code: {**NO, "code": code, "message": "No."}),
    "FlexFactor, errorCode": (of_flexfactor, lambda code: {**NO, "errorCode": code}),
    "connected": (of_connected, lambda code: {"error": {"code": code, "message": "No."}}),
    "connected, alone": (of_connected, lambda code: {"error": {"code": code}}),
}
"""Where each system has the code of an error; of some the code is all that it says."""


@pytest.mark.parametrize("system", FIELDS)
@pytest.mark.parametrize(
    ("code", "shown"),
    [
        *cases_beside(__file__, "codes"),
        ("eyJ" + "hbGciOiJub25lIn0.e30.x", "[secret]"),
        ("x" * 60_000, "x" * 200 + "..."),
    ],
)
def test_a_code_of_the_provider_is_shown_and_no_account_number(system, code, shown):
    """FlexFactor: "Use this list to diagnose failed transactions ... the last three digits
    represent the error".
    """
    read, body = FIELDS[system]
    response = httpx.Response(
        400, json=body(code), request=httpx.Request("POST", "https://api.example/v1/evaluate")
    )
    (problem,) = read(response)
    assert problem.code == shown
    assert "No." in problem.message or shown in problem.message


WORDS = (
    "error",
    "errors",
    "allErrors",
    "result",
    "parameterErrors",
    "code",
    "codes",
    "errorCode",
    "statusCode",
    "item3",
    "message",
    "defaultMessage",
    "errorMessage",
    "description",
    "item1",
    "field",
    "location",
    "name",
    "objectName",
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(WORDS) | st.text(), inner, max_size=4)
    ),
    max_leaves=10,
)


@pytest.mark.parametrize("read", [of_victor, of_velo, of_eastpay, of_flexfactor, of_connected])
@given(body=JSON, members=st.dictionaries(st.sampled_from(WORDS), JSON, min_size=1, max_size=4))
def test_reading_the_problems_of_any_error_body_never_raises(read, body, members):
    request = httpx.Request("POST", "https://api.example/v1/capture")
    inner = (body, members, [body, members])
    shapes = [{name: each} for name in ("error", "errors", "allErrors", "result") for each in inner]
    for shape in (body, members, *shapes):
        for problem in read(httpx.Response(400, content=json.dumps(shape), request=request)):
            assert all(isinstance(each, str) for each in (problem.field, problem.code))
            assert problem.message or read is of_connected  # whose text may be empty, as it came
            assert len(problem.message) <= 203
            assert problem.message.isprintable()


@pytest.mark.parametrize("read", [of_flexfactor, of_connected])
def test_a_value_of_a_field_that_is_no_code_may_be_an_account_number(read):
    request = httpx.Request("POST", "https://api.example/v1/capture")
    account = {"account": ["91736455"]}
    body = {"success": False, "error": account, "errors": account}
    problems = read(httpx.Response(400, json=body, request=request))
    assert {(problem.code, problem.message) for problem in problems} == {("", "****6455")}


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        ("The payer ada@example.com is unknown.", "The payer [e-mail] is unknown."),
        ('{"email":"ada.l+x@example.co.uk"}', '{"email":"[e-mail]"}'),
        ("a @ b, 3 @ 4.50", "a @ b, 3 @ 4.50"),
    ],
)
def test_an_excerpt_shows_no_email_address(sent, shown):
    assert redact_excerpt(sent) == shown


def test_the_repr_of_a_concealed_object_shows_none_of_its_texts():
    given = {
        "payer": {"email": "ada@example.com", "age": 36},
        "names": ["Ada", ("Byron",)],
        "none": None,
    }
    hidden = concealed_within(given)
    assert hidden == {**given, "names": ["Ada", ["Byron"]]}
    assert all(word not in repr(hidden) for word in ("ada@example.com", "Ada", "Byron"))
    assert concealed_within("text") == "text"


def test_rich_shows_an_object_by_its_repr():
    number = "071204958836"
    shown = pretty_repr([Payee(number, None), Payer(None, number, "021000021", "Ada")])
    assert number not in shown
    assert number[-4:] in shown
