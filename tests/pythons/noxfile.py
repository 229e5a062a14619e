"""`nox -s pythons`: use the wheels on each Python, in bare environments, with the newest and the
oldest dependencies, and run the fast tests with the locked and the newest ones.

Each extra is installed alone and used once. The tests run on the clone, as `make setup` has it.
"""

from __future__ import annotations

from pathlib import Path

import nox

ROOT = Path(__file__).parents[2]
PROJECT = nox.project.load_toml(ROOT / "pyproject.toml")
EXTRAS = (
    "core",
    *sorted(PROJECT["project"]["optional-dependencies"], key=lambda name: (name == "all", name)),
)
PYTHONS = (*nox.project.python_versions(PROJECT), "3.14t")
# Without wheels of a dependency: PyYAML has none for 3.15, psycopg-binary none for free-threaded
# builds.
NO_WHEELS = {"3.15": ("bulk", "sandbox", "recipe", "all"), "3.14t": ("bulk", "all")}
FAST = (
    *("-n", "2", "--tier", "quick", "-p", "no:cacheprovider"),
    # aiohttp is no dependency.
    "--ignore=tests/providers/test_callers_http_client.py",
    # Its counts are those of the locked dependencies.
    "--ignore=tests/test_hot_paths.py",
)

nox.options.default_venv_backend = "uv"
nox.options.stop_on_first_error = False


def installed(session, distribution, project, resolution, part):
    """Install a wheel of `build/wheel`: of the client, the core or with an extra. Returns the
    folder of the session.
    """
    if part in NO_WHEELS.get(str(session.python), ()):
        session.skip("a dependency has no wheel for it; docs/install.md says which")
    (built,) = ROOT.glob(f"build/wheel/{distribution}-*.whl")
    folder = Path(session.create_tmp()).resolve()
    bounds = folder / "bounds.txt"
    is_extra = part in EXTRAS and part != "core"
    # For the wheel alone the project's dependencies would not be direct ones, and so none would be
    # old.
    session.run(
        *("uv", "pip", "compile", "--quiet", "--no-build", "--resolution", resolution),
        *("--python-version", str(session.python).rstrip("t"), "--no-emit-package", "victor-ext"),
        *(("--extra", part) if is_extra else ()),
        *("--output-file", str(bounds), str(project)),
        external=True,
    )
    requirement = f"{built}[{part}]" if is_extra else str(built)
    session.install("--no-build", "--constraint", str(bounds), requirement)
    return folder


@nox.session(python=PYTHONS)
@nox.parametrize("resolution", ["highest", "lowest-direct"])
@nox.parametrize("extra", EXTRAS)
def wheel(session: nox.Session, extra, resolution):
    """Use one extra of the wheel in `build/wheel`."""
    folder = installed(session, "victor_ext", ROOT / "pyproject.toml", resolution, extra)
    with session.chdir(folder):
        session.run(
            "python", "-P", "-W", "error", str(ROOT / "tests" / "pythons" / "uses.py"), extra
        )


@nox.session(python=PYTHONS)
@nox.parametrize("releases", ["locked", "newest"])
def tests(session: nox.Session, releases):
    """Run the fast tests with what the lock names, or with the newest releases."""
    if "all" in NO_WHEELS.get(str(session.python), ()):
        session.skip("a dependency has no wheel for it; docs/install.md says which")
    if releases == "locked":
        session.install("--require-hashes", "--requirement", str(ROOT / "requirements.lock"))
    else:
        wanted = Path(session.create_tmp()).resolve() / "newest.txt"
        with session.chdir(ROOT):
            session.run(
                *("uv", "pip", "compile", "--quiet", "--python-version", str(session.python)),
                *("pyproject.toml", "recipe/pyproject.toml", "--all-extras"),
                *("--group=dev", "--group=recipe/pyproject.toml:dev"),
                *("--output-file", str(wanted)),
                external=True,
            )
        session.install("--requirement", str(wanted))
    packages = ("--no-deps", "--no-build-isolation", "-e", str(ROOT), "-e", str(ROOT / "recipe"))
    session.install(*packages)
    with session.chdir(ROOT):
        session.run("python", "-m", "pytest", "-q", *FAST, "tests")


@nox.session(python=PYTHONS)
@nox.parametrize("resolution", ["highest", "lowest-direct"])
def recipe(session: nox.Session, resolution):
    """Use the recipe's wheel in `build/wheel`, without the client."""
    project = ROOT / "recipe" / "pyproject.toml"
    folder = installed(session, "victor_spec", project, resolution, "recipe")
    document = ROOT / "openapi" / "victor.yaml"
    with session.chdir(folder):
        session.run("python", "-P", str(ROOT / "recipe" / "tests" / "alone.py"), str(document))
