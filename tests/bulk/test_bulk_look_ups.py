"""A look-up that the client itself refuses is about one payment alone."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any, cast

from victor_ext import Done, InvalidRequest
from victor_ext.bulk.row_kind import LaterStep
from victor_ext.runtime.core.comparing import Likeness
from victor_ext.settlement.flow import LookUp, Write
from victor_ext.settlement.key_age import Sent

NOW = datetime.now(UTC)


def step(name: str) -> LookUp:
    sent = Sent(NOW.timestamp(), None, known=True)
    write = Write(cast("Any", name), sent)
    return LookUp(write, NOW - timedelta(minutes=5), "It may have been sent.", sent, sent, NOW)


def test_one_whose_look_up_is_refused_here_keeps_no_other_one_from_being_looked_up() -> None:
    def look_up(call: str, **_: object) -> Done:
        if call == "refused":
            raise InvalidRequest("payor_id is blank.")
        return Done("payout-2", created_at=NOW, compared={"amount": Likeness.SAME})

    refused, found = LaterStep(SimpleNamespace(look_up=look_up), "payouts.instruct").look_up(
        [step("refused"), step("found")]
    )
    assert refused.request is None
    assert refused.looked_up
    assert "payor_id is blank" in str(refused.reason)
    assert found.request.id == "payout-2"
