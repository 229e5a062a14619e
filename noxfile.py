"""The longer stages, one session each: `.venv/bin/nox -s crashes -- 100` runs one of them.

Each runs in the environment that `make setup` makes, after looking whether that is up to date.
"""

from __future__ import annotations

import os
import platform
from collections.abc import Callable
from pathlib import Path

import nox

ROOT = Path(__file__).parent
BIN = ROOT / ".venv" / "bin"
CORES = str(os.cpu_count() or 1)
stage = nox.session(python=False, default=False)
# Hundreds of processes are started: none of them shall compile the package anew.
os.environ["PYTHONDONTWRITEBYTECODE"] = ""


def make(session: nox.Session, *targets: str) -> None:
    """Have `make` bring its targets up to date."""
    words = ("make", "-C", str(ROOT), "--silent", *targets)
    session.run(*words, env={"MAKEFLAGS": ""}, external=True, log=False)


def run(session: nox.Session, program: str, *arguments: str, **environment: str) -> None:
    """Run a program of the environment."""
    make(session, "setup")
    session.run(str(BIN / program), *arguments, env=environment, external=True)


def python(session: nox.Session, *arguments: str, **environment: str) -> None:
    """Run Python in the environment."""
    run(session, "python", *arguments, **environment)


def pytest(session: nox.Session, *arguments: str, **environment: str) -> None:
    """Run tests on all cores."""
    options = ("-n", CORES, "--dist", "worksteal")
    python(session, "-m", "pytest", *options, *arguments, **environment)


def run_parts(session: nox.Session, parts: dict[str, Callable[[nox.Session], None]]) -> None:
    """Run the parts of a session that its arguments name, or all of them."""
    unknown = [name for name in session.posargs if name not in parts]
    if unknown:
        session.error(f"There is no {', '.join(unknown)}: write some of {', '.join(parts)}.")
    for name in session.posargs or parts:
        parts[name](session)


@stage
def checks(session: nox.Session) -> None:
    """Style, types, imports, generated code; or only some (`-- mypy pyright`)."""
    names = ("check-pyright", "lint", "check-mypy", "contracts", "check-generated")
    if session.posargs:
        run_parts(session, {"mypy": _mypy, "pyright": _pyright})
    else:
        make(session, "--jobs", "2", *names)


def _mypy(session: nox.Session) -> None:
    """mypy --strict, on both packages and on the examples."""
    run(session, "mypy")
    run(session, "mypy", "examples")


def _pyright(session: nox.Session) -> None:
    """pyright on the same, as on this system (or PLATFORMS="Linux Darwin Windows")."""
    for system in os.environ.get("PLATFORMS", platform.system()).split():
        run(session, "pyright", "--pythonplatform", system)


@stage
def test_recipe(session: nox.Session) -> None:
    """The tests of recipe/: all, or those of a tier (`-- test`), also from a seed (`-- all 7`)."""
    tier, *seed = session.posargs or ["all"]
    _test_recipe(session, tier, *(f"--hypothesis-seed={number}" for number in seed))


def _test_recipe(session: nox.Session, tier: str, *options: str) -> None:
    with session.chdir("recipe"):
        pytest(session, "--tier", tier, *options)


@stage
def pull_request(session: nox.Session) -> None:
    """What `make test` leaves to the workflow, or a part of it (`-- 1/4`)."""
    shard = session.posargs[0] if session.posargs else "1/1"
    pytest(session, "--tier", "pull-request", "--shard", shard)
    if shard.startswith("1/"):  # the recipe has no shards
        _test_recipe(session, "pull-request")


@stage
def histories(session: nox.Session) -> None:
    """Is anybody asked twice in 100,000 rare histories? (`-- 1000 SEED`)

    `-- cancellations 1000` cancels so many calls, and interrupts a tenth as many by Ctrl-C.
    """
    match session.posargs:
        case ["cancellations", *numbers]:
            _cancellations(session, int(numbers[0]) if numbers else 100_000)
        case numbers:
            python(session, "-m", "tests.histories", *numbers)


def _cancellations(session: nox.Session, calls: int) -> None:
    python(
        session,
        *("-m", "pytest", "-s", "-q", "tests/faults/test_cancellations.py"),
        VICTOR_CANCELLATIONS=str(calls),
        VICTOR_INTERRUPTS=str(calls // 10),
    )


@stage
def crashes(session: nox.Session) -> None:
    """Kill bulk senders, workers, outboxes and PostgreSQL at 30 random moments each (`-- 100`)."""
    kills = session.posargs[0] if session.posargs else "30"
    python(session, "-m", "pytest", "tests/bulk/test_bulk_crashes.py", VICTOR_BULK_KILLS=kills)


@stage
def mistakes(session: nox.Session) -> None:
    """Plant each mistake of tests/mistakes in a copy, and say which tests notice (`-- bulk`)."""
    python(session, "-m", "tests.mistakes", *session.posargs)


@stage
def audit(session: nox.Session) -> None:
    """Known holes of what is locked, and weak workflows; or one of them (`-- workflows`)."""
    run_parts(session, {"holes": _holes, "workflows": _workflows})


def _holes(session: nox.Session) -> None:
    """Ask the advisory database about every locked dependency (needs the network)."""
    make(session, ".venv/release")
    # --strict: nothing is good that was not looked up.
    words = ("--strict", "--require-hashes", "--disable-pip", "--progress-spinner", "off")
    python(
        session,
        *("-m", "pip_audit", *words, "-r", "requirements.lock"),
        PYTHONPATH=".venv/release",
    )


def _workflows(session: nox.Session) -> None:
    """Look for weaknesses in .github/workflows."""
    make(session, ".venv/release")
    words = ("--offline", "--persona", "pedantic", ".github/workflows")
    session.run(".venv/release/bin/zizmor", *words, external=True)


@stage
def service(session: nox.Session) -> None:
    """Run examples/service on PORT (8000), with a sandbox on SANDBOX_PORT (8900)."""
    Path("build").mkdir(exist_ok=True)
    with session.chdir("build"):
        python(session, "../examples/service/run.py")
