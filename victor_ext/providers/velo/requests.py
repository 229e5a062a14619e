"""Request objects: the payments of a payout, and payees.

The generated classes have the fields and their limits; `check` notes what no limit of one field
says.
"""

from __future__ import annotations

from velo_api.typed import parts
from velo_api.typed.parts import Address, Challenge, Company, Individual, PaymentInstruction

from victor_ext.runtime.core.validation import Validation

__all__ = (
    "Address",
    "Challenge",
    "Company",
    "Individual",
    "NewPayee",
    "PaymentChannel",
    "PaymentInstruction",
)


class PaymentChannel(parts.PaymentChannel):
    __doc__ = parts.PaymentChannel.__doc__
    __slots__ = ()

    def check(self, check: Validation, place: str) -> None:
        numbers = {"iban", "account_number", "routing_number"}
        passed = {name for name in numbers if getattr(self, name) is not None}
        if passed not in ({"iban"}, {"account_number", "routing_number"}):
            message = f"{place} must have iban, or account_number with routing_number, not both."
            check.note(place, "choice", message)


class NewPayee(parts.NewPayee):
    __doc__ = parts.NewPayee.__doc__
    __slots__ = ()

    def check(self, check: Validation, place: str) -> None:
        if (self.individual is None) is (self.company is None):
            check.note(place, "choice", f"{place} must have either individual or company.")
