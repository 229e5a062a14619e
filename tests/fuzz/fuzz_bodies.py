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

SHAPES = (
    *("GetPaymentRequestResponse", "ListPaymentRequestsResponse", "PaymentRequestReceipt"),
    *("RfpInboundPaymentRequestResponseDetails", "ApiErrorResponse", "ValidationErrors"),
)

OBJECTS = st.one_of([mutated(VALUES.valid(name)) for name in SHAPES])

NUMBERS = [
    *(
        "1e400",
        "-1e400",
        "NaN",
        "Infinity",
        "-Infinity",
        "1" * 4300,
        "1" * 4301,
        "-0",
        "1E-400",
        "1e308",
        "5e-324",
    ),
    *(
        "253402300800",
        "253402300800000",
        "-62135596801",
        "9" * 40,
        "0.1",
        "1.005",
        "1e15",
        "1e16",
        "123456789012.5",
    ),
]
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


def _encoded(text: str, coding: str = "utf-8") -> bytes:
    return text.encode(coding, "surrogatepass" if coding.startswith("utf") else "replace")


CODINGS = [
    "utf-8",
    "utf-8",
    "utf-8",
    "utf-8-sig",
    "utf-16",
    "utf-16-be",
    "utf-32-le",
    "latin-1",
    "cp1252",
    "utf-7",
]
WRITTEN = st.builds(json.dumps, OBJECTS | ANY_JSON, ensure_ascii=st.booleans())


@st.composite
def _with_odd_number(draw: st.DrawFn) -> str:
    """A receipt, or an answer, in which one field is a number that few programs like."""
    field, number = draw(st.sampled_from(FIELDS)), draw(st.sampled_from(NUMBERS))
    odd = f'"{field}": {number}'
    inner = (
        f'"payment_request": {{{odd}, "payment_details": {{{odd}}}, '
        f'"payment_request_response": {{{odd}}}}}'
    )
    return (
        f'{{"victor_payment_request_id": "R1", "status": "Accepted", {inner}, "error": '
        f"{{{odd}}}, {odd}}}"
    )


NASTY = st.sampled_from(
    [
        *(
            "\ud800",
            "a\udfffb",
            "\x1b[31mred\x1b[0m",
            "two\r\nlines",
            "\0",
            "\u202ereversed",
            "\x85",
            "\u2028",
        ),
        *(
            "\u200b",
            "x" * 100_000,
            "043987673645",
            "%s %(name)s {0} {name}",
            "<b>",
            "",
            " ",
            "\ufeff",
            "e\u0301" * 500,
        ),
        *(
            "\U0001f600",
            "Accepted",
            "Rejected",
            "Declined",
            "created",
            "needs-review",
            None,
            0,
            1.5,
            True,
            [],
            {},
        ),
    ]
)


@st.composite
def _with_nasty_words(draw: st.DrawFn) -> str:
    """Every field that ends up in a message or a record, with words that do harm where they are
    shown.
    """
    word = lambda: draw(NASTY)  # noqa: E731 - short, and only here
    details = {
        name: word()
        for name in ("amount", "due_date", "notes", "approval_notes", "original_amount")
    }
    answered = {name: word() for name in ("status", "notes", "original_amount", "modified_amount")}
    payer = {
        name: word()
        for name in ("account_number", "routing_number", "name", "victor_counterparty_id")
    }
    inner = {
        "payee": payer,
        "payer": payer,
        "payment_details": details,
        "payment_request_response": answered,
    }
    names = (
        "status",
        "client_reference_id",
        "error_message",
        "direction",
        "payment_network",
        "amount",
        "notes",
    )
    receipt = {"victor_payment_request_id": draw(st.just("R1") | NASTY), "payment_request": inner}
    receipt |= {
        name: word()
        for name in (*names, "victor_payment_request_parent_id", "victor_payment_request_child_id")
    }
    error = {name: word() for name in ("code", "message", "field")}
    spring = {name: word() for name in ("objectName", "code", "defaultMessage", "field")} | {
        "codes": [word(), word()]
    }
    refusal = draw(
        st.sampled_from([{"error": error}, {"allErrors": [spring] * draw(st.integers(1, 30))}])
    )
    shape = draw(
        st.sampled_from(
            [receipt, refusal, receipt | refusal, {"results": [receipt, word(), receipt]}]
        )
    )
    return json.dumps(shape)


@st.composite
def _with_repeated_key(draw: st.DrawFn) -> str:
    """An object that says the same thing twice, and differently."""
    text = draw(WRITTEN)
    name = draw(
        st.sampled_from(
            ["status", "results", "victor_payment_request_id", "payment_request", "error"]
        )
    )
    return (
        f'{{"{name}": {draw(WRITTEN)}, ' + text[1:]
        if text.startswith("{") and len(text) > 2
        else text
    )


@st.composite
def _deep(draw: st.DrawFn) -> str:
    """Nesting, up to far beyond what any stack holds."""
    depth = draw(st.sampled_from([50, 99, 100, 101, 300, 900, 1000, 5000, 100_000]))
    opening = draw(
        st.sampled_from(['{"payment_request":', "[", '{"results":[', '{"error":', '{"x":['])
    )
    closing = "".join({"{": "}", "[": "]"}[char] for char in reversed(opening) if char in "{[")
    inner = draw(st.sampled_from(["", "1", '{"status": "created"}']))
    whole = opening * depth + inner + closing * depth
    return draw(
        st.sampled_from(
            [whole, f'{{"victor_payment_request_id": "R1", "x": {whole}}}', opening * depth]
        )
    )


@st.composite
def _cut(draw: st.DrawFn) -> bytes:
    data = draw(WRITTEN).encode("utf-8", "surrogatepass")
    return data[: draw(st.integers(0, len(data)))] + draw(
        st.sampled_from([b"", b"\0", b"}", b"{}", b"\xff"])
    )


KINDS: dict[str, st.SearchStrategy[bytes]] = {
    "mutated": WRITTEN.map(_encoded),
    "nasty": _with_nasty_words().map(_encoded),
    "numbers": _with_odd_number().map(_encoded),
    "repeated": _with_repeated_key().map(_encoded),
    "deep": _deep().map(_encoded),
    "encoded": st.builds(_encoded, WRITTEN | _with_nasty_words(), st.sampled_from(CODINGS)),
    "cut": _cut(),
    "other": st.binary(max_size=60)
    | st.sampled_from(
        [
            *(
                b"",
                b" \r\n",
                b"null",
                b"true",
                b"[]",
                b"{}",
                b'"text"',
                b"\xef\xbb\xbf",
                b"\xff\xfe",
                b"\xed\xa0\x80",
            ),
            *(
                b'{"results": null}',
                b'{"results": {}}',
                b'{"results": [null, 1, "x", [], {}]}',
                b"{" * 70_000,
            ),
            b"<html><body>502 Bad Gateway</body></html>",
        ]
    ),
}
BODIES = st.one_of(list(KINDS.values()))

STATUSES = st.sampled_from(
    [200] * 12 + [400] * 4 + [201, 202, 204, 206, 299, 302, 304, 401, 404, 409, 422, 429, 500, 503]
)
NAMES = (
    b"Content-Type Retry-After Date Set-Cookie Location X-Request-Id Age Content-Encoding "
    b"Connection Content-Language "
    b"Link X"
).split()
VALUES_OF_HEADERS = [
    *(
        b"",
        b"0",
        b"-1",
        b"1e400",
        b"nan",
        b"99999999999999999999",
        b"1_0",
        b"\xd9\xa1",
        b"utf-16",
        b"\xff\xfe",
        b"?",
    ),
    *(
        b"text/html; charset=nonsense",
        b"application/json; charset=utf-7",
        b"gzip",
        b"br",
        b"gzip, gzip",
        b"close",
    ),
    *(
        b"a=b; Max-Age=9" + b"9" * 30,
        b"a=b; Expires=Mon, 99 Foo 99999 99:99:99 GMT; Version=x; Port=y",
        b"a" * 5000,
    ),
    *(
        b"Mon, 01 Jan 0001 00:00:00 -2400",
        b"Thu, 31 Dec 9999 23:59:59 GMT",
        b"Fri, 32 Jan 2026 25:61:61 GMT",
    ),
    *(b"Mon, 01 Jan 0000 00:00:00 GMT", b"Sun, 06 Nov 1994 08:49:37 GMT", b"keep-alive"),
    *(b"/v2/elsewhere", b"http://[", b"//", b"http://\xc3\xa4\xc3\xb6.example/"),
]
ANY_LINE = st.binary(max_size=20).filter(
    lambda line: b"\r" not in line and b"\n" not in line and line.strip() != b""
)
LINES = st.builds(
    b"%b: %b".__mod__, st.tuples(st.sampled_from(NAMES), st.sampled_from(VALUES_OF_HEADERS))
)
HEADERS = st.just([]) | st.lists(LINES | ANY_LINE, max_size=3)
