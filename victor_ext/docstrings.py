"""The docstring of a method whose arguments another function declares, and the sentences that say
their limits, by the rows of a generated package.

The limits come last: `Notes for the payer. Up to 150 characters. (The server's default: none).`
"""

import inspect
import re
from collections.abc import Mapping, Sequence
from importlib import import_module
from textwrap import wrap
from typing import Any

_GENERATED = ".typed.arguments"
_ARGUMENTS = "Args:"
_NAME = re.compile(r"    (\w+): ")
_WITHOUT_VALUE = re.compile(r"(?:^|(?<=[.)] ))None: [^.]*\.$")
"""The last sentence about an argument that says what None means."""
_WIDTH = 96
_LATER_SECTION = re.compile(r"^(?:Raises|Returns|Examples):$", re.MULTILINE)


def limits_of(function: str) -> dict[str, list[str]]:
    """The limits of the arguments of a function such as `shop_api.typed.arguments.take_order`, by
    their names; none of a function that is not generated. Only data is imported.
    """
    module, _, name = function.rpartition(".")
    if not module.endswith(_GENERATED):
        return {}
    rows: Any = import_module(f"{module.removesuffix(_GENERATED)}.typed.rows")
    call = rows.CALLS[name]
    limits: dict[str, list[str]] = {}
    for argument, row in (*call.get("query", {}).items(), *call.get("body", {}).items()):
        said = [row["said_limits"]] if "said_limits" in row else []
        if "server_default" in row:
            said.append(f"(The server's default: {row['server_default']}).")
        limits[argument] = said
    return limits


def _is_default(sentence: str) -> bool:
    """Whether a sentence is the server's default."""
    return sentence.startswith("(")


def with_arguments_described(
    text: str | None, source: str | None, limits: Mapping[str, Sequence[str]]
) -> str | None:
    """A docstring in Google's style, with those arguments that `source` describes and it does not.
    What it describes itself gets its limits, which are sentences.

    None: Python runs without docstrings.
    """
    if text is None or source is None or _ARGUMENTS not in source:
        return text
    own = inspect.cleandoc(text)
    documented = _arguments_in(own)
    lines: list[str] = []
    for name, described in _arguments_in(inspect.cleandoc(source)).items():
        if name not in documented:
            lines += described
            continue
        with_limits = _with_limits(documented[name], limits.get(name, ()))
        own = own.replace("\n".join(documented[name]), "\n".join(with_limits), 1)
        documented[name] = with_limits
    if not lines:
        return own
    described_lines = "\n".join(lines)
    if documented:
        last = "\n".join([*documented.values()][-1])
        return own.replace(last, f"{last}\n{described_lines}", 1)
    section = f"{_ARGUMENTS}\n{described_lines}"
    later = _LATER_SECTION.search(own)
    if later is None:
        return f"{own}\n\n{section}"
    return f"{own[: later.start()]}{section}\n\n{own[later.start() :]}"


def _with_limits(lines: list[str], limits: Sequence[str]) -> list[str]:
    """The lines about an argument, with limits that they do not say yet: before what None means,
    and a default after it.
    """
    said = _joined(lines)
    missing = [each for each in limits if each not in said]
    if not missing:
        return lines
    without_value = _WITHOUT_VALUE.search(said)
    end = len(said) if without_value is None else without_value.start()
    sentences = [
        said[:end].rstrip(),
        *(each for each in missing if not _is_default(each)),
        said[end:],
        *filter(_is_default, missing),
    ]
    text = " ".join(filter(None, sentences))
    return wrap(
        text,
        _WIDTH,
        initial_indent=" " * 4,
        subsequent_indent=" " * 8,
        break_long_words=False,
        break_on_hyphens=False,
    )


def _joined(lines: Sequence[str]) -> str:
    return " ".join(map(str.strip, lines))


def _arguments_in(text: str) -> dict[str, list[str]]:
    """The lines about each argument, by its name."""
    arguments: dict[str, list[str]] = {}
    _, _, section = text.partition(f"{_ARGUMENTS}\n")
    name = ""
    for line in section.splitlines():
        if not line.startswith("    "):
            break
        begun = _NAME.match(line)
        if begun is not None:
            name = begun[1]
            arguments[name] = []
        arguments.setdefault(name, []).append(line)
    return arguments


def with_options_described(text: str | None, options: str | None) -> str | None:
    """A constructor's docstring, with the arguments that the docstring of its `options` describes
    after its own.

    None: Python runs without docstrings.
    """
    if text is None or options is None:
        return text
    described = inspect.cleandoc(options).partition(f"{_ARGUMENTS}\n")[2]
    return inspect.cleandoc(text).replace("\n\nRaises:", f"\n{described}\n\nRaises:")
