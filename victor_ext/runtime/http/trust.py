"""Whom a client trusts that was given no `verify`: the authorities of the operating system."""

from __future__ import annotations

import os
import re
import ssl
import sys
from contextlib import suppress
from functools import cache

import httpx

if sys.platform in ("darwin", "win32"):
    from truststore import SSLContext
else:
    from ssl import SSLContext

_BUNDLES = (
    "/etc/ssl/cert.pem",  # Alpine, Arch
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",  # Fedora, RHEL
    "/etc/ssl/certs/ca-certificates.crt",  # Debian, Ubuntu
    "/etc/ssl/ca-bundle.pem",  # SUSE
)
"""Where systems have their authorities, for a Python whose OpenSSL was built on another one."""
_HASHED = re.compile(r"[0-9a-f]{8}\.\d+")


def default_context() -> ssl.SSLContext:
    """The context of all clients in this process. Raises `OSError` where SSL_CERT_FILE cannot be read.

    These variables replace the system's authorities. Where it has none, as a container without ca-certificates, they
    are those of certifi. On macOS and Windows the system verifies. Two threads may each make one, and both are good.
    """
    return _context(os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR"))


@cache
def _context(file: str | None, folder: str | None) -> ssl.SSLContext:
    if file or folder:  # the file alone where both are set, as httpx has it
        return ssl.create_default_context(cafile=file or None, capath=None if file else folder)
    if sys.platform in ("darwin", "win32"):
        return SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    paths = ssl.get_default_verify_paths()  # the variables may be set, and empty: these are OpenSSL's own
    system, is_filled = paths.openssl_capath, False
    with suppress(OSError):
        is_filled = any(map(_HASHED.fullmatch, os.listdir(system)))
    for bundle in (paths.openssl_cafile, *([None] if is_filled else _BUNDLES)):
        with suppress(OSError):  # there is none, or it is empty, or not for this user
            return ssl.create_default_context(cafile=bundle, capath=system if is_filled else None)
    return httpx.create_ssl_context(trust_env=False)  # certifi's
