"""Operations that a wrapper does not know, on its client: the document alone says what a good
response is.
"""

import importlib
import re

import httpx
import pytest
from victor_api.types import Operation as Declared

from tests.providers.connected.till import client_class, new_payment, send
from tests.providers.running import MODES, QUICK, Script
from tests.providers.systems import ADAPTERS, ARGUMENTS, CLIENTS, called, of_every_system
from victor_ext import (
    ConfigurationError,
    Outcome,
    RetryPolicy,
    UnreadableResponse,
    VictorError,
)
from victor_ext._runtime.loop.idempotency_keys import HeaderKey
from victor_ext._runtime.loop.operations import Operations, name_of
from victor_ext.providers.eastpay._operations import OPERATIONS as EASTPAY
from victor_ext.providers.flexfactor._operations import OPERATIONS as OF_FLEXFACTOR
from victor_ext.providers.velo._operations import OPERATIONS as OF_VELO
from victor_ext.providers.victor._operations import OPERATIONS as OF_VICTOR

pytestmark = pytest.mark.slow
REFUSALS = {
    **{name: ADAPTERS[name].REFUSAL for name in CLIENTS},
    "connected": {"error": {"message": "declined"}},
}
"""What each system says where it refuses."""
GOOD = {
    "balances.list_balances": ((), httpx.Response(200, json=[{"currency": "EUR", "amount": 1}])),
    "payments.list_payments": ((), httpx.Response(200, json={"data": [], "errors": []})),
    "payments.cancel_payment": (("pay_1",), httpx.Response(204)),
    "payments.get_payment": (("pay_1",), httpx.Response(200, json={"id": "pay_1"})),
    "payments.take_payment": ((), httpx.Response(201, json={"id": "pay_1", "brand": "new"})),
}
"""Operations of Till with their ids, and a good response to each."""
SENT = {"victor": 2}
"""How often a write whose document declares a key is sent, where a system takes one and it is given
one; else once.
"""


def call(system, mode, script, name):
    """What an operation of Till comes to on the client of a system."""
    body = {"body": new_payment(amount=1)} if name == "payments.take_payment" else {}

    def use(client):
        return send(client, name, *GOOD[name][0], api=client.bind(client_class()), **body)

    return called(system, mode, use, script, retry=RetryPolicy(max_attempts=2, base=0.0))


@pytest.mark.parametrize("system", REFUSALS)
class TestOnEachSystem:
    """What the errors of a document are: see connected/test_bodies.py."""

    def test_a_declared_answer_of_a_new_operation_is_a_success(self, system, mode):
        for name, (_, answer) in GOOD.items():
            result = call(system, mode, Script(answer), name)
            assert result.status_code == answer.status_code
            assert (result.parsed is None) is (answer.status_code == 204)

    def test_an_error_or_an_object_without_declared_members_is_no_success_of_a_write(
        self, system, mode
    ):
        errors = ({"error": "busy"}, {"errors": [{"message": "x"}]}, REFUSALS[system])
        others = ({"message": "please log in"}, {"id": None}, {"success": True})
        for body in (*errors, *others):
            script = Script(httpx.Response(201, json=body))
            words = "reports an error" if body in errors else "nothing that the document declares"
            with pytest.raises(UnreadableResponse, match=words) as raised:
                call(system, mode, script, "payments.take_payment")
            assert raised.value.outcome is Outcome.UNKNOWN
            assert len(script.requests) == SENT.get(system, 1)


ROWS = of_every_system(
    __name__,
    {
        "victor": OF_VICTOR,
        "velo": OF_VELO,
        "eastpay": EASTPAY,
        "flexfactor": OF_FLEXFACTOR,
    },
)
each_system = pytest.mark.parametrize("system", ROWS)
LOST = httpx.ReadError("the connection was cut")
VOUCHERS = [
    Declared(name=name, method=method, path=f"/v9/vouchers{path}", headers=(), members=())
    for name, method, path in (
        ("list_vouchers", "GET", ""),
        ("make_voucher", "POST", ""),
        ("get_voucher", "GET", "/{id}"),
        ("void_voucher", "POST", "/{id}/void"),
    )
]
"""Operations that a newer document has."""


def document_of(system):
    return importlib.import_module(f"{system}_api.operations").OPERATIONS


def with_document(system, document, monkeypatch):
    home = importlib.import_module(f"victor_ext.providers.{system}._operations")
    monkeypatch.setattr(home, "DOCUMENT", document)


def by_hand(system, mode, script, method, path):
    """A request without the generated function, which a program may not have yet."""
    send = lambda client: client.http.request(method, path)  # noqa: E731 - one expression
    return called(system, mode, send, script, retry=QUICK)


@each_system
class TestWhatANewerDocumentHas:
    """Its operations are in the table without a line by hand."""

    @pytest.fixture(autouse=True)
    def newer(self, system, monkeypatch):
        with_document(system, (*document_of(system), *VOUCHERS), monkeypatch)

    @pytest.mark.parametrize(
        ("path", "where"),
        [
            ("/v9/vouchers", "at the provider"),
            ("/v9/vouchers/v-1/void", "with get_voucher, if that shows it, or at the provider"),
        ],
    )
    @pytest.mark.parametrize("line", [LOST, httpx.Response(503), httpx.Response(200, text="in")])
    def test_a_write_is_sent_once_and_unknown_after_a_lost_response(
        self, system, mode, path, where, line
    ):
        script = Script(line)
        with pytest.raises(VictorError, match=where) as raised:
            by_hand(system, mode, script, "POST", path)
        assert (raised.value.outcome, len(script.requests)) == (Outcome.UNKNOWN, 1)


def names_of(row):
    """The names of one row, which has the templates of other versions, too."""
    method, *templates = row.split()
    return {f"{method} {template}" for template in templates}


@each_system
def test_a_row_by_hand_takes_nothing_from_the_document(system):
    """Nothing of the document's is added to it."""
    url = httpx.URL("https://pay.example")
    table = Operations(document_of(system), url, HeaderKey(), ROWS[system])
    rows = {name: row for names, row in ROWS[system].items() for name in names_of(names)}
    for declared in document_of(system):
        path = re.sub("{[^}]*}", "id-1", declared.path)
        if row := rows.get(name_of(declared)):
            assert table.of(httpx.Request(declared.method, f"{url}{path}")) is row


@each_system
def test_a_row_for_an_operation_that_the_document_lacks_is_refused_at_construction(
    system, mode, monkeypatch
):
    """As after a newer document that has moved the operation."""
    for name in ROWS[system]:
        others = [each for each in document_of(system) if name_of(each) not in names_of(name)]
        with_document(system, others, monkeypatch)
        with pytest.raises(ConfigurationError) as raised:
            CLIENTS[system][MODES.index(mode)](**ARGUMENTS[system])
        assert f"rows: {name!r} is no operation of the document" in raised.value.message
