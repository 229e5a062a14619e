"""The options of a client, each with its type, default and meaning (`ClientOptions`, `DEFAULTS`);
how a constructor takes and documents them; and the checked configuration made from them
(`ClientConfig`).
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Mapping
from copy import copy
from http.cookiejar import CookieJar
from typing import Any, Generic, TypedDict, TypeVar

import httpx
from msgspec.structs import replace as replaced

from victor_ext._privacy import concealed
from victor_ext._runtime.auth.credentials import checked_function
from victor_ext._runtime.core.clock import ServerClock
from victor_ext._runtime.core.headers import checked_headers, checked_user_agent
from victor_ext._runtime.core.response import CODING, MAX_RESPONSE_BYTES
from victor_ext._runtime.core.validation import (
    are_seconds,
    is_whole,
    refuse_unknown,
    seconds_complaint,
    shown,
)
from victor_ext._runtime.http.options import Verify
from victor_ext._runtime.loop.attempts import AttemptLoop
from victor_ext._runtime.loop.events import OnEvent, Reporter
from victor_ext._runtime.loop.idempotency_keys import HeaderKey
from victor_ext._runtime.loop.operations import Behaviour
from victor_ext._runtime.loop.retry import Authenticator, RetryPolicy, RetryQuota
from victor_ext._version import PRODUCT
from victor_ext.errors import ConfigurationError, Problem

Init = TypeVar("Init", bound=Callable[..., None])
Transport = TypeVar("Transport")  # of the mode


class ClientOptions(TypedDict, Generic[Transport], total=False):
    """The options of every client, of all systems and in both modes.

    A value that cannot work is a `ConfigurationError` that names the option.

    Args:
        timeout: Seconds for each stage of one attempt (5 to connect, 20 for each other stage), or
            an `httpx.Timeout`. None sets no bound; 0 is refused.
        deadline: Seconds for one call as a whole, with all attempts and waits. None sets no bound;
            0 is refused.
        retry: How patiently a call is tried again. `RetryPolicy(max_attempts=1)` tries once.
        transport: An httpx transport to send with, in place of connections of the client's own.
            `proxy`, `verify` and `limits` then have no effect.
        proxy: The URL of the proxy to use. None: what the process environment says (HTTPS_PROXY,
            NO_PROXY).
        verify: True (whom the system trusts), the path of a CA bundle, or an `ssl.SSLContext`.
            What turns verification off is refused, except for this machine: False, or a context
            that does not check host names.
        limits: Of the connection pool; None means 100 connections.
        on_event: Called with each attempt, retry and end of a call; see `victor_ext.Event`. What it
            raises is logged. None: nothing is called.
        user_agent: What is added to the `User-Agent`, such as `"billing/2.3"`: the provider's
            support can tell your calls apart by it. None: nothing.
        max_response_bytes: The longest body of a response that is read, after decompression.
    """

    timeout: httpx.Timeout | float | None
    deadline: float | None
    retry: RetryPolicy
    transport: Transport | None
    proxy: str | httpx.URL | httpx.Proxy | None
    verify: Verify
    limits: httpx.Limits | None
    on_event: OnEvent | None
    user_agent: str | None
    max_response_bytes: int


DEFAULTS: ClientOptions[Any] = {
    "timeout": httpx.Timeout(20.0, connect=5.0),
    "deadline": 60.0,
    "retry": RetryPolicy(),
    "transport": None,
    "proxy": None,
    "verify": True,
    "limits": None,
    "on_event": None,
    "user_agent": None,
    "max_response_bytes": MAX_RESPONSE_BYTES,
}


def take(client: object, options: ClientOptions[Any]) -> dict[str, Any]:
    """All options of a client: those that the caller passed, and defaults for the others.

    The proxy is concealed, also in the caller's `options`: it may hold a password.

    Raises:
        TypeError: There is no such option; the message names it, as Python's own does.
    """
    if "proxy" in options:
        # in place: the constructor's frame has the same dict
        options["proxy"] = concealed(options["proxy"])
    kind = type(client)
    if not options.keys() <= DEFAULTS.keys():
        refuse_unknown(f"{kind.__name__}.__init__", options, inspect.signature(kind).parameters)
    return {**DEFAULTS, **options}


def known_options(kind: type[Any], function: str, options: Mapping[str, Any]) -> Mapping[str, Any]:
    """The same options, checked by name, for a function such as `from_env` that makes a client of
    this class.

    Raises:
        TypeError: There is no such option. This error comes before that of a missing setting.
    """
    parameters = inspect.signature(kind).parameters
    refuse_unknown(f"{kind.__name__}.{function}", options, parameters)
    return options


def with_options_described(text: str | None, options: str | None) -> str | None:
    """A constructor's docstring, with the arguments that the docstring of its `options` describes
    after its own.

    None: Python runs without docstrings.
    """
    if text is None or options is None:
        return text
    described = inspect.cleandoc(options).partition("Args:\n")[2]
    return inspect.cleandoc(text).replace("\n\nRaises:", f"\n{described}\n\nRaises:")


def with_client_options(init: Init) -> Init:
    """Decorate a constructor with `**options: Unpack[ClientOptions[...]]`: `inspect` and `help()`
    show each option.
    """
    signature = inspect.signature(init)
    own = [
        parameter
        for parameter in signature.parameters.values()
        if parameter.kind is not parameter.VAR_KEYWORD
    ]
    annotations = ClientOptions.__annotations__
    shared = [
        inspect.Parameter(
            name,
            inspect.Parameter.KEYWORD_ONLY,
            default=default,
            annotation=annotations[name].__forward_arg__,
        )
        for name, default in DEFAULTS.items()
    ]
    parameters = [*own, *shared]
    shown = signature.replace(parameters=parameters)
    init.__signature__ = shown  # type: ignore[attr-defined] # `inspect` reads it
    init.__doc__ = with_options_described(init.__doc__, ClientOptions.__doc__)
    return init


class _Unchanged:
    def __repr__(self) -> str:
        return "<unchanged>"


KEEP: Any = _Unchanged()
"""The default of `with_options`: the option stays as it is."""


class ClientConfig:
    """The checked configuration of a client, the same for both modes.

    Args:
        options: As `take` returns them.
        environment: What a `repr` shows.
        caller: A digest of the credentials' public part.
        context: Any data for the provider's resources.
        credentials: Those of the caller, whose tokens may come from another host.

    Raises:
        ConfigurationError: An option cannot work.
    """

    def __init__(
        self,
        options: Mapping[str, Any],
        *,
        behaviour: Behaviour,
        authenticator: Authenticator,
        base_url: httpx.URL,
        clock: ServerClock,
        environment: str = "",
        caller: str | None = None,
        context: Any = None,
        accept: str = "application/json",
        credentials: object = None,
    ) -> None:
        self.accept = accept
        self.headers: dict[str, str] = {}
        self.base_url = base_url
        self.environment = environment
        self.caller = caller
        self.credentials = credentials
        self.product = PRODUCT + checked_user_agent(options["user_agent"])
        self.context = context
        self.timeout = checked_timeout(options["timeout"])
        policy = _checked_policy(options["retry"])
        on_event = options["on_event"]
        self.clock = clock
        self.loop = AttemptLoop(
            behaviour=behaviour,
            authenticator=authenticator,
            policy=policy,
            quota=RetryQuota(policy.quota),
            clock=clock,
            deadline=_checked_deadline(options["deadline"]),
            max_response_bytes=_checked_size(options["max_response_bytes"]),
            reporter=Reporter(None if on_event is None else checked_function("on_event", on_event)),
        )

    def replace(
        self, timeout: object, deadline: object, retry: object, headers: object
    ) -> ClientConfig:
        """A copy with other options, each of which may be `KEEP`. The tokens, the clock and the
        quota are those of this configuration; with another size, the quota is a new one.
        """
        other = copy(self)
        loop = self.loop
        if headers is not KEEP:
            place = loop.behaviour.key_place
            other.headers = checked_headers(
                headers, place.name if isinstance(place, HeaderKey) else None
            )
        if timeout is not KEEP:
            other.timeout = checked_timeout(timeout)
        policy = loop.policy if retry is KEEP else _checked_policy(retry)
        other.loop = replaced(
            loop,
            policy=policy,
            quota=loop.quota if policy.quota == loop.policy.quota else RetryQuota(policy.quota),
            deadline=loop.deadline if deadline is KEEP else _checked_deadline(deadline),
        )
        return other

    def __str__(self) -> str:
        environment = f"environment={self.environment!r}, " if self.environment else ""
        return f"{environment}base_url={str(self.base_url)!r}"

    def client_arguments(self, options: dict[str, Any]) -> dict[str, Any]:
        """The arguments of the httpx client that this package sends with; `options` are additional
        ones.

        Environment, redirects and proxies are left to the transport below that client.
        """
        python = ".".join(map(str, sys.version_info[:2]))
        agent = f"{self.product} httpx/{httpx.__version__} python/{python}"
        headers = httpx.Headers(
            {"user-agent": agent, "accept": self.accept, "accept-encoding": CODING}
        )
        headers.update(self.headers)
        headers.update(options.get("headers"))
        cookies = _FixedCookies()
        httpx.Cookies(cookies).update(options.get("cookies"))
        return {
            "base_url": self.base_url,
            "timeout": self.timeout,
            "trust_env": False,
            "follow_redirects": False,
            **options,
            "headers": headers,
            "cookies": cookies,
        }


class _FixedCookies(CookieJar):
    """Cookies to which no response adds: no call depends on an earlier one. Nor does a response
    take the lock of a cookie jar, which a Ctrl-C may leave locked.
    """

    def extract_cookies(self, response: object, request: object) -> None: ...


def _checked_size(size: object) -> int:
    """Bytes of a body. Raises `ConfigurationError`."""
    if is_whole(size, 1):
        return size
    name = "max_response_bytes"
    message = f"{name}={shown(size)} must be a whole number, 1 or more."
    raise ConfigurationError.of([Problem(name, "range", message)])


def _checked_policy(retry: object) -> RetryPolicy:
    if not isinstance(retry, RetryPolicy):
        raise ConfigurationError(f"retry must be RetryPolicy(...), not {type(retry).__name__}.")
    return retry


def checked_timeout(timeout: object) -> httpx.Timeout:
    """Seconds for each stage of one attempt. Raises `ConfigurationError`."""
    if timeout is None:
        return httpx.Timeout(None)
    if isinstance(timeout, httpx.Timeout):
        for stage, seconds in timeout.as_dict().items():
            if seconds is not None and not are_seconds(seconds):
                name = f"timeout=httpx.Timeout(...): {stage}"
                raise ConfigurationError(seconds_complaint(name, seconds, "above zero, or None"))
        return timeout
    if not are_seconds(timeout):
        raise ConfigurationError(
            seconds_complaint("timeout", timeout, "above zero, or an httpx.Timeout")
        )
    return httpx.Timeout(timeout)  # type: ignore[arg-type] # it is a number


def _checked_deadline(deadline: object) -> float | None:
    """Seconds for a whole call, or None. Raises `ConfigurationError`."""
    if deadline is None:
        return None
    if not are_seconds(deadline):
        message = seconds_complaint("deadline", deadline, "above zero")
        raise ConfigurationError.of(
            [Problem("deadline", "range", message, hint="None sets no bound")]
        )
    return float(deadline)  # type: ignore[arg-type] # it is a number
