"""The events of a client's calls, for `on_event`.

They hold no body, no token and no header. A listener runs in the thread or task of the call: keep
it short.
"""

from dataclasses import dataclass

from victor_ext.errors import Outcome


@dataclass(frozen=True, slots=True, kw_only=True, init=False, eq=False, repr=False)
class CallEvent:
    """What each event says of its call.

    Attributes:
        call_id: The same text in all events of one call, and in no other call's.
        operation: The name of the generated operation, such as `get_payment_request`; None for a
            request that no generated operation made.
        method: The HTTP method.
        path_template: The path as the provider's document has it, such as
            `/v2/payment-requests/{id}`; None where `operation` is None. With `operation` it is what
            to use as a label: neither ever holds an id.
        path: The path that is requested. It may hold the id of a payment: do not use it as a label.
        server_address: The host that is asked: a name, or an IP address.
        server_port: Its port, such as 443.
        idempotency_key: The key of the call, or None.
    """

    call_id: str
    operation: str | None
    method: str
    path_template: str | None
    path: str
    server_address: str
    server_port: int
    idempotency_key: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CallStarted(CallEvent):
    """A call begins. It may have to wait for its turn, or for a token, before it is sent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptStarted(CallEvent):
    """A request is about to be sent.

    Attributes:
        attempt: The number of the attempt, from 1.
        for_token: Whether it asks for a token. `method`, both paths and the server are then those
            of that request, and `attempt` is the number of attempts before it.
    """

    attempt: int
    for_token: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptEnded(CallEvent):
    """A request has a response, or has failed.

    Attributes:
        attempt: As in `AttemptStarted`; so is `for_token`.
        status_code: The status of the response, or None without a response.
        error: The kind of failure without a response, such as `ReadTimeout`; else None.
        seconds: How long the attempt took. What is left of it without the next two was spent on the
            wire, and waiting for the provider.
        waited: Seconds of it that it waited for a free connection of the pool. None with a
            transport of the caller's.
        connecting: Seconds of it that it took to open a connection, with name resolution and TLS;
            0.0 on a kept connection. None with a transport of the caller's.
    """

    attempt: int
    status_code: int | None
    error: str | None
    seconds: float
    waited: float | None = None
    connecting: float | None = None
    for_token: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryScheduled(CallEvent):
    """The call will be repeated.

    Attributes:
        attempt: The number of the attempt to come.
        wait: Seconds until then.
        reason: Why the last attempt does not count, in words.
        quota: What is left of the client's retry quota (see `RetryPolicy`).
    """

    attempt: int
    wait: float
    reason: str
    quota: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CallEnded(CallEvent):
    """The whole call has ended.

    Attributes:
        attempts: How many times the call was sent.
        status_code: The status of the last response, or None.
        error: The class of the error, such as `BadRequest`, or None if the call succeeded.
            `Interrupted` for a cancelled task or a Ctrl-C.
        outcome: The outcome of the error, or None if the call succeeded.
        seconds: How long the whole call took, with all waits.
        request_id: The provider's id of the last exchange, or None.
        quota: What is left of the client's retry quota.
    """

    attempts: int
    status_code: int | None
    error: str | None
    outcome: Outcome | None
    seconds: float
    request_id: str | None
    quota: int


Event = CallStarted | AttemptStarted | AttemptEnded | RetryScheduled | CallEnded

CLASSES: dict[str, type[Event]] = {
    kind.__name__: kind
    for kind in (CallStarted, AttemptStarted, AttemptEnded, RetryScheduled, CallEnded)
}
"""The classes of events, by their names."""
