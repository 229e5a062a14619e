"""The provider of the histories of files, and the network before it. Customers decline what they
are asked for, days pass, and the provider rejects a payer whom it does not know.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Collection
from datetime import UTC, datetime
from email.utils import format_datetime
from random import Random
from typing import Any, NamedTuple

import httpx

from tests.histories.provider import BODIES, KEPT, Provider, Reply, Rules, Work, flat, said

WRONG_PAYER, PAYER = "wrong", "cust"
"""How the ids of customers begin; the provider does not know those that begin with the first."""
OVER = ("declined", "expired", "failed")
"""What may be asked again."""
STILL_THERE = ("Pending", "accepted", "completed")
ANOTHERS = "another's"
"""A good answer that has the id of what the same state has, and nothing that shows it."""
MAY_HAVE_ARRIVED = ("lost", "503", ANOTHERS)
NOT_DONE = ("not sent", "429")
_AMOUNT, _DUE = "payment_details.amount", "payment_details.due_date"
_PAYER_FIELD, _REFERENCE = "payer.victor_counterparty_id", "client_reference_id"


class Values(NamedTuple):
    """What a row asks for; the due date is compared by itself."""

    payer: str
    amount: str
    reference: str
    due: str

    @property
    def without_due(self) -> tuple[str, str, str]:
        return self[:3]

    @classmethod
    def of_body(cls, body: dict[str, Any]) -> Values:
        amount, due = f"{float(body[_AMOUNT]):.2f}", str(body[_DUE])
        return cls(body[_PAYER_FIELD], amount, body[_REFERENCE], due)


class Ledger(Provider):
    """A provider whose customers decline, and that rejects payers whom it does not know."""

    def __init__(self, rules: Rules) -> None:
        super().__init__(rules, lambda: time.time() + self.ahead)
        self.ahead = 0.0
        """Seconds for which days have passed here, and nowhere else."""
        self.statuses: dict[str, str] = {}
        """What became of a payment request, by its id."""
        self._refused_keys: set[str | None] = set()

    def let_days_pass(self) -> None:
        """Longer than a key is kept."""
        self.ahead += 1.25 * KEPT
        self._refused_keys.clear()

    def is_over(self, work: Work) -> bool:
        return self.statuses.get(work.id) in OVER

    def _do(self, request: httpx.Request, content: bytes, *rest: Any) -> Reply:
        """Do it, or refuse it; what a key was refused is refused again under this key."""
        key = self.key_of(request, content)
        is_wrong = request.method == "POST" and f'"{WRONG_PAYER}'.encode() in content
        if is_wrong:
            self._refused_keys.add(key)
        if is_wrong or (key is not None and key in self._refused_keys):
            return Reply(400, BODIES["error"])
        return super()._do(request, content, *rest)

    def shown(self, work: Work, detail: str) -> dict[str, Any]:
        shown = super().shown(work, detail)
        return {**shown, "status": self.statuses.get(work.id, shown["status"])}

    def _read(self, url: httpx.URL, last: str, account: str) -> Reply:
        reply = super()._read(url, last, account)
        if last not in self.statuses:
            return reply
        status = f'"{self.statuses[last]}"'.encode()
        return Reply(reply.status, reply.body.replace(b'"Pending"', status))


class FilesNetwork(httpx.BaseTransport):
    """Between a sender and the provider. A share of the requests fails."""

    def __init__(self, ledger: Ledger, dice: Random, share_of_anothers: float = 0.0) -> None:
        self.ledger, self.dice = ledger, dice
        self.share, self.is_down, self.rejects = 0.0, False, False
        self.share_of_anothers, self._own_dice = share_of_anothers, Random(17)
        self.taken: Collection[str] = ()
        """The ids that the exports of the state have told."""
        self.observer: Any = None
        """Who sees what leaves, and what comes back: see `Truth`."""
        self._lock = threading.Lock()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        content = request.read()
        with self._lock:
            return self._exchange(request, content)

    def _exchange(self, request: httpx.Request, content: bytes) -> httpx.Response:
        token = self.ledger.token(request, content)
        if token is not None:
            return self._response(token)
        fault = self._fault() if request.method == "POST" else ""
        if fault == "not sent" or self.is_down:
            raise httpx.ConnectError("it happened")
        if request.method == "GET":
            reply = self._reply(request, content)
            if self.observer is not None and request.url.path.endswith("/payment-requests"):
                self.observer.is_listed()
            return self._response(reply)
        return self._write(request, content, fault)

    def _write(self, request: httpx.Request, content: bytes, fault: str) -> httpx.Response:
        key, values = self.ledger.key_of(request, content) or "", self._values(content)
        if self.observer is not None:
            self.observer.leaves(key, values)
        if fault in ("503", "429"):
            reply = Reply(int(fault), BODIES["html"])
        elif self.rejects:
            reply = Reply(400, BODIES["error"])
        else:
            reply = self._reply(request, content)
        other = self._anothers(key) if reply.status == 200 and not fault else None
        if other is not None:
            fault, reply = ANOTHERS, other
        if self.observer is not None:
            self.observer.ends(key, values, fault, reply.status)
        if fault == "lost":
            raise httpx.ReadError("it happened")
        return self._response(reply)

    def _anothers(self, key: str) -> Reply | None:
        """The answer with the id of another key's request: of one that is over, if there is one."""
        works = [work for work in self.ledger.done if work.id in self.taken and work.fact != key]
        works.sort(key=self.ledger.is_over)
        if not works or self._own_dice.random() >= self.share_of_anothers:
            return None
        return said(200, {"victor_payment_request_id": works[-1].id, "status": "created"})

    def _reply(self, request: httpx.Request, content: bytes) -> Reply:
        with self.ledger.working(request, content, 0) as reply:
            return reply

    def _response(self, reply: Reply) -> httpx.Response:
        """With a `Date`: without one nobody knows how old a key is, and it is not sent again."""
        now = datetime.fromtimestamp(self.ledger.clock(), UTC)
        headers = {**reply.headers, "Date": format_datetime(now, usegmt=True)}
        return httpx.Response(reply.status, headers=headers, content=reply.body)

    def _fault(self) -> str:
        if self.dice.random() >= self.share:
            return ""
        return self.dice.choice(["lost", "503", "lost", *NOT_DONE])

    @staticmethod
    def _values(content: bytes) -> Values:
        return Values.of_body(flat(json.loads(content)))
