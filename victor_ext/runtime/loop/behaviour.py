"""What the runtime has to know of a provider."""

from collections.abc import Callable, Sequence

import httpx
from msgspec import field

from victor_ext.errors import Problem
from victor_ext.opaque import FrozenOpaque

from .idempotency_keys import KeyPlace, NoKey
from .table import Operations


class Behaviour(FrozenOpaque, frozen=True):
    """How one provider's API behaves.

    Attributes:
        waits_for_conflicts: Whether a conflict that says nothing more is waited for, as one that
            says "in progress". It always is where an earlier attempt may have begun the work: it
            may be about that attempt.
        resent_redirects: Redirect statuses after which the same method and body go to the new
            address, within the origin only. A safe request follows any redirect within the origin.
        request_id_headers: Headers that may carry the provider's id of an exchange, the best one
            first.
        request_id_in_body: Reads that id from the body of a response whose headers carry none.
        refused_credentials: Statuses that say that the credentials are not accepted. A replaced
            secret is tried after them, and the `authentication_hint` ends their message.
    """

    name: str  # of the provider, in messages
    operations: Operations
    environment: str = ""  # in messages; empty where there is only one
    base_url: httpx.URL | None = (
        None  # set where some requests go to other servers, which messages then name
    )
    key_place: KeyPlace = field(default_factory=NoKey)
    waits_for_conflicts: bool = False
    resent_redirects: frozenset[int] = frozenset()
    # in the provider's error bodies
    problems: Callable[[httpx.Response], Sequence[Problem]] = lambda _response: ()
    request_id_headers: tuple[str, ...] = (
        "x-request-id",
        "request-id",
        "x-correlation-id",
        "apigw-requestid",
    )
    request_id_in_body: Callable[[httpx.Response], str | None] | None = None
    refused_credentials: frozenset[int] = frozenset({401})
    authentication_hint: str = "Check the credentials."  # {host} is that of the request

    def who(self, request: httpx.Request) -> str:
        """The provider, with its environment or the other server that a request went to, for a
        message.
        """
        where = self.environment
        if self.base_url is not None and request.url.netloc != self.base_url.netloc:
            where = f"{request.url.scheme}://{request.url.netloc.decode('ascii')}"
        return f"{self.name} ({where})" if where else self.name
