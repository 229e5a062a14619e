"""Velo's table: each operation of its API, and what it does."""

import base64
from dataclasses import replace
from typing import Any

from victor_ext.sandbox.engine import Asked, Page, Refused, Result, Row, TableProvider
from victor_ext.sandbox.server import Call, JsonObject, Response, json_response, without_nulls
from victor_ext.sandbox.velo import _accounts, _notifications, _payees, _payouts
from victor_ext.sandbox.velo._commands import VeloCommands
from victor_ext.sandbox.velo._state import VeloSettings, VeloState, listing

_TOKEN_LIFE = 1799


def issue_token(state: VeloState, asked: Asked) -> Result:
    """Issue a token for a key and its secret."""
    kind, _, pair = (asked.call.header("authorization") or "").partition(" ")
    try:
        key, _, secret = base64.b64decode(pair, validate=True).decode("utf-8").partition(":")
    except ValueError:
        key = secret = ""
    if kind != "Basic" or not secret or state.keys.get(key) != secret:
        raise Refused(401, "Key and secret are not a pair.")
    if asked.call.body:
        raise Refused(400, "The body must be empty.")
    if asked.query.get("grant_type", "client_credentials") != "client_credentials":
        raise Refused(400, "grant_type must be client_credentials.", "grant_type")
    token, _ = state.tokens.issue(key, _TOKEN_LIFE)
    body = {"access_token": token, "token_type": "bearer", "expires_in": _TOKEN_LIFE}
    body |= {"scope": "sandbox", "entityIds": [state.payor_id]}
    return Result(body=body, headers={"Cache-Control": "no-store", "Pragma": "no-cache"})


_NEWEST_FIRST = "submittedDateTime:desc,paymentId:asc"
_ROWS = (
    Row("authenticate", "POST /v1/authenticate", issue_token, is_open=True),
    # Payees
    Row("create_payees", "POST /v4/payees", _payees.create_payees),
    Row(
        "list_payees",
        "GET /v4/payees",
        _payees.list_payees,
        listing=listing(order="displayName:asc"),  # by the document
    ),
    Row("get_batch", "GET /v4/payees/batch/{id}", _payees.get_batch),
    Row("get_payee", "GET /v4/payees/{id}", _payees.get_payee),
    Row("update_payee", "POST /v4/payees/{id}/payeeDetailsUpdate", _payees.update_payee),
    Row("delete_payee", "DELETE /v4/payees/{id}", _payees.delete_payee),
    # Accounts
    Row(
        "list_sources",
        "GET /v3/sourceAccounts",
        _accounts.list_sources,
        listing=listing(order="fundingRef:asc"),  # by the document
    ),
    Row("get_source", "GET /v3/sourceAccounts/{id}", _accounts.get_source),
    Row("fund", "POST /v3/sourceAccounts/{id}/fundingRequest", _accounts.fund),
    Row(
        "list_banks",
        "GET /v2/fundingAccounts",
        _accounts.list_banks,
        listing=listing(order="accountName:asc"),  # by the document
    ),
    Row("get_funding", "GET /v1/fundings/{id}", _accounts.get_funding),
    Row(
        "funding_changes",
        "GET /v1/deltas/fundings",
        _accounts.list_funding_changes,
        listing=listing(),
    ),
    # Payouts
    Row("submit", "POST /v3/payouts", _payouts.submit),
    Row("get_payout", "GET /v3/payouts/{id}", _payouts.get_payout),
    Row("quote", "POST /v3/payouts/{id}/quote", _payouts.quote),  # it may be repeated
    Row("instruct", "POST /v3/payouts/{id}", _payouts.instruct),
    Row("withdraw", "DELETE /v3/payouts/{id}", _payouts.withdraw),
    Row(
        "payout_payments",
        "GET /v3/payouts/{id}/payments",
        _payouts.payout_payments,
        listing=listing(),
    ),
    Row(
        "list_payouts",
        "GET /v4/paymentaudit/payouts",
        _payouts.list_payouts,
        listing=listing(),
    ),
    Row(
        "audited_payments",
        "GET /v4/paymentaudit/payouts/{id}",
        _payouts.audited_payments,
        listing=listing(order="remoteId:asc"),
    ),
    # Payments
    Row(
        "list_payments",
        "GET /v4/paymentaudit/payments",
        _payouts.list_payments,
        listing=listing(order=_NEWEST_FIRST),
    ),
    Row("get_payment", "GET /v4/paymentaudit/payments/{id}", _payouts.get_payment),
    Row("withdraw_payment", "POST /v1/payments/{id}/withdraw", _payouts.withdraw_payment),
)


class VeloProvider(TableProvider[VeloSettings]):
    state: VeloState
    name = "velo"
    title = "Velo"
    document = "velo.yaml"
    rows = _ROWS
    settings_type = VeloSettings
    commands_type = VeloCommands
    resending = _notifications.RESENDING

    def new_state(self) -> VeloState:
        return VeloState(self.context.clock, self.settings, self.notifications)

    def tick(self) -> None:
        self.state.move()

    def advance(self, seconds: float) -> int:
        super().advance(seconds)
        return self.state.move()

    def info(self) -> JsonObject:
        return {"payor_id": self.state.payor_id}

    def client_settings(self, url: str) -> str:
        header = self.state.authorization
        return self.variables(base_url=url, **self.state.add_key(), webhook_authorization=header)

    def authenticate(self, call: Call) -> str:
        owner = self.state.tokens.owner(call.bearer_token)
        if owner is None:
            raise Refused(401, "The access token is invalid.")
        return owner

    def read_body(self, operation: str, call: Call) -> JsonObject:
        """The body of a request. A member that is null counts as not sent."""
        if operation == "authenticate":  # the document declares none
            return {}
        body: JsonObject = without_nulls(super().read_body(operation, call))
        return body

    def check(self, call: Call, operation: str, query: JsonObject, body: JsonObject) -> None:
        """Refuse what the document does not allow, and another payor than the only one."""
        if operation == "authenticate":  # the credentials come first
            return
        named = {**query, **call.params, **body}
        for name in ("payorId", "payoutFromPayorId"):
            if named.get(name, self.state.payor_id) != self.state.payor_id:
                raise Refused(403, "This key is not for that payor.", name)
        super().check(call, operation, query, body)

    def page_body(self, _asked: Asked, page: Page[Any]) -> JsonObject:
        return {
            "page": {
                "numberOfElements": len(page.items),
                "totalElements": page.total,
                "totalPages": page.pages,
                "page": page.number,
                "pageSize": page.size,
            },
            "links": [{"rel": "self", "href": f"?page={page.number}&pageSize={page.size}"}],
            "content": page.items,
        }

    def success(self, operation: str, result: Result, status: int) -> Response:
        """The response of a call that succeeded: of its body, the declared members that have a
        value.
        """
        if result.body is not None:
            declared = self.rules(operation).response(status).declared(result.body)
            result = replace(result, body=declared)
        return super().success(operation, result, status)

    def refusal(self, _operation: str, refused: Refused) -> Response:
        """Velo's format of an error.

        The number is the sandbox's own choice: Velo does not publish its numbers.
        """
        status = refused.status
        error: JsonObject = {
            "errorMessage": refused.message,
            "errorCode": f"2001{status:04}",
        }
        if refused.field:
            error["location"] = refused.field
        body = {"errors": [error], "correlationId": self.state.new_id(), "httpStatusCode": status}
        return json_response(status, body)

    def error(self, status: int, code: str, message: str) -> Response:
        return self.refusal("", Refused(status, message or code))
