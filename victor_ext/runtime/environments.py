"""Which of a provider's environments a client asks: by its name, and by the host that is called."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import httpx

from .connections import is_this_machine
from .errors import ConfigurationError
from .findings import shown


class DefaultEnvironment(str):
    """The environment of a client that was told none. It gives way to the host of a base URL."""

    __slots__ = ()


def environment_of(
    environment: object, base_url: httpx.URL | None, hosts: Mapping[str, Collection[str]], *, provider: str
) -> str:
    """The name of the environment that is asked.

    A host of the provider's decides, whatever its port and path. On this machine runs a sandbox, unless the
    environment is named. Any other host may stand in front of either environment, so it has to be named.

    Args:
        environment: A name, or a `DefaultEnvironment`.
        base_url: What is called, if it was given.
        hosts: The provider's own hosts, by environment.
        provider: What messages call the provider; in capitals, the prefix of its variables.

    Raises:
        ConfigurationError: There is no such environment, the host is one of another environment's, or nothing says
            which environment it is.
    """
    if not isinstance(environment, str) or environment not in hosts:
        raise ConfigurationError(f"environment={shown(environment)} is unknown: write {' or '.join(map(repr, hosts))}.")
    named = not isinstance(environment, DefaultEnvironment)
    if base_url is None:
        return str(environment)
    host = base_url.raw_host.decode("ascii").rstrip(".")
    theirs = next((name for name, own in hosts.items() if host in own), None)
    variable = f"{provider.upper()}_ENVIRONMENT"
    if theirs is None:
        if named or is_this_machine(base_url.host):
            return str(environment)
        choice = " or ".join(f"environment={name!r}" for name in hosts)
        raise ConfigurationError(
            f"base_url {str(base_url)!r} is no host of {provider}'s own, so it does not say which environment is "
            f"behind it: write {choice} as well (or set {variable})."
        )
    if named and theirs != environment:
        raise ConfigurationError(
            f"base_url is {provider}'s {theirs}, and environment={str(environment)!r}: write environment={theirs!r}, "
            f"and leave base_url out (as variables: {variable}={theirs}, and no {provider.upper()}_BASE_URL)."
        )
    return theirs
