"""What a provider tells the runtime of itself."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import httpx

from victor_ext.errors import Problem

from .keys import KeyPlace, NoKey

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
"""Methods that change nothing (RFC 9110, 9.2.1), and may be repeated as one likes."""

UNRESTED = "victor_ext.unrested"
"""An extension of a request: whether it may go over a connection that has not rested (see `ConnectionPool`)."""

TRANSIENT_STATUSES = frozenset({408, 425, 500, 502, 503, 504, 520, 521, 522, 523, 524})
"""The provider, or something in front of it, failed: the work may have been done or not."""


def no_problems(_answer: httpx.Response) -> Sequence[Problem]:
    """For a provider whose error bodies have no known shape."""
    return ()


def any_body(_answer: httpx.Response) -> str | None:
    """For a provider whose good answers may be anything."""
    return None


def no_result(_answer: httpx.Response) -> bool:
    """For a provider whose error statuses are errors and nothing else."""
    return False


def no_request(_request: httpx.Request) -> bool:
    """For a provider of whose answers none tells which request it is to."""
    return False


def no_recovery_hint(_request: httpx.Request) -> str:
    """For a provider of whose lists nothing is known."""
    return ""


@dataclass(frozen=True, slots=True)
class Profile:
    """How one provider's API behaves, as far as the attempt loop has to know.

    Attributes:
        name: What messages call it.
        environment: What messages call the environment that is asked.
        key_place: Where the idempotency key goes.
        transient_statuses: Error statuses after which a repeatable call is tried again.
        in_progress: Whether an answer says that the same key is being worked on: wait and ask again.
        may_be_in_progress: Whether an answer leaves that open. It counts where an earlier attempt with the same key may
            have begun the work, and the answer may be about that one.
        resent_redirects: Redirect statuses after which the same method and body go to the new address,
            within the origin only. A safe request follows any redirect within the origin.
        problems: Reads the provider's error shapes.
        unreadable: Says what is wrong with the body of a good answer, or None when it can be read.
        refused: Says in which words a good answer refuses, or None: some providers say no with status 200, and all
            that says so is the body. Only a refusal after which nothing was done belongs here; one that leaves a
            doubt is an `unreadable` answer.
        is_result: Whether an answer with an error status is what the call was made for all the same, such as a payment
            that was declined: it is then read like a good answer, and returned.
        mismatch: Says what a good answer is about when that is something else than the request, or None: such an
            answer proves nothing of the work.
        names_its_subject: Whether the answer to a read is held against the id in its own path, by `mismatch`. Only
            such a read may go over a connection that has not rested, for an earlier request's late answer is noticed.
        may_quote_body: Whether a message may quote the start of an answer's body; not where it may repeat a secret of
            the request. What `problems` reads is shown in any case.
        request_id_headers: Headers that may carry the provider's id of an exchange, the best one first.
        request_id_in_body: Reads that id from a body whose headers carry none.
        authentication_hint: What to check after a 401; ends the error's message.
        recovery_hint: How to find out what became of this write, such as "with payments.find(reference)".
    """

    name: str
    environment: str = ""
    key_place: KeyPlace = field(default_factory=NoKey)
    transient_statuses: frozenset[int] = TRANSIENT_STATUSES
    in_progress: Callable[[httpx.Response], bool] = lambda _answer: False
    may_be_in_progress: Callable[[httpx.Response], bool] = lambda _answer: False
    resent_redirects: frozenset[int] = frozenset()
    problems: Callable[[httpx.Response], Sequence[Problem]] = no_problems
    unreadable: Callable[[httpx.Response], str | None] = any_body
    refused: Callable[[httpx.Response], str | None] = any_body
    is_result: Callable[[httpx.Response], bool] = no_result
    mismatch: Callable[[httpx.Response], str | None] = any_body
    names_its_subject: Callable[[httpx.Request], bool] = no_request
    may_quote_body: Callable[[httpx.Response], bool] = lambda _answer: True
    request_id_headers: tuple[str, ...] = (
        "x-request-id",
        "request-id",
        "x-correlation-id",
        "apigw-requestid",
    )
    request_id_in_body: Callable[[httpx.Response], str | None] = any_body
    authentication_hint: str = "Check the credentials."
    recovery_hint: Callable[[httpx.Request], str] = no_recovery_hint

    @property
    def who(self) -> str:
        """The provider and its environment, for a message."""
        return f"{self.name} ({self.environment})" if self.environment else self.name
