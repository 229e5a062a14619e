"""What `add` accepts is sent, in whatever types its values are: with exactly the bytes that `create` would send."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from enum import Enum, StrEnum
from types import MappingProxyType
from typing import Any

import httpx
import hypothesis.strategies as st
import pytest
import sqlalchemy as sa
from hypothesis import given, settings

from tests.providers.victor.adapter import invoice
from victor_ext import BadRequest, Victor, VictorJwt
from victor_ext.outbox import Outbox

pytestmark = pytest.mark.slow


class Word(StrEnum):
    RENT = "RENT"


class Biller(Enum):
    BUSINESS = "BUSINESS"


@pytest.fixture(scope="module")
def memory() -> Iterator[sa.Engine]:
    engine = sa.create_engine("sqlite://", poolclass=sa.pool.StaticPool)
    Outbox(engine).create_table()
    yield engine
    engine.dispose()


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**30), 10**30) | st.text("abc 12é/\"\\", max_size=5)
    | st.decimals(-1000, 1000, places=3).map(lambda value: value.normalize())
    | st.sampled_from([Word.RENT, Decimal("1E+2"), Decimal("1E-7"), Decimal("44.2300")]),
    lambda inner: st.lists(inner, max_size=3) | st.lists(inner, max_size=3).map(tuple)
    | st.dictionaries(st.text("xyz", min_size=1, max_size=3), inner, max_size=3).map(MappingProxyType),
    max_leaves=6,
)  # fmt: skip
DRAWN = st.fixed_dictionaries(
    {
        "amount": st.sampled_from(
            [Decimal("44.2300"), Decimal(100).normalize(), Decimal("1.5"), "44.23", "7", 100, Decimal("0.010")]
        ),
        "biller_type": st.sampled_from(["BUSINESS", Biller.BUSINESS]),
        "due_date": st.sampled_from([datetime.now(UTC).date(), datetime.now(UTC).date().isoformat()]),
    },
    optional={
        "notes": st.sampled_from([None, "a note", Word.RENT]),
        "amount_modification_allowed": st.sampled_from([None, True, False]),
        "ultimate_creditor": st.sampled_from([None, "SampleCo"]),
        "extra_body": st.none() | st.dictionaries(
            st.sampled_from(["zeta", "alpha", "mid"]), JSON_VALUES, max_size=3
        ).flatmap(lambda top: st.permutations(list(top.items())).map(dict)),
    },
)  # fmt: skip


@settings(max_examples=40, deadline=None)
@given(drawn=DRAWN)
def test_what_is_accepted_is_sent_with_the_bytes_of_create(
    drawn: dict[str, Any], memory: sa.Engine, victor_key_pair: tuple[str, str]
) -> None:
    bodies: list[bytes] = []

    def answer(request: httpx.Request) -> httpx.Response:
        bodies.append(request.content)
        return httpx.Response(400 if request.method == "POST" else 200, json={"page": 0, "page_size": 1, "results": []})

    outbox = Outbox(memory)
    with memory.begin() as connection:
        connection.execute(sa.delete(outbox.table))
        outbox.add(connection, **invoice(**drawn))
        outbox.add(connection, **dict(reversed(invoice(**drawn).items())))  # it is the same one
    with Victor(VictorJwt("an-api-key-for-tests", victor_key_pair[0]), transport=httpx.MockTransport(answer)) as victor:
        outbox.send(victor)
        with pytest.raises(BadRequest):
            victor.payment_requests.create(**invoice(**drawn))
    sent = [body for body in bodies if body]
    assert len(sent) == 2 and sent[0] == sent[1]
