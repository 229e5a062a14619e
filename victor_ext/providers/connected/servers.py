"""Where the calls of a connected client go."""

import sys
from collections.abc import Mapping
from typing import Any, cast

import httpx

from victor_ext.errors import ConfigurationError
from victor_ext.runtime.core.validation import shown
from victor_ext.runtime.http.from_httpx2 import AnyURL
from victor_ext.runtime.http.options import checked_base_url


def servers_of(
    client: Any, base_url: str | AnyURL, servers: Mapping[str, str], variables: Mapping[str, str]
) -> tuple[httpx.URL, dict[str, httpx.URL]]:
    """Where calls go: the base URL, and the URLs of the operations that have a server of their own.

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
    templates = {name: url for name, url in urls.items() if "{" in str(url) and "@" not in str(url)}
    _check_variables(variables, templates, module)
    if hasattr(client, "server_url"):
        for name, template in templates.items():
            urls[name] = _filled(client, name, template, variables)
    base = checked_base_url(urls.pop("base_url"))
    below = base.copy_with(raw_path=base.raw_path.rstrip(b"/") + b"/")
    checked: list[httpx.URL] = []
    for name, url in urls.items():
        checked.append(checked_base_url(str(below.join(url)), name=name))
    return base, dict(zip(servers, checked, strict=True))


def _check_texts(name: str, texts: object) -> None:
    """Raises `ConfigurationError`: it is no mapping of texts."""
    if not _is_of_texts(texts):
        raise ConfigurationError(f"{name} must be a mapping of texts, not {shown(texts)}.")


def _is_of_texts(value: object) -> bool:
    if not isinstance(value, Mapping):
        return False
    pairs = cast("Mapping[object, object]", value).items()
    return all(isinstance(part, str) for pair in pairs for part in pair)


def _check_servers(servers: Mapping[str, str], module: Any) -> None:
    """Raises `ConfigurationError`: one is no server of an operation of the document."""
    known: Mapping[str, str] = getattr(module, "OPERATION_SERVERS", {})
    for name in servers:
        if name not in known:
            those = f"those are {', '.join(known)}" if known else "the document has none"
            raise ConfigurationError(
                f"servers: {shown(name)} is no server of an operation: {those}."
            )


def _check_variables(
    variables: Mapping[str, str], templates: Mapping[str, str], module: Any
) -> None:
    """Raises `ConfigurationError`: one is in none of the URLs."""
    for name in variables:
        if any(f"{{{name}}}" in url for url in templates.values()):
            continue
        declared: Mapping[str, Mapping[str, object]] = getattr(module, "SERVER_VARIABLES", {})
        those = [f"{', '.join(names)} in {url}" for url, names in declared.items()]
        raise ConfigurationError(
            f"server_variables: {shown(name)} is in no URL of base_url and servers. The document "
            f"has {', '.join(those) or 'none'}."
        )


def _filled(client: Any, name: str, template: str, variables: Mapping[str, str]) -> str:
    """The URL of a template, with its variables. Raises `ConfigurationError`."""
    own = {key: text for key, text in variables.items() if f"{{{key}}}" in template}
    try:
        url: str = client.server_url(template, own)
    except ValueError as error:
        raise ConfigurationError(f"{name}: {error}") from None
    return url
