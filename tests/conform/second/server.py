"""A provider of another hand than the sandbox and the strict one: it forgives nothing, and knows
of each assumption what is true of it.
"""

from __future__ import annotations

import base64
import json
import random
import re
import threading
import time
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from email.utils import formatdate

import httpx

from tests.conform.second import people
from tests.conform.second.manners import Manners
from tests.conform.second.requests import (
    PENDING,
    STATUSES,
    Kept,
    Writer,
    an_id,
    kept_time,
    of_others,
)

FILTERS = {
    *("page", "page_size", "victor_id", "start_datetime", "end_datetime", "status", "direction"),
    *("due_date_start_date", "due_date_end_date", "approval_start_datetime"),
    *("approval_end_datetime", "victor_payment_request_parent_id"),
    *("victor_payment_request_child_id", "network_type", "tracking_id"),
    "instant_payment_rails_id",
}
CREATE = "/v2/payment-requests/request-payment"
LIST = "/v2/payment-requests"
RESPOND = "/v2/payment-requests/respond-to-request/"
ZULU = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", re.ASCII)
NOT_IN = {
    "any": r"(?!)",
    "latin-1": r"[^\x00-\xff]",
    "ascii": r"[^\x00-\x7f]",
    "basic": r"[^A-Za-z0-9. ]",
}
EARLY_AND_LATE = {"0": (0, 0), "10": (10, 10), "60": (60, 60), "late only": (0, 10)}
"""By how many seconds a token may be too early, and too late."""
TRANSLATED = {"é": "e", "ü": "ue", "ß": "ss", "€": "EUR", "'": "`", "&": "and"}


class Refused(Exception):
    """Ends a call with an error of the provider."""

    def __init__(self, status: str, field: str, message: str = "invalid") -> None:
        super().__init__(status, field, message)
        self.status = int(status)
        self.field = field
        self.message = message


class Connection:
    """What is known of the connection of an answer."""

    def __init__(self, port: int) -> None:
        self.port = port

    def get_extra_info(self, name: str) -> object:
        return ("192.0.2.1", self.port) if name == "client_addr" else None


class Provider:
    """The second provider."""

    def __init__(self, manners: Manners, seed: int, *, payer: str, payee: str) -> None:
        self.manners = manners
        self.choices = random.Random(f"answers {seed}")
        self.payer = payer
        self.payee = payee
        self.skipped = 0.0
        self.writer = Writer(manners, self.choices)
        count = int(manners["count"])
        self.kept = of_others(count, time.time(), self.choices)
        for each in self.kept:
            each.created = kept_time(manners, each.created)
        self.keys: dict[str, Used] = {}
        self.connections = 0
        self.lock = threading.RLock()

    def now(self) -> float:
        """By the clock of its business, which goes on while somebody waits; that of its tokens and
        its answers does not.
        """
        return time.time() + self.skipped

    def skip(self, seconds: float) -> None:
        self.skipped += seconds

    def made(self) -> list[Kept]:
        """What this caller made, without twins."""
        return [each for each in self.kept if not each.is_theirs and each.direction == "outbound"]

    def answer(self, request: httpx.Request) -> httpx.Response:
        """The answer to a call, whatever it is."""
        try:
            status, body = 200, self._answered(request)
        except Refused as refused:
            status, body = refused.status, self._error(request, refused)
        return self._response(status, body)

    def _response(self, status: int, body: object) -> httpx.Response:
        headers = {"content-type": "application/json", "server": people.NAMES[0]}
        headers |= {"x-request-id": an_id(self.choices), "set-cookie": f"who={people.MAIL}"}
        has_date = self.manners["date-header"]
        if has_date == "true" or (has_date == "some" and self.choices.random() < 0.5):
            skew = float(self.manners["clock-skew"])
            headers["date"] = formatdate(time.time() + skew, usegmt=True)
        if self.manners["keep-alive"] == "closed":
            headers["connection"] = "close"
        if isinstance(body, bytes):
            headers["content-type"] = "text/html"
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        extensions = {
            "http_version": self.manners["http-version"].encode(),
            "network_stream": self._connection(),
        }
        return httpx.Response(status, content=content, headers=headers, extensions=extensions)

    def _connection(self) -> Connection:
        """The connection of an answer: always the same, or always another one."""
        is_kept = self.manners["keep-alive"] == "kept"
        self.connections += not is_kept
        return Connection(50_000 + self.connections)

    def _answered(self, request: httpx.Request) -> object:
        self._check_token(request)
        path = request.url.path
        if request.method == "POST" and path == CREATE:
            return Creates(self).answered(request)
        with self.lock:
            self._move()
            if request.method == "POST" and path.startswith(RESPOND):
                return self._respond(path.removeprefix(RESPOND), _body_of(request))
            if request.method == "GET" and path == LIST:
                return Lists(self).answered(request)
            if request.method == "GET" and path.startswith(LIST + "/"):
                return self._get(path.removeprefix(LIST + "/"))
        raise Refused("405", "method")

    # Tokens

    def _check_token(self, request: httpx.Request) -> None:
        if self.manners["refused-token"] == "200" and "authorization" not in request.headers:
            return
        if not self._is_good(request.headers.get("authorization", "")):
            raise Refused(self.manners["refused-token"].replace("200", "401"), "token")

    def _is_good(self, authorization: str) -> bool:
        scheme, _, token = authorization.partition(" ")
        parts = token.split(".")
        if scheme != "Token" or len(parts) != 3:
            return False
        claims = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
        begins, ends = claims["iat"], claims["exp"]
        now = time.time() + float(self.manners["clock-skew"])
        early, late = EARLY_AND_LATE[self.manners["leeway"]]
        is_short = ends - begins <= float(self.manners["token-limit"])
        # A client knows the time by the second: one more on each side is no tolerance.
        return bool(is_short and begins - early - 1 <= now <= ends + late + 1)

    # Errors

    def _error(self, request: httpx.Request, refused: Refused) -> object:
        proxied = self._of_proxy(refused)
        if proxied is not None:
            return proxied
        if refused.field == "token" and self.manners["token-body"] != "shape":
            is_html = self.manners["token-body"] == "html"
            return _page("401") if is_html else {"error": "unauthorized"}
        shape = self.manners["error-shape"]
        is_create = request.url.path == CREATE
        if shape == "documented":
            shape = "api" if is_create else "validation"
        if shape == "mixed":
            shape = "api" if is_create else "other"
        return self._in_shape(shape, refused)

    def _of_proxy(self, refused: Refused) -> object:
        kind, _, what = self.manners["proxy"].partition(" ")
        if kind == "none" or refused.message != what:
            return None
        refused.status = {"html unknown-payer": 406}.get(self.manners["proxy"], refused.status)
        return _page("no") if kind == "html" else {"message": "Bad Request", "proxy": "gate-7"}

    def _in_shape(self, shape: str, refused: Refused) -> object:
        person = people.sentence(self.choices)
        if shape == "plain":
            return {"error": f"{refused.field}: {person}"}
        if shape == "other":
            return {"problem": {"title": refused.field, "detail": person}, "at": "gate 7"}
        message = f"error.{refused.field}.{refused.message.replace('-', '')}"
        if shape == "validation":
            error = {"objectName": "filter", "code": "typeMismatch", "defaultMessage": person}
            error |= {"codes": ["typeMismatch", message], "arguments": [{"value": person}]}
            return {"name": {"empty": False}, "boundProperties": [], "allErrors": [error]}
        inner = {"message": message, "field": refused.field, "code": self._code_of(refused)}
        return {"status": 0, "data": None, "error": inner}

    def _code_of(self, refused: Refused) -> object:
        code = self.manners["error-code"]
        if code == "account":
            return int(people.ACCOUNTS[0])
        if code == "by field":
            return 100 + len(refused.field)
        return int(code) if code.isdigit() else code

    # One request

    def _get(self, id: str) -> object:
        found = self.known(id)
        if found:
            return self.writer.single(found)
        status = self.manners["unknown-id"]
        if status != "200":
            raise Refused(status, "id", "unknown-id")
        form = self.manners["unknown-body"]
        if form == "another" and self.kept:
            return self.writer.single(self.kept[0])
        return None if form == "null" else {}

    def known(self, id: str) -> Kept | None:
        lag = float(self.manners["get-lag"])
        for each in self.kept:
            if each.id == id and (each.is_theirs or each.created + lag <= self.now()):
                return each
        return None

    def _move(self) -> None:
        after = float(self.manners["moves"])
        for each in self.kept:
            is_due = each.created + after <= self.now()
            if is_due and not each.is_theirs and each.status == "created":
                each.status = "pending"

    def _respond(self, id: str, body: dict[str, object]) -> object:
        kept = self.known(id)
        refusal = self.manners["invalid-status"].replace("accepted", "400")
        if not kept:
            raise Refused(self.manners["unknown-id"].replace("200", "400"), "id")
        if kept.direction != "inbound" or body.get("status") not in ("Accepted", "Declined"):
            raise Refused(refusal, "status")
        notes = body.get("notes")
        if not isinstance(notes, str) or not 1 <= len(notes) <= 150:
            raise Refused(refusal, "notes")
        if kept.answer is not None or kept.status not in PENDING:
            return self._answered_again(kept, body, refusal)
        return self._take_answer(kept, body, refusal)

    def _answered_again(self, kept: Kept, body: dict[str, object], refusal: str) -> object:
        same = kept.answer and kept.answer["given"] == body
        if self.manners["second-answer"] == "replay" and same:
            return self._response_of(kept)
        raise Refused(refusal, "status", "answered")

    def _take_answer(self, kept: Kept, body: dict[str, object], refusal: str) -> object:
        word = "Accepted" if body["status"] == "Accepted" else "Rejected"
        answer: dict[str, object] = {"status": word, "notes": body["notes"], "given": body}
        answer["original_amount"] = kept.amount
        status = "accepted" if word == "Accepted" else "declined"
        twins = [each for each in self.kept if kept.parent and each.id == kept.parent]
        if "modified_amount" in body:
            amount = _amount(body["modified_amount"], refusal)
            if word != "Accepted" or (amount != kept.amount and not kept.may_change):
                raise Refused(refusal, "modifiedAmount")
            answer["modified_amount"] = amount
            for each in (kept, *twins):
                each.original = each.amount
                if self.manners["accepted-amount"] == "modified":
                    each.amount = amount
        kept.answer = answer
        for each in (kept, *twins):
            each.status = status
        return self._response_of(kept)

    def _response_of(self, kept: Kept) -> dict[str, object]:
        return {
            name: value for name, value in self.writer.response(kept).items() if name != "given"
        }


class Used:
    """A key that was used: when, with which body, and what it was answered."""

    def __init__(self, at: float, body: dict[str, object]) -> None:
        self.at = at
        self.body = body
        self.kept: Kept | None = None
        self.answer: object = None
        self.refused: Refused | None = None


class Creates:
    """What a create is answered."""

    def __init__(self, provider: Provider) -> None:
        self.provider = provider
        self.manners = provider.manners
        given = self.manners["create-refusal"]
        lists = self.manners["invalid-status"].replace("accepted", "400")
        self.refusal = lists if given == "as lists" else given

    def answered(self, request: httpx.Request) -> object:
        key = request.headers.get("idempotency-key")
        body = _body_of(request)
        self._check_key(key)
        if key is None:
            with self.provider.lock:
                return self.provider.writer.made(self._make(body))
        with self.provider.lock:
            self.provider._move()
            used = self._used(key)
            if used is not None:
                return self._again(key, used, body)
            if self.manners["two-at-once"] == "one":
                return self._first(key, body)
        time.sleep(0.05)  # the gap between looking for the key and keeping it
        with self.provider.lock:
            return self._first(key, body)

    def _check_key(self, key: str | None) -> None:
        if key is None:
            if self.manners["require-key"] == "true":
                raise Refused(self.refusal, "key", "required")
            return
        if len(key) < int(self.manners["key-shortest"]):
            raise Refused(self.refusal, "key", "key-shortest")
        longest = int(self.manners["key-longest"])
        if len(key) > longest:
            raise Refused(self.refusal, "key", "key-longest")

    def _used(self, key: str) -> Used | None:
        used = self.provider.keys.get(key)
        life = self.manners["key-life"]
        if used and life.isdigit() and self.provider.now() - used.at > float(life):
            del self.provider.keys[key]
            return None
        return used if self.manners["key-repeat"] != "new" else None

    def _first(self, key: str, body: dict[str, object]) -> object:
        used = Used(self.provider.now(), body)
        try:
            used.kept = self._make(body)
        except Refused as refused:
            used.refused = refused
            if self.manners["refused-key"] == "bound":
                self.provider.keys[key] = used
            raise
        used.answer = self.provider.writer.made(used.kept)
        self.provider.keys[key] = used
        return used.answer

    def _again(self, key: str, used: Used, body: dict[str, object]) -> object:
        is_busy = self.provider.now() - used.at < float(self.manners["key-in-progress"])
        if is_busy and not used.refused:
            raise Refused("409", "key", "in-progress")
        manner = self.manners["key-repeat" if used.body == body else "key-conflict"]
        if used.body == body and used.refused:
            raise used.refused
        if manner == "new":
            return self.provider.writer.made(self._make(body))
        if manner.isdigit():
            raise Refused(manner, "key", "key-conflict" if used.body != body else "key-repeat")
        if used.refused:
            raise used.refused
        assert used.kept
        return used.answer if manner == "replay" else self.provider.writer.made(used.kept)

    def _make(self, body: dict[str, object]) -> Kept:
        payee, payer = _object(body, "payee"), _object(body, "payer")
        details = _object(body, "payment_details")
        amount = _amount(details.get("amount"), self.refusal)
        if payee.get("account_number") != self.provider.payee:
            raise Refused(self.refusal, "payee.accountNumber")
        if not isinstance(payer.get("victor_counterparty_id"), str):
            raise Refused(self.refusal, "payer.victorCounterpartyId")
        is_known = payer["victor_counterparty_id"] == self.provider.payer
        if not is_known and self.manners["unknown-payer"] == "refused":
            raise Refused(self.refusal, "payer.victorCounterpartyId", "unknown-payer")
        if details.get("biller_type") not in ("BUSINESS", "CONSUMER"):
            raise Refused(self.refusal, "paymentDetails.billerType")
        self._check_date(details.get("due_date"))
        notes = self._text(details.get("notes"), "notes")
        reference = self._text(body.get("client_reference_id"), "reference")
        kept = self._keep(amount, str(payer["victor_counterparty_id"]), notes, reference)
        kept.may_change = details.get("amount_modification_allowed") is True
        kept.due_date = str(details["due_date"])
        if is_known and self.manners["twins"] == "true":
            self._keep_twin(kept)
        return kept

    def _check_date(self, date: object) -> None:
        if not isinstance(date, str) or not re.fullmatch(r"\d{4}-\d\d-\d\d", date, re.ASCII):
            raise Refused(self.refusal, "paymentDetails.dueDate")
        today = datetime.fromtimestamp(self.provider.now(), UTC).date()
        latest = (today + timedelta(days=1)).isoformat()
        earliest = (today - timedelta(days=2)).isoformat()  # a key may be kept for a day
        if not earliest <= date <= latest:
            raise Refused(self.refusal, "paymentDetails.dueDate")

    def _keep(self, amount: Decimal, payer: str, notes: str | None, reference: str | None) -> Kept:
        provider = self.provider
        kept = Kept(
            id=an_id(provider.choices),
            direction="outbound",
            created=kept_time(self.manners, provider.now()),
            amount=amount,
            status="created",
            payer=payer,
            payee=provider.payee,
            reference=reference,
            notes=notes,
            number=len(provider.kept),
        )
        provider.kept.append(kept)
        return kept

    def _keep_twin(self, kept: Kept) -> None:
        twin = Kept(**(vars(kept) | {"id": an_id(self.provider.choices), "direction": "inbound"}))
        twin.status = "pending"
        twin.parent = kept.id
        kept.child = twin.id
        self.provider.kept.append(twin)

    def _text(self, text: object, member: str) -> str | None:
        """What is kept of notes, or of a reference."""
        if text is None:
            return None
        if not isinstance(text, str):
            raise Refused(self.refusal, member)
        unknown = NOT_IN[self.manners[f"{member}-characters"]]
        other = self.manners["other-characters"]
        if other == "refuse" and re.search(unknown, text):
            raise Refused(self.refusal, member, "other-characters")
        with_others = {"replace": "?"}.get(other, "")
        if other == "translate":
            text = re.sub(unknown, lambda found: TRANSLATED.get(found[0], ""), text)
        text = re.sub(unknown, with_others, text)
        if self.manners["trim-texts"] == "true":
            text = text.strip()
        limit = int(self.manners[f"{member}-limit"])
        if len(text) > limit and self.manners["long-texts"] == "refuse":
            raise Refused(self.refusal, member, "long-texts")
        return text[:limit]


class Lists:
    """What a list is answered."""

    def __init__(self, provider: Provider) -> None:
        self.provider = provider
        self.manners = provider.manners
        self.invalid = self.manners["invalid-status"].replace("accepted", "400")

    def answered(self, request: httpx.Request) -> object:
        given: dict[str, list[str]] = {}
        for name, value in request.url.params.multi_items():
            given.setdefault(name, []).append(value)
        first = int(self.manners["first-page"])
        page = self._number(given.pop("page", []), "page", first)
        maximum = self.manners["max-page-size"]
        usual = min(50, int(maximum)) if maximum.isdigit() else 50
        size = self._number(given.pop("page_size", []), "page_size", usual)
        size = self._checked_size(size, usual)
        found = self._sorted(self._matching(given))
        asked = size
        if maximum != "unlimited" and size > int(maximum):
            if self.manners["large-page"] == "refuse":
                raise Refused(self.invalid, "page_size", "large-page")
            size = int(maximum)
        results = self._page(found, page, size)
        echoes = {"used": size, "asked": asked, "25": 25}
        written: dict[str, object] = {"page": page, "results": list(map(self._listed, results))}
        if self.manners["echo"] in echoes:
            written["page_size"] = echoes[self.manners["echo"]]
        return written

    def _listed(self, kept: Kept) -> object:
        return self.provider.writer.listed(kept)

    def _number(self, values: list[str], name: str, default: int) -> int:
        if not values:
            return default
        if len(values) > 1 and self.manners["repeated-filter"] == "refuse":
            raise Refused(self.invalid, name, "repeated-filter")
        if not re.fullmatch(r"[0-9]{1,9}", values[0]):
            raise Refused(self.invalid, name)
        return int(values[0])

    def _checked_size(self, size: int, usual: int) -> int:
        if size == 0:
            if self.manners["invalid-status"] != "accepted":
                raise Refused(self.invalid, "page_size", "invalid-status")
            return usual
        return size

    def _page(self, found: list[Kept], page: int, size: int) -> list[Kept]:
        first = int(self.manners["first-page"])
        if page < first:
            if self.manners["zero-page"] == "refuse":
                raise Refused(self.invalid, "page")
            if self.manners["zero-page"] == "empty":
                return []
        index = max(page - first, 0)
        last = max((len(found) - 1) // size, 0)
        if index > last:
            beyond = self.manners["page-beyond"]
            if beyond.isdigit():
                raise Refused(beyond, "page", "page-beyond")
            if beyond == "empty":
                return []
            index = last if beyond == "last" else 0
        return found[index * size : (index + 1) * size]

    def _sorted(self, found: list[Kept]) -> list[Kept]:
        order = self.manners["order"]
        if order == "shuffled":
            return self.provider.choices.sample(found, len(found))
        keys = {
            "newest": lambda kept: -kept.created,
            "oldest": lambda kept: kept.created,
            "amount": lambda kept: kept.amount,
            "random": lambda kept: random.Random(kept.id).random(),
        }
        return sorted(found, key=keys[order])

    def _matching(self, given: dict[str, list[str]]) -> list[Kept]:
        unknown = given.keys() - FILTERS
        if unknown and self.manners["unknown-filter"] == "refuse":
            raise Refused(self.invalid, min(unknown), "unknown-filter")
        if unknown and self.manners["unknown-filter"] == "empty":
            return []
        found = self._visible()
        for name in given.keys() & FILTERS:
            found = self._filtered(found, name, given[name])
        return found

    def _visible(self) -> list[Kept]:
        lag = self.manners["list-lag"]
        now = self.provider.now()
        if lag == "never":
            return [each for each in self.provider.kept if each.is_theirs]
        return [
            each
            for each in self.provider.kept
            if each.is_theirs or each.created + float(lag) <= now
        ]

    def _filtered(self, found: list[Kept], name: str, values: list[str]) -> list[Kept]:
        matches = [self._matches(name, value) for value in values]
        manner = self.manners["repeated-filter"]
        if len(values) > 1:
            if manner == "refuse":
                raise Refused(self.invalid, name, "repeated-filter")
            if manner in ("first", "last"):
                matches = [matches[0 if manner == "first" else -1]]
        join = any if manner == "union" else all
        return [each for each in found if join(match(each) for match in matches)]

    def _matches(self, name: str, value: str):
        ignored = self.manners["ignores"]
        if name == ignored or (ignored == "window" and name in ("start_datetime", "end_datetime")):
            return lambda kept: True
        if name.endswith("_datetime"):
            return self._in_window(name, value)
        if name.endswith("_date"):
            return lambda kept: (
                kept.due_date >= value if "start" in name else kept.due_date <= value
            )
        allowed = {"status": STATUSES, "direction": ("inbound", "outbound")}
        allowed["network_type"] = ("FedNow", "RTP")
        if name in allowed and value not in allowed[name]:
            raise Refused(self.invalid, name)
        return lambda kept: _value_of(kept, name) == value

    def _in_window(self, name: str, value: str):
        fraction = re.search(r"\.(\d+)", value)
        digits = len(fraction[1]) if fraction else 0
        is_short = self.manners["window-format"] == "milliseconds"
        if not ZULU.fullmatch(value) or (is_short and digits > 3):
            raise Refused(self.invalid, name)
        end = datetime.fromisoformat(value).timestamp()
        if name.startswith("approval"):
            return lambda kept: kept.answer is not None
        ends = self.manners["window-ends"]
        if name == "start_datetime":
            belongs = ends in ("both", "start")
            return lambda kept: kept.created > end or (belongs and kept.created == end)
        belongs = ends in ("both", "end")
        return lambda kept: kept.created < end or (belongs and kept.created == end)


def _value_of(kept: Kept, name: str) -> object:
    values = {
        "victor_id": kept.id,
        "status": kept.status,
        "direction": kept.direction,
        "victor_payment_request_parent_id": kept.parent,
        "victor_payment_request_child_id": kept.child,
        "network_type": "RTP",
    }
    return values.get(name)


def _body_of(request: httpx.Request) -> dict[str, object]:
    try:
        body = json.loads(request.content)
    except ValueError:
        raise Refused("400", "body") from None
    if not isinstance(body, dict):
        raise Refused("400", "body")
    return body


def _object(body: dict[str, object], name: str) -> dict[str, object]:
    value = body.get(name)
    if not isinstance(value, dict):
        raise Refused("400", name)
    return value


def _amount(value: object, refusal: str) -> Decimal:
    if not isinstance(value, str) or not re.fullmatch(r"[0-9]+(\.[0-9]{1,2})?", value):
        raise Refused(refusal, "paymentDetails.amount", "invalid")
    return Decimal(value)


def _page(title: str) -> bytes:
    return (
        f"<html><title>{title}</title><p>Call {people.NAMES[0]}, {people.PHONE}</p></html>".encode()
    )
