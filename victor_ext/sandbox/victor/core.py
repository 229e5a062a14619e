"""Victor without HTTP: the document, the state and the rules. The provider and the commands work on it."""

from __future__ import annotations

import uuid

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from victor_ext.sandbox.server.context import Clock
from victor_ext.sandbox.server.operations import JsonObject, JsonValue, Operation
from victor_ext.sandbox.victor.document import Operation as Declared
from victor_ext.sandbox.victor.document import load_document
from victor_ext.sandbox.victor.journal import open_journal
from victor_ext.sandbox.victor.ledger import Ledger
from victor_ext.sandbox.victor.model import DEMO_ACCOUNTS, DEMO_COUNTERPARTIES
from victor_ext.sandbox.victor.settings import SandboxSettings
from victor_ext.sandbox.victor.state import Directory, Store
from victor_ext.sandbox.victor.validation import CreateRules, DueDates, Problem, from_violations

OPERATIONS = (
    Operation("list", "GET", "/v2/payment-requests", "listPaymentRequests"),
    Operation("create", "POST", "/v2/payment-requests/request-payment", "createRequestPayment"),
    Operation("get", "GET", "/v2/payment-requests/{id}", "getPaymentRequest"),
    Operation("respond", "POST", "/v2/payment-requests/respond-to-request/{id}", "respondToPaymentRequest"),
    Operation("token", "POST", "/v2/auth/token"),
)
_BY_NAME = {operation.name: operation for operation in OPERATIONS}


class Core:
    """Everything that the sandbox keeps, and its rules."""

    def __init__(self, settings: SandboxSettings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self._document = load_document()
        self.journal = open_journal(settings.state)
        self.directory = Directory(self.journal)
        self.store = Store(self.journal, clock.wall)
        self.due_dates = DueDates(clock, settings.due_date_zone)
        self.ledger = Ledger(settings, clock, self.store, self.directory, self.due_dates)
        self._rules = CreateRules(settings, self.due_dates, self.directory)
        self._restore()
        self._add_demo_data()

    def _restore(self) -> None:
        saved = self.journal.load()
        for kind, name, value in saved.facts:
            if kind == "clock":
                self._clock.advanced = value
            else:
                self.directory.restore(kind, name, value)
        self.store.restore(saved.requests, saved.keys)
        self.ledger.lifecycle.schedule(saved.requests)

    def _add_demo_data(self) -> None:
        if not self._settings.demo_data or self.directory.accounts:
            return
        for account in DEMO_ACCOUNTS:
            self.directory.add_account(account)
        for counterparty in DEMO_COUNTERPARTIES:
            self.directory.add_counterparty(counterparty)
        self.ledger.add_demo_requests(self.due_dates.tomorrow())

    def clear(self) -> None:
        """Back to the state of a new sandbox: requests, keys, credentials and accounts are forgotten."""
        self.journal.clear()
        self.directory.clear()
        self.store.clear()
        self.ledger.lifecycle.clear()
        self._add_demo_data()

    def advance(self, seconds: float) -> int:
        """Set the business clock forward and make every move that is due; returns their number."""
        self.journal.put("clock", "advanced", self._clock.advanced + seconds)
        self._clock.advanced += seconds
        return self.ledger.lifecycle.pass_time(self._clock.now())

    def add_api_key(self, public_key: str | None = None, api_key: str | None = None) -> JsonObject:
        """Add an API key. Without a public key, make a pair and return its private key, once."""
        name = api_key or str(uuid.uuid4())
        if public_key is not None:
            self.directory.add_api_key(name, public_key)
            return {"api_key": name}
        private, public = new_key_pair()
        self.directory.add_api_key(name, public)
        return {"api_key": name, "private_key": private}

    def add_oauth_client(self, client_id: str | None = None, client_secret: str | None = None) -> JsonObject:
        name, secret = client_id or str(uuid.uuid4()), client_secret or uuid.uuid4().hex + uuid.uuid4().hex
        self.directory.add_client(name, secret)
        return {"client_id": name, "client_secret": secret}

    def declared(self, operation: str) -> Declared:
        """An operation as the document declares it."""
        served = _BY_NAME[operation]
        return self._document.operation(served.method, served.path)

    def create_problems(self, body: JsonValue, *, from_outside: bool = False) -> list[Problem]:
        """What the document and the rules refuse in the body of a create."""
        problems = self.body_problems("create", body)
        return problems or self._rules.problems(body, from_outside=from_outside)

    def response_problems(self, operation: str, body: JsonObject) -> list[Problem]:
        """What the document refuses in a good response of an operation."""
        schema = self.declared(operation).responses.get(200)
        return [] if schema is None else from_violations(schema.violations(body))

    def body_problems(self, operation: str, body: object) -> list[Problem]:
        """What the document refuses in the body of a request."""
        schema = self.declared(operation).body
        return [] if schema is None or schema.accepts(body) else from_violations(schema.violations(body))


def new_key_pair() -> tuple[str, str]:
    """An RSA key pair: the private key (PKCS#8) and the public key, as PEM."""
    private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    public = private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return pem.decode("ascii"), public.decode("ascii")
