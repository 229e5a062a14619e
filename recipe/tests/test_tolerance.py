"""What the generated functions and models make of whatever a provider sends, for every model of two
documents.
"""

import copy
import pickle
from enum import Enum

import httpx
import pytest
from victor_api.api.payment_requests import get_payment_request, list_payment_requests
from victor_api.client import AuthenticatedClient, Client
from victor_api.decoding import misread
from victor_api.errors import MissingMember, UnexpectedStatus, UnreadableBody
from victor_api.models import (
    ConfigurationPropertyName,
    ListPaymentRequestsResponse,
    PaymentRequestReceipt,
    PaymentRequestReceiptDirection,
    PaymentRequestReceiptStatus,
    ValidationErrors,
)
from victor_api.types import UNSET, Unset, required

from tests.server import Server

from .wire import beside

pytestmark = pytest.mark.pull_request


def test_required_returns_a_present_value_and_names_a_missing_one_in_its_error():
    receipt = PaymentRequestReceipt.from_dict(
        {"direction": "OUTBOUND", "status": 5, "error_message": None}
    )
    assert (
        required(receipt, "direction")
        == required(receipt.direction, name="direction")
        == "outbound"
    )
    assert required(0, name="zero") == 0
    assert required(receipt, "status") == 5  # as it came
    for member in ("error_message", "payment_network"):
        with pytest.raises(
            MissingMember, match=rf"PaymentRequestReceipt\.{member} has no value"
        ) as caught:
            required(receipt, member)
        assert pickle.loads(pickle.dumps(caught.value)).member == f"PaymentRequestReceipt.{member}"
    with pytest.raises(MissingMember, match=r"^the network has no value"):
        required(receipt.payment_network, name="the network")
    with pytest.raises(
        MissingMember, match=r"^The value that .* is absent .* required\(payment, \"amount\"\)$"
    ):
        required(receipt.payment_network)
    with pytest.raises(AttributeError, match="directoin"):
        required(receipt, "directoin")


class TestZoo:
    @pytest.mark.parametrize(("value", "kind"), beside("tolerance"))
    def test_a_value_is_read_as_the_member_of_a_union_that_it_fits(self, zoo, value, kind):
        dog = zoo.models.Dog.from_dict({"best": value})
        assert type(dog.best).__name__ == kind
        assert dog.to_dict() == {"best": value}

    def test_odd_items_and_values_of_maps_stay_in_their_places(self, zoo):
        value = {"place": "Rome", "prizes": ["gold", "GOLD", "bronze", 5, None, {}], "judge": [1]}
        dog = zoo.models.Dog.from_dict({"shows": {"may": value, "june": None, "july": 5}})
        show = dog.shows["may"]
        assert show.prizes == ["gold", "gold", "bronze", 5, None, {}]
        assert (show.judge, dog.shows["june"], dog.shows["july"]) == ([1], None, 5)
        assert dog.to_dict() == {
            "shows": {"may": {**value, "prizes": show.prizes}, "june": None, "july": 5}
        }

    def test_a_value_of_another_type_is_kept_in_its_own_attribute(self, zoo):
        value = {
            "born": "04.03.2026",
            "seen": "2026-03-04",
            "id": "7",
            "weight": "3 kg",
            "chip": 43,
            "owner": "Ann",
        }
        being = zoo.models.Being.from_dict({**value, "size": 9})
        assert {name: getattr(being, name) for name in value} == value
        assert being.additional_properties == {}
        assert misread(being) == {*value}  # an unknown word of an enum is of its type
        assert being.to_dict() == {**value, "size": 9}


class TestRules:
    def test_null_is_none_in_a_nullable_field_and_unset_elsewhere_and_is_written_again(self, zoo):
        value = dict.fromkeys(("nick", "owner", "mood", "anything", "id", "size", "parents"))
        being = zoo.models.Being.from_dict(value)
        assert (being.nick, being.owner, being.mood, being.anything) == (None,) * 4
        assert (being.id, being.size, being.parents) == (zoo.types.UNSET,) * 3
        assert being.to_dict() == value
        assert zoo.models.Being.from_dict({"parents": [None]}).parents == [None]
        declared = zoo.models.Being.__annotations__
        assert {name for name, kind in declared.items() if "None" in kind} == {
            "nick",
            "owner",
            "mood",
        }
        being.id = "new"
        assert being.to_dict() == {**value, "id": "new"}

    def test_an_enum_matches_in_any_letter_case_and_keeps_a_word_that_it_does_not_know(
        self,
    ):
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
        # Before Python 3.11.4, an enum pickles a member by a name, which its class does not have.
        assert PaymentRequestReceiptStatus.__reduce_ex__ is not Enum.__reduce_ex__

    @pytest.mark.parametrize("odd", [None, [], "text", 5, [["a", 1]]])
    def test_a_model_cannot_be_made_of_a_value_that_is_no_object(self, odd):
        with pytest.raises(TypeError, match=f"not a value of the type {type(odd).__name__}"):
            PaymentRequestReceipt.from_dict(odd)

    def test_a_field_set_later_replaces_the_odd_value(self):
        receipt = PaymentRequestReceipt.from_dict({"status": 7})
        for word in (PaymentRequestReceiptStatus.PENDING, "pending"):
            receipt.status = word
            assert receipt.to_dict() == {"status": "pending"}

    def test_whole_numbers_may_be_written_with_a_point_and_flags_are_no_numbers(self):
        for value, page in (
            (3.0, 3),
            (True, True),
            (float("inf"), float("inf")),
            (10**5000, 10**5000),
        ):
            found = ListPaymentRequestsResponse.from_dict({"page": value}).page
            assert (type(found), found) == (type(page), page)

    @pytest.mark.parametrize("depth", [90, 150, 5_000])
    def test_an_object_is_read_and_written_at_any_depth(self, depth):
        value = {"empty": False}
        for _ in range(depth):
            value = {"parent": value}
        found = ConfigurationPropertyName.from_dict(value)
        copy_of_it = found.to_dict()
        for _ in range(depth):
            copy_of_it = copy_of_it["parent"]
        assert copy_of_it == {"empty": False}
        ValidationErrors.from_dict(
            {"name": value, "boundProperties": [value], "allErrors": [[[value]]]}
        ).to_dict()

    def test_a_copy_or_pickle_of_unset_is_the_same_object(self):
        assert all(
            each is UNSET
            for each in (copy.deepcopy(UNSET), pickle.loads(pickle.dumps(UNSET)), Unset())
        )
        assert repr(UNSET) == "UNSET"
        assert not UNSET


def client_of(script, kind=Client, **settings):
    return kind("https://api.example", httpx_args={"transport": script.transport}, **settings)


class TestResponses:
    @pytest.mark.parametrize("status", [201, 401, 404, 429, 499, 500, 520, 527, 561, 599])
    def test_an_undocumented_status_raises_unless_the_client_is_told_not_to_raise(self, status):
        script = Server(httpx.Response(status, content=b"<html>account 043987673645"))
        with pytest.raises(UnexpectedStatus) as caught:
            get_payment_request.sync("x", client=client_of(script))
        assert (caught.value.status_code, caught.value.content) == (
            status,
            b"<html>account 043987673645",
        )
        assert "043987673645" not in str(caught.value)
        quiet = get_payment_request.sync_detailed(
            "x", client=client_of(script, raise_on_unexpected_status=False)
        )
        assert (quiet.status_code, quiet.parsed) == (status, None)

    @pytest.mark.parametrize(
        "content",
        [
            *(
                b"",
                b"<html>",
                b"\xff\xfe\xfa",
                b'{"a": 1',
                b"[]",
                b"null",
                b'"text"',
                b"[" * 100_000,
            ),
            b'{"a": ' + b"9" * 5_000 + b"}",
        ],
    )
    @pytest.mark.parametrize("status", [200, 400])
    def test_an_undocumented_body_raises_an_error_that_keeps_its_bytes(self, content, status):
        with pytest.raises(UnreadableBody) as caught:
            list_payment_requests.sync(
                client=client_of(Server(httpx.Response(status, content=content)))
            )
        assert (caught.value.status_code, caught.value.content) == (status, content)
        again = pickle.loads(pickle.dumps(caught.value))
        assert (str(again), again.content) == (str(caught.value), content)
        assert copy.copy(caught.value).reason == caught.value.reason


def test_copies_leave_the_connection_of_the_original_alone():
    script = Server(httpx.Response(200, content=b"{}"))
    client = client_of(script)
    live = client.get_httpx_client()
    copied = (
        client.with_headers({"X-A": "1"}).with_cookies({"c": "1"}).with_timeout(httpx.Timeout(1.5))
    )
    for each in (client, copied, client):
        get_payment_request.sync("x", client=each)
    assert client.get_httpx_client() is live is not copied.get_httpx_client()
    assert [each.headers.get("X-A") for each in script.requests] == [None, "1", None]
    assert [each.headers.get("Cookie") for each in script.requests] == [None, "c=1", None]
    assert [each.extensions["timeout"]["read"] == 1.5 for each in script.requests] == [
        False,
        True,
        False,
    ]


@pytest.mark.parametrize(
    ("options", "sent"), [({}, "Bearer t"), ({"prefix": ""}, "t"), ({"prefix": "Token"}, "Token t")]
)
def test_an_authenticated_client_is_a_client_that_sends_its_token(options, sent):
    script = Server(httpx.Response(200))
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
