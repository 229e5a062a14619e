"""Cards. Nothing shows more of one than its last four digits."""

import re
from typing import Any

from victor_ext.errors import InvalidRequest, Problem
from victor_ext.privacy import AccountNumber, OddAccount, Secret, concealed, concealed_account, kind_of, mask
from victor_ext.runtime.auth.credentials import UnpicklableCredentials
from victor_ext.runtime.client.runners import drop_none

_GAPS = re.compile("[ -]")
_NUMBER = re.compile("[0-9]{8,19}")
_CVV = re.compile("[0-9]{3,4}")
_MONTH = re.compile("0?[1-9]|1[0-2]")
_YEAR = re.compile("(?:19|20)[0-9]{2}")
_LONGEST_HOLDER = 128
_LONGEST_TOKEN = 64


class Card(UnpicklableCredentials):
    """A card. Its `repr` shows the last four digits, nothing shows the others, and it cannot be pickled.

    Args:
        number: 8 to 19 digits, as text; blanks and hyphens between them are taken out.
        expiry_month: 1 to 12.
        expiry_year: Four digits.
        cvv: Three or four digits, as text.
        holder: The name on the card, at most 128 characters.

    Raises:
        InvalidRequest: An argument breaks a rule; `problems` has all of them, and no message repeats a digit.
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
        number, cvv = concealed_account(number), _hidden(cvv)  # a traceback shows no frame with the bare values
        digits = AccountNumber(_GAPS.sub("", number)) if isinstance(number, str) else number
        month, year = _digits(expiry_month), _digits(expiry_year)
        problems = [
            *_problem("card.number", digits, _NUMBER, "8 to 19 digits, as text"),
            *([] if cvv is None else _problem("card.cvv", cvv, _CVV, "three or four digits, as text")),
        ]
        is_name = isinstance(holder, str) and holder.strip() and len(holder) <= _LONGEST_HOLDER and holder.isprintable()
        for field, is_right, wanted in (
            ("card.expiryMonth", _MONTH.fullmatch(month), "be a month from 1 to 12"),
            ("card.expiryYear", _YEAR.fullmatch(year), "have four digits, as in 2030"),
            ("card.holder", holder is None or is_name, f"be text of 1 to {_LONGEST_HOLDER} printable characters"),
        ):
            if not is_right:
                problems.append(Problem(field, "invalid", f"{field} must {wanted}."))
        if problems:
            raise InvalidRequest.of(problems)
        self._number = digits
        self._cvv = None if cvv is None else Secret(cvv)
        self.expiry_month, self.expiry_year, self.holder = month.zfill(2), year, holder

    @property
    def last_four(self) -> str:
        """The last four digits, which may be shown."""
        return str.__getitem__(self._number, slice(-4, None))

    def fields(self) -> dict[str, str]:
        """The fields of the form, by the names of the generated model. Their values show nothing in a traceback."""
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
        if not isinstance(token, str) or not (0 < len(token) <= _LONGEST_TOKEN and token.isprintable()):
            message = f"card.token must be text of 1 to {_LONGEST_TOKEN} characters, as the gateway gave it."
            raise InvalidRequest.of([Problem("card.token", "invalid", message)])
        self._token = token

    def fields(self) -> dict[str, str]:
        """The field of the form, by the name of the generated model."""
        return {"card_token": self._token}


def _digits(value: object) -> str:
    """A month or a year as text; empty if it cannot be one."""
    return value if isinstance(value, str) else str(value) if isinstance(value, int) and 0 <= value < 10_000 else ""


def _hidden(cvv: Any) -> Any:
    """A CVV of any type, as a value that shows nothing."""
    return cvv if cvv is None else concealed(cvv) if isinstance(cvv, str) else OddAccount(cvv)


def _problem(field: str, value: object, form: re.Pattern[str], wanted: str) -> list[Problem]:
    if not isinstance(value, str):
        return [Problem(field, "type", f"{field} must be {wanted}, not {kind_of(value)}: a number loses its zeros.")]
    if form.fullmatch(value):
        return []
    return [Problem(field, "invalid", f"{field} must be {wanted}; the length of this is {len(value)}.")]
