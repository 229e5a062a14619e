# Written by `make generate`; edits are lost. See openapi/README.md.
from ..decoding import OpenStrEnum


class ListPaymentRequestsNetworkType(OpenStrEnum):
    FEDNOW = "FedNow"
    RTP = "RTP"

    def __str__(self) -> str:
        return str(self.value)
