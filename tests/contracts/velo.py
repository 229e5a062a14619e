"""How Velo's operations are called, with every argument."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from inspect import signature
from operator import attrgetter
from typing import Any

import httpx

from tests.contracts.contract import LIMITS, ONCE, Call, Contract, snake_case
from tests.contracts.document import Document
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
    line1="1 Main Street",
    line2="Floor 2",
    line3="Room 3",
    line4="Desk 4",
    city="Springfield",
    country="US",
    county_or_province="IL",
    zip_or_postcode="62701",
)
PERSON = Individual(
    first_name="Ada",
    last_name="Example",
    date_of_birth=DAY,
    national_identification="123456789",
    title="Dr",
    other_names="B.",
)
COMPANY = Company(name="Example Ltd", tax_id="123456789", operating_name="Example")
CHALLENGE = Challenge(value="12345", description="Your employee number")


PAYEES = [
    NewPayee(
        remote_id=remote_id,
        email="ada@example.com",
        address=ADDRESS,
        language="EN",
        challenge=CHALLENGE,
        payment_channel=PaymentChannel(account_name="Ada Example", name="Current", **account),
        **who,
    )
    for remote_id, who, account in (
        (
            "payee-7",
            {"individual": PERSON},
            {
                "country_code": "US",
                "currency": "USD",
                "account_number": "12345678",
                "routing_number": "123456789",
            },
        ),
        (
            "payee-8",
            {"company": COMPANY},
            {"country_code": "DE", "currency": "EUR", "iban": "DE89370400440532013000"},
        ),
    )
]
PAYMENT_OF_PAYOUT = PaymentInstruction(
    remote_id="payee-7",
    amount=PRICE,
    source_account_name="USD account",
    payor_payment_id="INV-1042",
    memo="Thank you",
    transmission_type="ACH",
    metadata="more",
    remote_system_id="OB012",
)
SAMPLES: dict[str, Any] = {
    "payor_id": "payor-1",
    "payee_id": "payee-id-7",
    "batch_id": "batch-1",
    "source_account_id": "account-1",
    "funding_account_id": "bank-1",
    "funding_id": "funding-1",
    "payout_id": "payout-1",
    "payment_id": "payment-1",
    "webhook_id": "webhook-1",
    "remote_id": "payee-7",
    "email": "ada@example.com",
    "display_name": "Ada",
    "onboarded_status": "ONBOARDED",
    "watchlist_status": "PASSED",
    "ofac_status": "PASSED",
    "payee_type": "Individual",
    "payee_country": "US",
    "disabled": False,
    "physical_account_id": "physical-1",
    "physical_account_name": "Physical",
    "account_type": "FBO",
    "include_user_deleted": True,
    "name": "Bank",
    "country": "US",
    "currency": "USD",
    "account_name": "Example Ltd",
    "account_number": "12345678",
    "routing_number": "123456789",
    "sensitive": False,
    "memo": "March",
    "payout_from_payor_id": "payor-1",
    "payout_to_payor_id": "payor-2",
    "status": "SUBMITTED",
    "stop_if_rates_worse_by": 0.5,
    "payor_payment_id": "INV-1042",
    "source_account_name": "USD account",
    "transmission_type": "ACH",
    "payment_memo": "Thank you",
    "rails_id": "SANDBOX",
    "remote_system_id": "OB012",
    "source_amount_from": 1,
    "source_amount_to": 2**31 - 1,
    "payment_amount_from": 0,
    "payment_amount_to": 4423,
    "source_currency": "USD",
    "payment_currency": "USD",
    "payor_name": "Example",
    "from_payor_name": "Example",
    "schedule_status": "ANY",
    "post_instruct_fx_status": "COMPLETED",
    "reason": "Not due",
    "include": "payorOnly",
    "invitation_status": "PENDING",
    "language": "EN",
    "contact_sms_number": "+14155550100",
    "amount": PRICE,
    "url": "https://example.com/velo",
    "authorization_header": "long-and-random-not-a-secret",
    "enabled": False,
    "categories": ["payment"],
    "since": SINCE,
    "page_size": 25,
    "address": ADDRESS,
    "challenge": CHALLENGE,
    "individual": PERSON,
    "company": None,
    "payees": PAYEES,
    "payments": [PAYMENT_OF_PAYOUT],
    "sort": "status:asc",
    **dict.fromkeys(
        ("start", "end", "submitted_from", "submitted_to", "scheduled_from", "scheduled_to"), DAY
    ),
}
"""The value of each argument, by its name."""


def using(name: str, **given: Any) -> Callable[..., Any]:
    """Calls a method with every argument that it has: those given, and samples."""

    def make(velo: Velo, **changes: Any) -> Any:
        method = attrgetter(name)(velo)
        arguments = signature(method).parameters
        assert SAMPLES.keys() >= arguments.keys(), (
            f"SAMPLES lacks {arguments.keys() - SAMPLES.keys()}"
        )
        return method(**{each: SAMPLES[each] for each in arguments} | given | changes)

    return make


def call(
    name: str, /, answer: dict[str, Any] | None = None, *, has_record: bool = True, **given: Any
) -> Call:
    return Call(name, (using(name, **given),), answer or {}, has_record)


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


AUDITED_PAYMENTS = using("payouts.audited_payments", status="RETURNED")
CALLS = {
    "authenticate": Call(
        "VeloAuth", (using("payees.get"),), {"token_type": "bearer", "expires_in": 3600}, False
    ),
    "listPayees": call("payees.list", sort="displayName:asc"),
    "createPayees": call("payees.create"),
    "getPayee": call("payees.get", {"payeeId": "payee-id-7"}),
    "getPayeeBatch": call("payees.batch"),
    "listPayeeChanges": call("payees.changes"),
    "listSourceAccounts": call("source_accounts.list", items(CURRENCY), sort="name:asc"),
    "getSourceAccount": call("source_accounts.get", {**CURRENCY, "id": "account-1"}),
    "requestFunding": call("source_accounts.fund"),
    "listFundingAccounts": call("funding_accounts.list", sort="name:asc"),
    "createFundingAccount": call("funding_accounts.create"),
    "getFundingAccount": call("funding_accounts.get", {"id": "bank-1"}),
    "getFunding": call("fundings.get", {**CURRENCY, "fundingId": "funding-1"}),
    "listFundingChanges": call("fundings.changes", items(CURRENCY)),
    "submitPayout": call("payouts.submit"),
    "getPayout": call("payouts.get", {**PAYOUT, "payoutId": "payout-1"}),
    "instructPayout": call("payouts.instruct"),
    "withdrawPayout": call("payouts.withdraw"),
    "quotePayout": call("payouts.quote", SUMMARY),
    "listPayoutPayments": call("payouts.payments", items(CURRENCY)),
    "listPayments": call(
        "payments.list", items(PAYMENT), sort="submittedDateTime:asc", status="CONFIRMED"
    ),
    "getPayment": call("payments.get", {**PAYMENT, "paymentId": "payment-1"}),
    "withdrawPayment": call("payments.withdraw"),
    "exportTransactions": call("payments.export", has_record=False),
    "listPayouts": call("payouts.list", items(SUBMITTED), status="INSTRUCTED"),
    "getPayoutHistory": Call(
        "payouts.history", (using("payouts.history"), AUDITED_PAYMENTS), items(PAYMENT)
    ),
    "getPayoutStatistics": call("payouts.statistics"),
    "listFundings": call("fundings.list", sort="amount"),
    "deletePayee": call("payees.delete"),
    "updatePayee": Call(
        "payees.update",
        (using("payees.update"), using("payees.update", individual=None, company=COMPANY)),
    ),
    "updatePayeeRemoteId": call("payees.update_remote_id"),
    "invitePayee": call("payees.invite"),
    "listPayeeInvitations": call("payees.invitations"),
    "createWebhook": call("webhooks.create"),
    "listWebhooks": call("webhooks.list"),
    "getWebhook": call("webhooks.get", {"id": "webhook-1"}),
    "updateWebhook": call("webhooks.update"),
    "pingWebhook": call("webhooks.ping"),
    "listPaymentChanges": call("payments.changes", items(AUDITED)),
}


RENAMED = {
    "payout_memo": "memo",
    "payments.payment_memo": "payments.memo",
    "payments.payment_metadata": "payments.metadata",
    "payments.amount": "payments.amount.minor_units",
    "amount": "amount.minor_units",
    "webhook_url": "url",
    "query:type": "account_type",
    "type": "account_type",
    "payees.payment_channel.payment_channel_name": "payees.payment_channel.name",
}
"""The arguments, and fields of them, whose names are not those of the document's members."""
OTHER_ENDS = {
    f"{amount}_amount_{end}": f"{amount}_amount_{other}"
    for amount in ("source", "payment")
    for end, other in (("from", "to"), ("to", "from"))
}
"""The other ends of ranges of whole numbers."""
UNLIMITED = dict.fromkeys(
    [f"{operation}: body:authorizationHeader" for operation in ("createWebhook", "updateWebhook")],
    "The client asks for 16 characters, as its receiver does: 4 can be guessed.",
)


def limited(name: str) -> Callable[[Velo, Any], Any]:
    """The call that sends a value at a place, as `operation: place`."""
    operation, _, place = name.partition(": ")
    path = snake_case(place.partition(":")[2].replace("[]", ""))
    path = path.replace("individual.name.", "individual.")  # its members are fields
    argument, *fields = RENAMED.get(place, RENAMED.get(path, path)).split(".")
    make = CALLS[operation].make[-1]

    def call(velo: Velo, value: Any) -> Any:
        sample = COMPANY if argument == "company" else SAMPLES[argument]
        arguments = {argument: _with(sample, fields, value)}
        if argument in OTHER_ENDS:
            arguments[OTHER_ENDS[argument]] = None  # a range would refuse the value first
        return make(velo, **arguments)

    return call


def _with(whole: Any, fields: list[str], value: Any) -> Any:
    """An argument, or the first item of it, with a value in one field."""
    if not fields:
        return value
    if isinstance(whole, list):
        (item, *_) = [each for each in whole if getattr(each, fields[0]) is not None] or whole
        return [_with(item, fields, value)]
    changes = {fields[0]: _with(getattr(whole, fields[0]), fields[1:], value)}
    if fields[0] == "iban":  # in place of a number
        changes |= dict.fromkeys(["account_number", "routing_number"])
    return replace(whole, **changes)


def limits() -> Iterator[str]:
    """The places that the document limits."""
    for operation in Document.of("velo").operations:
        for place, schema in operation.sent.items():
            if LIMITS & schema.keys():
                yield f"{operation.id}: {place}"


_NOT_READ = {
    "A walk decides by them when it ends, or needs them not.": {
        "PageInfo": "numberOfElements page pageSize totalElements totalPages", "Link": "href rel",
    },
    "Who a payee is; `raw` has it, and no record repeats it.": {
        "Person": "dateOfBirth nationalIdentification", "PersonName": "title firstName otherNames "
                                                                      "lastName",
        "PostalAddress": "line1 line2 line3 line4 city country countyOrProvince zipOrPostcode",
        "Firm": "name taxId operatingName",
    },
}  # fmt: skip

CONTRACT = Contract(
    "velo",
    client,
    CALLS,
    unlimited={
        **{
            name: "A walk counts its pages itself, from 1."
            for name in limits()
            if name.endswith(" query:page")
        },
        **UNLIMITED,
    },
    not_called={
        "logout": "A token ends by itself; all clients of one key share it, so none may revoke it."
    },
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
        name: limited(name)
        for name in limits()
        if not name.endswith(" query:page") and name not in UNLIMITED
    },
)
