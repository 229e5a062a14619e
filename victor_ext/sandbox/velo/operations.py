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
    Operation("delete_payee", "DELETE", "/v4/payees/{payee_id}", "deletePayee"),
    Operation("update_payee", "POST", "/v4/payees/{payee_id}/payeeDetailsUpdate", "updatePayee"),
    Operation("rename_payee", "POST", "/v4/payees/{payee_id}/remoteIdUpdate", "updatePayeeRemoteId"),
    Operation("invite", "POST", "/v4/payees/{payee_id}/invite", "invitePayee"),
    Operation("invitations", "GET", "/v4/payees/payors/{payor_id}/invitationStatus", "listPayeeInvitations"),
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
AUDIT_FILTERS = {
    name: name
    for name in (
        *_SAME_NAME,
        "payeeId",
        "sourceCurrency",
        "paymentCurrency",
        "transmissionType",
        "railsId",
        "remoteSystemId",
    )
}
INVITATION_FILTERS = {"payeeId": "payeeId", "invitationStatus": "invitationStatus"}
PAYOUT_FILTERS = {"status": "status", "scheduleStatus": "scheduleStatus"}
NEWEST_FIRST = "submittedDateTime:desc,paymentId:asc"
"""The order of the list of payments, unless a query asks for another."""
