"""The options that the clients of all systems have: each has its type, its default and its meaning here alone."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Generic, TypedDict, TypeVar

import httpx

from victor_ext.redaction import concealed
from victor_ext.runtime.core.response import MAX_RESPONSE_BYTES
from victor_ext.runtime.loop.retry import RetryPolicy

if TYPE_CHECKING:
    from victor_ext.runtime.http.connections import Verify
    from victor_ext.runtime.loop.reporter import OnEvent

Init = TypeVar("Init", bound=Callable[..., None])
Transport = TypeVar("Transport", bound=httpx.BaseTransport | httpx.AsyncBaseTransport)
HttpxClient = TypeVar("HttpxClient", bound=httpx.Client | httpx.AsyncClient)

DEFAULT_TIMEOUT = httpx.Timeout(20.0, connect=5.0)
"""Seconds for each stage of one attempt: 5 to connect; 20 each to write, to read and to get a free connection."""

DEFAULT_DEADLINE = 60.0
"""Seconds for one call as a whole, with all attempts and waits."""


class ClientOptions(TypedDict, Generic[Transport, HttpxClient], total=False):
    """The options of every client, of all systems and in both modes.

    A value that cannot work is a `ConfigurationError` that names the option.

    Args:
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
    """

    timeout: httpx.Timeout | float | None
    deadline: float | None
    retry: RetryPolicy
    transport: Transport | None
    http_client: HttpxClient | None
    proxy: str | httpx.URL | httpx.Proxy | None
    verify: Verify
    limits: httpx.Limits | None
    on_event: OnEvent | None
    max_concurrency: int | None
    user_agent: str | None
    max_response_bytes: int


DEFAULTS: ClientOptions[Any, Any] = {
    "timeout": DEFAULT_TIMEOUT, "deadline": DEFAULT_DEADLINE, "retry": RetryPolicy(), "transport": None,
    "http_client": None, "proxy": None, "verify": True, "limits": None, "on_event": None, "max_concurrency": None,
    "user_agent": None, "max_response_bytes": MAX_RESPONSE_BYTES,
}  # fmt: skip


def take(client: object, options: ClientOptions[Any, Any]) -> dict[str, Any]:
    """All options of a client, with defaults for those that are not given. The given ones keep no password.

    Raises:
        TypeError: There is no such option; the message names it, as Python's own does.
    """
    if "proxy" in options:
        options["proxy"] = concealed(options["proxy"])  # the frame of the constructor has the same dict
    unknown = next((name for name in options if name not in DEFAULTS), None)
    if unknown is not None:
        from difflib import get_close_matches  # noqa: PLC0415 - only a mistake needs it

        close = get_close_matches(unknown, inspect.signature(type(client).__init__).parameters, 1)
        meant = f". Did you mean {close[0]!r}?" if close else ""
        raise TypeError(f"{type(client).__name__}.__init__() got an unexpected keyword argument {unknown!r}{meant}")
    return {**DEFAULTS, **options}


def with_client_options(init: Init) -> Init:
    """Decorate a constructor with `**options: Unpack[ClientOptions[...]]`: `inspect` and `help()` show each option."""
    signature = inspect.signature(init)
    own = [each for each in signature.parameters.values() if each.kind is not each.VAR_KEYWORD]
    kinds = ClientOptions.__annotations__
    shared = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=kinds[name].__forward_arg__)
        for name, default in DEFAULTS.items()
    ]
    init.__signature__ = signature.replace(parameters=[*own, *shared])  # type: ignore[attr-defined] # `inspect` reads it
    init.__doc__ = with_options_described(init.__doc__)
    return init


def with_options_described(text: str | None) -> str | None:
    """A constructor's docstring, with the options after its own arguments. None: Python runs without docstrings."""
    if text is None or ClientOptions.__doc__ is None:
        return text
    described = inspect.cleandoc(ClientOptions.__doc__).partition("Args:\n")[2]
    return inspect.cleandoc(text).replace("\n\nRaises:", f"\n{described}\n\nRaises:")
