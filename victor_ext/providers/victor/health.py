"""`ping`: a signed read that tells whether calls can be made."""

from __future__ import annotations

from dataclasses import dataclass

from victor_ext.response_info import ResponseInfo
from victor_ext.runtime.client.resources import Mode, Resource, operation
from victor_ext.runtime.client.runners import Call, OperationFlow

from .generated import models

_LIST = "victor_api.api.payment_requests.list_payment_requests"


@dataclass(frozen=True, slots=True)
class Ping:
    """What a signed read has told. That there is one says that the provider accepts the credentials.

    Attributes:
        seconds: How long the whole call took, with all attempts, and with the request for a token if there was one.
        clock_offset: Seconds by which the provider's clock is ahead of this machine's (negative: behind); 0.0 within
            two seconds. None: the provider does not tell its time.
        response_info: Status, headers, request id and attempts of the response.
    """

    seconds: float
    clock_offset: float | None
    response_info: ResponseInfo


class Health(Resource[Mode]):
    """Whether calls of one client can be made."""

    @operation
    def ping(self) -> OperationFlow[Ping]:
        """Read one payment request of the list. It changes nothing."""
        began = self.clock.monotonic()
        step = Call(
            _LIST, {"page": 0, "page_size": 1}, lambda found: models.ListPaymentRequestsResponse.from_dict(found.json())
        )
        yield step
        assert step.info is not None
        offset = self.clock.skew if self.clock.provider_time().is_known else None
        return Ping(self.clock.monotonic() - began, offset, step.info)
