"""Where the calls of a connected client go.

`checked_servers` has the URLs, `Wire` the transport to each of their origins.
"""

import sys
from collections.abc import Mapping
from typing import Any, NamedTuple, cast

import httpx

from victor_ext._runtime.client.config import ClientConfig
from victor_ext._runtime.core.validation import shown
from victor_ext._runtime.http.connections import origin_of
from victor_ext._runtime.http.options import checked_base_url
from victor_ext.errors import ConfigurationError

from .auth import SIGNED_QUERY, ClientCredentialsAuth


class Servers(NamedTuple):
    """Where the calls of a client go."""

    base_url: httpx.URL
    elsewhere: dict[str, httpx.URL]
    """The URLs of operations that have a server of their own, by that server in the document."""


def checked_servers(
    client: Any, base_url: str | httpx.URL, servers: Mapping[str, str], variables: Mapping[str, str]
) -> Servers:
    """The URLs that a client calls. The arguments are those of `connect`.

    Raises:
        ConfigurationError: A URL that cannot be called, or a server or a variable that the document
            does not have.
    """
    _check_texts("servers", servers)
    _check_texts("server_variables", variables)
    module = sys.modules[client.__module__]
    _check_servers(servers, module)
    urls: dict[str, Any] = {"base_url": base_url}
    for name, url in servers.items():
        urls[f"servers[{name!r}]"] = url
    # A URL that may hold a password is no template: `checked_base_url` refuses and hides it.
    templates = {name: url for name, url in urls.items() if "{" in str(url) and "@" not in str(url)}
    _check_variables(variables, templates, module)
    if hasattr(client, "server_url"):
        for name, template in templates.items():
            urls[name] = _filled(client, name, template, variables)
    base = checked_base_url(urls.pop("base_url"))
    # A server of the document may be relative, such as `v2`: it is below the base URL then. Without
    # the slash it would replace the last part of the path.
    folder = base.copy_with(raw_path=base.raw_path.rstrip(b"/") + b"/")
    others: list[httpx.URL] = []
    for name, url in urls.items():
        others.append(checked_base_url(str(folder.join(url)), name=name))
    return Servers(base, dict(zip(servers, others, strict=True)))


def _check_texts(name: str, texts: object) -> None:
    """Raises `ConfigurationError`: the argument `name` is no mapping of texts."""
    if not _is_text_mapping(texts):
        raise ConfigurationError(f"{name} must be a mapping of texts, not {shown(texts)}.")


def _is_text_mapping(value: object) -> bool:
    if not isinstance(value, Mapping):
        return False
    pairs = cast("Mapping[object, object]", value).items()
    return all(isinstance(part, str) for pair in pairs for part in pair)


def _check_servers(servers: Mapping[str, str], module: Any) -> None:
    """Raises `ConfigurationError`: a key of `servers` is no server of the document's operations."""
    known: Mapping[str, str] = getattr(module, "OPERATION_SERVERS", {})
    for name in servers:
        if name not in known:
            known_servers = f"those are {', '.join(known)}" if known else "the document has none"
            raise ConfigurationError(
                f"servers: {shown(name)} is no server of an operation: {known_servers}."
            )


def _check_variables(
    variables: Mapping[str, str], templates: Mapping[str, str], module: Any
) -> None:
    """Raises `ConfigurationError`: a variable is in none of the URLs."""
    for name in variables:
        if any(f"{{{name}}}" in url for url in templates.values()):
            continue
        declared: Mapping[str, Mapping[str, object]] = getattr(module, "SERVER_VARIABLES", {})
        known = [f"{', '.join(names)} in {url}" for url, names in declared.items()]
        raise ConfigurationError(
            f"server_variables: {shown(name)} is in no URL of base_url and servers. The document "
            f"has {', '.join(known) or 'none'}."
        )


def _filled(client: Any, name: str, template: str, variables: Mapping[str, str]) -> str:
    """The URL of a template, with the values of its variables in place of their names; `name` is
    the argument that the template comes from.

    Raises `ConfigurationError`: the generated package refuses a value.
    """
    own = {key: text for key, text in variables.items() if f"{{{key}}}" in template}
    try:
        url: str = client.server_url(template, own)
    except ValueError as error:
        raise ConfigurationError(f"{name}: {error}") from None
    return url


def urls_beside_api(config: ClientConfig) -> list[httpx.URL]:
    """One URL of each origin, other than that of the API, that calls go to: servers of single
    operations, and the token endpoint.
    """
    urls = [*config.servers.values()]
    credentials = config.credentials
    if isinstance(credentials, ClientCredentialsAuth):
        urls.append(credentials.token_url(config.base_url))
    by_origin = {origin_of(url): url for url in urls}
    by_origin.pop(origin_of(config.base_url), None)
    return [*by_origin.values()]


class Wire(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """A transport that sends requests to several origins, and adds credentials to the query.

    It stands below the attempt loop, so that the loop, its errors and the log of httpx never have
    the query with the credentials.

    Args:
        api: The transport to the API.
        elsewhere: The transports to other origins (scheme, host and port), such as that of a token
            endpoint.
    """

    def __init__(self, api: Any, elsewhere: Mapping[object, Any]) -> None:
        self._api, self._elsewhere = api, elsewhere

    def _route(self, request: httpx.Request) -> tuple[Any, httpx.Request]:
        """The transport for a request, and the request to send, which has the credentials."""
        transport = self._elsewhere.get(origin_of(request.url), self._api)
        query = request.extensions.get(SIGNED_QUERY)
        if query is None:
            return transport, request
        url = request.url.copy_with(query=query)
        signed = httpx.Request(request.method, url, headers=request.headers, stream=request.stream)
        # Not a copy: the connections note in the extensions what they have done.
        signed.extensions = request.extensions
        return transport, signed

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        transport, to_send = self._route(request)
        response: httpx.Response = transport.handle_request(to_send)
        return response

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        transport, to_send = self._route(request)
        response: httpx.Response = await transport.handle_async_request(to_send)
        return response

    def close(self) -> None:
        for transport in (self._api, *self._elsewhere.values()):
            transport.close()

    async def aclose(self) -> None:
        for transport in (self._api, *self._elsewhere.values()):
            await transport.aclose()
