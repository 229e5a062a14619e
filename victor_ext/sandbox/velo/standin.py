"""Velo's side of the sandbox: who may come in, and which part answers."""

from __future__ import annotations

import base64
import random
import uuid
from typing import TYPE_CHECKING, ClassVar

from victor_ext.sandbox.server import NotThere, ServerSettings, StandIn, TokenBook, empty_answer, json_answer
from victor_ext.sandbox.velo.accounts import Accounts
from victor_ext.sandbox.velo.operations import AUDIT_FILTERS, COMMANDS, OPERATIONS, PAYEE_FILTERS, PAYMENT_FILTERS
from victor_ext.sandbox.velo.payees import Payees
from victor_ext.sandbox.velo.payouts import Payouts
from victor_ext.sandbox.velo.settings import VeloSettings
from victor_ext.sandbox.velo.shapes import Refused, an_object, error_body, iso, matches, moment_of, page_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from victor_ext.sandbox.server import Answer, Call, SandboxContext
    from victor_ext.sandbox.server.jsontypes import JsonObject


class VeloStandIn(StandIn[VeloSettings]):
    """State and rules. All of it runs on one thread, and nothing waits."""

    name = "velo"
    title = "Velo"
    operations = OPERATIONS
    commands = COMMANDS
    settings_type: ClassVar[type[ServerSettings]] = VeloSettings

    def __init__(self, stage: SandboxContext, settings: VeloSettings) -> None:
        super().__init__(stage, settings)
        self._dice = random.Random(settings.seed)  # noqa: S311 (ids of a sandbox, not secrets)
        now = stage.clock.now
        self._keys: dict[str, str] = {}
        self._tokens = TokenBook(stage.clock)
        self._payor_id = self._new_id()
        self._told: list[JsonObject] = []
        self._payees = Payees(now, self._new_id, settings.batch_time)
        self._accounts = Accounts(now, self._new_id, settings.funding_time, settings.retry_after)
        self._payouts = Payouts(now, self._new_id, settings, self._payees, self._accounts, self._tell)

    def _new_id(self) -> str:
        return str(uuid.UUID(int=self._dice.getrandbits(128), version=4))

    def reset(self) -> None:
        """Forget everything, credentials included. The payor stays the same one."""
        for known in (self._keys, self._tokens, self._told, self._payees, self._accounts, self._payouts):
            known.clear()

    def error(self, status: int, code: str, message: str) -> Answer:
        """Velo's shape of an error."""
        return error_body(status, code, message, self._new_id)

    def advance(self, seconds: float) -> int:
        """Set the clock forward, and do what is due."""
        super().advance(seconds)
        return self._payouts.move() + self._accounts.move()

    # Who may come in

    def answer(self, operation: str, call: Call) -> Answer:
        """Let the caller in and do the work."""
        try:
            if operation == "authenticate":
                return self._authenticate(call)
            token = (call.header("authorization") or "").removeprefix("Bearer ")
            owner = self._tokens.owner(token)
            if owner is None:
                raise Refused(401, "token", "The access token is invalid.")
            if operation == "logout":
                self._tokens.revoke(token)
                return empty_answer(204)
            call.owner = owner
            self._accounts.move()
            answering: Callable[[Call], Answer] = getattr(self, f"_{operation}")
            return answering(call)
        except Refused as refused:
            return error_body(refused.status, refused.code, refused.message, self._new_id, refused.location)
        except (ValueError, UnicodeError):
            return self.error(400, "body", "The request cannot be read.")

    def _authenticate(self, call: Call) -> Answer:
        if call.body:
            raise Refused(400, "body", "The body must be empty.")
        if call.query_values().get("grant_type") != "client_credentials":
            raise Refused(400, "body", "grant_type must be client_credentials.", "grant_type")
        kind, _, pair = (call.header("authorization") or "").partition(" ")
        key, _, secret = base64.b64decode(pair, validate=True).decode("utf-8").partition(":")
        if kind != "Basic" or not secret or self._keys.get(key) != secret:
            raise Refused(401, "credentials", "Key and secret are not a pair.")
        token, _ = self._tokens.issue(key, self.settings.token_life)
        body = {
            "access_token": token, "token_type": "bearer", "expires_in": self.settings.token_life,
            "scope": "sandbox", "entityIds": [self._payor_id],
        }  # fmt: skip
        return json_answer(200, body, {"Cache-Control": "no-store", "Pragma": "no-cache"})

    def _mine(self, query: dict[str, str], *, required: bool) -> str:
        """The payor of a query, who must be the one there is."""
        payor_id = query.get("payorId")
        if payor_id is None and required:
            raise Refused(400, "body", "payorId is missing.", "payorId")
        if payor_id is not None and payor_id != self._payor_id:
            raise Refused(403, "forbidden", "This key is not for that payor.", "payorId")
        return self._payor_id

    # Payees

    def _list_payees(self, call: Call) -> Answer:
        query = call.query_values()
        payees = self._payees.of(self._mine(query, required=True))
        named = query.get("remoteId")
        found = [one for one in payees if named is None or one["payorRefs"][0]["remoteId"] == named]
        return json_answer(200, page_of([one for one in found if matches(one, query, PAYEE_FILTERS)], query))

    def _create_payees(self, call: Call) -> Answer:
        body = an_object(call.json())
        self._mine({"payorId": str(body.get("payorId"))}, required=True)
        batch_id, made = self._payees.create(body)
        call.exchange.request_id = batch_id
        call.did_work(*made)
        return empty_answer(201, {"Location": f"/v4/payees/batch/{batch_id}"})

    def _get_batch(self, call: Call) -> Answer:
        return json_answer(200, self._payees.batch(call.params["batch_id"]))

    def _get_payee(self, call: Call) -> Answer:
        payee = self._payees.all.get(call.params["payee_id"])
        if payee is None:
            raise Refused(404, "missing", "There is no such payee.")
        return json_answer(200, payee)

    def _payee_changes(self, call: Call) -> Answer:
        return self._feed(call, self._payees.changes, 100, 1000)

    # Accounts

    def _list_sources(self, call: Call) -> Answer:
        query = call.query_values()
        self._mine(query, required=False)
        return json_answer(200, page_of(list(self._accounts.sources.values()), query))

    def _get_source(self, call: Call) -> Answer:
        return json_answer(200, self._accounts.source(call.params["account_id"]))

    def _fund(self, call: Call) -> Answer:
        funding_id = self._accounts.fund(call.params["account_id"], an_object(call.json()))
        call.exchange.request_id = funding_id
        call.did_work(call.params["account_id"])
        return empty_answer(202, {"Location": f"/v1/fundings/{funding_id}"})

    def _list_banks(self, call: Call) -> Answer:
        query = call.query_values()
        self._mine(query, required=False)
        return json_answer(200, page_of(self._accounts.readable_banks(), query))

    def _create_bank(self, call: Call) -> Answer:
        body = an_object(call.json())
        self._mine({"payorId": str(body.get("payorId"))}, required=True)
        account_id = self._accounts.create_bank(body)
        call.exchange.request_id = account_id
        call.did_work(body["name"])
        wait = str(self.settings.retry_after)
        return empty_answer(202, {"Location": f"/v2/fundingAccounts/{account_id}", "Retry-After": wait})

    def _get_bank(self, call: Call) -> Answer:
        return json_answer(200, self._accounts.bank(call.params["account_id"]))

    def _get_funding(self, call: Call) -> Answer:
        funding = self._accounts.fundings.get(call.params["funding_id"])
        if funding is None:
            raise Refused(404, "missing", "There is no such funding.")
        return json_answer(200, funding)

    def _funding_changes(self, call: Call) -> Answer:
        return self._feed(call, self._accounts.changes, 25, 100)

    # Payouts

    def _submit(self, call: Call) -> Answer:
        payout_id, references = self._payouts.submit(self._payor_id, an_object(call.json()))
        call.exchange.request_id = payout_id
        for reference in references[:1]:
            call.refers_to(reference)
        call.did_work(*references)
        return empty_answer(202, {"Location": f"/v3/payouts/{payout_id}"})

    def _get_payout(self, call: Call) -> Answer:
        return json_answer(200, self._payouts.summary(self._payouts.get(call.params["payout_id"])))

    def _quote(self, call: Call) -> Answer:
        return json_answer(200, self._payouts.quote(call.params["payout_id"]))

    def _instruct(self, call: Call) -> Answer:
        self._payouts.instruct(call.params["payout_id"])
        call.did_work(call.params["payout_id"])
        return empty_answer(202)

    def _withdraw(self, call: Call) -> Answer:
        self._payouts.withdraw(call.params["payout_id"])
        call.did_work(call.params["payout_id"])
        return empty_answer(202)

    def _payout_payments(self, call: Call) -> Answer:
        query = call.query_values()
        payments = self._payouts.get(call.params["payout_id"]).payments
        return json_answer(200, page_of([one for one in payments if matches(one, query, PAYMENT_FILTERS)], query))

    def _list_payments(self, call: Call) -> Answer:
        query = call.query_values()
        first, last = query.get("submittedDateFrom", "0"), query.get("submittedDateTo", "9")
        found = [
            one
            for one in self._payouts.audit(self._mine(query, required=True))
            if matches(one, query, AUDIT_FILTERS) and first <= one["submittedDateTime"][:10] <= last
        ]
        return json_answer(200, page_of(found, query))

    def _payment_changes(self, call: Call) -> Answer:
        return self._feed(call, self._payouts.changes, 100, 1000)

    def _feed(self, call: Call, changes: Callable[[str, float], list[JsonObject]], usual: int, most: int) -> Answer:
        query = call.query_values()
        payor_id = self._mine(query, required=True)
        since = moment_of(query.get("updatedSince"), "updatedSince")
        return json_answer(200, page_of(changes(payor_id, since), query, usual=usual, most=most))

    # What a tester does: each of these is a command, and takes and returns JSON values

    def add_key(self, api_key: str | None = None, api_secret: str | None = None) -> JsonObject:
        """Let a client ask for tokens; what is not given is made up."""
        key, secret = api_key or uuid.uuid4().hex, api_secret or uuid.uuid4().hex
        self._keys[key] = secret
        return {"api_key": key, "api_secret": secret}

    def payor(self) -> JsonObject:
        """The one payor there is."""
        return {"payor_id": self._payor_id}

    def add_payee(self, remote_id: str) -> JsonObject:
        """A payee, at once."""
        return self._payees.add(self._payor_id, {"remoteId": remote_id, "email": "payee@example.com"})

    def add_source_account(self, name: str, currency: str, balance: int) -> JsonObject:
        """A source account with a balance in minor units."""
        return self._accounts.add_source(self._payor_id, name, currency, balance)

    def add_funding_account(self, name: str, currency: str) -> JsonObject:
        """A funding account, at once."""
        return self._accounts.add_bank(self._payor_id, name, currency)

    def balance(self, account_id: str) -> int:
        """The balance of a source account, in minor units."""
        if account_id not in self._accounts.sources:
            raise NotThere("There is no such source account.")
        found: int = self._accounts.sources[account_id]["balance"]
        return found

    def notifications(self, after: int = 0) -> list[JsonObject]:
        """What Velo would have posted to a webhook, from a number on. The sandbox posts nothing by itself."""
        return [one for one in self._told if one["sequenceNumber"] > after]

    def tokens_issued(self) -> dict[str, int]:
        """How many tokens each key was given."""
        return dict(self._tokens.issued)

    def revoke_tokens(self) -> int:
        """Make every token worthless."""
        return self._tokens.revoke()

    def client_settings(self, url: str) -> str:
        """What `--env-file` writes."""
        made = self.add_key()
        return f"VELO_BASE_URL={url}\nVELO_API_KEY={made['api_key']}\nVELO_API_SECRET={made['api_secret']}\n"

    def _tell(self, event: str, payment: JsonObject) -> None:
        self._told.append({
            "apiVersion": "1",
            "sequenceNumber": len(self._told) + 1,
            "category": "payment",
            "eventName": event,
            "source": {
                "sourceType": "payment_status_changed",
                "eventId": self._new_id(),
                "createdAt": iso(self.stage.clock.now()),
                "paymentId": payment["paymentId"],
                "payorPaymentId": payment["payorPaymentId"],
                "status": payment["status"],
            },
        })  # fmt: skip
