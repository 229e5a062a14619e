"""The design's table "which failure may be tried again": every row and every column.

`test_blocking_and_awaited_calls_do_the_same` holds the awaited driver to it.
"""

import gzip

import httpx
import pytest

from tests.runtime import fakes
from tests.runtime.fakes import BODY, BOTH, KEY, OK, Happens, Harness, raises, status
from victor_ext import errors
from victor_ext._runtime.loop.classification import error_class_for
from victor_ext.errors import Outcome

COLUMNS = [
    pytest.param("GET", None, id="GET"),
    pytest.param("POST", KEY, id="POST-with-key"),
    pytest.param("POST", None, id="POST-without-key"),
]
FULL_JITTER = [0.5, 1.0, 2.0, 4.0, 8.0]

NOT_SENT = {
    "no-connection": (raises(httpx.ConnectError), errors.ConnectionFailed),
    "connect-timeout": (raises(httpx.ConnectTimeout), errors.TimedOut),
    "pool-timeout": (raises(httpx.PoolTimeout), errors.TimedOut),
    "proxy-refused": (raises(httpx.ProxyError), errors.ConnectionFailed),
}
NO_WHOLE_ANSWER = {
    "reset": (raises(httpx.ReadError), errors.ConnectionFailed),
    "disconnected": (raises(httpx.RemoteProtocolError), errors.ConnectionFailed),
    "read-timeout": (raises(httpx.ReadTimeout), errors.TimedOut),
    "write-broke": (raises(httpx.WriteError), errors.ConnectionFailed),
    "write-timeout": (raises(httpx.WriteTimeout), errors.TimedOut),
    "close-broke": (raises(httpx.CloseError), errors.ConnectionFailed),
    "truncated-body": (Happens(cut=True), errors.ConnectionFailed),
    "body-stalls": (Happens(cut=True, error=httpx.ReadTimeout), errors.TimedOut),
    "error-answer-truncated": (Happens(400, cut=True), errors.ConnectionFailed),
    "an-unknown-kind-of-network-error": (raises(httpx.NetworkError), errors.ConnectionFailed),
}
TRANSIENT = {
    str(code): (status(code), errors.StatusError if code < 500 else errors.ServerError)
    for code in fakes.TRANSIENT
}
NO_EVIDENCE = {
    "cut-json": Happens(body=b'{"id": "a7f'),
    "cut-json-after-a-mark": Happens(201, body=b'\xef\xbb\xbf \n{ "id": "a7f'),
    "not-utf8": Happens(body=b'{"id": "\xff\xfe"}'),
    "deep-in-an-object": Happens(body=b'{"id": "a7f", "more": ' + b"[" * 500 + b"]" * 500 + b"}"),
    "cut-after-it": Happens(body=b'{"more": "", "id": "a7f", "resu'),
    "with-a-number-too-long": Happens(body=b'{"more": ' + b"1" * 5000 + b', "id": "a7f"}'),
    "cut-gzip": Happens(
        body=gzip.compress(b'{"id": "a7ffd43c37c1"}')[:24], headers={"Content-Encoding": "gzip"}
    ),
    "empty": Happens(body=b""),
    "html": Happens(body=b"<html>Welcome</html>"),
    "text": Happens(body=b"OK"),
    "a-list": Happens(body=b"[]"),
    "a-list-of-objects": Happens(body=b'[{"id": "a7f"}]'),
    "a-template": Happens(body=b"{{ title }}"),
    "cut-before-a-value": Happens(body=b'{"id": '),
    "cut-in-a-name": Happens(body=b'{"id'),
    "cut-message": Happens(body=b'{"message": "please log in", "see": "id'),
    "another-type": Happens(body=b'{"id": {"no": 7}, "more": "'),
    "deep-where-text-belongs": Happens(body=b'{"id": ' + b"[" * 100_000),
    "nothing-declared": Happens(body=b'{"message": "please log in", "more": "'),
    "cut-error": Happens(body=b'{"error": {"code": 101, "mess'),
    "201-empty": Happens(201, body=b""),
    "204": Happens(204, body=b""),
    "nested-too-deeply": Happens(body=b"[" * 50_000 + b"]" * 50_000),
    "no-gzip": Happens(body=b"{}", headers={"Content-Encoding": "gzip"}),
    "compressed-twice": Happens(
        body=gzip.compress(gzip.compress(b'{"id": "a7f"}')),
        headers={"Content-Encoding": "gzip, gzip"},
    ),
}
"""A login page and an answer of nothing have a good status, too."""
REFUSED = {
    str(code): (status(code), error_class_for(code))
    for code in (
        400,
        401,
        402,
        403,
        404,
        405,
        406,
        410,
        412,
        413,
        415,
        422,
        431,
        451,
    )
}
REFUSED["400-of-the-form-of-a-key"] = (
    Happens(400, body=b'{"field": "Idempotency-Key", "message": "must be a UUID"}'),
    errors.BadRequest,
)
CONFLICT = errors.Conflict, Outcome.UNKNOWN, (False, False, False)
PAGES = {
    "an-empty-body": b"",
    "an-HTML-page": b"<!DOCTYPE html><title>403 Forbidden</title>",
    "text": b"upstream request timeout",
    "JSON": b'{"timestamp": "2026-03-04T00:00:00Z", "error": "Forbidden", "path": "/payments"}',
}
"""What a gateway writes, by what a message calls it; this provider writes a `detail`."""
OF_GATEWAYS = (418, 421, 424, 426, 444, 449, 460, 463, 464, 499)
"""Statuses that no provider's document here declares, and that refuse nothing by any standard."""
OF_THE_KEY = {
    "403": b'{"message": "Duplicate request"}',
    "400": b'{"field": "Idempotency-Key", "message": "error.Idempotency-Key.conflict"}',
    "422": b'{"message": "Keys for idempotent requests can only be used with the same parameters: '
    b'already used"}',
}
STRANGE = {
    str(code): (status(code), error_class_for(code))
    for code in (300, 304, 305, 501, 505, 507, 511, 530, 561, 599, 600, 700, 999)
}
REDIRECTS = {
    str(code): (status(code, location="https://elsewhere.example/payments"), errors.StatusError)
    for code in (301, 302, 303, 307, 308)
}

# row -> what happens, error class, outcome when it is all that happened, tried again in (GET,
# keyed, keyless)
ROWS = {
    **{name: (*row, Outcome.NOT_SENT, (True, True, True)) for name, row in NOT_SENT.items()},
    **{
        name: (*row, Outcome.UNKNOWN, (True, True, False))
        for name, row in (NO_WHOLE_ANSWER | TRANSIENT).items()
    },
    "429": (status(429), errors.RateLimited, Outcome.REJECTED, (True, True, True)),
    "429-of-a-gateway": (
        Happens(429, PAGES["an-HTML-page"]),
        errors.RateLimited,
        Outcome.UNKNOWN,
        (True, True, False),
    ),
    **{name: (*row, Outcome.REJECTED, (False, False, False)) for name, row in REFUSED.items()},
    "401-of-a-gateway": (
        Happens(401, PAGES["an-HTML-page"]),
        errors.AuthenticationError,
        Outcome.REJECTED,
        (False, False, False),
    ),
    **{
        f"{code}-{name}": (
            Happens(code, body),
            errors.StatusError,
            Outcome.UNKNOWN,
            (False, False, False),
        )
        for code in (400, 403, 404, 405, 413, 422, 451)
        for name, body in PAGES.items()
    },
    **{
        str(code): (status(code), errors.StatusError, Outcome.UNKNOWN, (False, False, False))
        for code in OF_GATEWAYS
    },
    "409": (status(409), *CONFLICT),
    **{
        f"{code}-of-a-used-key": (Happens(int(code), body=body), *CONFLICT)
        for code, body in OF_THE_KEY.items()
    },
    "423-in-progress": (
        Happens(423, b'{"detail": "in progress"}'),
        errors.Conflict,
        Outcome.UNKNOWN,
        (False, True, False),
    ),
    **{
        name: (happens, errors.UnreadableResponse, Outcome.UNKNOWN, (True, True, False))
        for name, happens in NO_EVIDENCE.items()
    },
    **{
        name: (*row, Outcome.UNKNOWN, (False, False, False))
        for name, row in (STRANGE | REDIRECTS).items()
    },
}


def tried_again(name, method, key):
    in_get, keyed, keyless = ROWS[name][3]
    return in_get if method == "GET" else keyed if key else keyless


def told(name, method):
    """A read uses no key: a refusal that speaks of one is any other refusal to it."""
    happens, error_class, outcome, _ = ROWS[name]
    if method == "GET" and error_class is errors.Conflict and happens.status != 409:
        is_locked = happens.status == 423
        outcome = Outcome.UNKNOWN if is_locked else Outcome.REJECTED
        return error_class_for(happens.status), outcome
    return error_class, outcome


@pytest.mark.parametrize(("method", "key"), COLUMNS)
@pytest.mark.parametrize("name", ROWS)
def test_a_failure_that_comes_every_time_ends_as_its_row_of_the_table_says(name, method, key):
    happens, (error_class, outcome) = ROWS[name][0], told(name, method)
    harness = Harness([happens])
    error = harness.fails(error_class, method, key)
    attempts = 6 if tried_again(name, method, key) else 1
    cost = 10 if error_class is errors.TimedOut else 5
    assert type(error) is error_class
    assert (error.outcome, error.attempts, error.idempotency_key) == (outcome, attempts, key)
    assert len(harness.received) == attempts
    assert harness.sleeps == FULL_JITTER[: attempts - 1]
    assert harness.quota.available == 500 - cost * (attempts - 1)
    assert {(one.method, one.key, one.body) for one in harness.received} == {
        (method, key, b"" if method == "GET" else BODY)
    }
    assert [one.token for one in harness.received] == [f"Token t{n + 1}" for n in range(attempts)]
    answered = happens.error is None and not happens.cut
    assert error.status_code == (happens.status if answered else None)
    assert error.request is not None
    assert "authorization" not in error.request.headers


@pytest.mark.parametrize("name", PAGES)
def test_an_error_that_the_provider_did_not_write_says_who_seems_to_have_written_it(name):
    harness = Harness([Happens(403, PAGES[name], {"Server": "Apache/2.4.71"})])
    raised = harness.fails(errors.StatusError, "POST", KEY)
    assert raised.intermediary == f"{name.replace('-', ' ')} by Apache/2.4.71, not Pay's format"
    assert f"status 403 Forbidden ({raised.intermediary})" in str(raised)
    assert f"repeat it with idempotency_key={KEY!r}" in raised.hint
    assert "correct them under the same key" in raised.hint


@pytest.mark.parametrize(("method", "key"), COLUMNS)
def test_a_certificate_that_is_not_trusted_is_not_tried_again(method, key):
    class Distrusted(httpx.ConnectError):
        __module__ = "httpx"  # that of another one is tried once, whatever it says

        def __init__(self, _message):
            super().__init__(
                "[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: self-signed "
                "certificate"
            )

    harness = Harness([raises(Distrusted)])
    harness.fails(errors.ConnectionFailed, method, key, ends=(Outcome.NOT_SENT, 1))


@pytest.mark.parametrize("mode", BOTH)
@pytest.mark.parametrize(("method", "key"), COLUMNS)
def test_an_answer_over_the_size_limit_is_an_error_and_the_call_is_not_sent_again(
    method, key, mode
):
    bodies = [b'{"id": "' + b"7" * (size - 10) + b'"}' for size in (1000, 1001)]
    harness = Harness([Happens(body=body) for body in bodies], mode, max_response_bytes=1000)
    assert len(harness.call().content) == 1000
    words = r"longer than 1000 bytes \(max_response_bytes\)"
    harness.fails(errors.UnreadableResponse, method, key, match=words, ends=(Outcome.UNKNOWN, 1))


@pytest.mark.parametrize(("deadline", "wait"), [(60.0, 3.5), (3.5, 3.25), (None, 3.5)])
def test_the_time_added_to_a_retry_after_leaves_half_of_the_rest_of_the_deadline(deadline, wait):
    harness = Harness([status(429, retry_after="3"), OK], deadline=deadline)
    harness.call()
    assert harness.sleeps == [wait]


@pytest.mark.parametrize("mode", BOTH)
@pytest.mark.parametrize("levels", [500, 40_000])
@pytest.mark.parametrize("code", [200, 400, 503])
def test_a_body_of_too_many_levels_proves_nothing_under_any_status(mode, code, levels):
    body = b'{"id": "a7", "error": ' + b"[" * levels + b"]" * levels + b"}"
    harness = Harness([Happens(code, body=body)] * 9, mode)
    raised = harness.fails(errors.VictorError, "POST")
    assert (raised.outcome, raised.problems) == (Outcome.UNKNOWN, ())


@pytest.mark.parametrize("mode", BOTH)
@pytest.mark.parametrize(
    "is_here", [False, True], ids=["a stream", "read by a transport of the caller's"]
)
@pytest.mark.parametrize("count", [100_000, 100_001])
def test_an_answer_with_more_than_100000_objects_and_lists_is_unreadable(mode, is_here, count):
    inner = count - 2  # in an object and a list
    body = b'{"id": "a7", "more": [' + b"[]," * (inner - 1) + b"[]]}"
    harness = Harness([Happens(body=body)], mode)
    if is_here:
        respond(harness, lambda: httpx.Response(200, content=body))
    if count == 100_000:
        assert len(harness.call().json()["more"]) == inner
        return
    raised = harness.fails(
        errors.UnreadableResponse, "POST", match="more than 100000 objects and lists"
    )
    assert (raised.outcome, len(raised.body)) == (Outcome.UNKNOWN, 100_000)


@pytest.mark.parametrize("mode", BOTH)
@pytest.mark.parametrize("coding", ["gzip", "identity, gzip", "GZIP,", "x-gzip"])
def test_an_answer_is_decompressed_by_the_one_coding_that_it_names(mode, coding):
    harness = Harness(
        [Happens(body=gzip.compress(b'{"id": "a7"}'), headers={"Content-Encoding": coding})],
        mode,
    )
    assert harness.call().json() == {"id": "a7"}


def respond(harness, response):
    """Answer with what this makes, and count nothing."""
    if harness.mode == "sync":
        harness.network.handle_request = lambda _request: response()
        return

    async def handle(_request):
        return response()

    harness.network.handle_async_request = handle
