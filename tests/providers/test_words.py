"""Words that the client checks are closed for type checkers: `warn_unused_ignores` notices when one is not."""

from __future__ import annotations

from typing import get_args

import httpx
import pytest

from tests.providers.test_introspection import ARGUMENTS
from victor_ext import InvalidRequest, RetryPolicy, TimedOut
from victor_ext.providers import FlexFactor, Velo
from victor_ext.providers.flexfactor import OrderStatus
from victor_ext.providers.flexfactor.orders import Status
from victor_ext.providers.velo.words import PayoutStatusWord

FAILING = httpx.MockTransport(lambda _request: httpx.Response(500))
ONCE = RetryPolicy(max_attempts=1)


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


def test_the_words_are_those_that_the_client_takes() -> None:
    with Velo(**ARGUMENTS["velo"], transport=FAILING, retry=ONCE) as velo:
        for word in get_args(PayoutStatusWord):
            with pytest.raises(TimedOut):  # it is taken, and read once
                velo.payouts.wait("p-1", until=word, timeout=0)
    names = next(get_args(each) for each in get_args(Status) if each not in (OrderStatus, int))
    assert set(names) == set(OrderStatus.__members__)
