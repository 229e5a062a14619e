"""Filters and pages."""

from datetime import UTC, datetime

import pytest

from tests.cases import cases_beside
from tests.contracts.document import Document
from tests.sandbox.desks import desk_of
from tests.sandbox.sandbox_callers import LIST

pytestmark = pytest.mark.slow
CASES = cases_beside(__file__)


def ids(items):
    return [item["victor_payment_request_id"] for item in items]


def day_of(seconds):
    return datetime.fromtimestamp(seconds, UTC).date().isoformat()


def zulu(seconds):
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S.%f}"[:-3] + "Z"


@pytest.mark.parametrize(("options", "query", "expected"), CASES["queries"])
def test_each_query_of_a_list_gets_the_page_that_the_case_expects(start, options, query, expected):
    sandbox, caller = start(**options)
    made = {}
    for letter in "abcdefg":
        made[letter] = caller.created()
        sandbox.advance(60)
    times = {letter: zulu(each["payment_request"]["created_at"]) for letter, each in made.items()}
    response = caller.call("GET", f"{LIST}?{query.format(**times)}")
    body = response.json()
    letters = {item: letter for letter, each in made.items() for item in ids([each])}
    found = "".join(letters[item] for item in ids(body.get("results", [])))
    page = f"{found} {body.get('page')}/{body.get('page_size')}"
    assert expected in (found, page) if response.is_success else expected == response.status_code


def test_every_filter_of_the_document_finds_its_requests_and_no_other(both):
    sandbox, caller = both
    sandbox.add_account("243884643621")
    sandbox.add_counterparty("aHeq349838", account_number="243884643621")
    sandbox.add_counterparty("fednow0001", network="FedNow")
    made = caller.created(amount="5.00")
    parent, child = (made[f"victor_payment_request_{which}id"] for which in ("", "child_"))
    sandbox.advance(60)
    tomorrow = day_of(sandbox.clock()["now"] + 86_400)
    [fednow] = ids([caller.created(payer_counterparty_id="fednow0001", due_date=tomorrow)])
    first, last = sandbox.request(parent), sandbox.request(fednow)
    sandbox.respond(child, "Accepted")
    approved = sandbox.clock()["now"]
    expected = {
        "victor_id": (child, {child}),
        "status": ("accepted", {parent, child}),
        "direction": ("inbound", {child}),
        "victor_payment_request_parent_id": (parent, {child}),
        "victor_payment_request_child_id": (child, {parent}),
        "network_type": ("FedNow", {fednow}),
        "tracking_id": (last["tracking_id"], {fednow}),
        "instant_payment_rails_id": (last["rails_id"], {fednow}),
        "start_datetime": (zulu(first["created_at"] + 1), {fednow}),
        "end_datetime": (zulu(last["created_at"] - 1), {parent, child}),
        "approval_start_datetime": (zulu(approved - 5), {parent, child}),
        "approval_end_datetime": (zulu(approved - 5), set()),
        "due_date_start_date": (last["due_date"], {fednow}),
        "due_date_end_date": (first["due_date"], {parent, child}),
    }
    declared = Document.of("victor").tree["components"]["schemas"]["ListPaymentRequests"]
    assert expected.keys() <= declared["properties"].keys()
    for name, (value, wanted) in expected.items():
        assert set(ids(caller.listed(**{name: value}))) == wanted, name
        pages = [ids(caller.listed(**{name: value}, page_size=1, page=page)) for page in (0, 1, 2)]
        assert sum(map(len, pages)) == len(wanted), name
    assert ids(caller.listed(status="accepted", direction="outbound")) == [parent]
    assert ids(caller.listed(approval_end_datetime=zulu(approved + 5), victor_id=child)) == [child]
    assert len(caller.listed(something_else="x")) == 3, "what is no filter"


NO_FILTERS = {
    *("payorId", "page", "pageSize", "sort", "sensitive", "updatedSince", "includeUserDeleted")
}
MEMBERS = {"payeeCountry": "country", "submittedDate": "submittedDateTime"}
QUERIES = {
    operation.path: {
        each["name"]: each.get("required", False)
        for each in operation.parameters
        if each["in"] == "query"
    }
    for operation in Document.of("velo").operations
}
VELO_LISTS = {path: query for path, query in QUERIES.items() if "page" in query}
"""Each list in Velo's document, and whether each parameter of its query is required."""


@pytest.fixture(scope="module")
def velo():
    """How a caller of Velo's sandbox, in which each list has items, reads a list."""
    with desk_of("velo") as desk:
        for name in ("b", "a"):
            payee = {
                "remoteId": name, "type": "Individual", "email": f"{name}@example.com",
                "individual": {"name": {"firstName": name, "lastName": name}},
                "address": {"line1": "1 Main Street", "city": "Austin", "country": "US"},
            }  # fmt: skip
            desk.http.post("/v4/payees", json={"payorId": desk.party, "payees": [payee]})
        desk.sandbox.add_funding_account("A bank", "USD")
        desk.fund("USD", "5")
        desk.submit(paymentMemo="m", remoteSystemId="s", remoteId="b")
        desk.submit(paymentMemo="m", remoteSystemId="s", remoteId="a", reference="INV-2")
        desk.instruct()
        desk.sandbox.advance(30)
        ids = {"payorId": desk.party, "payoutId": desk.payout.rpartition("/")[2]}

        def read(path, expected=200, /, **query):
            query = {"payorId": desk.party, "updatedSince": "2020-01-01T00:00:00Z", **query}
            given = {name: value for name, value in query.items() if value is not None}
            response = desk.http.get(path.format(**ids), params=given)
            assert response.status_code == expected, response.text
            return response.json().get("content")

        yield read


FILTERS = [
    (path, name) for path, names in VELO_LISTS.items() for name in names if name not in NO_FILTERS
]
BORDERS = [each for each in FILTERS if each[1].endswith(("From", "To"))]
OF_NO_ITEM = {
    *("physicalAccountName", "physicalAccountId", "fundingAccountId", "payorName", "payoutMemo"),
    *("fromPayorName", "scheduleStatus", "postInstructFxStatus"),
    *("scheduledForDateFrom", "scheduledForDateTo"),
}
"""Filters of members that no item here has. A payout that is scheduled has `schedule`."""


def value_of(item, name):
    """What an item has for a filter: a member of its own, or of its payor's reference to it."""
    member = MEMBERS.get(name, name)
    return item.get(member) or item.get("payorRefs", [{}])[0].get(member)


@pytest.mark.parametrize(
    ("path", "name"),
    [each for each in FILTERS if each not in BORDERS and each[1] not in OF_NO_ITEM],
)
def test_a_filter_of_velo_s_document_finds_the_items_that_have_its_value_and_no_other(
    velo, path, name
):
    items = velo(path)
    value = next(filter(None, (value_of(each, name) for each in items)))
    assert velo(path, **{name: value}) == [each for each in items if value_of(each, name) == value]


@pytest.mark.parametrize(("query", "code"), CASES["wrong filters"].items())
def test_a_wrong_filter_is_answered_with_400_in_the_form_of_spring_errors(caller, query, code):
    response = caller.call("GET", f"{LIST}?{query}")
    error = response.json()["allErrors"][0]
    seen = (response.status_code, error["codes"][0], error["objectName"])
    assert seen == (400, code, "listPaymentRequests")
