"""A provider of all systems, written from their pages. It holds the truth, and shares no code with the package.

Where a page can be read in two ways, or says nothing (what a repeated key is answered, in which order a list is, what is
after its last page), `Rules` has both.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from random import Random
from typing import Any
from urllib.parse import parse_qsl

import httpx

KEPT = 86_400.0
"""Seconds for which a key is kept."""
BODIES = {
    "empty": b"",
    "html": b"<html><body>Please log in</body></html>",
    "text": b'"OK"',
    "list": b"[]",
    "null": b"null",
    "no reason": b"{}",
    "api error": b'{"status": 0, "data": null, "error": {"code": 101, "message": "error.amount.invalid", "field": "a"}}',
    "validation": b'{"allErrors": [{"objectName": "request", "code": "typeMismatch", "codes": ["typeMismatch.request.'
    b'startDatetime"], "arguments": [], "defaultMessage": "Failed to convert startDatetime"}], "boundProperties": []}',
    "past the end": b'{"allErrors": [{"objectName": "request", "code": "Max", "codes": ["Max.request.page"],'
    b' "field": "page", "arguments": [], "defaultMessage": "page is past the end"}], "boundProperties": []}',
    "other values": b'{"error": {"code": 409, "message": "the key was used with a different payload", "field": ""}}',
    "in progress": b'{"error": {"code": 409, "message": "a request with this key is in progress", "field": ""}}',
}


@dataclass(frozen=True)
class Rules:
    """How this provider behaves where the pages leave it open.

    Attributes:
        conflict: What a key with other values is answered.
        repeat: What a key with the same values is answered.
        detail: How much of a payment the answer to `create` has.
        order: In which order a list is.
        past_end: What is after its last page.
        dates: Whether answers have a `Date`.
        ahead: Seconds by which the provider's clock is ahead.
    """

    conflict: str = "replay"
    repeat: str = "replay"
    detail: str = "full"
    order: str = "newest"
    past_end: str = "empty"
    dates: str = "always"
    ahead: float = 0.0

    @classmethod
    def draw(cls, dice: Random) -> Rules:
        return cls(
            dice.choice(["replay", "replay", "bare 409", "409", "400", "422"]),
            dice.choice(["replay", "replay", "replay", "bare 409"]),
            dice.choice(["full", "full", "partial", "terse"]),
            dice.choice(["newest", "oldest"]),
            dice.choice(["empty", "400"]),
            dice.choice(["always", "always", "some", "never"]),
            dice.choice([0.0, 0.0, 3_600.0, -3_600.0, 259_200.0, -259_200.0]),
        )


@dataclass(frozen=True)
class Reply:
    """A response."""

    status: int
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(eq=False)
class Work:
    """Something that was done: money was asked for, or moved."""

    fact: str
    """What the requests for one payment have in common: their key, or the reference where there is no key."""
    values: dict[str, Any]
    id: str
    account: str
    at: float
    call: int
    reply: Reply = Reply(200)
    status: str = "created"


def said(status: int, body: object, **headers: str) -> Reply:
    return Reply(status, json.dumps(body).encode(), headers)


def flat(value: Any, path: str = "") -> dict[str, Any]:
    """The values of a body, by their paths."""
    if not isinstance(value, dict):
        return {path: value}
    return {name: each for key in value for name, each in flat(value[key], f"{path}.{key}".lstrip(".")).items()}


class Provider:
    """Does what it is asked, and keeps a record of it."""

    def __init__(self, rules: Rules, clock: Callable[[], float]) -> None:
        self.rules, self.clock = rules, clock
        self.done: list[Work] = []
        self.inbound: dict[str, dict[str, Any]] = {}
        self._keys: dict[tuple[str, str], tuple[float, bytes, Work]] = {}
        self._busy: set[tuple[str, str]] = set()
        self._hidden: set[str] = set()

    def of(self, fact: str) -> list[Work]:
        """What was done for a fact."""
        return [work for work in self.done if work.fact == fact]

    def token(self, request: httpx.Request, content: bytes) -> Reply | None:
        """The token that a request asks for, or None if it does not."""
        path = request.url.path
        if path == "/v2/auth/token":
            token = {"access_token": f"token-{json.loads(content)['client_id']}", "token_type": "Bearer"}
            return said(200, {**token, "expires": 4_102_444_800_000})
        if path == "/v1/authenticate":
            user = base64.b64decode(request.headers["authorization"].split()[1]).decode().partition(":")[0]
            return said(200, {"access_token": f"token-{user}", "token_type": "bearer", "expires_in": 10**8})
        if path == "/v1/oauth2/token":
            return said(200, {"accessToken": "token-A", "expires": 4_102_444_800_000})
        return None

    @staticmethod
    def key_of(request: httpx.Request, content: bytes) -> str | None:
        key: str | None = request.headers.get("idempotency-key")
        if key is None and request.url.host == "flexfactor.test" and content:
            key = json.loads(content).get("idempotencyKey")
        return key

    @staticmethod
    def may_be_empty(request: httpx.Request) -> bool:
        """Whether the page of the operation has an answer without a body: one that nobody has to send."""
        return re.search(r"/v3/payouts/.|/cancel$|/external-cancel$|/v1/orders", request.url.path) is not None

    @contextmanager
    def working(self, request: httpx.Request, content: bytes, call: int) -> Generator[Reply]:
        """The answer to a request, with its work done; until the end, its key is in use."""
        account = request.headers.get("authorization", "token-A").rpartition("token-")[2][:1]
        key = self.key_of(request, content)
        place = (account, f"{request.url.path} {key}")
        if key is None or request.method == "GET":
            yield self._do(request, content, account, None, call)
        elif place in self._busy:
            yield Reply(409, BODIES["in progress" if self.rules.repeat == "replay" else "no reason"])
        else:
            self._busy.add(place)
            try:
                yield self._replayed(place, content) or self._keep(place, content, request, account, key, call)
            finally:
                self._busy.discard(place)

    def _replayed(self, place: tuple[str, str], content: bytes) -> Reply | None:
        at, before, work = self._keys.get(place, (-1e18, b"", None))
        if work is None or self.clock() - at > KEPT:
            return None
        rule = self.rules.repeat if before == content else self.rules.conflict
        body = {"replay": "", "409": "other values", "bare 409": "no reason", "400": "api error", "422": "api error"}
        return work.reply if rule == "replay" else Reply(int(rule[-3:]), BODIES[body[rule]])

    def _keep(
        self, place: tuple[str, str], content: bytes, request: httpx.Request, account: str, key: str, call: int
    ) -> Reply:
        before = len(self.done)
        reply = self._do(request, content, account, key, call)
        if len(self.done) > before:
            self._keys[place] = self.clock(), content, self.done[-1]
        return reply

    def _do(self, request: httpx.Request, content: bytes, account: str, key: str | None, call: int) -> Reply:
        path, host = request.url.path, request.url.host.partition(".")[0]
        if request.method == "GET":
            return self._read(request, path.rpartition("/")[2], account)
        body: Any = {}
        if content and not path.startswith("/v1/files"):
            is_form = request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded")
            body = dict(parse_qsl(content.decode())) if is_form else json.loads(content)
        values = {"content": content} if path.startswith("/v1/files") else flat(body)
        fact = key or self._fact(host, path, body, request.method)
        if host in ("victor", "velo") and key is None and self.of(fact):
            if "respond" in path or "/v3/payouts/" in path:
                return Reply(400 if host == "victor" else 409, BODIES["api error" if host == "victor" else "no reason"])
        work = Work(fact, values, f"R{len(self.done):05}x7", account, self.clock(), call)
        self.done.append(work)
        work.reply = getattr(self, f"_{host}")(path, body, work)
        return work.reply

    @staticmethod
    def _fact(host: str, path: str, body: Any, method: str) -> str:
        if host == "eastpay":
            return str(body["merchantTransactionId"])
        return str(body["payments"][0]["payorPaymentId"]) if path == "/v3/payouts" else f"{method} {path}"

    # What each system answers when it is done

    def _victor(self, path: str, body: Any, work: Work) -> Reply:
        if "respond" not in path:
            return said(200, self.shown(work, self.rules.detail))
        word = "Accepted" if body["status"] == "Accepted" else "Rejected"
        work.id = path.rpartition("/")[2]
        asked = self.inbound[work.id]
        given = {"status": word, "original_amount": asked["amount"], "notes": body["notes"]}
        asked["answer"] = given | ({"modified_amount": body["modified_amount"]} if "modified_amount" in body else {})
        return said(200, {"victor_payment_request_id": work.id, **asked["answer"]})

    def _velo(self, path: str, _body: Any, work: Work) -> Reply:
        if path == "/v3/payouts":
            return Reply(202, b"", {"location": f"https://velo.test/v3/payouts/{work.id}"})
        work.id = path.rpartition("/")[2]
        return Reply(202)

    def _eastpay(self, _path: str, body: Any, work: Work) -> Reply:
        repeated = {name: body[name] for name in ("paymentType", "amount", "currency", "merchantTransactionId")}
        return said(200, {"id": work.id, **repeated, "result": {"code": "000.000.000", "description": "Succeeded"}})

    def _flexfactor(self, path: str, body: Any, work: Work) -> Reply:
        if path.endswith("cancel"):
            return Reply(200)
        if path.endswith("evaluate"):
            return said(200, {"success": True, "status": "APPROVED", "orderId": work.id})
        order = body["orderId"] if path.endswith("capture") else path.split("/")[3]
        return said(200, {"success": True, "status": "COMPLETED", "orderId": order})

    def _kiosk(self, path: str, body: Any, work: Work) -> Reply:
        if path.startswith("/v1/files"):
            return said(201, {"id": work.id, "size": len(work.values["content"])})
        if path == "/v1/payments":
            return said(201, {**body, "id": work.id})
        form = sum(map(ord, work.fact)) % 4  # the page says nothing of what is answered
        return [said(200, {"id": work.id}), said(202, {"status": "taken", "id": work.id}), Reply(204), Reply(200)][form]

    # Victor's records and lists

    def shown(self, work: Work, detail: str) -> dict[str, Any]:
        """A payment request as an answer has it."""
        values = work.values
        terse = {"victor_payment_request_id": work.id, "status": work.status}
        details = {name.rpartition(".")[2]: each for name, each in values.items() if name.startswith("payment_details")}
        whole: dict[str, Any] = {"payment_details": details, "created_at": int(work.at * 1000)}
        if detail == "partial":
            return {**terse, "direction": "OUTBOUND", "payment_request": whole}
        whole["payee"] = {
            name.rpartition(".")[2]: each for name, each in values.items() if name.startswith("payee.")
        }
        whole["payer"] = {"victor_counterparty_id": values["payer.victor_counterparty_id"]}
        full = {**terse, "direction": "OUTBOUND", "payment_request": whole}
        reference = {name: values[name] for name in ("client_reference_id",) if name in values}
        return {**full, **reference} if detail == "full" else terse

    def foreign(self, request: httpx.Request, number: int) -> Reply | None:
        """An answer to another payment's request, as a cache may give it; None where nothing in it would show that."""
        path = request.url.path
        if request.method == "GET" and path.endswith("/payment-requests"):
            return said(200, {"page": int(request.url.params.get("page", 0)) + 1 + number, "results": []})
        if path.endswith("/request-payment") or path.endswith("/v3/payments"):
            values = {"client_reference_id": "of another", "payer.victor_counterparty_id": "c9"}
            values |= {"payment_details.amount": "7.77", "payee.account_number": "00112233445"}
            body = {"merchantTransactionId": "of another", "paymentType": "DB", "amount": "7.77", "currency": "EUR"}
            other = Work("of another", values, f"F{number:05}x7", "A", self.clock(), 0)
            return said(200, self.shown(other, "full")) if "request-payment" in path else self._eastpay("", body, other)
        if "respond" in path or re.search(r"/payment-requests/.", path):
            other_id = {"victor_payment_request_id": f"F{number:05}x7"}
            return said(200, {**other_id, "status": "Accepted", "original_amount": "7.77", "notes": "Thanks."})
        return None

    def _read(self, request: httpx.Request, last: str, account: str) -> Reply:
        asked = request.url.params
        if request.url.host == "velo.test":
            facts = {work.fact.partition(" ")[0] for work in self.done if work.id == last}
            status = "WITHDRAWN" if "DELETE" in facts else "INSTRUCTED" if "POST" in facts else "ACCEPTED"
            return said(200, {"payoutId": last, "status": status})
        if last != "payment-requests":
            if last in self.inbound:
                return said(200, self._inbound(last))
            works = [work for work in self._listed(account) if work.id == last]
            shown = {**self.shown(works[0], "full"), "status": "Pending"} if works else {}
            return said(200, shown) if works else Reply(400, BODIES["api error"])
        works = self._listed(account) if asked.get("direction", "outbound") == "outbound" else []
        works = [work for work in works if _moment(asked.get("start_datetime"), -1e18) <= work.at]
        works = [work for work in works if work.at <= _moment(asked.get("end_datetime"), 1e18)]
        page, size = int(asked.get("page", 0)), min(int(asked.get("page_size", 50)), 5)
        if page and page * size >= len(works) and self.rules.past_end == "400":
            return Reply(400, BODIES["past the end"])
        shown_ones = [work for work in works[page * size :][:size] if work.id not in self._hidden]
        return said(200, {"page": page, "results": [self.shown(work, "full") for work in shown_ones]})

    def _listed(self, account: str) -> list[Work]:
        found = [work for work in self.done if work.account == account and "payment_details.amount" in work.values]
        if self.rules.order == "shuffled":
            Random(len(self.done) + self.clock()).shuffle(found)
        return found[::-1] if self.rules.order == "newest" else found

    def hide(self, number: int) -> None:
        """One item is not shown, though its place on the page is taken: of a draft, or of another organisation."""
        if self.done:
            self._hidden.add(self.done[number % len(self.done)].id)

    def is_shown(self, work: Work) -> bool:
        return work.id not in self._hidden

    def _inbound(self, name: str) -> dict[str, Any]:
        asked = self.inbound[name]
        details = {"amount": asked["amount"], "due_date": "2026-03-04", "amount_modification_allowed": True}
        answer = asked.get("answer", {})
        whole = {"payment_details": details, "payment_request_response": answer}
        return {"victor_payment_request_id": name, "direction": "INBOUND", "status": "Pending", "payment_request": whole}


def _moment(text: str | None, default: float) -> float:
    from datetime import datetime

    return default if text is None else datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()
