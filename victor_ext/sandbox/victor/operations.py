"""The provider's operations: from a request's parts to an answer. Nothing here waits."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, cast

from victor_ext.sandbox.server.answer import Answer, error_answer, json_answer
from victor_ext.sandbox.server.paths import Operation
from victor_ext.sandbox.victor.ledger import KeyConflict, NotAnswerable, UnknownId, fingerprint
from victor_ext.sandbox.victor.listing import check_times, read_query
from victor_ext.sandbox.victor.rules import Problem, from_breaches
from victor_ext.sandbox.victor.tokens import Refused

if TYPE_CHECKING:
    from collections.abc import Callable

    from victor_ext.sandbox.server.call import Call
    from victor_ext.sandbox.server.jsontypes import JsonObject, JsonValue
    from victor_ext.sandbox.victor.core import Core

KEY_NAME = "Idempotency-Key"
_LIST_TARGET = "listPaymentRequests"
_ID_TARGET = "victorPaymentRequestId"
_RESPOND_TARGET = "rfpInboundPaymentRequestResponseRequestDetails"
OPERATIONS = (
    Operation("list", "GET", "/v2/payment-requests", "listPaymentRequests"),
    Operation("create", "POST", "/v2/payment-requests/request-payment", "createRequestPayment"),
    Operation("get", "GET", "/v2/payment-requests/{id}", "getPaymentRequest"),
    Operation("respond", "POST", "/v2/payment-requests/respond-to-request/{id}", "respondToPaymentRequest"),
    Operation("token", "POST", "/v2/auth/token"),
)
"""What a call can be, in one word each."""
_DOCUMENTED = {operation.word: operation.documented for operation in OPERATIONS if operation.documented}


class Operations:
    """One method per operation, named as in `received`."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._handlers: dict[str, Callable[[Call], Answer]] = {
            "list": self._list,
            "create": self._create,
            "get": self._get,
            "respond": self._respond,
        }

    def answer(self, operation: str, call: Call) -> Answer:
        """Let the caller in, do the work, and hold the answer against the document."""
        if operation == "token":
            return self._token(call)
        authorization = call.headers.get(b"authorization")
        try:
            call.owner = self._core.gate.caller(None if authorization is None else authorization.decode("latin-1"))
        except Refused as refused:
            return error_answer(401, refused.code, refused.message)
        self._core.ledger.tick()
        return self._handlers[operation](call)

    def _list(self, call: Call) -> Answer:
        rules = self._core.document.operations["listPaymentRequests"]
        try:
            filters = read_query(call.query, rules.integers)
        except ValueError:
            return self._validation("list", _LIST_TARGET, [Problem((), "invalid", "the query is not UTF-8")])
        query = rules.query
        if query is not None and not query.accepts(filters):
            return self._validation("list", _LIST_TARGET, from_breaches(query.breaches(filters)))
        wrong = check_times(filters)
        if wrong:
            return self._validation("list", _LIST_TARGET, wrong)
        number, size, requests = self._core.listing.page(filters)
        answer = self._checked("list", 200, self._core.shapes.page(number, size, requests))
        if "status" in filters:
            self._core.ledger.depart(requests[: self._core.settings.depart])
        return answer

    def _get(self, call: Call) -> Answer:
        try:
            request = self._core.ledger.get(call.params["id"])
        except UnknownId:
            return self._unknown("get")
        call.exchange.request_id = request.id
        return self._checked("get", 200, self._core.shapes.detail(request))

    def _create(self, call: Call) -> Answer:
        body, problem = self._json_body(call)
        problem = problem or self._key_problem(call)
        if problem is not None:
            return self._refused(problem)
        key, mark = call.exchange.idempotency_key, fingerprint(body)
        try:
            # Before the rules: what was done stays done, also when its due date has passed since.
            request = self._core.ledger.replay(call.owner, key, mark)
        except KeyConflict:
            conflict = Problem((KEY_NAME,), "conflict", "This key was used with another body.")
            return self._refused(conflict, int(self._core.settings.key_conflict))
        if request is None:
            problems = self._body_problems("create", body) or self._core.rules.problems(body)
            if problems:
                return self._refused(problems[0])
            request = self._core.ledger.create(call.owner, key, mark, body)
            self._note_work(call, request.client_reference_id)
        elif self._core.ledger.is_in_progress(request):
            return self._refused(Problem((KEY_NAME,), "inProgress", "The first call with this key goes on."), 409)
        else:
            call.exchange.replayed = True
        call.exchange.request_id = request.id
        call.exchange.reference = request.client_reference_id
        return self._checked("create", 200, self._core.shapes.as_created(request))

    def _respond(self, call: Call) -> Answer:
        body, problem = self._json_body(call)
        problems = [problem] if problem else self._body_problems("respond", body)
        if problems:
            return self._validation("respond", _RESPOND_TARGET, problems)
        try:
            request, call.exchange.work_done = self._core.ledger.respond(call.params["id"], body)
        except UnknownId:
            return self._unknown("respond")
        except NotAnswerable as reason:
            wrong = Problem((reason.field,) if reason.field else (), "invalid", reason.message)
            return self._validation("respond", _RESPOND_TARGET, [wrong])
        call.exchange.request_id = request.id
        call.exchange.replayed = not call.exchange.work_done
        return self._checked("respond", 200, self._core.shapes.answer(request))

    def _token(self, call: Call) -> Answer:
        body, problem = self._json_body(call)
        if problem is not None or not isinstance(body, dict):
            return error_answer(400, "invalid_request", "The body must be a JSON object.")
        pair = cast("JsonObject", body)
        client_id, client_secret = pair.get("client_id"), pair.get("client_secret")
        if not isinstance(client_id, str) or not isinstance(client_secret, str):
            return error_answer(400, "invalid_request", "client_id and client_secret are required.")
        try:
            return json_answer(200, self._core.gate.issue(client_id, client_secret))
        except Refused as refused:
            return error_answer(401, refused.code, refused.message)

    def _note_work(self, call: Call, reference: str | None) -> None:
        call.exchange.work_done = True
        if reference is not None:
            # Without the key: the store counts what is there under it.
            self._core.log.count_work(None, (reference,))

    def _key_problem(self, call: Call) -> Problem | None:
        key = call.exchange.idempotency_key
        if call.key_count > 1:
            return Problem((KEY_NAME,), "invalid", "was sent more than once")
        if key is None:
            wanted = self._core.settings.require_key
            return Problem((KEY_NAME,), "blank", "is required here") if wanted else None
        if not 20 <= len(key) <= 128:
            return Problem((KEY_NAME,), "size", "must have 20 to 128 characters")
        return None

    def _json_body(self, call: Call) -> tuple[JsonValue, Problem | None]:
        if call.headers.get(b"content-type", b"").split(b";")[0].strip().lower() != b"application/json":
            return None, Problem(("body",), "invalid", "Content-Type must be application/json")
        try:
            body = json.loads(call.body.decode("utf-8"), parse_constant=_no_constant)
            # Half of a surrogate pair is not text: it could be neither stored nor sent back.
            json.dumps(body, ensure_ascii=False).encode("utf-8")
        except (ValueError, RecursionError):
            return None, Problem(("body",), "invalid", "is not JSON")
        return body, None

    def _body_problems(self, operation: str, body: object) -> list[Problem]:
        rules = self._core.document.operations[_DOCUMENTED[operation]].body
        return [] if rules is None or rules.accepts(body) else from_breaches(rules.breaches(body))

    def _refused(self, problem: Problem, status: int = 400) -> Answer:
        return self._checked("create", status, self._core.shapes.create_error(problem), like=400)

    def _validation(self, operation: str, target: str, problems: list[Problem], status: int = 400) -> Answer:
        return self._checked(operation, status, self._core.shapes.validation_errors(target, problems), like=400)

    def _unknown(self, operation: str) -> Answer:
        problem = Problem(("victor_payment_request_id",), "invalid", "There is no payment request with this id.")
        return self._validation(operation, _ID_TARGET, [problem], int(self._core.settings.unknown_id))

    def _checked(self, operation: str, status: int, body: JsonObject, *, like: int | None = None) -> Answer:
        """The answer, if it conforms to the document; else a 500, since it is this sandbox that is wrong."""
        settings = self._core.settings
        if settings.check_answers and not settings.quirks:
            schema = self._core.document.operations[_DOCUMENTED[operation]].answers.get(like or status)
            if schema is not None and not schema.accepts(body):
                where = ", ".join(".".join(breach.path) or "body" for breach in schema.breaches(body))
                self._core.complain(f"an answer to '{operation}' breaks the document at: {where}")
                return error_answer(500, "nonconforming_answer", f"The sandbox's own answer breaks: {where}.")
        return json_answer(status, body)


def _no_constant(name: str) -> JsonValue:
    raise ValueError(f"{name} is not JSON")
