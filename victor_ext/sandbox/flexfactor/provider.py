"""FlexFactor's sandbox: authentication, the operations of its API, and the checks of their
requests.
"""

import base64
import re
import secrets
import uuid
from collections import ChainMap
from collections.abc import Callable, Container, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from victor_ext.sandbox.engine import page_of, passes
from victor_ext.sandbox.flexfactor.notifications import REFUNDED, RESENDING
from victor_ext.sandbox.flexfactor.state import (
    GUID,
    TOKEN_LIFE,
    FlexFactorCommands,
    FlexFactorSettings,
    Order,
    State,
)
from victor_ext.sandbox.server import (
    BodyKey,
    Call,
    JsonObject,
    JsonValue,
    NotFound,
    Operation,
    Response,
    find,
)
from victor_ext.sandbox.server.document import Problem, declared_in
from victor_ext.sandbox.server.exchange import empty_response, json_response
from victor_ext.sandbox.server.provider import SandboxProvider

_LARGEST_PAGE = 100
_NO_FILTERS = {"mid", "orderBy", "sort", "pageNumber", "pageSize"}
"""Of a list's parameters."""
_NO_ERRORS: dict[str, object] = {
    "result": None,
    "statusCode": None,
    "errors": [],
    "customProperties": {},
}


OPERATIONS = (
    Operation("token", "POST", "/v1/oauth2/token"),
    Operation("transmit", "POST", "/v1/transmit"),
    Operation("evaluate", "POST", "/v1/evaluate"),
    Operation("capture", "POST", "/v1/capture"),
    Operation("orders", "GET", "/v1/orders"),
    Operation("order", "GET", "/v1/orders/{id}"),
    Operation("refund", "POST", "/v1/orders/{id}/refund"),
    Operation("cancel", "POST", "/v1/orders/{id}/cancel"),
    Operation("external_cancel", "POST", "/v1/orders/{id}/external-cancel"),
)
declared = declared_in("flexfactor.yaml", OPERATIONS)


class FlexFactorProvider(SandboxProvider[FlexFactorSettings]):
    state: State
    name = "flexfactor"
    title = "FlexFactor"
    key = BodyKey("idempotencyKey")
    operations = OPERATIONS
    settings_type = FlexFactorSettings
    commands_type = FlexFactorCommands
    resending = RESENDING

    def new_state(self) -> State:
        return State(self.context.clock, self.settings, self.notifications)

    def error(self, status: int, code: str, message: str) -> Response:
        """ASP.NET's ProblemDetails.

        An injected 409 is the final one of the two that the provider has.
        """
        if status == 409:
            message = "The idempotencyKey was used before with a different payload."
        return _problem_details(status, message, {code: [message]})

    def client_settings(self, url: str) -> str:
        key = base64.b64encode(self.state.subscriber_key).decode()
        made = {"base_url": url, **self.state.add_client(), "subscriber_key": key}
        return "".join(f"FLEXFACTOR_{name.upper()}={value}\n" for name, value in made.items())

    def handle(self, operation: str, call: Call) -> Response:
        is_typed = not call.body or call.content_type == "application/json"
        if operation == "token":
            return self._token(call) if is_typed else _wrong_type()
        # The page's table of headers names no scheme: "Api key/Token".
        app_key = self.state.tokens.owner(call.bearer_token or call.header("authorization") or "")
        if app_key is None or app_key not in self.state.clients:
            return empty_response(401, {"WWW-Authenticate": 'Bearer error="invalid_token"'})
        call.owner = self.state.clients[app_key][1]
        try:
            if call.exchange.method == "POST":
                return self._write(operation, call) if is_typed else _wrong_type()
            return (
                self._page(call)
                if operation == "orders"
                else self._ok(_shown(self._find_order(call)))
            )
        except (NotFound, PermissionError) as error:
            status, field = (403, "Mid") if isinstance(error, PermissionError) else (404, "OrderId")
            return self.error(
                status, "Id" if (status, operation) == (404, "order") else field, str(error)
            )

    def _write(self, operation: str, call: Call) -> Response:
        body = call.json_object() if call.body or "cancel" not in operation else {}
        if body is None:
            return _validation_problem({"$": ["The body is not a JSON object."]})

        def work() -> Response:
            errors = _field_errors(operation, body, self.state.cards)
            if errors:
                return _validation_problem(errors)
            _check_merchant(body.get("mid", call.owner), call)
            handler: Callable[[Call, JsonObject], Response] = getattr(
                self, f"_{operation.removeprefix('external_')}"
            )
            return handler(call, body)

        if operation in ("transmit", "refund"):
            return work()
        return self.state.once(call, work, conflict=self.error(409, "IdempotencyKey", ""))

    def _token(self, call: Call) -> Response:
        body = {name.lower(): value for name, value in (call.json_object() or {}).items()}
        app_key, secret = body.get("appkey"), body.get("appsecret")
        if (
            not isinstance(app_key, str)
            or not secret
            or self.state.clients.get(app_key, ("", ""))[0] != secret
        ):
            return _problem_details(401, "Unauthorized")
        token, expires = self.state.tokens.issue(app_key, TOKEN_LIFE)
        return self._ok(
            {
                "accessToken": token,
                "refreshToken": secrets.token_urlsafe(32),
                "expires": int(expires * 1000),
                "id": str(uuid.uuid4()),
                "session": str(uuid.uuid4()),
                "daysToEnforceMFA": None,
                "skipAvailable": False,
                "success": True,
                "status": "SUCCESS",
                **_NO_ERRORS,
            }
        )

    def _transmit(self, call: Call, body: JsonObject) -> Response:
        call.did_work(f"{body['orderId']}/transmit")
        return self._ok(
            {"transmitId": str(uuid.uuid4()), "success": True, "status": 0, **_NO_ERRORS}
        )

    def _evaluate(self, call: Call, body: JsonObject) -> Response:
        external_id = body["orderId"]
        call.refers_to(external_id)
        # The provider recognises a repeated order id of merchant-initiated transactions only.
        # Others are charged again, so that a test that counts the work sees a key that changed.
        order = (
            self.state.by_external_id.get((external_id, call.owner))
            if body.get("isMIT") is True
            else None
        )
        if order is None:
            transaction = body["transaction"]
            price = transaction["amount"], transaction["currency"]
            decisions = self.state.decisions
            decision = decisions.pop(external_id if external_id in decisions else "", "APPROVED")
            if self.state.has_expired(body.get("paymentMethod", {})):
                decision = "DECLINED"  # the sandbox's own rule: no page says it
            order = self.state.place_order(
                external_id, call.owner, price, body["payer"]["email"], decision
            )
            order.asked = _by_name(declared("evaluate").body.declared(body))
            call.did_work(external_id)
            self.state.notified.changed(order)
        call.exchange.request_id = order.id
        return self._ok({
            "orderSessionKey": order.id, "senseKey": body.get("senseKey"), "orderId": order.id,
            "success": order.decision != "DECLINED", "status": order.decision, **_NO_ERRORS,
        })  # fmt: skip

    def _capture(self, call: Call, body: JsonObject) -> Response:
        order = self._find_order(call, body["orderId"])
        call.refers_to(f"{order.external_id}/capture")
        refusal = order.capture(body["amount"], body["currency"])
        if refusal:
            return self._ok(
                {"status": "FAILED", "success": False, **_NO_ERRORS, "errors": [refusal]}
            )
        call.did_work(f"{order.external_id}/capture")
        self.state.notified.changed(order)
        return self._ok({"status": "SUCCESS", "success": True, **_NO_ERRORS})

    def _refund(self, call: Call, body: JsonObject) -> Response:
        order = self._find_order(call)
        call.refers_to(f"{order.external_id}/refund")
        refusal = order.refund(Decimal(repr(body["amountToRefund"])))
        if refusal:
            error = {"item1": refusal, "item2": "", "item3": "2001", "item4": True}
            answer = {
                "responseCode": "2001",
                "responseMessage": refusal,
                "success": False,
                "status": "FAILED",
            }
            return self._ok({**_NO_ERRORS, **answer, "errors": [error]})
        call.did_work(f"{order.external_id}/refund")
        self.state.notified.post(order, REFUNDED)
        answer = {
            "responseCode": "100",
            "responseMessage": "Success",
            "success": True,
            "status": "SUCCESS",
        }
        return self._ok({**_NO_ERRORS, **answer})

    def _cancel(self, call: Call, _body: JsonObject) -> Response:
        external = call.exchange.operation == "external_cancel"
        order = (
            self.state.order(call.params["id"], call.owner) if external else self._find_order(call)
        )
        call.refers_to(f"{order.external_id}/cancel")
        before = order.state
        refusal = order.cancel()
        if refusal:
            return _validation_problem({"OrderId": [refusal]})
        if before != order.state:
            call.did_work(f"{order.external_id}/cancel")
            self.state.notified.changed(order)
        return empty_response(200, {"apigw-requestid": uuid.uuid4().hex[:16]})

    def _find_order(self, call: Call, order_id: str | None = None) -> Order:
        """The order of the path, or of the body; raises `NotFound`, or `PermissionError` for
        another merchant's.
        """
        order = find(self.state.orders, order_id or call.params["id"], "order")
        _check_merchant(order.mid, call)
        return order

    def _page(self, call: Call) -> Response:
        rules = declared("orders")
        query = rules.read_query(call.query)
        if problems := rules.query.problems(query):
            return _validation_problem(_by_field(problems))
        names = query.keys() & rules.query.members.keys() - _NO_FILTERS
        filters = {name: query[name] for name in names if query[name] != ""}
        try:
            for name in filters.keys() & {"from", "to"}:
                _moment_of(filters[name])
        except ValueError:
            return _validation_problem({"Query": ["A value is not valid."]})
        _check_merchant(query.get("mid") or call.owner, call)
        matching = [order for order in self.state.orders.values() if order.mid == call.owner]
        if filters:
            matching = [one for one in matching if passes(_filtered(one), filters, _TESTS)]
        if query.get("sort") == "desc":
            matching.reverse()
        size = min(query.get("pageSize", 10), _LARGEST_PAGE)
        page = page_of(matching, query.get("pageNumber", 1), size)
        return self._ok(
            {
                "firstItemOnPage": page.before + 1 if page.items else 0,
                "lastItemOnPage": page.before + len(page.items) if page.items else 0,
                "hasNextPage": page.number < page.pages,
                "hasPreviousPage": page.number > 1,
                "isFirstPage": page.number == 1,
                "isLastPage": page.number >= page.pages,
                "pageCount": page.pages,
                "pageNumber": page.number,
                "pageSize": page.size,
                "totalItemCount": page.total,
                "items": [_shown(order) for order in page.items],
            }
        )

    @staticmethod
    def _ok(body: object) -> Response:
        return json_response(
            200, body, {"apigw-requestid": uuid.uuid4().hex[:16], "Set-Cookie": "AWSALB=x; Path=/"}
        )


def _wrong_type() -> Response:
    return _validation_problem(
        {"ContentType": ["A body must have the content-type application/json."]}
    )


def _check_merchant(mid: object, call: Call) -> None:
    """Raise `PermissionError` if something is another merchant's than the caller's."""
    if str(mid).lower() != call.owner.lower():
        raise PermissionError("Access to the requested resource is denied.")


def _problem_details(
    status: int, title: str, errors: dict[str, list[str]] | None = None
) -> Response:
    """ASP.NET's ProblemDetails."""
    trace_id = f"00-{uuid.uuid4().hex}-{uuid.uuid4().hex[:16]}-01"
    body: JsonObject = {
        "title": title,
        "status": status,
        "traceId": trace_id,
        "errors": errors or {},
    }
    return json_response(status, body, {"apigw-requestid": uuid.uuid4().hex[:16]})


def _validation_problem(errors: dict[str, list[str]]) -> Response:
    return _problem_details(400, "One or more validation errors occurred.", errors)


def _field_errors(
    operation: str, body: JsonObject, cards: Container[JsonValue]
) -> dict[str, list[str]]:
    """What is wrong with a body, by the document, or else by its prose.

    `cards` are known tokens.
    """
    wrong = {problem.path: problem.message for problem in declared(operation).body.problems(body)}
    if not wrong:
        for path, is_right in _RULES.items():
            holder = body if len(path) == 1 else body.get(path[0], {})
            if path[-1] in holder and not is_right(holder[path[-1]]):
                wrong[path] = "must be as documented"
        if operation == "evaluate" and not body["isDeclined"]:
            wrong[("isDeclined",)] = "must be true: only declined transactions are evaluated"
        if "paymentMethod" in body and body["paymentMethod"].get("cardNumber") not in cards:
            wrong["paymentMethod", "cardNumber"] = "is no token of the vault"
    return _by_field([Problem(path, "invalid", message) for path, message in wrong.items()])


def _by_field(problems: Sequence[Problem]) -> dict[str, list[str]]:
    """The messages, by the provider's spelling of each field."""
    return {
        ".".join(f"{step[:1].upper()}{step[1:]}" for step in problem.path): [problem.message]
        for problem in problems
    }


def _by_name(body: JsonObject) -> JsonObject:
    """The members of a body and of the objects in it; of one name, the outer one."""
    parts: list[JsonObject] = [value for value in body.values() if isinstance(value, dict)]
    members = [_by_name(part) for part in parts]
    return dict(ChainMap(body, *members))


def _shown(order: Order) -> JsonObject:
    """An order, and what its evaluation said where the document declares a member of that name."""
    return {**declared("order").responses[200].declared(order.asked), **order.to_dict()}


def _filtered(order: Order) -> JsonObject:
    """What the filters of a list compare."""
    words = f"{order.external_id} {order.email}".lower()
    return {**order.asked, **order.to_dict(), "words": words}


_RULES: dict[tuple[str, ...], Callable[[JsonValue], object]] = {
    ("idempotencyKey",): lambda key: re.fullmatch(GUID, key),
    ("amount",): lambda cents: cents > 0,
    ("transaction", "amount"): lambda cents: cents > 0,
}
"""What the document says of fields in prose."""


def _moment_of(given: str) -> datetime:
    """The moment of a text, in UTC if it names no zone; `ValueError` when it is not one."""
    moment = datetime.fromisoformat(given)
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment


_TESTS: dict[str, tuple[str, Callable[[Any, Any], bool]]] = {
    "query": ("words", lambda words, wanted: wanted.lower() in words),
    "from": ("orderPlacedDate", lambda placed, first: _moment_of(first) <= _moment_of(placed)),
    "to": ("orderPlacedDate", lambda placed, last: _moment_of(placed) <= _moment_of(last)),
}
"""The filters of a list that compare otherwise than by the member of their name."""
