"""Hosts: which are this machine, and which can be connected to."""

import re
from ipaddress import IPv4Address, IPv6Address, ip_address

import httpx

_LARGEST_PORT = 65535
_NAME = re.compile(r"(?=.{1,253}\Z)[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63})*")
"""A host name (RFC 1035, 2.3.4; underscores are allowed, for internal names), without a final dot.
"""


def is_this_machine(host: str) -> bool:
    """Whether a host name or address means the loopback interface (RFC 6761 for `localhost`)."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    address = ip_address_in(host.strip("[]"))
    return address is not None and address.is_loopback


def has_host(url: httpx.URL) -> bool:
    """Whether a URL has a host that DNS and TLS accept, and a port that a socket can have."""
    name = url.raw_host.decode("ascii")
    if url.port is not None and not 1 <= url.port <= _LARGEST_PORT:
        return False
    if ":" in name:
        return "%" not in name and ip_address_in(name) is not None
    try:
        readable = bool(url.host)  # a name in Punycode is decoded here
    except UnicodeError:
        return False
    return readable and _NAME.fullmatch(name.removesuffix(".")) is not None


def ip_address_in(text: str) -> IPv4Address | IPv6Address | None:
    """The IP address that a text is, or None."""
    try:
        return ip_address(text)
    except ValueError:
        return None
