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


def is_taken(error: VictorError | None) -> bool:
    """Whether the end of a call shows that the provider takes calls of this client, whatever it
    says of the payment. None: the call was done.
    """
    if error is None:
        return True
    is_of_payment = failure_scope(error) is FailureScope.PAYMENT
    return is_of_payment and not isinstance(error, InvalidRequest)


_MOST_REFUSED = 10


class RefusalStreak:
    """The payments that were refused one after the other, maybe for the client and not for the
    payment: a 404 may come from a wrong address.

    Ten of them mean the client: nothing more is sent, and they wait. A call that the provider takes
    ends the streak, and shows that each was refused for itself.

    Attributes:
        is_of_client: Whether there were ten, and the provider has taken no call since.
    """

    def __init__(self) -> None:
        self._keys: set[str] = set()
        self.is_of_client = False

    def __contains__(self, key: str) -> bool:
        return key in self._keys

    def restart(self) -> None:
        """After ten, let ten more be tried: the client may have been corrected."""
        if self.is_of_client:
            self._keys = set()

    def note(self, key: str, error: VictorError | None) -> bool:
        """Note the end of the call of a payment. Returns whether nothing more is to be sent."""
        if is_taken(error):
            # Replaced, not cleared: another thread may be reading it.
            self._keys = set()
            self.is_of_client = False
        elif error is not None and failure_scope(error) is FailureScope.EITHER:
            self._keys.add(key)
            if len(self._keys) >= _MOST_REFUSED:
                self.is_of_client = True
                return True
        return False
