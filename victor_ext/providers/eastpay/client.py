"""`EastPay` and `AsyncEastPay`: from settings to a client whose every call is safe to make."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self, cast

import httpx

from victor_ext.redaction import concealed
from victor_ext.runtime.client.base import AwaitedClient, BlockingClient
from victor_ext.runtime.client.config import DEFAULT_DEADLINE, DEFAULT_TIMEOUT
from victor_ext.runtime.client.resources import Awaited, Blocking
from victor_ext.runtime.http.connections import Verify
from victor_ext.runtime.loop.retry import RetryPolicy

from .checkouts import Checkouts
from .config import eastpay_parts
from .payments import Payments
from .settings import checked_entity, from_process_environment

if TYPE_CHECKING:
    from eastpay_api.client import Client

    from victor_ext.runtime.loop.events import OnEvent


class EastPay(BlockingClient):
    """A client of one bank's EastPay payment gateway, with blocking calls. Safe to share between threads.

    Args:
        token: The access token, 32 to 2048 characters, from the bank's back office (account data). It does not expire
            by anything that is documented.
        base_url: The bank's gateway with the first part of its path (eastpay, pay or gateway), such as
            `https://pay.bank.example/gateway`. There is no default: each bank runs its own. A `/v3` at its end is
            taken off.
        entity_id: Whom payments are made for, such as `EB000001`.
        entity_type: MERCHANT, POS or PARTICIPATOR.
        entity_type_in_inquiries: Whether inquiries name the entity's type too. Whether the gateway needs that is not
            known; the one program that was seen does not do it.
        timeout: Seconds for each stage of one attempt.
        deadline: Seconds for one call as a whole, all attempts and waits included; None sets no bound.
        retry: How patiently a call is tried again. Whatever it says, a payment that may have been made is not.
        transport: An httpx transport to send with, in place of connections of the client's own.
        proxy: The proxy to use; by default what the process environment says.
        verify: True, the path of a CA bundle, or an `ssl.SSLContext`.
        limits: Of the connection pool.
        on_event: Is told of attempts, retries and the end of calls.

    Raises:
        ConfigurationError: One of them cannot work; the message names it.
    """

    _package = "eastpay_api"
    payments: Payments[Blocking]
    checkouts: Checkouts[Blocking]

    def __init__(
        self,
        token: str,
        *,
        base_url: str | httpx.URL,
        entity_id: str,
        entity_type: str = "MERCHANT",
        entity_type_in_inquiries: bool = False,
        timeout: httpx.Timeout | float | None = DEFAULT_TIMEOUT,
        deadline: float | None = DEFAULT_DEADLINE,
        retry: RetryPolicy = RetryPolicy(),  # noqa: B008 - frozen
        transport: httpx.BaseTransport | None = None,
        proxy: str | httpx.URL | httpx.Proxy | None = None,
        verify: Verify = True,
        limits: httpx.Limits | None = None,
        on_event: OnEvent | None = None,
    ) -> None:
        token, base_url, proxy = concealed(token), concealed(base_url), concealed(proxy)
        entity = checked_entity(entity_id, entity_type, in_inquiries=entity_type_in_inquiries)
        parts = eastpay_parts(
            token, base_url=base_url, entity=entity, timeout=timeout, deadline=deadline, retry=retry, on_event=on_event
        )
        self._start(parts, transport, verify=verify, limits=limits, proxy=proxy)

    @classmethod
    def from_env(cls, **options: Any) -> Self:
        """A client from the process environment: EASTPAY_TOKEN, EASTPAY_BASE_URL, EASTPAY_ENTITY_ID and, if it is not
        MERCHANT, EASTPAY_ENTITY_TYPE.

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
        self.payments = Payments(self._face, parts.clock, parts.loop.deadline, parts.about)
        self.checkouts = Checkouts(self._face, parts.clock, parts.loop.deadline, parts.about, parts.base_url)


class AsyncEastPay(AwaitedClient):
    """A client of one bank's EastPay payment gateway, with awaited calls. The arguments are those of `EastPay`."""

    _package = "eastpay_api"
    payments: Payments[Awaited]
    checkouts: Checkouts[Awaited]

    def __init__(
        self,
        token: str,
        *,
        base_url: str | httpx.URL,
        entity_id: str,
        entity_type: str = "MERCHANT",
        entity_type_in_inquiries: bool = False,
        timeout: httpx.Timeout | float | None = DEFAULT_TIMEOUT,
        deadline: float | None = DEFAULT_DEADLINE,
        retry: RetryPolicy = RetryPolicy(),  # noqa: B008 - frozen
        transport: httpx.AsyncBaseTransport | None = None,
        proxy: str | httpx.URL | httpx.Proxy | None = None,
        verify: Verify = True,
        limits: httpx.Limits | None = None,
        on_event: OnEvent | None = None,
    ) -> None:
        token, base_url, proxy = concealed(token), concealed(base_url), concealed(proxy)
        entity = checked_entity(entity_id, entity_type, in_inquiries=entity_type_in_inquiries)
        parts = eastpay_parts(
            token, base_url=base_url, entity=entity, timeout=timeout, deadline=deadline, retry=retry, on_event=on_event
        )
        self._start(parts, transport, verify=verify, limits=limits, proxy=proxy)

    @classmethod
    def from_env(cls, **options: Any) -> Self:
        """A client from the process environment; see `EastPay.from_env`."""
        return cls(**from_process_environment(options))

    @property
    def api(self) -> Client:
        """The generated client, for generated operations: they sign, retry and fail as those here do."""
        return cast("Client", self._api)

    def _attach(self) -> None:
        parts = self._parts
        self.payments = Payments(self._face, parts.clock, parts.loop.deadline, parts.about)
        self.checkouts = Checkouts(self._face, parts.clock, parts.loop.deadline, parts.about, parts.base_url)
