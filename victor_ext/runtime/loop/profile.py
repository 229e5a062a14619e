"""What the runtime has to know of a provider."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import httpx

from victor_ext.errors import Problem
from victor_ext.runtime.core.response import OPERATION

from .evidence import SAFE_METHODS
from .idempotency_keys import KeyPlace, NoKey
from .operations import Effect, Operation, Operations

TRANSIENT_STATUSES = frozenset({408, 425, 500, 502, 503, 504, 520, 521, 522, 523, 524})
"""The provider, or a server in front of it, failed. The work may have been done."""


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Profile:
    """How one provider's API behaves: everything that the attempt loop has to know of it.

    Attributes:
        name: What messages call the provider.
        environment: What messages call the environment; empty where there is only one.
        key_place: Where the idempotency key goes.
        operations: The table of the system's operations. None: the functions below say what is in its rows.
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
        mismatch: What a good response is about when that is something else than the request, or None. Such a response
            proves nothing about the work.
        may_list_errors: Whether a good response to a write may have something in `error` or `errors`: the reasons of a
            decision, or what its document declares. No other one is a success.
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
    operations: Operations | None = None
    transient_statuses: frozenset[int] = TRANSIENT_STATUSES
    waits_for_conflicts: bool = False
    resent_redirects: frozenset[int] = frozenset()
    problems: Callable[[httpx.Response], Sequence[Problem]] = lambda _response: ()
    unreadable: Callable[[httpx.Response], str | None] = lambda _response: None
    rejection_reason: Callable[[httpx.Response], str | None] = lambda _response: None
    is_result: Callable[[httpx.Response], bool] | None = None
    mismatch: Callable[[httpx.Response], str | None] = lambda _response: None
    may_list_errors: Callable[[httpx.Response], bool] = lambda _response: False
    may_quote_body: Callable[[httpx.Response], bool] = lambda _response: True
    request_id_headers: tuple[str, ...] = ("x-request-id", "request-id", "x-correlation-id", "apigw-requestid")
    request_id_in_body: Callable[[httpx.Response], str | None] | None = None
    authentication_hint: str = "Check the credentials."
    recovery_hint: Callable[[httpx.Request], str] = lambda _request: ""

    def operation_of(self, request: httpx.Request) -> Operation:
        """What the system's table says of a request: its row, found once for each call."""
        row: Operation | None = request.extensions.get(OPERATION)
        return self.row_of(request) if row is None else row

    def row_of(self, request: httpx.Request) -> Operation:
        """Find the row of a request."""
        if self.operations is not None:
            return self.operations.of(request)
        return Operation(
            effect=Effect.READS if request.method in SAFE_METHODS else Effect.MOVES_MONEY,
            key=None,
            evidence=lambda response, _problems: self.unreadable(response),
            id=self.mismatch,
            look_up=self.recovery_hint,
            results=self.is_result,
            refuses=self.rejection_reason,
            may_list_errors=self.may_list_errors,
            shown=self.may_quote_body,
        )

    @property
    def who(self) -> str:
        """The provider with its environment, for a message."""
        return f"{self.name} ({self.environment})" if self.environment else self.name
