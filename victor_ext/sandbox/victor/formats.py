"""Response bodies in the format of the document, or with `quirks` in that of the provider's examples and guides.

These differ: directions in upper case, `null` where an object is declared, times as epoch milliseconds, and a page size
of 25 for every page. `settings.py` says what `get_status` and `accepted_amount` choose.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from victor_ext.sandbox.server.exchange import JsonObject, JsonValue
from victor_ext.sandbox.victor.document import Problem
from victor_ext.sandbox.victor.model import PaymentRequest
from victor_ext.sandbox.victor.settings import SandboxSettings


class Formats:
    def __init__(self, settings: SandboxSettings) -> None:
        self._settings, self._quirks = settings, settings.quirks

    def as_created(self, request: PaymentRequest) -> JsonObject:
        """The answer to a create: always the same, whatever happened to the request since."""
        amount = request.original_amount or request.amount
        unset: dict[str, Any] = dict.fromkeys(("original_amount", "approval_notes", "approved_at", "error_message"))
        return self.receipt(replace(request, status="created", amount=amount, **unset))

    def receipt(self, request: PaymentRequest) -> JsonObject:
        """`PaymentRequestReceipt`: an item of a list, and the answer to a create."""
        payer = {"victor_counterparty_id": request.counterparty_id} if request.counterparty_id else None
        return self._object(
            **self._head(request),
            status=request.status,
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

    def detail(self, request: PaymentRequest) -> JsonObject:
        """`GetPaymentRequestResponse`: the payer is an account or a counterparty, and there are no times."""
        response = self.answer(request) if request.answer else {}
        inner = self._object(
            payee=self._payee(request),
            payer=self._payer(request),
            payment_details=self._details(request),
            payment_request_response=None if request.direction == "outbound" else response,
        )
        # "Pending confirms the successful submission to the RTP network", says the document of this operation.
        status = "Error" if request.status == "failed" else "Pending"
        if self._settings.get_status == "listed":
            status = request.status
        return self._object(**self._head(request), status=status, payment_request=inner)

    def _head(self, request: PaymentRequest) -> JsonObject:
        return {
            "victor_payment_request_id": request.id,
            "client_reference_id": request.client_reference_id,
            "error_message": request.error_message,
            "direction": request.direction.upper() if self._quirks else request.direction,
        }

    def page(self, number: int, size: int, requests: list[PaymentRequest]) -> JsonObject:
        results = [self.receipt(request) for request in requests]
        return {"page": number, "page_size": 25 if self._quirks else size, "results": results}

    def answer(self, request: PaymentRequest) -> JsonObject:
        """`RfpInboundPaymentRequestResponseDetails`: the answer to an inbound request."""
        return self._object(
            victor_payment_request_id=request.id,
            status=request.answer,
            original_amount=request.original_amount,
            modified_amount=request.modified_amount,
            notes=request.approval_notes,
        )

    def create_error(self, problem: Problem) -> JsonObject:
        """`ApiErrorResponse`: one error, named by a key and a field in camel case."""
        field = ".".join(camel(step) for step in problem.path)
        name = camel(problem.path[-1]) if problem.path else "request"
        # The only published number of the provider's list: here it stands for every invalid field.
        error = {"code": 101, "message": f"error.{name}.{problem.kind}", "field": field}
        # The document declares `data` as an object and shows a null.
        return {"status": 0, "data": None, "error": error} if self._quirks else {"status": 0, "error": error}

    def validation_errors(self, target: str, problems: list[Problem]) -> JsonObject:
        """`ValidationErrors`: all errors, as Spring's BindingResult prints them."""
        name = {"empty": False, "lastElementIndexed": False, "numberOfElements": 1}
        errors = [self._object_error(target, problem) for problem in problems]
        return {"name": name, "boundProperties": [], "allErrors": errors}

    def _object_error(self, target: str, problem: Problem) -> JsonObject:
        field = ".".join(camel(step) for step in problem.path)
        code = _SPRING.get(problem.rule) or _SPRING.get(problem.kind, "Invalid")
        place = f"{target}.{field}" if field else target
        error: JsonObject = {
            "objectName": target,
            "code": code,
            "codes": [f"{code}.{place}", *([f"{code}.{field}"] if field else []), code],
            "arguments": [{"codes": [place, field], "defaultMessage": field, "code": field}] if field else [],
            "defaultMessage": problem.message,
        }
        if self._quirks:
            error |= {"field": field or None, "rejectedValue": None, "bindingFailure": False}
        return error

    def _payee(self, request: PaymentRequest) -> JsonObject:
        return self._object(account_number=request.payee_account, ultimate_creditor=request.ultimate_creditor)

    def _payer(self, request: PaymentRequest) -> JsonObject:
        if request.direction == "outbound":
            return {"victor_counterparty_id": request.counterparty_id}
        return self._object(
            account_number=request.payer_account, routing_number=request.payer_routing, name=request.payer_name
        )

    def _details(self, request: PaymentRequest) -> JsonObject:
        names = ("amount", "notes", "biller_type", "due_date", "amount_modification_allowed", "original_amount")
        details = {name: getattr(request, name) for name in (*names, "approval_notes")}
        if self._settings.accepted_amount == "requested":
            details["amount"] = request.original_amount or request.amount
        return self._object(**details)

    def _time(self, seconds: float | None) -> float | int | None:
        if seconds is None:
            return None
        return round(seconds * 1000) if self._quirks else round(seconds, 3)

    def _object(self, **members: JsonValue) -> JsonObject:
        """A JSON object; without quirks, members that are None are left out."""
        return members if self._quirks else {name: value for name, value in members.items() if value is not None}


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
