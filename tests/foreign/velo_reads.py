"""Each read of velo-python that our sandbox has: `velo_reads.py URL TOKEN PAYOR IDS`.

It prints the reads that raise, a line each, with the error.
"""

import json
import sys

from velo_payments import (
    ApiClient,
    Configuration,
    FundingApi,
    PayeeInvitationApi,
    PayeesApi,
    PaymentAuditServiceApi,
    PayoutsApi,
    SourceAccountsApi,
    WebhooksApi,
)

url, token, payor, ids = *sys.argv[1:4], json.loads(sys.argv[4])
configuration = Configuration()
configuration.host, configuration.access_token = url, token
client = ApiClient(configuration)
payees, audit, payouts = PayeesApi(client), PaymentAuditServiceApi(client), PayoutsApi(client)
accounts, funding = SourceAccountsApi(client), FundingApi(client)
invitations, webhooks = PayeeInvitationApi(client), WebhooksApi(client)
SINCE = {"payor_id": payor, "updated_since": "2020-01-01T00:00:00Z"}
READS = {
    "payees": lambda: payees.list_payees_v4(payor),
    "a payee": lambda: payees.get_payee_by_id_v4(ids["payee"]),
    "changes of payees": lambda: payees.list_payee_changes_v4(**SINCE),
    "invitations": lambda: invitations.get_payees_invitation_status_v4(payor),
    "a batch of payees": lambda: invitations.query_batch_status_v4(ids["batch"]),
    "a payout": lambda: payouts.get_payout_summary_v3(ids["payout"]),
    "what was refused of a payout": lambda: payouts.get_payout_summary_v3(ids["rejected"]),
    "a quote": lambda: payouts.create_quote_for_payout_v3(ids["waiting"]),
    "payments of a payout": lambda: payouts.get_payments_for_payout_v3(ids["payout"]),
    "payments": lambda: audit.list_payments_audit_v4(payor_id=payor),
    "a payment": lambda: audit.get_payment_details_v4(ids["payment"]),
    "payouts": lambda: audit.get_payouts_for_payor_v4(payor_id=payor),
    "the history of a payout": lambda: audit.get_payments_for_payout_v4(ids["payout"]),
    "a rejected payout": lambda: audit.get_payments_for_payout_v4(ids["rejected"]),
    "changes of payments": lambda: audit.list_payment_changes_v4(**SINCE),
    "figures": lambda: audit.get_payout_stats_v4(payor_id=payor),
    "source accounts": lambda: accounts.get_source_accounts_v3(payor_id=payor),
    "a source account": lambda: accounts.get_source_account_v3(ids["source"]),
    "funding accounts": lambda: funding.get_funding_accounts_v2(payor_id=payor),
    "a funding account": lambda: funding.get_funding_account_v2(ids["bank"]),
    "a funding": lambda: funding.get_funding_by_id_v1(ids["funding"]),
    "changes of fundings": lambda: funding.list_funding_audit_deltas(**SINCE),
    "fundings": lambda: audit.get_fundings_v4(payor_id=payor),
    "webhooks": lambda: webhooks.list_webhooks_v1(payor),
    "a webhook": lambda: webhooks.get_webhook_v1(ids["webhook"]),
}
for name, read in READS.items():
    try:
        read()
    except Exception as error:  # noqa: BLE001 - any error of the client is what is asked for
        print(f"{name}: {type(error).__name__}: {error}")
