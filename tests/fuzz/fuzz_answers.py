"""`nox -s fuzz`: a coverage-guided search for bytes that make the client raise anything but a
`VictorError`.

    python -m tests.fuzz.fuzz_answers [seconds] [options of libFuzzer]

The fuzzer (atheris) watches which lines of the client, the generated layer and the HTTP stack an
answer reaches, and goes on from those that reached new ones; hypothesis makes the answers of its
bytes. What it finds is printed as a traceback, and kept in a file whose name is printed:
`python -m tests.fuzz.fuzz_answers FILE` runs that one again.
"""

import os
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# `nox -s fuzz` puts the fuzzer there.
sys.path[:0] = [str(ROOT / ".venv" / "fuzz")]

SECONDS = 60
INSTRUMENTED = ["victor_ext", "victor_api", "h11", "http.cookiejar", "email.utils"]


def _atheris():
    try:
        import atheris
    except ImportError:
        sys.exit(
            "atheris is not installed: `nox -s fuzz` installs it, where there is one (Linux on "
            "x86-64). Elsewhere the tests in tests/fuzz feed the same client from hypothesis."
        )
    return atheris


def _one_input(atheris):
    """What takes the fuzzer's bytes."""
    with atheris.instrument_imports(include=INSTRUMENTED):
        from hypothesis import given
        from hypothesis import strategies as st

        from tests.fuzz.fuzz_wire import OPERATIONS, Fuzzed, answer
        from tests.fuzz.test_fuzzed_answers import ANSWERS, STEADY, observe

        mode = Fuzzed()
        for operation in OPERATIONS:  # what is loaded on first use is to be watched too
            observe(mode, operation, answer(b"{}", 400))
            observe(
                mode,
                operation,
                answer(b'{"victor_payment_request_id": "R1", "status": "created", "page": 0}'),
            )

    @STEADY
    @given(st.sampled_from(OPERATIONS), ANSWERS)
    def check(operation, data):
        observe(mode, operation, data)

    return check.hypothesis.fuzz_one_input


def main():
    atheris = _atheris()
    given = sys.argv[1:]
    if (
        given
        and not given[0].isdigit()
        and not given[0].startswith("-")
        and not Path(given[0]).is_file()
    ):
        raise SystemExit(
            f"{given[0]!r} is neither a number of seconds nor a file that was found earlier."
        )
    seconds = given.pop(0) if given and given[0].isdigit() else str(SECONDS)
    prefix = f"{tempfile.mkdtemp(prefix='victor-fuzz-')}{os.sep}found-"
    options = [
        f"-max_total_time={seconds}",
        "-timeout=20",
        "-max_len=4096",
        "-len_control=0",
        f"-artifact_prefix={prefix}",
    ]
    atheris.Setup([sys.argv[0], *options, *given], _one_input(atheris))
    atheris.Fuzz()


if __name__ == "__main__":
    main()
