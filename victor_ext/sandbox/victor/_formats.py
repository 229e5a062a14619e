"""Response bodies in the format of the document."""

import re
from collections.abc import Sequence

from victor_ext.sandbox.server import JsonObject, Problem
from victor_ext.sandbox.victor._state import declared


def shown(operation: str, known: JsonObject) -> JsonObject:
    """What an operation shows of all that is known: what the document declares, and has a value."""
    shown: JsonObject = declared(operation).response(200).declared(known)
    return shown


def error_body(operation: str, problems: Sequence[Problem]) -> JsonObject:
    """The body for what is wrong with a request, in the shape for its operation."""
    if operation == "create":
        return _api_error(problems[0])
    # `ValidationErrors`: all errors, as Spring's BindingResult prints them.
    name = {"empty": False, "lastElementIndexed": False, "numberOfElements": 1}
    errors = [_object_error(_TARGETS.get(operation, ""), problem) for problem in problems]
    return {"name": name, "boundProperties": [], "allErrors": errors}


def _api_error(problem: Problem) -> JsonObject:
    """`ApiErrorResponse`: the first error, named by a key and a field in camel case."""
    field = _field(problem)
    name = field.rpartition(".")[2] or "request"
    # 101 is the only published number of the provider's list: here it stands for every invalid
    # field. The document declares `data` as an object and shows a null.
    error = {"code": 101, "message": f"error.{name}.{problem.kind}", "field": field}
    return {"status": 0, "error": error}


def _object_error(target: str, problem: Problem) -> JsonObject:
    code = _SPRING.get(problem.rule) or _SPRING.get(problem.kind, "Invalid")
    field = _field(problem)
    places = [f"{code}.{target}.{field}", f"{code}.{field}"] if field else [f"{code}.{target}"]
    return {
        "objectName": target,
        "code": code,
        "codes": [*places, code],
        "arguments": [],
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
