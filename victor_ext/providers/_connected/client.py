"""`connect` and `connect_async`: from a generated package to a client whose every call is safe to
make.
"""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable, Hashable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import Any, ParamSpec, Protocol, TypeVar, Unpack, cast

import httpx

from victor_ext._privacy import concealed
from victor_ext._runtime.auth.credentials import caller_digest
from victor_ext._runtime.client.base import AwaitedClient, BaseClient, BlockingClient
from victor_ext._runtime.client.config import (
    ClientConfig,
    ClientOptions,
    Transport,
    take,
    with_client_options,
)
from victor_ext._runtime.client.paging import AsyncPages, Pages
from victor_ext._runtime.client.resources import Awaited, Blocking, Mode, Walk
from victor_ext._runtime.client.runners import FlowRunner, OperationFlow
from victor_ext._runtime.client.transport import BuildingClient, bound_class
from victor_ext._runtime.core.headers import is_token
from victor_ext._runtime.core.validation import shown
from victor_ext._runtime.http.connections import origin_of
from victor_ext._runtime.http.options import checked_base_url
from victor_ext._runtime.loop.idempotency_keys import (
    BodyKey,
    HeaderKey,
    KeyPlace,
)
from victor_ext._values.places import place_of
from victor_ext.errors import ConfigurationError

from .auth import (
    ApiCredentials,
    ClientCredentialsAuth,
    SignRequest,
    credentials_of,
)
from .caller_rows import table_of
from .operations import OperationRow, behaviour_of
from .paging import ListReader, PageStyle, undeclared_in
from .webhooks import DocumentWebhook, IdentifyEvent, Verify
from .wire import Wire

C = TypeVar("C")
P = ParamSpec("P")
Auth = ApiCredentials | SignRequest | None

_ACCEPT = "application/json, */*;q=0.8"
"""JSON if there is a choice.

An operation may be documented with another type alone, such as `application/hal+json`.
"""


class GeneratedOperation(Protocol[P]):
    """The module of a generated operation, for type checkers: what it takes, without `client`."""

    @property
    def _get_kwargs(self) -> Callable[P, dict[str, Any]]: ...


class _ApiClient(BaseClient[C, Mode, Transport]):
    """What the blocking and the awaited client have in common."""

    @with_client_options
    def __init__(
        self,
        client: type[C],
        *,
        base_url: str | httpx.URL,
        auth: Auth = None,
        key: KeyPlace | None = None,
        rows: Mapping[Any, OperationRow] | None = None,
        name: str | None = None,
        caller: str | None = None,
        **options: Unpack[ClientOptions[Transport]],
    ) -> None:
        """Connect a generated package to its API. Nothing is sent.

        Args:
            client: The `Client` (or `AuthenticatedClient`) class of a package that
                `victor-spec generate` made.
            base_url: The URL that is called: `https`, or `http` to this machine. No redirect leaves
                its origin, and no call, except to the `token_url` of `auth`. The servers of the
                document are the package's `SERVERS`.
            auth: The credentials, such as `BearerAuth(...)`, `BasicAuth`, `ApiKeyAuth` or
                `ClientCredentialsAuth`; or a function that sets headers of the request it is given,
                called with each attempt. None sends no credentials.
            key: Where the provider takes the idempotency key: a `HeaderKey` or a
                `BodyKey`. A write whose operation declares that header in the
                document gets a key, the same in all attempts. Where the document says that another
                one is the key, yours needs `takes_key`. Where no operation declares a key, and no
                row has `takes_key=True`, every POST gets one: name the writes that take it. None:
                the provider takes no key. No write without a key is repeated if it may have been
                done.
            rows: What you know of writes beyond the document: an `OperationRow` for each, by its
                method and path in the document, or by the module of its generated function:
                `{"POST /v1/payouts": OperationRow(proof=Proof(find))}`. An operation without a row
                is what `key` and the document say: a write that takes no key is sent once, and what
                became of it after a lost response is not known.
            name: What messages call the provider; None takes the name of the package.
            caller: The account whose credentials `auth` has, such as its number: the outbox repeats
                a write only with the credentials of the same account at the same `base_url`. None:
                the token, the key, the user name or the client id, of which a digest is stored. Of
                what a function returns or sets nothing is known: what may have been sent is not
                repeated, but looked up, unless you name the account.

        Raises:
            ConfigurationError: An argument cannot work; the message names it.
        """
        base_url, auth = concealed(base_url), concealed(auth)
        given = take(self, options)
        bound = _bound(client)
        url = checked_base_url(base_url)
        credentials = credentials_of(auth)
        if caller is not None and (not isinstance(caller, str) or not caller.strip()):
            raise ConfigurationError(
                f"caller must name an account, as caller='4711' does, not {shown(caller)}."
            )
        account = getattr(credentials, "caller", None) if caller is None else caller
        digest = None  # nothing is known of the account
        if account is not None:
            digest = caller_digest(f"{place_of(url)} {account}", product="connect")
        package = client.__module__.rpartition(".client")[0].rpartition(".")[2]
        own_rows: object = {} if rows is None else rows
        table = table_of(key, own_rows, bound.document, bound.members, url)
        provider = name or package.removesuffix("_api") or url.host
        self._start(
            given,
            partial(credentials.authenticator, url),
            url,
            behaviour=behaviour_of(provider, url, table),
            credentials=credentials,
            context=client,
            caller=digest,
            accept=_ACCEPT,
        )

    def _connections_for(self, config: ClientConfig, options: Mapping[str, Any]) -> Any:
        """The usual transport; or a `Wire` over it, if the token endpoint is at another origin than
        the API, and the caller has no transport.
        """
        usual = super()._connections_for(config, options)
        credentials = config.credentials
        if options["transport"] is not None or not isinstance(credentials, ClientCredentialsAuth):
            return usual
        url = credentials.token_url(config.base_url)
        if origin_of(url) == origin_of(config.base_url):
            return usual
        return Wire(usual, {origin_of(url): self._pool_for(url, options)})

    @property
    def _generated(self) -> Any:
        """The `Client` class of the generated package."""
        return self._config.context

    def with_key(self, idempotency_key: str) -> C:
        """The generated client for one payment: its calls carry this key.

        For operations whose document declares no parameter for the key. Use it for that payment and
        its repeats only. Where the document declares the header on other operations, the key is
        sent and makes no repeat safe, unless the operation has a row with
        `takes_key=True`.

        Args:
            idempotency_key: The key of the payment, such as `idempotency_key_for("invoice", 1042)`.

        Raises:
            ConfigurationError: The provider takes no key in a header, or the key is not all visible
                ASCII.
        """
        place = self._config.loop.behaviour.key_place
        if not isinstance(place, HeaderKey):
            raise ConfigurationError(
                "with_key is for keys in a header, and this client has key="
                f"{place if isinstance(place, BodyKey) else None}: set a key in the body yourself."
            )
        if not is_token(idempotency_key):
            raise ConfigurationError(
                f"idempotency_key={shown(idempotency_key)} must be visible ASCII without blanks: "
                "pass idempotency_key_for('invoice', 1042)."
            )
        keyed: C = self._new_api().with_headers({place.name: idempotency_key})
        return keyed

    def webhook(
        self,
        *,
        verify: Verify | None,
        id: IdentifyEvent | None = None,
        name: Callable[[Any], str] | None = None,
        read: Callable[[Any, Any], Any] | None = None,
    ) -> DocumentWebhook:
        """The webhooks and callbacks of the document, for an `Inbox`.

        An event of a kind that the document does not declare is stored, too: it is an
        `UnknownVariant`, a mapping of its members. Nothing is read for it, and neither `id` nor
        `name` is asked.

        Args:
            verify: Checks the headers and the body of a request, such as `HmacSignature(...)`: it
                raises an error, or returns False, for one that is not the provider's. None: anybody
                can post.
            id: The id of an event, by the headers and the model. Take it from a header only if
                `verify` covers that header. None: the id that an `HmacSignature` signs, such as
                `{id}` or `{svix-id}`, or the member `event_id` or `eventId`. Without these it is
                the member `id` with a digest of the body, since `id` may be that of the object: a
                repeat has the same body then. Say what the id is where two events of an object may
                be equal.
            name: The name of an event, by its model. None: the member `type`, `event`,
                `event_type`, `eventType` or `eventName`, or else the name of the model.
            read: Reads what an event is about, with the client and the model. None: nothing is
                read.

        Raises:
            ConfigurationError: The document has no webhooks.
        """
        package = self._generated.__module__.rpartition(".client")[0]
        try:
            webhooks: Any = importlib.import_module(f"{package}.webhooks")
        except ImportError:
            raise ConfigurationError(
                "webhook: the document of this client has no webhooks."
            ) from None
        variant = importlib.import_module(f"{package}.types").UnknownVariant
        return DocumentWebhook(self.provider, webhooks, variant, verify, id, name, read)

    def _walk(
        self, operation: Any, style: object, args: tuple[Any, ...], kwargs: Mapping[str, Any]
    ) -> Walk[Any]:
        """How a list is read. The arguments are those of `paged`, which are checked now."""
        if not isinstance(style, PageStyle) or not hasattr(operation, "sync_detailed"):
            raise ConfigurationError(
                "paged: pass the module of a generated operation, and how its pages follow each "
                "other, as in bank.paged(list_cards, NumberedPages())."
            )
        signature = inspect.signature(operation._get_kwargs)  # noqa: SLF001 - all but the client
        # An argument that the operation does not take is a TypeError now, not while the list is
        # read.
        signature.bind(*args, **kwargs)
        parameters = [name for name in signature.parameters if name != "body"]
        why = undeclared_in(style, operation.OPERATION, parameters, self._shared.runner.api.members)
        if why is not None:
            raise ConfigurationError(f"paged: {why}.")
        name = operation.__name__.rpartition(".")[2]
        runner: FlowRunner = self._shared.runner
        building = BuildingClient(runner.api, runner.build_request)
        first_request = partial(operation.sync_detailed, *args, client=building, **kwargs)

        def read(reader: Any) -> OperationFlow[Sequence[Any]]:
            response = yield from runner.attempts(reader.request(first_request), None)
            page = runner.api.parse_response(operation.OPERATION.parse, response)
            items: Sequence[Any] = reader.take(page, response)
            return items

        return Walk(lambda: ListReader(style, what=name), read)


class ApiClient(_ApiClient[C, Blocking, httpx.BaseTransport], BlockingClient):
    """A client of any payment API with blocking calls, also named `connect`.

    Safe to share between threads.
    """

    def paged(
        self,
        operation: GeneratedOperation[P],
        style: PageStyle,
        /,
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> Pages[Any]:
        """All items of a list, page by page as they are needed:
        `for item in bank.paged(list_cards, BY_CURSOR): ...`. `expect(Card, item)` checks the class
        of an item, for type checkers too.

        Args:
            operation: The module of the generated operation (`list_cards`).
            style: How pages follow each other, and where their items are.
            args: Arguments of the operation, without `client`; so are `kwargs`. They are those of
                the first page.

        Raises:
            ConfigurationError: `operation` is not the module of a generated operation, or the
                document does not declare what `style` names.
            TypeError: The operation takes other arguments.
            PaginationError: While it is read: the provider repeats pages for ever, or a page
                contradicts itself, such as one that says that others follow and names none.
            UnreadableResponse: While it is read: a page has no list where `style` says.
        """
        walk = self._walk(operation, style, args, kwargs)
        return Pages(partial(self._shared.reading, walk))


class AsyncApiClient(_ApiClient[C, Awaited, httpx.AsyncBaseTransport], AwaitedClient):
    """A client of any payment API with awaited calls, also named `connect_async`.

    Making one is not awaited.
    """

    def paged(
        self,
        operation: GeneratedOperation[P],
        style: PageStyle,
        /,
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> AsyncPages[Any]:
        """All items of a list, as `ApiClient.paged` yields them:
        `async for item in bank.paged(...): ...`
        """
        walk = self._walk(operation, style, args, kwargs)
        return AsyncPages(partial(self._shared.reading, walk))


def _bound(client: object) -> Any:
    """The generated class over attempt transports. Raises `ConfigurationError`."""
    if isinstance(client, type) and hasattr(client, "set_httpx_client"):
        with suppress(ImportError):
            return bound_class(cast("Hashable", client))  # to mypy, no class can be hashed
    raise ConfigurationError(
        "connect: pass the Client class (from x_api.client) of a package that victor-spec made."
    )


connect = ApiClient
connect_async = AsyncApiClient
