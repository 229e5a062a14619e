"""`FlexFactor` and `AsyncFlexFactor`: from settings to a client."""

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

from .auth import FlexFactorAuth
from .config import flexfactor_parts
from .orders import Orders
from .payments import Payments
from .settings import from_process_environment, merchant_of

if TYPE_CHECKING:
    from flexfactor_api.client import Client

    from victor_ext.runtime.loop.events import OnEvent


class FlexFactor(BlockingClient):
    """A client of FlexFactor (formerly FlexCharge), with blocking calls. Safe to share between threads.

    Args:
        auth: `FlexFactorAuth(app_key, app_secret)`.
        mid: The merchant's GUID.
        site_id: The site's GUID, where the merchant has several sites.
        environment: `"sandbox"` or `"production"`.
        hosts: `"flexfactor"`, or `"flex-charge"` for the hosts under the older name.
        base_url: Another URL, such as a local sandbox's, without `/v1`. `https`, or `http` to this machine.
            A host of the provider's is refused under the name, or the default, of the other environment.
        timeout: Seconds for each stage of one attempt.
        deadline: Seconds for one call as a whole, all attempts and waits included; None sets no bound.
        retry: How patiently a call is tried again.
        transport: An httpx transport to send with, in place of connections of the client's own.
        proxy: The proxy to use; by default what the process environment says.
        verify: True, the path of a CA bundle, or an `ssl.SSLContext`.
        limits: Of the connection pool.
        on_event: Is told of attempts, retries and the end of calls; see `victor_ext.Event`.

    Raises:
        ConfigurationError: One of them cannot work; the message names it.
    """

    _package = "flexfactor_api"
    orders: Orders[Blocking]

    def __init__(
        self,
        auth: FlexFactorAuth,
        *,
        mid: str,
        site_id: str | None = None,
        environment: str = "sandbox",
        hosts: str = "flexfactor",
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
        # Either URL may hold a password, and what is given as an id may be the secret by mistake.
        base_url, proxy, mid, site_id = map(concealed, (base_url, proxy, mid, site_id))
        parts = flexfactor_parts(
            auth, merchant=merchant_of(mid, site_id), environment=environment, hosts=hosts, base_url=base_url,
            lock=Driver.lock(), timeout=timeout, deadline=deadline, retry=retry, on_event=on_event,
        )  # fmt: skip
        self._start(parts, transport, verify=verify, limits=limits, proxy=proxy)

    @classmethod
    def from_env(cls, **options: Any) -> Self:
        """A client from the process environment: FLEXFACTOR_APP_KEY, FLEXFACTOR_APP_SECRET and FLEXFACTOR_MID; and
        FLEXFACTOR_SITE_ID, FLEXFACTOR_ENVIRONMENT, FLEXFACTOR_HOSTS and FLEXFACTOR_BASE_URL, if set.

        Args:
            options: Arguments of the constructor; they win over the environment.
        """
        return cls(**from_process_environment(options))

    @property
    def api(self) -> Client:
        """The generated client, for generated operations: they sign, retry and fail as those here do."""
        return cast("Client", self._api)

    def _attach(self) -> None:
        parts = self._parts
        payments = Payments[Blocking](self._face, parts.clock, parts.loop.deadline, parts.about)
        self.evaluate, self.capture, self.transmit = payments.evaluate, payments.capture, payments.transmit
        self.orders = Orders(self._face, parts.clock, parts.loop.deadline, parts.about)


class AsyncFlexFactor(AwaitedClient):
    """A client of FlexFactor, with awaited calls. The arguments are those of `FlexFactor`."""

    _package = "flexfactor_api"
    orders: Orders[Awaited]

    def __init__(
        self,
        auth: FlexFactorAuth,
        *,
        mid: str,
        site_id: str | None = None,
        environment: str = "sandbox",
        hosts: str = "flexfactor",
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
        # Either URL may hold a password, and what is given as an id may be the secret by mistake.
        base_url, proxy, mid, site_id = map(concealed, (base_url, proxy, mid, site_id))
        parts = flexfactor_parts(
            auth, merchant=merchant_of(mid, site_id), environment=environment, hosts=hosts, base_url=base_url,
            lock=AsyncDriver.lock(), timeout=timeout, deadline=deadline, retry=retry, on_event=on_event,
        )  # fmt: skip
        self._start(parts, transport, verify=verify, limits=limits, proxy=proxy)

    @classmethod
    def from_env(cls, **options: Any) -> Self:
        """A client from the process environment; see `FlexFactor.from_env`."""
        return cls(**from_process_environment(options))

    @property
    def api(self) -> Client:
        """The generated client, for generated operations: they sign, retry and fail as those here do."""
        return cast("Client", self._api)

    def _attach(self) -> None:
        parts = self._parts
        payments = Payments[Awaited](self._face, parts.clock, parts.loop.deadline, parts.about)
        self.evaluate, self.capture, self.transmit = payments.evaluate, payments.capture, payments.transmit
        self.orders = Orders(self._face, parts.clock, parts.loop.deadline, parts.about)
