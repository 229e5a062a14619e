"""Settings that every provider has: the environment that is called, and variables of the process
environment.
"""

import os
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

import httpx

from victor_ext._privacy import Secret
from victor_ext._runtime.core.validation import shown
from victor_ext._runtime.http.options import checked_base_url
from victor_ext.errors import ConfigurationError, Problem


def environment_and_url(
    environment: object,
    base_url: str | httpx.URL | None,
    urls: Mapping[str, Sequence[str]],
    *versions: str,
    provider: str,
) -> tuple[str, httpx.URL, str]:
    """The name of the environment that is called; its URL, which is the caller's `base_url` or the
    environment's own; and what messages call that place: the environment, with the URL if that is
    the caller's.

    A host of the provider's belongs to one environment, whatever its port and path: it is refused
    under the name of the other one, also where that name is only the default. Any other host (a
    sandbox's, a gateway's) belongs to the environment that is named. Raises `ConfigurationError`.

    Args:
        urls: The provider's own URLs, by environment; the first is called. The first environment is
            the default.
        versions: The versions of the API, which a URL may end with.
        provider: What messages call the provider; in capitals, the prefix of its variables.
    """
    url = None if base_url is None else unversioned_url(base_url, *versions)
    if not isinstance(environment, str) or environment not in urls:
        message = (
            f"environment={shown(environment)} is unknown: write {' or '.join(map(repr, urls))}."
        )
        raise ConfigurationError.of([Problem("environment", "choice", message)])
    own = httpx.URL(urls[environment][0])
    if url is None or url == own:
        return environment, own, environment
    host = url.raw_host.decode("ascii").rstrip(".")
    others = [name for name in urls if host in {httpx.URL(known).host for known in urls[name]}]
    if others and environment not in others:
        default = ", which is the default" if environment == next(iter(urls)) else ""
        prefix = provider.upper()
        hint = (
            f"write environment={others[0]!r}, and leave base_url out (as variables: "
            f"{prefix}_ENVIRONMENT={others[0]}, and no {prefix}_BASE_URL)"
        )
        message = (
            f"base_url is {provider}'s {others[0]}, and the environment is {environment}{default}."
        )
        raise ConfigurationError.of([Problem("base_url", "environment", message, hint=hint)])
    return environment, url, f"{environment}, {url}"


def unversioned_url(base_url: str | httpx.URL, *versions: str, name: str = "base_url") -> httpx.URL:
    """A base URL that a token may be sent to, without a version at its end: every path of an API
    begins with its version. Raises `ConfigurationError` for any other.
    """
    url = checked_base_url(base_url, name=name)
    before, _, last = url.path.rstrip("/").rpartition("/")
    return url.copy_with(path=before or "/") if last in versions else url


def options_from(
    prefix: str,
    given: Mapping[str, Any],
    *,
    texts: Sequence[str] = ("environment", "base_url"),
    required: Sequence[str] = (),
    environments: Collection[str] = (),
    versions: Sequence[str] = (),
    exact: Collection[str] = (),
    **readers: Callable[[Mapping[str, str]], object],
) -> dict[str, Any]:
    """The options of a client: those that the caller passed, and others from the variables that
    begin with the prefix (`ACME_`).

    Args:
        given: The options that the caller passed. Their variables are not read.
        texts: The options whose value is the text of the variable with their name, if it is set.
        required: The options whose variables must be set.
        environments: The words that `environment` may be; none given: any.
        versions: The versions of the API, which `base_url` may end with.
        exact: Variables whose blanks at the ends count.
        readers: A function for each other option, which reads it from the variables that are set.

    Raises `ConfigurationError`, which names the variable.
    """
    values = provider_variables(prefix, exact)
    lacking = [name for name in required if name not in given]
    require_variables(values, *(f"{prefix}{name.upper()}" for name in lacking))
    options: dict[str, Any] = {}
    for name, read in readers.items():
        if name not in given:
            options[name] = read(values)
    for name in texts:
        variable = f"{prefix}{name.upper()}"
        if name in given or variable not in values:
            continue
        if name == "base_url":
            options[name] = str(unversioned_url(values[variable], *versions, name=variable))
            continue
        text = str(values[variable])
        options[name] = text
        if name == "environment" and environments and text not in environments:
            known = " or ".join(map(repr, environments))
            raise ConfigurationError(f"{variable} is {text!r}: set it to {known}.")
    return {**options, **given}


def provider_variables(prefix: str, exact: Collection[str] = ()) -> dict[str, str]:
    """The variables of the process environment that begin with the prefix, as secrets; those that
    are empty are left out. Only those in `exact` keep the blanks at their ends.
    """
    own = {name: value for name, value in os.environ.items() if name.startswith(prefix)}
    return {
        name: Secret(value if name in exact else value.strip())
        for name, value in own.items()
        if value.strip()
    }


def require_variables(values: Mapping[str, str], *names: str, hint: str = "") -> None:
    """Raise `ConfigurationError` when one of the variables is not set; the hint ends the
    message.
    """
    missing = [name for name in names if name not in values]
    if missing:
        verb = "is" if len(missing) == 1 else "are"
        message = f"{' and '.join(missing)} {verb} not set. {hint}"
        raise ConfigurationError(message.rstrip())
