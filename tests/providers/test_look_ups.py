"""What a message says of where to look shows what was done: the look-up of each row, made after a lost response."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from operator import attrgetter
from typing import Any

import pytest

from tests.providers.flexfactor.adapter import id_of
from tests.providers.running import ONCE, Exchange
from tests.providers.systems import ADAPTERS
from victor_ext import NotFound, VictorError

RECENTLY = datetime.now(UTC) - timedelta(hours=1)
READS: Mapping[str, Callable[[Any, Any, Any], Any]] = {
    "eastpay payments.find": lambda find, name, _: find(name),
    "eastpay payments.inquire": lambda inquire, subject, _: inquire(subject[1]),
    "flexfactor orders.get": lambda get, name, _: get(id_of(name)),
    "flexfactor orders.list": lambda read, _name, _: read(),
    "tiny charges.list": lambda read, _name, _: read(),
    "velo fundings.changes": lambda read, _subject, harness: read(harness.payor, since=RECENTLY),
    "velo payees.get": lambda get, subject, _: get(subject[0]),
    "velo payees.invitations": lambda read, subject, _: read(subject[1], payee_id=subject[0]),
    "velo payees.list": lambda read, subject, _: read(subject[1], remote_id=subject[0]),
    "velo payments.find": lambda find, name, harness: find(name, payor_id=harness.payor, since=RECENTLY),
    "velo webhooks.get": lambda get, webhook_id, _: get(webhook_id),
    "velo webhooks.list": lambda read, subject, _: read(subject[1]),
    "victor payment_requests.find": lambda find, name, _: find(name, start_datetime=RECENTLY),
}
"""How the methods that messages name are called, about the subject of an exchange."""
NOWHERE = {"connected create", "flexfactor transmit", "velo ping"}
"""No method of the client shows them: the message says to look at the provider."""
SENT_AGAIN = {"velo invite"}
"""The list of invitations does not say how often one was sent."""


EXCHANGES = [
    pytest.param(system, exchange, id=f"{system} {exchange.word}")
    for system, adapter in ADAPTERS.items()
    for exchange in (adapter.WRITE, *adapter.MORE)
    if exchange.writes and not exchange.settles  # what settles looks by itself
]


def plain(result: Any) -> str:
    """All that the result of a look-up says."""
    records = result if isinstance(result, list | tuple) else [result]
    return json.dumps([str(getattr(each, "to_dict", lambda each=each: each)()) for each in records])


@pytest.fixture
def system(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def adapter(system: str) -> Any:
    return ADAPTERS[system]


@pytest.mark.parametrize(("system", "exchange"), EXCHANGES, indirect=["system"])
def test_the_look_up_that_a_message_names_shows_what_was_done(harness: Any, system: str, exchange: Exchange) -> None:
    if system == "eastpay":
        harness.settings["inquiry_by_reference"] = True

    def lose(subject: Any) -> str:
        harness.sandbox.inject("lose_answer", operation=exchange.word)
        with pytest.raises(VictorError, match="may have executed") as raised:
            harness(lambda client: exchange.call(client, subject), retry=ONCE)
        return str(raised.value)

    def look(subject: Any) -> str:
        try:
            return plain(
                harness(lambda client: READS[f"{system} {named}"](attrgetter(named)(client), subject, harness))
            )
        except NotFound:
            return "nothing"

    named = next(iter(re.findall(r"look with (\w+\.\w+)\(", lose(exchange.subject(harness)))), "")
    assert (named == "") is (f"{system} {exchange.word}" in NOWHERE)
    if named:
        subject = exchange.subject(harness)
        before, _, after = look(subject), lose(subject), look(subject)
        assert (before == after) is (f"{system} {exchange.word}" in SENT_AGAIN)
