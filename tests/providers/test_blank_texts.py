"""Text that says nothing, and with which a response would be compared, is refused by name before
anything is sent: no response could confirm it, so each success would be an unknown outcome.
"""

import pytest
from victor_api.typed.arguments import CREATE_REQUEST_PAYMENT

from tests.providers.arguments import TARGETS, last, refused
from tests.providers.systems import of_every_system

BLANKS = ("", " ", "\t\n", "\u3000", "*", " ** ")
COMPARED = of_every_system(
    __name__,
    {
        "victor payment_requests.create": CREATE_REQUEST_PAYMENT,
        "velo payouts.submit's payments": (
            "remote_id",
            "source_account_name",
            "payor_payment_id",
            "memo",
            "transmission_type",
            "remote_system_id",
        ),
        "eastpay payments.debit": ("merchant_transaction_id",),
        "eastpay checkouts.prepare": ("merchant_transaction_id",),
        "flexfactor evaluate": ("sense_key",),
    },
)
"""The arguments of each system with which a response is compared."""
NO_TEXTS = ("amount", "biller_type", "due_date", "amount_modification_allowed")


@pytest.mark.parametrize("call", COMPARED)
@pytest.mark.parametrize("text", BLANKS)
def test_a_blank_text_is_refused_by_the_name_of_its_argument(call, text):
    for name in COMPARED[call]:
        if name not in NO_TEXTS:
            [problem] = refused(TARGETS[call], **{name: text}).problems
            assert last(problem) == name
