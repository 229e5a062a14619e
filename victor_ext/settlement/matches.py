"""Which request of the provider's is which payment's."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from victor_ext import PaymentRequest

_ADVICE = "It is not sent again: check it by hand."


@dataclass(frozen=True, slots=True)
class Matches:
    """What a look-up has read: the requests with the payment's reference.

    Attributes:
        requests: The requests.
        caveat: Why an empty result is no proof, in a sentence; or an empty text.
    """

    requests: Sequence[PaymentRequest] = field(repr=False)
    caveat: str = ""


def reference_of(reference: object) -> str:
    """Return a reference, of ours or of a request, as `PaymentRequest.has_reference` compares it; empty: none."""
    return "" if reference is None else str(reference).strip()


def the_one(matches: Matches, could_be: Callable[[PaymentRequest], bool]) -> tuple[PaymentRequest | None, str]:
    """Return a payment's request, or None if it is not certain which it is; and the reason, in words."""
    outbound = [request for request in matches.requests if request.direction != "inbound"]
    same = [request for request in outbound if could_be(request)]
    if len(outbound) == len(same) == 1:
        return same[0], "It was identified by its client_reference_id."
    if not outbound:
        return None, f"No request has its client_reference_id. {_ADVICE} {matches.caveat}".rstrip()
    seen = "One request has" if len(outbound) == 1 else f"{len(outbound)} requests have"
    others = "" if same else ", but other values"
    return None, f"{seen} its client_reference_id{others}. {_ADVICE}"


def contested(request: PaymentRequest) -> str:
    """Say that a request may be another payment's."""
    return f"Request {request.id} has its client_reference_id, but another payment has the same reference. {_ADVICE}"


def is_rival(
    request_id: str, reference: str, *, other_id: str | None, other_reference: object, may_exist: bool
) -> bool:
    """Whether a request may be that of another payment: one request settles one payment.

    A payment is stored as one that may have been sent before it is sent. So whichever has made the request is seen,
    whatever its worker does meanwhile: it has the request's id, or the same reference and is not settled.

    Args:
        request_id: The request's id.
        reference: The reference that was looked for.
        other_id: The id that the other payment is settled with, or None.
        other_reference: The other payment's reference.
        may_exist: Whether the other payment may have been sent and is not settled.
    """
    return other_id == request_id or (may_exist and reference_of(other_reference) == reference_of(reference))
