"""Any JSON in any place of any model is written again as it was read; and an object is of the class
that its word names.
"""

import copy
import importlib
import json
import pickle
from functools import cache
from pathlib import Path

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.calls.values import ANY_JSON, Values, gist, mutated
from tests.cases import ROOT
from victor_spec.document import load

from .wire import beside, package, reading

pytestmark = pytest.mark.pull_request
MANY = settings(
    max_examples=60,
    database=None,
    suppress_health_check=[
        *HealthCheck
    ],  # the packages are the same for all examples, and the values large
)
PACKAGES = ("victor", "velo", "eastpay", "flexfactor")
DOCUMENT = beside("reading")
SCHEMAS = DOCUMENT["schemas"]
wire = package(**reading(SCHEMAS))


def read_and_written(model, value):
    """The model of a value, after it was compared with what it is written as."""
    found = model.from_dict(copy.deepcopy(value))
    written = found.to_dict()
    json.dumps(written)
    repr(found)
    assert gist(written) == gist(value)
    assert gist(model.from_dict(written).to_dict()) == gist(value)
    return found


@cache
def values_of(name):
    return Values(
        load(
            Path(__file__).with_name("zoo.yaml")
            if name == "zoo"
            else ROOT / "openapi" / f"{name}.yaml"
        )
    )


@pytest.mark.parametrize("name", [*PACKAGES, "zoo"])
@MANY
@given(data=st.data())
def test_a_model_gives_back_any_json_that_it_read(name, data, request):
    models = (
        request.getfixturevalue("zoo").models
        if name == "zoo"
        else importlib.import_module(f"{name}_api.models")
    )
    classes = sorted(each for each in models.__all__ if hasattr(getattr(models, each), "from_dict"))
    chosen = data.draw(st.sampled_from(classes))
    model = getattr(models, chosen)
    values = values_of(name)
    wires = [field for field in model.__slots__ if not field.startswith("_")]
    anything = st.dictionaries(st.sampled_from([*wires, "new"]), ANY_JSON, max_size=6)
    read_and_written(model, data.draw(anything))
    if chosen in values.names:
        valid = values.valid(chosen)
        read_and_written(model, data.draw(mutated(valid)))
        value = data.draw(valid)
        assert model.from_dict(value).to_dict() == value


@pytest.mark.parametrize(("member", "value", "kind"), DOCUMENT["classes"])
def test_an_object_is_of_the_class_that_its_discriminating_word_selects(wire, member, value, kind):
    holder = read_and_written(wire.models.Holder, {member: value})
    found = getattr(holder, member)
    found = {"many": lambda: found[0], "named": lambda: found["a"]}.get(member, lambda: found)()
    assert type(found).__name__ == kind


@pytest.mark.parametrize(("field", "text", "written"), DOCUMENT["formats"])
def test_a_text_that_fits_its_format_is_parsed_and_any_other_stays_text(wire, field, text, written):
    found = wire.models.Formats.from_dict({field: text})
    assert isinstance(getattr(found, field), str) is (written is False)
    pickled = [pickle.dumps(found, protocol) for protocol in range(pickle.HIGHEST_PROTOCOL + 1)]
    for each in (found, copy.copy(found), copy.deepcopy(found), *map(pickle.loads, pickled)):
        assert each == found
        assert each.to_dict() == {field: written if isinstance(written, str) else text}


def test_an_unknown_variant_is_the_object_as_it_came(wire):
    value = {"type": "ideal", "bank": {"bic": "1"}, "none": None}
    payment = wire.read("payment", httpx.Response(200, json=value))
    assert isinstance(payment, wire.types.UnknownVariant)
    assert payment.raw == payment.to_dict() == {**payment} == value
    assert payment["bank"] == {"bic": "1"}
    assert payment.get("more") is None
    assert len(payment) == 3
    assert copy.deepcopy(payment) == payment
    many = [value, {"type": "sepa", "memo": None}]
    holder = wire.models.Holder.from_dict({"payment": payment, "many": many})
    assert [type(each).__name__ for each in holder.many] == ["UnknownVariant", "Sepa"]
    assert holder.to_dict() == {"payment": value, "many": many}
