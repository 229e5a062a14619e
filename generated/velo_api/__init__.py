# Written by `make generate`; edits are lost. See openapi/README.md.
"""A client library for accessing Velo Payments, the part that this project wraps"""

from .client import AuthenticatedClient, Client

__all__ = ("AuthenticatedClient", "Client")
