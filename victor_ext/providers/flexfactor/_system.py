"""What the rest of the package asks about FlexFactor: its hosts and settings, and its side of a
reconciliation.
"""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, Literal, NamedTuple

from victor_ext._systems import System
from victor_ext._values.ids import GUID
from victor_ext._values.words import Word
from victor_ext.errors import ConfigurationError
from victor_ext.providers._books import Book, Theirs, currency_of
from victor_ext.providers._settings import options_from, require_variables

from ._auth import FlexFactorAuth, FlexFactorToken

EnvironmentWord = Literal["sandbox", "production"] | Word

ENVIRONMENTS: Mapping[str, Sequence[str]] = {
    "sandbox": ["https://api-sandbox.flex-charge.com", "https://api-sandbox.flexfactor.io"],
    "production": ["https://api.flex-charge.com", "https://api.flexfactor.io"],
}
"""The hosts that the provider's page "Payment" lists, and those under the newer name, which some of
its newer pages have.
"""


class Merchant(NamedTuple):
    """The merchant that a client acts for; both ids are GUIDs."""

    mid: str
    site_id: str | None


def checked_guid(name: str, value: object) -> str:
    """A GUID without blanks around it. Raises `ConfigurationError`."""
    if isinstance(value, str) and GUID.fullmatch(value.strip()):
        return str(value.strip())
    # The message does not show the value, which may be the secret by mistake.
    raise ConfigurationError(
        f"{name} must be a GUID as text, such as '3f9c1a52-7d0e-4b53-9d7c-3b6f3a0c9e71'."
    )


def _credentials_of(values: Mapping[str, str]) -> FlexFactorAuth | FlexFactorToken:
    """The credentials in the variables of a process. Raises `ConfigurationError`."""
    key, secret, token = (f"FLEXFACTOR_{name}" for name in ("APP_KEY", "APP_SECRET", "TOKEN"))
    if token in values and (key in values or secret in values):
        raise ConfigurationError(
            f"{token} and {key} or {secret} are set: set one kind of credentials alone."
        )
    if token in values:
        return FlexFactorToken(values[token])
    require_variables(values, key, secret, hint=f"Set both, or {token} in their place.")
    return FlexFactorAuth(values[key], values[secret])


from_process_environment = partial(
    options_from,
    "FLEXFACTOR_",
    texts=["mid", "site_id", "environment", "base_url"],
    required=["mid"],
    versions=["v1"],
    auth=_credentials_of,
)


SYSTEM = System(
    name="flexfactor",
    title="FlexFactor",
    client="victor_ext.providers.flexfactor._client:FlexFactor",
    async_client="victor_ext.providers.flexfactor._client:AsyncFlexFactor",
    book="victor_ext.providers.flexfactor._system:book_of",
    statuses=(
        # of orders
        *("DRAFT", "ONHOLD", "CANCELLED", "PROBLEM", "PROCESSING", "CAPTUREREQUIRED"),
        *("RETURNED", "COMPLETED"),
        # of decisions
        *("APPROVED", "DECLINED", "CHALLENGE", "SUBMITTED", "EXPIRED", "CANCELED"),
    ),
    environments=tuple(ENVIRONMENTS),
    lists="orders",
    why_no_bulk="its orders are decided while a customer waits",
)


def book_of(client: Any, *, page_size: int | None) -> Book:
    """FlexFactor's book for a reconciliation, read with a client, blocking or awaited."""

    def read(order: Any) -> Theirs:
        currency = currency_of(order.currency)
        return Theirs(
            order.id,
            order.external_order_id,
            None,
            None,
            currency,
            order.status_name,
            order.placed_at,
        )

    return Book(
        pages=lambda window: client.orders.list(
            start=window.read_from, end=window.read_to, page_size=page_size
        ).pages(),
        read=read,
        look_up=client.orders.get,
        amounts=False,
        notes=(
            "FlexFactor does not document the unit of an order's amount: amounts are not compared.",
        ),
    )
