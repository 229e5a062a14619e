# Written by `make generate`; edits are lost. See openapi/README.md.
"""Contains all the data models used in inputs/outputs; each is loaded when it is first asked for."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .checkout import Checkout as Checkout
    from .checkout_form import CheckoutForm as CheckoutForm
    from .follow_up_form import FollowUpForm as FollowUpForm
    from .payment import Payment as Payment
    from .payment_form import PaymentForm as PaymentForm
    from .result import Result as Result

_MODULES = {
    "Checkout": ".checkout",
    "CheckoutForm": ".checkout_form",
    "FollowUpForm": ".follow_up_form",
    "Payment": ".payment",
    "PaymentForm": ".payment_form",
    "Result": ".result",
}

__all__ = ("Checkout", "CheckoutForm", "FollowUpForm", "Payment", "PaymentForm", "Result")


def __getattr__(name: str) -> Any:
    module = _MODULES.get(name)
    if module is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(module, __name__), name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_MODULES})
