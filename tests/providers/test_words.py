"""Words that the client checks are closed for type checkers: `warn_unused_ignores` notices when one
is not.
"""

import importlib
import json
from typing import get_args

import httpx
import pytest
from flexfactor_api.typed.words import Status

from tests.providers.running import ONCE, Script
from tests.providers.systems import ARGUMENTS
from tests.providers.victor.adapter import payment
from victor_ext import InvalidRequest, TimedOut, Victor, Word, providers
from victor_ext.providers import FlexFactor, Velo
from victor_ext.providers.flexfactor import OrderStatus
from victor_ext.providers.velo.system import PAYOUT_STATUSES

FAILING = httpx.MockTransport(lambda _request: httpx.Response(500))
REQUEST = payment()


def test_a_misspelt_word_is_refused_by_the_checker_and_by_the_client():
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


def test_a_word_that_the_client_does_not_know_is_sent_as_it_is():
    receipt = {"victor_payment_request_id": "p-1", "status": "canceled", "results": []}
    script = Script(httpx.Response(200, json=receipt))
    with Victor(**ARGUMENTS["victor"], transport=script.transport, retry=ONCE) as victor:
        list(victor.payment_requests.list(status=Word("canceled")))
        victor.payment_requests.create(**{**REQUEST, "biller_type": Word("GOVERNMENT")})
        listed, *_, created = script.requests
        assert listed.url.params["status"] == "canceled"
        assert json.loads(created.content)["payment_details"]["biller_type"] == "GOVERNMENT"
        for word in ("GOVERNMENT", Word(" "), Word("\ud800")):
            with pytest.raises(InvalidRequest, match="biller_type"):
                victor.payment_requests.create(**{**REQUEST, "biller_type": word})
        with pytest.raises(InvalidRequest, match="status"):
            victor.payment_requests.list(status="canceled")  # type: ignore[arg-type] # the mistake that is tested


def test_the_words_are_those_that_the_client_takes():
    with Velo(**ARGUMENTS["velo"], transport=FAILING, retry=ONCE) as velo:
        for word in PAYOUT_STATUSES:
            with pytest.raises(TimedOut):  # it is taken, and read once
                velo.payouts.wait("p-1", until=word, timeout=0)
    names = next(get_args(each) for each in get_args(Status) if each is not int)
    assert set(names) == set(OrderStatus.__members__)


@pytest.mark.parametrize("name", providers.__all__)
def test_each_name_of_the_providers_is_the_one_of_its_own_package(name):
    result = getattr(providers, name)
    home = importlib.import_module(result.__module__)
    assert getattr(home, name) is result
    assert name in dir(providers)


def test_there_is_no_other_name():
    assert providers.__all__ == sorted(providers.__all__)
    with pytest.raises(AttributeError, match="has no attribute 'Nobody'"):
        _ = providers.Nobody
