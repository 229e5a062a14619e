# Written by `make generate`; edits are lost. See openapi/README.md.
"""Contains all the data models used in inputs/outputs; each is loaded when it is first asked for."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .accepted_payment import AcceptedPayment as AcceptedPayment
    from .error import Error as Error
    from .error_response import ErrorResponse as ErrorResponse
    from .firm import Firm as Firm
    from .funding import Funding as Funding
    from .funding_account import FundingAccount as FundingAccount
    from .funding_account_page import FundingAccountPage as FundingAccountPage
    from .funding_change import FundingChange as FundingChange
    from .funding_change_page import FundingChangePage as FundingChangePage
    from .funding_request import FundingRequest as FundingRequest
    from .fx_summary import FxSummary as FxSummary
    from .instruction import Instruction as Instruction
    from .link import Link as Link
    from .new_funding_account import NewFundingAccount as NewFundingAccount
    from .new_payee import NewPayee as NewPayee
    from .new_payees import NewPayees as NewPayees
    from .new_payment import NewPayment as NewPayment
    from .new_payment_channel import NewPaymentChannel as NewPaymentChannel
    from .new_payout import NewPayout as NewPayout
    from .page_info import PageInfo as PageInfo
    from .payee import Payee as Payee
    from .payee_batch import PayeeBatch as PayeeBatch
    from .payee_change import PayeeChange as PayeeChange
    from .payee_change_page import PayeeChangePage as PayeeChangePage
    from .payee_failure import PayeeFailure as PayeeFailure
    from .payee_failure_failed_submission import PayeeFailureFailedSubmission as PayeeFailureFailedSubmission
    from .payee_page import PayeePage as PayeePage
    from .payment import Payment as Payment
    from .payment_change import PaymentChange as PaymentChange
    from .payment_change_page import PaymentChangePage as PaymentChangePage
    from .payment_page import PaymentPage as PaymentPage
    from .payor_ref import PayorRef as PayorRef
    from .payout import Payout as Payout
    from .payout_account import PayoutAccount as PayoutAccount
    from .payout_of_payment import PayoutOfPayment as PayoutOfPayment
    from .payout_payment import PayoutPayment as PayoutPayment
    from .payout_payment_page import PayoutPaymentPage as PayoutPaymentPage
    from .person import Person as Person
    from .person_name import PersonName as PersonName
    from .postal_address import PostalAddress as PostalAddress
    from .quote import Quote as Quote
    from .rejected_payment import RejectedPayment as RejectedPayment
    from .source_account import SourceAccount as SourceAccount
    from .source_account_page import SourceAccountPage as SourceAccountPage
    from .token import Token as Token

_MODULES = {
    "AcceptedPayment": ".accepted_payment",
    "Error": ".error",
    "ErrorResponse": ".error_response",
    "Firm": ".firm",
    "Funding": ".funding",
    "FundingAccount": ".funding_account",
    "FundingAccountPage": ".funding_account_page",
    "FundingChange": ".funding_change",
    "FundingChangePage": ".funding_change_page",
    "FundingRequest": ".funding_request",
    "FxSummary": ".fx_summary",
    "Instruction": ".instruction",
    "Link": ".link",
    "NewFundingAccount": ".new_funding_account",
    "NewPayee": ".new_payee",
    "NewPayees": ".new_payees",
    "NewPayment": ".new_payment",
    "NewPaymentChannel": ".new_payment_channel",
    "NewPayout": ".new_payout",
    "PageInfo": ".page_info",
    "Payee": ".payee",
    "PayeeBatch": ".payee_batch",
    "PayeeChange": ".payee_change",
    "PayeeChangePage": ".payee_change_page",
    "PayeeFailure": ".payee_failure",
    "PayeeFailureFailedSubmission": ".payee_failure_failed_submission",
    "PayeePage": ".payee_page",
    "Payment": ".payment",
    "PaymentChange": ".payment_change",
    "PaymentChangePage": ".payment_change_page",
    "PaymentPage": ".payment_page",
    "PayorRef": ".payor_ref",
    "Payout": ".payout",
    "PayoutAccount": ".payout_account",
    "PayoutOfPayment": ".payout_of_payment",
    "PayoutPayment": ".payout_payment",
    "PayoutPaymentPage": ".payout_payment_page",
    "Person": ".person",
    "PersonName": ".person_name",
    "PostalAddress": ".postal_address",
    "Quote": ".quote",
    "RejectedPayment": ".rejected_payment",
    "SourceAccount": ".source_account",
    "SourceAccountPage": ".source_account_page",
    "Token": ".token",
}

__all__ = (
    "AcceptedPayment",
    "Error",
    "ErrorResponse",
    "Firm",
    "Funding",
    "FundingAccount",
    "FundingAccountPage",
    "FundingChange",
    "FundingChangePage",
    "FundingRequest",
    "FxSummary",
    "Instruction",
    "Link",
    "NewFundingAccount",
    "NewPayee",
    "NewPayees",
    "NewPayment",
    "NewPaymentChannel",
    "NewPayout",
    "PageInfo",
    "Payee",
    "PayeeBatch",
    "PayeeChange",
    "PayeeChangePage",
    "PayeeFailure",
    "PayeeFailureFailedSubmission",
    "PayeePage",
    "Payment",
    "PaymentChange",
    "PaymentChangePage",
    "PaymentPage",
    "PayorRef",
    "Payout",
    "PayoutAccount",
    "PayoutOfPayment",
    "PayoutPayment",
    "PayoutPaymentPage",
    "Person",
    "PersonName",
    "PostalAddress",
    "Quote",
    "RejectedPayment",
    "SourceAccount",
    "SourceAccountPage",
    "Token",
)


def __getattr__(name: str) -> Any:
    module = _MODULES.get(name)
    if module is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(module, __name__), name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_MODULES})
