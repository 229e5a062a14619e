"""Filters and pages."""

from datetime import UTC, datetime

import pytest

from tests.cases import cases_beside
from tests.contracts.document import Document
from tests.sandbox.desks import desk_of
from tests.sandbox.sandbox_callers import LIST

pytestmark = [pytest.mark.slow, pytest.mark.hours]
CASES = cases_beside(__file__)


def ids(items):
    return [item["victor_payment_request_id"] for item in items]


def day_of(seconds):
    return datetime.fromtimestamp(seconds, UTC).date().isoformat()


def zulu(seconds):
    return (
        datetime.fromtimestamp(seconds, UTC)
        .isoformat(timespec="milliseconds")
        .replace("+00:00", "Z")
    )


@pytest.mark.parametrize(("options", "query", "expected"), CASES["queries"])
def test_each_query_gets_its_page(start, options, query, expected):
    sandbox, caller = start(**options)
    made = {}
    for letter in "abcdefg":
        made[letter] = caller.created()
        sandbox.advance(60)
    times = {letter: zulu(each["payment_request"]["created_at"]) for letter, each in made.items()}
    response = caller.call("GET", f"{LIST}?{query.format(**times)}")
    if isinstance(expected, int):
        assert response.status_code == expected
        return
    letters = {item: letter for letter, each in made.items() for item in ids([each])}
    body = response.json()
    found = "".join(letters[item] for item in ids(body["results"]))
    assert expected in (found, f"{found} {body['page']}/{body['page_size']}")


def test_the_default_page_has_the_newest_fifty(caller):
    made = [caller.created() for _ in range(51)]
    assert ids(caller.listed()) == ids(made)[:0:-1]
    assert caller.listed(page=2147483647, page_size=1) == []


def test_every_filter_of_the_document_finds_its_requests_and_no_other(both):
    sandbox, caller = both
    sandbox.add_account("243884643621")
    sandbox.add_counterparty("aHeq349838", account_number="243884643621")
    sandbox.add_counterparty("fednow0001", network="FedNow")
    made = caller.created(amount="5.00")
    parent = made["victor_payment_request_id"]
    child = made["victor_payment_request_child_id"]
    sandbox.advance(60)
    fednow = caller.created(
        counterparty="fednow0001", due_date=day_of(sandbox.clock()["now"] + 86_400)
    )
    fednow = fednow["victor_payment_request_id"]
    first = sandbox.request(parent)
    last = sandbox.request(fednow)
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
    assert expected.keys() == declared["properties"].keys() - {"page", "page_size"}
    for name, (value, wanted) in expected.items():
        assert set(ids(caller.listed(**{name: value}))) == wanted, name
        pages = [ids(caller.listed(**{name: value}, page_size=1, page=page)) for page in (0, 1, 2)]
        assert sum(map(len, pages)) == len(wanted), name
    assert ids(caller.listed(status="accepted", direction="outbound")) == [parent]
    assert ids(caller.listed(approval_end_datetime=zulu(approved + 5), victor_id=child)) == [child]
    assert len(caller.listed(something_else="x")) == 3


NO_FILTERS = {
    "payorId",
    "page",
    "pageSize",
    "sort",
    "sensitive",
    "updatedSince",
    "includeUserDeleted",
}
MEMBERS = {"payeeCountry": "country", "submittedDate": "submittedDateTime"}


def velo_lists():
    """Each list in Velo's document: its path, and whether each parameter of its query is
    required.
    """
    for operation in Document.of("velo").operations:
        query = {
            each["name"]: each.get("required", False)
            for each in operation.parameters
            if each["in"] == "query"
        }
        if "page" in query:
            yield operation.path, query


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
        desk.webhook("https://example.com")
        ids = {"payorId": desk.party, "payoutId": desk.payout.rpartition("/")[2]}

        def read(path, expected=200, /, **query):
            query = {"payorId": desk.party, "updatedSince": "2020-01-01T00:00:00Z", **query}
            given = {name: value for name, value in query.items() if value is not None}
            response = desk.http.get(path.format(**ids), params=given)
            assert response.status_code == expected, response.text
            return response.json().get("content")

        yield read


@pytest.mark.parametrize(("path", "query"), [*velo_lists()])
def test_velo_s_payor_is_required_where_the_document_says_so(velo, path, query):
    if "payorId" in query:
        velo(path, 400 if query["payorId"] else 200, payorId=None)
        velo(path, 403, payorId="of-somebody-else")


def test_velo_s_lists_are_in_the_document_s_order_unless_the_query_says_otherwise(velo):
    """The defaults of `sort` in Velo's document 2.35."""
    for path, name in {"/v2/fundingAccounts": "accountName", "/v4/payees": "displayName"}.items():
        names = [each[name] for each in velo(path)]
        assert len(set(names)) == len(names) > 1
        assert names == sorted(names)
        assert [each[name] for each in velo(path, sort=f"{name}:desc")] == names[::-1]


@pytest.mark.parametrize(
    ("path", "name"),
    [(path, name) for path, query in velo_lists() for name in query if name not in NO_FILTERS],
)
def test_every_filter_of_velo_s_document_finds_what_has_its_value_and_nothing_else(
    velo, path, name
):
    items = velo(path)
    assert items
    range_ = name.removesuffix("From").removesuffix("To")
    is_amount = range_ in ("sourceAmount", "paymentAmount")
    nothing = {
        "From": "999" if is_amount else "9999-12-31",
        "To": "0" if is_amount else "0001-01-01",
    }
    assert velo(path, **{name: nothing.get(name.removeprefix(range_), "true")}) == []
    in_payor = items[0].get("payorRefs", [{}])[0]
    value = items[0].get(MEMBERS.get(range_, range_)) or in_payor.get(range_)
    if value:
        assert items[0] in velo(path, **{name: str(value)[:10] if "Date" in name else value})


@pytest.mark.parametrize("path", sorted({path for path, _ in velo_lists()}))
def test_a_parameter_that_velo_s_document_does_not_name_changes_nothing(velo, path):
    assert velo(path) == velo(path, whatever="x", payorRefsFrom="1", currencyTo="USD")


@pytest.mark.parametrize(("query", "code"), CASES["wrong filters"].items())
def test_a_wrong_filter_is_a_400_in_springs_words(caller, query, code):
    response = caller.call("GET", f"/v2/payment-requests?{query}")
    assert response.status_code == 400
    error = response.json()["allErrors"][0]
    assert error["codes"][0] == code
    assert error["objectName"] == "listPaymentRequests"
