"""EastPay's sandbox: its options, what it keeps, what its operations do, and what it posts.

By its page, notifications "notify you of a change in status of a payment", `notificationUrl` "will
receive the result of an asynchronous payment", and the message "is the same as the response of
Inquiry API". It names no signature.

The sandbox's own choice: that a notification is a POST of JSON; that a result which the answer to
the call had already is not notified; that a status from 200 to 299 takes it; when it is posted
again, for three days; and that it says then what an inquiry says by then.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from victor_ext.sandbox.eastpay._payments import (
    EXPIRED_CARD,
    REFUSED_STEP,
    STARTED,
    STEPS,
    WRONG_CVV,
    Checkout,
    Ending,
    PaymentEntry,
    hundredths,
    is_declined,
    is_error,
    result,
)
from victor_ext.sandbox.engine import Asked, Result
from victor_ext.sandbox.server import (
    Clock,
    JsonObject,
    NotFound,
    Notifications,
    NotifyingSettings,
    Posted,
    Response,
    Validator,
    find,
    load_document,
)

DOCUMENT = "eastpay.yaml"
EVENT = "payment"
"""What the log calls each notification: the page names no events."""
_CHECKOUT_LIFE = 15 * 60
_SCRIPT = ((b"content-type", b"text/javascript"),)


@dataclass(frozen=True, kw_only=True, slots=True)
class EastPaySettings(NotifyingSettings):
    """The options of the sandboxes that post notifications."""


class EastPayState:
    """What a gateway keeps, and what its operations do."""

    def __init__(
        self,
        clock: Clock,
        settings: EastPaySettings,
        posting: Notifications,
        message: Callable[[PaymentEntry], bytes],
    ) -> None:
        self._clock = clock
        self._settings = settings
        self._random = random.Random(settings.seed)  # noqa: S311 (ids, no secrets)
        self._posting = posting
        self._message = message
        """What a notification says of a payment."""
        self.now = clock.now
        self.tokens: dict[str, str] = {}
        self.entries: dict[str, PaymentEntry] = {}
        self.checkouts: dict[str, Checkout] = {}
        self.endings: dict[str, Ending] = {}

    def new_id(self) -> str:
        return f"{self._random.getrandbits(128):032x}"

    def add_merchant(self, entity_id: str | None = None, token: str | None = None) -> JsonObject:
        number = len(self.tokens) + 1
        entity_id = entity_id or f"EB{number:06d}"
        token = token or f"sandbox-token-not-a-secret-{number:06d}"
        self.tokens[token] = entity_id
        return {"entity_id": entity_id, "token": token}

    def new_entry(self, owner: str, form: JsonObject, cents: int = 0) -> PaymentEntry:
        """Add the payment or the step that a checked form asks for, as of now and without the card
        data. `cents` is its amount where the form has none.
        """
        kept = {
            name: value
            for name, value in form.items()
            if value != "" and not name.startswith("card.")
        }
        entry = PaymentEntry(
            id=self.new_id(),
            owner=owner,
            form=kept,
            ending=self._ending(form),
            made_at=self.now(),
            cents=hundredths(form, cents),
        )
        self.entries[entry.id] = entry
        return entry

    def _ending(self, form: JsonObject) -> Ending:
        """The result of a payment: the bank looks at the card first."""
        if form.get("card.cvv") == "999":
            return Ending(WRONG_CVV)
        year, month = form.get("card.expiryYear"), form.get("card.expiryMonth", "12")
        if year and self._clock.is_over(int(year), int(month)):
            return Ending(EXPIRED_CARD)
        return self.endings.get(form.get("merchantTransactionId", ""), Ending())

    def checkout(self, checkout_id: str) -> Checkout:
        """A checkout that is paid or has not expired; raises `NotFound`."""
        checkout = find(self.checkouts, checkout_id, "checkout")
        if checkout.paid is None and self.now() >= checkout.expires_at:
            raise NotFound("The checkout has expired.")
        return checkout

    def about(self, entry: PaymentEntry, code: str | None = None) -> Result:
        """The answer about a payment, with a result code (None: the current one)."""
        code = code or entry.code_at(self.now())
        status = 400 if is_error(code) else 200
        return Result(body=_payment(entry, code), status=status)

    def notify(self, entry: PaymentEntry, *, after: float = 0.0) -> None:
        """Notify of a payment as it is then: at its `notificationUrl`, or at the address of
        `--notify`.
        """

        def make(_url: str, _was_posted: bool) -> Posted:  # noqa: FBT001 (as `Make` says)
            return Posted({"Content-Type": "application/json"}, self._message(entry))

        url = entry.form.get("notificationUrl")
        self._posting.add(EVENT, entry.id, make, url=url, after=after)

    # What the operations do

    def pay(self, asked: Asked) -> Result:
        return self._made(self.new_entry(asked.call.owner, asked.body))

    def follow_up(self, asked: Asked) -> Result:
        entry = self._own_entry(asked)
        step = self.new_entry(asked.call.owner, asked.body, entry.cents)
        asked.call.exchange.operation = STEPS[step.payment_type].name
        step.refusal = entry.refusal_of(step, self.now())
        if step.refusal:
            step.ending = Ending(REFUSED_STEP)
        entry.steps.append(step)
        return self._made(step)

    def _made(self, entry: PaymentEntry) -> Result:
        """The answer with the first code of a payment or a step. One that is declined is no
        work.
        """
        ending = entry.ending
        if ending.then not in (None, ending.code):
            self.notify(entry, after=ending.after)
        reference = entry.form.get("merchantTransactionId")
        work = None
        if not is_declined(entry.ending.final):
            work = [reference] if reference else []
        return replace(self.about(entry, entry.ending.code), made=entry.id, work=work)

    def inquire(self, asked: Asked) -> Result:
        return self.about(self._own_entry(asked))

    def prepare(self, asked: Asked) -> Result:
        made = Checkout(self.new_id(), asked.call.owner, asked.body, self.now() + _CHECKOUT_LIFE)
        self.checkouts[made.id] = made
        said = _result_of("POST", "/v3/checkouts").declared(made.form)
        return Result(body={**said, "id": made.id, "result": result(STARTED)}, made=made.id)

    def widget(self, asked: Asked) -> Response:
        """The program that shows the form of a checkout."""
        self.checkout(asked.about)
        return Response(200, b"/* the payment form */", _SCRIPT)

    def checkout_status(self, asked: Asked) -> Result:
        checkout = self.checkout(asked.about)
        if checkout.owner != asked.call.owner:
            raise NotFound("There is no such checkout.")
        if checkout.paid is None:
            return Result(body={"id": checkout.id, "result": result(STARTED)})
        return self.about(checkout.paid)

    def _own_entry(self, asked: Asked) -> PaymentEntry:
        entry = find(self.entries, asked.about, "payment")
        if entry.owner != asked.call.owner:
            raise NotFound("There is no such payment.")
        return entry


def stamp(at: float) -> str:
    return f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d %H:%M:%S}+0000"


def _payment(entry: PaymentEntry, code: str) -> JsonObject:
    """What is said of a payment. Amount and currency are repeated by the sandbox's choice."""
    form = entry.form
    return {
        **_result_of("GET", "/v3/payments/{id}").declared(form),
        **{name: form[name] for name in ("amount", "currency") if name in form},
        "id": entry.id,
        "result": result(code, entry.refusal),
    }


def _result_of(method: str, path: str) -> Validator:
    """What an answer repeats of a form: the members that the document declares in both."""
    return load_document(DOCUMENT).operation(method, path).response(200)
