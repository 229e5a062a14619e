"""Events that are stored in the user's own database, and handled once: what the outbox and the
inbox have in common.
"""

from collections.abc import Generator
from contextlib import contextmanager


@contextmanager
def needs(module: str, extras: str) -> Generator[None]:
    """Say what to install when something cannot be imported that the module needs: `extras`, as pip
    takes them.
    """
    try:
        yield
    except ImportError as error:
        message = f"{module} needs {error.name}; install its extra: pip install {extras}"
        raise ImportError(message, name=error.name) from error
