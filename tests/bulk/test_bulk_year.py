"""Twelve months of ordinary lists of a shop with 300 payers: how often is a person asked whether a
new row is a payment in another spelling? Nothing is respelled: each question is one too many.
"""

import json
from email.utils import format_datetime
from itertools import count
from random import Random

import httpx
import pytest

from benchmarks.answers import payment
from tests.bulk.bulk_runs import in_days, row, write_csv
from tests.tiers import borders
from victor_ext import ConfigurationError, Victor, VictorOAuth, zulu

pytestmark = pytest.mark.slow
PAYERS = [f"payer{number:05}" for number in range(300)]
MONTH, WEEK = 30, 7
FEES = (None, None, "49.00", "99.00")
"""What payers owe each time; None: another amount each time."""


class Shop:
    """Makes lists of invoices: each has a number of its own, and is due on the day of its list."""

    def __init__(self, seed):
        self.dice = Random(seed)
        self.fees = {payer: self.dice.choice(FEES) for payer in PAYERS}
        self._numbers = count(1)

    def invoices(self, day, payers):
        """A new invoice of each of these payers, by its number."""
        made = {}
        for payer in payers:
            amount = self.fees[payer] or f"{self.dice.randint(1000, 90000) / 100:.2f}"
            record = row(
                next(self._numbers),
                payer_counterparty_id=payer,
                amount=amount,
                due_date=in_days(day),
            )
            made[record["invoice_no"]] = record
        return made

    def some(self, share):
        return [payer for payer in PAYERS if self.dice.random() < share]


class Asked:
    """How many rows a person was asked about, and which lists were refused as other lists."""

    def __init__(self):
        self.rows, self.new, self.refused = 0, 0, []


@pytest.fixture
def client():
    """Of a provider that creates whatever it is asked for."""
    numbers = count(1)

    def respond(request):
        response = response_to(request)
        response.headers["Date"] = format_datetime(zulu.now(), usegmt=True)
        return response

    def response_to(request):
        if request.url.path.endswith("/auth/token"):
            told = {"access_token": "canned", "token_type": "Bearer", "expires": 4_000_000_000_000}
            return httpx.Response(200, json=told)
        if request.method == "GET":
            return httpx.Response(200, json={"page": 0, "page_size": 50, "results": []})
        sent = json.loads(request.content)
        told = json.loads(payment("victor", f"{next(numbers):08d}"))
        told["client_reference_id"] = sent.pop("client_reference_id", None)
        sent["payment_details"]["original_amount"] = sent["payment_details"]["amount"]
        told["payment_request"].update(sent)
        return httpx.Response(200, json=told)

    with Victor(VictorOAuth("id", "secret"), transport=httpx.MockTransport(respond)) as made:
        yield made


@pytest.fixture
def send(sender, client, pass_days, tmp_path):
    """Sends a list on its day. A person says that all rows in question are payments of their own.

    A list that is refused as another one is sent under the name of its day.
    """

    def send(asked, day, sheet, batch, *, is_file=False):
        pass_days(day)
        assert not [*client.payment_requests.list(page_size=1)], "the client learns the time"
        own = sender(batch=batch)
        try:
            if is_file:
                status = sender(batch=None).send(write_csv(tmp_path / batch, sheet.values()))
            else:
                status = own.send(sheet.values())
        except ConfigurationError as error:
            if "Is it another list? Then name it" not in str(error):
                raise
            asked.refused.append(day)
            send(asked, day, sheet, f"{batch} {day}")
            return
        in_question = [each.key_value for each in status.notices if each.code == "looks_like"]
        asked.rows += len(in_question)
        asked.new += status.check.new + len(in_question)
        if in_question:
            own.ask_again(in_question, by="Ann", why="It is another invoice.")
            status = own.resume()
        assert status.counts == {"created": len(sheet)}

    return send


@pytest.mark.parametrize("weeks", borders([8, 52], 8))
def test_no_row_of_a_weekly_list_under_one_given_name_is_a_question(send, weeks):
    """Each week begins a series. Here are every second week's."""
    shop, asked = Shop(2), Asked()
    for week in range(0, weeks, 2):
        send(asked, week * WEEK, shop.invoices(week * WEEK, shop.some(0.1)), "weekly")
    assert (asked.rows, asked.refused) == (0, [])
    assert asked.new > 9 * weeks
