"""What the rest of the package asks about EastPay: a client's settings, and its side of a
reconciliation.
"""

import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Literal
from uuid import uuid4

from victor_ext._privacy import Secret, concealed
from victor_ext._runtime.core.validation import shown
from victor_ext._systems import System
from victor_ext._values.words import Word
from victor_ext.errors import ConfigurationError, InvalidRequest, NotFound
from victor_ext.providers._books import Book, Theirs, currency_of, money_of
from victor_ext.providers._settings import options_from

from ._result_codes import ResultClass

EntityTypeWord = Literal["MERCHANT", "POS", "PARTICIPATOR"] | Word
"""The types of the vendor's table. A bank may have others: write them as a `Word`."""

_ENTITY_ID = re.compile("[A-Za-z0-9]{1,32}")
_ENTITY_TYPE = re.compile("[A-Z0-9_]{1,32}")


@dataclass(frozen=True, slots=True)
class Entity:
    """The entity that payments are made for. Raises `ConfigurationError`.

    Attributes:
        id: The vendor's table says eight capital letters or digits; its own sample has 32
            characters, so both pass.
        gateway: The URL of the bank's gateway, without a slash at its end.
        in_inquiries: Whether inquiries name the type too. Whether the gateway needs that is not
            documented.
    """

    id: str
    type: str
    gateway: str
    in_inquiries: bool = False

    def in_query(self) -> dict[str, str]:
        """The parameters of an inquiry, by the names of the generated functions."""
        parameters = {"entity_id": self.id}
        if self.in_inquiries:
            parameters["entity_type"] = self.type
        return parameters

    def __post_init__(self) -> None:
        if not isinstance(self.id, str) or not _ENTITY_ID.fullmatch(self.id):
            raise ConfigurationError(
                f"entity_id={shown(self.id)} must be letters and digits, such as 'EB000001'."
            )
        if not isinstance(self.type, str) or not _ENTITY_TYPE.fullmatch(self.type):
            raise ConfigurationError(
                f"entity_type={shown(self.type)} must be 'MERCHANT', 'POS' or 'PARTICIPATOR'."
            )


TOKEN_SOURCE = "the bank's back office (account data)"  # noqa: S105 - where the token is


def checked_length(secret: Secret) -> Secret:
    """The access token, which has a possible length. Raises `ConfigurationError`."""
    if not 32 <= len(secret) <= 2048:
        raise ConfigurationError(
            "token must have 32 to 2048 characters: copy it whole from the bank's back office."
        )
    return secret


def from_process_environment(options: Mapping[str, Any]) -> dict[str, Any]:
    """The options of a client, from the variables `EASTPAY_...` where they are not given.

    See `options_from`.
    """
    return options_from(
        "EASTPAY_",
        {name: concealed(value) if name == "token" else value for name, value in options.items()},
        texts=("base_url", "entity_id", "entity_type"),
        required=("token", "base_url", "entity_id"),
        versions=("v3",),
        token=lambda values: values["EASTPAY_TOKEN"],
    )


SYSTEM = System(
    name="eastpay",
    title="EastPay",
    client="victor_ext.providers.eastpay._client:EastPay",
    async_client="victor_ext.providers.eastpay._client:AsyncEastPay",
    book="victor_ext.providers.eastpay._system:book_of",
    statuses=tuple(ResultClass),
    why_no_ping="EastPay has no read without the id of a payment: try payments.inquire(id)",
    signed_read="victor_ext.providers.eastpay._system:check_token",
    refuses={
        "environment": "--environment is not for EastPay, whose environment is its URL: write "
        "--base-url."
    },
    why_no_bulk="its payments have the cards of customers, and rows are stored",
)


def check_token(client: Any) -> str:
    """Check the token by an inquiry about a payment that does not exist: the gateway says 404 to a
    good token, and 403 to another.

    Returns:
        What the response shows, in words.

    Raises:
        VictorError: The inquiry failed, or its response is not the gateway's.
    """
    with suppress(NotFound):
        client.payments.inquire(uuid4().hex)
    return (
        "the token is accepted: an inquiry about an invented payment finds none (a wrong path in "
        "EASTPAY_BASE_URL may say the same)"
    )


def book_of(client: Any, *, page_size: int | None) -> Book:  # noqa: ARG001 - of every system
    """EastPay's book for a reconciliation, read with a client, blocking or awaited."""

    def read(payment: Any) -> Theirs:
        fields = payment.to_dict()
        currency = currency_of(fields.get("currency"))
        amount = money_of(fields.get("amount"), currency)
        reference = payment.merchant_transaction_id
        is_unreadable = amount is None and fields.get("amount") not in (None, "")
        return Theirs(
            payment.id or None,
            reference,
            amount,
            amount,
            currency,
            str(payment.result),
            None,
            is_unreadable,
        )

    return Book(
        pages=None,
        read=read,
        look_up=client.payments.inquire,
        # No `BadRequest`: without a list, a 400 may be about the client's settings.
        absent=(NotFound, InvalidRequest),
        amounts=False,
        notes=(
            "EastPay has no list: payments that are missing in our book cannot be detected.",
            "EastPay's payments are read only by id: rows without an id are not checked.",
            (
                "EastPay's status 404 also means a wrong path: unless at least one payment exists, "
                "rows are unchecked."
            ),
            "EastPay may leave amounts out of its responses: such amounts are not compared.",
        ),
    )
