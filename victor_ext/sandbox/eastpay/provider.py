"""EastPay's sandbox: its commands, authentication, and the operations of the gateway."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import NamedTuple

from victor_ext.sandbox.eastpay import state as rules
from victor_ext.sandbox.eastpay.notifications import RESENDING, PaymentNotifications
from victor_ext.sandbox.eastpay.state import (
    STARTED,
    SUCCEEDED,
    Checkout,
    EastPaySettings,
    Ending,
    Entry,
    State,
    result,
)
from victor_ext.sandbox.server.commands import (
    NotFound,
    command,
    find,
    member,
    nothing,
)
from victor_ext.sandbox.server.document import Validator, declared_in
from victor_ext.sandbox.server.exchange import (
    JsonObject,
    JsonValue,
    Operation,
    Response,
    json_response,
)
from victor_ext.sandbox.server.notifying import NotificationCommands
from victor_ext.sandbox.server.provider import Call, SandboxProvider

_BASES = ("eastpay", "pay", "gateway")
_CHECKOUT_LIFE = 15 * 60
_ERROR_GROUPS = {401: "400", 403: "400", 404: "300"}
"""The second group of an error's result code by status. Others: 100, and 200 (pending) for 5xx."""


OPERATIONS = (
    Operation("pay", "POST", "/{base}/v3/payments"),
    Operation("follow_up", "POST", "/{base}/v3/payments/{id}"),
    Operation("inquire", "GET", "/{base}/v3/payments/{id}"),
    Operation("find", "GET", "/{base}/v3/query"),
    Operation("prepare", "POST", "/{base}/v3/checkouts"),
    Operation("widget", "GET", "/{base}/v3/checkouts/{id}"),
    Operation("checkout_status", "GET", "/{base}/v3/checkouts/{id}/payment"),
)
declared = declared_in(
    "eastpay.yaml", [replace(each, path=each.path.removeprefix("/{base}")) for each in OPERATIONS]
)


class Merchant(NamedTuple):
    """An entity that may call, and its access token."""

    entity_id: str
    token: str


class EastPayCommands(NotificationCommands):
    """The commands of EastPay's sandbox, beside those of every sandbox."""

    _provider: EastPayProvider

    @command(
        "POST",
        "/merchants",
        returns=lambda made: Merchant(str(made["entity_id"]), str(made["token"])),
    )
    def add_merchant(self, entity_id: str | None = None, token: str | None = None) -> JsonObject:
        """Let an entity call with a token; returns both (None: new ones are made)."""
        return self._provider.state.add_merchant(entity_id, token)

    @command("POST", "/decisions", returns=nothing)
    def decide(
        self, reference: str, code: str = SUCCEEDED, *, then: str | None = None, after: float = 0.0
    ) -> None:
        """Set the result `code` of payments with a `reference`, and the one `then`, `after` seconds
        later.

        `reference` is the merchant's own, `merchantTransactionId`.

        A payment with the CVV 999, or with a card that has expired, is declined by the bank without
        a decision.
        """
        self._provider.state.endings[reference] = Ending(code, then, after)

    @command("POST", "/checkouts/{checkout_id}/pay", returns=member("id", str))
    def pay_checkout(self, checkout_id: str, code: str = SUCCEEDED) -> JsonObject:
        """Pay a checkout as the shopper, with the result `code`; returns the id of the payment.

        It lives until it is paid: only after a payment that was declined it is paid again.
        """
        checkout = self._provider.checkout(checkout_id)
        if checkout.paid and not rules.is_declined(checkout.paid.ending.final):
            raise ValueError("the checkout is paid: prepare another one")
        checkout.paid = self._provider.state.new_entry(checkout.owner, checkout.form)
        checkout.paid.ending = Ending(code)
        self._provider.notified.now(checkout.paid)
        return {"id": checkout.paid.id}

    @command(
        "GET",
        "/payments/{payment_id}/notification",
        returns=lambda made: str(made["body"]).encode(),
    )
    def notification(self, payment_id: str) -> JsonObject:
        """The body of the notification that the gateway would send about a payment now."""
        entry = find(self._provider.state.entries, payment_id, "payment")
        return {"body": self._provider.payment_response(entry).body.decode()}

    @command("POST", "/payments/{payment_id}/notify", returns=nothing)
    def trigger(self, payment_id: str) -> JsonObject:
        """Post a notification about a payment as it is now, to its `notificationUrl` or to the
        address of `--notify`.
        """
        entry = find(self._provider.state.entries, payment_id, "payment")
        url = entry.form.get("notificationUrl")
        self._provider.notifications.require_address("the notification", url)
        self._provider.notified.now(entry)
        return {}

    @command("GET", "/payments")
    def payment_ids(self) -> list[str]:
        """The ids of all payments and steps, oldest first."""
        return list(self._provider.state.entries)


class EastPayProvider(SandboxProvider[EastPaySettings]):
    """One bank's gateway, under `/eastpay`, `/pay` and `/gateway`. It has no idempotency keys."""

    state: State
    name = "eastpay"
    title = "EastPay"
    operations = OPERATIONS
    settings_type = EastPaySettings
    commands_type = EastPayCommands
    resending = RESENDING

    def new_state(self) -> State:
        self.notified = PaymentNotifications(
            self.notifications, lambda entry: self.payment_response(entry).body
        )
        return State(self.context.clock, self.settings.seed)

    def error(
        self,
        status: int,
        code: str,  # noqa: ARG002 - the gateway has no words for its codes
        message: str,
        **more: JsonValue,
    ) -> Response:
        """An error in the gateway's format: its result code has the documented form, and the status
        as the detail.
        """
        group = _ERROR_GROUPS.get(status, "200" if status >= 500 else "100")
        return json_response(
            status, self._envelope({"result": {**result(f"100.{group}.{status}", message), **more}})
        )

    def client_settings(self, url: str) -> str:
        made = self.state.add_merchant()
        credentials = f"EASTPAY_TOKEN={made['token']}\nEASTPAY_ENTITY_ID={made['entity_id']}\n"
        return f"EASTPAY_BASE_URL={url}/eastpay\n{credentials}"

    def handle(self, operation: str, call: Call) -> Response:
        if call.params["base"] not in _BASES:
            return self.error(404, "", "There is nothing here.")
        if operation == "widget":
            self.checkout(call.params["id"])
            return Response(
                200, b"/* the payment form */", ((b"content-type", b"text/javascript"),)
            )
        if not call.bearer_token:
            return self.error(401, "", "The Authorization header is missing or not Bearer.")
        owner = self.state.tokens.get(call.bearer_token)
        if owner is None:
            return self.error(403, "", "The access token is not valid.")
        call.owner = owner
        return (
            self._read(operation, call)
            if call.exchange.method == "GET"
            else self._write(operation, call)
        )

    def _write(self, operation: str, call: Call) -> Response:
        try:
            form = call.form()
        except ValueError:
            form = None
        if form is None or call.content_type != "application/x-www-form-urlencoded":
            return self.error(400, "", "The body must be a form in UTF-8.")
        reference = form.get("merchantTransactionId", "")
        if reference:
            call.refers_to(reference)
        schema = declared(operation).body
        if errors := _errors(schema, schema.read(form.items()), call.owner):
            return self.error(400, "", "invalid parameters", parameterErrors=errors)
        form = {name: text for name, text in schema.declared(form).items() if text}
        if operation == "pay":
            return self._answer(call, self.state.new_entry(call.owner, form))
        return self._prepare(call, form) if operation == "prepare" else self._follow_up(call, form)

    def _follow_up(self, call: Call, form: dict[str, str]) -> Response:
        entry = self._entry(call.params["id"], call.owner)
        call.exchange.operation = {"CP": "capture", "RV": "reverse", "RF": "refund"}[
            form["paymentType"]
        ]
        refusal = self.state.refusal(entry, form)
        step = self.state.new_entry(call.owner, form)
        step.cents, step.refusal = rules.step_cents(entry, form), refusal
        if refusal:
            step.ending = Ending(rules.NO_SUCH_REFERENCE)
        entry.steps.append(step)
        return self._answer(call, step)

    def _answer(self, call: Call, entry: Entry) -> Response:
        """Count the work, and answer with the first code of the payment."""
        if not rules.is_declined(entry.ending.final):
            reference = entry.form.get("merchantTransactionId")
            call.did_work(*([reference] if reference else []))
        call.exchange.request_id = entry.id
        self.notified.when_it_ends(entry)
        return self.payment_response(entry, entry.ending.code)

    def _read(self, operation: str, call: Call) -> Response:
        asked = declared(operation)
        if errors := _errors(asked.query, asked.read_query(call.query), call.owner):
            return self.error(400, "", "invalid parameters", parameterErrors=errors)
        if operation == "checkout_status":
            return self._checkout_status(call)
        if operation == "find":
            return self._find(call)
        return self.payment_response(self._entry(call.params["id"], call.owner))

    def _find(self, call: Call) -> Response:
        """All payments and steps with a reference, oldest first; of those, the ones that had the
        value of any other parameter that is declared.

        The form of the list is the sandbox's choice.
        """
        if self.settings.documented_only:
            return self.error(404, "", "There is nothing here.")
        query = declared("find").query.declared(call.query_values())
        query.pop("entityType", None)
        payments = [
            {
                **self._payment(entry, entry.code_at(self.state.now())),
                "timestamp": _stamp(entry.made_at),
            }
            for entry in self.state.entries.values()
            if entry.owner == call.owner and query.items() <= entry.form.items()
        ]
        return json_response(
            200, self._envelope({"result": result(SUCCEEDED), "payments": payments})
        )

    def _prepare(self, call: Call, form: dict[str, str]) -> Response:
        made = Checkout(self.state.new_id(), call.owner, form, self.state.now() + _CHECKOUT_LIFE)
        self.state.checkouts[made.id] = made
        call.exchange.request_id = made.id
        body = {**_repeated("prepare", form), "id": made.id, "result": result(STARTED)}
        return json_response(200, self._envelope(body))

    def _checkout_status(self, call: Call) -> Response:
        checkout = self.checkout(call.params["id"])
        if checkout.owner != call.owner:
            raise NotFound("There is no such checkout.")
        if checkout.paid is None:
            return json_response(
                200, self._envelope({"id": checkout.id, "result": result(STARTED)})
            )
        return self.payment_response(checkout.paid)

    def payment_response(self, entry: Entry, code: str | None = None) -> Response:
        """The response about a payment, with a result code (None: the current one)."""
        code = code or entry.code_at(self.state.now())
        status = self.settings.declined_status if rules.is_declined(code) else 200
        return json_response(status, self._envelope(self._payment(entry, code)))

    @staticmethod
    def _payment(entry: Entry, code: str) -> JsonObject:
        form = entry.form
        return {
            **_repeated("inquire", form),
            **{name: form[name] for name in ("amount", "currency") if name in form},
            "id": entry.id,
            "result": result(code, entry.refusal or rules.SEE_TABLE),
        }

    def _envelope(self, body: JsonObject) -> JsonObject:
        stamp = _stamp(self.state.now())
        return {**body, "buildNumber": "sandbox", "timestamp": stamp, "ndc": self.state.new_id()}

    def _entry(self, payment_id: str, owner: str) -> Entry:
        entry = find(self.state.entries, payment_id, "payment")
        if entry.owner != owner:
            raise NotFound("There is no such payment.")
        return entry

    def checkout(self, checkout_id: str) -> Checkout:
        """A checkout that is paid or has not expired; raises `NotFound`."""
        checkout = find(self.state.checkouts, checkout_id, "checkout")
        if checkout.paid is None and self.state.now() >= checkout.expires_at:
            raise NotFound("The checkout has expired.")
        return checkout


def _repeated(operation: str, form: dict[str, str]) -> JsonObject:
    """What a response says of a form: the members that the document declares in both."""
    schema = declared(operation).responses[200]
    repeated: JsonObject = schema.declared(schema.read(form.items()))
    return repeated


def _errors(schema: Validator, given: JsonObject, owner: str) -> list[JsonObject]:
    """What is wrong with the parameters that an owner of a token has given."""
    problems = schema.problems(given)
    errors = [{"name": ".".join(problem.path), "message": problem.message} for problem in problems]
    if given.get("entityId", owner) not in ("", owner):
        errors.append({"name": "entityId", "message": "is not the token's"})
    return errors


def _stamp(at: float) -> str:
    return f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d %H:%M:%S}+0000"
