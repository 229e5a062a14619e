"""The rules of all systems, over all rows of their tables, by the methods that call each operation.

What is expected follows from the row alone. A row that is taken out must change what is seen.
"""

import importlib
import json
from functools import partial
from typing import Any, NamedTuple

import httpx
import pytest

from tests.contracts.document import Document
from tests.contracts.record import contract_of
from tests.providers.running import MODES, QUICK, Script
from tests.providers.systems import called
from tests.providers.test_operations_table import SYSTEMS, good_answer
from victor_ext._runtime.core.response import OPERATION
from victor_ext._runtime.loop.evidence import document_complaint
from victor_ext._runtime.loop.operations import Operations

LOST = httpx.ReadError("the connection was cut")
BUSY = httpx.Response(200, json={"error": "busy"})
OF_ANYBODY = httpx.Response(200, json={"message": "signed in"})


class Seen(NamedTuple):
    """What came of a call: the requests of its operation, and the error."""

    requests: list[httpx.Request]
    error: Exception | None = None

    @property
    def row(self):
        return self.requests[0].extensions[OPERATION]

    @property
    def told(self):
        return len(self.requests), self.outcome, str(self.error)

    @property
    def outcome(self):
        return "success" if self.error is None else str(getattr(self.error, "outcome", "a fault"))


class Case(NamedTuple):
    """An operation of a system, and the method that calls it."""

    system: str
    operation: Any

    def good(self, request, **changes):
        """A good answer to any request of the system, as its document declares it."""
        return good_answer(self.system, request, **changes)

    def observe(self, *lines):
        """Make the call.

        These lines answer its operation first; then, and for all else, the document does.
        """
        own = Script(*lines, self.good)

        def answer(request):
            is_own = Document.of(self.system).operation_of(request) is self.operation
            return (own if is_own else self.good)(request)

        def use(client):
            result = contract_of(self.system).making(self.operation.id)(client)
            return next(iter(result.pages()), None) if hasattr(result, "pages") else result

        try:
            called(self.system, MODES[0], use, Script(answer), retry=QUICK)
        except Exception as error:  # noqa: BLE001 - without its row, a response may be read that cannot be
            return Seen(own.requests, error)
        return Seen(own.requests)


def cases_of(system):
    calls = contract_of(system).calls
    for operation in Document.of(system).operations:
        if operation.id in calls and calls[operation.id].has_record:
            yield Case(system, operation)


def answer_of(case):
    """The members of a good answer that the document does not tell, by their places."""
    return contract_of(case.system).calls[case.operation.id].answer


each_row = pytest.mark.parametrize(
    "case",
    [case for system in SYSTEMS for case in cases_of(system)],
    ids=lambda case: f"{case.system}-{case.operation.id}",
)


@each_row
def test_an_error_and_an_answer_that_fits_any_write_leave_the_outcome_unknown(case):
    assert case.observe(*[BUSY] * 3).outcome == "unknown"
    anybodys = case.observe(*[OF_ANYBODY] * 3)
    # "an object, or nothing", whatever it has
    if not anybodys.row.reads and case.operation.id != "invitePayee":
        assert anybodys.outcome == "unknown"


@each_row
def test_a_good_answer_is_a_success_under_any_good_status(case):
    """Whoever took one that the document does not list for a failure would do it again."""

    def answer(request):
        good = case.good(request)
        return httpx.Response(status, headers=good.headers, content=good.content)

    for status in (200, 201, 202, 203):
        seen = case.observe(answer)
        assert (seen.outcome, len(seen.requests)) == ("success", 1), (status, seen.error)


@pytest.mark.parametrize("system", SYSTEMS)
def test_an_answer_with_the_id_of_another_object_than_the_paths_is_unknown(system):
    told = {}
    for case in cases_of(system):
        asked = case.observe().requests[0].url.path.split("/")
        ids = [place for place, value in answer_of(case).items() if value in asked]
        for place in (place for place in ids if "." not in place):
            other = partial(case.good, **{place: "another-id"})
            told[case.operation.id, place] = case.observe(*[other] * 3).outcome
    assert {*told.values()} == {"unknown"}, told


@each_row
def test_an_answer_with_another_or_an_unreadable_value_of_the_request_is_unknown(case):
    seen = case.observe()
    if seen.row.repeats is None:
        return
    models = importlib.import_module(f"{case.system}_api.members").MEMBERS.values()
    all_members = {name: "another" for members in models for name in members}
    answer = httpx.Response(200, json=all_members, request=seen.requests[0])
    # a cancellation has no body
    good = json.loads(case.good(seen.requests[0]).content or "{}")
    for name in seen.row.repeats.compare(answer):
        for other in ("another", ["another"]):
            changed = httpx.Response(200, json={**good, name: other})
            observed = case.observe(*[changed] * 3)
            assert (observed.outcome, f"its {name}" in str(observed.error)) == ("unknown", True)


def without_rows(document, url, place, *_rows, **_more):
    """The table of a system without rows by hand: what its document says."""
    return Operations(document, url, place)


@each_row
def test_taking_a_row_out_of_the_table_changes_what_a_call_tells(case, monkeypatch):
    scripts = [[], [LOST], [LOST] * 3, [OF_ANYBODY] * 3, [httpx.Response(200)] * 3]
    scripts += [[partial(case.good, **{place: "another-id"})] * 3 for place in answer_of(case)]
    with_row = [case.observe(*script) for script in scripts]
    row = with_row[0].row
    home = importlib.import_module(f"victor_ext.providers.{case.system}._operations")
    monkeypatch.setattr(home, "Operations", without_rows)
    without = [case.observe(*script) for script in scripts]
    if not row.reads or row.id is not None or row.evidence is not document_complaint:
        assert [seen.told for seen in without] != [seen.told for seen in with_row]
