"""`Velo` and `AsyncVelo`: from settings to a client whose every call is safe to make."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self, cast

import httpx

from victor_ext.redaction import concealed
from victor_ext.runtime.auth.oauth import OAuthToken
from victor_ext.runtime.client.base import AwaitedClient, BlockingClient
from victor_ext.runtime.client.config import DEFAULT_DEADLINE, DEFAULT_TIMEOUT
from victor_ext.runtime.client.resources import Awaited, Blocking
from victor_ext.runtime.http.connections import Verify
from victor_ext.runtime.loop.flow import AsyncDriver, Driver
from victor_ext.runtime.loop.retry import RetryPolicy

from .auth import Access, VeloAuth
from .config import velo_parts
from .funding_accounts import FundingAccounts
from .fundings import Fundings
from .payees import Payees
from .payments import Payments
from .payouts import Payouts
from .settings import from_process_environment
from .source_accounts import SourceAccounts

if TYPE_CHECKING:
    from velo_api.client import Client

    from victor_ext.runtime.loop.events import OnEvent


class Velo(BlockingClient):
    """A client of Velo Payments, with blocking calls. Safe to share between threads.

    Args:
        auth: `VeloAuth(api_key, api_secret)`.
        environment: `"sandbox"`, where money is simulated, or `"production"`; decides the URL.
        base_url: Another URL, such as that of a sandbox of your own. `https`, or `http` to this machine.
            A host of Velo's is refused under the name, or the default, of the other environment.
        timeout: Seconds for each stage of one attempt.
        deadline: Seconds for one call as a whole, all attempts and waits included; None sets no bound.
        retry: How patiently a call is tried again. No write of Velo's takes a key, so none is repeated that may have
            done its work.
        transport: An httpx transport to send with, in place of connections of the client's own.
        proxy: The proxy to use; by default what the process environment says.
        verify: True, the path of a CA bundle, or an `ssl.SSLContext`. Turning verification off is refused,
            except for this machine.
        limits: Of the connection pool (by default 100 connections). Give it twice as many as there are calls at a
            time: a connection rests for a moment after an answer before it is used again, if there are others.
        on_event: Is told of attempts, retries and the end of calls.

    Raises:
        ConfigurationError: One of them cannot work; the message names it.
    """

    _package = "velo_api"
    payees: Payees[Blocking]
    source_accounts: SourceAccounts[Blocking]
    funding_accounts: FundingAccounts[Blocking]
    fundings: Fundings[Blocking]
    payouts: Payouts[Blocking]
    payments: Payments[Blocking]

    def __init__(
        self,
        auth: VeloAuth,
        *,
        environment: str = "sandbox",
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
        # Either of the first two may hold a password; and what is passed as the third may be a secret by mistake.
        base_url, proxy, auth = concealed(base_url), concealed(proxy), concealed(auth)
        parts = velo_parts(
            auth, environment=environment, base_url=base_url, lock=Driver.lock(), timeout=timeout,
            deadline=deadline, retry=retry, on_event=on_event,
        )  # fmt: skip
        self._start(parts, transport, verify=verify, limits=limits, proxy=proxy)

    @classmethod
    def from_env(cls, **options: Any) -> Self:
        """A client from the process environment: VELO_API_KEY, VELO_API_SECRET, VELO_ENVIRONMENT, VELO_BASE_URL.

        Args:
            options: Arguments of the constructor; they win over the environment.
        """
        return cls(**from_process_environment(options))

    @property
    def api(self) -> Client:
        """The generated client, for generated operations: they sign, retry and fail as those here do."""
        return cast("Client", self._api)

    def logout(self) -> None:
        """Have Velo revoke the token. The next call asks for another; so may other holders of this token have to.

        Without a token nothing is sent. Raises `VictorError` when it is not known whether Velo revoked it.
        """
        self._access.revoke()

    def close(self, *, logout: bool = False) -> None:
        """Close the connections; with `logout=True` have Velo revoke the token first.

        Left alone, the token ends by itself within half an hour.
        """
        try:
            if logout:
                self.logout()
        finally:
            super().close()

    def _attach(self) -> None:
        given = (self._face, self._parts.clock, self._parts.loop.deadline)
        self.payees = Payees(*given)
        self.source_accounts = SourceAccounts(*given)
        self.funding_accounts = FundingAccounts(*given)
        self.fundings = Fundings(*given)
        self.payouts = Payouts(*given)
        self.payments = Payments(*given)
        self._access: Access[Blocking] = Access(*given)
        self._access.token = cast("OAuthToken", self._parts.loop.authenticator)


class AsyncVelo(AwaitedClient):
    """A client of Velo Payments, with awaited calls. The arguments are those of `Velo`."""

    _package = "velo_api"
    payees: Payees[Awaited]
    source_accounts: SourceAccounts[Awaited]
    funding_accounts: FundingAccounts[Awaited]
    fundings: Fundings[Awaited]
    payouts: Payouts[Awaited]
    payments: Payments[Awaited]

    def __init__(
        self,
        auth: VeloAuth,
        *,
        environment: str = "sandbox",
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
        # Either of the first two may hold a password; and what is passed as the third may be a secret by mistake.
        base_url, proxy, auth = concealed(base_url), concealed(proxy), concealed(auth)
        parts = velo_parts(
            auth, environment=environment, base_url=base_url, lock=AsyncDriver.lock(), timeout=timeout,
            deadline=deadline, retry=retry, on_event=on_event,
        )  # fmt: skip
        self._start(parts, transport, verify=verify, limits=limits, proxy=proxy)

    @classmethod
    def from_env(cls, **options: Any) -> Self:
        """A client from the process environment; see `Velo.from_env`."""
        return cls(**from_process_environment(options))

    @property
    def api(self) -> Client:
        """The generated client, for generated operations: they sign, retry and fail as those here do."""
        return cast("Client", self._api)

    async def logout(self) -> None:
        """Have Velo revoke the token; see `Velo.logout`."""
        await self._access.revoke()

    async def close(self, *, logout: bool = False) -> None:
        """Close the connections; with `logout=True` have Velo revoke the token first."""
        try:
            if logout:
                await self.logout()
        finally:
            await super().close()

    aclose = close

    def _attach(self) -> None:
        given = (self._face, self._parts.clock, self._parts.loop.deadline)
        self.payees = Payees(*given)
        self.source_accounts = SourceAccounts(*given)
        self.funding_accounts = FundingAccounts(*given)
        self.fundings = Fundings(*given)
        self.payouts = Payouts(*given)
        self.payments = Payments(*given)
        self._access: Access[Awaited] = Access(*given)
        self._access.token = cast("OAuthToken", self._parts.loop.authenticator)
