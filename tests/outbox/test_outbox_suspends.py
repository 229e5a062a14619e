"""An entry whose worker slept on the way to the provider is not sent by the decision of before: the
next pass decides anew, by a clock that shows how long it slept.
"""

from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest
import sqlalchemy as sa
from cryptography import x509

from tests.faults.certificates import Authority
from tests.faults.raw_provider import CREATE, RESPOND, RawProvider
from tests.faults.raw_sockets import Background
from tests.outbox.kinds import Box
from tests.providers.running import ONCE
from tests.providers.victor.adapter import invoice
from tests.suspends import STAGES, Machine, machine
from victor_ext import AsyncVictor, DeadlineExceeded, Victor, VictorOAuth
from victor_ext.outbox import sending
from victor_ext.settlement.key_age import send_in_time

__all__ = ["machine"]
pytestmark = pytest.mark.slow


@pytest.fixture
def secured(background: Background, authority: Authority) -> Iterator[RawProvider]:
    with closing(RawProvider(background, tls=authority.server(x509.DNSName("localhost")))) as made:
        yield made


@pytest.fixture
def box(kind: str, engine: sa.Engine, secured: RawProvider, authority: Authority) -> Box:
    url = secured.url().replace("127.0.0.1", "localhost")
    options: dict[str, Any] = {"base_url": url, "verify": authority.trusted(), "retry": ONCE}
    auth = VictorOAuth("id", "not-a-secret")
    return Box(kind, engine, lambda awaited: (AsyncVictor if awaited else Victor)(auth, **options))


def add(box: Box, path: str) -> None:
    """With a key, and without one."""
    if path == CREATE:
        box.add(**invoice())
    else:
        box.add_call("payment_requests.accept", "R1", notes="Thanks.", idempotency_key="1" * 20)


@pytest.mark.parametrize("path", [CREATE, RESPOND])
@pytest.mark.parametrize("stage", STAGES)
def test_an_entry_whose_worker_slept_is_sent_by_a_new_decision(
    machine: Machine, secured: RawProvider, box: Box, path: str, stage: str
) -> None:
    add(box, path)
    machine.will_sleep(stage, 61.0, path)
    with pytest.raises(DeadlineExceeded, match="slept for 61 s"):
        box.send()
    assert machine.naps == [stage]
    assert secured.record.sent_to(path) == []
    assert box.states() == ["waiting"]
    box.send()
    assert (len(secured.record.sent_to(path)), box.states()) == (1, ["sent"])


@pytest.mark.parametrize("path", [CREATE, RESPOND])
def test_an_entry_whose_worker_was_stopped_after_the_decision_waits_for_the_next_pass(
    machine: Machine,
    secured: RawProvider,
    box: Box,
    path: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """No deadline begins anew: the decision holds from its own moment on."""
    add(box, path)

    def stop(*args: Any) -> Any:
        monkeypatch.setattr(sending, "send_in_time", send_in_time)
        machine.asleep += 61.0
        return send_in_time(*args)

    monkeypatch.setattr(sending, "send_in_time", stop)
    assert box.send() == []
    assert (secured.record.sent_to(path), box.states()) == ([], ["waiting"])
    box.send()
    assert (len(secured.record.sent_to(path)), box.states()) == (1, ["sent"])
