"""What every client is made of, with blocking calls and with awaited ones."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar, Self, TypeVar

import httpx

from victor_ext.errors import ConfigurationError
from victor_ext.redaction import Secret, concealed
from victor_ext.runtime.http.connections import Verify, async_connections, checked_transport, connections
from victor_ext.runtime.http.httpx_internals import AsyncHttpClient, HttpClient
from victor_ext.runtime.http.transport import AsyncAttemptTransport, AttemptTransport
from victor_ext.runtime.loop.clock import ProviderTime
from victor_ext.runtime.loop.flow import AsyncDriver, Driver
from victor_ext.runtime.loop.retry import RetryPolicy

from .config import KEEP, ClientConfig
from .runners import AsyncRunner, SyncRunner

C = TypeVar("C")


class _Client:
    """What both have in common. The class variables are the parts that block or are awaited."""

    _package: ClassVar[str]
    """The import name of the generated package that `api` is of."""
    _drivers: ClassVar[Callable[..., Any]]
    _transports: ClassVar[Callable[..., Any]]
    _faces: ClassVar[Callable[..., Any]]
    _http_clients: ClassVar[Callable[..., Any]]
    _parts: ClientConfig
    _transport: Any
    _made_api: Any = None

    def _assemble(self, parts: ClientConfig, connections: Any, *, original: Any = None) -> None:
        self._parts = parts
        self._connections = connections
        self._driver = self._drivers(connections)
        self._transport = self._transports(
            parts.loop, connections, parts.base_url, original=original, driver=self._driver
        )
        self._face = self._faces(self._api_within, self._driver.sleep)
        self._attach()

    def _attach(self) -> None:
        """Make the resources; called whenever the client's parts are put together."""
        raise NotImplementedError

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

    @property
    def _api(self) -> Any:
        # No `cached_property`: until Python 3.12 it takes a lock, which a forked child may find taken for ever.
        made = self._made_api
        if made is None:
            import importlib  # noqa: PLC0415 - loads attrs and the generated package

            made = self._made_api = self.bind(importlib.import_module(f"{self._package}.client").Client)
        return made

    def _api_within(self, seconds: float | None) -> Any:
        return self._api if seconds is None else self.with_options(deadline=seconds)._api  # noqa: SLF001 - its class

    def bind(self, client_class: type[C]) -> C:
        """The `Client` (or `AuthenticatedClient`) of another generated package, over this client's transport.

        For operations that this package does not know: generate the provider's whole document with the recipe,
        and its operations sign, retry and fail as those here do.

        Raises:
            ConfigurationError: It is no such class.
        """
        from .generated import bind  # noqa: PLC0415 - only those who call a generated operation pay for it

        if not isinstance(client_class, type) or not hasattr(client_class, "set_httpx_client"):
            raise ConfigurationError("bind: pass the Client class of a generated package.")
        return bind(client_class, str(self._parts.base_url), self._http_client)

    def _http_client(self, options: dict[str, Any]) -> Any:
        return self._http_clients(transport=self._transport, **self._parts.client_arguments(options))

    def _unsigned(self) -> httpx.Request:
        """A request to put a token on, and to send nowhere."""
        self._transport.guard.require_open()
        return httpx.Request("GET", self._parts.base_url, extensions={"timeout": self._parts.timeout.as_dict()})

    def provider_time(self) -> ProviderTime:
        """The provider's time, and whether an answer has told it. It makes no call, and is not awaited."""
        return self._parts.clock.provider_time()

    @property
    def environment(self) -> str:
        """The environment that is asked."""
        return self._parts.environment

    @property
    def base_url(self) -> str:
        """The URL that is called."""
        return str(self._parts.base_url)

    @property
    def caller(self) -> str | None:
        """A digest of the credentials' public part: it tells two callers apart, and does not tell who they are."""
        return self._parts.caller

    def __repr__(self) -> str:
        return f"{type(self).__name__}({getattr(self, '_parts', '')})"


class BlockingClient(_Client):
    """A client with blocking calls. Safe to share between threads."""

    _drivers, _transports, _faces, _http_clients = Driver, AttemptTransport, SyncRunner, HttpClient
    _face: SyncRunner
    _driver: Driver

    def _start(
        self,
        parts: ClientConfig,
        transport: httpx.BaseTransport | None,
        *,
        verify: Verify,
        limits: httpx.Limits | None,
        proxy: str | httpx.URL | httpx.Proxy | None,
    ) -> None:
        proxy = concealed(proxy)  # it may hold a password
        if transport is None:
            transport = connections(parts.base_url, verify=verify, limits=limits, proxy=proxy)
        self._assemble(parts, checked_transport(transport, httpx.BaseTransport))

    def authorization(self) -> str:
        """The value of the `Authorization` header that a request made now would carry. It is a secret."""
        request = self._unsigned()
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


class AwaitedClient(_Client):
    """A client with awaited calls."""

    _drivers, _transports, _faces, _http_clients = AsyncDriver, AsyncAttemptTransport, AsyncRunner, AsyncHttpClient
    _face: AsyncRunner
    _driver: AsyncDriver

    def _start(
        self,
        parts: ClientConfig,
        transport: httpx.AsyncBaseTransport | None,
        *,
        verify: Verify,
        limits: httpx.Limits | None,
        proxy: str | httpx.URL | httpx.Proxy | None,
    ) -> None:
        proxy = concealed(proxy)  # it may hold a password
        if transport is None:
            transport = async_connections(parts.base_url, verify=verify, limits=limits, proxy=proxy)
        self._assemble(parts, checked_transport(transport, httpx.AsyncBaseTransport))

    async def authorization(self) -> str:
        """The value of the `Authorization` header that a request made now would carry. It is a secret."""
        request = self._unsigned()
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
