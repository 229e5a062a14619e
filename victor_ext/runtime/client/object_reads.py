"""One object of any system, read by the name of the method that reads it: `client.read`."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import httpx
from msgspec.structs import replace

from victor_ext.errors import ConfigurationError
from victor_ext.runtime.core.arguments import hint_at
from victor_ext.runtime.core.validation import shown
from victor_ext.runtime.loop.table import Operations

from .prepared_calls import method_of


class _ReadOnlyTransport(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """A transport in front of the attempt loop that sends only what the table of operations says
    only reads. Raises `ConfigurationError` for any other request.

    `method` is the name of the client's method, for messages.
    """

    def __init__(self, attempts: Any, operations: Operations, method: str) -> None:
        self._attempts = attempts
        self._operations = operations
        self._method = method

    def _check(self, request: httpx.Request) -> None:
        if not self._operations.of(request).may_be_read:
            raise ConfigurationError(
                f"{self._method} would send {self._operations.name(request)}, which is no read: it "
                "was not sent."
            )

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self._check(request)
        response: httpx.Response = self._attempts.handle_request(request)
        return response

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self._check(request)
        response: httpx.Response = await self._attempts.handle_async_request(request)
        return response


def read_only_method(client: Any, name: str) -> Callable[..., Any]:
    """The method of a client with this name, over a `_ReadOnlyTransport`."""
    attempts = client._transport  # noqa: SLF001 - by its class
    config = client._config  # noqa: SLF001 - as above
    transport = _ReadOnlyTransport(attempts, _table_of(client), name)

    def connect(options: dict[str, Any]) -> Any:
        http_client_type = client._http_client_type  # noqa: SLF001 - as above
        return http_client_type(transport=transport, **config.client_arguments(options))

    api = client.bind(client._generated, connect)  # noqa: SLF001 - as above

    def api_within(_seconds: float) -> Any:
        return api

    runner = replace(_runner_of(client), _api=api, _api_within=api_within)
    return method_of(client, name, runner)


def object_reads_of(client: Any) -> Mapping[str, tuple[str, ...]]:
    """The methods of a client that read one object by ids alone, each with the names of its ids."""
    runner = _runner_of(client)
    names = _table_of(client).object_reads()
    return {name: _ids_of(method_of(client, name, runner)) for name in names}


def _table_of(client: Any) -> Operations:
    table: Operations = client._config.loop.behaviour.operations  # noqa: SLF001 - by its class
    return table


def _runner_of(client: Any) -> Any:
    return client._shared.runner  # noqa: SLF001 - by its class


def _ids_of(method: Callable[..., Any]) -> tuple[str, ...]:
    """The names of the ids that a method reads by: its arguments without a default."""
    parameters = inspect.signature(method).parameters.values()
    required = (each for each in parameters if each.default is inspect.Parameter.empty)
    return tuple(parameter.name for parameter in required)


def checked_read(client: Any, name: str, ids: Sequence[str]) -> Callable[..., Any]:
    """The method with this name that reads one object by these ids; only reads are sent.

    Raises `ConfigurationError` if there is no such method, or it takes another number of ids.
    """
    known = object_reads_of(client)
    if name not in known:
        is_method = name in client.operation_names
        near = "" if is_method else hint_at(name, known).removeprefix(".")
        raise ConfigurationError(
            f"{shown(name)} does not read one object by its id: nothing was sent.{near} "
            f"{client.provider}'s operations that do: {', '.join(known) or 'none'}."
        )
    if len(ids) != len(known[name]):
        wanted = " and ".join(known[name])
        passed = "1 id was passed" if len(ids) == 1 else f"{len(ids)} ids were passed"
        raise ConfigurationError(f"{name} takes {wanted}, and {passed}: nothing was sent.")
    return read_only_method(client, name)
