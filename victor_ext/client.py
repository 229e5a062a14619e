"""`Victor` and `AsyncVictor`: from settings to a client whose every call is safe to make."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, Self

import httpx

from .assembly import DEFAULT_DEADLINE, DEFAULT_TIMEOUT, KEEP, Assembly
from .credentials import Credentials
from .payment_requests import AsyncPaymentRequests, PaymentRequests
from .runtime.connections import Verify, async_connections, checked_transport, connections
from .runtime.flow import AsyncDriver, Driver
from .runtime.redaction import Secret, concealed
from .runtime.retry import RetryPolicy
from .runtime.transport import AsyncAttemptTransport, AttemptTransport
from .settings import from_process_environment

if TYPE_CHECKING:
    from victor_api.client import Client

    from .runtime.events import OnEvent


class Victor:
    """A client of the Victor API, with blocking calls. Safe to share between threads.

    Args:
        auth: `VictorJwt(api_key, private_key)` or `VictorOAuth(client_id, client_secret)`.
        environment: `"staging"` or `"production"`; decides the URL and how long a signed token may live.
        base_url: Another URL, such as a sandbox's. `https`, or `http` to this machine.
        timeout: Seconds for each stage of one attempt.
        deadline: Seconds for one call as a whole, all attempts and waits included; None sets no bound.
        retry: How patiently a call is tried again.
        transport: An httpx transport to send with, in place of connections of the client's own.
        proxy: The proxy to use; by default what the process environment says.
        verify: True, the path of a CA bundle, or an `ssl.SSLContext`. Turning verification off is refused,
            except for this machine.
        limits: Of the connection pool (by default 100 connections, 20 of them kept).
        on_event: Is told of attempts, retries and the end of calls; see `victor_ext.Event`.

    Raises:
        ConfigurationError: One of them cannot work; the message names it.
    """

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
        parts = Assembly(
            auth, environment=environment, base_url=base_url, lock=Driver.lock(), timeout=timeout,
            deadline=deadline, retry=retry, on_event=on_event,
        )  # fmt: skip
        if transport is None:
            transport = connections(parts.base_url, verify=verify, limits=limits, proxy=proxy)
        self._assemble(parts, checked_transport(transport, httpx.BaseTransport), original=None)

    @classmethod
    def from_env(cls, **options: Any) -> Self:
        """A client from the process environment: VICTOR_ENVIRONMENT, VICTOR_BASE_URL, and VICTOR_CLIENT_ID with
        VICTOR_CLIENT_SECRET, or VICTOR_API_KEY with VICTOR_PRIVATE_KEY or VICTOR_PRIVATE_KEY_FILE (and
        VICTOR_PRIVATE_KEY_PASSWORD, if it is encrypted).

        Args:
            options: Arguments of the constructor; they win over the environment.
        """
        return cls(**from_process_environment(options))

    def with_options(
        self,
        *,
        timeout: httpx.Timeout | float | None = KEEP,
        deadline: float | None = KEEP,
        retry: RetryPolicy = KEEP,
    ) -> Self:
        """A client with other limits that shares this one's connections, token, clock and retry quota."""
        other = object.__new__(type(self))
        other._assemble(self._parts.changed(timeout, deadline, retry), self._connections, original=self._transport)
        return other

    def _assemble(
        self, parts: Assembly, connections: httpx.BaseTransport, *, original: AttemptTransport | None
    ) -> None:
        self._parts = parts
        self._connections = connections
        self._driver = Driver(connections)
        transport = AttemptTransport(parts.loop, connections, parts.base_url, original=original, driver=self._driver)
        self._transport = transport
        self.payment_requests = PaymentRequests(self._api_within, parts.clock, self._driver.sleep, parts.loop.deadline)

    @cached_property
    def api(self) -> Client:
        """The generated client, for generated operations: they sign, retry and fail as those here do."""
        from ._generated_client import BoundClient  # noqa: PLC0415 - loads attrs and the generated package

        return BoundClient.over(str(self._parts.base_url), self._http_client, {})

    def _api_within(self, seconds: float | None) -> Client:
        return self.api if seconds is None else self.with_options(deadline=seconds).api

    def _http_client(self, options: dict[str, Any]) -> httpx.Client:
        return httpx.Client(transport=self._transport, **self._parts.client_arguments(options))

    @property
    def environment(self) -> str:
        """The environment that is asked: `"staging"` or `"production"`."""
        return self._parts.environment.name

    @property
    def base_url(self) -> str:
        """The URL that is called."""
        return str(self._parts.base_url)

    @property
    def caller(self) -> str | None:
        """A digest of the API key or client id: it tells two callers apart, and does not tell who they are."""
        return self._parts.caller

    def authorization(self) -> str:
        """The value of the `Authorization` header that a request made now would carry. It is a secret."""
        self._transport.guard.require_open()
        request = httpx.Request("GET", self._parts.base_url, extensions={"timeout": self._parts.timeout.as_dict()})
        self._driver.run(self._parts.loop.sign(request))
        return Secret(request.headers["Authorization"])  # a str like any other, and one that no traceback shows

    def close(self) -> None:
        """Close the connections (those of a client made by `with_options` stay with the original)."""
        self._transport.close()

    def __enter__(self) -> Self:
        self._transport.guard.require_open()
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({getattr(self, '_parts', '')})"


class AsyncVictor:
    """A client of the Victor API, with awaited calls. The arguments are those of `Victor`."""

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
        parts = Assembly(
            auth, environment=environment, base_url=base_url, lock=AsyncDriver.lock(), timeout=timeout,
            deadline=deadline, retry=retry, on_event=on_event,
        )  # fmt: skip
        if transport is None:
            transport = async_connections(parts.base_url, verify=verify, limits=limits, proxy=proxy)
        self._assemble(parts, checked_transport(transport, httpx.AsyncBaseTransport), original=None)

    @classmethod
    def from_env(cls, **options: Any) -> Self:
        """A client from the process environment; see `Victor.from_env`."""
        return cls(**from_process_environment(options))

    def with_options(
        self,
        *,
        timeout: httpx.Timeout | float | None = KEEP,
        deadline: float | None = KEEP,
        retry: RetryPolicy = KEEP,
    ) -> Self:
        """A client with other limits that shares this one's connections, token, clock and retry quota."""
        other = object.__new__(type(self))
        other._assemble(self._parts.changed(timeout, deadline, retry), self._connections, original=self._transport)
        return other

    def _assemble(
        self, parts: Assembly, connections: httpx.AsyncBaseTransport, *, original: AsyncAttemptTransport | None
    ) -> None:
        self._parts = parts
        self._connections = connections
        self._driver = AsyncDriver(connections)
        transport = AsyncAttemptTransport(
            parts.loop, connections, parts.base_url, original=original, driver=self._driver
        )
        self._transport = transport
        self.payment_requests = AsyncPaymentRequests(
            self._api_within, parts.clock, self._driver.sleep, parts.loop.deadline
        )

    @cached_property
    def api(self) -> Client:
        """The generated client, for generated operations: they sign, retry and fail as those here do."""
        from ._generated_client import BoundClient  # noqa: PLC0415 - loads attrs and the generated package

        return BoundClient.over(str(self._parts.base_url), self._http_client, {})

    def _api_within(self, seconds: float | None) -> Client:
        return self.api if seconds is None else self.with_options(deadline=seconds).api

    def _http_client(self, options: dict[str, Any]) -> httpx.AsyncClient:
        return httpx.AsyncClient(transport=self._transport, **self._parts.client_arguments(options))

    @property
    def environment(self) -> str:
        """The environment that is asked: `"staging"` or `"production"`."""
        return self._parts.environment.name

    @property
    def base_url(self) -> str:
        """The URL that is called."""
        return str(self._parts.base_url)

    @property
    def caller(self) -> str | None:
        """A digest of the API key or client id: it tells two callers apart, and does not tell who they are."""
        return self._parts.caller

    async def authorization(self) -> str:
        """The value of the `Authorization` header that a request made now would carry. It is a secret."""
        self._transport.guard.require_open()
        request = httpx.Request("GET", self._parts.base_url, extensions={"timeout": self._parts.timeout.as_dict()})
        await self._driver.run(self._parts.loop.sign(request))
        return Secret(request.headers["Authorization"])  # a str like any other, and one that no traceback shows

    async def close(self) -> None:
        """Close the connections (those of a client made by `with_options` stay with the original)."""
        await self._transport.aclose()

    aclose = close

    async def __aenter__(self) -> Self:
        self._transport.guard.require_open()
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.close()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({getattr(self, '_parts', '')})"
