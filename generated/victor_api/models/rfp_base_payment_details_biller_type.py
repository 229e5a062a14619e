# Written by `make generate`; edits are lost. See openapi/README.md.
from ..decoding import OpenStrEnum


class RfpBasePaymentDetailsBillerType(OpenStrEnum):
    BUSINESS = "BUSINESS"
    CONSUMER = "CONSUMER"

    def __str__(self) -> str:
        return str(self.value)
