"""The token: how it is asked for, how long it is kept, and how it is given back."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
from hypothesis import given
from hypothesis import strategies as st

from tests.providers.velo.adapter import Harness
from victor_ext.providers.velo import Velo
from victor_ext.providers.velo.auth import issued_token
from victor_ext.sandbox.velo import VeloSandbox

PAYEE = {"payeeId": "p-1", "payeeType": "Company"}


@contextmanager
def opened(sandbox: VeloSandbox) -> Iterator[tuple[Velo, Harness]]:
    harness = Harness(sandbox, awaited=False)
    with Velo(harness.settings["auth"], base_url=sandbox.url) as client:
        yield client, harness


@given(lives=st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=9), st.lists(st.none())))
def test_whatever_it_says_of_its_life(lives: Any) -> None:
    token = issued_token({"access_token": "t", "expires_in": lives}, now=1000.0)
    assert token is not None
    known = isinstance(lives, int | float) and not isinstance(lives, bool) and 0 < lives < 1e9
    assert (token.expires_at, token.header) == (1000.0 + lives if known else None, "Bearer t")


class TestGivingItBack:
    def test_on_request(self, sandbox: VeloSandbox) -> None:
        with opened(sandbox) as (client, harness):
            client.logout()
            assert sandbox.received() == []  # there was none: nothing is fetched to be revoked
            client.payees.get(harness.payee)
            token = client.authorization()
            client.logout()
            client.logout()
            answer = httpx.get(f"{sandbox.url}/v4/payees/{harness.payee}", headers={"authorization": token})
            assert (harness.calls("logout"), answer.status_code) == (1, 401)
            client.payees.get(harness.payee)
        assert [*sandbox.tokens_issued().values()] == [2]

    def test_closing_does_not(self, harness: Harness) -> None:
        harness(lambda velo: velo.payees.get(harness.payee))
        assert harness.calls("logout") == 0
        harness(lambda velo: velo.payees.get(harness.payee), lambda velo: velo.logout())
        assert harness.calls("logout") == 1

    def test_one_that_is_good_no_more_is_none_to_give_back(self, sandbox: VeloSandbox) -> None:
        with opened(sandbox) as (client, harness):
            client.payees.get(harness.payee)
            sandbox.inject("status", operation="logout", status=401, times=None)
            client.logout()
