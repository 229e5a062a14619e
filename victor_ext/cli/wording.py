"""Messages of the command line: options and commands in place of the client's hints, which are
written for Python.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from difflib import get_close_matches
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from victor_ext import Problem

# Problem fields whose argument has another name. Fields in `payment_details` keep their names.
_ARGUMENTS = {
    "Idempotency-Key": "idempotency_key",
    "id": "request_id",
    "victor_payment_request_id": "request_id",
    "payee.account_number": "payee_account_number",
    "payee.ultimate_creditor": "ultimate_creditor",
    "payer.victor_counterparty_id": "payer_counterparty_id",
    "columns": "column",
}

# Hints by problem code, or by field.
_HINTS = {
    **dict.fromkeys(("amount", "modified_amount"), "write 44.23"),
    **dict.fromkeys(
        ("due_date", "due_date_start_date", "due_date_end_date"),
        "write YYYY-MM-DD, today or tomorrow",
    ),
    "idempotency_key": '"$(victor key invoice 1042)" makes a good one',
    "environment": "name that environment with --environment, and leave the URL out",
    "key_column": "leave --key-column out, and give the column of the file its former name",
}

SPEC_IS_ELSEWHERE = (
    "`victor spec` is a distribution of its own, victor-spec, which makes typed packages from "
    "OpenAPI documents: pip install ./recipe in a clone, or victor-spec from a package index."
)

_USAGE = {
    r" \(Possible options: (.*)\)": r". Did you mean \1?",
    r"Got unexpected extra argument\(s\) \((.*)\)": r"Too much is given: \1",
}
"""What typer says, as patterns, and what is said instead."""
_WHOLE = re.compile(r"^(=| is )(-?[0-9]+)\.0(?= )")
"""A number in a message as Python writes it (`rate=-1.0`): at a shell it is `--rate -1`."""
_ARGUMENT = re.compile(r"\b[a-z]+_[a-z_]+\b")
"""The name of an argument in Python."""


def spelling_of(field: str, spelled: Mapping[str, str]) -> str | None:
    """Return the option or argument for a problem's field, or None."""
    return spelled.get(_ARGUMENTS.get(field, field.removeprefix("payment_details.")))


def in_options(problems: Collection[Problem], spelled: Mapping[str, str]) -> str:
    """Return problems as sentences about options; missing options share one sentence."""
    missing: list[str] = []
    sentences: list[str] = []
    for problem in problems:
        if problem.code == "required":
            missing.append(spelling_of(problem.field, spelled) or problem.field)
        else:
            sentences.append(sentence(problem, spelled))
    names = list(dict.fromkeys(missing))
    if names:
        verb = "is" if len(names) == 1 else "are"
        sentences.insert(0, f"{', '.join(names)} {verb} missing.")
    return " ".join(sentences)


def sentence(problem: Problem, spelled: Mapping[str, str]) -> str:
    """Return a problem with its option name, and with a command hint instead of the Python hint."""
    message = _of_option(problem, spelling_of(problem.field, spelled))
    if problem.field != "columns":  # its message names columns, which are no options
        message = _ARGUMENT.sub(lambda name: spelled.get(name[0], name[0]), message)
    if not problem.hint:
        return message
    return with_hint(message, _HINTS.get(problem.code) or _HINTS.get(problem.field))


def _of_option(problem: Problem, option: str | None) -> str:
    """Return the message of a problem, which then begins with its option."""
    message = problem.message
    if option is None:
        return message
    if not message.startswith(problem.field):
        return f"{option}: {message}"
    rest = message.removeprefix(problem.field)
    rest = _WHOLE.sub(r"\1\2", rest)
    rest = re.sub("^=", " ", rest)
    return f"{option}{rest}"


def usage(message: str, command: str | None) -> str:
    """Return what typer says of a command line, in words for people, with where its help is."""
    for pattern, words in _USAGE.items():
        message = re.sub(pattern, words, message)
    if not message.endswith(("?", ".")):
        message = f"{message}."
    return message if command is None else f"{message} See '{command} --help'."


def rows_text(count: int) -> str:
    """Return a number of rows: `1 row`, `1,042 rows`."""
    return f"{count:,} {'row' if count == 1 else 'rows'}"


def with_hint(message: str, hint: str | None) -> str:
    return f"{message.removesuffix('.')}: {hint}." if hint else message


ENCODING = "Name that of a CSV file of Excel, such as --encoding windows-1252."
FOR_ALL_ROWS = {
    "due_date": "--due-date tomorrow gives a due date to every row without one.",
    "payor_id": "--payor-id ID gives a payor to every row without one.",
}
"""How to give a value of a column to all rows, by its name."""
CREDENTIALS = (
    "Or name a profile with --profile. 'victor sandbox --env-file FILE' makes credentials for a "
    "trial; with --provider, those of another system."
)
CERTIFICATE = (
    "If your company inspects TLS, add its CA to this machine's store, or set SSL_CERT_FILE to "
    "its CA bundle (in "
    "Python also verify=). If it does not, another party may be reading the connection."
)
_HEADING = re.compile(r"the heading \(([^)]*)\)")


def column_remedy(problem: Problem) -> str | None:
    """Return how to name the column that a heading lacks, or to read no times, with `--column`;
    else None.
    """
    heading = _HEADING.search(problem.message)
    if heading is None:
        return "Leave the times out with --column at=." if problem.field == "at" else None
    similar = get_close_matches(problem.field, heading[1].split(", "), 1)
    if problem.code == "column":
        return f"Did you mean {similar[0]}?" if similar else None
    name = similar[0] if similar else "NAME"
    remedy = f"Name it with --column {problem.field}={name}"
    if problem.field == "currency":
        return f"{remedy}, or one currency for all rows with --currency USD."
    return f"{remedy}."
