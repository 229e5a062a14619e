"""Where creates may be sent: to this machine, to the provider's staging, or to a host whose
environment the user has named.
"""

from collections.abc import Mapping
from difflib import SequenceMatcher
from ipaddress import ip_address
from typing import Any

import httpx

from victor_ext import ConfigurationError, Problem

_ALIKE = 0.8
"""From which similarity a host may be taken for another one, of 1."""


def is_look_alike(url: str, urls: Mapping[str, Any]) -> bool:
    """Whether a host is not the provider's, and may be taken for one. `urls` are those of each
    environment.
    """
    own = _hosts(urls)
    host = _host(url)
    return host not in own and not _is_this_machine(host) and _likened(host, own) is not None


def check_place(client: Any, named: str | None) -> None:
    """Raise `ConfigurationError` where nobody has said that the client's host is not production.

    Its `environment` is staging by default; `named` is the one that the user has named.
    """
    if named is not None and named != client.environment:
        message = f"environment is {named!r}, and the client's {client.environment!r}: name one."
        raise ConfigurationError.of([Problem("environment", "other", message)])
    own = _hosts(client.system.urls)
    host = _host(client.base_url)
    if named is not None or _is_this_machine(host) or host in own:
        return
    message = (
        f"plan.environment is not named, and {host} {_kind_of(host, own)}: name it before money is "
        "asked for, such as staging."
    )
    raise ConfigurationError.of([Problem("plan.environment", "unnamed", message)])


def _hosts(urls: Mapping[str, Any]) -> dict[str, str]:
    """The provider's hosts, each with its environment."""
    return {httpx.URL(url).host: name for name in urls for url in urls[name]}


def _host(url: str) -> str:
    return httpx.URL(url).host.rstrip(".").lower()


def _is_this_machine(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def _kind_of(host: str, own: dict[str, str]) -> str:
    """What a host is that is not the provider's, in words: perhaps one that looks like it.

    `own`: the provider's hosts, each with its environment.
    """
    known = _likened(host, own)
    if known is None:
        return "is no host of the provider"
    return f"looks like {known}, the provider's {own[known]}, and is not"


def _likened(host: str, own: dict[str, str]) -> str | None:
    """The provider's host that another one looks like; None: it looks like none."""
    likeness = {known: SequenceMatcher(None, host, known).ratio() for known in own}
    if not likeness:
        return None
    nearest = max(likeness, key=likeness.__getitem__)
    domain = nearest.split(".")[-2]
    return nearest if domain in host or likeness[nearest] >= _ALIKE else None
