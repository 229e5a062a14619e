"""`EastPay` and `AsyncEastPay`: from settings to a client whose every call is safe to make."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, Generic, Self, Unpack, cast

import httpx
from eastpay_api.client import Client as GeneratedClient

from victor_ext._privacy import concealed
from victor_ext._runtime.auth.credentials import RotatingSecret, SecretText, caller_digest
from victor_ext._runtime.auth.tokens import FixedToken
from victor_ext._runtime.client.base import AwaitedClient, BaseClient, BlockingClient
from victor_ext._runtime.client.config import (
    ClientOptions,
    Transport,
    known_options,
    take,
    with_client_options,
)
from victor_ext._runtime.client.requests import folded_name
from victor_ext._runtime.client.resources import Awaited, Blocking, Mode
from victor_ext._systems import System
from victor_ext.errors import ConfigurationError, Problem
from victor_ext.providers._settings import unversioned_url

from ._checkouts import AsyncCheckouts, Checkouts
from ._operations import behaviour_of
from ._payments import AsyncPayments, Payments
from ._system import (
    SYSTEM,
    TOKEN_SOURCE,
    Entity,
    EntityTypeWord,
    checked_length,
    from_process_environment,
)


# The arguments of `from_env`, none required. They stand in the constructor, too: its signature
# shows defaults and takes the first by position, which `Unpack` of this class cannot say, and a
# type checker makes no such class of a signature. A test compares both (test_introspection.py).
class EastPayOptions(ClientOptions[Transport], Generic[Transport], total=False):
    """The arguments of `EastPay` and `AsyncEastPay`, which document them."""

    token: SecretText
    base_url: str | httpx.URL
    entity_id: str
    entity_type: EntityTypeWord
    entity_type_in_inquiries: bool


class _EastPayClient(BaseClient[GeneratedClient, Mode, Transport]):
    system: ClassVar[System] = SYSTEM
    _generated = GeneratedClient

    @with_client_options
    def __init__(
        self,
        token: SecretText,
        *,
        base_url: str | httpx.URL,
        entity_id: str,
        entity_type: EntityTypeWord = "MERCHANT",
        entity_type_in_inquiries: bool = False,
        **options: Unpack[ClientOptions[Transport]],
    ) -> None:
        """Make a client. Nothing is sent.

        Whatever `retry` is, a payment that may have been made is not repeated.

        Args:
            token: The access token, 32 to 2048 characters, from the bank's back office (account
                data). The documentation names no end of its life. To replace it without a new
                process, pass the `Path` of a file that holds it, which is read again when it has
                changed, or a function that returns it, which is called for each attempt.
            base_url: The bank's gateway with the first part of its path (eastpay, pay or gateway),
                such as `https://pay.bank.example/gateway`. There is no default: each bank runs its
                own. A `/v3` at its end is taken off.
            entity_id: Whom payments are made for, such as `EB000001`.
            entity_type: MERCHANT, POS or PARTICIPATOR.
            entity_type_in_inquiries: True sends the entity's type with inquiries too. Whether the
                gateway needs that is not known; the one program that was seen does not do it.

        Raises:
            ConfigurationError: An argument cannot work; the message names it.
        """
        token, base_url = concealed(token), concealed(base_url)
        given = take(self, options)
        url = unversioned_url(base_url, "v3")
        gateway = str(url).rstrip("/")
        entity = Entity(entity_id, entity_type, gateway, entity_type_in_inquiries)
        secret = RotatingSecret("token", token, source=TOKEN_SOURCE, check=checked_length)
        self._start(
            given,
            lambda _clock, _lock: FixedToken(lambda: f"Bearer {secret.current()}"),
            url,
            behaviour=behaviour_of(url),
            caller=caller_digest(f"{url.host} {entity.id}", product="eastpay"),
            context=entity,
        )

    @classmethod
    def from_env(cls, **options: Unpack[EastPayOptions[Transport]]) -> Self:
        """A client from EASTPAY_TOKEN, EASTPAY_BASE_URL, EASTPAY_ENTITY_ID and, if it is not
        MERCHANT, EASTPAY_ENTITY_TYPE, as `Victor.from_env`."""
        return cls(**from_process_environment(known_options(cls, "from_env", options)))

    def _check_extras(
        self,
        extra_body: object,
        extra_query: object,  # noqa: ARG002 - of all providers
    ) -> None:
        """Check the members that the caller adds to all requests. Raises `ConfigurationError`."""
        names = cast("Iterable[object]", extra_body if isinstance(extra_body, Mapping) else ())
        for name in names:
            if isinstance(name, str) and folded_name(name).partition(".")[0] == "card":
                message = (
                    "extra_body: a card comes from the argument card of debit and preauthorise: "
                    "leave it out here."
                )
                raise ConfigurationError.of([Problem("extra_body", "taken", message)])


class EastPay(_EastPayClient[Blocking, httpx.BaseTransport], BlockingClient):
    """A client of one bank's EastPay payment gateway with blocking calls.

    Safe to share between threads.
    """

    _resources: ClassVar[dict[str, Any]] = {"payments": Payments, "checkouts": Checkouts}
    payments: Payments
    checkouts: Checkouts


class AsyncEastPay(_EastPayClient[Awaited, httpx.AsyncBaseTransport], AwaitedClient):
    """A client of one bank's EastPay payment gateway with awaited calls.

    The arguments are those of `EastPay`.
    """

    _resources: ClassVar[dict[str, Any]] = {"payments": AsyncPayments, "checkouts": AsyncCheckouts}
    payments: AsyncPayments
    checkouts: AsyncCheckouts
