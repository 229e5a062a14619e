"""Messages of the command line: options and commands in place of the client's hints, which are
written for Python.

`in_options` says what is wrong with the arguments of a call, `usage` what is wrong with a command
line, `column_remedy` what to do about the heading of a file.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from difflib import get_close_matches
from typing import TYPE_CHECKING

from ._document import ARGUMENTS_BY_PLACE

if TYPE_CHECKING:
    from victor_ext import Problem

_ARGUMENTS_BY_FIELD = {
    "Idempotency-Key": "idempotency_key",
    "id": "request_id",
    "victor_payment_request_id": "request_id",
    "columns": "column",
    **ARGUMENTS_BY_PLACE,
}
"""The argument of a problem's field, where that has another name."""
_HINTS = {
    **dict.fromkeys(("amount", "modified_amount"), "write 44.23"),
    **dict.fromkeys(
        ("due_date", "due_date_start_date", "due_date_end_date"),
        "write YYYY-MM-DD, today or tomorrow",
    ),
    "start_datetime": "write 2026-03-04T05:06:07Z, 2026-03-04 or yesterday",
    "idempotency_key": '"$(victor key invoice 1042)" makes a good one',
    "environment": "name that environment with --environment, and leave the URL out",
    "key_column": "leave --key-column out, and give the column of the file its former name",
}
"""What to write instead, by the code of a problem, or by its field."""
_ARGUMENT_NAME = re.compile(r"\b([a-z]+_[a-z_]+)\b")
"""The name of an argument in Python."""
_KEYWORD = re.compile(r"\b([a-z_]+)=(?=[\s,.:;)]|$)")
"""The same of one that may be a plain word, such as `payer=`."""


# Below, `option_names` are the names of options by parameter, such as `--due-date` of `due_date`.


def option_of(field: str, option_names: Mapping[str, str]) -> str | None:
    """Return the option or argument for a problem's field; None: the command has none for it."""
    argument = _ARGUMENTS_BY_FIELD.get(field, field)
    return option_names.get(argument) or option_names.get(field)


def in_options(problems: Collection[Problem], option_names: Mapping[str, str]) -> str:
    """Return problems as sentences about options; missing options share one sentence, and a single
    one is said with what to write.
    """
    missing: list[str] = []
    hint: str | None = None
    sentences: list[str] = []
    for problem in problems:
        if problem.code == "required":
            missing.append(option_of(problem.field, option_names) or problem.field)
            hint = _HINTS.get(problem.field)
        else:
            sentences.append(sentence(problem, option_names))
    names = list(dict.fromkeys(missing))  # each once
    if names:
        verb = "is" if len(names) == 1 else "are"
        message = f"{', '.join(names)} {verb} missing."
        sentences.insert(0, with_hint(message, hint if len(names) == 1 else None))
    return " ".join(sentences)


def sentence(problem: Problem, option_names: Mapping[str, str]) -> str:
    """Return a problem with its option name, and with a command hint instead of the Python hint."""
    message = _message_of_option(problem, option_of(problem.field, option_names))
    if problem.field != "columns":  # its message names columns, which are no options
        for pattern in (_KEYWORD, _ARGUMENT_NAME):
            message = pattern.sub(lambda name: option_names.get(name[1], name[0]), message)
    if not problem.hint:
        return message
    return with_hint(message, _HINTS.get(problem.code) or _HINTS.get(problem.field))


def _message_of_option(problem: Problem, option: str | None) -> str:
    """Return the message of a problem, beginning with its option; None: there is no option."""
    message = problem.message
    if option is None:
        return message
    if not message.startswith(problem.field):
        return f"{option}: {message}"
    rest = message.removeprefix(problem.field)
    return option + re.sub("^=", " ", rest)  # `rate=-1` becomes `--rate -1`


def usage(message: str, command: str | None) -> str:
    """Return what typer says is wrong with a command line, in plain words, and how to show the help
    of the `command`; None: typer has not got so far as to know the command.
    """
    if not message.endswith(("?", ".")):
        message = f"{message}."
    return message if command is None else f"{message} See '{command} --help'."


def rows_text(count: int) -> str:
    """Return a number of rows: `1 row`, `1,042 rows`."""
    return f"{count:,} {'row' if count == 1 else 'rows'}"


def with_hint(message: str, hint: str | None) -> str:
    """Return a message that ends with what to write instead; without a hint, the message itself."""
    return f"{message.removesuffix('.')}: {hint}." if hint else message


# What to do about a file, about credentials and about a certificate, as whole sentences.
ENCODING = "Name that of a CSV file of Excel, such as --encoding windows-1252."
CREDENTIALS = (
    "'victor sandbox --env-file FILE' makes credentials for a trial; with --provider, those of "
    "another system."
)
CERTIFICATE = (
    "If your company inspects TLS, add its CA to this machine's store, or set SSL_CERT_FILE to "
    "its CA bundle (in "
    "Python also verify=). If it does not, another party may be reading the connection."
)
_HEADING = re.compile(r"the heading \(([^)]*)\)")


def column_remedy(problem: Problem) -> str | None:
    """Return what to do about a problem with a column of a file, such as to name it with
    `--column`; None: there is nothing of this kind.
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
