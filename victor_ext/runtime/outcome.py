"""What is known of a call that did not end in an answer."""

from __future__ import annotations

from enum import StrEnum


class Outcome(StrEnum):
    """What a failed call did at the provider, as far as this side can know.

    The order of the members is the order of certainty that something happened: over several attempts
    of one call the strongest one counts, so a refusal that follows a lost answer stays `UNKNOWN`.
    """

    NOT_SENT = "not_sent"
    """Nothing left this machine. Repeat as you like."""

    REJECTED = "rejected"
    """The provider refused. Nothing was created."""

    UNKNOWN = "unknown"
    """It may have happened. Repeat it with the same idempotency key, or look."""

    ACCEPTED = "accepted"
    """It happened, and the answer could not be read. The raw body is on the error."""

    def combined_with(self, other: Outcome) -> Outcome:
        """The stronger of two outcomes of the same call."""
        return self if _STRENGTH[self] >= _STRENGTH[other] else other


_STRENGTH = {outcome: strength for strength, outcome in enumerate(Outcome)}
