"""A sheet is what was asked, a payment is what became of it: what the sheet of one batch says is
changed by no other sheet or person, and no report is silent about a payment that a sheet lacks.
"""

import threading

import pytest

from tests.bulk.bulk_runs import (
    asked_once,
    keys_of,
    nothing_sent,
    refused,
    respond_to_creates,
    row,
    rows,
    write_csv,
)
from tests.tiers import borders
from victor_ext import idempotency_key_for

pytestmark = pytest.mark.slow
ACME, OTHERS = {"payer_counterparty_id": "acme000001"}, [row(number) for number in (7, 8, 9)]


def amounts(sandbox):
    return sorted(str(request["amount"]) for request in sandbox.requests())


# Two batches with one payment


def test_a_batch_whose_waiting_row_another_batch_has_replaced_says_so(sender, victor_sandbox):
    sender.store(rows(2), batch="a")
    sender.finish([row(2, amount="99.00")], batch="b")
    status = sender(batch="a").resume()
    assert (status.exit_status, status.counts) == (1, {"created": 1, "to_decide": 1})
    assert "was asked on" in sender.results(batch="a")["INV-2"].error
    assert amounts(victor_sandbox) == ["2.23", "99.00"]


def test_a_row_that_waits_with_other_values_of_a_newer_sheet_is_to_be_decided(sender):
    sender.store(rows(2), batch="a")
    sender.store([row(2, amount="99.00")], batch="b")
    status = sender(batch="a").status()
    assert status.counts == {"waiting": 1, "to_decide": 1}
    error = sender.results(batch="a")["INV-2"].error
    assert error.startswith("INV-2 waits with other values, of b")
    with refused("INV-2 waits with other values"):
        sender(batch="a").ask_again(["INV-2"], by="Ann", why="It is due.")


# Two copies of one sheet


def test_who_sends_a_sheet_that_another_one_replaces_meanwhile_is_told_the_rows(
    sender, victor_sandbox
):
    """The provider sends nothing until the other sheet is stored."""
    respond_to_creates(victor_sandbox, 429)
    stored, ends = threading.Event(), threading.Event()

    def progress(_status):
        stored.set()
        assert ends.wait(60)

    results = []

    def send():
        results.append(sender(patience=60).send(rows(3), on_progress=progress))

    first = threading.Thread(target=send)
    first.start()
    assert stored.wait(60)
    sender.store(rows(2))
    victor_sandbox.clear_faults()
    ends.set()
    first.join()
    (status,) = results
    assert status.replaced == ["INV-3"]
    assert status.exit_status == 1
    asked_once(victor_sandbox, rows(2))


# What a sheet lacks


def test_a_payment_that_the_latest_sheet_lacks_is_row_0_of_each_report(bulk, sender):
    own = sender.of(state=bulk.state)
    own.finish(rows(3))
    status = own().send(rows(2))
    assert (status.exit_status, status.lacking, list(status.lacking_names)) == (0, 1, ["INV-3"])
    (left,) = (result for result in own().export() if result.row == 0)
    assert (left.outcome, left.batch) == ("created", "march")
    assert left.asked_at is not None
    assert "the latest sheet lacks it: INV-3" in bulk("status", "--batch", "march").err


def test_an_export_says_when_by_whom_and_for_which_batch_a_row_was_asked(sender):
    sender.finish(rows(1), by="Ann")
    sender(batch="copy", by="Bob").send(rows(1))
    result = sender.result(batch="copy")
    assert (result.batch, result.asked_by, result.by_provider_clock) == ("march", "Ann", True)


# The same payment in another spelling


RESPELLED = [
    ("4111111111111117", "4111111111111120"),
    ("1E5", "100000"),
    ("2042-2", "2042/02/01"),
    ("MAR-1", "1-Mar"),
    ("10/12", "12-Oct"),
    ("INV-7b", "whatever"),
    ("00E1", "0"),
    ("TRUE-1", "WAHR-1"),
    ("f4e63920-b413-4fe3-a4e9-fa8745ec0ac3", "{F4E63920-B413-4FE3-A4E9-FA8745EC0AC3}"),
    # csvkit 2.2.0 (agate 1.14.2), which reads a column as what all its cells may be.
    ("10:30", "0:10:30"),
    ("3M", "0:03:00"),
    ("1042 1/2", "2027-01-02T10:42:00"),
    ("1_000", "1000"),
    ("5%", "5"),
    # SheetJS 0.18.5 (xlsx of npm), from CSV to CSV, and to xlsx and back.
    ("2042-2", "2/1/42"),
    ("03.04.2042", "3/4/42"),
    ("(1042)", "-1042"),
    # gnumeric 1.12.55 (ssconvert), from CSV to CSV.
    ("1042-", "-1042"),
    ("1042 1/2", "1042.5"),
    # csv-parse 7.0.3 of npm, with `cast`.
    ("0x1F", "0"),
    # DuckDB 2.0.1, of a column of such cells.
    ("0x1F", "31"),
    ("1.5.2042", "2042-05-01"),
    # polars 2.1.0, with `try_parse_dates`.
    ("10:30", "10:30:00.000000000"),
    # exceljs 4.4.0.
    ("2042-11-03", "2042-11-03T00:00:00+00:00"),
    # pandas 3.1.1: `read_csv`, and `read_excel` of a number that SheetJS has written.
    ("1e400", "inf"),
    ("12e34", "120000000000000007304085773727301632"),
    # petl 1.7.30, `convertnumbers`.
    ("(1042)", "(1042+0j)"),
    # SQLite 3.40.1, `.import` into a numeric column.
    ("1e-7", "1.0e-07"),
]
"""What programs make of keys. The first ones: LibreOffice 7.4.7, Excel, gnumeric 1.12.55 and SQL
Server's drivers.
"""
ZERO, NO_ZERO = "043987673645", "43987673645"


def is_one_payment(sandbox, count):
    return len(sandbox.work_done_by_key()) == count


each_respelled = pytest.mark.parametrize("keys", borders(RESPELLED, *RESPELLED[1:3]))


@each_respelled
def test_a_key_that_a_program_has_respelled_is_asked_about_in_its_sheet(
    sender, victor_sandbox, keys
):
    """Also if the row is corrected: its payer stays."""
    key, respelled = keys
    sender.finish([*OTHERS, row(1, invoice_no=key, **ACME)])
    again = row(1, invoice_no=respelled, amount="3.00", **ACME)
    with nothing_sent(victor_sandbox):
        status = sender().send([*OTHERS, again])
    if idempotency_key_for("invoice", key) != idempotency_key_for("invoice", respelled):
        assert status.noticed["looks_like"] == 1
    assert status.exit_status == 1


@each_respelled
def test_a_key_that_a_program_has_respelled_is_asked_about_alone_in_a_copy(
    sender, victor_sandbox, keys
):
    key, respelled = keys
    sender.finish([*OTHERS, row(1, invoice_no=key, **ACME)])
    with nothing_sent(victor_sandbox):
        status = sender(batch="copy").send([row(1, invoice_no=respelled, **ACME)])
    is_one_key = idempotency_key_for("invoice", key) == idempotency_key_for("invoice", respelled)
    assert status.noticed == {"created_before" if is_one_key else "looks_like": 1}


def test_a_payer_that_a_program_has_rewritten_with_the_key_is_asked_about_in_its_sheet(
    sender, victor_sandbox
):
    """A column of numbers loses its leading zeros."""
    sender.finish([*OTHERS, row(1, invoice_no="1E5", payer_counterparty_id=ZERO)])
    again = row(1, invoice_no="100000.0", payer_counterparty_id=NO_ZERO)
    with nothing_sent(victor_sandbox):
        assert sender().send([*OTHERS, again]).noticed["looks_like"] == 1


def test_an_account_that_a_program_has_rewritten_with_the_key_is_asked_about_in_a_copy(
    sender, victor_sandbox
):
    sender.finish([*OTHERS, row(1, invoice_no="1E5", payee_account_number=ZERO)])
    again = row(1, invoice_no="100000.0", payee_account_number=NO_ZERO)
    with nothing_sent(victor_sandbox):
        assert sender(batch="copy").send([again]).noticed == {"looks_like": 1}


def test_further_invoices_of_a_payer_whose_rows_stay_are_asked_for(sender, victor_sandbox):
    first = [row(number, invoice_no=f"A-{number}", **ACME) for number in (1, 2)]
    sender.finish(first)
    more = [*first, row(3, invoice_no="A-3", **ACME)]
    sender.finish(more)
    asked_once(victor_sandbox, more)


def test_a_split_invoice_is_asked_about(sender, victor_sandbox):
    sender.finish([*OTHERS, row(1, amount="100.00", **ACME)])
    parts = [row(1, invoice_no=f"INV-1{part}", amount="50.00", **ACME) for part in "ab"]
    with nothing_sent(victor_sandbox):
        assert sender().send([*OTHERS, *parts]).noticed["looks_like"] == 2


def test_a_list_under_a_given_name_whose_keys_were_all_respelled_is_asked_about(
    sender, victor_sandbox
):
    """It has no row of the list before, as the next week's list has none."""
    sender.finish(rows(5), batch="rent")
    respelled = [row(number, invoice_no=f"2026-INV-{number}") for number in range(1, 6)]
    with nothing_sent(victor_sandbox):
        assert sender(batch="rent").send(respelled).noticed == {"looks_like": 5}


def test_the_rows_that_a_sheet_pulls_back_are_counted_before_it_is_sent(bulk, sender):
    sender.of(state=bulk.state, batch=None).store(bulk.write(rows(4)))
    for options in (("--dry-run",), ()):
        assert "2 rows of the batch had not left" in bulk.send(rows(2), *options).err


def test_a_dry_run_of_an_unchanged_sheet_knows_that_another_batch_has_a_newer_one(sender):
    sender.store(rows(2))
    sender.store([row(2, amount="99.00")], batch="b")
    assert sender().check(rows(2)).noticed == {"waits_otherwise": 1}


# The name of a batch


def test_a_sheet_without_a_row_of_the_one_of_its_name_is_refused_by_its_file(
    bulk, sender, victor_sandbox
):
    shops = []
    for number, name in enumerate(["shop-a", "shop-b"]):
        folder = bulk.folder / name
        folder.mkdir()
        shop = [row(number * 10 + each, client_reference_id=f"{name}-{each}") for each in (1, 2)]
        shops.append(write_csv(folder / "invoices.csv", shop))
    sender.of(state=bulk.state, batch=None).store(shops[0])
    with nothing_sent(victor_sandbox):
        ended = bulk("send", "shop-b/invoices.csv", *bulk.sends)
    assert ended.status == 2
    assert "such as --batch shop-b-invoices" in ended.err
    assert "2 waiting" in bulk("status", "invoices.csv").out
    assert bulk("send", "shop-b/invoices.csv", *bulk.sends, "--batch", "shop-b").status == 0
    assert bulk("resume", "invoices.csv").status == 0
    assert is_one_payment(victor_sandbox, 4)


def test_a_list_that_has_few_rows_of_the_one_before_is_refused_as_another_one(
    sender, victor_sandbox
):
    sender.finish(rows(6))
    with nothing_sent(victor_sandbox), refused("Most new rows of this sheet have payers"):
        sender().send([row(6), *rows(5, start=20)])


def test_an_equal_list_whose_keys_are_of_another_kind_is_another_sheet(sender, victor_sandbox):
    """What is asked for it is told of its rows, and nothing is asked under the keys before."""
    respond_to_creates(victor_sandbox, 400, 2)
    sender(key_kind="invoice").send(rows(2))
    sender.finish(rows(2), key_kind="bill")
    results = sender.results()
    assert {each.outcome for each in results.values()} == {"created"}
    with refused("INV-1"):
        sender().ask_again(["INV-1"], by="Ann", why="It was rejected.")
    sender.finish()
    assert amounts(victor_sandbox) == ["2.23", "3.23"]


def test_a_source_that_is_no_file_is_refused_by_its_name(bulk):
    bulk.write(rows(1))
    for source in ("-", "/dev/null"):
        ended = bulk("send", source, *bulk.sends)
        assert ended.status == 2
        assert "write the rows into one" in ended.err


# What contradicts a sheet


def test_a_column_that_names_another_currency_is_a_problem_of_its_row(sender):
    records = [row(1, currency="usd"), row(2, currency="EUR"), row(3, currency="")]
    check = sender().check(records)
    (problem,) = check.problems
    assert (problem.row, problem.column, problem.code) == (2, "currency", "currency")


def test_an_account_without_its_leading_zero_is_named_before_anything_is_sent(bulk):
    accounts = ["043987673645", "043987673645", "43987673645"]
    records = [row(number, payee_account_number=each) for number, each in enumerate(accounts)]
    warning = "line 4, payee_account_number: this account is that of other rows without a leading"
    for options in (("--dry-run",), ()):
        shown = bulk.send(records, *options).err
        assert warning in shown


def test_a_column_that_is_nearly_one_that_is_sent_is_named_before_anything_is_sent(sender):
    (warning,) = sender().check([row(1, note="thank you"), row(2, note="")]).warnings
    assert warning.startswith("the column note is not sent, only exported: if notes is meant")
    assert sender().check([row(1, notes="thank you", note="x", colour="red")]).warnings == []


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"<?xml version='1.0'?><Document/>", "XML"),
        (b"\xef\xbb\xbf<?xml version='1.0'?>", "XML"),
        (b":20:STARTUMS\r\n:25:12345678", "MT940"),
        (b"OFXHEADER:100\n", "OFX"),
        (b"01,122099999,123456789,040621,0200,1,65,,2/", "BAI2"),
        (b"PAR1\x15\x04", "Parquet"),
        (b"\x1f\x8b\x08\x00", "gzip"),
    ],
)
def test_a_file_that_is_no_table_is_named_as_what_it_is(sender, tmp_path, content, kind):
    file = tmp_path / "invoices.csv"
    file.write_bytes(content)
    with refused(f"is no table but .*{kind}"):
        sender().check(file)


def test_a_guid_has_one_key_in_each_of_its_spellings():
    guid = "f4e63920-b413-4fe3-a4e9-fa8745ec0ac3"
    spellings = [guid, guid.upper(), guid.replace("-", ""), f"{{{guid.upper()}}}"]
    assert len({idempotency_key_for("invoice", each) for each in spellings}) == 1
    digits = "1" * 32
    assert idempotency_key_for("invoice", digits) == idempotency_key_for("invoice", int(digits))
    assert keys_of([{"invoice_no": each} for each in spellings]) == keys_of([{"invoice_no": guid}])
