# Written by `make generate`; edits are lost. See openapi/README.md.
"""Contains all the data models used in inputs/outputs; each is loaded when it is first asked for."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .additional_field import AdditionalField as AdditionalField
    from .address import Address as Address
    from .answer import Answer as Answer
    from .answer_custom_properties import AnswerCustomProperties as AnswerCustomProperties
    from .cancel_request import CancelRequest as CancelRequest
    from .capture_request import CaptureRequest as CaptureRequest
    from .decision import Decision as Decision
    from .decision_custom_properties import DecisionCustomProperties as DecisionCustomProperties
    from .evaluate_request import EvaluateRequest as EvaluateRequest
    from .order import Order as Order
    from .order_item import OrderItem as OrderItem
    from .order_page import OrderPage as OrderPage
    from .payer import Payer as Payer
    from .payment_method import PaymentMethod as PaymentMethod
    from .problem import Problem as Problem
    from .refund_answer import RefundAnswer as RefundAnswer
    from .refund_answer_custom_properties import RefundAnswerCustomProperties as RefundAnswerCustomProperties
    from .refund_request import RefundRequest as RefundRequest
    from .subscription import Subscription as Subscription
    from .token import Token as Token
    from .token_request import TokenRequest as TokenRequest
    from .transaction import Transaction as Transaction
    from .transmit_answer import TransmitAnswer as TransmitAnswer
    from .transmit_answer_custom_properties import (
        TransmitAnswerCustomProperties as TransmitAnswerCustomProperties,
    )
    from .transmit_request import TransmitRequest as TransmitRequest

_MODULES = {
    "AdditionalField": ".additional_field",
    "Address": ".address",
    "Answer": ".answer",
    "AnswerCustomProperties": ".answer_custom_properties",
    "CancelRequest": ".cancel_request",
    "CaptureRequest": ".capture_request",
    "Decision": ".decision",
    "DecisionCustomProperties": ".decision_custom_properties",
    "EvaluateRequest": ".evaluate_request",
    "Order": ".order",
    "OrderItem": ".order_item",
    "OrderPage": ".order_page",
    "Payer": ".payer",
    "PaymentMethod": ".payment_method",
    "Problem": ".problem",
    "RefundAnswer": ".refund_answer",
    "RefundAnswerCustomProperties": ".refund_answer_custom_properties",
    "RefundRequest": ".refund_request",
    "Subscription": ".subscription",
    "Token": ".token",
    "TokenRequest": ".token_request",
    "Transaction": ".transaction",
    "TransmitAnswer": ".transmit_answer",
    "TransmitAnswerCustomProperties": ".transmit_answer_custom_properties",
    "TransmitRequest": ".transmit_request",
}

__all__ = (
    "AdditionalField",
    "Address",
    "Answer",
    "AnswerCustomProperties",
    "CancelRequest",
    "CaptureRequest",
    "Decision",
    "DecisionCustomProperties",
    "EvaluateRequest",
    "Order",
    "OrderItem",
    "OrderPage",
    "Payer",
    "PaymentMethod",
    "Problem",
    "RefundAnswer",
    "RefundAnswerCustomProperties",
    "RefundRequest",
    "Subscription",
    "Token",
    "TokenRequest",
    "Transaction",
    "TransmitAnswer",
    "TransmitAnswerCustomProperties",
    "TransmitRequest",
)


def __getattr__(name: str) -> Any:
    module = _MODULES.get(name)
    if module is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(module, __name__), name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_MODULES})
