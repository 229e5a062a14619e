"""Velo's side of the sandbox: authentication, and the operations of its API."""

from __future__ import annotations

import base64
from collections.abc import Callable
from datetime import datetime

from victor_ext.sandbox.server.commands import find
from victor_ext.sandbox.server.document import declared_in
from victor_ext.sandbox.server.exchange import JsonObject, Operation, Response, empty_response, json_response
from victor_ext.sandbox.server.provider import Call, SandboxProvider
from victor_ext.sandbox.velo.base import Asked, Refused, VeloSettings, page_of, sent
from victor_ext.sandbox.velo.state import State, VeloCommands

OPERATIONS = (
    Operation("authenticate", "POST", "/v1/authenticate"),
    Operation("logout", "POST", "/v1/logout"),
    Operation("list_payees", "GET", "/v4/payees", "listPayees"),
    Operation("create_payees", "POST", "/v4/payees", "createPayees"),
    Operation("payee_changes", "GET", "/v4/payees/deltas", "listPayeeChanges"),
    Operation("get_batch", "GET", "/v4/payees/batch/{batch_id}", "getPayeeBatch"),
    Operation("get_payee", "GET", "/v4/payees/{payee_id}", "getPayee"),
    Operation("delete_payee", "DELETE", "/v4/payees/{payee_id}", "deletePayee"),
    Operation("update_payee", "POST", "/v4/payees/{payee_id}/payeeDetailsUpdate", "updatePayee"),
    Operation("rename_payee", "POST", "/v4/payees/{payee_id}/remoteIdUpdate", "updatePayeeRemoteId"),
    Operation("invite", "POST", "/v4/payees/{payee_id}/invite", "invitePayee"),
    Operation("invitations", "GET", "/v4/payees/payors/{payorId}/invitationStatus", "listPayeeInvitations"),
    Operation("list_sources", "GET", "/v3/sourceAccounts", "listSourceAccounts"),
    Operation("get_source", "GET", "/v3/sourceAccounts/{account_id}", "getSourceAccount"),
    Operation("fund", "POST", "/v3/sourceAccounts/{account_id}/fundingRequest", "requestFunding"),
    Operation("list_banks", "GET", "/v2/fundingAccounts", "listFundingAccounts"),
    Operation("create_bank", "POST", "/v2/fundingAccounts", "createFundingAccount"),
    Operation("get_bank", "GET", "/v2/fundingAccounts/{account_id}", "getFundingAccount"),
    Operation("get_funding", "GET", "/v1/fundings/{funding_id}", "getFunding"),
    Operation("funding_changes", "GET", "/v1/deltas/fundings", "listFundingChanges"),
    Operation("submit", "POST", "/v3/payouts", "submitPayout"),
    Operation("get_payout", "GET", "/v3/payouts/{payout_id}", "getPayout"),
    Operation("instruct", "POST", "/v3/payouts/{payout_id}", "instructPayout"),
    Operation("withdraw", "DELETE", "/v3/payouts/{payout_id}", "withdrawPayout"),
    Operation("quote", "POST", "/v3/payouts/{payout_id}/quote", "quotePayout"),
    Operation("payout_payments", "GET", "/v3/payouts/{payout_id}/payments", "listPayoutPayments"),
    Operation("list_payments", "GET", "/v4/paymentaudit/payments", "listPayments"),
    Operation("payment_changes", "GET", "/v4/payments/deltas", "listPaymentChanges"),
    Operation("get_payment", "GET", "/v4/paymentaudit/payments/{payment_id}", "getPayment"),
    Operation("withdraw_payment", "POST", "/v1/payments/{payment_id}/withdraw", "withdrawPayment"),
    Operation("list_payouts", "GET", "/v4/paymentaudit/payouts", "listPayouts"),
    Operation("payout_history", "GET", "/v4/paymentaudit/payouts/{payout_id}", "getPayoutHistory"),
    Operation("statistics", "GET", "/v4/paymentaudit/payoutStatistics", "getPayoutStatistics"),
    Operation("list_fundings", "GET", "/v4/paymentaudit/fundings", "listFundings"),
    Operation("export", "GET", "/v4/paymentaudit/transactions", "exportTransactions"),
    Operation("list_webhooks", "GET", "/v1/webhooks", "listWebhooks"),
    Operation("create_webhook", "POST", "/v1/webhooks", "createWebhook"),
    Operation("get_webhook", "GET", "/v1/webhooks/{webhook_id}", "getWebhook"),
    Operation("update_webhook", "POST", "/v1/webhooks/{webhook_id}", "updateWebhook"),
    Operation("ping", "POST", "/v1/webhooks/{webhook_id}/ping", "pingWebhook"),
)
declared = declared_in("velo.yaml", OPERATIONS)


class VeloProvider(SandboxProvider[VeloSettings]):
    state: State
    name = "velo"
    title = "Velo"
    operations = OPERATIONS
    settings_type = VeloSettings
    commands_type = VeloCommands

    def new_state(self) -> State:
        before: State | None = self.state
        return State(self.context.clock, self.settings, before.payor_id if before else None)

    def error(self, status: int, code: str, message: str) -> Response:
        return Refused(status, message or code).response(self.state.new_id())

    def advance(self, seconds: float) -> int:
        super().advance(seconds)
        return self.state.move()

    def client_settings(self, url: str) -> str:
        made = self.state.add_key()
        return f"VELO_BASE_URL={url}\nVELO_API_KEY={made['api_key']}\nVELO_API_SECRET={made['api_secret']}\n"

    def handle(self, operation: str, call: Call) -> Response:
        try:
            return self._authenticate(call) if operation == "authenticate" else self._serve(operation, call)
        except Refused as refused:
            return refused.response(self.state.new_id())
        except ValueError:
            return self.error(400, "", "The request cannot be read.")

    def _serve(self, operation: str, call: Call) -> Response:
        state, token = self.state, call.bearer_token
        owner = state.tokens.owner(token)
        if owner is None:
            raise Refused(401, "The access token is invalid.")
        call.owner = owner
        if operation == "logout":
            state.tokens.revoke(token=token)
            return empty_response(204)
        asked = self._asked(operation, call)
        state.move()
        if operation in _READS:
            return json_response(200, declared(operation).responses[200].declared(_READS[operation](state, asked)))
        if operation in _WRITES:
            status, work = _WRITES[operation]
            location, references = work(state, asked) or ("", [asked.about])
            call.did_work(*references)
            if not location:
                return empty_response(status)
            call.exchange.request_id = location.rpartition("/")[2]
            wait = {"Retry-After": str(self.settings.retry_after)} if operation == "create_bank" else {}
            return empty_response(status, {"Location": location, **wait})
        return self._ping(call) if operation == "ping" else self._export(asked)

    def _asked(self, operation: str, call: Call) -> Asked:
        """What a call asks for, if it names no payor but the only one, and is as the document says."""
        rules = declared(operation)
        query = rules.read_query(call.query)
        body = sent(call.json_object() if call.body or rules.needs_body else {})
        if body is None:
            raise Refused(400, "The body must be a JSON object.")
        named = {**query, **call.params, **body}
        for name in ("payorId", "payoutFromPayorId"):
            if named.get(name, self.state.payor_id) != self.state.payor_id:
                raise Refused(403, "This key is not for that payor.", name)
        for problem in (*rules.query.problems(query), *rules.body.problems(body)):
            place = "".join(f"[{step}]" if step.isdecimal() else f".{step}" for step in problem.path).lstrip(".")
            raise Refused(400, f"{place} {problem.message}.", place)
        known = {name: value for name, value in query.items() if name in rules.parameters}
        return Asked(operation, next(iter(call.params.values()), ""), known, body)

    def _authenticate(self, call: Call) -> Response:
        kind, _, pair = (call.header("authorization") or "").partition(" ")
        try:
            key, _, secret = base64.b64decode(pair, validate=True).decode("utf-8").partition(":")
        except ValueError:
            key = secret = ""
        if kind != "Basic" or not secret or self.state.keys.get(key) != secret:
            raise Refused(401, "Key and secret are not a pair.")
        if call.body:
            raise Refused(400, "The body must be empty.")
        if call.query_values().get("grant_type") != "client_credentials":
            raise Refused(400, "grant_type must be client_credentials.", "grant_type")
        life = self.settings.token_life
        body = {"access_token": self.state.tokens.issue(key, life)[0], "token_type": "bearer", "expires_in": life}
        body |= {"scope": "sandbox", "entityIds": [self.state.payor_id]}
        return json_response(200, body, {"Cache-Control": "no-store", "Pragma": "no-cache"})

    def _export(self, asked: Asked) -> Response:
        text = self.state.payouts.export(asked.query.get("startDate", "0"), asked.query.get("endDate", "9"))
        return Response(200, text.encode("utf-8"), ((b"content-type", b"application/csv"),))

    def _ping(self, call: Call) -> Response:
        webhook = self.state.webhook(call.params["webhook_id"])
        event_id = self.state.notify("system", "ping", {"sourceType": "ping"})
        call.did_work(webhook["id"])
        return json_response(202, {"id": event_id, "webhookId": webhook["id"]})


_WRITES: dict[str, tuple[int, Callable[[State, Asked], tuple[str, list[str]] | None]]] = {
    "update_payee": (204, lambda state, asked: state.payees.update(asked.about, asked.body)),
    "rename_payee": (204, lambda state, asked: state.payees.rename(asked.about, asked.body)),
    "invite": (200, lambda state, asked: state.payees.invite(asked.about)),
    "delete_payee": (204, lambda state, asked: state.payees.delete(asked.about, state.payouts.pays)),
    "instruct": (202, lambda state, asked: state.payouts.instruct(asked.about)),
    "withdraw": (202, lambda state, asked: state.payouts.withdraw(asked.about)),
    "withdraw_payment": (204, lambda state, asked: state.payouts.withdraw_payment(asked.about, asked.body["reason"])),
    "update_webhook": (204, lambda state, asked: find(state.webhooks, asked.about, "webhook").update(asked.body)),
    "create_payees": (201, lambda state, asked: state.payees.create(asked.body)),
    "fund": (202, lambda state, asked: state.accounts.fund(asked.about, asked.body)),
    "create_bank": (202, lambda state, asked: state.accounts.create_bank(asked.body)),
    "submit": (202, lambda state, asked: state.payouts.submit(asked.body)),
    "create_webhook": (201, lambda state, asked: state.create_webhook(asked.body)),
}
"""What is changed or made: by operation, the status of the response, and what does it.

What makes something returns its address, and the references that the work is counted for.
"""


def _page(items: Callable[[State, Asked], list[JsonObject]]) -> Callable[[State, Asked], JsonObject]:
    return lambda state, asked: page_of(asked, items(state, asked))


def _changes(
    items: Callable[[State], list[JsonObject]], its_id: str, default: int
) -> Callable[[State, Asked], JsonObject]:
    """A list of what has changed since a time; `its_id` is the member with the id of an item."""

    def read(state: State, asked: Asked) -> JsonObject:
        since = datetime.fromisoformat(asked.query["updatedSince"]).timestamp()
        changed = [item for item in items(state) if state.changed[item[its_id]] >= since]
        return page_of(asked, changed, default=default)

    return read


def _payout_history(state: State, asked: Asked) -> JsonObject:
    summary = state.payouts.shown(state.payouts.get(asked.about))
    payments = [one for one in state.payouts.payments() if one["payout"]["payoutId"] == asked.about]
    return {"summary": summary, **page_of(asked, payments)}


_READS: dict[str, Callable[[State, Asked], JsonObject]] = {
    "list_payees": _page(lambda state, _: state.payees.listed()),
    "payee_changes": _changes(lambda state: state.payees.listed(), "payeeId", 100),
    "get_batch": lambda state, asked: state.payees.batch(asked.about),
    "get_payee": lambda state, asked: find(state.payees.all, asked.about, "payee"),
    "invitations": _page(lambda state, _: state.payees.listed()),
    "list_sources": _page(lambda state, _: [*state.accounts.sources.values()]),
    "get_source": lambda state, asked: state.accounts.source(asked.about),
    "list_banks": _page(lambda state, _: [*state.accounts.readable_banks().values()]),
    "get_bank": lambda state, asked: find(state.accounts.readable_banks(), asked.about, "funding account"),
    "get_funding": lambda state, asked: find(state.accounts.fundings, asked.about, "funding"),
    "funding_changes": _changes(lambda state: [*state.accounts.fundings.values()], "fundingId", 25),
    "get_payout": lambda state, asked: state.payouts.shown(state.payouts.get(asked.about)),
    "quote": lambda state, asked: state.payouts.quote(asked.about),
    "payout_payments": _page(lambda state, asked: state.payouts.get(asked.about).payments),
    "list_payments": _page(lambda state, _: state.payouts.payments()),
    "payment_changes": _changes(lambda state: state.payouts.payments(), "paymentId", 100),
    "get_payment": lambda state, asked: state.payouts.payment(asked.about),
    "list_payouts": _page(lambda state, _: [state.payouts.shown(one) for one in state.payouts.all.values()]),
    "payout_history": _payout_history,
    "statistics": lambda state, _: state.payouts.statistics(),
    "list_fundings": _page(lambda state, _: state.accounts.audit()),
    "list_webhooks": _page(lambda state, _: [state.webhook(name) for name in state.webhooks]),
    "get_webhook": lambda state, asked: state.webhook(asked.about),
}
"""What is read: by operation, the body of the response, of which the declared members are sent.

`quote` is among them: it may be repeated.
"""
