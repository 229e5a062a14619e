"""Where requests go: to the server of the document. An operation with another one is left out."""

from urllib.parse import urljoin

from victor_spec.requests import HOOKS
from victor_spec.tree import Tree, is_callable_url, list_at, mappings_at, operations

from .base import Log, leave_out


def record_servers(document: Tree, log: Log) -> None:
    """Record the servers of the document, each variable with its default; leave out the operations
    that its first server does not offer.

    Where the document has none, and all operations have the same, that is the server of the
    document. A relative URL of an operation is joined to that of the document.
    """
    every = [each for each in operations(document) if HOOKS not in list_at(each.tree, "tags")]
    own = [_urls(each.tree) or _urls(each.item) for each in every]
    urls = _urls(document)
    if own and not urls and all(each == own[0] for each in own):
        urls = own[0]
    absolute = [url for url in urls if _is_absolute(url)]
    log.requests.servers = absolute
    if not absolute:
        log.requests.base_path = next((url for url in urls if url), None)
    base = next(iter(absolute or urls), "")
    for operation, of_operation in zip(every, own, strict=True):
        wholes = [_below(base, url) for url in of_operation]
        if wholes and base not in wholes:
            why = (
                f"its server is {wholes[0]}: take its `servers` away by an overlay, and call it by "
                "a client with this base_url"
            )
            leave_out(operation, why, log)


def _urls(tree: Tree) -> list[str]:
    """The URLs of the servers of the document, of a path item or of an operation, without a slash
    at their ends.
    """
    urls: list[str] = []
    for server in list_at(tree, "servers"):
        url = str(server.get("url", ""))
        for name, variable in mappings_at(server, "variables"):
            url = url.replace(f"{{{name}}}", variable.get("default", f"{{{name}}}"))
        urls.append(url.rstrip("/"))
    return urls


def _below(base: str, url: str) -> str:
    """A relative URL below a base URL, an absolute one as it is."""
    return urljoin(f"{base}/", f"{url}/").rstrip("/") if is_callable_url(url) else url


def _is_absolute(url: str) -> bool:
    """Whether a URL names a host that can be called."""
    return url.lower().startswith(("https://", "http://")) and is_callable_url(url)
