"""Bodies that a provider should not send, and might: valid answers with something odd done to them,
and worse.
"""

import json
from pathlib import Path

import yaml
from calls.values import ANY_JSON, Values, mutated
from hypothesis import strategies as st

DOCUMENT = Path(__file__).resolve().parents[2] / "openapi" / "victor.yaml"
VALUES = Values(yaml.safe_load(DOCUMENT.read_text()))
SCHEMAS = [
    "GetPaymentRequestResponse",
    "ListPaymentRequestsResponse",
    "PaymentRequestReceipt",
    "RfpInboundPaymentRequestResponseDetails",
    "ApiErrorResponse",
    "ValidationErrors",
]
OBJECTS = st.one_of([mutated(VALUES.valid(name)) for name in SCHEMAS])
WRITTEN = st.builds(json.dumps, OBJECTS | ANY_JSON, ensure_ascii=st.booleans())

# A number that few programs like, in one field

NUMBERS = [
    "1e400",
    "-1e400",
    "NaN",
    "Infinity",
    "-Infinity",
    "-0",
    "1E-400",
    "1e308",
    "5e-324",
    "253402300800",
    "253402300800000",
    "-62135596801",
    "0.1",
    "1.005",
    "1e15",
    "1e16",
    "123456789012.5",
]
NUMBERS += ["1" * 4300, "1" * 4301, "9" * 40]
FIELDS = [
    "amount",
    "original_amount",
    "modified_amount",
    "created_at",
    "approved_at",
    "due_date",
    "status",
    "code",
]


def _with_number(field, number):
    odd = f'"{field}": {number}'
    parts = f'{odd}, "payment_details": {{{odd}}}, "payment_request_response": {{{odd}}}'
    return (
        '{"victor_payment_request_id": "R1", "status": "Accepted", '
        f'"payment_request": {{{parts}}}, "error": {{{odd}}}, {odd}}}'
    )


# Words that do harm where they are shown, in every field that ends up in a message or a record

NASTY = st.sampled_from([
    "R1", "\ud800", "a\udfffb", "\x1b[31mred\x1b[0m", "two\r\nlines", "\0", "\u202ereversed",
    "\x85", "\u2028", "\u200b", "x" * 100_000, "043987673645", "%s %(name)s {0} {name}", "<b>", "",
    " ", "\ufeff", "e\u0301" * 500, "\U0001f600", "Accepted", "Rejected", "Declined", "created",
    "needs-review", None, 0, 1.5, True, [], {},
])  # fmt: skip


def _fields(names):
    return dict.fromkeys(names.split())


PARTY = _fields("account_number routing_number name victor_counterparty_id")
RECEIPT = _fields(
    "victor_payment_request_id victor_payment_request_parent_id victor_payment_request_child_id "
    "status client_reference_id error_message direction payment_network amount notes"
) | {
    "payment_request": {
        "payee": PARTY,
        "payer": PARTY,
        "payment_details": _fields("amount due_date notes approval_notes original_amount"),
        "payment_request_response": _fields("status notes original_amount modified_amount"),
    }
}
ERROR = {"error": _fields("code message field")}
SPRING = _fields("objectName code defaultMessage field") | {"codes": [None, None]}
SHAPES = [
    RECEIPT,
    ERROR,
    RECEIPT | ERROR,
    {"allErrors": [SPRING] * 30},
    RECEIPT | {"allErrors": [SPRING]},
    {"results": [RECEIPT, None, RECEIPT]},
]


def _filled(shape):
    """The shape with any words in the places of its fields."""
    if isinstance(shape, dict):
        return st.fixed_dictionaries({name: _filled(part) for name, part in shape.items()})
    if isinstance(shape, list):
        return st.tuples(*map(_filled, shape)).map(list)
    return NASTY


WORDS = st.one_of([_filled(shape) for shape in SHAPES]).map(json.dumps)

# What is no usual JSON


@st.composite
def _with_repeated_key(draw):
    """An object that says the same thing twice, and differently."""
    text, other = draw(WRITTEN), draw(WRITTEN)
    name = draw(st.sampled_from(["status", "results", "victor_payment_request_id", "error"]))
    is_object = text.startswith("{") and len(text) > 2
    return f'{{"{name}": {other}, {text[1:]}' if is_object else text


@st.composite
def _deep(draw):
    """Nesting, up to far beyond what any stack holds."""
    depth = draw(st.sampled_from([50, 99, 100, 101, 300, 900, 1000, 5000, 100_000]))
    opening, closing = draw(
        st.sampled_from([('{"payment_request":', "}"), ("[", "]"), ('{"results":[', "]}")])
    )
    whole = opening * depth + draw(st.sampled_from(["", "1", '{"a": "b"}'])) + closing * depth
    within = f'{{"victor_payment_request_id": "R1", "x": {whole}}}'
    return draw(st.sampled_from([whole, within, opening * depth]))


def _encoded(text, coding="utf-8"):
    return text.encode(coding, "surrogatepass" if coding.startswith("utf") else "replace")


def _cut(data, part, more):
    return data[: int(part * len(data))] + more


CODINGS = ["utf-8", "utf-8-sig", "utf-16", "utf-16-be", "utf-32-le", "latin-1", "cp1252", "utf-7"]
OTHERS = [
    b"", b" \r\n", b"null", b"true", b"[]", b"{}", b'"text"', b"\xef\xbb\xbf", b"\xff\xfe",
    b"\xed\xa0\x80", b'{"results": null}', b'{"results": {}}',
    b'{"results": [null, 1, "x", [], {}]}', b"{" * 70_000,
    b"<html><body>502 Bad Gateway</body></html>",
]  # fmt: skip
KINDS = {
    "mutated": WRITTEN.map(_encoded),
    "nasty": WORDS.map(_encoded),
    "numbers": st.builds(_with_number, st.sampled_from(FIELDS), st.sampled_from(NUMBERS)).map(
        _encoded
    ),
    "repeated": _with_repeated_key().map(_encoded),
    "deep": _deep().map(_encoded),
    "encoded": st.builds(_encoded, WRITTEN | WORDS, st.sampled_from(CODINGS)),
    "cut": st.builds(
        _cut,
        WRITTEN.map(_encoded),
        st.floats(0, 1),
        st.sampled_from([b"", b"\0", b"}", b"{}", b"\xff"]),
    ),
    "other": st.binary(max_size=60) | st.sampled_from(OTHERS),
}
BODIES = st.one_of(list(KINDS.values()))

# Statuses and headers

STATUSES = st.sampled_from(
    [200] * 12 + [400] * 4 + [201, 202, 204, 206, 299, 302, 304, 401, 404, 409, 422, 429, 500, 503]
)
NAMES = (
    b"Content-Type Retry-After Date Set-Cookie Location X-Request-Id Age Content-Encoding "
    b"Connection Content-Language Link X"
).split()
HEADER_VALUES = [
    b"", b"0", b"-1", b"1e400", b"nan", b"99999999999999999999", b"1_0", b"\xd9\xa1", b"utf-16",
    b"\xff\xfe", b"?", b"text/html; charset=nonsense", b"application/json; charset=utf-7", b"gzip",
    b"br", b"gzip, gzip", b"close", b"keep-alive", b"a=b; Max-Age=9" + b"9" * 30,
    b"a=b; Expires=Mon, 99 Foo 99999 99:99:99 GMT; Version=x; Port=y", b"a" * 5000,
    b"Mon, 01 Jan 0001 00:00:00 -2400", b"Thu, 31 Dec 9999 23:59:59 GMT",
    b"Fri, 32 Jan 2026 25:61:61 GMT", b"Mon, 01 Jan 0000 00:00:00 GMT",
    b"Sun, 06 Nov 1994 08:49:37 GMT", b"/v2/elsewhere", b"http://[", b"//",
    b"http://\xc3\xa4\xc3\xb6.example/",
]  # fmt: skip
ANY_LINE = st.binary(max_size=20).filter(
    lambda line: b"\r" not in line and b"\n" not in line and line.strip() != b""
)
LINES = st.tuples(st.sampled_from(NAMES), st.sampled_from(HEADER_VALUES)).map(b": ".join)
HEADERS = st.just([]) | st.lists(LINES | ANY_LINE, max_size=3)
