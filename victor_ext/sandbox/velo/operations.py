"""The operations of Velo's API, and the filters of its lists."""

from __future__ import annotations

from victor_ext.sandbox.server import Operation

OPERATIONS = (
    Operation("authenticate", "POST", "/v1/authenticate"),
    Operation("logout", "POST", "/v1/logout"),
    Operation("list_payees", "GET", "/v4/payees", "listPayees"),
    Operation("create_payees", "POST", "/v4/payees", "createPayees"),
    Operation("payee_changes", "GET", "/v4/payees/deltas", "listPayeeChanges"),
    Operation("get_batch", "GET", "/v4/payees/batch/{batch_id}", "getPayeeBatch"),
    Operation("get_payee", "GET", "/v4/payees/{payee_id}", "getPayee"),
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
)

PAYEE_FILTERS = {
    "onboardedStatus": "onboardedStatus",
    "watchlistStatus": "watchlistStatus",
    "email": "email",
    "displayName": "displayName",
    "payeeType": "payeeType",
    "payeeCountry": "country",
}
"""Each filter with the member of an item that it compares."""
_SAME_NAME = ("status", "remoteId", "paymentMemo", "sourceAccountName")
PAYMENT_FILTERS = {name: name for name in (*_SAME_NAME, "payorPaymentId", "transmissionType")}
AUDIT_FILTERS = {name: name for name in (*_SAME_NAME, "payeeId", "sourceCurrency", "paymentCurrency")}
