"""What is read: filters and pages of the list, and response bodies in the format of the document.

With `quirks` the bodies have that of the provider's examples and guides. `settings.py` says what
the options choose.
"""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from operator import attrgetter, eq, ge, le
from typing import Any

from victor_ext.sandbox.engine import has_member
from victor_ext.sandbox.server import Clock
from victor_ext.sandbox.server.document import Operation, Problem
from victor_ext.sandbox.server.exchange import JsonObject, JsonValue
from victor_ext.sandbox.victor.lifecycle import read_date
from victor_ext.sandbox.victor.settings import SandboxSettings
from victor_ext.sandbox.victor.state import FIELDS, PaymentRequest, Store, Wrong, declared

Filters = dict[str, Any]
_ZULU = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2})(\.[0-9]{1,9})?Z\Z")
_TIMES = ("start_datetime", "end_datetime", "approval_start_datetime", "approval_end_datetime")
_PAGE_SIZE = 50  # the document's default
_DATES = ("due_date_start_date", "due_date_end_date")

_TESTS: dict[str, tuple[str, Callable[[Any, Any], bool]]] = {
    "victor_id": ("id", eq),
    "status": ("status", eq),
    "direction": ("direction", eq),
    "victor_payment_request_parent_id": ("parent_id", eq),
    "victor_payment_request_child_id": ("child_id", eq),
    "network_type": ("network", eq),
    "tracking_id": ("tracking_id", eq),
    "instant_payment_rails_id": ("rails_id", eq),
    "due_date_start_date": ("due_date", ge),
    "due_date_end_date": ("due_date", le),
    "approval_start_datetime": ("approved_at", ge),
    "approval_end_datetime": ("approved_at", le),
}
"""What each filter compares with an attribute of a request. Another one that the document declares
compares with the member of its own name, shown or kept.

A request without the value does not pass.
"""
_NO_TESTS = {"page", "page_size", "start_datetime", "end_datetime"}


def check_times(filters: Filters) -> list[Problem]:
    """Times that are not Zulu and dates that are not dates, which the document forbids in prose
    only.
    """
    time = "must be an ISO 8601 date and time in the Zulu zone, ending in Z"
    day = "must be an ISO 8601 date, YYYY-MM-DD"
    wrong = {name: time for name in _TIMES if name in filters and zulu(filters[name]) is None}
    wrong |= {name: day for name in _DATES if name in filters and read_date(filters[name]) is None}
    return [Problem((name,), "invalid", message, "pattern") for name, message in wrong.items()]


def zulu(text: str) -> float | None:
    """Epoch seconds of a Zulu time, or None when the text is not one."""
    match = _ZULU.match(text)
    if match is None:
        return None
    try:
        whole = datetime.fromisoformat(match[1]).replace(tzinfo=UTC).timestamp()
    except ValueError:
        return None
    return whole + float(match[2] or 0)


class Listing:
    """Pages of the store. A time range is bisected; other filters cost one scan for each page."""

    def __init__(self, settings: SandboxSettings, clock: Clock, store: Store) -> None:
        self._settings, self._clock, self._store = settings, clock, store

    def check(self, rules: Operation, filters: Filters) -> None:
        """Raise `Wrong` for a wrong query.

        Of a filter that is given twice, `filters` keeps the one that counts.
        """
        for name in filters if self._settings.repeated_filter != "refuse" else ():
            if rules.query.members.get(name, {}).get("type") == "array":
                continue
            while isinstance(filters[name], list):
                filters[name] = filters[name][
                    0 if self._settings.repeated_filter == "first" else -1
                ]
        problems = rules.query.problems(filters) or check_times(filters)
        if self._settings.unknown_filter == "refuse":
            problems += [
                Problem((name,), "invalid", "is not a filter")
                for name in filters
                if name not in rules.query.members
            ]
        is_large = not problems and filters.get("page_size", 0) > self._settings.max_page_size
        if is_large and self._settings.large_page == "refuse":
            problems.append(Problem(("page_size",), "invalid", "is too large", "maximum"))
        if problems:
            raise Wrong(problems)

    def page(
        self, rules: Operation, filters: Filters, members: Callable[[PaymentRequest], JsonObject]
    ) -> tuple[int, int, list[PaymentRequest]]:
        """The number and the size of the page, and its requests; `Wrong` if one after the last one
        is refused. `members` are those that a filter may name.
        """
        first = int(self._settings.first_page)
        number: int = filters.get("page", first)
        size: int = min(filters.get("page_size", _PAGE_SIZE), self._settings.max_page_size)
        low, high = self._range(filters)
        names = filters.keys() & rules.query.members.keys() - _NO_TESTS
        tests = {name: filters[name] for name in names}
        if tests:
            matches, requests = _predicate(tests, members), self._store.requests
            ids = [
                request_id
                for request_id in self._store.order[low:high]
                if matches(requests[request_id])
            ]
            low, high = 0, len(ids)
        else:
            ids = self._store.order
        index, last = max(0, number - first), max(0, high - low - 1) // size
        if index > last and self._settings.page_beyond != "empty":
            if self._settings.page_beyond != "last":
                problem = Problem(("page",), "invalid", "There is no such page.", "maximum")
                raise Wrong([problem], self._settings.page_beyond)
            index, number = last, last + first
        number = max(number, first)
        begin = index * size
        if self._settings.order == "newest":
            ids = ids[max(low, high - begin - size) : max(low, high - begin)][::-1]
        else:
            ids = ids[min(high, low + begin) : min(high, low + begin + size)]
        return number, size, [self._store.requests[request_id] for request_id in ids]

    def _range(self, filters: Filters) -> tuple[int, int]:
        created = self._store.created
        start = zulu(filters["start_datetime"]) if "start_datetime" in filters else None
        end = zulu(filters["end_datetime"]) if "end_datetime" in filters else None
        ends = self._settings.window_ends
        low = (
            0
            if start is None
            else (bisect_left if ends in ("both", "start") else bisect_right)(created, start)
        )
        high = (
            len(created)
            if end is None
            else (bisect_right if ends in ("both", "end") else bisect_left)(created, end)
        )
        if self._settings.list_lag:
            high = min(high, bisect_right(created, self._clock.now() - self._settings.list_lag))
        return low, max(low, high)


def _predicate(
    tests: Filters, members: Callable[[PaymentRequest], JsonObject]
) -> Callable[[PaymentRequest], bool]:
    checks: list[tuple[Callable[[PaymentRequest], Any], Callable[[Any, Any], bool], Any]] = []
    for name, value in tests.items():
        if name not in _TESTS:
            checks.append((members, partial(has_member, name), value))
            continue
        field, compare = _TESTS[name]
        checks.append((attrgetter(field), compare, zulu(value) if name in _TIMES else value))
    return lambda request: all(
        (value := read(request)) is not None and compare(value, wanted)
        for read, compare, wanted in checks
    )


class Formats:
    def __init__(self, settings: SandboxSettings) -> None:
        if settings.quirks:
            settings = replace(settings, directions="upper", times="milliseconds", nulls=True)
        self._settings, self._nulls = settings, settings.nulls
        formats = settings.directions, settings.error_shape, settings.status_words
        self.conforms = not settings.nulls and set(formats) == {"documented"}
        """Whether every body is as the document says."""

    def as_created(self, request: PaymentRequest) -> JsonObject:
        """The answer to a create: always the same, whatever happened to the request since."""
        amount = request.original_amount or request.amount
        unset: dict[str, Any] = dict.fromkeys(
            ("original_amount", "approval_notes", "approved_at", "error_message")
        )
        return self.receipt(replace(request, status="created", amount=amount, **unset))

    def receipt(self, request: PaymentRequest, operation: str = "create") -> JsonObject:
        """`PaymentRequestReceipt`: an item of a list, and the answer to a create."""
        payer = (
            {"victor_counterparty_id": request.counterparty_id} if request.counterparty_id else None
        )
        made = self._object(
            **self._head(request),
            status=self._word(request.status),
            payment_network=request.network,
            victor_payment_request_parent_id=request.parent_id,
            victor_payment_request_child_id=request.child_id,
            payment_request=self._object(
                payee=self._payee(request),
                payer=payer,
                payment_details=self._details(request),
                approved_at=self._time(request.approved_at),
                created_at=self._time(request.created_at),
            ),
        )
        return _with_others(operation, request, made)

    def members(self, request: PaymentRequest) -> JsonObject:
        """What is shown of a request in a list, and what is kept beside its fields."""
        return {**self.receipt(request, "list"), "kept": request.others}

    def detail(self, request: PaymentRequest) -> JsonObject:
        """`GetPaymentRequestResponse`: the payer is an account or a counterparty, and there are no
        times.
        """
        response = self.answer(request) if request.answer else {}
        inner = self._object(
            payee=self._payee(request),
            payer=self._payer(request),
            payment_details=self._details(request),
            payment_request_response=None if request.direction == "outbound" else response,
        )
        # "Pending confirms the successful submission to the RTP network", says the document of this
        # operation.
        status = "Error" if request.status == "failed" else "Pending"
        if self._settings.get_status == "listed":
            status = self._word(request.status)
        made = self._object(**self._head(request), status=status, payment_request=inner)
        return _with_others("get", request, made)

    def _word(self, status: str) -> str:
        words = self._settings.status_words
        if words == "documented":
            return status
        return (
            status.replace("-", " ").title()
            if words == "title"
            else status.replace("-", "_").upper()
        )

    def _head(self, request: PaymentRequest) -> JsonObject:
        return {
            "victor_payment_request_id": request.id,
            "client_reference_id": request.client_reference_id,
            "error_message": request.error_message,
            "direction": request.direction.upper()
            if self._settings.directions == "upper"
            else request.direction,
        }

    def page(self, number: int, size: int, requests: list[PaymentRequest]) -> JsonObject:
        results = [self.receipt(request, "list") for request in requests]
        return {
            "page": number,
            "page_size": 25 if self._settings.quirks else size,
            "results": results,
        }

    def answer(self, request: PaymentRequest) -> JsonObject:
        """`RfpInboundPaymentRequestResponseDetails`: the answer to an inbound request."""
        return self._object(
            victor_payment_request_id=request.id,
            status=request.answer,
            original_amount=request.original_amount,
            modified_amount=request.modified_amount,
            notes=request.approval_notes,
        )

    def error(self, operation: str, problems: list[Problem]) -> JsonObject:
        """The body for what is wrong with a request, in the shape for its operation."""
        shape = self._settings.error_shape
        if shape == "plain":
            return {
                "error": problems[0].kind,
                "message": f"{'.'.join(problems[0].path)}: {problems[0].message}",
            }
        if shape == "api" or (shape == "documented" and operation == "create"):
            return self._api_error(problems[0])
        # `ValidationErrors`: all errors, as Spring's BindingResult prints them.
        name = {"empty": False, "lastElementIndexed": False, "numberOfElements": 1}
        errors = [self._object_error(_TARGETS.get(operation, ""), problem) for problem in problems]
        return {"name": name, "boundProperties": [], "allErrors": errors}

    def _api_error(self, problem: Problem) -> JsonObject:
        """`ApiErrorResponse`: one error, named by a key and a field in camel case."""
        field = ".".join(camel(step) for step in problem.path)
        name = camel(problem.path[-1]) if problem.path else "request"
        # 101 is the only published number of the provider's list: here it stands for every invalid
        # field.
        error = {
            "code": self._settings.error_code,
            "message": f"error.{name}.{problem.kind}",
            "field": field,
        }
        # The document declares `data` as an object and shows a null.
        return (
            {"status": 0, "data": None, "error": error}
            if self._nulls
            else {"status": 0, "error": error}
        )

    def _object_error(self, target: str, problem: Problem) -> JsonObject:
        field = ".".join(camel(step) for step in problem.path)
        code = _SPRING.get(problem.rule) or _SPRING.get(problem.kind, "Invalid")
        place = f"{target}.{field}" if field else target
        spring: JsonObject = {
            "field": field or None,
            "rejectedValue": None,
            "bindingFailure": False,
        }
        return {
            "objectName": target,
            "code": code,
            "codes": [f"{code}.{place}", *([f"{code}.{field}"] if field else []), code],
            "arguments": [{"codes": [place, field], "defaultMessage": field, "code": field}]
            if field
            else [],
            "defaultMessage": problem.message,
            **(spring if self._settings.quirks else {}),
        }

    def _payee(self, request: PaymentRequest) -> JsonObject:
        return self._object(
            account_number=request.payee_account, ultimate_creditor=request.ultimate_creditor
        )

    def _payer(self, request: PaymentRequest) -> JsonObject:
        if request.direction == "outbound":
            return {"victor_counterparty_id": request.counterparty_id}
        return self._object(
            account_number=request.payer_account,
            routing_number=request.payer_routing,
            name=request.payer_name,
        )

    def _details(self, request: PaymentRequest) -> JsonObject:
        names = (*FIELDS["payment_details"], "original_amount", "approval_notes")
        details = {name: getattr(request, name) for name in names}
        if self._settings.accepted_amount == "requested":
            details["amount"] = request.original_amount or request.amount
        return self._object(**details)

    def _time(self, seconds: float | None) -> float | int | None:
        if seconds is None:
            return None
        return (
            round(seconds * 1000) if self._settings.times == "milliseconds" else round(seconds, 3)
        )

    def _object(self, **members: JsonValue) -> JsonObject:
        """A JSON object; without nulls, members that are None are left out."""
        return (
            members
            if self._nulls
            else {name: value for name, value in members.items() if value is not None}
        )


def _with_others(operation: str, request: PaymentRequest, made: JsonObject) -> JsonObject:
    """A response with what is kept of the request beside its fields, where the document declares
    it. Of a list, `made` is an item.
    """
    if request.others is None:
        return made
    said: JsonObject = {**request.others, "payment_request": request.others}
    schema = declared(operation).responses[200]
    if operation == "list":
        return _joined(made, schema.declared({"results": [said]})["results"][0])
    return _joined(made, schema.declared(said))


def _joined(made: JsonObject, others: JsonObject) -> JsonObject:
    """What was made, and the others that it has no member of the same name for."""
    joined = {**others, **made}
    for name in made.keys() & others.keys():
        if isinstance(made[name], dict) and isinstance(others[name], dict):
            joined[name] = _joined(made[name], others[name])
    return joined


_TARGETS = {
    "list": "listPaymentRequests",
    "get": "victorPaymentRequestId",
    "create": "newRtpRfpPaymentRequest",
    "respond": "rfpInboundPaymentRequestResponseRequestDetails",
}
"""What Spring calls the input of an operation."""
_SPRING = {
    "pattern": "Pattern",
    "minLength": "Size",
    "maxLength": "Size",
    "minimum": "Min",
    "maximum": "Max",
    "type": "typeMismatch",
    "blank": "NotBlank",
    "size": "Size",
}


def camel(name: str) -> str:
    """A field name in camel case, as in the provider's errors."""
    head, *rest = name.split("_")
    return head + "".join(part.capitalize() for part in rest)
