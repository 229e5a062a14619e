"""Velo's side of the sandbox: authentication, and the operations of its API."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from typing import Any

from victor_ext.sandbox.server import (
    Call,
    JsonObject,
    NotFound,
    Response,
    SandboxContext,
    SandboxProvider,
    empty_response,
    find,
    json_response,
)
from victor_ext.sandbox.velo.audit import Audit, AuditCalls
from victor_ext.sandbox.velo.commands import VeloCommands
from victor_ext.sandbox.velo.formats import (
    Refused,
    error_body,
    matches,
    moment_of,
    object_of,
    page_of,
    text_of,
)
from victor_ext.sandbox.velo.operations import (
    INVITATION_FILTERS,
    OPERATIONS,
    PAYEE_FILTERS,
    PAYMENT_FILTERS,
)
from victor_ext.sandbox.velo.state import State, VeloSettings


class VeloProvider(AuditCalls, SandboxProvider[VeloSettings]):
    """Payees, accounts and payouts of one payor."""

    state: State
    name = "velo"
    title = "Velo"
    operations = OPERATIONS
    settings_type = VeloSettings
    commands_type = VeloCommands

    def __init__(self, context: SandboxContext, settings: VeloSettings) -> None:
        super().__init__(context, settings)
        self.state = state = State(context.clock, settings)
        self.payor_id, self.payees, self.accounts = state.payor_id, state.payees, state.accounts
        self._payouts, self._webhooks = state.payouts, state.webhooks
        self._audit = Audit(context.clock.now, self._payouts)
        self._reads: dict[str, Callable[[Call], JsonObject]] = {
            "get_batch": lambda call: self.payees.batch(call.params["batch_id"]),
            "get_payee": lambda call: find(self.payees.all, call.params["payee_id"], "payee"),
            "payee_changes": lambda call: self._feed(call, self.payees.changes, 100, 1000),
            "get_source": lambda call: self.accounts.source(call.params["account_id"]),
            "get_bank": lambda call: self.accounts.bank(call.params["account_id"]),
            "get_funding": lambda call: find(self.accounts.fundings, call.params["funding_id"], "funding"),
            "funding_changes": lambda call: self._feed(call, self.accounts.changes, 25, 100),
            "get_payout": lambda call: self._payouts.summary(self._payouts.get(call.params["payout_id"])),
            "quote": lambda call: self._payouts.quote(call.params["payout_id"]),
            "payment_changes": lambda call: self._feed(call, self._payouts.changes, 100, 1000),
            "get_webhook": lambda call: self._webhooks.get(call.params["webhook_id"]),
            "list_sources": lambda call: self._all(call, self.accounts.sources),
            "list_banks": lambda call: self._all(call, self.accounts.readable_banks()),
        }

    def reset(self) -> None:
        self.state.clear()

    def error(self, status: int, code: str, message: str) -> Response:
        return error_body(status, code, message, self.state.new_id)

    def advance(self, seconds: float) -> int:
        super().advance(seconds)
        return self.state.move()

    def handle(self, operation: str, call: Call) -> Response:
        try:
            return self._authenticate(call) if operation == "authenticate" else self._serve(operation, call)
        except NotFound as error:
            return self.error(404, "missing", str(error))
        except Refused as refused:
            return error_body(refused.status, refused.code, refused.message, self.state.new_id, refused.location)
        except (ValueError, UnicodeError):
            return self.error(400, "body", "The request cannot be read.")

    def _serve(self, operation: str, call: Call) -> Response:
        token = call.bearer_token
        owner = self.state.tokens.owner(token)
        if owner is None:
            raise Refused(401, "token", "The access token is invalid.")
        if operation == "logout":
            self.state.tokens.revoke(token)
            return empty_response(204)
        call.owner = owner
        self.accounts.move()
        if operation in self._reads:
            return json_response(200, self._reads[operation](call))
        handler: Callable[[Call], Response] = getattr(self, f"_{operation}")
        return handler(call)

    def _authenticate(self, call: Call) -> Response:
        if call.body:
            raise Refused(400, "body", "The body must be empty.")
        if call.query_values().get("grant_type") != "client_credentials":
            raise Refused(400, "body", "grant_type must be client_credentials.", "grant_type")
        kind, _, pair = (call.header("authorization") or "").partition(" ")
        key, _, secret = base64.b64decode(pair, validate=True).decode("utf-8").partition(":")
        if kind != "Basic" or not secret or self.state.keys.get(key) != secret:
            raise Refused(401, "credentials", "Key and secret are not a pair.")
        token, _ = self.state.tokens.issue(key, self.settings.token_life)
        body = {
            "access_token": token,
            "token_type": "bearer",
            "expires_in": self.settings.token_life,
            "scope": "sandbox",
            "entityIds": [self.payor_id],
        }
        return json_response(200, body, {"Cache-Control": "no-store", "Pragma": "no-cache"})

    def _payor_of(self, query: Mapping[str, Any], *, required: bool) -> str:
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
        payees = [one for one in payees if named is None or one["payorRefs"][0]["remoteId"] == named]
        return json_response(200, page_of([one for one in payees if matches(one, query, PAYEE_FILTERS)], query))

    def _create_payees(self, call: Call) -> Response:
        body = object_of(call.json())
        self._payor_of(body, required=True)
        batch_id, made = self.payees.create(body)
        call.exchange.request_id = batch_id
        call.did_work(*made)
        return empty_response(201, {"Location": f"/v4/payees/batch/{batch_id}"})

    def _update_payee(self, call: Call) -> Response:
        payee_id = call.params["payee_id"]
        self.payees.update(payee_id, object_of(call.json()))
        call.did_work(payee_id)
        return empty_response(204)

    def _rename_payee(self, call: Call) -> Response:
        payee_id, body = call.params["payee_id"], object_of(call.json())
        payor_id = self._payor_of(body, required=True)
        self.payees.rename(payee_id, payor_id, text_of(body, "remoteId", 1, 100))
        call.did_work(payee_id)
        return empty_response(204)

    def _invite(self, call: Call) -> Response:
        payee_id = call.params["payee_id"]
        self._payor_of(object_of(call.json()), required=True)
        self.payees.invite(payee_id)
        call.did_work(payee_id)
        return empty_response(200)

    def _delete_payee(self, call: Call) -> Response:
        payee_id = call.params["payee_id"]
        self.payees.delete(payee_id, has_payments=self._payouts.pays(payee_id))
        call.did_work(payee_id)
        return empty_response(204)

    def _invitations(self, call: Call) -> Response:
        query = call.query_values()
        invitations = self.payees.invitations(self._payor_of({"payorId": call.params["payor_id"]}, required=True))
        matching = [one for one in invitations if matches(one, query, INVITATION_FILTERS)]
        return json_response(200, page_of(matching, query))

    # Accounts

    def _fund(self, call: Call) -> Response:
        funding_id = self.accounts.fund(call.params["account_id"], object_of(call.json()))
        call.exchange.request_id = funding_id
        call.did_work(call.params["account_id"])
        return empty_response(202, {"Location": f"/v1/fundings/{funding_id}"})

    def _create_bank(self, call: Call) -> Response:
        body = object_of(call.json())
        self._payor_of(body, required=True)
        account_id = self.accounts.create_bank(body)
        call.exchange.request_id = account_id
        call.did_work(body["name"])
        wait = str(self.settings.retry_after)
        return empty_response(202, {"Location": f"/v2/fundingAccounts/{account_id}", "Retry-After": wait})

    # Payouts

    def _submit(self, call: Call) -> Response:
        payout_id, references = self._payouts.submit(self.payor_id, object_of(call.json()))
        call.exchange.request_id = payout_id
        for reference in references[:1]:
            call.refers_to(reference)
        call.did_work(*references)
        return empty_response(202, {"Location": f"/v3/payouts/{payout_id}"})

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

    def _withdraw_payment(self, call: Call) -> Response:
        payment_id = call.params["payment_id"]
        self._payouts.withdraw_payment(payment_id, text_of(object_of(call.json()), "reason", 2, 256))
        call.did_work(payment_id)
        return empty_response(204)

    # Webhooks

    def _list_webhooks(self, call: Call) -> Response:
        query = call.query_values()
        payor_id = self._payor_of(query, required=True)
        mine = [self._webhooks.get(name) for name, one in self._webhooks.all.items() if one["payorId"] == payor_id]
        return json_response(200, page_of(mine, query))

    def _create_webhook(self, call: Call) -> Response:
        body = object_of(call.json())
        self._payor_of(body, required=True)
        webhook_id = self._webhooks.create(body)
        call.exchange.request_id = webhook_id
        call.did_work(body["webhookUrl"])
        return empty_response(201, {"Location": f"/v1/webhooks/{webhook_id}"})

    def _update_webhook(self, call: Call) -> Response:
        webhook_id = call.params["webhook_id"]
        self._webhooks.update(webhook_id, object_of(call.json()))
        call.did_work(webhook_id)
        return empty_response(204)

    def _ping(self, call: Call) -> Response:
        webhook = self._webhooks.get(call.params["webhook_id"])
        event_id = self.state.add_notification("system", "ping", {"sourceType": "ping"})
        call.did_work(webhook["id"])
        return json_response(202, {"id": event_id, "webhookId": webhook["id"]})

    def _all(self, call: Call, items: Mapping[str, JsonObject]) -> JsonObject:
        query = call.query_values()
        self._payor_of(query, required=False)
        return page_of(list(items.values()), query)

    def _feed(
        self, call: Call, changes: Callable[[str, float], list[JsonObject]], default: int, largest: int
    ) -> JsonObject:
        query = call.query_values()
        payor_id = self._payor_of(query, required=True)
        since = moment_of(query.get("updatedSince"), "updatedSince")
        return page_of(changes(payor_id, since), query, default=default, largest=largest)

    def client_settings(self, url: str) -> str:
        made = self.state.add_key()
        return f"VELO_BASE_URL={url}\nVELO_API_KEY={made['api_key']}\nVELO_API_SECRET={made['api_secret']}\n"
