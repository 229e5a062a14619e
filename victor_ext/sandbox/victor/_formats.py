"""Response bodies in the format of the document."""

import re
from collections.abc import Sequence

from victor_ext.sandbox.server import JsonObject, Problem
from victor_ext.sandbox.victor._settings import SandboxSettings
from victor_ext.sandbox.victor._state import Request, declared


class Formats:
    def __init__(self, settings: SandboxSettings) -> None:
        self._settings = settings

    def view(self, request: Request) -> JsonObject:
        """All that is known of a request, with the amount that the sandbox is to show."""
        view = request.view()
        if self._settings.accepted_amount == "requested":
            details = view["payment_request"]["payment_details"]
            details["amount"] = details.get("original_amount", details["amount"])
        return view

    def receipt(self, request: Request) -> JsonObject:
        """The answer to a create."""
        return declared_of("create", self.view(request))

    def page(self, number: int, size: int, requests: Sequence[Request]) -> JsonObject:
        """A page of a list."""
        results = [self.view(request) for request in requests]
        return declared_of("list", {"page": number, "page_size": size, "results": results})

    def detail(self, request: Request) -> JsonObject:
        """One request."""
        view = self.view(request)
        # "Pending confirms the successful submission to the RTP network", says the document of this
        # operation.
        if self._settings.get_status == "documented":
            view["status"] = "Error" if request.status == "failed" else "Pending"
        shown = declared_of("get", view)
        # By its prose, the payer is an account or a counterparty.
        shown["payment_request"]["payer"] = request.body.get("payer", {})
        return shown

    def error(self, operation: str, problems: Sequence[Problem]) -> JsonObject:
        """The body for what is wrong with a request, in the shape for its operation."""
        if operation == "create":
            return _api_error(problems[0])
        # `ValidationErrors`: all errors, as Spring's BindingResult prints them.
        name = {"empty": False, "lastElementIndexed": False, "numberOfElements": 1}
        errors = [_object_error(_TARGETS.get(operation, ""), problem) for problem in problems]
        return {"name": name, "boundProperties": [], "allErrors": errors}

    def undocumented_error(self, code: str, message: str) -> JsonObject:
        """The body for a status that the document does not declare: `ApiErrorResponse`, too, with a
        word in place of a number that is not published.
        """
        return {"status": 0, "error": {"code": code, "message": message}}


def declared_of(operation: str, known: JsonObject) -> JsonObject:
    """What an operation shows of all that is known: what the document declares."""
    shown: JsonObject = declared(operation).response(200).declared(known)
    return shown


def _api_error(problem: Problem) -> JsonObject:
    """`ApiErrorResponse`: the first error, named by a key and a field in camel case."""
    field = _field(problem)
    name = field.rpartition(".")[2] or "request"
    # 101 is the only published number of the provider's list: here it stands for every invalid
    # field. The document declares `data` as an object and shows a null.
    error = {"code": 101, "message": f"error.{name}.{problem.kind}", "field": field}
    return {"status": 0, "error": error}


def _object_error(target: str, problem: Problem) -> JsonObject:
    field = _field(problem)
    places = [f"{target}.{field}", field] if field else [target]
    code = _SPRING.get(problem.rule) or _SPRING.get(problem.kind, "Invalid")
    arguments = [{"codes": places, "defaultMessage": field, "code": field}] if field else []
    return {
        "objectName": target,
        "code": code,
        "codes": [*(f"{code}.{place}" for place in places), code],
        "arguments": arguments,
        "defaultMessage": problem.message,
    }


_TARGETS = {
    "list": "listPaymentRequests",
    "get": "victorPaymentRequestId",
    "respond": "rfpInboundPaymentRequestResponseRequestDetails",
}
"""What Spring calls the input of an operation."""
_SPRING = {
    "pattern": "Pattern",
    "minimum": "Min",
    "maximum": "Max",
    "type": "typeMismatch",
    "blank": "NotBlank",
    "size": "Size",
}


def _field(problem: Problem) -> str:
    """The place of a problem in camel case, as in the provider's errors."""
    return re.sub("_(.)", lambda match: match[1].upper(), ".".join(problem.path))
