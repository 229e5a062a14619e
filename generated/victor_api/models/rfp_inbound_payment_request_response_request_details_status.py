# Written by `make generate`; edits are lost. See openapi/README.md.
from ..decoding import OpenStrEnum


class RfpInboundPaymentRequestResponseRequestDetailsStatus(OpenStrEnum):
    ACCEPTED = "Accepted"
    DECLINED = "Declined"

    def __str__(self) -> str:
        return str(self.value)
