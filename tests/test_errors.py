"""Errors: one family, each with what is known, and none of it lost on the way through pickle or
copy.
"""

import copy
import inspect
import pickle
from functools import partial

import httpx
import pytest

from tests.runtime.fakes import KEY, OK, Happens, Harness, by_oauth, raises, status
from victor_ext import errors
from victor_ext._privacy import (
    AccountNumber,
    Secret,
    SecretBytes,
    concealed_account,
    excerpt,
    kind_of,
)
from victor_ext._runtime.loop.classification import error_class_for
from victor_ext.errors import InvalidRequest, Outcome, Problem, VictorError

CLASSES = [
    value
    for _, value in inspect.getmembers(errors, inspect.isclass)
    if issubclass(value, VictorError)
]
PROBLEMS = [
    Problem("payment_details.amount", "101", "error.amount.invalid", "paymentDetails.amount"),
    Problem("notes", "length", "notes is too long."),
]
COPIES = {
    **{
        f"pickle-{protocol}": (lambda error, p=protocol: pickle.loads(pickle.dumps(error, p)))
        for protocol in range(6)
    },
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
}


FACTS = (
    *("message", "outcome", "idempotency_key", "status_code", "body", "attempts", "request_id"),
    *("retry_after", "problems", "args", "__notes__"),
)


def facts(error):
    request, response = error.request, error.response
    return (
        type(error),
        str(error),
        repr(error),
        [getattr(error, name, None) for name in FACTS],
        request and (request.method, request.url, request.headers),
        response and (response.status_code, response.headers, response.content),
    )


def made(cls):
    request = httpx.Request(
        "POST", "https://pay.example/payments", headers={"Idempotency-Key": KEY}, content=b"{}"
    )
    response = httpx.Response(
        429,
        headers={"X-Request-Id": "r-1", "Set-Cookie": "a=b"},
        content=b'{"no": 1}',
        request=request,
    )
    return cls(
        "It went wrong.",
        outcome=Outcome.UNKNOWN,
        idempotency_key=KEY,
        request=request,
        response=response,
        attempts=3,
        request_id="r-1",
        retry_after=7.5,
        problems=PROBLEMS,
    )


class Overdrawn(VictorError):
    """An error of a user's own."""

    def __init__(self, account, amount):
        super().__init__(f"{account} lacks {amount}.")


SCRIPTS = [
    [status(400)],
    [status(401)],
    [status(503, retry_after="3", x_request_id="r-7")],
    [raises(httpx.ReadTimeout)],
    [Happens(body=b"<html>")],
    [Happens(cut=True)],
    [raises(httpx.ConnectError)],
    [status(302, location="/x")],
]
MADE = {
    "one of the user's own": lambda: Overdrawn("0432", "1.00"),
    **{cls.__name__: partial(made, cls) for cls in CLASSES},
    **{
        f"of a call: {script}": partial(Harness(script).fails, VictorError, "POST", KEY)
        for script in SCRIPTS
    },
}


@pytest.mark.parametrize("way", COPIES)
@pytest.mark.parametrize("make", MADE.values(), ids=MADE)
def test_a_copy_of_an_error_has_all_of_its_facts(make, way):
    error = make()
    error.add_note("The request was read back.")
    again = COPIES[way](error)
    assert facts(again) == facts(error)
    assert again is not error


class TestTheFamily:
    def test_every_error_is_a_victor_error(self):
        own = [
            value
            for value in vars(errors).values()
            if inspect.isclass(value)
            and value.__module__ == errors.__name__
            and issubclass(value, BaseException)
        ]
        assert {*own} == {*CLASSES}
        assert len(own) > 10
        assert issubclass(errors.DeadlineExceeded, errors.TimedOut)
        for cls in (InvalidRequest, errors.ConfigurationError):
            assert issubclass(cls, ValueError)

    def test_each_status_has_its_class(self):
        classes = {
            400: errors.BadRequest,
            422: errors.BadRequest,
            401: errors.AuthenticationError,
            403: errors.PermissionDenied,
            404: errors.NotFound,
            409: errors.Conflict,
            429: errors.RateLimited,
            402: errors.StatusError,
            500: errors.ServerError,
            999: errors.ServerError,
        }
        assert {code: error_class_for(code) for code in classes} == classes

    def test_an_error_made_with_a_message_only_is_not_sent_and_has_no_status(self):
        error = VictorError("It went wrong.")
        assert (error.outcome, error.attempts) == (Outcome.NOT_SENT, 0)
        assert (error.status_code, error.body) == (None, None)

    def test_the_repr_of_an_error_has_the_outcome_and_the_status(self):
        error = made(errors.RateLimited)
        assert repr(error) == "RateLimited('It went wrong.', outcome='unknown', status_code=429)"
        error = VictorError("It went wrong.")
        assert repr(error) == "VictorError('It went wrong.', outcome='not_sent')"

    def test_a_message_has_one_sentence_for_each_problem(self):
        error = InvalidRequest.of(PROBLEMS, doing="The payment request was not sent")
        assert list(error.problems) == PROBLEMS
        said = "The payment request was not sent: error.amount.invalid; notes is too long."
        assert str(error) == said

    def test_a_message_has_at_most_twenty_problems_and_the_error_has_all(self):
        many = InvalidRequest.of([PROBLEMS[1]] * 2000)
        assert (len(many.problems), str(many).count("too long")) == (2000, 20)
        assert str(many).endswith("; notes is too long; and 1,980 more, in `problems`.")


class TestWhatAnErrorCarries:
    def test_an_error_has_its_request_without_body_token_and_unknown_headers(self):
        headers = {"X-Secret": "s", "Cookie": "c"}
        request = (
            Harness([status(400)]).fails(errors.BadRequest, "POST", KEY, headers=headers).request
        )
        assert (request.method, str(request.url)) == ("POST", "https://pay.example/payments")
        assert request.content == b""
        assert set(request.headers) == {"host", "idempotency-key", "content-length"}

    def test_the_response_of_an_error_can_be_read_again(self):
        answer = Happens(400, b'{"detail": "no"}', (("Set-Cookie", "s=1"), ("X-A", "b")))
        error = Harness([answer]).fails(errors.BadRequest)
        response = error.response
        assert response.json() == {"detail": "no"}
        assert response.headers["x-a"] == "b"
        assert "set-cookie" not in response.headers
        assert response.request.url == error.request.url

    @pytest.mark.parametrize(
        "header", ["X-Request-Id", "Request-Id", "X-Correlation-Id", "apigw-requestid"]
    )
    def test_an_error_has_the_providers_id_of_the_exchange(self, header):
        error = Harness([Happens(400, b'{"detail": "no"}', ((header, "r-1"),))]).fails(
            errors.BadRequest
        )
        assert error.request_id == "r-1"

    def test_an_error_has_its_cause_without_frames(self):
        error = Harness([raises(httpx.ReadTimeout)]).fails(errors.TimedOut)
        assert type(error.__cause__) is httpx.ReadTimeout
        assert (error.__cause__.__traceback__, error.__context__) == (None, None)


class TestMasking:
    @pytest.mark.parametrize(
        ("body", "shown"),
        [
            (b"", ""),
            (b"plain", "plain"),
            (b"  two\r\n\tlines  ", "two lines"),
            (b"\x00\x1b[31mred\x07", "[31mred"),
            (b"\xff\xfe", "\ufffd\ufffd"),
            ("\u00fc".encode(), "\u00fc"),
            (b"x" * 10_000, "x" * 200 + "..."),
            (b"account=043987673645.", "account=********3645."),
            (b'"011401533"', '"*****1533"'),
            (b"1234", "1234"),
            (b"amount 12345.67", "amount 12345.67"),
            (b"0.123456", "0.123456"),
            (b"043987673645.123", "************.123"),
            (b"043987673645, 243884643621", "********3645, ********3621"),
        ],
    )
    def test_an_excerpt_is_printable_short_and_masked(self, body, shown):
        assert excerpt(body) == shown

    @pytest.mark.parametrize(
        ("value", "kind"),
        [
            (Secret("a"), "str"),
            (SecretBytes(b"a"), "bytes"),
            (AccountNumber("1"), "str"),
            (concealed_account(1), "int"),
            (1.5, "float"),
            (None, "NoneType"),
        ],
    )
    def test_a_message_describes_the_type_of_a_wrong_value(self, value, kind):
        assert kind_of(value) == kind


def test_one_set_of_statuses_decides_when_a_call_or_a_token_request_is_tried_again(monkeypatch):
    """A status that is added to it is transient for a call, for a token and for a measurement."""
    monkeypatch.setattr(errors, "TRANSIENT_STATUSES", errors.TRANSIENT_STATUSES | {423})
    assert Harness([status(423), OK]).call("POST", KEY).status_code == 200
    harness = Harness([], auth=by_oauth)
    harness.network.tokens = lambda _request: httpx.Response(423, json={"error": "try_later"})
    raised = harness.fails(errors.StatusError, "POST", KEY, ends=(Outcome.NOT_SENT, 0))
    assert (type(raised), raised.status_code) == (errors.StatusError, 423)
    assert len(harness.sleeps) == 5, "before each retry of the request for a token"
