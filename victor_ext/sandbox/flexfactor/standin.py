"""FlexFactor's side of its sandbox: who may call, what is done, what is answered."""

from __future__ import annotations

import secrets
import uuid
from decimal import Decimal
from typing import TYPE_CHECKING, ClassVar
from urllib.parse import parse_qs

from victor_ext.sandbox.flexfactor import requests
from victor_ext.sandbox.flexfactor.book import Book
from victor_ext.sandbox.flexfactor.control import COMMANDS, FlexFactorControl
from victor_ext.sandbox.flexfactor.settings import FlexFactorSettings
from victor_ext.sandbox.server import BodyKey, Operation, ServerSettings, StandIn, empty_answer, json_answer

if TYPE_CHECKING:
    from collections.abc import Callable

    from victor_ext.sandbox.server import Answer, Call, SandboxContext
    from victor_ext.sandbox.server.jsontypes import JsonObject

_NO_ERRORS: dict[str, object] = {"result": None, "statusCode": None, "errors": [], "customProperties": {}}


class FlexFactorStandIn(StandIn[FlexFactorSettings]):
    """State and rules. All of it runs on one thread, and nothing waits."""

    name = "flexfactor"
    title = "FlexFactor"
    key = BodyKey("idempotencyKey")
    operations = (
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
    commands = COMMANDS
    settings_type: ClassVar[type[ServerSettings]] = FlexFactorSettings

    def __init__(self, stage: SandboxContext, settings: FlexFactorSettings) -> None:
        super().__init__(stage, settings)
        self._book = Book(stage.clock)
        self._control = FlexFactorControl(self._book, stage.clock)

    def reset(self) -> None:
        """Forget everything, credentials included."""
        self._book.clear()

    def error(self, status: int, code: str, message: str) -> Answer:
        """ASP.NET's ProblemDetails. A 409 that a test asks for is the final one of the two that the provider has."""
        if status == 409:
            message = "The idempotencyKey was used before with a different payload."
        return requests.problem_details(status, message, {code: [message]})

    def client_settings(self, url: str) -> str:
        """What `--env-file` writes."""
        client = self.control.add_client()
        return (
            f"FLEXFACTOR_BASE_URL={url}\nFLEXFACTOR_APP_KEY={client['app_key']}\n"
            f"FLEXFACTOR_APP_SECRET={client['app_secret']}\nFLEXFACTOR_MID={client['mid']}\n"
        )

    @property
    def control(self) -> FlexFactorControl:
        """Whose methods the commands are."""
        return self._control

    # What the provider does

    def answer(self, operation: str, call: Call) -> Answer:
        """Let the caller in and do the work."""
        if operation == "token":
            return self._token(call)
        app_key = self._book.tokens.owner((call.header("authorization") or "").removeprefix("Bearer "))
        if app_key is None or app_key not in self._book.clients:
            return empty_answer(401, {"WWW-Authenticate": 'Bearer error="invalid_token"'})
        call.owner = self._book.clients[app_key][1]
        match operation:
            case "orders":
                return self._page(call)
            case "order":
                return self._about_order(call)
            case _:
                return self._write(operation, call)

    def _write(self, operation: str, call: Call) -> Answer:
        body = requests.body_of(call)
        if body is None:
            return requests.validation_problem({"$": ["The body is no JSON object."]})
        match operation:
            case "transmit":
                return self._transmit(call, body)
            case "evaluate":
                return self._once(call, lambda: self._evaluate(call, body))
            case "capture":
                return self._once(call, lambda: self._capture(call, body))
            case "refund":
                return self._refund(call, body)
            case _:
                return self._once(call, lambda: self._cancel(call, external=operation == "external_cancel"))

    def _once(self, call: Call, work: Callable[[], Answer]) -> Answer:
        """Do the work under its key, or answer as the first time."""
        return self._book.once(
            call, work, kept=self.settings.key_life, conflict=lambda: self.error(409, "IdempotencyKey", "")
        )

    def _token(self, call: Call) -> Answer:
        body = {name.lower(): value for name, value in (requests.body_of(call) or {}).items()}
        app_key, secret = body.get("appkey"), body.get("appsecret")
        if not isinstance(app_key, str) or not secret or self._book.clients.get(app_key, ("", ""))[0] != secret:
            return requests.problem_details(401, "Unauthorized")
        token, expires = self._book.tokens.issue(app_key, self.settings.token_life)
        answer = {
            "accessToken": token, "refreshToken": secrets.token_urlsafe(32), "expires": int(expires * 1000),
            "id": str(uuid.uuid4()), "session": str(uuid.uuid4()), "daysToEnforceMFA": None, "skipAvailable": False,
            "success": True, "status": "SUCCESS", **_NO_ERRORS,
        }  # fmt: skip
        return self._good(answer)

    def _transmit(self, call: Call, body: JsonObject) -> Answer:
        wrong = requests.check_transmission(body)
        if wrong:
            return requests.validation_problem(wrong)
        call.did_work(f"{body['orderId']}/transmit")
        return self._good({"transmitId": str(uuid.uuid4()), "success": True, "status": 0, **_NO_ERRORS})

    def _evaluate(self, call: Call, body: JsonObject) -> Answer:
        wrong = requests.check_evaluation(body)
        if wrong:
            return requests.validation_problem(wrong)
        external_id = body["orderId"]
        call.refers_to(external_id)
        # A retry of the merchant's own, by its order id, is told how things stand. Of others nothing like it is known,
        # so here they are charged again, and a test that counts the work sees a key that changed.
        order = self._book.orders.by_external_id.get(external_id) if body.get("isMIT") is True else None
        if order is None:
            transaction = body["transaction"]
            order = self._book.new_order(
                external_id, call.owner, transaction["amount"], transaction["currency"], body["payer"]["email"]
            )
            order.decide(self._decision(external_id))
            self._book.orders.add(order)
            call.did_work(external_id)
        call.exchange.request_id = order.id
        answer = {
            "orderSessionKey": order.id, "senseKey": body.get("senseKey"), "orderId": order.id,
            "success": order.decision != "DECLINED", "status": order.decision, **_NO_ERRORS,
        }  # fmt: skip
        return self._good(answer)

    def _decision(self, external_id: str) -> str:
        told = self._book.decisions
        return told.pop(external_id if external_id in told else "", self.settings.decision)

    def _capture(self, call: Call, body: JsonObject) -> Answer:
        wrong = requests.check_capture(body)
        if wrong:
            return requests.validation_problem(wrong)
        order = self._book.orders.by_id.get(body["orderId"])
        if order is None:
            return self.error(404, "OrderId", "There is no such order.")
        call.refers_to(f"{order.external_id}/capture")
        against = order.capture(body["amount"], body["currency"])
        if against:
            return self._good({"status": "FAILED", "success": False, **_NO_ERRORS, "errors": [against]})
        call.did_work(f"{order.external_id}/capture")
        return self._good({"status": "SUCCESS", "success": True, **_NO_ERRORS})

    def _refund(self, call: Call, body: JsonObject) -> Answer:
        order = self._book.orders.by_id.get(call.params["id"])
        if order is None:
            return self.error(404, "OrderId", "There is no such order.")
        wrong = requests.check_refund(body)
        if wrong:
            return requests.validation_problem(wrong)
        call.refers_to(f"{order.external_id}/refund")
        against = order.refund(Decimal(repr(body["amountToRefund"])))
        if against:
            said = {"item1": against, "item2": "", "item3": "2001", "item4": True}
            answer = {"responseCode": "2001", "responseMessage": against, "success": False, "status": "FAILED"}
            return self._good({**_NO_ERRORS, **answer, "errors": [said]})
        call.did_work(f"{order.external_id}/refund")
        answer = {"responseCode": "100", "responseMessage": "Success", "success": True, "status": "SUCCESS"}
        return self._good({**_NO_ERRORS, **answer})

    def _cancel(self, call: Call, *, external: bool) -> Answer:
        known = self._book.orders.by_external_id if external else self._book.orders.by_id
        order = known.get(call.params["id"])
        if order is None:
            return self.error(404, "OrderId", "There is no such order.")
        call.refers_to(f"{order.external_id}/cancel")
        was = order.state
        against = order.cancel()
        if against:
            return requests.validation_problem({"OrderId": [against]})
        if was != order.state:
            call.did_work(f"{order.external_id}/cancel")
        return empty_answer(200, {"apigw-requestid": uuid.uuid4().hex[:16]})

    def _about_order(self, call: Call) -> Answer:
        order = self._book.orders.by_id.get(call.params["id"])
        return self.error(404, "Id", "There is no such order.") if order is None else self._good(order.shown())

    def _page(self, call: Call) -> Answer:
        query = parse_qs(call.query.decode("ascii", "replace"))
        try:
            number, size = (
                int(query.get(name, [usual])[0]) for name, usual in (("pageNumber", "1"), ("pageSize", "10"))
            )
            states = [int(each) for each in query.get("status", [])]
        except ValueError:
            return requests.validation_problem({"PageNumber": ["The value is not valid."]})
        if number < 1 or size < 1:
            return requests.validation_problem({"PageNumber": ["The value must be above zero."]})
        size = min(size, self.settings.largest_page)
        found = self._book.orders.matching(
            mid=query.get("mid", [call.owner])[0], states=states, query=query.get("query", [""])[0],
            newest_first=query.get("sort", ["asc"])[0] == "desc",
        )  # fmt: skip
        pages = -(-len(found) // size)
        first = (number - 1) * size
        shown = found[first : first + size]
        page = {
            "firstItemOnPage": first + 1 if shown else 0, "lastItemOnPage": first + len(shown) if shown else 0,
            "hasNextPage": number < pages, "hasPreviousPage": number > 1, "isFirstPage": number == 1,
            "isLastPage": number >= pages, "pageCount": pages, "pageNumber": number, "pageSize": size,
            "totalItemCount": len(found), self.settings.items_name: [order.shown() for order in shown],
        }  # fmt: skip
        return self._good(page)

    @staticmethod
    def _good(body: object) -> Answer:
        return json_answer(200, body, {"apigw-requestid": uuid.uuid4().hex[:16], "Set-Cookie": "AWSALB=x; Path=/"})
