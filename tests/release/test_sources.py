"""`nox -s release` names each page that names a package index before the first release."""

import subprocess
import sys

import pytest

from tests.release import sources

NAMES = {"victor-ext", "victor-spec"}


@pytest.mark.parametrize(
    "text",
    [
        "pip install victor-ext",
        "pip install 'victor-ext[cli,sandbox]'",
        "python -m pip install -U victor-spec",
        "pip install \\\n    'victor-ext[outbox]'",
        "uv add victor-ext",
        "pip download 'victor-ext[outbox]' --dest wheels",
        "pip install '.[cli]'    # in a clone; from a package index: 'victor-ext[cli]'",
        "Install it from a\npackage index.",
        "Install it (`pip install victor-spec`).",
        "Pin it: `victor-ext>=0.1,<0.2`.",
        '        default: "victor-spec"',
        "Leave this out once a package index has victor-spec.",
    ],
)
def test_a_page_that_installs_from_a_package_index_is_reported(text):
    assert len([*sources.naming_an_index(f"First.\n\n{text}\n", NAMES)]) == 1


@pytest.mark.parametrize(
    "text",
    [
        "pip install '.[cli,sandbox]' ./recipe",
        "pip install 'victor-ext[cli] @ git+https://git.example.com/payments/victor_ext@v0.1.0'",
        "pip install './wheels/victor_ext-0.1.0-py3-none-any.whl[outbox]'",
        "pip install --no-index --find-links wheels 'victor-ext[outbox]'",
        "`pip install ./recipe` for `victor-spec`",
        "victor-spec diff old.yaml new.yaml",
        "Do not install `victor-ext` by name.",
        "Only its dependencies come from your index.",
    ],
)
def test_a_page_that_installs_from_the_repository_is_not_reported(text):
    assert [*sources.naming_an_index(f"First.\n\n{text}\n", NAMES)] == []


def test_a_project_counts_as_released_once_its_changelog_has_a_date(tmp_path):
    (tmp_path / "recipe").mkdir()
    (tmp_path / "CHANGELOG.md").write_text("## Unreleased: 0.1.0\n", encoding="utf-8")
    (tmp_path / "recipe" / "CHANGELOG.md").write_text("## 0.1.0 - 2026-12-31\n", encoding="utf-8")
    assert sources.unreleased(tmp_path) == {"victor-ext"}
    assert [*sources.naming_an_index("pip install victor-spec", set())] == []


EXTRAS = (
    ("victor_ext.bulk", "sqlalchemy", "bulk"),
    ("victor_ext.inbox", "sqlalchemy", "outbox"),
    ("victor_ext.outbox", "sqlalchemy", "outbox"),
    ("victor_ext.otel", "opentelemetry", "otel"),
    ("victor_ext.prometheus", "prometheus_client", "prometheus"),
    ("victor_ext.sandbox", "uvicorn", "sandbox"),
    ("victor_ext.inbox.django", "django", "django"),
    ("victor_ext.outbox.django", "django", "django"),
)


@pytest.mark.slow
def test_the_error_for_a_missing_extra_says_to_install_it_from_the_repository():
    program = f"""
import importlib, importlib.util, sys
located = importlib.util.find_spec
for module, needed, _ in {EXTRAS}:
    sys.modules[needed] = None
    importlib.util.find_spec = lambda name: None if name == needed else located(name)
    try:
        importlib.import_module(module)
    except ImportError as error:
        print(error)
    del sys.modules[needed]
"""
    ran = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert ran.stdout.splitlines() == [
        f"{module} needs {needed}; in a clone of this project: pip install '.[{extra}]'"
        + (f", or '.[django]' for {module}.django" if extra == "outbox" else "")
        for module, needed, extra in EXTRAS
    ]


def test_no_page_mentions_a_package_index_before_the_first_release():
    assert sources.problems() == []
