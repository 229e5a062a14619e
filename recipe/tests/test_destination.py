"""A package goes to its own place and nowhere else, whole or not at all.

Everything here happens in `tmp_path`.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from unittest.mock import Mock

import pytest

from victor_spec.destination import HEADER, changed_files
from victor_spec.generate import generate

from .cases import DOCUMENTS, ROOT
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


def test_a_document_whose_file_name_is_no_package_name_needs_the_option_name(room, capsys):
    for odd in ("3ds.yaml", "---.yaml", "中.yaml"):
        spec = room / odd
        spec.write_text(SMALL)
        assert run("generate", spec, "--out", room / "project") == 2
        assert "is no name for a package: give one of ASCII letters" in capsys.readouterr().err
    before = snapshot(room)
    name = ["--name=three_ds", "--out", room / "project", spec]
    assert run("generate", *name, room / "small.yaml") == 2
    assert "name one document with it" in capsys.readouterr().err
    assert snapshot(room) == before
    assert run("generate", *name) == 0


def test_generate_writes_the_folder_of_the_package_and_touches_no_other_file(room):
    before = snapshot(room)
    generate(room / "small.yaml", room / "project" / "out")
    after = snapshot(room)
    assert {path: after[path] for path in before} == before
    assert {path.split("/")[2] for path in after.keys() - before.keys()} == {"small_api"}


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


def test_generating_again_changes_the_time_of_only_those_files_whose_bytes_changed(room, made):
    def times():
        return {
            str(path.relative_to(made)): path.stat().st_mtime_ns
            for path in made.rglob("*")
            if path.is_file()
        }

    (made / "__pycache__").mkdir()
    (made / "__pycache__" / "client.pyc").write_bytes(b"x")
    before = times()
    generate(room / "small.yaml", made.parent)
    assert times() == before
    newer = snapshot(generate(room / "newer.yaml", room / "fresh", name="small_api").package)
    generate(room / "newer.yaml", made.parent, name="small_api")
    changed = {path for path, time in times().items() if time != before[path]}
    # Beside the model: where its id is.
    assert changed == {"members.py", "models/thing.py", "operations.py", "api/build/list_things.py"}
    assert snapshot(made) == newer


def test_out_may_be_a_link_and_must_be_a_folder(room, capsys):
    link = room / "link"
    link.symlink_to(room / "project" / "out")
    assert generate(room / "small.yaml", link).package == room / "project" / "out" / "small_api"
    assert run("generate", room / "small.yaml", "--out", room / "mine.py") == 2
    assert "which is no folder" in capsys.readouterr().err
    assert run("generate", room / "small.yaml", "--out", room / "mine.py" / "deeper") == 2
    assert "cannot be written" in capsys.readouterr().err


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


def test_nothing_is_written_if_the_generator_makes_no_package(room, made, monkeypatch, capsys):
    before = snapshot(room)
    monkeypatch.setattr("victor_spec.generate.render", lambda *_: [])
    assert run("generate", room / "small.yaml", "--out", made.parent) == 2
    assert "no package was made" in capsys.readouterr().err
    assert snapshot(room) == before


# What stands around


def test_nothing_in_the_folders_above_or_in_the_environment_changes_a_byte(room, made, monkeypatch):
    (room / "project" / ".git").mkdir()
    (room / "project" / ".gitignore").write_text("*\n")
    (room / "project" / ".ignore").write_text("*\n")
    settings = (
        'line-length = 40\nextend-exclude = ["*"]\n[lint]\nignore = '
        '["ALL"]\n[format]\nquote-style = "single"\n'
    )
    (room / "project" / "ruff.toml").write_text(settings)
    (room / "project" / "pyproject.toml").write_text("[tool.ruff]\nthis is no TOML")
    for name in ("ruff.py", "httpx.py"):
        (room / "project" / name).write_text("raise SystemExit('not this one')\n")
    monkeypatch.chdir(room / "project")
    monkeypatch.setenv("RUFF_OUTPUT_FILE", str(room / "project" / "written.txt"))
    monkeypatch.setenv("RUFF_CONFIG", str(room / "project" / "ruff.toml"))
    for out in (room / "project" / "again", room / "project" / "build" / "dist"):
        again = generate(room / "small.yaml", out).package
        assert not changed_files(again, made)
    assert not (room / "project" / "written.txt").exists()


# `make`


@pytest.mark.parametrize("values", CASES["made"])
def test_make_generate_passes_its_variables_to_the_command_unchanged(tmp_path, values):
    program = tmp_path / "bin" / "python"
    program.parent.mkdir()
    program.write_text(f"#!{sys.executable}\nimport json, sys\nprint(json.dumps(sys.argv[1:]))\n")
    program.chmod(0o700)
    (tmp_path / "ready").touch()
    given = [f"{name}={value}" for name, value in values.items()]
    command = ["make", "-C", ROOT, "--no-print-directory", "generate", f"BIN={program.parent}"]
    environment = {
        name: value for name, value in os.environ.items() if name not in ("SPEC", "OUT", "NAME")
    }
    done = subprocess.run(
        [*command, f"SETUP={tmp_path / 'ready'}", *given],
        capture_output=True,
        text=True,
        check=True,
        env=environment,
    )
    out = values.get("OUT") or "generated"
    name = [f"--name={values['NAME']}"] if values.get("NAME") else []
    documents = (
        [values["SPEC"]]
        if "SPEC" in values
        else sorted(f"openapi/{path.name}" for path in DOCUMENTS)
    )
    assert json.loads(done.stdout)[2:] == ["generate", f"--out={out}", *name, "--", *documents]
