"""The checked configuration of a client: everything but its connections."""

from __future__ import annotations

import dataclasses
import inspect
import sys
from collections.abc import Mapping
from copy import copy
from http.cookiejar import CookieJar
from typing import Any

import httpx

from victor_ext._version import PRODUCT
from victor_ext.errors import ConfigurationError, Problem
from victor_ext.runtime.core.response import CODINGS
from victor_ext.runtime.core.validation import are_seconds, seconds_complaint, shown
from victor_ext.runtime.loop.attempts import AttemptLoop
from victor_ext.runtime.loop.authenticator import Authenticator
from victor_ext.runtime.loop.clock import ServerClock
from victor_ext.runtime.loop.key_places import HeaderKey
from victor_ext.runtime.loop.profile import Profile
from victor_ext.runtime.loop.reporter import OnEvent, Reporter
from victor_ext.runtime.loop.retry import RetryPolicy, RetryQuota

from .extra_headers import ExtraHeaders, checked_headers, checked_user_agent
from .extras import NO_EXTRAS, ExtraBody, ExtraQuery, Extras


class _Unchanged:
    def __repr__(self) -> str:
        return "<unchanged>"


KEEP: Any = _Unchanged()
"""The value of an option that stays as it is."""


class ClientConfig:
    """The configuration of a client, the same for both modes.

    Args:
        given: The options of the client, as `options.take` returns them.
        profile: How the provider behaves.
        authenticator: Puts a token on each attempt.
        base_url: The URL that is called.
        clock: The provider's clock, which the authenticator uses too.
        environment: What a `repr` calls the environment; empty where there is only one.
        caller: A digest that tells two callers apart without naming them, or None.
        context: Any data for the provider's resources, such as for whom the client acts.
        accept: The content types that are asked for (`Accept`).

    Raises:
        ConfigurationError: An option has a value that cannot work.
    """

    def __init__(
        self,
        given: Mapping[str, Any],
        *,
        profile: Profile,
        authenticator: Authenticator,
        base_url: httpx.URL,
        clock: ServerClock,
        environment: str = "",
        caller: str | None = None,
        context: Any = None,
        accept: str = "application/json",
    ) -> None:
        self.accept = accept
        self.extras = NO_EXTRAS
        self.headers: dict[str, str] = {}
        self.base_url, self.environment, self.caller = base_url, environment, caller
        self.product = PRODUCT + checked_user_agent(given["user_agent"])
        most = given["max_concurrency"]
        self.max_concurrency = None if most is None else _checked_count("max_concurrency", most, "None sets no bound")
        self.context = context
        self.timeout = checked_timeout(given["timeout"])
        policy = _checked_policy(given["retry"])
        self.clock = clock
        self.loop = AttemptLoop(
            profile=profile,
            authenticator=authenticator,
            policy=policy,
            quota=RetryQuota(policy.quota),
            clock=clock,
            deadline=_checked_deadline(given["deadline"]),
            max_response_bytes=_checked_count("max_response_bytes", given["max_response_bytes"]),
            reporter=_reporter(given["on_event"]),
        )

    def replace(
        self,
        timeout: httpx.Timeout | float | None,
        deadline: float | None,
        retry: RetryPolicy,
        extra_body: ExtraBody | None,
        extra_query: ExtraQuery | None,
        headers: ExtraHeaders | None,
    ) -> ClientConfig:
        """A copy with other options; tokens, clock, quota and connections stay the same ones."""
        other, loop = copy(self), self.loop
        if headers is not KEEP:
            place = loop.profile.key_place
            other.headers = checked_headers(headers, place.name if isinstance(place, HeaderKey) else None)
        if extra_body is not KEEP or extra_query is not KEEP:
            other.extras = Extras(
                self.extras.body if extra_body is KEEP else extra_body,
                self.extras.query if extra_query is KEEP else extra_query,
            )
        if timeout is not KEEP:
            other.timeout = checked_timeout(timeout)
        policy = loop.policy if retry is KEEP else _checked_policy(retry)
        other.loop = dataclasses.replace(
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
        """The arguments of the httpx client. Environment, redirects and proxies are left to the transport below it."""
        python = ".".join(map(str, sys.version_info[:2]))
        agent = f"{self.product} httpx/{httpx.__version__} python/{python}"
        headers = httpx.Headers({"user-agent": agent, "accept": self.accept, "accept-encoding": CODINGS})
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
    """Cookies that no response adds to. Adding takes a lock, which a Ctrl-C may leave locked for ever."""

    def extract_cookies(self, response: object, request: object) -> None:
        """Keep none: no call depends on an earlier one."""


def _reporter(on_event: OnEvent | None) -> Reporter:
    if on_event is None:
        return Reporter()
    if not callable(on_event):
        raise ConfigurationError(f"on_event must be callable with one event, not {type(on_event).__name__}.")
    if inspect.iscoroutinefunction(on_event):
        raise ConfigurationError("on_event must be a plain function: nothing awaits it.")
    return Reporter(on_event)


def _checked_count(name: str, count: object, hint: str = "") -> int:
    if isinstance(count, int) and not isinstance(count, bool) and count >= 1:
        return count
    message = f"{name}={shown(count)} must be a whole number, 1 or more."
    raise ConfigurationError.of([Problem(name, "range", message, hint=hint)])


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
        raise ConfigurationError(seconds_complaint("timeout", timeout, "above zero, or an httpx.Timeout"))
    return httpx.Timeout(timeout)  # type: ignore[arg-type] # it is a number


def _checked_deadline(deadline: object) -> float | None:
    if deadline is None:
        return None
    if not are_seconds(deadline):
        message = seconds_complaint("deadline", deadline, "above zero")
        raise ConfigurationError.of([Problem("deadline", "range", message, hint="None sets no bound")])
    return float(deadline)  # type: ignore[arg-type] # it is a number
