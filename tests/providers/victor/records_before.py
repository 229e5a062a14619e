"""The fields of Victor's records as they were declared by hand: `test_victor_fields` compares."""

from victor_ext.providers.victor import records
from victor_ext.runtime.client.records import boolean, text

_DETAILS = "payment_request.payment_details"


class PaymentRequest(records.PaymentRequest):
    amount_modification_allowed = boolean(f"{_DETAILS}.amount_modification_allowed")
    notes = text(f"{_DETAILS}.notes")
    client_reference_id = text("client_reference_id")
    parent_id = text("victor_payment_request_parent_id")
    child_id = text("victor_payment_request_child_id")
    error_message = text("error_message")

    def completed_by(self, other: records.PaymentRequest) -> records.PaymentRequest:
        completed = PaymentRequest(self.raw)
        completed._completed_by = other
        return completed
