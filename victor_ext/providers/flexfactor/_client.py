"""`FlexFactor` and `AsyncFlexFactor`: from settings to a client."""

from __future__ import annotations

from functools import partial
from typing import Any, ClassVar, Generic, Self, Unpack

import httpx
from flexfactor_api.api.orders import list_orders
from flexfactor_api.client import Client as GeneratedClient

from victor_ext._privacy import concealed, kind_of
from victor_ext._runtime.auth.credentials import caller_digest
from victor_ext._runtime.client.base import AwaitedClient, BaseClient, BlockingClient, Pings
from victor_ext._runtime.client.config import (
    ClientOptions,
    Transport,
    known_options,
    take,
    with_client_options,
)
from victor_ext._runtime.client.resources import Awaited, Blocking, Mode
from victor_ext._systems import System
from victor_ext.errors import ConfigurationError
from victor_ext.providers._settings import environment_and_url

from ._auth import FlexFactorAuth, FlexFactorToken
from ._operations import behaviour_of
from ._orders import AsyncOrders, Orders
from ._payments import AsyncPayments, Payments
from ._system import (
    ENVIRONMENTS,
    SYSTEM,
    EnvironmentWord,
    Merchant,
    checked_guid,
    from_process_environment,
)


# The arguments of `from_env`, none required. They stand in the constructor, too: its signature
# shows defaults and takes the first by position, which `Unpack` of this class cannot say, and a
# type checker makes no such class of a signature. A test compares both (test_introspection.py).
class FlexFactorOptions(ClientOptions[Transport], Generic[Transport], total=False):
    """The arguments of `FlexFactor` and `AsyncFlexFactor`, which document them."""

    auth: FlexFactorAuth | FlexFactorToken
    mid: str
    site_id: str | None
    environment: EnvironmentWord
    base_url: str | httpx.URL | None


class _FlexFactorClient(BaseClient[GeneratedClient, Mode, Transport], Pings[Mode]):
    system: ClassVar[System] = SYSTEM
    _generated = GeneratedClient

    @with_client_options
    def __init__(
        self,
        auth: FlexFactorAuth | FlexFactorToken,
        *,
        mid: str,
        site_id: str | None = None,
        environment: EnvironmentWord = "sandbox",
        base_url: str | httpx.URL | None = None,
        **options: Unpack[ClientOptions[Transport]],
    ) -> None:
        """Make a client. Nothing is sent.

        Args:
            auth: `FlexFactorAuth(app_key, app_secret)`, or `FlexFactorToken(token)` for a key or a
                token that is ready.
            mid: The merchant's GUID.
            site_id: The site's GUID, if the merchant has several sites; else None.
            environment: `"sandbox"` or `"production"`.
            base_url: Another URL, such as a local sandbox's, or the provider's under its newer name
                (`https://api.flexfactor.io`), without `/v1`: `https`, or `http` to this machine.
                None: the environment's (`api.flex-charge.com`, as the provider's page has it). A
                host of the provider's is refused under the name, or the default, of the other
                environment.

        Raises:
            ConfigurationError: An argument cannot work; the message names it.
        """
        # The URL may hold a password, and what is given as an id may be the secret by mistake.
        auth, base_url, mid, site_id = map(concealed, (auth, base_url, mid, site_id))
        given = take(self, options)
        merchant = Merchant(
            checked_guid("mid", mid), None if site_id is None else checked_guid("site_id", site_id)
        )
        if not isinstance(auth, FlexFactorAuth | FlexFactorToken):
            wanted = "FlexFactorAuth(app_key, app_secret) or FlexFactorToken(token)"
            raise ConfigurationError(f"auth must be {wanted}, not {kind_of(auth)}.")
        name, url, place = environment_and_url(
            environment, base_url, ENVIRONMENTS, "v1", provider="FlexFactor"
        )
        self._start(
            given,
            partial(auth.authenticator, name, url),
            url,
            behaviour=behaviour_of(place, url, auth.hint(name)),
            environment=name,
            caller=auth.caller
            or caller_digest(merchant.mid, product="victor-ext flexfactor merchant"),
            context=merchant,
        )

    @classmethod
    def from_env(cls, **options: Unpack[FlexFactorOptions[Transport]]) -> Self:
        """A client from FLEXFACTOR_APP_KEY and FLEXFACTOR_APP_SECRET, or in place of both
        FLEXFACTOR_TOKEN (one that is ready); FLEXFACTOR_MID; and, if set, FLEXFACTOR_SITE_ID,
        FLEXFACTOR_ENVIRONMENT and FLEXFACTOR_BASE_URL, as `Victor.from_env`."""
        return cls(**from_process_environment(known_options(cls, "from_env", options)))

    def _attach(self) -> None:
        super()._attach()
        self._ping_read = list_orders, {"mid": self._shared.context.mid, "page_size": 1}


class FlexFactor(_FlexFactorClient[Blocking, httpx.BaseTransport], Payments, BlockingClient):
    """A client of FlexFactor (formerly FlexCharge) with blocking calls.

    Safe to share between threads.
    """

    _resources: ClassVar[dict[str, Any]] = {"orders": Orders, "_payments": Payments}
    orders: Orders


class AsyncFlexFactor(
    _FlexFactorClient[Awaited, httpx.AsyncBaseTransport], AsyncPayments, AwaitedClient
):
    """A client of FlexFactor with awaited calls. The arguments are those of `FlexFactor`."""

    _resources: ClassVar[dict[str, Any]] = {"orders": AsyncOrders, "_payments": AsyncPayments}
    orders: AsyncOrders
