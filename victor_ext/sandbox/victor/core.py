"""What the sandbox keeps, and what the document and the rules refuse, in the provider's words."""

from __future__ import annotations

import re
import sqlite3
import uuid
from datetime import date
from decimal import Decimal

from victor_ext.sandbox.server import Call, Clock, JsonObject, JsonValue, Operation
from victor_ext.sandbox.server.context import digest
from victor_ext.sandbox.victor.authentication import new_key_pair
from victor_ext.sandbox.victor.document import Operation as Declared
from victor_ext.sandbox.victor.document import Problem, load_document
from victor_ext.sandbox.victor.ledger import Ledger
from victor_ext.sandbox.victor.lifecycle import DueDates
from victor_ext.sandbox.victor.model import DEMO_ACCOUNTS, DEMO_COUNTERPARTIES, DEMO_PAYEE
from victor_ext.sandbox.victor.settings import SandboxSettings
from victor_ext.sandbox.victor.state import Facts, Store, read_public_key

_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}\Z")


def json_body(call: Call) -> tuple[JsonValue, Problem | None]:
    """The JSON body of a call, or the problem of a body that is not JSON."""
    if call.content_type != "application/json":
        return None, Problem(("body",), "invalid", "Content-Type must be application/json")
    try:
        return call.json(), None
    except ValueError:
        return None, Problem(("body",), "invalid", "is not JSON")


def read_date(text: str) -> date | None:
    """The date in `YYYY-MM-DD`, or None."""
    if not _DATE.match(text):
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


OPERATIONS = (
    Operation("list", "GET", "/v2/payment-requests", "listPaymentRequests"),
    Operation("create", "POST", "/v2/payment-requests/request-payment", "createRequestPayment"),
    Operation("get", "GET", "/v2/payment-requests/{id}", "getPaymentRequest"),
    Operation("respond", "POST", "/v2/payment-requests/respond-to-request/{id}", "respondToPaymentRequest"),
    Operation("token", "POST", "/v2/auth/token"),
)


def declared(operation: str) -> Declared:
    served = next(each for each in OPERATIONS if each.name == operation)
    return load_document().operation(served.method, served.path)


def _prose_problems(body: JsonObject, *, due_dates: DueDates | None, known: Store | None) -> list[Problem]:
    """What the document forbids in prose only, in the body of a create that conforms to its schema.

    Without `due_dates` any due date is accepted; with `known`, its accounts and counterparties alone.
    """
    payee, details = body["payee"], body["payment_details"]
    refused: dict[str, str] = {}
    if Decimal(details["amount"]) <= 0:
        refused["payment_details.amount"] = "must be above zero"
    if "ultimate_creditor" in payee and details["biller_type"] != "BUSINESS":
        refused["payee.ultimate_creditor"] = "may be set only when biller_type is BUSINESS"
    due = read_date(details["due_date"])
    if due_dates is not None and (due is None or not due_dates.earliest() <= due <= due_dates.latest()):
        refused["payment_details.due_date"] = "must be a date from today until 24 hours from now"
    if known is not None and payee["account_number"] not in known.accounts:
        refused["payee.account_number"] = "is not an account of the caller"
    if known is not None and body["payer"]["victor_counterparty_id"] not in known.counterparties:
        refused["payer.victor_counterparty_id"] = "is not a counterparty of the caller"
    return [Problem(tuple(place.split(".")), "invalid", message) for place, message in refused.items()]


class Core:
    """Everything that the sandbox keeps, and its rules: Victor without HTTP."""

    def __init__(self, settings: SandboxSettings, clock: Clock, database: sqlite3.Connection) -> None:
        self._settings, self._clock = settings, clock
        self._kept_clock: Facts[float] = Facts(database, "clock")
        self.due_dates = DueDates(clock, settings.due_date_zone)
        self.store = Store(database, clock)
        self.tokens = self.store.tokens
        self.ledger = Ledger(settings, clock, self.store, self.due_dates)
        clock.advanced = self._kept_clock.get("advanced", clock.advanced)
        self.ledger.lifecycle.schedule(self.store.requests.values())
        if settings.demo_data and not self.store.accounts:
            for account in DEMO_ACCOUNTS:
                self.store.accounts[account.account_number] = account
            for counterparty in DEMO_COUNTERPARTIES:
                self.store.counterparties[counterparty.id] = counterparty
            common: JsonObject = {"due_date": self.due_dates.tomorrow().isoformat(), "biller_type": "BUSINESS"}
            common |= {"payer_account": DEMO_PAYEE, "payee_account": "000123456789"}
            power = {"amount": "129.95", "ultimate_creditor": "City Power and Light", "notes": "Invoice 2203"}
            self.ledger.create_inbound(**common, **power)
            self.ledger.create_inbound(**common, amount="1500.00", amount_modification_allowed=True, notes="Deposit")

    def advance(self, seconds: float) -> int:
        self._kept_clock["advanced"] = self._clock.advanced + seconds
        self._clock.advanced += seconds
        return self.ledger.lifecycle.pass_time(self._clock.now())

    def add_api_key(self, public_key: str | None = None, api_key: str | None = None) -> JsonObject:
        """Add an API key. Without a public key, make a pair and return its private key, once."""
        made = {"api_key": api_key or str(uuid.uuid4())}
        if public_key is None:
            made["private_key"], public_key = new_key_pair()
        read_public_key(public_key)
        self.store.public_keys[made["api_key"]] = public_key
        return made

    def add_oauth_client(self, client_id: str | None = None, client_secret: str | None = None) -> JsonObject:
        name, secret = client_id or str(uuid.uuid4()), client_secret or uuid.uuid4().hex + uuid.uuid4().hex
        self.store.clients[name] = digest(secret)
        self.tokens.issued.setdefault(name, 0)
        return {"client_id": name, "client_secret": secret}

    def create_problems(self, body: JsonValue, *, from_outside: bool = False) -> list[Problem]:
        """What the document and the rules refuse in the body of a create, `from_outside` of the sandbox or not."""
        known = self.store if self._settings.strict_accounts and not from_outside else None
        due_dates = None if from_outside else self.due_dates
        return declared("create").body.problems(body) or _prose_problems(body, due_dates=due_dates, known=known)
