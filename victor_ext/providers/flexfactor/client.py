"""`FlexFactor` and `AsyncFlexFactor`: from settings to a client."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Self, cast

import httpx
from flexfactor_api.api.orders import list_orders
from flexfactor_api.client import Client as GeneratedClient

from victor_ext._version import PRODUCT
from victor_ext.errors import ConfigurationError
from victor_ext.redaction import concealed, kind_of
from victor_ext.runtime.auth.stored_credentials import caller_digest
from victor_ext.runtime.client.base import AwaitedClient, BaseClient, BlockingClient, HttpxClient, Transport
from victor_ext.runtime.client.config import DEFAULT_DEADLINE, DEFAULT_TIMEOUT, ClientConfig
from victor_ext.runtime.client.health import AwaitedPing, BlockingPing, Health
from victor_ext.runtime.client.resources import Awaited, Blocking, Mode
from victor_ext.runtime.core.response import MAX_RESPONSE_BYTES
from victor_ext.runtime.http.connections import Verify
from victor_ext.runtime.loop.clock import ServerClock
from victor_ext.runtime.loop.retry import RetryPolicy

from .auth import FlexFactorAuth, FlexFactorToken
from .checks import Validation
from .orders import Orders
from .payments import Payments
from .profile import profile_of
from .settings import (
    DEFAULT_HOSTS,
    HOSTS,
    EnvironmentWord,
    HostsWord,
    environment_and_url,
    from_process_environment,
    merchant_of,
)

if TYPE_CHECKING:
    from victor_ext.runtime.loop.reporter import OnEvent


class _FlexFactorClient(BaseClient[Mode, Transport, HttpxClient]):
    _generated = GeneratedClient
    _resources: ClassVar[dict[str, Any]] = {"orders": Orders, "_payments": Payments}
    orders: Orders[Mode]
    _payments: Payments[Mode]
    _health: Health[Mode]

    def __init__(
        self,
        auth: FlexFactorAuth | FlexFactorToken,
        *,
        mid: str,
        site_id: str | None = None,
        environment: EnvironmentWord = "sandbox",
        hosts: HostsWord = DEFAULT_HOSTS,
        base_url: str | httpx.URL | None = None,
        timeout: httpx.Timeout | float | None = DEFAULT_TIMEOUT,
        deadline: float | None = DEFAULT_DEADLINE,
        retry: RetryPolicy = RetryPolicy(),
        transport: Transport | None = None,
        http_client: HttpxClient | None = None,
        proxy: str | httpx.URL | httpx.Proxy | None = None,
        verify: Verify = True,
        limits: httpx.Limits | None = None,
        on_event: OnEvent | None = None,
        max_concurrency: int | None = None,
        user_agent: str | None = None,
        max_response_bytes: int = MAX_RESPONSE_BYTES,
    ) -> None:
        """Make a client. Nothing is sent.

        Args:
            auth: `FlexFactorAuth(app_key, app_secret)`, or `FlexFactorToken(token)` for a key or a token that is ready.
            mid: The merchant's GUID.
            site_id: The site's GUID, where the merchant has several sites; None where there is one.
            environment: `"sandbox"` or `"production"`.
            hosts: `"flex-charge"` (`api.flex-charge.com`, as the provider's page has it), or `"flexfactor"` for the
                hosts under the newer name (`api.flexfactor.io`).
            base_url: Another URL, such as a local sandbox's, without `/v1`: `https`, or `http` to this machine. None:
                the environment's. A host of the provider's is refused under the name, or the default, of the other
                environment.
            timeout: Seconds for each stage of one attempt (5 to connect, 20 for each other stage), or an
                `httpx.Timeout`. None sets no bound; 0 is refused.
            deadline: Seconds for one call as a whole, with all attempts and waits. None sets no bound; 0 is refused.
            retry: How patiently a call is tried again. `RetryPolicy(max_attempts=1)` tries once.
            transport: An httpx transport to send with, in place of connections of the client's own. `proxy`, `verify`
                and `limits` then have no effect.
            http_client: An `httpx.Client` (`httpx.AsyncClient`) of yours to send with, in place of `transport`: its
                proxies, mounts, event hooks and limits are used; its headers, cookies and timeouts are not. You close
                it. What could not be sent is then `unknown`, not `not_sent`. `proxy`, `verify` and `limits` have no
                effect.
            proxy: The URL of the proxy to use. None: what the process environment says (HTTPS_PROXY, NO_PROXY).
            verify: True, the path of a CA bundle, or an `ssl.SSLContext`. Turning verification off (False) is refused,
                except for this machine.
            limits: Of the connection pool; None means 100 connections.
            on_event: Called with each attempt, retry and end of a call; see `victor_ext.Event`. What it raises is
                logged. None: nothing is called.
            max_concurrency: How many calls may be under way at a time, in each process (of an async client: in each
                event loop). The others wait for their turn, for three quarters of their deadline; an error with the
                outcome `not_sent` ends those whose turn does not come. None: no bound but that of the connections.
            user_agent: What is added to the `User-Agent`, such as `"billing/2.3"`: the provider's support can tell your
                calls apart by it. None: nothing.
            max_response_bytes: The longest body of a response that is read, after decompression.

        Raises:
            ConfigurationError: An argument cannot work; the message names it.
        """
        # Either URL may hold a password, and what is given as an id may be the secret by mistake.
        auth, base_url, proxy, mid, site_id = map(concealed, (auth, base_url, proxy, mid, site_id))
        merchant = merchant_of(mid, site_id)
        if not isinstance(auth, FlexFactorAuth | FlexFactorToken):
            wanted = "FlexFactorAuth(app_key, app_secret) or FlexFactorToken(token)"
            raise ConfigurationError(f"auth must be {wanted}, not {kind_of(auth)}.")
        name, url = environment_and_url(environment, hosts, base_url)
        is_default = url == httpx.URL(HOSTS[hosts][name])
        clock = ServerClock()
        config = ClientConfig(
            profile=profile_of(name, "" if is_default else str(url), auth.hint(name)),
            authenticator=auth.authenticator(name, url, clock, self._lock()),
            base_url=url,
            environment=name,
            caller=auth.caller or caller_digest(merchant.mid, product="victor-ext flexfactor merchant"),
            context=merchant,
            product=PRODUCT,
            clock=clock,
            timeout=timeout,
            deadline=deadline,
            retry=retry,
            on_event=on_event,
            max_concurrency=max_concurrency,
            user_agent=user_agent,
            max_response_bytes=max_response_bytes,
        )
        self._start(config, self._chosen(transport, http_client), verify=verify, limits=limits, proxy=proxy)

    @classmethod
    def from_env(cls, **options: Any) -> Self:
        """A client from the process environment.

        FLEXFACTOR_APP_KEY and FLEXFACTOR_APP_SECRET, or in place of both FLEXFACTOR_TOKEN (a bearer token that is
        ready); FLEXFACTOR_MID; and FLEXFACTOR_SITE_ID, FLEXFACTOR_ENVIRONMENT, FLEXFACTOR_HOSTS and
        FLEXFACTOR_BASE_URL, if set. An empty variable counts as not set.

        Args:
            options: Arguments of the constructor; they win over the environment.

        Raises:
            ConfigurationError: A variable that is needed is not set, or a value cannot work.
        """
        return cls(**from_process_environment(options))

    def _check_extras(self, extra_body: object, extra_query: object) -> None:
        found = Validation()
        found.no_card_numbers_within("extra_body", extra_body)
        found.no_card_numbers_within("extra_query", extra_query)
        if found.problems:
            raise ConfigurationError.of(found.problems)

    @property
    def api(self) -> GeneratedClient:
        """The generated client, for generated operations: they sign, retry and fail as those here do."""
        return cast("GeneratedClient", self._api)

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        for name in ("evaluate", "capture", "transmit") if hasattr(cls, "_payments") else ():
            setattr(cls, name, staticmethod(getattr(cls._payments, name)))

    def _attach(self) -> None:
        self._payments = Payments[Mode](*self._shared)
        self.orders = Orders(*self._shared)
        self._health = Health(*self._shared, read=list_orders, mid=self.orders.context.mid, page_size=1)


class FlexFactor(_FlexFactorClient[Blocking, httpx.BaseTransport, httpx.Client], BlockingPing, BlockingClient):
    """A client of FlexFactor (formerly FlexCharge) with blocking calls. Safe to share between threads."""

    def _attach(self) -> None:
        super()._attach()
        payments = self._payments  # here, and not in the base: only here is the type of its methods known
        self.evaluate, self.capture, self.transmit = payments.evaluate, payments.capture, payments.transmit


class AsyncFlexFactor(
    _FlexFactorClient[Awaited, httpx.AsyncBaseTransport, httpx.AsyncClient], AwaitedPing, AwaitedClient
):
    """A client of FlexFactor with awaited calls. The arguments are those of `FlexFactor`."""

    def _attach(self) -> None:
        super()._attach()
        payments = self._payments  # see `FlexFactor`
        self.evaluate, self.capture, self.transmit = payments.evaluate, payments.capture, payments.transmit
