"""Where creates may be sent: to this machine, to the provider's staging, or to a host whose
environment the user has named.
"""

from difflib import SequenceMatcher

import httpx

from victor_ext import ConfigurationError, Problem
from victor_ext.providers.victor.system import ENVIRONMENTS
from victor_ext.runtime.http.hosts import is_this_machine

_HOSTS = {httpx.URL(url).host: name for name, urls in ENVIRONMENTS.items() for url in urls}
"""The provider's own hosts, each with its environment."""
_ALIKE = 0.8
"""From which similarity a host may be taken for another one, of 1."""


def check_place(base_url: str, environment: str, named: str | None) -> None:
    """Raise `ConfigurationError` where nobody has said that this host is not production.

    `environment` is the client's, by default staging; `named` is the one that the user has named.
    """
    if named is not None and named != environment:
        message = f"environment is {named!r}, and that of the client {environment!r}: name one."
        raise ConfigurationError.of([Problem("environment", "other", message)])
    host = httpx.URL(base_url).host.rstrip(".").lower()
    if named is not None or is_this_machine(host) or host in _HOSTS:
        return
    message = (
        f"environment is not named, and {host} {_kind_of(host)}: name it before money is asked "
        "for, such as staging."
    )
    raise ConfigurationError.of([Problem("environment", "unnamed", message)])


def _kind_of(host: str) -> str:
    """What a host is that is not the provider's, in words: perhaps one that looks like it."""
    likeness = {own: SequenceMatcher(None, host, own).ratio() for own in _HOSTS}
    nearest = max(likeness, key=likeness.__getitem__)
    domain = nearest.split(".")[-2]
    if domain in host or likeness[nearest] >= _ALIKE:
        return f"looks like {nearest}, the provider's {_HOSTS[nearest]}, and is not"
    return "is no host of the provider"
