"""The engine of all sandboxes: a table of operations, as its page shows it."""

import re
import sys
from pathlib import Path
from types import ModuleType

import httpx
import pytest

from victor_ext.sandbox.engine import Listing, Refused, Result, Row, TableProvider
from victor_ext.sandbox.server import HeaderKey, Response, ServerInThread

PAGE = Path(__file__).parents[2].joinpath("docs/sandbox-custom.md").read_text("utf-8")
(DOCUMENT,) = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
BLOCKS = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)


def test_the_page_makes_sandboxes_in_about_thirty_lines(tmp_path, monkeypatch):
    tmp_path.joinpath("purse.yaml").write_text(DOCUMENT)
    names: dict = {"__file__": str(tmp_path / "purse.py")}
    for block in BLOCKS:  # as a reader of the page does
        if module := re.match(r"# (\w+)\.py\n", block):
            made = ModuleType(module[1])
            exec(block, vars(made))
            monkeypatch.setitem(sys.modules, module[1], made)
        elif "def test_" not in block:  # `tests/pages` runs the tests of the page
            exec(block, names)
    lines = [len([line for line in block.splitlines() if line]) for block in BLOCKS]
    assert (lines[0] <= 30, lines[4] <= 40) == (True, True), lines


def _made(state, asked):
    if "refused" in asked.body:
        raise Refused(422, "It is refused.", "refused", code="no")
    if "too_large" in asked.body:
        return Result(body={"success": False}, status=200)
    state.append({"id": str(len(state)), **asked.body})
    return Result(body=state[-1], made=state[-1]["id"], work=[asked.body["name"]])


class OddProvider(TableProvider):
    name, title = "odd", "Odd"
    key = HeaderKey("Idempotency-Key")
    rows = (
        Row("make", "POST /things", _made, 201, is_keyed=True),
        Row("touch", "POST /things/{id}", lambda _state, _asked: None, 204),
        Row("whole", "GET /whole", lambda _state, _asked: Response(299, b"as it is")),
        Row("list", "GET /things", lambda state, _: [*state], listing=Listing(largest=2)),
        Row("open", "GET /open", lambda _state, _asked: {"is": "open"}, is_open=True),
    )

    def new_state(self):
        return []

    def authenticate(self, call):
        if not call.bearer_token:
            raise Refused(401, "There is no token.", code="who")
        return call.bearer_token


class OddSandbox(ServerInThread):
    provider_type = OddProvider


@pytest.fixture
def odd():
    with OddSandbox() as sandbox:
        caller = httpx.Client(base_url=sandbox.url, headers={"Authorization": "Bearer ann"})
        with caller:
            yield sandbox, caller


def test_credentials_are_asked_for_but_by_an_open_row(odd):
    sandbox, _ = odd
    assert httpx.get(f"{sandbox.url}/open").json() == {"is": "open"}
    refused = httpx.get(f"{sandbox.url}/things")
    assert (refused.status_code, refused.json()["error"]) == (401, "who")


def test_a_key_repeats_its_response_for_one_caller_and_one_request(odd):
    sandbox, ann = odd
    first = ann.post("/things", json={"name": "a"}, headers={"Idempotency-Key": "k"})
    again = ann.post("/things", json={"name": "a"}, headers={"Idempotency-Key": "k"})
    other = ann.post("/things", json={"name": "b"}, headers={"Idempotency-Key": "k"})
    of_bob = {"Idempotency-Key": "k", "Authorization": "Bearer bob"}
    ann.post("/things", json={"name": "a"}, headers=of_bob)
    assert (first.status_code, again.json()) == (201, first.json())
    assert other.status_code == 409
    assert sandbox.work_done_by_reference() == {"a": 2}
    seen = sandbox.received()[:3]
    assert [one.replayed for one in seen] == [False, True, False]
    named = [(one.reference, one.request_id) for one in seen]
    assert named == [("a", "0"), ("a", "0"), (None, None)]


def test_a_refusal_binds_no_key(odd):
    _, ann = odd
    key = {"Idempotency-Key": "k"}
    assert ann.post("/things", json={"refused": 1}, headers=key).status_code == 422
    assert ann.post("/things", json={"name": "a"}, headers=key).status_code == 201


def test_a_success_without_work_binds_no_key(odd):
    sandbox, ann = odd
    key = {"Idempotency-Key": "k"}
    for _ in range(2):
        assert ann.post("/things", json={"too_large": 1}, headers=key).status_code == 200
    assert [one.replayed for one in sandbox.received()] == [False, False]
    assert ann.post("/things", json={"name": "a"}, headers=key).status_code == 201


def test_what_the_path_names_was_changed_if_nothing_is_returned(odd):
    sandbox, ann = odd
    touched = ann.post("/things/7")
    assert (touched.status_code, touched.content) == (204, b"")
    assert sandbox.work_done_by_reference() == {"7": 1}


def test_a_whole_response_is_sent_as_it_is(odd):
    _, ann = odd
    whole = ann.get("/whole")
    assert (whole.status_code, whole.content) == (299, b"as it is")


def test_a_page_has_no_more_than_its_most(odd):
    _, ann = odd
    for name in "abc":
        ann.post("/things", json={"name": name})
    assert len(ann.get("/things").json()["items"]) == 2


def test_without_a_document_a_list_is_cut_by_its_parameters(odd):
    _, ann = odd
    for name in "abc":
        ann.post("/things", json={"name": name})
    second = ann.get("/things", params={"page": 2, "pageSize": 1, "name": "a"}).json()
    assert [item["name"] for item in second["items"]] == ["b"]
    for page in ("0", "two", ""):
        refused = ann.get("/things", params={"page": page})
        assert (refused.status_code, refused.json()["error"]) == (400, "refused")
        assert "page must be a whole number above 0" in refused.text


def test_the_body_of_a_get_is_not_read(odd):
    _, ann = odd
    assert ann.request("GET", "/things", content=b"{").status_code == 200


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

    class PagedProvider(TableProvider):
        name, title = "paged", "Paged"
        document = str(file)
        rows = (Row("list", "GET /things", lambda _state, _asked: things, listing=listing),)

        def new_state(self):
            return []

        def authenticate(self, _call):
            return "anyone"

        def page_body(self, _asked, page):
            return {"items": page.items, "next": page.next}

    return type("PagedSandbox", (ServerInThread,), {"provider_type": PagedProvider})()


def test_a_list_is_read_to_its_end_by_cursor(tmp_path):
    with paged(tmp_path, Listing(number="cursor", size=2)) as sandbox:
        ids, query = [], {}
        while True:
            page = httpx.get(f"{sandbox.url}/things", params=query).json()
            ids += [item["id"] for item in page["items"]]
            if page["next"] is None:
                break
            query = {"cursor": page["next"]}
        assert ids == [0, 1, 2, 3, 4]
        filtered = httpx.get(f"{sandbox.url}/things", params={"cursor": "2", "name": "a"}).json()
        assert [item["id"] for item in filtered["items"]] == [4]
        for odd_cursor in ("", "0", "-1", "abc", "٢"):
            refused = httpx.get(f"{sandbox.url}/things", params={"cursor": odd_cursor})
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
        assert refused.status_code == 400
        assert "it must match [a-z]+" in refused.text


def test_a_pattern_that_backtracks_too_long_is_named(tmp_path):
    with paged(tmp_path, Listing(controls=["cursor"])) as sandbox:
        refused = httpx.get(f"{sandbox.url}/things", params={"code": "x" * 40})
        assert refused.status_code == 400
        assert "backtracks too long" in refused.text
