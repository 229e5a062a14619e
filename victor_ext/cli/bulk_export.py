"""The export of `victor bulk`: the outcome of each row, as CSV or JSON Lines."""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from .bulk_output import status_count
from .output_files import whole_file
from .screen import complain
from .wording import rows_text

if TYPE_CHECKING:
    from victor_ext.bulk import BulkSender, RowResult

_FIELDS = ("row", "key", "id", "status", "outcome", "error")
"""The fields of a result that its JSON has, under their names."""


def write_export(
    sender: BulkSender,
    output: Path | None,
    *,
    as_json: bool,
    escape: bool = True,
    refresh: bool = False,
) -> None:
    """Write the results of a batch, and say on standard error how many there are.

    Args:
        sender: The sender of the batch.
        output: The file; None: standard output.
        as_json: Whether to write JSON, a line a row, or CSV.
        escape: Whether CSV has a `'` before a text that a spreadsheet would take for a formula.
        refresh: Whether to read the present status of each row from the provider.
    """
    statuses: Counter[str] = Counter()

    def count_status(result: RowResult) -> None:
        if result.outcome == "created":
            statuses[result.status or "not found"] += 1

    with _opened(output) as file:
        if as_json:
            count = _write_json(sender.export(refresh=refresh), file, count_status)
        else:
            count = sender.export_csv(file, escape=escape, refresh=refresh, on_result=count_status)
        file.flush()
    sentences: list[str] = []
    if output is not None:
        sentences.append(f"{rows_text(count)} written to {output}")
    if refresh:
        sentences.append(f"The provider says now: {_status_counts(statuses)}.")
    if sentences:
        complain(". ".join(sentences))


def _opened(output: Path | None) -> AbstractContextManager[TextIO]:
    """Return the open file, or standard output, which stays open."""
    if output is None:
        return nullcontext(sys.stdout)
    return whole_file(output, "--output", mode=0o666)


def _write_json(
    results: Iterable[RowResult], file: TextIO, on_result: Callable[[RowResult], None]
) -> int:
    """Write results as JSON, one on a line, and return how many there were."""
    count = 0
    for result in results:
        on_result(result)
        document: dict[str, Any] = {name: getattr(result, name) for name in _FIELDS}
        document["columns"] = dict(result.extras)
        document["asked"] = dict(result.asked)
        file.write(f"{json.dumps(document)}\n")
        count += 1
    return count


def _status_counts(statuses: Mapping[str, int]) -> str:
    """Return how many created rows have each status of the provider."""
    texts = [status_count(status, count) for status, count in sorted(statuses.items())]
    return ", ".join(texts) or "nothing was created"
