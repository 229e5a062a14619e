"""What the docstring of a constructor takes over from the class that describes its options."""

import inspect

_ARGUMENTS = "Args:"


def with_options_described(text: str | None, options: str | None) -> str | None:
    """A constructor's docstring, with the arguments that the docstring of its `options` describes
    after its own.

    None: Python runs without docstrings.
    """
    if text is None or options is None:
        return text
    described = inspect.cleandoc(options).partition(f"{_ARGUMENTS}\n")[2]
    return inspect.cleandoc(text).replace("\n\nRaises:", f"\n{described}\n\nRaises:")
