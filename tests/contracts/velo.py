"""How Velo's operations are called, with every argument."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from functools import partial
from typing import Any

import httpx

from tests.contracts.contract import ONCE, Call, Contract
from victor_ext.providers import Money
from victor_ext.providers.velo import (
    Address,
    Challenge,
    Company,
    Individual,
    NewPayee,
    PaymentChannel,
    PaymentInstruction,
    Velo,
    VeloAuth,
)

SINCE = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
DAY = date(2026, 3, 4)
PRICE = Money.of("44.23", "USD")


def client(transport: httpx.MockTransport) -> Velo:
    return Velo(VeloAuth("a-key", "no-secret-at-all"), transport=transport, retry=ONCE)


ADDRESS = Address(
    line1="1 Main Street", line2="Floor 2", line3="Room 3", line4="Desk 4", city="Springfield", country="US",
    county_or_province="IL", zip_or_postcode="62701",
)  # fmt: skip
PERSON = Individual(
    first_name="Ada", last_name="Example", date_of_birth=DAY, national_identification="123456789", title="Dr",
    other_names="B.",
)  # fmt: skip
COMPANY = Company(name="Example Ltd", tax_id="123456789", operating_name="Example")
CHALLENGE = Challenge(value="12345", description="Your employee number")


def new_payees(velo: Any) -> Any:
    account = PaymentChannel(
        account_name="Ada Example", country_code="US", currency="USD", account_number="12345678",
        routing_number="123456789", name="Current",
    )  # fmt: skip
    by_iban = PaymentChannel(
        account_name="Example Ltd", country_code="DE", currency="EUR", iban="DE89370400440532013000", name="Current"
    )
    usual: dict[str, Any] = {"email": "ada@example.com", "address": ADDRESS, "language": "EN", "challenge": CHALLENGE}
    return velo.payees.create(
        "payor-1",
        [
            NewPayee(remote_id="payee-7", individual=PERSON, payment_channel=account, **usual),
            NewPayee(remote_id="payee-8", company=COMPANY, payment_channel=by_iban, **usual),
        ],
    )


def one_payee(velo: Any, **changes: Any) -> Any:
    usual: dict[str, Any] = {
        "remote_id": "payee-7",
        "email": "ada@example.com",
        "address": Address(line1="1 Main Street", city="Springfield", country="US"),
        "company": Company(name="Example Ltd"),
    }
    return velo.payees.create("payor-1", [NewPayee(**{**usual, **changes})])


def submit(velo: Any, payout_memo: str = "March", **changes: Any) -> Any:
    usual = {
        "remote_id": "payee-7", "amount": PRICE, "source_account_name": "USD account",
        "payor_payment_id": "INV-1042", "memo": "Thank you", "transmission_type": "ACH", "metadata": "more",
        "remote_system_id": "OB012",
    }  # fmt: skip
    payment = PaymentInstruction(**{**usual, **changes})
    return velo.payouts.submit(
        [payment], memo=payout_memo, payout_from_payor_id="payor-1", payout_to_payor_id="payor-2"
    )


def fund(velo: Any, amount: int = 4423) -> Any:
    return velo.source_accounts.fund("account-1", funding_account_id="bank-1", amount=Money(amount, "USD"))


_AUDIT_FILTERS: dict[str, Any] = {
    "rails_id": "SANDBOX", "remote_system_id": "OB012", "transmission_type": "ACH", "source_amount_from": 1,
    "source_amount_to": 2**31 - 1, "payment_amount_from": 0, "payment_amount_to": 4423,
}  # fmt: skip


def payee(velo: Any) -> Any:
    return velo.payees.get("payee-id-7", sensitive=False)


def payee_update(velo: Any, **changes: Any) -> Any:
    usual: dict[str, Any] = {
        "address": ADDRESS, "payee_type": "Individual", "email": "ada@example.com", "language": "EN",
        "contact_sms_number": "+14155550100", "challenge": CHALLENGE, "individual": PERSON,
    }  # fmt: skip
    return velo.payees.update("payee-id-7", **{**usual, **changes})


def audited_payments(velo: Any) -> Any:
    return velo.payouts.audited_payments(
        "payout-1", remote_id="payee-7", status="RETURNED", submitted_from=DAY, submitted_to=DAY, sensitive=False,
        sort="status:asc", page_size=25, **_AUDIT_FILTERS,
    )  # fmt: skip


HEADER = "long-and-random-not-a-secret"


def new_webhook(velo: Any, **changes: Any) -> Any:
    usual = {"url": "https://example.com/velo", "authorization_header": HEADER, "categories": ["payment"]}
    return velo.webhooks.create("payor-1", **{**usual, **changes})


def webhook_update(velo: Any, **changes: Any) -> Any:
    usual = {"url": "https://example.com/velo", "authorization_header": HEADER, "categories": ["payee"]}
    return velo.webhooks.update("webhook-1", **{**usual, "enabled": False, **changes})


SUBMITTED = {
    "sourceAccountSummary.*.currency": "USD",
    **dict.fromkeys(["submittedDateTime", "instructedDateTime"], SINCE.isoformat()),
}
CURRENCY = {"currency": "USD"}
AUDITED = {"sourceCurrency": "USD", "paymentCurrency": "USD"}
PAYMENT = {**AUDITED, **{f"events.*.{name}": value for name, value in AUDITED.items()}}
SUMMARY = {f"fxSummaries.*.{name}": "USD" for name in ("sourceCurrency", "paymentCurrency")}
PAYOUT = {
    **SUMMARY,
    "accounts.*.currency": "USD",
    "acceptedPayments.*.currencyType": "USD",
    "rejectedPayments.*.currencyType": "USD",
}


def items(members: dict[str, Any]) -> dict[str, Any]:
    return {f"content.*.{name}": value for name, value in members.items()}


_ADDRESS = {
    **{name: name for name in ("line1", "line2", "line3", "line4", "city", "country")},
    "countyOrProvince": "county_or_province",
    "zipOrPostcode": "zip_or_postcode",
}
"""The members of an address, with their arguments."""


_PARTS = {f"address.{name}": field for name, field in _ADDRESS.items()}
_PARTS |= {"challenge.value": "value", "challenge.description": "description"}


def part(make: Callable[..., Any], path: str) -> Any:
    """A call with a value for one field of the address or of the challenge."""
    whole = ADDRESS if path.startswith("address.") else CHALLENGE
    return lambda velo, value: make(velo, **{path.partition(".")[0]: replace(whole, **{_PARTS[path]: value})})


CALLS = {
    "authenticate": Call("VeloAuth", (payee,), {"token_type": "bearer", "expires_in": 3600}, has_record=False),
    "listPayees": Call.of(
        "payees.list", "payor-1", remote_id="payee-7", email="ada@example.com", display_name="Ada",
        onboarded_status="ONBOARDED", watchlist_status="PASSED", ofac_status="PASSED", payee_type="Individual",
        payee_country="US", disabled=False, sort="displayName:asc", page_size=25,
    ),
    "createPayees": Call("payees.create", (new_payees,)),
    "getPayee": Call("payees.get", (payee,), {"payeeId": "payee-id-7"}),
    "getPayeeBatch": Call.of("payees.batch", "batch-1"),
    "listPayeeChanges": Call.of("payees.changes", "payor-1", since=SINCE, page_size=100),
    "listSourceAccounts": Call.of(
        "source_accounts.list", payor_id="payor-1", physical_account_id="physical-1", physical_account_name="Physical",
        funding_account_id="bank-1", account_type="FBO", include_user_deleted=True, sort="name:asc", page_size=25,
        answer=items(CURRENCY),
    ),
    "getSourceAccount": Call.of("source_accounts.get", "account-1", answer={**CURRENCY, "id": "account-1"}),
    "requestFunding": Call("source_accounts.fund", (fund,)),
    "listFundingAccounts": Call.of(
        "funding_accounts.list", payor_id="payor-1", name="Bank", country="US", currency="USD", account_type="FBO",
        sensitive=False, sort="name:asc", page_size=25,
    ),
    "createFundingAccount": Call.of(
        "funding_accounts.create", payor_id="payor-1", name="Bank", account_type="FBO", account_name="Example Ltd",
        account_number="12345678", routing_number="123456789", currency="USD",
    ),
    "getFundingAccount": Call.of("funding_accounts.get", "bank-1", sensitive=False, answer={"id": "bank-1"}),
    "getFunding": Call.of("fundings.get", "funding-1", answer={**CURRENCY, "fundingId": "funding-1"}),
    "listFundingChanges": Call.of("fundings.changes", "payor-1", since=SINCE, page_size=25, answer=items(CURRENCY)),
    "submitPayout": Call("payouts.submit", (submit,)),
    "getPayout": Call.of("payouts.get", "payout-1", answer={**PAYOUT, "payoutId": "payout-1"}),
    "instructPayout": Call.of("payouts.instruct", "payout-1", stop_if_rates_worse_by=0.5),
    "withdrawPayout": Call.of("payouts.withdraw", "payout-1"),
    "quotePayout": Call.of("payouts.quote", "payout-1", answer=SUMMARY),
    "listPayoutPayments": Call.of(
        "payouts.payments", "payout-1", payor_payment_id="INV-1042", remote_id="payee-7", status="SUBMITTED",
        source_account_name="USD account", transmission_type="ACH", payment_memo="Thank you", page_size=25,
        answer=items(CURRENCY),
    ),
    "listPayments": Call.of(
        "payments.list", "payor-1", payee_id="payee-id-7", remote_id="payee-7", status="CONFIRMED",
        source_account_name="USD account", source_currency="USD", payment_currency="USD", payment_memo="Thank you",
        payor_name="Example", schedule_status="ANY", scheduled_from=DAY, scheduled_to=DAY,
        post_instruct_fx_status="COMPLETED", **_AUDIT_FILTERS, submitted_from=DAY, submitted_to=DAY, sensitive=False,
        sort="submittedDateTime:asc", page_size=25, answer=items(PAYMENT),
    ),
    "getPayment": Call.of(
        "payments.get", "payment-1", sensitive=False, answer={**PAYMENT, "paymentId": "payment-1"}
    ),
    "withdrawPayment": Call.of("payments.withdraw", "payment-1", reason="Not due"),
    "exportTransactions": Call.of(
        "payments.export", "payor-1", start=DAY, end=DAY, include="payorOnly", has_record=False
    ),
    "listPayouts": Call.of(
        "payouts.list", "payor-1", status="INSTRUCTED", memo="March", from_payor_name="Example", submitted_from=DAY,
        submitted_to=DAY, schedule_status="ANY", scheduled_from=DAY, scheduled_to=DAY, sort="status:asc", page_size=25,
        answer=items(SUBMITTED),
    ),
    "getPayoutHistory": Call(
        "payouts.history", (lambda velo: velo.payouts.history("payout-1"), audited_payments), items(PAYMENT)
    ),
    "getPayoutStatistics": Call.of("payouts.statistics", "payor-1"),
    "listFundings": Call.of(
        "fundings.list", "payor-1", source_account_name="USD account", sort="amount", page_size=25
    ),
    "deletePayee": Call.of("payees.delete", "payee-id-7"),
    "updatePayee": Call("payees.update", (payee_update, partial(payee_update, individual=None, company=COMPANY))),
    "updatePayeeRemoteId": Call.of(
        "payees.update_remote_id", "payee-id-7", payor_id="payor-1", remote_id="payee-8"
    ),
    "invitePayee": Call.of("payees.invite", "payee-id-7", payor_id="payor-1"),
    "listPayeeInvitations": Call.of(
        "payees.invitations", "payor-1", payee_id="payee-id-7", invitation_status="PENDING", page_size=25
    ),
    "createWebhook": Call("webhooks.create", (new_webhook,)),
    "listWebhooks": Call.of("webhooks.list", "payor-1", page_size=25),
    "getWebhook": Call.of("webhooks.get", "webhook-1", answer={"id": "webhook-1"}),
    "updateWebhook": Call("webhooks.update", (webhook_update,)),
    "pingWebhook": Call.of("webhooks.ping", "webhook-1"),
    "listPaymentChanges": Call.of("payments.changes", "payor-1", since=SINCE, page_size=100, answer=items(AUDITED)),
}  # fmt: skip


def other(operation: str, argument: str) -> Any:
    """The call of an operation, with a value for one of its arguments."""
    return lambda velo, value: CALLS[operation].another(velo, **{argument: value})


_PAGED = {operation: other(operation, "page_size") for operation, call in CALLS.items() if "page_size" in call.named}
_PAGED["getPayoutHistory"] = lambda velo, value: velo.payouts.audited_payments("payout-1", page_size=value)

_NOT_READ = {
    "A walk decides by them when it ends, or needs them not.": {
        "PageInfo": "numberOfElements page pageSize totalElements totalPages", "Link": "href rel",
    },
    "Who a payee is; `raw` has it, and no record repeats it.": {
        "Person": "dateOfBirth nationalIdentification", "PersonName": "title firstName otherNames lastName",
        "PostalAddress": " ".join(_ADDRESS), "Firm": "name taxId operatingName",
    },
}  # fmt: skip

CONTRACT = Contract(
    "velo",
    client,
    CALLS,
    unlimited={
        **{f"{operation}: query:page": "A walk counts its pages itself, from 1." for operation in _PAGED},
        **dict.fromkeys(
            [f"{operation}: body:authorizationHeader" for operation in ("createWebhook", "updateWebhook")],
            "The client asks for 16 characters, as its receiver does: 4 can be guessed.",
        ),
    },
    not_called={"logout": "A token ends by itself; all clients of one key share it, so none may revoke it."},
    not_read={
        **{
            f"{schema}.{name}": why
            for why, members in _NOT_READ.items()
            for schema, names in members.items()
            for name in names.split()
        },
        "WebhookEndpoint.authorizationHeader": "A secret; `raw` has it, and no record repeats it.",
    },
    limited={
        **{f"{operation}: query:pageSize": paged for operation, paged in _PAGED.items()},
        "submitPayout: body:payoutMemo": lambda velo, value: submit(velo, payout_memo=value),
        "submitPayout: body:payments[].remoteId": lambda velo, value: submit(velo, remote_id=value),
        "submitPayout: body:payments[].amount": lambda velo, value: submit(velo, amount=Money(value, "USD")),
        "submitPayout: body:payments[].paymentMemo": lambda velo, value: submit(velo, memo=value),
        "submitPayout: body:payments[].sourceAccountName": lambda velo, value: submit(velo, source_account_name=value),
        "submitPayout: body:payments[].payorPaymentId": lambda velo, value: submit(velo, payor_payment_id=value),
        "submitPayout: body:payments[].paymentMetadata": lambda velo, value: submit(velo, metadata=value),
        "submitPayout: body:payments[].remoteSystemId": lambda velo, value: submit(velo, remote_system_id=value),
        **{
            f"createPayees: body:payees[].{path}": part(one_payee, path) for path in _PARTS if path != "address.country"
        },
        **{f"updatePayee: body:{path}": part(payee_update, path) for path in _PARTS},
        "updatePayeeRemoteId: body:remoteId": other("updatePayeeRemoteId", "remote_id"),
        "withdrawPayment: body:reason": other("withdrawPayment", "reason"),
        "createWebhook: body:webhookUrl": lambda velo, value: new_webhook(velo, url=value),
        "updateWebhook: body:webhookUrl": lambda velo, value: webhook_update(velo, url=value),
        "requestFunding: body:amount": fund,
        "createFundingAccount: body:name": other("createFundingAccount", "name"),
        "createFundingAccount: body:accountName": other("createFundingAccount", "account_name"),
        "createFundingAccount: body:accountNumber": other("createFundingAccount", "account_number"),
        "createFundingAccount: body:routingNumber": other("createFundingAccount", "routing_number"),
    },
)
