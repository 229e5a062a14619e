"""Which seconds, header values and numbers can be, how a body is decompressed, and how values are
compared.
"""

import gzip
import math
import pickle
import sys
from decimal import Decimal

import httpx
import pytest
from flexfactor_api.typed import arguments, parts

from tests.runtime.fakes import Pieces
from victor_ext._runtime.client.webhooks import notification_body
from victor_ext._runtime.core.comparing import (
    Likeness,
    compared,
    compared_leaves,
    mismatch,
    same,
)
from victor_ext._runtime.core.headers import LONGEST, header_complaint
from victor_ext._runtime.core.json_values import decimal_of, parsed
from victor_ext._runtime.core.response import ReceivedBody, Response, read
from victor_ext._runtime.core.validation import are_seconds, seconds_complaint
from victor_ext.money import from_wire
from victor_ext.typed import Form, Query

THIRTY_DAYS = 30 * 24 * 60 * 60


ODD_SECONDS = [
    -0.001,
    THIRTY_DAYS + 1,
    10**400,
    math.inf,
    -math.inf,
    math.nan,
    True,
    False,
    "5",
    None,
]


@pytest.mark.parametrize("seconds", [0.001, 1, THIRTY_DAYS])
def test_a_number_above_zero_and_up_to_thirty_days_is_seconds(seconds):
    assert are_seconds(seconds)


@pytest.mark.parametrize("odd", ODD_SECONDS)
def test_what_is_below_zero_beyond_thirty_days_or_no_number_is_no_seconds(odd):
    assert not are_seconds(odd)
    assert not are_seconds(odd, above_zero=False)


@pytest.mark.parametrize("beyond", [THIRTY_DAYS + 1, 10**400])
def test_the_limit_of_thirty_days_is_named_for_seconds_beyond_it(beyond):
    said = seconds_complaint("deadline", beyond, "above 0")
    assert said.startswith("deadline=")
    assert said.endswith(" must be seconds above 0 (at most 2592000, which is 30 days).")


@pytest.mark.parametrize(
    ("value", "why"),
    [
        *((value, None) for value in (b"Bearer t", b"t", b"a\tb", b"t" * LONGEST)),
        (b"", "is empty"),
        (b" secret", "has a blank at one of its ends"),
        (b"secret\t", "has a blank at one of its ends"),
        (b"sec\nret", "holds a line break or another control character"),
        (b"sec\x00ret", "holds a line break or another control character"),
        (b"s" * (LONGEST + 1), f"has {LONGEST + 1} characters"),
    ],
)
def test_a_header_that_cannot_be_sent_is_complained_of_by_its_reason(value, why):
    assert header_complaint(value) == why


def test_bytes_after_the_end_of_a_compressed_body_are_not_read():
    pieces = iter([gzip.compress(b"{}"), *[b"x" * 1000] * 3])
    response = httpx.Response(200, headers={"Content-Encoding": "gzip"}, stream=Pieces(pieces))
    whole = read(
        ReceivedBody(response, httpx.Request("GET", "http://127.0.0.1/"), 0.0, None, 1_000_000)
    )
    assert (whole.json(), whole.damage) == ({}, None)
    assert len(list(pieces)) == 2, "zlib would keep all of it, and copy it with each piece"


def test_a_check_of_free_text_of_a_number_of_a_flag_or_of_a_part_does_not_repeat_what_was_given():
    """It may be a secret that was given by mistake."""
    text = "a-token-by-mistake"
    checks = Query()
    checks.text("text", text, 3)
    checks.reference("reference", f"{text} ", 40)
    checks.reference("other", f" {text}", 40)
    checks.text("id", text, form=Form("[0-9]", "a digit"))
    checks.integer("page_size", text, 1, 100)
    checks.flag("sensitive", text)
    checks.part("card", text, parts.Card, arguments.PACKAGE.parts["PaymentMethod"])
    assert [problem.field for problem in checks.problems] == [
        "text", "reference", "other", "id", "page_size", "sensitive", "card",
    ]  # fmt: skip
    assert not [problem for problem in checks.problems if text in problem.message]


DIGITS = "1e-400", "12345678901234567.89", "-0.30000000000000000000001", "1E+400", "0.1"
NO_DIGITS = "1e5000", "1e-5000", "0e-999999999", "1e99999999999999999999"
NO_NUMBERS = "NaN", "Infinity", "-Infinity"


@pytest.mark.parametrize(
    ("sent", "number"),
    [*((each, each) for each in DIGITS), *((each, None) for each in NO_DIGITS), ("1e2", "100")],
)
def test_a_number_has_the_digits_that_were_sent_and_with_too_many_is_no_amount(sent, number):
    read = parsed(f"[{sent}]".encode())
    assert (
        decimal_of(read[0]) == from_wire(read[0]) == (None if number is None else Decimal(number))
    )
    assert parsed(sent) == pickle.loads(pickle.dumps(read))[0]
    assert same("44.23", read[0], "decimal") in (Likeness.OTHER, Likeness.UNREADABLE)


@pytest.mark.parametrize("word", NO_NUMBERS)
def test_a_word_such_as_nan_is_read_as_null_in_a_response_and_in_a_webhook(word):
    body = f'{{"a": [{word}, 1.50], "b": {word}}}'
    response = Response(200, content=body.encode())
    for value in (parsed(body), parsed(body, is_secret=True), response.json()):
        assert value == {"a": [None, 1.5], "b": None}
    assert response.json(parse_float=str) == {"a": [None, "1.50"], "b": None}
    assert notification_body(body, provider="Acme") == {"a": [None, 1.5], "b": None}


def test_numbers_are_compared_by_their_digits():
    one = parsed("12345678901234567.89")
    other = parsed("12345678901234567.88")
    assert (one == other, float(one) == float(other), len({one, other})) == (False, True, 2)
    assert (parsed("12345678901234567.0"), bool(parsed("1e-400"))) == (12345678901234567, True)
    assert parsed("1e-400") != 0.0 != parsed("1e-400")


def nested(levels, text):
    """JSON of so many levels, with this text in each."""
    inner = "[]"
    for level in range(levels - 1):
        inner = f"{{{text}:{inner}}}" if level % 2 else f"[{text}, {inner}, {text}]"
    return inner


@pytest.mark.parametrize(
    "text", ['""', '"[[["', '"]]}"', r'"\\"', r'"\\\"]["', r'"\\[\\"', r'"\/"', r'"\ud800["']
)
@pytest.mark.parametrize("options", [{}, {"is_secret": True}, {"object_pairs_hook": dict}])
def test_json_of_more_than_a_hundred_levels_is_refused_whatever_its_texts_hold(text, options):
    parsed(nested(100, text).encode(), **options)
    for levels in (101, 20_000):
        with pytest.raises(ValueError, match="nested too deeply"):
            parsed(nested(levels, text).encode(), **options)


def test_json_of_ninety_levels_is_a_value_error_when_the_stack_is_nearly_full():
    def read_below(frames):
        return read_below(frames - 1) if frames else parsed("[" * 90 + '"\\ud800"' + "]" * 90)

    with pytest.raises(ValueError, match="nested too deeply"):
        [read_below(frames) for frames in range(0, sys.getrecursionlimit(), 20)]


SAME, OTHER, UNREADABLE, UNSAID = (
    Likeness.SAME, Likeness.OTHER, Likeness.UNREADABLE, Likeness.UNSAID,
)  # fmt: skip
GUID = "A1B2C3D4-0000-4000-8000-000000000000"
MOMENT = "2026-03-04T05:06:07.900Z"
WORDS = "LOW", "HIGH"


@pytest.mark.parametrize(
    ("kind", "sent", "received", "is_like"),
    [
        ("text", "a  b", " a b", SAME),
        ("text", "\xdc-1", "U\u0308-1", SAME),
        ("text", "\u2460-1", "1-1", OTHER),
        ("text", "a", "A", OTHER),
        ("text", "1042.1", "1042.10", OTHER),
        ("text", "1042", 1042, SAME),
        ("text", "1042", 1043, OTHER),
        ("text", "01042", 1042, UNREADABLE),
        ("text", "1042.10", 1042.1, UNREADABLE),
        ("text", "INV-3645", "****3645", SAME),
        ("text", "INV-3645", "IN**46", OTHER),
        ("text", "SUB-7-1042", "SUB*1042", OTHER),
        ("text", "", "a", OTHER),
        ("text", "", " ", UNSAID),
        *(("text", "a", nothing, UNSAID) for nothing in (None, "", " ", "****")),
        (WORDS, "LOW", "low", SAME),
        (WORDS, "LOW", "HIGH", OTHER),
        ((1, 2), 1, 2, OTHER),
        ("word", "043987673645", "********3645", SAME),
        ("uuid", GUID, GUID.lower(), SAME),
        ("id", GUID, GUID.lower(), SAME),
        ("id", "Ab", "ab", OTHER),
        ("flag", False, "true", OTHER),
        ("flag", "false", False, SAME),
        ("flag", True, 1, UNREADABLE),
        ("whole", 5, 5.0, SAME),
        ("number", 0.25, "0.250", SAME),
        ("number", 0.25, "a quarter", UNREADABLE),
        ("decimal", "0.25", 0.26, OTHER),
        ("dollars", "44.23", "44.23 EUR", UNREADABLE),
        ("moment", MOMENT, "2026-03-04T07:06:07+02:00", SAME),
        ("moment", MOMENT, "2026-03-04T05:06:08z", OTHER),
        ("moment", MOMENT, "2026-03-04T05:06:07", UNREADABLE),
        ("day", "2026-03-04", "2026-03-05", OTHER),
        ("day", "2026-03-04", "04/03/2026", UNREADABLE),
        # a kind without values of its own: the type of what was sent counts
        *(
            case
            for kind in (None, "Address", ["text"])
            for case in (
                (kind, "a", "A", OTHER),
                (kind, 1042.1, "1042.10", SAME),
                (kind, True, "TRUE", SAME),
            )
        ),
        *(
            (kind, sent, odd, UNREADABLE)
            for kind, sent in (("text", "1"), ("word", "1"), ("id", "1"), ("decimal", "1"))
            for odd in ([], {}, ["1"], {"value": "1"}, True)
        ),
    ],
)
def test_a_value_is_compared_by_the_kind_that_the_document_declares(kind, sent, received, is_like):
    assert same(sent, received, kind) is is_like


def test_a_value_that_a_response_leaves_out_is_compared_only_if_it_is_needed():
    kinds = {"amount": "decimal", "memo": "text", "unsent": "text"}
    sent = {"amount": "44.23", "memo": "May"}
    assert compared(kinds, sent, {"amount": "44.230"}) == {"amount": SAME}
    assert compared(kinds, sent, {"memo": "June"}, needed=("amount",)) == {
        "amount": UNSAID,
        "memo": OTHER,
    }


def test_of_what_a_body_repeats_another_value_counts_before_one_that_cannot_be_read():
    assert mismatch("payment", {}) is None
    assert mismatch("payment", {"id": SAME, "memo": UNSAID}) is None
    unreadable = {"id": SAME, "day": UNREADABLE}
    assert mismatch("payment", unreadable) == "its day cannot be read"
    words = "its body is about another payment: its memo is not that of the request"
    assert mismatch("payment", {**unreadable, "memo": OTHER}) == words


KINDS = {"Batch": {"payments": ["Item"], "note": "text"}, "Item": {"speed": WORDS}}


@pytest.mark.parametrize(
    ("received", "is_like"),
    [
        ({"payments": [{"speed": "low", "more": 1}], "note": "a"}, {SAME}),
        ({"payments": [{"speed": "HIGH"}], "note": "a"}, {SAME, OTHER}),
        ({"payments": [{}, {}], "note": "a"}, {SAME, OTHER}),
        ({"payments": "low", "note": "a"}, {SAME, UNSAID}),
    ],
)
def test_json_is_compared_value_by_value(received, is_like):
    sent = {"payments": [{"speed": "LOW"}], "note": "a", "left_out": None, "empty": ""}
    assert {*dict(compared_leaves(sent, received, "", "Batch", KINDS)).values()} == is_like
