"""What a sandbox refuses to do with money, of all systems in one table, on the wire."""

import base64
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime

import httpx
import pytest

from tests.sandbox.sandbox_callers import API_KEY, Caller
from victor_ext.sandbox import Sandbox
from victor_ext.sandbox.eastpay import EastPaySandbox
from victor_ext.sandbox.flexfactor import FlexFactorSandbox
from victor_ext.sandbox.velo import VeloSandbox


class Desk:
    """A caller of one system. A step is a line: what is done, then its values."""

    sandbox_type: type

    def __init__(self, sandbox, http: httpx.Client, key_pair: tuple[str, str]) -> None:
        self.sandbox, self.http, self.key_pair = sandbox, http, key_pair
        self.card_of_this_month = f"{datetime.fromtimestamp(sandbox.clock()['now'], UTC):%Y-%m}"
        self.set_up()

    def set_up(self) -> None:
        raise NotImplementedError

    def step(self, line: str) -> httpx.Response:
        what, *values = line.split()
        return getattr(self, what.lower())(*values)

    def advance(self, seconds: str) -> httpx.Response:
        self.sandbox.advance(float(seconds))
        return httpx.Response(200)

    def is_refused(self, response: httpx.Response) -> bool:
        return response.status_code >= 400

    def moved(self) -> object:
        """What money has moved, as the sandbox tells."""
        raise NotImplementedError

    def expiry(self, card: str) -> list[int]:
        return [*map(int, (self.card_of_this_month if card == "this" else card).split("-"))]


class EastPayDesk(Desk):
    """The newest payment is the one that steps follow. `result` is a code that was decided."""

    sandbox_type = EastPaySandbox

    def set_up(self) -> None:
        self.entity_id, token = self.sandbox.add_merchant()
        self.http.headers["authorization"] = f"Bearer {token}"

    def send(
        self, kind, amount="", currency="", card="", result="", *, payment=""
    ) -> httpx.Response:
        reference = uuid.uuid4().hex
        if result:
            self.sandbox.decide(reference, result)
        form = {"entityId": self.entity_id, "entityType": "MERCHANT", "paymentType": kind}
        form |= {"amount": amount, "currency": currency, "merchantTransactionId": reference}
        if card not in ("", "none"):
            year, month = self.expiry(card)
            form |= {"card.expiryYear": f"{year}", "card.expiryMonth": f"{month:02}"}
        given = {name: value for name, value in form.items() if value}
        return self.http.post(f"/eastpay/v3/payments{payment}", data=given)

    def pay(self, kind: str, *values: str) -> httpx.Response:
        response = self.send(kind, *values)
        self.payment = f"/{response.json()['id']}"
        return response

    def follow(self, kind: str, *values: str) -> httpx.Response:
        response = self.send(kind, *values, payment=self.payment)
        self.last = f"/{response.json()['id']}"
        return response

    def follow_last(self, kind: str, *values: str) -> httpx.Response:
        return self.send(kind, *values, payment=self.last)

    def moved(self) -> object:
        return [work for work in self.sandbox.work_done_by_reference().values() if work]


class FlexFactorDesk(Desk):
    sandbox_type = FlexFactorSandbox

    def set_up(self) -> None:
        key, secret, self.mid = self.sandbox.add_client()
        token = self.http.post("/v1/oauth2/token", json={"appKey": key, "appSecret": secret}).json()
        self.http.headers["authorization"] = f"Bearer {token['accessToken']}"
        self.card = {"cardNumber": self.sandbox.add_card()}

    def evaluate(self, decision, amount="500", currency="USD", card="") -> httpx.Response:
        self.sandbox.decide(decision)
        at, card_data = "2026-03-04T05:06:07Z", dict(self.card)
        if card:
            year, month = self.expiry(card)
            card_data |= {"expirationYear": year, "expirationMonth": month}
        transaction = {"id": "t", "timestampUtc": at, "amount": int(amount), "currency": currency}
        response = self.send("evaluate", {
            "isDeclined": True, "mid": self.mid, "orderId": "INV-1", "paymentMethod": card_data,
            "payer": {"email": "ada@example.com"}, "transaction": transaction,
        })  # fmt: skip
        self.order = response.json()["orderId"]
        return response

    def send(self, path: str, body: dict) -> httpx.Response:
        return self.http.post(f"/v1/{path}", json={"idempotencyKey": str(uuid.uuid4()), **body})

    def capture(self, amount: str, currency: str) -> httpx.Response:
        body = {"orderId": self.order, "amount": int(amount), "currency": currency}
        return self.send("capture", body)

    def refund(self, dollars: str) -> httpx.Response:
        body = {"amountToRefund": float(dollars)}
        return self.http.post(f"/v1/orders/{self.order}/refund", json=body)

    def cancel(self) -> httpx.Response:
        return self.send(f"orders/{self.order}/cancel", {})

    def is_refused(self, response: httpx.Response) -> bool:
        return super().is_refused(response) or (
            bool(response.content) and not response.json()["success"]
        )

    def moved(self) -> object:
        if "INV-1" not in self.sandbox.work_done_by_reference():
            return 0, 0
        order = self.sandbox.order_record("INV-1")
        return order["captured"], order["refunded"]


class VeloDesk(Desk):
    """The account `dollars` has 5.00 USD."""

    sandbox_type = VeloSandbox

    def set_up(self) -> None:
        pair = base64.b64encode(":".join(self.sandbox.add_key()).encode()).decode()
        token = self.http.post(
            "/v1/authenticate?grant_type=client_credentials",
            headers={"authorization": f"Basic {pair}"},
        )
        self.http.headers["authorization"] = f"Bearer {token.json()['access_token']}"
        self.account = self.sandbox.add_source_account("dollars", "USD", 500)
        self.sandbox.add_payee("ada")

    def fund(self, currency: str, amount: str) -> httpx.Response:
        bank = self.sandbox.add_funding_account("the bank", currency)
        body = {"fundingAccountId": bank, "amount": int(amount)}
        return self.http.post(f"/v3/sourceAccounts/{self.account}/fundingRequest", json=body)

    def submit(self, amount: str, currency: str) -> httpx.Response:
        payment = {"remoteId": "ada", "sourceAccountName": "dollars", "payorPaymentId": "INV-1"}
        payment |= {"currency": currency, "amount": int(amount)}
        response = self.http.post("/v3/payouts", json={"payments": [payment]})
        self.payout = response.headers.get("location", "")
        return response

    def quote(self) -> httpx.Response:
        return self.http.post(f"{self.payout}/quote")

    def instruct(self) -> httpx.Response:
        return self.http.post(self.payout)

    def withdraw(self) -> httpx.Response:
        return self.http.delete(self.payout)

    def moved(self) -> object:
        return self.sandbox.balance(self.account), self.sandbox.work_done_by_reference()


class VictorDesk(Desk):
    """An inbound request for 5.00 USD, which allows another amount or not."""

    sandbox_type = Sandbox

    def set_up(self) -> None:
        private, public = self.key_pair
        self.sandbox.add_api_key(public, API_KEY)
        self.caller = Caller(self.sandbox.url, API_KEY, private)
        self.caller.http.close()
        self.caller.http = self.http

    def asked(self, allows_another_amount: str) -> httpx.Response:
        self.request = self.sandbox.create_inbound(
            "5.00", amount_modification_allowed=allows_another_amount == "open"
        )
        return httpx.Response(200)

    def answer(self, status: str, amount: str = "") -> httpx.Response:
        more = {"modified_amount": amount} if amount else {}
        return self.caller.respond(self.request, status, **more)

    def moved(self) -> object:
        request = self.sandbox.request(self.request)
        return request["status"], request["amount"]


DB, PA = "pay DB 5.00 EGP", "pay PA 5.00 EGP"
EASTPAY, EXPIRED = "100.300.100", "800.100.157"
CAPTURABLE, PAID = "evaluate CAPTUREREQUIRED 500 USD", "evaluate APPROVED 500 USD"

REFUSED = {
    EastPayDesk: [
        # Before it, what is refused, the status, and a part of the answer.
        ([DB], "follow RF 5.00 USD", 400, "The currency is EGP."),
        ([PA], "follow CP 5.00 USD", 400, "The currency is EGP."),
        ([PA], "follow RV 5.00 USD", 400, "The currency is EGP."),
        ([DB], "follow RF 5.01 EGP", 400, "at most 5.00."),
        ([DB], "follow RF 0.00 EGP", 400, EASTPAY),
        ([DB, "follow RF 3.00 EGP"], "follow RF 2.01 EGP", 400, "at most 2.00."),
        ([DB, "follow RF"], "follow RF", 400, EASTPAY),
        ([DB, "follow RF 5.00 EGP none 000.200.300"], "follow RF 0.01 EGP", 400, EASTPAY),
        ([DB, "follow RF 5.00 EGP none 000.000.00"], "follow RF 0.01 EGP", 400, EASTPAY),
        ([DB, "follow RF 5.00 EGP"], "follow_last RF 5.00 EGP", 400, EASTPAY),
        ([DB, "follow RV"], "follow RF", 400, "The payment was reversed."),
        ([DB, "follow RV"], "follow RV", 400, "The payment was reversed."),
        ([DB, "follow RF 1.00 EGP"], "follow RV", 400, EASTPAY),
        ([DB], "follow RV 5.01 EGP", 400, EASTPAY),
        ([DB], "follow CP", 400, "Only a PA is captured."),
        ([PA], "follow RF 0.01 EGP", 400, EASTPAY),
        ([PA, "follow CP 2.00 EGP"], "follow RF 2.01 EGP", 400, EASTPAY),
        ([PA, "follow CP 2.00 EGP none 000.200.300"], "follow RF 2.00 EGP", 400, EASTPAY),
        ([PA], "follow CP 5.01 EGP", 400, EASTPAY),
        ([PA, "follow CP"], "follow CP 0.01 EGP", 400, EASTPAY),
        ([PA, "follow CP 5.00 EGP none 000.200.300"], "follow CP 0.01 EGP", 400, EASTPAY),
        ([PA, "follow CP 5.00 EGP none 000.200.300"], "follow RV", 400, EASTPAY),
        ([PA, "follow RV"], "follow CP", 400, "The payment was reversed."),
        (["pay DB 5.00 EGP none 000.200.300"], "follow RF", 400, "has not succeeded"),
        ([], "pay DB 5.00 EGP 2020-12", 400, EXPIRED),
        ([], "pay PA 5.00 EGP 2020-12 000.000.000", 400, EXPIRED),
        (["advance 2764800"], "pay DB 5.00 EGP this", 400, EXPIRED),
    ],
    FlexFactorDesk: [
        ([CAPTURABLE], "capture 500 EUR", 200, "The currency of the order is USD, not EUR."),
        ([CAPTURABLE], "capture 501 USD", 200, "greater than the authorised one"),
        ([CAPTURABLE], "capture 0 USD", 400, "Amount"),
        ([CAPTURABLE, "capture 500 USD"], "capture 500 USD", 200, "not Capturerequired"),
        ([CAPTURABLE, "cancel"], "capture 500 USD", 200, "not Capturerequired"),
        ([CAPTURABLE], "refund 0.01", 200, "2001"),
        ([CAPTURABLE, "capture 200 USD"], "refund 2.01", 200, "amount in (2.00))"),
        ([CAPTURABLE, "cancel"], "refund 0.01", 200, "2001"),
        ([PAID], "refund 5.01", 200, "Amount to refund (5.01) is greater than maximum refund"),
        ([PAID], "refund 0", 200, "2001"),
        ([PAID, "refund 5.00"], "refund 5.00", 200, "maximum refund amount in (0.00))"),
        ([PAID, "refund 3.00"], "refund 2.01", 200, "maximum refund amount in (2.00))"),
        ([PAID], "cancel", 400, "cannot be cancelled"),
        ([], "evaluate APPROVED 500 USD 2020-12", 200, '"status":"DECLINED"'),
        (["advance 2764800"], "evaluate APPROVED 500 USD this", 200, '"status":"DECLINED"'),
    ],
    VeloDesk: [
        ([], "fund EUR 100", 400, "The account's currency is USD, the funding account's EUR."),
        ([], "fund USD 0", 400, "amount"),
        (["submit 100 EUR"], "instruct", 409, "needs a quote, and it has none"),
        (["submit 100 EUR", "quote", "advance 900"], "instruct", 409, "its quote has expired"),
        (["submit 100 USD", "instruct"], "instruct", 409, "The payout is INSTRUCTED."),
        (["submit 100 USD", "withdraw"], "instruct", 409, "The payout is WITHDRAWN."),
        (["submit 100 USD", "instruct"], "withdraw", 400, "The payout is INSTRUCTED."),
    ],
    VictorDesk: [
        (["asked closed"], "answer Accepted 4.00", 400, "modifiedAmount"),
        (["asked open"], "answer Accepted 0.00", 400, "modifiedAmount"),
        (["asked open"], "answer Declined 4.00", 400, "modifiedAmount"),
        (["asked open", "answer Accepted 4.00"], "answer Accepted 5.00", 400, "answered already"),
        (["asked open", "answer Declined"], "answer Accepted", 400, "answered already"),
    ],
}
ALLOWED = {
    EastPayDesk: [
        [DB, "follow RF 3.00 EGP", "follow RF 2.00"],
        [PA, "follow CP 3.00 EGP", "follow CP 2.00 EGP", "follow RF 5.00 EGP"],
        [PA, "follow RV"],
        ["pay DB 5.00 EGP none 000.000.00", "follow RV 5.00 EGP"],
        ["pay DB 5.00 EGP this", "follow RF"],
    ],
    FlexFactorDesk: [
        [CAPTURABLE, "capture 300 USD", "refund 1.00", "refund 2.00"],
        ["evaluate APPROVED 500 USD this", "refund 5.00"],
        [CAPTURABLE, "cancel", "cancel"],
    ],
    VeloDesk: [
        ["fund USD 100", "submit 100 USD", "instruct"],
        ["submit 100 EUR", "quote", "advance 899", "instruct"],
        ["submit 100 EUR", "quote", "advance 901", "quote", "instruct"],
    ],
    VictorDesk: [["asked open", "answer Accepted 4.00"]],
}


@pytest.fixture
def desk(kind: type[Desk], victor_key_pair: tuple[str, str]) -> Iterator[Desk]:
    with (
        kind.sandbox_type() as sandbox,
        httpx.Client(base_url=sandbox.url, verify=False, trust_env=False) as http,
    ):
        yield kind(sandbox, http, victor_key_pair)


@pytest.mark.parametrize(
    ("kind", "before", "line", "status", "words"),
    [(kind, *row) for kind, rows in REFUSED.items() for row in rows],
)
def test_money_that_cannot_move_does_not(
    desk: Desk, before: list[str], line: str, status: int, words: str
) -> None:
    for each in before:
        assert not desk.is_refused(desk.step(each)), each
    moved = desk.moved()
    response = desk.step(line)
    assert (response.status_code, desk.is_refused(response)) == (status, True), response.text
    assert words in response.text
    assert desk.moved() == moved


@pytest.mark.parametrize(
    ("kind", "lines"), [(kind, lines) for kind, rows in ALLOWED.items() for lines in rows]
)
def test_money_that_can_move_does(desk: Desk, lines: list[str]) -> None:
    for each in lines:
        response = desk.step(each)
        assert not desk.is_refused(response), (each, response.text)
