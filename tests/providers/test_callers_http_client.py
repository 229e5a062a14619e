"""`http_client=`: an httpx client of the caller is the way out.

What is sent stays what the package decides.
"""

import httpx
import httpx2
import pytest

from tests.faults.adapters import arguments
from victor_ext import (
    ConfigurationError,
    InvalidRequest,
    RetryPolicy,
    RetryScheduled,
    Victor,
    VictorOAuth,
)

each_library = pytest.mark.parametrize("library", [httpx, httpx2])


def credentials(sandbox):
    return {
        "auth": VictorOAuth(*sandbox.add_oauth_client()),
        "base_url": sandbox.url,
        "retry": RetryPolicy(base=0.0),
    }


@each_library
def test_hooks_of_a_callers_http_client_see_each_attempt_and_its_headers_are_not_sent(
    library, victor_sandbox
):
    seen = []
    answers = []
    hooks = {
        "request": [seen.append],
        "response": [lambda response: answers.append(response.read())],
    }
    own = {"headers": {"X-Theirs": "no"}, "cookies": {"theirs": "no"}, "auth": ("theirs", "no")}
    url, options = "https://elsewhere.example", credentials(victor_sandbox)
    with library.Client(base_url=url, event_hooks=hooks, **own) as http_client:
        victor = Victor(http_client=http_client, **options)
        victor_sandbox.inject("status", operation="list", status=503)
        assert [*victor.payment_requests.list()] == []
        lists = [request for request in seen if request.url.path == "/v2/payment-requests"]
        assert len(lists) == 2
        assert all(request.headers["authorization"].startswith("Bearer ") for request in lists)
        assert not any({"x-theirs", "cookie"} & {*request.headers} for request in lists)
        assert b"results" in answers[-1]


@each_library
def test_an_http_client_closed_between_two_attempts_leaves_the_outcome_unknown(
    library, victor_sandbox
):
    http_client = library.Client()

    def close_before_a_retry(event):
        if isinstance(event, RetryScheduled):
            http_client.close()

    victor = Victor(
        http_client=http_client, on_event=close_before_a_retry, **credentials(victor_sandbox)
    )
    victor_sandbox.inject("lose_answer", operation="create")
    with pytest.raises(ConfigurationError, match="http_client has been closed") as raised:
        victor.payment_requests.create(
            **arguments("create", "INV-1042"), idempotency_key="invoice-1042-of-2026"
        )
    assert (raised.value.outcome, raised.value.idempotency_key) == (
        "unknown",
        "invoice-1042-of-2026",
    )
    assert victor_sandbox.work_done_by_key() == {"invoice-1042-of-2026": 1}


def complain(response):
    if response.request.url.path.endswith("/request-payment"):
        raise InvalidRequest("The response has no time of the gateway.")


class Complaining(httpx.HTTPTransport):
    """A transport of the caller, which sends each request and looks at its response."""

    def handle_request(self, request):
        response = super().handle_request(request)
        response.request = request
        complain(response)
        return response


@pytest.mark.parametrize(
    "way_out",
    [
        lambda: {"http_client": httpx.Client(event_hooks={"response": [complain]})},
        lambda: {"http_client": httpx2.Client(event_hooks={"response": [complain]})},
        lambda: {"transport": Complaining()},
    ],
    ids=["httpx", "httpx2", "transport"],
)
def test_an_error_of_this_package_that_a_caller_raises_after_the_request_left_leaves_it_unknown(
    way_out, victor_sandbox
):
    """A function of this package that a hook calls can raise it."""
    victor = Victor(**way_out(), **credentials(victor_sandbox))
    with victor, pytest.raises(InvalidRequest, match="no time of the gateway") as raised:
        victor.payment_requests.create(
            **arguments("create", "INV-1042"), idempotency_key="invoice-1042-of-2026"
        )
    assert raised.value.outcome == "unknown"
    assert victor_sandbox.work_done_by_key() == {"invoice-1042-of-2026": 1}
