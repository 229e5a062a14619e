"""EastPay's table: its operations, who may call them, and the forms of its answers."""

from victor_ext.sandbox.eastpay._commands import EastPayCommands
from victor_ext.sandbox.eastpay._payments import PaymentEntry, result
from victor_ext.sandbox.eastpay._state import (
    DOCUMENT,
    EastPaySettings,
    EastPayState,
    stamp,
)
from victor_ext.sandbox.engine import Refused, Result, Row, TableProvider
from victor_ext.sandbox.server import (
    Call,
    JsonObject,
    JsonValue,
    Problem,
    Resending,
    Response,
    json_response,
)

_BASES = ("eastpay", "pay", "gateway")
_ERROR_GROUPS = {401: "400", 403: "400", 404: "300"}
"""The second group of an error's result code by status. Others: 100, and 200 (pending) for 5xx."""


class EastPayProvider(TableProvider[EastPaySettings]):
    """One bank's gateway, under `/eastpay`, `/pay` and `/gateway`. It has no idempotency keys."""

    state: EastPayState
    name = "eastpay"
    title = "EastPay"
    document = DOCUMENT
    base_path = "/{base}"
    settings_type = EastPaySettings
    commands_type = EastPayCommands
    resending = Resending()
    rows = (
        Row("pay", "POST /{base}/v3/payments", EastPayState.pay),
        Row("follow_up", "POST /{base}/v3/payments/{id}", EastPayState.follow_up),
        Row("inquire", "GET /{base}/v3/payments/{id}", EastPayState.inquire),
        Row("prepare", "POST /{base}/v3/checkouts", EastPayState.prepare),
        Row(
            "widget",
            "GET /{base}/v3/checkouts/{id}",
            EastPayState.widget,
            is_open=True,
        ),
        Row(
            "checkout_status", "GET /{base}/v3/checkouts/{id}/payment", EastPayState.checkout_status
        ),
    )

    def new_state(self) -> EastPayState:
        return EastPayState(self.context.clock, self.settings, self.notifications, self.message)

    def client_settings(self, url: str) -> str:
        return self.variables(base_url=f"{url}/eastpay", **self.state.add_merchant())

    def message(self, entry: PaymentEntry) -> bytes:
        """What a notification says of a payment: what an inquiry answers."""
        return self.success("inquire", self.state.about(entry), 200).body

    def handle(self, operation: str, call: Call) -> Response:
        if call.params.pop("base") not in _BASES:
            return self.error(404, "", "There is nothing here.")
        return super().handle(operation, call)

    def authenticate(self, call: Call) -> str:
        """The entity whose token a call has."""
        if not call.bearer_token:
            raise Refused(401, "The Authorization header is missing or not Bearer.")
        if call.bearer_token not in self.state.tokens:
            raise Refused(403, "The access token is not valid.")
        return self.state.tokens[call.bearer_token]

    def read_body(self, operation: str, call: Call) -> JsonObject:
        """The form of a request. Its reference is counted even when it is refused."""
        rules = self.rules(operation)
        if not rules.needs_body:
            return {}
        try:
            form = call.form()
        except ValueError:
            form = None
        if form is None or call.content_type != "application/x-www-form-urlencoded":
            raise Refused(400, "The body must be a form in UTF-8.")
        reference = form.get("merchantTransactionId")
        if reference:
            call.refers_to(reference)
        return rules.body.read(form.items())

    def problems(
        self, call: Call, operation: str, query: JsonObject, body: JsonObject
    ) -> list[Problem]:
        """What the document does not allow, and another entity than the token's."""
        problems = super().problems(call, operation, query, body)
        entity = {**query, **body}.get("entityId")
        if call.owner and entity not in (None, "", call.owner):
            problems.append(Problem(("entityId",), "invalid", "is not the token's"))
        return problems

    def success(self, _operation: str, result: Result, status: int) -> Response:
        """The response of a call that succeeded."""
        return json_response(status, self._envelope(result.body))

    def refusal(self, operation: str, refused: Refused) -> Response:
        """The response of a call that is refused, with the parameters that are wrong."""
        if not refused.problems:
            return super().refusal(operation, refused)
        errors = [
            {"name": ".".join(problem.path), "message": problem.message}
            for problem in refused.problems
        ]
        return self.error(400, "", "invalid parameters", parameterErrors=errors)

    def error(self, status: int, _code: str, message: str, **more: JsonValue) -> Response:
        """An error in the gateway's format: its result code has the documented form, and the status
        as the detail. The gateway has no words for its codes.

        The page has no code for a request that is refused: `parameterErrors` tell it from a payment
        that failed, which has the status 400, too.
        """
        if status == 400:
            more.setdefault("parameterErrors", [{"message": message}])
        group = _ERROR_GROUPS.get(status, "200" if status >= 500 else "100")
        body = {"result": {**result(f"100.{group}.{status}", message), **more}}
        return json_response(status, self._envelope(body))

    def _envelope(self, body: JsonObject) -> JsonObject:
        at = stamp(self.state.now())
        return {**body, "buildNumber": "sandbox", "timestamp": at, "ndc": self.state.new_id()}
