"""Cards. Nothing shows more of one than its last four digits."""

import re
from typing import Any

from victor_ext.privacy import AccountNumber, OddAccount, Secret, concealed, concealed_account, mask
from victor_ext.runtime.auth.credentials import UnpicklableCredentials
from victor_ext.runtime.client.runners import drop_none

from .checks import Validation

_GAPS = re.compile("[ -]")
_DIGITS = re.compile("[0-9]+")
_MONTH = re.compile("0?[1-9]|1[0-2]")
_YEAR = re.compile("(?:19|20)[0-9]{2}")


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
        month = _date_part(expiry_month)
        year = _date_part(expiry_year)
        with Validation() as validation:
            validation.text(
                "card.number", digits, 19, shortest=8, form=_DIGITS, wanted="8 to 19 digits"
            )
            validation.text(
                "card.cvv",
                cvv,
                4,
                shortest=3,
                form=_DIGITS,
                wanted="three or four digits",
                required=False,
            )
            validation.matching("card.expiryMonth", month, _MONTH, "a month from 1 to 12")
            validation.matching("card.expiryYear", year, _YEAR, "four digits, as in 2030")
            if holder is not None:
                validation.printable("card.holder", holder, 128)
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
        """The fields of the form, by the names of the generated model.

        Their values show nothing in a traceback.
        """
        return drop_none(
            card_number=self._number,
            card_expiry_month=self.expiry_month,
            card_expiry_year=self.expiry_year,
            card_cvv=self._cvv,
            card_holder=self.holder,
        )

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
            validation.printable("card.token", token, 64)
        self._token = token

    def fields(self) -> dict[str, str]:
        """The field of the form, by the name of the generated model."""
        return {"card_token": self._token}


def _date_part(value: object) -> str:
    """A month or a year as text; empty: the value is neither text nor a number of four digits."""
    if isinstance(value, str):
        return value
    if isinstance(value, int) and 0 <= value < 10_000:
        return str(value)
    return ""


def _hidden(cvv: Any) -> Any:
    """A CVV of any type, as a value that shows nothing."""
    if cvv is None:
        return None
    return concealed(cvv) if isinstance(cvv, str) else OddAccount(cvv)
