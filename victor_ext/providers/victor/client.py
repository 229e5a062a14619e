"""`Victor` and `AsyncVictor`: from settings to a client whose every call is safe to make."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self, cast

import httpx

from victor_ext.redaction import concealed
from victor_ext.runtime.client.base import AwaitedClient, BlockingClient
from victor_ext.runtime.client.config import DEFAULT_DEADLINE, DEFAULT_TIMEOUT
from victor_ext.runtime.client.resources import Awaited, Blocking
from victor_ext.runtime.http.connections import Verify
from victor_ext.runtime.loop.flow import AsyncDriver, Driver
from victor_ext.runtime.loop.retry import RetryPolicy

from .auth import Credentials
from .config import victor_parts
from .payment_requests import PaymentRequests
from .settings import from_process_environment

if TYPE_CHECKING:
    from victor_api.client import Client

    from victor_ext.runtime.loop.events import OnEvent


class Victor(BlockingClient):
    """A client of the Victor API, with blocking calls. Safe to share between threads.

    Args:
        auth: `VictorJwt(api_key, private_key)` or `VictorOAuth(client_id, client_secret)`.
        environment: `"staging"` or `"production"`; decides the URL and how long a signed token may live.
        base_url: Another URL, such as a sandbox's. `https`, or `http` to this machine. One of the provider's own hosts
            is refused under the name, or the default, of the other environment.
        timeout: Seconds for each stage of one attempt.
        deadline: Seconds for one call as a whole, all attempts and waits included; None sets no bound.
        retry: How patiently a call is tried again.
        transport: An httpx transport to send with, in place of connections of the client's own.
        proxy: The proxy to use; by default what the process environment says.
        verify: True, the path of a CA bundle, or an `ssl.SSLContext`. Turning verification off is refused,
            except for this machine.
        limits: Of the connection pool (by default 100 connections). Give it twice as many as there are calls at a
            time: a connection rests for a moment after an answer before it is used again, if there are others.
        on_event: Is told of attempts, retries and the end of calls; see `victor_ext.Event`.

    Raises:
        ConfigurationError: One of them cannot work; the message names it.
    """

    _package = "victor_api"
    payment_requests: PaymentRequests[Blocking]

    def __init__(
        self,
        auth: Credentials,
        *,
        environment: str = "staging",
        base_url: str | httpx.URL | None = None,
        timeout: httpx.Timeout | float | None = DEFAULT_TIMEOUT,
        deadline: float | None = DEFAULT_DEADLINE,
        retry: RetryPolicy = RetryPolicy(),  # noqa: B008 - frozen
        transport: httpx.BaseTransport | None = None,
        proxy: str | httpx.URL | httpx.Proxy | None = None,
        verify: Verify = True,
        limits: httpx.Limits | None = None,
        on_event: OnEvent | None = None,
    ) -> None:
        base_url, proxy = concealed(base_url), concealed(proxy)  # either may hold a password
        parts = victor_parts(
            auth, environment=environment, base_url=base_url, lock=Driver.lock(), timeout=timeout,
            deadline=deadline, retry=retry, on_event=on_event,
        )  # fmt: skip
        self._start(parts, transport, verify=verify, limits=limits, proxy=proxy)

    @classmethod
    def from_env(cls, **options: Any) -> Self:
        """A client from the process environment: VICTOR_ENVIRONMENT, VICTOR_BASE_URL, and VICTOR_CLIENT_ID with
        VICTOR_CLIENT_SECRET, or VICTOR_API_KEY with VICTOR_PRIVATE_KEY or VICTOR_PRIVATE_KEY_FILE (and
        VICTOR_PRIVATE_KEY_PASSWORD, if it is encrypted).

        Args:
            options: Arguments of the constructor; they win over the environment.
        """
        return cls(**from_process_environment(options))

    @property
    def api(self) -> Client:
        """The generated client, for generated operations: they sign, retry and fail as those here do."""
        return cast("Client", self._api)

    def _attach(self) -> None:
        self.payment_requests = PaymentRequests(self._face, self._parts.clock, self._parts.loop.deadline)


class AsyncVictor(AwaitedClient):
    """A client of the Victor API, with awaited calls. The arguments are those of `Victor`."""

    _package = "victor_api"
    payment_requests: PaymentRequests[Awaited]

    def __init__(
        self,
        auth: Credentials,
        *,
        environment: str = "staging",
        base_url: str | httpx.URL | None = None,
        timeout: httpx.Timeout | float | None = DEFAULT_TIMEOUT,
        deadline: float | None = DEFAULT_DEADLINE,
        retry: RetryPolicy = RetryPolicy(),  # noqa: B008 - frozen
        transport: httpx.AsyncBaseTransport | None = None,
        proxy: str | httpx.URL | httpx.Proxy | None = None,
        verify: Verify = True,
        limits: httpx.Limits | None = None,
        on_event: OnEvent | None = None,
    ) -> None:
        base_url, proxy = concealed(base_url), concealed(proxy)  # either may hold a password
        parts = victor_parts(
            auth, environment=environment, base_url=base_url, lock=AsyncDriver.lock(), timeout=timeout,
            deadline=deadline, retry=retry, on_event=on_event,
        )  # fmt: skip
        self._start(parts, transport, verify=verify, limits=limits, proxy=proxy)

    @classmethod
    def from_env(cls, **options: Any) -> Self:
        """A client from the process environment; see `Victor.from_env`."""
        return cls(**from_process_environment(options))

    @property
    def api(self) -> Client:
        """The generated client, for generated operations: they sign, retry and fail as those here do."""
        return cast("Client", self._api)

    def _attach(self) -> None:
        self.payment_requests = PaymentRequests(self._face, self._parts.clock, self._parts.loop.deadline)
