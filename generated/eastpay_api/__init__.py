# Written by `make generate`; edits are lost. See openapi/README.md.
"""A client library for accessing EastPay payment gateway"""

from .client import AuthenticatedClient, Client

__all__ = ("AuthenticatedClient", "Client")
