"""Response bodies in the format of the document."""

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from victor_ext.sandbox.server import JsonObject, JsonValue, Problem
from victor_ext.sandbox.victor._settings import SandboxSettings
from victor_ext.sandbox.victor._state import FIELDS, PaymentRequest, declared


class Formats:
    def __init__(self, settings: SandboxSettings) -> None:
        self._settings = settings

    def as_created(self, request: PaymentRequest) -> JsonObject:
        """The answer to a create: always the same, whatever happened to the request since."""
        amount = request.original_amount or request.amount
        unset: dict[str, Any] = dict.fromkeys(
            ("original_amount", "approval_notes", "approved_at", "error_message")
        )
        return self.receipt(replace(request, status="created", amount=amount, **unset))

    def receipt(self, request: PaymentRequest, operation: str = "create") -> JsonObject:
        """`PaymentRequestReceipt`: an item of a list, and the answer to a create."""
        counterparty_id = request.counterparty_id
        made = self._object(
            **self._head(request),
            status=request.status,
            payment_network=request.network,
            victor_payment_request_parent_id=request.parent_id,
            victor_payment_request_child_id=request.child_id,
            payment_request=self._object(
                payee=self._payee(request),
                payer={"victor_counterparty_id": counterparty_id} if counterparty_id else None,
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
            status = request.status
        made = self._object(**self._head(request), status=status, payment_request=inner)
        return _with_others("get", request, made)

    def _head(self, request: PaymentRequest) -> JsonObject:
        return {
            "victor_payment_request_id": request.id,
            "client_reference_id": request.client_reference_id,
            "error_message": request.error_message,
            "direction": request.direction,
        }

    def page(self, number: int, size: int, requests: Sequence[PaymentRequest]) -> JsonObject:
        """A page of a list."""
        results = [self.receipt(request, "list") for request in requests]
        return {"page": number, "page_size": size, "results": results}

    def answer(self, request: PaymentRequest) -> JsonObject:
        """`RfpInboundPaymentRequestResponseDetails`: the answer to an inbound request."""
        return self._object(
            victor_payment_request_id=request.id,
            status=request.answer,
            original_amount=request.original_amount,
            modified_amount=request.modified_amount,
            notes=request.approval_notes,
        )

    def error(self, operation: str, problems: Sequence[Problem]) -> JsonObject:
        """The body for what is wrong with a request, in the shape for its operation."""
        if operation == "create":
            return self._api_error(problems[0])
        # `ValidationErrors`: all errors, as Spring's BindingResult prints them.
        name = {"empty": False, "lastElementIndexed": False, "numberOfElements": 1}
        errors = [self._object_error(_TARGETS.get(operation, ""), problem) for problem in problems]
        return {"name": name, "boundProperties": [], "allErrors": errors}

    def undocumented_error(self, code: str, message: str) -> JsonObject:
        """The body for a status that the document does not declare: `ApiErrorResponse`, too, with a
        word in place of a number that is not published.
        """
        return self._object(status=0, data=None, error={"code": code, "message": message})

    def _api_error(self, problem: Problem) -> JsonObject:
        """`ApiErrorResponse`: the first error, named by a key and a field in camel case."""
        field = _field(problem)
        name = field.rpartition(".")[2] or "request"
        # 101 is the only published number of the provider's list: here it stands for every invalid
        # field.
        error = {
            "code": 101,
            "message": f"error.{name}.{problem.kind}",
            "field": field,
        }
        # The document declares `data` as an object and shows a null.
        return self._object(status=0, data=None, error=error)

    def _object_error(self, target: str, problem: Problem) -> JsonObject:
        field = _field(problem)
        code = _SPRING.get(problem.rule) or _SPRING.get(problem.kind, "Invalid")
        error: JsonObject = {
            "objectName": target,
            "code": code,
            "codes": [f"{code}.{target}", code],
            "arguments": [],
            "defaultMessage": problem.message,
        }
        if field:
            place = f"{target}.{field}"
            argument = {"codes": [place, field], "defaultMessage": field, "code": field}
            error |= {
                "codes": [f"{code}.{place}", f"{code}.{field}", code],
                "arguments": [argument],
            }
        return error

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

    def _time(self, seconds: float | None) -> float | None:
        if seconds is None:
            return None
        return round(seconds, 3)

    def _object(self, **members: JsonValue) -> JsonObject:
        """A JSON object. Members that are None are left out."""
        return {name: value for name, value in members.items() if value is not None}


def _with_others(operation: str, request: PaymentRequest, made: JsonObject) -> JsonObject:
    """A response with what is kept of the request beside its fields, where the document declares
    it. Of a list, `made` is an item.
    """
    if request.others is None:
        return made
    said: JsonObject = {**request.others, "payment_request": request.others}
    schema = declared(operation).response(200)
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


def _field(problem: Problem) -> str:
    """The place of a problem in camel case, as in the provider's errors."""
    return re.sub("_(.)", lambda match: match[1].upper(), ".".join(problem.path))
