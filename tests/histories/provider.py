"""A provider of all systems, written from their pages. It holds the truth, and shares no code with
the package.

Where a page can be read in two ways, or says nothing, `Rules` has both readings.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Collection, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime
from random import Random
from typing import Any
from unicodedata import normalize
from urllib.parse import parse_qsl

import httpx

KEPT = 86_400.0
"""Seconds for which a key is kept."""
FOREVER = 4_102_444_800_000
PAID_AFTER = 3_600.0
"""Seconds after which a payout that is instructed is confirmed."""
NOBODY = "nobody"
"""A payee that Velo does not have."""
_INVALID = (
    '{"allErrors": [{"objectName": "request", "codes": ["%s"], "field": "%s", '
    '"defaultMessage": "Not valid"}]}'
)
_ERROR = '{"status": 0, "data": null, "error": {"code": 101, "message": "%s", "field": ""}}'
BODIES = {
    "empty": b"",
    "html": b"<html><body>Please log in</body></html>",
    "login": b'{"message": "Please log in"}',
    "text": b'"OK"',
    "list": b"[]",
    "null": b"null",
    "no reason": b"{}",
    "error": (_ERROR % "error.amount.invalid").encode(),
    "another field": (_INVALID % ("typeMismatch.request.startDatetime", "startDatetime")).encode(),
    "past the end": (_INVALID % ("Max.request.page", "page")).encode(),
    "other values": (_ERROR % "the key was used with a different payload").encode(),
    "in progress": (_ERROR % "a request with this key is in progress").encode(),
    "used": (_ERROR % "this key was used before for another request").encode(),
    "duplicate": (_ERROR % "duplicate request").encode(),
}
_CONFLICTS = {"409": "other values", "bare 409": "no reason", "400": "used", "403": "duplicate"}
_DETAILS, _PAYER = "payment_details.", "payer.victor_counterparty_id"
_TAKEN = 4
"""The number of a foreign answer that has the id of what the same sender has made."""
_TO_RESPOND, _ONE_REQUEST = (
    "/respond-to-request/",
    re.compile(r"/payment-requests/(?!request-payment)"),
)


_MAKES = re.compile(r"/request-payment$|/v3/payouts$|/v3/payments$|/v1/evaluate$|/v1/charges$")
"""Paths at which something is made that has an id of its own."""


def _one_of(*choices: Any) -> Any:
    return field(default=choices[0], metadata={"choices": choices})


@dataclass(frozen=True)
class Rules:
    """How this provider behaves where the pages leave it open.

    Attributes:
        conflict: What a key with other values is answered.
        repeat: What a key with the same values is answered.
        detail: How much of a payment the answer to `create` has.
        order: In which order a list is.
        past_end: What comes after its last page.
        dates: Which answers have a `Date`.
        ahead: Seconds by which the provider's clock is ahead.
        form: The Unicode form in which it keeps texts; empty: as they come.
    """

    conflict: str = _one_of("replay", "replay", *_CONFLICTS)
    repeat: str = _one_of("replay", "replay", "replay", "bare 409")
    detail: str = _one_of("full", "full", "partial", "terse")
    order: str = _one_of("newest", "oldest")
    past_end: str = _one_of("empty", "400")
    dates: str = _one_of("always", "always", "some", "never")
    ahead: float = _one_of(0.0, 0.0, 0.0, 3_600.0, -3_600.0, 259_200.0, -259_200.0)
    form: str = _one_of("", "", "NFC", "NFD")

    @classmethod
    def draw(cls, dice: Random) -> Rules:
        return cls(*(dice.choice(each.metadata["choices"]) for each in fields(cls)))


@dataclass(frozen=True)
class Reply:
    """A response."""

    status: int
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    says_used: bool = False


@dataclass(eq=False)
class Work:
    """Something that was done: money was asked for, or moved.

    `fact` is the key, or the reference without one.
    """

    fact: str
    values: dict[str, Any]
    id: str
    account: str
    at: float
    call: int = 0
    status: str = "created"
    reply: Reply = Reply(200)
    path: str = ""

    @property
    def reference(self) -> Any:
        return self.values.get("client_reference_id")


def said(status: int, body: object) -> Reply:
    return Reply(status, json.dumps(body).encode())


def flat(value: Any, path: str = "") -> dict[str, Any]:
    """The values of a body, by their paths."""
    if not isinstance(value, dict):
        return {path: value}
    return {
        name: each
        for key in value
        for name, each in flat(value[key], f"{path}.{key}".lstrip(".")).items()
    }


class Provider:
    """Does what it is asked, and keeps a record of it."""

    def __init__(self, rules: Rules, clock: Callable[[], float]) -> None:
        self.rules, self.clock = rules, clock
        self.done: list[Work] = []
        self.others: list[Work] = []
        """What another program of the same account has had done."""
        self.repeated: list[str] = []
        """What had been done when it was asked for without a key."""
        self.inbound: dict[str, dict[str, Any]] = {}
        self.hidden: set[Work] = set()
        """What no list shows, though its place on a page is taken."""
        self.lag = 0.0
        """Seconds after which the state of a payout shows what was done to it."""
        self.taken: Callable[[str], list[str]] = lambda _path: []
        """The ids that settle a payment already of those who ask at this path."""
        self.withdraws_instructed = False
        """Whether a payout that is instructed can be withdrawn until it is paid."""
        self._keys: dict[tuple[str, str], tuple[float, bytes, Work]] = {}
        self._busy: set[tuple[str, str]] = set()

    def of(self, fact: str) -> list[Work]:
        """What was done for a fact."""
        return [work for work in self.done if work.fact == fact]

    def made_at(self, path: str, ids: Collection[str]) -> list[str]:
        """Those of these ids that were made at this path."""
        is_made = _MAKES.search(path) is not None
        return [work.id for work in self.done if is_made and work.path == path and work.id in ids]

    def record(
        self,
        fact: str,
        values: dict[str, Any],
        account: str = "A",
        call: int = 0,
        status: str = "created",
    ) -> Work:
        self.done.append(
            Work(fact, values, f"R{len(self.done):05}x7", account, self.clock(), call, status)
        )
        return self.done[-1]

    def add_of_others(self, path: str, body: Any, work: Work) -> None:
        """Have done what another program asks for."""
        system = "velo" if path == "/v3/payouts" else "eastpay"
        if system == "eastpay" and isinstance(body, dict):
            work.fact = body.get("merchantTransactionId", work.fact)  # by which it is found
        if "payment-requests" not in path:
            work.reply = getattr(self, f"_{system}")(path, body, work)
        self.others.append(work)

    @staticmethod
    def token(request: httpx.Request, content: bytes) -> Reply | None:
        """The token that a request asks for, or None if it does not."""
        path = request.url.path
        if path == "/v2/auth/token":
            token = f"token-{json.loads(content)['client_id']}"
            return said(200, {"access_token": token, "token_type": "Bearer", "expires": FOREVER})
        if path == "/v1/authenticate":
            user = (
                base64.b64decode(request.headers["authorization"].split()[1])
                .decode()
                .partition(":")[0]
            )
            return said(
                200, {"access_token": f"token-{user}", "token_type": "bearer", "expires_in": 10**8}
            )
        return (
            said(200, {"accessToken": "token-A", "expires": FOREVER})
            if path == "/v1/oauth2/token"
            else None
        )

    @staticmethod
    def key_of(request: httpx.Request, content: bytes) -> str | None:
        in_body = (
            json.loads(content)
            if request.url.host in ("flexfactor.test", "tiny.test") and content
            else {}
        )
        return request.headers.get("idempotency-key", in_body.get("idempotencyKey"))

    @staticmethod
    def may_answer(request: httpx.Request, body: str) -> bool:
        """Whether such a body may be the operation's own answer, by its page."""
        return (
            body in ("empty", "login")
            and re.search(r"/v3/payouts/.|/cancel$", request.url.path) is not None
        )

    @staticmethod
    def is_proof(request: httpx.Request, reply: Reply) -> bool:
        """Whether a reply to a write says what was done, so that it proves it under any status."""
        if request.method == "GET" or not 200 <= reply.status < 300:
            return False
        return bool(reply.body) or "location" in reply.headers

    @contextmanager
    def working(self, request: httpx.Request, content: bytes, call: int) -> Generator[Reply]:
        """The answer to a request, with its work done. Its key is in use until the end."""
        account = request.headers.get("authorization", "token-A").rpartition("token-")[2][:1]
        key = self.key_of(request, content)
        place = (account, f"{request.url.path} {key}")
        if key is None or request.method == "GET":
            yield self._do(request, content, account, None, call)
        elif place in self._busy:
            yield Reply(
                409, BODIES["in progress" if self.rules.repeat == "replay" else "no reason"]
            )
        else:
            self._busy.add(place)
            try:
                yield self._once(place, request, content, account, key, call)
            finally:
                self._busy.discard(place)

    def _once(
        self, place: tuple[str, str], request: httpx.Request, content: bytes, *rest: Any
    ) -> Reply:
        at, before, work = self._keys.get(place, (-1e18, b"", None))
        if work is not None and self.clock() - at <= KEPT:
            rule = self.rules.repeat if before == content else self.rules.conflict
            if rule == "replay":
                return work.reply
            return Reply(int(rule[-3:]), BODIES[_CONFLICTS[rule]], says_used=True)
        count, reply = len(self.done), self._do(request, content, *rest)
        if len(self.done) > count:
            self._keys[place] = self.clock(), content, self.done[-1]
        return reply

    def _do(
        self, request: httpx.Request, content: bytes, account: str, key: str | None, call: int
    ) -> Reply:
        path, host = request.url.path, request.url.host.partition(".")[0]
        if request.method == "GET":
            return self._read(request.url, path.rpartition("/")[2], account)
        body: Any
        if request.headers.get("content-type", "").startswith("application/x-www-form"):
            body = dict(parse_qsl(content.decode()))
        else:
            body = json.loads(content or b"{}")
        fact = key or body.get("merchantTransactionId") or f"{request.method} {path}"
        if path == "/v3/payouts":
            fact = body["payments"][0]["payorPaymentId"]
        elif host in ("victor", "velo") and key is None and self.of(fact):
            # a second answer, or instruction
            self.repeated.append(fact)
            return (
                Reply(400, BODIES["error"]) if host == "victor" else Reply(409, BODIES["no reason"])
            )
        elif host == "velo" and (refusal := self._of_payout(request.method, path)) is not None:
            return refusal
        work = self.record(fact, flat(body), account, call)
        work.path = path
        work.reply = getattr(self, f"_{host}")(path, body, work)
        return work.reply

    def _of_payout(self, method: str, path: str) -> Reply | None:
        """Why a step of a payout is refused, if it is: the other one was taken."""
        status = self.payout_status(path.rpartition("/")[2], 0.0)
        open_to = {"ACCEPTED"}
        if method == "DELETE" and self.withdraws_instructed:
            open_to.add("INSTRUCTED")
        if status in open_to:
            return None
        return Reply(409 if method == "POST" else 400, BODIES["no reason"])

    def payout_status(self, id: str, lag: float) -> str:
        """The status of a payout, as it was so many seconds ago."""
        at = self.clock() - lag
        steps = {
            work.fact.partition(" ")[0]: work.at
            for work in (*self.others, *self.done)
            if work.id == id and work.at <= at
        }
        if "DELETE" in steps:
            return "WITHDRAWN"
        if "POST" not in steps:
            return "ACCEPTED"
        return "CONFIRMED" if at - steps["POST"] >= PAID_AFTER else "INSTRUCTED"

    # What each system answers when it is done

    def _victor(self, path: str, body: Any, work: Work) -> Reply:
        if _TO_RESPOND not in path:
            return said(200, self.shown(work, self.rules.detail))
        work.id = path.rpartition("/")[2]
        word = {"status": "Accepted" if body["status"] == "Accepted" else "Rejected"}
        answer = self.inbound[work.id]["answer"] = {
            "original_amount": self.inbound[work.id]["amount"],
            **body,
            **word,
        }
        return said(200, {"victor_payment_request_id": work.id, **answer})

    def _velo(self, path: str, _body: Any, work: Work) -> Reply:
        if path != "/v3/payouts":
            work.id = path.rpartition("/")[2]
        return Reply(
            202,
            b"",
            {"location": f"https://velo.test/v3/payouts/{work.id}"}
            if path == "/v3/payouts"
            else {},
        )

    def _eastpay(self, _path: str, body: Any, work: Work) -> Reply:
        repeated = {
            name: body[name]
            for name in ("paymentType", "amount", "currency", "merchantTransactionId")
        }
        repeated["timestamp"] = datetime.fromtimestamp(work.at, UTC).isoformat()
        return said(
            200,
            {
                "id": work.id,
                **repeated,
                "result": {"code": "000.000.000", "description": "Succeeded"},
            },
        )

    def _flexfactor(self, path: str, body: Any, work: Work) -> Reply:
        if path.endswith("cancel"):
            return Reply(200)
        order = {"/v1/evaluate": work.id, "/v1/capture": body.get("orderId")}.get(
            path
        ) or path.split("/")[3]
        return said(
            200,
            {
                "success": True,
                "status": "APPROVED" if order == work.id else "COMPLETED",
                "orderId": order,
            },
        )

    def _tiny(self, _path: str, _body: Any, work: Work) -> Reply:
        return Reply(202, b"", {"location": f"/v1/charges/{work.id}"})

    # Victor's records and lists

    def shown(self, work: Work, detail: str) -> dict[str, Any]:
        """A payment request as an answer has it."""
        nested: dict[str, dict[str, Any]] = {"payment_details": {}, "payee": {}, "payer": {}}
        for name, value in work.values.items():
            place, _, last = name.rpartition(".")
            nested.get(place, {})[last] = value
        shown: dict[str, Any] = {"victor_payment_request_id": work.id, "status": work.status}
        if detail != "terse":
            shown |= {
                "direction": "OUTBOUND",
                "payment_request": {"payment_details": nested["payment_details"]},
            }
        if detail == "full":
            inside = {**nested, "created_at": int(work.at * 1000)}
            shown |= {"client_reference_id": work.reference, "payment_request": inside}
        form: Any = self.rules.form
        return json.loads(normalize(form, json.dumps(shown, ensure_ascii=False))) if form else shown

    def foreign(self, request: httpx.Request, number: int) -> Reply | None:
        """The answer to another request, as a cache may give it; None where nothing in it would
        show that.
        """
        path, other = request.url.path, f"F{number:05}x7"
        if number == _TAKEN and request.method == "POST":
            return self._named_anew(request)
        if request.method == "GET" and path.endswith("/payment-requests"):
            return said(
                200, {"page": int(request.url.params.get("page", 0)) + 1 + number, "results": []}
            )
        if path.endswith(("/request-payment", "/v3/payments")):
            values = {"client_reference_id": "another", _PAYER: "c9", _DETAILS + "amount": "7.77"}
            body = {
                "merchantTransactionId": "another",
                "paymentType": "DB",
                "amount": "7.77",
                "currency": "EUR",
            }
            work = Work("another", values, other, "A", self.clock())
            return (
                self._eastpay("", body, work)
                if "/v3/" in path
                else said(200, self.shown(work, "full"))
            )
        answer = {"status": "Accepted", "original_amount": "7.77", "notes": "Thanks."}
        return (
            said(200, {"victor_payment_request_id": other, **answer})
            if _ONE_REQUEST.search(path)
            else None
        )

    def _named_anew(self, request: httpx.Request) -> Reply | None:
        """The answer to a request with the id of what another one of the same sender has made, as
        one who counts wrongly gives it: nothing else in it shows that.
        """
        path, host = request.url.path, request.url.host.partition(".")[0]
        taken = self.taken(path)
        if not taken:
            return None
        content = request.content
        is_form = request.headers.get("content-type", "").startswith("application/x-www-form")
        body: Any = dict(parse_qsl(content.decode())) if is_form else json.loads(content or b"{}")
        work = Work("another", flat(body), taken[-1], "A", self.clock())
        if host == "victor":
            return said(200, self.shown(work, "terse"))
        reply: Reply = getattr(self, f"_{host}")(path, body, work)
        return reply

    def _read(self, url: httpx.URL, last: str, account: str) -> Reply:
        works = [work for work in (*self.others, *self.done) if work.account == account]
        asked = url.params
        visible = [work for work in works if work not in self.hidden]
        if url.path.endswith("/payments") and url.host == "velo.test":
            return self._payments(url.path, visible)
        if url.host in ("eastpay.test", "flexfactor.test", "tiny.test"):
            return self._found(url, last, visible)
        if url.host == "velo.test":
            status = self.payout_status(last, self.lag)
            payments = [
                each
                for work in works
                if work.id == last
                for each in work.values.get("payments", ())
            ]
            rejected = [
                {**each, "currencyType": each["currency"]}
                for each in payments
                if each["remoteId"] == NOBODY
            ]
            return said(200, {"payoutId": last, "status": status, "rejectedPayments": rejected})
        if last in self.inbound:
            details = {"amount": self.inbound[last]["amount"], "amount_modification_allowed": True}
            whole = {
                "payment_details": details,
                "payment_request_response": self.inbound[last].get("answer", {}),
            }
            shown = {"victor_payment_request_id": last, "direction": "INBOUND", "status": "Pending"}
            return said(200, {**shown, "payment_request": whole})
        works = [work for work in works if _DETAILS + "amount" in work.values]
        if last != "payment-requests":
            one = next((self.shown(work, "full") for work in works if work.id == last), None)
            return (
                Reply(400, BODIES["error"])
                if one is None
                else said(200, {**one, "status": "Pending"})
            )
        if self.rules.order == "shuffled":
            Random(len(works) * (self.clock() % KEPT)).shuffle(works)
        first, end = (_moment(asked.get(f"{name}_datetime")) for name in ("start", "end"))
        works = works[::-1] if self.rules.order == "newest" else works
        works = [work for work in works if (first or 0) <= work.at <= (end or 1e18)]
        works = [work for work in works if asked.get("status", work.status) == work.status]
        page, size = int(asked.get("page", 0)), min(int(asked.get("page_size", 50)), 5)
        if page and page * size >= len(works) and self.rules.past_end == "400":
            return Reply(400, BODIES["past the end"])
        on_page = works[page * size :][:size]
        visible = [
            work for work in on_page if work in visible
        ] or on_page  # an empty page would be the last
        return said(200, {"page": page, "results": [self.shown(work, "full") for work in visible]})

    # What shows a write that other systems have made

    def _payments(self, path: str, works: list[Work]) -> Reply:
        """Velo's payments: all of them, or those of one payout."""
        listed = [
            {
                "paymentId": f"{work.id}-{number}",
                "payout": {"payoutId": work.id},
                "status": "ACCEPTED",
                **each,
                "submittedDateTime": datetime.fromtimestamp(work.at, UTC).isoformat(),
            }
            for work in works
            for number, each in enumerate(work.values.get("payments", ()))
            if each["remoteId"] != NOBODY
            and ("payouts" not in path or path.split("/")[3] == work.id)
        ]
        return said(200, {"page": {"page": 1, "totalPages": 1}, "links": [], "content": listed})

    def _found(self, url: httpx.URL, last: str, works: list[Work]) -> Reply:
        if url.path.startswith("/v1/orders/"):
            is_cancelled = any(
                each.values == {} or "idempotencyKey" in each.values
                for each in works
                if last in each.fact
            )
            return said(200, {"id": last, "status": 2 if is_cancelled else 5})
        return Reply(404, BODIES["no reason"])


def _moment(text: str | None) -> float | None:
    return None if text is None else datetime.fromisoformat(text).timestamp()
