# Written by `make generate`; edits are lost. See openapi/README.md.
"""A client library for accessing FlexFactor (formerly FlexCharge)"""

from .client import AuthenticatedClient, Client

__all__ = ("AuthenticatedClient", "Client")
