"""A package goes to its own place and nowhere else, whole or not at all.

Everything here happens in `tmp_path`.
"""

import shutil
import tempfile
from pathlib import Path
from unittest.mock import Mock

import pytest

from victor_spec.destination import HEADER
from victor_spec.generate import generate

from .command import run
from .wire import beside

pytestmark = pytest.mark.pull_request

CASES = beside("destination")
SMALL = Path(__file__).with_name("small.yaml").read_text(encoding="utf-8")


def snapshot(folder):
    """Every file with its bytes, every link with where it points, every folder."""
    return {
        str(path.relative_to(folder)): (
            f"-> {path.readlink()}"
            if path.is_symlink()
            else path.read_bytes()
            if path.is_file()
            else "folder"
        )
        for path in sorted(folder.rglob("*"))
    }


@pytest.fixture
def room(tmp_path, monkeypatch):
    """A folder with a document, the user's own code around OUT, and the folder for temporary
    files.
    """
    room = tmp_path / "room"
    out = room / "project" / "out"
    out.mkdir(parents=True)
    (room / "temporary").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(room / "temporary"))
    for folder in (room, room / "project", room / "temporary", out):
        (folder / "mine.py").write_text("import os\nx   =  1\n")
    (room / "small.yaml").write_text(SMALL)
    (room / "newer.yaml").write_text(SMALL.replace("id:", "name:"))
    return room


@pytest.mark.parametrize("name", CASES["names"])
def test_a_name_that_is_no_plain_name_of_a_package_is_refused_and_nothing_is_written(
    room, name, capsys
):
    before = snapshot(room)
    name = name.replace("{room}", str(room))
    options = ["--out", room / "project" / "out", f"--name={name}", room / "small.yaml"]
    assert run("generate", *options) == 2
    said = capsys.readouterr().err
    assert said.startswith(repr(name))
    assert "--name" in said
    assert snapshot(room) == before


@pytest.fixture
def made(room):
    """A package that was made before."""
    return generate(room / "small.yaml", room / "project" / "out").package


def _replaced(package, make):
    shutil.rmtree(package)
    make()


def _moved(package):
    kept = package.rename(package.parent.parent / "kept")
    package.symlink_to(kept)


FOREIGN = {
    "a module": lambda package: (package / "mine.py").write_text("import os\nx   =  1\n"),
    "a link": lambda package: (package / "models" / "more.py").symlink_to(
        package / "models" / "thing.py"
    ),
    "no package": lambda package: _replaced(package, package.mkdir),
    "a link to a package": _moved,
    "a dangling link": lambda package: _replaced(
        package, lambda: package.symlink_to(package.parent / "nowhere")
    ),
}


@pytest.mark.parametrize("change", FOREIGN.values(), ids=FOREIGN)
def test_a_folder_that_victor_spec_did_not_make_is_neither_replaced_nor_formatted(
    room, made, change, capsys
):
    change(made)
    before = snapshot(room)
    assert run("generate", room / "small.yaml", "--out", made.parent) == 2
    said = capsys.readouterr().err
    assert str(made) in said
    assert "move it away, or name another folder" in said or "is a link: remove it" in said
    assert snapshot(room) == before


def test_a_package_made_by_victor_spec_is_replaced_and_its_old_files_are_removed(room, made):
    fresh = snapshot(made)
    (made / "models" / "old.py").write_text(HEADER)
    (made / "models" / "thing.py").write_text(HEADER + "edited = 1\n")
    (made / "models" / "__pycache__").mkdir()
    (made / "models" / "__pycache__" / "old.pyc").write_bytes(b"x")
    generate(room / "small.yaml", made.parent)
    assert snapshot(made) == fresh


# Half-done


def break_second_rename(monkeypatch, error):
    """The package that stood there is away, and the new one is not there yet."""
    rename = Path.rename
    done = []

    def renaming(path, to):
        done.append(path)
        if len(done) == 2:
            raise error("now")
        return rename(path, to)

    monkeypatch.setattr(Path, "rename", renaming)


@pytest.mark.parametrize("error", [KeyboardInterrupt, OSError])
@pytest.mark.parametrize("place", ["render", "shutil.copyfile", "subprocess.run", "second rename"])
def test_a_run_that_breaks_off_leaves_the_old_package_and_nothing_else(
    room, made, monkeypatch, place, error
):
    before = snapshot(room)
    if place == "second rename":
        break_second_rename(monkeypatch, error)
    else:
        monkeypatch.setattr(f"victor_spec.generate.{place}", Mock(side_effect=error("now")))
    with pytest.raises(error):
        generate(room / "newer.yaml", made.parent, name=made.name)
    monkeypatch.undo()
    assert snapshot(room) == before


# What stands around


# `make`
