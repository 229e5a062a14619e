"""What the sandbox keeps, and the business rules: make requests, answer them, move them.

Nothing here knows HTTP.
"""

import random
import string
from collections.abc import Iterator
from dataclasses import asdict
from datetime import timedelta
from decimal import Decimal

from victor_ext.sandbox.engine import Move, Refused
from victor_ext.sandbox.server import Clock, JsonObject, JsonValue, Problem, digest, find
from victor_ext.sandbox.victor import _state
from victor_ext.sandbox.victor._authentication import Authenticator, new_key_pair
from victor_ext.sandbox.victor._lifecycle import Lifecycle, due_dates, read_date
from victor_ext.sandbox.victor._settings import SandboxSettings
from victor_ext.sandbox.victor._state import (
    OPEN,
    Account,
    Direction,
    Network,
    Request,
    Status,
    Store,
)
from victor_ext.sandbox.victor._test_key import KEY_PAIR

_ID_ALPHABET = string.ascii_uppercase + string.digits
_ANSWERED = "This request is {}; only a pending one can be answered."
_ANSWERS = {
    "inbound": Move(("pending",), "accepted", _ANSWERED, 400, "status"),
    "outbound": Move(OPEN, "accepted", _ANSWERED, 400, "status"),
}
_EXPIRES = Move(
    OPEN, "expired", "This request is {}; only one without an answer can expire.", 400, "status"
)


class Ledger(Lifecycle):
    """Everything that the sandbox keeps, every change of it, and how it is shown: Victor without
    HTTP.

    All of it runs on one thread, without a wait between a check and its commit.
    """

    def __init__(self, settings: SandboxSettings, clock: Clock) -> None:
        # Without `auto`, a step of a request's life takes one second of the business clock.
        step = 1.0 if settings.auto is None else settings.auto
        super().__init__(Store(clock), step=step)
        self.settings, self.clock, self.tokens = settings, clock, self.store.tokens
        self.authenticator = Authenticator(settings, clock, self.store)
        self._random = random.Random(settings.seed)  # noqa: S311 (ids, not secrets)
        self._latest = 0.0
        """When the last request was created."""
        if settings.demo_data:
            self._add_demo_data()

    def _add_demo_data(self) -> None:
        for account in _state.DEMO_ACCOUNTS:
            self.store.accounts[account.account_number] = account
        for counterparty in _state.DEMO_COUNTERPARTIES:
            self.store.counterparties[counterparty.id] = counterparty
        for payee, details in _state.DEMO_REQUESTS:
            due = {"due_date": self.tomorrow()}
            body = {"payee": payee, "payment_details": {**details, **due}}
            self.create_inbound(body, _state.DEMO_PAYEE)

    def pass_time(self) -> int:
        """Make every move that is due, in order of time; returns their number."""
        return self.timeline.pass_time(self.clock.now())

    def tomorrow(self) -> str:
        """The day after the first due date that is accepted."""
        return str(due_dates(self.clock.now())[0] + timedelta(days=1))

    def get(self, request_id: str) -> Request:
        """One request; raises `NotFound`."""
        return find(self.store.requests, request_id, "payment request")

    def view(self, request: Request) -> JsonObject:
        """All that is known of a request, with the amount that the sandbox is to show."""
        view = request.view()
        if self.settings.accepted_amount == "requested":
            details = view["payment_request"]["payment_details"]
            details["amount"] = details.get("original_amount") or details["amount"]
        return view

    def create(self, body: JsonObject, key: str | None) -> Request:
        """Make an outbound request of the declared members of a create, and its inbound twin when
        the counterparty has an account in the sandbox.
        """
        counterparty = self.counterparty(body)
        request = self._add("outbound", body, counterparty.network)
        request.idempotency_key = key
        account = self.store.accounts.get(counterparty.account_number or "")
        if account is not None:
            both = {name: request.body[name] for name in ("payee", "payment_details")}
            twin = self._inbound(both, account, counterparty.network)
            request.twin, twin.twin = twin.id, request.id
        self.enter(request, "created", request.created_at)
        return request

    def create_inbound(
        self, body: JsonObject, payer_account: str, network: Network = "RTP"
    ) -> Request:
        """Make an inbound request to an account, from outside of the sandbox."""
        payer = self.store.accounts.get(payer_account) or Account(account_number=payer_account)
        return self._inbound(body, payer, network)

    def _inbound(self, body: JsonObject, payer: Account, network: Network) -> Request:
        request = self._add("inbound", {**body, "payer": asdict(payer)}, network)
        self.enter(request, "pending", request.created_at)
        return request

    def _add(self, direction: Direction, body: JsonObject, network: Network) -> Request:
        # In milliseconds, as the provider does, and never before the last request, also when the
        # clock was set back.
        self._latest = max(self._latest, round(self.clock.now(), 3))
        # By the document, a request is due 24 hours from now, where none is given.
        due_date = str(due_dates(self.clock.now())[1])
        defaults = {"biller_type": "BUSINESS", "amount_modification_allowed": False}
        details = {**defaults, "due_date": due_date, **body["payment_details"]}
        request = Request(
            id=self._new_id(),
            direction=direction,
            network=network,
            body={**body, "payment_details": details},
            created_at=self._latest,
        )
        self.store.requests[request.id] = request
        return request

    def respond(self, request_id: str, body: JsonObject, *, as_payer: bool = False) -> Request:
        """Answer an inbound request; returns it.

        `as_payer` answers in the payer's own bank: a twin, or an outbound request that waits.
        Raises `NotFound`, or `Refused` with the reason.
        """
        request = self.get(request_id)
        if as_payer and request.child_id is not None:
            request = self.get(request.child_id)
        if request.direction == "outbound" and not as_payer:
            raise Refused(400, "This request is outbound; answer the inbound one (its child).")
        if request.answer is not None:
            raise Refused(400, "This request has been answered already.", "status")
        _ANSWERS[request.direction].check(request.status)
        _check_modified(request.details, body)
        is_accepted = body["status"] == "Accepted"
        answer = {
            **body,
            "status": "Accepted" if is_accepted else "Rejected",
            "original_amount": request.details["amount"],
        }
        for each in self._open_sides(request):
            each.answer = {**answer, "victor_payment_request_id": each.id}
            self.enter(each, "accepted" if is_accepted else "declined", self.clock.now())
        return request

    def expire(self, request_id: str) -> Request:
        """Let a request without an answer expire now, and its twin; raises `NotFound` or
        `Refused`.
        """
        request = self.get(request_id)
        _EXPIRES.check(request.status)
        for each in self._open_sides(request):
            self.enter(each, "expired", self.clock.now())
        return request

    def _open_sides(self, request: Request) -> list[Request]:
        """A request and its twin, as far as they wait for the payer."""
        both = [request, self.store.requests.get(request.twin or "")]
        return [each for each in both if each is not None and each.status in OPEN]

    def move(self, request_id: str, to: Status, error_message: str | None = None) -> Request:
        """Put a request into a status, whatever it was before; raises `NotFound`."""
        request = self.get(request_id)
        self.enter(request, to, self.clock.now(), error_message)
        return request

    def _new_id(self) -> str:
        return "".join(self._random.choices(_ID_ALPHABET, k=10))

    def add_api_key(self, public_key: str | None = None, api_key: str | None = None) -> JsonObject:
        """Add an API key. Without a public key, return the private key of a pair, too: the first
        API key has the same pair in every sandbox, any other one a new pair.
        """
        keys = self.store.public_keys
        made = {"api_key": api_key or f"sandbox-key-{len(keys) + 1}"}
        if public_key is None:
            pair = new_key_pair() if keys else KEY_PAIR
            made["private_key"], public_key = pair
        _state.read_public_key(public_key)
        keys[made["api_key"]] = public_key
        return made

    def add_oauth_client(
        self, client_id: str | None = None, client_secret: str | None = None
    ) -> JsonObject:
        number = len(self.store.clients) + 1
        name = client_id or f"sandbox-client-{number}"
        secret = client_secret or f"sandbox-secret-{number}"
        self.store.clients[name] = digest(secret)
        self.tokens.issued.setdefault(name, 0)
        return {"client_id": name, "client_secret": secret}

    def create_problems(self, body: JsonValue, *, from_outside: bool = False) -> list[Problem]:
        """What is refused in the body of a create: by its schema, or else by what the document says
        in prose.

        A request `from_outside` of the sandbox may have any due date, and lack what callers of a
        create have to give.
        """
        problems = _state.declared("create").body.problems(body)
        if from_outside:
            problems = [problem for problem in problems if problem.rule != "required"]
        return problems or [*self._refused(body, from_outside=from_outside)]

    def _refused(self, body: JsonObject, *, from_outside: bool) -> Iterator[Problem]:
        payee, details = body["payee"], body["payment_details"]
        if Decimal(details["amount"]) <= 0:
            yield Problem(("payment_details", "amount"), "invalid", "must be above zero")
        if "ultimate_creditor" in payee and details.get("biller_type", "BUSINESS") != "BUSINESS":
            why = "may be set only when biller_type is BUSINESS"
            yield Problem(("payee", "ultimate_creditor"), "invalid", why)
        first, last = due_dates(self.clock.now())
        due = read_date(details.get("due_date", str(last)))
        if not from_outside and (due is None or not first <= due <= last):
            why = "must be a date from today until 24 hours from now"
            yield Problem(("payment_details", "due_date"), "invalid", why)


def _check_modified(details: JsonObject, answer: JsonObject) -> None:
    """Refuse an amount that the payer may not agree to."""
    if "modified_amount" not in answer:
        return
    why, amount = "", Decimal(answer["modified_amount"])
    if answer["status"] == "Declined":
        why = "A declined request has no amount."
    elif amount <= 0:
        why = "The amount must be above zero."
    elif amount != Decimal(details["amount"]) and not details["amount_modification_allowed"]:
        why = "This request does not allow another amount."
    if why:
        raise Refused(400, why, "modified_amount")
