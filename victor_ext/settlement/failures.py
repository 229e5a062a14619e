"""What a failed call says of other calls: those of this payment, and those of all payments."""

from enum import Enum, auto

from victor_ext import (
    AuthenticationError,
    BadRequest,
    ConfigurationError,
    Conflict,
    InvalidRequest,
    NotFound,
    Outcome,
    PermissionDenied,
    RateLimited,
    StatusError,
    VictorError,
)


class FailureScope(Enum):
    """Where the cause of a failed call lies."""

    PAYMENT = auto()  # in the values or the key of this payment
    CLIENT = auto()  # in the client, such as its credentials: it can send nothing
    EITHER = auto()  # in the client or in this payment: the response does not tell
    PROVIDER = auto()  # in the provider, or in the connection to it


def failure_scope(error: VictorError) -> FailureScope:
    """Where the cause of an error lies, as far as its type tells."""
    if isinstance(error, BadRequest | Conflict | InvalidRequest):
        return FailureScope.PAYMENT
    if isinstance(error, AuthenticationError | ConfigurationError):
        return FailureScope.CLIENT
    is_rejected = isinstance(error, StatusError) and error.outcome is Outcome.REJECTED
    if is_rejected and not isinstance(error, RateLimited):
        return FailureScope.EITHER
    return FailureScope.PROVIDER


def is_about_all(error: VictorError) -> bool:
    """Whether an error concerns all payments: calls of others would fail, too."""
    return failure_scope(error) in (FailureScope.CLIENT, FailureScope.PROVIDER) and not isinstance(
        error, NotFound
    )


def is_refusal(error: VictorError) -> bool:
    """Whether an error refuses a call for good: the same call would be refused later, too.

    A 401, 403 or 429 is no such refusal.
    """
    if isinstance(error, PermissionDenied) or failure_scope(error) not in (
        FailureScope.PAYMENT,
        FailureScope.EITHER,
    ):
        return False
    return error.outcome in (Outcome.REJECTED, Outcome.NOT_SENT)
