"""Rows whose worker slept on the way to the provider are not sent by the decision of before: the
next try decides anew.
"""

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from functools import partial
from typing import Any

import pytest
from cryptography import x509

from tests.bulk.bulk_runs import Senders, referenced
from tests.bulk.test_bulk_payouts import calls
from tests.bulk.test_bulk_payouts import rows as payments
from tests.faults.certificates import Authority
from tests.faults.raw_provider import CREATE, RawProvider
from tests.faults.raw_sockets import Background
from tests.suspends import STAGES, Machine, machine
from victor_ext import RetryPolicy, Victor, VictorOAuth
from victor_ext.outbox import sending
from victor_ext.providers.velo import Velo, VeloAuth
from victor_ext.sandbox.velo import VeloSandbox, VeloSettings
from victor_ext.settlement.key_age import send_in_time

__all__ = ["machine"]
pytestmark = pytest.mark.slow
ONCE = RetryPolicy(max_attempts=1)


class Provider:
    """A provider, a client of it, and the rows that are sent there.

    `calls` are the writes that it has seen, and `options` those of a sender.
    """

    def __init__(
        self, client: Any, path: str, rows: Any, calls: Callable[[], int], **options: Any
    ) -> None:
        self.client, self.path, self.rows, self.calls = client, path, rows, calls
        self.options = options


@contextmanager
def keyed(background: Background, authority: Authority) -> Iterator[Provider]:
    """Of payment requests, over TLS: each has a key."""
    with closing(RawProvider(background, tls=authority.server(x509.DNSName("localhost")))) as raw:
        url = raw.url().replace("127.0.0.1", "localhost")
        auth = VictorOAuth("id", "not-a-secret")

        def seen() -> int:
            return len(raw.record.sent_to(CREATE))

        with Victor(auth, base_url=url, verify=authority.trusted(), retry=ONCE) as client:
            yield Provider(client, CREATE, referenced(1), seen, key_column="invoice_no")


@contextmanager
def keyless(_background: Background, _authority: Authority) -> Iterator[Provider]:
    """Of payouts, which take no key."""
    with VeloSandbox(VeloSettings(seed=1, validation=0.0)) as sandbox:
        sandbox.add_source_account("USD account", "USD", 10**9)
        sandbox.add_payee("payee-7")
        url = sandbox.url.replace("127.0.0.1", "localhost")
        auth = VeloAuth(*sandbox.add_key())
        with Velo(auth, base_url=url, retry=ONCE) as client:
            submits = partial(calls, sandbox, "submit")
            yield Provider(client, "/payouts", payments(1), submits, payor_id=sandbox.payor_id)


@pytest.fixture(params=[keyed, keyless])
def provider(
    request: pytest.FixtureRequest, background: Background, authority: Authority
) -> Iterator[Provider]:
    with request.param(background, authority) as made:
        yield made


@pytest.fixture
def client(provider: Provider) -> Any:
    return provider.client


@pytest.fixture
def sender_options(provider: Provider) -> dict[str, Any]:
    return provider.options


@pytest.mark.parametrize("stage", STAGES)
def test_rows_whose_worker_slept_are_sent_by_a_new_decision(
    machine: Machine, provider: Provider, sender: Senders, stage: str
) -> None:
    if stage == "tls" and provider.path != CREATE:
        pytest.skip("the sandbox speaks plain http")
    machine.will_sleep(stage, 61.0, provider.path)
    assert sender().send(provider.rows).counts == {"not_sent": 1}
    assert (machine.naps, provider.calls()) == ([stage], 0)
    sender.finish()
    assert provider.calls() == 1


@pytest.mark.parametrize("stopped", [59.0, 61.0])
def test_rows_whose_worker_was_stopped_after_the_decision_are_not_sent(
    machine: Machine,
    provider: Provider,
    sender: Senders,
    monkeypatch: pytest.MonkeyPatch,
    stopped: float,
) -> None:
    """The decision holds for as long as a call takes, from its own moment on."""

    stops: list[float] = []

    def stop(*args: Any) -> Any:
        if not stops:
            stops.append(stopped)
            machine.asleep += stopped
        return send_in_time(*args)

    monkeypatch.setattr(sending, "send_in_time", stop)
    is_late = stopped > 60
    assert sender().send(provider.rows).counts == {"not_sent" if is_late else "created": 1}
    assert provider.calls() == int(not is_late)
