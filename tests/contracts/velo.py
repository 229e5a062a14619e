"""How Velo's operations are called, with every argument."""

from tests.contracts.calling import Call
from tests.contracts.contract import LIMITS, ONCE, Contract
from tests.contracts.document import Document
from tests.contracts.samples import DAY
from victor_ext.providers.velo import (
    Address,
    Company,
    Individual,
    NewPayee,
    PaymentChannel,
    Velo,
    VeloAuth,
)


def client(transport) -> Velo:
    return Velo(VeloAuth("a-key", "no-secret-at-all"), transport=transport, retry=ONCE)


ADDRESS = Address(line1="1 Main Street", city="Springfield", country="US")
PAYEES = [
    NewPayee(
        remote_id="payee-7",
        email="ada@example.com",
        address=ADDRESS,
        individual=Individual(
            first_name="Ada",
            last_name="Example",
            date_of_birth=DAY,
            national_identification="123456789",
        ),
        payment_channel=PaymentChannel(
            account_name="Ada Example",
            country_code="US",
            currency="USD",
            account_number="12345678",
            routing_number="123456789",
        ),
    ),
    NewPayee(
        remote_id="payee-8",
        email="ada@example.com",
        address=ADDRESS,
        company=Company(name="Example Ltd", tax_id="123456789"),
        payment_channel=PaymentChannel(
            account_name="Example Ltd",
            country_code="DE",
            currency="EUR",
            iban="DE89370400440532013000",
        ),
    ),
]
SAMPLES = {
    "payee_id": "payee-id-7",
    "source_account_id": "account-1",
    "funding_account_id": "bank-1",
    "funding_id": "funding-1",
    "payout_id": "payout-1",
    "payment_id": "payment-1",
    "payout_to_payor_id": "payor-2",
    "sort": "status:asc",
    "currency": "USD",
    "contact_sms_number": "+14155550100",
    "payees": PAYEES,
}
"""The values that the document does not tell: ids that an answer repeats, arguments that stand
together, and forms of the settings.
"""


call = Call.of

CALLS = {
    "authenticate": Call(
        "VeloAuth",
        answer={"token_type": "bearer", "expires_in": 3600},
        has_record=False,
        method="payees.get",
    ),
    "listPayees": call("payees.list"),
    "createPayees": call("payees.create"),
    "getPayee": call("payees.get", {"payeeId": "payee-id-7"}),
    "getPayeeBatch": call("payees.batch"),
    "listSourceAccounts": call("source_accounts.list"),
    "getSourceAccount": call("source_accounts.get", {"id": "account-1"}),
    "requestFunding": call("source_accounts.fund"),
    "listFundingAccounts": call("funding_accounts.list"),
    "getFunding": call("fundings.get", {"fundingId": "funding-1"}),
    "listFundingChanges": call("fundings.changes"),
    "submitPayout": call("payouts.submit"),
    "getPayout": call("payouts.get", {"payoutId": "payout-1"}),
    "instructPayout": call("payouts.instruct"),
    "withdrawPayout": call("payouts.withdraw"),
    "quotePayout": call("payouts.quote"),
    "listPayoutPayments": call("payouts.payments"),
    "listPayments": call("payments.list"),
    "getPayment": call("payments.get", {"paymentId": "payment-1"}),
    "withdrawPayment": call("payments.withdraw"),
    "listPayouts": call("payouts.list"),
    "listAuditedPayments": call("payouts.audited_payments", status="RETURNED"),
    "deletePayee": call("payees.delete"),
    "updatePayee": call("payees.update"),
}


def limits():
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
    samples=SAMPLES,
    unlimited={
        name: "A walk counts its pages itself, from 1."
        for name in limits()
        if name.endswith(" query:page")
    },
    not_read={
        **{
            f"{schema}.{name}": why
            for why, members in _NOT_READ.items()
            for schema, names in members.items()
            for name in names.split()
        },
    },
)
