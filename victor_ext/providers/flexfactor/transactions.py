"""The parts of a transaction, as `evaluate` and `transmit` take them.

The generated classes have the fields; `check` notes what no rule of one field says.
"""

from __future__ import annotations

from dataclasses import fields

from flexfactor_api.typed import parts
from flexfactor_api.typed.parts import Address, OrderItem, Payer, Subscription, Transaction

from victor_ext.runtime.core.validation import Validation

from .checks import note_card_numbers

__all__ = ("Address", "Card", "OrderItem", "Payer", "Subscription", "Transaction")


class Card(parts.Card):
    """The card, by a token that stands for its number. A card number in place of any of these is
    refused, unsent.
    """

    __slots__ = ()

    def check(self, check: Validation, place: str) -> None:
        for member in fields(self):
            value = getattr(self, member.name)
            note_card_numbers(check, f"{place}.{member.name}", value, about_a_card=True)
