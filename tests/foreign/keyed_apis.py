"""Six APIs that take a key, each in another place, and say in another place what they made.

The documents in `keyed/` have the shapes of real ones.
"""

import importlib
import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from email.utils import formatdate
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.faults.raw_provider import answer
from victor_ext import BodyKey, HeaderKey, OperationRow, QueryKey

FINAL = "settled"


@dataclass(frozen=True)
class KeyedApi:
    """What a document says, in words of its own.

    Attributes:
        name: The name of its document.
        write: Its write, as `connect` names it.
        function: The generated function of that.
        place: Where the key is.
        key_in: Reads the key of a request.
        response: A response with an id and a state.
        body: What the body has beside the amount, for a key.
        bad_key: A key of a form that the document does not allow; None: it allows any.
    """

    name: str
    write: str
    function: str
    place: Any
    key_in: Callable[[Any], Any]
    response: Callable[[str, str], dict[str, Any]]
    body: Callable[[str], dict[str, Any]] = lambda _key: {}
    bad_key: str | None = None

    @property
    def package(self):
        return f"{self.name}_api"

    @property
    def path(self):
        return self.write.partition(" ")[2]

    @property
    def operation(self):
        return importlib.import_module(f"{self.package}.api.default.{self.function}")

    @property
    def client(self):
        return importlib.import_module(f"{self.package}.client").Client

    def new(self, key):
        """The body of a write; it has the key where the document has it there."""
        models = importlib.import_module(f"{self.package}.models")
        name = f"{self.function.title().replace('_', '')}Body"
        return getattr(models, name).from_dict({"amount": "44.23", **self.body(key)})

    @property
    def options(self):
        return {
            "key": self.place,
            "rows": {self.write: OperationRow(final={FINAL})},
            "name": self.name,
        }


def _header(name):
    return lambda request: request.headers.get(name)


def _query(request):
    return parse_qs(urlsplit(request.path).query)["requestKey"][0]


APIS = [
    KeyedApi(
        "open_banking",
        "POST /domestic-payments",
        "create_payment",
        HeaderKey("x-idempotency-key"),
        _header("x-idempotency-key"),
        lambda id, state: {"Data": {"DomesticPaymentId": id, "ConsentId": "c", "Status": state}},
        bad_key="a-key-of-41-characters-is-too-long-for-it",
    ),
    KeyedApi(
        "wrapped",
        "POST /payments",
        "create_payment",
        HeaderKey("Idempotency-Key"),
        _header("idempotency-key"),
        lambda id, state: {
            "status": FINAL,
            "data": {"id": int(id), "status": state, "customer": {"id": "c-1"}},
        },
        bad_key="the-key-of-the-march-payment",
    ),
    KeyedApi(
        "query",
        "POST /payments",
        "create_payment",
        QueryKey("requestKey"),
        _query,
        lambda id, state: {
            "transactionReference": id,
            "customerId": "c-1",
            "transactionStatus": state,
        },
        bad_key="short",
    ),
    KeyedApi(
        "member",
        "POST /transfers",
        "create_transfer",
        BodyKey("idempotency_key"),
        lambda request: json.loads(request.body)["idempotency_key"],
        lambda id, state: {
            "request_id": "r-1",
            "transfer": {"id": id, "account_id": "a-1", "status": state},
        },
        body=lambda key: {"idempotency_key": key},
        bad_key="a-key-of-51-characters-is-too-long-for-this-document",
    ),
    KeyedApi(
        "nested",
        "POST /cards",
        "create_card",
        BodyKey("meta.requestToken"),
        lambda request: json.loads(request.body)["meta"]["requestToken"],
        lambda id, state: {
            "token": id,
            "account_token": "a-1",
            "pin_status": FINAL,
            "state": state,
        },
        body=lambda key: {"meta": {"requestToken": key, "traceId": "t-1"}},
        bad_key="the-key-of-the-march-payment",
    ),
    KeyedApi(
        "location",
        "POST /orders",
        "create_order",
        HeaderKey("PayPal-Request-Id"),
        _header("paypal-request-id"),
        lambda id, state: {"id": id, "status": state},
    ),
]

BY_NAME = {api.name: api for api in APIS}


class KeyKeeper:
    """A provider that makes one object for each key, and says the same again when one is repeated.

    What is read is settled.
    """

    def __init__(self, api):
        self.api = api
        self.ids = {}
        self.work = Counter()
        self.reads = []

    def __call__(self, exchange):
        request = exchange.request
        if request.method == "GET":
            self.reads.append(request.path)
            id = request.path.rpartition("/")[2] or "0"
            exchange.send(_dated(self.api.response(id, FINAL), "200 OK"))
            return
        key = self.api.key_in(request)
        if key not in self.ids:
            self.ids[key] = str(len(self.ids) + 4711)
            self.work[key] += 1
        exchange.send(self._made(self.ids[key]))

    def _made(self, id):
        if self.api.name == "location":
            address = f"https://api.example.com{self.api.path}/{id}"
            return _dated(None, "201 Created", f"Location: {address}")
        return _dated(self.api.response(id, "pending"), "201 Created")


def _dated(body, status, *headers):
    content = b"" if body is None else json.dumps(body).encode()
    return answer(content, status, f"Date: {formatdate(usegmt=True)}", *headers)
