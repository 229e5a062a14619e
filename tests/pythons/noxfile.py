"""`nox -s pythons`: use the wheels on each Python, in bare environments, with the newest and the
oldest dependencies.

Each extra is installed alone and used once; the fast tests and one bulk crash run with all of them.
Tests run in a copy of the repository without its packages, so that what they import is the wheel.
"""

from __future__ import annotations

import shutil
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
# Not with the project's dependencies: what the tests themselves need.
TEST_TOOLS = ("pytest", "pytest-httpx", "pytest-xdist", "hypothesis", "pyjwt", "trio")
CRASH = ("tests/bulk/test_bulk_crashes.py", "-k", "sqlite")
FAST = (
    *("-n", "2", "--tier", "quick", "tests"),
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
    tools = TEST_TOOLS if part == "all" else ()
    requirement = f"{built}[{part}]" if is_extra else str(built)
    session.install("--no-build", "--constraint", str(bounds), requirement, *tools)
    return folder


@nox.session(python=PYTHONS)
@nox.parametrize("resolution", ["highest", "lowest-direct"])
@nox.parametrize("extra", EXTRAS)
def wheel(session: nox.Session, extra, resolution):
    """Use one extra of the wheel in `build/wheel`; with `all`, run the tests."""
    folder = installed(session, "victor_ext", ROOT / "pyproject.toml", resolution, extra)
    with session.chdir(folder):
        if extra != "all":
            session.run(
                "python", "-P", "-W", "error", str(ROOT / "tests" / "pythons" / "uses.py"), extra
            )
            return
    tree = folder / "tree"
    shutil.rmtree(tree, ignore_errors=True)
    files = session.run(
        *("git", "-C", str(ROOT)),
        "ls-files",
        "-z",
        "--",
        ".",
        ":!victor_ext",
        ":!generated",
        ":!recipe/victor_spec",
        external=True,
        silent=True,
    )
    for name in filter(None, str(files).split("\0")):
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tree / name)
    with session.chdir(tree):
        for options in (FAST, CRASH):
            session.run("python", "-m", "pytest", "-q", "-p", "no:cacheprovider", *options)


@nox.session(python=PYTHONS)
@nox.parametrize("resolution", ["highest", "lowest-direct"])
def recipe(session: nox.Session, resolution):
    """Use the recipe's wheel in `build/wheel`, without the client."""
    project = ROOT / "recipe" / "pyproject.toml"
    folder = installed(session, "victor_spec", project, resolution, "recipe")
    document = ROOT / "openapi" / "victor.yaml"
    with session.chdir(folder):
        session.run("python", "-P", str(ROOT / "recipe" / "tests" / "alone.py"), str(document))
