"""What the sandbox keeps, and the business rules: make requests, answer them, move them.

Nothing here knows HTTP.
"""

import hashlib
import json
import random
import string
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from sys import intern
from typing import Any, Literal

from victor_ext.sandbox.engine._key_memory import KeyMemory
from victor_ext.sandbox.server import Clock, JsonObject, JsonValue, Problem, digest, find
from victor_ext.sandbox.victor import _state
from victor_ext.sandbox.victor._authentication import Authenticator, new_key_pair
from victor_ext.sandbox.victor._formats import Formats
from victor_ext.sandbox.victor._lifecycle import (
    Lifecycle,
    cannot,
    check_ending,
    due_dates,
    read_date,
)
from victor_ext.sandbox.victor._pager import Pager
from victor_ext.sandbox.victor._settings import SandboxSettings
from victor_ext.sandbox.victor._state import (
    FIELDS,
    OPEN,
    Account,
    PaymentRequest,
    Status,
    Store,
    wrong,
)
from victor_ext.sandbox.victor._test_key import KEY_PAIR

_ID_ALPHABET = string.ascii_uppercase + string.digits
KEY_NAME = "Idempotency-Key"
_ANSWERS: dict[str, tuple[Status, Literal["Accepted", "Rejected"]]] = {
    "Accepted": ("accepted", "Accepted"),
    "Declined": ("declined", "Rejected"),
}
"""Where a request goes by an answer, and what is shown of that."""
_OF_BOTH = {"payee", "payment_details"}
"""The places of the body that a request and its inbound twin have in common."""


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
        self.formats = Formats(settings)
        self.pager = Pager(settings, self.store, self.formats.members)
        self._random = random.Random(settings.seed)  # noqa: S311 (ids, not secrets)
        self._keys = KeyMemory[str](clock.now, settings.key_life)
        """What a key has done: the id of the request."""
        if settings.demo_data:
            self._add_demo_data()

    def _add_demo_data(self) -> None:
        for account in _state.DEMO_ACCOUNTS:
            self.store.accounts[account.account_number] = account
        for counterparty in _state.DEMO_COUNTERPARTIES:
            self.store.counterparties[counterparty.id] = counterparty
        for payee, details in _state.DEMO_REQUESTS:
            due = {"due_date": self.tomorrow(), "biller_type": "BUSINESS"}
            body = {"payee": payee, "payment_details": details | due}
            self.create_inbound(body, _state.DEMO_PAYEE)

    def advance(self, seconds: float) -> int:
        self.clock.advanced += seconds
        return self.pass_time(self.clock.now())

    def tick(self) -> None:
        if self.settings.auto is not None:
            self.pass_time(self.clock.now())

    def tomorrow(self) -> str:
        """The day after the first due date that is accepted."""
        return (due_dates(self.clock.now())[0] + timedelta(days=1)).isoformat()

    def get(self, request_id: str) -> PaymentRequest:
        """One request; raises `NotFound`."""
        return find(self.store.requests, request_id, "payment request")

    def made_under(self, owner: str, key: str | None, fingerprint: str) -> PaymentRequest | None:
        """The request that was made under this key; None: another one is made. Raises `Refused` for
        a key that was used with another body.
        """
        earlier = self._keys.find(owner, key, fingerprint)
        if earlier is None:
            return None
        request_id, is_repeat = earlier
        if not is_repeat:
            used = Problem((KEY_NAME,), "conflict", "This key was used with another body.")
            raise wrong(used, status="409")
        return self.store.requests[request_id]

    def create(
        self, owner: str, key: str | None, fingerprint: str, body: JsonObject
    ) -> PaymentRequest:
        """Make an outbound request of the declared members of a create, and its inbound twin when
        the counterparty has an account in the sandbox.
        """
        # None where a newer document lets a caller name nobody.
        counterparty_id = body.get("payer", {}).get("victor_counterparty_id")
        counterparty = self.store.counterparties.get(counterparty_id or "")
        request = self._made(
            body,
            direction="outbound",
            status="created",
            network=counterparty.network if counterparty else "RTP",
            counterparty_id=counterparty_id,
            idempotency_key=key,
        )
        made = [request]
        number = counterparty.account_number if counterparty else None
        account = self.store.accounts.get(number or "")
        if account is not None:
            made = self._with_twin(request, account)
        self._commit(made)
        self._keys.keep(owner, key, fingerprint, request.id)
        return made[0]

    def _with_twin(self, request: PaymentRequest, account: Account) -> list[PaymentRequest]:
        others = request.others or {}
        twin = replace(
            request,
            id=self._new_id(),
            direction="inbound",
            status="pending",
            counterparty_id=None,
            **_shown(account),
            client_reference_id=None,
            idempotency_key=None,
            parent_id=request.id,
            others={name: others[name] for name in _OF_BOTH & others.keys()} or None,
        )
        return [replace(request, child_id=twin.id), twin]

    def create_inbound(
        self, body: JsonObject, payer_account: str, network: _state.Network = "RTP"
    ) -> PaymentRequest:
        """Make an inbound request to an account, from outside of the sandbox."""
        payer = self.store.accounts.get(payer_account) or Account(account_number=payer_account)
        request = self._made(
            body, direction="inbound", status="pending", network=network, **_shown(payer)
        )
        self._commit([request])
        return request

    def _made(self, body: JsonObject, **more: Any) -> PaymentRequest:
        """A request of the body of a create. `more` are fields of `PaymentRequest`."""
        # In milliseconds, as the provider does, and never before the last request, also when the
        # clock was set back.
        now = max([round(self.clock.now(), 3), *self.store.created[-1:]])
        payee, details = body["payee"], body["payment_details"]
        return PaymentRequest(
            id=self._new_id(),
            amount=details["amount"],
            # Interned: a long run makes hundreds of thousands of requests that share these texts.
            biller_type=intern(details.get("biller_type", "BUSINESS")),
            due_date=intern(details.get("due_date") or self._latest_due_date()),
            created_at=now,
            changed_at=now,
            payee_account=intern(payee["account_number"]),
            ultimate_creditor=payee.get("ultimate_creditor"),
            amount_modification_allowed=details.get("amount_modification_allowed", False),
            notes=details.get("notes"),
            client_reference_id=body.get("client_reference_id"),
            others=_others(body),
            **more,
        )

    def _latest_due_date(self) -> str:
        """The provider's default, by the document: 24 hours from now."""
        return due_dates(self.clock.now())[1].isoformat()

    def respond(
        self, request_id: str, body: JsonObject, *, as_payer: bool = False
    ) -> PaymentRequest:
        """Answer an inbound request; returns it.

        `as_payer` answers in the payer's own bank: a twin, or an outbound request that waits.
        Raises `NotFound`, or `Refused` with the reason.
        """
        request = self.get(request_id)
        if as_payer and request.child_id is not None:
            request = self.get(request.child_id)
        if request.direction == "outbound" and not as_payer:
            raise cannot("", "This request is outbound; answer the inbound one (its child).")
        to, answer = _ANSWERS[body["status"]]
        modified = body.get("modified_amount")
        if request.answer is not None:
            raise cannot("status", "This request has been answered already.")
        check_ending("answer", request)
        _check_modified(request, answer, modified)
        now = self.clock.now()
        parent = self.store.requests.get(request.parent_id or "")
        both = [request] if parent is None or parent.status in _state.ENDED else [request, parent]
        changed = [
            replace(
                one,
                status=to,
                changed_at=now,
                answer=answer,
                approved_at=now if to == "accepted" else None,
                original_amount=one.amount,
                amount=modified or one.amount,
                modified_amount=modified,
                approval_notes=body["notes"],
            )
            for one in both
        ]
        self._commit(changed)
        return changed[0]

    def expire(self, request_id: str) -> PaymentRequest:
        """Let a request without an answer expire now, and its twin; raises `NotFound` or
        `Refused`.
        """
        request = self.get(request_id)
        check_ending("expire", request)
        twin = self.store.requests.get(request.child_id or request.parent_id or "")
        both = [one for one in (request, twin) if one is not None and one.status in OPEN]
        now = self.clock.now()
        self.store.commit([replace(one, status="expired", changed_at=now) for one in both])
        return self.get(request_id)

    def move(self, request_id: str, to: Status, error_message: str | None = None) -> PaymentRequest:
        """Put a request into a status, whatever it was before; raises `NotFound`."""
        request = self.get(request_id)
        now = self.clock.now()
        approved_at = None
        if to in ("accepted", "completed"):
            approved_at = request.approved_at or now
        moved = replace(
            request, status=to, changed_at=now, error_message=error_message, approved_at=approved_at
        )
        self._commit([moved])
        return moved

    def _new_id(self) -> str:
        while True:
            request_id = "".join(self._random.choices(_ID_ALPHABET, k=10))
            if request_id not in self.store.requests:
                return request_id

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

        A request `from_outside` of the sandbox may have any due date.
        """
        problems = _state.declared("create").body.problems(body)
        if problems:
            return problems
        refused = [*_refused(body)]
        due = read_date(body["payment_details"].get("due_date") or self._latest_due_date())
        first, last = due_dates(self.clock.now())
        if not from_outside and (due is None or not first <= due <= last):
            why = "must be a date from today until 24 hours from now"
            refused.append(("payment_details.due_date", why))
        return [Problem(tuple(place.split(".")), "invalid", why) for place, why in refused]


def _refused(body: JsonObject) -> Iterator[tuple[str, str]]:
    """The places in the body of any create that are refused, and why."""
    details = body["payment_details"]
    if Decimal(details["amount"]) <= 0:
        yield "payment_details.amount", "must be above zero"
    is_business = details.get("biller_type", "BUSINESS") == "BUSINESS"
    if "ultimate_creditor" in body["payee"] and not is_business:
        yield "payee.ultimate_creditor", "may be set only when biller_type is BUSINESS"


def _check_modified(request: PaymentRequest, answer: str, modified: str | None) -> None:
    """Refuse an amount that the payer may not agree to."""
    if modified is None:
        return
    if answer == "Rejected":
        raise cannot("modified_amount", "A declined request has no amount.")
    if Decimal(modified) <= 0:
        raise cannot("modified_amount", "The amount must be above zero.")
    if Decimal(modified) != Decimal(request.amount) and not request.amount_modification_allowed:
        raise cannot("modified_amount", "This request does not allow another amount.")


def _shown(payer: Account) -> JsonObject:
    """What a request says of an account that is asked."""
    return {
        "payer_account": payer.account_number,
        "payer_routing": payer.routing_number,
        "payer_name": payer.name,
    }


def _others(body: JsonObject) -> JsonObject | None:
    """What the declared members of a create have beside the fields."""
    others = {name: value for name, value in body.items() if name != "client_reference_id"}
    for place in FIELDS.keys() & others.keys():
        members, fields = others[place].items(), FIELDS[place]
        others[place] = {name: value for name, value in members if name not in fields}
    return {name: value for name, value in others.items() if value not in (None, {})} or None


def fingerprint(body: object) -> str:
    """The digest of a body's canonical JSON, the same for bodies that differ in spelling only."""
    canonical = json.dumps(body, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode("ascii")).hexdigest()
