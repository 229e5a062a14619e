"""Each operation of a system has an `Exchange` in the adapter, or a reason why it has none."""

import httpx
import pytest

from tests.contracts.document import Document
from tests.providers.systems import CLIENTS

pytestmark = pytest.mark.slow


class Recorder(httpx.HTTPTransport):
    """Sends each request, and keeps the id of its operation."""

    def __init__(self, document):
        super().__init__()
        self._document = document
        self.called = set()

    def handle_request(self, request):
        operation = self._document.operation_of(request)
        if operation is not None:
            self.called.add(operation.id)
        return super().handle_request(request)


@pytest.fixture(params=CLIENTS)
def system(request):
    return str(request.param)


def test_an_operation_has_an_exchange_or_a_reason_why_it_has_none(system, adapter, sandbox):
    document = Document.of(system)
    recorder = Recorder(document)
    harness = adapter.Harness(sandbox, awaited=False)
    for exchange in (adapter.READ, adapter.WRITE, *adapter.MORE):
        subject = exchange.subject(harness)
        harness(
            lambda client, exchange=exchange, subject=subject: exchange.call(client, subject),
            transport=recorder,
        )
    operations = {operation.id for operation in document.operations}
    without = operations - recorder.called
    file = f"tests/providers/{system}/adapter.py"
    reasons = adapter.WITHOUT
    missing = sorted(without - reasons.keys())
    assert missing == [], f"{file}: write an Exchange in MORE, or a reason in WITHOUT"
    stale = sorted(reasons.keys() - without)
    assert stale == [], f"{file}: WITHOUT names operations that have an Exchange, or are none"
