"""`Victor` and `AsyncVictor`: from settings to a client whose every call is safe to make."""

from __future__ import annotations

from functools import partial
from typing import Any, ClassVar, Generic, Self, Unpack

import httpx
from victor_api.api.payment_requests import list_payment_requests
from victor_api.client import Client as GeneratedClient

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

from ._auth import Credentials
from ._operations import behaviour_of
from ._payment_requests import AsyncPaymentRequests, PaymentRequests
from ._system import ENVIRONMENTS, SYSTEM, VERSION, EnvironmentWord, from_process_environment


# The arguments of `from_env`, none required. They stand in the constructor, too: its signature
# shows defaults and takes the first by position, which `Unpack` of this class cannot say, and a
# type checker makes no such class of a signature. A test compares both (test_introspection.py).
class VictorOptions(ClientOptions[Transport], Generic[Transport], total=False):
    """The arguments of `Victor` and `AsyncVictor`, which document them."""

    auth: Credentials
    environment: EnvironmentWord
    base_url: str | httpx.URL | None


class _VictorClient(BaseClient[GeneratedClient, Mode, Transport], Pings[Mode]):
    system: ClassVar[System] = SYSTEM
    _generated = GeneratedClient
    _ping_read = list_payment_requests, {"page": 0, "page_size": 1}

    @with_client_options
    def __init__(
        self,
        auth: Credentials,
        *,
        environment: EnvironmentWord = "staging",
        base_url: str | httpx.URL | None = None,
        **options: Unpack[ClientOptions[Transport]],
    ) -> None:
        """Make a client. Nothing is sent.

        Args:
            auth: `VictorJwt(api_key, private_key)` or `VictorOAuth(client_id, client_secret)`.
            environment: `"staging"` or `"production"`. Decides the URL and how long a signed token
                may live.
            base_url: Another URL, such as a sandbox's: `https`, or `http` to this machine. None:
                the environment's. A host of the provider's own is refused under the name, or the
                default, of the other environment.

        Raises:
            ConfigurationError: An argument cannot work; the message names it.
        """
        # The URL may hold a password; and what is passed as `auth` may be a secret by mistake.
        base_url, auth = concealed(base_url), concealed(auth)
        given = take(self, options)
        if isinstance(auth, type) or not callable(getattr(auth, "authenticator", None)):
            raise ConfigurationError(
                "auth must be VictorJwt(api_key, private_key) or VictorOAuth(client_id, "
                "client_secret), not "
                f"{'the class itself' if isinstance(auth, type) else kind_of(auth)}."
            )
        name, url, place = environment_and_url(
            environment, base_url, ENVIRONMENTS, VERSION, provider="Victor"
        )
        self._start(
            given,
            partial(auth.authenticator, name, url),
            url,
            behaviour=behaviour_of(name, url, place),
            environment=name,
            caller=getattr(auth, "caller", None),
        )

    @classmethod
    def from_env(cls, **options: Unpack[VictorOptions[Transport]]) -> Self:
        """A client from the process environment: VICTOR_ENVIRONMENT, VICTOR_BASE_URL, and
        VICTOR_CLIENT_ID with VICTOR_CLIENT_SECRET, or VICTOR_API_KEY with VICTOR_PRIVATE_KEY or
        VICTOR_PRIVATE_KEY_FILE (and VICTOR_PRIVATE_KEY_PASSWORD, if it is encrypted). An empty
        variable counts as not set.

        Args:
            options: Arguments of the constructor; they win over the environment.

        Raises:
            ConfigurationError: Credentials are missing, two kinds of them are set, or a value
                cannot work.
        """
        return cls(**from_process_environment(known_options(cls, "from_env", options)))


class Victor(_VictorClient[Blocking, httpx.BaseTransport], BlockingClient):
    """A client of the Victor API with blocking calls. Safe to share between threads."""

    _resources: ClassVar[dict[str, Any]] = {"payment_requests": PaymentRequests}
    payment_requests: PaymentRequests


class AsyncVictor(_VictorClient[Awaited, httpx.AsyncBaseTransport], AwaitedClient):
    """A client of the Victor API with awaited calls. The arguments are those of `Victor`."""

    _resources: ClassVar[dict[str, Any]] = {"payment_requests": AsyncPaymentRequests}
    payment_requests: AsyncPaymentRequests
