"""The client of another generated package, over the connections of a client: the same token, attempts and errors."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from flexfactor_api import errors
from flexfactor_api.api.orders import get_order
from flexfactor_api.client import AuthenticatedClient, Client

from tests.providers.systems import ARGUMENTS
from victor_ext import NotFound, Outcome, RetryPolicy, UnreadableResponse, Victor, VictorJwt
from victor_ext.providers.flexfactor import FlexFactor, FlexFactorToken

URL, EARLY = "https://pay.example", "3f9c1a52-7d0e-4b53-9d7c-3b6f3a0c9e71"


def answer(request: httpx.Request) -> httpx.Response:
    name = request.url.path.rpartition("/")[2]
    status = {"nobody": 404, EARLY: 203}.get(name, 200)
    headers = {"x-token": request.headers.get("authorization", "")}
    return httpx.Response(
        status, json=["no", "object"] if name == "list" else {"id": name, "status": 2}, headers=headers
    )


@pytest.fixture
def victor() -> Iterator[Victor]:
    auth, once = VictorJwt("key-1", sign=lambda _content: b"signature"), RetryPolicy(max_attempts=1)
    with Victor(auth, base_url=URL, transport=httpx.MockTransport(answer), retry=once) as client:
        yield client


@pytest.mark.parametrize("kind", [Client, AuthenticatedClient])
def test_another_generated_package_goes_the_same_way(victor: Victor, kind: Any) -> None:
    bound = victor.bind(kind)
    assert isinstance(bound, kind)
    assert get_order.sync_detailed("o-1", client=bound).headers["x-token"].startswith("Token ")
    with pytest.raises(NotFound):
        get_order.sync_detailed("nobody", client=bound)
    for name, words, outcome in (
        (EARLY, "this status is not in the provider's document", Outcome.ACCEPTED),
        ("list", "its body cannot be read: ", Outcome.UNKNOWN),
    ):
        with pytest.raises(UnreadableResponse, match=words) as caught:
            get_order.sync_detailed(name, client=bound)
        assert (caught.value.outcome, caught.value.attempts) == (outcome, 1)
        assert caught.value.request is not None
        assert caught.value.request.url.path == f"/v1/orders/{name}"


def test_a_good_status_that_the_document_does_not_list_is_read_as_the_good_answer() -> None:
    options = {**ARGUMENTS["flexfactor"], "transport": httpx.MockTransport(answer)}
    with FlexFactor(**{**options, "auth": FlexFactorToken("t")}) as flexfactor:
        assert flexfactor.orders.get(EARLY).id == EARLY


def test_what_comes_through_an_http_client_of_the_callers_own_is_its_packages_affair(victor: Victor) -> None:
    with httpx.Client(base_url=URL, transport=httpx.MockTransport(answer)) as http:
        bound = victor.bind(Client)
        bound.set_httpx_client(http)
        with pytest.raises(errors.UnexpectedStatus):
            get_order.sync_detailed(EARLY, client=bound)
