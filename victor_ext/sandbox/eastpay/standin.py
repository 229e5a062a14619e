"""The gateway's side: who may call, what is done, and what is answered."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, ClassVar

from victor_ext.sandbox.eastpay.book import (
    BEGUN,
    NO_SUCH_REFERENCE,
    SUCCEEDED,
    Book,
    Checkout,
    Ending,
    Entry,
    is_declined,
    result,
)
from victor_ext.sandbox.eastpay.form import complaints, hundredths
from victor_ext.sandbox.server import (
    Answer,
    Command,
    NotThere,
    Operation,
    ServerSettings,
    StandIn,
    json_answer,
    option,
)

if TYPE_CHECKING:
    from victor_ext.sandbox.server import Call, SandboxContext
    from victor_ext.sandbox.server.jsontypes import JsonObject

_BASES = ("eastpay", "pay", "gateway")
_LIFE_OF_A_CHECKOUT = 15 * 60
_BUILD = "sandbox"


@dataclass(frozen=True, kw_only=True, slots=True)
class EastPaySettings(ServerSettings):
    """The options of every sandbox, and one of its own."""

    declined_status: int = option(400, help="status of the answer about a declined payment: 400 (as documented) or 200")


class EastPayStandIn(StandIn[EastPaySettings]):
    """One bank's gateway, under `/eastpay`, `/pay` and `/gateway`. Asked twice, it pays twice: it has no keys."""

    name = "eastpay"
    title = "EastPay"
    operations = (
        Operation("pay", "POST", "/{base}/v3/payments"),
        Operation("follow_up", "POST", "/{base}/v3/payments/{id}"),
        Operation("inquire", "GET", "/{base}/v3/payments/{id}"),
        Operation("prepare", "POST", "/{base}/v3/checkouts"),
        Operation("widget", "GET", "/{base}/v3/checkouts/{id}"),
        Operation("checkout_status", "GET", "/{base}/v3/checkouts/{id}/payment"),
    )
    commands = (
        Command("add_merchant", "POST", "/_sandbox/merchants"),
        Command("decide", "POST", "/_sandbox/decisions"),
        Command("pay_checkout", "POST", "/_sandbox/checkouts/{checkout_id}/pay"),
        Command("notification", "GET", "/_sandbox/payments/{payment_id}/notification"),
        Command("payment_ids", "GET", "/_sandbox/payments"),
    )
    settings_type: ClassVar[type[ServerSettings]] = EastPaySettings

    def __init__(self, stage: SandboxContext, settings: EastPaySettings) -> None:
        super().__init__(stage, settings)
        self._book = Book(settings.seed)

    def reset(self) -> None:
        """Forget everything, tokens included."""
        self._book.clear()

    def error(self, status: int, code: str, message: str) -> Answer:
        """An error with the gateway's shape, and with a word where a result code would stand."""
        return json_answer(status, self._about({"result": {"code": code, "description": message}}))

    def client_settings(self, url: str) -> str:
        """What `--env-file` writes."""
        merchant = self.add_merchant()
        return (
            f"EASTPAY_BASE_URL={url}/eastpay\nEASTPAY_TOKEN={merchant['token']}\n"
            f"EASTPAY_ENTITY_ID={merchant['entity_id']}\n"
        )

    # What the gateway does

    def answer(self, operation: str, call: Call) -> Answer:
        """Let the caller in and do the work."""
        if call.params["base"] not in _BASES:
            return self.error(404, "not_found", "There is nothing here.")
        if operation == "widget":
            return self._widget(call)
        scheme, _, token = (call.header("authorization") or "").partition(" ")
        if scheme != "Bearer" or not token:
            return self.error(401, "unauthorized", "The Authorization header is missing or not Bearer.")
        owner = self._book.tokens.get(token)
        if owner is None:
            return self.error(403, "forbidden", "The access token is not valid.")
        call.owner = owner
        if call.exchange.method == "GET":
            return self._read(operation, call)
        return self._write(operation, call)

    def _write(self, operation: str, call: Call) -> Answer:
        try:
            form = call.form()
        except ValueError:
            form = None
        if form is None or call.content_type != "application/x-www-form-urlencoded":
            return self.error(400, "form", "The body must be a form in UTF-8.")
        reference = form.get("merchantTransactionId", "")
        if reference:
            call.refers_to(reference)
        required = ("paymentType",) if operation == "follow_up" else ("paymentType", "amount", "currency")
        wrong = complaints(form, required)
        if form.get("entityId") and form["entityId"] != call.owner:
            wrong.append({"name": "entityId", "message": "is not the token's"})
        types = {"pay": ("PA", "DB"), "prepare": ("PA", "DB"), "follow_up": ("CP", "RV", "RF")}[operation]
        if form.get("paymentType") and form["paymentType"] not in types:
            wrong.append({"name": "paymentType", "message": "is not for this path"})
        if wrong:
            told: JsonObject = {"code": "invalid", "description": "invalid parameters", "parameterErrors": wrong}
            return json_answer(400, self._about({"result": told}))
        if operation == "prepare":
            return self._prepare(call, form)
        return self._pay(call, form) if operation == "pay" else self._follow_up(call, form)

    def _pay(self, call: Call, form: dict[str, str]) -> Answer:
        entry = self._book.new_entry(call.owner, form["paymentType"], form, hundredths(form), self._now)
        return self._told(call, entry)

    def _follow_up(self, call: Call, form: dict[str, str]) -> Answer:
        entry = self._entry(call.params["id"], call.owner)
        if entry is None:
            return self.error(404, "not_found", "There is no such payment.")
        call.exchange.operation = {"CP": "capture", "RV": "reverse", "RF": "refund"}[form["paymentType"]]
        cents = hundredths(form) or entry.cents
        forbidden = self._book.what_forbids(entry, form["paymentType"], cents, self._now)
        step = self._book.new_entry(call.owner, form["paymentType"], form, cents, self._now)
        step.root = entry.id
        if forbidden:
            step.ending = Ending(NO_SUCH_REFERENCE)
        entry.steps.append(step)
        return self._told(call, step)

    def _told(self, call: Call, entry: Entry) -> Answer:
        """Count what is done, and answer with the code that the payment has at first."""
        if not is_declined(entry.ending.final):
            reference = entry.form.get("merchantTransactionId")
            call.did_work(*([reference] if reference else []))
        call.exchange.request_id = entry.id
        return self._payment(entry, entry.ending.code)

    def _read(self, operation: str, call: Call) -> Answer:
        if call.query_values().get("entityId") != call.owner:
            told: JsonObject = {"parameterErrors": [{"name": "entityId", "message": "is not the token's"}]}
            return json_answer(400, self._about({"result": told}))
        if operation == "checkout_status":
            return self._checkout_status(call)
        entry = self._entry(call.params["id"], call.owner)
        if entry is None:
            return self.error(404, "not_found", "There is no such payment.")
        return self._payment(entry, entry.code_at(self._now))

    def _prepare(self, call: Call, form: dict[str, str]) -> Answer:
        made = Checkout(self._book.new_id(), call.owner, form, self._now + _LIFE_OF_A_CHECKOUT)
        self._book.checkouts[made.id] = made
        call.exchange.request_id = made.id
        return json_answer(200, self._about({"id": made.id, "result": result(BEGUN)}))

    def _checkout_status(self, call: Call) -> Answer:
        checkout = self._checkout(call.params["id"])
        if checkout is None or checkout.owner != call.owner:
            return self.error(404, "not_found", "There is no such checkout.")
        if checkout.paid is None:
            return json_answer(200, self._about({"id": checkout.id, "result": result(BEGUN)}))
        return self._payment(checkout.paid, checkout.paid.code_at(self._now))

    def _widget(self, call: Call) -> Answer:
        if self._checkout(call.params["id"]) is None:
            return self.error(404, "not_found", "There is no such checkout.")
        return Answer(200, b"/* the payment form */", ((b"content-type", b"text/javascript"),))

    def _payment(self, entry: Entry, code: str) -> Answer:
        status = self.settings.declined_status if is_declined(code) else 200
        said: JsonObject = {"id": entry.id, "paymentType": entry.payment_type, "result": result(code)}
        for name in ("amount", "currency", "merchantTransactionId"):
            if entry.form.get(name):
                said[name] = entry.form[name]
        return json_answer(status, self._about(said))

    def _about(self, said: JsonObject) -> JsonObject:
        moment = datetime.fromtimestamp(self._now, UTC)
        stamp = f"{moment:%Y-%m-%d %H:%M:%S}+0000"
        return {**said, "buildNumber": _BUILD, "timestamp": stamp, "ndc": self._book.new_id()}

    def _entry(self, payment_id: str, owner: str) -> Entry | None:
        entry = self._book.entries.get(payment_id)
        return entry if entry is not None and entry.owner == owner else None

    def _checkout(self, checkout_id: str) -> Checkout | None:
        """A checkout that is paid, or has not lapsed."""
        found = self._book.checkouts.get(checkout_id)
        return found if found is not None and (found.paid is not None or self._now < found.lapses_at) else None

    @property
    def _now(self) -> float:
        return self.stage.clock.now()

    # What a tester does: each of these is a command, and takes and returns JSON values

    def add_merchant(self, entity_id: str | None = None, token: str | None = None) -> JsonObject:
        """Let an entity call; what is not given is made up."""
        entity_id = entity_id or f"EB{len(self._book.tokens) + 1:06d}"
        token = token or f"sandbox-{self._book.new_id()}"
        self._book.tokens[token] = entity_id
        return {"entity_id": entity_id, "token": token}

    def decide(self, reference: str, code: str = SUCCEEDED, then: str | None = None, after: float = 0.0) -> None:
        """How the next payments of a merchant's reference go."""
        self._book.endings[reference] = Ending(code, then, after)

    def pay_checkout(self, checkout_id: str, code: str = SUCCEEDED) -> JsonObject:
        """Be the shopper who pays a checkout."""
        checkout = self._checkout(checkout_id)
        if checkout is None:
            raise NotThere("There is no such checkout, or it has lapsed.")
        form = checkout.form
        checkout.paid = self._book.new_entry(checkout.owner, form["paymentType"], form, hundredths(form), self._now)
        checkout.paid.ending = Ending(code)
        return {"id": checkout.paid.id}

    def notification(self, payment_id: str) -> JsonObject:
        """The notification that would be sent now: what an inquiry is answered."""
        entry = self._book.entries.get(payment_id)
        if entry is None:
            raise NotThere("There is no such payment.")
        return {"body": self._payment(entry, entry.code_at(self._now)).body.decode()}

    def payment_ids(self) -> list[str]:
        """All payments and steps, oldest first."""
        return list(self._book.entries)
