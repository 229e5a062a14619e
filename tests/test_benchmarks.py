"""`make bench`, quickly: each row has figures, and one that fails costs no other."""

import pytest

from benchmarks.__main__ import CALLS, STORED, Row, lines_of
from tests.programs import python

pytestmark = pytest.mark.slow


def test_each_row_of_the_page_has_figures_also_without_the_clients_of_others(tmp_path):
    page = tmp_path / "benchmarks.md"
    python(
        "-m", "benchmarks", "--quick", "--peers", tmp_path / "absent", "--output", page, timeout=300
    )
    text = page.read_text("utf-8")
    assert "failed" not in text, text
    for row in (*CALLS, *STORED):
        cells = text.partition(f"| {row.title} | ")[2].partition("\n")[0].split(" | ")
        figures = [cell for cell in cells if cell[:1].isdigit()]
        assert len(figures) == len({*row.names} - {"stripe", "increase", "gocardless-pro"})
        assert ("not installed" in cells) is ("stripe" in row.names)


def test_a_row_or_a_client_that_fails_is_told_and_costs_no_other(tmp_path, monkeypatch):
    def no_server():
        raise OSError("no PostgreSQL here")

    monkeypatch.setattr("benchmarks.__main__._postgresql", no_server)
    rows = (
        Row("outbox", "stored", 16, 0, ("outbox",)),
        Row("GET", "get", 16, 0, ("raw httpx", "nobody")),
    )
    columns = {"raw httpx": "raw", "nobody": "other", "outbox": "other"}
    _, _, outbox, get, notes = lines_of(rows, columns, tmp_path)
    assert outbox == "| outbox |  | failed |"
    assert get.startswith("| GET | ")
    assert get.endswith(") | failed |")
    assert "- outbox, outbox: OSError: no PostgreSQL here" in notes
    assert "- GET, nobody: KeyError: 'nobody'" in notes
