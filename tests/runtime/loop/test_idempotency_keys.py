"""Keys: the same facts give the same key for ever, and what is no key is refused."""

import re
import uuid
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from decimal import Decimal, localcontext
from enum import Enum, IntEnum, StrEnum
from functools import partial
from types import SimpleNamespace
from unicodedata import normalize

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from victor_ext._runtime.core.response import OPERATION
from victor_ext._runtime.loop.idempotency_keys import (
    NO_KEY,
    BodyKey,
    HeaderKey,
    KeyForm,
    KeyRule,
    idempotency_key_for,
    key_problem,
    new_key,
)
from victor_ext.errors import InvalidRequest

MANY = settings(max_examples=200)

# These never change: a payment that was sent under one of them may be repeated by any later
# release.
FOR_EVER = [
    (("invoice", 1042), "773e5a85-068e-5a65-856b-5d2a6b01e0aa"),
    (("invoice", "1042"), "773e5a85-068e-5a65-856b-5d2a6b01e0aa"),
    (("ab", "c"), "32c32c74-e69b-54c0-9b94-b279fbc0fa5f"),
    (("a", "bc"), "999673ee-4084-5a88-bdde-619f00de4f54"),
    (("Zoë & Söhne", 7), "ea52a9ab-1411-5d60-9cd1-e19da06eee7a"),
    ((-1,), "65eb0e13-23c2-51cc-aac1-e15c19ac3aa0"),
    ((Decimal("44.23"),), "2a6ca35b-2007-572a-bcaf-88bd2ef1cfde"),
    ((date(2026, 3, 4),), "851edd0c-1440-57c0-8f91-3d8405cd9225"),
    ((datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC),), "55e05f83-7d81-5f2c-87fb-88f37aad8aed"),
    ((uuid.UUID(int=7),), "00ec4201-30ce-5976-b0d8-8fe91a50c180"),
    ((Decimal("44.20"),), "f8f03d86-a6e7-591d-b446-fc35cfad3df0"),
    ((Decimal("-1.5E+3"),), "23e52d37-4e12-5105-84d2-7ed5b6d81228"),
    ((Decimal("1E+100"),), "012a4228-bb1c-58d5-ba12-61474a0d780d"),
    ((Decimal("1E+101"),), "b62be70a-a8fc-57e7-86a8-5b8b6582c280"),
    ((Decimal("1E-100"),), "f622a330-aa5c-5fe3-983f-ab9f4c59c9e8"),
    ((Decimal("1E-101"),), "6e5cb91a-7d9c-5b40-83cd-e16a8a1cd627"),
]


@pytest.mark.parametrize(("facts", "key"), FOR_EVER)
def test_a_key_never_changes(facts, key):
    assert idempotency_key_for(*facts) == key
    assert key_problem(key) is None


def test_facts_that_are_cut_or_ordered_otherwise_have_another_key():
    facts = [
        ("1042",),
        ("01042",),
        ("1042", "x"),
        ("a", "bc"),
        ("ab", "c"),
        ("abc",),
        ("a", "b", "c"),
        ("c", "b", "a"),
        (date(2026, 3, 4),),
        (datetime(2026, 3, 4, tzinfo=UTC),),
        ('["a"]',),
        ('a", "b',),
    ]
    assert len({idempotency_key_for(*parts) for parts in facts}) == len(facts)


@MANY
@given(st.decimals(allow_nan=False, allow_infinity=False), st.integers(0, 5), st.integers(1, 40))
def test_decimals_have_one_key_exactly_when_they_are_equal(number, zeros, precision):
    sign, digits, exponent = number.as_tuple()
    longer = Decimal((sign, digits + (0,) * zeros, exponent - zeros))
    with localcontext(prec=precision):
        assert idempotency_key_for(longer) == idempotency_key_for(number)
        other = Decimal((sign, (*digits, 1), exponent - 1))
        assert idempotency_key_for(other) != idempotency_key_for(number)


@MANY
@given(
    st.text("aAuUüﬁ①K\u212a\u0308\u0301\u0323 ").map(str.strip).filter(bool),
    st.sampled_from([str.lower, partial(normalize, "NFC"), partial(normalize, "NFKD")]),
)
def test_texts_have_one_key_exactly_when_their_nfd_forms_are_equal(text, change):
    assert idempotency_key_for(normalize("NFD", text)) == idempotency_key_for(text)
    is_same = normalize("NFD", change(text)) == normalize("NFD", text)
    assert (idempotency_key_for(change(text)) == idempotency_key_for(text)) is is_same


class Zoneless(tzinfo):
    """A zone that does not say how far it is from UTC."""

    def utcoffset(self, _moment):
        return None

    def __repr__(self):
        return "Zoneless()"


class Answer(Enum):
    YES = True


class NumberOfALibrary:
    """As numpy's: it is no int, and a database may give back another one."""

    def __index__(self):
        return 1042

    def __repr__(self):
        return "NumberOfALibrary()"


REFUSED = [
    (1.5, "write its text, '44.20', or Decimal"),
    (float("nan"), "write its text"),
    (True, "write a word for it"),
    (Answer.YES, "write a word for it"),
    (None, "leave it out"),
    (b"bytes", r"write its text, such as value.decode\(\)"),
    (["a"], "pass str, int"),
    (time(12, 0), "pass str, int"),
    (datetime(2026, 3, 4), r"naive datetime.*: write datetime\(..., tzinfo=UTC\)"),  # noqa: DTZ001 - on purpose
    (datetime(2026, 3, 4, tzinfo=Zoneless()), r"naive datetime.*: write datetime"),
    (datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=9))), "outside of the years 1 to 9999"),
    (timedelta(1), "pass str, int, a finite Decimal, date, aware datetime or UUID"),
    (NumberOfALibrary(), "pass str, int"),
    ({"a": 1}, "pass str, int"),
    (object, "pass str, int"),
    (Decimal("NaN"), "name the payment by something else"),
    (Decimal("Infinity"), "name the payment by something else"),
    ("\ud83d", "half of a character"),
    ("", "empty"),
    (" ", "empty"),
    ("\n", "empty"),
    ("INV-1   ", r"ends with a space, .*: 'INV-1   '; write 'INV-1'\.$"),
    ("INV-1\u200b", r"cannot be seen: 'INV-1<U\+200B>'; write 'INV-1'\.$"),
    ("INV\u00a01", r"cannot be seen: 'INV<U\+00A0>1'; write 'INV 1'\.$"),
    ("\u200b", r"cannot be seen: '<U\+200B>'; name the payment by something else\.$"),
]


@pytest.mark.parametrize(("fact", "instead"), REFUSED, ids=repr)
def test_a_fact_that_may_be_written_in_two_ways_is_refused_with_what_to_write(fact, instead):
    with pytest.raises(InvalidRequest, match="idempotency_key_for") as raised:
        idempotency_key_for("invoice", fact)
    assert raised.value.problems[0].field == "facts"
    assert re.search(instead, raised.value.problems[0].message)


def odd(kind):
    """A subclass of the caller's own, whose values have another text."""
    other = dict.fromkeys(("__str__", "__repr__", "isoformat"), lambda *_: "another text")
    return type(f"Odd{kind.__name__}", (kind,), other)


class Kind(StrEnum):
    INVOICE = "invoice"


class Version(IntEnum):
    FIRST = 1


class Plain(Enum):
    INVOICE = "invoice"


MOMENT = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
TOKYO = timezone(timedelta(hours=9))
EQUAL_FACTS = [
    # what a program holds, and what a file or a database gives back
    (1042, "1042"),
    (-7, "-7"),
    (Decimal(1042), "1042"),
    (Decimal("1042.0"), 1042),
    (Decimal("-0.0"), 0),
    (Decimal("44.23"), "44.23"),
    (date(2026, 3, 4), "2026-03-04"),
    (uuid.UUID(int=7), str(uuid.UUID(int=7))),
    (MOMENT.astimezone(TOKYO), MOMENT),
    (Kind.INVOICE, "invoice"),
    (Version.FIRST, 1),
    (Plain.INVOICE, "invoice"),
    (odd(str)("INV-1042"), "INV-1042"),
    (odd(int)(1042), 1042),
    (odd(datetime)(2026, 3, 4, 5, 6, 7, tzinfo=UTC), MOMENT),
    (odd(datetime)(2026, 3, 4, 14, 6, 7, tzinfo=TOKYO), MOMENT),
    (odd(date)(2026, 3, 4), date(2026, 3, 4)),
    (odd(uuid.UUID)(int=7), uuid.UUID(int=7)),
]


@pytest.mark.parametrize(("held", "read_back"), EQUAL_FACTS)
def test_equal_facts_have_one_key_whatever_type_holds_them(held, read_back):
    assert idempotency_key_for("invoice", held) == idempotency_key_for("invoice", read_back)


def test_making_a_key_without_a_fact_is_refused():
    with pytest.raises(InvalidRequest, match="at least one fact"):
        idempotency_key_for()


def test_a_new_key_is_random_and_good():
    keys = {new_key() for _ in range(100)}
    assert len(keys) == 100
    assert {uuid.UUID(key).version for key in keys} == {4}
    assert all(key_problem(key) is None for key in keys)


class TestKeyProblem:
    @pytest.mark.parametrize("length", [0, 1, 19, 129, 4096])
    def test_a_key_of_another_length_is_refused(self, length):
        problem = key_problem("k" * length)
        assert (problem.field, problem.code) == ("idempotency_key", "length")
        assert problem.message.endswith(f"and has {length}.")
        assert "20 to 128" in problem.message

    @pytest.mark.parametrize(
        "odd", [" ", "\n", "\t", "\r", "\0", "\x7f", "é", "\uff11", "\u200b", "\ud800"]
    )
    @pytest.mark.parametrize("place", [0, 10, 30])
    def test_a_character_that_no_key_may_have_is_refused(self, odd, place):
        assert key_problem("k" * place + odd + "k" * (30 - place)).code == "characters"

    @pytest.mark.parametrize("key", ["k" * 20, "k" * 128, "".join(map(chr, range(33, 127)))])
    def test_a_key_may_have_every_visible_ascii_character(self, key):
        assert key_problem(key) is None

    @pytest.mark.parametrize("key", [None, 12345678901234567890, b"k" * 30, uuid.uuid4()])
    def test_a_key_that_is_no_text_is_refused_by_its_type(self, key):
        assert key_problem(key).code == "type"


class TestWhereTheKeyGoes:
    URL = "https://pay.example/payments"

    @pytest.mark.parametrize("key", ["", "a b", "a\tb"])
    def test_a_key_that_cannot_be_sent_is_refused(self, key):
        """A random one in its place would make a second payment of the caller's second try."""
        request = httpx.Request("POST", self.URL, headers={"Idempotency-Key": key})
        with pytest.raises(InvalidRequest, match="Nothing was sent: idempotency_key") as raised:
            HeaderKey().prepare(request)
        assert [problem.code for problem in raised.value.problems] == ["characters"]
        request.extensions[OPERATION] = SimpleNamespace(key=NO_KEY)
        assert HeaderKey().prepare(request) is None

    @pytest.mark.parametrize(
        ("body", "key"),
        [
            (b'{"idempotencyKey": "k1"}', "k1"),
            *(
                (no, None)
                for no in (
                    b'{"idempotencyKey": ""}',
                    b'{"idempotencyKey": 7}',
                    b"{}",
                    b"[]",
                    b"",
                    b"\xff",
                )
            ),
        ],
    )
    def test_a_key_in_the_body_is_read_and_the_body_left_alone(self, body, key):
        request = httpx.Request("POST", self.URL, content=body)
        assert BodyKey().prepare(request) == key
        assert request.content == body

    @pytest.mark.parametrize(
        ("place", "options"),
        [
            (BodyKey("meta.key"), {"json": {"meta": {"key": "k1"}}}),
            (BodyKey("meta.key"), {"json": {"meta.key": "k1"}}),
        ],
        ids=repr,
    )
    def test_a_key_in_the_body_is_read_and_never_made(self, place, options):
        assert place.prepare(httpx.Request("POST", self.URL, **options)) == "k1"
        for nothing in ({}, {"params": {"key": ""}}, {"json": {"meta": "k1"}}, {"json": []}):
            assert place.prepare(httpx.Request("POST", self.URL, **nothing)) is None

    FORMS = (
        (KeyForm(format="uuid"), str(uuid.UUID(int=7)), uuid.UUID(int=7).hex, "be a UUID"),
        (KeyForm(min_length=3), "abc", "ab", "have at least 3 characters"),
        (KeyForm(max_length=3), "abc", "abcd", "have at most 3 characters"),
        (KeyForm(pattern="^[a-z]+$"), "abc", "ABC", r"match \^\[a-z\]"),
    )

    @pytest.mark.parametrize(("form", "good", "bad", "words"), FORMS, ids=repr)
    @pytest.mark.parametrize("place", [HeaderKey("key"), BodyKey("key")])
    def test_a_key_has_the_form_that_the_document_wants(self, place, form, good, bad, words):
        operation = SimpleNamespace(key=KeyRule(form=form))

        def request(key):
            return httpx.Request(
                "POST",
                self.URL,
                headers={"key": key},
                json={"key": key},
                extensions={OPERATION: operation},
            )

        assert place.prepare(request(good)) == good
        with pytest.raises(InvalidRequest, match=f"Nothing was sent: .* must {words}"):
            place.prepare(request(bad))

    def test_a_random_key_fits_the_documents_form_or_the_caller_must_give_a_key(self):
        place = HeaderKey()
        operation = SimpleNamespace(key=KeyRule(is_made=True, form=KeyForm(format="uuid")))
        request = httpx.Request("POST", self.URL, extensions={OPERATION: operation})
        assert len(str(place.prepare(request))) == 36
        operation = SimpleNamespace(key=KeyRule(is_made=True, form=KeyForm(max_length=35)))
        request = httpx.Request("POST", self.URL, extensions={OPERATION: operation})
        with pytest.raises(InvalidRequest, match="idempotency_key is missing"):
            place.prepare(request)

    def test_a_pattern_that_python_does_not_know_is_the_providers_to_check(self):
        assert KeyForm(pattern=r"^\\p{L}+$(").problem("abc") is None

    def test_a_streamed_body_is_not_read_for_its_key(self):
        body = iter([b"{}"])
        assert BodyKey().prepare(httpx.Request("POST", self.URL, content=body)) is None
        assert next(body) == b"{}"
