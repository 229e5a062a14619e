"""The version of this package, read by the build and sent as part of the user agent; and how an
extra is installed.
"""

from collections.abc import Generator
from contextlib import contextmanager

__version__ = "0.1.0"
PRODUCT = f"victor-ext/{__version__}"
"""What `User-Agent` headers call the package."""


def missing_extra(what: str, needed: str, extra: str, below: str = "") -> ImportError:
    """Return the error about an extra that is not installed.

    Args:
        what: What needs it, such as `victor_ext.bulk`.
        needed: The module that cannot be imported.
        extra: The name of the extra.
        below: The extra that a module of the same name below `what` needs instead, if there is one.
    """
    # Before the first release, anybody can register the name of this project.
    wheel = f"./victor_ext-{__version__}-py3-none-any.whl[{extra}]"
    message = f"{what} needs {needed}; with the wheel of this project: pip install '{wheel}'"
    if below:
        message = f"{message}, or [{below}] for {what}.{below}"
    return ImportError(message, name=needed)


@contextmanager
def needs_extra(what: str, extra: str, below: str = "") -> Generator[None]:
    """Raise `missing_extra` if a module that is imported within the block is not there. What is
    there and fails says why itself.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        if error.name is None:  # it says already what is missing
            raise
        needed = error.name.partition(".")[0]
        raise missing_extra(what, needed, extra, below) from error
