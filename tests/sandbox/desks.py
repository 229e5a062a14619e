"""Signed-in callers of each system's sandbox, over httpx: they share nothing with the client.

What is done at a desk is a line: a step, then its values.
"""

import uuid
from contextlib import closing, contextmanager
from datetime import UTC, datetime

import httpx

from tests.sandbox.sandbox_callers import LIST
from victor_ext.sandbox import Sandbox
from victor_ext.sandbox.eastpay import EastPaySandbox
from victor_ext.sandbox.flexfactor import FlexFactorSandbox
from victor_ext.sandbox.velo import VeloSandbox


class Desk:
    """A caller of one system; `sandbox` may be in another process."""

    sandbox_type: type
    party = ""
    """The id of whom the credentials are for, where calls name one."""

    def __init__(self, sandbox):
        self.sandbox = sandbox
        self.http = httpx.Client(base_url=sandbox.url, verify=False, trust_env=False)
        now = datetime.fromtimestamp(sandbox.clock()["now"], UTC)
        self.this_month = [now.year, now.month]
        self.http.headers["authorization"] = f"Bearer {self.sign_in()}"

    def sign_in(self):
        """Prepare the sandbox; returns a token."""
        raise NotImplementedError

    def close(self):
        self.http.close()

    def step(self, line):
        what, *values = line.split()
        return getattr(self if hasattr(self, what) else self.sandbox, what)(*values)

    def advance(self, seconds):
        self.sandbox.advance(float(seconds))
        return httpx.Response(200)

    def is_refused(self, response):
        return response.status_code >= 400

    def moved(self):
        """What money has moved, as the sandbox tells."""
        raise NotImplementedError

    def total(self):
        """The same, without the ids of what was done."""
        return [*self.moved()]

    def expiry(self, card):
        return self.this_month if card == "this" else [*map(int, card.split("-"))]


class EastPayDesk(Desk):
    """The newest payment is the one that steps follow. `result` is a code that was decided."""

    sandbox_type = EastPaySandbox

    def sign_in(self):
        self.party, token = self.sandbox.add_merchant()
        return token

    def send(
        self, kind, amount="92.00", currency="EGP", card="", result="", *, path="payments", **more
    ):
        reference = more.setdefault("merchantTransactionId", uuid.uuid4().hex)
        if result:
            self.sandbox.decide(reference, result)
        form = {"entityId": self.party, "entityType": "MERCHANT", "paymentType": kind, **more}
        form |= {"amount": amount, "currency": currency}
        if card not in ("", "none"):
            year, month = self.expiry(card)
            form |= {"card.expiryYear": f"{year}", "card.expiryMonth": f"{month:02}"}
        given = {name: value for name, value in form.items() if value}
        return self.http.post(f"/eastpay/v3/{path}", data=given)

    def pay(self, kind="DB", *values, **more):
        response = self.send(kind, *values, **more)
        self.payment = response.json()["id"]
        return response

    def follow(self, kind, amount="", currency="", *more):
        response = self.send(kind, amount, currency, *more, path=f"payments/{self.payment}")
        self.last = response.json()["id"]
        return response

    def follow_last(self, kind, *values):
        return self.send(kind, *values, path=f"payments/{self.last}")

    def inquiry(self):
        where = {"entityId": self.party, "entityType": "MERCHANT"}
        return self.http.get(f"/eastpay/v3/payments/{self.payment}", params=where).json()

    def moved(self):
        return [work for work in self.sandbox.work_done_by_reference().values() if work]

    def total(self):
        return sum(self.moved())


class FlexFactorDesk(Desk):
    """The newest order is the one that steps are about."""

    sandbox_type = FlexFactorSandbox

    def sign_in(self):
        key, secret, self.party = self.sandbox.add_client()
        self.card = {"cardNumber": self.sandbox.add_card(token="tok_4242")}
        pair = {"appKey": key, "appSecret": secret}
        return self.http.post("/v1/oauth2/token", json=pair).json()["accessToken"]

    def evaluate(self, decision, amount="500", currency="USD", card="", name="INV-1"):
        self.sandbox.decide(decision, name)
        at, card_data = "2026-03-04T05:06:07Z", dict(self.card)
        if card not in ("", "none"):
            year, month = self.expiry(card)
            card_data |= {"expirationYear": year, "expirationMonth": month}
        transaction = {"id": "t", "timestampUtc": at, "amount": int(amount), "currency": currency}
        response = self.send("evaluate", {
            "isDeclined": True, "mid": self.party, "orderId": name, "paymentMethod": card_data,
            "payer": {"email": "ada@example.com"}, "transaction": transaction,
        })  # fmt: skip
        self.order = response.json()["orderId"]
        return response

    def send(self, path, body):
        return self.http.post(f"/v1/{path}", json={"idempotencyKey": str(uuid.uuid4()), **body})

    def capture(self, amount, currency):
        body = {"orderId": self.order, "amount": int(amount), "currency": currency}
        return self.send("capture", body)

    def refund(self, dollars):
        body = {"amountToRefund": float(dollars)}
        return self.http.post(f"/v1/orders/{self.order}/refund", json=body)

    def cancel(self):
        return self.send(f"orders/{self.order}/cancel", {})

    def is_refused(self, response):
        return super().is_refused(response) or (
            bool(response.content) and not response.json()["success"]
        )

    def moved(self):
        if "INV-1" not in self.sandbox.work_done_by_reference():
            return 0, 0
        order = self.sandbox.order_record("INV-1")
        return order["captured"], order["refunded"]


class VeloDesk(Desk):
    """The account `USD account` has 1,000.00 USD. The newest payout is the one that steps move."""

    sandbox_type = VeloSandbox

    def sign_in(self):
        self.party = self.sandbox.payor_id
        self.sandbox.add_payee("payee-7")
        self.account = self.sandbox.add_source_account("USD account", "USD", 100_000)
        where = "/v1/authenticate?grant_type=client_credentials"
        return self.http.post(where, auth=self.sandbox.add_key()).json()["access_token"]

    def fund(self, currency, amount):
        bank = self.sandbox.add_funding_account("the bank", currency)
        body = {"fundingAccountId": bank, "amount": int(amount)}
        return self.http.post(f"/v3/sourceAccounts/{self.account}/fundingRequest", json=body)

    def submit(self, amount="500", currency="USD", reference="INV-1", **changes):
        payment = {
            "remoteId": "payee-7", "currency": currency, "amount": int(amount),
            "sourceAccountName": "USD account", "payorPaymentId": reference, **changes,
        }  # fmt: skip
        response = self.http.post("/v3/payouts", json={"payments": [payment]})
        self.payout = response.headers["location"]
        return response

    def quote(self):
        return self.http.post(f"{self.payout}/quote")

    def instruct(self):
        return self.http.post(self.payout)

    def withdraw(self):
        return self.http.delete(self.payout)

    def schedule(self, seconds, notified=True):
        at = datetime.fromtimestamp(self.sandbox.clock()["now"] + int(seconds), UTC)
        body = {"scheduledFor": at.isoformat(), "notificationsEnabled": notified}
        return self.http.post(f"{self.payout}/schedule", json=body)

    def pay(self):
        """A payout's life: submitted, accepted, instructed, confirmed."""
        self.submit()
        assert self.instruct().status_code == 202
        self.sandbox.advance(30)

    def moved(self):
        return self.sandbox.balance(self.account), self.sandbox.work_done_by_reference()

    def total(self):
        return self.sandbox.balance(self.account)


class VictorDesk(Desk):
    """An inbound request for 5.00 USD, which allows another amount or not."""

    sandbox_type = Sandbox

    def sign_in(self):
        client_id, client_secret = self.sandbox.add_oauth_client()
        pair = {"client_id": client_id, "client_secret": client_secret}
        return self.http.post("/v2/auth/token", json=pair).json()["access_token"]

    def asked(self, allows_another_amount):
        is_open = allows_another_amount == "open"
        self.request = self.sandbox.create_inbound("5.00", amount_modification_allowed=is_open)
        return httpx.Response(200)

    def answer(self, status, amount=""):
        more = {"modified_amount": amount} if amount else {}
        body = {"status": status, "notes": "Fine.", **more}
        return self.http.post(f"{LIST}/respond-to-request/{self.request}", json=body)

    def moved(self):
        request = self.sandbox.request(self.request)
        return request["status"], request["amount"]


DESKS = {
    "victor": VictorDesk,
    "velo": VeloDesk,
    "eastpay": EastPayDesk,
    "flexfactor": FlexFactorDesk,
}


@contextmanager
def desk_of(system, **options):
    """A desk at a sandbox of its own, with these options."""
    sandbox_type = DESKS[system].sandbox_type
    settings = sandbox_type.provider_type.settings_type(**options)
    with sandbox_type(settings) as sandbox, closing(DESKS[system](sandbox)) as desk:
        yield desk
