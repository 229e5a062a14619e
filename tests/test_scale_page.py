"""docs/scale.md is what its recorded run says."""

from __future__ import annotations

import json
from copy import deepcopy

from benchmarks import scale


def test_the_page_is_made_of_the_record_and_of_nothing_else() -> None:
    record = json.loads(scale.RECORD.read_text("utf-8"))
    page = scale.PAGE.read_text("utf-8")
    assert scale.markdown(record) == page
    for place, run in enumerate(record["runs"]):
        for name in ("workers", "took_part", "seconds", "transactions", "writes", "connections", "load"):
            falsified = deepcopy(record)
            falsified["runs"][place][name] = run[name] * 3 + 1
            assert scale.markdown(falsified) != page, name
    del record["runs"][0]
    assert scale.markdown(record) != page
