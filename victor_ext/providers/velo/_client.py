"""`Velo` and `AsyncVelo`: from settings to a client whose every call is safe to make."""

from __future__ import annotations

from functools import partial
from typing import Any, ClassVar, Generic, Self, Unpack

import httpx
from velo_api.api.source_accounts import list_source_accounts
from velo_api.client import Client as GeneratedClient

from victor_ext._privacy import concealed, kind_of
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

from ._accounts import (
    AsyncFundingAccounts,
    AsyncFundings,
    AsyncSourceAccounts,
    FundingAccounts,
    Fundings,
    SourceAccounts,
)
from ._auth import VeloAuth
from ._operations import behaviour_of
from ._payees import AsyncPayees, Payees
from ._payments import AsyncPayments, Payments
from ._payouts import AsyncPayouts, Payouts
from ._system import ENVIRONMENTS, SYSTEM, VERSIONS, EnvironmentWord, from_process_environment


# The arguments of `from_env`, none required. They stand in the constructor, too: its signature
# shows defaults and takes the first by position, which `Unpack` of this class cannot say, and a
# type checker makes no such class of a signature. A test compares both (test_introspection.py).
class VeloOptions(ClientOptions[Transport], Generic[Transport], total=False):
    """The arguments of `Velo` and `AsyncVelo`, which document them."""

    auth: VeloAuth
    environment: EnvironmentWord
    base_url: str | httpx.URL | None


class _VeloClient(BaseClient[GeneratedClient, Mode, Transport], Pings[Mode]):
    system: ClassVar[System] = SYSTEM
    _generated = GeneratedClient
    _ping_read = list_source_accounts, {"page_size": 1}

    @with_client_options
    def __init__(
        self,
        auth: VeloAuth,
        *,
        environment: EnvironmentWord = "sandbox",
        base_url: str | httpx.URL | None = None,
        **options: Unpack[ClientOptions[Transport]],
    ) -> None:
        """Make a client. Nothing is sent.

        No write of Velo's takes a key: whatever `retry` is, none is repeated that may have done its
        work.

        Args:
            auth: `VeloAuth(api_key, api_secret)`.
            environment: `"sandbox"`, where money is simulated, or `"production"`. Decides the URL.
            base_url: Another URL, such as a local sandbox's: `https`, or `http` to this machine.
                None: the environment's. A host of Velo's is refused under the name, or the default,
                of the other environment.

        Raises:
            ConfigurationError: An argument cannot work; the message names it.
        """
        # The URL may hold a password; and what is passed as `auth` may be a secret by mistake.
        base_url, auth = concealed(base_url), concealed(auth)
        given = take(self, options)
        if not isinstance(auth, VeloAuth):
            raise ConfigurationError(
                f"auth must be VeloAuth(api_key, api_secret), not {kind_of(auth)}."
            )
        name, url, place = environment_and_url(
            environment, base_url, ENVIRONMENTS, *VERSIONS, provider="Velo"
        )
        self._start(
            given,
            partial(auth.authenticator, name, url),
            url,
            behaviour=behaviour_of(name, url, place),
            environment=name,
            caller=auth.caller,
        )

    @classmethod
    def from_env(cls, **options: Unpack[VeloOptions[Transport]]) -> Self:
        """A client from VELO_API_KEY, VELO_API_SECRET, VELO_ENVIRONMENT and VELO_BASE_URL, as
        `Victor.from_env`.
        """
        return cls(**from_process_environment(known_options(cls, "from_env", options)))


class Velo(_VeloClient[Blocking, httpx.BaseTransport], BlockingClient):
    """A client of Velo Payments with blocking calls. Safe to share between threads.

    A list raises `InvalidRequest` when it is called. A filter that is None is not sent.
    """

    _resources: ClassVar[dict[str, Any]] = {
        "payees": Payees,
        "source_accounts": SourceAccounts,
        "funding_accounts": FundingAccounts,
        "fundings": Fundings,
        "payouts": Payouts,
        "payments": Payments,
    }
    payees: Payees
    source_accounts: SourceAccounts
    funding_accounts: FundingAccounts
    fundings: Fundings
    payouts: Payouts
    payments: Payments


class AsyncVelo(_VeloClient[Awaited, httpx.AsyncBaseTransport], AwaitedClient):
    """A client of Velo Payments with awaited calls. The arguments are those of `Velo`."""

    _resources: ClassVar[dict[str, Any]] = {
        "payees": AsyncPayees,
        "source_accounts": AsyncSourceAccounts,
        "funding_accounts": AsyncFundingAccounts,
        "fundings": AsyncFundings,
        "payouts": AsyncPayouts,
        "payments": AsyncPayments,
    }
    payees: AsyncPayees
    source_accounts: AsyncSourceAccounts
    funding_accounts: AsyncFundingAccounts
    fundings: AsyncFundings
    payouts: AsyncPayouts
    payments: AsyncPayments
