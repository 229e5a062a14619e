"""Operations that a wrapper does not know, on its client: the document alone says what a good
response is.
"""

import importlib
import json
import re
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from victor_api.client import Client
from victor_api.types import Operation as Declared

from tests.providers.connected.till import client_class, new_payment, operation
from tests.providers.running import MODES, QUICK, Script, run
from tests.providers.systems import ADAPTERS, ARGUMENTS, CLIENTS, of_every_system
from victor_ext import (
    ApiClient,
    AsyncApiClient,
    ConfigurationError,
    Outcome,
    RetryPolicy,
    ServerError,
    UnreadableResponse,
    VictorError,
)
from victor_ext.providers.eastpay.operations import operations_of
from victor_ext.providers.flexfactor.operations import OPERATIONS as OF_FLEXFACTOR
from victor_ext.providers.velo.operations import OPERATIONS as OF_VELO
from victor_ext.providers.victor.operations import OPERATIONS as OF_VICTOR
from victor_ext.runtime.loop.idempotency_keys import HeaderKey, NoKeys
from victor_ext.runtime.loop.operations import Operation, Operations, name_of

pytestmark = pytest.mark.slow
SYSTEMS: dict[str, tuple[Any, dict[str, Any]]] = {
    **{name: (CLIENTS[name], ARGUMENTS[name]) for name in CLIENTS},
    "connected": (
        (ApiClient, AsyncApiClient),
        {"client": Client, "base_url": "https://api.till.example"},
    ),
}
REFUSALS = {
    **{name: ADAPTERS[name].REFUSAL for name in CLIENTS},
    "connected": {"error": {"message": "declined"}},
}
"""What each of them says where it refuses."""

NO_SUCCESS: list[Any] = [
    {"error": "busy"},
    {"errors": [{"message": "x"}]},
    {"error": {"code": 7}},
    {"error": True},
    {"Errors": [1]},
    {"id": None, "error": 7},
    {"id": {"of": "another type"}, "error": "busy"},
    {"id": None, "errors": {"a": 1}},
]
"""Objects with nothing of what is declared, and an error."""
NO_ERROR: list[Any] = [
    {}, {"error": None, "errors": []}, {"error": False}, {"error": " "}, {"errors": {}},
]  # fmt: skip

GOOD: dict[str, tuple[tuple[Any, ...], dict[str, Any], httpx.Response]] = {
    "balances.list_balances": (
        (),
        {},
        httpx.Response(200, json=[{"currency": "EUR", "amount": 1}]),
    ),
    "payments.list_payments": ((), {}, httpx.Response(200, json={"data": [], "errors": []})),
    "payments.cancel_payment": (("pay_1",), {}, httpx.Response(204)),
    "payments.get_payment": (
        ("pay_1",),
        {},
        httpx.Response(200, json={"id": "pay_1", "status": "failed"}),
    ),
    "payments.take_payment": (
        (),
        {"body": None},
        httpx.Response(201, json={"id": "pay_1", "brand": "new"}),
    ),
}
SENT = {"victor": 2}
"""How often a write whose document declares a key is sent, where a system takes one and it is given
one; else once.
"""


def call(system: str, mode: str, script: Script, name: str, *ids: str, **more: Any) -> Any:
    kinds, options = SYSTEMS[system]
    options = {
        **options,
        "transport": script.transport,
        "retry": RetryPolicy(max_attempts=2, base=0.0),
    }
    args, kwargs, _ = GOOD[name]
    args = ids or args
    kwargs = {**{key: new_payment(amount=1) for key in kwargs}, **more}
    function = "sync_detailed" if mode == "blocking" else "asyncio_detailed"
    return run(
        kinds[MODES.index(mode)],
        lambda client: getattr(operation(name), function)(
            *args, client=client.bind(client_class()), **kwargs
        ),
        **options,
    )


@pytest.mark.parametrize("system", SYSTEMS)
class TestOnEachSystem:
    def refused(
        self,
        system: str,
        mode: str,
        answer: httpx.Response,
        name: str,
        words: str = "status",
        sent: int = 0,
    ) -> Any:
        script = Script(answer)
        with pytest.raises(UnreadableResponse, match=words) as raised:
            call(system, mode, script, name)
        sent = sent or (2 if name == "payments.get_payment" else SENT.get(system, 1))
        assert (raised.value.outcome, len(script.requests)) == (Outcome.UNKNOWN, sent)

    def test_what_the_document_declares_is_good(self, system: str, mode: str) -> None:
        for name, (_, _, answer) in GOOD.items():
            result = call(system, mode, Script(answer), name)
            assert result.status_code == answer.status_code
            assert (result.parsed is None) is (answer.status_code == 204)

    @pytest.mark.parametrize("name", ["balances.list_balances", "payments.get_payment"])
    def test_what_the_parser_cannot_read_is_asked_for_again(
        self, system: str, mode: str, name: str
    ) -> None:
        for body in (b"<html>", b"", b"\xff", b'{"error": {"message": "no"}}', b"7"):
            script = Script(httpx.Response(200, content=body), GOOD[name][2])
            assert call(system, mode, script, name).parsed is not None
            assert len(script.requests) == 2

    def test_an_error_of_the_system_or_of_any_shape_is_no_success(
        self, system: str, mode: str
    ) -> None:
        for body in (*NO_SUCCESS, REFUSALS[system]):
            self.refused(
                system,
                mode,
                httpx.Response(201, json=body),
                "payments.take_payment",
                "reports an error",
            )
        for body in NO_SUCCESS:
            self.refused(
                system,
                mode,
                httpx.Response(200, json=body),
                "payments.get_payment",
                "reports an error",
            )

    def test_an_error_beside_what_is_declared_is_no_success_of_a_write(
        self, system: str, mode: str
    ) -> None:
        nothing = httpx.Response(201, json={"id": "pay_1", "error": {"code": None, "more": [""]}})
        assert call(system, mode, Script(nothing), "payments.take_payment").parsed.id == "pay_1"
        for body in ({"error": {"code": 7}}, {"Errors": ["no"]}):
            answer = httpx.Response(201, json={"id": "pay_1", "status": "accepted", **body})
            self.refused(system, mode, answer, "payments.take_payment", "reports an error")
            # a failed payment may have an error of its own
            read = httpx.Response(200, json=json.loads(answer.content))
            assert call(system, mode, Script(read), "payments.get_payment").parsed.id == "pay_1"

    def test_no_error_is_none(self, system: str, mode: str) -> None:
        for body in NO_ERROR:
            for name, status, said in (
                ("payments.take_payment", 201, {"id": "pay_1", **body}),
                ("payments.get_payment", 200, body),
            ):
                assert (
                    call(system, mode, Script(httpx.Response(status, json=said)), name).parsed
                    is not None
                )

    @pytest.mark.parametrize(
        ("name", "status"), [("payments.take_payment", 200), ("payments.cancel_payment", 204)]
    )
    def test_an_error_where_no_body_is_declared_is_no_success(
        self, system: str, mode: str, name: str, status: int
    ) -> None:
        answer = httpx.Response(status, json={"error": "busy"})
        self.refused(system, mode, answer, name, "reports an error", sent=1 if status == 204 else 0)

    def test_an_object_of_something_else_is_no_success_of_a_write(
        self, system: str, mode: str
    ) -> None:
        for body in ({"message": "please log in"}, {"id": None}, {"id": 7}, {"success": True}):
            words, answer = "has nothing that the document declares", httpx.Response(201, json=body)
            self.refused(system, mode, answer, "payments.take_payment", words)
            assert (
                call(
                    system, mode, Script(httpx.Response(200, json=body)), "payments.get_payment"
                ).parsed
                is not None
            )

    @pytest.mark.parametrize("made", ["pay\n1", "pay/1", "pay\r\x00", "\u00e4"])
    def test_an_id_of_any_characters_is_one_part_of_the_path(
        self, system: str, mode: str, made: str
    ) -> None:
        for name in ("payments.get_payment", "payments.cancel_payment"):
            script = Script(GOOD[name][2])
            call(system, mode, script, name, made)
            assert (
                script.requests[0]
                .url.raw_path.decode()
                .split("?")[0]
                .endswith(quote(made, safe=""))
            )

    def test_only_a_write_with_a_key_is_sent_again(self, system: str, mode: str) -> None:
        self.refused(system, mode, httpx.Response(201, content=b"<html>"), "payments.take_payment")


class TestKeysOfVictor:
    """A new operation whose document declares the header has a key, as `create` has."""

    def sent(self, mode: str, **arguments: Any) -> list[str | None]:
        script = Script(httpx.Response(503), httpx.Response(201, json={"id": "pay_1"}))
        call("victor", mode, script, "payments.take_payment", **arguments)
        return [request.headers.get("Idempotency-Key") for request in script.requests]

    def test_without_one_it_is_random_and_the_same_in_all_attempts(self, mode: str) -> None:
        first, second = self.sent(mode), self.sent(mode)
        assert len(first) == 2
        assert len({*first, *second} - {None}) == 2
        assert first[0] == first[1]

    def test_the_callers_is_kept(self, mode: str) -> None:
        assert self.sent(mode, idempotency_key="mine") == ["mine", "mine"]

    @pytest.mark.parametrize("name", ["payments.cancel_payment", "payments.get_payment"])
    def test_an_operation_that_declares_none_has_none(self, name: str) -> None:
        script = Script(GOOD[name][2])
        call("victor", "blocking", script, name)
        assert "idempotency-key" not in script.requests[-1].headers

    def test_a_header_makes_no_repeat_safe_that_the_document_does_not_declare(self) -> None:
        def by_hand(client: Any) -> Any:
            return client.api.get_httpx_client().post(
                "/v2/counterparties", headers={"Idempotency-Key": "k" * 20}
            )

        script = Script(httpx.Response(503), httpx.Response(201, json={"id": "c1"}))
        with pytest.raises(ServerError) as raised:
            run(
                CLIENTS["victor"][0],
                by_hand,
                transport=script.transport,
                retry=QUICK,
                **ARGUMENTS["victor"],
            )
        assert (raised.value.outcome, len(script.requests)) == (Outcome.UNKNOWN, 1)


ROWS: Mapping[str, Mapping[str, Operation]] = of_every_system(
    __name__,
    {
        "victor": OF_VICTOR,
        "velo": OF_VELO,
        "eastpay": operations_of(found_by_reference=False),
        "flexfactor": OF_FLEXFACTOR,
    },
)
each_system = pytest.mark.parametrize("system", ROWS)
LOST = httpx.ReadError("the connection was cut")
VOUCHERS = [
    Declared(name=name, method=method, path=path, headers=(), members=())
    for name, method, path in (
        ("list_vouchers", "GET", "/v9/vouchers"),
        ("make_voucher", "POST", "/v9/vouchers"),
        ("get_voucher", "GET", "/v9/vouchers/{id}"),
        ("void_voucher", "POST", "/v9/vouchers/{id}/void"),
    )
]
"""Operations that a newer document has."""


def document_of(system: str) -> tuple[Any, ...]:
    document: tuple[Any, ...] = importlib.import_module(f"{system}_api.operations").OPERATIONS
    return document


def with_document(system: str, document: Sequence[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    home = importlib.import_module(f"victor_ext.providers.{system}.operations")
    monkeypatch.setattr(home, "DOCUMENT", document)


def by_hand(
    system: str, mode: str, method: str, path: str, *lines: Any
) -> tuple[Script, VictorError | None]:
    """A request without the generated function, which a program may not have yet."""
    script = Script(*lines)
    options = {**ARGUMENTS[system], "transport": script.transport, "retry": QUICK}
    try:
        run(
            CLIENTS[system][MODES.index(mode)],
            lambda client: client.http.request(method, path),
            **options,
        )
    except VictorError as error:
        return script, error
    return script, None


@each_system
class TestWhatANewerDocumentHas:
    """Its operations are in the table without a line by hand."""

    @pytest.fixture(autouse=True)
    def newer(self, system: str, monkeypatch: pytest.MonkeyPatch) -> None:
        with_document(system, (*document_of(system), *VOUCHERS), monkeypatch)

    def test_a_read_is_one_that_is_asked_again(self, system: str, mode: str) -> None:
        script, error = by_hand(
            system, mode, "GET", "/v9/vouchers/v-1", LOST, httpx.Response(200, json={"id": "v-1"})
        )
        assert (len(script.requests), error) == (2, None)
        client = CLIENTS[system][MODES.index(mode)](**ARGUMENTS[system])
        assert {"GET /v9/vouchers", "GET /v9/vouchers/{}"} <= {*client.reads}

    @pytest.mark.parametrize(
        ("path", "where"),
        [
            ("/v9/vouchers", "at the provider"),
            ("/v9/vouchers/v-1/void", "with get_voucher, if that shows it, or at the provider"),
        ],
    )
    @pytest.mark.parametrize("line", [LOST, httpx.Response(503), httpx.Response(200, text="in")])
    def test_a_write_is_sent_once_and_unknown_after_a_lost_response(
        self, system: str, mode: str, path: str, where: str, line: Any
    ) -> None:
        script, error = by_hand(system, mode, "POST", path, line)
        assert error is not None
        assert (len(script.requests), error.outcome) == (1, Outcome.UNKNOWN)
        assert error.idempotency_key is None
        assert where in str(error)


@each_system
def test_a_row_by_hand_is_whole(system: str) -> None:
    """Nothing of the document's is added to it."""
    url = httpx.URL("https://pay.example")
    table = Operations(document_of(system), url, HeaderKey(), ROWS[system])
    for declared in document_of(system):
        path = re.sub("{[^}]*}", "id-1", declared.path)
        request = httpx.Request(declared.method, f"{url}{path}")
        for names, row in ROWS[system].items():
            if name_of(declared) in names_of(names):
                assert table.of(request) is row


def names_of(row: str) -> set[str]:
    """The names of one row, which has the templates of other versions, too."""
    method, *templates = row.split()
    return {f"{method} {template}" for template in templates}


@each_system
def test_a_row_that_leads_nowhere_ends_the_start_of_a_client(
    system: str, mode: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As after a newer document that has moved the operation."""
    for name in ROWS[system]:
        others = [each for each in document_of(system) if name_of(each) not in names_of(name)]
        with_document(system, others, monkeypatch)
        with pytest.raises(ConfigurationError) as raised:
            CLIENTS[system][MODES.index(mode)](**ARGUMENTS[system])
        assert f"rows: {name!r} is no operation of the document" in raised.value.message


def test_a_row_with_a_mistake_in_its_name_is_told_the_operations_there_are() -> None:
    rows = {"POST /v3/payout": OF_VELO["POST /v3/payouts"]}
    message = r"rows: 'POST /v3/payout' is no operation .*\. It has: .*POST /v3/payouts,"
    with pytest.raises(ConfigurationError, match=message):
        Operations(document_of("velo"), httpx.URL("https://velo.example"), NoKeys(), rows)
