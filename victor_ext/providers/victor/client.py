"""`Victor` and `AsyncVictor`: from settings to a client whose every call is safe to make."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Self, cast

import httpx
from victor_api.api.payment_requests import list_payment_requests
from victor_api.client import Client as GeneratedClient

from victor_ext._version import PRODUCT
from victor_ext.errors import ConfigurationError
from victor_ext.redaction import concealed, kind_of
from victor_ext.runtime.client.base import AwaitedClient, BaseClient, BlockingClient, HttpxClient, Transport
from victor_ext.runtime.client.config import DEFAULT_DEADLINE, DEFAULT_TIMEOUT, ClientConfig
from victor_ext.runtime.client.health import AwaitedPing, BlockingPing, Health
from victor_ext.runtime.client.resources import Awaited, Blocking, Mode
from victor_ext.runtime.core.response import MAX_RESPONSE_BYTES
from victor_ext.runtime.http.connections import Verify
from victor_ext.runtime.loop.clock import ServerClock
from victor_ext.runtime.loop.retry import RetryPolicy

from .auth import Credentials
from .payment_requests import PaymentRequests
from .profile import profile_of
from .settings import environment_and_url, from_process_environment
from .statuses import EnvironmentWord

if TYPE_CHECKING:
    from victor_ext.runtime.loop.reporter import OnEvent


class _VictorClient(BaseClient[Mode, Transport, HttpxClient]):
    _generated = GeneratedClient
    _resources: ClassVar[dict[str, Any]] = {"payment_requests": PaymentRequests}
    payment_requests: PaymentRequests[Mode]
    _health: Health[Mode]

    def __init__(
        self,
        auth: Credentials,
        *,
        environment: EnvironmentWord = "staging",
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
            auth: `VictorJwt(api_key, private_key)` or `VictorOAuth(client_id, client_secret)`.
            environment: `"staging"` or `"production"`. Decides the URL and how long a signed token may live.
            base_url: Another URL, such as a sandbox's: `https`, or `http` to this machine. None: the environment's. A
                host of the provider's own is refused under the name, or the default, of the other environment.
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
        base_url, proxy = concealed(base_url), concealed(proxy)  # either may hold a password
        if isinstance(auth, type) or not callable(getattr(auth, "authenticator", None)):
            raise ConfigurationError(
                f"auth must be VictorJwt(api_key, private_key) or VictorOAuth(client_id, client_secret), not "
                f"{'the class itself' if isinstance(auth, type) else kind_of(auth)}."
            )
        chosen, url = environment_and_url(environment, base_url)
        clock = ServerClock()
        config = ClientConfig(
            profile=profile_of(chosen, url),
            authenticator=auth.authenticator(chosen, url, clock, self._lock()),
            base_url=url,
            environment=chosen.name,
            caller=getattr(auth, "caller", None),
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
        """A client from the process environment: VICTOR_ENVIRONMENT, VICTOR_BASE_URL, and VICTOR_CLIENT_ID with
        VICTOR_CLIENT_SECRET, or VICTOR_API_KEY with VICTOR_PRIVATE_KEY or VICTOR_PRIVATE_KEY_FILE (and
        VICTOR_PRIVATE_KEY_PASSWORD, if it is encrypted). An empty variable counts as not set.

        Args:
            options: Arguments of the constructor; they win over the environment.

        Raises:
            ConfigurationError: Credentials are missing, two kinds of them are set, or a value cannot work.
        """
        return cls(**from_process_environment(options))

    @property
    def api(self) -> GeneratedClient:
        """The generated client, for generated operations: they sign, retry and fail as those here do."""
        return cast("GeneratedClient", self._api)

    def _attach(self) -> None:
        self.payment_requests = PaymentRequests(*self._shared)
        self._health = Health(*self._shared, read=list_payment_requests, page=0, page_size=1)


class Victor(_VictorClient[Blocking, httpx.BaseTransport, httpx.Client], BlockingPing, BlockingClient):
    """A client of the Victor API with blocking calls. Safe to share between threads."""


class AsyncVictor(_VictorClient[Awaited, httpx.AsyncBaseTransport, httpx.AsyncClient], AwaitedPing, AwaitedClient):
    """A client of the Victor API with awaited calls. The arguments are those of `Victor`."""
