"""Where a person or a log may look at an error: its texts, and the frames of this project in its
traceback.
"""

import pickle
import re
import traceback
from pathlib import Path

import victor_ext
from victor_ext import VictorError

_FOLDER = Path(victor_ext.__file__).parent
HAND_WRITTEN = f"{_FOLDER}/"
"""How the file names of `victor_ext` begin."""
OURS = (HAND_WRITTEN, f"{_FOLDER.parent / 'generated'}/")
"""The same, with those of the generated packages."""


def places(raised, files=OURS):
    """Each place of an error, and of those that led to it, with what it shows.

    The frames are those of these files.
    """
    for error in chain(raised):
        yield "str", str(error)
        yield "repr", f"{error!r} {error.args!r} {getattr(error, '__notes__', ())!r}"
        if isinstance(error, VictorError):
            yield "attributes", f"{vars(error)!r} {error.problems!r}"
            yield "pickle of the request", pickle.dumps(error.request).decode("latin-1")
            yield "headers of the request", repr(error.request and error.request.headers)
        yield "traceback", "".join(traceback.format_exception(error))
        yield from locals_of(error, files)


def chain(error):
    """An error, and those that led to it, as tracebacks have them."""
    while error is not None:
        yield error
        context = None if error.__suppress_context__ else error.__context__
        error = error.__cause__ or context


def _repr(value):
    try:
        return repr(value)
    except AttributeError:  # of an object that is half made
        return ""


def locals_of(error, files=OURS, shown=_repr):
    """The local variables of the frames in these files, as a traceback shows them."""
    step = error.__traceback__
    while step is not None:
        code = step.tb_frame.f_code
        if code.co_filename.startswith(files):
            for name, value in step.tb_frame.f_locals.items():
                yield f"{name} in {code.co_qualname} ({Path(code.co_filename).name})", shown(value)
        step = step.tb_next


def found_in(text, secrets):
    """The secrets that a text shows.

    One of digits alone is none within a longer number or an address.
    """
    return [
        secret
        for secret in secrets
        if (
            re.search(rf"(?<![0-9a-f]){secret}(?![0-9a-f])", text)
            if secret.isdigit()
            else secret in text
        )
    ]


def assert_hidden(error, secrets, files=OURS):
    secrets = [*secrets]
    for place, text in places(error, files):
        assert found_in(text, secrets) == [], f"{place}: {text[:2000]}"
