"""FlexFactor's table: its operations, who may call them, and the forms of its answers."""

import base64
import uuid
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from victor_ext.sandbox.engine import Asked, Page, Refused, Result, Row, TableProvider
from victor_ext.sandbox.flexfactor._commands import FlexFactorCommands
from victor_ext.sandbox.flexfactor._orders import ORDERS, Order, check_moments
from victor_ext.sandbox.flexfactor._state import (
    DOCUMENT,
    FlexFactorSettings,
    FlexFactorState,
    check_merchant,
    is_guid,
    shown,
)
from victor_ext.sandbox.server import (
    BodyKey,
    Call,
    JsonObject,
    Problem,
    Resending,
    Response,
    empty_response,
    json_response,
)

_COOKIE = {"Set-Cookie": "AWSALB=x; Path=/"}
_INVALID = "One or more validation errors occurred."
_FIELDS = {"body": "$", "key": "IdempotencyKey", "unknown_id": "OrderId"}
"""What a refusal is about, by its code, where it names no field."""


class FlexFactorProvider(TableProvider[FlexFactorSettings]):
    """FlexFactor's API."""

    state: FlexFactorState
    name = "flexfactor"
    title = "FlexFactor"
    document = DOCUMENT
    key = BodyKey("idempotencyKey")
    key_life = 86_400.0  # as the provider's pages have it
    keeps_all = True
    settings_type = FlexFactorSettings
    commands_type = FlexFactorCommands
    resending = Resending()
    rows = (
        Row("token", "POST /v1/oauth2/token", FlexFactorState.token, is_open=True),
        Row("transmit", "POST /v1/transmit", FlexFactorState.transmit),
        Row("evaluate", "POST /v1/evaluate", FlexFactorState.evaluate, is_keyed=True),
        Row("capture", "POST /v1/capture", FlexFactorState.capture, is_keyed=True),
        Row("orders", "GET /v1/orders", FlexFactorState.own_orders, listing=ORDERS),
        Row("order", "GET /v1/orders/{id}", FlexFactorState.one_order),
        Row("refund", "POST /v1/orders/{id}/refund", FlexFactorState.refund),
        Row("cancel", "POST /v1/orders/{id}/cancel", FlexFactorState.cancel, is_keyed=True),
        Row(
            "external_cancel",
            "POST /v1/orders/{id}/external-cancel",
            FlexFactorState.external_cancel,
            is_keyed=True,
        ),
    )

    def new_state(self) -> FlexFactorState:
        return FlexFactorState(self.context.clock, self.notifications)

    def client_settings(self, url: str) -> str:
        key = base64.b64encode(self.state.subscriber_key).decode()
        return self.variables(base_url=url, **self.state.add_client(), subscriber_key=key)

    def authenticate(self, call: Call) -> str:
        """The merchant whose token a call has."""
        # The page's table of headers names no scheme: "Api key/Token".
        token = call.bearer_token or call.header("authorization") or ""
        app_key = self.state.tokens.owner(token)
        if app_key is None or app_key not in self.state.clients:
            raise Refused(401, "The token is not valid.")
        _, mid = self.state.clients[app_key]
        return mid

    def key_of(self, call: Call) -> str | None:
        """The key of a call. The case of a GUID has no meaning."""
        return None if call.key is None else call.key.lower()

    def read_body(self, operation: str, call: Call) -> JsonObject:
        """The body of a request. A cancellation needs none, and the names of a request for a token
        are taken in any case.
        """
        is_write = call.exchange.method == "POST"
        if is_write and call.body and call.content_type != "application/json":
            why = "A body must have the content-type application/json."
            raise Refused(400, why, "ContentType")
        if operation == "token":
            given = {name.lower(): value for name, value in (call.json_object() or {}).items()}
            return {name: given.get(name.lower()) for name in ("AppKey", "AppSecret")}
        if "cancel" in operation and not call.body:
            return {}
        return super().read_body(operation, call)

    def problems(
        self, call: Call, operation: str, query: JsonObject, body: JsonObject
    ) -> list[Problem]:
        """What the document does not allow, by its schemas, or else by its prose."""
        problems = super().problems(call, operation, query, body)
        if problems:
            return problems
        broken = _broken_rules(self.state, operation, self.rules(operation).body.declared(body))
        return [Problem(tuple(place.split(".")), "invalid", why) for place, why in broken]

    def check(self, call: Call, operation: str, query: JsonObject, body: JsonObject) -> None:
        """Refuse what the document does not allow, and another merchant than the caller."""
        if operation == "token":
            return  # what is wrong is no pair of keys
        super().check(call, operation, query, body)
        if operation == "orders":
            check_moments(query)
            body = query
        check_merchant(body.get("mid") or call.owner, call.owner)

    def page_body(self, _asked: Asked, page: Page[Order]) -> JsonObject:
        """The body of a page of orders."""
        count = len(page.items)
        return {
            "firstItemOnPage": page.before + 1 if count else 0,
            "lastItemOnPage": page.before + count if count else 0,
            "hasNextPage": page.number < page.pages,
            "hasPreviousPage": page.number > 1,
            "isFirstPage": page.number == 1,
            "isLastPage": page.number >= page.pages,
            "pageCount": page.pages,
            "pageNumber": page.number,
            "pageSize": page.size,
            "totalItemCount": page.total,
            "items": [shown(order) for order in page.items],
        }

    def success(self, operation: str, result: Result, status: int) -> Response:
        """The response of a call that succeeded, with the headers that were seen."""
        headers = _headers() if result.body is None else _headers() | _COOKIE
        return super().success(operation, replace(result, headers=headers), status)

    def refusal(self, operation: str, refused: Refused) -> Response:
        """The response of a call that is refused, with the provider's spelling of the field."""
        status = refused.status
        if status == 401 and operation == "token":
            return _problem_details(status, refused.message)
        if status == 401:
            return empty_response(status, {"WWW-Authenticate": 'Bearer error="invalid_token"'})
        if refused.problems:
            return _problem_details(status, _INVALID, _by_field(refused.problems))
        field = refused.field or _FIELDS.get(refused.code, refused.code)
        if status == 404 and operation == "order":
            field = "Id"
        if status == 400:
            return _problem_details(status, _INVALID, {field: [refused.message]})
        return self.error(status, field, refused.message)

    def error(self, status: int, code: str, message: str) -> Response:
        """An error as ASP.NET's ProblemDetails.

        A 409 says that the key was used with another payload: of FlexFactor's two, the one after
        which a client does not wait.
        """
        if status == 409:
            message = "The idempotencyKey was used before with a different payload."
        return _problem_details(status, message, {code: [message]})


def _broken_rules(
    state: FlexFactorState, operation: str, body: JsonObject
) -> Iterator[tuple[str, str]]:
    """What the document says of members in prose, and the sandbox of cards."""
    if not is_guid(body.get("idempotencyKey", state.first_mid)):
        yield "idempotencyKey", "It must be a GUID."
    if body.get("amount", 1) <= 0:
        yield "amount", "It must be above 0."
    if body.get("transaction", {}).get("amount", 1) <= 0:
        yield "transaction.amount", "It must be above 0."
    if "paymentMethod" in body and body["paymentMethod"].get("cardNumber") not in state.cards:
        yield "paymentMethod.cardNumber", "It is no token of the vault."
    if operation == "evaluate" and not body["isDeclined"]:
        yield "isDeclined", "It must be true: only what was declined is evaluated."


def _problem_details(
    status: int, title: str, errors: Mapping[str, list[str]] | None = None
) -> Response:
    """ASP.NET's ProblemDetails."""
    trace_id = f"00-{uuid.uuid4().hex}-{uuid.uuid4().hex[:16]}-01"
    body = {"title": title, "status": status, "traceId": trace_id, "errors": errors or {}}
    return json_response(status, body, _headers())


def _headers() -> dict[str, str]:
    return {"apigw-requestid": uuid.uuid4().hex[:16]}


def _by_field(problems: Iterable[Problem]) -> dict[str, list[str]]:
    """The messages, by the provider's spelling of each field."""
    return {
        ".".join(f"{step[:1].upper()}{step[1:]}" for step in problem.path): [problem.message]
        for problem in problems
    }
