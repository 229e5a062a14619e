"""`connect` and `connect_async`: from a generated package to a client whose every call is safe to
make.
"""

from __future__ import annotations

import importlib
import inspect
import logging
import sys
from collections.abc import Callable, Collection, Hashable, Mapping, Sequence
from functools import partial
from typing import Any, ParamSpec, Protocol, TypeVar, Unpack, cast

import httpx

from victor_ext.errors import ConfigurationError
from victor_ext.privacy import concealed
from victor_ext.runtime.auth.credentials import caller_digest
from victor_ext.runtime.client.base import AwaitedClient, BaseClient, BlockingClient
from victor_ext.runtime.client.config import (
    ClientConfig,
    ClientOptions,
    HttpxClient,
    Transport,
    take,
    with_client_options,
)
from victor_ext.runtime.client.extras import NO_EXTRAS
from victor_ext.runtime.client.generated import bound_class
from victor_ext.runtime.client.paging import AsyncPages, PageReader, Pages
from victor_ext.runtime.client.resources import Awaited, Blocking, Mode
from victor_ext.runtime.core.headers import is_token
from victor_ext.runtime.core.validation import shown
from victor_ext.runtime.http.from_httpx2 import (
    AnyURL,
    AsyncClient,
    AsyncTransport,
    SyncClient,
    SyncTransport,
)
from victor_ext.runtime.http.options import checked_base_url
from victor_ext.runtime.loop.evidence import SAFE_METHODS, Declared
from victor_ext.runtime.loop.idempotency_keys import (
    BodyKey,
    CookieKey,
    HeaderKey,
    KeyPlace,
    NamedPlace,
    NoKey,
    QueryKey,
)
from victor_ext.runtime.loop.operations import Proof, name_of, unnamed
from victor_ext.runtime.loop.resending import origin_of

from .auth import (
    SIGNED_QUERY,
    ClientCredentialsAuth,
    Credentials,
    SignRequest,
    SignsQuery,
    credentials_of,
)
from .operations import UNDECLARED, DocumentOperations, behaviour_of, declares, says_key
from .paging import ListReader, PagesOf, PageStyle, T, undeclared_in
from .webhooks import DocumentWebhook

_logger = logging.getLogger(__name__)
C = TypeVar("C")
P = ParamSpec("P")
Auth = Credentials | SignRequest | None

_ACCEPT = "application/json, */*;q=0.8"
"""JSON if there is a choice.

An operation may be documented with another type alone, such as `application/hal+json`.
"""


class _Wire(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """Between the attempt loop and the connections: a token endpoint of another origin, and
    credentials in the query.

    `elsewhere` has the transports to other origins (scheme, host and port) than the API's.
    """

    def __init__(self, api: Any, elsewhere: Mapping[object, Any]) -> None:
        self._api, self._elsewhere = api, elsewhere

    def _route(self, request: httpx.Request) -> tuple[Any, httpx.Request]:
        """The transport and the request to send.

        The loop, its errors and the log of httpx keep the one unsigned.
        """
        transport = self._elsewhere.get(origin_of(request.url), self._api)
        query = request.extensions.get(SIGNED_QUERY)
        if query is None:
            return transport, request
        url = request.url.copy_with(query=query)
        sent = httpx.Request(request.method, url, headers=request.headers, stream=request.stream)
        # not a copy: the connections note in them what they have done
        sent.extensions = request.extensions
        return transport, sent

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        transport, sent = self._route(request)
        response: httpx.Response = transport.handle_request(sent)
        return response

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        transport, sent = self._route(request)
        response: httpx.Response = await transport.handle_async_request(sent)
        return response

    def close(self) -> None:
        for transport in (self._api, *self._elsewhere.values()):
            transport.close()

    async def aclose(self) -> None:
        for transport in (self._api, *self._elsewhere.values()):
            await transport.aclose()


class Operation(Protocol[P]):
    """The module of a generated operation, for type checkers: what it takes, without `client`."""

    @property
    def _get_kwargs(self) -> Callable[P, dict[str, Any]]: ...


class _ApiClient(BaseClient[C, Mode, Transport, HttpxClient]):
    @with_client_options
    def __init__(
        self,
        client: type[C],
        *,
        base_url: str | AnyURL,
        servers: Mapping[str, str] | None = None,
        server_variables: Mapping[str, str] | None = None,
        auth: Auth = None,
        key: KeyPlace | None = None,
        proofs: Mapping[str, Proof] | None = None,
        final: Mapping[str, Collection[str]] | None = None,
        made: Mapping[str, str] | None = None,
        name: str | None = None,
        caller: str | None = None,
        **options: Unpack[ClientOptions[Transport, HttpxClient]],
    ) -> None:
        """Connect a generated package to its API. Nothing is sent.

        Args:
            client: The `Client` (or `AuthenticatedClient`) class of a package that
                `victor spec generate` made.
            base_url: The URL that is called: `https`, or `http` to this machine. No call and no
                redirect leaves its host, except to `servers`. A server of the document may stand as
                it does there, with its variables: `https://{region}.pay.example`.
            servers: Where operations go that have a server of their own in the document, by the URL
                of that server: the package's `OPERATION_SERVERS`, or other URLs for its keys. They
                get the same credentials. None: all operations are called at `base_url`.
            server_variables: The values of variables in `base_url` and `servers`:
                `{"region": "eu"}`. Others have the document's defaults.
            auth: The credentials, such as `BearerAuth(...)`, `BasicAuth`, `ApiKeyAuth`,
                `SignedAuth` or `ClientCredentialsAuth`; or a function that sets headers of the
                request it is given, called with each attempt. None sends no credentials.
            key: Where the provider takes the idempotency key: a `HeaderKey`, or a `BodyKey`,
                `QueryKey` or `CookieKey`. A write whose operation declares that header in the
                document gets a key, the same in all attempts. Where the document says that another
                one is the key, yours needs `takes_key`; where it says it of none, every POST gets
                one. None: the provider takes no key. No write without a key is repeated if it may
                have been done.
            proofs: Reads that show that a write was done, by the write's method and path in the
                document: `{"POST /v1/payouts": Proof(find)}`. `look_up` and the outbox make them
                after a lost response. None: no read does.
            final: The words for states that a write leads no further from, by its method and path
                in the document: `{"POST /v1/payouts": {"paid", "failed"}}`. The outbox reads what
                it made until then. None: it does not.
            made: Where a good response has the id of what a write made, by its method and path in
                the document: `{"POST /v1/payments": "data.reference"}`. None: where the document
                tells it, or else in `id`.
            name: What messages call the provider; None takes the name of the package.
            caller: The account whose credentials `auth` has, such as its number: the outbox repeats
                a write only with the credentials of the same account at the same `base_url`. None:
                the token, the key, the user name or the client id, of which a digest is stored. Of
                a token or a key that changes (a file or a function), of `SignedAuth` and of a
                function nothing is known: what may have been sent is not repeated, but looked up,
                unless you name the account.

        Raises:
            ConfigurationError: An argument cannot work; the message names it.
        """
        base_url, auth = concealed(base_url), concealed(auth)
        given = take(self, options)
        if not isinstance(client, type) or not hasattr(client, "set_httpx_client"):
            raise ConfigurationError(
                "connect: pass the Client class of a generated package (from x_api.client)."
            )
        url, elsewhere = _servers(client, base_url, servers or {}, server_variables or {})
        credentials = credentials_of(auth)
        if caller is not None and (not isinstance(caller, str) or not caller.strip()):
            raise ConfigurationError(
                f"caller must name an account, as caller='4711' does, not {shown(caller)}."
            )
        account = getattr(credentials, "caller", None) if caller is None else caller
        package = client.__module__.rpartition(".client")[0].rpartition(".")[2]
        document = bound_class(cast("Hashable", client)).document
        words = {unnamed(operation): states for operation, states in (final or {}).items()}
        table = _table(
            key,
            document,
            url,
            package,
            _proofs(proofs or {}, document),
            words,
            _ids(made, document),
        )
        if unread := [operation for operation in words if table.follow_of(operation) is None]:
            raise ConfigurationError(
                f"final: no read of the document shows what {shown(unread[0])} made."
            )
        self._start(
            given,
            partial(credentials.authenticator, url),
            url,
            behaviour=behaviour_of(name or package.removesuffix("_api") or url.host, url, table),
            credentials=credentials,
            servers=elsewhere,
            context=client,
            caller=None
            if account is None
            else caller_digest(f"{url} {account}", product="connect"),
            accept=_ACCEPT,
        )

    def _sockets(self, config: ClientConfig, given: Mapping[str, Any]) -> Any:
        """The transport for credentials that need more than connections to the API; else the
        caller's own, or None.
        """
        transport, url, credentials = (
            super()._sockets(config, given),
            config.base_url,
            config.loop.credentials,
        )
        in_query = isinstance(config.loop.authenticator, SignsQuery)
        tokens = (
            credentials.token_url(url) if isinstance(credentials, ClientCredentialsAuth) else url
        )
        others = (
            {origin_of(each): each for each in (tokens, *config.servers.values())}
            if transport is None
            else {}
        )
        others.pop(origin_of(url), None)
        if not in_query and not others:
            return transport
        api = self._connect_to(url, given) if transport is None else transport
        return _Wire(
            api, {origin: self._connect_to(each, given) for origin, each in others.items()}
        )

    def _attach(self) -> None:
        """No resources: the operations are those of the generated package."""
        if self._config.extras != NO_EXTRAS:
            raise ConfigurationError(
                "extra_body and extra_query are for the methods of the providers' own clients. "
                "Here, set members on the model (`body['purpose'] = 'RENT'`), and generate the "
                "package from the newer document for filters."
            )

    @property
    def _generated(self) -> Any:
        return self._config.context

    def with_key(self, idempotency_key: str) -> C:
        """The generated client for one payment: its calls carry this key.

        For operations whose document declares no parameter for the key. Use it for that payment and
        its repeats only. Where the document declares the header on other operations, the key is
        sent and makes no repeat safe, unless `HeaderKey(takes_key=...)` names the operation.

        Args:
            idempotency_key: The key of the payment, such as `idempotency_key_for("invoice", 1042)`.

        Raises:
            ConfigurationError: The provider takes no key in a header, or the key is not all visible
                ASCII.
        """
        place = self._config.loop.behaviour.key_place
        if not isinstance(place, HeaderKey):
            where = _where_it_goes(place)
            raise ConfigurationError(
                f"with_key is for keys in a header, and this client's key goes {where}."
            )
        if not is_token(idempotency_key):
            raise ConfigurationError(
                f"idempotency_key={shown(idempotency_key)} must be visible ASCII without blanks: "
                "pass idempotency_key_for('invoice', 1042)."
            )
        return cast("C", self._api.with_headers({place.name: idempotency_key}))

    def webhook(
        self,
        *,
        verify: Callable[[Mapping[str, str], bytes], object] | None,
        id: Callable[[Mapping[str, str], Any], str] | None = None,
        name: Callable[[Any], str] | None = None,
        read: Callable[[Any, Any], Any] | None = None,
    ) -> DocumentWebhook:
        """The webhooks and callbacks of the document, for an `Inbox`.

        An event of a kind that the document does not declare is stored, too: it is an
        `UnknownVariant`, a mapping of its members. Nothing is read for it.

        Args:
            verify: Checks the headers and the body of a request, such as `HmacSignature(...)`.
                None: anybody can post.
            id: The id of an event, by the headers and the model. None: the header `webhook-id`, or
                the member `event_id` or `eventId`. Without these it is the member `id` with a
                digest of the body, since `id` may be that of the object: a repeat has the same
                content then. Say what the id is where two events of an object may be equal.
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

    def _lists(
        self, operation: Any, style: PagesOf[Any], args: tuple[Any, ...], kwargs: Mapping[str, Any]
    ) -> Callable[[], PageReader[Any]]:
        """What begins to read a list."""
        if not isinstance(style, PageStyle):
            raise ConfigurationError(
                "paged: say how pages follow each other, as in bank.paged(list_cards, "
                "CursorPages())."
            )
        if not hasattr(operation, "sync_detailed"):
            raise ConfigurationError(
                "paged: pass the module of a generated operation, as in bank.paged(list_cards, "
                "...)."
            )
        # The arguments that the operation takes, without the client: a TypeError now, not while the
        # list is read.
        why = undeclared_in(style, operation)
        if why is not None:
            raise ConfigurationError(f"paged: {why}.")
        given = inspect.signature(operation._get_kwargs).bind(*args, **kwargs).arguments  # noqa: SLF001 - all but the client
        return lambda: ListReader(
            style, self._api, given, what=operation.__name__.rpartition(".")[2]
        )


class ApiClient(_ApiClient[C, Blocking, SyncTransport, SyncClient], BlockingClient):
    """A client of any payment API with blocking calls, also named `connect`.

    Safe to share between threads.
    """

    def paged(
        self, operation: Operation[P], style: PagesOf[T], /, *args: P.args, **kwargs: P.kwargs
    ) -> Pages[T]:
        """All items of a list, page by page as they are needed:
        `for item in bank.paged(list_cards, BY_CURSOR): ...`

        Args:
            operation: The module of the generated operation (`list_cards`).
            style: How pages follow each other, and where their items are. `BY_CURSOR.of(Card)`
                names the class of the items, for type checkers too.
            args: Arguments of the operation, without `client`; so are `kwargs`. They are those of
                the first page.

        Raises:
            ConfigurationError: `operation` is not the module of a generated operation, or the
                document does not declare what `style` names.
            TypeError: The operation takes other arguments.
            PaginationError: While it is read: the provider repeats pages for ever, or a page
                contradicts itself, such as one that says that others follow and names none.
            UnreadableResponse: While it is read: a page has no list where `style` says, or an item
                of another class.
        """
        begin, call = (
            self._lists(operation, style, args, kwargs),
            cast("Any", operation).sync_detailed,
        )

        def fetch(reader: Any) -> Any:
            return reader.take(call(**reader.call()).parsed)

        return Pages(fetch, begin)


class AsyncApiClient(_ApiClient[C, Awaited, AsyncTransport, AsyncClient], AwaitedClient):
    """A client of any payment API with awaited calls, also named `connect_async`.

    Making one is not awaited.
    """

    def paged(
        self, operation: Operation[P], style: PagesOf[T], /, *args: P.args, **kwargs: P.kwargs
    ) -> AsyncPages[T]:
        """All items of a list, as `ApiClient.paged` yields them:
        `async for item in bank.paged(...): ...`
        """
        begin, call = (
            self._lists(operation, style, args, kwargs),
            cast("Any", operation).asyncio_detailed,
        )

        async def fetch(reader: Any) -> Any:
            return reader.take((await call(**reader.call())).parsed)

        return AsyncPages(fetch, begin)


def _where_it_goes(place: KeyPlace) -> str:
    """Where a key that is no header goes, for a message."""
    places = {BodyKey: "in the body", QueryKey: "in the query", CookieKey: "in a cookie"}
    for kind, words in places.items():
        if isinstance(place, kind):
            return f"{words}, as {place.name!r}: set it there"
    return "nowhere"


def _servers(
    client: Any, base_url: str | AnyURL, servers: Mapping[str, str], variables: Mapping[str, str]
) -> tuple[httpx.URL, dict[str, httpx.URL]]:
    """Where calls go: the base URL, and the URLs of the operations that have a server of their own.

    Raises:
        ConfigurationError: A URL that cannot be called, or a server or a variable that the document
            does not have.
    """
    for name, given in (("servers", servers), ("server_variables", variables)):
        if not isinstance(given, Mapping) or not all(
            isinstance(text, str) for pair in given.items() for text in pair
        ):
            raise ConfigurationError(f"{name} must be a mapping of texts, not {shown(given)}.")
    module = sys.modules[client.__module__]
    known: Mapping[str, str] = getattr(module, "OPERATION_SERVERS", {})
    if strange := [each for each in servers if each not in known]:
        those = f"those are {', '.join(known)}" if known else "the document has none"
        raise ConfigurationError(
            f"servers: {shown(strange[0])} is no server of an operation: {those}."
        )
    texts: dict[str, Any] = {
        "base_url": base_url,
        **{f"servers[{name!r}]": url for name, url in servers.items()},
    }
    templates = {
        name: url for name, url in texts.items() if "{" in str(url) and "@" not in str(url)
    }
    if strange := [
        each for each in variables if not any(f"{{{each}}}" in url for url in templates.values())
    ]:
        names: Mapping[str, Mapping[str, object]] = getattr(module, "SERVER_VARIABLES", {})
        those = ", ".join(f"{', '.join(each)} in {url}" for url, each in names.items()) or "none"
        what = f"{shown(strange[0])} is in no URL of base_url and servers"
        raise ConfigurationError(f"server_variables: {what}. The document has {those}.")
    for name, url in templates.items() if hasattr(client, "server_url") else ():
        try:
            texts[name] = client.server_url(
                url, {key: variables[key] for key in variables if f"{{{key}}}" in url}
            )
        except ValueError as error:
            raise ConfigurationError(f"{name}: {error}") from None
    base = checked_base_url(texts.pop("base_url"))
    below = base.copy_with(raw_path=base.raw_path.rstrip(b"/") + b"/")
    urls = (checked_base_url(str(below.join(url)), name=name) for name, url in texts.items())
    return base, dict(zip(servers, urls, strict=True))


def _proofs(given: Mapping[str, Proof], document: Sequence[Declared]) -> dict[str, Proof]:
    """The proofs by the names of their rows.

    Raises `ConfigurationError` for one of no write of the document.
    """
    writes = {name_of(each) for each in document if each.method not in SAFE_METHODS}
    proofs = {unnamed(name): proof for name, proof in given.items()}
    if strange := [name for name in proofs if name not in writes]:
        raise ConfigurationError(
            f"proofs: {shown(strange[0])} is no write of the document, as 'POST /v1/payouts' may "
            "be."
        )
    for name, proof in proofs.items():
        if not inspect.isgeneratorfunction(getattr(proof, "find", None)):
            raise ConfigurationError(
                f"proofs: {name} must have Proof(find), where find is a function that makes its "
                "reads with `yield`."
            )
    return proofs


def _ids(made: Mapping[str, str] | None, document: Sequence[Declared]) -> dict[str, str]:
    """Where ids are, by the names of rows.

    Raises `ConfigurationError` for one of no write of the document, or for no place.
    """
    places = {unnamed(name): place for name, place in (made or {}).items()}
    writes = {name_of(each) for each in document if each.method not in SAFE_METHODS}
    for name, place in places.items():
        if name not in writes:
            raise ConfigurationError(
                f"made: {shown(name)} is no write of the document, as 'POST /v1/payouts' may be."
            )
        if not isinstance(place, str) or not all(place.split(".")):
            raise ConfigurationError(
                f"made: {name} must have the place of an id, such as 'data.id', not {shown(place)}."
            )
    return places


def _table(
    key: object,
    document: Sequence[Declared],
    url: httpx.URL,
    package: str,
    proofs: Mapping[str, Proof],
    final: Mapping[str, Collection[str]],
    made: Mapping[str, str],
) -> DocumentOperations:
    place: Any = NoKey() if key is None else key
    if isinstance(key, type) or not all(
        callable(getattr(place, name, None)) for name in ("prepare", "read")
    ):
        raise ConfigurationError(
            f"key must be HeaderKey('Idempotency-Key') or BodyKey('...'), not {shown(key)}."
        )
    table = DocumentOperations(document, url, place, proofs, final, made)
    if not isinstance(place, NamedPlace):
        return table
    if not document:
        raise ConfigurationError(
            f"{package} does not say which operations take a key: generate it again."
        )
    if place.takes_key is None and isinstance(table.declared_key, NoKey):
        _logger.warning(
            "undeclared-key: no operation of the document declares %r. %s", key, UNDECLARED
        )
    elif place.takes_key is None and table.declared_key is not place:
        # a repeat would look safe, and be done twice
        if declares(document, place):
            why = f"the document does not say that {key!r} is a key; it says so of"
        else:
            why = f"no operation of the document declares {key!r}; it declares"
        raise ConfigurationError(
            f"key: {why} {table.declared_key!r}. Write that, or say with takes_key which requests "
            "take yours."
        )
    elif place.takes_key is None and not says_key(document, place):
        _logger.warning(
            "undeclared-key: the document declares %r, and does not say that it is a key. %s",
            key,
            UNDECLARED,
        )
    return table


connect = ApiClient
connect_async = AsyncApiClient
