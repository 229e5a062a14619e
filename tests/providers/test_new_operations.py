"""Operations that a wrapper does not know, on its client: the document alone says what a good response is."""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from flexfactor_api.models import CancelRequest

from tests.providers.connected.till import client_class, new_payment, operation
from tests.providers.test_introspection import ARGUMENTS, CLIENTS
from victor_ext import Outcome, RetryPolicy, UnreadableResponse
from victor_ext.providers.eastpay import profile as eastpay_profile
from victor_ext.providers.flexfactor import profile as flexfactor_profile
from victor_ext.providers.velo import profile as velo_profile

TOKEN = {"access_token": "t", "accessToken": "t", "token_type": "bearer", "expires": 4_102_444_800_000}
SYSTEMS = {name: (CLIENTS[name], ARGUMENTS[name]) for name in CLIENTS}
ERRORS = {
    "victor": {"error": {"code": "E1", "message": "no"}},
    "velo": {"errors": [{"errorCode": "E1", "errorMessage": "no"}]},
    "eastpay": {"result": {"code": "800.100.150", "description": "declined"}},
    "flexfactor": {"success": False, "errors": ["no"]},
}
"""What each of them says where it refuses."""

NO_SUCCESS: list[Any] = [
    {"error": "no"},
    {"errors": [{"message": "x"}]},
    {"error": {"code": 7}},
    {"error": True},
    {"Errors": [1]},
    {"id": None, "error": 7},
    {"id": {"of": "another type"}, "error": "no"},
]
"""Objects with nothing of what is declared, and an error."""
NO_ERROR: list[Any] = [
    {},
    {"error": None, "errors": []},
    {"error": False},
    {"error": ""},
    {"errors": {}},
    {"id": "pay_1", "error": {"code": 7}},
]

GOOD: dict[str, tuple[tuple[Any, ...], dict[str, Any], httpx.Response]] = {
    "balances.list_balances": ((), {}, httpx.Response(200, json=[{"currency": "EUR", "amount": 1}])),
    "payments.cancel_payment": (("pay_1",), {}, httpx.Response(204)),
    "payments.get_payment": (("pay_1",), {}, httpx.Response(200, json={"id": "pay_1", "status": "failed"})),
    "payments.take_payment": ((), {"body": None}, httpx.Response(201, json={"id": "pay_1", "brand": "new"})),
}

SENT = {"victor": 2}
"""How often a write whose document declares a key is sent, where a system takes one and it is given one; else once."""


class Provider:
    def __init__(self, *answers: httpx.Response) -> None:
        self.answers = list(answers)
        self.asked = 0

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith(("/token", "/authenticate")):
            return httpx.Response(200, json=TOKEN)
        self.asked += 1
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return httpx.Response(answer.status_code, headers=answer.headers, content=answer.content)


def call(system: str, mode: str, provider: Callable[[httpx.Request], httpx.Response], name: str, **more: Any) -> Any:
    clients, options = SYSTEMS[system]
    options = {**options, "transport": httpx.MockTransport(provider), "retry": RetryPolicy(max_attempts=2, base=0.0)}
    args, kwargs, _ = GOOD[name]
    kwargs = {**{key: new_payment(amount=1) for key in kwargs}, **more}
    if mode == "blocking":
        with clients[0](**options) as client:
            return operation(name).sync_detailed(*args, client=client.bind(client_class()), **kwargs)

    async def run() -> Any:
        async with clients[1](**options) as client:
            return await operation(name).asyncio_detailed(*args, client=client.bind(client_class()), **kwargs)

    return asyncio.run(run())


@pytest.mark.parametrize("mode", ["blocking", "awaited"])
@pytest.mark.parametrize("system", SYSTEMS)
class TestOnEachSystem:
    @pytest.mark.parametrize("name", GOOD)
    def test_what_the_document_declares_is_good(self, system: str, mode: str, name: str) -> None:
        answer = GOOD[name][2]
        result = call(system, mode, Provider(answer), name)
        assert result.status_code == answer.status_code
        assert (result.parsed is None) is (answer.status_code == 204)

    @pytest.mark.parametrize("name", ["balances.list_balances", "payments.get_payment"])
    def test_what_the_parser_cannot_read_is_asked_for_again(self, system: str, mode: str, name: str) -> None:
        provider = Provider(httpx.Response(200, content=b"<html>"), GOOD[name][2])
        assert call(system, mode, provider, name).parsed is not None
        assert provider.asked == 2

    def test_the_systems_own_error_is_no_success(self, system: str, mode: str) -> None:
        provider = Provider(httpx.Response(201, json=ERRORS[system]))
        with pytest.raises(UnreadableResponse, match="reports an error") as raised:
            call(system, mode, provider, "payments.take_payment")
        assert (raised.value.outcome, provider.asked) == (Outcome.UNKNOWN, SENT.get(system, 1))

    @pytest.mark.parametrize("body", NO_SUCCESS, ids=str)
    @pytest.mark.parametrize("name", ["payments.take_payment", "payments.get_payment"])
    def test_an_error_of_any_shape_is_no_success(self, system: str, mode: str, name: str, body: Any) -> None:
        writes = name == "payments.take_payment"
        provider = Provider(httpx.Response(201 if writes else 200, json=body))
        with pytest.raises(UnreadableResponse, match="reports an error") as raised:
            call(system, mode, provider, name)
        assert (raised.value.outcome, provider.asked) == (Outcome.UNKNOWN, SENT.get(system, 1) if writes else 2)

    @pytest.mark.parametrize("body", NO_ERROR, ids=str)
    def test_no_error_is_none(self, system: str, mode: str, body: Any) -> None:
        for name, said in (("payments.take_payment", {"id": "pay_1", **body}), ("payments.get_payment", body)):
            status = 201 if name == "payments.take_payment" else 200
            assert call(system, mode, Provider(httpx.Response(status, json=said)), name).parsed is not None

    @pytest.mark.parametrize(("name", "status"), [("payments.take_payment", 200), ("payments.cancel_payment", 204)])
    def test_an_error_where_no_body_is_declared_is_no_success(
        self, system: str, mode: str, name: str, status: int
    ) -> None:
        provider = Provider(httpx.Response(status, json={"error": "no"}))
        with pytest.raises(UnreadableResponse, match="reports an error") as raised:
            call(system, mode, provider, name)
        assert (raised.value.outcome, provider.asked) == (Outcome.UNKNOWN, 1 if status == 204 else SENT.get(system, 1))

    @pytest.mark.parametrize("body", [{"message": "please log in"}, {"id": None}, {"id": 7}, {"success": True}])
    def test_an_object_of_something_else_is_no_success_of_a_write(self, system: str, mode: str, body: Any) -> None:
        provider = Provider(httpx.Response(201, json=body))
        with pytest.raises(UnreadableResponse, match="has nothing that the document declares") as raised:
            call(system, mode, provider, "payments.take_payment")
        assert (raised.value.outcome, provider.asked) == (Outcome.UNKNOWN, SENT.get(system, 1))
        assert call(system, mode, Provider(httpx.Response(200, json=body)), "payments.get_payment").parsed is not None

    def test_only_a_write_with_a_key_is_sent_again(self, system: str, mode: str) -> None:
        provider = Provider(httpx.Response(201, content=b"<html>"))
        with pytest.raises(UnreadableResponse) as raised:
            call(system, mode, provider, "payments.take_payment")
        assert (raised.value.outcome, provider.asked) == (Outcome.UNKNOWN, SENT.get(system, 1))


class TestKeysOfVictor:
    """A new operation whose document declares the header has a key, as `create` has."""

    def sent(self, mode: str, **arguments: Any) -> list[str | None]:
        keys: list[str | None] = []

        def answer(request: httpx.Request) -> httpx.Response:
            if not request.url.path.endswith("/token"):
                keys.append(request.headers.get("Idempotency-Key"))
            return httpx.Response(201, json={"id": "pay_1", **TOKEN}) if len(keys) != 1 else httpx.Response(503)

        call("victor", mode, answer, "payments.take_payment", **arguments)
        return keys

    @pytest.mark.parametrize("mode", ["blocking", "awaited"])
    def test_without_one_it_is_random_and_the_same_in_all_attempts(self, mode: str) -> None:
        first, second = self.sent(mode), self.sent(mode)
        assert len(first) == 2
        assert len({*first, *second} - {None}) == 2
        assert first[0] == first[1]

    @pytest.mark.parametrize("mode", ["blocking", "awaited"])
    def test_the_callers_is_kept(self, mode: str) -> None:
        assert self.sent(mode, idempotency_key="mine") == ["mine", "mine"]

    @pytest.mark.parametrize("name", ["payments.cancel_payment", "payments.get_payment"])
    def test_an_operation_that_declares_none_has_none(self, name: str) -> None:
        headers: list[httpx.Headers] = []

        def answer(request: httpx.Request) -> httpx.Response:
            headers.append(request.headers)
            return httpx.Response(200, json=TOKEN) if len(headers) == 1 else GOOD[name][2]

        call("victor", "blocking", answer, name)
        assert "idempotency-key" not in headers[-1]


@pytest.mark.parametrize("body", [{"error": "no"}, {"error": {"code": 7}}], ids=str)
@pytest.mark.parametrize(
    ("system", "name", "arguments"),
    [
        ("velo", "payees.get_payee", {"payee_id": "p"}),
        ("velo", "payouts.get_payout", {"payout_id": "p"}),
        ("velo", "payouts.quote_payout", {"payout_id": "p"}),
        ("flexfactor", "orders.cancel_order", {"order_id": "o", "body": CancelRequest.from_dict({})}),
        ("flexfactor", "orders.get_order", {"order_id": "o"}),
    ],
)
def test_nor_is_it_on_a_known_operation(system: str, name: str, arguments: dict[str, Any], body: Any) -> None:
    clients, options = SYSTEMS[system]
    options = {**options, "transport": httpx.MockTransport(Provider(httpx.Response(200, json=body)))}
    module = importlib.import_module(f"{system}_api.api.{name}")
    with (
        clients[0](**options, retry=RetryPolicy(max_attempts=1)) as client,
        pytest.raises(UnreadableResponse) as raised,
    ):
        module.sync_detailed(client=client.api, **arguments)
    assert raised.value.outcome is Outcome.UNKNOWN


@pytest.mark.parametrize(
    ("package", "wrapped"),
    [
        ("velo_api", velo_profile._WRAPPED),
        ("eastpay_api", eastpay_profile._WRAPPED),
        ("flexfactor_api", flexfactor_profile._WRAPPED),
    ],
)
def test_the_operations_with_rules_of_their_own_are_those_that_there_are(package: str, wrapped: frozenset[str]) -> None:
    api = importlib.import_module(f"{package}.api")
    there = {path.stem for path in Path(api.__path__[0]).glob("*/*.py")} - {"__init__"}
    assert there == wrapped
