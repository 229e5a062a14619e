"""Velo's side of the sandbox: authentication, and the operations of its API."""

from __future__ import annotations

import base64
import random
import uuid
from collections.abc import Callable

from victor_ext.sandbox.server import (
    Call,
    JsonObject,
    Response,
    SandboxContext,
    SandboxProvider,
    TokenStore,
    empty_response,
    json_response,
)
from victor_ext.sandbox.velo.accounts import Accounts
from victor_ext.sandbox.velo.commands import VeloCommands
from victor_ext.sandbox.velo.formats import Refused, error_body, find, iso, matches, moment_of, object_of, page_of
from victor_ext.sandbox.velo.operations import AUDIT_FILTERS, OPERATIONS, PAYEE_FILTERS, PAYMENT_FILTERS
from victor_ext.sandbox.velo.payees import Payees
from victor_ext.sandbox.velo.payouts import Payouts
from victor_ext.sandbox.velo.settings import VeloSettings


class VeloProvider(SandboxProvider[VeloSettings]):
    """Payees, accounts and payouts of one payor."""

    name = "velo"
    title = "Velo"
    operations = OPERATIONS
    settings_type = VeloSettings
    commands_type = VeloCommands

    def __init__(self, context: SandboxContext, settings: VeloSettings) -> None:
        super().__init__(context, settings)
        self._random = random.Random(settings.seed)  # noqa: S311 (ids, no secrets)
        now = context.clock.now
        self._keys: dict[str, str] = {}
        self.tokens = TokenStore(context.clock)
        self.payor_id = self._new_id()
        self.notifications: list[JsonObject] = []
        self.payees = Payees(now, self._new_id, settings.batch_time)
        self.accounts = Accounts(now, self._new_id, settings.funding_time, settings.retry_after)
        self._payouts = Payouts(now, self._new_id, settings, self.payees, self.accounts, self._notify)

    def _new_id(self) -> str:
        return str(uuid.UUID(int=self._random.getrandbits(128), version=4))

    def reset(self) -> None:
        """Forget everything, credentials included. The payor stays."""
        for part in (self._keys, self.tokens, self.notifications, self.payees, self.accounts, self._payouts):
            part.clear()

    def error(self, status: int, code: str, message: str) -> Response:
        """Velo's shape of an error."""
        return error_body(status, code, message, self._new_id)

    def advance(self, seconds: float) -> int:
        """Set the business clock forward and make the moves that are due."""
        super().advance(seconds)
        return self._payouts.move() + self.accounts.move()

    def handle(self, operation: str, call: Call) -> Response:
        """Authenticate the caller and do the work."""
        try:
            if operation == "authenticate":
                return self._authenticate(call)
            token = call.bearer_token
            owner = self.tokens.owner(token)
            if owner is None:
                raise Refused(401, "token", "The access token is invalid.")
            if operation == "logout":
                self.tokens.revoke(token)
                return empty_response(204)
            call.owner = owner
            self.accounts.move()
            handler: Callable[[Call], Response] = getattr(self, f"_{operation}")
            return handler(call)
        except Refused as refused:
            return error_body(refused.status, refused.code, refused.message, self._new_id, refused.location)
        except (ValueError, UnicodeError):
            return self.error(400, "body", "The request cannot be read.")

    def _authenticate(self, call: Call) -> Response:
        if call.body:
            raise Refused(400, "body", "The body must be empty.")
        if call.query_values().get("grant_type") != "client_credentials":
            raise Refused(400, "body", "grant_type must be client_credentials.", "grant_type")
        kind, _, pair = (call.header("authorization") or "").partition(" ")
        key, _, secret = base64.b64decode(pair, validate=True).decode("utf-8").partition(":")
        if kind != "Basic" or not secret or self._keys.get(key) != secret:
            raise Refused(401, "credentials", "Key and secret are not a pair.")
        token, _ = self.tokens.issue(key, self.settings.token_life)
        body = {
            "access_token": token,
            "token_type": "bearer",
            "expires_in": self.settings.token_life,
            "scope": "sandbox",
            "entityIds": [self.payor_id],
        }
        return json_response(200, body, {"Cache-Control": "no-store", "Pragma": "no-cache"})

    def _payor_of(self, query: dict[str, str], *, required: bool) -> str:
        """The payor of a query, which must be the only one."""
        payor_id = query.get("payorId")
        if payor_id is None and required:
            raise Refused(400, "body", "payorId is missing.", "payorId")
        if payor_id is not None and payor_id != self.payor_id:
            raise Refused(403, "forbidden", "This key is not for that payor.", "payorId")
        return self.payor_id

    # Payees

    def _list_payees(self, call: Call) -> Response:
        query = call.query_values()
        payees = self.payees.of(self._payor_of(query, required=True))
        named = query.get("remoteId")
        found = [one for one in payees if named is None or one["payorRefs"][0]["remoteId"] == named]
        return json_response(200, page_of([one for one in found if matches(one, query, PAYEE_FILTERS)], query))

    def _create_payees(self, call: Call) -> Response:
        body = object_of(call.json())
        self._payor_of({"payorId": str(body.get("payorId"))}, required=True)
        batch_id, made = self.payees.create(body)
        call.exchange.request_id = batch_id
        call.did_work(*made)
        return empty_response(201, {"Location": f"/v4/payees/batch/{batch_id}"})

    def _get_batch(self, call: Call) -> Response:
        return json_response(200, self.payees.batch(call.params["batch_id"]))

    def _get_payee(self, call: Call) -> Response:
        return json_response(200, find(self.payees.all, call.params["payee_id"], "payee"))

    def _payee_changes(self, call: Call) -> Response:
        return self._feed(call, self.payees.changes, 100, 1000)

    # Accounts

    def _list_sources(self, call: Call) -> Response:
        query = call.query_values()
        self._payor_of(query, required=False)
        return json_response(200, page_of(list(self.accounts.sources.values()), query))

    def _get_source(self, call: Call) -> Response:
        return json_response(200, self.accounts.source(call.params["account_id"]))

    def _fund(self, call: Call) -> Response:
        funding_id = self.accounts.fund(call.params["account_id"], object_of(call.json()))
        call.exchange.request_id = funding_id
        call.did_work(call.params["account_id"])
        return empty_response(202, {"Location": f"/v1/fundings/{funding_id}"})

    def _list_banks(self, call: Call) -> Response:
        query = call.query_values()
        self._payor_of(query, required=False)
        return json_response(200, page_of(list(self.accounts.readable_banks().values()), query))

    def _create_bank(self, call: Call) -> Response:
        body = object_of(call.json())
        self._payor_of({"payorId": str(body.get("payorId"))}, required=True)
        account_id = self.accounts.create_bank(body)
        call.exchange.request_id = account_id
        call.did_work(body["name"])
        wait = str(self.settings.retry_after)
        return empty_response(202, {"Location": f"/v2/fundingAccounts/{account_id}", "Retry-After": wait})

    def _get_bank(self, call: Call) -> Response:
        return json_response(200, self.accounts.bank(call.params["account_id"]))

    def _get_funding(self, call: Call) -> Response:
        return json_response(200, find(self.accounts.fundings, call.params["funding_id"], "funding"))

    def _funding_changes(self, call: Call) -> Response:
        return self._feed(call, self.accounts.changes, 25, 100)

    # Payouts

    def _submit(self, call: Call) -> Response:
        payout_id, references = self._payouts.submit(self.payor_id, object_of(call.json()))
        call.exchange.request_id = payout_id
        for reference in references[:1]:
            call.refers_to(reference)
        call.did_work(*references)
        return empty_response(202, {"Location": f"/v3/payouts/{payout_id}"})

    def _get_payout(self, call: Call) -> Response:
        return json_response(200, self._payouts.summary(self._payouts.get(call.params["payout_id"])))

    def _quote(self, call: Call) -> Response:
        return json_response(200, self._payouts.quote(call.params["payout_id"]))

    def _instruct(self, call: Call) -> Response:
        self._payouts.instruct(call.params["payout_id"])
        call.did_work(call.params["payout_id"])
        return empty_response(202)

    def _withdraw(self, call: Call) -> Response:
        self._payouts.withdraw(call.params["payout_id"])
        call.did_work(call.params["payout_id"])
        return empty_response(202)

    def _payout_payments(self, call: Call) -> Response:
        query = call.query_values()
        payments = self._payouts.get(call.params["payout_id"]).payments
        return json_response(200, page_of([one for one in payments if matches(one, query, PAYMENT_FILTERS)], query))

    def _list_payments(self, call: Call) -> Response:
        query = call.query_values()
        first, last = query.get("submittedDateFrom", "0"), query.get("submittedDateTo", "9")
        found = [
            one
            for one in self._payouts.audit(self._payor_of(query, required=True))
            if matches(one, query, AUDIT_FILTERS) and first <= one["submittedDateTime"][:10] <= last
        ]
        return json_response(200, page_of(found, query))

    def _payment_changes(self, call: Call) -> Response:
        return self._feed(call, self._payouts.changes, 100, 1000)

    def _feed(
        self, call: Call, changes: Callable[[str, float], list[JsonObject]], default: int, largest: int
    ) -> Response:
        query = call.query_values()
        payor_id = self._payor_of(query, required=True)
        since = moment_of(query.get("updatedSince"), "updatedSince")
        return json_response(200, page_of(changes(payor_id, since), query, default=default, largest=largest))

    def add_key(self, api_key: str | None = None, api_secret: str | None = None) -> JsonObject:
        """Add a key. What is None is made."""
        key, secret = api_key or uuid.uuid4().hex, api_secret or uuid.uuid4().hex
        self._keys[key] = secret
        return {"api_key": key, "api_secret": secret}

    def client_settings(self, url: str) -> str:
        """A fresh key and its secret."""
        made = self.add_key()
        return f"VELO_BASE_URL={url}\nVELO_API_KEY={made['api_key']}\nVELO_API_SECRET={made['api_secret']}\n"

    def _notify(self, event: str, payment: JsonObject) -> None:
        notification = {
            "apiVersion": "1",
            "sequenceNumber": len(self.notifications) + 1,
            "category": "payment",
            "eventName": event,
            "source": {
                "sourceType": "payment_status_changed",
                "eventId": self._new_id(),
                "createdAt": iso(self.context.clock.now()),
                "paymentId": payment["paymentId"],
                "payorPaymentId": payment["payorPaymentId"],
                "status": payment["status"],
            },
        }
        self.notifications.append(notification)
