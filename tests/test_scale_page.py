"""docs/scale.md is what its recorded runs say."""

from __future__ import annotations

import json
from copy import deepcopy

from benchmarks import scale


def test_the_page_is_made_of_the_record_and_of_nothing_else() -> None:
    record, bulk = (json.loads(path.read_text("utf-8")) for path in (scale.RECORD, scale.BULK_RECORD))
    page = scale.PAGE.read_text("utf-8")
    assert scale.markdown(record, bulk) == page
    for place, run in enumerate(record["runs"]):
        for name in ("workers", "took_part", "seconds", "transactions", "writes", "connections", "load"):
            falsified = deepcopy(record)
            falsified["runs"][place][name] = run[name] * 3 + 1
            assert scale.markdown(falsified, bulk) != page, name
    for place, run in enumerate(bulk):
        for name in ("rows", "processes", "checked", "rate", "sender_cpu", "server_cpu", "alone", "peak_mib", "load"):
            sent = deepcopy(bulk)
            sent[place][name] = run[name] * 3 + 1
            assert scale.markdown(record, sent) != page, name
        assert scale.markdown(record, bulk[:place] + bulk[place + 1 :]) != page
    del record["runs"][0]
    assert scale.markdown(record, bulk) != page
