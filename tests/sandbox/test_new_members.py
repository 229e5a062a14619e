"""A member that is new in a document is served by its sandbox, with no line written by hand: kept,
shown, filtered by, and refused beyond its limits. The calls share nothing with the client.
"""

import json
import uuid
from string import Template

import pytest
import yaml

from tests.cases import cases_beside
from tests.payments import wire_body
from tests.providers.systems import of_every_system
from tests.sandbox.desks import DESKS, desk_of
from victor_ext.sandbox.server import _document

pytestmark = pytest.mark.slow
CASES = cases_beside(__file__, "new_members")
CASES["victor"]["body"] = wire_body(payer_counterparty_id="acme000001", copies=1)


def system_of(case):
    return case.partition(" ")[0]


def joined(old, new, *, append=False):
    """The old value with the members and the items of the new one; `append`: items come after the
    old ones, else they are joined with them.
    """
    if isinstance(old, dict) and isinstance(new, dict):
        more = {name: joined(old.get(name), new[name], append=append) for name in new}
        return {**old, **more}
    if isinstance(old, list) and isinstance(new, list):
        return [*old, *new] if append else [joined(*both) for both in zip(old, new, strict=True)]
    return new


@pytest.fixture(scope="module", autouse=True)
def newer(tmp_path_factory):
    """The sandboxes read newer documents, which have what is planted, too."""
    folder = tmp_path_factory.mktemp("newer")
    for system in DESKS:
        text = _document.document_path(f"{system}.yaml").read_text(encoding="utf-8")
        tree = yaml.load(text, Loader=yaml.CSafeLoader)
        for name, case in CASES.items():
            if system_of(name) == system:
                tree = joined(tree, case["planted"], append=True)
        (folder / f"{system}.yaml").write_text(json.dumps(tree), encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_document, "document_path", folder.joinpath)
        _document.load_document.cache_clear()
        yield
    _document.load_document.cache_clear()


class Served:
    """A sandbox that serves a newer document, in which one thing was made with what is new, and one
    without.
    """

    def __init__(self, case, desk):
        self.case, self.http, self.party, self.id = case, desk.http, desk.party, ""
        self.send(case["body"])
        before = self.found("")
        self.made = self.send(joined(case["body"], case["says"]))
        is_listed = "lists" in case
        (self.id,) = self.found("") - before if is_listed else [self.made.json()["id"]]

    def filled(self, value):
        """A value with the ids in their places."""
        names = {"mid": self.party, "id": self.id, "key": str(uuid.uuid4())}
        return json.loads(Template(json.dumps(value)).safe_substitute(names))

    def post(self, path, body):
        kind = "data" if "/eastpay/" in path else "json"
        return self.http.post(self.filled(path), **{kind: self.filled(body)})

    def send(self, body):
        response = self.post(self.case["path"], body)
        assert response.status_code in (200, 201, 202), response.text
        return response

    def read(self, name):
        """What is made as one of the `reads` shows it."""
        path, steps = ("", []) if name == "made" else self.case["reads"][name]
        found = self.made.json() if name == "made" else self.http.get(self.filled(path)).json()
        for step in steps:
            found = found[step]
        return found

    def query(self, filters):
        lists = self.case["lists"]
        return self.http.get(self.filled(f"{lists['path']}?{lists.get('query', '')}{filters}"))

    def found(self, filters):
        """The ids of the items that pass the filters; none, if there is no list."""
        if "lists" not in self.case:
            return set()
        response, lists = self.query(filters), self.case["lists"]
        assert response.status_code == 200, response.text
        return {item[lists["id"]] for item in response.json()[lists["items"]]}


@pytest.fixture(scope="module", params=of_every_system(__name__, CASES))
def served(request):
    system = system_of(request.param)
    with desk_of(system, **({"demo_data": True} if system == "victor" else {})) as desk:
        yield Served(CASES[request.param], desk)


def test_a_new_member_of_a_body_is_shown_in_responses_that_have_a_member_of_its_name(served):
    for name, expected in served.case["shown"].items():
        found = served.read(name)
        assert joined(found, expected) == found, name


def test_a_new_filter_finds_only_the_record_whose_body_had_the_value(served):
    if "lists" not in served.case:
        return
    assert len(served.found("")) > 1
    for filters in served.case["finds"]:
        assert served.found(filters) == {served.id}, filters
    for filters in served.case["misses"]:
        assert served.found(filters) == set(), filters
    assert served.found("unheard=1") == served.found("")


def test_a_request_from_outside_needs_no_argument_for_what_a_newer_document_requires():
    with desk_of("victor") as desk:
        assert desk.sandbox.create_inbound("10.00")
