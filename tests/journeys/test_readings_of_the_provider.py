"""The client under each reading of what no document says: it never asks twice, and what is there is
not called absent.
"""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from tests.providers.victor.adapter import invoice
from victor_ext import NotFound, Outcome, RetryPolicy, Victor, VictorError, zulu
from victor_ext.outbox import Outbox
from victor_ext.sandbox import Sandbox
from victor_ext.testing import Faults

pytestmark = [pytest.mark.pull_request, pytest.mark.hours]
FORGETFUL = ({"key_repeat": "new"}, {"key_conflict": "new"})
"""Providers to which a key means nothing: nobody can keep them from asking twice."""
READINGS: dict[str, tuple[Any, ...]] = {
    "quirks": (False, True),
    "key_repeat": ("current", "409", "new"),
    "key_conflict": ("400", "422", "replay", "new"),
    "key_life": (2,),
    "key_in_progress": (2,),
    "unknown_id": ("404",),
    "max_page_size": (2,),
    "first_page": ("1",),
    "page_beyond": ("last", "400", "404"),
    "list_lag": (2,),
    "window_ends": ("start", "end", "neither"),
    "clock_skew": (2,),
    "date_header": (False,),
    "keep_alive": (0,),
}
"""The options of the sandbox that play a reading, and their values."""
PROVIDERS = [{name: value} for name, values in READINGS.items() for value in values]
TEXTS = {"notes": " Rechnung № 7 ", "client_reference_id": "INV-1042/ä№"}


@pytest.mark.parametrize(
    "provider",
    [
        pytest.param(each, marks=pytest.mark.victor_sandbox(**each), id=str(each)[1:-1])
        for each in PROVIDERS
    ],
)
def test_a_lost_response_is_never_a_second_request_nor_an_absent_one(
    provider: dict[str, Any], victor: Victor, victor_sandbox: Sandbox, faults: Faults
) -> None:
    asked = invoice(**TEXTS)
    faults.lose_answer(operation="create")
    outcomes = set[Outcome | None]()
    made = set[str]()
    for amount in ("44.23", "44.23", "45.00"):
        try:
            made.add(victor.payment_requests.create(**{**asked, "amount": amount}).id)
        except VictorError as error:
            outcomes.add(error.outcome)
    requests = victor_sandbox.requests()
    assert len(requests) == 1 or provider in FORGETFUL
    assert outcomes <= {Outcome.UNKNOWN, Outcome.ACCEPTED}
    victor_sandbox.advance(5)  # whatever lags has come
    first, last = (zulu.from_epoch(requests[index]["created_at"]) for index in (0, -1))
    try:
        found = victor.payment_requests.find(
            asked["client_reference_id"], start_datetime=first, end_datetime=last
        )
        listed = {
            each.id for size in (1, None) for each in victor.payment_requests.list(page_size=size)
        }
    except VictorError:
        assert "page_beyond" in provider
        return
    assert made <= listed == {each["id"] for each in requests}
    assert {each.id for each in found} == listed
    with pytest.raises(NotFound):
        victor.payment_requests.get("RFP0000000")


@pytest.fixture
def outbox(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Outbox]:
    """An outbox with one invoice, and the options of the test."""
    engine = sa.create_engine(f"sqlite:///{tmp_path / 'outbox'}")
    made = Outbox(engine, **getattr(request, "param", {}))
    made.create_table()
    with engine.begin() as connection:
        made.add(connection, **invoice())
    yield made
    engine.dispose()


def end_leases(outbox: Outbox) -> None:
    with outbox._engine.begin() as connection:
        connection.execute(sa.update(outbox.table).values(leased_until=0.0))


@pytest.mark.victor_sandbox(list_lag=40, key_repeat="409")
def test_an_outbox_waits_for_a_list_that_lags(
    outbox: Outbox, victor: Victor, victor_sandbox: Sandbox, faults: Faults
) -> None:
    faults.lose_answer(operation="create")
    for _ in range(2):
        assert [outbox.send(victor), outbox.entries()[0].state] == [[], "settling"]
        end_leases(outbox)
    victor_sandbox.advance(40)
    assert [entry.request_id for entry in outbox.send(victor)] == [
        each["id"] for each in victor_sandbox.requests()
    ]
    assert victor_sandbox.work_done_by_key() == {invoice()["idempotency_key"]: 1}


@pytest.mark.victor_sandbox(list_lag=40, key_repeat="409")
@pytest.mark.parametrize("attempts", [2, 1])
@pytest.mark.parametrize("outbox", [{"settle_for": timedelta(0)}], indirect=True, ids=["at once"])
def test_an_older_request_that_is_like_an_entry_is_not_taken_for_it(
    outbox: Outbox, victor: Victor, victor_sandbox: Sandbox, faults: Faults, attempts: int
) -> None:
    """It has the reference and the values, and while the list lags it alone is listed."""
    victor_sandbox.set_clock_skew(-60)
    older = victor.payment_requests.create(
        **{**invoice(), "idempotency_key": "a-key-of-another-program"}
    )
    victor_sandbox.set_clock_skew(0)
    victor.ping()  # with the Date of today
    faults.lose_answer(operation="create")
    once = victor.with_options(retry=RetryPolicy(max_attempts=attempts))
    while not (entries := outbox.send(once)):
        end_leases(outbox)
    assert [(entry.state, entry.request_id) for entry in entries] == [("unclear", None)]
    assert f"{older.id} has what was sent, but was made earlier" in (entries[0].error or "")
