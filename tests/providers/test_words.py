"""Words that the client checks are closed for type checkers: `warn_unused_ignores` notices when one
is not.
"""

import importlib
import json
from typing import get_args

import httpx
import pytest
from flexfactor_api.typed.words import Status

from tests.providers.systems import ARGUMENTS
from tests.providers.victor.adapter import payment
from victor_ext import InvalidRequest, RetryPolicy, TimedOut, Victor, Word, providers
from victor_ext.providers import FlexFactor, Velo
from victor_ext.providers.flexfactor import OrderStatus
from victor_ext.providers.velo.system import PAYOUT_STATUSES
from victor_ext.runtime.auth.tokens import FixedToken

FAILING = httpx.MockTransport(lambda _request: httpx.Response(500))
ONCE = RetryPolicy(max_attempts=1)
REQUEST = payment()


class BareToken:
    """Credentials that need no token endpoint."""

    def authenticator(self, *_: object) -> FixedToken:
        return FixedToken(lambda: "Token t")


def test_a_misspelt_word_is_refused_by_the_checker_and_by_the_client() -> None:
    with Velo(**ARGUMENTS["velo"], transport=FAILING, retry=ONCE) as velo:
        with pytest.raises(InvalidRequest, match="until"):
            velo.payouts.wait("p-1", until="ACEPTED", timeout=0)  # type: ignore[arg-type] # the mistake that is tested
        with pytest.raises(InvalidRequest, match="until"):
            velo.payouts.wait("p-1", until=("CONFIRMED", "PAYED"), timeout=0)  # type: ignore[arg-type] # as above
    with FlexFactor(**ARGUMENTS["flexfactor"], transport=FAILING, retry=ONCE) as flexfactor:
        with pytest.raises(InvalidRequest, match="until"):
            flexfactor.orders.wait("o-1", until="COMPLETE", timeout=0)  # type: ignore[arg-type] # as above
        with pytest.raises(InvalidRequest, match="sort"):
            flexfactor.orders.list(sort="up")  # type: ignore[arg-type] # as above


def test_a_word_that_the_client_does_not_know_is_sent_as_it_is() -> None:
    sent: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        sent.append(request)
        receipt = {
            "victor_payment_request_id": "p-1",
            "status": "canceled",
            "direction": "outbound",
        }
        return httpx.Response(200, json=receipt if request.method == "POST" else {"results": []})

    with Victor(BareToken(), transport=httpx.MockTransport(answer), retry=ONCE) as victor:
        list(victor.payment_requests.list(status=Word("canceled"), direction=Word("Sideways")))
        assert (
            dict(sent[-1].url.params).items()
            >= {"status": "canceled", "direction": "Sideways"}.items()
        )
        victor.payment_requests.create(**{**REQUEST, "biller_type": Word("GOVERNMENT")})
        assert json.loads(sent[-1].content)["payment_details"]["biller_type"] == "GOVERNMENT"
        for word in ("GOVERNMENT", Word(" "), Word("\ud800")):
            with pytest.raises(InvalidRequest, match="biller_type"):
                victor.payment_requests.create(**{**REQUEST, "biller_type": word})
        with pytest.raises(InvalidRequest, match="status"):
            victor.payment_requests.list(status="canceled")  # type: ignore[arg-type] # the mistake that is tested


def test_a_status_that_the_client_does_not_know_is_waited_for() -> None:
    item = {
        "victor_payment_request_id": "p-1",
        "status": "Canceled",
        "payment_request": {"payee": {}},
    }

    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(
            200, json={"results": [item]} if "victor_id" in request.url.params else item
        )

    with Victor(BareToken(), transport=httpx.MockTransport(answer), retry=ONCE) as victor:
        assert (
            victor.payment_requests.wait("p-1", until=Word("canceled"), timeout=0).status
            == "Canceled"
        )
    with (
        Velo(**ARGUMENTS["velo"], transport=FAILING, retry=ONCE) as velo,
        pytest.raises(TimedOut, match="PARKED"),
    ):
        velo.payouts.wait("p-1", until=Word("PARKED"), timeout=0)


def test_the_words_are_those_that_the_client_takes() -> None:
    with Velo(**ARGUMENTS["velo"], transport=FAILING, retry=ONCE) as velo:
        for word in PAYOUT_STATUSES:
            with pytest.raises(TimedOut):  # it is taken, and read once
                velo.payouts.wait("p-1", until=word, timeout=0)
    names = next(get_args(each) for each in get_args(Status) if each is not int)
    assert set(names) == set(OrderStatus.__members__)


@pytest.mark.parametrize("name", providers.__all__)
def test_each_name_of_the_providers_is_the_one_of_its_own_package(name: str) -> None:
    result = getattr(providers, name)
    home = importlib.import_module(result.__module__)
    assert getattr(home, name) is result
    assert name in dir(providers)


def test_there_is_no_other_name() -> None:
    assert providers.__all__ == sorted(providers.__all__)
    with pytest.raises(AttributeError, match="has no attribute 'Nobody'"):
        _ = providers.Nobody
