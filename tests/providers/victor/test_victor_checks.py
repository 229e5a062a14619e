"""The local rules: held against the provider's document, and what they take and refuse.

Lengths, new members and operations: see tests/contracts.
"""

from datetime import UTC, date, datetime, timedelta
from enum import Enum, StrEnum
from pathlib import Path
from typing import get_type_hints

import pytest
import yaml
from victor_api.typed.methods import PaymentRequests

from tests.payments import payment
from victor_ext import Direction, InvalidRequest, Network, Status, money
from victor_ext.providers.victor._creating import check_payment_request
from victor_ext.providers.victor._responding import RESPONSE_WORDS

DOCUMENT = Path(__file__).parents[3] / "openapi" / "victor.yaml"
NOW = datetime(2026, 3, 4, 18, 0, tzinfo=UTC)

# What says nothing about which values are good.
SILENT = {"description", "example", "default", "type", "format"}


SCHEMAS = yaml.safe_load(DOCUMENT.read_text(encoding="utf-8"))["components"]["schemas"]
ANSWERED = "RfpInboundPaymentRequestResponseRequestDetails"


def plain(pattern):
    """A pattern in one spelling: unanchored, ASCII digits, groups that capture nothing."""
    return pattern.removeprefix("^").removesuffix("$").replace("\\d", "[0-9]").replace("(?:", "(")


def test_the_pattern_of_amounts_and_the_words_of_an_answer_are_the_documents():
    for schema, name in (("RfpBasePaymentDetails", "amount"), (ANSWERED, "modified_amount")):
        stated = SCHEMAS[schema]["properties"][name]
        assert (plain(stated["pattern"]), stated["minLength"]) == (plain(money._WIRE.pattern), 0)
        assert set(stated) - SILENT == {"pattern", "minLength"}
    words = [RESPONSE_WORDS[status] for status in (Status.ACCEPTED, Status.DECLINED)]
    assert words == SCHEMAS[ANSWERED]["properties"]["status"]["enum"]


def test_the_filters_that_the_document_describes_as_dates_and_times_are_read_as_such():
    kinds = get_type_hints(PaymentRequests.list)
    for name, theirs in SCHEMAS["ListPaymentRequests"]["properties"].items():
        described = theirs.get("description", "")
        assert ("Zulu" in described) is (kinds[name] == datetime | None), name
        assert (described == "ISO 8601 date format.") is (kinds[name] == date | str | None), name


def test_status_direction_and_network_have_exactly_the_words_of_the_document():
    for schema in ("ListPaymentRequests", "PaymentRequestReceipt"):
        stated = SCHEMAS[schema]["properties"]
        assert {status.value for status in Status} == set(stated["status"]["enum"])
        assert {direction.value for direction in Direction} == set(stated["direction"]["enum"])
    words = SCHEMAS["ListPaymentRequests"]["properties"]["network_type"]["enum"]
    assert {network.value for network in Network} == set(words)


def checked(now=NOW, **values):
    """Check a request that is good but for these values."""
    check_payment_request(now=now, **payment(**{"due_date": now.date(), **values}))


def problems(*, now=NOW, **values):
    """The fields and codes of what is wrong with a request that is good but for these values."""
    try:
        checked(now, **values)
    except InvalidRequest as error:
        return [(problem.field, problem.code) for problem in error.problems]
    return []


class TestCreate:
    @pytest.mark.parametrize("key", ["", "short", "x" * 129, "ä" * 20, 17])
    def test_a_key_that_cannot_be_sent_is_refused_without_a_call_too(self, key):
        [(field, _)] = problems(idempotency_key=key)
        assert field == "idempotency_key"

    @pytest.mark.parametrize("name", ["SampleCo Billing Inc.", "A", "A  B", "1.2", "a. b"])
    def test_a_name_of_letters_digits_dots_and_spaces_is_taken(self, name):
        assert problems(ultimate_creditor=name) == []

    def test_members_of_a_str_enum_stand_for_their_values(self):
        class Word(StrEnum):
            CONSUMER = "CONSUMER"
            ACCOUNT = "043987673645"

        assert problems(biller_type=Word.CONSUMER, payee_account_number=Word.ACCOUNT) == []
        assert problems(biller_type=Word.CONSUMER, ultimate_creditor="A") == [
            ("ultimate_creditor", "combination")
        ]

    def test_a_member_of_another_enum_is_no_text(self):
        class Note(Enum):
            THANKS = "Thank you."

        assert problems(notes=Note.THANKS) == [("notes", "type")]


class TestDueDate:
    """At most 24 hours ahead, in any zone where that could still be true (UTC-12 to UTC+14)."""

    @pytest.mark.parametrize(
        ("now", "first", "last"),
        [
            ("2026-03-04T09:59:59", "2026-03-03", "2026-03-05"),
            ("2026-03-04T10:00:00", "2026-03-03", "2026-03-06"),
            ("2026-03-04T11:59:59", "2026-03-03", "2026-03-06"),
            ("2026-03-04T12:00:00", "2026-03-04", "2026-03-06"),
            ("2024-02-28T12:00:00", "2024-02-28", "2024-03-01"),
        ],
    )
    def test_the_first_and_the_last_due_date_are_taken_and_none_beyond(self, now, first, last):
        moment = datetime.fromisoformat(now).replace(tzinfo=UTC)
        earliest, latest = date.fromisoformat(first), date.fromisoformat(last)
        day = timedelta(days=1)
        for due in (earliest, latest, first, last):
            assert problems(now=moment, due_date=due) == []
        assert problems(now=moment, due_date=earliest - day) == [("due_date", "past")]
        assert problems(now=moment, due_date=latest + day) == [("due_date", "range")]

    def test_the_refusal_of_a_due_date_says_which_days_to_write(self):
        right = r"it is 2026-03-04 \d\d:\d\d in UTC, so write 2026-03-04 or 2026-03-05\.$"
        late = (
            r"due_date 2026-03-07 is too late: the provider takes a due date at most 24 hours "
            r"ahead; "
        )
        with pytest.raises(InvalidRequest, match=late + right):
            checked(due_date=date(2026, 3, 7))
        with pytest.raises(InvalidRequest, match=r"due_date 2026-03-01 is in the past: " + right):
            checked(due_date=date(2026, 3, 1))
