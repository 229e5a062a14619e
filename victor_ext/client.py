"""`Victor` and `AsyncVictor`: from settings to a client whose every call is safe to make."""

from __future__ import annotations

import math
import sys
from functools import cached_property
from typing import TYPE_CHECKING, Any, Self

import httpx

from ._version import __version__
from .credentials import Credentials
from .payment_requests import AsyncPaymentRequests, PaymentRequests
from .provider import profile_of
from .runtime.attempts import AttemptLoop
from .runtime.clock import ServerClock
from .runtime.connections import Verify, async_connections, connections
from .runtime.errors import ConfigurationError
from .runtime.flow import AsyncDriver, Driver, Lock
from .runtime.quota import RetryQuota
from .runtime.retry import RetryPolicy
from .runtime.transport import AsyncAttemptTransport, AttemptTransport
from .settings import base_url_of, environment_named, from_process_environment

if TYPE_CHECKING:
    from victor_api.client import Client

    from .runtime.events import OnEvent, Reporter

DEFAULT_TIMEOUT = httpx.Timeout(20.0, connect=5.0)
"""Seconds for each stage of one attempt: 5 to connect, 20 for each of writing, reading, and a free connection."""

DEFAULT_DEADLINE = 60.0
"""Seconds for one call as a whole, all attempts and waits included."""

_KEEP: Any = object()


class _Setup:
    """What `Victor` and `AsyncVictor` have in common: everything but the sockets and the `await`."""

    def __init__(
        self,
        auth: Credentials,
        *,
        environment: str,
        base_url: str | httpx.URL | None,
        lock: Lock,
        timeout: httpx.Timeout | float | None,
        deadline: float | None,
        retry: RetryPolicy,
        on_event: OnEvent | None,
    ) -> None:
        if not callable(getattr(auth, "authenticator", None)):
            raise ConfigurationError(
                f"auth must be VictorJwt(api_key, private_key) or VictorOAuth(client_id, client_secret), not "
                f"{type(auth).__name__}."
            )
        self.environment = environment_named(environment)
        self.base_url = base_url_of(self.environment, base_url)
        self.timeout = _checked_timeout(timeout)
        self.clock = ServerClock()
        authenticator = auth.authenticator(self.environment, self.base_url, self.clock, lock)
        self.loop = AttemptLoop(
            profile=profile_of(self.environment),
            authenticator=authenticator,
            policy=_checked_policy(retry),
            quota=RetryQuota(retry.quota),
            clock=self.clock,
            deadline=_checked_deadline(deadline),
            reporter=_reporter(on_event),
        )

    def changed(self, timeout: httpx.Timeout | float | None, deadline: float | None, retry: RetryPolicy) -> _Setup:
        """A copy with other limits; tokens, clock, quota and connections stay the same ones."""
        copy = object.__new__(_Setup)
        copy.environment, copy.base_url, copy.clock = self.environment, self.base_url, self.clock
        copy.timeout = self.timeout if timeout is _KEEP else _checked_timeout(timeout)
        loop = self.loop
        policy = loop.policy if retry is _KEEP else _checked_policy(retry)
        copy.loop = AttemptLoop(
            profile=loop.profile,
            authenticator=loop.authenticator,
            policy=policy,
            quota=loop.quota if policy.quota == loop.policy.quota else RetryQuota(policy.quota),
            clock=self.clock,
            deadline=loop.deadline if deadline is _KEEP else _checked_deadline(deadline),
            reporter=loop.reporter,
        )
        return copy

    def __str__(self) -> str:
        return f"environment={self.environment.name!r}, base_url={str(self.base_url)!r}"

    def client_arguments(self, options: dict[str, Any]) -> dict[str, Any]:
        """For the httpx client. The environment, redirects and proxies are the business of the transport below it."""
        python = ".".join(map(str, sys.version_info[:2]))
        agent = f"victor-ext/{__version__} httpx/{httpx.__version__} python/{python}"
        return {
            "base_url": self.base_url,
            "timeout": self.timeout,
            "trust_env": False,
            "follow_redirects": False,
            **options,
            "headers": {"user-agent": agent, "accept": "application/json", **options.get("headers", {})},
        }


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
        on_event: Is told of attempts, retries and the end of calls; see `victor_ext.events`.

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
        setup = _Setup(
            auth, environment=environment, base_url=base_url, lock=Driver.lock(), timeout=timeout,
            deadline=deadline, retry=retry, on_event=on_event,
        )  # fmt: skip
        if transport is None:
            transport = connections(setup.base_url, verify=verify, limits=limits, proxy=proxy)
        self._assemble(setup, transport, owns=True)

    @classmethod
    def from_env(cls, **options: Any) -> Self:
        """A client from the process environment: VICTOR_ENVIRONMENT, VICTOR_BASE_URL, and VICTOR_CLIENT_ID with
        VICTOR_CLIENT_SECRET, or VICTOR_API_KEY with VICTOR_PRIVATE_KEY or VICTOR_PRIVATE_KEY_FILE.

        Args:
            options: Arguments of the constructor; they win over the environment.
        """
        return cls(**from_process_environment(options))

    def with_options(
        self,
        *,
        timeout: httpx.Timeout | float | None = _KEEP,
        deadline: float | None = _KEEP,
        retry: RetryPolicy = _KEEP,
    ) -> Self:
        """A client with other limits that shares this one's connections, token, clock and retry quota."""
        other = object.__new__(type(self))
        other._assemble(self._setup.changed(timeout, deadline, retry), self._connections, owns=False)
        return other

    def _assemble(self, setup: _Setup, connections: httpx.BaseTransport, *, owns: bool) -> None:
        self._setup = setup
        self._connections = connections
        self._driver = Driver(connections)
        transport = AttemptTransport(setup.loop, connections, setup.base_url, owns=owns, driver=self._driver)
        self._transport = transport
        self.payment_requests = PaymentRequests(lambda: self.api, setup.clock, self._driver.sleep)

    @cached_property
    def api(self) -> Client:
        """The generated client, for generated operations: they sign, retry and fail as those here do."""
        from ._generated_client import BoundClient  # noqa: PLC0415 - loads attrs and the generated package

        return BoundClient.over(str(self._setup.base_url), self._http_client, {})

    def _http_client(self, options: dict[str, Any]) -> httpx.Client:
        return httpx.Client(transport=self._transport, **self._setup.client_arguments(options))

    def authorization(self) -> str:
        """The value of the `Authorization` header that a request made now would carry. It is a secret."""
        request = httpx.Request("GET", self._setup.base_url, extensions={"timeout": self._setup.timeout.as_dict()})
        self._driver.run(self._setup.loop.sign(request))
        return request.headers["Authorization"]

    def close(self) -> None:
        """Close the connections (those of a client made by `with_options` stay with the original)."""
        self._transport.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._setup})"


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
        setup = _Setup(
            auth, environment=environment, base_url=base_url, lock=AsyncDriver.lock(), timeout=timeout,
            deadline=deadline, retry=retry, on_event=on_event,
        )  # fmt: skip
        if transport is None:
            transport = async_connections(setup.base_url, verify=verify, limits=limits, proxy=proxy)
        self._assemble(setup, transport, owns=True)

    @classmethod
    def from_env(cls, **options: Any) -> Self:
        """A client from the process environment; see `Victor.from_env`."""
        return cls(**from_process_environment(options))

    def with_options(
        self,
        *,
        timeout: httpx.Timeout | float | None = _KEEP,
        deadline: float | None = _KEEP,
        retry: RetryPolicy = _KEEP,
    ) -> Self:
        """A client with other limits that shares this one's connections, token, clock and retry quota."""
        other = object.__new__(type(self))
        other._assemble(self._setup.changed(timeout, deadline, retry), self._connections, owns=False)
        return other

    def _assemble(self, setup: _Setup, connections: httpx.AsyncBaseTransport, *, owns: bool) -> None:
        self._setup = setup
        self._connections = connections
        self._driver = AsyncDriver(connections)
        transport = AsyncAttemptTransport(setup.loop, connections, setup.base_url, owns=owns, driver=self._driver)
        self._transport = transport
        self.payment_requests = AsyncPaymentRequests(lambda: self.api, setup.clock, self._driver.sleep)

    @cached_property
    def api(self) -> Client:
        """The generated client, for generated operations: they sign, retry and fail as those here do."""
        from ._generated_client import BoundClient  # noqa: PLC0415 - loads attrs and the generated package

        return BoundClient.over(str(self._setup.base_url), self._http_client, {})

    def _http_client(self, options: dict[str, Any]) -> httpx.AsyncClient:
        return httpx.AsyncClient(transport=self._transport, **self._setup.client_arguments(options))

    async def authorization(self) -> str:
        """The value of the `Authorization` header that a request made now would carry. It is a secret."""
        request = httpx.Request("GET", self._setup.base_url, extensions={"timeout": self._setup.timeout.as_dict()})
        await self._driver.run(self._setup.loop.sign(request))
        return request.headers["Authorization"]

    async def close(self) -> None:
        """Close the connections (those of a client made by `with_options` stay with the original)."""
        await self._transport.aclose()

    aclose = close

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.close()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._setup})"


def _reporter(on_event: OnEvent | None) -> Reporter | None:
    if on_event is None:
        return None
    if not callable(on_event):
        raise ConfigurationError(f"on_event must be callable with one event, not {type(on_event).__name__}.")
    from .runtime.events import Reporter  # noqa: PLC0415 - only those who listen pay for it

    return Reporter(on_event)


def _checked_policy(retry: object) -> RetryPolicy:
    if not isinstance(retry, RetryPolicy):
        raise ConfigurationError(f"retry must be RetryPolicy(...), not {type(retry).__name__}.")
    return retry


def _checked_timeout(timeout: object) -> httpx.Timeout:
    if timeout is None or isinstance(timeout, httpx.Timeout):
        return httpx.Timeout(None) if timeout is None else timeout
    if isinstance(timeout, bool) or not isinstance(timeout, int | float) or not 0 < timeout < math.inf:
        raise ConfigurationError(f"timeout={timeout!r} must be seconds above zero, or an httpx.Timeout.")
    return httpx.Timeout(timeout)


def _checked_deadline(deadline: object) -> float | None:
    if deadline is None:
        return None
    if isinstance(deadline, bool) or not isinstance(deadline, int | float) or not 0 < deadline < math.inf:
        raise ConfigurationError(f"deadline={deadline!r} must be seconds above zero, or None for no bound.")
    return float(deadline)
