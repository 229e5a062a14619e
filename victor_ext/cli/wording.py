"""The client's sentences as a shell reads them: its messages name Python's arguments and methods.

What is not known here stays as the client said it. A test runs every command that can fail and looks for Python.
"""

from __future__ import annotations

import ast
import re
import shlex
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from victor_ext import Problem

# An argument of the method, where the wire has another name for it. (What is in `payment_details` keeps its name.)
_ARGUMENTS = {
    "Idempotency-Key": "idempotency_key",
    "id": "request_id",
    "victor_payment_request_id": "request_id",
    "payee.account_number": "payee_account_number",
    "payee.ultimate_creditor": "ultimate_creditor",
    "payer.victor_counterparty_id": "payer_counterparty_id",
}

_FIND = "'victor rfp find REFERENCE --start-datetime TIME'"
_GET = "'victor rfp get ID'"


def _key(match: re.Match[str]) -> str:
    return f"--idempotency-key {shlex.quote(str(ast.literal_eval(match[1])))}"


_PHRASES: tuple[tuple[str, str | Callable[[re.Match[str]], str]], ...] = (
    (r"idempotency_key_for\('invoice', 1042\)", '"$(victor key invoice 1042)"'),
    (r"\bidempotency_key_for: ", ""),
    (r"\bidempotency_key=('(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\")", _key),
    (r"\bpayment_requests\.find\([^)]*\)", _FIND),
    (r"\bpayment_requests\.get\(id\)|\bget\(\)", _GET),
    (r" What came is in the error's `body`\.", ""),
    (r"more, in `problems`", "more, which --json shows"),
    (r"\bbiller_type='BUSINESS'", "--biller-type BUSINESS"),
    (r"\bpass a date, such as date(\.today)?\([0-9, ]*\)", "write YYYY-MM-DD, today or tomorrow"),
    (r"\bwrite Decimal\('44\.23'\)", "write 44.23"),
    (r"\bVictorOAuth\(client_id, client_secret\)", "VICTOR_CLIENT_ID and VICTOR_CLIENT_SECRET"),
    # Of settings:
    (r"\A(api_key|client_id|client_secret)\b", lambda match: f"VICTOR_{match[1].upper()}"),
    (r": private_key\b(:?)", r"\1"),
    (r", (a path to a file), or a key object\b", r", or \1"),
    (r"\Abase_url\b", "--base-url"),
    (r"\benvironment='(staging|production)'", r"--environment \1"),
    (r"\Aenvironment=", "--environment "),
    (r"\bleave base_url out", "leave --base-url out"),
    (r"\Adeadline=(\S+) must be seconds above zero, or None for no bound", r"--deadline \1 must be seconds above zero"),
)
_COMPILED = tuple((re.compile(pattern), replacement) for pattern, replacement in _PHRASES)


def at_a_shell(message: str) -> str:
    """A message of the client in the words of the command line."""
    for pattern, replacement in _COMPILED:
        message = pattern.sub(replacement, message)
    return message


def spellings(parameters: Iterable[Any]) -> dict[str, str]:
    """How a command line spells each parameter of a command: `--due-date`, or `ID` for an argument."""
    return {
        parameter.name: parameter.opts[0] if parameter.opts[0].startswith("-") else parameter.metavar
        for parameter in parameters
    }


def spelling_of(field: str, spelled: Mapping[str, str]) -> str | None:
    """The option or argument of the command that a problem's field stands for, or None when it is not one of them."""
    name = _ARGUMENTS.get(field, field.removeprefix("payment_details."))
    return spelled.get(name)


def in_options(problems: Collection[Problem], spelled: Mapping[str, str]) -> str:
    """Problems that the client found, as sentences about options; those that are missing come in one."""
    missing = [_spelled(problem, spelled) for problem in problems if problem.code == "required"]
    sentences = [f"{', '.join(missing)} {'is' if len(missing) == 1 else 'are'} missing."] if missing else []
    sentences += [_sentence(problem, spelled) for problem in problems if problem.code != "required"]
    return " ".join(sentences)


def _sentence(problem: Problem, spelled: Mapping[str, str]) -> str:
    said = at_a_shell(problem.message)
    if problem.message.startswith(problem.field):
        said = said.removeprefix(problem.field)
        return f"{_spelled(problem, spelled)}{said}"
    return said if spelling_of(problem.field, spelled) is None else f"{_spelled(problem, spelled)}: {said}"


def _spelled(problem: Problem, spelled: Mapping[str, str]) -> str:
    return spelling_of(problem.field, spelled) or problem.field
