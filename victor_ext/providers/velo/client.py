"""`Velo` and `AsyncVelo`: from settings to a client whose every call is safe to make."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Self, cast

import httpx
from velo_api.api.source_accounts import list_source_accounts
from velo_api.client import Client as GeneratedClient

from victor_ext._version import PRODUCT
from victor_ext.errors import ConfigurationError
from victor_ext.redaction import concealed, kind_of
from victor_ext.runtime.auth.oauth import OAuthToken
from victor_ext.runtime.client.base import AwaitedClient, BaseClient, BlockingClient, HttpxClient, Transport
from victor_ext.runtime.client.config import DEFAULT_DEADLINE, DEFAULT_TIMEOUT, ClientConfig
from victor_ext.runtime.client.health import AwaitedPing, BlockingPing, Health
from victor_ext.runtime.client.resources import Awaited, Blocking, Mode
from victor_ext.runtime.core.response import MAX_RESPONSE_BYTES
from victor_ext.runtime.http.connections import Verify
from victor_ext.runtime.loop.clock import ServerClock
from victor_ext.runtime.loop.retry import RetryPolicy

from .auth import Access, VeloAuth
from .funding_accounts import FundingAccounts
from .fundings import Fundings
from .payees import Payees
from .payments import Payments
from .payouts import Payouts
from .profile import profile_of
from .settings import environment_and_url, from_process_environment
from .source_accounts import SourceAccounts
from .webhooks import Webhooks
from .words import EnvironmentWord

if TYPE_CHECKING:
    from victor_ext.runtime.loop.reporter import OnEvent


class _VeloClient(BaseClient[Mode, Transport, HttpxClient]):
    _generated = GeneratedClient
    _resources: ClassVar[dict[str, Any]] = {
        "payees": Payees,
        "source_accounts": SourceAccounts,
        "funding_accounts": FundingAccounts,
        "fundings": Fundings,
        "payouts": Payouts,
        "payments": Payments,
        "webhooks": Webhooks,
    }
    payees: Payees[Mode]
    source_accounts: SourceAccounts[Mode]
    funding_accounts: FundingAccounts[Mode]
    fundings: Fundings[Mode]
    payouts: Payouts[Mode]
    payments: Payments[Mode]
    webhooks: Webhooks[Mode]
    _access: Access[Mode]
    _health: Health[Mode]

    def __init__(
        self,
        auth: VeloAuth,
        *,
        environment: EnvironmentWord = "sandbox",
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
            auth: `VeloAuth(api_key, api_secret)`.
            environment: `"sandbox"`, where money is simulated, or `"production"`. Decides the URL.
            base_url: Another URL, such as a local sandbox's: `https`, or `http` to this machine. None: the
                environment's. A host of Velo's is refused under the name, or the default, of the other environment.
            timeout: Seconds for each stage of one attempt (5 to connect, 20 for each other stage), or an
                `httpx.Timeout`. None sets no bound; 0 is refused.
            deadline: Seconds for one call as a whole, with all attempts and waits. None sets no bound; 0 is refused.
            retry: How patiently a call is tried again. No write of Velo's takes a key, so none is repeated that may
                have done its work. `RetryPolicy(max_attempts=1)` tries once.
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
        # Either of the first two may hold a password; and what is passed as the third may be a secret by mistake.
        base_url, proxy, auth = concealed(base_url), concealed(proxy), concealed(auth)
        if not isinstance(auth, VeloAuth):
            raise ConfigurationError(f"auth must be VeloAuth(api_key, api_secret), not {kind_of(auth)}.")
        name, url = environment_and_url(environment, base_url)
        clock = ServerClock()
        config = ClientConfig(
            profile=profile_of(name, url),
            authenticator=auth.authenticator(name, url, clock, self._lock()),
            base_url=url,
            environment=name,
            caller=auth.caller,
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
        """A client from the process environment: VELO_API_KEY, VELO_API_SECRET, VELO_ENVIRONMENT, VELO_BASE_URL.
        An empty variable counts as not set.

        Args:
            options: Arguments of the constructor; they win over the environment.

        Raises:
            ConfigurationError: Key or secret are not set, or a value cannot work.
        """
        return cls(**from_process_environment(options))

    @property
    def api(self) -> GeneratedClient:
        """The generated client, for generated operations: they sign, retry and fail as those here do."""
        return cast("GeneratedClient", self._api)

    def _attach(self) -> None:
        self.payees = Payees(*self._shared)
        self.source_accounts = SourceAccounts(*self._shared)
        self.funding_accounts = FundingAccounts(*self._shared)
        self.fundings = Fundings(*self._shared)
        self.payouts = Payouts(*self._shared)
        self.payments = Payments(*self._shared)
        self.webhooks = Webhooks(*self._shared)
        self._health = Health(*self._shared, read=list_source_accounts, page_size=1)
        self._access = Access(*self._shared)
        self._access.token = cast("OAuthToken", self._config.loop.authenticator)


class Velo(_VeloClient[Blocking, httpx.BaseTransport, httpx.Client], BlockingPing, BlockingClient):
    """A client of Velo Payments with blocking calls. Safe to share between threads."""

    def logout(self) -> None:
        """Have Velo revoke the token. The next call asks for another; other holders of this token may have to as well.

        Without a token nothing is sent.

        Raises:
            VictorError: It is not known whether Velo revoked the token.
        """
        self._access.revoke()

    def close(self, *, logout: bool = False) -> None:
        """Close the connections.

        Args:
            logout: True has Velo revoke the token first, and raises as `logout` does. False leaves the token alone: it
                ends by itself within half an hour.
        """
        try:
            if logout:
                self.logout()
        finally:
            super().close()


class AsyncVelo(_VeloClient[Awaited, httpx.AsyncBaseTransport, httpx.AsyncClient], AwaitedPing, AwaitedClient):
    """A client of Velo Payments with awaited calls. The arguments are those of `Velo`."""

    async def logout(self) -> None:
        """Have Velo revoke the token; see `Velo.logout`."""
        await self._access.revoke()

    async def close(self, *, logout: bool = False) -> None:
        """Close the connections; see `Velo.close`."""
        try:
            if logout:
                await self.logout()
        finally:
            await super().close()

    aclose = close
