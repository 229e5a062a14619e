"""What a caller passes: the checks of arguments, before anything is sent, and cards.

All problems of a call are reported together. Nothing shows more of a card than its last four
digits.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from typing import Any, TypeGuard

from victor_ext._privacy import (
    AccountNumber,
    OddAccount,
    Secret,
    concealed,
    concealed_account,
    kind_of,
    mask,
    one_line,
)
from victor_ext._runtime.auth.credentials import UnpicklableCredentials
from victor_ext._runtime.client.requests import Body, folded_name
from victor_ext._runtime.core.currencies import code_problem
from victor_ext._runtime.core.validation import Form, Validation, is_encodable
from victor_ext.money import Money
from victor_ext.typed import Request

from ._system import Entity

_DECIMALS = 2
_MOST = 10**10
"""Units of a currency from which on an amount has too many digits."""
_LONGEST_REFERENCE = 255
ID = Form(r"(?!\.+\Z)[A-Za-z0-9._~-]{1,128}", "an id of the gateway's: letters, digits and - . _ ~")
_GAPS = re.compile("[ -]")
_NUMBER = Form("[0-9]+", "8 to 19 digits")
_CVV = Form("[0-9]+", "three or four digits")
_MONTH = Form("0?[1-9]|1[0-2]", "a month from 1 to 12")
_YEAR = Form("(?:19|20)[0-9]{2}", "four digits, as in 2030")


def checked_form(
    check: Validation, entity: Entity, request: Request, required: Collection[str], **fixed: str
) -> Body:
    """The form of a request.

    It has the entity, the `fixed` parameters of the call, the arguments, of which those in
    `required` may not be None, and the caller's further `parameters`.

    Raises:
        InvalidRequest: A check failed.
    """
    check.problems += request.check.problems
    form = Body(entityId=entity.id, entityType=entity.type, **fixed, **request.body)
    for argument, parameters_of in _BY_HAND.items():
        value = request.by_hand.get(argument)
        if value is not None or argument in required:
            form |= parameters_of(check, argument, value)
    form |= _further_parameters(check, request.by_hand["parameters"], form)
    check.finish()
    return form


def _reference(check: Validation, name: str, value: Any) -> dict[str, str]:
    """The merchant's own reference of a payment, which a response may repeat."""
    check.reference(name, value, _LONGEST_REFERENCE)
    check.comparable(name, value)
    return {"merchantTransactionId": value}


def _merchant(check: Validation, name: str, value: Any) -> dict[str, str]:
    return {"merchant.id": check.text(name, value, 255)}


def _card(check: Validation, name: str, card: object) -> dict[str, str]:
    """The parameters of the form for a card."""
    if isinstance(card, Card | CardToken):
        return card.fields()
    what = f"card must be Card(...) or CardToken(...), not {kind_of(card)}."
    check.note(name, "type", what)
    return {}


def _amount(check: Validation, name: str, amount: object) -> dict[str, str]:
    """Amount and currency as the gateway writes them: major units with two decimals after a dot."""
    if not isinstance(amount, Money):
        what = f"amount must be Money, not {kind_of(amount)}: write Money.of('92.00', 'EGP')."
        check.note(name, "type", what)
        return {}
    if problem := code_problem(name, amount.currency, amount.own_decimals):
        check.problems.append(problem)
    elif amount.decimals > _DECIMALS or not 0 < amount.amount < _MOST:
        what = (
            f"amount is {amount}, and the gateway takes what is above zero, with two decimals and "
            "ten digits at most before the dot."
        )
        check.note(name, "range", what)
    return {"amount": f"{amount.amount:.{_DECIMALS}f}", "currency": amount.currency}


_BY_HAND: Mapping[str, Callable[[Validation, str, Any], dict[str, str]]] = {
    "amount": _amount,
    "card": _card,
    "merchant_id": _merchant,
    "merchant_transaction_id": _reference,
}
"""What makes the parameters of the form for an argument, and notes what is wrong with it."""


def _further_parameters(
    check: Validation, parameters: Any, form: Collection[str]
) -> Mapping[str, str]:
    """The caller's further parameters, by their names on the wire: none that is in the `form`
    already, and none of a card. No message shows their values.
    """
    if parameters is None:
        return {}
    if not _are_texts(parameters):
        what = "parameters must map names to text, such as {'customer.email': '...'}."
        check.note("parameters", "type", what)
        return {}
    taken = {*map(folded_name, form)}  # in any spelling
    for name in parameters:
        folded = folded_name(name)
        if folded in taken or folded.partition(".")[0] == "card":
            what = f"parameters: {one_line(name)} has an argument, or is set already: leave it out."
            check.note("parameters", "taken", what)
    return parameters


def _are_texts(parameters: Any) -> TypeGuard[Mapping[str, str]]:
    if not isinstance(parameters, Mapping):
        return False
    texts: Any = (*parameters, *parameters.values())
    return all(isinstance(text, str) and is_encodable(text) for text in texts)


def checked_id(check: Validation, name: str, value: Any) -> Any:
    """An id of the gateway's: it cannot change the rest of a path."""
    return check.text(name, value, form=ID)


def check_id(name: str, value: object) -> None:
    """Check the only argument of a call. Raises `InvalidRequest`."""
    with Validation() as check:
        checked_id(check, name, value)


class Card(UnpicklableCredentials):
    """A card. Its `repr` shows the last four digits, nothing shows the others, and it cannot be
    pickled.

    Args:
        number: 8 to 19 digits, as text; blanks and hyphens between them are taken out.
        expiry_month: 1 to 12.
        expiry_year: Four digits.
        cvv: Three or four digits, as text.
        holder: The name on the card, at most 128 characters.

    Raises:
        InvalidRequest: An argument breaks a rule; `problems` has all of them, and no message
            repeats a digit.
    """

    __slots__ = ("_cvv", "_number", "expiry_month", "expiry_year", "holder")

    def __init__(
        self,
        number: str,
        *,
        expiry_month: int | str,
        expiry_year: int | str,
        cvv: str | None = None,
        holder: str | None = None,
    ) -> None:
        # Tracebacks must not show the digits, also where an argument has a wrong type.
        number = concealed_account(number)
        cvv = _hidden(cvv)
        digits = AccountNumber(_GAPS.sub("", number)) if isinstance(number, str) else number
        month, year = str(expiry_month), str(expiry_year)
        with Validation() as validation:
            validation.text("card.number", digits, 19, shortest=8, form=_NUMBER)
            validation.text("card.cvv", cvv, 4, shortest=3, form=_CVV, required=False)
            validation.text("card.expiryMonth", month, form=_MONTH)
            validation.text("card.expiryYear", year, form=_YEAR)
            if holder is not None:
                validation.text("card.holder", holder, 128, printable=True)
        self._number = digits
        self._cvv = None if cvv is None else Secret(cvv)
        self.expiry_month = month.zfill(2)
        self.expiry_year = year
        self.holder = holder

    @property
    def last_four(self) -> str:
        """The last four digits, which may be shown."""
        return str.__getitem__(self._number, slice(-4, None))

    def fields(self) -> dict[str, str]:
        """The parameters of the form. Their values show nothing in a traceback."""
        parameters = {
            "card.holder": self.holder,
            "card.number": self._number,
            "card.expiryMonth": self.expiry_month,
            "card.expiryYear": self.expiry_year,
            "card.cvv": self._cvv,
        }
        return {name: value for name, value in parameters.items() if value is not None}

    def __repr__(self) -> str:
        if not hasattr(self, "holder"):
            return "Card(not valid)"  # in the traceback of what its constructor raised
        return f"Card({mask(self._number)!r}, {self.expiry_month}/{self.expiry_year})"


class CardToken(UnpicklableCredentials):
    """A stored card, by the gateway's token for it. The token is not shown, and cannot be pickled.

    Raises:
        InvalidRequest: It is not text of 1 to 64 characters.
    """

    __slots__ = ("_token",)

    def __init__(self, token: str) -> None:
        token = concealed(token)
        with Validation() as validation:
            validation.text("card.token", token, 64, printable=True)
        self._token = token

    def fields(self) -> dict[str, str]:
        """The parameter of the form."""
        return {"card.token": self._token}


def _hidden(cvv: Any) -> Any:
    """A CVV of any type, as a value that shows nothing."""
    if cvv is None:
        return None
    return concealed(cvv) if isinstance(cvv, str) else OddAccount(cvv)
