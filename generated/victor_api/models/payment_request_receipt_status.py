# Written by `make generate`; edits are lost. See openapi/README.md.
from ..decoding import OpenStrEnum


class PaymentRequestReceiptStatus(OpenStrEnum):
    ACCEPTED = "accepted"
    COMPLETED = "completed"
    CREATED = "created"
    DECLINED = "declined"
    EXPIRED = "expired"
    FAILED = "failed"
    NEEDS_REVIEW = "needs-review"
    PENDING = "pending"
    PROCESSING = "processing"

    def __str__(self) -> str:
        return str(self.value)
