"""One id of the provider settles one row, whatever a response says; and so does one that a row had
before it was asked again.
"""

from typing import Any

import httpx
import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from tests.bulk.bulk_runs import Clients, Senders, refused, rows
from tests.providers.running import GUID
from victor_ext.bulk.naming import id_holders
from victor_ext.sandbox import Sandbox

pytestmark = pytest.mark.pull_request
WHO: dict[str, Any] = {"by": "Ann", "why": "the customer has asked for it"}


class OneRequest(httpx.HTTPTransport):
    """The way to the provider: each response to a create names this request, as a plain receipt
    does.
    """

    def __init__(self, id: str) -> None:
        super().__init__()
        self._id = id

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        response = super().handle_request(request)
        if not request.url.path.endswith("/request-payment"):
            return response
        response.read()
        headers = {"Date": response.headers["Date"]}
        body = {"victor_payment_request_id": self._id, "status": "created"}
        return httpx.Response(200, json=body, headers=headers)


def test_a_response_that_names_the_request_of_another_row_settles_one_of_them(
    sender: Senders, clients: Clients, victor_sandbox: Sandbox, any_state: str
) -> None:
    """The other one is in doubt, also where both are of one checkpoint, and is not sent again."""
    wrong = {"victor": clients(transport=OneRequest("R1")), "state": any_state}
    assert sender(**wrong).send(rows(2)).counts == {"created": 1, "unknown": 1}
    assert sender(batch="april", **wrong).send(rows(1, start=3)).counts == {"unknown": 1}
    march, april = (sender(batch=batch, state=any_state) for batch in ("march", "april"))
    results = dict(
        zip(("INV-1", "INV-2", "INV-3"), [*march.export(), *april.export()], strict=True)
    )
    (created,) = (name for name, result in results.items() if result.outcome == "created")
    assert results.pop(created).id == "R1"
    for name, result in results.items():
        assert result.id is None
        assert f"R1 was named for {name}, and is the id of {created}" in result.error
    sender(**wrong).resume()
    assert set(victor_sandbox.attempts_by_key().values()) == {1}


@pytest.mark.parametrize(
    ("first", "other"), [(GUID, GUID.upper()), (GUID, f" {GUID} "), (GUID.upper(), GUID)]
)
def test_an_id_in_another_spelling_is_the_same_one(
    sender: Senders, clients: Clients, first: str, other: str
) -> None:
    sender.finish(rows(1), victor=clients(transport=OneRequest(first)))
    second = {"victor": clients(transport=OneRequest(other)), "batch": "april"}
    assert sender(**second).send(rows(1, start=2)).counts == {"unknown": 1}
    with refused("is the id of INV-1"):
        sender(batch="april").resolve("INV-2", "created", id=GUID.upper(), **WHO)


def test_a_request_that_is_over_is_not_the_one_that_is_asked_again(
    sender: Senders, clients: Clients, victor_sandbox: Sandbox, any_state: str
) -> None:
    """Nor is it another row's: its id is kept when the row is asked again, each time."""
    state = {"state": any_state}
    ids = list[str]()
    sender.finish(rows(1), **state)
    for _ in range(2):
        ids.append(sender.result(**state).id)
        victor_sandbox.move(ids[-1], "declined")
        sender(**state).ask_again(["INV-1"], **WHO)
        if len(ids) < 2:
            sender.finish(**state)
    first = clients(transport=OneRequest(ids[0]))
    assert sender(victor=first, **state).resume().counts == {"unknown": 1}
    error = sender.result(**state).error
    assert f"{ids[0]} was named for INV-1, and is the id of an earlier request of INV-1" in error
    other = sender(victor=first, batch="april", **state).send(rows(1, start=2))
    assert other.counts == {"unknown": 1}
    for batch, name in (("march", "INV-1"), ("april", "INV-2")):
        for id in ids:
            with refused(f"{id} is the id of an earlier request of INV-1"):
                sender(batch=batch, **state).resolve(name, "created", id=id, **WHO)


def test_a_row_is_not_resolved_with_the_id_of_another_one(
    sender: Senders, clients: Clients, victor_sandbox: Sandbox
) -> None:
    sender.finish(rows(1))
    taken = sender.result().id
    doubt = {"victor": clients(transport=OneRequest(taken)), "batch": "april"}
    sender(**doubt).send(rows(1, start=2))
    with refused(f"{taken} is the id of INV-1") as error:
        sender(batch="april").resolve("INV-2", "created", id=taken, **WHO)
    assert [problem.field for problem in error.value.problems] == ["id"]
    assert sender(batch="april").status().counts == {"unknown": 1}
    sender(batch="april").resolve("INV-2", "created", id="R2", **WHO)
    assert sender(batch="april").status().counts == {"created": 1}


@pytest.mark.parametrize(
    ("outcome", "id", "why"),
    [
        ("created", "R2\u200b", "^id .*: write the id alone"),
        ("not-created", "R2", "^id says that it was made: leave it out"),
    ],
)
def test_an_id_that_nobody_can_mean_is_refused_by_name(
    sender: Senders, clients: Clients, outcome: str, id: str, why: str
) -> None:
    wrong = {"victor": clients(transport=OneRequest("R1"))}
    sender.finish(rows(1), **wrong)
    sender(batch="april", **wrong).send(rows(1, start=2))
    with refused(why) as error:
        sender(batch="april").resolve("INV-2", outcome, id=id, **WHO)
    assert [problem.field for problem in error.value.problems] == ["id"]
    assert sender(batch="april").status().counts == {"unknown": 1}


def test_two_workers_store_one_id_one_after_the_other(sender: Senders, postgres: str) -> None:
    sender.finish(rows(1), state=postgres)
    own = sender(state=postgres)
    with own._stored_batch() as (_, store, _record), store.transaction() as first:
        id_holders(first, store, "a digest")
        with store.transaction() as second:
            second.execute(sa.text("SET LOCAL lock_timeout = '200ms'"))
            id_holders(second, store, "another digest")
            with pytest.raises(DBAPIError, match="lock timeout"):
                id_holders(second, store, "a digest")
            second.rollback()
