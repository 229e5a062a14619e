"""What the generated functions and models make of whatever a provider sends, for every model of two documents."""

from __future__ import annotations

import copy
import json
import pickle
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import httpx
import pytest
import victor_api.models
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from victor_api.api.payment_requests import get_payment_request, list_payment_requests
from victor_api.client import AuthenticatedClient, Client
from victor_api.decoding import NOT_AN_OBJECT
from victor_api.errors import MissingMember, UnexpectedStatus, UnreadableBody
from victor_api.models import (
    ConfigurationPropertyName,
    ListPaymentRequestsResponse,
    PaymentRequestReceipt,
    PaymentRequestReceiptDirection,
    PaymentRequestReceiptStatus,
    RfpPayeeRequestDetails,
    ValidationErrors,
)
from victor_api.types import UNSET, Unset, required

from tests.providers.running import Script
from tests.spec.spec_values import ANY_JSON, Values, gist
from victor_ext.spec.document import load

pytestmark = pytest.mark.thorough
QUICK = settings(
    max_examples=50,
    database=None,
    suppress_health_check=[
        *(HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much),
        HealthCheck.function_scoped_fixture,  # `case` is the same for all examples
    ],
)
MODELS = [name for name in victor_api.models.__all__ if hasattr(getattr(victor_api.models, name), "from_dict")]
NAMED = ("ListPaymentRequestsResponse", "PaymentRequestReceipt", "GetPaymentRequestResponse", "ValidationErrors")
ZOO = ("Being", "Cat", "Dog", "Show", "Response", "Owner")
Case = tuple[Any, Values, dict[str, Any]]

RECEIPT: dict[str, Any] = {
    "victor_payment_request_id": "a7ffd43c37c1",
    "direction": "outbound",
    "status": "created",
    "payment_request": {"payee": {"account_number": "043987673645"}, "created_at": 1683308669000},
}


def survives(model: Any, value: dict[str, Any]) -> None:
    found = model.from_dict(copy.deepcopy(value))
    written = found.to_dict()
    json.dumps(written)
    assert gist(written) == gist(value)
    assert gist(model.from_dict(written).to_dict()) == gist(value)
    repr(found)


@cache
def values_of(document: Path) -> Values:
    return Values(load(document))


@pytest.fixture
def case(request: pytest.FixtureRequest, victor_yaml: Path, zoo: ModuleType, zoo_yaml: Path) -> Case:
    """A model, with the values of its schema."""
    document, name = request.param
    models, path = (victor_api.models, victor_yaml) if document == "victor" else (zoo.models, zoo_yaml)
    values = values_of(path)
    return getattr(models, "ResponseModel" if name == "Response" else name), values, values.schema(name)


@pytest.mark.parametrize(
    "case", [*(("victor", name) for name in NAMED), *(("zoo", name) for name in ZOO)], ids="-".join, indirect=True
)
class TestAnswers:
    @QUICK
    @given(data=st.data())
    def test_a_valid_one_comes_back_as_it_was(self, case: Case, data: st.DataObject) -> None:
        model, values, schema = case
        value = data.draw(values.valid(schema))
        assert model.from_dict(value).to_dict() == value

    @QUICK
    @given(data=st.data())
    def test_a_spoilt_one_does_not_raise_and_loses_nothing(self, case: Case, data: st.DataObject) -> None:
        model, values, schema = case
        survives(model, data.draw(values.mutated(schema)))


def test_a_value_that_must_be_there_is_given_or_named() -> None:
    receipt = PaymentRequestReceipt.from_dict({"direction": "OUTBOUND", "status": 5, "error_message": None})
    assert required(receipt, "direction") == required(receipt.direction, name="direction") == "outbound"
    assert required(0, name="zero") == 0
    for member in ("status", "error_message", "payment_network"):
        with pytest.raises(MissingMember, match=rf"PaymentRequestReceipt\.{member} has no value") as caught:
            required(receipt, member)
        assert pickle.loads(pickle.dumps(caught.value)).member == f"PaymentRequestReceipt.{member}"
    with pytest.raises(MissingMember, match=r"^the network has no value"):
        required(receipt.payment_network, name="the network")
    with pytest.raises(AttributeError, match="directoin"):
        required(receipt, "directoin")


class TestVictor:
    @pytest.mark.parametrize("name", MODELS)
    @QUICK
    @given(data=st.data())
    def test_every_model_takes_any_json_in_every_field(self, name: str, data: st.DataObject) -> None:
        model = getattr(victor_api.models, name)
        wires = [field for field in model.__slots__ if not field.startswith("_")]
        survives(model, data.draw(st.dictionaries(st.sampled_from([*wires, "new"]), ANY_JSON, max_size=6)))

    @pytest.mark.parametrize("name", MODELS)
    @pytest.mark.parametrize("odd", [None, [], "text", 5, 1.5, True, [["deep"]]])
    def test_what_is_no_object_is_held(self, name: str, odd: Any) -> None:
        found = getattr(victor_api.models, name).from_dict(odd)
        assert found.additional_properties == {NOT_AN_OBJECT: odd}


class TestZoo:
    @pytest.mark.parametrize(
        ("value", "kind"),
        [
            ("2026-03-04T05:06:07Z", "datetime"),
            ("tomorrow", "str"),
            (3, "int"),
            ({"place": "Rome"}, "Show"),
            ([{"place": "Rome"}, 5], "list"),
        ],
    )
    def test_a_union_of_many_kinds(self, zoo: ModuleType, value: Any, kind: str) -> None:
        dog = zoo.models.Dog.from_dict({"best": value})
        assert type(dog.best).__name__ == kind
        assert dog.to_dict() == {"best": value}

    def test_odd_items_stay_in_their_places(self, zoo: ModuleType) -> None:
        value = {"place": "Rome", "prizes": ["gold", "GOLD", "bronze", 5, None, {}], "judge": [1]}
        show = zoo.models.Show.from_dict(value)
        assert show.prizes == ["gold", "gold", "bronze", 5, None, {}]
        assert isinstance(show.judge, Unset) or show.judge.__class__.__name__ == "Unset"
        assert show.to_dict() == {**value, "prizes": ["gold", "gold", "bronze", 5, None, {}]}

    def test_free_keys_of_a_declared_type(self, zoo: ModuleType) -> None:
        value = {"shows": {"may": {"place": "Rome"}, "june": None, "july": 5}}
        dog = zoo.models.Dog.from_dict(value)
        assert dog.shows["may"].place == "Rome"
        assert dog.shows["july"].additional_properties == {NOT_AN_OBJECT: 5}
        assert dog.to_dict() == value

    def test_dates_that_are_none_read_as_unset(self, zoo: ModuleType) -> None:
        value = {"born": "04.03.2026", "seen": "2026-03-04", "id": "7", "size": 9, "weight": "3 kg", "chip": 43}
        being = zoo.models.Being.from_dict(value)
        assert not any((being.born, being.seen, being.id, being.weight, being.chip))
        assert being.size == 9
        assert being.to_dict() == value


class TestRules:
    def test_null_reads_as_absent_in_every_declared_field(self) -> None:
        receipt = PaymentRequestReceipt.from_dict(dict.fromkeys(PaymentRequestReceipt.__slots__))
        assert receipt.victor_payment_request_id is UNSET
        assert receipt.payment_request is UNSET
        assert receipt.status is UNSET

    def test_a_required_field_that_is_missing_costs_nothing(self) -> None:
        page = {"results": [RECEIPT, {"payment_request": {"payment_details": {"amount": "1.00"}}}]}
        found = ListPaymentRequestsResponse.from_dict(page)
        details = found.results[1].payment_request.payment_details
        assert (details.amount, details.due_date, details.biller_type) == ("1.00", UNSET, UNSET)

    def test_an_enum_matches_in_any_letter_case_and_keeps_a_word_that_it_does_not_know(self) -> None:
        for text in ("outbound", "OUTBOUND", "Outbound", "oUTBOUND"):
            found = PaymentRequestReceipt.from_dict({"direction": text})
            assert found.direction is PaymentRequestReceiptDirection.OUTBOUND
        found = PaymentRequestReceipt.from_dict({"status": "Frozen"})
        assert found.status == "Frozen"
        assert found.status.value == "Frozen"
        assert isinstance(found.status, PaymentRequestReceiptStatus)
        assert found.status not in list(PaymentRequestReceiptStatus)
        assert found.to_dict() == {"status": "Frozen"}
        assert pickle.loads(pickle.dumps(found)) == copy.deepcopy(found) == found
        assert hash(found.status) == hash("Frozen")

    def test_one_odd_item_leaves_the_others_alone(self) -> None:
        page = {"results": [RECEIPT, {**RECEIPT, "status": 7, "payment_request": "gone"}, None, "?", RECEIPT]}
        found = ListPaymentRequestsResponse.from_dict(page).results
        assert found[0] == found[4] == PaymentRequestReceipt.from_dict(RECEIPT)
        assert found[1].victor_payment_request_id == RECEIPT["victor_payment_request_id"]
        assert (found[1].status, found[1].payment_request) == (UNSET, UNSET)
        assert found[1].additional_properties == {"status": 7, "payment_request": "gone"}
        assert found[3].additional_properties == {NOT_AN_OBJECT: "?"}
        assert ListPaymentRequestsResponse.from_dict(page).to_dict() == page

    def test_a_field_set_later_replaces_the_odd_value(self) -> None:
        receipt = PaymentRequestReceipt.from_dict({"status": 7})
        for word in (PaymentRequestReceiptStatus.PENDING, "pending"):
            receipt.status = word  # type: ignore[assignment] - what users write
            assert receipt.to_dict() == {"status": "pending"}

    def test_whole_numbers_may_be_written_with_a_point_and_flags_are_no_numbers(self) -> None:
        for value, page in ((3.0, 3), (True, UNSET), (float("inf"), UNSET), (10**5000, 10**5000)):
            assert ListPaymentRequestsResponse.from_dict({"page": value}).page == page

    @pytest.mark.parametrize("depth", [90, 150, 5_000])
    def test_nesting_of_any_depth(self, depth: int) -> None:
        value: dict[str, Any] = {"empty": False}
        for _ in range(depth):
            value = {"parent": value}
        found = ConfigurationPropertyName.from_dict(value)
        copy_of_it = found.to_dict()
        for _ in range(depth):
            copy_of_it = copy_of_it["parent"]
        assert copy_of_it == {"empty": False}
        ValidationErrors.from_dict({"name": value, "boundProperties": [value], "allErrors": [[[value]]]}).to_dict()

    def test_required_fields_of_a_request_are_required(self) -> None:
        with pytest.raises(TypeError, match="account_number"):
            RfpPayeeRequestDetails()  # type: ignore[call-arg] - that is the test

    def test_unset_stays_itself(self) -> None:
        assert all(each is UNSET for each in (copy.deepcopy(UNSET), pickle.loads(pickle.dumps(UNSET)), Unset()))
        assert repr(UNSET) == "UNSET"
        assert not UNSET


def client_of(script: Script, kind: type[Client] = Client, **settings: Any) -> Client:
    return kind("https://api.example", httpx_args={"transport": script.transport}, **settings)


class TestResponses:
    @pytest.mark.parametrize("status", [201, 401, 404, 429, 499, 500, 520, 527, 561, 599])
    def test_an_undocumented_status_is_never_silence(self, status: int) -> None:
        script = Script(httpx.Response(status, content=b"<html>account 043987673645"))
        with pytest.raises(UnexpectedStatus) as caught:
            get_payment_request.sync("x", client=client_of(script))
        assert (caught.value.status_code, caught.value.content) == (status, b"<html>account 043987673645")
        assert "043987673645" not in str(caught.value)
        quiet = get_payment_request.sync_detailed("x", client=client_of(script, raise_on_unexpected_status=False))
        assert (quiet.status_code, quiet.parsed) == (status, None)

    @pytest.mark.parametrize(
        "content",
        [
            *(b"", b"<html>", b"\xff\xfe\xfa", b'{"a": 1', b"[]", b"null", b'"text"', b"[" * 100_000),
            b'{"a": ' + b"9" * 5_000 + b"}",
        ],
    )
    @pytest.mark.parametrize("status", [200, 400])
    def test_a_body_that_is_something_else(self, content: bytes, status: int) -> None:
        with pytest.raises(UnreadableBody) as caught:
            list_payment_requests.sync(client=client_of(Script(httpx.Response(status, content=content))))
        assert (caught.value.status_code, caught.value.content) == (status, content)
        again = pickle.loads(pickle.dumps(caught.value))
        assert (str(again), again.content) == (str(caught.value), content)
        assert copy.copy(caught.value).reason == caught.value.reason

    def test_numbers_that_are_none(self) -> None:
        content = b'{"page": 1e999, "page_size": NaN, "results": [{"payment_request": {"created_at": Infinity}}]}'
        found = list_payment_requests.sync(client=client_of(Script(httpx.Response(200, content=content))))
        assert isinstance(found, ListPaymentRequestsResponse)
        assert not found.page
        assert found.to_dict()["page"] == float("inf")


class TestTheClient:
    def test_copies_leave_the_connection_of_the_original_alone(self) -> None:
        script = Script(httpx.Response(200, content=b"{}"))
        client = client_of(script)
        live = client.get_httpx_client()
        before = (dict(live.headers), dict(live.cookies), live.timeout)
        timeout = httpx.Timeout(1.5)
        copies = [client.with_headers({"X-A": "1"}), client.with_cookies({"c": "1"}), client.with_timeout(timeout)]
        assert (dict(live.headers), dict(live.cookies), live.timeout) == before
        for each in copies:
            assert each.get_httpx_client() is not live
            get_payment_request.sync("x", client=each)
        assert script.requests[0].headers["X-A"] == "1"
        assert script.requests[1].headers["Cookie"] == "c=1"
        assert script.requests[2].extensions["timeout"]["read"] == 1.5


@pytest.mark.parametrize(
    ("options", "sent"), [({}, "Bearer t"), ({"prefix": ""}, "t"), ({"prefix": "Token"}, "Token t")]
)
def test_an_authenticated_client_is_a_client_that_sends_its_token(options: dict[str, str], sent: str) -> None:
    script = Script(httpx.Response(200))
    client = client_of(script, AuthenticatedClient, token="t", headers={"X-A": "1"}, **options)
    other = client.with_headers({"X-B": "2"})
    assert isinstance(client, Client)
    assert type(other) is AuthenticatedClient
    for each in (client, other):
        with each as entered:
            entered.get_httpx_client().get("/")
    headers = [request.headers for request in script.requests]
    assert [(each["Authorization"], each["X-A"], each.get("X-B")) for each in headers] == [
        (sent, "1", None),
        (sent, "1", "2"),
    ]
