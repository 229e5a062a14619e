"""The engine of all sandboxes: what a table of operations does. A mistake in it is said when its
class is made, or its sandbox starts; one in its responses, by a 500.
"""

import json
import re
import time
from contextlib import suppress
from dataclasses import replace
from email.utils import parsedate_to_datetime
from functools import partial
from pathlib import Path

import httpx
import pytest

from tests.cases import cases_beside
from tests.sandbox.sandbox_callers import exchange
from victor_ext.sandbox.engine import Listing, Refused, Result, Row, TableProvider
from victor_ext.sandbox.server import BodyKey, HeaderKey, Response, ServerInThread, json_response
from victor_ext.sandbox.server._faults import KINDS, OF_NOTIFICATIONS
from victor_ext.sandbox.velo import RemoteVeloSandbox

DOCUMENT = Path(__file__).with_name("charges.yaml")
NAME = {"name": "a"}
UNDER_KEY = {"Idempotency-Key": "k"}
CHARGE = Row("charge", "POST /charges", lambda state, _: Result(body=state["made"]), 201)
FIND = Row("find", "GET /charges/{id}", lambda state, _: state["found"])


def provider(*rows, **members):
    """A class of a provider with these rows."""
    own = {
        "name": "small",
        "title": "Small",
        "rows": rows,
        "new_state": lambda _: {"made": {"id": "1"}, "found": {"id": "1"}},
        "authenticate": lambda *_: "ann",
    }
    return type("SmallProvider", (TableProvider,), {**own, **members})


def sandbox(*rows, **members):
    made = provider(*rows, **members)
    return type("SmallSandbox", (ServerInThread,), {"provider_type": made})()


def _made(state, asked):
    if "refused" in asked.body:
        raise Refused(422, "It is refused.", "refused", code="no")
    if "too_large" in asked.body:
        return Result(body={"success": False}, status=200)
    state.append({"id": str(len(state)), **asked.body})
    return Result(body=state[-1], made=state[-1]["id"], work=[asked.body["name"]])


ODD = (
    Row("make", "POST /things", _made, 201, is_keyed=True),
    Row("touch", "POST /things/{id}", lambda _state, _asked: None, 204),
    Row("whole", "GET /whole", lambda _state, _asked: Response(299, b"as it is")),
    Row("list", "GET /things", lambda state, _: [*state], listing=Listing(largest=2)),
    Row("open", "GET /", lambda _state, _asked: {"is": "open"}, is_open=True),
)


def _owner(_provider, call):
    if not call.bearer_token:
        raise Refused(401, "There is no token.", code="who")
    return call.bearer_token


@pytest.fixture
def odd():
    own = {"new_state": lambda _: [], "authenticate": _owner}
    with sandbox(*ODD, key=HeaderKey("Idempotency-Key"), **own) as odd:
        caller = httpx.Client(base_url=odd.url, headers={"Authorization": "Bearer ann"})
        with caller:
            yield odd, caller


# What a table does


def test_each_operation_but_an_open_one_requires_credentials_and_an_open_one_hides_the_page(odd):
    sandbox, _ = odd
    assert httpx.get(sandbox.url).json() == {"is": "open"}
    assert httpx.get(f"{sandbox.url}/docs").status_code == 200
    refused = httpx.get(f"{sandbox.url}/things")
    assert (refused.status_code, refused.json()["error"]["code"]) == (401, "who")


@pytest.mark.parametrize("path", ["/", "/docs", "/_sandbox/", "/_sandbox/none", "/charges/1"])
def test_every_response_has_the_date_of_the_server_s_clock(path):
    with sandbox(CHARGE, FIND) as small:
        small.set_clock_skew(-7200)
        for headers in ({}, {"host": "foreign.example"}):
            (shown,) = httpx.get(small.url + path, headers=headers).headers.get_list("date")
            assert abs(parsedate_to_datetime(shown).timestamp() - (time.time() - 7200)) < 5


def test_a_key_repeats_its_response_for_one_caller_and_one_request(odd):
    sandbox, ann = odd
    first, again = (ann.post("/things", json=NAME, headers=UNDER_KEY) for _ in range(2))
    other = ann.post("/things", json={"name": "b"}, headers=UNDER_KEY)
    ann.post("/things", json=NAME, headers={**UNDER_KEY, "Authorization": "Bearer bob"})
    assert (first.status_code, again.json()) == (201, first.json())
    assert other.status_code == 409
    assert sandbox.work_done_by_reference() == {"a": 2}
    seen = sandbox.received()[:3]
    assert [one.replayed for one in seen] == [False, True, False]
    named = [(one.reference, one.request_id) for one in seen]
    assert named == [("a", "0"), ("a", "0"), (None, None)]


@pytest.mark.parametrize(("body", "status"), [({"refused": 1}, 422), ({"too_large": 1}, 200)])
def test_neither_a_refusal_nor_a_success_without_work_binds_a_key(odd, body, status):
    sandbox, ann = odd
    for _ in range(2):
        assert ann.post("/things", json=body, headers=UNDER_KEY).status_code == status
    assert [one.replayed for one in sandbox.received()] == [False, False]
    assert ann.post("/things", json=NAME, headers=UNDER_KEY).status_code == 201


def test_an_operation_that_returns_nothing_counts_as_work_for_the_id_in_its_path(odd):
    sandbox, ann = odd
    touched = ann.post("/things/7")
    assert (touched.status_code, touched.content) == (204, b"")
    assert sandbox.work_done_by_reference() == {"7": 1}


def test_a_list_without_a_document_is_paged_by_its_parameters_and_its_maximum(odd):
    _, ann = odd
    for name in "abc":
        ann.post("/things", json={"name": name})
    second = ann.get("/things", params={"page": 2, "pageSize": 1, "name": "a"}).json()
    assert [item["name"] for item in second["items"]] == ["b"]
    assert len(ann.get("/things").json()["items"]) == 2


@pytest.mark.parametrize("page", ["0", "two", ""])
def test_a_page_number_that_is_not_a_whole_number_above_zero_is_refused(odd, page):
    _, ann = odd
    refused = ann.get("/things", params={"page": page})
    assert (refused.status_code, refused.json()["error"]["code"]) == (400, "refused")
    assert "page must be a whole number above 0" in refused.text


PAGED = """
openapi: 3.0.3
info: {title: Paged, version: "1"}
paths:
  /things:
    get:
      parameters:
        - {name: PARAMETER, in: query, schema: {type: string}}
        - {name: name, in: query, schema: {type: string}}
        - {name: colour, in: query, schema: {$ref: "#/components/schemas/Colour"}}
        - {name: code, in: query, schema: {type: string, pattern: "(?=x)(x+x+)+y"}}
      responses: {"200": {description: A page.}}
components:
  schemas:
    Colour: {type: string, pattern: "[a-z]+"}
"""


def paged(tmp_path, listing, parameter="cursor"):
    """A sandbox with five things, whose document has this parameter of its list."""
    file = tmp_path / f"{parameter}.yaml"
    file.write_text(PAGED.replace("PARAMETER", parameter))
    things = [{"id": number, "name": "ab"[number % 2]} for number in range(5)]
    row = Row("list", "GET /things", lambda _state, _asked: things, listing=listing)
    body = lambda _provider, _asked, page: {"items": page.items, "next": page.next}  # noqa: E731
    return sandbox(row, document=str(file), page_body=body)


def test_a_list_is_read_to_its_end_by_cursor(tmp_path):
    with paged(tmp_path, Listing(number="cursor", size=2)) as sandbox:
        read = partial(httpx.get, f"{sandbox.url}/things")
        ids, query = [], {}
        while query is not None:
            page = read(params=query).json()
            ids += [item["id"] for item in page["items"]]
            query = {"cursor": page["next"]} if page["next"] else None
        assert ids == [0, 1, 2, 3, 4]
        filtered = read(params={"cursor": "2", "name": "a"}).json()
        assert [item["id"] for item in filtered["items"]] == [4]
        for odd_cursor in ("", "0", "-1", "abc", "٢"):
            refused = read(params={"cursor": odd_cursor})
            assert (refused.status_code, "cursor" in refused.text) == (400, True)


@pytest.mark.parametrize("parameter", ["cursor", "page_token", "starting_after", "offset", "limit"])
def test_a_parameter_of_pages_that_would_be_a_filter_is_refused_by_name(tmp_path, parameter):
    with (
        pytest.raises(ValueError, match=f"'{parameter}' would be a filter"),
        paged(tmp_path, Listing(), parameter),
    ):
        pass
    with paged(tmp_path, Listing(controls=[parameter]), parameter) as sandbox:
        page = httpx.get(f"{sandbox.url}/things", params={parameter: "x"}).json()
        assert len(page["items"]) == 5


def test_a_message_has_the_pattern_that_the_document_has(tmp_path):
    with paged(tmp_path, Listing(controls=["cursor"])) as sandbox:
        refused = httpx.get(f"{sandbox.url}/things", params={"colour": "RED"})
    assert (refused.status_code, "it must match [a-z]+" in refused.text) == (400, True)


def test_a_text_over_which_a_pattern_would_backtrack_for_hours_is_refused_in_seconds(tmp_path):
    with paged(tmp_path, Listing(controls=["cursor"])) as sandbox:
        began = time.process_time()
        refused = httpx.get(f"{sandbox.url}/things", params={"code": "x" * 40})
    assert (refused.status_code, "backtracks too long" in refused.text) == (400, True)
    assert time.process_time() - began < 5


# What the server does for each table

WORK = {"cut_answer", "lose_answer", "delay", "truncated_json", "malformed_json"}
"""The kinds of faults that do the work; a stall does it or not, as it is told."""


@pytest.mark.parametrize("kind", sorted({*KINDS} - OF_NOTIFICATIONS - {"stall"}))
def test_a_repeat_after_a_fault_of_any_kind_but_a_stall_leaves_the_work_done_once(odd, kind):
    sandbox, ann = odd
    sandbox.inject(kind, operation="make", delay=0.01)
    with suppress(httpx.TransportError):
        ann.post("/things", json=NAME, headers=UNDER_KEY)
    assert sandbox.work_done_by_reference() == ({"a": 1} if kind in WORK else {})
    assert sandbox.received()[-1].fault == kind
    assert ann.post("/things", json=NAME, headers=UNDER_KEY).status_code == 201
    assert sandbox.work_done_by_reference() == {"a": 1}
    assert sandbox.received()[-1].replayed is (kind in WORK)


def test_commands_of_another_provider_are_told_whose_sandbox_it_is(odd):
    said = rf"There is no command GET .*{odd[0].url} is a small sandbox, and RemoteVeloSandbox may"
    with pytest.raises(LookupError, match=said):
        RemoteVeloSandbox(odd[0].url).notifications()
    with pytest.raises(ValueError, match=r"must be one of make, .*, other, not 'create'$"):
        odd[0].inject("status", operation="create")


def test_the_key_of_a_request_that_was_cut_after_its_body_is_known():
    body = json.dumps({"requestId": "k"}).encode()
    head = f"POST /charges HTTP/1.1\r\nhost: x\r\ncontent-length: {len(body)}\r\n\r\n".encode()
    with sandbox(CHARGE, key=BodyKey("requestId")) as small:
        for after in (None, -1):
            small.inject("cut_request", after=after)
            assert exchange(small.url, head + body) == (b"", "reset")
        assert [received.idempotency_key for received in small.received()] == ["k", None]
        assert small.attempts_by_key() == {"k": 1}


def test_errors_of_the_machinery_have_the_shape_of_the_provider_s(caplog):
    def error(_provider, status, code, _message):
        return json_response(status, {"fault": code})

    broken = Row("broken", "GET /broken", lambda *_: 1 // 0)
    with sandbox(CHARGE, broken, error=error) as small, httpx.Client(base_url=small.url) as http:
        small.inject("status", status=503, retry_after=3)
        failed = http.post("/charges", json={})
        assert (failed.json()["fault"], failed.headers["retry-after"]) == ("injected_fault", "3")
        missing = http.get("/nothing")
        assert (missing.status_code, missing.json()["fault"]) == (404, "no_such_path")
        wrong = http.put("/charges")
        assert (wrong.status_code, wrong.headers["allow"]) == (405, "POST")
        assert http.post("/charges", content=b"x" * ((1 << 20) + 1)).status_code == 413
        mistake = http.get("/broken")
        assert (mistake.status_code, mistake.json()["fault"]) == (500, "sandbox_failure")
    assert "ZeroDivisionError" in caplog.text


# Mistakes in a table


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([replace(CHARGE, place="/charges")], "its place is '/charges'. Write a method and a path"),
        ([replace(CHARGE, place="post /charges")], "Write a method and a path, such as 'POST"),
        ([CHARGE, replace(FIND, name="charge")], "another row has this name"),
        (
            [FIND, replace(FIND, name="get", place="GET /charges/{charge}")],
            "the row 'find' has the same method and path",
        ),
        ([replace(CHARGE, is_keyed=True)], r"the provider has no key. Write key = HeaderKey\("),
    ],
    ids=["place", "method", "names", "places", "key"],
)
def test_a_row_that_cannot_work_is_refused_when_its_class_is_made(rows, said):
    with pytest.raises(ValueError, match=f"^The row '{rows[-1].name}' of SmallProvider: .*{said}"):
        provider(*rows)


@pytest.mark.parametrize(
    ("row", "members", "said"),
    [
        (
            replace(CHARGE, is_keyed=True),
            {"key": BodyKey("requestID")},
            "'requestID' of the body, .* BodyKey with 'cents' or 'kind' or 'memo' or 'requestId'",
        ),
        (
            replace(CHARGE, place="POST /charge"),
            {},
            r"no POST /charge. Write .*'POST /charges'.*; or is_documented=False",
        ),
        (replace(CHARGE, is_documented=False), {}, "Leave is_documented=False out"),
        (replace(FIND, status=301), {}, "its status is 301, and the document has 2XX"),
    ],
    ids=["key", "path", "documented", "status"],
)
def test_a_row_that_is_not_as_the_document_says_is_refused_at_the_start(row, members, said):
    with pytest.raises(ValueError, match=f"^The row '{row.name}' of SmallProvider: .*{said}"):
        sandbox(row, document=str(DOCUMENT), **members).start()


@pytest.mark.parametrize("written", ["a: [", "some text"])
def test_a_file_that_is_no_document_is_refused_at_the_start(tmp_path, written):
    document = tmp_path / "some.yaml"
    with pytest.raises(ValueError, match=r"cannot be read .* Write the whole path of the file"):
        sandbox(CHARGE, document=str(document)).start()
    document.write_text(written)
    with pytest.raises(ValueError, match="is no OpenAPI document"):
        sandbox(CHARGE, document=str(document)).start()


def test_a_document_in_several_files_is_refused_by_the_name_of_the_second(tmp_path):
    document = tmp_path / "some.yaml"
    document.write_text("paths: {/charges: {$ref: 'paths/charges.yaml'}}")
    with pytest.raises(ValueError, match=r"refers to another file, 'paths/charges.yaml', and a"):
        sandbox(CHARGE, document=str(document)).start()


def test_a_row_of_operations_beside_the_document_is_served_if_marked_as_undocumented():
    beside = Row("beside", "GET /beside", lambda *_: 5, is_documented=False)
    with sandbox(FIND, beside, document=str(DOCUMENT)) as small:
        assert httpx.get(f"{small.url}/beside").json() == 5


@pytest.mark.parametrize("key", [BodyKey("requestId"), HeaderKey("Idempotency-Key")], ids=repr)
def test_a_sandbox_starts_with_keys_in_a_documented_member_or_in_an_undocumented_header(key):
    with sandbox(replace(CHARGE, is_keyed=True), document=str(DOCUMENT), key=key) as small:
        assert small.url, "it has started, so the row was not refused"


def charged(body, **members):
    """The response to a charge, of a provider with the document."""
    with sandbox(CHARGE, document=str(DOCUMENT), **members) as small:
        return httpx.post(f"{small.url}/charges", json=body)


@pytest.mark.parametrize(
    ("wrong", "place"), [({"id": 5}, "id"), *((each, "the body") for each in (5, [], "text"))]
)
def test_a_response_that_breaks_the_document_is_a_500_that_names_where(wrong, place, caplog):
    made = charged({"cents": 1}, new_state=lambda _: {"made": wrong})
    assert (made.status_code, made.json()["error"]["code"]) == (500, "nonconforming_answer")
    assert f"breaks the document at: {place} breaks the rule 'type'" in made.text
    assert f"a response to 'charge' breaks the document at: {place}" in caplog.text


def test_an_error_that_breaks_the_document_is_a_500_too():
    def refusal(self, *_):
        return TableProvider.success(self, "", Result(body={"fault": "it is refused"}), 400)

    response = charged({}, refusal=refusal)
    assert (response.status_code, "error is required" in response.text) == (500, True)


def test_a_response_that_breaks_the_document_is_sent_where_a_row_allows_the_breach():
    odd = {"conforms": False, "new_state": lambda _: {"made": {"id": 5}}}
    assert charged({"cents": 1}, **odd).json() == {"id": 5}


@pytest.mark.parametrize(
    ("body", "said"), cases_beside(__file__)["bodies that the document refuses"]
)
def test_a_refusal_says_what_the_document_wants(body, said):
    response = charged(body)
    assert response.status_code == 400
    assert re.match(said, response.json()["error"]["message"])
