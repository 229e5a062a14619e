"""What the runtime has to know of a provider."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeAlias

import httpx

from victor_ext.errors import Problem
from victor_ext.runtime.core.response import Response
from victor_ext.runtime.loop.idempotency_keys import KeyPlace, NoKey

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
"""Methods that change nothing (RFC 9110, 9.2.1) and may always be repeated."""

READER = "victor_ext.reader"
"""The extension of a request with the `Reader` of its response. Only generated operations set it."""

TRANSIENT_STATUSES = frozenset({408, 425, 500, 502, 503, 504, 520, 521, 522, 523, 524})
"""The provider, or a server in front of it, failed. The work may have been done."""


Declared: TypeAlias = Any
"""What a document declares of an operation: an object of the generated class `Operation`, which each package has."""


class Reader(Protocol):
    """Reads the response to one request with the parser that was generated for the operation."""

    declared: Declared
    """The operation."""
    document: Sequence[Declared]
    """All operations of its document."""

    def is_evidence(self, response: httpx.Response) -> bool:
        """Whether a body, or the beginning of one, has a member that the document declares for a good response.

        The member has a value that the document allows there. Anybody's JSON (a login page's, a proxy's) has none.
        """
        ...

    def is_of_error(self, response: Response) -> bool:
        """Whether the document declares the class of what was read for an error status, too."""
        ...

    def __call__(self, response: Response) -> str | None:
        """Why the response cannot be read, or None. What was read is kept as `response.parsed`."""
        ...


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Profile:
    """How one provider's API behaves: everything that the attempt loop has to know of it.

    Attributes:
        name: What messages call the provider.
        environment: What messages call the environment; empty where there is only one.
        key_place: Where the idempotency key goes.
        transient_statuses: Error statuses after which a repeatable call is tried again.
        waits_for_conflicts: Whether a conflict that says nothing more is waited for, as one that says "in progress". It
            always is where an earlier attempt may have begun the work: it may be about that attempt.
        resent_redirects: Redirect statuses after which the same method and body go to the new address, within the
            origin only. A safe request follows any redirect within the origin.
        problems: Reads the provider's error bodies.
        unreadable: What is wrong with the body of a response with a good status, or None when it can be read.
        rejection_reason: The provider's words for a rejection with a good status, or None. Only a rejection after
            which nothing was done belongs here; a response that leaves a doubt is `unreadable`.
        is_result: Whether a response with an error status is a result of the call all the same, such as a payment that
            was declined: it is then read and returned like a good response. None: no such response is.
        is_unknown_id: Whether a 400 or 422 says that there is nothing with the id that was asked for: `NotFound`.
        mismatch: What a good response is about when that is something else than the request, or None. Such a response
            proves nothing about the work.
        may_list_errors: Whether a good response to a write may have something in `error` or `errors`: the reasons of a
            decision, or what its document declares. No other one is a success.
        is_read_by_id: Whether a request reads what the id in its path names.
        names_its_subject: Whether a good response to a read by id names that id. Over a connection that has just been
            used, no other response is believed: it may be a late second response to an earlier request.
        may_quote_body: Whether a message may quote the start of a response's body. Return False where the body may
            repeat a secret of the request. What `problems` reads is shown in any case.
        request_id_headers: Headers that may carry the provider's id of an exchange, the best one first.
        request_id_in_body: Reads that id from the body of a response whose headers carry none; None where no body has
            it.
        authentication_hint: What to check after a 401; ends the error's message.
        recovery_hint: How to find out whether a write was done, such as "with payments.find(reference)".
    """

    name: str
    environment: str = ""
    key_place: KeyPlace = field(default_factory=NoKey)
    transient_statuses: frozenset[int] = TRANSIENT_STATUSES
    waits_for_conflicts: bool = False
    resent_redirects: frozenset[int] = frozenset()
    problems: Callable[[httpx.Response], Sequence[Problem]] = lambda _response: ()
    unreadable: Callable[[httpx.Response], str | None] = lambda _response: None
    rejection_reason: Callable[[httpx.Response], str | None] = lambda _response: None
    is_result: Callable[[httpx.Response], bool] | None = None
    is_unknown_id: Callable[[httpx.Response], bool] = lambda _response: False
    mismatch: Callable[[httpx.Response], str | None] = lambda _response: None
    may_list_errors: Callable[[httpx.Response], bool] = lambda _response: False
    is_read_by_id: Callable[[httpx.Request], bool] = lambda _request: False
    names_its_subject: Callable[[httpx.Response], bool] = lambda _response: False
    may_quote_body: Callable[[httpx.Response], bool] = lambda _response: True
    request_id_headers: tuple[str, ...] = ("x-request-id", "request-id", "x-correlation-id", "apigw-requestid")
    request_id_in_body: Callable[[httpx.Response], str | None] | None = None
    authentication_hint: str = "Check the credentials."
    recovery_hint: Callable[[httpx.Request], str] = lambda _request: ""

    @property
    def who(self) -> str:
        """The provider with its environment, for a message."""
        return f"{self.name} ({self.environment})" if self.environment else self.name
