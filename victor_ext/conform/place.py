"""Where creates may be sent: to this machine, to the provider's staging, or to a host whose
environment the user has named.
"""

from difflib import SequenceMatcher
from ipaddress import ip_address
from typing import Any

import httpx

from victor_ext import ConfigurationError, Problem

_ALIKE = 0.8
"""From which similarity a host may be taken for another one, of 1."""


def check_place(client: Any, named: str | None) -> None:
    """Raise `ConfigurationError` where nobody has said that the client's host is not production.

    Its `environment` is staging by default; `named` is the one that the user has named.
    """
    if named is not None and named != client.environment:
        message = f"environment is {named!r}, and the client's {client.environment!r}: name one."
        raise ConfigurationError.of([Problem("environment", "other", message)])
    urls = client.system.urls
    own = {httpx.URL(url).host: name for name in urls for url in urls[name]}
    host = httpx.URL(client.base_url).host.rstrip(".").lower()
    if named is not None or _is_this_machine(host) or host in own:
        return
    message = (
        f"environment is not named, and {host} {_kind_of(host, own)}: name it before money is "
        "asked for, such as staging."
    )
    raise ConfigurationError.of([Problem("environment", "unnamed", message)])


def _is_this_machine(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def _kind_of(host: str, own: dict[str, str]) -> str:
    """What a host is that is not the provider's, in words: perhaps one that looks like it.

    `own`: the provider's hosts, each with its environment.
    """
    likeness = {known: SequenceMatcher(None, host, known).ratio() for known in own}
    nearest = max(likeness, key=likeness.__getitem__)
    domain = nearest.split(".")[-2]
    if domain in host or likeness[nearest] >= _ALIKE:
        return f"looks like {nearest}, the provider's {own[nearest]}, and is not"
    return "is no host of the provider"
