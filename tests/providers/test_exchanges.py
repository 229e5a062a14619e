"""Each operation of a system has an `Exchange` in the adapter, or a reason why it has none."""

import httpx
import pytest

from tests.contracts.document import Document
from tests.providers.running import forwarded
from tests.providers.systems import CLIENTS

pytestmark = pytest.mark.slow


@pytest.fixture(params=CLIENTS)
def system(request):
    return str(request.param)


def test_an_operation_has_an_exchange_or_a_reason_why_it_has_none(system, adapter, sandbox):
    document = Document.of(system)
    harness = adapter.Harness(sandbox, awaited=False)
    called = set()

    def noted(request):
        called.add(document.operation_of(request))
        return forwarded(request)

    for exchange in (adapter.READ, adapter.WRITE, *adapter.MORE):
        subject = exchange.subject(harness)
        harness(
            lambda client, exchange=exchange, subject=subject: exchange.call(client, subject),
            transport=httpx.MockTransport(noted),
        )
    without = {operation.id for operation in document.operations if operation not in called}
    file = f"tests/providers/{system}/adapter.py"
    reasons = adapter.WITHOUT
    missing = sorted(without - reasons.keys())
    assert missing == [], f"{file}: write an Exchange in MORE, or a reason in WITHOUT"
    stale = sorted(reasons.keys() - without)
    assert stale == [], f"{file}: WITHOUT names operations that have an Exchange, or are none"
