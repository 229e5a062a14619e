"""Velo's table: each operation of its API, and what it does."""

from dataclasses import replace
from typing import Any

from victor_ext.sandbox.engine import Asked, Page, Refused, Result, Row, TableProvider
from victor_ext.sandbox.server.document import without_nulls
from victor_ext.sandbox.server.exchange import JsonObject, Response, json_response
from victor_ext.sandbox.server.provider import Call
from victor_ext.sandbox.velo.base import VeloSettings, listing
from victor_ext.sandbox.velo.commands import VeloCommands
from victor_ext.sandbox.velo.notifications import EVENTS, RESENDING
from victor_ext.sandbox.velo.state import VeloState

_CREDENTIALS = (
    Row("authenticate", "POST /v1/authenticate", VeloState.token, is_open=True),
    Row("logout", "POST /v1/logout", VeloState.log_out, 204),
)
_PAYEES = (
    Row("create_payees", "POST /v4/payees", lambda state, asked: state.payees.create(asked), 201),
    Row(
        "list_payees",
        "GET /v4/payees",
        lambda state, _: state.payees.listed(),
        listing=listing(order="displayName:asc"),  # by the document
    ),
    Row(
        "payee_changes",
        "GET /v4/payees/deltas",
        lambda state, asked: state.changes(asked, state.payees.listed(), "payeeId"),
        listing=listing(size=100),
    ),
    Row(
        "get_batch",
        "GET /v4/payees/batch/{id}",
        lambda state, asked: state.payees.batch(asked.about),
    ),
    Row("get_payee", "GET /v4/payees/{id}", lambda state, asked: state.payees.get(asked.about)),
    Row(
        "invitations",
        "GET /v4/payees/payors/{payorId}/invitationStatus",
        lambda state, _: state.payees.listed(),
        listing=listing(),
    ),
    Row(
        "update_payee",
        "POST /v4/payees/{id}/payeeDetailsUpdate",
        lambda state, asked: state.payees.update(asked),
        204,
    ),
    Row(
        "rename_payee",
        "POST /v4/payees/{id}/remoteIdUpdate",
        lambda state, asked: state.payees.rename(asked),
        204,
    ),
    Row(
        "invite",
        "POST /v4/payees/{id}/invite",
        lambda state, asked: state.payees.invite(asked.about),
    ),
    Row(
        "delete_payee",
        "DELETE /v4/payees/{id}",
        lambda state, asked: state.delete_payee(asked.about),
        204,
    ),
)
_ACCOUNTS = (
    Row(
        "list_sources",
        "GET /v3/sourceAccounts",
        lambda state, _: [*state.accounts.sources.values()],
        listing=listing(order="fundingRef:asc"),  # by the document
    ),
    Row(
        "get_source",
        "GET /v3/sourceAccounts/{id}",
        lambda state, asked: state.accounts.source(asked.about),
    ),
    Row(
        "fund",
        "POST /v3/sourceAccounts/{id}/fundingRequest",
        lambda state, asked: state.accounts.fund(asked),
        202,
    ),
    Row(
        "create_bank",
        "POST /v2/fundingAccounts",
        lambda state, asked: state.accounts.create_bank(asked),
        202,
    ),
    Row(
        "list_banks",
        "GET /v2/fundingAccounts",
        lambda state, _: [*state.accounts.readable_banks().values()],
        listing=listing(order="accountName:asc"),  # by the document
    ),
    Row(
        "get_bank",
        "GET /v2/fundingAccounts/{id}",
        lambda state, asked: state.accounts.bank(asked.about),
    ),
    Row(
        "get_funding",
        "GET /v1/fundings/{id}",
        lambda state, asked: state.accounts.funding(asked.about),
    ),
    Row(
        "funding_changes",
        "GET /v1/deltas/fundings",
        lambda state, asked: state.changes(asked, [*state.accounts.fundings.values()], "fundingId"),
        listing=listing(),
    ),
    Row(
        "list_fundings",
        "GET /v4/paymentaudit/fundings",
        lambda state, _: state.accounts.audit(),
        listing=listing(),
    ),
)
_PAYOUTS = (
    Row("submit", "POST /v3/payouts", lambda state, asked: state.payouts.submit(asked), 202),
    Row(
        "get_payout",
        "GET /v3/payouts/{id}",
        lambda state, asked: state.payouts.shown(asked.about),
    ),
    Row(
        "quote",  # it may be repeated
        "POST /v3/payouts/{id}/quote",
        lambda state, asked: state.payouts.quote(asked.about),
    ),
    Row(
        "instruct",
        "POST /v3/payouts/{id}",
        lambda state, asked: state.payouts.instruct(asked.about),
        202,
    ),
    Row(
        "withdraw",
        "DELETE /v3/payouts/{id}",
        lambda state, asked: state.payouts.withdraw(asked.about),
        202,
    ),
    Row(
        "payout_payments",
        "GET /v3/payouts/{id}/payments",
        lambda state, asked: state.payouts.get(asked.about).payments,
        listing=listing(),
    ),
    Row(
        "list_payouts",
        "GET /v4/paymentaudit/payouts",
        lambda state, _: state.payouts.listed(),
        listing=listing(),
    ),
    Row(
        "payout_history",
        "GET /v4/paymentaudit/payouts/{id}",
        lambda state, asked: state.payouts.of_payout(asked.about),
        listing=listing(order="remoteId:asc"),
    ),
    Row(
        "statistics",
        "GET /v4/paymentaudit/payoutStatistics",
        lambda state, _: state.payouts.statistics(),
    ),
)
_NEWEST_FIRST = listing(order="submittedDateTime:desc,paymentId:asc")
_PAYMENTS = (
    Row(
        "list_payments",
        "GET /v4/paymentaudit/payments",
        lambda state, _: state.payouts.payments(),
        listing=_NEWEST_FIRST,
    ),
    Row(
        "payment_changes",
        "GET /v4/payments/deltas",
        lambda state, asked: state.changes(asked, state.payouts.payments(), "paymentId"),
        listing=listing(size=100),
    ),
    Row(
        "get_payment",
        "GET /v4/paymentaudit/payments/{id}",
        lambda state, asked: state.payouts.payment(asked.about),
    ),
    Row(
        "withdraw_payment",
        "POST /v1/payments/{id}/withdraw",
        lambda state, asked: state.payouts.withdraw_one(asked),
        204,
    ),
    Row(
        "export",
        "GET /v4/paymentaudit/transactions",
        lambda state, asked: state.payouts.export(asked),
    ),
)
_WEBHOOKS = (
    Row("create_webhook", "POST /v1/webhooks", VeloState.create_webhook, 201),
    Row(
        "list_webhooks",
        "GET /v1/webhooks",
        lambda state, _: [*map(state.webhook, state.webhooks)],
        listing=listing(),
    ),
    Row("get_webhook", "GET /v1/webhooks/{id}", lambda state, asked: state.webhook(asked.about)),
    Row("update_webhook", "POST /v1/webhooks/{id}", VeloState.update_webhook, 204),
    Row("ping", "POST /v1/webhooks/{id}/ping", VeloState.ping, 202),
)


class VeloProvider(TableProvider[VeloSettings]):
    state: VeloState
    name = "velo"
    title = "Velo"
    document = "velo.yaml"
    sends_nulls = True  # of payments and payees: what is not known yet
    rows = (*_CREDENTIALS, *_PAYEES, *_ACCOUNTS, *_PAYOUTS, *_PAYMENTS, *_WEBHOOKS)
    settings_type = VeloSettings
    commands_type = VeloCommands
    resending = RESENDING
    events = EVENTS

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
        made = self.state.add_key()
        return (
            f"VELO_BASE_URL={url}\n"
            f"VELO_API_KEY={made['api_key']}\n"
            f"VELO_API_SECRET={made['api_secret']}\n"
            f"VELO_WEBHOOK_AUTHORIZATION={self.state.authorization}\n"
        )

    def authenticate(self, call: Call) -> str:
        owner = self.state.tokens.owner(call.bearer_token)
        if owner is None:
            raise Refused(401, "The access token is invalid.")
        return owner

    def read_body(self, operation: str, call: Call) -> JsonObject:
        """The body of a request. A member that is null counts as not sent."""
        if operation in ("authenticate", "logout"):  # the document declares none
            return {}
        body: JsonObject = without_nulls(super().read_body(operation, call))
        return body

    def check(self, call: Call, operation: str, query: JsonObject, body: JsonObject) -> None:
        """Refuse what the document does not allow, and another payor than the only one."""
        if operation in ("authenticate", "logout"):  # the credentials come first
            return
        named = {**query, **call.params, **body}
        for name in ("payorId", "payoutFromPayorId"):
            if named.get(name, self.state.payor_id) != self.state.payor_id:
                raise Refused(403, "This key is not for that payor.", name)
        super().check(call, operation, query, body)

    def page_body(self, asked: Asked, page: Page[Any]) -> JsonObject:
        body: JsonObject = {
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
        if asked.operation == "payout_history":
            body["summary"] = self.state.payouts.shown(asked.about)
        return body

    def success(self, operation: str, result: Result, status: int) -> Response:
        """The response of a call that succeeded: of its body, the declared members."""
        if result.body is not None:
            declared = self.rules(operation).response(status).declared(result.body)
            result = replace(result, body=declared)
        return super().success(operation, result, status)

    def refusal(self, operation: str, refused: Refused) -> Response:  # noqa: ARG002 - it has one
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
