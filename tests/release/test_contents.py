"""`make build` refuses a distribution with a file too many, one too few, or metadata that is wrong;
`make build`.
"""

import json
import re
import runpy
import zipfile
from pathlib import Path

import pytest

from tests.release import contents

pytestmark = pytest.mark.pull_request


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The files of the wheel that is built here."""
    return contents.files_of(contents.build_wheel(contents.ROOT, tmp_path_factory.mktemp("dist")))


def wrong(found):
    names = contents.wrong_names(found, contents.expected_in_wheel(contents.committed()))
    return [*names, *contents.wrong_entry_points(found)]


def test_the_wheel_has_exactly_the_committed_files(wheel):
    assert wrong(wheel) == []


@pytest.mark.parametrize(
    "name", ["victor_ext/py.typed", "victor_ext/openapi/victor.yaml", "velo_api/client.py"]
)
def test_a_file_that_the_wheel_lacks_or_has_too_many_is_reported_by_name(wheel, name):
    found = {
        other: data
        for other, data in wheel.items()
        if other != name and not other.endswith("LICENSE")
    }
    found["tests/conftest.py"] = b""
    few = [f"lacks {name}, which is committed", "lacks *.dist-info/licenses/LICENSE"]
    assert wrong(found) == ["has tests/conftest.py, which is not committed", *few]


@pytest.mark.parametrize(
    "name", ["victor_ext/key.pem", "victor_ext/a.sqlite-wal", "victor_ext/__pycache__/a.pyc"]
)
def test_a_file_that_belongs_in_no_distribution_is_reported_even_if_committed(name):
    assert [*contents.wrong_names([name], {name})] == [
        f"has {name}, which belongs into no distribution"
    ]


def test_the_source_distribution_has_the_committed_files_except_tests_and_recipe(
    tmp_path,
):
    from hatchling.builders.sdist import SdistBuilder

    (built,) = SdistBuilder(str(contents.ROOT)).build(
        directory=str(tmp_path), versions=["standard"]
    )
    found = contents.files_of(Path(built)).keys()
    assert [*contents.wrong_names(found, contents.expected_in_source(contents.committed()))] == []
    assert {"README.md", "CHANGELOG.md", "hatch_build.py", "pyproject.toml"} <= found
    needing_the_repository = ("tests/", "recipe/", "Makefile", "noxfile.py")
    assert [name for name in found if name.startswith(needing_the_repository)] == []


@pytest.mark.parametrize(
    ("own", "other"), [("victor-ext", "victor-spec"), ("victor-spec", "victor-ext")]
)
def test_distributions_of_the_other_project_may_be_in_the_same_folder(own, other, tmp_path, capsys):
    old, beside = (f"{each.replace('-', '_')}-0.0.0.tar.gz" for each in (own, other))
    for name in (old, beside, "notes.txt"):
        (tmp_path / name).touch()
    assert contents.main(tmp_path, own) == 1
    printed = capsys.readouterr().out
    assert f"has {old}, which is not of this version" in printed
    assert "has notes.txt, which is not of this version" in printed
    assert beside not in printed


def test_the_wheel_of_the_recipe_has_exactly_the_committed_files(tmp_path):
    built = contents.build_wheel(contents.ROOT / "recipe", tmp_path)
    assert [*contents.wrong_recipe_wheel(built)] == []
    with zipfile.ZipFile(built, "a") as wheel:
        wheel.writestr("tests/wire.py", b"")
    assert [*contents.wrong_recipe_wheel(built)] == ["has tests/wire.py, which is not committed"]


def test_a_missing_entry_point_is_reported_by_name(wheel):
    found = {
        name: data.replace(b"victor_ext.cli:main", b"other:main") for name, data in wheel.items()
    }
    assert [*contents.wrong_entry_points(found)] == [
        "has no entry point victor = victor_ext.cli:main"
    ]


def test_the_readme_of_an_index_has_links_that_lead_somewhere():
    made = runpy.run_path(str(contents.ROOT / "hatch_build.py"))["for_an_index"]
    text = (
        "See [a](docs/retry.md#limits), [b](CHANGELOG.md) and [c](https://example.org/).\n<!-- "
        "given: x -->\n\nEnd"
    )
    assert made(text) == "See a, b and [c](https://example.org/).\nEnd"
    site = "See [a](https://docs.example/retry/#limits), b and [c](https://example.org/).\nEnd"
    assert made(text, "https://docs.example") == site


def test_wrong_metadata_of_the_wheel_is_reported(wheel):
    (text,) = (data for name, data in wheel.items() if name.endswith("/METADATA"))
    (version,) = (line[9:].decode() for line in text.splitlines() if line.startswith(b"Version: "))
    assert [*contents.wrong_metadata(text, version, contents.EXTRAS)] == []
    (of_version,) = contents.wrong_metadata(text, "9.9", contents.EXTRAS)
    assert of_version.startswith(f"says Version: {version}, which is not ")
    (of_extras,) = contents.wrong_metadata(text, version, contents.EXTRAS[1:])
    assert of_extras.startswith("says the extras ")
    odd = text.replace(b"Requires-Dist: httpx", b"Requires-Dist: >httpx")
    assert "no index takes: '>httpx" in next(contents.wrong_metadata(odd, version, contents.EXTRAS))


def test_each_field_that_the_metadata_lacks_is_reported():
    lacking = [*contents.wrong_metadata(b"", "1.2.3", ["cli"])]
    for field in ("Name", "Version", *contents.METADATA):
        assert [line for line in lacking if line.startswith(f"says {field}: None, ")] != [], field
    assert "says the extras , which are cli" in lacking
    assert "has no description" in lacking


def test_the_extra_called_all_has_all_other_extras():
    others = ",".join(sorted(name for name in contents.EXTRAS if name != "all"))
    assert contents.PROJECT["optional-dependencies"]["all"] == [f"victor-ext[{others}]"]


def test_the_classifiers_name_the_pythons_that_are_tested():
    named = [
        line.rpartition(" ")[2]
        for line in contents.PROJECT["classifiers"]
        if "Python :: 3." in line
    ]
    workflow = (contents.ROOT / ".github" / "workflows" / "ci.yml").read_text("utf-8")
    # The wheel is used on each; the lock of the development tools cannot be installed on the newest
    # one yet.
    (used,) = re.findall(r"for python in (.+); do", workflow)
    assert [name for name in used.split() if not name.endswith("t")] == named
    assert f"python: {json.dumps(named[:-1])}" in workflow
    assert contents.PROJECT["requires-python"] == f">={named[0]}"
