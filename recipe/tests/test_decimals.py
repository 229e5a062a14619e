"""Numbers keep their digits: Decimal in every body, and where the document or an option says so, in
what is read.
"""

from decimal import Decimal

import httpx
import pytest

from .command import run
from .wire import (
    an_object,
    answering,
    beside,
    document,
    listed,
    package,
    ref,
    written,
)

pytestmark = pytest.mark.pull_request
NUMBER = {"type": "number"}
LONG = "12345678901234567.89"


DOCUMENTS = beside("decimals")
wire = package(httpx.Response(200, json=""), **DOCUMENTS["exact"])
floats = package(**DOCUMENTS["floats"])


def test_digits_are_exact_from_json_and_back(wire):
    text = f'{{"price":{LONG},"rate":0.1,"none":null,"either":"x","more":1.5}}'
    card = wire.read("card", httpx.Response(200, content=text.encode()))
    assert (card.price, card.rate, card.either) == (Decimal(LONG), 0.1, "x")
    sent = wire.send("as_json", body=card).content.decode()
    assert sent == f'{{"more":1.5,"price":{LONG},"rate":0.1,"none":null,"either":"x"}}'


@pytest.mark.parametrize(("way", "member"), [("exact", "price"), ("floats", "cents")])
@pytest.mark.parametrize("word", ["NaN", "Infinity", "-Infinity"])
def test_nan_and_infinity_in_a_response_are_read_as_null(wire, floats, way, member, word):
    response = httpx.Response(200, content=f'{{"{member}":{word},"name":"a"}}'.encode())
    card = (wire if way == "exact" else floats).read("card", response)
    assert card.to_dict() == {member: None, "name": "a"}
    assert type(getattr(card, member)).__name__ == "Unset"


@pytest.mark.parametrize(("text", "cents"), DOCUMENTS["whole"])
@pytest.mark.parametrize("way", ["exact", "floats", "webhook"])
def test_the_digits_decide_what_is_a_whole_number(wire, floats, way, text, cents):
    body = f'{{"cents":{text}}}'
    if way == "webhook":
        webhooks = floats.webhooks
        if cents is None:
            with pytest.raises(webhooks.UnreadableWebhook):
                webhooks.read_webhook(body)
            return
        read = webhooks.read_webhook(body)
    else:
        read = (wire if way == "exact" else floats).read(
            "card", httpx.Response(200, content=body.encode())
        )
    assert (type(read.cents) is int) is (cents is not None)
    assert cents is None or read.cents == cents
    assert read.to_dict() == {"cents": read.cents}


def test_a_decimal_is_sent_in_every_kind_of_body(wire):
    amount = Decimal("0.10")
    assert wire.send("as_json", body=wire.models.Card(rate=amount)).content == b'{"rate":0.10}'
    assert (
        wire.send("form", body=wire.models.FormBody(amount=Decimal("1E+2"))).content
        == b"amount=100"
    )
    inner = wire.models.PartsBodyMore(a=amount)
    parts = wire.send("parts", body=wire.models.PartsBody(amount=amount, more=inner)).content
    assert b"\r\n\r\n0.10\r\n" in parts
    assert b'{"a":0.10}' in parts
    assert wire.target("find", most=Decimal("0.10")) == "/find?most=0.10"


COUNTED = {"rate": NUMBER, "total_count": NUMBER}
SCHEMAS = {"Card": an_object(price=NUMBER, amounts=listed(NUMBER), **COUNTED)}
PATHS = {"/card": {"get": answering(ref("Card"), operationId="card")}}


def test_the_option_decimals_names_the_numbers_that_are_exact(tmp_path, capsys):
    """Without it, `generate` says which amounts become float, and names the option."""
    path = written(tmp_path, document(PATHS, SCHEMAS))
    out = ["--out", tmp_path]
    options = ["--decimals", "Card.price", "--decimals", "*.amounts*"]
    assert run("generate", path, *out, *options) == 0
    text = (tmp_path / "some_api/models/card.py").read_text()
    assert "price: Decimal | Unset" in text
    assert "amounts: list[Decimal] | Unset" in text
    assert "rate: float | Unset" in text
    assert run("check", path, *out, *options) == 0
    assert run("check", path, *out) == 1
    capsys.readouterr()
    assert run("generate", path, *out) == 0
    assert "amount-as-float (2): A float does not hold every amount. --decimals" in (
        capsys.readouterr().out
    )
    assert run("generate", path, *out, "--decimals", "Card.prise") == 2
    assert "--decimals 'Card.prise' names no number" in capsys.readouterr().err
