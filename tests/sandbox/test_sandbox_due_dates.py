"""Due dates by the days of one zone: what the provider may mean, and the client cannot know."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from types import SimpleNamespace

import pytest

from tests.sandbox.sandbox_callers import KEY
from victor_ext import BadRequest, Outcome, Victor
from victor_ext.sandbox import Sandbox, SandboxSettings
from victor_ext.sandbox.command_line import main
from victor_ext.sandbox.victor.lifecycle import DueDates

NEW_YORK = "America/New_York"


def due_dates(moment: str, zone: str | None) -> DueDates:
    now = datetime.fromisoformat(moment).timestamp()
    return DueDates(SimpleNamespace(now=lambda: now), zone)


@pytest.mark.parametrize(
    ("moment", "zone", "earliest", "latest"),
    [
        ("2026-03-04T04:59:59Z", NEW_YORK, "2026-03-03", "2026-03-04"),
        ("2026-03-04T05:00:00Z", NEW_YORK, "2026-03-04", "2026-03-05"),
        ("2026-03-04T05:00:00Z", "UTC", "2026-03-04", "2026-03-05"),
        ("2026-03-04T05:00:00Z", "Pacific/Kiritimati", "2026-03-04", "2026-03-05"),
        ("2026-03-04T10:00:00Z", "Pacific/Kiritimati", "2026-03-05", "2026-03-06"),
        # Where the clocks are changed 24 hours later is not the same time of the next day.
        ("2026-03-08T04:30:00Z", NEW_YORK, "2026-03-07", "2026-03-09"),
        ("2026-11-01T04:30:00Z", NEW_YORK, "2026-11-01", "2026-11-01"),
        # Without a zone, whatever is right somewhere on earth.
        ("2026-03-04T04:59:59Z", None, "2026-03-03", "2026-03-05"),
        ("2026-03-04T11:59:59Z", None, "2026-03-03", "2026-03-06"),
        ("2026-03-04T12:00:00Z", None, "2026-03-04", "2026-03-06"),
        ("2026-03-04T09:59:59Z", None, "2026-03-03", "2026-03-05"),
        ("2026-03-04T10:00:00Z", None, "2026-03-03", "2026-03-06"),
    ],
)
def test_from_today_until_24_hours_from_now(moment, zone, earliest, latest):
    found = due_dates(moment, zone)
    assert (found.earliest(), found.latest()) == (date.fromisoformat(earliest), date.fromisoformat(latest))


@pytest.mark.parametrize(
    ("zone", "over"),
    [
        (NEW_YORK, "2026-03-05T05:00:00Z"),
        ("Pacific/Kiritimati", "2026-03-04T10:00:00Z"),
        (None, "2026-03-05T12:00:00Z"),
    ],
)
def test_a_date_is_over_at_the_zone_s_midnight(zone, over):
    found = due_dates("2026-03-01T00:00:00Z", zone)
    assert found.end_of(date(2026, 3, 4)) == datetime.fromisoformat(over).timestamp()


def test_only_what_is_right_in_the_zone_is_taken(start):
    sandbox, caller = start(due_date_zone="Etc/GMT+12")
    here = (datetime.fromtimestamp(sandbox.clock()["now"], UTC) - timedelta(hours=12)).date()
    taken = [day for day in range(-2, 5) if caller.create(due_date=str(here + timedelta(days=day))).status_code == 200]
    assert taken == [0, 1]
    refused = caller.create(KEY, due_date=str(here + timedelta(days=2)))
    assert refused.status_code == 400
    error = {"code": 101, "message": "error.dueDate.invalid", "field": "paymentDetails.dueDate"}
    assert refused.json() == {"status": 0, "error": error}
    assert sandbox.work_done_by_key() == {KEY: 0}


def test_a_request_expires_at_the_zone_s_midnight(start):
    sandbox, caller = start(due_date_zone="Etc/GMT-14")
    today = (datetime.fromtimestamp(sandbox.clock()["now"], UTC) + timedelta(hours=14)).date()
    caller.created(due_date=str(today), counterparty="ignoresRfp")
    sandbox.advance(24 * 3600)
    assert [request["status"] for request in sandbox.requests()] == ["expired"]


@pytest.mark.victor_sandbox(due_date_zone="Etc/GMT+12")
def test_the_client_takes_it_and_says_which_field_the_provider_refused(victor_sandbox: Sandbox, victor: Victor):
    furthest = (datetime.now(UTC) + timedelta(hours=38)).date()
    with pytest.raises(BadRequest) as raised:
        victor.payment_requests.create(
            payee_account_number="043987673645",
            payer_counterparty_id="acme000001",
            amount=Decimal("44.23"),
            biller_type="BUSINESS",
            due_date=furthest,
            idempotency_key=KEY,
        )
    error = raised.value
    assert error.outcome is Outcome.REJECTED
    assert [problem.field for problem in error.problems] == ["payment_details.due_date"]
    assert "payment_details.due_date" in str(error)
    assert victor_sandbox.work_done_by_key() == {KEY: 0}


@pytest.mark.parametrize(
    "zone", ["New York", "america", "America", "../etc/passwd", "/etc/localtime", "", "UTC+5", "a\0b"]
)
def test_a_zone_that_does_not_exist_is_refused_by_name(zone, capsys):
    with pytest.raises(ValueError, match="due_date_zone must be the name of a time zone such as America/New_York, not"):
        SandboxSettings(due_date_zone=zone)
    with pytest.raises(SystemExit) as ended:
        main(["--due-date-zone", zone])
    assert ended.value.code == 2
    assert "due_date_zone must be" in capsys.readouterr().err
