"""The docstring of a method whose arguments another function declares and describes."""

import inspect
import re

_ARGUMENTS = "Args:"
_NAME = re.compile(r"    (\w+): ")
_LATER_SECTION = re.compile(r"^(?:Raises|Returns|Examples):$", re.MULTILINE)


def with_arguments_described(text: str | None, source: str | None) -> str | None:
    """A docstring in Google's style, with those arguments that `source` describes and it does not.

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
    if not lines:
        return text
    described_lines = "\n".join(lines)
    if documented:
        last = "\n".join([*documented.values()][-1])
        return own.replace(last, f"{last}\n{described_lines}", 1)
    section = f"{_ARGUMENTS}\n{described_lines}"
    later = _LATER_SECTION.search(own)
    if later is None:
        return f"{own}\n\n{section}"
    return f"{own[: later.start()]}{section}\n\n{own[later.start() :]}"


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
