"""What stays of a number in a provider's words: no notation of it is in the clear columns of an
outbox, in an entry or an event as people see it, or in the log.
"""

import logging
import re

import pytest

from tests.outbox.kinds import Provider, refused
from tests.outbox.rows import states, stored
from tests.outbox.test_sealing import STORAGE_KEY, bytes_of
from tests.payments import invoice
from tests.test_numbers import NUMBERS, notations
from tests.tiers import borders
from victor_ext.outbox import Outbox


def shown_after(engine, caplog, texts, storage_key=None):
    """What people see of an outbox whose requests are refused with each of these texts: entries,
    events, the log, and the columns that the storage key leaves in clear.
    """

    def meet(reference):
        text = texts[int(reference.removeprefix("INV-"))]
        error = {"code": 101, "message": f"No. {text}, for Mrs Doe", "field": text}
        # Without a blank it may be an id.
        headers = {"x_request_id": text} if re.fullmatch("[A-Z0-9]+ +[ -~]+", text) else {}
        return refused(400, {"error": error, "status": 400}, **headers)

    caplog.set_level(logging.DEBUG, "victor_ext")
    events = []
    with Provider(meet).client() as victor:
        outbox = Outbox(engine, victor, storage_key=storage_key)
        outbox.on("rejected")(lambda _session, event: events.append(event))
        stored(outbox, *(invoice(number) for number in range(len(texts))))
        assert states(outbox.send()) == ["rejected"] * len(texts)
    assert len(events) == len(texts)
    lines = [str({**vars(record), "message": record.getMessage()}) for record in caplog.records]
    assert len(lines) >= len(texts)
    columns = bytes_of(engine).decode("utf-8", "replace") if storage_key else ""
    return "\n".join([*map(repr, [*outbox.entries(), *events]), *lines, columns])


@pytest.mark.parametrize("storage_key", [None, STORAGE_KEY])
@pytest.mark.parametrize("number", borders(NUMBERS, "a card", "a German IBAN"))
def test_no_notation_of_a_number_is_stored_in_clear_shown_or_logged(
    sqlite, caplog, number, storage_key
):
    texts = list(notations(NUMBERS[number]))
    shown = shown_after(sqlite, caplog, texts, storage_key)
    for text in texts:
        for form in (text, " ".join(text.split()), text.encode("unicode_escape").decode()):
            assert form not in shown
