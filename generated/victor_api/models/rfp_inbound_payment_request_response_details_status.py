# Written by `make generate`; edits are lost. See openapi/README.md.
from ..decoding import OpenStrEnum


class RfpInboundPaymentRequestResponseDetailsStatus(OpenStrEnum):
    ACCEPTED = "Accepted"
    REJECTED = "Rejected"

    def __str__(self) -> str:
        return str(self.value)
