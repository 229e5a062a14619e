"""Whom a client trusts: the TLS context of its `verify`, and the default one, which trusts the
authorities of the operating system.
"""

import os
import re
import ssl
import sys
from contextlib import suppress
from functools import cache

import httpx

from victor_ext.errors import ConfigurationError
from victor_ext.runtime.core.validation import shown

from .hosts import is_this_machine

if sys.platform in ("darwin", "win32"):
    from truststore import SSLContext
else:
    from ssl import SSLContext

Verify = ssl.SSLContext | str | os.PathLike[str] | bool
"""Whom a client trusts: a context, the path of a CA bundle, or whether it verifies at all."""


def tls_context_for(verify: Verify, url: httpx.URL, name: str) -> ssl.SSLContext:
    """The TLS context for a host, by `verify`, which messages call by this name.

    Raises `ConfigurationError` where `verify` turns verification off for another machine, or is a
    path that cannot be read; and `OSError` where the authorities that the environment names cannot
    be read.
    """
    # Without `verify_mode`, there is no `check_hostname` either.
    is_on = verify.check_hostname if isinstance(verify, ssl.SSLContext) else bool(verify)
    if not is_on and not is_this_machine(url.host):
        raise ConfigurationError(
            f"{name}={shown(verify)} would accept anybody as {url.host}: pass the path of a CA "
            "bundle that holds the certificate you want to trust, or an ssl.SSLContext with "
            "verify_mode and check_hostname as in ssl.create_default_context()."
        )
    if isinstance(verify, ssl.SSLContext):
        return verify
    if not is_on:
        return httpx.create_ssl_context(verify=False)
    if isinstance(verify, bool):
        return default_context()
    _require_key_log()
    try:
        return ssl.create_default_context(cafile=verify)
    except (OSError, TypeError, ValueError) as error:
        why = getattr(error, "strerror", None) or type(error).__name__
    raise ConfigurationError(
        f"{name}={shown(verify, 200)} is not the path of a CA bundle that can be read ({why})."
    )


def _require_key_log() -> None:
    """Raise `ConfigurationError` where SSLKEYLOGFILE names a file that cannot be opened: the error
    of `ssl` would read as if a certificate could not be.
    """
    path = os.environ.get("SSLKEYLOGFILE")
    if not path or sys.flags.ignore_environment:
        return
    try:
        with open(path, "ab"):
            return
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or "it is not a path"
    raise ConfigurationError(
        f"SSLKEYLOGFILE={shown(path, 200)} cannot be opened for writing ({why}). The keys of TLS "
        "connections would go there: name another file, or unset it."
    )


_BUNDLES = (
    "/etc/ssl/cert.pem",  # Alpine, Arch
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",  # Fedora, RHEL
    "/etc/ssl/certs/ca-certificates.crt",  # Debian, Ubuntu
    "/etc/ssl/ca-bundle.pem",  # SUSE
)
"""Where systems have their authorities, for a Python whose OpenSSL was built on another system."""
_CERTIFICATE_LINK = re.compile(r"[0-9a-f]{8}\.\d+")
"""The name of a certificate in a folder of OpenSSL's: the hash of its subject, and a number."""


def default_context() -> ssl.SSLContext:
    """The TLS context that all clients in this process share.

    It trusts the authorities of the system, or those that SSL_CERT_FILE or SSL_CERT_DIR names;
    where the system has none, as a container without ca-certificates, those of certifi. On macOS
    and Windows the system itself verifies. Two threads may each make a context, and both are good.
    Raises `OSError` where SSL_CERT_FILE cannot be read.
    """
    names = ("SSL_CERT_FILE", "SSL_CERT_DIR", "SSLKEYLOGFILE")
    return _cached_context(*map(os.environ.get, names))


@cache
def _cached_context(file: str | None, folder: str | None, _key_log: str | None) -> ssl.SSLContext:
    """See `default_context`. The arguments are the values of its variables: with another value,
    there is another context.
    """
    if sys.platform not in ("darwin", "win32") or file or folder:
        _require_key_log()
    if file or folder:  # the file alone where both are set, as httpx has it
        return ssl.create_default_context(cafile=file or None, capath=None if file else folder)
    if sys.platform in ("darwin", "win32"):
        return SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    # the variables may be set, and empty: these are OpenSSL's own
    paths = ssl.get_default_verify_paths()
    system = paths.openssl_capath
    is_filled = False
    with suppress(OSError):
        is_filled = any(map(_CERTIFICATE_LINK.fullmatch, os.listdir(system)))
    for bundle in (paths.openssl_cafile, *([None] if is_filled else _BUNDLES)):
        with suppress(OSError):  # there is none, or it is empty, or not for this user
            return ssl.create_default_context(cafile=bundle, capath=system if is_filled else None)
    return httpx.create_ssl_context(trust_env=False)  # certifi's
