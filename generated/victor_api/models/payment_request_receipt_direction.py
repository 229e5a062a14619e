# Written by `make generate`; edits are lost. See openapi/README.md.
from ..decoding import OpenStrEnum


class PaymentRequestReceiptDirection(OpenStrEnum):
    INBOUND = "inbound"
    OUTBOUND = "outbound"

    def __str__(self) -> str:
        return str(self.value)
