"""One id of the provider settles one row, whatever a response says; and so does one that a row had
before it was asked again.
"""

import httpx
import pytest

from tests.bulk.bulk_runs import (
    WHO,
    refused,
    row,
    rows,
)
from tests.outbox.test_groups import TogetherDriver
from tests.providers.running import GUID
from victor_ext._event_queue.drivers import BlockingDriver

pytestmark = pytest.mark.pull_request


class OneRequest(httpx.HTTPTransport):
    """The way to the provider: each response to a create names one of these requests after the
    other, the last one from then on, as a plain receipt does.
    """

    def __init__(self, *ids):
        super().__init__()
        self._ids = [*ids]

    def handle_request(self, request):
        response = super().handle_request(request)
        if not request.url.path.endswith("/request-payment"):
            return response
        response.read()
        headers = {"Date": response.headers["Date"]}
        id = self._ids.pop(0) if len(self._ids) > 1 else self._ids[0]
        body = {"victor_payment_request_id": id, "status": "created"}
        return httpx.Response(200, json=body, headers=headers)


def test_two_rows_with_the_same_id_in_their_responses_are_not_both_settled(
    sender, clients, victor_sandbox, any_state
):
    """The other one is in doubt, also where both are of one checkpoint, and is not sent again; an
    id in another letter case of a GUID is the same one.
    """
    sender = sender.of(state=any_state)
    first, other = (clients(transport=OneRequest(id)) for id in (GUID, GUID.upper()))
    assert sender(victor=first).send(rows(2)).counts == {"created": 1, "unknown": 1}
    assert sender(victor=other, batch="april").send(rows(1, start=3)).counts == {"unknown": 1}
    results = {**sender.results(), **sender.results(batch="april")}
    (created,) = (name for name, result in results.items() if result.outcome == "created")
    assert results.pop(created).id == GUID
    for name, result in results.items():
        assert result.id is None
        assert f" was named for {name}, and is the id of {created}" in result.error
    with refused(f"is the id of {created}"):
        sender(batch="april").resolve("INV-3", done=True, id=GUID.upper(), **WHO)
    sender(victor=first).resume()
    assert set(victor_sandbox.attempts_by_key().values()) == {1}


@pytest.mark.parametrize(
    ("done", "id", "why"),
    [
        (True, "R1", "R1 is the id of INV-1"),
        (True, "R2\u200b", "^id .*: write the id alone"),
        (False, "R2", "^id says that it was done: leave it out"),
    ],
)
def test_a_row_is_not_resolved_with_the_id_of_another_row_or_an_impossible_id(
    sender, clients, done, id, why
):
    sender = sender.of(victor=clients(transport=OneRequest("R1")))
    sender.finish(rows(1))
    sender(batch="april").send(rows(1, start=2))
    with refused(why) as error:
        sender(batch="april").resolve("INV-2", done=done, id=id, **WHO)
    assert [problem.field for problem in error.value.problems] == ["id"]
    assert sender(batch="april").status().counts == {"unknown": 1}
    sender(batch="april").resolve("INV-2", done=True, id="R2", **WHO)


def test_the_id_of_an_earlier_request_settles_no_other_row(sender, clients):
    """A person has said that the row was asked once more since a backup, and with which id."""
    sender = sender.of(victor=clients(transport=OneRequest("R1")))
    sender.finish(rows(1))
    sender().hold()
    sender().release()
    sender().resolve("INV-1", done=True, id="R9", **WHO)
    assert sender(batch="april").send(rows(1, start=2)).counts == {"unknown": 1}
    with refused("R1 is the id of INV-1"):
        sender(batch="april").resolve("INV-2", done=True, id="R1", **WHO)


@pytest.mark.parametrize("are_together", [False, True])
def test_an_id_that_a_person_gave_to_a_row_that_was_refused_settles_no_other_row(
    sender, clients, monkeypatch, any_state, are_together
):
    """Also where the results of several rows are stored by one statement."""
    if are_together:
        monkeypatch.setattr(BlockingDriver, "with_calls", TogetherDriver.with_calls)
    client = clients(transport=OneRequest("R2", "R1"))
    sender = sender.of(state=any_state, victor=client, skip_invalid=True)
    sender().send([row(1, amount="0")])
    sender().hold()
    sender().release()
    sender().resolve("INV-1", done=True, id="R1", **WHO)
    other = sender(batch="april").send(rows(2, start=2))
    assert other.counts == {"created": 1, "unknown": 1}
    results = sender.results(batch="april").items()
    ((name, why),) = ((name, each.error) for name, each in results if each.id is None)
    assert f"R1 was named for {name}, and is the id of INV-1" in why


SHARED = {"client_reference_id": "REF", "amount": "5.00"}
"""What two rows have that only their references could tell apart."""
