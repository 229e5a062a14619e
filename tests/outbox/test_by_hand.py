"""What people do with an outbox, on both databases."""

import unicodedata

import pytest
import sqlalchemy as sa

from tests.outbox.test_outbox import stored
from tests.providers.victor.adapter import invoice
from victor_ext import InvalidRequest
from victor_ext.outbox import Outbox

pytestmark = [pytest.mark.slow, pytest.mark.hours]
KEY = str(invoice(1)["idempotency_key"])


class TestNaming:
    def test_an_entry_is_named_by_its_key_or_by_a_reference_of_its_own(
        self, outbox: Outbox
    ) -> None:
        stored(outbox, invoice(1, client_reference_id="Mü-1"), invoice(2))
        for name in (KEY, "Mü-1", " Mü-1\n", unicodedata.normalize("NFD", "Mü-1")):
            assert outbox.key_of(name) == KEY
        assert outbox.key_of("INV-2") == invoice(2)["idempotency_key"]

    def test_a_reference_of_several_entries_names_none(self, outbox: Outbox) -> None:
        stored(outbox, invoice(1), invoice(2, client_reference_id="INV-1"))
        with pytest.raises(InvalidRequest, match="several entries: write the key of one") as raised:
            outbox.key_of("INV-1")
        assert KEY in str(raised.value)
        assert str(invoice(2)["idempotency_key"]) in str(raised.value)

    def test_a_key_names_its_entry_though_another_one_has_it_as_its_reference(
        self, outbox: Outbox
    ) -> None:
        stored(outbox, invoice(1), invoice(2, client_reference_id=KEY))
        assert outbox.key_of(KEY) == KEY

    @pytest.mark.parametrize("name", ["", "  ", "\t"])
    def test_a_blank_name_is_refused_though_entries_have_no_reference(
        self, outbox: Outbox, engine: sa.Engine, name: str
    ) -> None:
        stored(outbox, invoice(1))
        with engine.begin() as connection:
            connection.execute(sa.update(outbox.table).values(reference=""))
        with pytest.raises(InvalidRequest, match="name is blank"):
            outbox.key_of(name)

    def test_what_is_near_is_said_and_what_is_like_nothing_too(self, outbox: Outbox) -> None:
        stored(outbox, invoice(1041), invoice(1042))
        with pytest.raises(InvalidRequest, match=r"did you mean .*INV-1042"):
            outbox.key_of("inv-1042 ")
        with pytest.raises(InvalidRequest, match="none is like it"):
            outbox.key_of("zzz")
