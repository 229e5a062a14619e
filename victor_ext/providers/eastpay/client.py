"""`EastPay` and `AsyncEastPay`: from settings to a client whose every call is safe to make."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Self, cast

import httpx
from eastpay_api.client import Client as GeneratedClient

from victor_ext._version import PRODUCT
from victor_ext.errors import ConfigurationError, Problem
from victor_ext.redaction import concealed
from victor_ext.runtime.auth.stored_credentials import caller_digest
from victor_ext.runtime.auth.tokens import FixedToken
from victor_ext.runtime.client.base import AwaitedClient, BaseClient, BlockingClient, HttpxClient, Transport
from victor_ext.runtime.client.config import DEFAULT_DEADLINE, DEFAULT_TIMEOUT, ClientConfig
from victor_ext.runtime.client.extras import folded_name
from victor_ext.runtime.client.resources import Awaited, Blocking, Mode
from victor_ext.runtime.core.response import MAX_RESPONSE_BYTES
from victor_ext.runtime.http.connections import Verify
from victor_ext.runtime.loop.clock import ServerClock
from victor_ext.runtime.loop.retry import RetryPolicy

from .checkouts import Checkouts
from .payments import Payments
from .profile import profile_of
from .settings import EntityTypeWord, checked_entity, checked_gateway, checked_token, from_process_environment

if TYPE_CHECKING:
    from victor_ext.runtime.loop.reporter import OnEvent


class _EastPayClient(BaseClient[Mode, Transport, HttpxClient]):
    _generated = GeneratedClient
    _resources: ClassVar[dict[str, Any]] = {"payments": Payments, "checkouts": Checkouts}
    payments: Payments[Mode]
    checkouts: Checkouts[Mode]

    def __init__(
        self,
        token: str,
        *,
        base_url: str | httpx.URL,
        entity_id: str,
        entity_type: EntityTypeWord = "MERCHANT",
        entity_type_in_inquiries: bool = False,
        inquiry_by_reference: bool = False,
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
            token: The access token, 32 to 2048 characters, from the bank's back office (account data). The
                documentation names no end of its life.
            base_url: The bank's gateway with the first part of its path (eastpay, pay or gateway), such as
                `https://pay.bank.example/gateway`. There is no default: each bank runs its own. A `/v3` at its end is
                taken off.
            entity_id: Whom payments are made for, such as `EB000001`.
            entity_type: MERCHANT, POS or PARTICIPATOR.
            entity_type_in_inquiries: True sends the entity's type with inquiries too. Whether the gateway needs that
                is not known; the one program that was seen does not do it.
            inquiry_by_reference: True allows `payments.find`, for a bank that says that its gateway answers
                `GET /v3/query?merchantTransactionId=...`. EastPay does not document it.
            timeout: Seconds for each stage of one attempt (5 to connect, 20 for each other stage), or an
                `httpx.Timeout`. None sets no bound; 0 is refused.
            deadline: Seconds for one call as a whole, with all attempts and waits. None sets no bound; 0 is refused.
            retry: How patiently a call is tried again. Whatever it says, a payment that may have been made is not
                repeated. `RetryPolicy(max_attempts=1)` tries once.
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
        token, base_url, proxy = concealed(token), concealed(base_url), concealed(proxy)
        entity = checked_entity(
            entity_id,
            entity_type,
            in_inquiries=entity_type_in_inquiries,
            found_by_reference=inquiry_by_reference,
        )
        url = checked_gateway(base_url)
        secret = checked_token(token)
        config = ClientConfig(
            profile=profile_of(url, found_by_reference=inquiry_by_reference),
            authenticator=FixedToken(f"Bearer {secret}"),
            base_url=url,
            caller=caller_digest(f"{url.host} {entity.id}", product="eastpay"),
            context=entity,
            product=PRODUCT,
            clock=ServerClock(),
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
        """A client from the process environment: EASTPAY_TOKEN, EASTPAY_BASE_URL, EASTPAY_ENTITY_ID and, if it is not
        MERCHANT, EASTPAY_ENTITY_TYPE; EASTPAY_INQUIRY_BY_REFERENCE is true or false (if not set). An empty variable
        counts as not set.

        Args:
            options: Arguments of the constructor; they win over the environment.

        Raises:
            ConfigurationError: A variable that is needed is not set, or a value cannot work.
        """
        return cls(**from_process_environment(options))

    def _check_extras(self, extra_body: object, extra_query: object) -> None:  # noqa: ARG002 - of all providers
        names = cast("Iterable[object]", extra_body if isinstance(extra_body, Mapping) else ())
        if any(isinstance(name, str) and folded_name(name).partition(".")[0] == "card" for name in names):
            message = "extra_body: a card comes from the argument card of debit and preauthorise: leave it out here."
            raise ConfigurationError.of([Problem("extra_body", "taken", message)])

    @property
    def api(self) -> GeneratedClient:
        """The generated client, for generated operations: they sign, retry and fail as those here do."""
        return cast("GeneratedClient", self._api)

    def _attach(self) -> None:
        self.payments = Payments(*self._shared)
        self.checkouts = Checkouts(*self._shared, base_url=self._config.base_url)


class EastPay(_EastPayClient[Blocking, httpx.BaseTransport, httpx.Client], BlockingClient):
    """A client of one bank's EastPay payment gateway with blocking calls. Safe to share between threads."""


class AsyncEastPay(_EastPayClient[Awaited, httpx.AsyncBaseTransport, httpx.AsyncClient], AwaitedClient):
    """A client of one bank's EastPay payment gateway with awaited calls. The arguments are those of `EastPay`."""
