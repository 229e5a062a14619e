"""What the generated functions and models make of whatever a provider sends, for every model of two
documents.
"""

import copy
import pickle

import httpx
import pytest
from victor_api.api.payment_requests import get_payment_request, list_payment_requests
from victor_api.client import Client
from victor_api.decoding import misread
from victor_api.errors import MissingMember, UnexpectedStatus, UnreadableBody
from victor_api.models import (
    PaymentRequestReceipt,
)
from victor_api.types import required

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
