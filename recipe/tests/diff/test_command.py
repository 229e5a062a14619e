"""`victor-spec diff` as a user runs it."""

import datetime
import json
from pathlib import Path

import pytest

from tests.cases import cases_beside
from victor_spec.command_line import main
from victor_spec.diff import report

from .cases import CARD, STATUS, STATUSES, TEXT, card, receives

pytestmark = pytest.mark.pull_request
CASES = cases_beside(__file__, "command")
BREAKS = {"Card": card(pin=TEXT)}, {"Card": card()}


@pytest.fixture(autouse=True)
def _today(monkeypatch, tmp_path):
    monkeypatch.setattr(report, "today", lambda: datetime.date(2026, 6, 1))
    monkeypatch.chdir(tmp_path)


def write(name, tree, version="1.0.0"):
    Path(name).write_text(
        json.dumps({**tree, "info": {"title": "T", "version": version}}), encoding="utf-8"
    )
    return name


def breaking():
    return write("old.json", receives(CARD, BREAKS[0])), write(
        "new.json", receives(CARD, BREAKS[1])
    )


def run(*arguments):
    return main(["diff", "--no-python", *arguments])


def approve(fingerprint, **more):
    item = {
        "fingerprint": fingerprint,
        "reason": "agreed",
        "scope": "both",
        "expires": "2026-12-31",
        **more,
    }
    Path("new.approved.yaml").write_text(json.dumps([item]), encoding="utf-8")


class TestStatus:
    def test_the_exit_status_is_0_if_nothing_breaks(self, capsys):
        old = write("old.json", receives(card(status=STATUS)))
        assert run(old, write("same.json", receives(card(status=STATUS)))) == 0
        assert capsys.readouterr().out == "No change.\n"
        assert run(old, write("look.json", receives(card(status=STATUSES)))) == 0

    def test_the_exit_status_is_1_if_something_breaks_and_text_in_a_file_has_no_colours(
        self, capsys
    ):
        assert run(*breaking()) == 1
        shown = capsys.readouterr().out
        assert "received by get /cards" in shown
        assert "\x1b" not in shown

    @pytest.mark.parametrize(("old", "says"), CASES["unreadable"])
    def test_the_exit_status_is_2_if_a_document_cannot_be_read(self, capsys, old, says):
        assert run(old, breaking()[1]) == 2
        assert says in capsys.readouterr().err

    def test_the_report_goes_to_a_file_that_is_none_of_the_documents(self, capsys):
        assert run(*breaking(), "--json", "--out", "report.json") == 1
        assert capsys.readouterr().out == ""
        written = json.loads(Path("report.json").read_text(encoding="utf-8"))
        assert (len(written["entries"]), written["counts"]["entries"]) == (1, 1)
        assert written["counts"]["python"] is None  # it was not compared
        assert run(*breaking(), "--out", "no/such/folder") == 2
        assert run(*breaking(), "--out", "new.json") == 2
        assert "--out is new.json, one of the documents" in capsys.readouterr().err


class TestApprovals:
    @pytest.mark.parametrize(("approval", "status", "says"), CASES["approvals"])
    def test_an_approval_counts_for_its_change_its_column_and_until_its_day(
        self, capsys, approval, status, says
    ):
        run(*breaking(), "--json")
        fingerprint = json.loads(capsys.readouterr().out)["entries"][0]["fingerprint"]
        approve(**{"fingerprint": fingerprint, **approval})
        assert run(*breaking()) == status
        shown = capsys.readouterr().out
        assert says in shown
        assert (f"the approval of {fingerprint} expired" in shown) == ("expired" in says)

    @pytest.mark.parametrize(("text", "says"), CASES["malformed"])
    def test_the_error_of_a_malformed_file_of_approvals_says_where_it_is_wrong(
        self, capsys, text, says
    ):
        if isinstance(text, str):
            Path("new.approved.yaml").write_text(text, encoding="utf-8")
        else:
            approve(**{"fingerprint": "0" * 16, **text})
        assert run(*breaking()) == 2
        shown = capsys.readouterr().err
        assert "new.approved.yaml" in shown
        assert says in shown

    def test_approve_adds_each_breaking_change_to_the_file_and_keeps_the_comments(self, capsys):
        Path("ours.yaml").write_text("# Agreed in June.\n", encoding="utf-8")
        old = write("old.json", receives(card(a=TEXT, b=TEXT)))
        pair = old, write("new.json", receives(card()))
        approve_all = "--approve", 'we "never" read it', "--expires", "2026-07-01"
        assert run(*pair, "--approved", "ours.yaml", *approve_all) == 0
        assert "Approvals written to ours.yaml: 2\n" in capsys.readouterr().err
        assert run(*pair, "--approved", "ours.yaml") == 0
        written = Path("ours.yaml").read_text(encoding="utf-8")
        assert written.startswith("# Agreed in June.\n- fingerprint: ")
        # both are plain values, no alias of the first one
        assert written.count("  expires: 2026-07-01\n") == 2
        assert run(*breaking()) == 1

    @pytest.mark.parametrize(("options", "says"), CASES["misuse"])
    def test_an_approval_that_lacks_a_part_is_refused_and_nothing_is_written(
        self, capsys, options, says
    ):
        assert run(*breaking(), *options) == 2
        assert says in capsys.readouterr().err
        assert not Path("new.approved.yaml").exists()
